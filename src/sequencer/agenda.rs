//! The loaded timeline, with how far each of its cues has come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::late;
use crate::asrun::Cause;
use crate::timeline::{Cue, CueId, Join, Timeline};

/// Days for which the fate of a cue is remembered, counted back from the beginning of the loaded window.
const REMEMBERED_DAYS: i64 = 31;

/// How far a cue has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing was asked for.
    Waiting,
    /// Asked to be opened, from here, to start at this instant.
    Preparing { skip: SignedDuration, start: Timestamp },
    /// Open, from here.
    Ready { skip: SignedDuration },
    /// It could not be opened; its time has not come, and it is tried again from this instant on.
    Failed { again: Timestamp },
    /// To start where the one on air ends.
    Chained { skip: SignedDuration },
    /// Started; what comes of it is the voice's business.
    OnAir,
    /// Settled.
    Over,
}

/// The next hard start after a cue in its block, or the block's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) at: Timestamp,
    /// What the log says of who is cut there.
    pub(super) cause: Cause,
}

/// A cue and how far it has come.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) cue: Arc<Cue>,
    /// When its block begins.
    pub(super) block_start: Timestamp,
    /// Where it is cut if it still sounds.
    pub(super) limit: Limit,
    pub(super) progress: Progress,
    /// What kept it from starting when its time had come.
    pub(super) obstacle: Option<Cause>,
    /// It began in time: what held up those before it holds up none after it.
    pub(super) in_time: bool,
    /// How often it was opened too slowly; each time, it is given twice as long.
    pub(super) tries: u32,
}

impl Entry {
    /// The last instant at which it may start.
    pub(super) fn latest(&self) -> Timestamp {
        late::latest_start(&self.cue, self.limit.at)
    }

    /// Whether something was asked for that the engine holds for it.
    pub(super) fn is_held(&self) -> bool {
        matches!(
            self.progress,
            Progress::Preparing { .. } | Progress::Ready { .. } | Progress::Chained { .. }
        )
    }
}

/// What is remembered of a cue across timelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It had a take, and may get another: it cannot be `NotAired` any more.
    Taken,
    /// It is settled, and had a take.
    Heard,
    /// It is settled without a take.
    Unheard,
}

impl Fate {
    /// What it comes to for a cue that is settled.
    fn settled(before: Option<Self>) -> Self {
        if matches!(before, Some(Self::Taken | Self::Heard)) { Self::Heard } else { Self::Unheard }
    }
}

/// How long a recording may take to be opened: what was to start sooner after the program did is not the file's fault.
const TO_OPEN: SignedDuration = SignedDuration::from_secs(1);

/// All cues of the loaded timeline, in order, and the memory of all that came before.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    pub(super) entries: Vec<Entry>,
    /// Everything before this is over.
    cursor: usize,
    fates: BTreeMap<CueId, Fate>,
    /// What ended before this is the store's to log; without more, `now` of the first load.
    since: Option<Timestamp>,
    /// From when on it could have anything sound, and why not before.
    came: Option<(Timestamp, Cause)>,
}

/// What a new timeline changes in what was under way.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Held by the engine, and no longer wanted like this.
    pub(super) discarded: Vec<CueId>,
    /// Gone from the schedule although their time had come, and why they were not heard.
    pub(super) gone: Vec<(Arc<Cue>, Cause)>,
}

impl Agenda {
    /// Nothing, and nothing is remembered.
    pub(super) fn since(since: Option<Timestamp>) -> Self {
        Self { since, ..Self::default() }
    }

    /// The entries that are not known to be over, with their places.
    pub(super) fn open(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().enumerate().skip(self.cursor)
    }

    /// The entry of a cue that is not yet over.
    pub(super) fn find(&mut self, cue: &CueId) -> Option<&mut Entry> {
        self.entries.iter_mut().skip(self.cursor).find(|entry| entry.cue.id == *cue)
    }

    /// Where a cue is.
    pub(super) fn place(&self, cue: &CueId) -> Option<usize> {
        self.open().find(|(_, entry)| entry.cue.id == *cue).map(|(place, _)| place)
    }

    /// Settles a cue for good; whether it had a take.
    pub(super) fn settle(&mut self, cue: &CueId) -> bool {
        if let Some(entry) = self.find(cue) {
            entry.progress = Progress::Over;
        }
        let taken = self.remember_settled(cue);
        let open = |entry: &Entry| entry.progress != Progress::Over;
        let ahead = self.entries.iter().skip(self.cursor).position(open);
        self.cursor = ahead.map_or(self.entries.len(), |ahead| self.cursor + ahead);
        taken
    }

    /// Remembers that a cue is settled; whether it had a take.
    fn remember_settled(&mut self, cue: &CueId) -> bool {
        let before = self.fates.get(cue).copied();
        self.fates.insert(cue.clone(), Fate::settled(before));
        before == Some(Fate::Taken)
    }

    /// The clock was wrong until this instant, and is right now: what was not heard is as open as the next timeline's log
    /// says. What ended before the instant is settled, here or by the store.
    pub(super) fn begin_anew(&mut self, at: Timestamp) {
        // Before its first timeline, nothing was to be logged here.
        let earliest = self.since.filter(|_| !self.entries.is_empty()).map_or(at, |since| since.min(at));
        self.since = Some(earliest);
        self.came = self.came.map(|_| (at, Cause::ClockNotTrusted));
        self.fates.retain(|_, fate| *fate != Fate::Unheard);
    }

    /// Why a cue could not start in time, where nobody was there to open it.
    pub(super) fn came_too_late_for(&self, entry: &Entry) -> Option<Cause> {
        self.came_after(entry.latest())
    }

