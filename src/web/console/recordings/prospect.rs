//! What approving a recording comes to: when it would air, in the place of what, or why not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::{Date, ISOWeekDate};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::programme_title;
use crate::segment::{Catalog, Segment, SegmentId, State as Stand};
use crate::store::{Store, StoreError};
use crate::text::page::date;
use crate::text::page::recordings::{approve as say, no_place};
use crate::timeline::plan::Plan;
use crate::timeline::{Cue, CueId, History, Timeline, compile, week_of};

/// For how many recordings of a page it is looked up when they would air alone: a week is planned anew for each.
const LOOKED_AT_ALONE: usize = 20;
/// The next days, as the pages call them: seven.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What a forecast is made from.
#[derive(Debug)]
pub(super) struct Outlook {
    /// The plan in force, with the recordings as they are now.
    plan: Plan,
    /// What is on record of each of its timelines: what is under way stays as it began, and a repeat has what aired.
    histories: Vec<History>,
    now: Timestamp,
}

impl Outlook {
    /// With the recordings freshly read: the plan may not have heard of what came a moment ago.
    pub(super) fn read(store: &Store, plan: &Plan, now: Timestamp) -> Result<Self, StoreError> {
        let catalog = Arc::new(store.catalog()?.with_troubles(plan.catalog.troubles().clone()));
        let history = |timeline: &Arc<Timeline>| store.history(&timeline.output, timeline.window);
        let histories = plan.timelines.iter().map(history).collect::<Result<_, _>>()?;
        Ok(Self { plan: Plan { catalog, ..Plan::clone(plan) }, histories, now })
    }

    /// The recordings.
    pub(super) fn catalog(&self) -> &Catalog {
        &self.plan.catalog
    }
}

/// What would come of it if something that waits were approved.
#[derive(Debug)]
pub(super) struct Prospect {
    due: Due,
    /// What airs now and would not then, by when it would have first.
    pushes_out: Vec<PushedOut>,
}

impl Prospect {
    /// When it would air first, where it would.
    pub(super) fn at(&self) -> Option<Timestamp> {
        match self.due {
            Due::Approved(at) | Due::Alone(at) => Some(at),
            Due::NotSoon(_) | Due::Unknown => None,
        }
    }

    /// In words.
    pub(super) fn said(&self, zone: &TimeZone) -> Markup {
        html! {
            p.due { (self.due.said(zone)) }
            @for PushedOut { title, at, more } in &self.pushes_out {
                p.note { (say::pushes_out(title, &date::moment(*at, zone), *more)) }
            }
        }
    }
}

/// When something that waits for approval would air first.
#[derive(Debug)]
enum Due {
    /// Once it is approved.
    Approved(Timestamp),
    /// If of all that waits it alone is approved; otherwise something else that waits airs there in its place.
    Alone(Timestamp),
    /// Not in the next days; and why, where that is not said elsewhere.
    NotSoon(Option<Hindrance>),
    /// It was not looked up.
    Unknown,
}

impl Due {
    fn said(&self, zone: &TimeZone) -> String {
        match self {
            Self::Approved(at) => say::would_air(&date::moment(*at, zone)),
            Self::Alone(at) => say::would_air_alone(&date::moment(*at, zone)),
            Self::NotSoon(Some(Hindrance::AtHand)) => no_place::AT_HAND.to_owned(),
            Self::NotSoon(Some(why)) => say::would_not_air(&why.said()),
            Self::NotSoon(None) => say::NOT_SOON.to_owned(),
            Self::Unknown => say::NOT_LOOKED_UP.to_owned(),
        }
    }
}

/// An approved recording that loses its place.
#[derive(Debug)]
struct PushedOut {
    title: String,
    /// When it would have aired first.
    at: Timestamp,
    /// How often besides, in the next days.
    more: usize,
}

/// Why a recording of a programme has no place in the next days.
#[derive(Debug)]
pub(super) enum Hindrance {
    /// None: its programme is in no session, and is kept at hand for when a person takes the air.
    AtHand,
    /// Its programme is in no session.
    NoSlot { programme: String },
    /// On none of the days it is for.
    OtherDays { from: Option<Date>, until: Option<Date> },
    /// It is for a week of which none of these sessions is.
    OtherWeek(ISOWeekDate),
    /// This newer one has the place.
    Newer { title: String },
}

