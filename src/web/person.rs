//! Who asks, and whether they may: the one way from a token, or from a browser's login, to a permission.

use std::marker::PhantomData;
use std::net::IpAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::State;
use super::listener::Peer;
use super::problem::Problem;
use crate::access::password::same;
use crate::access::{Permission, permit};
use crate::segment::ContentHash;
use crate::store::{Act, StoreError, User};
use crate::text::http::Refusal;

/// Longest token that is looked at; ours have 68 signs.
const LONGEST_TOKEN: usize = 128;

/// The cookie that bears a browser's login.
pub(super) const COOKIE: &str = "loa";
/// Where a page's script shows that it is ours, in what it sends under a login.
const KEY_HEADER: &str = "x-loa-key";

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
needs! { See HandIn Approve Withdraw TakeTheAir CallEmergency EditSchedule ConfirmClock ReadLog ReadActs ManageUsers }

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

    /// From where they ask.
    pub(super) fn origin(&self) -> &str {
        &self.origin
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
            title: None,
            origin: self.origin.clone(),
        }
    }
}

impl<N: Needs> FromRequestParts<State> for Person<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let shown = Shown::of(parts).ok_or(Refusal::NoToken)?;
        if let Shown::Login(login) = &shown
            && !parts.method.is_safe()
            && !shows_key(parts, login)
        {
            return Err(Refusal::Forged.into());
        }
        Self::of(shown.user(state).await?.ok_or(Refusal::WrongToken)?, parts)
    }
}

/// What a request shows of who sends it. A secret: it is never printed.
pub(super) enum Shown {
    /// A token.
    Token(String),
    /// What the browser's cookie bears.
    Login(String),
}

impl Shown {
    fn of(parts: &Parts) -> Option<Self> {
        let token = bearer(parts).map(|token| Self::Token(token.to_owned()));
        token.or_else(|| login(parts).map(Self::Login))
    }

    /// Whose it is; none where it never was anybody's, or is no more.
    pub(super) async fn user(&self, state: &State) -> Result<Option<User>, StoreError> {
        match self {
            Self::Token(token) => {
                let token = token.clone();
                state.store.run(move |store| store.user_by_token(&token)).await
            }
            Self::Login(login) => signed_in(state, login.clone()).await,
        }
    }
}

impl FromRequestParts<State> for Shown {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        Ok(Self::of(parts).ok_or(Refusal::NoToken)?)
    }
}

impl<N: Needs> Person<N> {
    /// A user who sent a request, if they may.
    pub(super) fn of(user: User, parts: &Parts) -> Result<Self, Problem> {
        let person = Self { user, origin: origin(parts), permission: PhantomData };
        person.must(N::PERMISSION)?;
        Ok(person)
    }
}

/// Who is signed in with a login.
pub(super) async fn signed_in(state: &State, login: String) -> Result<Option<User>, StoreError> {
    let now = state.clock.now();
    state.store.run(move |store| store.login(&login, now)).await
}

/// What the browser's cookie bears.
pub(super) fn login(parts: &Parts) -> Option<String> {
    cookie(parts, COOKIE)
}

/// What a browser sends as the cookie of a name.
pub(super) fn cookie(parts: &Parts, wanted: &str) -> Option<String> {
    let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == wanted)?;
    (!value.is_empty() && value.len() <= LONGEST_TOKEN).then(|| value.to_owned())
}

/// What our own pages send with everything that changes something, and nobody else's can know: it follows from the
/// login, which only the browser and we have.
pub(super) fn key_of(login: &str) -> String {
    ContentHash(Sha256::new().chain_update("form").chain_update(login).finalize().into()).to_string()
}

fn shows_key(parts: &Parts, login: &str) -> bool {
    let shown = parts.headers.get(KEY_HEADER).map_or(&[][..], |value| value.as_bytes());
    same(shown, key_of(login).as_bytes())
}

/// The token of `Authorization: Bearer …`.
fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= LONGEST_TOKEN)
        .then_some(token)
}

/// Where a request comes from, for the record of acts. What a proxy says of it is believed where the station was told of
/// one ([`proxy`](super::proxy)).
pub(super) fn origin(parts: &Parts) -> String {
    peer(parts).map_or_else(|| "unknown".to_owned(), |peer| peer.0.ip().to_canonical().to_string())
}

/// The network that a request comes from, of which whoever sends it has the whole: of IPv6 the first 64 bits, else the
/// address itself.
pub(super) fn network(parts: &Parts) -> String {
    match peer(parts).map(|peer| peer.0.ip().to_canonical()) {
        Some(IpAddr::V6(address)) => {
            let [first, second, third, fourth, ..] = address.segments();
            format!("{first:x}:{second:x}:{third:x}:{fourth:x}::/64")
        }
        _ => origin(parts),
    }
}

/// The other end of the connection.
pub(super) fn peer(parts: &Parts) -> Option<Peer> {
    parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| *peer)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn whoever_has_one_address_of_ipv6_has_its_network() {
        let from = |address: &str| {
            let peer = ConnectInfo(Peer(address.parse().unwrap()));
            network(&Request::builder().extension(peer).body(()).unwrap().into_parts().0)
        };
        assert_eq!(from("192.0.2.7:9"), "192.0.2.7");
        assert_eq!(from("[::ffff:192.0.2.7]:9"), "192.0.2.7");
        assert_eq!(from("[2001:db8:0:7::1]:9"), from("[2001:db8:0:7:1::1]:9"));
        assert_ne!(from("[2001:db8:0:7::1]:9"), from("[2001:db8:0:8::1]:9"));
    }
}
