//! What lies in `audio/`, against what the catalogue believes: data for others to judge.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use unicode_normalization::UnicodeNormalization;

use super::playback::hash_of_path;
use crate::segment::{Catalog, ContentHash, SegmentId};

/// Size and time of the last change: while they stay, a file's bytes are not read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Size in bytes.
    pub bytes: u64,
    /// When it was last written.
    pub written: Timestamp,
}

/// A file in `audio/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name as it is on the disk; the key in [`Library::files`] is the same name in NFC.
    pub path: PathBuf,
    /// Size and time.
    pub stamp: Stamp,
    /// The hash of its bytes.
    pub hash: ContentHash,
}

/// What lies in `audio/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Library {
    /// The files by name, in NFC.
    pub files: BTreeMap<String, Found>,
}

/// Why `audio/` could not be looked through.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The folder itself.
    #[error("cannot list `{}`", path.display())]
    List {
        /// The folder.
        path: PathBuf,
        #[source]
        /// What the system says.
        cause: io::Error,
    },
}

/// Where files and catalogue differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Segments whose file is gone.
    pub missing: Vec<SegmentId>,
    /// Segments whose file has other bytes now, and the hash of these.
    pub changed: Vec<(SegmentId, ContentHash)>,
    /// Files that are no segment's.
    pub unknown: Vec<String>,
}

impl Library {
    /// Looks through `audio/`. Only files whose size or time differ from `before` are read; hidden files, folders and
    /// what vanishes meanwhile are left out, and a file that cannot be read counts as not there.
    pub fn scan(audio_dir: &Path, before: &Self) -> Result<Self, ScanError> {
        Self::scan_for(audio_dir, before, |_| true)
    }

    /// The same for the files that are `wanted`, by their names in NFC; no other is read.
    pub fn scan_for(
        audio_dir: &Path,
        before: &Self,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, ScanError> {
        let unlisted = |cause| ScanError::List { path: audio_dir.to_owned(), cause };
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(audio_dir).map_err(unlisted)? {
            let entry = entry.map_err(unlisted)?;
            let file_name = entry.file_name();
            let Some(name) = file_name.to_str().filter(|name| !name.starts_with('.')) else { continue };
            let name: String = name.nfc().collect();
            if wanted(&name)
                && let Some(found) = look_at(&entry.path(), before.files.get(&name))
            {
                files.insert(name, found);
            }
        }
        Ok(Self { files })
    }

    /// Where the files and a catalogue differ.
    pub fn differences(&self, catalog: &Catalog) -> Differences {
        let mut differences = Differences::default();
        for segment in catalog.iter() {
            match self.files.get(&segment.file) {
                None => differences.missing.push(segment.id.clone()),
                Some(found) if found.hash != segment.hash => {
                    differences.changed.push((segment.id.clone(), found.hash));
                }
                Some(_) => {}
            }
        }
        let known: BTreeSet<&str> = catalog.iter().map(|segment| segment.file.as_str()).collect();
        differences.unknown =
            self.files.keys().filter(|name| !known.contains(name.as_str())).cloned().collect();
        differences
    }
}

/// A regular file's stamp and hash, or `None` where there is none to be read.
fn look_at(path: &Path, before: Option<&Found>) -> Option<Found> {
    // A link is followed: a station may keep its music on another disk.
    let about = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let stamp = Stamp { bytes: about.len(), written: Timestamp::try_from(about.modified().ok()?).ok()? };
    let hash = match before {
        Some(before) if before.stamp == stamp && before.path == path => before.hash,
        _ => hash_of_path(path).ok()?,
    };
    Some(Found { path: path.to_owned(), stamp, hash })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use jiff::SignedDuration;

    use super::*;
    use crate::segment::{Segment, Sound, State, Words};

    fn write(dir: &Path, name: &str, bytes: &[u8]) {
        fs::File::create(dir.join(name)).unwrap().write_all(bytes).unwrap();
    }

    fn segment(file: &str, hash: ContentHash) -> Segment {
        let sound = Sound {
            whole: SignedDuration::from_secs(1),
            cue_in: SignedDuration::ZERO,
            cue_out: SignedDuration::from_secs(1),
            channels: 1,
            sample_rate: 48_000,
            loudness_lufs: -20.0,
            true_peak_dbtp: -3.0,
            skipped_packets: 0,
            codec: "flac".into(),
        };
        Segment {
            id: hash.segment_id(),
            hash,
            file: file.into(),
            words: Words::default(),
            sound,
            state: State::Approved,
            approval: None,
            added: Timestamp::UNIX_EPOCH,
            added_by: "lan".into(),
        }
    }

    #[test]
    fn files_and_catalogue_are_compared_by_name_and_bytes() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "Ba\u{309}n tin.mp3", b"one");
        write(dir.path(), "nhạc.mp3", b"two");
        write(dir.path(), "new.mp3", b"three");
        write(dir.path(), ".hidden", b"four");
        fs::create_dir(dir.path().join(".incoming")).unwrap();
        let library = Library::scan(dir.path(), &Library::default()).unwrap();
        let bulletin = segment("Bản tin.mp3", library.files["Bản tin.mp3"].hash);
        let music = segment("nhạc.mp3", ContentHash([1; 32]));
        let gone = segment("gone.mp3", ContentHash([2; 32]));
        let catalog: Catalog = [bulletin, music.clone(), gone.clone()].into_iter().collect();
        let differences = library.differences(&catalog);
        assert_eq!(differences.missing, [gone.id]);
        assert_eq!(differences.changed, [(music.id, library.files["nhạc.mp3"].hash)]);
        assert_eq!(differences.unknown, ["new.mp3"]);
    }

    #[test]
    fn only_what_changed_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a.mp3", b"one");
        let mut first = Library::scan(dir.path(), &Library::default()).unwrap();
        let pretended = ContentHash([7; 32]);
        first.files.get_mut("a.mp3").unwrap().hash = pretended;
        assert_eq!(Library::scan(dir.path(), &first).unwrap().files["a.mp3"].hash, pretended, "taken over");
        write(dir.path(), "a.mp3", b"other");
        assert_ne!(Library::scan(dir.path(), &first).unwrap().files["a.mp3"].hash, pretended, "read");
    }
}
