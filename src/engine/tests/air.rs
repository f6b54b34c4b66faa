//! A station of tones: what is heard when, and what the log says of it.

use super::*;
use crate::output::amplifier::{Amplifier, Switch};

#[test]
fn a_session_is_heard_at_its_frame_and_without_a_gap() {
    let (a, b) = (segment(10, 20.1234), segment(20, 7.5));
    let mut station = Station::new(vec![
        cue("a", Join::Hard, 600.0071, &a),
        cue("b", Join::Follow, 620.1305, &b),
        cue("c", Join::Hard, 700.5, &a),
    ]);
    station.run_until(610.0);
    assert!(station.amplifier.load(Ordering::SeqCst));
    let status = station.status();
    assert_eq!(status.layer, Layer::Scheduled);
    assert_about(since(status.on_air.unwrap().since), 600.0071, FRAME);
    assert_about(f64::from(status.peak_dbfs), -28.2, 0.1);
    station.run_until(2_000.0);
    assert_about(station.heard(10).unwrap(), 600.0071, FRAME);
    assert_about(station.heard(20).unwrap(), 620.1305, 2.0 * FRAME);
    // No silence between the two, and no silence in them.
    let heard: Vec<f32> = station.heard.lock().unwrap().iter().map(|(_, sample)| *sample).collect();
    assert_eq!(heard, [0.0, sample(10), sample(20), 0.0, sample(10), 0.0]);
    station.finish();
    station.check();
    for (slot, length) in [("a", 20.1234), ("b", 7.5), ("c", 20.1234)] {
        let takes = station.takes(slot);
        assert_eq!(takes.len(), 1, "{takes:?}");
        assert_eq!((takes[0].delivered, takes[0].starved, takes[0].cause), (frames(length), 0, None));
    }
    assert_about(since(station.takes("b")[0].started.unwrap()), 620.1305, 2.0 * FRAME);
}

#[test]
fn a_hard_start_after_a_planned_fade_is_on_its_frame() {
    let mut faded = Arc::unwrap_or_clone(cue("a", Join::Hard, 600.0071, &segment(10, 30.0)));
    faded.end = at(615.513);
    faded.fade = SignedDuration::from_secs(3);
    let hard = cue("b", Join::Hard, 615.513, &segment(20, 7.5));
    let mut station = Station::new(vec![Arc::new(faded), hard]);
    station.run_until(2_000.0);
    station.finish();
    station.check();
    assert_about(since(station.takes("b")[0].started.unwrap()), 615.513, 2.0 * FRAME);
    assert_about(since(station.takes("a")[0].ended.unwrap()), 615.513, 2.0 * FRAME);
}

#[test]
fn what_sounds_while_the_amplifier_cannot_be_switched_on_is_logged_so() {
    let folder = tempfile::tempdir().unwrap();
    let switch = Switch { on: vec!["false".to_owned()], off: vec!["true".to_owned()] };
    let amplifier = Amplifier::new(Some(switch), folder.path().join("on")).unwrap();
    amplifier.switch(true);
    let failing = amplifier.power();
    soon(|| failing.fails().then_some(()));
    let piece = segment(10, 20.0);
    let mut station =
        Station::new(vec![cue("a", Join::Hard, 600.0, &piece), cue("b", Join::Hard, 700.0, &piece)]);
    station.rehearsal.as_mut().unwrap().engine.power = failing;
    station.run_until(650.0);
    station.rehearsal.as_mut().unwrap().engine.power = Arc::default();
    station.run_until(2_000.0);
    station.finish();
    assert_eq!(["a", "b"].map(|slot| station.takes(slot)[0].unpowered), [true, false]);
}

