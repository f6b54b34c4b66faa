//! From schedule and catalogue to blocks and cues with absolute instants.
//!
//! A rundown falls into groups: a hard start with what follows it, up to the next hard start or the session's end.
//! That moment is a wall: it stands where the schedule puts it even if the hard slot itself has nothing to play, so that a
//! missing recording never moves the rest of the day. Quiet hours are walls of their own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::backtime::{Ending, TOLERANCE};
use super::calendar::{self, Span, later};
use super::{
    Absence, Block, BlockId, Content, Cue, CueId, Finding, FindingKind, Form, History, Join, Layer, Severity,
    Timeline, Window, backtime, millis, pick,
};
use crate::schedule::{DayPlan, OutputId, Play, Schedule, Session, SessionId, Slot, SlotId, Start};
use crate::segment::{Catalog, ProgrammeId, Segment};

/// How long a planned cut takes from full sound to silence. What has no more room than this is not begun at all.
const FADE: SignedDuration = SignedDuration::from_secs(3);

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
    let spans = calendar::spans(schedule, output, first, last);
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

/// A slot of the day, with the day plan's changes.
struct Item<'a> {
    slot: &'a Slot,
    title: &'a str,
    play: &'a Play,
    length: Option<SignedDuration>,
    hard: Option<Timestamp>,
}

impl Item<'_> {
    fn fills(&self) -> bool {
        self.slot.start == Start::Fill && matches!(self.play, Play::Pool(_))
    }
}

/// What an item has to play.
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

impl<'a> Day<'a> {
    fn new(schedule: &'a Schedule, catalog: &'a Catalog, history: &'a History, date: Date) -> Self {
        let plan = schedule.day_plan(date);
        Self { schedule, catalog, history, plan, date, rotations: BTreeMap::new(), planned: BTreeMap::new() }
    }

    fn block(&mut self, span: Span<'_>) -> (Block, Vec<Finding>) {
        let items = self.items(span.session, &span.hard);
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
            self.group(&mut rundown, group, wall);
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
        let on_date =
            |slot: &&Slot| slot.days.contains(self.date.weekday()) && slot.valid.contains(self.date);
        session
            .slots
            .iter()
            .filter(on_date)
            .map(|slot| {
                let with = replaced(slot);
                Item {
                    slot,
                    title: with.and_then(|with| with.title.as_deref()).unwrap_or(&slot.title),
                    play: with.map_or(&slot.play, |with| &with.play),
                    length: with.and_then(|with| with.length).or(slot.length),
                    hard: hard.get(&slot.id).copied(),
                }
            })
            .collect()
    }

