//! What can be said of a recording: what sounded when, and what of it is missing.

use std::f64::consts::TAU;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Frames per second of all recordings.
pub const RATE: u32 = 48_000;
/// Below this a sample is silence.
const SILENCE: f32 = 1e-4;
/// Reads on either side among which the least late is looked for.
const EDGE: usize = 400;
/// A read that comes this much before the end of the one before it came before its time.
const EARLY: SignedDuration = SignedDuration::from_micros(50);

/// One audio channel of what a sink played, from some moment on.
#[derive(Debug, Default)]
pub struct Recording {
    pub samples: Vec<f32>,
    /// For each read that did not come before its time: the frame it began with, and when it came.
    reads: Vec<(usize, Timestamp)>,
    /// The same for the newest read.
    newest: Option<(usize, Timestamp)>,
}

/// A stretch of sound: from the first frame to the one after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub from: usize,
    pub to: usize,
}

impl Stretch {
    pub fn len(self) -> usize {
        self.to - self.from
    }
}

impl Recording {
    /// Takes note that the next samples came at `at`. A sink renders a block at a time; where what it plays comes in
    /// pieces, the block's second part comes right behind its first, and before its time.
    pub fn arrived(&mut self, at: Timestamp) {
        let frame = self.samples.len();
        let due = self.newest.map(|(first, came)| came + offset(frame) - offset(first));
        if due.is_none_or(|due| at >= due - EARLY) {
            self.reads.push((frame, at));
        }
        self.newest = Some((frame, at));
    }

    /// When a frame was due at the sink, by the wall clock.
    pub fn at(&self, frame: usize) -> Timestamp {
        let read = self.reads.partition_point(|(first, _)| *first <= frame).saturating_sub(1);
        let near = &self.reads[read.saturating_sub(EDGE)..self.reads.len().min(read + EDGE)];
        let origin = near.iter().map(|(first, at)| *at - offset(*first)).min().expect("a recording");
        origin + offset(frame)
    }

    /// The frame that was due at the sink at an instant.
    pub fn frame(&self, at: Timestamp) -> usize {
        let begin = self.at(0);
        let near = at.duration_since(begin).as_secs_f64() * f64::from(RATE);
        // The clock of the recording is not quite that of the wall: look again from near by.
        let near = near.max(0.0) as usize;
        let off = at.duration_since(self.at(near)).as_secs_f64() * f64::from(RATE);
        (near as f64 + off).round().max(0.0) as usize
    }

    /// Stretches of sound with at least `silence` before each.
    pub fn stretches(&self, silence: Duration) -> Vec<Stretch> {
        let apart = super::rig::frames(silence);
        let mut found: Vec<Stretch> = Vec::new();
        let sounding = self.samples.iter().enumerate().filter(|(_, sample)| sample.abs() > SILENCE);
        for (frame, _) in sounding {
            match found.last_mut() {
                Some(last) if frame - last.to < apart => last.to = frame + 1,
                _ => found.push(Stretch { from: frame, to: frame + 1 }),
            }
        }
        found
    }

    /// When each sound began that had 100 ms of silence before it.
    pub fn onsets(&self) -> Vec<Timestamp> {
        self.stretches(Duration::from_millis(100)).iter().map(|stretch| self.at(stretch.from)).collect()
    }

    /// Runs of zeros of 2 ms and more inside a stretch.
    pub fn gaps(&self, within: Stretch) -> Vec<Stretch> {
        let mut gaps = Vec::new();
        let mut from = within.from;
        for frame in within.from..within.to {
            if self.samples[frame].abs() > SILENCE {
                if frame - from >= super::rig::frames(Duration::from_millis(2)) {
                    gaps.push(Stretch { from, to: frame });
                }
                from = frame + 1;
            }
        }
        gaps
    }

