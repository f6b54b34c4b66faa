//! The loop with the real sequencer, on a manual clock: what is heard when, and what the log says of it.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::civil::date;
use jiff::tz::TimeZone;

use super::preroll::NotOpened;
use super::*;
use crate::asrun::{Cause, Closed};
use crate::clock::{ManualClock, SystemClock};
use crate::media::source::{Read, Silence};
use crate::output::{Faults, Lost, SAMPLE_RATE, duration_of, null::Null};
use crate::schedule::Late;
use crate::segment::{ContentHash, Segment, Sound, State, Words};
use crate::sequencer::{Interrupt, Repeats};
use crate::timeline::{Block, BlockId, Content, CueId, Form, Join, Layer, Timeline, Window};

const START: i64 = 1_800_000_000;

pub(super) fn at(seconds: f64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(START) * 1_000_000_000 + (seconds * 1e9) as i128).unwrap()
}

fn seconds(seconds: f64) -> SignedDuration {
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
    let block = BlockId { date: date(2027, 1, 15), session: "sang".into() };
    Arc::new(Cue {
        id: CueId { block, slot: slot.into(), piece: 0 },
        title: slot.into(),
        programme: None,
        topic: None,
        start,
        at: at(from),
        end: at(from) + segment.duration(),
        fade: SignedDuration::ZERO,
        late: Late::Join,
        form: Form::Own,
        layer: Layer::Scheduled,
        ordered_by: None,
        content: Content::Segment(Arc::clone(segment)),
        gain_db: 0.0,
    })
}

/// Constant levels; the segment of level 99 has no file, and that of level 98 makes the decoder panic.
#[derive(Debug)]
struct Levels;

#[derive(Debug)]
struct Level {
    sample: f32,
    left: u64,
}

impl Source for Level {
    fn read(&mut self, samples: &mut [f32]) -> Read {
        let given = (samples.len() / 2).min(self.left as usize);
        samples[..2 * given].fill(self.sample);
        self.left -= given as u64;
        if self.left == 0 { Read::Ended(given) } else { Read::Frames(given) }
    }
}

impl Opener for Levels {
    fn open(&self, segment: &Segment, skip: SignedDuration) -> Result<Box<dyn Source>, NotOpened> {
        match segment.hash.0[0] {
            99 => Err(NotOpened::TooSlow),
            98 => panic!("a bug in the decoder"),
            level => Ok(Box::new(Level {
                sample: sample(level),
                left: ledger::frames_in(segment.duration() - skip),
            })),
        }
    }
}

/// Moves the clock, keeps what sounds, and can be lost. A device would have taken all but the last three chunks.
#[derive(Debug)]
struct Device {
    clock: Arc<ManualClock>,
    written: u64,
    delivered: u64,
    in_flight: u64,
    heard: Arc<Mutex<Vec<(Timestamp, f32)>>>,
    lost: Arc<AtomicBool>,
}

const IN_FLIGHT: u64 = 3 * CHUNK_FRAMES as u64;

impl Output for Device {
    fn write(&mut self, samples: &[f32]) -> Result<(), Lost> {
        let from = self.next_frame_at();
        let frames = (samples.len() / CHANNELS) as u64;
        let passed = duration_of(self.written + frames) - duration_of(self.written);
        self.written += frames;
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
        self.clock.now()
    }

    fn delivered(&self) -> u64 {
        self.delivered
    }

    fn rest(&mut self, until: Timestamp) {
        let ahead = Duration::try_from(until.duration_since(self.clock.now())).unwrap_or_default();
        self.clock.advance(ahead);
    }

    fn device(&self) -> String {
        "test:device".into()
    }

    fn is_up(&self) -> bool {
        !self.lost.load(Ordering::SeqCst)
    }

    fn faults(&self) -> Faults {
        Faults::default()
    }
}

struct Station {
    rehearsal: Option<Rehearsal>,
    clock: Arc<ManualClock>,
    heard: Arc<Mutex<Vec<(Timestamp, f32)>>>,
    lost: Arc<AtomicBool>,
    amplifier: Arc<AtomicBool>,
    cues: Vec<Arc<Cue>>,
    facts: Vec<Fact>,
}

