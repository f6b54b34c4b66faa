//! `check` and `timeline`: what will sound, and what is wrong with it.

use std::sync::Arc;

use anyhow::Context;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::{print, say};
use crate::app::cli::{Days, Shape};
use crate::app::exit::Exit;
use crate::app::planner;
use crate::app::station::Station;
use crate::schedule::{Problem, Schedule};
use crate::store::Store;
use crate::text::console;
use crate::text::finding::{Names, findings};
use crate::text::problem::problem;
use crate::text::table::Table;
use crate::timeline::plan::Plan;
use crate::timeline::{Content, Cue, Finding, Severity, Timeline, Window};

/// Says every mistake of the schedule.
pub fn print_problems(problems: &[Problem]) -> std::io::Result<()> {
    say(&console::mistakes(problems.len()))?;
    for found in problems {
        say(&format!("- {}", problem(found)))?;
    }
    say(console::OLD_SCHEDULE_STAYS)
}

/// Every problem of the station; the exit code says whether there is one.
pub fn check(station: &Station, days: &Days, now: Timestamp) -> anyhow::Result<Exit> {
    let schedule = match station.read_schedule() {
        Ok(schedule) => schedule,
        Err(problems) => {
            match days.format.format {
                Shape::Json => print(Shape::Json, &Table::default(), &problems)?,
                Shape::Table | Shape::Csv => print_problems(&problems)?,
            }
            return Ok(Exit::Problems);
        }
    };
    let plan = plan_of(station, schedule, days, now)?;
    let findings: Vec<_> = plan.timelines.iter().flat_map(|timeline| &timeline.findings).collect();
    match days.format.format {
        Shape::Json => print(Shape::Json, &Table::default(), &findings)?,
        Shape::Table | Shape::Csv if findings.is_empty() => say(console::ALL_WELL)?,
        Shape::Table | Shape::Csv => print_findings(&plan)?,
    }
    Ok(worst(&findings))
}

fn print_findings(plan: &Plan) -> std::io::Result<()> {
    say(&console::count_of_findings(plan.timelines.iter().map(|timeline| timeline.findings.len()).sum()))?;
    for timeline in &plan.timelines {
        for said in findings(&timeline.findings, &Names::of(plan, timeline)) {
            say(&format!("- {said}"))?;
        }
    }
    Ok(())
}

fn worst(findings: &[&Finding]) -> Exit {
    if findings.iter().any(|finding| finding.severity >= Severity::Warning) {
        Exit::Problems
    } else {
        Exit::Fine
    }
}

/// What will sound, to the second.
pub fn timeline(station: &Station, days: &Days, now: Timestamp) -> anyhow::Result<Exit> {
    let schedule = match station.read_schedule() {
        Ok(schedule) => schedule,
        Err(problems) => {
            print_problems(&problems)?;
            return Ok(Exit::Problems);
        }
    };
    let plan = plan_of(station, schedule, days, now)?;
    let mut table = Table::new(console::TIMELINE_COLUMNS);
    for timeline in &plan.timelines {
        for cue in timeline.cues() {
            table.row(row(cue, timeline));
        }
    }
    let cues: Vec<_> =
        plan.timelines.iter().flat_map(|timeline| timeline.cues()).map(|cue| CueLine::of(cue)).collect();
    print(days.format.format, &table, &cues)?;
    let findings: Vec<_> = plan.timelines.iter().flat_map(|timeline| &timeline.findings).collect();
    if days.format.format == Shape::Table && !findings.is_empty() {
        print_findings(&plan)?;
    }
    Ok(worst(&findings))
}

/// A cue for programs.
#[derive(Debug, serde::Serialize)]
struct CueLine<'a> {
    cue: &'a crate::timeline::CueId,
    at: Timestamp,
    end: Timestamp,
    title: &'a str,
    segment: Option<&'a crate::segment::SegmentId>,
    file: Option<&'a str>,
    nothing: Option<&'a crate::timeline::Absence>,
}

impl<'a> CueLine<'a> {
    fn of(cue: &'a Cue) -> Self {
        let nothing = match &cue.content {
            Content::Segment(_) => None,
            Content::Nothing(why) => Some(why),
        };
        let segment = cue.segment();
        Self {
            cue: &cue.id,
            at: cue.at,
            end: cue.end,
            title: &cue.title,
            segment: segment.map(|segment| &segment.id),
            file: segment.map(|segment| segment.file.as_str()),
            nothing,
        }
    }
}

fn row(cue: &Cue, timeline: &Timeline) -> [String; 5] {
    let local = cue.at.to_zoned(timeline.time_zone.clone());
    let (what, note) = match &cue.content {
        Content::Segment(segment) => (segment.words.title.clone(), String::new()),
        Content::Nothing(why) => {
            (console::SILENCE.to_owned(), crate::text::outcome::cause(why.into()).to_owned())
        }
    };
    [
        local.strftime("%d/%m %H:%M:%S").to_string(),
        console::length(cue.duration()),
        cue.title.clone(),
        what,
        note,
    ]
}

/// The plan of some days, from the checked schedule and the station's facts.
pub fn plan_of(station: &Station, schedule: Schedule, days: &Days, now: Timestamp) -> anyhow::Result<Plan> {
    let store = Store::open(&station.data())?;
    let window = window(&schedule, days.from, days.days, now)?;
    Ok(planner::plan(&store, Arc::new(schedule), Arc::default(), window, now)?)
}

/// From the first day's midnight to the last one's, in the station's zone.
fn window(schedule: &Schedule, from: Option<Date>, days: u16, now: Timestamp) -> anyhow::Result<Window> {
    let zone = &schedule.time_zone;
    let first = from.unwrap_or_else(|| now.to_zoned(zone.clone()).date());
    let after = first.checked_add(i32::from(days).days()).context("these days are beyond the calendar")?;
    let midnight = |date: Date| date.to_zoned(zone.clone()).map(|midnight| midnight.timestamp());
    Ok(Window { from: midnight(first)?, to: midnight(after)? })
}
