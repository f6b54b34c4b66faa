//! Revisions of the schedule's files: what they were after each change.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::acts::{Act, insert_act};
use super::error::Doing as _;
use super::journal::instant;
use super::{Store, StoreError};
use crate::schedule::Sources;

/// What a change by hand is called.
pub const BY_HAND: &str = "schedule.by-hand";

/// A change of the schedule's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its number: later ones have higher ones.
    pub id: i64,
    /// When it was made, or found.
    pub at: Timestamp,
    /// Who made it; none where it was found made by hand.
    pub by: Option<String>,
    /// What it was, as a code: `schedule.slot`.
    pub what: String,
    /// What it was about.
    pub subject: String,
    /// The files after it.
    pub files: Sources,
}

const COLUMNS: &str = "id, at_ms, by, what, subject, station, week, days";

type Stored = (i64, i64, Option<String>, String, String, Option<String>, Option<String>, Option<String>);

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    row.try_into()
}

fn revision((id, at_ms, by, what, subject, station, week, days): Stored) -> Result<Revision, StoreError> {
    Ok(Revision { id, at: instant(at_ms)?, by, what, subject, files: Sources { station, week, days } })
}

fn one(connection: &Connection, which: &str, id: i64) -> Result<Option<Revision>, StoreError> {
    connection
        .query_row(
            &format!("SELECT {COLUMNS} FROM revision WHERE {which} ORDER BY id DESC LIMIT 1"),
            [id],
            stored,
        )
        .optional()
        .doing("read a revision")?
        .map(revision)
        .transpose()
}

fn insert(
    connection: &Connection,
    at: Timestamp,
    by: Option<&str>,
    what: &str,
    subject: &str,
    files: &Sources,
) -> Result<i64, StoreError> {
    let Sources { station, week, days } = files;
    connection
        .execute(
            "INSERT INTO revision (at_ms, by, what, subject, station, week, days) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![at.as_millisecond(), by, what, subject, station, week, days],
        )
        .doing("keep a revision")?;
    Ok(connection.last_insert_rowid())
}

impl Store {
    /// Keeps the files as they were found, unless the newest revision knows them so: somebody changed them by hand.
    pub fn keep_found(&self, files: &Sources, at: Timestamp) -> Result<(), StoreError> {
        let files = files.clone();
        self.write("keep a revision", move |transaction| {
            let newest = one(transaction, "id <= ?1", i64::MAX)?;
            if newest.is_none_or(|newest| newest.files != files) {
                insert(transaction, at, None, BY_HAND, "", &files)?;
            }
            Ok(())
        })
    }

    /// Keeps the files as somebody's act left them, and the act with it; the revision's number.
    pub fn keep_revision(&self, act: Act, files: &Sources) -> Result<i64, StoreError> {
        let files = files.clone();
        self.write("keep a revision", move |transaction| {
            let id = insert(transaction, act.at, Some(&act.by), &act.what, &act.subject, &files)?;
            insert_act(transaction, &act)?;
            Ok(id)
        })
    }

    /// The newest revisions, the newest first; the one behind the last one that is shown says what that one changed.
    pub fn revisions(&self, limit: u32) -> Result<Vec<Revision>, StoreError> {
        self.read(|connection| {
            let rows = connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM revision ORDER BY id DESC LIMIT ?1"))
                .and_then(|mut statement| {
                    statement.query_map([limit], stored)?.collect::<rusqlite::Result<Vec<_>>>()
                })
                .doing("read the revisions")?;
            rows.into_iter().map(revision).collect()
        })
    }

    /// A revision, and the one before it.
    pub fn revision(&self, id: i64) -> Result<Option<(Revision, Option<Revision>)>, StoreError> {
        self.read(|connection| {
            let Some(found) = one(connection, "id = ?1", id)? else { return Ok(None) };
            Ok(Some((found, one(connection, "id < ?1", id)?)))
        })
    }
}
