//! The facts of one output: takes are opened before they sound and closed when the device has had their last frame.
//!
//! Frames are counted twice: as the mixer places them, and as the output takes them. What lies between, when a device
//! is lost, was never heard, and is taken off the takes it belonged to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

use jiff::{SignedDuration, Timestamp};
use tracing::error;

use super::mixer::VoiceId;
use crate::asrun::{self, Cause, ClockHealth, Closed, Fact, NotAired, Sounding};
use crate::frames::{self, AIR_RATE};
use crate::output::Hole;
use crate::schedule::OutputId;
use crate::timeline::{Cue, CueId};

/// Facts kept here while the log takes none: more than the queue holds, weeks of them.
const BACKLOG: usize = 16_384;
/// Cues whose takes are numbered; the oldest are forgotten. A timeline spans some days of some dozens.
const NUMBERED: usize = 4_096;
/// Frames by which a source may end before its planned end, by the rounding of lengths; beyond, its file is broken.
pub(super) const SHORT: u64 = AIR_RATE as u64 / 10;
/// Frames after the last one of a take of which a device that has accepted them has played that one, whatever it says of it:
/// 2 s. The clock of the wall does not count: it goes on while a device stands still, and what that costs is told later.
const PATIENCE: u64 = 2 * AIR_RATE as u64;

/// A start that is late by no more than this has nothing to say of what held it up, if that turns out after it was opened.
const HELD_UP: SignedDuration = SignedDuration::from_millis(300);
/// By how much a card's clock may be ahead of the machine's over a piece, and what is rounded.
const DRIFT: SignedDuration = SignedDuration::from_secs(1);

/// A take that is not closed.
#[derive(Debug)]
struct Take {
    cue: CueId,
    number: u16,
    opened: Timestamp,
    /// When its first frame was to leave.
    planned: Timestamp,
    expected: u64,
    /// Whether it begins in its middle: `planned` is later by all that held it up.
    is_joined: bool,
    /// Whether something that held it up is on record already, or belongs to the take before it.
    is_told: bool,
    /// What held it up, where that was not known yet when it was opened.
    held_by: Option<Cause>,
    /// The first frame.
    started: Option<Mark>,
    /// The one after the last.
    end: Option<Mark>,
    /// Frames of the segment in between; none before its end is known.
    placed: u64,
    starved: u64,
    unpowered: bool,
    lost: u64,
    cause: Option<Cause>,
}

impl Take {
    /// When its last frame left, of those `delivered`: one that was lost with the device is no end.
    fn ended(&self, delivered: u64) -> Option<Timestamp> {
        let (start, end) = self.started.zip(self.end)?;
        let end = end_of(start, end);
        let sounded = start.at + frames::duration(delivered + self.starved, AIR_RATE);
        Some(if self.lost > 0 { end.min(sounded) } else { end })
    }

    /// What held it up, as far as that is to be told when it is over.
    fn held_up_by(&self) -> Option<Cause> {
        let late = self.started.map_or(SignedDuration::ZERO, |start| start.at.duration_since(self.planned));
        self.held_by.filter(|_| !self.is_told && (self.is_joined || late > HELD_UP))
    }

    /// How far it is, where all frames before `played` were heard that were not lost; of its own, so many were starved, and missing in its file.
    fn sounding(&self, played: u64, [starved, missing]: [u64; 2]) -> Option<Sounding> {
        let start = self.started?;
        let (end, absent, starved) = match self.end {
            Some(end) => (end.frame, end.frame.saturating_sub(start.frame).saturating_sub(self.placed), 0),
            None => (u64::MAX, starved + if missing > SHORT { missing } else { 0 }, starved),
        };
        let heard = played.min(end).saturating_sub(start.frame);
        Some(Sounding {
            cue: self.cue.clone(),
            take: self.number,
            opened: self.opened,
            started: start.at,
            delivered: heard.saturating_sub(absent + self.lost),
            starved: self.starved + starved,
            unpowered: self.unpowered,
            held_by: self.held_up_by(),
        })
    }

    /// It will be cut. The first cause counts; but where its end was planned, and its fade begun, what ends it before that.
    fn cut(&mut self, cause: Cause) {
        if self.cause.is_none_or(|first| is_planned(first) && !is_planned(cause)) {
            self.cause = Some(cause);
        }
    }
}

/// Moves a mark to where its frame leaves, where `next` is when the frame after those `accepted` does.
fn move_mark(mark: &mut Mark, accepted: u64, next: Timestamp) {
    let early = frames::duration(accepted.saturating_sub(mark.accepted), AIR_RATE);
    mark.at = next + frames::duration(mark.accepted.saturating_sub(accepted), AIR_RATE) - early;
}

