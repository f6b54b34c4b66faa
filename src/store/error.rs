//! What can go wrong with the store.

use std::error::Error;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::Step;
use crate::segment::{SegmentId, State};

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder of the store.
    #[error("cannot {operation} `{}`", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The database cannot be opened.
    #[error("cannot open the database `{}`", file.display())]
    Open {
        /// Its file.
        file: PathBuf,
        /// What SQLite said.
        #[source]
        cause: rusqlite::Error,
    },
    /// There is no database to read.
    #[error("there is no database `{}`, or another file has its name; the first `loa serve` makes it, and where a station has played it was removed", file.display())]
    Absent {
        /// Where it should be.
        file: PathBuf,
    },
    /// The database is gone, and it is not a station's first start.
    #[error(
        "the database `{}` is gone, and there is one that was kept before a restore, `{}`: no empty one is made; put a copy back, \
         the newest in the folder `backup` beside it, or the kept one: `loa restore COPY --station STATION`",
        file.display(), kept.display()
    )]
    Lost {
        /// Where it should be.
        file: PathBuf,
        /// What was kept.
        kept: PathBuf,
    },
    /// The database is not one, or no longer.
    #[error(
        "the database `{}` is damaged ({what}); stop loa and put a copy back, the newest in the folder `backup` beside it: \
         `loa restore COPY --station STATION`", file.display()
    )]
    Damaged {
        /// Its file.
        file: PathBuf,
        /// How that shows.
        what: String,
    },
    /// The database comes from a later version of this program.
    #[error("`{}` has version {found}, and this program knows versions up to {known}; use a newer one", file.display())]
    Newer {
        /// Its file.
        file: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The database could not be brought to a version.
    #[error("cannot bring the database `{}` to version {version}", file.display())]
    Migrate {
        /// Its file.
        file: PathBuf,
        /// The version.
        version: u32,
        /// What SQLite said.
        #[source]
        cause: rusqlite::Error,
    },
    /// A statement failed.
    #[error("cannot {operation}")]
    Query {
        /// What it was for.
        operation: &'static str,
        /// What SQLite said.
        #[source]
        cause: rusqlite::Error,
    },
    /// A stored value is not what this program writes.
    #[error("cannot understand what is stored of {subject}")]
    Value {
        /// Of what.
        subject: String,
        /// Why not.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// The writer has ended.
    #[error("the store has stopped")]
    Stopped,
    /// Too many are waiting already.
    #[error("the store is busy")]
    Busy,
    /// The system gave no random bytes.
    #[error("cannot make a token without random bytes from the system")]
    Random(#[source] getrandom::Error),
    /// There is no such segment.
    #[error("there is no segment `{0}`")]
    NoSegment(SegmentId),
    /// The segment cannot take that step from where it stands.
    #[error("segment `{id}` is {state:?}: it cannot take the step {step:?}")]
    WrongState {
        /// It.
        id: SegmentId,
        /// Where it stands.
        state: State,
        /// The step.
        step: Step,
    },
    /// The approval was meant for other bytes.
    #[error("the approval of segment `{0}` was meant for other bytes")]
    OtherBytes(SegmentId),
    /// The approval was meant for other words.
    #[error("the approval of segment `{0}` was meant for other words")]
    OtherWords(SegmentId),
    /// Another segment has the file's name.
    #[error("another segment has the file name `{0}`")]
    FileTaken(String),
    /// There is no such person, or no longer.
    #[error("there is no user `{0}`")]
    NoUser(String),
    /// The name is taken, perhaps by somebody who was revoked: the log still names them.
    #[error("there is a user `{0}` already")]
    UserExists(String),
    /// Nobody else may manage users.
    #[error("nobody but `{0}` may manage users")]
    LastAdmin(String),
    /// The name is none.
    #[error("`{0}` cannot be a user's name: 1 to 64 of a-z A-Z 0-9 - _ .")]
    BadUserName(String),
}

impl StoreError {
    /// Says of errors which mean that the file itself is broken, what to do about it.
    pub(super) fn in_file(self, file: &Path) -> Self {
        if let Self::Query { cause, .. } | Self::Open { cause, .. } | Self::Migrate { cause, .. } = &self
            && means_damage(cause)
        {
            return Self::Damaged { file: file.to_owned(), what: cause.to_string() };
        }
        self
    }
}

impl StoreError {
    /// Whether the disk has no room for what was to be written.
    pub fn is_for_want_of_room(&self) -> bool {
        if let Self::File { cause, .. } = self {
            return matches!(cause.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        }
        self.code() == Some(ErrorCode::DiskFull)
    }

    /// Whether another program had the database locked for longer than was waited.
    pub fn is_for_a_lock(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Whether the program may not read or write there, as who runs it.
    pub fn is_for_want_of_rights(&self) -> bool {
        if let Self::File { cause, .. } = self {
            return matches!(cause.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem);
        }
        let codes = [ErrorCode::CannotOpen, ErrorCode::ReadOnly, ErrorCode::PermissionDenied];
        self.code().is_some_and(|code| codes.contains(&code))
    }

    /// What SQLite calls it.
    fn code(&self) -> Option<ErrorCode> {
        let (Self::Query { cause, .. } | Self::Open { cause, .. } | Self::Migrate { cause, .. }) = self
        else {
            return None;
        };
        cause.sqlite_error_code()
    }
}

fn means_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Names the operation that failed.
pub(super) trait Doing<T> {
    fn doing(self, operation: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, operation: &'static str) -> Result<T, StoreError> {
        self.map_err(|cause| StoreError::Query { operation, cause })
    }
}
