//! What the decoders here cannot read, handed to `ffmpeg` where it is installed: as a process with a time limit, told
//! which format it is to expect, so that no uploaded text can make it open other files or addresses.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// So much more must fit behind what a conversion wrote, in bytes.
const PROBE: usize = 256 * 1024;

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
    let mut head = Vec::with_capacity(16);
    File::open(path)?.take(16).read_to_end(&mut head)?;
    Ok(kind_of_head(&head))
}

fn kind_of_head(head: &[u8]) -> Option<Kind> {
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
        _ => None,
    }
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
    /// It was called off.
    Cancelled,
}

/// Writes the first sound track of `from` into `to` as FLAC, at most `max_seconds` of it.
pub(crate) fn to_flac(
    program: &Path,
    kind: Kind,
    from: &Path,
    to: &Path,
    max_seconds: i64,
    cancel: &AtomicBool,
) -> Result<(), Failure> {
    let as_file = |path: &Path| {
        let mut argument = std::ffi::OsString::from("file:");
        argument.push(path);
        argument
    };
    let child = Command::new(program)
        .args(["-nostdin", "-hide_banner", "-loglevel", "quiet", "-threads", "1"])
        .args(["-protocol_whitelist", "file", "-f", kind.reader, "-i"])
        .arg(as_file(from))
        .args(["-map", "0:a:0", "-map_metadata", "0", "-t", &max_seconds.to_string(), "-c:a", "flac"])
        .args(["-f", "flac", "-y"])
        .arg(as_file(to))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match child {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Err(Failure::Absent),
        Err(cause) => Err(Failure::NotStarted(cause)),
        Ok(child) => match wait(child, cancel) {
            // It does not say why it failed.
            Err(Failure::Failed) => Err(no_room(to).map_or(Failure::Failed, Failure::NoRoom)),
            ended => ended,
        },
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
    }

    #[test]
    fn only_files_that_look_like_sound_are_handed_on() {
        assert_eq!(kind_of_head(b"#!AMR\n<").map(|kind| kind.name), Some("AMR"));
        assert_eq!(kind_of_head(b"\0\0\0\x18ftyp3gp4").map(|kind| kind.name), Some("MP4"));
        assert_eq!(kind_of_head(b"#EXTM3U\nfile:///etc/passwd"), None);
        assert_eq!(kind_of_head(b"ffconcat version 1.0"), None);
        assert_eq!(kind_of_head(b"<html>"), None);
        assert_eq!(kind_of_head(b""), None);
    }
}
