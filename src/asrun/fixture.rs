//! Facts for tests, on the output of the timelines' fixture.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Cause, ClockHealth, Closed, Fact, Take};
use crate::frames::{self, AIR_RATE};
use crate::timeline::{Cue, fixture};

/// A take was opened at its planned time, to sound for so many seconds.
pub(crate) fn opened(cue: &Arc<Cue>, take: u16, planned: Timestamp, seconds: i64) -> Fact {
    let take = Take {
        take,
        planned,
        skip: SignedDuration::ZERO,
        held_by: None,
        expected: frames::count(SignedDuration::from_secs(seconds), AIR_RATE),
        sample_rate: AIR_RATE,
        device: "null".to_owned(),
        clock: ClockHealth::Synchronised,
        opened: planned,
        end: None,
    };
    Fact::Opened { cue: Arc::clone(cue), output: fixture::output(), take }
}

/// A take is over that sounded for so many seconds.
pub(crate) fn closed(cue: &Cue, take: u16, from: Timestamp, seconds: i64, cause: Option<Cause>) -> Fact {
    let sounded = SignedDuration::from_secs(seconds);
    Fact::Closed(Closed {
        cue: cue.id.clone(),
        output: fixture::output(),
        take,
        started: Some(from),
        ended: Some(from + sounded),
        delivered: frames::count(sounded, AIR_RATE),
        starved: 0,
        unpowered: false,
        held_by: None,
        cause,
        at: from + sounded,
    })
}
