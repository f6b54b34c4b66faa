//! Facts from the engines to the journal: on disk, in order, as soon as they come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use tracing::error;

use crate::asrun::Fact;
use crate::store::Store;

/// Facts on their way to the disk. Few: an engine keeps the rest itself, and says how many it holds back.
pub const FACTS: usize = 32;
/// How long a fact that could not be written waits for the next try.
const RETRY: Duration = Duration::from_secs(2);

/// Writes facts until no engine is left; tells the planner after each that may change a repeat.
pub fn record(facts: &Receiver<Fact>, store: &Store, replan: &SyncSender<()>, stopping: &AtomicBool) {
    for fact in facts {
        // A fact is never given up: while the disk refuses it, later ones queue behind it, and the engines hold theirs.
        // But a program that is to stop does not wait for a broken disk: what is lost then counts as a power cut.
        let mut last = false;
        while let Err(failure) = store.record(&fact) {
            let error = &failure as &dyn std::error::Error;
            if last {
                error!(error, ?fact, "the program ends and the log cannot be written: what is left is lost");
                return;
            }
            error!(error, "the log cannot be written; trying again");
            thread::sleep(RETRY);
            last = stopping.load(Ordering::Relaxed);
        }
        if matches!(fact, Fact::Closed(_) | Fact::NotAired(_)) {
            // A full queue means that a nudge is under way already.
            let _nudged = replan.try_send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn a_program_that_stops_does_not_wait_for_a_broken_disk() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let other = rusqlite::Connection::open(dir.path().join("loa.db")).unwrap();
        other.execute_batch("DROP TABLE heartbeat").unwrap();
        let (facts, queue) = sync_channel(2);
        let (replan, _nudges) = sync_channel(1);
        facts.send(Fact::Heartbeat { at: jiff::Timestamp::UNIX_EPOCH, output: "loa".into() }).unwrap();
        // An engine that still runs: the queue has no end.
        record(&queue, &store, &replan, &AtomicBool::new(true));
    }
}
