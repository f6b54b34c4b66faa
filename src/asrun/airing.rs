//! One cue's airing: everything the log says of it, as the sum of its facts.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Cause, ClockHealth, Closed, Entry, Outcome};
use crate::frames;
use crate::schedule::{Late, OutputId};
use crate::segment::{Approval, ContentHash, Genre, ProgrammeId, Segment, SegmentId};
use crate::timeline::{Absence, Content, Cue, CueId, Form, Layer, given_up_at};

/// Frames by which a take may fall short and still count as whole: 10 ms at 48 kHz, far below what is heard and above
/// the rounding of lengths between sample rates.
pub const TOLERANCE_FRAMES: u64 = 480;

/// What is known of a cue apart from how it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The cue; its block is in it.
    pub cue: CueId,
    /// The output.
    pub output: OutputId,
    /// The hamlets that hear the output.
    pub zones: Vec<String>,
    /// The title of its session, as it was; none for what a person ordered, and in entries of before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_title: Option<Arc<str>>,
    /// The slot's title.
    pub title: String,
    /// The programme or pool.
    pub programme: Option<ProgrammeId>,
    /// The plan's content area.
    pub topic: Option<Arc<str>>,
    /// Own or repeat.
    pub form: Form,
    /// Its rank.
    pub layer: Layer,
    /// Who ordered it, where a person did.
    pub ordered_by: Option<String>,
    /// The planned start.
    pub planned: Timestamp,
    /// The planned end.
    pub planned_end: Timestamp,
    /// What the plan left off its end, of a piece that was to be heard whole.
    #[serde(default, skip_serializing_if = "SignedDuration::is_zero")]
    pub lost: SignedDuration,
    /// What was to happen if it could not start on time; entries of before this was kept have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
    /// The gain applied, in dB, to a hundredth.
    pub gain_db: f64,
    /// What sounds, where there is something.
    pub segment: Option<Piece>,
    /// The recording that was withdrawn before, where that is why nothing sounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<SegmentId>,
}

impl Item {
    pub(super) fn of(cue: &Cue, output: &OutputId, zones: &[String]) -> Self {
        let gain_db = if cue.gain_db.is_finite() { (cue.gain_db * 100.0).round() / 100.0 } else { 0.0 };
        Self {
            cue: cue.id.clone(),
            output: output.clone(),
            zones: zones.to_vec(),
            session_title: cue.session_title.clone(),
            title: cue.title.clone(),
            programme: cue.programme.clone(),
            topic: cue.topic.clone(),
            form: cue.form,
            layer: cue.layer,
            ordered_by: cue.ordered_by.clone(),
            planned: cue.at,
            planned_end: cue.end,
            lost: cue.lost,
            late: Some(cue.late),
            gain_db,
            segment: cue.segment().map(|segment| Piece::of(segment, cue.genre)),
            withdrawn: match &cue.content {
                Content::Nothing(Absence::Withdrawn { segment }) => Some(segment.clone()),
                Content::Nothing(_) | Content::Segment(_) => None,
            },
        }
    }
}

/// What the log keeps of a segment, as it was when it aired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Its id.
    pub id: SegmentId,
    /// Its bytes.
    pub hash: ContentHash,
    /// Its title.
    pub title: String,
    /// Its kind, its own or its programme's.
    pub genre: Option<Genre>,
    /// The source of its information.
    pub source: Option<Arc<str>>,
    /// Who wrote it.
    pub author: Option<Arc<str>>,
    /// Who approved it, and when.
    pub approval: Option<Approval>,
}

impl Piece {
    fn of(segment: &Segment, genre: Option<Genre>) -> Self {
        Self {
            id: segment.id.clone(),
            hash: segment.hash,
            title: segment.words.title.clone(),
            genre,
            source: segment.words.source.clone(),
            author: segment.words.author.clone(),
            approval: segment.approval.clone(),
        }
    }
}

/// One attempt to sound a cue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// Its number, as the engine counts.
    pub take: u16,
    /// When its first frame was to leave.
    pub planned: Timestamp,
    /// How far into the cue it began.
    pub skip: SignedDuration,
    /// What kept it from beginning in time, where that is known; entries of before this was kept do not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<Cause>,
    /// Frames it was to deliver.
    pub expected: u64,
    /// Frames per second.
    pub sample_rate: u32,
    /// The device's stable name.
    pub device: String,
    /// What was known of the clock.
    pub clock: ClockHealth,
    /// When it was opened.
    pub opened: Timestamp,
    /// How it ended; none while it is on air.
    pub end: Option<End>,
}

