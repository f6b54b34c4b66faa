//! What the log is told, and when.

use std::sync::mpsc::sync_channel;

use super::*;
use crate::engine::tests::{at, cue, segment};
use crate::timeline::Join;

#[test]
fn facts_wait_for_a_slow_log_and_never_the_other_way_round() {
    let (facts, log) = sync_channel(1);
    let mut ledger = Ledger::new("loa".into(), Some(facts));
    let cue = cue("a", Join::Hard, 100.0, &segment(10, 60.0));
    for _ in 0..5 {
        ledger.not_aired(Arc::clone(&cue), Cause::TooLate, ClockHealth::default(), at(0.0));
    }
    assert_eq!(ledger.unlogged(), 4);
    for left in (0..4).rev() {
        log.recv().unwrap();
        ledger.flush();
        assert_eq!(ledger.unlogged(), left);
    }
    drop(log);
    ledger.not_aired(cue, Cause::TooLate, ClockHealth::default(), at(0.0));
    ledger.flush_all();
    assert_eq!(ledger.unlogged(), 0);
}

/// Opens the take of a voice, held up by an emergency.
fn open(ledger: &mut Ledger, voice: VoiceId) {
    let cue = cue("a", Join::Hard, 0.0, &segment(10, 60.0));
    let begins = (SignedDuration::ZERO, Some(Cause::Emergency));
    ledger.open(voice, &cue, begins, "card".to_owned(), ClockHealth::default(), at(4.0));
}

#[test]
fn what_ends_a_piece_in_its_planned_fade_is_its_end() {
    use Cause::{CutByNext, OutputDown, PlannedCut, StoppedByOperator, Withdrawn};
    for (causes, lost, expected) in [
        (vec![PlannedCut], 0, PlannedCut),
        (vec![PlannedCut, CutByNext], 0, PlannedCut),
        (vec![PlannedCut, Withdrawn], 0, Withdrawn),
        (vec![PlannedCut, StoppedByOperator, Withdrawn], 0, StoppedByOperator),
        (vec![Withdrawn, PlannedCut], 0, Withdrawn),
        (vec![PlannedCut], 9, OutputDown),
        (vec![Withdrawn], 9, Withdrawn),
    ] {
        let mut ledger = Ledger::new("loa".into(), None);
        open(&mut ledger, VoiceId(1));
        ledger.started(VoiceId(1), ledger.mark(0, at(4.0), 0), None);
        causes.iter().for_each(|cause| ledger.cut(VoiceId(1), *cause));
        ledger.lose(0, lost);
        ledger.ended(VoiceId(1), ledger.mark(480_000, at(14.0), 480_000), (480_000, 0));
        ledger.settle(480_000, true, at(14.0));
        let closed = ledger.take_facts().find_map(|fact| match fact {
            Fact::Closed(closed) => closed.cause,
            _ => None,
        });
        assert_eq!(closed, Some(expected), "{causes:?}, {lost} frames lost");
    }
}

