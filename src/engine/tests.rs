//! The loop with the real sequencer, on a manual clock: what is heard when, and what the log says of it.

mod air;
mod log;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::civil::date;
use jiff::tz::TimeZone;

use super::opener::NotOpened;
use super::*;
use crate::asrun::{Cause, Closed};
use crate::clock::{ManualClock, SystemClock};
use crate::frames::{self, AIR_RATE};
use crate::media::playback::OpenError;
use crate::media::source::Read;
use crate::output::{Hole, Lost, duration_of, null::Null};
use crate::schedule::Late;
use crate::segment::{ContentHash, Segment, Sound, State, Words};
use crate::sequencer::{Interrupt, Repeats};
use crate::timeline::{Block, BlockId, Content, CueId, Form, Join, Layer, Timeline, Window};

const START: i64 = 1_800_000_000;

pub(super) fn at(seconds: f64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(START) * 1_000_000_000 + (seconds * 1e9) as i128).unwrap()
}

pub(super) fn seconds(seconds: f64) -> SignedDuration {
    SignedDuration::from_nanos((seconds * 1e9) as i64)
}

/// A segment that sounds as a constant level, so that the test hears which it is.
pub(super) fn segment(level: u8, length: f64) -> Arc<Segment> {
    let hash = ContentHash([level; 32]);
    Arc::new(Segment {
        id: hash.segment_id(),
        hash,
        file: format!("{level}.wav"),
        words: Words::default(),
        sound: Sound {
            whole: seconds(length),
            cue_in: SignedDuration::ZERO,
            cue_out: seconds(length),
            channels: 1,
            sample_rate: 48_000,
            loudness_lufs: -16.0,
            true_peak_dbtp: -3.0,
            skipped_packets: 0,
            codec: "test".into(),
        },
        state: State::Approved,
        approval: None,
        added: at(0.0),
        added_by: "test".into(),
    })
}

fn sample(level: u8) -> f32 {
    f32::from(level) / 256.0
}

pub(super) fn cue(slot: &str, start: Join, from: f64, segment: &Arc<Segment>) -> Arc<Cue> {
    let block = BlockId::new(date(2027, 1, 15), "sang");
    Arc::new(Cue {
        id: CueId { block, slot: slot.into(), piece: 0 },
        session_title: None,
        title: slot.into(),
        programme: None,
        topic: None,
        genre: None,
        start,
        at: at(from),
        end: at(from) + segment.duration(),
        fade: SignedDuration::ZERO,
        lost: SignedDuration::ZERO,
        late: Late::Join,
        form: Form::Own,
        layer: Layer::Scheduled,
        ordered_by: None,
        content: Content::Segment(Arc::clone(segment)),
        gain_db: 0.0,
    })
}

/// Constant levels; the segment of level 99 has no file, that of level 96 is on a disk that hangs, that of level 98 makes the decoder panic, and the file of level
/// 97 is half as long as it should be.
#[derive(Debug)]
pub(super) struct Levels;

#[derive(Debug)]
struct Level {
    sample: f32,
    left: u64,
    given: u64,
    /// Frames that the file has; after them comes silence.
    real: u64,
}

impl Source for Level {
    fn read(&mut self, samples: &mut [f32]) -> Read {
        let given = (samples.len() / 2).min(self.left as usize);
        samples[..2 * given].fill(if self.given < self.real { self.sample } else { 0.0 });
        self.left -= given as u64;
        self.given += given as u64;
        if self.left == 0 { Read::Ended(given) } else { Read::Frames(given) }
    }

    fn missing(&self) -> u64 {
        self.given.saturating_sub(self.real)
    }
}

impl Opener for Levels {
    fn open(&self, segment: &Segment, skip: SignedDuration) -> Result<Box<dyn Source>, NotOpened> {
        match segment.hash.0[0] {
            99 => Err(NotOpened::File(OpenError::Gone { path: segment.file.as_str().into() })),
            96 => Err(NotOpened::TooSlow),
            98 => panic!("a bug in the decoder"),
            level => {
                let left = frames::count(segment.duration() - skip, AIR_RATE);
                let real = if level == 97 { left / 2 } else { left };
                Ok(Box::new(Level { sample: sample(level), left, given: 0, real }))
            }
        }
    }
}

