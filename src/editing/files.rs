//! The schedule's files: read as they are, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::string::FromUtf8Error;

use sha2::{Digest as _, Sha256};

use crate::schedule::problem::{Kind, Place};
use crate::schedule::{self, Problem, Sources};
use crate::segment::ContentHash;

/// The files of a schedule, in the order in which they are read.
pub const SCHEDULE_FILES: [&str; 3] = ["station.toml", "week.toml", "days.toml"];

/// Reads the schedule's files in a folder; one that is not there is none. Where one cannot be read, what is wrong with
/// the others is told with it.
pub fn texts(folder: &Path) -> Result<Sources, Vec<Problem>> {
    let mut problems = Vec::new();
    let [station, week, days] = SCHEDULE_FILES.map(|name| match fs::read(folder.join(name)) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|bad| problems.push(not_utf8(name, &bad))).ok(),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => None,
        Err(cause) => {
            let kind = Kind::UnreadableFile { reason: cause.to_string() };
            let (place, file) = (Place::default(), format!("schedule/{name}"));
            problems.push(Problem { kind, place, file, line: 1, column: 1 });
            None
        }
    });
    let sources = Sources { station, week, days };
    if problems.is_empty() {
        return Ok(sources);
    }
    let others = schedule::read(&sources).err().unwrap_or_default();
    let unread: Vec<_> = problems.iter().map(|problem| problem.file.clone()).collect();
    problems.extend(others.into_iter().filter(|other| !unread.contains(&other.file)));
    Err(problems)
}

/// Where a file begins not to be UTF-8: Notepad saves it otherwise when asked for ANSI or Unicode.
fn not_utf8(name: &str, bad: &FromUtf8Error) -> Problem {
    let good = bad.as_bytes().get(..bad.utf8_error().valid_up_to()).unwrap_or_default();
    let good = String::from_utf8_lossy(good);
    let line = good.matches('\n').count() + 1;
    let column = good.rsplit('\n').next().map_or(0, |before| before.chars().count()) + 1;
    let (kind, place) = (Kind::NotUtf8, Place::default());
    Problem { kind, place, file: format!("schedule/{name}"), line, column }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_utf8_is_told_by_line_and_hides_nothing_of_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            File::create(folder.path().join(name)).unwrap().write_all(bytes).unwrap();
        };
        let told = || -> Vec<_> {
            let problems = texts(folder.path()).unwrap_err();
            problems
                .into_iter()
                .map(|problem| (problem.kind, problem.file, problem.line, problem.column))
                .collect()
        };
        write("station.toml", b"# 1\nname = \"X\xe3\"\n");
        write("days.toml", b"[[day]]\n");
        let found = told();
        assert_eq!(found[0], (Kind::NotUtf8, "schedule/station.toml".to_owned(), 2, 10));
        assert_eq!(found[1].0, Kind::MissingFile, "there is no week");
        assert!(
            found.len() > 2 && found[2..].iter().all(|(_, file, ..)| file == "schedule/days.toml"),
            "{found:?}"
        );
        write("station.toml", b"\xff\xfe#\0");
        assert_eq!(told()[0], (Kind::NotUtf8, "schedule/station.toml".to_owned(), 1, 1));
    }
}
