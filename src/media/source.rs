//! Where the engine's frames come from.

use std::convert;
use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::playback::Playback;
use crate::frames::AIR_RATE;

/// Gives frames, 48 kHz stereo.
pub trait Source: Debug + Send {
    /// Fills interleaved samples (`frames × 2`) from the front. Called on the audio path: must not block, allocate or lock.
    fn read(&mut self, samples: &mut [f32]) -> Read;
    /// How many of the frames it gave its file did not have: silence that keeps the plan's time.
    fn missing(&self) -> u64 {
        0
    }
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

/// Frames decoded ahead of the air: 6 s, of which at least three lie ready, enough for a disk that wakes up or a
/// processor that is busy elsewhere.
const AHEAD: usize = 6 * AIR_RATE as usize;

/// Frames that lie ready of what does not sound yet: 2 s. More would only take memory while it waits.
const WAITING: usize = 2 * AIR_RATE as usize;

/// Frames that must lie ready before a source counts as primed: 1 s.
const PRIMED: usize = AIR_RATE as usize;

/// How long the decoding thread rests when the ring is full: long enough that the decoder's tables are worth loading
/// into the processor's cache again.
const REST: Duration = Duration::from_secs(3);

/// How often it looks whether its first frame was taken.
const LOOK: Duration = Duration::from_millis(250);

/// What a source answers that gave `given` of the `asked` frames and has `left` to give.
fn answer(asked: usize, given: usize, left: u64) -> Read {
    match given {
        _ if left == 0 => Read::Ended(given),
        _ if given < asked => Read::Starved(given),
        _ => Read::Frames(given),
    }
}

/// The smaller of what is asked for and what is left.
fn at_most(asked: usize, left: u64) -> usize {
    usize::try_from(left).map_or(asked, |left| left.min(asked))
}

/// Lays frames of one or two channels into stereo ones, as many as there are of both; `sounds` is what a sample stands for.
fn lay<S: Copy>(from: &[S], channels: usize, stereo: &mut [f32], sounds: impl Fn(S) -> f32) {
    if channels == 1 {
        stereo.chunks_exact_mut(2).zip(from).for_each(|(frame, sample)| frame.fill(sounds(*sample)));
    } else {
        stereo.iter_mut().zip(from).for_each(|(to, from)| *to = sounds(*from));
    }
}

/// Decodes in a thread of its own, some seconds ahead of the air. Reading takes from a ring: wait-free, and without the
/// heap. Dropping it ends the thread.
#[derive(Debug)]
pub struct AheadSource {
    ring: rtrb::Consumer<f32>,
    channels: usize,
    left: u64,
    given: u64,
    real: Arc<AtomicU64>,
}

impl AheadSource {
    /// Starts to decode. Fails when the system gives no thread.
    pub fn start(playback: Playback) -> io::Result<Self> {
        let (left, channels, real) = (playback.frames(), playback.channels(), playback.real());
        // In the file's own channels, and no longer than it: a short or mono recording takes less memory.
        let (producer, ring) = rtrb::RingBuffer::new(at_most(AHEAD, left) * channels);
        thread::Builder::new().name("decode".into()).spawn(move || decode_ahead(playback, producer))?;
        Ok(Self { ring, channels, left, given: 0, real })
    }

    /// Frames that lie ready.
    fn ready(&self) -> usize {
        self.ring.slots() / self.channels
    }

    /// Whether a second, or all that is left, lies ready.
    pub fn primed(&self) -> bool {
        // A thread that ended has given what it had.
        self.ready() >= at_most(PRIMED, self.left) || self.ring.is_abandoned()
    }
}

impl Source for AheadSource {
    fn read(&mut self, samples: &mut [f32]) -> Read {
        let asked = samples.len() / 2;
        // Asked before the ring is looked into: what the thread gave last is then in sight.
        let no_more = self.ring.is_abandoned();
        let frames = asked.min(self.ready());
        if let Ok(ready) = self.ring.read_chunk(frames * self.channels) {
            let (first, rest) = ready.as_slices();
            let (start, end) = samples.split_at_mut(2 * (first.len() / self.channels));
            lay(first, self.channels, start, convert::identity);
            lay(rest, self.channels, end, convert::identity);
            ready.commit_all();
        }
        self.left = self.left.saturating_sub(frames as u64);
        self.given += frames as u64;
        if no_more && self.ring.is_empty() {
            self.left = 0;
        }
        answer(asked, frames, self.left)
    }

