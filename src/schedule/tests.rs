//! The whole way from texts to a schedule or to problems.

use jiff::civil::{Date, Weekday, date, time};
use jiff::{SignedDuration, ToSpan as _};
use proptest::prelude::*;

use super::problem::{ANY_MONDAY, Expected, Kind, Problem, Thing};
use super::*;

const STATION: &str = include_str!("../../schedule/station.toml");
const WEEK: &str = include_str!("../../schedule/week.toml");
const DAYS: &str = include_str!("../../schedule/days.toml");

const SMALL_STATION: &str = r#"name = "Đài"
time_zone = "Asia/Ho_Chi_Minh"
[[output]]
id = "loa-xa"
"#;

/// Twelve lines, to which tests add from line 13 on.
const SMALL_WEEK: &str = r#"[[programme]]
id = "tin"
title = "Tin"
[[pool]]
id = "nhac"
title = "Nhạc"
[[session]]
id = "sang"
days = ["T2-T7"]
from = 05:30:00
to = 06:30:00
slot = [{ id = "mo", play = { file = "a.ogg" } }, { id = "tin", days = ["T2-T6"], play = { programme = "tin" } }]
"#;

fn sources(station: &str, week: &str, days: &str) -> Sources {
    Sources { station: Some(station.into()), week: Some(week.into()), days: Some(days.into()) }
}

fn problems(station: &str, week: &str, days: &str) -> Vec<Problem> {
    read(&sources(station, week, days)).err().unwrap_or_default()
}

/// The code and the line of each problem.
fn codes(station: &str, week: &str, days: &str) -> Vec<(String, usize)> {
    let code = |problem: &Problem| {
        let value = serde_json::to_value(problem).unwrap();
        (value["code"].as_str().unwrap().to_owned(), problem.line)
    };
    problems(station, week, days).iter().map(code).collect()
}

#[test]
fn the_example_station_has_no_problem_and_the_sessions_of_its_week() {
    let schedule = read(&sources(STATION, WEEK, DAYS)).unwrap_or_else(|problems| {
        panic!("{:#?}", problems.iter().map(crate::text::problem::problem).collect::<Vec<_>>())
    });
    let on = |day: Date| -> Vec<_> {
        let of = |session: &Session| (session.id.to_string(), session.from, session.slots.len());
        schedule.sessions_on(day).map(of).collect()
    };
    let monday = date(2026, 11, 23);
    let (sang, chieu) =
        (("sang".to_owned(), time(5, 30, 0, 0), 12), ("chieu".to_owned(), time(17, 0, 0, 0), 15));
    assert_eq!(on(monday), [sang.clone(), chieu]);
    assert_eq!(on(date(2026, 11, 28)), [sang]);
    assert_eq!(on(date(2026, 11, 29)), [("chu-nhat".to_owned(), time(17, 0, 0, 0), 6)]);

    let morning = &schedule.sessions[0];
    let of_day = |day: Weekday| -> Vec<_> {
        morning.slots.iter().filter(|slot| slot.days.contains(day)).map(|slot| slot.id.to_string()).collect()
    };
    let expected = ["nhac-hieu", "ban-tin", "chuyen-muc-t3", "thong-bao", "thoi-tiet", "ca-khuc", "loi-chao"];
    assert_eq!(of_day(Weekday::Tuesday), expected);
    assert_eq!(morning.slots[0].start, Start::Hard(time(5, 30, 0, 0)));
    assert_eq!(morning.slots[11].start, Start::Hard(time(6, 0, 0, 0)));

    let plan = schedule.day_plan(date(2026, 10, 10)).unwrap();
    assert_eq!(plan.replace.len(), 6);
    assert_eq!(plan.replace[0].play, Play::Programme("ngay-chuyen-doi-so".into()));
    assert_eq!(plan.replace[0].length, Some(SignedDuration::from_mins(10)));
    assert_eq!(schedule.programmes.len(), 17);
    assert!(schedule.pools.contains_key(&ProgrammeId::from("ca-khuc")));
}

