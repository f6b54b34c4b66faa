//! What now: one state machine per output. It is given the time and what happened, and says what to do.
//!
//! It knows no file, no device and no clock. It never fails and never waits: whatever order events come in, and
//! wherever the clock jumps, every cue of the timeline gets its take, or a `NotAired` with its cause.

mod agenda;
mod air;
mod amplifier;
mod events;
mod interrupt;
mod late;
#[cfg(test)]
mod properties;
mod quiet;
#[cfg(test)]
mod record;
mod rundown;
#[cfg(test)]
mod sim;
mod takes;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::asrun::Cause;
use crate::schedule::{OutputId, Schedule};
use crate::segment::{Genre, Segment, SegmentId, id};
use crate::timeline::{Cue, CueId, Layer, Timeline};
use agenda::Agenda;
use air::{Air, Stage, Voice};
use amplifier::Amplifier;
use interrupt::Order;
pub use interrupt::WAITS_FOR_OUTPUT;
use quiet::Curfew;
pub use rundown::IN_HAND;

id! {
    /// An interrupt a person ordered.
    InterruptId
}

/// A person takes the air with a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Interrupt {
    /// Its id, unique for ever: it names the airings.
    pub id: InterruptId,
    /// `Live` or `Emergency`.
    pub layer: Layer,
    /// What sounds.
    pub segment: Arc<Segment>,
    /// What brings it to the station's loudness, in dB.
    pub gain_db: f64,
    /// The plan's content area, from the segment or its programme.
    pub topic: Option<Arc<str>>,
    /// The kind of text, from the segment or its programme.
    pub genre: Option<Genre>,
    /// Who ordered it.
    pub by: String,
    /// How often it sounds.
    pub repeats: Repeats,
}

impl Interrupt {
    /// An order, with what brings the segment to the schedule's loudness, and what kind of text it is.
    pub fn new(
        id: InterruptId,
        layer: Layer,
        segment: Arc<Segment>,
        by: String,
        repeats: Repeats,
        schedule: &Schedule,
    ) -> Self {
        let loudness = &schedule.loudness;
        let gain_db = segment.sound.gain_db(loudness.target_lufs, loudness.max_boost_db);
        // The engines know no programmes, and the log that they tell is written once.
        let (topic, genre) = schedule.kind(Some(&segment.words), segment.words.programme.as_ref());
        Self { id, layer, segment, gain_db, topic, genre, by, repeats }
    }
}

/// An emergency as it is kept, to go on after a restart: it is in force until it is called off, or over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingOrder {
    /// Its id.
    pub id: InterruptId,
    /// What sounds.
    pub segment: SegmentId,
    /// Who ordered it.
    pub by: String,
    /// How often it sounds.
    pub repeats: Repeats,
    /// On which outputs.
    pub outputs: Vec<OutputId>,
    /// When it was ordered.
    pub since: Timestamp,
}

/// An interrupt that was in force when the program ended, and how far it had come.
#[derive(Debug, Clone, PartialEq)]
pub struct Resumed {
    /// It.
    pub what: Arc<Interrupt>,
    /// When it was ordered.
    pub since: Timestamp,
    /// Which of its airings is next, counted from 0.
    pub airing: u16,
    /// When that is due.
    pub due: Timestamp,
}

/// How often an interrupt sounds. Decision 03/2020/QĐ-TTg, article 29, asks for two repeats five minutes apart, then one
/// every so often until the all-clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    /// How many times at most; none for as often as it takes, until it is called off.
    pub at_most: Option<u16>,
    /// Distance from start to start for the first `close`, counted from the second.
    pub soon: SignedDuration,
    /// How many repeats are `soon` apart.
    pub close: u16,
    /// Distance from start to start after these.
    pub then: SignedDuration,
}

impl Repeats {
    /// Once and no more.
    pub const ONCE: Self =
        Self { at_most: Some(1), soon: SignedDuration::ZERO, close: 0, then: SignedDuration::ZERO };

    /// From the start of the airing before to the start of this one, counted from 0.
    pub fn before(&self, airing: u16) -> SignedDuration {
        if airing <= self.close { self.soon } else { self.then }
    }

