//! Giờ của máy: the log has later times than the clock, and a person knows which of them is right.

use axum::extract::State as Of;
use axum::response::{Html, Response};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::form::{Query, Sent};
use super::page::{Failure, key, page, to};
use super::visitor::Visitor;
use crate::asrun::Airing;
use crate::store::{Doubt, Store};
use crate::text;
use crate::text::page::{clock as say, date};
use crate::web::State;
use crate::web::clock;
use crate::web::person::ConfirmClock;

/// The page's address.
pub(super) const HERE: &str = "/gio-may";
/// Where its form is sent.
pub(super) const CONFIRM: &str = "/gio-may/xac-nhan";
/// How many pieces are named that are open again.
const NAMED: usize = 10;
/// How long the time that the page shows can be taken for the one that was confirmed. A clock that was set meanwhile is
/// asked for anew too.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// Shows both times, and what confirming the machine's does.
pub(super) async fn ask(
    visitor: Visitor<ConfirmClock>,
    Of(state): Of<State>,
    Query(asked): Query,
) -> Result<Html<String>, Failure> {
    let (now, plan) = (state.clock.now(), state.plan());
    let zone = &plan.schedule.time_zone;
    let read = move |store: &Store| Ok((store.doubt(now)?, store.clock_vouched_for(now)?));
    let (doubt, vouched) = state.store.run(read).await?;
    let content = html! {
        @match &doubt {
            Some(doubt) => {
                @if asked.has("cu", "1") { p.note.warn role="alert" { (say::LOOK_AGAIN) } }
                (asking(&visitor, doubt, (now, zone)))
            },
            None => {
                @match asked.one("xong").parse::<usize>() {
                    Ok(reopened) => p.note.good role="status" { (say::confirmed(reopened)) },
                    Err(_) => {
                        @let vouched = vouched.as_ref().map(|(by, at)| (&**by, at.to_zoned(zone.clone())));
                        p { (text::console::clock_not_in_doubt(&now.to_zoned(zone.clone()), vouched.as_ref().map(|(by, at)| (*by, at)))) }
                    },
                }
                p.actions { a.button href="/" { (text::page::TO_HOME) } }
            },
        }
    };
    Ok(page(&state, &visitor, "/", say::TITLE, &content))
}

fn asking(visitor: &Visitor<ConfirmClock>, doubt: &Doubt, (now, zone): (Timestamp, &TimeZone)) -> Markup {
    let Doubt { newest, reopens, heard } = doubt;
    html! {
        p { (say::WHY) }
        dl.card.confirm {
            dt { (say::MACHINE) } dd { strong { (date::exactly(now, zone)) } }
            dt { (say::NEWEST) } dd { strong { (date::exactly(*newest, zone)) } }
        }
        p { (say::COMPARE) }
        p.note.warn { (say::NOT_IF_WRONG) }
        h2 { (say::MEANS) }
        ul {
            li { (say::BY_THIS_TIME) }
            li {
                (say::reopens(reopens.len()))
                @if !reopens.is_empty() { (named(reopens, zone)) }
            }
            @if *heard > 0 { li { (say::heard(*heard)) } }
            li { (say::KEPT) }
        }
        form.actions.second-press method="post" action=(CONFIRM) {
            (key(visitor))
            input type="hidden" name="shown" value=(now.as_millisecond());
            button.main { (say::CONFIRM) }
            a.button href="/" { (text::page::CANCEL) }
        }
    }
}

/// The first of what is open again.
fn named(airings: &[Airing], zone: &TimeZone) -> Markup {
    html! {
        ul {
            @for Airing { item, .. } in airings.iter().take(NAMED) {
                li { (date::moment(item.planned, zone)) " · " (item.title) }
            }
            @if airings.len() > NAMED { li { (say::others(airings.len() - NAMED)) } }
        }
    }
}

/// Does it, where it is still the time that was shown.
pub(super) async fn confirm(
    Of(state): Of<State>,
    Sent { visitor, fields }: Sent<ConfirmClock>,
) -> Result<Response, Failure> {
    let shown = fields.one("shown").parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let since = shown.map(|shown| state.clock.now().duration_since(shown));
    if !since.is_some_and(|since| (SignedDuration::ZERO..FRESH).contains(&since)) {
        return Ok(to(&format!("{HERE}?cu=1")));
    }
    match clock::confirm(&state, &visitor.person).await? {
        Some(doubt) => Ok(to(&format!("{HERE}?xong={}", doubt.reopens.len()))),
        None => Ok(to(HERE)),
    }
}
