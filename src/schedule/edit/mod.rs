//! The schedule's files, changed by the program on a person's behalf.
//!
//! An edit names a thing and says what it is to be, as a value of the checked schedule. Only the keys whose meaning
//! changes are written: comments, order and spelling of all else stay as the person left them. The outcome is checked
//! like any file, so what the console writes is held to the same rules as what an editor writes.

mod spelling;
#[cfg(test)]
mod tests;

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value};

use spelling::{date_text, date_value, days_value, duration_text, late_text, play_value, time_value};

use super::check::{Sources, read};
use super::problem::{Problem, Thing};
use super::{
    DayPlan, Late, PlanDate, Play, Replacement, Schedule, Session, SessionId, Slot, SlotId, Start, Validity,
};

/// One change of the schedule.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// A session is to be like this: its title, days, dates, times and outputs. Its slots stay.
    Session {
        /// Which.
        id: SessionId,
        /// What it is to be.
        to: Session,
    },
    /// A session more, with its slots, behind all others.
    AddSession(Session),
    /// A session less.
    RemoveSession(SessionId),
    /// A slot is to be like this.
    Slot {
        /// Its session.
        session: SessionId,
        /// Which.
        id: SlotId,
        /// What it is to be; its id stays.
        to: Slot,
    },
    /// A slot more.
    AddSlot {
        /// Its session.
        session: SessionId,
        /// The slot it comes after; none for the beginning.
        after: Option<SlotId>,
        /// It.
        slot: Slot,
    },
    /// A slot less.
    RemoveSlot {
        /// Its session.
        session: SessionId,
        /// Which.
        id: SlotId,
    },
    /// A slot changes places with its neighbour.
    MoveSlot {
        /// Its session.
        session: SessionId,
        /// Which.
        id: SlotId,
        /// With the one before it, not the one after.
        earlier: bool,
    },
    /// A special day is to be like this, or is new. Sessions of its own stay as they are.
    Day(DayPlan),
    /// A special day is one like others.
    RemoveDay(PlanDate),
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

/// The files with an edit made in them, and what they come to.
pub fn apply(sources: &Sources, edit: &Edit) -> Result<(Sources, Schedule), EditError> {
    let old = read(sources).map_err(EditError::Broken)?;
    let mut new = sources.clone();
    let days = matches!(edit, Edit::Day(_) | Edit::RemoveDay(_));
    let text = if days { &mut new.days } else { &mut new.week };
    let written: Result<DocumentMut, _> = text.as_deref().unwrap_or_default().parse();
    let mut document = written.map_err(|_| EditError::Unwritable)?;
    make(&mut document, &old, edit)?;
    *text = Some(document.to_string());
    let schedule = read(&new).map_err(EditError::Refused)?;
    Ok((new, schedule))
}

fn make(document: &mut DocumentMut, old: &Schedule, edit: &Edit) -> Result<(), EditError> {
    match edit {
        Edit::Session { id, to } => {
            let before = session(old, id)?;
            write_session(session_table(document, id)?, Some(before), to);
        }
        Edit::AddSession(new) => {
            let mut table = Table::new();
            put(&mut table, "id", new.id.as_str());
            write_session(&mut table, None, new);
            let mut slots = ArrayOfTables::new();
            for (place, slot) in new.slots.iter().enumerate() {
                slots.push(slot_table_of(slot, old, new, place));
            }
            table.insert("slot", Item::ArrayOfTables(slots));
            tables(document.as_table_mut(), "session")?.push(table);
        }
        Edit::RemoveSession(id) => {
            let place = place_of_session(document, id)?;
            remove(document, &[("session", place)])?;
        }
        Edit::Slot { session: of, id, to } => {
            let session = session(old, of)?;
            let place = place_of_slot(session, id)?;
            let before = session.slots.get(place).ok_or_else(|| absent(Thing::Slot, id.as_str()))?;
            let table = tables(session_table(document, of)?, "slot")?.get_mut(place);
            write_slot(
                table.ok_or_else(|| absent(Thing::Slot, id.as_str()))?,
                Some(before),
                to,
                old,
                session,
                place,
            );
        }
        Edit::AddSlot { session: of, after, slot } => {
            let session = session(old, of)?;
            let place = match after {
                Some(after) => place_of_slot(session, after)? + 1,
                None => 0,
            };
            tables(session_table(document, of)?, "slot")?
                .insert(place, slot_table_of(slot, old, session, place));
        }
        Edit::RemoveSlot { session: of, id } => {
            let slot = place_of_slot(session(old, of)?, id)?;
            let session = place_of_session(document, of)?;
            remove(document, &[("session", session), ("slot", slot)])?;
        }
        Edit::MoveSlot { session: of, id, earlier } => {
            let place = place_of_slot(session(old, of)?, id)?;
            let neighbour = if *earlier { place.checked_sub(1) } else { Some(place + 1) };
            swap(tables(session_table(document, of)?, "slot")?, place, neighbour);
        }
        Edit::Day(plan) => {
            let before = old.day_plans.iter().position(|old| old.date == plan.date);
            let tables = tables(document.as_table_mut(), "day")?;
            match before.and_then(|place| tables.get_mut(place)) {
                Some(table) => write_day(table, before.and_then(|place| old.day_plans.get(place)), plan),
                None => {
                    let mut table = Table::new();
                    match plan.date {
                        PlanDate::Once(date) => put(&mut table, "date", date_value(date)),
                        PlanDate::Yearly { .. } => put(&mut table, "every_year", date_text(plan.date)),
                    }
                    write_day(&mut table, None, plan);
                    tables.push(table);
                }
            }
        }
        Edit::RemoveDay(date) => {
            let place = old.day_plans.iter().position(|old| old.date == *date);
            let place = place.ok_or_else(|| absent(Thing::DayPlan, &date_text(*date)))?;
            remove(document, &[("day", place)])?;
        }
    }
    Ok(())
}

