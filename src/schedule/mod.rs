//! What should air: the station's week as people wrote it, checked.
//!
//! Text becomes data in two steps: `file` reads the TOML as written, with the places of everything in it; `check`
//! turns that into a [`Schedule`] or into every [`Problem`] found. This room knows no clock, no file and no
//! segment that exists: whether a piece is there is a question for the timeline.

mod calendar;
mod check;
pub mod edit;
mod file;
mod moved;
pub mod problem;
mod reader;
mod rundown;
#[cfg(test)]
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::segment::{Genre, ProgrammeId, Words, id};
pub use check::{Sources, read, read_at};
pub use problem::Problem;
pub use value::day_name;

id! {
    /// A session of the week, `sang`.
    SessionId
}
id! {
    /// A slot, unique within its session; one that the file leaves unnamed is called by its place, `3`.
    SlotId
}
id! {
    /// One audio line of the station.
    OutputId
}

/// The whole checked schedule of a station.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// The station's name, as it is announced.
    pub name: String,
    /// The zone in which all its local times are meant.
    pub time_zone: TimeZone,
    /// The loudness every segment is brought to.
    pub loudness: Loudness,
    /// What the commune's own regulation allows.
    pub rules: Rules,
    /// The audio lines; at least one.
    pub outputs: Vec<Output>,
    /// The editorial lines.
    pub programmes: BTreeMap<ProgrammeId, Programme>,
    /// What is taken in rotation. Its ids are never those of programmes.
    pub pools: BTreeMap<ProgrammeId, Pool>,
    /// The week, in the order of the file.
    pub sessions: Vec<Session>,
    /// The dated changes, in the order of the file; the last one that matches a date wins.
    pub day_plans: Vec<DayPlan>,
}

/// Targets of levelling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loudness {
    /// Integrated loudness at the output, in LUFS. The default, −18, suits speech from horns better than the −23
    /// of EBU R128, which is made for living rooms.
    pub target_lufs: f64,
    /// What a quiet recording may be raised by at most, in dB.
    pub max_boost_db: f64,
}

impl Default for Loudness {
    fn default() -> Self {
        Self { target_lufs: -18.0, max_boost_db: 20.0 }
    }
}

/// The local rules (Quy chế) of the station: checked when the schedule is edited and again when it is played.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// The hours in which nothing below an emergency sounds.
    pub quiet: Vec<QuietHours>,
    /// The longest session allowed.
    pub longest_session: Option<SignedDuration>,
    /// How many sessions a day may have.
    pub sessions_per_day: Option<u32>,
    /// The days on which sessions may be at all.
    pub weekdays: Weekdays,
    /// Whether an approver may approve what they handed in themselves, as at a station with a single person.
    pub approve_own_work: bool,
}

/// Local hours of silence; from 20:00 to 05:30 runs over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// First moment of silence.
    pub from: Time,
    /// First moment after it.
    pub to: Time,
}

impl QuietHours {
    /// Whether a local time lies in them.
    pub fn contains(&self, time: Time) -> bool {
        if self.from <= self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }
}

/// One audio line, with its amplifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its id.
    pub id: OutputId,
    /// The device's stable name, `default`, `alsa:hw:CARD=Device,DEV=0`, `pulseaudio:…`.
    pub device: String,
    /// The amplifier is on this long before the first sound of a block.
    pub lead: SignedDuration,
    /// And this long after its last.
    pub tail: SignedDuration,
    /// How it is switched; none where it is always on.
    pub amplifier: Option<Amplifier>,
    /// The hamlets that hear it, for the log.
    pub zones: Vec<String>,
}

/// The commands that switch an amplifier: program and arguments, run without a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amplifier {
    /// Switches it on.
    pub on: Vec<String>,
    /// Switches it off.
    pub off: Vec<String>,
}

