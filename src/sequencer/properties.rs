//! What holds whatever happens: random timelines, random people, random clocks.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::sim::{C, Line, Sim, c, cue_id, interrupt, s, secs, timeline};
use super::{Action, Event, Interrupt, Repeats, Settings};
use crate::asrun::Cause;
use crate::schedule::Late;
use crate::timeline::{Absence, CueId, INTERRUPT_SESSION, Layer};

/// Cues begin here: the quiet ninety seconds of the simulator lie in the middle of them.
const FIRST: i64 = 1080;
const END: i64 = 1800;

#[derive(Debug, Clone)]
enum Happening {
    Take {
        layer: Layer,
        length: i64,
        repeats: u16,
    },
    GiveBack,
    StopCue,
    /// The file of what is on air breaks off.
    BreakOff,
    Withdraw(u8),
    OutputDown(i64),
    ClockWrong(i64),
    ClockSteps(i64),
    /// Another plan, so many tenths of a second before the next start where one is given, and that plan once more a
    /// little later, as something else of the week was changed or a fact came.
    Reload {
        cues: Vec<C>,
        before: Option<i64>,
        again: i64,
    },
    Restart,
    /// From now on, so many tenths of a second pass until the output runs after a rest, and all is kept in memory.
    Wakes(i64),
    /// From now on, opening takes so many tenths of a second.
    DiskSlows(i64),
}

fn cues() -> impl Strategy<Value = Vec<C>> {
    let late = prop_oneof![
        3 => Just(Late::Join),
        2 => Just(Late::Skip),
        1 => (1..60_i64).prop_map(|within| Late::WholeWithin(secs(within))),
    ];
    let cue = (0..3_i64, 1..70_i64, any::<bool>(), late, 0..8_i64, 0..8_u8);
    prop::collection::vec(cue, 0..9).prop_map(|cues| {
        let mut at = FIRST;
        let mut made = Vec::new();
        for (n, (gap, length, follow, late, over, kind)) in cues.into_iter().enumerate() {
            let slot = format!("c{n}");
            let start = at + gap * 4;
            let mut cue = c(&slot, start, length).late(late);
            if over > 4 {
                cue = cue.cut_by(over, 1);
            }
            if follow {
                cue = cue.follow();
            }
            if kind == 0 {
                cue = cue.absent(Absence::Missing);
                at = start;
            } else {
                at = start + length;
            }
            if kind == 1 {
                cue = cue.plays("c0");
            }
            made.push(cue);
        }
        made
    })
}

fn happenings() -> impl Strategy<Value = Vec<(i64, Happening)>> {
    let layer = prop_oneof![Just(Layer::Live), Just(Layer::Emergency)];
    let happening = prop_oneof![
        4 => (layer, 1..40_i64, 0..4_u16)
            .prop_map(|(layer, length, repeats)| Happening::Take { layer, length, repeats }),
        2 => Just(Happening::GiveBack),
        1 => Just(Happening::StopCue),
        1 => Just(Happening::BreakOff),
        1 => (0..9_u8).prop_map(Happening::Withdraw),
        1 => (0..40_i64).prop_map(Happening::OutputDown),
        1 => (0..40_i64).prop_map(Happening::ClockWrong),
        2 => (-200..200_i64).prop_map(Happening::ClockSteps),
        4 => (cues(), prop::option::weighted(0.7, 0..30_i64), 0..20_i64)
            .prop_map(|(cues, before, again)| Happening::Reload { cues, before, again }),
        1 => Just(Happening::Restart),
        2 => (0..20_i64).prop_map(Happening::Wakes),
        1 => (0..400_i64).prop_map(Happening::DiskSlows),
    ];
    prop::collection::vec((0..900_i64, happening), 0..10)
}

fn tenths(tenths: i64) -> SignedDuration {
    SignedDuration::from_millis(tenths * 100)
}

