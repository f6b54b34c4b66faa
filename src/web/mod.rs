//! HTTP: the interface for programs under `/api/v1`, and the console for people.
//!
//! Knows people, the store and the engines' handles; no device, no audio path. Nothing here can hold up an engine: a
//! command goes into a bounded queue or is refused, a status is the newest one and never waited for.
//!
//! Everything asks for a token or a login except `/api/v1/health`, the document `/api/v1/openapi.json`, `/metrics` from
//! the machine itself, and the page to sign in on. There is no default user and no default password: the first person
//! comes in by a link that the machine prints, once, or is made on the command line.

mod air;
mod api;
mod clock;
mod console;
mod drawer;
mod examining;
mod input;
mod listener;
mod person;
mod places;
mod problem;
mod proxy;
mod recordings;
#[cfg(test)]
mod tests;
mod uploads;
mod withdrawing;

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::access::OwnWork;
use crate::access::throttle::Throttle;
use crate::clock::Clock;
use crate::editing::Desk;
use crate::engine::handle::Handle;
use crate::intake::Intake;
use crate::segment::SegmentId;
use crate::store::Store;
use crate::text::http::Refusal;
use crate::timeline::plan::Plan;
use air::LateActs;
use drawer::Drawer;
pub use examining::take_up_uploads;
use listener::{Bounded, Line, Patience};
pub use places::Places;
use problem::Problem;
pub use proxy::Proxy;
pub use uploads::Uploads;
use withdrawing::Unkept;

/// The largest body of anything but an upload, in bytes.
const BODY_BYTES: u64 = 64 * 1024;
/// How long anything but an upload and a walk through the log may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long requests at work may go on once the program stops.
const GRACE: Duration = Duration::from_secs(3);

/// What the interface is made of; cheap to clone, as each route and each request does.
#[derive(Debug, Clone)]
pub struct State {
    /// Facts.
    pub store: Store,
    /// The way in for recordings.
    pub intake: Arc<Intake>,
    /// Where the schedule's files are changed.
    pub desk: Arc<Desk>,
    /// The station's `audio/`.
    pub audio_dir: Arc<Path>,
    /// The engines, one for each output.
    pub engines: Arc<[Handle]>,
    /// The plan in force.
    pub plan: watch::Receiver<Arc<Plan>>,
    /// A nudge to plan anew.
    pub replan: SyncSender<()>,
    /// When the planner last had looked at everything, by the clock's `elapsed`.
    pub planner_turned: watch::Receiver<Duration>,
    /// What should be kept in memory for emergencies and is not.
    pub unready: watch::Receiver<BTreeSet<SegmentId>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How much is taken at once.
    pub limits: Arc<Limits>,
    /// Whether a proxy stands in front.
    pub proxy: Proxy,
}

/// How much is taken at once.
#[derive(Debug)]
pub struct Limits {
    /// Uploads at work.
    pub uploads: Places,
    /// Listeners for events.
    pub listeners: Arc<Semaphore>,
    /// Listeners to recordings as they will air, each of which keeps a decoder busy.
    pub listens: Arc<Semaphore>,
    /// Files that come in parts.
    pub resumable: Uploads,
    /// Walks through the log.
    pub walks: Arc<Semaphore>,
    /// Days that are rehearsed.
    pub rehearsals: Arc<Semaphore>,
    /// Files that are hashed before they are approved. One on a disk that hangs keeps its place.
    pub looks: Arc<Semaphore>,
    /// Hashes of passwords.
    pub hashes: Arc<Semaphore>,
    /// Attempts to sign in that failed.
    pub guesses: Mutex<Throttle>,
    /// What was typed into forms whose login had ended.
    unsent: Mutex<Drawer>,
    /// Withdrawals that are done and not kept yet.
    unkept: Unkept,
    /// Other acts on the air that are done and not kept yet.
    late_acts: LateActs,
    /// How long who withdraws something waits until that is kept.
    pub kept: Duration,
    /// How long after a failure it is tried again to keep it; the store itself waits ten seconds for a lock.
    pub keep_again: Duration,
    /// How long the next bytes of an upload may take to come.
    pub stall: Duration,
    /// How long nothing may move on a connection of which no request is at work.
    pub idle: Duration,
    /// How long the head of a request may take to come.
    pub head: Duration,
    /// How long a changed schedule is waited for to come into force.
    pub in_force: Duration,
    /// How often listeners for events are sent something, so that both ends know the other is there.
    pub heartbeat: Duration,
    /// How often it is looked whether listeners for events may go on.
    pub look_again: Duration,
}

