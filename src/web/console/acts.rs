//! Nhật ký thao tác: what people did, page by page.

use axum::extract::State as Of;
use axum::response::Html;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::form::{Fields, Query};
use super::page::{Failure, page};
use super::recordings;
use super::visitor::Visitor;
use crate::segment::{Catalog, SegmentId};
use crate::store::{Act, Store};
use crate::text::http::Refusal;
use crate::text::page::{date, log as say_log, people as say};
use crate::web::State;
use crate::web::person::ReadActs;

/// The page's address.
pub(super) const HERE: &str = "/nhat-ky/thao-tac";
/// Acts of a page.
const PAGE: usize = 100;

/// Where a page begins: with the acts before an instant, without the first so many of those, which share a millisecond
/// with the last of the page before.
struct From {
    before: Timestamp,
    without: usize,
}

impl From {
    fn of(asked: &Fields) -> Result<Self, Refusal> {
        let wrong = |field: &str| Refusal::BadField { field: field.to_owned() };
        let before = match asked.one("truoc") {
            "" => Timestamp::MAX,
            text => text.parse().map_err(|_| wrong("truoc"))?,
        };
        let without = match asked.one("bo") {
            "" => 0,
            text => text.parse().ok().filter(|without| *without <= 1_000).ok_or_else(|| wrong("bo"))?,
        };
        Ok(Self { before, without })
    }

    /// Where the page after these acts begins; none where there are no more.
    fn after(&self, shown: &[Act]) -> Option<String> {
        let last = shown.last().filter(|_| shown.len() == PAGE)?.at;
        let same = shown.iter().rev().take_while(|act| act.at == last).count();
        // A page of one millisecond, and the next begins in it still.
        let without = if same == PAGE { self.without + same } else { same };
        let before = last.checked_add(SignedDuration::from_millis(1)).ok()?;
        Some(format!("{HERE}?truoc={before}&bo={without}"))
    }
}

/// A page of them, newest first.
pub(super) async fn list(
    visitor: Visitor<ReadActs>,
    Of(state): Of<State>,
    Query(asked): Query,
) -> Result<Html<String>, Failure> {
    let zone = state.plan().schedule.time_zone.clone();
    let from = From::of(&asked)?;
    let (before, without) = (from.before, from.without);
    let most = u32::try_from(without + PAGE).unwrap_or(u32::MAX);
    let read = move |store: &Store| Ok((store.acts(Timestamp::MIN, before, most)?, store.catalog()?));
    let (acts, catalog) = state.store.run(read).await?;
    let shown = acts.get(without..).unwrap_or_default();
    let content = html! {
        @if shown.is_empty() { p.note { (say_log::NO_ACTS) } } @else { (table(shown, &catalog, &zone)) }
        div.actions {
            @if before != Timestamp::MAX { a.button href=(HERE) { (say_log::NEWEST_ACTS) } }
            @if let Some(older) = from.after(shown) { a.button href=(older) { (say_log::OLDER_ACTS) } }
        }
        p { a href=(super::log::HERE) { (say_log::TO_LOG) } }
    };
    Ok(page(&state, &visitor, super::log::HERE, say_log::ACTS, &content))
}

/// Acts, with the recordings they were about by title.
pub(super) fn table(acts: &[Act], catalog: &Catalog, zone: &TimeZone) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label=(say_log::ACTS) { table {
            thead { tr { @for head in say::ACT_COLUMNS { th scope="col" { (head) } } } }
            tbody { @for act in acts { tr {
                td { (date::moment(act.at, zone)) }
                td { (act.by) }
                td { (say::act(&act.what)) }
                td { (subject(act, catalog)) }
                td { (act.origin) }
            } } }
        } }
    }
}

fn subject(act: &Act, catalog: &Catalog) -> Markup {
    let id = match act.what.split_once('.') {
        Some(("segment", _)) => Some(act.subject.as_str()),
        // The interrupt, and what it airs.
        Some(("interrupt", _)) => act.subject.split_once(' ').map(|(_, segment)| segment),
        _ => None,
    };
    html! {
        @match id.and_then(|id| catalog.get(&SegmentId::new(id))) {
            Some(segment) => a href=(recordings::address(&segment.id)) { (segment.words.title) },
            None => (act.subject),
        }
    }
}