impl Station {
    fn new(cues: Vec<Arc<Cue>>) -> Self {
        let clock = Arc::new(ManualClock::new(at(0.0)));
        let (heard, lost, amplifier) = (Arc::default(), Arc::default(), Arc::<AtomicBool>::default());
        let device = Device {
            clock: Arc::clone(&clock),
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
        let station =
            Self { rehearsal: Some(rehearsal), clock, heard, lost, amplifier, cues, facts: Vec::new() };
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

    fn not_aired(&self, slot: &str) -> Option<Cause> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::NotAired(fact) if fact.cue.id.slot.as_str() == slot => Some(fact.cause),
            _ => None,
        })
    }

    /// Every cue has takes or a word that it has none, and not both; every take is closed once.
    fn check(&self) {
        for cue in &self.cues {
            let opened =
                self.facts.iter().filter(|f| matches!(f, Fact::Opened(o) if o.cue.id == cue.id)).count();
            let closed = self.takes(cue.id.slot.as_str());
            assert_eq!(opened, closed.len(), "{}", cue.id);
            let sounded = closed.iter().any(|take| take.delivered > 0);
            let silent = self.not_aired(cue.id.slot.as_str()).is_some();
            assert!(sounded != silent, "{}: {:#?}", cue.id, self.facts);
        }
        assert!(!self.amplifier.load(Ordering::SeqCst));
    }
}

fn parts(clock: Arc<dyn Clock>, amplifier: &Arc<AtomicBool>) -> Parts {
    let amplifier = Arc::clone(amplifier);
    Parts {
        output: "loa".into(),
        settings: Settings { lead: seconds(5.0), tail: seconds(3.0), ..Settings::default() },
        clock,
        opener: Arc::new(Levels),
        amplifier: Box::new(move |on| amplifier.store(on, Ordering::SeqCst)),
    }
}

fn since(at: Timestamp) -> f64 {
    at.duration_since(Timestamp::from_second(START).unwrap()).as_secs_f64()
}

#[track_caller]
fn assert_about(is: f64, should: f64, within: f64) {
    assert!((is - should).abs() <= within, "{is} is not {should}");
}

const FRAME: f64 = 1.0 / SAMPLE_RATE as f64;

fn frames(seconds: f64) -> u64 {
    (seconds * f64::from(SAMPLE_RATE)).round() as u64
}

#[test]
fn a_session_is_heard_at_its_frame_and_without_a_gap() {
    let (a, b) = (segment(10, 20.1234), segment(20, 7.5));
    let mut station = Station::new(vec![
        cue("a", Join::Hard, 600.0071, &a),
        cue("b", Join::Follow, 620.1305, &b),
        cue("c", Join::Hard, 700.5, &a),
    ]);
    station.run_until(610.0);
    assert!(station.amplifier.load(Ordering::SeqCst));
    let status = station.status();
    assert_eq!(status.layer, Layer::Scheduled);
    assert_about(since(status.on_air.unwrap().since), 600.0071, FRAME);
    assert_about(f64::from(status.peak_dbfs), -28.2, 0.1);
    station.run_until(2_000.0);
    assert_about(station.heard(10).unwrap(), 600.0071, FRAME);
    assert_about(station.heard(20).unwrap(), 620.1305, 2.0 * FRAME);
    // No silence between the two, and no silence in them.
    let heard: Vec<f32> = station.heard.lock().unwrap().iter().map(|(_, sample)| *sample).collect();
    assert_eq!(heard, [0.0, sample(10), sample(20), 0.0, sample(10), 0.0]);
    station.finish();
    station.check();
    for (slot, length) in [("a", 20.1234), ("b", 7.5), ("c", 20.1234)] {
        let takes = station.takes(slot);
        assert_eq!(takes.len(), 1, "{takes:?}");
        assert_eq!((takes[0].delivered, takes[0].starved, takes[0].cause), (frames(length), 0, None));
    }
    assert_about(since(station.takes("b")[0].started.unwrap()), 620.1305, 2.0 * FRAME);
}

