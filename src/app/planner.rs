//! From files and facts to timelines, again whenever one of them changed.
//!
//! Once a second the planner looks at the schedule's files and at the database's version (both cost microseconds); a
//! nudge wakes it at once. Every way of changing something, an editor, the console, another process, so comes through
//! the same door: read, check, compile, hand to the engines. What is broken changes nothing and is reported.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::boot::{TIME_SERVER, known_since, log_the_gap};
use super::standing;
use super::station::Station;
use crate::asrun::{Cause, ClockHealth, Note};
use crate::clock::{Clock, is_synchronised};
use crate::editing::Desk;
use crate::editing::files::SCHEDULE_FILES;
use crate::engine::handle::{Command, Handle};
use crate::schedule::{Problem, Schedule};
use crate::segment::{Catalog, SegmentId, State, Troubles};
use crate::store::{Store, StoreError, Version};
use crate::timeline::plan::Plan;
use crate::timeline::{Timeline, Window, compile};

/// How far back a timeline reaches: repeats and late rules look at earlier blocks of the day.
pub const PAST: SignedDuration = SignedDuration::from_hours(36);
/// How far ahead: the seven days that people look at, and the next midnight.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(8 * 24);
/// How often files, database and clock are looked at.
const TICK: Duration = Duration::from_secs(1);
/// A changed file is read when it has stood still for so long: one that is being written may look whole, and is half.
const SETTLED: Duration = Duration::from_millis(300);
/// A timeline's window moves on in steps of this.
const WINDOW_STEP: SignedDuration = SignedDuration::from_hours(1);
/// A wall clock that moved by this much against the monotonic one has been set.
const CLOCK_STEP: SignedDuration = SignedDuration::from_secs(1);

/// What a planner works with. One that begins anew after a panic has the same.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Whose files are looked at.
    pub station: Station,
    /// What keeps the files as they were found.
    pub desk: Arc<Desk>,
    /// The facts.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who goes by the timelines.
    pub engines: Vec<Handle>,
    /// The plan in force.
    pub plan: watch::Sender<Arc<Plan>>,
    /// Files that are not what was approved.
    pub troubles: watch::Receiver<Arc<Troubles>>,
    /// When all was looked at last, and what changed is in force, by the clock's `elapsed`.
    pub turned: watch::Sender<Duration>,
}

/// What keeps the engines' timelines true.
#[derive(Debug)]
pub struct Planner {
    parts: Parts,
    seen: Seen,
    /// The files when they were last looked at, and since when they have been so.
    glimpsed: (Stamp, Duration),
    /// What is to be logged once the clock is right; until then no engine goes by a timeline.
    gap: Option<Gap>,
    /// Since when the clock is right, where the engines have yet to hear that it was wrong.
    right_since: Option<Timestamp>,
    /// Whether the engines go by a timeline.
    loaded: bool,
}

/// The time for which nobody knows the hour: the program began with a clock that was wrong.
#[derive(Debug, Clone, Copy)]
struct Gap {
    /// The newest instant on record when it began.
    last: Timestamp,
    /// When it began, by the clock's `elapsed`.
    began: Duration,
}

/// What the plan in force was made of.
#[derive(Debug)]
struct Seen {
    /// None where the plan may be of other files than those that stand there: it was made before this planner looked.
    files: Option<Stamp>,
    /// The date on which they were read: a mistake of a special day that is over is none any more.
    read_on: Date,
    /// None where the plan is older than any version that was seen.
    database: Option<Version>,
    window: Window,
    clock: ClockHealth,
    /// The newest instant on record: what takes it back is that the clock was confirmed.
    newest: Option<Timestamp>,
    /// Wall clock minus monotonic clock.
    offset: SignedDuration,
}

/// Tells apart two states of the schedule's files.
type Stamp = [Option<(std::time::SystemTime, u64)>; 3];