/// An editorial line, to which staff hand in segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programme {
    /// Its id.
    pub id: ProgrammeId,
    /// Its title on screen and in the log.
    pub title: String,
    /// The plan's content area, `II.1` to `II.6`.
    pub topic: Option<String>,
    /// The kind of text it carries.
    pub genre: Option<Genre>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// A new segment is due every ISO week.
    pub weekly: bool,
    /// When this week's is missing, whether an older one may air in its stead.
    pub stand_in: StandIn,
    /// Its approved segments are kept decoded in memory: for emergencies, which sound at once and without a disk.
    pub ready: bool,
}

/// What happens when this week's segment of a weekly programme is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandIn {
    /// The newest older one that is still valid airs.
    Older,
    /// Nothing airs.
    Never,
}

/// Segments taken in rotation: music between the spoken parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its id; segments are handed in for it as for a programme.
    pub id: ProgrammeId,
    /// Its title on screen and in the log.
    pub title: String,
    /// Silent on a day without music.
    pub music: bool,
}

/// The days of the week on which something is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Weekdays(u8);

impl Weekdays {
    /// Every day.
    pub const ALL: Self = Self(0b111_1111);
    /// No day.
    pub const NONE: Self = Self(0);

    /// Whether a day is among them.
    pub fn contains(self, day: Weekday) -> bool {
        self.0 & Self::bit(day) != 0
    }

    /// With one day more.
    #[must_use]
    pub fn with(self, day: Weekday) -> Self {
        Self(self.0 | Self::bit(day))
    }

    /// The days in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The days, from Monday on.
    pub fn iter(self) -> impl Iterator<Item = Weekday> {
        Weekday::Monday.cycle_forward().take(7).filter(move |day| self.contains(*day))
    }

    /// These days without those.
    #[must_use]
    pub fn without(self, those: Self) -> Self {
        Self(self.0 & !those.0)
    }

    /// Whether it is no day at all.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    fn bit(day: Weekday) -> u8 {
        1 << day.to_monday_zero_offset()
    }
}

impl Default for Weekdays {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromIterator<Weekday> for Weekdays {
    fn from_iter<I: IntoIterator<Item = Weekday>>(days: I) -> Self {
        days.into_iter().fold(Self::NONE, Self::with)
    }
}

/// As a list of English short names, `["mon", "tue"]`.
impl Serialize for Weekdays {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|day| match day {
            Weekday::Monday => "mon",
            Weekday::Tuesday => "tue",
            Weekday::Wednesday => "wed",
            Weekday::Thursday => "thu",
            Weekday::Friday => "fri",
            Weekday::Saturday => "sat",
            Weekday::Sunday => "sun",
        }))
    }
}

impl fmt::Debug for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The dates between which something holds, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Validity {
    /// The first date.
    pub from: Option<Date>,
    /// The last date.
    pub until: Option<Date>,
}

impl Validity {
    /// Whether a date lies within.
    pub fn contains(&self, date: Date) -> bool {
        self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date <= until)
    }
}

/// An on-air window of the week, with a rundown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Its title on screen and in the log.
    pub title: String,
    /// The days it is on.
    pub days: Weekdays,
    /// The dates between which it is on.
    pub valid: Validity,
    /// Its local beginning.
    pub from: Time,
    /// Its local end, on the next day where it is not after `from`. Whatever still sounds is faded out by then.
    pub to: Time,
    /// The outputs it goes to; at least one.
    pub outputs: BTreeSet<OutputId>,
    /// Its rundown; ids are unique in it.
    pub slots: Vec<Slot>,
}

/// A place in a rundown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its id.
    pub id: SlotId,
    /// Its title on screen and in the log.
    pub title: String,
    /// The days it is on, among those of its session.
    pub days: Weekdays,
    /// The dates between which it is on.
    pub valid: Validity,
    /// How it starts.
    pub start: Start,
    /// What it plays.
    pub play: Play,
    /// What it may take: a bound for `all` and for a pool that follows, a plan to hold a single segment against.
    pub length: Option<SignedDuration>,
    /// What happens when it could not start on time.
    pub late: Late,
    /// Music, silent on a day without it.
    pub music: bool,
}

