//! The schedule's files, changed by the program on a person's behalf.
//!
//! An edit names a thing and says what it is to be, as a value of the checked schedule. Only the keys whose meaning
//! changes are written: comments, order and spelling of all else stay as the person left them. The outcome is checked
//! like any file, so what the console writes is held to the same rules as what an editor writes.

mod replace;
mod spelling;
mod tables;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value};

use replace::{replacement_table, write_replacements};
use spelling::{date_text, date_value, days_value, duration_text, late_text, play_value, time_value};
use tables::{Step, change, put, remove, swap, table, tables, take_out};

use super::check::{Sources, read_at};
use super::problem::{Place, Problem, Thing};
use super::{DayPlan, Late, PlanDate, Schedule, Session, SessionId, Slot, SlotId, Start, Validity};

/// One change of the schedule.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// A session is to be like this: its title, days, dates, times and outputs, and when those of its slots begin that
    /// have an exact time. All else of its slots stays.
    Session {
        /// Which.
        id: SessionPath,
        /// What it is to be.
        to: Session,
    },
    /// A session more, with its slots, behind all others.
    AddSession {
        /// The special day whose own it is to be; none for the week.
        day: Option<PlanDate>,
        /// It.
        session: Session,
    },
    /// A session less.
    RemoveSession(SessionPath),
    /// A slot is to be like this.
    Slot {
        /// Its session.
        session: SessionPath,
        /// Which.
        id: SlotId,
        /// What it is to be; its id stays.
        to: Slot,
    },
    /// A slot more.
    AddSlot {
        /// Its session.
        session: SessionPath,
        /// The slot it comes after; none for the beginning.
        after: Option<SlotId>,
        /// It.
        slot: Slot,
    },
    /// A slot less.
    RemoveSlot {
        /// Its session.
        session: SessionPath,
        /// Which.
        id: SlotId,
    },
    /// A slot changes places with its neighbour.
    MoveSlot {
        /// Its session.
        session: SessionPath,
        /// Which.
        id: SlotId,
        /// With the one before it, not the one after.
        earlier: bool,
    },
    /// A special day is to be like this, or is new. Sessions of its own stay as they are where it was there already.
    Day(DayPlan),
    /// A special day is one like others.
    RemoveDay(PlanDate),
}

/// A session, by where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPath {
    /// The special day whose own it is; none for the week.
    pub day: Option<PlanDate>,
    /// Which of its sessions.
    pub id: SessionId,
}

/// A session of the week.
impl From<&str> for SessionPath {
    fn from(id: &str) -> Self {
        Self { day: None, id: id.into() }
    }
}

impl SessionPath {
    /// The session.
    pub fn find<'a>(&self, schedule: &'a Schedule) -> Option<&'a Session> {
        schedule.sessions_of(self.day)?.iter().find(|session| session.id == self.id)
    }
}

impl Edit {
    /// The special day that it changes; none where it changes the week.
    pub fn day(&self) -> Option<PlanDate> {
        match self {
            Self::Session { id: session, .. }
            | Self::RemoveSession(session)
            | Self::Slot { session, .. }
            | Self::AddSlot { session, .. }
            | Self::RemoveSlot { session, .. }
            | Self::MoveSlot { session, .. } => session.day,
            Self::AddSession { day, .. } => *day,
            Self::Day(plan) => Some(plan.date),
            Self::RemoveDay(date) => Some(*date),
        }
    }

    /// What it is about: of a new special day, the session that it begins with.
    pub fn about(&self, old: &Schedule) -> Place {
        let (session, slot) = match self {
            Self::Session { id: session, .. } | Self::RemoveSession(session) => (Some(&session.id), None),
            Self::AddSession { session, .. } => (Some(&session.id), None),
            Self::Slot { session, id, .. }
            | Self::RemoveSlot { session, id }
            | Self::MoveSlot { session, id, .. } => (Some(&session.id), Some(id)),
            Self::AddSlot { session, slot, .. } => (Some(&session.id), Some(&slot.id)),
            Self::Day(plan) if old.sessions_of(Some(plan.date)).is_none() => {
                (plan.sessions.first().map(|session| &session.id), None)
            }
            Self::Day(_) | Self::RemoveDay(_) => (None, None),
        };
        Place { day: self.day(), session: session.cloned(), slot: slot.cloned() }
    }