impl Planner {
    /// A planner that sends the plan in force, the first one, to the engines.
    pub fn new(parts: Parts) -> Result<Self, StoreError> {
        let now = parts.clock.now();
        let newest = parts.store.newest_instant()?;
        let seen = Seen {
            files: None,
            read_on: local_date(&parts.plan.borrow(), now),
            database: None,
            window: window(now),
            clock: ClockHealth::judge(is_synchronised(), now, newest),
            newest,
            offset: offset(&*parts.clock),
        };
        let began = parts.clock.elapsed();
        let glimpsed = (stamp(&parts.station), began);
        let gap = newest.filter(|_| seen.clock == ClockHealth::Wrong).map(|last| Gap { last, began });
        let loaded = gap.is_none();
        let planner = Self { parts, seen, glimpsed, gap, right_since: None, loaded };
        planner.tell_all(|| Command::Clock(planner.seen.clock));
        let plan = planner.parts.plan.borrow().clone();
        if planner.loaded {
            planner.load(&plan.timelines)?;
        }
        // After the timelines: by them an engine knows what day it is.
        if let Err(failure) = standing::resume(&planner.parts.store, &plan, &planner.parts.engines, now) {
            error!(
                error = &failure as &dyn std::error::Error,
                "emergencies that were in force cannot be read"
            );
        }
        Ok(planner)
    }

    /// Works until it is to stop, which it looks at when it wakes.
    pub fn run(&mut self, nudges: &Receiver<()>, stopping: &AtomicBool) {
        loop {
            match nudges.recv_timeout(if Some(self.glimpsed.0) == self.seen.files { TICK } else { SETTLED }) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if stopping.load(Ordering::Relaxed) {
                return;
            }
            match self.turn() {
                Ok(()) => drop(self.parts.turned.send_replace(self.parts.clock.elapsed())),
                Err(failure) => error!(
                    error = &failure as &dyn std::error::Error,
                    "the plan could not be renewed; the one in force stays"
                ),
            }
        }
    }

    /// Looks at everything a plan depends on, and renews what changed.
    pub fn turn(&mut self) -> Result<(), StoreError> {
        let glance = self.parts.store.glance()?;
        self.look_at_the_clock(glance.newest)?;
        self.close_the_gap()?;
        if let Some(at) = self.right_since
            && self.tell_all(|| Command::ClockRight(at))
        {
            (self.right_since, self.loaded) = (None, false);
        }
        let files = self.settled_files();
        let database = Some(glance.version);
        let window = window(self.parts.clock.now());
        let old = self.parts.plan.borrow().clone();
        let troubles = Arc::clone(&self.parts.troubles.borrow());
        let today = local_date(&old, self.parts.clock.now());
        // What is being written is read when it stands still.
        let date_changed = today != self.seen.read_on && files == Some(self.glimpsed.0);
        let reads = date_changed || files != self.seen.files;
        let same = !reads
            && (database, window) == (self.seen.database, self.seen.window)
            && *troubles == *old.catalog.troubles();
        if same && (self.loaded || self.gap.is_some()) {
            return Ok(());
        }
        let (schedule, problems) = if reads {
            self.read_again(&old)
        } else {
            (Arc::clone(&old.schedule), Arc::clone(&old.problems))
        };
        let catalog = with_troubles(self.parts.store.catalog()?, &troubles);
        let new =
            plan_of(Some(&self.parts.store), catalog, schedule, problems, window, self.parts.clock.now())?;
        let mut told = true;
        for segment in no_longer_approved(&old.catalog, &new.catalog) {
            told &= self.tell_all(|| Command::Withdraw(segment.clone()));
        }
        if self.loaded {
            told &= self.load(&changes(&old.timelines, &new.timelines))?;
        } else if self.gap.is_none() {
            self.loaded = self.load(&new.timelines)?;
            told &= self.loaded;
        }
        if !told {
            // An engine was busy: the plan before counts as the one in force, and all is told again.
            return Ok(());
        }
        self.parts.store.set_station((&*new.schedule).into());
        self.parts.plan.send_replace(Arc::new(new));
        let read_on = if reads { today } else { self.seen.read_on };
        self.seen = Seen { files, read_on, database, window, ..self.seen };
        Ok(())
    }

