//! What another schedule would change: two timelines of one output, side by side.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Block, Content, Cue, Finding, Timeline};

/// What differs between two timelines from an instant on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// The blocks in which something differs, by their start.
    pub blocks: Vec<BlockChange>,
    /// Findings that only the new timeline has.
    pub appeared: Vec<Finding>,
    /// Findings that only the old one had.
    pub gone: Vec<Finding>,
}

/// A block in which something differs.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockChange {
    /// As it was; none where it is new.
    pub old: Option<Block>,
    /// As it will be; none where it goes.
    pub new: Option<Block>,
    /// What differs in it, by the start.
    pub cues: Vec<CueChange>,
}

/// A cue that differs.
#[derive(Debug, Clone, PartialEq)]
pub enum CueChange {
    /// It is new.
    Added(Arc<Cue>),
    /// It goes.
    Removed(Arc<Cue>),
    /// It airs at another time, or something else, or by another rule.
    Changed {
        /// As it was.
        old: Arc<Cue>,
        /// As it will be.
        new: Arc<Cue>,
    },
}

impl CueChange {
    /// It as it will be, or as it was where it goes.
    pub fn cue(&self) -> &Cue {
        match self {
            Self::Added(cue) | Self::Removed(cue) | Self::Changed { new: cue, .. } => cue,
        }
    }
}

impl Changes {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.appeared.is_empty() && self.gone.is_empty()
    }
}

/// What differs between two timelines of one output, as far as it is still to come at `from`.
pub fn changes<'a>(old: &'a Timeline, new: &'a Timeline, from: Timestamp) -> Changes {
    let left = |timeline: &'a Timeline| timeline.blocks.iter().filter(move |block| block.end > from);
    let pairs = pairs(left(old).map(|block| (&block.id, block)), left(new).map(|block| (&block.id, block)));
    let mut blocks: Vec<_> = pairs.filter_map(|(old, new)| block_change(old, new, from)).collect();
    blocks.sort_by_key(|change| change.new.as_ref().or(change.old.as_ref()).map(|block| block.start));
    let only = |of: &Timeline, other: &Timeline| {
        let left = of.findings.iter().filter(|finding| finding.at >= from);
        left.filter(|finding| !other.findings.iter().any(|known| same(known, finding))).cloned().collect()
    };
    Changes { blocks, appeared: only(new, old), gone: only(old, new) }
}

/// What two lists have under each key.
fn pairs<K: Ord, T>(
    old: impl Iterator<Item = (K, T)>,
    new: impl Iterator<Item = (K, T)>,
) -> impl Iterator<Item = (Option<T>, Option<T>)> {
    let mut pairs: BTreeMap<K, (Option<T>, Option<T>)> = BTreeMap::new();
    for (key, thing) in old {
        pairs.entry(key).or_default().0 = Some(thing);
    }
    for (key, thing) in new {
        pairs.entry(key).or_default().1 = Some(thing);
    }
    pairs.into_values()
}

/// A finding that moved with its cue is the same.
fn same(one: &Finding, other: &Finding) -> bool {
    (&one.block, &one.cue, one.severity, &one.kind) == (&other.block, &other.cue, other.severity, &other.kind)
}

fn block_change<'a>(old: Option<&'a Block>, new: Option<&'a Block>, from: Timestamp) -> Option<BlockChange> {
    let cues =
        |block: Option<&'a Block>| block.into_iter().flat_map(|block| &block.cues).map(|cue| (&cue.id, cue));
    let mut cues: Vec<_> = pairs(cues(old), cues(new))
        .filter(|pair| [pair.0, pair.1].into_iter().flatten().any(|cue| cue.end.max(cue.at) >= from))
        .filter_map(cue_change)
        .collect();
    // What goes stands before what takes its place; of what begins at one instant, what the plan has first.
    let nth = |change: &CueChange| {
        let is_old = matches!(change, CueChange::Removed(_));
        let block = if is_old { old } else { new };
        let place = block.and_then(|block| block.cues.iter().position(|cue| cue.id == change.cue().id));
        (change.cue().at, !is_old, place)
    };
    cues.sort_by_key(nth);
    let times = |block: &Block| (block.title.clone(), block.start, block.end);
    if cues.is_empty() && old.map(times) == new.map(times) {
        return None;
    }
    Some(BlockChange { old: old.cloned(), new: new.cloned(), cues })
}

fn cue_change(pair: (Option<&Arc<Cue>>, Option<&Arc<Cue>>)) -> Option<CueChange> {
    match pair {
        (Some(old), Some(new)) => {
            let differs = (old.at, old.end, old.late, &old.title) != (new.at, new.end, new.late, &new.title)
                || !sounds_the_same(&old.content, &new.content);
            differs.then(|| CueChange::Changed { old: Arc::clone(old), new: Arc::clone(new) })
        }
        (Some(old), None) => Some(CueChange::Removed(Arc::clone(old))),
        (None, Some(new)) => Some(CueChange::Added(Arc::clone(new))),
        (None, None) => None,
    }
}

