//! What goes wrong around the program.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};

use jiff::Timestamp;
use jiff::civil::date;
use loa::asrun::{Cause, Outcome};
use loa::segment::Words;

use crate::station::{Station, at, ms, seconds};
use crate::week::{WEEK, station};

const FEATURE: &str = "2026-11-23/chieu/chuyen-muc/0";
const TUNE: &str = "2026-11-23/chieu/hieu/0";

fn afternoon(station: &mut Station) -> Vec<String> {
    station.run_until(at(23, "17:05:00"));
    station.heard_names(at(23, "16:59:00"), at(23, "17:05:00"))
}

#[test]
fn changed_bytes_do_not_sound() {
    let mut station = station("16:00:00");
    station.boot().unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(station.file("hieu")).unwrap();
    file.write_all(b"x").unwrap();
    assert_eq!(afternoon(&mut station), ["chuyen-muc", "ban-tin"]);
    assert_eq!(station.outcome(TUNE), Outcome::NotAired(Cause::FileBroken));
    assert_eq!(station.outcome(FEATURE), Outcome::Aired);
}

#[test]
fn a_file_that_is_gone_costs_its_own_cue_and_no_other() {
    let mut station = station("16:00:00");
    station.boot().unwrap();
    fs::remove_file(station.file("chuyen-muc")).unwrap();
    assert_eq!(afternoon(&mut station), ["hieu", "ban-tin"]);
    assert_eq!(station.outcome(FEATURE), Outcome::NotAired(Cause::FileBroken));
}

#[test]
fn what_follows_a_file_that_is_written_into_while_it_sounds_comes_at_once() {
    let mut station = station("16:00:00");
    station.boot().unwrap();
    station.run_until(at(23, "17:00:20"));
    // It airs from 17:00:10 to 17:00:50. What sounds already stays; from about the twentieth second on it is another.
    let mut file = fs::OpenOptions::new().write(true).open(station.file("chuyen-muc")).unwrap();
    file.seek(SeekFrom::Start(20 * 96_000)).unwrap();
    file.write_all(&[7; 8]).unwrap();
    station.run_until(at(23, "17:00:31"));
    station.run_until(at(23, "17:05:00"));
    let broken = station.airing(FEATURE);
    assert_eq!(broken.outcome(), Outcome::Partly(Cause::FileBroken));
    assert_eq!(broken.takes.len(), 1, "it is not joined again");
    let ended = broken.ended().unwrap();
    assert!(at(23, "17:00:28") < ended && ended < at(23, "17:00:31"), "{ended}");
    let heard =
        ended.duration_since(broken.started().unwrap()) - loa::frames::duration(broken.delivered(), 48_000);
    assert!(ms(0) <= heard && heard < ms(200), "only the file's own frames count: {heard:?}");
    let after = station.airing("2026-11-23/chieu/lai/0");
    assert_eq!((after.outcome(), after.item.planned), (Outcome::Aired, ended + seconds(5)));
    assert!(after.lateness().unwrap().abs() <= ms(22), "{after:#?}");
    station.assert_sounds("ban-tin", after.started().unwrap(), 0, station.made("ban-tin").frames);
    station.assert_silent(ended, after.started().unwrap());
    let names = station.heard_names(at(23, "16:59:00"), at(23, "17:05:00"));
    assert_eq!(names, ["hieu", "chuyen-muc", "ban-tin"]);
}

#[test]
fn what_is_not_approved_expired_or_withdrawn_does_not_sound() {
    let mut station = Station::new(
        r#"
[[session]]
id = "sang"
days = ["T2-CN"]
from = 06:00:00
to = 06:10:00
[[session.slot]]
id = "nhap"
start = "hard"
play = { file = "nhap.wav" }
[[session.slot]]
id = "cu"
play = { file = "cu.wav" }
[[session.slot]]
id = "som"
play = { file = "som.wav" }
[[session.slot]]
id = "rut"
play = { file = "rut.wav" }
[[session.slot]]
id = "khong-co"
play = { file = "khong-co.wav" }
[[session.slot]]
id = "dung"
play = { file = "dung.wav" }
"#,
        at(23, "05:00:00"),
    );
    station.record_with("nhap", 300, 3_000, Words::default());
    station.record_with(
        "cu",
        400,
        3_000,
        Words { valid_until: Some(date(2026, 11, 22)), ..Words::default() },
    );
    station.approve("cu");
    station.record_with(
        "som",
        500,
        3_000,
        Words { valid_from: Some(date(2026, 11, 24)), ..Words::default() },
    );
    station.approve("som");
    station.record("rut", 600, 3_000, None);
    station.withdraw("rut");
    station.record("dung", 700, 3_000, None);
    station.boot().unwrap();
    station.run_until(at(23, "07:00:00"));
    assert_eq!(station.heard_names(at(23, "05:00:00"), at(23, "07:00:00")), ["dung"]);
    for (slot, cause) in [
        ("nhap", Cause::NotApproved),
        ("cu", Cause::NotValid),
        ("som", Cause::NotValid),
        ("rut", Cause::Withdrawn),
        ("khong-co", Cause::NothingHandedIn),
    ] {
        assert_eq!(station.outcome(&format!("2026-11-23/sang/{slot}/0")), Outcome::NotAired(cause), "{slot}");
    }
    assert_eq!(station.outcome("2026-11-23/sang/dung/0"), Outcome::Aired);
    // The next day, the early one is valid.
    station.run_until(at(24, "07:00:00"));
    assert_eq!(station.heard_names(at(24, "05:00:00"), at(24, "07:00:00")), ["som", "dung"]);
}

