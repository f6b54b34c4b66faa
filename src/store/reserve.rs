//! A piece of the disk kept back: a station whose disk is full still starts, plays and keeps its log.
//!
//! The reserve is a file that takes up room and is nothing else. Where the disk is full it is removed, which is enough
//! for weeks of log, and kept back again at night once somebody has made room.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;

/// What is kept back: about 20,000 airings, weeks of them.
const RESERVED: u64 = 16 * 1024 * 1024;
/// With less than this the database may not open: it needs its two helper files, and a copy of what it changes.
const FULL: u64 = 2 * 1024 * 1024;
/// The reserve is not what fills a small disk; and recordings leave as much free, for what was given up for the log is free
/// space like any other.
pub const AMPLE: u64 = 4 * RESERVED;

/// The reserve of a data folder.
#[derive(Debug)]
pub(super) struct Reserve {
    file: PathBuf,
}

impl Reserve {
    pub(super) fn of(dir: &Path) -> Self {
        Self { file: dir.join("reserve") }
    }

    /// Gives the reserve up where the disk is full.
    pub(super) fn give_up_if_full(&self) {
        if self.free().is_none_or(|free| free >= FULL) {
            return;
        }
        match self.give_up() {
            Ok(()) => {
                tracing::error!(
                    bytes = RESERVED,
                    "the disk is full: the reserve was given up for the log; make room"
                );
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => {
                tracing::error!(
                    error = &cause as &dyn std::error::Error,
                    "the disk is full, and the reserve cannot be removed"
                );
            }
        }
    }

    /// Its room goes before its name: another process that finds no reserve finds the room, and need not wait for it.
    fn give_up(&self) -> io::Result<()> {
        File::options().write(true).truncate(true).open(&self.file)?;
        fs::remove_file(&self.file)
    }

    /// Keeps it back, where there is room for it several times over.
    pub(super) fn keep(&self) -> io::Result<()> {
        if self.is_whole()? || self.free().is_none_or(|free| free < AMPLE) {
            return Ok(());
        }
        let kept = File::create(&self.file)
            .and_then(|file| Ok(posix_fallocate(file, 0, RESERVED.try_into().unwrap_or(i64::MAX))?));
        if kept.is_err() {
            // A part of it is of no use. What filled the disk meanwhile is the error that is told.
            drop(fs::remove_file(&self.file));
        }
        kept
    }

    /// Power lost while it was made or given up leaves a part of it.
    fn is_whole(&self) -> io::Result<bool> {
        match fs::metadata(&self.file) {
            Ok(found) => Ok(found.len() >= RESERVED),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(cause),
        }
    }

    /// Bytes that are free for us beside it.
    fn free(&self) -> Option<u64> {
        free_bytes(self.file.parent()?)
    }
}

/// Bytes that are free for this program where a folder is; none where the system does not say.
pub fn free_bytes(dir: &Path) -> Option<u64> {
    let asked = statvfs(dir).ok()?;
    Some(asked.blocks_available().saturating_mul(asked.fragment_size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_takes_up_room_once() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(dir.path());
        reserve.keep().unwrap();
        let kept = fs::metadata(dir.path().join("reserve")).unwrap();
        assert_eq!(kept.len(), RESERVED);
        assert!(std::os::unix::fs::MetadataExt::blocks(&kept) * 512 >= RESERVED, "room, not a hole");
        reserve.keep().unwrap();
        reserve.give_up_if_full();
        assert!(dir.path().join("reserve").exists(), "there is room enough");
    }

    #[test]
    fn who_finds_no_reserve_finds_its_room() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(dir.path());
        reserve.keep().unwrap();
        let second_name = dir.path().join("still there when the first is gone");
        fs::hard_link(dir.path().join("reserve"), &second_name).unwrap();
        reserve.give_up().unwrap();
        assert_eq!(fs::metadata(second_name).unwrap().len(), 0);
        assert_eq!(reserve.give_up().unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_part_of_a_reserve_is_made_whole() {
        let dir = tempfile::tempdir().unwrap();
        File::create(dir.path().join("reserve")).unwrap().set_len(4096).unwrap();
        Reserve::of(dir.path()).keep().unwrap();
        assert_eq!(fs::metadata(dir.path().join("reserve")).unwrap().len(), RESERVED);
    }
}
