//! Tests of decoding against every format in use: how much comes out, and whether the sound is where it was.

use std::fs::{self, File};
use std::path::Path;

use super::decode::{DecodeError, Decoder};
use super::material::{BURST, WHOLE, burst_wav, ffmpeg};
use super::resample::Resampler;
use crate::frames::AIR_RATE;

/// A whole file: stereo or mono samples at 48 kHz made mono, with what its decoder says in the end.
struct Decoded {
    sound: Vec<f32>,
    decoder: Decoder,
    channels: usize,
}

fn decode(path: &Path) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder::open(File::open(path).unwrap())?;
    let shape = decoder.shape();
    let mut resampler = Resampler::new(shape.sample_rate, shape.channels).unwrap();
    let mut sound = Vec::new();
    while let Some(block) = decoder.next_block()? {
        resampler.push(&block.samples, &mut sound);
    }
    resampler.finish(&mut sound);
    let sound = sound
        .chunks_exact(shape.channels)
        .map(|frame| frame.iter().sum::<f32>() / shape.channels as f32)
        .collect();
    Ok(Decoded { sound, decoder, channels: shape.channels })
}

impl Decoded {
    fn seconds(&self) -> f64 {
        self.sound.len() as f64 / f64::from(AIR_RATE)
    }

    /// Where the burst begins and ends, in seconds: where its level passes a half.
    fn burst(&self) -> (f64, f64) {
        let peak = self.sound.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        let loud = |sample: &f32| sample.abs() > peak / 2.0;
        let first = self.sound.iter().position(loud).expect("there is a burst");
        let last = self.sound.iter().rposition(loud).expect("there is a burst");
        (first as f64 / f64::from(AIR_RATE), last as f64 / f64::from(AIR_RATE))
    }
}

/// Name of the file, ffmpeg's options, channels expected, and how far length and place may be off, in milliseconds:
/// nothing but rounding where the format says how much its encoder added.
const FORMATS: &[(&str, &str, usize, f64, f64)] = &[
    ("u8.wav", "-c:a pcm_u8", 2, 0.1, 1.0),
    ("s16.wav", "-c:a pcm_s16le", 2, 0.1, 1.0),
    ("s24.wav", "-c:a pcm_s24le", 2, 0.1, 1.0),
    ("f64.wav", "-c:a pcm_f64le", 2, 0.1, 1.0),
    ("8k.wav", "-ar 8000 -ac 1", 1, 0.2, 1.0),
    ("96k.wav", "-ar 96000", 2, 0.2, 1.0),
    ("five-one.wav", "-ac 6", 2, 0.1, 1.0),
    ("cbr.mp3", "-b:a 128k -f mp3", 2, 0.2, 3.0),
    ("vbr.mp3", "-q:a 4", 2, 0.2, 3.0),
    ("22k-mono.mp3", "-b:a 32k -ac 1 -ar 22050", 1, 0.2, 5.0),
    ("cbr-no-header.mp3", "-b:a 128k -write_xing 0 -id3v2_version 0", 2, 60.0, 30.0),
    ("vbr-no-header.mp3", "-q:a 4 -write_xing 0", 2, 60.0, 30.0),
    ("layer2.mp2", "-b:a 192k", 2, 30.0, 15.0),
    ("lossless.flac", "", 2, 0.1, 1.0),
    ("vorbis.ogg", "-c:a libvorbis", 2, 0.2, 3.0),
    ("voice-note.opus", "-c:a libopus -b:a 24k -ac 1 -application voip", 1, 0.2, 5.0),
    ("opus.ogg", "-c:a libopus", 2, 0.2, 5.0),
    ("opus.webm", "-c:a libopus", 2, 25.0, 5.0),
    ("vorbis.webm", "-c:a libvorbis", 2, 40.0, 5.0),
    ("aac.m4a", "-c:a aac", 2, 50.0, 25.0),
    ("aac-mono.m4a", "-c:a aac -ac 1 -b:a 64k", 1, 50.0, 25.0),
    ("aac.aac", "-c:a aac", 2, 50.0, 25.0),
    ("lossless.m4a", "-c:a alac", 2, 0.2, 1.0),
    ("film.mp4", "-f lavfi -i color=black:s=64x64:r=5:d=6 -c:v mpeg4 -c:a aac", 2, 50.0, 25.0),
];

#[test]
fn every_format_gives_all_of_its_sound_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let original = burst_wav(dir.path(), 44_100, 2);
    let mut wrong = Vec::new();
    for &(name, options, channels, length_ms, place_ms) in FORMATS {
        let path = dir.path().join(name);
        ffmpeg(&original, options, &path);
        let decoded = match decode(&path) {
            Ok(decoded) => decoded,
            Err(cause) => {
                wrong.push(format!("{name}: {cause}"));
                continue;
            }
        };
        let length = decoded.seconds()
            - decoded.decoder.padding() as f64 / f64::from(decoded.decoder.shape().sample_rate);
        let (first, last) = decoded.burst();
        let off = [(length - WHOLE) * 1e3, (first - BURST.start) * 1e3, (last - BURST.end) * 1e3];
        let fine = off[0].abs() <= length_ms && off[1].abs() <= place_ms && off[2].abs() <= place_ms;
        let skipped = decoded.decoder.skipped_packets();
        if !fine || decoded.channels != channels || skipped > 0 || decoded.decoder.is_truncated() {
            wrong.push(format!("{name}: {off:.2?} ms off, {} channels, {skipped} skipped", decoded.channels));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn two_files_in_one_are_both_heard() {
    let dir = tempfile::tempdir().unwrap();
    let one = dir.path().join("one.mp3");
    ffmpeg(&burst_wav(dir.path(), 44_100, 2), "-q:a 4", &one);
    let two = dir.path().join("two.mp3");
    let bytes = fs::read(&one).unwrap();
    File::create(&two)
        .and_then(|mut file| std::io::Write::write_all(&mut file, &[bytes.clone(), bytes].concat()))
        .unwrap();
    let decoded = decode(&two).unwrap();
    assert!((decoded.seconds() - 2.0 * WHOLE).abs() < 0.15, "{} s", decoded.seconds());
    assert_eq!(decoded.decoder.padding(), 0, "the header speaks of the first part only");
}