/// When a take ended that began with one mark and ended with another. Where the wall clock was set back in between, that is by
/// how long it sounded: no piece is over before it began.
fn end_of(start: Mark, end: Mark) -> Timestamp {
    let by_frames = start.at + frames::duration(end.frame.saturating_sub(start.frame), AIR_RATE);
    if end.at < start.at || end.at + DRIFT < by_frames { by_frames } else { end.at }
}

/// Whether something ends so because others are planned after it.
fn is_planned(cause: Cause) -> bool {
    matches!(cause, Cause::PlannedCut | Cause::CutByNext)
}

/// The takes of a cue, counted.
#[derive(Debug, Default)]
struct Numbers {
    next: u16,
    taken_back: u16,
}

/// A frame that was placed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// As the mixer counts.
    pub(super) frame: u64,
    /// When it leaves.
    pub(super) at: Timestamp,
    /// How many frames the output has accepted before this one.
    pub(super) accepted: u64,
}

/// Writes the facts of one output.
#[derive(Debug)]
pub(super) struct Ledger {
    output: OutputId,
    /// Where they go; without it they are kept for [`Ledger::take_facts`].
    facts: Option<SyncSender<Fact>>,
    backlog: VecDeque<Fact>,
    takes: BTreeMap<VoiceId, Take>,
    numbers: BTreeMap<CueId, Numbers>,
    /// Frames the output has accepted, and those of them that will never be heard.
    accepted: u64,
    gone: u64,
    /// The frames from which on it was estimated when they leave, as the device does not know it yet.
    unsure: Option<u64>,
}

impl Ledger {
    pub(super) fn new(output: OutputId, facts: Option<SyncSender<Fact>>) -> Self {
        Self {
            output,
            facts,
            backlog: VecDeque::new(),
            takes: BTreeMap::new(),
            numbers: BTreeMap::new(),
            accepted: 0,
            gone: 0,
            unsure: Some(0),
        }
    }

    /// Opens a take, unless that is done: from `skip` into the cue on, which was held up until then by what is known.
    pub(super) fn open(
        &mut self,
        voice: VoiceId,
        cue: &Arc<Cue>,
        (skip, held_by): (SignedDuration, Option<Cause>),
        device: String,
        clock: ClockHealth,
        at: Timestamp,
    ) {
        if self.takes.contains_key(&voice) {
            return;
        }
        let numbers = self.numbers.entry(cue.id.clone()).or_default();
        let (number, is_first) = (numbers.next, numbers.next == numbers.taken_back);
        numbers.next = number.saturating_add(1);
        if self.numbers.len() > NUMBERED {
            self.numbers.pop_first();
        }
        let expected = frames::count(cue.duration() - skip, AIR_RATE);
        // A second take goes on after the first, which says why that ended.
        let held_by = held_by.filter(|_| is_first && (skip.is_positive() || at > cue.at));
        let planned = cue.at + skip;
        self.takes.insert(
            voice,
            Take {
                cue: cue.id.clone(),
                number,
                opened: at,
                planned,
                expected,
                is_joined: skip.is_positive(),
                is_told: held_by.is_some() || !is_first,
                held_by: None,
                started: None,
                end: None,
                placed: 0,
                starved: 0,
                unpowered: false,
                lost: 0,
                cause: None,
            },
        );
        let take = asrun::Take {
            take: number,
            planned,
            skip,
            held_by,
            expected,
            sample_rate: AIR_RATE,
            device,
            clock,
            opened: at,
            end: None,
        };
        self.send(Fact::Opened { cue: Arc::clone(cue), output: self.output.clone(), take });
    }

    /// Whether a voice has a take.
    pub(super) fn has(&self, voice: VoiceId) -> bool {
        self.takes.contains_key(&voice)
    }

    /// A frame was placed, `ahead` frames after those that the output has accepted.
    pub(super) fn mark(&self, frame: u64, at: Timestamp, ahead: u64) -> Mark {
        Mark { frame, at, accepted: self.accepted + ahead }
    }

    /// A take's first frame was placed, held up by what is known by now.
    pub(super) fn started(&mut self, voice: VoiceId, first: Mark, held_by: Option<Cause>) {
        if let Some(take) = self.takes.get_mut(&voice) {
            (take.started, take.held_by) = (Some(first), held_by);
        }
    }

    /// A take will be cut.
    pub(super) fn cut(&mut self, voice: VoiceId, cause: Cause) {
        if let Some(take) = self.takes.get_mut(&voice) {
            take.cut(cause);
        }
    }

    /// A take's last frame was placed, before `end`.
    pub(super) fn ended(&mut self, voice: VoiceId, end: Mark, (placed, starved): (u64, u64)) {
        if let Some(take) = self.takes.get_mut(&voice) {
            (take.end, take.placed) = (Some(end), placed);
            take.starved += starved;
        }
    }

