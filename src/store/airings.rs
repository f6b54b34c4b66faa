//! The airings: made from the journal, fact by fact, for questions to the log.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::decisions::decision;
use super::error::Doing;
use super::journal::{from_json, to_json};
use super::{Store, StoreError};
use crate::asrun::{Airing, Cause, Entry, Item, Outcome, OutcomeKind, Run};
use crate::schedule::OutputId;
use crate::segment::ProgrammeId;
use crate::timeline::{Begun, CueId, History, Window};

/// Airings of a page, at most.
const LARGEST_PAGE: u32 = 10_000;
/// Airings that are in memory at once where all are gone through.
const AT_ONCE: u32 = 500;
/// What follows a piece that was withdrawn on air begins so long after it: time to notice, and to open a file.
const AFTER_WITHDRAWAL: SignedDuration = SignedDuration::from_secs(3);
/// And what follows one whose file broke off: that disk may be slow to keep the log, and to give the next file.
const AFTER_BREAK: SignedDuration = SignedDuration::from_secs(5);

/// Which airings are asked for, in the order of their planned starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AiringFilter {
    /// Planned from this instant on.
    pub from: Option<Timestamp>,
    /// Planned before this one.
    pub to: Option<Timestamp>,
    /// On this output.
    pub output: Option<OutputId>,
    /// With such an outcome.
    pub outcome: Option<OutcomeKind>,
    /// After the last one of the page before.
    pub after: Option<Cursor>,
    /// How many, at most 10,000; as many where it is none.
    pub limit: Option<u32>,
}

/// A place between two airings. Good for as long as the station's database is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    planned_ms: i64,
    id: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.planned_ms, self.id)
    }
}

/// A text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a cursor that a page of airings gave")]
pub struct NotACursor(String);

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        text.split_once('.')
            .and_then(|(planned_ms, id)| {
                Some(Self { planned_ms: planned_ms.parse().ok()?, id: id.parse().ok()? })
            })
            .ok_or_else(|| NotACursor(text.to_owned()))
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Some airings, and where the next ones begin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// The airings.
    pub airings: Vec<Airing>,
    /// What to ask for next; none where there are no more.
    pub next: Option<Cursor>,
}

impl Store {
    /// The airings that were asked for, by planned start.
    pub fn airings(&self, filter: &AiringFilter) -> Result<Page, StoreError> {
        let limit = filter.limit.map_or(LARGEST_PAGE, |limit| limit.clamp(1, LARGEST_PAGE));
        let after = filter.after.unwrap_or(Cursor { planned_ms: i64::MIN, id: 0 });
        let from = filter.from.map_or(i64::MIN, Timestamp::as_millisecond).max(after.planned_ms);
        self.read(|connection| {
            // One more than wanted tells whether there are more.
            let mut rows = connection
                .prepare_cached(
                    "SELECT planned_ms, id, body FROM airing INDEXED BY airing_planned
                     WHERE planned_ms >= ?1 AND planned_ms < ?2 AND (planned_ms, id) > (?3, ?4)
                       AND (?5 IS NULL OR output = ?5) AND (?6 IS NULL OR outcome = ?6)
                     ORDER BY planned_ms, id LIMIT ?7",
                )
                .and_then(|mut statement| {
                    let to = filter.to.map_or(i64::MAX, Timestamp::as_millisecond);
                    let output = filter.output.as_ref().map(OutputId::as_str);
                    let outcome = filter.outcome.map(OutcomeKind::code);
                    let wanted =
                        params![from, to, after.planned_ms, after.id, output, outcome, i64::from(limit) + 1];
                    statement
                        .query_map(wanted, |row| {
                            let cursor = Cursor { planned_ms: row.get(0)?, id: row.get(1)? };
                            Ok((cursor, row.get::<_, String>(2)?))
                        })?
                        .collect::<rusqlite::Result<Vec<_>>>()
                })
                .doing("read airings")?;
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().map(|(cursor, _)| *cursor).filter(|_| more);
            let airings = rows.iter().map(|(_, body)| decided(connection, body)).collect::<Result<_, _>>()?;
            Ok(Page { airings, next })
        })
    }