/// Whether the same is heard.
pub fn sounds_the_same(one: &Content, other: &Content) -> bool {
    match (one, other) {
        (Content::Segment(one), Content::Segment(other)) => one.id == other.id,
        (Content::Nothing(one), Content::Nothing(other)) => one == other,
        (Content::Segment(_), Content::Nothing(_)) | (Content::Nothing(_), Content::Segment(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;
    use crate::schedule::{Schedule, Start};
    use crate::segment::Catalog;
    use crate::timeline::fixture::{at, output, play, schedule, segment, slot};
    use crate::timeline::{FindingKind, History, Window, compile};

    fn station() -> Schedule {
        let slots = vec![
            slot("mot", Start::Hard(time(5, 0, 0, 0)), play("file:mot.mp3")),
            slot("hai", Start::Follow, play("file:hai.mp3")),
        ];
        schedule("UTC", slots)
    }

    fn timeline(schedule: &Schedule) -> Timeline {
        let catalog: Catalog = [segment("mot", "x", 60), segment("hai", "x", 120)].into_iter().collect();
        let window = Window { from: at("2026-11-23T00:00:00Z"), to: at("2026-11-25T00:00:00Z") };
        compile(schedule, &catalog, &History::default(), &output(), window)
    }

    /// What an edit changes, seen at an instant: blocks with how many cues each.
    fn after(now: &str, edit: impl FnOnce(&mut Schedule)) -> Changes {
        let (old, mut new) = (station(), station());
        edit(&mut new);
        changes(&timeline(&old), &timeline(&new), at(now))
    }

    #[test]
    fn nothing_changes_nothing() {
        assert!(after("2026-11-23T00:00:00Z", |_| {}).is_empty());
    }

    #[test]
    fn a_cue_that_goes_moves_those_behind_it() {
        let found = after("2026-11-23T00:00:00Z", |new| drop(new.sessions[0].slots.remove(0)));
        assert_eq!(found.blocks.len(), 2, "on both days");
        let [CueChange::Removed(first), CueChange::Changed { old, new }] = &found.blocks[0].cues[..] else {
            panic!("{:?}", found.blocks[0].cues)
        };
        assert_eq!(first.id.slot.as_str(), "mot");
        assert_eq!(old.at.duration_since(new.at).as_secs(), 60);
    }

    #[test]
    fn what_goes_at_one_instant_goes_in_the_order_of_the_plan() {
        let mut old = station();
        // Silent, so that the next one begins at the same instant; its id comes later in the alphabet.
        old.sessions[0].slots.insert(0, slot("z", Start::Follow, play("file:z.mp3")));
        old.sessions[0].slots[1].start = Start::Follow;
        let mut new = old.clone();
        new.sessions[0].slots.drain(..2);
        let found = changes(&timeline(&old), &timeline(&new), at("2026-11-23T00:00:00Z"));
        let slots: Vec<_> = found.blocks[0].cues.iter().map(|change| change.cue().id.slot.as_str()).collect();
        assert_eq!(slots, ["z", "mot", "hai"]);
    }

    #[test]
    fn what_is_over_does_not_change_any_more() {
        let found = after("2026-11-23T07:00:00Z", |new| drop(new.sessions[0].slots.remove(1)));
        assert_eq!(found.blocks.len(), 1);
        let dates: Vec<_> = found.gone.iter().chain(&found.appeared).map(|f| f.block.date.day()).collect();
        assert!(dates.iter().all(|day| *day == 24), "{dates:?}");
    }

    #[test]
    fn a_length_that_is_too_short_shows_as_a_finding_alone() {
        let shorter =
            |new: &mut Schedule| new.sessions[0].slots[1].length = Some(jiff::SignedDuration::from_secs(90));
        let found = after("2026-11-23T00:00:00Z", shorter);
        assert!(found.blocks.is_empty() && found.gone.is_empty());
        assert!(
            found
                .appeared
                .iter()
                .all(|f| matches!(f.kind, FindingKind::LongerThanPlanned { over_ms: 30_000 }))
        );
        assert_eq!(found.appeared.len(), 2);
    }

    #[test]
    fn a_session_that_moves_takes_its_findings_along() {
        let mut old = station();
        old.sessions[0].slots[1].length = Some(jiff::SignedDuration::from_secs(90));
        let mut new = old.clone();
        (new.sessions[0].from, new.sessions[0].to) = (time(5, 10, 0, 0), time(6, 10, 0, 0));
        new.sessions[0].slots[0].start = Start::Hard(time(5, 10, 0, 0));
        let (old, new) = (timeline(&old), timeline(&new));
        let found = changes(&old, &new, at("2026-11-23T00:00:00Z"));
        assert_eq!((old.findings.len(), new.findings.len()), (4, 4), "too long, and the session ends early");
        assert!(found.appeared.is_empty() && found.gone.is_empty());
        assert_eq!(found.blocks.len(), 2);
        assert_ne!(found.blocks[0].old.as_ref().unwrap().start, found.blocks[0].new.as_ref().unwrap().start);
    }
}
