//! Forms, as browsers send them.

use std::collections::BTreeSet;
use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use maud::{Markup, html};

use super::page::Failure;
use super::signin::{late, ours};
use super::visitor::{Turned, Visitor, not_in_vain};
use crate::access::password::same;
use crate::text::http::Refusal;
use crate::text::page::date;
use crate::web::drawer::Unsent;
use crate::web::person::Needs;
use crate::web::{PATIENCE, State};

/// The field that bears the key of our pages.
pub(super) const KEY_FIELD: &str = "key";

/// What a form says: names and values, as they were filled in.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// A form filled in by us.
    pub(super) fn of<'a>(values: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        Self(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Everything it says, in order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether a box is ticked.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|ticked| ticked == value)
    }

    /// A value without the spaces around it; empty where the form does not have it.
    pub(super) fn one(&self, name: &str) -> &str {
        self.exactly(name).trim()
    }

    /// A value as it was typed.
    pub(super) fn exactly(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// What was filled in on a form that showed some values, where others stand there `now`: what was left as it was shown
    /// is what it is now. Of boxes each is for itself, otherwise a name is.
    pub(super) fn on_top_of(&self, shown: &Self, now: &Self, boxes: &[&str]) -> Self {
        let names: BTreeSet<&str> =
            [self, shown, now].into_iter().flat_map(Self::pairs).map(|pair| pair.0).collect();
        let mut merged = Vec::new();
        for name in names {
            let [mine, before, theirs] = [self, shown, now].map(|fields| -> BTreeSet<&str> {
                fields.all(name).filter(|value| !value.is_empty()).collect()
            });
            let values: BTreeSet<&str> = if boxes.contains(&name) {
                let is_ticked = |value: &&&str| {
                    let is_mine = mine.contains(**value);
                    if is_mine == before.contains(**value) { theirs.contains(**value) } else { is_mine }
                };
                mine.union(&theirs).filter(is_ticked).copied().collect()
            } else if mine == before {
                theirs
            } else {
                mine
            };
            merged.extend(values.into_iter().map(|value| (name.to_owned(), value.to_owned())));
        }
        Self(merged)
    }

    /// All values of a name: boxes that were ticked.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What an address asks for, after its `?`.
#[derive(Debug)]
pub(super) struct Query(pub(super) Fields);

impl FromRequestParts<State> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        Ok(Self(Fields(form_urlencoded::parse(query).into_owned().collect())))
    }
}

impl FromRequest<State> for Fields {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &State) -> Result<Self, Failure> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            return Err(Refusal::WrongType.into());
        }
        let read = tokio::time::timeout(PATIENCE, Bytes::from_request(request, state)).await;
        let bytes = read.map_err(|_| Refusal::Interrupted)?.map_err(|_| Refusal::FormTooLarge)?;
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }
}

/// A form that somebody who may sent from a page of ours.
#[derive(Debug)]
pub(super) struct Sent<N> {
    /// Who.
    pub(super) visitor: Visitor<N>,
    /// What.
    pub(super) fields: Fields,
}

impl<N: Needs> FromRequest<State> for Sent<N> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &State) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = match Visitor::from_request_parts(&mut parts, state).await {
            Err(Turned::Away(failure)) => return Err(failure.into_response()),
            visitor => visitor,
        };
        let fields = Fields::from_request(Request::from_parts(parts.clone(), body), state).await;
        match (visitor, fields) {
            (Ok(_), Err(failure)) => Err(failure.into_response()),
            (Ok(visitor), Ok(fields)) if same(fields.one(KEY_FIELD).as_bytes(), visitor.key.as_bytes()) => {
                Ok(Self { visitor, fields })
            }
            // From a page of an earlier login.
            (Ok(visitor), Ok(fields)) => Err(match Unsent::of(&parts, &fields) {
                Some(unsent) => (StatusCode::FORBIDDEN, unsent.ask(state, &visitor)).into_response(),
                None => Failure::from(Refusal::Forged).into_response(),
            }),
            (Err(turned), fields) => Err(match fields.ok().and_then(|fields| Unsent::of(&parts, &fields)) {
                Some(unsent) => late(state, unsent, &parts).unwrap_or_else(IntoResponse::into_response),
                None => turned.into_response(),
            }),
        }
    }
}

/// From where a browser says that a form comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whence {
    /// From a page of ours.
    Here,
    /// From another site.
    Elsewhere,
    /// It does not say.
    Unsaid,
}

/// From where a form comes. Browsers say it in one way or another, unless the page told them not to.
pub(super) fn whence(headers: &HeaderMap) -> Whence {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let named = origin.filter(|origin| *origin != "null").and_then(|origin| origin.split_once("://"));
    let named = named.map(|(_, origin)| host == Some(origin));
    match (site, named) {
        (Some(site), _) if site != b"same-origin" && site != b"none" => Whence::Elsewhere,
        (_, Some(false)) => Whence::Elsewhere,
        (Some(b"same-origin"), _) | (_, Some(true)) => Whence::Here,
        _ => Whence::Unsaid,
    }
}

/// The page that somebody was on before, where the browser says so and it is ours; for a form without that, the one that
/// its address belongs to.
pub(super) fn page_before(parts: &Parts) -> Option<String> {
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let (from, host) = (header(header::REFERER), header(header::HOST));
    let path = from
        .and_then(|from| from.split_once("://")?.1.strip_prefix(host?))
        .filter(|path| ours(path) == *path)
        .map(|path| not_in_vain(path).to_owned());
    path.or_else(|| page_of(parts.uri.path()).filter(|_| !parts.method.is_safe()))
}

/// The date that a field shows, in words: browsers write it in the order of their own language. Somebody may choose another
/// since.
pub(super) fn in_words(value: &str) -> Markup {
    html! { @if let Ok(day) = value.parse::<Date>() { small { (date::shown(day)) } } }
}

/// The page that an address for forms belongs to: a recording's, a person's, or that of its part of the console.
pub(super) fn page_of(path: &str) -> Option<String> {
    let mut names = path.split('/').skip(1);
    match (names.next()?, names.next()?) {
        (part @ ("ban-ghi" | "nguoi-dung"), one) => Some(format!("/{part}/{one}")),
        (part, _) => Some(format!("/{part}")),
    }
}