/// How a slot starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At this local time, cutting what plays.
    Hard(Time),
    /// Right after the one before, to the sample.
    Follow,
    /// After the one before, with whole pieces up to the next hard start or the session's end.
    Fill,
}

/// What a slot plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Play {
    /// The file of this name in `audio/`.
    File(String),
    /// The segment of a programme that is due on the date.
    Programme(ProgrammeId),
    /// All valid segments of a programme, as many as fit.
    All(ProgrammeId),
    /// The next pieces of a pool.
    Pool(ProgrammeId),
    /// What an earlier slot of the same day aired.
    Repeat {
        /// The earlier session.
        session: SessionId,
        /// The slot in it.
        slot: SlotId,
    },
}

/// What happens with what could not start on time, after a power cut or an interrupt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Late {
    /// In progress: from where it would be by the wall clock.
    Join,
    /// Not at all.
    Skip,
    /// From its beginning, if it is late by no more than this.
    WholeWithin(SignedDuration),
}

/// A dated change of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayPlan {
    /// The day it is for.
    pub date: PlanDate,
    /// Why the day is special.
    pub title: String,
    /// No pool with music and no slot with music sounds.
    pub no_music: bool,
    /// Sessions left out.
    pub drop: BTreeSet<SessionId>,
    /// Slots whose content is another on this day.
    pub replace: Vec<Replacement>,
    /// Sessions of this day: in place of the week's with the same id, or beside them. Their `days` are those it can be on.
    pub sessions: Vec<Session>,
}

/// The day of a day plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanDate {
    /// On one date.
    Once(Date),
    /// On this day of every year.
    Yearly {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
}

impl PlanDate {
    /// Whether it means this date.
    pub fn is(&self, date: Date) -> bool {
        match *self {
            Self::Once(once) => once == date,
            Self::Yearly { month, day } => (date.month(), date.day()) == (month, day),
        }
    }

    /// The days of the week on which it can be.
    pub fn weekdays(&self) -> Weekdays {
        match *self {
            Self::Once(date) => Weekdays::NONE.with(date.weekday()),
            Self::Yearly { .. } => Weekdays::ALL,
        }
    }
}

/// Another content for a slot, on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The session of the slot.
    pub session: SessionId,
    /// The slot.
    pub slot: SlotId,
    /// Its title on that day, where it changes.
    pub title: Option<String>,
    /// What it plays on that day.
    pub play: Play,
    /// What it may take on that day, where that changes.
    pub length: Option<SignedDuration>,
}

impl Session {
    /// How long it is: up to a day.
    pub fn length(&self) -> SignedDuration {
        match self.from.duration_until(self.to) {
            length if length.is_positive() => length,
            length => length + SignedDuration::from_hours(24),
        }
    }

    /// Whether the week has it on a date; day plans not considered.
    pub fn is_on(&self, date: Date) -> bool {
        self.days.contains(date.weekday()) && self.valid.contains(date)
    }
}

impl Slot {
    /// Whether its session has it on a date.
    pub fn is_on(&self, date: Date) -> bool {
        self.days.contains(date.weekday()) && self.valid.contains(date)
    }
}

impl DayPlan {
    /// What it plays in the stead of a slot.
    pub fn replacement(&self, session: &SessionId, slot: &SlotId) -> Option<&Replacement> {
        self.replace.iter().find(|other| other.session == *session && other.slot == *slot)
    }
}

impl Schedule {
    /// The title of a session, of the week or of a special day.
    pub fn session_title(&self, id: &SessionId) -> Option<&str> {
        let special = self.day_plans.iter().flat_map(|plan| &plan.sessions);
        special.chain(&self.sessions).find(|session| session.id == *id).map(|session| session.title.as_str())
    }

    /// The week's sessions, or a special day's own; none where no day plan is for that day.
    pub fn sessions_of(&self, day: Option<PlanDate>) -> Option<&[Session]> {
        let Some(date) = day else { return Some(&self.sessions) };
        let plan = self.day_plans.iter().find(|plan| plan.date == date)?;
        Some(&plan.sessions)
    }

