//! What is wrong with a schedule, as data; the sentences are in `text`.

use jiff::SignedDuration;
use jiff::civil::{Date, Time};
use serde::Serialize;

use super::{PlanDate, SessionId, SlotId, Weekdays};

/// Something wrong with the schedule, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong.
    #[serde(flatten)]
    pub kind: Kind,
    /// The part of the schedule in which it is; for who never sees the files.
    #[serde(skip)]
    pub place: Place,
    /// The file, relative to the station.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

/// A part of a schedule: a session or a slot, of the week or of a special day; nothing of it for what stands above all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The special day.
    pub day: Option<PlanDate>,
    /// The session.
    pub session: Option<SessionId>,
    /// The slot in it.
    pub slot: Option<SlotId>,
}

impl Place {
    /// Whether it is the same, or something of which that is a part.
    pub fn holds(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(of: Option<&T>, other: Option<&T>) -> bool {
            of.is_none_or(|of| other == Some(of))
        }
        let session = same(self.session.as_ref(), other.session.as_ref());
        let all = *self == Self::default();
        all || (self.day == other.day && session && same(self.slot.as_ref(), other.slot.as_ref()))
    }
}

/// The Monday of a week that stands for any, where nothing depends on the date.
pub const ANY_MONDAY: Date = Date::constant(2026, 1, 5);

/// What is wrong. What was found is quoted as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Kind {
    /// The file is not there.
    MissingFile,
    /// The file cannot be read.
    UnreadableFile {
        /// What the system said.
        reason: String,
    },
    /// The file is not UTF-8; the line is that of the first byte that cannot be.
    NotUtf8,
    /// The text is not TOML.
    Syntax {
        /// The line.
        found: String,
        /// What the parser said, in English.
        said: String,
    },
    /// A line that cannot be read as it is meant, with a character that nobody sees.
    Invisible {
        /// The character.
        character: char,
        /// What stands before it.
        after: String,
    },
    /// A text without quotation marks.
    Unquoted {
        /// The text.
        found: String,
    },
    /// A key that stands twice in one table.
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A key that means nothing here.
    UnknownKey {
        /// The key.
        key: String,
        /// The known key that looks most like it.
        nearest: Option<&'static str>,
    },
    /// A key that belongs under another heading of this file, or a heading that is written otherwise in it.
    Misplaced {
        /// The key.
        key: &'static str,
        /// The heading.
        heading: &'static str,
    },
    /// A key that has to be there.
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A value of the wrong type, form or range.
    Invalid {
        /// The key it is the value of.
        key: String,
        /// The value.
        found: String,
        /// What it should be.
        expected: Expected,
    },
    /// Of these keys exactly one has to be there.
    ExactlyOne {
        /// The keys.
        of: Vec<&'static str>,
        /// Those that are there.
        found: Vec<&'static str>,
    },
    /// A relay: the program cannot do this yet.
    RelayNotSupported,
    /// An id that nothing has.
    Unknown {
        /// What was looked for.
        thing: Thing,
        /// The id.
        id: String,
        /// The one that looks most like it.
        nearest: Option<String>,
    },
    /// A pool where a programme is meant, or a programme where a pool is.
    OtherThing {
        /// The id.
        id: String,
        /// What it is.
        is: Thing,
        /// What is meant here.
        expected: Thing,
    },
    /// An id, or a date, that stands twice.
    Duplicate {
        /// Of what.
        thing: Thing,
        /// The id.
        id: String,
        /// The line of the first.
        first_line: usize,
    },
    /// A last date before the first.
    DatesReversed {
        /// The first date.
        from: Date,
        /// The last date.
        until: Date,
    },
    /// A slot of which no day is a day of its session.
    NeverOn {
        /// The days of the session.
        session_days: Weekdays,
    },
    /// A hard start without a time, and not the first of its session.
    HardWithoutTime,
    /// A time for a slot that does not start hard.
    TimeWithoutHard,
    /// A hard start before its session begins, or when it has ended.
    HardOutsideSession {
        /// The start.
        at: Time,
        /// Where the session begins.
        from: Time,
        /// Where it ends.
        to: Time,
    },
    /// A hard start not later than one before it.
    HardNotIncreasing {
        /// The start.
        at: Time,
        /// The earlier slot's.
        before: Time,
    },
    /// A slot that fills, with something that is no pool.
    FillWithoutPool,
    /// All segments of a programme, without a bound.
    AllWithoutLength,
    /// A repeat of a slot that does not come before it.
    RepeatNotEarlier {
        /// The repeated session.
        session: String,
        /// The slot in it.
        slot: String,
    },
    /// A repeat of a slot that is not on all the days of the repeat.
    RepeatNotThatDay {
        /// The repeated session.
        session: String,
        /// The slot in it.
        slot: String,
        /// The days on which there is nothing to repeat.
        missing: Weekdays,
    },
    /// A change of a slot that is not on that date.
    NotOnThatDate {
        /// The session.
        session: String,
        /// The slot; none for the whole session.
        slot: Option<String>,
        /// The date.
        date: Date,
    },
    /// A change of a slot whose session is dropped that same day.
    ReplacedInDropped {
        /// The session.
        session: String,
    },
    /// Two sessions at a time on one output.
    Overlap {
        /// The session that begins earlier.
        other: String,
        /// The output.
        output: String,
        /// A date on which they meet; in the nine days from [`ANY_MONDAY`] where they do in any week.
        date: Date,
        /// Whether they meet by a plan for every year, in some year: the date is one of many.
        yearly: bool,
    },
    /// A session longer than the rules allow.
    SessionTooLong {
        /// Its length.
        length: SignedDuration,
        /// What is allowed.
        longest: SignedDuration,
    },
    /// More sessions on a day than the rules allow.
    TooManySessions {
        /// A date with so many; in the nine days from [`ANY_MONDAY`] where any week has.
        date: Date,
        /// Whether they are so many by a plan for every year, in some year: the date is one of many.
        yearly: bool,
        /// How many.
        count: usize,
        /// What is allowed.
        allowed: u32,
    },
    /// A session on days without sessions.
    DaysNotAllowed {
        /// The days that are too many.
        days: Weekdays,
        /// The days that are allowed.
        allowed: Weekdays,
    },
    /// A session that reaches into the quiet hours.
    InQuietHours {
        /// Where the quiet begins.
        from: Time,
        /// Where it ends.
        to: Time,
    },
}

