//! Duyệt: what waits for the approver, what airs soonest first.

use std::sync::Arc;

use axum::extract::State as Of;
use axum::response::{Html, Response};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::form::Sent;
use super::super::page::{Failure, key, page, to};
use super::super::to_do::broken_means;
use super::super::visitor::Visitor;
use super::one::{Typed, fault, fault_id, turned_down};
use super::prospect::{Outlook, Prospect, prospects};
use super::trail::value;
use super::{QUEUE, about, address, last_day, placeless};
use crate::access::may_approve;
use crate::schedule::Schedule;
use crate::segment::{LONGEST_TEXT, Segment, SegmentId, State as Stand, Words};
use crate::store::{SegmentEvent, Store, seen};
use crate::text::http::Refusal;
use crate::text::page::recordings::{self as say_all, approve as say, one};
use crate::text::page::{home, names};
use crate::web::State;
use crate::web::input::{Asked, Named};
use crate::web::person::Approve;
use crate::web::problem::Problem;
use crate::web::recordings::{self, segment_id};

/// The field that tells which words and which script the page showed.
pub(super) const SEEN: &str = "seen";

/// What was done just now.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web::console) struct Done {
    /// The recording with which.
    #[serde(default)]
    vua: String,
}

/// The queue.
pub(in crate::web::console) async fn queue(
    visitor: Visitor<Approve>,
    Of(state): Of<State>,
    Asked(done): Asked<Done>,
) -> Result<Html<String>, Failure> {
    let (plan, now) = (state.plan(), state.clock.now());
    let read = move |store: &Store| {
        let done = SegmentId::new(done.vua);
        let done = store.segment(&done)?.zip(Some(store.segment_events(&done)?));
        let outlook = Outlook::read(store, &plan, now)?;
        let mut scripts = store.scripts_to_approve()?;
        let waiting = outlook.catalog().iter().filter(|segment| segment.state == Stand::Pending);
        let mut waiting = waiting
            .map(|segment| (Arc::clone(segment), scripts.remove(&segment.id).unwrap_or_default()))
            .collect::<Vec<_>>();
        waiting.sort_by_key(|(segment, _)| (segment.words.week.or(segment.words.valid_from), segment.added));
        let prospects = prospects(&outlook, waiting.iter().map(|(segment, _)| &**segment));
        waiting.sort_by_key(|(segment, _)| {
            let at = prospects.get(&segment.id).and_then(Prospect::at);
            (at.is_none(), at)
        });
        Ok((done, waiting, prospects, plan))
    };
    let (done, waiting, prospects, plan) = state.store.run(read).await?;
    let zone = &plan.schedule.time_zone;
    let content = html! {
        @if let Some((done, events)) = &done { (what_became(done, events, zone)) }
        p.lead { (say::INTRO) }
        @if waiting.is_empty() { p.note.good { (say::NOTHING) } }
        // A second press that was meant for the card before finds the next one in its place.
        ol.queue.second-press[done.is_some()] { @for (segment, script) in &waiting { li.card {
            h2 { a href=(address(&segment.id)) { (segment.words.title) } }
            @if let Some(prospect) = prospects.get(&segment.id) { (prospect.said(zone)) }
            @if let Some(trouble) = plan.catalog.troubles().get(&segment.id) {
                p.note.bad { (home::file_broken(*trouble, &segment.words.title)) ". " (broken_means(&state, segment, *trouble)) }
            }
            (placeless(segment, &plan.schedule))
            (last_day(segment, &plan.schedule, now))
            (about(segment, &plan.schedule, zone))
            (words(segment, &plan.schedule))
            (players(segment))
            @if script.is_empty() { p.quiet { (one::NO_SCRIPT) } } @else {
                details { summary { (one::SCRIPT) } p.script { (script) } }
            }
            (judge(&state, &visitor, (segment, script), None, QUEUE))
        } } }
    };
    Ok(page(&state, &visitor, QUEUE, names::APPROVE, &content))
}

/// What a press did; of the second of two, what the first did, or somebody else's.
fn what_became(segment: &Segment, events: &[SegmentEvent], zone: &TimeZone) -> Markup {
    let title = &segment.words.title;
    match (&segment.approval, recordings::returned(events)) {
        (Some(approval), _) => html! {
            p.note.good role="status" { (say::approved(title, &approval.by, approval.at, zone)) }
        },
        (None, Some(event)) if segment.state == Stand::Draft => html! {
            p.note role="status" { (say::returned(title, event, zone)) }
        },
        (None, _) => html! {},
    }
}

