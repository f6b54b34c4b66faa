//! The callback's side of a card: takes frames out of the ring and tells when they leave. Nothing here allocates,
//! locks, logs or waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use rodio::cpal::{FromSample, Sample};
use rtrb::{Consumer, Producer, RingBuffer};

use super::{CHANNELS, CHUNK_FRAMES, SAMPLE_RATE};
use crate::clock::Clock;

/// Frames that wait for the callback at most: 149 ms. Less, and a busy machine starves; more, and an emergency waits.
pub const RING_FRAMES: usize = 7 * CHUNK_FRAMES;
/// Callbacks on which the frame clock rests: it has found its way again half a second after a stall.
const READINGS: usize = 15;
/// A step of the frame clock from which on it is the device that stalled, not a reading that was late.
const STALL_NS: i64 = 5_000_000;
/// A reading is like the others within this.
const AGREEMENT_NS: u64 = 1_000_000;
/// No reading yet.
const UNKNOWN: i64 = i64::MIN;

/// What the callback tells the others, and they each other, of one opened stream.
#[derive(Debug)]
pub struct Meter {
    /// Nanoseconds of the clock's `elapsed` at which the device's frame 0 left, had it always run at 48 kHz.
    base: AtomicI64,
    taken: AtomicU64,
    silence: AtomicU64,
    starved: AtomicU64,
    stalled_ns: AtomicU64,
    calls: AtomicU64,
    errors: AtomicU64,
    paused: AtomicBool,
    ended: AtomicBool,
}

impl Meter {
    fn new() -> Self {
        Self {
            base: AtomicI64::new(UNKNOWN),
            taken: AtomicU64::new(0),
            silence: AtomicU64::new(0),
            starved: AtomicU64::new(0),
            stalled_ns: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            paused: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    /// Frames of sound that the device has taken.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Acquire)
    }

    /// Frames of silence that stood in for sound, after the first sound.
    pub fn starved(&self) -> u64 {
        self.starved.load(Ordering::Acquire)
    }

    /// Time that the device let pass without playing.
    pub fn stalled(&self) -> Duration {
        Duration::from_nanos(self.stalled_ns.load(Ordering::Acquire))
    }

    /// How often the device asked for frames.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Acquire)
    }

    /// How often it reported an error.
    pub(super) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Acquire)
    }

    /// Takes note of an error; returns how many there were.
    pub(super) fn error(&self) -> u64 {
        self.errors.fetch_add(1, Ordering::AcqRel).saturating_add(1)
    }

    /// The engine says that it will be silent from now, or that it is not any more.
    pub(super) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
    }

    /// Nothing will leave through this stream any more.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Whether `end` was called.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// When, by the clock's `elapsed`, the frame after `pushed` frames of sound will leave; none before the first
    /// reading.
    pub(super) fn leaves_at(&self, pushed: u64) -> Option<Duration> {
        let base = self.base.load(Ordering::Acquire);
        let position = pushed.saturating_add(self.silence.load(Ordering::Acquire));
        (base != UNKNOWN).then(|| {
            Duration::from_nanos(base.saturating_add(nanoseconds_of(position)).max(0).unsigned_abs())
        })
    }
}

/// The engine's end of a stream: frames in, and what became of them.
#[derive(Debug)]
pub struct Line {
    /// Interleaved samples on their way to the callback.
    pub ring: Producer<f32>,
    /// What became of them.
    pub meter: Arc<Meter>,
    /// The stable name of the device that the stream was opened on.
    pub device: String,
}

/// The callback's end of a stream.
#[derive(Debug)]
pub struct Feed {
    ring: Consumer<f32>,
    meter: Arc<Meter>,
    clock: Arc<dyn Clock>,
    channels: usize,
    /// Frames given to the device so far.
    position: u64,
    readings: Readings,
}

/// Joins an engine and a callback of 1 or 2 audio channels.
pub fn line(device: String, channels: usize, clock: Arc<dyn Clock>) -> (Line, Feed) {
    let (producer, consumer) = RingBuffer::new(RING_FRAMES * CHANNELS);
    let meter = Arc::new(Meter::new());
    let feed = Feed {
        ring: consumer,
        meter: Arc::clone(&meter),
        clock,
        channels,
        position: 0,
        readings: Readings { last: [0; READINGS], next: 0, filled: 0, agree: false },
    };
    (Line { ring: producer, meter, device }, feed)
}