fn absent(thing: Thing, id: &str) -> EditError {
    EditError::Absent { thing, id: id.to_owned() }
}

fn session<'a>(schedule: &'a Schedule, id: &SessionId) -> Result<&'a Session, EditError> {
    let found = schedule.sessions.iter().find(|session| session.id == *id);
    found.ok_or_else(|| absent(Thing::Session, id.as_str()))
}

fn place_of_slot(session: &Session, id: &SlotId) -> Result<usize, EditError> {
    let place = session.slots.iter().position(|slot| slot.id == *id);
    place.ok_or_else(|| absent(Thing::Slot, id.as_str()))
}

fn place_of_session(document: &mut DocumentMut, id: &SessionId) -> Result<usize, EditError> {
    let place = tables(document.as_table_mut(), "session")?
        .iter()
        .position(|table| table.get("id").and_then(Item::as_str).map(str::trim) == Some(id.as_str()));
    place.ok_or_else(|| absent(Thing::Session, id.as_str()))
}

fn session_table<'a>(document: &'a mut DocumentMut, id: &SessionId) -> Result<&'a mut Table, EditError> {
    let place = place_of_session(document, id)?;
    let table = tables(document.as_table_mut(), "session")?.get_mut(place);
    table.ok_or_else(|| absent(Thing::Session, id.as_str()))
}

/// The tables `[[key]]`, made where there are none. A list of inline tables, `key = [{ … }]`, becomes such tables.
fn tables<'a>(of: &'a mut Table, key: &str) -> Result<&'a mut ArrayOfTables, EditError> {
    let item = of.entry(key).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if !item.is_array_of_tables() {
        let inline = std::mem::take(item).into_array_of_tables();
        *item = Item::ArrayOfTables(inline.unwrap_or_default());
    }
    item.as_array_of_tables_mut().ok_or(EditError::Unwritable)
}

/// Takes a table out. A comment right above it goes with it; what an empty line sets apart stays in the file, before
/// whatever comes next.
fn remove(document: &mut DocumentMut, path: &[(&str, usize)]) -> Result<(), EditError> {
    let Some(((last, place), above)) = path.split_last() else { return Ok(()) };
    let mut of = document.as_table_mut();
    for (key, place) in above {
        of = tables(of, key)?.get_mut(*place).ok_or(EditError::Unwritable)?;
    }
    let list = tables(of, last)?;
    let prefix = list.get(*place).and_then(|table| table.decor().prefix()?.as_str()).unwrap_or_default();
    let apart = prefix.rfind("\n\n").map_or("", |end| prefix.get(..=end).unwrap_or_default()).to_owned();
    list.remove(*place);
    if apart.trim().is_empty() {
        return Ok(());
    }
    if let Some(next) = list.get_mut(*place) {
        prepend(next, &apart);
    } else if let Some(((key, above), _)) = above.split_last()
        && let Some(next) = tables(document.as_table_mut(), key)?.get_mut(above + 1)
    {
        prepend(next, &apart);
    } else {
        let trailing = format!("{apart}{}", document.trailing().as_str().unwrap_or_default());
        document.set_trailing(trailing);
    }
    Ok(())
}