/// A run to its end: the simulator, the last timeline's cues, and whether the program died on the way.
fn run(cues: &[C], happenings: &[(i64, Happening)], nudge: bool) -> (Sim, Vec<C>, bool) {
    let settings = Settings { lead: secs(5), tail: secs(3), ..Settings::default() };
    let mut sim = Sim::with(s(FIRST - 60), settings.clone());
    sim.nudge = nudge;
    sim.fails.insert(cue_id("c3"));
    let mut cues = cues.to_vec();
    let mut restarted = false;
    sim.load(&timeline(END, cues.clone()));
    for (n, (wait, happening)) in happenings.iter().enumerate() {
        let then = sim.now + tenths(*wait);
        sim.run_to(then);
        match happening {
            Happening::Take { layer, length, repeats } => {
                let repeats = Repeats { at_most: Some(*repeats), soon: secs(20), close: 1, then: secs(45) };
                let what = Interrupt { repeats, ..interrupt(&format!("i{n}"), *layer, *length) };
                sim.tell(Event::Interrupt(Arc::new(what)));
            }
            Happening::GiveBack => {
                let last = sim.sequencer.view().interrupts().last().map(|one| one.what.id.clone());
                if let Some(last) = last {
                    sim.tell(Event::CallOff(last));
                }
            }
            Happening::StopCue => {
                sim.tell(Event::StopCue(None));
            }
            Happening::BreakOff => {
                if let Some(cue) = sim.sequencer.view().on_air.map(|cue| cue.id.clone()) {
                    sim.tell(Event::BrokeOff(cue));
                }
            }
            Happening::Withdraw(n) => {
                sim.tell(Event::Withdraw(format!("c{n}").as_str().into()));
            }
            Happening::OutputDown(seconds) => {
                sim.tell(Event::Output { up: false });
                let then = sim.now + secs(*seconds);
                sim.run_to(then).tell(Event::Output { up: true });
            }
            Happening::ClockWrong(seconds) => {
                sim.tell(Event::Clock { trusted: false });
                let then = sim.now + secs(*seconds);
                sim.run_to(then).tell(Event::Clock { trusted: true });
            }
            Happening::ClockSteps(seconds) => sim.now += secs(*seconds),
            Happening::Reload { cues: new, before, again } => {
                if let (Some(before), Some(next)) = (before, sim.sequencer.view().next) {
                    sim.run_to(next.at - tenths(*before));
                }
                cues.clone_from(new);
                sim.load(&timeline(END, cues.clone()));
                let then = sim.now + tenths(*again);
                sim.run_to(then).load(&timeline(END, cues.clone()));
            }
            Happening::Wakes(after) => (sim.waking, sim.opening) = (tenths(*after), SignedDuration::ZERO),
            Happening::DiskSlows(opening) => sim.opening = tenths(*opening),
            Happening::Restart => {
                restarted = true;
                sim.restart(settings.clone());
                sim.load(&timeline(END, cues.clone()));
            }
        }
    }
    sim.run_to(s(END + 600));
    (sim, cues, restarted)
}

/// One line of the log that is about a cue of the timeline.
fn of<'a>(sim: &'a Sim, cue: &'a CueId) -> impl Iterator<Item = &'a Line> {
    sim.log.iter().filter(move |line| match line {
        Line::Began { cue: own, .. } | Line::Over { cue: own, .. } | Line::NotAired { cue: own, .. } => {
            own == cue
        }
        Line::Amplifier { .. } => false,
    })
}

fn began(line: &&Line) -> bool {
    matches!(line, Line::Began { .. })
}

fn not_aired(line: &&Line) -> bool {
    matches!(line, Line::NotAired { .. })
}

fn completed(line: &Line) -> bool {
    matches!(line, Line::Over { cause: None | Some(Cause::PlannedCut), .. })
}