#[test]
fn what_is_left_out_has_the_documented_meaning() {
    let week = format!(
        "{SMALL_WEEK}{}",
        r#"
[[session]]
id = "chieu"
days = "sun"
from = 17:00
to = 01:00
[[session.slot]]
play = { all = "tin" }
length = "1 phút 30 giây"
late = "whole-within 10 min"
[[session.slot]]
start = "fill"
play = { pool = "nhac" }
"#
    );
    let schedule = read(&Sources { days: None, ..sources(SMALL_STATION, &week, "") }).unwrap();
    let session = &schedule.sessions[1];
    assert_eq!(session.length(), SignedDuration::from_hours(8));
    assert_eq!(session.outputs.iter().map(OutputId::as_str).collect::<Vec<_>>(), ["loa-xa"]);
    assert_eq!(schedule.outputs[0].device, "default");
    let [news, music] = session.slots.as_slice() else { panic!("two slots") };
    assert_eq!((news.id.as_str(), news.title.as_str()), ("1", "Tin"));
    assert_eq!((news.start, news.music), (Start::Hard(time(17, 0, 0, 0)), false));
    assert_eq!(news.length, Some(SignedDuration::from_secs(90)));
    assert_eq!(news.late, Late::WholeWithin(SignedDuration::from_mins(10)));
    assert_eq!((music.start, music.late, music.music), (Start::Fill, Late::Join, true));
    assert_eq!(music.days.iter().collect::<Vec<_>>(), [Weekday::Sunday]);
}

