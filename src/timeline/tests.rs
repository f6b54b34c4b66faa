//! What each rule of the compiler does, by example.

mod under_way;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::civil::{date, time};

use super::fixture::{at, begun, output, play, schedule, segment, segment_id, session, slot};
use super::{Begun, Content, CueId, FindingKind, History, Severity, Timeline, Window, compile};
use crate::schedule::{
    DayPlan, PlanDate, QuietHours, Replacement, Schedule, SessionId, Slot, Start, Validity, Weekdays,
};
use crate::segment::{Approval, Catalog, FileTrouble, Genre, Segment, State};

/// Monday 23 November 2026 in Viet Nam, up to 23:59, so that nothing of Tuesday is in the window.
fn monday(schedule: &Schedule, segments: &[Segment]) -> Timeline {
    with_history(schedule, segments, &History::default())
}

fn with_history(schedule: &Schedule, segments: &[Segment], history: &History) -> Timeline {
    let catalog: Catalog = segments.iter().cloned().collect();
    let window = Window { from: at("2026-11-22T17:00:00Z"), to: at("2026-11-23T16:59:00Z") };
    compile(schedule, &catalog, history, &output(), window)
}

/// A line for each cue: `slot/piece local start-end title-of-segment~fade` or the reason for its silence.
fn rundown(timeline: &Timeline) -> Vec<String> {
    let time = |at| timeline.time_zone.to_datetime(at).strftime("%H:%M:%S").to_string();
    let line = |cue: &std::sync::Arc<super::Cue>| {
        let what = match &cue.content {
            Content::Segment(segment) => segment.words.title.clone(),
            Content::Nothing(why) => format!("{why:?}").split(' ').next().unwrap().to_owned(),
        };
        let fade = if cue.fade.is_positive() { "~" } else { "" };
        format!("{}/{} {}-{} {what}{fade}", cue.id.slot, cue.id.piece, time(cue.at), time(cue.end))
    };
    timeline.cues().map(line).collect()
}

/// The findings, but for those that a session of these tests is not full.
fn kinds(timeline: &Timeline) -> Vec<FindingKind> {
    let kinds = timeline.findings.iter().map(|finding| finding.kind.clone());
    kinds.filter(|kind| !matches!(kind, FindingKind::EndsEarly { .. })).collect()
}

fn vietnam(slots: Vec<Slot>) -> Schedule {
    schedule("Asia/Ho_Chi_Minh", slots)
}

fn hard(hour: i8, minute: i8) -> Start {
    Start::Hard(time(hour, minute, 0, 0))
}

#[test]
fn what_follows_begins_where_the_one_before_ends() {
    let schedule = vietnam(vec![
        slot("a", hard(5, 0), play("file:a.mp3")),
        slot("b", Start::Follow, play("file:b.mp3")),
    ]);
    let timeline = monday(&schedule, &[segment("a", "x", 61), segment("b", "x", 30)]);
    assert_eq!(rundown(&timeline), ["a/0 05:00:00-05:01:01 a", "b/0 05:01:01-05:01:31 b"]);
    assert_eq!(kinds(&timeline), []);
}

#[test]
fn a_cue_has_its_recordings_own_area_and_kind_or_else_its_programmes() {
    let schedule = vietnam(vec![
        slot("a", hard(5, 0), play("file:a.mp3")),
        slot("b", Start::Follow, play("file:b.mp3")),
        slot("c", Start::Follow, play("file:c.mp3")),
    ]);
    let mut own = segment("b", "tin", 30);
    (own.words.topic, own.words.genre) = (Some("II.2".into()), Some(Genre::Correction));
    let timeline = monday(&schedule, &[segment("a", "tin", 61), own, segment("c", "x", 30)]);
    let kinds: Vec<_> = timeline.cues().map(|cue| (cue.topic.as_deref(), cue.genre)).collect();
    let own = (Some("II.2"), Some(Genre::Correction));
    assert_eq!(kinds, [(Some("II.1"), Some(Genre::Bulletin)), own, (None, None)]);
}

