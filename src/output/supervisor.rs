//! Owns a card's stream: opens it, notices when it is lost, opens it anew, lets it go in rests.
//!
//! What a sound system does may hang: opening and closing happen in threads, of which few hang at a time (`attempts`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};
use tracing::{debug, info, warn};

use super::OutputError;
use super::attempts::Attempts;
use super::device::{self, DeviceName, OpenError, Opened, Stream};
use super::feed::{Line, Meter};
use super::frames_during;
use super::priority::{block_signals, raise_priority};
use crate::clock::Clock;

/// How often a running stream is looked at. That it has ended the engine tells at once; this is for one that is silent.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Without a callback for so long a stream is dead. An idle PulseAudio null sink takes 2 s to the second one.
const SILENT_LIMIT: Duration = Duration::from_secs(3);
/// More errors a second than a stream lives with.
const ERRORS_PER_SECOND: u64 = 50;
/// So much a stream may take at once, to fill its buffers, and twice as much as time goes: one that takes more plays nowhere,
/// as ALSA's `null` and `file` do, and would keep a processor busy.
const HEAD_START: Duration = Duration::from_secs(1);
/// Between attempts to open a device: from the first to the last.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(1));
/// How long one attempt is waited for.
const OPEN_LIMIT: Duration = Duration::from_secs(6);
/// What was written before a rest is still heard: a full ring, the device's buffer, and some.
const DRAIN: Duration = Duration::from_millis(300);
/// A stream that is lost sooner has not held.
const HELD: Duration = Duration::from_secs(5);
/// Streams in a row that did not hold, after which the next one has to show first that it does.
const FLAPS: u32 = 2;
/// For how long it has to: at first, and at most.
const PROOF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(16));
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
        let health = Arc::new(Health { state: AtomicU8::new(OPENING) });
        let ask = ask(name.clone(), Arc::clone(&clock));
        let keeper = Keeper::new(name, clock, lines, Arc::clone(&health), ask, OPEN_LIMIT);
        thread::Builder::new()
            .name("sound-keeper".to_owned())
            .spawn(move || keeper.run(&receiver))
            .map_err(OutputError::Thread)?;
        Ok(Self { orders, lines: receiving, health })
    }

    /// One without a thread, whose device is lost; lines come from the test.
    #[cfg(test)]
    pub(super) fn of_lines() -> (Self, Producer<Line>) {
        let (orders, _) = sync_channel(8);
        let (sent, lines) = RingBuffer::new(2);
        let health = Arc::new(Health { state: AtomicU8::new(DOWN) });
        (Self { orders, lines, health }, sent)
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
    played: u64,
    played_at: Duration,
    stalled: Duration,
    opened_at: Duration,
    /// What the engine gets once the stream has shown that it holds; none where it has it.
    withheld: Option<Line>,
}

impl Running {
    /// For how long it stood still since this was last asked.
    fn stood_still(&mut self) -> Duration {
        let stalled = self.meter.stalled();
        stalled.saturating_sub(std::mem::replace(&mut self.stalled, stalled))
    }

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
        let (played, since) = (self.meter.played(), now.saturating_sub(self.played_at));
        let races = played.saturating_sub(self.played) > frames_during(since.saturating_mul(2) + HEAD_START);
        (self.played, self.played_at) = (played, now);
        match () {
            () if self.meter.has_ended() => Some("it was removed or its server has ended"),
            () if storm => Some("it reports nothing but errors"),
            () if races => Some("it takes sound faster than time goes, and no loudspeaker does"),
            () if self.withheld.is_none() && now.saturating_sub(self.called_at) >= SILENT_LIMIT => {
                Some("it asks for no sound")
            }
            () => None,
        }
    }
}

/// What the sound system is asked for.
#[derive(Clone, Copy)]
enum Wish {
    /// A stream.
    Open,
    /// Whether there could be one.
    Probe,
}

/// What the sound system says: a stream, where it was asked for one.
type Answer = Result<Option<Opened>, OpenError>;