impl Feed {
    /// Fills the device's buffer with the frames that are ready, then with silence. `lead` is how long after this call
    /// its first frame leaves; zero if the device cannot say.
    pub fn fill<T: Sample + FromSample<f32>>(&mut self, buffer: &mut [T], lead: Duration) {
        let wanted = buffer.len() / self.channels;
        self.read_clock(lead);
        let ready = self.ring.slots() / CHANNELS;
        // One that begins with less than a buffer would be heard, and then have a hole.
        let begins = self.meter.taken() > 0 || ready >= wanted.min(RING_FRAMES / 2);
        let ready = if begins { ready.min(wanted) } else { 0 };
        let mut frames = buffer.chunks_exact_mut(self.channels);
        if let Ok(chunk) = self.ring.read_chunk(ready * CHANNELS) {
            let (front, back) = chunk.as_slices();
            // The ring holds whole frames and its length is even: neither part ends inside a frame.
            let sound = front.chunks_exact(CHANNELS).chain(back.chunks_exact(CHANNELS));
            for (from, to) in sound.zip(&mut frames) {
                match (from, to) {
                    ([left, right], [l, r]) => (*l, *r) = (T::from_sample(*left), T::from_sample(*right)),
                    ([left, right], [mono]) => *mono = T::from_sample(f32::midpoint(*left, *right)),
                    (_, other) => other.fill(T::EQUILIBRIUM),
                }
            }
            chunk.commit_all();
        }
        frames.for_each(|frame| frame.fill(T::EQUILIBRIUM));
        self.count(ready, wanted);
    }

    /// Whether the frame clock should be told the lead this time, where asking for it costs something: every other time
    /// does while the readings agree, and each time while they do not.
    pub(super) fn wants_a_reading(&self) -> bool {
        !self.readings.agree || self.meter.calls().is_multiple_of(2)
    }

    fn count(&mut self, ready: usize, wanted: usize) {
        let (ready, wanted) =
            (u64::try_from(ready).unwrap_or(u64::MAX), u64::try_from(wanted).unwrap_or(u64::MAX));
        let missing = wanted.saturating_sub(ready);
        self.position = self.position.saturating_add(wanted);
        self.meter.taken.fetch_add(ready, Ordering::AcqRel);
        if missing > 0 {
            // An engine that pauses, or let go of its end, has said that it will be silent.
            let silent = self.meter.paused.load(Ordering::Acquire) || self.ring.is_abandoned();
            if self.meter.taken() > 0 && !silent {
                self.meter.starved.fetch_add(missing, Ordering::AcqRel);
            }
            self.meter.silence.fetch_add(missing, Ordering::AcqRel);
        }
        self.meter.calls.fetch_add(1, Ordering::AcqRel);
    }

    /// Adds a reading to the frame clock. The monotonic clock is read, not the wall's: a step of the wall clock is not
    /// the device's doing.
    fn read_clock(&mut self, lead: Duration) {
        if lead.is_zero() {
            return; // the device's buffer is being filled before it runs
        }
        let leaves = i64::try_from((self.clock.elapsed() + lead).as_nanos()).unwrap_or(i64::MAX);
        let base = self.readings.add(leaves.saturating_sub(nanoseconds_of(self.position)));
        let before = self.meter.base.swap(base, Ordering::AcqRel);
        let moved = if before == UNKNOWN { 0 } else { base.saturating_sub(before) };
        if moved > STALL_NS && self.readings.is_settled() {
            self.meter.stalled_ns.fetch_add(moved.unsigned_abs(), Ordering::AcqRel);
        }
    }
}

/// The last readings of the frame clock.
#[derive(Debug)]
struct Readings {
    last: [i64; READINGS],
    next: usize,
    filled: usize,
    /// Whether there are enough, and the newest is like the others.
    agree: bool,
}

impl Readings {
    /// Adds one and returns the first quartile of all. What disturbs a reading, on a busy machine, is lateness, and
    /// nearly always makes it too large: measured, they lie within 0.2 ms above a sharp edge, and now and then far above.
    fn add(&mut self, reading: i64) -> i64 {
        if let Some(place) = self.last.get_mut(self.next) {
            *place = reading;
        }
        self.next = (self.next + 1) % READINGS;
        self.filled = READINGS.min(self.filled + 1);
        let mut sorted = self.last;
        let known = sorted.get_mut(..self.filled).unwrap_or_default();
        known.sort_unstable();
        let edge = known.get(self.filled / 4).copied().unwrap_or(reading);
        self.agree = self.is_settled() && reading.abs_diff(edge) <= AGREEMENT_NS;
        edge
    }

    /// Whether it has had time to find its way since the stream began: the first readings of a new stream are wild.
    fn is_settled(&self) -> bool {
        self.filled == READINGS
    }
}

