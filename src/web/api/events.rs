//! What happens on air, as it happens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Of;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::future::select_all;
use futures_util::stream::{self, Stream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};

use super::health;
use super::status::outputs;
use crate::access::permit;
use crate::engine::handle::Status;
use crate::text::http::Refusal;
use crate::web::State;
use crate::web::person::{Needs as _, Person, See, Shown};
use crate::web::problem::Problem;

/// At most four a second: what a level meter needs.
const APART: Duration = Duration::from_millis(250);

/// One listener's place in what happens.
struct Listening {
    state: State,
    engines: Vec<watch::Receiver<Status>>,
    /// None before the first event.
    last: Option<Instant>,
    shown: Shown,
    /// What was wrong with the station when the listener was last told, or began.
    wrong: Vec<String>,
    /// When it is looked again whether what was shown still opens the door.
    look: Instant,
    _place: OwnedSemaphorePermit,
}

impl Listening {
    /// The next event; none when every engine has ended, or the listener may not listen any more.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if let Some(last) = self.last {
            loop {
                let wrong = health::at_hand(&self.state);
                if wrong != self.wrong {
                    self.wrong = wrong;
                    let event = Event::default().event("health").json_data(&self.wrong).ok()?;
                    return Some((Ok(event), self));
                }
                if self.look <= Instant::now() {
                    self.may_go_on().await.then_some(())?;
                    self.look = Instant::now() + self.state.limits.look_again;
                }
                tokio::select! {
                    changed = changed(&mut self.engines) => { changed?; break }
                    () = sleep_until(self.look) => {}
                }
            }
            sleep_until(last + APART).await;
        }
        for engine in &mut self.engines {
            engine.mark_unchanged();
        }
        self.last = Some(Instant::now());
        let event = Event::default().event("status").json_data(outputs(&self.state)).ok()?;
        Some((Ok(event), self))
    }

    /// Whether the token still holds, or the login, and its person may listen. Where the disk does not say, they go on
    /// until it does.
    async fn may_go_on(&self) -> bool {
        let asked = self.shown.user(&self.state).await;
        asked.map_or(true, |user| user.is_some_and(|user| permit(&user.roles, See::PERMISSION)))
    }
}

/// Waits for any engine's status to change, forgetting those that have ended; none when all have.
async fn changed(engines: &mut Vec<watch::Receiver<Status>>) -> Option<()> {
    while !engines.is_empty() {
        let (changed, ended, _) =
            select_all(engines.iter_mut().map(|engine| Box::pin(engine.changed()))).await;
        if changed.is_ok() {
            return Some(());
        }
        engines.swap_remove(ended);
    }
    None
}

/// Server-sent events: `status`, with what `/status` has in `outputs`, first at once and then with every change; and
/// `health`, with what `/health` has in `wrong` (but for what only a disk can tell), within seconds after that changed. They
/// end with the token or the login of who listens.
#[utoipa::path(get, path = "/events", tag = "station",
    responses((status = OK, description = "Events", content_type = "text/event-stream")))]
pub(super) async fn events(
    _: Person<See>,
    shown: Shown,
    Of(state): Of<State>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let place =
        Arc::clone(&state.limits.listeners).try_acquire_owned().map_err(|_| Refusal::TooManyListeners)?;
    let heartbeat = state.limits.heartbeat;
    let engines = state.engines.iter().map(crate::engine::handle::Handle::watch).collect();
    let look = Instant::now() + state.limits.look_again;
    let wrong = health::at_hand(&state);
    let listening = Listening { state, engines, last: None, wrong, shown, look, _place: place };
    Ok(Sse::new(stream::unfold(listening, Listening::next)).keep_alive(KeepAlive::new().interval(heartbeat)))
}