    fn missing(&self) -> u64 {
        self.given.saturating_sub(self.real.load(Ordering::Acquire))
    }
}

/// Ends by itself within one rest after the other end of the ring was dropped, which needs no waiting there.
fn decode_ahead(mut playback: Playback, mut ring: rtrb::Producer<f32>) {
    let capacity = ring.buffer().capacity();
    let waiting = capacity.min(WAITING * playback.channels());
    let mut given = 0;
    while let Some(mut chunk) = playback.next_chunk() {
        while !chunk.is_empty() {
            if ring.is_abandoned() {
                return;
            }
            let lie_ready = capacity - ring.slots();
            let (most, rest) = if lie_ready < given { (capacity, REST) } else { (waiting, LOOK) };
            // Whole frames only, since all lengths are.
            let (now, later) = chunk.split_at(chunk.len().min(most.saturating_sub(lie_ready)));
            let (pushed, left) = ring.push_partial_slice(now);
            given += pushed.len();
            if pushed.is_empty() {
                thread::sleep(rest);
            }
            debug_assert!(left.is_empty(), "there was room");
            chunk = later;
        }
    }
}

/// Decodes as it is read: for rehearsals, where time waits.
#[derive(Debug)]
pub struct InlineSource {
    playback: Playback,
    waiting: Vec<f32>,
    used: usize,
    left: u64,
}

impl InlineSource {
    /// Reads from an opened file.
    pub fn new(playback: Playback) -> Self {
        Self { left: playback.frames(), playback, waiting: Vec::new(), used: 0 }
    }
}

impl Source for InlineSource {
    fn read(&mut self, samples: &mut [f32]) -> Read {
        let asked = samples.len() / 2;
        let mut given = 0;
        while given < asked {
            let ready = self.waiting.get(self.used..).unwrap_or(&[]);
            if ready.is_empty() {
                let Some(chunk) = self.playback.next_chunk() else { break };
                self.waiting.clear();
                self.waiting.extend_from_slice(chunk);
                self.used = 0;
                continue;
            }
            let Some(wanted) = samples.get_mut(2 * given..) else { break };
            let channels = self.playback.channels();
            let frames = (ready.len() / channels).min(asked - given);
            lay(ready, channels, wanted, convert::identity);
            self.used += frames * channels;
            given += frames;
        }
        self.left = self.left.saturating_sub(given as u64);
        answer(asked, given, self.left)
    }

    fn missing(&self) -> u64 {
        let given = self.playback.frames().saturating_sub(self.left);
        given.saturating_sub(self.playback.real().load(Ordering::Acquire))
    }
}

/// Frames kept decoded: for what must sound at once, without disk or decoder. Copies share the frames.
///
/// In 16 bits, which is half the memory; the rounding is 90 dB below full scale.
#[derive(Clone)]
pub struct MemorySource {
    samples: Arc<Vec<i16>>,
    channels: usize,
    used: usize,
}

/// Full scale, as it is kept: half of what 16 bits hold, since a decoder's output may go above full scale.
const KEPT_FULL_SCALE: f32 = 16_384.0;

impl Debug for MemorySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySource")
            .field("frames", &self.frames())
            .field("used", &(self.used / self.channels))
            .finish()
    }
}

impl MemorySource {
    /// Decodes all of an opened file: 6 MB a minute of mono, 12 MB of stereo.
    pub fn decode(mut playback: Playback) -> Self {
        let channels = playback.channels();
        let mut samples = Vec::with_capacity(channels * at_most(usize::MAX / 16, playback.frames()));
        while let Some(chunk) = playback.next_chunk() {
            samples.extend(chunk.iter().map(|sample| kept(*sample)));
        }
        Self { samples: Arc::new(samples), channels, used: 0 }
    }

    /// From interleaved samples of one or two channels at 48 kHz.
    pub fn new(samples: &[f32], channels: usize) -> Self {
        Self { samples: Arc::new(samples.iter().map(|sample| kept(*sample)).collect()), channels, used: 0 }
    }

    /// Frames in all.
    pub fn frames(&self) -> u64 {
        (self.samples.len() / self.channels) as u64
    }

    /// The same sound, from a frame on.
    pub fn from_frame(&self, frame: u64) -> Self {
        let used = self.channels * at_most(self.samples.len() / self.channels, frame);
        Self { samples: Arc::clone(&self.samples), used, ..*self }
    }
}

impl Source for MemorySource {
    fn read(&mut self, samples: &mut [f32]) -> Read {
        let asked = samples.len() / 2;
        let ready = self.samples.get(self.used..).unwrap_or(&[]);
        let left = ready.len() / self.channels;
        let frames = asked.min(left);
        lay(ready, self.channels, samples, |sample| f32::from(sample) / KEPT_FULL_SCALE);
        self.used += frames * self.channels;
        answer(asked, frames, (left - frames) as u64)
    }
}

/// A sample as it is kept.
#[expect(clippy::cast_possible_truncation, reason = "a cast to an integer stays within it")]
fn kept(sample: f32) -> i16 {
    (sample * KEPT_FULL_SCALE).round() as i16
}

#[cfg(test)]
mod tests;
