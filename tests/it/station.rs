//! A station in a temporary folder, run by rehearsal: the real boot, planner, engine, decoder and store, on a manual clock.
//!
//! When one is dropped it asserts what must hold of every station, whatever the test did to it: every cue whose time has
//! passed has exactly one outcome, every take was opened and closed once, the log's chain is whole, the amplifier is
//! off, and nothing below an emergency sounded in quiet hours.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::civil::{DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use loa::app::boot::{BootError, boot};
use loa::app::planner::{self, Planner};
use loa::app::serve::intake;
use loa::app::station::Station as Folder;
use loa::asrun::{Airing, Fact, Outcome, Take};
use loa::clock::{Clock, ManualClock};
use loa::editing::Desk;
use loa::engine::handle::{Command, Handle, Status};
use loa::engine::opener::Inline;
use loa::engine::{Parts, Rehearsal};
use loa::frames::AIR_RATE;
use loa::intake::Had;
use loa::output::rehearsal;
use loa::segment::{Segment, Words};
use loa::sequencer::{Interrupt, Repeats, Settings};
use loa::store::{AiringFilter, Step, Store};
use loa::timeline::plan::Plan;
use loa::timeline::{CueId, Layer, Window};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::tape::{Recorder, Tape};

/// The station's zone.
const ZONE: &str = "Asia/Ho_Chi_Minh";
/// The month in which the tests take place; its 23rd is a Monday.
const MONTH: &str = "2026-11";
/// How far the engine runs between two looks of the planner, which in real life come every second. More than a minute,
/// or the output would never rest.
const BETWEEN_LOOKS: SignedDuration = SignedDuration::from_secs(70);

/// An instant by the station's clocks: the day of November 2026, and the time.
pub fn at(day: u8, time: &str) -> Timestamp {
    let local: DateTime = format!("{MONTH}-{day:02}T{time}").parse().unwrap();
    local.in_tz(ZONE).unwrap().timestamp()
}

/// A length in milliseconds.
pub fn ms(milliseconds: i64) -> SignedDuration {
    SignedDuration::from_millis(milliseconds)
}

/// A length in seconds.
pub fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// A station without rules but for its quiet hours, with one output.
pub const STATION: &str = r#"
name = "Đài thử"
time_zone = "Asia/Ho_Chi_Minh"
[rules]
quiet = [{ from = 20:00:00, to = 05:30:00 }]
[[output]]
id = "loa"
lead = "5 s"
tail = "3 s"
"#;

/// A recording made for a test: a tone of its own pitch.
#[derive(Debug, Clone)]
pub struct Made {
    /// Cycles a second.
    pub pitch: u32,
    /// Frames it lasts, at the air's rate.
    pub frames: u64,
    /// What the catalogue has of it.
    pub segment: Segment,
}

/// A station, its folder, and what was heard of it.
pub struct Station {
    folder: TempDir,
    station: Folder,
    /// The time, for tests that step it.
    pub clock: Arc<ManualClock>,
    /// Its facts.
    pub store: Store,
    /// What was heard since the beginning.
    pub tape: Arc<Mutex<Tape>>,
    /// Every fact that the engine told, in order.
    pub facts: Vec<Fact>,
    /// Whether the output is lost.
    lost: Arc<AtomicBool>,
    /// Whether the amplifier is on.
    amplifier: Arc<AtomicBool>,
    made: BTreeMap<String, Made>,
    program: Option<Program>,
    /// When the program first began.
    began: Option<Timestamp>,
    /// Whether an emergency may have sounded in quiet hours.
    emergency: bool,
}

/// A station to copy.
#[derive(Debug)]
pub struct Model {
    folder: PathBuf,
    week: String,
    made: BTreeMap<String, Made>,
}

/// What runs until the power is cut.
struct Program {
    engine: Rehearsal,
    planner: Planner,
    plan: watch::Receiver<Arc<Plan>>,
}

impl Station {
    /// A station with this week, at this instant; nothing runs yet.
    pub fn new(week: &str, now: Timestamp) -> Self {
        Self::made_of(week, now, |_| {})
    }

