//! What tells the next program that an amplifier was left on: a file that is there while it is.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// How long the power waits for its marker; a disk writes one in some milliseconds.
const LIMIT: Duration = Duration::from_millis(500);
/// Changes of a marker that wait for a disk that hangs; more are given up.
const ORDERS: usize = 16;
/// A marker's name, around that of the output.
const BEGINS: &str = "amplifier-";
const ENDS: &str = ".on";

/// The marker of an output's amplifier: a file in `folder` that exists while it is on.
pub fn marker(folder: &Path, output: &str) -> PathBuf {
    folder.join(format!("{BEGINS}{output}{ENDS}"))
}

/// The output whose amplifier's marker has this name.
pub(super) fn output_of(marker: Option<&OsStr>) -> Option<&str> {
    marker?.to_str()?.strip_prefix(BEGINS)?.strip_suffix(ENDS)
}

/// The command in a marker; none in one that was torn by a power cut, or left by a program that wrote none.
pub(super) fn off_command(marker: &Path) -> Option<Vec<String>> {
    let command: Vec<String> = serde_json::from_slice(&fs::read(marker).ok()?).ok()?;
    (!command.is_empty()).then_some(command)
}

/// A file that is there while the amplifier is on, kept by a thread of its own: a disk that hangs holds up no power.
pub(super) struct Marker {
    pub(super) path: PathBuf,
    orders: SyncSender<(bool, SyncSender<io::Result<()>>)>,
}

impl Marker {
    /// One that holds the command that switches off, for when the schedule does not know it any more.
    pub(super) fn new(path: PathBuf, off: &[String]) -> io::Result<Self> {
        let (orders, queue) = sync_channel::<(bool, SyncSender<_>)>(ORDERS);
        let (file, command) = (path.clone(), serde_json::to_vec(off)?);
        let keep = move || {
            for (on, done) in queue {
                let kept = if on { write(&file, &command) } else { remove(&file) };
                // Nobody waits any more for what took too long.
                let _late = done.try_send(kept);
            }
        };
        thread::Builder::new().name("amplifier-mark".to_owned()).spawn(keep)?;
        Ok(Self { path, orders })
    }

    /// Has it there or gone, in order; waits a little for that.
    pub(super) fn set(&self, on: bool) -> io::Result<()> {
        let (done, kept) = sync_channel(1);
        let hangs = |_| io::Error::from(io::ErrorKind::TimedOut);
        self.orders.try_send((on, done)).map_err(|_| io::ErrorKind::TimedOut)?;
        kept.recv_timeout(LIMIT).map_err(hangs)?
    }
}

fn write(marker: &Path, command: &[u8]) -> io::Result<()> {
    let mut marker = File::create(marker)?;
    marker.write_all(command)?;
    marker.sync_all()
}

fn remove(marker: &Path) -> io::Result<()> {
    match fs::remove_file(marker) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
