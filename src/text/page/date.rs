//! Dates, times and lengths as people here write them.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};

/// A day of the week: `thứ Hai`.
pub fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "thứ Hai",
        Weekday::Tuesday => "thứ Ba",
        Weekday::Wednesday => "thứ Tư",
        Weekday::Thursday => "thứ Năm",
        Weekday::Friday => "thứ Sáu",
        Weekday::Saturday => "thứ Bảy",
        Weekday::Sunday => "Chủ nhật",
    }
}

/// A date: `thứ Hai 23/11/2026`.
pub fn day(date: Date) -> String {
    format!("{} {}", weekday(date.weekday()), date.strftime("%d/%m/%Y"))
}

/// What stands in a field for a date, for who sees it there in the order of another language.
pub fn shown(date: Date) -> String {
    format!("Lúc mở trang: {}", day(date))
}

/// The local time of an instant, to the minute it lies in: `05:30`.
pub fn time(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(nearest(at)).strftime("%H:%M").to_string()
}

/// The local time of an instant, to the nearest second: `05:30:00`.
pub fn second(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(nearest(at)).strftime("%H:%M:%S").to_string()
}

/// The nearest second: a frame that leaves a few nanoseconds before its second is not a second early, on no page.
pub fn nearest(at: Timestamp) -> Timestamp {
    at.round(Unit::Second).unwrap_or(at)
}

/// A date and a time: `thứ Hai 23/11/2026, 05:30`.
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    format!("{}, {}", day(zone.to_datetime(nearest(at)).date()), time(at, zone))
}

/// A date and a time to the second: `thứ Hai 23/11/2026, 05:30:00`.
pub fn exactly(at: Timestamp, zone: &TimeZone) -> String {
    format!("{}, {}", day(zone.to_datetime(nearest(at)).date()), second(at, zone))
}

/// A length as minutes and seconds: `3:05`, `1:02:00`.
pub fn length(length: SignedDuration) -> String {
    let seconds = (length.as_millis().max(0) + 500) / 1000;
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// How long until something, as people say it: `2 giờ 5 phút`, `40 giây`.
pub fn wait(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, s) => format!("{s} giây"),
        (0, 0, m, s) if m < 5 && s > 0 => format!("{m} phút {s} giây"),
        (0, 0, m, _) => format!("{m} phút"),
        (0, h, 0, _) => format!("{h} giờ"),
        (0, h, m, _) => format!("{h} giờ {m} phút"),
        (d, 0, _, _) => format!("{d} ngày"),
        (d, h, _, _) => format!("{d} ngày {h} giờ"),
    }
}

/// A length as people say it, rounded to the second; what is shorter is one second.
pub fn spoken(ms: i64) -> String {
    let seconds = (ms.max(0).saturating_add(500) / 1000).max(1);
    match (seconds / 60, seconds % 60) {
        (0, s) => format!("{s} giây"),
        (m, 0) => format!("{m} phút"),
        (m, s) => format!("{m} phút {s} giây"),
    }
}

/// Lengths that differ from day to day: to the minute, where that is the same.
pub fn spoken_span(least: i64, most: i64) -> String {
    let minutes = |ms: i64| ms.saturating_add(30_000) / 60_000;
    if spoken(least) == spoken(most) {
        spoken(least)
    } else if minutes(least) == minutes(most) && minutes(least) > 1 {
        format!("khoảng {} phút", minutes(least))
    } else {
        format!("{} đến {}", spoken(least), spoken(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_hardly_differ_are_said_as_one() {
        assert_eq!(spoken_span(1_612_000, 1_621_000), "khoảng 27 phút");
        assert_eq!(spoken_span(1_612_000, 1_612_400), "26 phút 52 giây");
        assert_eq!(spoken_span(4 * 60_000, 9 * 60_000), "4 phút đến 9 phút");
        assert_eq!(spoken_span(40_000, 50_000), "40 giây đến 50 giây");
    }

    #[test]
    fn dates_and_times_are_written_as_people_here_do() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let at: Timestamp = "2026-11-22T22:30:05Z".parse().unwrap();
        assert_eq!(moment(at, &zone), "thứ Hai 23/11/2026, 05:30");
        assert_eq!(second(at, &zone), "05:30:05");
        assert_eq!(exactly(at, &zone), "thứ Hai 23/11/2026, 05:30:05");
        let just_before: Timestamp = "2026-11-22T16:59:59.999999Z".parse().unwrap();
        assert_eq!(second(just_before, &zone), "00:00:00");
        assert_eq!(moment(just_before, &zone), "thứ Hai 23/11/2026, 00:00");
        let names: Vec<_> = Weekday::Monday.cycle_forward().take(7).map(weekday).collect();
        assert_eq!((names[6], names.iter().filter(|name| name.starts_with("thứ ")).count()), ("Chủ nhật", 6));
    }

    #[test]
    fn lengths_are_short() {
        let of = SignedDuration::from_secs;
        assert_eq!([of(5), of(185), of(3720)].map(length), ["0:05", "3:05", "1:02:00"]);
        assert_eq!(
            [of(-3), of(40), of(65), of(60), of(600), of(7500), of(7200), of(90_000), of(172_900)].map(wait),
            [
                "0 giây",
                "40 giây",
                "1 phút 5 giây",
                "1 phút",
                "10 phút",
                "2 giờ 5 phút",
                "2 giờ",
                "1 ngày 1 giờ",
                "2 ngày"
            ]
        );
    }
}