impl Limits {
    /// Limits with room for so many uploads at once.
    pub fn with_uploads(uploads: usize) -> Self {
        Self {
            uploads: Places::new(uploads),
            listeners: Arc::new(Semaphore::new(32)),
            listens: Arc::new(Semaphore::new(4)),
            resumable: Uploads::default(),
            walks: Arc::new(Semaphore::new(1)),
            rehearsals: Arc::new(Semaphore::new(1)),
            looks: Arc::new(Semaphore::new(2)),
            hashes: Arc::new(Semaphore::new(1)),
            guesses: Mutex::default(),
            unsent: Mutex::default(),
            unkept: Unkept::default(),
            late_acts: LateActs::default(),
            kept: Duration::from_secs(5),
            keep_again: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            idle: listener::IDLE,
            head: listener::HEAD,
            in_force: Duration::from_secs(3),
            heartbeat: Duration::from_secs(15),
            look_again: Duration::from_secs(5),
        }
    }
}

impl Default for Limits {
    /// Four uploads: more would only wait for the processor, which decodes them, and the air comes first.
    fn default() -> Self {
        Self::with_uploads(4)
    }
}

impl State {
    /// The plan in force.
    fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.borrow())
    }

    /// The station's date.
    fn today(&self) -> Date {
        self.plan().schedule.time_zone.to_datetime(self.clock.now()).date()
    }

    /// Whether people may approve what they handed in, as the schedule in force has it.
    fn own_work(&self) -> OwnWork {
        if self.plan().schedule.rules.approve_own_work { OwnWork::MayApprove } else { OwnWork::NeedsAnother }
    }

    /// Has the plan made anew, after a change of the catalogue.
    fn nudge(&self) {
        // Full: it was nudged already. Gone: the program is stopping.
        let _nudged = self.replan.try_send(());
    }
}

/// The whole interface.
pub fn router(state: State) -> Router {
    let (api, _) = api::router().split_for_parts();
    let whole = api
        .merge(console::router())
        .fallback(|| async { Problem::from(Refusal::NoRoute) })
        .method_not_allowed_fallback(|| async { Problem::from(Refusal::WrongMethod) })
        .layer(DefaultBodyLimit::max(usize::try_from(BODY_BYTES).unwrap_or(usize::MAX)))
        .layer(from_fn_with_state(state.clone(), console::for_people))
        .layer(from_fn(guarded));
    let whole = if state.proxy == Proxy::Here { whole.layer(from_fn(proxy::asked_for)) } else { whole };
    whole.with_state(state)
}

/// Serves the interface until `stop`, and a little longer for what is at work then. Meanwhile what was sent in is
/// examined, also what came whole before the program started.
pub async fn serve(
    listener: TcpListener,
    state: State,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let limits = Arc::clone(&state.limits);
    let patience = Patience { idle: limits.idle, head: limits.head };
    let uploads = examining::look_after_uploads(state.clone());
    let (stopped, stopping) = oneshot::channel();
    let service =
        router(state).layer(from_fn(listener::at_work)).into_make_service_with_connect_info::<Line>();
    let serving = axum::serve(Bounded::new(listener, patience), service).with_graceful_shutdown(async move {
        stop.await;
        // Nobody waits for it only when the serving has ended.
        let _told = stopped.send(());
    });
    let out_of_patience = async {
        let _told = stopping.await;
        tokio::time::sleep(GRACE).await;
    };
    let served = tokio::select! {
        served = serving => served,
        () = out_of_patience => Ok(()),
        never = uploads => match never {},
    };
    limits.resumable.stop();
    served
}

/// Every answer says that its type is what it says, and stays out of caches.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Gives up on an answer that takes too long.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::from(Refusal::TooSlow).into_response(),
    }
}
