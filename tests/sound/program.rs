//! The real program, from its schedule's files to what is heard and what is logged.

use std::thread;
use std::time::Duration;

use ebur128::{EbuR128, Mode};
use jiff::{SignedDuration, Timestamp};
use loa::asrun::{Airing, Cause, Outcome, TOLERANCE_FRAMES};
use loa::clock::{Clock, SystemClock};
use loa::schedule::Loudness;

use crate::sound::measure::{RATE, Recording, Stretch, quantile, rising, second_of, tone_at};
use crate::sound::rig::{Server, beside_others, milliseconds, wait_until, with_server};
use crate::sound::station::{Slot, Station, sleep_until};
use crate::stolen_time;

pub(crate) const SECOND: usize = RATE as usize;
/// What the log and the recording may differ by. The recorder knows its own instants to about 0.1 ms.
const AS_LOGGED_MS: f64 = 1.0;

/// A tone of so many seconds.
pub(crate) fn tone(hertz: f64, seconds: usize) -> impl Iterator<Item = f32> {
    (0..seconds * SECOND).map(move |frame| tone_at(frame, hertz))
}

pub(crate) fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// Hard starts to measure: enough for a rough distribution; `LOA_SOUND_STARTS` asks for more.
fn starts() -> i64 {
    std::env::var("LOA_SOUND_STARTS").map_or(24, |count| count.parse().unwrap())
}

/// The parts of one tone, that goes on from file to file.
const CHAIN: [&str; 5] = ["0.wav", "1.mp3", "2.ogg", "3.opus", "4.flac"];

#[test]
fn a_session_sounds_on_time_whole_and_as_logged() {
    with_server("program::a_session_sounds_on_time_whole_and_as_logged", |server| {
        let mut station = Station::new();
        station.record("hard.wav", None, tone(1_000.0, 1).take(SECOND / 2));
        for (part, name) in CHAIN.iter().enumerate() {
            station.record(name, None, tone(1_000.0, 2 * part + 2).skip(2 * part * SECOND));
        }
        station.record("song.wav", Some("songs"), tone(700.0, 40));
        let first = station.soon();
        // Apart: what its encoder put before and after the sound is not cut off.
        station.record("a.m4a", None, tone(1_000.0, 2));
        let chain = first + seconds(starts() + 3);
        let fill = chain + seconds(2 * i64::try_from(CHAIN.len()).unwrap());
        let last = fill + seconds(6);
        let mut slots: Vec<_> =
            (0..starts()).map(|n| Slot::hard(format!("hard-{n}"), first + seconds(n), "hard.wav")).collect();
        slots.push(Slot::hard("m4a", first + seconds(starts()), "a.m4a"));
        slots.push(Slot::hard("chain-0", chain, CHAIN[0]));
        slots.extend((1..CHAIN.len()).map(|n| Slot::follow(format!("chain-{n}"), CHAIN[n])));
        slots.push(Slot::fill("fill", "songs"));
        slots.push(Slot::hard("last", last, "hard.wav"));
        station.week("[[pool]]\nid = \"songs\"\ntitle = \"Nhạc\"\n", &slots, last + seconds(60));

        let recorder = server.record();
        let stolen = stolen_time();
        station.serve();
        sleep_until(fill + seconds(2));
        priorities(station.pid());
        sleep_until(last + seconds(2));
        let stolen = stolen_time() - stolen;
        station.stop();
        let recording = recorder.finish();

        punctual(&recording, first, starts(), stolen);
        let chained = Stretch { from: recording.frame(chain), to: recording.frame(fill) };
        gapless(&recording, chained);
        faded(&recording, Stretch { from: chained.to, to: recording.frame(last) });
        as_logged(&recording, &station.airings(), slots.len());
    });
}