#[test]
fn a_hard_start_cuts_what_plays_and_leaves_no_room_for_the_rest() {
    let schedule = vietnam(vec![
        slot("a", hard(5, 0), play("file:a.mp3")),
        slot("b", Start::Follow, play("file:b.mp3")),
        slot("c", hard(5, 1), play("file:b.mp3")),
    ]);
    let timeline = monday(&schedule, &[segment("a", "x", 100), segment("b", "x", 30)]);
    assert_eq!(
        rundown(&timeline),
        ["a/0 05:00:00-05:01:00 a~", "b/0 05:01:00-05:01:00 NoRoom", "c/0 05:01:00-05:01:30 b"]
    );
    assert_eq!(kinds(&timeline)[0], FindingKind::CutShort { lost_ms: 40_000 });
    let lost: Vec<_> = timeline.cues().map(|cue| cue.lost.as_secs()).collect();
    assert_eq!(lost, [40, 0, 0]);
}

#[test]
fn a_session_that_runs_out_of_pieces_is_told() {
    let schedule = vietnam(vec![slot("a", hard(5, 0), play("file:a.mp3"))]);
    let found = |segments: &[Segment]| -> Vec<FindingKind> {
        monday(&schedule, segments).findings.into_iter().map(|finding| finding.kind).collect()
    };
    let early = FindingKind::EndsEarly { silence_ms: 120_000 };
    assert_eq!(found(&[segment("a", "x", 3_480)]), [early]);
    assert_eq!(found(&[segment("a", "x", 3_481)]), []);
    assert_eq!(found(&[]).len(), 1, "of what is missing, that is enough said");
}

#[test]
fn the_end_of_the_session_is_the_last_hard_start() {
    let schedule = vietnam(vec![slot("a", hard(5, 59), play("file:a.mp3"))]);
    let timeline = monday(&schedule, &[segment("a", "x", 100)]);
    assert_eq!(rundown(&timeline), ["a/0 05:59:00-06:00:00 a~"]);
    assert!(matches!(
        kinds(&timeline)[..],
        [FindingKind::Gap { silence_ms: 3_540_000 }, FindingKind::CutShort { .. }]
    ));
}

#[test]
fn a_fill_takes_whole_pieces_and_leaves_free_what_follows_it() {
    let mut schedule = vietnam(vec![
        slot("nhac", Start::Fill, play("pool:nhac")),
        slot("chao", Start::Follow, play("file:chao.mp3")),
    ]);
    schedule.sessions[0].to = time(5, 10, 0, 0);
    let mut segments = vec![segment("chao", "x", 30)];
    segments.extend([200, 190, 180, 170, 160, 215].map(|s| segment(&format!("p{s}"), "nhac", s)));
    let timeline = monday(&schedule, &segments);
    let cues: Vec<_> = timeline.cues().collect();
    let chao = cues.last().unwrap();
    assert_eq!(chao.duration(), SignedDuration::from_secs(30));
    let silence = timeline.blocks[0].end.duration_since(chao.end);
    assert!(silence <= SignedDuration::from_secs(5), "{silence:?}");
    assert!(cues.iter().all(|cue| cue.fade.is_zero()), "{:?}", rundown(&timeline));
}

#[test]
fn a_pool_of_one_long_song_is_faded_at_the_hard_start() {
    let schedule = vietnam(vec![
        slot("nhac", Start::Fill, play("pool:nhac")),
        slot("b", hard(5, 2), play("file:b.mp3")),
    ]);
    let timeline = monday(&schedule, &[segment("n", "nhac", 300), segment("b", "x", 30)]);
    assert_eq!(rundown(&timeline), ["nhac/0 05:00:00-05:02:00 n~", "b/0 05:02:00-05:02:30 b"]);
    assert_eq!(kinds(&timeline), []);
}

#[test]
fn an_empty_pool_is_said_with_the_silence_it_leaves() {
    let schedule = vietnam(vec![
        slot("nhac", Start::Fill, play("pool:nhac")),
        slot("b", hard(5, 2), play("file:b.mp3")),
    ]);
    let timeline = monday(&schedule, &[segment("b", "x", 30)]);
    assert_eq!(rundown(&timeline)[0], "nhac/0 05:00:00-05:00:00 Missing");
    assert!(kinds(&timeline).contains(&FindingKind::PoolTooSmall { pool: "nhac".into() }));
    assert!(kinds(&timeline).contains(&FindingKind::Gap { silence_ms: 120_000 }));
}

