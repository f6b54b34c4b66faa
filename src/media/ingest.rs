//! Taking in a recording: hashed, decoded whole, measured, and either refused with a precise reason or ready to keep.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;

use super::convert::{self, Failure, Kind};
use super::decode::{DecodeError, Decoder};
use super::loudness::{Meter, Waveform};
use super::playback::hash_of_path;
use super::resample::frames_on_air;
use super::temporary::Temporary;
use crate::segment::{ContentHash, Sound, Words};

/// How much of a declared length may be missing before a file counts as cut off: 1/200, and never less than 250 ms.
const MISSING_PART: u64 = 200;
const MISSING_LEAST: SignedDuration = SignedDuration::from_millis(250);

/// How much a file may have lost to packets that are known to be damaged: 1/20.
const DAMAGED_PART: u64 = 20;

/// What is taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Shortest sound.
    pub min_length: SignedDuration,
    /// Longest recording.
    pub max_length: SignedDuration,
}

impl Default for Limits {
    /// Half a second to two hours; two hours of uncompressed stereo fit in 2 GiB.
    fn default() -> Self {
        Self {
            max_bytes: 2 << 30,
            min_length: SignedDuration::from_millis(500),
            max_length: SignedDuration::from_hours(2),
        }
    }
}

/// Examines files.
#[derive(Debug, Clone)]
pub struct Ingest {
    /// The station's `audio/`.
    pub audio_dir: PathBuf,
    /// What is taken in.
    pub limits: Limits,
    /// The `ffmpeg` to convert with: a name to look for, or a path. `None` switches conversion off.
    pub ffmpeg: Option<PathBuf>,
}

/// A recording that may be kept. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Examined {
    /// The hash of the bytes that will be kept: after a conversion, those of the converted file.
    pub hash: ContentHash,
    /// What was measured.
    pub sound: Sound,
    /// Its shape for the eye.
    pub waveform: Waveform,
    /// What the file says of itself, to begin with.
    pub words: Words,
    /// The format it came in, when it had to be converted.
    pub converted_from: Option<&'static str>,
    /// The ending of its name.
    pub extension: &'static str,
    file: Temporary,
}

/// Why a recording is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not one byte.
    #[error("the file is empty")]
    Empty,
    /// No sound track in it, or nothing known.
    #[error("no audio in the file")]
    NotAudio,
    /// Nothing to be heard from beginning to end.
    #[error("the recording is silent")]
    Silent,
    /// Too short to be meant.
    #[error("the recording lasts {length:#}, less than {least:#}")]
    TooShort {
        /// Its length.
        length: SignedDuration,
        /// The least.
        least: SignedDuration,
    },
    /// Longer than the station allows.
    #[error("the recording is longer than {most:#}")]
    TooLong {
        /// The most.
        most: SignedDuration,
    },
    /// More bytes than the station allows.
    #[error("the file has {bytes} bytes, more than {most}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The most.
        most: u64,
    },
    /// It ends before its end: an upload or a copy was interrupted.
    #[error("the file is cut off after {found:#}")]
    Truncated {
        /// The length its header declares, where it does.
        declared: Option<SignedDuration>,
        /// The length that is there.
        found: SignedDuration,
    },
    /// It needs a conversion that is not to be had.
    #[error("no decoder for {name} (ffmpeg missing: {ffmpeg_missing})")]
    UnsupportedCodec {
        /// Name of the format, for people.
        name: String,
        /// Whether installing ffmpeg could help; if not, it was tried.
        ffmpeg_missing: bool,
    },
    /// The decoder broke down over it: damaged beyond use, or made to do harm.
    #[error("the decoder failed on the file")]
    DecoderFailed,
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// It was called off.
    #[error("cancelled")]
    Cancelled,
    /// The disk failed.
    #[error("cannot {operation}")]
    Io {
        /// What was being done, in English.
        operation: &'static str,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
}

impl Refusal {
    /// Whether it is about the file, and would be the same another time; not a fault of the machine that may pass.
    pub fn is_of_the_file(&self) -> bool {
        match self {
            Self::DiskFull | Self::Cancelled | Self::Io { .. } => false,
            Self::Empty
            | Self::NotAudio
            | Self::Silent
            | Self::TooShort { .. }
            | Self::TooLong { .. }
            | Self::TooLarge { .. }
            | Self::Truncated { .. }
            | Self::UnsupportedCodec { .. }
            | Self::DecoderFailed => true,
        }
    }

    /// The refusal that a failed operation on the disk amounts to.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only these two have an answer of their own")]
    pub fn of_disk(operation: &'static str, cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io { operation, cause },
        }
    }
}

