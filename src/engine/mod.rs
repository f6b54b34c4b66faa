//! Real time: one thread for each output, which asks its output for the time, its sequencer what to do, and its mixer
//! for sound.

pub mod handle;
pub mod limiter;
pub mod mixer;
