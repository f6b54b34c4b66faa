//! How loud a recording is, where its sound begins and ends, and what it looks like: in one pass over its samples.

use jiff::SignedDuration;

use super::crest::{self, Crest, TAPS, loudest};
use super::weighting::Loudness;
use crate::frames;

/// Peak below which a window counts as silence: −50 dBFS, under the breath before a word and over a quiet room's hiss.
const SILENCE: f32 = 0.003_162_3;

/// Windows of silence detection and of the waveform, a second: one lasts 10 ms.
const WINDOWS_PER_SECOND: u32 = 100;

/// Kept before the first sounding window, so that a soft consonant is not eaten.
const GUARD_BEFORE: SignedDuration = SignedDuration::from_millis(100);

/// Kept after the last sounding window: a room or a bell rings on below the threshold.
const GUARD_AFTER: SignedDuration = SignedDuration::from_millis(250);

/// Columns of a waveform.
const COLUMNS: usize = 800;

/// The peak meter reads up to this much too low between samples (ITU-R BS.1770-5 annex 2 allows for it with four-fold
/// oversampling), so that much is added.
const PEAK_MARGIN_DB: f64 = 0.5;

/// What was measured of a whole recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Its length.
    pub whole: SignedDuration,
    /// Where sound begins and ends; `None` when it is silent throughout.
    pub sound: Option<(SignedDuration, SignedDuration)>,
    /// Integrated loudness in LUFS (EBU R128), as heard from two loudspeakers; minus infinity below its gate.
    pub loudness_lufs: f64,
    /// True peak in dBTP, with a margin for what a meter misses.
    pub true_peak_dbtp: f64,
    /// Its shape for the eye.
    pub waveform: Waveform,
}

/// Lowest and highest sample of each of up to 800 equal parts of a recording, −127 to 127 for full scale.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Waveform(pub Vec<(i8, i8)>);

impl Waveform {
    /// Its columns as bytes, lowest then highest, two's complement.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|(low, high)| [low.to_le_bytes(), high.to_le_bytes()].concat()).collect()
    }
}

/// Measures as it is given blocks.
#[derive(Debug)]
pub struct Meter {
    loudness: Loudness,
    peak: PeakMeter,
    sample_rate: u32,
    channels: usize,
    window: usize,
    /// The window being filled: frames in it, lowest and highest sample.
    filled: usize,
    low: f32,
    high: f32,
    columns: Vec<(i8, i8)>,
    first_sounding: Option<usize>,
    last_sounding: usize,
    frames: u64,
}

impl Meter {
    /// A meter for interleaved samples of one or two channels; `None` for a rate or count nobody can measure.
    pub fn new(sample_rate: u32, channels: usize) -> Option<Self> {
        if sample_rate == 0 || !matches!(channels, 1 | 2) {
            return None;
        }
        Some(Self {
            loudness: Loudness::new(sample_rate),
            peak: PeakMeter::new(channels),
            sample_rate,
            channels,
            window: usize::try_from(sample_rate / WINDOWS_PER_SECOND).ok()?.max(1),
            filled: 0,
            low: 0.0,
            high: 0.0,
            columns: Vec::new(),
            first_sounding: None,
            last_sounding: 0,
            frames: 0,
        })
    }

    /// Takes interleaved samples.
    pub fn add(&mut self, samples: &[f32]) {
        if self.channels == 1 {
            // It comes out of both loudspeakers.
            self.loudness.add(samples.iter().map(|&sample| [sample; 2]));
        } else {
            self.loudness.add(samples.as_chunks().0.iter().copied());
        }
        self.peak.add(samples);
        self.frames += (samples.len() / self.channels) as u64;
        let mut rest = samples;
        while !rest.is_empty() {
            let wanted = (self.window - self.filled) * self.channels;
            let (part, after) = rest.split_at(wanted.min(rest.len()));
            (self.low, self.high) = extremes(part, self.low, self.high);
            self.filled += part.len() / self.channels;
            if self.filled >= self.window {
                self.close_window();
            }
            rest = after;
        }
    }