/// Asks the sound system; may take as long as that likes.
type Ask = Arc<dyn Fn(Wish) -> Answer + Send + Sync>;

fn ask(name: DeviceName, clock: Arc<dyn Clock>) -> Ask {
    Arc::new(move |wish| match wish {
        Wish::Open => {
            // Threads that the sound system starts have the mask and the priority of this one.
            let realtime = block_signals() && raise_priority();
            device::open(&name, Arc::clone(&clock), realtime).map(Some)
        }
        Wish::Probe => device::probe(&name).map(|()| None),
    })
}

/// The thread's own.
struct Keeper {
    name: DeviceName,
    clock: Arc<dyn Clock>,
    lines: Producer<Line>,
    health: Arc<Health>,
    ask: Ask,
    attempts: Attempts<Answer>,
    open: Option<Running>,
    awake: bool,
    /// Until the next attempt after a failed one; zero while all is well.
    pause: Duration,
    /// The last failure that was logged.
    complaint: String,
    /// Streams in a row that were lost soon after they were opened.
    flaps: u32,
}

impl Keeper {
    fn new(
        name: DeviceName,
        clock: Arc<dyn Clock>,
        lines: Producer<Line>,
        health: Arc<Health>,
        ask: Ask,
        limit: Duration,
    ) -> Self {
        Self {
            name,
            clock,
            lines,
            health,
            ask,
            attempts: Attempts::new(limit),
            open: None,
            awake: true,
            pause: Duration::ZERO,
            complaint: String::new(),
            flaps: 0,
        }
    }

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
        let answered = self.hear_late();
        match (self.open.is_some(), self.awake) {
            (true, true) => self.watch(),
            (true, false) => {
                self.flaps = 0;
                self.let_go();
            }
            (false, awake) if answered || self.attempts.may_begin(self.clock.elapsed()) => {
                let answer = self.attempt(if awake { Wish::Open } else { Wish::Probe });
                self.heed(answer);
            }
            (false, _) => {
                let hanging = self.attempts.hanging();
                self.judge(Err(OpenError::Hangs(self.name.clone(), hanging)));
            }
        }
    }

    /// Takes what was answered late; whether anything was.
    fn hear_late(&mut self) -> bool {
        let late = self.attempts.late();
        let answered = !late.is_empty();
        for opened in late.into_iter().filter_map(|answer| answer.ok().flatten()) {
            if self.open.is_none() && self.awake {
                self.heed(Ok(Some(opened)));
            } else {
                self.close(opened.stream);
            }
        }
        answered
    }

    fn watch(&mut self) {
        let now = self.clock.elapsed();
        let Some(running) = &mut self.open else { return };
        let still = running.stood_still();
        if !still.is_zero() {
            warn!(device = %running.device, stalled_ms = still.as_millis(), "the sound device stood still: there was a hole in the sound");
        }
        if let Some(reason) = running.verdict(now) {
            let held =
                running.withheld.is_none() && now.saturating_sub(running.opened_at) >= self.proof() + HELD;
            self.flaps = if held { 0 } else { self.flaps.saturating_add(1) };
            match self.flaps {
                0..FLAPS => warn!(device = %self.name, reason, "the sound device is lost"),
                FLAPS => {
                    warn!(device = %self.name, reason, "the sound device is lost again and again; no sound is given to it until it holds");
                }
                _ => debug!(device = %self.name, reason, "the sound device does not hold"),
            }
            self.health.state.store(DOWN, Ordering::Release);
            self.let_go();
            self.pause = BACK_OFF.0;
            return;
        }
        if now.saturating_sub(running.opened_at) >= self.proof()
            && let Some(line) = self.open.as_mut().and_then(|running| running.withheld.take())
        {
            self.hand_over(line);
            self.judge(Ok("it holds".to_owned()));
        }
    }

    /// For how long the next stream has to show that it holds before the engine gets it.
    fn proof(&self) -> Duration {
        let more = self.flaps.checked_sub(FLAPS).map(|more| PROOF.0.saturating_mul(1 << more.min(8)));
        more.map_or(Duration::ZERO, |proof| proof.min(PROOF.1))
    }

    fn attempt(&mut self, wish: Wish) -> Answer {
        let ask = Arc::clone(&self.ask);
        match self.attempts.begin(self.clock.elapsed(), move || ask(wish)) {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(OpenError::TimedOut(self.name.clone())),
            Err(source) => Err(OpenError::Thread(self.name.clone(), source)),
        }
    }

    fn heed(&mut self, answer: Answer) {
        let how = answer.map(|opened| match opened {
            Some(opened) => {
                let realtime = opened.realtime;
                format!("{}, realtime priority: {realtime}", self.take(opened))
            }
            None => "resting".to_owned(),
        });
        let is_withheld = self.open.as_ref().is_some_and(|running| running.withheld.is_some());
        if !is_withheld {
            self.judge(how);
        }
    }

    fn take(&mut self, opened: Opened) -> String {
        let now = self.clock.elapsed();
        let Opened { stream, line, .. } = opened;
        let (meter, device) = (Arc::clone(&line.meter), line.device.clone());
        let withheld = if self.proof().is_zero() {
            self.hand_over(line);
            None
        } else {
            Some(line)
        };
        self.open = Some(Running {
            stream,
            meter,
            device: device.clone(),
            calls: 0,
            called_at: now,
            errors: 0,
            errors_since: now,
            played: 0,
            played_at: now,
            stalled: Duration::ZERO,
            opened_at: now,
            withheld,
        });
        device
    }

    /// Gives the engine its end of a stream.
    fn hand_over(&mut self, line: Line) {
        let meter = Arc::clone(&line.meter);
        // Full only if the engine takes no lines at all; then it sees the end of this one.
        if self.lines.push(line).is_err() {
            meter.end();
        }
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
            self.close(running.stream);
        }
    }

    fn close(&mut self, stream: Stream) {
        // May never end.
        let closing = self.attempts.leave(move || {
            drop(stream);
            Ok(None)
        });
        if let Err(error) = closing {
            warn!(%error, "cannot start a thread to close the sound device");
        }
    }
}

