//! That the log says what was heard when, whatever the device and the clock of the wall did.

use super::*;

/// An emergency that sounds once, for 30 s.
fn alarm() -> Command {
    air::order("alarm", Layer::Emergency, &segment(50, 30.0), Repeats::ONCE)
}

/// When a take's first and last frame left, in seconds.
fn told(take: &Closed) -> [f64; 2] {
    [take.started, take.ended].map(|at| since(at.unwrap()))
}

#[test]
fn what_begins_before_the_device_knows_when_is_logged_as_heard() {
    for early in [0, 50, 1_300] {
        let mut station = Station::new(vec![cue("a", Join::Hard, 500.0, &segment(10, 60.0))]);
        station.run_until(100.0);
        for late in [&station.wakes_in, &station.tells_early] {
            *late.lock().unwrap() = Duration::from_millis(early);
        }
        station.tell(alarm());
        station.run_until(800.0);
        station.finish();
        station.check();
        let heard = station.heard(50).unwrap();
        let take = station.takes("alarm")[0];
        let [from, to] = told(take);
        assert_about(from, heard, 0.001);
        assert_about(to, heard + 30.0, 0.001);
        assert_eq!((take.delivered, take.starved, take.cause), (30 * 48_000, 0, None), "it had no hole");
        let held_by = (early > 1_000).then_some(Cause::Starved);
        assert_eq!(take.held_by, held_by, "{early} ms late");
        let [next, _] = told(station.takes("a")[0]);
        assert_about(next, station.heard(10).unwrap(), 0.001);
    }
}

#[test]
fn what_begins_with_the_program_is_logged_as_heard() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 0.1, &segment(10, 60.0))]);
    for late in [&station.wakes_in, &station.tells_early] {
        *late.lock().unwrap() = Duration::from_millis(1_300);
    }
    station.run_until(100.0);
    station.finish();
    station.check();
    let take = station.takes("a")[0];
    let heard = station.heard(10).unwrap();
    assert_about(heard, 1.4, 0.01);
    assert_about(told(take)[0], heard, 0.001);
    assert_about(told(take)[1], heard + 60.0, 0.001);
    assert_eq!((take.delivered, take.held_by), (60 * 48_000, Some(Cause::Starved)));
}

#[test]
fn what_a_hole_in_the_piece_before_holds_up_says_so() {
    // Long before the piece's end, and when what follows has its take already.
    for hole_at in [130.0, 159.0] {
        let piece = segment(10, 60.0);
        let cues = [(Join::Hard, "a", 100.0), (Join::Follow, "b", 160.0), (Join::Hard, "c", 300.0)];
        let mut station =
            Station::new(cues.map(|(start, slot, from)| cue(slot, start, from, &piece)).to_vec());
        station.run_until(hole_at);
        *station.stands_still.lock().unwrap() = Duration::from_millis(900);
        station.run_until(500.0);
        station.finish();
        station.check();
        let held_by = |slot: &str| {
            let opened = station.held_by(slot);
            opened[0].or(station.takes(slot)[0].held_by)
        };
        assert_about(told(station.takes("b")[0])[0], 160.9, 0.03);
        assert_eq!(["a", "b", "c"].map(held_by), [None, Some(Cause::Starved), None], "at {hole_at}");
    }
}

#[test]
fn after_a_hole_a_heartbeat_tells_how_far_a_piece_really_is() {
    // In the piece, and just before it.
    for (hole_at, late, starved) in [(130.0, 0.0, 0.9), (99.97, 0.9, 0.0)] {
        let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 60.0))]);
        station.run_until(hole_at);
        *station.stands_still.lock().unwrap() = Duration::from_millis(900);
        station.run_until(hole_at + 2.5);
        let beat = station.facts.iter().rev().find_map(|fact| match fact {
            Fact::Heartbeat { at, sounding, .. } => Some((since(*at), sounding.clone())),
            Fact::Opened { .. } | Fact::Closed(_) | Fact::TakenBack { .. } | Fact::NotAired(_) => None,
        });
        let (at, sounding) = beat.unwrap();
        let [told] = &sounding[..] else { panic!("{sounding:?}") };
        let seconds = |frames: u64| frames as f64 / 48_000.0;
        assert_about(since(told.started), 100.0 + late, 0.03);
        assert_about(seconds(told.starved), starved, 0.001);
        // Three chunks are in the device.
        assert_about(since(told.started) + seconds(told.delivered + told.starved), at, 0.1);
        assert!(at > hole_at + 1.8, "soon after the hole, not at {at}");
    }
}

#[test]
fn a_clock_that_is_set_back_has_no_piece_end_before_it_began() {
    for (by, ends) in [(-3_600.0, 160.0), (-30.0, 160.0), (30.0, 190.0)] {
        let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 60.0))]);
        station.run_until(130.0);
        station.clock.step_to(at(130.0 + by));
        station.run_until(by + 300.0);
        station.finish();
        let [from, to] = told(station.takes("a")[0]);
        assert_about(from, 100.0, 0.001);
        assert_about(to, ends, 0.05);
    }
}
