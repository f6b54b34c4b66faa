//! Bản ghi: what there is and what is missing, sending files in, one recording, taking it off the air; and Duyệt.

mod one;
mod prospect;
mod queue;
mod send;
mod trail;
mod waveform;
mod weeks;
mod withdraw;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State as Of};
use axum::response::Html;
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;

use super::KEPT_BYTES;
use super::page::{Failure, page};
use super::rundown::OPENED;
use super::visitor::Visitor;
use crate::access::{Permission, permit};
use crate::schedule::Schedule;
use crate::segment::{ProgrammeId, Segment, SegmentId, State as Stand};
use crate::store::{SegmentEvent, SegmentFilter, SegmentPage, Store, StoreError};
use crate::text::order::by_title;
use crate::text::outcome;
use crate::text::page::recordings as say;
use crate::text::page::{date, names};
use crate::web::State;
use crate::web::input::{Asked, parse_code};
use crate::web::person::See;
use crate::web::recordings::returned;
pub(super) use weeks::send_address;

/// The list's address.
const HERE: &str = "/ban-ghi";
/// The address of the drafts in it.
pub(super) const DRAFTS: &str = "/ban-ghi?trang-thai=draft";
/// The queue's address.
const QUEUE: &str = "/duyet";
/// Recordings on a page: what one scrolls through with a thumb.
const PAGE: u32 = 20;

/// The pages.
pub(super) fn router() -> Router<State> {
    Router::new()
        .route(HERE, get(list))
        .route("/ban-ghi/gui", get(send::ask))
        .route("/ban-ghi/{id}", get(one::one).post(one::describe).layer(DefaultBodyLimit::max(KEPT_BYTES)))
        .route("/ban-ghi/{id}/duyet", post(queue::approve))
        .route("/ban-ghi/{id}/tra-lai", post(queue::give_back))
        .route("/ban-ghi/{id}/thu-hoi", get(withdraw::ask).post(withdraw::withdraw))
        .route("/ban-ghi/{id}/bo", get(withdraw::ask_discard).post(withdraw::throw_away))
        .route("/ban-ghi/gui/{id}/bo", post(send::drop_upload))
        .route(QUEUE, get(queue::queue))
}

/// What takes as long as the connection does.
pub(super) fn slow() -> Router<State> {
    Router::new().route("/ban-ghi/gui", post(send::send))
}

/// Which recordings.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    tim: String,
    #[serde(default, rename = "trang-thai")]
    state: String,
    #[serde(default, rename = "chuyen-muc")]
    programme: String,
    #[serde(default)]
    sau: String,
}

impl Wanted {
    fn filter(&self) -> SegmentFilter {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        SegmentFilter {
            text: given(&self.tim),
            // What is no state was not chosen in our form.
            state: parse_code("trang-thai", &self.state).ok(),
            programme: given(&self.programme).map(ProgrammeId::new),
            after: given(&self.sau).map(SegmentId::new),
            limit: Some(PAGE),
        }
    }

    /// The address of the page after this one, or of the first.
    fn after(&self, last: Option<&SegmentId>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("tim", &*self.tim),
            ("trang-thai", &*self.state),
            ("chuyen-muc", &*self.programme),
            ("sau", last.map_or("", SegmentId::as_str)),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        match query.finish() {
            query if query.is_empty() => HERE.to_owned(),
            query => format!("{HERE}?{query}"),
        }
    }
}

