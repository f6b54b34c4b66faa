//! `backup` and `restore`: the whole station in one folder, and back.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use jiff::Timestamp;
use unicode_normalization::UnicodeNormalization as _;

use super::say;
use crate::app::exit::Exit;
use crate::app::station::{Station, StationError, UNFINISHED};
use crate::editing::files::texts;
use crate::media::library::troubles;
use crate::segment::{Catalog, State};
use crate::store::{self, Bad, DATABASE, Fault, Origin, Store, StoreError, Verdict};
use crate::text::console;

/// Copies a station into a new folder; it may play meanwhile.
pub fn backup(station: &Station, to: &Path) -> anyhow::Result<Exit> {
    if fs::exists(to)? {
        bail!("{}", console::backup_is_there(&to.display().to_string()));
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let within = |folder: &Path| {
        Ok::<_, io::Error>(fs::canonicalize(folder)?.starts_with(fs::canonicalize(station.root())?))
    };
    if within(folder).with_context(|| format!("cannot find `{}`", folder.display()))? {
        bail!("{}", console::backup_in_station(&to.display().to_string()));
    }
    // Under another name until it is whole: half a backup must not look like one.
    let name = to.file_name().with_context(|| format!("`{}` names no folder", to.display()))?;
    let aside = to.with_file_name([name, OsStr::new(".part")].join(OsStr::new("")));
    if fs::exists(&aside)? && !fs::exists(aside.join(UNFINISHED))? {
        bail!(
            "`{}` is in the way, and was not left by a backup that broke off; remove or rename it",
            aside.display()
        );
    }
    let store = Store::open_existing(&station.data())?;
    let _alone = begin(&aside)?;
    copy_folder(&station.schedule(), &aside.join("schedule"))?;
    fs::create_dir_all(aside.join("data"))?;
    // The facts first: a segment entered afterwards has its file, and no file lacks its segment.
    store.backup_into(&aside.join("data"))?;
    let catalog = store.catalog()?;
    copy_folder(&station.audio(), &aside.join("audio"))?;
    fs::remove_file(aside.join(UNFINISHED))?;
    fs::rename(&aside, to)?;
    say(&console::backed_up(&to.display().to_string()))?;
    let lost = lost(&to.join("audio"), &catalog, &[State::Approved]);
    if lost.is_empty() {
        return Ok(Exit::Fine);
    }
    say(&console::lost_before_backup(&lost))?;
    Ok(Exit::Problems)
}

/// Begins to fill a folder, with nothing of what an attempt that broke off has left in it. Nobody else does while the mark is
/// held.
fn begin(folder: &Path) -> anyhow::Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let path = folder.join(UNFINISHED);
    let cannot = || format!("cannot write `{}`", path.display());
    let broke_off = fs::exists(&path)?;
    let mark = File::options().create(true).append(true).open(&path).with_context(cannot)?;
    match mark.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => bail!("{}", console::others_write(&folder.display().to_string())),
        Err(TryLockError::Error(cause)) => return Err(cause).with_context(cannot),
    }
    for part in ["schedule", "audio", "data"].map(|name| folder.join(name)) {
        if broke_off && fs::exists(&part)? {
            fs::remove_dir_all(&part)
                .with_context(|| format!("cannot remove the half `{}`", part.display()))?;
        }
    }
    mark.sync_all().with_context(cannot)?;
    Ok(mark)
}

