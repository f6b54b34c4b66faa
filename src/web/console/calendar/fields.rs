//! The parts of the schedule's forms: how a value stands in a form, and how it is read back.

use std::fmt::Write as _;

use jiff::SignedDuration;
use jiff::civil::{Date, Time, Weekday};
use maud::{Markup, html};

use super::recording;
use super::wrong::{Filled, Wrong};
use crate::schedule::{
    Late, PlanDate, Play, Schedule, Session, SessionId, Slot, SlotId, Validity, Weekdays, day_name,
};
use crate::segment::{Catalog, is_id};
use crate::store::searchable;
use crate::text::order::by_title;
use crate::text::page::editing::form as say;
use crate::web::console::form::{Fields, in_words};

/// Values of a form that is filled in by us.
pub(super) type Values = Vec<(&'static str, String)>;

/// Days of the week, as boxes.
pub(super) fn day_boxes(fields: &Filled<'_>) -> Markup {
    html! {
        fieldset.days aria-describedby=[fields.described("day")] {
            legend { (say::DAYS) }
            (fields.beside("day"))
            @for day in Weekdays::ALL.iter() {
                label.box { input type="checkbox" name="day" value=(code(day)) checked[fields.has("day", &code(day))]; (day_name(day)) }
            }
        }
    }
}

/// Monday is 1.
fn code(day: Weekday) -> String {
    day.to_monday_one_offset().to_string()
}

pub(super) fn day_values(days: Weekdays) -> Values {
    days.iter().map(|day| ("day", code(day))).collect()
}

/// The days that were ticked: at least one.
pub(super) fn days(fields: &Fields) -> Result<Weekdays, Wrong> {
    let ticked: Weekdays = Weekdays::ALL.iter().filter(|day| fields.has("day", &code(*day))).collect();
    if ticked.is_empty() { Err(Wrong::field("day", say::NO_DAYS)) } else { Ok(ticked) }
}

/// A time of day.
pub(super) fn time_input(name: &str, label: &str, fields: &Filled<'_>) -> Markup {
    html! { label { (label)
        input type="time" step="1" name=(name) value=(fields.one(name)) aria-invalid=[fields.invalid(name)] aria-describedby=[fields.described(name)];
        (fields.beside(name))
    } }
}

/// A title, or another line of text.
pub(super) fn text_input(name: &str, label: &str, required: bool, fields: &Filled<'_>) -> Markup {
    html! { label { (label)
        input name=(name) required[required] maxlength="200" value=(fields.one(name)) aria-invalid=[fields.invalid(name)] aria-describedby=[fields.described(name)];
        (fields.beside(name))
    } }
}

pub(super) fn time_text(time: Time) -> String {
    time.strftime("%H:%M:%S").to_string()
}

/// `05:30`, `05:30:00`.
pub(super) fn time(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    if parts.next().is_some() { None } else { Time::new(hour, minute, second, 0).ok() }
}

/// A length in minutes and seconds.
pub(super) fn length_inputs(prefix: &str, label: &str, rule: Option<&str>, fields: &Filled<'_>) -> Markup {
    html! {
        fieldset.length aria-describedby=[fields.described(minutes(prefix))] {
            legend { (label) }
            (fields.beside(minutes(prefix)))
            @for (part, unit) in [("minutes", say::MINUTES), ("seconds", say::SECONDS)] {
                @let name = format!("{prefix}{part}");
                label { input type="number" inputmode="numeric" min="0" max="1440" name=(name) value=(fields.one(&name)); " " (unit) }
            }
            @if let Some(rule) = rule { small { (rule) } }
        }
    }
}

/// The first field of [`length_inputs`], beside which it is said what is wrong with the length.
fn minutes(prefix: &str) -> &'static str {
    if prefix.is_empty() { "minutes" } else { "late_minutes" }
}

/// The values of [`length_inputs`] without a prefix, or with `late_`.
pub(super) fn length_values(
    minutes: &'static str,
    seconds: &'static str,
    of: Option<SignedDuration>,
) -> Values {
    let Some(of) = of else { return Values::new() };
    vec![(minutes, (of.as_secs() / 60).to_string()), (seconds, (of.as_secs() % 60).to_string())]
}

