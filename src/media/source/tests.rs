//! Sources against the files they read.

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
    assert!((frames[48_000] - 0.2).abs() < 1e-3 && (frames[48_001] - 0.2).abs() < 1e-3, "{}", frames[48_000]);
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
    assert!(frames[..2 * sounded] == all[..2 * sounded] && frames[2 * sounded..].iter().all(|at| *at == 0.0));
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
