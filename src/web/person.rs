//! Who asks, and whether they may: the one way from a token to a permission.

use std::marker::PhantomData;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use jiff::Timestamp;

use super::State;
use super::listener::Peer;
use super::problem::Problem;
use crate::access::{Permission, permit};
use crate::store::{Act, StoreError, User};
use crate::text::http::Refusal;

/// Longest token that is looked at; ours have 68 signs.
const LONGEST_TOKEN: usize = 128;

/// A permission as a type, so that a handler's signature says who may call it.
pub(super) trait Needs: Send + 'static {
    /// It.
    const PERMISSION: Permission;
}

macro_rules! needs {
    ($($name:ident)*) => {$(
        #[doc = concat!("Needs `Permission::", stringify!($name), "`.")]
        #[derive(Debug)]
        pub(super) enum $name {}
        impl Needs for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )*};
}
needs! { See HandIn Approve Withdraw TakeTheAir CallEmergency ReadLog ReadActs ManageUsers }

/// Somebody who showed a token, and may do what `N` says.
#[derive(Debug)]
pub(super) struct Person<N> {
    user: User,
    origin: String,
    permission: PhantomData<fn() -> N>,
}

impl<N> Person<N> {
    /// Their name.
    pub(super) fn name(&self) -> &str {
        &self.user.name
    }

    /// Who they are.
    pub(super) fn user(&self) -> &User {
        &self.user
    }

    /// Makes sure that they may do something more.
    pub(super) fn must(&self, permission: Permission) -> Result<(), Problem> {
        if permit(&self.user.roles, permission) {
            Ok(())
        } else {
            Err(Refusal::NotPermitted(permission).into())
        }
    }

    /// An act of theirs, to be kept.
    pub(super) fn act(&self, what: &str, subject: impl Into<String>, at: Timestamp) -> Act {
        Act {
            at,
            by: self.user.name.clone(),
            what: what.to_owned(),
            subject: subject.into(),
            origin: self.origin.clone(),
        }
    }
}

impl<N: Needs> FromRequestParts<State> for Person<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let token = bearer(parts).ok_or(Refusal::NoToken)?.to_owned();
        let found: Result<_, StoreError> = state.store.run(move |store| store.user_by_token(&token)).await;
        let user = found?.ok_or(Refusal::WrongToken)?;
        let person = Self { user, origin: origin(parts), permission: PhantomData };
        person.must(N::PERMISSION)?;
        Ok(person)
    }
}

/// The token of `Authorization: Bearer …`.
fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= LONGEST_TOKEN)
        .then_some(token)
}

/// Where a request comes from, for the record of acts. What a proxy says of it is not believed.
fn origin(parts: &Parts) -> String {
    peer(parts).map_or_else(|| "unknown".to_owned(), |peer| peer.0.ip().to_string())
}

/// The other end of the connection.
pub(super) fn peer(parts: &Parts) -> Option<Peer> {
    parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| *peer)
}
