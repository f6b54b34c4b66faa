//! Owns a card's stream: opens it, notices when it is lost, opens it anew, lets it go in rests.
//!
//! What a sound system does may hang: opening and closing happen in threads that are left behind if they do not come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};
use tracing::{debug, info, warn};

use super::OutputError;
use super::device::{self, DeviceName, OpenError, Opened, Stream};
use super::feed::{Line, Meter};
use super::priority::{block_signals, raise_priority};
use crate::clock::Clock;

/// How often a running stream is looked at. That it has ended the engine tells at once; this is for one that is silent.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Without a callback for so long a stream is dead. An idle PulseAudio null sink takes 2 s to the second one.
const SILENT_LIMIT: Duration = Duration::from_secs(3);
/// More errors a second than a stream lives with.
const ERRORS_PER_SECOND: u64 = 50;
/// Between attempts to open a device: from the first to the last.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// How long one attempt may take before it is given up.
const OPEN_LIMIT: Duration = Duration::from_secs(6);
/// What was written before a rest is still heard: a full ring, the device's buffer, and some.
const DRAIN: Duration = Duration::from_millis(300);
/// How often a resting device is looked for.
const PROBE_EVERY: Duration = Duration::from_secs(30);

/// What the engine's half asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Nothing will be written for a while.
    Rest,
    /// Frames are coming, or would come if the stream had not ended.
    Wake,
}

/// How a device is, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Health {
    state: AtomicU8,
    lost: AtomicU64,
}

const OPENING: u8 = 0;
const UP: u8 = 1;
const DOWN: u8 = 2;

impl Health {
    /// Sound leaves, or would.
    pub(super) fn is_up(&self) -> bool {
        self.state.load(Ordering::Acquire) == UP
    }

    /// An attempt to open it has failed, or it was lost; not so before the first attempt.
    pub(super) fn is_down(&self) -> bool {
        self.state.load(Ordering::Acquire) == DOWN
    }

    /// How often it was lost.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Acquire)
    }
}

/// The engine's way to its supervisor; dropping it lets the device go.
#[derive(Debug)]
pub(super) struct Supervisor {
    orders: SyncSender<Order>,
    lines: Consumer<Line>,
    pub(super) health: Arc<Health>,
}

impl Supervisor {
    /// Starts looking after a device, which is opened at once.
    pub(super) fn start(name: DeviceName, clock: Arc<dyn Clock>) -> Result<Self, OutputError> {
        let (orders, receiver) = sync_channel(8);
        let (lines, receiving) = RingBuffer::new(2);
        let health = Arc::new(Health { state: AtomicU8::new(OPENING), lost: AtomicU64::new(0) });
        let keeper = Keeper {
            name,
            clock,
            lines,
            health: Arc::clone(&health),
            open: None,
            awake: true,
            pause: Duration::ZERO,
            complaint: String::new(),
        };
        thread::Builder::new()
            .name("sound-keeper".to_owned())
            .spawn(move || keeper.run(&receiver))
            .map_err(OutputError::Thread)?;
        Ok(Self { orders, lines: receiving, health })
    }

    /// Asks, without waiting; false if the order has to be given again.
    pub(super) fn order(&self, order: Order) -> bool {
        match self.orders.try_send(order) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }

    /// The newest line that was opened since the last call.
    pub(super) fn new_line(&mut self) -> Option<Line> {
        std::iter::from_fn(|| self.lines.pop().ok()).filter(|line| !line.meter.has_ended()).last()
    }
}

/// A stream and what is watched of it.
struct Running {
    stream: Stream,
    meter: Arc<Meter>,
    device: String,
    calls: u64,
    called_at: Duration,
    errors: u64,
    errors_since: Duration,
}

impl Running {
    /// Why it is lost, if it is.
    fn verdict(&mut self, now: Duration) -> Option<&'static str> {
        let calls = self.meter.calls();
        if calls != self.calls {
            (self.calls, self.called_at) = (calls, now);
        }
        let errors = self.meter.errors();
        let storm = errors.saturating_sub(self.errors) > ERRORS_PER_SECOND;
        if now.saturating_sub(self.errors_since) >= Duration::from_secs(1) {
            (self.errors, self.errors_since) = (errors, now);
        }
        match () {
            () if self.meter.has_ended() => Some("it was removed or its server has ended"),
            () if storm => Some("it reports nothing but errors"),
            () if now.saturating_sub(self.called_at) >= SILENT_LIMIT => Some("it asks for no sound"),
            () => None,
        }
    }
}

/// The thread's own.
struct Keeper {
    name: DeviceName,
    clock: Arc<dyn Clock>,
    lines: Producer<Line>,
    health: Arc<Health>,
    open: Option<Running>,
    awake: bool,
    /// Until the next attempt after a failed one; zero while all is well.
    pause: Duration,
    /// The last failure that was logged.
    complaint: String,
}

