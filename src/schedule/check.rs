//! From the files as written to a [`Schedule`], or to everything that is wrong with them.
//!
//! What is left out means: a station's `device` is `default`, `lead` and `tail` are nothing; a session goes to all
//! outputs; a slot is called by its place from 1, is on whenever its session is, follows the one before (the first
//! starts hard with its session), joins when late, and has the title of what it plays.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use toml::Spanned;

use super::calendar;
use super::file::{
    self, StationFile, WeekFile, WrittenDay, WrittenReplacement, WrittenSession, WrittenSlot, WrittenValidity,
};
use super::problem::{Kind, Place, Problem, Thing};
use super::reader::{File, nearest};
use super::rundown::{Context, find, hard_starts, holds, obeys, repeat, start, starts};
use super::value::SlotPath;
use super::{
    DayPlan, Late, OutputId, PlanDate, Play, Replacement, Schedule, Session, Slot, Start, Validity, Weekdays,
};
use crate::segment::{ProgrammeId, is_id};

/// Timelines reach so many days back: on those, sessions do not meet.
const IN_TIMELINES: i64 = 3;

/// The texts of the three files; none for one that is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// `schedule/station.toml`.
    pub station: Option<String>,
    /// `schedule/week.toml`.
    pub week: Option<String>,
    /// `schedule/days.toml`; a station without special days needs none.
    pub days: Option<String>,
}

/// Reads a schedule: all of it, or every problem, by file and line.
///
/// What a broken part lacks is stood in for, so that the rest is checked too; a schedule comes out only where nothing
/// was reported. A file that is no TOML does not keep the others from being checked; what they say of things in it is let be.
///
/// The dates of special days are all taken for dates to come; [`read_at`] knows better.
pub fn read(sources: &Sources) -> Result<Schedule, Vec<Problem>> {
    read_at(sources, Timestamp::MIN)
}

/// The same at an instant.
///
/// A special day that is over was held against the week as it was then: what it does not have in
/// the week of now keeps nobody from changing the week. What was in order once is so later, too; for texts that were, the
/// instant is [`Timestamp::MAX`], so that a clock that is wrong takes nothing off the air.
pub fn read_at(sources: &Sources, now: Timestamp) -> Result<Schedule, Vec<Problem>> {
    let text = |source: &'_ Option<String>| source.clone().unwrap_or_default();
    let texts = [text(&sources.station), text(&sources.week), text(&sources.days)];
    let [station_text, week_text, days_text] = &texts;
    let station_file = File::new("schedule/station.toml", station_text);
    let week_file = File::new("schedule/week.toml", week_text);
    let days_file = File::new("schedule/days.toml", days_text);

    let needed = |source: &Option<String>, file: &File<'_>| {
        if source.is_none() {
            file.report(0, Kind::MissingFile);
        }
        source.is_some()
    };
    let station = needed(&sources.station, &station_file).then(|| station_file.read(file::station)).flatten();
    let week = needed(&sources.week, &week_file).then(|| week_file.read(file::week)).flatten();
    let days = days_file.read(file::days).unwrap_or_default();

    let check = Check::new(station.as_ref(), week.as_ref(), &station_file, &week_file);
    let schedule = check.schedule(&week_file, &days_file, &days);

    let of_week = week.iter().flat_map(|week| &week.sessions).flat_map(|session| parts(None, session));
    let of_days = days.iter().flat_map(|day| {
        let date = day.date.as_ref().map(|date| *date.get_ref());
        let own = std::iter::once(&day.extent).chain(day.replace.iter().map(|other| &other.extent));
        let own = own.map(move |extent| (extent.clone(), Place { day: date, ..Place::default() }));
        own.chain(day.sessions.iter().flat_map(move |session| parts(date, session)))
    });
    let (of_week, of_days): (Vec<_>, Vec<_>) = (of_week.collect(), of_days.collect());
    let problems = station_file.into_problems(&[]).into_iter();
    let problems = problems.chain(week_file.into_problems(&of_week)).chain(days_file.into_problems(&of_days));
    let zone = station.as_ref().and_then(|station| station.time_zone.clone()).unwrap_or(TimeZone::UTC);
    let today = zone.to_datetime(now).date();
    let problems: Vec<_> = problems.filter(|problem| !is_history(problem, today)).collect();
    match schedule {
        Some(schedule) if problems.is_empty() => Ok(schedule),
        _ => Err(problems),
    }
}

