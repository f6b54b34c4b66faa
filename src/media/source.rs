//! Where the engine's frames come from.

use std::convert;
use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::playback::Playback;
use crate::frames::AIR_RATE;

/// Gives frames, 48 kHz stereo.
pub trait Source: Debug + Send {
    /// Fills interleaved samples (`frames × 2`) from the front. Called on the audio path: must not block, allocate or lock.
    fn read(&mut self, samples: &mut [f32]) -> Read;
    /// How many of the frames it gave its file did not have: silence that keeps the plan's time.
    fn missing(&self) -> u64 {
        0
    }
}

/// What a `read` gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// This many frames, as many as asked for.
    Frames(usize),
    /// Only this many were ready; more will come.
    Starved(usize),
    /// This many, and no more will come.
    Ended(usize),
}

/// Frames decoded ahead of the air: 6 s, of which at least three lie ready, enough for a disk that wakes up or a
/// processor that is busy elsewhere.
const AHEAD: usize = 6 * AIR_RATE as usize;

/// Frames that lie ready of what does not sound yet: 2 s. More would only take memory while it waits.
const WAITING: usize = 2 * AIR_RATE as usize;

/// Frames that must lie ready before a source counts as primed: 1 s.
const PRIMED: usize = AIR_RATE as usize;

/// How long the decoding thread rests when the ring is full: long enough that the decoder's tables are worth loading
/// into the processor's cache again.
const REST: Duration = Duration::from_secs(3);

/// How often it looks whether its first frame was taken.
const LOOK: Duration = Duration::from_millis(250);

/// What a source answers that gave `given` of the `asked` frames and has `left` to give.
fn answer(asked: usize, given: usize, left: u64) -> Read {
    match given {
        _ if left == 0 => Read::Ended(given),
        _ if given < asked => Read::Starved(given),
        _ => Read::Frames(given),
    }
}

/// The smaller of what is asked for and what is left.
fn at_most(asked: usize, left: u64) -> usize {
    usize::try_from(left).map_or(asked, |left| left.min(asked))
}

/// Lays frames of one or two channels into stereo ones, as many as there are of both; `sounds` is what a sample stands for.
fn lay<S: Copy>(from: &[S], channels: usize, stereo: &mut [f32], sounds: impl Fn(S) -> f32) {
    if channels == 1 {
        stereo.chunks_exact_mut(2).zip(from).for_each(|(frame, sample)| frame.fill(sounds(*sample)));
    } else {
        stereo.iter_mut().zip(from).for_each(|(to, from)| *to = sounds(*from));
    }
}

/// Decodes in a thread of its own, some seconds ahead of the air. Reading takes from a ring: wait-free, and without the
/// heap. Dropping it ends the thread.
#[derive(Debug)]
pub struct AheadSource {
    ring: rtrb::Consumer<f32>,
    channels: usize,
    left: u64,
    given: u64,
    real: Arc<AtomicU64>,
}

impl AheadSource {
    /// Starts to decode. Fails when the system gives no thread.
    pub fn start(playback: Playback) -> io::Result<Self> {
        let (left, channels, real) = (playback.frames(), playback.channels(), playback.real());
        // In the file's own channels, and no longer than it: a short or mono recording takes less memory.
        let (producer, ring) = rtrb::RingBuffer::new(at_most(AHEAD, left) * channels);
        thread::Builder::new().name("decode".into()).spawn(move || decode_ahead(playback, producer))?;
        Ok(Self { ring, channels, left, given: 0, real })
    }

    /// Frames that lie ready.
    fn ready(&self) -> usize {
        self.ring.slots() / self.channels
    }

    /// Whether a second, or all that is left, lies ready.
    pub fn primed(&self) -> bool {
        // A thread that ended has given what it had.
        self.ready() >= at_most(PRIMED, self.left) || self.ring.is_abandoned()
    }
}

