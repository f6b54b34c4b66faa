//! What causes mean: where they come from, and whether they pass.

use super::Cause;
use crate::schedule::Late;
use crate::timeline::{Absence, Cue};

impl From<&Absence> for Cause {
    fn from(absence: &Absence) -> Self {
        match absence {
            Absence::Missing | Absence::NothingToRepeat => Self::NothingHandedIn,
            Absence::NotApproved { .. } => Self::NotApproved,
            Absence::NotValid { .. } => Self::NotValid,
            Absence::Withdrawn { .. } => Self::Withdrawn,
            Absence::FileBroken { .. } => Self::FileBroken,
            Absence::NoMusic => Self::NoMusic,
            Absence::NoRoom => Self::NoRoom,
            Absence::QuietHours | Absence::AgainstTheRules => Self::AgainstTheRules,
        }
    }
}

impl Cause {
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