/// Whether a problem is one of a special day that is over with what is around it, and not with how it is written.
fn is_history(problem: &Problem, today: Date) -> bool {
    let Some(PlanDate::Once(date)) = problem.place.day else { return false };
    let over = match &problem.kind {
        Kind::Unknown { .. }
        | Kind::OtherThing { .. }
        | Kind::RepeatNotEarlier { .. }
        | Kind::RepeatNotThatDay { .. }
        | Kind::NotOnThatDate { .. }
        | Kind::FillWithoutPool
        | Kind::AllWithoutLength => Some(0),
        Kind::Overlap { .. }
        | Kind::SessionTooLong { .. }
        | Kind::TooManySessions { .. }
        | Kind::DaysNotAllowed { .. }
        | Kind::InQuietHours { .. } => Some(IN_TIMELINES),
        Kind::MissingFile
        | Kind::UnreadableFile { .. }
        | Kind::NotUtf8
        | Kind::Syntax { .. }
        | Kind::Invisible { .. }
        | Kind::Unquoted { .. }
        | Kind::DuplicateKey { .. }
        | Kind::UnknownKey { .. }
        | Kind::Misplaced { .. }
        | Kind::MissingKey { .. }
        | Kind::Invalid { .. }
        | Kind::ExactlyOne { .. }
        | Kind::RelayNotSupported
        | Kind::Duplicate { .. }
        | Kind::DatesReversed { .. }
        | Kind::NeverOn { .. }
        | Kind::HardWithoutTime
        | Kind::TimeWithoutHard
        | Kind::HardOutsideSession { .. }
        | Kind::HardNotIncreasing { .. }
        | Kind::ReplacedInDropped { .. } => None,
    };
    over.is_some_and(|days: i64| date < today.saturating_sub(days.days()))
}

/// Where a session and its slots stand.
fn parts(
    day: Option<PlanDate>,
    written: &WrittenSession,
) -> impl Iterator<Item = (Range<usize>, Place)> + use<'_> {
    let id = |text: &Spanned<String>| text.get_ref().clone();
    let session = Place { day, session: Some(id(&written.id).as_str().into()), slot: None };
    let slots = written.slots.iter().map({
        let session = session.clone();
        move |slot| {
            let place = Place { slot: Some(id(&slot.id).as_str().into()), ..session.clone() };
            (slot.extent.clone(), place)
        }
    });
    std::iter::once((written.extent.clone(), session)).chain(slots)
}

/// What references can be held against. A part is `None` when its file could not be read.
struct Check<'a> {
    station: Option<&'a StationFile>,
    week: Option<&'a WeekFile>,
    outputs: Option<Vec<&'a OutputId>>,
    things: Option<BTreeMap<&'a str, Thing>>,
}

impl<'a> Check<'a> {
    fn new(
        station: Option<&'a StationFile>,
        week: Option<&'a WeekFile>,
        station_file: &File<'_>,
        week_file: &File<'_>,
    ) -> Self {
        let outputs = station.map(|station| {
            unique(
                station_file,
                Thing::Output,
                station.outputs.iter().map(|o| (o.get_ref().id.as_str(), o.span().start)),
            );
            station.outputs.iter().map(|output| &output.get_ref().id).collect()
        });
        let things = week.map(|week| {
            let programmes = week.programmes.iter().map(|p| (p.get_ref().id.as_str(), p.span().start));
            let pools = week.pools.iter().map(|p| (p.get_ref().id.as_str(), p.span().start));
            // Segments are handed in for either by id: the two share their names.
            unique(week_file, Thing::Programme, programmes.clone().chain(pools.clone()));
            // Where a pool has the name of a programme, the programme is meant: the name is already reported.
            let pools = pools.map(|(id, _)| (id, Thing::Pool));
            pools.chain(programmes.map(|(id, _)| (id, Thing::Programme))).collect()
        });
        Self { station, week, outputs, things }
    }

