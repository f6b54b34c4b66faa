//! The plan is changed while a part of it has aired: what has begun stays, and the rest goes on from there.

use super::*;

/// What the log holds when the cues that begin before a local time of Monday have begun.
fn begun_before(timeline: &Timeline, hour: i8, minute: i8) -> History {
    let mut history = History::default();
    for cue in timeline.cues() {
        let local = timeline.time_zone.to_datetime(cue.at);
        if (local.date(), local.time()) < (date(2026, 11, 23), time(hour, minute, 0, 0)) {
            history.note(&cue.id, begun(cue));
        }
    }
    history
}

#[test]
fn what_is_approved_or_withdrawn_meanwhile_moves_nothing_of_a_block_under_way() {
    let schedule = vietnam(vec![
        slot("tin", hard(5, 0), play("programme:tin")),
        slot("all", Start::Follow, play("all:tin")),
        slot("nhac", Start::Fill, play("pool:nhac")),
        slot("cuoi", hard(5, 30), play("file:z.mp3")),
    ]);
    let mut segments = vec![segment("a", "tin", 300), segment("b", "tin", 60), segment("z", "x", 30)];
    segments.extend((0..8).map(|n| segment(&format!("n{n}"), "nhac", 180 + 7 * n)));
    let before = monday(&schedule, &segments);
    let plan = rundown(&before);
    assert_eq!(plan[..2], ["tin/0 05:00:00-05:01:00 b", "all/0 05:01:00-05:02:00 b"]);
    // In the middle of the second notice, a newer piece comes and an older one goes.
    let history = begun_before(&before, 5, 3);
    let mut newer = segment("c", "tin", 45);
    newer.added += SignedDuration::from_hours(9);
    segments.push(newer);
    let after = rundown(&with_history(&schedule, &segments, &history));
    assert_eq!(after[..3], plan[..3], "what has begun stays, and where it is");
    assert_eq!(after[3], "all/2 05:07:00-05:07:45 c", "the new notice comes after those");
    // Later, in the music, of which one is withdrawn that was heard already.
    let history = begun_before(&before, 5, 14);
    let heard = before.cues().find(|cue| cue.id.slot == "nhac".into()).unwrap().segment().unwrap().id.clone();
    segments.iter_mut().find(|segment| segment.id == heard).unwrap().state = State::Withdrawn;
    let after = rundown(&with_history(&schedule, &segments, &history));
    assert_eq!(after[3], "nhac/0 05:07:00-05:07:00 Withdrawn");
    assert_eq!(after[4..6], plan[4..6], "the song after it stays where it was");
    assert_eq!(after.last(), plan.last());
}

#[test]
fn a_song_that_has_come_round_does_not_come_next_when_the_plan_changes_under_it() {
    let mut schedule = vietnam(vec![slot("nhac", Start::Fill, play("pool:nhac"))]);
    let mut segments: Vec<_> = (0..3).map(|n| segment(&format!("n{n}"), "nhac", 180 + 7 * n)).collect();
    let history = begun_before(&monday(&schedule, &segments), 5, 11);
    let new = segment("new", "nhac", 200);
    segments.insert(0, new.clone());
    schedule.sessions[0].to = time(5, 59, 0, 0);
    let after = with_history(&schedule, &segments, &history);
    let order: Vec<_> = after.cues().filter_map(|cue| Some(cue.segment()?.id.as_str())).collect();
    assert_eq!(order[0], order[3], "the first once more: {order:?}");
    assert_eq!(
        order[4..7],
        [new.id.as_str(), order[1], order[2]],
        "the longest unheard come first: {order:?}"
    );
}

#[test]
fn what_follows_a_piece_withdrawn_on_air_comes_when_the_record_says() {
    let schedule = vietnam(vec![
        slot("tin", hard(5, 0), play("programme:tin")),
        slot("b", Start::Follow, play("file:b.mp3")),
    ]);
    let mut segments = vec![segment("a", "tin", 600), segment("b", "x", 30)];
    let before = monday(&schedule, &segments);
    let mut history = History::default();
    let cue = before.cues().next().unwrap();
    history.note(&cue.id, Begun { end: cue.at + SignedDuration::from_secs(100), ..begun(cue) });
    segments[0].state = State::Withdrawn;
    let after = rundown(&with_history(&schedule, &segments, &history));
    assert_eq!(after, ["tin/0 05:00:00-05:00:00 Withdrawn", "b/0 05:01:40-05:02:10 b"]);
}

