//! What people did: kept with what it was, and read back.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;

use super::error::Doing as _;
use super::journal::instant;
use super::{Store, StoreError, standing};

/// Acts of an answer, at most.
const MOST_ACTS: u32 = 10_000;

/// Something a person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What, as a code: `segment.approve`, `interrupt.emergency`, `user.add`.
    pub what: String,
    /// With what: an id.
    pub subject: String,
    /// What people called that then; what has no other name has none. The store knows recordings, and what aired them.
    pub title: Option<String>,
    /// From where: an address, or `command line`.
    pub origin: String,
}

pub(super) fn insert_act(connection: &Connection, act: &Act) -> Result<(), StoreError> {
    let title = act.title.clone().map_or_else(|| title_of(connection, act), |title| Ok(Some(title)))?;
    connection
        .execute(
            "INSERT INTO act (at_ms, by, what, subject, origin, title) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![act.at.as_millisecond(), act.by, act.what, act.subject, act.origin, title],
        )
        .doing("keep what a person did")?;
    Ok(())
}

/// What the subject of an act is called now.
fn title_of(connection: &Connection, act: &Act) -> Result<Option<String>, StoreError> {
    let segment = match act.what.split_once('.') {
        Some(("interrupt", "call-off")) => return Ok(order(connection, &act.subject)?.flatten()),
        // The interrupt, and what it airs.
        Some(("interrupt", _)) => act.subject.split_once(' ').map(|(_, segment)| segment),
        Some(("segment", _)) => Some(act.subject.as_str()),
        _ => None,
    };
    let Some(segment) = segment else { return Ok(None) };
    connection
        .query_row("SELECT title FROM segment WHERE id = ?1", [segment], |row| row.get(0))
        .optional()
        .doing("read what a recording is called")
}

/// The order of an interrupt, by what it airs; none where nobody ever gave it.
fn order(connection: &Connection, interrupt: &str) -> Result<Option<Option<String>>, StoreError> {
    connection
        .query_row(
            "SELECT title FROM act WHERE what IN ('interrupt.live', 'interrupt.emergency')
             AND subject > ?1 || ' ' AND subject < ?1 || '!'",
            [interrupt],
            |row| row.get(0),
        )
        .optional()
        .doing("look for the order of an interrupt")
}

/// Whether an interrupt was called off.
fn was_called_off(connection: &Connection, interrupt: &str) -> Result<bool, StoreError> {
    connection
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM act WHERE what = 'interrupt.call-off' AND subject = ?1)",
            [interrupt],
            |row| row.get(0),
        )
        .doing("look for who called an interrupt off")
}

/// What acts are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActKind {
    /// Recordings.
    Recordings,
    /// What is on the air at this moment.
    Air,
    /// The schedule.
    Schedule,
    /// People, and how they come in.
    People,
    /// Sign-ins.
    SignIns,
}

impl ActKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Recordings, Self::Air, Self::Schedule, Self::People, Self::SignIns];

    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Recordings => "recordings",
            Self::Air => "air",
            Self::Schedule => "schedule",
            Self::People => "people",
            Self::SignIns => "sign-ins",
        }
    }
}

/// Which acts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActFilter {
    /// Of one person.
    pub by: Option<String>,
    /// About one thing; otherwise about anything.
    pub kind: Option<ActKind>,
    /// Without this one.
    pub without: Option<ActKind>,
}

/// Acts of a page, the last done first; and what asks for those before them, where there are any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActPage {
    /// They.
    pub acts: Vec<Act>,
    /// What [`Store::act_page`] takes for the next.
    pub before: Option<i64>,
    /// Who did anything at all.
    pub people: Vec<String>,
}

/// Where acts are looked for.
enum Stretch {
    /// Between two instants, the second not included.
    Times(Timestamp, Timestamp),
    /// Before this one was kept.
    Before(i64),
}

/// What people did between two instants, the second not included; the last done first, at most 10,000.
pub(super) fn acts_between(
    connection: &Connection,
    from: Timestamp,
    to: Timestamp,
    limit: u32,
) -> Result<Vec<Act>, StoreError> {
    let found = acts_of(connection, &ActFilter::default(), &Stretch::Times(from, to), limit)?;
    Ok(found.into_iter().map(|(_, act)| act).collect())
}