/// The recordings, newest first; above them what is missing.
pub(super) async fn list(
    visitor: Visitor<See>,
    Of(state): Of<State>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Html<String>, Failure> {
    let (plan, now, filter) = (state.plan(), state.clock.now(), wanted.filter());
    let searched = filter != SegmentFilter { limit: filter.limit, ..SegmentFilter::default() };
    let page_of = move |store: &Store| Ok((store.segment_page(&filter)?, store.segment_place(&filter)?));
    let (SegmentPage { segments: found, next }, place) = state.store.run(page_of).await?;
    let roles = &visitor.person.user().roles;
    let may = |permission| permit(roles, permission);
    let zone = &plan.schedule.time_zone;
    let content = html! {
        @if may(Permission::HandIn) {
            div.actions { a.button.main href="/ban-ghi/gui" { (say::SEND) } }
        }
        @if !searched { (weeks::section(&plan, now, may(Permission::HandIn))) }
        section {
            h2 { (say::LIST) }
            form.search method="get" action=(HERE) role="search" {
                label.words { (say::SEARCH_TEXT) input type="search" name="tim" value=(wanted.tim); }
                label { (say::STATE) select name="trang-thai" {
                    option value="" { (say::ANY) }
                    @for (code, stand) in STATES { option value=(code) selected[code == wanted.state] { (outcome::state(stand)) } }
                } }
                label { (say::PROGRAMME) select name="chuyen-muc" {
                    option value="" { (say::ANY) }
                    (programmes(&plan.schedule, &wanted.programme, |_| None))
                } }
                button { (say::SEARCH) }
            }
            @if found.is_empty() { p.quiet { (say::NOTHING_FOUND) } } @else { p.quiet { (say::found(place.found)) } }
            @if let Some(first) = &place.newer { p { a.button href=(wanted.after(first.as_ref())) { (say::NEWER) } } }
            ul.recordings { @for segment in &found { li.card {
                (badge(segment.state))
                a.title href=(address(&segment.id)) { (segment.words.title) }
                (about(segment, &plan.schedule, zone))
                @if may(Permission::Withdraw) && segment.state != Stand::Withdrawn {
                    (withdraw_link(segment, None))
                }
            } } }
            @if let Some(last) = &next { p { a.button href=(wanted.after(Some(last))) { (say::OLDER) } } }
        }
    };
    Ok(page(&state, &visitor, HERE, names::RECORDINGS, &content))
}

/// The states with their codes.
const STATES: [(&str, Stand); 4] = [
    ("draft", Stand::Draft),
    ("pending", Stand::Pending),
    ("approved", Stand::Approved),
    ("withdrawn", Stand::Withdrawn),
];

/// A state: a sign, a word and a colour.
fn badge(state: Stand) -> Markup {
    let code = STATES.iter().find(|(_, stand)| *stand == state).map_or("", |(code, _)| code);
    html! { span.state.(code) { (outcome::state(state)) } }
}

/// Takes a recording off the air, from a list in which it is named; `session` is what opens that list again.
pub(super) fn withdraw_link(segment: &Segment, session: Option<&str>) -> Markup {
    let mut there = format!("{}/thu-hoi", address(&segment.id));
    if let Some(session) = session {
        there = opened(&there, session);
    }
    html! {
        a.withdraw href=(there) aria-label=(say::withdraw_of(&segment.words.title)) { (say::WITHDRAW) }
    }
}

/// An address with what opens a session.
fn opened(address: &str, session: &str) -> String {
    let session: String = form_urlencoded::byte_serialize(session.as_bytes()).collect();
    format!("{address}{}{OPENED}={session}", if address.contains('?') { '&' } else { '?' })
}

/// Takes what sounds at this moment off the air.
pub(super) fn withdraw_now(id: &SegmentId) -> Markup {
    html! { a.button.bad href={ (address(id)) "/thu-hoi" } { (say::WITHDRAW) } }
}

/// A recording's page.
pub(super) fn address(id: &SegmentId) -> String {
    format!("{HERE}/{id}")
}

/// Drafts of a person whose history is looked at, the newest.
const OWN_DRAFTS: usize = 50;

/// For how long somebody is told that another withdrew what was theirs.
const TOLD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What somebody handed in that needs them, the newest first.
pub(super) struct Drafts {
    /// What another withdrew of late, with when, by whom and why.
    pub(super) withdrawn: Vec<(Arc<Segment>, SegmentEvent)>,
    /// What they were given back, with when, by whom and why.
    pub(super) returned: Vec<(Arc<Segment>, SegmentEvent)>,
    /// What they have not sent to the approvers yet.
    pub(super) unsent: Vec<Arc<Segment>>,
}

impl Drafts {
    pub(super) fn is_empty(&self) -> bool {
        self.returned.is_empty() && self.unsent.is_empty() && self.withdrawn.is_empty()
    }
}

/// What somebody handed in and still has to do something about.
pub(super) fn own_drafts(store: &Store, name: &str, now: Timestamp) -> Result<Drafts, StoreError> {
    let catalog = store.catalog()?;
    let own = |state: Stand| {
        let is_one = |segment: &&Arc<Segment>| segment.state == state && &*segment.added_by == name;
        let mut all: Vec<_> = catalog.iter().filter(is_one).collect();
        all.sort_by_key(|segment| std::cmp::Reverse(segment.added));
        all
    };
    let mut withdrawn = Vec::new();
    for segment in own(Stand::Withdrawn).into_iter().take(OWN_DRAFTS) {
        let last =
            store.segment_events(&segment.id)?.into_iter().rev().find(|event| event.what == "withdrawn");
        let told = last.filter(|event| event.by != name && now.duration_since(event.at) < TOLD);
        withdrawn.extend(told.map(|event| (Arc::clone(segment), event)));
    }
    let drafts = own(Stand::Draft);
    let (mut found, mut unsent) = (Vec::new(), Vec::new());
    for (nth, segment) in drafts.into_iter().enumerate() {
        let events = if nth < OWN_DRAFTS { store.segment_events(&segment.id)? } else { Vec::new() };
        match returned(&events) {
            Some(event) => found.push((Arc::clone(segment), event.clone())),
            None => unsent.push(Arc::clone(segment)),
        }
    }
    Ok(Drafts { withdrawn, returned: found, unsent })
}

/// What it is for, how long, and who handed it in.
fn about(segment: &Segment, schedule: &Schedule, zone: &TimeZone) -> Markup {
    html! {
        p.about {
            @if let Some(id) = &segment.words.programme {
                span { (programme_title(schedule, id)) }
            }
            @if let Some(week) = segment.week() { span { (say::week(week)) } }
            span { (date::length(segment.duration())) }
            span { (say::handed_in(&segment.added_by, segment.added, zone)) }
        }
    }
}

/// Says of what waits for the air, or may go on it, that the schedule has no place for it.
fn placeless(segment: &Segment, schedule: &Schedule) -> Markup {
    let placeless = segment.words.programme.is_none() && !schedule.plays_file(&segment.file);
    html! { @if placeless && segment.state != Stand::Withdrawn { p.note.warn { (say::NO_PROGRAMME) } } }
}

/// Says of what waits for the air, or may go on it, that its last day is over, for a wrong year is typed easily, and found out
/// in silence; or that it has none where all that is valid airs: yesterday's power cut would be announced for ever.
fn last_day(segment: &Segment, schedule: &Schedule, now: Timestamp) -> Markup {
    let today = schedule.time_zone.to_datetime(now).date();
    let of_all = segment.words.programme.as_ref().is_some_and(|id| schedule.plays_all_of(id));
    html! {
        @match segment.words.valid_until {
            _ if segment.state == Stand::Withdrawn => {}
            Some(until) if until < today => p.note.warn[segment.state != Stand::Approved] { (say::expired(until)) },
            None if of_all => p.note.warn { (say::NO_LAST_DAY) },
            _ => {}
        }
    }
}

/// The title of a programme or a pool; its id where the schedule no longer knows it.
fn programme_title(schedule: &Schedule, id: &ProgrammeId) -> String {
    schedule.programme_title(id).unwrap_or(id.as_str()).to_owned()
}

/// Whether what is chosen has no weeks, so that a page hides the field: a week that was chosen before is not meant.
fn has_no_weeks(schedule: &Schedule, chosen: &str) -> bool {
    let id = ProgrammeId::new(chosen);
    schedule.takes(&id) && schedule.programmes.get(&id).is_none_or(|programme| !programme.weekly)
}

/// All programmes and pools to choose from, with a remark beside those that have one. What is not weekly has no week to
/// choose: the style sheet hides `label.week` for an `option.any-week`.
fn programmes(schedule: &Schedule, chosen: &str, remark: impl Fn(&ProgrammeId) -> Option<String>) -> Markup {
    html! {
        optgroup label=(say::send::PROGRAMMES) {
            @for programme in by_title(schedule.programmes.values(), |programme| &programme.title) {
                option.any-week[!programme.weekly] value=(programme.id) selected[programme.id.as_str() == chosen] {
                    (programme.title) @if let Some(remark) = remark(&programme.id) { " – " (remark) }
                }
            }
        }
        optgroup label=(say::send::POOLS) {
            @for pool in by_title(schedule.pools.values(), |pool| &pool.title) {
                option.any-week value=(pool.id) selected[pool.id.as_str() == chosen] { (pool.title) }
            }
        }
    }
}
