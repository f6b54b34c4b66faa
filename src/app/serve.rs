//! The daemon: everything started in order, stopped in reverse.
//!
//! Store, recorder, engines, planner, housekeeping, web. A recorder or planner that panics is started again. An engine
//! that does ends the program with [`Exit::GaveUp`], for systemd to start anew: a cold start is the recovery that every power cut
//! exercises, and takes less than a second.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tracing::{error, info, warn};

use super::boot::{BootError, boot};
use super::cli;
use super::exit::Exit;
use super::housekeeping::{self, Chores};
use super::planner::Planner;
use super::recorder::{FACTS, record};
use super::rescan;
use super::station::Station;
use super::supervise::{Health, supervise};
use crate::asrun::{Fact, Note};
use crate::clock::{Clock, SystemClock};
use crate::editing::Desk;
use crate::engine::handle::{Command, Handle};
use crate::engine::preroll::Ahead;
use crate::engine::{Engine, Parts};
use crate::intake::Intake;
use crate::media::ingest::{Ingest, Limits};
use crate::output::amplifier::{self, Amplifier, Switch};
use crate::output::{self, OutputError};
use crate::schedule::Output;
use crate::segment::Troubles;
use crate::sequencer::Settings;
use crate::store::{Link, Store};
use crate::text;
use crate::timeline::plan::Plan;
use crate::web;

/// How often systemd is told that the engines turn; its `WatchdogSec` is three times that.
const WATCHDOG: Duration = Duration::from_secs(10);
/// What web requests get to finish at the end.
const LAST_REQUESTS: Duration = Duration::from_secs(2);

type EngineThread = JoinHandle<Result<(), OutputError>>;
/// The ends of the engines' threads.
type Engines = JoinSet<std::thread::Result<Result<(), OutputError>>>;

