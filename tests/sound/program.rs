//! The real program, from its schedule's files to what is heard and what is logged.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use loa::asrun::{Airing, Outcome};

use crate::sound::measure::{RATE, Recording, Stretch, quantile, tone_at};
use crate::sound::rig::{milliseconds, with_server};
use crate::sound::station::{Slot, Station, sleep_until};
use crate::stolen_time;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const SECOND_FRAMES: usize = RATE as usize;

/// A tone of so many frames.
fn tone(hertz: f64, frames: usize) -> impl Iterator<Item = f32> {
    (0..frames).map(move |frame| tone_at(frame, hertz))
}

/// Hard starts to measure: enough for a rough distribution; `LOA_SOUND_STARTS` asks for more.
fn starts() -> i64 {
    std::env::var("LOA_SOUND_STARTS").map_or(30, |count| count.parse().unwrap())
}

#[test]
fn a_session_sounds_on_time_whole_and_as_logged() {
    with_server("program::a_session_sounds_on_time_whole_and_as_logged", |server| {
        let mut station = Station::new();
        station.record("hard.wav", None, tone(1_000.0, SECOND_FRAMES / 2));
        // One tone that goes on from file to file: where they are joined, nothing may be heard.
        for (part, name) in CHAIN.iter().enumerate() {
            let from = part * 2 * SECOND_FRAMES;
            station.record(name, None, (from..from + 2 * SECOND_FRAMES).map(|frame| tone_at(frame, 1_000.0)));
        }
        station.record("song.wav", Some("songs"), tone(700.0, 40 * SECOND_FRAMES));
        let starts = starts();
        let first = station.soon();
        let chain = first + SECOND * i32::try_from(starts).unwrap();
        let last = chain + SignedDuration::from_secs(2 * i64::try_from(CHAIN.len()).unwrap() + 6);
        let mut slots: Vec<_> = (0..starts)
            .map(|n| Slot::hard(format!("hard-{n}"), first + SignedDuration::from_secs(n), "hard.wav"))
            .collect();
        slots.push(Slot::hard("chain-0", chain, CHAIN[0]));
        slots.extend((1..CHAIN.len()).map(|n| Slot::follow(format!("chain-{n}"), CHAIN[n])));
        slots.push(Slot::fill("fill", "songs"));
        slots.push(Slot::hard("last", last, "hard.wav"));
        station.week("[[pool]]\nid = \"songs\"\ntitle = \"Nhạc\"\n", &slots, last + SECOND * 60);

        let recorder = server.record();
        let stolen = stolen_time();
        station.serve();
        sleep_until(last + SECOND * 2);
        let stolen = stolen_time() - stolen;
        station.stop();
        let recording = recorder.finish();
        let airings = station.airings();
        println!("{} airings", airings.len());

        punctual(&recording, first, starts, stolen);
    });
}

const CHAIN: [&str; 6] = ["0.wav", "1.mp3", "2.ogg", "3.opus", "4.m4a", "5.flac"];

/// Each hard start sounds at its second.
fn punctual(recording: &Recording, first: Timestamp, starts: i64, stolen: u64) {
    let onsets = recording.onsets();
    let errors: Vec<_> = (0..starts)
        .map(|n| {
            let plan = first + SignedDuration::from_secs(n);
            let of = |onset: &Timestamp| milliseconds(plan, *onset);
            onsets.iter().map(of).min_by(|a, b| a.abs().total_cmp(&b.abs())).expect("something sounds")
        })
        .collect();
    let sizes: Vec<_> = errors.iter().map(|error| error.abs()).collect();
    let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| quantile(&sizes, share));
    println!(
        "start error of {starts} hard starts, ms: least {:+.3}, median {:+.3}, most {:+.3}; size p50 {p50:.3}, p90 {p90:.3}, p99 {p99:.3}; stolen {stolen} ms",
        quantile(&errors, 0.0),
        quantile(&errors, 0.5),
        quantile(&errors, 1.0),
    );
}
