//! Browsers that somebody has signed in with before: whoever guesses at their name elsewhere does not hold them up.
//!
//! The mark follows from what is kept of the password, which nobody can know who has not read the database. It opens
//! nothing, and a new password ends it.

use axum::http::request::Parts;
use sha2::{Digest as _, Sha256};

use crate::access::password::{Kept, same};
use crate::segment::ContentHash;
use crate::web::person;
use crate::web::proxy::Scheme;

/// What the cookies' names begin with; the person's follows, for a browser may be shared.
const COOKIE: &str = "loa-quen-";
/// A browser is known for a year.
const SECONDS: u32 = 365 * 86_400;

/// By what the browsers of a person are known.
#[derive(Debug)]
pub(super) struct Mark {
    cookie: String,
    value: String,
}

impl Mark {
    /// Of the person of a name.
    pub(super) fn of(name: &str, kept: &Kept) -> Self {
        let hash = Sha256::new().chain_update("known").chain_update(&kept.salt).chain_update(kept.hash);
        Self { cookie: format!("{COOKIE}{name}"), value: ContentHash(hash.finalize().into()).to_string() }
    }

    /// Whether a browser has it.
    pub(super) fn is_shown(&self, parts: &Parts) -> bool {
        person::cookie(parts, &self.cookie).is_some_and(|shown| same(shown.as_bytes(), self.value.as_bytes()))
    }

    /// The cookie by which a browser has it.
    pub(super) fn cookie(&self, scheme: Scheme) -> String {
        let (Self { cookie, value }, secure) = (self, scheme.cookie_mark());
        format!("{cookie}={value}; Path=/dang-nhap; Max-Age={SECONDS}; HttpOnly; SameSite=Strict{secure}")
    }
}