#[test]
fn an_approval_that_comes_in_time_airs() {
    let mut station = station("16:00:00");
    station.record_with(
        "chuyen-muc-moi",
        1_400,
        3_000,
        Words { programme: Some("chuyen-muc".into()), ..Words::default() },
    );
    station.boot().unwrap();
    station.run_until(at(23, "16:30:00"));
    station.approve("chuyen-muc-moi");
    assert_eq!(afternoon(&mut station), ["hieu", "chuyen-muc-moi", "ban-tin"]);
}

#[test]
fn a_new_schedule_takes_effect_under_a_cue_that_plays_on() {
    let mut station = station("16:00:00");
    station.boot().unwrap();
    station.run_until(at(23, "17:00:05"));
    // What follows the tune that is on air is another piece now, and a later session appears.
    let changed = WEEK
        .replace("play = { programme = \"chuyen-muc\" }\nlate = \"join\"", "play = { file = \"chao.wav\" }")
        .replace("from = 19:59:30\nto = 20:00:00", "from = 18:00:00\nto = 18:01:00");
    assert_ne!(changed, WEEK);
    station.write_schedule("week.toml", &changed);
    // A file is read once it has stood still.
    station.run_until(at(23, "17:00:06"));
    station.run_until(at(23, "20:00:00"));
    let heard = station.heard_names(at(23, "16:59:00"), at(23, "20:00:00"));
    assert_eq!(heard, ["hieu", "chao", "ban-tin", "chuyen-muc"]);
    station.assert_sounds("hieu", at(23, "17:00:00"), 0, station.made("hieu").frames);
    station.assert_sounds("chao", at(23, "17:00:10"), 0, station.made("chao").frames);
    station.assert_sounds("chuyen-muc", at(23, "18:00:00"), 0, station.made("chuyen-muc").frames);
    assert_eq!(station.outcome(TUNE), Outcome::Aired);
}

#[test]
fn what_is_renamed_just_before_its_start_sounds_on_time_under_its_new_name() {
    let mut station = station("05:20:00");
    station.boot().unwrap();
    // Its take stands open since 05:31:58.
    station.run_until(at(23, "05:31:58.5"));
    station.write_schedule("week.toml", &WEEK.replace("Chào", "Lời chào"));
    station.run_until(at(23, "05:31:58.6"));
    station.run_until(at(23, "05:31:59"));
    station.run_until(at(23, "05:33:00"));
    station.assert_sounds("chao", at(23, "05:32:00"), 0, 15 * 48_000);
    let airing = station.airing("2026-11-23/sang/chao/0");
    assert_eq!((airing.outcome(), airing.takes.len()), (Outcome::Aired, 1));
    assert_eq!(airing.item.title, "Lời chào");
}

#[test]
fn a_broken_schedule_changes_nothing() {
    let mut station = station("16:00:00");
    station.boot().unwrap();
    station.write_schedule("week.toml", "[[session]]\nid = 7\nfrom = 25:00:00\n");
    assert_eq!(afternoon(&mut station), ["hieu", "chuyen-muc", "ban-tin"]);
    assert!(!station.plan().problems.is_empty());
    // Nor does a power cut: the last good one is in force.
    station.cut_power();
    station.boot_at(at(23, "19:00:00"));
    station.run_until(at(23, "20:00:00"));
    assert_eq!(station.heard_names(at(23, "19:00:00"), at(23, "20:00:00")), ["chuyen-muc"]);
}

