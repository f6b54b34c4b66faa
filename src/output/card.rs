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

/// Plays on a sound device, found again whenever it is lost.
#[derive(Debug)]
pub struct Card {
    clock: Arc<dyn Clock>,
    supervisor: Supervisor,
    line: Option<Line>,
    /// Frames given to the line.
    pushed: u64,
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
            meter: None,
            delivered: 0,
            starved: 0,
            resting: false,
            device,
        })
    }

    /// The line to write to. Waits for it while the device is being opened, but not for a device that is lost.
    fn ready(&mut self) -> Option<&mut Line> {
        if self.resting {
            self.resting = !self.supervisor.order(Order::Wake);
        }
        if self.line.as_ref().is_some_and(|line| line.meter.has_ended()) {
            self.lose();
        }
        let give_up = self.clock.elapsed() + PATIENCE;
        while self.line.is_none() {
            if let Some(line) = self.supervisor.new_line() {
                self.take(line);
            } else if self.supervisor.health.is_down() || self.clock.elapsed() >= give_up {
                break;
            } else {
                thread::sleep(Duration::from_millis(1));
            }
        }
        self.line.as_mut()
    }

    /// Gives the line up; the supervisor looks after the device at once.
    fn lose(&mut self) {
        self.line = None;
        let _full = self.supervisor.order(Order::Wake);
    }

    fn take(&mut self, line: Line) {
        if let Some(last) = self.meter.replace(Arc::clone(&line.meter)) {
            self.delivered += last.taken();
            self.starved += last.starved();
        }
        self.device.clone_from(&line.device);
        self.pushed = 0;
        self.line = Some(line);
        self.pace.restart();
    }

    /// Pushes at most a chunk, when there is room for it.
    fn push(&mut self, samples: &[f32]) -> Result<(), Lost> {
        let clock = Arc::clone(&self.clock);
        let Some(line) = self.ready() else { return Err(Lost) };
        let give_up = clock.elapsed() + PATIENCE;
        while !line.way.push(samples) {
            line.way.wait();
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

    fn delivered(&self) -> u64 {
        self.delivered + self.meter.as_ref().map_or(0, |meter| meter.taken())
    }

    fn under_way(&self) -> u64 {
        let open = self.line.as_ref().filter(|line| !line.meter.has_ended());
        open.map_or(0, |line| self.pushed.saturating_sub(line.meter.taken()))
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
        self.meter.as_ref().map_or_else(Hole::default, |meter| meter.hole()).later(self.delivered)
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
