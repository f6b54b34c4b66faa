//! Copies of the database, putting one back, and tidying up.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::error::Doing;
use super::place::Identity;
use super::reserve::Reserve;
use super::{DATABASE, MIGRATIONS, Store, StoreError, head, journal};
use crate::segment::ContentHash;

/// Heartbeats of outputs that are no more are forgotten after this.
const OLD_HEARTBEAT: SignedDuration = SignedDuration::from_hours(24 * 30);

impl Store {
    /// Writes a consistent copy of the database, in one file, while everything goes on. The file must not be there yet, its
    /// folder need not; it is whole as soon as it has its name.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        self.copy(to, |to| self.read(|connection| copy_into(connection, &to)))
    }

    /// The same into a folder, as [`DATABASE`], with the note of the journal's end beside it: what is cut from the copy is
    /// noticed, and what was cut before stays known.
    pub fn backup_into(&self, folder: &Path) -> Result<(), StoreError> {
        // Before the copy: a row that comes meanwhile is then only one more than noted.
        let noted = head::read(self.dir())?;
        self.backup(&folder.join(DATABASE))?;
        noted.map_or(Ok(()), |noted| head::write(folder, noted))
    }

    /// The same of a database that has lost its name: what was open before still knows it. Nothing is written meanwhile.
    pub fn rescue(&self, to: &Path) -> Result<(), StoreError> {
        self.copy(to, |to| self.with_writer(move |connection| copy_into(connection, &to)))
    }

    fn copy(
        &self,
        to: &Path,
        write: impl FnOnce(PathBuf) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let file = |operation, cause| StoreError::File { operation, path: to.to_owned(), cause };
        if to.try_exists().map_err(|cause| file("look for", cause))? {
            return Err(file("write", std::io::ErrorKind::AlreadyExists.into()));
        }
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(|cause| file("make a folder for", cause))?;
        }
        let aside = aside(to);
        remove(&aside)?;
        write(aside.clone())?;
        std::fs::File::open(&aside).and_then(|copy| copy.sync_all()).map_err(|cause| file("write", cause))?;
        std::fs::rename(&aside, to).map_err(|cause| file("write", cause))
    }

    /// Keeps a piece of the disk back, for a day on which it is full.
    pub fn keep_reserve(&self) -> Result<(), StoreError> {
        Reserve::of(self.dir()).keep().map_err(|cause| StoreError::File {
            operation: "keep a reserve in",
            path: self.dir().to_owned(),
            cause,
        })
    }

    /// Forgets what is not a fact and has no use any more, and lets SQLite look after its indexes. Airings stay for ever.
    pub fn tidy_up(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write("forget old heartbeats", move |transaction| {
            let old = now.saturating_sub(OLD_HEARTBEAT).map_or(i64::MIN, Timestamp::as_millisecond);
            transaction
                .execute("DELETE FROM heartbeat WHERE at_ms < ?1", [old])
                .doing("forget old heartbeats")?;
            Ok(())
        })?;
        self.with_writer(|connection| {
            connection
                .execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);")
                .doing("look after the database")
        })
    }
}

fn copy_into(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    connection.execute("VACUUM INTO ?1", [file.to_string_lossy()]).doing("copy the database")?;
    Ok(())
}

/// Puts a backup in place of a folder's database, after a look at its soundness; the store must not be open.
///
/// What was there keeps its place beside it, under `loa.db.before-restore`, or with a number where that is taken. Where an
/// end of the journal is noted it stays so, the one of a lost database before that of the one made after it: what came after
/// the backup is lost, and the log is to say that. Where none is, the one beside the backup holds. Whenever the power goes
/// meanwhile, all is as it was, or the next one who opens the store ends it.
pub fn restore(backup: &Path, dir: &Path) -> Result<(), StoreError> {
    let file = dir.join(DATABASE);
    check(backup).map_err(|error| error.in_file(backup))?;
    std::fs::create_dir_all(dir).map_err(doing("make the folder", dir))?;
    let (aside, ready) = (aside(&file), ready(&file));
    std::fs::copy(backup, &aside).map_err(doing("copy to", &aside))?;
    std::fs::File::open(&aside).and_then(|copy| copy.sync_all()).map_err(doing("write", &aside))?;
    if head::read(dir)?.is_none()
        && let Some(noted) = backup.parent().map_or(Ok(None), head::read)?
    {
        head::write(dir, noted)?;
    }
    std::fs::rename(&aside, &ready).map_err(doing("write", &ready))?;
    sync(dir)?;
    end_restore(dir)
}

