//! An output without sound that keeps real time: to try the program out where there is no card, and in place of an
//! output that could not be made, which says so.

use std::sync::Arc;

use jiff::Timestamp;

use super::pace::Pace;
use super::{Lost, Output, frames_of};
use crate::clock::Clock;

/// Takes frames in real time and forgets them.
#[derive(Debug)]
pub struct Null {
    pace: Pace,
    device: String,
    is_up: bool,
    delivered: u64,
}

impl Null {
    /// An output that keeps `clock`'s time.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { pace: Pace::new(clock), device: "null".to_owned(), is_up: true, delivered: 0 }
    }

    /// In place of the output of that name, which could not be made: every frame is lost.
    pub fn down(device: String, clock: Arc<dyn Clock>) -> Self {
        Self { device, is_up: false, ..Self::new(clock) }
    }
}

impl Output for Null {
    fn write(&mut self, samples: &[f32]) -> Result<(), Lost> {
        self.pace.keep(frames_of(samples));
        if !self.is_up {
            return Err(Lost);
        }
        self.delivered += frames_of(samples);
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
        self.device.clone()
    }

    fn is_up(&self) -> bool {
        self.is_up
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

    #[test]
    fn in_place_of_an_output_that_could_not_be_made_every_frame_is_lost_in_its_time() {
        let clock = Arc::new(SystemClock::new());
        let mut output = Null::down("alsa:gone".to_owned(), Arc::clone(&clock) as Arc<dyn Clock>);
        let chunk = vec![0.0; 2 * (AHEAD_FRAMES + 480)];
        assert_eq!((output.write(&chunk), output.delivered(), output.is_up()), (Err(Lost), 0, false));
        assert!(clock.elapsed() >= Duration::from_millis(10) && output.device() == "alsa:gone");
    }
}
