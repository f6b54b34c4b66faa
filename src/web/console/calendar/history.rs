//! Lịch sử sửa lịch: who changed what and when, and the way back.

use std::sync::Arc;

use axum::extract::State as Of;
use axum::response::{Html, IntoResponse as _, Response};
use jiff::Timestamp;
use maud::{Markup, html};

use super::HERE;
use super::desk::{Change, UNDO, gone, preview, submit};
use super::place::called;
use super::preview::lines;
use crate::access::{Permission, permit};
use crate::editing::Wish;
use crate::schedule::{self, Schedule, Sources};
use crate::store::{Revision, Store, StoreError};
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

/// Where a revision is looked at, and undone.
pub(in crate::web::console) fn address(id: impl std::fmt::Display) -> String {
    format!("{HERE}/lich-su/{id}")
}

/// What a revision was about, as people called it then: as its own files have it, or else as it was before, or is now.
/// Of an undoing, what was undone.
fn subject(
    store: &Store,
    revision: &Revision,
    before: Option<&Sources>,
    now: &Schedule,
) -> Result<String, StoreError> {
    let undone = revision.subject.parse().ok().filter(|_| revision.what == UNDO);
    if let Some((undone, before)) = undone.map(|id| store.revision(id)).transpose()?.flatten() {
        let about = named(&undone, before.as_ref().map(|before| &before.files), now);
        return Ok(say::undone(undone.id, what(&undone, false), &about));
    }
    Ok(named(revision, before, now))
}

fn named(revision: &Revision, before: Option<&Sources>, now: &Schedule) -> String {
    let mut then = [Some(&revision.files), before].into_iter().flatten();
    let known = |files: &Sources| called(&revision.subject, &schedule::read_at(files, Timestamp::MAX).ok()?);
    let named = then.find_map(known).or_else(|| called(&revision.subject, now));
    // An undoing is about a number, which its code says already.
    named.unwrap_or_else(|| if revision.what == UNDO { String::new() } else { revision.subject.clone() })
}

/// Revisions, the newest first, with what each was about; `before` are the files before the last of them.
fn told_of(
    store: &Store,
    revisions: Vec<Revision>,
    before: Option<&Sources>,
    now: &Schedule,
) -> Result<Vec<(Revision, String)>, StoreError> {
    let befores = revisions.iter().skip(1).map(|revision| Some(&revision.files)).chain([before]);
    let about = revisions.iter().zip(befores).map(|(revision, before)| subject(store, revision, before, now));
    let about: Vec<_> = about.collect::<Result<_, _>>()?;
    Ok(revisions.into_iter().zip(about).collect())
}

fn what(revision: &Revision, first: bool) -> &str {
    if first && revision.by.is_none() { say::FIRST } else { people::act(&revision.what) }
}

/// All of them.
pub(super) async fn list(visitor: Visitor<See>, Of(state): Of<State>) -> Result<Html<String>, Failure> {
    let schedule = state.plan().schedule.clone();
    let now = Arc::clone(&schedule);
    let read = move |store: &Store| told_of(store, store.revisions(SHOWN)?, None, &now);
    let revisions = state.store.run(read).await?;
    let content = html! {
        p.lead { (say::INTRO) }
        @if revisions.is_empty() { p.note { (say::NONE) } } @else {
            ul.revisions { @for (revision, about) in &revisions { li.card {
                p { strong { (what(revision, revision.id == 1)) } @if !about.is_empty() { ": " (about) } }
                p.quiet { (date::moment(revision.at, &schedule.time_zone)) @if revision.id > 1 { " – " (revision.by.as_deref().unwrap_or(say::UNKNOWN)) } }
                @if revision.id > 1 { a.button href=(address(revision.id)) aria-label=(say::open(revision.id)) { (say::OPEN) } }
            } } }
        }
        p { a href=(HERE) { (crate::text::page::editing::form::BACK) } }
    };
    Ok(page(&state, &visitor, HERE, calendar::HISTORY, &content))
}

/// A revision that can be undone.
struct Found {
    revision: Revision,
    about: String,
    before: Sources,
    /// Those that were made after it, each with what it was about.
    later: Vec<(Revision, String)>,
}

async fn found(state: &State, id: &str) -> Result<Found, Failure> {
    let id: i64 = id.parse().map_err(|_| gone())?;
    let now = state.plan().schedule.clone();
    let read = move |store: &Store| {
        let later = store.revisions(SHOWN)?.into_iter().filter(|other| other.id > id).collect();
        let Some((revision, Some(before))) = store.revision(id)? else { return Ok(None) };
        let about = subject(store, &revision, Some(&before.files), &now)?;
        let later = told_of(store, later, Some(&revision.files), &now)?;
        Ok(Some(Found { about, before: before.files, later, revision }))
    };
    state.store.run(read).await?.ok_or_else(gone)
}

fn change_of(revision: &Revision) -> Change {
    Change {
        title: say::title(revision.id),
        action: address(revision.id),
        back: format!("{HERE}/lich-su"),
        code: UNDO,
        subject: revision.id.to_string(),
        aside: None,
    }
}

/// What a revision changed.
fn told(Found { revision, about, before, later }: &Found, schedule: &Schedule) -> Markup {
    html! {
        p.lead { (what(revision, false)) " " (about) " – "
            (revision.by.as_deref().unwrap_or(say::UNKNOWN)) ", " (date::moment(revision.at, &schedule.time_zone)) }
        details.session { summary { (say::LINES) } (lines(before, &revision.files)) }
        @if !later.is_empty() {
            div.note.warn {
                p { (say::LATER) }
                ul { @for (other, about) in later { li { (what(other, false)) " " (about) " – " (date::moment(other.at, &schedule.time_zone)) } } }
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
    let found = found(&state, &id).await?;
    let told = told(&found, &state.plan().schedule);
    let revision = found.revision;
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
    let found = found(&state, &id).await?;
    let told = told(&found, &state.plan().schedule);
    let revision = found.revision;
    let change = Change { aside: Some(told), ..change_of(&revision) };
    submit(&state, &visitor, &change, &filled, Ok(Wish::Undo(revision.id)), None).await
}
