//! What really leaves: our callback plays into a private PulseAudio null sink, which is recorded and measured.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    unreachable_pub,
    reason = "a test"
)]

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use loa::clock::{Clock, SystemClock};
use loa::frames::AIR_RATE;
use loa::output::card::Card;
use loa::output::priority::raise_priority;
use loa::output::{self, CHUNK_FRAMES, Lost, Output, device, duration_of, feed};

use sound::measure::{Recording, Stretch, quantile, tone_at};
use sound::rig::{Server, beside_others, frames, milliseconds, wait_until, with_server};

#[path = "sound/begin.rs"]
mod begin;
#[path = "sound/program.rs"]
mod program;
#[path = "sound/stall.rs"]
mod stall;
mod sound {
    pub mod measure;
    pub mod rig;
    pub mod station;
}

const SINK: &str = "pulseaudio:playout";

/// Does what an engine does: asks for the time, renders a chunk, writes it.
struct Engine {
    output: Card,
    clock: Arc<dyn Clock>,
    /// Writes that found the output down.
    lost: u64,
    /// How often it went down.
    losses: u64,
    is_down: bool,
}

impl Engine {
    fn start() -> Self {
        raise_priority();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let output = Card::open(SINK.parse().unwrap(), Arc::clone(&clock)).unwrap();
        Self { output, clock, lost: 0, losses: 0, is_down: false }
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), Lost> {
        let written = self.output.write(samples);
        let was_down = std::mem::replace(&mut self.is_down, written.is_err());
        self.lost += u64::from(self.is_down);
        self.losses += u64::from(self.is_down && !was_down);
        written
    }

    /// One chunk; `sample` gives the sample of each of its frames.
    fn chunk(&mut self, sample: impl FnMut(usize) -> f32) -> Result<(), Lost> {
        let samples: Vec<f32> = (0..CHUNK_FRAMES).map(sample).flat_map(|sample| [sample; 2]).collect();
        self.write(&samples)
    }

    fn silence(&mut self, length: Duration) {
        for _ in 0..frames(length) / CHUNK_FRAMES {
            self.chunk(|_| 0.0).ok();
        }
    }

    /// A tone from its first sample, `chunks` long.
    fn tone(&mut self, hertz: f64, chunks: usize) {
        for chunk in 0..chunks {
            self.chunk(|frame| tone_at(chunk * CHUNK_FRAMES + frame, hertz)).ok();
        }
    }

    /// Places a tone of 100 ms at each instant, on the frame.
    fn bursts(&mut self, plan: &[Timestamp]) {
        const LENGTH: usize = AIR_RATE as usize / 10;
        let mut plan = plan.iter().peekable();
        let mut position = LENGTH;
        while plan.peek().is_some() || position < LENGTH {
            let now = self.output.next_frame_at();
            let start = plan.peek().map(|at| {
                let ahead = at.duration_since(now).as_nanos() * i128::from(AIR_RATE);
                (ahead as f64 / 1e9).round() as i64
            });
            let start =
                start.and_then(|start| usize::try_from(start).ok()).filter(|start| *start < CHUNK_FRAMES);
            let written = self.chunk(|frame| {
                if start == Some(frame) {
                    position = 0;
                }
                position += 1;
                if position <= LENGTH { tone_at(position - 1, 1_000.0) } else { 0.0 }
            });
            written.expect("the sink is there");
            if start.is_some() {
                plan.next();
            }
        }
        self.silence(Duration::from_millis(100));
    }
}