impl Source for AheadSource {
    fn read(&mut self, samples: &mut [f32]) -> Read {
        let asked = samples.len() / 2;
        // Asked before the ring is looked into: what the thread gave last is then in sight.
        let no_more = self.ring.is_abandoned();
        let frames = asked.min(self.ready());
        if let Ok(ready) = self.ring.read_chunk(frames * self.channels) {
            let (first, rest) = ready.as_slices();
            let (start, end) = samples.split_at_mut(2 * (first.len() / self.channels));
            lay(first, self.channels, start, convert::identity);
            lay(rest, self.channels, end, convert::identity);
            ready.commit_all();
        }
        self.left = self.left.saturating_sub(frames as u64);
        self.given += frames as u64;
        if no_more && self.ring.is_empty() {
            self.left = 0;
        }
        answer(asked, frames, self.left)
    }

    fn missing(&self) -> u64 {
        self.given.saturating_sub(self.real.load(Ordering::Acquire))
    }
}

/// Ends by itself within one rest after the other end of the ring was dropped, which needs no waiting there.
fn decode_ahead(mut playback: Playback, mut ring: rtrb::Producer<f32>) {
    let (capacity, waiting) = (ring.buffer().capacity(), WAITING * playback.channels());
    let mut given = 0;
    while let Some(mut chunk) = playback.next_chunk() {
        while !chunk.is_empty() {
            if ring.is_abandoned() {
                return;
            }
            let lie_ready = capacity - ring.slots();
            let (most, rest) = if lie_ready < given { (capacity, REST) } else { (waiting, LOOK) };
            // Whole frames only, since all lengths are.
            let (now, later) = chunk.split_at(chunk.len().min(most.saturating_sub(lie_ready)));
            let (pushed, left) = ring.push_partial_slice(now);
            given += pushed.len();
            if pushed.is_empty() {
                thread::sleep(rest);
            }
            debug_assert!(left.is_empty(), "there was room");
            chunk = later;
        }
    }
}

/// Decodes as it is read: for rehearsals, where time waits.
#[derive(Debug)]
pub struct InlineSource {
    playback: Playback,
    waiting: Vec<f32>,
    used: usize,
    left: u64,
}

impl InlineSource {
    /// Reads from an opened file.
    pub fn new(playback: Playback) -> Self {
        Self { left: playback.frames(), playback, waiting: Vec::new(), used: 0 }
    }
}

impl Source for InlineSource {
    fn read(&mut self, samples: &mut [f32]) -> Read {
        let asked = samples.len() / 2;
        let mut given = 0;
        while given < asked {
            let ready = self.waiting.get(self.used..).unwrap_or(&[]);
            if ready.is_empty() {
                let Some(chunk) = self.playback.next_chunk() else { break };
                self.waiting.clear();
                self.waiting.extend_from_slice(chunk);
                self.used = 0;
                continue;
            }
            let Some(wanted) = samples.get_mut(2 * given..) else { break };
            let channels = self.playback.channels();
            let frames = (ready.len() / channels).min(asked - given);
            lay(ready, channels, wanted, convert::identity);
            self.used += frames * channels;
            given += frames;
        }
        self.left = self.left.saturating_sub(given as u64);
        answer(asked, given, self.left)
    }

    fn missing(&self) -> u64 {
        let given = self.playback.frames().saturating_sub(self.left);
        given.saturating_sub(self.playback.real().load(Ordering::Acquire))
    }
}

/// Frames kept decoded: for what must sound at once, without disk or decoder. Copies share the frames.
///
/// In 16 bits, which is half the memory; the rounding is 90 dB below full scale.
#[derive(Clone)]
pub struct MemorySource {
    samples: Arc<Vec<i16>>,
    channels: usize,
    used: usize,
}

/// Full scale, as it is kept: half of what 16 bits hold, since a decoder's output may go above full scale.
const KEPT_FULL_SCALE: f32 = 16_384.0;

impl Debug for MemorySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySource")
            .field("frames", &self.frames())
            .field("used", &(self.used / self.channels))
            .finish()
    }
}

