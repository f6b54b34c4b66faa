//! Has opened what will sound next, so that no disk and no decoder is ever waited for on the loop.
//!
//! Of one recording one thing is opened at a time: a file that hangs keeps one worker, and what a person wants aired at
//! once does not wait behind it.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use jiff::SignedDuration;
use tracing::warn;

use super::opener::{Crew, NotOpened, Opener, PATIENCE, Reply, Request, WORKERS, open};
use crate::clock::Clock;
use crate::media::source::Source;
use crate::segment::{Segment, SegmentId};
use crate::timeline::{Cue, CueId};

/// Requests that wait for a worker. A sequencer looks a cue or two ahead; more than this means that no disk answers.
const REQUESTS: usize = 32;
/// After this, people are told that a file hangs.
const LONG: Duration = Duration::from_secs(10);

/// What has become of a cue that was to be opened.
#[derive(Debug)]
pub struct Answer {
    /// Which.
    pub cue: CueId,
    /// Its source, or why it has none, which was logged.
    pub source: Result<Box<dyn Source>, NotOpened>,
}

/// What was asked for, until a worker has answered it.
#[derive(Debug)]
struct Asked {
    ticket: u64,
    /// By which cue; none for what may be wanted at once.
    by: Option<CueId>,
    segment: Arc<Segment>,
    skip: SignedDuration,
    /// When, as the clock's time of this process.
    since: Duration,
    /// A worker has it, or will have it next.
    sent: bool,
    /// Nobody wants it any more.
    void: bool,
}

/// The loop's side: what is wanted, and the way to the workers.
#[derive(Debug)]
pub struct Preroll {
    asked: Vec<Asked>,
    next_ticket: u64,
    /// Answers that wait for no worker.
    at_hand: VecDeque<Answer>,
    /// A segment that stands open from its beginning, though no cue has asked for it.
    poised: Option<(SegmentId, Box<dyn Source>)>,
    place: Place,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
enum Place {
    Workers { requests: SyncSender<Request>, replies: Receiver<Reply> },
    Here { opener: Arc<dyn Opener> },
}

impl Preroll {
    /// Opens in threads of its own, that end when this is dropped.
    pub fn threaded(opener: &Arc<dyn Opener>, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (requests, queue) = sync_channel(REQUESTS);
        // An answer for every request there can be at once: workers wait with theirs only while the loop reads none.
        let (answers, replies) = sync_channel(REQUESTS + WORKERS);
        Crew::start(opener, queue, answers)?;
        Ok(Self::at(Place::Workers { requests, replies }, clock))
    }

    /// Opens at once, in the thread that asks.
    pub fn inline(opener: Arc<dyn Opener>, clock: Arc<dyn Clock>) -> Self {
        Self::at(Place::Here { opener }, clock)
    }

    fn at(place: Place, clock: Arc<dyn Clock>) -> Self {
        Self { asked: Vec::new(), next_ticket: 0, at_hand: VecDeque::new(), poised: None, place, clock }
    }

    /// Asks for a cue from `skip` on, in place of what was asked for it before.
    pub fn open(&mut self, cue: &Arc<Cue>, skip: SignedDuration) {
        self.forget(&cue.id);
        match cue.segment() {
            Some(segment) => self.ask(Some(cue.id.clone()), segment, skip),
            None => self.give(cue.id.clone(), Err(NotOpened::Nothing)),
        }
    }

    /// Opens a segment that may be wanted at once, in place of the one before: then it needs no disk for its first frame.
    pub fn poise(&mut self, segment: &Arc<Segment>) {
        let is_asked = |asked: &Asked| asked.by.is_none() && !asked.void && asked.segment.id == segment.id;
        if self.asked.iter().any(is_asked) {
            return;
        }
        self.give_up(None);
        if self.poised() != Some(&segment.id) {
            self.ask(None, segment, SignedDuration::ZERO);
        }
    }

    /// The segment that stands open in case it is wanted.
    pub fn poised(&self) -> Option<&SegmentId> {
        self.poised.as_ref().map(|(segment, _)| segment)
    }

    /// Closes what was opened in case it is wanted, and was not.
    pub fn relax(&mut self) {
        if let Some((_, source)) = self.poised.take() {
            self.discard(source);
        }
    }

    /// A cue is not wanted any more.
    pub fn forget(&mut self, cue: &CueId) {
        self.give_up(Some(cue));
        while let Some(place) = self.at_hand.iter().position(|answer| answer.cue == *cue) {
            if let Some(Answer { source: Ok(source), .. }) = self.at_hand.remove(place) {
                self.discard(source);
            }
        }
    }

