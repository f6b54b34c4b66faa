//! A station is a folder: `schedule/` (what people want), `audio/` (the segments' bytes), `data/` (facts).

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tracing::warn;

use crate::editing::files::{texts, write};
use crate::schedule::{self, Problem, Schedule, Sources};
use crate::store::DATABASE;

/// The folder of a station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    root: PathBuf,
}

/// Bears this a folder that is still being filled with a station: a copy that broke off must not pass for one.
pub const UNFINISHED: &str = "unfinished";

/// Why a folder cannot serve as a station.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    /// There is no schedule in it.
    #[error(
        "`{0}` is not a station: it has no `schedule/station.toml`; name the station's folder with --station, or start the example with `loa demo`"
    )]
    NoSchedule(PathBuf),
    /// It is only a part of a station.
    #[error("`{0}` holds only a part of a station: a backup or restore broke off there; do that again")]
    Unfinished(PathBuf),
    /// A folder could not be made.
    #[error("cannot make the folder `{path}`")]
    MakeFolder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Another daemon plays it already.
    #[error("the station in `{0}` is on already; stop that `loa serve` first")]
    Running(PathBuf),
    /// The lock could not be tried.
    #[error("cannot lock `{path}`")]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

impl Station {
    /// The station in a folder; makes `audio/` and `data/` where they are missing.
    pub fn open(root: &Path) -> Result<Self, StationError> {
        Self::find(root)?;
        Self::new_in(root)
    }

    /// The station in a folder, for who only looks: nothing is made, for what another account made would lock the
    /// station's own out. One that has lost its schedule, and has played, is one still: it goes on with the schedule that
    /// was last in force.
    pub fn find(root: &Path) -> Result<Self, StationError> {
        let has_played = || {
            let station = Self { root: root.to_owned() };
            station.in_force().join("station.toml").is_file() && station.data().join(DATABASE).is_file()
        };
        if !root.join("schedule/station.toml").is_file() && !has_played() {
            return Err(StationError::NoSchedule(root.to_owned()));
        }
        if root.join(UNFINISHED).exists() {
            return Err(StationError::Unfinished(root.to_owned()));
        }
        Ok(Self { root: root.to_owned() })
    }

    /// A station whose schedule is still to come; makes `audio/` and `data/` where they are missing.
    pub fn new_in(root: &Path) -> Result<Self, StationError> {
        let station = Self { root: root.to_owned() };
        for path in [station.audio(), station.data()] {
            fs::create_dir_all(&path).map_err(|cause| StationError::MakeFolder { path, cause })?;
        }
        Ok(station)
    }

    /// Makes sure that this is the only daemon of the station, for as long as the lock is held.
    pub fn lock(&self) -> Result<File, StationError> {
        let path = self.data().join("lock");
        let file = File::create(&path).map_err(|cause| StationError::Lock { path: path.clone(), cause })?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StationError::Running(self.root.clone())),
            Err(TryLockError::Error(cause)) => Err(StationError::Lock { path, cause }),
        }
    }

    /// The station's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What people want: TOML, theirs to edit.
    pub fn schedule(&self) -> PathBuf {
        self.root.join("schedule")
    }

    /// The segments' bytes.
    pub fn audio(&self) -> PathBuf {
        self.root.join("audio")
    }

    /// Facts: the database and what stands beside it.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Reads the schedule, or says everything that is wrong with it.
    pub fn read_schedule(&self, now: Timestamp) -> Result<Schedule, Vec<Problem>> {
        read(&self.schedule(), now)
    }

    /// Reads the schedule and, where nothing is wrong with it, keeps the very texts that were read, for a start with
    /// broken ones.
    pub fn take_in_force(&self, now: Timestamp) -> Result<Schedule, Vec<Problem>> {
        let texts = texts(&self.schedule())?;
        let schedule = schedule::read_at(&texts, now)?;
        if let Err(cause) = self.keep(&texts) {
            warn!(error = &cause as &dyn std::error::Error, "cannot keep a copy of the schedule in force");
        }
        Ok(schedule)
    }

    fn keep(&self, files: &Sources) -> io::Result<()> {
        let folder = self.in_force();
        fs::create_dir_all(&folder)?;
        write(&folder, None, files).map(drop)
    }

    /// Where the schedule in force is kept, for a start with a broken one.
    pub fn in_force(&self) -> PathBuf {
        self.data().join("in-force")
    }

    /// Reads the schedule that was last in force.
    pub fn read_schedule_in_force(&self) -> Result<Schedule, Vec<Problem>> {
        read(&self.in_force(), Timestamp::MAX)
    }

    /// The schedule as it is written, or else as it was last in force, for what nothing airs by.
    pub fn known_schedule(&self) -> Option<Schedule> {
        self.read_schedule(Timestamp::MAX).or_else(|_| self.read_schedule_in_force()).ok()
    }
}

/// Reads and checks the schedule's files in a folder; one that is not there is none.
pub fn read(folder: &Path, now: Timestamp) -> Result<Schedule, Vec<Problem>> {
    schedule::read_at(&texts(folder)?, now)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::editing::files::SCHEDULE_FILES;

    #[test]
    fn what_is_kept_for_a_start_with_a_broken_schedule_is_what_was_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join("schedule").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
        };
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("schedule");
        for name in SCHEDULE_FILES {
            write(name, &fs::read_to_string(example.join(name)).unwrap());
        }
        let station = Station::open(folder.path()).unwrap();
        let good = station.take_in_force(Timestamp::MIN).unwrap();
        fs::remove_file(station.schedule().join("days.toml")).unwrap();
        write("week.toml", "[[session");
        station.take_in_force(Timestamp::MIN).unwrap_err();
        assert_eq!(station.read_schedule_in_force().unwrap(), good);
        write("week.toml", &fs::read_to_string(example.join("week.toml")).unwrap());
        station.take_in_force(Timestamp::MIN).unwrap();
        assert!(!station.in_force().join("days.toml").exists(), "a file that is gone is not kept");
    }
}
