//! The daemon: everything started in order, stopped in reverse.
//!
//! Store, recorder, engines, planner, housekeeping, web. A recorder or planner that panics is started again. An engine
//! that does ends the program with [`Exit::GaveUp`], for systemd to start anew: a cold start is the recovery that every power cut
//! exercises, and takes less than a second.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tracing::{error, info, warn};

use super::boot::{BootError, boot};
use super::cli;
use super::exit::Exit;
use super::housekeeping::{self, Chores};
use super::planner::{self, Planner};
use super::recorder::{FACTS, SUSPECTS, record};
use super::signals::{Signals, told_to_stop};
use super::station::Station;
use super::supervise::supervise;
use super::watch_log::{rescue, watch_log};
use super::{ready, rescan};
use crate::asrun::{Fact, Note};
use crate::clock::{Clock, SystemClock};
use crate::editing::Desk;
use crate::engine::handle::{Command, Handle};
use crate::engine::opener::Ahead;
use crate::engine::{Engine, Parts};
use crate::intake::Intake;
use crate::media::ingest::{Ingest, Limits};
use crate::output::amplifier::{self, Amplifier, Switch};
use crate::output::null::Null;
use crate::output::{self, OutputName};
use crate::schedule::{Output, OutputId};
use crate::segment::SegmentId;
use crate::sequencer::Settings;
use crate::store::Store;
use crate::text;
use crate::timeline::plan::Plan;
use crate::web;

/// How often systemd is told that the engines turn; its `WatchdogSec` is three times that.
const WATCHDOG: Duration = Duration::from_secs(10);
/// What web requests get to finish at the end.
const LAST_REQUESTS: Duration = Duration::from_secs(2);
/// What the planner gets then to finish its turn, which may be at the disk.
const LAST_TURN: Duration = Duration::from_secs(5);

/// How long until an address is tried again that could not be listened on.
const LISTEN_AGAIN: Duration = Duration::from_secs(2);

/// The ends of the engines' threads.
type Engines = JoinSet<std::thread::Result<()>>;

/// Runs the station until it is told to stop.
pub fn serve(station: &Station, options: &cli::Serve) -> anyhow::Result<Exit> {
    serve_locked(station, &station.lock()?, options, None)
}

/// Runs a station that is locked by this program, until it is told to stop, or was `told` before it began.
pub fn serve_locked(
    station: &Station,
    _lock: &File,
    options: &cli::Serve,
    told: Option<oneshot::Receiver<()>>,
) -> anyhow::Result<Exit> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let store = Store::open(&station.data())?;
    if let Err(failure) = store.keep_reserve() {
        warn!(error = &failure as &dyn std::error::Error, "no reserve is kept for a full disk");
    }
    let plan = first_plan(station, &store, clock.now())?;

    // The web's threads sleep while nobody calls: what wakes by itself, signals and chores, is this thread's.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let own = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything is switched on: told to stop in its first moments, the program stops in order too.
    let signals = own.block_on(async { Signals::listen() }).context("cannot listen to signals")?;
    let mut daemon = Daemon::start(station, options, plan, &store, &clock, own.handle())?;
    let (stop, stopped) = oneshot::channel::<()>();
    let served = runtime.spawn(serve_web(options.listen, daemon.web.clone(), stopped));
    let gave_up = own.block_on(async {
        tell_systemd(&[sd_notify::NotifyState::Ready]);
        let gave_up = daemon.run(signals, told).await;
        info!("stopping");
        tell_systemd(&[sd_notify::NotifyState::Stopping]);
        drop(stop);
        daemon.web.limits.resumable.stop();
        if let Err(panic) = served.await {
            error!(error = &panic as &dyn std::error::Error, "the HTTP interface ended with a panic");
        }
        gave_up
    });
    runtime.shutdown_timeout(LAST_REQUESTS);
    let ended_well = daemon.stop(own);
    let well = !gave_up && ended_well;
    if well {
        store.note(clock.now(), Note::Stopped)?;
    }
    if !store.is_in_place() {
        rescue(&store, clock.now());
    }
    Ok(if well { Exit::Fine } else { Exit::GaveUp })
}

