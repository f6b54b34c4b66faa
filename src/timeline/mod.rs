//! When exactly: the schedule on the calendar, with absolute instants.
//!
//! `compile` is a pure function of schedule, catalogue, what already aired, and a window of time. Its ids are made
//! of meaning (date, session, slot, piece), so that compiling again after a restart or on another machine
//! names the same things alike, and a new timeline can be slid under a cue that is on air.

mod backtime;
mod calendar;
pub mod change;
mod compile;
#[cfg(test)]
pub(crate) mod fixture;
mod pick;
pub mod plan;
#[cfg(test)]
mod properties;
mod rundown;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::schedule::{Late, OutputId, QuietHours, SessionId, SlotId};
use crate::segment::{Genre, ProgrammeId, Segment, SegmentId};

pub use compile::compile;
pub use pick::week as week_of;

/// A stretch of time, its end not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
}

impl Window {
    /// Whether an instant lies within.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// A session on a date.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlockId {
    /// The local date on which it begins.
    pub date: Date,
    /// The session; for what a person ordered on the spot, [`INTERRUPT_SESSION`].
    pub session: SessionId,
    /// How often it had begun, or was missed, at other hours of that date before it was moved to these.
    #[serde(default, skip_serializing_if = "is_first")]
    pub run: u8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_first(run: &u8) -> bool {
    *run == 0
}

impl BlockId {
    /// A session on a date on which it was not moved.
    pub fn new(date: Date, session: impl Into<SessionId>) -> Self {
        Self { date, session: session.into(), run: 0 }
    }
}

/// The session under which interrupts are filed: `2026-11-23/!/<interrupt>/0`. No session of a file can be called so.
pub const INTERRUPT_SESSION: &str = "!";

/// A slot on a date: what gets exactly one outcome. Printed and parsed as `2026-11-23/sang/chuyen-muc/0`, and as
/// `2026-11-23/sang~2/chuyen-muc/0` where the session was moved after it had begun.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CueId {
    /// The block it is in.
    pub block: BlockId,
    /// The slot.
    pub slot: SlotId,
    /// Which of the slot's pieces, from 0.
    pub piece: u16,
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.date, self.session)?;
        if self.run > 0 { write!(f, "~{}", u16::from(self.run) + 1) } else { Ok(()) }
    }
}

impl fmt::Display for CueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.block, self.slot, self.piece)
    }
}

/// A text that is not the id of a cue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the id of a cue, such as 2026-11-23/sang/chuyen-muc/0")]
pub struct NotACueId(String);

impl FromStr for CueId {
    type Err = NotACueId;

    fn from_str(text: &str) -> Result<Self, NotACueId> {
        let wrong = || NotACueId(text.to_owned());
        let mut parts = text.split('/');
        let (Some(date), Some(session), Some(slot), Some(piece), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let date = date.parse().map_err(|_| wrong())?;
        let piece = piece.parse().map_err(|_| wrong())?;
        let (session, run) = match session.split_once('~') {
            Some((session, nth)) => (session, nth.parse::<u8>().ok().and_then(|nth| nth.checked_sub(1))),
            None => (session, Some(0)),
        };
        let block = BlockId { run: run.ok_or_else(wrong)?, ..BlockId::new(date, session) };
        Ok(Self { block, slot: slot.into(), piece })
    }
}

impl Serialize for CueId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CueId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// All blocks and cues of one output in a window, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// The output it is for.
    pub output: OutputId,
    /// The blocks that begin in this window are here, and no others.
    pub window: Window,
    /// The zone of the station, for local dates.
    pub time_zone: TimeZone,
    /// Hours in which nothing below an emergency sounds: the sequencer holds to them whatever the cues say.
    pub quiet: Vec<QuietHours>,
    /// The blocks, by their start; none overlaps the next.
    pub blocks: Vec<Block>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

impl Timeline {
    /// Every cue, in order.
    pub fn cues(&self) -> impl DoubleEndedIterator<Item = &Arc<Cue>> {
        self.blocks.iter().flat_map(|block| &block.cues)
    }
}

/// A session on a date, with absolute times.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Its id.
    pub id: BlockId,
    /// The session's title.
    pub title: String,
    /// When it begins.
    pub start: Timestamp,
    /// When it must be silent.
    pub end: Timestamp,
    /// Its cues, by their start. Those without a segment keep their place with no length.
    pub cues: Vec<Arc<Cue>>,
}

