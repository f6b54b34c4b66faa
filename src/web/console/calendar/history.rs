//! Lịch sử sửa lịch: who changed what and when, and the way back.

use axum::extract::State as Of;
use axum::response::{Html, IntoResponse as _, Response};
use maud::{Markup, html};

use super::HERE;
use super::desk::{Change, UNDO, gone, preview, submit};
use super::place::called;
use super::preview::lines;
use crate::access::{Permission, permit};
use crate::editing::Wish;
use crate::schedule::{Schedule, Sources};
use crate::store::{Revision, Store};
use crate::text::page::editing::history as say;
use crate::text::page::{calendar, date, people};
use crate::web::State;
use crate::web::console::form::{Fields, Sent};
use crate::web::console::page::{Failure, page};
use crate::web::console::visitor::Visitor;
use crate::web::input::Named;
use crate::web::person::{EditSchedule, See};

/// Revisions that are shown.
const SHOWN: u32 = 100;

/// What a revision was about, as people call it: by its title where the schedule still has it.
fn subject(revision: &Revision, schedule: &Schedule) -> String {
    called(&revision.subject, schedule).unwrap_or_else(|| revision.subject.clone())
}

fn what(revision: &Revision, first: bool) -> &str {
    if first && revision.by.is_none() { say::FIRST } else { people::act(&revision.what) }
}

/// All of them.
pub(super) async fn list(visitor: Visitor<See>, Of(state): Of<State>) -> Result<Html<String>, Failure> {
    let revisions = state.store.run(|store| store.revisions(SHOWN)).await?;
    let schedule = state.plan().schedule.clone();
    let content = html! {
        p.lead { (say::INTRO) }
        @if revisions.is_empty() { p.note { (say::NONE) } } @else {
            ul.revisions { @for revision in &revisions { li.card {
                p { strong { (what(revision, revision.id == 1)) } @let about = subject(revision, &schedule); @if !about.is_empty() { ": " (about) } }
                p.quiet { (date::moment(revision.at, &schedule.time_zone)) @if revision.id > 1 { " – " (revision.by.as_deref().unwrap_or(say::UNKNOWN)) } }
                @if revision.id > 1 { a.button href={ (HERE) "/lich-su/" (revision.id) } { (say::OPEN) " (" (revision.id) ")" } }
            } } }
        }
        p { a href=(HERE) { (crate::text::page::editing::form::BACK) } }
    };
    Ok(page(&state, &visitor, HERE, calendar::HISTORY, &content))
}

/// A revision that can be undone, the files before it, and those that were made after it.
async fn found(state: &State, id: &str) -> Result<(Revision, Sources, Vec<Revision>), Failure> {
    let id: i64 = id.parse().map_err(|_| gone())?;
    let read = move |store: &Store| {
        let later = store.revisions(SHOWN)?.into_iter().filter(|other| other.id > id).collect();
        Ok(store.revision(id)?.and_then(|(found, before)| Some((found, before?.files, later))))
    };
    state.store.run(read).await?.ok_or_else(gone)
}

fn change_of(revision: &Revision) -> Change {
    Change {
        title: say::title(revision.id),
        action: format!("{HERE}/lich-su/{}", revision.id),
        back: format!("{HERE}/lich-su"),
        code: UNDO,
        subject: revision.id.to_string(),
        aside: None,
    }
}

/// What a revision changed.
fn told(revision: &Revision, before: &Sources, later: &[Revision], schedule: &Schedule) -> Markup {
    html! {
        p.lead { (what(revision, false)) " " (subject(revision, schedule)) " – "
            (revision.by.as_deref().unwrap_or(say::UNKNOWN)) ", " (date::moment(revision.at, &schedule.time_zone)) }
        details.session { summary { (say::LINES) } (lines(before, &revision.files)) }
        @if !later.is_empty() {
            div.note.warn {
                p { (say::LATER) }
                ul { @for other in later { li { (what(other, false)) " " (subject(other, schedule)) " – " (date::moment(other.at, &schedule.time_zone)) } } }
            }
        }
    }
}

/// Shows a revision and, to whom may, what undoing it would change.
pub(super) async fn ask(
    visitor: Visitor<See>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<Response, Failure> {
    let (revision, before, later) = found(&state, &id).await?;
    let schedule = state.plan().schedule.clone();
    let told = told(&revision, &before, &later, &schedule);
    if !permit(&visitor.person.user().roles, Permission::EditSchedule) {
        return Ok(page(&state, &visitor, HERE, &say::title(revision.id), &told).into_response());
    }
    let change = Change { aside: Some(told), ..change_of(&revision) };
    preview(&state, &visitor, &change, &Fields::of([]), Wish::Undo(revision.id), None).await
}

/// Undoes a revision.
pub(super) async fn undo(
    Of(state): Of<State>,
    Named(id): Named,
    Sent { visitor, fields: filled }: Sent<EditSchedule>,
) -> Result<Response, Failure> {
    let (revision, before, later) = found(&state, &id).await?;
    let told = told(&revision, &before, &later, &state.plan().schedule);
    let change = Change { aside: Some(told), ..change_of(&revision) };
    submit(&state, &visitor, &change, &filled, Ok(Wish::Undo(revision.id)), None).await
}