    /// Whether anything is still being opened for a cue.
    pub fn is_busy(&self) -> bool {
        !self.at_hand.is_empty() || self.asked.iter().any(|asked| !asked.void && asked.by.is_some())
    }

    /// Whether a file has been opening for so long that something is wrong with it, or with its disk.
    pub fn hangs(&self) -> bool {
        self.asked.iter().any(|asked| asked.sent && self.clock.elapsed() - asked.since >= LONG)
    }

    /// The next answer, if one is there.
    pub fn answer(&mut self) -> Option<Answer> {
        while let Some(reply) = self.reply() {
            self.take(reply);
            self.send();
        }
        let now = self.clock.elapsed();
        let late = |asked: &&mut Asked| !asked.void && asked.by.is_some() && now - asked.since >= PATIENCE;
        if let Some(late) = self.asked.iter_mut().find(late) {
            late.void = true;
            let (cue, segment) = (late.by.clone(), &late.segment);
            warn!(segment.id = %segment.id, file = segment.file, "its file does not answer");
            if let Some(cue) = cue {
                self.give(cue, Err(NotOpened::TooSlow));
            }
            self.asked.retain(|asked| asked.sent || !asked.void);
        }
        self.at_hand.pop_front()
    }

    fn reply(&self) -> Option<Reply> {
        match &self.place {
            Place::Workers { replies, .. } => replies.try_recv().ok(),
            Place::Here { .. } => None,
        }
    }

    /// Takes what a worker has opened, for whom it was asked.
    fn take(&mut self, Reply { ticket, source }: Reply) {
        let Some(place) = self.asked.iter().position(|asked| asked.ticket == ticket) else { return };
        let asked = self.asked.swap_remove(place);
        match (asked.by, source) {
            (_, Ok(stale)) if asked.void => self.discard(stale),
            (Some(cue), source) if !asked.void => self.give(cue, source),
            (None, Ok(source)) => {
                self.relax();
                self.poised = Some((asked.segment.id.clone(), source));
            }
            (_, Err(_)) | (Some(_), Ok(_)) => {}
        }
    }

    fn give(&mut self, cue: CueId, source: Result<Box<dyn Source>, NotOpened>) {
        self.at_hand.push_back(Answer { cue, source });
    }

    fn ask(&mut self, by: Option<CueId>, segment: &Arc<Segment>, skip: SignedDuration) {
        let (ticket, segment) = (self.next_ticket, Arc::clone(segment));
        self.next_ticket += 1;
        self.asked.push(Asked {
            ticket,
            by,
            segment,
            skip,
            since: self.clock.elapsed(),
            sent: false,
            void: false,
        });
        self.send();
    }

    /// What was asked by a cue, or in case, is not wanted any more.
    fn give_up(&mut self, by: Option<&CueId>) {
        for asked in self.asked.iter_mut().filter(|asked| asked.by.as_ref() == by) {
            asked.void = true;
        }
        self.asked.retain(|asked| asked.sent || !asked.void);
    }

    /// Sends what waits to the workers: of each segment one thing at a time. What stands open is taken as it is.
    fn send(&mut self) {
        let is_open = |asked: &Asked, other: &Asked| other.sent && other.segment.id == asked.segment.id;
        let waits =
            |asked: &Asked, all: &[Asked]| !asked.sent && !all.iter().any(|other| is_open(asked, other));
        while let Some(place) = self.asked.iter().position(|asked| waits(asked, &self.asked)) {
            let Some(asked) = self.asked.get_mut(place) else { return };
            let meant = |(segment, _): &mut (SegmentId, _)| *segment == asked.segment.id;
            if let Some(cue) = asked.by.clone().filter(|_| asked.skip.is_zero())
                && let Some((_, source)) = self.poised.take_if(meant)
            {
                self.asked.swap_remove(place);
                self.give(cue, Ok(source));
                continue;
            }
            let (segment, skip) = (Arc::clone(&asked.segment), asked.skip);
            match &self.place {
                Place::Workers { requests, .. } => {
                    let request = Request::Open { ticket: asked.ticket, segment, skip };
                    asked.sent = requests.try_send(request).is_ok();
                    if !asked.sent {
                        warn!(segment.id = %asked.segment.id, "no worker is free to open it");
                        let asked = self.asked.swap_remove(place);
                        asked.by.into_iter().for_each(|cue| self.give(cue, Err(NotOpened::Busy)));
                    }
                }
                Place::Here { opener } => {
                    let reply = Reply { ticket: asked.ticket, source: open(&**opener, &segment, skip) };
                    self.take(reply);
                }
            }
        }
    }