/// How a take ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When its first frame left the device.
    pub started: Option<Timestamp>,
    /// When its last did.
    pub ended: Option<Timestamp>,
    /// Frames that a healthy device took.
    pub delivered: u64,
    /// Frames of silence in place of sound that came late.
    pub starved: u64,
    /// Whether the amplifier could not be switched on meanwhile, as far as its command says; entries of before this was
    /// kept do not say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpowered: bool,
    /// What kept it from beginning in time, where that was not known yet when it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<Cause>,
    /// Why it was not the plan.
    pub cause: Option<Cause>,
    /// When this was decided.
    pub at: Timestamp,
}

/// That a cue did not sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unheard {
    /// Why.
    pub cause: Cause,
    /// What was known of the clock.
    pub clock: ClockHealth,
    /// When this was decided.
    pub at: Timestamp,
}

/// Whether a segment was new to the listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Run {
    /// Phát lần đầu: the first cue that aired these bytes to their end.
    First,
    /// Phát lại: some earlier cue had.
    Repeat,
}

impl End {
    pub(super) fn of(closed: &Closed) -> Self {
        Self {
            started: closed.started,
            ended: closed.ended,
            delivered: closed.delivered,
            starved: closed.starved,
            unpowered: closed.unpowered,
            held_by: closed.held_by,
            cause: closed.cause,
            at: closed.at,
        }
    }
}

/// What became of a cue on an output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Airing {
    /// What was to sound.
    #[serde(flatten)]
    pub item: Item,
    /// Whether it was new; none while nobody has heard the segment to its end.
    pub run: Option<Run>,
    /// The attempts, in order.
    pub takes: Vec<Take>,
    /// That it did not sound, where somebody said so.
    pub unheard: Option<Unheard>,
    /// Who withdrew or stopped it: no fact of the log, but found beside it when it is read.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

/// That a person decided what became of a cue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Who.
    pub by: String,
    /// Why, where they were asked.
    pub reason: Option<String>,
}

/// A take that was not the whole cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenTake {
    /// Which of the cue's takes, from 1.
    pub number: usize,
    /// When it began, or was to.
    pub began: Timestamp,
    /// Whether something of it was heard.
    pub heard: bool,
    /// Why it was not whole.
    pub cause: Cause,
    /// What kept it from beginning in time, where that is known: of one that sounded up to its end, the cause itself.
    pub held_by: Option<Cause>,
    /// Whether it began in the middle.
    pub joined: bool,
    /// Whether it was cut, so that the cause is none of its beginning.
    pub was_cut: bool,
}

impl Airing {
    /// The airing after one more fact; none while nothing is known of the cue, and none again when its only take was
    /// taken back: the next one may have another segment. A fact told twice changes nothing.
    pub fn after(before: Option<Self>, entry: &Entry) -> Option<Self> {
        let begin = |item: &Item| Self {
            item: item.clone(),
            run: None,
            takes: Vec::new(),
            unheard: None,
            decision: None,
        };
        match entry {
            Entry::Opened { item, take } => {
                let mut airing = before.unwrap_or_else(|| begin(item));
                let told = |known: &Take| (known.take, known.opened) == (take.take, take.opened);
                if !airing.takes.iter().any(told) {
                    airing.takes.push(take.clone());
                }
                Some(airing)
            }
            Entry::Closed { take, end, .. } | Entry::Recovered { take, end, .. } => {
                let mut airing = before?;
                let is_it = |known: &&mut Take| known.take == *take && known.end.is_none();
                if let Some(open) = airing.takes.iter_mut().rev().find(is_it) {
                    open.end = Some(end.clone());
                }
                Some(airing)
            }
            Entry::TakenBack { take, .. } => {
                let mut airing = before?;
                airing.takes.retain(|known| known.take != *take || known.end.is_some());
                let known = !airing.takes.is_empty() || airing.unheard.is_some();
                known.then_some(airing)
            }
            Entry::NotAired { item, unheard } => {
                let mut airing = before.unwrap_or_else(|| begin(item));
                airing.unheard.get_or_insert_with(|| unheard.clone());
                Some(airing)
            }
            Entry::Reopened { at, .. } => {
                let mut airing = before?;
                airing.unheard = airing.unheard.filter(|unheard| unheard.at <= *at);
                let known = !airing.takes.is_empty() || airing.unheard.is_some();
                known.then_some(airing)
            }
            Entry::Note { .. } => before,
        }
    }

