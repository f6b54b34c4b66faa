//! Any sample rate to the 48 kHz of the air, without delay and to the exact number of frames.

use audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _, WindowFunction};

/// Frames per second on the air.
pub const AIR_RATE: u32 = 48_000;

/// Frames in one step: small enough to start quickly, large enough to be cheap.
const STEP: usize = 2352;

/// Transforms in one step. Four make each of them 588 frames at 44.1 kHz, whose only factors are 2, 3 and 7: measured, a
/// fifth less processor time than with steps of 1 024.
const TRANSFORMS: usize = 4;

/// Why a resampler cannot be.
#[derive(Debug, thiserror::Error)]
#[error("cannot resample from {sample_rate} Hz")]
pub struct ResampleError {
    /// The rate asked for.
    pub sample_rate: u32,
    #[source]
    cause: Box<dyn std::error::Error + Send + Sync>,
}

/// Turns a stream of frames into 48 kHz. Give it everything with [`push`](Resampler::push), then
/// [`finish`](Resampler::finish).
#[derive(Debug)]
pub struct Resampler {
    /// `None` at 48 kHz, where frames pass as they are.
    fft: Option<Box<Fft<f32>>>,
    sample_rate: u32,
    channels: usize,
    /// Samples that do not fill a step yet.
    waiting: Vec<f32>,
    scratch: Vec<f32>,
    /// Frames of the filter's delay still to drop.
    delay: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// From `sample_rate` to 48 kHz.
    pub fn new(sample_rate: u32, channels: usize) -> Result<Self, ResampleError> {
        let fft = (sample_rate != AIR_RATE)
            .then(|| {
                let (from, to) = (sample_rate as usize, AIR_RATE as usize);
                let window = WindowFunction::BlackmanHarris2;
                Fft::new_custom(from, to, STEP, TRANSFORMS, channels, window, FixedSync::Input).map(Box::new)
            })
            .transpose()
            .map_err(|cause| ResampleError { sample_rate, cause: Box::new(cause) })?;
        let delay = fft.as_ref().map_or(0, |fft| fft.output_delay());
        let room = fft.as_ref().map_or(0, |fft| fft.output_frames_max() * channels);
        Ok(Self {
            fft,
            sample_rate,
            channels,
            waiting: Vec::new(),
            scratch: vec![0.0; room],
            delay,
            taken: 0,
            given: 0,
        })
    }

    /// Takes interleaved samples and appends to `out` what is ready.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.taken += (samples.len() / self.channels) as u64;
        if self.fft.is_none() {
            self.given = self.taken;
            out.extend_from_slice(samples);
            return;
        }
        self.waiting.extend_from_slice(samples);
        let mut used = 0;
        while let Some(frames) = self.step(used, None, out) {
            used += frames * self.channels;
        }
        self.waiting.drain(..used);
    }

    /// Appends the rest, so that `round(frames × 48000 / rate)` frames were given in all.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let whole = frames_on_air(self.taken, self.sample_rate);
        while self.given < whole && self.fft.is_some() {
            let left = self.waiting.len() / self.channels;
            let before = out.len();
            if self.step(0, Some(left), out).is_none() {
                break;
            }
            self.waiting.clear();
            if self.given > whole {
                let excess = usize::try_from(self.given - whole).unwrap_or(0) * self.channels;
                out.truncate(out.len().saturating_sub(excess).max(before));
                self.given = whole;
            }
        }
    }

    /// One step of the transform, from sample `from` of what waits; the frames it used, or `None` while there are too
    /// few. With `partial` only so many frames are real, and silence follows them.
    fn step(&mut self, from: usize, partial: Option<usize>, out: &mut Vec<f32>) -> Option<usize> {
        let fft = self.fft.as_mut()?;
        let wanted = fft.input_frames_next();
        let input = self.waiting.get(from..)?;
        let frames = input.len() / self.channels;
        if partial.is_none() && frames < wanted {
            return None;
        }
        let room = self.scratch.len() / self.channels;
        let input = InterleavedSlice::new(input, self.channels, frames).ok()?;
        let mut output = InterleavedSlice::new_mut(&mut self.scratch, self.channels, room).ok()?;
        let mut indexing = Indexing::new();
        if let Some(frames) = partial {
            indexing = indexing.partial_len(frames);
        }
        let (used, made) = fft.process_into_buffer(&input, &mut output, Some(&indexing)).ok()?;
        let dropped = self.delay.min(made);
        self.delay -= dropped;
        self.given += (made - dropped) as u64;
        out.extend(self.scratch.get(dropped * self.channels..made * self.channels)?);
        Some(used)
    }
}

/// Frames at 48 kHz that last as long as `frames` at `sample_rate`, to the nearest.
pub fn frames_on_air(frames: u64, sample_rate: u32) -> u64 {
    let rate = u128::from(sample_rate.max(1));
    u64::try_from((u128::from(frames) * u128::from(AIR_RATE) + rate / 2) / rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "made samples and small counts")]
mod tests {
    use super::*;

    fn sine(sample_rate: u32, frames: usize, channels: usize) -> Vec<f32> {
        (0..frames)
            .flat_map(|n| {
                let value =
                    (std::f64::consts::TAU * 1000.0 * n as f64 / f64::from(sample_rate)).sin() as f32 * 0.5;
                std::iter::repeat_n(value, channels)
            })
            .collect()
    }

    fn resampled(sample_rate: u32, channels: usize, samples: &[f32], piece: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(sample_rate, channels).unwrap();
        let mut out = Vec::new();
        for piece in samples.chunks(piece * channels) {
            resampler.push(piece, &mut out);
        }
        resampler.finish(&mut out);
        out
    }

    #[test]
    fn every_rate_keeps_length_place_and_shape() {
        for sample_rate in [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000] {
            for channels in [1, 2] {
                let frames = sample_rate as usize + 37;
                let out = resampled(sample_rate, channels, &sine(sample_rate, frames, channels), 777);
                let expected = frames_on_air(frames as u64, sample_rate) as usize;
                assert_eq!(out.len(), expected * channels, "{sample_rate} Hz × {channels}");
                // A wrong delay by one frame would be an error of 0.065 here.
                let ideal = sine(AIR_RATE, expected, channels);
                let middle = 4800 * channels..out.len() - 4800 * channels;
                let worst = middle.map(|i| (out[i] - ideal[i]).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-3, "{sample_rate} Hz × {channels}: off by {worst}");
            }
        }
    }

    #[test]
    fn a_short_clip_comes_out_whole() {
        for frames in [1, 10, 1023, 1024, 1025] {
            let out = resampled(44_100, 2, &sine(44_100, frames, 2), 5000);
            assert_eq!(out.len() as u64, 2 * frames_on_air(frames as u64, 44_100), "{frames}");
        }
    }

    #[test]
    fn at_48_khz_nothing_is_changed() {
        let samples = sine(48_000, 5000, 2);
        assert_eq!(resampled(48_000, 2, &samples, 100), samples);
    }
}
