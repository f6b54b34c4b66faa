//! The three files as written: every value has its type, but nothing is yet held against anything else.
//!
//! What a reader leaves out (a `None` where a value is needed) has been reported as a problem.

use std::ops::Range;

use jiff::SignedDuration;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use toml::Spanned;

use super::problem::{Expected, Kind};
use super::reader::{Fields, File};
use super::value::{
    Boost, Command, Count, DayAndMonth, Device, FileName, Length, Lufs, SlotPath, StartWord, Texts, Topic,
    Wait, slot_path,
};
use super::{
    Amplifier, Late, Loudness, Output, PlanDate, Play, Pool, Programme, QuietHours, Rules, StandIn, Weekdays,
};
use crate::segment::{Genre, is_id};

/// `station.toml`.
#[derive(Debug)]
pub(super) struct StationFile {
    pub(super) name: Option<String>,
    pub(super) time_zone: Option<TimeZone>,
    pub(super) loudness: Loudness,
    pub(super) rules: Rules,
    pub(super) outputs: Vec<Spanned<Output>>,
}

/// `week.toml`.
#[derive(Debug)]
pub(super) struct WeekFile {
    pub(super) programmes: Vec<Spanned<Programme>>,
    pub(super) pools: Vec<Spanned<Pool>>,
    pub(super) sessions: Vec<WrittenSession>,
}

/// `[[session]]` or `[[day.session]]`.
#[derive(Debug)]
pub(super) struct WrittenSession {
    pub(super) extent: Range<usize>,
    pub(super) id: Spanned<String>,
    pub(super) title: Option<String>,
    /// None where they are not said, which is a mistake: nothing is concluded from them.
    pub(super) days: Option<Weekdays>,
    pub(super) valid: WrittenValidity,
    pub(super) from: Option<Spanned<Time>>,
    pub(super) to: Option<Time>,
    pub(super) outputs: Option<Spanned<Vec<String>>>,
    pub(super) slots: Vec<WrittenSlot>,
}

impl WrittenSession {
    /// The days it is on: any, as long as they are not said.
    pub(super) fn on_days(&self) -> Weekdays {
        self.days.unwrap_or(Weekdays::ALL)
    }
}

/// `valid_from` and `valid_until`.
#[derive(Debug)]
pub(super) struct WrittenValidity {
    pub(super) from: Option<Date>,
    pub(super) until: Option<Spanned<Date>>,
}

/// `[[session.slot]]`.
#[derive(Debug)]
pub(super) struct WrittenSlot {
    pub(super) extent: Range<usize>,
    pub(super) at: usize,
    pub(super) id: Spanned<String>,
    pub(super) title: Option<String>,
    pub(super) days: Option<Spanned<Weekdays>>,
    pub(super) valid: WrittenValidity,
    pub(super) start: Option<Spanned<StartWord>>,
    pub(super) hard_at: Option<Spanned<Time>>,
    /// What is written, whether or not it can be read: what is not readable is not missing too.
    pub(super) says: Says,
    pub(super) play: Option<Spanned<Play>>,
    pub(super) length: Option<SignedDuration>,
    pub(super) late: Option<Late>,
    pub(super) music: Option<bool>,
}

/// Which keys of a slot, or of its replacement, are there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Says {
    pub(super) start: bool,
    pub(super) at: bool,
    pub(super) length: bool,
}

impl Says {
    fn of(fields: &mut Fields<'_>) -> Self {
        Self { start: fields.has("start"), at: fields.has("at"), length: fields.has("length") }
    }
}

/// `[[day]]`.
#[derive(Debug)]
pub(super) struct WrittenDay {
    pub(super) extent: Range<usize>,
    pub(super) date: Option<Spanned<PlanDate>>,
    pub(super) title: Option<String>,
    pub(super) no_music: bool,
    pub(super) drop: Option<Spanned<Vec<String>>>,
    pub(super) replace: Vec<WrittenReplacement>,
    pub(super) sessions: Vec<WrittenSession>,
}

/// `[[day.replace]]`: one content for one slot, or for several.
#[derive(Debug)]
pub(super) struct WrittenReplacement {
    pub(super) extent: Range<usize>,
    pub(super) at: usize,
    pub(super) slots: Spanned<Vec<SlotPath>>,
    pub(super) title: Option<String>,
    pub(super) play: Option<Spanned<Play>>,
    pub(super) length: Option<SignedDuration>,
    pub(super) says_length: bool,
}

