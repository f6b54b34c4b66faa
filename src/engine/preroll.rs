//! Opens what will sound next, so that no disk and no decoder is ever waited for on the loop.
//!
//! A few workers share one bounded queue of requests and answer through another: a file that hangs costs one of them,
//! and what a person wants aired at once does not wait behind it. They exist before the engine's thread asks for a
//! realtime priority, and so do the decoding threads they start inherit none. They also drop what has sounded.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::SignedDuration;
use tracing::warn;

use crate::asrun::Cause;
use crate::media::playback::{OpenError, Opening, Playback};
use crate::media::source::{AheadSource, InlineSource, Source};
use crate::segment::{Segment, SegmentId};
use crate::timeline::{Cue, CueId};

/// Threads that open: two files may hang, and the third still opens.
const WORKERS: usize = 3;
/// Requests that wait for a worker. A sequencer looks a cue or two ahead; more than this means that no disk answers.
const REQUESTS: usize = 32;
/// How long a file may take to give its first second, before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often that is looked at.
const POLL: Duration = Duration::from_millis(2);

/// Makes the source of a segment.
pub trait Opener: Debug + Send + Sync {
    /// Opens it, `skip` after its cue-in, and returns when its first second lies ready. May block.
    fn open(&self, segment: &Segment, skip: SignedDuration) -> Result<Box<dyn Source>, NotOpened>;
}

