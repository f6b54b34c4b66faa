//! The rundown of one block while it is made: cue after cue, up to a cursor.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::backtime::TOLERANCE;
use super::calendar::{self, Span, later};
use super::{
    Absence, Begun, Block, BlockId, Content, Cue, CueId, Finding, FindingKind, Form, Join, Layer, Severity,
    Window, millis, pick,
};
use crate::schedule::{Play, Schedule, Slot, Start};
use crate::segment::{Catalog, Segment};

/// How long a planned cut takes from full sound to silence. What has no more room than this is not begun at all.
const FADE: SignedDuration = SignedDuration::from_secs(3);
/// What takes longer than its slot by more than this moves what follows, or takes its place, as nobody meant it.
const FAR_OVER: SignedDuration = SignedDuration::from_secs(120);
/// A session that has nothing left to play for so long ends early enough to be told.
const EARLY: SignedDuration = SignedDuration::from_secs(120);

/// A slot of the day, with the day plan's changes.
pub(super) struct Item<'a> {
    pub(super) slot: &'a Slot,
    pub(super) title: &'a str,
    pub(super) play: &'a Play,
    pub(super) length: Option<SignedDuration>,
    pub(super) hard: Option<Timestamp>,
    /// What is on record of it.
    pub(super) begun: &'a [Begun],
    /// When one after it began: its own time is over then.
    pub(super) until: Option<Timestamp>,
}

impl Item<'_> {
    pub(super) fn fills(&self) -> bool {
        self.slot.start == Start::Fill && matches!(self.play, Play::Pool(_))
    }
}

/// Whether a cut is worth a word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// A spoken piece loses its end: people must know.
    Told,
    /// The last piece of a fill: that is what a fill does.
    Planned,
}

/// How long a cue sounds, the fade at its end, and what is lost behind that.
#[derive(Clone, Copy, Default)]
struct Lengths {
    length: SignedDuration,
    fade: SignedDuration,
    lost: SignedDuration,
}

/// Whether two instants are the same, to the millisecond.
fn is_at(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).abs() < SignedDuration::from_millis(1)
}

