//! Which sessions are on which day, and where their local times lie on the line of time.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{BlockId, Finding, FindingKind, Severity, Window};
use crate::schedule::{OutputId, QuietHours, Schedule, Session, SlotId, Start};

/// A session on a date, with its bounds in absolute time.
#[derive(Debug)]
pub(super) struct Span<'s> {
    pub(super) id: BlockId,
    pub(super) session: &'s Session,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// The hard starts of its slots, never decreasing in the order of the rundown, never outside of it.
    pub(super) hard: BTreeMap<SlotId, Timestamp>,
    /// The rules leave no sound of it.
    pub(super) forbidden: bool,
    pub(super) findings: Vec<Finding>,
}

/// The sessions of an output from one date to another, both included, by their start; each ends where the next begins.
pub(super) fn spans<'s>(schedule: &'s Schedule, output: &OutputId, first: Date, last: Date) -> Vec<Span<'s>> {
    let dates = first.series(1.day()).take_while(|date| *date <= last);
    let mut spans: Vec<_> = dates.flat_map(|date| day(schedule, output, date)).collect();
    // Stable: what begins at one instant stays in the order of the file, and the later one wins the air.
    spans.sort_by_key(|span| span.start);
    let next: Vec<_> = spans.iter().skip(1).map(|span| (span.start, span.id.clone())).collect();
    for (span, (start, by)) in spans.iter_mut().zip(next) {
        if start < span.end {
            span.end = start;
            span.note(Severity::Warning, start, None, FindingKind::CutByNextSession { by });
            span.hold_hard_starts();
        }
    }
    spans
}

/// The sessions of one date, by their start, with what the rules say of them.
fn day<'s>(schedule: &'s Schedule, output: &OutputId, date: Date) -> Vec<Span<'s>> {
    let mut spans: Vec<_> = schedule
        .sessions_on(date)
        .filter(|session| session.outputs.contains(output))
        .map(|session| Span::new(session, date, schedule))
        .collect();
    spans.sort_by_key(|span| span.start);
    let allowed = schedule.rules.sessions_per_day.and_then(|most| usize::try_from(most).ok());
    for span in spans.iter_mut().skip(allowed.unwrap_or(usize::MAX)) {
        span.forbid(FindingKind::TooManySessions);
    }
    if !schedule.rules.weekdays.contains(date.weekday()) {
        for span in &mut spans {
            span.forbid(FindingKind::WeekdayNotAllowed);
        }
    }
    spans
}

impl<'s> Span<'s> {
    fn new(session: &'s Session, date: Date, schedule: &Schedule) -> Self {
        let time_zone = &schedule.time_zone;
        let local = |time: Time, after: Time| {
            let next_day = time < after;
            let date = if next_day { date.saturating_add(1.day()) } else { date };
            date.to_datetime(time)
        };
        let from = date.to_datetime(session.from);
        let mut to = local(session.to, session.from);
        if to == from {
            to = to.saturating_add(1.day());
        }
        let start = instant(time_zone, from);
        // A session whose beginning the clocks skip happens later as a whole, so that it keeps its length and its
        // inner order.
        let moved = matches!(start.wrinkle, Some(FindingKind::SkippedLocalTime { .. }));
        let place = |local: DateTime| {
            if moved {
                Instant { at: later(start.at, local.duration_since(from)), wrinkle: None }
            } else {
                instant(time_zone, local)
            }
        };
        let mut span = Self {
            id: BlockId::new(date, session.id.clone()),
            session,
            start: start.at,
            end: place(to).at,
            hard: BTreeMap::new(),
            forbidden: false,
            findings: Vec::new(),
        };
        if let Some(kind) = start.wrinkle {
            span.note(Severity::Note, span.start, None, kind);
        }
        let mut wrinkles = Vec::new();
        for slot in session.slots.iter().filter(|slot| slot.is_on(date)) {
            let Start::Hard(time) = slot.start else { continue };
            let hard = place(local(time, session.from));
            span.hard.insert(slot.id.clone(), hard.at);
            // The session's own beginning has been spoken of.
            wrinkles.extend(hard.wrinkle.filter(|_| time != session.from).map(|kind| (&slot.id, kind)));
        }
        if let Some(longest) = schedule.rules.longest_session
            && span.end.duration_since(span.start) > longest
        {
            span.end = later(span.start, longest);
            span.note(Severity::Warning, span.end, None, FindingKind::SessionTooLong);
        }
        span.hold_hard_starts();
        for (slot, kind) in wrinkles {
            span.note_wrinkle(slot, kind);
        }
        span
    }

