//! What holds of every timeline, with clocks that change in several ways.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;

use super::fixture::{self, output, play, schedule, segment, session, slot};
use super::{Content, History, Join, Timeline, Window, backtime, compile};
use crate::schedule::{QuietHours, Schedule, Slot, Start, Weekdays};
use crate::segment::{Catalog, Segment, State};

fn minute(minutes: i32) -> Time {
    Time::midnight() + (i64::from(minutes) % 1440).minutes()
}

fn catalogs() -> impl Strategy<Value = Catalog> {
    segments("s").prop_map(|segments| segments.into_iter().collect())
}

fn segments(prefix: &'static str) -> impl Strategy<Value = Vec<Segment>> {
    let one = (0..4_usize, 1..600_i64, prop::bool::weighted(0.85));
    prop::collection::vec(one, 0..30).prop_map(move |all| {
        let segments = all.into_iter().enumerate().map(|(n, (programme, seconds, approved))| {
            let mut segment =
                segment(&format!("{prefix}{n}"), ["nhac", "nhac", "tin", "tuan"][programme], seconds);
            segment.state = if approved { State::Approved } else { State::Pending };
            segment.added += SignedDuration::from_hours(n as i64 * 24);
            segment
        });
        segments.collect()
    })
}

fn slots(from: i32, length: i32) -> impl Strategy<Value = Vec<Slot>> {
    let plays =
        ["programme:tin", "programme:tuan", "programme:tuan-moi", "all:tin", "pool:nhac", "file:s3.mp3"];
    let one =
        (0..4_u8, prop::sample::select(plays.to_vec()), 0..length, prop::option::of(30..900_i64), 0..127_u8);
    prop::collection::vec(one, 0..8).prop_map(move |all| {
        let mut hard: Vec<_> = all.iter().map(|one| one.2).collect();
        hard.sort_unstable();
        let slots = all.into_iter().zip(hard).enumerate().map(|(n, ((start, what, _, length, days), at))| {
            let start = match start {
                0 => Start::Hard(minute(from + at)),
                1 => Start::Fill,
                _ => Start::Follow,
            };
            let mut slot =
                slot(&format!("{n}"), start, play(if start == Start::Fill { "pool:nhac" } else { what }));
            slot.length = length.map(SignedDuration::from_secs);
            let mut week = jiff::civil::Weekday::Monday.cycle_forward();
            slot.days =
                (0..7).filter_map(|n| week.next().filter(|_| days >> n & 1 == 0)).collect::<Weekdays>();
            slot
        });
        slots.collect()
    })
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let zones = ["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"];
    let sessions = prop::collection::vec(
        (0..1440_i32, 1..180_i32)
            .prop_flat_map(|(from, length)| slots(from, length).prop_map(move |slots| (from, length, slots))),
        0..4,
    );
    let quiet = prop::option::of((0..1440_i32, 1..700_i32));
    (prop::sample::select(zones.to_vec()), sessions, quiet, prop::option::of(1..4_u32)).prop_map(
        |(zone, sessions, quiet, most)| {
            let mut schedule = schedule(zone, Vec::new());
            schedule.sessions = sessions
                .into_iter()
                .enumerate()
                .map(|(n, (from, length, slots))| {
                    session(&format!("b{n}"), minute(from), minute(from + length), slots)
                })
                .collect();
            schedule.rules.sessions_per_day = most;
            schedule.rules.quiet = quiet
                .map(|(from, length)| QuietHours { from: minute(from), to: minute(from + length) })
                .into_iter()
                .collect();
            schedule
        },
    )
}

/// Days around which the clocks of one of the zones change, and others.
fn dates() -> impl Strategy<Value = Date> {
    let changes = ["2026-03-29", "2026-10-25", "2026-04-05", "2026-09-06", "2026-10-04", "2026-11-23"];
    (prop::sample::select(changes.to_vec()), -2..2_i64)
        .prop_map(|(date, off)| date.parse::<Date>().unwrap().saturating_add(off.days()))
}

