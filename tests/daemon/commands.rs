//! What commands do that are run by hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::station::*;

/// A recording whose conversion takes for ever, where programs are looked for in the station's folder; and the file that
/// says that it has begun.
fn endless(station: &Station) -> [PathBuf; 2] {
    let [voice, script, started] = ["a.amr", "script", "started"].map(|name| station.path().join(name));
    write(&voice, "#!AMR\n");
    write(&script, &format!("#!/bin/sh\necho $$ > {}\nexec /bin/sleep 1000\n", started.display()));
    // By another program: what this one has open to write cannot be run.
    let install = Command::new("install").arg(&script).arg(station.path().join("ffmpeg")).status();
    assert!(install.unwrap().success());
    [voice, started]
}

/// Ends a command while it takes in a recording without end: it says so of one, and nothing is left in the folder.
fn is_stopped(mut command: Command, path: &Path, started: &Path, incoming: &Path, signal: Signal) {
    let taking_in = command.env("PATH", path).stdout(Stdio::piped()).spawn().unwrap();
    eventually("it is converted", || fs::read_to_string(started).ok().filter(|said| !said.is_empty()));
    kill(Pid::from_raw(taking_in.id().cast_signed()), signal).unwrap();
    let ended = taking_in.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert_eq!(said.matches("chưa có gì được lưu").count(), 1, "{said}");
    assert_eq!(fs::read_dir(incoming).unwrap().count(), 0);
    fs::remove_file(started).unwrap();
}

#[test]
fn who_stops_taking_in_leaves_nothing_behind() {
    let station = Station::new();
    let [voice, started] = endless(&station);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut command = loa();
        command.arg("--station").arg(station.path()).args(["segment", "add"]).args([&voice, &voice]);
        is_stopped(command, station.path(), &started, &station.path().join("audio/.incoming"), signal);
    }
}

#[test]
fn who_stops_the_demo_while_it_takes_in_leaves_nothing_behind() {
    let station = Station::new();
    let [voice, started] = endless(&station);
    station.play(&station.soon(600), &["a.wav"]);
    fs::create_dir(station.path().join("audio")).unwrap();
    let list = station.path().join("audio/segments.toml");
    let entry = format!("[[segment]]\nfile = \"{}\"\ntitle = \"a\"\n", voice.display());
    write(&list, &entry.repeat(2));
    let to = station.path().join("demo");
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut command = loa();
        command.arg("demo").arg("--from").arg(station.path()).arg("--station").arg(&to);
        is_stopped(command, station.path(), &started, &to.join("audio/.incoming"), signal);
    }
}

#[test]
fn a_command_at_a_terminal_prints_its_answer_and_nothing_else() {
    let station = Station::new();
    station.succeed(&["user", "add", "lan", "--role", "uploader"]);
    let list = format!("{} --station {} user list", env!("CARGO_BIN_EXE_loa"), station.path().display());
    let shown = Command::new("script").args(["-qec", &list, "/dev/null"]).stdin(Stdio::null()).output();
    let shown = String::from_utf8(shown.unwrap().stdout).unwrap();
    assert_eq!(shown.replace("\r\n", "\n"), station.succeed(&["user", "list"]));
}
