//! From schedule and catalogue to blocks and cues with absolute instants.
//!
//! A rundown falls into groups: a hard start with what follows it, up to the next hard start or the session's end.
//! That moment is a wall: it stands where the schedule puts it even if the hard slot itself has nothing to play, so that a
//! missing recording never moves the rest of the day. Quiet hours are walls of their own.
//!
//! A block that is under way is compiled like any other; where that gives something else than what is on record, the record
//! stands. So what people approve, withdraw or rewrite meanwhile changes what is still to come, and moves none of it.

mod choice;
mod under_way;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use self::choice::Choice;
use super::backtime::{Ending, TOLERANCE};
use super::calendar::{self, Span, later};
use super::rundown::{Cut, Item, Rundown};
use super::{Absence, Block, Finding, FindingKind, History, Severity, Timeline, Window, backtime, pick};
use crate::schedule::{DayPlan, OutputId, Schedule, Session, SessionId, Slot, SlotId};
use crate::segment::{Catalog, ProgrammeId, Segment};

/// Schedule + catalogue + what already aired + window → plan. Reads no clock, no disk.
///
/// A day is always compiled as a whole, since its sessions share the rotations of pools and repeat each other; the window
/// then only says which of its blocks are in the result. So windows add up: the blocks and findings of `a..b` and of `b..c`
/// are those of `a..c`.
///
/// The rules count the sessions of this output: what one village hears.
pub fn compile(
    schedule: &Schedule,
    catalog: &Catalog,
    history: &History,
    output: &OutputId,
    window: Window,
) -> Timeline {
    // A session lasts a day at most, so what cuts the last one begins within two; the day more on either side is for
    // zones whose clocks skip a midnight.
    let first = schedule.time_zone.to_datetime(window.from).date().saturating_sub(2.days());
    let last = schedule.time_zone.to_datetime(window.to).date().saturating_add(3.days());
    let mut spans = calendar::spans(schedule, output, first, last);
    for span in &mut spans {
        span.set_run(history.run(&span.id, span.start, span.end));
    }
    let dates: BTreeSet<_> =
        spans.iter().filter(|span| window.contains(span.start)).map(|span| span.id.date).collect();
    let mut days: BTreeMap<Date, Day<'_>> = BTreeMap::new();
    let mut timeline = Timeline {
        output: output.clone(),
        window,
        time_zone: schedule.time_zone.clone(),
        quiet: schedule.rules.quiet.clone(),
        blocks: Vec::new(),
        findings: Vec::new(),
    };
    for span in spans.into_iter().filter(|span| dates.contains(&span.id.date)) {
        let date = span.id.date;
        let day = days.entry(date).or_insert_with(|| Day::new(schedule, catalog, history, date));
        let (block, findings) = day.block(span);
        if window.contains(block.start) {
            timeline.blocks.push(block);
            timeline.findings.extend(findings);
        }
    }
    timeline
}

/// What the sessions of one date share.
struct Day<'a> {
    schedule: &'a Schedule,
    catalog: &'a Catalog,
    history: &'a History,
    plan: Option<&'a DayPlan>,
    date: Date,
    /// The pools used so far, what was taken last at the end.
    rotations: BTreeMap<ProgrammeId, VecDeque<Arc<Segment>>>,
    /// What the slots so far are planned to air.
    planned: BTreeMap<(SessionId, SlotId), Vec<Arc<Segment>>>,
}

impl<'a> Day<'a> {
    fn new(schedule: &'a Schedule, catalog: &'a Catalog, history: &'a History, date: Date) -> Self {
        let plan = schedule.day_plan(date);
        Self { schedule, catalog, history, plan, date, rotations: BTreeMap::new(), planned: BTreeMap::new() }
    }

    fn block(&mut self, span: Span<'_>) -> (Block, Vec<Finding>) {
        let mut items = self.items(span.session, &span.hard);
        self.recall(&mut items, &span);
        let taken = self.taken_by_gone(&items, &span);
        let mut rundown = Rundown::new(self.schedule, span);
        let mut groups = items.chunk_by(|_, next| next.hard.is_none()).peekable();
        while let Some(group) = groups.next() {
            if let Some(at) = group.first().and_then(|item| item.hard) {
                if rundown.cues.is_empty() {
                    rundown.gap(at, Severity::Error);
                }
                rundown.cursor = at;
            }
            let wall = groups.peek().and_then(|next| next.first()).and_then(|item| item.hard);
            self.group(&mut rundown, group, (wall, taken));
        }
        rundown.finish()
    }

