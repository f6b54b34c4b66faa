//! Whole days by rehearsal: the real engine, decoder, planner and store on a manual clock, measured by what is heard.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    unreachable_pub,
    reason = "a test"
)]

mod anomalies;
mod example;
mod interrupt;
mod late;
mod restart;
mod station;
mod tape;
mod week;