/// Moves the clock, keeps what sounds, and can be lost. A device would have taken all but the last three chunks.
#[derive(Debug)]
struct Device {
    clock: Arc<ManualClock>,
    /// How long it takes to run after a rest.
    wakes_in: Arc<Mutex<Duration>>,
    /// By how much it tells too early when its first frames after a rest leave.
    tells_early: Arc<Mutex<Duration>>,
    /// For how long it will stand still.
    stands_still: Arc<Mutex<Duration>>,
    starved: u64,
    hole: Hole,
    /// Frames written since it woke.
    awake: u64,
    rests: bool,
    written: u64,
    delivered: u64,
    in_flight: u64,
    heard: Arc<Mutex<Vec<(Timestamp, f32)>>>,
    lost: Arc<AtomicBool>,
}

const IN_FLIGHT: u64 = 3 * CHUNK_FRAMES as u64;
/// After so many frames it knows when they leave.
const UNSURE: u64 = 15 * CHUNK_FRAMES as u64;

impl Output for Device {
    fn write(&mut self, samples: &[f32]) -> Result<(), Lost> {
        if std::mem::take(&mut self.rests) {
            self.clock.advance(*self.wakes_in.lock().unwrap());
            self.awake = 0;
        }
        let still = std::mem::take(&mut *self.stands_still.lock().unwrap());
        if !still.is_zero() {
            self.clock.advance(still);
            self.starved += frames(still.as_secs_f64());
            self.hole = Hole::after(self.delivered + self.in_flight);
        }
        let from = self.clock.now();
        let frames = (samples.len() / CHANNELS) as u64;
        let passed = duration_of(self.written + frames) - duration_of(self.written);
        self.written += frames;
        self.awake += frames;
        self.clock.advance(passed);
        if self.lost.load(Ordering::SeqCst) {
            self.in_flight = 0;
            return Err(Lost);
        }
        let mut heard = self.heard.lock().unwrap();
        for (nth, frame) in samples.chunks_exact(CHANNELS).enumerate() {
            let sample = frame[0];
            if heard.last().is_none_or(|(_, last)| *last != sample) {
                heard.push((from + SignedDuration::try_from(duration_of(nth as u64)).unwrap(), sample));
            }
        }
        self.in_flight += frames;
        let taken = self.in_flight.saturating_sub(IN_FLIGHT);
        self.delivered += taken;
        self.in_flight -= taken;
        Ok(())
    }

    fn next_frame_at(&mut self) -> Timestamp {
        let early = if self.is_sure() { Duration::ZERO } else { *self.tells_early.lock().unwrap() };
        self.clock.now() - early
    }

    fn is_sure(&self) -> bool {
        self.awake > UNSURE
    }

    fn starved(&self) -> u64 {
        self.starved
    }

    fn hole(&self) -> Hole {
        self.hole
    }

    fn delivered(&self) -> u64 {
        self.delivered
    }

    fn under_way(&self) -> u64 {
        self.in_flight
    }

    fn rest(&mut self, until: Timestamp) {
        let ahead = Duration::try_from(until.duration_since(self.clock.now())).unwrap_or_default();
        self.clock.advance(ahead);
        self.rests = true;
    }

    fn device(&self) -> String {
        "test:device".into()
    }

    fn is_up(&self) -> bool {
        !self.lost.load(Ordering::SeqCst)
    }
}

struct Station {
    rehearsal: Option<Rehearsal>,
    clock: Arc<ManualClock>,
    heard: Arc<Mutex<Vec<(Timestamp, f32)>>>,
    wakes_in: Arc<Mutex<Duration>>,
    tells_early: Arc<Mutex<Duration>>,
    stands_still: Arc<Mutex<Duration>>,
    lost: Arc<AtomicBool>,
    amplifier: Arc<AtomicBool>,
    cues: Vec<Arc<Cue>>,
    facts: Vec<Fact>,
}

impl Station {
    fn new(cues: Vec<Arc<Cue>>) -> Self {
        let clock = Arc::new(ManualClock::new(at(0.0)));
        let (heard, lost, amplifier) = (Arc::default(), Arc::default(), Arc::<AtomicBool>::default());
        let (wakes_in, tells_early, stands_still) = (Arc::default(), Arc::default(), Arc::default());
        let device = Device {
            clock: Arc::clone(&clock),
            wakes_in: Arc::clone(&wakes_in),
            tells_early: Arc::clone(&tells_early),
            stands_still: Arc::clone(&stands_still),
            starved: 0,
            hole: Hole::default(),
            awake: 0,
            rests: true,
            written: 0,
            delivered: 0,
            in_flight: 0,
            heard: Arc::clone(&heard),
            lost: Arc::clone(&lost),
        };
        let rehearsal =
            Rehearsal::new(parts(Arc::<ManualClock>::clone(&clock), &amplifier), Box::new(device));
        let last = cues.last().unwrap();
        let block = Block {
            id: last.id.block.clone(),
            title: "Sáng".into(),
            start: cues[0].at,
            end: at(3_000.0),
            cues: cues.clone(),
        };
        let timeline = Arc::new(Timeline {
            output: "loa".into(),
            window: Window { from: at(-3_600.0), to: at(86_400.0) },
            time_zone: TimeZone::UTC,
            quiet: Vec::new(),
            blocks: vec![block],
            findings: Vec::new(),
        });
        let (rehearsal, facts) = (Some(rehearsal), Vec::new());
        let station = Self {
            rehearsal,
            clock,
            heard,
            wakes_in,
            tells_early,
            stands_still,
            lost,
            amplifier,
            cues,
            facts,
        };
        station.tell(Command::Load { timeline, settled: Arc::new(BTreeSet::new()) });
        station
    }