#[test]
fn sound_starts_at_its_instant() {
    with_server("sound_starts_at_its_instant", |server| {
        let recorder = server.record();
        let mut engine = Engine::start();
        engine.silence(Duration::from_secs(2));
        let stolen = stolen_time();
        let first = engine.output.next_frame_at() + Duration::from_millis(500);
        // Not a multiple of a chunk or a period: every place in them comes.
        let plan: Vec<_> = (0..60).map(|n| first + Duration::from_micros(331_370) * n).collect();
        engine.bursts(&plan);
        let starved = engine.output.starved();
        let onsets = recorder.finish().onsets();
        assert_eq!(onsets.len(), plan.len(), "{starved} frames starved");
        let errors: Vec<_> =
            plan.iter().zip(&onsets).map(|(plan, real)| milliseconds(*plan, *real)).collect();
        let sizes: Vec<_> = errors.iter().map(|error| error.abs()).collect();
        let [p50, p90, p99, most] = [0.5, 0.9, 0.99, 1.0].map(|share| quantile(&sizes, share));
        let stolen = stolen_time() - stolen;
        println!(
            "start error of {} starts, ms: median {:+.3}, least {:+.3}, most {:+.3}; size p50 {p50:.3}, p90 {p90:.3}, p99 {p99:.3}; {starved} frames starved; stolen {stolen} ms",
            errors.len(),
            quantile(&errors, 0.5),
            quantile(&errors, 0.0),
            quantile(&errors, 1.0),
        );
        // The aim is 0.2 ms at p99 on an idle machine; one that builds at the same time gets some room.
        assert!(p50 <= 0.5, "half of the starts are {p50} ms off or more");
        assert!(p90 <= 5.0, "one start in ten is {p90} ms off or more");
        // On a virtual machine whose host gives the processor to others, nobody is punctual.
        assert!(most <= 5.0 || stolen > 20, "a start is {most} ms off");
    });
}

#[test]
fn a_tone_leaves_whole() {
    with_server("a_tone_leaves_whole", |server| {
        let recorder = server.record();
        let mut engine = Engine::start();
        engine.silence(Duration::from_secs(1));
        let chunks = 10 * AIR_RATE as usize / CHUNK_FRAMES;
        engine.tone(100.0, chunks);
        engine.silence(Duration::from_millis(500));
        let starved = engine.output.starved();
        let recording = recorder.finish();
        let tone = only(&recording, 100.0);
        println!("{} frames of {}; {starved} starved", tone.len(), chunks * CHUNK_FRAMES);
        assert_eq!(recording.gaps(tone), []);
        assert_eq!(recording.slips(tone, 100.0), []);
        assert_eq!(tone.len(), chunks * CHUNK_FRAMES);
        assert_eq!((starved, engine.lost), (0, 0));
    });
}

fn only(recording: &Recording, hertz: f64) -> Stretch {
    let found = recording.tone(hertz);
    assert_eq!(found.len(), 1, "{hertz} Hz sounds once: {found:?}");
    found[0]
}

#[test]
fn a_sink_that_is_removed_is_noticed_and_found_again() {
    with_server("a_sink_that_is_removed_is_noticed_and_found_again", |server| {
        loss(server, |server| server.remove_sink(), |server| server.add_sink());
    });
}

#[test]
fn what_played_on_a_sink_that_is_removed_goes_to_no_other() {
    beside_others("what_played_on_a_sink_that_is_removed_goes_to_no_other", |server| {
        server.add_another_sink();
        loss(server, |server| server.remove_sink(), |server| server.add_sink());
    });
}

#[test]
fn a_server_that_is_killed_is_noticed_and_found_again() {
    with_server("a_server_that_is_killed_is_noticed_and_found_again", |server| {
        loss(server, Server::kill, Server::restart);
    });
}