/// A length; none where nothing was filled in.
pub(super) fn length(prefix: &str, fields: &Fields) -> Result<Option<SignedDuration>, Wrong> {
    let bad = || Wrong::field(minutes(prefix), say::BAD_LENGTH);
    let part = |name: &str| match fields.one(&format!("{prefix}{name}")) {
        "" => Ok(0),
        text => text.parse::<u16>().map(i64::from).map_err(|_| bad()),
    };
    let seconds = part("minutes")? * 60 + part("seconds")?;
    match seconds {
        0 => Ok(None),
        1..=86_400 => Ok(Some(SignedDuration::from_secs(seconds))),
        _ => Err(bad()),
    }
}

/// The dates between which something holds.
pub(super) fn validity_inputs(fields: &Filled<'_>) -> Markup {
    html! {
        @for (name, label) in [(VALIDITY[0], say::FROM_DATE), (VALIDITY[1], say::UNTIL_DATE)] {
            label { (label)
                input type="date" name=(name) value=(fields.one(name)) aria-invalid=[fields.invalid(name)] aria-describedby=[fields.described(name)];
                (in_words(fields.one(name)))
                (fields.beside(name))
            }
        }
    }
}

/// The fields of [`validity_inputs`].
pub(super) const VALIDITY: [&str; 2] = ["valid_from", "valid_until"];

pub(super) fn validity_values(valid: Validity) -> Values {
    let one = |name, date: Option<Date>| (name, date.map(|date| date.to_string()).unwrap_or_default());
    vec![one("valid_from", valid.from), one("valid_until", valid.until)]
}

pub(super) fn validity(fields: &Fields) -> Result<Validity, Wrong> {
    let date = |name: &'static str| match fields.one(name) {
        "" => Ok(None),
        text => text.parse::<Date>().map(Some).map_err(|_| Wrong::field(name, say::BAD_DATE)),
    };
    Ok(Validity { from: date("valid_from")?, until: date("valid_until")? })
}

/// What can be played, by the week or on a special day, in one list.
pub(super) fn play_select(
    name: &str,
    label: &str,
    fields: &Filled<'_>,
    schedule: &Schedule,
    catalog: &Catalog,
    day: Option<PlanDate>,
) -> Markup {
    let chosen = fields.one(name);
    let programmes = |kind: &str| {
        let all = schedule.programmes.values();
        sorted(all.map(|programme| (format!("{kind}:{}", programme.id), programme.title.clone())))
    };
    let pools = sorted(schedule.pools.values().map(|pool| (format!("pool:{}", pool.id), pool.title.clone())));
    let own = day.and_then(|_| schedule.sessions_of(day)).unwrap_or_default();
    let repeated = slots(own.iter().chain(of_week(schedule, day)), day);
    let mut files = files(schedule, catalog);
    files.insert(0, (recording::NAMED.to_owned(), say::NAMED.to_owned()));
    let mut groups = vec![
        (say::PROGRAMME.to_owned(), programmes("programme")),
        (say::FILE.to_owned(), files),
        (say::POOL.to_owned(), pools),
        (say::REPEAT.to_owned(), repeated.map(|(value, text)| (format!("repeat:{value}"), text)).collect()),
        (say::ALL.to_owned(), programmes("all")),
    ];
    if let Some((heading, mut found)) = recording::among(fields, schedule, catalog) {
        // What the schedule plays is there already.
        let [_, (_, files), ..] = groups.as_mut_slice() else { return html! {} };
        files.retain(|file| !found.contains(file));
        groups.insert(0, (heading, std::mem::take(&mut found)));
    }
    let known = groups.iter().any(|(_, options)| options.iter().any(|(value, _)| value == chosen));
    html! {
        label { (label)
            select name=(name) aria-invalid=[fields.invalid(name)] aria-describedby=[fields.described(name)] {
                option value="" { (say::CHOOSE) }
                @if !known && !chosen.is_empty() { option value=(chosen) selected { (play(chosen).map_or_else(|| chosen.to_owned(), |play| play_name(&play, schedule, catalog))) } }
                @for (group, options) in groups {
                    optgroup label=(group) {
                        @for (value, text) in options { option value=(value) selected[value == chosen] { (text) } }
                    }
                }
            }
            (fields.beside(name))
        }
        (recording::input(fields, catalog))
    }
}

