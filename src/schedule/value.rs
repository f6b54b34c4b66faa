//! The small languages of a schedule: days, durations, names, as they are written.

use jiff::SignedDuration;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as NoSuchName;
use toml::de::DeValue;
use unicode_normalization::UnicodeNormalization;

use super::problem::Expected;
use super::{Late, PlanDate, SessionId, SlotId, StandIn, Weekdays};
use crate::segment::{Genre, check_topic, is_id};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Something that a key can be set to.
pub(super) trait Value: Sized {
    /// What to tell people when it is not that.
    const EXPECTED: Expected;
    /// Reads it.
    fn read(value: &DeValue<'_>) -> Option<Self>;
}

/// How a slot starts, without its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartWord {
    Hard,
    Follow,
    Fill,
}

/// Texts in a list; a single text is a list of one.
pub(super) struct Texts(pub(super) Vec<String>);
/// An audio line of the machine, as `loa devices` names it.
pub(super) struct Device(pub(super) String);
/// A program and its arguments.
pub(super) struct Command(pub(super) Vec<String>);
/// A length of sound: more than nothing, at most a day.
pub(super) struct Length(pub(super) SignedDuration);
/// A pause: from nothing to an hour.
pub(super) struct Wait(pub(super) SignedDuration);
/// `II.1` to `II.6`.
pub(super) struct Topic(pub(super) String);
/// The name of a file right in `audio/`, in NFC.
pub(super) struct FileName(pub(super) String);
/// `session/slot`.
#[derive(Debug)]
pub(super) struct SlotPath(pub(super) SessionId, pub(super) SlotId);
/// A day and a month, `10/10`.
pub(super) struct DayAndMonth(pub(super) PlanDate);
/// Loudness from −36 to −9 LUFS: beyond that a typing error, not a wish.
pub(super) struct Lufs(pub(super) f64);
/// A gain from 0 to 40 dB.
pub(super) struct Boost(pub(super) f64);
/// From 1 to 24.
pub(super) struct Count(pub(super) u32);

macro_rules! value {
    ($type:ty, $expected:ident, $read:expr) => {
        impl Value for $type {
            const EXPECTED: Expected = Expected::$expected;
            fn read(value: &DeValue<'_>) -> Option<Self> {
                let read: fn(&DeValue<'_>) -> Option<Self> = $read;
                read(value)
            }
        }
    };
}

value!(String, Text, |value| text(value));
value!(bool, YesOrNo, |value| value.as_bool());
value!(Texts, Texts, |value| texts(value).map(Texts));
value!(Device, Device, |value| text(value).filter(|name| is_device(name)).map(Device));
value!(Command, Command, |value| value.as_array().and_then(|_| texts(value)).map(Command));
value!(Time, Time, time);
value!(Date, Date, date);
value!(Length, Length, |value| {
    let length = duration(value.as_str()?)?;
    (!length.is_zero() && length <= DAY).then_some(Length(length))
});
value!(Wait, Wait, |value| duration(value.as_str()?).filter(|wait| *wait <= HOUR).map(Wait));
value!(Weekdays, Days, |value| {
    texts(value)?
        .iter()
        .map(|text| days(text))
        .try_fold(Weekdays::NONE, |all, days| Some(days?.iter().fold(all, Weekdays::with)))
});
// The bundled rules, not those of the machine: the same schedule means the same instants everywhere.
value!(TimeZone, TimeZone, |value| TimeZoneDatabase::bundled().get(value.as_str()?).ok());
value!(Topic, Topic, |value| {
    let topic = value.as_str()?;
    check_topic(topic).ok().map(|()| Topic(topic.to_owned()))
});
value!(Genre, Genre, |value| {
    Genre::deserialize(IntoDeserializer::<NoSuchName>::into_deserializer(value.as_str()?)).ok()
});
value!(StartWord, Start, |value| match value.as_str()? {
    "hard" => Some(StartWord::Hard),
    "follow" => Some(StartWord::Follow),
    "fill" => Some(StartWord::Fill),
    _ => None,
});
value!(Late, Late, |value| match value.as_str()?.trim() {
    "join" => Some(Late::Join),
    "skip" => Some(Late::Skip),
    text => duration(text.strip_prefix("whole-within ")?).map(Late::WholeWithin),
});
value!(StandIn, StandIn, |value| match value.as_str()? {
    "older" => Some(StandIn::Older),
    "never" => Some(StandIn::Never),
    _ => None,
});
value!(FileName, FileName, |value| {
    let name: String = text(value)?.nfc().collect();
    let apart = name.contains(['/', '\\']) || name.starts_with('.');
    (!apart && name.len() <= 255).then_some(FileName(name))
});
value!(SlotPath, SlotPath, |value| slot_path(value.as_str()?));
value!(DayAndMonth, DayAndMonth, |value| {
    let (day, month) = value.as_str()?.split_once('/')?;
    let (day, month) = (day.trim().parse().ok()?, month.trim().parse().ok()?);
    // A leap year, so that the 29th of February is a day.
    Date::new(2024, month, day).ok().map(|_| DayAndMonth(PlanDate::Yearly { month, day }))
});
value!(Lufs, Lufs, |value| number(value).filter(|lufs| (-36.0..=-9.0).contains(lufs)).map(Lufs));
value!(Boost, Boost, |value| number(value).filter(|boost| (0.0..=40.0).contains(boost)).map(Boost));
value!(Count, Count, |value| {
    let count = value.as_integer()?.as_str().parse().ok()?;
    (1..=24).contains(&count).then_some(Count(count))
});

fn text(value: &DeValue<'_>) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    if let Some(text) = text(value) {
        return Some(vec![text]);
    }
    let texts: Vec<String> =
        value.as_array()?.iter().map(|item| text(item.get_ref())).collect::<Option<_>>()?;
    (!texts.is_empty()).then_some(texts)
}

