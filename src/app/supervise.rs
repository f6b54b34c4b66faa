//! Workers that must not die.
//!
//! Named threads, started again after a panic, and an end of the whole program when that does not help. What a worker needs to go on is derived anew from the schedule and the facts at each start.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::Notify;
use tracing::error;

use crate::clock::Clock;

/// A worker that fails this often …
const FAILURES: usize = 3;
/// … within this time will not get better by itself.
const WITHIN: Duration = Duration::from_secs(60);

/// Runs `work` on a thread of its own until it returns; after a panic, again. Tells `gave_up` when that does not help: the
/// program ends then, and is started anew from outside.
pub fn supervise(
    name: &'static str,
    clock: Arc<dyn Clock>,
    gave_up: Arc<Notify>,
    mut work: impl FnMut() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let mut failures: Vec<Duration> = Vec::with_capacity(FAILURES);
        while catch_unwind(AssertUnwindSafe(&mut work)).is_err() {
            let now = clock.elapsed();
            failures.retain(|at| now.saturating_sub(*at) < WITHIN);
            failures.push(now);
            error!(worker = name, failures = failures.len(), "the worker `{name}` failed");
            if failures.len() >= FAILURES {
                gave_up.notify_one();
                return;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::clock::ManualClock;

    /// How often a worker that fails so often is started, and whether it gives up.
    fn run(failures: usize, apart: Duration) -> (usize, bool) {
        let clock = Arc::new(ManualClock::new(jiff::Timestamp::UNIX_EPOCH));
        let gave_up: Arc<Notify> = Arc::default();
        let starts = Arc::new(AtomicUsize::new(0));
        let worker = {
            let (clock, starts) = (Arc::clone(&clock), Arc::clone(&starts));
            supervise("test", Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&gave_up), move || {
                if starts.fetch_add(1, Ordering::SeqCst) < failures {
                    clock.advance(apart);
                    panic!("on purpose");
                }
            })
        };
        worker.unwrap().join().unwrap();
        (starts.load(Ordering::SeqCst), pin!(gave_up.notified()).enable())
    }

    #[test]
    fn a_worker_is_started_again_after_a_panic() {
        assert_eq!(run(2, Duration::from_secs(1)), (3, false));
    }

    #[test]
    fn three_failures_in_a_minute_end_the_program() {
        assert_eq!(run(9, Duration::from_secs(1)), (3, true));
    }

    #[test]
    fn rare_failures_never_end_it() {
        assert_eq!(run(9, Duration::from_secs(61)), (10, false));
    }
}