/// An error and its causes, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::super::Hole;
    use super::super::feed::{self, Stall};
    use super::*;
    use crate::clock::ManualClock;

    /// A sound system that answers nobody as long as the gate is held, and then everybody.
    struct Rig {
        keeper: Keeper,
        clock: Arc<ManualClock>,
        gate: Arc<Mutex<()>>,
        /// Each stream that is open holds it.
        streams: Arc<()>,
        lines: Consumer<Line>,
    }

    /// One whose answers are waited for so long.
    fn rig(limit: Duration) -> Rig {
        let clock = Arc::new(ManualClock::new(jiff::Timestamp::UNIX_EPOCH));
        let told = Arc::clone(&clock) as Arc<dyn Clock>;
        let (gate, streams) = (Arc::new(Mutex::new(())), Arc::new(()));
        let (passes, held, own) = (Arc::clone(&gate), Arc::clone(&streams), Arc::clone(&told));
        let ask = Arc::new(move |_| {
            drop(passes.lock().unwrap_or_else(PoisonError::into_inner));
            let (line, feed) = feed::line("card".to_owned(), 2, Arc::clone(&own));
            Ok(Some(Opened { stream: Box::new((feed, Arc::clone(&held))), line, realtime: false }))
        });
        let (sent, lines) = RingBuffer::new(2);
        let name = "alsa:card".parse().unwrap();
        let keeper = Keeper::new(name, told, sent, Arc::default(), ask, limit);
        Rig { keeper, clock, gate, streams, lines }
    }

    #[test]
    fn while_a_sound_system_hangs_few_attempts_are_left_behind_and_ever_fewer_are_begun() {
        let mut rig = rig(Duration::ZERO);
        let gate = Arc::clone(&rig.gate);
        let _hangs = gate.lock().unwrap();
        let mut hanging_after = |seconds: u64| {
            for _ in 0..seconds {
                rig.keeper.turn();
                rig.clock.advance(Duration::from_secs(1));
            }
            rig.keeper.attempts.hanging()
        };
        assert_eq!(hanging_after(60), 3);
        assert_eq!([hanging_after(60), hanging_after(120), hanging_after(240)], [4, 5, 6]);
        assert_eq!(hanging_after(86_400 - 480), 13);
        assert!(rig.keeper.health.is_down());
        assert!(rig.keeper.complaint.contains("13 attempts"), "{}", rig.keeper.complaint);
        assert!((BACK_OFF.0..=BACK_OFF.1).contains(&rig.keeper.patience()), "an answer is soon heard");
    }

    #[test]
    fn of_attempts_that_are_answered_at_last_one_stream_plays_and_the_others_are_let_go() {
        let mut rig = rig(Duration::ZERO);
        let gate = Arc::clone(&rig.gate);
        let hangs = gate.lock().unwrap();
        for _ in 0..3 {
            rig.keeper.turn();
        }
        assert!(rig.keeper.open.is_none());
        drop(hangs);
        while rig.keeper.attempts.hanging() > 0 {
            rig.keeper.turn();
            thread::yield_now();
        }
        assert!(rig.keeper.open.is_some() && rig.keeper.health.is_up());
        let running = rig.keeper.open.as_mut().unwrap();
        running.meter.stall(Stall { time: Duration::from_millis(500), hole: Hole::default() });
        assert_eq!([0; 2].map(|_| running.stood_still().as_millis()), [500, 0], "what is said once");
        assert_eq!(Arc::strong_count(&rig.streams), 3, "this, the rig's own, and one stream");
    }

    #[test]
    fn a_device_that_opens_and_only_gives_errors_is_down_until_it_holds() {
        let mut rig = rig(OPEN_LIMIT);
        let fail = |rig: &mut Rig| {
            let meter = Arc::clone(&rig.keeper.open.as_ref().expect("it opens").meter);
            (0..=ERRORS_PER_SECOND).for_each(|_| _ = meter.error());
            rig.keeper.turn();
            assert!(rig.keeper.open.is_none() && rig.keeper.health.is_down());
            // On a busy machine three streams that are not closed yet would keep the next from being opened.
            while rig.keeper.attempts.hanging() > 0 {
                rig.keeper.hear_late();
                thread::yield_now();
            }
        };
        let second = |rig: &mut Rig| {
            rig.clock.advance(Duration::from_secs(1));
            rig.keeper.open.iter().for_each(|running| running.meter.call());
            rig.keeper.turn();
            rig.lines.pop().is_ok()
        };
        for _ in 0..FLAPS {
            assert!(second(&mut rig) && rig.keeper.health.is_up(), "once may be chance");
            fail(&mut rig);
        }
        for _ in 0..3 {
            assert!(!second(&mut rig) && rig.keeper.health.is_down(), "it opens, and that is all");
            fail(&mut rig);
        }
        let handed_over = (0..=PROOF.1.as_secs()).filter(|_| second(&mut rig)).count();
        assert!(handed_over == 1 && rig.keeper.health.is_up(), "it holds");
        (0..=(PROOF.1 + HELD).as_secs()).for_each(|_| _ = second(&mut rig));
        fail(&mut rig);
        assert!(second(&mut rig) && rig.keeper.health.is_up(), "what held so long is trusted again");
    }

    #[test]
    fn a_device_that_takes_sound_faster_than_time_goes_plays_nowhere() {
        for (frames_a_second, plays) in [(48_000, true), (3 * 48_000, false)] {
            let mut rig = rig(OPEN_LIMIT);
            rig.keeper.turn();
            let meter = Arc::clone(&rig.keeper.open.as_ref().unwrap().meter);
            for second in 1..=10 {
                // Its buffers are filled at once.
                meter.reach(40_000 + second * frames_a_second);
                meter.call();
                rig.clock.advance(Duration::from_secs(1));
                rig.keeper.turn();
                if meter.has_ended() {
                    break;
                }
            }
            assert_eq!(!meter.has_ended(), plays, "{frames_a_second}");
        }
    }
}
