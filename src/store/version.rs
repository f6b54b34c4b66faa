//! Whether anything changed, by whichever process: asked once a second, so two steps down an index and no more.

use super::error::Doing;
use super::{Store, StoreError};

/// Tells apart two states of what a plan depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Of the catalogue.
    pub segments: i64,
    /// Of the log.
    pub log: i64,
}

impl Store {
    /// The state of the catalogue and the log. Heartbeats do not change it.
    pub fn version(&self) -> Result<Version, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT (SELECT coalesce(max(id), 0) FROM segment_event), (SELECT coalesce(max(seq), 0) FROM journal)",
                )
                .and_then(|mut statement| {
                    statement.query_row([], |row| Ok(Version { segments: row.get(0)?, log: row.get(1)? }))
                })
                .doing("ask whether anything changed")
        })
    }
}
