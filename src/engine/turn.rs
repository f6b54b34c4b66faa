//! One turn of the loop.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{debug, info, warn};

use super::handle::Command;
use super::ledger::{Mark, SHORT};
use super::limiter::LOOKAHEAD;
use super::mixer::{Happening, Voice, VoiceId};
use super::preroll::Answer;
use super::{Ending, Engine, Held, Stage};
use crate::asrun::{Cause, ClockHealth};
use crate::frames::{self, AIR_RATE};
use crate::media::source::{Read, Source};
use crate::output::{CHANNELS, CHUNK_FRAMES};
use crate::sequencer::{Action, Event, IN_HAND};
use crate::timeline::{Cue, CueId, Layer};

/// The output rests where nothing is due for this long.
const WORTH_A_REST: SignedDuration = SignedDuration::from_secs(60);
/// And wakes this long before: a device may take 2 s to run, and its clock is exact a dozen chunks later.
const WAKE_AHEAD: SignedDuration = SignedDuration::from_secs(10);
/// How often a resting loop looks at the clock.
const LOOK: Duration = Duration::from_secs(1);
/// From these a power cut is dated.
const HEARTBEAT: SignedDuration = SignedDuration::from_secs(5);
/// And so long after a start, or a hole, there is one in any case: what was heard that long is known to have been.
const HEARTBEAT_SOON: SignedDuration = SignedDuration::from_secs(1);
/// Turns between two statuses while something sounds: a quarter of a second.
const STATUS_TURNS: u32 = 12;
/// And looks between two while the output rests: 5 s. From the status' time the watchdog sees that the loop turns.
const RESTING_TURNS: u32 = 5;
/// Turns that the end may take: 4 s, more than any fade.
const ENDING_TURNS: u32 = 190;
/// For how long a segment stands open that a person may air: as long as the page is good on which they confirm it.
const POISED_FOR: Duration = Duration::from_secs(600);
/// Steps within one turn: a kept segment is ready at once, and its start follows in the next step.
const STEPS: usize = 4;
/// What counts as a start that is not on time.
const ON_TIME: SignedDuration = SignedDuration::from_millis(1);

impl Engine {
    /// One chunk, or a look at the clock while the output rests.
    pub(super) fn turn(&mut self) {
        self.take_commands();
        self.take_answers();
        let now = if self.resting.is_some() {
            self.hear_of_output(self.output.is_up());
            self.clock.now()
        } else {
            self.next_frame_at()
        };
        let changed = !self.events.is_empty();
        let mut acted = self.step(now);
        self.ledger.flush();
        match self.rest_until(now) {
            Some(until) => {
                self.turns_to_status = self.turns_to_status.saturating_sub(1);
                if changed || acted || self.resting.is_none() || self.turns_to_status == 0 {
                    self.publish();
                    self.turns_to_status = RESTING_TURNS;
                }
                self.rest(until);
            }
            None => {
                let mut now = now;
                if self.wake() {
                    // The device took a while to run: what was placed meanwhile leaves that much later.
                    now = self.next_frame_at();
                    acted |= self.step(now);
                }
                self.sound(now);
                self.turns_to_status = self.turns_to_status.saturating_sub(1);
                if changed || acted || self.turns_to_status == 0 {
                    self.publish();
                    self.turns_to_status = STATUS_TURNS;
                }
            }
        }
        if let Ending::Fading(turns) = &mut self.ending {
            *turns = turns.saturating_sub(1);
        }
    }

    /// When the next frame mixed will leave: the limiter keeps it for a while.
    fn next_frame_at(&mut self) -> Timestamp {
        self.output.next_frame_at() + frames::duration(LOOKAHEAD as u64, AIR_RATE)
    }

