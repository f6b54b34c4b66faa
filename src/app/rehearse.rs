//! Days through the real engine on simulated time, decoding and mixing included.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::cli::{Rehearse, Shape};
use super::commands::{self, say};
use super::exit::Exit;
use super::station::Station;
use crate::asrun::{Airing, Entry, Fact, Outcome};
use crate::clock::{Clock, ClockHealth, ManualClock};
use crate::engine::handle::Command;
use crate::engine::preroll::Inline;
use crate::engine::{Parts, Rehearsal as Engine};
use crate::output::rehearsal::Rehearsal;
use crate::output::wav::WavFile;
use crate::sequencer::Settings;
use crate::text::table::Table;
use crate::text::{console, outcome};
use crate::timeline::Timeline;

/// Rehearses what the station's files say, and prints the log that this would give. Nothing is stored.
pub fn rehearse(station: &Station, options: &Rehearse, now: Timestamp) -> anyhow::Result<Exit> {
    let schedule = match station.read_schedule() {
        Ok(schedule) => schedule,
        Err(problems) => {
            commands::print_problems(&problems)?;
            return Ok(Exit::Problems);
        }
    };
    let plan = commands::plan_of(station, schedule, &options.days, now)?;
    let mut airings = Vec::new();
    for timeline in &plan.timelines {
        let settings = plan.schedule.output(&timeline.output).map_or_else(Settings::default, |line| {
            Settings { lead: line.lead, tail: line.tail, ..Settings::default() }
        });
        airings.extend(run(station, timeline, settings, options.wav.as_deref())?);
    }
    report(&airings, &plan.timelines, options.days.format.format)
}

/// Runs one output's timeline; gives what would be logged, by planned start.
pub fn run(
    station: &Station,
    timeline: &Arc<Timeline>,
    settings: Settings,
    wav: Option<&Path>,
) -> anyhow::Result<Vec<Airing>> {
    let clock = Arc::new(ManualClock::new(timeline.window.from));
    let kept = wav.map(WavFile::create).transpose()?;
    let output = Box::new(Rehearsal::new(Arc::clone(&clock), kept));
    let tail = settings.tail;
    let parts = Parts {
        output: timeline.output.clone(),
        settings,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        opener: Arc::new(Inline { audio: station.audio() }),
        amplifier: Box::new(|_| {}),
    };
    let mut engine = Engine::new(parts, output);
    engine.handle().send(Command::Clock(ClockHealth::Synchronised))?;
    engine.handle().send(Command::Load { timeline: Arc::clone(timeline), settled: Arc::default() })?;
    let mut airings = std::collections::BTreeMap::new();
    let mut note = |fact: Fact| {
        if let Some(entry) = Entry::of(&fact, &[])
            && let Some((_, cue)) = entry.subject()
        {
            let cue = cue.clone();
            let before = airings.remove(&cue);
            airings.extend(Airing::after(before, &entry).map(|airing| (cue, airing)));
        }
    };
    // The last block may begin just before the window's end.
    let over = timeline.blocks.last().map_or(timeline.window.to, |block| block.end.max(timeline.window.to));
    engine.run_until(over + tail + SignedDuration::from_secs(1), &mut note);
    engine.finish(&mut note);
    let mut airings: Vec<Airing> = airings.into_values().collect();
    airings.sort_by_key(|airing| airing.item.planned);
    Ok(airings)
}

fn report(airings: &[Airing], timelines: &[Arc<Timeline>], shape: Shape) -> anyhow::Result<Exit> {
    let mut table = Table::new(outcome::LOG_COLUMNS);
    for (number, airing) in (1..).zip(airings) {
        let timeline = timelines.iter().find(|timeline| timeline.output == airing.item.output);
        let block = timeline
            .and_then(|timeline| timeline.blocks.iter().find(|block| block.id == airing.item.cue.block));
        if let (Some(timeline), Some(block)) = (timeline, block) {
            table.row(outcome::log_line(number, &block.title, airing, &timeline.time_zone));
        }
    }
    commands::print_log(shape, &table, &airings)?;
    let aired = airings.iter().filter(|airing| airing.outcome() == Outcome::Aired).count();
    if shape == Shape::Table {
        let frames: u64 = airings.iter().map(Airing::delivered).sum();
        let sound =
            SignedDuration::try_from(crate::output::duration_of(frames)).unwrap_or(SignedDuration::MAX);
        say(&console::rehearsed(airings.len(), aired, sound))?;
    }
    Ok(if aired == airings.len() { Exit::Fine } else { Exit::Problems })
}
