//! What the journal keeps: the facts, with everything that is known of their cues.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ClockHealth, Closed, End, Fact, Item, NotAired, Take, Unheard};
use crate::schedule::OutputId;
use crate::segment::ContentHash;
use crate::timeline::CueId;

/// What is written into the journal, once, and never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Entry {
    /// A take is about to sound.
    Opened {
        /// Of what.
        item: Item,
        /// It.
        take: Take,
    },
    /// A take is over.
    Closed {
        /// The cue.
        cue: CueId,
        /// The output.
        output: OutputId,
        /// Its number.
        take: u16,
        /// How.
        end: End,
    },
    /// A take that was opened is not to sound.
    TakenBack {
        /// The cue.
        cue: CueId,
        /// The output.
        output: OutputId,
        /// Its number.
        take: u16,
        /// When this was decided.
        at: Timestamp,
    },
    /// A take that a power cut left open is over, as far as can be known.
    Recovered {
        /// The cue.
        cue: CueId,
        /// The output.
        output: OutputId,
        /// Its number.
        take: u16,
        /// How.
        end: End,
    },
    /// A cue did not sound.
    NotAired {
        /// Which.
        item: Item,
        /// Why.
        unheard: Unheard,
    },
    /// What was said of a cue, by a clock that was ahead, does not settle it: its time was yet to come, and it may air.
    Reopened {
        /// The cue.
        cue: CueId,
        /// The output.
        output: OutputId,
        /// When the clock was found right.
        at: Timestamp,
    },
    /// Something about the station that explains its airings.
    Note {
        /// When.
        at: Timestamp,
        /// What.
        note: Note,
    },
}

/// Something about the station that explains its airings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
pub enum Note {
    /// The program began.
    Boot {
        /// Which version of it.
        version: String,
        /// What was known of the clock.
        clock: ClockHealth,
    },
    /// The program ended in an orderly way.
    Stopped,
    /// The wall clock jumped while the program ran.
    ClockStep {
        /// By how much, in milliseconds; negative for back.
        by_ms: i64,
    },
    /// A time server or a person says that the clock is right: what was logged under a later date was the mistake.
    ClockConfirmed {
        /// Who.
        by: String,
    },
    /// The journal did not end any more as it was noted that it did: rows were cut off, or others stand there.
    LogCut {
        /// How many rows there were.
        rows: i64,
        /// How many were noted; 0 where the note itself was gone.
        noted: i64,
        /// The hash of the newest one, as it was noted.
        hash: Option<ContentHash>,
    },
}

impl Entry {
    /// What the journal keeps of a fact; heartbeats are not kept.
    pub fn of(fact: &Fact, zones: &[String]) -> Option<Self> {
        match fact {
            Fact::Opened { cue, output, take } => {
                Some(Self::Opened { item: Item::of(cue, output, zones), take: take.clone() })
            }
            Fact::Closed(closed) => Some(Self::Closed {
                cue: closed.cue.clone(),
                output: closed.output.clone(),
                take: closed.take,
                end: End::of(closed),
            }),
            Fact::TakenBack { cue, output, take, at } => {
                Some(Self::TakenBack { cue: cue.clone(), output: output.clone(), take: *take, at: *at })
            }
            Fact::NotAired(NotAired { cue, output, cause, clock, at }) => Some(Self::NotAired {
                item: Item::of(cue, output, zones),
                unheard: Unheard { cause: *cause, clock: *clock, at: *at },
            }),
            Fact::Heartbeat { .. } => None,
        }
    }

    /// What the journal keeps of a take closed after a power cut.
    pub fn recovered(closed: &Closed) -> Self {
        Self::Recovered {
            cue: closed.cue.clone(),
            output: closed.output.clone(),
            take: closed.take,
            end: End::of(closed),
        }
    }

    /// When it was decided.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Opened { take, .. } => take.opened,
            Self::Closed { end, .. } | Self::Recovered { end, .. } => end.at,
            Self::NotAired { unheard, .. } => unheard.at,
            Self::TakenBack { at, .. } | Self::Reopened { at, .. } | Self::Note { at, .. } => *at,
        }
    }

    /// The output and cue it is about.
    pub fn subject(&self) -> Option<(&OutputId, &CueId)> {
        match self {
            Self::Opened { item, .. } | Self::NotAired { item, .. } => Some((&item.output, &item.cue)),
            Self::Closed { cue, output, .. }
            | Self::TakenBack { cue, output, .. }
            | Self::Reopened { cue, output, .. }
            | Self::Recovered { cue, output, .. } => Some((output, cue)),
            Self::Note { .. } => None,
        }
    }
}
