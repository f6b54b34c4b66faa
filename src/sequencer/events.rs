//! What happened, taken in.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::agenda::Progress;
use super::air::Chained;
use super::interrupt::{Order, Turn};
use super::late::is_late;
use super::quiet::Curfew;
use super::rundown::OPENED_AGAIN;
use super::{Action, Air, Event, InterruptId, PATIENCE, Pass, Resumed, Sequencer, Stage, Voice};
use crate::asrun::Cause;
use crate::segment::SegmentId;
use crate::timeline::{Cue, CueId, Layer, Timeline};

/// A piece whose file breaks off with less than this left keeps its time: nothing could come much sooner.
const WORTH_AN_END: SignedDuration = SignedDuration::from_secs(10);

impl Sequencer {
    pub(super) fn take_in(&mut self, event: &Event, pass: &mut Pass<'_>) {
        match event {
            Event::Load { timeline, settled } => self.load(timeline, settled, pass),
            Event::Interrupt(what) => {
                let order = Resumed { what: Arc::clone(what), since: pass.now, airing: 0, due: pass.now };
                self.interrupt(&order, pass);
            }
            Event::Resume(order) => self.interrupt(order, pass),
            Event::CallOff(id) => self.call_off(id, Cause::StoppedByOperator, pass),
            Event::StopCue(wanted) => {
                let meant = |wanted: &CueId| self.view().on_air.is_some_and(|cue| cue.id == *wanted);
                if self.layer() == Layer::Scheduled && wanted.as_ref().is_none_or(meant) {
                    self.put_down(Cause::StoppedByOperator, pass);
                }
            }
            Event::Withdraw(segment) => self.withdraw(segment, pass),
            Event::Ready(cue) => self.ready(cue),
            Event::Failed(cue, cause) => self.failed(cue, *cause, pass),
            Event::Started { cue, at } => self.started(cue, *at),
            Event::Ended { cue, .. } => self.ended_event(cue, pass),
            Event::BrokeOff(cue) => self.broke_off(cue, pass),
            Event::Output { up } => {
                self.output_up = *up;
                if !up {
                    self.put_down(Cause::OutputDown, pass);
                }
            }
            Event::Clock { trusted } => {
                self.clock_trusted = *trusted;
                if !trusted {
                    self.unchain(pass.out);
                }
            }
            Event::ClockRight { at } => self.agenda.begin_anew(*at),
            Event::Shutdown => self.shut_down(pass),
        }
    }

    fn load(&mut self, timeline: &Arc<Timeline>, settled: &BTreeSet<CueId>, pass: &mut Pass<'_>) {
        self.zone = timeline.time_zone.clone();
        self.curfew = Curfew::Hours { zone: timeline.time_zone.clone(), quiet: timeline.quiet.clone() };
        let on_air = self.voice().filter(|voice| voice.cue.layer == Layer::Scheduled);
        let on_air = on_air.map(|voice| Arc::clone(&voice.cue));
        let chained = self.voice().and_then(|voice| voice.chained.clone());
        let changes = self.agenda.load(timeline, settled, on_air.as_ref().map(|cue| &cue.id), pass.now);

        if let Air::Playing(voice) = &mut self.air {
            voice.chained = chained.filter(|chained| !changes.discarded.contains(&chained.cue));
        }
        pass.out.extend(changes.discarded.into_iter().map(|cue| Action::Discard { cue }));
        pass.out.extend(changes.gone.into_iter().map(|(cue, cause)| Action::NotAired { cue, cause }));

        // What is on air stays on air, whatever the new plan has in its place, or nothing, and however soon that would end
        // it: to end it is a person's order.
        let Some(old) = on_air else { return };
        let Some(entry) = self.agenda.find(&old.id) else { return };
        entry.progress = Progress::OnAir;
        let (new, limit) = (Arc::clone(&entry.cue), entry.limit);
        if let Air::Playing(voice) = &mut self.air
            && voice.stage != Stage::Closing
        {
            if segment_id(&new) == segment_id(&old) && new.end >= old.end {
                voice.cue = new;
            }
            if voice.limit.is_none_or(|before| before.at <= limit.at) {
                voice.limit = Some(limit);
            }
        }
    }

    fn interrupt(&mut self, order: &Resumed, pass: &mut Pass<'_>) {
        // A button that was pressed twice.
        if !self.ordered.insert(order.what.id.clone()) {
            return;
        }
        let order = Order::new(order, &self.zone);
        // Who ordered it may not have heard yet that it was withdrawn.
        if self.withdrawn.contains(&order.what.segment.id) {
            let cue = order.cue(&self.zone);
            pass.out.push(Action::NotAired { cue, cause: Cause::Withdrawn });
        } else {
            self.orders.push(order);
        }
    }

