//! Values as people write them in the files: the way back from `schedule::value`.

use jiff::SignedDuration;
use jiff::civil::{Date, Time, Weekday};
use toml_edit::{Datetime, InlineTable, Value};

use crate::schedule::{Late, PlanDate, Play, Weekdays, day_name};

pub(super) fn play_value(play: &Play) -> Value {
    let (key, value) = match play {
        Play::File(name) => ("file", name.clone()),
        Play::Programme(id) => ("programme", id.to_string()),
        Play::All(id) => ("all", id.to_string()),
        Play::Pool(id) => ("pool", id.to_string()),
        Play::Repeat { session, slot } => ("repeat", format!("{session}/{slot}")),
    };
    let mut table = InlineTable::new();
    table.insert(key, value.into());
    Value::InlineTable(table)
}

/// `["T2-T7"]`, `["T3", "CN"]`: three days or more in a row are written from the first to the last.
pub(super) fn days_value(days: Weekdays) -> Value {
    let mut runs: Vec<Vec<Weekday>> = Vec::new();
    for day in days.iter() {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| last.next() == day && day != Weekday::Monday) => {
                run.push(day);
            }
            Some(_) | None => runs.push(vec![day]),
        }
    }
    let written = runs.iter().flat_map(|run| match run.as_slice() {
        [first, _, .., last] => vec![format!("{}-{}", day_name(*first), day_name(*last))],
        few => few.iter().map(|day| day_name(*day).to_owned()).collect(),
    });
    Value::Array(written.collect())
}

pub(super) fn late_text(late: Late) -> String {
    match late {
        Late::Join => "join".to_owned(),
        Late::Skip => "skip".to_owned(),
        Late::WholeWithin(within) => format!("whole-within {}", duration_text(within)),
    }
}

/// `1 h 5 min 30 s`; whole seconds, as the files have them.
pub(super) fn duration_text(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let written: Vec<_> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    if written.is_empty() { "0 s".to_owned() } else { written.join(" ") }
}

/// `2027-02-06`, or for every year `10/10`.
pub(super) fn date_text(date: PlanDate) -> String {
    match date {
        PlanDate::Once(date) => date.to_string(),
        PlanDate::Yearly { month, day } => format!("{day}/{month}"),
    }
}

pub(super) fn time_value(time: Time) -> Value {
    let small = |number: i8| number.unsigned_abs();
    let time = toml_edit::Time {
        hour: small(time.hour()),
        minute: small(time.minute()),
        second: Some(small(time.second())),
        nanosecond: None,
    };
    Datetime { date: None, time: Some(time), offset: None }.into()
}

pub(super) fn date_value(date: Date) -> Value {
    let date = toml_edit::Date {
        year: date.year().unsigned_abs(),
        month: date.month().unsigned_abs(),
        day: date.day().unsigned_abs(),
    };
    Datetime { date: Some(date), time: None, offset: None }.into()
}
