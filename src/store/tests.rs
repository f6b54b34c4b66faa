//! Facts, segments and people for the tests of this room.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::{Act, Attached, Link, Secret, Store, StoreError, User};
use crate::access::Role;
use crate::access::password::Kept;
use crate::asrun::{Cause, ClockHealth, Closed, Fact, NotAired, Take};
use crate::schedule::Late;
use crate::segment::{Approval, ContentHash, Genre, Segment, Sound, State, Words};
use crate::timeline::{Content, Cue, Form, Join, Layer};

/// One thing with people at a time, which is no act.
impl Store {
    pub(crate) fn add_user(
        &self,
        name: &str,
        roles: &BTreeSet<Role>,
        at: Timestamp,
    ) -> Result<User, StoreError> {
        let (name, roles) = (name.to_owned(), roles.clone());
        self.with_people("add a user", move |people| people.add_user(&name, &roles, at))
    }

    pub(crate) fn revoke_user(&self, name: &str, at: Timestamp) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.with_people("revoke a user", move |people| people.revoke(&name, at))
    }

    pub(crate) fn new_token(&self, name: &str, label: &str, at: Timestamp) -> Result<Secret, StoreError> {
        let (name, label) = (name.to_owned(), label.to_owned());
        self.with_people("make a token", move |people| people.new_token(&name, &label, at))
    }

    pub(crate) fn new_link(&self, link: Link, at: Timestamp) -> Result<Secret, StoreError> {
        self.with_people("make a link", move |people| people.new_link(link, at))
    }

    pub(crate) fn set_password(&self, link: &str, kept: Kept, at: Timestamp) -> Result<bool, StoreError> {
        let link = link.to_owned();
        self.with_people("set a password", move |people| people.set_password(&link, kept, at))
    }

    pub(crate) fn sign_in(&self, name: &str, at: Timestamp) -> Result<Secret, StoreError> {
        let name = name.to_owned();
        self.with_people("sign in", move |people| people.sign_in(&name, at))
    }
}

/// A store in a folder that goes with it.
pub(super) fn store() -> (Store, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Store::open(dir.path()).unwrap(), dir)
}

