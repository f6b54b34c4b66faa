//! Edits of the example station's own files.

use std::path::Path;

use jiff::SignedDuration;
use jiff::civil::{date, time};
use proptest::prelude::*;

mod first;

use super::{Edit, EditError, SessionPath};
use crate::schedule::problem::{Kind, Thing};
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

fn apply(sources: &Sources, edit: &Edit) -> Result<(Sources, Schedule), EditError> {
    super::apply(sources, &read(sources).unwrap(), edit, jiff::Timestamp::MIN)
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
fn comments_above_a_key_that_changes_stay_and_of_one_that_goes_what_is_set_apart() {
    let said = "# Về cả mục.\n\n# Theo quy chế.\nlength  = \"8 min\" # tối đa";
    let week = example().week.unwrap().replacen("length = \"8 min\"", said, 1);
    assert!(week.contains(said));
    let written = |length: Option<SignedDuration>| {
        let sources = Sources { week: Some(week.clone()), ..example() };
        let to = Slot { length, ..slot(&schedule(), "sang", "ban-tin") };
        let edit = Edit::Slot { session: "sang".into(), id: "ban-tin".into(), to };
        difference(&week, &apply(&sources, &edit).unwrap().0.week.unwrap())
    };
    let changed = written(Some(SignedDuration::from_secs(390)));
    assert_eq!(changed, ["-length  = \"8 min\" # tối đa", "+length  = \"6 min 30 s\" # tối đa"]);
    assert_eq!(written(None), ["-", "-# Theo quy chế.", "-length  = \"8 min\" # tối đa"]);
}

#[test]
fn the_lines_of_a_file_end_as_they_did() {
    let apart = "# Về cả buổi.\n\n# Về mục này.\n[[session.slot]]\nid = \"thoi-tiet\"";
    let week = example().week.unwrap().replace("[[session.slot]]\nid = \"thoi-tiet\"", apart);
    let edit = Edit::RemoveSlot { session: "sang".into(), id: "thoi-tiet".into() };
    let with = |week: String| {
        let (new, schedule) = apply(&Sources { week: Some(week), ..example() }, &edit).unwrap();
        (new.week.unwrap(), schedule)
    };
    let (unix, expected) = with(week.clone());
    let (windows, schedule) = with(week.replace('\n', "\r\n"));
    assert!(windows.contains("# Về cả buổi.") && !windows.contains("# Về mục này."), "{windows}");
    assert_eq!((windows, schedule), (unix.replace('\n', "\r\n"), expected));
}

#[test]
fn a_session_is_moved_with_its_slots_left_alone() {
    let old = find(&schedule(), "chieu");
    let days = Weekdays::ALL.without(old.days);
    let to = Session { days, from: time(16, 45, 0, 0), ..old.clone() };
    let edit = Edit::Session { id: "chieu".into(), to: to.clone() };
    // Its slots of Monday to Friday are never on at the weekend: that is said, and nothing is written.
    let Err(EditError::Refused(problems)) = apply(&example(), &edit) else { panic!("it is taken") };
    assert!(problems.iter().any(|problem| matches!(problem.kind, Kind::NeverOn { .. })), "{problems:?}");
    let edit = Edit::Session { id: "chieu".into(), to: Session { days: old.days, ..to } };
    assert_eq!(week_change(&edit), ["-from = 17:00:00", "+from = 16:45:00"]);
}

#[test]
fn of_a_session_that_moves_as_a_whole_exact_times_are_written_and_no_others() {
    let mut sources = example();
    let old = find(&schedule(), "chieu");
    let to = Session { from: time(18, 0, 0, 0), to: time(18, 31, 0, 0), ..old.clone() };
    let to = Session { slots: old.slots_moved(&to), ..to };
    let week = sources.week.clone().unwrap();
    let (new, schedule) = apply(&sources, &Edit::Session { id: "chieu".into(), to: to.clone() }).unwrap();
    assert_eq!(find(&schedule, "chieu"), to);
    let (before, after) = week.split_once("id = \"chieu\"").unwrap();
    let after =
        after.replacen("from = 17:00:00", "from = 18:00:00", 1).replacen("to = 17:31:00", "to = 18:31:00", 1);
    let after = after.replacen("at = 17:30:00", "at = 18:30:00", 1);
    assert_eq!(new.week, Some(format!("{before}id = \"chieu\"{after}")));
    // And back, to the byte.
    sources.week = new.week;
    let (back, _) = apply(&sources, &Edit::Session { id: "chieu".into(), to: old }).unwrap();
    assert_eq!(back.week, Some(week));
}

#[test]
fn what_was_changed_meanwhile_is_said_and_nothing_is_written() {
    let edit = Edit::RemoveSlot { session: "sang".into(), id: "khong-co".into() };
    assert!(matches!(apply(&example(), &edit), Err(EditError::Absent { id, .. }) if id == "khong-co"));
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
    let (sources, schedule) =
        apply(&example(), &Edit::AddSession { day: None, session: new.clone() }).unwrap();
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

/// Days with sessions of their own, written as people do. The 6th is a Saturday.
const DAYS: &str = r#"# Tết Đinh Mùi.

# Mùng một: không có buổi thường ngày.
[[day]]
date = 2027-02-06
title = "Mùng một Tết"
drop = ["sang"]   # nghỉ

# Chúc Tết, mỗi năm một lần.
[[day.session]]
id = "chuc-tet"
title = 'Chúc Tết'
from = 05:30:00     # như buổi sáng
to = 06:00:00

# Phần của chủ tịch.

# Ghi âm trước.
[[day.session.slot]]
id = "loi-chuc"
play = { programme = "ban-tin" }

[[day.session.slot]]
id = "ca-khuc"
start = "fill"
play = { pool = "ca-khuc" }   # cho hết giờ

[[day.replace]]
slot = "chuc-tet/loi-chuc"
play = { programme = "ban-tin" }

# Khi nào cũng vậy.
[[day]]
every_year = "2/9"
title = "Quốc khánh"
drop = ["sang"]
session = [{ id = "chao-co", from = 07:00:00, to = 07:05:00, slot = [{ id = "chao", play = { programme = "ban-tin" } }] }]
"#;

fn special() -> Sources {
    Sources { days: Some(DAYS.to_owned()), ..example() }
}

const NEW_YEAR: PlanDate = PlanDate::Once(date(2027, 2, 6));

fn wishes() -> SessionPath {
    SessionPath { day: Some(NEW_YEAR), id: "chuc-tet".into() }
}

fn own(schedule: &Schedule, path: &SessionPath) -> Session {
    path.find(schedule).unwrap_or_else(|| panic!("no {path:?}")).clone()
}

fn days_change(edit: &Edit) -> (Vec<String>, Schedule) {
    let old = special();
    let (new, schedule) = apply(&old, edit).unwrap();
    assert_eq!((&new.station, &new.week), (&old.station, &old.week), "only the days are written");
    (difference(DAYS, &new.days.unwrap()), schedule)
}

#[test]
fn a_days_own_session_is_changed_where_it_stands() {
    let before = own(&read(&special()).unwrap(), &wishes());
    let to = Session { title: "Chúc mừng".to_owned(), from: time(5, 35, 0, 0), ..before.clone() };
    let (change, schedule) = days_change(&Edit::Session { id: wishes(), to: to.clone() });
    let lines = [
        "-title = 'Chúc Tết'",
        "-from = 05:30:00     # như buổi sáng",
        "+title = \"Chúc mừng\"",
        "+from = 05:35:00     # như buổi sáng",
    ];
    assert_eq!(change, lines);
    let first = Slot { start: Start::Hard(to.from), ..to.slots[0].clone() };
    assert_eq!(own(&schedule, &wishes()), Session { slots: vec![first, to.slots[1].clone()], ..to });
    // The same ids on another day, or in the week, are others.
    for other in
        ["chuc-tet".into(), SessionPath { day: Some(PlanDate::Yearly { month: 9, day: 2 }), ..wishes() }]
    {
        let edit = Edit::Session { id: other, to: before.clone() };
        assert!(matches!(apply(&special(), &edit), Err(EditError::Absent { thing: Thing::Session, .. })));
    }
}

#[test]
fn a_days_own_slots_come_move_and_go_without_a_trace() {
    let last = own(&read(&special()).unwrap(), &wishes()).slots[1].clone();
    let new = Slot { id: "thong-bao".into(), title: "Thông báo".to_owned(), start: Start::Follow, ..last };
    let new = Slot { play: Play::Programme("ban-tin".into()), music: false, ..new };
    let add = Edit::AddSlot { session: wishes(), after: Some("loi-chuc".into()), slot: new.clone() };
    let (change, schedule) = days_change(&add);
    assert_eq!(own(&schedule, &wishes()).slots[1], new);
    assert!(
        change.iter().all(|line| line.starts_with('+')) && !change.concat().contains("days"),
        "{change:#?}"
    );
    let (added, _) = apply(&special(), &add).unwrap();
    let step = |of: &Sources, earlier| {
        apply(of, &Edit::MoveSlot { session: wishes(), id: new.id.clone(), earlier }).unwrap().0
    };
    let moved = step(&added, true);
    assert_eq!(own(&read(&moved).unwrap(), &wishes()).slots[0].id, new.id);
    assert_eq!(step(&moved, false), added, "to and fro is where it was");
    let away = Edit::RemoveSlot { session: wishes(), id: new.id.clone() };
    assert_eq!(apply(&added, &away).unwrap().0, special());
}

#[test]
fn what_an_empty_line_sets_apart_outlives_a_days_slot_and_session() {
    let edit = Edit::RemoveSlot { session: wishes(), id: "ca-khuc".into() };
    assert!(days_change(&edit).0.iter().all(|line| line.starts_with('-')));
    let apart =
        DAYS.replace("[[day.session.slot]]\nid = \"ca", "# Về nhạc.\n\n[[day.session.slot]]\nid = \"ca");
    let (new, _) = apply(&Sources { days: Some(apart), ..special() }, &edit).unwrap();
    let text = new.days.unwrap();
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words}: {text}"));
    assert!(at("# Về nhạc.") < at("# Khi nào"), "before whatever comes next: {text}");
    // What refers to it keeps it: a replacement of this very slot.
    for edit in [Edit::RemoveSlot { session: wishes(), id: "loi-chuc".into() }, Edit::RemoveSession(wishes())]
    {
        let Err(EditError::Refused(problems)) = apply(&special(), &edit) else { panic!("it is gone") };
        assert!(matches!(problems[0].kind, Kind::Unknown { .. }), "{problems:?}");
        let text = DAYS.replace(
            "[[day.replace]]\nslot = \"chuc-tet/loi-chuc\"\nplay = { programme = \"ban-tin\" }\n",
            "",
        );
        assert_ne!(text, DAYS);
        let (new, _) = apply(&Sources { days: Some(text), ..special() }, &edit).unwrap();
        let text = new.days.unwrap();
        assert!(text.contains("# Mùng một") && text.contains("# Khi nào cũng vậy."), "{text}");
        let whole = matches!(edit, Edit::RemoveSession(_));
        assert_eq!(text.contains("# Phần của chủ tịch."), !whole, "{text}");
        assert!(!text.contains("# Ghi âm trước."), "{text}");
    }
}

#[test]
fn a_day_gets_a_session_of_its_own_and_a_new_day_may_begin_with_one() {
    let new = Session {
        id: "mung-hai".into(),
        days: NEW_YEAR.weekdays(),
        from: time(8, 0, 0, 0),
        to: time(8, 5, 0, 0),
        ..own(&read(&special()).unwrap(), &wishes())
    };
    let slots = vec![Slot { start: Start::Hard(new.from), ..new.slots[0].clone() }];
    let new = Session { slots, ..new };
    let add = Edit::AddSession { day: Some(NEW_YEAR), session: new.clone() };
    let (change, schedule) = days_change(&add);
    let path = SessionPath { day: Some(NEW_YEAR), id: new.id.clone() };
    assert_eq!(own(&schedule, &path), new);
    assert!(
        change.iter().all(|line| line.starts_with('+')) && !change.concat().contains("days"),
        "{change:#?}"
    );
    let (added, _) = apply(&special(), &add).unwrap();
    assert_eq!(apply(&added, &Edit::RemoveSession(path)).unwrap().0, special());
    // An id that the day has already is refused; a day that is not special is no place.
    let again =
        Edit::AddSession { day: Some(NEW_YEAR), session: Session { id: "chuc-tet".into(), ..new.clone() } };
    let Err(EditError::Refused(problems)) = apply(&special(), &again) else { panic!("it is taken") };
    assert!(problems.iter().any(|problem| matches!(problem.kind, Kind::Duplicate { .. })), "{problems:?}");
    let other = PlanDate::Once(date(2027, 2, 13));
    let nowhere = Edit::AddSession { day: Some(other), session: new.clone() };
    assert!(matches!(apply(&special(), &nowhere), Err(EditError::Absent { thing: Thing::DayPlan, .. })));

    let plan = DayPlan {
        date: other,
        title: "Hội làng".to_owned(),
        no_music: false,
        drop: [].into(),
        replace: Vec::new(),
        sessions: vec![new],
    };
    let (added, schedule) = apply(&special(), &Edit::Day(plan.clone())).unwrap();
    assert_eq!(schedule.day_plan(date(2027, 2, 13)), Some(&plan));
    assert_eq!(apply(&added, &Edit::RemoveDay(other)).unwrap().0, special());
}

/// A day on which three slots are other ones, as people write it.
const REPLACED: &str = r#"
[[day]]
every_year = "26/3"
title = "Ngày thành lập Đoàn"

# Đoàn xã đọc.
[[day.replace]]
slot = "sang/ban-tin"
play = { programme = "guong-sang" }   # bài của Đoàn
length = "90 s"

# Cả tuần.

# Hai mục, một bài.
[[day.replace]]
slot = [
    "sang/chuyen-muc-t2",
    "sang/chuyen-muc-t3",
]
play = { programme = "guong-sang" }
"#;

#[test]
fn of_what_a_day_plays_instead_only_what_changes_is_written() {
    let text = format!("{}{REPLACED}", example().days.unwrap());
    let sources = Sources { days: Some(text.clone()), ..example() };
    let date = PlanDate::Yearly { month: 3, day: 26 };
    let plan = read(&sources).unwrap().day_plans.into_iter().find(|plan| plan.date == date).unwrap();
    let [news, monday, tuesday] = plan.replace.as_slice() else { panic!("{plan:?}") };
    let written = |replace: &[&Replacement]| {
        let replace: Vec<_> = replace.iter().copied().cloned().collect();
        let to = DayPlan { replace: replace.clone(), ..plan.clone() };
        let (new, schedule) = apply(&sources, &Edit::Day(to)).unwrap();
        let read = schedule.day_plans.into_iter().find(|plan| plan.date == date).unwrap().replace;
        assert_eq!(read.len(), replace.len());
        assert!(replace.iter().all(|one| read.contains(one)), "{read:#?}");
        difference(&text, &new.days.unwrap())
    };
    let weather = Replacement { slot: "thoi-tiet".into(), ..news.clone() };
    let more = written(&[news, monday, tuesday, &weather]);
    assert!(more.iter().all(|line| line.starts_with('+')) && more.len() == 5, "{more:#?}");
    let longer = Replacement { length: Some(SignedDuration::from_mins(2)), ..news.clone() };
    assert_eq!(written(&[monday, tuesday, &longer]), ["-length = \"90 s\"", "+length = \"2 min\""]);
    assert_eq!(written(&[news, tuesday]), ["-    \"sang/chuyen-muc-t2\","]);
    let fewer = written(&[news]);
    assert!(fewer.iter().all(|line| line.starts_with('-')), "{fewer:#?}");
    assert!(!fewer.iter().any(|line| line.contains("Cả tuần")), "it is set apart: {fewer:#?}");
    // One of several that plays something else has a table of its own.
    let other = Replacement { title: Some("Riêng".to_owned()), ..tuesday.clone() };
    let apart = written(&[news, monday, &other]);
    assert!(apart.contains(&"+title = \"Riêng\"".to_owned()), "{apart:#?}");
    assert!(apart.iter().all(|line| !line.contains("t2") && !line.contains("Đoàn")), "{apart:#?}");
}

#[test]
fn a_day_written_in_one_line_is_changed_as_well() {
    let path = SessionPath { day: Some(PlanDate::Yearly { month: 9, day: 2 }), id: "chao-co".into() };
    let before = own(&read(&special()).unwrap(), &path);
    let to = Session { to: time(7, 10, 0, 0), ..before };
    let (_, schedule) = days_change(&Edit::Session { id: path.clone(), to: to.clone() });
    assert_eq!(own(&schedule, &path), to);
}

#[test]
fn a_days_own_session_repeats_what_airs_that_day() {
    // The morning is on from Monday to Saturday: on this Saturday it is there, whatever Sundays have.
    let days = DAYS
        .replace("drop = [\"sang\"]   # nghỉ\n", "")
        .replace("from = 05:30:00     # như buổi sáng\nto = 06:00:00", "from = 07:30:00\nto = 08:00:00");
    let sources = Sources { days: Some(days), ..example() };
    let before = own(&read(&sources).unwrap(), &wishes()).slots[1].clone();
    let play = Play::Repeat { session: "sang".into(), slot: "ban-tin".into() };
    let to = Slot { play, start: Start::Follow, title: "Nghe lại".to_owned(), music: false, ..before };
    let edit = Edit::Slot { session: wishes(), id: "ca-khuc".into(), to: to.clone() };
    let (_, schedule) = apply(&sources, &edit).unwrap();
    assert_eq!(own(&schedule, &wishes()).slots[1], to);
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

/// All that the files say besides the slot: the other paragraphs to the byte, and of its own the comments.
fn besides(sources: &Sources, own_day: bool, id: &str) -> (Sources, Vec<String>) {
    let mut rest = sources.clone();
    let text = if own_day { &mut rest.days } else { &mut rest.week };
    let said = text.take().unwrap();
    let own = |paragraph: &&str| paragraph.contains(&format!("slot]]\nid = \"{id}\""));
    let paragraphs = || said.split("\n\n");
    let comments = paragraphs().filter(own).flat_map(str::lines).filter(|line| line.starts_with('#'));
    let kept = comments.map(str::to_owned).collect();
    *text = Some(paragraphs().filter(|paragraph| !own(paragraph)).collect::<Vec<_>>().join("\n\n"));
    (rest, kept)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_back_is_what_was_meant(to in slots(), own_day in any::<bool>()) {
        let (session, id) = if own_day { (wishes(), "loi-chuc") } else { ("sang".into(), "ban-tin") };
        let to = Slot { id: id.into(), ..to };
        let edit = Edit::Slot { session: session.clone(), id: id.into(), to: to.clone() };
        match apply(&special(), &edit) {
            Ok((sources, new)) => {
                let slots = own(&new, &session).slots;
                prop_assert_eq!(slots.iter().find(|slot| slot.id == to.id), Some(&to));
                prop_assert_eq!(besides(&sources, own_day, id), besides(&special(), own_day, id));
            }
            // The rules of the files hold for edits as well: a fill needs a pool, a pool that follows a length, …
            Err(EditError::Refused(problems)) => prop_assert!(!problems.is_empty()),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
