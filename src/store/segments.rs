//! The catalogue: recordings, their words, and their way to the air.

use std::sync::{Arc, PoisonError};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::acts::{Act, insert_act};
use super::error::Doing;
use super::journal::{hash_at, instant};
use super::scripts::{script_of, set_script};
use super::steps::note_event;
use super::{Store, StoreError};
use crate::segment::{Approval, Catalog, ProgrammeId, Segment, SegmentId, Sound, State, Words};

/// Segments of an answer, at most.
const LARGEST_PAGE: u32 = 10_000;

/// What became of a segment that was handed in.
#[derive(Debug, Clone, PartialEq)]
pub enum Added {
    /// It is new.
    New(Segment),
    /// Its bytes were there already, with these words and this state.
    Existing(Segment),
}

/// What is kept beside a segment when it is taken in: made of its bytes, and read by those who made it; and whose act it was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attached {
    /// Its waveform's peaks.
    pub peaks: Vec<u8>,
    /// The seal of its bytes.
    pub seal: Vec<u8>,
    /// That somebody handed it in.
    pub act: Option<Act>,
}

/// Which segments are asked for, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SegmentFilter {
    /// In whose title, author, source, topic, programme and file name all these words are, with or without accents.
    pub text: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// Of this programme or pool.
    pub programme: Option<ProgrammeId>,
    /// Only those added before this one.
    pub after: Option<SegmentId>,
    /// How many, at most 10,000; as many where it is none.
    pub limit: Option<u32>,
}

/// Some segments, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentPage {
    /// The segments.
    pub segments: Vec<Segment>,
    /// The one to ask after for the next page; none where there are no more.
    pub next: Option<SegmentId>,
}

/// Where a page of a filter is among all that it finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentPlace {
    /// How many it finds on all pages.
    pub found: usize,
    /// After which one the page of newer ones begins: after none is the first; none where this is the first.
    pub newer: Option<Option<SegmentId>>,
}

/// A text as it is searched: lower case, without accents, `đ` as `d`, and single spaces.
pub fn searchable(text: &str) -> String {
    let plain: String = text
        .nfd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
        .map(|letter| if letter == 'đ' { 'd' } else { letter })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn search_text(file: &str, words: &Words) -> String {
    let programme = words.programme.as_ref().map(ProgrammeId::as_str);
    let parts = [
        Some(words.title.as_str()),
        words.author.as_deref(),
        words.source.as_deref(),
        words.topic.as_deref(),
        programme,
        Some(file),
    ];
    searchable(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

const COLUMNS: &str = "id, hash, file, title, programme, topic, genre, author, source, valid_from, valid_until, week,
    whole_ns, cue_in_ns, cue_out_ns, channels, sample_rate, loudness_lufs, true_peak_dbtp, skipped_packets, codec,
    state, approved_by, approved_ms, added_ms, added_by";

fn segment_of(row: &Row<'_>) -> rusqlite::Result<Segment> {
    let approved: Option<(String, i64)> = row.get::<_, Option<String>>(22)?.zip(row.get(23)?);
    Ok(Segment {
        id: SegmentId::new(row.get::<_, String>(0)?),
        hash: hash_at(row, 1)?,
        file: row.get(2)?,
        words: Words {
            title: row.get(3)?,
            programme: row.get::<_, Option<String>>(4)?.map(ProgrammeId::new),
            topic: row.get(5)?,
            genre: row.get::<_, Option<String>>(6)?.map(|code| from_code(&code, 6)).transpose()?,
            author: row.get(7)?,
            source: row.get(8)?,
            valid_from: date_at(row, 9)?,
            valid_until: date_at(row, 10)?,
            week: date_at(row, 11)?,
        },
        sound: Sound {
            whole: SignedDuration::from_nanos(row.get(12)?),
            cue_in: SignedDuration::from_nanos(row.get(13)?),
            cue_out: SignedDuration::from_nanos(row.get(14)?),
            channels: row.get(15)?,
            sample_rate: row.get(16)?,
            loudness_lufs: row.get::<_, Option<f64>>(17)?.unwrap_or(f64::NAN),
            true_peak_dbtp: row.get::<_, Option<f64>>(18)?.unwrap_or(f64::NAN),
            skipped_packets: row.get(19)?,
            codec: row.get(20)?,
        },
        state: from_code(&row.get::<_, String>(21)?, 21)?,
        approval: approved
            .map(|(by, at_ms)| {
                Ok::<_, rusqlite::Error>(Approval { by: by.into(), at: instant_at(at_ms, 23)? })
            })
            .transpose()?,
        added: instant_at(row.get(24)?, 24)?,
        added_by: row.get(25)?,
    })
}

/// A value of an enum from its code in the API, which is its code in the database too.
fn from_code<T: DeserializeOwned>(code: &str, column: usize) -> rusqlite::Result<T> {
    let read = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(code);
    T::deserialize(read).map_err(|cause| unreadable(column, cause))
}

pub(super) fn code_of(value: impl Serialize) -> Option<String> {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned))
}

fn date_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Date>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|cause: jiff::Error| unreadable(column, cause))).transpose()
}

