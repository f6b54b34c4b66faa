//! What was typed into a form whose login had ended meanwhile: it goes along through signing in, is shown, and is sent
//! when the person says so, with the key of their new login.
//!
//! Only what a page of ours sent is kept, so that nobody else's form gets as far as being shown; only text, no files and
//! no passwords; and only for the pages below. What takes the air, approves or gives a link is not kept: it is pressed
//! again, on a page that says what is true then.

use axum::http::header;
use axum::http::request::Parts;
use axum::response::Html;
use maud::{Markup, html};

use super::calendar::{GO_ON, STEP};
use super::form::{Fields, KEY_FIELD, Whence, whence};
use super::page::{key, page};
use super::visitor::Visitor;
use crate::access::Role;
use crate::access::password::same;
use crate::schedule::Schedule;
use crate::segment::ProgrammeId;
use crate::text;
use crate::text::page::unsent as say;
use crate::web::State;
use crate::web::person::{key_of, login};

/// The pages whose forms are kept.
const PAGES: [&str; 3] = ["/ban-ghi", "/nguoi-dung", CALENDAR];
const CALENDAR: &str = "/lich-phat";
/// The field that says where a kept form goes.
const TO: &str = "gui-toi";
/// What the names of kept fields begin with on the way.
const PREFIX: &str = "giu.";
/// Fields that are not kept.
const NEVER: [&str; 3] = [KEY_FIELD, "password", "again"];

/// Fields that a form bears and nobody fills in.
const HIDDEN: [&str; 5] = ["seen", "hash", "ve", "then", STEP];

/// A form that was sent too late.
#[derive(Debug)]
pub(super) struct Unsent {
    to: String,
    calendar: bool,
    fields: Vec<(String, String)>,
}

impl Unsent {
    /// A form that came without a login, or from a page of another one; none where it does not show that it is ours, or
    /// nothing was typed into it.
    pub(super) fn of(parts: &Parts, sent: &Fields) -> Option<Self> {
        let own = login(parts).map(|login| key_of(&login));
        let shows = own.is_some_and(|key| same(sent.one(KEY_FIELD).as_bytes(), key.as_bytes()));
        let ours = shows || whence(&parts.headers) == Whence::Here;
        ours.then(|| Self::new(parts.uri.path(), sent.pairs())).flatten()
    }

    /// What comes back with a name and a password.
    pub(super) fn carried(sent: &Fields) -> Option<Self> {
        let fields = sent.pairs().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value)));
        Self::new(sent.exactly(TO), fields)
    }

    fn new<'a>(to: &str, fields: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let below =
            |page: &str| to.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let calendar = below(CALENDAR);
        let kept = |(name, value): (&str, &str)| match name {
            _ if NEVER.contains(&name) => None,
            // What a change of the schedule does is looked at again before it is saved.
            STEP => calendar.then(|| (name.to_owned(), GO_ON.to_owned())),
            _ => Some((name.to_owned(), value.to_owned())),
        };
        let kept = Self { to: to.to_owned(), calendar, fields: fields.filter_map(kept).collect() };
        (PAGES.iter().any(|page| below(page)) && kept.filled_in().next().is_some()).then_some(kept)
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
            let label = say::label(name).or_else(|| (!self.calendar).then_some(name))?;
            Some((label, shown(name, value, schedule)))
        })
    }

    /// Its fields on a page on which somebody signs in.
    pub(super) fn carry(&self) -> Markup {
        html! {
            input type="hidden" name=(TO) value=(self.to);
            @for (name, value) in &self.fields { input type="hidden" name={ (PREFIX) (name) } value=(value); }
        }
    }

    /// Which of its form's buttons was pressed.
    fn then(&self) -> &str {
        self.fields.iter().find(|(name, _)| name == "then").map_or("", |(_, value)| value)
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
                dl { @for (label, value) in self.shown(schedule) { dt { (label) } dd.script { (value) } } }
                div.actions {
                    button.main { (say::SEND) }
                    a.button href="/" { (say::LEAVE) }
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
        let programme = schedule.programmes.get(&id).map(|programme| programme.title.clone());
        programme.or_else(|| schedule.pools.get(&id).map(|pool| pool.title.clone()))
    };
    let known = match name {
        "role" => role(),
        "programme" => programme(),
        _ => None,
    };
    known.unwrap_or_else(|| value.to_owned())
}

/// The page from which something was sent, where the browser says so and it is ours; the first one otherwise.
pub(super) fn page_before(parts: &Parts) -> String {
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let (from, host) = (header(header::REFERER), header(header::HOST));
    let path = from
        .and_then(|from| from.split_once("://")?.1.strip_prefix(host?))
        .filter(|path| path.starts_with('/'));
    path.unwrap_or("/").to_owned()
}
