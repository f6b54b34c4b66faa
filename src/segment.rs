//! The audio items of a station, as data: what exists, what it says, how long and how loud it is, and
//! whether it may air. No file is opened here; `media` measures, `store` keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::{Date, ISOWeekDate};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Declares an id: a short name made of letters, digits, `-`, `_` and `.`.
///
/// Ids are compared by their text, and printed as they are.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Takes the text as it is; the readers of files and requests check it first with [`is_id`](crate::segment::is_id).
            pub fn new(text: impl Into<std::sync::Arc<str>>) -> Self {
                Self(text.into())
            }
            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}
pub(crate) use id;

/// Whether a text may serve as an id: 1 to 64 of `a-z A-Z 0-9 - _ .`, not beginning with a dot.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && !text.starts_with('.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

id! {
    /// A segment: the first 16 hexadecimal digits of its content's hash, so that the same bytes are one segment
    /// and changed bytes are another.
    SegmentId
}
id! {
    /// A programme or a pool: the editorial line a segment belongs to.
    ProgrammeId
}

/// The SHA-256 of a file's bytes: what an approval is bound to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The id of the segment with these bytes.
    pub fn segment_id(&self) -> SegmentId {
        SegmentId::new(self.to_string().chars().take(16).collect::<String>())
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ContentHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(NotAHash);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NotAHash)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotAHash)?;
        }
        Ok(Self(bytes))
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a content hash is 64 hexadecimal digits")]
pub struct NotAHash;

impl Serialize for ContentHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a segment stands on its way to the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Handed in, its words still being written; also what an approver returned.
    Draft,
    /// Waits for the approver.
    Pending,
    /// May air, as long as its bytes are the approved ones.
    Approved,
    /// Taken off the air for good.
    Withdrawn,
}

/// The kind of a text, for the log and the reports (`tin`, `bài`, `thông báo` …).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Genre {
    /// Tin: a news item.
    News,
    /// Bản tin: a bulletin of several items.
    Bulletin,
    /// Bài: an article.
    Article,
    /// Phóng sự: a report.
    Reportage,
    /// Chuyên mục: a regular feature.
    Feature,
    /// Gương điển hình, biểu dương: a role model's story.
    Commendation,
    /// Thông báo: a notice.
    Notice,
    /// Đính chính: a correction.
    Correction,
    /// Nhạc: songs and music.
    Music,
    /// Nhạc hiệu, lời xướng, nhạc cắt: what frames a session.
    Ident,
}

/// Who approved the bytes, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The approver's user name.
    pub by: Arc<str>,
    /// When.
    pub at: Timestamp,
}

/// Longest title, author or source, in letters.
pub const LONGEST_TEXT: usize = 300;
/// The content areas of the plan.
pub const TOPICS: [&str; 6] = ["II.1", "II.2", "II.3", "II.4", "II.5", "II.6"];

/// Why something cannot be one of a segment's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadWord {
    /// It is too long.
    #[error("it has more than {LONGEST_TEXT} letters")]
    TooLong,
    /// It has signs that nobody sees, as a line's end.
    #[error("it has signs that nobody sees")]
    Unseen,
    /// It is no content area.
    #[error("it is none of the content areas II.1 to II.6")]
    NoTopic,
    /// There is no day on which it may air.
    #[error("the last day is before the first")]
    EndsBeforeItBegins,
    /// The days on which it may air are over.
    #[error("the last day is past")]
    IsOver,
}

/// Whether a letter is none, but turns the direction of the letters around it: a title that has one is shown as it is not.
pub fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a text can be a title, an author or a source.
pub fn check_text(text: &str) -> Result<(), BadWord> {
    if text.chars().count() > LONGEST_TEXT {
        return Err(BadWord::TooLong);
    }
    if text.chars().any(char::is_control) { Err(BadWord::Unseen) } else { Ok(()) }
}

/// Whether a text is a content area.
pub fn check_topic(text: &str) -> Result<(), BadWord> {
    if TOPICS.contains(&text) { Ok(()) } else { Err(BadWord::NoTopic) }
}

