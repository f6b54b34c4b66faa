//! What the amplifier does, by commands that are really run.

use std::fs::File;
use std::io::Write as _;

use super::*;

const SHORT: Limits = Limits {
    slow: Duration::from_millis(100),
    stop: Duration::from_millis(300),
    retry: Duration::from_millis(50),
};

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
        Amplifier::with_limits(Some(switch), self.path("on"), SHORT).unwrap()
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
fn power_that_was_left_on_goes_off_before_the_first_wish_however_soon_it_comes() {
    let bench = Bench::new();
    File::create(bench.path("on")).unwrap();
    let amplifier = bench.amplifier(logging(&bench.path("log")));
    amplifier.switch(true);
    wait_until(|| bench.log() == "off\non\n");
    drop(amplifier);
    assert_eq!(bench.log(), "off\non\noff\n");
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
    let switch = logging(&bench.path("log"));
    let amplifier =
        Amplifier::with_limits(Some(switch), marker, Limits { retry: Duration::from_mins(1), ..SHORT })
            .unwrap();
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
    let amplifier = Amplifier::with_limits(Some(switch), marker(folder, "a"), SHORT).unwrap();
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

#[test]
fn a_command_that_takes_long_counts_as_failing_until_it_has_done_its_work() {
    let bench = Bench::new();
    // It ends once somebody reads what it writes.
    assert!(Command::new("mkfifo").arg(bench.path("pipe")).status().unwrap().success());
    let mut switch = logging(&bench.path("log"));
    switch.on = vec!["sh".to_owned(), "-c".to_owned(), format!("echo > {}", bench.path("pipe").display())];
    let limits = Limits { stop: Duration::from_mins(1), ..SHORT };
    let amplifier = Amplifier::with_limits(Some(switch), bench.path("on"), limits).unwrap();
    let power = amplifier.power();
    amplifier.switch(true);
    wait_until(|| power.fails());
    assert!(!power.is_on());
    fs::read(bench.path("pipe")).unwrap();
    wait_until(|| power.is_on() && !power.fails());
}