#[test]
fn a_take_is_opened_before_its_first_frame_and_closed_after_its_last() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 600.0, &segment(10, 20.0))]);
    station.run_until(700.0);
    let [Fact::Opened { take: opened, .. }, beats @ .., Fact::Closed(closed)] = &station.facts[..] else {
        panic!("{:?}", station.facts)
    };
    assert_about(since(opened.opened), 598.0, 0.05);
    assert_eq!((opened.planned, opened.expected, opened.take), (at(600.0), 20 * 48_000, 0));
    assert_eq!(opened.device, "test:device");
    assert_about(since(closed.started.unwrap()), 600.0, FRAME);
    assert_about(since(closed.ended.unwrap()), 620.0, FRAME);
    // Three chunks are in the device when the last frame was written.
    assert_about(since(closed.at), 620.0 + 3.0 * 1_024.0 * FRAME, 0.05);
    assert!((5..=6).contains(&beats.len()) && beats.iter().all(|f| matches!(f, Fact::Heartbeat { .. })));
    let a_second_in =
        |beat: &Fact| matches!(beat, Fact::Heartbeat { at, .. } if (since(*at) - 601.0).abs() < 0.1);
    assert!(beats.iter().any(a_second_in), "what was heard for a second is known to have been: {beats:?}");
}

#[test]
fn the_idle_hours_are_skipped() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 2_900.0, &segment(10, 20.0))]);
    station.run_until(80_000.0);
    let rendered = station.rehearsal.as_ref().unwrap().engine.mixer.position();
    assert!(rendered < frames(90.0), "{} s", rendered / 48_000);
    assert_about(station.heard(10).unwrap(), 2_900.0, FRAME);
}

#[test]
fn an_emergency_takes_the_air_within_300_ms_and_the_schedule_joins_after_it() {
    let (programme, alarm) = (segment(10, 300.0), segment(50, 30.0));
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &programme)]);
    let kept = MemorySource::new(&vec![sample(50); 30 * 48_000], 1);
    station.tell(Command::Keep(Arc::new(BTreeMap::from([(alarm.id.clone(), kept)]))));
    station.run_until(150.0);
    station.tell(order("alarm-1", Layer::Emergency, &alarm, Repeats::ONCE));
    station.run_until(160.0);
    let begins = station.heard(50).unwrap();
    assert!(begins > 150.0 && begins < 150.3, "{begins}");
    assert_eq!(station.status().layer, Layer::Emergency);
    station.run_until(500.0);
    station.finish();
    station.check();
    let takes = station.takes("a");
    assert_eq!(takes.len(), 2, "{takes:?}");
    assert_eq!((takes[0].cause, takes[1].cause, takes[1].take), (Some(Cause::Emergency), None, 1));
    assert_about(since(takes[1].ended.unwrap()), 400.0, 0.6);
    assert_eq!(station.takes("alarm-1")[0].delivered, 30 * 48_000);
}

/// Whose takes were opened, in order.
fn opened(station: &Station) -> Vec<&str> {
    let facts = station.facts.iter();
    facts
        .filter_map(|fact| match fact {
            Fact::Opened { cue, .. } => Some(cue.id.slot.as_str()),
            _ => None,
        })
        .collect()
}

/// An emergency that sounds for 30 s, twice, that far apart; the recording is kept in memory.
fn alarm(station: &Station, id: &str, apart: f64) {
    let segment = segment(50, 30.0);
    let kept = MemorySource::new(&vec![sample(50); 30 * 48_000], 1);
    station.tell(Command::Keep(Arc::new(BTreeMap::from([(segment.id.clone(), kept)]))));
    let repeats = Repeats { at_most: Some(2), close: 1, soon: seconds(apart), then: SignedDuration::ZERO };
    station.tell(order(id, Layer::Emergency, &segment, repeats));
}

/// Somebody takes the air.
pub(super) fn order(id: &str, layer: Layer, segment: &Arc<Segment>, repeats: Repeats) -> Command {
    Command::Interrupt(Arc::new(Interrupt {
        id: id.into(),
        layer,
        segment: Arc::clone(segment),
        gain_db: 0.0,
        topic: None,
        genre: None,
        by: "an".into(),
        repeats,
    }))
}