    /// A take that was to start now will not sound, and that is the end of it.
    pub(super) fn unheard(&mut self, voice: VoiceId, cause: Cause, at: Timestamp) {
        self.cut(voice, cause);
        if let Some(take) = self.takes.remove(&voice) {
            self.close(&take, at);
        }
    }

    /// A take that was opened is not to sound, or not like that.
    pub(super) fn take_back(&mut self, voice: VoiceId, at: Timestamp) {
        if let Some(Take { cue, number, .. }) = self.takes.remove(&voice) {
            if let Some(numbers) = self.numbers.get_mut(&cue) {
                numbers.taken_back = numbers.taken_back.saturating_add(1);
            }
            self.send(Fact::TakenBack { cue, output: self.output.clone(), take: number, at });
        }
    }

    /// A cue has no take and gets none.
    pub(super) fn not_aired(&mut self, cue: Arc<Cue>, cause: Cause, clock: ClockHealth, at: Timestamp) {
        let output = self.output.clone();
        self.send(Fact::NotAired(NotAired { cue, output, cause, clock, at }));
    }

    /// What sounds is still on air: the output has `delivered` frames, `next` is the next one to be written, and of a voice
    /// so many were `missed`.
    pub(super) fn heartbeat(
        &mut self,
        at: Timestamp,
        (delivered, next): (u64, u64),
        missed: impl Fn(VoiceId) -> [u64; 2],
    ) {
        if self.is_on_air() && self.backlog.is_empty() {
            let played = next.saturating_sub(self.accepted.saturating_sub(self.played(delivered)));
            let takes = self.takes.iter();
            let sounding = takes.filter_map(|(voice, take)| take.sounding(played, missed(*voice))).collect();
            self.send(Fact::Heartbeat { at, output: self.output.clone(), sounding });
        }
    }

    /// How many of the frames that the output accepted have left or never will, where it has `delivered` so many.
    fn played(&self, delivered: u64) -> u64 {
        (delivered + self.gone).max(self.accepted.saturating_sub(PATIENCE))
    }

    /// Whether a take sounds, or waits for its closing.
    pub(super) fn is_on_air(&self) -> bool {
        self.takes.values().any(|take| take.started.is_some())
    }

    /// The output accepted frames.
    pub(super) fn accepted(&mut self, frames: u64) {
        self.accepted += frames;
    }

    /// The device runs anew: when the next frames leave is an estimate until it knows.
    pub(super) fn doubt(&mut self) {
        self.unsure = Some(self.accepted);
    }

    /// Whether it is an estimate when the newest frames leave.
    pub(super) fn is_unsure(&self) -> bool {
        self.unsure.is_some()
    }

    /// The device knows when frames leave, the first one that is not accepted yet at `next`: what began or ended by an estimate
    /// did when that says. A device that takes a while to run had told of it too early.
    pub(super) fn correct(&mut self, next: Timestamp) {
        if let Some(since) = self.unsure.take() {
            self.leaves(since, since, next);
        }
    }

    /// Moves the starts and the ends from these frames on to where they leave, where `next` is when the first frame does
    /// that is not accepted yet.
    fn leaves(&mut self, starts: u64, ends: u64, next: Timestamp) {
        let accepted = self.accepted;
        for take in self.takes.values_mut() {
            if let Some(start) = take.started.as_mut().filter(|start| start.accepted >= starts) {
                let before = start.at;
                move_mark(start, accepted, next);
                if start.at.duration_since(before) > HELD_UP {
                    take.held_by.get_or_insert(Cause::Starved);
                }
            }
            if let Some(end) = take.end.as_mut().filter(|end| end.accepted >= ends) {
                move_mark(end, accepted, next);
            }
        }
    }

    /// Whether the output ever took anything.
    pub(super) fn has_accepted(&self) -> bool {
        self.accepted > 0
    }

    /// The output took none of the frames from `from` to before `to`, as the mixer counts.
    pub(super) fn lose(&mut self, from: u64, to: u64) {
        for take in self.takes.values_mut() {
            let Some(start) = take.started else { continue };
            let end = take.end.map_or(u64::MAX, |end| end.frame);
            take.lost += to.min(end).saturating_sub(from.max(start.frame));
        }
    }

    /// The output has `delivered` frames and was lost, when `next` was the next frame to be written: all in between are
    /// gone.
    pub(super) fn output_lost(&mut self, delivered: u64, next: u64) {
        let under_way = self.accepted.saturating_sub(self.gone).saturating_sub(delivered);
        self.lose(next.saturating_sub(under_way), next);
        self.gone += under_way;
        self.unsure = None;
    }