    fn tell(&self, command: Command) {
        self.rehearsal.as_ref().unwrap().handle().send(command).unwrap();
    }

    fn status(&self) -> Status {
        self.rehearsal.as_ref().unwrap().handle().status()
    }

    fn run_until(&mut self, seconds: f64) {
        self.rehearsal.as_mut().unwrap().run_until(at(seconds), |fact| self.facts.push(fact));
    }

    fn finish(&mut self) {
        self.rehearsal.take().unwrap().finish(|fact| self.facts.push(fact));
    }

    /// When a level was first heard, in seconds.
    fn heard(&self, level: u8) -> Option<f64> {
        let heard = self.heard.lock().unwrap();
        heard.iter().find(|(_, value)| *value == sample(level)).map(|(when, _)| since(*when))
    }

    fn takes(&self, slot: &str) -> Vec<&Closed> {
        let mut takes = Vec::new();
        for fact in &self.facts {
            if let Fact::Closed(closed) = fact
                && closed.cue.slot.as_str() == slot
            {
                takes.push(closed);
            }
        }
        takes
    }

    /// What each take of a slot was held up by.
    fn held_by(&self, slot: &str) -> Vec<Option<Cause>> {
        let opened = self.facts.iter().filter_map(|fact| match fact {
            Fact::Opened { cue, take, .. } if cue.id.slot.as_str() == slot => Some(take.held_by),
            _ => None,
        });
        opened.collect()
    }

    fn not_aired(&self, slot: &str) -> Option<Cause> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::NotAired(fact) if fact.cue.id.slot.as_str() == slot => Some(fact.cause),
            _ => None,
        })
    }

    /// Every cue has takes or a word that it has none, and not both; every take is closed once, or taken back.
    fn check(&self) {
        for cue in &self.cues {
            let count = |is: fn(&Fact, &CueId) -> bool| self.facts.iter().filter(|f| is(f, &cue.id)).count();
            let opened = count(|fact, id| matches!(fact, Fact::Opened { cue, .. } if cue.id == *id));
            let back = count(|fact, id| matches!(fact, Fact::TakenBack { cue, .. } if cue == id));
            let closed = self.takes(cue.id.slot.as_str());
            assert_eq!(opened, closed.len() + back, "{}", cue.id);
            let sounded = closed.iter().any(|take| take.delivered > 0);
            let silent = self.not_aired(cue.id.slot.as_str()).is_some();
            assert!(sounded != silent, "{}: {:#?}", cue.id, self.facts);
        }
        assert!(!self.amplifier.load(Ordering::SeqCst));
    }
}

/// Waits for what another thread does.
#[track_caller]
pub(super) fn soon<T>(mut there: impl FnMut() -> Option<T>) -> T {
    let clock = SystemClock::new();
    loop {
        if let Some(it) = there() {
            return it;
        }
        assert!(clock.elapsed() < Duration::from_secs(20), "a busy machine would have done it by now");
        thread::yield_now();
    }
}

pub(super) fn parts(clock: Arc<dyn Clock>, amplifier: &Arc<AtomicBool>) -> Parts {
    let amplifier = Arc::clone(amplifier);
    Parts {
        output: "loa".into(),
        settings: Settings { lead: seconds(5.0), tail: seconds(3.0), ..Settings::default() },
        clock,
        opener: Arc::new(Levels),
        amplifier: Box::new(move |on| amplifier.store(on, Ordering::SeqCst)),
        power: Arc::default(),
    }
}

fn since(at: Timestamp) -> f64 {
    at.duration_since(Timestamp::from_second(START).unwrap()).as_secs_f64()
}

#[track_caller]
fn assert_about(is: f64, should: f64, within: f64) {
    assert!((is - should).abs() <= within, "{is} is not {should}");
}

const FRAME: f64 = 1.0 / AIR_RATE as f64;

fn frames(seconds: f64) -> u64 {
    (seconds * f64::from(AIR_RATE)).round() as u64
}
