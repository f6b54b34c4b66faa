//! Files on their way into `audio/`: written aside, moved into place under a name of their own, or gone.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::Timestamp;
use unicode_normalization::UnicodeNormalization;

use crate::segment::Catalog;

/// Where files wait inside `audio/`: on the same file system, so that moving is one step.
const INCOMING: &str = ".incoming";

/// How the name of one begins that comes in parts.
const PART: &str = "part-";

/// Longest file name in bytes: half of what file systems take, for copies with a longer ending.
const MAX_NAME: usize = 120;

/// Files of one name before a person should think of another.
const MAX_SAME_NAME: u32 = 999;

/// Bytes that are copied at a time: a second's worth from a slow stick.
const COPIED_AT_ONCE: u64 = 8 << 20;

/// Where a file waits that comes in parts, under a name that is one.
pub fn waiting(audio_dir: &Path, id: &str) -> PathBuf {
    audio_dir.join(INCOMING).join(format!("{PART}{id}"))
}

/// A file in `audio/.incoming/`, removed when dropped.
#[derive(Debug)]
pub struct Temporary {
    path: PathBuf,
    /// Whether it waits on, whatever is done with it here.
    stays: bool,
}

impl Temporary {
    /// Creates an empty one.
    pub fn create(audio_dir: &Path) -> io::Result<(Self, File)> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let dir = audio_dir.join(INCOMING);
        fs::create_dir_all(&dir)?;
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = dir.join(format!("{}-{count}", std::process::id()));
            match OpenOptions::new().write(true).read(true).create_new(true).open(&path) {
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                opened => return opened.map(|file| (Self { path, stays: false }, file)),
            }
        }
    }

    /// A file that waits beside them, and goes on waiting when it was kept or dropped: neither a power cut nor a fault
    /// meanwhile loses it.
    pub fn of_waiting(path: PathBuf) -> Self {
        Self { path, stays: true }
    }

    /// A copy of a file from elsewhere, for taking in from the command line; `Interrupted` once `cancel` is set. What is no
    /// regular file is none: opening a pipe would wait for somebody to write into it.
    pub fn copy_of(original: &Path, audio_dir: &Path, cancel: &AtomicBool) -> io::Result<Self> {
        if !fs::metadata(original)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        let mut from = File::open(original)?;
        let (temporary, mut to) = Self::create(audio_dir)?;
        while io::copy(&mut (&mut from).take(COPIED_AT_ONCE), &mut to)? > 0 {
            if cancel.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        Ok(temporary)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves it into `audio/` under a name made from `wanted`, with `-2`, `-3` … where that is taken; an existing file
    /// is never replaced, whoever else is writing, and the name of a segment of the `catalog` is taken also while its file
    /// is gone. Its bytes and its name are on the disk when this returns the name.
    pub fn keep(
        self,
        audio_dir: &Path,
        wanted: &str,
        extension: &str,
        catalog: &Catalog,
    ) -> io::Result<String> {
        self.place(audio_dir, names(1, wanted, extension, catalog))
    }

    /// Moves it into `audio/` under the very name of a segment. What stands there is another's: it is kept, under a name
    /// made from that one, which is given.
    pub fn put_back(self, audio_dir: &Path, name: &str, catalog: &Catalog) -> io::Result<Option<String>> {
        let other = audio_dir.join(name);
        let kept_as = match fs::symlink_metadata(&other) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
            there => {
                there?;
                let ending = other.extension().and_then(OsStr::to_str).unwrap_or_default();
                let aside = |place: &Path| move_without_replacing(&other, place);
                Some(under_first(audio_dir, names(2, name, ending, catalog), aside)?)
            }
        };
        self.place(audio_dir, std::iter::once(name.to_owned()))?;
        Ok(kept_as)
    }

    /// Moves it into `audio/` under the first of these names that is free.
    fn place(&self, audio_dir: &Path, names: impl Iterator<Item = String> + Clone) -> io::Result<String> {
        File::open(&self.path)?.sync_all()?;
        if !self.stays {
            return under_first(audio_dir, names, |place| move_without_replacing(&self.path, place));
        }
        match under_first(audio_dir, names.clone(), |place| fs::hard_link(&self.path, place)) {
            Err(cause) if lacks_links(&cause) => {
                Self::copy_of(&self.path, audio_dir, &AtomicBool::new(false))?.place(audio_dir, names)
            }
            placed => placed,
        }
    }
}