    fn close_window(&mut self) {
        if self.high.max(-self.low) > SILENCE {
            self.first_sounding.get_or_insert(self.columns.len());
            self.last_sounding = self.columns.len();
        }
        self.columns.push((column(self.low), column(self.high)));
        (self.filled, self.low, self.high) = (0, 0.0, 0.0);
    }

    /// What it all came to, when the last `padding` frames do not belong to it.
    pub fn finish(mut self, padding: u64) -> Measured {
        if self.filled > 0 {
            self.close_window();
        }
        let whole = self.after_frames(self.frames.saturating_sub(padding));
        let window = self.window as u64;
        let sound = self.first_sounding.map(|first| {
            let begins = self.after_frames(first as u64 * window);
            let ends = self.after_frames((self.last_sounding as u64 + 1) * window);
            (
                begins.saturating_sub(GUARD_BEFORE).max(SignedDuration::ZERO),
                ends.saturating_add(GUARD_AFTER).min(whole),
            )
        });
        Measured {
            whole,
            sound,
            loudness_lufs: self.loudness.lufs(),
            true_peak_dbtp: self.peak.dbtp() + PEAK_MARGIN_DB,
            waveform: fold(&self.columns),
        }
    }

    fn after_frames(&self, frames: u64) -> SignedDuration {
        frames::duration(frames, self.sample_rate)
    }
}

/// The true peak, looked for only where it can lie: oversampling every sample would cost more than decoding.
#[derive(Debug)]
struct PeakMeter {
    crest: Crest,
    channels: usize,
    highest: f32,
    /// What no block was made of yet, and before it the frames that a block's filter looks back at.
    waiting: Vec<f32>,
}

impl PeakMeter {
    fn new(channels: usize) -> Self {
        let waiting = vec![0.0; (TAPS - 1) * channels];
        Self { crest: Crest::new(), channels, highest: 0.0, waiting }
    }

    fn add(&mut self, samples: &[f32]) {
        self.waiting.extend_from_slice(samples);
        let step = crest::BLOCK * self.channels;
        let mut used = 0;
        while let Some(block) = self.waiting.get(used..used + step + (TAPS - 1) * self.channels) {
            if loudest(block) * self.crest.overshoot() > self.highest {
                let highest = match self.channels {
                    1 => loudest(&self.crest.of_block::<{ crest::BLOCK }>(block)),
                    _ => loudest(&self.crest.of_block::<{ 2 * crest::BLOCK }>(block)),
                };
                self.highest = self.highest.max(highest);
            }
            used += step;
        }
        self.waiting.drain(..used);
    }

    fn dbtp(mut self) -> f64 {
        // Silence, behind which the last samples come out of the filter.
        self.add(&vec![0.0; (crest::BLOCK + TAPS) * self.channels]);
        20.0 * f64::from(self.highest).log10()
    }
}

/// Lowest and highest of the samples and what was there before: eight lanes, so that the compiler can use them at once.
fn extremes(samples: &[f32], low: f32, high: f32) -> (f32, f32) {
    let (mut lows, mut highs) = ([low; 8], [high; 8]);
    let (parts, rest) = samples.as_chunks::<8>();
    for lanes in parts.iter().map(<[f32; 8]>::as_slice).chain([rest]) {
        for ((low, high), &sample) in lows.iter_mut().zip(&mut highs).zip(lanes) {
            *low = low.min(sample);
            *high = high.max(sample);
        }
    }
    (lows.into_iter().fold(low, f32::min), highs.into_iter().fold(high, f32::max))
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range just before")]
fn column(sample: f32) -> i8 {
    (sample.clamp(-1.0, 1.0) * 127.0).round() as i8
}

/// Puts windows together until there are at most 800.
fn fold(windows: &[(i8, i8)]) -> Waveform {
    let count = windows.len().min(COLUMNS);
    let part = |n: usize| n * windows.len() / count;
    let columns = (0..count).filter_map(|n| windows.get(part(n)..part(n + 1)));
    Waveform(
        columns
            .map(|part| {
                part.iter().fold((0, 0), |(low, high), window| (window.0.min(low), window.1.max(high)))
            })
            .collect(),
    )
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "made samples and small counts")]
mod tests {
    use super::*;