    /// Gives every airing that was asked for, page by page: a year of them is never in memory at once.
    pub fn each_airing<E: From<StoreError>>(
        &self,
        mut filter: AiringFilter,
        mut give: impl FnMut(Airing) -> Result<(), E>,
    ) -> Result<(), E> {
        filter.limit = Some(AT_ONCE);
        loop {
            let page = self.airings(&filter)?;
            page.airings.into_iter().try_for_each(&mut give)?;
            filter.after = page.next;
            if filter.after.is_none() {
                return Ok(());
            }
        }
    }

    /// What became of a cue on an output.
    pub fn airing(&self, output: &OutputId, cue: &CueId) -> Result<Option<Airing>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT body FROM airing WHERE output = ?1 AND cue = ?2")
                .and_then(|mut statement| {
                    statement
                        .query_row(params![output.as_str(), cue.to_string()], |row| row.get::<_, String>(0))
                        .optional()
                })
                .doing("read an airing")?
                .map(|body| decided(connection, &body))
                .transpose()
        })
    }

    /// The cues of an output, planned from `since` on, with which a program that begins at `now` has nothing more to
    /// do: what [`reconcile`](crate::asrun::reconcile) and the engine want to know.
    pub fn settled(
        &self,
        output: &OutputId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<BTreeSet<CueId>, StoreError> {
        let known = self.between(output, Window { from: since, to: Timestamp::MAX })?;
        Ok(known.into_iter().filter(|airing| airing.is_settled(now)).map(|airing| airing.item.cue).collect())
    }

    /// What is on record of an output's slots in a window.
    pub fn history(&self, output: &OutputId, window: Window) -> Result<History, StoreError> {
        let mut history = History::default();
        for airing in self.between(output, window)? {
            history.note(&airing.item.cue, begun(&airing));
        }
        Ok(history)
    }

    fn between(&self, output: &OutputId, window: Window) -> Result<Vec<Airing>, StoreError> {
        self.read(|connection| {
            // By itself, SQLite would read all airings of the output: 1.7 s for a million instead of milliseconds.
            let bodies = connection
                .prepare_cached(
                    "SELECT body FROM airing INDEXED BY airing_planned
                     WHERE planned_ms >= ?1 AND planned_ms < ?2 AND output = ?3 ORDER BY planned_ms, id",
                )
                .and_then(|mut statement| {
                    let (from, to) = (window.from.as_millisecond(), window.to.as_millisecond());
                    statement
                        .query_map(params![from, to, output.as_str()], |row| row.get::<_, String>(0))?
                        .collect::<rusqlite::Result<Vec<_>>>()
                })
                .doing("read airings")?;
            bodies.iter().map(|body| airing_from_json(body)).collect()
        })
    }
}

/// An airing as it was stored, with who decided what became of it.
fn decided(connection: &Connection, body: &str) -> Result<Airing, StoreError> {
    let airing = airing_from_json(body)?;
    Ok(Airing { decision: decision(connection, &airing)?, ..airing })
}

/// What a later plan is to know of an airing.
fn begun(airing: &Airing) -> Begun {
    let Item { cue, planned, planned_end, segment, withdrawn, .. } = &airing.item;
    let outcome = airing.outcome();
    let taken_off = matches!(outcome, Outcome::Withdrawn | Outcome::NotAired(Cause::Withdrawn));
    // Of a cue that an interrupt cut before, only the last take says where it ended.
    let last = airing.takes.last().and_then(|take| take.end.as_ref());
    let broke_off = last.filter(|end| end.cause == Some(Cause::FileBroken)).and_then(|end| end.ended);
    let within = |end: Timestamp| end.clamp(*planned, (*planned_end).max(*planned));
    let end = match (airing.ended(), broke_off) {
        (Some(ended), _) if taken_off => within(ended + AFTER_WITHDRAWAL),
        (None, _) if taken_off => *planned,
        (_, Some(ended)) => within(ended + AFTER_BREAK),
        (_, None) => *planned_end,
    };
    Begun {
        piece: cue.piece,
        segment: segment.as_ref().map(|piece| piece.id.clone()),
        nothing: match segment {
            None => outcome.cause().map(|cause| cause.absence(withdrawn.as_ref())),
            Some(_) => None,
        },
        at: *planned,
        end,
        broke_off: broke_off.is_some() && end < *planned_end,
        heard: matches!(outcome, Outcome::Aired | Outcome::Partly(_)),
        sounds: outcome == Outcome::OnAir,
    }
}