#[test]
fn an_emergency_that_wakes_a_slow_device_ends_by_its_frames_and_the_schedule_joins_there() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 200.0, &segment(10, 60.0))]);
    station.run_until(100.0);
    *station.wakes_in.lock().unwrap() = Duration::from_millis(1_900);
    station.tell(order("alarm", Layer::Emergency, &segment(50, 120.0), Repeats::ONCE));
    station.run_until(150.0);
    let begins = station.heard(50).unwrap();
    assert_about(begins, 101.9, 0.1);
    assert_about(since(station.status().on_air.unwrap().until), begins + 120.0, 0.01);
    station.run_until(300.0);
    station.finish();
    station.check();
    let takes = (station.takes("alarm")[0], station.takes("a")[0]);
    assert_eq!((takes.0.delivered, takes.0.cause), (120 * 48_000, None));
    assert_about(since(takes.1.started.unwrap()), since(takes.0.ended.unwrap()), 0.05);
}

#[test]
fn an_interrupt_that_waits_for_another_has_no_take() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 600.0, &segment(20, 60.0))]);
    station.run_until(100.0);
    alarm(&station, "first", 120.0);
    station.run_until(102.0);
    alarm(&station, "second", 91.0);
    station.run_until(125.0);
    assert_eq!(opened(&station), ["first"]);
    // It sounds from 130 to 160, and both are due again within a second: at 220 and 221.
    station.run_until(219.9);
    assert_eq!(opened(&station), ["first", "second", "first"]);
    station.run_until(245.0);
    assert_eq!(opened(&station), ["first", "second", "first"]);
    station.run_until(1_000.0);
    station.finish();
    station.check();
    let all = ["first", "second"].map(|id| station.takes(id));
    assert!(all.iter().flatten().all(|take| take.delivered == 30 * 48_000), "{all:?}");
}

#[test]
fn a_cue_that_waits_for_those_before_it_has_no_take() {
    let whole = |slot, start, from, segment: &Arc<Segment>| {
        let late = Late::WholeWithin(seconds(300.0));
        Arc::new(Cue { late, ..Arc::unwrap_or_clone(cue(slot, start, from, segment)) })
    };
    let mut station = Station::new(vec![
        whole("a", Join::Hard, 600.0, &segment(10, 60.0)),
        whole("b", Join::Follow, 660.0, &segment(20, 5.0)),
        whole("c", Join::Follow, 665.0, &segment(30, 5.0)),
    ]);
    station.run_until(590.0);
    alarm(&station, "alarm", 1_000.0);
    // All are 20 s late: the first one sounds until 680.
    station.run_until(677.0);
    assert_eq!(opened(&station), ["alarm", "a"]);
    station.run_until(1_000.0);
    station.finish();
    station.check();
    assert!(["a", "b", "c"].iter().all(|slot| station.takes(slot).iter().all(|take| take.cause.is_none())));
}

#[test]
fn what_begins_in_its_middle_comes_up_in_a_fade_also_where_it_is_chained() {
    let mut late = Arc::unwrap_or_clone(cue("a", Join::Hard, 600.0, &segment(10, 60.0)));
    late.late = Late::WholeWithin(seconds(300.0));
    let joined = cue("b", Join::Follow, 660.0, &segment(20, 60.0));
    let mut station = Station::new(vec![Arc::new(late), joined]);
    station.run_until(590.0);
    alarm(&station, "alarm", 1_000.0);
    station.run_until(715.0);
    let (from, heard) = (station.heard(10).unwrap() + 60.0, station.heard.lock().unwrap());
    let after: Vec<f32> = heard.iter().filter(|(when, _)| since(*when) > from - FRAME).map(|h| h.1).collect();
    assert_eq!((after[0], *after.last().unwrap()), (0.0, sample(20)));
    assert!(after.len() > 1_000 && after.is_sorted(), "it comes up in 80 ms");
}

