//! The schedule's files: read as they are, written whole or not at all.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use jiff::Timestamp;
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
    let others = schedule::read_at(&sources, Timestamp::MAX).err().unwrap_or_default();
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

/// Writes the files that are other than they should be; one that is to be none is removed. All of them or none.
///
/// Each is written aside, and all are on the disk before the first takes the place of the old one: a power cut leaves the
/// one or the other of each. Where they are not as they were `before` any more, and that matters, nothing is written:
/// [`io::ErrorKind::ResourceBusy`].
pub fn write(folder: &Path, before: Option<&Sources>, after: &Sources) -> io::Result<Written> {
    let mut files = Vec::new();
    for (name, text) in SCHEDULE_FILES.iter().zip(each(after)) {
        let to = folder.join(name);
        // What is kept elsewhere and linked to stays there.
        let to = fs::canonicalize(&to).unwrap_or(to);
        let old = fs::read(&to).ok();
        if old.as_deref() != text.map(str::as_bytes) {
            files.push(Aside::of(&to, old.as_deref(), text)?);
        }
    }
    // A slow disk takes long to get here: long enough for somebody's editor.
    if before.is_some_and(|before| texts(folder).as_ref() != Ok(before)) {
        return Err(io::ErrorKind::ResourceBusy.into());
    }
    let written = Written { files };
    match written.put() {
        Ok(()) => Ok(written),
        Err(cause) => {
            written.take_back()?;
            Err(cause)
        }
    }
}

fn each(Sources { station, week, days }: &Sources) -> [Option<&str>; 3] {
    [station.as_deref(), week.as_deref(), days.as_deref()]
}

/// Files that were written. What was there before is at hand for as long as this is.
#[derive(Debug)]
pub struct Written {
    files: Vec<Aside>,
}

impl Written {
    /// Puts back what was there before; that takes no room on the disk.
    pub fn take_back(mut self) -> io::Result<()> {
        // One that fails keeps none of the others from its place.
        let given: Vec<_> = self.files.iter_mut().map(Aside::give_place).collect();
        given.into_iter().collect::<io::Result<()>>()?;
        self.sync()
    }

    fn put(&self) -> io::Result<()> {
        self.files.iter().try_for_each(Aside::take_place)?;
        self.sync()
    }

    fn sync(&self) -> io::Result<()> {
        self.folders().into_iter().try_for_each(|folder| File::open(folder)?.sync_all())
    }

    /// Where names changed: what is linked to may stand elsewhere.
    fn folders(&self) -> BTreeSet<&Path> {
        self.files.iter().filter_map(|file| file.to.parent()).collect()
    }
}

/// What a file is to be and what it was, beside it; neither where there is no such file then.
#[derive(Debug)]
struct Aside {
    to: PathBuf,
    new: Option<PathBuf>,
    old: Option<PathBuf>,
}

impl Aside {
    fn of(to: &Path, old: Option<&[u8]>, new: Option<&str>) -> io::Result<Self> {
        let mut aside = Self { new: None, old: None, to: to.to_owned() };
        if let Some(old) = old {
            keep_beside(to, old, &mut aside.old)?;
        }
        if let Some(new) = new {
            keep_beside(to, new.as_bytes(), &mut aside.new)?;
        }
        Ok(aside)
    }

    fn take_place(&self) -> io::Result<()> {
        take(self.new.as_deref(), &self.to)
    }

    fn give_place(&mut self) -> io::Result<()> {
        // Until it is back it is all there is of it, and stays where it is.
        let old = self.old.take();
        take(old.as_deref(), &self.to)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        for aside in [&self.new, &self.old].into_iter().flatten() {
            // Most often it has taken its place; and one that cannot be removed does no harm.
            drop(fs::remove_file(aside));
        }
    }
}

/// Puts a file, or none, in the place of another.
fn take(aside: Option<&Path>, place: &Path) -> io::Result<()> {
    match aside {
        Some(aside) => fs::rename(aside, place),
        None if fs::exists(place)? => fs::remove_file(place),
        None => Ok(()),
    }
}

