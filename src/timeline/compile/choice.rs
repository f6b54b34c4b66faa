//! What a slot has to play on a date.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use super::Day;
use crate::schedule::{Play, SessionId, SlotId};
use crate::segment::{ProgrammeId, Segment};
use crate::timeline::rundown::Item;
use crate::timeline::{Absence, pick};

/// How many repeats of repeats are followed before the first of them is placed.
const REPEATS_OF_REPEATS: u8 = 8;

/// What an item has to play.
#[derive(Clone)]
pub(super) enum Choice {
    /// These, one after the other.
    Pieces(Vec<Arc<Segment>>),
    /// This older one, in place of this week's.
    StandIn(Arc<Segment>),
    /// As many of these as fit whole.
    Fitting(Vec<Arc<Segment>>),
    /// The next of a pool.
    Rotation(ProgrammeId),
    /// Nothing.
    Nothing(Absence),
}

impl Choice {
    /// What an item is going to need, for a fill before it to leave free.
    pub(super) fn need(&self, item: &Item<'_>) -> SignedDuration {
        let all =
            |pieces: &[Arc<Segment>]| pieces.iter().map(|piece| piece.duration()).sum::<SignedDuration>();
        match self {
            Self::Pieces(pieces) => all(pieces),
            Self::Fitting(pieces) => item.length.map_or(all(pieces), |length| length.min(all(pieces))),
            Self::StandIn(segment) => segment.duration(),
            Self::Rotation(_) if !item.fills() => item.length.unwrap_or_default(),
            Self::Rotation(_) | Self::Nothing(_) => SignedDuration::ZERO,
        }
    }
}

impl<'a> Day<'a> {
    /// What an item has to play.
    pub(super) fn choose(&self, item: &Item<'_>) -> Choice {
        if self.is_silenced(item, REPEATS_OF_REPEATS) {
            return Choice::Nothing(Absence::NoMusic);
        }
        if let Play::Repeat { session, slot } = item.play {
            return match self.repeat(session, slot, REPEATS_OF_REPEATS) {
                Ok(pieces) => Choice::Pieces(pieces),
                Err(why) => Choice::Nothing(why),
            };
        }
        self.pick(item.play)
    }

    /// Whether this is music, or repeats some, on a day without it.
    fn is_silenced(&self, item: &Item<'_>, hops: u8) -> bool {
        if !self.plan.is_some_and(|plan| plan.no_music) {
            return false;
        }
        let is_music = match item.play {
            Play::Pool(pool) => self.schedule.pools.get(pool).is_some_and(|pool| pool.music),
            Play::Repeat { session, slot } => {
                let origin = self.origin(session, slot).zip(hops.checked_sub(1));
                origin.is_some_and(|(origin, hops)| self.is_silenced(&origin, hops))
            }
            Play::File(_) | Play::Programme(_) | Play::All(_) => false,
        };
        is_music || item.slot.music
    }

    /// What is due, from the catalogue alone.
    fn pick(&self, play: &Play) -> Choice {
        let (catalog, date) = (self.catalog, self.date);
        let due = match play {
            Play::File(name) => pick::file(catalog, name, date),
            Play::Programme(id) => match self.schedule.programmes.get(id) {
                Some(programme) => pick::due(catalog, programme, &self.schedule.time_zone, date),
                None => Err(Absence::Missing),
            },
            Play::All(id) => {
                return pick::all(catalog, id, date).map_or_else(Choice::Nothing, Choice::Fitting);
            }
            Play::Pool(id) => return Choice::Rotation(id.clone()),
            Play::Repeat { .. } => return Choice::Nothing(Absence::NothingToRepeat),
        };
        match due {
            Ok(due) if due.stands_in => Choice::StandIn(due.segment),
            Ok(due) => Choice::Pieces(vec![due.segment]),
            Err(why) => Choice::Nothing(why),
        }
    }

    /// What an earlier slot of the day aired; where it aired nothing (yet), what it is planned to; and while it is on the air,
    /// both.
    fn repeat(&self, session: &SessionId, slot: &SlotId, hops: u8) -> Result<Vec<Arc<Segment>>, Absence> {
        let planned = self.planned.get(&(session.clone(), slot.clone()));
        if let (Some(begun), Some(pieces)) = (self.history.on_air(self.date, session, slot), planned) {
            let is_silent = |piece: &Arc<Segment>| {
                let mut of_piece =
                    begun.iter().filter(|begun| begun.segment.as_ref() == Some(&piece.id)).peekable();
                of_piece.peek().is_some() && of_piece.all(|begun| !begun.heard && !begun.sounds)
            };
            let mut pieces = pieces.clone();
            pieces.retain(|piece| !is_silent(piece) && self.catalog.can_air_on(piece, self.date));
            if !pieces.is_empty() {
                return Ok(pieces);
            }
        }
        let aired = self.history.aired(self.date, session, slot);
        if !aired.is_empty() {
            let mut pieces: Vec<_> = aired.into_iter().filter_map(|id| self.catalog.get(id)).collect();
            // A piece that an interrupt cut in two aired twice, and is repeated once.
            pieces.dedup_by(|a, b| a.id == b.id);
            let may: Vec<_> = pieces
                .iter()
                .filter(|piece| self.catalog.can_air_on(piece, self.date))
                .map(|piece| Arc::clone(piece))
                .collect();
            return if may.is_empty() {
                Err(pick::hindrance(self.catalog, pieces, self.date))
            } else {
                Ok(may)
            };
        }
        let planned = match planned {
            Some(pieces) => pieces.clone(),
            None => self.due_elsewhere(session, slot, hops),
        };
        match self.origin(session, slot) {
            _ if !planned.is_empty() => Ok(planned),
            Some(_) => Err(Absence::NothingToRepeat),
            None => Err(Absence::NoOrigin),
        }
    }

    /// The slot that a repeat names, as it is on the date.
    fn origin(&self, session: &SessionId, slot: &SlotId) -> Option<Item<'a>> {
        let own = self.plan.map_or(&[][..], |plan| &plan.sessions);
        let dropped = |id: &SessionId| self.plan.is_some_and(|plan| plan.drop.contains(id));
        let weekly = self.schedule.sessions.iter().filter(|found| !dropped(&found.id));
        let session = own.iter().chain(weekly).find(|found| found.id == *session)?;
        self.items(session, &BTreeMap::new()).into_iter().find(|item| item.slot.id == *slot)
    }

    /// What is due in a slot that was not placed before: one of the same group, or of a session on another output.
    fn due_elsewhere(&self, session: &SessionId, slot: &SlotId, hops: u8) -> Vec<Arc<Segment>> {
        let Some(item) = self.origin(session, slot) else { return Vec::new() };
        if let (Play::Repeat { session, slot }, Some(hops)) = (item.play, hops.checked_sub(1)) {
            return self.repeat(session, slot, hops).unwrap_or_default();
        }
        match self.pick(item.play) {
            Choice::Pieces(pieces) | Choice::Fitting(pieces) => pieces,
            Choice::StandIn(segment) => vec![segment],
            Choice::Rotation(_) | Choice::Nothing(_) => Vec::new(),
        }
    }
}