#[test]
fn what_follows_a_piece_that_broke_off_comes_sooner_and_a_hard_start_where_it_was() {
    let schedule = vietnam(vec![
        slot("all", hard(5, 0), play("all:tin")),
        slot("b", Start::Follow, play("file:b.mp3")),
        slot("nhac", Start::Fill, play("pool:nhac")),
        slot("cuoi", hard(5, 30), play("file:z.mp3")),
    ]);
    let mut segments = vec![segment("a", "tin", 300), segment("c", "tin", 60)];
    segments.extend([segment("b", "x", 30), segment("z", "x", 30)]);
    segments.extend((0..9).map(|n| segment(&format!("n{n}"), "nhac", 180 + 7 * n)));
    let before = monday(&schedule, &segments);
    let plan = rundown(&before);
    let head = ["all/0 05:00:00-05:01:00 c", "all/1 05:01:00-05:06:00 a", "b/0 05:06:00-05:06:30 b"];
    assert_eq!(plan[..3], head);
    let mut history = begun_before(&before, 5, 1);
    let cue = before.cues().nth(1).unwrap();
    let end = cue.at + SignedDuration::from_secs(100);
    history.note(&cue.id, Begun { end, broke_off: true, ..begun(cue) });
    let after = with_history(&schedule, &segments, &history);
    let head = ["all/0 05:00:00-05:01:00 c", "all/1 05:01:00-05:02:40 a~", "b/0 05:02:40-05:03:10 b"];
    assert_eq!(rundown(&after)[..3], head);
    assert_eq!(rundown(&after).last(), plan.last());
    assert_eq!(
        after.cues().rev().nth(1).unwrap().end,
        at("2026-11-22T22:30:00Z"),
        "the music fills the time"
    );
    // It stays so, whatever of it is on record, and where its file is known to be broken.
    assert_eq!(with_history(&schedule, &segments, &history), after);
    for cue in after.cues().skip(2) {
        history.note(&cue.id, begun(cue));
        assert_eq!(with_history(&schedule, &segments, &history), after, "{}", cue.id);
    }
}

#[test]
fn what_follows_a_slot_that_is_taken_out_while_on_air_comes_after_it() {
    let follow = |id: &str| slot(id, Start::Follow, play(&format!("file:{id}.mp3")));
    let mut schedule =
        vietnam(vec![slot("a", hard(5, 0), play("file:a.mp3")), follow("b"), follow("c"), follow("d")]);
    let segments = ["a", "b", "c", "d"].map(|id| segment(id, "x", 60));
    let before = monday(&schedule, &segments);
    let history = begun_before(&before, 5, 2);
    schedule.sessions[0].slots.remove(1);
    let after = rundown(&with_history(&schedule, &segments, &history));
    let mut plan = rundown(&before);
    plan.remove(1);
    assert_eq!(after, plan, "c and d stay where they were");
    // Once b is over and c on the air, what was taken out before changes nothing.
    let history = begun_before(&before, 5, 3);
    assert_eq!(rundown(&with_history(&schedule, &segments, &history)), plan);
}

#[test]
fn a_slot_put_in_before_what_is_on_air_does_not_move_it() {
    let b = || slot("b", Start::Follow, play("file:b.mp3"));
    let mut schedule = vietnam(vec![slot("a", hard(5, 0), play("file:a.mp3")), b()]);
    let segments = [segment("a", "x", 60), segment("b", "x", 60)];
    let history = begun_before(&monday(&schedule, &segments), 5, 2);
    schedule.sessions[0].slots.insert(1, slot("new", Start::Follow, play("file:a.mp3")));
    let after = rundown(&with_history(&schedule, &segments, &history));
    assert_eq!(
        after,
        ["a/0 05:00:00-05:01:00 a", "new/0 05:01:00-05:01:00 NoRoom", "b/0 05:01:00-05:02:00 b"]
    );
    // Once that is on record, it says so still.
    let plan = with_history(&schedule, &segments, &history);
    let mut history = history;
    plan.cues().filter(|cue| cue.id.slot == "new".into()).for_each(|cue| history.note(&cue.id, begun(cue)));
    assert_eq!(rundown(&with_history(&schedule, &segments, &history)), after);
    schedule.sessions[0].from = time(4, 0, 0, 0);
    schedule.sessions[0].to = time(4, 59, 0, 0);
    schedule.sessions[0].slots = vec![b()];
    let moved = with_history(&schedule, &segments, &history);
    assert_eq!(rundown(&moved), ["b/0 04:00:00-04:01:00 b"], "a session that was moved begins anew");
    let id = moved.cues().next().unwrap().id.clone();
    assert_eq!(id.to_string(), "2026-11-23/sang~2/b/0", "and is another one");
    assert_eq!(id.to_string().parse(), Ok(id));
}

