//! Who has the air, and until when.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Settings;
use super::agenda::Limit;
use super::late::ends_by_itself;
use super::quiet::Curfew;
use crate::asrun::Cause;
use crate::timeline::{Cue, CueId, Layer};

/// What a source may sound beyond its computed end: rounding of frames and of instants.
const ROUNDING: SignedDuration = SignedDuration::from_millis(50);

/// A source that has not ended this long after it should have is stopped.
const OVERTIME: SignedDuration = SignedDuration::from_secs(2);

/// The foreground voice of the output.
#[derive(Debug, Clone)]
pub(super) enum Air {
    /// Nobody has it.
    Silent,
    /// This sounds.
    Playing(Voice),
}

/// How far the voice on air has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its start is placed, and not yet confirmed.
    Placed,
    /// It sounds.
    Sounding,
    /// Its fade is placed: it will be over without being asked again.
    Closing,
}

/// What sounds.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    pub(super) cue: Arc<Cue>,
    /// When its block begins; for an interrupt, when it was ordered.
    pub(super) block_start: Timestamp,
    pub(super) stage: Stage,
    /// When its first frame leaves.
    pub(super) start: Timestamp,
    /// When its source will be at its end.
    pub(super) own_end: Timestamp,
    /// Where something else cuts it; nothing cuts an interrupt.
    pub(super) limit: Option<Limit>,
    /// Whether it may sound past its planned end, having started late and whole.
    pub(super) whole_late: bool,
    /// What will start where it ends.
    pub(super) chained: Option<Chained>,
}

/// What starts where another ends.
#[derive(Debug, Clone)]
pub(super) struct Chained {
    pub(super) cue: CueId,
    /// From where in it.
    pub(super) skip: SignedDuration,
}

/// Where the voice on air must be silent although its source goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) end: Timestamp,
    pub(super) fade: SignedDuration,
    pub(super) cause: Cause,
}

impl Voice {
    /// A voice that begins at an instant.
    pub(super) fn new(cue: &Arc<Cue>, start: Timestamp, skip: SignedDuration) -> Self {
        Self {
            cue: Arc::clone(cue),
            block_start: start,
            stage: Stage::Placed,
            start,
            own_end: ends_by_itself(cue, start, skip),
            limit: None,
            whole_late: skip.is_zero() && start > cue.at + super::late::TOLERANCE,
            chained: None,
        }
    }

    /// When it will be over, by itself or cut.
    pub(super) fn end(&self) -> Timestamp {
        self.planned_cut().map_or(self.own_end, |cut| cut.end.min(self.own_end))
    }

    /// Where the plan or the next hard start cuts it.
    fn planned_cut(&self) -> Option<Cut> {
        let limit = self.limit?;
        let planned = !self.cue.fade.is_zero() && !self.whole_late;
        let cut = if planned {
            Cut { end: self.cue.end.min(limit.at), fade: self.cue.fade, cause: Cause::PlannedCut }
        } else {
            Cut { end: limit.at, fade: SignedDuration::ZERO, cause: limit.cause }
        };
        (self.own_end > cut.end + ROUNDING).then_some(cut)
    }

    /// The first thing that will cut it; its source, where nothing else does, has some overtime.
    pub(super) fn cut(&self, curfew: &Curfew, settings: &Settings, now: Timestamp) -> Cut {
        let overtime =
            Cut { end: self.own_end + OVERTIME, fade: SignedDuration::ZERO, cause: Cause::CutByNext };
        let quiet = (self.cue.layer < Layer::Emergency)
            .then(|| curfew.begins(now.max(self.start)))
            .flatten()
            .filter(|begins| self.own_end > *begins)
            .map(|end| Cut { end, fade: SignedDuration::ZERO, cause: Cause::AgainstTheRules });
        let mut cut = [self.planned_cut(), quiet]
            .into_iter()
            .flatten()
            .fold(overtime, |first, cut| if cut.end < first.end { cut } else { first });
        cut.fade = cut.fade.max(settings.interrupt_fade);
        cut
    }

    /// Whether a cue will start where it ends.
    pub(super) fn leads_to(&self, cue: &CueId) -> bool {
        self.chained.as_ref().is_some_and(|chained| chained.cue == *cue)
    }

    /// Whether it sounds on beyond an instant, so that a start there cuts it.
    pub(super) fn outlasts(&self, at: Timestamp) -> bool {
        self.own_end > at + ROUNDING
    }

    /// The clock stepped: what sounds goes on by its frames, which know no clock.
    pub(super) fn shift(&mut self, by: SignedDuration) {
        self.start += by;
        self.own_end += by;
    }
}
