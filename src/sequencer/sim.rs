//! An engine in miniature for this room's tests: it opens after a while, plays by duration, and keeps a log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::record::{Record, Take};
use super::{Action, Event, IN_HAND, Interrupt, Repeats, Sequencer, Settings};
use crate::asrun::Cause;
use crate::schedule::{Late, QuietHours, SlotId};
use crate::segment::{ContentHash, Segment, Sound, State, Words};
use crate::timeline::{Absence, Block, BlockId, Content, Cue, CueId, Form, Join, Layer, Timeline, Window};

pub(super) const CHUNK: SignedDuration = SignedDuration::from_millis(50);
/// A rest ends this long before the next change, so that the output runs by then.
const WAKE_AHEAD: SignedDuration = SignedDuration::from_secs(10);

/// Seconds after 05:30:00 UTC, where quiet ends.
pub(super) fn s(seconds: i64) -> Timestamp {
    ms(seconds * 1000)
}

pub(super) fn ms(milliseconds: i64) -> Timestamp {
    "2026-11-23T05:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_millis(milliseconds)
}

pub(super) fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub(super) fn segment(id: &str, length: SignedDuration) -> Arc<Segment> {
    Arc::new(Segment {
        id: id.into(),
        hash: ContentHash([0; 32]),
        file: format!("{id}.flac"),
        words: Words { title: id.to_owned(), ..Words::default() },
        sound: Sound {
            whole: length,
            cue_in: SignedDuration::ZERO,
            cue_out: length,
            channels: 1,
            sample_rate: 48_000,
            loudness_lufs: -18.0,
            true_peak_dbtp: -3.0,
            skipped_packets: 0,
            codec: "flac".into(),
        },
        state: State::Approved,
        approval: None,
        added: Timestamp::UNIX_EPOCH,
        added_by: "lan".into(),
    })
}

/// A cue to be: `c("a", 0, 60)` starts at second 0, hard, is 60 s long and may be joined.
#[derive(Clone)]
pub(super) struct C(pub Cue);

impl std::fmt::Debug for C {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Cue { id, start, at, end, fade, late, content, .. } = &self.0;
        let (at, end) = (at.duration_since(s(0)).as_secs(), end.duration_since(s(0)).as_secs());
        let absent = matches!(content, Content::Nothing(_));
        write!(f, "{} {start:?} {at}..{end} fade {fade} {late:?} absent {absent}", id.slot)
    }
}

pub(super) fn c(slot: &str, at: i64, length: i64) -> C {
    C(Cue {
        id: CueId { block: block_id("sang"), slot: SlotId::from(slot), piece: 0 },
        session_title: None,
        title: slot.to_owned(),
        programme: None,
        topic: None,
        genre: None,
        start: Join::Hard,
        at: s(at),
        end: s(at + length),
        fade: SignedDuration::ZERO,
        lost: SignedDuration::ZERO,
        late: Late::Join,
        form: Form::Own,
        layer: Layer::Scheduled,
        ordered_by: None,
        content: Content::Segment(segment(slot, secs(length))),
        gain_db: 0.0,
    })
}

impl C {
    pub(super) fn follow(mut self) -> Self {
        self.0.start = Join::Follow;
        self
    }
    pub(super) fn late(mut self, late: Late) -> Self {
        self.0.late = late;
        self
    }
    /// Its segment is this much longer than its place.
    pub(super) fn cut_by(mut self, over: i64, fade: i64) -> Self {
        let length = self.0.duration() + secs(over);
        self.0.content = Content::Segment(segment(&self.0.title, length));
        self.0.fade = secs(fade);
        self
    }
    pub(super) fn plays(mut self, id: &str) -> Self {
        self.0.content = Content::Segment(segment(id, self.0.duration()));
        self
    }
    pub(super) fn absent(mut self, why: Absence) -> Self {
        self.0.content = Content::Nothing(why);
        self.0.end = self.0.at;
        self
    }
}

fn block_id(session: &str) -> BlockId {
    BlockId::new("2026-11-23".parse().unwrap(), session)
}

pub(super) fn cue_id(slot: &str) -> CueId {
    CueId { block: block_id("sang"), slot: SlotId::from(slot), piece: 0 }
}

/// The night, and ninety seconds in the middle of things.
pub(super) fn quiet_hours() -> Vec<QuietHours> {
    let hours = |from: &str, to: &str| QuietHours { from: from.parse().unwrap(), to: to.parse().unwrap() };
    vec![hours("20:00:00", "05:30:00"), hours("05:50:00", "05:51:30")]
}