/// Runs the station until it is told to stop.
pub fn serve(station: &Station, options: &cli::Serve) -> anyhow::Result<Exit> {
    let _lock = station.lock()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let store = Store::open(&station.data())?;
    if let Err(failure) = store.keep_reserve() {
        warn!(error = &failure as &dyn std::error::Error, "no reserve is kept for a full disk");
    }
    let plan = match boot(station, &store, clock.now()) {
        Ok(plan) => Arc::new(plan),
        Err(BootError::Schedule(problems)) => {
            super::commands::print_problems(&problems)?;
            bail!("the schedule has problems, and none was ever in force");
        }
        Err(BootError::Store(failure)) => return Err(failure.into()),
    };
    let (health, mut watched) = watch::channel(Health::default());
    let (plans, current) = watch::channel(Arc::clone(&plan));
    let (facts, fact_queue) = sync_channel(FACTS);
    let (replan, nudges) = sync_channel(1);

    // The web's threads sleep while nobody calls: what wakes by itself, signals and chores, is this thread's.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let own = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything is switched on: told to stop in its first moments, the program stops in order too.
    let signals = own.block_on(async { Signals::listen() }).context("cannot listen to signals")?;
    let recorder = start_recorder(&clock, &health, &store, fact_queue, replan.clone())?;
    // A station that cannot look for what was left on still plays.
    let has_switch =
        |output: &str| plan.schedule.output(&output.into()).is_some_and(|line| line.amplifier.is_some());
    if let Err(cause) = amplifier::switch_off_left_on(&station.data(), has_switch) {
        warn!(error = &cause as &dyn std::error::Error, "amplifiers that were left on cannot be looked for");
    }
    let (engines, threads) = start_engines(station, &plan, &clock, &facts, options.output.as_deref())?;
    let mut ends = JoinSet::new();
    for thread in threads {
        ends.spawn_blocking_on(move || thread.join(), own.handle());
    }
    drop(facts);
    let desk = Arc::new(Desk::new(station.schedule(), store.clone()));
    let (broken, troubles) = watch::channel(Arc::default());
    let nightly: Arc<Notify> = Arc::default();
    let rescan = rescan::keep_looking(
        station.audio(),
        current.clone(),
        Arc::clone(&nightly),
        broken,
        Arc::clone(&clock),
    );
    let planner =
        start_planner(station, &desk, &clock, &health, &store, &engines, (plans, troubles, nudges))?;

    let chores = Chores {
        station: station.clone(),
        store: store.clone(),
        plan: current.clone(),
        rescan: nightly,
        clock: Arc::clone(&clock),
    };
    let state = web::State {
        store: store.clone(),
        intake: Arc::new(intake(station, &store, &clock)),
        desk,
        audio_dir: station.audio().into(),
        engines: engines.clone().into(),
        plan: current,
        replan: replan.clone(),
        clock: Arc::clone(&clock),
        limits: Arc::default(),
        proxy: if options.behind_proxy { web::Proxy::Here } else { web::Proxy::None },
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let served = runtime.block_on(start_web(options.listen, state.clone(), stopped));
    let limits = Arc::clone(&state.limits);
    let gave_up = own.block_on(async {
        tell_systemd(&[sd_notify::NotifyState::Ready]);
        let gave_up = tokio::select! {
            () = told_to_stop(signals) => false,
            () = something_ends(&mut watched, &mut ends) => true,
            broken = housekeeping::keep_house(chores, state) => {
                let Err(failure) = broken;
                error!(error = &failure as &dyn std::error::Error, "there is no housekeeping");
                true
            }
            never = feed_watchdog(&engines, &*clock) => match never {},
            never = rescan => match never {},
        };
        info!("stopping");
        tell_systemd(&[sd_notify::NotifyState::Stopping]);
        drop(stop);
        limits.resumable.stop();
        if let Some(served) = served
            && let Err(panic) = served.await
        {
            error!(error = &panic as &dyn std::error::Error, "the HTTP interface ended with a panic");
        }
        gave_up
    });
    runtime.shutdown_timeout(LAST_REQUESTS);

    drop(replan);
    let ended_well = own.block_on(stop_engines(engines, ends));
    own.shutdown_timeout(LAST_REQUESTS);
    let workers = [recorder.join(), planner.join()];
    if gave_up || !ended_well || workers.iter().any(Result::is_err) {
        return Ok(Exit::GaveUp);
    }
    store.note(clock.now(), Note::Stopped)?;
    Ok(Exit::Fine)
}

fn start_recorder(
    clock: &Arc<dyn Clock>,
    health: &watch::Sender<Health>,
    store: &Store,
    facts: Receiver<Fact>,
    replan: SyncSender<()>,
) -> anyhow::Result<JoinHandle<()>> {
    let store = store.clone();
    let worker =
        supervise("recorder", Arc::clone(clock), health.clone(), move || record(&facts, &store, &replan));
    worker.context("cannot start the recorder's thread")
}

fn start_planner(
    station: &Station,
    desk: &Arc<Desk>,
    clock: &Arc<dyn Clock>,
    health: &watch::Sender<Health>,
    store: &Store,
    engines: &[Handle],
    (plans, troubles, nudges): (watch::Sender<Arc<Plan>>, watch::Receiver<Arc<Troubles>>, Receiver<()>),
) -> anyhow::Result<JoinHandle<()>> {
    let (station, desk, store, engines) =
        (station.clone(), Arc::clone(desk), store.clone(), engines.to_vec());
    let (own_clock, own_health) = (Arc::clone(clock), health.clone());
    let work = move || match Planner::new(
        station.clone(),
        Arc::clone(&desk),
        store.clone(),
        Arc::clone(&own_clock),
        engines.clone(),
        plans.clone(),
        troubles.clone(),
    ) {
        Ok(mut planner) => planner.run(&nudges),
        Err(failure) => {
            error!(error = &failure as &dyn std::error::Error, "the planner cannot begin");
            own_health.send_replace(Health::GaveUp);
        }
    };
    supervise("planner", Arc::clone(clock), health.clone(), work).context("cannot start the planner's thread")
}

fn start_engines(
    station: &Station,
    plan: &Plan,
    clock: &Arc<dyn Clock>,
    facts: &SyncSender<Fact>,
    instead: Option<&str>,
) -> anyhow::Result<(Vec<Handle>, Vec<EngineThread>)> {
    let mut engines = Vec::new();
    let mut threads = Vec::new();
    for line in &plan.schedule.outputs {
        let parts = parts(station, line, clock, plan.at)?;
        let device = instead.unwrap_or(&line.device).to_owned();
        let clock = Arc::clone(clock);
        let (handle, thread) = Engine::spawn(parts, facts.clone(), move || output::open(&device, clock))
            .with_context(|| format!("cannot start the engine of output `{}`", line.id))?;
        engines.push(handle);
        threads.push(thread);
    }
    Ok((engines, threads))
}

/// Starts the HTTP interface. A station whose port is taken still plays: what is heard outranks what is clicked.
async fn start_web(
    listen: SocketAddr,
    state: web::State,
    stopped: oneshot::Receiver<()>,
) -> Option<tokio::task::JoinHandle<()>> {
    let bound = match TcpListener::bind(listen).await {
        Ok(listener) => listener.local_addr().map(|address| (listener, address)),
        Err(cause) => Err(cause),
    };
    match bound {
        Ok((listener, address)) => {
            info!(%address, "the HTTP interface listens on http://{address}");
            welcome(&state, address).await;
            let serve = web::serve(listener, state, async {
                // The sender goes without a word: that is the word.
                let _stop = stopped.await;
            });
            Some(tokio::spawn(async {
                if let Err(cause) = serve.await {
                    error!(error = &cause as &dyn std::error::Error, "the HTTP interface broke off");
                }
            }))
        }
        Err(cause) => {
            error!(%listen, error = &cause as &dyn std::error::Error, "nothing can listen there: the station plays without its HTTP interface");
            None
        }
    }
}

/// A station that nobody belongs to yet prints the link by which its first administrator comes in, once. Whoever reads
/// what the machine prints owns it.
async fn welcome(state: &web::State, address: SocketAddr) {
    let now = state.clock.now();
    let link = move |store: &Store| {
        if store.users()?.is_empty() { store.new_link(Link::First, now).map(Some) } else { Ok(None) }
    };
    match state.store.run(link).await {
        Ok(Some(secret)) => {
            // An address for a browser on this machine.
            let host =
                if address.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { address.ip() };
            let address = format!("http://{}/bat-dau/{secret}", SocketAddr::new(host, address.port()));
            // Whoever should read it may hang: the station does not wait for that.
            tokio::task::spawn_blocking(move || {
                if let Err(cause) = super::commands::say(&text::page::signin::first_link(&address)) {
                    warn!(
                        error = &cause as &dyn std::error::Error,
                        "the first administrator's link could not be printed"
                    );
                }
            });
        }
        Ok(None) => {}
        Err(cause) => {
            error!(
                error = &cause as &dyn std::error::Error,
                "no link for a first administrator could be made"
            );
        }
    }
}

/// What the engine of an output is made of.
fn parts(
    station: &Station,
    line: &Output,
    clock: &Arc<dyn Clock>,
    since: Timestamp,
) -> anyhow::Result<Parts> {
    let switch = line.amplifier.clone().map(|pair| Switch { on: pair.on, off: pair.off });
    let marker = amplifier::marker(&station.data(), line.id.as_str());
    let amplifier = Amplifier::new(switch, marker).context("cannot look after the amplifier")?;
    Ok(Parts {
        output: line.id.clone(),
        settings: Settings { lead: line.lead, tail: line.tail, since: Some(since), ..Settings::default() },
        clock: Arc::clone(clock),
        opener: Arc::new(Ahead { audio: station.audio() }),
        power: amplifier.power(),
        amplifier: Box::new(move |on| amplifier.switch(on)),
    })
}

/// What tells the program to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }
}

