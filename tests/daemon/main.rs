//! The real program in real time, without a card: started, killed, stopped, and asked by its own commands.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    unreachable_pub,
    reason = "a test"
)]

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::{SignedDuration, Zoned};
use loa::asrun::{Airing, Cause, Outcome};
use loa::store::{Store, Upload};
use nix::libc::O_NONBLOCK;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

mod commands;
mod station;

use station::*;

#[test]
fn a_session_airs_at_its_second_and_an_orderly_end_closes_what_is_on_air() {
    let mut station = Station::new();
    station.record(&[("a.wav", 440, 3), ("b.wav", 550, 30)]);
    let from = station.soon(4);
    station.play(&from, &["a.wav", "b.wav"]);
    station.serve();
    let aired = station.wait_for("a", Outcome::Aired);
    assert_eq!(aired.item.planned, from.timestamp());
    let late = aired.lateness().unwrap();
    assert!(late.abs() <= SignedDuration::from_millis(30), "{late:?} late");
    assert_eq!(aired.delivered(), 3 * 48_000);

    let following = station.wait_for("b", Outcome::OnAir);
    assert_eq!(following.item.planned, from.timestamp() + SignedDuration::from_secs(3));
    assert_eq!(station.amplifier(), ["on"]);
    assert_eq!(station.signal(Signal::SIGTERM).code(), Some(0), "{}", station.log());
    assert_eq!(station.airing("b").unwrap().outcome(), Outcome::Partly(Cause::ProgramStopped));
    assert_eq!(station.amplifier(), ["on", "off"]);
    station.succeed(&["verify"]);
}

#[test]
fn a_terminal_that_is_closed_ends_the_program_in_order_unless_it_is_to_outlive_it() {
    let mut station = Station::new();
    station.record(&[("a.wav", 440, 30), ("b.wav", 550, 2)]);
    station.play(&station.soon(2), &["a.wav"]);
    // The tests themselves may have been started so as to outlive theirs.
    station.serve_under("env", &["--default-signal=HUP"]);
    eventually("it sounds", || station.log().contains("a/0 is on air").then_some(()));
    assert_eq!(station.signal(Signal::SIGHUP).code(), Some(0), "{}", station.log());
    assert_eq!(station.airing("a").unwrap().outcome(), Outcome::Partly(Cause::ProgramStopped));
    assert_eq!(station.amplifier(), ["on", "off"]);

    station.play(&station.soon(3), &["b.wav"]);
    station.serve_under("nohup", &[]);
    eventually("it is on again", || (station.log().matches("interface listens").count() == 2).then_some(()));
    station.tell(Signal::SIGHUP);
    station.wait_for("b", Outcome::Aired);
    assert!(station.signal(Signal::SIGTERM).success(), "{}", station.log());
}

#[test]
fn a_kill_in_the_middle_is_a_power_cut_and_the_next_start_joins() {
    let mut station = Station::new();
    station.record(&[("a.wav", 440, 25)]);
    station.play(&station.soon(3), &["a.wav"]);
    station.serve();
    station.wait_for("a", Outcome::OnAir);
    eventually("the amplifier is on", || (station.amplifier() == ["on"]).then_some(()));
    // Some sound must have been logged as heard: what a heartbeat says.
    let heard = SignedDuration::from_secs(2);
    let planned = station.airing("a").unwrap().item.planned;
    let store = Store::open(&station.path().join("data")).unwrap();
    let beat = || store.newest_instant().unwrap().filter(|newest| *newest > planned + heard);
    eventually("a heartbeat says that it sounds", beat);
    drop(store);
    station.signal(Signal::SIGKILL);
    assert_eq!(station.amplifier(), ["on"], "nobody could switch it off");

    station.serve();
    let joined = eventually("it joins", || station.airing("a").filter(|airing| airing.takes.len() == 2));
    let cut = joined.takes[0].end.as_ref().unwrap();
    assert_eq!(cut.cause, Some(Cause::PowerCut));
    assert!(cut.delivered > 0 && cut.delivered < 25 * 48_000, "{cut:?}");
    let join = &joined.takes[1];
    assert_eq!(join.planned, joined.item.planned + join.skip, "where it would be by now");
    assert!(join.skip > heard, "{:?}", join.skip);
    let told = || Some(station.amplifier()).filter(|told| told.len() > 2);
    let told = eventually("the amplifier is switched twice", told);
    assert_eq!(told, ["on", "off", "on"], "{}", station.log());
    assert_eq!(station.wait_for("a", Outcome::Partly(Cause::PowerCut)).takes.len(), 2);
    assert!(station.signal(Signal::SIGTERM).success());
    assert_eq!(station.amplifier(), ["on", "off", "on", "off"]);
    station.succeed(&["verify"]);
}

