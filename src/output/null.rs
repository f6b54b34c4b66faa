//! An output without sound that keeps real time: to try the program out where there is no card.

use std::sync::Arc;

use jiff::Timestamp;

use super::pace::Pace;
use super::{Lost, Output, frames_of};
use crate::clock::Clock;

/// Takes frames in real time and forgets them.
#[derive(Debug)]
pub struct Null {
    pace: Pace,
    delivered: u64,
}

impl Null {
    /// An output that keeps `clock`'s time.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { pace: Pace::new(clock), delivered: 0 }
    }
}

impl Output for Null {
    fn write(&mut self, samples: &[f32]) -> Result<(), Lost> {
        self.delivered += frames_of(samples);
        self.pace.keep(frames_of(samples));
        Ok(())
    }

    fn next_frame_at(&mut self) -> Timestamp {
        self.pace.next_frame_at()
    }

    fn delivered(&self) -> u64 {
        self.delivered
    }

    fn rest(&mut self, _until: Timestamp) {
        self.pace.restart();
    }

    fn device(&self) -> String {
        "null".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::SystemClock;
    use crate::output::{AHEAD_FRAMES, duration_of};

    #[test]
    fn a_second_of_frames_takes_a_second_less_the_buffer() {
        let clock = Arc::new(SystemClock::new());
        let mut output = Null::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let began = clock.now();
        for _ in 0..100 {
            output.write(&[0.0; 960]).unwrap();
        }
        let least = Duration::from_secs(1) - duration_of(AHEAD_FRAMES as u64);
        assert!(clock.elapsed() >= least, "{:?}", clock.elapsed());
        assert_eq!(output.delivered(), 48_000);
        let ends = output.next_frame_at().duration_since(began);
        assert!(ends.as_millis() >= 1_000, "the last frame is due a second after the first: {ends:?}");
    }
}
