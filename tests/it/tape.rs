//! What was heard, and how it is told apart: every recording of a test is a tone of its own pitch.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use loa::clock::{Clock, ManualClock};
use loa::frames::AIR_RATE;
use loa::output::{CHANNELS, CHUNK_FRAMES, Lost, Output, rehearsal::Rehearsal};

/// Frames over which pitches are told apart: 10 ms, so that every multiple of 100 Hz fits whole.
const BLOCK: usize = 480;
/// A sample may be this far from what it should be: the steps of 16 bits, and the gain's rounding.
const TOLERANCE: f32 = 2e-4;

/// The sound of a rehearsal by its instants; silence is left out.
#[derive(Debug, Default)]
pub struct Tape {
    /// Samples by the frame at which they sounded, counted from the epoch.
    chunks: BTreeMap<i64, Vec<f32>>,
}

/// A tone that was heard.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// Its pitch.
    pub pitch: u32,
    /// When it began, to a block.
    pub from: Timestamp,
    /// When it ended, to a block.
    pub to: Timestamp,
}

/// The sample of a tone at a frame, between −1 and 1.
pub fn cosine(pitch: u32, frame: u64) -> f64 {
    // Reduced before it becomes a float: the phase stays exact in a long tone.
    let phase = u64::from(pitch) * frame % u64::from(AIR_RATE);
    (TAU * phase as f64 / f64::from(AIR_RATE)).cos()
}

fn frame_at(at: Timestamp) -> i64 {
    let frames = (at.as_nanosecond() * i128::from(AIR_RATE) + 500_000_000).div_euclid(1_000_000_000);
    i64::try_from(frames).unwrap()
}

fn instant_of(frame: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(frame) * 1_000_000_000 / i128::from(AIR_RATE)).unwrap()
}

impl Tape {
    fn keep(&mut self, from: Timestamp, samples: &[f32]) {
        let left: Vec<f32> = samples.chunks_exact(CHANNELS).map(|frame| frame[0]).collect();
        if left.iter().any(|sample| *sample != 0.0) {
            self.chunks.insert(frame_at(from), left);
        }
    }

    fn samples(&self, from: i64, count: u64) -> Vec<f32> {
        let to = from + i64::try_from(count).unwrap();
        let mut samples = vec![0.0; usize::try_from(count).unwrap()];
        let longest = i64::try_from(CHUNK_FRAMES).unwrap();
        for (start, chunk) in self.chunks.range(from - longest..to) {
            let (begin, end) = (from.max(*start), to.min(start + i64::try_from(chunk.len()).unwrap()));
            if begin < end {
                let place = |frame: i64, origin: i64| usize::try_from(frame - origin).unwrap();
                samples[place(begin, from)..place(end, from)]
                    .copy_from_slice(&chunk[place(begin, *start)..place(end, *start)]);
            }
        }
        samples
    }

    /// The tones that were heard, in order.
    pub fn stretches(&self, pitches: &[u32]) -> Vec<Heard> {
        let mut heard: Vec<Heard> = Vec::new();
        for (start, samples) in self.runs() {
            for (nth, block) in samples.chunks(BLOCK).enumerate() {
                let Some(pitch) = loudest(block, pitches) else { continue };
                let from = instant_of(start + i64::try_from(nth * BLOCK).unwrap());
                let to = from + SignedDuration::from_millis(10);
                match heard.last_mut() {
                    Some(last)
                        if last.pitch == pitch
                            && from.duration_since(last.to) <= SignedDuration::from_millis(10) =>
                    {
                        last.to = to;
                    }
                    _ => heard.push(Heard { pitch, from, to }),
                }
            }
        }
        // Where two tones meet within a block, the louder part decides; a block of its own is none.
        heard.retain(|heard| heard.to.duration_since(heard.from) > SignedDuration::from_millis(20));
        heard
    }

    /// Sound without a chunk of silence in it, from its first sample that is not zero.
    fn runs(&self) -> Vec<(i64, Vec<f32>)> {
        let mut runs: Vec<(i64, Vec<f32>)> = Vec::new();
        for (start, samples) in &self.chunks {
            match runs.last_mut() {
                Some((from, run)) if *from + i64::try_from(run.len()).unwrap() == *start => {
                    run.extend(samples);
                }
                _ => {
                    let zeros = samples.iter().take_while(|sample| **sample == 0.0).count();
                    runs.push((start + i64::try_from(zeros).unwrap(), samples[zeros..].to_vec()));
                }
            }
        }
        runs
    }