impl MemorySource {
    /// Decodes all of an opened file: 6 MB a minute of mono, 12 MB of stereo.
    pub fn decode(mut playback: Playback) -> Self {
        let channels = playback.channels();
        let mut samples = Vec::with_capacity(channels * at_most(usize::MAX / 16, playback.frames()));
        while let Some(chunk) = playback.next_chunk() {
            samples.extend(chunk.iter().map(|sample| kept(*sample)));
        }
        Self { samples: Arc::new(samples), channels, used: 0 }
    }

    /// From interleaved samples of one or two channels at 48 kHz.
    pub fn new(samples: &[f32], channels: usize) -> Self {
        Self { samples: Arc::new(samples.iter().map(|sample| kept(*sample)).collect()), channels, used: 0 }
    }

    /// Frames in all.
    pub fn frames(&self) -> u64 {
        (self.samples.len() / self.channels) as u64
    }

    /// The same sound, from a frame on.
    pub fn from_frame(&self, frame: u64) -> Self {
        let used = self.channels * at_most(self.samples.len() / self.channels, frame);
        Self { samples: Arc::clone(&self.samples), used, ..*self }
    }
}

impl Source for MemorySource {
    fn read(&mut self, samples: &mut [f32]) -> Read {
        let asked = samples.len() / 2;
        let ready = self.samples.get(self.used..).unwrap_or(&[]);
        let left = ready.len() / self.channels;
        let frames = asked.min(left);
        lay(ready, self.channels, samples, |sample| f32::from(sample) / KEPT_FULL_SCALE);
        self.used += frames * self.channels;
        answer(asked, frames, (left - frames) as u64)
    }
}

