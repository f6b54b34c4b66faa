//! From a cold start to a first plan: which schedule is in force, and what the time without the program cost.

use std::fs;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tracing::{error, info, warn};

use super::planner::{PAST, plan, window};
use super::standing;
use super::station::Station;
use crate::asrun::{Cause, ClockHealth, Note, reconcile};
use crate::clock::is_synchronised;
use crate::schedule::{self, OutputId, Problem, Schedule};
use crate::store::{Store, StoreError};
use crate::timeline::plan::Plan;
use crate::timeline::{Window, compile};

/// A station that stood still for longer does not list every cue it missed.
const LONGEST_GAP: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Who says that the clock is right, where the machine itself does.
pub(super) const TIME_SERVER: &str = "time server";

/// So many revisions of the schedule are looked at for when an output was first named: reading one takes a millisecond.
const REVISIONS: u32 = 50;

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
    let newest = store.newest_instant()?;
    // A clock that lost its time does not make days come again that are over.
    let latest = newest.map_or(now, |newest| newest.max(now));
    let (schedule, problems) = schedule_in_force(station, latest).map_err(BootError::Schedule)?;
    store.set_station((&schedule).into());
    let clock = ClockHealth::judge(is_synchronised(), now, newest);
    let cut = store.recover(now)?;
    for closed in &cut {
        warn!(cue.id = %closed.cue, output.id = %closed.output, last_heard = ?closed.ended, "the program ended while this was on air");
    }
    if let Some(newest) = newest.filter(|newest| clock == ClockHealth::Synchronised && now < *newest) {
        warn!(%now, %newest, "the log has instants of the future: the clock was wrong before, and is right now");
        store.confirm_clock(now, TIME_SERVER)?;
    }
    let plan = plan(store, Arc::new(schedule), Arc::new(problems), window(now), now)?;
    match (newest, clock) {
        (None, _) => info!("a station's first start"),
        (Some(newest), ClockHealth::Wrong) => {
            error!(%now, %newest, "the clock shows a time before the newest one on record; nothing scheduled airs until it is right");
        }
        (Some(newest), ClockHealth::Synchronised | ClockHealth::Unconfirmed) => {
            let cause = if cut.is_empty() { Cause::NotRunning } else { Cause::PowerCut };
            let since = known_since(store, newest.min(now), now)?;
            log_the_gap(store, &plan, since, now, cause, clock)?;
            standing::let_go_of_old(store, now.duration_since(newest), now)?;
        }
    }
    store.note(now, Note::Boot { version: env!("CARGO_PKG_VERSION").to_owned(), clock })?;
    Ok(plan)
}

