//! Power for the loudspeakers: a pair of commands, run by a thread of their own.

mod marker;

use std::fs;
use std::io;
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

/// How long one command may take.
const LIMIT: Duration = Duration::from_secs(10);
/// A command that failed is run again after so long, as long as its wish stands.
const RETRY: Duration = Duration::from_secs(5);
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

    /// Whether the command of the latest wish has failed, and is being tried again.
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
        Self::with_limits(switch, marker, LIMIT, RETRY)
    }

    fn with_limits(
        switch: Option<Switch>,
        marker: PathBuf,
        limit: Duration,
        retry: Duration,
    ) -> io::Result<Self> {
        let power = Arc::new(Power::default());
        let worker = match switch {
            None => None,
            Some(switch) => {
                power.on.store(marker.exists(), Ordering::Release);
                let marker = Marker::new(marker, &switch.off)?;
                let worker = Worker { power: Arc::clone(&power), switch, marker, limit, retry };
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
            off_command(&marker).map(|off| run(&off, LIMIT).and_then(|()| fs::remove_file(&marker)));
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
    limit: Duration,
    retry: Duration,
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
        let mut known = if self.power.is_on() { None } else { Some(false) };
        loop {
            // Read before the wish: `drop` sets it first, so whoever sees it sees the last wish too.
            let closing = self.power.closing.load(Ordering::Acquire);
            let wished = self.power.wished.load(Ordering::Acquire);
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
                    thread::park_timeout(self.retry);
                }
            }
        }
    }

    /// Switches; the marker is there before the power and goes after it. Power waits for no disk: without a marker it is
    /// switched all the same.
    fn turn(&self, on: bool) -> io::Result<()> {
        if on {
            self.mark(true);
            return run(&self.switch.on, self.limit);
        }
        run(&self.switch.off, self.limit)?;
        self.mark(false);
        Ok(())
    }

    fn mark(&self, on: bool) {
        if let Err(error) = self.marker.set(on) {
            let (output, marker) = (output_of(self.marker.path.file_name()), self.marker.path.display());
            warn!(output.id = output, on, %marker, %error, "the amplifier's marker is not as it should be: after a power cut it may stay as it is");
        }
    }
}

