//! Real time: one thread for each output, which asks its output for the time, its sequencer what to do, and its mixer
//! for sound.
//!
//! A turn of the loop is one chunk: take in what people and the preroll said; let the sequencer step from the instant
//! of the chunk's first frame to that after its last; do what it says; mix; write. The output's room for the next chunk
//! is the only pace. Where nothing is due for a while the output rests, and the loop wakes once a second to look at the
//! clock.
//!
//! ```text
//! Command ─► Engine ─► Sequencer ─► Action ─► Preroll ─► Source ─► Mixer ─► Output
//!               └────► Ledger ─► Fact          (threads)            └ Limiter
//! ```
//!
//! It knows no store and no web: facts go into a bounded queue, the status into a watch. A rehearsal is the same loop in
//! the caller's thread, on an output that moves a manual clock.

pub mod handle;
mod ledger;
pub mod limiter;
pub mod mixer;
pub mod opener;
pub mod preroll;
mod status;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::asrun::{ClockHealth, Fact};
use crate::clock::Clock;
use crate::frames::{self, AIR_RATE};
use crate::media::source::{MemorySource, Source};
use crate::output::amplifier::Power;
use crate::output::priority::raise_priority;
use crate::output::{CHANNELS, CHUNK_FRAMES, Output};
use crate::schedule::OutputId;
use crate::segment::SegmentId;
use crate::sequencer::{Action, Event, Sequencer, Settings};
use crate::timeline::Cue;

use handle::{COMMANDS, Command, Handle, Status};
use ledger::Ledger;
use mixer::{Happening, Mixer, VoiceId};
use opener::Opener;
use preroll::Preroll;

/// What an engine is made of, beside its output.
pub struct Parts {
    /// The output's name.
    pub output: OutputId,
    /// What its sequencer goes by.
    pub settings: Settings,
    /// The machine's clock; for a rehearsal, the one its output moves.
    pub clock: Arc<dyn Clock>,
    /// Makes the sources.
    pub opener: Arc<dyn Opener>,
    /// Switches the amplifier. Called on the loop: it must not wait. Called with `false` at every end of the engine, a
    /// panic included.
    pub amplifier: Box<dyn FnMut(bool) + Send>,
    /// What has become of that, to show.
    pub power: Arc<Power>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("output", &self.output).finish_non_exhaustive()
    }
}

/// One output's loop.
#[derive(Debug)]
pub struct Engine {
    id: OutputId,
    clock: Arc<dyn Clock>,
    output: Box<dyn Output>,
    commands: Receiver<Command>,
    status: watch::Sender<Status>,
    sequencer: Sequencer,
    preroll: Preroll,
    mixer: Mixer,
    ledger: Ledger,
    amplifier: Amplifier,
    power: Arc<Power>,
    /// What was prepared and is not over.
    held: Vec<Held>,
    next_voice: u64,
    /// Frames of the fade-in of what begins in its middle.
    join_fade: u64,
    kept: Arc<BTreeMap<SegmentId, MemorySource>>,
    /// Whose these are, to be told.
    kept_ids: Arc<BTreeSet<SegmentId>>,
    /// When what stands open for a person is closed again, by the clock's `elapsed`.
    poised_until: Option<Duration>,
    /// The voice of which the sequencer knows that its file broke off.
    broke_off: Option<VoiceId>,
    events: Vec<Event>,
    actions: Vec<Action>,
    happened: Vec<Happening>,
    chunk: Vec<f32>,
    health: ClockHealth,
    up: bool,
    resting: Option<Timestamp>,
    /// Where a rehearsal's present part ends.
    until: Option<Timestamp>,
    ending: Ending,
    device_starved: u64,
    own_starved: u64,
    last_heartbeat: Option<Timestamp>,
    /// When one is due because something has begun.
    heartbeat_due: Option<Timestamp>,
    turns_to_status: u32,
}

/// How far the engine is with its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It runs.
    No,
    /// It was told to end, and lets what sounds fade; this many turns are left for that.
    Fading(u32),
}

/// A cue that the engine holds, from `Prepare` until its last frame.
#[derive(Debug)]
struct Held {
    cue: Arc<Cue>,
    skip: SignedDuration,
    voice: VoiceId,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Being opened.
    Opening,
    /// Open.
    Ready(Box<dyn Source>),
    /// In the mixer, to begin where the one before it ends.
    Chained,
    /// In the mixer, to begin at its frame.
    Placed,
    /// It sounds, since then.
    Sounding(Timestamp),
}

/// The amplifier's switch: it is off when this is dropped.
struct Amplifier {
    switch: Box<dyn FnMut(bool) + Send>,
    on: bool,
    /// What the sequencer asked for.
    wanted: bool,
}

impl Amplifier {
    /// Switches as was asked; not off while something that was mixed has yet to be heard.
    fn follow(&mut self, sounds: bool) {
        self.set(self.wanted || (self.on && sounds));
    }

    fn set(&mut self, on: bool) {
        if self.on != on {
            self.on = on;
            (self.switch)(on);
        }
    }
}

impl Drop for Amplifier {
    fn drop(&mut self) {
        self.set(false);
    }
}