fn all_ids(sim: &Sim) -> BTreeSet<CueId> {
    sim.log
        .iter()
        .filter_map(|line| match line {
            Line::Began { cue, .. } | Line::Over { cue, .. } | Line::NotAired { cue, .. } => {
                Some(cue.clone())
            }
            Line::Amplifier { .. } => None,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_cue_whose_time_came_has_exactly_one_outcome(cues in cues(), happenings in happenings()) {
        let (sim, cues, restarted) = run(&cues, &happenings, false);
        for C(cue) in &cues {
            let takes = of(&sim, &cue.id).filter(began).count();
            let refusals = of(&sim, &cue.id).filter(not_aired).count();
            // What ended while the program was down is the store's to log; what was cut then may be given up after.
            if !restarted {
                prop_assert_eq!(usize::from(takes > 0) + refusals, 1, "{}: {:#?}", cue.id, sim.log);
            }
        }
        for id in all_ids(&sim) {
            let lines: Vec<_> = of(&sim, &id).collect();
            let refusals = lines.iter().filter(|line| not_aired(line)).count();
            prop_assert!(refusals <= 1, "{id}: {lines:#?}");
            if let Some(last) = lines.iter().position(|line| completed(line) || not_aired(line)) {
                prop_assert!(!lines.iter().skip(last + 1).any(began), "{id} after its end: {lines:#?}");
            }
            let takes = lines.iter().filter(|line| began(line)).count();
            let closed = lines.iter().filter(|line| matches!(line, Line::Over { .. })).count();
            prop_assert_eq!(takes, closed, "{}", id);
        }
    }

    #[test]
    fn a_lower_layer_never_stops_a_higher(cues in cues(), happenings in happenings()) {
        let (sim, ..) = run(&cues, &happenings, false);
        let emergency = |id: &CueId| {
            let of = |action: &Action| matches!(action, Action::Start { cue, .. } if cue.id == *id && cue.layer == Layer::Emergency);
            sim.actions.iter().any(of)
        };
        for action in &sim.actions {
            let Action::Stop { cue, cause, .. } = action else { continue };
            let person = cue.block.session.as_str() == INTERRUPT_SESSION;
            prop_assert!(*cause != Cause::Emergency || !emergency(cue), "{action:?}");
            let of_the_plan = [Cause::Live, Cause::CutByNext, Cause::PlannedCut, Cause::ScheduleChanged];
            prop_assert!(!of_the_plan.contains(cause) || !person, "{action:?}");
        }
    }

    #[test]
    fn no_step_storms(cues in cues(), happenings in happenings()) {
        let (sim, ..) = run(&cues, &happenings, false);
        prop_assert!(sim.busiest <= 40, "{} actions in one step", sim.busiest);
        let bound = 25 * (10 + happenings.len() * 4);
        prop_assert!(sim.actions.len() <= bound, "{:#?}", sim.actions);
    }

    #[test]
    fn resting_until_the_next_change_misses_nothing(cues in cues(), happenings in happenings()) {
        // A device that takes its time to wake shows whether there was a rest.
        let wakes = |happening: &Happening| matches!(happening, Happening::Wakes(_));
        let happenings: Vec<_> = happenings.into_iter().filter(|(_, happening)| !wakes(happening)).collect();
        let (resting, ..) = run(&cues, &happenings, false);
        let (restless, ..) = run(&cues, &happenings, true);
        prop_assert_eq!(resting.log, restless.log);
    }

    #[test]
    fn a_take_is_opened_for_what_sounds(
        cues in cues(), whole in any::<bool>(), taken in 0..7000_i64, emergency in any::<bool>(), length in 1..40_i64,
    ) {
        let late = |cue: C| if whole { cue.late(Late::WholeWithin(secs(60))) } else { cue };
        let cues: Vec<C> = cues.into_iter().map(late).collect();
        let layer = if emergency { Layer::Emergency } else { Layer::Live };
        let (sim, ..) = run(&cues, &[(taken, Happening::Take { layer, length, repeats: 1 })], false);
        // Who takes the air in the two seconds before a start is not foreseen.
        let unforeseen = s(FIRST - 60) + tenths(taken)..s(FIRST - 58) + tenths(taken);
        let back: Vec<_> = sim.record.taken_back.iter().filter(|(at, _)| !unforeseen.contains(at)).collect();
        prop_assert!(back.is_empty(), "{back:#?} of {:#?}", sim.log);
    }

    #[test]
    fn a_restart_leaves_the_future_as_it_was(cues in cues(), killed in 0..7000_i64) {
        let cues: Vec<C> = cues
            .into_iter()
            .map(|cue| if matches!(cue.0.late, Late::WholeWithin(_)) { cue.late(Late::Join) } else { cue })
            .collect();
        let (whole, ..) = run(&cues, &[], false);
        let (killed_sim, ..) = run(&cues, &[(killed, Happening::Restart)], false);
        let after = s(FIRST - 60) + SignedDuration::from_millis(killed * 100) + secs(10);
        for C(cue) in cues.iter().filter(|cue| cue.0.at > after) {
            let future = |sim: &Sim| of(sim, &cue.id).cloned().collect::<Vec<_>>();
            prop_assert_eq!(future(&whole), future(&killed_sim), "{}", cue.id);
        }
    }
}
