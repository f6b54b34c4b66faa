//! How loud a recording is, as ITU-R BS.1770-5 and EBU R128 define it: weighted as ears do, in steps of 100 ms, and
//! without its pauses.

use std::f64::consts::PI;

/// A step, as a part of a second.
const STEPS_PER_SECOND: u32 = 10;
/// Steps of one of the overlapping blocks that are gated: 400 ms.
const BLOCK: usize = 4;
/// What lies below this counts as a pause.
const ABSOLUTE_GATE_LUFS: f64 = -70.0;
/// And what lies this much below the mean of the rest.
const RELATIVE_GATE_LU: f64 = -10.0;
/// What the weighting adds to a tone of 1 kHz, in dB, taken off again.
const OFFSET_DB: f64 = -0.691;
/// Below this a filter's memory is as good as silent. Numbers that shrank on, for ever, would cost a hundred times as much.
const FORGOTTEN: f64 = 1e-30;

/// The head's part of the weighting (BS.1770 table 1), at 48 kHz.
const HEAD: Filter = Filter {
    b: [1.535_124_859_586_97, -2.691_696_189_406_38, 1.198_392_810_852_85],
    a: [-1.690_659_293_182_41, 0.732_480_774_215_85],
};
/// The ear's part, at the low end (table 2), at 48 kHz.
const EAR: Filter = Filter { b: [1.0, -2.0, 1.0], a: [-1.990_047_454_833_98, 0.990_072_250_366_21] };

/// Left and right.
type Frame = [f64; 2];

/// Measures the integrated loudness of stereo.
#[derive(Debug)]
pub(super) struct Loudness {
    head: Stage,
    ear: Stage,
    step: usize,
    /// Frames in the step that is being filled, and the energy of both channels.
    filled: usize,
    energy: f64,
    /// The energy of each step.
    steps: Vec<f64>,
}

impl Loudness {
    /// For a sample rate.
    pub(super) fn new(sample_rate: u32) -> Self {
        Self {
            head: Stage::new(HEAD.at_rate(sample_rate)),
            ear: Stage::new(EAR.at_rate(sample_rate)),
            step: ((sample_rate + STEPS_PER_SECOND / 2) / STEPS_PER_SECOND).max(1) as usize,
            filled: 0,
            energy: 0.0,
            steps: Vec::new(),
        }
    }

    /// Takes the frames of both loudspeakers.
    pub(super) fn add(&mut self, frames: impl Iterator<Item = [f32; 2]>) {
        for frame in frames {
            let [left, right] = self.ear.filter(self.head.filter(frame.map(f64::from)));
            self.energy += left * left + right * right;
            self.filled += 1;
            if self.filled == self.step {
                self.steps.push(self.energy);
                (self.filled, self.energy) = (0, 0.0);
                self.head.forget();
                self.ear.forget();
            }
        }
    }

    /// In LUFS; minus infinity where all of it is a pause.
    pub(super) fn lufs(&self) -> f64 {
        let block = |steps: &[f64]| steps.iter().sum::<f64>() / (BLOCK * self.step) as f64;
        let above = |gate: f64| {
            let loud = self.steps.windows(BLOCK).map(block).filter(|power| lufs_of(*power) >= gate);
            let (count, sum) = loud.fold((0_u32, 0.0), |(count, sum), power| (count + 1, sum + power));
            lufs_of(if count == 0 { 0.0 } else { sum / f64::from(count) })
        };
        above((above(ABSOLUTE_GATE_LUFS) + RELATIVE_GATE_LU).max(ABSOLUTE_GATE_LUFS))
    }
}

fn lufs_of(power: f64) -> f64 {
    OFFSET_DB + 10.0 * power.log10()
}

/// The coefficients of a filter of the second order; the first of `a` is 1.
#[derive(Debug, Clone, Copy)]
struct Filter {
    b: [f64; 3],
    a: [f64; 2],
}

impl Filter {
    /// The same curve at another rate than 48 kHz: exact at 1 kHz, where meters are compared, and near it.
    fn at_rate(self, sample_rate: u32) -> Self {
        let Self { b: [b0, b1, b2], a: [a1, a2] } = self;
        // Both polynomials as those of an analog filter, by the bilinear transform: powers 0, 1 and 2 of s.
        let analog = |c0: f64, c1: f64, c2: f64| [c0 + c1 + c2, 2.0 * (c0 - c2), c0 - c1 + c2];
        let (above, below) = (analog(b0, b1, b2), analog(1.0, a1, a2));
        let of_1_khz = |rate: f64| (PI * 1_000.0 / rate).min(0.49 * PI).tan();
        let scale = of_1_khz(48_000.0) / of_1_khz(sample_rate.into());
        let digital = |[c0, c1, c2]: [f64; 3]| {
            let (c1, c2) = (c1 * scale, c2 * scale * scale);
            [c0 + c1 + c2, 2.0 * (c0 - c2), c0 - c1 + c2]
        };
        let (above, [whole, a1, a2]) = (digital(above), digital(below));
        Self { b: above.map(|b| b / whole), a: [a1 / whole, a2 / whole] }
    }
}