impl Block {
    /// For each cue, where the next hard start with a segment, or the block's end, cuts it.
    pub fn limits(&self) -> Vec<Timestamp> {
        let mut limit = self.end;
        let mut limits: Vec<Timestamp> = self
            .cues
            .iter()
            .rev()
            .map(|cue| {
                let own = limit;
                if cue.start == Join::Hard && cue.segment().is_some() {
                    limit = cue.at;
                }
                own
            })
            .collect();
        limits.reverse();
        limits
    }
}

/// A slot on a date, resolved to a segment and an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Cue {
    /// Its id.
    pub id: CueId,
    /// The title of its session; none for what a person ordered on the spot.
    pub session_title: Option<Arc<str>>,
    /// The slot's title.
    pub title: String,
    /// The programme, where the slot or its segment has one.
    pub programme: Option<ProgrammeId>,
    /// The plan's content area, from the segment or its programme.
    pub topic: Option<Arc<str>>,
    /// The kind of text, from the segment or its programme.
    pub genre: Option<Genre>,
    /// How it starts.
    pub start: Join,
    /// When its first frame is due.
    pub at: Timestamp,
    /// When it is over: by itself, or cut.
    pub end: Timestamp,
    /// The fade that brings it to silence at `end`; zero where it ends by itself.
    pub fade: SignedDuration,
    /// What the plan leaves off the end of a piece that was to be heard whole; zero for the last piece of a fill, which
    /// is faded wherever it is.
    pub lost: SignedDuration,
    /// What happens when it could not start on time.
    pub late: Late,
    /// Where its words come from.
    pub form: Form,
    /// Its rank.
    pub layer: Layer,
    /// Who ordered it, where a person did.
    pub ordered_by: Option<String>,
    /// What sounds.
    pub content: Content,
    /// What brings the segment to the station's loudness, in dB.
    pub gain_db: f64,
}

impl Cue {
    /// The segment, where there is one.
    pub fn segment(&self) -> Option<&Arc<Segment>> {
        match &self.content {
            Content::Segment(segment) => Some(segment),
            Content::Nothing(_) => None,
        }
    }

    /// From when on its late rule lets it start no more, whatever becomes free.
    pub fn given_up_at(&self) -> Timestamp {
        given_up_at(self.at, self.end, self.late)
    }

    /// How long it is planned to sound.
    pub fn duration(&self) -> SignedDuration {
        self.end.duration_since(self.at)
    }
}

/// From when on a cue planned like this may start no more.
///
/// One that may air whole and late can have its chance after its planned end: a power cut of five minutes takes all of a piece of three, and it airs within its ten.
pub fn given_up_at(planned: Timestamp, planned_end: Timestamp, late: Late) -> Timestamp {
    match late {
        Late::WholeWithin(within) => {
            planned.saturating_add(within).map_or(planned_end, |last| last.max(planned_end))
        }
        Late::Join | Late::Skip => planned_end,
    }
}

/// How a cue meets the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Join {
    /// At its instant, whatever plays.
    Hard,
    /// When the one before has ended, without a gap.
    Follow,
}

/// Where the words of a cue come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Tự sản xuất: the station's own.
    Own,
    /// Phát lại: what an earlier slot aired.
    Repeat,
}

/// Who may silence whom: a higher layer takes the output from a lower one, never the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Nothing: what a loudspeaker does by nature.
    Silence,
    /// The timeline.
    Scheduled,
    /// A person took the air.
    Live,
    /// An emergency; the only one that sounds in quiet hours.
    Emergency,
}