    /// Where a tone sounds, by its frequency alone: windows of 10 ms in which it has more than half of the power, joined;
    /// their ends set to the sample by where sound begins and ends near them.
    pub fn tone(&self, hertz: f64) -> Vec<Stretch> {
        const WINDOW: usize = RATE as usize / 100;
        let mut found: Vec<Stretch> = Vec::new();
        for (window, samples) in self.samples.chunks_exact(WINDOW).enumerate() {
            let power: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
            let (re, im) = goertzel(samples, 0, hertz);
            // Of a pure tone, |X|² is N/2 of the power.
            let share = (re * re + im * im) / (power * WINDOW as f64 / 2.0);
            if power < f64::from(SILENCE) || share < 0.5 {
                continue;
            }
            let (from, to) = (window * WINDOW, (window + 1) * WINDOW);
            match found.last_mut() {
                Some(last) if from - last.to <= WINDOW => last.to = to,
                _ => found.push(Stretch { from, to }),
            }
        }
        found.iter().map(|stretch| self.to_the_sample(*stretch)).collect()
    }

    /// Moves the ends of a stretch that was found in windows to where the sound around them begins and ends.
    fn to_the_sample(&self, rough: Stretch) -> Stretch {
        const WINDOW: usize = RATE as usize / 100;
        let sounds = |frame: &usize| self.samples[*frame].abs() > SILENCE;
        let from = (rough.from.saturating_sub(WINDOW)..rough.to).find(sounds).unwrap_or(rough.from);
        let until = self.samples.len().min(rough.to + WINDOW);
        let to = (rough.from..until).rev().find(sounds).map_or(rough.to, |frame| frame + 1);
        Stretch { from, to }
    }

    /// The frequency at a frame, from where the sound crosses zero in the 50 ms around it.
    pub fn pitch(&self, frame: usize) -> f64 {
        let from = frame - RATE as usize / 40;
        let samples = &self.samples[from..from + RATE as usize / 20];
        let rises: Vec<f64> = samples
            .windows(2)
            .enumerate()
            .filter(|(_, pair)| pair[0] <= 0.0 && pair[1] > 0.0)
            .map(|(index, pair)| index as f64 + f64::from(pair[0] / (pair[0] - pair[1])))
            .collect();
        (rises.len() - 1) as f64 * f64::from(RATE) / (rises[rises.len() - 1] - rises[0])
    }

    /// How loud a stretch is: the square root of the mean power.
    pub fn level(&self, within: Stretch) -> f64 {
        let samples = &self.samples[within.from..within.to];
        let power: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        (power / samples.len() as f64).sqrt()
    }

    /// Frames that are missing (positive) or too many in a steady tone, where its phase jumps: each with the frame near
    /// which it happened. A jump of more than half of the tone's period is taken for a smaller one.
    pub fn slips(&self, within: Stretch, hertz: f64) -> Vec<(usize, f64)> {
        let window = RATE as usize / 50;
        let starts = (within.from..within.to.saturating_sub(window)).step_by(window);
        let phases: Vec<(usize, f64)> = starts
            .map(|from| {
                let (re, im) = goertzel(&self.samples[from..from + window], from, hertz);
                (from, im.atan2(re))
            })
            .collect();
        phases
            .windows(2)
            .filter_map(|pair| {
                let turn = (pair[1].1 - pair[0].1 + TAU * 1.5).rem_euclid(TAU) - TAU / 2.0;
                let frames = turn / TAU * f64::from(RATE) / hertz;
                (frames.abs() > 0.2).then_some((pair[1].0, frames))
            })
            .collect()
    }
}

/// The part of a frequency in samples, the first of which is frame `from`: so that phases of a steady tone agree.
fn goertzel(samples: &[f32], from: usize, hertz: f64) -> (f64, f64) {
    samples.iter().enumerate().fold((0.0, 0.0), |(re, im), (index, sample)| {
        let phase = TAU * hertz * (from + index) as f64 / f64::from(RATE);
        (re + f64::from(*sample) * phase.cos(), im - f64::from(*sample) * phase.sin())
    })
}

fn offset(frame: usize) -> SignedDuration {
    SignedDuration::from_nanos(i64::try_from(frame as u128 * 1_000_000_000 / u128::from(RATE)).unwrap())
}

/// The sample of a tone, half of full scale, that begins loud: its first sample is heard.
pub fn tone_at(frame: usize, hertz: f64) -> f32 {
    (0.5 * (TAU * hertz * frame as f64 / f64::from(RATE)).cos()) as f32
}

