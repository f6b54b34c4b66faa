//! After a gap, in which the program did not run: what it left open, and what it missed.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Cause, ClockHealth, Closed, NotAired};
use crate::frames;
use crate::schedule::OutputId;
use crate::timeline::{Content, Cue, CueId, Timeline};

/// A take that was on air when the program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTake {
    /// The cue.
    pub cue: CueId,
    /// The output.
    pub output: OutputId,
    /// Its number.
    pub take: u16,
    /// When its first frame was to leave.
    pub planned: Timestamp,
    /// Frames it was to deliver.
    pub expected: u64,
    /// Frames per second.
    pub sample_rate: u32,
    /// When it was opened.
    pub opened: Timestamp,
    /// The last sign of life of its output, where there ever was one.
    pub heartbeat: Option<Heartbeat>,
}

/// A sign of life of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// When.
    pub at: Timestamp,
    /// What sounded then; none where this was not kept yet.
    pub sounding: Option<Vec<Sounding>>,
}

/// What is known of a take that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sounding {
    /// The cue.
    pub cue: CueId,
    /// Which take: another run of the program counts them anew.
    pub take: u16,
    /// When it was opened.
    pub opened: Timestamp,
    /// When its first frame left the device.
    pub started: Timestamp,
    /// Frames of the segment that a healthy device took so far.
    pub delivered: u64,
    /// Frames of silence so far that stood in for sound.
    pub starved: u64,
    /// Whether the amplifier could not be switched on meanwhile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpowered: bool,
    /// What kept it from beginning in time, where that was not known yet when it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<Cause>,
}

impl OpenTake {
    /// What its output's last heartbeat tells of it; none where it did not sound then.
    fn told(&self) -> Option<Sounding> {
        let Heartbeat { at, sounding } = self.heartbeat.as_ref()?;
        let told = match sounding {
            Some(sounding) => sounding
                .iter()
                .find(|one| (&one.cue, one.take, one.opened) == (&self.cue, self.take, self.opened))?
                .clone(),
            None => self.sounded_until(*at),
        };
        (told.delivered > 0).then_some(told)
    }

    /// What the time until then allowed: it began as planned, but not before it was opened.
    fn sounded_until(&self, at: Timestamp) -> Sounding {
        let started = self.planned.max(self.opened);
        let sounded = at.duration_since(started).max(SignedDuration::ZERO);
        Sounding {
            cue: self.cue.clone(),
            take: self.take,
            opened: self.opened,
            started,
            delivered: frames::count(sounded, self.sample_rate).min(self.expected),
            starved: 0,
            unpowered: false,
            held_by: None,
        }
    }

    /// When what it had sounded of it by the last heartbeat was over.
    fn ended(&self, told: &Sounding) -> Timestamp {
        let sounded = frames::duration(told.delivered + told.starved, self.sample_rate);
        told.started.saturating_add(sounded).unwrap_or(told.started)
    }
}

/// What is known, at `now`, of the takes that a power cut left open.
///
/// Each had begun, delivered and missed what the last heartbeat tells of it; where that tells nothing, what the time until
/// then allowed. One that had no heartbeat did not sound, as far as is known.
pub fn recover(open: &[OpenTake], now: Timestamp) -> Vec<Closed> {
    open.iter()
        .map(|take| {
            let told = take.told();
            Closed {
                cue: take.cue.clone(),
                output: take.output.clone(),
                take: take.take,
                started: told.as_ref().map(|told| told.started),
                ended: told.as_ref().map(|told| take.ended(told)),
                delivered: told.as_ref().map_or(0, |told| told.delivered.min(take.expected)),
                starved: told.as_ref().map_or(0, |told| told.starved),
                unpowered: told.as_ref().is_some_and(|told| told.unpowered),
                held_by: told.as_ref().and_then(|told| told.held_by),
                cause: Some(Cause::PowerCut),
                at: now,
            }
        })
        .collect()
}

