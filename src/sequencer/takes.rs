//! When a cue is to have a take: from shortly before its first frame, and only while nothing stands in its way.

use jiff::{SignedDuration, Timestamp};

use super::{Air, Sequencer};
use crate::timeline::{Cue, Join, Layer};

/// A take is opened this long before its first frame: long enough for a slow card to have it on disk, short enough that
/// little can come in between.
const OPENED_AHEAD: SignedDuration = SignedDuration::from_secs(2);

impl Sequencer {
    /// Whether a cue that is open, from `skip` into it, will sound within two seconds, as far as can be seen; `takes` are
    /// the cues that have a take. One that only waits for the air has none: in the log it would stand as if it sounded,
    /// and a power cut would count it as heard.
    pub fn is_to_sound<'a>(
        &self,
        cue: &Cue,
        skip: SignedDuration,
        now: Timestamp,
        mut takes: impl Iterator<Item = &'a Cue>,
    ) -> bool {
        let near = now + OPENED_AHEAD;
        let is_over_soon = self.voice().is_none_or(|voice| voice.end() <= near);
        if let Air::Playing(voice) = &self.air {
            if voice.cue.id == cue.id {
                return true;
            }
            if voice.leads_to(&cue.id) {
                return is_over_soon || takes.any(|other| other.id == cue.id);
            }
        }
        let at = cue.at + skip;
        let is_near = now <= at && at <= near && !self.ended;
        is_near
            && match cue.layer {
                Layer::Silence | Layer::Scheduled => {
                    self.obstacle(at).is_none() && (cue.start == Join::Hard || is_over_soon)
                }
                // Of those whom people gave the air, one cuts those below it only, and the first of them has it first.
                layer @ (Layer::Live | Layer::Emergency) => {
                    let may = self.output_up && (layer == Layer::Emergency || !self.curfew.covers(at));
                    let is_before = |other: &Cue| other.id != cue.id && other.layer >= layer;
                    may && self.layer() < layer && !takes.any(is_before)
                }
            }
    }
}