#[test]
fn an_emergency_goes_on_after_a_power_cut_until_it_is_called_off() {
    let mut station = Station::new();
    station.record(&[("a.wav", 440, 3), ("lu.wav", 550, 8)]);
    station.play(&station.soon(900), &["a.wav"]);
    station.serve();
    let again = serde_json::json!({ "soon_min": 1, "then_min": 1 });
    let order =
        serde_json::json!({ "segment": station.segment("lu.wav"), "layer": "emergency", "repeats": again });
    let answer = station.person("lan", "operator").post("/interrupts", &order);
    let id = answer["id"].as_str().unwrap();
    let airings = || {
        let mut all = station.airings();
        all.retain(|airing| airing.item.cue.slot.as_str() == id);
        all
    };
    eventually("it sounds", || airings().first().map(|airing| assert_eq!(airing.outcome(), Outcome::OnAir)));
    let store = Store::open(&station.path().join("data")).unwrap();
    assert_eq!(store.standing_orders(now()).unwrap().len(), 1);
    station.signal(Signal::SIGKILL);

    station.serve();
    let second = eventually("it sounds again, at once and whole", || {
        station.airings().into_iter().find(|airing| {
            airing.item.cue.piece == 1
                && airing.item.cue.slot.as_str() == id
                && airing.outcome() == Outcome::Aired
        })
    });
    assert_eq!(second.item.ordered_by.as_deref(), Some("lan"));
    station.person("hoa", "operator").delete(&format!("/interrupts/{id}"));
    assert_eq!(store.standing_orders(now()).unwrap(), []);
    assert!(station.signal(Signal::SIGTERM).success(), "{}", station.log());
    station.succeed(&["verify"]);
}

#[test]
fn a_file_that_came_whole_before_a_power_cut_is_examined_by_the_next_start() {
    let mut station = Station::new();
    let file = station.path().join("tin.wav");
    tone(&file, 440, 3);
    let upload = Upload {
        id: "0123".to_owned(),
        person: "hoa".to_owned(),
        origin: "192.0.2.7".to_owned(),
        name: "tin.wav".to_owned(),
        bytes: file.metadata().unwrap().len(),
        metadata: String::new(),
        created: now(),
        verdict: None,
    };
    let store = Store::open(&station.path().join("data")).unwrap();
    assert!(store.add_upload(upload, |_| true).unwrap());
    let waiting = station.path().join("audio/.incoming/part-0123");
    fs::create_dir_all(waiting.parent().unwrap()).unwrap();
    fs::copy(&file, &waiting).unwrap();
    station.play(&station.soon(60), &["tin.wav"]);
    station.serve();
    let verdict = || store.upload("0123").unwrap().unwrap().verdict;
    assert_eq!(eventually("it is examined", verdict).code(), "new");
    eventually("its parts are gone", || (!waiting.exists()).then_some(()));
    assert!(station.path().join("audio/tin.wav").exists());
    assert!(station.signal(Signal::SIGTERM).success(), "{}", station.log());
}

