//! What weekly programmes have for this week and the next, and what they lack.

use std::sync::Arc;

use jiff::civil::{Date, ISOWeekDate};
use jiff::{Timestamp, ToSpan as _};
use maud::{Markup, html};

use super::{address, badge};
use crate::schedule::{Programme, Schedule};
use crate::segment::{Catalog, ProgrammeId, Segment, State as Stand};
use crate::text::order::by_title;
use crate::text::page::capital;
use crate::text::page::recordings as say;
use crate::timeline::plan::Plan;
use crate::timeline::week_of;

/// The weeks that staff work for, from this one on.
pub(super) fn coming(now: Timestamp, schedule: &Schedule, count: i64) -> Vec<ISOWeekDate> {
    let today = schedule.time_zone.to_datetime(now).date();
    (0..count).filter_map(|n| today.checked_add(n.weeks()).ok()).map(Date::iso_week_date).collect()
}

/// Whether two days lie in one week.
fn same(one: ISOWeekDate, other: ISOWeekDate) -> bool {
    (one.year(), one.week()) == (other.year(), other.week())
}

/// What a programme has for a week: of several the one that is nearest to the air.
pub(super) fn piece<'a>(
    catalog: &'a Catalog,
    schedule: &Schedule,
    programme: &Programme,
    week: ISOWeekDate,
) -> Option<&'a Arc<Segment>> {
    catalog
        .of_programme(&programme.id)
        .iter()
        .filter(|segment| {
            segment.state != Stand::Withdrawn && same(week_of(segment, &schedule.time_zone), week)
        })
        .max_by_key(|segment| segment.state)
}

/// What a week's programmes lack before all of them may air.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lacks {
    missing: usize,
    drafts: usize,
    pending: usize,
}

impl Lacks {
    fn of(rows: &[(&Programme, Option<&Arc<Segment>>)]) -> Self {
        let count = |state: Option<Stand>| {
            rows.iter().filter(|(_, piece)| piece.map(|piece| piece.state) == state).count()
        };
        Self { missing: count(None), drafts: count(Some(Stand::Draft)), pending: count(Some(Stand::Pending)) }
    }

    fn said(&self) -> Markup {
        let said = [
            (self.missing, say::missing as fn(usize) -> String),
            (self.drafts, say::drafts),
            (self.pending, say::pending),
        ];
        let said: Vec<_> =
            said.iter().filter(|(count, _)| *count > 0).map(|(count, say)| say(*count)).collect();
        html! {
            @if said.is_empty() { span.whole { (say::WEEK_WHOLE) } } @else {
                span.(if self.missing > 0 { "lacks" } else { "waits" }) { (said.join(", ")) }
            }
        }
    }
}

/// This week and the next.
pub(super) fn section(plan: &Plan, now: Timestamp, may_send: bool) -> Markup {
    let schedule = &plan.schedule;
    let weekly = schedule.programmes.values().filter(|programme| programme.weekly);
    let weekly = by_title(weekly, |programme| &programme.title);
    html! {
        @if !weekly.is_empty() {
            section.weeks {
                h2 { (say::WEEKS) }
                @for (nth, week) in coming(now, schedule, 2).into_iter().enumerate() {
                    @let rows: Vec<_> = weekly.iter().map(|programme| (*programme, piece(&plan.catalog, schedule, programme, week))).collect();
                    @let lacks = Lacks::of(&rows);
                    details.card open[nth == 0 && lacks != Lacks::default()] {
                        summary { strong { (capital(&say::week(week))) } ": " (lacks.said()) }
                        ul { @for (programme, piece) in rows { li {
                            span.name { (programme.title) }
                            @match piece {
                                Some(piece) => { a href=(address(&piece.id)) { (piece.words.title) } (badge(piece.state)) }
                                None => {
                                    span.state.missing { (say::NOT_YET) }
                                    @if let Some(at) = first_slot(plan, programme, week, now) {
                                        span.quiet { (say::airs_next(at, &schedule.time_zone)) }
                                    }
                                    @if may_send {
                                        a.button href=(send_address(&programme.id, week, schedule))
                                            aria-label=(say::send_for(&programme.title, week.week())) { (say::SEND) }
                                    }
                                }
                            }
                        } } }
                    }
                }
            }
        }
    }
}

/// Where a piece for a programme or a pool is handed in; for a week, where it is a weekly programme's.
pub(in crate::web::console) fn send_address(
    id: &ProgrammeId,
    week: ISOWeekDate,
    schedule: &Schedule,
) -> String {
    if schedule.programmes.get(id).is_some_and(|programme| programme.weekly) {
        format!("/ban-ghi/gui?chuyen-muc={id}&tuan={}", monday(week))
    } else {
        format!("/ban-ghi/gui?chuyen-muc={id}")
    }
}

/// The first day of a week.
pub(super) fn monday(week: ISOWeekDate) -> Date {
    let day = week.date();
    day.checked_sub(day.weekday().to_monday_zero_offset().days()).unwrap_or(day)
}

/// When a programme next has its place on the air in a week.
fn first_slot(plan: &Plan, programme: &Programme, week: ISOWeekDate, now: Timestamp) -> Option<Timestamp> {
    let zone = &plan.schedule.time_zone;
    plan.timelines
        .iter()
        .flat_map(|timeline| timeline.cues())
        .filter(|cue| cue.programme.as_ref() == Some(&programme.id) && cue.at > now)
        .map(|cue| cue.at)
        .filter(|at| same(zone.to_datetime(*at).date().iso_week_date(), week))
        .min()
}

/// What is said beside a weekly programme that has nothing for a week.
pub(super) fn remark(plan: &Plan, programme: &Programme, week: ISOWeekDate) -> Option<String> {
    (programme.weekly && piece(&plan.catalog, &plan.schedule, programme, week).is_none())
        .then(|| say::not_yet_for(week.week()))
}
