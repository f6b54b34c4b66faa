//! Emergencies that were in force when the program ended: they go on, as who ordered them believes, until somebody calls
//! them off. A power cut must not be what takes a warning back.

use std::error::Error;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tracing::{error, info, warn};

use crate::asrun::{Airing, Cause, Outcome};
use crate::engine::handle::{Command, Handle};
use crate::segment::State;
use crate::sequencer::{Interrupt, Repeats, Resumed, StandingOrder, WAITS_FOR_OUTPUT};
use crate::store::{Store, StoreError};
use crate::timeline::Layer;
use crate::timeline::plan::Plan;

/// A station that was away for longer than this, and than an order's own distance between two airings, lets it end: nobody
/// could call it off meanwhile, and nobody is to be woken by what was urgent the day before.
const GO_ON_AFTER: SignedDuration = SignedDuration::from_hours(2);

/// Lets go of the orders for which the station was away for too long; Hôm nay says so.
pub fn let_go_of_old(store: &Store, away: SignedDuration, now: Timestamp) -> Result<(), StoreError> {
    for order in orders(store, now)? {
        if away > GO_ON_AFTER.max(order.repeats.then) {
            warn!(interrupt.id = %order.id, minutes = away.as_mins(), "an emergency was in force, and the station was away for too long: it does not go on");
            store.let_go_of_order(order.id.as_str(), now)?;
        }
    }
    Ok(())
}

/// Has the engines go on with the orders in force. What is over is kept no more.
pub fn resume(store: &Store, plan: &Plan, engines: &[Handle], now: Timestamp) -> Result<(), StoreError> {
    // By a clock that fell back, whatever was ever let go would be so in time to come.
    let latest = store.newest_instant()?.map_or(now, |newest| newest.max(now));
    for order in orders(store, latest)? {
        let (mut known, mut goes_on) = (false, false);
        for engine in engines.iter().filter(|engine| order.outputs.contains(engine.output())) {
            let aired = store.airings_of_order(order.id.as_str(), engine.output())?;
            known = true;
            let Some(resumed) = resumed(&order, plan, &aired, now) else { continue };
            goes_on = true;
            info!(interrupt.id = %order.id, output.id = %engine.output(), airing = resumed.airing, due = %resumed.due, "an emergency goes on");
            if let Err(refused) = engine.send(Command::Resume(resumed)) {
                error!(interrupt.id = %order.id, output.id = %engine.output(), error = &refused as &dyn Error, "an emergency does not go on");
            }
        }
        if !known {
            error!(interrupt.id = %order.id, outputs = ?order.outputs, "an emergency was in force on outputs that are no more");
            store.let_go_of_order(order.id.as_str(), now)?;
        } else if !goes_on {
            store.end_standing_order(order.id.as_str())?;
        }
    }
    Ok(())
}

/// The orders that nobody called off. One that cannot be read says so at every start.
fn orders(store: &Store, now: Timestamp) -> Result<Vec<StandingOrder>, StoreError> {
    let read = |(interrupt, body): (String, String)| match serde_json::from_str(&body) {
        Ok(order) => Some(order),
        Err(failure) => {
            error!(
                interrupt.id = interrupt,
                error = &failure as &dyn Error,
                "an order in force cannot be read"
            );
            None
        }
    };
    Ok(store.standing_orders(now)?.into_iter().filter_map(read).collect())
}

