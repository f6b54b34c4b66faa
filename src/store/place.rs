//! Whether the database that is open is still the file of that name: one that was removed or replaced takes all that is
//! written with it when the program ends, and nothing fails until then.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{Store, StoreError};

/// Which file it is, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    number: u64,
}

impl Identity {
    /// That of the file with this name.
    pub(super) fn of(file: &Path) -> io::Result<Self> {
        let found = std::fs::metadata(file)?;
        Ok(Self { device: found.dev(), number: found.ino() })
    }
}

impl Store {
    /// Opens the store that is in a folder, to read it; where there is none, none is made.
    pub fn open_existing(dir: &Path) -> Result<Self, StoreError> {
        let file = dir.join(super::DATABASE);
        match Identity::of(&file) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => Err(StoreError::Absent { file }),
            Ok(_) | Err(_) => Self::open(dir),
        }
    }

    /// Whether the database was made where another had been, and neither was that put back nor does anybody say that they
    /// know.
    pub fn is_made_anew(&self) -> bool {
        super::head::has_lost(self.dir())
    }

    /// Whether the database is still under its name. A disk that does not answer hides no file.
    pub fn is_in_place(&self) -> bool {
        match Identity::of(&self.file()) {
            Ok(found) => found == self.inner.identity,
            Err(cause) => cause.kind() != ErrorKind::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{air, cue, store};
    use super::*;
    use crate::store::Fault;

    #[test]
    fn a_database_that_was_removed_or_replaced_is_not_in_its_place() {
        let (store, dir) = store();
        assert!(store.is_in_place());
        let other = dir.path().join("other.db");
        store.rescue(&other).unwrap();
        std::fs::remove_file(store.file()).unwrap();
        assert!(!store.is_in_place());
        std::fs::rename(&other, store.file()).unwrap();
        assert!(!store.is_in_place());
        // What is open is whole all the same, and the other file is not taken for it.
        air(&store, &cue(1, 1));
        assert!(matches!(store.read(|_| Ok(())), Err(StoreError::Absent { .. })));
        store.rescue(&other).unwrap();
        let rescued = rusqlite::Connection::open(other).unwrap();
        let rows: i64 = rescued.query_row("SELECT count(*) FROM airing", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn a_database_made_where_another_was_says_so_until_that_is_put_back_or_somebody_knows() {
        let (store, dir) = store();
        air(&store, &cue(1, 1));
        let backup = dir.path().join("backup.db");
        store.backup(&backup).unwrap();
        air(&store, &cue(2, 1));
        let remove = || {
            for name in ["loa.db", "loa.db-wal", "loa.db-shm"] {
                drop(std::fs::remove_file(dir.path().join(name)));
            }
        };
        drop(store);
        assert!(!Store::open(dir.path()).unwrap().is_made_anew());
        remove();
        let store = Store::open(dir.path()).unwrap();
        air(&store, &cue(3, 1));
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        assert!(store.is_made_anew(), "also at the starts after");
        drop(store);

        crate::store::restore(&backup, dir.path()).unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert!(!store.is_made_anew());
        let bad = store.verify().unwrap().first_bad.unwrap();
        assert_eq!(bad.fault, Fault::Shortened { noted: 4 }, "by the note of the log that was put back");
        drop(store);

        std::fs::rename(dir.path().join("loa.db.before-restore"), dir.path().join("other.db")).unwrap();
        remove();
        assert!(Store::open(dir.path()).unwrap().is_made_anew());
        std::fs::remove_file(dir.path().join("log-head.lost")).unwrap();
        assert!(!Store::open(dir.path()).unwrap().is_made_anew());
    }

    #[test]
    fn to_read_a_store_that_is_not_there_makes_none() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        assert!(matches!(Store::open_existing(&data), Err(StoreError::Absent { .. })));
        assert!(!data.exists());
        drop(Store::open(&data).unwrap());
        Store::open_existing(&data).unwrap();
    }
}