/// A filter with its memory, for both channels side by side.
#[derive(Debug)]
struct Stage {
    filter: Filter,
    memory: [Frame; 2],
}

impl Stage {
    fn new(filter: Filter) -> Self {
        Self { filter, memory: [[0.0; 2]; 2] }
    }

    #[inline]
    fn filter(&mut self, frame: Frame) -> Frame {
        let Filter { b: [b0, b1, b2], a: [a1, a2] } = self.filter;
        let [first, second] = &mut self.memory;
        let mut out = frame;
        for (((out, first), second), sample) in out.iter_mut().zip(first).zip(second).zip(frame) {
            *out = b0 * sample + *first;
            *first = (b1 * sample + *second) - a1 * *out;
            *second = b2 * sample - a2 * *out;
        }
        out
    }

    fn forget(&mut self) {
        for kept in self.memory.as_flattened_mut() {
            if kept.abs() < FORGOTTEN {
                *kept = 0.0;
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "made samples")]
mod tests {
    use ebur128::{EbuR128, Mode};

    use super::*;

    /// What another program measures.
    fn theirs(sample_rate: u32, frames: &[[f32; 2]]) -> f64 {
        let mut meter = EbuR128::new(2, sample_rate, Mode::I).unwrap();
        meter.add_frames_f32(frames.as_flattened()).unwrap();
        meter.loudness_global().unwrap()
    }

    fn ours(sample_rate: u32, frames: &[[f32; 2]]) -> f64 {
        let mut loudness = Loudness::new(sample_rate);
        for part in frames.chunks(1_152) {
            loudness.add(part.iter().copied());
        }
        loudness.lufs()
    }

    /// Noise that swells and pauses, over a hum.
    fn noise(sample_rate: u32, seconds: u32) -> Vec<[f32; 2]> {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / 8_388_608.0 - 1.0
        };
        (0..sample_rate * seconds)
            .map(|n| {
                let second = n as f32 / sample_rate as f32;
                let level = (second * 0.7).sin().max(0.0) * 0.5;
                let hum = 0.05 * (second * 50.0 * std::f32::consts::TAU).sin();
                [level * random() + hum, level * 0.3 * random() + hum]
            })
            .collect()
    }

    /// Ten seconds of 1 kHz at a peak level.
    fn tone(sample_rate: u32, dbfs: f64) -> Vec<[f32; 2]> {
        let amplitude = 10_f64.powf(dbfs / 20.0);
        let angle = |n: u32| f64::from(n) / f64::from(sample_rate) * 1_000.0 * 2.0 * PI;
        let sample = |n: u32| (amplitude * angle(n).sin()) as f32;
        (0..10 * sample_rate).map(|n| [sample(n); 2]).collect()
    }

    #[test]
    fn it_agrees_with_another_meter() {
        // Below 44.1 kHz that one takes the coefficients of the low end as they are at 48 kHz, and reads 0.2 dB more.
        for sample_rate in [44_100, 48_000, 96_000] {
            let frames = noise(sample_rate, 20);
            let (ours, theirs) = (ours(sample_rate, &frames), theirs(sample_rate, &frames));
            assert!((ours - theirs).abs() < 0.05, "{ours} instead of {theirs} at {sample_rate} Hz");
        }
    }

    #[test]
    fn a_reference_tone_has_its_loudness_at_every_rate() {
        // EBU Tech 3341, case 1: a stereo sine of 1 kHz at −23 dBFS is −23 LUFS.
        for sample_rate in [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000] {
            let found = ours(sample_rate, &tone(sample_rate, -23.0));
            assert!((found + 23.0).abs() < 0.1, "{found} at {sample_rate} Hz");
        }
    }

    #[test]
    fn pauses_do_not_count_and_a_short_sound_has_no_loudness() {
        let loud = tone(48_000, -23.0);
        let mut with_pauses = loud.clone();
        with_pauses.extend(tone(48_000, -50.0));
        assert!((ours(48_000, &with_pauses) - ours(48_000, &loud)).abs() < 0.1);
        assert!(ours(48_000, &loud[..48_000 / 4]).is_infinite());
        assert!(ours(48_000, &vec![[0.000_001; 2]; 480_000]).is_infinite());
    }
}
