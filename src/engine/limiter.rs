//! Keeps the true peak under −1 dBTP, whatever the voices add up to.
//!
//! How: for every frame the waveform is estimated at four points per sample (ITU-R BS.1770-5 annex 2: the loudest
//! point of a waveform lies between its samples), which says what gain the frame may have at most. The least of these
//! gains over a window is averaged over the same window: the result falls in a straight line before a peak and reaches
//! the allowed gain when the peak does, and never later. That needs to look ahead by [`LOOKAHEAD`] frames, which is
//! this limiter's delay. The engine mixes that much ahead of its output's time, so every start stays on its frame.
//!
//! The ceiling is −1.5 dB: four points per sample may miss up to 0.47 dB of a tone at 20 kHz (a point lies at most an eighth of a frame from the crest),
//! so that −1 dBTP holds for what the estimate cannot see. Below the ceiling the samples pass as they are, bit for bit.

use std::collections::VecDeque;

use crate::media::crest::{AFTER, BLOCK, Crest, TAPS, loudest};
use crate::output::{CHANNELS, CHUNK_FRAMES};

/// By how many frames the limiter's output is behind its input: 5 ms, a whole number of nanoseconds at 48 kHz.
pub const LOOKAHEAD: usize = 240;
/// Frames over which the gain falls: what is left of the delay when the estimate has had its share.
const WINDOW: usize = LOOKAHEAD + 1 - AFTER;
/// −1.5 dB.
const CEILING: f32 = 0.841_395_14;
/// Frames after which the gain has recovered by two thirds: 100 ms.
const RELEASE: u32 = 4_800;

/// Gain 1. Gains are whole numbers, so that the running sum never drifts.
const UNITY: u32 = 1 << 24;

/// The limiter of one output.
#[derive(Debug)]
pub struct Limiter {
    /// The last [`LOOKAHEAD`] frames, then the chunk at hand, and silence where its last block is not whole.
    frames: Vec<f32>,
    crest: Crest,
    /// Frames seen.
    seen: u64,
    /// Allowed gains of the window that no later one undercuts, each with its frame; the least is first.
    least: VecDeque<(u64, u32)>,
    /// The least gain, recovering slowly.
    held: u32,
    /// The held gains of the window, and the place of the oldest.
    averaged: [u32; WINDOW],
    oldest: usize,
    /// Their sum.
    sum: u64,
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new()
    }
}

impl Limiter {
    /// A limiter at rest.
    pub fn new() -> Self {
        let mut frames = Vec::with_capacity((LOOKAHEAD + CHUNK_FRAMES + BLOCK) * CHANNELS);
        frames.resize(LOOKAHEAD * CHANNELS, 0.0);
        Self {
            frames,
            crest: Crest::new(),
            seen: 0,
            least: VecDeque::with_capacity(WINDOW + 2),
            held: UNITY,
            averaged: [UNITY; WINDOW],
            oldest: 0,
            sum: u64::from(UNITY) * WINDOW as u64,
        }
    }

    /// Replaces the samples (at most a chunk of them) by those of [`LOOKAHEAD`] frames ago, limited.
    pub fn process(&mut self, samples: &mut [f32]) {
        for part in samples.chunks_mut(CHUNK_FRAMES * CHANNELS) {
            let frames = part.len() / CHANNELS;
            self.frames.extend_from_slice(part);
            self.frames.resize((LOOKAHEAD + frames.next_multiple_of(BLOCK)) * CHANNELS, 0.0);
            for (nth, out) in part.chunks_mut(BLOCK * CHANNELS).enumerate() {
                self.block(nth * BLOCK, out);
            }
            self.frames.copy_within(frames * CHANNELS..(frames + LOOKAHEAD) * CHANNELS, 0);
            self.frames.truncate(LOOKAHEAD * CHANNELS);
        }
    }

    /// One block of the chunk at hand, from its frame `first`.
    fn block(&mut self, first: usize, out: &mut [f32]) {
        let frames = out.len() / CHANNELS;
        let newest = LOOKAHEAD + first;
        let seen = (newest + 1 - TAPS) * CHANNELS..(newest + frames) * CHANNELS;
        let peak = self.frames.get(seen).map_or(0.0, loudest);
        let is_soft = peak * self.crest.overshoot() <= CEILING;
        let allowed = if is_soft { [UNITY; BLOCK] } else { self.allowed(newest + 1 - TAPS) };
        if self.is_at_rest() && allowed.iter().take(frames).all(|gain| *gain == UNITY) {
            if let Some(delayed) = self.frames.get(first * CHANNELS..first * CHANNELS + out.len()) {
                out.copy_from_slice(delayed);
            }
            self.seen += frames as u64;
            return;
        }
        let mut gains = [0.0; BLOCK];
        gains.iter_mut().zip(allowed).take(frames).for_each(|(gain, allowed)| *gain = self.advance(allowed));
        let delayed = self.frames.get(first * CHANNELS..).unwrap_or_default().chunks_exact(CHANNELS);
        for ((frame, delayed), gain) in out.chunks_exact_mut(CHANNELS).zip(delayed).zip(gains) {
            frame.iter_mut().zip(delayed).for_each(|(sample, delayed)| *sample = delayed * gain);
        }
    }

