//! `rehearse`: days through the real engine, printed as the log that they would give.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::cli::{Rehearse, Shape};
use super::commands::{self, say};
use super::exit::Exit;
use super::station::Station;
use crate::asrun::{Airing, Outcome};
use crate::frames::{self, AIR_RATE};
use crate::output::wav::WavFile;
use crate::rehearsal;
use crate::text::table::Table;
use crate::text::{console, outcome};
use crate::timeline::Timeline;

/// Rehearses what the station's files say, and prints the log that this would give. Nothing is stored.
pub fn rehearse(station: &Station, options: &Rehearse, now: Timestamp) -> anyhow::Result<Exit> {
    let schedule = match station.read_schedule(now) {
        Ok(schedule) => schedule,
        Err(problems) => {
            commands::print_problems(station, &problems)?;
            return Ok(Exit::Problems);
        }
    };
    let (plan, files) = commands::plan_of(station, schedule, &options.days, now)?;
    let mut airings = Vec::new();
    for timeline in &plan.timelines {
        let wav = options.wav.as_deref().map(WavFile::create).transpose()?;
        airings.extend(rehearsal::rehearse(&station.audio(), &plan.schedule, timeline, wav)?);
    }
    let aired = report(&airings, &plan.timelines, options.days.format.format)?;
    // What is not in the plan cannot fail to air: that the plan lacks it is a finding.
    let planned = commands::judge(&plan, &options.days, &files)?;
    Ok(if aired == Exit::Fine { planned } else { aired })
}

fn report(airings: &[Airing], timelines: &[Arc<Timeline>], shape: Shape) -> anyhow::Result<Exit> {
    let mut table = Table::new(outcome::LOG_COLUMNS);
    for (number, airing) in (1..).zip(airings) {
        let timeline = timelines.iter().find(|timeline| timeline.output == airing.item.output);
        let block = timeline
            .and_then(|timeline| timeline.blocks.iter().find(|block| block.id == airing.item.cue.block));
        let zone = timeline.map_or(TimeZone::UTC, |timeline| timeline.time_zone.clone());
        table.row(outcome::log_line(number, block.map_or("", |block| &block.title), airing, &zone));
    }
    commands::print_log(shape, &table, airings)?;
    let aired = airings.iter().filter(|airing| airing.outcome() == Outcome::Aired).count();
    if shape == Shape::Table {
        let frames: u64 = airings.iter().map(Airing::delivered).sum();
        say(&console::rehearsed(airings.len(), aired, frames::duration(frames, AIR_RATE)))?;
    }
    Ok(if aired == airings.len() { Exit::Fine } else { Exit::Problems })
}
