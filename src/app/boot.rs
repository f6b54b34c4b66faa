//! From a cold start to a first plan: which schedule is in force, and what the time without the program cost.

use std::fs;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tracing::{error, info, warn};

use super::planner::{PAST, plan, window};
use super::station::Station;
use crate::asrun::{Cause, Fact, Note, reconcile};
use crate::clock::ClockHealth;
use crate::schedule::{Problem, Schedule};
use crate::store::{Store, StoreError};
use crate::timeline::plan::Plan;
use crate::timeline::{Window, compile};

/// A station that stood still for longer does not list every cue it missed.
const LONGEST_GAP: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Why there is no first plan.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The schedule is broken, and none was ever in force.
    #[error("the schedule has {} problems", .0.len())]
    Schedule(Vec<Problem>),
    /// The facts cannot be read or written.
    #[error("the station's facts cannot be read")]
    Store(#[from] StoreError),
}

/// Closes what a power cut left open, logs what was missed meanwhile, and puts the first plan together.
pub fn boot(station: &Station, store: &Store, now: Timestamp) -> Result<Plan, BootError> {
    let (schedule, problems) = schedule_in_force(station).map_err(BootError::Schedule)?;
    store.set_station((&schedule).into());
    let newest = store.newest_instant()?;
    let clock = ClockHealth::judge(now, newest);
    let cut = store.recover(now)?;
    for closed in &cut {
        warn!(cue.id = %closed.cue, output.id = %closed.output, last_heard = ?closed.ended, "the program ended while this was on air");
    }
    let plan = plan(store, Arc::new(schedule), Arc::new(problems), window(now), now)?;
    match (newest, clock) {
        (None, _) => info!("a station's first start"),
        (Some(newest), ClockHealth::Wrong) => {
            error!(%now, %newest, "the clock shows a time before the newest one on record; nothing scheduled airs until it is right");
        }
        (Some(newest), ClockHealth::Synchronised) if now < newest => {
            warn!(%now, %newest, "the log has instants of the future: the clock was wrong before, and is right now");
            store.note(now, Note::ClockConfirmed { by: "time server".to_owned() })?;
        }
        (Some(newest), ClockHealth::Synchronised | ClockHealth::Unconfirmed) => {
            let cause = if cut.is_empty() { Cause::NotRunning } else { Cause::PowerCut };
            log_the_gap(store, &plan, newest, now, cause, clock)?;
        }
    }
    store.note(now, Note::Boot { version: env!("CARGO_PKG_VERSION").to_owned(), clock })?;
    Ok(plan)
}

/// The schedule as it is written, or, where that has problems, as it was last in force.
fn schedule_in_force(station: &Station) -> Result<(Schedule, Vec<Problem>), Vec<Problem>> {
    let problems = match station.take_in_force() {
        Ok(schedule) => return Ok((schedule, Vec::new())),
        Err(problems) => problems,
    };
    if !fs::exists(station.in_force()).unwrap_or(false) {
        return Err(problems);
    }
    warn!(problems = problems.len(), "the schedule has problems; the last good one is in force");
    let schedule = station.read_schedule_in_force().map_err(|_| problems.clone())?;
    Ok((schedule, problems))
}

/// Logs what should have aired between the last sign of life and now, and can air no more.
pub(super) fn log_the_gap(
    store: &Store,
    plan: &Plan,
    last: Timestamp,
    now: Timestamp,
    cause: Cause,
    clock: ClockHealth,
) -> Result<(), StoreError> {
    let last = last.max(now - LONGEST_GAP);
    let window = Window { from: last - PAST, to: now };
    for output in &plan.schedule.outputs {
        let known = store.settled(&output.id, window.from, now)?;
        let history = store.history(&output.id, window)?;
        let timeline = compile(&plan.schedule, &plan.catalog, &history, &output.id, window);
        let missed = reconcile(&timeline, &known, now, cause, clock);
        let missed: Vec<_> = missed.into_iter().filter(|missed| missed.cue.given_up_at() > last).collect();
        if !missed.is_empty() {
            warn!(output.id = %output.id, cues = missed.len(), since = %last, "cues were missed while the program did not run");
        }
        for missed in missed {
            store.record(&Fact::NotAired(missed))?;
        }
    }
    Ok(())
}
