//! What is wrong with a schedule, as data; the sentences are in `text`.

use serde::Serialize;

/// Something wrong with the schedule, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong.
    #[serde(flatten)]
    pub kind: Kind,
    /// The file, relative to the station.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Kind {
    /// The file is not there.
    MissingFile,
    /// The file cannot be read.
    UnreadableFile {
        /// What the system said.
        reason: String,
    },
}
