//! Hôm nay: what is on air, what comes, how the machine is, and what must be done so that the week works.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State as Of;
use axum::response::Html;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use maud::{Markup, html};

use super::air;
use super::calendar;
use super::clock;
use super::in_force;
use super::page::{Failure, page};
use super::recordings;
use super::rundown::{Notes, aired_besides, session};
use super::to_do::to_do;
use super::visitor::Visitor;
use crate::access::{Permission, permit};
use crate::asrun::{Airing, ClockHealth};
use crate::engine::handle::{InForce, Status};
use crate::schedule::{OutputId, Schedule};
use crate::sequencer::resumes;
use crate::store::{AiringFilter, Store, User};
use crate::text::finding::of_plan;
use crate::text::page::air::CALL_OFF;
use crate::text::page::calendar::BESIDES;
use crate::text::page::home::{self as say, Lamp};
use crate::text::page::{date, names};
use crate::timeline::plan::Plan;
use crate::timeline::{Block, CueId, INTERRUPT_SESSION, Layer, Severity};
use crate::web::State;
use crate::web::api::health::{SOON, wrong};
use crate::web::input::start_of;
use crate::web::person::See;

/// The quietest level that the meter shows, in dBFS.
const METER_FLOOR: f32 = -60.0;

/// No session is as long: it ends before it begins again.
const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(24);

/// For how long it is said that an emergency does not go on.
const LET_GO_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The page.
pub(super) async fn home(visitor: Visitor<See>, Of(state): Of<State>) -> Result<Html<String>, Failure> {
    let (plan, now) = (state.plan(), state.clock.now());
    let zone = &plan.schedule.time_zone;
    let (_, wrong) = wrong(&state).await;
    let today = zone.to_datetime(now).date();
    let midnight = |day: Date| start_of(day, zone).unwrap_or(now);
    let day = (midnight(today), today.checked_add(1.day()).map_or(now, midnight));
    let blocks = blocks_of(&plan, day);
    // What began yesterday has its first airings there, also where its session is in no plan any more.
    let from = Some(day.0 - LONGEST_SESSION);
    let filter = AiringFilter { from, to: Some(day.1), ..AiringFilter::default() };
    let name = visitor.person.name().to_owned();
    let read = move |store: &Store| {
        let drafts = recordings::own_drafts(store, &name, now)?;
        let let_go = store.orders_let_go(now - LET_GO_FOR)?;
        Ok((store.airings(&filter)?.airings, (store.users()?, drafts, let_go), store.newest_instant()?))
    };
    let (aired, (users, drafts, let_go), newest) = state.store.run(read).await?;
    let newest = newest.filter(|_| wrong.iter().any(|code| code == "clock-wrong"));
    let let_go: Vec<_> = let_go.iter().filter_map(|(_, body)| serde_json::from_str(body).ok()).collect();
    let may_withdraw = permit(&visitor.person.user().roles, Permission::Withdraw);
    let content = html! {
        p.lead { (date::day(today)) }
        div.alarm #alarm data-live { (alarm(&wrong, &plan, (now, today))) }
        @if permit(&visitor.person.user().roles, Permission::CallEmergency) { (air::urgent_now(&state, &plan, now)) }
        div.home {
            section.air #air data-live { (on_air(&state, &visitor, now)) }
            div.side {
                section #lamps data-live { (lamps(&wrong, &plan, visitor.person.user(), (now, newest))) }
                section #to-do data-live { (to_do(&state, visitor.person.user(), &users, (&let_go, &drafts), (now, newest))) }
            }
            section.today #today data-live { (rundown(&plan.schedule, &blocks, &aired, (day.0, now), may_withdraw)) }
        }
    };
    Ok(page(&state, &visitor, "/", names::HOME, &content))
}