    /// Places the items up to a wall: the next hard start, or the end of the session.
    fn group(&mut self, rundown: &mut Rundown<'_>, group: &[Item<'_>], wall: Option<Timestamp>) {
        let end = wall.unwrap_or(rundown.end);
        let mut todo: VecDeque<_> = group.iter().map(|item| (item, self.choose(item))).collect();
        let no_music = todo.iter().any(|(_, choice)| matches!(choice, Choice::Nothing(Absence::NoMusic)));
        let silence = if no_music { Severity::Note } else { Severity::Error };
        while let Some((item, choice)) = todo.pop_front() {
            let fills_left = todo.iter().filter(|(item, _)| item.fills()).fold(1, |count, _| count + 1);
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
            self.place(rundown, item, choice, limit, ending);
            let heard = rundown.cues.iter().skip(first).filter_map(|cue| cue.segment().cloned()).collect();
            self.planned.insert((rundown.block.session.clone(), item.slot.id.clone()), heard);
        }
        if wall.is_some() || group.last().is_some_and(Item::fills) {
            rundown.gap(end, silence);
        }
    }

    /// Puts an item's pieces on the rundown; a fill comes to this ending.
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
        let (catalog, date) = (self.catalog, self.date);
        let rotation =
            self.rotations.entry(pool.clone()).or_insert_with(|| pick::rotation(catalog, &pool, date));
        if rotation.is_empty() && rundown.obstacle(limit).is_none() {
            rundown.note(Severity::Error, Some((item, 0)), FindingKind::PoolTooSmall { pool: pool.clone() });
            return rundown.absent(item, pick::why_empty(catalog, &pool, date));
        }
        let limit = rundown.clear_until(limit);
        let bound = match item.length {
            Some(length) if !item.fills() => limit.min(later(rundown.cursor, length)),
            _ => limit,
        };
        let room = bound.duration_since(rundown.cursor);
        let single = !item.fills() && item.length.is_none();
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
        if self.silenced(item.slot.music, item.play) {
            return Choice::Nothing(Absence::NoMusic);
        }
        if let Play::Repeat { session, slot } = item.play {
            return match self.repeat(session, slot) {
                Ok(pieces) => Choice::Pieces(pieces),
                Err(why) => Choice::Nothing(why),
            };
        }
        self.pick(item.play)
    }

    /// Whether this is music on a day without it.
    fn silenced(&self, music: bool, play: &Play) -> bool {
        let of_pool = |pool| self.schedule.pools.get(pool).is_some_and(|pool| pool.music);
        self.plan.is_some_and(|plan| plan.no_music)
            && (music || matches!(play, Play::Pool(pool) if of_pool(pool)))
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
    fn repeat(&self, session: &SessionId, slot: &SlotId) -> Result<Vec<Arc<Segment>>, Absence> {
        let block = BlockId { date: self.date, session: session.clone() };
        let aired = self.history.aired(&block, slot);
        if !aired.is_empty() {
            let mut pieces: Vec<_> = aired.iter().filter_map(|id| self.catalog.get(id)).collect();
            // A piece that an interrupt cut in two aired twice, and is repeated once.
            pieces.dedup_by(|a, b| a.id == b.id);
            let may: Vec<_> = pieces
                .iter()
                .filter(|piece| piece.may_air_on(self.date))
                .map(|piece| Arc::clone(piece))
                .collect();
            return if may.is_empty() { Err(pick::hindrance(pieces, self.date)) } else { Ok(may) };
        }
        let planned = match self.planned.get(&(session.clone(), slot.clone())) {
            Some(pieces) => pieces.clone(),
            None => self.due_elsewhere(session, slot),
        };
        if planned.is_empty() { Err(Absence::NothingToRepeat) } else { Ok(planned) }
    }

    /// What is due in a slot that was not placed before: one of the same group, or of a session on another output.
    fn due_elsewhere(&self, session: &SessionId, slot: &SlotId) -> Vec<Arc<Segment>> {
        let no_hard = BTreeMap::new();
        let own = self.plan.map_or(&[][..], |plan| &plan.sessions);
        let Some(session) = own.iter().chain(&self.schedule.sessions).find(|found| found.id == *session)
        else {
            return Vec::new();
        };
        let items = self.items(session, &no_hard);
        let Some(item) = items.iter().find(|item| item.slot.id == *slot) else { return Vec::new() };
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

/// Whether a cut is worth a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// A spoken piece loses its end: people must know.
    Told,
    /// The last piece of a fill: that is what a fill does.
    Planned,
}

/// A block being filled, up to `cursor`.
struct Rundown<'a> {
    schedule: &'a Schedule,
    block: BlockId,
    title: String,
    start: Timestamp,
    end: Timestamp,
    quiet: Vec<Window>,
    forbidden: bool,
    cursor: Timestamp,
    cues: Vec<Arc<Cue>>,
    findings: Vec<Finding>,
}

impl<'a> Rundown<'a> {
    fn new(schedule: &'a Schedule, span: Span<'_>) -> Self {
        let window = Window { from: span.start, to: span.end };
        Self {
            schedule,
            quiet: calendar::quiet(&schedule.rules.quiet, &schedule.time_zone, window),
            block: span.id,
            title: span.session.title.clone(),
            start: span.start,
            end: span.end,
            forbidden: span.forbidden,
            cursor: span.start,
            cues: Vec::new(),
            findings: span.findings,
        }
    }

    fn finish(self) -> (Block, Vec<Finding>) {
        let Self { block: id, title, start, end, cues, findings, .. } = self;
        (Block { id, title, start, end, cues }, findings)
    }

