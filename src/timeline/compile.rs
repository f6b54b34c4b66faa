//! From schedule and catalogue to blocks and cues with absolute instants.
//!
//! A rundown falls into groups: a hard start with what follows it, up to the next hard start or the session's end.
//! That moment is a wall: it stands where the schedule puts it even if the hard slot itself has nothing to play, so that a
//! missing recording never moves the rest of the day. Quiet hours are walls of their own.
//!
//! A block that is under way is compiled like any other; where that gives something else than what is on record, the record
//! stands. So what people approve, withdraw or rewrite meanwhile changes what is still to come, and moves none of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::backtime::{Ending, TOLERANCE};
use super::calendar::{self, Span, later};
use super::rundown::{Cut, Item, Rundown};
use super::{
    Absence, Begun, Block, Finding, FindingKind, History, Severity, Timeline, Window, backtime, pick,
};
use crate::schedule::{DayPlan, OutputId, Play, Schedule, Session, SessionId, Slot, SlotId};
use crate::segment::{Catalog, ProgrammeId, Segment, State};

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

/// How many repeats of repeats are followed before the first of them is placed.
const REPEATS_OF_REPEATS: u8 = 8;

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

/// What an item has to play.
#[derive(Clone)]
enum Choice {
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

    /// Until when what has begun has the block, of slots that are no longer in it: what is still to come follows that too.
    fn taken_by_gone(&self, items: &[Item<'a>], span: &Span<'_>) -> Timestamp {
        let is_gone = |slot: &SlotId| items.iter().all(|item| item.slot.id != *slot);
        let gone = self.history.begun_in(&span.id).filter(|(slot, _)| is_gone(slot)).map(|(_, begun)| begun);
        let here = gone.filter(|begun| span.start <= begun.at && begun.at <= span.end);
        here.map(|begun| begun.end).max().unwrap_or(span.start)
    }

    /// Gives the items of a block what is on record of them. A block that was moved since begins anew.
    fn recall(&self, items: &mut [Item<'a>], span: &Span<'_>) {
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
            let reserved: SignedDuration = todo.iter().map(|(item, choice)| need(item, choice)).sum();
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

    /// Places an item as if nothing had begun, and then, where that differs from what is on record, by the record first.
    fn place_as_begun(
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

    /// The pieces of these numbers, of which nothing is on record, before one that has begun: it is opened ahead of its
    /// time, while they wait for theirs, or for the word that it is over. What is still there ran up to it; the others say
    /// why they are silent.
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
        let mut room = next.at.duration_since(rundown.cursor);
        let fits = |piece: &Arc<Segment>| {
            room -= piece.duration();
            !room.is_negative()
        };
        let obstacle = rundown.obstacle(next.at);
        let there = match choice {
            _ if rundown.clear_until(next.at) < next.at || obstacle.is_some() => Vec::new(),
            Choice::Pieces(pieces) | Choice::Fitting(pieces) => {
                right_before(&*pieces, numbers.len(), item.begun, next)
            }
            Choice::Rotation(pool) => right_before(&*self.rotation(pool), numbers.len(), item.begun, next),
            Choice::StandIn(_) | Choice::Nothing(_) => Vec::new(),
        };
        let there: Vec<_> = there.into_iter().rev().take_while(fits).collect();
        let is_taken = |piece: &Arc<Segment>| there.iter().any(|taken| taken.id == piece.id);
        match choice {
            Choice::Fitting(pieces) => pieces.retain(|piece| !is_taken(piece)),
            Choice::Rotation(pool) => self.rotation(pool).make_contiguous().sort_by_key(is_taken),
            Choice::Pieces(_) | Choice::StandIn(_) | Choice::Nothing(_) => {}
        }
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
        let sounding = numbers.skip(silent).zip(there.iter().rev());
        sounding.for_each(|(number, piece)| rundown.whole(item, number, piece));
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

    fn choose(&self, item: &Item<'_>) -> Choice {
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

    /// What an earlier slot of the day aired; where it aired nothing (yet), what it is planned to.
    fn repeat(&self, session: &SessionId, slot: &SlotId, hops: u8) -> Result<Vec<Arc<Segment>>, Absence> {
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
        let planned = match self.planned.get(&(session.clone(), slot.clone())) {
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

/// What an item is going to need, for a fill before it to leave free.
fn need(item: &Item<'_>, choice: &Choice) -> SignedDuration {
    let all = |pieces: &[Arc<Segment>]| pieces.iter().map(|piece| piece.duration()).sum::<SignedDuration>();
    match choice {
        Choice::Pieces(pieces) => all(pieces),
        Choice::Fitting(pieces) => item.length.map_or(all(pieces), |length| length.min(all(pieces))),
        Choice::StandIn(segment) => segment.duration(),
        Choice::Rotation(_) if !item.fills() => item.length.unwrap_or_default(),
        Choice::Rotation(_) | Choice::Nothing(_) => SignedDuration::ZERO,
    }
}
