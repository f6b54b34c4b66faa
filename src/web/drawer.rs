//! Where forms lie that were sent without a login, until their browser has signed in.
//!
//! What is in the drawer never travels: the browser has a secret that names it, and no page can be made up that shows more
//! or other than what this browser sent. Which forms are kept, and what is done with them, the console says.

use std::collections::VecDeque;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::request::Parts;

use super::person::{cookie, network};
use super::problem::Problem;
use super::proxy::Scheme;
use crate::access::password::same;
use crate::segment::ContentHash;

/// The cookie that names what a browser has in the drawer.
const COOKIE: &str = "loa-gui";
/// Forms in the drawer, at most. Of the address that has the most, the oldest makes room: nobody's goes because one other
/// address sends many.
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
    /// The oldest first.
    kept: VecDeque<Kept>,
}

/// What lies in the drawer.
#[derive(Debug)]
struct Kept {
    /// What its browser has.
    secret: String,
    /// From where it came.
    network: String,
    /// By the clock's `elapsed`.
    until: Duration,
    unsent: Unsent,
}

impl Drawer {
    /// Puts a form in; the cookie by which its browser has it again.
    pub(super) fn put(
        &mut self,
        unsent: Unsent,
        parts: &Parts,
        now: Duration,
    ) -> Result<HeaderValue, Problem> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|failure| Problem::unexpected(&failure))?;
        let secret = ContentHash(secret).to_string();
        let seconds = KEPT_FOR.as_secs();
        // Never sent with what another site begins.
        let secure = Scheme::of(parts).cookie_mark();
        let cookie = format!(
            "{COOKIE}={secret}; Path=/dang-nhap; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
        );
        self.kept.push_back(Kept { secret, network: network(parts), until: now + KEPT_FOR, unsent });
        self.make_room(now);
        HeaderValue::try_from(cookie).map_err(|failure| Problem::unexpected(&failure))
    }

    fn make_room(&mut self, now: Duration) {
        self.kept.retain(|kept| now < kept.until);
        while self.kept.len() > KEPT_AT_MOST {
            let alike = |kept: &Kept| self.kept.iter().filter(|other| other.network == kept.network).count();
            let most = self.kept.iter().map(alike).max();
            let oldest = self.kept.iter().position(|kept| Some(alike(kept)) == most);
            oldest.and_then(|oldest| self.kept.remove(oldest));
        }
    }

    /// Whether a browser has something in it.
    pub(super) fn has(&self, parts: &Parts, now: Duration) -> bool {
        self.place(parts, now).is_some()
    }

    /// Takes a browser's form out.
    pub(super) fn take(&mut self, parts: &Parts, now: Duration) -> Option<Unsent> {
        let place = self.place(parts, now)?;
        self.kept.remove(place).map(|kept| kept.unsent)
    }

    fn place(&self, parts: &Parts, now: Duration) -> Option<usize> {
        let shown = cookie(parts, COOKIE)?;
        self.kept.iter().position(|kept| now < kept.until && same(kept.secret.as_bytes(), shown.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::ConnectInfo;
    use axum::http::{Request, header};

    use super::*;
    use crate::web::listener::Peer;

    /// A request from an address, of a browser with a cookie.
    fn from(address: &str, cookie: &str) -> Parts {
        let peer = Peer(format!("{address}:9").parse().unwrap());
        let request = Request::builder().header(header::COOKIE, cookie).extension(ConnectInfo(peer));
        request.body(()).unwrap().into_parts().0
    }

    fn put(drawer: &mut Drawer, address: &str, now: Duration) -> String {
        let here = || "/ban-ghi".to_owned();
        let unsent = Unsent { to: here(), from: here(), calendar: false, fields: Vec::new() };
        let cookie = drawer.put(unsent, &from(address, ""), now).unwrap();
        cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    #[test]
    fn one_address_that_sends_many_pushes_out_its_own() {
        let (mut drawer, now) = (Drawer::default(), Duration::ZERO);
        let theirs = put(&mut drawer, "192.0.2.7", now);
        let first = put(&mut drawer, "[2001:db8::1]", now);
        for number in 2..40 {
            put(&mut drawer, &format!("[2001:db8::{number}]"), now);
        }
        let has = |drawer: &Drawer, cookie: &str| drawer.has(&from("192.0.2.7", cookie), now);
        assert!(has(&drawer, &theirs) && !has(&drawer, &first));
        assert_eq!(drawer.kept.len(), KEPT_AT_MOST);
        let last = put(&mut drawer, "192.0.2.8", now);
        assert!(has(&drawer, &theirs) && has(&drawer, &last));
        put(&mut drawer, "192.0.2.8", KEPT_FOR);
        assert_eq!(drawer.kept.len(), 1, "what nobody came back for goes first");
    }
}