pub(super) fn station(mut fields: Fields<'_>) -> StationFile {
    let station = StationFile {
        name: fields.need("name").map(Spanned::into_inner),
        time_zone: fields.need("time_zone").map(Spanned::into_inner),
        loudness: fields.table("loudness").map(loudness).unwrap_or_default(),
        rules: fields.table("rules").map(rules).unwrap_or_default(),
        outputs: fields.tables("output").into_iter().filter_map(output).collect(),
    };
    if !fields.has("output") {
        fields.file().report(fields.at(), Kind::MissingKey { key: "output" });
    }
    fields.finish();
    station
}

fn loudness(mut fields: Fields<'_>) -> Loudness {
    let default = Loudness::default();
    let loudness = Loudness {
        target_lufs: fields.take("target_lufs").map_or(default.target_lufs, |lufs| inner::<Lufs>(lufs).0),
        max_boost_db: fields
            .take("max_boost_db")
            .map_or(default.max_boost_db, |boost| inner::<Boost>(boost).0),
    };
    fields.finish();
    loudness
}

fn rules(mut fields: Fields<'_>) -> Rules {
    let rules = Rules {
        quiet: fields.tables("quiet").into_iter().filter_map(quiet_hours).collect(),
        longest_session: fields.take("longest_session").map(length),
        approve_own_work: fields.take("approve_own_work").is_some_and(Spanned::into_inner),
        sessions_per_day: fields.take("sessions_per_day").map(|count| inner::<Count>(count).0),
        weekdays: fields.take("weekdays").map(Spanned::into_inner).unwrap_or_default(),
    };
    fields.finish();
    rules
}

fn quiet_hours(mut fields: Fields<'_>) -> Option<QuietHours> {
    let (from, to) = (fields.need::<Time>("from"), fields.need::<Time>("to"));
    let file = fields.file();
    fields.finish();
    // Hours that are none forbid nothing: what sessions have to do with them is not another mistake.
    let (from, to) = (from?, to?);
    let to = other_than(Some(&from), to, file)?;
    Some(QuietHours { from: from.into_inner(), to })
}

/// An end that is not also the beginning; what is, has been reported.
fn other_than(from: Option<&Spanned<Time>>, to: Spanned<Time>, file: &File<'_>) -> Option<Time> {
    if from.is_none_or(|from| from.get_ref() != to.get_ref()) {
        return Some(to.into_inner());
    }
    let (key, found) = ("to".to_owned(), to.get_ref().to_string());
    file.report(to.span().start, Kind::Invalid { key, found, expected: Expected::OtherThanStart });
    None
}

fn output(mut fields: Fields<'_>) -> Option<Spanned<Output>> {
    let id = id(&mut fields, "id");
    let output = Output {
        id: id.as_ref().map_or("", |id| id.get_ref()).into(),
        device: fields.take("device").map_or_else(|| "default".to_owned(), |name| inner::<Device>(name).0),
        lead: fields.take("lead").map_or(SignedDuration::ZERO, |lead| inner::<Wait>(lead).0),
        tail: fields.take("tail").map_or(SignedDuration::ZERO, |tail| inner::<Wait>(tail).0),
        amplifier: fields.table("amplifier").and_then(amplifier),
        zones: fields.take("zones").map(|zones| inner::<Texts>(zones).0).unwrap_or_default(),
    };
    fields.finish();
    id.map(|id| Spanned::new(id.span(), output))
}

fn amplifier(mut fields: Fields<'_>) -> Option<Amplifier> {
    let (on, off) = (fields.need::<Command>("on"), fields.need::<Command>("off"));
    fields.finish();
    Some(Amplifier { on: on?.into_inner().0, off: off?.into_inner().0 })
}

pub(super) fn week(mut fields: Fields<'_>) -> WeekFile {
    let week = WeekFile {
        programmes: fields.tables("programme").into_iter().filter_map(programme).collect(),
        pools: fields.tables("pool").into_iter().filter_map(pool).collect(),
        sessions: fields.tables("session").into_iter().filter_map(week_session).collect(),
    };
    // A power cut may leave an empty file; it must not become an empty week on air.
    if !fields.has("session") {
        fields.file().report(fields.at(), Kind::MissingKey { key: "session" });
    }
    fields.finish();
    week
}

