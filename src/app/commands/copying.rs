//! A folder's files in another folder: what they hold, wherever that lies.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::anyhow;

use crate::text::disk::{Deed, cannot};

/// What the owner of a copy may always do: read it and write it, whatever the rights of what was copied.
const OWNERS: u32 = 0o600;
/// So much is copied at once, in bytes.
const PIECE: usize = 1 << 16;

/// A file that was not copied, for it could not be read.
#[derive(Debug)]
pub(super) struct Unread {
    /// Its name in its folder.
    pub(super) name: String,
    /// What the system said.
    pub(super) cause: io::Error,
}

/// A failure in people's words.
pub(super) fn failed(deed: Deed, path: &Path) -> impl Fn(io::Error) -> anyhow::Error {
    move |cause| anyhow!(cannot(deed, &path.display().to_string(), &cause))
}

/// Copies a folder's files, and no folder in it: uploads under way are not part of a station. Of a link, what it leads to
/// is copied: the copy is to be whole where that is not. Gives the files that could not be read; what cannot be written
/// is a failure. A folder that is not there has none.
pub(super) fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<Vec<Unread>> {
    fs::create_dir_all(to).map_err(failed(Deed::Make, to))?;
    let entries = match fs::read_dir(from) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed(Deed::List, from))?,
    };
    let mut unread = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed(Deed::List, from))?;
        let copied = match open(&entry.path()) {
            Ok(Some(file)) => copy(file, &to.join(entry.file_name()))?,
            Ok(None) => Ok(()),
            // Gone since the folder was listed.
            Err(_) if is_gone(&entry.path()) => Ok(()),
            Err(cause) => Err(cause),
        };
        let name = || entry.file_name().to_string_lossy().into_owned();
        unread.extend(copied.err().map(|cause| Unread { name: name(), cause }));
    }
    unread.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(unread)
}

/// None of what is no file: to open that may take forever.
fn open(path: &Path) -> io::Result<Option<File>> {
    if fs::metadata(path)?.is_file() { File::open(path).map(Some) } else { Ok(None) }
}

fn is_gone(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|cause| cause.kind() == ErrorKind::NotFound)
}

/// What goes wrong with reading is told apart from what goes wrong with writing: of the one a file is lost, of the other all.
fn copy(mut from: File, to: &Path) -> anyhow::Result<io::Result<()>> {
    let mut target = File::create(to).map_err(failed(Deed::Write, to))?;
    let mut piece = vec![0; PIECE];
    loop {
        match from.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => {
                let read = piece.get(..count).unwrap_or_default();
                target.write_all(read).map_err(failed(Deed::Write, to))?;
            }
            Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
            Err(cause) => {
                fs::remove_file(to).map_err(failed(Deed::Remove, to))?;
                return Ok(Err(cause));
            }
        }
    }
    // Some file systems have no rights.
    if let Ok(about) = from.metadata() {
        drop(target.set_permissions(fs::Permissions::from_mode(about.permissions().mode() | OWNERS)));
    }
    target.sync_all().map_err(failed(Deed::Write, to))?;
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_a_link_leads_to_is_copied_and_what_cannot_be_read_is_named() {
        let (from, elsewhere, to) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let write = |path: &Path| File::create(path).unwrap().write_all(b"text").unwrap();
        write(&from.path().join("a"));
        write(&elsewhere.path().join("kept"));
        fs::create_dir(from.path().join("folder")).unwrap();
        for (leads_to, name) in [
            (elsewhere.path().join("kept"), "b"),
            (elsewhere.path().join("none"), "dangling"),
            (from.path().join("loop"), "loop"),
            (elsewhere.path().to_owned(), "other-folder"),
        ] {
            symlink(leads_to, from.path().join(name)).unwrap();
        }
        let to = to.path().join("new");
        let unread = copy_folder(from.path(), &to).unwrap();
        assert_eq!(unread.iter().map(|unread| &*unread.name).collect::<Vec<_>>(), ["dangling", "loop"]);
        assert_eq!(unread[0].cause.kind(), ErrorKind::NotFound);
        let mut copied: Vec<_> = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().path()).collect();
        copied.sort();
        assert_eq!(copied, [to.join("a"), to.join("b")]);
        assert!(
            fs::symlink_metadata(to.join("b")).unwrap().is_file()
                && fs::read(to.join("b")).unwrap() == b"text"
        );
        assert!(copy_folder(&from.path().join("none"), &to).unwrap().is_empty());
    }
}
