//! What commands do that are run by hand.

use std::fs;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::station::*;

#[test]
fn who_stops_taking_in_leaves_nothing_behind() {
    let station = Station::new();
    // A conversion that takes for ever.
    let [voice, script, started] = ["a.amr", "script", "started"].map(|name| station.path().join(name));
    write(&voice, "#!AMR\n");
    write(&script, &format!("#!/bin/sh\necho $$ > {}\nexec /bin/sleep 1000\n", started.display()));
    // By another program: what this one has open to write cannot be run.
    let install = Command::new("install").arg(&script).arg(station.path().join("ffmpeg")).status();
    assert!(install.unwrap().success());
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut command = loa();
        command.env("PATH", station.path()).arg("--station").arg(station.path()).stdout(Stdio::piped());
        let adding = command.args(["segment", "add"]).args([&voice, &voice]).spawn().unwrap();
        eventually("it is converted", || fs::read_to_string(&started).ok().filter(|said| !said.is_empty()));
        kill(Pid::from_raw(adding.id().cast_signed()), signal).unwrap();
        let ended = adding.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stdout).unwrap();
        assert_eq!(ended.status.code(), Some(130), "{said}");
        assert_eq!(said.matches("chưa có gì được lưu").count(), 1, "{said}");
        assert_eq!(fs::read_dir(station.path().join("audio/.incoming")).unwrap().count(), 0);
        fs::remove_file(&started).unwrap();
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
