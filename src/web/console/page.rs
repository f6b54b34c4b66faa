//! What every page has: its frame, its way around, and how it says that something went wrong.

use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::air;
use super::assets::{ICON, SCRIPT, STYLE};
use super::form::KEY_FIELD;
use super::visitor::Visitor;
use crate::access::{Permission, permit};
use crate::text;
use crate::text::http::Refusal;
use crate::text::page::names;
use crate::web::State;
use crate::web::problem::{Problem, kind};

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
        (air::banner(state, permit(roles, Permission::CallEmergency)))
        main #content tabindex="-1" { h1 { (title) } (content) }
    };
    frame(&format!("{title} – {station}"), &body)
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

/// A page that says what was not done, what that means for the air, and what to do.
#[derive(Debug)]
pub(super) struct Failure(Problem);

impl<P: Into<Problem>> From<P> for Failure {
    fn from(problem: P) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(Problem(refusal)) = self;
        let (status, _) = kind(&refusal);
        let content = html! {
            p.note.bad role="alert" { (refusal.detail()) }
            p { a.button href="/" { (text::page::TO_HOME) } }
        };
        (status, plain(refusal.title(), &content)).into_response()
    }
}

/// There is no such page; for programs that lost their way there is the answer they understand.
pub(in crate::web) async fn no_page(uri: Uri) -> Response {
    if uri.path().starts_with("/api/") {
        Problem::from(Refusal::NoRoute).into_response()
    } else {
        Failure::from(Refusal::NoPage).into_response()
    }
}

/// The address takes what a page of ours sends, and no more: somebody typed it, or came back to it after signing in.
pub(in crate::web) async fn wrong_method(uri: Uri) -> Response {
    let path = uri.path();
    if path.starts_with("/api/") || path == "/metrics" {
        return Problem::from(Refusal::WrongMethod).into_response();
    }
    let page = path.rsplit_once('/').map(|(page, _)| page).filter(|page| !page.is_empty());
    let (status, _) = kind(&Refusal::OnlyFromAPage);
    let content = html! {
        p.note { (Refusal::OnlyFromAPage.detail()) }
        div.actions {
            @if let Some(page) = page { a.button.main href=(page) { (text::page::TO_ITS_PAGE) } }
            a.button href="/" { (text::page::TO_HOME) }
        }
    };
    (status, plain(Refusal::OnlyFromAPage.title(), &content)).into_response()
}

/// To another page, after something was done: reloading it does nothing again.
pub(super) fn to(address: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, address.to_owned())]).into_response()
}
