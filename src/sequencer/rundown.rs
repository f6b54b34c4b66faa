//! The timeline, followed: what is prepared, started, chained, and given up.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::agenda::{Entry, Progress};
use super::air::Chained;
use super::late::{self, LEAST_REST, TOLERANCE, is_late};
use super::{Action, Air, Pass, Sequencer, Stage, Voice};
use crate::asrun::Cause;
use crate::timeline::{Content, Cue, CueId, Join, Layer};

/// How many cues are held open ahead of their time.
const AHEAD: usize = 2;

/// A cue that follows is chained to the one on air where its own instant is no further behind that one's end.
pub(super) const CHAIN_TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

/// How far into it what is ready may begin without being opened anew: a little less than is decoded of what waits.
///
/// Where less of it is there, as right after it became ready, the engine opens it anew all the same.
pub const IN_HAND: SignedDuration = SignedDuration::from_millis(1_900);

/// What one step gives up at most: a clock that jumps a week must not flood the engine.
const GIVEN_UP_AT_ONCE: usize = 32;

/// After this, a cue that could not be opened ahead of its time is tried again.
pub(super) const OPENED_AGAIN: SignedDuration = SignedDuration::from_secs(4);

/// A cue that is opened too slowly gets twice as long each time, up to this many times.
const DOUBLINGS: u32 = 5;

/// What is to be done about a cue.
#[derive(Debug)]
enum Verdict {
    /// Nothing yet; it will be over by then, as far as is known.
    Wait { end: Timestamp },
    /// It is out of the running, for now or for ever.
    Pass,
    /// It never will sound.
    Refuse(Cause),
    /// Open it so that it can start at this instant.
    Prepare { start: Timestamp, too_slow: bool },
    /// Place its first frame here.
    Start { at: Timestamp, skip: SignedDuration },
    /// Let it follow the one on air.
    Chain { skip: SignedDuration },
}

impl Sequencer {
    /// Why a cue can never sound.
    pub(super) fn barred(&self, cue: &Cue) -> Option<Cause> {
        match &cue.content {
            Content::Nothing(absence) => Some(absence.into()),
            Content::Segment(segment) => self.withdrawn.contains(&segment.id).then_some(Cause::Withdrawn),
        }
    }

    /// Why nothing of the timeline may start at an instant.
    pub(super) fn obstacle(&self, at: Timestamp) -> Option<Cause> {
        if !self.output_up {
            return Some(Cause::OutputDown);
        }
        match self.layer() {
            Layer::Emergency => Some(Cause::Emergency),
            Layer::Live => Some(Cause::Live),
            Layer::Silence | Layer::Scheduled if !self.clock_trusted => Some(Cause::ClockNotTrusted),
            Layer::Silence | Layer::Scheduled => self.curfew.covers(at).then_some(Cause::AgainstTheRules),
        }
    }

    /// Goes through the cues that are near, in order.
    pub(super) fn follow_the_plan(&mut self, pass: &mut Pass<'_>) {
        let mut free = self.voice().map(Voice::end);
        let mut ahead = 0;
        let mut given_up = 0;
        let mut place = self.agenda.open().next().map_or(usize::MAX, |(place, _)| place);
        while let Some(entry) = self.agenda.entries.get(place) {
            let near = entry.cue.at.checked_sub(self.settings.prepare_ahead).unwrap_or(Timestamp::MIN);
            if ahead >= AHEAD || !pass.due(near) {
                break;
            }
            if given_up >= GIVEN_UP_AT_ONCE {
                pass.wake(pass.now);
                break;
            }
            let cue = Arc::clone(&entry.cue);
            match self.judge(place, free, pass) {
                Verdict::Pass => {}
                Verdict::Refuse(cause) => {
                    given_up += 1;
                    self.refuse(&cue.id, cause, pass);
                }
                Verdict::Wait { end } => {
                    ahead += 1;
                    free = Some(end);
                }
                Verdict::Prepare { start, too_slow } => {
                    ahead += 1;
                    let skip = late::skip_at(&cue, start);
                    free = self.over_at(place, start, skip);
                    self.prepare(&cue, start, too_slow, pass);
                }
                Verdict::Start { at, skip } => {
                    ahead += 1;
                    self.start(&cue, at, skip, pass);
                    free = self.voice().map(Voice::end);
                }
                Verdict::Chain { skip } => {
                    ahead += 1;
                    let end = free.unwrap_or(cue.at);
                    free = self.over_at(place, end, skip);
                    self.chain(&cue, skip, pass);
                }
            }
            place += 1;
        }
    }

