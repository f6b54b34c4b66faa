//! What was typed into a form whose login had ended meanwhile: it lies in a [drawer](crate::web::drawer) while the person
//! signs in, is shown, and is sent when they say so, with the key of their new login.
//!
//! Only what a page of ours sent is kept, so that nobody else's form gets as far as being shown; only text, no files and
//! no passwords; and only for the pages below. What takes the air, approves or gives a link is not kept: it is pressed
//! again, on a page that says what is true then.

use axum::http::request::Parts;
use axum::response::Html;
use maud::html;

use super::calendar::{GO_ON, STEP};
use super::form::{Fields, KEY_FIELD, Whence, page_before, whence};
use super::page::{key, page};
use super::visitor::Visitor;
use crate::access::Role;
use crate::access::password::same;
use crate::schedule::Schedule;
use crate::segment::ProgrammeId;
use crate::text;
use crate::text::page::unsent as say;
use crate::web::State;
use crate::web::drawer::Unsent;
use crate::web::person::{key_of, login};

/// The pages whose forms are kept.
const PAGES: [&str; 3] = ["/ban-ghi", "/nguoi-dung", CALENDAR];
const CALENDAR: &str = "/lich-phat";
/// The longest that is kept, in bytes: with a script of the longest kind.
const LONGEST: usize = 1 << 18;
/// Fields that are not kept.
const NEVER: [&str; 3] = [KEY_FIELD, "password", "again"];

/// Fields that a form bears and nobody fills in.
const HIDDEN: [&str; 5] = ["seen", "hash", "ve", "then", STEP];

impl Unsent {
    /// A form that came without a login, or from a page of another one; none where it does not show that it is ours, or
    /// nothing was typed into it.
    pub(super) fn of(parts: &Parts, sent: &Fields) -> Option<Self> {
        let own = login(parts).map(|login| key_of(&login));
        let shows = own.is_some_and(|key| same(sent.one(KEY_FIELD).as_bytes(), key.as_bytes()));
        let ours = shows || whence(&parts.headers) == Whence::Here;
        let from = page_before(parts).unwrap_or_else(|| "/".to_owned());
        ours.then(|| Self::new(parts.uri.path(), from, sent.pairs())).flatten()
    }

    fn new<'a>(to: &str, from: String, fields: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let below =
            |page: &str| to.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let calendar = below(CALENDAR);
        let kept = |(name, value): (&str, &str)| match name {
            _ if NEVER.contains(&name) => None,
            // What a change of the schedule does is looked at again before it is saved.
            STEP => calendar.then(|| (name.to_owned(), GO_ON.to_owned())),
            _ => Some((name.to_owned(), value.to_owned())),
        };
        let kept = Self { to: to.to_owned(), from, calendar, fields: fields.filter_map(kept).collect() };
        let plain = !to.contains("..") && !to.contains("//") && !to.contains('%');
        let bytes: usize = kept.fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        let keeps = plain && bytes <= LONGEST && PAGES.iter().any(|page| below(page));
        (keeps && kept.filled_in().next().is_some()).then_some(kept)
    }

    /// What people fill in.
    fn filled_in(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        fields.filter(|(name, _)| !HIDDEN.contains(name))
    }

    /// The same as it is shown: with what each is called, without what was left empty. The calendar's forms are shown
    /// themselves, before anything is saved.
    fn shown(&self, schedule: &Schedule) -> impl Iterator<Item = (&str, String)> {
        self.filled_in().filter(|(_, value)| !value.trim().is_empty()).filter_map(move |(name, value)| {
            let label = say::label(&self.to, name).or_else(|| (!self.calendar).then_some(name))?;
            Some((label, shown(name, value, schedule)))
        })
    }

    /// Which of its form's buttons was pressed.
    fn then(&self) -> &str {
        self.fields.iter().find(|(name, _)| name == "then").map_or("", |(_, value)| value)
    }

    /// The recording or the person that it is about.
    fn about(&self, state: &State) -> Option<(&'static str, String)> {
        let mut parts = self.to.split('/').skip(1);
        match (parts.next()?, parts.next()?) {
            ("ban-ghi", id) => {
                let segment = state.plan().catalog.get(&id.into()).cloned()?;
                Some((say::RECORDING, segment.words.title.clone()))
            }
            ("nguoi-dung", name) => Some((say::PERSON, name.to_owned())),
            _ => None,
        }
    }

    /// Shows it to whoever is signed in now, and asks whether to send it.
    pub(super) fn ask<N>(&self, state: &State, visitor: &Visitor<N>) -> Html<String> {
        let schedule = &state.plan().schedule;
        let content = html! {
            p.note.warn role="alert" { (say::NOT_YET) }
            form.card method="post" action=(self.to) {
                (key(visitor))
                @for (name, value) in &self.fields { input type="hidden" name=(name) value=(value); }
                p { strong { (say::what(&self.to, self.then())) } }
                dl {
                    @if let Some((label, about)) = self.about(state) { dt { (label) } dd { (about) } }
                    dt { (say::IN_THE_NAME_OF) } dd { (visitor.person.name()) }
                }
                dl { @for (label, value) in self.shown(schedule) { dt { (label) } dd.script { (value) } } }
                div.actions {
                    button.main { (say::SEND) }
                    a.button href=(self.from) { (say::LEAVE) }
                }
            }
        };
        page(state, visitor, "", say::TITLE, &content)
    }
}

/// A value as its form shows it.
fn shown(name: &str, value: &str, schedule: &Schedule) -> String {
    let role = || value.parse::<Role>().ok().map(|role| text::page::role(role).to_owned());
    let programme = || {
        let id = ProgrammeId::new(value);
        schedule.programme_title(&id).map(str::to_owned)
    };
    let known = match name {
        "role" => role(),
        "programme" => programme(),
        _ => None,
    };
    known.unwrap_or_else(|| value.to_owned())
}