#[test]
fn a_hard_start_after_a_planned_fade_is_on_its_frame() {
    let mut faded = Arc::unwrap_or_clone(cue("a", Join::Hard, 600.0071, &segment(10, 30.0)));
    faded.end = at(615.513);
    faded.fade = SignedDuration::from_secs(3);
    let hard = cue("b", Join::Hard, 615.513, &segment(20, 7.5));
    let mut station = Station::new(vec![Arc::new(faded), hard]);
    station.run_until(2_000.0);
    station.finish();
    station.check();
    assert_about(since(station.takes("b")[0].started.unwrap()), 615.513, 2.0 * FRAME);
    assert_about(since(station.takes("a")[0].ended.unwrap()), 615.513, 2.0 * FRAME);
}

#[test]
fn a_take_is_opened_before_its_first_frame_and_closed_after_its_last() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 600.0, &segment(10, 20.0))]);
    station.run_until(700.0);
    let [Fact::Opened(opened), beats @ .., Fact::Closed(closed)] = &station.facts[..] else {
        panic!("{:?}", station.facts)
    };
    assert_about(since(opened.at), 598.0, 0.05);
    assert_eq!((opened.planned, opened.expected, opened.take), (at(600.0), 20 * 48_000, 0));
    assert_eq!(opened.device, "test:device");
    assert_about(since(closed.started.unwrap()), 600.0, FRAME);
    assert_about(since(closed.ended.unwrap()), 620.0, FRAME);
    // Three chunks are in the device when the last frame was written.
    assert_about(since(closed.at), 620.0 + 3.0 * 1_024.0 * FRAME, 0.05);
    assert!((4..=5).contains(&beats.len()) && beats.iter().all(|f| matches!(f, Fact::Heartbeat { .. })));
}

#[test]
fn the_idle_hours_are_skipped() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 2_900.0, &segment(10, 20.0))]);
    station.run_until(80_000.0);
    let rendered = station.rehearsal.as_ref().unwrap().engine.mixer.position();
    assert!(rendered < frames(90.0), "{} s", rendered / 48_000);
    assert_about(station.heard(10).unwrap(), 2_900.0, FRAME);
}

#[test]
fn a_resting_engine_gives_signs_of_life() {
    let clock = Arc::new(ManualClock::new(at(0.0)));
    let output = Box::new(Null::new(Arc::<ManualClock>::clone(&clock)));
    let mut rehearsal = Rehearsal::new(parts(Arc::<ManualClock>::clone(&clock), &Arc::default()), output);
    rehearsal.engine.until = Some(at(100_000.0));
    for _ in 0..40 {
        rehearsal.engine.turn();
        clock.advance(Duration::from_secs(1));
    }
    assert!(rehearsal.engine.resting.is_some());
    let age = clock.now().duration_since(rehearsal.handle().status().at);
    assert!(age <= seconds(6.0), "the watchdog would think that it hangs: {age}");
}

#[test]
fn an_emergency_takes_the_air_within_300_ms_and_the_schedule_joins_after_it() {
    let (programme, alarm) = (segment(10, 300.0), segment(50, 30.0));
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &programme)]);
    let kept = MemorySource::new(vec![sample(50); 2 * 30 * 48_000]);
    station.tell(Command::Keep(Arc::new(BTreeMap::from([(alarm.id.clone(), kept)]))));
    station.run_until(150.0);
    let order = Interrupt {
        id: "alarm-1".into(),
        layer: Layer::Emergency,
        segment: Arc::clone(&alarm),
        gain_db: 0.0,
        by: "an".into(),
        repeats: Repeats::ONCE,
    };
    station.tell(Command::Interrupt(Arc::new(order)));
    station.run_until(160.0);
    let begins = station.heard(50).unwrap();
    assert!(begins > 150.0 && begins < 150.3, "{begins}");
    assert_eq!(station.status().layer, Layer::Emergency);
    station.run_until(500.0);
    station.finish();
    station.check();
    let takes = station.takes("a");
    assert_eq!(takes.len(), 2, "{takes:?}");
    assert_eq!((takes[0].cause, takes[1].cause, takes[1].take), (Some(Cause::Emergency), None, 1));
    assert_about(since(takes[1].ended.unwrap()), 400.0, 0.6);
    assert_eq!(station.takes("alarm-1")[0].delivered, 30 * 48_000);
}

