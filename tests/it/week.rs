//! A day of a station as it should be.

use std::sync::OnceLock;

use loa::asrun::{Cause, Outcome};
use loa::timeline::Join;

use crate::station::{Model, Station, at, ms, seconds};

/// A morning with every kind of start, an afternoon that repeats it, and an evening up to the quiet hours.
pub const WEEK: &str = r#"
[[programme]]
id = "ban-tin"
title = "Bản tin"
[[programme]]
id = "thong-bao"
title = "Thông báo"
[[programme]]
id = "chuyen-muc"
title = "Chuyên mục"
[[pool]]
id = "ca-khuc"
title = "Ca khúc"

[[session]]
id = "sang"
title = "Sáng"
days = ["T2-CN"]
from = 05:30:00
to = 05:33:00
[[session.slot]]
id = "hieu"
start = "hard"
play = { file = "hieu.wav" }
late = "skip"
[[session.slot]]
id = "ban-tin"
play = { programme = "ban-tin" }
late = "whole-within 30 s"
[[session.slot]]
id = "thong-bao"
play = { all = "thong-bao" }
length = "30 s"
[[session.slot]]
id = "nhac"
start = "fill"
play = { pool = "ca-khuc" }
[[session.slot]]
id = "chao"
title = "Chào"
start = "hard"
at = 05:32:00
play = { file = "chao.wav" }

[[session]]
id = "chieu"
title = "Chiều"
days = ["T2-CN"]
from = 17:00:00
to = 17:02:00
[[session.slot]]
id = "hieu"
start = "hard"
play = { file = "hieu.wav" }
late = "skip"
[[session.slot]]
id = "chuyen-muc"
play = { programme = "chuyen-muc" }
late = "join"
[[session.slot]]
id = "lai"
title = "Phát lại"
play = { repeat = "sang/ban-tin" }

[[session]]
id = "toi"
title = "Tối"
days = ["T2-CN"]
from = 19:59:30
to = 20:00:00
[[session.slot]]
id = "chuyen-muc"
start = "hard"
play = { programme = "chuyen-muc" }
"#;

/// That station on Monday the 23rd at this time, with its recordings; nothing runs yet.
pub fn station(time: &str) -> Station {
    static MODEL: OnceLock<Model> = OnceLock::new();
    Station::copy_of(MODEL.get_or_init(model), at(23, time))
}

fn model() -> Model {
    let mut station = Station::new(WEEK, at(22, "12:00:00"));
    station.record("hieu", 300, 10_000, None);
    station.record("ban-tin", 400, 20_250, Some("ban-tin"));
    station.record("tb-1", 500, 8_000, Some("thong-bao"));
    station.record("tb-2", 600, 6_500, Some("thong-bao"));
    station.record("ca-1", 700, 25_000, Some("ca-khuc"));
    station.record("ca-2", 800, 31_000, Some("ca-khuc"));
    station.record("ca-3", 900, 37_000, Some("ca-khuc"));
    station.record("chao", 1_000, 15_000, None);
    station.record("chuyen-muc", 1_100, 40_000, Some("chuyen-muc"));
    station.record("tin-khan", 1_200, 5_000, None);
    station.into_model(WEEK)
}