/// Takes the sound away for 3 s and gives it back: the engine's time goes on, it is told, and it sounds again.
fn loss(server: &mut Server, take: impl Fn(&mut Server), give_back: impl Fn(&mut Server)) {
    let recorder = server.record();
    let mut engine = Engine::start();
    engine.silence(Duration::from_secs(1));
    assert!(engine.output.is_up());
    let heard = engine.output.delivered();
    drop(recorder);
    take(server);
    let taken = engine.clock.elapsed();
    let mut noticed = None;
    for _ in 0..frames(Duration::from_secs(3)) / CHUNK_FRAMES {
        if engine.chunk(|_| 0.0).is_err() && noticed.is_none() {
            noticed = Some(engine.clock.elapsed().saturating_sub(taken));
        }
    }
    let noticed = noticed.expect("the engine is told");
    assert!(!engine.output.is_up());
    let took = engine.clock.elapsed().saturating_sub(taken);
    assert!(took.abs_diff(Duration::from_secs(3)) < Duration::from_millis(500), "time goes on: {took:?}");
    assert!(engine.output.delivered() < heard + u64::from(AIR_RATE), "what nobody took is not delivered");

    give_back(server);
    let given = engine.clock.elapsed();
    let recorder = server.record();
    while engine.chunk(|_| 0.0).is_err() {
        let waited = engine.clock.elapsed().saturating_sub(given);
        assert!(waited < Duration::from_secs(5), "not found again");
    }
    let found = engine.clock.elapsed().saturating_sub(given);
    assert!(engine.output.is_up());
    engine.silence(Duration::from_secs(1));
    let lost = engine.lost;
    engine.tone(1_000.0, 40);
    engine.silence(Duration::from_millis(300));
    let recording = recorder.finish();
    let tone = only(&recording, 1_000.0);
    println!("loss noticed after {noticed:?}, found again {found:?} after it was back");
    assert_eq!(tone.len(), 40 * CHUNK_FRAMES);
    assert_eq!(engine.lost, lost, "and it stays");
    assert_eq!(engine.losses, 1, "one loss is one loss");
}

#[test]
fn a_resting_card_wakes_at_once_and_costs_next_to_nothing() {
    with_server("a_resting_card_wakes_at_once_and_costs_next_to_nothing", |server| {
        const REST: Duration = Duration::from_secs(35);
        let mut engine = Engine::start();
        engine.silence(Duration::from_secs(1));
        let playing = processor_time(|| engine.silence(Duration::from_secs(10)));
        engine.output.rest(engine.clock.now() + REST);
        thread::sleep(Duration::from_millis(500));
        // Longer than from one probe to the next.
        let resting = processor_time(|| thread::sleep(REST));
        assert!(engine.output.is_up());
        let recorder = server.record();
        // A null sink that nobody listened to plays blocks of 2 s, and ends the one it is at. No card does that.
        thread::sleep(Duration::from_millis(2_500));
        let mut delays = Vec::new();
        for _ in 0..5 {
            let ordered = engine.clock.now();
            engine.tone(1_000.0, 10);
            engine.silence(Duration::from_millis(300));
            delays.push(ordered);
            engine.output.rest(ordered + REST);
            thread::sleep(Duration::from_millis(700));
        }
        let recording = recorder.finish();
        let onsets = recording.onsets();
        assert_eq!(onsets.len(), delays.len());
        let delays: Vec<_> = delays.iter().zip(&onsets).map(|(from, to)| milliseconds(*from, *to)).collect();
        let (playing, resting) =
            (playing.as_secs_f64() * 360.0, resting.as_secs_f64() * 3_600.0 / REST.as_secs_f64());
        println!(
            "from rest to sound, ms: {delays:.1?}; processor seconds an hour: playing {playing:.2}, resting {resting:.2}"
        );
        assert!(quantile(&delays, 1.0) <= 300.0);
        assert!(resting <= 2.0);
        assert_eq!(engine.lost, 0);
        assert_eq!(engine.output.starved(), 0);
    });
}

#[test]
fn a_rest_that_is_broken_off_at_once_costs_nothing() {
    beside_others("a_rest_that_is_broken_off_at_once_costs_nothing", |server| {
        let mut engine = Engine::start();
        engine.silence(Duration::from_millis(500));
        let recorder = server.record();
        for pause in [0, 100, 290, 300, 310] {
            engine.output.rest(engine.clock.now() + Duration::from_secs(3_600));
            thread::sleep(Duration::from_millis(pause));
            let woken = engine.clock.elapsed();
            engine.silence(Duration::from_secs(1));
            engine.tone(1_000.0, 10);
            engine.silence(Duration::from_millis(300));
            let took = engine.clock.elapsed().saturating_sub(woken);
            assert!(took < Duration::from_secs(4), "{took:?} after a rest of {pause} ms");
        }
        assert_eq!(recorder.finish().onsets().len(), 5);
        assert_eq!(engine.lost, 0);
    });
}

