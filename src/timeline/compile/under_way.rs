//! A block that is under way: what is on record of it stands, and what is still to come is laid after it.

use std::ops::Range;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Day;
use super::choice::Choice;
use crate::schedule::{Play, SlotId};
use crate::segment::{Segment, State};
use crate::timeline::backtime::Ending;
use crate::timeline::calendar::{Span, later};
use crate::timeline::rundown::{Item, Rundown};
use crate::timeline::{Absence, Begun, pick};

impl Choice {
    /// What is left of it for an item of which these have begun.
    fn after(self, begun: &[Begun]) -> Self {
        let numbers = begun.last().map_or(0, |begun| usize::from(begun.piece) + 1);
        match self {
            Self::Pieces(pieces) => Self::Pieces(pieces.into_iter().skip(numbers).collect()),
            Self::Fitting(mut pieces) => {
                pieces.retain(|piece| is_new(piece, begun));
                Self::Fitting(pieces)
            }
            Self::StandIn(_) | Self::Nothing(_) => Self::Pieces(Vec::new()),
            Self::Rotation(pool) => Self::Rotation(pool),
        }
    }
}

impl<'a> Day<'a> {
    /// Until when what has begun has the block, of slots that are no longer in it: what is still to come follows that too.
    pub(super) fn taken_by_gone(&self, items: &[Item<'a>], span: &Span<'_>) -> Timestamp {
        let is_gone = |slot: &SlotId| items.iter().all(|item| item.slot.id != *slot);
        let gone = self.history.begun_in(&span.id).filter(|(slot, _)| is_gone(slot)).map(|(_, begun)| begun);
        let here = gone.filter(|begun| span.start <= begun.at && begun.at <= span.end);
        here.map(|begun| begun.end).max().unwrap_or(span.start)
    }

    /// Gives the items of a block what is on record of them. A block that was moved since begins anew.
    pub(super) fn recall(&self, items: &mut [Item<'a>], span: &Span<'_>) {
        let mut until = None;
        for item in items.iter_mut().rev() {
            let begun = self.history.begun(&span.id, &item.slot.id);
            if begun.iter().all(|begun| span.start <= begun.at && begun.at <= span.end) {
                item.begun = begun;
            }
            item.until = until;
            until = item.begun.first().map(|begun| begun.at).or(until);
        }
    }

    /// Places an item as if nothing had begun, and then, where that differs from what is on record, by the record first.
    pub(super) fn place_as_begun(
        &mut self,
        rundown: &mut Rundown<'_>,
        item: &Item<'_>,
        choice: Choice,
        limit: Timestamp,
        ending: Ending,
    ) {
        if item.begun.is_empty() && item.until.is_none() {
            return self.place(rundown, item, choice, limit, ending);
        }
        let before = rundown.mark();
        let first = rundown.cues.len();
        let rotations = self.rotations.clone();
        self.place(rundown, item, choice.clone(), limit, ending);
        if rundown.is_as_on_record(item, first) {
            return;
        }
        rundown.back_to(before);
        self.rotations = rotations;
        if item.begun.is_empty() {
            let limit = item.until.map_or(limit, |until| until.min(limit));
            return self.place(rundown, item, choice, limit, ending);
        }
        let mut choice = choice;
        let mut next = 0;
        for begun in item.begun {
            self.unrecorded(rundown, item, &mut choice, (next..begun.piece, begun));
            rundown.again(item, begun, self.catalog, limit, self.date);
            next = begun.piece + 1;
        }
        if let Choice::Rotation(pool) = &choice {
            // Those that have begun were the last to be taken.
            let taken = |piece: &Arc<Segment>| {
                item.begun.iter().rposition(|begun| begun.segment.as_ref() == Some(&piece.id))
            };
            self.rotation(pool).make_contiguous().sort_by_key(taken);
        }
        let left = choice.after(item.begun);
        match item.until {
            Some(until) => self.place_before(rundown, item, left, (limit, until), ending),
            None => self.place(rundown, item, left, limit, ending),
        }
    }

    /// Puts what is left of an item before what began at `until`: that may be opened, after a silence, while the last pieces
    /// wait for the word that they are over. What was approved only then is not put before it, and neither is anything in the
    /// time of a piece that was taken off the air.
    fn place_before(
        &mut self,
        rundown: &mut Rundown<'_>,
        item: &Item<'_>,
        left: Choice,
        (room, until): (Timestamp, Timestamp),
        ending: Ending,
    ) {
        let was_there =
            |piece: &Arc<Segment>| piece.approval.as_ref().is_some_and(|approval| approval.at < until);
        let limit = room.min(until);
        let is_cut_off = |begun: &Begun| {
            let whole = begun.segment.as_ref().and_then(|id| self.catalog.get(id));
            whole.is_some_and(|segment| begun.end < limit.min(later(begun.at, segment.duration())))
        };
        if item.begun.last().is_some_and(is_cut_off) {
            return;
        }
        match left {
            Choice::Pieces(mut pieces) => {
                pieces.retain(was_there);
                if !pieces.is_empty() {
                    self.place(rundown, item, Choice::Pieces(pieces), limit, ending);
                }
            }
            Choice::Fitting(mut pieces) => {
                pieces.retain(was_there);
                self.place(rundown, item, Choice::Fitting(pieces), limit, ending);
            }
            Choice::Rotation(pool) => {
                let mut whole = self.rotation(&pool).clone();
                self.rotation(&pool).retain(was_there);
                let there = self.rotation(&pool).clone();
                let before = rundown.mark();
                let first = rundown.cues.len();
                // With the room that it had, it chooses what it chose.
                self.place(rundown, item, Choice::Rotation(pool.clone()), room, ending);
                if rundown.cursor > until {
                    rundown.back_to(before);
                    *self.rotation(&pool) = there;
                    self.place(rundown, item, Choice::Rotation(pool.clone()), limit, ending);
                }
                let taken = |piece: &Arc<Segment>| {
                    let mut cues = rundown.cues.iter().skip(first);
                    cues.rposition(|cue| cue.segment().is_some_and(|segment| segment.id == piece.id))
                };
                whole.make_contiguous().sort_by_key(taken);
                *self.rotation(&pool) = whole;
            }
            Choice::StandIn(_) | Choice::Nothing(_) => {}
        }
    }

    /// Puts the pieces of these numbers, of which nothing is on record, before the `next` that has begun: it is opened ahead of
    /// its time, while they wait for theirs, or for the word that they are over. Those that are still there ran up to it; the
    /// others say why they are silent.
    fn unrecorded(
        &mut self,
        rundown: &mut Rundown<'_>,
        item: &Item<'_>,
        choice: &mut Choice,
        (numbers, next): (Range<u16>, &Begun),
    ) {
        if numbers.is_empty() {
            return;
        }
        rundown.cursor = rundown.cursor.min(next.at);
        let obstacle = rundown.obstacle(next.at);
        let is_clear = rundown.clear_until(next.at) >= next.at && obstacle.is_none();
        let room = next.at.duration_since(rundown.cursor);
        let there =
            if is_clear { self.still_there(item, choice, (numbers.len(), room), next) } else { Vec::new() };
        self.take_out(choice, &there);
        let why = match choice {
            Choice::Nothing(why) => why.clone(),
            Choice::Pieces(_) | Choice::StandIn(_) | Choice::Fitting(_) | Choice::Rotation(_) => {
                obstacle.unwrap_or_else(|| self.why_gone(item))
            }
        };
        let silent = numbers.len() - there.len();
        numbers.clone().take(silent).for_each(|number| rundown.silent(item, number, why.clone()));
        let length: SignedDuration = there.iter().map(|piece| piece.duration()).sum();
        rundown.cursor = later(next.at, -length);
        numbers.skip(silent).zip(&there).for_each(|(number, piece)| rundown.whole(item, number, piece));
    }

    /// The last pieces before the `next` that has begun, so many at most and as they fit into the room.
    fn still_there(
        &mut self,
        item: &Item<'_>,
        choice: &Choice,
        (count, mut room): (usize, SignedDuration),
        next: &Begun,
    ) -> Vec<Arc<Segment>> {
        let mut there = match choice {
            Choice::Pieces(pieces) | Choice::Fitting(pieces) => right_before(pieces, count, item.begun, next),
            Choice::Rotation(pool) => right_before(&*self.rotation(pool), count, item.begun, next),
            Choice::StandIn(_) | Choice::Nothing(_) => Vec::new(),
        };
        let fit = there.iter().rev().take_while(|piece| {
            room -= piece.duration();
            !room.is_negative()
        });
        there.split_off(there.len() - fit.count())
    }

    /// Takes pieces that have their place out of a choice; a pool has them last from now on.
    fn take_out(&mut self, choice: &mut Choice, placed: &[Arc<Segment>]) {
        let is_placed = |piece: &Arc<Segment>| placed.iter().any(|placed| placed.id == piece.id);
        match choice {
            Choice::Fitting(pieces) => pieces.retain(|piece| !is_placed(piece)),
            Choice::Rotation(pool) => self.rotation(pool).make_contiguous().sort_by_key(is_placed),
            Choice::Pieces(_) | Choice::StandIn(_) | Choice::Nothing(_) => {}
        }
    }

    /// Why what an item had to play before is no longer there, as far as the catalogue says.
    fn why_gone(&self, item: &Item<'_>) -> Absence {
        let (Play::Programme(id) | Play::All(id) | Play::Pool(id)) = item.play else {
            return Absence::NoRoom;
        };
        let gone = self.catalog.of_programme(id).iter().filter(|piece| {
            let was_approved = matches!(piece.state, State::Approved | State::Withdrawn);
            was_approved && piece.is_valid_on(self.date) && !self.catalog.can_air_on(piece, self.date)
        });
        let mut gone = gone.filter(|piece| is_new(piece, item.begun)).peekable();
        if gone.peek().is_none() { Absence::NoRoom } else { pick::hindrance(self.catalog, gone, self.date) }
    }
}

/// Whether a piece is none of those that have begun.
fn is_new(piece: &Segment, begun: &[Begun]) -> bool {
    begun.iter().all(|begun| begun.segment.as_ref() != Some(&piece.id))
}

/// So many pieces, of which none has begun, right before the `next` that has; the first ones, where that is gone.
fn right_before<'p>(
    pieces: impl IntoIterator<Item = &'p Arc<Segment>>,
    count: usize,
    begun: &[Begun],
    next: &Begun,
) -> Vec<Arc<Segment>> {
    let pieces: Vec<_> = pieces.into_iter().collect();
    let place = pieces.iter().position(|piece| next.segment.as_ref() == Some(&piece.id));
    let mut there: Vec<_> = pieces.into_iter().take(place.unwrap_or(usize::MAX)).cloned().collect();
    there.retain(|piece| is_new(piece, begun));
    let surplus = there.len().saturating_sub(count);
    match place {
        Some(_) => drop(there.drain(..surplus)),
        None => there.truncate(count),
    }
    there
}
