//! What a sound system is asked for, and may never answer: each thing in a thread of its own, and few at a time.
//!
//! A thread that hangs cannot be ended. The first few are left to themselves at once, so that one that never comes back
//! keeps no device from being found; after them each next one waits twice as long as the one before. What frees the sound
//! system (its server's end, a plug that is pulled) usually brings them all back, and then nothing waits any more.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

/// So many that hang keep none from being begun.
const AT_ONCE: usize = 3;
/// Between the last of these and the next; from there on it doubles. A day of it leaves 13 threads behind, a year 22.
const FIRST_WAIT: Duration = Duration::from_secs(60);

/// The answers that are waited for.
#[derive(Debug)]
pub(super) struct Attempts<T> {
    unanswered: Vec<Receiver<T>>,
    /// When the last one was begun.
    begun: Duration,
    /// How long each is waited for.
    limit: Duration,
}

impl<T: Send + 'static> Attempts<T> {
    /// None yet; each will be waited for as long as `limit`.
    pub(super) fn new(limit: Duration) -> Self {
        Self { unanswered: Vec::new(), begun: Duration::ZERO, limit }
    }

    /// How many hang.
    pub(super) fn hanging(&self) -> usize {
        self.unanswered.len()
    }

    /// Whether it is time for one more.
    pub(super) fn may_begin(&self, now: Duration) -> bool {
        let Some(over) = self.unanswered.len().checked_sub(AT_ONCE) else { return true };
        let doubled = u32::try_from(over).ok().and_then(|over| 1_u32.checked_shl(over)).unwrap_or(u32::MAX);
        now.saturating_sub(self.begun) >= FIRST_WAIT.saturating_mul(doubled)
    }

    /// Begins one and waits for it; none where it takes too long.
    pub(super) fn begin(
        &mut self,
        now: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Option<T>> {
        self.begun = now;
        let answer = start("sound-open", work)?;
        match answer.recv_timeout(self.limit) {
            Ok(answer) => return Ok(Some(answer)),
            Err(RecvTimeoutError::Timeout) => self.unanswered.push(answer),
            Err(RecvTimeoutError::Disconnected) => {}
        }
        Ok(None)
    }

    /// Begins something that is not waited for, and may hang as well.
    pub(super) fn leave(&mut self, work: impl FnOnce() -> T + Send + 'static) -> io::Result<()> {
        self.unanswered.push(start("sound-close", work)?);
        Ok(())
    }

    /// What was answered at last. A thread that ended without an answer is forgotten.
    pub(super) fn late(&mut self) -> Vec<T> {
        let mut late = Vec::new();
        self.unanswered.retain(|answer| match answer.try_recv() {
            Ok(answer) => {
                late.push(answer);
                false
            }
            Err(TryRecvError::Empty) => true,
            Err(TryRecvError::Disconnected) => false,
        });
        late
    }
}

fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Receiver<T>> {
    let (send, receive) = sync_channel(1);
    // Where nobody receives any more, the answer is dropped there.
    thread::Builder::new().name(name.to_owned()).spawn(move || drop(send.send(work())))?;
    Ok(receive)
}