    /// The slots that begin hard with their session, by their places in it, and follow a new one then that is put at its
    /// beginning: two cannot begin at one time. A new one with a later time of its own displaces nothing.
    pub fn displaced<'a>(&self, old: &'a Schedule) -> impl Iterator<Item = (usize, &'a Slot)> {
        let session = match self {
            Self::AddSlot { session, after: None, slot } => {
                session.find(old).filter(|of| !matches!(slot.start, Start::Hard(at) if at != of.from))
            }
            Self::Session { .. }
            | Self::AddSession { .. }
            | Self::RemoveSession(_)
            | Self::Slot { .. }
            | Self::AddSlot { .. }
            | Self::RemoveSlot { .. }
            | Self::MoveSlot { .. }
            | Self::Day(_)
            | Self::RemoveDay(_) => None,
        };
        session.into_iter().flat_map(|session| {
            let begins = |(_, slot): &(usize, &Slot)| slot.start == Start::Hard(session.from);
            session.slots.iter().enumerate().filter(begins)
        })
    }

    /// Whether it takes out what it is about.
    pub fn removes(&self) -> bool {
        matches!(self, Self::RemoveSession(_) | Self::RemoveSlot { .. } | Self::RemoveDay(_))
    }
}

/// Why an edit was not made. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The files have problems as they are: they have to be mended by hand first.
    #[error("the schedule's files have problems already")]
    Broken(Vec<Problem>),
    /// The file is written in a way the program reads, and cannot change.
    #[error("the schedule's file can only be changed by hand")]
    Unwritable,
    /// What is to be changed is not there; somebody else may have changed it meanwhile.
    #[error("the schedule has no {thing:?} `{id}`")]
    Absent {
        /// What was meant.
        thing: Thing,
        /// Its id.
        id: String,
    },
    /// The schedule would have problems then.
    #[error("the schedule would have problems")]
    Refused(Vec<Problem>),
}

/// The files, which come to `old`, with an edit made in them, and what they come to then.
pub fn apply(
    sources: &Sources,
    old: &Schedule,
    edit: &Edit,
    now: Timestamp,
) -> Result<(Sources, Schedule), EditError> {
    let mut new = sources.clone();
    let text = if edit.day().is_some() { &mut new.days } else { &mut new.week };
    let before = text.as_deref().unwrap_or_default();
    // Notepad ends lines so; what writes TOML does not.
    let is_crlf = before.split_once('\n').is_some_and(|(line, _)| line.ends_with('\r'));
    let written: Result<DocumentMut, _> = before.replace("\r\n", "\n").parse();
    let mut document = written.map_err(|_| EditError::Unwritable)?;
    make(&mut document, old, edit)?;
    let after = document.to_string();
    *text = Some(if is_crlf { after.replace('\n', "\r\n") } else { after });
    let schedule = read_at(&new, now).map_err(EditError::Refused)?;
    Ok((new, schedule))
}