#[test]
fn a_lost_output_is_logged_and_joined_when_it_is_back() {
    let mut station = station("16:00:00");
    station.boot().unwrap();
    station.run_until(at(23, "17:00:20"));
    station.lose_output(true);
    station.run_until(at(23, "17:00:25"));
    assert!(!station.status().up);
    station.lose_output(false);
    station.run_until(at(23, "17:05:00"));
    let feature = station.airing(FEATURE);
    assert_eq!(feature.outcome(), Outcome::Partly(Cause::OutputDown));
    let again = feature.takes[1].end.as_ref().unwrap().started.unwrap();
    assert!(at(23, "17:00:25") < again && again < at(23, "17:00:33"), "{again}");
    station.assert_silent(at(23, "17:00:20.1"), at(23, "17:00:25"));
}

#[test]
fn an_output_that_is_down_for_a_whole_session_is_never_a_silent_success() {
    let mut station = station("16:00:00");
    station.boot().unwrap();
    station.lose_output(true);
    station.run_until(at(23, "17:05:00"));
    for cue in [TUNE, FEATURE] {
        assert_eq!(station.outcome(cue), Outcome::NotAired(Cause::OutputDown), "{cue}");
    }
    station.lose_output(false);
    station.run_until(at(23, "20:00:00"));
    assert_eq!(station.heard_names(at(23, "16:00:00"), at(23, "20:00:00")), ["chuyen-muc"]);
}

/// Steps the clock by so many milliseconds in the middle of a run.
fn step(station: &Station, by_ms: i64) -> Timestamp {
    let to = station.now() + ms(by_ms);
    station.clock.step_to(to);
    to
}

#[test]
fn a_step_over_a_session_gives_its_cues_their_late_rule() {
    let mut station = station("16:00:00");
    station.boot().unwrap();
    station.run_until(at(23, "16:30:00"));
    step(&station, 1_830_000); // to 17:00:30, in the feature
    station.run_until(at(23, "17:05:00"));
    assert!(matches!(station.outcome(TUNE), Outcome::NotAired(_)), "{:?}", station.outcome(TUNE));
    let feature = station.airing(FEATURE);
    assert_eq!(feature.outcome(), Outcome::Partly(Cause::JoinedLate));
    assert_eq!(station.heard_names(at(23, "16:00:00"), at(23, "17:05:00")), ["chuyen-muc", "ban-tin"]);
}

#[test]
fn what_aired_does_not_air_again_after_a_step_back() {
    let mut station = station("16:00:00");
    station.boot().unwrap();
    station.run_until(at(23, "17:01:30"));
    step(&station, -120_000); // to 16:59:30
    station.run_until(at(23, "17:10:00"));
    assert_eq!(station.outcome(TUNE), Outcome::Aired);
    assert_eq!(station.outcome(FEATURE), Outcome::Aired);
    for cue in [TUNE, FEATURE] {
        assert_eq!(station.airing(cue).takes.len(), 1, "{cue}");
    }
}

#[test]
fn a_small_step_under_a_playing_cue_does_not_disturb_it() {
    let mut station = station("16:00:00");
    station.boot().unwrap();
    station.run_until(at(23, "17:00:20"));
    step(&station, -3_000);
    station.run_until(at(23, "17:00:30"));
    step(&station, 5_000);
    station.run_until(at(23, "17:05:00"));
    let feature = station.airing(FEATURE);
    assert_eq!(
        (feature.takes.len(), feature.delivered()),
        (1, station.made("chuyen-muc").frames),
        "{feature:#?}"
    );
}

#[test]
fn a_clock_that_shows_the_past_keeps_the_schedule_silent_until_it_is_right() {
    let mut station = station("16:00:00");
    station.boot().unwrap();
    station.run_until(at(23, "17:05:00"));
    station.stop();
    // The battery is empty: the machine begins a day earlier, just before the same session.
    station.clock.step_to(at(22, "16:59:00"));
    station.boot().unwrap();
    station.run_until(at(22, "17:03:00"));
    let trusted = ["/run/systemd/timesync/synchronized", "/run/chrony/synchronized"];
    if !trusted.iter().any(|path| fs::exists(path).unwrap_or(false)) {
        assert_eq!(station.heard_names(at(22, "16:00:00"), at(22, "18:00:00")), Vec::<String>::new());
    }
    station.clock.step_to(at(23, "19:59:00"));
    station.run_until(at(23, "20:05:00"));
    assert_eq!(station.heard_names(at(23, "19:00:00"), at(23, "20:05:00")), ["chuyen-muc"]);
    let evening = station.heard(at(23, "19:00:00"), at(23, "20:05:00"));
    assert!(evening[0].1.duration_since(at(23, "19:59:30")).abs() <= seconds(1), "{evening:?}");
}