/// Waits for a signal.
async fn told_to_stop(Signals { mut terminate, mut interrupt }: Signals) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Waits for the end of something that must not end.
async fn something_ends(health: &mut watch::Receiver<Health>, engines: &mut Engines) {
    tokio::select! {
        gave_up = health.wait_for(|health| *health == Health::GaveUp) => drop(gave_up),
        Some(end) = engines.join_next() => {
            ended_well(end);
            error!("an engine ended by itself");
        }
    }
}

/// Tells systemd again and again that the engines turn, for as long as they do.
async fn feed_watchdog(engines: &[Handle], clock: &dyn Clock) -> Infallible {
    let mut tick = tokio::time::interval(WATCHDOG);
    loop {
        tick.tick().await;
        if engines.iter().all(|engine| engine.turns(clock.now())) {
            tell_systemd(&[sd_notify::NotifyState::Watchdog]);
        }
    }
}

/// Stops the engines and waits for them; whether all ended well.
async fn stop_engines(engines: Vec<Handle>, mut ends: Engines) -> bool {
    for engine in &engines {
        if let Err(refused) = engine.send(Command::Shutdown) {
            warn!(output.id = %engine.output(), error = &refused as &dyn std::error::Error, "the engine could not be told to stop");
        }
    }
    drop(engines);
    let mut well = true;
    while let Some(end) = ends.join_next().await {
        well &= ended_well(end);
    }
    well
}

/// Whether an engine ended well; says so if not.
fn ended_well(end: Result<std::thread::Result<Result<(), OutputError>>, JoinError>) -> bool {
    match end {
        Ok(Ok(Ok(()))) => return true,
        Ok(Ok(Err(failure))) => {
            error!(error = &failure as &dyn std::error::Error, "an engine could not open its output");
        }
        Ok(Err(_)) => error!("an engine ended with a panic"),
        Err(broken) => {
            error!(error = &broken as &dyn std::error::Error, "an engine's end was not waited for");
        }
    }
    false
}

fn tell_systemd(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(cause) = sd_notify::notify(state) {
        warn!(error = &cause as &dyn std::error::Error, "systemd could not be told");
    }
}

/// The station's way in for recordings.
pub fn intake(station: &Station, store: &Store, clock: &Arc<dyn Clock>) -> Intake {
    let ingest =
        Ingest { audio_dir: station.audio(), limits: Limits::default(), ffmpeg: Some("ffmpeg".into()) };
    Intake::new(ingest, store.clone(), Arc::clone(clock))
}
