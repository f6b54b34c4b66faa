//! Whether the log still goes to the disk: the technical log says when it does not, and when it does again.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use crate::clock::Clock;
use crate::store::Store;

/// How often that is looked at.
const EVERY: Duration = Duration::from_secs(10);

/// Looks again and again, for as long as it is awaited.
pub async fn watch_log(store: &Store, clock: &Arc<dyn Clock>) -> Infallible {
    let mut tick = tokio::time::interval(EVERY);
    let mut waits = false;
    let mut look: Option<JoinHandle<bool>> = None;
    let mut is_in_place = true;
    loop {
        tick.tick().await;
        waits = tell_waiting(store, clock.now(), waits);
        // A disk that hangs keeps this look, and nothing else, from its end.
        if look.as_ref().is_none_or(JoinHandle::is_finished) {
            if let Some(look) = look.take() {
                is_in_place = look.await.unwrap_or(is_in_place);
            }
            let (store, clock) = (store.clone(), Arc::clone(clock));
            look = Some(tokio::task::spawn_blocking(move || tell_place(&store, clock.now(), is_in_place)));
        }
    }
}

/// Says once that the disk takes no facts, and once that it does again; whether it takes none.
fn tell_waiting(store: &Store, now: Timestamp, before: bool) -> bool {
    let waits = store.log_waits(now);
    match &waits {
        Some(output) if !before => {
            error!(output.id = %output, "the log is behind: its disk takes nothing, and what airs is not on it");
        }
        None if before => info!("the log is written again"),
        Some(_) | None => {}
    }
    waits.is_some()
}

/// Says once that the database is not in its place any more, and copies what it holds; whether it is there.
fn tell_place(store: &Store, now: Timestamp, before: bool) -> bool {
    let is_in_place = store.is_in_place();
    if before && !is_in_place {
        error!(
            file = %store.file().display(),
            "THE DATABASE WAS REMOVED OR REPLACED: what is written from now on is lost when the program ends"
        );
        rescue(store, now);
    }
    is_in_place
}

/// Copies a database that has no name any more. Nothing else has what it holds.
pub fn rescue(store: &Store, now: Timestamp) {
    let copy =
        store.dir().join("backup").join(format!("rescued-{}.sqlite", now.strftime("%Y%m%dT%H%M%S-%3f")));
    match store.rescue(&copy) {
        Ok(()) => warn!(copy = %copy.display(), "copied the database as it is open"),
        Err(failure) => {
            error!(error = &failure as &dyn Error, "the database that is open cannot be copied");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::asrun::Note;

    #[test]
    fn a_database_that_is_removed_is_copied_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now: Timestamp = "2026-11-23T01:00:00Z".parse().unwrap();
        store.note(now, Note::Stopped).unwrap();
        let rescued = || fs::read_dir(folder.path().join("backup")).into_iter().flatten().count();
        assert!(tell_place(&store, now, true));
        assert_eq!(rescued(), 0);
        fs::remove_file(store.file()).unwrap();
        assert!(!tell_place(&store, now, true));
        assert!(!tell_place(&store, now, false));
        assert_eq!(rescued(), 1);
        let copy = folder.path().join("backup/rescued-20261123T010000-000.sqlite");
        let other = tempfile::tempdir().unwrap();
        crate::store::restore(&copy, other.path()).unwrap();
        assert_eq!(Store::open(other.path()).unwrap().verify().unwrap().rows, 1);
    }
}
