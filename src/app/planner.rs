//! From files and facts to timelines, again whenever one of them changed.
//!
//! Once a second the planner looks at the schedule's files and at the database's version (both cost microseconds); a
//! nudge wakes it at once. Every way of changing something, an editor, the console, another process, so comes through
//! the same door: read, check, compile, hand to the engines. What is broken changes nothing and is reported.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::station::{SCHEDULE_FILES, Station};
use crate::asrun::Note;
use crate::clock::{Clock, ClockHealth};
use crate::engine::handle::{Command, Handle};
use crate::media::playback::{OpenError, Opening};
use crate::media::source::MemorySource;
use crate::schedule::{Problem, Schedule};
use crate::segment::{Catalog, Segment, SegmentId, State};
use crate::store::{Store, StoreError, Version};
use crate::timeline::plan::Plan;
use crate::timeline::{Timeline, Window, compile};

/// How far back a timeline reaches: repeats and late rules look at earlier blocks of the day.
pub const PAST: SignedDuration = SignedDuration::from_hours(36);
/// How far ahead: the seven days that people look at, and the next midnight.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(8 * 24);
/// How often files, database and clock are looked at.
const TICK: Duration = Duration::from_secs(1);
/// A timeline's window moves on in steps of this.
const WINDOW_STEP: SignedDuration = SignedDuration::from_hours(1);
/// Sound kept in memory; a minute takes 23 MB.
const KEPT_AT_MOST: SignedDuration = SignedDuration::from_secs(120);
/// A wall clock that moved by this much against the monotonic one has been set.
const CLOCK_STEP: SignedDuration = SignedDuration::from_secs(1);

/// What keeps the engines' timelines true.
#[derive(Debug)]
pub struct Planner {
    station: Station,
    store: Store,
    clock: Arc<dyn Clock>,
    engines: Vec<Handle>,
    plan: watch::Sender<Arc<Plan>>,
    seen: Seen,
    kept: Arc<BTreeMap<SegmentId, MemorySource>>,
}

/// What the plan in force was made of.
#[derive(Debug)]
struct Seen {
    files: Stamp,
    database: Version,
    window: Window,
    clock: ClockHealth,
    /// Wall clock minus monotonic clock.
    offset: SignedDuration,
}

/// Tells apart two states of the schedule's files.
type Stamp = [Option<(std::time::SystemTime, u64)>; 3];

impl Planner {
    /// A planner for a station, whose first plan is `plan`; sends it to the engines.
    pub fn new(
        station: Station,
        store: Store,
        clock: Arc<dyn Clock>,
        engines: Vec<Handle>,
        plan: watch::Sender<Arc<Plan>>,
    ) -> Result<Self, StoreError> {
        let now = clock.now();
        let seen = Seen {
            files: stamp(&station),
            database: store.version()?,
            window: window(now),
            clock: ClockHealth::judge(now, store.newest_instant()?),
            offset: offset(&*clock),
        };
        let mut planner = Self { station, store, clock, engines, plan, seen, kept: Arc::default() };
        planner.tell_all(|| Command::Clock(planner.seen.clock));
        let plan = planner.plan.borrow().clone();
        planner.load(&plan.timelines)?;
        planner.keep_ready(&plan);
        Ok(planner)
    }

    /// Works until nobody can nudge any more.
    pub fn run(&mut self, nudges: &Receiver<()>) {
        loop {
            match nudges.recv_timeout(TICK) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if let Err(failure) = self.turn() {
                error!(
                    error = &failure as &dyn std::error::Error,
                    "the plan could not be renewed; the one in force stays"
                );
            }
        }
    }

