//! The example station's files, in a folder of their own.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::files::SCHEDULE_FILES;
use super::*;
use crate::schedule::Slot;
use crate::store::BY_HAND;

fn now() -> Timestamp {
    "2026-11-25T01:00:00Z".parse().unwrap()
}

struct Office {
    desk: Desk,
    store: Store,
    folder: TempDir,
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("schedule");
        for name in SCHEDULE_FILES {
            fs::copy(example.join(name), folder.path().join(name)).unwrap();
        }
        let store = Store::open(&folder.path().join("data")).unwrap();
        Self { desk: Desk::new(folder.path().to_owned(), store.clone()), store, folder }
    }

    fn read(&self) -> Sources {
        texts(self.folder.path()).unwrap()
    }

    fn by_hand(&self, name: &str, change: impl FnOnce(String) -> String) {
        let path = self.folder.path().join(name);
        let text = change(fs::read_to_string(&path).unwrap());
        File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn save(&self, wish: &Wish) -> i64 {
        let seen = self.desk.draft(wish, now()).unwrap().seen;
        self.desk.save(wish, &seen, now(), |_| act("schedule.slot")).unwrap().unwrap().revision
    }

    /// Codes and who, the oldest first.
    fn revisions(&self) -> Vec<(String, Option<String>)> {
        let mut all = self.store.revisions(100).unwrap();
        all.reverse();
        all.into_iter().map(|revision| (revision.what, revision.by)).collect()
    }
}

fn act(what: &str) -> Act {
    let (at, by) = (Timestamp::UNIX_EPOCH, "hoa".to_owned());
    Act {
        at,
        by,
        what: what.to_owned(),
        subject: "sang/ban-tin".to_owned(),
        title: None,
        origin: "test".to_owned(),
    }
}

/// The news are to be this long.
fn news(seconds: i64) -> Wish {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("schedule");
    let schedule = schedule::read(&texts(&example).unwrap()).unwrap();
    let slot = schedule.sessions[0].slots.iter().find(|slot| slot.id.as_str() == "ban-tin").unwrap();
    let to = Slot { length: Some(SignedDuration::from_secs(seconds)), ..slot.clone() };
    Wish::Edit(Edit::Slot { session: "sang".into(), id: "ban-tin".into(), to })
}

fn hand() -> (String, Option<String>) {
    (BY_HAND.to_owned(), None)
}

fn hoa() -> (String, Option<String>) {
    ("schedule.slot".to_owned(), Some("hoa".to_owned()))
}

#[test]
fn an_edit_is_written_kept_and_undone_to_the_byte() {
    let office = Office::new();
    let before = office.read();
    let id = office.save(&news(360));
    let after = office.read();
    assert!(after.week.as_ref().unwrap().contains("length = \"6 min\""));
    assert_eq!((&after.station, &after.days), (&before.station, &before.days));
    let undo = Wish::Undo(id);
    let draft = office.desk.draft(&undo, now()).unwrap();
    assert_eq!((&draft.before, &draft.after), (&after, &before));
    office.desk.save(&undo, &draft.seen, now(), |_| act("schedule.undo")).unwrap().unwrap();
    assert_eq!(office.read(), before);
    let undone = ("schedule.undo".to_owned(), Some("hoa".to_owned()));
    assert_eq!(office.revisions(), [hand(), hoa(), undone]);
    assert_eq!(office.store.acts(Timestamp::MIN, Timestamp::MAX, 9).unwrap().len(), 2);
    assert_eq!(fs::read_dir(office.folder.path()).unwrap().count(), 4, "nothing else is left behind");
}

#[test]
fn an_undo_can_be_undone() {
    let office = Office::new();
    let id = office.save(&news(360));
    let edited = office.read();
    let undo = office.save(&Wish::Undo(id));
    office.save(&Wish::Undo(undo));
    assert_eq!(office.read(), edited);
}

#[test]
fn files_that_changed_since_they_were_seen_are_not_written_over() {
    let office = Office::new();
    let wish = news(360);
    let seen = office.desk.draft(&wish, now()).unwrap().seen;
    office.by_hand("week.toml", |text| text.replace("17:31:00", "17:32:00"));
    let changed = office.read();
    assert_eq!(office.desk.save(&wish, &seen, now(), |_| act("schedule.slot")).unwrap(), None);
    assert_eq!(office.read(), changed);
    assert_eq!(office.revisions(), []);
}