    /// What is to be done about the cue at a place, where everything before it is over at `free`.
    fn judge(&mut self, place: usize, free: Option<Timestamp>, pass: &mut Pass<'_>) -> Verdict {
        let Some(entry) = self.agenda.entries.get(place) else { return Verdict::Pass };
        let cue = &entry.cue;
        if matches!(entry.progress, Progress::Over | Progress::OnAir) {
            return Verdict::Pass;
        }
        if let Progress::Chained { skip } = entry.progress {
            let begins = free.unwrap_or(cue.at);
            return Verdict::Wait { end: over_at(entry, begins, skip) };
        }
        if let Some(cause) = self.barred(cue) {
            return if pass.due(cue.at) { Verdict::Refuse(cause) } else { Verdict::Pass };
        }
        if pass.past(entry.latest()) {
            // What is still being opened was to start before: not it is late, but its file.
            let opening = matches!(entry.progress, Progress::Preparing { .. });
            let late = if opening { Cause::NotOpened } else { Cause::TooLate };
            let nobody_there = self.agenda.came_too_late_for(entry);
            let obstacle = if opening { entry.obstacle } else { self.agenda.obstacle_to(&cue.id) };
            return Verdict::Refuse(obstacle.or(nobody_there).unwrap_or(late));
        }
        // Asked of the instant itself: a session may begin with the very frame that ends the quiet hours.
        let held_up = self.obstacle(cue.at.max(pass.now)).filter(|_| pass.due(cue.at));
        if held_up == Some(Cause::AgainstTheRules) {
            return Verdict::Refuse(Cause::AgainstTheRules);
        }
        if let Some(cause) = held_up {
            if let Some(entry) = self.agenda.entries.get_mut(place) {
                entry.obstacle = Some(cause);
            }
            if matches!(cause, Cause::OutputDown | Cause::ClockNotTrusted) {
                return Verdict::Pass;
            }
        }
        self.turn_of(place, free, pass)
    }

    /// When the cue at a place will be over, as far as is known.
    fn over_at(&self, place: usize, start: Timestamp, skip: SignedDuration) -> Option<Timestamp> {
        self.agenda.entries.get(place).map(|entry| over_at(entry, start, skip))
    }

    /// When a cue may start at the earliest: a hard start cuts what is before it in the plan, and nothing else.
    fn earliest(&self, place: usize, free: Option<Timestamp>) -> Option<Timestamp> {
        let at = self.agenda.entries.get(place)?.cue.at;
        Some(if self.cuts(place) { at } else { free.map_or(at, |free| free.max(at)) })
    }

    /// Whether the cue at a place waits for nobody on air.
    fn cuts(&self, place: usize) -> bool {
        let Some(cue) = self.agenda.entries.get(place).map(|entry| &entry.cue) else { return false };
        cue.start == Join::Hard
            && match self.voice() {
                None => true,
                Some(voice) => {
                    voice.cue.layer == Layer::Scheduled
                        && match self.agenda.place(&voice.cue.id) {
                            Some(on_air) => on_air < place,
                            // The plan was changed under it: what was put in its place does not cut it.
                            None => voice.start < cue.at,
                        }
                }
            }
    }