fn run(schedule: &Schedule, catalog: &Catalog, from: Timestamp, to: Timestamp) -> Timeline {
    compile(schedule, catalog, &History::default(), &output(), Window { from, to })
}

fn midnight(date: Date) -> Timestamp {
    date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn windows_add_up_and_compiling_again_changes_nothing(
        schedule in schedules(), catalog in catalogs(), date in dates(), cut in 0..(3 * 86_400_i64),
    ) {
        let a = midnight(date);
        let b = a + SignedDuration::from_secs(cut);
        let c = a + SignedDuration::from_hours(72);
        let whole = run(&schedule, &catalog, a, c);
        let (first, second) = (run(&schedule, &catalog, a, b), run(&schedule, &catalog, b, c));
        prop_assert_eq!(&whole.blocks, &[first.blocks, second.blocks].concat());
        prop_assert_eq!(&whole.findings, &[first.findings, second.findings].concat());
        prop_assert_eq!(&whole, &run(&schedule, &catalog, a, c));
    }

    #[test]
    fn what_is_on_record_changes_nothing_and_nothing_changes_it(
        schedule in schedules(), known in segments("s"), new in segments("new"), decided in prop::collection::vec(any::<bool>(), 30),
        date in dates(), now in 0..(3 * 86_400_i64),
    ) {
        let catalog: Catalog = known.iter().cloned().collect();
        let decide = |(mut segment, decided): (Segment, bool)| {
            if decided {
                segment.state = if segment.state == State::Approved { State::Withdrawn } else { State::Approved };
            }
            segment
        };
        let other: Catalog = known.into_iter().zip(decided).map(decide).chain(new).collect();
        let from = midnight(date);
        let window = Window { from, to: from + SignedDuration::from_hours(72) };
        let plan = run(&schedule, &catalog, window.from, window.to);
        let mut history = History::default();
        let begun: Vec<_> = plan.cues().filter(|cue| cue.at <= from + SignedDuration::from_secs(now)).collect();
        for cue in &begun {
            history.note(&cue.id, fixture::begun(cue));
        }
        prop_assert_eq!(&plan, &compile(&schedule, &catalog, &history, &output(), window));

        // With whatever was approved or withdrawn meanwhile, what has begun is where it was, and nothing else is there.
        let changed = compile(&schedule, &other, &history, &output(), window);
        for cue in &begun {
            let now = changed.cues().find(|now| now.id == cue.id);
            prop_assert_eq!(now.map(|now| now.at), Some(cue.at), "{}", cue.id);
            let heard = now.and_then(|now| now.segment()).map(|segment| &segment.id);
            prop_assert!(heard.is_none() || heard == cue.segment().map(|segment| &segment.id));
        }
        for block in &changed.blocks {
            prop_assert!(block.cues.is_sorted_by_key(|cue| cue.at), "{:?}", block.cues);
        }
    }

    #[test]
    fn what_is_not_on_record_yet_stays_in_the_plan(
        schedule in schedules(), known in segments("s"), new in segments("new"), date in dates(),
        now in 0..(3 * 86_400_i64), record in prop::collection::vec(0..3_u8, 1..40),
    ) {
        let catalog: Catalog = known.iter().cloned().collect();
        let from = midnight(date);
        let window = Window { from, to: from + SignedDuration::from_hours(72) };
        let plan = run(&schedule, &catalog, window.from, window.to);
        let begun: Vec<_> = plan.cues().filter(|cue| cue.at <= from + SignedDuration::from_secs(now)).collect();
        let mut history = History::default();
        let slots = begun.chunk_by(|cue, next| (&cue.id.block, &cue.id.slot) == (&next.id.block, &next.id.slot));
        for (nth, slot) in slots.enumerate() {
            let kept = |place: usize| record[(nth + place) % record.len()];
            // Of a slot nothing is on record yet, or its newest piece is, and some of those before.
            for (place, cue) in slot.iter().enumerate().filter(|_| kept(0) > 0) {
                if place + 1 == slot.len() || kept(place) == 1 {
                    history.note(&cue.id, fixture::begun(cue));
                }
            }
        }
        prop_assert_eq!(&plan, &compile(&schedule, &catalog, &history, &output(), window));

        // Nor does what was approved meanwhile push it out.
        let more: Catalog = known.into_iter().chain(new).collect();
        let changed = compile(&schedule, &more, &history, &output(), window);
        let ids: BTreeSet<_> = changed.cues().map(|cue| &cue.id).collect();
        prop_assert_eq!(ids.len(), changed.cues().count());
        for cue in &begun {
            let newest = history.begun(&cue.id.block, &cue.id.slot).last();
            prop_assert!(newest.is_none_or(|_| ids.contains(&cue.id)), "{}", cue.id);
        }
        for block in &changed.blocks {
            prop_assert!(block.cues.is_sorted_by_key(|cue| cue.at), "{:?}", block.cues);
        }
    }

    #[test]
    fn after_a_piece_that_broke_off_the_plan_keeps_what_is_on_record_and_every_hard_start(
        schedule in schedules(), catalog in catalogs(), date in dates(), now in 0..(3 * 86_400_i64), part in 1..100_i32,
        later in 0..3_600_i64,
    ) {
        let from = midnight(date);
        let window = Window { from, to: from + SignedDuration::from_hours(72) };
        let plan = run(&schedule, &catalog, window.from, window.to);
        let now = from + SignedDuration::from_secs(now);
        let broken = plan.cues().rfind(|cue| cue.at <= now && cue.end > cue.at);
        let Some(broken) = broken else { return Ok(()) };
        let mut history = History::default();
        let begun: Vec<_> = plan.cues().take_while(|cue| cue.id != broken.id).chain([broken]).collect();
        for cue in &begun {
            let mut begun = fixture::begun(cue);
            if cue.id == broken.id {
                begun.end = cue.at + cue.duration() * part / 100;
                begun.broke_off = true;
            }
            history.note(&cue.id, begun);
        }
        let after = compile(&schedule, &catalog, &history, &output(), window);
        // What comes next goes on record like anything else. A pool may choose anew what has yet to come.
        let later = broken.at + SignedDuration::from_secs(later);
        let next = after.cues().skip_while(|cue| cue.id != broken.id).skip(1);
        let next: Vec<_> = next.take_while(|cue| cue.at <= later).collect();
        next.iter().for_each(|cue| history.note(&cue.id, fixture::begun(cue)));
        let again = compile(&schedule, &catalog, &history, &output(), window);
        let hard = |plan: &Timeline| {
            let hard = plan.cues().filter(|cue| cue.start == Join::Hard);
            hard.map(|cue| (cue.id.clone(), cue.at)).collect::<Vec<_>>()
        };
        for (after, of_it) in [(&after, &[][..]), (&again, &next)] {
            for cue in begun.iter().chain(of_it) {
                let now = after.cues().find(|now| now.id == cue.id);
                prop_assert_eq!(now.map(|now| (now.at, now.segment())), Some((cue.at, cue.segment())), "{}", cue.id);
            }
            prop_assert_eq!(hard(&plan), hard(after));
            for block in &after.blocks {
                prop_assert!(block.cues.is_sorted_by_key(|cue| cue.at), "{:?}", block.cues);
            }
        }
    }

    #[test]
    fn cues_are_in_order_apart_within_their_block_and_out_of_quiet_hours(
        schedule in schedules(), catalog in catalogs(), date in dates(),
    ) {
        let from = midnight(date);
        let timeline = run(&schedule, &catalog, from, from + SignedDuration::from_hours(72));
        let mut ids = BTreeSet::new();
        let mut air = Timestamp::MIN;
        for block in &timeline.blocks {
            prop_assert!(air <= block.start && block.start <= block.end);
            air = block.start;
            for cue in &block.cues {
                prop_assert!(ids.insert(cue.id.clone()), "{} twice", cue.id);
                prop_assert!(air <= cue.at && cue.at <= cue.end && cue.end <= block.end);
                prop_assert!(air == cue.at || cue.start == Join::Hard);
                air = cue.end;
                let Content::Segment(segment) = &cue.content else {
                    prop_assert_eq!(cue.at, cue.end);
                    continue;
                };
                // What is cut is faded, and nothing else.
                let cut = cue.duration() < segment.duration();
                prop_assert!(cue.duration() <= segment.duration());
                prop_assert_eq!(cut, cue.fade.is_positive());
                prop_assert!(segment.may_air_on(block.id.date));
                let mut at = cue.at;
                while at < cue.end {
                    let local = schedule.time_zone.to_datetime(at).time();
                    prop_assert!(!schedule.rules.quiet.iter().any(|quiet| quiet.contains(local)));
                    at += SignedDuration::from_secs(10);
                }
            }
            air = air.max(block.end);
        }
    }

    #[test]
    fn every_slot_of_the_day_has_a_cue_and_hard_starts_come_at_their_local_time(
        schedule in schedules(), catalog in catalogs(), date in dates(),
    ) {
        let from = midnight(date);
        let timeline = run(&schedule, &catalog, from, from + SignedDuration::from_hours(48));
        for block in &timeline.blocks {
            let session = schedule.sessions.iter().find(|session| session.id == block.id.session).unwrap();
            let wrinkled = [block.id.date, block.id.date.saturating_add(1.day())].iter().any(|date| {
                let midnight = |date: Date| date.to_zoned(schedule.time_zone.clone()).unwrap().timestamp();
                midnight(date.saturating_add(1.day())).duration_since(midnight(*date)) != SignedDuration::from_hours(24)
            });
            for slot in session.slots.iter().filter(|slot| slot.days.contains(block.id.date.weekday())) {
                let cues: Vec<_> = block.cues.iter().filter(|cue| cue.id.slot == slot.id).collect();
                prop_assert!(!cues.is_empty());
                let pieces: Vec<_> = cues.iter().map(|cue| usize::from(cue.id.piece)).collect();
                prop_assert_eq!(pieces, (0..cues.len()).collect::<Vec<_>>());
                if let Start::Hard(time) = slot.start && cues[0].segment().is_some() && !wrinkled {
                    prop_assert_eq!(schedule.time_zone.to_datetime(cues[0].at).time(), time);
                }
            }
        }
    }

    #[test]
    fn a_fill_leaves_no_silence_and_only_its_last_piece_is_cut(
        lengths in prop::collection::vec(1..400_i64, 1..20), room in 1..3_000_i64,
    ) {
        let pieces = lengths.iter().enumerate().map(|(n, s)| Arc::new(segment(&format!("p{n}"), "nhac", *s)));
        let mut rotation: std::collections::VecDeque<Arc<Segment>> = pieces.collect();
        let (members, room) = (rotation.len(), SignedDuration::from_secs(room));
        let longest = lengths.iter().max().unwrap();
        let taken = backtime::fill(&mut rotation, room, backtime::Ending::Full);
        let heard: SignedDuration = taken.iter().map(|piece| piece.duration()).sum();
        if taken.len() < 1000 {
            prop_assert!(heard + backtime::TOLERANCE >= room);
        }
        if let Some(last) = taken.last() {
            prop_assert!(heard - last.duration() < room);
            prop_assert_eq!(rotation.back().map(|piece| &piece.id), Some(&last.id));
        }
        prop_assert!(heard <= room + SignedDuration::from_secs(*longest));
        prop_assert_eq!(rotation.len(), members);
        prop_assert!(members < 2 || taken.windows(2).all(|pair| pair[0].id != pair[1].id));
    }
}