    /// The output begins anew, or goes on with what it has: of what it accepted it will have delivered so many frames.
    pub(super) fn resume(&mut self, delivered: u64) {
        self.gone = self.accepted.saturating_sub(delivered);
    }

    /// The device played silence, as the loop was late or it stood still: that is told some time after. Who had sound before
    /// and after the hole was not heard whole; what begins or ends beyond it left that much later than was known then, and
    /// `next` is when the first frame will leave that is not accepted yet.
    ///
    /// Gives the cue that had the hole.
    pub(super) fn starve(&mut self, frames: u64, hole: Hole, next: Timestamp) -> Option<&CueId> {
        let Hole { from, to } = hole.later(self.gone);
        let sounding = |take: &Take| {
            take.started.is_some_and(|start| start.accepted < to)
                && take.end.is_none_or(|end| from < end.accepted)
        };
        let had = self.takes.iter_mut().rfind(|(_, take)| sounding(take)).map(|(voice, take)| {
            take.starved += frames;
            *voice
        });
        self.leaves(to, to + 1, next);
        // What was before it did not move.
        self.unsure = self.unsure.map(|since| since.max(to));
        had.and_then(|voice| self.takes.get(&voice)).map(|take| &take.cue)
    }

    /// The amplifier cannot be switched on for what sounds.
    pub(super) fn unpowered(&mut self) {
        for take in self.takes.values_mut().filter(|take| take.started.is_some()) {
            take.unpowered = true;
        }
    }

    /// Closes the takes whose last frame has left; with `up` false, none will any more.
    pub(super) fn settle(&mut self, delivered: u64, up: bool, now: Timestamp) {
        let played = self.played(delivered);
        let over = |take: &Take| take.end.is_some_and(|end| !up || played >= end.accepted);
        // Nothing to collect in nearly every turn, and then nothing is allocated.
        let closed: Vec<Take> =
            self.takes.extract_if(.., |_, take| over(take)).map(|(_, take)| take).collect();
        for take in &closed {
            self.close(take, now);
        }
    }

    /// Closes everything as it stands.
    pub(super) fn settle_all(&mut self, now: Timestamp) {
        for mut take in std::mem::take(&mut self.takes).into_values() {
            if take.end.is_none() {
                take.cut(Cause::ProgramStopped);
            }
            self.close(&take, now);
        }
    }

    fn close(&mut self, take: &Take, at: Timestamp) {
        let delivered = take.placed.saturating_sub(take.lost);
        let heard = delivered > 0;
        let short = take.end.is_some() && take.placed + take.starved + SHORT < take.expected;
        let by_itself = match (take.lost > 0, short) {
            (true, _) => Some(Cause::OutputDown),
            (false, true) => Some(Cause::FileBroken),
            (false, false) => None,
        };
        self.send(Fact::Closed(Closed {
            cue: take.cue.clone(),
            output: self.output.clone(),
            take: take.number,
            started: take.started.map(|start| start.at).filter(|_| heard),
            ended: take.ended(delivered).filter(|_| heard),
            delivered,
            starved: take.starved,
            unpowered: take.unpowered,
            held_by: take.held_up_by(),
            cause: take.cause.filter(|cause| !(is_planned(*cause) && take.lost > 0)).or(by_itself),
            at,
        }));
    }

    fn send(&mut self, fact: Fact) {
        self.backlog.push_back(fact);
        if self.facts.is_none() {
            return;
        }
        self.flush();
        if self.backlog.len() > BACKLOG {
            self.backlog.pop_front();
            error!(output.id = %self.output, "the log takes nothing any more: its oldest fact is lost");
        }
    }

    /// Sends what the queue had no room for.
    pub(super) fn flush(&mut self) {
        let Some(facts) = &self.facts else { return };
        while let Some(fact) = self.backlog.pop_front() {
            match facts.try_send(fact) {
                Ok(()) => {}
                Err(TrySendError::Full(fact)) => return self.backlog.push_front(fact),
                // Nobody keeps a log: the program is ending.
                Err(TrySendError::Disconnected(_)) => self.backlog.clear(),
            }
        }
    }

    /// Sends the rest, and waits for room: for the end of the thread.
    pub(super) fn flush_all(&mut self) {
        let Some(facts) = &self.facts else { return };
        for fact in self.backlog.drain(..) {
            if facts.send(fact).is_err() {
                return;
            }
        }
    }

    /// Facts that the log has not taken yet.
    pub(super) fn unlogged(&self) -> usize {
        if self.facts.is_some() { self.backlog.len() } else { 0 }
    }

    /// The facts so far, where they go to no queue.
    pub(super) fn take_facts(&mut self) -> impl Iterator<Item = Fact> + '_ {
        self.backlog.drain(..)
    }
}

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "each test looks for facts of one kind")]
mod tests;
