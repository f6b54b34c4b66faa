//! `check` and `timeline`: what will sound, and what is wrong with it.

use std::collections::BTreeSet;
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
use crate::output::amplifier::can_run;
use crate::output::device::is_missing;
use crate::schedule::{OutputId, Problem, Schedule};
use crate::segment::{FileTrouble, Segment, SegmentId, Troubles};
use crate::store::{Store, StoreError};
use crate::text::finding::of_plan;
use crate::text::outcome::OUTPUT;
use crate::text::page::date::nearest;
use crate::text::problem::problem;
use crate::text::table::Table;
use crate::text::{console, disk};
use crate::timeline::plan::Plan;
use crate::timeline::{Content, Cue, Finding, Severity, Timeline, Window};

/// Says every mistake of the schedule, and what plays meanwhile.
pub fn print_problems(station: &Station, problems: &[Problem]) -> std::io::Result<()> {
    say(&console::mistakes(problems.len()))?;
    for found in problems {
        say(&format!("- {}", problem(found)))?;
    }
    say(meanwhile(station))
}

fn meanwhile(station: &Station) -> &'static str {
    if station.in_force().exists() { console::OLD_SCHEDULE_STAYS } else { console::NO_SCHEDULE_YET }
}

/// Every problem of the station; the exit code says whether there is one.
pub fn check(station: &Station, days: &Days, now: Timestamp) -> anyhow::Result<Exit> {
    check_with(station, days, now, is_missing)
}

/// The same, on a machine that lacks these devices.
fn check_with(
    station: &Station,
    days: &Days,
    now: Timestamp,
    is_missing: impl Fn(&str) -> bool,
) -> anyhow::Result<Exit> {
    let schedule = match station.read_schedule(now) {
        Ok(schedule) => schedule,
        Err(problems) => {
            match days.format.format {
                Shape::Json => print(Shape::Json, &Table::default(), &problems)?,
                Shape::Table | Shape::Csv => print_problems(station, &problems)?,
            }
            return Ok(Exit::Problems);
        }
    };
    let (plan, files) = plan_of(station, schedule, days, now)?;
    let findings = to_mend(&plan, days);
    let commands = bad_commands(&plan.schedule);
    let devices = bad_devices(&plan.schedule, is_missing);
    match days.format.format {
        Shape::Json => {
            let mut lines = lines(&plan, days, &files);
            lines.extend(commands.iter().map(Line::Command));
            lines.extend(devices.iter().map(Line::Device));
            print(Shape::Json, &Table::default(), &lines)?;
        }
        Shape::Table | Shape::Csv => {
            for BadCommand { output, command, .. } in &commands {
                say(&format!("- {}", console::command_missing(output.as_str(), command)))?;
            }
            for BadDevice { output, device, .. } in &devices {
                say(&format!("- {}", console::device_missing(output.as_str(), device)))?;
            }
            if !(findings.is_empty() && files.is_empty()) {
                print_findings(&plan, days, &files)?;
            } else if commands.is_empty() && devices.is_empty() {
                say(console::ALL_WELL)?;
            }
        }
    }
    Ok(if commands.is_empty() && devices.is_empty() { worst(&findings, &files) } else { Exit::Problems })
}

/// The amplifiers' commands that this machine cannot run.
fn bad_commands(schedule: &Schedule) -> Vec<BadCommand<'_>> {
    let pairs = schedule.outputs.iter().filter_map(|output| Some((&output.id, output.amplifier.as_ref()?)));
    let programs =
        pairs.flat_map(|(output, pair)| [&pair.on, &pair.off].map(|command| (output, command.first())));
    // Both are often one program.
    let bad: BTreeSet<_> = programs
        .filter_map(|(output, program)| Some((output, program?.as_str())))
        .filter(|(_, program)| !can_run(program))
        .collect();
    let code = "amplifier-command-missing";
    let bad_command = |(output, command)| BadCommand { severity: Severity::Warning, code, output, command };
    bad.into_iter().map(bad_command).collect()
}

/// The outputs whose devices this machine does not have. `default` is whichever there is.
fn bad_devices(schedule: &Schedule, is_missing: impl Fn(&str) -> bool) -> Vec<BadDevice<'_>> {
    let missing = schedule.outputs.iter().filter(|output| is_missing(&output.device));
    let (severity, code) = (Severity::Warning, "device-missing");
    missing.map(|output| BadDevice { severity, code, output: &output.id, device: &output.device }).collect()
}

/// What `check` found, for programs.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Finding {
        output: &'a OutputId,
        #[serde(flatten)]
        finding: &'a Finding,
    },
    File(&'a BadFile),
    Command(&'a BadCommand<'a>),
    Device(&'a BadDevice<'a>),
}