    /// Logs what was missed while the program did not run, and then while its clock was wrong, as soon as it is right.
    fn close_the_gap(&mut self) -> Result<(), StoreError> {
        let Some(gap) = self.gap.filter(|_| self.seen.clock != ClockHealth::Wrong) else { return Ok(()) };
        let (now, plan) = (self.parts.clock.now(), self.parts.plan.borrow().clone());
        let began =
            now - SignedDuration::try_from(self.parts.clock.elapsed() - gap.began).unwrap_or_default();
        let since = known_since(&self.parts.store, gap.last.min(now), now)?;
        log_the_gap(&self.parts.store, &plan, &since, began, Cause::NotRunning, self.seen.clock)?;
        log_the_gap(&self.parts.store, &plan, &since, now, Cause::ClockNotTrusted, self.seen.clock)?;
        info!(%now, "the clock is right: the timeline is gone by from now on");
        (self.gap, self.right_since) = (None, Some(now));
        Ok(())
    }

    /// The state of the files, once it has lasted; until then, the one before.
    fn settled_files(&mut self) -> Option<Stamp> {
        let (files, now) = (stamp(&self.parts.station), self.parts.clock.elapsed());
        if files != self.glimpsed.0 {
            self.glimpsed = (files, now);
        }
        if now.saturating_sub(self.glimpsed.1) >= SETTLED { Some(files) } else { self.seen.files }
    }

    /// Keeps the files as they were found, so that what was changed by hand can be undone in the console.
    fn keep_found(&self) {
        if let Err(failure) = self.parts.desk.keep_found(self.parts.clock.now()) {
            warn!(error = &failure as &dyn std::error::Error, "no copy of the schedule's files was kept");
        }
    }

    /// The files as they are, or the schedule that was in force where they have problems; told where that is news.
    fn read_again(&self, old: &Plan) -> (Arc<Schedule>, Arc<Vec<Problem>>) {
        self.keep_found();
        match self.parts.station.take_in_force(self.parts.clock.now()) {
            Ok(schedule) if old.problems.is_empty() && schedule == *old.schedule => {}
            Err(problems) if problems == *old.problems => {}
            Ok(schedule) => {
                info!("the schedule was changed; the new one is in force");
                if schedule.outputs != old.schedule.outputs {
                    warn!("outputs were changed: what is new of them comes with the program's next start");
                }
                return (Arc::new(schedule), Arc::default());
            }
            Err(problems) => {
                warn!(
                    problems = problems.len(),
                    "the changed schedule has problems; the last good one stays in force"
                );
                return (Arc::clone(&old.schedule), Arc::new(problems));
            }
        }
        (Arc::clone(&old.schedule), Arc::clone(&old.problems))
    }

    /// Hands timelines to the engines of their outputs; whether all took them.
    fn load(&self, timelines: &[Arc<Timeline>]) -> Result<bool, StoreError> {
        let mut taken = true;
        for timeline in timelines {
            let settled: Arc<BTreeSet<_>> = Arc::new(self.parts.store.settled(
                &timeline.output,
                timeline.window.from,
                self.parts.clock.now(),
            )?);
            for engine in self.parts.engines.iter().filter(|engine| *engine.output() == timeline.output) {
                let load = Command::Load { timeline: Arc::clone(timeline), settled: Arc::clone(&settled) };
                if let Err(refused) = engine.send(load) {
                    taken = false;
                    error!(output.id = %engine.output(), error = &refused as &dyn std::error::Error, "the engine took no new timeline");
                }
            }
        }
        Ok(taken)
    }

    /// Tells every engine; whether all took it.
    fn tell_all(&self, command: impl Fn() -> Command) -> bool {
        let mut taken = true;
        for engine in &self.parts.engines {
            if let Err(refused) = engine.send(command()) {
                taken = false;
                error!(output.id = %engine.output(), error = &refused as &dyn std::error::Error, "the engine took no command");
            }
        }
        taken
    }