/// What each output does, and what comes.
fn on_air(state: &State, visitor: &Visitor<See>, now: Timestamp) -> Markup {
    html! {
        h2 data-when-lost=(say::WAS_ON_AIR) { (say::ON_AIR) }
        @let plan = state.plan();
        @for engine in state.engines.iter() {
            @let status = engine.status();
            div.card.output data-output=(status.output) {
                @if state.engines.len() > 1 { p.quiet { (air::place(&plan.schedule, &status.output)) } }
                (sounding(&status, now, &plan.schedule.time_zone))
                (ending(&status, visitor))
                (next(&status, &plan, now))
            }
        }
    }
}

fn sounding(status: &Status, now: Timestamp, zone: &TimeZone) -> Markup {
    let Some(air) = &status.on_air else {
        return html! { p.big.silent { (say::SILENT) } };
    };
    let (whole, past) = (air.until.duration_since(air.since), now.duration_since(air.since));
    html! {
        p.big { (air.segment_title) }
        @if air.title != air.segment_title { p { (air.title) } }
        p.times {
            time { (date::second(air.since, zone)) } " – " time { (date::second(air.until, zone)) }
        }
        progress aria-label=(say::PROGRESS) max=(whole.as_secs().max(1)) value=(past.as_secs().clamp(0, whole.as_secs().max(1)))
            data-since=(air.since.as_millisecond()) data-until=(air.until.as_millisecond()) {}
        label.level { (say::LEVEL)
            meter min=(METER_FLOOR) max="0" value=(status.peak_dbfs.max(METER_FLOOR)) data-level {}
        }
    }
}

/// How to end what sounds: an interrupt is called off, for it may be wanted again; what the schedule plays is withdrawn.
fn ending(status: &Status, visitor: &Visitor<See>) -> Markup {
    let may = |permission| permit(&visitor.person.user().roles, permission);
    let interrupt = status.interrupts.iter().find(|one| one.on_air);
    html! {
        @match (interrupt, &status.on_air) {
            (Some(one), _) if may(Permission::CallEmergency) => (in_force::give_back(visitor, [&one.id], CALL_OFF)),
            (None, Some(air)) if may(Permission::Withdraw) => p { (recordings::withdraw_now(&air.segment)) },
            _ => {}
        }
    }
}

fn next(status: &Status, plan: &Plan, now: Timestamp) -> Markup {
    let zone = &plan.schedule.time_zone;
    // What comes today needs no date.
    let when = |at: Timestamp| {
        let day = |at: Timestamp| zone.to_datetime(at).date();
        if day(at) == day(now) { date::time(at, zone) } else { date::moment(at, zone) }
    };
    let countdown = |at: Timestamp| {
        html! { " (" span data-countdown=(at.as_millisecond()) { (say::in_(at.duration_since(now))) } ")" }
    };
    let interrupt = status.on_air.as_ref().filter(|_| status.layer > Layer::Scheduled);
    let coming = coming(status, plan, interrupt.map_or(now, |air| air.until), interrupt.is_some());
    html! {
        p.next {
            @match coming {
                Some(Coming { title, at, joined }) if interrupt.is_some() => {
                    (say::AFTER_THIS) ": " strong { (title) } ", "
                    @if joined { (say::JOINED) ", " }
                    (say::about(at, zone)) (countdown(at))
                },
                Some(Coming { title, at, .. }) if at < now => {
                    (say::NEXT) ": " strong { (title) } ", " (say::AT_ONCE)
                },
                Some(Coming { title, at, .. }) => {
                    (say::NEXT) ": " strong { (title) } ", " (when(at)) (countdown(at))
                },
                None if status.clock == ClockHealth::Wrong => (say::NOTHING_BY_THIS_CLOCK),
                None if all_silent(plan, &status.output, now) => (say::NOTHING_SOUNDS),
                None => (say::NOTHING_NEXT),
            }
        }
    }
}

