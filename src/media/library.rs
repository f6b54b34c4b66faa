//! The files in `audio/` against the segments they stand for.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use jiff::Timestamp;

use super::seal::hash_of_path;
use crate::segment::{ContentHash, FileTrouble, Segment, Troubles};

/// A file when it was read: while its size and the time of its last change stay, its bytes are not read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    bytes: u64,
    written: Timestamp,
    hash: ContentHash,
}

/// Looks at a segment's file, which is read whole unless it is as it was `before`.
pub fn look_at(audio: &Path, segment: &Segment, before: Option<Seen>) -> (Option<Seen>, Option<FileTrouble>) {
    match see(&audio.join(&segment.file), before) {
        Ok(Some(seen)) => (Some(seen), (seen.hash != segment.hash).then_some(FileTrouble::FileChanged)),
        Ok(None) => (None, Some(FileTrouble::FileMissing)),
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            (None, Some(FileTrouble::FileMissing))
        }
        Err(_) => (None, Some(FileTrouble::FileUnreadable)),
    }
}

/// What is wrong with the files of these segments. Every file is read whole: one whose size and time are the same may
/// still have rotted.
pub fn troubles<'s>(audio: &Path, segments: impl IntoIterator<Item = &'s Segment>) -> Troubles {
    segments
        .into_iter()
        .filter_map(|segment| Some((segment.id.clone(), look_at(audio, segment, None).1?)))
        .collect()
}

/// None where something else has the file's name.
fn see(path: &Path, before: Option<Seen>) -> io::Result<Option<Seen>> {
    // A link is followed: a station may keep its music on another disk.
    let about = fs::metadata(path)?;
    if !about.is_file() {
        return Ok(None);
    }
    let written = Timestamp::try_from(about.modified()?).map_err(io::Error::other)?;
    let bytes = about.len();
    let hash = match before {
        // To take away the right to read it changes neither.
        Some(before) if (before.bytes, before.written) == (bytes, written) => {
            fs::File::open(path)?;
            before.hash
        }
        _ => hash_of_path(path)?,
    };
    Ok(Some(Seen { bytes, written, hash }))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::timeline::fixture;

    fn write(dir: &Path, name: &str, bytes: &[u8]) {
        fs::File::create(dir.join(name)).unwrap().write_all(bytes).unwrap();
    }

    /// A segment that stands for a file as it is now.
    fn approved(dir: &Path, file: &str) -> Segment {
        let hash = hash_of_path(&dir.join(file)).unwrap();
        Segment { id: hash.segment_id(), hash, file: file.into(), ..fixture::segment("x", "tin", 1) }
    }

    #[test]
    fn a_file_that_is_gone_or_has_other_bytes_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["Bản tin.mp3", "nhạc.mp3", "gone.mp3"] {
            write(dir.path(), name, name.as_bytes());
        }
        let [bulletin, music, gone] =
            ["Bản tin.mp3", "nhạc.mp3", "gone.mp3"].map(|name| approved(dir.path(), name));
        write(dir.path(), "nhạc.mp3", b"other");
        fs::remove_file(dir.path().join("gone.mp3")).unwrap();
        let found = troubles(dir.path(), [&bulletin, &music, &gone]);
        let expected = [(music.id, FileTrouble::FileChanged), (gone.id.clone(), FileTrouble::FileMissing)];
        assert_eq!(found, expected.into());
        fs::create_dir(dir.path().join("gone.mp3")).unwrap();
        assert_eq!(look_at(dir.path(), &gone, None).1, Some(FileTrouble::FileMissing), "a folder is no file");
    }

    #[test]
    fn a_file_that_is_there_and_cannot_be_read_is_not_said_to_be_gone() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a.mp3", b"one");
        let segment = approved(dir.path(), "a.mp3");
        fs::remove_file(dir.path().join("a.mp3")).unwrap();
        // Nobody can read it, not even who may read everything.
        std::os::unix::fs::symlink("a.mp3", dir.path().join("a.mp3")).unwrap();
        assert_eq!(look_at(dir.path(), &segment, None), (None, Some(FileTrouble::FileUnreadable)));
        fs::remove_file(dir.path().join("a.mp3")).unwrap();
        std::os::unix::fs::symlink("elsewhere.mp3", dir.path().join("a.mp3")).unwrap();
        assert_eq!(look_at(dir.path(), &segment, None), (None, Some(FileTrouble::FileMissing)), "it is gone");
    }

    #[test]
    fn only_what_changed_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a.mp3", b"one");
        let segment = approved(dir.path(), "a.mp3");
        let seen = look_at(dir.path(), &segment, None).0.unwrap();
        let pretended = Seen { hash: ContentHash([7; 32]), ..seen };
        let (again, trouble) = look_at(dir.path(), &segment, Some(pretended));
        assert_eq!((again, trouble), (Some(pretended), Some(FileTrouble::FileChanged)), "taken over");
        write(dir.path(), "a.mp3", b"three");
        let hash = look_at(dir.path(), &segment, Some(pretended)).0.unwrap().hash;
        assert_eq!(hash, approved(dir.path(), "a.mp3").hash, "read");
    }
}