#[test]
fn absences_are_precise() {
    let schedule = vietnam(vec![slot("tin", hard(5, 0), play("programme:tin"))]);
    let why = |segments: &[Segment]| rundown(&monday(&schedule, segments))[0].clone();
    let mut one = segment("a", "tin", 60);
    assert!(why(&[]).ends_with("Missing"));
    one.state = State::Pending;
    assert!(why(&[one.clone()]).ends_with("NotApproved"));
    one.state = State::Withdrawn;
    assert!(why(&[one.clone()]).ends_with("Withdrawn"));
    one.state = State::Approved;
    one.words.valid_until = Some(date(2026, 11, 22));
    assert!(why(&[one.clone()]).ends_with("NotValid"));
    one.words.valid_until = Some(date(2026, 11, 23));
    assert!(why(&[one.clone()]).ends_with(" a"));
    let mut newer = segment("b", "tin", 60);
    newer.added += SignedDuration::from_hours(1);
    assert!(why(&[newer, one]).ends_with(" b"));
}

#[test]
fn this_weeks_segment_is_due_and_an_older_one_stands_in_only_where_it_may() {
    let schedule = vietnam(vec![
        slot("a", hard(5, 0), play("programme:tuan")),
        slot("b", Start::Follow, play("programme:tuan-moi")),
    ]);
    let of_week = |name: &str, programme: &str, monday| {
        let mut segment = segment(name, programme, 60);
        segment.words.week = Some(monday);
        segment
    };
    let last = [date(2026, 11, 9), date(2026, 11, 16)];
    let mut segments = vec![
        of_week("cu", "tuan", last[0]),
        of_week("gan", "tuan", last[1]),
        of_week("sau", "tuan", date(2026, 11, 30)),
        of_week("khac", "tuan-moi", last[1]),
    ];
    let timeline = monday(&schedule, &segments);
    assert_eq!(rundown(&timeline), ["a/0 05:00:00-05:01:00 gan", "b/0 05:01:00-05:01:00 Missing"]);
    assert_eq!(kinds(&timeline)[0], FindingKind::OlderStandsIn { segment: segment_id("gan") });
    segments.push(of_week("nay", "tuan", date(2026, 11, 23)));
    // Without a week, the first day on which it may air says which it is for.
    let mut dated = segment("moi", "tuan-moi", 60);
    dated.words.valid_from = Some(date(2026, 11, 23));
    segments.push(dated);
    let timeline = monday(&schedule, &segments);
    assert_eq!(rundown(&timeline), ["a/0 05:00:00-05:01:00 nay", "b/0 05:01:00-05:02:00 moi"]);
    assert_eq!(kinds(&timeline), []);
}

#[test]
fn all_means_the_newest_that_fit_whole() {
    let mut all = slot("tb", hard(5, 0), play("all:tin"));
    all.length = Some(SignedDuration::from_mins(2));
    let segments: Vec<_> = (0..3_i64)
        .map(|n| {
            let mut segment = segment(&format!("t{n}"), "tin", 50);
            segment.added += SignedDuration::from_hours(n);
            segment
        })
        .collect();
    let timeline = monday(&vietnam(vec![all]), &segments);
    assert_eq!(rundown(&timeline), ["tb/0 05:00:00-05:00:50 t2", "tb/1 05:00:50-05:01:40 t1"]);
    assert_eq!(kinds(&timeline), [FindingKind::LeftOut { pieces: 1 }]);
}

#[test]
fn what_takes_far_longer_than_its_slot_is_warned_of_where_it_begins() {
    let severity_of = |seconds: i64| {
        let mut feature = slot("tin", hard(5, 0), play("programme:tin"));
        feature.length = Some(SignedDuration::from_mins(5));
        let timeline = monday(&vietnam(vec![feature]), &[segment("a", "tin", seconds)]);
        let found = &timeline.findings[0];
        assert!(matches!(found.kind, FindingKind::LongerThanPlanned { .. }), "{found:?}");
        assert_eq!(found.at, timeline.cues().next().unwrap().at);
        found.severity
    };
    assert_eq!((severity_of(7 * 60), severity_of(25 * 60)), (Severity::Note, Severity::Warning));
}