    /// Whether every gain under way is 1.
    fn is_at_rest(&self) -> bool {
        self.held == UNITY && self.sum == u64::from(UNITY) * WINDOW as u64
    }

    /// For each frame of a block, the gain that the waveform may have between the two frames in the middle of the
    /// filter; the first filter begins at the frame `from`.
    fn allowed(&self, from: usize) -> [u32; BLOCK] {
        let frames = self.frames.get(from * CHANNELS..).unwrap_or_default();
        let peaks: [f32; BLOCK * CHANNELS] = self.crest.of_block(frames);
        let mut allowed = [UNITY; BLOCK];
        if loudest(&peaks) <= CEILING {
            return allowed;
        }
        for (allowed, frame) in allowed.iter_mut().zip(peaks.chunks_exact(CHANNELS)) {
            let peak = loudest(frame);
            if peak > CEILING {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "between 0 and UNITY"
                )]
                let gain = (CEILING / peak * UNITY as f32) as u32;
                *allowed = gain;
            }
        }
        allowed
    }

    /// Takes the newest frame's gain, gives that of the frame that comes out.
    fn advance(&mut self, allowed: u32) -> f32 {
        while self.least.back().is_some_and(|&(_, gain)| gain >= allowed) {
            self.least.pop_back();
        }
        self.least.push_back((self.seen, allowed));
        // One frame more than is averaged: a point between two frames binds both of them.
        while self.least.front().is_some_and(|&(at, _)| at + (WINDOW as u64) < self.seen) {
            self.least.pop_front();
        }
        self.seen += 1;
        let least = self.least.front().map_or(UNITY, |&(_, gain)| gain);
        self.held = least.min(self.held + (UNITY - self.held).div_ceil(RELEASE));
        self.sum += u64::from(self.held);
        if let Some(oldest) = self.averaged.get_mut(self.oldest) {
            self.sum -= u64::from(std::mem::replace(oldest, self.held));
        }
        self.oldest = if self.oldest + 1 < WINDOW { self.oldest + 1 } else { 0 };
        self.sum as f32 / (u64::from(UNITY) * WINDOW as u64) as f32
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "tests of exact samples")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUS_1_DBTP: f64 = 0.891_250_94;

    fn limited(input: &[f32], chunk: usize) -> Vec<f32> {
        let mut limiter = Limiter::new();
        let mut out = input.to_vec();
        out.extend([0.0; LOOKAHEAD * CHANNELS]);
        for part in out.chunks_mut(chunk * CHANNELS) {
            limiter.process(part);
        }
        out
    }

    fn true_peak(samples: &[f32]) -> f64 {
        let mut meter = ebur128::EbuR128::new(2, 48_000, ebur128::Mode::TRUE_PEAK).unwrap();
        meter.add_frames_f32(samples).unwrap();
        meter.true_peak(0).unwrap().max(meter.true_peak(1).unwrap())
    }

    fn tone(frequency: f64, phase: f64, amplitude: f64, frames: usize) -> Vec<f32> {
        let at = |n: usize| (std::f64::consts::TAU * frequency * n as f64 / 48_000.0 + phase).sin();
        (0..frames).flat_map(|n| [(amplitude * at(n)) as f32; 2]).collect()
    }

    #[test]
    fn what_is_soft_passes_bit_for_bit_and_later_by_the_look_ahead() {
        let input = tone(997.0, 0.3, 0.84, 5_000);
        let out = limited(&input, 1_024);
        assert_eq!(out[LOOKAHEAD * CHANNELS..], input);
        assert!(out[..LOOKAHEAD * CHANNELS].iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn no_tone_exceeds_minus_one_dbtp() {
        for frequency in [50.0, 997.0, 6_000.0, 11_999.0, 12_000.0, 15_000.0, 18_000.0, 20_000.0] {
            for phase in [0.0, 0.4, std::f64::consts::FRAC_PI_4] {
                for amplitude in [0.9, 1.0, 1.41, 4.0] {
                    let peak = true_peak(&limited(&tone(frequency, phase, amplitude, 9_600), 1_024));
                    assert!(peak <= MINUS_1_DBTP, "{frequency} Hz at {amplitude}: {peak}");
                }
            }
        }
    }

    #[test]
    fn the_gain_recovers_to_one() {
        let mut input = tone(997.0, 0.0, 2.0, 4_800);
        let quiet = tone(997.0, 0.0, 0.5, 96_000);
        input.extend(&quiet);
        let out = limited(&input, 1_024);
        let tail = out.len() - 9_600;
        assert_eq!(out[tail..], input[tail - LOOKAHEAD * CHANNELS..input.len()]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn no_noise_exceeds_minus_one_dbtp(
            noise in prop::collection::vec(-1.0_f32..1.0, 4_096),
            gain in 0.5_f32..6.0,
            bursts in prop::collection::vec(0.0_f32..1.0, 16),
            chunk in 1_usize..1_500,
        ) {
            let input: Vec<f32> =
                noise.chunks(256).zip(&bursts).flat_map(|(part, burst)| part.iter().map(move |s| s * gain * burst)).collect();
            let out = limited(&input, chunk);
            prop_assert!(loudest(&out) <= CEILING + 1e-6);
            prop_assert!(true_peak(&out) <= MINUS_1_DBTP, "{}", true_peak(&out));
        }
    }
}