fn programme(mut fields: Fields<'_>) -> Option<Spanned<Programme>> {
    let id = id(&mut fields, "id");
    let programme = Programme {
        id: id.as_ref().map_or("", |id| id.get_ref()).into(),
        title: fields.need("title").map(Spanned::into_inner).unwrap_or_default(),
        topic: fields.take("topic").map(|topic| inner::<Topic>(topic).0),
        genre: fields.take::<Genre>("genre").map(Spanned::into_inner),
        owner: fields.take("owner").map(Spanned::into_inner),
        weekly: fields.take("weekly").is_some_and(Spanned::into_inner),
        stand_in: fields.take("stand_in").map_or(StandIn::Older, Spanned::into_inner),
        ready: fields.take("ready").is_some_and(Spanned::into_inner),
    };
    fields.finish();
    id.map(|id| Spanned::new(id.span(), programme))
}

fn pool(mut fields: Fields<'_>) -> Option<Spanned<Pool>> {
    let id = id(&mut fields, "id");
    let pool = Pool {
        id: id.as_ref().map_or("", |id| id.get_ref()).into(),
        title: fields.need("title").map(Spanned::into_inner).unwrap_or_default(),
        music: fields.take("music").is_none_or(Spanned::into_inner),
    };
    fields.finish();
    id.map(|id| Spanned::new(id.span(), pool))
}

fn week_session(mut fields: Fields<'_>) -> Option<WrittenSession> {
    let days = fields.need("days").map(Spanned::into_inner);
    session(fields, days)
}

fn session(mut fields: Fields<'_>, days: Option<Weekdays>) -> Option<WrittenSession> {
    let id = id(&mut fields, "id");
    let slots =
        fields.tables("slot").into_iter().zip(1..).map(|(slot_fields, place)| slot(slot_fields, place));
    let slots: Vec<_> = slots.collect();
    if !fields.has("slot") {
        fields.file().report(fields.at(), Kind::MissingKey { key: "slot" });
    }
    let title = fields.take("title").map(Spanned::into_inner);
    let valid = validity(&mut fields);
    let (from, to) = (fields.need("from"), fields.need("to"));
    let to = to.and_then(|to| other_than(from.as_ref(), to, fields.file()));
    let outputs =
        fields.take("outputs").map(|names: Spanned<Texts>| Spanned::new(names.span(), inner(names).0));
    let extent = fields.extent();
    fields.finish();
    Some(WrittenSession { extent, id: id?, title, days, valid, from, to, outputs, slots })
}

fn validity(fields: &mut Fields<'_>) -> WrittenValidity {
    WrittenValidity {
        from: fields.take("valid_from").map(Spanned::into_inner),
        until: fields.take("valid_until"),
    }
}

fn slot(mut fields: Fields<'_>, place: usize) -> WrittenSlot {
    let unnamed = Spanned::new(fields.at()..fields.at(), place.to_string());
    let slot = WrittenSlot {
        extent: fields.extent(),
        at: fields.at(),
        id: if fields.has("id") { id(&mut fields, "id").unwrap_or(unnamed) } else { unnamed },
        title: fields.take("title").map(Spanned::into_inner),
        days: fields.take("days"),
        valid: validity(&mut fields),
        start: fields.take("start"),
        hard_at: fields.take("at"),
        says: Says::of(&mut fields),
        play: play(&mut fields, true),
        length: fields.take("length").map(length),
        late: fields.take("late").map(Spanned::into_inner),
        music: fields.take("music").map(Spanned::into_inner),
    };
    fields.finish();
    slot
}

/// Reads the value under one key of `play`.
type ReadPlay = fn(&mut Fields<'_>, &'static str) -> Option<Play>;