/// The log of a morning's notices a, b, c and what follows them, of which these are on record.
fn notices(recorded: &[&str]) -> (Schedule, Vec<Segment>, Timeline, History) {
    let schedule = vietnam(vec![
        slot("all", hard(5, 0), play("all:tin")),
        slot("sau", Start::Follow, play("file:z.mp3")),
    ]);
    let mut segments = vec![segment("z", "x", 30)];
    segments.extend(["c", "b", "a"].into_iter().zip(0..).map(|(name, hours)| {
        let mut segment = segment(name, "tin", 60);
        segment.added += SignedDuration::from_hours(hours);
        segment
    }));
    let plan = monday(&schedule, &segments);
    let mut history = History::default();
    for cue in plan.cues().filter(|cue| recorded.contains(&&*format!("{}/{}", cue.id.slot, cue.id.piece))) {
        history.note(&cue.id, begun(cue));
    }
    (schedule, segments, plan, history)
}

#[test]
fn a_piece_that_is_not_on_record_before_one_that_is_stays_in_the_plan() {
    let in_plan = ["all/0 05:00:00-05:01:00 a", "all/1 05:01:00-05:02:00 b", "all/2 05:02:00-05:03:00 c"];
    for recorded in [&["all/1"][..], &["all/2"], &["all/0", "all/2"], &["all/0", "sau/0"], &["sau/0"]] {
        let (schedule, mut segments, plan, history) = notices(recorded);
        assert_eq!(rundown(&plan)[..3], in_plan);
        assert_eq!(with_history(&schedule, &segments, &history), plan, "{recorded:?}");
        if !recorded.contains(&"sau/0") {
            let mut newer = segment("d", "tin", 45);
            newer.added += SignedDuration::from_hours(9);
            segments.push(newer);
            let after = rundown(&with_history(&schedule, &segments, &history));
            assert!(after[3].starts_with("all/3"), "{recorded:?} {after:?}");
        }
    }
}

/// A recording that was approved at a moment.
fn approved(id: &str, programme: &str, seconds: i64, at: &str) -> Segment {
    let approval = Some(Approval { by: "hoa".into(), at: at.parse().unwrap() });
    Segment { approval, ..segment(id, programme, seconds) }
}

#[test]
fn the_last_piece_is_in_the_plan_also_while_what_comes_after_a_silence_is_opened_before_it_is_on_record() {
    let schedule =
        vietnam(vec![slot("all", hard(5, 0), play("all:tin")), slot("sau", hard(5, 3), play("file:z.mp3"))]);
    let mut segments = ["z", "a", "b"]
        .map(|id| approved(id, if id == "z" { "x" } else { "tin" }, 59, "2026-11-22T09:00:00Z"))
        .to_vec();
    let plan = monday(&schedule, &segments);
    let mut history = History::default();
    plan.cues().filter(|cue| cue.id.to_string() != "2026-11-23/sang/all/1").for_each(|cue| {
        history.note(&cue.id, begun(cue));
    });
    assert_eq!(rundown(&plan)[1..], ["all/1 05:00:59-05:01:58 a", "sau/0 05:03:00-05:03:59 z"]);
    assert_eq!(with_history(&schedule, &segments, &history), plan);
    // What was approved only then was not to come before it.
    let mut older = approved("c", "tin", 59, "2026-11-22T22:03:01Z");
    older.added -= SignedDuration::from_hours(9);
    segments.push(older);
    assert_eq!(rundown(&with_history(&schedule, &segments, &history)), rundown(&plan));
}

