//! A sound server that stands still near a hard start: what that costs on the air, and that the log says the same.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use loa::asrun::{Airing, Cause, Outcome};

use crate::program::{SECOND, seconds};
use crate::sound::measure::{RATE, Recording, Stretch, rising, second_of};
use crate::sound::rig::{milliseconds, wait_until, with_server};
use crate::sound::station::{Slot, Station, sleep_until};

/// So near, in milliseconds, is what is joined to its place, and the log to what was heard: a server that stood still is
/// asked only a few times before sound goes on, and its null sink has yet to catch up. The faults meant here are of hundreds.
const CLOSE: f64 = 40.0;
/// From one piece to the next.
const APART: i32 = 7;

/// The server stands still `from` a piece's start, in milliseconds, and for so long.
struct Stall {
    from: i64,
    length: i64,
    /// How many seconds long the piece is.
    piece: usize,
}

/// What was heard of a piece, and what the log says of it.
struct Heard {
    /// Its planned start.
    at: Timestamp,
    stretch: Stretch,
    /// When it began and ended, in milliseconds after its planned start.
    from: f64,
    to: f64,
    /// How far into the piece it began, in milliseconds.
    begins: f64,
    airing: Airing,
}

/// One piece for each stall, at its second.
fn play(name: &str, stalls: &[Stall]) -> Vec<Heard> {
    let mut all = Vec::new();
    with_server(name, |server| {
        let mut station = Station::new();
        for length in [3, 4] {
            station.record(&format!("{length}.wav"), None, rising(length * SECOND));
        }
        let first = station.soon() + seconds(1);
        let at = |n: usize| first + seconds(1) * APART * i32::try_from(n).unwrap();
        let slot =
            |(n, stall): (usize, &Stall)| Slot::hard(format!("p{n}"), at(n), &format!("{}.wav", stall.piece));
        let slots: Vec<_> = stalls.iter().enumerate().map(slot).collect();
        station.week("", &slots, at(stalls.len()) + seconds(60));
        let recorder = server.record();
        station.serve();
        for (n, stall) in stalls.iter().enumerate() {
            sleep_until(at(n) + SignedDuration::from_millis(stall.from));
            server.stand_still(Duration::from_millis(stall.length.unsigned_abs()));
        }
        let last = format!("p{}", stalls.len() - 1);
        sleep_until(at(stalls.len() - 1) + seconds(6));
        wait_until("it is logged", || station.airing(&last).outcome() != Outcome::OnAir);
        let recording = recorder.finish();
        all = (0..stalls.len()).map(|n| heard(&recording, at(n), station.airing(&format!("p{n}")))).collect();
        station.stop();
    });
    for Heard { from, to, begins, airing, .. } in &all {
        println!("{from:.1} to {to:.1} ms, from {begins:.1} ms into it: {:?}", airing.outcome());
    }
    all
}

fn heard(recording: &Recording, at: Timestamp, airing: Airing) -> Heard {
    let near = |stretch: &&Stretch| {
        (-1_000.0..f64::from(APART) * 750.0).contains(&milliseconds(at, recording.at(stretch.from)))
    };
    let all = recording.stretches(Duration::from_millis(100));
    let [stretch] = all.iter().filter(near).collect::<Vec<_>>()[..] else {
        panic!("it is not heard once: {all:?}\n{airing:#?}")
    };
    let [from, to] = [stretch.from, stretch.to].map(|frame| milliseconds(at, recording.at(frame)));
    // Half a second into it, past its fade.
    let begins = second_of(recording.pitch(stretch.from + SECOND / 2)) * 1e3 - 500.0;
    assert_eq!(recording.gaps(*stretch), []);
    Heard { at, stretch: *stretch, from, to, begins, airing }
}

impl Heard {
    /// The log says of its beginning and its end, and of holes, what was heard.
    fn check(&self) {
        let end = self.airing.takes.last().unwrap().end.as_ref().unwrap();
        let [from, to] = [end.started, end.ended].map(|instant| milliseconds(self.at, instant.unwrap()));
        let off = (from - self.from).abs().max((to - self.to).abs());
        println!("what is logged is off by {off:.2} ms");
        assert!(off < CLOSE, "{:#?}", self.airing);
        assert_eq!(self.airing.starved(), 0, "it has no hole: {:#?}", self.airing);
    }
}

