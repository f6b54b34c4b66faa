//! After a gap, in which the program did not run: what it left open, and what it missed.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::airing::frames_of;
use super::{Cause, Closed, NotAired};
use crate::clock::ClockHealth;
use crate::schedule::OutputId;
use crate::timeline::{Content, CueId, Timeline};

/// A take that was on air when the program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTake {
    /// The cue.
    pub cue: CueId,
    /// The output.
    pub output: OutputId,
    /// Its number.
    pub take: u16,
    /// When its first frame was to leave.
    pub planned: Timestamp,
    /// Frames it was to deliver.
    pub expected: u64,
    /// Frames per second.
    pub sample_rate: u32,
    /// When it was opened.
    pub opened: Timestamp,
    /// The last sign of life of its output, where there ever was one.
    pub heartbeat: Option<Timestamp>,
}

/// What is known of the takes that a power cut left open, at `now`: each ended with the last heartbeat after its
/// opening, and delivered what that time allowed. One that had no heartbeat did not sound, as far as is known.
pub fn recover(open: &[OpenTake], now: Timestamp) -> Vec<Closed> {
    open.iter()
        .map(|take| {
            let alive = take.heartbeat.filter(|at| *at > take.planned && *at >= take.opened);
            let sounded = alive.map_or(SignedDuration::ZERO, |at| at.duration_since(take.planned));
            let delivered = frames_of(sounded, take.sample_rate).min(take.expected);
            let whole = duration_of(take.expected, take.sample_rate);
            Closed {
                cue: take.cue.clone(),
                output: take.output.clone(),
                take: take.take,
                started: alive.map(|_| take.planned),
                ended: alive.map(|at| take.planned.saturating_add(whole).map_or(at, |end| end.min(at))),
                delivered,
                starved: 0,
                cause: Some(Cause::PowerCut),
                at: now,
            }
        })
        .collect()
}

/// What a gap missed: cues that were over by `up_to` and of which nothing is `known`. One without a segment has its own
/// cause; the others have `cause`. A cue still in progress is left to its late rule.
pub fn reconcile(
    timeline: &Timeline,
    known: &BTreeSet<CueId>,
    up_to: Timestamp,
    cause: Cause,
    clock: ClockHealth,
) -> Vec<NotAired> {
    timeline
        .cues()
        .filter(|cue| cue.end <= up_to && !known.contains(&cue.id))
        .map(|cue| NotAired {
            cue: Arc::clone(cue),
            output: timeline.output.clone(),
            cause: match &cue.content {
                Content::Nothing(absence) => Cause::from(absence),
                Content::Segment(_) => cause,
            },
            clock,
            at: up_to,
        })
        .collect()
}

/// How long so many frames last; the longest duration for more than fits.
fn duration_of(frames: u64, sample_rate: u32) -> SignedDuration {
    let nanoseconds = i128::from(frames) * 1_000_000_000 / i128::from(sample_rate.max(1));
    i64::try_from(nanoseconds).map_or(SignedDuration::MAX, SignedDuration::from_nanos)
}