/// `play = { … }` with its one key; or `relay`, which is understood and refused.
fn play(fields: &mut Fields<'_>, relay_known: bool) -> Option<Spanned<Play>> {
    if relay_known && let Some(at) = fields.place("relay") {
        fields.file().report(at, Kind::RelayNotSupported);
        return None;
    }
    if !fields.has("play") {
        fields.file().report(fields.at(), Kind::MissingKey { key: "play" });
    }
    let mut table = fields.table("play")?;
    if let Some(at) = table.place("relay") {
        fields.file().report(at, Kind::RelayNotSupported);
        return None;
    }
    let kinds: [(&'static str, ReadPlay); 5] = [
        ("file", |table, key| table.take(key).map(|name| Play::File(inner::<FileName>(name).0))),
        ("programme", |table, key| id(table, key).map(|id| Play::Programme(id.get_ref().as_str().into()))),
        ("all", |table, key| id(table, key).map(|id| Play::All(id.get_ref().as_str().into()))),
        ("pool", |table, key| id(table, key).map(|id| Play::Pool(id.get_ref().as_str().into()))),
        ("repeat", |table, key| {
            let SlotPath(session, slot) = table.take(key)?.into_inner();
            Some(Play::Repeat { session, slot })
        }),
    ];
    let mut played = Vec::new();
    let mut found = Vec::new();
    for (key, read) in kinds {
        if table.has(key) {
            found.push(key);
            played.push(read(&mut table, key));
        }
    }
    let at = table.at();
    if found.len() != 1 {
        let of = kinds.iter().map(|(key, _)| *key).collect();
        fields.file().report(at, Kind::ExactlyOne { of, found });
        played.clear();
    }
    table.finish();
    played.pop().flatten().map(|play| Spanned::new(at..at, play))
}

pub(super) fn days(mut fields: Fields<'_>) -> Vec<WrittenDay> {
    let days = fields.tables("day").into_iter().map(day).collect();
    fields.misplaced(&["session"], "[[day.session]]");
    fields.misplaced(&["replace"], "[[day.replace]]");
    fields.misplaced(&["date", "every_year", "title", "no_music", "drop"], "[[day]]");
    fields.finish();
    days
}

fn day(mut fields: Fields<'_>) -> WrittenDay {
    let once: Option<Spanned<Date>> = fields.take("date");
    let yearly: Option<Spanned<DayAndMonth>> = fields.take("every_year");
    let of = vec!["date", "every_year"];
    let found: Vec<_> = of.iter().copied().filter(|key| fields.has(key)).collect();
    if found.len() != 1 {
        fields.file().report(fields.at(), Kind::ExactlyOne { of, found });
    }
    let once = once.map(|date| Spanned::new(date.span(), PlanDate::Once(*date.get_ref())));
    let date = once.or_else(|| yearly.map(|date| Spanned::new(date.span(), date.into_inner().0)));
    let days = date.as_ref().map_or(Weekdays::ALL, |date| date.get_ref().weekdays());
    let day = WrittenDay {
        extent: fields.extent(),
        date,
        title: fields.need("title").map(Spanned::into_inner),
        no_music: fields.take("no_music").is_some_and(Spanned::into_inner),
        drop: fields.take("drop").map(|names: Spanned<Texts>| Spanned::new(names.span(), inner(names).0)),
        replace: fields.tables("replace").into_iter().filter_map(replacement).collect(),
        sessions: fields
            .tables("session")
            .into_iter()
            .filter_map(|fields| session(fields, Some(days)))
            .collect(),
    };
    fields.finish();
    day
}

fn replacement(mut fields: Fields<'_>) -> Option<WrittenReplacement> {
    let names: Option<Spanned<Texts>> = fields.need("slot");
    let file = fields.file();
    let slots = names.map(|names| {
        let (span, names) = (names.span(), names.into_inner().0);
        let paths = names.into_iter().filter_map(|name| {
            let path = slot_path(&name);
            if path.is_none() {
                let (key, expected) = ("slot".to_owned(), Expected::SlotPath);
                file.report(span.start, Kind::Invalid { key, found: name, expected });
            }
            path
        });
        Spanned::new(span.clone(), paths.collect())
    });
    let (extent, at) = (fields.extent(), fields.at());
    let title = fields.take("title").map(Spanned::into_inner);
    let play = play(&mut fields, false);
    let says_length = fields.has("length");
    let length = fields.take("length").map(length);
    fields.finish();
    Some(WrittenReplacement { extent, at, slots: slots?, title, play, length, says_length })
}

/// An id. One that cannot be an id is kept all the same: what refers to it is not another mistake.
fn id(fields: &mut Fields<'_>, key: &'static str) -> Option<Spanned<String>> {
    let id: Spanned<String> = fields.need(key)?;
    if !is_id(id.get_ref()) {
        let (key, found, expected) = (key.to_owned(), id.get_ref().clone(), Expected::Id);
        fields.file().report(id.span().start, Kind::Invalid { key, found, expected });
    }
    Some(id)
}

fn inner<T>(value: Spanned<T>) -> T {
    value.into_inner()
}

fn length(length: Spanned<Length>) -> SignedDuration {
    length.into_inner().0
}
