//! Where frames go: a sound card, nothing, a file, or a rehearsal. The output is its engine's only clock.
//!
//! A card is two halves. [`card::Card`] stands in the engine's thread and pushes frames, into a ring from which a callback
//! ([`feed::Feed`]) takes them, or to the sound server; the [`supervisor`] owns the stream, and opens it anew when it is
//! lost. Between the two go only a ring of lines (one per opened stream), a bounded queue of orders, and atomics.

use std::fmt::{self, Debug};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::frames::{self, AIR_RATE};

pub mod amplifier;
mod attempts;
pub mod card;
pub mod device;
pub mod feed;
pub mod null;
mod pace;
pub mod priority;
mod pulse;
pub mod rehearsal;
pub mod supervisor;
pub mod wav;

/// Audio channels of everything between the decoders and the outputs.
pub const CHANNELS: usize = 2;
/// Frames of one turn of the engine's loop: 21.3 ms.
pub const CHUNK_FRAMES: usize = 1_024;
/// Frames that are made ahead of their time where an output is free to choose: 213 ms. An interrupt comes after them.
const AHEAD_FRAMES: usize = 10 * CHUNK_FRAMES;
/// Frames for which there is room at once when an engine is woken that had to wait: 128 ms. Waking up costs more than
/// mixing does; and what is left of those ahead, 85 ms, is for a machine that is busy.
const BURST_FRAMES: usize = 6 * CHUNK_FRAMES;

/// Takes sound, chunk by chunk, and says when it will be heard.
pub trait Output: Debug + Send {
    /// Takes interleaved samples (`frames × CHANNELS`, −1 to 1); returns when there is room for the next ones. Sets the
    /// pace of its engine. When nothing can sound it still keeps time, and answers [`Lost`].
    fn write(&mut self, samples: &[f32]) -> Result<(), Lost>;
    /// When the next frame written will leave the device. Exact to a fraction of a millisecond once a second was
    /// written after a start or a rest; before that, to a chunk or two.
    fn next_frame_at(&mut self) -> Timestamp;
    /// Whether that is known, and no estimate of before the device has told when its frames leave.
    fn is_sure(&self) -> bool {
        true
    }
    /// Frames that a healthy device has really taken since this output was made.
    fn delivered(&self) -> u64;
    /// Frames that were taken from the engine and are on their way there still.
    fn under_way(&self) -> u64 {
        0
    }
    /// Nothing will be written before `until`: the device may be let go. `write` wakes it.
    fn rest(&mut self, until: Timestamp);
    /// The device's stable name, for the log.
    fn device(&self) -> String;
    /// Whether sound could leave if it were written now; also true to its word while the output rests.
    fn is_up(&self) -> bool {
        true
    }
    /// Frames of silence that were heard so far in place of sound: the engine came late, or the device stood still.
    fn starved(&self) -> u64 {
        0
    }
    /// Where the newest of them were heard, as far as is known.
    fn hole(&self) -> Hole {
        Hole::default()
    }
    /// When the next frame written would leave if that hole were the last one. Not `next_frame_at` where there is another one
    /// since, of which is not known yet how long it was.
    fn next_frame_after_hole_at(&mut self) -> Timestamp {
        self.next_frame_at()
    }
}

/// Where in the sound there was a hole, by the frames that were delivered before it: `from` at least, and `to` at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hole {
    /// So many had left before it for certain.
    pub from: u64,
    /// So many had left when the sound was there again.
    pub to: u64,
}

impl Hole {
    /// One whose place is known to the frame.
    pub fn after(frame: u64) -> Self {
        Self { from: frame, to: frame }
    }

    /// The same where so many frames more were delivered before.
    pub fn later(self, frames: u64) -> Self {
        Self { from: self.from.saturating_add(frames), to: self.to.saturating_add(frames) }
    }
}

/// The output cannot sound at the moment; the frames were dropped, in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the output is down")]
pub struct Lost;

/// An output could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The name does not follow the form `default`, `alsa:…`, `pulseaudio:…`, `null` or `wav:PATH`.
    #[error("{0:?} is no output; there are `default`, `null`, `wav:PATH`, and what `loa devices` lists")]
    Name(String),
    /// A device that takes sound without time passing would not be a clock.
    #[error("{0:?} keeps no time; say `null` for an output without sound")]
    Timeless(String),
    /// The file for the sound could not be made.
    #[error("cannot create {path:?}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The thread that looks after the device could not be started.
    #[error("cannot start the device's thread")]
    Thread(#[source] std::io::Error),
}

/// What an output is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputName {
    /// `null`: nowhere, in real time.
    Null,
    /// `wav:PATH`: a file.
    Wav(PathBuf),
    /// A sound device.
    Device(device::DeviceName),
}

impl OutputName {
    /// The name for one of several outputs that all have this one: a file is each one's own, `loa.wav` as `loa-thon-1.wav`.
    pub fn of_one(&self, id: &str) -> Self {
        let Self::Wav(path) = self else { return self.clone() };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut own = path.with_file_name(format!("{stem}-{id}"));
        if let Some(end) = path.extension() {
            own.add_extension(end);
        }
        Self::Wav(own)
    }
}

impl FromStr for OutputName {
    type Err = OutputError;

    fn from_str(name: &str) -> Result<Self, OutputError> {
        match name.split_once(':') {
            None if name == "null" => Ok(Self::Null),
            Some(("wav", path)) if !path.is_empty() => Ok(Self::Wav(path.into())),
            _ => name.parse().map(Self::Device),
        }
    }
}

impl fmt::Display for OutputName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Wav(path) => write!(f, "wav:{}", path.display()),
            Self::Device(name) => fmt::Display::fmt(name, f),
        }
    }
}

/// Makes the output that a name means. A device that is not there is no error: it is looked for until it comes.
pub fn open(name: OutputName, clock: Arc<dyn Clock>) -> Result<Box<dyn Output>, OutputError> {
    match name {
        OutputName::Null => Ok(Box::new(null::Null::new(clock))),
        OutputName::Wav(path) => Ok(Box::new(wav::Wav::create(&path, clock)?)),
        OutputName::Device(name) => Ok(Box::new(card::Card::open(name, clock)?)),
    }
}

/// How long this many frames sound.
pub fn duration_of(frames: u64) -> Duration {
    frames::duration(frames, AIR_RATE).unsigned_abs()
}

/// How many frames sound in a time, to the nearest.
pub(crate) fn frames_during(time: Duration) -> u64 {
    SignedDuration::try_from(time).map_or(u64::MAX, |time| frames::count(time, AIR_RATE))
}

/// How many whole frames a slice of interleaved samples holds.
pub(crate) fn frames_of(samples: &[f32]) -> u64 {
    u64::try_from(samples.len() / CHANNELS).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_outputs_each_writes_a_file_of_its_own() {
        let own = |name: &str| name.parse::<OutputName>().unwrap().of_one("thon-1").to_string();
        assert_eq!(own("wav:/tmp/loa.wav"), "wav:/tmp/loa-thon-1.wav");
        assert_eq!(own("wav:nghe"), "wav:nghe-thon-1");
        assert_eq!(own("null"), "null");
    }
}
