//! Nhật ký: what aired, against what was planned.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State as Of;
use axum::response::Html;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use maud::{Markup, html};

use super::acts;
use super::air::place;
use super::form::{Fields, Query, Sent, in_words};
use super::page::{Failure, key, page};
use super::recordings::withdraw_link;
use super::rundown::class;
use super::visitor::Visitor;
use crate::access::{Permission, permit};
use crate::asrun::{Airing, Outcome, OutcomeKind};
use crate::schedule::{OutputId, Schedule};
use crate::segment::{ProgrammeId, Segment, State as Stand};
use crate::store::{AiringFilter, searchable};
use crate::text;
use crate::text::http::Refusal;
use crate::text::order::by_title;
use crate::text::outcome::{
    LOG_COLUMNS, OUT_OF_SCHEDULE, log_line, log_line_now, outcome_kind, outcome_now, session,
};
use crate::text::page::log::{self as say, Count};
use crate::text::page::names;
use crate::timeline::INTERRUPT_SESSION;
use crate::timeline::plan::Plan;
use crate::web::State;
use crate::web::api::airings::walk;
use crate::web::input::start_of;
use crate::web::person::ReadLog;

/// The page's address.
pub(super) const HERE: &str = "/nhat-ky";
/// A start beyond this is not as planned.
const ON_TIME: SignedDuration = SignedDuration::from_secs(1);

/// A day as an address asks for it; today where it does not.
pub(super) fn asked_day(state: &State, asked: &Fields, field: &str) -> Result<Date, Refusal> {
    let today = state.today();
    match asked.one(field) {
        "" => Ok(today),
        text => text.parse().map_err(|_| Refusal::BadField { field: field.to_owned() }),
    }
}

/// What the log has from one day to another, both included.
pub(super) fn between(from: Date, to: Date, zone: &TimeZone) -> Result<AiringFilter, Refusal> {
    let wrong = || Refusal::BadField { field: "day".to_owned() };
    let next = to.checked_add(1.day()).map_err(|_| wrong())?;
    let (from, to) = start_of(from, zone).zip(start_of(next, zone)).ok_or_else(wrong)?;
    Ok(AiringFilter { from: Some(from), to: Some(to), ..AiringFilter::default() })
}

/// What of a day is shown.
pub(super) struct Wanted<'a> {
    output: &'a str,
    programme: &'a str,
    outcome: &'a str,
    deviated: bool,
    text: &'a str,
}

impl<'a> Wanted<'a> {
    pub(super) fn of(asked: &'a Fields) -> Self {
        Self {
            output: asked.one("output"),
            programme: asked.one("programme"),
            outcome: asked.one("outcome"),
            deviated: !asked.one("deviated").is_empty(),
            text: asked.one("text"),
        }
    }

    fn is_all(&self) -> bool {
        [self.output, self.programme, self.outcome, self.text].iter().all(|part| part.is_empty())
            && !self.deviated
    }

    pub(super) fn has(&self, airing: &Airing) -> bool {
        let item = &airing.item;
        let is = |wanted: &str, found: Option<&str>| wanted.is_empty() || found == Some(wanted);
        is(self.output, Some(item.output.as_str()))
            && is(self.programme, item.programme.as_ref().map(ProgrammeId::as_str))
            && is(self.outcome, Some(airing.outcome().kind().code()))
            && (!self.deviated || deviates(airing))
            && searchable(self.text).split(' ').all(|word| words(airing).contains(word))
    }
}

