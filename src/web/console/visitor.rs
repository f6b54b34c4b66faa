//! Who looks at a page: somebody who is signed in, and may.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};

use super::form::page_before;
use super::page::{Failure, entry};
use crate::access::Role;
use crate::segment::{SegmentId, State as Stand};
use crate::web::State;
use crate::web::person::{Needs, Person, key_of, login, signed_in};
use crate::web::recordings::segment_id;

/// Somebody who is signed in, and may do what `N` says.
#[derive(Debug)]
pub(super) struct Visitor<N> {
    /// They.
    pub(super) person: Person<N>,
    /// What the forms of their pages bear.
    pub(super) key: String,
    /// They come from signing in, and what they pressed before was not done.
    pub(super) pressed_in_vain: bool,
    /// What they withdrew from this page a moment ago, as it is called.
    pub(super) withdrawn: Option<String>,
}

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum Turned {
    /// They have to sign in first, and come back to this address.
    SignIn(String),
    /// What they sent was not done, for they have to sign in; then they go back to where they were.
    SignInAgain(String),
    /// They may not.
    Away(Failure),
}

impl IntoResponse for Turned {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(back) => to_sign_in(&back, &[]),
            Self::SignInAgain(back) => to_sign_in(&back, &[(AGAIN, "1")]),
            Self::Away(failure) => failure.into_response(),
        }
    }
}

/// What an address of [`signin`](super::signin) has where something was not done.
pub(super) const AGAIN: &str = "lai";

/// What the address of a page ends with on which something was pressed in vain, right after signing in.
const IN_VAIN: &str = "chua-lam=1";

/// The address of a page, so that it says that what was pressed there was not done.
pub(super) fn in_vain(page: &str) -> String {
    format!("{page}{}{IN_VAIN}", if page.contains('?') { '&' } else { '?' })
}

fn is_in_vain(page: &Uri) -> bool {
    page.query().is_some_and(|query| query == IN_VAIN || query.ends_with(&format!("&{IN_VAIN}")))
}

/// The address of a page without that.
pub(super) fn not_in_vain(page: &str) -> &str {
    page.strip_suffix(IN_VAIN).and_then(|page| page.strip_suffix(['?', '&'])).unwrap_or(page)
}

/// What the address of a page has from which a recording was withdrawn: its id; on its own page, only that it was.
pub(super) const WITHDRAWN: &str = "da-thu-hoi";

/// The address of a page, so that it says which recording was withdrawn from there.
pub(super) fn just_withdrawn(page: &str, id: &SegmentId) -> String {
    format!("{page}{}{WITHDRAWN}={id}", if page.contains('?') { '&' } else { '?' })
}

/// What a page is to say is withdrawn, where it is.
async fn withdrawn(parts: &Parts, state: &State, roles: &BTreeSet<Role>) -> Option<String> {
    let query = entry(parts.uri.path(), roles).and(parts.uri.query())?;
    let (_, id) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == WITHDRAWN)?;
    let id = segment_id(&id).ok()?;
    let segment = state.store.run(move |store| store.segment(&id)).await.ok()??;
    (segment.state == Stand::Withdrawn).then_some(segment.words.title)
}

fn to_sign_in(back: &str, more: &[(&str, &str)]) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let query = query.append_pair("sau", back).extend_pairs(more).finish();
    Redirect::to(&format!("/dang-nhap?{query}")).into_response()
}

impl<N: Needs> FromRequestParts<State> for Visitor<N> {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Turned> {
        let back = || match parts.method.is_safe() {
            true => Turned::SignIn(parts.uri.to_string()),
            false => Turned::SignInAgain(page_before(parts).unwrap_or_else(|| "/".to_owned())),
        };
        let login = login(parts).ok_or_else(back)?;
        let key = key_of(&login);
        let user = signed_in(state, login).await.map_err(|failure| Turned::Away(failure.into()))?;
        let person =
            Person::of(user.ok_or_else(back)?, parts).map_err(|problem| Turned::Away(problem.into()))?;
        let withdrawn = withdrawn(parts, state, &person.user().roles).await;
        Ok(Self { person, key, pressed_in_vain: is_in_vain(&parts.uri), withdrawn })
    }
}