impl Hindrance {
    /// A part of a sentence.
    pub(super) fn said(&self) -> String {
        match self {
            Self::AtHand => no_place::AT_HAND.to_owned(),
            Self::NoSlot { programme } => no_place::no_slot(programme),
            Self::OtherDays { from, until } => no_place::other_days(*from, *until),
            Self::OtherWeek(week) => no_place::other_week(*week),
            Self::Newer { title } => no_place::newer(title),
        }
    }
}

/// What approving each of these, which wait, would come to.
pub(super) fn prospects<'a>(
    outlook: &Outlook,
    waiting: impl IntoIterator<Item = &'a Segment>,
) -> BTreeMap<SegmentId, Prospect> {
    let plan = &outlook.plan;
    let (as_it_is, with_all) = (timelines(outlook, |_| false), timelines(outlook, |_| true));
    let first = first_airings(&with_all);
    let mut left = LOOKED_AT_ALONE;
    let mut prospect = |segment: &Segment| {
        let all = first.get(&segment.id).copied();
        let not_soon = |with: &[Timeline]| Due::NotSoon(hindrance(segment, outlook, with));
        // What belongs nowhere, and what has a broken file, airs in no plan.
        let airs_nowhere =
            segment.words.programme.is_none() || plan.catalog.troubles().contains_key(&segment.id);
        if airs_nowhere || !has_rival(plan, segment) {
            let due = all.map_or_else(|| not_soon(&with_all), Due::Approved);
            return Prospect { due, pushes_out: pushed_out(segment, outlook, &as_it_is, &with_all) };
        }
        let Some(fewer) = left.checked_sub(1) else {
            return Prospect { due: all.map_or(Due::Unknown, Due::Approved), pushes_out: Vec::new() };
        };
        left = fewer;
        let with_it = timelines(outlook, |other| other.id == segment.id);
        let alone = airings(&with_it, segment).min_by_key(|cue| cue.at);
        // What else waits may move it by seconds within its session, and takes nothing from it by that.
        let keeps = |slot: &CueId| {
            airings(&with_all, segment).any(|cue| (&cue.id.block, &cue.id.slot) == (&slot.block, &slot.slot))
        };
        let due = match (alone, all) {
            (Some(alone), Some(all)) if keeps(&alone.id) => Due::Approved(all),
            (Some(alone), _) => Due::Alone(alone.at),
            (None, Some(all)) => Due::Approved(all),
            (None, None) => not_soon(&with_it),
        };
        Prospect { due, pushes_out: pushed_out(segment, outlook, &as_it_is, &with_it) }
    };
    waiting.into_iter().map(|segment| (segment.id.clone(), prospect(segment))).collect()
}

/// Whether something else of its programme waits too, and may keep it from where it would air alone.
fn has_rival(plan: &Plan, segment: &Segment) -> bool {
    plan.catalog.iter().any(|other| {
        other.state == Stand::Pending
            && other.id != segment.id
            && other.words.programme == segment.words.programme
    })
}

/// What is still to come, as it would be if these of what waits for approval had it. What has a broken file does not air.
pub(super) fn timelines(outlook: &Outlook, is_approved: impl Fn(&Segment) -> bool) -> Vec<Timeline> {
    let Outlook { plan, histories, now } = outlook;
    let approved = |segment: &Arc<Segment>| {
        let mut segment = Segment::clone(segment);
        if segment.state == Stand::Pending && is_approved(&segment) {
            segment.state = Stand::Approved;
        }
        segment
    };
    let catalog: Catalog = plan.catalog.iter().map(approved).collect();
    let catalog = catalog.with_troubles(plan.catalog.troubles().clone());
    let compiled = |(timeline, history): (&Arc<Timeline>, &History)| {
        let mut timeline = compile(&plan.schedule, &catalog, history, &timeline.output, timeline.window);
        for block in &mut timeline.blocks {
            block.cues.retain(|cue| cue.at >= *now);
        }
        timeline
    };
    plan.timelines.iter().zip(histories).map(compiled).collect()
}

fn cues(timelines: &[Timeline]) -> impl Iterator<Item = &Arc<Cue>> {
    timelines.iter().flat_map(Timeline::cues)
}

/// Where this one airs.
fn airings<'a>(timelines: &'a [Timeline], segment: &'a Segment) -> impl Iterator<Item = &'a Arc<Cue>> {
    cues(timelines).filter(|cue| cue.segment().is_some_and(|airs| airs.id == segment.id))
}