#[test]
fn of_two_at_the_same_time_one_writes_and_the_other_is_shown_that() {
    let office = Office::new();
    let wishes = [news(360), news(420)];
    let seen = office.desk.draft(&wishes[0], now()).unwrap().seen;
    let saved: Vec<_> = std::thread::scope(|scope| {
        let save = |wish| office.desk.save(wish, &seen, now(), |_| act("schedule.slot")).unwrap();
        let both = wishes.each_ref().map(|wish| scope.spawn(move || save(wish)));
        both.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(saved.iter().flatten().count(), 1);
    assert_eq!(office.revisions(), [hand(), hoa()]);
}

#[test]
fn what_was_changed_by_hand_can_be_undone_when_it_was_found() {
    let office = Office::new();
    office.save(&news(360));
    let edited = office.read();
    office.by_hand("week.toml", |text| text + "[[session");
    office.desk.keep_found(Timestamp::UNIX_EPOCH).unwrap();
    office.desk.keep_found(Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(office.revisions(), [hand(), hoa(), hand()]);
    office.save(&Wish::Undo(3));
    assert_eq!(office.read(), edited, "what was saved before is still there");
}

#[test]
fn what_was_changed_by_hand_comes_back_by_undoing() {
    let office = Office::new();
    office.save(&news(360));
    office.by_hand("week.toml", |text| text.replace("17:31:00", "17:32:00"));
    let changed = office.read();
    let second = office.save(&news(420));
    assert_eq!(office.revisions(), [hand(), hoa(), hand(), hoa()]);
    office.save(&Wish::Undo(second));
    assert_eq!(office.read(), changed);
}

#[test]
fn a_file_that_is_broken_is_not_edited_but_can_be_undone() {
    let office = Office::new();
    let before = office.read();
    let id = office.save(&news(360));
    office.by_hand("week.toml", |text| text + "[[session");
    let broken = office.read();
    assert!(matches!(office.desk.sheet(now()), Err(EditingError::Edit(EditError::Broken(_)))));
    assert!(matches!(office.desk.draft(&news(420), now()), Err(EditingError::Edit(EditError::Broken(_)))));
    assert_eq!(office.desk.draft(&Wish::Undo(id), now()).unwrap().old, None);
    let undo = office.save(&Wish::Undo(id));
    assert_eq!(office.read(), before);
    let back = Wish::Undo(undo);
    assert!(matches!(office.desk.draft(&back, now()), Err(EditingError::Edit(EditError::Refused(_)))));
    assert_eq!(office.store.revision(undo).unwrap().unwrap().1.unwrap().files, broken, "it is kept");
}

#[test]
fn nothing_is_before_the_first_and_no_revision_is_made_up() {
    let office = Office::new();
    office.save(&news(360));
    for none in [1, 99] {
        let drafted = office.desk.draft(&Wish::Undo(none), now());
        assert!(matches!(drafted, Err(EditingError::NoRevision(id)) if id == none), "{none}");
    }
}

#[test]
fn a_file_that_was_not_there_goes_again_and_one_keeps_who_may_read_it() {
    let office = Office::new();
    fs::remove_file(office.folder.path().join("days.toml")).unwrap();
    let week = office.folder.path().join("week.toml");
    fs::set_permissions(&week, fs::Permissions::from_mode(0o640)).unwrap();
    let mut day = schedule::read(&office.read()).unwrap();
    day.day_plans.clear();
    let plan = schedule::DayPlan {
        date: schedule::PlanDate::Once("2026-12-25".parse().unwrap()),
        title: "Quốc tang".to_owned(),
        no_music: true,
        drop: [].into(),
        replace: Vec::new(),
        sessions: Vec::new(),
    };
    let id = office.save(&Wish::Edit(Edit::Day(plan)));
    assert!(office.read().days.unwrap().contains("no_music = true"));
    office.save(&news(360));
    assert_eq!(fs::metadata(&week).unwrap().permissions().mode() & 0o777, 0o640);
    office.save(&Wish::Undo(id));
    assert_eq!(office.read().days, None);
}

#[test]
fn a_disk_that_takes_nothing_leaves_the_files_as_they_were() {
    let office = Office::new();
    let before = office.read();
    // The week's file has a name so long that none beside it can be longer.
    let long = office.folder.path().join("x".repeat(255));
    let week = office.folder.path().join("week.toml");
    fs::rename(&week, &long).unwrap();
    symlink(&long, &week).unwrap();
    let wish = news(360);
    let seen = office.desk.draft(&wish, now()).unwrap().seen;
    let saved = office.desk.save(&wish, &seen, now(), |_| act("schedule.slot"));
    assert!(matches!(saved, Err(EditingError::Write { .. })), "{saved:?}");
    assert_eq!(office.read(), before);
    assert_eq!(office.revisions(), [hand()]);
}

#[test]
fn copies_that_somebody_keeps_beside_the_files_stay() {
    let office = Office::new();
    let kept = ["week.toml.old", "week.toml.new", "week.toml~", ".week.toml"]
        .map(|name| office.folder.path().join(name));
    for path in &kept {
        File::create(path).unwrap().write_all(b"of somebody").unwrap();
    }
    let id = office.save(&news(360));
    office.save(&Wish::Undo(id));
    for path in &kept {
        assert_eq!(fs::read_to_string(path).unwrap(), "of somebody", "{}", path.display());
    }
    assert_eq!(fs::read_dir(office.folder.path()).unwrap().count(), 8, "nothing else is left behind");
}

#[test]
fn a_change_that_cannot_be_kept_with_who_made_it_is_taken_back() {
    let office = Office::new();
    let id = office.save(&news(360));
    let before = office.read();
    let database = rusqlite::Connection::open(office.store.file()).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON act BEGIN SELECT raise(ABORT, 'the disk is full'); END",
        )
        .unwrap();
    let undo = Wish::Undo(id);
    let seen = office.desk.draft(&undo, now()).unwrap().seen;
    let saved = office.desk.save(&undo, &seen, now(), |_| act("schedule.undo"));
    assert!(matches!(saved, Err(EditingError::Store(_))), "{saved:?}");
    assert_eq!(office.read(), before);
    assert_eq!(office.revisions(), [hand(), hoa()]);
    assert_eq!(fs::read_dir(office.folder.path()).unwrap().count(), 4, "nothing else is left behind");
}