#[test]
fn a_broken_file_is_logged_and_what_follows_airs() {
    let mut station = Station::new(vec![
        cue("gone", Join::Hard, 100.0, &segment(99, 10.0)),
        cue("bug", Join::Hard, 120.0, &segment(98, 10.0)),
        cue("b", Join::Hard, 140.0, &segment(20, 10.0)),
    ]);
    station.run_until(500.0);
    assert_eq!(station.not_aired("gone"), Some(Cause::FileBroken));
    assert_eq!(station.not_aired("bug"), Some(Cause::FileBroken));
    assert_about(station.heard(20).unwrap(), 140.0, FRAME);
    station.finish();
    station.check();
}

#[test]
fn a_lost_output_costs_what_was_not_heard_and_is_joined_when_it_is_back() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 60.0))]);
    station.run_until(120.0);
    station.lost.store(true, Ordering::SeqCst);
    station.run_until(130.0);
    assert!(!station.status().up);
    station.lost.store(false, Ordering::SeqCst);
    station.run_until(300.0);
    assert!(station.status().up);
    station.finish();
    station.check();
    let takes = station.takes("a");
    assert_eq!(takes.len(), 2, "{takes:?}");
    assert_eq!(takes[0].cause, Some(Cause::OutputDown));
    // Up to the loss, less the frames that were on their way into the device.
    assert_about(takes[0].delivered as f64 * FRAME, 20.0 - IN_FLIGHT as f64 * FRAME, 0.03);
    assert_eq!(takes[1].cause, None);
    // The amplifier was switched off meanwhile, and needs its 5 s.
    assert_about(since(takes[1].started.unwrap()), 135.0, 0.2);
    assert_about(since(takes[1].ended.unwrap()), 160.0, 0.6);
}

#[test]
fn a_cue_that_the_lost_output_kept_silent_is_logged_so() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 5.0))]);
    station.run_until(99.0);
    station.lost.store(true, Ordering::SeqCst);
    station.run_until(200.0);
    assert_eq!(station.not_aired("a"), Some(Cause::OutputDown));
    let takes = station.takes("a");
    assert!(takes.iter().all(|take| take.delivered == 0 && take.started.is_none()), "{takes:?}");
    station.finish();
    station.check();
}

#[test]
fn the_end_of_the_program_fades_and_closes() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 60.0))]);
    station.run_until(110.0);
    station.finish();
    let takes = station.takes("a");
    assert_eq!((takes.len(), takes[0].cause), (1, Some(Cause::ProgramStopped)));
    assert_about(takes[0].delivered as f64 * FRAME, 10.08, 0.05);
    assert_eq!(station.heard.lock().unwrap().last().unwrap().1, 0.0);
    assert!(since(station.clock.now()) < 111.0);
    station.check();
}

#[test]
fn an_end_just_before_a_start_closes_what_was_opened_for_it() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 60.0))]);
    station.run_until(99.0);
    station.finish();
    let takes = station.takes("a");
    assert_eq!((takes.len(), takes[0].cause), (1, Some(Cause::ProgramStopped)));
    assert_eq!((takes[0].started, takes[0].delivered), (None, 0));
    assert_eq!(station.heard(10), None);
    assert!(!station.amplifier.load(Ordering::SeqCst));
}

#[test]
fn a_thread_ends_when_it_is_told_to_and_when_nobody_is_left() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    for told in [true, false] {
        let (facts, _log) = sync_channel(FACTS);
        let output_clock = Arc::clone(&clock);
        let open = move || Ok(Box::new(Null::new(output_clock)) as Box<dyn Output>);
        let (handle, thread) =
            Engine::spawn(parts(Arc::clone(&clock), &Arc::default()), facts, open).unwrap();
        if told {
            handle.send(Command::Shutdown).unwrap();
        } else {
            drop(handle);
        }
        thread.join().unwrap().unwrap();
    }
}