/// When each recording airs first.
pub(super) fn first_airings(timelines: &[Timeline]) -> BTreeMap<SegmentId, Timestamp> {
    let mut first = BTreeMap::new();
    for cue in cues(timelines) {
        if let Some(segment) = cue.segment() {
            let at = first.entry(segment.id.clone()).or_insert(cue.at);
            *at = cue.at.min(*at);
        }
    }
    first
}

/// What airs, as it is, where this one, of the same programme, would then.
fn pushed_out(
    segment: &Segment,
    outlook: &Outlook,
    as_it_is: &[Timeline],
    then: &[Timeline],
) -> Vec<PushedOut> {
    let schedule = &outlook.plan.schedule;
    // Of what a programme plays all, or a pool in turn, nothing takes the place of another for good.
    let one_at_a_time = |id| schedule.programmes.contains_key(id) && !schedule.plays_all_of(id);
    let Some(id) = segment.words.programme.as_ref().filter(|id| one_at_a_time(id)) else {
        return Vec::new();
    };
    let taken: BTreeSet<&CueId> = airings(then, segment).map(|cue| &cue.id).collect();
    // Several outputs play it at once.
    let mut lost: BTreeMap<&SegmentId, (&str, BTreeSet<Timestamp>)> = BTreeMap::new();
    for cue in cues(as_it_is).filter(|cue| taken.contains(&cue.id)) {
        let airs =
            cue.segment().filter(|airs| airs.id != segment.id && airs.words.programme.as_ref() == Some(id));
        if let Some(airs) = airs {
            lost.entry(&airs.id).or_insert((&airs.words.title, BTreeSet::new())).1.insert(cue.at);
        }
    }
    // The plan reaches further than the days of which this speaks.
    let counted_until = outlook.now + SOON;
    let told = |(title, times): (&str, BTreeSet<Timestamp>)| {
        let more = times.iter().skip(1).filter(|at| **at < counted_until).count();
        Some(PushedOut { title: title.to_owned(), at: *times.first()?, more })
    };
    let mut pushed_out: Vec<_> = lost.into_values().filter_map(told).collect();
    pushed_out.sort_by_key(|lost| lost.at);
    pushed_out
}

/// Why a recording has no place in timelines in which it was approved. That it has no programme, that its last day is
/// over, and that its file is broken is said elsewhere.
pub(super) fn hindrance(segment: &Segment, outlook: &Outlook, timelines: &[Timeline]) -> Option<Hindrance> {
    let plan = &outlook.plan;
    let (schedule, words) = (&plan.schedule, &segment.words);
    let id = words.programme.as_ref()?;
    let today = schedule.time_zone.to_datetime(outlook.now).date();
    if plan.catalog.troubles().contains_key(&segment.id) || words.valid_until.is_some_and(|last| last < today)
    {
        return None;
    }
    let Some(programme) = schedule.programmes.get(id) else {
        // A pool has more than it plays in a week.
        return (!schedule.takes(id)).then(|| Hindrance::NoSlot { programme: id.to_string() });
    };
    let slots: Vec<_> = cues(timelines).filter(|cue| cue.programme.as_ref() == Some(id)).collect();
    if slots.is_empty() && programme.ready {
        return Some(Hindrance::AtHand);
    }
    if slots.is_empty() {
        return Some(Hindrance::NoSlot { programme: programme_title(schedule, id) });
    }
    let on_its_days: Vec<_> =
        slots.into_iter().filter(|cue| segment.is_valid_on(cue.id.block.date)).collect();
    if on_its_days.is_empty() {
        return Some(Hindrance::OtherDays { from: words.valid_from, until: words.valid_until });
    }
    let week = |day: ISOWeekDate| (day.year(), day.week());
    let own = week_of(segment, &schedule.time_zone);
    let is_of_its_week = |day: ISOWeekDate| !programme.weekly || week(day) == week(own);
    if !on_its_days.iter().any(|cue| is_of_its_week(cue.id.block.date.iso_week_date())) {
        return Some(Hindrance::OtherWeek(own));
    }
    let is_newer =
        |other: &Segment| segment.added <= other.added && is_of_its_week(week_of(other, &schedule.time_zone));
    let has_the_place =
        |cue: &Arc<Cue>| cue.segment().filter(|airs| airs.id != segment.id && is_newer(airs)).cloned();
    let newer = on_its_days.into_iter().filter(|_| !schedule.plays_all_of(id)).find_map(has_the_place)?;
    Some(Hindrance::Newer { title: newer.words.title.clone() })
}
