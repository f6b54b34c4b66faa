//! Thu hồi: off the air, in two presses from wherever a recording is named. And Bỏ bản nháp, for one's own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Of;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse as _, Response};
use maud::html;
use tokio::time::timeout;

use super::super::form::{Fields, Query, Sent, page_before};
use super::super::page::{Failure, entry, key, page, to};
use super::super::rundown::{COME_BACK, OPENED};
use super::super::visitor::{Visitor, WITHDRAWN, just_withdrawn};
use super::one::{fault, fault_id};
use super::{HERE, about, address, badge, opened};
use crate::access::Role;
use crate::engine::handle::Status;
use crate::schedule::OutputId;
use crate::segment::{LONGEST_TEXT, Segment, SegmentId, State as Stand};
use crate::text;
use crate::text::http::{Refusal, Why};
use crate::text::page::recordings::{discard, withdraw as say};
use crate::timeline::CueId;
use crate::timeline::plan::Plan;
use crate::web::State;
use crate::web::air::shown;
use crate::web::input::Named;
use crate::web::person::{HandIn, Withdraw};
use crate::web::problem::Problem;
use crate::web::recordings::{self, existing, segment_id};
use crate::web::withdrawing;

/// How long a page waits for the plan; it is made anew at once, and on a small machine takes a part of a second.
const PLANNED_WITHIN: Duration = Duration::from_secs(1);

/// The field that says from which page somebody came, and where they go on.
const FROM: &str = "ve";

/// The way back to the page that somebody came from.
struct Way {
    page: String,
    /// What opens the session there in which the recording is named.
    session: Option<String>,
}

impl Way {
    fn of(page: &str, session: &str, roles: &BTreeSet<Role>) -> Option<Self> {
        let session = Some(session).filter(|session| !session.is_empty()).map(str::to_owned);
        Some(Self { page: entry(page, roles)?, session })
    }

    /// The page's address, so that it says what was withdrawn from there.
    fn address(&self, withdrawn: Option<&SegmentId>) -> String {
        let page = withdrawn.map_or_else(|| self.page.clone(), |id| just_withdrawn(&self.page, id));
        match &self.session {
            Some(session) => format!("{}#{COME_BACK}", opened(&page, session)),
            None => page,
        }
    }
}

/// Asks why: to say it is the second press, and does it.
pub(in crate::web::console) async fn ask(
    visitor: Visitor<Withdraw>,
    Of(state): Of<State>,
    Named(id): Named,
    Query(asked): Query,
    parts: Parts,
) -> Result<Html<String>, Failure> {
    let segment = existing(&state, segment_id(&id)?).await?;
    let roles = &visitor.person.user().roles;
    let from = Way::of(&page_before(&parts).unwrap_or_default(), asked.one(OPENED), roles);
    Ok(asking(&state, &visitor, &segment, from.as_ref(), None))
}

/// The page; where what was typed is not taken, with that, and why.
fn asking(
    state: &State,
    visitor: &Visitor<Withdraw>,
    segment: &Segment,
    from: Option<&Way>,
    typed: Option<(&Fields, Why)>,
) -> Html<String> {
    let schedule = &state.plan().schedule;
    let from_there = html! {
        @if let Some(Way { page, session }) = from {
            input type="hidden" name=(FROM) value=(page);
            @if let Some(session) = session { input type="hidden" name=(OPENED) value=(session); }
        }
    };
    let back = from.map_or_else(|| address(&segment.id), |from| from.address(None));
    let content = html! {
        @if segment.state == Stand::Withdrawn {
            p.note { (say::ALREADY) }
        } @else {
            p { strong { (say::AT_ONCE) } }
            form.card.reasons.second-press method="post" aria-labelledby="why" {
                (key(visitor)) (from_there)
                h2 #why { (say::WHY) }
                @for reason in say::REASONS { button.danger name="reason" value=(reason) { (reason) } }
            }
            p { (say::MEANS) }
            form.card method="post" {
                (key(visitor)) (from_there)
                label { (say::OTHER)
                    input name="reason" required value=[typed.map(|(fields, _)| fields.one("reason"))] maxlength=(LONGEST_TEXT)
                        autocomplete="off" aria-invalid=[typed.map(|_| "true")] aria-describedby=[typed.map(|_| fault_id("reason"))];
                    (fault("reason", typed.map(|(_, why)| why)))
                }
                div.actions { button.bad { (say::NOW) } }
            }
            p.actions { a.button href=(back) { (text::page::CANCEL) } }
        }
        (badge(segment.state))
        (about(segment, schedule, &schedule.time_zone))
    };
    page(state, visitor, HERE, &say::title(&segment.words.title), &content)
}