/// What a person says of a segment; all of it may be changed without touching the approval of the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Words {
    /// The title that goes into the log.
    pub title: String,
    /// The programme or pool it was handed in for.
    pub programme: Option<ProgrammeId>,
    /// The plan's content area, `II.1` to `II.6`.
    pub topic: Option<Arc<str>>,
    /// The kind of text.
    pub genre: Option<Genre>,
    /// Who wrote it.
    pub author: Option<Arc<str>>,
    /// The source of information (nguồn tin).
    pub source: Option<Arc<str>>,
    /// The first date on which it may air.
    pub valid_from: Option<Date>,
    /// The last date on which it may air.
    pub valid_until: Option<Date>,
    /// The Monday of the ISO week it is meant for, in a weekly programme.
    pub week: Option<Date>,
}

impl Words {
    /// What they are called, in the order in which people see them.
    pub const FIELDS: [&str; 9] =
        ["title", "programme", "week", "topic", "genre", "author", "source", "valid_from", "valid_until"];

    /// Makes sure that they can be; otherwise which of them cannot, and why.
    pub fn check(&self) -> Result<(), (&'static str, BadWord)> {
        let given = |text: &Option<Arc<str>>, check: fn(&str) -> Result<(), BadWord>| {
            text.as_deref().map_or(Ok(()), check)
        };
        let each = [
            ("title", check_text(&self.title)),
            ("topic", given(&self.topic, check_topic)),
            ("author", given(&self.author, check_text)),
            ("source", given(&self.source, check_text)),
            ("valid_until", self.check_days()),
        ];
        each.into_iter().try_for_each(|(field, checked)| checked.map_err(|why| (field, why)))
    }

    /// Whether there is a day on which it may air.
    pub fn check_days(&self) -> Result<(), BadWord> {
        let days = self.valid_from.zip(self.valid_until);
        if days.is_some_and(|(from, until)| until < from) { Err(BadWord::EndsBeforeItBegins) } else { Ok(()) }
    }

    /// Whether there is such a day from `today` on, as there must be when a recording is handed in. Later its days may be
    /// over, and be ended by whoever keeps it.
    pub fn check_days_from(&self, today: Date) -> Result<(), BadWord> {
        self.check_days()?;
        if self.valid_until.is_some_and(|until| until < today) { Err(BadWord::IsOver) } else { Ok(()) }
    }
}

/// What ingest measured of the audio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sound {
    /// Length of the whole file, decoded to its end.
    pub whole: SignedDuration,
    /// Where the sound begins, after leading silence.
    pub cue_in: SignedDuration,
    /// Where it ends, before trailing silence.
    pub cue_out: SignedDuration,
    /// Audio channels in the file (1 or 2 are played as they are, more are mixed down).
    pub channels: u16,
    /// Frames per second in the file.
    pub sample_rate: u32,
    /// Integrated loudness between the cue points, in LUFS (EBU R128, ITU-R BS.1770).
    pub loudness_lufs: f64,
    /// True peak in dBTP (ITU-R BS.1770 annex 2).
    pub true_peak_dbtp: f64,
    /// What damaged the file: packets the decoder had to skip.
    pub skipped_packets: u32,
    /// Name of the codec, for people (`mp3`, `aac`, …).
    pub codec: Arc<str>,
}

impl Sound {
    /// How long it sounds: from `cue_in` to `cue_out`.
    pub fn duration(&self) -> SignedDuration {
        self.cue_out - self.cue_in
    }

    /// The gain that brings it to `target_lufs`, in dB; at most `max_boost_db`, so that a whisper stays one.
    pub fn gain_db(&self, target_lufs: f64, max_boost_db: f64) -> f64 {
        if self.loudness_lufs.is_finite() {
            (target_lufs - self.loudness_lufs).min(max_boost_db)
        } else {
            0.0
        }
    }
}

/// One audio item of the station.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Its id, made from `hash`.
    pub id: SegmentId,
    /// The bytes it stands for.
    pub hash: ContentHash,
    /// Its file's name inside `audio/`, in Unicode NFC.
    pub file: String,
    /// What people say of it.
    pub words: Words,
    /// What was measured.
    pub sound: Sound,
    /// Whether it may air.
    pub state: State,
    /// Who let it, while `state` is approved.
    pub approval: Option<Approval>,
    /// When it was taken in.
    pub added: Timestamp,
    /// Who handed it in.
    pub added_by: Arc<str>,
}

impl Segment {
    /// Whether it may air on a date: approved, and within its validity.
    pub fn may_air_on(&self, date: Date) -> bool {
        self.state == State::Approved && self.is_valid_on(date)
    }