/// Values with their titles, in the order of these.
fn sorted(all: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    by_title(all, |(_, title)| title)
}

/// The week's sessions; of a special day, those that can be on then, and are not its own.
pub(super) fn of_week(schedule: &Schedule, day: Option<PlanDate>) -> impl Iterator<Item = &Session> {
    let own = day.and_then(|_| schedule.sessions_of(day)).unwrap_or_default();
    let left = move |session: &&Session| own.iter().all(|other| other.id != session.id);
    schedule.sessions.iter().filter(left).filter(move |session| match day {
        Some(PlanDate::Once(date)) => session.is_on(date),
        Some(PlanDate::Yearly { .. }) | None => true,
    })
}

/// The slots of sessions, as `session/slot` and in words; of a special day, those that can be on then.
pub(super) fn slots<'a>(
    sessions: impl Iterator<Item = &'a Session>,
    day: Option<PlanDate>,
) -> impl Iterator<Item = (String, String)> {
    let on = move |slot: &&Slot| match day {
        Some(PlanDate::Once(date)) => slot.is_on(date),
        Some(PlanDate::Yearly { .. }) | None => true,
    };
    sessions.flat_map(move |session| {
        let named = move |slot: &Slot| {
            (format!("{}/{}", session.id, slot.id), slot_name(&session.title, session, slot))
        };
        session.slots.iter().filter(on).map(named)
    })
}

/// A slot in words.
pub(super) fn slot_name(of: &str, session: &Session, slot: &Slot) -> String {
    let mut text = format!("{of}: {}", slot.title);
    if slot.days != session.days {
        let days: Vec<_> = slot.days.iter().map(day_name).collect();
        // Writing into a text does not fail.
        let _written = write!(text, " ({})", days.join(", "));
    }
    text
}

/// Files that the schedule plays already, as they are chosen.
fn files(schedule: &Schedule, catalog: &Catalog) -> Vec<(String, String)> {
    let mut names: Vec<_> = scheduled_files(schedule).collect();
    names.sort();
    names.dedup();
    sorted(names.into_iter().map(|name| (format!("file:{name}"), file_name(&name, catalog))))
}

/// Files that the schedule plays, as often as it does.
pub(super) fn scheduled_files(schedule: &Schedule) -> impl Iterator<Item = String> {
    let special = schedule.day_plans.iter().flat_map(|plan| &plan.sessions);
    let slots = schedule.sessions.iter().chain(special).flat_map(|session| &session.slots);
    let replaced = schedule.day_plans.iter().flat_map(|plan| &plan.replace).map(|other| &other.play);
    slots.map(|slot| &slot.play).chain(replaced).filter_map(|play| match play {
        Play::File(name) => Some(name.clone()),
        Play::Programme(_) | Play::All(_) | Play::Pool(_) | Play::Repeat { .. } => None,
    })
}

/// A file by the title of its recording.
pub(super) fn file_name(file: &str, catalog: &Catalog) -> String {
    let known = catalog.iter().find(|segment| segment.file == file);
    known.map_or_else(|| file.to_owned(), |segment| format!("{} ({file})", segment.words.title))
}

/// What is played, in words.
pub(super) fn play_name(play: &Play, schedule: &Schedule, catalog: &Catalog) -> String {
    match play {
        Play::File(name) => file_name(name, catalog),
        Play::Programme(id) | Play::All(id) | Play::Pool(id) => {
            schedule.programme_title(id).unwrap_or(id.as_str()).to_owned()
        }
        Play::Repeat { session, slot } => {
            let special = schedule.day_plans.iter().flat_map(|plan| &plan.sessions);
            let path = format!("{session}/{slot}");
            let mut all = slots(schedule.sessions.iter().chain(special), None);
            all.find(|(known, _)| *known == path).map_or(path, |(_, name)| say::repeat_of(&name))
        }
    }
}

pub(super) fn play_text(play: &Play) -> String {
    match play {
        Play::File(name) => format!("file:{name}"),
        Play::Programme(id) => format!("programme:{id}"),
        Play::All(id) => format!("all:{id}"),
        Play::Pool(id) => format!("pool:{id}"),
        Play::Repeat { session, slot } => format!("repeat:{session}/{slot}"),
    }
}