/// In the order in which they were kept, with its number: where the clock was wrong, times are in another.
fn acts_of(
    connection: &Connection,
    filter: &ActFilter,
    stretch: &Stretch,
    limit: u32,
) -> Result<Vec<(i64, Act)>, StoreError> {
    type Row = (i64, i64, String, String, String, String, Option<String>);
    let (which, from, to) = match stretch {
        Stretch::Times(from, to) => ("at_ms", from.as_millisecond(), to.as_millisecond()),
        Stretch::Before(id) => ("id", 0, *id),
    };
    let rows: Vec<Row> = connection
        .prepare_cached(&format!(
            "SELECT id, at_ms, by, what, subject, origin, title FROM
               (SELECT *, CASE
                    WHEN what GLOB 'segment.*' THEN 'recordings'
                    WHEN what GLOB 'interrupt.*' OR what GLOB 'output.*' THEN 'air'
                    WHEN what GLOB 'schedule.*' THEN 'schedule'
                    WHEN what GLOB 'user.*' THEN 'people'
                    WHEN what = 'sign-in' THEN 'sign-ins'
                    ELSE '' END AS kind
                FROM act WHERE {which} >= ?1 AND {which} < ?2)
             WHERE (?4 IS NULL OR by = ?4) AND (?5 IS NULL OR kind = ?5) AND (?6 IS NULL OR kind <> ?6)
             ORDER BY id DESC LIMIT ?3"
        ))
        .and_then(|mut statement| {
            let (kind, without) = (filter.kind.map(ActKind::code), filter.without.map(ActKind::code));
            let wanted = params![from, to, limit.min(MOST_ACTS), filter.by, kind, without];
            statement.query_map(wanted, |row| row.try_into())?.collect()
        })
        .doing("read what people did")?;
    rows.into_iter()
        .map(|(id, at_ms, by, what, subject, origin, title)| {
            Ok((id, Act { at: instant(at_ms)?, by, what, subject, title, origin }))
        })
        .collect()
}

impl Store {
    /// Keeps what a person did.
    pub fn act(&self, act: Act) -> Result<(), StoreError> {
        self.write("keep what a person did", move |transaction| insert_act(transaction, &act))
    }

    /// Keeps that an interrupt was ordered, once however often that was pressed, and says whether it is the first time.
    /// What is `standing` goes on after a restart; unless it was called off before this was kept.
    pub fn act_of_order(&self, act: Act, standing: Option<&str>) -> Result<bool, StoreError> {
        let standing = standing.map(str::to_owned);
        self.write("keep what a person did", move |transaction| {
            let interrupt = act.subject.split_once(' ').map_or(&*act.subject, |(interrupt, _)| interrupt);
            let first = order(transaction, interrupt)?.is_none();
            if first {
                insert_act(transaction, &act)?;
            }
            if let Some(body) = standing.filter(|_| first)
                && !was_called_off(transaction, interrupt)?
            {
                standing::keep(transaction, interrupt, &body)?;
            }
            Ok(first)
        })
    }

    /// Keeps that an interrupt was called off, where it is `known` or was ever ordered, and says so: of one that never was,
    /// nobody did anything.
    pub fn act_of_call_off(&self, act: Act, known: bool) -> Result<bool, StoreError> {
        self.write("keep what a person did", move |transaction| {
            let ordered = known || order(transaction, &act.subject)?.is_some();
            if ordered {
                insert_act(transaction, &act)?;
                standing::end(transaction, &act.subject)?;
            }
            Ok(ordered)
        })
    }

    /// What people did between two instants, the second not included; the last done first, at most 10,000.
    pub fn acts(&self, from: Timestamp, to: Timestamp, limit: u32) -> Result<Vec<Act>, StoreError> {
        self.read(|connection| acts_between(connection, from, to, limit))
    }

    /// So many of some kinds, or of one person: the last of all, or those before a page.
    pub fn act_page(
        &self,
        filter: &ActFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<ActPage, StoreError> {
        self.read(|connection| {
            let stretch = Stretch::Before(before.unwrap_or(i64::MAX));
            let mut found = acts_of(connection, filter, &stretch, limit.saturating_add(1))?;
            let (fits, last) = (usize::try_from(limit).unwrap_or(usize::MAX), found.len());
            found.truncate(fits);
            let before = found.last().filter(|_| fits < last).map(|(id, _)| *id);
            let people = connection
                .prepare_cached("SELECT DISTINCT by FROM act ORDER BY by")
                .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
                .doing("read who did anything")?;
            Ok(ActPage { acts: found.into_iter().map(|(_, act)| act).collect(), before, people })
        })
    }
}