/// What is approved with the sound, beside what [`about`] says.
fn words(segment: &Segment, schedule: &Schedule) -> Markup {
    const SHOWN: [&str; 6] = ["genre", "topic", "author", "source", "valid_from", "valid_until"];
    let (topic, genre) = schedule.kind(Some(&segment.words), segment.words.programme.as_ref());
    let words = Words { topic, genre, ..segment.words.clone() };
    html! {
        p.about { @for field in SHOWN {
            @if let Some(value) = value(&words, field, schedule) { span { (one::field(field)) ": " strong { (value) } } }
        } }
    }
}

/// What the loudspeakers will get, and what was handed in. Nothing is fetched before somebody listens.
pub(super) fn players(segment: &Segment) -> Markup {
    let at = |what: &str| format!("/api/v1/segments/{}/{what}", segment.id);
    html! {
        div.players {
            div { span { (one::AS_ON_AIR) } audio controls preload="none" src=(at("levelled")) aria-label=(one::AS_ON_AIR) {} }
            details { summary { (one::ORIGINAL) } audio controls preload="none" src=(at("audio")) aria-label=(one::ORIGINAL) {} }
        }
    }
}

/// The approver's two ways, for who may go them with this recording.
pub(super) fn judge<N>(
    state: &State,
    visitor: &Visitor<N>,
    (segment, script): (&Segment, &str),
    typed: Option<Typed<'_>>,
    back: &str,
) -> Markup {
    let person = &visitor.person;
    if !may_approve(&person.user().roles, person.name(), &segment.added_by, state.own_work()) {
        return html! { p.note { (Refusal::OwnWork.detail()) } };
    }
    let (words, title) = (seen(&segment.words, script), &segment.words.title);
    let at = |what: &str| format!("{}/{what}", address(&segment.id));
    html! {
        div.judge {
            form method="post" action=(at("duyet")) {
                (key(visitor))
                input type="hidden" name="hash" value=(segment.hash);
                input type="hidden" name=(SEEN) value=(words);
                input type="hidden" name="ve" value=(back);
                button.main aria-label=(one::approve_of(title)) { (one::APPROVE) }
            }
            a.button.bad href=(at("thu-hoi")) aria-label=(say_all::withdraw_of(title)) { (say_all::WITHDRAW) }
            @let why = typed.and_then(|typed| typed.why("reason"));
            details open[why.is_some()] {
                summary.button aria-label=(one::return_of(title)) { (one::RETURN) }
                form method="post" action=(at("tra-lai")) {
                    (key(visitor))
                    input type="hidden" name="ve" value=(back);
                    label { (one::RETURN_WHY)
                        textarea name="reason" required maxlength=(LONGEST_TEXT) rows="3" aria-invalid=[why.map(|_| "true")] aria-describedby=[why.map(|_| fault_id("reason"))] {
                            @if let Some(typed) = typed { (typed.fields.one("reason")) }
                        }
                        (fault("reason", why))
                    }
                    button aria-label=(one::return_now_of(title)) { (one::RETURN_NOW) }
                }
            }
        }
    }
}

/// Lets the bytes that the page showed on the air, with the words that it showed.
pub(in crate::web::console) async fn approve(
    Of(state): Of<State>,
    Named(id): Named,
    Sent { visitor, fields }: Sent<Approve>,
) -> Result<Response, Failure> {
    let hash = fields.one("hash").parse().map_err(|_| Problem::field("hash"))?;
    let seen = Some(fields.one(SEEN)).filter(|seen| !seen.is_empty());
    let segment = recordings::approve(&state, &visitor.person, segment_id(&id)?, hash, seen).await?;
    Ok(back(fields.one("ve"), &segment.id))
}

/// Gives it back, with a reason.
pub(in crate::web::console) async fn give_back(
    Of(state): Of<State>,
    Named(id): Named,
    Sent { visitor, fields }: Sent<Approve>,
) -> Result<Response, Failure> {
    let id = segment_id(&id)?;
    match recordings::give_back(&state, &visitor.person, id.clone(), fields.one("reason")).await {
        Ok(segment) => Ok(back(fields.one("ve"), &segment.id)),
        Err(Problem(Refusal::BadWords(wrong))) => turned_down(&state, &visitor, id, (&fields, &wrong)).await,
        Err(problem) => Err(problem.into()),
    }
}

/// To the page on which it was done.
fn back(page: &str, id: &SegmentId) -> Response {
    if page == QUEUE { to(&format!("{QUEUE}?vua={id}")) } else { to(&address(id)) }
}