    /// What is to be done about a cue that nothing forbids.
    fn turn_of(&self, place: usize, free: Option<Timestamp>, pass: &mut Pass<'_>) -> Verdict {
        let (Some(entry), Some(earliest)) = (self.agenda.entries.get(place), self.earliest(place, free))
        else {
            return Verdict::Pass;
        };
        let cue = &entry.cue;
        let near = earliest.checked_sub(self.settings.prepare_ahead).unwrap_or(Timestamp::MIN);
        // Its time passes while another sounds, or its old take still fades.
        if earliest > entry.latest()
            || !pass.due(near)
            || self.fading.iter().any(|(fading, _)| *fading == cue.id)
        {
            return Verdict::Pass;
        }
        let skip = match entry.progress {
            Progress::Preparing { skip, .. } | Progress::Ready { skip } => skip,
            Progress::Failed { again } if !pass.due(again) => return Verdict::Pass,
            Progress::Waiting
            | Progress::Failed { .. }
            | Progress::Chained { .. }
            | Progress::OnAir
            | Progress::Over => {
                return self.prepare_verdict(entry, earliest, false, pass);
            }
        };
        let nominal = cue.at + skip;
        let start = nominal.max(self.warm_start(cue, earliest.max(pass.now), pass));
        if start > entry.latest() {
            return Verdict::Pass;
        }
        // Late by the rule beyond what it was opened for: it is opened further in.
        if late::skip_at(cue, start) > skip + TOLERANCE {
            let in_hand = matches!(entry.progress, Progress::Ready { .. })
                && late::skip_at(cue, start) <= skip + IN_HAND;
            if in_hand && start < self.soonest(entry, earliest, entry.tries, pass) {
                return Verdict::Prepare { start, too_slow: false };
            }
            let too_slow =
                matches!(entry.progress, Progress::Preparing { .. }) && nominal + TOLERANCE < pass.now;
            return self.prepare_verdict(entry, earliest, too_slow, pass);
        }
        // What had the air until then ended sooner: it is opened less far in, where that is worth a second opening.
        if skip.is_positive() && self.soonest(entry, earliest, entry.tries, pass) + LEAST_REST < nominal {
            return self.prepare_verdict(entry, earliest, false, pass);
        }
        if let Progress::Preparing { start, .. } = entry.progress {
            pass.past(nominal + TOLERANCE);
            // One that is opened too slowly holds nobody up: what follows goes by the start that was meant.
            return Verdict::Wait { end: over_at(entry, start.max(earliest), skip) };
        }
        let end = over_at(entry, start, skip);
        if self.can_chain(entry, place, skip, free) {
            return Verdict::Chain { skip };
        }
        // What ends where this one starts is not waited for, and what is cut there is not either: that would cost the rest of
        // a chunk.
        let taken = !self.cuts(place)
            && self.voice().is_some_and(|voice| earliest > pass.now && voice.outlasts(start));
        let blocked = self.obstacle(start).is_some() || taken;
        if pass.due(start) && !blocked {
            return Verdict::Start { at: start, skip };
        }
        Verdict::Wait { end }
    }

    /// Opens a cue for the earliest start that can be made.
    fn prepare_verdict(
        &self,
        entry: &Entry,
        earliest: Timestamp,
        too_slow: bool,
        pass: &mut Pass<'_>,
    ) -> Verdict {
        let tries = if too_slow { entry.tries + 1 } else { entry.tries };
        let start = self.soonest(entry, earliest, tries, pass);
        if start > entry.latest() { Verdict::Pass } else { Verdict::Prepare { start, too_slow } }
    }

    /// When a cue can start that has yet to be opened: one that is late already, no sooner than it is open.
    fn soonest(&self, entry: &Entry, earliest: Timestamp, tries: u32, pass: &Pass<'_>) -> Timestamp {
        let start = earliest.max(pass.now);
        let in_a_hurry = pass.now + self.settings.join_margin * 2_i32.pow(tries.min(DOUBLINGS));
        let start = if is_late(&entry.cue, start) { start.max(in_a_hurry) } else { start };
        self.warm_start(&entry.cue, start, pass)
    }

    /// One that is late waits for a cold amplifier: the beginning of what airs whole would be lost in it, too.
    fn warm_start(&self, cue: &Cue, start: Timestamp, pass: &Pass<'_>) -> Timestamp {
        let warm = self.amplifier.warm(pass.now, self.settings.lead);
        if is_late(cue, start) { start.max(warm) } else { start }
    }

    /// Whether a cue that is ready may follow the voice on air without a gap.
    fn can_chain(&self, entry: &Entry, place: usize, skip: SignedDuration, free: Option<Timestamp>) -> bool {
        let Some(voice) = self.voice() else { return false };
        let (end, on_air) = (voice.end(), self.agenda.place(&voice.cue.id));
        // What is joined, or has lost the one before it, would be out of its place by as much.
        let is_next = skip.is_zero() && on_air.is_some_and(|on_air| on_air + 1 == place);
        let tolerance = if is_next { CHAIN_TOLERANCE } else { SignedDuration::ZERO };
        entry.cue.start == Join::Follow
            && voice.cue.layer == Layer::Scheduled
            && voice.stage == Stage::Sounding
            && voice.chained.is_none()
            && voice.block_start == entry.block_start
            && on_air.is_some_and(|on_air| on_air < place)
            && entry.cue.at + skip <= end + tolerance
            // Nothing is to sound between the two.
            && free.is_none_or(|free| free <= end)
            && self.output_up
            && self.clock_trusted
            && !self.curfew.covers(end)
    }

