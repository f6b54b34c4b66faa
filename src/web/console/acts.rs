//! Nhật ký thao tác: what people did, page by page.

use axum::extract::State as Of;
use axum::response::Html;
use maud::{Markup, html};

use super::form::{Fields, Query};
use super::page::{Failure, page};
use super::visitor::Visitor;
use super::{air, calendar, recordings};
use crate::schedule::OutputId;
use crate::segment::SegmentId;
use crate::store::{Act, ActFilter, ActKind};
use crate::text::http::Refusal;
use crate::text::page::{date, log as say_log, people as say};
use crate::timeline::plan::Plan;
use crate::web::State;
use crate::web::person::ReadActs;

/// The page's address.
pub(super) const HERE: &str = "/nhat-ky/thao-tac";
/// Acts of a page.
const PAGE: u32 = 100;

/// Before which act a page begins; none for the newest.
fn before(asked: &Fields) -> Result<Option<i64>, Refusal> {
    match asked.one(BEFORE) {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Refusal::BadField { field: BEFORE.to_owned() }),
    }
}

/// What an address has that is not of the newest.
const BEFORE: &str = "truoc";

/// Every kind, sign-ins too.
const EVERY: &str = "all";

/// Which of them.
struct Wanted<'a> {
    by: &'a str,
    kind: &'a str,
}

impl<'a> Wanted<'a> {
    fn of(asked: &'a Fields) -> Self {
        Self { by: asked.one("ai"), kind: asked.one("loai") }
    }

    /// There are more sign-ins than all else: who does not ask for them looks for something else.
    fn filter(&self) -> ActFilter {
        let kind = ActKind::ALL.into_iter().find(|kind| kind.code() == self.kind);
        ActFilter {
            by: Some(self.by.to_owned()).filter(|by| !by.is_empty()),
            kind,
            without: Some(ActKind::SignIns).filter(|_| kind.is_none() && self.kind != EVERY),
        }
    }

    fn address(&self, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let given = [("ai", self.by), ("loai", self.kind)].into_iter().chain(more.iter().copied());
        query.extend_pairs(given.filter(|(_, value)| !value.is_empty()));
        match query.finish() {
            query if query.is_empty() => HERE.to_owned(),
            query => format!("{HERE}?{query}"),
        }
    }

    fn form(&self, people: &[String]) -> Markup {
        html! {
            form.card.filter.of-acts action=(HERE) {
                label { (say_log::BY) select name="ai" {
                    option value="" { (say_log::ALL) }
                    @for name in people { option value=(name) selected[name == self.by] { (name) } }
                } }
                label { (say_log::KIND) select name="loai" {
                    option value="" { (say_log::BUT_SIGN_INS) }
                    @for kind in ActKind::ALL { option value=(kind.code()) selected[kind.code() == self.kind] { (say_log::act_kind(kind)) } }
                    option value=(EVERY) selected[self.kind == EVERY] { (say_log::ALL) }
                } }
                div.actions { button { (say_log::FILTER) } }
            }
        }
    }
}

/// A page of them, the last done first, whatever the clock said then.
pub(super) async fn list(
    visitor: Visitor<ReadActs>,
    Of(state): Of<State>,
    Query(asked): Query,
) -> Result<Html<String>, Failure> {
    let plan = state.plan();
    let before = before(&asked)?;
    let wanted = Wanted::of(&asked);
    let filter = wanted.filter();
    let found = state.store.run(move |store| store.act_page(&filter, before, PAGE)).await?;
    let content = html! {
        (wanted.form(&found.people))
        @if found.acts.is_empty() { p.note { (say_log::NO_ACTS) } } @else { (table(&found.acts, &plan)) }
        div.actions {
            @if before.is_some() { a.button href=(wanted.address(&[])) { (say_log::NEWEST_ACTS) } }
            @if let Some(older) = found.before {
                a.button href=(wanted.address(&[(BEFORE, &older.to_string())])) { (say_log::OLDER_ACTS) }
            }
        }
        p { a href=(super::log::HERE) { (say_log::TO_LOG) } }
    };
    Ok(page(&state, &visitor, super::log::HERE, say_log::ACTS, &content))
}

/// Acts, with what they were about as people called it then.
pub(super) fn table(acts: &[Act], plan: &Plan) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label=(say_log::ACTS) { table.acts {
            thead { tr { @for head in say::ACT_COLUMNS { th scope="col" { (head) } } } }
            tbody { @for act in acts { tr {
                td { (date::exactly(act.at, &plan.schedule.time_zone)) }
                td { (act.by) }
                td { (say::act(&act.what)) }
                td { (subject(act, plan)) }
                td { (say::origin(&act.origin)) }
            } } }
        } }
    }
}

/// What an act was about: as it was called then, or where that was not kept, as it is called now.
fn subject(act: &Act, plan: &Plan) -> Markup {
    let linked = |address: &str, title: &str| html! { a href=(address) { (title) } };
    let recording = |id: &str| {
        let now = || plan.catalog.get(&SegmentId::new(id)).map(|segment| segment.words.title.as_str());
        let title = act.title.as_deref().or_else(now).unwrap_or(id);
        linked(&recordings::address(&SegmentId::new(id)), title)
    };
    let plain = |title: Option<String>| html! { (title.as_ref().unwrap_or(&act.subject)) };
    match act.what.split_once('.') {
        Some(("segment", _)) => recording(&act.subject),
        // The interrupt, and what it airs.
        Some(("interrupt", "live" | "emergency")) => {
            recording(act.subject.split_once(' ').map_or(&*act.subject, |(_, segment)| segment))
        }
        Some(("output", _)) => plain(Some(air::place(&plan.schedule, &OutputId::new(&*act.subject)))),
        Some(("schedule", "undo")) => {
            linked(&calendar::revision(&act.subject), &say_log::revision(&act.subject))
        }
        Some(("schedule", _)) => {
            plain(act.title.clone().or_else(|| calendar::called(&act.subject, &plan.schedule)))
        }
        Some(("log", _)) => plain(Some(say_log::WHOLE.to_owned())),
        _ => plain(act.title.clone()),
    }
}