#[test]
fn a_hole_in_the_silence_before_a_piece_is_not_the_pieces() {
    // The second one has the server back after its start, too little later to be joined.
    let stalls = [(-1_000, 900), (-600, 1_000), (-400, 350)];
    let stalls = stalls.map(|(from, length)| Stall { from, length, piece: 3 });
    for (heard, stall) in
        play("stall::a_hole_in_the_silence_before_a_piece_is_not_the_pieces", &stalls).iter().zip(&stalls)
    {
        heard.check();
        assert_eq!(heard.airing.outcome(), Outcome::Aired);
        assert_eq!(heard.stretch.len(), 3 * RATE as usize);
        let due = (stall.from + stall.length).max(0) as f64;
        assert!((-1.0..150.0).contains(&(heard.from - due)), "{} ms after {due}", heard.from);
    }
}

#[test]
fn after_a_stall_over_a_start_the_sound_is_back_with_the_server() {
    let stalls =
        [(-1_000, 1_700, 4), (-1_000, 1_700, 3)].map(|(from, length, piece)| Stall { from, length, piece });
    for (heard, stall) in play("stall::after_a_stall_over_a_start_the_sound_is_back_with_the_server", &stalls)
        .iter()
        .zip(&stalls)
    {
        heard.check();
        assert_eq!(heard.airing.outcome(), Outcome::Partly(Cause::JoinedLate));
        let due = (stall.from + stall.length) as f64;
        assert!((0.0..250.0).contains(&(heard.from - due)), "{} ms after {due}", heard.from);
        assert!((heard.begins - heard.from).abs() < CLOSE, "{} ms into it", heard.begins);
        assert!((heard.to - (stall.piece * 1_000) as f64).abs() < CLOSE, "{}", heard.to);
    }
}

#[test]
fn of_two_stalls_about_a_start_one_is_before_the_piece_and_one_is_in_it() {
    with_server("stall::of_two_stalls_about_a_start_one_is_before_the_piece_and_one_is_in_it", |server| {
        let mut station = Station::new();
        station.record("3.wav", None, rising(3 * SECOND));
        let at = station.soon() + seconds(1);
        station.week("", &[Slot::hard("p", at, "3.wav")], at + seconds(60));
        let recorder = server.record();
        station.serve();
        for (from, length) in [(-400, 350), (50, 400)] {
            sleep_until(at + SignedDuration::from_millis(from));
            server.stand_still(Duration::from_millis(length));
        }
        sleep_until(at + seconds(5));
        wait_until("it is logged", || station.airing("p").outcome() != Outcome::OnAir);
        let (recording, airing) = (recorder.finish(), station.airing("p"));
        station.stop();
        let stretches = recording.stretches(Duration::from_millis(50));
        let [before, after] = stretches[..] else { panic!("it has one hole: {stretches:?}\n{airing:#?}") };
        let end = airing.takes.last().unwrap().end.as_ref().unwrap();
        let hole = (after.from - before.to) as f64 / f64::from(RATE) * 1e3;
        let logged = airing.starved() as f64 / f64::from(RATE) * 1e3;
        let off = [(end.started, before.from), (end.ended, after.to)]
            .map(|(logged, frame)| milliseconds(logged.unwrap(), recording.at(frame)));
        println!("the log is off by {off:.2?} ms; a hole of {hole:.1} ms, {logged:.1} logged");
        assert!(off.iter().all(|off| off.abs() < CLOSE) && (hole - logged).abs() < 20.0, "{airing:#?}");
    });
}

#[test]
fn after_a_server_is_back_a_piece_is_joined_in_its_place_and_logged_as_heard() {
    let name = "stall::after_a_server_is_back_a_piece_is_joined_in_its_place_and_logged_as_heard";
    with_server(name, |server| {
        let mut station = Station::new();
        station.record("6.wav", None, rising(6 * SECOND));
        let at = station.soon() + seconds(1);
        station.week("", &[Slot::hard("p", at, "6.wav")], at + seconds(60));
        station.serve();
        sleep_until(at - SignedDuration::from_millis(300));
        server.kill();
        server.restart();
        let recorder = server.record();
        sleep_until(at + seconds(7));
        wait_until("it is logged", || station.airing("p").outcome() != Outcome::OnAir);
        let heard = heard(&recorder.finish(), at, station.airing("p"));
        station.stop();
        println!("{:.1} to {:.1} ms, from {:.1} ms into it", heard.from, heard.to, heard.begins);
        heard.check();
        assert!(heard.from < 5_000.0 && (heard.begins - heard.from).abs() < CLOSE);
        assert!((heard.to - 6_000.0).abs() < CLOSE);
    });
}
