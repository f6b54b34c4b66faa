//! Who opens files: a crew of threads, and what they open with.
//!
//! The workers share one queue of requests and answer through another. There is always one who waits: a file that hangs
//! costs a thread, and nobody waits behind it. They exist before the engine's thread asks for a realtime priority, and so
//! do the decoding threads they start inherit none.

use std::fmt::Debug;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::SignedDuration;
use tracing::warn;

use crate::asrun::Cause;
use crate::media::playback::{OpenError, Opening};
use crate::media::seal::Seals;
use crate::media::source::{AheadSource, InlineSource, Source};
use crate::segment::Segment;

/// Workers that wait for something to do.
const SPARE: usize = 2;
/// Workers in all: so many files may hang at once, but for one.
pub(super) const WORKERS: usize = 16;
/// How long a file may take to give its first second, before its cue goes without.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is asked whether that second lies ready.
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
    /// By which their bytes are known.
    pub seals: Arc<dyn Seals>,
}

/// Opens files of a folder, and decodes each as it is read: for rehearsals, which outrun any thread.
#[derive(Debug, Clone)]
pub struct Inline {
    /// The folder of the recordings.
    pub audio: PathBuf,
}

impl Opener for Ahead {
    fn open(&self, segment: &Segment, skip: SignedDuration) -> Result<Box<dyn Source>, NotOpened> {
        let seal = self.seals.seal(&segment.id).map(Arc::new);
        let opening = Opening { skip, seal, ..Opening::of(segment, &self.audio) };
        let source =
            AheadSource::start(opening.open().map_err(NotOpened::File)?).map_err(NotOpened::Thread)?;
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
        let opening = Opening { skip, ..Opening::of(segment, &self.audio) };
        Ok(Box::new(InlineSource::new(opening.open().map_err(NotOpened::File)?)))
    }
}

/// What a worker is to do.
#[derive(Debug)]
pub(super) enum Request {
    Open { ticket: u64, segment: Arc<Segment>, skip: SignedDuration },
    Drop(#[expect(dead_code, reason = "it is only dropped")] Box<dyn Source>),
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) ticket: u64,
    pub(super) source: Result<Box<dyn Source>, NotOpened>,
}

/// The workers, and what they share.
#[derive(Debug)]
pub(super) struct Crew {
    queue: Mutex<Receiver<Request>>,
    answers: SyncSender<Reply>,
    opener: Arc<dyn Opener>,
    all: AtomicUsize,
    /// Those who have nothing to do.
    waiting: AtomicUsize,
}

impl Crew {
    /// So many who wait for requests, and answer them here.
    pub(super) fn start(
        opener: &Arc<dyn Opener>,
        queue: Receiver<Request>,
        answers: SyncSender<Reply>,
    ) -> io::Result<()> {
        let (queue, opener) = (Mutex::new(queue), Arc::clone(opener));
        let (all, waiting) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let crew = Arc::new(Self { queue, answers, opener, all, waiting });
        (0..SPARE).try_for_each(|_| crew.hire())
    }

    /// Starts one more worker, where there may be one.
    fn hire(self: &Arc<Self>) -> io::Result<()> {
        if self.all.fetch_add(1, Ordering::Relaxed) >= WORKERS {
            self.all.fetch_sub(1, Ordering::Relaxed);
            return Ok(());
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let crew = Arc::clone(self);
        let hired = thread::Builder::new().name("preroll".into()).spawn(move || crew.work());
        hired.map(drop).inspect_err(|_| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.all.fetch_sub(1, Ordering::Relaxed);
        })
    }

    /// A worker, until the loop's side is dropped, or others have nothing to do either.
    fn work(self: &Arc<Self>) {
        loop {
            // Held while waiting: one worker waits for the queue, the others for the lock. No code of theirs runs in it.
            let Ok(request) = self.queue.lock().unwrap_or_else(PoisonError::into_inner).recv() else {
                return;
            };
            if self.waiting.fetch_sub(1, Ordering::Relaxed) == 1
                && let Err(cause) = self.hire()
            {
                warn!(error = &cause as &dyn std::error::Error, "no thread is to be had for what comes next");
            }
            if let Request::Open { ticket, segment, skip } = request {
                let source = open(&*self.opener, &segment, skip);
                if self.answers.send(Reply { ticket, source }).is_err() {
                    return;
                }
            }
            if self.waiting.fetch_add(1, Ordering::Relaxed) >= SPARE {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                self.all.fetch_sub(1, Ordering::Relaxed);
                return;
            }
        }
    }
}

pub(super) fn open(
    opener: &dyn Opener,
    segment: &Segment,
    skip: SignedDuration,
) -> Result<Box<dyn Source>, NotOpened> {
    let opened = catch_unwind(AssertUnwindSafe(|| opener.open(segment, skip)));
    opened.unwrap_or(Err(NotOpened::Panicked)).inspect_err(|error| {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        warn!(segment.id = %segment.id, %error, cause, "it cannot be aired");
    })
}
