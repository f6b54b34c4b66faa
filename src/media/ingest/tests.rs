//! Good recordings, useless ones, and those that ffmpeg has to convert.

#![expect(clippy::cast_possible_truncation, reason = "made samples and small counts")]

use std::fs;
use std::io::Write as _;

use tempfile::TempDir;

use super::super::material::{BURST, WHOLE, burst_wav, ffmpeg, wav};
use super::super::seal::hash_of_path;
use super::*;

/// A station's audio folder, and a place to make recordings in.
struct Desk {
    audio: TempDir,
    made: TempDir,
    ingest: Ingest,
}

impl Desk {
    fn new() -> Self {
        let audio = tempfile::tempdir().unwrap();
        let ingest = Ingest {
            audio_dir: audio.path().to_owned(),
            limits: Limits::default(),
            ffmpeg: Some("ffmpeg".into()),
        };
        Self { audio, made: tempfile::tempdir().unwrap(), ingest }
    }

    /// A burst of tone in the format of a name.
    fn make(&self, name: &str, options: &str) -> PathBuf {
        let path = self.made.path().join(name);
        ffmpeg(&burst_wav(self.made.path(), 44_100, 2), options, &path);
        path
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.made.path().join(name);
        File::create(&path).unwrap().write_all(bytes).unwrap();
        path
    }

    fn examine(&self, path: &Path) -> Result<Examined, Refusal> {
        let file = Temporary::copy_of(path, self.audio.path(), &AtomicBool::new(false)).unwrap();
        self.ingest.examine(file, &AtomicBool::new(false))
    }

    fn refusal(&self, path: &Path) -> Refusal {
        let refusal = self.examine(path).expect_err("refused");
        self.assert_nothing_is_left();
        refusal
    }

