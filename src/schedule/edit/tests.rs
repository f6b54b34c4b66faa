//! Edits of the example station's own files.

use std::path::Path;

use jiff::SignedDuration;
use jiff::civil::{date, time};
use proptest::prelude::*;

use super::{Edit, EditError, apply};
use crate::schedule::problem::Kind;
use crate::schedule::{
    DayPlan, Late, PlanDate, Play, Replacement, Schedule, Session, Slot, Sources, Start, Weekdays, read,
};

fn example() -> Sources {
    let text = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schedule").join(name);
        Some(std::fs::read_to_string(path).unwrap())
    };
    Sources { station: text("station.toml"), week: text("week.toml"), days: text("days.toml") }
}

fn schedule() -> Schedule {
    read(&example()).unwrap()
}

fn find(schedule: &Schedule, session: &str) -> Session {
    schedule.sessions.iter().find(|own| own.id.as_str() == session).unwrap().clone()
}

fn slot(schedule: &Schedule, session: &str, slot: &str) -> Slot {
    find(schedule, session).slots.iter().find(|own| own.id.as_str() == slot).unwrap().clone()
}

/// The lines that only one of two texts has, as `-old` and `+new`, in order.
fn difference(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[same..], &new[same..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let gone = old[..old.len() - end].iter().map(|line| format!("-{line}"));
    gone.chain(new[..new.len() - end].iter().map(|line| format!("+{line}"))).collect()
}

fn week_change(edit: &Edit) -> Vec<String> {
    let old = example();
    let (new, _) = apply(&old, edit).unwrap();
    assert_eq!((&new.station, &new.days), (&old.station, &old.days), "only the week is written");
    difference(&old.week.unwrap(), &new.week.unwrap())
}

#[test]
fn one_key_that_changes_is_one_line_of_the_file() {
    let to = Slot { length: Some(SignedDuration::from_secs(390)), ..slot(&schedule(), "sang", "ban-tin") };
    let change = week_change(&Edit::Slot { session: "sang".into(), id: "ban-tin".into(), to });
    assert_eq!(change, [r#"-length = "8 min""#, r#"+length = "6 min 30 s""#]);
}

#[test]
fn a_session_is_moved_with_its_slots_left_alone() {
    let old = find(&schedule(), "chieu");
    let days = Weekdays::ALL.without(old.days);
    let to = Session { days, from: time(16, 45, 0, 0), ..old.clone() };
    let edit = Edit::Session { id: old.id.clone(), to: to.clone() };
    // Its slots of Monday to Friday are never on at the weekend: that is said, and nothing is written.
    let Err(EditError::Refused(problems)) = apply(&example(), &edit) else { panic!("it is taken") };
    assert!(problems.iter().any(|problem| matches!(problem.kind, Kind::NeverOn { .. })), "{problems:?}");
    let edit = Edit::Session { id: old.id.clone(), to: Session { days: old.days, ..to } };
    assert_eq!(week_change(&edit), ["-from = 17:00:00", "+from = 16:45:00"]);
}

#[test]
fn what_was_changed_meanwhile_is_said_and_nothing_is_written() {
    let edit = Edit::RemoveSlot { session: "sang".into(), id: "khong-co".into() };
    assert!(matches!(apply(&example(), &edit), Err(EditError::Absent { id, .. }) if id == "khong-co"));
    let mut broken = example();
    broken.week = Some("[[session".to_owned());
    assert!(matches!(apply(&broken, &edit), Err(EditError::Broken(problems)) if problems.len() == 1));
}

#[test]
fn a_slot_goes_with_the_comment_right_above_it() {
    let change = week_change(&Edit::RemoveSlot { session: "sang".into(), id: "loi-chao".into() });
    assert!(change.iter().all(|line| line.starts_with('-')), "{change:#?}");
    assert!(change.iter().any(|line| line.contains("tiếp sóng thời sự VOV1")), "{change:#?}");
    assert!(!change.iter().any(|line| line.contains("Buổi chiều")), "{change:#?}");
}

#[test]
fn a_comment_set_apart_by_an_empty_line_outlives_the_slot_below_it() {
    let mut sources = example();
    let apart = "# Về cả buổi.\n\n# Về mục này.\n[[session.slot]]\nid = \"thoi-tiet\"";
    let week = sources.week.unwrap().replace("[[session.slot]]\nid = \"thoi-tiet\"", apart);
    assert!(week.contains(apart));
    sources.week = Some(week);
    let edit = Edit::RemoveSlot { session: "sang".into(), id: "thoi-tiet".into() };
    let (new, schedule) = apply(&sources, &edit).unwrap();
    let week = new.week.unwrap();
    assert!(week.contains("# Về cả buổi.") && !week.contains("# Về mục này."));
    assert!(!find(&schedule, "sang").slots.iter().any(|slot| slot.id.as_str() == "thoi-tiet"));
}

#[test]
fn a_slot_comes_where_it_is_put_and_moves_with_its_comments() {
    let new = Slot {
        id: "guong-moi".into(),
        title: "Gương mới".to_owned(),
        play: Play::Programme("guong-sang".into()),
        start: Start::Follow,
        days: find(&schedule(), "sang").days,
        length: Some(SignedDuration::from_mins(5)),
        late: Late::Join,
        music: false,
        ..slot(&schedule(), "sang", "ban-tin")
    };
    let add = Edit::AddSlot { session: "sang".into(), after: Some("ban-tin".into()), slot: new.clone() };
    let (sources, schedule) = apply(&example(), &add).unwrap();
    assert_eq!(find(&schedule, "sang").slots[2], new);
    let up = Edit::MoveSlot { session: "sang".into(), id: new.id.clone(), earlier: true };
    let (moved, schedule) = apply(&sources, &up).unwrap();
    assert_eq!(find(&schedule, "sang").slots[1], new);
    let down = Edit::MoveSlot { session: "sang".into(), id: new.id.clone(), earlier: false };
    let (back, _) = apply(&moved, &down).unwrap();
    assert_eq!(back, sources, "to and fro is where it was");
    let (removed, _) = apply(&back, &Edit::RemoveSlot { session: "sang".into(), id: new.id }).unwrap();
    assert_eq!(removed, example(), "put in and taken out leaves no trace");
}

#[test]
fn a_session_comes_and_goes_without_a_trace() {
    let sunday = find(&schedule(), "chu-nhat").days;
    let start = Start::Hard(time(11, 0, 0, 0));
    let first = Slot { days: sunday, start, ..slot(&schedule(), "sang", "ban-tin") };
    let new = Session {
        id: "trua".into(),
        title: "Buổi trưa".to_owned(),
        from: time(11, 0, 0, 0),
        to: time(11, 10, 0, 0),
        days: sunday,
        slots: vec![first],
        ..find(&schedule(), "sang")
    };
    let (sources, schedule) = apply(&example(), &Edit::AddSession(new.clone())).unwrap();
    assert_eq!(find(&schedule, "trua"), new);
    let (back, _) = apply(&sources, &Edit::RemoveSession("trua".into())).unwrap();
    assert_eq!(back, example());
}

#[test]
fn special_days_are_made_changed_and_taken_out() {
    let plan = DayPlan {
        date: PlanDate::Once(date(2027, 2, 8)),
        title: "Mùng ba Tết".to_owned(),
        no_music: false,
        drop: ["chieu".into()].into(),
        replace: vec![Replacement {
            session: "sang".into(),
            slot: "ban-tin".into(),
            title: None,
            play: Play::Programme("diem-tin-tuan".into()),
            length: None,
        }],
        sessions: Vec::new(),
    };
    let (sources, schedule) = apply(&example(), &Edit::Day(plan.clone())).unwrap();
    assert_eq!(schedule.day_plan(date(2027, 2, 8)), Some(&plan));
    let mourning = DayPlan { no_music: true, replace: Vec::new(), ..plan.clone() };
    let (changed, schedule) = apply(&sources, &Edit::Day(mourning.clone())).unwrap();
    assert_eq!(schedule.day_plan(date(2027, 2, 8)), Some(&mourning));
    let (back, _) = apply(&changed, &Edit::RemoveDay(plan.date)).unwrap();
    assert_eq!(back, example());
    let mut none = example();
    none.days = None;
    let (_, schedule) = apply(&none, &Edit::Day(plan.clone())).unwrap();
    assert_eq!(schedule.day_plans, [plan], "the first one makes the file");
}

fn slots() -> impl Strategy<Value = Slot> {
    let play = prop_oneof![
        Just(Play::Programme("ban-tin".into())),
        Just(Play::File("nhạc hiệu \"mới\".ogg".to_owned())),
        Just(Play::All("thong-bao".into())),
        Just(Play::Pool("ca-khuc".into())),
    ];
    let late = prop_oneof![
        Just(Late::Join),
        Just(Late::Skip),
        (1..4000_i64).prop_map(|within| Late::WholeWithin(SignedDuration::from_secs(within))),
    ];
    let start = prop_oneof![
        Just(Start::Follow),
        Just(Start::Fill),
        (35..55_i8).prop_map(|minute| Start::Hard(time(5, minute, 0, 0))),
    ];
    let days = (1..127_u8).prop_map(|bits| {
        let all = Weekdays::ALL.iter().enumerate();
        all.filter(|(n, _)| bits & (1 << n) != 0).map(|(_, day)| day).collect::<Weekdays>()
    });
    let length = prop::option::of((1..86_400_i64).prop_map(SignedDuration::from_secs));
    let from = prop::option::of((1..28_i8).prop_map(|day| date(2026, 12, day)));
    let title = "[a-zA-ZăâđêôơưĂĐ#\"'=\\[\\]\\\\ ]{0,20}x";
    (title, play, late, start, days, length, from, any::<bool>()).prop_map(
        |(title, play, late, start, days, length, from, music)| {
            let title = title.trim().to_owned();
            let template = slot(&schedule(), "sang", "ban-tin");
            let mut slot = Slot { title, play, late, start, days, length, music, ..template };
            slot.valid.from = from;
            slot
        },
    )
}

#[test]
fn what_is_no_music_is_none_from_a_pool_either() {
    let template = slot(&schedule(), "sang", "ban-tin");
    let (play, title) = (Play::Pool("ca-khuc".into()), "Thơ".to_owned());
    let to = Slot { play, title, length: None, ..template };
    assert!(!to.music);
    let edit = Edit::Slot { session: "sang".into(), id: "ban-tin".into(), to: to.clone() };
    let (_, new) = apply(&example(), &edit).unwrap();
    assert_eq!(slot(&new, "sang", "ban-tin"), to);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_back_is_what_was_meant(to in slots()) {
        let edit = Edit::Slot { session: "sang".into(), id: "ban-tin".into(), to: to.clone() };
        match apply(&example(), &edit) {
            Ok((sources, new)) => {
                prop_assert_eq!(slot(&new, "sang", "ban-tin"), to);
                let comments = |sources: &Sources| {
                    let week = sources.week.as_deref().unwrap_or_default();
                    week.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
                };
                prop_assert_eq!(comments(&sources), comments(&example()));
            }
            // The rules of the files hold for edits as well: a fill needs a pool, a pool that follows a length, …
            Err(EditError::Refused(problems)) => prop_assert!(!problems.is_empty()),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