/// What a look at one file came to.
enum Look {
    Good(Box<Heard>),
    /// Not to be read here, or not well: worth a conversion.
    Convert(Option<&'static str>),
}

/// What was heard of a file.
struct Heard {
    sound: Sound,
    waveform: Waveform,
    words: Words,
    extension: &'static str,
}

impl Ingest {
    /// Hashes, decodes and measures a file. As long as it takes, it looks at `cancel`. On a refusal the file is gone.
    pub fn examine(&self, file: Temporary, cancel: &AtomicBool) -> Result<Examined, Refusal> {
        let bytes =
            file.path().metadata().map_err(|cause| Refusal::of_disk("look at the file", cause))?.len();
        if bytes == 0 {
            return Err(Refusal::Empty);
        }
        if bytes > self.limits.max_bytes {
            return Err(Refusal::TooLarge { bytes, most: self.limits.max_bytes });
        }
        let (file, heard, converted_from) = match self.hear(file.path(), cancel)? {
            Look::Good(heard) => (file, heard, None),
            Look::Convert(name) => {
                let (converted, kind) = self.convert(&file, name, cancel)?;
                match self.hear(converted.path(), cancel)? {
                    Look::Good(heard) => (converted, heard, Some(name.unwrap_or(kind.name))),
                    Look::Convert(_) => return Err(Refusal::NotAudio),
                }
            }
        };
        let hash = hash_of_path(file.path()).map_err(|cause| Refusal::of_disk("read the file", cause))?;
        let Heard { sound, waveform, words, extension } = *heard;
        Ok(Examined { hash, sound, waveform, words, converted_from, extension, file })
    }

    /// Decodes a whole file. A decoder that panics over a hostile file takes nothing with it.
    fn hear(&self, path: &Path, cancel: &AtomicBool) -> Result<Look, Refusal> {
        catch_unwind(AssertUnwindSafe(|| self.decode(path, cancel))).unwrap_or(Err(Refusal::DecoderFailed))
    }

    fn decode(&self, path: &Path, cancel: &AtomicBool) -> Result<Look, Refusal> {
        let file = File::open(path).map_err(|cause| Refusal::of_disk("open the file", cause))?;
        let mut decoder = match Decoder::open(file) {
            Ok(decoder) if decoder.may_lack_its_upper_band() => return Ok(Look::Convert(Some("HE-AAC"))),
            Ok(decoder) => decoder,
            Err(DecodeError::NothingDecoded { declared: Some(frames) }) if frames > 0 => {
                return Err(Refusal::Truncated { declared: None, found: SignedDuration::ZERO });
            }
            Err(DecodeError::Read(cause)) => return Err(Refusal::of_disk("read the file", cause)),
            Err(
                DecodeError::NotAudio
                | DecodeError::UnsupportedCodec { .. }
                | DecodeError::NothingDecoded { .. },
            ) => {
                return Ok(Look::Convert(None));
            }
        };
        let shape = decoder.shape();
        let most = self.limits.max_length;
        let Some(mut meter) = Meter::new(shape.sample_rate, shape.channels) else {
            return Ok(Look::Convert(None));
        };
        let max_frames = u64::try_from(most.as_secs()).unwrap_or(0).saturating_mul(shape.sample_rate.into());
        let mut frames: u64 = 0;
        while let Some(block) = decoder.next_block().map_err(|error| match error {
            DecodeError::Read(cause) => Refusal::of_disk("read the file", cause),
            DecodeError::NotAudio
            | DecodeError::UnsupportedCodec { .. }
            | DecodeError::NothingDecoded { .. } => Refusal::NotAudio,
        })? {
            if cancel.load(Ordering::Relaxed) {
                return Err(Refusal::Cancelled);
            }
            meter.add(&block.samples);
            frames += (block.samples.len() / block.channels) as u64;
            if frames > max_frames {
                return Err(Refusal::TooLong { most });
            }
        }
        check_completeness(&decoder, frames)?;
        let measured = meter.finish(decoder.padding());
        let least = self.limits.min_length;
        let (cue_in, cue_out) = match measured.sound {
            _ if measured.whole < least => return Err(Refusal::TooShort { length: measured.whole, least }),
            Some(cues) if measured.loudness_lufs.is_finite() => cues,
            _ => return Err(Refusal::Silent),
        };
        let tags = decoder.tags();
        let sound = Sound {
            whole: measured.whole,
            cue_in,
            cue_out,
            channels: shape.channels_in_file,
            sample_rate: shape.sample_rate,
            loudness_lufs: measured.loudness_lufs,
            true_peak_dbtp: measured.true_peak_dbtp,
            skipped_packets: decoder.skipped_packets(),
            codec: decoder.codec_name().into(),
        };
        let words = Words {
            title: tags.title.unwrap_or_default(),
            author: tags.artist.map(Into::into),
            ..Words::default()
        };
        let extension = extension(&decoder);
        Ok(Look::Good(Box::new(Heard { sound, waveform: measured.waveform, words, extension })))
    }

