//! The console in a real browser, at the size of a phone and of a desk: people's whole work, and what others try.
//! The pictures are in `target/pictures`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test"
)]

mod air;
mod attacks;
mod calendar;
mod driver;
mod home;
mod log;
mod people;
mod recordings;
mod rig;

/// Good enough as a password.
const PASSWORD: &str = "mưa thuận gió hoà";
