//! What people see of the engine.

use std::sync::Arc;

use super::handle::{InForce, Next, OnAir, SILENCE_DBFS, Status};
use super::{Engine, Stage};

impl Engine {
    /// Tells everybody.
    pub(super) fn publish(&mut self) {
        let peak = self.mixer.take_peak();
        let peak_dbfs = if peak > 0.0 { (20.0 * peak.log10()).max(SILENCE_DBFS) } else { SILENCE_DBFS };
        let view = self.sequencer.view();
        let on_air = view.on_air.and_then(|cue| {
            let segment = cue.segment()?;
            let since = self.held.iter().find_map(|held| match held.stage {
                Stage::Sounding(since) => (held.cue.id == cue.id).then_some(since),
                Stage::Opening | Stage::Ready(_) | Stage::Chained | Stage::Placed => None,
            });
            Some(OnAir {
                cue: cue.id.clone(),
                title: cue.title.clone(),
                segment: segment.id.clone(),
                segment_title: segment.words.title.clone(),
                since: since.unwrap_or(cue.at),
                until: view.until.unwrap_or(cue.end),
            })
        });
        let next = view.next.map(|cue| Next { cue: cue.id.clone(), title: cue.title.clone(), at: cue.at });
        self.status.send_replace(Status {
            output: self.id.clone(),
            at: self.clock.now(),
            layer: view.layer,
            on_air,
            next,
            interrupts: view.interrupts().map(InForce::from).collect(),
            peak_dbfs,
            device: self.output.device(),
            up: self.up,
            amplifier: self.power.is_on(),
            amplifier_fails: self.power.fails(),
            files_hang: self.preroll.hangs(),
            clock: self.health,
            starved: self.own_starved + self.output.starved(),
            unlogged: self.ledger.unlogged(),
            kept: Arc::clone(&self.kept_ids),
            poised: self.preroll.poised().cloned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use crate::clock::{Clock as _, ManualClock};
    use crate::engine::Rehearsal;
    use crate::engine::handle::Command;
    use crate::engine::opener::Opener;
    use crate::engine::preroll::Preroll;
    use crate::engine::tests::{Levels, at, parts, seconds, segment, soon};
    use crate::media::source::MemorySource;
    use crate::output::amplifier::{Amplifier, Switch};
    use crate::output::null::Null;

    #[test]
    fn an_amplifier_whose_command_fails_is_not_shown_as_on() {
        let folder = tempfile::tempdir().unwrap();
        let command = |program: &str| vec![program.to_owned()];
        let switch = Switch { on: command("false"), off: command("true") };
        let amplifier = Amplifier::new(Some(switch), folder.path().join("on")).unwrap();
        let power = amplifier.power();
        let clock = Arc::new(ManualClock::new(at(0.0)));
        let mut parts = parts(Arc::<ManualClock>::clone(&clock), &Arc::default());
        parts.power = Arc::clone(&power);
        parts.amplifier = Box::new(move |on| amplifier.switch(on));
        let mut rehearsal = Rehearsal::new(parts, Box::new(Null::new(clock)));
        rehearsal.engine.amplifier.set(true);
        soon(|| power.fails().then_some(()));
        rehearsal.engine.publish();
        let status = rehearsal.handle().status();
        assert_eq!((status.amplifier, status.amplifier_fails), (false, true));
    }

    #[test]
    fn what_needs_no_file_is_told_at_the_turn_that_has_it() {
        let clock = Arc::new(ManualClock::new(at(0.0)));
        let output = Box::new(Null::new(Arc::<ManualClock>::clone(&clock)));
        let mut rehearsal = Rehearsal::new(parts(Arc::<ManualClock>::clone(&clock), &Arc::default()), output);
        let opener = Arc::new(Levels) as Arc<dyn Opener>;
        rehearsal.engine.preroll = Preroll::threaded(&opener, Arc::<ManualClock>::clone(&clock)).unwrap();
        rehearsal.engine.until = Some(at(100_000.0));
        while rehearsal.engine.resting.is_none() {
            rehearsal.engine.turn();
        }
        let handle = rehearsal.handle().clone();
        let (standing, other) = (segment(10, 1.0), segment(11, 1.0));
        let sound = MemorySource::new(&[0.5; 48_000], 1);
        handle.send(Command::Keep(Arc::new([(standing.id.clone(), sound)].into()))).unwrap();
        assert!(!handle.status().needs_no_file(&standing.id));
        rehearsal.engine.turn();
        assert!(handle.status().needs_no_file(&standing.id) && !handle.status().needs_no_file(&other.id));

        handle.send(Command::Poise(Arc::clone(&other))).unwrap();
        soon(|| {
            rehearsal.engine.turn();
            rehearsal.engine.preroll.poised().cloned()
        });
        assert!(handle.status().needs_no_file(&other.id));
        handle.send(Command::Keep(Arc::default())).unwrap();
        clock.advance(Duration::from_secs(600));
        rehearsal.engine.turn();
        assert_eq!([&standing, &other].map(|one| handle.status().needs_no_file(&one.id)), [false, false]);
    }

    #[test]
    fn a_resting_engine_gives_signs_of_life() {
        let clock = Arc::new(ManualClock::new(at(0.0)));
        let output = Box::new(Null::new(Arc::<ManualClock>::clone(&clock)));
        let mut rehearsal = Rehearsal::new(parts(Arc::<ManualClock>::clone(&clock), &Arc::default()), output);
        rehearsal.engine.until = Some(at(100_000.0));
        for _ in 0..40 {
            rehearsal.engine.turn();
            clock.advance(Duration::from_secs(1));
        }
        assert!(rehearsal.engine.resting.is_some());
        let age = clock.now().duration_since(rehearsal.handle().status().at);
        assert!(age <= seconds(6.0), "the watchdog would think that it hangs: {age}");
    }
}
