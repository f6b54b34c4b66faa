//! An output that could not be made: time passes, nothing sounds, and it says so.

use std::sync::Arc;

use jiff::Timestamp;

use super::pace::Pace;
use super::{Lost, Output, frames_of};
use crate::clock::Clock;

/// Loses every frame, in real time.
#[derive(Debug)]
pub struct Down {
    pace: Pace,
    device: String,
}

impl Down {
    /// In place of the output of that name; keeps `clock`'s time.
    pub fn new(device: String, clock: Arc<dyn Clock>) -> Self {
        Self { pace: Pace::new(clock), device }
    }
}

impl Output for Down {
    fn write(&mut self, samples: &[f32]) -> Result<(), Lost> {
        self.pace.keep(frames_of(samples));
        Err(Lost)
    }

    fn next_frame_at(&mut self) -> Timestamp {
        self.pace.next_frame_at()
    }

    fn delivered(&self) -> u64 {
        0
    }

    fn rest(&mut self, _until: Timestamp) {
        self.pace.restart();
    }

    fn device(&self) -> String {
        self.device.clone()
    }

    fn is_up(&self) -> bool {
        false
    }
}
