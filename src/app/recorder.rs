//! Facts from the engines to the journal: on disk, in order, as soon as they come.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tracing::error;

use crate::asrun::{Cause, Fact};
use crate::schedule::OutputId;
use crate::segment::SegmentId;
use crate::store::Store;
use crate::timeline::CueId;

/// Facts on their way to the disk. Few: an engine keeps the rest itself, and says how many it holds back.
pub const FACTS: usize = 32;
/// Recordings found broken that wait to be looked at.
pub const SUSPECTS: usize = 16;
/// How long a fact that could not be written waits for the next try.
const RETRY: Duration = Duration::from_secs(2);

/// Writes facts until no engine is left; tells the planner after each that may change a repeat, and who looks at files of
/// each that was found `broken` on its way to the air.
pub fn record(
    facts: &Receiver<Fact>,
    store: &Store,
    replan: &SyncSender<()>,
    broken: &Sender<SegmentId>,
    stopping: &AtomicBool,
) {
    let mut suspects = Suspects::default();
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
        if let Some(segment) = suspects.hear(fact) {
            // Where many wait to be looked at, the night's reading finds this one; and at the program's end nobody looks.
            let _told = broken.try_send(segment);
        }
    }
}

/// Which recording a fact says is broken. Of a take it is known since its opening.
#[derive(Default)]
struct Suspects {
    open: BTreeMap<(CueId, OutputId), SegmentId>,
}

impl Suspects {
    fn hear(&mut self, fact: Fact) -> Option<SegmentId> {
        match fact {
            Fact::Opened { cue, output, .. } => {
                self.open.insert((cue.id.clone(), output), cue.segment()?.id.clone());
                None
            }
            Fact::TakenBack { cue, output, .. } => {
                self.open.remove(&(cue, output));
                None
            }
            Fact::Closed(closed) => {
                let segment = self.open.remove(&(closed.cue, closed.output));
                segment.filter(|_| closed.cause == Some(Cause::FileBroken))
            }
            Fact::NotAired(fact) if fact.cause == Cause::FileBroken => Some(fact.cue.segment()?.id.clone()),
            Fact::NotAired(_) | Fact::Heartbeat { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::sync_channel;

    use tokio::sync::mpsc::channel;

    use super::*;
    use crate::asrun::{ClockHealth, NotAired, fixture as facts};
    use crate::schedule::Start;
    use crate::segment::Catalog;
    use crate::timeline::{Cue, History, Window, compile, fixture};

    /// A cue of a recording.
    fn cue() -> Arc<Cue> {
        let slot = fixture::slot("tin", Start::Follow, fixture::play("programme:tin"));
        let schedule = fixture::schedule("Asia/Ho_Chi_Minh", vec![slot]);
        let catalog: Catalog = [fixture::segment("tin", "tin", 60)].into_iter().collect();
        let window =
            Window { from: fixture::at("2026-11-22T20:00:00Z"), to: fixture::at("2026-11-23T17:00:00Z") };
        let timeline = compile(&schedule, &catalog, &History::default(), &fixture::output(), window);
        Arc::clone(&timeline.blocks[0].cues[0])
    }

    /// What is said to be broken where a take ends for a cause, and another cue does not air for one.
    fn suspects(closed: Option<Cause>, not_aired: Cause) -> Vec<SegmentId> {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let (cue, at) = (cue(), fixture::at("2026-11-22T23:00:00Z"));
        let (opened, closed) = (facts::opened(&cue, 0, at, 10), facts::closed(&cue, 0, at, 1, closed));
        let mut other = Cue::clone(&cue);
        other.id.piece = 1;
        let missed = NotAired {
            cue: Arc::new(other),
            output: fixture::output(),
            cause: not_aired,
            clock: ClockHealth::Synchronised,
            at,
        };
        let (send, queue) = sync_channel(3);
        for fact in [opened, closed, Fact::NotAired(missed)] {
            send.send(fact).unwrap();
        }
        drop(send);
        let (replan, _nudges) = sync_channel(1);
        let (broken, mut told) = channel(2);
        record(&queue, &store, &replan, &broken, &AtomicBool::new(false));
        std::iter::from_fn(|| told.try_recv().ok()).collect()
    }

    #[test]
    fn what_was_found_broken_on_its_way_to_the_air_is_told() {
        assert_eq!(suspects(None, Cause::TooLate), []);
        assert_eq!(suspects(Some(Cause::PowerCut), Cause::NotOpened), []);
        for (closed, not_aired) in [(Some(Cause::FileBroken), Cause::TooLate), (None, Cause::FileBroken)] {
            assert_eq!(suspects(closed, not_aired), [fixture::segment_id("tin")]);
        }
    }

    #[test]
    fn a_program_that_stops_does_not_wait_for_a_broken_disk() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let other = rusqlite::Connection::open(dir.path().join("loa.db")).unwrap();
        other.execute_batch("DROP TABLE heartbeat").unwrap();
        let (facts, queue) = sync_channel(2);
        let (replan, _nudges) = sync_channel(1);
        facts
            .send(Fact::Heartbeat {
                at: jiff::Timestamp::UNIX_EPOCH,
                output: "loa".into(),
                sounding: Vec::new(),
            })
            .unwrap();
        // An engine that still runs: the queue has no end.
        let (broken, _suspects) = channel(2);
        record(&queue, &store, &replan, &broken, &AtomicBool::new(true));
    }
}
