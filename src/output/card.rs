//! A sound card as an engine sees it.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::device::DeviceName;
use super::feed::{Line, Meter};
use super::pace::{Pace, wall_at, wall_then};
use super::supervisor::{Order, Supervisor};
use super::{CHANNELS, CHUNK_FRAMES, Hole, Lost, Output, OutputError, duration_of, frames_of};
use crate::clock::Clock;

/// How long a write waits for a device that may be about to run: longer than the supervisor takes for its verdict.
const PATIENCE: Duration = Duration::from_secs(7);
/// How long a device that was lost and is back may take to tell when its frames leave. A null sink to which nobody listened
/// takes 2 s; some never do.
const SETTLING: Duration = Duration::from_secs(3);
/// A server that plays asks for frames more often than this.
const ALIVE: Duration = Duration::from_millis(150);
/// What it plays meanwhile.
const SILENCE: [f32; CHUNK_FRAMES * CHANNELS] = [0.0; CHUNK_FRAMES * CHANNELS];

/// Plays on a sound device, found again whenever it is lost.
#[derive(Debug)]
pub struct Card {
    clock: Arc<dyn Clock>,
    supervisor: Supervisor,
    line: Option<Line>,
    /// Frames given to the line.
    pushed: u64,
    /// How often the device had asked for frames when that was last looked at, and when it was seen to, by the clock's `elapsed`.
    calls: (u64, Duration),
    /// The first of them that were silence while it settled, and are nobody's.
    silent: u64,
    /// A line that plays silence until it is known when its frames leave: a piece that starts or is joined before would be
    /// out of its place, and its start logged before it is heard.
    settling: Option<Settling>,
    /// A write found the device down since there was a line.
    lost: bool,
    /// The line at hand, or the last one: a resting device still plays what it has.
    meter: Option<Arc<Meter>>,
    /// What became of the lines before it.
    delivered: u64,
    starved: u64,
    resting: bool,
    /// Gives the time while there is no line.
    pace: Pace,
    device: String,
}

/// A line to a device that was lost and is back.
#[derive(Debug)]
struct Settling {
    line: Line,
    pushed: u64,
    /// When it is taken as it is, by the clock's `elapsed`.
    give_up: Duration,
}

impl Card {
    /// Opens a device as soon as it is there.
    pub fn open(name: DeviceName, clock: Arc<dyn Clock>) -> Result<Self, OutputError> {
        let device = name.to_string();
        Ok(Self {
            supervisor: Supervisor::start(name, Arc::clone(&clock))?,
            pace: Pace::new(Arc::clone(&clock)),
            clock,
            line: None,
            pushed: 0,
            calls: (0, Duration::ZERO),
            silent: 0,
            settling: None,
            lost: false,
            meter: None,
            delivered: 0,
            starved: 0,
            resting: false,
            device,
        })
    }

