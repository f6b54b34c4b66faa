//! Interrupts in force: who waits, who sounds, and when one sounds again.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Action, InForce, Interrupt, Pass, Resumed, Sequencer, Voice};
use crate::asrun::Cause;
use crate::schedule::{Late, SlotId};
use crate::timeline::{BlockId, Content, Cue, CueId, Form, INTERRUPT_SESSION, Join, Layer};

/// An interrupt in force.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) what: Arc<Interrupt>,
    /// When it was ordered.
    since: Timestamp,
    /// None of its airings begins later: the recording's last day is over then. An emergency goes on until it is called
    /// off, whatever somebody once wrote there.
    good_until: Option<Timestamp>,
    /// Which of its airings is next, or on air.
    pub(super) piece: u16,
    /// When that is due.
    pub(super) due: Timestamp,
    /// Since when it could sound, if the output were up.
    waits_since: Timestamp,
    /// Whether that airing has a take: it lost the output in the middle.
    has_take: bool,
    pub(super) turn: Turn,
}

/// How far the next airing of an interrupt has come.
#[derive(Debug, Clone)]
pub(super) enum Turn {
    /// Nothing was asked for.
    Waiting,
    /// Asked to be opened.
    Preparing(Arc<Cue>),
    /// Open.
    Ready(Arc<Cue>),
    /// It has the air since this instant.
    OnAir(Arc<Cue>, Timestamp),
}

impl Order {
    /// A person takes the air, or what one ordered goes on.
    pub(super) fn new(order: &Resumed, zone: &TimeZone) -> Self {
        let Resumed { what, since, airing, due } = order;
        let last_day = what.segment.words.valid_until.filter(|_| what.layer < Layer::Emergency);
        let good_until = last_day.and_then(|day| zone.to_timestamp(day.tomorrow().ok()?.into()).ok());
        Self {
            what: Arc::clone(what),
            since: *since,
            good_until,
            piece: *airing,
            due: *due,
            waits_since: *due,
            has_take: false,
            turn: Turn::Waiting,
        }
    }

    /// The cue of its next airing.
    pub(super) fn cue(&self, zone: &TimeZone) -> Arc<Cue> {
        let Interrupt { id, layer, segment, gain_db, topic, genre, by, .. } = &*self.what;
        let block = BlockId::new(zone.to_datetime(self.due).date(), INTERRUPT_SESSION);
        Arc::new(Cue {
            id: CueId { block, slot: SlotId::new(id.as_str()), piece: self.piece },
            session_title: None,
            title: segment.words.title.clone(),
            programme: segment.words.programme.clone(),
            topic: topic.clone(),
            genre: *genre,
            start: Join::Hard,
            at: self.due,
            end: self.due + segment.duration(),
            fade: SignedDuration::ZERO,
            lost: SignedDuration::ZERO,
            late: Late::Skip,
            form: Form::Own,
            layer: *layer,
            ordered_by: Some(by.clone()),
            content: Content::Segment(Arc::clone(segment)),
            gain_db: *gain_db,
        })
    }

    /// The cue under way, in any state.
    pub(super) fn under_way(&self) -> Option<&Arc<Cue>> {
        match &self.turn {
            Turn::Waiting => None,
            Turn::Preparing(cue) | Turn::Ready(cue) | Turn::OnAir(cue, _) => Some(cue),
        }
    }

    /// Whether it has the air.
    pub(super) fn is_on_air(&self) -> bool {
        matches!(self.turn, Turn::OnAir(..))
    }

    /// Whether the cue under way is this one.
    pub(super) fn is(&self, cue: &CueId) -> bool {
        self.under_way().is_some_and(|own| own.id == *cue)
    }

    /// Goes on to the next airing; false when that was the last.
    pub(super) fn advance(&mut self) -> bool {
        let Some((piece, due)) = self.after() else { return false };
        (self.piece, self.due, self.waits_since) = (piece, due, due);
        (self.has_take, self.turn) = (false, Turn::Waiting);
        true
    }

    /// It lost the output in the middle: the airing waits anew.
    pub(super) fn lost_the_output(&mut self, now: Timestamp) {
        (self.waits_since, self.has_take, self.turn) = (now, true, Turn::Waiting);
    }

    /// Logs that the airing that is next does not sound, unless part of it did.
    pub(super) fn not_aired(&self, cause: Cause, zone: &TimeZone, out: &mut Vec<Action>) {
        if !self.has_take {
            let cue = self.under_way().cloned().unwrap_or_else(|| self.cue(zone));
            out.push(Action::NotAired { cue, cause });
        }
    }

