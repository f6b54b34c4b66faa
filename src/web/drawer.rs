//! Where forms lie that were sent without a login, until their browser has signed in.
//!
//! What is in the drawer never travels: the browser has a secret that names it, and no page can be made up that shows more
//! or other than what this browser sent. Which forms are kept, and what is done with them, the console says.

use std::collections::VecDeque;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::request::Parts;

use super::person::cookie;
use super::problem::Problem;
use super::proxy::Scheme;
use crate::access::password::same;
use crate::segment::ContentHash;

/// The cookie that names what a browser has in the drawer.
const COOKIE: &str = "loa-gui";
/// Forms in the drawer, at most; the oldest makes room.
const KEPT_AT_MOST: usize = 16;
/// For how long one lies there.
const KEPT_FOR: Duration = Duration::from_secs(1_800);

/// A form that was sent too late.
#[derive(Debug)]
pub(super) struct Unsent {
    /// The address that it was sent to.
    pub(super) to: String,
    /// The page that it was on.
    pub(super) from: String,
    /// It changes the schedule.
    pub(super) calendar: bool,
    /// What it says.
    pub(super) fields: Vec<(String, String)>,
}

/// Forms that wait until their browser has signed in.
#[derive(Debug, Default)]
pub(super) struct Drawer {
    /// The oldest first: the browser's secret, until when it lies here by the clock's `elapsed`, and the form.
    kept: VecDeque<(String, Duration, Unsent)>,
}

impl Drawer {
    /// Puts a form in; the cookie by which its browser has it again.
    pub(super) fn put(
        &mut self,
        unsent: Unsent,
        scheme: Scheme,
        now: Duration,
    ) -> Result<HeaderValue, Problem> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|failure| Problem::unexpected(&failure))?;
        let secret = ContentHash(secret).to_string();
        let seconds = KEPT_FOR.as_secs();
        // Never sent with what another site begins.
        let secure = scheme.cookie_mark();
        let cookie = format!(
            "{COOKIE}={secret}; Path=/dang-nhap; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
        );
        while self.kept.len() >= KEPT_AT_MOST {
            self.kept.pop_front();
        }
        self.kept.push_back((secret, now + KEPT_FOR, unsent));
        HeaderValue::try_from(cookie).map_err(|failure| Problem::unexpected(&failure))
    }

    /// Whether a browser has something in it.
    pub(super) fn has(&self, parts: &Parts, now: Duration) -> bool {
        self.place(parts, now).is_some()
    }

    /// Takes a browser's form out.
    pub(super) fn take(&mut self, parts: &Parts, now: Duration) -> Option<Unsent> {
        let place = self.place(parts, now)?;
        self.kept.remove(place).map(|(_, _, unsent)| unsent)
    }

    fn place(&self, parts: &Parts, now: Duration) -> Option<usize> {
        let shown = cookie(parts, COOKIE)?;
        self.kept
            .iter()
            .position(|(secret, until, _)| now < *until && same(secret.as_bytes(), shown.as_bytes()))
    }
}
