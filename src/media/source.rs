//! Where the engine's frames come from.

use std::fmt::Debug;

/// Gives frames, 48 kHz stereo.
pub trait Source: Debug + Send {
    /// Fills interleaved samples (`frames × 2`) from the front. Called on the audio path: must not block, allocate or lock.
    fn read(&mut self, samples: &mut [f32]) -> Read;
}

/// What a `read` gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// This many frames, as many as asked for.
    Frames(usize),
    /// Only this many were ready; more will come.
    Starved(usize),
    /// This many, and no more will come.
    Ended(usize),
}
