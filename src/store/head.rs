//! The journal's end, noted beside the database, so that a shortened journal is noticed.
//!
//! A chain of hashes shows what was changed in it, not what was cut off its end. So the newest row's number and hash
//! also stand in a file of their own. Who can change both can still deceive it; against that, the weekly report prints the hash
//! on paper.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::StoreError;
use super::error::Doing;
use super::journal::{end, hash_at};
use super::row::NOTHING_BEFORE;
use crate::asrun::Note;
use crate::segment::ContentHash;

/// The file's name inside the data folder.
const FILE: &str = "log-head";
/// The note of a journal whose database was gone when the next one was made: it stays until that is put back, or until a
/// person removes it, who so says that they know.
const LOST: &str = "log-head.lost";

/// The end of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The newest row's number: how many there are.
    pub(super) rows: i64,
    /// Its hash.
    pub(super) hash: ContentHash,
}

fn file_in(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// Notes the end: aside, synced, renamed into place.
pub(super) fn write(dir: &Path, head: Head) -> Result<(), StoreError> {
    let path = file_in(dir);
    let aside = path.with_extension("new");
    let write = || {
        let mut file = File::create(&aside)?;
        writeln!(file, "{} {}", head.rows, head.hash)?;
        file.sync_all()?;
        std::fs::rename(&aside, &path)
    };
    write().map_err(|cause| StoreError::File { operation: "write", path: path.clone(), cause })
}

/// Before a database is made: where the note tells of another one, keeps it. Gives how many rows that had.
pub(super) fn keep_lost(dir: &Path) -> Result<Option<i64>, StoreError> {
    let Some(noted) = read(dir)?.filter(|noted| noted.rows > 0) else { return Ok(None) };
    let path = dir.join(LOST);
    // Of two that were lost, the first had the station.
    if !path.exists() {
        std::fs::copy(file_in(dir), &path).map_err(|cause| StoreError::File {
            operation: "write",
            path,
            cause,
        })?;
    }
    Ok(Some(noted.rows))
}

/// Whether a database was lost, and nobody knows of it yet.
pub(super) fn has_lost(dir: &Path) -> bool {
    dir.join(LOST).exists()
}

/// A copy of what was lost is put back: its note holds again.
pub(super) fn find_lost(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(LOST);
    match std::fs::rename(&path, file_in(dir)) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => {
            Err(StoreError::File { operation: "put back", path, cause })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What is to be noted in the journal before anything is added to it: that it does not end as was noted. A power cut does
/// not come to this: the end is noted after its row is on disk, so that a note may be older than the journal, never newer.
pub(super) fn cut(connection: &Connection, dir: &Path) -> Result<Option<Note>, StoreError> {
    let rows = end(connection)?.rows;
    let Some(noted) = read(dir)? else {
        if rows == 0 {
            // From now on a note that is missing was removed.
            write(dir, Head { rows, hash: NOTHING_BEFORE })?;
        }
        return Ok((rows > 0).then_some(Note::LogCut { rows, noted: 0, hash: None }));
    };
    let found = match noted.rows {
        0 => Some(NOTHING_BEFORE),
        seq => connection
            .prepare_cached("SELECT hash FROM journal WHERE seq = ?1")
            .and_then(|mut statement| statement.query_row([seq], |row| hash_at(row, 0)).optional())
            .doing("find the noted end of the journal")?,
    };
    let cut = Note::LogCut { rows, noted: noted.rows, hash: Some(noted.hash) };
    Ok((found != Some(noted.hash)).then_some(cut))
}

/// The end as it was last noted; none where it never was, or where the file says nothing that can be read.
pub(super) fn read(dir: &Path) -> Result<Option<Head>, StoreError> {
    let path = file_in(dir);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text
            .trim_end()
            .split_once(' ')
            .and_then(|(rows, hash)| Some(Head { rows: rows.parse().ok()?, hash: hash.parse().ok()? }))),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(StoreError::File { operation: "read", path, cause }),
    }
}
