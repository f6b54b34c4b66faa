//! Whether anything changed, by whichever process: asked once a second, so two steps down an index and no more.

use jiff::Timestamp;

use super::error::Doing;
use super::journal::instant;
use super::{Store, StoreError};

/// Tells apart two states of what a plan depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Of the catalogue.
    pub segments: i64,
    /// Of the log.
    pub log: i64,
}

/// What is looked at once a second.
#[derive(Debug, Clone, Copy)]
pub struct Glance {
    /// The state of the catalogue and the log. Heartbeats do not change it.
    pub version: Version,
    /// As [`Store::newest_instant`].
    pub newest: Option<Timestamp>,
}

impl Store {
    /// The state of the catalogue and the log. Heartbeats do not change it.
    pub fn version(&self) -> Result<Version, StoreError> {
        self.glance().map(|glance| glance.version)
    }

    /// Everything that is looked at once a second, in one question.
    pub fn glance(&self) -> Result<Glance, StoreError> {
        self.read(|connection| {
            let (version, newest) = connection
                .prepare_cached(
                    "SELECT (SELECT coalesce(max(id), 0) FROM segment_event),
                            (SELECT coalesce(max(seq), 0) FROM journal), (SELECT at_ms FROM newest)",
                )
                .and_then(|mut statement| {
                    statement.query_row([], |row| {
                        Ok((
                            Version { segments: row.get(0)?, log: row.get(1)? },
                            row.get::<_, Option<i64>>(2)?,
                        ))
                    })
                })
                .doing("ask whether anything changed")?;
            Ok(Glance { version, newest: newest.map(instant).transpose()? })
        })
    }
}