/// The plan to begin with; where there is none, what is wrong with the schedule is printed.
fn first_plan(station: &Station, store: &Store, now: Timestamp) -> anyhow::Result<Arc<Plan>> {
    match boot(station, store, now) {
        Ok(plan) => Ok(Arc::new(plan)),
        Err(BootError::Schedule(problems)) => {
            super::commands::print_problems(station, &problems)?;
            bail!("the schedule has problems, and none was ever in force");
        }
        Err(BootError::Store(failure)) => Err(failure.into()),
    }
}

/// All that runs but the HTTP interface.
struct Daemon {
    engines: Vec<Handle>,
    ends: Engines,
    recorder: JoinHandle<()>,
    planner: JoinHandle<()>,
    /// Told to both.
    stopping: Arc<AtomicBool>,
    /// Told when one of them gives up.
    gave_up: Arc<Notify>,
    chores: Chores,
    web: web::State,
    clock: Arc<dyn Clock>,
}

impl Daemon {
    /// Starts all, in order; what is to be waited for is waited for on `own`.
    fn start(
        station: &Station,
        options: &cli::Serve,
        plan: Arc<Plan>,
        store: &Store,
        clock: &Arc<dyn Clock>,
        own: &tokio::runtime::Handle,
    ) -> anyhow::Result<Self> {
        let gave_up: Arc<Notify> = Arc::default();
        let (facts, fact_queue) = sync_channel(FACTS);
        let (replan, nudges) = sync_channel(1);
        let stopping: Arc<AtomicBool> = Arc::default();
        let (broken_on_air, suspects) = channel(SUSPECTS);
        let nudge = replan.clone();
        let recorder = start_recorder(clock, &gave_up, store, fact_queue, nudge, broken_on_air, &stopping)?;
        switch_off_left_on(station, &plan);
        let (engines, threads) =
            start_engines(station, &plan, store, clock, &facts, options.output.as_ref())?;
        let mut ends = JoinSet::new();
        for thread in threads {
            ends.spawn_blocking_on(move || thread.join(), own);
        }
        let desk = Arc::new(Desk::new(station.schedule(), store.clone()));
        let (plans, current) = watch::channel(plan);
        let (broken, troubles) = watch::channel(Arc::default());
        let nightly: Arc<Notify> = Arc::default();
        let whole = Arc::clone(&nightly);
        let look = rescan::keep_looking(
            station.audio(),
            current.clone(),
            whole,
            suspects,
            broken,
            Arc::clone(clock),
        );
        own.spawn(look);
        let (missing, unready) = watch::channel(BTreeSet::new());
        own.spawn(ready::keep_ready(station.audio(), current.clone(), engines.clone(), missing));
        let (turned, planner_turned) = watch::channel(clock.elapsed());
        let parts = planner::Parts {
            station: station.clone(),
            desk: Arc::clone(&desk),
            store: store.clone(),
            clock: Arc::clone(clock),
            engines: engines.clone(),
            plan: plans,
            troubles,
            turned,
        };
        let planner = start_planner(parts, &gave_up, nudges, &stopping)?;
        let chores = Chores {
            station: station.clone(),
            store: store.clone(),
            plan: current.clone(),
            rescan: nightly,
            clock: Arc::clone(clock),
        };
        let web = web::State {
            store: store.clone(),
            intake: Arc::new(intake(station, store, clock)),
            desk,
            audio_dir: station.audio().into(),
            engines: engines.clone().into(),
            plan: current,
            replan,
            planner_turned,
            unready,
            clock: Arc::clone(clock),
            limits: Arc::default(),
            proxy: if options.behind_proxy { web::Proxy::Here } else { web::Proxy::None },
        };
        let clock = Arc::clone(clock);
        Ok(Self { engines, ends, recorder, planner, stopping, gave_up, chores, web, clock })
    }