/// Runs a command to its end, or to the end of its time.
fn run(command: &[String], limit: Duration) -> io::Result<()> {
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
    while waited < limit {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(io::Error::other(format!("{program}: {status}"))),
            None => thread::sleep(LOOK_EVERY),
        }
        waited += LOOK_EVERY;
    }
    kill(&mut child);
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("{program} was stopped after {limit:?}")))
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

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::path::Path;

    use super::*;

    /// A switch that writes what it does, line by line, into `log`.
    fn logging(log: &Path) -> Switch {
        let says =
            |word: &str| vec!["sh".to_owned(), "-c".to_owned(), format!("echo {word} >> {}", log.display())];
        Switch { on: says("on"), off: says("off") }
    }

    fn wait_until(what: impl Fn() -> bool) {
        for _ in 0..500 {
            if what() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("not within 5 s");
    }

    struct Bench {
        folder: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap() }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn log(&self) -> String {
            fs::read_to_string(self.path("log")).unwrap_or_default()
        }

        fn amplifier(&self, switch: Switch) -> Amplifier {
            let limit = Duration::from_millis(300);
            Amplifier::with_limits(Some(switch), self.path("on"), limit, Duration::from_millis(50)).unwrap()
        }
    }

    #[test]
    fn it_is_off_at_the_end_however_that_comes() {
        let bench = Bench::new();
        let amplifier = bench.amplifier(logging(&bench.path("log")));
        amplifier.switch(true);
        wait_until(|| amplifier.power().is_on());
        assert!(bench.path("on").exists());
        let crash = thread::spawn(move || {
            let _amplifier = amplifier;
            panic!("a test's");
        });
        assert!(crash.join().is_err());
        assert_eq!(bench.log(), "on\noff\n");
        assert!(!bench.path("on").exists());
    }

    #[test]
    fn power_that_a_killed_program_left_on_is_switched_off_first() {
        let bench = Bench::new();
        File::create(bench.path("on")).unwrap();
        let amplifier = bench.amplifier(logging(&bench.path("log")));
        wait_until(|| !amplifier.power().is_on());
        assert_eq!(bench.log(), "off\n");
        assert!(!bench.path("on").exists());
    }

    #[test]
    fn only_the_latest_wish_counts() {
        let bench = Bench::new();
        let amplifier = bench.amplifier(logging(&bench.path("log")));
        for turn in 0..1_000 {
            amplifier.switch(turn % 2 == 0);
        }
        amplifier.switch(true);
        wait_until(|| amplifier.power().is_on());
        assert!(bench.log().lines().count() < 1_000);
        assert_eq!(bench.log().lines().last(), Some("on"));
    }

    #[test]
    fn a_command_that_hangs_is_stopped_with_all_it_started_and_run_again() {
        let bench = Bench::new();
        let hang = format!("echo on >> {}; sleep 60 & wait", bench.path("log").display());
        let mut switch = logging(&bench.path("log"));
        switch.on = vec!["sh".to_owned(), "-c".to_owned(), hang];
        let amplifier = bench.amplifier(switch);
        amplifier.switch(true);
        wait_until(|| bench.log() == "on\non\n");
        wait_until(|| amplifier.power().fails());
        assert!(!amplifier.power().is_on());
        drop(amplifier);
        assert!(bench.log().ends_with("off\n"), "it may be on all the same");
    }

    #[test]
    fn a_command_that_does_not_exist_keeps_nobody_waiting() {
        let bench = Bench::new();
        let missing = vec!["/nonexistent/switch".to_owned()];
        let amplifier = bench.amplifier(Switch { on: missing.clone(), off: missing });
        amplifier.switch(true);
        wait_until(|| bench.path("on").exists());
        drop(amplifier);
    }

    #[test]
    fn the_first_failure_of_each_wish_is_told() {
        let mut failures = Failures::default();
        let told: Vec<_> = [false, false, true, true, false].map(|wished| failures.one_more(wished)).into();
        assert_eq!(told, [true, false, true, false, true]);
        let told = (0..130).filter(|_| failures.one_more(false)).count();
        assert_eq!(told, 2, "of ten minutes");
    }

    #[test]
    fn a_program_is_found_by_its_path_and_in_those_of_the_system() {
        assert!(can_run("sh") && can_run("/bin/sh"));
        let bench = Bench::new();
        File::create(bench.path("no-program")).unwrap();
        for missing in ["", "no-such-program", "/nonexistent/switch", "/bin"] {
            assert!(!can_run(missing), "{missing}");
        }
        assert!(!can_run(bench.path("no-program").to_str().unwrap()));
    }

    #[test]
    fn without_a_switch_nothing_runs() {
        let bench = Bench::new();
        let amplifier = Amplifier::new(None, bench.path("on")).unwrap();
        amplifier.switch(true);
        assert!(amplifier.power().is_on());
        assert!(!bench.path("on").exists());
    }

    #[test]
    fn a_command_that_fails_is_told_until_the_next_one_succeeds() {
        let bench = Bench::new();
        let mut switch = logging(&bench.path("log"));
        switch.on = vec!["false".to_owned()];
        let amplifier = bench.amplifier(switch);
        let power = amplifier.power();
        assert!(!power.fails());
        amplifier.switch(true);
        wait_until(|| power.fails());
        assert!(!power.is_on());
        amplifier.switch(false);
        wait_until(|| !power.fails());
        assert_eq!(bench.log(), "off\n");
    }

    #[test]
    fn what_is_wished_after_a_command_that_failed_is_commanded_whatever_was_so_before() {
        let bench = Bench::new();
        let mut switch = logging(&bench.path("log"));
        switch.off = vec!["false".to_owned()];
        let amplifier = bench.amplifier(switch);
        let power = amplifier.power();
        amplifier.switch(true);
        wait_until(|| power.is_on());
        amplifier.switch(false);
        wait_until(|| power.fails());
        amplifier.switch(true);
        wait_until(|| bench.log() == "on\non\n");
        wait_until(|| power.is_on() && !power.fails());
    }

    #[test]
    fn power_that_may_have_been_left_on_and_is_not_switched_off_is_switched_on() {
        let bench = Bench::new();
        File::create(bench.path("on")).unwrap();
        let mut switch = logging(&bench.path("log"));
        switch.off = vec!["false".to_owned()];
        let amplifier = bench.amplifier(switch);
        wait_until(|| amplifier.power().fails());
        amplifier.switch(true);
        wait_until(|| bench.log() == "on\n");
    }

    #[test]
    fn power_needs_no_disk() {
        let bench = Bench::new();
        File::create(bench.path("gone")).unwrap();
        let marker = bench.path("gone").join("on");
        let (limit, retry) = (Duration::from_millis(300), Duration::from_mins(1));
        let switch = logging(&bench.path("log"));
        let amplifier = Amplifier::with_limits(Some(switch), marker, limit, retry).unwrap();
        amplifier.switch(true);
        wait_until(|| amplifier.power().is_on());
        amplifier.switch(false);
        wait_until(|| !amplifier.power().is_on());
        assert!(!amplifier.power().fails());
        assert_eq!(bench.log(), "on\noff\n");
    }

    #[test]
    fn power_waits_for_no_disk_that_hangs() {
        let bench = Bench::new();
        let amplifier = bench.amplifier(logging(&bench.path("log")));
        // To open it for writing takes until somebody reads it.
        assert!(Command::new("mkfifo").arg(bench.path("on")).status().unwrap().success());
        amplifier.switch(true);
        wait_until(|| amplifier.power().is_on());
        drop(amplifier);
        assert_eq!(bench.log(), "on\noff\n");
    }

    #[test]
    fn what_an_output_that_is_gone_left_on_is_switched_off_by_its_marker() {
        let bench = Bench::new();
        let folder = bench.folder.path();
        let switch = logging(&bench.path("log"));
        let (limit, retry) = (Duration::from_millis(300), Duration::from_millis(50));
        let amplifier = Amplifier::with_limits(Some(switch), marker(folder, "a"), limit, retry).unwrap();
        amplifier.switch(true);
        wait_until(|| amplifier.power().is_on());
        let written = fs::read(marker(folder, "a")).unwrap();
        drop(amplifier);
        for output in ["gone", "kept"] {
            File::create(marker(folder, output)).unwrap().write_all(&written).unwrap();
        }
        File::create(marker(folder, "old")).unwrap();
        switch_off_left_on(folder, |output| output == "kept").unwrap();
        assert_eq!(bench.log(), "on\noff\noff\n");
        assert!(!marker(folder, "gone").exists());
        assert!(marker(folder, "kept").exists(), "its own amplifier looks after it");
        assert!(marker(folder, "old").exists(), "it says nothing of how to switch off");
    }
}