/// 05:30 in Viet Nam on a Monday, and so many seconds.
pub(super) fn at(seconds: i64) -> Timestamp {
    "2026-11-22T22:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

/// What Lan did.
pub(super) fn act(what: &str, seconds: i64) -> Act {
    let (by, what) = ("lan".to_owned(), what.to_owned());
    Act { at: at(seconds), by, what, subject: "x".to_owned(), title: None, origin: "test".to_owned() }
}

/// The `n`th segment; bytes, words and length differ.
pub(super) fn segment(n: u32) -> Segment {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    let hash = ContentHash(bytes);
    Segment {
        id: hash.segment_id(),
        hash,
        file: format!("cầm tay chỉ việc {n}.mp3"),
        words: Words {
            title: format!("Quét mã QR đúng cách, bài {n}"),
            programme: Some("cam-tay-chi-viec".into()),
            topic: Some("II.2".into()),
            genre: Some(Genre::Feature),
            author: Some("Nguyễn Thị Lan".into()),
            source: Some("Tổ công nghệ số cộng đồng".into()),
            valid_from: Some("2026-11-01".parse().unwrap()),
            valid_until: None,
            week: Some("2026-11-23".parse().unwrap()),
        },
        sound: Sound {
            whole: SignedDuration::from_millis(10_500),
            cue_in: SignedDuration::from_millis(250),
            cue_out: SignedDuration::from_millis(10_250),
            channels: 1,
            sample_rate: 44_100,
            loudness_lufs: -19.25,
            true_peak_dbtp: f64::NEG_INFINITY,
            skipped_packets: 2,
            codec: "mp3".into(),
        },
        state: State::Draft,
        approval: None,
        added: at(i64::from(n)),
        added_by: "lan".into(),
    }
}

/// The cue with a number: 10 s of a segment, a minute after the one before.
pub(super) fn cue(number: u16, piece: u32) -> Arc<Cue> {
    let mut segment = segment(piece);
    segment.state = State::Approved;
    segment.approval = Some(Approval { by: "minh".into(), at: at(-3_600) });
    let start = at(i64::from(number) * 60);
    Arc::new(Cue {
        id: format!("2026-11-23/sang/muc/{number}").parse().unwrap(),
        session_title: Some("Buổi phát dùng thử".into()),
        title: "Cầm tay chỉ việc".to_owned(),
        programme: segment.words.programme.clone(),
        topic: segment.words.topic.clone(),
        genre: segment.words.genre,
        start: Join::Hard,
        at: start,
        end: start + SignedDuration::from_secs(10),
        fade: SignedDuration::ZERO,
        lost: SignedDuration::ZERO,
        late: Late::Join,
        form: Form::Own,
        layer: Layer::Scheduled,
        ordered_by: None,
        content: Content::Segment(Arc::new(segment)),
        gain_db: 1.0 / 3.0,
    })
}

pub(super) const EXPECTED: u64 = 480_000;

pub(super) fn opened(cue: &Arc<Cue>, take: u16) -> Fact {
    let take = Take {
        take,
        planned: cue.at,
        skip: SignedDuration::ZERO,
        held_by: None,
        expected: EXPECTED,
        sample_rate: 48_000,
        device: "alsa:hw:CARD=Device,DEV=0".to_owned(),
        clock: ClockHealth::Synchronised,
        opened: cue.at - SignedDuration::from_secs(1) + SignedDuration::from_millis(i64::from(take)),
        end: None,
    };
    Fact::Opened { cue: Arc::clone(cue), output: "loa-xa".into(), take }
}

pub(super) fn closed(cue: &Arc<Cue>, take: u16, delivered: u64, cause: Option<Cause>) -> Fact {
    let started = cue.at + SignedDuration::from_micros(120);
    Fact::Closed(Closed {
        cue: cue.id.clone(),
        output: "loa-xa".into(),
        take,
        started: (delivered > 0).then_some(started),
        ended: (delivered > 0).then_some(started + SignedDuration::from_secs(10)),
        delivered,
        starved: 0,
        unpowered: false,
        held_by: None,
        cause,
        at: started + SignedDuration::from_secs(10),
    })
}

pub(super) fn taken_back(cue: &Arc<Cue>, take: u16) -> Fact {
    Fact::TakenBack { cue: cue.id.clone(), output: "loa-xa".into(), take, at: cue.at }
}

pub(super) fn not_aired(cue: &Arc<Cue>, cause: Cause) -> Fact {
    Fact::NotAired(NotAired {
        cue: Arc::clone(cue),
        output: "loa-xa".into(),
        cause,
        clock: ClockHealth::Unconfirmed,
        at: cue.end,
    })
}

/// Airs a cue as planned.
pub(super) fn air(store: &Store, cue: &Arc<Cue>) {
    store.record(&opened(cue, 0)).unwrap();
    store.record(&closed(cue, 0, EXPECTED, None)).unwrap();
}

mod opening {
    use std::collections::BTreeSet;

    use futures_util::FutureExt as _;
    use rusqlite::Connection;

    use super::super::{DATABASE, Identity, MIGRATIONS, READERS, Readers, StoreError, open_writer};
    use super::*;

    #[test]
    fn a_new_store_has_the_newest_version_and_opens_again() {
        let (store, dir) = store();
        air(&store, &cue(1, 1));
        drop(store);
        let raw = Connection::open(dir.path().join(DATABASE)).unwrap();
        let version: u32 = raw.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(usize::try_from(version).unwrap(), MIGRATIONS.len());
        assert_eq!(Store::open(dir.path()).unwrap().verify().unwrap().rows, 2);
    }

    #[test]
    fn an_older_database_is_brought_up_without_losing_anything() {
        let dir = tempfile::tempdir().unwrap();
        let raw = open_writer(&dir.path().join(DATABASE)).unwrap();
        raw.execute_batch(MIGRATIONS[0]).unwrap();
        raw.execute("INSERT INTO heartbeat VALUES ('loa-xa', 5)", []).unwrap();
        raw.pragma_update(None, "user_version", 1).unwrap();
        drop(raw);
        let store = Store::open(dir.path()).unwrap();
        assert!(store.users().unwrap().is_empty());
        let raw = Connection::open(store.file()).unwrap();
        let kept: i64 = raw.query_row("SELECT at_ms FROM heartbeat", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 5);
    }

    #[test]
    fn an_order_stands_until_it_is_called_off_whichever_is_kept_first() {
        let (store, _dir) = store();
        let act = |what: &str, subject: &str| Act {
            at: at(1),
            by: "lan".to_owned(),
            what: what.to_owned(),
            subject: subject.to_owned(),
            title: None,
            origin: "x".to_owned(),
        };
        let order = |id: &str| {
            store.act_of_order(act("interrupt.emergency", &format!("{id} tin")), Some(id)).unwrap()
        };
        let call_off = |id: &str| store.act_of_call_off(act("interrupt.call-off", id), true).unwrap();
        let standing = || -> Vec<String> {
            let orders = store.standing_orders(at(9)).unwrap();
            assert!(orders.iter().all(|(id, body)| id == body));
            orders.into_iter().map(|(id, _)| id).collect()
        };
        assert!(order("first") && order("second") && !order("second"));
        store.act_of_order(act("interrupt.live", "third tin"), None).unwrap();
        assert_eq!(standing(), ["first", "second"]);
        assert!(call_off("first"));
        assert_eq!(standing(), ["second"]);
        assert!(!order("first"), "pressed again, it is over");
        assert!(call_off("late") && order("late"), "the disk was slow to keep the order");
        assert_eq!(standing(), ["second"]);
        store.end_standing_order("second").unwrap();
        assert_eq!(standing(), [""; 0]);
    }

    #[test]
    fn orders_stand_in_the_order_in_which_they_were_given() {
        let (store, dir) = store();
        let order = |store: &Store, id: &str| {
            let act = Act {
                at: at(1),
                by: "lan".to_owned(),
                what: "interrupt.emergency".to_owned(),
                subject: format!("{id} tin"),
                title: None,
                origin: "x".to_owned(),
            };
            assert!(store.act_of_order(act, Some(id)).unwrap());
        };
        let standing = |store: &Store| -> Vec<String> {
            store.standing_orders(at(9)).unwrap().into_iter().map(|(id, _)| id).collect()
        };
        ["8-c", "8-a", "8-b"].iter().for_each(|id| order(&store, id));
        assert_eq!(standing(&store), ["8-c", "8-a", "8-b"]);
        store.end_standing_order("8-b").unwrap();
        drop(store);
        // One of before this was kept.
        let raw = Connection::open(dir.path().join(DATABASE)).unwrap();
        raw.execute("INSERT INTO standing_order (interrupt, body) VALUES ('7-z', '')", []).unwrap();
        drop(raw);
        let store = Store::open(dir.path()).unwrap();
        order(&store, "8-0");
        assert_eq!(standing(&store), ["7-z", "8-c", "8-a", "8-0"]);
    }

    #[test]
    fn acts_of_an_older_database_get_the_names_of_then() {
        let (store, dir) = store();
        let (segment, by) = (segment(1), "lan".to_owned());
        let (id, old, words) = (segment.id.clone(), segment.words.title.clone(), segment.words.clone());
        store.add_segment(segment, Attached::default()).unwrap();
        let act = |what: &str, subject: String, second| Act {
            at: at(second),
            by: by.clone(),
            what: what.to_owned(),
            subject,
            title: None,
            origin: "x".to_owned(),
        };
        store.act(act("segment.submit", id.to_string(), 2)).unwrap();
        store.act(act("interrupt.live", format!("first {id}"), 3)).unwrap();
        let renamed = Words { title: "Tên mới".to_owned(), ..words };
        let describe = act("segment.describe", id.to_string(), 4);
        store.describe_segment::<StoreError, _>(&id, describe, move |_, _| Ok((renamed, None))).unwrap();
        store.act(act("interrupt.call-off", "first".to_owned(), 5)).unwrap();
        store.act(act("segment.approve", id.to_string(), 6)).unwrap();
        store.act(act("user.add", "hoa".to_owned(), 7)).unwrap();
        assert!(!store.act_of_call_off(act("interrupt.call-off", "second".to_owned(), 8), false).unwrap());
        let titles = |store: &Store| -> Vec<Option<String>> {
            store.acts(at(0), at(9), 9).unwrap().into_iter().rev().map(|act| act.title).collect()
        };
        let (old, new) = (Some(old), Some("Tên mới".to_owned()));
        let then = [old.clone(), old.clone(), new.clone(), old, new, None];
        assert_eq!(titles(&store), then);
        drop(store);
        let raw = Connection::open(dir.path().join(DATABASE)).unwrap();
        raw.execute_batch(
            "ALTER TABLE act DROP COLUMN title; DROP INDEX act_order; DROP TABLE segment_seal; DROP INDEX airing_heard; DROP TABLE standing_order; ALTER TABLE heartbeat DROP COLUMN sounding; PRAGMA user_version = 7",
        )
        .unwrap();
        drop(raw);
        assert_eq!(titles(&Store::open(dir.path()).unwrap()), then);
    }

    #[test]
    fn a_newer_database_is_refused_and_not_touched() {
        let (store, dir) = store();
        let file = store.file();
        drop(store);
        Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let refused = Store::open(dir.path());
        assert!(matches!(refused, Err(StoreError::Newer { found: 99, .. })), "{refused:?}");
    }

    #[test]
    fn a_damaged_database_says_which_file_and_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(DATABASE);
        #[expect(clippy::disallowed_methods, reason = "a damaged file is wanted")]
        std::fs::write(&file, vec![b'x'; 8_192]).unwrap();
        let refused = Store::open(dir.path()).unwrap_err();
        assert!(matches!(refused, StoreError::Damaged { .. }), "{refused:?}");
        let said = refused.to_string();
        assert!(said.contains(&file.display().to_string()) && said.contains("loa restore"), "{said}");
    }

    #[test]
    fn every_commit_is_synced_and_the_journal_is_written_ahead() {
        let (store, _dir) = store();
        let settings = store
            .with_writer(|connection| {
                let ask = |name: &str| -> String {
                    let read = |row: &rusqlite::Row<'_>| {
                        row.get(0).map(|value: rusqlite::types::Value| format!("{value:?}"))
                    };
                    connection.pragma_query_value(None, name, read).unwrap()
                };
                Ok(["journal_mode", "synchronous", "foreign_keys", "recursive_triggers"].map(ask))
            })
            .unwrap();
        assert_eq!(settings, ["Text(\"wal\")", "Integer(2)", "Integer(1)", "Integer(1)"]);
    }

    #[tokio::test]
    async fn async_code_asks_without_blocking_and_too_many_are_told_so() {
        let (store, _dir) = store();
        let user = store.run(|store| store.add_user("lan", &BTreeSet::new(), at(0))).await.unwrap();
        assert_eq!(user.name, "lan");
        let all = u32::try_from(super::super::REQUESTS).unwrap();
        let _waiting = store.inner.requests.acquire_many(all).await.unwrap();
        let refused = store.run(Store::users).await;
        assert!(matches!(refused, Err(StoreError::Busy)));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_counts_until_it_is_done() {
        let (store, _dir) = store();
        let (free, freed) = std::sync::mpsc::sync_channel::<()>(0);
        let hangs = store.run(move |_| freed.recv().map_err(|_| StoreError::Stopped));
        assert!(hangs.now_or_never().is_none(), "and was given up");
        let others = u32::try_from(super::super::REQUESTS - 1).unwrap();
        let _others = store.inner.requests.acquire_many(others).await.unwrap();
        assert!(matches!(store.run(Store::users).await, Err(StoreError::Busy)));
        drop(free);
        drop(store.inner.requests.acquire().await.unwrap());
        assert!(store.run(Store::users).await.is_ok());
    }

    /// Runs with 20,000 airings by default; `LOA_AIRINGS=1000000` measures what the release notes say.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test that measures")]
    fn a_long_log_and_a_large_catalogue_open_at_once() {
        let airings: u64 = std::env::var("LOA_AIRINGS").map_or(20_000, |text| text.parse().unwrap());
        let (store, dir) = store();
        air(&store, &cue(1, 1));
        store
            .write("test", move |transaction| {
                transaction
                    .execute_batch(&format!(
                        "DROP TRIGGER journal_is_appended_to;
                         WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < {airings})
                         INSERT INTO journal SELECT 2 * n - 2 + seq, at_ms + n, offset_s, kind, output, cue || n, take,
                             body, prev, hash FROM n, (SELECT * FROM journal);
                         WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < {airings})
                         INSERT INTO airing SELECT n, output, cue || n, planned_ms + 86400 * n, planned_end_ms + 86400 * n,
                             outcome, cause, segment, segment_hash, programme, 'repeat', body
                         FROM n, (SELECT * FROM airing);"
                    ))
                    .unwrap();
                (1..=10_000).try_for_each(|n| crate::store::segments::tests::insert_only(transaction, &segment(n)))
            })
            .unwrap();
        let size = std::fs::metadata(store.file()).unwrap().len() / 1_000_000;
        drop(store);

        let begun = std::time::Instant::now();
        let store = Store::open(dir.path()).unwrap();
        let opened = begun.elapsed();
        store.open_takes().unwrap();
        store.newest_instant().unwrap();
        let asked = begun.elapsed();
        let newest = at(0) + SignedDuration::from_millis(86_400 * i64::try_from(airings).unwrap());
        let since = newest - SignedDuration::from_hours(48);
        assert!(!store.settled(&"loa-xa".into(), since, newest).unwrap().is_empty());
        let log = begun.elapsed();
        assert_eq!(store.catalog().unwrap().iter().count(), 10_000);
        let all = begun.elapsed();
        println!(
            "{airings} airings ({size} MB): open {opened:?}, asked {asked:?}, settled {log:?}, catalogue {all:?}"
        );
        // The room of a slow machine: a walk through the log would take many times as much.
        assert!(log.as_millis() < 1_000 && all.as_millis() < 3_000, "{log:?} {all:?}");
    }

    #[test]
    fn a_connection_that_cannot_be_opened_takes_nobodys_place() {
        let dir = tempfile::tempdir().unwrap();
        let (file, away) = (dir.path().join(DATABASE), dir.path().join("away"));
        drop(Connection::open(&file).unwrap());
        let readers = Readers::new(file.clone(), Identity::of(&file).unwrap());
        std::fs::rename(&file, &away).unwrap();
        for _ in 0..=READERS {
            assert!(matches!(readers.take(), Err(StoreError::Absent { .. })));
        }
        std::fs::rename(&away, &file).unwrap();
        let lent: Vec<_> = (0..READERS).map(|_| readers.take().unwrap()).collect();
        drop(lent);
        assert_eq!(readers.lock().connections.len(), READERS);
    }
}