#[test]
fn every_kind_of_mistake_in_the_week_is_found_on_its_line() {
    // What is added to the small week, from line 13 on; then code and line.
    let slot = "[[session]]\nid='x'\ndays=['T2']\nfrom=12:00:00\nto=12:30:00\n[[session.slot]]\n";
    let cases: &[(String, &[(&str, usize)])] = &[
        ("[[programe]]\nid='x'".into(), &[("unknown-key", 13)]),
        ("[[pool]]\nid='tin'\ntitle='x'".into(), &[("duplicate", 14)]),
        ("[[pool]]\nid='hai từ'\ntitle='x'\nmusic='có'".into(), &[("invalid", 14), ("invalid", 16)]),
        (
            "[[programme]]\nid='x'\ntitle='x'\ntopic='II.7'\ngenre='tin'".into(),
            &[("invalid", 16), ("invalid", 17)],
        ),
        (
            "[[session]]\nid='sang'".into(),
            &[
                ("missing-key", 13),
                ("missing-key", 13),
                ("missing-key", 13),
                ("missing-key", 13),
                ("duplicate", 14),
            ],
        ),
        (
            // It would meet the morning, and on Sunday there is nothing to repeat: if it were on every day.
            "[[session]]\nid='x'\nfrom=06:00:00\nto=07:00:00\n[[session.slot]]\nplay={repeat='sang/tin'}"
                .into(),
            &[("missing-key", 13)],
        ),
        (format!("{slot}play={{programme='tim'}}"), &[("unknown", 19)]),
        (format!("{slot}play={{programme='nhac'}}"), &[("other-thing", 19)]),
        (format!("{slot}play={{pool='tin'}}"), &[("other-thing", 19)]),
        (format!("{slot}play={{file='../a.ogg'}}"), &[("invalid", 19)]),
        (format!("{slot}play={{file='a.ogg', pool='nhac'}}"), &[("exactly-one", 19)]),
        (format!("{slot}play={{}}"), &[("exactly-one", 19)]),
        (format!("{slot}title='x'"), &[("missing-key", 18)]),
        (format!("{slot}relay='vov1'\nlength='25 min'"), &[("relay-not-supported", 19)]),
        (format!("{slot}play={{all='tin'}}"), &[("all-without-length", 18)]),
        (format!("{slot}play={{file='a'}}\nstart='fill'"), &[("fill-without-pool", 18)]),
        (format!("{slot}play={{file='a'}}\nlength='0 s'\nlate='late'"), &[("invalid", 20), ("invalid", 21)]),
        (format!("{slot}play={{file='a'}}\nlength='-5 min'"), &[("invalid", 20)]),
        (format!("{slot}play={{file='a'}}\nat=12:30:00\nstart='hard'"), &[("hard-outside-session", 20)]),
        (format!("{slot}play={{file='a'}}\nat=12:05:00\nstart='follow'"), &[("time-without-hard", 20)]),
        (
            format!("{slot}play={{file='a'}}\n[[session.slot]]\nplay={{file='b'}}\nstart='hard'"),
            &[("hard-without-time", 22)],
        ),
        (
            format!(
                "{slot}play={{file='a'}}\n[[session.slot]]\nplay={{file='b'}}\nstart='hard'\nat=12:00:00"
            ),
            &[("hard-not-increasing", 23)],
        ),
        (format!("{slot}play={{file='a'}}\ndays=['CN']"), &[("never-on", 20)]),
        (format!("{slot}play={{file='a'}}\ndays=[]"), &[("invalid", 20)]),
        (format!("{slot}play={{file='a'}}\ndays=['T8']"), &[("invalid", 20)]),
        (
            format!("{slot}play={{file='a'}}\nvalid_from=2026-02-02\nvalid_until=2026-02-01"),
            &[("dates-reversed", 21)],
        ),
        (format!("{slot}id='x'\nplay={{repeat='x/x'}}"), &[("repeat-not-earlier", 20)]),
        (format!("{slot}play={{repeat='toi/x'}}"), &[("unknown", 19)]),
        (format!("{slot}play={{repeat='sang/x'}}"), &[("unknown", 19)]),
        (format!("{slot}play={{repeat='sang'}}"), &[("invalid", 19)]),
        (slot.replace("T2", "T7") + "play={repeat='sang/tin'}", &[("repeat-not-that-day", 19)]),
        (
            slot.replace("12:00:00", "05:00:00") + "play={repeat='sang/tin'}",
            &[("overlap", 14), ("repeat-not-earlier", 19)],
        ),
        (slot.replace("12:00:00", "25:00:00") + "play={file='a'}", &[("invalid", 16)]),
        (slot.replace("12:00:00", "12:00:00Z") + "play={file='a'}", &[("invalid", 16)]),
        (slot.replace("'x'", "x") + "play={file='a'}", &[("unquoted", 14)]),
        (slot.replace("id='x'", "id='x'\noutputs=['loa-xã']") + "play={file='a'}", &[("unknown", 15)]),
        ("[[session]\nid = 'x'".into(), &[("syntax", 13)]),
        ("[[pool]]\nid='x'\nid='y'\ntitle='x'".into(), &[("duplicate-key", 15)]),
    ];
    let mut wrong = Vec::new();
    for (added, expected) in cases {
        let found = codes(SMALL_STATION, &format!("{SMALL_WEEK}{added}\n"), "");
        let expected: Vec<_> = expected.iter().map(|(code, line)| ((*code).to_owned(), *line)).collect();
        if found != expected {
            wrong.push((added, found, expected));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_kind_of_mistake_in_the_station_is_found_on_its_line() {
    let cases: &[(&str, &[(&str, usize)])] = &[
        ("", &[("missing-key", 1), ("missing-key", 1), ("missing-key", 1)]),
        ("name='a'\ntime_zone='Asia/Hanoi'\n[[output]]\nid='a'", &[("invalid", 2)]),
        ("name='a'\ntime_zone='UTC'\n[[output]]\nid='a'\n[[output]]\nid='a'", &[("duplicate", 6)]),
        ("name='a'\ntime_zone='UTC'\n[[output]]\nid='a'\namplifier={on=['x']}", &[("missing-key", 5)]),
        ("name='a'\ntime_zone='UTC'\n[[output]]\nid='a'\nlead=20", &[("invalid", 5)]),
        ("name='a'\ntime_zone='UTC'\n[[output]]\nid='a'\ndevice='hw:1,0'", &[("invalid", 5)]),
        ("name='a'\ntime_zone='UTC'\nloudness={target_lufs=18}\n[[output]]\nid='a'", &[("invalid", 3)]),
        (
            "name='a'\ntime_zone='UTC'\nrules={quiet=[{from=20:00:00,to=20:00:00}]}\n[[output]]\nid='a'",
            &[("invalid", 3)],
        ),
    ];
    for (station, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|(code, line)| ((*code).to_owned(), *line)).collect();
        assert_eq!(codes(station, SMALL_WEEK, ""), expected, "\n{station}\n");
    }
}

#[test]
fn a_device_is_called_as_the_outputs_are() {
    let names = [
        ("default", true),
        ("null", true),
        ("wav:/tmp/loa.wav", true),
        ("alsa:plughw:CARD=Device,DEV=0", true),
        ("pulseaudio:playout", true),
        ("", false),
        ("Default", false),
        ("pulse", false),
        ("pulse:playout", false),
        ("pulseaudio:", false),
        ("hw:1,0", false),
        ("plughw:CARD=Device,DEV=0", false),
        ("/dev/dsp", false),
        ("alsa:null", false),
        ("wav:", false),
    ];
    for (name, is_one) in names {
        let station = format!("{SMALL_STATION}device='{name}'\n");
        assert_eq!(problems(&station, SMALL_WEEK, "").is_empty(), is_one, "{name}");
        assert_eq!(name.parse::<crate::output::OutputName>().is_ok(), is_one, "{name}");
    }
}

#[test]
fn the_rules_of_the_commune_hold_for_every_session() {
    let station = format!(
        "{SMALL_STATION}[rules]\n{}",
        r#"longest_session = "45 min"
sessions_per_day = 1
weekdays = ["T2-T6"]
quiet = [{ from = 20:00:00, to = 06:00:00 }, { from = 06:29:00, to = 06:40:00 }]
"#
    );
    let second = "[[session]]\nid='x'\ndays=['T3']\nfrom=12:00:00\nto=12:30:00\nslot=[{play={file='a'}}]\n";
    let found = codes(&station, &format!("{SMALL_WEEK}{second}"), "");
    let expected = [
        ("session-too-long", 8),
        ("in-quiet-hours", 8),
        ("in-quiet-hours", 8),
        ("days-not-allowed", 8),
        ("too-many-sessions", 14),
    ];
    assert_eq!(found, expected.map(|(code, line)| (code.to_owned(), line)));
}

#[test]
fn every_kind_of_mistake_in_the_days_is_found_on_its_line() {
    let day = "[[day]]\ndate=2026-11-23\ntitle='x'\n";
    let own = "[[day.session]]\nid='le'\nfrom=07:00:00\nto=08:00:00\n";
    let cases: &[(String, &[(&str, usize)])] = &[
        ("[[day]]\ntitle='x'".into(), &[("exactly-one", 1)]),
        ("[[day]]\ntitle='x'\nevery_year='29/2'".into(), &[]),
        ("[[day]]\ntitle='x'\nevery_year='31/4'".into(), &[("invalid", 3)]),
        ("[[day]]\ntitle='x'\ndate=2026-02-29".into(), &[("invalid", 3)]),
        (format!("{day}{day}"), &[("duplicate", 5)]),
        (format!("{day}drop=['chieu']"), &[("unknown", 4)]),
        (format!("{day}drop=['sang']"), &[]),
        (
            format!("{day}drop=['sang']\n[[day.replace]]\nslot='sang/tin'\nplay={{file='a'}}"),
            &[("replaced-in-dropped", 6)],
        ),
        (format!("{day}[[day.replace]]\nslot='sang/x'\nplay={{file='a'}}"), &[("unknown", 5)]),
        (format!("{day}[[day.replace]]\nslot='sang/tin'\nplay={{programme='x'}}"), &[("unknown", 6)]),
        (
            format!("{day}[[day.replace]]\nslot=['sang/tin','sang/tin']\nplay={{file='a'}}"),
            &[("duplicate", 5)],
        ),
        (
            day.replace("23", "28") + "[[day.replace]]\nslot='sang/tin'\nplay={file='a'}",
            &[("not-on-that-date", 5)],
        ),
        (day.replace("23", "29") + "drop=['sang']", &[("not-on-that-date", 4)]),
        (
            format!(
                "{day}[[day.session]]\nid='le'\nfrom=06:00:00\nto=07:00:00\nslot=[{{play={{file='a'}}}}]"
            ),
            &[("overlap", 5)],
        ),
        (
            format!(
                "{day}[[day.session]]\nid='sang'\nfrom=06:00:00\nto=07:00:00\nslot=[{{play={{file='a'}}}}]"
            ),
            &[],
        ),
        (
            format!(
                "{day}[[day.session]]\nid='le'\nfrom=06:30:00\nto=07:00:00\nslot=[{{play={{file='a'}}}}]"
            ),
            &[],
        ),
        // A Monday: what the week has on Mondays is there to be repeated, and no slot is on another day.
        (format!("{day}{own}slot=[{{play={{repeat='sang/tin'}}}}]"), &[]),
        (format!("{day}{own}slot=[{{days=['CN'],play={{file='a'}}}}]"), &[("never-on", 8)]),
        (
            day.replace("date=2026-11-23", "every_year='23/11'") + own + "slot=[{play={repeat='sang/tin'}}]",
            &[("repeat-not-that-day", 8)],
        ),
    ];
    for (days, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|(code, line)| ((*code).to_owned(), *line)).collect();
        assert_eq!(codes(SMALL_STATION, SMALL_WEEK, days), expected, "\n{days}\n");
    }
}

#[test]
fn sessions_meet_over_midnight_and_only_while_both_are_valid() {
    let late = "[[session]]\nid='x'\ndays=['CN']\nfrom=23:00:00\nto=06:00:00\nslot=[{play={file='a'}}]\n";
    let found = problems(SMALL_STATION, &format!("{SMALL_WEEK}{late}"), "");
    let [Problem { kind: Kind::Overlap { other, date, .. }, line: 14, .. }] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!((other.as_str(), date.weekday()), ("sang", Weekday::Sunday));

    let apart = SMALL_WEEK.replace("days = [\"T2-T7\"]", "days = [\"T2-T7\"]\nvalid_until = 2026-11-22");
    let valid = |from: &str| late.replace("from=", &format!("valid_from={from}\nfrom="));
    assert_eq!(codes(SMALL_STATION, &format!("{apart}{}", valid("2026-11-22")), ""), []);
    let together = apart.replace("2026-11-22", "2026-11-23");
    let found = codes(SMALL_STATION, &format!("{together}{}", valid("2026-11-22")), "");
    assert_eq!(found, [("overlap".to_owned(), 15)]);
}

#[test]
fn the_day_of_an_overlap_is_one_on_which_both_are_on() {
    let session = |id: &str| {
        format!(
            "[[session]]\nid='{id}'\ndays=['T4']\nfrom=12:00:00\nto=13:00:00\nslot=[{{play={{file='a'}}}}]\n"
        )
    };
    let found = problems(SMALL_STATION, &(session("x") + &session("y")), "");
    let [Problem { kind: Kind::Overlap { date, .. }, .. }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(date.weekday(), Weekday::Wednesday);
}

#[test]
fn the_sessions_of_a_day_are_counted_as_one_output_has_them() {
    let station = SMALL_STATION.to_owned() + "[[output]]\nid='thon'\n[rules]\nsessions_per_day = 1\n";
    let session = |id: &str, from: u8, outputs: &str| {
        format!(
            "[[session]]\nid='{id}'\ndays=['T4']\nfrom={from}:00:00\nto={from}:30:00\noutputs={outputs}\nslot=[{{play={{file='a'}}}}]\n"
        )
    };
    let week = session("x", 12, "['loa-xa']") + &session("y", 14, "['thon']");
    assert_eq!(codes(&station, &week, ""), []);
    let both = week + &session("z", 16, "['loa-xa', 'thon']");
    let found = problems(&station, &both, "");
    let [Problem { kind: Kind::TooManySessions { count: 2, .. }, line: 16, .. }] = found.as_slice() else {
        panic!("{found:?}")
    };
}

#[test]
fn what_every_week_has_is_told_of_no_date_of_a_day_plan() {
    let session = |id: &str, hour: u8| {
        format!(
            "[[session]]\nid='{id}'\ndays=['T4']\nfrom={hour}:00:00\nto={hour}:30:00\nslot=[{{play={{file='a'}}}}]\n"
        )
    };
    let station = SMALL_STATION.to_owned() + "[rules]\nsessions_per_day = 1\n";
    let days = "[[day]]\nevery_year='10/10'\ntitle='Ngày Chuyển đổi số'\n";
    let found = problems(&station, &(session("x", 12) + &session("y", 14)), days);
    let [Problem { kind: Kind::TooManySessions { date, .. }, .. }] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(ANY_MONDAY <= *date && *date < ANY_MONDAY.saturating_add(9.days()), "{date}");
}

#[test]
fn what_only_a_plan_for_every_year_brings_is_told_of_no_year_and_what_a_date_brings_is() {
    let station = SMALL_STATION.to_owned() + "[rules]\nsessions_per_day = 1\n";
    let plan = |date: &str| {
        format!(
            "[[day]]\n{date}\ntitle='Quốc khánh'\n[[day.session]]\nid='le'\nfrom=07:00:00\nto=07:30:00\nslot=[{{play={{file='a'}}}}]\n"
        )
    };
    let too_many = |days: &str| match problems(&station, SMALL_WEEK, days).as_slice() {
        [Problem { kind: Kind::TooManySessions { date, yearly, .. }, .. }] => (*date, *yearly),
        found => panic!("{found:?}"),
    };
    let (date, yearly) = too_many(&plan("every_year='2/9'"));
    assert!(yearly && (date.month(), date.day()) == (9, 2), "{date}");
    assert_eq!(too_many(&plan("date=2026-09-02")), (Date::constant(2026, 9, 2), false));
    let meets = plan("every_year='2/9'").replace("07:00:00", "06:15:00");
    let found = problems(SMALL_STATION, SMALL_WEEK, &meets);
    assert!(matches!(&*found, [Problem { kind: Kind::Overlap { yearly: true, .. }, .. }]), "{found:?}");
}

#[test]
fn a_session_that_ends_when_it_begins_is_not_a_whole_day() {
    let week = SMALL_WEEK.replace("to = 06:30:00", "to = 05:30:00");
    assert_eq!(codes(SMALL_STATION, &week, ""), [("invalid".to_owned(), 11)]);
}

#[test]
fn quiet_hours_that_are_no_hours_are_one_problem() {
    let station = SMALL_STATION.to_owned() + "[rules]\nquiet = [{ from = 05:40:00, to = 05:40:00 }]\n";
    assert_eq!(codes(&station, SMALL_WEEK, ""), [("invalid".to_owned(), 6)]);
}

#[test]
fn a_relay_in_what_is_played_is_refused_as_such() {
    let week = SMALL_WEEK.replace("play = { programme = \"tin\" }", "play = { relay = \"vov1\" }");
    assert_eq!(codes(SMALL_STATION, &week, ""), [("relay-not-supported".to_owned(), 12)]);
}

#[test]
fn a_file_that_is_no_toml_does_not_hide_the_problems_of_the_others() {
    let found = codes("name = \"Đài\n[[[\n", &SMALL_WEEK.replace("\"tin\" } }]", "\"x\" } }]"), "[[day]]\n");
    assert!(found.contains(&("unknown".to_owned(), 12)), "{found:?}");
    assert!(found.contains(&("exactly-one".to_owned(), 1)), "{found:?}");
    assert!(found.iter().any(|(code, _)| code == "syntax"), "{found:?}");
}

#[test]
fn a_slot_that_cannot_be_does_not_hide_what_the_calendar_says() {
    let relay = "[[session]]\nid='x'\ndays=['T2']\nfrom=06:00:00\nto=07:00:00\nslot=[{relay='vov1'}]\n";
    let found = codes(SMALL_STATION, &format!("{SMALL_WEEK}{relay}"), "");
    assert_eq!(found, [("overlap".to_owned(), 14), ("relay-not-supported".to_owned(), 18)]);
}

#[test]
fn a_missing_file_is_a_problem_unless_it_is_that_of_the_days() {
    let found = read(&Sources::default()).unwrap_err();
    assert_eq!(
        found.iter().map(|p| (&p.kind, p.file.as_str())).collect::<Vec<_>>(),
        [(&Kind::MissingFile, "schedule/station.toml"), (&Kind::MissingFile, "schedule/week.toml"),]
    );
}

#[test]
fn the_nearest_known_name_is_offered_and_the_place_is_exact() {
    let week = SMALL_WEEK.replace("programme = \"tin\"", "programme = \"tim\"");
    let [problem] = problems(SMALL_STATION, &week, "").try_into().unwrap();
    let nearest = Some("tin".to_owned());
    assert_eq!(problem.kind, Kind::Unknown { thing: Thing::Programme, id: "tim".into(), nearest });
    assert_eq!((problem.line, problem.file.as_str()), (12, "schedule/week.toml"));
    let found = problems(&SMALL_STATION.replace("name = ", "name = \nnam = "), SMALL_WEEK, "");
    let found: Vec<_> = found.iter().map(|problem| (&problem.kind, problem.line, problem.column)).collect();
    let empty = Kind::Invalid { key: "name".into(), found: String::new(), expected: Expected::Text };
    let unknown = Kind::UnknownKey { key: "nam".into(), nearest: Some("name") };
    assert_eq!(found, [(&empty, 1, 8), (&unknown, 2, 1)]);
    let station = SMALL_STATION.replace("\"Đài\"", "\"Đài\"\nloudness = { \"độ\" = 1, x = 2 }");
    let found = problems(&station, SMALL_WEEK, "");
    let places: Vec<_> = found.iter().map(|problem| (problem.line, problem.column)).collect();
    assert_eq!(places, [(2, 14), (2, 24)]);
}

#[test]
fn a_file_name_is_brought_to_nfc() {
    let week = SMALL_WEEK.replace("a.ogg", "Nha\u{323}c hie\u{323}\u{302}u.ogg");
    let schedule = read(&sources(SMALL_STATION, &week, "")).unwrap();
    assert_eq!(schedule.sessions[0].slots[0].play, Play::File("Nhạc hiệu.ogg".into()));
}

#[test]
fn a_quotation_says_what_was_found() {
    let station = SMALL_STATION.replace("Asia/Ho_Chi_Minh", "Asia/Hanoi");
    let [problem] = problems(&station, SMALL_WEEK, "").try_into().unwrap();
    let expected = Expected::TimeZone;
    assert_eq!(
        problem.kind,
        Kind::Invalid { key: "time_zone".into(), found: "\"Asia/Hanoi\"".into(), expected }
    );
}

#[test]
fn a_special_day_that_is_over_is_held_against_nothing_but_its_own_writing() {
    // On a Sunday the week has no session, and the day's own one meets itself of the same hours.
    let day = "[[day]]\ndate = 2026-11-22\ntitle = \"Hội\"\ndrop = [\"sang\", \"trua\"]\n\
               session = [{ id = \"a\", from = 07:00:00, to = 08:00:00, slot = [{ play = { programme = \"cu\" } }] }, \
               { id = \"b\", from = 07:30:00, to = 08:30:00, slot = [{ play = { file = \"a.ogg\" } }] }]\n";
    let codes = |days: &str, now: &str| -> Vec<String> {
        let found = read_at(&sources(SMALL_STATION, SMALL_WEEK, days), now.parse().unwrap());
        let code =
            |problem: &Problem| serde_json::to_value(problem).unwrap()["code"].as_str().unwrap().to_owned();
        found.err().unwrap_or_default().iter().map(code).collect()
    };
    let (all, nothing): (_, [&str; 0]) = (["not-on-that-date", "unknown", "unknown", "overlap"], []);
    // Midnight in Viet Nam is 17:00 UTC. What the timelines still have does not overlap.
    assert_eq!(codes(day, "2026-11-22T16:59:59Z"), all);
    assert_eq!(codes(day, "2026-11-22T17:00:00Z"), ["overlap"]);
    assert_eq!(codes(day, "2026-11-25T17:00:00Z"), nothing);
    assert_eq!(codes(&day.replace("title", "titel"), "2027-01-01T00:00:00Z"), ["missing-key", "unknown-key"]);
    let yearly = day.replace("date = 2026-11-22", "every_year = \"22/11\"");
    assert!(codes(&yearly, "2027-01-01T00:00:00Z").contains(&"unknown".to_owned()), "it comes again");
}

/// Every problem has a sentence that names its place, and ends as sentences do.
fn has_a_sentence(problem: &Problem) -> bool {
    let said = crate::text::problem::problem(problem);
    let placed =
        said.starts_with(&format!("Dòng {} trong `", problem.line)) || problem.kind == Kind::MissingFile;
    placed && said.ends_with(['.', '?'])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(station in ".{0,80}", week in "[\\[\\]a-z=\"'{}0-9:\n. -]{0,200}", days in ".{0,80}") {
        for problem in problems(&station, &week, &days) {
            prop_assert!(has_a_sentence(&problem), "{problem:?}");
        }
    }

    #[test]
    fn a_slip_in_the_example_is_told_and_never_panics(
        which in 0_usize..3, at in 0.0_f64..1.0, cut in 0_usize..12, put in "[\\[\\]a-zđ=\"',{}0-9:\n./ -]{0,4}",
    ) {
        let mut texts = [STATION.to_owned(), WEEK.to_owned(), DAYS.to_owned()];
        let chars: Vec<char> = texts[which].chars().collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a text")]
        let at = (at * chars.len() as f64) as usize;
        let after = chars.iter().skip(at + cut);
        texts[which] = chars.iter().take(at).copied().chain(put.chars()).chain(after.copied()).collect();
        for problem in problems(&texts[0], &texts[1], &texts[2]) {
            prop_assert!(has_a_sentence(&problem), "{problem:?}");
            prop_assert!(problem.line >= 1 && problem.column >= 1);
        }
    }
}
