//! The signals that end the program in order.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// What tells the program to stop.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Its terminal is gone; none where it was started so as to outlive that.
    hangup: Option<Signal>,
}

impl Signals {
    /// Listens from now on.
    pub fn listen() -> io::Result<Self> {
        let hangup = if outlives_its_terminal() { None } else { Some(signal(SignalKind::hangup())?) };
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, hangup })
    }
}

/// Whether hangups are ignored from the start, as under `nohup`.
fn outlives_its_terminal() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The lowest bit is that of the first signal, a hangup.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Waits for a signal.
pub async fn told_to_stop(Signals { mut terminate, mut interrupt, hangup }: Signals) {
    let hung_up = async {
        match hangup {
            Some(mut hangup) => hangup.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hung_up => {}
    }
}

/// What says that the program is told to stop, for a command that would leave half a thing behind if it just ended.
#[derive(Debug)]
pub struct Told {
    /// Set from then on.
    pub flag: Arc<AtomicBool>,
    /// Answered then, for who waits.
    pub word: oneshot::Receiver<()>,
}

/// Listens from now on, in a thread of its own.
pub fn told() -> io::Result<Told> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let signals = runtime.block_on(async { Signals::listen() })?;
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    let (answer, word) = oneshot::channel();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(told_to_stop(signals));
        set.store(true, Ordering::Relaxed);
        // Nobody need wait.
        let _unheard = answer.send(());
    })?;
    Ok(Told { flag, word })
}
