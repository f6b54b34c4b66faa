//! What the decoders here cannot read, handed to `ffmpeg` where it is installed: as a process with a time limit, told
//! which format it is to expect, so that no uploaded text can make it open other files or addresses.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use jiff::SignedDuration;

/// So much more must fit behind what a conversion wrote, in bytes.
const PROBE: usize = 256 * 1024;

/// Bytes at the beginning of a file that say what it is.
const HEAD: usize = 1024;

/// Packets in a row that begin alike, for a stream of them.
const PACKETS: usize = 5;

/// How often a running conversion is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Looks before it is ended: 10 minutes, for two hours of sound on a slow machine.
const MAX_LOOKS: u32 = 12_000;

/// A format told by the first bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Its name, for people.
    pub(crate) name: &'static str,
    /// ffmpeg's name for its reader.
    reader: &'static str,
}

/// What the first bytes say a file is; only what is worth a try.
pub(crate) fn kind_of(path: &Path) -> io::Result<Option<Kind>> {
    Ok(kind_of_head(&head_of(path)?))
}

/// Whether the first bytes are those of a film of which the decoders here do not know the container, or of a stream whose
/// headers they take for none. Further in they find what looks like the beginning of sound, and would take snatches for the
/// whole.
pub(crate) fn is_beyond_the_decoders(path: &Path) -> io::Result<bool> {
    let head = head_of(path)?;
    Ok(film_of_head(&head).is_some() || is_unread_layer_two(&head))
}

/// The first bytes; of a stream that a tag stands before, those behind it.
fn head_of(path: &Path) -> io::Result<Vec<u8>> {
    let head = bytes_at(path, 0)?;
    match tag_bytes(&head) {
        Some(behind) => bytes_at(path, behind),
        None => Ok(head),
    }
}