/// The things that have ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thing {
    /// A programme.
    Programme,
    /// A pool.
    Pool,
    /// An output.
    Output,
    /// A session.
    Session,
    /// A slot, as `session/slot` where the session is not clear.
    Slot,
    /// The plan of a day.
    DayPlan,
}

/// What a value should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// Some text, in quotation marks, on one line.
    Text,
    /// An id, as [`is_id`](crate::segment::is_id) has it.
    Id,
    /// A list of texts, of which there is at least one.
    Texts,
    /// `true` or `false`.
    YesOrNo,
    /// A number from 1 to 24.
    Count,
    /// Loudness from −36 to −9 LUFS.
    Lufs,
    /// A gain from 0 to 40 dB.
    Boost,
    /// A local time, `05:30:00`.
    Time,
    /// A date, `2026-10-10`.
    Date,
    /// A day and a month, `"10/10"`.
    DayAndMonth,
    /// `"5 min"`: more than nothing, at most a day.
    Length,
    /// `"20 s"`: from nothing to an hour.
    Wait,
    /// Days of the week, `["T2", "CN"]`.
    Days,
    /// An IANA time zone.
    TimeZone,
    /// `"II.1"` to `"II.6"`.
    Topic,
    /// One of the names of [`Genre`](crate::segment::Genre).
    Genre,
    /// `"hard"`, `"follow"` or `"fill"`.
    Start,
    /// `"join"`, `"skip"` or `"whole-within 10 min"`.
    Late,
    /// `"older"` or `"never"`.
    StandIn,
    /// The name of a file right in `audio/`.
    FileName,
    /// `"session/slot"`.
    SlotPath,
    /// `"default"`, or a name as `loa devices` lists them.
    Device,
    /// A program and its arguments.
    Command,
    /// `{ … }` or `[name]`.
    Table,
    /// `[[name]]`.
    Tables,
    /// `[{ … }]`, where the brackets are missing.
    TablesInBrackets,
    /// An end that is not also the beginning.
    OtherThanStart,
}
