//! What must sound at once, decoded in memory: no disk stands between an emergency and the horns.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::SignedDuration;
use tracing::{error, warn};

use crate::media::playback::{OpenError, Opening};
use crate::media::source::MemorySource;
use crate::segment::{Segment, SegmentId};
use crate::timeline::plan::Plan;

/// Sound kept in memory; a minute of stereo takes 12 MB.
const KEPT_AT_MOST: SignedDuration = SignedDuration::from_secs(120);

/// Segments, decoded, at the level of their files.
pub type Kept = BTreeMap<SegmentId, MemorySource>;

/// Decodes what a plan has to be ready, as far as memory is given for it; what is `known` is decoded already.
pub fn keep(plan: &Plan, audio: &Path, known: &Kept) -> Kept {
    let mut kept = Kept::new();
    let mut left = KEPT_AT_MOST;
    for segment in plan.standing() {
        if segment.duration() > left {
            warn!(segment.id = %segment.id, "no memory is left to keep `{}` ready; it sounds from the disk", segment.words.title);
            continue;
        }
        left -= segment.duration();
        match known.get(&segment.id).cloned().map_or_else(|| decode(segment, audio), Ok) {
            Ok(source) => drop(kept.insert(segment.id.clone(), source)),
            Err(failure) => {
                error!(segment.id = %segment.id, error = &failure as &dyn std::error::Error, "cannot keep a segment ready");
            }
        }
    }
    kept
}

fn decode(segment: &Segment, audio: &Path) -> Result<MemorySource, OpenError> {
    Opening::of(segment, audio).open().map(MemorySource::decode)
}
