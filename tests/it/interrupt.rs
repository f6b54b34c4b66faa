//! People take the air, and give it back.

use loa::asrun::{Cause, Outcome};
use loa::engine::handle::Command;
use loa::sequencer::Repeats;
use loa::timeline::Layer;

use crate::station::{Station, at, ms, seconds};
use crate::week::station;

/// At 17:00:20 of an afternoon, in the feature that airs from 17:00:10 to 17:00:50.
fn in_the_feature() -> Station {
    let mut station = station("16:00:00");
    station.boot().unwrap();
    station.run_until(at(23, "17:00:20"));
    assert_eq!(station.status().on_air.unwrap().cue.to_string(), FEATURE);
    station
}

const FEATURE: &str = "2026-11-23/chieu/chuyen-muc/0";

#[test]
fn an_emergency_cuts_what_plays_and_the_schedule_joins_where_it_should_be() {
    let mut station = in_the_feature();
    station.interrupt("bao-1", "tin-khan", Layer::Emergency, Repeats::ONCE);
    station.run_until(at(23, "17:02:00"));
    let heard = station.heard(at(23, "17:00:15"), at(23, "17:02:00"));
    let names: Vec<&str> = heard.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["chuyen-muc", "tin-khan", "chuyen-muc", "ban-tin"], "{heard:?}");
    let alarm = station.airing("2026-11-23/!/bao-1/0");
    let began = alarm.started().unwrap();
    assert!(began.duration_since(at(23, "17:00:20")) <= ms(300), "{began}");
    assert_eq!((alarm.outcome(), alarm.item.layer), (Outcome::Aired, Layer::Emergency));
    assert_eq!(alarm.item.ordered_by.as_deref(), Some("an"));
    station.assert_sounds("tin-khan", began + ms(100), 4_800, station.made("tin-khan").frames - 4_800);

    let feature = station.airing(FEATURE);
    assert_eq!(feature.outcome(), Outcome::Partly(Cause::Emergency));
    assert_eq!(feature.takes.len(), 2);
    station.assert_joins("chuyen-muc", &feature.takes[1]);
}

#[test]
fn a_live_call_takes_the_air_by_day_and_not_in_quiet_hours() {
    let mut station = in_the_feature();
    station.interrupt("goi-1", "tin-khan", Layer::Live, Repeats::ONCE);
    station.run_until(at(23, "21:00:00"));
    assert_eq!(station.outcome("2026-11-23/!/goi-1/0"), Outcome::Aired);
    assert_eq!(station.outcome(FEATURE), Outcome::Partly(Cause::Live));
    station.interrupt("goi-2", "tin-khan", Layer::Live, Repeats::ONCE);
    station.run_until(at(23, "22:00:00"));
    assert_eq!(station.outcome("2026-11-23/!/goi-2/0"), Outcome::NotAired(Cause::AgainstTheRules));
    station.assert_silent(at(23, "20:00:00"), at(23, "22:00:00"));
}

#[test]
fn an_emergency_sounds_in_quiet_hours_and_repeats_until_it_is_called_off() {
    let mut station = station("21:00:00");
    station.boot().unwrap();
    station.run_until(at(23, "22:00:00"));
    let repeats = Repeats { at_most: Some(10), soon: seconds(300), close: 2, then: seconds(1_800) };
    station.interrupt("lu", "tin-khan", Layer::Emergency, repeats);
    station.run_until(at(23, "22:45:00"));
    let heard = station.heard(at(23, "21:00:00"), at(23, "23:59:00"));
    let starts: Vec<_> =
        heard.iter().map(|(_, from, _)| (from.duration_since(heard[0].1) + ms(500)).as_secs()).collect();
    assert_eq!(starts, [0, 300, 600, 2_400], "two repeats five minutes apart, then one every half hour");
    station.handle().send(Command::CallOff("lu".into())).unwrap();
    station.run_until(at(24, "00:30:00"));
    assert_eq!(station.heard(at(23, "22:45:00"), at(24, "00:30:00")).len(), 0);
    assert_eq!(station.outcome("2026-11-23/!/lu/3"), Outcome::Aired);
    assert!(station.status().interrupts.is_empty());
}

#[test]
fn calling_off_an_emergency_on_air_gives_the_air_back_at_once() {
    let mut station = in_the_feature();
    station.interrupt("bao-2", "tin-khan", Layer::Emergency, Repeats::ONCE);
    station.run_until(at(23, "17:00:22"));
    station.handle().send(Command::CallOff("bao-2".into())).unwrap();
    station.run_until(at(23, "17:02:00"));
    assert_eq!(station.outcome("2026-11-23/!/bao-2/0"), Outcome::Partly(Cause::StoppedByOperator));
    let heard = station.heard(at(23, "17:00:20.5"), at(23, "17:02:00"));
    let names: Vec<&str> = heard.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["tin-khan", "chuyen-muc", "ban-tin"]);
    assert!(heard[0].2 < at(23, "17:00:22.3") && heard[1].1 < at(23, "17:00:25.1"), "{heard:?}");
}

#[test]
fn a_segment_withdrawn_on_air_is_off_it_at_once_and_stays_off() {
    let mut station = in_the_feature();
    station.withdraw("chuyen-muc");
    station.run_until(at(23, "19:59:59"));
    let heard = station.heard(at(23, "17:00:15"), at(23, "19:59:59"));
    let names: Vec<&str> = heard.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["chuyen-muc", "ban-tin"], "{heard:?}");
    assert!(heard[0].2 < at(23, "17:00:20.3"), "{heard:?}");
    assert_eq!(station.outcome(FEATURE), Outcome::Withdrawn);
    assert_eq!(station.outcome("2026-11-23/toi/chuyen-muc/0"), Outcome::NotAired(Cause::Withdrawn));
}