pub(super) fn instant_at(at_ms: i64, column: usize) -> rusqlite::Result<Timestamp> {
    instant(at_ms).map_err(|cause| unreadable(column, cause))
}

fn unreadable(column: usize, cause: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(cause))
}

/// A length in nanoseconds; what does not fit (292 years) is as long as fits.
fn nanoseconds(length: SignedDuration) -> i64 {
    i64::try_from(length.as_nanos()).unwrap_or(i64::MAX)
}

fn find(connection: &Connection, id: &SegmentId) -> Result<Option<Segment>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM segment WHERE id = ?1"))
        .and_then(|mut statement| statement.query_row([id.as_str()], segment_of).optional())
        .doing("read a segment")
}

pub(super) fn existing(connection: &Connection, id: &SegmentId) -> Result<Segment, StoreError> {
    find(connection, id)?.ok_or_else(|| StoreError::NoSegment(id.clone()))
}

/// The values of a segment's words, in the order of their columns.
fn values_of(words: &Words) -> [Value; 9] {
    let text = |text: Option<&str>| Value::from(text.map(str::to_owned));
    let date = |date: Option<Date>| Value::from(date.map(|date| date.to_string()));
    [
        Value::from(words.title.clone()),
        text(words.programme.as_ref().map(ProgrammeId::as_str)),
        text(words.topic.as_deref()),
        Value::from(words.genre.and_then(code_of)),
        text(words.author.as_deref()),
        text(words.source.as_deref()),
        date(words.valid_from),
        date(words.valid_until),
        date(words.week),
    ]
}

fn insert(connection: &Connection, segment: &Segment) -> Result<(), StoreError> {
    let Segment { words, sound, approval, .. } = segment;
    let of_words = values_of(words);
    let of_words = of_words.each_ref().map(|value| value as &dyn ToSql);
    connection
        .prepare_cached(&format!(
            "INSERT INTO segment ({COLUMNS}, search) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
             ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)"
        ))
        .and_then(|mut statement| {
            let (before, after) = (
                params![segment.id.as_str(), segment.hash.0, segment.file],
                params![
                    nanoseconds(sound.whole),
                    nanoseconds(sound.cue_in),
                    nanoseconds(sound.cue_out),
                    sound.channels,
                    sound.sample_rate,
                    sound.loudness_lufs,
                    sound.true_peak_dbtp,
                    sound.skipped_packets,
                    &*sound.codec,
                    code_of(segment.state),
                    approval.as_ref().map(|approval| &*approval.by),
                    approval.as_ref().map(|approval| approval.at.as_millisecond()),
                    segment.added.as_millisecond(),
                    segment.added_by,
                    search_text(&segment.file, words),
                ],
            );
            statement.execute(&*[before, &of_words, after].concat())
        })
        .doing("add a segment")?;
    Ok(())
}