fn bytes_at(path: &Path, at: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(HEAD);
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    file.take(HEAD as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// How long the ID3 tag is with which a file begins, if it does: its header has ten bytes, and counts the others by seven
/// bits in each of four.
fn tag_bytes(head: &[u8]) -> Option<u64> {
    let size = head.strip_prefix(b"ID3")?.get(3..7)?;
    Some(size.iter().fold(0, |size, byte| (size << 7) | u64::from(byte & 0x7f)) + 10)
}

/// Whether a stream of Layer II begins with a header that the decoder here takes for none: its bit rate is free, or one that
/// the standard does not allow for its channels, as 384 kbit/s for one. Many write such.
fn is_unread_layer_two(head: &[u8]) -> bool {
    let [0xff, second, third, fourth, ..] = *head else { return false };
    if second & 0xe6 != 0xe4 {
        return false;
    }
    let (is_first_version, is_mono) = (second & 0x18 == 0x18, fourth >> 6 == 3);
    match (is_first_version, is_mono, third >> 4) {
        (_, _, 0) => true,
        // From 224 kbit/s on.
        (true, true, rate) => (11..=14).contains(&rate),
        // 32, 48, 56 and 80 kbit/s.
        (true, false, rate) => matches!(rate, 1 | 2 | 3 | 5),
        (false, false, rate) => matches!(rate, 4 | 6 | 7 | 9),
        (false, true, _) => false,
    }
}

fn film_of_head(head: &[u8]) -> Option<Kind> {
    // Each packet of 188 bytes begins with the same one; a camera puts four before each.
    let in_packets =
        |at: usize, length: usize| (0..PACKETS).all(|packet| head.get(at + packet * length) == Some(&0x47));
    if in_packets(0, 188) || in_packets(4, 192) {
        Some(Kind { name: "MPEG-TS", reader: "mpegts" })
    } else if head.starts_with(&[0, 0, 1, 0xba]) {
        Some(Kind { name: "MPEG", reader: "mpeg" })
    } else if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"AVI ") {
        Some(Kind { name: "AVI", reader: "avi" })
    } else {
        None
    }
}

fn kind_of_head(head: &[u8]) -> Option<Kind> {
    if let Some(film) = film_of_head(head) {
        return Some(film);
    }
    const ASF: &[u8] = &[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11];
    const KINDS: &[(usize, &[u8], &str, &str)] = &[
        (0, b"#!AMR", "AMR", "amr"),
        (0, ASF, "WMA", "asf"),
        (0, &[0x0b, 0x77], "AC-3", "ac3"),
        (0, b"RF64", "RF64", "wav"),
        (0, b"RIFF", "WAV", "wav"),
        (0, b"riff\x2e\x91\xcf\x11", "Wave64", "w64"),
        (4, b"ftyp", "MP4", "mov"),
        (0, &[0x1a, 0x45, 0xdf, 0xa3], "WebM", "matroska"),
        (0, b"OggS", "Ogg", "ogg"),
        (0, b"caff", "CAF", "caf"),
        (0, b"FLV\x01", "FLV", "flv"),
        (0, b"MAC ", "APE", "ape"),
        (0, b"wvpk", "WavPack", "wv"),
    ];
    let known =
        KINDS.iter().find(|(at, magic, ..)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    if let Some(&(_, _, name, reader)) = known {
        return Some(Kind { name, reader });
    }
    match head {
        // ADTS: twelve bits of sync, layer 0.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Some(Kind { name: "AAC", reader: "aac" }),
        // Layer II, of which the decoder here does not read all.
        [0xff, second, ..] if second & 0xe6 == 0xe4 => Some(Kind { name: "MP2", reader: "mp3" }),
        _ => None,
    }
}

/// Whether the first bytes of a file are as those of a recording are, in any format: one that cannot be decoded then is
/// cut off or damaged, and no other kind of file.
pub(crate) fn begins_as_sound(path: &Path) -> io::Result<bool> {
    let head = bytes_at(path, 0)?;
    let named = [&b"ID3"[..], b"fLaC", b"FORM", b".snd"].iter().any(|magic| head.starts_with(magic));
    // Eleven bits of sync.
    let mpeg = matches!(head.as_slice(), [0xff, second, ..] if second & 0xe0 == 0xe0);
    Ok(named || mpeg || kind_of_head(&head).is_some())
}

/// What ffmpeg said of a file while it converted it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// How long the file's header says that it is, where it does: what ffmpeg only estimates is left out.
    declared: Option<SignedDuration>,
    /// How long a tag of the sound says that it is.
    sound: Option<SignedDuration>,
    /// Whether that tag, should one come, would be the sound's.
    tells_of_sound: bool,
    /// Whether it has moving pictures too.
    has_pictures: bool,
    /// Whether some of it could not be decoded.
    pub(crate) is_damaged: bool,
    /// Whether it ended before its end.
    pub(crate) is_cut: bool,
    /// Whether there is no sound in it at all.
    is_mute: bool,
    /// Whether a duration was only estimated.
    is_estimated: bool,
}

impl Report {
    /// How long its sound is to be, where that is written down: a film's own length is that of its pictures, which may go on
    /// when the sound is over. The tag is Matroska's, whose writers renew it; in other files it may be left of another one.
    pub(crate) fn declared_sound(&self, kind: Kind) -> Option<SignedDuration> {
        let whole = self.declared.filter(|_| !self.has_pictures);
        self.sound.filter(|_| kind.reader == "matroska").or(whole)
    }

    /// Reads on to the end of what ffmpeg says.
    fn read(said: impl Read) -> Self {
        let mut report = Self::default();
        let (mut said, mut line) = (BufReader::new(said), Vec::new());
        while said.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            report.hear(&String::from_utf8_lossy(&line));
            line.clear();
        }
        report
    }

    fn hear(&mut self, line: &str) {
        // Two spaces: a tag that calls itself so stands further in.
        if let Some(said) = line.strip_prefix("  Duration: ") {
            let said = said.split(',').next().and_then(duration);
            self.declared = self.declared.or(said).filter(|_| !self.is_estimated);
        }
        self.is_estimated |= line.contains("Estimating duration from bitrate");
        if line.starts_with("  Stream #0:") {
            self.tells_of_sound = line.contains(": Audio: ");
            self.has_pictures |= line.contains(": Video: ") && !line.contains("(attached pic)");
        }
        if let Some((_, said)) = line.split_once("      DURATION        : ")
            && self.tells_of_sound
        {
            self.sound = self.sound.or(duration(said));
        }
        self.is_damaged |=
            line.starts_with("Error while decoding") || line.contains("Error submitting packet");
        self.is_cut |= ["File ended prematurely", "moov atom not found", ": partial file"]
            .iter()
            .any(|complaint| line.contains(complaint));
        self.is_mute |= line.starts_with("Stream map '") && line.contains("matches no streams");
    }
}