    /// Asserts that a tone sounds from this very frame on, sample by sample.
    #[track_caller]
    pub fn assert_tone(&self, name: &str, pitch: u32, from: Timestamp, skip: u64, frames: u64) {
        let samples = self.samples(frame_at(from), frames);
        let right: Vec<f64> = (skip..skip + frames).map(|frame| cosine(pitch, frame)).collect();
        // The level is the one that fits best, and must be a tone's.
        let product: f64 = samples.iter().zip(&right).map(|(sample, right)| f64::from(*sample) * right).sum();
        let level = product / right.iter().map(|right| right * right).sum::<f64>();
        assert!(level > 0.05, "{name} does not sound at {from}: its level there is {level}");
        for (nth, (sample, right)) in samples.iter().zip(&right).enumerate() {
            let should = (level * right) as f32;
            assert!(
                (sample - should).abs() < TOLERANCE,
                "{name} at {from}: frame {nth} of {frames} is {sample} and should be {should}"
            );
        }
    }

    /// The first sample between two instants that is not silence.
    pub fn first_sound(&self, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
        let (from, to) = (frame_at(from), frame_at(to));
        let near = self
            .chunks
            .range(from - i64::try_from(CHUNK_FRAMES).unwrap()..to)
            .flat_map(|(start, samples)| (*start..).zip(samples));
        near.filter(|(frame, sample)| (from..to).contains(frame) && **sample != 0.0)
            .map(|(frame, _)| instant_of(frame))
            .next()
    }

    /// Where something sounded, to a chunk.
    pub fn sounding(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.chunks.iter().map(|(start, samples)| {
            let zeros = samples.iter().take_while(|sample| **sample == 0.0).count();
            instant_of(start + i64::try_from(zeros).unwrap())
        })
    }
}

/// The pitch that a block has most of, if it has any; by Goertzel's algorithm.
fn loudest(block: &[f32], pitches: &[u32]) -> Option<u32> {
    let power = |pitch: u32| {
        let twice = 2.0 * (TAU * f64::from(pitch) / f64::from(AIR_RATE)).cos();
        let (mut before, mut last) = (0.0, 0.0);
        for sample in block {
            (before, last) = (last, f64::from(*sample) + twice * last - before);
        }
        before * before + last * last - twice * before * last
    };
    let best = pitches.iter().map(|pitch| (power(*pitch), *pitch)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    // A quarter of a block at −40 dBFS.
    let enough = (0.01 * BLOCK as f64 / 8.0).powi(2);
    (best.0 > enough).then_some(best.1)
}

/// A rehearsal's output that keeps what it is given, by its instants, and can be lost.
pub struct Recorder {
    inner: Rehearsal,
    clock: Arc<ManualClock>,
    tape: Arc<Mutex<Tape>>,
    lost: Arc<AtomicBool>,
    /// Frames that went nowhere.
    dropped: u64,
}

impl Recorder {
    /// An output on a clock that `inner` moves.
    pub fn new(
        inner: Rehearsal,
        clock: Arc<ManualClock>,
        tape: Arc<Mutex<Tape>>,
        lost: Arc<AtomicBool>,
    ) -> Self {
        Self { inner, clock, tape, lost, dropped: 0 }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Output for Recorder {
    fn write(&mut self, samples: &[f32]) -> Result<(), Lost> {
        let from = self.clock.now();
        self.inner.write(samples)?;
        if self.lost.load(Ordering::SeqCst) {
            self.dropped += u64::try_from(samples.len() / CHANNELS).unwrap();
            return Err(Lost);
        }
        self.tape.lock().unwrap().keep(from, samples);
        Ok(())
    }

    fn next_frame_at(&mut self) -> Timestamp {
        self.inner.next_frame_at()
    }

    fn delivered(&self) -> u64 {
        self.inner.delivered() - self.dropped
    }

    fn rest(&mut self, until: Timestamp) {
        self.inner.rest(until);
    }

    fn device(&self) -> String {
        self.inner.device()
    }

    fn is_up(&self) -> bool {
        !self.lost.load(Ordering::SeqCst)
    }

    fn starved(&self) -> u64 {
        self.inner.starved()
    }
}