    /// Why nothing could have started at an instant, where nobody was there to open it.
    fn came_after(&self, at: Timestamp) -> Option<Cause> {
        self.came.filter(|(came, _)| at < *came + TO_OPEN).map(|(_, cause)| cause)
    }

    /// What kept a cue from starting at its time, where that is known.
    pub(super) fn held_up(&self, cue: &CueId) -> Option<Cause> {
        let held_up = |entry: &Entry| entry.obstacle.or_else(|| self.came_after(entry.cue.at));
        self.up_to(cue).find_map(held_up)
    }

    /// What stood in the way of a cue since somebody was there to open it.
    pub(super) fn obstacle_to(&self, cue: &CueId) -> Option<Cause> {
        self.up_to(cue).find_map(|entry| entry.obstacle)
    }

    /// A cue and those before it, backwards, as far as what held up one held up those that follow: to one that has a hard
    /// start or began in time.
    fn up_to(&self, cue: &CueId) -> impl Iterator<Item = &Entry> {
        let chain = self.place(cue).and_then(|place| self.entries.get(..=place)).unwrap_or_default();
        let ends = |entry: &Entry| entry.in_time || entry.cue.start == Join::Hard;
        let first = chain.iter().rposition(ends).unwrap_or(0);
        chain.iter().skip(first).rev()
    }

    /// Notes that a cue began in time.
    pub(super) fn began_in_time(&mut self, cue: &CueId) {
        if let Some(entry) = self.find(cue) {
            (entry.in_time, entry.obstacle) = (true, None);
        }
    }

    /// Notes that a cue had a hole, which holds up those that follow.
    pub(super) fn had_a_hole(&mut self, cue: &CueId) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.cue.id == *cue) {
            entry.obstacle.get_or_insert(Cause::Starved);
        }
    }

    /// Notes that a cue has a take.
    pub(super) fn take(&mut self, cue: &CueId) {
        if let Some(entry) = self.find(cue) {
            entry.progress = Progress::OnAir;
        }
        self.fates.insert(cue.clone(), Fate::Taken);
    }

    /// Goes by a new timeline from now on. `on_air` is left to the caller.
    pub(super) fn load(
        &mut self,
        timeline: &Timeline,
        settled: &BTreeSet<CueId>,
        on_air: Option<&CueId>,
        now: Timestamp,
    ) -> Changes {
        let since = *self.since.get_or_insert(now);
        self.came.get_or_insert((now, Cause::NotRunning));
        self.forget_before(timeline);
        let mut before: BTreeMap<CueId, Entry> = std::mem::take(&mut self.entries)
            .into_iter()
            .map(|entry| (entry.cue.id.clone(), entry))
            .collect();
        // A block that began before the window is none of the new timeline's business, and goes on.
        let mut entries: Vec<Entry> = Vec::new();
        before.retain(|_, entry| {
            let stays = entry.block_start < timeline.window.from && entry.progress != Progress::Over;
            if stays {
                entries.push(entry.clone());
            }
            !stays
        });
        entries.sort_by_key(|entry| entry.cue.at);

        let mut changes = Changes::default();
        for block in &timeline.blocks {
            for (cue, limit) in block.cues.iter().zip(block.limits()) {
                let known = before.remove(&cue.id);
                let fate = self.fates.get(&cue.id).copied();
                let over = fate.is_some_and(|fate| fate != Fate::Taken)
                    || settled.contains(&cue.id)
                    || cue.given_up_at() <= since;
                let mut entry = Entry {
                    cue: Arc::clone(cue),
                    block_start: block.start,
                    limit: Limit {
                        at: limit,
                        cause: if limit < block.end { Cause::CutByNext } else { Cause::PlannedCut },
                    },
                    progress: if over { Progress::Over } else { Progress::Waiting },
                    obstacle: None,
                    in_time: false,
                    tries: 0,
                };
                if let Some(known) = known {
                    // What is over still says what held up those that follow.
                    (entry.obstacle, entry.in_time) = (known.obstacle, known.in_time);
                    let goes_on = known.progress == Progress::OnAir
                        || known.progress != Progress::Over && *known.cue == **cue;
                    if !over && goes_on {
                        entry.progress = known.progress;
                        entry.tries = known.tries;
                    } else if known.is_held() {
                        changes.discarded.push(known.cue.id.clone());
                    }
                }
                if over && !self.fates.contains_key(&cue.id) {
                    self.fates.insert(cue.id.clone(), Fate::Unheard);
                }
                entries.push(entry);
            }
        }
        for (id, entry) in before.into_iter().filter(|(_, entry)| entry.progress != Progress::Over) {
            if entry.is_held() {
                changes.discarded.push(id.clone());
            }
            if entry.cue.at <= now && on_air != Some(&id) && !self.remember_settled(&id) {
                // What nobody was there to start was not there to be changed.
                let cause = self.came_too_late_for(&entry).unwrap_or(Cause::ScheduleChanged);
                changes.gone.push((entry.cue, cause));
            }
        }
        self.cursor =
            entries.iter().position(|entry| entry.progress != Progress::Over).unwrap_or(entries.len());
        self.entries = entries;
        changes
    }

    /// Keeps the memory from growing for ever: what lies far before the window comes in no timeline any more.
    fn forget_before(&mut self, timeline: &Timeline) {
        let from = timeline.time_zone.to_datetime(timeline.window.from).date();
        if let Ok(oldest) = from.checked_sub(REMEMBERED_DAYS.days()) {
            self.fates.retain(|cue, _| cue.block.date >= oldest);
        }
    }
}