#[test]
fn a_card_that_goes_while_it_rests_is_missed() {
    beside_others("a_card_that_goes_while_it_rests_is_missed", |server| {
        let mut engine = Engine::start();
        engine.silence(Duration::from_millis(500));
        engine.output.rest(engine.clock.now() + Duration::from_secs(3_600));
        server.kill();
        let down = engine.clock.elapsed() + Duration::from_secs(35);
        while engine.output.is_up() {
            assert!(engine.clock.elapsed() < down, "all lamps are green and nothing can sound");
            thread::sleep(Duration::from_millis(50));
        }
        server.restart();
        wait_until("it is found again", || engine.output.is_up());
    });
}

#[test]
fn a_card_that_is_not_there_keeps_time_and_says_so() {
    beside_others("a_card_that_is_not_there_keeps_time_and_says_so", |_| {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let mut output = output::open("pulseaudio:another".parse().unwrap(), Arc::clone(&clock)).unwrap();
        assert_eq!(output.write(&[0.0; 2]), Err(Lost), "no other card takes its place");
        let began = clock.elapsed();
        for _ in 0..50 {
            assert_eq!(output.write(&[0.0; 2 * 960]), Err(Lost));
        }
        let took = clock.elapsed().saturating_sub(began);
        assert!(took.abs_diff(Duration::from_secs(1)) < Duration::from_millis(200), "{took:?}");
        assert!(!output.is_up());
        assert_eq!((output.delivered(), output.device().as_str()), (0, "pulseaudio:another"));
    });
}

#[test]
fn devices_are_listed_by_the_names_they_are_opened_by() {
    beside_others("devices_are_listed_by_the_names_they_are_opened_by", |_| {
        let devices = device::devices();
        let sink = devices.iter().find(|device| device.id == SINK).expect("the sink");
        assert!(sink.is_default && sink.formats.contains(&"f32".to_owned()), "{sink:?}");
        assert!(
            devices
                .iter()
                .all(|device| device.id != "alsa:null" && device.id.parse::<device::DeviceName>().is_ok())
        );
    });
}

#[test]
fn the_callback_allocates_nothing() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (mut line, mut feed) = feed::line("test".to_owned(), 2, clock);
    let (sound, mut floats, mut shorts) = ([0.5; 1_500], [0.0_f32; 2_048], [0_i16; 2_048]);
    let counted = allocation_counter::measure(|| {
        for _ in 0..200 {
            assert!(line.way.push(&sound));
            feed.fill(&mut floats, Duration::from_millis(40));
            assert!(line.way.push(&sound));
            feed.fill(&mut shorts, Duration::from_millis(40));
        }
    });
    assert_eq!(counted.count_total, 0);
    assert_eq!(line.meter.taken(), 200 * 1_500);
    assert!(duration_of(line.meter.starved()) > Duration::ZERO, "silence was part of it");
}

/// Milliseconds that the host of a virtual machine has kept processors to itself, since the start.
fn stolen_time() -> u64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    stat.split_whitespace().nth(8).unwrap().parse::<u64>().unwrap() * 10
}

/// What this process uses of processors while `work` runs.
fn processor_time(work: impl FnOnce()) -> Duration {
    let used = || {
        let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).unwrap();
        [usage.user_time(), usage.system_time()]
            .map(|time| {
                let microseconds = time.tv_sec() * 1_000_000 + time.tv_usec();
                Duration::from_micros(microseconds.unsigned_abs())
            })
            .iter()
            .sum::<Duration>()
    };
    let before = used();
    work();
    used().saturating_sub(before)
}