/// How an order goes on after what `aired` of it on an output; none where it is over, or what it airs was withdrawn.
///
/// What the end of the program cut was not heard, nor what waited for its loudspeaker then: it is due at once, and does not
/// count among the repeats.
fn resumed(order: &StandingOrder, plan: &Plan, aired: &[Airing], now: Timestamp) -> Option<Resumed> {
    let segment = plan.catalog.get(&order.segment).filter(|segment| segment.state == State::Approved)?;
    let last = aired.iter().max_by_key(|airing| airing.item.cue.piece);
    let last_was_cut = last.is_some_and(|last| was_cut(last) || waited(last, now));
    let before = aired.iter().filter(|airing| Some(*airing) != last && was_cut(airing)).count();
    let cut = u16::try_from(before + usize::from(last_was_cut)).unwrap_or(u16::MAX);
    let repeats = Repeats {
        at_most: order.repeats.at_most.map(|most| most.saturating_add(cut)),
        close: order.repeats.close.saturating_add(cut),
        ..order.repeats
    };
    let airing = last.map_or(Some(0), |last| last.item.cue.piece.checked_add(1))?;
    let distance = repeats.before(airing);
    // By a clock that went back, an airing of before may lie far ahead.
    let latest = now.saturating_add(distance).unwrap_or(Timestamp::MAX);
    let due = last.filter(|_| !last_was_cut).map_or(now, |last| {
        let began = last.started().unwrap_or(last.item.planned);
        began.saturating_add(distance).unwrap_or(Timestamp::MAX).clamp(now, latest)
    });
    repeats.include(airing).then(|| {
        let (id, by) = (order.id.clone(), order.by.clone());
        let what = Interrupt::new(id, Layer::Emergency, Arc::clone(segment), by, repeats, &plan.schedule);
        Resumed { what: Arc::new(what), since: order.since, airing, due }
    })
}

/// Whether the end of the program kept an airing from being heard whole.
fn was_cut(airing: &Airing) -> bool {
    matches!(unheard_for(airing), Some(Cause::PowerCut | Cause::ProgramStopped | Cause::NotRunning))
}

/// Whether it would wait for its loudspeaker still.
fn waited(airing: &Airing, now: Timestamp) -> bool {
    unheard_for(airing) == Some(Cause::OutputDown)
        && airing.decided().is_some_and(|at| now.duration_since(at) < WAITS_FOR_OUTPUT)
}

