//! The log of this room's tests, as the engine, the recorder and the store keep the real one: facts, summed up by cue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::asrun::{self, Airing, Cause, Closed, Entry, Fact, NotAired};
use crate::frames::{self, AIR_RATE};
use crate::schedule::OutputId;
use crate::timeline::{Cue, CueId};

/// A take of a cue that is on record and not closed.
#[derive(Debug, Clone)]
pub(super) struct Take {
    cue: CueId,
    number: u16,
}

/// What became of each cue, as far as the log knows.
#[derive(Debug, Default)]
pub(super) struct Record {
    airings: BTreeMap<CueId, Airing>,
    numbers: BTreeMap<CueId, u16>,
    /// When a take was taken back, and whose.
    pub(super) taken_back: Vec<(Timestamp, CueId)>,
}

impl Record {
    pub(super) fn open(&mut self, cue: &Arc<Cue>, skip: SignedDuration, at: Timestamp) -> Take {
        let next = self.numbers.entry(cue.id.clone()).or_default();
        let take = Take { cue: cue.id.clone(), number: *next };
        *next += 1;
        let opened = asrun::Take {
            take: take.number,
            planned: cue.at + skip,
            skip,
            held_by: None,
            expected: frames::count(cue.duration() - skip, AIR_RATE),
            sample_rate: AIR_RATE,
            device: String::new(),
            clock: Default::default(),
            opened: at,
            end: None,
        };
        self.note(&Fact::Opened { cue: Arc::clone(cue), output: output(), take: opened });
        take
    }

    /// Closes a take that was heard from `started` to `at`, or not at all.
    pub(super) fn close(
        &mut self,
        take: &Take,
        started: Option<Timestamp>,
        cause: Option<Cause>,
        at: Timestamp,
    ) {
        let started = started.filter(|started| *started < at);
        self.note(&Fact::Closed(Closed {
            cue: take.cue.clone(),
            output: output(),
            take: take.number,
            started,
            ended: started.map(|_| at),
            delivered: started.map_or(0, |started| frames::count(at.duration_since(started), AIR_RATE)),
            starved: 0,
            unpowered: false,
            held_by: None,
            cause,
            at,
        }));
    }

    pub(super) fn take_back(&mut self, take: &Take, at: Timestamp) {
        let Take { cue, number } = take.clone();
        self.taken_back.push((at, cue.clone()));
        self.note(&Fact::TakenBack { cue, output: output(), take: number, at });
    }

    pub(super) fn not_aired(&mut self, cue: &Arc<Cue>, cause: Cause, at: Timestamp) {
        let (cue, clock) = (Arc::clone(cue), Default::default());
        self.note(&Fact::NotAired(NotAired { cue, output: output(), cause, clock, at }));
    }

    fn note(&mut self, fact: &Fact) {
        let entry = Entry::of(fact, &[]).expect("no heartbeat");
        let (_, cue) = entry.subject().expect("it is of a cue");
        let cue = cue.clone();
        let before = self.airings.remove(&cue);
        self.airings.extend(Airing::after(before, &entry).map(|airing| (cue, airing)));
    }

    /// What a `Load` says of it.
    pub(super) fn settled(&self, now: Timestamp) -> Arc<BTreeSet<CueId>> {
        let settled = self.airings.values().filter(|airing| airing.is_settled(now));
        Arc::new(settled.map(|airing| airing.item.cue.clone()).collect())
    }

    pub(super) fn airing(&self, cue: &CueId) -> Option<&Airing> {
        self.airings.get(cue)
    }
}

fn output() -> OutputId {
    "loa".into()
}