pub(super) fn set_words(connection: &Connection, segment: &Segment, words: &Words) -> Result<(), StoreError> {
    let of_words = values_of(words);
    let of_words = of_words.each_ref().map(|value| value as &dyn ToSql);
    connection
        .execute(
            "UPDATE segment SET title = ?3, programme = ?4, topic = ?5, genre = ?6, author = ?7, source = ?8,
             valid_from = ?9, valid_until = ?10, week = ?11, search = ?2 WHERE id = ?1",
            &*[params![segment.id.as_str(), search_text(&segment.file, words)], &of_words].concat(),
        )
        .doing("change the words of a segment")?;
    Ok(())
}

/// Keeps something beside a segment, by its statement.
fn insert_beside(connection: &Connection, sql: &str, id: &SegmentId, bytes: &[u8]) -> Result<(), StoreError> {
    connection.execute(sql, params![id.as_str(), bytes]).doing("keep what is beside a segment")?;
    Ok(())
}

const PEAKS: &str = "INSERT INTO segment_peaks (segment, peaks) VALUES (?1, ?2)";
const SEAL: &str = "INSERT OR REPLACE INTO segment_seal (segment, seal) VALUES (?1, ?2)";

impl Store {
    /// Adds a segment with what is kept beside it, unless its bytes are there already. Instants are kept to the millisecond.
    pub fn add_segment(&self, segment: Segment, attached: Attached) -> Result<Added, StoreError> {
        self.write("add a segment", move |transaction| {
            if let Some(known) = find(transaction, &segment.id)? {
                return Ok(Added::Existing(known));
            }
            let taken: bool = transaction
                .query_row("SELECT EXISTS (SELECT 1 FROM segment WHERE file = ?1)", [&segment.file], |row| {
                    row.get(0)
                })
                .doing("look for the name of a file")?;
            if taken {
                return Err(StoreError::FileTaken(segment.file));
            }
            insert(transaction, &segment)?;
            insert_beside(transaction, PEAKS, &segment.id, &attached.peaks)?;
            insert_beside(transaction, SEAL, &segment.id, &attached.seal)?;
            let (id, by) = (&segment.id, &segment.added_by);
            let words = serde_json::to_string(&segment.words).ok();
            note_event(transaction, id, segment.added, by, "added", words.as_deref())?;
            attached.act.map(|act| insert_act(transaction, &act)).transpose()?;
            existing(transaction, &segment.id).map(Added::New)
        })
    }

    /// The segment with an id.
    pub fn segment(&self, id: &SegmentId) -> Result<Option<Segment>, StoreError> {
        self.read(|connection| find(connection, id))
    }