    /// Has a line to write to, where there can be one. Waits for it while the device is being opened, but not for a device that is
    /// lost.
    fn ready(&mut self) {
        if self.resting {
            self.resting = !self.supervisor.order(Order::Wake);
        }
        if self.line.as_ref().is_some_and(|line| line.meter.has_ended()) {
            self.lose();
        }
        let give_up = self.clock.elapsed() + PATIENCE;
        while self.line.is_none() {
            if let Some(line) = self.supervisor.new_line() {
                let give_up = self.clock.elapsed() + SETTLING;
                if self.lost {
                    self.settling = Some(Settling { line, pushed: 0, give_up });
                } else {
                    self.take(line, 0);
                }
            } else if self.settling.is_some() {
                self.settle();
                break;
            } else if self.supervisor.health.is_down() || self.clock.elapsed() >= give_up {
                break;
            } else {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Goes on with a line that settles; takes it if it has.
    fn settle(&mut self) {
        let Some(mut settling) = self.settling.take() else { return };
        let Line { way, meter, .. } = &mut settling.line;
        way.wait();
        if meter.has_ended() {
            self.lose();
        } else if meter.is_sure() || self.clock.elapsed() >= settling.give_up {
            meter.forgive();
            self.take(settling.line, settling.pushed);
        } else {
            while way.push(&SILENCE) {
                settling.pushed += frames_of(&SILENCE);
            }
            self.settling = Some(settling);
        }
    }

    /// Gives the line up; the supervisor looks after the device at once.
    fn lose(&mut self) {
        if let Some(line) = self.line.take().filter(|line| line.way.tells_late()) {
            // One that asked for nothing any more stood still before.
            let alive = self.clock.elapsed().min(self.calls.1 + ALIVE);
            line.meter.reach_by(alive, self.pushed);
        }
        let _full = self.supervisor.order(Order::Wake);
    }

    /// Takes a line to which that much silence was given.
    fn take(&mut self, line: Line, silent: u64) {
        if let Some(last) = self.meter.replace(Arc::clone(&line.meter)) {
            self.delivered += last.taken().saturating_sub(self.silent);
            self.starved += last.starved();
        }
        self.device.clone_from(&line.device);
        (self.pushed, self.silent) = (silent, silent);
        self.lost = false;
        self.calls = (line.meter.calls(), self.clock.elapsed());
        self.line = Some(line);
        self.pace.restart();
    }

    /// Pushes at most a chunk, when there is room for it.
    fn push(&mut self, samples: &[f32]) -> Result<(), Lost> {
        let clock = Arc::clone(&self.clock);
        self.ready();
        let Some(line) = &mut self.line else { return Err(Lost) };
        let give_up = clock.elapsed() + PATIENCE;
        while !line.way.push(samples) {
            line.way.wait();
            let calls = line.meter.calls();
            if calls != self.calls.0 {
                self.calls = (calls, clock.elapsed());
            }
            if line.meter.has_ended() || clock.elapsed() >= give_up {
                self.lose();
                return Err(Lost);
            }
        }
        self.pushed += frames_of(samples);
        Ok(())
    }
}

impl Output for Card {
    fn write(&mut self, samples: &[f32]) -> Result<(), Lost> {
        let mut outcome = Ok(());
        for chunk in samples.chunks(CHUNK_FRAMES * CHANNELS) {
            let pushed = self.push(chunk);
            if pushed.is_err() {
                self.lost = true;
                self.pace.keep(frames_of(chunk));
            }
            outcome = outcome.and(pushed);
        }
        outcome
    }

    fn next_frame_at(&mut self) -> Timestamp {
        let Some(line) = &self.line else { return self.pace.next_frame_at() };
        let leaves = line.meter.leaves_at(self.pushed);
        let leaves = leaves.unwrap_or_else(|| self.clock.elapsed() + duration_of(line.way.queued()));
        wall_at(self.clock.as_ref(), leaves)
    }

    fn is_sure(&self) -> bool {
        self.line.as_ref().is_none_or(|line| line.meter.is_sure())
    }

    fn delivered(&self) -> u64 {
        self.delivered + self.meter.as_ref().map_or(0, |meter| meter.taken().saturating_sub(self.silent))
    }

    fn under_way(&self) -> u64 {
        let open = self.line.as_ref().filter(|line| !line.meter.has_ended());
        open.map_or(0, |line| self.pushed.saturating_sub(line.meter.taken().max(self.silent)))
    }

    fn rest(&mut self, _until: Timestamp) {
        if !self.resting {
            self.resting = self.supervisor.order(Order::Rest);
            // The line stays: one who wakes before the device was let go plays on through it.
            if let Some(line) = &mut self.line {
                line.way.pause();
            }
            self.pace.restart();
        }
    }

    fn device(&self) -> String {
        self.device.clone()
    }

    fn is_up(&self) -> bool {
        self.supervisor.health.is_up()
    }

    fn starved(&self) -> u64 {
        self.starved + self.meter.as_ref().map_or(0, |meter| meter.starved())
    }

    fn hole(&self) -> Hole {
        let Hole { from, to } = self.meter.as_ref().map_or_else(Hole::default, |meter| meter.hole());
        let [from, to] = [from, to].map(|frame| frame.saturating_sub(self.silent));
        Hole { from, to }.later(self.delivered)
    }

    fn next_frame_after_hole_at(&mut self) -> Timestamp {
        let meter = self.line.as_ref().map(|line| &line.meter);
        let known = meter.and_then(|meter| meter.hole_leaves().map(|leaves| (leaves, meter.hole().to)));
        match known {
            Some((leaves, to)) => {
                let next = leaves + duration_of(self.pushed.saturating_sub(to));
                wall_then(self.clock.as_ref(), next)
            }
            None => self.next_frame_at(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rtrb::Producer;

    use super::*;
    use crate::clock::ManualClock;
    use crate::output::feed::{FrameClock, Way};

    const CHUNK: u64 = CHUNK_FRAMES as u64;
    const SOUND: [f32; CHUNK_FRAMES * CHANNELS] = [0.5; CHUNK_FRAMES * CHANNELS];

    /// A device with room for ten chunks, which counts those that sound.
    #[derive(Debug)]
    struct Room {
        meter: Arc<Meter>,
        pushed: u64,
        sounding: Arc<AtomicU64>,
        /// It ends when it is waited for: after it asked for frames once more, or without.
        ends: Arc<Mutex<Option<bool>>>,
    }

    impl Way for Room {
        fn push(&mut self, samples: &[f32]) -> bool {
            let room = self.queued() < 10 * CHUNK;
            if room {
                self.pushed += frames_of(samples);
                self.sounding.fetch_add(u64::from(samples[0] > 0.0), Ordering::SeqCst);
            }
            room
        }

        fn wait(&mut self) {
            if let Some(asks) = *self.ends.lock().unwrap() {
                if asks {
                    self.meter.call();
                }
                self.meter.end();
            }
        }

        fn queued(&self) -> u64 {
            self.pushed - self.meter.taken()
        }

        fn pause(&mut self) {}
    }

    /// A card whose device was lost and is back, and what becomes of it.
    struct Rig {
        card: Card,
        clock: Arc<ManualClock>,
        meter: Arc<Meter>,
        sounding: Arc<AtomicU64>,
        ends: Arc<Mutex<Option<bool>>>,
        _lines: Producer<Line>,
    }

    fn back() -> Rig {
        let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_000).unwrap()));
        clock.advance(Duration::from_secs(100));
        let mut card =
            Card::open("alsa:none".parse().unwrap(), Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        let (supervisor, mut lines) = Supervisor::of_lines();
        card.supervisor = supervisor;
        assert_eq!(card.write(&SOUND), Err(Lost));
        clock.advance(duration_of(CHUNK));
        let (meter, sounding, ends) = (Arc::new(Meter::new()), Arc::default(), Arc::default());
        let room = Room {
            meter: Arc::clone(&meter),
            pushed: 0,
            sounding: Arc::clone(&sounding),
            ends: Arc::clone(&ends),
        };
        let line = Line { way: Box::new(room), meter: Arc::clone(&meter), device: "card".to_owned() };
        lines.push(line).unwrap();
        Rig { card, clock, meter, sounding, ends, _lines: lines }
    }

    impl Rig {
        /// Writes a chunk, and time goes on.
        fn write(&mut self) -> Result<(), Lost> {
            let written = self.card.write(&SOUND);
            self.clock.advance(duration_of(CHUNK));
            written
        }
    }

    #[test]
    fn a_device_that_is_back_has_sound_once_it_is_known_when_that_leaves() {
        let mut rig = back();
        let mut frame_clock =
            FrameClock::<8>::new(Arc::clone(&rig.meter), Arc::clone(&rig.clock) as Arc<dyn Clock>);
        for chunk in 0..20 {
            assert_eq!(rig.write(), Err(Lost));
            assert_eq!((rig.card.delivered(), rig.card.under_way()), (0, 0));
            let next = rig.card.next_frame_at();
            assert!(next.duration_since(rig.clock.now()).as_secs_f64() < 0.3, "time goes on");
            // It stands still at first.
            if chunk >= 10 {
                rig.meter.reach((chunk - 9) * CHUNK);
                frame_clock.read(2 * CHUNK + (chunk - 9) * CHUNK, duration_of(2 * CHUNK));
            }
            if rig.meter.is_sure() {
                break;
            }
        }
        assert!(rig.meter.is_sure() && rig.sounding.load(Ordering::SeqCst) == 0);
        rig.meter.starve(100, Hole::after(CHUNK));
        let taken = rig.meter.taken() + CHUNK;
        rig.meter.reach(taken);
        assert_eq!(rig.write(), Ok(()));
        assert_eq!(rig.sounding.load(Ordering::SeqCst), 1);
        assert_eq!((rig.card.delivered(), rig.card.under_way(), rig.card.starved()), (0, CHUNK, 0));
        let leaves = rig.meter.leaves_at(rig.card.pushed).unwrap();
        assert_eq!(rig.card.next_frame_at(), wall_at(rig.clock.as_ref(), leaves));
        // What it has still of the silence is no sound that was delivered.
        let silent = rig.card.silent;
        assert!(silent >= taken + 8 * CHUNK, "{silent} after {taken}");
        rig.meter.reach(silent);
        assert_eq!(rig.card.delivered(), 0);
        rig.meter.reach(silent + 100);
        assert_eq!((rig.card.delivered(), rig.card.under_way()), (100, CHUNK - 100));
        rig.meter.starve(50, Hole::after(silent + 100));
        assert_eq!((rig.card.starved(), rig.card.hole()), (50, Hole::after(100)));
    }

    #[test]
    fn a_device_that_never_tells_is_not_waited_for_for_ever() {
        let mut rig = back();
        let began = rig.clock.elapsed();
        while rig.write().is_err() {
            rig.meter.reach(rig.meter.taken() + CHUNK);
        }
        let took = rig.clock.elapsed().saturating_sub(began);
        assert!(took.abs_diff(SETTLING) < Duration::from_millis(50), "{took:?}");
        assert!(rig.card.next_frame_at() >= rig.clock.now());
    }

    #[test]
    fn what_left_before_a_loss_is_counted_though_nobody_said_so_and_no_more() {
        let millisecond = Duration::from_millis;
        // When it was lost after ten chunks were written, the first of which left after 100 ms; whether it had asked for more just
        // before; and for how long something of them was heard.
        let cases =
            [(50, true, 0), (200, true, 100), (200, false, 50), (5_000, false, 50), (5_000, true, 213)];
        for (lost, asked, heard) in cases {
            let mut rig = back();
            let mut frame_clock =
                FrameClock::<8>::new(Arc::clone(&rig.meter), Arc::clone(&rig.clock) as Arc<dyn Clock>);
            for _ in 0..8 {
                frame_clock.read(0, millisecond(100));
            }
            for _ in 0..10 {
                assert_eq!(rig.card.write(&SOUND), Ok(()));
            }
            rig.clock.advance(millisecond(lost));
            *rig.ends.lock().unwrap() = Some(asked);
            assert_eq!(rig.card.write(&SOUND), Err(Lost));
            let counted = duration_of(rig.card.delivered());
            let heard = millisecond(heard);
            assert!(counted.abs_diff(heard) < millisecond(1), "{counted:?}, not {heard:?}, at {lost} ms");
        }
    }

    #[test]
    fn a_device_that_is_lost_again_before_it_is_known_is_looked_for_again() {
        let mut rig = back();
        assert_eq!(rig.write(), Err(Lost));
        assert!(rig.card.settling.is_some());
        rig.meter.end();
        assert_eq!(rig.write(), Err(Lost));
        assert!(rig.card.settling.is_none());
    }
}