/// The name in `audio/` that a file gets, if it is free.
pub fn readable_name(wanted: &str, extension: &str) -> String {
    file_name(wanted, 1, extension)
}

/// The names in `audio/` that a file may get, from the `first` attempt on; none of them is a segment's.
fn names(
    first: u32,
    wanted: &str,
    extension: &str,
    catalog: &Catalog,
) -> impl Iterator<Item = String> + Clone {
    let names = (first..=MAX_SAME_NAME).map(move |attempt| file_name(wanted, attempt, extension));
    names.filter(|name| catalog.by_file(name).is_none())
}

/// Has a file put in its place under the first of these names that is free, and gives it once it is on the disk.
fn under_first(
    audio_dir: &Path,
    mut names: impl Iterator<Item = String>,
    put: impl Fn(&Path) -> io::Result<()>,
) -> io::Result<String> {
    let free = names.find_map(|name| match put(&audio_dir.join(&name)) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => None,
        put => Some(put.map(|()| name)),
    });
    let name = free.unwrap_or_else(|| Err(io::ErrorKind::AlreadyExists.into()))?;
    File::open(audio_dir)?.sync_all()?;
    Ok(name)
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.stays {
            // Nothing can be done about a failure here; what is left goes in a night to come.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Removes what an interrupted run left in `.incoming/`: everything last written before an instant, but for what comes in
/// parts and `is_awaited`, by its id. Gives how many.
pub fn clean_incoming(
    audio_dir: &Path,
    written_before: Timestamp,
    is_awaited: impl Fn(&str) -> bool,
) -> io::Result<usize> {
    let entries = match fs::read_dir(audio_dir.join(INCOMING)) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().and_then(|name| name.strip_prefix(PART)).is_some_and(&is_awaited) {
            continue;
        }
        match remove_if_old(&entry.path(), written_before) {
            Ok(true) => removed += 1,
            Ok(false) => {}
            // Taken in or given up at this very moment.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(removed)
}

fn remove_if_old(path: &Path, written_before: Timestamp) -> io::Result<bool> {
    let written = Timestamp::try_from(fs::symlink_metadata(path)?.modified()?).unwrap_or(Timestamp::MAX);
    let is_old = written < written_before;
    if is_old {
        fs::remove_file(path)?;
    }
    Ok(is_old)
}

/// Links the file under its new name and removes the old one: in one step, and only if the name is free. File systems
/// without links (USB sticks) get the name reserved first.
fn move_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Err(cause),
        Err(cause) if lacks_links(&cause) => {
            OpenOptions::new().write(true).create_new(true).open(to)?;
            // The name is not reserved for what cannot be moved.
            fs::rename(from, to).inspect_err(|_| drop(fs::remove_file(to)))
        }
        Err(cause) => Err(cause),
    }
}

/// Whether a file system cannot give a file two names.
fn lacks_links(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported)
}

/// A readable file name in Unicode NFC: the last part of what was wanted, without what would be trouble on some system.
pub fn file_name(wanted: &str, attempt: u32, extension: &str) -> String {
    let last = wanted.rsplit(['/', '\\']).next().unwrap_or_default();
    let (stem, ending) = last.rsplit_once('.').filter(|(_, ending)| is_ending(ending)).unwrap_or((last, ""));
    let ending = ending.to_ascii_lowercase();
    // A schedule names files as they were handed in: an ending that is not wrong stays.
    let extension = if are_alike(&ending, extension) { &ending } else { extension };
    let letters: String = stem.nfc().filter(|&letter| !is_trouble(letter)).collect();
    let words = letters.split_whitespace().collect::<Vec<_>>().join(" ");
    let readable = words.trim_matches(['.', ' ', '-']);
    let readable = if readable.is_empty() { "audio" } else { readable };
    let suffix = if attempt > 1 { format!("-{attempt}") } else { String::new() };
    let room = MAX_NAME.saturating_sub(suffix.len() + 1 + extension.len());
    let cut = readable.get(..readable.floor_char_boundary(room)).unwrap_or(readable).trim_end();
    format!("{cut}{suffix}.{extension}")
}