    /// All segments: read when they have changed, and shared by all who ask.
    pub fn catalog(&self) -> Result<Arc<Catalog>, StoreError> {
        // Asked first: what comes in between is then read again, and not missed.
        let version = self.version()?.segments;
        let known = self.inner.catalog.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, catalog)) = known.filter(|(read, _)| *read == version) {
            return Ok(catalog);
        }
        let catalog: Arc<Catalog> = self.read(|connection| {
            connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM segment"))
                .and_then(|mut statement| statement.query_map([], segment_of)?.collect::<Result<_, _>>())
                .map(Arc::new)
                .doing("read the catalogue")
        })?;
        *self.inner.catalog.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((version, Arc::clone(&catalog)));
        Ok(catalog)
    }

    /// The segments that were asked for, newest first.
    pub fn segments(&self, filter: &SegmentFilter) -> Result<Vec<Segment>, StoreError> {
        Ok(self.segment_page(filter)?.segments)
    }

    /// The same, and where the next ones begin.
    pub fn segment_page(&self, filter: &SegmentFilter) -> Result<SegmentPage, StoreError> {
        let limit = filter.limit.map_or(LARGEST_PAGE, |limit| limit.clamp(1, LARGEST_PAGE));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let words = searchable(filter.text.as_deref().unwrap_or_default());
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS}, search FROM segment
                     WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR programme = ?2)
                       AND (?3 IS NULL OR (added_ms, id) < (SELECT added_ms, id FROM segment WHERE id = ?3))
                     ORDER BY added_ms DESC, id DESC"
                ))
                .doing("search the catalogue")?;
            let programme = filter.programme.as_ref().map(ProgrammeId::as_str);
            let after = filter.after.as_ref().map(SegmentId::as_str);
            let rows = statement
                .query_map(params![filter.state.and_then(code_of), programme, after], |row| {
                    let search: String = row.get(26)?;
                    let found = words.split(' ').all(|word| search.contains(word));
                    found.then(|| segment_of(row)).transpose()
                })
                .doing("search the catalogue")?;
            // One more than wanted tells whether there are more.
            let mut segments: Vec<Segment> = rows
                .filter_map(Result::transpose)
                .take(limit.saturating_add(1))
                .collect::<rusqlite::Result<_>>()
                .doing("search the catalogue")?;
            let more = segments.len() > limit;
            segments.truncate(limit);
            let next = segments.last().filter(|_| more).map(|last| last.id.clone());
            Ok(SegmentPage { segments, next })
        })
    }

    /// Where the page of a filter is.
    pub fn segment_place(&self, filter: &SegmentFilter) -> Result<SegmentPlace, StoreError> {
        let limit = filter.limit.map_or(LARGEST_PAGE, |limit| limit.clamp(1, LARGEST_PAGE));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let words = searchable(filter.text.as_deref().unwrap_or_default());
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached(
                    "SELECT id, search FROM segment
                     WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR programme = ?2)
                     ORDER BY added_ms DESC, id DESC",
                )
                .doing("count in the catalogue")?;
            let programme = filter.programme.as_ref().map(ProgrammeId::as_str);
            let rows = statement
                .query_map(params![filter.state.and_then(code_of), programme], |row| {
                    let (id, search): (String, String) = (row.get(0)?, row.get(1)?);
                    Ok(words.split(' ').all(|word| search.contains(word)).then(|| SegmentId::new(id)))
                })
                .doing("count in the catalogue")?;
            let all: Vec<SegmentId> = rows
                .filter_map(Result::transpose)
                .collect::<rusqlite::Result<_>>()
                .doing("count in the catalogue")?;
            let begins = filter.after.as_ref().and_then(|after| all.iter().position(|id| id == after));
            let newer = begins.map(|last| last.checked_sub(limit).and_then(|place| all.get(place)).cloned());
            Ok(SegmentPlace { found: all.len(), newer })
        })
    }

    /// Changes a segment's words and its script, as `change` has them on seeing what they are: nobody else changes them in
    /// between. What it refuses stays as it is. The approval of the bytes stays. The act is kept with it.
    pub fn describe_segment<E, F>(&self, id: &SegmentId, act: Act, change: F) -> Result<Segment, E>
    where
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Segment, &str) -> Result<(Words, Option<String>), E> + Send + 'static,
    {
        let id = id.clone();
        self.write("change the words of a segment", move |transaction| {
            let segment = existing(transaction, &id)?;
            let (words, script) = match change(&segment, &script_of(transaction, &id)?) {
                Ok(changed) => changed,
                Err(refused) => return Ok(Err(refused)),
            };
            if words != segment.words {
                set_words(transaction, &segment, &words)?;
                let now = serde_json::to_string(&words).ok();
                note_event(transaction, &id, act.at, &act.by, "described", now.as_deref())?;
            }
            if let Some(script) = script {
                set_script(transaction, &id, &script, (&act.by, act.at))?;
            }
            insert_act(transaction, &act)?;
            existing(transaction, &id).map(Ok)
        })?
    }

    /// Notes that a segment's file was put back: where another stood in its place, under which name that is `kept_as`.
    pub fn note_put_back(
        &self,
        id: &SegmentId,
        kept_as: Option<&str>,
        by: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, kept_as, by) = (id.clone(), kept_as.map(str::to_owned), by.to_owned());
        let what = if kept_as.is_some() { "file-replaced" } else { "file-restored" };
        self.write("note that a file was put back", move |transaction| {
            note_event(transaction, &id, at, &by, what, kept_as.as_deref())
        })
    }

    /// The peaks of a segment's waveform, as ingest made them.
    pub fn peaks(&self, id: &SegmentId) -> Result<Option<Vec<u8>>, StoreError> {
        self.beside(id, "SELECT peaks FROM segment_peaks WHERE segment = ?1")
    }

    /// The seal of a segment's bytes, as ingest made it.
    pub fn seal_bytes(&self, id: &SegmentId) -> Result<Option<Vec<u8>>, StoreError> {
        self.beside(id, "SELECT seal FROM segment_seal WHERE segment = ?1")
    }

    /// Keeps the seal of a segment that was taken in before there were any.
    pub fn add_seal(&self, id: &SegmentId, seal: Vec<u8>) -> Result<(), StoreError> {
        let id = id.clone();
        self.write("keep a seal", move |transaction| insert_beside(transaction, SEAL, &id, &seal))
    }

    fn beside(&self, id: &SegmentId, sql: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.query_row([id.as_str()], |row| row.get(0)).optional())
                .doing("read what is beside a segment")
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::{segment, store};
    use super::*;

    /// Adds a segment within a transaction of many.
    pub(in crate::store) fn insert_only(
        connection: &Connection,
        segment: &Segment,
    ) -> Result<(), StoreError> {
        insert(connection, segment)
    }

    fn added(store: &Store, n: u32) -> Segment {
        match store
            .add_segment(segment(n), Attached { peaks: vec![1, 2, 3], seal: vec![4], act: None })
            .unwrap()
        {
            Added::New(segment) => segment,
            Added::Existing(_) => panic!("it was there"),
        }
    }

    #[test]
    fn a_segment_comes_back_as_it_was_and_its_bytes_are_taken_in_once() {
        let (store, _dir) = store();
        assert_eq!(added(&store, 1), segment(1));
        let mut again = segment(1);
        again.words.title = "Tên khác".to_owned();
        assert_eq!(store.add_segment(again, Attached::default()).unwrap(), Added::Existing(segment(1)));
        assert_eq!(store.segment(&segment(1).id).unwrap(), Some(segment(1)));
        assert_eq!(store.peaks(&segment(1).id).unwrap(), Some(vec![1, 2, 3]));
        assert_eq!(store.seal_bytes(&segment(1).id).unwrap(), Some(vec![4]));
        assert_eq!(store.seal_bytes(&segment(2).id).unwrap(), None);
        assert_eq!(store.catalog().unwrap().iter().count(), 1);
        assert_eq!(store.segment(&"none".into()).unwrap(), None);
    }

    #[test]
    fn two_segments_cannot_have_one_file() {
        let (store, _dir) = store();
        added(&store, 1);
        let other = Segment { file: segment(1).file, ..segment(2) };
        assert!(matches!(store.add_segment(other, Attached::default()), Err(StoreError::FileTaken(_))));
        added(&store, 2);
    }

    #[test]
    fn search_knows_no_accents_and_wants_every_word() {
        let (store, _dir) = store();
        added(&store, 1);
        added(&store, 22);
        let found = |text: &str| {
            let filter = SegmentFilter { text: Some(text.to_owned()), ..SegmentFilter::default() };
            store.segments(&filter).unwrap().len()
        };
        assert_eq!(searchable("  ĐẶNG  Thị Đào "), "dang thi dao");
        assert_eq!(
            [found("ma qr DUNG"), found("bài 22"), found("lan đúng 1"), found("tỏi"), found("")],
            [2, 1, 1, 0, 2]
        );
    }

    #[test]
    fn pages_come_newest_first_and_end() {
        let (store, _dir) = store();
        (1..=5).for_each(|n| drop(added(&store, n)));
        let mut filter = SegmentFilter { limit: Some(2), ..SegmentFilter::default() };
        let mut seen = Vec::new();
        loop {
            let page = store.segments(&filter).unwrap();
            let Some(last) = page.last() else { break };
            filter.after = Some(last.id.clone());
            seen.extend(page.into_iter().map(|segment| segment.id));
        }
        assert_eq!(seen, [5, 4, 3, 2, 1].map(|n| segment(n).id));
        filter = SegmentFilter { state: Some(State::Approved), ..SegmentFilter::default() };
        assert_eq!(store.segments(&filter).unwrap(), []);
    }
}
