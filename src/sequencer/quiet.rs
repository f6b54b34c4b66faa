//! The hours in which nothing below an emergency sounds, as instants.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::schedule::QuietHours;

/// When it must be quiet.
#[derive(Debug, Clone)]
pub(super) enum Curfew {
    /// Always: no timeline is loaded yet, so nobody has said when sound is allowed.
    Always,
    /// In these local hours.
    Hours {
        /// The station's zone.
        zone: TimeZone,
        /// The hours.
        quiet: Vec<QuietHours>,
    },
}

impl Curfew {
    /// Whether an instant is quiet.
    pub(super) fn covers(&self, at: Timestamp) -> bool {
        match self {
            Self::Always => true,
            Self::Hours { zone, quiet } => {
                let local = zone.to_datetime(at).time();
                quiet.iter().any(|hours| hours.contains(local))
            }
        }
    }

    /// The first quiet instant not before `at`; none where none comes within two days.
    pub(super) fn begins(&self, at: Timestamp) -> Option<Timestamp> {
        if self.covers(at) {
            return Some(at);
        }
        match self {
            Self::Always => Some(at),
            Self::Hours { zone, quiet } => quiet
                .iter()
                .flat_map(|hours| occurrences(zone, hours.from, at))
                // Where clocks go forward over a quiet hour's beginning, it begins with the change.
                .chain(zone.following(at).take(2).map(|change| change.timestamp()))
                .filter(|edge| at <= *edge && self.covers(*edge))
                .min(),
        }
    }
}

/// When a local time comes, from the day of `at` to two days later; twice a day where clocks go back.
fn occurrences(zone: &TimeZone, time: Time, at: Timestamp) -> impl Iterator<Item = Timestamp> {
    let today = zone.to_datetime(at).date();
    today.series(jiff::Span::new().days(1)).take(3).flat_map(move |date| {
        let ambiguous = zone.to_ambiguous_timestamp(date.to_datetime(time));
        [ambiguous.earlier().ok(), ambiguous.later().ok()].into_iter().flatten()
    })
}

/// How long a fade may be that starts no earlier than `now` and ends at `end`.
pub(super) fn fade_before(end: Timestamp, now: Timestamp, wanted: SignedDuration) -> SignedDuration {
    wanted.min(end.duration_since(now)).max(SignedDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin(from: &str, to: &str) -> Curfew {
        let hours = QuietHours { from: from.parse().unwrap(), to: to.parse().unwrap() };
        Curfew::Hours { zone: TimeZone::get("Europe/Berlin").unwrap(), quiet: vec![hours] }
    }

    fn begins(curfew: &Curfew, at: &str) -> String {
        curfew.begins(at.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn quiet_begins_at_the_next_local_edge_or_at_once() {
        let curfew = berlin("20:00:00", "05:30:00");
        assert_eq!(begins(&curfew, "2026-11-23T12:00:00Z"), "2026-11-23T19:00:00Z");
        assert_eq!(begins(&curfew, "2026-11-23T23:10:00Z"), "2026-11-23T23:10:00Z");
        assert!(!curfew.covers("2026-11-23T04:30:00Z".parse().unwrap()));
    }

    #[test]
    fn quiet_that_would_begin_in_a_skipped_hour_begins_with_the_skip() {
        assert_eq!(begins(&berlin("02:30:00", "05:00:00"), "2026-03-29T00:00:00Z"), "2026-03-29T01:00:00Z");
    }

    #[test]
    fn quiet_in_a_repeated_hour_comes_twice() {
        let curfew = berlin("02:30:00", "02:45:00");
        assert_eq!(begins(&curfew, "2026-10-25T00:00:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(begins(&curfew, "2026-10-25T00:50:00Z"), "2026-10-25T01:30:00Z");
    }
}