/// Brings the airing of a fact's cue up to it. Needs a table `airing` and nothing else, so that it makes the same from
/// the journal again.
pub(super) fn apply(connection: &Connection, entry: &Entry) -> Result<(), StoreError> {
    let Some((output, cue)) = entry.subject() else { return Ok(()) };
    let before = connection
        .prepare_cached("SELECT body FROM airing WHERE output = ?1 AND cue = ?2")
        .and_then(|mut statement| {
            statement
                .query_row(params![output.as_str(), cue.to_string()], |row| row.get::<_, String>(0))
                .optional()
        })
        .doing("find the airing of a fact")?
        .map(|body| airing_from_json(&body))
        .transpose()?;
    let Some(mut airing) = Airing::after(before, entry) else {
        return connection
            .prepare_cached("DELETE FROM airing WHERE output = ?1 AND cue = ?2")
            .and_then(|mut statement| statement.execute(params![output.as_str(), cue.to_string()]))
            .doing("forget an airing that was taken back")
            .map(drop);
    };
    airing.run = run_of(connection, &airing)?;
    write_airing(connection, &airing)
}

/// A completed airing is the first run, unless some other cue completed these bytes before. What was settled once stays.
fn run_of(connection: &Connection, airing: &Airing) -> Result<Option<Run>, StoreError> {
    let Some(piece) = airing.item.segment.as_ref().filter(|_| airing.run.is_none()) else {
        return Ok(airing.run);
    };
    let heard: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM airing WHERE segment_hash = ?1 AND run = 'first' AND cue <> ?2)",
        )
        .and_then(|mut statement| {
            statement.query_row(params![piece.hash.0, airing.item.cue.to_string()], |row| row.get(0))
        })
        .doing("find the first run of a segment")?;
    Ok(match (heard, airing.outcome()) {
        (true, _) => Some(Run::Repeat),
        (false, Outcome::Aired) => Some(Run::First),
        (false, _) => None,
    })
}

fn write_airing(connection: &Connection, airing: &Airing) -> Result<(), StoreError> {
    let outcome = airing.outcome();
    let cause = outcome.cause().map(|cause| to_json(&cause, "a cause")).transpose()?;
    let piece = airing.item.segment.as_ref();
    let body = to_json(airing, "an airing")?;
    connection
        .prepare_cached(
            "INSERT INTO airing (output, cue, planned_ms, planned_end_ms, outcome, cause, segment, segment_hash,
                                 programme, run, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (output, cue) DO UPDATE SET outcome = ?5, cause = ?6, run = ?10, body = ?11",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                airing.item.output.as_str(),
                airing.item.cue.to_string(),
                airing.item.planned.as_millisecond(),
                airing.item.planned_end.as_millisecond(),
                outcome.kind().code(),
                cause.as_deref().map(|text| text.trim_matches('"')),
                piece.map(|piece| piece.id.as_str()),
                piece.map(|piece| piece.hash.0),
                airing.item.programme.as_ref().map(ProgrammeId::as_str),
                airing.run.map(|run| match run {
                    Run::First => "first",
                    Run::Repeat => "repeat",
                }),
                body,
            ])
        })
        .doing("write an airing")?;
    Ok(())
}