/// Ends what [`restore`] began, if it did. Each step may be done already: the power may have gone after any.
pub(super) fn end_restore(dir: &Path) -> Result<(), StoreError> {
    let file = dir.join(DATABASE);
    let ready = ready(&file);
    if !ready.try_exists().map_err(doing("look for", &ready))? {
        return Ok(());
    }
    if head::read(dir)?.is_none() {
        let connection =
            Connection::open(&ready).map_err(|cause| StoreError::Open { file: ready.clone(), cause })?;
        head::write(dir, journal::end(&connection)?)?;
    }
    head::find_lost(dir)?;
    keep_what_was_there(&file)?;
    for end in ["-wal", "-shm"] {
        // The journal of SQLite belongs to the old file: left where it is, it would be played into the new one.
        remove(&with_end(&file, end))?;
    }
    std::fs::rename(&ready, &file).map_err(doing("put into place", &file))?;
    sync(dir)
}

/// Gives what is there a second name under which it stays; the database last, so that where it has one, all of it has.
fn keep_what_was_there(file: &Path) -> Result<(), StoreError> {
    let is_it = |name: &PathBuf| matches!((Identity::of(name), Identity::of(file)), (Ok(a), Ok(b)) if a == b);
    if kept_names(file).take_while(|name| name.exists()).any(|name| is_it(&name)) {
        return Ok(());
    }
    let is_free = |name: &PathBuf| ["", "-wal", "-shm"].iter().all(|end| !with_end(name, end).exists());
    // A second try must not take the place of the first one's original.
    let Some(kept) = kept_names(file).find(is_free) else { return Ok(()) };
    for end in ["-wal", "-shm", ""] {
        let (old, kept) = (with_end(file, end), with_end(&kept, end));
        if old.try_exists().map_err(doing("look for", &old))? {
            // Not every file system gives a file two names; there it is without the old one for a moment.
            std::fs::hard_link(&old, &kept)
                .or_else(|_| std::fs::rename(&old, &kept))
                .map_err(doing("move away", &old))?;
        }
    }
    Ok(())
}

/// The names under which what was there is kept, as they are taken.
fn kept_names(file: &Path) -> impl Iterator<Item = PathBuf> {
    let first = file.with_extension("db.before-restore");
    let numbered = (2..=u32::MAX).map({
        let first = first.clone();
        move |number| with_end(&first, &format!("-{number}"))
    });
    std::iter::once(first).chain(numbered)
}

/// What was kept before a restore, where nothing has its place: it broke off, or somebody removed that.
pub(super) fn kept_alone(file: &Path) -> Option<PathBuf> {
    kept_names(file).next().filter(|kept| kept.exists() && !file.exists())
}

/// The name of a whole copy that is about to take the database's place.
fn ready(file: &Path) -> PathBuf {
    with_end(file, ".restoring")
}

fn doing(operation: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |cause| StoreError::File { operation, path, cause }
}

/// Has a folder's names on disk.
fn sync(dir: &Path) -> Result<(), StoreError> {
    std::fs::File::open(dir).and_then(|folder| folder.sync_all()).map_err(doing("write", dir))
}

/// Whether a file is a sound database of ours.
fn check(file: &Path) -> Result<(), StoreError> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|cause| StoreError::Open { file: file.to_owned(), cause })?;
    let said: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .doing("check the soundness of a backup")?;
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .doing("read the version of a backup")?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    match version {
        _ if said != "ok" => Err(StoreError::Damaged { file: file.to_owned(), what: said }),
        0 => Err(StoreError::Damaged { file: file.to_owned(), what: "not a database of loa".to_owned() }),
        found if found > known => Err(StoreError::Newer { file: file.to_owned(), found, known }),
        _ => Ok(()),
    }
}