    /// Drops a source elsewhere: that frees memory and may close a file.
    pub fn discard(&mut self, source: Box<dyn Source>) {
        if let Place::Workers { requests, .. } = &self.place {
            // Where no worker takes it, it is dropped here: rather that than never.
            drop(requests.try_send(Request::Drop(source)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::asrun::Cause;
    use crate::clock::ManualClock;
    use crate::engine::tests::{Levels, at, cue, seconds, segment, soon};
    use crate::media::playback::OpenError;
    use crate::media::source::{MemorySource, Read};
    use crate::timeline::Join;

    #[test]
    fn the_preroll_answers_only_what_was_asked_last() {
        let opener: Arc<dyn Opener> = Arc::new(Levels);
        let mut preroll = Preroll::threaded(&opener, clock()).unwrap();
        let (a, b) =
            (cue("a", Join::Hard, 0.0, &segment(10, 60.0)), cue("b", Join::Hard, 0.0, &segment(98, 60.0)));
        preroll.open(&a, SignedDuration::ZERO);
        preroll.open(&a, seconds(59.0));
        preroll.open(&b, SignedDuration::ZERO);
        let mut answers = BTreeMap::new();
        while preroll.is_busy() {
            let answer = soon(|| preroll.answer());
            assert!(answers.insert(answer.cue, answer.source).is_none());
        }
        let source = answers.get_mut(&a.id).unwrap().as_mut().unwrap();
        assert_eq!(source.read(&mut vec![0.0; 2 * 50_000]), Read::Ended(48_000));
        assert!(matches!(answers[&b.id], Err(NotOpened::Panicked)));
        preroll.discard(Box::new(MemorySource::new(&[0.0; 2], 2)));
    }

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::new(at(0.0)))
    }

    /// A disk that opens some segments only when it is let.
    #[derive(Debug)]
    struct Hangs {
        which: fn(&Segment) -> bool,
        until: Mutex<Receiver<()>>,
        asked: AtomicU32,
    }

    impl Opener for Hangs {
        fn open(&self, segment: &Segment, skip: SignedDuration) -> Result<Box<dyn Source>, NotOpened> {
            if (self.which)(segment) {
                self.asked.fetch_add(1, Ordering::SeqCst);
                let _let = self.until.lock().unwrap().recv();
            }
            Levels.open(segment, skip)
        }
    }

    /// The preroll on a disk on which some hang until what is given beside it is dropped.
    fn hanging(
        which: fn(&Segment) -> bool,
        clock: Arc<ManualClock>,
    ) -> (Preroll, Arc<Hangs>, SyncSender<()>) {
        let (release, until) = sync_channel::<()>(0);
        let disk = Arc::new(Hangs { which, until: Mutex::new(until), asked: AtomicU32::new(0) });
        let opener: Arc<dyn Opener> = Arc::clone(&disk) as Arc<dyn Opener>;
        (Preroll::threaded(&opener, clock).unwrap(), disk, release)
    }

    #[test]
    fn a_queue_that_is_full_is_no_fault_of_the_file() {
        let (mut preroll, _disk, _release) = hanging(|_| true, clock());
        let one = segment(10, 60.0);
        for n in 0..=REQUESTS + WORKERS {
            let other = Arc::new(Segment { id: SegmentId::new(format!("s{n}")), ..Segment::clone(&one) });
            preroll.open(&cue(&format!("c{n}"), Join::Hard, 0.0, &other), SignedDuration::ZERO);
        }
        let Answer { source, .. } = preroll.answer().unwrap();
        let refused = source.unwrap_err();
        assert!(matches!(refused, NotOpened::Busy), "{refused}");
        assert_eq!(refused.cause(), Cause::NotOpened);
        let gone = OpenError::Gone { path: PathBuf::new() };
        assert_eq!(NotOpened::File(gone).cause(), Cause::FileBroken);
    }

    #[test]
    fn a_file_that_hangs_keeps_one_worker_and_nobody_else() {
        let clock = clock();
        let (mut preroll, disk, release) =
            hanging(|segment| segment.id.as_str() != "free", Arc::clone(&clock));
        let bad = segment(10, 60.0);
        let a = cue("a", Join::Hard, 0.0, &bad);
        for skip in 0..20 {
            preroll.open(&a, seconds(f64::from(skip)));
        }
        preroll.poise(&bad);
        // As many other files that hang as there may be, but for one.
        for n in 0..WORKERS - 2 {
            let other = Arc::new(Segment { id: SegmentId::new(format!("s{n}")), ..Segment::clone(&bad) });
            preroll.open(&cue(&format!("c{n}"), Join::Hard, 0.0, &other), SignedDuration::ZERO);
        }
        let free = Arc::new(Segment { id: "free".into(), ..Segment::clone(&bad) });
        let b = cue("b", Join::Hard, 0.0, &free);
        preroll.open(&b, SignedDuration::ZERO);
        let answer = soon(|| preroll.answer());
        assert!(answer.cue == b.id && answer.source.is_ok());
        let all_hang = || (disk.asked.load(Ordering::SeqCst) as usize == WORKERS - 1).then_some(());
        soon(all_hang);

        assert!(!preroll.hangs());
        clock.advance(LONG);
        assert!(preroll.hangs() && preroll.answer().is_none());
        clock.advance(PATIENCE - LONG);
        let late = soon(|| preroll.answer());
        assert!(late.cue == a.id && matches!(late.source, Err(NotOpened::TooSlow)), "it goes without");
        preroll.open(&a, seconds(30.0));
        drop(release);
        let answers: BTreeMap<_, _> = std::iter::repeat_with(|| soon(|| preroll.answer()))
            .take(WORKERS - 1)
            .map(|answer| (answer.cue, answer.source.is_ok()))
            .collect();
        assert_eq!(answers.get(&a.id), Some(&true), "and is opened again when its file answers: {answers:?}");
        soon(|| {
            assert!(preroll.answer().is_none() && !preroll.is_busy());
            (preroll.poised().is_some() && !preroll.hangs()).then_some(())
        });
    }

    #[test]
    fn what_is_poised_again_is_not_opened_anew() {
        let (mut preroll, disk, release) = hanging(|_| true, clock());
        let one = segment(10, 60.0);
        preroll.poise(&one);
        preroll.poise(&one);
        drop(release);
        soon(|| {
            assert!(preroll.answer().is_none());
            preroll.poised().cloned()
        });
        preroll.poise(&one);
        assert!(preroll.asked.is_empty() && disk.asked.load(Ordering::SeqCst) == 1);
    }

    #[test]
    fn what_was_poised_last_stands_open() {
        let (mut preroll, _disk, release) = hanging(|segment| segment.id.as_str() == "slow", clock());
        let quick = segment(10, 60.0);
        let slow = Arc::new(Segment { id: "slow".into(), ..Segment::clone(&quick) });
        preroll.poise(&slow);
        preroll.poise(&quick);
        let poised = |preroll: &mut Preroll| {
            assert!(preroll.answer().is_none());
            preroll.poised().cloned()
        };
        assert_eq!(soon(|| poised(&mut preroll)), quick.id);
        preroll.poise(&slow);
        preroll.poise(&quick);
        drop(release);
        soon(|| {
            assert_eq!(poised(&mut preroll), Some(quick.id.clone()));
            preroll.asked.is_empty().then_some(())
        });
    }

    /// Counts what it opens.
    #[derive(Debug, Default)]
    struct Counting(AtomicU32);

    impl Opener for Counting {
        fn open(&self, segment: &Segment, skip: SignedDuration) -> Result<Box<dyn Source>, NotOpened> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Levels.open(segment, skip)
        }
    }

    #[test]
    fn what_is_poised_is_at_hand_once_and_from_its_beginning() {
        let counting = Arc::new(Counting::default());
        let opener: Arc<dyn Opener> = Arc::clone(&counting) as Arc<dyn Opener>;
        let mut preroll = Preroll::threaded(&opener, clock()).unwrap();
        let a = cue("a", Join::Hard, 0.0, &segment(10, 60.0));
        let poise = |preroll: &mut Preroll| {
            preroll.poise(a.segment().unwrap());
            soon(|| {
                assert!(preroll.answer().is_none());
                preroll.poised.is_some().then_some(())
            });
        };
        poise(&mut preroll);
        preroll.open(&a, SignedDuration::ZERO);
        assert_eq!(counting.0.load(Ordering::SeqCst), 1, "when it was poised");
        let source = soon(|| preroll.answer()).source;
        assert!(source.is_ok() && preroll.poised.is_none() && !preroll.is_busy());

        poise(&mut preroll);
        preroll.relax();
        assert!(preroll.poised.is_none());
        poise(&mut preroll);
        preroll.open(&a, seconds(1.0));
        assert!(preroll.poised.is_some(), "that is not its beginning");
    }
}