    fn ready(&mut self, cue: &CueId) {
        if let Some(entry) = self.agenda.find(cue) {
            if let Progress::Preparing { skip, .. } = entry.progress {
                entry.progress = Progress::Ready { skip };
            }
        } else if let Some(order) = self.orders.iter_mut().find(|order| order.is(cue))
            && let Turn::Preparing(cue) = &order.turn
        {
            order.turn = Turn::Ready(Arc::clone(cue));
        }
    }

    fn failed(&mut self, cue: &CueId, cause: Cause, pass: &mut Pass<'_>) {
        if let Some(entry) = self.agenda.find(cue) {
            if !entry.is_held() {
                return;
            }
            let its_time = entry.cue.at;
            if let Air::Playing(voice) = &mut self.air
                && voice.leads_to(cue)
            {
                voice.chained = None;
            }
            let again = its_time.min(pass.now + OPENED_AGAIN);
            if pass.due(its_time) {
                self.refuse(cue, cause, pass);
            } else if let Some(entry) = self.agenda.find(cue) {
                // Its file may be back by then, or the plan may have another in its stead.
                entry.progress = Progress::Failed { again };
                pass.out.push(Action::Discard { cue: cue.clone() });
            }
        } else if let Some(place) = self.orders.iter().position(|order| order.is(cue) && !order.is_on_air()) {
            // One that is to be repeated is tried again then: its file may be back.
            self.give_up(place, cause, pass);
        }
    }

    pub(super) fn started(&mut self, cue: &CueId, at: Timestamp) {
        if self.agenda.find(cue).is_some_and(|entry| !is_late(&entry.cue, at)) {
            self.agenda.began_in_time(cue);
        }
        if self.voice().is_some_and(|voice| voice.leads_to(cue)) {
            self.promote_chained(at);
        } else if let Air::Playing(voice) = &mut self.air
            && voice.cue.id == *cue
            && voice.stage == Stage::Placed
        {
            voice.shift(at.duration_since(voice.start).max(SignedDuration::ZERO));
            voice.stage = Stage::Sounding;
        }
    }

    fn ended_event(&mut self, cue: &CueId, pass: &mut Pass<'_>) {
        if let Some(place) = self.fading.iter().position(|(fading, _)| fading == cue) {
            self.fading.remove(place);
        } else if self.voice().is_some_and(|voice| voice.cue.id == *cue) {
            self.voice_ended(cue, pass);
        }
    }

    /// A piece of the timeline is silent from here on: with some time left it is over, and what was to start where it ends
    /// waits for its own time, or for a plan that has it sooner.
    fn broke_off(&mut self, cue: &CueId, pass: &mut Pass<'_>) {
        let is_worth_it = |voice: &Voice| {
            voice.cue.id == *cue
                && voice.cue.layer == Layer::Scheduled
                && voice.end().duration_since(pass.now) >= WORTH_AN_END
        };
        if self.voice().is_some_and(is_worth_it) {
            self.put_down(Cause::FileBroken, pass);
        }
    }

    /// The voice on air is over, by itself or faded out as planned.
    pub(super) fn voice_ended(&mut self, cue: &CueId, pass: &mut Pass<'_>) {
        if self.layer() == Layer::Scheduled {
            self.agenda.settle(cue);
        } else if let Some(place) = self.orders.iter().position(|order| order.is(cue)) {
            self.advance(place);
        }
        if self.voice().is_some_and(|voice| voice.chained.is_some()) {
            self.promote_chained(pass.now);
        } else {
            self.air = Air::Silent;
        }
    }

    /// The chained cue has the air; the one before it is over.
    fn promote_chained(&mut self, at: Timestamp) {
        let Air::Playing(voice) = &mut self.air else { return };
        let Some(Chained { cue: chained, skip }) = voice.chained.take() else { return };
        let before = voice.cue.id.clone();
        if self.agenda.place(&before).is_some() {
            self.agenda.settle(&before);
        }
        self.fading.push((before, at + PATIENCE));
        let Some(entry) = self.agenda.find(&chained) else {
            self.air = Air::Silent;
            return;
        };
        let mut voice = Voice::new(&entry.cue, at, skip);
        voice.stage = Stage::Sounding;
        voice.limit = Some(entry.limit);
        voice.block_start = entry.block_start;
        self.air = Air::Playing(voice);
        self.agenda.take(&chained);
    }

