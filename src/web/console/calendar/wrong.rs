//! What has to be mended in a form of the schedule: said above it, and once more beside the field.

use std::ops::Deref;

use maud::{Markup, html};

use super::place::{home, session_address};
use crate::schedule::edit::Edit;
use crate::schedule::problem::{Kind, Place, Problem, Thing};
use crate::schedule::{PlanDate, Schedule};
use crate::text::page::editing as say;
use crate::text::problem::{Form, problem_of_a_form};
use crate::web::console::form::Fields;

/// Something that has to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The field that it is about.
    field: Option<&'static str>,
    said: String,
    /// Where it can be mended, if not in this form.
    elsewhere: Option<String>,
}

impl Wrong {
    /// A field that was not filled in as it should be.
    pub(super) fn field(field: &'static str, said: &str) -> Self {
        Self { field: Some(field), said: said.to_owned(), elsewhere: None }
    }

    /// Something about no field.
    pub(super) fn whole(said: String) -> Self {
        Self { field: None, said, elsewhere: None }
    }

    /// What would be wrong with the schedule after a change; alike things once.
    pub(super) fn with(problems: &[Problem], old: &Schedule, edit: &Edit) -> Vec<Self> {
        let form = Form { old, edit };
        let mut all: Vec<Self> = Vec::new();
        for found in problems {
            let own = form.is_own(found);
            let wrong = Self {
                field: field_of(found).filter(|_| own),
                said: problem_of_a_form(found, &form),
                elsewhere: Some(&found.place)
                    .filter(|place| **place != edit.about(old) && !found.place.holds(&edit.about(old)))
                    .and_then(|place| address(place, old)),
            };
            if !all.contains(&wrong) {
                all.push(wrong);
            }
        }
        all
    }

    /// It, above the form.
    pub(super) fn above(&self) -> Markup {
        html! { li {
            @match self.field {
                Some(field) => a href={ "#wrong-" (field) } { (self.said) },
                None => (self.said),
            }
            @if let Some(address) = &self.elsewhere { " " a href=(address) { (say::MEND_THERE) } }
        } }
    }
}

/// Where a part of the schedule is changed.
fn address(place: &Place, old: &Schedule) -> Option<String> {
    let Some(id) = &place.session else { return place.day.map(|date| home(Some(date))) };
    let session = session_address(place.day, id);
    old.sessions_of(place.day)?.iter().find(|session| session.id == *id)?;
    Some(place.slot.as_ref().map_or_else(|| session.clone(), |slot| format!("{session}/muc/{slot}")))
}

/// The field of a form that a problem is about.
#[expect(clippy::wildcard_enum_match_arm, reason = "of most kinds no form is the cause")]
fn field_of(found: &Problem) -> Option<&'static str> {
    let once = matches!(found.place.day, Some(PlanDate::Once(_)));
    Some(match &found.kind {
        Kind::Invalid { key, .. } => match key.as_str() {
            "title" => "title",
            "from" => "from",
            "to" => "to",
            "at" => "at",
            "length" => "minutes",
            "late" => "late",
            "valid_from" => "valid_from",
            "valid_until" => "valid_until",
            "days" => "day",
            _ => "play",
        },
        Kind::DatesReversed { .. } => "valid_until",
        Kind::NeverOn { .. } | Kind::DaysNotAllowed { .. } if !once => "day",
        Kind::RepeatNotThatDay { .. } if !once => "day",
        Kind::HardWithoutTime
        | Kind::TimeWithoutHard
        | Kind::HardOutsideSession { .. }
        | Kind::HardNotIncreasing { .. } => "at",
        Kind::AllWithoutLength => "minutes",
        Kind::Overlap { .. } | Kind::SessionTooLong { .. } | Kind::InQuietHours { .. } => "from",
        Kind::Unknown { thing: Thing::Output, .. } => "output",
        Kind::ReplacedInDropped { .. } | Kind::NotOnThatDate { slot: Some(_), .. } => "slot",
        Kind::NotOnThatDate { slot: None, .. } => "drop",
        Kind::FillWithoutPool
        | Kind::RepeatNotEarlier { .. }
        | Kind::RepeatNotThatDay { .. }
        | Kind::Unknown { .. }
        | Kind::OtherThing { .. } => "play",
        _ => return None,
    })
}

/// What was filled in, and what of it has to be mended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filled<'a> {
    fields: &'a Fields,
    wrong: &'a [Wrong],
}

impl Deref for Filled<'_> {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        self.fields
    }
}

impl<'a> Filled<'a> {
    pub(super) fn new(fields: &'a Fields, wrong: &'a [Wrong]) -> Self {
        Self { fields, wrong }
    }

    fn of(&self, field: &str) -> impl Iterator<Item = &Wrong> {
        self.wrong.iter().filter(move |wrong| wrong.field == Some(field))
    }

    /// Whether one of these fields has to be mended.
    pub(super) fn any_wrong(&self, fields: &[&str]) -> bool {
        fields.iter().any(|field| self.of(field).next().is_some())
    }

    /// The value of `aria-invalid`.
    pub(super) fn invalid(&self, field: &str) -> Option<&'static str> {
        self.any_wrong(&[field]).then_some("true")
    }

    /// The value of `aria-describedby`: where it is said what has to be mended.
    pub(super) fn described(&self, field: &str) -> Option<String> {
        self.any_wrong(&[field]).then(|| format!("wrong-{field}"))
    }

    /// What has to be mended in a field, beside it.
    pub(super) fn beside(&self, field: &str) -> Markup {
        html! {
            @if self.any_wrong(&[field]) {
                span.wrong id={ "wrong-" (field) } { @for wrong in self.of(field) { span { (wrong.said) } } }
            }
        }
    }
}
