//! The journal's end, noted beside the database, so that a shortened journal is noticed.
//!
//! A chain of hashes shows what was changed in it, not what was cut off its end. So the newest row's number and hash
//! also stand in a file of their own. Who can change both can still deceive it; against that, the weekly report prints the hash
//! on paper.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::segment::ContentHash;

/// The file's name inside the data folder.
const FILE: &str = "log-head";

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
