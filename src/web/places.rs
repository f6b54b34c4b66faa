//! Places for uploads at work: nobody has all of them, and whoever has one has to send.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// For so long bytes may come as slowly as they like.
const AT_FIRST: Duration = Duration::from_secs(60);
/// So many bytes must come in each second after that, on the average: less than the weakest connection brings.
const SLOWEST: u64 = 1024;

/// So many uploads at once.
#[derive(Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    of_one: usize,
    theirs: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _place: OwnedSemaphorePermit,
    _theirs: Option<OwnedSemaphorePermit>,
}

impl Places {
    /// So many.
    pub(super) fn new(places: usize) -> Self {
        let of_one = places.saturating_sub(1).max(1);
        Self { free: Arc::new(Semaphore::new(places)), of_one, theirs: Mutex::default() }
    }

    /// A place for a person, where one is free and another stays for somebody else.
    pub(super) fn take(&self, whose: &str) -> Option<Place> {
        let theirs = {
            let mut all = self.theirs.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|_, theirs| Arc::strong_count(theirs) > 1);
            let new = || Arc::new(Semaphore::new(self.of_one));
            Arc::clone(all.entry(whose.to_owned()).or_insert_with(new))
        };
        let theirs = theirs.try_acquire_owned().ok()?;
        let place = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(Place { _place: place, _theirs: Some(theirs) })
    }

    /// A place for the station itself, which waits for one.
    pub(super) async fn wait(&self) -> Option<Place> {
        let place = Arc::clone(&self.free).acquire_owned().await.ok()?;
        Some(Place { _place: place, _theirs: None })
    }

    /// How many are free.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.free.available_permits()
    }
}

/// How fast the bytes of something come.
#[derive(Debug)]
pub(super) struct Pace {
    began: Duration,
    bytes: u64,
}

impl Pace {
    /// From now on, by the clock's `elapsed`.
    pub(super) fn from(now: Duration) -> Self {
        Self { began: now, bytes: 0 }
    }

    /// Counts bytes that came; whether they come fast enough.
    pub(super) fn keeps_up(&mut self, bytes: usize, now: Duration) -> bool {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        let over = now.saturating_sub(self.began).saturating_sub(AT_FIRST);
        self.bytes >= over.as_secs().saturating_mul(SLOWEST)
    }
}