    /// Whether an airing is one of them, counted from 0.
    pub fn include(&self, airing: u16) -> bool {
        self.at_most.is_none_or(|most| airing < most)
    }
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A timeline to go by from now on. A cue that is on air stays, if the new one still has it.
    ///
    /// Who logs what was missed is divided at [`Settings::since`]: cues [given up](Cue::given_up_at) by then are left to
    /// the store, which knows them as `NotRunning`; every other cue that is not settled gets its outcome here.
    /// The cues of a block that began before the new window stay as they are.
    Load {
        /// It.
        timeline: Arc<Timeline>,
        /// Cues that the log says are settled: not aired, or with a take whose closing does not
        /// [leave them open](Cause::leaves_open). Every `Load` carries them, those of before this program began too.
        settled: Arc<BTreeSet<CueId>>,
    },
    /// A person takes the air.
    Interrupt(Arc<Interrupt>),
    /// What a person had ordered before the program ended goes on.
    Resume(Resumed),
    /// A person gives it back.
    CallOff(InterruptId),
    /// A person stops what is on air from the timeline, if it is still the cue they meant; it goes on with the next.
    StopCue(Option<CueId>),
    /// A segment must not sound any more, from now.
    Withdraw(SegmentId),
    /// What `Prepare` asked for is ready to sound.
    Ready(CueId),
    /// What `Prepare` asked for will never be ready.
    Failed(CueId, Cause),
    /// A cue's first frame was placed, in the chunk of the step before.
    Started {
        /// The cue.
        cue: CueId,
        /// When the frame leaves.
        at: Timestamp,
    },
    /// A cue's last frame was placed, by itself or after a `Stop`.
    Ended {
        /// The cue.
        cue: CueId,
        /// When the frame after it leaves.
        at: Timestamp,
    },
    /// The file of a cue on air has no more to give: silence stands in for what is missing of it.
    BrokeOff(CueId),
    /// The device is gone (false) or back (true).
    Output {
        /// Whether sound can leave.
        up: bool,
    },
    /// Whether the clock may be trusted with the timeline.
    Clock {
        /// It may.
        trusted: bool,
    },
    /// The clock was wrong until this instant, and is right now. A `Load` follows, whose log no longer counts what was said
    /// of cues before their time had come; what was [given up](Cue::given_up_at) by then has been logged.
    ClockRight {
        /// The instant, by the right clock.
        at: Timestamp,
    },
    /// The program is asked to stop. What sounds fades; who renders it switches the amplifier off when that was heard.
    Shutdown,
}

/// What the engine must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Open this cue's segment, from `skip` into the cue, and answer `Ready` or `Failed`. Preparing again with another
    /// `skip` replaces the first.
    Prepare {
        /// What.
        cue: Arc<Cue>,
        /// From where.
        skip: SignedDuration,
    },
    /// Forget what was prepared. For a cue that was chained: it is not chained any more, as if it never had been.
    Discard {
        /// What.
        cue: CueId,
    },
    /// Place the first frame at this instant; at once, if it is past. What begins in its middle comes up in a fade, here
    /// and where it is chained. Ends what plays there, if anything still does.
    Start {
        /// What.
        cue: Arc<Cue>,
        /// When.
        at: Timestamp,
    },
    /// Start this cue at the frame where the one on air ends. Its take begins with its `Started`, since a `Discard`
    /// may still undo it.
    Chain {
        /// What.
        cue: Arc<Cue>,
    },
    /// Fade the cue on air, from `at`, over `fade`; then `Ended`. One whose `Start` was given in an earlier step and
    /// has no frame yet is cancelled, and `Ended` all the same. A `Start` may come in the same step, after it.
    Stop {
        /// What.
        cue: CueId,
        /// When the fade begins.
        at: Timestamp,
        /// How long it takes.
        fade: SignedDuration,
        /// Why, for the log.
        cause: Cause,
    },
    /// Log that a cue did not sound.
    NotAired {
        /// What.
        cue: Arc<Cue>,
        /// Why.
        cause: Cause,
    },
    /// Switch the amplifier; off no sooner than what was rendered until then has been heard.
    Amplifier {
        /// On or off.
        on: bool,
    },
}

/// What one sequencer goes by, beside its timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The amplifier is on this long before the first sound.
    pub lead: SignedDuration,
    /// And this long after the last.
    pub tail: SignedDuration,
    /// How long before its instant a cue is prepared.
    pub prepare_ahead: SignedDuration,
    /// What it takes to prepare a cue in a hurry: a join is planned this far from now.
    pub join_margin: SignedDuration,
    /// The fade of whatever is stopped on the spot, and of a start in the middle.
    pub interrupt_fade: SignedDuration,
    /// Up to when the store has logged what was missed; none for the first `Load`'s `now`.
    pub since: Option<Timestamp>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lead: SignedDuration::ZERO,
            tail: SignedDuration::ZERO,
            prepare_ahead: SignedDuration::from_secs(20),
            join_margin: SignedDuration::from_millis(1500),
            interrupt_fade: SignedDuration::from_millis(80),
            since: None,
        }
    }
}