#[test]
fn a_repeat_airs_what_really_aired_unless_it_was_withdrawn_since() {
    let mut schedule = vietnam(vec![slot("tin", hard(5, 0), play("programme:tin"))]);
    let again = vec![slot("lai", hard(17, 0), play("repeat:sang/tin"))];
    schedule.sessions.push(session("chieu", time(17, 0, 0, 0), time(18, 0, 0, 0), again));
    let mut newer = segment("b", "tin", 60);
    newer.added += SignedDuration::from_hours(1);
    let mut segments = vec![segment("a", "tin", 60), newer];
    let last = |timeline: &Timeline| rundown(timeline).last().unwrap().clone();
    assert!(last(&monday(&schedule, &segments)).ends_with(" b"));
    let mut history = History::default();
    let id: CueId = "2026-11-23/sang/tin/0".parse().unwrap();
    let at = at("2026-11-22T22:00:00Z");
    let end = at + SignedDuration::from_secs(60);
    let segment = Some(segment_id("a"));
    history.note(
        &id,
        Begun { piece: 0, segment, nothing: None, at, end, broke_off: false, heard: true, sounds: false },
    );
    let timeline = with_history(&schedule, &segments, &history);
    assert!(last(&timeline).ends_with(" a"));
    assert_eq!(timeline.cues().next_back().unwrap().form, super::Form::Repeat);
    segments[0].state = State::Withdrawn;
    assert!(last(&with_history(&schedule, &segments, &history)).ends_with("Withdrawn"));
    assert!(last(&monday(&schedule, &[])).ends_with("NothingToRepeat"));
    let date = PlanDate::Once(date(2026, 11, 23));
    let title = "Không có buổi sáng".to_owned();
    let drop = [SessionId::from("sang")].into();
    schedule.day_plans.push(DayPlan {
        date,
        title,
        no_music: false,
        drop,
        replace: Vec::new(),
        sessions: Vec::new(),
    });
    let timeline = monday(&schedule, &segments);
    assert!(last(&timeline).ends_with("NoOrigin"), "what was dropped is not repeated");
    assert_eq!(timeline.findings[0].severity, Severity::Warning);
}

#[test]
fn a_repeat_of_a_repeat_right_before_it_airs_the_same() {
    let mut schedule = vietnam(vec![slot("tin", hard(5, 0), play("programme:tin"))]);
    let again = |id, of| slot(id, Start::Follow, play(of));
    let again = vec![again("lai", "repeat:sang/tin"), again("lai2", "repeat:chieu/lai")];
    schedule.sessions.push(session("chieu", time(17, 0, 0, 0), time(18, 0, 0, 0), again));
    let lines = rundown(&monday(&schedule, &[segment("a", "tin", 60)]));
    assert_eq!(lines[1..], ["lai/0 17:00:00-17:01:00 a", "lai2/0 17:01:00-17:02:00 a"]);
}

#[test]
fn quiet_hours_cut_what_runs_into_them_and_silence_what_lies_in_them() {
    let mut schedule = vietnam(vec![
        slot("a", hard(5, 0), play("file:a.mp3")),
        slot("b", Start::Follow, play("file:a.mp3")),
    ]);
    schedule.rules.quiet = vec![QuietHours { from: time(5, 1, 0, 0), to: time(5, 30, 0, 0) }];
    let timeline = monday(&schedule, &[segment("a", "x", 90)]);
    assert_eq!(rundown(&timeline), ["a/0 05:00:00-05:01:00 a~", "b/0 05:01:00-05:01:00 QuietHours"]);
    assert_eq!(kinds(&timeline), [FindingKind::CutShort { lost_ms: 30_000 }, FindingKind::InQuietHours]);
}

#[test]
fn the_local_rules_silence_or_shorten_a_session() {
    let mut schedule = vietnam(vec![slot("a", hard(5, 0), play("file:a.mp3"))]);
    let segments = [segment("a", "x", 90)];
    schedule.rules.longest_session = Some(SignedDuration::from_mins(1));
    assert_eq!(rundown(&monday(&schedule, &segments)), ["a/0 05:00:00-05:01:00 a~"]);
    assert_eq!(kinds(&monday(&schedule, &segments))[0], FindingKind::SessionTooLong);
    schedule.rules.sessions_per_day = Some(0);
    assert_eq!(rundown(&monday(&schedule, &segments)), ["a/0 05:00:00-05:00:00 AgainstTheRules"]);
    schedule.rules.sessions_per_day = None;
    schedule.rules.weekdays = Weekdays::NONE;
    assert_eq!(kinds(&monday(&schedule, &segments))[1..], [FindingKind::WeekdayNotAllowed]);
}

