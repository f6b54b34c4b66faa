//! A segment's way to the air and off it, step by step, and the record of who did what with it.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::acts::{Act, insert_act};
use super::error::Doing as _;
use super::scripts::{script_of, set_script};
use super::segments::{code_of, existing, instant_at, set_words};
use super::{Store, StoreError};
use crate::segment::{ContentHash, Segment, SegmentId, State, Words};

/// What a step is called where it fails.
const STEP: &str = "take a segment a step on its way";

/// A step of a segment on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Draft to pending.
    Submit,
    /// Pending to approved.
    Approve {
        /// The bytes that were listened to.
        hash: ContentHash,
        /// The words and the script that were read, as [`seen`]; whichever they are where it is none.
        seen: Option<ContentHash>,
    },
    /// Pending to draft.
    Return {
        /// What is to be better.
        reason: String,
    },
    /// To withdrawn, from anywhere; also of a draft that was thrown away, once.
    Withdraw {
        /// Why.
        reason: String,
    },
    /// Draft to withdrawn: nobody wants it any more.
    Discard,
}

impl Step {
    /// Where it leads from a state; none where it leads nowhere.
    fn from(&self, state: State) -> Option<State> {
        match (self, state) {
            (Self::Submit, State::Draft) => Some(State::Pending),
            (Self::Approve { .. }, State::Pending) => Some(State::Approved),
            (Self::Return { .. }, State::Pending) => Some(State::Draft),
            (Self::Withdraw { .. }, State::Draft | State::Pending | State::Approved) => {
                Some(State::Withdrawn)
            }
            (Self::Discard, State::Draft) => Some(State::Withdrawn),
            (
                Self::Submit
                | Self::Approve { .. }
                | Self::Return { .. }
                | Self::Withdraw { .. }
                | Self::Discard,
                _,
            ) => None,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Submit => "submitted",
            Self::Approve { .. } => "approved",
            Self::Return { .. } => "returned",
            Self::Withdraw { .. } => "withdrawn",
            Self::Discard => "discarded",
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Submit | Self::Approve { .. } | Self::Discard => None,
            Self::Return { reason } | Self::Withdraw { reason } => Some(reason),
        }
    }
}

/// What was done with a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SegmentEvent {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// `added` (again where it was discarded before), `submitted`, `approved`, `returned`, `withdrawn`, `discarded`,
    /// `described`, `scripted`, `file-restored`, `file-replaced`; on older stations `renamed`.
    pub what: String,
    /// Why; for `added` and `described`, the words as they then were, in JSON; for `scripted`, the script; for
    /// `file-replaced`, what the file that stood in the place of this one is called now; for `renamed`, the file's name
    /// before. Older stations kept no words for `added`.
    pub reason: Option<String>,
}

/// Tells apart the words and scripts that a segment has had, as somebody may have seen them.
pub fn seen(words: &Words, script: &str) -> ContentHash {
    // Texts and dates are always written; the empty text would only be the words that nobody has.
    let words = serde_json::to_vec(words).unwrap_or_default();
    let length = u64::try_from(words.len()).unwrap_or(u64::MAX).to_be_bytes();
    let hash = Sha256::new().chain_update(length).chain_update(words).chain_update(script);
    ContentHash(hash.finalize().into())
}

/// Whether a segment is a draft that was thrown away: its bytes may be handed in again. What was withdrawn may not.
pub fn thrown_away(segment: &Segment, events: &[SegmentEvent]) -> bool {
    let off = |event: &&SegmentEvent| matches!(event.what.as_str(), "discarded" | "withdrawn");
    let last = events.iter().rev().find(off);
    segment.state == State::Withdrawn && last.is_some_and(|event| event.what == "discarded")
}

