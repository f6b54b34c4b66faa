//! Where frames go: a sound card, nothing, a file, or a rehearsal. The output is its engine's only clock.

use std::fmt::Debug;

use jiff::Timestamp;

/// Frames per second of everything between the decoders and the outputs.
pub const SAMPLE_RATE: u32 = 48_000;
/// Audio channels of everything between the decoders and the outputs.
pub const CHANNELS: usize = 2;
/// Frames of one turn of the engine's loop: 21.3 ms.
pub const CHUNK_FRAMES: usize = 1_024;

/// Takes sound, chunk by chunk, and says when it will be heard.
pub trait Output: Debug + Send {
    /// Takes interleaved samples (`frames × CHANNELS`, −1 to 1); returns when there is room for the next ones. Sets the
    /// pace of its engine. When nothing can sound it still keeps time, and answers [`Lost`].
    fn write(&mut self, samples: &[f32]) -> Result<(), Lost>;
    /// When the next frame written will leave the device.
    fn next_frame_at(&mut self) -> Timestamp;
    /// Frames that a healthy device has really taken since this output was made.
    fn delivered(&self) -> u64;
    /// Nothing will be written before `until`: the device may be let go. `write` wakes it.
    fn rest(&mut self, until: Timestamp);
    /// The device's stable name, for the log.
    fn device(&self) -> String;
}

/// The output cannot sound at the moment; the frames were dropped, in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the output is down")]
pub struct Lost;