    /// The title of a programme or a pool.
    pub fn programme_title(&self, id: &ProgrammeId) -> Option<&str> {
        let programme = self.programmes.get(id).map(|programme| programme.title.as_str());
        programme.or_else(|| self.pools.get(id).map(|pool| pool.title.as_str()))
    }

    /// The content area and the kind of text of what airs for a programme: as its own words say, or else its programme's.
    pub fn kind(
        &self,
        words: Option<&Words>,
        programme: Option<&ProgrammeId>,
    ) -> (Option<Arc<str>>, Option<Genre>) {
        let programme = programme.and_then(|id| self.programmes.get(id));
        let topic = words.and_then(|words| words.topic.clone());
        (
            topic.or_else(|| programme?.topic.as_deref().map(Arc::from)),
            words.and_then(|words| words.genre).or_else(|| programme?.genre),
        )
    }

    /// Whether what is played is music where a slot does not say so: a pool of music is.
    pub fn is_music(&self, play: &Play) -> bool {
        matches!(play, Play::Pool(id) if self.pools.get(id).is_some_and(|pool| pool.music))
    }

    /// Whether a slot, of the week or of a special day, plays the file of this name.
    pub fn plays_file(&self, name: &str) -> bool {
        self.plays().any(|play| matches!(play, Play::File(file) if file == name))
    }

    /// Whether a slot, of the week or of a special day, plays all that a programme has.
    pub fn plays_all_of(&self, programme: &ProgrammeId) -> bool {
        self.plays().any(|play| matches!(play, Play::All(all) if all == programme))
    }

    /// What is played anywhere, in the week or on a special day.
    fn plays(&self) -> impl Iterator<Item = &Play> {
        let special = self.day_plans.iter().flat_map(|plan| &plan.sessions);
        let slots = self.sessions.iter().chain(special).flat_map(|session| &session.slots);
        let replaced = self.day_plans.iter().flat_map(|plan| &plan.replace).map(|slot| &slot.play);
        slots.map(|slot| &slot.play).chain(replaced)
    }

    /// The sessions that begin on a date in the order of the file: the week's, as its day plan leaves them, then the day
    /// plan's own.
    pub fn sessions_on(&self, date: Date) -> impl Iterator<Item = &Session> {
        let plan = self.day_plan(date);
        let of_plan = plan.map_or(&[][..], |plan| plan.sessions.as_slice());
        let left = move |session: &&Session| {
            plan.is_none_or(|plan| {
                !plan.drop.contains(&session.id) && plan.sessions.iter().all(|other| other.id != session.id)
            })
        };
        let of_week = self.sessions.iter().filter(move |session| session.is_on(date)).filter(left);
        of_week.chain(of_plan.iter().filter(move |session| session.is_on(date)))
    }

    /// What a slot plays on a date, as its day plan leaves it.
    pub fn plays_on(&self, date: Date, session: &SessionId, slot: &SlotId) -> Option<&Play> {
        if let Some(other) = self.day_plan(date).and_then(|plan| plan.replacement(session, slot)) {
            return Some(&other.play);
        }
        let session = self.sessions_on(date).find(|found| found.id == *session)?;
        session.slots.iter().find(|found| found.id == *slot).map(|slot| &slot.play)
    }

    /// The day plan of a date.
    pub fn day_plan(&self, date: Date) -> Option<&DayPlan> {
        self.day_plans.iter().rev().find(|plan| plan.date.is(date))
    }

    /// Whether recordings can be for it: a programme, or a pool.
    pub fn takes(&self, id: &ProgrammeId) -> bool {
        self.programmes.contains_key(id) || self.pools.contains_key(id)
    }

    /// The output with an id.
    pub fn output(&self, id: &OutputId) -> Option<&Output> {
        self.outputs.iter().find(|output| output.id == *id)
    }
}