/// Whether cues of an output come, and not one of them sounds.
fn all_silent(plan: &Plan, output: &OutputId, now: Timestamp) -> bool {
    let blocks = plan.timeline(output).into_iter().flat_map(|timeline| &timeline.blocks);
    let mut cues = blocks.filter(|block| now < block.end).flat_map(|block| &block.cues).peekable();
    cues.peek().is_some() && cues.all(|cue| cue.segment().is_none())
}

/// What sounds next, as far as it can be foreseen.
pub(super) struct Coming {
    pub(super) title: String,
    pub(super) at: Timestamp,
    /// It does not begin at its beginning.
    joined: bool,
}

/// What sounds next: an interrupt that waits for the air or for its repeat, or before that what the schedule has, joined
/// in progress where an interrupt has the air until it is `free`.
pub(super) fn coming(status: &Status, plan: &Plan, free: Timestamp, interrupted: bool) -> Option<Coming> {
    let due = |one: &&InForce| Some((one.next?.max(free), Reverse(one.layer)));
    // Of one rank, the one that was ordered first has it first.
    let ordered = status.interrupts.iter().filter(|one| one.next.is_some()).min_by_key(due);
    let ordered = ordered
        .and_then(|one| Some(Coming { title: one.title.clone(), at: one.next?.max(free), joined: false }));
    // While nobody knows what time it is, nothing of the schedule airs.
    let next = status.next.as_ref().filter(|_| status.clock != ClockHealth::Wrong);
    let resumed = next.filter(|_| interrupted).and_then(|next| resumed(status, plan, &next.cue, free));
    let scheduled =
        resumed.or_else(|| next.map(|next| Coming { title: next.title.clone(), at: next.at, joined: false }));
    ordered.into_iter().chain(scheduled).min_by_key(|coming| coming.at)
}

/// What the schedule has, from its `next` cue on, once the air is free again.
fn resumed(status: &Status, plan: &Plan, next: &CueId, free: Timestamp) -> Option<Coming> {
    let blocks = &plan.timeline(&status.output)?.blocks;
    let cues = blocks.iter().flat_map(|block| block.cues.iter().map(move |cue| (cue, block.end)));
    cues.skip_while(|(cue, _)| cue.id != *next).find_map(|(cue, limit)| {
        let at = cue.at.max(free);
        let skipped = cue.segment().and_then(|_| resumes(cue, at, limit))?;
        Some(Coming { title: cue.title.clone(), at, joined: skipped > SignedDuration::ZERO })
    })
}

/// What is not as it should be, in a line each: on a phone the lamps stand below the first screen.
fn alarm(wrong: &[String], plan: &Plan, (now, today): (Timestamp, Date)) -> Markup {
    let place = |output: &str| air::place(&plan.schedule, &OutputId::new(output));
    let soon = now..now.saturating_add(SOON).unwrap_or(Timestamp::MAX);
    let mut silent =
        of_plan(plan, |finding| finding.severity == Severity::Error && soon.contains(&finding.at));
    silent.sort_by_key(|said| said.first.at);
    let others = wrong.iter().filter(|code| *code != "coming-silence");
    let lit: BTreeSet<_> = others.map(|code| say::trouble(code, place).0).collect();
    html! {
        @if let [first, others @ ..] = silent.as_slice() {
            p.note.bad { a href="#to-do" { (say::coming_silence(&first.first_said_on(today), &first.place, others.len())) } }
        }
        @for lamp in lit { p.note.bad { a href="#lamps" { (lamp.name()) ": " (say::TROUBLE) } } }
    }
}

