//! The journal: facts in the order in which they were learned, chained by hashes; and the airings made from it.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::acts::{Act, insert_act};
use super::airings::apply;
use super::error::Doing;
use super::head::{self, Head};
use super::reserve::Reserve;
use super::row::{JournalRow, NOTHING_BEFORE};
use super::{Store, StoreError, in_transaction};
use crate::asrun::{Entry, Fact, NotAired, Note};
use crate::schedule::OutputId;
use crate::segment::ContentHash;

/// A fact that is not on disk after so long waits for one that hangs; a slow card takes a second or two.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// Facts that are written in one go at most.
const AT_ONCE: usize = 500;

/// The journal's end.
pub(super) fn end(connection: &Connection) -> Result<Head, StoreError> {
    connection
        .prepare_cached("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")
        .and_then(|mut statement| {
            statement.query_row([], |row| Ok(Head { rows: row.get(0)?, hash: hash_at(row, 1)? })).optional()
        })
        .doing("find the end of the journal")
        .map(|head| head.unwrap_or(Head { rows: 0, hash: NOTHING_BEFORE }))
}

/// What stands in the journal before these entries where its end is gone. Facts are written whether or not that is known.
fn noted_cut(connection: &Connection, dir: &Path, before: &[Entry]) -> Option<Entry> {
    let at = before.first()?.at();
    match head::cut(connection, dir) {
        Ok(None) => None,
        Ok(Some(note)) => {
            tracing::error!(?note, "THE LOG WAS CUT: its newest rows are not those that were written");
            Some(Entry::Note { at, note })
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "could not hold the end of the journal against its note");
            None
        }
    }
}

/// Adds a row to the journal and to what is made from it.
fn append(connection: &Connection, entry: &Entry, offset_s: i32) -> Result<Head, StoreError> {
    let row = JournalRow::of(entry, end(connection)?, offset_s)?;
    let hash = row.hash();
    connection
        .prepare_cached(
            "INSERT INTO journal (seq, at_ms, offset_s, kind, output, cue, take, body, prev, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                row.seq,
                row.at_ms,
                row.offset_s,
                row.kind,
                row.output,
                row.cue,
                row.take,
                row.body,
                row.prev.0,
                hash.0
            ])
        })
        .doing("add a fact to the journal")?;
    apply(connection, entry)?;
    if matches!(entry, Entry::Note { note: Note::ClockConfirmed { .. }, .. }) {
        connection.execute("UPDATE newest SET at_ms = ?1", [row.at_ms]).doing("set the newest instant")?;
    } else {
        has_passed(connection, row.at_ms)?;
    }
    Ok(Head { rows: row.seq, hash })
}

/// Remembers that an instant has passed.
pub(super) fn has_passed(connection: &Connection, at_ms: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE newest SET at_ms = max(coalesce(at_ms, ?1), ?1)")
        .and_then(|mut statement| statement.execute([at_ms]))
        .doing("note the newest instant")?;
    Ok(())
}

impl Store {
    /// Records a fact; it is on disk when this returns. Heartbeats are kept apart from the log, the newest of each output.
    pub fn record(&self, fact: &Fact) -> Result<(), StoreError> {
        let (output, at) = match fact {
            Fact::Heartbeat { at, output, .. } => (output, *at),
            Fact::Opened { output, take, .. } => (output, take.opened),
            Fact::Closed(closed) => (&closed.output, closed.at),
            Fact::TakenBack { at, output, .. } => (output, *at),
            Fact::NotAired(not_aired) => (&not_aired.output, not_aired.at),
        };
        self.set_recording(Some((output.clone(), at)));
        let recorded = match fact {
            Fact::Heartbeat { sounding, .. } => self.heartbeat(at, output.clone(), sounding),
            Fact::Opened { .. } | Fact::Closed(_) | Fact::TakenBack { .. } | Fact::NotAired(_) => {
                self.record_in(std::slice::from_ref(fact), output)
            }
        };
        if recorded.is_ok() {
            // One that was refused is tried again, and waits until then.
            self.set_recording(None);
        }
        self.heed(recorded)
    }