pub(super) fn airing_from_json(body: &str) -> Result<Airing, StoreError> {
    from_json(body, || "an airing".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::{EXPECTED, air, at, closed, cue, not_aired, opened, store};
    use super::*;
    use crate::asrun::{Cause, Fact};
    use crate::store::{Attached, Step};
    use crate::timeline::{Absence, Content};

    /// Cues 0 to 5: aired, aired, not aired, partly, aired on another output, on air.
    fn a_day() -> (Store, tempfile::TempDir) {
        let (store, dir) = store();
        air(&store, &cue(1, 1));
        air(&store, &cue(0, 0));
        store.record(&not_aired(&cue(2, 2), Cause::NotRunning)).unwrap();
        store.record(&opened(&cue(3, 3), 0)).unwrap();
        store.record(&closed(&cue(3, 3), 0, EXPECTED / 2, Some(Cause::Emergency))).unwrap();
        let Fact::NotAired(mut elsewhere) = not_aired(&cue(4, 4), Cause::OutputDown) else { unreachable!() };
        elsewhere.output = "loa-2".into();
        store.record(&Fact::NotAired(elsewhere)).unwrap();
        store.record(&opened(&cue(5, 5), 0)).unwrap();
        (store, dir)
    }

    fn pieces(store: &Store, filter: &AiringFilter) -> Vec<u16> {
        store.airings(filter).unwrap().airings.iter().map(|airing| airing.item.cue.piece).collect()
    }

    #[test]
    fn airings_are_found_by_time_output_and_outcome_in_the_order_of_the_plan() {
        let (store, _dir) = a_day();
        let all = AiringFilter::default();
        assert_eq!(pieces(&store, &all), [0, 1, 2, 3, 4, 5]);
        let between = AiringFilter { from: Some(at(60)), to: Some(at(180)), ..all.clone() };
        assert_eq!(pieces(&store, &between), [1, 2], "the end is not included");
        let there = AiringFilter { output: Some("loa-2".into()), ..all.clone() };
        assert_eq!(pieces(&store, &there), [4]);
        for (outcome, expected) in [
            (OutcomeKind::Aired, vec![0, 1]),
            (OutcomeKind::NotAired, vec![2, 4]),
            (OutcomeKind::Partly, vec![3]),
            (OutcomeKind::OnAir, vec![5]),
            (OutcomeKind::Withdrawn, vec![]),
        ] {
            assert_eq!(pieces(&store, &AiringFilter { outcome: Some(outcome), ..all.clone() }), expected);
        }
    }

    #[test]
    fn pages_meet_without_a_gap_and_a_cursor_reads_back() {
        let (store, _dir) = a_day();
        let mut filter = AiringFilter { limit: Some(2), ..AiringFilter::default() };
        let mut seen = Vec::new();
        for last in [false, false, true] {
            let page = store.airings(&filter).unwrap();
            seen.extend(page.airings.iter().map(|airing| airing.item.cue.piece));
            assert_eq!(page.next.is_none(), last);
            filter.after = page.next.map(|cursor| cursor.to_string().parse().unwrap());
        }
        assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
        assert!("1".parse::<Cursor>().is_err());
    }

    #[test]
    fn one_airing_is_told_as_among_the_others_with_who_decided_it() {
        let (store, _dir) = store();
        let segment = super::super::tests::segment(1);
        store.add_segment(segment.clone(), Attached::default()).unwrap();
        let withdraw = Step::Withdraw { reason: "cũ".to_owned() };
        store.step_segment(&segment.id, withdraw, "minh", at(0)).unwrap();
        store.record(&not_aired(&cue(1, 1), Cause::Withdrawn)).unwrap();
        let one = store.airing(&"loa-xa".into(), &cue(1, 1).id).unwrap().unwrap();
        assert_eq!(one.decision.as_ref().map(|decision| decision.by.as_str()), Some("minh"));
        assert_eq!(store.airings(&AiringFilter::default()).unwrap().airings, [one]);
    }

    #[test]
    fn what_is_settled_and_what_was_heard_is_known_for_each_output() {
        let (store, _dir) = a_day();
        let output = "loa-xa".into();
        let settled = |now| -> Vec<u16> {
            store.settled(&output, at(0), now).unwrap().into_iter().map(|cue| cue.piece).collect()
        };
        assert_eq!(settled(at(185)), [0, 1, 2], "the emergency may be over before the cue is");
        assert_eq!(settled(at(190)), [0, 1, 2, 3]);
        let history = store.history(&output, Window { from: at(0), to: at(1000) }).unwrap();
        let none = store.history(&output, Window { from: at(0), to: at(0) }).unwrap();
        assert_eq!(none, History::default(), "its end is not in it");
        let heard = |cue: &Arc<crate::timeline::Cue>| {
            history
                .aired(cue.id.block.date, &cue.id.block.session, &cue.id.slot)
                .into_iter()
                .cloned()
                .collect::<Vec<_>>()
        };
        let expected = [0, 1, 3].map(|n| super::super::tests::segment(n).id);
        assert_eq!(heard(&cue(0, 0)), expected, "in the order of the plan, also what was heard in part");
    }

    #[test]
    fn what_follows_a_piece_that_broke_off_may_begin_soon_after_it_and_never_later_than_planned() {
        let (store, _dir) = store();
        let closes = |n, take, seconds: i64, cause| {
            let Fact::Closed(mut fact) = closed(&cue(n, 1), take, EXPECTED / 10, Some(cause)) else {
                unreachable!()
            };
            fact.ended = fact.started.map(|started| started + SignedDuration::from_secs(seconds));
            store.record(&opened(&cue(n, 1), take)).unwrap();
            store.record(&Fact::Closed(fact)).unwrap();
        };
        closes(0, 0, 2, Cause::FileBroken);
        closes(1, 0, 7, Cause::FileBroken);
        closes(2, 0, 1, Cause::Emergency);
        closes(2, 1, 3, Cause::FileBroken);
        closes(3, 0, 2, Cause::StoppedByOperator);
        // What was joined where nothing is left was not heard, and its end is none.
        closes(4, 0, 1, Cause::Emergency);
        store.record(&opened(&cue(4, 1), 1)).unwrap();
        store.record(&closed(&cue(4, 1), 1, 0, Some(Cause::FileBroken))).unwrap();
        store.record(&not_aired(&cue(5, 1), Cause::FileBroken)).unwrap();
        let history = store.history(&"loa-xa".into(), Window { from: at(0), to: at(1000) }).unwrap();
        let cue = cue(0, 1);
        let begun = history.begun(&cue.id.block, &cue.id.slot).iter();
        let ends: Vec<_> =
            begun.map(|begun| (begun.end.duration_since(begun.at).as_millis(), begun.broke_off)).collect();
        let whole = (10_000, false);
        assert_eq!(ends, [(7_000, true), whole, (8_000, true), whole, whole, whole]);
    }

    #[test]
    fn why_there_was_nothing_is_known_of_what_was_silent() {
        let (store, _dir) = store();
        let segment = super::super::tests::segment(1).id;
        let all = [
            (Absence::Missing, Absence::Missing),
            (Absence::NoRoom, Absence::NoRoom),
            (
                Absence::Withdrawn { segment: segment.clone() },
                Absence::Withdrawn { segment: segment.clone() },
            ),
            (Absence::NotApproved { segment }, Absence::TurnOver),
        ];
        for ((why, _), n) in all.iter().zip(0..) {
            let mut silent = crate::timeline::Cue::clone(&cue(n, 1));
            silent.content = Content::Nothing(why.clone());
            store.record(&not_aired(&Arc::new(silent), why.into())).unwrap();
        }
        store.record(&not_aired(&cue(9, 1), Cause::TooLate)).unwrap();
        let history = store.history(&"loa-xa".into(), Window { from: at(0), to: at(1000) }).unwrap();
        let cue = cue(0, 1);
        let begun = history.begun(&cue.id.block, &cue.id.slot);
        let known: Vec<_> = begun.iter().map(|begun| begun.nothing.clone()).collect();
        let expected = all.into_iter().map(|(_, known)| Some(known)).chain([None]);
        assert_eq!(known, expected.collect::<Vec<_>>());
    }
}
