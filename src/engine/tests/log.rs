//! That the log says what was heard when, whatever the device and the clock of the wall did.

use super::*;

/// When a take's first and last frame left, in seconds.
fn told(take: &Closed) -> [f64; 2] {
    [take.started, take.ended].map(|at| since(at.unwrap()))
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
