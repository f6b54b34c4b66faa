//! Where the engine's frames come from.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::playback::Playback;
use super::resample::AIR_RATE;

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

/// Frames decoded ahead of the air: 4 s, enough for a disk that wakes up or a processor that is busy elsewhere.
const AHEAD: usize = 4 * AIR_RATE as usize;

/// Frames that must lie ready before a source counts as primed: 1 s.
const PRIMED: usize = AIR_RATE as usize;

/// How long the decoding thread rests when the ring is full: a small part of what lies ready.
const REST: Duration = Duration::from_millis(100);

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

/// Decodes in a thread of its own, some seconds ahead of the air. Reading takes from a ring: wait-free, and without the
/// heap. Dropping it ends the thread.
#[derive(Debug)]
pub struct AheadSource {
    ring: rtrb::Consumer<f32>,
    left: u64,
}

impl AheadSource {
    /// Starts to decode. Fails when the system gives no thread.
    pub fn start(playback: Playback) -> io::Result<Self> {
        let left = playback.frames();
        let (producer, ring) = rtrb::RingBuffer::new(2 * AHEAD);
        thread::Builder::new().name("decode".into()).spawn(move || decode_ahead(playback, producer))?;
        Ok(Self { ring, left })
    }

    /// Whether a second, or all that is left, lies ready.
    pub fn primed(&self) -> bool {
        // A thread that ended has given what it had.
        self.ring.slots() / 2 >= at_most(PRIMED, self.left) || self.ring.is_abandoned()
    }

    /// Frames still to come.
    pub fn frames_left(&self) -> u64 {
        self.left
    }
}

impl Source for AheadSource {
    fn read(&mut self, samples: &mut [f32]) -> Read {
        let asked = samples.len() / 2;
        // Asked before the ring is looked into: what the thread gave last is then in sight.
        let no_more = self.ring.is_abandoned();
        let frames = asked.min(self.ring.slots() / 2);
        if let Some(wanted) = samples.get_mut(..2 * frames) {
            let (_, missed) = self.ring.pop_partial_slice(wanted);
            debug_assert!(missed.is_empty(), "as many were there");
        }
        self.left = self.left.saturating_sub(frames as u64);
        if no_more && self.ring.is_empty() {
            self.left = 0;
        }
        answer(asked, frames, self.left)
    }
}

/// Ends by itself within one rest after the other end of the ring was dropped, which needs no waiting there.
fn decode_ahead(mut playback: Playback, mut ring: rtrb::Producer<f32>) {
    while let Some(mut chunk) = playback.next_chunk() {
        while !chunk.is_empty() {
            if ring.is_abandoned() {
                return;
            }
            // Whole frames only, since both lengths are even.
            let (_, rest) = ring.push_partial_slice(chunk);
            if rest.len() == chunk.len() {
                thread::sleep(REST);
            }
            chunk = rest;
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
        while given < 2 * asked {
            let ready = self.waiting.get(self.used..).unwrap_or(&[]);
            if ready.is_empty() {
                let Some(chunk) = self.playback.next_chunk() else { break };
                self.waiting.clear();
                self.waiting.extend_from_slice(chunk);
                self.used = 0;
                continue;
            }
            let Some(wanted) = samples.get_mut(given..2 * asked) else { break };
            let count = ready.len().min(wanted.len());
            wanted.iter_mut().zip(ready).for_each(|(to, from)| *to = *from);
            self.used += count;
            given += count;
        }
        self.left = self.left.saturating_sub((given / 2) as u64);
        answer(asked, given / 2, self.left)
    }
}

/// Frames kept decoded: for what must sound at once, without disk or decoder. Copies share the frames.
#[derive(Clone)]
pub struct MemorySource {
    samples: Arc<[f32]>,
    used: usize,
}

impl Debug for MemorySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySource")
            .field("frames", &(self.samples.len() / 2))
            .field("used", &(self.used / 2))
            .finish()
    }
}

impl MemorySource {
    /// Decodes all of an opened file: 23 MB a minute.
    pub fn decode(mut playback: Playback) -> Self {
        let mut samples = Vec::with_capacity(2 * at_most(usize::MAX / 16, playback.frames()));
        while let Some(chunk) = playback.next_chunk() {
            samples.extend_from_slice(chunk);
        }
        Self::new(samples)
    }

    /// From interleaved stereo samples at 48 kHz.
    pub fn new(samples: impl Into<Arc<[f32]>>) -> Self {
        Self { samples: samples.into(), used: 0 }
    }

    /// Frames in all.
    pub fn frames(&self) -> u64 {
        (self.samples.len() / 2) as u64
    }

    /// The same sound, from a frame on.
    pub fn from_frame(&self, frame: u64) -> Self {
        let used = usize::try_from(frame)
            .map_or(self.samples.len(), |frame| frame.saturating_mul(2).min(self.samples.len()));
        Self { samples: Arc::clone(&self.samples), used }
    }
}

impl Source for MemorySource {
    fn read(&mut self, samples: &mut [f32]) -> Read {
        let ready = self.samples.get(self.used..).unwrap_or(&[]);
        let frames = (samples.len() / 2).min(ready.len() / 2);
        samples.iter_mut().zip(ready).take(2 * frames).for_each(|(to, from)| *to = *from);
        self.used += 2 * frames;
        answer(samples.len() / 2, frames, (ready.len() / 2 - frames) as u64)
    }
}

/// A sine tone, for tests of a line and of the program.
#[derive(Debug, Clone)]
pub struct Tone {
    phase: f64,
    step: f64,
    amplitude: f64,
    left: u64,
}

impl Tone {
    /// A tone of so many hertz, at a peak amplitude from 0 to 1, for so many frames.
    pub fn new(hertz: f64, amplitude: f64, frames: u64) -> Self {
        Self { phase: 0.0, step: hertz / f64::from(AIR_RATE), amplitude, left: frames }
    }
}

impl Source for Tone {
    fn read(&mut self, samples: &mut [f32]) -> Read {
        let frames = at_most(samples.len() / 2, self.left);
        for frame in samples.chunks_exact_mut(2).take(frames) {
            #[expect(clippy::cast_possible_truncation, reason = "a sample has no more digits")]
            let value = (self.amplitude * (std::f64::consts::TAU * self.phase).sin()) as f32;
            frame.fill(value);
            self.phase = (self.phase + self.step).fract();
        }
        self.left -= frames as u64;
        answer(samples.len() / 2, frames, self.left)
    }
}

/// Silence of a certain length.
#[derive(Debug, Clone)]
pub struct Silence {
    left: u64,
}

impl Silence {
    /// So many frames of it.
    pub fn new(frames: u64) -> Self {
        Self { left: frames }
    }
}

impl Source for Silence {
    fn read(&mut self, samples: &mut [f32]) -> Read {
        let frames = at_most(samples.len() / 2, self.left);
        samples.iter_mut().take(2 * frames).for_each(|sample| *sample = 0.0);
        self.left -= frames as u64;
        answer(samples.len() / 2, frames, self.left)
    }
}
