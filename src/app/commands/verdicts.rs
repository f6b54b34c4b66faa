//! `segment approve` and `segment withdraw`: who lets a recording on the air, and who takes it off.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::bail;
use jiff::Timestamp;

use super::people::ORIGIN;
use super::recordings::schedule_of;
use super::say;
use crate::access::{OwnWork, Permission, Role, is_same_person, may_approve, permit};
use crate::app::cli::Verdict;
use crate::app::exit::Exit;
use crate::app::station::Station;
use crate::clock::Clock;
use crate::media::library::look_at;
use crate::segment::{Segment, SegmentId, State};
use crate::store::{Act, Step, Store, thrown_away};
use crate::text::console;

/// Lets a recording air; one that may already, may.
pub(super) fn approve(
    station: &Station,
    store: &Store,
    clock: &Arc<dyn Clock>,
    Verdict { segment, by, .. }: &Verdict,
) -> anyhow::Result<Exit> {
    let segment = find(store, segment)?;
    if let Some(why) = against(station, store, &segment, by)? {
        say(&console::not_approved(&segment, &why))?;
        return Ok(Exit::Failed);
    }
    match &segment.approval {
        Some(approval) => say(&console::approved_before(&segment, approval))?,
        None => say(&console::approved(&let_air(store, clock, &segment, by)?))?,
    }
    Ok(Exit::Fine)
}

/// What is against a recording's approval.
fn against(station: &Station, store: &Store, segment: &Segment, by: &str) -> anyhow::Result<Option<String>> {
    if segment.state == State::Withdrawn {
        let thrown_away = thrown_away(segment, &store.segment_events(&segment.id)?);
        let why = if thrown_away { console::THROWN_AWAY } else { console::WITHDRAWN_FOR_GOOD };
        return Ok(Some(why.to_owned()));
    }
    if let (_, Some(trouble)) = look_at(&station.audio(), segment, None) {
        return Ok(Some(console::cannot_air(segment, trouble)));
    }
    against_approver(station, store, segment, by)
}

/// What is against somebody's approving a recording. The technician need not be known to the station; whoever is, is held
/// to what they may.
pub(super) fn against_approver(
    station: &Station,
    store: &Store,
    segment: &Segment,
    by: &str,
) -> anyhow::Result<Option<String>> {
    let roles = match store.known_as(by)? {
        Some(user) if user.revoked.is_some() => return Ok(Some(console::let_go(by))),
        Some(user) if !permit(&user.roles, Permission::Approve) => return Ok(Some(console::no_approver(by))),
        Some(user) => user.roles,
        None => BTreeSet::from([Role::Approver]),
    };
    let may = |own_work| may_approve(&roles, by, &segment.added_by, own_work);
    let own_work_may = || schedule_of(station).is_some_and(|schedule| schedule.rules.approve_own_work);
    let may = may(OwnWork::NeedsAnother) || (own_work_may() && may(OwnWork::MayApprove));
    Ok((!may).then(|| console::own_work(by)))
}

pub(super) fn let_air(
    store: &Store,
    clock: &Arc<dyn Clock>,
    segment: &Segment,
    by: &str,
) -> anyhow::Result<Segment> {
    let now = clock.now();
    if segment.state == State::Draft {
        store.step_segment(&segment.id, Step::Submit, by, now)?;
    }
    let step = Step::Approve { hash: segment.hash, seen: None };
    Ok(store.step_as(&segment.id, step, act("segment.approve", segment, by, now))?)
}

/// What somebody did here with a recording, for the record of acts.
fn act(what: &str, segment: &Segment, by: &str, at: Timestamp) -> Act {
    Act {
        at,
        by: by.to_owned(),
        what: what.to_owned(),
        subject: segment.id.to_string(),
        title: None,
        origin: ORIGIN.to_owned(),
    }
}

/// Takes a recording off the air, also in the name of somebody whom the station does not know: wrong words wait for no
/// account. Whoever has one is held to what they may.
pub(super) fn withdraw(
    store: &Store,
    clock: &Arc<dyn Clock>,
    Verdict { segment, by, reason }: &Verdict,
) -> anyhow::Result<Exit> {
    let segment = find(store, segment)?;
    if segment.state == State::Withdrawn && !thrown_away(&segment, &store.segment_events(&segment.id)?) {
        say(&console::withdrawn_before(&segment))?;
        return Ok(Exit::Fine);
    }
    if let Some(why) = against_withdrawal(store, &segment, by)? {
        say(&console::not_withdrawn(&segment, &why))?;
        return Ok(Exit::Failed);
    }
    let step = Step::Withdraw { reason: reason.clone().unwrap_or_default() };
    let act = act("segment.withdraw", &segment, by, clock.now());
    say(&console::withdrawn(&store.step_as(&segment.id, step, act)?))?;
    Ok(Exit::Fine)
}

/// What is against somebody's withdrawing a recording.
fn against_withdrawal(store: &Store, segment: &Segment, by: &str) -> anyhow::Result<Option<String>> {
    let Some(user) = store.known_as(by)? else { return Ok(None) };
    let is_own_draft = segment.state == State::Draft
        && is_same_person(&segment.added_by, by)
        && permit(&user.roles, Permission::HandIn);
    Ok(if user.revoked.is_some() {
        Some(console::withdrawer_let_go(by))
    } else {
        (!is_own_draft && !permit(&user.roles, Permission::Withdraw)).then(|| console::no_withdrawer(by))
    })
}

/// A segment by its id or its file's name.
fn find(store: &Store, name: &str) -> anyhow::Result<Segment> {
    if let Some(segment) = store.segment(&SegmentId::from(name))? {
        return Ok(segment);
    }
    let catalog = store.catalog()?;
    match catalog.by_file(name) {
        Some(segment) => Ok(segment.as_ref().clone()),
        None => bail!("{}", console::no_recording(name)),
    }
}
