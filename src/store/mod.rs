//! Facts on disk: the log of what aired, the catalogue of recordings, people and their acts. The only room with SQL.
//!
//! One thread owns the one connection that writes; others send it closures and wait for the answer. Reads go through
//! a few connections of their own and never wait for a write (WAL). Every commit is on disk when it returns
//! (`synchronous = FULL`). The room knows no clock: whoever records something says when it was.

mod acts;
mod airings;
mod decisions;
mod error;
mod head;
mod heard;
mod heartbeat;
mod journal;
mod keep;
mod logins;
mod people;
mod place;
mod reopening;
mod reserve;
mod revisions;
mod row;
mod scripts;
mod segments;
mod standing;
mod steps;
#[cfg(test)]
mod tests;
mod uploads;
mod verify;
mod version;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use tokio::sync::Semaphore;

pub use acts::{Act, ActFilter, ActKind, ActPage};
pub use airings::{AiringFilter, Cursor, NotACursor, Page};
pub use error::StoreError;
pub use heard::Heard;
pub use keep::{Origin, restore};
pub use logins::{LINK_DAYS, Link};
pub use people::{People, Secret, User};
pub use reopening::Doubt;
pub use reserve::{AMPLE, free_bytes};
pub use revisions::{BY_HAND, Revision};
pub use segments::{Added, Attached, SegmentFilter, SegmentPage, SegmentPlace, searchable};
pub use steps::{SegmentEvent, Step, seen, thrown_away};
pub use uploads::{UPLOAD_LIFE, Upload, Verdict as UploadVerdict};
pub use verify::{Bad, Fault, Verdict};
pub use version::Version;

use crate::schedule::{OutputId, Schedule};
use crate::segment::Catalog;
use error::Doing;
use place::Identity;
use reserve::Reserve;

/// The database's file inside the data folder.
pub const DATABASE: &str = "loa.db";

/// Writes waiting for their turn; the engine's facts of days fit.
const QUEUE: usize = 1_024;
/// Connections that read, at most.
const READERS: usize = 4;
/// What each of them keeps of the file, in KiB: the system has it in memory in any case.
const READER_CACHE_KIB: i64 = 256;
/// Requests of [`Store::run`] at work or waiting; one more is refused.
const REQUESTS: usize = 64;
/// How long a statement waits for another process, such as `loa segment add` beside the daemon.
const BUSY: Duration = Duration::from_secs(10);

/// Never edited once they have landed; a change is a new one.
const MIGRATIONS: [&str; 13] = [
    include_str!("migrations/0001_log.sql"),
    include_str!("migrations/0002_segments.sql"),
    include_str!("migrations/0003_people.sql"),
    include_str!("migrations/0004_logins.sql"),
    include_str!("migrations/0005_revisions.sql"),
    include_str!("migrations/0006_scripts_and_uploads.sql"),
    include_str!("migrations/0007_examinations.sql"),
    include_str!("migrations/0008_names_in_acts.sql"),
    include_str!("migrations/0009_seals.sql"),
    include_str!("migrations/0010_heard.sql"),
    include_str!("migrations/0011_standing_orders.sql"),
    include_str!("migrations/0012_sounding.sql"),
    include_str!("migrations/0013_order_of_orders.sql"),
];

/// What the log says of the station: which hamlets hear an output, and how far its clocks are from UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct Station {
    /// The station's zone.
    pub time_zone: TimeZone,
    /// The hamlets of each output.
    pub zones: BTreeMap<OutputId, Vec<String>>,
}

impl Default for Station {
    fn default() -> Self {
        Self { time_zone: TimeZone::UTC, zones: BTreeMap::new() }
    }
}

