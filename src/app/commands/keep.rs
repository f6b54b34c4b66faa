//! `backup` and `restore`: the whole station in one folder, and back.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::path::{self, Path, PathBuf};

use anyhow::{anyhow, bail};
use jiff::Timestamp;
use unicode_normalization::UnicodeNormalization as _;

use super::copying::{Unread, copy_folder, failed};
use super::say;
use crate::app::exit::Exit;
use crate::app::station::{Station, StationError, UNFINISHED, read};
use crate::editing::files::texts;
use crate::media::library::troubles;
use crate::schedule::Problem;
use crate::segment::{Catalog, FileTrouble, Segment, State};
use crate::store::{self, Bad, DATABASE, Fault, Origin, Store, StoreError, Verdict};
use crate::text::disk::Deed;
use crate::text::problem::problem;
use crate::text::{console, keep};

/// Copies a station into a new folder; it may play meanwhile.
pub fn backup(station: &Station, to: &Path) -> anyhow::Result<Exit> {
    if fs::exists(to).map_err(failed(Deed::Find, to))? {
        bail!("{}", console::backup_is_there(&to.display().to_string()));
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let whole = |folder: &Path| fs::canonicalize(folder).map_err(failed(Deed::Find, folder));
    if whole(folder)?.starts_with(whole(station.root())?) {
        bail!("{}", console::backup_in_station(&to.display().to_string()));
    }
    // Under another name until it is whole: half a backup must not look like one.
    let name = to.file_name().ok_or_else(|| anyhow!(keep::names_no_folder(&to.display().to_string())))?;
    let aside = to.with_file_name([name, OsStr::new(".part")].join(OsStr::new("")));
    let is_there = |path: &Path| fs::exists(path).map_err(failed(Deed::Find, path));
    if is_there(&aside)? && !is_there(&aside.join(UNFINISHED))? {
        bail!("{}", keep::in_the_way(&aside.display().to_string()));
    }
    let store = Store::open_existing(&station.data())?;
    let _alone = begin(&aside)?;
    let unread = copy_folder(&station.schedule(), &aside.join("schedule"))?;
    let data = aside.join("data");
    fs::create_dir_all(&data).map_err(failed(Deed::Make, &data))?;
    // The facts first: a segment entered afterwards has its file, and no file lacks its segment.
    store.backup_into(&data).map_err(|failure| not_backed_up(failure, &data))?;
    let catalog = store.catalog()?;
    let unheard = copy_folder(&station.audio(), &aside.join("audio"))?;
    let mark = aside.join(UNFINISHED);
    fs::remove_file(&mark).map_err(failed(Deed::Remove, &mark))?;
    fs::rename(&aside, to).map_err(failed(Deed::Write, to))?;
    say(&console::backed_up(&to.display().to_string()))?;
    let mut exit = Exit::Fine;
    let lost = broken(&to.join("audio"), &catalog, &[State::Approved]);
    // Why the copy lacks a file is told by what it was to be a copy of.
    let why = troubles(&station.audio(), lost.iter().map(|(segment, _)| *segment));
    let why = |segment: &Segment, trouble| why.get(&segment.id).copied().unwrap_or(trouble);
    if !lost.is_empty() {
        exit = Exit::Problems;
        let lost: Vec<_> =
            lost.iter().map(|(segment, trouble)| console::lost(segment, why(segment, *trouble))).collect();
        say(&console::lost_before_backup(&lost))?;
    }
    let told: BTreeSet<_> = lost.iter().map(|(segment, _)| segment.file.as_str()).collect();
    let unheard: Vec<_> = unheard.into_iter().filter(|unread| !told.contains(&*unread.name)).collect();
    if say_unread(&unread, &unheard)? {
        exit = Exit::Problems;
    }
    if let Err(problems) = read(&to.join("schedule"), Timestamp::MAX) {
        exit = Exit::Problems;
        say(&keep::schedule_broken_in_backup(problems.len()))?;
        say_problems(&problems)?;
    }
    Ok(exit)
}

/// What kept the database from being copied, in words: the disk that is full, or may not be written, is the copy's.
fn not_backed_up(failure: StoreError, data: &Path) -> anyhow::Error {
    if failure.is_for_want_of_room() {
        return failed(Deed::Write, data)(io::ErrorKind::StorageFull.into());
    }
    if let StoreError::File { cause, path, .. } = &failure
        && path.starts_with(data)
    {
        return failed(Deed::Write, path)(cause.kind().into());
    }
    failure.into()
}

/// Names the files that were not copied; whether there are any.
fn say_unread(schedule: &[Unread], audio: &[Unread]) -> io::Result<bool> {
    let named = |folder: &'static str| move |unread: &'_ Unread| format!("{folder}/{}", unread.name);
    let files = schedule.iter().map(|unread| (named("schedule")(unread), &unread.cause));
    let files = files.chain(audio.iter().map(|unread| (named("audio")(unread), &unread.cause)));
    let are_any = !(schedule.is_empty() && audio.is_empty());
    if are_any {
        say(&keep::not_copied(files))?;
    }
    Ok(are_any)
}

fn say_problems(problems: &[Problem]) -> io::Result<()> {
    problems.iter().try_for_each(|found| say(&format!("- {}", problem(found))))
}

/// Begins to fill a folder, with nothing of what an attempt that broke off has left in it. Nobody else does while the mark is
/// held.
fn begin(folder: &Path) -> anyhow::Result<File> {
    fs::create_dir_all(folder).map_err(failed(Deed::Make, folder))?;
    let path = folder.join(UNFINISHED);
    let cannot = failed(Deed::Write, &path);
    let broke_off = fs::exists(&path).map_err(failed(Deed::Find, &path))?;
    let mark = File::options().create(true).append(true).open(&path).map_err(&cannot)?;
    match mark.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => bail!("{}", console::others_write(&folder.display().to_string())),
        Err(TryLockError::Error(cause)) => return Err(cannot(cause)),
    }
    for part in ["schedule", "audio", "data"].map(|name| folder.join(name)) {
        if broke_off && fs::exists(&part).map_err(failed(Deed::Find, &part))? {
            fs::remove_dir_all(&part).map_err(failed(Deed::Remove, &part))?;
        }
    }
    mark.sync_all().map_err(cannot)?;
    Ok(mark)
}

