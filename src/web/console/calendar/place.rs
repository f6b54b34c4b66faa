//! Where a session stands, the week's or a special day's own: in addresses, in the record, and in words.

use jiff::civil::Date;
use serde::Deserialize;

use super::HERE;
use super::desk::gone;
use super::fields::slot_name;
use crate::schedule::edit::SessionPath;
use crate::schedule::{PlanDate, Schedule, Session, SessionId, Slot};
use crate::text::http::Refusal;
use crate::text::page::calendar::plan_date;
use crate::timeline::{BlockId, CueId};
use crate::web::console::page::Failure;

/// What an address names; the rest is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Address {
    date: Option<String>,
    session: String,
    slot: String,
    pub(super) step: String,
}

impl Address {
    /// The special day, or none: then the week is meant.
    pub(super) fn day(&self) -> Result<Option<PlanDate>, Failure> {
        self.date.as_deref().map(named).transpose()
    }

    /// The session.
    pub(super) fn session<'a>(&self, schedule: &'a Schedule) -> Result<Place<'a>, Failure> {
        let path = SessionPath { day: self.day()?, id: self.session.as_str().into() };
        Place::of(path, schedule).ok_or_else(gone)
    }

    /// The session, and the slot in it.
    pub(super) fn slot<'a>(&self, schedule: &'a Schedule) -> Result<(Place<'a>, &'a Slot), Failure> {
        let place = self.session(schedule)?;
        let slot = place.slot(&self.slot).ok_or_else(gone)?;
        Ok((place, slot))
    }
}

/// A session, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub(super) path: SessionPath,
    pub(super) session: &'a Session,
}

impl<'a> Place<'a> {
    fn of(path: SessionPath, schedule: &'a Schedule) -> Option<Self> {
        let session = path.find(schedule)?;
        Some(Self { path, session })
    }

    fn slot(&self, id: &str) -> Option<&'a Slot> {
        self.session.slots.iter().find(|slot| slot.id.as_str() == id)
    }

    /// Where it is changed.
    pub(super) fn address(&self) -> String {
        session_address(self.path.day, &self.path.id)
    }

    /// What it is in the record.
    pub(super) fn subject(&self) -> String {
        subject(self.path.day, &self.path.id)
    }

    /// What people call it.
    pub(super) fn name(&self) -> String {
        match self.path.day {
            None => self.session.title.clone(),
            Some(date) => format!("{} ({})", self.session.title, plan_date(date)),
        }
    }
}

/// The page of all sessions: the week's, or a special day's.
pub(super) fn home(day: Option<PlanDate>) -> String {
    day.map_or_else(|| HERE.to_owned(), |date| format!("{HERE}/ngay/{}", address(date)))
}

/// Where a session is changed.
pub(super) fn session_address(day: Option<PlanDate>, id: &SessionId) -> String {
    format!("{}/buoi/{id}", home(day))
}

/// Where it is changed what a cue of a date plays: the day plan that replaces it, or its slot.
pub(in crate::web::console) fn slot_address(schedule: &Schedule, cue: &CueId) -> String {
    let BlockId { date, session, .. } = &cue.block;
    let plan = schedule.day_plan(*date);
    if let Some(plan) = plan.filter(|plan| plan.replacement(session, &cue.slot).is_some()) {
        return home(Some(plan.date));
    }
    let own = plan.filter(|plan| plan.sessions.iter().any(|own| own.id == *session));
    format!("{}/muc/{}", session_address(own.map(|plan| plan.date), session), cue.slot)
}

/// What a session is in the record.
pub(super) fn subject(day: Option<PlanDate>, id: &SessionId) -> String {
    day.map_or_else(|| id.to_string(), |date| format!("{}/{id}", address(date)))
}

/// What people call what the record has: `sang`, `sang/ban-tin`, `2027-02-06`, `2027-02-06/chuc-tet/loi-chuc`. None of
/// what the schedule does not have any more.
pub(in crate::web::console) fn called(subject: &str, schedule: &Schedule) -> Option<String> {
    let mut parts = subject.split('/').peekable();
    let day = parts.next_if(|first| parse(first).is_some()).and_then(parse);
    let Some(id) = parts.next() else { return day.map(plan_date) };
    let place = Place::of(SessionPath { day, id: id.into() }, schedule)?;
    match parts.next() {
        None => Some(place.name()),
        Some(slot) => Some(slot_name(&place.name(), place.session, place.slot(slot)?)),
    }
}

/// How a special day is written in an address: `2026-10-10`, and for every year `--10-10`.
pub(super) fn address(date: PlanDate) -> String {
    match date {
        PlanDate::Once(date) => date.to_string(),
        PlanDate::Yearly { month, day } => format!("--{month:02}-{day:02}"),
    }
}

fn parse(text: &str) -> Option<PlanDate> {
    let Some(yearly) = text.strip_prefix("--") else { return text.parse().ok().map(PlanDate::Once) };
    // A leap year, so that the 29th of February is a day.
    let date: Date = format!("2024-{yearly}").parse().ok()?;
    Some(PlanDate::Yearly { month: date.month(), day: date.day() })
}

/// The special day of an address.
pub(super) fn named(text: &str) -> Result<PlanDate, Failure> {
    Ok(parse(text).ok_or(Refusal::NoPage)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_day_finds_its_way_back_from_its_address() {
        for text in ["2026-12-25", "--10-10", "--02-29"] {
            assert_eq!(address(parse(text).unwrap()), text);
        }
        for wrong in ["", "10-10", "--13-01", "--02-30", "2026-02-30", "../x"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
