//! Lịch phát: any week with what sounds in it, to the second, and the ways to change it.
//!
//! What is shown is the schedule in force, compiled as the engines' own timelines are. Every change goes through [`desk`]: it is
//! shown with what it does to the next days, then saved, and can be undone.

mod day;
mod desk;
mod difference;
mod fields;
mod history;
mod place;
mod preview;
mod print;
mod recording;
mod session;
mod slot;
mod week;
mod wrong;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::State as Of;
use axum::response::Html;
use axum::routing::get;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;

use super::page::{Failure, page};
use super::rehearsal;
use super::rundown::{Notes, aired_besides, session as rundown};
use super::visitor::Visitor;
use crate::access::{Permission, permit};
use crate::asrun::Airing;
use crate::schedule::OutputId;
use crate::store::{AiringFilter, Revision, Store};
use crate::text;
use crate::text::finding::{Names, beside};
use crate::text::http::Refusal;
use crate::text::page::air::place as place_of;
use crate::text::page::home::OUT_OF_SCHEDULE;
use crate::text::page::{calendar as say, names};
use crate::text::problem::problem;
use crate::timeline::plan::Plan;
use crate::timeline::{Block, CueId, INTERRUPT_SESSION, Timeline, Window};
use crate::web::State;
use crate::web::api::timeline::covering;
use crate::web::input::Asked;
use crate::web::person::See;
use desk::UNDO;
pub(super) use desk::{GO_ON, STEP};
pub(super) use history::address as revision;
pub(super) use place::{called, slot_address};
use week::Week;

/// The page's address.
pub(super) const HERE: &str = "/lich-phat";
/// The address of what was changed in it.
pub(super) const HISTORY: &str = "/lich-phat/lich-su";
/// For so long a page says that something was saved.
const JUST_NOW: SignedDuration = SignedDuration::from_mins(10);

/// The week, and the pages that change it.
pub(super) fn router() -> Router<State> {
    let router = Router::new()
        .route("/lich-phat", get(calendar))
        .route("/lich-phat/in", get(print::print))
        .route("/lich-phat/lich-su", get(history::list))
        .route("/lich-phat/lich-su/{id}", get(history::ask).post(history::undo))
        .route("/lich-phat/ngay", get(day::list))
        .route("/lich-phat/ngay/{date}", get(day::ask).post(day::change))
        .route("/lich-phat/ngay/{date}/bo", get(day::ask_remove).post(day::remove));
    sessions(sessions(router, "/lich-phat"), "/lich-phat/ngay/{date}")
}

/// The pages of sessions: the week's, or a special day's own.
fn sessions(router: Router<State>, of: &str) -> Router<State> {
    router
        .route(&format!("{of}/buoi-moi"), get(session::ask_new).post(session::add))
        .route(&format!("{of}/buoi/{{session}}"), get(session::ask).post(session::change))
        .route(&format!("{of}/buoi/{{session}}/bo"), get(session::ask_remove).post(session::remove))
        .route(&format!("{of}/buoi/{{session}}/muc-moi"), get(slot::ask_new).post(slot::add))
        .route(&format!("{of}/buoi/{{session}}/muc/{{slot}}"), get(slot::ask).post(slot::change))
        .route(&format!("{of}/buoi/{{session}}/muc/{{slot}}/{{step}}"), get(slot::ask_step).post(slot::step))
}

/// Which week, what was just saved, and the session that somebody comes back to.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    tuan: Option<String>,
    luu: Option<String>,
    buoi: Option<String>,
}

/// What somebody may do from here.
#[derive(Debug, Clone, Copy)]
struct May {
    edit: bool,
    withdraw: bool,
}

/// Who comes back to a session, and what they withdrew there.
#[derive(Debug, Clone, Copy)]
struct Back<'a> {
    session: Option<&'a str>,
    withdrawn: Option<&'a str>,
}

/// What a week holds: for each output its timeline, and what the log has of it.
struct Held {
    plan: Arc<Plan>,
    window: Window,
    timelines: Vec<Arc<Timeline>>,
    aired: Vec<Airing>,
    now: Timestamp,
}