    fn schedule(&self, week_file: &File<'_>, days_file: &File<'_>, days: &[WrittenDay]) -> Option<Schedule> {
        let written = self.week.map_or(&[][..], |week| week.sessions.as_slice());
        unique(
            week_file,
            Thing::Session,
            written.iter().map(|s| (s.id.get_ref().as_str(), s.id.span().start)),
        );
        let scope: Vec<_> = written.iter().collect();
        let sessions: Vec<_> =
            written.iter().map(|session| self.session(week_file, &scope, session)).collect();
        let dates = days.iter().filter_map(|day| day.date.as_ref());
        let dates: Vec<_> = dates.map(|date| (format!("{:?}", date.get_ref()), date.span().start)).collect();
        unique(days_file, Thing::DayPlan, dates.iter().map(|(date, at)| (date.as_str(), *at)));
        let plans: Vec<_> = days.iter().map(|day| self.day(days_file, &scope, &sessions, day)).collect();

        let (station, week) = (self.station?, self.week?);
        let (plans, of_plans): (Vec<_>, Vec<_>) = plans.into_iter().flatten().unzip();
        let of_week = written.iter().zip(&sessions).filter(|(_, session)| session.is_some());
        let of_week = of_week.map(|(written, _)| (week_file, written.id.span().start));
        let of_plans = of_plans.into_iter().flatten().map(|at| (days_file, at));
        let places: Vec<_> = of_week.chain(of_plans).collect();
        let schedule = Schedule {
            name: station.name.clone().unwrap_or_default(),
            time_zone: station.time_zone.clone().unwrap_or(TimeZone::UTC),
            loudness: station.loudness,
            rules: station.rules.clone(),
            outputs: station.outputs.iter().map(|output| output.get_ref().clone()).collect(),
            programmes: week
                .programmes
                .iter()
                .map(|p| (p.get_ref().id.clone(), p.get_ref().clone()))
                .collect(),
            pools: week.pools.iter().map(|p| (p.get_ref().id.clone(), p.get_ref().clone())).collect(),
            sessions: sessions.into_iter().flatten().collect(),
            day_plans: plans,
        };
        calendar::check(&schedule, &places);
        Some(schedule)
    }

    /// A session on its own: its ids, its rundown, and the rules that concern only it.
    fn session(
        &self,
        file: &File<'_>,
        scope: &[&WrittenSession],
        written: &WrittenSession,
    ) -> Option<Session> {
        unique(file, Thing::Slot, written.slots.iter().map(|s| (s.id.get_ref().as_str(), s.id.span().start)));
        let outputs = self.session_outputs(file, written);
        let valid = validity(file, &written.valid);
        let slots: Vec<_> = written
            .slots
            .iter()
            .enumerate()
            .map(|(place, slot)| {
                let days = slot.days.as_ref().map_or(Weekdays::ALL, |days| *days.get_ref());
                let days = days.and(written.on_days());
                self.slot(&Context { file, scope, session: written, place, days }, slot)
            })
            .collect();
        let session = Session {
            id: written.id.get_ref().as_str().into(),
            title: written.title.clone().unwrap_or_else(|| written.id.get_ref().clone()),
            days: written.days?,
            valid,
            from: *written.from.as_ref()?.get_ref(),
            to: written.to?,
            outputs,
            slots,
        };
        hard_starts(file, written, &session);
        if let Some(station) = self.station {
            obeys(file, written, &session, &station.rules);
        }
        Some(session)
    }

    fn session_outputs(
        &self,
        file: &File<'_>,
        written: &WrittenSession,
    ) -> std::collections::BTreeSet<OutputId> {
        let known = self.outputs.as_deref().unwrap_or_default();
        let Some(names) = &written.outputs else { return known.iter().copied().cloned().collect() };
        for name in names.get_ref() {
            if self.outputs.is_some() && known.iter().all(|output| output.as_str() != name) {
                let found = known.iter().map(|output| output.as_str());
                unknown(file, names.span().start, Thing::Output, name, found);
            }
        }
        names.get_ref().iter().map(|name| name.as_str().into()).collect()
    }

    /// A slot. What it lacks has been reported; it stands in with nothing, so that the rest can be checked.
    fn slot(&self, context: &Context<'_>, written: &WrittenSlot) -> Slot {
        let file = context.file;
        if context.days.is_empty()
            && let Some(days) = &written.days
        {
            file.report(days.span().start, Kind::NeverOn { session_days: context.session.on_days() });
        }
        let start = start(context, written);
        if let Some(play) = &written.play {
            self.play(context, play);
            holds(file, written.at, start, play.get_ref(), written.says.length);
        }
        let play =
            written.play.as_ref().map_or_else(|| Play::File(String::new()), |play| play.get_ref().clone());
        Slot {
            id: written.id.get_ref().as_str().into(),
            title: written.title.clone().unwrap_or_else(|| self.title(&play, context.scope)),
            days: written.days.as_ref().map_or(context.session.on_days(), |days| *days.get_ref()),
            valid: validity(file, &written.valid),
            start: start.unwrap_or(Start::Follow),
            length: written.length,
            late: written.late.unwrap_or(Late::Join),
            music: written.music.unwrap_or_else(|| self.is_music(&play)),
            play,
        }
    }

