//! What must be done so that the next days work, the most urgent first, each with the page that does it.

use std::cmp::Reverse;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::calendar::{self, slot_address};
use super::clock;
use super::recordings::{DRAFTS, Drafts, address, send_address};
use super::rehearsal;
use crate::access::{Permission, permit};
use crate::schedule::Play;
use crate::segment::{FileTrouble, Segment, State as Stand};
use crate::sequencer::StandingOrder;
use crate::store::User;
use crate::text;
use crate::text::finding::{Said, of_plan};
use crate::text::page::{capital, date, home as say, names};
use crate::timeline::plan::Plan;
use crate::timeline::{Absence, CueId, Finding, FindingKind, Severity};
use crate::web::api::health::SOON;
use crate::web::{State, air};

/// How far ahead things to do are looked for.
const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What it means that a recording's file is not what was approved.
pub(super) fn broken_means(state: &State, segment: &Segment, trouble: FileTrouble) -> String {
    let means =
        if air::is_kept(state, &segment.id) { say::kept_without_file } else { say::file_broken_means };
    means(trouble, &segment.file)
}

/// The list, for somebody who can do some of it; `users` are all there are, `drafts` their own, and what was `let_go` are
/// emergencies that do not go on; the `newest` instant on record is there where it speaks against the clock.
pub(super) fn to_do(
    state: &State,
    user: &User,
    users: &[User],
    (let_go, drafts): (&[StandingOrder], &Drafts),
    (now, newest): (Timestamp, Option<Timestamp>),
) -> Markup {
    let plan = &state.plan();
    let until = now + AHEAD;
    let today = plan.schedule.time_zone.to_datetime(now).date();
    let matters = |f: &Finding| f.severity > Severity::Note && (now..until).contains(&f.at);
    let mut said = of_plan(plan, matters);
    said.sort_by_key(|said| (Reverse(said.first.severity), said.first.at));
    let urgent = said
        .iter()
        .take_while(|said| said.first.severity == Severity::Error && said.first.at < now + SOON)
        .count();
    let (urgent, later) = said.split_at(urgent);
    let approves = |user: &User| user.revoked.is_none() && permit(&user.roles, Permission::Approve);
    let nobody_approves = !users.iter().any(approves);
    let broken = plan.catalog.troubles();
    let pending = plan.catalog.iter().filter(|segment| segment.state == Stand::Pending).count();
    html! {
        h2 { (say::TO_DO) }
        @if plan.problems.is_empty() && said.is_empty() && pending == 0 && !nobody_approves && drafts.is_empty() && broken.is_empty() && let_go.is_empty() && newest.is_none() {
            p.note.good { (say::NOTHING_TO_DO) }
        } @else {
            ol.to-do {
                @if newest.is_some() {
                    li.bad { strong { (say::CLOCK_IN_DOUBT) } p { (say::CLOCK_IN_DOUBT_MEANS) } (way(user, Permission::ConfirmClock, clock::HERE, say::TO_CLOCK)) }
                }
                // Nothing that is mended below comes into the plan before it.
                @if !plan.problems.is_empty() {
                    li.bad {
                        strong { (say::SCHEDULE_BROKEN) }
                        p { (say::SCHEDULE_BROKEN_MEANS) }
                        p.actions {
                            (way(user, Permission::See, calendar::HERE, say::TO_SCHEDULE)) " "
                            (way(user, Permission::EditSchedule, calendar::HISTORY, text::page::calendar::HISTORY))
                        }
                    }
                }
                @for order in let_go {
                    li.bad {
                        strong { (say::let_go(plan.catalog.get(&order.segment).map(|segment| segment.words.title.as_str()))) }
                        p { (say::let_go_means(&order.by, &date::moment(order.since, &plan.schedule.time_zone))) }
                        (way(user, Permission::CallEmergency, "/phat-ngay", names::AIR))
                    }
                }
                (found(urgent, plan, user, today))
                @if nobody_approves {
                    li.bad { strong { (say::NOBODY_APPROVES) } p { (say::NOBODY_APPROVES_MEANS) } (way(user, Permission::ManageUsers, "/nguoi-dung", names::PEOPLE)) }
                }
                @for (id, trouble) in broken {
                    @if let Some(segment) = plan.catalog.get(id) {
                        li.bad {
                            strong { (say::file_broken(*trouble, &segment.words.title)) }
                            p { (broken_means(state, segment, *trouble)) }
                            (way(user, Permission::HandIn, &address(id), say::TO_MEND))
                        }
                    }
                }
                (own(drafts, user))
                @if pending > 0 {
                    li.warn { strong { (say::pending(pending)) } p { (say::PENDING_MEANS) } (way(user, Permission::Approve, "/duyet", say::TO_APPROVE)) }
                }
                (found(later, plan, user, today))
            }
        }
        p.actions { a.button href=(rehearsal::HERE) { (text::page::rehearsal::TOMORROW) } }
    }
}

