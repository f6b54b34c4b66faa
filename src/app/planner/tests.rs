//! A planner of the example station, with an engine whose queue is looked into.

use std::path::Path;
use std::sync::mpsc::sync_channel;

use tempfile::TempDir;

use super::*;
use crate::app::boot::boot;
use crate::asrun::Outcome;
use crate::clock::ManualClock;
use crate::engine::handle::Status;
use crate::schedule::OutputId;
use crate::segment::{Approval, FileTrouble, Segment};
use crate::store::{AiringFilter, Attached};
use crate::timeline::fixture::segment;

struct Bench {
    folder: TempDir,
    clock: Arc<ManualClock>,
    planner: Planner,
    commands: Receiver<Command>,
    plan: watch::Receiver<Arc<Plan>>,
    troubles: watch::Sender<Arc<Troubles>>,
}

/// A planner of the example station, with an engine whose queue has so much room.
fn bench(room: usize) -> Bench {
    start(station(), room, "2026-11-23T00:00:00Z")
}

/// A folder with the example station's schedule.
fn station() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("schedule");
    fs::create_dir(folder.path().join("schedule")).unwrap();
    for name in SCHEDULE_FILES {
        fs::copy(example.join(name), folder.path().join("schedule").join(name)).unwrap();
    }
    folder
}

/// The program starts on a station, with a clock that shows this.
fn start(folder: TempDir, room: usize, shows: &str) -> Bench {
    start_while(folder, room, shows, |_| {})
}

/// The same; this happens between the first plan and the planner, which can be long.
fn start_while(folder: TempDir, room: usize, shows: &str, meanwhile: impl FnOnce(&Path)) -> Bench {
    let station = Station::open(folder.path()).unwrap();
    let store = Store::open(&station.data()).unwrap();
    let clock = Arc::new(ManualClock::new(shows.parse().unwrap()));
    let first = Arc::new(boot(&station, &store, clock.now()).unwrap());
    let output: OutputId = first.schedule.outputs[0].id.clone();
    meanwhile(folder.path());
    let (sender, commands) = sync_channel(room);
    let (_, status) = watch::channel(Status::at_first(&output, clock.now()));
    let engine = Handle::new(output, sender, status);
    let (plans, plan) = watch::channel(first);
    let (troubles, seen) = watch::channel(Arc::default());
    let desk = Arc::new(Desk::new(station.schedule(), store.clone()));
    let told = Arc::clone(&clock) as Arc<dyn Clock>;
    let engines = vec![engine];
    let (turned, _) = watch::channel(Duration::ZERO);
    let parts = Parts { station, desk, store, clock: told, engines, plan: plans, troubles: seen, turned };
    let planner = Planner::new(parts).unwrap();
    Bench { folder, clock, planner, commands, plan, troubles }
}

impl Bench {
    fn turn(&mut self) -> usize {
        self.planner.turn().unwrap();
        self.commands.try_iter().filter(|command| matches!(command, Command::Load { .. })).count()
    }