#[test]
fn what_held_a_piece_up_is_told_of_the_first_take_that_is_not_taken_back() {
    let mut ledger = Ledger::new("loa".into(), None);
    open(&mut ledger, VoiceId(1));
    ledger.take_back(VoiceId(1), at(4.0));
    open(&mut ledger, VoiceId(2));
    open(&mut ledger, VoiceId(3));
    let told: Vec<_> = ledger
        .take_facts()
        .filter_map(|fact| match fact {
            Fact::Opened { take, .. } => Some((take.take, take.held_by.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(0, true), (1, true), (2, false)]);
}

/// When two takes began and ended, in seconds, and how many frames of silence each had: a sounded from the frame 48,000 to
/// 96,000, b from 144,000 on, and there was a hole.
fn after_a_hole(hole: Hole) -> [(f64, Option<f64>, u64); 2] {
    let (facts, _log) = sync_channel(16);
    let mut ledger = Ledger::new("loa".into(), Some(facts));
    let (a, b) = (VoiceId(1), VoiceId(2));
    for (voice, slot) in [(a, "a"), (b, "b")] {
        let cue = cue(slot, Join::Hard, 0.0, &segment(10, 60.0));
        let begins = (SignedDuration::ZERO, None);
        ledger.open(voice, &cue, begins, "card".to_owned(), ClockHealth::default(), at(0.0));
    }
    ledger.started(a, ledger.mark(48_000, at(1.0), 48_000), None);
    ledger.ended(a, ledger.mark(96_000, at(2.0), 96_000), (48_000, 0));
    ledger.started(b, ledger.mark(144_000, at(3.0), 144_000), None);
    ledger.accepted(192_000);
    // What was thought to leave at 4 s does at 5 s.
    ledger.starve(48_000, hole, at(5.0));
    let second = |at: Timestamp| at.duration_since(self::at(0.0)).as_secs_f64();
    [a, b].map(|voice| {
        let take = &ledger.takes[&voice];
        (second(take.started.unwrap().at), take.end.map(|end| second(end.at)), take.starved)
    })
}

#[test]
fn a_hole_is_laid_to_what_sounded_on_both_sides_of_it_and_what_comes_after_it_left_later() {
    let cases = [
        (Hole::after(24_000), [(2.0, Some(3.0), 0), (4.0, None, 0)]),
        (Hole::after(48_000), [(2.0, Some(3.0), 0), (4.0, None, 0)]),
        (Hole::after(72_000), [(1.0, Some(3.0), 48_000), (4.0, None, 0)]),
        (Hole::after(96_000), [(1.0, Some(2.0), 0), (4.0, None, 0)]),
        (Hole::after(120_000), [(1.0, Some(2.0), 0), (4.0, None, 0)]),
        (Hole::after(150_000), [(1.0, Some(2.0), 0), (3.0, None, 48_000)]),
        // Where its place is not known to the frame, it is laid to who may have had it.
        (Hole { from: 90_000, to: 120_000 }, [(1.0, Some(2.0), 48_000), (4.0, None, 0)]),
        (Hole { from: 100_000, to: 120_000 }, [(1.0, Some(2.0), 0), (4.0, None, 0)]),
    ];
    for (hole, expected) in cases {
        assert_eq!(after_a_hole(hole), expected, "{hole:?}");
    }
}

#[test]
fn the_shortest_piece_does_not_end_before_it_began_either() {
    let mark = |seconds: f64, frame| Mark { frame, at: at(seconds), accepted: frame };
    // Half a second, and a clock that was set back a little more than that, or drifts.
    assert_eq!(end_of(mark(10.0, 0), mark(9.9, 24_000)), at(10.5));
    assert_eq!(end_of(mark(10.0, 0), mark(10.499, 24_000)), at(10.499));
}

#[test]
fn a_take_stays_open_while_its_device_stands_still_and_not_for_ever() {
    let mut ledger = Ledger::new("loa".into(), None);
    let (voice, cue) = (VoiceId(1), cue("a", Join::Hard, 0.0, &segment(10, 1.0)));
    let begins = (SignedDuration::ZERO, None);
    ledger.open(voice, &cue, begins, "card".to_owned(), ClockHealth::default(), at(0.0));
    ledger.started(voice, ledger.mark(0, at(0.0), 0), None);
    ledger.ended(voice, ledger.mark(48_000, at(1.0), 48_000), (48_000, 0));
    ledger.accepted(58_000);
    ledger.settle(40_000, true, at(4.0));
    assert!(ledger.has(voice), "it may have had a hole meanwhile");
    ledger.accepted(PATIENCE);
    ledger.settle(40_000, true, at(6.0));
    assert!(!ledger.has(voice));
}

/// How the take of a voice was closed that sounded from 4 s on for 10 s of 60, the last so many frames of them in vain, and
/// had a hole of a second.
fn closed_after(skip: SignedDuration, lost: u64, held_by: Option<Cause>) -> Closed {
    let mut ledger = Ledger::new("loa".into(), None);
    let (voice, cue) = (VoiceId(1), cue("a", Join::Hard, 0.0, &segment(10, 60.0)));
    ledger.open(voice, &cue, (skip, None), "card".to_owned(), ClockHealth::default(), at(3.0));
    ledger.started(voice, ledger.mark(0, at(4.0), 0), held_by);
    ledger.accepted(480_000);
    ledger.starve(48_000, Hole::after(96_000), at(15.0));
    ledger.cut(voice, Cause::OutputDown);
    ledger.ended(voice, ledger.mark(480_000, at(15.0), 0), (480_000, 0));
    ledger.lose(480_000 - lost, 480_000);
    ledger.settle(480_000, false, at(18.0));
    let closed = ledger.take_facts().find_map(|fact| match fact {
        Fact::Closed(closed) => Some(closed),
        _ => None,
    });
    closed.unwrap()
}

#[test]
fn what_was_lost_with_the_device_is_no_part_of_how_long_a_piece_sounded() {
    for (lost, ends, delivered) in [(0, 15.0, 480_000), (144_000, 12.0, 336_000)] {
        let closed = closed_after(SignedDuration::ZERO, lost, None);
        let said = (closed.started, closed.ended, closed.delivered, closed.starved);
        assert_eq!(said, (Some(at(4.0)), Some(at(ends)), delivered, 48_000));
    }
}

#[test]
fn a_piece_that_was_joined_tells_what_turned_out_when_it_began() {
    let [joined, whole] = [4, 0].map(SignedDuration::from_secs);
    let starved = Some(Cause::Starved);
    for (skip, held_by, told) in [(joined, starved, starved), (joined, None, None), (whole, starved, starved)]
    {
        assert_eq!(closed_after(skip, 0, held_by).held_by, told, "{skip}");
    }
}
