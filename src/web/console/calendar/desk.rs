//! How every change of the schedule goes: what would change is shown, then it is saved, if the files are still those
//! that were seen.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use maud::{Markup, html};

use super::fields::Values;
use super::place::called;
use super::preview::{Effects, effects, lines, show, special};
use super::week::Week;
use super::wrong::{Filled, Wrong};
use crate::editing::{Draft, EditingError, Saved, Sheet, Wish};
use crate::schedule::edit::{Edit, EditError};
use crate::schedule::{Problem, Schedule};
use crate::store::{Act, Revision, Store};
use crate::text::http::Refusal;
use crate::text::page::editing as say;
use crate::text::problem::problem;
use crate::web::State;
use crate::web::console::form::{Fields, KEY_FIELD};
use crate::web::console::page::{Failure, key, page, to};
use crate::web::console::visitor::Visitor;
use crate::web::person::EditSchedule;

/// The field with what is to be done next: [`SAVE`], [`GO_ON`], or to show what would change.
pub(in crate::web::console) const STEP: &str = "step";
const SAVE: &str = "save";
pub(in crate::web::console) const GO_ON: &str = "form";
/// The code of undoing.
pub(super) const UNDO: &str = "schedule.undo";
/// The field with the state of the files that was seen.
pub(super) const SEEN: &str = "seen";

/// The fields that are boxes, of which several may be ticked.
const BOXES: [&str; 4] = ["day", "output", "drop", "keep"];

/// A change that somebody is about to make.
#[derive(Debug)]
pub(super) struct Change {
    /// What it is called, at the head of its pages.
    pub(super) title: String,
    /// Where its form is sent.
    pub(super) action: String,
    /// Where one was before.
    pub(super) back: String,
    /// Its code in the record of acts.
    pub(super) code: &'static str,
    /// What it is about.
    pub(super) subject: String,
    /// What else is said: below its form, and above what it would change.
    pub(super) aside: Option<Markup>,
}

