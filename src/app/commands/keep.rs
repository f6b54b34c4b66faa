//! `backup` and `restore`: the whole station in one folder, and back.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use super::say;
use crate::app::exit::Exit;
use crate::app::station::Station;
use crate::media::library::troubles;
use crate::segment::FileTrouble;
use crate::store::{self, Store};
use crate::text::{console, outcome};

/// The database's name in a backup.
const DATABASE: &str = "loa.db";

/// Copies a station into a new folder; it may play meanwhile.
pub fn backup(station: &Station, to: &Path) -> anyhow::Result<Exit> {
    if fs::exists(to)? {
        bail!("`{}` is there already; a backup makes its own folder", to.display());
    }
    // Under another name until it is whole: half a backup must not look like one.
    let aside = to.with_extension("part");
    if fs::exists(&aside)? {
        fs::remove_dir_all(&aside)
            .with_context(|| format!("cannot remove the half backup `{}`", aside.display()))?;
    }
    copy_folder(&station.schedule(), &aside.join("schedule"))?;
    fs::create_dir_all(aside.join("data"))?;
    // The facts first: a segment entered afterwards has its file, and no file lacks its segment.
    let store = Store::open(&station.data())?;
    store.backup(&aside.join("data").join(DATABASE))?;
    copy_folder(&station.audio(), &aside.join("audio"))?;
    fs::rename(&aside, to)?;
    say(&console::backed_up(&to.display().to_string()))?;
    Ok(Exit::Fine)
}

/// Makes a station of a backup in a new folder, and proves it: every approved byte and the log's chain.
pub fn restore(from: &Path, to: &Path) -> anyhow::Result<Exit> {
    if fs::exists(to.join("schedule"))? || fs::exists(to.join("data"))? {
        bail!("`{}` holds a station already; name an empty folder with --station", to.display());
    }
    let backup = Station::open(from)?;
    copy_folder(&backup.schedule(), &to.join("schedule"))?;
    copy_folder(&backup.audio(), &to.join("audio"))?;
    let station = Station::open(to)?;
    store::restore(&backup.data().join(DATABASE), &station.data())?;
    let store = Store::open(&station.data())?;
    let catalog = store.catalog()?;
    let troubles = troubles(&station.audio(), catalog.iter().map(AsRef::as_ref));
    let missing = troubles.values().filter(|trouble| **trouble == FileTrouble::FileMissing).count();
    if !troubles.is_empty() {
        bail!(
            "the backup is not whole: {missing} recordings are missing, {} are not the approved bytes",
            troubles.len() - missing
        );
    }
    let verdict = store.verify()?;
    if !verdict.is_sound() {
        say(&console::log_is_broken(&outcome::faults(&verdict)))?;
        return Ok(Exit::Tampered);
    }
    say(&console::restored(catalog.iter().count(), verdict.rows))?;
    Ok(Exit::Fine)
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
            fs::File::open(&target)?.sync_all()?;
        }
    }
    Ok(())
}