pub(super) fn note_event(
    connection: &Connection,
    id: &SegmentId,
    at: Timestamp,
    by: &str,
    what: &str,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO segment_event (segment, at_ms, by, what, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .and_then(|mut statement| {
            statement.execute(params![id.as_str(), at.as_millisecond(), by, what, reason])
        })
        .doing("note what was done with a segment")?;
    Ok(())
}

fn take_step(
    connection: &Connection,
    id: SegmentId,
    step: Step,
    by: &str,
    at: Timestamp,
) -> Result<Segment, StoreError> {
    let segment = existing(connection, &id)?;
    if let Step::Approve { hash, seen: shown } = step {
        if hash != segment.hash {
            return Err(StoreError::OtherBytes(id));
        }
        // In the transaction of the approval: between the two nobody changes them.
        let script = script_of(connection, &id)?;
        if shown.is_some_and(|shown| shown != seen(&segment.words, &script)) {
            return Err(StoreError::OtherWords(id));
        }
    }
    // A draft that was thrown away can be withdrawn: then it does not come back either.
    let for_good =
        matches!(step, Step::Withdraw { .. }) && thrown_away(&segment, &events_of(connection, &id)?);
    let Some(state) = step.from(segment.state).or(for_good.then_some(State::Withdrawn)) else {
        return Err(StoreError::WrongState { id, state: segment.state, step });
    };
    let approval = (state == State::Approved).then(|| (by, at.as_millisecond()));
    connection
        .execute(
            "UPDATE segment SET state = ?2, approved_by = ?3, approved_ms = ?4 WHERE id = ?1",
            params![
                id.as_str(),
                code_of(state),
                approval.map(|(by, _)| by),
                approval.map(|(_, at_ms)| at_ms)
            ],
        )
        .doing(STEP)?;
    note_event(connection, &id, at, by, step.code(), step.reason())?;
    existing(connection, &id)
}

impl Store {
    /// Takes a segment a step on its way. Whether `by` may is for [`access`](crate::access) to say.
    pub fn step_segment(
        &self,
        id: &SegmentId,
        step: Step,
        by: &str,
        at: Timestamp,
    ) -> Result<Segment, StoreError> {
        let (id, by) = (id.clone(), by.to_owned());
        self.write(STEP, move |transaction| take_step(transaction, id, step, &by, at))
    }

    /// The same as somebody's act, which is kept with it.
    pub fn step_as(&self, id: &SegmentId, step: Step, act: Act) -> Result<Segment, StoreError> {
        let id = id.clone();
        self.write(STEP, move |transaction| {
            let segment = take_step(transaction, id, step, &act.by, act.at)?;
            insert_act(transaction, &act)?;
            Ok(segment)
        })
    }

    /// Makes a draft that was thrown away a draft again: of who hands it in now, with the words of now and no script. What
    /// was done with it before stays on record. None where it is anything else.
    pub fn revive_segment(
        &self,
        id: &SegmentId,
        words: Words,
        (by, at): (&str, Timestamp),
        act: Option<Act>,
    ) -> Result<Option<Segment>, StoreError> {
        let (id, by) = (id.clone(), by.to_owned());
        self.write("take a segment in again", move |transaction| {
            let segment = existing(transaction, &id)?;
            if !thrown_away(&segment, &events_of(transaction, &id)?) {
                return Ok(None);
            }
            transaction
                .execute(
                    "UPDATE segment SET state = ?2, added_by = ?3, added_ms = ?4 WHERE id = ?1",
                    params![id.as_str(), code_of(State::Draft), by, at.as_millisecond()],
                )
                .doing("take a segment in again")?;
            set_words(transaction, &segment, &words)?;
            note_event(transaction, &id, at, &by, "added", serde_json::to_string(&words).ok().as_deref())?;
            set_script(transaction, &id, "", (&by, at))?;
            act.map(|act| insert_act(transaction, &act)).transpose()?;
            existing(transaction, &id).map(Some)
        })
    }

    /// What was done with a segment, in order.
    pub fn segment_events(&self, id: &SegmentId) -> Result<Vec<SegmentEvent>, StoreError> {
        self.read(|connection| events_of(connection, id))
    }
}

fn events_of(connection: &Connection, id: &SegmentId) -> Result<Vec<SegmentEvent>, StoreError> {
    connection
        .prepare_cached("SELECT at_ms, by, what, reason FROM segment_event WHERE segment = ?1 ORDER BY id")
        .and_then(|mut statement| {
            let event = |row: &Row<'_>| {
                Ok(SegmentEvent {
                    at: instant_at(row.get(0)?, 0)?,
                    by: row.get(1)?,
                    what: row.get(2)?,
                    reason: row.get(3)?,
                })
            };
            statement.query_map([id.as_str()], event)?.collect()
        })
        .doing("read what was done with a segment")
}

