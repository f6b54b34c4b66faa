//! Power for the loudspeakers: a pair of commands, run by a thread of their own.

mod marker;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::mem;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{AccessFlags, Pid, access};
use tracing::{error, info, warn};

pub use marker::marker;
use marker::{Marker, off_command, output_of};

/// How long a command may take, and what comes then.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// After so long it counts as failing, though it may still do its work.
    slow: Duration,
    /// After so long it is stopped.
    stop: Duration,
    /// So long after it failed it is run again, as long as its wish stands.
    retry: Duration,
}

const LIMITS: Limits =
    Limits { slow: Duration::from_secs(3), stop: Duration::from_secs(10), retry: Duration::from_secs(5) };

/// How to switch an amplifier: programs with their arguments, run as they stand, without a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// Switches it on.
    pub on: Vec<String>,
    /// Switches it off.
    pub off: Vec<String>,
}

/// What is wished and what is so.
#[derive(Debug, Default)]
pub struct Power {
    wished: AtomicBool,
    on: AtomicBool,
    failing: AtomicBool,
    closing: AtomicBool,
}

impl Power {
    /// Whether it is on, as far as is known: its command has been run, without an error.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Acquire)
    }

    /// Whether the command of the latest wish has failed and is being tried again, or takes so long that it may hang.
    pub fn fails(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }
}

/// An amplifier: on when told, off when told, and off at every end of this value.
#[derive(Debug)]
pub struct Amplifier {
    power: Arc<Power>,
    worker: Option<JoinHandle<()>>,
}

impl Amplifier {
    /// An amplifier that is off. `marker` is a file that exists while it is on: when a program that was killed has left
    /// it behind, the first thing that happens is that the amplifier is switched off. Without a switch nothing is run.
    pub fn new(switch: Option<Switch>, marker: PathBuf) -> io::Result<Self> {
        Self::with_limits(switch, marker, LIMITS)
    }

    fn with_limits(switch: Option<Switch>, marker: PathBuf, limits: Limits) -> io::Result<Self> {
        let power = Arc::new(Power::default());
        let worker = match switch {
            None => None,
            Some(switch) => {
                power.on.store(marker.exists(), Ordering::Release);
                let marker = Marker::new(marker, &switch.off)?;
                let worker = Worker { power: Arc::clone(&power), switch, marker, limits };
                Some(thread::Builder::new().name("amplifier".to_owned()).spawn(move || worker.run())?)
            }
        };
        Ok(Self { power, worker })
    }

    /// Wishes it on or off. Never waits; only the latest wish counts.
    pub fn switch(&self, on: bool) {
        self.power.wished.store(on, Ordering::Release);
        match &self.worker {
            Some(worker) => worker.thread().unpark(),
            None => self.power.on.store(on, Ordering::Release),
        }
    }

    /// Whether it is on, for who shows it.
    pub fn power(&self) -> Arc<Power> {
        Arc::clone(&self.power)
    }
}

/// Switches off what a program that was killed left on, and nobody looks after any more.
///
/// That is an amplifier whose marker lies in `folder`, and whose output is gone or has no switch now. Each marker holds
/// the command; a marker without one, as programs left it before, is only told of. To be done before any other amplifier
/// is switched on, and once: under the output's new name it may be the same one.
pub fn switch_off_left_on(folder: &Path, has_switch: impl Fn(&str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (marker, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let Some(output) = output_of(Some(&name)).filter(|output| !has_switch(output)) else { continue };
        let switched =
            off_command(&marker).map(|off| run(&off, LIMITS, || ()).and_then(|()| fs::remove_file(&marker)));
        match switched {
            Some(Ok(())) => {
                warn!(output.id = %output, "an amplifier was left on, and its output is gone: it is switched off");
            }
            Some(Err(cause)) => {
                error!(output.id = %output, error = &cause as &dyn std::error::Error, "an amplifier was left on, its output is gone, and it cannot be switched off: do so by hand");
            }
            None => {
                error!(output.id = %output, marker = %marker.display(), "an amplifier may have been left on, and its output is gone: switch it off by hand, then remove the marker");
            }
        }
    }
    Ok(())
}

/// Whether this machine has a program that can be run under a name or path, as this user has it.
pub fn can_run(program: &str) -> bool {
    let is_program = |path: &Path| path.is_file() && access(path, AccessFlags::X_OK).is_ok();
    if program.contains('/') {
        return is_program(Path::new(program));
    }
    let places = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&places).any(|place| is_program(&place.join(program)))
}