/// How long this many frames sound, in nanoseconds.
fn nanoseconds_of(frames: u64) -> i64 {
    i64::try_from(u128::from(frames) * 1_000_000_000 / u128::from(SAMPLE_RATE)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    const LEAD: Duration = Duration::from_millis(40);

    /// A clock that starts at 100 s of `elapsed`, so that bases are positive.
    fn clock() -> Arc<ManualClock> {
        let clock = Arc::new(ManualClock::new(jiff::Timestamp::UNIX_EPOCH));
        clock.advance(Duration::from_secs(100));
        clock
    }

    fn stereo(clock: &Arc<ManualClock>) -> (Line, Feed) {
        line("test".to_owned(), 2, Arc::clone(clock) as Arc<dyn Clock>)
    }

    /// One callback of 960 frames, 20 ms.
    fn call(feed: &mut Feed, clock: &ManualClock, lead: Duration) -> Vec<f32> {
        call_late(feed, clock, lead, Duration::ZERO)
    }

    /// One that comes late, to a device that does not know it.
    fn call_late(feed: &mut Feed, clock: &ManualClock, lead: Duration, late: Duration) -> Vec<f32> {
        let mut buffer = vec![9.0; 1_920];
        clock.advance(late);
        feed.fill(&mut buffer, lead);
        clock.advance(Duration::from_millis(20).saturating_sub(late));
        buffer
    }

    #[test]
    fn every_frame_comes_out_once_in_order_also_over_the_rings_end() {
        let clock = clock();
        let (mut line, mut feed) = stereo(&clock);
        let mut sent = 0_u16;
        let mut heard = Vec::new();
        for _ in 0..30 {
            let samples: Vec<f32> = std::iter::repeat_with(|| {
                sent += 1;
                f32::from(sent)
            })
            .take(1_920)
            .collect();
            line.ring.push_entire_slice(&samples).unwrap();
            heard.extend(call(&mut feed, &clock, LEAD));
        }
        assert!(heard.iter().copied().eq((1..=sent).map(f32::from)));
        assert_eq!((line.meter.taken(), line.meter.starved()), (30 * 960, 0));
    }

    #[test]
    fn an_empty_ring_gives_silence_that_is_counted_after_the_first_sound() {
        let clock = clock();
        let (mut line, mut feed) = stereo(&clock);
        assert_eq!(call(&mut feed, &clock, LEAD), [0.0; 1_920]);
        assert_eq!(line.meter.starved(), 0, "nothing was to sound yet");
        line.ring.push_entire_slice(&[0.5; 200]).unwrap();
        assert_eq!(call(&mut feed, &clock, LEAD), [0.0; 1_920], "no sound begins with a hole after it");
        line.ring.push_entire_slice(&[0.5; 1_920]).unwrap();
        assert_eq!(call(&mut feed, &clock, LEAD), [0.5; 1_920]);
        let heard = call(&mut feed, &clock, LEAD);
        assert_eq!(heard[..200], [0.5; 200]);
        assert_eq!(heard[200..], [0.0; 1_720]);
        assert_eq!((line.meter.taken(), line.meter.starved()), (1_060, 860));
        line.meter.pause(true);
        call(&mut feed, &clock, LEAD);
        line.meter.pause(false);
        assert_eq!(line.meter.starved(), 860, "an engine that rests is not late");
        drop(line.ring);
        call(&mut feed, &clock, LEAD);
        assert_eq!(line.meter.starved(), 860, "an engine that has gone is not late");
    }

    #[test]
    fn one_audio_channel_gets_the_mean_of_two() {
        let clock = clock();
        let (mut line, mut feed) = line("test".to_owned(), 1, Arc::clone(&clock) as Arc<dyn Clock>);
        line.ring.push_entire_slice(&[1.0, 0.0, -0.5, -0.5]).unwrap();
        let mut buffer = [9_i16; 2];
        feed.fill(&mut buffer, LEAD);
        assert_eq!(buffer, [16_384, -16_384]);
    }

    #[test]
    fn the_frame_clock_counts_from_the_buffers_own_latency() {
        let clock = clock();
        let (mut line, mut feed) = stereo(&clock);
        call(&mut feed, &clock, Duration::ZERO);
        assert_eq!(line.meter.leaves_at(0), None, "a device that does not run yet has no clock");
        call(&mut feed, &clock, LEAD);
        // 1 920 frames of silence went before; the next callback, at 100.04 s, leaves at 100.06 + lag 0.02.
        assert_eq!(line.meter.leaves_at(0), Some(Duration::from_millis(100_080)));
        line.ring.push_entire_slice(&[0.5; 960]).unwrap();
        assert_eq!(line.meter.leaves_at(480), Some(Duration::from_millis(100_090)));
    }

    #[test]
    fn late_callbacks_do_not_move_the_frame_clock_and_a_stall_does() {
        let clock = clock();
        let (line, mut feed) = stereo(&clock);
        for _ in 0..READINGS {
            call(&mut feed, &clock, LEAD);
        }
        let leaves = |line: &Line| line.meter.leaves_at(0).unwrap().saturating_sub(clock.elapsed());
        let before = leaves(&line);
        for _ in 0..11 {
            call_late(&mut feed, &clock, LEAD, Duration::from_millis(8));
        }
        assert_eq!(leaves(&line), before);
        assert_eq!(line.meter.stalled(), Duration::ZERO);
        clock.advance(Duration::from_millis(500));
        for _ in 0..READINGS {
            call(&mut feed, &clock, LEAD);
        }
        assert_eq!(line.meter.stalled(), Duration::from_millis(500), "once, and in full");
    }
}