/// A block being filled, up to `cursor`.
pub(super) struct Rundown<'a> {
    schedule: &'a Schedule,
    pub(super) block: BlockId,
    title: Arc<str>,
    start: Timestamp,
    pub(super) end: Timestamp,
    quiet: Vec<Window>,
    forbidden: bool,
    pub(super) cursor: Timestamp,
    pub(super) cues: Vec<Arc<Cue>>,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Rundown<'a> {
    pub(super) fn new(schedule: &'a Schedule, span: Span<'_>) -> Self {
        let window = Window { from: span.start, to: span.end };
        Self {
            schedule,
            quiet: calendar::quiet(&schedule.rules.quiet, &schedule.time_zone, window),
            block: span.id,
            title: span.session.title.as_str().into(),
            start: span.start,
            end: span.end,
            forbidden: span.forbidden,
            cursor: span.start,
            cues: Vec::new(),
            findings: span.findings,
        }
    }

    pub(super) fn finish(self) -> (Block, Vec<Finding>) {
        let Self { block: id, title, start, end, cues, findings, .. } = self;
        (Block { id, title: title.to_string(), start, end, cues }, findings)
    }

    /// How far it is made.
    pub(super) fn mark(&self) -> (Timestamp, usize, usize) {
        (self.cursor, self.cues.len(), self.findings.len())
    }

    /// Takes out what came after a mark.
    pub(super) fn back_to(&mut self, (cursor, cues, findings): (Timestamp, usize, usize)) {
        self.cursor = cursor;
        self.cues.truncate(cues);
        self.findings.truncate(findings);
    }

    /// What keeps a sound from beginning at the cursor, with this much of the block before it.
    pub(super) fn obstacle(&self, limit: Timestamp) -> Option<Absence> {
        if self.forbidden {
            Some(Absence::AgainstTheRules)
        } else if self.quiet.iter().any(|quiet| quiet.contains(self.cursor)) {
            Some(Absence::QuietHours)
        } else if limit <= self.cursor {
            Some(Absence::NoRoom)
        } else {
            None
        }
    }

    /// Until when sound may go on from the cursor: the limit, or the next quiet hours before it.
    pub(super) fn clear_until(&self, limit: Timestamp) -> Timestamp {
        let quiet = self.quiet.iter().map(|quiet| quiet.from).find(|from| *from >= self.cursor);
        quiet.map_or(limit, |from| from.min(limit))
    }

    /// The cues that an item has here.
    fn cues_of(&self, item: &Item<'_>) -> impl DoubleEndedIterator<Item = &Arc<Cue>> {
        self.cues.iter().filter(|cue| cue.id.slot == item.slot.id)
    }

    pub(super) fn has(&self, item: &Item<'_>) -> bool {
        self.cues_of(item).next().is_some()
    }

    /// Where an item begins: with its first cue, or at the cursor.
    pub(super) fn beginning(&self, item: &Item<'_>) -> Timestamp {
        self.cues_of(item).next().map_or(self.cursor, |cue| cue.at)
    }

    /// Whether the cues from the `first` on are as is on record of an item, to the millisecond, with others of which nothing
    /// is: those that have yet to begin, or to be told. Where one broke off, what comes after it comes sooner.
    pub(super) fn is_as_on_record(&self, item: &Item<'_>, first: usize) -> bool {
        let cues = || self.cues.iter().skip(first);
        let is_on_record = |begun: &Begun| {
            !begun.broke_off
                && cues().any(|cue| {
                    cue.id.piece == begun.piece
                        && cue.segment().map(|segment| &segment.id) == begun.segment.as_ref()
                        && is_at(cue.at, begun.at)
                })
        };
        let ends_in_time = |until: Timestamp| match (cues().next_back(), item.begun.last()) {
            (Some(last), None) => last.end <= until,
            // More pieces than have begun are the plan's where they lead up to what came next. With time left, they may be
            // newer than it.
            (Some(last), Some(begun)) => last.id.piece == begun.piece || is_at(last.end, until),
            (None, _) => true,
        };
        item.begun.iter().all(is_on_record) && item.until.is_none_or(ends_in_time)
    }

    /// A cue as it is on record. What may not air any more leaves its time silent.
    pub(super) fn again(
        &mut self,
        item: &Item<'_>,
        begun: &Begun,
        catalog: &Catalog,
        limit: Timestamp,
        date: Date,
    ) {
        let segment = begun.segment.as_ref().and_then(|id| catalog.get(id));
        self.cursor = begun.at;
        let length = begun.end.min(limit).duration_since(begun.at).max(SignedDuration::ZERO);
        match segment {
            Some(segment) if segment.may_air_on(date) && length.is_positive() => {
                self.sound(item, begun.piece, segment, length, Cut::Planned);
            }
            _ => {
                let why = match (segment, &begun.nothing) {
                    (None, Some(why)) => why.clone(),
                    (Some(segment), _) if segment.may_air_on(date) => Absence::NoRoom,
                    (segment, _) => pick::hindrance(catalog, segment, date),
                };
                self.silent(item, begun.piece, why);
                self.cursor = later(begun.at, length);
            }
        }
    }

    /// A piece from the cursor on, to its end.
    pub(super) fn whole(&mut self, item: &Item<'_>, number: u16, piece: &Arc<Segment>) {
        self.sound(item, number, piece, piece.duration(), Cut::Planned);
    }

    /// Nothing, in place of a piece.
    pub(super) fn silent(&mut self, item: &Item<'_>, number: u16, why: Absence) {
        self.cue(item, number, Lengths::default(), Content::Nothing(why));
    }

    /// Pieces one after the other, the last one cut where it must be.
    pub(super) fn pieces(&mut self, item: &Item<'_>, pieces: &[Arc<Segment>], limit: Timestamp, cut: Cut) {
        let before = self.beginning(item);
        let first = self.cues_of(item).next_back().map_or(0, |cue| cue.id.piece + 1);
        for (number, piece) in (first..).zip(pieces) {
            let room = self.clear_until(limit).duration_since(self.cursor);
            let too_late = room <= FADE && room < piece.duration();
            if let Some(why) = self.obstacle(limit).or(too_late.then_some(Absence::NoRoom)) {
                if number == 0 {
                    return self.absent(item, why);
                }
                if cut == Cut::Told {
                    self.left_out(item, pieces.len() - usize::from(number - first));
                }
                break;
            }
            self.sound(item, number, piece, room, cut);
        }
        let over =
            item.length.map_or(SignedDuration::ZERO, |length| self.cursor.duration_since(before) - length);
        if over > TOLERANCE && cut == Cut::Told {
            let severity = if over > FAR_OVER { Severity::Warning } else { Severity::Note };
            let kind = FindingKind::LongerThanPlanned { over_ms: millis(over) };
            self.note_at(before, severity, Some((item, 0)), kind);
        }
    }

    pub(super) fn stand_in(&mut self, item: &Item<'_>, segment: Arc<Segment>, limit: Timestamp) {
        if self.obstacle(limit).is_none() {
            let kind = FindingKind::OlderStandsIn { segment: segment.id.clone() };
            self.note(Severity::Warning, Some((item, 0)), kind);
        }
        self.pieces(item, &[segment], limit, Cut::Told);
    }

    /// As many pieces as fit whole in the slot's length and the room.
    pub(super) fn fitting(&mut self, item: &Item<'_>, pieces: &[Arc<Segment>], limit: Timestamp) {
        let clear = self.clear_until(limit);
        let bound = item.length.map_or(clear, |length| later(self.beginning(item), length).min(clear));
        let mut room = bound.duration_since(self.cursor);
        let mut fit = Vec::new();
        for piece in pieces {
            if piece.duration() <= room {
                room -= piece.duration();
                fit.push(Arc::clone(piece));
            }
        }
        if fit.is_empty() {
            return self.absent(item, self.obstacle(limit).unwrap_or(Absence::NoRoom));
        }
        let left = pieces.len() - fit.len();
        if left > 0 && self.obstacle(limit).is_none() {
            self.left_out(item, left);
        }
        self.pieces(item, &fit, bound, Cut::Told);
    }

    fn left_out(&mut self, item: &Item<'_>, pieces: usize) {
        let pieces = u32::try_from(pieces).unwrap_or(u32::MAX);
        self.note(Severity::Warning, Some((item, 0)), FindingKind::LeftOut { pieces });
    }

    /// A piece from the cursor on, for as long as there is room.
    fn sound(&mut self, item: &Item<'_>, number: u16, piece: &Arc<Segment>, room: SignedDuration, cut: Cut) {
        let length = piece.duration().min(room);
        let lost = piece.duration() - length;
        let fade = if lost.is_positive() { FADE.min(length) } else { SignedDuration::ZERO };
        if lost.is_positive() && cut == Cut::Told {
            self.note(
                Severity::Warning,
                Some((item, number)),
                FindingKind::CutShort { lost_ms: millis(lost) },
            );
        }
        // Not by `cut`: what is on record is the same cue as before.
        let lost = if item.fills() { SignedDuration::ZERO } else { lost };
        self.cue(item, number, Lengths { length, fade, lost }, Content::Segment(Arc::clone(piece)));
    }

    /// The slot keeps its place, with nothing in it.
    pub(super) fn absent(&mut self, item: &Item<'_>, why: Absence) {
        if self.has(item) {
            return; // it had its turn
        }
        // What the rules and the quiet hours forbid is silent for that reason, whatever else is wrong with it.
        let why = match self.obstacle(self.end) {
            Some(stronger @ (Absence::AgainstTheRules | Absence::QuietHours)) => stronger,
            _ => why,
        };
        let finding = match &why {
            // Said once, of the whole block.
            Absence::AgainstTheRules => None,
            Absence::QuietHours => Some((Severity::Error, FindingKind::InQuietHours)),
            Absence::NoMusic => Some((Severity::Note, FindingKind::Absent { why: why.clone() })),
            // What came before used up the time: no more than a fill is for.
            Absence::NoRoom if item.fills() => {
                Some((Severity::Note, FindingKind::Absent { why: why.clone() }))
            }
            Absence::NoOrigin => Some((Severity::Warning, FindingKind::Absent { why: why.clone() })),
            Absence::NoRoom
            | Absence::Missing
            | Absence::NotApproved { .. }
            | Absence::NotValid { .. }
            | Absence::Withdrawn { .. }
            | Absence::FileBroken { .. }
            | Absence::NothingToRepeat
            | Absence::TurnOver => Some((Severity::Error, FindingKind::Absent { why: why.clone() })),
        };
        if let Some((severity, kind)) = finding {
            self.note(severity, Some((item, 0)), kind);
        }
        self.cue(item, 0, Lengths::default(), Content::Nothing(why));
    }

    fn cue(&mut self, item: &Item<'_>, piece: u16, lengths: Lengths, content: Content) {
        let Lengths { length, fade, lost } = lengths;
        let segment = match &content {
            Content::Segment(segment) => Some(segment),
            Content::Nothing(_) => None,
        };
        let of_slot = match item.play {
            Play::Programme(id) | Play::All(id) | Play::Pool(id) => Some(id),
            Play::File(_) | Play::Repeat { .. } => None,
        };
        let programme = segment.and_then(|segment| segment.words.programme.as_ref()).or(of_slot).cloned();
        let words = segment.map(|segment| &segment.words);
        let (topic, genre) = self.schedule.kind(words, programme.as_ref());
        let loudness = &self.schedule.loudness;
        let gain_db =
            segment.map_or(0.0, |segment| segment.sound.gain_db(loudness.target_lufs, loudness.max_boost_db));
        let at = self.cursor;
        self.cursor = later(at, length);
        self.cues.push(Arc::new(Cue {
            id: CueId { block: self.block.clone(), slot: item.slot.id.clone(), piece },
            session_title: Some(Arc::clone(&self.title)),
            title: item.title.to_owned(),
            programme,
            topic,
            genre,
            start: if item.hard.is_some() && piece == 0 { Join::Hard } else { Join::Follow },
            at,
            end: self.cursor,
            fade,
            lost,
            late: item.slot.late,
            form: if matches!(item.play, Play::Repeat { .. }) { Form::Repeat } else { Form::Own },
            layer: Layer::Scheduled,
            ordered_by: None,
            content,
            gain_db,
        }));
    }

    /// Says what silence there is from the cursor to a hard start, unless it is ordered.
    pub(super) fn gap(&mut self, wall: Timestamp, severity: Severity) {
        let silence = self.clear_until(wall).duration_since(self.cursor);
        if silence > TOLERANCE && self.obstacle(wall).is_none() {
            self.note(severity, None, FindingKind::Gap { silence_ms: millis(silence) });
        }
    }

    /// Says that what is to be played ends well before the session does.
    pub(super) fn ends_early(&mut self) {
        let silence = self.clear_until(self.end).duration_since(self.cursor);
        let sounds = self.cues.iter().any(|cue| cue.segment().is_some());
        if silence >= EARLY && sounds && self.obstacle(self.end).is_none() {
            self.note(Severity::Note, None, FindingKind::EndsEarly { silence_ms: millis(silence) });
        }
    }

    pub(super) fn note(&mut self, severity: Severity, piece: Option<(&Item<'_>, u16)>, kind: FindingKind) {
        self.note_at(self.cursor, severity, piece, kind);
    }

    fn note_at(
        &mut self,
        at: Timestamp,
        severity: Severity,
        piece: Option<(&Item<'_>, u16)>,
        kind: FindingKind,
    ) {
        let block = self.block.clone();
        let cue =
            piece.map(|(item, piece)| CueId { block: block.clone(), slot: item.slot.id.clone(), piece });
        self.findings.push(Finding { severity, block, cue, at, kind });
    }
}