#[test]
fn a_cue_whose_air_a_person_takes_at_the_last_moment_has_no_take_meanwhile() {
    let late = Late::WholeWithin(seconds(300.0));
    let tight =
        Arc::new(Cue { late, ..Arc::unwrap_or_clone(cue("a", Join::Hard, 600.0, &segment(10, 60.0))) });
    let mut station = Station::new(vec![tight]);
    station.run_until(599.0);
    assert_eq!(opened(&station), ["a"], "its take is opened ahead");
    alarm(&station, "alarm", 1_000.0);
    station.run_until(610.0);
    let taken_back = |station: &Station| {
        station.facts.iter().filter(|fact| matches!(fact, Fact::TakenBack { .. })).count()
    };
    assert_eq!((opened(&station), taken_back(&station)), (vec!["a", "alarm"], 1));
    station.run_until(1_000.0);
    station.finish();
    station.check();
    assert_eq!((opened(&station), taken_back(&station)), (vec!["a", "alarm", "a"], 1));
    assert!(station.takes("a").iter().all(|take| take.cause.is_none()));
}

#[test]
fn what_cannot_be_opened_is_logged_with_its_cause_and_what_follows_airs() {
    let mut station = Station::new(vec![
        cue("gone", Join::Hard, 100.0, &segment(99, 10.0)),
        cue("bug", Join::Hard, 120.0, &segment(98, 10.0)),
        cue("slow", Join::Hard, 130.0, &segment(96, 10.0)),
        cue("b", Join::Hard, 140.0, &segment(20, 10.0)),
    ]);
    station.run_until(500.0);
    assert_eq!(station.not_aired("gone"), Some(Cause::FileBroken));
    assert_eq!(station.not_aired("bug"), Some(Cause::NotOpened), "nobody knows that its file is broken");
    assert_eq!(station.not_aired("slow"), Some(Cause::NotOpened));
    assert_about(station.heard(20).unwrap(), 140.0, FRAME);
    station.finish();
    station.check();
}

#[test]
fn a_voice_that_is_not_there_does_not_hold_the_air() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 60.0))]);
    station.run_until(95.0);
    let engine = &mut station.rehearsal.as_mut().unwrap().engine;
    assert!(matches!(engine.held[..], [Held { stage: Stage::Ready(_), .. }]));
    engine.held.clear();
    station.run_until(101.0);
    assert_eq!(station.status().layer, Layer::Silence);
    let takes = station.takes("a");
    assert_eq!((takes.len(), takes[0].delivered, takes[0].cause), (1, 0, Some(Cause::NotOpened)));
}

#[test]
fn silence_in_the_place_of_a_broken_end_did_not_air() {
    let mut station = Station::new(vec![cue("half", Join::Hard, 100.0, &segment(97, 10.0))]);
    station.run_until(200.0);
    station.finish();
    let take = station.takes("half")[0];
    assert_eq!((take.cause, take.delivered), (Some(Cause::FileBroken), 5 * 48_000));
}

#[test]
fn an_interrupt_whose_file_breaks_off_gives_the_air_back_at_once() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 300.0))]);
    station.run_until(150.0);
    station.tell(order("half", Layer::Emergency, &segment(97, 60.0), Repeats::ONCE));
    station.run_until(500.0);
    station.finish();
    station.check();
    let (broken, after) = (station.takes("half")[0], station.takes("a")[1]);
    assert_eq!((broken.cause, broken.delivered), (Some(Cause::FileBroken), 30 * 48_000));
    assert_about(since(broken.ended.unwrap()), since(broken.started.unwrap()) + 30.0, 0.15);
    assert!(since(after.started.unwrap()) < since(broken.ended.unwrap()) + 2.0, "{after:?}");
    assert_about(since(after.ended.unwrap()), 400.0, 0.6);
}