#[cfg(test)]
mod tests {
    use super::super::SegmentFilter;
    use super::super::tests::{act, at, segment, store};
    use super::*;
    use crate::segment::Approval;
    use crate::store::Attached;

    #[test]
    fn the_way_to_the_air_is_draft_pending_approved_withdrawn() {
        let (store, _dir) = store();
        store.add_segment(segment(1), Attached::default()).unwrap();
        let Segment { id, hash, .. } = segment(1);
        let step = |step| store.step_segment(&id, step, "minh", at(50));
        let approve = || Step::Approve { hash, seen: None };
        assert!(matches!(step(approve()), Err(StoreError::WrongState { state: State::Draft, .. })));
        assert_eq!(step(Step::Submit).unwrap().state, State::Pending);
        let wrong = ContentHash([0; 32]);
        assert!(matches!(step(Step::Approve { hash: wrong, seen: None }), Err(StoreError::OtherBytes(_))));
        assert_eq!(step(Step::Return { reason: "nhỏ quá".to_owned() }).unwrap().state, State::Draft);
        step(Step::Submit).unwrap();
        let approved = step(approve()).unwrap();
        assert_eq!(approved.approval, Some(Approval { by: "minh".into(), at: at(50) }));
        let described = Words { title: "Khác".to_owned(), ..Words::default() };
        let change = |_: &Segment, _: &str| Ok::<_, StoreError>((described, None));
        let described = store.describe_segment(&id, act("segment.describe", 51), change).unwrap();
        assert_eq!((described.state, described.approval), (State::Approved, approved.approval));
        let withdrawn = step(Step::Withdraw { reason: "sai".to_owned() }).unwrap();
        assert_eq!((withdrawn.state, withdrawn.approval), (State::Withdrawn, None));
        assert!(matches!(step(Step::Submit), Err(StoreError::WrongState { .. })));

        let events = store.segment_events(&id).unwrap();
        let whats: Vec<_> = events.iter().map(|event| event.what.as_str()).collect();
        let way = ["added", "submitted", "returned", "submitted", "approved", "described", "withdrawn"];
        assert_eq!(whats, way);
        assert_eq!(events[2].reason.as_deref(), Some("nhỏ quá"));
        assert_eq!((events[0].by.as_str(), events[4].by.as_str()), ("lan", "minh"));
    }

    #[test]
    fn a_draft_alone_is_discarded() {
        let (store, _dir) = store();
        store.add_segment(segment(1), Attached::default()).unwrap();
        let id = segment(1).id;
        let step = |step| store.step_segment(&id, step, "lan", at(50));
        step(Step::Submit).unwrap();
        assert!(matches!(step(Step::Discard), Err(StoreError::WrongState { state: State::Pending, .. })));
        step(Step::Return { reason: "rè".to_owned() }).unwrap();
        assert_eq!(step(Step::Discard).unwrap().state, State::Withdrawn);
        assert_eq!(store.segment_events(&id).unwrap().pop().unwrap().what, "discarded");
        assert!(matches!(step(Step::Discard), Err(StoreError::WrongState { .. })));
    }