#[test]
fn a_panic_switches_the_amplifier_off_and_is_seen_by_who_joins() {
    #[derive(Debug)]
    struct Broken(Arc<ManualClock>);
    impl Output for Broken {
        fn write(&mut self, _: &[f32]) -> Result<(), Lost> {
            self.0.advance(Duration::from_millis(20));
            assert!(since(self.0.now()) < 1.0, "the driver is broken");
            Ok(())
        }
        fn next_frame_at(&mut self) -> Timestamp {
            self.0.now()
        }
        fn delivered(&self) -> u64 {
            0
        }
        fn rest(&mut self, _: Timestamp) {}
        fn device(&self) -> String {
            "broken".into()
        }
    }
    let clock = Arc::new(ManualClock::new(at(0.0)));
    let (facts, _log) = sync_channel(FACTS);
    let switched = Arc::new(Mutex::new(Vec::new()));
    let switch = Arc::clone(&switched);
    let parts = Parts {
        amplifier: Box::new(move |on| switch.lock().unwrap().push(on)),
        ..parts(Arc::<ManualClock>::clone(&clock), &Arc::default())
    };
    let open = move || Ok(Box::new(Broken(clock)) as Box<dyn Output>);
    let (handle, thread) = Engine::spawn(parts, facts, open).unwrap();
    let order = Interrupt {
        id: "now".into(),
        layer: Layer::Emergency,
        segment: segment(50, 30.0),
        gain_db: 0.0,
        by: "an".into(),
        repeats: Repeats::ONCE,
    };
    // Keeps the engine awake.
    handle.send(Command::Interrupt(Arc::new(order))).unwrap();
    assert!(thread.join().is_err());
    let switched = switched.lock().unwrap();
    assert!(switched.is_empty() || *switched == [true, false], "{switched:?}");
}

#[test]
fn the_preroll_answers_only_what_was_asked_last() {
    let opener: Arc<dyn Opener> = Arc::new(Levels);
    let mut preroll = Preroll::threaded(&opener).unwrap();
    let (a, b) =
        (cue("a", Join::Hard, 0.0, &segment(10, 60.0)), cue("b", Join::Hard, 0.0, &segment(98, 60.0)));
    preroll.open(&a, SignedDuration::ZERO);
    preroll.open(&a, seconds(59.0));
    preroll.open(&b, SignedDuration::ZERO);
    let mut answers = BTreeMap::new();
    while preroll.is_busy() {
        match preroll.answer() {
            Some(answer) => assert!(answers.insert(answer.cue, answer.source).is_none()),
            None => thread::yield_now(),
        }
    }
    let source = answers.get_mut(&a.id).unwrap().as_mut().unwrap();
    assert_eq!(source.read(&mut vec![0.0; 2 * 50_000]), Read::Ended(48_000));
    assert!(answers[&b.id].is_none());
    preroll.discard(Box::new(Silence::new(1)));
}

#[test]
fn whatever_people_do_every_cue_has_one_outcome() {
    let (a, b, alarm) = (segment(10, 40.0), segment(20, 25.0), segment(50, 12.0));
    for seed in 0..12_u64 {
        let mut station = Station::new(vec![
            cue("a", Join::Hard, 100.0, &a),
            cue("b", Join::Follow, 140.0, &b),
            cue("c", Join::Follow, 165.0, &a),
            cue("d", Join::Hard, 190.0, &b),
            cue("e", Join::Follow, 215.0, &segment(99, 10.0)),
            cue("f", Join::Follow, 225.0, &a),
        ]);
        let mut state = seed;
        let mut now = 70.0;
        for turn in 0..14 {
            // A linear congruence is random enough to shuffle with.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            now += f64::from((state >> 40) as u32 % 2_000) / 80.0;
            station.run_until(now);
            let id = format!("now-{turn}");
            match (state >> 33) % 6 {
                0 => station.lost.store(true, Ordering::SeqCst),
                1 | 2 => station.lost.store(false, Ordering::SeqCst),
                3 => station.tell(Command::StopCue),
                4 => station.tell(Command::Interrupt(Arc::new(Interrupt {
                    id: id.as_str().into(),
                    layer: if state & 1 == 0 { Layer::Live } else { Layer::Emergency },
                    segment: Arc::clone(&alarm),
                    gain_db: 0.0,
                    by: "an".into(),
                    repeats: Repeats::ONCE,
                }))),
                _ => station.clock.step_to(station.clock.now() + seconds(3.0)),
            }
        }
        station.lost.store(false, Ordering::SeqCst);
        station.run_until(1_000.0);
        station.finish();
        station.check();
    }
}
