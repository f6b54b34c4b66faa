//! Who looks at a page: somebody who is signed in, and may.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};

use super::form::page_before;
use super::page::Failure;
use crate::web::State;
use crate::web::person::{Needs, Person, key_of, login, signed_in};

/// Somebody who is signed in, and may do what `N` says.
#[derive(Debug)]
pub(super) struct Visitor<N> {
    /// They.
    pub(super) person: Person<N>,
    /// What the forms of their pages bear.
    pub(super) key: String,
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
        Ok(Self { person, key })
    }
}
