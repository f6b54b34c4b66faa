//! The schedule's files: read as they are, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::schedule::problem::Kind;
use crate::schedule::{Problem, Sources};
use crate::segment::ContentHash;

/// The files of a schedule, in the order in which they are read.
pub const SCHEDULE_FILES: [&str; 3] = ["station.toml", "week.toml", "days.toml"];

/// Reads the schedule's files in a folder; one that is not there is none.
pub fn texts(folder: &Path) -> Result<Sources, Vec<Problem>> {
    let mut problems = Vec::new();
    let [station, week, days] = SCHEDULE_FILES.map(|name| match fs::read_to_string(folder.join(name)) {
        Ok(text) => Some(text),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => None,
        Err(cause) => {
            let kind = Kind::UnreadableFile { reason: cause.to_string() };
            problems.push(Problem { kind, file: format!("schedule/{name}"), line: 1, column: 1 });
            None
        }
    });
    if problems.is_empty() { Ok(Sources { station, week, days }) } else { Err(problems) }
}

/// Writes the files that are other than they should be; one that is to be none is removed.
///
/// Each is written aside, and is on the disk before it takes the place of the old one: a power cut leaves the one or the
/// other. A file that is not as it was `before` any more, where that matters, is left alone:
/// [`io::ErrorKind::ResourceBusy`].
pub fn write(folder: &Path, before: Option<&Sources>, after: &Sources) -> io::Result<()> {
    for (place, (name, text)) in SCHEDULE_FILES.iter().zip(each(after)).enumerate() {
        let before = before.and_then(|before| each(before).get(place).copied());
        let to = folder.join(name);
        match text {
            Some(text) if fs::read(&to).is_ok_and(|old| old == text.as_bytes()) => {}
            Some(text) => replace(&to, text, before)?,
            None if fs::exists(&to)? => fs::remove_file(&to)?,
            None => {}
        }
    }
    File::open(folder)?.sync_all()
}

fn each(Sources { station, week, days }: &Sources) -> [Option<&str>; 3] {
    [station.as_deref(), week.as_deref(), days.as_deref()]
}

fn replace(to: &Path, text: &str, before: Option<Option<&str>>) -> io::Result<()> {
    // What is kept elsewhere and linked to stays there.
    let to = fs::canonicalize(to).unwrap_or_else(|_| to.to_owned());
    let aside = to.with_extension("toml.new");
    let mut file = File::create(&aside)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| {
        match fs::metadata(&to) {
            Ok(old) => fs::set_permissions(&aside, old.permissions())?,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(cause),
        }
        // A slow disk takes long to get here: long enough for somebody's editor.
        if before.is_some_and(|before| fs::read_to_string(&to).ok().as_deref() != before) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        fs::rename(&aside, &to)
    });
    if written.is_err() {
        // Half of a file is of no use to anybody, and one that cannot be removed does no harm.
        drop(fs::remove_file(&aside));
    }
    written
}

/// Tells apart two states of the files.
pub(super) fn fingerprint(Sources { station, week, days }: &Sources) -> String {
    let mut hash = Sha256::new();
    for text in [station, week, days] {
        let length = text.as_ref().map_or(u64::MAX, |text| u64::try_from(text.len()).unwrap_or(u64::MAX));
        hash.update(length.to_be_bytes());
        hash.update(text.as_deref().unwrap_or_default());
    }
    ContentHash(hash.finalize().into()).to_string()
}