/// One lamp for each thing that matters, never by colour alone; the clock's also says what it shows, and the `newest` that
/// speaks against it.
fn lamps(
    wrong: &[String],
    plan: &Plan,
    user: &User,
    (now, newest): (Timestamp, Option<Timestamp>),
) -> Markup {
    let place = |output: &str| air::place(&plan.schedule, &OutputId::new(output));
    let troubles: Vec<_> = wrong.iter().map(|code| say::trouble(code, place)).collect();
    html! {
        h2 { (say::STATE) }
        ul.lamps {
            @for lamp in Lamp::ALL {
                @let of: Vec<_> = troubles.iter().filter(|(lit, _)| *lit == lamp).map(|(_, sentence)| sentence).collect();
                li.bad[!of.is_empty()].good[of.is_empty()] {
                    span.name { (lamp.name()) }
                    strong data-when-lost=(say::NOT_KNOWN) { @if of.is_empty() { (say::WELL) } @else { (say::TROUBLE) } }
                    @for sentence in &of { p { (sentence) } }
                    @if lamp == Lamp::Schedule && wrong.iter().any(|code| code == "coming-silence") {
                        p { a href="#to-do" { (say::TO_DO) } }
                    }
                    @if lamp == Lamp::Schedule && wrong.iter().any(|code| code == "schedule-broken") {
                        p { a href=(calendar::HERE) { (say::TO_SCHEDULE) } }
                    }
                    @if let Some(newest) = newest.filter(|_| lamp == Lamp::Clock) {
                        p { (say::clock_against_log(now, newest, &plan.schedule.time_zone)) }
                        @if permit(&user.roles, Permission::ConfirmClock) {
                            p { a.button href=(clock::HERE) { (say::TO_CLOCK) } }
                        }
                    }
                }
            }
        }
    }
}

/// The blocks of a day: those that begin in it, and one from the day before that goes on past midnight.
fn blocks_of(plan: &Plan, (from, to): (Timestamp, Timestamp)) -> Vec<(&OutputId, &Block)> {
    plan.timelines
        .iter()
        .flat_map(|timeline| timeline.blocks.iter().map(move |block| (&timeline.output, block)))
        .filter(|(_, block)| from < block.end && block.start < to)
        .collect()
}

/// Today's blocks with what became of their cues, and what else is on record since `midnight`: what sounded out of the
/// schedule, and what is no longer in it, also before midnight where it went on past that.
fn rundown<'a>(
    schedule: &Schedule,
    blocks: &[(&OutputId, &Block)],
    aired: &'a [Airing],
    (midnight, now): (Timestamp, Timestamp),
    may_withdraw: bool,
) -> Markup {
    let of_cue: BTreeMap<_, _> =
        aired.iter().map(|airing| ((&airing.item.output, &airing.item.cue), airing)).collect();
    let shown: BTreeSet<_> = blocks
        .iter()
        .flat_map(|(output, block)| block.cues.iter().map(move |cue| (*output, &cue.id)))
        .collect();
    let ordered = |airing: &Airing| airing.item.cue.block.session.as_str() == INTERRUPT_SESSION;
    let of_today = |airing: &&Airing| midnight <= airing.item.planned;
    let block = |airing: &'a Airing| (&airing.item.output, &airing.item.cue.block);
    let goes_on: BTreeSet<_> =
        aired.iter().filter(of_today).filter(|airing| !ordered(airing)).map(block).collect();
    let besides = |airing: &&'a Airing| {
        (of_today(airing) || goes_on.contains(&block(airing)))
            && !shown.contains(&(&airing.item.output, &airing.item.cue))
    };
    let (on_the_spot, besides): (Vec<_>, Vec<_>) =
        aired.iter().filter(besides).partition(|airing| ordered(airing));
    let notes = Notes { withdraw: may_withdraw, ..Notes::default() };
    html! {
        h2 { (say::TODAY) }
        @if blocks.is_empty() && besides.is_empty() { p { (say::NO_SESSION) } }
        @for (output, block) in blocks {
            @if schedule.outputs.len() > 1 { p.output.quiet { (air::place(schedule, output)) } }
            (session(block, &schedule.time_zone, |cue| of_cue.get(&(*output, cue)).copied(), now, &notes))
        }
        @for (caption, airings) in [(say::OUT_OF_SCHEDULE, on_the_spot), (BESIDES, besides)] {
            @if !airings.is_empty() { (aired_besides(caption, airings, schedule)) }
        }
    }
}