/// Whose database it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The station's own file of the schedule, as it was last; none where none was kept.
    pub station: Option<String>,
    /// The hash of the journal's first row, which all copies of a database share; none where nothing was logged.
    pub first: Option<ContentHash>,
}

impl Origin {
    /// Of a database or a copy of one, which is only read. Of one that is older than what tells it, nothing is known.
    pub fn of(file: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(|cause| StoreError::Open { file: file.to_owned(), cause })?;
        let keeps_revisions = connection
            .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'revision'")
            .and_then(|mut statement| statement.exists([]))
            .doing("look into a database")?;
        let newest = "SELECT station FROM revision ORDER BY id DESC LIMIT 1";
        let station = if keeps_revisions {
            connection.query_row(newest, [], |row| row.get(0)).optional().doing("read the newest revision")?
        } else {
            None
        };
        let first = connection
            .query_row("SELECT hash FROM journal WHERE seq = 1", [], |row| journal::hash_at(row, 0))
            .optional()
            .doing("read the first row of a journal")?;
        Ok(Self { station: station.flatten(), first })
    }
}

fn aside(file: &Path) -> PathBuf {
    with_end(file, ".new")
}

fn with_end(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Removes a file, if it is there.
fn remove(file: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(file) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::File { operation: "remove", path: file.to_owned(), cause })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{air, at, cue, segment, store};
    use super::*;
    use crate::asrun::Fact;
    use crate::store::{Attached, Fault};

    #[test]
    fn a_backup_put_back_is_the_station_as_it_was() {
        let (store, dir) = store();
        air(&store, &cue(1, 1));
        store.add_segment(segment(1), Attached::default()).unwrap();
        let backup = dir.path().join("sao lưu.db");
        store.backup(&backup).unwrap();
        assert!(store.backup(&backup).is_err(), "a backup is never written over");
        air(&store, &cue(2, 1));
        drop(store);

        restore(&backup, dir.path()).unwrap();
        let store = Store::open(dir.path()).unwrap();
        let verdict = store.verify().unwrap();
        let lost = verdict.first_bad.map(|bad| bad.fault);
        assert_eq!((verdict.rows, lost), (2, Some(Fault::Shortened { noted: 4 })));
        assert!(store.segment(&segment(1).id).unwrap().is_some());
        assert!(dir.path().join("loa.db.before-restore").exists());
    }

    /// How far a restore came before the power went: each step, and what it leaves.
    const STEPS: [fn(&Path); 4] = [
        |_| {},
        |file| keep_what_was_there(file).unwrap(),
        |file| std::fs::remove_file(with_end(file, "-wal")).unwrap(),
        |file| std::fs::remove_file(file).unwrap(), // as where a file has one name
    ];

    #[test]
    fn a_restore_that_the_power_cut_is_ended_by_the_next_start_and_what_was_there_is_kept_once() {
        for steps in 0..=STEPS.len() {
            let (store, dir) = store();
            let file = dir.path().join(DATABASE);
            air(&store, &cue(1, 1));
            let backup = dir.path().join("backup.db");
            store.backup(&backup).unwrap();
            air(&store, &cue(2, 1));
            drop(store);
            std::fs::copy(&backup, if steps == 0 { aside(&file) } else { ready(&file) }).unwrap();
            STEPS.iter().take(steps).for_each(|step| step(&file));
            assert_eq!(file.exists(), steps < 4, "there is always one");

            let rows = |dir: &Path| Store::open(dir).unwrap().verify().unwrap().rows;
            assert_eq!(rows(dir.path()), if steps == 0 { 4 } else { 2 }, "{steps}");
            let kept: Vec<_> = kept_names(&file).take_while(|name| name.exists()).collect();
            assert_eq!((kept.len(), ready(&file).exists()), (usize::from(steps > 0), false), "{steps}");
            if let [kept] = &*kept {
                let old = tempfile::tempdir().unwrap();
                for end in ["", "-wal"] {
                    let to = with_end(&old.path().join(DATABASE), end);
                    std::fs::copy(with_end(kept, end), to).unwrap();
                }
                assert_eq!(rows(old.path()), 4);
            }
        }
    }

    #[test]
    fn where_a_kept_database_has_lost_its_successor_no_empty_one_is_made() {
        let (store, dir) = store();
        let backup = dir.path().join("backup.db");
        store.backup(&backup).unwrap();
        drop(store);
        restore(&backup, dir.path()).unwrap();
        std::fs::remove_file(dir.path().join(DATABASE)).unwrap();
        assert!(matches!(Store::open(dir.path()), Err(StoreError::Lost { .. })));
        assert!(!dir.path().join(DATABASE).exists());
        restore(&backup, dir.path()).unwrap();
        Store::open(dir.path()).unwrap();
    }

    #[test]
    fn a_folder_with_a_backup_verifies_as_it_is_and_put_back_until_it_is_cut() {
        let (store, dir) = store();
        air(&store, &cue(1, 1));
        let folder = dir.path().join("kept");
        store.backup_into(&folder).unwrap();
        air(&store, &cue(2, 1));
        let (new, cut) = (dir.path().join("new"), dir.path().join("cut"));
        let fault = |dir: &Path| {
            let verdict = Store::open(dir).unwrap().verify().unwrap();
            verdict.first_bad.map(|bad| bad.fault)
        };
        assert_eq!(fault(&folder), None);
        restore(&folder.join(DATABASE), &new).unwrap();
        assert_eq!(fault(&new), None);

        Connection::open(folder.join(DATABASE))
            .and_then(|raw| {
                raw.execute_batch(
                    "DROP TRIGGER journal_is_never_shortened; DELETE FROM journal WHERE seq = 2",
                )
            })
            .unwrap();
        restore(&folder.join(DATABASE), &cut).unwrap();
        for dir in [&folder, &cut] {
            assert_eq!(fault(dir), Some(Fault::Shortened { noted: 2 }), "{}", dir.display());
        }
    }

    #[test]
    fn what_is_no_sound_backup_is_not_put_back() {
        let (store, dir) = store();
        (0..40).for_each(|number| air(&store, &cue(number, 1)));
        let backup = dir.path().join("backup.db");
        store.backup(&backup).unwrap();
        drop(store);
        let mut bytes = std::fs::read(&backup).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 5_000].fill(0xff);
        #[expect(clippy::disallowed_methods, reason = "a damaged file is wanted")]
        let write = |name: &str, bytes: &[u8]| {
            let file = dir.path().join(name);
            std::fs::write(&file, bytes).map(|()| file).unwrap()
        };
        for file in [
            write("damaged", &bytes),
            write("text", b"no database at all, only some text"),
            write("empty", b""),
        ] {
            let refused = restore(&file, dir.path());
            assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{}: {refused:?}", file.display());
        }
        assert_eq!(Store::open(dir.path()).unwrap().verify().unwrap().rows, 80, "nothing was touched");
    }

    #[test]
    fn tidying_forgets_old_heartbeats_and_no_airing() {
        let (store, _dir) = store();
        air(&store, &cue(1, 1));
        store.record(&Fact::Heartbeat { at: at(0), output: "loa-xa".into(), sounding: Vec::new() }).unwrap();
        let heartbeats = |store: &Store| -> i64 {
            let count = |connection: &Connection| {
                connection.query_row("SELECT count(*) FROM heartbeat", [], |row| row.get(0)).doing("test")
            };
            store.read(count).unwrap()
        };
        store.tidy_up(at(86_400)).unwrap();
        assert_eq!(heartbeats(&store), 1);
        store.tidy_up(at(40 * 86_400)).unwrap();
        assert_eq!(heartbeats(&store), 0);
        assert_eq!(store.verify().unwrap().first_bad, None);
    }
}