/// The recordings in these states whose files are gone, cannot be read, or are not those that were taken in.
fn broken<'c>(audio: &Path, catalog: &'c Catalog, states: &[State]) -> Vec<(&'c Segment, FileTrouble)> {
    let wanted =
        || catalog.iter().map(AsRef::as_ref).filter(|segment: &&Segment| states.contains(&segment.state));
    let troubles = troubles(audio, wanted());
    wanted().filter_map(|segment| Some((segment, *troubles.get(&segment.id)?))).collect()
}

/// The same in words.
fn lost(audio: &Path, catalog: &Catalog, states: &[State]) -> Vec<String> {
    let broken = broken(audio, catalog, states).into_iter();
    broken.map(|(segment, trouble)| console::lost(segment, trouble)).collect()
}

/// Makes a station of a backup in a new folder, or gives a station a copy of its database back, and proves it.
///
/// Proved are every byte that may air, and the log's chain. What was withdrawn or never submitted needs no file.
pub fn restore(from: &Path, to: &Path, whose: Whose) -> anyhow::Result<Exit> {
    let name = from.display().to_string();
    let is_file = match fs::metadata(from) {
        Ok(about) => about.is_file(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => bail!("{}", console::nothing_there(&name)),
        Err(cause) => bail!("{}", console::unreadable(&name, &cause.to_string())),
    };
    let database = if is_file { from.to_owned() } else { from.join("data").join(DATABASE) };
    // What broke off is told from what never was one.
    if !fs::exists(from.join(UNFINISHED)).unwrap_or(false) && !is_database(&database) {
        bail!("{}", console::no_backup(&name));
    }
    if is_file {
        return put_back(from, &Station::open(to)?, whose);
    }
    // Where nobody named a folder it is that in which they are, and they are to read which.
    let place = path::absolute(to).unwrap_or_else(|_| to.to_owned());
    let place = place.components().collect::<PathBuf>().display().to_string();
    let holds = |name: &str| fs::exists(to.join(name)).map_err(failed(Deed::Find, to));
    if !holds(UNFINISHED)? {
        if holds("schedule")? || holds("data")? {
            bail!("{}", console::station_is_there(&place));
        }
        if !is_free(to).map_err(failed(Deed::List, to))? {
            bail!("{}", keep::holds_other_things(&place));
        }
    }
    let backup = Station::find(from).map_err(|failure| match failure {
        StationError::NoSchedule(_) => anyhow!(console::no_backup(&name)),
        StationError::Unfinished(_)
        | StationError::MakeFolder { .. }
        | StationError::Running(_)
        | StationError::Lock { .. } => failure.into(),
    })?;
    let _alone = begin(to)?;
    let unread = copy_folder(&backup.schedule(), &to.join("schedule"))?;
    let unheard = copy_folder(&backup.audio(), &to.join("audio"))?;
    let station = Station::new_in(to)?;
    restore_database(&database, &station)?;
    let (verdict, whole) = prove(&station)?;
    let mark = to.join(UNFINISHED);
    fs::remove_file(&mark).map_err(failed(Deed::Remove, &mark))?;
    let lacks = say_unread(&unread, &unheard)?;
    if !verdict.is_sound() {
        say(&console::log(&verdict))?;
        return Ok(Exit::Tampered);
    }
    let Some(whole) = whole else { return Ok(Exit::Failed) };
    say(&keep::restored(&place, whole, verdict.rows))?;
    if let Err(problems) = read(&station.schedule(), Timestamp::MAX) {
        say(&keep::schedule_broken_in_station(&place, problems.len()))?;
        say_problems(&problems)?;
        return Ok(Exit::Problems);
    }
    Ok(if lacks { Exit::Problems } else { Exit::Fine })
}

/// Whether a folder is not there yet, or holds nothing that anybody put there: a home or a new disk is not quite empty.
fn is_free(folder: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(true),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        if name != "lost+found" && !name.as_encoded_bytes().starts_with(b".") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whose copy of a database may take the place of a station's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The station's.
    Own,
    /// Any: somebody has said that it is to be this one.
    Anybodys,
}

/// Puts a copy of the database in place of a station's own, which is kept beside it.
fn put_back(copy: &Path, station: &Station, whose: Whose) -> anyhow::Result<Exit> {
    let _lock = station.lock()?;
    if whose == Whose::Own
        && let Some((theirs, ours)) = of_another(copy, station)
    {
        say(&console::of_another_station(&theirs, &ours, &station.root().display().to_string()))?;
        return Ok(Exit::Failed);
    }
    restore_database(copy, station)?;
    // Said before what is wrong with it: it is done, whatever that is.
    say(console::PUT_BACK)?;
    let (verdict, whole) = prove(station)?;
    // What came after the copy was made is gone, or another log ran meanwhile; the next start writes that into this one.
    let lost_its_end = |bad: &Bad| matches!(bad.fault, Fault::Shortened { .. } | Fault::OtherEnd);
    if let Some(bad) = &verdict.first_bad
        && !lost_its_end(bad)
    {
        say(&console::log(&verdict))?;
        return Ok(Exit::Tampered);
    }
    let Some(whole) = whole else { return Ok(Exit::Failed) };
    say(&console::put_back(whole, verdict.rows))?;
    Ok(Exit::Fine)
}

/// Whether a file begins as a database does. One that cannot be read may be one.
fn is_database(file: &Path) -> bool {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let mut head = Vec::new();
    match File::open(file).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head)) {
        Ok(_) => head == MAGIC,
        Err(cause) => cause.kind() != io::ErrorKind::NotFound,
    }
}