fn prepend(table: &mut Table, comment: &str) {
    let own = table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or("\n");
    let both = format!("{comment}{own}");
    table.decor_mut().set_prefix(both);
}

/// Swaps two neighbours, each with its comments.
fn swap(list: &mut ArrayOfTables, place: usize, neighbour: Option<usize>) {
    let Some(neighbour) = neighbour.filter(|neighbour| *neighbour < list.len()) else { return };
    let (first, second) = (place.min(neighbour), place.max(neighbour));
    let (Some(mut one), Some(mut other)) = (list.get(first).cloned(), list.get(second).cloned()) else {
        return;
    };
    // A table without a position is written where it stands in the list.
    one.set_position(None);
    other.set_position(None);
    list.replace(first, other);
    list.replace(second, one);
}

/// Sets a key. What stood there keeps its place, its spacing and the comment behind it.
fn put(table: &mut Table, key: &str, value: impl Into<Value>) {
    let mut value = value.into();
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    table.insert(key, Item::Value(value));
}

/// Sets a key or takes it out, where its meaning is another than before.
fn change<T: PartialEq>(
    table: &mut Table,
    key: &str,
    old: Option<&T>,
    new: &T,
    value: impl FnOnce(&T) -> Option<Value>,
) {
    if old == Some(new) {
        return;
    }
    match value(new) {
        Some(value) => put(table, key, value),
        None => drop(table.remove(key)),
    }
}

fn write_session(table: &mut Table, old: Option<&Session>, new: &Session) {
    change(table, "title", old.map(|old| &old.title), &new.title, |title| Some(title.into()));
    change(table, "days", old.map(|old| &old.days), &new.days, |days| Some(days_value(*days)));
    write_validity(table, old.map(|old| old.valid), new.valid);
    change(table, "from", old.map(|old| &old.from), &new.from, |time| Some(time_value(*time)));
    change(table, "to", old.map(|old| &old.to), &new.to, |time| Some(time_value(*time)));
    // A new session goes to all outputs, as one without the key does.
    let outputs = old.map_or(&new.outputs, |old| &old.outputs);
    change(table, "outputs", Some(outputs), &new.outputs, |outputs| {
        Some(Value::Array(outputs.iter().map(super::OutputId::as_str).collect()))
    });
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
            Start::Hard(_) | Start::Follow | Start::Fill => drop(table.remove("at")),
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
    let music = written.unwrap_or_else(|| is_music(&new.play, schedule));
    change(table, "music", Some(&music), &new.music, |music| Some((*music).into()));
}

/// Whether what is played is music where a slot does not say so: a pool of music is.
fn is_music(play: &Play, schedule: &Schedule) -> bool {
    matches!(play, Play::Pool(id) if schedule.pools.get(id).is_some_and(|pool| pool.music))
}

fn write_day(table: &mut Table, old: Option<&DayPlan>, new: &DayPlan) {
    change(table, "title", old.map(|old| &old.title), &new.title, |title| Some(title.into()));
    let no_music = old.is_some_and(|old| old.no_music);
    change(table, "no_music", Some(&no_music), &new.no_music, |none| Some((*none).into()));
    let drop = old.map(|old| old.drop.clone()).unwrap_or_default();
    change(table, "drop", Some(&drop), &new.drop, |drop| {
        (!drop.is_empty()).then(|| Value::Array(drop.iter().map(SessionId::as_str).collect()))
    });
    let replace = old.map_or(&[][..], |old| &old.replace);
    if replace != new.replace {
        let mut list = ArrayOfTables::new();
        new.replace.iter().for_each(|replacement| list.push(replacement_table(replacement)));
        if list.is_empty() {
            table.remove("replace");
        } else {
            table.insert("replace", Item::ArrayOfTables(list));
        }
    }
}

fn replacement_table(replacement: &Replacement) -> Table {
    let mut table = Table::new();
    put(&mut table, "slot", format!("{}/{}", replacement.session, replacement.slot));
    if let Some(title) = &replacement.title {
        put(&mut table, "title", title.as_str());
    }
    put(&mut table, "play", play_value(&replacement.play));
    if let Some(length) = replacement.length {
        put(&mut table, "length", duration_text(length));
    }
    table
}