/// Everything that is said of an airing, as it is searched.
fn words(airing: &Airing) -> String {
    let piece = airing.item.segment.as_ref();
    let parts = [
        Some(airing.item.title.as_str()),
        piece.map(|piece| piece.title.as_str()),
        piece.and_then(|piece| piece.author.as_deref()),
        piece.and_then(|piece| piece.source.as_deref()),
        airing.item.ordered_by.as_deref(),
    ];
    searchable(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// Whether it was not as planned: not whole, not on time, or not planned at all.
fn deviates(airing: &Airing) -> bool {
    is_extra(airing)
        || !matches!(airing.outcome(), Outcome::Aired | Outcome::OnAir)
        || airing.lateness().is_some_and(|late| late.abs() >= ON_TIME)
}

/// Whether a person ordered it, out of the schedule.
fn is_extra(airing: &Airing) -> bool {
    airing.item.cue.block.session.as_str() == INTERRUPT_SESSION
}

/// A day in numbers, with what is still to come.
fn count_day(state: &State, day: &AiringFilter, airings: &[Airing]) -> Count {
    let (plan, now) = (state.plan(), state.clock.now());
    let mut count = count(airings, now);
    let known: BTreeSet<_> = airings.iter().map(|airing| (&airing.item.output, &airing.item.cue)).collect();
    let of_day = |at: Timestamp| day.from.is_none_or(|from| from <= at) && day.to.is_none_or(|to| at < to);
    let cues = plan.timelines.iter().flat_map(|timeline| timeline.cues().map(|cue| (&timeline.output, cue)));
    count.to_come += cues
        .filter(|(output, cue)| {
            of_day(cue.at) && now < cue.given_up_at() && !known.contains(&(*output, &cue.id))
        })
        .count();
    count
}

/// What the log has, in numbers.
fn count<'a>(airings: impl IntoIterator<Item = &'a Airing>, now: Timestamp) -> Count {
    let mut count = Count::default();
    for airing in airings {
        count.heard += airing.heard();
        if is_extra(airing) {
            count.ordered += 1;
            continue;
        }
        if airing.is_about_to_begin(now) {
            count.to_come += 1;
            continue;
        }
        count.planned += 1;
        match airing.outcome().kind() {
            OutcomeKind::OnAir => count.on_air += 1,
            OutcomeKind::Aired => count.aired += 1,
            OutcomeKind::Partly => count.partly += 1,
            OutcomeKind::Withdrawn => count.withdrawn += 1,
            OutcomeKind::NotAired => count.not_aired += 1,
        }
    }
    count
}

/// A day of the log.
pub(super) async fn day(
    visitor: Visitor<ReadLog>,
    Of(state): Of<State>,
    Query(asked): Query,
) -> Result<Html<String>, Failure> {
    let plan = state.plan();
    let zone = &plan.schedule.time_zone;
    let day = asked_day(&state, &asked, "day")?;
    let filter = between(day, day, zone)?;
    let read = filter.clone();
    let airings = state.store.run(move |store| store.airings(&read)).await?.airings;
    let wanted = Wanted::of(&asked);
    let shown: Vec<_> = airings.iter().filter(|airing| wanted.has(airing)).collect();
    let may = |permission| permit(&visitor.person.user().roles, permission);
    let content = html! {
        (days(day))
        details.fold {
            summary { (say::TOOLS) @if !wanted.is_all() { " " span.chosen { (in_force(&plan.schedule, &wanted)) } } }
            div.tools {
                div.actions {
                    a.button href={ (HERE) "/in?day=" (day) } { (say::PRINT) }
                    @if may(Permission::ReadActs) { a.button href=(acts::HERE) { (say::ACTS) } }
                }
                (choices(&plan.schedule, &airings, &wanted, day))
                (export_form(day, &wanted))
            }
        }
        section #log data-live {
            p.summary {
                @if wanted.is_all() { (say::summary(&count_day(&state, &filter, &airings))) }
                @else { (say::summary_filtered(&count(shown.iter().copied(), state.clock.now()))) }
            }
            @if shown.is_empty() {
                p.note { (if airings.is_empty() { say::EMPTY } else { say::NONE_SUCH }) }
            } @else {
                div.wide tabindex="0" role="region" aria-label=(names::LOG) { (table(&shown, &plan, state.clock.now(), may(Permission::Withdraw))) }
            }
        }
        form method="post" action={ (HERE) "/kiem-tra" } {
            (key(&visitor))
            p.quiet { (say::VERIFY_MEANS) }
            button { (say::VERIFY) }
        }
    };
    Ok(page(&state, &visitor, HERE, names::LOG, &content))
}