/// Each hard start sounds at its second.
fn punctual(recording: &Recording, first: Timestamp, starts: i64, stolen: u64) {
    let onsets = recording.onsets();
    let errors: Vec<_> = (0..starts)
        .map(|n| {
            let error = |onset: &Timestamp| milliseconds(first + seconds(n), *onset);
            onsets.iter().map(error).min_by(|a, b| a.abs().total_cmp(&b.abs())).expect("something sounds")
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
    assert!(p50 <= 0.2, "half of the starts are {p50} ms off or more");
    assert!(p90 <= 1.0, "one start in ten is {p90} ms off or more");
}

/// The parts of the chain are one tone: nothing is missing, too much, or silent where they are joined.
fn gapless(recording: &Recording, chained: Stretch) {
    let long = recording.tone(1_000.0).into_iter().max_by_key(|tone| tone.len()).unwrap();
    println!("chain: {long:?} of {chained:?}");
    assert!(long.from.abs_diff(chained.from) < 48 && long.to.abs_diff(chained.to) < 960, "{long:?}");
    assert_eq!(recording.gaps(chained), []);
    let slips = recording.slips(chained, 1_000.0);
    println!("slips: {slips:?}");
    let sum: f64 = slips.iter().map(|(_, frames)| frames).sum();
    assert!(sum.abs() < 0.5, "{slips:?}");
}

/// The song before a hard start begins whole and goes down to nothing, over the 3 s before it.
fn faded(recording: &Recording, song: Stretch) {
    let song_heard = recording.tone(700.0);
    println!("song: {song_heard:?} in {song:?}");
    assert!(song_heard[0].from.abs_diff(song.from) < SECOND / 50, "{song_heard:?}");
    let level = |from: usize| recording.level(Stretch { from, to: from + SECOND / 10 });
    let (whole, half, end) =
        (level(song.from + SECOND), level(song.to - SECOND * 3 / 2), level(song.to - SECOND / 10));
    assert!(half < 0.8 * whole && half > 0.3 * whole, "{whole} {half} {end}");
    assert!(end < 0.1 * whole, "{whole} {half} {end}");
    assert_eq!(recording.gaps(Stretch { from: song.from, to: song.to - SECOND / 10 }), []);
}

/// Every airing has in the log the instants and the frames that it had on the air.
fn as_logged(recording: &Recording, airings: &[Airing], slots: usize) {
    assert_eq!(airings.len(), slots);
    let mut worst = 0.0_f64;
    for airing in airings {
        let name = airing.item.cue.slot.as_str();
        assert_eq!(airing.outcome(), Outcome::Aired, "{name}: {airing:#?}");
        // A fade ends by the clock of the wall, everything else by its own frames.
        let rounding = if name == "fill" { TOLERANCE_FRAMES } else { 0 };
        assert!(airing.delivered().abs_diff(airing.expected()) <= rounding, "{name}: {airing:#?}");
        assert_eq!(airing.starved(), 0, "{name}");
        let (started, ended) = (airing.started().unwrap(), airing.ended().unwrap());
        // What the log says of its length is what was heard of it.
        let length = milliseconds(started, ended) - airing.delivered() as f64 * 1e3 / f64::from(RATE);
        assert!(length.abs() < AS_LOGGED_MS, "{name} took {length} ms too long");
        if name.starts_with("hard") || name == "last" {
            let from = recording.frame(started);
            let sound = (from.saturating_sub(SECOND / 10)..from + SECOND / 10)
                .find(|frame| {
                    recording.samples[*frame - 1].abs() < 1e-4 && recording.samples[*frame].abs() > 0.05
                })
                .expect("it sounds");
            worst = worst.max(milliseconds(started, recording.at(sound)).abs());
        }
    }
    println!("{} airings, whose logged instants are off by {worst:.3} ms at most", airings.len());
    assert!(worst <= AS_LOGGED_MS);
}

/// What the audio needs runs before all else, and nothing else does.
fn priorities(pid: u32) {
    let mut realtime = Vec::new();
    let mut ordinary = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let Ok(stat) = std::fs::read_to_string(task.unwrap().path().join("stat")) else { continue };
        let (name, rest) = stat.rsplit_once(')').unwrap();
        let name = name.split_once('(').unwrap().1.to_owned();
        // The 41st field; two of them are in front of what is split.
        match rest.split_whitespace().nth(38).unwrap() {
            "0" => ordinary.push(name),
            _ => realtime.push(name),
        }
    }
    println!("realtime: {realtime:?}; ordinary: {ordinary:?}");
    for name in ["preroll", "decode", "planner", "recorder", "tokio", "sqlite", "store"] {
        assert!(!realtime.iter().any(|thread| thread.contains(name)), "{name} pushes the audio aside");
    }
}

#[test]
fn after_a_power_cut_it_joins_where_it_should_be() {
    with_server("program::after_a_power_cut_it_joins_where_it_should_be", |server| {
        let mut station = Station::new();
        station.record("rising.wav", None, rising(16 * SECOND));
        let first = station.soon();
        station.week("", &[Slot::hard("rising", first, "rising.wav")], first + seconds(60));
        let recorder = server.record();
        station.serve();
        sleep_until(first + seconds(6));
        station.kill();
        let cut = SystemClock::new().now();
        thread::sleep(Duration::from_secs(2));
        let again = SystemClock::new().now();
        station.serve();
        sleep_until(first + seconds(18));
        station.stop();
        let recording = recorder.finish();

        let heard = recording.stretches(Duration::from_millis(500));
        assert_eq!(heard.len(), 2, "{heard:?}");
        let back = recording.at(heard[1].from);
        let silence = milliseconds(recording.at(heard[0].to), back);
        let off = place_error(&recording, heard[1], first);
        println!(
            "silent for {silence:.0} ms; back {:.0} ms after the start, {off:+.2} ms off its place",
            milliseconds(again, back)
        );
        assert!(milliseconds(again, back) < 5_000.0);
        assert!(off.abs() <= 1.0, "{off} ms off");
        assert!(heard[0].to < recording.frame(cut) + SECOND / 5, "what was on its way ends");

        let airing = station.airing("rising");
        let [before, after] = airing.takes.as_slice() else { panic!("two takes: {airing:#?}") };
        let end = before.end.as_ref().unwrap();
        assert_eq!(end.cause, Some(Cause::PowerCut));
        let known = milliseconds(end.ended.unwrap(), cut);
        assert!((0.0..6_000.0).contains(&known), "closed at the last heartbeat, {known} ms before the cut");
        let started = after.end.as_ref().unwrap().started.unwrap();
        assert!(milliseconds(started, back).abs() <= 2.0, "its fade-in hides the first frames");
        assert!((milliseconds(first, started) - after.skip.as_secs_f64() * 1e3).abs() < 2.0);
        assert_eq!(airing.outcome(), Outcome::Partly(Cause::PowerCut));
    });
}

/// How many milliseconds a rising tone that began at `first` is off the place where it should be, half a second into a
/// stretch of it.
fn place_error(recording: &Recording, stretch: Stretch, first: Timestamp) -> f64 {
    let frame = stretch.from + SECOND / 2;
    second_of(recording.pitch(frame)) * 1e3 - milliseconds(first, recording.at(frame))
}

#[test]
fn a_lost_sink_and_a_killed_server_are_found_again_where_the_sound_should_be() {
    with_server(
        "program::a_lost_sink_and_a_killed_server_are_found_again_where_the_sound_should_be",
        |server| {
            let mut station = Station::new();
            station.record("rising.wav", None, rising(26 * SECOND));
            let first = station.soon();
            station.week("", &[Slot::hard("rising", first, "rising.wav")], first + seconds(60));
            station.serve();
            sleep_until(first + seconds(3));
            loss(server, first, |server| server.remove_sink(), |server| server.add_sink());
            loss(server, first, Server::kill, Server::restart);
            sleep_until(first + seconds(27));
            wait_until("it is logged", || station.airing("rising").outcome() != Outcome::OnAir);
            let airing = station.airing("rising");
            station.stop();
            let causes: Vec<_> = airing.takes.iter().map(|take| take.end.as_ref().unwrap().cause).collect();
            println!(
                "{causes:?}; {} starved; {} lines in the log",
                airing.starved(),
                station.log().lines().count()
            );
            assert_eq!(causes, [Some(Cause::OutputDown), Some(Cause::OutputDown), None]);
            assert_eq!(airing.outcome(), Outcome::Partly(Cause::OutputDown));
            assert!(airing.starved() < u64::from(RATE) / 20, "{airing:#?}");
            assert!(station.log().lines().count() < 60, "an error storm");
        },
    );
}

/// The way of a playout machine, up to the card: `libasound` with our callback, into the rig by its plugin. That one sometimes
/// reports bursts of errors, for which the stream is opened anew: hence no more is asked for than this.
#[test]
fn what_is_played_through_alsa_sounds_too() {
    with_server("program::what_is_played_through_alsa_sounds_too", |server| {
        let mut station = Station::on("alsa:default");
        station.record("rising.wav", None, rising(10 * SECOND));
        let first = station.soon();
        station.week("", &[Slot::hard("rising", first, "rising.wav")], first + seconds(60));
        let recorder = server.record();
        station.serve();
        sleep_until(first + seconds(11));
        wait_until("it is logged", || station.airing("rising").outcome() != Outcome::OnAir);
        let airing = station.airing("rising");
        station.stop();
        let recording = recorder.finish();
        let heard = recording.stretches(Duration::from_millis(200));
        let longest = *heard.iter().max_by_key(|stretch| stretch.to - stretch.from).expect("it sounds");
        let off = place_error(&recording, longest, first);
        println!(
            "{heard:?}; {off:+.2} ms off its place; {:?}, {} starved",
            airing.outcome(),
            airing.starved()
        );
        assert!(longest.to - longest.from > 6 * SECOND && off.abs() < 50.0, "{}", station.log());
    });
}

#[test]
fn a_hole_in_the_sound_is_not_logged_as_aired() {
    with_server("program::a_hole_in_the_sound_is_not_logged_as_aired", |server| {
        let mut station = Station::new();
        station.record("rising.wav", None, rising(8 * SECOND));
        let first = station.soon();
        station.week("", &[Slot::hard("rising", first, "rising.wav")], first + seconds(60));
        let recorder = server.record();
        station.serve();
        sleep_until(first + seconds(3));
        server.stand_still(Duration::from_millis(1_500));
        sleep_until(first + seconds(10));
        wait_until("it is logged", || station.airing("rising").outcome() != Outcome::OnAir);
        let airing = station.airing("rising");
        station.stop();
        let heard = recorder.finish().stretches(Duration::from_millis(200));
        let silent: usize = heard.windows(2).map(|two| two[1].from - two[0].to).sum();
        let [silent, logged] =
            [silent, airing.starved() as usize].map(|frames| frames as f64 / SECOND as f64);
        println!("{heard:?}: silent for {silent} s, logged {logged} s, {:?}", airing.outcome());
        assert_eq!(airing.outcome(), Outcome::Partly(Cause::Starved));
        assert!(silent > 1.0 && (silent - logged).abs() < 0.1, "{airing:#?}\n{}", station.log());
    });
}

/// Takes the sound away for two seconds, and gives it back: it is there again within 5 s, at its place.
fn loss(server: &mut Server, first: Timestamp, take: fn(&mut Server), give_back: fn(&mut Server)) {
    take(server);
    thread::sleep(Duration::from_secs(2));
    give_back(server);
    let given = SystemClock::new().now();
    let recorder = server.record();
    thread::sleep(Duration::from_millis(6_500));
    let recording = recorder.finish();
    let heard = recording.stretches(Duration::from_millis(200));
    println!("{heard:?}");
    let back = milliseconds(given, recording.at(heard.last().expect("it sounds again").from));
    let off = place_error(&recording, *heard.last().unwrap(), first);
    println!("sounds again {back:.0} ms after the sink was back, {off:+.2} ms off its place");
    assert!(back < 5_000.0);
    assert!(off.abs() <= 1.0, "{off} ms off");
}

#[test]
fn an_emergency_takes_the_air_at_once_and_a_withdrawal_leaves_it() {
    with_server("program::an_emergency_takes_the_air_at_once_and_a_withdrawal_leaves_it", |server| {
        let mut station = Station::new();
        station.record("alarm.wav", Some("alarms"), tone(2_200.0, 2));
        station.record("rising.wav", None, rising(30 * SECOND));
        let first = station.soon();
        let alarms = "[[programme]]\nid = \"alarms\"\ntitle = \"Khẩn cấp\"\nready = true\n";
        station.week(alarms, &[Slot::hard("rising", first, "rising.wav")], first + seconds(60));
        let recorder = server.record();
        station.serve();
        let operator = station.person("operator,approver");
        let alarm = serde_json::json!({ "segment": station.segment("alarm.wav"), "layer": "emergency" });
        let rising = station.segment("rising.wav");
        sleep_until(first + seconds(4));
        let while_playing = operator.post("/interrupts", &alarm);
        sleep_until(first + seconds(11));
        let withdrawn =
            operator.post(&format!("/segments/{rising}/withdraw"), &serde_json::json!({ "reason": "sai" }));
        thread::sleep(Duration::from_secs(3));
        let while_silent = operator.post("/interrupts", &alarm);
        thread::sleep(Duration::from_secs(4));
        station.stop();
        let recording = recorder.finish();

        let alarms = recording.tone(2_200.0);
        assert_eq!(alarms.len(), 2, "{alarms:?}");
        let heard = recording.stretches(Duration::from_millis(20));
        assert_eq!(heard.len(), 2, "from the schedule to the alarm and back there is no silence: {heard:?}");
        // The program says when it took an order: the way to it is not the air's.
        let delays: Vec<_> = station
            .logged("interrupt.emergency")
            .iter()
            .zip(&alarms)
            .map(|(order, alarm)| milliseconds(*order, recording.at(alarm.from)))
            .collect();
        let ways = [
            milliseconds(while_playing, recording.at(alarms[0].from)),
            milliseconds(while_silent, recording.at(alarms[1].from)),
        ];
        let off = place_error(&recording, Stretch { from: alarms[0].to, ..heard[0] }, first);
        let stopped = milliseconds(withdrawn, recording.at(heard[0].to));
        println!(
            "from order to alarm, ms: {delays:.1?}, from the call {ways:.1?}; back {off:+.2} ms off its place; off the air {stopped:.0} ms after its withdrawal"
        );
        assert!(quantile(&delays, 1.0) <= 300.0, "{delays:?}");
        // It is opened for the planned end of the alarm, and starts with the chunk after its real one.
        assert!(off.abs() <= 25.0, "{off} ms off");
        assert!((0.0..1_000.0).contains(&stopped));
        let airing = station.airing("rising");
        assert_eq!(airing.outcome(), Outcome::Withdrawn);
        let causes: Vec<_> = airing.takes.iter().map(|take| take.end.as_ref().unwrap().cause).collect();
        assert_eq!(causes, [Some(Cause::Emergency), Some(Cause::Withdrawn)]);
    });
}

#[test]
fn recordings_of_different_loudness_are_heard_alike_and_none_clips() {
    beside_others("program::recordings_of_different_loudness_are_heard_alike_and_none_clips", |server| {
        let mut station = Station::new();
        station.record("loud.wav", None, tone(1_000.0, 4).map(|sample| sample * 1.8));
        station.record("soft.wav", None, tone(1_000.0, 4).map(|sample| sample * 0.18));
        // Little sound with strokes in it, that must be louder and must not clip.
        let strokes = tone(1_000.0, 4).enumerate();
        station.record(
            "sharp.wav",
            None,
            strokes.map(|(n, sample)| sample * if n % 24_000 < 96 { 1.8 } else { 0.06 }),
        );
        let first = station.soon();
        let names = ["loud.wav", "soft.wav", "sharp.wav"];
        let slots: Vec<_> = names
            .iter()
            .zip(0..)
            .map(|(name, n)| Slot::hard(format!("s{n}"), first + seconds(5 * n), name))
            .collect();
        station.week("", &slots, first + seconds(60));
        let recorder = server.record();
        station.serve();
        sleep_until(first + seconds(15));
        station.stop();
        let recording = recorder.finish();
        let target = Loudness::default().target_lufs;
        for (name, n) in names.iter().zip(0..) {
            let from = recording.frame(first + seconds(5 * n));
            let heard = &recording.samples[from..from + 4 * SECOND];
            let mut meter = EbuR128::new(2, RATE, Mode::I | Mode::TRUE_PEAK).unwrap();
            meter.add_frames_f32(&heard.iter().flat_map(|sample| [*sample; 2]).collect::<Vec<_>>()).unwrap();
            let loudness = meter.loudness_global().unwrap();
            let peak = 20.0 * meter.true_peak(0).unwrap().log10();
            println!("{name}: {loudness:.2} LUFS, {peak:.2} dBTP");
            assert!(*name == "sharp.wav" || (loudness - target).abs() <= 1.0, "{name}: {loudness} LUFS");
            assert!(peak <= -1.0, "{name}: {peak} dBTP");
        }
    });
}

#[test]
fn without_any_sound_system_it_says_so_and_goes_on_without_noise() {
    let mut station = Station::on("default");
    let first = station.soon();
    station.record("hard.wav", None, tone(1_000.0, 1));
    station.week("", &[Slot::hard("hard", first, "hard.wav")], first + seconds(60));
    let nowhere = station.path("nowhere").display().to_string();
    station.serve_with(&[
        ("PULSE_SERVER", &format!("unix:{nowhere}")),
        ("HOME", &nowhere),
        ("XDG_RUNTIME_DIR", &nowhere),
    ]);
    sleep_until(first + seconds(3));
    station.stop();
    if !loa::output::device::has_card() {
        assert_eq!(station.airing("hard").outcome(), Outcome::NotAired(Cause::OutputDown));
        assert_eq!(station.logged("no sound can leave").len(), 1);
    }
    assert!(station.log().lines().count() < 20, "{}", station.log());
}
