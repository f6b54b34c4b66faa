//! Orders that go on after a restart: what they are, others know.

use rusqlite::{Connection, params};

use super::error::Doing as _;
use super::{Store, StoreError};

/// Keeps an order.
pub(super) fn keep(connection: &Connection, interrupt: &str, body: &str) -> Result<(), StoreError> {
    connection
        .execute(
            "INSERT OR REPLACE INTO standing_order (interrupt, body) VALUES (?1, ?2)",
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
    /// The orders that nobody called off, as they were kept, each with its interrupt; the oldest first. Some may be over.
    pub fn standing_orders(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT interrupt, body FROM standing_order ORDER BY interrupt")
                .and_then(|mut statement| {
                    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
                })
                .doing("read the orders in force")
        })
    }

    /// Lets go of an order that is over.
    pub fn end_standing_order(&self, interrupt: &str) -> Result<(), StoreError> {
        let interrupt = interrupt.to_owned();
        self.write("let go of an order", move |transaction| end(transaction, &interrupt))
    }
}