/// A command of an amplifier that this machine cannot run.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct BadCommand<'a> {
    severity: Severity,
    code: &'static str,
    output: &'a OutputId,
    command: &'a str,
}

/// An output's device that this machine does not have.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct BadDevice<'a> {
    severity: Severity,
    code: &'static str,
    output: &'a OutputId,
    device: &'a str,
}

fn lines<'a>(plan: &'a Plan, days: &'a Days, files: &'a [BadFile]) -> Vec<Line<'a>> {
    let of = |timeline: &'a Arc<Timeline>| {
        let output = &timeline.output;
        let findings = timeline.findings.iter().filter(|finding| matters(finding, plan, days));
        findings.map(move |finding| Line::Finding { output, finding })
    };
    plan.timelines.iter().flat_map(of).chain(files.iter().map(Line::File)).collect()
}

/// A recording that is to air, and whose file is not as it was approved.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct BadFile {
    severity: Severity,
    code: FileTrouble,
    segment: SegmentId,
    file: String,
    title: String,
    /// When it would air first.
    at: Timestamp,
}

impl BadFile {
    fn of(segment: &Segment, at: Timestamp, code: FileTrouble) -> Self {
        Self {
            severity: Severity::Error,
            code,
            segment: segment.id.clone(),
            file: segment.file.clone(),
            title: segment.words.title.clone(),
            at,
        }
    }
}

/// Says which files are not as they were approved.
fn print_bad_files(plan: &Plan, files: &[BadFile]) -> std::io::Result<()> {
    for BadFile { code, file, title, at, .. } in files {
        let first = nearest(*at).to_zoned(plan.schedule.time_zone.clone());
        let said = match code {
            FileTrouble::FileMissing => console::file_missing(file, title, &first),
            FileTrouble::FileChanged => console::file_changed(file, title, &first),
            FileTrouble::FileUnreadable => disk::file_unreadable(file, title, &first),
        };
        say(&format!("- {said}"))?;
    }
    Ok(())
}

fn print_findings(plan: &Plan, days: &Days, files: &[BadFile]) -> std::io::Result<()> {
    let said = of_plan(plan, |finding| matters(finding, plan, days));
    say(&console::count_of_findings(said.len() + files.len()))?;
    print_bad_files(plan, files)?;
    said.iter().try_for_each(|said| say(&format!("- {said}")))
}

/// What is not as it should be, and can be mended yet.
fn to_mend<'p>(plan: &'p Plan, days: &Days) -> Vec<&'p Finding> {
    let all = plan.timelines.iter().flat_map(|timeline| &timeline.findings);
    all.filter(|finding| matters(finding, plan, days)).collect()
}

/// Of the hours that are over nobody can mend anything; but who names the first day wants to know of all of it.
fn matters(finding: &Finding, plan: &Plan, days: &Days) -> bool {
    days.from.is_some() || finding.at >= plan.at
}

fn worst(findings: &[&Finding], files: &[BadFile]) -> Exit {
    if !files.is_empty() || findings.iter().any(|finding| finding.severity >= Severity::Warning) {
        Exit::Problems
    } else {
        Exit::Fine
    }
}

/// What will sound, to the second.
pub fn timeline(station: &Station, days: &Days, now: Timestamp) -> anyhow::Result<Exit> {
    let schedule = match station.read_schedule(now) {
        Ok(schedule) => schedule,
        Err(problems) => {
            print_problems(station, &problems)?;
            return Ok(Exit::Problems);
        }
    };
    let (plan, files) = plan_of(station, schedule, days, now)?;
    let cues: Vec<_> = (plan.timelines.iter())
        .flat_map(|timeline| timeline.cues().map(|cue| CueLine::of(cue, &timeline.output)))
        .collect();
    print(days.format.format, &table_of(&plan.timelines), &cues)?;
    judge(&plan, days, &files)
}

/// The exit code for what is wrong with a plan and its files; a person is told of it, below the table.
pub fn judge(plan: &Plan, days: &Days, files: &[BadFile]) -> anyhow::Result<Exit> {
    let findings = to_mend(plan, days);
    if days.format.format == Shape::Table && !(findings.is_empty() && files.is_empty()) {
        print_findings(plan, days, files)?;
    }
    Ok(worst(&findings, files))
}

