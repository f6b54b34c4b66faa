//! Problems for who changed the schedule in a form: in the words of its fields, with titles, days and times for ids.

#[cfg(test)]
mod tests;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

use super::{Voice, sentence, time};
use crate::schedule::edit::Edit;
use crate::schedule::problem::{ANY_MONDAY, Expected, Kind, Place, Problem, Thing};
use crate::schedule::{PlanDate, Play, Schedule, Session, Slot, Weekdays, day_name};
use crate::text::page::calendar::plan_date;
use crate::text::page::capital;
use crate::text::page::editing::{day, form as label};

/// A change that was filled in.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// The schedule that was to be changed: what things are called.
    pub old: &'a Schedule,
    /// The change.
    pub edit: &'a Edit,
}

/// A problem for who changed the schedule in a form, and never saw the file or its words.
pub fn problem_of_a_form(found: &Problem, form: &Form<'_>) -> String {
    let elsewhere = form.elsewhere(found).then(|| form.called(&found.place)).flatten();
    let said = match (form.holds_on(found), elsewhere) {
        (Some(how), Some(holder)) => format!("{holder} {how}"),
        (_, Some(place)) => format!("{place}: {}", sentence(&found.kind, &Voice::Form(form, found))),
        (_, None) => sentence(&found.kind, &Voice::Form(form, found)),
    };
    capital(&said)
}

impl Form<'_> {
    fn about(&self) -> Place {
        self.edit.about(self.old)
    }

    /// Whether a problem is about what stands in the form itself.
    pub fn is_own(&self, found: &Problem) -> bool {
        let about = self.about();
        let new_session = Place { slot: None, ..found.place.clone() } == about
            && about.session.as_ref().is_some_and(|id| self.find(id.as_str(), about.day).is_none());
        // The slot of a new session is filled in with it.
        found.place == about || new_session || self.is_met(found)
    }

    /// Whether a problem is in another part of the schedule, which has to be named.
    pub fn elsewhere(&self, found: &Problem) -> bool {
        // Too many are all of them.
        let is_of_all = matches!(found.kind, Kind::TooManySessions { .. });
        !is_of_all && !self.is_own(found) && !found.place.holds(&self.about())
    }

    /// Whether another session, of which the problem is told, meets the form's.
    fn is_met(&self, found: &Problem) -> bool {
        let Kind::Overlap { other, .. } = &found.kind else { return false };
        let about = self.about();
        about.slot.is_none() && about != found.place && about.session.is_some_and(|own| own.as_str() == other)
    }

    /// The session that is meant by an id: a special day's own before the week's.
    fn find(&self, id: &str, day: Option<PlanDate>) -> Option<&Session> {
        let own = day.and_then(|_| self.old.sessions_of(day)).unwrap_or_default();
        own.iter().chain(&self.old.sessions).find(|session| session.id.as_str() == id)
    }

    fn find_slot(&self, session: &str, slot: &str, day: Option<PlanDate>) -> Option<&Slot> {
        self.find(session, day)?.slots.iter().find(|known| known.id.as_str() == slot)
    }

    /// A session by its title.
    pub(super) fn session(&self, id: &str, day: Option<PlanDate>) -> String {
        format!("“{}”", self.find(id, day).map_or(id, |session| &session.title))
    }

    /// A slot by its title.
    fn slot(&self, session: &str, slot: &str, day: Option<PlanDate>) -> String {
        format!("mục “{}”", self.find_slot(session, slot, day).map_or(slot, |slot| &slot.title))
    }

    /// A slot by its title and its session's.
    pub(super) fn slot_of(&self, session: &str, slot: &str, day: Option<PlanDate>) -> String {
        format!("{} của {}", self.slot(session, slot, day), self.session(session, day))
    }

    /// A part of the schedule as people call it.
    fn called(&self, place: &Place) -> Option<String> {
        let Place { day, session, slot } = place;
        Some(match (session, slot) {
            (Some(session), Some(slot)) => self.slot_of(session.as_str(), slot.as_str(), *day),
            (Some(session), None) => self.session(session.as_str(), *day),
            (None, _) => {
                let plan = self.old.day_plans.iter().find(|plan| Some(plan.date) == *day)?;
                format!("ngày đặc biệt “{}” ({})", plan.title, plan_date(plan.date))
            }
        })
    }

    /// The session that is met on a date: `“Buổi phát thanh chiều” (T2–T6, 17:00 – 17:31)`.
    pub(super) fn met(&self, found: &Problem, other: &str, on: Date) -> String {
        let special =
            self.old.day_plan(on).filter(|plan| plan.sessions.iter().any(|own| own.id.as_str() == other));
        let (id, day) = match &found.place.session {
            Some(teller) if self.is_met(found) => (teller.as_str(), found.place.day),
            _ => (other, special.map(|plan| plan.date)),
        };
        let Some(met) = self.find(id, day) else { return format!("“{id}”") };
        let days = day.map_or_else(|| short(met.days), plan_date);
        format!("“{}” ({days}, {} – {})", met.title, time(met.from), time(met.to))
    }

    /// What else does with what is to be taken out, where that is why it cannot be, and what to do first.
    fn holds_on(&self, found: &Problem) -> Option<String> {
        let is_gone = matches!(found.kind, Kind::Unknown { thing: Thing::Session | Thing::Slot, .. });
        let gone = self.about();
        let session = gone.session.as_ref().filter(|_| is_gone && self.edit.removes())?;
        let part = |slot: &str| match gone.slot {
            Some(_) => "mục này".to_owned(),
            None => format!("{} của buổi này", self.slot(session.as_str(), slot, gone.day)),
        };
        let Place { day, session: holder, slot } = &found.place;
        if let Some((holder, slot)) = holder.as_ref().zip(slot.as_ref()) {
            let holder = self.find_slot(holder.as_str(), slot.as_str(), *day)?;
            let Play::Repeat { slot, .. } = &holder.play else { return None };
            let part = part(slot.as_str());
            return Some(format!(
                "đang phát lại {part}. Trước hết hãy cho mục ấy phát nội dung khác, hoặc bỏ mục ấy."
            ));
        }
        let plan = self.old.day_plans.iter().find(|plan| Some(plan.date) == *day)?;
        let replaced = plan.replace.iter().filter(|other| other.session == *session);
        let mut replaced = replaced.filter(|other| gone.slot.as_ref().is_none_or(|slot| *slot == other.slot));
        Some(match replaced.next() {
            Some(other) => {
                let part = part(other.slot.as_str());
                format!(
                    "đang thay nội dung {part}. Trước hết hãy bỏ dấu chọn chỗ thay ấy ở ngày đặc biệt này."
                )
            }
            None => "đang chọn không phát buổi này. Trước hết hãy bỏ dấu chọn buổi này ở ngày đặc biệt ấy."
                .to_owned(),
        })
    }
}

