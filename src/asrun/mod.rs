//! What aired: facts. A cue's airing is the sum of its facts, each written once and never changed.
//!
//! A cue usually has one *take*: opened before its first frame, closed after its last. A power cut or an interrupt
//! may give it two. One that was opened and is not to sound after all, or not like that, is taken back, as if it had
//! never been. What never sounded has a single fact, `NotAired`. The outcome is a function of the facts, so
//! that a cue cannot have two.

mod airing;
mod cause;
mod entry;
#[cfg(test)]
pub(crate) mod fixture;
mod gap;
mod health;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::schedule::OutputId;
use crate::timeline::{Cue, CueId};

pub use airing::{Airing, BrokenTake, Decision, End, Item, Piece, Run, TOLERANCE_FRAMES, Take, Unheard};
pub use entry::{Entry, Note};
pub use gap::{Heartbeat, OpenTake, Sounding, reconcile, recover};
pub use health::ClockHealth;

/// Why something was not, or not wholly, aired. The first ones are the causes of the paper log (nhật ký).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Mất điện, or the program was killed: closed at the last heartbeat.
    PowerCut,
    /// The program was not running at its time.
    NotRunning,
    /// Thiết bị hỏng: the output was down.
    OutputDown,
    /// Tệp lỗi: the file is gone, changed, or cannot be decoded.
    FileBroken,
    /// The machine could not open the file in time, or not at all, though nothing is known to be wrong with it.
    NotOpened,
    /// Chưa được duyệt.
    NotApproved,
    /// Nothing was handed in.
    NothingHandedIn,
    /// Not valid on this date.
    NotValid,
    /// Thu hồi: withdrawn, before or while on air.
    Withdrawn,
    /// Ngoài giờ cho phép: quiet hours or another local rule.
    AgainstTheRules,
    /// Bị bản tin khẩn cấp chen ngang.
    Emergency,
    /// A person took the air.
    Live,
    /// Đồng hồ chưa tin cậy.
    ClockNotTrusted,
    /// Người trực dừng.
    StoppedByOperator,
    /// Its turn was over before it could start, and its late rule says so.
    TooLate,
    /// Faded out for the next hard start or the session's end, as planned.
    PlannedCut,
    /// Cut by a hard start that the plan did not foresee, after a late start before it.
    CutByNext,
    /// No room was left for it in the session.
    NoRoom,
    /// A day without music.
    NoMusic,
    /// What it should repeat is not on that day.
    NoOrigin,
    /// The schedule was changed while it was on air, or just before.
    ScheduleChanged,
    /// The program was stopped in an orderly way.
    ProgramStopped,
    /// It joined in progress, and nothing says why.
    JoinedLate,
    /// Silence stood in for sound: that was not decoded in time, or the sound device stood still.
    Starved,
}

/// What became of a cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "cause", rename_all = "kebab-case")]
pub enum Outcome {
    /// Đang phát: a take is open.
    OnAir,
    /// Đã phát: as planned, to the last planned frame, and no words cut by the plan itself.
    Aired,
    /// Phát một phần.
    Partly(Cause),
    /// Không phát.
    NotAired(Cause),
    /// Thu hồi while on air.
    Withdrawn,
}

/// The kind of an outcome, without its cause: what one asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeKind {
    /// Đang phát.
    OnAir,
    /// Đã phát.
    Aired,
    /// Phát một phần.
    Partly,
    /// Không phát.
    NotAired,
    /// Thu hồi while on air.
    Withdrawn,
}

impl OutcomeKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::OnAir, Self::Aired, Self::Partly, Self::NotAired, Self::Withdrawn];

    /// Its name in commands, the API and the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::OnAir => "on-air",
            Self::Aired => "aired",
            Self::Partly => "partly",
            Self::NotAired => "not-aired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Outcome {
    /// Its kind.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::OnAir => OutcomeKind::OnAir,
            Self::Aired => OutcomeKind::Aired,
            Self::Partly(_) => OutcomeKind::Partly,
            Self::NotAired(_) => OutcomeKind::NotAired,
            Self::Withdrawn => OutcomeKind::Withdrawn,
        }
    }

    /// Why it was not the plan, where it was not.
    pub fn cause(&self) -> Option<Cause> {
        match *self {
            Self::OnAir | Self::Aired => None,
            Self::Partly(cause) | Self::NotAired(cause) => Some(cause),
            Self::Withdrawn => Some(Cause::Withdrawn),
        }
    }
}

/// A fact about a cue, in the order in which the engine learned them.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A take is about to sound; on disk before its first frame.
    Opened {
        /// What sounds.
        cue: Arc<Cue>,
        /// The output.
        output: OutputId,
        /// The take, which has no end yet.
        take: Take,
    },
    /// A take is over.
    Closed(Closed),
    /// A take that was opened is not to sound: its cue is as open as before.
    TakenBack {
        /// The cue.
        cue: CueId,
        /// The output.
        output: OutputId,
        /// Which take.
        take: u16,
        /// When this was decided.
        at: Timestamp,
    },
    /// A cue did not and will not sound.
    NotAired(NotAired),
    /// The output is alive and these takes are still on air: from these a power cut is dated.
    Heartbeat {
        /// When.
        at: Timestamp,
        /// The output.
        output: OutputId,
        /// How far they are.
        sounding: Vec<Sounding>,
    },
}

/// A take is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The cue.
    pub cue: CueId,
    /// The output.
    pub output: OutputId,
    /// Which take.
    pub take: u16,
    /// When the first frame left the device; none if none did.
    pub started: Option<Timestamp>,
    /// When the last one did.
    pub ended: Option<Timestamp>,
    /// Frames of the segment that a healthy device took.
    pub delivered: u64,
    /// Frames of silence that stood in for sound: that was not ready in time, or the device stood still.
    pub starved: u64,
    /// Whether the amplifier could not be switched on while it sounded.
    pub unpowered: bool,
    /// What kept it from beginning in time, where that was not known yet when it was opened.
    pub held_by: Option<Cause>,
    /// Why it was not the plan; none where it was.
    pub cause: Option<Cause>,
    /// When this was decided.
    pub at: Timestamp,
}

/// A cue did not sound.
#[derive(Debug, Clone, PartialEq)]
pub struct NotAired {
    /// What did not sound.
    pub cue: Arc<Cue>,
    /// The output.
    pub output: OutputId,
    /// Why.
    pub cause: Cause,
    /// What was known of the clock.
    pub clock: ClockHealth,
    /// When this was decided.
    pub at: Timestamp,
}
