//! Orders that go on after a restart: what they are, others know.

use jiff::Timestamp;
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
        self.orders_where("let_go_ms IS NULL")
    }

    /// Those that were let go since an instant.
    pub fn orders_let_go(&self, since: Timestamp) -> Result<Vec<(String, String)>, StoreError> {
        self.orders_where(&format!("let_go_ms >= {}", since.as_millisecond()))
    }

    fn orders_where(&self, condition: &str) -> Result<Vec<(String, String)>, StoreError> {
        let query =
            format!("SELECT interrupt, body FROM standing_order WHERE {condition} ORDER BY interrupt");
        self.read(|connection| {
            connection
                .prepare_cached(&query)
                .and_then(|mut statement| {
                    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
                })
                .doing("read the orders in force")
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