/// Does it, and goes on where it was asked for.
pub(in crate::web::console) async fn withdraw(
    Of(state): Of<State>,
    Named(id): Named,
    Sent { visitor, fields }: Sent<Withdraw>,
) -> Result<Response, Failure> {
    let id = segment_id(&id)?;
    let from = Way::of(fields.one(FROM), fields.one(OPENED), &visitor.person.user().roles);
    let before = state.plan();
    match withdrawing::withdraw(&state, &visitor.person, id.clone(), fields.one("reason")).await {
        Ok(segment) => {
            let Some(from) = from else {
                off_the_air(&state, &before, &segment.id).await;
                return Ok(to(&format!("{}?{WITHDRAWN}=1", address(&segment.id))));
            };
            out_of_the_plan(&state, &segment.id).await;
            off_the_air(&state, &before, &segment.id).await;
            Ok(to(&from.address(Some(&segment.id))))
        }
        Err(Problem(Refusal::BadWords(wrong))) => {
            let why = wrong.first().map(|(_, why)| (&fields, *why));
            let shown = asking(&state, &visitor, &existing(&state, id).await?, from.as_ref(), why);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Waits a moment until the plan is without it: the page would still offer to withdraw what it says is withdrawn.
async fn out_of_the_plan(state: &State, id: &SegmentId) {
    let mut plans = state.plan.clone();
    let is_out =
        |plan: &Arc<Plan>| plan.catalog.get(id).is_none_or(|segment| segment.state == Stand::Withdrawn);
    let _in_time = timeout(PLANNED_WITHIN, plans.wait_for(is_out)).await.map(drop);
}

/// Waits a moment until no engine says that it sounds, or comes next as the plan had it `before`: the page would say that
/// what is withdrawn is on the air.
async fn off_the_air(state: &State, before: &Plan, id: &SegmentId) {
    let plan = state.plan();
    let is_next = |status: &Status| {
        status.next.as_ref().is_some_and(|next| {
            // The same place may have something else by now.
            let other = planned(&plan, &status.output, &next.cue).is_some_and(|now| now != id);
            planned(before, &status.output, &next.cue) == Some(id) && !other
        })
    };
    shown(state, |status| {
        status.on_air.as_ref().is_none_or(|air| air.segment != *id)
            && status.interrupts.iter().all(|one| one.segment != *id)
            && !is_next(status)
    })
    .await;
}

/// What a plan has for a cue of an output.
fn planned<'a>(plan: &'a Plan, output: &OutputId, cue: &CueId) -> Option<&'a SegmentId> {
    let cue = plan.timeline(output)?.cues().find(|planned| planned.id == *cue)?;
    cue.segment().map(|segment| &segment.id)
}

/// Asks whether a draft shall go.
pub(in crate::web::console) async fn ask_discard(
    visitor: Visitor<HandIn>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<Response, Failure> {
    let segment = existing(&state, segment_id(&id)?).await?;
    // What is past that says itself where it stands.
    if !recordings::may_discard(visitor.person.user(), &segment) {
        return Ok(to(&address(&segment.id)));
    }
    let schedule = &state.plan().schedule;
    let content = html! {
        (badge(segment.state))
        (about(&segment, schedule, &schedule.time_zone))
        p { (discard::MEANS) }
        form.actions.second-press method="post" {
            (key(&visitor))
            button.danger { (discard::NOW) }
            a.button href=(address(&segment.id)) { (text::page::CANCEL) }
        }
    };
    Ok(page(&state, &visitor, HERE, &discard::title(&segment.words.title), &content).into_response())
}

/// Throws it away.
pub(in crate::web::console) async fn throw_away(
    Of(state): Of<State>,
    Named(id): Named,
    Sent { visitor, .. }: Sent<HandIn>,
) -> Result<Response, Failure> {
    let segment = recordings::discard(&state, &visitor.person, segment_id(&id)?).await?;
    Ok(to(&format!("{}?da-bo=1", address(&segment.id))))
}
