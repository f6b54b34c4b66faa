//! The first and the last frames of a device: what begins before it is known when they leave, and what was heard before it was lost.

use std::thread;
use std::time::Duration;

use loa::asrun::Outcome;
use loa::timeline::Layer;

use crate::program::{SECOND, seconds, tone};
use crate::sound::measure::{RATE, rising};
use crate::sound::rig::{milliseconds, wait_until, with_server};
use crate::sound::station::{Slot, Station, sleep_until};

#[test]
fn an_emergency_that_wakes_a_device_is_logged_when_it_is_heard() {
    with_server("begin::an_emergency_that_wakes_a_device_is_logged_when_it_is_heard", |server| {
        let mut station = Station::new();
        station.record("alarm.wav", Some("alarms"), tone(2_200.0, 2));
        station.record("rising.wav", None, rising(3 * SECOND));
        let hour = station.soon() + seconds(3_600);
        let alarms = "[[programme]]\nid = \"alarms\"\ntitle = \"Khẩn cấp\"\nready = true\n";
        station.week(alarms, &[Slot::hard("rising", hour, "rising.wav")], hour + seconds(60));
        station.serve();
        let operator = station.person("operator");
        let alarm = serde_json::json!({ "segment": station.segment("alarm.wav"), "layer": "emergency" });
        let mut heard = Vec::new();
        for nth in 1..=3 {
            // It rests by then, and its sink has gone over to blocks of 2 s, as nobody listens; to one that it is at, it keeps.
            thread::sleep(Duration::from_millis(5_000 + 300 * nth));
            let recorder = server.record();
            operator.post("/interrupts", &alarm);
            thread::sleep(Duration::from_secs(5));
            let recording = recorder.finish();
            let [stretch] = recording.tone(2_200.0)[..] else { panic!("it is heard once") };
            heard.push([stretch.from, stretch.to].map(|frame| recording.at(frame)));
        }
        let mut airings = station.airings();
        airings.retain(|airing| airing.item.layer == Layer::Emergency);
        airings.sort_by_key(|airing| airing.item.planned);
        station.stop();
        assert_eq!(airings.len(), heard.len());
        for (airing, [from, to]) in airings.iter().zip(heard) {
            let [began, ended] = [airing.started(), airing.ended()].map(Option::unwrap);
            let off = [(began, from), (ended, to)].map(|(logged, heard)| milliseconds(logged, heard));
            println!(
                "heard {:.1} ms after its order; the log is off by {off:.2?} ms, held up by {:?}",
                milliseconds(airing.item.planned, from),
                airing.held_up_by(),
            );
            assert!(off.iter().all(|off| off.abs() < 10.0), "{off:?} {airing:#?}");
            assert_eq!((airing.outcome(), airing.starved()), (Outcome::Aired, 0));
        }
    });
}

#[test]
fn what_was_heard_before_the_server_was_killed_is_counted() {
    with_server("begin::what_was_heard_before_the_server_was_killed_is_counted", |server| {
        let mut station = Station::new();
        station.record("rising.wav", None, rising(60 * SECOND));
        let at = station.soon();
        station.week("", &[Slot::hard("p", at, "rising.wav")], at + seconds(120));
        station.serve();
        let mut lengths = Vec::new();
        for nth in 1..=3 {
            let recorder = server.record();
            sleep_until(at + seconds(10) * nth);
            thread::sleep(Duration::from_millis(170 * u64::from(nth.unsigned_abs())));
            server.kill();
            let stretches = recorder.finish().stretches(Duration::from_millis(100));
            lengths.push(stretches.last().expect("it is heard").len());
            server.restart();
        }
        wait_until("it is logged", || station.airing("p").takes.len() > 3);
        let airing = station.airing("p");
        station.stop();
        for (take, length) in airing.takes.iter().zip(lengths) {
            let end = take.end.as_ref().unwrap();
            let [heard, logged] = [length as f64, end.delivered as f64].map(|count| count / f64::from(RATE));
            println!("{heard:.3} s were heard and {logged:.3} s are logged");
            assert!((heard - logged).abs() < 0.05, "{take:#?}");
        }
    });
}
