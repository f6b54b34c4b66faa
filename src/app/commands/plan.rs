//! `check` and `timeline`: what will sound, and what is wrong with it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use super::{print, say};
use crate::app::cli::{Days, Shape};
use crate::app::exit::Exit;
use crate::app::planner;
use crate::app::station::Station;
use crate::media::library::troubles;
use crate::schedule::{Problem, Schedule};
use crate::segment::{FileTrouble, Segment, SegmentId};
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
    let files = bad_files(&station.audio(), &plan, now);
    match days.format.format {
        Shape::Json => {
            let files = files.iter().map(Line::File);
            let lines: Vec<_> = findings.iter().copied().map(Line::Finding).chain(files).collect();
            print(Shape::Json, &Table::default(), &lines)?;
        }
        Shape::Table | Shape::Csv if findings.is_empty() && files.is_empty() => say(console::ALL_WELL)?,
        Shape::Table | Shape::Csv => print_findings(&plan, &files)?,
    }
    Ok(if files.is_empty() { worst(&findings) } else { Exit::Problems })
}

/// What `check` found, for programs.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Finding(&'a Finding),
    File(&'a BadFile),
}

/// A recording that is to air, and whose file is not as it was approved.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct BadFile {
    severity: Severity,
    code: FileTrouble,
    segment: SegmentId,
    file: String,
    title: String,
    /// When it would air first.
    at: Timestamp,
}

/// The recordings that air from now on and whose files are gone or have other bytes, the first to air first.
fn bad_files(audio: &Path, plan: &Plan, now: Timestamp) -> Vec<BadFile> {
    let airing = plan.airing(now);
    let troubles = troubles(audio, airing.iter().map(|(segment, _)| segment.as_ref()));
    let bad = |(segment, at): (Arc<Segment>, Timestamp)| {
        let code = *troubles.get(&segment.id)?;
        let (severity, title) = (Severity::Error, segment.words.title.clone());
        Some(BadFile { severity, code, segment: segment.id.clone(), file: segment.file.clone(), title, at })
    };
    airing.into_iter().filter_map(bad).collect()
}

fn print_findings(plan: &Plan, files: &[BadFile]) -> std::io::Result<()> {
    let of_timelines: usize = plan.timelines.iter().map(|timeline| timeline.findings.len()).sum();
    say(&console::count_of_findings(of_timelines + files.len()))?;
    for BadFile { code, file, title, at, .. } in files {
        let first = at.to_zoned(plan.schedule.time_zone.clone());
        let said = match code {
            FileTrouble::FileMissing => console::file_missing(file, title, &first),
            FileTrouble::FileChanged => console::file_changed(file, title, &first),
        };
        say(&format!("- {said}"))?;
    }
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
        print_findings(&plan, &[])?;
    }
    Ok(worst(&findings))
}

/// A cue for programs.
#[derive(Debug, Serialize)]
struct CueLine<'a> {
    cue: &'a crate::timeline::CueId,
    at: Timestamp,
    end: Timestamp,
    title: &'a str,
    segment: Option<&'a SegmentId>,
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;
    use crate::clock::{Clock, ManualClock};

    #[test]
    fn recordings_that_air_and_whose_files_are_gone_or_changed_are_told() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tempfile::tempdir().unwrap();
        let week = crate::app::demo::set_up(example, folder.path()).unwrap();
        let station = Station::open(folder.path()).unwrap();
        let now: Timestamp = "2026-11-22T20:00:00Z".parse().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(now));
        let store = Store::open(&station.data()).unwrap();
        let intake = crate::app::serve::intake(&station, &store, &clock);
        let list = folder.path().join("list.toml");
        let files = ["nhac-hieu-sang.ogg", "nhac-hieu-chieu.ogg", "canh-bao-lu.ogg"];
        let mut text = fs::File::create(&list).unwrap();
        for file in files {
            fs::copy(example.join("audio").join(file), folder.path().join(file)).unwrap();
            writeln!(text, "[[segment]]\nfile = \"{file}\"\ntitle = \"{file}\"").unwrap();
        }
        super::super::import(&intake, &store, &clock, &list, Some("minh")).unwrap();
        let window = window(&week, None, 7, now).unwrap();
        let plan = planner::plan(&store, Arc::new(week), Arc::default(), window, now).unwrap();
        let told = || -> Vec<_> {
            let bad = bad_files(&station.audio(), &plan, now);
            bad.into_iter().map(|bad| (bad.code, bad.file)).collect()
        };
        assert_eq!(told(), []);
        fs::remove_file(station.audio().join(files[0])).unwrap();
        fs::File::create(station.audio().join(files[1])).unwrap().write_all(b"else").unwrap();
        fs::remove_file(station.audio().join(files[2])).unwrap();
        let expected = [
            (FileTrouble::FileMissing, files[0].to_owned()),
            (FileTrouble::FileChanged, files[1].to_owned()),
        ];
        assert_eq!(told(), expected, "the last is not scheduled");
    }
}
