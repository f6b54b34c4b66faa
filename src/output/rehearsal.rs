//! An output that takes frames at once and moves a clock by them: days pass in seconds.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::wav::WavFile;
use super::{Lost, Output, duration_of, frames_of};
use crate::clock::{Clock, ManualClock};

/// Takes frames at once; each of them is time passing on its clock.
#[derive(Debug)]
pub struct Rehearsal {
    clock: Arc<ManualClock>,
    /// Where the clock stood, and how many frames were written since: summing up rounded chunks would drift.
    from: Timestamp,
    since: u64,
    delivered: u64,
    keep: Option<WavFile>,
}

impl Rehearsal {
    /// An output that moves `clock`, and keeps what sounds in `keep`; rests are left out there.
    pub fn new(clock: Arc<ManualClock>, keep: Option<WavFile>) -> Self {
        let from = clock.now();
        Self { clock, from, since: 0, delivered: 0, keep }
    }
}

impl Output for Rehearsal {
    fn write(&mut self, samples: &[f32]) -> Result<(), Lost> {
        let frames = frames_of(samples);
        let before = duration_of(self.since);
        self.since += frames;
        self.delivered += frames;
        self.clock.advance(duration_of(self.since).saturating_sub(before));
        if let Some(Err(error)) = self.keep.as_mut().map(|file| file.append(samples)) {
            warn!(%error, "the rehearsal's sound is not kept any further");
            self.keep = None;
        }
        Ok(())
    }

    fn next_frame_at(&mut self) -> Timestamp {
        let at = self.from.saturating_add(duration_of(self.since)).unwrap_or(Timestamp::MAX);
        let now = self.clock.now();
        if at != now {
            // Somebody stepped the clock: a test of what that does.
            (self.from, self.since) = (now, 0);
        }
        now
    }

    fn delivered(&self) -> u64 {
        self.delivered
    }

    fn rest(&mut self, until: Timestamp) {
        // Negative if `until` is past: then no time passes.
        let ahead = Duration::try_from(until.duration_since(self.clock.now())).unwrap_or_default();
        self.clock.advance(ahead);
        (self.from, self.since) = (self.clock.now(), 0);
    }

    fn device(&self) -> String {
        "rehearsal".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_day_of_chunks_is_a_day_to_the_nanosecond() {
        let clock = Arc::new(ManualClock::new(at(0)));
        let mut output = Rehearsal::new(Arc::clone(&clock), None);
        for _ in 0..4_050_000 {
            output.write(&[0.0; 2_048]).unwrap(); // 86 400 s in chunks of 21.333… ms
        }
        assert_eq!(clock.now(), at(86_400));
        assert_eq!(clock.elapsed(), Duration::from_secs(86_400));
        assert_eq!(output.next_frame_at(), at(86_400));
        assert_eq!(output.delivered(), 4_050_000 * 1_024);
    }

    #[test]
    fn a_rest_jumps_forward_and_never_back() {
        let clock = Arc::new(ManualClock::new(at(100)));
        let mut output = Rehearsal::new(Arc::clone(&clock), None);
        output.rest(at(5_000));
        assert_eq!(output.next_frame_at(), at(5_000));
        assert_eq!(clock.elapsed(), Duration::from_secs(4_900));
        output.rest(at(10));
        assert_eq!(output.next_frame_at(), at(5_000));
    }

    #[test]
    fn what_sounds_can_be_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("week.wav");
        let clock = Arc::new(ManualClock::new(at(0)));
        let mut output = Rehearsal::new(clock, Some(WavFile::create(&path).unwrap()));
        output.write(&[0.5; 2_048]).unwrap();
        output.rest(at(60));
        output.write(&[0.5; 2_048]).unwrap();
        drop(output);
        assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 2_048);
    }
}