    /// Looks at everything a plan depends on, and renews what changed.
    pub fn turn(&mut self) -> Result<(), StoreError> {
        self.look_at_the_clock()?;
        let files = stamp(&self.station);
        let database = self.store.version()?;
        let window = window(self.clock.now());
        if (files, database, window) == (self.seen.files, self.seen.database, self.seen.window) {
            return Ok(());
        }
        let old = self.plan.borrow().clone();
        let (schedule, problems) = if files == self.seen.files {
            (Arc::clone(&old.schedule), Arc::clone(&old.problems))
        } else {
            self.read_again(&old)
        };
        let new = plan(&self.store, schedule, problems, window, self.clock.now())?;
        for segment in no_longer_approved(&old.catalog, &new.catalog) {
            self.tell_all(|| Command::Withdraw(segment.clone()));
        }
        let changed: Vec<_> =
            new.timelines.iter().filter(|timeline| !old.timelines.contains(timeline)).cloned().collect();
        self.load(&changed)?;
        self.store.set_station((&*new.schedule).into());
        self.keep_ready(&new);
        self.plan.send_replace(Arc::new(new));
        self.seen = Seen { files, database, window, ..self.seen };
        Ok(())
    }

    fn read_again(&self, old: &Plan) -> (Arc<Schedule>, Arc<Vec<Problem>>) {
        match self.station.read_schedule() {
            Ok(schedule) => {
                info!("the schedule was changed; the new one is in force");
                keep_in_force(&self.station);
                (Arc::new(schedule), Arc::default())
            }
            Err(problems) => {
                warn!(
                    problems = problems.len(),
                    "the changed schedule has problems; the last good one stays in force"
                );
                (Arc::clone(&old.schedule), Arc::new(problems))
            }
        }
    }

    /// Hands timelines to the engines of their outputs.
    fn load(&self, timelines: &[Arc<Timeline>]) -> Result<(), StoreError> {
        for timeline in timelines {
            let settled: Arc<BTreeSet<_>> =
                Arc::new(self.store.settled(&timeline.output, timeline.window.from, self.clock.now())?);
            for engine in self.engines.iter().filter(|engine| *engine.output() == timeline.output) {
                let load = Command::Load { timeline: Arc::clone(timeline), settled: Arc::clone(&settled) };
                if let Err(refused) = engine.send(load) {
                    error!(output.id = %engine.output(), error = &refused as &dyn std::error::Error, "the engine took no new timeline");
                }
            }
        }
        Ok(())
    }

    /// Keeps what must sound at once decoded in memory, and hands it to the engines when that changed.
    fn keep_ready(&mut self, plan: &Plan) {
        let programmes = plan.schedule.programmes.values().filter(|programme| programme.ready);
        let segments = programmes.flat_map(|programme| plan.catalog.of_programme(&programme.id).iter().rev());
        let mut kept = BTreeMap::new();
        let mut left = KEPT_AT_MOST;
        for segment in segments.filter(|segment| segment.state == State::Approved) {
            if segment.duration() > left {
                warn!(segment.id = %segment.id, "no memory is left to keep `{}` ready; it sounds from the disk", segment.words.title);
                continue;
            }
            left -= segment.duration();
            match self.kept.get(&segment.id).cloned().map_or_else(|| self.decode(segment), Ok) {
                Ok(source) => drop(kept.insert(segment.id.clone(), source)),
                Err(failure) => {
                    error!(segment.id = %segment.id, error = &failure as &dyn std::error::Error, "cannot keep a segment ready");
                }
            }
        }
        if !kept.keys().eq(self.kept.keys()) {
            info!(segments = kept.len(), "kept in memory for emergencies");
            self.kept = Arc::new(kept);
            self.tell_all(|| Command::Keep(Arc::clone(&self.kept)));
        }
    }

    fn decode(&self, segment: &Segment) -> Result<MemorySource, OpenError> {
        let opening = Opening {
            path: self.station.audio().join(&segment.file),
            hash: segment.hash,
            cue_in: segment.sound.cue_in,
            cue_out: segment.sound.cue_out,
            skip: SignedDuration::ZERO,
            gain_db: 0.0, // The mixer's business.
        };
        opening.open().map(MemorySource::decode)
    }

