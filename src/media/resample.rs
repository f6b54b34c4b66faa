//! Any sample rate to the 48 kHz of the air, without delay and to the exact number of frames.

use std::f64::consts::PI;
use std::fmt;
use std::sync::Arc;

use crate::frames::{AIR_RATE, on_air};
use num_complex::Complex32;
use rustfft::num_traits::Zero as _;
use rustfft::{Fft, FftPlanner};

/// Frames of the file in one block, at least: the filter's length. At 44.1 kHz they are just as many, and their only factors
/// are 2, 3 and 7.
const BLOCK: usize = 588;

/// Blocks of one signal that a step takes. The filter makes them a block longer, so that a transform is of one more: the
/// longer a step, the less of that is silence.
const AT_ONCE: usize = 2;

/// By how much the filter attenuates what the other rate cannot hold.
const STOP_BAND_DB: f64 = 100.0;

/// Why a resampler cannot be.
#[derive(Debug, thiserror::Error)]
#[error("cannot resample {channels} channels from {sample_rate} Hz")]
pub struct ResampleError {
    /// The rate asked for.
    pub sample_rate: u32,
    /// The channels asked for.
    pub channels: usize,
}

/// Turns a stream of frames into 48 kHz. Give it everything with [`push`](Resampler::push), then
/// [`finish`](Resampler::finish).
#[derive(Debug)]
pub struct Resampler {
    /// `None` at 48 kHz, where frames pass as they are.
    converter: Option<Box<Converter>>,
    sample_rate: u32,
    channels: usize,
    /// Frames of the filter's delay still to drop.
    delay: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// From `sample_rate` to 48 kHz, in one or two channels.
    pub fn new(sample_rate: u32, channels: usize) -> Result<Self, ResampleError> {
        if sample_rate == 0 || !(1..=2).contains(&channels) {
            return Err(ResampleError { sample_rate, channels });
        }
        let converter = (sample_rate != AIR_RATE).then(|| Box::new(Converter::new(sample_rate)));
        let delay = converter.as_ref().map_or(0, |converter| converter.delay());
        Ok(Self { converter, sample_rate, channels, delay, taken: 0, given: 0 })
    }

    /// Takes interleaved samples and appends to `out` what is ready.
    pub fn push(&mut self, mut samples: &[f32], out: &mut Vec<f32>) {
        self.taken += (samples.len() / self.channels) as u64;
        let Some(converter) = &mut self.converter else {
            self.given = self.taken;
            out.extend_from_slice(samples);
            return;
        };
        let before = out.len();
        while !samples.is_empty() {
            samples = converter.fill(samples, self.channels);
            if converter.lacks() == 0 {
                converter.step(self.channels, out);
            }
        }
        let dropped = self.delay.min((out.len() - before) / self.channels);
        self.delay -= dropped;
        out.drain(before..before + dropped * self.channels);
        self.given += ((out.len() - before) / self.channels) as u64;
    }

    /// Appends the rest, so that `round(frames × 48000 / rate)` frames were given in all.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let (taken, whole) = (self.taken, on_air(self.taken, self.sample_rate));
        while let Some(converter) = self.converter.as_ref().filter(|_| self.given < whole) {
            // Silence follows, and pushes out what is still in the filter.
            let silence = vec![0.0; converter.lacks()];
            self.push(&silence, out);
        }
        let excess = usize::try_from(self.given - whole).unwrap_or(0) * self.channels;
        out.truncate(out.len().saturating_sub(excess));
        (self.taken, self.given) = (taken, whole);
    }
}