/// Removes what a power cut left beside the schedule's files in a folder: what was to take the place of one that is there, and
/// was last written before an instant. Gives how many.
pub fn remove_leftovers(folder: &Path, written_before: Timestamp) -> io::Result<usize> {
    let mut removed = 0;
    for name in SCHEDULE_FILES {
        // Where it is not there, what lies beside it may be all there is of it.
        let place = match fs::canonicalize(folder.join(name)) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => continue,
            place => place?,
        };
        let Some(beside) = place.parent() else { continue };
        for entry in fs::read_dir(beside)? {
            let entry = entry?;
            if is_aside(&entry.file_name(), &place) && is_old(&entry.metadata()?, written_before) {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// Whether a name is one that [`keep_beside`] gives a file beside this one.
fn is_aside(name: &OsStr, like: &Path) -> bool {
    let (Some(name), Some(like)) = (name.to_str(), like.file_name().and_then(OsStr::to_str)) else {
        return false;
    };
    let random = name.strip_prefix('.').and_then(|name| name.strip_prefix(like)?.strip_prefix(ASIDE));
    random.is_some_and(|random| {
        random.len() == 8 && random.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn is_old(about: &fs::Metadata, written_before: Timestamp) -> bool {
    let written = about.modified().ok().and_then(|written| Timestamp::try_from(written).ok());
    about.is_file() && written.is_some_and(|written| written < written_before)
}

/// What stands between a file's name and eight hexadecimal digits in the name of one that is written beside it.
const ASIDE: &str = ".loa-";

/// Writes a file beside another one, that may be read by whom that may, where it is there. Its name is nobody else's, and
/// known as soon as there is anything to remove.
fn keep_beside(like: &Path, bytes: &[u8], kept: &mut Option<PathBuf>) -> io::Result<()> {
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let name = like.file_name().unwrap_or_default().to_string_lossy();
    let path = like.with_file_name(format!(".{name}{ASIDE}{:08x}", u32::from_be_bytes(random)));
    let mut file = File::create_new(&path)?;
    let path = kept.insert(path);
    file.write_all(bytes)?;
    file.sync_all()?;
    match fs::metadata(like) {
        Ok(like) => fs::set_permissions(path, like.permissions()),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(cause),
    }
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
    use std::os::unix::fs::symlink;

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

    #[test]
    fn of_several_files_none_is_written_when_one_was_changed_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let files = |station: &str, week: &str, days: Option<&str>| Sources {
            station: Some(station.to_owned()),
            week: Some(week.to_owned()),
            days: days.map(str::to_owned),
        };
        let before = files("# 1", "# 1", None);
        drop(write(folder.path(), None, &before).unwrap());
        let changed = files("# 1", "# hand", None);
        drop(write(folder.path(), Some(&before), &changed).unwrap());
        let refused = write(folder.path(), Some(&before), &files("# 2", "# 2", Some("# 2"))).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy);
        let names = || fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(
            (texts(folder.path()), names()),
            (Ok(changed.clone()), 2),
            "and nothing is left beside them"
        );
        let after = files("# 2", "# 2", Some("# 2"));
        let written = write(folder.path(), Some(&changed), &after).unwrap();
        assert_eq!(texts(folder.path()), Ok(after));
        written.take_back().unwrap();
        assert_eq!((texts(folder.path()), names()), (Ok(changed), 2));
    }

    #[test]
    fn what_a_power_cut_left_beside_a_file_is_removed_and_nothing_else() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let lay = |folder: &Path, name: &str, minutes: i64| {
            let file = File::create(folder.join(name)).unwrap();
            file.set_modified((noon + jiff::SignedDuration::from_mins(minutes)).into()).unwrap();
        };
        for name in ["week.toml", ".week.toml.loa-0123abcd", ".week.toml.loa-89ef4567"] {
            lay(folder.path(), name, -1);
        }
        let stays = [
            ".days.toml.loa-0123abcd",
            ".tuan.toml.loa-0123abcd",
            ".week.toml.loa-0123ABCD",
            ".week.toml.loa-0123abcde",
            ".week.toml.swp",
            "week.toml.loa-0123abcd",
        ];
        stays.iter().for_each(|name| lay(folder.path(), name, -1));
        lay(folder.path(), ".week.toml.loa-ffffffff", 1);
        // Written beside what is linked to.
        ["dai.toml", ".dai.toml.loa-00000000", ".station.toml.loa-00000000"]
            .iter()
            .for_each(|name| lay(elsewhere.path(), name, -1));
        symlink(elsewhere.path().join("dai.toml"), folder.path().join("station.toml")).unwrap();

        assert_eq!(remove_leftovers(folder.path(), noon).unwrap(), 3);
        let names = |folder: &Path| {
            let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
            names.map(|name| name.into_string().unwrap()).collect::<BTreeSet<_>>()
        };
        let here = stays.into_iter().chain([".week.toml.loa-ffffffff", "station.toml", "week.toml"]);
        assert_eq!(names(folder.path()), here.map(str::to_owned).collect());
        assert_eq!(
            names(elsewhere.path()),
            ["dai.toml", ".station.toml.loa-00000000"].map(str::to_owned).into()
        );
        assert_eq!(remove_leftovers(&folder.path().join("none"), noon).unwrap(), 0);
        // What a name is made like is what is found.
        let mut kept = None;
        keep_beside(&folder.path().join("week.toml"), b"", &mut kept).unwrap();
        assert!(is_aside(kept.unwrap().file_name().unwrap(), Path::new("week.toml")));
    }

    #[test]
    fn the_name_of_a_file_that_is_linked_to_is_put_on_the_disk_where_it_stands() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (folder, elsewhere) =
            (folder.path().canonicalize().unwrap(), elsewhere.path().canonicalize().unwrap());
        let kept = elsewhere.join("tuan.toml");
        File::create(&kept).unwrap().write_all(b"# 1").unwrap();
        symlink(&kept, folder.join("week.toml")).unwrap();
        let after = Sources { station: None, week: Some("# 2".to_owned()), days: Some("# 2".to_owned()) };
        let written = write(&folder, None, &after).unwrap();
        assert_eq!(written.folders(), [folder.as_path(), elsewhere.as_path()].into());
        assert_eq!(fs::read_to_string(&kept).unwrap(), "# 2");
        assert!(fs::symlink_metadata(folder.join("week.toml")).unwrap().is_symlink(), "and it stays a link");
    }
}
