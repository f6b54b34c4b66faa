//! Orders that go on after a restart: what they are, others know.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::airings::airing_from_json;
use super::error::Doing as _;
use super::{Store, StoreError};
use crate::asrun::Airing;
use crate::schedule::OutputId;
use crate::timeline::INTERRUPT_SESSION;

/// Keeps an order.
pub(super) fn keep(connection: &Connection, interrupt: &str, body: &str) -> Result<(), StoreError> {
    connection
        .execute(
            "INSERT OR REPLACE INTO standing_order (interrupt, body, number)
             VALUES (?1, ?2, (SELECT coalesce(max(number), 0) + 1 FROM standing_order))",
            params![interrupt, body],
        )
        .map(drop)
        .doing("keep an order")
}

/// Lets go of an order.
pub(super) fn end(connection: &Connection, interrupt: &str) -> Result<(), StoreError> {
    connection
        .execute("DELETE FROM standing_order WHERE interrupt = ?1", [interrupt])
        .map(drop)
        .doing("let go of an order")
}

impl Store {
    /// The orders that nobody called off, as they were kept, each with its interrupt; the oldest first. Some may be over. What
    /// was let go at an instant that has yet to come was so by a wrong clock.
    pub fn standing_orders(&self, now: Timestamp) -> Result<Vec<(String, String)>, StoreError> {
        self.orders_where("let_go_ms IS NULL OR let_go_ms > ?1", now)
    }

    /// Those that were let go since an instant.
    pub fn orders_let_go(&self, since: Timestamp) -> Result<Vec<(String, String)>, StoreError> {
        self.orders_where("let_go_ms >= ?1", since)
    }

    fn orders_where(&self, condition: &str, at: Timestamp) -> Result<Vec<(String, String)>, StoreError> {
        // Those without a number are of before, and sort first.
        let query = format!(
            "SELECT interrupt, body FROM standing_order WHERE {condition} ORDER BY number, interrupt"
        );
        self.read(|connection| {
            connection
                .prepare_cached(&query)
                .and_then(|mut statement| {
                    let rows =
                        statement.query_map([at.as_millisecond()], |row| Ok((row.get(0)?, row.get(1)?)))?;
                    rows.collect()
                })
                .doing("read the orders in force")
        })
    }

    /// What the log has of an order on an output, whatever the clock said then.
    pub fn airings_of_order(&self, interrupt: &str, output: &OutputId) -> Result<Vec<Airing>, StoreError> {
        self.read(|connection| {
            let bodies: Vec<String> = connection
                .prepare_cached("SELECT body FROM airing WHERE output = ?1 AND instr(cue, ?2) > 0")
                .and_then(|mut statement| {
                    let slot = format!("/{INTERRUPT_SESSION}/{interrupt}/");
                    statement.query_map(params![output.as_str(), slot], |row| row.get(0))?.collect()
                })
                .doing("read what aired of an order")?;
            bodies.iter().map(|body| airing_from_json(body)).collect()
        })
    }

    /// An order does not go on, and nobody called it off.
    pub fn let_go_of_order(&self, interrupt: &str, at: Timestamp) -> Result<(), StoreError> {
        let interrupt = interrupt.to_owned();
        self.write("let go of an order", move |transaction| {
            transaction
                .execute(
                    "UPDATE standing_order SET let_go_ms = ?2 WHERE interrupt = ?1",
                    params![interrupt, at.as_millisecond()],
                )
                .map(drop)
                .doing("let go of an order")
        })
    }

    /// Lets go of an order that is over.
    pub fn end_standing_order(&self, interrupt: &str) -> Result<(), StoreError> {
        let interrupt = interrupt.to_owned();
        self.write("let go of an order", move |transaction| end(transaction, &interrupt))
    }
}
