//! Walks the journal: whether every row is what was written, and the airings are what the journal says.

use jiff::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use super::airings::apply;
use super::error::Doing;
use super::head::{self, Head};
use super::row::{JournalRow, NOTHING_BEFORE};
use super::{MIGRATIONS, Store, StoreError};
use crate::asrun::{Entry, Note};
use crate::segment::ContentHash;

/// What a walk through the journal found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Rows in the journal.
    pub rows: i64,
    /// The first thing that is wrong; none where all is as it was written.
    pub first_bad: Option<Bad>,
    /// Cuts that the program itself noted in the log, when it began again after them: they stay.
    pub cuts: Vec<Bad>,
    /// The newest row's hash: what the printed report bears.
    pub head: ContentHash,
}

impl Verdict {
    /// Everything that is wrong.
    pub fn faults(&self) -> impl Iterator<Item = &Bad> {
        self.cuts.iter().chain(&self.first_bad)
    }

    /// Whether the journal is what was written, and the airings made from it are not what it says.
    pub fn only_airings_differ(&self) -> bool {
        self.cuts.is_empty() && self.first_bad.as_ref().is_some_and(Bad::is_of_airings)
    }

    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults().next().is_none()
    }
}

/// Something wrong with the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bad {
    /// The row of the journal; for what is missing, the first missing one; none where only the airings are wrong.
    pub seq: Option<i64>,
    /// The instant the row claims, where it is there.
    pub at: Option<Timestamp>,
    /// What is wrong.
    #[serde(flatten)]
    pub fault: Fault,
}

impl Bad {
    fn is_of_airings(&self) -> bool {
        matches!(self.fault, Fault::AiringDiffers { .. })
    }

    /// What a row of the log says of a cut before it.
    fn noted(row: &JournalRow, entry: &Entry) -> Option<Self> {
        let Entry::Note { at, note: Note::LogCut { rows, noted, hash } } = entry else { return None };
        let (seq, fault) = match hash {
            None => (row.seq, Fault::EndNotNoted),
            Some(_) if noted > rows => (row.seq, Fault::Shortened { noted: *noted }),
            Some(_) => (*noted, Fault::OtherEnd),
        };
        Some(Self { seq: Some(seq), at: Some(*at), fault })
    }
}

/// What is wrong with the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    /// The row's content is not what was written.
    Changed,
    /// The row before it was another one.
    NotAfterTheOneBefore,
    /// Rows are missing before this one.
    Missing,
    /// The newest rows are missing: so many were noted.
    Shortened {
        /// How many there were at least.
        noted: i64,
    },
    /// The note of the journal's end names another row: the journal was made anew.
    OtherEnd,
    /// The note of the journal's end is gone.
    EndNotNoted,
    /// The airing of a cue, for questions and reports, is not what the journal says.
    AiringDiffers {
        /// The output.
        output: String,
        /// The cue.
        cue: String,
    },
}

impl Store {
    /// Walks the whole journal, checks every hash, holds its end against the note beside the database, and the airings against
    /// the journal. Takes a minute for a million airings; changes nothing.
    pub fn verify(&self) -> Result<Verdict, StoreError> {
        // Before the walk: a row that comes meanwhile is then only one more than noted.
        let noted = head::read(self.dir())?;
        let file = self.file();
        let remade = || -> rusqlite::Result<Connection> {
            // A database without a name is a temporary file: a long log would not fit in the memory.
            let connection = Connection::open("")?;
            let uri = format!("file:{}?mode=ro", escaped(&file.to_string_lossy()));
            connection.execute("ATTACH DATABASE ?1 AS live", [uri])?;
            connection.busy_timeout(super::BUSY)?;
            Ok(connection)
        };
        let mut remade = remade().map_err(|cause| StoreError::Open { file: file.clone(), cause })?;
        walk(&mut remade, noted).map_err(|error| error.in_file(&file))
    }

    /// As [`verify`](Self::verify); where the journal is whole up to its end and the airings are not what it says, they are
    /// made from it again. Whether they were, and what is wrong then. Engines that are at work would not hear of it.
    pub fn mend(&self) -> Result<(bool, Verdict), StoreError> {
        let verdict = self.verify()?;
        if !verdict.first_bad.as_ref().is_some_and(Bad::is_of_airings) {
            return Ok((false, verdict));
        }
        self.rebuild_airings()?;
        Ok((true, self.verify()?))
    }

    pub(super) fn rebuild_airings(&self) -> Result<(), StoreError> {
        self.write("make the airings again", |transaction| {
            transaction.execute("DELETE FROM airing", []).doing("make the airings again")?;
            for_each_row(transaction, "SELECT * FROM journal ORDER BY seq", |row, _| {
                apply(transaction, &row.entry()?)?;
                Ok(true)
            })
        })
    }
}

