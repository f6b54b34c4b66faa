//! The time of day. The only file that reads the system's clocks; everybody else is given `now`.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

/// What is known of the wall clock's truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockHealth {
    /// The machine says that it is synchronised to a time server.
    Synchronised,
    /// Nothing speaks for it and nothing against it, as on a machine without a network.
    #[default]
    Unconfirmed,
    /// It shows a time that cannot be: earlier than something already logged. Nothing scheduled airs by it.
    Wrong,
}

impl ClockHealth {
    /// Asks the machine; one that is not synchronised has to stand against the newest instant on record.
    pub fn judge(now: Timestamp, newest_on_record: Option<Timestamp>) -> Self {
        // Written by systemd-timesyncd once it has the time; chrony's Debian package keeps its own flag.
        let synchronised = ["/run/systemd/timesync/synchronized", "/run/chrony/synchronized"];
        if synchronised.iter().any(|path| std::path::Path::new(path).exists()) {
            Self::Synchronised
        } else if newest_on_record.is_some_and(|newest| now + SLACK < newest) {
            Self::Wrong
        } else {
            Self::Unconfirmed
        }
    }
}

impl ClockHealth {
    /// Whether a clock that is known to be right shows that the record is what is wrong: it has instants of the future.
    pub fn refutes(self, now: Timestamp, newest_on_record: Option<Timestamp>) -> bool {
        self == Self::Synchronised && newest_on_record.is_some_and(|newest| now + SLACK < newest)
    }
}

/// How far a clock may be set back before that is odd: a time server may have caught one that ran fast.
const SLACK: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_known_to_be_right_refutes_the_record() {
        let (now, later) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + Duration::from_secs(100));
        assert!(ClockHealth::Synchronised.refutes(now, Some(later)));
        assert!(!ClockHealth::Synchronised.refutes(later, Some(now)));
        assert!(!ClockHealth::Synchronised.refutes(now, Some(now + Duration::from_secs(59))));
        assert!(!ClockHealth::Unconfirmed.refutes(now, Some(later)));
        assert!(!ClockHealth::Synchronised.refutes(now, None));
    }
}