/// Puts a database in place of a station's own; where the copy is the damaged one, that is said of it.
fn restore_database(copy: &Path, station: &Station) -> anyhow::Result<()> {
    match store::restore(copy, &station.data()) {
        Err(StoreError::Damaged { file, .. }) if file == copy => {
            bail!("{}", console::bad_copy(&copy.display().to_string()))
        }
        restored => Ok(restored?),
    }
}

/// The names of the station that a copy is of and of this one, where they are two: the copy has another name, and its log did
/// not begin like this one's. The database itself may be damaged, or one that was made when the station's own was lost; and
/// where nobody can tell, it is not for the program to refuse what a technician wants.
fn of_another(copy: &Path, station: &Station) -> Option<(String, String)> {
    let copy = Origin::of(copy).ok()?;
    let own = texts(&station.schedule()).ok()?;
    let (theirs, ours) = (name_in(&copy.station?)?, name_in(&own.station?)?);
    let here = Origin::of(&station.data().join(DATABASE)).ok();
    let began_alike = copy.first.is_some() && here.is_some_and(|here| here.first == copy.first);
    (theirs != ours && !began_alike).then_some((theirs, ours))
}

/// The station's name in its file.
fn name_in(station: &str) -> Option<String> {
    let name = toml::from_str::<toml::Table>(station).ok()?.get("name")?.as_str()?.nfc().collect::<String>();
    Some(name.trim().to_owned())
}

/// What the log of a restored station is worth, and how many recordings have their files; none where some lack theirs,
/// which is said.
fn prove(station: &Station) -> anyhow::Result<(Verdict, Option<usize>)> {
    let store = Store::open(&station.data())?;
    // An emergency that was in force when the copy was made may have been called off since.
    for (interrupt, _) in store.standing_orders(Timestamp::MIN)? {
        store.end_standing_order(&interrupt)?;
    }
    let catalog = store.catalog()?;
    let may_air = [State::Approved, State::Pending];
    let lost = lost(&station.audio(), &catalog, &may_air);
    if !lost.is_empty() {
        say(&console::lost_in_station(&station.root().display().to_string(), &lost))?;
    }
    let whole = catalog.iter().filter(|segment| may_air.contains(&segment.state)).count();
    Ok((store.verify()?, lost.is_empty().then_some(whole)))
}

#[cfg(test)]
mod tests;
