//! The repository's own station: its week on the calendar, and its Sunday in sound.

use std::path::Path;
use std::sync::Arc;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use loa::app::commands;
use loa::app::planner;
use loa::app::station::Station as Folder;
use loa::asrun::Outcome;
use loa::clock::{Clock, ManualClock};
use loa::rehearsal::rehearse;
use loa::store::Store;
use loa::timeline::{Severity, Window};
use tempfile::TempDir;

/// A Monday.
const MONDAY: Date = date(2026, 11, 23);

struct Example {
    _folder: TempDir,
    station: Folder,
    store: Store,
}

/// A copy of the repository's station, its recordings taken in and approved on the Sunday before.
fn example() -> Example {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("schedule")).unwrap();
    for name in ["station.toml", "week.toml", "days.toml"] {
        std::fs::copy(root.join("schedule").join(name), folder.path().join("schedule").join(name)).unwrap();
    }
    let station = Folder::open(folder.path()).unwrap();
    let store = Store::open(&station.data()).unwrap();
    let clock = Arc::new(ManualClock::new("2026-11-23T00:00:00+07:00".parse().unwrap())) as Arc<dyn Clock>;
    let list = root.join("audio/segments.toml");
    let stop = std::sync::atomic::AtomicBool::new(false);
    commands::import(&station, &store, &clock, (&list, Some("hoa")), &stop).unwrap();
    Example { _folder: folder, station, store }
}

fn minutes(length: SignedDuration) -> i64 {
    (length.as_secs() + 30) / 60
}

#[test]
fn the_example_week_is_whole_and_its_sunday_airs_to_the_last_frame() {
    let Example { _folder, station, store } = example();
    let schedule = station.read_schedule(Timestamp::MAX).unwrap();
    let midnight: Timestamp = MONDAY.in_tz("Asia/Ho_Chi_Minh").unwrap().timestamp();
    let window = Window { from: midnight, to: midnight + SignedDuration::from_hours(7 * 24) };
    let plan = planner::plan(&store, Arc::new(schedule), Arc::default(), window, midnight).unwrap();
    let timeline = &plan.timelines[0];
    let bad: Vec<_> =
        timeline.findings.iter().filter(|finding| finding.severity >= Severity::Error).collect();
    assert!(bad.is_empty(), "{bad:#?}");

    // Two sessions from Monday to Friday, one on Saturday and Sunday, each of half an hour but for the last.
    let mut days: Vec<(Date, Vec<i64>)> = Vec::new();
    for block in &timeline.blocks {
        let sounding: SignedDuration = block.cues.iter().map(|cue| cue.duration()).sum();
        match days.last_mut() {
            Some((day, sessions)) if *day == block.id.date => sessions.push(minutes(sounding)),
            _ => days.push((block.id.date, vec![minutes(sounding)])),
        }
    }
    let sessions: Vec<usize> = days.iter().map(|(_, sessions)| sessions.len()).collect();
    assert_eq!(sessions, [2, 2, 2, 2, 2, 1, 1], "{days:?}");
    for (day, sessions) in &days[..6] {
        assert!(sessions.iter().all(|minutes| (29..=31).contains(minutes)), "{day}: {sessions:?}");
    }

    let sunday = Window { from: midnight + SignedDuration::from_hours(6 * 24), to: window.to };
    let sunday = planner::plan(&store, Arc::clone(&plan.schedule), Arc::default(), sunday, midnight).unwrap();
    let airings = rehearse(&station.audio(), &sunday.schedule, &sunday.timelines[0], None).unwrap();
    assert_eq!(airings.len(), sunday.timelines[0].cues().count());
    for airing in &airings {
        assert_eq!(airing.outcome(), Outcome::Aired, "{}", airing.item.cue);
    }
}
