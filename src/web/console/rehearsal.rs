//! Chạy thử: a day through the real engine before it comes, so that whoever looks in the evening sleeps in the morning.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Of;
use axum::response::Html;
use axum::routing::get;
use jiff::SignedDuration;
use jiff::civil::Date;
use maud::{Markup, html};

use super::form::{Query, Sent, in_words};
use super::page::{Failure, key, page};
use super::rundown::rehearsed;
use super::visitor::Visitor;
use crate::asrun::{Airing, Outcome};
use crate::rehearsal;
use crate::schedule::Schedule;
use crate::text::http::Refusal;
use crate::text::page::rehearsal as say;
use crate::timeline::{Timeline, Window};
use crate::web::State;
use crate::web::api::timeline::covering;
use crate::web::input::start_of;
use crate::web::person::See;
use crate::web::problem::Problem;

/// The page's address.
pub(super) const HERE: &str = "/chay-thu";
/// The entry of the navigation it belongs to.
const UNDER: &str = "/lich-phat";

/// The page. A rehearsal takes longer than other pages may.
pub(super) fn router() -> Router<State> {
    Router::new().route(HERE, get(ask).post(rehearse))
}

/// The day that is asked for, or the next.
fn asked(state: &State, day: &str) -> Option<Date> {
    if day.is_empty() {
        return state.plan().schedule.time_zone.to_datetime(state.clock.now()).date().tomorrow().ok();
    }
    day.parse().ok()
}

/// Asks which day.
pub(super) async fn ask(
    visitor: Visitor<See>,
    Of(state): Of<State>,
    Query(query): Query,
) -> Result<Html<String>, Failure> {
    let day = asked(&state, query.one("ngay")).ok_or(Refusal::BadField { field: "ngay".to_owned() })?;
    Ok(page(&state, &visitor, UNDER, say::TITLE, &form(&visitor, day)))
}

fn form(visitor: &Visitor<See>, day: Date) -> Markup {
    html! {
        p.lead { (say::INTRO) }
        form.card method="post" action=(HERE) {
            (key(visitor))
            label { (say::DAY) input type="date" name="ngay" value=(day) required; (in_words(&day.to_string())) }
            button.main { (say::GO) }
        }
    }
}

/// Rehearses a day and shows what would be logged.
pub(super) async fn rehearse(
    Of(state): Of<State>,
    Sent { visitor, fields }: Sent<See>,
) -> Result<Html<String>, Failure> {
    let day = asked(&state, fields.one("ngay")).ok_or(Refusal::BadField { field: "ngay".to_owned() })?;
    let plan = state.plan();
    let (zone, schedule) = (plan.schedule.time_zone.clone(), Arc::clone(&plan.schedule));
    let window = day
        .tomorrow()
        .ok()
        .and_then(|next| Some(Window { from: start_of(day, &zone)?, to: start_of(next, &zone)? }));
    let window = window.ok_or(Refusal::BadField { field: "ngay".to_owned() })?;
    // One at a time: it takes a processor for seconds, and the air has the first right to it.
    let place = Arc::clone(&state.limits.rehearsals).try_acquire_owned().map_err(|_| Refusal::Busy)?;
    let all = state.clone();
    let work = move || {
        let _place = place;
        let run = |output| {
            let timeline = Arc::new(only(&*covering(&all.store, &plan, output, window)?, window));
            Ok(rehearsal::rehearse(&all.audio_dir, &plan.schedule, &timeline, None)?)
        };
        plan.schedule.outputs.iter().map(|output| run(&output.id)).collect::<Result<Vec<_>, Problem>>()
    };
    let outputs =
        tokio::task::spawn_blocking(work).await.map_err(|failure| Problem::unexpected(&failure))??;
    let content = html! {
        (result(day, &outputs.concat(), &schedule))
        (form(&visitor, day))
    };
    Ok(page(&state, &visitor, UNDER, say::TITLE, &content))
}

/// A timeline's blocks of a window, and no others.
fn only(timeline: &Timeline, window: Window) -> Timeline {
    let blocks = timeline.blocks.iter().filter(|block| window.contains(block.start)).cloned().collect();
    Timeline { window, blocks, ..timeline.clone() }
}

fn result(day: Date, airings: &[Airing], schedule: &Schedule) -> Markup {
    let whole = airings.iter().filter(|airing| airing.outcome() == Outcome::Aired).count();
    let sound: SignedDuration =
        airings.iter().filter_map(|airing| Some(airing.ended()?.duration_since(airing.started()?))).sum();
    html! {
        section #result {
            h2 { (say::heading(day)) }
            @if airings.is_empty() {
                p.note { (say::NOTHING) }
            } @else if whole == airings.len() {
                p.note.good role="status" { "✓ " (say::well(whole, sound)) }
            } @else {
                p.note.bad role="alert" { "✕ " (say::not_well(airings.len(), whole)) }
            }
            @if !airings.is_empty() { div.card { (rehearsed(say::EACH, airings, schedule)) } }
        }
    }
}