/// A sample as it is kept.
#[expect(clippy::cast_possible_truncation, reason = "a cast to an integer stays within it")]
fn kept(sample: f32) -> i16 {
    (sample * KEPT_FULL_SCALE).round() as i16
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::{Seek as _, SeekFrom, Write as _};
    use std::path::{Path, PathBuf};

    use allocation_counter::measure;
    use jiff::SignedDuration;
    use tempfile::TempDir;

    use super::super::material::{ffmpeg, wav};
    use super::super::playback::{OpenError, Opening};
    use super::super::seal::{Seal, hash_of_path};
    use super::*;
    use crate::clock::{Clock as _, SystemClock};

    /// A ramp tells each frame's place: frame n of the file has the value n / 2²⁴, exact in a float.
    const STEP: f32 = 1.0 / 16_777_216.0;

    fn opening(path: &Path) -> Opening {
        Opening {
            path: path.to_owned(),
            hash: hash_of_path(path).unwrap(),
            seal: None,
            cue_in: SignedDuration::ZERO,
            cue_out: SignedDuration::from_secs(10),
            skip: SignedDuration::ZERO,
            gain_db: 0.0,
        }
    }

    fn ramp() -> (TempDir, PathBuf) {
        ramp_of(2)
    }

    fn ramp_of(channels: u16) -> (TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ramp.wav");
        wav(&path, 48_000, channels, (0..480_000).map(|n| n as f32 * STEP));
        (dir, path)
    }

    /// Reads all of a source in pieces of a size, waiting for what is not ready.
    fn read_all(source: &mut dyn Source, piece: usize) -> Vec<f32> {
        let mut all = Vec::new();
        let mut samples = vec![f32::NAN; 2 * piece];
        loop {
            match source.read(&mut samples) {
                Read::Frames(frames) => {
                    assert_eq!(frames, piece);
                    all.extend_from_slice(&samples);
                }
                Read::Starved(frames) => {
                    all.extend_from_slice(&samples[..2 * frames]);
                    thread::yield_now();
                }
                Read::Ended(frames) => {
                    all.extend_from_slice(&samples[..2 * frames]);
                    assert_eq!(source.read(&mut samples), Read::Ended(0), "an end is an end");
                    return all;
                }
            }
        }
    }

    /// What all three ways to play the same opening give, which must be the same.
    fn play(opening: &Opening) -> Vec<f32> {
        let open = || opening.open().unwrap();
        let inline = read_all(&mut InlineSource::new(open()), 1000);
        assert!(inline == read_all(&mut AheadSource::start(open()).unwrap(), 777), "ahead as inline");
        let kept = read_all(&mut MemorySource::decode(open()), 2048);
        let rounding = inline.iter().zip(&kept).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(kept.len() == inline.len() && rounding <= 0.5001 / KEPT_FULL_SCALE, "in memory: {rounding}");
        inline
    }

    #[test]
    fn every_frame_between_the_cues_is_given_once() {
        for channels in [1, 2] {
            let (_dir, path) = ramp_of(channels);
            let cues = Opening {
                cue_in: SignedDuration::from_millis(1500),
                cue_out: SignedDuration::from_millis(9250),
                ..opening(&path)
            };
            let frames = play(&cues);
            assert_eq!(frames.len(), 2 * 372_000);
            for (n, frame) in (72_000_u32..).zip(frames.chunks_exact(2)) {
                assert!(frame == [n as f32 * STEP; 2], "frame {n} of {channels} channels");
            }
        }
    }

    #[test]
    fn a_join_in_the_middle_begins_at_the_right_frame() {
        let (_dir, path) = ramp();
        let joined = Opening { skip: SignedDuration::from_secs(4), ..opening(&path) };
        let frames = play(&joined);
        assert_eq!(frames.len(), 2 * 288_000);
        assert!(frames[..2] == [192_000.0 * STEP; 2]);
    }

    /// An opening of which the seal is known.
    fn sealed(opening: Opening) -> Opening {
        let (_, seal) = Seal::of(&mut File::open(&opening.path).unwrap()).unwrap();
        Opening { seal: Some(Arc::new(seal)), ..opening }
    }

    #[test]
    fn what_is_written_into_a_file_while_it_plays_does_not_sound() {
        let (_dir, path) = ramp();
        let mut source = InlineSource::new(opening(&path).open().unwrap());
        let mut first = vec![0.0; 2 * 48_000];
        assert_eq!(source.read(&mut first), Read::Frames(48_000));
        let loud = 0.75_f32.to_le_bytes();
        let bytes = fs::metadata(&path).unwrap().len();
        let mut file = File::options().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(1_000)).unwrap();
        file.write_all(&loud.repeat(usize::try_from(bytes - 1_000).unwrap() / 4)).unwrap();
        let rest = read_all(&mut source, 1_000);
        assert_eq!(first.len() + rest.len(), 2 * 480_000, "the plan's time is kept");
        let approved = |sample: &f32| (0.0..=480_000.0 * STEP).contains(sample);
        assert!(rest.iter().all(approved), "{:?}", rest.iter().find(|sample| !approved(sample)));
        assert!(source.missing() > 400_000, "{}", source.missing());
    }

    #[test]
    fn a_gain_is_applied_and_mono_comes_out_of_both_sides() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mono.wav");
        wav(&path, 16_000, 1, std::iter::repeat_n(0.1, 16_000));
        let louder = Opening { gain_db: 6.0206, cue_out: SignedDuration::from_secs(1), ..opening(&path) };
        let frames = play(&louder);
        assert_eq!(frames.len(), 2 * 48_000);
        assert!(
            (frames[48_000] - 0.2).abs() < 1e-3 && (frames[48_001] - 0.2).abs() < 1e-3,
            "{}",
            frames[48_000]
        );
    }

    #[test]
    fn what_is_planned_is_delivered_to_the_frame() {
        let dir = tempfile::tempdir().unwrap();
        let original = dir.path().join("tone.wav");
        wav(&original, 44_100, 2, (0..44_100 * 5).map(|n| 0.2 * (n as f32 * 0.05).sin()));
        let mp3 = dir.path().join("tone.mp3");
        ffmpeg(&original, "-q:a 4", &mp3);
        for (cue_out, expected) in [(4321, 207_408), (7000, 336_000)] {
            let planned = Opening { cue_out: SignedDuration::from_millis(cue_out), ..opening(&mp3) };
            let frames = play(&planned);
            assert_eq!(frames.len(), 2 * expected, "a file that is too short is made up with silence");
            assert!(frames[frames.len() - 2].abs() < 0.21);
        }
        let nothing = Opening { skip: SignedDuration::from_secs(60), ..opening(&mp3) };
        assert!(play(&nothing).is_empty());
    }

    #[test]
    fn what_a_file_did_not_have_is_known() {
        let (_dir, path) = ramp();
        let longer = Opening { cue_out: SignedDuration::from_secs(12), ..opening(&path) };
        for (opening, missing) in [(opening(&path), 0), (longer, 96_000)] {
            let mut inline = InlineSource::new(opening.open().unwrap());
            let mut ahead = AheadSource::start(opening.open().unwrap()).unwrap();
            read_all(&mut inline, 1000);
            read_all(&mut ahead, 777);
            assert_eq!((inline.missing(), ahead.missing()), (missing, missing));
        }
    }

    #[test]
    fn a_join_gives_the_same_frames_as_playing_up_to_there() {
        let dir = tempfile::tempdir().unwrap();
        let original = dir.path().join("sweep.wav");
        wav(&original, 48_000, 2, (0..48_000 * 10).map(|n| 0.2 * (n as f32 * n as f32 * 1e-7).sin()));
        for (name, options) in [
            ("cbr.mp3", "-b:a 128k"),
            ("vbr.mp3", "-q:a 2"),
            ("bare.mp3", "-q:a 4 -write_xing 0"),
            ("a.wav", "-c:a pcm_s24le"),
            ("a.flac", ""),
            ("a.ogg", "-c:a libvorbis"),
            ("a.m4a", "-c:a aac"),
            ("a.opus", "-c:a libopus"),
        ] {
            let path = dir.path().join(name);
            ffmpeg(&original, options, &path);
            let whole = play(&opening(&path));
            for skip in [100, 2100, 6500, 9900] {
                let joined = play(&Opening { skip: SignedDuration::from_millis(skip), ..opening(&path) });
                let there = 2 * 48 * usize::try_from(skip).unwrap();
                assert!(joined == whole[there..], "{name} from {skip} ms: not bit for bit");
            }
        }
    }

    #[test]
    fn a_known_seal_saves_the_reading_of_the_whole_file() {
        let (_dir, path) = ramp();
        let approved = sealed(opening(&path));
        let joined = Opening { skip: SignedDuration::from_secs(7), ..approved.clone() };
        let (all, from_seven) = (play(&approved), play(&joined));
        assert!(from_seven == all[2 * 48_000 * 7..]);
        // With other bytes near its end it sounds up to them: it was opened without reading that far.
        let mut bytes = fs::read(&path).unwrap();
        let near_the_end = bytes.len() / 10 * 9;
        bytes[near_the_end] ^= 1;
        File::create(&path).and_then(|mut file| io::Write::write_all(&mut file, &bytes)).unwrap();
        let mut source = InlineSource::new(approved.open().unwrap());
        let frames = read_all(&mut source, 1_000);
        let sounded = frames.len() / 2 - usize::try_from(source.missing()).unwrap();
        assert!(frames.len() == all.len() && (400_000..480_000).contains(&sounded), "{sounded}");
        assert!(
            frames[..2 * sounded] == all[..2 * sounded] && frames[2 * sounded..].iter().all(|at| *at == 0.0)
        );
        // A seal that was damaged itself keeps nothing from the air.
        File::create(&path).and_then(|mut file| io::Write::write_all(&mut file, b"other")).unwrap();
        let other = sealed(opening(&path)).seal;
        bytes[near_the_end] ^= 1;
        File::create(&path).and_then(|mut file| io::Write::write_all(&mut file, &bytes)).unwrap();
        assert!(play(&Opening { seal: other, ..approved }) == all);
    }

    #[test]
    fn only_the_approved_bytes_sound() {
        let (_dir, path) = ramp();
        let approved = opening(&path);
        let known = sealed(opening(&path));
        let mut bytes = fs::read(&path).unwrap();
        bytes[100] ^= 1;
        File::create(&path).and_then(|mut file| io::Write::write_all(&mut file, &bytes)).unwrap();
        assert!(matches!(approved.open(), Err(OpenError::Changed { .. })));
        assert!(matches!(known.open(), Err(OpenError::Changed { .. })));
        fs::remove_file(&path).unwrap();
        assert!(matches!(approved.open(), Err(OpenError::Gone { .. })));
        let page = path.with_extension("mp3");
        File::create(&page).and_then(|mut file| io::Write::write_all(&mut file, b"<html>")).unwrap();
        assert!(matches!(opening(&page).open(), Err(OpenError::Undecodable { .. })));
    }

    #[test]
    fn reading_ahead_is_primed_in_time_and_allocates_nothing() {
        let (_dir, path) = ramp();
        let mut source = AheadSource::start(opening(&path).open().unwrap()).unwrap();
        while !source.primed() {
            thread::yield_now();
        }
        let mut samples = vec![0.0; 2 * 1024];
        let mut memory = MemorySource::new(&[0.5; 2 * 48_000], 2);
        let counted = measure(|| {
            for _ in 0..46 {
                assert_eq!(source.read(&mut samples), Read::Frames(1024));
                assert_eq!(memory.read(&mut samples), Read::Frames(1024));
            }
        });
        assert_eq!((counted.count_total, counted.bytes_total), (0, 0));
    }

    #[test]
    fn what_waits_for_its_start_takes_little_memory() {
        let (_dir, path) = ramp();
        let mut source = AheadSource::start(opening(&path).open().unwrap()).unwrap();
        while source.ready() < WAITING {
            thread::yield_now();
        }
        let clock = SystemClock::new();
        while clock.elapsed() < LOOK {
            assert_eq!(source.ready(), WAITING);
            thread::yield_now();
        }
        let mut samples = vec![0.0; 2 * 1024];
        assert_eq!(source.read(&mut samples), Read::Frames(1024));
        while source.ready() < AHEAD {
            thread::yield_now();
        }
    }

    #[test]
    fn what_is_kept_may_go_above_full_scale() {
        let mut samples = [0.0; 4];
        MemorySource::new(&[1.5, -1.9, 0.25, 0.0], 2).read(&mut samples);
        assert!(samples.iter().zip([1.5, -1.9, 0.25, 0.0]).all(|(kept, given)| (kept - given).abs() < 1e-4));
    }

    #[test]
    fn the_last_frame_is_said_to_be_the_last() {
        let mut samples = [1.0; 2 * 100];
        let mut source = MemorySource::new(&[0.0; 200], 1);
        assert_eq!(source.read(&mut samples), Read::Frames(100));
        assert_eq!(source.read(&mut samples), Read::Ended(100));
    }

    #[test]
    fn the_decoding_thread_ends_with_its_source() {
        let (_dir, path) = ramp();
        let playback = opening(&path).open().unwrap();
        let (producer, ring) = rtrb::RingBuffer::new(2 * 1024);
        let decoding = thread::spawn(move || decode_ahead(playback, producer));
        drop(ring);
        decoding.join().unwrap();
    }

    #[test]
    fn a_thread_that_broke_down_ends_its_source() {
        let (producer, ring) = rtrb::RingBuffer::new(2 * 1024);
        let mut source = AheadSource { ring, channels: 2, left: 48_000, given: 0, real: Arc::default() };
        assert_eq!(source.read(&mut [0.0; 8]), Read::Starved(0));
        drop::<rtrb::Producer<f32>>(producer);
        assert!(source.primed(), "nothing better will come");
        assert_eq!(source.read(&mut [0.0; 8]), Read::Ended(0));
    }
}