    /// The slots of a session on the date.
    fn items<'s>(&self, session: &'s Session, hard: &BTreeMap<SlotId, Timestamp>) -> Vec<Item<'s>>
    where
        'a: 's,
    {
        let replaced = |slot: &Slot| {
            self.plan.and_then(|plan| {
                plan.replace.iter().find(|with| with.session == session.id && with.slot == slot.id)
            })
        };
        session
            .slots
            .iter()
            .filter(|slot| slot.is_on(self.date))
            .map(|slot| {
                let with = replaced(slot);
                Item {
                    slot,
                    title: with.and_then(|with| with.title.as_deref()).unwrap_or(&slot.title),
                    play: with.map_or(&slot.play, |with| &with.play),
                    length: with.and_then(|with| with.length).or(slot.length),
                    hard: hard.get(&slot.id).copied(),
                    begun: &[],
                    until: None,
                }
            })
            .collect()
    }

    /// Places the items up to a wall: the next hard start, or the end of the session. What has not begun and has no start of
    /// its own comes after what was `taken`.
    fn group(
        &mut self,
        rundown: &mut Rundown<'_>,
        group: &[Item<'_>],
        (wall, taken): (Option<Timestamp>, Timestamp),
    ) {
        let end = wall.unwrap_or(rundown.end);
        let mut todo: VecDeque<_> = group.iter().map(|item| (item, self.choose(item))).collect();
        let no_music = todo.iter().any(|(_, choice)| matches!(choice, Choice::Nothing(Absence::NoMusic)));
        let silence = if no_music { Severity::Note } else { Severity::Error };
        while let Some((item, choice)) = todo.pop_front() {
            let fills_left = todo.iter().filter(|(item, _)| item.fills()).fold(1, |count, _| count + 1);
            if item.hard.is_none() {
                rundown.cursor = rundown.cursor.max(taken);
            }
            match item.begun.first() {
                Some(begun) if begun.piece == 0 => rundown.cursor = begun.at,
                // Nothing is on record of those before it, which have their time before it still.
                Some(begun) => rundown.cursor = rundown.cursor.min(begun.at),
                None => {}
            }
            // A fill leaves free what is to follow it, and shares what remains with the fills after it.
            let reserved: SignedDuration = todo.iter().map(|(item, choice)| choice.need(item)).sum();
            let goal = end.checked_sub(reserved).map_or(rundown.cursor, |goal| goal.max(rundown.cursor));
            let goal = later(rundown.cursor, goal.duration_since(rundown.cursor) / fills_left);
            let first = rundown.cues.len();
            let (limit, ending) = match (item.fills(), fills_left) {
                (true, 1) => (goal, Ending::Full),
                (true, _) => (goal, Ending::Whole),
                (false, _) => (end, Ending::Whole),
            };
            self.place_as_begun(rundown, item, choice, limit, ending);
            let heard = rundown.cues.iter().skip(first).filter_map(|cue| cue.segment().cloned()).collect();
            self.planned.insert((rundown.block.session.clone(), item.slot.id.clone()), heard);
        }
        if wall.is_some() || group.last().is_some_and(Item::fills) {
            rundown.gap(end, silence);
        } else if !no_music {
            rundown.ends_early();
        }
    }

    /// The pieces of a pool in the order in which the day takes them next.
    fn rotation(&mut self, pool: &ProgrammeId) -> &mut VecDeque<Arc<Segment>> {
        let (catalog, date) = (self.catalog, self.date);
        self.rotations.entry(pool.clone()).or_insert_with(|| pick::rotation(catalog, pool, date))
    }

    /// Puts an item's pieces on the rundown, after those it has there; a fill comes to this ending.
    fn place(
        &mut self,
        rundown: &mut Rundown<'_>,
        item: &Item<'_>,
        choice: Choice,
        limit: Timestamp,
        ending: Ending,
    ) {
        let pool = match choice {
            Choice::Nothing(why) => return rundown.absent(item, why),
            Choice::Pieces(pieces) => return rundown.pieces(item, &pieces, limit, Cut::Told),
            Choice::StandIn(segment) => return rundown.stand_in(item, segment, limit),
            Choice::Fitting(pieces) => return rundown.fitting(item, &pieces, limit),
            Choice::Rotation(pool) => pool,
        };
        let single = !item.fills() && item.length.is_none();
        if single && rundown.has(item) {
            return;
        }
        let (catalog, date) = (self.catalog, self.date);
        let rotation = self.rotation(&pool);
        if rotation.is_empty() && rundown.obstacle(limit).is_none() {
            rundown.note(Severity::Error, Some((item, 0)), FindingKind::PoolTooSmall { pool: pool.clone() });
            return rundown.absent(item, pick::why_empty(catalog, &pool, date));
        }
        let limit = rundown.clear_until(limit);
        let bound = match item.length {
            Some(length) if !item.fills() => limit.min(later(rundown.beginning(item), length)),
            _ => limit,
        };
        let room = bound.duration_since(rundown.cursor);
        if !single && room <= TOLERANCE || rundown.obstacle(limit).is_some() {
            return rundown.absent(item, Absence::NoRoom);
        }
        let pieces = if single {
            rotation.rotate_left(1);
            rotation.back().cloned().into_iter().collect()
        } else {
            backtime::fill(rotation, room, ending)
        };
        if backtime::comes_round_again(&pieces) {
            rundown.note(Severity::Warning, Some((item, 0)), FindingKind::PoolTooSmall { pool });
        }
        rundown.pieces(item, &pieces, bound, if item.fills() { Cut::Planned } else { Cut::Told });
    }
}