    /// Waits until the program is told to stop; whether it has to because something ended that must not.
    async fn run(&mut self, signals: Signals, told: Option<oneshot::Receiver<()>>) -> bool {
        tokio::select! {
            () = told_to_stop(signals) => false,
            () = was_told(told) => false,
            () = something_ends(&self.gave_up, &mut self.ends) => true,
            broken = housekeeping::keep_house(self.chores.clone(), self.web.clone()) => {
                let Err(failure) = broken;
                error!(error = &failure as &dyn std::error::Error, "there is no housekeeping");
                true
            }
            never = feed_watchdog(&self.engines, &*self.clock) => match never {},
            never = watch_log(&self.web.store, &self.clock) => match never {},
        }
    }

    /// Stops the engines, then those who work for them; whether all ended well.
    fn stop(self, own: tokio::runtime::Runtime) -> bool {
        let Self { engines, ends, recorder, planner, stopping, web, .. } = self;
        stopping.store(true, Ordering::Relaxed);
        // Wakes the planner; full: it is about to wake.
        let _nudged = web.replan.try_send(());
        let ended_well = own.block_on(async {
            let engines = stop_engines(engines, ends).await;
            planner_ends(planner, LAST_TURN).await && engines
        });
        own.shutdown_timeout(LAST_REQUESTS);
        recorder.join().is_ok() && ended_well
    }
}