/// A form, from what was filled in.
pub(super) type Form<'a> = &'a (dyn Fn(&Filled<'_>) -> Markup + Send + Sync);

/// The schedule as it is on the disk.
pub(super) async fn sheet(state: &State) -> Result<Sheet, Failure> {
    let (desk, now) = (Arc::clone(&state.desk), state.clock.now());
    Ok(state.store.run(move |_| Ok(desk.sheet(now))).await??)
}

/// What was filled in, with what was changed elsewhere since the form was shown in the fields that were left as they were:
/// who moves an hour does not undo the title that somebody else just gave. `values` are what the form shows of a schedule.
pub(super) async fn caught_up(
    state: &State,
    filled: Fields,
    now: &Sheet,
    values: impl Fn(&Schedule) -> Option<Values>,
) -> Result<Fields, Failure> {
    let seen = filled.one(SEEN).to_owned();
    if seen.is_empty() || seen == now.seen {
        return Ok(filled);
    }
    let desk = Arc::clone(&state.desk);
    let shown = state.store.run(move |_| Ok(desk.as_seen(&seen))).await??;
    let both = shown.and_then(|shown| values(&shown)).zip(values(&now.schedule));
    let Some((shown, now)) = both else { return Ok(filled) };
    Ok(filled.on_top_of(&Fields::of(shown), &Fields::of(now), &BOXES))
}

/// A page with a form, and what has to be mended in it.
pub(super) fn form_page<N>(
    state: &State,
    visitor: &Visitor<N>,
    change: &Change,
    fields: &Fields,
    wrong: &[Wrong],
    form: Form<'_>,
) -> Html<String> {
    let content = html! {
        @if !wrong.is_empty() { (mend(say::MEND, wrong)) }
        form.card method="post" action=(change.action) {
            (key(visitor))
            input type="hidden" name=(SEEN) value=(fields.one(SEEN));
            (form(&Filled::new(fields, wrong)))
            p.quiet { (say::NOT_YET) }
            div.actions {
                button.main { (say::SHOW) }
                a.button href=(change.back) { (say::LEAVE) }
            }
        }
        @if let Some(aside) = &change.aside { (aside) }
    };
    page(state, visitor, super::HERE, &change.title, &content)
}

fn mend(heading: &str, wrong: &[Wrong]) -> Markup {
    html! {
        div.note.bad role="alert" { p { (heading) } ul { @for wrong in wrong { (wrong.above()) } } }
    }
}

/// What came with a form: shows what it would change, goes back to it, or saves. `form` is none where nothing was to be
/// filled in.
pub(super) async fn submit(
    state: &State,
    visitor: &Visitor<EditSchedule>,
    change: &Change,
    fields: &Fields,
    wish: Result<Wish, Vec<Wrong>>,
    form: Option<Form<'_>>,
) -> Result<Response, Failure> {
    let wish = match wish {
        Ok(wish) => wish,
        Err(wrong) => return Ok(turned_down(state, visitor, change, fields, (say::MEND, &wrong), form)),
    };
    match (fields.one(STEP), form) {
        (GO_ON, Some(form)) => Ok(form_page(state, visitor, change, fields, &[], form).into_response()),
        (SAVE, _) => save(state, visitor, change, fields, wish, form).await,
        _ => preview(state, visitor, change, fields, wish, form).await.map(there_on_the_way_back),
    }
}

/// A page that answers a form, kept by the browser: who goes back to it sees it, and not that it would have to be sent
/// again.
fn there_on_the_way_back(mut answer: Response) -> Response {
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    answer
}

/// What was filled in does not do: the form again, with why not.
fn turned_down<N>(
    state: &State,
    visitor: &Visitor<N>,
    change: &Change,
    fields: &Fields,
    (heading, wrong): (&str, &[Wrong]),
    form: Option<Form<'_>>,
) -> Response {
    let shown = match form {
        Some(form) => form_page(state, visitor, change, fields, wrong, form),
        None => {
            let content = html! { (mend(heading, wrong)) p { a.button href=(change.back) { (say::LEAVE) } } };
            page(state, visitor, super::HERE, &change.title, &content)
        }
    };
    (StatusCode::UNPROCESSABLE_ENTITY, shown).into_response()
}

/// Shows what a wish would change.
pub(super) async fn preview<N>(
    state: &State,
    visitor: &Visitor<N>,
    change: &Change,
    fields: &Fields,
    wish: Wish,
    form: Option<Form<'_>>,
) -> Result<Response, Failure> {
    let (desk, plan, now, wanted) = (Arc::clone(&state.desk), state.plan(), state.clock.now(), wish.clone());
    let drafted = state
        .store
        .run(move |store| match desk.draft(&wanted, now) {
            Ok(draft) => Ok(Ok((effects(store, &plan, &draft, &wanted, now)?, draft))),
            Err(failure) => Ok(Err(failure)),
        })
        .await?;
    match drafted {
        Ok((effects, draft)) => {
            Ok(preview_page(state, visitor, change, fields, &draft, &effects, form.is_some()).into_response())
        }
        Err(EditingError::Edit(EditError::Refused(problems))) => {
            refused(state, visitor, change, fields, &wish, &problems, form).await
        }
        Err(failure) => Err(failure.into()),
    }
}

/// The schedule would have problems: the form again, with what has to be mended in it or elsewhere.
async fn refused<N>(
    state: &State,
    visitor: &Visitor<N>,
    change: &Change,
    fields: &Fields,
    wish: &Wish,
    problems: &[Problem],
    form: Option<Form<'_>>,
) -> Result<Response, Failure> {
    let (heading, wrong) = match wish {
        Wish::Edit(edit) => {
            let old = sheet(state).await?.schedule;
            let name = called(&change.subject, &old).unwrap_or_default();
            let heading = if edit.removes() {
                say::cannot_remove(&name)
            } else if matches!(edit, Edit::MoveSlot { .. }) {
                say::cannot_move(&name)
            } else {
                say::MEND.to_owned()
            };
            (heading, Wrong::with(problems, &old, edit))
        }
        // The files were written by hand then, and only so can they be mended.
        Wish::Undo(_) => {
            let said = problems.iter().map(|found| Wrong::whole(problem(found)));
            (say::history::CANNOT.to_owned(), said.collect())
        }
    };
    Ok(turned_down(state, visitor, change, fields, (&heading, &wrong), form))
}

fn preview_page<N>(
    state: &State,
    visitor: &Visitor<N>,
    change: &Change,
    fields: &Fields,
    draft: &Draft,
    effects: &Effects,
    can_go_on: bool,
) -> Html<String> {
    let seen = fields.one(SEEN);
    let content = html! {
        @if let Some(aside) = &change.aside { (aside) }
        @let is_old = !seen.is_empty() && seen != draft.seen;
        @if draft.is_empty() {
            p.note { (if is_old { say::ALREADY } else { say::NOTHING }) }
        } @else {
            @if is_old { p.note.warn role="alert" { (say::CHANGED) } }
            h2 { (say::preview(effects.also)) }
            (show(effects, state.clock.now()))
            details.session { summary { (say::LINES) } (lines(&draft.before, &draft.after)) }
            p.quiet { (say::CALM) }
        }
        form.actions method="post" action=(change.action) {
            (key(visitor))
            @for (name, value) in fields.pairs().filter(|(name, _)| ![KEY_FIELD, STEP, SEEN].contains(name)) {
                input type="hidden" name=(name) value=(value);
            }
            input type="hidden" name=(SEEN) value=(draft.seen);
            @if !draft.is_empty() { button.main name=(STEP) value=(SAVE) { (if change.code == UNDO { say::history::UNDO } else { say::SAVE }) } }
            @if can_go_on { button name=(STEP) value=(GO_ON) { (say::GO_ON) } }
            a.button href=(change.back) { (say::LEAVE) }
        }
    };
    page(state, visitor, super::HERE, &change.title, &content)
}

async fn save(
    state: &State,
    visitor: &Visitor<EditSchedule>,
    change: &Change,
    fields: &Fields,
    wish: Wish,
    form: Option<Form<'_>>,
) -> Result<Response, Failure> {
    let now = state.clock.now();
    let act: Act = visitor.person.act(change.code, change.subject.clone(), now);
    let (desk, seen, wanted) = (Arc::clone(&state.desk), fields.one(SEEN).to_owned(), wish.clone());
    let saved_as = move |_: &Store| {
        // As it is called from now on; what goes, as it was called before.
        let named = |Draft { new, old, .. }: &Draft| {
            let title = called(&act.subject, new).or_else(|| called(&act.subject, old.as_ref()?));
            Act { title, ..act }
        };
        Ok(desk.save(&wanted, &seen, now, named))
    };
    match state.store.run(saved_as).await? {
        Ok(Some(Saved { revision, schedule })) => {
            tracing::info!(revision, by = visitor.person.name(), "the schedule was changed from the console");
            state.nudge();
            come_into_force(state, &schedule).await;
            Ok(saved(state, &wish, &schedule, revision))
        }
        Ok(None) => match saved_before(state, visitor, change, &wish).await? {
            Some((revision, schedule)) => Ok(saved(state, &wish, &schedule, revision)),
            None => preview(state, visitor, change, fields, wish, form).await,
        },
        Err(EditingError::Edit(EditError::Refused(problems))) => {
            refused(state, visitor, change, fields, &wish, &problems, form).await
        }
        Err(failure) => Err(failure.into()),
    }
}

/// To where what was changed is there to see.
fn saved(state: &State, wish: &Wish, schedule: &Schedule, revision: i64) -> Response {
    let today = schedule.time_zone.to_datetime(state.clock.now()).date();
    let date = special(wish, today).unwrap_or(today);
    to(&format!("{}&luu={revision}", Week::of(date).address()))
}

/// Whether this was saved already, by the same person, last of all: a button that was pressed twice, or a form that was
/// sent again. Then with which revision, and what the schedule is.
async fn saved_before(
    state: &State,
    visitor: &Visitor<EditSchedule>,
    change: &Change,
    wish: &Wish,
) -> Result<Option<(i64, Schedule)>, Failure> {
    let (desk, wish, now) = (Arc::clone(&state.desk), wish.clone(), state.clock.now());
    let read = move |store: &Store| {
        let stays = desk.draft(&wish, now).ok().filter(Draft::is_empty);
        Ok(stays.map(|draft| draft.new).zip(store.revisions(1)?.pop()))
    };
    let found = state.store.run(read).await?;
    let is_this = |last: &Revision| {
        last.by.as_deref() == Some(visitor.person.name())
            && last.what == change.code
            && last.subject == change.subject
    };
    Ok(found.filter(|(_, last)| is_this(last)).map(|(schedule, last)| (last.id, schedule)))
}

/// Waits a little for the new schedule, so that the next page shows it. Whoever is too early sees the old one. While files
/// are broken the last good schedule stays in force, and may be the very one to which they are brought back.
async fn come_into_force(state: &State, schedule: &Schedule) {
    let mut plan = state.plan.clone();
    let there = plan.wait_for(|plan| *plan.schedule == *schedule && plan.problems.is_empty());
    let _seen = tokio::time::timeout(state.limits.in_force, there).await.is_ok();
}

/// What is not in the schedule: somebody may have taken it out meanwhile.
pub(super) fn gone() -> Failure {
    Refusal::NotInSchedule.into()
}