#[test]
fn a_day_plan_replaces_drops_adds_and_silences_music() {
    let mut schedule = vietnam(vec![
        slot("a", hard(5, 0), play("file:a.mp3")),
        slot("nhac", Start::Fill, play("pool:nhac")),
    ]);
    schedule.sessions.push(session("trua", time(11, 0, 0, 0), time(12, 0, 0, 0), Vec::new()));
    let own =
        session("le", time(7, 0, 0, 0), time(8, 0, 0, 0), vec![slot("b", hard(7, 0), play("file:b.mp3"))]);
    schedule.day_plans.push(DayPlan {
        date: PlanDate::Yearly { month: 11, day: 23 },
        title: "Ngày lễ".to_owned(),
        no_music: true,
        drop: ["trua".into()].into(),
        replace: vec![Replacement {
            session: "sang".into(),
            slot: "a".into(),
            title: Some("Đặc biệt".to_owned()),
            play: play("file:b.mp3"),
            length: None,
        }],
        sessions: vec![own],
    });
    let timeline =
        monday(&schedule, &[segment("a", "x", 60), segment("b", "x", 30), segment("n", "nhac", 99)]);
    assert_eq!(
        rundown(&timeline),
        ["a/0 05:00:00-05:00:30 b", "nhac/0 05:00:30-05:00:30 NoMusic", "b/0 07:00:00-07:00:30 b"]
    );
    assert_eq!(timeline.cues().next().unwrap().title, "Đặc biệt");
    assert!(timeline.findings.iter().all(|finding| finding.severity == Severity::Note));
}

#[test]
fn a_repeat_of_music_is_music_on_a_day_without_it() {
    let mut song = slot("bai", Start::Follow, play("file:b.mp3"));
    song.music = true;
    let mut schedule = vietnam(vec![
        song,
        slot("a", Start::Follow, play("file:a.mp3")),
        slot("nhac", Start::Fill, play("pool:nhac")),
    ]);
    let repeats = ["sang/nhac", "sang/bai", "sang/a"].map(|of| format!("repeat:{of}"));
    let slots = repeats.iter().zip(["x", "y", "z"]).map(|(of, id)| slot(id, Start::Follow, play(of)));
    schedule.sessions.push(session("chieu", time(17, 0, 0, 0), time(18, 0, 0, 0), slots.collect()));
    let again = vec![slot("lai", hard(19, 0), play("repeat:chieu/x"))];
    schedule.sessions.push(session("toi", time(19, 0, 0, 0), time(20, 0, 0, 0), again));
    let segments = [segment("a", "x", 60), segment("b", "x", 30), segment("n", "nhac", 4_000)];
    // The morning's music had begun before the day was known to have none.
    let mut history = History::default();
    let morning = monday(&schedule, &segments);
    morning.blocks[0].cues.iter().for_each(|cue| history.note(&cue.id, begun(cue)));
    schedule.day_plans.push(DayPlan {
        date: PlanDate::Once(date(2026, 11, 23)),
        title: "Quốc tang".to_owned(),
        no_music: true,
        drop: BTreeSet::new(),
        replace: Vec::new(),
        sessions: Vec::new(),
    });
    for history in [History::default(), history] {
        let timeline = with_history(&schedule, &segments, &history);
        let later: Vec<_> = rundown(&timeline).into_iter().skip(3).collect();
        assert_eq!(
            later,
            [
                "x/0 17:00:00-17:00:00 NoMusic",
                "y/0 17:00:00-17:00:00 NoMusic",
                "z/0 17:00:00-17:01:00 a",
                "lai/0 19:00:00-19:00:00 NoMusic",
            ]
        );
        let errors = timeline.findings.iter().filter(|finding| finding.severity > Severity::Note);
        assert_eq!(errors.count(), 0, "{:?}", timeline.findings);
    }
}

#[test]
fn slots_and_sessions_keep_to_their_days_and_dates() {
    let mut tuesday = slot("t3", Start::Follow, play("file:a.mp3"));
    tuesday.days = Weekdays::NONE.with(jiff::civil::Weekday::Tuesday);
    let mut past = slot("cu", Start::Follow, play("file:a.mp3"));
    past.valid = Validity { from: None, until: Some(date(2026, 11, 22)) };
    let mut schedule = vietnam(vec![tuesday, past, slot("a", Start::Follow, play("file:a.mp3"))]);
    assert_eq!(rundown(&monday(&schedule, &[segment("a", "x", 60)])), ["a/0 05:00:00-05:01:00 a"]);
    schedule.sessions[0].valid.from = Some(date(2026, 11, 24));
    assert_eq!(monday(&schedule, &[]).blocks, []);
}