    fn prepare(&mut self, cue: &Arc<Cue>, start: Timestamp, too_slow: bool, pass: &mut Pass<'_>) {
        let skip = late::skip_at(cue, start);
        if let Some(entry) = self.agenda.find(&cue.id) {
            entry.progress = Progress::Preparing { skip, start };
            if too_slow {
                entry.tries += 1;
            }
            pass.past(cue.at + skip + TOLERANCE);
        }
        pass.out.push(Action::Prepare { cue: Arc::clone(cue), skip });
    }

    fn chain(&mut self, cue: &Arc<Cue>, skip: SignedDuration, pass: &mut Pass<'_>) {
        if let Some(entry) = self.agenda.find(&cue.id) {
            entry.progress = Progress::Chained { skip };
        }
        if let Air::Playing(voice) = &mut self.air {
            voice.chained = Some(Chained { cue: cue.id.clone(), skip });
        }
        pass.out.push(Action::Chain { cue: Arc::clone(cue) });
    }

    fn start(&mut self, cue: &Arc<Cue>, at: Timestamp, skip: SignedDuration, pass: &mut Pass<'_>) {
        self.make_way(at, Cause::CutByNext, pass);
        let mut voice = Voice::new(cue, at, skip);
        if let Some(entry) = self.agenda.find(&cue.id) {
            voice.limit = Some(entry.limit);
            voice.block_start = entry.block_start;
        }
        self.place_voice(voice, pass);
        self.agenda.take(&cue.id);
    }

    /// Gives the air to a voice that was made way for.
    pub(super) fn place_voice(&mut self, voice: Voice, pass: &mut Pass<'_>) {
        pass.out.push(Action::Start { cue: Arc::clone(&voice.cue), at: voice.start });
        let cut = voice.cut(&self.curfew, &self.settings, pass.now);
        pass.wake(cut.end.checked_sub(cut.fade).unwrap_or(Timestamp::MAX).max(pass.horizon));
        self.air = Air::Playing(voice);
    }

    /// Takes the air from the voice that has it, for one that starts at `at`: with a `Stop` where it would sound on.
    pub(super) fn make_way(&mut self, at: Timestamp, cause: Cause, pass: &mut Pass<'_>) {
        let Some(voice) = self.voice() else { return };
        if voice.stage != Stage::Closing && voice.outlasts(at) {
            self.put_down(cause, pass);
            return;
        }
        // It ends here by itself, and its `Ended` is on the way; one that was to fade for longer no longer does.
        let fade = self.settings.interrupt_fade;
        if voice.outlasts(at + fade) {
            pass.out.push(Action::Stop { cue: voice.cue.id.clone(), at, fade, cause });
        }
        self.unchain(pass.out);
        let Some(over) = self.voice().map(|voice| voice.cue.id.clone()) else { return };
        self.voice_ended(&over, pass);
        self.fading.push((over, at + super::PATIENCE));
    }

    /// Settles a cue as not aired, unless part of it was.
    pub(super) fn refuse(&mut self, id: &CueId, cause: Cause, pass: &mut Pass<'_>) {
        let Some(entry) = self.agenda.find(id) else { return };
        let (cue, held) = (Arc::clone(&entry.cue), entry.is_held());
        let taken = self.agenda.settle(id);
        if held {
            pass.out.push(Action::Discard { cue: id.clone() });
        }
        if !taken {
            pass.out.push(Action::NotAired { cue, cause });
        }
    }
}

/// When a cue that starts at an instant, from `skip` into it, will be over: by itself, or cut as planned.
fn over_at(entry: &Entry, start: Timestamp, skip: SignedDuration) -> Timestamp {
    let mut voice = Voice::new(&entry.cue, start, skip);
    voice.limit = Some(entry.limit);
    voice.end()
}