/// A segment could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// Its file is not what was approved, or cannot be played.
    #[error("cannot open the segment's file")]
    File(#[source] OpenError),
    /// All workers are busy, and as many requests as may wait do: no disk answers.
    #[error("no worker is free to open it")]
    Busy,
    /// The system gave no thread to decode in.
    #[error("cannot start a thread to decode in")]
    Thread(#[source] io::Error),
    /// The disk or the decoder gave nothing.
    #[error("its first second was not decoded within {} s", PATIENCE.as_secs())]
    TooSlow,
    /// The decoder has a bug.
    #[error("the decoder panicked")]
    Panicked,
    /// Its cue has no segment.
    #[error("there is nothing to open")]
    Nothing,
}

impl NotOpened {
    /// What the log says of it: only what was found wrong with a file is the file's fault.
    pub fn cause(&self) -> Cause {
        match self {
            Self::File(OpenError::Unreadable { .. }) => Cause::NotOpened,
            Self::File(_) => Cause::FileBroken,
            Self::Busy | Self::Thread(_) | Self::TooSlow | Self::Panicked => Cause::NotOpened,
            Self::Nothing => Cause::NothingHandedIn,
        }
    }
}

/// Opens files of a folder, and decodes each ahead in a thread of its own: for the air.
#[derive(Debug, Clone)]
pub struct Ahead {
    /// The folder of the recordings.
    pub audio: PathBuf,
}

/// Opens files of a folder, and decodes each as it is read: for rehearsals, which outrun any thread.
#[derive(Debug, Clone)]
pub struct Inline {
    /// The folder of the recordings.
    pub audio: PathBuf,
}

impl Opener for Ahead {
    fn open(&self, segment: &Segment, skip: SignedDuration) -> Result<Box<dyn Source>, NotOpened> {
        let source = AheadSource::start(playback(&self.audio, segment, skip)?).map_err(NotOpened::Thread)?;
        let mut waited = Duration::ZERO;
        while !source.primed() {
            if waited >= PATIENCE {
                return Err(NotOpened::TooSlow);
            }
            thread::sleep(POLL);
            waited += POLL;
        }
        Ok(Box::new(source))
    }
}

impl Opener for Inline {
    fn open(&self, segment: &Segment, skip: SignedDuration) -> Result<Box<dyn Source>, NotOpened> {
        Ok(Box::new(InlineSource::new(playback(&self.audio, segment, skip)?)))
    }
}

fn playback(audio: &std::path::Path, segment: &Segment, skip: SignedDuration) -> Result<Playback, NotOpened> {
    let sound = &segment.sound;
    let opening = Opening {
        path: audio.join(&segment.file),
        hash: segment.hash,
        cue_in: sound.cue_in,
        cue_out: sound.cue_out,
        skip,
        gain_db: 0.0, // The mixer's business: the same segment may air at different levels.
    };
    opening.open().map_err(NotOpened::File)
}

/// What has become of a request.
#[derive(Debug)]
pub struct Answer {
    /// For which cue.
    pub cue: CueId,
    /// Its source, or why it will never be ready, which was logged.
    pub source: Result<Box<dyn Source>, NotOpened>,
    ticket: u64,
}

#[derive(Debug)]
enum Request {
    Open { ticket: u64, cue: Arc<Cue>, skip: SignedDuration },
    Poise(Arc<Segment>),
    Drop(#[expect(dead_code, reason = "it is only dropped")] Box<dyn Source>),
}

#[derive(Debug)]
enum Reply {
    Opened(Answer),
    Poised(Poised),
}

/// A segment that stands open from its beginning, though no cue has asked for it.
#[derive(Debug)]
struct Poised {
    segment: SegmentId,
    source: Box<dyn Source>,
}

/// The loop's side: what is wanted, and the way to the workers.
#[derive(Debug)]
pub struct Preroll {
    /// What each cue was last asked for; older answers are void.
    wanted: BTreeMap<CueId, u64>,
    next_ticket: u64,
    /// Answers that wait for no worker.
    at_hand: VecDeque<Answer>,
    poised: Option<Poised>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Workers { requests: SyncSender<Request>, replies: Receiver<Reply> },
    Here { opener: Arc<dyn Opener> },
}

impl Preroll {
    /// Opens in threads of its own, that end when this is dropped.
    pub fn threaded(opener: &Arc<dyn Opener>) -> io::Result<Self> {
        let (requests, queue) = sync_channel(REQUESTS);
        // An answer for every request there can be at once: workers wait with theirs only while the loop reads none.
        let (reply, replies) = sync_channel(REQUESTS + WORKERS);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..WORKERS {
            let (queue, opener, reply) = (Arc::clone(&queue), Arc::clone(opener), reply.clone());
            thread::Builder::new().name("preroll".into()).spawn(move || work(&queue, &*opener, &reply))?;
        }
        Ok(Self::at(Place::Workers { requests, replies }))
    }

    /// Opens at once, in the thread that asks.
    pub fn inline(opener: Arc<dyn Opener>) -> Self {
        Self::at(Place::Here { opener })
    }

    fn at(place: Place) -> Self {
        Self { wanted: BTreeMap::new(), next_ticket: 0, at_hand: VecDeque::new(), poised: None, place }
    }

    /// Asks for a cue from `skip` on, in place of what was asked for it before.
    pub fn open(&mut self, cue: &Arc<Cue>, skip: SignedDuration) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.wanted.insert(cue.id.clone(), ticket);
        let meant = |poised: &mut Poised| cue.segment().is_some_and(|segment| segment.id == poised.segment);
        if skip.is_zero()
            && let Some(poised) = self.poised.take_if(meant)
        {
            let source = Ok(poised.source);
            return self.at_hand.push_back(Answer { cue: cue.id.clone(), source, ticket });
        }
        match &self.place {
            Place::Workers { requests, .. } => {
                let request = Request::Open { ticket, cue: Arc::clone(cue), skip };
                if requests.try_send(request).is_err() {
                    let source = Err(NotOpened::Busy);
                    warn!(cue.id = %cue.id, "no worker is free to open it");
                    self.at_hand.push_back(Answer { cue: cue.id.clone(), source, ticket });
                }
            }
            Place::Here { opener } => self.at_hand.push_back(answer(&**opener, ticket, cue, skip)),
        }
    }

    /// Opens a segment that may be wanted at once, in place of the one before: then it needs no disk for its first frame.
    pub fn poise(&mut self, segment: &Arc<Segment>) {
        if let Place::Workers { requests, .. } = &self.place
            && requests.try_send(Request::Poise(Arc::clone(segment))).is_err()
        {
            warn!(segment.id = %segment.id, "no worker is free to open it");
        }
    }

    /// The segment that stands open in case it is wanted.
    pub fn poised(&self) -> Option<&SegmentId> {
        self.poised.as_ref().map(|poised| &poised.segment)
    }

    /// Closes what was opened in case it is wanted, and was not.
    pub fn relax(&mut self) {
        if let Some(poised) = self.poised.take() {
            self.discard(poised.source);
        }
    }

    /// A cue is not wanted any more.
    pub fn forget(&mut self, cue: &CueId) {
        self.wanted.remove(cue);
    }

    /// Whether anything is still being opened.
    pub fn is_busy(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// The next answer, if one is there.
    pub fn answer(&mut self) -> Option<Answer> {
        loop {
            let answer = match self.at_hand.pop_front() {
                Some(answer) => answer,
                None => match self.reply()? {
                    Reply::Opened(answer) => answer,
                    Reply::Poised(poised) => {
                        self.relax();
                        self.poised = Some(poised);
                        continue;
                    }
                },
            };
            if self.wanted.get(&answer.cue) == Some(&answer.ticket) {
                self.wanted.remove(&answer.cue);
                return Some(answer);
            }
            if let Ok(stale) = answer.source {
                self.discard(stale);
            }
        }
    }

    fn reply(&self) -> Option<Reply> {
        match &self.place {
            Place::Workers { replies, .. } => replies.try_recv().ok(),
            Place::Here { .. } => None,
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

/// A worker, until the loop's side is dropped.
fn work(queue: &Mutex<Receiver<Request>>, opener: &dyn Opener, reply: &SyncSender<Reply>) {
    loop {
        // Held while waiting: one worker waits for the queue, the others for the lock. No code of theirs runs in it.
        let request = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match request {
            Err(_) => return,
            Ok(Request::Drop(_)) => {}
            Ok(Request::Open { ticket, cue, skip }) => {
                if reply.send(Reply::Opened(answer(opener, ticket, &cue, skip))).is_err() {
                    return;
                }
            }
            Ok(Request::Poise(segment)) => match open(opener, &segment, SignedDuration::ZERO) {
                Ok(source) => {
                    let poised = Poised { segment: segment.id.clone(), source };
                    if reply.send(Reply::Poised(poised)).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    warn!(segment.id = %segment.id, error, "it could not be aired");
                }
            },
        }
    }
}

fn open(opener: &dyn Opener, segment: &Segment, skip: SignedDuration) -> Result<Box<dyn Source>, NotOpened> {
    catch_unwind(AssertUnwindSafe(|| opener.open(segment, skip))).unwrap_or(Err(NotOpened::Panicked))
}

fn answer(opener: &dyn Opener, ticket: u64, cue: &Arc<Cue>, skip: SignedDuration) -> Answer {
    let source = cue.segment().map_or(Err(NotOpened::Nothing), |segment| open(opener, segment, skip));
    if let Err(error) = &source {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        warn!(cue.id = %cue.id, %error, cause, "it cannot be aired");
    }
    Answer { cue: cue.id.clone(), source, ticket }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::engine::tests::{Levels, cue, seconds, segment, soon};
    use crate::media::source::{MemorySource, Read};
    use crate::timeline::Join;

    #[test]
    fn the_preroll_answers_only_what_was_asked_last() {
        let opener: Arc<dyn Opener> = Arc::new(Levels);
        let mut preroll = Preroll::threaded(&opener).unwrap();
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

    #[test]
    fn a_queue_that_is_full_is_no_fault_of_the_file() {
        /// A disk that answers nothing until it is dropped.
        #[derive(Debug)]
        struct Hangs(Mutex<Receiver<()>>);
        impl Opener for Hangs {
            fn open(&self, _: &Segment, _: SignedDuration) -> Result<Box<dyn Source>, NotOpened> {
                let _released = self.0.lock().unwrap().recv();
                Err(NotOpened::TooSlow)
            }
        }
        let (release, hangs) = sync_channel::<()>(1);
        let opener: Arc<dyn Opener> = Arc::new(Hangs(Mutex::new(hangs)));
        let mut preroll = Preroll::threaded(&opener).unwrap();
        let segment = segment(10, 60.0);
        for n in 0..=REQUESTS + WORKERS {
            preroll.open(&cue(&format!("c{n}"), Join::Hard, 0.0, &segment), SignedDuration::ZERO);
        }
        let Answer { source, .. } = preroll.answer().unwrap();
        let refused = source.unwrap_err();
        assert!(matches!(refused, NotOpened::Busy), "{refused}");
        assert_eq!(refused.cause(), Cause::NotOpened);
        let gone = OpenError::Gone { path: PathBuf::new() };
        assert_eq!(NotOpened::File(gone).cause(), Cause::FileBroken);
        drop(release);
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
        let mut preroll = Preroll::threaded(&opener).unwrap();
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