    /// The clock stepped: repeats keep their distance, and what is about to sound is opened anew for its new instant.
    pub(super) fn shift(&mut self, by: SignedDuration, out: &mut Vec<Action>) {
        self.due += by;
        self.waits_since += by;
        match &mut self.turn {
            Turn::Waiting => {}
            Turn::OnAir(_, since) => *since += by,
            Turn::Preparing(cue) | Turn::Ready(cue) => {
                out.push(Action::Discard { cue: cue.id.clone() });
                self.turn = Turn::Waiting;
            }
        }
    }

    /// The airing after the one under way, and when it is due.
    fn after(&self) -> Option<(u16, Timestamp)> {
        let started = match &self.turn {
            Turn::OnAir(_, started) => *started,
            Turn::Waiting | Turn::Preparing(_) | Turn::Ready(_) => self.due,
        };
        let repeats = &self.what.repeats;
        let piece = self.piece.checked_add(1).filter(|piece| repeats.include(*piece))?;
        let due = started.saturating_add(repeats.before(piece)).unwrap_or(Timestamp::MAX);
        self.good_until.is_none_or(|until| due < until).then_some((piece, due))
    }

    /// How it stands, for people.
    pub(super) fn in_force(&self) -> InForce<'_> {
        let on_air = self.is_on_air();
        let next = if on_air { self.after().map(|(_, due)| due) } else { Some(self.due) };
        InForce { what: &self.what, since: self.since, airing: self.piece, on_air, next }
    }
}

/// How long an airing waits for an output that is down. Whoever ordered it has looked for another way by then, and nobody
/// is to be woken at night by what was urgent in the afternoon.
pub const WAITS_FOR_OUTPUT: SignedDuration = SignedDuration::from_mins(10);

/// How long before it is due a repeat is opened; its source is held in memory.
const PREPARED_AHEAD: SignedDuration = SignedDuration::from_secs(2);

impl Sequencer {
    /// Lets the highest interrupt that is due and ready take the air from what is below it.
    pub(super) fn give_the_air_to_people(&mut self, pass: &mut Pass<'_>) {
        for layer in [Layer::Emergency, Layer::Live] {
            while let Some(place) = self.first_due(layer, pass) {
                let Some(Order { turn: Turn::Ready(cue), due, waits_since, .. }) =
                    self.orders.get(place).cloned()
                else {
                    break;
                };
                let at = due.max(pass.now);
                let waited_too_long = waits_since + WAITS_FOR_OUTPUT;
                if !self.output_up && pass.past(waited_too_long) {
                    self.give_up(place, Cause::OutputDown, pass);
                    continue;
                }
                if layer < Layer::Emergency && self.curfew.covers(at) {
                    self.give_up(place, Cause::AgainstTheRules, pass);
                    continue;
                }
                if !self.output_up || self.layer() >= layer {
                    // It waits for the air, and no longer than until quiet hours come.
                    if layer < Layer::Emergency
                        && let Some(begins) = self.curfew.begins(at)
                    {
                        pass.wake(begins);
                    }
                    break;
                }
                let cause = if layer == Layer::Emergency { Cause::Emergency } else { Cause::Live };
                self.make_way(at, cause, pass);
                self.place_voice(Voice::new(&cue, at, SignedDuration::ZERO), pass);
                if let Some(order) = self.orders.iter_mut().find(|order| order.is(&cue.id)) {
                    order.turn = Turn::OnAir(cue, at);
                }
            }
        }
        self.open_what_is_due(pass);
    }

    /// The next airing of an order does not sound; it goes on to the one after it.
    pub(super) fn give_up(&mut self, place: usize, cause: Cause, pass: &mut Pass<'_>) {
        let Some(order) = self.orders.get(place) else { return };
        if let Turn::Ready(cue) = &order.turn {
            pass.out.push(Action::Discard { cue: cue.id.clone() });
        }
        order.not_aired(cause, &self.zone, pass.out);
        self.advance(place);
    }

    /// Opens what is due soon, after all others have moved on.
    fn open_what_is_due(&mut self, pass: &mut Pass<'_>) {
        for order in &mut self.orders {
            if matches!(order.turn, Turn::Waiting) && pass.due(order.due - PREPARED_AHEAD) {
                let cue = order.cue(&self.zone);
                pass.out.push(Action::Prepare { cue: Arc::clone(&cue), skip: SignedDuration::ZERO });
                order.turn = Turn::Preparing(cue);
            }
        }
    }

    /// The first interrupt of a layer whose airing is ready and due.
    fn first_due(&self, layer: Layer, pass: &mut Pass<'_>) -> Option<usize> {
        self.orders.iter().position(|order| {
            order.what.layer == layer && matches!(order.turn, Turn::Ready(_)) && pass.due(order.due)
        })
    }
}
