//! That the log says what was heard when, whatever the device and the clock of the wall did.

use super::*;

/// When a take's first and last frame left, in seconds.
fn told(take: &Closed) -> [f64; 2] {
    [take.started, take.ended].map(|at| since(at.unwrap()))
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