fn make(document: &mut DocumentMut, old: &Schedule, edit: &Edit) -> Result<(), EditError> {
    match edit {
        Edit::Session { id, to } => {
            let (before, way) = session(old, id)?;
            let table = table(document, &way)?;
            write_session(table, Some(before), to, id.day);
            write_exact_times(table, before, to)?;
        }
        Edit::AddSession { day, session } => {
            let new = session_table_of(session, old, *day);
            tables(table(document, &day_way(old, *day)?)?, "session")?.push(new);
        }
        Edit::RemoveSession(id) => remove(document, &session(old, id)?.1)?,
        Edit::Slot { session: of, id, to } => {
            let (session, way) = session(old, of)?;
            let (place, before) = slot(session, id)?;
            let table = table(document, &[&way[..], &[("slot", place)]].concat())?;
            write_slot(table, Some(before), to, old, session, place);
        }
        Edit::AddSlot { session: of, after, slot: new } => {
            let (session, way) = session(old, of)?;
            let place = match after {
                Some(after) => slot(session, after)?.0 + 1,
                None => 0,
            };
            let mut table_of_new = slot_table_of(new, old, session, place);
            let slots = tables(table(document, &way)?, "slot")?;
            let mut displaced = edit.displaced(old).peekable();
            // The session begins on its second as before, and with what was put at its beginning.
            if displaced.peek().is_some() && new.start == Start::Follow {
                take_out(&mut table_of_new, "start");
            }
            for (place, _) in displaced {
                if let Some(table) = slots.get_mut(place) {
                    take_out(table, "start");
                    take_out(table, "at");
                }
            }
            slots.insert(place, table_of_new);
        }
        Edit::RemoveSlot { session: of, id } => {
            let (session, way) = session(old, of)?;
            remove(document, &[&way[..], &[("slot", slot(session, id)?.0)]].concat())?;
        }
        Edit::MoveSlot { session: of, id, earlier } => {
            let (session, way) = session(old, of)?;
            let (place, _) = slot(session, id)?;
            let neighbour = if *earlier { place.checked_sub(1) } else { Some(place + 1) };
            let slots = tables(table(document, &way)?, "slot")?;
            swap(slots, place, neighbour);
            // What began with the session follows what begins with it now: one start of the same time is enough.
            let began = session.slots.first().filter(|first| first.start == Start::Hard(session.from));
            let leads = neighbour.is_some_and(|neighbour| place.min(neighbour) == 0);
            if let Some(second) = slots.get_mut(1).filter(|_| leads && began.is_some()) {
                take_out(second, "start");
                take_out(second, "at");
            }
        }
        Edit::Day(plan) => match old.day_plans.iter().find(|old| old.date == plan.date) {
            Some(before) => {
                let way = day_way(old, Some(plan.date))?;
                write_day(table(document, &way)?, Some(before), plan);
                write_replacements(document, &way, &before.replace, &plan.replace)?;
            }
            None => {
                let mut new = Table::new();
                match plan.date {
                    PlanDate::Once(date) => put(&mut new, "date", date_value(date)),
                    PlanDate::Yearly { .. } => put(&mut new, "every_year", date_text(plan.date)),
                }
                write_day(&mut new, None, plan);
                for replacement in &plan.replace {
                    tables(&mut new, "replace")?.push(replacement_table(replacement));
                }
                for session in &plan.sessions {
                    tables(&mut new, "session")?.push(session_table_of(session, old, Some(plan.date)));
                }
                tables(document.as_table_mut(), "day")?.push(new);
            }
        },
        Edit::RemoveDay(date) => remove(document, &day_way(old, Some(*date))?)?,
    }
    Ok(())
}

fn absent(thing: Thing, id: &str) -> EditError {
    EditError::Absent { thing, id: id.to_owned() }
}

/// The way to a special day's table; none is needed to what is the week's.
fn day_way(schedule: &Schedule, day: Option<PlanDate>) -> Result<Vec<Step>, EditError> {
    let Some(date) = day else { return Ok(Vec::new()) };
    let place = schedule.day_plans.iter().position(|plan| plan.date == date);
    Ok(vec![("day", place.ok_or_else(|| absent(Thing::DayPlan, &date_text(date)))?)])
}

/// A session, and the way to its table.
fn session<'a>(schedule: &'a Schedule, path: &SessionPath) -> Result<(&'a Session, Vec<Step>), EditError> {
    let mut way = day_way(schedule, path.day)?;
    let all = schedule.sessions_of(path.day).unwrap_or_default();
    let found = all.iter().enumerate().find(|(_, session)| session.id == path.id);
    let (place, found) = found.ok_or_else(|| absent(Thing::Session, path.id.as_str()))?;
    way.push(("session", place));
    Ok((found, way))
}

/// A slot, and its place in its session.
fn slot<'a>(session: &'a Session, id: &SlotId) -> Result<(usize, &'a Slot), EditError> {
    let found = session.slots.iter().enumerate().find(|(_, slot)| slot.id == *id);
    found.ok_or_else(|| absent(Thing::Slot, id.as_str()))
}

fn session_table_of(session: &Session, schedule: &Schedule, day: Option<PlanDate>) -> Table {
    let mut table = Table::new();
    put(&mut table, "id", session.id.as_str());
    write_session(&mut table, None, session, day);
    let mut slots = ArrayOfTables::new();
    for (place, slot) in session.slots.iter().enumerate() {
        slots.push(slot_table_of(slot, schedule, session, place));
    }
    table.insert("slot", Item::ArrayOfTables(slots));
    table
}

