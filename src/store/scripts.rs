//! What is read in recordings, apart from the catalogue: it is long, and nothing airs by it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::error::Doing as _;
use super::steps::note_event;
use super::{Store, StoreError};
use crate::segment::SegmentId;

pub(super) fn script_of(connection: &Connection, id: &SegmentId) -> Result<String, StoreError> {
    let found = connection
        .prepare_cached("SELECT script FROM segment_script WHERE segment = ?1")
        .and_then(|mut statement| statement.query_row([id.as_str()], |row| row.get(0)).optional());
    Ok(found.doing("read the script of a segment")?.unwrap_or_default())
}

impl Store {
    /// What is read in a segment; empty where nobody has written it down.
    pub fn script(&self, id: &SegmentId) -> Result<String, StoreError> {
        self.read(|connection| script_of(connection, id))
    }

    /// What is read in the segments that wait for approval, of those where somebody has written it down.
    pub fn scripts_to_approve(&self) -> Result<BTreeMap<SegmentId, String>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT segment, script FROM segment_script JOIN segment ON id = segment
                     WHERE state = 'pending' AND script <> ''",
                )
                .and_then(|mut statement| {
                    let row = |row: &Row<'_>| Ok((SegmentId::new(row.get::<_, String>(0)?), row.get(1)?));
                    statement.query_map([], row)?.collect()
                })
                .doing("read the scripts of the segments that wait")
        })
    }
}

/// Writes down what is read in a segment.
pub(super) fn set_script(
    connection: &Connection,
    id: &SegmentId,
    script: &str,
    (by, at): (&str, Timestamp),
) -> Result<(), StoreError> {
    if script_of(connection, id)? == script {
        return Ok(());
    }
    connection
        .execute(
            "INSERT INTO segment_script (segment, script) VALUES (?1, ?2)
             ON CONFLICT (segment) DO UPDATE SET script = ?2",
            params![id.as_str(), script],
        )
        .doing("write down the script of a segment")?;
    note_event(connection, id, at, by, "scripted", Some(script))
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::super::tests::{act, at, segment, store};
    use super::*;
    use crate::segment::{Segment, State};
    use crate::store::Attached;

    #[test]
    fn a_script_is_kept_with_its_history_and_only_when_it_changed() {
        let (store, _dir) = store();
        store.add_segment(segment(1), Attached::default()).unwrap();
        let id = segment(1).id;
        assert_eq!(store.script(&id).unwrap(), "");
        let set = |id: &SegmentId, script: &'static str| {
            let change =
                move |segment: &Segment, _: &str| Ok((segment.words.clone(), Some(script.to_owned())));
            store.describe_segment::<StoreError, _>(id, act("segment.describe", 5), change)
        };
        for script in ["", "Kính chào", "Kính chào", "Kính chào bà con"] {
            set(&id, script).unwrap();
        }
        assert_eq!(store.script(&id).unwrap(), "Kính chào bà con");
        assert_eq!(store.scripts_to_approve().unwrap(), BTreeMap::new(), "it is a draft");
        store.step_segment(&id, Step::Submit, "lan", at(6)).unwrap();
        store.add_segment(Segment { state: State::Pending, ..segment(2) }, Attached::default()).unwrap();
        let waiting = BTreeMap::from([(id.clone(), "Kính chào bà con".to_owned())]);
        assert_eq!(store.scripts_to_approve().unwrap(), waiting);
        let events = store.segment_events(&id).unwrap();
        let scripts: Vec<_> = events.iter().filter(|event| event.what == "scripted").collect();
        assert_eq!((scripts.len(), scripts[0].reason.as_deref()), (2, Some("Kính chào")));
        assert!(set(&"none".into(), "x").is_err());
    }
}