    /// Stops the voice on air at once, whatever it is.
    pub(super) fn put_down(&mut self, cause: Cause, pass: &mut Pass<'_>) {
        self.unchain(pass.out);
        let Air::Playing(voice) = std::mem::replace(&mut self.air, Air::Silent) else { return };
        let is_silent = matches!(cause, Cause::OutputDown | Cause::FileBroken);
        let fade = if is_silent { SignedDuration::ZERO } else { self.settings.interrupt_fade };
        let id = voice.cue.id.clone();
        if voice.stage != Stage::Closing || voice.outlasts(pass.now + fade) {
            pass.out.push(Action::Stop { cue: id.clone(), at: pass.now, fade, cause });
        }
        self.fading.push((id.clone(), pass.now + fade + PATIENCE));
        if voice.cue.layer == Layer::Scheduled {
            let open = voice.stage != Stage::Closing && cause.leaves_open(&voice.cue);
            match self.agenda.find(&id) {
                Some(entry) if open => {
                    entry.progress = Progress::Waiting;
                    entry.obstacle = Some(cause);
                }
                Some(_) | None => {
                    self.agenda.settle(&id);
                }
            }
        } else if let Some(place) = self.orders.iter().position(|order| order.is(&id)) {
            match self.orders.get_mut(place) {
                // A message that lost its loudspeaker was not heard: it sounds again as soon as it can.
                Some(order) if cause == Cause::OutputDown => order.lost_the_output(pass.now),
                Some(_) | None => self.advance(place),
            }
        }
    }

    /// Undoes a chain: the cue is prepared anew, when and if its time comes.
    pub(super) fn unchain(&mut self, out: &mut Vec<Action>) {
        let Air::Playing(voice) = &mut self.air else { return };
        let Some(Chained { cue, .. }) = voice.chained.take() else { return };
        if let Some(entry) = self.agenda.find(&cue) {
            entry.progress = Progress::Waiting;
        }
        out.push(Action::Discard { cue });
    }

    /// Goes on to an interrupt's next airing, or lets go of it.
    pub(super) fn advance(&mut self, place: usize) {
        if self.orders.get_mut(place).is_some_and(|order| !order.advance()) {
            self.orders.remove(place);
        }
    }

    fn call_off(&mut self, id: &InterruptId, cause: Cause, pass: &mut Pass<'_>) {
        let Some(place) = self.orders.iter().position(|order| order.what.id == *id) else { return };
        let order = self.orders.remove(place);
        if order.is_on_air() {
            return self.put_down(cause, pass);
        }
        if let Some(cue) = order.under_way() {
            pass.out.push(Action::Discard { cue: cue.id.clone() });
        }
        if order.due <= pass.now {
            order.not_aired(cause, &self.zone, pass.out);
        }
    }

    fn call_off_all(&mut self, which: impl Fn(&Order) -> bool, cause: Cause, pass: &mut Pass<'_>) {
        let orders = self.orders.iter().filter(|order| which(order));
        let ids: Vec<InterruptId> = orders.map(|order| order.what.id.clone()).collect();
        for id in ids {
            self.call_off(&id, cause, pass);
        }
    }

    fn withdraw(&mut self, segment: &SegmentId, pass: &mut Pass<'_>) {
        self.withdrawn.insert(segment.clone());
        self.call_off_all(|order| order.what.segment.id == *segment, Cause::Withdrawn, pass);
        let is_it = |cue: &Cue| segment_id(cue) == Some(segment);
        if self.voice().is_some_and(|voice| is_it(&voice.cue)) {
            self.put_down(Cause::Withdrawn, pass);
        }
        for entry in &mut self.agenda.entries {
            if entry.is_held() && is_it(&entry.cue) {
                if let Air::Playing(voice) = &mut self.air
                    && voice.leads_to(&entry.cue.id)
                {
                    voice.chained = None;
                }
                entry.progress = Progress::Waiting;
                pass.out.push(Action::Discard { cue: entry.cue.id.clone() });
            }
        }
    }

    fn shut_down(&mut self, pass: &mut Pass<'_>) {
        self.call_off_all(|_| true, Cause::ProgramStopped, pass);
        self.put_down(Cause::ProgramStopped, pass);
        for entry in &mut self.agenda.entries {
            if entry.is_held() {
                pass.out.push(Action::Discard { cue: entry.cue.id.clone() });
            }
        }
        self.ended = true;
    }

    /// The clock stepped back: what was prepared to be joined is no longer joined there.
    pub(super) fn forget_the_future(&mut self, out: &mut Vec<Action>) {
        self.fading.clear();
        for entry in &mut self.agenda.entries {
            entry.obstacle = None;
            entry.tries = 0;
            if let Progress::Preparing { skip, .. } | Progress::Ready { skip } = entry.progress
                && !skip.is_zero()
            {
                entry.progress = Progress::Waiting;
                out.push(Action::Discard { cue: entry.cue.id.clone() });
            }
        }
    }
}

fn segment_id(cue: &Cue) -> Option<&SegmentId> {
    cue.segment().map(|segment| &segment.id)
}