#[test]
fn a_changed_schedule_is_in_force_within_two_seconds_and_a_broken_one_never() {
    let mut station = Station::new();
    station.record(&[("a.wav", 440, 12), ("b.wav", 550, 2), ("c.wav", 660, 2)]);
    let from = station.soon(2);
    station.play(&from, &["a.wav", "b.wav"]);
    station.serve();
    station.wait_for("a", Outcome::OnAir);
    let changed = week(&from, &["a.wav", "c.wav"]);
    station.write("week.toml", &changed);
    let kept = station.path().join("data/in-force/week.toml");
    let in_force = || fs::read_to_string(&kept).ok().filter(|text| *text == changed);
    assert!(within(Duration::from_secs(2), in_force).is_some(), "{}", station.log());

    // A mistake in the third line changes nothing, and is told with its place.
    let broken = changed.replace("days = [\"T2-CN\"]", "days = [\"T9\"]");
    station.write("week.toml", &broken);
    let check = station.run(&["check"]);
    let said = String::from_utf8(check.stdout).unwrap();
    assert_eq!(check.status.code(), Some(3), "{said}");
    assert!(said.contains("Dòng 3 trong `week.toml`"), "{said}");
    let check = station.run(&["check", "--format", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
    assert_eq!(
        (said[0]["file"].as_str(), said[0]["line"].as_u64()),
        (Some("schedule/week.toml"), Some(3)),
        "{said}"
    );
    eventually("the daemon saw it", || {
        station.log().contains("the last good one stays in force").then_some(())
    });

    let aired = station.wait_for("a", Outcome::Aired);
    assert_eq!((aired.takes.len(), aired.delivered()), (1, 12 * 48_000), "not touched");
    station.wait_for("c", Outcome::Aired);
    assert!(station.airing("b").is_none(), "it left the plan before its time");
    assert!(station.signal(Signal::SIGTERM).success());
}

#[test]
fn a_file_that_hangs_keeps_no_schedule_from_coming_into_force_and_the_program_from_no_end() {
    let mut station = Station::new();
    let alarm = station.path().join("alarm.wav");
    tone(&alarm, 440, 2);
    station.succeed(&["segment", "add", alarm.to_str().unwrap(), "--programme", "khan"]);
    station.succeed(&["segment", "approve", "alarm.wav", "--by", "hoa"]);
    // Who opens a pipe to read waits for a writer, as at a disk that does not answer.
    let hangs = |path: PathBuf| {
        fs::remove_file(&path).unwrap();
        mkfifo(&path, Mode::S_IRWXU).unwrap();
    };
    hangs(station.path().join("audio/alarm.wav"));
    let ready = |from: &Zoned| {
        format!("[[programme]]\nid = \"khan\"\ntitle = \"Khẩn\"\nready = true\n{}", week(from, &["a.wav"]))
    };
    station.write("week.toml", &ready(&station.soon(1_000)));
    station.serve();
    eventually("it runs", || station.log().contains("listens on http").then_some(()));
    let changed = ready(&station.soon(2_000));
    station.write("week.toml", &changed);
    let kept = station.path().join("data/in-force/week.toml");
    eventually("it is in force", || (fs::read_to_string(&kept).unwrap() == changed).then_some(()));
    assert!(station.signal(Signal::SIGTERM).success(), "{}", station.log());

    // The planner itself hangs: it is not waited for.
    station.serve();
    let runs = || station.log().matches("listens on http").count() == 2;
    eventually("it runs again", || runs().then_some(()));
    let week = station.path().join("schedule/week.toml");
    hangs(week.clone());
    let write = || File::options().write(true).custom_flags(O_NONBLOCK).open(&week).ok();
    let _nothing_comes = eventually("the planner reads it", write);
    assert!(!station.signal(Signal::SIGTERM).success());
    assert!(station.log().contains("the planner hangs"), "{}", station.log());
}

#[test]
fn a_recording_withdrawn_by_another_process_is_off_the_air_at_once() {
    let mut station = Station::new();
    station.record(&[("a.wav", 440, 30), ("b.wav", 550, 2)]);
    let from = station.soon(2);
    station.play(&from, &["a.wav", "b.wav"]);
    station.serve();
    station.wait_for("a", Outcome::OnAir);
    eventually("it sounds", || (now() > from.timestamp() + SignedDuration::from_secs(1)).then_some(()));
    station.succeed(&["segment", "withdraw", "a.wav", "--by", "hoa", "--reason", "sai"]);
    let told = now();
    let withdrawn = station.wait_for("a", Outcome::Withdrawn);
    let ended = withdrawn.ended().unwrap();
    assert!(ended.duration_since(told) < SignedDuration::from_secs(2), "{ended} after {told}");
    assert!(withdrawn.delivered() < 10 * 48_000, "{}", withdrawn.delivered());
    assert!(station.signal(Signal::SIGTERM).success());
}

#[test]
fn what_follows_a_recording_that_is_written_into_while_it_sounds_comes_within_seconds() {
    let mut station = Station::new();
    station.record(&[("a.wav", 440, 60), ("b.wav", 550, 2)]);
    station.play(&station.soon(2), &["a.wav", "b.wav"]);
    station.serve();
    eventually("it sounds", || station.log().contains("a/0 is on air").then_some(()));
    let mut file = File::options().write(true).open(station.path().join("audio/a.wav")).unwrap();
    // Ten seconds in: six are decoded ahead.
    file.seek(SeekFrom::Start(10 * 96_000)).unwrap();
    file.write_all(&[7; 8]).unwrap();
    let broken = station.wait_for("a", Outcome::Partly(Cause::FileBroken));
    assert!(broken.delivered() < 11 * 48_000, "{}", broken.delivered());
    let after = station.wait_for("b", Outcome::Aired);
    assert_eq!(after.item.planned, broken.ended().unwrap() + SignedDuration::from_secs(5));
    assert!(after.lateness().unwrap().abs() <= SignedDuration::from_millis(30), "{after:?}");
    assert!(station.signal(Signal::SIGTERM).success());
    station.succeed(&["verify"]);
}

#[test]
fn a_recording_whose_file_is_gone_leaves_the_plan_and_an_older_one_stands_in() {
    let mut station = Station::new();
    for (name, pitch) in [("older.wav", 440), ("newer.wav", 550)] {
        tone(&station.path().join(name), pitch, 2);
        let path = station.path().join(name).display().to_string();
        station.succeed(&["segment", "add", &path, "--programme", "tin"]);
        station.succeed(&["segment", "approve", name, "--by", "hoa"]);
    }
    let from = station.soon(5);
    let week = week(&from, &["tin"]).replace("file = \"tin\"", "programme = \"tin\"");
    station.write("week.toml", &format!("[[programme]]\nid = \"tin\"\ntitle = \"Bản tin\"\n{week}"));
    fs::remove_file(station.path().join("audio/newer.wav")).unwrap();
    station.serve();
    let aired = station.wait_for("tin", Outcome::Aired);
    assert!(aired.lateness().unwrap() <= SignedDuration::from_millis(30), "{aired:?}");
    assert_eq!(aired.item.segment.unwrap().title, "older", "{}", station.log());
    assert!(station.signal(Signal::SIGTERM).success());
}

#[test]
fn a_station_is_played_by_one_daemon_only() {
    let mut station = Station::new();
    station.play(&station.soon(600), &["a.wav"]);
    station.serve();
    eventually("it runs", || station.log().contains("the engine runs").then_some(()));
    let second = station.run(&["serve", "--listen", "127.0.0.1:0", "--output", "null"]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("đang được một chương trình khác phát"), "{said}");
    assert!(station.signal(Signal::SIGINT).success());
    // Whose end freed it.
    station.serve();
    eventually("it runs again", || (station.log().matches("the engine runs").count() == 2).then_some(()));
    assert!(station.signal(Signal::SIGTERM).success());
}

#[test]
fn a_file_as_output_holds_what_was_planned_and_silence_around_it() {
    let mut station = Station::new();
    station.record(&[("a.wav", 440, 2), ("b.wav", 550, 1)]);
    station.play(&station.soon(3), &["a.wav", "b.wav"]);
    let path = station.path().join("air.wav");
    station.serve_to(&format!("wav:{}", path.display()));
    station.wait_for("b", Outcome::Aired);
    assert!(station.signal(Signal::SIGTERM).success());
    let mut file = hound::WavReader::open(&path).unwrap();
    let left: Vec<i16> = file.samples::<i16>().step_by(2).map(Result::unwrap).collect();
    let first = left.iter().position(|sample| *sample != 0).unwrap();
    let last = left.iter().rposition(|sample| *sample != 0).unwrap();
    assert!((last + 1 - first).abs_diff(3 * 48_000) <= 50, "{} frames sound", last + 1 - first);
    let longest = left[first..=last].chunk_by(|a, b| (*a == 0) == (*b == 0));
    let longest = longest.filter(|run| run[0] == 0).map(<[i16]>::len).max().unwrap_or(0);
    assert!(longest < 5, "a hole of {longest} frames");
}

#[test]
fn an_output_that_cannot_be_opened_is_down_and_the_others_play() {
    let mut station = Station::new();
    let outputs = format!(
        "name = \"Đài thử\"\ntime_zone = \"{}\"\n[[output]]\nid = \"hong\"\ndevice = \"wav:/nowhere/a.wav\"\n\
         [[output]]\nid = \"lanh\"\ndevice = \"null\"\n",
        station.zone
    );
    station.write("station.toml", &outputs);
    station.record(&[("a.wav", 440, 1)]);
    station.play(&station.soon(3), &["a.wav"]);
    station.serve_with(&[]);
    let became = |output: &str| {
        let on =
            |airing: &Airing| airing.item.output.as_str() == output && airing.outcome() != Outcome::OnAir;
        eventually(output, || station.airings().into_iter().find(on)).outcome()
    };
    assert_eq!(became("lanh"), Outcome::Aired, "{}", station.log());
    assert_eq!(became("hong"), Outcome::NotAired(Cause::OutputDown));
    assert!(station.signal(Signal::SIGTERM).success(), "{}", station.log());
}

#[test]
fn a_backup_of_a_playing_station_is_a_whole_station() {
    let mut station = Station::new();
    station.record(&[("a.wav", 440, 1), ("b.wav", 550, 20)]);
    station.play(&station.soon(2), &["a.wav", "b.wav"]);
    station.serve();
    station.wait_for("a", Outcome::Aired);
    let other = tempfile::tempdir().unwrap();
    let (kept, new) = (other.path().join("kept"), other.path().join("new"));
    station.succeed(&["backup", kept.to_str().unwrap()]);
    assert!(station.signal(Signal::SIGTERM).success());

    let again = |arguments: &[&str]| {
        let output = loa().arg("--station").arg(&new).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let whole = loa().arg("--station").arg(&kept).arg("verify").output().unwrap();
    assert_eq!(whole.status.code(), Some(0), "{}", String::from_utf8_lossy(&whole.stdout));
    again(&["restore", kept.to_str().unwrap()]);
    again(&["verify"]);
    let airings: Vec<Airing> = serde_json::from_str(&again(&["airings", "--format", "json"])).unwrap();
    assert_eq!(airings[0].outcome(), Outcome::Aired);
    let segments: serde_json::Value =
        serde_json::from_str(&again(&["segment", "list", "--format", "json"])).unwrap();
    assert_eq!(segments.as_array().unwrap().len(), 2);
    // A second time into the same folder is refused: there is a station in it.
    let twice = loa().arg("--station").arg(&new).args(["restore", kept.to_str().unwrap()]).output().unwrap();
    assert_eq!(twice.status.code(), Some(1));
}

#[test]
fn commands_print_what_programs_can_read_and_end_with_codes_that_mean_something() {
    let station = Station::new();
    station.record(&[("a.wav", 440, 2)]);
    let from = station.soon(3_600);
    station.play(&from, &["a.wav"]);
    let json = |arguments: &[&str]| -> Vec<serde_json::Value> {
        serde_json::from_str(&station.succeed(&[arguments, &["--format", "json"]].concat())).unwrap()
    };
    let days = ["--days", "2"];
    assert_eq!(json(&[&["timeline"][..], &days].concat()).len(), 2);
    assert_eq!(json(&[&["check"][..], &days].concat()).len(), 0);
    let rehearsed = json(&[&["rehearse"][..], &days].concat());
    assert_eq!(rehearsed.len(), 2);
    let first: Airing = serde_json::from_value(rehearsed[0].clone()).unwrap();
    assert_eq!((first.outcome(), first.delivered()), (Outcome::Aired, 2 * 48_000));
    assert_eq!(json(&["airings"]).len(), 0, "a rehearsal is not logged");
    for command in ["timeline", "rehearse"] {
        let text = station.succeed(&[command, "--days", "2", "--format", "csv"]);
        assert!(text.starts_with('\u{feff}'), "spreadsheets want the mark");
        assert_eq!(text.lines().count(), 3, "a line of names, and one for each day: {text}");
    }

    // What the engine says of each piece is for who asks for it.
    let quiet =
        loa().env_remove("RUST_LOG").arg("--station").arg(station.path()).arg("rehearse").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&quiet.stderr), "");
    assert!(quiet.status.success());

    // The log's times are to the nearest second: planned and really begun are the same here.
    let text = station.succeed(&["rehearse", "--days", "1", "--format", "csv"]);
    let time = from.strftime("%H:%M:%S").to_string();
    assert!(text.contains(&format!(",{time},{time},")), "{text}");

    let verified = station.succeed(&["verify", "--format", "csv"]);
    assert!(verified.starts_with("\u{feff}Số dòng,") && verified.lines().count() == 2, "{verified}");

    // A recording that is not there is a problem; so is one that is not approved.
    station.play(&station.soon(3_600), &["a.wav", "b.wav"]);
    for command in ["check", "timeline", "rehearse"] {
        assert_eq!(station.run(&[command, "--days", "1"]).status.code(), Some(3), "{command}");
    }
    // Who reads only the beginning still learns by the code that there is a problem.
    let (reader, unread) = std::io::pipe().unwrap();
    drop(reader);
    let cut = loa().arg("--station").arg(station.path()).arg("check").stdout(unread).output().unwrap();
    assert_eq!(cut.status.code(), Some(3));
    for wrong in [&["no-such-command"][..], &["serve", "--output", "foo"]] {
        assert_eq!(station.run(wrong).status.code(), Some(2), "{wrong:?}");
    }
    let nowhere = loa().args(["--station", "/nowhere", "check"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(1));
    let refusals = [
        (
            &["segment", "approve", "b.wav", "--by", "hoa"][..],
            "Không có bản ghi nào mang mã hay tên tệp `b.wav`",
        ),
        (&["user", "revoke", "ai"], "Không có người dùng nào mang tên này"),
    ];
    for (command, said) in refusals {
        let refused = station.run(command);
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains(said), "{refused:?}");
    }
    // The week has a gap that nothing fills: whoever asks is told, and so is who rehearses.
    let late = (&from + SignedDuration::from_secs(30)).strftime("%H:%M:%S");
    let hard = format!("[[session.slot]]\nstart = \"hard\"\nat = {late}\nplay = {{ file = \"a.wav\" }}\n");
    station.write("week.toml", &(week(&from, &["a.wav"]) + &hard));
    for command in ["check", "rehearse"] {
        let told = station.run(&[command, "--days", "1"]);
        assert_eq!(told.status.code(), Some(3), "{command}: {}", String::from_utf8_lossy(&told.stdout));
    }
}

#[test]
fn a_daemon_started_by_hand_has_a_heap_that_gives_back() {
    let mut station = Station::new();
    station.record(&[("a.wav", 440, 3)]);
    station.play(&station.soon(60), &["a.wav"]);
    station.serve();
    let environment = format!("/proc/{}/environ", station.daemon.as_ref().unwrap().id());
    eventually("it was started anew, by the number it had", || {
        // In the midst of it there is none.
        let environment = fs::read_to_string(&environment).unwrap_or_default();
        environment.split('\0').any(|setting| setting == "MALLOC_ARENA_MAX=2").then_some(())
    });
    eventually("it runs", || station.log().contains("interface listens").then_some(()));
    assert!(station.signal(Signal::SIGTERM).success(), "{}", station.log());
}

#[test]
fn what_only_reads_makes_no_database() {
    let station = Station::new();
    station.play(&station.soon(600), &["tin.wav"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("copy").display().to_string();
    let reading: [&[&str]; 7] = [
        &["airings"],
        &["verify"],
        &["segment", "list"],
        &["user", "list"],
        &["backup", &copy],
        &["check"],
        &["timeline"],
    ];
    for command in reading {
        let output = station.run(command);
        let code = if matches!(command, ["check" | "timeline"]) { 3 } else { 1 };
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{command:?}: {said}");
        assert!(code == 3 || said.contains("Chưa có cơ sở dữ liệu"), "{command:?}: {said}");
        assert!(!station.path().join("data/loa.db").exists(), "{command:?}");
        assert!(!elsewhere.path().join("copy.part").exists(), "{command:?}");
    }
}

#[test]
fn a_database_that_is_removed_under_the_daemon_is_told_and_rescued() {
    let mut station = Station::new();
    station.play(&station.soon(600), &["tin.wav"]);
    station.serve();
    eventually("it listens", || station.log().contains("listens on").then_some(()));
    fs::remove_file(station.path().join("data/loa.db")).unwrap();
    eventually("it is told", || station.log().contains("THE DATABASE WAS REMOVED").then_some(()));
    assert_eq!(station.signal(Signal::SIGTERM).code(), Some(0));
    let copies: Vec<_> = fs::read_dir(station.path().join("data/backup")).unwrap().flatten().collect();
    let newest = copies.iter().map(fs::DirEntry::path).max().unwrap();
    let other = tempfile::tempdir().unwrap();
    loa::store::restore(&newest, other.path()).unwrap();
    assert!(Store::open(other.path()).unwrap().verify().unwrap().rows >= 2, "its beginning and its end");
}

#[test]
fn a_log_that_was_changed_is_told() {
    let mut station = Station::new();
    station.record(&[("a.wav", 440, 1)]);
    station.play(&station.soon(2), &["a.wav"]);
    station.serve();
    station.wait_for("a", Outcome::Aired);
    assert!(station.signal(Signal::SIGTERM).success());
    station.succeed(&["verify"]);
    let database = rusqlite::Connection::open(station.path().join("data/loa.db")).unwrap();
    // What is made from the log can be made again; the log itself cannot.
    database.execute_batch("UPDATE airing SET outcome = 'not-aired'").unwrap();
    assert_eq!(station.run(&["verify"]).status.code(), Some(4));
    station.succeed(&["verify", "--rebuild"]);
    station.succeed(&["verify"]);
    database
        .execute_batch(
            "DROP TRIGGER journal_is_never_changed;
             UPDATE journal SET body = replace(body, '48000', '47000') WHERE kind = 'closed';",
        )
        .unwrap();
    drop(database);
    for arguments in [&["verify"][..], &["verify", "--rebuild"]] {
        assert_eq!(station.run(arguments).status.code(), Some(4));
    }
}

/// Plays a station on a small disk of its own: once, so that it has its reserve; then full to the last byte.
const ON_A_FULL_DISK: &str = r#"
    mount -t tmpfs -o size=96m tmpfs "$3"
    cp -r "$2/schedule" "$2/audio" "$2/data" "$3"
    "$1" --station "$3" serve --listen 127.0.0.1:0 --output null & first=$!
    while ! [ -s "$3/data/reserve" ]; do sleep 0.05; done
    kill -9 $first; wait $first || true
    cat /dev/zero >"$3/fill" 2>/dev/null || true
    [ "$(df --output=avail "$3" | tail -n 1)" -eq 0 ]
    timeout 60 "$1" --station "$3" serve --listen 127.0.0.1:0 --output null & second=$!
    until "$1" --station "$3" airings | grep -q "đã phát"; do kill -0 $second; sleep 0.2; done
    if "$1" --station "$3" segment add "$2/audio/mot.wav" --by lan; then exit 9; fi
    kill $second; wait $second
    "$1" --station "$3" verify
    "$1" --station "$3" airings --format json >"$2/airings.json"
"#;

#[test]
fn a_station_whose_disk_is_full_still_starts_plays_and_keeps_its_log() {
    let station = Station::new();
    station.record(&[("mot.wav", 440, 2)]);
    station.play(&station.soon(12), &["mot.wav"]);
    let disk = tempfile::tempdir().unwrap();
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-eu", "-c", ON_A_FULL_DISK, "sh"])
        .args([Path::new(env!("CARGO_BIN_EXE_loa")), station.path(), disk.path()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the reserve was given up"), "{said}");
    assert!(said.contains("Không nhận"), "what was given up is for the log alone: {said}");
    let airings: Vec<Airing> =
        serde_json::from_str(&fs::read_to_string(station.path().join("airings.json")).unwrap()).unwrap();
    assert_eq!(airings.len(), 1);
    assert_eq!(airings[0].outcome(), Outcome::Aired);
}
