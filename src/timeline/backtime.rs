//! Filling time with whole pieces, counted back from the moment at which the next thing must begin.

use std::cmp::Reverse;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::SignedDuration;

use crate::segment::Segment;

/// Silence nobody minds: between songs and the signature tune a breath of a few seconds sounds meant.
pub(super) const TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

/// A piece that is faded out should be heard at least this long; a shorter snatch sounds like a mistake.
const SNATCH: SignedDuration = SignedDuration::from_secs(20);

/// From how many pieces the last places are chosen: 2¹² combinations of songs of three to five minutes leave a few
/// that fit any room to the second, and cost microseconds.
const CHOICE: usize = 12;

/// No slot has more pieces than this, whatever the room and however short the pieces.
const MOST_PIECES: usize = 1000;

/// How a filled stretch may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With a piece that is faded out, where whole ones would leave silence.
    Full,
    /// With whole pieces, however much time they leave; only where not even one fits, with one that is faded out.
    Whole,
}

/// Takes pieces from the front of a rotation to fill `room`, and puts them back at its end. All are whole, but for the last,
/// which may be longer than what is left of the room.
///
/// Pieces come in the order of the rotation; for the last places, those are chosen from the next few that leave no more
/// than [`TOLERANCE`] of silence, the earliest such combination; where there is none, the one whose last piece loses least.
pub(super) fn fill(
    rotation: &mut VecDeque<Arc<Segment>>,
    mut room: SignedDuration,
    ending: Ending,
) -> Vec<Arc<Segment>> {
    let mut pieces = Vec::new();
    // With what was heard last among the choice, a song could follow itself.
    let choice = rotation.len().saturating_sub(1).clamp(1, CHOICE);
    while room.is_positive() && pieces.len() < MOST_PIECES {
        let lengths: Vec<_> = rotation.iter().take(choice).map(|piece| piece.duration()).collect();
        if lengths.iter().sum::<SignedDuration>() >= room {
            let chosen = last_places(&lengths, room, ending);
            pieces.extend(chosen.into_iter().filter_map(|place| rotation.get(place).cloned()));
            break;
        }
        let Some(next) = rotation.pop_front() else { break };
        room -= next.duration();
        rotation.push_back(Arc::clone(&next));
        pieces.push(next);
    }
    let last_taken: Vec<_> = pieces.iter().rev().take(choice).map(|piece| &piece.id).collect();
    rotation.make_contiguous().sort_by_cached_key(|piece| {
        // Stable: what was not taken keeps its order, the piece heard last comes last.
        Reverse(last_taken.iter().position(|id| **id == piece.id).unwrap_or(usize::MAX))
    });
    pieces
}

/// Whether a piece occurs among these twice.
pub(super) fn comes_round_again(pieces: &[Arc<Segment>]) -> bool {
    let different: BTreeSet<_> = pieces.iter().map(|piece| &piece.id).collect();
    different.len() < pieces.len()
}

/// Which of these lengths to take, as places in the order of the rotation; one that does not fit comes last.
fn last_places(lengths: &[SignedDuration], room: SignedDuration, ending: Ending) -> Vec<usize> {
    // The sum of each combination, at the place whose binary digits say which lengths are in it.
    let mut sums = vec![SignedDuration::ZERO];
    for length in lengths {
        let with: Vec<_> = sums.iter().map(|sum| *sum + *length).collect();
        sums.extend(with);
    }
    let in_set = |set: usize, place: usize| (set >> place) & 1 == 1;
    let places = |set: usize| (0..lengths.len()).filter(move |place| in_set(set, *place)).collect::<Vec<_>>();
    let left = || sums.iter().map(|sum| room - *sum).enumerate().filter(|(_, left)| !left.is_negative());

    // A smaller number is a combination that reaches less far ahead in the rotation. The one that leaves least would save a
    // second which nobody minds, for songs from far ahead, that sound again the next day. And so what is left of a fill under
    // way is laid anew as it was: what has come into the choice since comes last in it.
    if let Some((set, _)) = left().find(|(_, left)| *left <= TOLERANCE) {
        return places(set);
    }
    if ending == Ending::Whole
        && let Some((set, _)) = left().skip(1).min_by_key(|(_, left)| *left)
    {
        return places(set);
    }
    let cut = left().flat_map(|(set, left)| {
        let unused = lengths.iter().enumerate().filter(move |(place, _)| !in_set(set, *place));
        unused
            .filter(move |(_, length)| **length > left)
            .map(move |(place, length)| ((left < SNATCH, *length - left, set), place))
    });
    let Some(((_, _, set), last)) = cut.min() else { return places(0) };
    places(set).into_iter().chain([last]).collect()
}