    fn set_recording(&self, fact: Option<(OutputId, Timestamp)>) {
        *self.inner.recording.lock().unwrap_or_else(PoisonError::into_inner) = fact;
    }

    /// The output of which a fact waits for the disk for too long: nothing fails, and nothing is written.
    pub fn log_waits(&self, now: Timestamp) -> Option<OutputId> {
        let recording = self.inner.recording.lock().unwrap_or_else(PoisonError::into_inner).clone();
        recording.filter(|(_, at)| now.duration_since(*at) > LONGEST_WAIT).map(|(output, _)| output)
    }

    /// Records what an output missed. Many at a time: a disk takes as long for one fact as for hundreds.
    pub fn record_missed(&self, output: &OutputId, missed: Vec<NotAired>) -> Result<(), StoreError> {
        let missed: Vec<Fact> = missed.into_iter().map(Fact::NotAired).collect();
        missed.chunks(AT_ONCE).try_for_each(|some| self.heed(self.record_in(some, output)))
    }

    /// Remembers whether facts could be written.
    fn heed(&self, recorded: Result<(), StoreError>) -> Result<(), StoreError> {
        if recorded.is_err() {
            // The next try may find room.
            Reserve::of(self.dir()).give_up_if_full();
        }
        self.inner.log_fails.store(recorded.is_err(), Ordering::Relaxed);
        recorded
    }

    /// Whether the last fact could not be written: what airs now is not on disk.
    pub fn log_fails(&self) -> bool {
        self.inner.log_fails.load(Ordering::Relaxed)
    }

    fn record_in(&self, facts: &[Fact], output: &OutputId) -> Result<(), StoreError> {
        let station = self.station();
        let zones = station.zones.get(output).map_or(&[][..], Vec::as_slice);
        self.append(facts.iter().filter_map(|fact| Entry::of(fact, zones)).collect())
    }

    /// Notes in the log what explains its airings: that the program began or stopped, that the clock jumped.
    pub fn note(&self, at: Timestamp, note: Note) -> Result<(), StoreError> {
        self.append(vec![Entry::Note { at, note }])
    }

    /// The newest instant on record, heartbeats included, since the clock was last confirmed: a clock that shows less
    /// is wrong.
    pub fn newest_instant(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|connection| {
            let newest: Option<i64> = connection
                .prepare_cached("SELECT at_ms FROM newest")
                .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
                .doing("find the newest instant")?;
            newest.map(instant).transpose()
        })
    }

    pub(super) fn append(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        self.append_with(entries, None)
    }

    /// The same, with the act of whom these facts come from.
    pub(super) fn append_with(&self, entries: Vec<Entry>, act: Option<Act>) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        // Before a first frame, nothing is waited for that is not needed: the end is noted with the next fact.
        let notes_end = !entries.iter().all(|entry| matches!(entry, Entry::Opened { .. }));
        let station = self.station();
        let dir = self.dir().to_owned();
        let cut_noted = Arc::clone(&self.inner.cut_noted);
        self.with_writer(move |connection| {
            let mut cut = None;
            let end = in_transaction(connection, "record a fact", |transaction| {
                // Noted once, also where the end cannot be noted anew.
                if !cut_noted.load(Ordering::Relaxed) {
                    cut = noted_cut(transaction, &dir, &entries);
                }
                let mut end = None;
                for entry in cut.iter().chain(&entries) {
                    end =
                        Some(append(transaction, entry, station.time_zone.to_offset(entry.at()).seconds())?);
                }
                act.map(|act| insert_act(transaction, &act)).transpose()?;
                Ok(end)
            })?;
            cut_noted.fetch_or(cut.is_some(), Ordering::Relaxed);
            // By the writer, so that an older end never comes after a newer one. The facts are safe already: when this
            // fails, only a shortened journal could go unnoticed.
            if let Some(end) = end.filter(|_| notes_end || cut.is_some()) {
                match head::write(&dir, end) {
                    Ok(()) => cut_noted.store(false, Ordering::Relaxed),
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "could not note the end of the journal");
                    }
                }
            }
            Ok(())
        })
    }
}