#[test]
fn a_session_ends_on_the_next_day_or_where_the_next_one_begins() {
    let mut schedule = vietnam(vec![
        slot("a", hard(23, 30), play("file:a.mp3")),
        slot("b", hard(0, 30), play("file:a.mp3")),
    ]);
    schedule.sessions[0].from = time(23, 0, 0, 0);
    schedule.sessions[0].to = time(1, 0, 0, 0);
    let segments = [segment("a", "x", 60)];
    assert_eq!(
        rundown(&monday(&schedule, &segments)),
        ["a/0 23:30:00-23:31:00 a", "b/0 00:30:00-00:31:00 a"]
    );
    schedule.sessions.push(session("dem", time(0, 10, 0, 0), time(0, 20, 0, 0), Vec::new()));
    let timeline = monday(&schedule, &segments);
    // The one that cuts it begins after the window, and still cuts it.
    assert_eq!(timeline.blocks.last().unwrap().end, at("2026-11-23T17:10:00Z"));
    assert!(
        kinds(&timeline).iter().any(
            |kind| matches!(kind, FindingKind::CutByNextSession { by } if by.date == date(2026, 11, 24))
        )
    );
    assert!(rundown(&timeline).last().unwrap().ends_with("NoRoom"));
}

#[test]
fn a_local_time_the_clocks_skip_comes_later_and_one_that_comes_twice_comes_first() {
    let mut schedule = schedule("Europe/Berlin", vec![slot("a", hard(2, 30), play("file:a.mp3"))]);
    schedule.sessions[0].from = time(2, 0, 0, 0);
    schedule.sessions[0].to = time(3, 0, 0, 0);
    let catalog: Catalog = [segment("a", "x", 60)].into_iter().collect();
    let on = |from: &str, to: &str| {
        compile(&schedule, &catalog, &History::default(), &output(), Window { from: at(from), to: at(to) })
    };
    let spring = on("2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z");
    assert_eq!(rundown(&spring), ["a/0 03:30:00-03:31:00 a"]);
    assert!(kinds(&spring).contains(&FindingKind::SkippedLocalTime { shift_ms: Some(3_600_000) }));
    let autumn = on("2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z");
    assert_eq!(autumn.cues().next().unwrap().at, at("2026-10-25T00:30:00Z"));
    assert!(kinds(&autumn).contains(&FindingKind::RepeatedLocalTime));
}

#[test]
fn a_start_that_the_clocks_leave_no_room_for_is_not_said_to_come_later() {
    let skipped = |to, last: Option<Slot>| {
        let mut slots = vec![slot("a", hard(1, 30), play("file:a.mp3"))];
        slots.push(slot("b", hard(2, 30), play("file:a.mp3")));
        slots.extend(last);
        let mut schedule = schedule("Europe/Berlin", slots);
        (schedule.sessions[0].from, schedule.sessions[0].to) = (time(1, 30, 0, 0), to);
        let catalog: Catalog = [segment("a", "x", 60)].into_iter().collect();
        let day = Window { from: at("2026-03-29T00:00:00Z"), to: at("2026-03-29T12:00:00Z") };
        let timeline = compile(&schedule, &catalog, &History::default(), &output(), day);
        let said = timeline.findings.iter().find_map(|finding| {
            let FindingKind::SkippedLocalTime { shift_ms } = finding.kind else { return None };
            Some((shift_ms, timeline.time_zone.to_datetime(finding.at).time()))
        });
        let heard = rundown(&timeline).into_iter().find(|line| line.starts_with("b/0")).unwrap();
        (said.unwrap(), heard)
    };
    let next = |minute| Some(slot("c", hard(3, minute), play("file:a.mp3")));
    let later = ((Some(3_600_000), time(3, 30, 0, 0)), "b/0 03:30:00-03:31:00 a".to_owned());
    assert_eq!(skipped(time(4, 0, 0, 0), None), later);
    assert_eq!(skipped(time(4, 0, 0, 0), next(40)), later);
    // The next hard start has that time, or one before it.
    let none =
        |minute| ((None, time(3, minute, 0, 0)), format!("b/0 03:{minute:02}:00-03:{minute:02}:00 NoRoom"));
    assert_eq!(skipped(time(4, 0, 0, 0), next(30)), none(30));
    assert_eq!(skipped(time(4, 0, 0, 0), next(15)), none(15));
    assert_eq!(skipped(time(3, 0, 0, 0), None), none(0), "the session is over by then");
}

