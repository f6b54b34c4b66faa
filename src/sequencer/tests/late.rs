//! What starts late, what is cut and by whom, and what no change cuts.

use super::*;
use crate::asrun::Cause;

#[test]
fn a_whole_late_cue_runs_into_its_successor_and_into_no_hard_start() {
    let whole = Late::WholeWithin(secs(60));
    let cues = [c("a", 0, 60).late(whole), c("b", 60, 30).follow(), c("d", 90, 30)];
    let mut sim = Sim::new(s(20));
    sim.tell(load(&timeline(600, cues)));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@20.1", "-a@80.1", "b+20.1@80.1", "-b@90.0", "d@90.0", "-d@120.0"]);

    let mut sim = Sim::new(s(20));
    sim.tell(load(&timeline(600, [c("a", 0, 60).late(whole), c("d", 60, 30)])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["!a NotRunning", "d@60.0", "-d@90.0"]);

    let mut sim = Sim::new(s(61));
    sim.tell(load(&timeline(600, [c("a", 0, 200).late(whole)])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["!a NotRunning"]);
}

#[test]
fn what_nobody_was_there_to_start_in_time_is_neither_late_nor_its_files_fault() {
    for late in [450, 5_000] {
        let mut sim = Sim::new(s(0) + SignedDuration::from_millis(late));
        sim.tell(load(&timeline(600, [c("a", 0, 30).late(Late::Skip)])));
        sim.run_to(s(700));
        assert_eq!(heard(&sim), ["!a NotRunning"], "{late} ms late");
    }
}

#[test]
fn what_nobody_was_there_to_start_in_time_was_not_taken_out_by_a_change_after_it() {
    let mut sim = Sim::new(s(0) + SignedDuration::from_millis(58_500));
    sim.tell(load(&timeline(600, [c("a", 0, 60), c("b", 60, 30).follow()])));
    sim.run_to(s(0) + SignedDuration::from_millis(58_800))
        .tell(load(&timeline(600, [c("b", 60, 30).follow()])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["!a NotRunning", "b@60.0", "-b@90.0"]);
}

#[test]
fn what_is_to_be_heard_whole_begins_only_where_there_is_time_for_it() {
    let whole = |at| c("a", at, 60).late(Late::WholeWithin(secs(120)));
    // The session ends 65 s after it was to begin.
    let mut sim = Sim::new(s(3));
    sim.tell(load(&timeline(65, [whole(0)])));
    sim.run_to(s(200));
    assert_eq!(heard(&sim), ["a@3.1", "-a@63.1"]);
    for end in [62, 200] {
        let mut sim = Sim::new(s(3));
        sim.tell(load(&timeline(end, [whole(0), c("b", 63, 30)])));
        sim.run_to(s(300));
        assert_eq!(heard(&sim)[0], "!a NotRunning", "to {end}");
    }
}

#[test]
fn what_is_on_air_is_not_cut_by_a_change_that_ends_its_session_sooner() {
    let mut sim = from_start(600, [c("a", 0, 60)]);
    sim.run_to(s(10)).tell(load(&timeline(30, [c("a", 0, 30).cut_by(30, 3)])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@60.0"]);
}

#[test]
fn a_hard_start_that_was_put_in_cuts_what_is_on_air_at_its_time() {
    for late in [Late::Join, Late::Skip, Late::WholeWithin(secs(120))] {
        let mut sim = from_start(600, [c("a", 0, 60)]);
        let changed = [c("a", 0, 30).cut_by(30, 3), c("d", 30, 20).late(late)];
        sim.run_to(s(10)).tell(load(&timeline(600, changed)));
        sim.run_to(s(700));
        let begins = heard(&sim).into_iter().find(|line| line.starts_with('d'));
        assert_eq!(begins.as_deref(), Some("d@30.0"), "{late:?}: {:?}", sim.log);
    }
}

#[test]
fn what_the_end_of_its_session_cuts_is_not_cut_by_a_start() {
    let mut sim = from_start(50, [c("a", 0, 60)]);
    sim.run_to(s(100));
    assert_eq!(heard(&sim), ["a@0.0", "-a@50.0 PlannedCut"]);
}

#[test]
fn what_is_ready_is_joined_at_once_where_a_device_that_stood_still_made_it_late() {
    let late_by = |milliseconds| {
        let mut sim = from_start(600, [c("a", 100, 60)]);
        sim.run_to(s(99));
        sim.now = s(100) + SignedDuration::from_millis(milliseconds);
        sim.run_to(s(600));
        heard(&sim)
    };
    assert_eq!(late_by(400), ["a@100.4", "-a@160.4"]);
    assert_eq!(late_by(1_500), ["a+1.5@101.5", "-a@160.1"]);
    // No more of it is decoded: it is opened again.
    assert_eq!(late_by(2_500), ["a+4.0@104.0", "-a@160.0"]);
}

#[test]
fn what_held_up_a_piece_holds_up_those_that_follow_under_a_new_timeline_too() {
    for (late, held_by) in [(3, Some(Cause::Starved)), (0, None)] {
        let cues = |last| [c("a", 10, 60), c("b", 70 - late, 60).follow(), c("d", 130 - late, last).follow()];
        let mut sim = from_start(600, cues(30));
        sim.run_to(s(15)).sequencer.had_a_hole(&cue_id("a"));
        // The piece that had the hole is over by then. Where the next one began in time, it holds up nobody.
        sim.run_to(s(90)).tell(load(&timeline(600, cues(40))));
        sim.run_to(s(120));
        assert_eq!(sim.sequencer.held_up_by(&cue_id("d")), held_by);
    }
}

#[test]
fn nothing_comes_before_its_time_after_a_stall_that_cost_the_piece_before() {
    // Opened for an instant that it could make, after the end of the piece on air.
    for (length, of_b) in [(20, &["b+4.3@64.3", "-b@80.0"][..]), (4, &["!b Starved"])] {
        let (b, d) = (c("b", 60, length).follow(), c("d", 60 + length, 20).follow());
        let mut sim = from_start(600, [c("a", 0, 60), b, d]);
        sim.run_to(ms(59_400));
        sim.now += SignedDuration::from_millis(3_400);
        sim.sequencer.had_a_hole(&cue_id("a"));
        sim.run_to(s(700));
        let d = [format!("d@{}.0", 60 + length), format!("-d@{}.0", 80 + length)];
        let expected: Vec<_> = of_b.iter().copied().chain(d.iter().map(String::as_str)).collect();
        let mut heard = heard(&sim);
        heard.retain(|line| !line.trim_start_matches('-').starts_with('a'));
        assert_eq!(heard, expected);
    }
}