/// Writes a session of the week, or of a special day, which says itself when it is.
fn write_session(table: &mut Table, old: Option<&Session>, new: &Session, day: Option<PlanDate>) {
    change(table, "title", old.map(|old| &old.title), &new.title, |title| Some(title.into()));
    if day.is_none() {
        change(table, "days", old.map(|old| &old.days), &new.days, |days| Some(days_value(*days)));
    }
    write_validity(table, old.map(|old| old.valid), new.valid);
    change(table, "from", old.map(|old| &old.from), &new.from, |time| Some(time_value(*time)));
    change(table, "to", old.map(|old| &old.to), &new.to, |time| Some(time_value(*time)));
    // A new session goes to all outputs, as one without the key does.
    let outputs = old.map_or(&new.outputs, |old| &old.outputs);
    change(table, "outputs", Some(outputs), &new.outputs, |outputs| {
        Some(Value::Array(outputs.iter().map(super::OutputId::as_str).collect()))
    });
}

/// Writes the exact times of slots that differ. A first slot without one begins with its session.
fn write_exact_times(table: &mut Table, old: &Session, new: &Session) -> Result<(), EditError> {
    for (place, (old, slot)) in old.slots.iter().zip(&new.slots).enumerate() {
        let Start::Hard(at) = slot.start else { continue };
        if old.id != slot.id || old.start == slot.start {
            continue;
        }
        let table = tables(table, "slot")?.get_mut(place).ok_or(EditError::Unwritable)?;
        if table.contains_key("at") || at != new.from {
            put(table, "at", time_value(at));
        }
    }
    Ok(())
}

fn write_validity(table: &mut Table, old: Option<Validity>, new: Validity) {
    let old = old.unwrap_or_default();
    change(table, "valid_from", Some(&old.from), &new.from, |date| date.map(date_value));
    change(table, "valid_until", Some(&old.until), &new.until, |date| date.map(date_value));
}

fn slot_table_of(slot: &Slot, schedule: &Schedule, session: &Session, place: usize) -> Table {
    let mut table = Table::new();
    put(&mut table, "id", slot.id.as_str());
    write_slot(&mut table, None, slot, schedule, session, place);
    table
}

/// Writes a slot at a place of its session, whose days it has and, as the first, whose beginning, unless it says so.
fn write_slot(
    table: &mut Table,
    old: Option<&Slot>,
    new: &Slot,
    schedule: &Schedule,
    session: &Session,
    place: usize,
) {
    change(table, "title", old.map(|old| &old.title), &new.title, |title| {
        (!title.is_empty()).then_some(title.into())
    });
    let days = old.map_or(session.days, |old| old.days);
    change(table, "days", Some(&days), &new.days, |days| Some(days_value(*days)));
    write_validity(table, old.map(|old| old.valid), new.valid);
    if old.is_none_or(|old| old.start != new.start) {
        let word = match new.start {
            Start::Hard(_) => "hard",
            Start::Follow => "follow",
            Start::Fill => "fill",
        };
        put(table, "start", word);
        match new.start {
            Start::Hard(at) if place > 0 || at != session.from => put(table, "at", time_value(at)),
            Start::Hard(_) | Start::Follow | Start::Fill => take_out(table, "at"),
        }
    }
    change(table, "play", old.map(|old| &old.play), &new.play, |play| Some(play_value(play)));
    change(table, "length", Some(&old.and_then(|old| old.length)), &new.length, |length| {
        length.map(|length| duration_text(length).into())
    });
    let late = old.map_or(Late::Join, |old| old.late);
    change(table, "late", Some(&late), &new.late, |late| Some(late_text(*late).into()));
    // What the file would say without the key, or with the one it has.
    let written = old.filter(|_| table.contains_key("music")).map(|old| old.music);
    let music = written.unwrap_or_else(|| schedule.is_music(&new.play));
    change(table, "music", Some(&music), &new.music, |music| Some((*music).into()));
}

fn write_day(table: &mut Table, old: Option<&DayPlan>, new: &DayPlan) {
    change(table, "title", old.map(|old| &old.title), &new.title, |title| Some(title.into()));
    let no_music = old.is_some_and(|old| old.no_music);
    change(table, "no_music", Some(&no_music), &new.no_music, |none| Some((*none).into()));
    let drop = old.map(|old| old.drop.clone()).unwrap_or_default();
    change(table, "drop", Some(&drop), &new.drop, |drop| {
        (!drop.is_empty()).then(|| Value::Array(drop.iter().map(SessionId::as_str).collect()))
    });
}