    fn later(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn change(&self) {
        change(self.folder.path());
    }
}

/// Changes a title in the week of a station.
fn change(station: &Path) {
    let path = station.join("schedule/week.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (before, after) = text.rsplit_once("title = \"").unwrap();
    let text = format!("{before}title = \"X{after}");
    fs::File::create(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        .unwrap();
}

#[test]
fn a_file_is_read_when_it_stands_still() {
    let mut bench = bench(64);
    bench.turn();
    bench.change();
    assert_eq!(bench.turn(), 0, "it may be half of what is to come");
    bench.later(SETTLED / 2);
    bench.change();
    assert_eq!(bench.turn(), 0);
    bench.later(SETTLED / 2);
    assert_eq!(bench.turn(), 0);
    bench.later(SETTLED / 2);
    assert_eq!(bench.turn(), 1);
    assert_eq!(bench.turn(), 0);
}

#[test]
fn what_was_changed_while_the_program_started_comes_into_force() {
    let mut bench = start_while(station(), 64, "2026-11-23T00:00:00Z", change);
    let in_force = |bench: &Bench| {
        *bench.plan.borrow().schedule == bench.planner.parts.station.read_schedule(Timestamp::MAX).unwrap()
    };
    assert!(!in_force(&bench), "the first plan is of the files before");
    bench.later(SETTLED);
    bench.turn();
    assert!(in_force(&bench));
    // So does what was changed before a planner that begins anew after a panic.
    bench.change();
    bench.planner = Planner::new(bench.planner.parts.clone()).unwrap();
    bench.later(SETTLED);
    bench.turn();
    assert!(in_force(&bench));
}

#[test]
fn what_was_changed_by_hand_is_kept_when_it_is_found() {
    let mut bench = bench(64);
    let kept = |bench: &Bench| bench.planner.parts.store.revisions(9).unwrap();
    bench.later(SETTLED);
    bench.turn();
    assert_eq!(kept(&bench).len(), 1, "as the program found it");
    bench.change();
    bench.turn();
    bench.later(SETTLED);
    bench.turn();
    let found = kept(&bench);
    assert_eq!((found.len(), found[0].by.as_ref()), (2, None));
    assert_ne!(found[0].files, found[1].files);
    bench.later(SETTLED);
    bench.turn();
    assert_eq!(kept(&bench).len(), 2);
}

#[test]
fn an_engine_that_was_busy_is_told_again() {
    let mut bench = bench(2);
    bench.planner.turn().unwrap();
    bench.change();
    bench.planner.turn().unwrap();
    bench.later(SETTLED);
    let before = bench.plan.borrow().at;
    bench.planner.turn().unwrap();
    assert_eq!(bench.plan.borrow().at, before, "what no engine knows is not in force");
    assert_eq!(bench.commands.try_iter().count(), 2, "the clock and the first timeline");
    assert_eq!(bench.turn(), 1);
    assert!(bench.plan.borrow().at > before);
}

#[test]
fn a_planner_that_is_to_stop_does_not_wait_until_nobody_can_nudge() {
    let mut bench = bench(64);
    let (replan, nudges) = sync_channel(1);
    replan.send(()).unwrap();
    bench.planner.run(&nudges, &AtomicBool::new(true));
    assert_eq!(bench.planner.seen.database, None, "it does not turn once more");
    drop(replan);
}

#[test]
fn a_planner_says_when_it_was_last_through_its_work() {
    let mut bench = bench(64);
    let wakes_once = |bench: &mut Bench| {
        bench.later(TICK);
        let (replan, nudges) = sync_channel(1);
        replan.send(()).unwrap();
        drop(replan);
        bench.planner.run(&nudges, &AtomicBool::new(false));
        *bench.planner.parts.turned.borrow()
    };
    assert_eq!(wakes_once(&mut bench), TICK);
    let other = rusqlite::Connection::open(bench.planner.parts.store.file()).unwrap();
    other.execute_batch("ALTER TABLE newest RENAME TO away").unwrap();
    assert_eq!(wakes_once(&mut bench), TICK, "a turn that failed does not count");
    other.execute_batch("ALTER TABLE away RENAME TO newest").unwrap();
    assert_eq!(wakes_once(&mut bench), 3 * TICK);
}

#[test]
fn what_changed_before_the_first_look_is_seen() {
    let mut bench = bench(64);
    bench.later(TICK);
    bench.turn();
    assert_eq!(bench.plan.borrow().at, bench.clock.now());
}

#[test]
fn a_clock_that_is_wrong_at_the_start_airs_nothing_and_logs_the_gap_once_it_is_right() {
    // The example station's Monday: it begins at 05:30 in Viet Nam, 22:30 UTC of Sunday.
    let Bench { folder, .. } = start(station(), 64, "2026-11-22T22:00:00Z");
    let mut bench = start(folder, 64, "2026-11-22T19:00:00Z");
    let timelines = |bench: &mut Bench| (bench.turn(), bench.plan.borrow().timelines.len());
    assert_eq!(timelines(&mut bench), (0, 1), "people see a plan, no engine goes by it");
    bench.later(Duration::from_secs(600));
    assert_eq!(bench.turn(), 0);
    assert_eq!(missed(&bench), 0, "nobody knows if this is the day");

    // 05:45: ten minutes of it are on the clock that was wrong.
    bench.clock.step_to("2026-11-22T22:45:00Z".parse().unwrap());
    assert_eq!(bench.turn(), 1);
    assert_eq!(missed(&bench), 6, "what the session had before 05:45, and nothing of it is recorded");
    assert_eq!(bench.turn(), 0, "once");
}

#[test]
fn a_clock_that_a_person_confirms_is_gone_by_and_the_engines_hear_since_when() {
    // One moment a year ahead, before the program ended.
    let mut bench = start(station(), 64, "2026-11-22T22:00:00Z");
    bench.later(SETTLED);
    bench.turn();
    let Bench { folder, planner, .. } = bench;
    planner.parts.store.note("2027-11-22T22:00:00Z".parse().unwrap(), Note::Stopped).unwrap();
    drop(planner);
    let mut bench = start(folder, 64, "2026-11-23T00:00:00Z");
    assert_eq!(bench.turn(), 0, "which of the two is right?");
    bench.later(Duration::from_secs(60));
    bench.planner.parts.store.confirm_clock(bench.clock.now(), "minh").unwrap();
    bench.planner.turn().unwrap();
    let told: Vec<_> = bench.commands.try_iter().collect();
    let heard =
        told.iter().position(|told| matches!(told, Command::ClockRight(at) if *at == bench.clock.now()));
    let loaded = told.iter().position(|told| matches!(told, Command::Load { .. }));
    assert!(heard.is_some() && heard < loaded, "{told:?}");
    assert!(missed(&bench) > 6, "the morning, for which it did not run");
    assert_eq!(bench.turn(), 0, "once");
}

#[test]
fn a_step_of_the_clock_that_could_not_be_noted_is_noted_at_the_next_look() {
    let mut bench = bench(64);
    let other = rusqlite::Connection::open(bench.planner.parts.store.file()).unwrap();
    let rows = |bench: &Bench| bench.planner.parts.store.verify().unwrap().rows;
    let before = rows(&bench);
    bench.clock.step_to(bench.clock.now() + SignedDuration::from_secs(5));
    other.execute_batch("ALTER TABLE newest RENAME TO away").unwrap();
    bench.planner.look_at_the_clock(None).unwrap_err();
    other.execute_batch("ALTER TABLE away RENAME TO newest").unwrap();
    bench.planner.look_at_the_clock(None).unwrap();
    assert_eq!(rows(&bench), before + 1);
    bench.planner.look_at_the_clock(None).unwrap();
    assert_eq!(rows(&bench), before + 1, "once");
}

/// How many cues the log says did not air.
fn missed(bench: &Bench) -> usize {
    let log = bench.planner.parts.store.airings(&AiringFilter::default()).unwrap();
    log.airings.iter().filter(|airing| matches!(airing.outcome(), Outcome::NotAired(_))).count()
}

#[test]
fn what_has_no_file_leaves_the_plan_until_it_is_back() {
    let mut bench = bench(64);
    bench.turn();
    let approval = Some(Approval { by: "hoa".into(), at: bench.clock.now() });
    let bulletin = Segment { approval, ..segment("x", "ban-tin", 60) };
    bench.planner.parts.store.add_segment(bulletin.clone(), Attached::default()).unwrap();
    let airs = |bench: &Bench| {
        let plan = bench.plan.borrow();
        plan.airing(plan.at).iter().any(|(segment, _)| segment.id == bulletin.id)
    };
    assert_eq!((bench.turn(), airs(&bench)), (1, true));
    bench.troubles.send_replace(Arc::new([(bulletin.id.clone(), FileTrouble::FileMissing)].into()));
    assert_eq!((bench.turn(), airs(&bench)), (1, false));
    assert_eq!(bench.turn(), 0, "once");
    bench.troubles.send_replace(Arc::default());
    assert_eq!((bench.turn(), airs(&bench)), (1, true));
}

#[test]
fn an_output_that_is_no_more_falls_silent() {
    let bench = bench(64);
    let old = bench.plan.borrow().timelines.clone();
    assert!(changes(&old, &old).is_empty());
    let told = changes(&old, &[]);
    assert_eq!(told.iter().map(|timeline| &timeline.output).collect::<Vec<_>>(), [&old[0].output]);
    assert!(told[0].blocks.is_empty() && !old[0].blocks.is_empty());
    assert_eq!(changes(&[], &old), old);
}

#[test]
fn a_mistake_of_a_special_day_is_none_any_more_when_the_day_is_over() {
    let mut bench = bench(64);
    bench.turn();
    // A day of the station in its zone, 07:00 on Monday the 23rd: what it drops is not there.
    let path = bench.folder.path().join("schedule/days.toml");
    let text = "[[day]]\ndate = 2026-11-23\ntitle = \"Lễ\"\ndrop = [\"khong-co\"]\n";
    fs::File::create(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        .unwrap();
    bench.turn();
    bench.later(SETTLED);
    bench.turn();
    let problems = |bench: &Bench| bench.plan.borrow().problems.len();
    assert_eq!(problems(&bench), 1);
    bench.later(Duration::from_secs(16 * 3_600 + 3_500));
    bench.turn();
    assert_eq!(problems(&bench), 1, "a minute and more before midnight");
    bench.later(Duration::from_secs(120));
    bench.turn();
    assert_eq!(problems(&bench), 0);
    assert_eq!(bench.plan.borrow().schedule.day_plans.len(), 1, "the day, as it is written");
}