    /// What became of it. Sound that was heard outweighs a word that it was not.
    pub fn outcome(&self) -> Outcome {
        if self.is_on_air() {
            return Outcome::OnAir;
        }
        if self.takes.iter().any(Take::is_whole) {
            let whole = self.item.lost.is_zero();
            return if whole { Outcome::Aired } else { Outcome::Partly(Cause::PlannedCut) };
        }
        let causes = || self.takes.iter().filter_map(Take::cause);
        if self.delivered() == 0 {
            let cause = causes().next().or(self.unheard.as_ref().map(|unheard| unheard.cause));
            return Outcome::NotAired(cause.unwrap_or(Cause::OutputDown));
        }
        if causes().any(|cause| cause == Cause::Withdrawn) {
            return Outcome::Withdrawn;
        }
        Outcome::Partly(causes().next().unwrap_or(Cause::JoinedLate))
    }

    /// Whether nothing more is to be done for it by a program that begins at `now`: what was cut from outside, and has
    /// time left, goes on by its late rule.
    pub fn is_settled(&self, now: Timestamp) -> bool {
        // A word that it does not air is the last one, whatever cut its takes.
        let Some(last) = self.takes.last().filter(|_| self.unheard.is_none()) else { return true };
        let Some(end) = &last.end else { return false };
        let late = self.item.late.unwrap_or(Late::Join);
        !end.cause.is_some_and(Cause::passes)
            || last.is_whole()
            || late == Late::Skip
            || self.given_up_at() <= now
    }

    /// Whether a clock that is found right at `now` refutes the word that it does not air: that was said at an instant which
    /// has yet to come, and there is still time for it. What was heard was heard, at whatever hour.
    pub fn is_refuted(&self, now: Timestamp) -> bool {
        self.item.layer == Layer::Scheduled
            && self.unheard.as_ref().is_some_and(|unheard| unheard.at > now)
            && self.given_up_at() > now
    }

    fn given_up_at(&self) -> Timestamp {
        let Item { planned, planned_end, late, .. } = self.item;
        given_up_at(planned, planned_end, late.unwrap_or(Late::Join))
    }

    /// When its first frame left the device; of one that aired whole, that of the whole take.
    pub fn started(&self) -> Option<Timestamp> {
        match self.whole() {
            Some(whole) => whole.end.as_ref().and_then(|end| end.started),
            None => self.ends().find_map(|end| end.started),
        }
    }

    /// When its last word was spoken; none while it is on air.
    pub fn decided(&self) -> Option<Timestamp> {
        match (&self.unheard, self.takes.last()) {
            (_, Some(last)) => last.end.as_ref().map(|end| end.at),
            (Some(unheard), None) => Some(unheard.at),
            (None, None) => None,
        }
    }

    /// Whether it is opened, and nothing of it can sound yet: a take is opened before its first frame is due.
    pub fn is_about_to_begin(&self, now: Timestamp) -> bool {
        self.is_on_air() && self.takes.iter().all(|take| take.end.is_none() && now < take.planned)
    }

    fn is_on_air(&self) -> bool {
        self.takes.iter().any(|take| take.end.is_none())
    }

    /// When its last frame did; of one that aired whole, that of the whole take. None while it goes on, also after a cut.
    pub fn ended(&self) -> Option<Timestamp> {
        match self.whole() {
            _ if self.is_on_air() => None,
            Some(whole) => whole.end.as_ref().and_then(|end| end.ended),
            None => self.ends().filter_map(|end| end.ended).last(),
        }
    }

    /// The takes that were not the whole cue, in order, up to one that was. Their causes are more than the outcome says, which
    /// has one.
    pub fn broken_takes(&self) -> impl Iterator<Item = BrokenTake> {
        let takes = (1..).zip(&self.takes).take_while(|(_, take)| !take.is_whole());
        takes.filter_map(|(number, take)| {
            let end = take.end.as_ref()?;
            let (began, heard) = (end.started.unwrap_or(take.planned), end.delivered > 0);
            let Fault { cause, was_cut } = take.fault()?;
            let (held_by, joined) = (take.held_up_by(), !take.skip.is_zero());
            Some(BrokenTake { number, began, heard, cause, held_by, joined, was_cut })
        })
    }