/// What sounds in a cue.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// This segment, from its cue-in.
    Segment(Arc<Segment>),
    /// Nothing, and why.
    Nothing(Absence),
}

/// Why a cue has no segment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Absence {
    /// No segment was handed in: for the file, the programme, or this week of it.
    Missing,
    /// One is there, not approved.
    NotApproved {
        /// It.
        segment: SegmentId,
    },
    /// The one there is no longer, or not yet, valid on the date.
    NotValid {
        /// It.
        segment: SegmentId,
    },
    /// The one there was withdrawn.
    Withdrawn {
        /// It.
        segment: SegmentId,
    },
    /// The one there is approved, and its file is gone or was changed.
    FileBroken {
        /// It.
        segment: SegmentId,
    },
    /// A day without music.
    NoMusic,
    /// There is no room left before the next hard start or the end of the session.
    NoRoom,
    /// It would sound in quiet hours.
    QuietHours,
    /// The local rules forbid the session.
    AgainstTheRules,
    /// What it should repeat had nothing to air either.
    NothingToRepeat,
    /// What it should repeat is not on that day: its session was dropped, or replaced by one without it.
    NoOrigin,
    /// Its turn was over before there was anything for it, and is on record as silent.
    TurnOver,
}

/// What is not as it should be, with what will happen on air.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub block: BlockId,
    /// The cue, where it is about one.
    pub cue: Option<CueId>,
    /// From when on it would be heard.
    pub at: Timestamp,
    /// What it is.
    #[serde(flatten)]
    pub kind: FindingKind,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; what airs is as planned.
    Note,
    /// What airs differs from the plan, in a way the plan provides for.
    Warning,
    /// Something will not air, or silence will.
    Error,
}

/// What a finding says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum FindingKind {
    /// A cue will be silent.
    Absent {
        /// Why.
        why: Absence,
    },
    /// An older segment stands in for this week's, which is missing.
    OlderStandsIn {
        /// What will air.
        segment: SegmentId,
    },
    /// The segment is longer than the slot's length, by this many milliseconds; what follows comes later.
    LongerThanPlanned {
        /// By how much.
        over_ms: i64,
    },
    /// The piece will be faded out before its end, by this many milliseconds, for the next hard start or the
    /// session's end.
    CutShort {
        /// How much of it is lost.
        lost_ms: i64,
    },
    /// Silence of this many milliseconds before the next hard start.
    Gap {
        /// How long.
        silence_ms: i64,
    },
    /// Silence of this many milliseconds from the last piece to the end of the session.
    EndsEarly {
        /// How long.
        silence_ms: i64,
    },
    /// A fill has nothing to choose from, or only pieces that come round again too soon.
    PoolTooSmall {
        /// The pool.
        pool: ProgrammeId,
    },
    /// A local time of the schedule does not exist on this date (clocks go forward); it airs later, or not at all.
    SkippedLocalTime {
        /// By how much, in milliseconds; none where something else has that time, or the session is over by then.
        shift_ms: Option<i64>,
    },
    /// A local time of the schedule comes twice on this date (clocks go back); it airs at the first.
    RepeatedLocalTime,
    /// Not all segments of a programme that could air fit.
    LeftOut {
        /// How many there was no room for.
        pieces: u32,
    },
    /// A session is cut by the beginning of the next.
    CutByNextSession {
        /// The next one.
        by: BlockId,
    },
    /// The session is longer than the rules allow.
    SessionTooLong,
    /// The day has more sessions than the rules allow.
    TooManySessions,
    /// The rules forbid sessions on this weekday.
    WeekdayNotAllowed,
    /// It lies in quiet hours and will be silent.
    InQuietHours,
}

/// What is on record of earlier cues: for repeats, whose timeline must say what really aired, and for blocks that are
/// under way, whose beginning no later change moves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    begun: BTreeMap<(BlockId, SlotId), Vec<Begun>>,
}