/// Converts blocks of frames in the frequency domain, by overlap-add: two real signals in one complex transform, the
/// channels of stereo or two blocks of mono that follow each other.
///
/// Interleaved stereo is complex already, and a real filter keeps the two apart; so nothing is taken apart and put together
/// again, as it is where each channel has a transform of its own.
struct Converter {
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    /// The spectrum of the low-pass filter.
    filter: Vec<Complex32>,
    /// Blocks at the file's rate: those of frames, one of silence; and their spectrum.
    from: Vec<Complex32>,
    /// Samples that are in them for the next step.
    filled: usize,
    /// As many on the air: what is ready, and one to which the next step adds.
    to: Vec<Complex32>,
    /// The last of the step before.
    tail: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Converter {
    fn new(sample_rate: u32) -> Self {
        let (rate, air) = (sample_rate as usize, AIR_RATE as usize);
        let shared = greatest_common_divisor(rate, air);
        let times = BLOCK.div_ceil(rate / shared);
        let (from, to) = (times * rate / shared, times * air / shared);
        let mut planner = FftPlanner::new();
        let [all_from, all_to] = [from, to].map(|block| (AT_ONCE + 1) * block);
        let (forward, inverse) = (planner.plan_fft_forward(all_from), planner.plan_fft_inverse(all_to));
        let scratch = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        let mut converter = Self {
            filter: low_pass(from, to),
            from: vec![Complex32::zero(); all_from],
            filled: 0,
            to: vec![Complex32::zero(); all_to],
            tail: vec![Complex32::zero(); to],
            scratch: vec![Complex32::zero(); scratch],
            forward,
            inverse,
        };
        converter.forward.process_with_scratch(&mut converter.filter, &mut converter.scratch);
        converter
    }

    /// Frames on the air by which what comes out is late.
    fn delay(&self) -> usize {
        self.tail.len() / 2
    }

    /// Frames of each of the two signals in a step.
    fn frames(&self) -> usize {
        self.from.len() / (AT_ONCE + 1) * AT_ONCE
    }

    /// Samples that the next step lacks.
    fn lacks(&self) -> usize {
        2 * self.frames() - self.filled
    }

    /// Takes what the next step lacks of interleaved samples of one or two channels, and gives back the rest.
    fn fill<'a>(&mut self, samples: &'a [f32], channels: usize) -> &'a [f32] {
        let (lacks, signal) = (self.lacks(), self.frames());
        // Of mono, one signal at a time.
        let most = if channels == 1 && self.filled < signal { signal - self.filled } else { lacks };
        let (now, later) = samples.split_at(samples.len().min(most));
        let all: &mut [f32] = bytemuck::cast_slice_mut(&mut self.from);
        if channels == 1 {
            let first = 2 * (self.filled % signal) + self.filled / signal;
            let places = all.iter_mut().skip(first).step_by(2);
            places.zip(now).for_each(|(place, sample)| *place = *sample);
        } else if let Some(places) = all.get_mut(self.filled..self.filled + now.len()) {
            places.copy_from_slice(now);
        }
        self.filled += now.len();
        later
    }

    /// Takes what [`fill`](Self::fill) was given, and appends to `out` what it becomes.
    fn step(&mut self, channels: usize, out: &mut Vec<f32>) {
        let frames = self.frames();
        self.from.iter_mut().skip(frames).for_each(|silence| *silence = Complex32::zero());
        self.filled = 0;
        self.forward.process_with_scratch(&mut self.from, &mut self.scratch);
        self.filter_into_other_rate();
        self.inverse.process_with_scratch(&mut self.to, &mut self.scratch);
        let (ready, later) = self.to.split_at_mut(AT_ONCE * self.tail.len());
        if channels == 1 {
            // What is left of the first signal belongs to the second, which follows it.
            for (frame, (tail, later)) in ready.iter_mut().zip(self.tail.iter_mut().zip(later)) {
                *frame += Complex32::new(tail.re, later.re);
                tail.re = later.im;
            }
            out.extend(ready.iter().map(|frame| frame.re));
            out.extend(ready.iter().map(|frame| frame.im));
        } else {
            ready.iter_mut().zip(&self.tail).for_each(|(frame, tail)| *frame += tail);
            self.tail.copy_from_slice(later);
            out.extend_from_slice(bytemuck::cast_slice(ready));
        }
    }

    /// The spectrum of what was taken, filtered, as that of what is given: as many frequencies as both can hold, the
    /// negative ones at the end.
    fn filter_into_other_rate(&mut self) {
        let shared = self.from.len().min(self.to.len()) / 2;
        let filtered = self.from.iter().zip(&self.filter).map(|(value, filter)| value * filter);
        self.to.fill(Complex32::zero());
        self.to.iter_mut().zip(filtered.clone()).take(shared).for_each(|(to, value)| *to = value);
        self.to.iter_mut().rev().zip(filtered.rev()).take(shared - 1).for_each(|(to, value)| *to = value);
    }
}

impl fmt::Debug for Converter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Converter")
            .field("from", &self.from.len())
            .field("to", &self.to.len())
            .finish_non_exhaustive()
    }
}

/// A low-pass filter at the lower of both rates' halves, a block of `from` taps and then silence for the rest of a step: a
/// sinc under a Kaiser window, by the formulas of A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, "FIR filter
/// design by windowing". Scaled by what the transforms leave out.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "some thousand taps, as they sound"
)]
fn low_pass(from: usize, to: usize) -> Vec<Complex32> {
    let (taps, ratio) = (from as f64, to as f64 / from as f64);
    let shape = 0.1102 * (STOP_BAND_DB - 8.7);
    let transition = (STOP_BAND_DB - 8.0) / (2.285 * taps) / PI;
    let cutoff = ratio.min(1.0) - transition / 2.0;
    // A whole number of frames on the air, so that they can be dropped.
    let centre = (to / 2) as f64 / ratio;
    let tap = |n: usize| {
        let place = n as f64 - centre;
        let window = bessel_i0(shape * (1.0 - (2.0 * place / taps).powi(2)).max(0.0).sqrt());
        let angle = PI * cutoff * place;
        window * if angle == 0.0 { 1.0 } else { angle.sin() / angle }
    };
    let sum: f64 = (0..from).map(tap).sum();
    let scaled = |n| Complex32::new((tap(n) / sum / ((AT_ONCE + 1) as f64 * taps)) as f32, 0.0);
    (0..from).map(scaled).chain(std::iter::repeat_n(Complex32::zero(), AT_ONCE * from)).collect()
}