/// The state of one output.
#[derive(Debug)]
pub struct Sequencer {
    settings: Settings,
    zone: TimeZone,
    curfew: Curfew,
    agenda: Agenda,
    withdrawn: BTreeSet<SegmentId>,
    orders: Vec<Order>,
    /// Every interrupt that was ever ordered: one that is told twice is one.
    ordered: BTreeSet<InterruptId>,
    air: Air,
    /// Stopped on the spot and still fading, with the instant until which their `Ended` is waited for.
    fading: Vec<(CueId, Timestamp)>,
    amplifier: Amplifier,
    output_up: bool,
    clock_trusted: bool,
    /// An orderly end: nothing starts any more.
    ended: bool,
    /// The end of the step before: where `now` is expected next.
    expected: Option<Timestamp>,
    next_change: Option<Timestamp>,
}

/// What the output does at the moment, for people.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Who has the air.
    pub layer: Layer,
    /// What sounds.
    pub on_air: Option<&'a Arc<Cue>>,
    /// When it will be over.
    pub until: Option<Timestamp>,
    /// What the timeline has next, at its `at` or, where that is past, as soon as it can.
    pub next: Option<&'a Arc<Cue>>,
    orders: &'a [Order],
}

/// An interrupt in force: until its last airing is over, or it is called off.
#[derive(Debug, Clone, Copy)]
pub struct InForce<'a> {
    /// It.
    pub what: &'a Interrupt,
    /// When it was ordered.
    pub since: Timestamp,
    /// Which of its airings sounds or is next, counted from 0.
    pub airing: u16,
    /// Whether that sounds.
    pub on_air: bool,
    /// When the next airing is due, after the one on air; none where that is the last.
    pub next: Option<Timestamp>,
}

impl<'a> View<'a> {
    /// The interrupts in force, in the order in which they came.
    pub fn interrupts(&self) -> impl Iterator<Item = InForce<'a>> + use<'a> {
        self.orders.iter().map(Order::in_force)
    }
}

/// One step: its two instants, what it asks of the engine, and when the next one is due.
///
/// Every rule asks `due` of the instants it waits for; the earliest that is not due yet is the next change. So the
/// two can never disagree.
#[derive(Debug)]
struct Pass<'a> {
    now: Timestamp,
    horizon: Timestamp,
    next: Option<Timestamp>,
    out: &'a mut Vec<Action>,
}

