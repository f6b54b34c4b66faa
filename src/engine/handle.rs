//! What others see of an engine: commands in, a status out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::watch;

use crate::asrun::ClockHealth;
use crate::media::source::MemorySource;
use crate::schedule::OutputId;
use crate::segment::{Segment, SegmentId};
use crate::sequencer::{self, Interrupt, InterruptId, Repeats, Resumed};
use crate::timeline::{CueId, Layer, Timeline};

/// Commands an engine has not yet taken; people give a few a day.
pub const COMMANDS: usize = 64;
/// An engine whose status is older than this hangs: it tells a few times a second, and every few seconds in a rest.
const STILL: SignedDuration = SignedDuration::from_secs(25);

/// What an engine is told.
#[derive(Debug)]
pub enum Command {
    /// A timeline to go by from now on.
    Load {
        /// It.
        timeline: Arc<Timeline>,
        /// Cues that the log says are settled, also from before this program began.
        settled: Arc<BTreeSet<CueId>>,
    },
    /// Segments kept decoded, at the level of their files: one of them sounds without a disk. Replaces those before.
    Keep(Arc<BTreeMap<SegmentId, MemorySource>>),
    /// A person is about to take the air with this: it is opened now, and needs no disk if they do.
    Poise(Arc<Segment>),
    /// A person takes the air.
    Interrupt(Arc<Interrupt>),
    /// What a person had ordered before the program ended goes on.
    Resume(Resumed),
    /// A person gives it back.
    CallOff(InterruptId),
    /// A person stops the cue on air, if it is still the one they meant.
    StopCue(Option<CueId>),
    /// A segment must not sound any more.
    Withdraw(SegmentId),
    /// What is known of the clock.
    Clock(ClockHealth),
    /// The clock was wrong until this instant, and is right now: the next timeline is gone by as the log has it by then.
    ClockRight(Timestamp),
    /// Close what is on air and end.
    Shutdown,
}

/// The way to an engine; cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    output: OutputId,
    commands: SyncSender<Command>,
    status: watch::Receiver<Status>,
}

/// The engine took no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its queue is full.
    #[error("the engine is busy")]
    Busy,
    /// It has ended.
    #[error("the engine has ended")]
    Gone,
}

impl Handle {
    /// A handle to the engine of an output.
    pub fn new(output: OutputId, commands: SyncSender<Command>, status: watch::Receiver<Status>) -> Self {
        Self { output, commands, status }
    }

    /// The engine's output.
    pub fn output(&self) -> &OutputId {
        &self.output
    }

    /// Tells the engine something, without waiting.
    pub fn send(&self, command: Command) -> Result<(), Refused> {
        self.commands.try_send(command).map_err(|refused| match refused {
            TrySendError::Full(_) => Refused::Busy,
            TrySendError::Disconnected(_) => Refused::Gone,
        })
    }

    /// Whether the engine has given a sign of life lately; false means that it hangs.
    pub fn turns(&self, now: Timestamp) -> bool {
        now.duration_since(self.status.borrow().at).abs() < STILL
    }

    /// What the engine does at the moment.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// To wait for changes of the status.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Whether the engine is there still: one that has ended shows nothing any more.
    pub fn runs(&self) -> bool {
        self.status.has_changed().is_ok()
    }
}

/// What an engine does at the moment; changes with every event, a few times a second while something sounds, and every
/// few seconds otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Its output.
    pub output: OutputId,
    /// When this was so.
    pub at: Timestamp,
    /// Who has the air.
    pub layer: Layer,
    /// What sounds.
    pub on_air: Option<OnAir>,
    /// What the timeline has next.
    pub next: Option<Next>,
    /// Interrupts in force, whether they sound now or wait for their next repeat.
    pub interrupts: Vec<InForce>,
    /// The loudest sample of the last turns, in dBFS; −120 for silence.
    pub peak_dbfs: f32,
    /// The device's stable name.
    pub device: String,
    /// Whether sound can leave.
    pub up: bool,
    /// Whether the amplifier is on: its command has been run, without an error.
    pub amplifier: bool,
    /// Whether the amplifier's last command has failed and is being tried again, or takes so long that it may hang.
    pub amplifier_fails: bool,
    /// Whether a file has been opening for long.
    pub files_hang: bool,
    /// What is known of the clock.
    pub clock: ClockHealth,
    /// Frames of silence that stood in for sound, since the start.
    pub starved: u64,
    /// Facts that the log has not taken yet; more than a few mean that its disk hangs.
    pub unlogged: usize,
    /// Segments that it keeps in memory.
    #[serde(skip)]
    pub kept: Arc<BTreeSet<SegmentId>>,
    /// The segment that stands open for a person.
    #[serde(skip)]
    pub poised: Option<SegmentId>,
}

/// What stands for silence, in dBFS.
pub(super) const SILENCE_DBFS: f32 = -120.0;

impl Status {
    /// The status of an engine that has not begun.
    pub fn at_first(output: &OutputId, now: Timestamp) -> Self {
        Self {
            output: output.clone(),
            at: now,
            layer: Layer::Silence,
            on_air: None,
            next: None,
            interrupts: Vec::new(),
            peak_dbfs: SILENCE_DBFS,
            device: String::new(),
            up: false,
            amplifier: false,
            amplifier_fails: false,
            files_hang: false,
            clock: ClockHealth::default(),
            starved: 0,
            unlogged: 0,
            kept: Arc::default(),
            poised: None,
        }
    }

    /// Whether it can air a segment, from its beginning, also where the file is gone.
    pub fn needs_no_file(&self, segment: &SegmentId) -> bool {
        self.kept.contains(segment) || self.poised.as_ref() == Some(segment)
    }
}

/// What sounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnAir {
    /// Its cue.
    pub cue: CueId,
    /// Its title.
    pub title: String,
    /// Its segment.
    pub segment: SegmentId,
    /// Its segment's title.
    pub segment_title: String,
    /// When this take began.
    pub since: Timestamp,
    /// When it is planned to end.
    pub until: Timestamp,
}

/// An interrupt in force: until its last airing is over, or it is called off.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InForce {
    /// Its id: to call it off, and to find it in the log.
    pub id: InterruptId,
    /// Its rank.
    pub layer: Layer,
    /// Its segment.
    pub segment: SegmentId,
    /// Its segment's title.
    pub title: String,
    /// Who ordered it.
    pub by: String,
    /// When it was ordered.
    pub since: Timestamp,
    /// Which of its airings sounds or is next, counted from 1.
    pub airing: u32,
    /// How often it sounds.
    pub repeats: Repeats,
    /// Whether it sounds now.
    pub on_air: bool,
    /// When it sounds next, after what sounds now; none where that is the last time.
    pub next: Option<Timestamp>,
}

impl From<sequencer::InForce<'_>> for InForce {
    fn from(from: sequencer::InForce<'_>) -> Self {
        let what = from.what;
        Self {
            id: what.id.clone(),
            layer: what.layer,
            segment: what.segment.id.clone(),
            title: what.segment.words.title.clone(),
            by: what.by.clone(),
            since: from.since,
            airing: u32::from(from.airing) + 1,
            repeats: what.repeats,
            on_air: from.on_air,
            next: from.next,
        }
    }
}

/// What the timeline has next.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Next {
    /// Its cue.
    pub cue: CueId,
    /// Its title.
    pub title: String,
    /// When.
    pub at: Timestamp,
}
