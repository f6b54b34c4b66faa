//! What happens on air, as it happens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Of;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::future::select_all;
use futures_util::stream::{self, Stream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, sleep_until, timeout};

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

/// What a disk does not say within this is not waited for before the first event.
const DISK_ANSWERS: Duration = Duration::from_secs(1);

/// One listener's place in what happens.
struct Listening {
    state: State,
    engines: Vec<watch::Receiver<Status>>,
    /// None before the first event.
    last: Option<Instant>,
    shown: Shown,
    /// What was wrong with the station when the listener was last told, or began.
    wrong: Vec<String>,
    /// What of it the disk said last.
    of_the_disk: Vec<String>,
    /// The disk is being asked; one that hangs holds up nothing else.
    asked: Option<JoinHandle<Vec<String>>>,
    /// When it is looked again whether what was shown still opens the door.
    look: Instant,
    _place: OwnedSemaphorePermit,
}

impl Listening {
    /// The next event; none when every engine has ended, or the listener may not listen any more.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if let Some(last) = self.last {
            loop {
                let wrong = health::at_hand(&self.state, &self.of_the_disk);
                if wrong != self.wrong {
                    self.wrong = wrong;
                    let event = Event::default().event("health").json_data(&self.wrong).ok()?;
                    return Some((Ok(event), self));
                }
                if self.look <= Instant::now() {
                    self.may_go_on().await.then_some(())?;
                    self.look = Instant::now() + self.state.limits.look_again;
                    let state = self.state.clone();
                    let ask = || tokio::spawn(async move { health::of_the_disk(&state).await });
                    self.asked.get_or_insert_with(ask);
                }
                tokio::select! {
                    changed = changed(&mut self.engines) => { changed?; break }
                    () = sleep_until(self.look) => {}
                    said = answer(&mut self.asked) => {
                        self.asked = None;
                        self.of_the_disk = said.unwrap_or_default();
                    }
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

/// Waits for the answer to something that was asked; for ever, where nothing was.
async fn answer<T>(asked: &mut Option<JoinHandle<T>>) -> Result<T, JoinError> {
    match asked {
        Some(asked) => asked.await,
        None => std::future::pending().await,
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
/// `health`, with what `/health` has in `wrong`, within seconds after that changed. They
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
    let of_the_disk = timeout(DISK_ANSWERS, health::of_the_disk(&state)).await.unwrap_or_default();
    let wrong = health::at_hand(&state, &of_the_disk);
    let listening =
        Listening { state, engines, last: None, wrong, of_the_disk, asked: None, shown, look, _place: place };
    Ok(Sse::new(stream::unfold(listening, Listening::next)).keep_alive(KeepAlive::new().interval(heartbeat)))
}