/// One block from second 0 to `end`.
pub(super) fn timeline(end: i64, cues: impl IntoIterator<Item = C>) -> Arc<Timeline> {
    let cues: Vec<Arc<Cue>> = cues.into_iter().map(|cue| Arc::new(cue.0)).collect();
    Arc::new(Timeline {
        output: "loa".into(),
        window: Window { from: s(-3600), to: s(86_400) },
        time_zone: TimeZone::UTC,
        quiet: quiet_hours(),
        blocks: vec![Block { id: block_id("sang"), title: String::new(), start: s(0), end: s(end), cues }],
        findings: Vec::new(),
    })
}

pub(super) fn load(timeline: &Arc<Timeline>) -> Event {
    Event::Load { timeline: Arc::clone(timeline), settled: Arc::default() }
}

pub(super) fn interrupt(id: &str, layer: Layer, length: i64) -> Interrupt {
    Interrupt {
        id: id.into(),
        layer,
        segment: segment(id, secs(length)),
        gain_db: 0.0,
        topic: None,
        genre: None,
        by: "lan".to_owned(),
        repeats: Repeats::ONCE,
    }
}

impl std::fmt::Display for Line {
    /// One word: `a@0.0`, `a+30.0@40.0` (from 30 s in), `-a@60.0`, `-a@60.0 Live`, `!b TooLate`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let second = |at: &Timestamp| at.duration_since(s(0)).as_secs_f64();
        match self {
            Self::Began { cue, at, skip } if skip.is_zero() => write!(f, "{}@{:.1}", cue.slot, second(at)),
            Self::Began { cue, at, skip } => {
                write!(f, "{}+{:.1}@{:.1}", cue.slot, skip.as_secs_f64(), second(at))
            }
            Self::Over { cue, at, cause: None } => write!(f, "-{}@{:.1}", cue.slot, second(at)),
            Self::Over { cue, at, cause: Some(cause) } => {
                write!(f, "-{}@{:.1} {cause:?}", cue.slot, second(at))
            }
            Self::NotAired { cue, cause } => write!(f, "!{} {cause:?}", cue.slot),
            Self::Amplifier { on, at } => write!(f, "amplifier {on}@{:.1}", second(at)),
        }
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

#[derive(Clone, PartialEq)]
pub(super) enum Line {
    Began { cue: CueId, at: Timestamp, skip: SignedDuration },
    Over { cue: CueId, at: Timestamp, cause: Option<Cause> },
    NotAired { cue: CueId, cause: Cause },
    Amplifier { on: bool, at: Timestamp },
}

/// What is open, or about to be.
#[derive(Debug)]
struct Held {
    cue: Arc<Cue>,
    skip: SignedDuration,
    opening: SignedDuration,
    told: bool,
    take: Option<Take>,
}

#[derive(Debug)]
struct Voice {
    cue: Arc<Cue>,
    take: Take,
    since: Timestamp,
    left: SignedDuration,
    /// Where it falls silent, and why.
    stop: Option<(Timestamp, Cause)>,
}

#[derive(Debug)]
pub(super) struct Sim {
    pub(super) sequencer: Sequencer,
    pub(super) now: Timestamp,
    /// How long opening takes; nothing, as for what is kept in memory, and the answer is there at once.
    pub(super) opening: SignedDuration,
    /// How long the output takes to run after a rest.
    pub(super) waking: SignedDuration,
    pub(super) fails: BTreeSet<CueId>,
    /// Hours in which only an emergency may be heard.
    pub(super) quiet: Vec<QuietHours>,
    pub(super) log: Vec<Line>,
    pub(super) record: Record,
    pub(super) actions: Vec<Action>,
    /// The most actions that one step gave.
    pub(super) busiest: usize,
    /// Tells the sequencer nothing in every step, so that each is a full one.
    pub(super) nudge: bool,
    rested: bool,
    inbox: Vec<Event>,
    opened: BTreeMap<CueId, Held>,
    placed: Option<(Arc<Cue>, Timestamp)>,
    chained: Option<Arc<Cue>>,
    voices: Vec<Voice>,
}

impl Sim {
    pub(super) fn new(now: Timestamp) -> Self {
        Self::with(now, Settings::default())
    }

