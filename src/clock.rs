//! The time of day. The only file that reads the system's clocks; everybody else is given `now`.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// The wall clock's time.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment of this process; never steps, never goes back.
    fn elapsed(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose `elapsed` begins now.
    #[expect(clippy::new_without_default, reason = "a default should not read the system")]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A clock that stands still until it is moved: for rehearsals and tests.
#[derive(Debug)]
pub struct ManualClock {
    /// Nanoseconds since the epoch: enough until the year 2262.
    now: AtomicI64,
    elapsed: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { now: AtomicI64::new(nanoseconds(now)), elapsed: AtomicI64::new(0) }
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        self.now.fetch_add(by, Ordering::SeqCst);
        self.elapsed.fetch_add(by, Ordering::SeqCst);
    }

    /// The wall clock steps, forward or back, while no time passes.
    pub fn step_to(&self, now: Timestamp) {
        self.now.store(nanoseconds(now), Ordering::SeqCst);
    }
}

fn nanoseconds(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.now.load(Ordering::SeqCst))).unwrap_or(Timestamp::MAX)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// Whether the machine says that its clock is synchronised to a time server.
pub fn is_synchronised() -> bool {
    // Written by systemd-timesyncd once it has the time; chrony's Debian package keeps its own flag.
    let flags = ["/run/systemd/timesync/synchronized", "/run/chrony/synchronized"];
    flags.iter().any(|path| std::path::Path::new(path).exists())
}