#[test]
fn a_piece_whose_file_breaks_off_is_over_there_and_what_follows_waits_for_its_time() {
    let piece = segment(20, 30.0);
    // Half of the first is missing, and of the last so little that it keeps its time.
    let mut station = Station::new(vec![
        cue("half", Join::Hard, 100.0, &segment(97, 40.0)),
        cue("b", Join::Follow, 140.0, &piece),
        cue("short", Join::Follow, 170.0, &segment(97, 18.0)),
        cue("d", Join::Follow, 188.0, &piece),
    ]);
    station.run_until(121.0);
    assert_eq!(station.status().layer, Layer::Silence);
    station.run_until(500.0);
    station.finish();
    station.check();
    let (broken, after) = (station.takes("half")[0], station.takes("b")[0]);
    assert_eq!((broken.cause, broken.delivered), (Some(Cause::FileBroken), 20 * 48_000));
    assert_about(since(broken.ended.unwrap()), 120.0, 0.15);
    assert_eq!((after.cause, after.delivered), (None, 30 * 48_000));
    assert_about(since(after.started.unwrap()), 140.0, FRAME);
    let (short, after) = (station.takes("short")[0], station.takes("d")[0]);
    assert_eq!((short.cause, short.delivered), (Some(Cause::FileBroken), 9 * 48_000));
    assert_about(since(short.ended.unwrap()), 188.0, FRAME);
    assert_about(since(after.started.unwrap()), 188.0, FRAME);
}

#[test]
fn what_is_joined_says_what_held_it_up() {
    let piece = segment(10, 60.0);
    let mut station =
        Station::new(vec![cue("a", Join::Hard, 100.0, &piece), cue("b", Join::Hard, 300.0, &piece)]);
    station.run_until(95.0);
    station.tell(order("x", Layer::Emergency, &segment(50, 20.0), Repeats::ONCE));
    station.run_until(290.0);
    station.lost.store(true, Ordering::SeqCst);
    station.run_until(310.0);
    station.lost.store(false, Ordering::SeqCst);
    station.run_until(500.0);
    station.finish();
    station.check();
    assert_eq!(station.held_by("a"), [Some(Cause::Emergency)]);
    assert_eq!(station.held_by("b"), [Some(Cause::OutputDown)]);
}

#[test]
fn what_is_late_and_whole_says_what_held_it_up_and_so_does_what_follows_it() {
    let piece = segment(10, 60.0);
    let late = Late::WholeWithin(seconds(300.0));
    let whole = Arc::new(Cue { late, ..Arc::unwrap_or_clone(cue("a", Join::Hard, 100.0, &piece)) });
    let follows = cue("b", Join::Follow, 160.0, &piece);
    let in_time = cue("c", Join::Hard, 220.0, &piece);
    let mut station = Station::new(vec![whole, follows, in_time]);
    station.run_until(95.0);
    station.tell(order("x", Layer::Emergency, &segment(50, 20.0), Repeats::ONCE));
    station.run_until(500.0);
    station.finish();
    station.check();
    assert_eq!(station.takes("a")[0].delivered, 60 * 48_000);
    assert_eq!(station.held_by("a"), [Some(Cause::Emergency)]);
    assert_eq!(station.held_by("b"), [Some(Cause::Emergency)]);
    assert_eq!(station.held_by("c"), [None]);
}

#[test]
fn a_lost_output_costs_what_was_not_heard_and_is_joined_when_it_is_back() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 60.0))]);
    station.run_until(120.0);
    station.lost.store(true, Ordering::SeqCst);
    station.run_until(130.0);
    assert!(!station.status().up);
    station.lost.store(false, Ordering::SeqCst);
    station.run_until(300.0);
    assert!(station.status().up);
    station.finish();
    station.check();
    let takes = station.takes("a");
    assert_eq!(takes.len(), 2, "{takes:?}");
    assert_eq!(takes[0].cause, Some(Cause::OutputDown));
    // Up to the loss, less the frames that were on their way into the device.
    assert_about(takes[0].delivered as f64 * FRAME, 20.0 - IN_FLIGHT as f64 * FRAME, 0.03);
    assert_eq!(takes[1].cause, None);
    // The amplifier was switched off meanwhile, and needs its 5 s.
    assert_about(since(takes[1].started.unwrap()), 135.0, 0.2);
    assert_about(since(takes[1].ended.unwrap()), 160.0, 0.6);
}