/// An instant from its column.
pub(super) fn instant(at_ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(at_ms)
        .map_err(|cause| StoreError::Value { subject: format!("the instant {at_ms}"), cause: cause.into() })
}

/// A hash from its column.
pub(super) fn hash_at(row: &Row<'_>, column: usize) -> rusqlite::Result<ContentHash> {
    let bytes: Vec<u8> = row.get(column)?;
    bytes.try_into().map(ContentHash).map_err(|bytes: Vec<u8>| {
        let cause = format!("{} bytes are no hash", bytes.len());
        rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, cause.into())
    })
}

/// A value as it is stored.
pub(super) fn to_json(value: &impl serde::Serialize, subject: &str) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|cause| StoreError::Value { subject: subject.to_owned(), cause: cause.into() })
}

/// A value as it was stored.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(
    text: &str,
    subject: impl FnOnce() -> String,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|cause| StoreError::Value { subject: subject(), cause: cause.into() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::tests::{EXPECTED, air, at, closed, cue, not_aired, opened, store, taken_back};
    use super::super::{DATABASE, Station};
    use super::*;
    use crate::asrun::{Cause, Outcome, OutcomeKind, Run};
    use crate::store::AiringFilter;

    #[test]
    fn an_airing_is_the_sum_of_its_facts_and_keeps_the_whole_record() {
        let (store, _dir) = store();
        let zones = BTreeMap::from([("loa-xa".into(), vec!["Võ Kiện".to_owned()])]);
        let time_zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        store.set_station(Station { time_zone, zones });
        let cue = cue(1, 1);
        store.record(&opened(&cue, 0)).unwrap();
        let of = |store: &Store| store.airing(&"loa-xa".into(), &cue.id).unwrap().unwrap();
        assert_eq!(of(&store).outcome(), Outcome::OnAir);
        store.record(&closed(&cue, 0, EXPECTED, None)).unwrap();

        let airing = of(&store);
        assert_eq!(airing.outcome(), Outcome::Aired);
        assert_eq!((airing.delivered(), airing.expected()), (EXPECTED, EXPECTED));
        assert_eq!(airing.lateness().unwrap().as_micros(), 120);
        assert_eq!(airing.run, Some(Run::First));
        assert_eq!(airing.item.zones, ["Võ Kiện"]);
        assert_eq!(airing.item.segment.as_ref().unwrap().approval.as_ref().unwrap().by.as_ref(), "minh");
        assert_eq!(airing.device(), Some("alsa:hw:CARD=Device,DEV=0"));
        let offset: i32 = store
            .read(|connection| {
                connection
                    .query_row("SELECT offset_s FROM journal LIMIT 1", [], |row| row.get(0))
                    .doing("test")
            })
            .unwrap();
        assert_eq!(offset, 7 * 3_600);
    }

    #[test]
    fn the_first_run_is_the_first_one_heard_to_its_end() {
        let (store, _dir) = store();
        let (cut, whole, again) = (cue(1, 1), cue(2, 1), cue(3, 1));
        store.record(&opened(&cut, 0)).unwrap();
        store.record(&closed(&cut, 0, 100, Some(Cause::StoppedByOperator))).unwrap();
        air(&store, &whole);
        air(&store, &again);
        let run = |cue: &crate::timeline::Cue| store.airing(&"loa-xa".into(), &cue.id).unwrap().unwrap().run;
        assert_eq!([run(&cut), run(&whole), run(&again)], [None, Some(Run::First), Some(Run::Repeat)]);
    }

    #[test]
    fn a_fact_that_the_disk_does_not_take_is_said_to_wait() {
        let (store, _dir) = store();
        // Another process holds the database, as a disk that hangs would.
        let other = Connection::open(store.file()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let fact = Fact::Heartbeat { at: at(64), output: "loa-xa".into(), sounding: Vec::new() };
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| store.record(&fact).unwrap());
            while store.log_waits(at(75)).is_none() && !writing.is_finished() {
                std::thread::yield_now();
            }
            assert_eq!((store.log_waits(at(74)), store.log_waits(at(75))), (None, Some("loa-xa".into())));
            other.execute_batch("COMMIT").unwrap();
            writing.join().unwrap();
        });
        assert_eq!(store.log_waits(at(75)), None);
    }

    #[test]
    fn the_newest_instant_never_goes_back_unless_the_clock_is_confirmed() {
        let (store, _dir) = store();
        assert_eq!(store.newest_instant().unwrap(), None);
        air(&store, &cue(2, 1));
        let newest = store.newest_instant().unwrap().unwrap();
        store.record(&not_aired(&cue(0, 1), Cause::NotRunning)).unwrap();
        assert_eq!(store.newest_instant().unwrap(), Some(newest));
        store
            .record(&Fact::Heartbeat { at: at(1_000), output: "loa-xa".into(), sounding: Vec::new() })
            .unwrap();
        assert_eq!(store.newest_instant().unwrap(), Some(at(1_000)));
        store.confirm_clock(at(500), "ntp").unwrap();
        assert_eq!(store.newest_instant().unwrap(), Some(at(500)));
    }

    #[test]
    fn the_journal_can_be_neither_changed_nor_shortened_nor_replaced() {
        let (store, dir) = store();
        air(&store, &cue(1, 1));
        let raw = super::super::open_writer(&dir.path().join(DATABASE)).unwrap();
        for statement in [
            "UPDATE journal SET body = '{}' WHERE seq = 1",
            "DELETE FROM journal WHERE seq = 2",
            "REPLACE INTO journal SELECT * FROM journal WHERE seq = 1",
            "INSERT INTO journal SELECT 9, at_ms, offset_s, kind, output, cue, take, body, prev, hash FROM journal",
        ] {
            assert!(raw.execute_batch(statement).is_err(), "{statement}");
        }
    }

    #[test]
    fn many_threads_record_and_read_at_once_and_every_fact_is_there() {
        let (store, _dir) = store();
        std::thread::scope(|scope| {
            for thread in 0..8_u16 {
                let store = store.clone();
                scope.spawn(move || {
                    for n in 0..10 {
                        air(&store, &cue(thread * 10 + n, u32::from(n)));
                        store.airings(&AiringFilter::default()).unwrap();
                    }
                });
            }
        });
        let filter = AiringFilter { outcome: Some(OutcomeKind::Aired), ..AiringFilter::default() };
        assert_eq!(store.airings(&filter).unwrap().airings.len(), 80);
        let verdict = store.verify().unwrap();
        assert_eq!((verdict.rows, verdict.first_bad), (160, None));
    }

    /// Any fact about a few cues, in any order, sensible or not.
    fn any_fact() -> impl Strategy<Value = Fact> {
        let cause = prop_oneof![
            Just(None),
            Just(Some(Cause::PowerCut)),
            Just(Some(Cause::Emergency)),
            Just(Some(Cause::Withdrawn)),
            Just(Some(Cause::PlannedCut)),
        ];
        (0..4_u16, 0..2_u32, 0..3_u16, prop_oneof![Just(0), Just(EXPECTED), 0..EXPECTED], cause, 0..4_u8)
            .prop_map(|(number, piece, take, delivered, cause, kind)| {
                let cue = cue(number, piece);
                match kind {
                    0 => opened(&cue, take),
                    1 => closed(&cue, take, delivered, cause),
                    2 => taken_back(&cue, take),
                    _ => not_aired(&cue, cause.unwrap_or(Cause::NotRunning)),
                }
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_airings_are_the_same_when_made_again(facts in prop::collection::vec(any_fact(), 1..24)) {
            let (store, _dir) = store();
            for fact in &facts {
                store.record(fact).unwrap();
            }
            // A walk makes the airings again from the journal, and compares.
            let before = store.airings(&AiringFilter::default()).unwrap();
            prop_assert_eq!(store.verify().unwrap().first_bad, None);
            store.rebuild_airings().unwrap();
            prop_assert_eq!(store.airings(&AiringFilter::default()).unwrap(), before);
        }
    }

    #[test]
    fn a_program_killed_in_the_middle_of_a_write_loses_only_that() {
        let (store, dir) = store();
        air(&store, &cue(1, 1));
        let copy = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().to_owned(), copy.path().to_owned());
        // The files as a power cut would leave them: within a transaction, before its commit.
        store
            .write("test", move |transaction| {
                let entry = Entry::Note { at: at(0), note: Note::Stopped };
                append(transaction, &entry, 0)?;
                transaction.cache_flush().unwrap();
                for name in ["loa.db", "loa.db-wal", "loa.db-shm", "log-head"] {
                    std::fs::copy(from.join(name), to.join(name)).unwrap();
                }
                Ok(())
            })
            .unwrap();
        assert_eq!(store.verify().unwrap().rows, 3);

        let reopened = Store::open(copy.path()).unwrap();
        let verdict = reopened.verify().unwrap();
        assert_eq!((verdict.rows, verdict.first_bad), (2, None));
        air(&reopened, &cue(2, 2));
        assert_eq!(reopened.verify().unwrap().first_bad, None);
    }

    #[test]
    fn a_log_that_cannot_be_written_is_known_until_it_can_and_its_fact_waits() {
        let (store, _dir) = store();
        let rename = |from: &str, to: &str| {
            let script = format!("ALTER TABLE {from} RENAME TO {to}");
            store.write("test", move |transaction| transaction.execute_batch(&script).doing("test")).unwrap();
        };
        rename("airing", "gone");
        assert!(store.record(&opened(&cue(1, 1), 0)).is_err());
        assert!(store.log_fails());
        assert_eq!(store.log_waits(at(600)), Some("loa-xa".into()), "also between two tries");
        rename("gone", "airing");
        air(&store, &cue(1, 1));
        assert!(!store.log_fails());
        assert_eq!(store.log_waits(at(600)), None);
    }

    #[test]
    fn a_panic_in_a_write_takes_nothing_with_it() {
        let (store, _dir) = store();
        let lost = store.write("test", |_| -> Result<(), StoreError> { panic!("for the test") });
        assert!(matches!(lost, Err(StoreError::Stopped)));
        air(&store, &cue(1, 1));
        assert_eq!(store.airings(&AiringFilter::default()).unwrap().airings.len(), 1);
    }

    #[test]
    fn another_process_may_write_in_between() {
        let (store, dir) = store();
        let other = Store::open(dir.path()).unwrap();
        for number in 0..6 {
            air(if number % 2 == 0 { &store } else { &other }, &cue(number, 1));
        }
        let verdict = store.verify().unwrap();
        assert_eq!((verdict.rows, verdict.first_bad), (12, None));
    }

    #[test]
    fn the_hash_of_a_row_depends_on_every_column() {
        let row = JournalRow {
            seq: 1,
            at_ms: 2,
            offset_s: 3,
            kind: "opened".to_owned(),
            output: Some("a".to_owned()),
            cue: Some("b".to_owned()),
            take: Some(0),
            body: "{}".to_owned(),
            prev: NOTHING_BEFORE,
        };
        let others = [
            JournalRow { seq: 2, ..row.clone() },
            JournalRow { at_ms: 3, ..row.clone() },
            JournalRow { offset_s: 4, ..row.clone() },
            JournalRow { kind: "closed".to_owned(), ..row.clone() },
            JournalRow { output: None, ..row.clone() },
            JournalRow { output: Some("ab".to_owned()), cue: Some(String::new()), ..row.clone() },
            JournalRow { take: None, ..row.clone() },
            JournalRow { body: "{ }".to_owned(), ..row.clone() },
            JournalRow { prev: ContentHash([1; 32]), ..row.clone() },
        ];
        assert!(others.iter().all(|other| other.hash() != row.hash()));
    }
}
