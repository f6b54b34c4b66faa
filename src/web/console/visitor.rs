//! Who looks at a page: somebody who is signed in, and may.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};

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
    /// They may not.
    Away(Failure),
}

impl IntoResponse for Turned {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(back) => {
                let query =
                    form_urlencoded::Serializer::new(String::new()).append_pair("sau", &back).finish();
                Redirect::to(&format!("/dang-nhap?{query}")).into_response()
            }
            Self::Away(failure) => failure.into_response(),
        }
    }
}

impl<N: Needs> FromRequestParts<State> for Visitor<N> {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Turned> {
        // A form that was sent too late is not sent again: the page it was on is shown.
        let back =
            || Turned::SignIn(if parts.method.is_safe() { parts.uri.to_string() } else { "/".to_owned() });
        let login = login(parts).ok_or_else(back)?;
        let key = key_of(&login);
        let user = signed_in(state, login).await.map_err(|failure| Turned::Away(failure.into()))?;
        let person =
            Person::of(user.ok_or_else(back)?, parts).map_err(|problem| Turned::Away(problem.into()))?;
        Ok(Self { person, key })
    }
}