/// From day to day.
fn days(day: Date) -> Markup {
    let near = |days: i64| day.checked_add(days.days()).ok();
    html! {
        form.days action=(HERE) {
            h2 { (say::sheet_day(day)) }
            @if let Some(before) = near(-1) { a.button href={ (HERE) "?day=" (before) } { (say::BEFORE) } }
            a.button href=(HERE) { (say::TODAY) }
            @if let Some(after) = near(1) { a.button href={ (HERE) "?day=" (after) } { (say::AFTER) } }
            label { (say::DAY) input type="date" name="day" value=(day) required; }
            button { (say::SHOW) }
        }
    }
}

/// The filter, in words.
fn in_force(schedule: &Schedule, wanted: &Wanted<'_>) -> String {
    let kind = OutcomeKind::ALL.into_iter().find(|kind| kind.code() == wanted.outcome);
    let programme =
        || schedule.programme_title(&ProgrammeId::new(wanted.programme)).unwrap_or(wanted.programme);
    say::in_force(
        &[
            (
                say::OUTPUT,
                (!wanted.output.is_empty()).then(|| place(schedule, &OutputId::new(wanted.output))),
            ),
            (say::PROGRAMME, (!wanted.programme.is_empty()).then(|| programme().to_owned())),
            (say::OUTCOME, kind.map(|kind| outcome_kind(kind).to_owned())),
            (say::WORDS, (!wanted.text.is_empty()).then(|| wanted.text.to_owned())),
        ],
        wanted.deviated,
    )
}

/// What of the day is shown.
fn choices(schedule: &Schedule, airings: &[Airing], wanted: &Wanted<'_>, day: Date) -> Markup {
    let known: BTreeSet<&ProgrammeId> =
        airings.iter().filter_map(|airing| airing.item.programme.as_ref()).collect();
    let title = |id: &ProgrammeId| schedule.programme_title(id).unwrap_or(id.as_str()).to_owned();
    let programmes = known.into_iter().map(|id| (id.to_string(), title(id)));
    let programmes = by_title(programmes, |(_, title)| title);
    let select = |label: &str, name: &str, chosen: &str, options: Vec<(String, String)>| {
        html! {
            label { (label)
                select name=(name) {
                    option value="" { (say::ALL) }
                    @for (value, title) in options { option value=(value) selected[value == chosen] { (title) } }
                }
            }
        }
    };
    let outputs =
        || schedule.outputs.iter().map(|output| (output.id.to_string(), place(schedule, &output.id)));
    let outcomes = OutcomeKind::ALL.map(|kind| (kind.code().to_owned(), outcome_kind(kind).to_owned()));
    html! {
        details.card open[!wanted.is_all()] {
            summary { (say::FILTER) }
            form.filter action=(HERE) {
                input type="hidden" name="day" value=(day);
                @if schedule.outputs.len() > 1 {
                    (select(say::OUTPUT, "output", wanted.output, outputs().collect()))
                }
                (select(say::PROGRAMME, "programme", wanted.programme, programmes))
                (select(say::OUTCOME, "outcome", wanted.outcome, outcomes.to_vec()))
                label { (say::TEXT) input type="search" name="text" value=(wanted.text); }
                label.box {
                    input type="checkbox" name="deviated" value="1" checked[wanted.deviated];
                    span { (say::DEVIATED) }
                }
                div.actions {
                    button.main { (say::FILTER) }
                    a.button href={ (HERE) "?day=" (day) } { (say::NO_FILTER) }
                }
            }
        }
    }
}