impl Pass<'_> {
    /// Whether an instant lies before the horizon; where it does not, there is a step then.
    fn due(&mut self, at: Timestamp) -> bool {
        let due = at < self.horizon;
        if !due {
            self.wake(at);
        }
        due
    }

    /// Whether an instant is behind `now`; where it is not, there is a step right after it.
    fn past(&mut self, at: Timestamp) -> bool {
        let past = at < self.now;
        if !past {
            self.wake(at.saturating_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX));
        }
        past
    }

    fn wake(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

impl Sequencer {
    /// A silent output without a timeline: until the first `Load`, only an emergency sounds.
    pub fn new(settings: Settings) -> Self {
        Self {
            zone: TimeZone::UTC,
            curfew: Curfew::Always,
            agenda: Agenda::since(settings.since),
            settings,
            withdrawn: BTreeSet::new(),
            orders: Vec::new(),
            ordered: BTreeSet::new(),
            air: Air::Silent,
            fading: Vec::new(),
            amplifier: Amplifier::Off,
            output_up: true,
            clock_trusted: true,
            ended: false,
            expected: None,
            next_change: None,
        }
    }

    /// Moves to `now`, the instant at which the next frame written will be heard; `out` receives what the engine
    /// must do. Where that turns out to be later, as a device has to wake first, there is another step before the frame
    /// is written. Every start that lies before `horizon`, the end of the chunk about to be rendered, is issued now.
    ///
    /// A step in which nothing happens and nothing is due costs two comparisons and allocates nothing.
    pub fn step(&mut self, now: Timestamp, horizon: Timestamp, events: &[Event], out: &mut Vec<Action>) {
        let stepped = self.follow_clock(now, horizon, events, out);
        if self.ended
            || (!stepped && events.is_empty() && self.next_change.is_none_or(|next| horizon <= next))
        {
            return;
        }
        let mut pass = Pass { now, horizon, next: None, out };
        for event in events {
            self.take_in(event, &mut pass);
        }
        if self.ended {
            self.next_change = None;
            return;
        }
        self.forget_faded(&mut pass);
        self.cut_what_is_over(&mut pass);
        self.give_the_air_to_people(&mut pass);
        self.follow_the_plan(&mut pass);
        self.switch_amplifier(&mut pass);
        self.next_change = pass.next;
    }

    /// The next moment at which `step` would do something by itself; with a horizon at or before it and no events,
    /// a step does nothing. None where only an event can change anything.
    pub fn next_change(&self) -> Option<Timestamp> {
        self.next_change
    }

    /// What kept a cue from starting at its time, where that is known: the log of one that is joined says it.
    pub fn held_up_by(&self, cue: &CueId) -> Option<Cause> {
        self.agenda.held_up(cue)
    }

    /// Silence stood in for sound of a cue: what follows it is held up by that.
    pub fn had_a_hole(&mut self, cue: &CueId) {
        self.agenda.had_a_hole(cue);
    }

    /// What the output does at the moment.
    pub fn view(&self) -> View<'_> {
        let voice = self.voice();
        let waits = |entry: &agenda::Entry| {
            !matches!(entry.progress, agenda::Progress::OnAir | agenda::Progress::Over)
                && entry.cue.segment().is_some_and(|segment| !self.withdrawn.contains(&segment.id))
        };
        View {
            layer: voice.map_or(Layer::Silence, |voice| voice.cue.layer),
            on_air: voice.map(|voice| &voice.cue),
            until: voice.map(Voice::end),
            next: self
                .agenda
                .open()
                .map(|(_, entry)| entry)
                .find(|entry| waits(entry))
                .map(|entry| &entry.cue),
            orders: &self.orders,
        }
    }

    fn voice(&self) -> Option<&Voice> {
        match &self.air {
            Air::Silent => None,
            Air::Playing(voice) => Some(voice),
        }
    }

    /// Who has the air.
    fn layer(&self) -> Layer {
        self.voice().map_or(Layer::Silence, |voice| voice.cue.layer)
    }

    /// A step of the clock moves what sounds along with it; a step back also undoes what was prepared for later.
    fn follow_clock(
        &mut self,
        now: Timestamp,
        horizon: Timestamp,
        events: &[Event],
        out: &mut Vec<Action>,
    ) -> bool {
        let Some(expected) = self.expected.replace(horizon) else { return true };
        let by = now.duration_since(expected);
        let back = by < -STEP;
        if by.abs() <= STEP {
            return false;
        }
        // What began before the step has its instant from before it, and is no longer a chain to be undone.
        for event in events {
            if let Event::Started { cue, at } = event {
                self.started(cue, *at);
            }
        }
        if let Air::Playing(voice) = &mut self.air {
            voice.shift(by);
        }
        if by.abs() > rundown::CHAIN_TOLERANCE {
            self.unchain(out);
        }
        if back {
            self.forget_the_future(out);
        }
        // Going on after a rest is no step; whatever became due in it is found by `next_change`.
        let is_step = back || self.voice().is_some();
        if is_step {
            self.orders.iter_mut().for_each(|order| order.shift(by, out));
        }
        is_step
    }

    /// A fade that nobody reported the end of is over.
    fn forget_faded(&mut self, pass: &mut Pass<'_>) {
        self.fading.retain(|(_, until)| !pass.past(*until));
    }

    /// Fades the voice on air where its plan, the next hard start, or the quiet hours end it.
    fn cut_what_is_over(&mut self, pass: &mut Pass<'_>) {
        let Some(voice) = self.voice() else { return };
        if voice.stage == Stage::Closing {
            // An engine that lost the voice must not keep the air from the next one.
            let given_up = voice.own_end + PATIENCE;
            if pass.past(given_up) {
                let gone = voice.cue.id.clone();
                self.voice_ended(&gone, pass);
            }
            return;
        }
        let cut = voice.cut(&self.curfew, &self.settings, pass.now);
        let Ok(begins) = cut.end.checked_sub(cut.fade) else { return };
        if !pass.due(begins) {
            return;
        }
        let at = begins.max(pass.now);
        let fade = if cut.end > at {
            quiet::fade_before(cut.end, at, cut.fade)
        } else {
            self.settings.interrupt_fade
        };
        if let Air::Playing(voice) = &mut self.air {
            pass.out.push(Action::Stop { cue: voice.cue.id.clone(), at, fade, cause: cut.cause });
            voice.stage = Stage::Closing;
            voice.own_end = at + fade;
            voice.limit = None;
            pass.wake(voice.own_end + PATIENCE);
        }
        if self.curfew.covers(at + fade) {
            self.unchain(pass.out);
        }
    }
}

/// How far into it a cue begins whose air is taken until `free`; none where it sounds no more.
///
/// `limit` is where its block ends. For people: what else comes in between is not foreseen.
pub fn resumes(cue: &Cue, free: Timestamp, limit: Timestamp) -> Option<SignedDuration> {
    (free <= late::latest_start(cue, limit)).then(|| late::skip_at(cue, free))
}

/// A difference between the expected and the given `now` beyond this is a step of the clock, or a gap in the output;
/// below, it is the jitter of timestamps.
const STEP: SignedDuration = SignedDuration::from_millis(250);

/// How long the end of a stopped cue is waited for.
const PATIENCE: SignedDuration = SignedDuration::from_secs(2);