impl Drop for Amplifier {
    /// Switches it off and waits for that, also while a panic unwinds.
    fn drop(&mut self) {
        self.power.closing.store(true, Ordering::Release);
        self.switch(false);
        if let Some(worker) = self.worker.take()
            && worker.join().is_err()
        {
            warn!("the amplifier's thread has panicked");
        }
    }
}

/// The thread's own.
struct Worker {
    power: Arc<Power>,
    switch: Switch,
    marker: Marker,
    limits: Limits,
}

/// How often one wish has failed by now.
#[derive(Debug, Default)]
struct Failures {
    wished: Option<bool>,
    count: u32,
}

impl Failures {
    /// Counts another one; whether it is to be told. Ten minutes of failures are two lines, not 120, for each wish.
    fn one_more(&mut self, wished: bool) -> bool {
        if self.wished.replace(wished) != Some(wished) {
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.count == 1 || self.count.is_multiple_of(60)
    }
}

impl Worker {
    fn run(&self) {
        let mut failures = Failures::default();
        let output = output_of(self.marker.path.file_name());
        // What is known of the relay: nothing, once a command has failed or a dead program has begun one. It may have
        // done its work all the same, or not; whatever is wished then is commanded.
        let mut left_on = self.power.is_on();
        let mut known = if left_on { None } else { Some(false) };
        loop {
            // Read before the wish: `drop` sets it first, so whoever sees it sees the last wish too.
            let closing = self.power.closing.load(Ordering::Acquire);
            // What was left on goes off first, even where the first wish came sooner than this thread.
            let wished = !mem::take(&mut left_on) && self.power.wished.load(Ordering::Acquire);
            let settled = known == Some(wished);
            if settled && closing {
                return;
            }
            if settled {
                thread::park();
                continue;
            }
            match self.turn(wished) {
                Ok(()) => {
                    info!(output.id = output, on = wished, "the amplifier is switched");
                    self.power.on.store(wished, Ordering::Release);
                    self.power.failing.store(false, Ordering::Release);
                    known = Some(wished);
                    failures = Failures::default();
                }
                Err(error) => {
                    known = None;
                    if wished {
                        self.power.on.store(false, Ordering::Release);
                    }
                    self.power.failing.store(true, Ordering::Release);
                    if failures.one_more(wished) {
                        let failures = failures.count;
                        warn!(output.id = output, on = wished, failures, %error, "cannot switch the amplifier");
                    }
                    if closing && failures.count > 1 {
                        return; // the marker stays: the next program tries on
                    }
                    thread::park_timeout(self.limits.retry);
                }
            }
        }
    }

    /// Switches; the marker is there before the power and goes after it. Power waits for no disk: without a marker it is
    /// switched all the same.
    fn turn(&self, on: bool) -> io::Result<()> {
        if on {
            self.mark(true);
            return self.command(&self.switch.on);
        }
        self.command(&self.switch.off)?;
        self.mark(false);
        Ok(())
    }

    fn command(&self, command: &[String]) -> io::Result<()> {
        run(command, self.limits, || {
            self.power.failing.store(true, Ordering::Release);
            let output = output_of(self.marker.path.file_name());
            warn!(output.id = output, ?command, "the amplifier's command has not come to its end");
        })
    }

    fn mark(&self, on: bool) {
        if let Err(error) = self.marker.set(on) {
            let (output, marker) = (output_of(self.marker.path.file_name()), self.marker.path.display());
            warn!(output.id = output, on, %marker, %error, "the amplifier's marker is not as it should be: after a power cut it may stay as it is");
        }
    }
}

/// Runs a command to its end, or to the end of its time. One that is slow is told of once.
fn run(command: &[String], limits: Limits, is_slow: impl Fn()) -> io::Result<()> {
    const LOOK_EVERY: Duration = Duration::from_millis(10);
    let Some((program, arguments)) = command.split_first() else {
        return Ok(()); // nothing to do, for instance, to a relay that falls by itself
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // Of its own: what a person's Ctrl-C ends must not be the command that switches off.
        .process_group(0)
        .spawn()?;
    let mut waited = Duration::ZERO;
    while waited < limits.stop {
        if waited == limits.slow {
            is_slow();
        }
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(io::Error::other(format!("{program}: {status}"))),
            None => thread::sleep(LOOK_EVERY),
        }
        waited += LOOK_EVERY;
    }
    kill(&mut child);
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("{program} was stopped after {:?}", limits.stop)))
}

/// Ends a command with all that it has started.
fn kill(child: &mut Child) {
    let group = i32::try_from(child.id()).map(Pid::from_raw);
    if group.is_ok_and(|group| killpg(group, Signal::SIGKILL).is_ok())
        && let Err(error) = child.wait()
    {
        warn!(%error, "cannot wait for a command that was stopped");
    }
}