#[test]
fn the_last_song_of_a_fill_is_in_the_plan_also_while_what_comes_after_it_is_opened_before_it_is_on_record() {
    let before = "2026-11-22T09:00:00Z";
    let schedule = vietnam(vec![
        slot("nhac", hard(5, 0), play("pool:nhac")),
        slot("ca", Start::Fill, play("pool:nhac")),
        slot("sau", hard(5, 30), play("file:z.mp3")),
    ]);
    let mut segments = vec![approved("z", "x", 59, before)];
    segments.extend((0..8).map(|n| approved(&format!("n{n}"), "nhac", 256 + n % 2, before)));
    let plan = monday(&schedule, &segments);
    let songs: Vec<_> = plan.cues().filter(|cue| cue.id.slot == "ca".into()).collect();
    let end = plan.time_zone.to_datetime(songs.last().unwrap().end).time();
    assert!(
        songs.len() > 3 && end >= time(5, 29, 55, 0) && end < time(5, 30, 0, 0),
        "a breath is left: {end}"
    );
    for unrecorded in 1..songs.len() {
        let mut history = History::default();
        let silent = songs.iter().rev().take(unrecorded).map(|cue| &cue.id).collect::<Vec<_>>();
        plan.cues()
            .filter(|cue| !silent.contains(&&cue.id))
            .for_each(|cue| history.note(&cue.id, begun(cue)));
        assert_eq!(with_history(&schedule, &segments, &history), plan, "{unrecorded}");
        // A song that was approved only then was not to come before it.
        let mut more = segments.clone();
        for n in 0..9 {
            let mut newer = approved(&format!("m{n}"), "nhac", 100 + 17 * n, "2026-11-22T22:30:01Z");
            newer.added -= SignedDuration::from_hours(9);
            more.push(newer);
        }
        assert_eq!(rundown(&with_history(&schedule, &more, &history)), rundown(&plan), "{unrecorded}");
    }
}

#[test]
fn the_last_song_of_a_fill_is_in_the_plan_also_where_songs_were_approved_while_it_sounded() {
    let schedule = vietnam(vec![
        slot("ca", Start::Fill, play("pool:nhac")),
        slot("chao", Start::Follow, play("file:z.mp3")),
        slot("sau", hard(5, 30), play("file:z.mp3")),
    ]);
    for seed in 0..100 {
        let song = |n: i64, at: &str| {
            approved(&format!("n{n}"), "nhac", 150 + (n * n * 37 + seed * (53 + n * 7)) % 140, at)
        };
        let mut segments = vec![approved("z", "x", 59, "2026-11-22T09:00:00Z")];
        segments.extend((0..9).map(|n| song(n, "2026-11-22T09:00:00Z")));
        let history = begun_before(&monday(&schedule, &segments), 5, 7);
        segments.extend((9..14).map(|n| song(n, "2026-11-22T22:07:00Z")));
        let plan = with_history(&schedule, &segments, &history);
        let last = plan.cues().rfind(|cue| cue.id.slot == "ca".into()).unwrap();
        let mut history = History::default();
        plan.cues().filter(|cue| cue.id != last.id).for_each(|cue| history.note(&cue.id, begun(cue)));
        assert_eq!(with_history(&schedule, &segments, &history), plan, "{seed}");
    }
}

#[test]
fn no_song_comes_into_the_time_of_one_withdrawn_on_air_once_what_follows_is_on_record() {
    let schedule = vietnam(vec![
        slot("ca", Start::Fill, play("pool:nhac")),
        slot("sau", hard(5, 30), play("file:z.mp3")),
    ]);
    let before = "2026-11-22T09:00:00Z";
    let mut segments = vec![approved("z", "x", 59, before)];
    segments.extend((0..9).map(|n| approved(&format!("n{n}"), "nhac", 256 + n % 2, before)));
    let plan = monday(&schedule, &segments);
    let last = plan.cues().rfind(|cue| cue.id.slot == "ca".into()).unwrap();
    let mut history = History::default();
    for cue in plan.cues() {
        let sooner = SignedDuration::from_secs(if cue.id == last.id { 30 } else { 0 });
        history.note(&cue.id, Begun { end: cue.end - sooner, ..begun(cue) });
    }
    let withdrawn = segments.iter_mut().find(|segment| segment.id == last.segment().unwrap().id).unwrap();
    withdrawn.state = State::Withdrawn;
    let after = with_history(&schedule, &segments, &history);
    let ids = |plan: &Timeline| plan.cues().map(|cue| cue.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&after), ids(&plan));
}

