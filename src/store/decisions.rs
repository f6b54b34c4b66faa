//! Who decided that something was not, or not wholly, heard: the log's facts say what became of it, and the records of
//! recordings and of acts who it was.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;
use super::error::Doing;
use crate::asrun::{Airing, Cause, Decision};
use crate::timeline::INTERRUPT_SESSION;

/// How far the act and what came of it lie apart at most: a fade, and a busy machine.
const APART: SignedDuration = SignedDuration::from_secs(30);

/// Who decided what became of an airing, where a person did and it is on record.
pub(super) fn decision(connection: &Connection, airing: &Airing) -> Result<Option<Decision>, StoreError> {
    let item = &airing.item;
    match airing.outcome().cause() {
        Some(Cause::Withdrawn) => {
            let heard = item.segment.as_ref().map(|piece| &piece.id);
            match heard.or(item.withdrawn.as_ref()) {
                Some(segment) => withdrawal(connection, segment.as_str()),
                None => Ok(None),
            }
        }
        Some(Cause::StoppedByOperator) => {
            let Some(at) = airing.decided() else { return Ok(None) };
            if item.cue.block.session.as_str() == INTERRUPT_SESSION {
                stop(connection, "interrupt.call-off", item.cue.slot.as_str(), at)
            } else {
                stop(connection, "output.stop", item.output.as_str(), at)
            }
        }
        _ => Ok(None),
    }
}

/// A recording is withdrawn once, for good.
fn withdrawal(connection: &Connection, segment: &str) -> Result<Option<Decision>, StoreError> {
    connection
        .prepare_cached(
            "SELECT by, reason FROM segment_event WHERE segment = ?1 AND what IN ('withdrawn', 'discarded')",
        )
        .and_then(|mut statement| {
            statement
                .query_row([segment], |row| Ok(Decision { by: row.get(0)?, reason: row.get(1)? }))
                .optional()
        })
        .doing("read who withdrew a recording")
}

/// The act of stopping something that lies next to an instant.
fn stop(
    connection: &Connection,
    what: &str,
    subject: &str,
    at: Timestamp,
) -> Result<Option<Decision>, StoreError> {
    let (at, apart) = (at.as_millisecond(), i64::try_from(APART.as_millis()).unwrap_or(i64::MAX));
    connection
        .prepare_cached(
            "SELECT by FROM act INDEXED BY act_at WHERE at_ms BETWEEN ?1 - ?2 AND ?1 + ?2 AND what = ?3 AND subject = ?4
             ORDER BY abs(at_ms - ?1) LIMIT 1",
        )
        .and_then(|mut statement| {
            let wanted = params![at, apart, what, subject];
            statement.query_row(wanted, |row| Ok(Decision { by: row.get(0)?, reason: None })).optional()
        })
        .doing("read who stopped something")
}