impl std::fmt::Debug for Amplifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Amplifier").field("on", &self.on).finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts an engine's thread. `open` makes the output in it, as an output may belong to its thread. The thread ends
    /// after [`Command::Shutdown`], or when no handle is left; its join handle brings a panic to light.
    pub fn spawn(
        parts: Parts,
        facts: SyncSender<Fact>,
        open: impl FnOnce() -> Box<dyn Output> + Send + 'static,
    ) -> io::Result<(Handle, JoinHandle<()>)> {
        let (commands, receiver) = sync_channel(COMMANDS);
        let (status, watch) = watch::channel(Status::at_first(&parts.output, parts.clock.now()));
        let handle = Handle::new(parts.output.clone(), commands, watch);
        let preroll = Preroll::threaded(&parts.opener, Arc::clone(&parts.clock))?;
        let name = format!("engine {}", parts.output);
        let thread = thread::Builder::new().name(name).spawn(move || {
            let output = open();
            let realtime = raise_priority();
            info!(output.id = %parts.output, device = output.device(), realtime, "the engine runs");
            let mut engine = Self::new(parts, preroll, output, receiver, status, Some(facts));
            while !engine.is_over() {
                engine.turn();
            }
            engine.finish();
            engine.ledger.flush_all();
        })?;
        Ok((handle, thread))
    }

    fn new(
        parts: Parts,
        preroll: Preroll,
        output: Box<dyn Output>,
        commands: Receiver<Command>,
        status: watch::Sender<Status>,
        facts: Option<SyncSender<Fact>>,
    ) -> Self {
        let device_starved = output.starved();
        Self {
            ledger: Ledger::new(parts.output.clone(), facts),
            id: parts.output,
            clock: parts.clock,
            output,
            commands,
            status,
            join_fade: frames::count(parts.settings.interrupt_fade, AIR_RATE),
            sequencer: Sequencer::new(parts.settings),
            preroll,
            mixer: Mixer::new(),
            amplifier: Amplifier { switch: parts.amplifier, on: false, wanted: false },
            power: parts.power,
            held: Vec::new(),
            next_voice: 0,
            kept: Arc::default(),
            kept_ids: Arc::default(),
            poised_until: None,
            broke_off: None,
            events: Vec::new(),
            actions: Vec::new(),
            happened: Vec::new(),
            chunk: vec![0.0; CHUNK_FRAMES * CHANNELS],
            health: ClockHealth::default(),
            up: true,
            resting: None,
            until: None,
            ending: Ending::No,
            device_starved,
            own_starved: 0,
            last_heartbeat: None,
            heartbeat_due: None,
            turns_to_status: 0,
        }
    }

    /// Whether nothing is left to do.
    fn is_over(&self) -> bool {
        match self.ending {
            Ending::No => false,
            Ending::Fading(turns) => {
                let told = self.events.is_empty();
                turns == 0 || (told && self.mixer.is_silent() && !self.ledger.is_on_air())
            }
        }
    }

    /// Closes what is open, and switches the amplifier off.
    fn finish(&mut self) {
        if self.ending == Ending::Fading(0) {
            warn!(output.id = %self.id, "something still sounded when the engine ended");
        }
        self.ledger.settle_all(self.clock.now());
        self.amplifier.set(false);
        self.publish();
        info!(output.id = %self.id, "the engine has ended");
    }
}

/// An engine in the caller's thread, on simulated time: days pass in seconds.
#[derive(Debug)]
pub struct Rehearsal {
    engine: Engine,
    handle: Handle,
}

impl Rehearsal {
    /// An engine on an output that moves `parts.clock` by what is written to it and by its rests. Sources are opened in
    /// the caller's thread.
    pub fn new(parts: Parts, output: Box<dyn Output>) -> Self {
        let (commands, receiver) = sync_channel(COMMANDS);
        let (status, watch) = watch::channel(Status::at_first(&parts.output, parts.clock.now()));
        let handle = Handle::new(parts.output.clone(), commands, watch);
        let preroll = Preroll::inline(Arc::clone(&parts.opener), Arc::clone(&parts.clock));
        Self { engine: Engine::new(parts, preroll, output, receiver, status, None), handle }
    }

    /// The way to tell it something: taken in by its next turn.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Goes on until an instant, to the chunk, and hands out the facts as they come.
    pub fn run_until(&mut self, until: Timestamp, mut fact: impl FnMut(Fact)) {
        self.engine.until = Some(until);
        while self.engine.clock.now() < until && !self.engine.is_over() {
            self.engine.turn();
            self.engine.ledger.take_facts().for_each(&mut fact);
        }
    }

    /// Stops what sounds as the end of the program would, and closes the log.
    pub fn finish(mut self, mut fact: impl FnMut(Fact)) {
        self.engine.until = None;
        self.engine.shut_down();
        while !self.engine.is_over() {
            self.engine.turn();
        }
        self.engine.finish();
        self.engine.ledger.take_facts().for_each(&mut fact);
    }
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    clippy::wildcard_enum_match_arm,
    reason = "tests of exact samples"
)]
mod tests;
