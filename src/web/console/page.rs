//! What every page has: its frame, its way around, and how it says that something went wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::{FromRequestParts as _, Request, State as Of};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use tokio::time::timeout;

use super::air::{OVER, STOPPED};
use super::assets::{ICON, SCRIPT, STYLE};
use super::calendar;
use super::form::{KEY_FIELD, page_before, page_of};
use super::in_force;
use super::rundown::OPENED;
use super::visitor::{Visitor, WITHDRAWN};
use crate::access::{Permission, Role, permit};
use crate::text;
use crate::text::http::Refusal;
use crate::text::page::{home as say, names};
use crate::web::State;
use crate::web::person::See;
use crate::web::problem::{Problem, Refused};

/// A page may load its own style, script, pictures and sound, send forms to its own station, and nothing else; nobody
/// may put it into a frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
/// Addresses that are told to nobody, not to the station itself either: they bear a secret, or what is sent from there
/// comes before there is a login.
const SECRET: [&str; 2] = ["/dang-nhap", "/bat-dau/"];
/// How long is waited, on a page that says what went wrong, to know who looks at it.
const KNOWN_WITHIN: Duration = Duration::from_secs(2);

/// The pages that everybody finds at the top, with what one must be allowed to do there.
const PAGES: [(&str, &str, Permission); 7] = [
    ("/", names::HOME, Permission::See),
    ("/lich-phat", names::CALENDAR, Permission::See),
    ("/ban-ghi", names::RECORDINGS, Permission::See),
    ("/duyet", names::APPROVE, Permission::Approve),
    ("/phat-ngay", names::AIR, Permission::CallEmergency),
    ("/nhat-ky", names::LOG, Permission::ReadLog),
    ("/nguoi-dung", names::PEOPLE, Permission::ManageUsers),
];

/// Marks of what was done on a page before, and where on it: they end an address that is gone back to later.
const MARKS: [&str; 7] = ["vua", "da-luu", "chua-lam", WITHDRAWN, OPENED, STOPPED, OVER];

/// An address, where it is of an entry of [`PAGES`] that these roles may see, as it was before anything was done there.
pub(super) fn entry(address: &str, roles: &BTreeSet<Role>) -> Option<String> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let (path, ..) = PAGES.into_iter().find(|(entry, _, needed)| *entry == path && permit(roles, *needed))?;
    let asked = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| !MARKS.contains(&&**name));
    match form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish() {
        query if query.is_empty() => Some(path.to_owned()),
        query => Some(format!("{path}?{query}")),
    }
}

/// A page of somebody who is signed in. `path` is the entry of [`PAGES`] it belongs to.
pub(super) fn page<N>(
    state: &State,
    visitor: &Visitor<N>,
    path: &str,
    title: &str,
    content: &Markup,
) -> Html<String> {
    let station = state.plan().schedule.name.clone();
    let roles = &visitor.person.user().roles;
    let body = html! {
        a.skip href="#content" { (text::page::SKIP) }
        header.top {
            p.station { (station) }
            form method="post" action="/dang-xuat" {
                (key(visitor))
                span.who { (visitor.person.name()) }
                button.quiet { (text::page::SIGN_OUT) }
            }
        }
        nav aria-label=(text::page::PAGES) {
            ul {
                @for (address, name, permission) in PAGES {
                    @if permit(roles, permission) {
                        li { a href=(address) aria-current=[(address == path).then_some("page")] { (name) } }
                    }
                }
            }
        }
        (lost(state))
        (in_force::banner(state, permit(roles, Permission::CallEmergency)))
        main #content tabindex="-1" {
            h1 { (title) }
            @if visitor.pressed_in_vain { p.note.warn role="alert" { (text::page::unsent::IN_VAIN) } }
            @if let Some(title) = &visitor.withdrawn {
                p.note.good role="status" { (text::page::recordings::withdraw::done_with(title)) }
            }
            (content)
        }
    };
    frame(&format!("{title} – {station}"), &body)
}

/// What the script shows as long as the station does not answer, and where the login has ended: all else on the page is
/// old then.
fn lost(state: &State) -> Markup {
    let plan = state.plan();
    html! {
        p.note.bad #lost role="alert" data-zone=[plan.schedule.time_zone.iana_name()] hidden {
            strong { (text::page::LOST_SINCE) " " time {} "." } " " (text::page::LOST_MEANS)
        }
        p.note.warn #ended role="alert" hidden {
            span.typed { (text::page::ENDED) }
            // An address of nothing is the page's own, which asks for the login.
            span.files hidden { (text::page::ENDED_FILES) " " a href="" { (text::page::SIGN_IN_AGAIN) } }
        }
    }
}

