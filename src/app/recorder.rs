//! Facts from the engines to the journal: on disk, in order, as soon as they come.

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
pub fn record(facts: &Receiver<Fact>, store: &Store, replan: &SyncSender<()>) {
    for fact in facts {
        // A fact is never given up: while the disk refuses it, later ones queue behind it, and the engines hold theirs.
        while let Err(failure) = store.record(&fact) {
            error!(error = &failure as &dyn std::error::Error, "the log cannot be written; trying again");
            thread::sleep(RETRY);
        }
        if matches!(fact, Fact::Closed(_) | Fact::NotAired(_)) {
            // A full queue means that a nudge is under way already.
            let _nudged = replan.try_send(());
        }
    }
}