/// A cue whose time had come: it sounded, sounds, or did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Its number in the slot.
    pub piece: u16,
    /// What was to sound; none where there was nothing.
    pub segment: Option<SegmentId>,
    /// Why there was nothing.
    pub nothing: Option<Absence>,
    /// Its planned start.
    pub at: Timestamp,
    /// When what follows it may begin: its planned end, or sooner where it was taken off the air for good, or broke off.
    pub end: Timestamp,
    /// Whether its file broke off, and it is over before its planned end.
    pub broke_off: bool,
    /// Whether it was heard, at least in part.
    pub heard: bool,
    /// Whether it sounds, or is about to.
    pub sounds: bool,
}

impl History {
    /// Notes what is on record of a cue.
    pub fn note(&mut self, cue: &CueId, begun: Begun) {
        let of_slot = self.begun.entry((cue.block.clone(), cue.slot.clone())).or_default();
        let place = of_slot.partition_point(|before| before.piece <= begun.piece);
        of_slot.insert(place, begun);
    }

    /// What is on record of a slot's cues, by their numbers.
    pub fn begun(&self, block: &BlockId, slot: &SlotId) -> &[Begun] {
        self.begun.get(&(block.clone(), slot.clone())).map_or(&[], Vec::as_slice)
    }

    /// What is on record of a block, slot by slot.
    fn begun_in(&self, block: &BlockId) -> impl Iterator<Item = (&SlotId, &Begun)> {
        let of_block = self.of(block.date, &block.session).filter(move |((other, _), _)| other == block);
        of_block.flat_map(|((_, slot), begun)| begun.iter().map(move |begun| (slot, begun)))
    }

    /// What a slot aired on a date, in order, the last time that it was heard; nothing where it is still to come.
    pub fn aired(&self, date: Date, session: &SessionId, slot: &SlotId) -> Vec<&SegmentId> {
        let runs = self.of(date, session).filter(|((_, other), _)| other == slot);
        let heard = |begun: &[Begun]| begun.iter().any(|begun| begun.heard);
        let last = runs.map(|(_, begun)| begun.as_slice()).filter(|begun| heard(begun)).last();
        let heard = last.unwrap_or_default().iter().filter(|begun| begun.heard);
        heard.filter_map(|begun| begun.segment.as_ref()).collect()
    }

    /// What is on record of the pieces of a slot that is on the air on a date; none where it is not.
    fn on_air(&self, date: Date, session: &SessionId, slot: &SlotId) -> Option<&[Begun]> {
        let mut runs = self.of(date, session).filter(|((_, other), _)| other == slot);
        runs.find_map(|(_, begun)| begun.iter().any(|begun| begun.sounds).then_some(begun.as_slice()))
    }

    /// Which run of a session it is that lasts from `start` to `end` on a date: the next one, where what is on record of
    /// it began at other hours.
    fn run(&self, id: &BlockId, start: Timestamp, end: Timestamp) -> u8 {
        let Some(latest) = self.of(id.date, &id.session).map(|((block, _), _)| block.run).max() else {
            return 0;
        };
        let of_latest = self.of(id.date, &id.session).filter(|((block, _), _)| block.run == latest);
        let first = of_latest.flat_map(|(_, begun)| begun).map(|begun| begun.at).min();
        if first.is_none_or(|first| start <= first && first <= end) {
            latest
        } else {
            latest.saturating_add(1)
        }
    }

    /// What is on record of a session on a date, run by run.
    fn of(&self, date: Date, session: &SessionId) -> impl Iterator<Item = (&(BlockId, SlotId), &Vec<Begun>)> {
        let from = (BlockId::new(date, session.clone()), SlotId::from(""));
        self.begun
            .range(from..)
            .take_while(move |((block, _), _)| block.date == date && block.session == *session)
    }
}

/// Whole milliseconds, for findings.
fn millis(length: SignedDuration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}