    /// Converts a file; `name` says what is wrong with it, where that is known.
    fn convert(
        &self,
        file: &Temporary,
        name: Option<&str>,
        cancel: &AtomicBool,
    ) -> Result<(Temporary, Kind), Refusal> {
        let kind = convert::kind_of(file.path()).map_err(|cause| Refusal::of_disk("read the file", cause))?;
        let kind = kind.ok_or(Refusal::NotAudio)?;
        let unsupported = |ffmpeg_missing| Refusal::UnsupportedCodec {
            name: name.unwrap_or(kind.name).to_owned(),
            ffmpeg_missing,
        };
        let program = self.ffmpeg.as_ref().ok_or_else(|| unsupported(true))?;
        let (converted, _) = Temporary::create(&self.audio_dir)
            .map_err(|cause| Refusal::of_disk("create a file for the conversion", cause))?;
        // A second more, so that what is too long is still seen to be.
        let max_seconds = self.limits.max_length.as_secs().saturating_add(1);
        match convert::to_flac(program, kind, file.path(), converted.path(), max_seconds, cancel) {
            Ok(()) => Ok((converted, kind)),
            Err(Failure::Absent) => Err(unsupported(true)),
            Err(Failure::NotStarted(cause)) => Err(Refusal::of_disk("start ffmpeg", cause)),
            Err(Failure::NoRoom(cause)) => Err(Refusal::of_disk("write the converted file", cause)),
            Err(Failure::Failed) => Err(unsupported(false)),
            Err(Failure::Cancelled) => Err(Refusal::Cancelled),
        }
    }

    /// Moves an examined file into `audio/` under a readable name made from `wanted_name`, and gives the name.
    pub fn keep(&self, examined: Examined, wanted_name: &str) -> Result<String, Refusal> {
        let Examined { file, extension, .. } = examined;
        file.keep(&self.audio_dir, wanted_name, extension)
            .map_err(|cause| Refusal::of_disk("move the file into the audio folder", cause))
    }
}

/// Refuses a file that ends before its end. What damaged packets lost is forgiven up to a point, since it is counted
/// and shown.
fn check_completeness(decoder: &Decoder, frames: u64) -> Result<(), Refusal> {
    let rate = decoder.shape().sample_rate;
    let declared = decoder.declared_frames().filter(|_| decoder.declares_reliably());
    let cut = Refusal::Truncated {
        declared: declared.map(|frames| length(frames, rate)),
        found: length(frames, rate),
    };
    // These write their length down, or mark their end; an MPEG stream may just end in a torn frame.
    let marks_its_end = matches!(decoder.format_name(), "ogg" | "flac" | "isomp4" | "aiff" | "caf")
        || (decoder.format_name() == "wave" && declared.is_some());
    if decoder.is_truncated() && marks_its_end {
        return Err(cut);
    }
    let Some(declared) = declared else { return Ok(()) };
    let missing = declared.saturating_sub(frames);
    let damaged = if decoder.skipped_packets() > 0 { declared / DAMAGED_PART } else { 0 };
    let forgiven = (declared / MISSING_PART).max(damaged);
    if missing > forgiven && length(missing, rate) > MISSING_LEAST { Err(cut) } else { Ok(()) }
}

fn length(frames: u64, sample_rate: u32) -> SignedDuration {
    let milliseconds = frames_on_air(frames, sample_rate) / 48;
    SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}

/// The usual ending of a name for what the file really is.
fn extension(decoder: &Decoder) -> &'static str {
    match (decoder.format_name(), decoder.codec_name()) {
        ("wave", _) => "wav",
        ("isomp4", _) => "m4a",
        ("ogg", "opus") => "opus",
        ("matroska" | "mkv", _) => "webm",
        (format, _) => format,
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "made samples and small counts")]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use tempfile::TempDir;

    use super::super::material::{BURST, WHOLE, burst_wav, ffmpeg, wav};
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
            let file = Temporary::copy_of(path, self.audio.path()).unwrap();
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
        assert_eq!(
            (examined.words.title.as_str(), examined.words.author.as_deref()),
            ("Tin_sáng", Some("Lan"))
        );
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
        let name = desk.ingest.keep(examined, "../Bản tin “đài” sáng.MP3").unwrap();
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
        let playlist = desk.write("list.mp3", b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n");
        assert!(matches!(desk.refusal(&playlist), Refusal::NotAudio));
    }

    #[test]
    fn a_film_without_sound_is_not_a_recording() {
        let desk = Desk::new();
        let path = desk.make("mute.mp4", "-f lavfi -i color=black:s=64x64:r=5:d=2 -map 1:v -c:v mpeg4 -an");
        assert!(matches!(
            desk.refusal(&path),
            Refusal::NotAudio | Refusal::UnsupportedCodec { ffmpeg_missing: false, .. }
        ));
    }

    #[test]
    fn limits_hold() {
        let mut desk = Desk::new();
        let path = desk.make("a.mp3", "");
        desk.ingest.limits.max_length = SignedDuration::from_secs(5);
        assert!(matches!(desk.refusal(&path), Refusal::TooLong { .. }));
        desk.ingest.limits.max_bytes = 1000;
        assert!(matches!(desk.refusal(&path), Refusal::TooLarge { .. }));
        let file = Temporary::copy_of(&desk.make("b.wav", ""), desk.audio.path()).unwrap();
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
        ("a.rf64.wav", "-rf64 always", "RF64"),
        ("low.m4a", "-c:a aac -ar 22050", "HE-AAC"),
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
            let kept = desk.ingest.keep(examined, name).unwrap();
            assert_eq!(hash_of_path(&desk.audio.path().join(kept)).unwrap(), hash);
        }
        desk.assert_nothing_is_left();
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
}