    /// Tells the engines when the clock's health changed, and notes a step of the wall clock.
    fn look_at_the_clock(&mut self, newest: Option<Timestamp>) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        if newest < self.seen.newest {
            self.right_since = Some(now);
        }
        self.seen.newest = newest;
        let health = ClockHealth::judge(is_synchronised(), now, newest);
        if health != self.seen.clock {
            warn!(?health, "what is known of the clock changed");
            if self.tell_all(|| Command::Clock(health)) {
                self.seen.clock = health;
            }
        }
        let offset = offset(&*self.parts.clock);
        let step = offset - self.seen.offset;
        if step.abs() >= CLOCK_STEP {
            let by_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
            self.parts.store.note(now, Note::ClockStep { by_ms })?;
            warn!(by_ms, "the wall clock was set");
        }
        // Not before it is in the log: what could not be noted is a step at the next look still.
        self.seen.offset = offset;
        if health.refutes(now, newest) {
            // Or a later start without a network would take the right time for a wrong one, and stay silent.
            warn!(%now, ?newest, "the log has instants of the future: the clock was wrong before, and is right now");
            self.parts.store.confirm_clock(now, TIME_SERVER)?;
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
    plan_of(Some(store), store.catalog()?, schedule, problems, window, now)
}

/// The same from this catalogue; without a store, nothing has aired yet.
pub fn plan_of(
    store: Option<&Store>,
    catalog: Arc<Catalog>,
    schedule: Arc<Schedule>,
    problems: Arc<Vec<Problem>>,
    window: Window,
    now: Timestamp,
) -> Result<Plan, StoreError> {
    let mut timelines = Vec::with_capacity(schedule.outputs.len());
    for output in &schedule.outputs {
        let history = store.map(|store| store.history(&output.id, window)).transpose()?.unwrap_or_default();
        timelines.push(Arc::new(compile(&schedule, &catalog, &history, &output.id, window)));
    }
    Ok(Plan { schedule, catalog, timelines, problems, at: now })
}

/// A catalogue with what is known of the files.
fn with_troubles(catalog: Arc<Catalog>, troubles: &Troubles) -> Arc<Catalog> {
    if troubles.is_empty() { catalog } else { Arc::new(catalog.with_troubles(troubles.clone())) }
}

/// The window around a moment, the same for a whole step.
pub fn window(now: Timestamp) -> Window {
    let step = WINDOW_STEP.as_secs();
    let from = Timestamp::from_second(now.as_second().div_euclid(step) * step).unwrap_or(now);
    Window { from: from - PAST, to: from + AHEAD }
}

/// The timelines that an engine must hear of: the new ones, and an empty one for an output that is no more.
fn changes(old: &[Arc<Timeline>], new: &[Arc<Timeline>]) -> Vec<Arc<Timeline>> {
    let gone = old.iter().filter(|old| new.iter().all(|new| new.output != old.output));
    let emptied = gone.map(|timeline| {
        Arc::new(Timeline { blocks: Vec::new(), findings: Vec::new(), ..Timeline::clone(timeline) })
    });
    new.iter().filter(|timeline| !old.contains(timeline)).cloned().chain(emptied).collect()
}

/// Segments that might have aired and may not any more.
fn no_longer_approved<'a>(old: &'a Catalog, new: &'a Catalog) -> impl Iterator<Item = &'a SegmentId> {
    old.iter()
        .filter(|segment| segment.state == State::Approved)
        .filter(|segment| new.get(&segment.id).is_none_or(|now| now.state != State::Approved))
        .map(|segment| &segment.id)
}

/// The station's date.
fn local_date(plan: &Plan, now: Timestamp) -> Date {
    plan.schedule.time_zone.to_datetime(now).date()
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

#[cfg(test)]
mod tests;
