//! Days through the real engine on simulated time, decoding and mixing included: the same for the command line and for
//! the console. Nothing is stored, and nothing is heard.
//!
//! Nobody plans anew on the way: behind a file that breaks off, what follows keeps its time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::asrun::{Airing, ClockHealth, Entry, Fact};
use crate::clock::{Clock, ManualClock};
use crate::engine::handle::{Command, Refused};
use crate::engine::opener::Inline;
use crate::engine::{Parts, Rehearsal as Engine};
use crate::output::rehearsal::Rehearsal;
use crate::output::wav::WavFile;
use crate::schedule::Schedule;
use crate::sequencer::Settings;
use crate::timeline::Timeline;

/// Runs a timeline of one output with the recordings in `audio`, and keeps the sound in `wav`. Gives what would be
/// logged, by planned start. Takes seconds of processor time for each day.
pub fn rehearse(
    audio: &Path,
    schedule: &Schedule,
    timeline: &Arc<Timeline>,
    wav: Option<WavFile>,
) -> Result<Vec<Airing>, Refused> {
    let clock = Arc::new(ManualClock::new(timeline.window.from));
    let settings = schedule.output(&timeline.output).map_or_else(Settings::default, |line| Settings {
        lead: line.lead,
        tail: line.tail,
        ..Settings::default()
    });
    let tail = settings.tail;
    let parts = Parts {
        output: timeline.output.clone(),
        settings,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        opener: Arc::new(Inline { audio: audio.to_owned() }),
        amplifier: Box::new(|_| {}),
        power: Arc::default(),
    };
    let mut engine = Engine::new(parts, Box::new(Rehearsal::new(clock, wav)));
    engine.handle().send(Command::Clock(ClockHealth::Synchronised))?;
    engine.handle().send(Command::Load { timeline: Arc::clone(timeline), settled: Arc::default() })?;
    let mut airings = BTreeMap::new();
    let mut note = |fact: Fact| {
        if let Some(entry) = Entry::of(&fact, &[])
            && let Some((_, cue)) = entry.subject()
        {
            let cue = cue.clone();
            let before = airings.remove(&cue);
            airings.extend(Airing::after(before, &entry).map(|airing| (cue, airing)));
        }
    };
    // The last block may begin just before the window's end.
    let over = timeline.blocks.last().map_or(timeline.window.to, |block| block.end.max(timeline.window.to));
    engine.run_until(over + tail + SignedDuration::from_secs(1), &mut note);
    engine.finish(&mut note);
    // What is silent takes no time: at one instant the plan's order is the only one.
    let mut planned: Vec<Airing> = timeline.cues().filter_map(|cue| airings.remove(&cue.id)).collect();
    planned.extend(airings.into_values());
    planned.sort_by_key(|airing| airing.item.planned);
    Ok(planned)
}