    fn measure(sample_rate: u32, channels: usize, samples: &[f32]) -> Measured {
        let mut meter = Meter::new(sample_rate, channels).unwrap();
        for block in samples.chunks(1152 * channels) {
            meter.add(block);
        }
        meter.finish(0)
    }

    fn tone(sample_rate: u32, hertz: f64, amplitude: f64, seconds: u32) -> Vec<f32> {
        (0..sample_rate * seconds)
            .map(|n| {
                (amplitude * (std::f64::consts::TAU * hertz * f64::from(n) / f64::from(sample_rate)).sin())
                    as f32
            })
            .collect()
    }

    fn stereo(mono: &[f32]) -> Vec<f32> {
        mono.iter().flat_map(|&sample| [sample, sample]).collect()
    }

    #[test]
    fn a_reference_tone_has_its_loudness_in_mono_and_in_stereo() {
        // EBU Tech 3341, case 1: a stereo sine of 1 kHz at −23 dBFS is −23 LUFS.
        let mono = tone(48_000, 1000.0, 10_f64.powf(-23.0 / 20.0), 10);
        let of_stereo = measure(48_000, 2, &stereo(&mono)).loudness_lufs;
        assert!((of_stereo + 23.0).abs() < 0.1, "{of_stereo}");
        let of_mono = measure(48_000, 1, &mono).loudness_lufs;
        assert!((of_mono - of_stereo).abs() < 0.01, "{of_mono}");
    }

    #[test]
    fn a_peak_between_samples_is_seen_although_most_blocks_are_passed_over() {
        // A sine at a quarter of the rate, hit 45° off its crests: samples reach 0.707 of it (EBU Tech 3341, case 18).
        let crest: f64 = 0.5;
        let mut samples: Vec<f32> = (0..48_000)
            .map(|n| {
                (crest * (std::f64::consts::FRAC_PI_2 * f64::from(n) + std::f64::consts::FRAC_PI_4).sin())
                    as f32
            })
            .collect();
        let quiet = tone(48_000, 100.0, 0.01, 2);
        // Before it comes a sound with higher samples and a lower crest, which must not hide it.
        samples = [quiet.clone(), tone(48_000, 100.0, 0.4, 2), samples, quiet].concat();
        let found = measure(48_000, 1, &samples).true_peak_dbtp - PEAK_MARGIN_DB;
        let mut every_sample = ebur128::EbuR128::new(1, 48_000, ebur128::Mode::TRUE_PEAK).unwrap();
        every_sample.add_frames_f32(&samples).unwrap();
        let expected = 20.0 * every_sample.true_peak(0).unwrap().log10();
        assert!((found - expected).abs() < 0.05, "{found} instead of {expected}");
        assert!((found - 20.0 * crest.log10()).abs() < 0.6, "{found}");
    }

    #[test]
    fn silence_at_both_ends_is_left_out_with_a_guard() {
        let quiet = vec![0.0005; 44_100];
        let samples = [quiet.clone(), tone(44_100, 300.0, 0.1, 2), quiet].concat();
        let measured = measure(44_100, 1, &samples);
        let (cue_in, cue_out) = measured.sound.unwrap();
        assert_eq!(measured.whole, SignedDuration::from_secs(4));
        assert!((cue_in.as_secs_f64() - 0.9).abs() < 0.011, "{cue_in:?}");
        assert!((cue_out.as_secs_f64() - 3.25).abs() < 0.011, "{cue_out:?}");
    }

    #[test]
    fn silence_throughout_has_no_cues_and_no_loudness() {
        let measured = measure(8_000, 1, &vec![0.0002; 16_000]);
        assert_eq!(measured.sound, None);
        assert!(measured.loudness_lufs < -70.0);
    }

    #[test]
    fn a_waveform_shows_where_it_is_loud() {
        let samples = [vec![0.0; 480_000], tone(48_000, 300.0, 1.0, 10)].concat();
        let Waveform(columns) = measure(48_000, 1, &samples).waveform;
        assert_eq!(columns.len(), COLUMNS);
        assert_eq!(columns[10], (0, 0));
        assert!(columns[790].0 < -120 && columns[790].1 > 120, "{:?}", columns[790]);
    }
}
