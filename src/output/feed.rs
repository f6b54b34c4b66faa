//! A card's stream: the engine's end of the ring, the callback's end, and what both know of when frames leave. Nothing
//! on the callback's side allocates, locks, logs or waits.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rodio::cpal::{FromSample, Sample};
use rtrb::{Consumer, Producer, RingBuffer};

use super::device::PERIOD_FRAMES;
use super::{CHANNELS, CHUNK_FRAMES, Hole, duration_of, frames_during};
use crate::clock::Clock;

/// Frames that wait for the callback at most: 149 ms. Less, and a busy machine starves; more, and an emergency waits.
pub const RING_FRAMES: usize = 7 * CHUNK_FRAMES;
/// Frames for which there is room in it when an engine is woken that had to wait: 85 ms. Less wakes it more often than
/// it must; more, and less is left for a machine that is busy.
const ROOM_FRAMES: usize = 4 * CHUNK_FRAMES;
/// Readings on which a card's frame clock rests: it has found its way again half a second after a stall.
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
    hole_from: AtomicU64,
    hole_to: AtomicU64,
    /// Nanoseconds of the clock's `elapsed` at which the frame after the hole left, where that is to be told.
    hole_leaves: AtomicI64,
    stalled_ns: AtomicU64,
    sure: AtomicBool,
    calls: AtomicU64,
    errors: AtomicU64,
    paused: AtomicBool,
    ended: AtomicBool,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self {
            base: AtomicI64::new(UNKNOWN),
            taken: AtomicU64::new(0),
            silence: AtomicU64::new(0),
            starved: AtomicU64::new(0),
            hole_from: AtomicU64::new(0),
            hole_to: AtomicU64::new(0),
            hole_leaves: AtomicI64::new(UNKNOWN),
            stalled_ns: AtomicU64::new(0),
            sure: AtomicBool::new(false),
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

    /// Frames of silence that stood in for sound, after the first sound: it came late, or the device stood still.
    pub fn starved(&self) -> u64 {
        self.starved.load(Ordering::Acquire)
    }

    /// Where the newest of them were.
    pub(super) fn hole(&self) -> Hole {
        Hole { from: self.hole_from.load(Ordering::Acquire), to: self.hole_to.load(Ordering::Acquire) }
    }

    /// When the frame after the newest hole left, by the clock's `elapsed`, where that was told: another one may have come
    /// since of which the length is not known, and then the clock does not tell it.
    pub(super) fn hole_leaves(&self) -> Option<Duration> {
        let leaves = self.hole_leaves.load(Ordering::Acquire);
        (leaves != UNKNOWN).then(|| Duration::from_nanos(leaves.max(0).unsigned_abs()))
    }

    /// Takes note of when the frame after the newest hole left.
    pub(super) fn leave_hole(&self, leaves: Duration) {
        self.hole_leaves.store(i64::try_from(leaves.as_nanos()).unwrap_or(i64::MAX), Ordering::Release);
    }

    /// Takes note of frames of silence that stood in for sound, and of where.
    pub(super) fn starve(&self, frames: u64, hole: Hole) {
        self.hole_leaves.store(UNKNOWN, Ordering::Release);
        self.hole_from.store(hole.from, Ordering::Release);
        self.hole_to.store(hole.to, Ordering::Release);
        self.starved.fetch_add(frames, Ordering::AcqRel);
    }

    /// Takes note that the device has taken so many frames in all.
    pub(super) fn reach(&self, frames: u64) {
        self.taken.fetch_max(frames, Ordering::AcqRel);
    }

    /// Takes note that of the frames pushed those have left which were to leave by a time of the clock's `elapsed`, where it is
    /// known when they do.
    pub(super) fn reach_by(&self, time: Duration, pushed: u64) {
        let Some(leaves) = self.leaves_at(pushed).filter(|_| self.is_sure()) else { return };
        self.reach(pushed.saturating_sub(frames_during(leaves.saturating_sub(time))));
    }

    /// Takes note that the device asked for frames.
    pub(super) fn call(&self) {
        self.calls.fetch_add(1, Ordering::AcqRel);
    }

    /// Takes note of time that the device let pass without playing: a hole for who listens, though no frame is lost.
    pub(super) fn stall(&self, Stall { time, hole }: Stall) {
        self.starve(frames_during(time), hole);
        self.stalled_ns.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::AcqRel);
    }

    /// Time that the device let pass without playing.
    pub fn stalled(&self) -> Duration {
        Duration::from_nanos(self.stalled_ns.load(Ordering::Acquire))
    }

    /// Frames that the device has taken, silence included.
    pub(super) fn played(&self) -> u64 {
        self.taken().saturating_add(self.silence.load(Ordering::Acquire))
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

    /// Whether it is known for certain when frames leave.
    pub(super) fn is_sure(&self) -> bool {
        self.sure.load(Ordering::Acquire)
    }

    /// What has left so far was silence that filled the time; what was wanting of it nobody has missed.
    pub(super) fn forgive(&self) {
        self.starved.store(0, Ordering::Release);
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

/// The way from an engine to an opened device.
pub trait Way: Debug + Send {
    /// Takes interleaved samples, all of them or none; whether it did.
    fn push(&mut self, samples: &[f32]) -> bool;
    /// Waits until there should be room for several chunks, or until it is clear that there will be none.
    fn wait(&mut self);
    /// Frames that will leave before the next one pushed, for all one can tell before the device runs.
    fn queued(&self) -> u64;
    /// Nothing will be pushed for a while.
    fn pause(&mut self);
    /// Whether frames may leave of which the meter does not say yet that they were taken: a server tells that now and then.
    fn tells_late(&self) -> bool {
        true
    }
}

/// The engine's end of a stream: frames in, and what became of them.
#[derive(Debug)]
pub struct Line {
    /// Frames in.
    pub way: Box<dyn Way>,
    /// What became of them.
    pub meter: Arc<Meter>,
    /// The stable name of the device that the stream was opened on.
    pub device: String,
}

/// The way to a callback: a ring.
#[derive(Debug)]
struct Ring {
    /// Interleaved samples.
    ring: Producer<f32>,
    meter: Arc<Meter>,
}

impl Way for Ring {
    fn push(&mut self, samples: &[f32]) -> bool {
        let taken = self.ring.push_entire_slice(samples).is_ok();
        if taken {
            self.meter.pause(false);
        }
        taken
    }

    fn wait(&mut self) {
        let missing = ROOM_FRAMES.saturating_sub(self.ring.slots() / CHANNELS);
        // Room comes a callback at a time; the ring holds enough to sleep until there should be plenty.
        thread::sleep(duration_of(missing.try_into().unwrap_or(0)).max(Duration::from_millis(1)));
    }

    fn queued(&self) -> u64 {
        let queued = RING_FRAMES.saturating_sub(self.ring.slots() / CHANNELS);
        // What is in the ring, and the device's own buffer of two periods.
        u64::try_from(queued).unwrap_or(0) + 2 * u64::from(PERIOD_FRAMES)
    }

    fn pause(&mut self) {
        self.meter.pause(true);
    }

    fn tells_late(&self) -> bool {
        false
    }
}

/// The callback's end of a stream.
#[derive(Debug)]
pub struct Feed {
    ring: Consumer<f32>,
    meter: Arc<Meter>,
    channels: usize,
    /// Frames given to the device so far.
    position: u64,
    frame_clock: FrameClock<READINGS>,
}

/// Joins an engine and a callback of 1 or 2 audio channels.
pub fn line(device: String, channels: usize, clock: Arc<dyn Clock>) -> (Line, Feed) {
    let (producer, consumer) = RingBuffer::new(RING_FRAMES * CHANNELS);
    let meter = Arc::new(Meter::new());
    let feed = Feed {
        ring: consumer,
        meter: Arc::clone(&meter),
        channels,
        position: 0,
        frame_clock: FrameClock::new(Arc::clone(&meter), clock),
    };
    let ring = Ring { ring: producer, meter: Arc::clone(&meter) };
    (Line { way: Box::new(ring), meter, device }, feed)
}

impl Feed {
    /// Fills the device's buffer with the frames that are ready, then with silence. `lead` is how long after this call
    /// its first frame leaves; zero if the device cannot say.
    pub fn fill<T: Sample + FromSample<f32>>(&mut self, buffer: &mut [T], lead: Duration) {
        let wanted = buffer.len() / self.channels;
        if let Some(stall) = self.frame_clock.read(self.position, lead) {
            self.meter.stall(stall);
        }
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

    fn count(&mut self, ready: usize, wanted: usize) {
        let (ready, wanted) =
            (u64::try_from(ready).unwrap_or(u64::MAX), u64::try_from(wanted).unwrap_or(u64::MAX));
        let missing = wanted.saturating_sub(ready);
        self.position = self.position.saturating_add(wanted);
        self.meter.taken.fetch_add(ready, Ordering::AcqRel);
        if missing > 0 {
            // An engine that pauses, or let go of its end, has said that it will be silent.
            let silent = self.meter.paused.load(Ordering::Acquire) || self.ring.is_abandoned();
            let taken = self.meter.taken();
            if taken > 0 && !silent {
                self.meter.starve(missing, Hole::after(taken));
            }
            self.meter.silence.fetch_add(missing, Ordering::AcqRel);
        }
        self.meter.call();
    }
}

/// Time that a device let pass without playing, and where in the sound that is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stall {
    pub(super) time: Duration,
    pub(super) hole: Hole,
}

/// Knows when frames leave, from the last `READINGS` times that the device said something of it.
#[derive(Debug)]
pub(super) struct FrameClock<const READINGS: usize> {
    meter: Arc<Meter>,
    clock: Arc<dyn Clock>,
    readings: Readings<READINGS>,
    /// The frame of sound that left when a reading last was like the others.
    sure: u64,
    /// The one that left when the first was not.
    doubted: Option<u64>,
}

impl<const READINGS: usize> FrameClock<READINGS> {
    /// One that knows nothing yet.
    pub(super) fn new(meter: Arc<Meter>, clock: Arc<dyn Clock>) -> Self {
        Self { meter, clock, readings: Readings::new(), sure: 0, doubted: None }
    }

    /// Adds a reading: frame `position` leaves in `lead`, of which zero says nothing. Gives the time that the device has
    /// let pass without playing, and where, once it is sure of that. The monotonic clock is read, not the wall's: a step
    /// of the wall clock is not the device's doing.
    pub(super) fn read(&mut self, position: u64, lead: Duration) -> Option<Stall> {
        if lead.is_zero() {
            return None; // the device's buffer is being filled before it runs
        }
        let leaves = i64::try_from((self.clock.elapsed() + lead).as_nanos()).unwrap_or(i64::MAX);
        let base = self.readings.add(leaves.saturating_sub(nanoseconds_of(position)));
        let before = self.meter.base.swap(base, Ordering::AcqRel);
        self.meter.sure.store(self.readings.agree, Ordering::Release);
        let moved = if before == UNKNOWN { 0 } else { base.saturating_sub(before) };
        let stalled = moved > STALL_NS && self.readings.is_settled();
        let silence = self.meter.silence.load(Ordering::Acquire);
        let leaves = position.saturating_sub(frames_during(lead)).saturating_sub(silence);
        let hole = Hole { from: self.sure, to: self.doubted.unwrap_or(leaves).max(self.sure) };
        if self.readings.agree {
            (self.sure, self.doubted) = (leaves, None);
        } else {
            self.doubted.get_or_insert(leaves);
        }
        stalled.then(|| Stall { time: Duration::from_nanos(moved.unsigned_abs()), hole })
    }

    /// Whether it is sure of itself: there are readings enough, and the newest is like the others.
    pub(super) fn is_sure(&self) -> bool {
        self.readings.agree
    }

    /// Forgets everything: the stream was interrupted.
    pub(super) fn restart(&mut self) {
        self.readings = Readings::new();
        self.doubted = None;
        self.meter.base.store(UNKNOWN, Ordering::Release);
        self.meter.sure.store(false, Ordering::Release);
    }
}

/// The last readings of the frame clock.
#[derive(Debug)]
struct Readings<const COUNT: usize> {
    last: [i64; COUNT],
    next: usize,
    filled: usize,
    /// Whether there are enough, and the newest is like the others.
    agree: bool,
}

impl<const COUNT: usize> Readings<COUNT> {
    const fn new() -> Self {
        Self { last: [0; COUNT], next: 0, filled: 0, agree: false }
    }

    /// Adds one and returns the first quartile of all. What disturbs a reading, on a busy machine, is lateness, and
    /// nearly always makes it too large: measured, they lie within 0.2 ms above a sharp edge, and now and then far above.
    fn add(&mut self, reading: i64) -> i64 {
        if let Some(place) = self.last.get_mut(self.next) {
            *place = reading;
        }
        self.next = (self.next + 1) % COUNT;
        self.filled = COUNT.min(self.filled + 1);
        let mut sorted = self.last;
        let known = sorted.get_mut(..self.filled).unwrap_or_default();
        known.sort_unstable();
        let edge = known.get(self.filled / 4).copied().unwrap_or(reading);
        self.agree = self.is_settled() && reading.abs_diff(edge) <= AGREEMENT_NS;
        edge
    }

    /// Whether it has had time to find its way since the stream began: the first readings of a new stream are wild.
    fn is_settled(&self) -> bool {
        self.filled == COUNT
    }
}

/// How long this many frames sound, in nanoseconds.
fn nanoseconds_of(frames: u64) -> i64 {
    i64::try_from(duration_of(frames).as_nanos()).unwrap_or(i64::MAX)
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
            assert!(line.way.push(&samples));
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
        assert!(line.way.push(&[0.5; 200]));
        assert_eq!(call(&mut feed, &clock, LEAD), [0.0; 1_920], "no sound begins with a hole after it");
        assert!(line.way.push(&[0.5; 1_920]));
        assert_eq!(call(&mut feed, &clock, LEAD), [0.5; 1_920]);
        let heard = call(&mut feed, &clock, LEAD);
        assert_eq!(heard[..200], [0.5; 200]);
        assert_eq!(heard[200..], [0.0; 1_720]);
        assert_eq!((line.meter.taken(), line.meter.starved()), (1_060, 860));
        assert_eq!(line.meter.hole(), Hole::after(1_060));
        line.meter.pause(true);
        call(&mut feed, &clock, LEAD);
        line.meter.pause(false);
        assert_eq!(line.meter.starved(), 860, "an engine that rests is not late");
        drop(line.way);
        call(&mut feed, &clock, LEAD);
        assert_eq!(line.meter.starved(), 860, "an engine that has gone is not late");
    }

    #[test]
    fn one_audio_channel_gets_the_mean_of_two() {
        let clock = clock();
        let (mut line, mut feed) = line("test".to_owned(), 1, Arc::clone(&clock) as Arc<dyn Clock>);
        assert!(line.way.push(&[1.0, 0.0, -0.5, -0.5]));
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
        assert!(line.way.push(&[0.5; 960]));
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
        assert_eq!(line.meter.starved(), 24_000, "who listens hears a hole");
        assert_eq!(line.meter.hole(), Hole::after(0), "before all sound");
    }
}