    /// Says of a hard start that the clocks have moved it, or left it no time at all.
    fn note_wrinkle(&mut self, slot: &SlotId, kind: FindingKind) {
        let mut from_it = self.session.slots.iter().skip_while(|other| other.id != *slot);
        let mut starts = from_it.by_ref().filter_map(|slot| self.hard.get(&slot.id).copied());
        let Some(at) = starts.next() else { return };
        let has_room = at < starts.next().unwrap_or(self.end);
        let is_lost = matches!(kind, FindingKind::SkippedLocalTime { .. }) && !has_room;
        let kind = if is_lost { FindingKind::SkippedLocalTime { shift_ms: None } } else { kind };
        self.note(Severity::Note, at, Some(slot.clone()), kind);
    }

    /// Says which run of its session on its date it is.
    pub(super) fn set_run(&mut self, run: u8) {
        self.id.run = run;
        for finding in &mut self.findings {
            finding.block.run = run;
            finding.cue.iter_mut().for_each(|cue| cue.block.run = run);
        }
    }

    /// Keeps hard starts within the span and in the order of the rundown, whatever the clocks do on that day: what
    /// would come after the next one gets no room.
    fn hold_hard_starts(&mut self) {
        let mut bound = self.end;
        for slot in self.session.slots.iter().rev() {
            if let Some(at) = self.hard.get_mut(&slot.id) {
                bound = bound.min(*at).max(self.start);
                *at = bound;
            }
        }
    }

    fn forbid(&mut self, kind: FindingKind) {
        self.forbidden = true;
        self.note(Severity::Error, self.start, None, kind);
    }

    fn note(&mut self, severity: Severity, at: Timestamp, slot: Option<SlotId>, kind: FindingKind) {
        let block = self.id.clone();
        let cue = slot.map(|slot| super::CueId { block: block.clone(), slot, piece: 0 });
        self.findings.push(Finding { severity, block, cue, at, kind });
    }
}

/// Where a local time lies, and whether the clocks made that less than obvious.
struct Instant {
    at: Timestamp,
    wrinkle: Option<FindingKind>,
}

/// RFC 5545's choice: a time that is skipped keeps its distance from the hour before (02:30 becomes 03:30), one that
/// comes twice means the first.
fn instant(time_zone: &TimeZone, local: DateTime) -> Instant {
    let ambiguous = time_zone.to_ambiguous_timestamp(local);
    let wrinkle = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Gap { before, after } => {
            let shift = SignedDuration::from_secs(i64::from(after.seconds() - before.seconds()));
            Some(FindingKind::SkippedLocalTime { shift_ms: Some(super::millis(shift)) })
        }
        AmbiguousOffset::Fold { .. } => Some(FindingKind::RepeatedLocalTime),
    };
    Instant { at: ambiguous.compatible().unwrap_or(Timestamp::MAX), wrinkle }
}

/// An instant some time later; the end of time at most.
pub(super) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The stretches of a window whose local time is in quiet hours, in order and apart.
///
/// They are found piece by piece between the changes of the zone's offset, so that they agree to the nanosecond with
/// what [`QuietHours::contains`] says of each local time, in an hour that comes twice as well.
pub(super) fn quiet(hours: &[QuietHours], time_zone: &TimeZone, window: Window) -> Vec<Window> {
    let mut quiet = Vec::new();
    if hours.is_empty() {
        return quiet;
    }
    let changes = time_zone.following(window.from).map(|change| change.timestamp());
    let mut from = window.from;
    for to in changes.take_while(|at| *at < window.to).chain([window.to]) {
        let offset = time_zone.to_offset(from);
        let dates = offset.to_datetime(from).date().saturating_sub(1.day()).series(1.day());
        for date in dates.take_while(|date| *date <= offset.to_datetime(to).date()) {
            for hours in hours.iter().filter(|hours| hours.from != hours.to) {
                let until = if hours.to < hours.from { date.saturating_add(1.day()) } else { date };
                let first = offset.to_timestamp(date.to_datetime(hours.from)).unwrap_or(Timestamp::MAX);
                let after = offset.to_timestamp(until.to_datetime(hours.to)).unwrap_or(Timestamp::MAX);
                let piece = Window { from: first.max(from), to: after.min(to) };
                if piece.from < piece.to {
                    quiet.push(piece);
                }
            }
        }
        from = to;
    }
    quiet.sort_by_key(|piece| piece.from);
    quiet.dedup_by(|next, before| {
        let touches = next.from <= before.to;
        if touches {
            before.to = before.to.max(next.to);
        }
        touches
    });
    quiet
}