#[test]
fn the_last_piece_of_a_repeat_is_in_the_plan_also_while_what_comes_after_a_silence_is_opened() {
    let schedule = vietnam(vec![
        slot("all", hard(5, 0), play("all:tin")),
        slot("lai", hard(5, 10), play("repeat:sang/all")),
        slot("sau", hard(5, 20), play("file:z.mp3")),
    ]);
    let before = "2026-11-22T09:00:00Z";
    let segments =
        ["z", "a", "b", "c"].map(|id| approved(id, if id == "z" { "x" } else { "tin" }, 59, before));
    let plan = monday(&schedule, &segments);
    assert_eq!(plan.cues().filter(|cue| cue.id.slot == "lai".into()).count(), 3);
    for unrecorded in ["lai/2", "lai/1 lai/2"] {
        let mut history = History::default();
        let is_silent = |id: &CueId| unrecorded.split(' ').any(|name| id.to_string().ends_with(name));
        plan.cues().filter(|cue| !is_silent(&cue.id)).for_each(|cue| history.note(&cue.id, begun(cue)));
        assert_eq!(with_history(&schedule, &segments, &history), plan, "{unrecorded}");
    }
}

#[test]
fn what_is_repeated_while_it_is_on_the_air_is_what_sounded_and_what_is_still_to_come() {
    let schedule = vietnam(vec![
        slot("all", hard(5, 0), play("all:tin")),
        slot("lai", hard(5, 10), play("repeat:sang/all")),
    ]);
    let segments = ["a", "b", "c", "d"].map(|id| approved(id, "tin", 59, "2026-11-22T09:00:00Z"));
    let plan = monday(&schedule, &segments);
    let of_origin: Vec<_> = plan.cues().filter(|cue| cue.id.slot == "all".into()).collect();
    let mut history = History::default();
    // The second one was not heard; the third one sounds.
    for (cue, (heard, sounds)) in of_origin.iter().zip([(true, false), (false, false), (false, true)]) {
        history.note(&cue.id, Begun { heard, sounds, ..begun(cue) });
    }
    let repeated = |history| {
        let plan = with_history(&schedule, &segments, &history);
        let repeats = plan.cues().filter(|cue| cue.id.slot == "lai".into());
        repeats
            .map(|cue| of_origin.iter().position(|origin| origin.segment() == cue.segment()))
            .collect::<Vec<_>>()
    };
    assert_eq!(repeated(history), [0, 2, 3].map(Some));
    // Once it is over, that is what was heard.
    let mut over = History::default();
    of_origin
        .iter()
        .take(3)
        .for_each(|cue| over.note(&cue.id, Begun { heard: cue.id.piece != 1, ..begun(cue) }));
    assert_eq!(repeated(over), [0, 2].map(Some));
}

#[test]
fn a_piece_that_was_withdrawn_before_it_was_on_record_says_so_in_its_place() {
    let (schedule, mut segments, _, history) = notices(&["all/1"]);
    segments.iter_mut().find(|segment| segment.words.title == "a").unwrap().state = State::Withdrawn;
    let after = rundown(&with_history(&schedule, &segments, &history));
    let expected = [
        "all/0 05:00:00-05:00:00 Withdrawn",
        "all/1 05:01:00-05:02:00 b",
        "all/2 05:02:00-05:03:00 c",
        "sau/0 05:03:00-05:03:30 z",
    ];
    assert_eq!(after, expected);
}

#[test]
fn an_older_piece_approved_after_what_came_next_is_not_put_before_it() {
    let mut schedule =
        vietnam(vec![slot("all", hard(5, 0), play("all:tin")), slot("sau", hard(5, 30), play("file:z.mp3"))]);
    schedule.sessions[0].to = time(5, 40, 0, 0);
    let mut segments = vec![segment("z", "x", 30), segment("a", "tin", 60)];
    let before = monday(&schedule, &segments);
    let history = begun_before(&before, 5, 31);
    let mut older = segment("b", "tin", 60);
    older.added -= SignedDuration::from_hours(9);
    segments.push(older);
    assert_eq!(rundown(&with_history(&schedule, &segments, &history)), rundown(&before));
}
