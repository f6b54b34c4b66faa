//! The rules, each by its name.

mod late;
mod orders;

use std::sync::Arc;

use jiff::SignedDuration;

use super::sim::{C, CHUNK, Line, Sim, c, cue_id, interrupt, load, ms, s, secs, segment, timeline};
use super::{Action, Event, Repeats, Resumed, Settings};
use crate::schedule::Late;
use crate::timeline::{Absence, Layer};

/// What was heard and what was not, one word each.
fn heard(sim: &Sim) -> Vec<String> {
    let lines = sim.log.iter().filter(|line| !matches!(line, Line::Amplifier { .. }));
    lines.map(Line::to_string).collect()
}

fn from_start(end: i64, cues: impl IntoIterator<Item = C>) -> Sim {
    let mut sim = Sim::new(s(-100));
    sim.tell(load(&timeline(end, cues)));
    sim
}

#[test]
fn a_hard_start_is_on_time_and_a_follow_has_no_gap() {
    let mut sim = from_start(600, [c("a", 0, 60), c("b", 60, 30).follow(), c("d", 120, 10)]);
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@60.0", "b@60.0", "-b@90.0", "d@120.0", "-d@130.0"]);
    assert!(sim.actions.iter().any(|action| matches!(action, Action::Chain { .. })));
    assert_eq!(sim.log.len(), 10, "with the amplifier on and off twice: {:?}", sim.log);
}

#[test]
fn a_short_cue_is_not_passed_over_by_what_follows_it() {
    let mut sim = from_start(600, [c("a", 0, 60), c("gong", 60, 1), c("b", 61, 30).follow()]);
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@60.0", "gong@60.0", "-gong@61.0", "b@61.0", "-b@91.0"]);
}

#[test]
fn a_planned_cut_is_silent_at_its_end() {
    let mut sim = from_start(600, [c("a", 0, 60).cut_by(30, 2), c("b", 60, 30)]);
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@60.0 PlannedCut", "b@60.0", "-b@90.0"]);
}

#[test]
fn what_follows_a_short_planned_cut_is_heard_from_its_beginning() {
    let mut sim = from_start(600, [c("a", 0, 10).cut_by(7, 1), c("b", 14, 30).follow()]);
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@10.0 PlannedCut", "b@14.0", "-b@44.0"]);
}