impl From<&Schedule> for Station {
    fn from(schedule: &Schedule) -> Self {
        let zones = schedule.outputs.iter().map(|output| (output.id.clone(), output.zones.clone()));
        Self { time_zone: schedule.time_zone.clone(), zones: zones.collect() }
    }
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The facts of a station; cheap to clone. The last clone to go ends the writer, after what was sent is written.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    /// Which file the database is.
    identity: Identity,
    /// None only while it is dropped.
    writer: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    readers: Readers,
    station: RwLock<Arc<Station>>,
    /// The catalogue as it was last read, and its version.
    catalog: Mutex<Option<(i64, Arc<Catalog>)>>,
    requests: Arc<Semaphore>,
    /// Whether the last fact could not be written.
    log_fails: AtomicBool,
    /// Of which output a fact is being written or waits for the next try, and since when it is one.
    recording: Mutex<Option<(OutputId, Timestamp)>>,
    /// Whether it was noted that the journal was cut, and its new end could not be.
    cut_noted: Arc<AtomicBool>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.writer = None;
        let thread = self.thread.take();
        // The last clone may live in a job: the writer cannot wait for itself.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended with a panic");
        }
    }
}

impl Store {
    /// Opens the store in a folder, usually `data/`, making both where they are missing.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let dir = dir.to_owned();
        std::fs::create_dir_all(&dir).map_err(|cause| StoreError::File {
            operation: "make the folder",
            path: dir.clone(),
            cause,
        })?;
        Reserve::of(&dir).give_up_if_full();
        keep::end_restore(&dir)?;
        let file = dir.join(DATABASE);
        if let Some(kept) = keep::kept_alone(&file) {
            return Err(StoreError::Lost { file, kept });
        }
        if !file.exists()
            && let Some(rows) = head::keep_lost(&dir)?
        {
            tracing::error!(file = %file.display(), rows, "THE DATABASE IS GONE: an empty one is made, without recordings, people and log");
        }
        let mut connection = open_writer(&file).map_err(|error| error.in_file(&file))?;
        migrate(&mut connection, &file).map_err(|error| error.in_file(&file))?;
        let identity = Identity::of(&file).map_err(|cause| StoreError::File {
            operation: "look for",
            path: file.clone(),
            cause,
        })?;
        let (writer, jobs) = sync_channel(QUEUE);
        let thread =
            std::thread::Builder::new().name("store".to_owned()).spawn(move || work(connection, &jobs));
        let thread = thread.map_err(|cause| StoreError::File {
            operation: "start the writer of",
            path: file.clone(),
            cause,
        })?;
        Ok(Self {
            inner: Arc::new(Inner {
                dir,
                identity,
                writer: Some(writer),
                thread: Some(thread),
                readers: Readers::new(file, identity),
                station: RwLock::default(),
                catalog: Mutex::default(),
                requests: Arc::new(Semaphore::new(REQUESTS)),
                log_fails: AtomicBool::new(false),
                recording: Mutex::default(),
                cut_noted: Arc::default(),
            }),
        })
    }

    /// The folder it is in.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// The database's file.
    pub fn file(&self) -> PathBuf {
        self.inner.dir.join(DATABASE)
    }

    /// Says what the log shall say of the station from now on; before, it is in UTC and names no hamlets.
    pub fn set_station(&self, station: Station) {
        *self.inner.station.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(station);
    }

    fn station(&self) -> Arc<Station> {
        Arc::clone(&self.inner.station.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does something that blocks, from async code: on a thread that may block. Refused as `Busy` when too many wait.
    pub async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    {
        let place = Arc::clone(&self.inner.requests).try_acquire_owned().map_err(|_| StoreError::Busy)?;
        let store = self.clone();
        // The place goes along: who goes away meanwhile leaves the work behind.
        let work = move || {
            let _place = place;
            work(&store)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Stopped)?
    }

    /// Has the writer do something in one transaction, committed when this returns.
    fn write<T, F>(&self, operation: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.with_writer(move |connection| in_transaction(connection, operation, work))
    }

    /// Has the writer do something outside a transaction.
    fn with_writer<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = sync_channel(1);
        let job = Box::new(move |connection: &mut Connection| {
            // Nobody listens any more where the caller has gone; what was asked for is done all the same.
            let _unheard = reply.send(work(connection));
        });
        let writer = self.inner.writer.as_ref().ok_or(StoreError::Stopped)?;
        writer.send(job).map_err(|_| StoreError::Stopped)?;
        answer.recv().map_err(|_| StoreError::Stopped)?.map_err(|error| error.in_file(&self.file()))
    }

    /// Reads with one of the connections for that.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let reader = self.inner.readers.take()?;
        let connection = reader.connection.as_ref().ok_or(StoreError::Stopped)?;
        work(connection).map_err(|error| error.in_file(&self.file()))
    }
}