/// The modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let terms = (1..).scan(1.0, |term, k| {
        *term *= (x / (2.0 * f64::from(k))).powi(2);
        Some(*term)
    });
    1.0 + terms.take_while(|term| *term > 1e-12).sum::<f64>()
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The fewest seconds of sound that are whole steps: who begins so many later, or a multiple of them, gets the very frames
/// that who began before gets, but for those of the first block.
pub fn period_seconds(sample_rate: u32) -> u64 {
    if sample_rate == AIR_RATE {
        return 1;
    }
    let rate = sample_rate.max(1) as usize;
    let least = rate / greatest_common_divisor(rate, AIR_RATE as usize);
    // A step of mono takes two signals that follow each other.
    let step = 2 * AT_ONCE * BLOCK.div_ceil(least) * least;
    (step / greatest_common_divisor(step, rate)) as u64
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "made samples and small counts")]
mod tests {
    use super::*;

    /// A tone of 1 kHz, which each further channel has at half its level.
    fn sine(sample_rate: u32, frames: usize, channels: usize) -> Vec<f32> {
        tone(1_000.0, sample_rate, frames, channels)
    }

    fn tone(hertz: f64, sample_rate: u32, frames: usize, channels: usize) -> Vec<f32> {
        (0..frames)
            .flat_map(|n| {
                let value = (2.0 * PI * hertz * n as f64 / f64::from(sample_rate)).sin() as f32 * 0.5;
                [value, value / 2.0].into_iter().take(channels)
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
                let expected = on_air(frames as u64, sample_rate) as usize;
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
    fn who_begins_after_whole_steps_gets_the_same_frames() {
        let periods = [8_000, 16_000, 24_000, 32_000, 48_000, 96_000].map(period_seconds);
        assert_eq!(periods, [147, 147, 49, 147, 1, 49]);
        for (sample_rate, seconds) in [(44_100, 4), (22_050, 8), (37_800, 1), (44_056, 1)] {
            assert_eq!(period_seconds(sample_rate), seconds, "{sample_rate} Hz");
            for channels in [1, 2] {
                let skipped = seconds as usize * sample_rate as usize;
                let sound = sine(sample_rate, skipped + sample_rate as usize, channels);
                let whole = resampled(sample_rate, channels, &sound, 5_000);
                let late = resampled(sample_rate, channels, &sound[skipped * channels..], 777);
                let (end, settled) = (whole.len() - late.len(), AIR_RATE as usize / 4 * channels);
                assert_eq!(end, seconds as usize * AIR_RATE as usize * channels);
                assert!(whole[end + settled..] == late[settled..], "{sample_rate} Hz × {channels}");
            }
        }
    }

    #[test]
    fn what_can_be_heard_stays_and_nothing_is_added_that_was_not_there() {
        // The highest tone that a rate must carry; one above 24 kHz, which is lost, and must not come out as another.
        for (sample_rate, hertz, carried) in [
            (44_100, 20_000.0, true),
            (32_000, 14_500.0, true),
            (96_000, 20_000.0, true),
            (96_000, 25_000.0, false),
        ] {
            for channels in [1, 2] {
                let frames = sample_rate as usize;
                let out =
                    resampled(sample_rate, channels, &tone(hertz, sample_rate, frames, channels), 1_000);
                let mut ideal = tone(hertz, AIR_RATE, out.len() / channels, channels);
                if !carried {
                    ideal.fill(0.0);
                }
                let middle = 4_800 * channels..out.len() - 4_800 * channels;
                let worst = middle.map(|i| (out[i] - ideal[i]).abs()).fold(0.0, f32::max);
                // 90 dB below the tone.
                assert!(worst < 0.5 * 3.2e-5, "{hertz} Hz at {sample_rate} Hz × {channels}: off by {worst}");
            }
        }
    }

    #[test]
    fn a_short_clip_comes_out_whole() {
        for (frames, channels) in [1, 10, 587, 588, 589, 1_177].into_iter().zip([1, 2].into_iter().cycle()) {
            let out = resampled(44_100, channels, &sine(44_100, frames, channels), 5000);
            let whole = on_air(frames as u64, 44_100) as usize;
            assert_eq!(out.len(), channels * whole, "{frames}");
            assert!(
                frames < 20 || out.iter().any(|sample| sample.abs() > 0.2),
                "{frames}: nothing but silence"
            );
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        assert!(Resampler::new(0, 1).is_err());
        assert!(Resampler::new(44_100, 3).is_err());
    }

    #[test]
    fn at_48_khz_nothing_is_changed() {
        let samples = sine(48_000, 5000, 2);
        assert_eq!(resampled(48_000, 2, &samples, 100), samples);
    }
}