#[test]
fn a_join_goes_in_where_it_would_be_by_the_clock() {
    let mut sim = Sim::new(s(30));
    sim.tell(load(&timeline(600, [c("a", 0, 60), c("b", 60, 30).follow()])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a+31.5@31.5", "-a@60.0", "b@60.0", "-b@90.0"]);
}

#[test]
fn a_join_waits_for_a_cold_amplifier() {
    let mut sim = Sim::with(s(30), Settings { lead: secs(20), tail: secs(5), ..Settings::default() });
    sim.tell(load(&timeline(600, [c("a", 0, 60), c("b", 60, 30).follow()])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a+50.0@50.0", "-a@60.0", "b@60.0", "-b@90.0"]);
}

#[test]
fn what_airs_whole_although_late_waits_for_a_cold_amplifier_too() {
    let cold = || Sim::with(s(30), Settings { lead: secs(20), tail: secs(5), ..Settings::default() });
    let whole = |within| c("a", 0, 60).late(Late::WholeWithin(secs(within)));
    let mut sim = cold();
    sim.tell(load(&timeline(600, [whole(100)])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@50.0", "-a@110.0"]);

    // Warm only after its last moment.
    let mut sim = cold();
    sim.tell(load(&timeline(600, [whole(40)])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["!a TooLate"]);
}

#[test]
fn what_ended_before_the_first_load_is_the_stores_to_log() {
    let mut sim = Sim::new(s(95));
    sim.tell(load(&timeline(600, [c("a", 0, 60), c("b", 60, 40).late(Late::Skip), c("d", 100, 10)])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["!b NotRunning", "d@100.0", "-d@110.0"]);
}

#[test]
fn what_ended_between_the_stores_last_look_and_the_first_load_is_logged_here() {
    let mut sim = Sim::with(s(95), Settings { since: Some(s(50)), ..Settings::default() });
    sim.tell(load(&timeline(600, [c("a", 0, 40), c("b", 40, 40), c("d", 100, 10)])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["!b NotRunning", "d@100.0", "-d@110.0"]);
}

#[test]
fn a_short_piece_that_a_power_cut_took_whole_airs_while_its_late_window_is_open() {
    let whole = Late::WholeWithin(secs(100));
    let cues = || [c("a", 0, 30).late(whole), c("b", 30, 30).follow().late(Late::Skip), c("d", 300, 30)];
    let mut sim = Sim::with(s(80), Settings { since: Some(s(80)), ..Settings::default() });
    sim.tell(load(&timeline(600, cues())));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@80.1", "-a@110.1", "d@300.0", "-d@330.0"]);

    // The store has given it up, and b: neither is logged a second time.
    let mut sim = Sim::with(s(101), Settings { since: Some(s(101)), ..Settings::default() });
    sim.tell(load(&timeline(600, cues())));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["d@300.0", "-d@330.0"]);
}

#[test]
fn what_is_settled_while_it_stands_open_is_let_go() {
    let plan = timeline(600, [c("a", 0, 60), c("b", 60, 30)]);
    let mut sim = Sim::new(s(-100));
    sim.load(&plan);
    sim.run_to(s(-10));
    sim.tell(Event::Load { timeline: plan, settled: Arc::new([cue_id("a")].into()) });
    sim.run_to(s(200));
    assert_eq!(heard(&sim), ["b@60.0", "-b@90.0"]);
    assert!(sim.actions.contains(&Action::Discard { cue: cue_id("a") }));
}

#[test]
fn settled_cues_are_left_alone() {
    let plan = timeline(600, [c("a", 0, 60), c("b", 60, 30).follow()]);
    let mut sim = Sim::new(s(10));
    sim.tell(Event::Load { timeline: plan, settled: Arc::new([cue_id("a")].into()) });
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["b@60.0", "-b@90.0"]);
}

#[test]
fn a_cue_that_waits_for_those_before_it_has_no_take() {
    let whole = Late::WholeWithin(secs(300));
    let cues = [c("a", 0, 60), c("b", 60, 5).follow(), c("d", 65, 5).follow()].map(|cue| cue.late(whole));
    let mut sim = from_start(600, cues);
    sim.run_to(s(-10)).tell(Event::Interrupt(Arc::new(interrupt("x", Layer::Emergency, 20))));
    sim.run_to(s(700));
    assert_eq!(heard(&sim)[2..], ["a@10.1", "-a@70.1", "b@70.1", "-b@75.1", "d@75.1", "-d@80.1"]);
    assert_eq!(sim.record.taken_back, []);
}

#[test]
fn an_absent_cue_is_logged_at_its_instant_and_the_rest_keep_their_times() {
    let cues = [c("a", 0, 60), c("x", 60, 0).absent(Absence::NoMusic).follow(), c("b", 60, 30).follow()];
    let mut sim = from_start(600, cues);
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@60.0", "b@60.0", "!x NoMusic", "-b@90.0"]);
}

#[test]
fn after_one_that_failed_the_next_keeps_its_own_time() {
    let mut sim = from_start(600, [c("a", 0, 60), c("b", 60, 30).follow(), c("d", 90, 30).follow()]);
    sim.fails.insert(cue_id("b"));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@60.0", "!b FileBroken", "d@90.0", "-d@120.0"]);
}

#[test]
fn what_cannot_be_opened_ahead_of_its_time_is_tried_again_until_then() {
    let cues = [c("a", 0, 60), c("b", 60, 30).follow(), c("d", 90, 30).follow()];
    let mut sim = from_start(600, cues);
    sim.fails.insert(cue_id("b"));
    sim.run_to(s(50));
    assert_eq!(heard(&sim), ["a@0.0"]);
    sim.fails.clear();
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@60.0", "b@60.0", "-b@90.0", "d@90.0", "-d@120.0"]);
}

#[test]
fn a_slow_opening_joins_further_in() {
    let mut sim = Sim::new(s(-1));
    sim.opening = secs(5);
    sim.tell(load(&timeline(600, [c("a", 0, 60)])));
    sim.run_to(s(700));
    let heard = heard(&sim);
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard[0].starts_with("a+") && heard[1] == "-a@60.0", "{heard:?}");
}

#[test]
fn an_interrupt_takes_the_air_at_once_and_the_schedule_joins() {
    let mut sim = from_start(600, [c("a", 0, 60), c("b", 60, 30).follow()]);
    sim.opening = SignedDuration::from_millis(10);
    sim.run_to(s(10)).tell(Event::Interrupt(Arc::new(interrupt("x", Layer::Live, 20))));
    sim.run_to(s(700));
    assert_eq!(
        heard(&sim),
        ["a@0.0", "x@10.1", "-a@10.1 Live", "-x@30.1", "a+30.1@30.1", "-a@60.0", "b@60.0", "-b@90.0"]
    );
}

#[test]
fn what_was_missed_meanwhile_says_why() {
    let cues = [c("a", 0, 30).late(Late::Skip), c("b", 30, 10).follow(), c("d", 40, 60).follow()];
    let mut sim = from_start(600, cues);
    sim.run_to(s(10)).tell(Event::Interrupt(Arc::new(interrupt("x", Layer::Emergency, 40))));
    sim.run_to(s(700));
    let heard = heard(&sim);
    assert!(heard.contains(&"!b Emergency".to_owned()), "{heard:?}");
    assert_eq!(heard.iter().filter(|line| line.contains('a')).count(), 2, "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("-d@100.0"));
}

#[test]
fn a_live_waits_for_an_emergency_and_an_emergency_for_nobody() {
    let mut sim = from_start(600, []);
    sim.run_to(s(10)).tell(Event::Interrupt(Arc::new(interrupt("low", Layer::Live, 20))));
    sim.run_to(s(15)).tell(Event::Interrupt(Arc::new(interrupt("high", Layer::Emergency, 20))));
    sim.run_to(s(20)).tell(Event::Interrupt(Arc::new(interrupt("next", Layer::Live, 20))));
    sim.run_to(s(700));
    assert_eq!(
        heard(&sim),
        ["low@10.1", "high@15.1", "-low@15.2 Emergency", "-high@35.1", "next@35.1", "-next@55.1"]
    );
}

#[test]
fn an_emergency_repeats_and_the_schedule_goes_on_between() {
    let mut sim = from_start(600, [c("a", 0, 300)]);
    let repeats = Repeats { at_most: Some(3), soon: secs(50), close: 1, then: secs(100) };
    sim.run_to(s(10)).tell(Event::Interrupt(Arc::new(super::Interrupt {
        repeats,
        ..interrupt("x", Layer::Emergency, 20)
    })));
    sim.run_to(s(700));
    let began: Vec<_> = heard(&sim).into_iter().filter(|line| line.starts_with(['a', 'x'])).collect();
    assert_eq!(
        began,
        ["a@0.0", "x@10.1", "a+30.1@30.1", "x@60.1", "a+80.1@80.1", "x@160.1", "a+180.1@180.1"]
    );
}

#[test]
fn an_emergency_that_cannot_be_opened_once_is_tried_again_at_its_next_time() {
    let mut sim = from_start(600, []);
    let repeats = Repeats { at_most: Some(3), soon: secs(50), close: 2, then: secs(100) };
    let order = super::Interrupt { repeats, ..interrupt("x", Layer::Emergency, 20) };
    sim.run_to(s(10)).tell(Event::Interrupt(Arc::new(order)));
    sim.run_to(s(15));
    let mut second = sim.sequencer.view().on_air.unwrap().id.clone();
    second.piece = 1;
    sim.fails.insert(second);
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["x@10.1", "-x@30.1", "!x FileBroken", "x@110.1", "-x@130.1"]);
}

#[test]
fn an_emergency_without_an_end_repeats_until_it_is_called_off_and_a_second_press_orders_nothing() {
    let mut sim = from_start(600, []);
    let repeats = Repeats { at_most: None, soon: secs(50), close: 2, then: secs(100) };
    let order = Arc::new(super::Interrupt { repeats, ..interrupt("x", Layer::Emergency, 20) });
    sim.run_to(s(10)).tell(Event::Interrupt(Arc::clone(&order)));
    sim.run_to(s(15)).tell(Event::Interrupt(Arc::clone(&order)));
    sim.run_to(s(20));
    let shown = |sim: &Sim| {
        let all: Vec<_> = sim.sequencer.view().interrupts().map(|one| (one.airing, one.on_air)).collect();
        all
    };
    assert_eq!(shown(&sim), [(0, true)]);
    sim.run_to(s(500));
    assert_eq!(shown(&sim), [(6, false)]);
    sim.tell(Event::CallOff("x".into())).tell(Event::Interrupt(order));
    sim.run_to(s(5_000));
    assert_eq!(shown(&sim), []);
    let began: Vec<_> = heard(&sim).into_iter().filter(|line| line.starts_with('x')).collect();
    assert_eq!(began, ["x@10.1", "x@60.1", "x@110.1", "x@210.1", "x@310.1", "x@410.1"]);
}

#[test]
fn what_starts_while_the_output_wakes_ends_that_much_later_and_the_schedule_joins_there() {
    let mut sim = Sim::new(s(-1_000));
    (sim.waking, sim.opening) = (secs(2), SignedDuration::ZERO);
    sim.tell(load(&timeline(600, [c("a", 0, 60)])));
    sim.run_to(s(-100)).tell(Event::Interrupt(Arc::new(interrupt("x", Layer::Emergency, 120))));
    sim.run_to(s(-50));
    assert_eq!(sim.sequencer.view().until, Some(ms(22_000)));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["x@-98.0", "-x@22.0", "a+22.0@22.0", "-a@60.0"]);
}

#[test]
fn calling_off_gives_the_air_back() {
    let mut sim = from_start(600, [c("a", 0, 60)]);
    sim.run_to(s(10)).tell(Event::Interrupt(Arc::new(interrupt("x", Layer::Live, 200))));
    sim.run_to(s(20)).tell(Event::CallOff("x".into()));
    sim.run_to(s(700));
    let heard = heard(&sim);
    assert_eq!(heard[3..], ["-x@20.1 StoppedByOperator", "a+21.5@21.5", "-a@60.0"], "{heard:?}");
}

#[test]
fn an_interrupt_called_off_near_its_end_gives_the_air_back_as_soon_as_one_far_from_it() {
    // The schedule stands open for the interrupt's planned end by then.
    for called_off in [20, 115] {
        let mut sim = from_start(600, [c("a", 0, 600)]);
        sim.run_to(s(10));
        sim.tell(Event::Interrupt(interrupt("gap", Layer::Emergency, 120).into()));
        sim.run_to(s(called_off.into()));
        sim.tell(Event::CallOff("gap".into()));
        sim.run_to(s(700));
        let back = format!("a+{0:.1}@{0:.1}", f64::from(called_off) + 1.5);
        assert_eq!(heard(&sim)[4], back, "{:?}", heard(&sim));
    }
}

#[test]
fn quiet_hours_stand_under_everything_but_an_emergency() {
    let quiet = (14 * 60 + 30) * 60;
    let mut sim = Sim::new(s(quiet - 100));
    sim.tell(load(&timeline(quiet + 900, [c("a", quiet - 30, 60), c("b", quiet + 60, 30)])));
    sim.run_to(s(quiet + 30)).tell(Event::Interrupt(Arc::new(interrupt("x", Layer::Live, 20))));
    sim.run_to(s(quiet + 100)).tell(Event::Interrupt(Arc::new(interrupt("y", Layer::Emergency, 20))));
    sim.run_to(s(quiet + 700));
    assert_eq!(
        heard(&sim),
        [
            "a@52170.0",
            "-a@52200.0 AgainstTheRules",
            "!x AgainstTheRules",
            "!b AgainstTheRules",
            "y@52300.1",
            "-y@52320.1"
        ]
    );
}

#[test]
fn before_the_first_load_only_an_emergency_sounds() {
    let mut sim = Sim::new(s(0));
    sim.tell(Event::Interrupt(Arc::new(interrupt("x", Layer::Live, 20))));
    sim.tell(Event::Interrupt(Arc::new(interrupt("y", Layer::Emergency, 20))));
    sim.run_to(s(100));
    assert_eq!(heard(&sim), ["!x AgainstTheRules", "y@0.1", "-y@20.1"]);
}

#[test]
fn a_withdrawn_segment_is_off_the_air_at_once_and_never_comes_back() {
    let mut sim = from_start(600, [c("a", 0, 60), c("b", 60, 30).follow().plays("a"), c("d", 90, 10)]);
    sim.run_to(s(50)).tell(Event::Withdraw("a".into()));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@50.1 Withdrawn", "!b Withdrawn", "d@90.0", "-d@100.0"]);
}

#[test]
fn a_withdrawn_segment_does_not_come_back_as_an_interrupt() {
    let mut sim = from_start(600, []);
    sim.tell(Event::Withdraw("x".into()));
    sim.tell(Event::Interrupt(Arc::new(interrupt("x", Layer::Emergency, 20))));
    sim.run_to(s(100));
    assert_eq!(heard(&sim), ["!x Withdrawn"]);
}

#[test]
fn a_lost_output_says_so_and_joins_when_it_is_back() {
    let mut sim = from_start(600, [c("a", 0, 60), c("b", 60, 10).late(Late::Skip), c("d", 70, 60)]);
    sim.run_to(s(50)).tell(Event::Output { up: false });
    sim.run_to(s(80)).tell(Event::Output { up: true });
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@50.0 OutputDown", "!b OutputDown", "d+11.5@81.5", "-d@130.0"]);
}

#[test]
fn nothing_scheduled_starts_by_a_clock_that_is_not_trusted() {
    let cues = [c("a", 0, 60), c("b", 60, 10).follow().late(Late::Skip), c("d", 70, 60)];
    let mut sim = from_start(600, cues);
    sim.run_to(s(50)).tell(Event::Clock { trusted: false });
    sim.run_to(s(80)).tell(Event::Clock { trusted: true });
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@60.0", "!b ClockNotTrusted", "d+11.5@81.5", "-d@130.0"]);
}

#[test]
fn what_came_and_went_while_the_clock_was_wrong_is_missed_for_that() {
    let mut sim = Sim::new(s(-50));
    sim.tell(Event::Clock { trusted: false }).tell(load(&timeline(600, [c("z", 400, 10)])));
    sim.run_to(s(11)).tell(Event::Clock { trusted: true }).tell(Event::ClockRight { at: s(11) });
    sim.tell(load(&timeline(600, [c("a", 0, 40).late(Late::Skip), c("z", 400, 10)])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["!a ClockNotTrusted", "z@400.0", "-z@410.0"]);
}

#[test]
fn a_reload_leaves_the_cue_on_air_alone_and_prepares_what_changed_anew() {
    let mut sim = from_start(600, [c("a", 0, 60), c("b", 60, 30).follow()]);
    sim.run_to(s(50)).tell(load(&timeline(600, [c("a", 0, 60), c("b", 60, 30).follow().plays("other")])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@60.0", "b@60.0", "-b@90.0"]);
    let other = segment("other", secs(30));
    let chains = |action: &Action| matches!(action, Action::Chain { cue } if cue.segment() == Some(&other));
    assert!(sim.actions.iter().any(chains), "{:?}", sim.actions);
}

#[test]
fn a_reload_never_touches_what_is_on_air() {
    let b = || c("b", 60, 30).follow();
    let changes = [
        (vec![c("a", 0, 60).plays("other"), b()], None),
        (vec![b()], None),
        (vec![c("new", 0, 60), b()], Some("!new TooLate")),
    ];
    for (new, missed) in changes {
        let mut sim = from_start(600, [c("a", 0, 60), b()]);
        sim.run_to(s(50)).tell(load(&timeline(600, new)));
        sim.run_to(s(700));
        let expected: Vec<_> = [Some("a@0.0"), missed, Some("-a@60.0"), Some("b@60.0"), Some("-b@90.0")]
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(heard(&sim), expected);
    }
}

#[test]
fn the_operator_stops_one_cue_and_the_next_comes_at_its_time() {
    let mut sim = from_start(600, [c("a", 0, 60), c("b", 60, 30).follow()]);
    sim.run_to(s(50)).tell(Event::StopCue(None));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@50.1 StoppedByOperator", "b@60.0", "-b@90.0"]);
}

#[test]
fn a_stop_that_was_meant_for_another_cue_stops_nothing() {
    let mut sim = from_start(600, [c("a", 0, 60), c("b", 60, 30).follow()]);
    sim.run_to(s(50));
    let a = sim.sequencer.view().on_air.unwrap().id.clone();
    sim.tell(Event::StopCue(Some(a.clone())));
    sim.run_to(s(70)).tell(Event::StopCue(Some(a)));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@50.1 StoppedByOperator", "b@60.0", "-b@90.0"]);
}

#[test]
fn what_follows_a_file_that_breaks_off_waits_for_its_time_or_for_a_plan_that_has_it_sooner() {
    let cues = |then| [c("a", 0, 60), c("b", then, 30).follow(), c("d", 120, 10)];
    let mut sim = from_start(600, cues(60));
    // Its file stands open, chained to the end.
    sim.run_to(s(45));
    assert!(sim.actions.iter().any(|action| matches!(action, Action::Chain { .. })));
    sim.tell(Event::BrokeOff(cue_id("a")));
    sim.run_to(s(46)).load(&timeline(600, cues(50)));
    sim.run_to(s(700));
    assert_eq!(
        heard(&sim),
        ["a@0.0", "-a@45.0 FileBroken", "b@50.0", "-b@80.0", "d@120.0", "-d@130.0"],
        "it is over, and not joined again"
    );

    let mut sim = from_start(600, cues(60));
    sim.run_to(s(45)).tell(Event::BrokeOff(cue_id("a")));
    sim.run_to(s(700));
    assert_eq!(heard(&sim)[1..4], ["-a@45.0 FileBroken", "b@60.0", "-b@90.0"], "nobody plans anew");
}

#[test]
fn a_file_that_breaks_off_near_its_end_and_word_of_another_change_nothing() {
    let whole = ["a@0.0", "-a@60.0", "b@60.0", "-b@90.0"];
    for (at, broken) in [(51, "a"), (45, "b"), (70, "a")] {
        let mut sim = from_start(600, [c("a", 0, 60), c("b", 60, 30).follow()]);
        sim.run_to(s(at)).tell(Event::BrokeOff(cue_id(broken)));
        sim.run_to(s(700));
        assert_eq!(heard(&sim), whole);
    }
}

#[test]
fn a_clock_that_jumps_forward_gives_each_its_late_rule() {
    let mut sim = from_start(900, [c("a", 0, 60), c("b", 60, 30), c("d", 100, 200)]);
    sim.run_to(s(30));
    sim.now = s(150);
    sim.run_to(s(900));
    assert_eq!(heard(&sim), ["a@0.0", "!b TooLate", "-a@150.1 CutByNext", "d+51.5@151.5", "-d@300.0"]);
}

#[test]
fn a_clock_that_jumps_back_airs_nothing_twice() {
    let mut sim = from_start(900, [c("a", 0, 60), c("b", 60, 30).follow(), c("d", 100, 100)]);
    sim.run_to(s(70));
    sim.now = s(5);
    sim.run_to(s(900));
    assert_eq!(heard(&sim), ["a@0.0", "-a@60.0", "b@60.0", "-b@25.0", "d@100.0", "-d@200.0"]);
}

#[test]
fn the_amplifier_leads_and_trails_and_stays_on_in_short_gaps() {
    let mut sim = Sim::with(s(-100), Settings { lead: secs(20), tail: secs(10), ..Settings::default() });
    sim.tell(load(&timeline(900, [c("a", 0, 60), c("b", 85, 15), c("d", 300, 10)])));
    sim.run_to(s(900));
    let amplifier: Vec<_> = sim
        .log
        .iter()
        .filter_map(|line| match line {
            Line::Amplifier { on, at } => Some((*on, at.duration_since(s(0)).as_secs())),
            Line::Began { .. } | Line::Over { .. } | Line::NotAired { .. } => None,
        })
        .collect();
    assert_eq!(amplifier, [(true, -20), (false, 110), (true, 280), (false, 320)]);
}

#[test]
fn a_shutdown_closes_everything() {
    let mut sim = from_start(600, [c("a", 0, 60), c("b", 60, 30).follow()]);
    sim.run_to(s(50)).tell(Event::Shutdown);
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@50.1 ProgramStopped"]);
    assert_eq!(sim.log.len(), 3, "the amplifier is on until the fade was heard: {:?}", sim.log);
}

#[test]
fn a_step_without_a_change_does_nothing_and_allocates_nothing() {
    let mut sim = from_start(600, [c("a", 0, 60)]);
    sim.run_to(s(20));
    let mut out = Vec::new();
    let mut now = sim.now;
    let used = allocation_counter::measure(|| {
        for _ in 0..500 {
            sim.sequencer.step(now, now + CHUNK, &[], &mut out);
            now += CHUNK;
        }
    });
    assert!(out.is_empty(), "{out:?}");
    assert_eq!(used.count_total, 0);
    assert!(ms(0) < now);
}

#[test]
fn a_session_begins_with_the_frame_that_ends_the_quiet_hours() {
    let mut sim = Sim::new(ms(-99_987));
    sim.tell(load(&timeline(600, [c("a", 0, 60).late(Late::Skip)])));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@60.0"]);
}

#[test]
fn two_of_the_same_layer_sound_one_after_the_other() {
    let mut sim = from_start(600, []);
    sim.run_to(s(10)).tell(Event::Interrupt(Arc::new(interrupt("x", Layer::Emergency, 20))));
    sim.run_to(s(15)).tell(Event::Interrupt(Arc::new(interrupt("y", Layer::Emergency, 20))));
    sim.run_to(s(700));
    let heard = heard(&sim);
    assert_eq!(heard.len(), 4, "{heard:?}");
    assert!(
        heard.iter().zip(["x@", "-x@30", "y@30", "-y@50"]).all(|(line, is)| line.starts_with(is)),
        "{heard:?}"
    );
}

#[test]
fn the_end_of_the_program_says_of_every_interrupt_that_is_due_what_became_of_it() {
    let mut sim = from_start(600, [c("a", 0, 60)]);
    sim.run_to(s(10));
    let take = |id, layer| Event::Interrupt(Arc::new(interrupt(id, layer, 30)));
    sim.tell(take("alarm", Layer::Emergency)).tell(take("waits", Layer::Live));
    sim.run_to(s(12)).tell(take("new", Layer::Live)).tell(Event::Shutdown);
    sim.run_to(s(100));
    let alarm = ["!waits ProgramStopped", "!new ProgramStopped", "-alarm@12.1 ProgramStopped"];
    assert_eq!(heard(&sim)[3..], alarm, "{:?}", sim.log);
}