    /// Whether some take was the whole cue.
    pub fn has_whole_take(&self) -> bool {
        self.whole().is_some()
    }

    /// What made it begin late, where it was whole all the same.
    pub fn held_up_by(&self) -> Option<Cause> {
        self.whole().and_then(Take::held_up_by)
    }

    fn whole(&self) -> Option<&Take> {
        self.takes.iter().find(|take| take.is_whole())
    }

    /// How late its first frame was; negative for early.
    pub fn lateness(&self) -> Option<SignedDuration> {
        self.started().map(|started| started.duration_since(self.item.planned))
    }

    /// Frames that a healthy device took, over all takes.
    pub fn delivered(&self) -> u64 {
        self.ends().map(|end| end.delivered).sum()
    }

    /// How long a healthy device took it, over all takes.
    pub fn heard(&self) -> SignedDuration {
        let length = |take: &Take| {
            let frames = take.end.as_ref().map_or(0, |end| end.delivered);
            frames::duration(frames, take.sample_rate)
        };
        self.takes.iter().map(length).sum()
    }

    /// Frames of silence in place of late sound, over all takes.
    pub fn starved(&self) -> u64 {
        self.ends().map(|end| end.starved).sum()
    }

    /// Whether the amplifier could not be switched on while something of it sounded.
    pub fn unpowered(&self) -> bool {
        self.ends().any(|end| end.unpowered)
    }

    /// Frames the whole cue has, as the first take knew them; 0 where there was none.
    pub fn expected(&self) -> u64 {
        self.takes.first().map_or(0, |take| take.expected + frames::count(take.skip, take.sample_rate))
    }

    /// The device of the last take.
    pub fn device(&self) -> Option<&str> {
        self.takes.last().map(|take| take.device.as_str())
    }

    /// The worst that was known of the clock.
    pub fn clock(&self) -> ClockHealth {
        let known = || self.takes.iter().map(|take| take.clock).chain(self.unheard.iter().map(|u| u.clock));
        [ClockHealth::Wrong, ClockHealth::Unconfirmed]
            .into_iter()
            .find(|health| known().any(|other| other == *health))
            .unwrap_or(ClockHealth::Synchronised)
    }

    fn ends(&self) -> impl Iterator<Item = &End> {
        self.takes.iter().filter_map(|take| take.end.as_ref())
    }
}

impl Take {
    /// Whether it was the whole cue, as planned: from its beginning, every frame, none late, no cause. A planned fade at
    /// the end is part of the plan, even where it cuts words.
    pub fn is_whole(&self) -> bool {
        self.end.as_ref().is_some_and(|end| {
            self.skip.is_zero()
                && matches!(end.cause, None | Some(Cause::PlannedCut))
                && end.starved == 0
                && end.delivered > 0
                && end.delivered + TOLERANCE_FRAMES >= self.expected
        })
    }

    /// What kept it from beginning in time, where that is known.
    fn held_up_by(&self) -> Option<Cause> {
        self.held_by.or(self.end.as_ref().and_then(|end| end.held_by))
    }

    /// Why it was not the whole cue; none where it was, or is still on air.
    fn cause(&self) -> Option<Cause> {
        self.fault().map(|fault| fault.cause)
    }

    fn fault(&self) -> Option<Fault> {
        let end = self.end.as_ref().filter(|_| !self.is_whole())?;
        let is_planned = end.cause == Some(Cause::PlannedCut);
        let of_its_course = match end.cause {
            Some(cause) if !is_planned => Some(cause),
            _ if end.starved > 0 => Some(Cause::Starved),
            None if end.delivered + TOLERANCE_FRAMES < self.expected || end.delivered == 0 => {
                Some(Cause::OutputDown)
            }
            // An end that was planned explains nothing that is missing before it.
            _ => None,
        };
        let of_its_beginning =
            if is_planned && self.skip.is_zero() { Cause::PlannedCut } else { Cause::JoinedLate };
        Some(match of_its_course {
            Some(cause) => Fault { cause, was_cut: true },
            None => Fault { cause: self.held_up_by().unwrap_or(of_its_beginning), was_cut: false },
        })
    }
}

/// Why a take was not the whole cue.
struct Fault {
    cause: Cause,
    /// Whether that came in its course; else it is why it began as it did.
    was_cut: bool,
}

#[cfg(test)]
mod tests;