/// A tone that rises from 500 Hz by 50 Hz a second: its pitch tells how far into it one is.
pub fn rising(frames: usize) -> impl Iterator<Item = f32> {
    (0..frames).map(|frame| {
        let second = frame as f64 / f64::from(RATE);
        (0.5 * (TAU * (500.0 * second + 25.0 * second * second)).cos()) as f32
    })
}

/// How many seconds into a rising tone it has this pitch.
pub fn second_of(pitch: f64) -> f64 {
    (pitch - 500.0) / 50.0
}

/// Of measured values: the one below which `share` of them lie.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(samples: impl IntoIterator<Item = f32>) -> Recording {
        Recording { samples: samples.into_iter().collect(), ..Recording::default() }
    }

    #[test]
    fn the_second_part_of_a_block_does_not_tell_the_time() {
        let mut recording = Recording::default();
        for block in 0..10 {
            let due = Timestamp::UNIX_EPOCH + offset(block * 1_000);
            // Never punctual, and the last 300 frames come with the first 700.
            let came = due + SignedDuration::from_micros(200);
            for frames in [700, 300] {
                recording.arrived(came);
                recording.samples.extend(std::iter::repeat_n(0.0, frames));
            }
        }
        for frame in [0, 700, 5_300] {
            let late = recording.at(frame).duration_since(Timestamp::UNIX_EPOCH) - offset(frame);
            assert_eq!(late, SignedDuration::from_micros(200));
        }
    }

    #[test]
    fn a_tone_is_found_to_the_sample() {
        let silence = std::iter::repeat_n(0.0, 5_001);
        let tone = (0..9_000).map(|frame| tone_at(frame, 1_000.0));
        let other = (0..9_000).map(|frame| tone_at(frame, 2_200.0));
        let recording =
            recording(silence.clone().chain(tone).chain(silence.clone()).chain(other).chain(silence));
        assert_eq!(recording.tone(1_000.0), [Stretch { from: 5_001, to: 14_001 }]);
        assert_eq!(recording.tone(2_200.0), [Stretch { from: 19_002, to: 28_002 }]);
        assert_eq!(recording.tone(440.0), []);
    }

    #[test]
    fn a_rising_tone_tells_how_far_it_is() {
        let recording = recording(rising(12 * 48_000));
        for second in [1, 5, 11] {
            let told = second_of(recording.pitch(second * 48_000));
            assert!((told - second as f64).abs() < 0.001, "{told}");
        }
    }

    #[test]
    fn lost_and_doubled_frames_are_seen() {
        let tone = |range: std::ops::Range<usize>| range.map(|frame| tone_at(frame, 100.0));
        let whole = recording(tone(0..48_000));
        let all = Stretch { from: 0, to: 48_000 };
        assert_eq!(whole.slips(all, 100.0), []);
        let lossy = recording(tone(0..20_000).chain(tone(20_003..30_000)).chain(tone(29_900..48_000)));
        let slips = lossy.slips(all, 100.0);
        let sum: f64 = slips.iter().map(|(_, frames)| frames).sum();
        assert!((sum - (3.0 - 100.0)).abs() < 0.5, "{slips:?}");
        assert!((slips[0].0).abs_diff(20_000) < 2_000, "{slips:?}");
    }

    #[test]
    fn gaps_of_two_milliseconds_are_seen() {
        let tone = |count| (0..count).map(|frame| tone_at(frame, 100.0));
        let recording = recording(tone(9_600).chain(std::iter::repeat_n(0.0, 96)).chain(tone(9_600)));
        let all = Stretch { from: 0, to: recording.samples.len() };
        assert_eq!(recording.gaps(all), [Stretch { from: 9_600, to: 9_696 }]);
    }

    #[test]
    fn a_late_read_does_not_move_the_clock() {
        let start = Timestamp::from_second(1_000).unwrap();
        let mut recording = Recording::default();
        for read in 0..100_i64 {
            let late = if read % 3 == 0 { 0 } else { 7 };
            recording.arrived(start + SignedDuration::from_millis(read * 10 + late));
            recording.samples.extend([0.0; 480]);
        }
        assert_eq!(recording.at(24_000), start + SignedDuration::from_millis(500));
    }
}