/// Whether a name is one of those that outputs have. Which devices there are, the machine knows.
fn is_device(name: &str) -> bool {
    match name.split_once(':') {
        None => matches!(name, "default" | "null"),
        Some(("wav", path)) => !path.is_empty(),
        Some((system, device)) => {
            let is = |known: &str| system.eq_ignore_ascii_case(known);
            !device.is_empty() && (is("pulseaudio") || (is("alsa") && device != "null"))
        }
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let text = value.as_float().map(toml::de::DeFloat::as_str);
    text.or_else(|| value.as_integer().map(toml::de::DeInteger::as_str))?.parse().ok()
}

fn time(value: &DeValue<'_>) -> Option<Time> {
    let written = value.as_datetime().filter(|written| written.date.is_none() && written.offset.is_none())?;
    let time = written.time?;
    let small = |number: u8| i8::try_from(number).ok();
    // No fractions of a second: nobody announces them.
    if time.nanosecond.is_some_and(|nanosecond| nanosecond != 0) {
        return None;
    }
    Time::new(small(time.hour)?, small(time.minute)?, small(time.second.unwrap_or(0))?, 0).ok()
}

fn date(value: &DeValue<'_>) -> Option<Date> {
    let written = value.as_datetime().filter(|written| written.time.is_none())?.date?;
    Date::new(
        i16::try_from(written.year).ok()?,
        i8::try_from(written.month).ok()?,
        i8::try_from(written.day).ok()?,
    )
    .ok()
}

/// `sang/chuyen-muc`.
pub(super) fn slot_path(text: &str) -> Option<SlotPath> {
    let (session, slot) = text.split_once('/')?;
    (is_id(session) && is_id(slot)).then(|| SlotPath(session.into(), slot.into()))
}

/// `90 s`, `5 min`, `1 h`, and in a row, `1 min 30 s`; in Vietnamese `giây`, `phút`, `giờ`.
fn duration(text: &str) -> Option<SignedDuration> {
    // Some keyboards put the accents behind their letters.
    let text: String = text.nfc().collect();
    let mut words = text.split_whitespace().peekable();
    words.peek()?;
    let mut sum = SignedDuration::ZERO;
    while let Some(number) = words.next() {
        let number: u32 = number.parse().ok()?;
        let unit = match words.next()? {
            "s" | "giây" => 1,
            "min" | "phút" => 60,
            "h" | "giờ" => 3600,
            _ => return None,
        };
        sum = sum.checked_add(SignedDuration::from_secs(i64::from(number) * unit))?;
    }
    Some(sum)
}

/// A day of the week as files and forms have it: `T2` to `T7`, `CN`.
pub fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "T2",
        Weekday::Tuesday => "T3",
        Weekday::Wednesday => "T4",
        Weekday::Thursday => "T5",
        Weekday::Friday => "T6",
        Weekday::Saturday => "T7",
        Weekday::Sunday => "CN",
    }
}

/// `T2`, `CN`, `mon`, or from one to another, `T2-T7`; any case.
fn days(text: &str) -> Option<Weekdays> {
    let Some((first, last)) = text.split_once(['-', '–']) else {
        return day(text).map(|day| Weekdays::NONE.with(day));
    };
    let (first, last) = (day(first)?, day(last)?);
    let count = first.until(last);
    Some(first.cycle_forward().take(usize::try_from(count).ok()? + 1).collect())
}

fn day(text: &str) -> Option<Weekday> {
    Some(match text.trim().to_ascii_lowercase().as_str() {
        "t2" | "mon" => Weekday::Monday,
        "t3" | "tue" => Weekday::Tuesday,
        "t4" | "wed" => Weekday::Wednesday,
        "t5" | "thu" => Weekday::Thursday,
        "t6" | "fri" => Weekday::Friday,
        "t7" | "sat" => Weekday::Saturday,
        "cn" | "sun" => Weekday::Sunday,
        _ => return None,
    })
}