/// All cues; with their outputs, where there are several.
fn table_of(timelines: &[Arc<Timeline>]) -> Table {
    let mut table = Table::new(console::TIMELINE_COLUMNS);
    let mut outputs = Vec::new();
    for timeline in timelines {
        for cue in timeline.cues() {
            table.row(row(cue, timeline));
            outputs.push(timeline.output.as_str());
        }
    }
    if timelines.len() > 1 { table.after_column(OUTPUT, outputs) } else { table }
}

/// A cue for programs.
#[derive(Debug, Serialize)]
struct CueLine<'a> {
    output: &'a OutputId,
    cue: &'a crate::timeline::CueId,
    at: Timestamp,
    end: Timestamp,
    title: &'a str,
    segment: Option<&'a SegmentId>,
    file: Option<&'a str>,
    nothing: Option<&'a crate::timeline::Absence>,
}

impl<'a> CueLine<'a> {
    fn of(cue: &'a Cue, output: &'a OutputId) -> Self {
        let nothing = match &cue.content {
            Content::Segment(_) => None,
            Content::Nothing(why) => Some(why),
        };
        let segment = cue.segment();
        Self {
            output,
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
    let local = nearest(cue.at).to_zoned(timeline.time_zone.clone());
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

/// The plan of some days, from the checked schedule, the station's facts and its files as they are; and the recordings
/// that would air, were their files not gone or changed.
pub fn plan_of(
    station: &Station,
    schedule: Schedule,
    days: &Days,
    now: Timestamp,
) -> anyhow::Result<(Plan, Vec<BadFile>)> {
    // A station that never played has none, and whoever asks makes none.
    let store = match Store::open_existing(&station.data()) {
        Err(StoreError::Absent { .. }) => None,
        store => Some(store?),
    };
    let store = store.as_ref();
    let window = window(&schedule, days.from, days.days, now)?;
    let mut catalog = store.map(Store::catalog).transpose()?.unwrap_or_default();
    let schedule = Arc::new(schedule);
    let (mut whole, mut broken, mut bad) = (BTreeSet::new(), Troubles::new(), Vec::new());
    // What stands in for a broken one may be broken too. Every round finds one more, or is the last: one that the log
    // holds in its place, as on the air, stays there and is found once.
    loop {
        let plan = planner::plan_of(store, catalog, Arc::clone(&schedule), Arc::default(), window, now)?;
        let mut airing = plan.airing(now);
        airing.retain(|(segment, _)| !whole.contains(&segment.id) && !broken.contains_key(&segment.id));
        let found = troubles(&station.audio(), airing.iter().map(|(segment, _)| segment.as_ref()));
        if found.is_empty() {
            return Ok((plan, bad));
        }
        for (segment, at) in airing {
            match found.get(&segment.id) {
                Some(trouble) => bad.push(BadFile::of(&segment, at, *trouble)),
                None => drop(whole.insert(segment.id.clone())),
            }
        }
        broken.extend(found);
        catalog = Arc::new(plan.catalog.with_troubles(broken.clone()));
    }
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
pub(super) mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::path::Path;

    use jiff::SignedDuration;

    use super::*;
    use crate::app::cli::Format;
    use crate::asrun::{ClockHealth, Fact, Take};
    use crate::clock::{Clock, ManualClock};
    use crate::schedule::{Amplifier, Start};
    use crate::segment::Catalog;
    use crate::timeline::{History, compile, fixture};

    /// The demo's station with these recordings, each in a programme or in none.
    pub(in crate::app::commands) fn station_with(
        files: &[(&str, &str)],
        folder: &Path,
        now: Timestamp,
    ) -> (Station, Schedule) {
        let example = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (station, _, week) = crate::app::demo::set_up(example, folder).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(now));
        let store = Store::open(&station.data()).unwrap();
        let list = folder.join("list.toml");
        let mut text = fs::File::create(&list).unwrap();
        for (file, programme) in files {
            fs::copy(example.join("audio").join(file), folder.join(file)).unwrap();
            writeln!(text, "[[segment]]\nfile = \"{file}\"\ntitle = \"{file}\"").unwrap();
            if !programme.is_empty() {
                writeln!(text, "programme = \"{programme}\"").unwrap();
            }
        }
        let stop = std::sync::atomic::AtomicBool::new(false);
        super::super::import(&station, &store, &clock, (&list, Some("minh")), &stop).unwrap();
        (station, week)
    }

    pub(in crate::app::commands) const NOW: &str = "2026-11-22T20:00:00Z";

    #[test]
    fn a_schedule_with_mistakes_leaves_the_old_one_in_force_where_there_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let (station, _) = station_with(&[("ban-tin.ogg", "")], folder.path(), NOW.parse().unwrap());
        assert_eq!(meanwhile(&station), console::NO_SCHEDULE_YET);
        station.take_in_force(NOW.parse().unwrap()).unwrap();
        assert_eq!(meanwhile(&station), console::OLD_SCHEDULE_STAYS);
    }

    #[test]
    fn a_sound_card_that_this_machine_does_not_have_is_told() {
        let (folder, now) = (tempfile::tempdir().unwrap(), NOW.parse().unwrap());
        let (station, mut week) = station_with(&[("ban-tin.ogg", "")], folder.path(), now);
        week.outputs[0].device = "alsa:plughw:CARD=Sai,DEV=0".to_owned();
        let told = |is_missing: fn(&str) -> bool| {
            let bad = bad_devices(&week, is_missing);
            bad.iter().map(|bad| console::device_missing(bad.output.as_str(), bad.device)).collect::<Vec<_>>()
        };
        assert_eq!(told(|_| false), [""; 0]);
        assert!(told(|name| name.contains("Sai"))[0].contains("`alsa:plughw:CARD=Sai,DEV=0`"));

        // A day with nothing else to mend.
        let week = "[[session]]\nid = \"s\"\ntitle = \"S\"\ndays = [\"mon-sun\"]\nfrom = 05:00:00\nto = 05:02:00\n\
                    [[session.slot]]\nid = \"tin\"\ntitle = \"T\"\nstart = \"hard\"\nplay = { file = \"ban-tin.ogg\" }\n";
        fs::File::create(station.schedule().join("week.toml")).unwrap().write_all(week.as_bytes()).unwrap();
        let days = Days { from: None, days: 1, format: Format { format: Shape::Table } };
        for (lacks, exit) in [(false, Exit::Fine), (true, Exit::Problems)] {
            assert_eq!(check_with(&station, &days, now, |_| lacks).unwrap(), exit);
        }
    }

    #[test]
    fn recordings_that_air_and_whose_files_are_gone_or_changed_are_told() {
        let (folder, now) = (tempfile::tempdir().unwrap(), NOW.parse().unwrap());
        let files = ["nhac-hieu-sang.ogg", "nhac-hieu-chieu.ogg", "canh-bao-lu.ogg"];
        let (station, week) = station_with(&files.map(|file| (file, "")), folder.path(), now);
        let days = Days { from: None, days: 7, format: Format { format: Shape::Table } };
        let told = || -> Vec<_> {
            let (_, bad) = plan_of(&station, week.clone(), &days, now).unwrap();
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

    #[test]
    fn what_is_broken_is_not_planned_and_neither_is_a_stand_in_that_is_broken_too() {
        let (folder, now) = (tempfile::tempdir().unwrap(), NOW.parse().unwrap());
        let files = ["thoi-tiet.ogg", "ban-tin.ogg", "thong-bao-1.ogg"];
        let (station, week) = station_with(&files.map(|file| (file, "ban-tin")), folder.path(), now);
        let days = Days { from: None, days: 1, format: Format { format: Shape::Table } };
        let planned = || {
            let (plan, bad) = plan_of(&station, week.clone(), &days, now).unwrap();
            let airing = plan.airing(now).into_iter().map(|(segment, _)| segment.file.clone());
            (airing.collect::<Vec<_>>(), bad.into_iter().map(|bad| bad.file).collect::<Vec<_>>())
        };
        let mut broken = Vec::new();
        for _ in files {
            let (airing, bad) = planned();
            assert_eq!((airing.len(), &bad), (1, &broken));
            broken.extend(airing);
            fs::remove_file(station.audio().join(broken.last().unwrap())).unwrap();
        }
        assert_eq!(planned(), (Vec::new(), broken));
    }

    #[test]
    fn a_broken_file_of_the_piece_on_air_is_told_once() {
        let (folder, now) = (tempfile::tempdir().unwrap(), NOW.parse().unwrap());
        let (station, week) = station_with(&[("ban-tin.ogg", "ban-tin")], folder.path(), now);
        let days = Days { from: None, days: 2, format: Format { format: Shape::Table } };
        let (plan, _) = plan_of(&station, week.clone(), &days, now).unwrap();
        let (output, mut cues) = (plan.timelines[0].output.clone(), plan.timelines[0].cues());
        let cue = Arc::clone(cues.find(|cue| cue.segment().is_some()).unwrap());
        let at = cue.at;
        let take = Take {
            take: 0,
            planned: at,
            skip: SignedDuration::ZERO,
            held_by: None,
            expected: 48_000,
            sample_rate: 48_000,
            device: String::new(),
            clock: ClockHealth::Unconfirmed,
            opened: at,
            end: None,
        };
        let store = Store::open(&station.data()).unwrap();
        store.record(&Fact::Opened { cue: Arc::clone(&cue), output, take }).unwrap();
        let file = station.audio().join(&cue.segment().unwrap().file);
        fs::File::options().append(true).open(file).unwrap().write_all(b"x").unwrap();
        let (plan, bad) = plan_of(&station, week, &days, at + SignedDuration::from_secs(1)).unwrap();
        assert_eq!(bad.iter().map(|bad| &*bad.file).collect::<Vec<_>>(), ["ban-tin.ogg"]);
        let mut airing = plan.timelines[0].cues().filter(|cue| cue.segment().is_some());
        assert_eq!(airing.next().map(|cue| &cue.id), Some(&cue.id), "it sounds already");
    }

    #[test]
    fn an_amplifiers_command_that_this_machine_cannot_run_is_told() {
        let slot = fixture::slot("tin", Start::Follow, fixture::play("programme:tin"));
        let mut schedule = fixture::schedule("Asia/Ho_Chi_Minh", vec![slot]);
        let command = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let (on, off) = (command("no-such-relay on"), command("no-such-relay off"));
        schedule.outputs[0].amplifier = Some(Amplifier { on, off });
        let bad = bad_commands(&schedule);
        assert_eq!((bad.len(), bad[0].command), (1, "no-such-relay"));
        schedule.outputs[0].amplifier = Some(Amplifier { on: command("sh on"), off: Vec::new() });
        assert_eq!(bad_commands(&schedule), []);
    }

    #[test]
    fn a_cue_has_the_same_second_here_and_in_the_log() {
        let slot = fixture::slot("tin", Start::Follow, fixture::play("programme:tin"));
        let schedule = fixture::schedule("Asia/Ho_Chi_Minh", vec![slot]);
        let window = Window { from: NOW.parse().unwrap(), to: "2026-11-23T17:00:00Z".parse().unwrap() };
        let timeline =
            compile(&schedule, &Catalog::default(), &History::default(), &fixture::output(), window);
        let mut cue = timeline.cues().next().unwrap().as_ref().clone();
        cue.at = "2026-11-23T10:29:05.75Z".parse().unwrap();
        assert_eq!(row(&cue, &timeline)[0], "23/11 17:29:06");
        assert_eq!(crate::text::page::date::second(cue.at, &timeline.time_zone), "17:29:06");
    }

    #[test]
    fn what_sounds_on_several_outputs_is_told_apart() {
        let slot = fixture::slot("tin", Start::Follow, fixture::play("programme:tin"));
        let schedule = fixture::schedule("Asia/Ho_Chi_Minh", vec![slot]);
        let window = Window { from: NOW.parse().unwrap(), to: "2026-11-23T17:00:00Z".parse().unwrap() };
        let of = |output: &str| {
            let mut timeline =
                compile(&schedule, &Catalog::default(), &History::default(), &fixture::output(), window);
            timeline.output = output.into();
            Arc::new(timeline)
        };
        let print = |timelines: &[Arc<Timeline>]| {
            let mut text = Vec::new();
            table_of(timelines).print(&mut text).unwrap();
            String::from_utf8(text).unwrap()
        };
        let one = print(&[of("loa-1")]);
        assert!(one.starts_with("Giờ phát") && !one.contains("loa-1"), "{one}");
        let two = print(&[of("loa-1"), of("loa-2")]);
        assert!(two.starts_with("Đường ra") && two.contains("\nloa-1 ") && two.contains("\nloa-2 "), "{two}");
        let mut plan = Plan {
            schedule: Arc::new(schedule.clone()),
            catalog: Arc::default(),
            timelines: vec![of("loa-1"), of("loa-2")],
            problems: Arc::default(),
            at: window.from,
        };
        let mut days = Days { from: None, days: 1, format: Format { format: Shape::Table } };
        let found = serde_json::to_value(lines(&plan, &days, &[])).unwrap();
        let outputs: BTreeSet<&str> =
            found.as_array().unwrap().iter().map(|line| line["output"].as_str().unwrap()).collect();
        assert_eq!(outputs, ["loa-1", "loa-2"].into(), "{found}");
        // For people once, and only while it can be mended; unless they ask for the day.
        let said = |plan: &Plan, days: &Days| of_plan(plan, |finding| matters(finding, plan, days)).len();
        assert_eq!((said(&plan, &days), to_mend(&plan, &days).len()), (1, 2));
        plan.at = window.to;
        assert_eq!((said(&plan, &days), to_mend(&plan, &days).len()), (0, 0));
        days.from = Some(jiff::civil::date(2026, 11, 23));
        assert_eq!(said(&plan, &days), 1);
    }
}
