//! What the log says of the clock by which things aired.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far a clock may be set back before that is odd: a time server may have caught one that ran fast.
const SLACK: SignedDuration = SignedDuration::from_secs(60);

/// What is known of the wall clock's truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockHealth {
    /// The machine says that it is synchronised to a time server.
    Synchronised,
    /// Nothing speaks for it and nothing against it, as on a machine without a network.
    #[default]
    Unconfirmed,
    /// It shows a time that cannot be: earlier than something already logged. Nothing scheduled airs by it.
    Wrong,
}

impl ClockHealth {
    /// Judges a clock by what the machine says of it; one that is not synchronised has to stand against the newest
    /// instant on record.
    pub fn judge(synchronised: bool, now: Timestamp, newest_on_record: Option<Timestamp>) -> Self {
        if synchronised {
            Self::Synchronised
        } else if newest_on_record.is_some_and(|newest| now + SLACK < newest) {
            Self::Wrong
        } else {
            Self::Unconfirmed
        }
    }

    /// Whether a clock that is known to be right shows that the record is what is wrong: it has instants of the future.
    pub fn refutes(self, now: Timestamp, newest_on_record: Option<Timestamp>) -> bool {
        self == Self::Synchronised && newest_on_record.is_some_and(|newest| now + SLACK < newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_known_to_be_right_refutes_the_record() {
        let after = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        let (now, later) = (after(0), after(100));
        assert!(ClockHealth::Synchronised.refutes(now, Some(later)));
        assert!(!ClockHealth::Synchronised.refutes(later, Some(now)));
        assert!(!ClockHealth::Synchronised.refutes(now, Some(after(59))));
        assert!(!ClockHealth::Unconfirmed.refutes(now, Some(later)));
        assert!(!ClockHealth::Synchronised.refutes(now, None));
    }

    #[test]
    fn a_clock_that_shows_less_than_the_record_is_wrong_unless_a_time_server_stands_for_it() {
        let after = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        for (synchronised, newest, health) in [
            (true, Some(after(100)), ClockHealth::Synchronised),
            (false, Some(after(100)), ClockHealth::Wrong),
            (false, Some(after(59)), ClockHealth::Unconfirmed),
            (false, None, ClockHealth::Unconfirmed),
        ] {
            assert_eq!(ClockHealth::judge(synchronised, after(0), newest), health, "{newest:?}");
        }
    }
}