/// The schedule as it is written, or, where that has problems, as it was last in force.
fn schedule_in_force(station: &Station, now: Timestamp) -> Result<(Schedule, Vec<Problem>), Vec<Problem>> {
    let problems = match station.take_in_force(now) {
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

/// From when on each output has to account for its cues: from its own last sign of life, and not before the schedule
/// named it, without a break, as its revisions have it.
///
/// The station's newest instant would not do: the other outputs push it forward while one that was added or renamed has
/// no engine before the next start. An output that no revision names yet was written down while nothing ran: it has
/// missed nothing. Where no revision can be read, a stranger among outputs begins at the station's newest instant.
pub(super) fn known_since(
    store: &Store,
    newest: Timestamp,
    now: Timestamp,
) -> Result<impl Fn(&OutputId) -> Timestamp, StoreError> {
    let heartbeats = store.heartbeats()?;
    let revisions = store.revisions(REVISIONS)?.into_iter();
    let named: Vec<(Timestamp, Schedule)> = revisions
        .filter_map(|revision| Some((revision.at, schedule::read_at(&revision.files, Timestamp::MAX).ok()?)))
        .collect();
    Ok(move |output: &OutputId| {
        let heartbeat = heartbeats.get(output).map(|at| (*at).min(newest));
        if named.is_empty() {
            return heartbeat.unwrap_or(newest);
        }
        let names = |(_, schedule): &&(Timestamp, Schedule)| schedule.output(output).is_some();
        let first = named.iter().take_while(names).last().map_or(now, |(at, _)| *at);
        heartbeat.map_or(first, |heartbeat| heartbeat.max(first))
    })
}

/// Logs what should have aired on each output between its `last` sign of life and now, and can air no more.
pub(super) fn log_the_gap(
    store: &Store,
    plan: &Plan,
    last: impl Fn(&OutputId) -> Timestamp,
    now: Timestamp,
    cause: Cause,
    clock: ClockHealth,
) -> Result<(), StoreError> {
    for output in &plan.schedule.outputs {
        let last = last(&output.id).max(now - LONGEST_GAP);
        if last >= now {
            continue;
        }
        let window = Window { from: last - PAST, to: now };
        let known = store.settled(&output.id, window.from, now)?;
        let history = store.history(&output.id, window)?;
        let timeline = compile(&plan.schedule, &plan.catalog, &history, &output.id, window);
        let missed = reconcile(&timeline, &known, now, cause, clock);
        let missed: Vec<_> = missed.into_iter().filter(|missed| missed.cue.given_up_at() > last).collect();
        if !missed.is_empty() {
            warn!(output.id = %output.id, cues = missed.len(), since = %last, "cues were missed while the program did not run");
        }
        store.record_missed(&output.id, missed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;

    use super::*;
    use crate::asrun::Fact;
    use crate::editing::files::texts;
    use crate::store::AiringFilter;

    #[test]
    fn a_station_that_has_lost_its_schedule_plays_the_one_that_was_in_force() {
        let folder = tempfile::tempdir().unwrap();
        crate::app::demo::set_up(Path::new(env!("CARGO_MANIFEST_DIR")), folder.path()).unwrap();
        let station = Station::open(folder.path()).unwrap();
        let store = Store::open(&station.data()).unwrap();
        let now: Timestamp = "2026-11-22T20:00:00Z".parse().unwrap();
        let before = boot(&station, &store, now).unwrap();
        fs::remove_dir_all(station.schedule()).unwrap();
        let station = Station::open(folder.path()).unwrap();
        let plan = boot(&station, &store, now).unwrap();
        assert_eq!(plan.schedule, before.schedule);
        assert!(!plan.problems.is_empty(), "health says so");
        // What never played is no station.
        fs::remove_dir_all(station.in_force()).unwrap();
        Station::open(folder.path()).unwrap_err();
    }

    #[test]
    fn an_output_that_was_renamed_while_running_misses_what_came_since_whatever_the_others_did() {
        let at = |time: &str| -> Timestamp { format!("2026-11-22T{time}Z").parse().unwrap() };
        let folder = tempfile::tempdir().unwrap();
        crate::app::demo::set_up(Path::new(env!("CARGO_MANIFEST_DIR")), folder.path()).unwrap();
        let station = Station::open(folder.path()).unwrap();
        let store = Store::open(&station.data()).unwrap();
        boot(&station, &store, at("20:00:00")).unwrap();
        store.keep_found(&texts(&station.schedule()).unwrap(), at("20:00:00")).unwrap();
        let old = station.read_schedule(Timestamp::MAX).unwrap().outputs[0].id.clone();
        for name in ["station.toml", "week.toml"] {
            let path = station.schedule().join(name);
            let text = fs::read_to_string(&path).unwrap().replace(&format!("\"{old}\""), "\"loa-moi\"");
            fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
        }
        // The session of the morning is from 22:30 to 23:01.
        store.keep_found(&texts(&station.schedule()).unwrap(), at("22:29:00")).unwrap();
        store
            .record(&Fact::Heartbeat { at: at("22:59:00"), output: old.clone(), sounding: Vec::new() })
            .unwrap();
        boot(&station, &store, at("23:30:00")).unwrap();
        let missed = store.airings(&AiringFilter::default()).unwrap().airings;
        assert!(missed.iter().all(|airing| airing.item.output.as_str() == "loa-moi"));
        let planned: Vec<_> = missed.iter().map(|airing| airing.item.planned_end).collect();
        assert!(planned.iter().all(|end| *end > at("22:29:00")), "{planned:?}");
        assert!(missed.iter().any(|airing| airing.item.planned_end < at("22:45:00")), "{missed:#?}");
        // An old name that comes back has not missed the time without it.
        let since = known_since(&store, at("23:30:00"), at("23:40:00")).unwrap();
        assert_eq!((since(&old), since(&"loa-moi".into())), (at("23:40:00"), at("22:29:00")));
    }
}