    pub(super) fn with(now: Timestamp, settings: Settings) -> Self {
        Self {
            sequencer: Sequencer::new(settings),
            now,
            opening: SignedDuration::from_millis(100),
            waking: SignedDuration::ZERO,
            fails: BTreeSet::new(),
            quiet: quiet_hours(),
            log: Vec::new(),
            record: Record::default(),
            actions: Vec::new(),
            busiest: 0,
            nudge: false,
            rested: false,
            inbox: Vec::new(),
            opened: BTreeMap::new(),
            placed: None,
            chained: None,
            voices: Vec::new(),
        }
    }

    pub(super) fn tell(&mut self, event: Event) -> &mut Self {
        self.inbox.push(event);
        self
    }

    /// The program dies and comes back: only the log is left.
    pub(super) fn restart(&mut self, settings: Settings) {
        let cause = Some(Cause::PowerCut);
        for voice in std::mem::take(&mut self.voices) {
            self.log.push(Line::Over { cue: voice.cue.id.clone(), at: self.now, cause });
            self.record.close(&voice.take, Some(voice.since), cause, self.now);
        }
        for take in std::mem::take(&mut self.opened).into_values().filter_map(|held| held.take) {
            self.record.close(&take, None, cause, self.now);
        }
        let (log, actions) = (std::mem::take(&mut self.log), std::mem::take(&mut self.actions));
        let (fails, record) = (std::mem::take(&mut self.fails), std::mem::take(&mut self.record));
        let Self { now, opening, waking, busiest, nudge, .. } = *self;
        *self = Self {
            log,
            record,
            actions,
            fails,
            opening,
            waking,
            busiest,
            nudge,
            ..Self::with(now, settings)
        };
    }

    /// Goes by a timeline from now on, with what the log says is settled.
    pub(super) fn load(&mut self, timeline: &Arc<Timeline>) {
        let settled = self.record.settled(self.now);
        self.tell(Event::Load { timeline: Arc::clone(timeline), settled });
    }

    pub(super) fn run_to(&mut self, until: Timestamp) -> &mut Self {
        while self.now < until {
            self.turn(until);
        }
        self
    }

    /// One turn of the loop. With nothing to render, it rests until shortly before the sequencer's next change.
    pub(super) fn turn(&mut self, until: Timestamp) {
        let idle = self.inbox.is_empty()
            && self.voices.is_empty()
            && self.placed.is_none()
            && self.opened.values().all(|held| held.told);
        let acted = self.step();
        let next = self.sequencer.next_change().map_or(Timestamp::MAX, |next| next - WAKE_AHEAD - CHUNK);
        let rests = idle && !acted && self.inbox.is_empty() && self.now + CHUNK < next;
        if !rests && std::mem::take(&mut self.rested) && self.waking.is_positive() {
            self.now += self.waking;
            self.step();
        }
        let horizon = self.now + CHUNK;
        self.open_takes();
        self.open();
        self.render(horizon);
        self.now = horizon;
        self.rested |= rests;
        // Whole chunks, so that a run that never rests meets the same instants. The engine looks at the clock
        // while it rests, so a step of the clock has its true size.
        while rests && self.now + CHUNK <= next.min(until) {
            let acted = self.step();
            assert!(!acted, "a rest until {next} ends at {} with {:?}", self.now, self.actions.last());
            self.open_takes();
            self.now += CHUNK;
        }
    }

    /// Lets the sequencer step, and does what it says; whether it said anything.
    fn step(&mut self) -> bool {
        let mut acted = false;
        loop {
            let mut events = std::mem::take(&mut self.inbox);
            if self.nudge {
                events.push(Event::Ready(cue_id("nobody")));
            }
            let mut out = Vec::new();
            self.sequencer.step(self.now, self.now + CHUNK, &events, &mut out);
            self.check_end();
            self.busiest = self.busiest.max(out.len());
            out.iter().for_each(|action| self.obey(action));
            acted |= !out.is_empty();
            self.actions.append(&mut out);
            if self.inbox.is_empty() || self.opening.is_positive() {
                return acted;
            }
        }
    }

    /// What sounds is known to end no later than it does.
    fn check_end(&self) {
        let view = self.sequencer.view();
        let (Some(on_air), Some(until)) = (view.on_air, view.until) else { return };
        if let Some(voice) = self.voices.iter().find(|voice| voice.cue.id == on_air.id) {
            let end = voice.end(self.now);
            assert!(until <= end + CHUNK, "{} ends at {end}, and is shown until {until}", on_air.id);
        }
    }