/// The recordings in these states whose files are gone, or are not those that were taken in, in words.
fn lost(audio: &Path, catalog: &Catalog, states: &[State]) -> Vec<String> {
    let wanted = || catalog.iter().filter(|segment| states.contains(&segment.state));
    let troubles = troubles(audio, wanted().map(AsRef::as_ref));
    wanted().filter_map(|segment| Some(console::lost(segment, *troubles.get(&segment.id)?))).collect()
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
    let holds_one = fs::exists(to.join("schedule"))? || fs::exists(to.join("data"))?;
    if holds_one && !fs::exists(to.join(UNFINISHED))? {
        bail!("{}", console::station_is_there(&to.display().to_string()));
    }
    let backup = Station::open(from).map_err(|failure| match failure {
        StationError::NoSchedule(_) => anyhow!(console::no_backup(&name)),
        StationError::Unfinished(_)
        | StationError::MakeFolder { .. }
        | StationError::Running(_)
        | StationError::Lock { .. } => failure.into(),
    })?;
    let _alone = begin(to)?;
    copy_folder(&backup.schedule(), &to.join("schedule"))?;
    copy_folder(&backup.audio(), &to.join("audio"))?;
    let station = Station::new_in(to)?;
    restore_database(&database, &station)?;
    let (verdict, whole) = prove(&station)?;
    fs::remove_file(to.join(UNFINISHED))?;
    if !verdict.is_sound() {
        say(&console::log(&verdict))?;
        return Ok(Exit::Tampered);
    }
    let Some(whole) = whole else { return Ok(Exit::Failed) };
    say(&console::restored(whole, verdict.rows))?;
    Ok(Exit::Fine)
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

/// Copies a folder's files, and no folder in it: uploads under way are not part of a station.
fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make `{}`", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list `{}`", from.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let target = to.join(entry.file_name());
            fs::copy(entry.path(), &target)
                .with_context(|| format!("cannot copy to `{}`", target.display()))?;
            File::open(&target)?.sync_all()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::plan::tests::{NOW, station_with};
    use super::*;
    use crate::asrun::Note;
    use crate::clock::{Clock, ManualClock};
    use crate::store::{Act, Step};

    #[test]
    fn a_backup_names_what_it_lacks_and_what_may_not_air_need_not_be_in_it() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let now = NOW.parse().unwrap();
        let files = ["thoi-tiet.ogg", "ban-tin.ogg", "thong-bao-1.ogg"];
        let (station, _) = station_with(&files.map(|file| (file, "")), folder.path(), now);
        let store = Store::open(&station.data()).unwrap();
        let gone = store.catalog().unwrap().by_file(files[0]).unwrap().clone();
        fs::remove_file(station.audio().join(files[0])).unwrap();
        let round = |name: &str| {
            let (kept, new) = (other.path().join(name), other.path().join(format!("{name}-restored")));
            (backup(&station, &kept).unwrap(), restore(&kept, &new, Whose::Own).unwrap())
        };
        assert_eq!(round("approved"), (Exit::Problems, Exit::Failed));
        let catalog = store.catalog().unwrap();
        let said = lost(&station.audio(), &catalog, &[State::Approved]);
        assert!(said.len() == 1 && said[0].contains("Không có tệp `thoi-tiet.ogg`"), "{said:?}");

        let clock = ManualClock::new(now);
        store
            .step_segment(&gone.id, Step::Withdraw { reason: "cũ".to_owned() }, "minh", clock.now())
            .unwrap();
        assert_eq!(round("withdrawn"), (Exit::Fine, Exit::Fine));
    }

    #[test]
    fn a_copy_of_the_night_takes_the_place_of_a_damaged_database() {
        let folder = tempfile::tempdir().unwrap();
        let now: Timestamp = NOW.parse().unwrap();
        let (station, _) = station_with(&[("ban-tin.ogg", "")], folder.path(), now);
        let copy = station.data().join("backup/2026-11-23.sqlite");
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        let store = Store::open(&station.data()).unwrap();
        let act = Act {
            at: now,
            by: "lan".to_owned(),
            what: "interrupt.emergency".to_owned(),
            subject: "first tin".to_owned(),
            title: None,
            origin: "x".to_owned(),
        };
        store.act_of_order(act, Some("{}")).unwrap();
        store.backup(&copy).unwrap();
        store.note(now, Note::Stopped).unwrap();
        drop(store);
        File::create(station.data().join(DATABASE)).unwrap().write_all(&[7; 8_192]).unwrap();
        let wal = station.data().join("loa.db-wal");
        if wal.exists() {
            fs::remove_file(wal).unwrap();
        }
        let damaged = Store::open(&station.data()).unwrap_err().to_string();
        assert!(damaged.contains("loa restore COPY"), "{damaged}");

        let running = station.lock().unwrap();
        assert!(restore(&copy, station.root(), Whose::Own).is_err(), "while it runs");
        drop(running);
        assert_eq!(restore(&copy, station.root(), Whose::Own).unwrap(), Exit::Fine);
        let store = Store::open(&station.data()).unwrap();
        assert_eq!(store.catalog().unwrap().iter().count(), 1);
        assert_eq!(store.standing_orders(now).unwrap(), [], "it may have been called off since");
        assert!(!store.verify().unwrap().is_sound(), "what was lost stays known");
        drop(store);

        // Another log ran in its place before anybody came.
        let elsewhere = tempfile::tempdir().unwrap();
        drop(Store::open(elsewhere.path()).unwrap());
        fs::copy(elsewhere.path().join(DATABASE), station.data().join(DATABASE)).unwrap();
        let other = Store::open(&station.data()).unwrap();
        (0..3).for_each(|_| other.note(now, Note::Stopped).unwrap());
        drop(other);
        assert_eq!(restore(&copy, station.root(), Whose::Own).unwrap(), Exit::Fine);
        assert_eq!(Store::open(&station.data()).unwrap().catalog().unwrap().iter().count(), 1);
        let kept = |name: &str| station.data().join(name).exists();
        assert!(kept("loa.db.before-restore") && kept("loa.db.before-restore-2"), "each as it was");
    }

    #[test]
    fn what_is_no_backup_is_told_from_one_that_is_damaged() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (station, _) = station_with(&[("ban-tin.ogg", "")], folder.path(), NOW.parse().unwrap());
        let new = other.path().join("new");
        let write = |name: &str, bytes: &[u8]| {
            let path = other.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(&path).unwrap().write_all(bytes).unwrap();
            path
        };
        let half = other.path().join("half");
        backup(&station, &half).unwrap();
        let mut damaged = fs::read(half.join("data").join(DATABASE)).unwrap();
        damaged[8_000..].fill(7);
        write("half/data/loa.db", &damaged);
        let sound = write("sounds/a.m4a", b"\0\0\0\x20ftypM4A ");
        for (from, to, said) in [
            (Path::new("/no/such"), new.as_path(), "Không có `/no/such`"),
            (sound.as_path(), station.root(), "không phải bản sao lưu của loa"),
            (sound.parent().unwrap(), new.as_path(), "không phải bản sao lưu của loa"),
            (&write("2026-11-23.sqlite", &damaged), station.root(), "Hãy chọn một bản sao lưu khác"),
            (&half, new.as_path(), "Hãy chọn một bản sao lưu khác"),
        ] {
            let refused = restore(from, to, Whose::Own).unwrap_err().to_string();
            assert!(refused.contains(said), "{}: {refused}", from.display());
            assert_eq!(new.exists(), from == half, "{}", from.display());
        }
        assert!(!other.path().join("sounds/data").exists(), "nothing is made in what is no backup");
        assert!(!station.data().join("loa.db.before-restore").exists(), "nothing was touched");
        assert_eq!(Store::open(&station.data()).unwrap().catalog().unwrap().iter().count(), 1);
    }

    #[test]
    fn a_copy_of_another_stations_database_is_put_in_place_only_where_that_is_said() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let now: Timestamp = NOW.parse().unwrap();
        let [theirs, ours] = folders.each_ref().map(|folder| {
            let (station, _) = station_with(&[("ban-tin.ogg", "")], folder.path(), now);
            station
        });
        let rename = |station: &Station, name: &str| {
            let file = station.schedule().join("station.toml");
            let text = fs::read_to_string(&file).unwrap();
            let text = text.replace(&name_in(&text).unwrap(), name);
            File::create(&file).unwrap().write_all(text.as_bytes()).unwrap();
        };
        rename(&theirs, "Đài xã bên");
        let copy_of = |station: &Station, by: i64| {
            let store = Store::open(&station.data()).unwrap();
            store.note(now + jiff::SignedDuration::from_secs(by), Note::Stopped).unwrap();
            store.keep_found(&texts(&station.schedule()).unwrap(), now).unwrap();
            let copy = station.data().join(format!("copy-{by}.sqlite"));
            store.backup(&copy).unwrap();
            copy
        };
        let (foreign, own) = (copy_of(&theirs, 1), copy_of(&ours, 2));
        let before = fs::read(ours.data().join(DATABASE)).unwrap();
        assert_eq!(restore(&foreign, ours.root(), Whose::Own).unwrap(), Exit::Failed);
        assert_eq!(fs::read(ours.data().join(DATABASE)).unwrap(), before, "nothing was touched");
        let (said, here) = of_another(&foreign, &ours).unwrap();
        let message = console::of_another_station(&said, &here, "/var/lib/loa");
        assert!(message.contains("“Đài xã bên”") && message.contains(&format!("“{here}”")), "{message}");

        rename(&ours, "Đài xã đã đổi tên");
        assert_eq!(restore(&own, ours.root(), Whose::Own).unwrap(), Exit::Fine, "its log began alike");
        assert_eq!(restore(&foreign, ours.root(), Whose::Anybodys).unwrap(), Exit::Fine);
    }

    #[test]
    fn what_broke_off_is_begun_anew_and_what_is_somebody_elses_is_left_alone() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (station, _) = station_with(&[("thoi-tiet.ogg", "")], folder.path(), NOW.parse().unwrap());
        let (kept, new) = (other.path().join("loa-2026.11"), other.path().join("new"));
        for theirs in ["loa-2026.part", "loa-2026.11.part"] {
            fs::create_dir(other.path().join(theirs)).unwrap();
            File::create(other.path().join(theirs).join("letter.odt")).unwrap();
        }
        backup(&station, &kept).unwrap_err();
        let inside = backup(&station, &station.data().join("usb")).unwrap_err().to_string();
        assert!(inside.contains("nằm ngay trong thư mục của đài"), "{inside}");
        backup(&station, &other.path().join("not-mounted/usb")).unwrap_err();
        fs::rename(other.path().join("loa-2026.11.part"), other.path().join("letters")).unwrap();

        let leave_half = |folder: &Path| {
            begin(folder).unwrap();
            fs::create_dir(folder.join("schedule")).unwrap();
            File::create(folder.join("schedule/station.toml")).unwrap();
        };
        let half = other.path().join("loa-2026.11.part");
        leave_half(&half);
        let another = begin(&half).unwrap();
        let refused = backup(&station, &kept).unwrap_err().to_string();
        assert!(refused.contains("Một lệnh khác đang ghi"), "{refused}");
        drop(another);
        assert_eq!(backup(&station, &kept).unwrap(), Exit::Fine);
        leave_half(&new);
        assert!(matches!(Station::open(&new), Err(StationError::Unfinished(_))));
        assert_eq!(restore(&kept, &new, Whose::Own).unwrap(), Exit::Fine);
        Station::open(&new).unwrap();
        restore(&kept, &new, Whose::Own).unwrap_err();

        let left = ["letters", "loa-2026.11", "loa-2026.part", "new"].map(|name| other.path().join(name));
        let mut found: Vec<_> = fs::read_dir(&other).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.sort();
        assert_eq!(found, left);
        assert!(left[0].join("letter.odt").exists() && left[2].join("letter.odt").exists());
    }
}