/// Ends once the program was told to stop by what listened before it served.
async fn was_told(told: Option<oneshot::Receiver<()>>) {
    if let Some(told) = told
        && told.await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// A station that cannot look for what was left on still plays.
fn switch_off_left_on(station: &Station, plan: &Plan) {
    let has_switch =
        |output: &str| plan.schedule.output(&output.into()).is_some_and(|line| line.amplifier.is_some());
    if let Err(cause) = amplifier::switch_off_left_on(&station.data(), has_switch) {
        warn!(error = &cause as &dyn std::error::Error, "amplifiers that were left on cannot be looked for");
    }
}

fn start_recorder(
    clock: &Arc<dyn Clock>,
    gave_up: &Arc<Notify>,
    store: &Store,
    facts: Receiver<Fact>,
    replan: SyncSender<()>,
    broken: Sender<SegmentId>,
    stopping: &Arc<AtomicBool>,
) -> anyhow::Result<JoinHandle<()>> {
    let (store, stopping) = (store.clone(), Arc::clone(stopping));
    let work = move || record(&facts, &store, &replan, &broken, &stopping);
    let worker = supervise("recorder", Arc::clone(clock), Arc::clone(gave_up), work);
    worker.context("cannot start the recorder's thread")
}

fn start_planner(
    parts: planner::Parts,
    gave_up: &Arc<Notify>,
    nudges: Receiver<()>,
    stopping: &Arc<AtomicBool>,
) -> anyhow::Result<JoinHandle<()>> {
    let (clock, stopping) = (Arc::clone(&parts.clock), Arc::clone(stopping));
    let cannot_begin = Arc::clone(gave_up);
    let work = move || match Planner::new(parts.clone()) {
        Ok(mut planner) => planner.run(&nudges, &stopping),
        Err(failure) => {
            error!(error = &failure as &dyn std::error::Error, "the planner cannot begin");
            cannot_begin.notify_one();
        }
    };
    supervise("planner", clock, Arc::clone(gave_up), work).context("cannot start the planner's thread")
}

fn start_engines(
    station: &Station,
    plan: &Plan,
    store: &Store,
    clock: &Arc<dyn Clock>,
    facts: &SyncSender<Fact>,
    instead: Option<&OutputName>,
) -> anyhow::Result<(Vec<Handle>, Vec<JoinHandle<()>>)> {
    let mut engines = Vec::new();
    let mut threads = Vec::new();
    let outputs = &plan.schedule.outputs;
    for line in outputs {
        let parts = parts(station, line, store, clock, plan.at)?;
        let (output, clock) = (line.id.clone(), Arc::clone(clock));
        let name = match instead {
            None => line.device.clone(),
            Some(name) if outputs.len() == 1 => name.to_string(),
            Some(name) => name.of_one(line.id.as_str()).to_string(),
        };
        let (handle, thread) = Engine::spawn(parts, facts.clone(), move || open(&output, name, clock))
            .with_context(|| format!("cannot start the engine of output `{}`", line.id))?;
        engines.push(handle);
        threads.push(thread);
    }
    Ok((engines, threads))
}

/// Opens an output; one that cannot be is down, and the others play.
fn open(output: &OutputId, name: String, clock: Arc<dyn Clock>) -> Box<dyn output::Output> {
    let opened = name.parse().and_then(|name| output::open(name, Arc::clone(&clock)));
    opened.unwrap_or_else(|failure| {
        error!(output.id = %output, error = &failure as &dyn std::error::Error, "the output cannot be opened, and stays silent until the next start; others play");
        Box::new(Null::down(name, clock))
    })
}

/// Serves HTTP until it is told to stop. A station whose port is taken still plays: what is heard outranks what is clicked.
async fn serve_web(listen: SocketAddr, state: web::State, mut stopped: oneshot::Receiver<()>) {
    let listener = tokio::select! {
        listener = listen_on(listen) => listener,
        // The sender goes without a word: that is the word.
        _ = &mut stopped => return,
    };
    let address = listener.local_addr().unwrap_or(listen);
    info!(%address, "the HTTP interface listens on http://{address}");
    welcome(&state, address).await;
    let serve = web::serve(listener, state, async {
        let _stop = stopped.await;
    });
    if let Err(cause) = serve.await {
        error!(error = &cause as &dyn std::error::Error, "the HTTP interface broke off");
    }
}

/// Tries until the address can be listened on: after a power cut the network may come later than the station.
async fn listen_on(address: SocketAddr) -> TcpListener {
    let mut told = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(cause) if !told => {
                error!(%address, error = &cause as &dyn std::error::Error, "nothing can listen there: the station plays without its HTTP interface, and goes on trying");
                told = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

/// A station without an administrator prints the link by which its first administrator comes in, once. Whoever reads
/// what the machine prints owns it.
async fn welcome(state: &web::State, address: SocketAddr) {
    let now = state.clock.now();
    let link = move |store: &Store| store.with_people("make a link", move |people| people.first_link(now));
    match state.store.run(link).await {
        Ok(Some(secret)) => {
            // An address for a browser on this machine.
            let host =
                if address.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { address.ip() };
            let address = format!("http://{}/bat-dau/{secret}", SocketAddr::new(host, address.port()));
            // Whoever should read it may hang: the station does not wait for that.
            tokio::task::spawn_blocking(move || {
                if let Err(cause) = super::commands::must_say(&text::page::signin::first_link(&address)) {
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
    store: &Store,
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
        opener: Arc::new(Ahead { audio: station.audio(), seals: Arc::new(store.clone()) }),
        power: amplifier.power(),
        amplifier: Box::new(move |on| amplifier.switch(on)),
    })
}

/// Waits for the end of something that must not end.
async fn something_ends(gave_up: &Notify, engines: &mut Engines) {
    tokio::select! {
        () = gave_up.notified() => {}
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

/// Waits until the planner has ended, and not for long: it may hang at a disk. Whether it ended well.
async fn planner_ends(planner: JoinHandle<()>, limit: Duration) -> bool {
    match tokio::time::timeout(limit, tokio::task::spawn_blocking(move || planner.join())).await {
        Ok(Ok(Ok(()))) => return true,
        Ok(Ok(Err(_)) | Err(_)) => error!("the planner ended with a panic"),
        Err(_) => error!("the planner hangs, and is not waited for"),
    }
    false
}

/// Whether an engine ended well; says so if not.
fn ended_well(end: Result<std::thread::Result<()>, JoinError>) -> bool {
    match end {
        Ok(Ok(())) => return true,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_planner_that_hangs_is_not_waited_for() {
        let (end, ends) = sync_channel::<()>(0);
        let hangs = std::thread::spawn(move || ends.iter().for_each(drop));
        assert!(!planner_ends(hangs, Duration::ZERO).await);
        drop(end);
        assert!(planner_ends(std::thread::spawn(|| {}), LAST_TURN).await);
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_listened_on_once_it_is_free() {
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = other.local_addr().unwrap();
        let ours = tokio::spawn(listen_on(address));
        tokio::task::yield_now().await;
        assert!(!ours.is_finished());
        drop(other);
        assert_eq!(ours.await.unwrap().local_addr().unwrap(), address);
    }
}