/// What a gap missed: cues that were given up by `up_to` and of which nothing is `known`.
///
/// One without a segment has its own cause; the others have `cause`. A cue that may still start is left to its late rule:
/// one that may air whole and late, until the next hard start of its block, or the block's end, would cut it.
pub fn reconcile(
    timeline: &Timeline,
    known: &BTreeSet<CueId>,
    up_to: Timestamp,
    cause: Cause,
    clock: ClockHealth,
) -> Vec<NotAired> {
    let over = timeline.blocks.iter().flat_map(|block| {
        let given_up = |(cue, limit): &(&Arc<Cue>, Timestamp)| cue.given_up_at().min(*limit) <= up_to;
        block.cues.iter().zip(block.limits()).filter(given_up).map(|(cue, _)| cue)
    });
    over.filter(|cue| !known.contains(&cue.id))
        .map(|cue| NotAired {
            cue: Arc::clone(cue),
            output: timeline.output.clone(),
            cause: match &cue.content {
                Content::Nothing(absence) => Cause::from(absence),
                Content::Segment(_) => cause,
            },
            clock,
            at: up_to,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::schedule::Late;
    use crate::timeline::fixture::segment;
    use crate::timeline::{Absence, Block, Form, Join, Layer, Window};

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(seconds: i64) -> Timestamp {
        START + SignedDuration::from_secs(seconds)
    }

    /// A timeline of cues without a segment, with these beginnings and lengths in seconds.
    fn timeline(cues: &[(i64, i64)]) -> Timeline {
        let cue = |(number, (start, length)): (usize, &(i64, i64))| {
            Arc::new(Cue {
                id: format!("1970-01-01/sang/muc/{number}").parse().unwrap(),
                session_title: None,
                title: String::new(),
                programme: None,
                topic: None,
                genre: None,
                start: Join::Hard,
                at: at(*start),
                end: at(start + length),
                fade: SignedDuration::ZERO,
                lost: SignedDuration::ZERO,
                late: Late::Join,
                form: Form::Own,
                layer: Layer::Scheduled,
                ordered_by: None,
                content: Content::Nothing(Absence::NoMusic),
                gain_db: 0.0,
            })
        };
        Timeline {
            output: "loa-xa".into(),
            window: Window { from: at(0), to: at(10_000) },
            time_zone: TimeZone::UTC,
            quiet: Vec::new(),
            blocks: vec![Block {
                id: "1970-01-01/sang/muc/0".parse::<CueId>().unwrap().block,
                title: String::new(),
                start: at(0),
                end: at(10_000),
                cues: cues.iter().enumerate().map(cue).collect(),
            }],
            findings: Vec::new(),
        }
    }

    fn missed(timeline: &Timeline, known: &BTreeSet<CueId>, up_to: i64) -> Vec<NotAired> {
        reconcile(timeline, known, at(up_to), Cause::NotRunning, ClockHealth::Unconfirmed)
    }

    #[test]
    fn a_gap_missed_what_was_over_and_leaves_what_is_in_progress() {
        let timeline = timeline(&[(0, 10), (10, 10), (20, 10)]);
        let missed = missed(&timeline, &BTreeSet::new(), 20);
        let pieces: Vec<_> = missed.iter().map(|missed| missed.cue.id.piece).collect();
        assert_eq!(pieces, [0, 1]);
        assert_eq!(missed[0].cause, Cause::NoMusic, "it would not have aired anyway");
    }

    #[test]
    fn what_may_still_air_whole_is_not_missed_yet() {
        let mut timeline = timeline(&[(0, 10)]);
        let cue = Arc::make_mut(&mut timeline.blocks[0].cues[0]);
        cue.late = Late::WholeWithin(SignedDuration::from_secs(60));
        assert_eq!(missed(&timeline, &BTreeSet::new(), 59), []);
        assert_eq!(missed(&timeline, &BTreeSet::new(), 60).len(), 1);
    }

    #[test]
    fn what_would_be_cut_before_its_late_start_is_missed_with_the_gaps_cause() {
        let mut timeline = timeline(&[(0, 10), (20, 10), (40, 10)]);
        let block = &mut timeline.blocks[0];
        block.end = at(50);
        for cue in &mut block.cues {
            let cue = Arc::make_mut(cue);
            cue.late = Late::WholeWithin(SignedDuration::from_secs(600));
            cue.content = Content::Segment(Arc::new(segment("a", "tin", 10)));
        }
        let missed = |up_to| {
            let missed = missed(&timeline, &BTreeSet::new(), up_to);
            missed.iter().map(|missed| (missed.cue.id.piece, missed.cause)).collect::<Vec<_>>()
        };
        let off = Cause::NotRunning;
        assert_eq!(missed(19), []);
        assert_eq!(missed(20), [(0, off)], "the next hard start");
        assert_eq!(missed(50), [(0, off), (1, off), (2, off)], "the block's end");
    }

    /// A take of ten seconds, opened a second before its time.
    fn open() -> OpenTake {
        OpenTake {
            cue: "1970-01-01/sang/muc/0".parse().unwrap(),
            output: "loa-xa".into(),
            take: 1,
            planned: at(100),
            expected: 480_000,
            sample_rate: 48_000,
            opened: at(99),
            heartbeat: None,
        }
    }

    #[test]
    fn a_power_cut_is_dated_by_the_last_heartbeat_after_the_start() {
        let said = |second: Option<i64>| {
            let heartbeat = second.map(|second| Heartbeat { at: at(second), sounding: None });
            let closed = recover(&[OpenTake { heartbeat, ..open() }], at(500)).remove(0);
            assert_eq!((closed.cause, closed.at, closed.take), (Some(Cause::PowerCut), at(500), 1));
            (closed.delivered, closed.started, closed.ended)
        };
        assert_eq!(said(Some(104)), (192_000, Some(at(100)), Some(at(104))));
        assert_eq!(
            said(Some(400)),
            (480_000, Some(at(100)), Some(at(110))),
            "no longer than it was to sound"
        );
        assert_eq!(said(Some(60)), (0, None, None), "a heartbeat of earlier");
        assert_eq!(said(None), (0, None, None));
    }

    #[test]
    fn a_take_that_began_late_and_whole_did_not_sound_before_it_was_opened() {
        let heartbeat = Some(Heartbeat { at: at(290), sounding: None });
        let late = OpenTake { expected: 4_800_000, opened: at(280), heartbeat, ..open() };
        let closed = recover(&[late], at(500)).remove(0);
        assert_eq!((closed.delivered, closed.started, closed.ended), (480_000, Some(at(280)), Some(at(290))));
    }

    #[test]
    fn what_a_heartbeat_told_of_a_take_is_what_a_power_cut_left_of_it() {
        let told = Sounding {
            cue: open().cue,
            take: 1,
            opened: at(99),
            started: at(102),
            delivered: 240_000,
            starved: 144_000,
            unpowered: true,
            held_by: Some(Cause::Starved),
        };
        let said = |sounding: Vec<Sounding>| {
            let heartbeat = Some(Heartbeat { at: at(111), sounding: Some(sounding) });
            let closed = recover(&[OpenTake { heartbeat, ..open() }], at(500)).remove(0);
            assert_eq!(closed.cause, Some(Cause::PowerCut));
            (
                (closed.started, closed.ended, closed.delivered),
                (closed.starved, closed.unpowered, closed.held_by),
            )
        };
        let nothing = ((None, None, 0), (0, false, None));
        assert_eq!(
            said(vec![told.clone()]),
            ((Some(at(102)), Some(at(110)), 240_000), (144_000, true, Some(Cause::Starved)))
        );
        assert_eq!(said(Vec::new()), nothing, "it had not begun");
        assert_eq!(said(vec![Sounding { delivered: 0, ..told.clone() }]), nothing, "no frame had left");
        assert_eq!(said(vec![Sounding { opened: at(98), ..told.clone() }]), nothing, "one of an earlier run");
        let old =
            serde_json::to_string(&Sounding { unpowered: false, held_by: None, ..told.clone() }).unwrap();
        assert!(!old.contains("held_by") && serde_json::from_str::<Sounding>(&old).is_ok());
    }

    proptest! {
        #[test]
        fn after_two_gaps_every_cue_that_is_over_has_one_fact(
            lengths in prop::collection::vec((0..50_i64, 0..30_i64), 0..20),
            known in any::<u32>(),
            (first, second) in (0..1_000_i64, 0..1_000_i64),
        ) {
            let mut start = 0;
            let cues: Vec<_> = lengths.into_iter().map(|(gap, length)| {
                start += gap;
                let cue = (start, length);
                start += length;
                cue
            }).collect();
            let timeline = timeline(&cues);
            let known: BTreeSet<_> =
                timeline.cues().filter(|cue| known >> cue.id.piece & 1 == 1).map(|cue| cue.id.clone()).collect();
            let mut facts: BTreeMap<CueId, usize> = known.iter().map(|cue| (cue.clone(), 1)).collect();
            let (first, second) = (first.min(second), first.max(second));
            for up_to in [first, second] {
                let so_far = facts.keys().cloned().collect();
                for missed in missed(&timeline, &so_far, up_to) {
                    *facts.entry(missed.cue.id.clone()).or_default() += 1;
                }
            }
            for cue in timeline.cues() {
                let expected = usize::from(known.contains(&cue.id) || cue.end <= at(second));
                prop_assert_eq!(facts.get(&cue.id).copied().unwrap_or(0), expected);
            }
        }
    }
}