    fn made_of(week: &str, now: Timestamp, furnish: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("schedule")).unwrap();
        write(&folder.path().join("schedule/station.toml"), STATION);
        write(&folder.path().join("schedule/week.toml"), week);
        let station = Folder::open(folder.path()).unwrap();
        furnish(folder.path());
        let store = Store::open(&station.data()).unwrap();
        Self {
            folder,
            station,
            clock: Arc::new(ManualClock::new(now)),
            store,
            tape: Arc::default(),
            facts: Vec::new(),
            lost: Arc::default(),
            amplifier: Arc::default(),
            made: BTreeMap::new(),
            program: None,
            began: None,
            emergency: false,
        }
    }

    /// A copy of a station whose program does not run, at this instant: taking recordings in is the slow part of a test.
    pub fn copy_of(model: &Model, now: Timestamp) -> Self {
        let mut station = Self::made_of(&model.week, now, |folder| {
            for part in ["audio", "data"] {
                for entry in fs::read_dir(model.folder.join(part)).unwrap() {
                    let entry = entry.unwrap();
                    fs::copy(entry.path(), folder.join(part).join(entry.file_name())).unwrap();
                }
            }
        });
        station.made = model.made.clone();
        station
    }

    /// Keeps this station, whose program never ran, for copies.
    pub fn into_model(self, week: &str) -> Model {
        // One place for each build: a model is not dropped.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("it-model");
        drop(fs::remove_dir_all(&folder));
        for part in ["audio", "data"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        for entry in fs::read_dir(self.station.audio()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), folder.join("audio").join(entry.file_name())).unwrap();
            }
        }
        self.store.backup(&folder.join("data/loa.db")).unwrap();
        Model { folder, week: week.to_owned(), made: self.made.clone() }
    }

    /// Takes in a tone of so many hertz and milliseconds, for a programme or for none, and approves it.
    pub fn record(&mut self, name: &str, pitch: u32, length_ms: u64, programme: Option<&str>) -> &Made {
        let words = Words { programme: programme.map(Into::into), ..Words::default() };
        self.record_with(name, pitch, length_ms, words);
        self.approve(name);
        &self.made[name]
    }

    /// Takes in a tone with these words, as `name.wav`, and leaves it to the approver.
    pub fn record_with(&mut self, name: &str, pitch: u32, length_ms: u64, words: Words) {
        let frames = length_ms * u64::from(AIR_RATE) / 1_000;
        let original = self.folder.path().join(format!("{name}.wav"));
        tone(&original, pitch, frames);
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        // Long enough ago: by now its days may be over.
        let handed_in = ("lan", jiff::civil::date(2026, 11, 1));
        let intake = intake(&self.station, &self.store, &clock);
        let taken = intake.take_in_copy(&original, words, handed_in, &AtomicBool::new(false)).unwrap();
        let segment = self.store.step_segment(&taken.segment.id, Step::Submit, "lan", self.now()).unwrap();
        assert_eq!(taken.had, Had::Nothing, "a recording of its own for each name");
        self.made.insert(name.to_owned(), Made { pitch, frames, segment });
    }

    /// Lets a recording air.
    pub fn approve(&mut self, name: &str) {
        let Segment { id, hash, .. } = self.made[name].segment.clone();
        let approved =
            self.store.step_segment(&id, Step::Approve { hash, seen: None }, "hoa", self.now()).unwrap();
        self.made.get_mut(name).unwrap().segment = approved;
    }

    /// Takes a recording off the air.
    pub fn withdraw(&mut self, name: &str) {
        let step = Step::Withdraw { reason: "sai".to_owned() };
        self.store.step_segment(&self.made[name].segment.id, step, "hoa", self.now()).unwrap();
    }

    /// A recording that was made.
    pub fn made(&self, name: &str) -> &Made {
        &self.made[name]
    }

    /// A recording's file in `audio/`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.station.audio().join(&self.made[name].segment.file)
    }

    /// Writes a file of the schedule.
    pub fn write_schedule(&self, name: &str, text: &str) {
        write(&self.station.schedule().join(name), text);
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Starts the program, as a cold start does.
    pub fn boot(&mut self) -> Result<(), BootError> {
        let now = self.now();
        self.began.get_or_insert(now);
        let plan = boot(&self.station, &self.store, now)?;
        let line = &plan.schedule.outputs[0];
        let amplifier = Arc::clone(&self.amplifier);
        let parts = Parts {
            output: line.id.clone(),
            settings: Settings {
                lead: line.lead,
                tail: line.tail,
                since: Some(plan.at),
                ..Settings::default()
            },
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            opener: Arc::new(Inline { audio: self.station.audio() }),
            amplifier: Box::new(move |on| amplifier.store(on, Ordering::SeqCst)),
            power: Arc::default(),
        };
        let inner = rehearsal::Rehearsal::new(Arc::clone(&self.clock), None);
        let output =
            Recorder::new(inner, Arc::clone(&self.clock), Arc::clone(&self.tape), Arc::clone(&self.lost));
        let engine = Rehearsal::new(parts, Box::new(output));
        let (plans, watched) = watch::channel(Arc::new(plan));
        let desk = Arc::new(Desk::new(self.station.schedule(), self.store.clone()));
        let planner = Planner::new(planner::Parts {
            station: self.station.clone(),
            desk,
            store: self.store.clone(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            engines: vec![engine.handle().clone()],
            plan: plans,
            troubles: watch::channel(Arc::default()).1,
            turned: watch::channel(std::time::Duration::ZERO).0,
        });
        self.program = Some(Program { engine, planner: planner?, plan: watched });
        Ok(())
    }

    /// Lets time pass; the planner looks around at the beginning, every so often, and at the end.
    pub fn run_until(&mut self, until: Timestamp) {
        let (store, clock) = (&self.store, &self.clock);
        let program = self.program.as_mut().expect("it runs");
        while clock.now() < until {
            program.planner.turn().unwrap();
            let next = until.min(clock.now() + BETWEEN_LOOKS);
            program.engine.run_until(next, |fact| {
                store.record(&fact).unwrap();
                self.facts.push(fact);
            });
        }
        program.planner.turn().unwrap();
    }

    /// The power goes: the program learns nothing of it. What it had on disk is all there is.
    pub fn cut_power(&mut self) {
        self.program = None;
        self.store = Store::open(&self.station.data()).unwrap();
        // Whoever has the amplifier's marker switches it off at the next start; here it is without power as well.
        self.amplifier.store(false, Ordering::SeqCst);
    }

    /// Stops the program as an operator would.
    pub fn stop(&mut self) {
        if let Some(program) = self.program.take() {
            let store = &self.store;
            program.engine.finish(|fact| {
                store.record(&fact).unwrap();
                self.facts.push(fact);
            });
        }
    }

    /// Starts the program at a later instant.
    pub fn boot_at(&mut self, now: Timestamp) {
        self.clock.advance(now.duration_since(self.now()).try_into().unwrap());
        self.boot().unwrap();
    }

    /// Pulls the card, or plugs it in again.
    pub fn lose_output(&self, lost: bool) {
        self.lost.store(lost, Ordering::SeqCst);
    }

    /// The way to the engine.
    pub fn handle(&self) -> &Handle {
        self.program.as_ref().expect("it runs").engine.handle()
    }

    /// What the engine does.
    pub fn status(&self) -> Status {
        self.handle().status()
    }

    /// The plan in force.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.program.as_ref().expect("it runs").plan.borrow())
    }

    /// A person takes the air.
    pub fn interrupt(&mut self, id: &str, name: &str, layer: Layer, repeats: Repeats) {
        self.emergency |= layer == Layer::Emergency;
        let order = Interrupt {
            id: id.into(),
            layer,
            segment: Arc::new(self.made[name].segment.clone()),
            gain_db: 0.0,
            topic: None,
            genre: None,
            by: "an".to_owned(),
            repeats,
        };
        self.handle().send(Command::Interrupt(Arc::new(order))).unwrap();
    }

    /// What the log has of a cue.
    #[track_caller]
    pub fn airing(&self, cue: &str) -> Airing {
        let id: CueId = cue.parse().unwrap();
        let airing = self.store.airing(&"loa".into(), &id).unwrap();
        airing.unwrap_or_else(|| panic!("the log has nothing of {cue}: {:#?}", self.outcomes()))
    }

    /// What became of a cue.
    #[track_caller]
    pub fn outcome(&self, cue: &str) -> Outcome {
        self.airing(cue).outcome()
    }

    /// Everything the log has, by planned start.
    pub fn outcomes(&self) -> Vec<(String, Outcome)> {
        let page = self.store.airings(&AiringFilter::default()).unwrap();
        page.airings.iter().map(|airing| (airing.item.cue.to_string(), airing.outcome())).collect()
    }

    /// Which recordings were heard between two instants, by pitch, each with its beginning and end to 10 ms.
    pub fn heard(&self, from: Timestamp, to: Timestamp) -> Vec<(String, Timestamp, Timestamp)> {
        let pitches: Vec<u32> = self.made.values().map(|made| made.pitch).collect();
        let name = |pitch: u32| self.made.iter().find(|(_, made)| made.pitch == pitch).unwrap().0.clone();
        let tape = self.tape.lock().unwrap();
        let stretches =
            tape.stretches(&pitches).into_iter().filter(|heard| heard.from < to && from < heard.to);
        stretches.map(|heard| (name(heard.pitch), heard.from, heard.to)).collect()
    }

    /// The names of what was heard, in order.
    pub fn heard_names(&self, from: Timestamp, to: Timestamp) -> Vec<String> {
        self.heard(from, to).into_iter().map(|(name, _, _)| name).collect()
    }

    /// Asserts that a recording, from so far into it on, sounds from this very frame on, for so many frames, with no
    /// sample missing or out of place.
    #[track_caller]
    pub fn assert_sounds(&self, name: &str, from: Timestamp, skip: u64, frames: u64) {
        let made = &self.made[name];
        let tape = self.tape.lock().unwrap();
        tape.assert_tone(name, made.pitch, from, skip, frames);
    }

    /// Asserts that a take that joined in progress sounds from its place in the recording to the end, sample by sample
    /// once its fade-in is over, and that this place is where the clock says, to half a second.
    #[track_caller]
    pub fn assert_joins(&self, name: &str, take: &Take) {
        let started = take.end.as_ref().unwrap().started.unwrap();
        assert!(!take.skip.is_zero(), "it joined");
        assert!(started.duration_since(take.planned).abs() <= ms(500), "{started} for {}", take.planned);
        let into = take.skip + seconds(1);
        let frames = u64::try_from((into.as_nanos() * 48 + 500_000) / 1_000_000).unwrap();
        // The last second may be cut by what follows in the plan.
        let rest = self.made[name].frames - frames - 48_000;
        self.assert_sounds(name, started + seconds(1), frames, rest);
    }

    /// Asserts that not a sample sounds between two instants.
    #[track_caller]
    pub fn assert_silent(&self, from: Timestamp, to: Timestamp) {
        let sounded = self.tape.lock().unwrap().first_sound(from, to);
        assert!(sounded.is_none(), "sound at {}", sounded.unwrap());
    }

    /// Asserts what must hold of every station.
    fn check(&mut self) {
        let last_plan = self.program.as_ref().map(|program| Arc::clone(&program.plan.borrow()));
        self.stop();
        let verdict = self.store.verify().unwrap();
        assert_eq!(verdict.first_bad, None, "the log is whole");
        assert!(!self.amplifier.load(Ordering::SeqCst), "the amplifier is off");
        self.check_journal();
        if let (Some(plan), Some(began)) = (last_plan, self.began) {
            self.check_outcomes(&plan, began);
        }
        if !self.emergency {
            self.check_quiet();
        }
    }

    fn check_outcomes(&self, plan: &Plan, began: Timestamp) {
        let now = self.now();
        let window = Window { from: began - planner::PAST, to: now };
        let plan =
            planner::plan(&self.store, Arc::clone(&plan.schedule), Arc::default(), window, now).unwrap();
        for cue in plan.timelines[0].cues().filter(|cue| began < cue.end && cue.end < now - seconds(3)) {
            let airing = self.airing(&cue.id.to_string());
            assert_ne!(airing.outcome(), Outcome::OnAir, "{}", cue.id);
            let (heard, unheard) = (airing.delivered() > 0, airing.unheard.is_some());
            assert!(!(heard && unheard), "{} has two outcomes: {airing:#?}", cue.id);
            assert!(unheard || !airing.takes.is_empty(), "{} has no outcome: {airing:#?}", cue.id);
        }
    }

    /// Every take is opened once and closed or taken back once, and no cue is said twice not to have aired, unless it was reopened.
    fn check_journal(&self) {
        let journal = rusqlite::Connection::open(self.store.file()).unwrap();
        let mut statement =
            journal.prepare("SELECT cue, kind FROM journal WHERE cue IS NOT NULL ORDER BY seq").unwrap();
        let rows =
            statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
        let mut counts: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
        for row in rows {
            let (cue, kind) = row.unwrap();
            let (opened, closed, not_aired) = counts.entry(cue).or_default();
            match kind.as_str() {
                "opened" => *opened += 1,
                "closed" | "recovered" | "taken-back" => *closed += 1,
                "not-aired" => *not_aired += 1,
                "reopened" => *not_aired = 0,
                other => panic!("a {other} of a cue"),
            }
        }
        for (cue, (opened, closed, not_aired)) in counts {
            assert_eq!(opened, closed, "{cue}: takes opened and closed");
            assert!(not_aired <= 1, "{cue} was said {not_aired} times not to have aired");
        }
    }

    fn check_quiet(&self) {
        let (from, to): (Time, Time) = ("20:00:00".parse().unwrap(), "05:30:00".parse().unwrap());
        for sounded in self.tape.lock().unwrap().sounding() {
            let time = sounded.in_tz(ZONE).unwrap().time();
            assert!(to <= time && time < from, "sound in quiet hours: {time}");
        }
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check();
        }
    }
}

/// Writes a file as editors do: aside, then in its place.
pub fn write(path: &Path, text: &str) {
    let aside = path.with_extension("aside");
    File::create(&aside).unwrap().write_all(text.as_bytes()).unwrap();
    fs::rename(aside, path).unwrap();
}

/// A tone at −12 dBFS that begins at its crest, so that its very first sample is heard.
pub fn tone(path: &Path, pitch: u32, frames: u64) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: AIR_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for frame in 0..frames {
        writer.write_sample((crate::tape::cosine(pitch, frame) * 8_192.0).round() as i16).unwrap();
    }
    writer.finalize().unwrap();
}