#[test]
fn a_cue_that_the_lost_output_kept_silent_is_logged_so() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 5.0))]);
    station.run_until(99.0);
    station.lost.store(true, Ordering::SeqCst);
    station.run_until(200.0);
    assert_eq!(station.not_aired("a"), Some(Cause::OutputDown));
    assert_eq!(station.takes("a"), [] as [&Closed; 0]);
    assert!(matches!(station.facts[..], [Fact::Opened { .. }, Fact::TakenBack { .. }, Fact::NotAired(_)]));
    station.finish();
    station.check();
}

#[test]
fn the_end_of_the_program_fades_and_closes() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 60.0))]);
    station.run_until(110.0);
    station.finish();
    let takes = station.takes("a");
    assert_eq!((takes.len(), takes[0].cause), (1, Some(Cause::ProgramStopped)));
    assert_about(takes[0].delivered as f64 * FRAME, 10.08, 0.05);
    assert_eq!(station.heard.lock().unwrap().last().unwrap().1, 0.0);
    assert!(since(station.clock.now()) < 111.0);
    station.check();
}

#[test]
fn an_end_just_before_a_start_takes_back_what_was_opened_for_it() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 60.0))]);
    station.run_until(99.0);
    station.finish();
    assert!(
        matches!(station.facts[..], [Fact::Opened { .. }, Fact::TakenBack { .. }]),
        "{:?}",
        station.facts
    );
    assert_eq!(station.heard(10), None);
    assert!(!station.amplifier.load(Ordering::SeqCst));
}

#[test]
fn the_amplifier_goes_off_when_the_last_frame_was_heard_also_at_the_end_and_without_a_tail() {
    for (tail, end) in [(0.0, 110.0), (3.0, 110.0), (0.0, 300.0)] {
        let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 60.0))]);
        let engine = &mut station.rehearsal.as_mut().unwrap().engine;
        engine.sequencer = Sequencer::new(Settings { tail: seconds(tail), ..Settings::default() });
        let switched = Arc::new(Mutex::new(Vec::new()));
        let (clock, switch) = (Arc::clone(&station.clock), Arc::clone(&switched));
        engine.amplifier.switch = Box::new(move |on| switch.lock().unwrap().push((on, clock.now())));
        station.run_until(end);
        station.finish();
        let heard = station.takes("a")[0].at;
        let switched = switched.lock().unwrap();
        let [(true, on), (false, off)] = switched[..] else { panic!("{switched:?}") };
        assert!(on <= at(100.0) && heard <= off, "off at {off}, and heard until {heard}");
    }
}

#[test]
fn a_thread_ends_when_it_is_told_to_and_when_nobody_is_left() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    for told in [true, false] {
        let (facts, _log) = sync_channel(8);
        let output_clock = Arc::clone(&clock);
        let open = move || Box::new(Null::new(output_clock)) as Box<dyn Output>;
        let (handle, thread) =
            Engine::spawn(parts(Arc::clone(&clock), &Arc::default()), facts, open).unwrap();
        if told {
            handle.send(Command::Shutdown).unwrap();
        } else {
            drop(handle);
        }
        thread.join().unwrap();
    }
}