/// What the plan lacks.
fn found(said: &[Said<'_>], plan: &Plan, user: &User, today: Date) -> Markup {
    html! {
        @for said in said {
            li.(if said.first.severity == Severity::Error { "bad" } else { "warn" }) {
                strong { (capital(&said.place)) }
                p.quiet { (said.when_said_on(today)) }
                p { (capital(&said.sentence)) }
                (remedy(said.first, plan, user))
            }
        }
    }
}

/// What somebody handed in that waits for themselves, and what was taken from them.
fn own(Drafts { returned, withdrawn, unsent }: &Drafts, user: &User) -> Markup {
    html! {
        @for (segment, event) in withdrawn {
            li.warn {
                strong { (say::withdrawn(&segment.words.title, &event.by)) }
                @if let Some(reason) = &event.reason { p { "“" (reason) "”" } }
                p { (say::WITHDRAWN_MEANS) }
                (way(user, Permission::HandIn, &address(&segment.id), say::TO_MEND))
            }
        }
        @for (segment, event) in returned {
            li.warn {
                strong { (say::returned(&segment.words.title, &event.by)) }
                @if let Some(reason) = &event.reason { p { "“" (reason) "”" } }
                (way(user, Permission::HandIn, &address(&segment.id), say::TO_MEND))
            }
        }
        @if let Some(first) = unsent.first() {
            @let there = if unsent.len() == 1 { address(&first.id) } else { DRAFTS.to_owned() };
            li.warn { strong { (say::drafts(unsent.len())) } p { (say::DRAFTS_MEAN) } (way(user, Permission::HandIn, &there, say::TO_DRAFTS)) }
        }
    }
}

/// The page where a finding is mended, for whom may do that.
fn remedy(finding: &Finding, plan: &Plan, user: &User) -> Markup {
    let week = finding.block.date.iso_week_date();
    match &finding.kind {
        FindingKind::Absent { why: Absence::NotApproved { .. } } => {
            way(user, Permission::Approve, "/duyet", say::TO_APPROVE)
        }
        FindingKind::Absent {
            why:
                Absence::Missing
                | Absence::NotValid { .. }
                | Absence::Withdrawn { .. }
                | Absence::FileBroken { .. },
        }
        | FindingKind::OlderStandsIn { .. } => {
            if let Some(cue) = finding.cue.as_ref().filter(|cue| plays_a_file(plan, cue)) {
                return html! {
                    (way(user, Permission::EditSchedule, &slot_address(&plan.schedule, cue), say::TO_SLOT)) " "
                    (way(user, Permission::HandIn, "/ban-ghi/gui", say::TO_HAND_IN))
                };
            }
            let mut cues = plan.timelines.iter().flat_map(|timeline| timeline.cues());
            let cue = cues.find(|cue| Some(&cue.id) == finding.cue.as_ref());
            let programme = cue.and_then(|cue| cue.programme.as_ref());
            let address =
                programme.map_or_else(|| "/ban-ghi".to_owned(), |id| send_address(id, week, &plan.schedule));
            way(user, Permission::HandIn, &address, say::TO_HAND_IN)
        }
        FindingKind::PoolTooSmall { pool } => {
            way(user, Permission::HandIn, &send_address(pool, week, &plan.schedule), say::TO_HAND_IN)
        }
        FindingKind::Absent {
            why:
                Absence::NoMusic
                | Absence::NoRoom
                | Absence::QuietHours
                | Absence::AgainstTheRules
                | Absence::NothingToRepeat
                | Absence::NoOrigin
                | Absence::TurnOver,
        }
        | FindingKind::LongerThanPlanned { .. }
        | FindingKind::CutShort { .. }
        | FindingKind::Gap { .. }
        | FindingKind::EndsEarly { .. }
        | FindingKind::SkippedLocalTime { .. }
        | FindingKind::RepeatedLocalTime
        | FindingKind::LeftOut { .. }
        | FindingKind::CutByNextSession { .. }
        | FindingKind::SessionTooLong
        | FindingKind::TooManySessions
        | FindingKind::WeekdayNotAllowed
        | FindingKind::InQuietHours => {
            let address = format!("/lich-phat?tuan={:04}-W{:02}", week.year(), week.week());
            way(user, Permission::EditSchedule, &address, say::TO_SCHEDULE)
        }
    }
}

/// Whether a cue plays one file, whatever else is handed in.
fn plays_a_file(plan: &Plan, cue: &CueId) -> bool {
    let play = plan.schedule.plays_on(cue.block.date, &cue.block.session, &cue.slot);
    matches!(play, Some(Play::File(_)))
}

fn way(user: &User, needed: Permission, address: &str, label: &str) -> Markup {
    html! { @if permit(&user.roles, needed) { a.button href=(address) { (label) } } }
}