    /// Holds what is played against what there is.
    fn play(&self, context: &Context<'_>, play: &Spanned<Play>) {
        let at = play.span().start;
        match play.get_ref() {
            Play::File(_) => {}
            Play::Programme(id) | Play::All(id) => self.thing(context.file, at, id, Thing::Programme),
            Play::Pool(id) => self.thing(context.file, at, id, Thing::Pool),
            Play::Repeat { session, slot } => {
                repeat(context, at, session.as_str(), slot.as_str());
            }
        }
    }

    fn thing(&self, file: &File<'_>, at: usize, id: &ProgrammeId, expected: Thing) {
        let Some(things) = &self.things else { return };
        match things.get(id.as_str()) {
            Some(is) if *is == expected => {}
            Some(is) => file.report(at, Kind::OtherThing { id: id.to_string(), is: *is, expected }),
            // That it can be no name at all has been said.
            None if !is_id(id.as_str()) => {}
            None => unknown(file, at, expected, id.as_str(), things.keys().copied()),
        }
    }

    fn title(&self, play: &Play, scope: &[&WrittenSession]) -> String {
        let week = self.week;
        let named = match play {
            Play::File(name) => Some(name.clone()),
            Play::Programme(id) | Play::All(id) => {
                let programme = week.and_then(|week| week.programmes.iter().find(|p| p.get_ref().id == *id));
                programme.map(|programme| programme.get_ref().title.clone())
            }
            Play::Pool(id) => {
                let pool = week.and_then(|week| week.pools.iter().find(|p| p.get_ref().id == *id));
                pool.map(|pool| pool.get_ref().title.clone())
            }
            Play::Repeat { session, slot } => {
                find(scope, session.as_str(), slot.as_str()).and_then(|(_, _, source)| {
                    match (&source.title, source.play.as_ref()?.get_ref()) {
                        (Some(title), _) => Some(title.clone()),
                        // A repeat of a repeat could go round in a circle; that is another problem, not a title.
                        (None, Play::Repeat { .. }) => Some(format!("{session}/{slot}")),
                        (None, play) => Some(self.title(play, scope)),
                    }
                })
            }
        };
        named.unwrap_or_default()
    }

    fn is_music(&self, play: &Play) -> bool {
        let Play::Pool(id) = play else { return false };
        self.week.is_some_and(|week| {
            week.pools.iter().any(|pool| pool.get_ref().id == *id && pool.get_ref().music)
        })
    }

    /// A day plan, and where its sessions stand.
    fn day(
        &self,
        file: &File<'_>,
        week: &[&WrittenSession],
        checked: &[Option<Session>],
        day: &WrittenDay,
    ) -> Option<(DayPlan, Vec<usize>)> {
        unique(
            file,
            Thing::Session,
            day.sessions.iter().map(|s| (s.id.get_ref().as_str(), s.id.span().start)),
        );
        // A session of the plan stands in place of the week's with the same id.
        let scope: Vec<_> = day.sessions.iter().chain(week.iter().copied()).collect();
        let sessions: Vec<_> =
            day.sessions.iter().map(|session| self.session(file, &scope, session)).collect();
        let date = day.date.as_ref().map(|date| *date.get_ref());
        let drop = day.drop.iter().flat_map(|drop| drop.get_ref().iter().map(|id| (id, drop.span().start)));
        for (id, at) in drop.clone() {
            if self.week.is_some() && week.iter().all(|session| session.id.get_ref() != id) {
                unknown(
                    file,
                    at,
                    Thing::Session,
                    id,
                    week.iter().map(|session| session.id.get_ref().as_str()),
                );
            }
            absent(file, at, date, checked, id, None);
        }
        let mut replaced: BTreeMap<String, usize> = BTreeMap::new();
        let mut replace = Vec::new();
        for replacement in &day.replace {
            for path in replacement.slots.get_ref() {
                let (at, name) = (replacement.slots.span().start, format!("{}/{}", path.0, path.1));
                if let Some(first_line) = replaced.get(&name).copied() {
                    file.report(at, Kind::Duplicate { thing: Thing::Slot, id: name.clone(), first_line });
                }
                replaced.entry(name).or_insert_with(|| file.line(at));
                if day.sessions.iter().all(|s| s.id.get_ref() != path.0.as_str()) {
                    if drop.clone().any(|(id, _)| id == path.0.as_str()) {
                        file.report(at, Kind::ReplacedInDropped { session: path.0.to_string() });
                    }
                    absent(file, at, date, checked, path.0.as_str(), Some(path.1.as_str()));
                }
                replace.push(self.replacement(file, &scope, replacement, path));
            }
        }
        let places = day.sessions.iter().zip(&sessions).filter(|(_, session)| session.is_some());
        let places = places.map(|(written, _)| written.id.span().start).collect();
        let plan = DayPlan {
            date: date?,
            title: day.title.clone().unwrap_or_default(),
            no_music: day.no_music,
            drop: drop.map(|(id, _)| id.as_str().into()).collect(),
            replace: replace.into_iter().flatten().collect(),
            sessions: sessions.into_iter().flatten().collect(),
        };
        Some((plan, places))
    }

