//! Taking in a recording: hashed, decoded whole, measured, and either refused with a precise reason or ready to keep.

use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;

use super::convert::{self, Failure, Kind, Report};
use super::decode::{DecodeError, Decoder};
use super::loudness::{Meter, Waveform};
use super::riff;
use super::seal::{Seal, hash_of_path};
use super::temporary::{Temporary, readable_name};
use crate::frames;
use crate::segment::{Catalog, ContentHash, Sound, Words};

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
    /// Their seal.
    pub seal: Seal,
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
    #[expect(clippy::wildcard_enum_match_arm, reason = "only these have an answer of their own")]
    pub fn of_disk(operation: &'static str, cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::Interrupted => Self::Cancelled,
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
                let (converted, kind, report) = self.convert(&file, name, cancel)?;
                match self.hear(converted.path(), cancel)? {
                    Look::Good(heard) => {
                        check_converted(&file, bytes, kind, &report, heard.sound.whole)?;
                        (converted, heard, Some(name.unwrap_or(kind.name)))
                    }
                    Look::Convert(_) => return Err(Refusal::NotAudio),
                }
            }
        };
        let sealed = File::open(file.path()).and_then(|mut kept| Seal::of(&mut kept));
        let (hash, seal) = sealed.map_err(|cause| Refusal::of_disk("read the file", cause))?;
        let Heard { sound, waveform, words, extension } = *heard;
        Ok(Examined { hash, seal, sound, waveform, words, converted_from, extension, file })
    }

    /// Decodes a whole file. A decoder that panics over a hostile file takes nothing with it.
    fn hear(&self, path: &Path, cancel: &AtomicBool) -> Result<Look, Refusal> {
        catch_unwind(AssertUnwindSafe(|| self.decode(path, cancel))).unwrap_or(Err(Refusal::DecoderFailed))
    }

    fn decode(&self, path: &Path, cancel: &AtomicBool) -> Result<Look, Refusal> {
        if convert::is_beyond_the_decoders(path).map_err(|cause| Refusal::of_disk("read the file", cause))? {
            return Ok(Look::Convert(None));
        }
        let file = File::open(path).map_err(|cause| Refusal::of_disk("open the file", cause))?;
        let mut decoder = match Decoder::open(file) {
            Ok(decoder) if decoder.may_lack_its_upper_band() => return Ok(Look::Convert(Some("HE-AAC"))),
            Ok(decoder) => decoder,
            Err(DecodeError::NothingDecoded { declared: Some(frames) }) if frames > 0 => {
                check_beginning(path)?;
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
        let (mut frames, mut blocks): (u64, u32) = (0, 0);
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
            blocks = blocks.saturating_add(1);
            frames += (block.samples.len() / block.channels) as u64;
            if frames > max_frames {
                return Err(Refusal::TooLong { most });
            }
        }
        // A block is a packet: what is left of a file that lost more than it kept is no recording, but what was taken for
        // packets among something else.
        if decoder.skipped_packets() > blocks {
            check_beginning(path)?;
            let kind = convert::kind_of(path).map_err(|cause| Refusal::of_disk("read the file", cause))?;
            return kind.map_or(Err(Refusal::DecoderFailed), |_| Ok(Look::Convert(None)));
        }
        check_completeness(&decoder, frames)?;
        let measured = meter.finish(decoder.padding());
        let least = self.limits.min_length;
        let (cue_in, cue_out) = match measured.sound {
            _ if measured.whole < least => return Err(Refusal::TooShort { length: measured.whole, least }),
            Some(cues) if measured.loudness_lufs.is_finite() => cues,
            _ => return Err(Refusal::Silent),
        };
        let tags = match File::open(path) {
            Ok(mut file) if decoder.format_name() == "wave" => riff::tags(&mut file),
            Ok(_) | Err(_) => decoder.tags(),
        };
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
    ) -> Result<(Temporary, Kind, Report), Refusal> {
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
            Ok(report) => Ok((converted, kind, report)),
            Err(Failure::Absent) => Err(unsupported(true)),
            Err(Failure::NotStarted(cause)) => Err(Refusal::of_disk("start ffmpeg", cause)),
            Err(Failure::NoRoom(cause)) => Err(Refusal::of_disk("write the converted file", cause)),
            Err(Failure::Failed) => Err(unsupported(false)),
            Err(Failure::Cut) => Err(Refusal::Truncated { declared: None, found: SignedDuration::ZERO }),
            Err(Failure::NoSound) => Err(Refusal::NotAudio),
            Err(Failure::Cancelled) => Err(Refusal::Cancelled),
        }
    }

    /// The name under which the very bytes of an examined file lie in `audio/` already, where no segment of the catalogue has
    /// it: somebody copied the folder, and slots play it by its name.
    pub fn lies_there(&self, examined: &Examined, wanted_name: &str, catalog: &Catalog) -> Option<String> {
        let name = readable_name(wanted_name, examined.extension);
        let path = self.audio_dir.join(&name);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|about| about.is_file());
        let is_free = is_file && catalog.by_file(&name).is_none();
        (is_free && hash_of_path(&path).is_ok_and(|hash| hash == examined.hash)).then_some(name)
    }

    /// Moves an examined file into `audio/` under a readable name made from `wanted_name`, and gives the name.
    /// No segment of the catalogue has it.
    pub fn keep(&self, examined: Examined, wanted_name: &str, catalog: &Catalog) -> Result<String, Refusal> {
        let Examined { file, extension, .. } = examined;
        file.keep(&self.audio_dir, wanted_name, extension, catalog)
            .map_err(|cause| Refusal::of_disk("move the file into the audio folder", cause))
    }

    /// Moves an examined file to where a segment's file was; what stands there now is kept under another name, which is
    /// given.
    pub fn put_back(
        &self,
        examined: Examined,
        name: &str,
        catalog: &Catalog,
    ) -> Result<Option<String>, Refusal> {
        let put_back = examined.file.put_back(&self.audio_dir, name, catalog);
        put_back.map_err(|cause| Refusal::of_disk("put the file back into the audio folder", cause))
    }
}

/// Refuses a file that does not begin as sound does: any bytes may hold what looks like the beginning of a stream.
fn check_beginning(path: &Path) -> Result<(), Refusal> {
    let is_sound =
        convert::begins_as_sound(path).map_err(|cause| Refusal::of_disk("read the file", cause))?;
    if is_sound { Ok(()) } else { Err(Refusal::NotAudio) }
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

/// Refuses a file of which a conversion found less than its header promises: ffmpeg takes what is there for the whole.
fn check_converted(
    file: &Temporary,
    bytes: u64,
    kind: Kind,
    report: &Report,
    found: SignedDuration,
) -> Result<(), Refusal> {
    let said = convert::declared_bytes(file.path(), kind)
        .map_err(|cause| Refusal::of_disk("read the file", cause))?;
    let lacks_bytes = said.is_some_and(|said| said.saturating_sub(bytes) > said / MISSING_PART);
    let part = if report.is_damaged { DAMAGED_PART } else { MISSING_PART };
    let part = i32::try_from(part).unwrap_or(i32::MAX);
    let lacking = report.declared_sound(kind).filter(|declared| {
        let missing = *declared - found;
        missing > *declared / part && missing > MISSING_LEAST
    });
    if report.is_cut || lacks_bytes || lacking.is_some() {
        return Err(Refusal::Truncated { declared: lacking, found });
    }
    Ok(())
}

fn length(frames: u64, sample_rate: u32) -> SignedDuration {
    let milliseconds = frames::on_air(frames, sample_rate) / 48;
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
mod tests;