#[test]
fn a_rotation_begins_each_day_far_from_the_days_around_it() {
    for members in [5, 12, 30] {
        let segments: Vec<_> = (0..members).map(|n| segment(&format!("p{n}"), "nhac", 180)).collect();
        let catalog: Catalog = segments.into_iter().collect();
        let mut day = date(2026, 11, 23);
        let mut firsts = BTreeSet::new();
        for _ in 0..60 {
            let next = day.tomorrow().unwrap();
            let used: Vec<_> =
                super::pick::rotation(&catalog, &"nhac".into(), day).into_iter().take(members / 2).collect();
            let first = super::pick::rotation(&catalog, &"nhac".into(), next)[0].clone();
            assert!(used.iter().all(|piece| piece.id != first.id), "{members} members, {next}");
            firsts.insert(first.id.clone());
            day = next;
        }
        assert_eq!(firsts.len(), members);
    }
}

#[test]
fn a_year_of_a_busy_week_takes_far_less_than_a_minute() {
    let mut rundown = vec![slot("hieu", hard(5, 0), play("file:hieu.mp3"))];
    rundown.extend(
        ["programme:tin", "programme:tuan", "all:tin"].map(|what| slot(what, Start::Follow, play(what))),
    );
    rundown.push(slot("nhac", Start::Fill, play("pool:nhac")));
    rundown.push(slot("tin6", hard(5, 40), play("programme:tin")));
    let mut schedule = vietnam(rundown.clone());
    rundown[0].start = Start::Follow;
    rundown[5].start = Start::Follow;
    schedule.sessions.push(session("chieu", time(17, 0, 0, 0), time(17, 40, 0, 0), rundown));
    let segments = (0..400)
        .map(|n| segment(&format!("s{n}"), ["nhac", "tin", "tuan", "x"][n % 4], 120 + n as i64 % 180));
    let catalog: Catalog = segments.collect();
    let window = Window { from: at("2026-01-01T00:00:00Z"), to: at("2027-01-01T00:00:00Z") };
    let timeline = compile(&schedule, &catalog, &History::default(), &output(), window);
    assert_eq!(timeline.blocks.len(), 730);
}

#[test]
fn a_segment_whose_file_is_broken_is_not_planned_and_another_stands_in_where_one_may() {
    let schedule = vietnam(vec![
        slot("a", hard(5, 0), play("programme:tin")),
        slot("b", Start::Follow, play("file:file.mp3")),
        Slot { length: Some(SignedDuration::from_secs(60)), ..slot("c", Start::Follow, play("all:tuan")) },
    ]);
    let mut segments = [("older", "tin"), ("newer", "tin"), ("file", ""), ("x", "tuan"), ("y", "tuan")]
        .map(|(name, programme)| segment(name, programme, 30));
    segments[1].added += SignedDuration::from_hours(1);
    let catalog: Catalog = segments.into_iter().collect();
    let of = |names: &[&str]| {
        let broken = names.iter().map(|name| (segment_id(name), FileTrouble::FileChanged));
        let catalog = catalog.with_troubles(broken.collect());
        let window = Window { from: at("2026-11-22T17:00:00Z"), to: at("2026-11-23T16:59:00Z") };
        rundown(&compile(&schedule, &catalog, &History::default(), &output(), window))
    };
    assert_eq!(
        of(&["y"]),
        ["a/0 05:00:00-05:00:30 newer", "b/0 05:00:30-05:01:00 file", "c/0 05:01:00-05:01:30 x"]
    );
    assert_eq!(
        of(&["newer", "file", "x", "y"]),
        [
            "a/0 05:00:00-05:00:30 older",
            "b/0 05:00:30-05:00:30 FileBroken",
            "c/0 05:00:30-05:00:30 FileBroken"
        ]
    );
}
