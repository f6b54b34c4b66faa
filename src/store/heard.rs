//! How often a recording was heard, and when.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::airings::airing_from_json;
use super::error::Doing as _;
use super::{Store, StoreError};
use crate::segment::SegmentId;

/// That a recording was heard, at least in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// How often; once where several outputs played it at once.
    pub times: u32,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
}

impl Store {
    /// What is on record of a recording's airings; none where it was never heard.
    pub fn heard(&self, segment: &SegmentId) -> Result<Option<Heard>, StoreError> {
        const OF_IT: &str = "FROM airing WHERE segment = ?1 AND outcome IN ('aired', 'partly', 'withdrawn')";
        self.read(|connection| {
            let one = |order: &str| {
                let found = connection
                    .prepare_cached(&format!("SELECT body {OF_IT} ORDER BY planned_ms {order} LIMIT 1"))
                    .and_then(|mut statement| {
                        statement
                            .query_row(params![segment.as_str()], |row| row.get::<_, String>(0))
                            .optional()
                    })
                    .doing("find when a recording was heard")?;
                let airing = found.map(|body| airing_from_json(&body)).transpose()?;
                Ok(airing.map(|airing| airing.started().unwrap_or(airing.item.planned)))
            };
            let Some((first, last)) = one("ASC")?.zip(one("DESC")?) else { return Ok(None) };
            let times = connection
                .prepare_cached(&format!("SELECT COUNT(DISTINCT cue) {OF_IT}"))
                .and_then(|mut statement| statement.query_row(params![segment.as_str()], |row| row.get(0)))
                .doing("count how often a recording was heard")?;
            Ok(Some(Heard { times, first, last }))
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::tests::{EXPECTED, air, at, closed, cue, not_aired, opened, segment, store};
    use super::*;
    use crate::asrun::{Cause, Closed, Fact};

    #[test]
    fn a_recording_was_heard_as_often_as_some_of_it_sounded() {
        let (store, _dir) = store();
        let heard = || store.heard(&segment(7).id).unwrap();
        store.record(&not_aired(&cue(0, 7), Cause::NotRunning)).unwrap();
        air(&store, &cue(1, 8));
        assert_eq!(heard(), None, "not at all, and another one");
        air(&store, &cue(2, 7));
        store.record(&opened(&cue(3, 7), 0)).unwrap();
        store.record(&closed(&cue(3, 7), 0, EXPECTED / 2, Some(Cause::Emergency))).unwrap();
        // At the same time from other loudspeakers.
        let Fact::Opened { cue: there, take, .. } = opened(&cue(2, 7), 0) else { unreachable!() };
        store.record(&Fact::Opened { cue: there, take, output: "loa-2".into() }).unwrap();
        let Fact::Closed(there) = closed(&cue(2, 7), 0, EXPECTED, None) else { unreachable!() };
        store.record(&Fact::Closed(Closed { output: "loa-2".into(), ..there })).unwrap();
        let sounded = |seconds| at(seconds) + SignedDuration::from_micros(120);
        assert_eq!(heard(), Some(Heard { times: 2, first: sounded(120), last: sounded(180) }));
    }

    #[test]
    fn a_long_log_is_not_read_for_it() {
        let (store, _dir) = store();
        let plan: String = store
            .read(|connection| {
                connection
                    .query_row(
                        "EXPLAIN QUERY PLAN SELECT body FROM airing
                         WHERE segment = 'x' AND outcome IN ('aired', 'partly', 'withdrawn')
                         ORDER BY planned_ms DESC LIMIT 1",
                        [],
                        |row| row.get(3),
                    )
                    .doing("explain")
            })
            .unwrap();
        assert!(plan.contains("INDEX airing_heard (segment=?)"), "{plan}");
    }
}