/// Whether a date stands for the same day of any week.
pub(super) fn is_any(date: Date) -> bool {
    ANY_MONDAY <= date && date < ANY_MONDAY.saturating_add(9.days())
}

/// Days of the week, short: `T2–T7`, `T2, CN`, `mọi ngày`.
fn short(days: Weekdays) -> String {
    let names: Vec<_> = days.iter().map(day_name).collect();
    let offsets: Vec<_> = days.iter().map(Weekday::to_monday_zero_offset).collect();
    let in_a_row = offsets.iter().zip(offsets.iter().skip(1)).all(|(day, next)| *next == day + 1);
    match names.as_slice() {
        _ if days == Weekdays::ALL => "mọi ngày".to_owned(),
        [first, _, .., last] if in_a_row => format!("{first}–{last}"),
        _ => names.join(", "),
    }
}

/// The field for a key.
pub(super) fn field<'a>(key: &'a str, place: &Place) -> &'a str {
    let label = match key {
        "title" if place.session.is_none() => day::TITLE,
        "title" => label::TITLE,
        "days" => label::DAYS,
        "from" => label::FROM,
        "to" => label::TO,
        "valid_from" => label::FROM_DATE,
        "valid_until" => label::UNTIL_DATE,
        "outputs" => label::OUTPUTS,
        "start" => label::START,
        "at" => label::AT,
        "play" | "file" | "programme" | "all" | "pool" | "repeat" => label::PLAY,
        "length" => label::LENGTH,
        "late" => label::LATE,
        "music" => label::MUSIC,
        "no_music" => day::NO_MUSIC,
        "drop" => day::DROP,
        _ => key,
    };
    // What a field means stands in brackets behind what it is called.
    label.split_once(" (").map_or(label, |(name, _)| name)
}

/// Something that is not there.
pub(super) fn missing(key: &str, field: &str) -> String {
    match key {
        "slot" => "buổi phát phải có ít nhất một mục. Muốn không phát gì, hãy bỏ cả buổi.".to_owned(),
        "session" => "lịch tuần phải có ít nhất một buổi phát. Muốn nghỉ vài ngày, hãy dùng “Ngày đặc biệt”."
            .to_owned(),
        _ => format!("ô {field} còn trống. Điền ô này."),
    }
}

/// Something that is not what it should be.
#[expect(clippy::wildcard_enum_match_arm, reason = "a form is made so that nothing else goes wrong in it")]
pub(super) fn invalid(field: &str, expected: Expected) -> String {
    match expected {
        Expected::OtherThanStart => super::remedy(expected).to_owned(),
        Expected::Text => {
            format!("ô {field} có ký tự lạ, chẳng hạn dấu Tab. Gõ lại thành một dòng chữ bình thường.")
        }
        _ => format!("ô {field} chưa đúng. Chọn hoặc ghi lại ô này."),
    }
}