impl Held {
    async fn of(state: &State, week: Week) -> Result<Self, Failure> {
        let (plan, now) = (state.plan(), state.clock.now());
        let window = week.window(&plan.schedule.time_zone).ok_or(Refusal::NoPage)?;
        let filter = AiringFilter { from: Some(window.from), to: Some(window.to), ..AiringFilter::default() };
        let outputs: Vec<OutputId> = plan.schedule.outputs.iter().map(|output| output.id.clone()).collect();
        let read = move |store: &Store| {
            let timelines = outputs.iter().map(|output| covering(store, &plan, output, window));
            let timelines = timelines.collect::<Result<_, _>>()?;
            let aired = store.airings(&filter)?.airings;
            Ok(Self { timelines, aired, window, plan, now })
        };
        Ok(state.store.run(read).await?)
    }

    /// Whether the log has anything of a block. Of what is past, only that was ever so; the rest is today's schedule.
    fn is_on_record(&self, timeline: &Timeline, block: &Block) -> bool {
        self.aired
            .iter()
            .any(|airing| airing.item.output == timeline.output && airing.item.cue.block == block.id)
    }

    /// The blocks of a date, each with its timeline, by their start.
    fn on(&self, date: Date) -> Vec<(&Timeline, &Block)> {
        let all = self.timelines.iter().flat_map(|timeline| {
            timeline
                .blocks
                .iter()
                .map(move |block| (&**timeline, block))
                .filter(|(_, block)| self.window.contains(block.start) && block.id.date == date)
                .filter(|(timeline, block)| block.end > self.now || self.is_on_record(timeline, block))
        });
        let mut blocks: Vec<_> = all.collect();
        blocks.sort_by_key(|(timeline, block)| (block.start, &timeline.output));
        blocks
    }
}

/// The week that is asked for, or the one that is.
fn asked(state: &State, week: Option<&str>) -> (Week, Date) {
    let today = state.plan().schedule.time_zone.to_datetime(state.clock.now()).date();
    (week.and_then(Week::parse).unwrap_or_else(|| Week::of(today)), today)
}

