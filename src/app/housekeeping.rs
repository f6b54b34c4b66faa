//! What is done every night: the only file that names tokio-cron-scheduler.
//!
//! It never starts a sound: its firings are up to 0.6 s late, and it can lose some of many. For chores that is fine.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tracing::{error, info, warn};

use super::station::Station;
use crate::clock::Clock;
use crate::media::library::Library;
use crate::media::temporary::clean_incoming;
use crate::store::{Store, StoreError, UPLOAD_LIFE};
use crate::timeline::Severity;
use crate::timeline::plan::Plan;

/// When the station sleeps deepest.
const AT: Time = Time::constant(1, 30, 0, 0);
/// The scheduler is let run so long before it is time.
const NEARLY: Duration = Duration::from_secs(60);
/// How often it is asked until then how long that is.
const LOOK: Duration = Duration::from_secs(600);
/// Nightly copies of the database that are kept.
const BACKUPS: usize = 7;

/// What the chores need.
#[derive(Debug, Clone)]
pub struct Chores {
    /// The station's folder.
    pub station: Station,
    /// Its facts.
    pub store: Store,
    /// The plan in force.
    pub plan: watch::Receiver<Arc<Plan>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Has the chores done every night, for as long as it is awaited.
pub async fn keep_house(chores: Chores) -> Result<Infallible, JobSchedulerError> {
    loop {
        let cron = nightly(&chores.plan.borrow().schedule.time_zone, chores.clock.now());
        let chores = chores.clone();
        at_the_next(&cron, move || chores.all()).await?;
    }
}

/// Waits for the next instant that a cron line names, and returns when the work of then is done.
async fn at_the_next(
    cron: &str,
    work: impl Fn() + Clone + Send + Sync + 'static,
) -> Result<(), JobSchedulerError> {
    let done = Arc::new(Notify::new());
    let tell = Arc::clone(&done);
    let job = Job::new_async(cron, move |_, _| {
        let (work, tell) = (work.clone(), Arc::clone(&tell));
        Box::pin(async move {
            if let Err(ended) = tokio::task::spawn_blocking(work).await {
                error!(error = &ended as &dyn std::error::Error, "the nightly chores broke off");
            }
            tell.notify_one();
        })
    })?;
    let mut scheduler = JobScheduler::new().await?;
    scheduler.add(job).await?;
    // While it runs it wakes several times a second, which in a day costs more than all its chores: it is let run when
    // it is nearly time. A clock that was set meanwhile, be it past that time, is seen here.
    while let Some(left) = scheduler.time_till_next_job().await?.filter(|left| *left > NEARLY) {
        tokio::time::sleep((left - NEARLY).min(LOOK)).await;
    }
    scheduler.start().await?;
    done.notified().await;
    scheduler.shutdown().await
}

/// The station's night as the scheduler has it: seconds, minutes, hours …, in UTC.
fn nightly(zone: &jiff::tz::TimeZone, now: Timestamp) -> String {
    let utc = AT.on(2000, 1, 1) - SignedDuration::from_secs(zone.to_offset(now).seconds().into());
    format!("0 {} {} * * *", utc.minute(), utc.hour())
}

impl Chores {
    /// Every chore, each for itself: one that fails keeps none from its turn.
    pub fn all(&self) {
        self.look_ahead();
        self.rescan();
        if let Err(failure) = self.backup() {
            error!(error = &failure as &dyn std::error::Error, "the nightly copy of the database failed");
        }
        match self.store.tidy_up(self.clock.now()) {
            Ok(()) => info!("the database was tidied"),
            Err(failure) => {
                error!(error = &failure as &dyn std::error::Error, "the database could not be tidied");
            }
        }
        if let Err(failure) = self.store.keep_reserve() {
            warn!(error = &failure as &dyn std::error::Error, "no reserve is kept for a full disk");
        }
        if let Err(failure) = self.store.forget_old_uploads(self.clock.now()) {
            warn!(error = &failure as &dyn std::error::Error, "old uploads could not be forgotten");
        }
        match clean_incoming(&self.station.audio(), self.clock.now() - UPLOAD_LIFE) {
            Ok(_) => {}
            Err(cause) => {
                warn!(error = &cause as &dyn std::error::Error, "leftovers of uploads could not be removed");
            }
        }
    }

    /// Will the next days work?
    fn look_ahead(&self) {
        let plan = self.plan.borrow().clone();
        for finding in plan.timelines.iter().flat_map(|timeline| &timeline.findings) {
            match finding.severity {
                Severity::Error => error!(block = %finding.block, at = %finding.at, "{:?}", finding.kind),
                Severity::Warning => warn!(block = %finding.block, at = %finding.at, "{:?}", finding.kind),
                Severity::Note => {}
            }
        }
    }

    /// Are the segments' files still there, with the approved bytes?
    fn rescan(&self) {
        let catalog = Arc::clone(&self.plan.borrow().catalog);
        // Nothing is carried over from the night before: a file whose time and size are the same may still have rotted.
        match Library::scan(&self.station.audio(), &Library::default()) {
            Ok(library) => {
                let differences = library.differences(&catalog);
                for segment in &differences.missing {
                    error!(segment.id = %segment, "the file of a segment is gone");
                }
                for (segment, _) in &differences.changed {
                    error!(segment.id = %segment, "the file of a segment has other bytes now; it will not air");
                }
            }
            Err(cause) => {
                error!(error = &cause as &dyn std::error::Error, "the recordings cannot be looked through");
            }
        }
    }

    fn backup(&self) -> Result<(), StoreError> {
        let folder = self.station.data().join("backup");
        let local = self.clock.now().to_zoned(self.plan.borrow().schedule.time_zone.clone());
        let copy = folder.join(format!("{}.sqlite", local.date()));
        self.store.backup(&copy)?;
        info!(copy = %copy.display(), "copied the database");
        for old in oldest(&folder, BACKUPS) {
            if let Err(cause) = fs::remove_file(&old) {
                warn!(file = %old.display(), error = &cause as &dyn std::error::Error, "an old copy cannot be removed");
            }
        }
        Ok(())
    }
}

/// The files of a folder but for the last `keep`, by name.
fn oldest(folder: &Path, keep: usize) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "sqlite"))
        .collect();
    files.sort();
    files.truncate(files.len().saturating_sub(keep));
    files
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_is_due_is_done_once_and_waited_for() {
        let done = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&done);
        at_the_next("* * * * * *", move || {
            count.fetch_add(1, Ordering::Relaxed);
        })
        .await
        .unwrap();
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn the_night_is_the_stations_own() {
        let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        assert_eq!(nightly(&zone, "2026-11-22T00:00:00Z".parse().unwrap()), "0 30 18 * * *");
    }

    #[test]
    fn only_the_newest_copies_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        for day in 1..=9 {
            fs::File::create(folder.path().join(format!("2026-11-0{day}.sqlite"))).unwrap();
        }
        fs::File::create(folder.path().join("notes.txt")).unwrap();
        let names: Vec<_> =
            oldest(folder.path(), 7).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["2026-11-01.sqlite", "2026-11-02.sqlite"]);
    }
}
