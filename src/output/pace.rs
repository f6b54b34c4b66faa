//! Real time for outputs that have no device to give it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{AHEAD_FRAMES, BURST_FRAMES, duration_of};
use crate::clock::Clock;

/// Lets frames through at 48 000 a second.
#[derive(Debug)]
pub(super) struct Pace {
    clock: Arc<dyn Clock>,
    /// When, by the clock's `elapsed`, the next frame is due.
    due: Option<Duration>,
}

impl Pace {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, due: None }
    }

    /// Takes note of `frames` and waits until there is room for more. After a hold-up it starts afresh from now: what
    /// was missed is past.
    pub(super) fn keep(&mut self, frames: u64) {
        let now = self.clock.elapsed();
        let due = self.due.filter(|due| *due >= now).unwrap_or(now) + duration_of(frames);
        self.due = Some(due);
        if due > now + duration_of(AHEAD_FRAMES as u64) {
            let left = (AHEAD_FRAMES - BURST_FRAMES) as u64;
            std::thread::sleep(due.saturating_sub(now + duration_of(left)));
        }
    }

    /// When the next frame is due, by the wall clock.
    pub(super) fn next_frame_at(&self) -> Timestamp {
        wall_at(self.clock.as_ref(), self.due.unwrap_or_default())
    }

    /// The next frame is due when it comes.
    pub(super) fn restart(&mut self) {
        self.due = None;
    }
}

/// The wall clock's time at an instant of `elapsed`; now, if that is past.
pub(super) fn wall_at(clock: &dyn Clock, at: Duration) -> Timestamp {
    let (elapsed, wall) = together(clock);
    wall.saturating_add(at.saturating_sub(elapsed)).unwrap_or(wall)
}

/// The same, also of the past.
pub(super) fn wall_then(clock: &dyn Clock, at: Duration) -> Timestamp {
    let (elapsed, wall) = together(clock);
    let now = wall.saturating_add(at.saturating_sub(elapsed)).unwrap_or(wall);
    now.saturating_sub(elapsed.saturating_sub(at)).unwrap_or(now)
}

/// Both clocks at one instant. Times are read through the monotonic one, so that a step of the wall clock is followed at once and
/// is never taken for the device's doing.
fn together(clock: &dyn Clock) -> (Duration, Timestamp) {
    // Between the two readings this thread may have lost its processor; then they do not belong together.
    const TOGETHER: Duration = Duration::from_micros(20);
    let mut before = clock.elapsed();
    let mut wall = clock.now();
    for _ in 0..4 {
        let after = clock.elapsed();
        if after.saturating_sub(before) <= TOGETHER {
            break;
        }
        before = after;
        wall = clock.now();
    }
    (before, wall)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn due_times_follow_the_frames_and_not_the_calls() {
        let start = Timestamp::from_second(1_000).unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let mut pace = Pace::new(Arc::clone(&clock) as Arc<dyn Clock>);
        pace.keep(480);
        pace.keep(480);
        assert_eq!(pace.next_frame_at(), start + Duration::from_millis(20));
        clock.advance(Duration::from_millis(15));
        assert_eq!(pace.next_frame_at(), start + Duration::from_millis(20));
        clock.advance(Duration::from_secs(5));
        assert_eq!(pace.next_frame_at(), clock.now(), "what was missed is past");
        pace.keep(480);
        assert_eq!(pace.next_frame_at(), clock.now() + Duration::from_millis(10));
    }

    #[test]
    fn a_step_of_the_wall_clock_moves_the_answer_at_once() {
        let clock = ManualClock::new(Timestamp::from_second(1_000).unwrap());
        clock.advance(Duration::from_secs(10));
        clock.step_to(Timestamp::from_second(9_000).unwrap());
        let at = wall_at(&clock, Duration::from_secs(11));
        assert_eq!(at, Timestamp::from_second(9_001).unwrap());
        let past = [wall_at, wall_then].map(|wall| wall(&clock, Duration::from_secs(8)).as_second());
        assert_eq!(past, [9_000, 8_998]);
    }
}