    /// What keeps a sound from beginning at the cursor, with this much of the block before it.
    fn obstacle(&self, limit: Timestamp) -> Option<Absence> {
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
    fn clear_until(&self, limit: Timestamp) -> Timestamp {
        let quiet = self.quiet.iter().map(|quiet| quiet.from).find(|from| *from >= self.cursor);
        quiet.map_or(limit, |from| from.min(limit))
    }

    /// Pieces one after the other, the last one cut where it must be.
    fn pieces(&mut self, item: &Item<'_>, pieces: &[Arc<Segment>], limit: Timestamp, cut: Cut) {
        let before = self.cursor;
        for (number, piece) in (0_u16..).zip(pieces) {
            let room = self.clear_until(limit).duration_since(self.cursor);
            let too_late = room <= FADE && room < piece.duration();
            if let Some(why) = self.obstacle(limit).or(too_late.then_some(Absence::NoRoom)) {
                if number == 0 {
                    return self.absent(item, why);
                }
                if cut == Cut::Told {
                    self.left_out(item, pieces.len() - usize::from(number));
                }
                break;
            }
            self.sound(item, number, piece, room, cut);
        }
        let over =
            item.length.map_or(SignedDuration::ZERO, |length| self.cursor.duration_since(before) - length);
        if over > TOLERANCE && cut == Cut::Told {
            self.note(
                Severity::Note,
                Some((item, 0)),
                FindingKind::LongerThanPlanned { over_ms: millis(over) },
            );
        }
    }

    fn stand_in(&mut self, item: &Item<'_>, segment: Arc<Segment>, limit: Timestamp) {
        if self.obstacle(limit).is_none() {
            let kind = FindingKind::OlderStandsIn { segment: segment.id.clone() };
            self.note(Severity::Warning, Some((item, 0)), kind);
        }
        self.pieces(item, &[segment], limit, Cut::Told);
    }

    /// As many pieces as fit whole in the slot's length and the room.
    fn fitting(&mut self, item: &Item<'_>, pieces: &[Arc<Segment>], limit: Timestamp) {
        let clear = self.clear_until(limit);
        let bound = item.length.map_or(clear, |length| later(self.cursor, length).min(clear));
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
        self.cue(item, number, length, fade, Content::Segment(Arc::clone(piece)));
    }

    /// The slot keeps its place, with nothing in it.
    fn absent(&mut self, item: &Item<'_>, why: Absence) {
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
            Absence::NoRoom
            | Absence::Missing
            | Absence::NotApproved { .. }
            | Absence::NotValid { .. }
            | Absence::Withdrawn { .. }
            | Absence::NothingToRepeat => Some((Severity::Error, FindingKind::Absent { why: why.clone() })),
        };
        if let Some((severity, kind)) = finding {
            self.note(severity, Some((item, 0)), kind);
        }
        self.cue(item, 0, SignedDuration::ZERO, SignedDuration::ZERO, Content::Nothing(why));
    }

    fn cue(
        &mut self,
        item: &Item<'_>,
        piece: u16,
        length: SignedDuration,
        fade: SignedDuration,
        content: Content,
    ) {
        let segment = match &content {
            Content::Segment(segment) => Some(segment),
            Content::Nothing(_) => None,
        };
        let of_slot = match item.play {
            Play::Programme(id) | Play::All(id) | Play::Pool(id) => Some(id),
            Play::File(_) | Play::Repeat { .. } => None,
        };
        let programme = segment.and_then(|segment| segment.words.programme.as_ref()).or(of_slot).cloned();
        let topic = segment
            .and_then(|segment| segment.words.topic.clone())
            .or_else(|| self.schedule.programmes.get(programme.as_ref()?)?.topic.as_deref().map(Arc::from));
        let loudness = &self.schedule.loudness;
        let gain_db =
            segment.map_or(0.0, |segment| segment.sound.gain_db(loudness.target_lufs, loudness.max_boost_db));
        let at = self.cursor;
        self.cursor = later(at, length);
        self.cues.push(Arc::new(Cue {
            id: CueId { block: self.block.clone(), slot: item.slot.id.clone(), piece },
            title: item.title.to_owned(),
            programme,
            topic,
            start: if item.hard.is_some() && piece == 0 { Join::Hard } else { Join::Follow },
            at,
            end: self.cursor,
            fade,
            late: item.slot.late,
            form: if matches!(item.play, Play::Repeat { .. }) { Form::Repeat } else { Form::Own },
            layer: Layer::Scheduled,
            ordered_by: None,
            content,
            gain_db,
        }));
    }

    /// Says what silence there is from the cursor to a hard start, unless it is ordered.
    fn gap(&mut self, wall: Timestamp, severity: Severity) {
        let silence = self.clear_until(wall).duration_since(self.cursor);
        if silence > TOLERANCE && self.obstacle(wall).is_none() {
            self.note(severity, None, FindingKind::Gap { silence_ms: millis(silence) });
        }
    }

    fn note(&mut self, severity: Severity, piece: Option<(&Item<'_>, u16)>, kind: FindingKind) {
        let block = self.block.clone();
        let cue =
            piece.map(|(item, piece)| CueId { block: block.clone(), slot: item.slot.id.clone(), piece });
        self.findings.push(Finding { severity, block, cue, at: self.cursor, kind });
    }
}