/// Why it was not heard whole.
fn unheard_for(airing: &Airing) -> Option<Cause> {
    match airing.outcome() {
        Outcome::Partly(cause) | Outcome::NotAired(cause) => Some(cause),
        Outcome::OnAir | Outcome::Aired | Outcome::Withdrawn => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use tokio::sync::watch;

    use super::*;
    use crate::asrun::{ClockHealth, Fact, NotAired, fixture as facts};
    use crate::engine::handle::Status;
    use crate::schedule::Start;
    use crate::segment::{Catalog, Segment};
    use crate::store::Act;
    use crate::timeline::{BlockId, Cue, CueId, History, INTERRUPT_SESSION, Window, compile, fixture};

    const ID: &str = "20261123T010000Z-00000001";

    /// A station whose log has an emergency of a minute, ordered at 08:00.
    struct Bench {
        _dir: tempfile::TempDir,
        store: Store,
        plan: Plan,
    }

    /// So many seconds after the order.
    fn at(second: i64) -> Timestamp {
        fixture::at("2026-11-23T01:00:00Z") + SignedDuration::from_secs(second)
    }

    fn order(at_most: Option<u16>) -> StandingOrder {
        let [soon, then] = [5, 30].map(SignedDuration::from_mins);
        StandingOrder {
            id: ID.into(),
            segment: fixture::segment_id("tin"),
            by: "lan".to_owned(),
            repeats: Repeats { at_most, soon, close: 1, then },
            outputs: vec![fixture::output()],
            since: at(0),
        }
    }

    impl Bench {
        fn new(order: &StandingOrder) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(dir.path()).unwrap();
            let act = Act {
                at: at(0),
                by: "lan".to_owned(),
                what: "interrupt.emergency".to_owned(),
                subject: format!("{ID} tin"),
                title: None,
                origin: "x".to_owned(),
            };
            store.act_of_order(act, Some(&serde_json::to_string(order).unwrap())).unwrap();
            let slot = fixture::slot("tin", Start::Follow, fixture::play("programme:tin"));
            let schedule = fixture::schedule("Asia/Ho_Chi_Minh", vec![slot]);
            let catalog: Catalog = [fixture::segment("tin", "tin", 60)].into_iter().collect();
            let window = Window { from: at(-36_000), to: at(36_000) };
            let timeline = compile(&schedule, &catalog, &History::default(), &fixture::output(), window);
            let plan = Plan {
                schedule: Arc::new(schedule),
                catalog: Arc::new(catalog),
                timelines: vec![Arc::new(timeline)],
                problems: Arc::default(),
                at: at(0),
            };
            Self { _dir: dir, store, plan }
        }

        /// An airing of the order.
        fn cue(&self, piece: u16, second: i64) -> Arc<Cue> {
            let mut cue = Cue::clone(&self.plan.timelines[0].blocks[0].cues[0]);
            let block = BlockId::new(cue.id.block.date, INTERRUPT_SESSION);
            cue.id = CueId { block, slot: ID.into(), piece };
            cue.layer = Layer::Emergency;
            (cue.at, cue.end) = (at(second), at(second + 60));
            Arc::new(cue)
        }

        /// One that sounded for so long, unless it is on the air still.
        fn aired(&self, piece: u16, second: i64, sounded: Option<(i64, Option<Cause>)>) {
            let (cue, from) = (self.cue(piece, second), at(second));
            self.store.record(&facts::opened(&cue, 0, from, 60)).unwrap();
            let Some((seconds, cause)) = sounded else { return };
            self.store.record(&facts::closed(&cue, 0, from, seconds, cause)).unwrap();
        }

        /// What the engine is told by a program that begins then, and whether the order is kept: which airing is due when,
        /// in seconds after the order, and how often at most.
        fn begin(&self, second: i64) -> (Option<(u16, i64, Option<u16>)>, bool) {
            let (commands, told) = sync_channel(4);
            let (_status, seen) = watch::channel(Status::at_first(&fixture::output(), at(second)));
            let engine = Handle::new(fixture::output(), commands, seen);
            resume(&self.store, &self.plan, &[engine], at(second)).unwrap();
            let resumed = told.try_recv().ok().map(|command| {
                let Command::Resume(resumed) = command else { panic!("{command:?}") };
                assert_eq!((resumed.what.layer, resumed.since), (Layer::Emergency, at(0)));
                (resumed.airing, resumed.due.duration_since(at(0)).as_secs(), resumed.what.repeats.at_most)
            });
            assert!(told.try_recv().is_err());
            (resumed, !self.store.standing_orders(at(second)).unwrap().is_empty())
        }
    }

    #[test]
    fn an_order_goes_on_where_it_was_and_what_was_cut_sounds_again_at_once() {
        let until_called_off = order(None);
        let bench = Bench::new(&until_called_off);
        assert_eq!(bench.begin(30), (Some((0, 30, None)), true), "nothing of it was heard");
        bench.aired(0, 0, Some((60, None)));
        assert_eq!(bench.begin(100), (Some((1, 300, None)), true), "its repeat keeps its distance");
        assert_eq!(bench.begin(900), (Some((1, 900, None)), true), "or is due at once");
        bench.aired(1, 300, Some((60, None)));
        assert_eq!(bench.begin(400), (Some((2, 2_100, None)), true));
        bench.aired(2, 2_100, None);
        bench.store.recover(at(2_200)).unwrap();
        assert_eq!(bench.begin(2_200), (Some((3, 2_200, None)), true), "it was cut");
        let missed = NotAired {
            cue: bench.cue(3, 2_200),
            output: fixture::output(),
            cause: Cause::ProgramStopped,
            clock: ClockHealth::default(),
            at: at(2_201),
        };
        bench.store.record(&Fact::NotAired(missed)).unwrap();
        assert_eq!(bench.begin(2_300), (Some((4, 2_300, None)), true));
    }

    #[test]
    fn what_was_cut_does_not_count_and_what_is_over_is_kept_no_more() {
        let bench = Bench::new(&order(Some(2)));
        bench.aired(0, 0, Some((20, Some(Cause::PowerCut))));
        assert_eq!(bench.begin(50), (Some((1, 50, Some(3))), true));
        bench.aired(1, 50, Some((60, None)));
        bench.aired(2, 350, Some((60, None)));
        assert_eq!(bench.begin(500), (None, false));
    }

    #[test]
    fn what_waited_for_its_loudspeaker_is_due_at_once_and_not_for_ever() {
        for (begins, expected) in [(300, Some((1, 300, Some(2)))), (3_000, None)] {
            let bench = Bench::new(&order(Some(1)));
            bench.aired(0, 0, Some((20, Some(Cause::OutputDown))));
            assert_eq!(bench.begin(begins).0, expected);
        }
    }

    #[test]
    fn what_was_cut_does_not_take_the_close_repeats_away() {
        let bench = Bench::new(&order(None));
        bench.aired(0, 0, Some((20, Some(Cause::PowerCut))));
        bench.aired(1, 60, Some((60, None)));
        assert_eq!(bench.begin(130).0, Some((2, 360, None)), "five minutes, not thirty");
    }

    #[test]
    fn a_clock_that_went_back_delays_no_repeat_and_loses_none() {
        let bench = Bench::new(&order(Some(3)));
        bench.aired(0, 0, Some((60, None)));
        assert_eq!(bench.begin(-3_600).0, Some((1, -3_300, Some(3))), "its distance from now");
        bench.aired(1, -3_300, Some((60, None)));
        assert_eq!(bench.begin(100).0, Some((2, 100, Some(3))), "what aired by that clock counts");
    }

    #[test]
    fn an_order_for_an_output_that_is_no_more_is_told() {
        let bench = Bench::new(&StandingOrder { outputs: vec!["loa-cu".into()], ..order(None) });
        assert_eq!(bench.begin(30), (None, false));
        assert_eq!(bench.store.orders_let_go(at(30)).unwrap().len(), 1);
    }

    #[test]
    fn what_a_wrong_clock_let_go_goes_on_by_the_right_one() {
        let bench = Bench::new(&order(None));
        let_go_of_old(&bench.store, SignedDuration::from_hours(24), at(86_400)).unwrap();
        assert!(!bench.begin(86_401).1);
        assert_eq!(bench.begin(30), (Some((0, 30, None)), true));
        // But not while the log is ahead of it: then it is this clock that may be wrong.
        bench.store.note(at(86_402), crate::asrun::Note::Stopped).unwrap();
        assert_eq!(bench.begin(30).0, None);
    }

    #[test]
    fn what_was_withdrawn_or_called_off_does_not_go_on() {
        let bench = Bench::new(&order(None));
        let act = Act {
            at: at(10),
            by: "lan".to_owned(),
            what: "interrupt.call-off".to_owned(),
            subject: ID.to_owned(),
            title: None,
            origin: "x".to_owned(),
        };
        bench.store.act_of_call_off(act, true).unwrap();
        assert_eq!(bench.begin(30), (None, false));

        let mut bench = Bench::new(&order(None));
        let gone = Segment { state: State::Withdrawn, ..fixture::segment("tin", "tin", 60) };
        bench.plan.catalog = Arc::new([gone].into_iter().collect());
        assert_eq!(bench.begin(30), (None, false));
    }

    #[test]
    fn a_station_that_was_away_for_long_lets_it_end() {
        let mut rarely = order(None);
        rarely.repeats.then = SignedDuration::from_hours(6);
        for (order, away, stands) in [(order(None), 2, true), (order(None), 3, false), (rarely, 6, true)] {
            let bench = Bench::new(&order);
            let_go_of_old(&bench.store, SignedDuration::from_hours(away), at(20)).unwrap();
            let told = [at(20), at(21)].map(|since| bench.store.orders_let_go(since).unwrap().len());
            assert_eq!((bench.begin(30).1, told), (stands, [usize::from(!stands), 0]), "{away} h");
        }
    }
}