/// A page of somebody who is not signed in.
pub(super) fn plain(title: &str, content: &Markup) -> Html<String> {
    frame(title, &html! { main.narrow #content { h1 { (title) } (content) } })
}

fn frame(title: &str, body: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="vi" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" type="image/svg+xml" href={ "/assets/" (ICON.name) };
                link rel="stylesheet" href={ "/assets/" (STYLE.name) };
                script src={ "/assets/" (SCRIPT.name) } defer {}
            }
            body { (body) }
        }
    };
    Html(page.into_string())
}

/// What makes a form ours.
pub(super) fn key<N>(visitor: &Visitor<N>) -> Markup {
    html! { input type="hidden" name=(KEY_FIELD) value=(visitor.key); }
}

/// What was not done, what that means for the air, and what to do: [`for_people`] makes a page of it.
#[derive(Debug)]
pub(super) struct Failure(Problem);

impl<P: Into<Problem>> From<P> for Failure {
    fn from(problem: P) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

/// Whether an address is one for programs, which understand [`Problem`]s.
fn is_for_programs(path: &str) -> bool {
    path.starts_with("/api/") || path == "/metrics"
}

/// Every page says what it may load, and tells no other site where people come from; and what was refused, wherever on
/// the way, is said on a page: to whoever is signed in with the way around and what has the air, as on any other page.
pub(in crate::web) async fn for_people(Of(state): Of<State>, request: Request, next: Next) -> Response {
    if is_for_programs(request.uri().path()) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let mut response = next.run(Request::from_parts(parts.clone(), body)).await;
    if let Some(Refused(refusal)) = response.extensions_mut().remove() {
        let status = response.status();
        let again = response.headers_mut().remove(header::RETRY_AFTER);
        let again = again.map(|seconds| [(header::RETRY_AFTER, seconds)]);
        response = (status, again, refused(&state, &mut parts, for_a_page(&refusal)).await).into_response();
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    let policy =
        HeaderValue::from_static(if is_secret(parts.uri.path()) { "no-referrer" } else { "same-origin" });
    headers.entry(header::REFERRER_POLICY).or_insert(policy);
    response
}

fn is_secret(path: &str) -> bool {
    SECRET.iter().any(|door| path.starts_with(door))
}

/// What people are told of a refusal that is said in words for programs.
fn for_a_page(refusal: &Refusal) -> &Refusal {
    if matches!(refusal, Refusal::NoRoute) {
        &Refusal::NoPage
    } else if matches!(refusal, Refusal::WrongMethod) {
        &Refusal::OnlyFromAPage
    } else if matches!(refusal, Refusal::WrongType) {
        &Refusal::Forged
    } else {
        refusal
    }
}

/// The page that says what was not done.
async fn refused(state: &State, parts: &mut Parts, refusal: &Refusal) -> Html<String> {
    let content = html! {
        p.note.bad role="alert" { (refusal.detail()) }
        div.actions {
            @if matches!(refusal, Refusal::ScheduleBroken) {
                a.button.main href=(calendar::HERE) { (say::TO_SCHEDULE) }
                a.button href=(calendar::HISTORY) { (text::page::calendar::HISTORY) }
            }
            @if let Some((page, said)) = way_on(parts, refusal) { a.button.main href=(page) { (said) } }
            a.button href="/" { (text::page::TO_HOME) }
        }
    };
    // Where the store hangs, nobody can be asked who this is.
    let visitor = timeout(KNOWN_WITHIN, Visitor::<See>::from_request_parts(parts, state)).await;
    match visitor {
        Ok(Ok(visitor)) => page(state, &visitor, "", refusal.title(), &content),
        Ok(Err(_)) | Err(_) => plain(refusal.title(), &content),
    }
}

/// Where it goes on from something that was not done, but for the first page: where somebody was.
fn way_on(parts: &Parts, refusal: &Refusal) -> Option<(String, &'static str)> {
    // Somebody typed it, or came back to it after signing in.
    if matches!(refusal, Refusal::OnlyFromAPage) {
        return Some((page_of(parts.uri.path())?, text::page::TO_ITS_PAGE));
    }
    let itself =
        |page: &String| parts.method.is_safe() && parts.uri.path_and_query().is_some_and(|own| own == page);
    let before = page_before(parts).filter(|page| page != "/" && !itself(page));
    before.filter(|_| !is_secret(parts.uri.path())).map(|page| (page, text::page::TO_PAGE_BEFORE))
}

/// To another page, after something was done: reloading it does nothing again.
pub(super) fn to(address: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, address.to_owned())]).into_response()
}