#[test]
fn a_day_sounds_as_its_plan_says_to_the_sample() {
    let mut station = station("04:00:00");
    station.boot().unwrap();
    let plan = station.plan();
    station.run_until(at(23, "23:30:00"));

    // By ear: what sounded when.
    let morning = station.heard_names(at(23, "05:00:00"), at(23, "06:00:00"));
    assert_eq!(morning[..2], ["hieu", "ban-tin"], "{morning:?}");
    assert!(morning[2..4].iter().all(|notice| notice.starts_with("tb-")), "{morning:?}");
    assert_eq!(morning.last().unwrap(), "chao");
    assert!(morning[4..morning.len() - 1].iter().all(|song| song.starts_with("ca-")), "{morning:?}");
    let afternoon = station.heard_names(at(23, "16:00:00"), at(23, "18:00:00"));
    assert_eq!(afternoon, ["hieu", "chuyen-muc", "ban-tin"], "the afternoon repeats what the morning aired");

    // By the sample: every cue that is not faded begins at its frame and is there to its last sample, hard or following.
    let mut whole = 0;
    let mut followed = 0;
    for cue in plan.timelines[0]
        .cues()
        .filter(|cue| at(23, "05:00:00") < cue.at && cue.end < station.now() && cue.segment().is_some())
    {
        let segment = cue.segment().unwrap();
        let name = segment.file.trim_end_matches(".wav");
        let frames = station.made(name).frames;
        if cue.fade.is_zero() && cue.duration() == segment.duration() && !cue.id.to_string().contains("/toi/")
        {
            let started = station.airing(&cue.id.to_string()).started().unwrap();
            assert!(started.duration_since(cue.at).abs() <= ms(22), "{}: {started}", cue.id);
            station.assert_sounds(name, started + ms(100), 4_800, frames - 4_800);
            assert_eq!(station.outcome(&cue.id.to_string()), Outcome::Aired, "{}", cue.id);
            whole += 1;
            followed += u32::from(cue.start == Join::Follow);
        }
    }
    assert!(whole >= 9 && followed >= 6, "{whole} whole, {followed} of them followed");

    // Silence is the floor.
    station.assert_silent(at(23, "04:00:00"), at(23, "05:30:00"));
    station.assert_silent(at(23, "05:32:15.1"), at(23, "17:00:00"));
    station.assert_silent(at(23, "17:01:10.25"), at(23, "19:59:30"));
    station.assert_silent(at(23, "20:00:00"), at(23, "23:30:00"));
}

#[test]
fn a_fill_ends_in_a_fade_where_the_hard_start_begins() {
    let mut station = station("05:00:00");
    station.boot().unwrap();
    station.run_until(at(23, "05:35:00"));
    let chao = station.airing("2026-11-23/sang/chao/0").started().unwrap();
    assert!(chao.duration_since(at(23, "05:32:00")).abs() <= ms(22), "{chao}");
    station.assert_sounds("chao", chao + ms(100), 4_800, station.made("chao").frames - 4_800);
    let songs = station.heard(at(23, "05:30:44.75"), at(23, "05:32:00"));
    for (before, after) in songs.iter().zip(&songs[1..]) {
        assert!(after.1.duration_since(before.2).abs() <= ms(10), "no gap between {before:?} and {after:?}");
    }
    let last = songs.iter().rev().find(|(name, ..)| name.starts_with("ca-")).unwrap();
    // The end of a fade is below what is told apart.
    assert!(at(23, "05:32:00").duration_since(last.2) < seconds(1), "{songs:?}");
    let fill =
        station.plan().timelines[0].cues().rfind(|cue| cue.id.to_string().contains("23/sang/nhac/")).cloned();
    let fill = fill.unwrap();
    assert!(fill.end == at(23, "05:32:00") && !fill.fade.is_zero(), "{fill:?}");
    assert_eq!(station.outcome(&fill.id.to_string()), Outcome::Aired, "a planned fade is the plan");
}

#[test]
fn nothing_sounds_past_the_beginning_of_the_quiet_hours() {
    let mut station = station("19:50:00");
    station.boot().unwrap();
    station.run_until(at(23, "23:30:00"));
    station.assert_sounds("chuyen-muc", at(23, "19:59:30"), 0, 25 * 48_000);
    station.assert_silent(at(23, "20:00:00"), at(23, "23:30:00"));
    let evening = station.outcome("2026-11-23/toi/chuyen-muc/0");
    assert!(matches!(evening, Outcome::Aired | Outcome::Partly(Cause::PlannedCut)), "{evening:?}");
}

#[test]
fn the_afternoon_repeats_what_the_morning_really_aired() {
    let mut station = station("05:00:00");
    station.boot().unwrap();
    station.run_until(at(23, "06:00:00"));
    // A newer bulletin comes at noon: the repeat is of what was heard.
    station.record("ban-tin-moi", 1_300, 12_000, Some("ban-tin"));
    station.run_until(at(23, "17:10:00"));
    assert_eq!(
        station.heard_names(at(23, "16:00:00"), at(23, "18:00:00")),
        ["hieu", "chuyen-muc", "ban-tin"]
    );
    station.run_until(at(24, "05:40:00"));
    let next = station.heard_names(at(24, "05:00:00"), at(24, "06:00:00"));
    assert_eq!(next[..2], ["hieu", "ban-tin-moi"], "{next:?}");
}