impl Keeper {
    fn run(mut self, orders: &Receiver<Order>) {
        self.turn();
        loop {
            match orders.recv_timeout(self.patience()) {
                Ok(Order::Rest) => {
                    self.awake = false;
                    continue; // the next time-out is the end of the drain
                }
                Ok(Order::Wake) => self.awake = true,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.turn();
        }
        self.let_go();
    }

    fn patience(&self) -> Duration {
        match (&self.open, self.awake) {
            (Some(_), true) => WATCH_EVERY,
            (Some(_), false) => DRAIN,
            (None, false) if self.pause.is_zero() => PROBE_EVERY,
            (None, _) => self.pause,
        }
    }

    fn turn(&mut self) {
        match (self.open.is_some(), self.awake) {
            (true, true) => self.watch(),
            (true, false) => self.let_go(),
            (false, true) => {
                let attempt = self.attempt();
                let realtime = attempt.as_ref().is_ok_and(|opened| opened.realtime);
                let opened = attempt.map(|opened| self.take(opened));
                self.judge(opened.map(|device| format!("{device}, realtime priority: {realtime}")));
            }
            (false, false) => {
                let probed = in_thread(&self.name, device::probe).and_then(|probed| probed);
                self.judge(probed.map(|()| "resting".to_owned()));
            }
        }
    }

    fn watch(&mut self) {
        let now = self.clock.elapsed();
        let verdict =
            self.open.as_mut().and_then(|running| Some((running.verdict(now)?, running.device.clone())));
        if let Some((reason, device)) = verdict {
            warn!(%device, reason, "the sound device is lost");
            self.health.lost.fetch_add(1, Ordering::AcqRel);
            self.health.state.store(DOWN, Ordering::Release);
            self.let_go();
            self.pause = BACK_OFF.0;
        }
    }

    fn attempt(&self) -> Result<Opened, OpenError> {
        let clock = Arc::clone(&self.clock);
        in_thread(&self.name, move |name| {
            // Threads that the sound system starts have the mask and the priority of this one.
            let realtime = block_signals() && raise_priority();
            device::open(name, clock, realtime)
        })?
    }

    fn take(&mut self, opened: Opened) -> String {
        let now = self.clock.elapsed();
        let Opened { stream, line, .. } = opened;
        let (meter, device) = (Arc::clone(&line.meter), line.device.clone());
        // Full only if the engine takes no lines at all; then it sees the end of this one.
        if self.lines.push(line).is_err() {
            meter.end();
        }
        self.open = Some(Running {
            stream,
            meter,
            device: device.clone(),
            calls: 0,
            called_at: now,
            errors: 0,
            errors_since: now,
        });
        device
    }

    /// Takes note of how an attempt or a probe went; says it once, not each time.
    fn judge(&mut self, outcome: Result<String, OpenError>) {
        let was_up = self.health.is_up();
        match outcome {
            Ok(how) => {
                self.health.state.store(UP, Ordering::Release);
                self.pause = Duration::ZERO;
                if !was_up || !self.complaint.is_empty() {
                    info!(device = %self.name, %how, "the sound device is there");
                } else {
                    debug!(device = %self.name, %how, "the sound device is there");
                }
                self.complaint.clear();
            }
            Err(error) => {
                if was_up {
                    self.health.lost.fetch_add(1, Ordering::AcqRel);
                }
                self.health.state.store(DOWN, Ordering::Release);
                self.pause = (self.pause * 2).clamp(BACK_OFF.0, BACK_OFF.1);
                let complaint = with_causes(&error);
                if complaint != self.complaint {
                    warn!(device = %self.name, error = %complaint, "no sound can leave; trying on");
                }
                self.complaint = complaint;
            }
        }
    }

    fn let_go(&mut self) {
        if let Some(running) = self.open.take() {
            running.meter.end();
            // May never end.
            let closing =
                thread::Builder::new().name("sound-close".to_owned()).spawn(move || drop(running.stream));
            if let Err(error) = closing {
                warn!(%error, "cannot start a thread to close the sound device");
            }
        }
    }
}

/// Runs `work` in a thread of its own, which is left to itself if it takes too long.
fn in_thread<T: Send + 'static>(
    name: &DeviceName,
    work: impl FnOnce(&DeviceName) -> T + Send + 'static,
) -> Result<T, OpenError> {
    let (send, receive) = sync_channel(1);
    let named = name.clone();
    thread::Builder::new()
        .name("sound-open".to_owned())
        // Too late means that nobody receives: what was opened is dropped there.
        .spawn(move || drop(send.send(work(&named))))
        .map_err(|source| OpenError::Thread(name.clone(), source))?;
    receive.recv_timeout(OPEN_LIMIT).map_err(|_| OpenError::TimedOut(name.clone()))
}

/// An error and its causes, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
