//! What people order, where the output or the clock fails them.

use super::*;

fn twice(soon: i64) -> Repeats {
    Repeats { at_most: Some(2), soon: secs(soon), close: 2, then: secs(soon) }
}

fn order(repeats: Repeats) -> Event {
    Event::Interrupt(Arc::new(super::super::Interrupt { repeats, ..interrupt("x", Layer::Emergency, 20) }))
}

#[test]
fn a_message_cuts_a_long_fade_as_short_as_any_sound() {
    let mut sim = from_start(600, [c("a", 0, 60).cut_by(30, 10), c("b", 60, 30)]);
    sim.run_to(s(52)).tell(Event::Interrupt(Arc::new(interrupt("x", Layer::Emergency, 20))));
    sim.run_to(s(700));
    assert_eq!(heard(&sim)[..3], ["a@0.0", "x@52.1", "-a@52.2 PlannedCut"]);
}

#[test]
fn what_is_withdrawn_in_its_fade_does_not_go_on_fading() {
    let mut sim = from_start(600, [c("a", 0, 60).cut_by(30, 10)]);
    sim.run_to(s(52)).tell(Event::Withdraw("a".into()));
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["a@0.0", "-a@52.1 PlannedCut"]);
}

#[test]
fn a_message_waits_for_its_loudspeaker_and_not_until_the_night() {
    for (back, expected) in [(500, &["x@500.0", "-x@520.0"][..]), (5_000, &["!x OutputDown"])] {
        let mut sim = from_start(60, []);
        sim.tell(Event::Output { up: false });
        sim.run_to(s(10)).tell(Event::Interrupt(Arc::new(interrupt("x", Layer::Emergency, 20))));
        sim.run_to(s(back)).tell(Event::Output { up: true });
        sim.run_to(s(6_000));
        assert_eq!(heard(&sim), expected);
    }
    // One that lost it in the middle waits as long from there, and its repeat from its own time.
    let mut sim = from_start(60, []);
    sim.run_to(s(0)).tell(order(twice(1_000))).run_to(s(10)).tell(Event::Output { up: false });
    sim.run_to(s(5_000)).tell(Event::Output { up: true });
    sim.run_to(s(6_000));
    assert_eq!(
        heard(&sim)[1..],
        ["-x@10.0 OutputDown", "!x OutputDown"],
        "the first has a take: {:?}",
        sim.log
    );
}

#[test]
fn what_is_repeated_ends_with_its_last_day_and_an_emergency_does_not() {
    let twelve_hours = secs(43_200);
    let repeats = Repeats { at_most: Some(4), soon: secs(0), close: 0, then: twelve_hours };
    for (layer, airings) in [(Layer::Live, 2), (Layer::Emergency, 4)] {
        let mut order = super::super::Interrupt { repeats, ..interrupt("x", layer, 20) };
        Arc::make_mut(&mut order.segment).words.valid_until = Some(jiff::civil::date(2026, 11, 23));
        let mut sim = from_start(60, []);
        sim.run_to(s(100)).tell(Event::Interrupt(Arc::new(order)));
        sim.run_to(s(30_000));
        assert!(sim.sequencer.view().interrupts().all(|one| one.next < Some(s(101) + twelve_hours)));
        sim.run_to(s(4 * 43_200));
        let began = heard(&sim).into_iter().filter(|line| line.starts_with('x')).count();
        assert_eq!(began, airings, "{layer:?}: {:?}", sim.log);
        assert_eq!(sim.sequencer.view().interrupts().count(), 0);
    }
}

#[test]
fn an_order_of_before_goes_on_from_its_next_airing_and_is_one_with_the_same_pressed_again() {
    let what =
        Arc::new(super::super::Interrupt { repeats: twice(100), ..interrupt("x", Layer::Emergency, 20) });
    let mut sim = from_start(60, []);
    let resumed = Resumed { what: Arc::clone(&what), since: s(-500), airing: 1, due: s(40) };
    sim.run_to(s(0))
        .tell(Event::Resume(resumed.clone()))
        .tell(Event::Interrupt(what))
        .tell(Event::Resume(resumed));
    sim.run_to(s(10));
    let shown: Vec<_> =
        sim.sequencer.view().interrupts().map(|one| (one.since, one.airing, one.next)).collect();
    assert_eq!(shown, [(s(-500), 1, Some(s(40)))]);
    sim.run_to(s(700));
    assert_eq!(heard(&sim), ["x@40.0", "-x@60.0"]);
    assert_eq!(sim.sequencer.view().interrupts().count(), 0);
}

#[test]
fn a_step_of_the_clock_keeps_the_distance_between_a_message_and_its_repeat() {
    for step in [400, -400] {
        let mut sim = Sim::new(s(0));
        sim.tell(load(&timeline(60, []))).tell(order(twice(300)));
        sim.run_to(s(10));
        sim.now = s(10 + i64::from(step));
        sim.run_to(s(2_000));
        let again = format!("x@{:.1}", f64::from(300 + step) + 0.1);
        assert_eq!(heard(&sim)[2], again, "{:?}", sim.log);
    }
}

#[test]
fn a_step_while_a_message_is_being_opened_gives_it_its_new_instant() {
    let mut sim = Sim::new(s(1_000));
    sim.tell(load(&timeline(60, []))).tell(Event::Interrupt(Arc::new(interrupt("x", Layer::Emergency, 20))));
    sim.opening = secs(2);
    sim.run_to(s(1_001));
    sim.now = s(600);
    sim.run_to(s(1_200));
    let planned = |action: &Action| {
        let Action::Start { cue, at } = action else { return None };
        Some(at.duration_since(cue.at))
    };
    let late = sim.actions.iter().find_map(planned).unwrap();
    assert!((secs(0)..secs(4)).contains(&late), "{late}");
}
