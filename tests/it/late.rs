//! The late rules, after the program was not there when it should have been.

use loa::asrun::{Cause, Outcome};

use crate::station::{at, ms, seconds};
use crate::week::station;

#[test]
fn a_start_in_the_middle_of_a_session_goes_by_each_slots_rule() {
    let mut station = station("05:30:20");
    station.boot().unwrap();
    station.run_until(at(23, "05:35:00"));
    // `skip`: over, and a first start knows of nothing before it.
    let morning = station.heard(at(23, "05:30:00"), at(23, "05:33:00"));
    assert!(morning.iter().all(|(name, ..)| name != "hieu"), "{morning:?}");
    // `whole-within 30 s`: from its beginning, as soon as the amplifier is warm.
    let (name, from, _) = &morning[0];
    assert_eq!(name, "ban-tin");
    let late = from.duration_since(at(23, "05:30:10"));
    assert!(seconds(10) < late && late < seconds(18), "{late:?}");
    let airing = station.airing("2026-11-23/sang/ban-tin/0");
    assert_eq!(airing.outcome(), Outcome::Aired);
    station.assert_sounds("ban-tin", airing.started().unwrap(), 0, station.made("ban-tin").frames);
    // The hard start at the end is where it was.
    let chao = station.airing("2026-11-23/sang/chao/0");
    // A start that cuts what the plan did not foresee there comes with the next chunk of the loop.
    assert!(chao.lateness().unwrap().abs() <= ms(22), "{chao:#?}");
    assert_eq!(chao.outcome(), Outcome::Aired);
}

#[test]
fn whole_within_gives_up_after_its_time() {
    let mut station = station("04:00:00");
    station.boot().unwrap();
    station.run_until(at(23, "04:10:00"));
    station.cut_power();
    station.boot_at(at(23, "05:30:41"));
    station.run_until(at(23, "05:35:00"));
    assert_eq!(station.outcome("2026-11-23/sang/hieu/0"), Outcome::NotAired(Cause::NotRunning));
    assert!(matches!(station.outcome("2026-11-23/sang/ban-tin/0"), Outcome::NotAired(_)));
    let morning = station.heard_names(at(23, "05:30:00"), at(23, "05:33:00"));
    assert!(!morning.contains(&"ban-tin".to_owned()), "{morning:?}");
    assert_eq!(morning.last().unwrap(), "chao");
}

#[test]
fn join_begins_where_the_clock_says_it_should_be() {
    let mut station = station("17:00:00");
    station.clock.step_to(at(23, "17:00:15"));
    // It airs from 17:00:10 to 17:00:50.
    station.boot().unwrap();
    station.run_until(at(23, "17:03:00"));
    let airing = station.airing("2026-11-23/chieu/chuyen-muc/0");
    let started = airing.started().unwrap();
    assert!(at(23, "17:00:15") < started && started < at(23, "17:00:24"), "{started}");
    assert_eq!(airing.outcome(), Outcome::Partly(Cause::NotRunning));
    // After its short fade-in it is, sample for sample, what a listener would hear who had been there all the time.
    station.assert_joins("chuyen-muc", &airing.takes[0]);
    assert!(airing.ended().unwrap().duration_since(airing.item.planned_end).abs() <= ms(500));
}
