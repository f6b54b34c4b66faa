//! What now: one state machine per output. It is given the time and what happened, and says what to do.
//!
//! It knows no file, no device and no clock. It never fails and never waits: whatever order events come in, and
//! wherever the clock jumps, every cue of the timeline gets its take, or a `NotAired` with its cause.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::asrun::Cause;
use crate::segment::{Segment, SegmentId, id};
use crate::timeline::{Cue, CueId, Layer, Timeline};

id! {
    /// An interrupt a person ordered.
    InterruptId
}

/// A person takes the air with a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Interrupt {
    /// Its id, unique for ever: it names the airings.
    pub id: InterruptId,
    /// `Live` or `Emergency`.
    pub layer: Layer,
    /// What sounds.
    pub segment: Arc<Segment>,
    /// What brings it to the station's loudness, in dB.
    pub gain_db: f64,
    /// Who ordered it.
    pub by: String,
    /// How often it sounds.
    pub repeats: Repeats,
}

/// How often an interrupt sounds. Decision 03/2020/QĐ-TTg, article 29, asks for two repeats five minutes apart, then one
/// every so often until the all-clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    /// How many times at most.
    pub at_most: u16,
    /// Distance from start to start for the first `close`, counted from the second.
    pub soon: SignedDuration,
    /// How many repeats are `soon` apart.
    pub close: u16,
    /// Distance from start to start after these.
    pub then: SignedDuration,
}

impl Repeats {
    /// Once and no more.
    pub const ONCE: Self =
        Self { at_most: 1, soon: SignedDuration::ZERO, close: 0, then: SignedDuration::ZERO };
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A timeline to go by from now on. A cue that is on air stays, if the new one still has it.
    Load {
        /// It.
        timeline: Arc<Timeline>,
        /// Cues that are settled: heard to their end or given up, before this program began.
        settled: Arc<BTreeSet<CueId>>,
    },
    /// A person takes the air.
    Interrupt(Arc<Interrupt>),
    /// A person gives it back.
    CallOff(InterruptId),
    /// A person stops what is on air from the timeline; it goes on with the next cue.
    StopCue,
    /// A segment must not sound any more, from now.
    Withdraw(SegmentId),
    /// What `Prepare` asked for is ready to sound.
    Ready(CueId),
    /// What `Prepare` asked for will never be ready.
    Failed(CueId, Cause),
    /// A cue's first frame was placed.
    Started {
        /// The cue.
        cue: CueId,
        /// When the frame leaves.
        at: Timestamp,
    },
    /// A cue's last frame was placed, by itself or after a `Stop`.
    Ended {
        /// The cue.
        cue: CueId,
        /// When the frame after it leaves.
        at: Timestamp,
    },
    /// The device is gone (false) or back (true).
    Output {
        /// Whether sound can leave.
        up: bool,
    },
    /// Whether the clock may be trusted with the timeline.
    Clock {
        /// It may.
        trusted: bool,
    },
    /// The program is asked to stop.
    Shutdown,
}

/// What the engine must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Open this cue's segment, from `skip` into the cue, and answer `Ready` or `Failed`. Preparing again with another
    /// `skip` replaces the first.
    Prepare {
        /// What.
        cue: Arc<Cue>,
        /// From where.
        skip: SignedDuration,
    },
    /// Forget what was prepared.
    Discard {
        /// What.
        cue: CueId,
    },
    /// Place the first frame at this instant; at once, if it is past. Ends what plays there, if anything still does.
    Start {
        /// What.
        cue: Arc<Cue>,
        /// When.
        at: Timestamp,
        /// A short fade-in, for what begins in the middle.
        fade_in: SignedDuration,
    },
    /// Start this cue at the frame where the one on air ends.
    Chain {
        /// What.
        cue: Arc<Cue>,
    },
    /// Fade the cue on air, from `at`, over `fade`; then `Ended`.
    Stop {
        /// What.
        cue: CueId,
        /// When the fade begins.
        at: Timestamp,
        /// How long it takes.
        fade: SignedDuration,
        /// Why, for the log.
        cause: Cause,
    },
    /// Log that a cue did not sound.
    NotAired {
        /// What.
        cue: Arc<Cue>,
        /// Why.
        cause: Cause,
    },
    /// Switch the amplifier.
    Amplifier {
        /// On or off.
        on: bool,
    },
}