    fn assert_nothing_is_left(&self) {
        let left: Vec<_> = fs::read_dir(self.audio.path().join(".incoming")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_good_recording_is_measured_and_kept_under_its_name() {
    let desk = Desk::new();
    let path = desk.make("a.mp3", "-b:a 128k -metadata title=Tin_sáng -metadata artist=Lan");
    let examined = desk.examine(&path).unwrap();
    assert_eq!(examined.hash, hash_of_path(&path).unwrap());
    assert_eq!(examined.seal, Seal::of(&mut File::open(&path).unwrap()).unwrap().1);
    let named = |examined: &Examined| {
        (examined.words.title.clone(), examined.words.author.as_deref().map(str::to_owned))
    };
    let names = ("Tin_sáng".to_owned(), Some("Lan".to_owned()));
    assert_eq!(named(&examined), names);
    let wav = desk.make("b.wav", "-metadata title=Tin_sáng -metadata artist=Lan");
    assert_eq!(named(&desk.examine(&wav).unwrap()), names);
    assert_eq!(examined.converted_from, None);
    let sound = &examined.sound;
    assert!((sound.whole.as_secs_f64() - WHOLE).abs() < 0.001, "{:?}", sound.whole);
    assert!((sound.cue_in.as_secs_f64() - BURST.start + 0.1).abs() < 0.03, "{:?}", sound.cue_in);
    assert!((sound.cue_out.as_secs_f64() - BURST.end - 0.25).abs() < 0.03, "{:?}", sound.cue_out);
    // The burst's hard edges ring a little once encoded.
    assert!((-11.6..-10.5).contains(&sound.true_peak_dbtp), "{}", sound.true_peak_dbtp);
    // As ffmpeg's ebur128 reads it, −13.1: the gate lets the half-filled blocks at both edges in.
    assert!((sound.loudness_lufs + 13.1).abs() < 0.15, "{}", sound.loudness_lufs);
    assert_eq!((sound.channels, sound.sample_rate, &*sound.codec), (2, 44_100, "mp3"));
    let name = desk.ingest.keep(examined, "../Bản tin “đài” sáng.MP3", &Catalog::default()).unwrap();
    assert_eq!(name, "Bản tin “đài” sáng.mp3");
    assert_eq!(hash_of_path(&desk.audio.path().join(name)).unwrap(), hash_of_path(&path).unwrap());
    desk.assert_nothing_is_left();
}

#[test]
fn each_useless_file_has_its_verdict_and_leaves_nothing() {
    let desk = Desk::new();
    assert!(matches!(desk.refusal(&desk.write("empty.mp3", b"")), Refusal::Empty));
    let page = b"<html><body>404 Not Found</body></html>".repeat(100);
    assert!(matches!(desk.refusal(&desk.write("page.mp3", &page)), Refusal::NotAudio));
    let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert!(matches!(
        desk.refusal(&desk.write("noise.bin", &noise)),
        Refusal::NotAudio | Refusal::TooShort { .. }
    ));
    let silent = desk.made.path().join("silent.wav");
    wav(&silent, 44_100, 2, std::iter::repeat_n(0.0, 100_000));
    assert!(matches!(desk.refusal(&silent), Refusal::Silent));
    let short = desk.made.path().join("short.wav");
    wav(&short, 8_000, 1, std::iter::repeat_n(0.5, 3_000));
    assert!(matches!(desk.refusal(&short), Refusal::TooShort { .. }));
    // A program holds what looks like the beginning of an MPEG stream.
    assert!(matches!(desk.refusal(Path::new("/bin/ls")), Refusal::NotAudio));
    let playlist = desk.write("list.mp3", b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n");
    assert!(matches!(desk.refusal(&playlist), Refusal::NotAudio));
}

#[test]
fn a_film_without_sound_is_not_a_recording() {
    let desk = Desk::new();
    let path = desk.make("mute.mp4", "-f lavfi -i color=black:s=64x64:r=5:d=2 -map 1:v -c:v mpeg4 -an");
    assert!(matches!(desk.refusal(&path), Refusal::NotAudio));
}

#[test]
fn limits_hold() {
    let mut desk = Desk::new();
    let path = desk.make("a.mp3", "");
    desk.ingest.limits.max_length = SignedDuration::from_secs(5);
    assert!(matches!(desk.refusal(&path), Refusal::TooLong { .. }));
    desk.ingest.limits.max_bytes = 1000;
    assert!(matches!(desk.refusal(&path), Refusal::TooLarge { .. }));
    let file =
        Temporary::copy_of(&desk.make("b.wav", ""), desk.audio.path(), &AtomicBool::new(false)).unwrap();
    desk.ingest.limits = Limits::default();
    assert!(matches!(desk.ingest.examine(file, &AtomicBool::new(true)), Err(Refusal::Cancelled)));
    desk.assert_nothing_is_left();
}

#[test]
fn a_file_cut_in_half_is_refused_in_every_format_that_can_tell() {
    let desk = Desk::new();
    for (name, options) in [
        ("a.mp3", "-q:a 4"),
        ("a.wav", ""),
        ("a.flac", ""),
        ("a.ogg", "-c:a libvorbis"),
        ("a.opus", "-c:a libopus"),
        ("a.m4a", "-movflags +faststart"),
    ] {
        let bytes = fs::read(desk.make(name, options)).unwrap();
        let half = desk.write(&format!("half-{name}"), &bytes[..bytes.len() / 2]);
        let refusal = desk.refusal(&half);
        assert!(matches!(refusal, Refusal::Truncated { .. }), "{name}: {refusal:?}");
    }
}

#[test]
fn a_file_cut_off_is_refused_where_it_has_to_be_converted_too() {
    let desk = Desk::new();
    let tone = desk.made.path().join("long.wav");
    wav(&tone, 44_100, 2, (0..44_100 * 8).map(|n| 0.2 * (n as f32 * 0.05).sin()));
    for (name, options) in [
        ("a.webm", "-c:a libopus"),
        ("a.wma", "-c:a wmav2"),
        ("a.rf64.wav", "-c:a pcm_s16le -rf64 always"),
        ("a.w64", "-c:a pcm_s16le"),
        ("a.wav", "-c:a adpcm_ms"),
        ("a.wv", "-c:a wavpack"),
        ("film.webm", "-f lavfi -i color=black:s=64x64:r=5:d=8 -c:v libvpx -c:a libopus"),
        ("late-moov.m4a", "-c:a aac -ar 22050"),
        ("film.avi", "-f lavfi -i color=black:s=64x64:r=25:d=8 -c:v mpeg4 -c:a mp3"),
        ("film.mp4", "-f lavfi -i color=black:s=64x64:r=25:d=8 -c:v mpeg4 -c:a ac3 -movflags +faststart"),
        ("film.mkv", "-f lavfi -i color=black:s=64x64:r=25:d=8 -c:v mpeg4 -c:a ac3"),
        ("film.flv", "-f lavfi -i color=black:s=64x64:r=25:d=8 -c:v flv -c:a mp3"),
        ("film.wmv", "-f lavfi -i color=black:s=64x64:r=25:d=8 -c:v wmv2 -c:a wmav2"),
    ] {
        let path = desk.made.path().join(name);
        ffmpeg(&tone, options, &path);
        let whole = desk.examine(&path).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert!((whole.sound.whole.as_secs_f64() - 8.0).abs() < 0.2, "{name}: {:?}", whole.sound.whole);
        drop(whole);
        let bytes = fs::read(&path).unwrap();
        let cut = desk.write(&format!("cut-{name}"), &bytes[..bytes.len() * 6 / 10]);
        let refusal = desk.refusal(&cut);
        assert!(matches!(refusal, Refusal::Truncated { .. }), "{name}: {refusal:?}");
    }
}

#[test]
fn a_film_whose_sound_ends_before_its_pictures_is_whole() {
    let desk = Desk::new();
    for (name, options) in [
        ("a.mp4", "-c:v mpeg4 -c:a aac"),
        ("low.mp4", "-c:v mpeg4 -c:a aac -ar 22050"),
        ("b.mp4", "-c:v mpeg4 -c:a ac3"),
        ("a.mov", "-c:v mpeg4 -c:a ac3"),
        ("a.mkv", "-c:v mpeg4 -c:a ac3"),
        ("a.webm", "-c:v libvpx -c:a libopus"),
        ("a.avi", "-c:v mpeg4 -c:a mp3"),
        ("a.wmv", "-c:v wmv2 -c:a wmav2"),
        ("a.flv", "-c:v flv -c:a mp3"),
        ("a.ts", "-c:v mpeg2video -c:a ac3"),
        ("a.mpg", "-c:v mpeg2video -c:a mp2"),
    ] {
        let film = desk.make(name, &format!("-f lavfi -i color=black:s=64x64:r=25:d=12 {options}"));
        let examined = desk.examine(&film).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let whole = examined.sound.whole.as_secs_f64();
        assert!((whole - WHOLE).abs() < 0.15, "{name}: {whole} s");
    }
}

#[test]
fn what_was_written_to_a_pipe_knows_no_length_and_is_whole_when_converted() {
    let desk = Desk::new();
    for options in ["-c:a adpcm_ms -f wav", "-c:a wmav2 -f asf", "-c:a libopus -f webm"] {
        let done = std::process::Command::new("ffmpeg")
            .args(["-nostdin", "-loglevel", "error", "-i"])
            .arg(burst_wav(desk.made.path(), 44_100, 2))
            .args(options.split_whitespace())
            .arg("pipe:1")
            .output()
            .unwrap();
        let examined = desk.examine(&desk.write("piped", &done.stdout));
        let examined = examined.unwrap_or_else(|refusal| panic!("{options}: {refusal:?}"));
        assert!((examined.sound.whole.as_secs_f64() - WHOLE).abs() < 0.15, "{options}");
    }
}

#[test]
fn damage_in_the_middle_is_survived() {
    let desk = Desk::new();
    let tone = desk.made.path().join("long.wav");
    wav(&tone, 44_100, 2, (0..44_100 * 30).map(|n| 0.2 * (n as f32 * 0.05).sin()));
    for (name, options) in
        [("a.mp3", "-q:a 4"), ("a.flac", ""), ("a.m4a", "-c:a aac"), ("a.ogg", "-c:a libvorbis")]
    {
        let path = desk.made.path().join(name);
        ffmpeg(&tone, options, &path);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 1000].fill(0x55);
        let examined =
            desk.examine(&desk.write(name, &bytes)).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let whole = examined.sound.whole.as_secs_f64();
        assert!((28.5..30.2).contains(&whole), "{name}: {whole} s");
    }
}

#[test]
fn a_wav_written_to_a_pipe_is_whole_although_its_header_says_otherwise() {
    let desk = Desk::new();
    let done = std::process::Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-i"])
        .arg(burst_wav(desk.made.path(), 44_100, 2))
        .args(["-f", "wav", "pipe:1"])
        .output()
        .unwrap();
    let examined = desk.examine(&desk.write("piped.wav", &done.stdout)).unwrap();
    assert!((examined.sound.whole.as_secs_f64() - WHOLE).abs() < 0.001);
}

/// Formats for ffmpeg: name, options, and what the refusal calls them.
const FOREIGN: &[(&str, &str, &str)] = &[
    ("a.wma", "-c:a wmav2", "WMA"),
    ("a.ac3", "-c:a ac3", "AC-3"),
    ("mono.mp2", "-ac 1 -b:a 384k", "MP2"),
    ("stereo.mp2", "-b:a 56k", "MP2"),
    ("low.mp2", "-ar 22050 -b:a 80k", "MP2"),
    ("a.rf64.wav", "-rf64 always", "RF64"),
    ("low.m4a", "-c:a aac -ar 22050", "HE-AAC"),
    ("film.ts", "-c:a aac", "MPEG-TS"),
    ("camera.mts", "-f lavfi -i color=black:s=64x64:r=25:d=6 -c:v mpeg2video -c:a ac3", "MPEG-TS"),
    ("film.mpg", "-c:a mp2", "MPEG"),
    ("film.avi", "-f lavfi -i color=black:s=64x64:r=25:d=6 -c:v mpeg4 -c:a mp3", "AVI"),
];

#[test]
fn foreign_formats_are_converted_where_there_is_ffmpeg() {
    let desk = Desk::new();
    for &(name, options, called) in FOREIGN {
        let path = desk.make(name, options);
        let examined = desk.examine(&path).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        assert_eq!((examined.converted_from, &*examined.sound.codec), (Some(called), "flac"), "{name}");
        assert_ne!(examined.hash, hash_of_path(&path).unwrap(), "what airs is the converted file");
        assert!(
            (examined.sound.whole.as_secs_f64() - WHOLE).abs() < 0.15,
            "{name}: {:?}",
            examined.sound.whole
        );
        let hash = examined.hash;
        let kept = desk.ingest.keep(examined, name, &Catalog::default()).unwrap();
        assert_eq!(hash_of_path(&desk.audio.path().join(kept)).unwrap(), hash);
    }
    desk.assert_nothing_is_left();
}

/// The decoder takes every header of such a stream for none, and finds others among its sound.
#[test]
fn a_stream_in_which_the_decoder_finds_false_headers_is_converted_whole() {
    let mut desk = Desk::new();
    for name in ["ban-tin", "so-suc-khoe-dien-tu", "thong-bao-1", "thong-bao-2"] {
        let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("audio/{name}.ogg"));
        let path = desk.made.path().join(format!("{name}.mp2"));
        ffmpeg(&recording, "-t 30 -ac 1 -b:a 384k", &path);
        let seconds = fs::metadata(&path).unwrap().len() as f64 / 48_000.0;
        let examined = desk.examine(&path).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        let sound = examined.sound.clone();
        assert!((sound.whole.as_secs_f64() - seconds).abs() < 0.1, "{name}: {sound:?}, {seconds} s");
        assert_eq!((examined.converted_from, sound.skipped_packets), (Some("MP2"), 0), "{name}");
        drop(examined);
        let mut tagged = [&b"ID3\x03\0\0\0\0\x10\0"[..], &[0; 2048]].concat();
        tagged.extend(fs::read(&path).unwrap());
        let tagged = desk.examine(&desk.write("tagged.mp2", &tagged)).unwrap();
        assert_eq!(tagged.sound.whole, sound.whole, "{name}");
        drop(tagged);
        let ffmpeg = desk.ingest.ffmpeg.take();
        let refusal = desk.refusal(&path);
        assert!(
            matches!(refusal, Refusal::UnsupportedCodec { ref name, ffmpeg_missing: true } if name == "MP2"),
            "{name}: {refusal:?}"
        );
        desk.ingest.ffmpeg = ffmpeg;
    }
}

#[test]
fn what_little_could_be_read_of_a_file_is_not_taken_for_all_of_it() {
    let desk = Desk::new();
    let (tone, path) = (desk.made.path().join("long.wav"), desk.made.path().join("a.mp3"));
    wav(&tone, 44_100, 2, (0..44_100 * 8).map(|n| 0.2 * (n as f32 * 0.05).sin()));
    ffmpeg(&tone, "-b:a 128k -write_xing 0 -id3v2_version 0", &path);
    let mut bytes = fs::read(&path).unwrap();
    // From the first second on every header is kept, and what follows it is not.
    let frames: Vec<usize> = (16_000..bytes.len() - 4)
        .filter(|&at| bytes[at] == 0xff && bytes[at + 1] == 0xfb && bytes[at + 2] & 0xfc == 0x90)
        .collect();
    for pair in frames.windows(2).filter(|pair| pair[1] - pair[0] > 36) {
        bytes[pair[0] + 4..pair[0] + 36].fill(0xff);
    }
    let refusal = desk.refusal(&desk.write("bad.mp3", &bytes));
    assert!(matches!(refusal, Refusal::DecoderFailed), "{refusal:?}");
    let mut led = vec![b'x'; 4_000];
    led.extend(bytes);
    let refusal = desk.refusal(&desk.write("led.mp3", &led));
    assert!(matches!(refusal, Refusal::NotAudio), "{refusal:?}");
}

#[test]
fn foreign_formats_are_refused_by_name_where_there_is_none() {
    let mut desk = Desk::new();
    for ffmpeg in [None, Some("/nowhere/ffmpeg".into())] {
        desk.ingest.ffmpeg = ffmpeg;
        for &(file, options, called) in FOREIGN {
            let refusal = desk.refusal(&desk.make(file, options));
            let Refusal::UnsupportedCodec { name, ffmpeg_missing: true } = refusal else {
                panic!("{refusal:?}")
            };
            assert_eq!(name, called);
        }
        let amr = desk.write("voice.amr", b"#!AMR\n\x3c\x91\x17\x16\xbe\x66\x78\x00\x00\x01");
        assert!(matches!(desk.refusal(&amr), Refusal::UnsupportedCodec { name, .. } if name == "AMR"));
    }
}
