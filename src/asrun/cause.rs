//! What causes mean: where they come from, and whether they pass.

use super::Cause;
use crate::schedule::Late;
use crate::segment::SegmentId;
use crate::timeline::{Absence, Cue};

impl From<&Absence> for Cause {
    fn from(absence: &Absence) -> Self {
        match absence {
            Absence::Missing | Absence::NothingToRepeat => Self::NothingHandedIn,
            Absence::NotApproved { .. } => Self::NotApproved,
            Absence::NotValid { .. } => Self::NotValid,
            Absence::Withdrawn { .. } => Self::Withdrawn,
            Absence::FileBroken { .. } => Self::FileBroken,
            Absence::NoOrigin => Self::NoOrigin,
            Absence::NoMusic => Self::NoMusic,
            Absence::NoRoom => Self::NoRoom,
            Absence::QuietHours | Absence::AgainstTheRules => Self::AgainstTheRules,
            Absence::TurnOver => Self::TooLate,
        }
    }
}

impl Cause {
    /// Why there was nothing to sound in a cue that is on record like this, with the recording that was `withdrawn`. Which one
    /// was not approved then, or not valid, or broken, is not on record, and it may be as it should be by now.
    pub fn absence(self, withdrawn: Option<&SegmentId>) -> Absence {
        match (self, withdrawn) {
            (Self::Withdrawn, Some(segment)) => Absence::Withdrawn { segment: segment.clone() },
            (Self::NothingHandedIn, _) => Absence::Missing,
            (Self::NoOrigin, _) => Absence::NoOrigin,
            (Self::NoMusic, _) => Absence::NoMusic,
            (Self::NoRoom, _) => Absence::NoRoom,
            (Self::AgainstTheRules, _) => Absence::AgainstTheRules,
            (
                Self::Withdrawn
                | Self::PowerCut
                | Self::NotRunning
                | Self::OutputDown
                | Self::FileBroken
                | Self::NotOpened
                | Self::NotApproved
                | Self::NotValid
                | Self::Emergency
                | Self::Live
                | Self::ClockNotTrusted
                | Self::StoppedByOperator
                | Self::TooLate
                | Self::PlannedCut
                | Self::CutByNext
                | Self::ScheduleChanged
                | Self::ProgramStopped
                | Self::JoinedLate
                | Self::Starved,
                _,
            ) => Absence::TurnOver,
        }
    }

    /// Whether it came from outside and will pass: what it cut may go on.
    pub(super) fn passes(self) -> bool {
        matches!(
            self,
            Self::PowerCut | Self::OutputDown | Self::Emergency | Self::Live | Self::ProgramStopped
        )
    }

    /// Whether a cue whose take was closed for this cause may still get another one: what cut it will pass, and
    /// its late rule knows a way to go on. A cue of which this is false is settled by the closing of that take.
    pub fn leaves_open(self, cue: &Cue) -> bool {
        self.passes() && cue.late != Late::Skip
    }
}