#[test]
fn a_panic_switches_the_amplifier_off_and_is_seen_by_who_joins() {
    #[derive(Debug)]
    struct Broken(Arc<ManualClock>);
    impl Output for Broken {
        fn write(&mut self, _: &[f32]) -> Result<(), Lost> {
            self.0.advance(Duration::from_millis(20));
            assert!(since(self.0.now()) < 1.0, "the driver is broken");
            Ok(())
        }
        fn next_frame_at(&mut self) -> Timestamp {
            self.0.now()
        }
        fn delivered(&self) -> u64 {
            0
        }
        fn rest(&mut self, _: Timestamp) {}
        fn device(&self) -> String {
            "broken".into()
        }
    }
    let clock = Arc::new(ManualClock::new(at(0.0)));
    let (facts, _log) = sync_channel(8);
    let switched = Arc::new(Mutex::new(Vec::new()));
    let switch = Arc::clone(&switched);
    let parts = Parts {
        amplifier: Box::new(move |on| switch.lock().unwrap().push(on)),
        ..parts(Arc::<ManualClock>::clone(&clock), &Arc::default())
    };
    let open = move || Box::new(Broken(clock)) as Box<dyn Output>;
    let (handle, thread) = Engine::spawn(parts, facts, open).unwrap();
    // Keeps the engine awake.
    handle.send(order("now", Layer::Emergency, &segment(50, 30.0), Repeats::ONCE)).unwrap();
    assert!(thread.join().is_err());
    let switched = switched.lock().unwrap();
    assert!(switched.is_empty() || *switched == [true, false], "{switched:?}");
}

#[test]
fn whatever_people_do_every_cue_has_one_outcome() {
    let (a, b, alarm) = (segment(10, 40.0), segment(20, 25.0), segment(50, 12.0));
    for seed in 0..12_u64 {
        let mut station = Station::new(vec![
            cue("a", Join::Hard, 100.0, &a),
            cue("b", Join::Follow, 140.0, &b),
            cue("c", Join::Follow, 165.0, &a),
            cue("d", Join::Hard, 190.0, &b),
            cue("e", Join::Follow, 215.0, &segment(99, 10.0)),
            cue("f", Join::Follow, 225.0, &a),
        ]);
        let mut state = seed;
        let mut now = 70.0;
        for turn in 0..14 {
            // A linear congruence is random enough to shuffle with.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            now += f64::from((state >> 40) as u32 % 2_000) / 80.0;
            station.run_until(now);
            let id = format!("now-{turn}");
            match (state >> 33) % 6 {
                0 => station.lost.store(true, Ordering::SeqCst),
                1 | 2 => station.lost.store(false, Ordering::SeqCst),
                3 => station.tell(Command::StopCue(None)),
                4 => {
                    let layer = if state & 1 == 0 { Layer::Live } else { Layer::Emergency };
                    station.tell(order(&id, layer, &alarm, Repeats::ONCE));
                }
                _ => station.clock.step_to(station.clock.now() + seconds(3.0)),
            }
        }
        station.lost.store(false, Ordering::SeqCst);
        station.run_until(1_000.0);
        station.finish();
        station.check();
    }
}

#[test]
fn what_is_ready_is_joined_at_once_after_the_device_stood_still() {
    let mut station = Station::new(vec![cue("a", Join::Hard, 100.0, &segment(10, 3.0))]);
    station.run_until(99.5);
    station.clock.advance(Duration::from_millis(1_500));
    station.run_until(110.0);
    station.finish();
    station.check();
    // At its full level after its fade.
    assert_about(station.heard(10).unwrap(), 101.1, 0.05);
    let takes = station.takes("a");
    assert_about(since(takes[0].started.unwrap()), 101.0, 0.05);
    assert_about(since(takes[0].ended.unwrap()), 103.0, 0.05);
}

#[test]
fn what_the_device_had_still_to_play_when_a_rest_began_closes_no_later_take_too_soon() {
    let piece = segment(10, 20.0);
    let mut station =
        Station::new(vec![cue("a", Join::Hard, 100.0, &piece), cue("b", Join::Hard, 600.0, &piece)]);
    station.run_until(700.0);
    for (slot, end) in [("a", 120.0), ("b", 620.0)] {
        let closed = station.takes(slot)[0];
        // Three chunks are in the device when the last frame was written, and it has what it was given before.
        assert_about(since(closed.at), end + 3.5 * 1_024.0 * FRAME, 0.022);
    }
}