/// The writer's life. A job that panics loses its transaction and its answer, and no more.
fn work(mut connection: Connection, jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
            tracing::error!("a write to the store ended with a panic");
        }
    }
}

/// Does something in one transaction, committed when this returns.
fn in_transaction<T>(
    connection: &mut Connection,
    operation: &'static str,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // Immediate: the end of the journal is read in the same transaction that adds to it.
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).doing(operation)?;
    let result = work(&transaction)?;
    transaction.commit().doing(operation)?;
    Ok(result)
}

/// Opens a connection that writes.
fn open_writer(file: &Path) -> Result<Connection, StoreError> {
    let open = || {
        let connection = Connection::open(file)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // REPLACE fires the triggers of DELETE only with these: the journal must not be replaced either.
        connection.pragma_update(None, "recursive_triggers", true)?;
        Ok(connection)
    };
    open().map_err(|cause| StoreError::Open { file: file.to_owned(), cause })
}

/// Opens a connection that only reads.
fn open_reader(file: &Path) -> Result<Connection, StoreError> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        Ok(connection)
    };
    open().map_err(|cause| StoreError::Open { file: file.to_owned(), cause })
}

/// Brings the database to the newest version, each step in a transaction of its own.
fn migrate(connection: &mut Connection, file: &Path) -> Result<(), StoreError> {
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    let found: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|cause| StoreError::Open { file: file.to_owned(), cause })?;
    if found > known {
        return Err(StoreError::Newer { file: file.to_owned(), found, known });
    }
    for (version, script) in (1_u32..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        let step = |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
            // Another process may have been faster.
            let now: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if now < version {
                transaction.execute_batch(script)?;
                transaction.pragma_update(None, "user_version", version)?;
            }
            transaction.commit()
        };
        step(connection).map_err(|cause| StoreError::Migrate { file: file.to_owned(), version, cause })?;
    }
    Ok(())
}

/// A few connections that read, lent one at a time.
#[derive(Debug)]
struct Readers {
    file: PathBuf,
    identity: Identity,
    idle: Mutex<Idle>,
    returned: Condvar,
}

#[derive(Debug)]
struct Idle {
    connections: Vec<Connection>,
    /// How many more may be opened.
    unopened: usize,
}

impl Readers {
    fn new(file: PathBuf, identity: Identity) -> Self {
        let idle = Mutex::new(Idle { connections: Vec::new(), unopened: READERS });
        Self { file, identity, idle, returned: Condvar::new() }
    }

    fn take(&self) -> Result<Lent<'_>, StoreError> {
        if let Some(connection) = self.idle_or_leave() {
            return Ok(Lent { connection: Some(connection), readers: self });
        }
        // A slow disk takes long for this; others that come back are lent on meanwhile. Another file of that name holds
        // other facts.
        let opened = match Identity::of(&self.file) {
            Ok(found) if found == self.identity => open_reader(&self.file),
            Ok(_) => Err(StoreError::Absent { file: self.file.clone() }),
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
                Err(StoreError::Absent { file: self.file.clone() })
            }
            Err(_) => open_reader(&self.file),
        };
        if opened.is_err() {
            self.lock().unopened += 1;
            self.returned.notify_one();
        }
        Ok(Lent { connection: Some(opened?), readers: self })
    }

    /// A connection that nobody uses, waited for if need be; none is the leave to open one more.
    fn idle_or_leave(&self) -> Option<Connection> {
        let mut idle = self.lock();
        loop {
            if let Some(connection) = idle.connections.pop() {
                return Some(connection);
            }
            if idle.unopened > 0 {
                idle.unopened -= 1;
                return None;
            }
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that comes back by itself.
struct Lent<'a> {
    /// None only while it is dropped.
    connection: Option<Connection>,
    readers: &'a Readers,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.readers.lock().connections.extend(self.connection.take());
        self.readers.returned.notify_one();
    }
}
