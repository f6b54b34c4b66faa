//! Weeks of the calendar, and their addresses.

use jiff::ToSpan as _;
use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;

use crate::timeline::Window;
use crate::web::input::start_of;

/// A week from Monday to Sunday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Week {
    pub(super) monday: Date,
}

impl Week {
    /// The week of a date.
    pub(super) fn of(date: Date) -> Self {
        let back = date.weekday().to_monday_zero_offset();
        Self { monday: date.saturating_sub(i64::from(back).days()) }
    }

    /// The week of an address, `2026-W48`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (year, week) = text.split_once("-W")?;
        let date = ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, Weekday::Monday).ok()?;
        Some(Self { monday: date.date() })
    }

    /// Its address.
    pub(super) fn address(self) -> String {
        let week = self.monday.iso_week_date();
        format!("/lich-phat?tuan={:04}-W{:02}", week.year(), week.week())
    }

    /// Its number in the year.
    pub(super) fn number(self) -> i8 {
        self.monday.iso_week_date().week()
    }

    /// A week later, or earlier.
    pub(super) fn later(self, weeks: i64) -> Option<Self> {
        let monday = self.monday.checked_add(weeks.weeks()).ok()?;
        // Years of four digits, so that an address can be read again.
        (1000..=9000).contains(&monday.year()).then_some(Self { monday })
    }

    /// Its last day.
    pub(super) fn sunday(self) -> Date {
        self.monday.saturating_add(6.days())
    }

    /// Its days.
    pub(super) fn days(self) -> impl Iterator<Item = Date> {
        (0..7_i64).map(move |day| self.monday.saturating_add(day.days()))
    }

    /// Its instants; none where the calendar ends.
    pub(super) fn window(self, zone: &TimeZone) -> Option<Window> {
        let next = self.monday.checked_add(1.week()).ok()?;
        Some(Window { from: start_of(self.monday, zone)?, to: start_of(next, zone)? })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_week_finds_its_way_back_from_its_address() {
        for (day, address) in [
            (date(2026, 11, 25), "2026-W48"),
            (date(2027, 1, 3), "2026-W53"),
            (date(2027, 1, 4), "2027-W01"),
            (date(2024, 12, 30), "2025-W01"),
        ] {
            let week = Week::of(day);
            assert_eq!(week.address(), format!("/lich-phat?tuan={address}"));
            assert_eq!(Week::parse(address), Some(week));
        }
        for wrong in ["", "2026", "2026-W54", "2025-W53", "W48", "2026-W48-1", "<b>", "99999-W01"] {
            assert_eq!(Week::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Week::of(date(9999, 12, 31)).later(1), None);
    }
}