/// The airings session by session, in each by time: outputs take turns from line to line. What was ordered stands where it
/// came between.
fn by_session<'a>(airings: &[&'a Airing]) -> Vec<&'a Airing> {
    let (mut first, mut place) = (BTreeMap::new(), 0);
    let mut rows = Vec::new();
    for (nth, airing) in airings.iter().enumerate() {
        if !is_extra(airing) {
            place = *first.entry(&airing.item.cue.block).or_insert(nth);
        }
        rows.push((place, *airing));
    }
    rows.sort_by_key(|(place, _)| *place);
    rows.into_iter().map(|(_, airing)| airing).collect()
}

fn table(airings: &[&Airing], plan: &Plan, now: Timestamp, may_withdraw: bool) -> Markup {
    let schedule = &plan.schedule;
    // What may still sound: as it stands now, not as it was then.
    let at_large = |airing: &Airing| {
        let piece = airing.item.segment.as_ref().filter(|_| may_withdraw)?;
        plan.catalog.get(&piece.id).filter(|segment| segment.state != Stand::Withdrawn)
    };
    let mut before = None;
    let mut opens = |airing: &Airing| {
        let block = Some(airing.item.cue.block.clone());
        !is_extra(airing) && std::mem::replace(&mut before, block.clone()) != block
    };
    let rows: Vec<_> = by_session(airings).into_iter().map(|airing| (opens(airing), airing)).collect();
    html! {
        table.log {
            thead { tr { @for head in say::COLUMNS { th scope="col" { (head) } } } }
            tbody {
                @for (opens, airing) in rows {
                    @if opens {
                        tr.group { th colspan="6" scope="colgroup" { (session(Some(schedule), airing)) } }
                    }
                    (row(airing, schedule, now, at_large(airing).map(|segment| &**segment)))
                }
            }
        }
    }
}

/// A line; of what may be withdrawn, with the way there.
fn row(airing: &Airing, schedule: &Schedule, now: Timestamp, withdraw: Option<&Segment>) -> Markup {
    let item = &airing.item;
    let outcome = airing.outcome();
    let [_, _, _, planned, started, ended, late, title, .., remark, _] =
        log_line(0, "", airing, &schedule.time_zone);
    let off = airing.lateness().is_some_and(|late| late.abs() >= ON_TIME);
    let programme = item.programme.as_ref().and_then(|id| schedule.programmes.get(id));
    let approved = item.segment.as_ref().and_then(|piece| piece.approval.as_ref());
    let real = html! {
        @if !started.is_empty() { time { (started) } @if !ended.is_empty() { " – " time { (ended) } } }
    };
    let who = html! {
        @if let Some(by) = &item.ordered_by { (say::ORDERED) ": " strong { (by) } br; }
        @if let Some(approved) = approved { (say::APPROVED) ": " (approved.by) }
    };
    html! {
        tr.extra[is_extra(airing)] {
            td {
                time { (planned) }
                @if !started.is_empty() { small.narrow { (say::REALLY) " " (real) " (" (late) " s)" } }
            }
            td { (real) }
            td.off[off] { (late) }
            td data-extra=[is_extra(airing).then_some(OUT_OF_SCHEDULE)] {
                (title)
                @if item.title != title { small { (item.title) } }
                @if let Some(programme) = programme { @if programme.title != item.title { small { (programme.title) } } }
                @if schedule.outputs.len() > 1 { small { (place(schedule, &item.output)) } }
                @if let Some(segment) = withdraw { " " (withdraw_link(segment, None)) }
                small.narrow { (who) }
            }
            td { span.result.(class(&outcome)) { (outcome_now(airing, now)) } @if !remark.is_empty() { small { (remark) } } }
            td { (who) }
        }
    }
}