    #[test]
    fn what_was_thrown_away_is_the_draft_of_whoever_brings_it_again_and_what_was_withdrawn_is_not() {
        let (store, _dir) = store();
        store.add_segment(segment(1), Attached::default()).unwrap();
        let Segment { id, words, .. } = segment(1);
        let again = |at_s| {
            let words = Words { title: "Bài của Hoa".to_owned(), ..Words::default() };
            store.revive_segment(&id, words, ("hoa", at(at_s)), None).unwrap()
        };
        assert_eq!(again(2), None, "it is a draft");
        let write = move |_: &Segment, _: &str| Ok::<_, StoreError>((words, Some("Kính chào".to_owned())));
        store.describe_segment(&id, act("segment.describe", 3), write).unwrap();
        store.step_segment(&id, Step::Discard, "lan", at(4)).unwrap();
        let revived = again(5).unwrap();
        assert_eq!((revived.state, &*revived.added_by, revived.added), (State::Draft, "hoa", at(5)));
        assert_eq!(revived.words, Words { title: "Bài của Hoa".to_owned(), ..Words::default() });
        assert_eq!(store.script(&id).unwrap(), "");
        let found = SegmentFilter { text: Some("bai cua hoa".to_owned()), ..SegmentFilter::default() };
        assert_eq!(store.segments(&found).unwrap().len(), 1);
        let events = store.segment_events(&id).unwrap();
        let whats: Vec<_> = events.iter().map(|event| event.what.as_str()).collect();
        assert_eq!(whats, ["added", "scripted", "discarded", "added", "scripted"]);

        store.step_segment(&id, Step::Discard, "hoa", at(6)).unwrap();
        let withdraw = || store.step_segment(&id, Step::Withdraw { reason: "sai".to_owned() }, "minh", at(7));
        withdraw().unwrap();
        assert!(matches!(withdraw(), Err(StoreError::WrongState { .. })));
        assert_eq!(again(8), None, "it was withdrawn");
        assert_eq!(store.segment(&id).unwrap().unwrap().state, State::Withdrawn);
    }

    #[test]
    fn only_the_words_and_the_script_that_were_seen_are_approved() {
        let (store, _dir) = store();
        store.add_segment(segment(1), Attached::default()).unwrap();
        let Segment { id, hash, words, .. } = segment(1);
        store.step_segment(&id, Step::Submit, "lan", at(1)).unwrap();
        let approve =
            |shown| store.step_segment(&id, Step::Approve { hash, seen: Some(shown) }, "minh", at(9));
        let before = seen(&words, "");
        let describe = |words: &Words, script: &str| {
            let to = (words.clone(), Some(script.to_owned()));
            let change = move |_: &Segment, _: &str| Ok::<_, StoreError>(to);
            store.describe_segment(&id, act("segment.describe", 2), change).unwrap();
        };
        describe(&words, "Kính chào");
        assert!(matches!(approve(before), Err(StoreError::OtherWords(_))));
        let before = seen(&words, "Kính chào");
        let other = Words { title: "Khác".to_owned(), ..words };
        describe(&other, "Kính chào");
        assert!(matches!(approve(before), Err(StoreError::OtherWords(_))));
        let now = seen(&other, "Kính chào");
        assert_eq!(approve(now).unwrap().state, State::Approved);
        assert!(matches!(approve(before), Err(StoreError::OtherWords(_))), "also of what is approved");
        assert!(matches!(approve(now), Err(StoreError::WrongState { state: State::Approved, .. })));
    }

    #[test]
    fn what_is_refused_leaves_a_segment_as_it_is_and_no_act() {
        let (store, _dir) = store();
        store.add_segment(Segment { state: State::Pending, ..segment(1) }, Attached::default()).unwrap();
        let Segment { id, words, .. } = segment(1);
        let (pending, events) = (store.segment(&id).unwrap(), store.segment_events(&id).unwrap());
        let change = move |segment: &Segment, script: &str| {
            assert_eq!((&segment.words, segment.state, script), (&words, State::Pending, ""));
            Err(StoreError::Busy)
        };
        assert!(store.describe_segment(&id, act("segment.describe", 41), change).is_err());
        assert!(store.step_as(&id, Step::Submit, act("segment.submit", 42)).is_err());
        assert_eq!((store.segment(&id).unwrap(), store.segment_events(&id).unwrap()), (pending, events));
        assert_eq!(store.acts(Timestamp::MIN, Timestamp::MAX, 9).unwrap(), []);
        store.step_as(&id, Step::Return { reason: "nhỏ quá".to_owned() }, act("segment.return", 43)).unwrap();
        assert_eq!(store.acts(Timestamp::MIN, Timestamp::MAX, 9).unwrap(), [act("segment.return", 43)]);
    }
}