    fn take_commands(&mut self) {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.command(command),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.shut_down(),
            }
        }
    }

    fn command(&mut self, command: Command) {
        let event = match command {
            Command::Load { timeline, settled } => Event::Load { timeline, settled },
            Command::Keep(kept) => {
                self.kept_ids = Arc::new(kept.keys().cloned().collect());
                self.kept = kept;
                self.turns_to_status = 0;
                return;
            }
            Command::Poise(segment) => {
                if !self.kept.contains_key(&segment.id) {
                    self.preroll.poise(&segment);
                    self.poised_until = Some(self.clock.elapsed() + POISED_FOR);
                }
                return;
            }
            Command::Interrupt(interrupt) => Event::Interrupt(interrupt),
            Command::Resume(order) => Event::Resume(order),
            Command::CallOff(id) => Event::CallOff(id),
            Command::StopCue(cue) => Event::StopCue(cue),
            Command::Withdraw(segment) => Event::Withdraw(segment),
            Command::Clock(health) => {
                self.health = health;
                Event::Clock { trusted: health != ClockHealth::Wrong }
            }
            Command::ClockRight(at) => Event::ClockRight { at },
            Command::Shutdown => return self.shut_down(),
        };
        self.events.push(event);
    }

    pub(super) fn shut_down(&mut self) {
        if self.ending == Ending::No {
            self.ending = Ending::Fading(ENDING_TURNS);
            self.events.push(Event::Shutdown);
        }
    }

    fn take_answers(&mut self) {
        while let Some(Answer { cue, source }) = self.preroll.answer() {
            self.prepared(&cue, source.map_err(|failure| failure.cause()));
        }
        if self.poised_until.is_some_and(|until| self.clock.elapsed() >= until) {
            self.poised_until = None;
            self.preroll.relax();
        }
        if self.preroll.poised() != self.status.borrow().poised.as_ref() {
            self.turns_to_status = 0;
        }
    }

    /// A cue's source is ready, or never will be.
    fn prepared(&mut self, cue: &CueId, source: Result<Box<dyn Source>, Cause>) {
        let opening = |held: &Held| held.cue.id == *cue && matches!(held.stage, Stage::Opening);
        let Some(place) = self.held.iter().position(opening) else { return };
        match (source, self.held.get_mut(place)) {
            (Ok(source), Some(held)) => {
                held.stage = Stage::Ready(source);
                self.events.push(Event::Ready(cue.clone()));
            }
            (Err(cause), _) => {
                self.held.remove(place);
                self.events.push(Event::Failed(cue.clone(), cause));
            }
            (Ok(_), None) => {}
        }
    }

    fn hear_of_output(&mut self, up: bool) {
        if up == self.up {
            return;
        }
        self.up = up;
        self.events.push(Event::Output { up });
        if up {
            info!(output.id = %self.id, "the output is back");
        } else {
            warn!(output.id = %self.id, "the output is lost; time goes on against silence");
        }
    }

    /// Lets the sequencer step, and does what it says; whether it said anything.
    fn step(&mut self, now: Timestamp) -> bool {
        let chunk = frames::duration(CHUNK_FRAMES as u64, AIR_RATE);
        let mut acted = false;
        for _ in 0..STEPS {
            self.sequencer.step(now, now + chunk, &self.events, &mut self.actions);
            self.events.clear();
            let actions = std::mem::take(&mut self.actions);
            acted |= !actions.is_empty();
            for action in &actions {
                self.act(action, now);
            }
            self.actions = actions;
            self.actions.clear();
            if self.events.is_empty() {
                break;
            }
        }
        self.amplifier.follow(!self.mixer.is_silent() || self.ledger.is_on_air());
        self.open_takes(now);
        acted
    }

    fn act(&mut self, action: &Action, now: Timestamp) {
        match action {
            Action::Prepare { cue, skip } => {
                let in_hand = self.further_in(&cue.id, *skip);
                self.discard(&cue.id);
                self.prepare(cue, *skip, in_hand);
            }
            Action::Discard { cue } => self.discard(cue),
            Action::Start { cue, at } => {
                let frame = self.mixer.position() + frames::count(at.duration_since(now), AIR_RATE);
                let Some(voice) = self.take_source(cue, Stage::Placed) else {
                    return self.began_without_a_source(cue, *at);
                };
                self.open_take(voice.id);
                for unheard in self.mixer.start(voice, frame).into_iter().flatten() {
                    self.unheard(unheard);
                }
            }
            Action::Chain { cue } => {
                let Some(voice) = self.take_source(cue, Stage::Chained) else {
                    return self.events.push(Event::Failed(cue.id.clone(), Cause::NotOpened));
                };
                if let Some(unheard) = self.mixer.chain(voice) {
                    self.unheard(unheard);
                }
            }
            Action::Stop { cue, at, fade, cause } => {
                let frame = self.mixer.position() + frames::count(at.duration_since(now), AIR_RATE);
                self.stop(cue, frame, frames::count(*fade, AIR_RATE), *cause, now);
            }
            Action::NotAired { cue, cause } => {
                info!(cue.id = %cue.id, output.id = %self.id, ?cause, "{} does not air", cue.id);
                self.ledger.not_aired(Arc::clone(cue), *cause, self.health, self.clock.now());
            }
            Action::Amplifier { on } => {
                // Whether that was done, its own thread says.
                debug!(output.id = %self.id, on, "the amplifier is to be switched");
                self.amplifier.wanted = *on;
            }
        }
    }

    /// The source of a cue that is ready, moved on to where it is to begin, where what of it is decoded reaches so far: no file
    /// is waited for.
    fn further_in(&mut self, cue: &CueId, skip: SignedDuration) -> Option<Box<dyn Source>> {
        let ready = |held: &&mut Held| held.cue.id == *cue && matches!(held.stage, Stage::Ready(_));
        let held = self.held.iter_mut().find(ready)?;
        let further = skip - held.skip;
        if further.is_negative() || further > IN_HAND {
            return None;
        }
        let Stage::Ready(mut source) = std::mem::replace(&mut held.stage, Stage::Opening) else {
            return None;
        };
        let mut left = frames::count(further, AIR_RATE);
        while left > 0 {
            let part = usize::try_from(left).map_or(CHUNK_FRAMES, |left| left.min(CHUNK_FRAMES));
            // What is in the chunk is written already.
            let unheard = self.chunk.get_mut(..part * CHANNELS).unwrap_or_default();
            match source.read(unheard) {
                Read::Frames(_) => left -= part as u64,
                Read::Starved(_) | Read::Ended(_) => {
                    self.preroll.discard(source);
                    return None;
                }
            }
        }
        Some(source)
    }

    fn prepare(&mut self, cue: &Arc<Cue>, skip: SignedDuration, in_hand: Option<Box<dyn Source>>) {
        let voice = VoiceId(self.next_voice);
        self.next_voice += 1;
        self.held.push(Held { cue: Arc::clone(cue), skip, voice, stage: Stage::Opening });
        let kept = cue.segment().and_then(|segment| self.kept.get(&segment.id));
        let kept =
            kept.map(|sound| Box::new(sound.from_frame(frames::count(skip, AIR_RATE))) as Box<dyn Source>);
        match kept.or(in_hand) {
            Some(source) => self.prepared(&cue.id, Ok(source)),
            None => {
                self.preroll.open(cue, skip);
                // A rehearsal has its answer at once; going on without a chunk in between costs it nothing.
                self.take_answers();
            }
        }
    }

    /// Forgets a cue that does not sound yet.
    fn discard(&mut self, cue: &CueId) {
        self.preroll.forget(cue);
        let silent = |held: &Held| held.cue.id == *cue && !matches!(held.stage, Stage::Sounding(_));
        let Some(place) = self.held.iter().position(silent) else { return };
        let held = self.held.remove(place);
        if let Stage::Ready(source) = held.stage {
            self.preroll.discard(source);
        } else if let Some(voice) = self.mixer.take_back(held.voice) {
            self.preroll.discard(voice.source);
        }
        self.ledger.take_back(held.voice, self.clock.now());
    }

    /// The mixer gave a voice back for another one.
    fn unheard(&mut self, voice: Voice) {
        let Some(place) = self.held.iter().position(|held| held.voice == voice.id) else { return };
        let held = self.held.remove(place);
        self.preroll.discard(voice.source);
        self.ledger.unheard(voice.id, Cause::CutByNext, self.clock.now());
        self.events.push(Event::Ended { cue: held.cue.id.clone(), at: self.clock.now() });
    }

    /// Gives the air back that a cue has which never will be heard: its take is over with its first frame.
    fn began_without_a_source(&mut self, cue: &Arc<Cue>, at: Timestamp) {
        self.discard(&cue.id);
        let (voice, now) = (VoiceId(self.next_voice), self.clock.now());
        self.next_voice += 1;
        let skip = at.duration_since(cue.at).max(SignedDuration::ZERO);
        let begins = (skip, self.sequencer.held_up_by(&cue.id));
        self.ledger.open(voice, cue, begins, self.output.device(), self.health, now);
        self.ledger.unheard(voice, Cause::NotOpened, now);
        self.events.push(Event::Ended { cue: cue.id.clone(), at });
    }

    /// The voice of a cue that is ready; it goes on to `stage`. What begins in its middle comes up in a fade.
    fn take_source(&mut self, cue: &Cue, stage: Stage) -> Option<Voice> {
        let ready = |held: &&mut Held| held.cue.id == cue.id && matches!(held.stage, Stage::Ready(_));
        let Some(held) = self.held.iter_mut().find(ready) else {
            warn!(cue.id = %cue.id, output.id = %self.id, "it is to start and was not prepared");
            return None;
        };
        let Stage::Ready(source) = std::mem::replace(&mut held.stage, stage) else { return None };
        #[expect(clippy::cast_possible_truncation, reason = "a gain needs no more digits")]
        let gain = 10.0_f64.powf(cue.gain_db / 20.0) as f32;
        let fade_in = if held.skip.is_zero() { 0 } else { self.join_fade };
        Some(Voice { id: held.voice, source, gain, fade_in })
    }

    fn stop(&mut self, cue: &CueId, frame: u64, fade: u64, cause: Cause, now: Timestamp) {
        let in_mixer = |held: &&Held| !matches!(held.stage, Stage::Opening | Stage::Ready(_));
        let Some(voice) =
            self.held.iter().find(|held| held.cue.id == *cue && in_mixer(held)).map(|s| s.voice)
        else {
            // It is over already: the sequencer learns that again.
            return self.events.push(Event::Ended { cue: cue.clone(), at: now });
        };
        self.ledger.cut(voice, cause);
        if let Some(unheard) = self.mixer.take_back(voice) {
            self.held.retain(|held| held.voice != voice);
            self.preroll.discard(unheard.source);
            self.ledger.unheard(voice, cause, self.clock.now());
            self.events.push(Event::Ended { cue: cue.clone(), at: now });
        } else {
            self.mixer.stop(voice, frame, fade);
        }
    }

    /// Opens the takes whose first frame is near, and takes back what has lost its way to the air since: a person may take
    /// it in between.
    fn open_takes(&mut self, now: Timestamp) {
        let waits = |held: &&Held| matches!(held.stage, Stage::Ready(_)) && self.ledger.has(held.voice);
        let lost = |held: &&Held| waits(held) && !self.is_to_sound(held, now);
        let lost: Vec<_> = self.held.iter().filter(lost).map(|held| held.voice).collect();
        for voice in lost {
            self.ledger.take_back(voice, self.clock.now());
        }
        while let Some(held) =
            self.held.iter().find(|held| !self.ledger.has(held.voice) && self.is_to_sound(held, now))
        {
            self.open_take(held.voice);
        }
    }

    fn is_to_sound(&self, held: &Held, now: Timestamp) -> bool {
        let takes = self.held.iter().filter(|held| self.ledger.has(held.voice)).map(|held| &*held.cue);
        match held.stage {
            Stage::Opening | Stage::Sounding(_) => false,
            Stage::Ready(_) | Stage::Chained | Stage::Placed => {
                self.sequencer.is_to_sound(&held.cue, held.skip, now, takes)
            }
        }
    }

    /// Opens a take, unless that is done.
    fn open_take(&mut self, voice: VoiceId) {
        if let Some(held) = self.held.iter().find(|held| held.voice == voice) {
            let device = self.output.device();
            let begins = (held.skip, self.sequencer.held_up_by(&held.cue.id));
            self.ledger.open(voice, &held.cue, begins, device, self.health, self.clock.now());
        }
    }

    /// Until when the output may rest, if nothing is due for long enough.
    fn rest_until(&self, now: Timestamp) -> Option<Timestamp> {
        let idle = self.mixer.is_silent()
            && self.ending == Ending::No
            // A device is tried before it is let go, and while it is lost it is tried all the time.
            && self.up
            && self.ledger.has_accepted()
            && !self.ledger.is_on_air()
            && !self.preroll.is_busy()
            && self.events.is_empty();
        let next = self.sequencer.next_change().unwrap_or(now + SignedDuration::from_hours(24));
        let next = self.until.map_or(next, |until| next.min(until + WAKE_AHEAD));
        let worth = if self.resting.is_some() { WAKE_AHEAD } else { WORTH_A_REST };
        (idle && next > now + worth).then(|| next - WAKE_AHEAD)
    }

    /// Waits for a command, for a second or less; a rehearsal's output has moved the clock instead.
    fn rest(&mut self, until: Timestamp) {
        if self.resting.replace(until) != Some(until) {
            self.output.rest(until);
        }
        if self.until.is_some() {
            return;
        }
        let left = Duration::try_from(until.duration_since(self.clock.now())).unwrap_or_default();
        match self.commands.recv_timeout(left.min(LOOK)) {
            Ok(command) => self.command(command),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.shut_down(),
        }
    }

    /// The first frames after a rest are silence: they wake the device, and only then is it known when the next ones
    /// will leave.
    fn wake(&mut self) -> bool {
        let rested = self.resting.take().is_some();
        if rested {
            // A rest that is broken off soon finds the device as it was, with what it has still to play.
            self.ledger.resume(self.output.delivered() + self.output.under_way());
            self.ledger.doubt();
            self.chunk.fill(0.0);
            self.write();
        }
        rested
    }

    /// Mixes a chunk, whose first frame leaves at `now`, and writes it.
    fn sound(&mut self, now: Timestamp) {
        let base = self.mixer.position();
        let at = |frame: u64| now + frames::duration(frame - base, AIR_RATE);
        let mut happened = std::mem::take(&mut self.happened);
        happened.extend(self.mixer.render(&mut self.chunk));
        for happening in &happened {
            if let Happening::Ended { voice, starved: 1.., .. } = happening
                && let Some(held) = self.held.iter().find(|held| held.voice == *voice)
            {
                self.sequencer.had_a_hole(&held.cue.id);
            }
        }
        // Starts are told first, so that the sequencer knows that of a chained cue by its frame.
        for happening in &happened {
            if let Happening::Started { voice, frame } = *happening {
                let first = self.ledger.mark(frame, at(frame), frame - base + LOOKAHEAD as u64);
                self.started(voice, first);
            }
        }
        for happening in happened.drain(..) {
            if let Happening::Ended { voice, frame, placed, starved, source } = happening {
                // Silence in the place of a broken file's end was not the segment; the rounding of a length was.
                let missing = Some(source.missing()).filter(|missing| *missing > SHORT).unwrap_or(0);
                let placed = placed.saturating_sub(missing);
                self.preroll.discard(source);
                self.own_starved += starved;
                let end = self.ledger.mark(frame, at(frame), frame - base + LOOKAHEAD as u64);
                self.ledger.ended(voice, end, (placed, starved));
                self.ended(voice, end.at);
            }
        }
        self.happened = happened;
        self.end_what_broke_off();
        self.write();
        let wall = self.clock.now();
        if self.power.fails() && !self.power.is_on() {
            self.ledger.unpowered();
        }
        self.ledger.settle(self.output.delivered(), self.up, wall);
        let is_due = self.heartbeat_due.take_if(|due| *due <= wall).is_some();
        if is_due || self.last_heartbeat.is_none_or(|last| wall.duration_since(last).abs() >= HEARTBEAT) {
            let next = self.mixer.position().saturating_sub(LOOKAHEAD as u64);
            let mixer = &self.mixer;
            self.ledger.heartbeat(wall, (self.output.delivered(), next), |voice| mixer.missed(voice));
            self.last_heartbeat = Some(wall);
        }
    }

    /// An interrupt whose file breaks off gives the air back at once, to the schedule that it keeps silent. Of what is in the
    /// schedule the sequencer is told, once: what was to start where it ends has a time of its own.
    fn end_what_broke_off(&mut self) {
        let Some((voice, _)) = self.mixer.broken_off().filter(|(_, missing)| *missing > SHORT) else {
            return;
        };
        let Some(Held { cue, .. }) = self.held.iter().find(|held| held.voice == voice) else { return };
        if cue.layer > Layer::Scheduled {
            self.mixer.stop(voice, self.mixer.position(), 0);
        } else if self.broke_off.replace(voice) != Some(voice) {
            self.events.push(Event::BrokeOff(cue.id.clone()));
        }
    }

    fn started(&mut self, voice: VoiceId, first: Mark) {
        self.open_take(voice);
        let held_by = self.held.iter().find(|held| held.voice == voice);
        let held_by = held_by.and_then(|held| self.sequencer.held_up_by(&held.cue.id));
        self.ledger.started(voice, first, held_by);
        let at = first.at;
        let Some(held) = self.held.iter_mut().find(|held| held.voice == voice) else { return };
        held.stage = Stage::Sounding(at);
        let (id, output) = (&held.cue.id, &self.id);
        let late = at.duration_since(held.cue.at + held.skip);
        if late > ON_TIME {
            let late_ms = late.as_micros() as f64 / 1_000.0;
            info!(cue.id = %id, output.id = %output, late_ms, "{id} is on air, {late_ms} ms late");
        } else {
            info!(cue.id = %id, output.id = %output, "{id} is on air");
        }
        self.events.push(Event::Started { cue: id.clone(), at });
        self.beat_after(at);
    }

    /// Sees to it that there is a heartbeat soon after something that a power cut should not make unknown.
    fn beat_after(&mut self, at: Timestamp) {
        let due = at + HEARTBEAT_SOON;
        self.heartbeat_due = Some(self.heartbeat_due.map_or(due, |before| before.min(due)));
    }

    fn ended(&mut self, voice: VoiceId, at: Timestamp) {
        let Some(place) = self.held.iter().position(|held| held.voice == voice) else { return };
        let cue = self.held.remove(place).cue;
        info!(cue.id = %cue.id, output.id = %self.id, "{} is over", cue.id);
        self.events.push(Event::Ended { cue: cue.id.clone(), at });
    }

    /// Writes the chunk, and keeps account of what the output takes.
    fn write(&mut self) {
        let frames = CHUNK_FRAMES as u64;
        let from = self.mixer.position().saturating_sub(frames + LOOKAHEAD as u64);
        let was_up = self.up;
        let wrote = self.output.write(&self.chunk);
        if wrote.is_ok() {
            if !was_up {
                self.ledger.resume(self.output.delivered());
                self.ledger.doubt();
            }
            self.ledger.accepted(frames);
        } else {
            if was_up {
                self.ledger.output_lost(self.output.delivered(), from);
            }
            self.ledger.lose(from, from + frames);
        }
        self.hear_of_output(wrote.is_ok());
        let starved = self.output.starved();
        let before = std::mem::replace(&mut self.device_starved, starved);
        if let Some(frames) = starved.checked_sub(before).filter(|frames| *frames > 0) {
            let next = self.output.next_frame_after_hole_at();
            if let Some(cue) = self.ledger.starve(frames, self.output.hole(), next) {
                self.sequencer.had_a_hole(cue);
            }
            self.beat_after(self.clock.now());
        }
        if wrote.is_ok() && self.ledger.is_unsure() && self.output.is_sure() {
            self.ledger.correct(self.output.next_frame_at());
        }
    }
}

/// The rate, as the ledger's frames have it.
const _: () =
    assert!(AIR_RATE == 48_000, "the look-ahead is a whole number of nanoseconds at this rate only");