    fn obey(&mut self, action: &Action) {
        match action {
            Action::Prepare { cue, skip } => {
                let further = self.opened.get(&cue.id).filter(|held| held.told).map(|held| *skip - held.skip);
                let in_hand = further.is_some_and(|by| (SignedDuration::ZERO..=IN_HAND).contains(&by));
                self.discard(&cue.id);
                if self.fails.contains(&cue.id) {
                    self.inbox.push(Event::Failed(cue.id.clone(), Cause::FileBroken));
                } else {
                    let opening = if in_hand { SignedDuration::ZERO } else { self.opening };
                    let (cue, told) = (Arc::clone(cue), opening.is_zero());
                    if told {
                        self.inbox.push(Event::Ready(cue.id.clone()));
                    }
                    self.opened.insert(cue.id.clone(), Held { cue, skip: *skip, opening, told, take: None });
                }
            }
            Action::Discard { cue } => self.discard(cue),
            Action::Start { cue, at } => {
                assert!(self.opened.get(&cue.id).is_some_and(|held| held.told), "{} is not open", cue.id);
                assert!(*at < self.now + CHUNK, "{} is placed beyond the horizon", cue.id);
                if let Some((before, _)) = self.placed.replace((Arc::clone(cue), *at)) {
                    self.unheard(&before, Cause::CutByNext);
                }
            }
            Action::Chain { cue } => {
                assert!(self.opened.get(&cue.id).is_some_and(|held| held.told), "{} is not open", cue.id);
                assert!(!self.voices.is_empty(), "nothing to chain {} to", cue.id);
                self.chained = Some(Arc::clone(cue));
            }
            Action::Stop { cue, at, fade, cause } => {
                if let Some((placed, _)) = self.placed.take_if(|(placed, _)| placed.id == *cue) {
                    return self.unheard(&placed, *cause);
                }
                let voice = self.voices.iter_mut().find(|voice| voice.cue.id == *cue);
                let voice = voice.unwrap_or_else(|| panic!("{cue} is stopped and does not sound"));
                let silent = (*at).max(self.now) + *fade;
                let (before, cause) = voice.stop.unwrap_or((Timestamp::MAX, *cause));
                assert!(silent < before, "{cue} is stopped again for nothing");
                voice.stop = Some((silent, cause));
            }
            Action::NotAired { cue, cause } => {
                self.log.push(Line::NotAired { cue: cue.id.clone(), cause: *cause });
                self.record.not_aired(cue, *cause, self.now);
            }
            Action::Amplifier { on } => self.log.push(Line::Amplifier { on: *on, at: self.now }),
        }
    }

    /// What was placed in an earlier step of this turn has no frame, and gets none.
    fn unheard(&mut self, cue: &Arc<Cue>, cause: Cause) {
        let Held { skip, take, .. } = self.opened.remove(&cue.id).expect("it is open");
        let take = take.unwrap_or_else(|| self.record.open(cue, skip, self.now));
        self.record.close(&take, None, Some(cause), self.now);
        let (id, at) = (cue.id.clone(), self.now);
        self.log.push(Line::Began { cue: id.clone(), at, skip });
        self.log.push(Line::Over { cue: id.clone(), at, cause: Some(cause) });
        self.inbox.push(Event::Ended { cue: id, at });
    }

    fn discard(&mut self, cue: &CueId) {
        self.chained.take_if(|chained| chained.id == *cue);
        if let Some(take) = self.opened.remove(cue).and_then(|held| held.take) {
            self.record.take_back(&take, self.now);
        }
    }

    /// Opens the takes whose first frame is near, and takes back what has lost its way to the air.
    fn open_takes(&mut self) {
        let told: Vec<CueId> =
            self.opened.values().filter(|held| held.told).map(|held| held.cue.id.clone()).collect();
        for opens in [false, true] {
            for id in &told {
                let is_to_sound = self.is_to_sound(&self.opened[id]);
                let held = self.opened.get_mut(id).expect("it is open");
                match held.take.take() {
                    Some(take) if !opens && !is_to_sound => self.record.take_back(&take, self.now),
                    None if opens && is_to_sound => {
                        held.take = Some(self.record.open(&held.cue, held.skip, self.now));
                    }
                    take => held.take = take,
                }
            }
        }
    }