/// A path inside a `file:` URI.
fn escaped(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

fn walk(connection: &mut Connection, noted: Option<Head>) -> Result<Verdict, StoreError> {
    // One transaction sees the live database as it is at one moment, and keeps the remade one off the disk.
    let connection = connection.transaction().doing("begin to walk the journal")?;
    connection.execute_batch(MIGRATIONS[0]).doing("prepare to make the airings again")?;
    connection.execute_batch("DROP TABLE main.journal").doing("prepare to make the airings again")?;

    let mut end = Head { rows: 0, hash: NOTHING_BEFORE };
    let (mut first_bad, mut other_end, mut cuts) = (None, None, Vec::new());
    let rows = "SELECT seq, at_ms, offset_s, kind, output, cue, take, body, prev, hash FROM live.journal ORDER BY seq";
    for_each_row(&connection, rows, |row, stored| {
        let fault = if row.seq != end.rows + 1 {
            Some(Fault::Missing)
        } else if row.prev != end.hash {
            Some(Fault::NotAfterTheOneBefore)
        } else if row.hash() != stored {
            Some(Fault::Changed)
        } else {
            None
        };
        let bad = |seq, fault| Bad { seq: Some(seq), at: Timestamp::from_millisecond(row.at_ms).ok(), fault };
        if let Some(fault) = fault {
            let seq = if fault == Fault::Missing { end.rows + 1 } else { row.seq };
            first_bad = Some(bad(seq, fault));
            return Ok(false);
        }
        // What comes after it may be whole all the same, as in a copy that was put back after another one had run.
        if noted.is_some_and(|noted| noted.rows == row.seq && noted.hash != stored) {
            other_end = Some(bad(row.seq, Fault::OtherEnd));
        }
        end = Head { rows: row.seq, hash: stored };
        let entry = row.entry()?;
        cuts.extend(Bad::noted(&row, &entry));
        apply(&connection, &entry)?;
        Ok(true)
    })?;
    first_bad = first_bad.or(other_end);
    if first_bad.is_none() {
        first_bad = match noted {
            Some(noted) if noted.rows > end.rows => {
                let fault = Fault::Shortened { noted: noted.rows };
                Some(Bad { seq: Some(end.rows + 1), at: None, fault })
            }
            None if end.rows > 0 => Some(Bad { seq: None, at: None, fault: Fault::EndNotNoted }),
            Some(_) | None => differing_airing(&connection)?,
        };
    }
    Ok(Verdict { rows: end.rows, first_bad, cuts, head: end.hash })
}

/// The first airing that is not the same in both databases.
fn differing_airing(connection: &Connection) -> Result<Option<Bad>, StoreError> {
    const COLUMNS: &str =
        "output, cue, planned_ms, planned_end_ms, outcome, cause, segment, segment_hash, programme,
                           run, body";
    let found = connection.query_row(
        &format!(
            "SELECT output, cue FROM (SELECT {COLUMNS} FROM main.airing EXCEPT SELECT {COLUMNS} FROM live.airing)
             UNION ALL
             SELECT output, cue FROM (SELECT {COLUMNS} FROM live.airing EXCEPT SELECT {COLUMNS} FROM main.airing)
             LIMIT 1"
        ),
        [],
        |row| Ok(Fault::AiringDiffers { output: row.get(0)?, cue: row.get(1)? }),
    );
    match found {
        Ok(fault) => Ok(Some(Bad { seq: None, at: None, fault })),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(cause) => Err(StoreError::Query { operation: "compare the airings", cause }),
    }
}

/// Goes through rows of the journal until `each` answers false.
fn for_each_row(
    connection: &Connection,
    query: &str,
    mut each: impl FnMut(JournalRow, ContentHash) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    const WALK: &str = "walk the journal";
    let mut statement = connection.prepare(query).doing(WALK)?;
    let mut rows = statement.query([]).doing(WALK)?;
    while let Some(row) = rows.next().doing(WALK)? {
        let (row, hash) = JournalRow::read(row).doing(WALK)?;
        if !each(row, hash)? {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::journal::hash_at;
    use super::super::tests::{air, cue, opened, store};
    use super::super::{AiringFilter, DATABASE, Store};
    use super::*;

    /// Changes the database as somebody with a tool for it would.
    fn tamper(dir: &Path, statement: &str) {
        let raw = Connection::open(dir.join(DATABASE)).unwrap();
        raw.execute_batch(
            "DROP TRIGGER journal_is_appended_to; DROP TRIGGER journal_is_never_changed;
             DROP TRIGGER journal_is_never_shortened;",
        )
        .unwrap();
        raw.execute_batch(statement).unwrap();
    }

    /// The same once more: the triggers have gone.
    fn tamper_again(dir: &Path, statement: &str) {
        Connection::open(dir.join(DATABASE)).unwrap().execute_batch(statement).unwrap();
    }

    /// A log of five aired cues, tampered with.
    fn verdict_after(statement: &str) -> Option<(Option<i64>, Fault)> {
        let (store, dir) = store();
        (1..=5).for_each(|number| air(&store, &cue(number, 1)));
        tamper(dir.path(), statement);
        store.verify().unwrap().first_bad.map(|bad| (bad.seq, bad.fault))
    }

    #[test]
    fn an_untouched_log_is_sound_and_its_head_is_the_newest_hash() {
        let (store, _dir) = store();
        let empty = store.verify().unwrap();
        assert_eq!((empty.rows, &empty.first_bad, empty.head), (0, &None, NOTHING_BEFORE));
        air(&store, &cue(1, 1));
        let one = store.verify().unwrap();
        assert_eq!((one.rows, one.first_bad), (2, None));
        air(&store, &cue(2, 1));
        assert_ne!(store.verify().unwrap().head, one.head);
    }

    #[test]
    fn a_take_on_air_is_no_fault() {
        let (store, _dir) = store();
        air(&store, &cue(1, 1));
        store.record(&opened(&cue(2, 1), 0)).unwrap();
        assert_eq!(store.verify().unwrap().first_bad, None);
    }

    #[test]
    fn every_kind_of_tampering_is_found_where_it_is() {
        for (statement, seq, fault) in [
            ("UPDATE journal SET at_ms = at_ms + 1 WHERE seq = 4", Some(4), Fault::Changed),
            ("UPDATE journal SET hash = zeroblob(32) WHERE seq = 4", Some(4), Fault::Changed),
            ("UPDATE journal SET prev = zeroblob(32) WHERE seq = 4", Some(4), Fault::NotAfterTheOneBefore),
            ("DELETE FROM journal WHERE seq = 4", Some(4), Fault::Missing),
            ("DELETE FROM journal WHERE seq = 1", Some(1), Fault::Missing),
            ("DELETE FROM journal WHERE seq > 8; DELETE FROM airing WHERE id = 5", Some(9), Fault::Shortened { noted: 10 }),
            ("DELETE FROM journal; DELETE FROM airing", Some(1), Fault::Shortened { noted: 10 }),
            (
                "UPDATE airing SET outcome = 'not-aired' WHERE id = 2",
                None,
                Fault::AiringDiffers { output: "loa-xa".to_owned(), cue: "2026-11-23/sang/muc/2".to_owned() },
            ),
            (
                "DELETE FROM airing WHERE id = 2",
                None,
                Fault::AiringDiffers { output: "loa-xa".to_owned(), cue: "2026-11-23/sang/muc/2".to_owned() },
            ),
            (
                "INSERT INTO airing SELECT 99, 'loa-2', cue, planned_ms, planned_end_ms, outcome, cause, segment,
                 segment_hash, programme, run, body FROM airing WHERE id = 2",
                None,
                Fault::AiringDiffers { output: "loa-2".to_owned(), cue: "2026-11-23/sang/muc/2".to_owned() },
            ),
        ] {
            assert_eq!(verdict_after(statement), Some((seq, fault)), "{statement}");
        }
    }

    #[test]
    fn a_chain_made_anew_does_not_fit_the_noted_end() {
        let (store, dir) = store();
        (1..=3).for_each(|number| air(&store, &cue(number, 1)));
        let (other, other_dir) = super::super::tests::store();
        (1..=3).for_each(|number| air(&other, &cue(number, 2)));
        drop((store, other));
        std::fs::copy(other_dir.path().join(DATABASE), dir.path().join(DATABASE)).unwrap();
        let bad = Store::open(dir.path()).unwrap().verify().unwrap().first_bad.unwrap();
        assert_eq!((bad.seq, bad.fault), (Some(6), Fault::OtherEnd));

        std::fs::remove_file(dir.path().join("log-head")).unwrap();
        let bad = Store::open(dir.path()).unwrap().verify().unwrap().first_bad.unwrap();
        assert_eq!(bad.fault, Fault::EndNotNoted);
    }

    /// What is wrong with a log of five aired cues after `mischief` with it and a next start, with some more on air.
    fn verdict_after_the_next_start(mischief: impl FnOnce(&Path)) -> Vec<(Option<i64>, Fault)> {
        let (store, dir) = store();
        (1..=5).for_each(|number| air(&store, &cue(number, 1)));
        drop(store);
        mischief(dir.path());
        for number in 6..=7 {
            let store = Store::open(dir.path()).unwrap();
            store.recover(cue(number, 1).at).unwrap();
            store.record(&opened(&cue(number, 1), 0)).unwrap();
            air(&store, &cue(number + 10, 1));
        }
        let verdict = Store::open(dir.path()).unwrap().verify().unwrap();
        verdict.faults().map(|bad| (bad.seq, bad.fault.clone())).collect()
    }

    #[test]
    fn a_cut_stays_known_after_the_next_starts() {
        let cut = "DELETE FROM journal WHERE seq > 8; DELETE FROM airing WHERE id = 5";
        let shortened = (Some(9), Fault::Shortened { noted: 10 });
        assert_eq!(verdict_after_the_next_start(|dir| tamper(dir, cut)), std::slice::from_ref(&shortened));
        let unnoted = |dir: &Path| {
            tamper(dir, cut);
            std::fs::remove_file(dir.join("log-head")).unwrap();
        };
        assert_eq!(verdict_after_the_next_start(unnoted), [(Some(9), Fault::EndNotNoted)]);
        let made_anew = |dir: &Path| {
            let (other, other_dir) = store();
            (1..=5).for_each(|number| air(&other, &cue(number, 2)));
            drop(other);
            std::fs::copy(other_dir.path().join(DATABASE), dir.join(DATABASE)).unwrap();
        };
        assert_eq!(verdict_after_the_next_start(made_anew), [(Some(10), Fault::OtherEnd)]);
        let after_the_note = |dir: &Path| {
            tamper(dir, cut);
            air(&Store::open(dir).unwrap(), &cue(6, 1));
            tamper_again(dir, "DELETE FROM journal WHERE seq > 10");
        };
        assert_eq!(
            verdict_after_the_next_start(after_the_note)[..2],
            [shortened, (Some(11), Fault::Shortened { noted: 11 })]
        );
    }

    #[test]
    fn a_note_that_is_older_than_the_log_is_a_power_cut_and_no_fault() {
        let old = |rows: i64| {
            move |dir: &Path| {
                let hash: ContentHash = Connection::open(dir.join(DATABASE))
                    .unwrap()
                    .query_row("SELECT hash FROM journal WHERE seq = ?1", [rows], |row| hash_at(row, 0))
                    .unwrap();
                head::write(dir, Head { rows, hash }).unwrap();
            }
        };
        for rows in [1, 9, 10] {
            assert_eq!(verdict_after_the_next_start(old(rows)), [], "{rows}");
        }
        assert_eq!(
            verdict_after_the_next_start(
                |dir| head::write(dir, Head { rows: 0, hash: NOTHING_BEFORE }).unwrap()
            ),
            []
        );
    }

    #[test]
    fn airings_that_were_changed_can_be_made_again() {
        let (store, dir) = store();
        (1..=3).for_each(|number| air(&store, &cue(number, 1)));
        tamper(dir.path(), "UPDATE airing SET body = replace(body, 'Lan', 'Mai')");
        assert!(store.verify().unwrap().only_airings_differ());
        let (mended, verdict) = store.mend().unwrap();
        assert!(mended && verdict.is_sound() && store.verify().unwrap().is_sound());
        assert!(!store.mend().unwrap().0, "there is nothing to be done");
    }

    #[test]
    fn nothing_is_made_again_from_a_journal_that_was_changed() {
        let (store, dir) = store();
        (1..=3).for_each(|number| air(&store, &cue(number, 1)));
        tamper(
            dir.path(),
            "UPDATE journal SET at_ms = at_ms + 1 WHERE seq = 4; DELETE FROM airing WHERE id = 1",
        );
        let (mended, verdict) = store.mend().unwrap();
        assert_eq!((mended, verdict.first_bad.unwrap().fault), (false, Fault::Changed));
        assert_eq!(store.airings(&AiringFilter::default()).unwrap().airings.len(), 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_changed_byte_in_any_row_is_found_in_that_row(seq in 1..=6_i64, place in 0..250_usize) {
            let (store, dir) = store();
            (1..=3).for_each(|number| air(&store, &cue(number, 1)));
            let raw = Connection::open(dir.path().join(DATABASE)).unwrap();
            let body: String =
                raw.query_row("SELECT body FROM journal WHERE seq = ?1", [seq], |row| row.get(0)).unwrap();
            let mut letters: Vec<char> = body.chars().collect();
            let place = place % letters.len();
            letters[place] = if letters[place] == 'x' { 'y' } else { 'x' };
            let changed: String = letters.into_iter().collect();
            tamper(dir.path(), &format!("UPDATE journal SET body = '{}' WHERE seq = {seq}", changed.replace('\'', "''")));
            let bad = store.verify().unwrap().first_bad.unwrap();
            prop_assert_eq!((bad.seq, bad.fault), (Some(seq), Fault::Changed));
        }
    }
}