/// Whether what follows the last dot tells a format, and not a day of the month.
fn is_ending(text: &str) -> bool {
    (1..=4).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Whether two endings are in use for the same kind of file.
fn are_alike(one: &str, other: &str) -> bool {
    const ALIKE: [&[&str]; 5] = [
        &["ogg", "oga", "opus"],
        &["m4a", "mp4", "m4b", "m4v", "mov", "3gp"],
        &["webm", "mkv", "mka"],
        &["aiff", "aif"],
        &["mp3", "mp2", "mpga"],
    ];
    ALIKE.iter().any(|kind| kind.contains(&one) && kind.contains(&other))
}

/// Letters that no file name shall have: forbidden somewhere, or invisible and able to turn the rest around.
fn is_trouble(letter: char) -> bool {
    let invisible = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    letter.is_control() || invisible || r#":*?"<>|"#.contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_readable_and_harmless() {
        for (wanted, expected) in [
            ("Bản tin sáng.MP3", "Bản tin sáng.mp3"),
            ("Ba\u{309}n tin đa\u{300}i.wav", "Bản tin đài.mp3"),
            ("../../etc/passwd", "passwd.mp3"),
            (r"C:\Users\đài\nhạc hiệu.wma", "nhạc hiệu.mp3"),
            ("...hidden", "hidden.mp3"),
            ("a\"b'c:d|e\u{202e}\n.mp3", "ab'cde.mp3"),
            ("  tin   ngày 10.10", "tin ngày 10.10.mp3"),
            ("/", "audio.mp3"),
            ("", "audio.mp3"),
        ] {
            assert_eq!(file_name(wanted, 1, "mp3"), expected, "{wanted:?}");
        }
        assert_eq!(file_name("nhạc hiệu.OGG", 2, "opus"), "nhạc hiệu-2.ogg");
        assert_eq!(file_name("tin.wav", 1, "opus"), "tin.opus");
        let long = file_name(&"ế".repeat(200), 12, "flac");
        assert!(long.len() <= MAX_NAME && long.ends_with("-12.flac"), "{long}");
    }

    #[test]
    fn a_file_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let keep = || {
            let (temporary, _) = Temporary::create(dir.path()).unwrap();
            temporary.keep(dir.path(), "tin.mp3", "mp3", &Catalog::default()).unwrap()
        };
        assert_eq!([keep(), keep(), keep()], ["tin.mp3", "tin-2.mp3", "tin-3.mp3"]);
        let names = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(keep)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect::<std::collections::BTreeSet<_>>()
        });
        assert_eq!(names.len(), 8, "{names:?}");
    }

    #[test]
    fn a_file_that_waits_goes_on_waiting_whether_it_is_kept_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = waiting(dir.path(), "a");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        io::Write::write_all(&mut File::create(&path).unwrap(), b"sound").unwrap();
        drop(Temporary::of_waiting(path.clone()));
        let name = Temporary::of_waiting(path.clone())
            .keep(dir.path(), "tin.mp3", "mp3", &Catalog::default())
            .unwrap();
        for path in [&dir.path().join(name), &path] {
            assert_eq!(fs::read(path).unwrap(), b"sound");
        }
    }

    #[test]
    fn what_vanishes_meanwhile_does_not_keep_the_rest_from_being_cleaned() {
        let dir = tempfile::tempdir().unwrap();
        let is_over = AtomicBool::new(false);
        let _one_that_stays = Temporary::create(dir.path()).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let many: Vec<_> = (0..20).map(|_| Temporary::create(dir.path()).unwrap()).collect();
                    drop(many);
                }
            });
            let cleaned: io::Result<Vec<_>> =
                (0..500).map(|_| clean_incoming(dir.path(), Timestamp::UNIX_EPOCH, |_| false)).collect();
            is_over.store(true, Ordering::Relaxed);
            assert!(cleaned.unwrap().iter().all(|removed| *removed == 0));
        });
    }

    #[test]
    fn what_is_not_kept_is_gone_and_stale_files_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (temporary, _) = Temporary::create(dir.path()).unwrap();
        let path = temporary.path().to_owned();
        drop(temporary);
        assert!(!path.exists());
        File::create(&path).unwrap();
        assert_eq!(
            clean_incoming(dir.path(), Timestamp::UNIX_EPOCH, |_| false).unwrap(),
            0,
            "a running upload stays"
        );
        assert_eq!(clean_incoming(dir.path(), Timestamp::MAX, |_| false).unwrap(), 1);
        assert!(!path.exists());
        assert_eq!(clean_incoming(&dir.path().join("none"), Timestamp::MAX, |_| false).unwrap(), 0);
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let refused = Temporary::copy_of(&pipe, folder.path(), &AtomicBool::new(false)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
}
