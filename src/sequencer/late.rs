//! What becomes of a cue that could not start at its instant.

use jiff::{SignedDuration, Timestamp};

use crate::schedule::Late;
use crate::timeline::Cue;

/// A start late by no more than this is on time in the sense of the rules: the cue is heard from its beginning.
pub(super) const TOLERANCE: SignedDuration = SignedDuration::from_millis(500);

/// A cue of which less than this would be left is not worth joining: it would be a blip.
pub(super) const LEAST_REST: SignedDuration = SignedDuration::from_secs(1);

/// The last instant at which a cue may still start by its late rule. `limit` is where the next hard start or the
/// end of its block would cut it.
pub(super) fn latest_start(cue: &Cue, limit: Timestamp) -> Timestamp {
    let by_rule = match cue.late {
        Late::Join => (cue.end - LEAST_REST).min(limit - LEAST_REST),
        Late::Skip => cue.at,
        Late::WholeWithin(within) => {
            let latest = cue.at.saturating_add(within).unwrap_or(Timestamp::MAX);
            latest.min(limit - whole(cue).max(LEAST_REST))
        }
    };
    // A cue shorter than the tolerance still has its own length to start in.
    let on_time = cue.at + TOLERANCE.min(cue.duration().max(SignedDuration::ZERO));
    by_rule.max(on_time)
}

/// Whether a start at this instant is late in the sense of the rules.
pub(super) fn is_late(cue: &Cue, start: Timestamp) -> bool {
    start.duration_since(cue.at) > TOLERANCE
}

/// How far into the cue a start at this instant begins.
pub(super) fn skip_at(cue: &Cue, start: Timestamp) -> SignedDuration {
    match cue.late {
        Late::Join if is_late(cue, start) => start.duration_since(cue.at),
        Late::Join | Late::Skip | Late::WholeWithin(_) => SignedDuration::ZERO,
    }
}

/// When a cue started at this instant, from `skip` into it, is over by itself.
pub(super) fn ends_by_itself(cue: &Cue, start: Timestamp, skip: SignedDuration) -> Timestamp {
    start + (whole(cue) - skip).max(SignedDuration::ZERO)
}

/// How long it is, where nothing cuts it.
fn whole(cue: &Cue) -> SignedDuration {
    cue.segment().map_or(SignedDuration::ZERO, |segment| segment.duration())
}