/// `00:01:00.02`, with two digits behind the point or more.
fn duration(said: &str) -> Option<SignedDuration> {
    let mut parts = said.trim().split([':', '.']);
    let mut next = || parts.next()?.get(..2)?.parse::<i64>().ok();
    let (hours, minutes, seconds, hundredths) = (next()?, next()?, next()?, next()?);
    Some(SignedDuration::from_millis(((hours * 60 + minutes) * 60 + seconds) * 1000 + hundredths * 10))
}

/// How large a file's header says that it is, where it does: ffmpeg does not compare.
pub(crate) fn declared_bytes(path: &Path, kind: Kind) -> io::Result<Option<u64>> {
    const FILE_PROPERTIES: &[u8] = &[0xa1, 0xdc, 0xab, 0x8c, 0x47, 0xa9, 0xcf, 0x11, 0x8e, 0xe4];
    const FLV_SIZE: &[u8] = b"\x00\x08filesize\x00";
    const HEADER: u64 = 8192;
    let mut head = Vec::new();
    File::open(path)?.take(HEADER).read_to_end(&mut head)?;
    let number = |at: usize| -> Option<u64> {
        Some(u64::from_le_bytes(head.get(at..at.checked_add(8)?)?.try_into().ok()?))
    };
    let bytes = match kind.reader {
        "asf" => {
            head.windows(FILE_PROPERTIES.len()).position(|window| window == FILE_PROPERTIES).and_then(|at| {
                // What is written to a pipe, or broadcast, does not know its size.
                let broadcast = number(at + 88).is_none_or(|flags| flags & 1 == 1);
                number(at + 40).filter(|_| !broadcast)
            })
        }
        // What is longer than a gigabyte says it of its first part.
        "avi" => {
            head.get(4..8).and_then(|bytes| Some(u64::from(u32::from_le_bytes(bytes.try_into().ok()?)) + 8))
        }
        "flv" => head.windows(FLV_SIZE.len()).position(|window| window == FLV_SIZE).and_then(|at| {
            let bytes = head.get(at + FLV_SIZE.len()..)?.first_chunk()?;
            // A double; 0 where it was written to a pipe.
            format!("{:.0}", f64::from_be_bytes(*bytes)).parse().ok()
        }),
        "w64" => number(16).filter(|bytes| i64::try_from(*bytes).is_ok()),
        _ => None,
    };
    Ok(bytes)
}

/// How a conversion went wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    /// ffmpeg is not where it should be.
    Absent,
    /// The system could not start it.
    NotStarted(io::Error),
    /// The disk has no room for what it writes.
    NoRoom(io::Error),
    /// It could not read the file either, or took too long.
    Failed,
    /// It could not: the file lacks its end, which tells how to read it.
    Cut,
    /// There is no sound track.
    NoSound,
    /// It was called off.
    Cancelled,
}

/// Writes the first sound track of `from` into `to` as FLAC, at most `max_seconds` of it. That it succeeds does not mean
/// that the file was whole: what was said of it is given back.
pub(crate) fn to_flac(
    program: &Path,
    kind: Kind,
    from: &Path,
    to: &Path,
    max_seconds: i64,
    cancel: &AtomicBool,
) -> Result<Report, Failure> {
    let as_file = |path: &Path| {
        let mut argument = std::ffi::OsString::from("file:");
        argument.push(path);
        argument
    };
    let child = Command::new(program)
        .args(["-nostdin", "-hide_banner", "-nostats", "-loglevel", "info", "-threads", "1"])
        .args(["-protocol_whitelist", "file", "-f", kind.reader, "-i"])
        .arg(as_file(from))
        .args(["-map", "0:a:0", "-map_metadata", "0", "-t", &max_seconds.to_string(), "-c:a", "flac"])
        .args(["-f", "flac", "-y"])
        .arg(as_file(to))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    match child {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Err(Failure::Absent),
        Err(cause) => Err(Failure::NotStarted(cause)),
        Ok(mut child) => {
            let said = child.stderr.take();
            let listener = thread::spawn(move || said.map(Report::read).unwrap_or_default());
            let ended = wait(child, cancel);
            let report = listener.join().unwrap_or_default();
            match ended {
                Ok(()) => Ok(report),
                Err(Failure::Failed) if report.is_mute => Err(Failure::NoSound),
                Err(Failure::Failed) if report.is_cut => Err(Failure::Cut),
                // It does not say so in a way to be relied on.
                Err(Failure::Failed) => Err(no_room(to).map_or(Failure::Failed, Failure::NoRoom)),
                Err(other) => Err(other),
            }
        }
    }
}

