//! `airings` and `verify`: what aired, and whether the log is as it was written.

use anyhow::{Context, bail};
use jiff::ToSpan;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use super::{print, print_log, say};
use crate::app::cli::{Airings, Shape, Verify};
use crate::app::exit::Exit;
use crate::app::station::Station;
use crate::clock::{Clock as _, SystemClock};
use crate::store::{AiringFilter, Store};
use crate::text::table::Table;
use crate::text::{console, outcome};

/// The log, as the paper has it.
pub fn airings(station: &Station, which: &Airings) -> anyhow::Result<Exit> {
    let store = Store::open_existing(&station.data())?;
    // A broken schedule does not keep anybody from the log.
    let schedule = station.known_schedule();
    let zone = schedule.as_ref().map_or(TimeZone::UTC, |schedule| schedule.time_zone.clone());
    let instant = |at: DateTime| at.to_zoned(zone.clone()).map(|at| at.timestamp());
    let to = which.to.map(|to| if to.time() == Time::midnight() { to.checked_add(1.day()) } else { Ok(to) });
    let filter = AiringFilter {
        from: which.from.map(instant).transpose()?,
        to: to.transpose().context("this date is beyond the calendar")?.map(instant).transpose()?,
        ..AiringFilter::default()
    };
    if filter.from.zip(filter.to).is_some_and(|(from, to)| from > to) {
        bail!("{}", console::DATES_SWAPPED);
    }
    let mut table = Table::new(outcome::file_columns(schedule.as_ref()));
    let (mut all, now) = (Vec::new(), SystemClock::new().now());
    store.each_airing(filter, |airing| {
        table.row(outcome::file_line(all.len() + 1, &airing, schedule.as_ref(), &zone, now));
        all.push(airing);
        anyhow::Ok(())
    })?;
    print_log(which.format.format, &table, &all)?;
    Ok(Exit::Fine)
}

/// Walks the log's chain; makes the airings from it again where they are not what it says, if that is wished.
pub fn verify(station: &Station, wish: Verify) -> anyhow::Result<Exit> {
    // Engines at work would not hear that the airings were made again.
    let _alone = wish.rebuild.then(|| station.lock()).transpose()?;
    let store = Store::open_existing(&station.data())?;
    let (mended, verdict) = if wish.rebuild { store.mend()? } else { (false, store.verify()?) };
    if mended {
        tracing::warn!("the airings were made from the journal again");
    }
    match wish.format.format {
        Shape::Json => print(Shape::Json, &Table::default(), &verdict)?,
        Shape::Csv => {
            let mut table = Table::new(console::VERDICT_COLUMNS);
            table.row([verdict.rows.to_string(), verdict.head.to_string(), outcome::faults(&verdict)]);
            print(Shape::Csv, &table, &verdict)?;
        }
        Shape::Table => {
            if mended {
                say(console::AIRINGS_MADE_AGAIN)?;
            }
            say(&console::log(&verdict))?;
        }
    }
    Ok(if verdict.is_sound() { Exit::Fine } else { Exit::Tampered })
}