/// What was chosen.
pub(super) fn play(text: &str) -> Option<Play> {
    let (kind, what) = text.split_once(':')?;
    let id = Some(what).filter(|what| is_id(what));
    match kind {
        "file" => Some(Play::File(what.to_owned())),
        "programme" => id.map(|id| Play::Programme(id.into())),
        "all" => id.map(|id| Play::All(id.into())),
        "pool" => id.map(|id| Play::Pool(id.into())),
        "repeat" => path(what).map(|(session, slot)| Play::Repeat { session, slot }),
        _ => None,
    }
}

/// `session/slot`.
pub(super) fn path(text: &str) -> Option<(SessionId, SlotId)> {
    let (session, slot) = text.split_once('/')?;
    (is_id(session) && is_id(slot)).then(|| (session.into(), slot.into()))
}

pub(super) fn late_values(late: Late) -> Values {
    let (word, within) = match late {
        Late::Join => ("join", None),
        Late::Skip => ("skip", None),
        Late::WholeWithin(within) => ("whole", Some(within)),
    };
    let mut values = vec![("late", word.to_owned())];
    values.extend(length_values("late_minutes", "late_seconds", within));
    values
}

pub(super) fn late(fields: &Fields) -> Result<Late, Wrong> {
    Ok(match fields.one("late") {
        "skip" => Late::Skip,
        "whole" => {
            let within = length("late_", fields)?;
            Late::WholeWithin(within.ok_or_else(|| Wrong::field(minutes("late_"), say::NO_WITHIN))?)
        }
        _ => Late::Join,
    })
}

/// An id for something new, from its title, that none of these has.
pub(super) fn new_id(title: &str, taken: &[&str]) -> String {
    let plain = searchable(title);
    let words = plain.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut stem: String = words.take(6).collect::<Vec<_>>().join("-");
    stem.truncate(48);
    if stem.is_empty() {
        stem.push_str("moi");
    }
    let free = |id: &String| !taken.contains(&id.as_str());
    let numbered = (2_u32..).map(|number| format!("{stem}-{number}"));
    std::iter::once(stem.clone()).chain(numbered).find(free).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::civil::time as clock;

    use super::*;

    #[test]
    fn what_a_form_says_is_read_as_it_was_written() {
        for text in
            ["file:bài a.mp3", "programme:ban-tin", "all:thong-bao", "pool:nhac", "repeat:sang/ban-tin"]
        {
            assert_eq!(play_text(&play(text).unwrap()), text);
        }
        for wrong in ["", "ban-tin", "programme:", "programme:../x", "repeat:sang", "relay:vov1"] {
            assert_eq!(play(wrong), None, "{wrong}");
        }
        for of in [Late::Join, Late::Skip, Late::WholeWithin(SignedDuration::from_secs(630))] {
            assert_eq!(late(&Fields::of(late_values(of))), Ok(of));
        }
        let days_of = [Weekday::Monday, Weekday::Sunday].into_iter().collect();
        assert_eq!(days(&Fields::of(day_values(days_of))), Ok(days_of));
        assert!(days(&Fields::of([])).is_err());
    }

    #[test]
    fn times_and_lengths_are_read_with_care() {
        assert_eq!(time("05:30"), Some(clock(5, 30, 0, 0)));
        assert_eq!(time("05:30:09"), Some(clock(5, 30, 9, 0)));
        for wrong in ["", "5", "25:00", "05:30:00:00", "a:b", "-1:00"] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
        let of = |minutes: &str, seconds: &str| {
            length("", &Fields::of([("minutes", minutes.to_owned()), ("seconds", seconds.to_owned())]))
        };
        assert_eq!(of("6", "30"), Ok(Some(SignedDuration::from_secs(390))));
        assert_eq!(of("", ""), Ok(None));
        assert!(of("-1", "").is_err() && of("1441", "").is_err() && of("x", "").is_err());
    }

    #[test]
    fn a_new_id_is_plain_and_nobody_elses() {
        assert_eq!(new_id("Đọc truyện: đêm khuya", &[]), "doc-truyen-dem-khuya");
        assert_eq!(new_id("Bản tin", &["ban-tin", "ban-tin-2"]), "ban-tin-3");
        assert_eq!(new_id("…", &[]), "moi");
        assert!(is_id(&new_id(&"dài ".repeat(99), &[])));
    }
}