/// The page.
pub(super) async fn calendar(
    visitor: Visitor<See>,
    Of(state): Of<State>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Html<String>, Failure> {
    let (week, today) = asked(&state, wanted.tuan.as_deref());
    let held = Held::of(&state, week).await?;
    let roles = &visitor.person.user().roles;
    let may =
        May { edit: permit(roles, Permission::EditSchedule), withdraw: permit(roles, Permission::Withdraw) };
    let back = Back { session: wanted.buoi.as_deref(), withdrawn: visitor.withdrawn.as_deref() };
    let saved = match wanted.luu.and_then(|id| id.parse().ok()).filter(|_| may.edit) {
        Some(id) => just_saved(&state, id, visitor.person.name()).await?,
        None => None,
    };
    let content = html! {
        @if let Some(saved) = saved {
            @let (said, back) = if saved.what == UNDO { (say::UNDONE, say::REDO) } else { (say::SAVED, say::UNDO) };
            p.note.good role="status" { (said) " " a href=(revision(saved.id)) { (back) } }
        }
        @if !held.plan.problems.is_empty() {
            div.note.bad role="alert" {
                p { (say::BROKEN) }
                ul { @for found in held.plan.problems.iter() { li { (problem(found)) } } }
            }
        }
        p.lead { (say::week(week.number(), week.monday, week.sunday())) }
        (ways(week, today, may.edit))
        div.week-columns {
            @for date in week.days() { (day(&held, date, today, may, back)) }
        }
    };
    Ok(page(&state, &visitor, HERE, names::CALENDAR, &content))
}

/// A revision, if it is what somebody saved last and just now: the address may be opened later, or by others.
async fn just_saved(state: &State, id: i64, by: &str) -> Result<Option<Revision>, Failure> {
    let last = state.store.run(|store| store.revisions(1)).await?.pop();
    let since = state.clock.now() - JUST_NOW;
    let is_this = |last: &Revision| last.id == id && last.by.as_deref() == Some(by) && last.at >= since;
    Ok(last.filter(is_this))
}

/// To other weeks, and to what can be done.
fn ways(week: Week, today: Date, may_edit: bool) -> Markup {
    let print = week.address().replacen(HERE, "/lich-phat/in", 1);
    html! {
        div.actions role="group" aria-label=(say::WEEKS) {
            @if let Some(before) = week.later(-1) { a.button href=(before.address()) { (say::BEFORE) } }
            @if week == Week::of(today) {
                a.button.narrow-only href={ "#day-" (today) } { (say::TO_TODAY) }
            } @else {
                a.button href=(HERE) { (say::NOW) }
            }
            @if let Some(after) = week.later(1) { a.button href=(after.address()) { (say::AFTER) } }
        }
        div.actions {
            a.button href=(print) { (say::PRINT) }
            a.button href=(rehearsal::HERE) { (text::page::rehearsal::TITLE) }
            a.button href={ (HERE) "/ngay" } { (say::DAYS) }
            a.button href={ (HERE) "/lich-su" } { (say::HISTORY) }
            @if may_edit { a.button href={ (HERE) "/buoi-moi" } { (say::ADD_SESSION) } }
        }
    }
}

fn day(held: &Held, date: Date, today: Date, may: May, back: Back<'_>) -> Markup {
    let (plan, zone, now) = (&held.plan, &held.plan.schedule.time_zone, held.now);
    let blocks = held.on(date);
    let of_cue: BTreeMap<(&OutputId, &CueId), &Airing> =
        held.aired.iter().map(|airing| ((&airing.item.output, &airing.item.cue), airing)).collect();
    let shown: BTreeSet<(&OutputId, &CueId)> = blocks
        .iter()
        .flat_map(|(timeline, block)| block.cues.iter().map(|cue| (&timeline.output, &cue.id)))
        .collect();
    let besides: Vec<_> = held
        .aired
        .iter()
        .filter(|airing| airing.item.cue.block.date == date)
        .filter(|airing| !shown.contains(&(&airing.item.output, &airing.item.cue)))
        .collect();
    let (on_the_spot, besides): (Vec<&Airing>, Vec<_>) =
        besides.into_iter().partition(|airing| airing.item.cue.block.session.as_str() == INTERRUPT_SESSION);
    let none = blocks.is_empty() && besides.is_empty() && on_the_spot.is_empty();
    let heading = format!("day-{date}");
    html! {
        section.day.today[date == today] aria-labelledby=(heading) {
            h2 id=(heading) { (say::day(date)) @if date == today { " " small { (say::TODAY) } } }
            @if let Some(special) = plan.schedule.day_plan(date) {
                p.special { strong { (special.title) } @if special.no_music { " (" (say::NO_MUSIC) ")" }
                    @if may.edit && date >= today { " " a.edit href=(place::home(Some(special.date))) aria-label=(say::edit_slot(&special.title)) { (say::EDIT) } } }
            }
            @if none { p.quiet { (say::NO_SESSION) } }
            @for (timeline, block) in blocks {
                @if plan.schedule.outputs.len() > 1 { p.output.quiet { (place_of(&plan.schedule, &timeline.output)) } }
                (rundown(block, zone, |cue| of_cue.get(&(&timeline.output, cue)).copied(), now,
                    &notes(plan, timeline, block, May { edit: may.edit && block.end > now, ..may }, back, now)))
            }
            @for (caption, airings) in [(OUT_OF_SCHEDULE, on_the_spot), (say::BESIDES, besides)] {
                @if !airings.is_empty() { details.session { summary { (caption) } (aired_besides(caption, airings, &plan.schedule)) } }
            }
        }
    }
}

/// What is to be said of a block, and where it is changed: in the week, or in the special day whose own it is.
fn notes<'a>(
    plan: &'a Plan,
    timeline: &'a Timeline,
    block: &'a Block,
    may: May,
    back: Back<'_>,
    now: Timestamp,
) -> Notes<'a> {
    let names = Names::of(plan, timeline);
    // Of what is past the log says how it went.
    let findings = timeline.findings.iter().filter(|finding| finding.block == block.id && block.end > now);
    let special = plan.schedule.day_plan(block.id.date);
    let of = special.filter(|day| day.sessions.iter().any(|own| own.id == block.id.session));
    let edit = may.edit.then(|| place::session_address(of.map(|day| day.date), &block.id.session));
    let findings = findings.map(|finding| (finding, beside(finding, &names))).collect();
    let place = format!("{}/{}/{}", block.id.date, block.id.session, timeline.output);
    let is_back = back.session == Some(&*place);
    let withdrawn = back.withdrawn.filter(|_| is_back).map(str::to_owned);
    Notes {
        findings,
        edit,
        closed: true,
        withdraw: may.withdraw,
        place: Some(place),
        back: is_back,
        withdrawn,
    }
}