    fn replacement(
        &self,
        file: &File<'_>,
        scope: &[&WrittenSession],
        written: &WrittenReplacement,
        path: &SlotPath,
    ) -> Option<Replacement> {
        let play = written.play.as_ref();
        if let Some((session, place, slot)) = find(scope, path.0.as_str(), path.1.as_str()) {
            let days =
                session.on_days().and(slot.days.as_ref().map_or(Weekdays::ALL, |days| *days.get_ref()));
            if let Some(play) = play {
                self.play(&Context { file, scope, session, place, days }, play);
                let start = starts(session, place, slot);
                holds(file, written.at, start, play.get_ref(), written.says_length || slot.says.length);
            }
        } else if self.week.is_some() {
            unknown_slot(file, written.slots.span().start, scope, path.0.as_str(), path.1.as_str());
        }
        Some(Replacement {
            session: path.0.clone(),
            slot: path.1.clone(),
            title: written.title.clone(),
            play: play?.get_ref().clone(),
            length: written.length,
        })
    }
}

/// A change on one date has to find there what it changes.
fn absent(
    file: &File<'_>,
    at: usize,
    date: Option<PlanDate>,
    checked: &[Option<Session>],
    id: &str,
    slot_id: Option<&str>,
) {
    let Some(PlanDate::Once(date)) = date else { return };
    let Some(session) = checked.iter().flatten().find(|session| session.id.as_str() == id) else { return };
    let slot = slot_id.map(|id| session.slots.iter().find(|slot| slot.id.as_str() == id));
    let slot_is_on = slot.flatten().is_none_or(|slot| slot.is_on(date));
    if !session.is_on(date) || !slot_is_on {
        let (session, slot) = (id.to_owned(), slot_id.map(str::to_owned));
        file.report(at, Kind::NotOnThatDate { session, slot, date });
    }
}

/// Reports every id but the first of its kind.
fn unique<'a>(file: &File<'_>, thing: Thing, ids: impl Iterator<Item = (&'a str, usize)>) {
    let mut first = BTreeMap::new();
    for (id, at) in ids {
        let first_at = *first.entry(id).or_insert(at);
        if first_at != at {
            let (id, first_line) = (id.to_owned(), file.line(first_at));
            file.report(at, Kind::Duplicate { thing, id, first_line });
        }
    }
}

/// Reports an id that nothing has.
pub(super) fn unknown<'a>(
    file: &File<'_>,
    at: usize,
    thing: Thing,
    id: &str,
    known: impl Iterator<Item = &'a str>,
) {
    let nearest = nearest(id, known.filter(|known| is_id(known))).map(str::to_owned);
    file.report(at, Kind::Unknown { thing, id: id.to_owned(), nearest });
}

/// Reports a session that is not there, or else a slot that is not in it.
pub(super) fn unknown_slot(file: &File<'_>, at: usize, scope: &[&WrittenSession], session: &str, slot: &str) {
    match scope.iter().find(|candidate| candidate.id.get_ref() == session) {
        None => unknown(file, at, Thing::Session, session, scope.iter().map(|s| s.id.get_ref().as_str())),
        Some(found) => {
            let slots = found.slots.iter().map(|slot| slot.id.get_ref().as_str());
            unknown(file, at, Thing::Slot, slot, slots);
        }
    }
}

fn validity(file: &File<'_>, written: &WrittenValidity) -> Validity {
    if let (Some(from), Some(until)) = (written.from, &written.until)
        && *until.get_ref() < from
    {
        file.report(until.span().start, Kind::DatesReversed { from, until: *until.get_ref() });
    }
    Validity { from: written.from, until: written.until.as_ref().map(|until| *until.get_ref()) }
}