    fn tell_all(&self, command: impl Fn() -> Command) {
        for engine in &self.engines {
            if let Err(refused) = engine.send(command()) {
                error!(output.id = %engine.output(), error = &refused as &dyn std::error::Error, "the engine took no command");
            }
        }
    }

    /// Notes a step of the wall clock, and tells the engines when its health changed.
    fn look_at_the_clock(&mut self) -> Result<(), StoreError> {
        let offset = offset(&*self.clock);
        let step = offset - self.seen.offset;
        self.seen.offset = offset;
        if step.abs() >= CLOCK_STEP {
            let by_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
            warn!(by_ms, "the wall clock was set");
            self.store.note(self.clock.now(), Note::ClockStep { by_ms })?;
        }
        let health = ClockHealth::judge(self.clock.now(), self.store.newest_instant()?);
        if health != self.seen.clock {
            warn!(?health, "what is known of the clock changed");
            self.seen.clock = health;
            self.tell_all(|| Command::Clock(health));
        }
        Ok(())
    }
}

/// Puts a plan together from a checked schedule and the facts.
pub fn plan(
    store: &Store,
    schedule: Arc<Schedule>,
    problems: Arc<Vec<Problem>>,
    window: Window,
    now: Timestamp,
) -> Result<Plan, StoreError> {
    let catalog = Arc::new(store.catalog()?);
    let mut timelines = Vec::with_capacity(schedule.outputs.len());
    for output in &schedule.outputs {
        let history = store.history(&output.id, window.from)?;
        timelines.push(Arc::new(compile(&schedule, &catalog, &history, &output.id, window)));
    }
    Ok(Plan { schedule, catalog, timelines, problems, at: now })
}

/// The window around a moment, the same for a whole step.
pub fn window(now: Timestamp) -> Window {
    let step = WINDOW_STEP.as_secs();
    let from = Timestamp::from_second(now.as_second().div_euclid(step) * step).unwrap_or(now);
    Window { from: from - PAST, to: from + AHEAD }
}

/// Segments that might have aired and may not any more.
fn no_longer_approved<'a>(old: &'a Catalog, new: &'a Catalog) -> impl Iterator<Item = &'a SegmentId> {
    old.iter()
        .filter(|segment| segment.state == State::Approved)
        .filter(|segment| new.get(&segment.id).is_none_or(|now| now.state != State::Approved))
        .map(|segment| &segment.id)
}

fn offset(clock: &dyn Clock) -> SignedDuration {
    let elapsed = SignedDuration::try_from(clock.elapsed()).unwrap_or(SignedDuration::MAX);
    clock.now().duration_since(Timestamp::UNIX_EPOCH) - elapsed
}

fn stamp(station: &Station) -> Stamp {
    SCHEDULE_FILES.map(|name| {
        let about = fs::metadata(station.schedule().join(name)).ok()?;
        Some((about.modified().ok()?, about.len()))
    })
}

/// Keeps a copy of the schedule in force, for a start with a broken one.
pub fn keep_in_force(station: &Station) {
    let kept = station.in_force();
    let copied = fs::create_dir_all(&kept).and_then(|()| {
        SCHEDULE_FILES.iter().try_for_each(|name| {
            let (from, to) = (station.schedule().join(name), kept.join(name));
            match fs::read(&from) {
                Ok(text) => {
                    let aside = to.with_extension("new");
                    let mut file = fs::File::create(&aside)?;
                    file.write_all(&text)?;
                    file.sync_all()?;
                    fs::rename(&aside, &to)
                }
                Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
                    match fs::remove_file(&to) {
                        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(cause),
                        _ => Ok(()),
                    }
                }
                Err(cause) => Err(cause),
            }
        })
    });
    if let Err(cause) = copied {
        warn!(error = &cause as &dyn std::error::Error, "cannot keep a copy of the schedule in force");
    }
}