/// Why nothing more can be written to a file, if nothing can.
fn no_room(file: &Path) -> Option<io::Error> {
    let mut file = File::options().append(true).open(file).ok()?;
    file.write_all(&[0; PROBE]).and_then(|()| file.sync_data()).err()
}

fn wait(mut child: Child, cancel: &AtomicBool) -> Result<(), Failure> {
    let mut outcome = Err(Failure::Failed);
    for _ in 0..MAX_LOOKS {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            // A terminal tells both to stop, and it may be the first to end.
            Ok(Some(_)) if cancel.load(Ordering::Relaxed) => return Err(Failure::Cancelled),
            Ok(Some(_)) => return Err(Failure::Failed),
            Ok(None) => {}
            Err(_) => break,
        }
        if cancel.load(Ordering::Relaxed) {
            outcome = Err(Failure::Cancelled);
            break;
        }
        thread::sleep(LOOK);
    }
    // It may have ended by itself just now; either way it must not stay behind as a zombie.
    drop(child.kill());
    drop(child.wait());
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_bad_file() {
        let full = no_room(Path::new("/dev/full")).unwrap();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(no_room(file.path()).is_none());
        let with = |program: &Path, to: &Path| {
            let kind = Kind { name: "AMR", reader: "amr" };
            to_flac(program, kind, file.path(), to, 1, &AtomicBool::new(false)).unwrap_err()
        };
        assert!(matches!(with("false".as_ref(), file.path()), Failure::Failed));
        assert!(matches!(with("false".as_ref(), "/dev/full".as_ref()), Failure::NoRoom(_)));
        assert!(matches!(with("/".as_ref(), file.path()), Failure::NotStarted(_)));
        assert!(matches!(with("/none".as_ref(), file.path()), Failure::Absent));
        let ended = Command::new("false").spawn().unwrap();
        assert!(matches!(wait(ended, &AtomicBool::new(true)), Err(Failure::Cancelled)));
    }

    #[test]
    fn only_files_that_look_like_sound_are_handed_on() {
        assert_eq!(kind_of_head(b"#!AMR\n<").map(|kind| kind.name), Some("AMR"));
        assert_eq!(kind_of_head(b"\0\0\0\x18ftyp3gp4").map(|kind| kind.name), Some("MP4"));
        assert_eq!(kind_of_head(b"RIFF\0\0\0\0WAVEfmt ").map(|kind| kind.name), Some("WAV"));
        assert_eq!(kind_of_head(b"RIFF\0\0\0\0AVI LIST").map(|kind| kind.name), Some("AVI"));
        assert_eq!(kind_of_head(b"GGGG but not every 188 bytes"), None);
        assert_eq!(kind_of_head(b"#EXTM3U\nfile:///etc/passwd"), None);
        assert_eq!(kind_of_head(b"ffconcat version 1.0"), None);
        assert_eq!(kind_of_head(b"<html>"), None);
        assert_eq!(kind_of_head(b""), None);
    }

    #[test]
    fn what_ffmpeg_says_of_a_file_is_understood() {
        let said = "  Metadata:\n    title           : Duration: 00:09:00.00\n  Duration: 00:01:00.02, start: 0\n  \
                    Stream #0:0: Audio: opus\n[matroska @ 0x1] File ended prematurely at pos. 372088\n";
        let cut = Report {
            declared: Some(SignedDuration::from_millis(60_020)),
            tells_of_sound: true,
            is_cut: true,
            ..Report::default()
        };
        assert_eq!(Report::read(said.as_bytes()), cut);
        let said =
            "[asf @ 0x1] Estimating duration from bitrate, this may be inaccurate\n  Duration: 00:01:04.60\n";
        assert_eq!(Report::read(said.as_bytes()).declared, None);
        assert_eq!(Report::read(&b"  Duration: N/A, start: 0\n"[..]).declared, None);
        let film = "  Duration: 00:00:12.01\n  Stream #0:0: Video: vp8\n      DURATION        : 00:00:12.007000000\n  \
                    Stream #0:1: Audio: opus\n      DURATION        : 00:00:08.008000000\n";
        let film = Report::read(film.as_bytes());
        let length = |reader| film.declared_sound(Kind { name: "", reader });
        assert_eq!((length("matroska"), length("mov")), (Some(SignedDuration::from_millis(8_000)), None));
        assert!(Report::read(&b"Stream map '0:a:0' matches no streams.\n"[..]).is_mute);
    }
}
