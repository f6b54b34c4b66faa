//! `airings` and `verify`: what aired, and whether the log is as it was written.

use std::collections::BTreeMap;

use anyhow::Context;
use jiff::ToSpan;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use super::{print, print_log, say};
use crate::app::cli::{Airings, Format, Shape};
use crate::app::exit::Exit;
use crate::app::station::Station;
use crate::schedule::Schedule;
use crate::store::{AiringFilter, Store};
use crate::text::table::Table;
use crate::text::{console, outcome};

/// The log, as the paper has it.
pub fn airings(station: &Station, which: &Airings) -> anyhow::Result<Exit> {
    let store = Store::open(&station.data())?;
    // A broken schedule does not keep anybody from the log.
    let schedule = station.read_schedule().or_else(|_| station.read_schedule_in_force()).ok();
    let zone = schedule.as_ref().map_or(TimeZone::UTC, |schedule| schedule.time_zone.clone());
    let titles = schedule.as_ref().map(session_titles).unwrap_or_default();
    let instant = |at: DateTime| at.to_zoned(zone.clone()).map(|at| at.timestamp());
    let to = which.to.map(|to| if to.time() == Time::midnight() { to.checked_add(1.day()) } else { Ok(to) });
    let mut filter = AiringFilter {
        from: which.from.map(instant).transpose()?,
        to: to.transpose().context("this date is beyond the calendar")?.map(instant).transpose()?,
        ..AiringFilter::default()
    };
    let mut table = Table::new(outcome::LOG_COLUMNS);
    let mut all = Vec::new();
    loop {
        let page = store.airings(&filter)?;
        for airing in page.airings {
            let session = titles.get(airing.item.cue.block.session.as_str());
            let session = session.map_or(airing.item.cue.block.session.as_str(), String::as_str);
            table.row(outcome::log_line(all.len() + 1, session, &airing, &zone));
            all.push(airing);
        }
        filter.after = page.next;
        if filter.after.is_none() {
            break;
        }
    }
    print_log(which.format.format, &table, &all)?;
    Ok(Exit::Fine)
}

/// The titles of all sessions by their ids.
fn session_titles(schedule: &Schedule) -> BTreeMap<String, String> {
    let special = schedule.day_plans.iter().flat_map(|plan| &plan.sessions);
    special.chain(&schedule.sessions).map(|session| (session.id.to_string(), session.title.clone())).collect()
}

/// Walks the log's chain.
pub fn verify(station: &Station, format: Format) -> anyhow::Result<Exit> {
    let verdict = Store::open(&station.data())?.verify()?;
    match (&verdict.first_bad, format.format) {
        (_, Shape::Json) => print(Shape::Json, &Table::default(), &verdict)?,
        (None, _) => say(&console::log_is_whole(verdict.rows, &verdict.head.to_string()))?,
        (Some(bad), _) => say(&console::log_is_broken(&outcome::fault(bad)))?,
    }
    Ok(if verdict.first_bad.is_none() { Exit::Fine } else { Exit::Tampered })
}
