//! A proxy on the same machine: who asks through it, and whether they do over TLS.
//!
//! Anybody can write `X-Forwarded-For`, and a proxy that knows nothing of it passes on what was written. So it is
//! believed only where the station was told of a proxy, of what comes from the machine itself, and of that only the last
//! entry, which is the proxy's own.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use super::State;
use super::listener::Peer;

/// Whether a proxy stands in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Proxy {
    /// Nobody speaks for others.
    #[default]
    None,
    /// On this machine, and it says for whom it asks: `X-Forwarded-For`, `X-Forwarded-Proto`.
    Here,
}

/// How the station is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// That of a request.
    pub(super) fn of(parts: &Parts) -> Self {
        parts.extensions.get().copied().unwrap_or(Self::Http)
    }

    /// As addresses begin with it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// What cookies say of it. Not `Secure` over plain HTTP, over which stations are reached in their own network: it would
    /// not come back.
    pub(super) fn cookie_mark(self) -> &'static str {
        match self {
            Self::Http => "",
            Self::Https => "; Secure",
        }
    }
}

impl FromRequestParts<State> for Scheme {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// Puts whoever the proxy asks for in its place.
pub(super) async fn asked_for(mut request: Request, next: Next) -> Response {
    let from = request.extensions().get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| peer.0);
    if from.is_some_and(|from| from.ip().to_canonical().is_loopback()) {
        if last(request.headers(), "x-forwarded-proto")
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
        {
            request.extensions_mut().insert(Scheme::Https);
        }
        if let Some(client) = last(request.headers(), "x-forwarded-for").and_then(address) {
            request.extensions_mut().insert(ConnectInfo(Peer(client)));
        }
    }
    next.run(request).await
}

/// The last entry of a list that may stand in several headers.
fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get_all(name).iter().next_back()?.to_str().ok()?.rsplit(',').next().map(str::trim)
}

/// An address with or without a port; without, it is 0.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = || text.trim_matches(['[', ']']).parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 0));
    text.parse().ok().or_else(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_with_ports_and_brackets_or_without() {
        let of = |text| address(text).map(|address| address.ip().to_string());
        for (text, ip) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:4711", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
        ] {
            assert_eq!(of(text).as_deref(), Some(ip));
        }
        assert_eq!([of("unknown"), of(""), of("_hidden")], [None, None, None]);
    }
}