    /// Whether a date lies within its validity, both ends included.
    pub fn is_valid_on(&self, date: Date) -> bool {
        self.words.valid_from.is_none_or(|from| from <= date)
            && self.words.valid_until.is_none_or(|until| date <= until)
    }

    /// The ISO week it is meant for, where it says so.
    pub fn week(&self) -> Option<ISOWeekDate> {
        self.words.week.map(Date::iso_week_date)
    }

    /// How long it sounds.
    pub fn duration(&self) -> SignedDuration {
        self.sound.duration()
    }

    /// Has the texts that thousands of segments have in common from `texts`, where each is kept once.
    fn share(&mut self, texts: &mut BTreeSet<Arc<str>>) {
        let mut shared = |text: &mut Arc<str>| match texts.get(text) {
            Some(known) => *text = Arc::clone(known),
            None => drop(texts.insert(Arc::clone(text))),
        };
        let Self { words, sound, approval, added_by, .. } = self;
        shared(added_by);
        shared(&mut sound.codec);
        approval.iter_mut().for_each(|approval| shared(&mut approval.by));
        words.programme.iter_mut().for_each(|programme| shared(&mut programme.0));
        let texts = [&mut words.topic, &mut words.author, &mut words.source];
        texts.into_iter().flatten().for_each(shared);
    }
}

/// What is wrong with a segment's file, so that it cannot air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileTrouble {
    /// It is gone.
    FileMissing,
    /// It is there, and cannot be read: its rights are wrong, or the disk fails.
    FileUnreadable,
    /// It has other bytes than were approved.
    FileChanged,
}

/// Segments whose file was found not to be what was approved.
pub type Troubles = BTreeMap<SegmentId, FileTrouble>;

/// All segments of a station, in one immutable value; the order is the same in every run. Sorted lists, not maps: there
/// may be ten thousand, and they are never changed.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// In the order of their ids.
    by_id: Vec<Arc<Segment>>,
    /// In the order of their files' names.
    by_file: Vec<Arc<Segment>>,
    by_programme: BTreeMap<ProgrammeId, Vec<Arc<Segment>>>,
    troubles: Troubles,
}

impl Catalog {
    /// The same segments, of which these have a file that is not as it should be.
    pub fn with_troubles(&self, troubles: Troubles) -> Self {
        Self { troubles, ..self.clone() }
    }

    /// What is wrong with segments' files, as far as was looked.
    pub fn troubles(&self) -> &Troubles {
        &self.troubles
    }

    /// Whether a segment may air on a date, and its file is there for it.
    pub fn can_air_on(&self, segment: &Segment, date: Date) -> bool {
        segment.may_air_on(date) && !self.troubles.contains_key(&segment.id)
    }

    /// The segment with an id.
    pub fn get(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        let place = self.by_id.binary_search_by(|segment| segment.id.cmp(id)).ok()?;
        self.by_id.get(place)
    }

    /// The segment with a file name in NFC.
    pub fn by_file(&self, file: &str) -> Option<&Arc<Segment>> {
        let place = self.by_file.binary_search_by(|segment| segment.file.as_str().cmp(file)).ok()?;
        self.by_file.get(place)
    }

    /// The segments of a programme or pool, oldest first.
    pub fn of_programme(&self, programme: &ProgrammeId) -> &[Arc<Segment>] {
        self.by_programme.get(programme).map_or(&[], Vec::as_slice)
    }

    /// All segments, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.by_id.iter()
    }
}

impl FromIterator<Segment> for Catalog {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        let mut catalog = Self::default();
        let mut texts = BTreeSet::new();
        for mut segment in segments {
            segment.share(&mut texts);
            let segment = Arc::new(segment);
            if let Some(programme) = &segment.words.programme {
                catalog.by_programme.entry(programme.clone()).or_default().push(Arc::clone(&segment));
            }
            catalog.by_id.push(segment);
        }
        catalog.by_id.sort_by(|a, b| a.id.cmp(&b.id));
        for members in catalog.by_programme.values_mut() {
            members.sort_by(|a, b| (a.added, &a.id).cmp(&(b.added, &b.id)));
        }
        catalog.by_file.clone_from(&catalog.by_id);
        catalog.by_file.sort_by(|a, b| a.file.cmp(&b.file));
        catalog
    }
}
