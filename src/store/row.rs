//! A row of the journal, bound to the row before it.

use rusqlite::Row;
use sha2::{Digest, Sha256};

use super::StoreError;
use super::head::Head;
use super::journal::{from_json, hash_at, to_json};
use crate::asrun::Entry;
use crate::segment::ContentHash;

/// What the first row is bound to.
pub(super) const NOTHING_BEFORE: ContentHash = ContentHash([0; 32]);

/// A row of the journal, as it is stored and hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JournalRow {
    pub(super) seq: i64,
    pub(super) at_ms: i64,
    pub(super) offset_s: i32,
    pub(super) kind: String,
    pub(super) output: Option<String>,
    pub(super) cue: Option<String>,
    pub(super) take: Option<u16>,
    pub(super) body: String,
    pub(super) prev: ContentHash,
}

impl JournalRow {
    pub(super) fn of(entry: &Entry, after: Head, offset_s: i32) -> Result<Self, StoreError> {
        let (kind, take) = match entry {
            Entry::Opened { take, .. } => ("opened", Some(take.take)),
            Entry::Closed { take, .. } => ("closed", Some(*take)),
            Entry::TakenBack { take, .. } => ("taken-back", Some(*take)),
            Entry::Recovered { take, .. } => ("recovered", Some(*take)),
            Entry::NotAired { .. } => ("not-aired", None),
            Entry::Reopened { .. } => ("reopened", None),
            Entry::Note { .. } => ("note", None),
        };
        let subject = entry.subject();
        Ok(Self {
            seq: after.rows + 1,
            at_ms: entry.at().as_millisecond(),
            offset_s,
            kind: kind.to_owned(),
            output: subject.map(|(output, _)| output.to_string()),
            cue: subject.map(|(_, cue)| cue.to_string()),
            take,
            body: to_json(entry, "a fact")?,
            prev: after.hash,
        })
    }

    /// SHA-256 of the row before's hash and of every column in order: numbers as big-endian 64-bit, texts as their
    /// length and UTF-8 bytes, a missing one as the length of all ones.
    pub(super) fn hash(&self) -> ContentHash {
        let mut hasher = Sha256::new();
        hasher.update(self.prev.0);
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.at_ms.to_be_bytes());
        hasher.update(i64::from(self.offset_s).to_be_bytes());
        let take = self.take.map(|take| take.to_string());
        for text in
            [Some(&self.kind), self.output.as_ref(), self.cue.as_ref(), take.as_ref(), Some(&self.body)]
        {
            match text {
                Some(text) => {
                    hasher.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
                    hasher.update(text);
                }
                None => hasher.update(u64::MAX.to_be_bytes()),
            }
        }
        ContentHash(hasher.finalize().into())
    }

    /// The columns of a query `SELECT seq, at_ms, offset_s, kind, output, cue, take, body, prev, hash`: the row, and the
    /// hash that is stored with it.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<(Self, ContentHash)> {
        let read = Self {
            seq: row.get(0)?,
            at_ms: row.get(1)?,
            offset_s: row.get(2)?,
            kind: row.get(3)?,
            output: row.get(4)?,
            cue: row.get(5)?,
            take: row.get(6)?,
            body: row.get(7)?,
            prev: hash_at(row, 8)?,
        };
        Ok((read, hash_at(row, 9)?))
    }

    pub(super) fn entry(&self) -> Result<Entry, StoreError> {
        from_json(&self.body, || format!("row {} of the journal", self.seq))
    }
}