/// A day as it is printed and signed.
pub(super) async fn sheet(
    visitor: Visitor<ReadLog>,
    Of(state): Of<State>,
    Query(asked): Query,
) -> Result<Html<String>, Failure> {
    let (plan, now) = (state.plan(), state.clock.now());
    let (schedule, zone) = (&plan.schedule, &plan.schedule.time_zone);
    let day = asked_day(&state, &asked, "day")?;
    let filter = between(day, day, zone)?;
    let read = filter.clone();
    let airings = state.store.run(move |store| store.airings(&read)).await?.airings;
    let cell = |line: &[String; 19], column: usize| line.get(column).cloned().unwrap_or_default();
    let line = |(number, airing): (usize, &Airing)| {
        let line = log_line_now(number, session(Some(schedule), airing), airing, zone, now);
        html! { tr { @for column in say::ON_PAPER { td { (cell(&line, column)) } } } }
    };
    let mut others: Vec<_> = (1..).zip(&airings).map(line).collect();
    let last = others.pop();
    let content = html! {
        div.actions {
            button.main hidden data-print { (say::PRINT_NOW) }
            a.button href={ (HERE) "?day=" (day) } { (say::BACK) }
        }
        div.logbook {
            p { strong { (schedule.name) } }
            h2.centre { (say::SHEET) }
            p.centre { (say::sheet_day(day)) }
            div.wide tabindex="0" role="region" aria-label=(say::PRINT) { table {
                colgroup { @for column in say::ON_PAPER { col.{ "of-" (column) }; } }
                thead { tr { @for column in say::ON_PAPER {
                    th scope="col" { (LOG_COLUMNS.get(column).copied().unwrap_or_default()) }
                } } }
                tbody { @for line in others { (line) } }
                // The last line and the signatures are not parted.
                tbody.end {
                    @if let Some(line) = last { (line) }
                    tr { td.foot colspan=(say::ON_PAPER.len()) {
                        @if airings.is_empty() { p { (say::EMPTY) } }
                        p { (say::summary(&count_day(&state, &filter, &airings))) }
                        p.quiet { (say::printed(now, zone)) }
                        div.signatures {
                            @for who in [say::ON_DUTY, say::IN_CHARGE] { div { strong { (who) } (say::SIGN) } }
                        }
                    } }
                }
            } }
        }
    };
    Ok(page(&state, &visitor, HERE, say::PRINT, &content))
}

/// Takes a stretch home, of it what is looked at.
fn export_form(day: Date, wanted: &Wanted<'_>) -> Markup {
    let filter = [
        ("output", wanted.output),
        ("programme", wanted.programme),
        ("outcome", wanted.outcome),
        ("text", wanted.text),
        ("deviated", if wanted.deviated { "1" } else { "" }),
    ];
    let first = day.first_of_month();
    html! {
        details.card {
            summary { (say::EXPORT) }
            form.export action={ (HERE) "/tai-ve" } {
                div.range {
                    label { (say::FROM) input type="date" name="from" value=(first) required; (in_words(&first.to_string())) }
                    label { (say::TO) input type="date" name="to" value=(day) required; (in_words(&day.to_string())) }
                }
                div.actions {
                    button.main name="format" value="xlsx" { (say::XLSX) }
                    button name="format" value="csv" { (say::CSV) }
                }
                @for (name, value) in filter { @if !value.is_empty() { input type="hidden" name=(name) value=(value); } }
                @if !wanted.is_all() { p.note { (say::EXPORT_FILTERED) } }
                p.quiet { (say::EXPORT_MEANS) }
            }
        }
    }
}

/// Says whether the log is what was written.
pub(super) async fn verify(
    Of(state): Of<State>,
    Sent { visitor, .. }: Sent<ReadLog>,
) -> Result<Html<String>, Failure> {
    let verdict = walk(&state, &visitor.person).await?;
    let content = html! {
        @if verdict.is_sound() {
            p.note.good { (text::console::log(&verdict)) }
        } @else {
            p.note.bad role="alert" { (text::console::log(&verdict)) }
        }
        p { a.button href=(HERE) { (say::BACK) } }
    };
    Ok(page(&state, &visitor, HERE, say::VERIFIED, &content))
}
