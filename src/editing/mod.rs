//! The schedule's files, changed from the console: read, changed, checked, shown, written, kept; and changed back.
//!
//! The files stay what people want: whoever prefers an editor goes on with it. So nothing is written that was not made
//! from the files as they are at that moment, and what somebody changed by hand is kept before it is written over. The
//! planner finds the new files like any others.
//!
//! Two programs that write at the same instant are not kept apart, since editors take no locks: what lies between the last
//! look at the files and the renaming is less than a millisecond.

pub mod files;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::schedule::edit::{self, Edit, EditError};
use crate::schedule::{self, Problem, Schedule, Sources};
use crate::store::{Act, Store, StoreError};
use files::{fingerprint, texts, write};

/// Where the schedule's files are worked on.
#[derive(Debug)]
pub struct Desk {
    folder: PathBuf,
    store: Store,
    /// One after the other: between a look at the files and their writing nobody else here writes.
    turn: Mutex<()>,
}

/// What somebody wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// This change.
    Edit(Edit),
    /// The files as they were before this revision.
    Undo(i64),
}

/// So many changes may come between a form and its answer: more than are made in the hours that one stands open.
const REMEMBERED: u32 = 50;

/// The schedule as it is on the disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Tells this state of the files apart from others.
    pub seen: String,
    /// What they come to.
    pub schedule: Schedule,
}

/// What a wish would come to; nothing is written yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Tells apart the state of the files that it is made from.
    pub seen: String,
    /// The files as they are.
    pub before: Sources,
    /// The files as they would be.
    pub after: Sources,
    /// What they come to now; none where they have problems.
    pub old: Option<Schedule>,
    /// What they would come to.
    pub new: Schedule,
}

/// A wish that was granted.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The number of the revision.
    pub revision: i64,
    /// The schedule from now on.
    pub schedule: Schedule,
}

/// Why a wish is not granted. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum EditingError {
    /// The files cannot be read.
    #[error("the schedule's files cannot be read")]
    Unreadable(Vec<Problem>),
    /// They cannot be changed so.
    #[error("the edit was not made")]
    Edit(#[from] EditError),
    /// There is no such revision, or none before it.
    #[error("there is nothing before revision {0}")]
    NoRevision(i64),
    /// They cannot be written.
    #[error("cannot write the schedule into `{}`", folder.display())]
    Write {
        /// Where.
        folder: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The revisions cannot be read or written.
    #[error("the revisions are out of reach")]
    Store(#[from] StoreError),
}

impl Desk {
    /// A desk for the files of a folder, with the store that keeps what they were.
    pub fn new(folder: PathBuf, store: Store) -> Self {
        Self { folder, store, turn: Mutex::default() }
    }

    /// The schedule as it is on the disk.
    pub fn sheet(&self, now: Timestamp) -> Result<Sheet, EditingError> {
        let files = self.files()?;
        let schedule = schedule::read_at(&files, now).map_err(EditError::Broken)?;
        Ok(Sheet { seen: fingerprint(&files), schedule })
    }

    /// The schedule as it was when its files were in a state that somebody saw, where that is known: every change made
    /// here keeps what was there before it.
    pub fn as_seen(&self, seen: &str) -> Result<Option<Schedule>, EditingError> {
        let mut kept = self.store.revisions(REMEMBERED)?.into_iter();
        let found = kept.find(|revision| fingerprint(&revision.files) == seen);
        Ok(found.and_then(|revision| schedule::read_at(&revision.files, Timestamp::MAX).ok()))
    }

    /// What a wish would come to.
    pub fn draft(&self, wish: &Wish, now: Timestamp) -> Result<Draft, EditingError> {
        let before = self.files()?;
        let old = schedule::read_at(&before, now);
        let (after, new) = match wish {
            Wish::Edit(edit) => {
                let old = old.as_ref().map_err(|problems| EditError::Broken(problems.clone()))?;
                edit::apply(&before, old, edit, now)?
            }
            Wish::Undo(id) => {
                let found = self.store.revision(*id)?.and_then(|(_, before)| before);
                let files = found.ok_or(EditingError::NoRevision(*id))?.files;
                let schedule = schedule::read_at(&files, now).map_err(EditError::Refused)?;
                (files, schedule)
            }
        };
        Ok(Draft { seen: fingerprint(&before), before, after, old: old.ok(), new })
    }

    /// Keeps the files as they are, where somebody changed them by hand since they were last kept: so that also this can
    /// be undone.
    pub fn keep_found(&self, at: Timestamp) -> Result<(), EditingError> {
        let _turn = self.turn();
        Ok(self.store.keep_found(&self.files()?, at)?)
    }

    /// Grants a wish that was made on seeing a state of the files, and keeps the act that it then is; gives none where the
    /// files are others by now, and nothing was written.
    pub fn save(
        &self,
        wish: &Wish,
        seen: &str,
        now: Timestamp,
        act: impl FnOnce(&Draft) -> Act,
    ) -> Result<Option<Saved>, EditingError> {
        let _turn = self.turn();
        let draft = self.draft(wish, now)?;
        if draft.seen != seen {
            return Ok(None);
        }
        let act = act(&draft);
        // First what was there: if the power goes now or later, nothing of it is lost.
        self.store.keep_found(&draft.before, act.at)?;
        let fails = |cause| EditingError::Write { folder: self.folder.clone(), cause };
        let written = match write(&self.folder, Some(&draft.before), &draft.after) {
            Ok(written) => written,
            Err(changed) if changed.kind() == io::ErrorKind::ResourceBusy => return Ok(None),
            Err(cause) => return Err(fails(cause)),
        };
        match self.store.keep_revision(act, &draft.after) {
            Ok(revision) => Ok(Some(Saved { revision, schedule: draft.new })),
            // No schedule comes into force of which nobody can see who changed it.
            Err(failure) => {
                written.take_back().map_err(fails)?;
                Err(failure.into())
            }
        }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn files(&self) -> Result<Sources, EditingError> {
        texts(&self.folder).map_err(EditingError::Unreadable)
    }
}

impl Draft {
    /// Whether the files stay as they are.
    pub fn is_empty(&self) -> bool {
        self.before == self.after
    }
}