    fn is_to_sound(&self, held: &Held) -> bool {
        let waiting = self.opened.values().filter(|held| held.take.is_some()).map(|held| &*held.cue);
        let takes = waiting.chain(self.voices.iter().map(|voice| &*voice.cue));
        self.sequencer.is_to_sound(&held.cue, held.skip, self.now, takes)
    }

    fn open(&mut self) {
        for (cue, held) in &mut self.opened {
            held.opening -= CHUNK;
            if !held.told && !held.opening.is_positive() {
                held.told = true;
                self.inbox.push(Event::Ready(cue.clone()));
            }
        }
    }

    fn begin(&mut self, cue: Arc<Cue>, at: Timestamp) {
        let Held { skip, take, .. } = self.opened.remove(&cue.id).expect("it is open");
        let left = cue.segment().unwrap().duration() - skip;
        let take = take.unwrap_or_else(|| self.record.open(&cue, skip, self.now));
        let airing = self.record.airing(&cue.id).expect("its take is open");
        // With two, it was cut in between, and another plan may have another segment for the rest.
        if let ([_], Some(piece)) = (&airing.takes[..], &airing.item.segment) {
            assert_eq!(piece.id, cue.segment().unwrap().id, "{} is not what the log says", cue.id);
        }
        self.log.push(Line::Began { cue: cue.id.clone(), at, skip });
        self.inbox.push(Event::Started { cue: cue.id.clone(), at });
        self.voices.push(Voice { cue, take, since: at, left, stop: None });
    }

    fn render(&mut self, horizon: Timestamp) {
        if let Some((cue, at)) = self.placed.take() {
            let at = at.max(self.now);
            self.chained = None;
            for voice in &mut self.voices {
                let own_end = self.now + voice.left;
                if voice.stop.is_none() && own_end > at {
                    let cut = own_end > at + SignedDuration::from_millis(60);
                    assert!(!cut, "{} cuts {} without a word", cue.id, voice.cue.id);
                    voice.left = at.duration_since(self.now);
                }
            }
            self.begin(cue, at);
            if let Some(voice) = self.voices.last_mut() {
                voice.left += at.duration_since(self.now);
            }
        }
        let mut ended = None;
        let foreground = self.voices.last().map(|voice| voice.cue.id.clone());
        self.voices.retain_mut(|voice| {
            let end = voice.end(self.now);
            let over = voice.finish(self.now, horizon, &mut self.log, &mut self.inbox);
            if let Some(cause) = over {
                self.record.close(&voice.take, Some(voice.since), cause, end);
            }
            let over = over.is_some();
            if over && foreground.as_ref() == Some(&voice.cue.id) {
                ended = Some(end);
            }
            !over
        });
        if let Some(end) = ended
            && let Some(cue) = self.chained.take()
        {
            self.begin(cue, end);
            if let Some(voice) = self.voices.last_mut() {
                voice.left -= horizon.duration_since(end);
            }
        }
        let foreground = self.voices.iter().filter(|voice| voice.stop.is_none()).count();
        assert!(foreground <= 1, "{foreground} voices at {}", self.now);
        let last = horizon - SignedDuration::from_nanos(1);
        for voice in self.voices.iter().filter(|voice| voice.cue.layer < Layer::Emergency) {
            let fading = voice.stop.is_some_and(|(silent, _)| silent <= last + secs(1));
            let quiet = self.quiet.iter().any(|hours| hours.contains(TimeZone::UTC.to_datetime(last).time()));
            assert!(fading || !quiet, "{} sounds in quiet hours at {last}", voice.cue.id);
        }
    }
}

impl Voice {
    fn end(&self, now: Timestamp) -> Timestamp {
        let own = now + self.left;
        self.stop.map_or(own, |(at, _)| at.min(own))
    }

    /// Plays a chunk; when that was its last, with its log line, why it ended.
    fn finish(
        &mut self,
        now: Timestamp,
        horizon: Timestamp,
        log: &mut Vec<Line>,
        inbox: &mut Vec<Event>,
    ) -> Option<Option<Cause>> {
        let end = self.end(now);
        if end > horizon {
            self.left -= horizon.duration_since(now);
            return None;
        }
        let cause = self.stop.filter(|(at, _)| *at < now + self.left).map(|(_, cause)| cause);
        log.push(Line::Over { cue: self.cue.id.clone(), at: end, cause });
        inbox.push(Event::Ended { cue: self.cue.id.clone(), at: end });
        Some(cause)
    }
}
