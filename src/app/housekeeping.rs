//! What is done every night: the only file that names tokio-cron-scheduler.
//!
//! It never starts a sound: its firings are up to 0.6 s late, and it can lose some of many. For chores that is fine.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tracing::{error, info, warn};

use super::station::Station;
use crate::clock::Clock;
use crate::editing::files::remove_leftovers;
use crate::intake::seal_all;
use crate::media::temporary::clean_incoming;
use crate::store::{Store, StoreError, UPLOAD_LIFE};
use crate::timeline::Severity;
use crate::timeline::plan::Plan;
use crate::web;

/// When the station sleeps deepest.
const AT: Time = Time::constant(1, 30, 0, 0);
/// The scheduler is let run so long before it is time.
const NEARLY: Duration = Duration::from_secs(60);
/// How often it is asked until then how long that is.
const LOOK: Duration = Duration::from_secs(600);
/// Nightly copies of the database that are kept.
const BACKUPS: usize = 7;

/// What has stood still for so long is no recording that another process takes in at the moment.
const LEFTOVER: SignedDuration = SignedDuration::from_hours(1);

/// What the chores need.
#[derive(Debug, Clone)]
pub struct Chores {
    /// The station's folder.
    pub station: Station,
    /// Its facts.
    pub store: Store,
    /// The plan in force.
    pub plan: watch::Receiver<Arc<Plan>>,
    /// Has all recordings read.
    pub rescan: Arc<Notify>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Has the chores done every night, for as long as it is awaited; what people sent in is in `web`'s care.
pub async fn keep_house(chores: Chores, web: web::State) -> Result<Infallible, JobSchedulerError> {
    let station = chores.clone();
    let clean = move || {
        station.clean_beside_schedule();
        station.clean_leftovers();
    };
    if let Err(ended) = tokio::task::spawn_blocking(clean).await {
        error!(error = &ended as &dyn std::error::Error, "the chores of the start broke off");
    }
    loop {
        let cron = nightly(&chores.plan.borrow().schedule.time_zone, chores.clock.now());
        let station = chores.clone();
        at_the_next(&cron, move || station.look_after_station()).await?;
        chores.clone().look_after_uploads(&web).await;
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
    fn look_after_station(&self) {
        self.look_ahead();
        self.rescan.notify_one();
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
        if let Err(failure) = seal_all(&self.station.audio(), &self.store) {
            warn!(error = &failure as &dyn std::error::Error, "recordings without a seal cannot be sealed");
        }
    }

    /// What came whole has its last chance before it is forgotten.
    async fn look_after_uploads(self, web: &web::State) {
        if let Err(failure) = web::take_up_uploads(web).await {
            warn!(error = &failure as &dyn std::error::Error, "the uploads could not be looked through");
        }
        if let Err(ended) = tokio::task::spawn_blocking(move || self.forget_uploads()).await {
            error!(error = &ended as &dyn std::error::Error, "the nightly chores broke off");
        }
    }

    fn forget_uploads(&self) {
        if let Err(failure) = self.store.forget_old_uploads(self.clock.now()) {
            warn!(error = &failure as &dyn std::error::Error, "old uploads could not be forgotten");
        }
        match clean_incoming(&self.station.audio(), self.clock.now() - UPLOAD_LIFE, |_| false) {
            Ok(_) => {}
            Err(cause) => {
                warn!(error = &cause as &dyn std::error::Error, "leftovers of uploads could not be removed");
            }
        }
    }

    /// What a `segment add`, or this program, left half done when it was killed. A file of an upload waits for its rest.
    fn clean_leftovers(&self) {
        let is_awaited = |id: &str| !matches!(self.store.upload(id), Ok(None));
        match clean_incoming(&self.station.audio(), self.clock.now() - LEFTOVER, is_awaited) {
            Ok(0) => {}
            Ok(files) => info!(files, "removed what was left of recordings that were not taken in"),
            Err(cause) => {
                warn!(
                    error = &cause as &dyn std::error::Error,
                    "leftovers of recordings could not be removed"
                );
            }
        }
    }

    /// What a power cut left beside the schedule's files before this program began.
    fn clean_beside_schedule(&self) {
        let running = SignedDuration::try_from(self.clock.elapsed()).unwrap_or(SignedDuration::MAX);
        let began = self.clock.now().saturating_sub(running).unwrap_or(Timestamp::MIN);
        for folder in [self.station.schedule(), self.station.in_force()] {
            match remove_leftovers(&folder, began) {
                Ok(0) => {}
                Ok(files) => {
                    let folder = folder.display();
                    info!(files, %folder, "removed what was left of files of the schedule that were not written to their end");
                }
                Err(cause) => {
                    warn!(
                        error = &cause as &dyn std::error::Error,
                        "leftovers beside the schedule's files could not be removed"
                    );
                }
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

    fn backup(&self) -> Result<(), StoreError> {
        let folder = self.station.data().join("backup");
        let local = self.clock.now().to_zoned(self.plan.borrow().schedule.time_zone.clone());
        let today = local.date();
        let copy = folder.join(format!("{today}.sqlite"));
        self.store.backup(&copy)?;
        info!(copy = %copy.display(), "copied the database");
        for old in dispensable(&folder, today, BACKUPS) {
            if let Err(cause) = fs::remove_file(&old) {
                warn!(file = %old.display(), error = &cause as &dyn std::error::Error, "an old copy cannot be removed");
            }
        }
        Ok(())
    }
}

/// The nightly copies of a folder but for the newest `keep`, and what is left of one that broke off. What is dated after
/// today was made by a wrong clock, and goes first. Other files are not ours.
fn dispensable(folder: &Path, today: Date, keep: usize) -> Vec<PathBuf> {
    let (mut copies, mut dispensable) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some((date, end)) = name.to_str().and_then(|name| name.split_once('.')) else { continue };
        let Ok(date) = date.parse::<Date>() else { continue };
        match end {
            "sqlite" => copies.push((date <= today, date, entry.path())),
            "sqlite.new" => dispensable.push(entry.path()),
            _ => {}
        }
    }
    copies.sort();
    copies.truncate(copies.len().saturating_sub(keep));
    dispensable.extend(copies.into_iter().map(|(.., path)| path));
    dispensable
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::clock::ManualClock;
    use crate::store::Upload;

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

    #[tokio::test]
    async fn what_came_whole_is_examined_before_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR"));
        crate::app::demo::set_up(example, folder.path()).unwrap();
        let station = Station::open(folder.path()).unwrap();
        let store = Store::open(&station.data()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new("2026-11-23T01:00:00Z".parse().unwrap()));
        let (_plan, plan) =
            watch::channel(Arc::new(crate::app::boot::boot(&station, &store, clock.now()).unwrap()));
        let web = web::State {
            store: store.clone(),
            intake: Arc::new(crate::app::serve::intake(&station, &store, &clock)),
            desk: Arc::new(crate::editing::Desk::new(station.schedule(), store.clone())),
            audio_dir: station.audio().into(),
            engines: Arc::new([]),
            plan: plan.clone(),
            replan: std::sync::mpsc::sync_channel(1).0,
            planner_turned: watch::channel(Duration::ZERO).1,
            unready: watch::channel(BTreeSet::new()).1,
            clock: Arc::clone(&clock),
            limits: Arc::default(),
            proxy: web::Proxy::None,
        };
        // Put off again and again for longer than an upload lives.
        let sound = example.join("audio/ban-tin.ogg");
        let upload = Upload {
            id: "0123".to_owned(),
            person: "hoa".to_owned(),
            origin: "192.0.2.7".to_owned(),
            name: "tin.ogg".to_owned(),
            bytes: sound.metadata().unwrap().len(),
            metadata: String::new(),
            created: clock.now() - UPLOAD_LIFE - SignedDuration::from_hours(1),
            verdict: None,
        };
        store.add_upload(upload, |_| true).unwrap();
        fs::create_dir_all(web.intake.waiting("0123").parent().unwrap()).unwrap();
        fs::copy(sound, web.intake.waiting("0123")).unwrap();
        let chores = Chores { station, store: store.clone(), plan, rescan: Arc::default(), clock };
        chores.look_after_uploads(&web).await;
        let taken = store.segments(&crate::store::SegmentFilter::default()).unwrap();
        assert_eq!(taken.iter().map(|segment| &*segment.added_by).collect::<Vec<_>>(), ["hoa"]);
        assert_eq!(store.upload("0123").unwrap(), None);
    }

    #[test]
    fn the_database_of_a_new_station_is_copied_every_night() {
        let folder = tempfile::tempdir().unwrap();
        crate::app::demo::set_up(Path::new(env!("CARGO_MANIFEST_DIR")), folder.path()).unwrap();
        let station = Station::open(folder.path()).unwrap();
        let store = Store::open(&station.data()).unwrap();
        let clock = Arc::new(ManualClock::new("2026-11-22T18:30:00Z".parse().unwrap()));
        let plan = crate::app::boot::boot(&station, &store, clock.now()).unwrap();
        let (_plan, plan) = watch::channel(Arc::new(plan));
        let chores = Chores { station, store, plan, rescan: Arc::default(), clock: Arc::clone(&clock) as _ };
        chores.backup().unwrap();
        let kept = |name: &str| folder.path().join("data/backup").join(name).is_file();
        assert!(kept("2026-11-23.sqlite"), "by the station's own date");
        clock.advance(Duration::from_secs(86_400));
        chores.backup().unwrap();
        assert!(kept("2026-11-23.sqlite") && kept("2026-11-24.sqlite"));
    }

    #[test]
    fn what_was_left_half_done_is_removed_at_the_start_unless_it_may_go_on() {
        let folder = tempfile::tempdir().unwrap();
        crate::app::demo::set_up(Path::new(env!("CARGO_MANIFEST_DIR")), folder.path()).unwrap();
        let station = Station::open(folder.path()).unwrap();
        let store = Store::open(&station.data()).unwrap();
        let now: Timestamp = "2026-11-23T01:00:00Z".parse().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(now));
        let upload = Upload {
            id: "0123".to_owned(),
            person: "hoa".to_owned(),
            origin: "192.0.2.7".to_owned(),
            name: "tin.ogg".to_owned(),
            bytes: 9,
            metadata: String::new(),
            created: now - SignedDuration::from_hours(20),
            verdict: None,
        };
        store.add_upload(upload, |_| true).unwrap();
        let incoming = station.audio().join(".incoming");
        fs::create_dir_all(&incoming).unwrap();
        for (name, minutes) in [("4711-0", 61), ("4712-0", 59), ("part-0123", 61), ("part-4567", 61)] {
            let file = fs::File::create(incoming.join(name)).unwrap();
            file.set_modified((now - SignedDuration::from_mins(minutes)).into()).unwrap();
        }
        let cut =
            [station.schedule(), station.in_force()].map(|folder| folder.join(".week.toml.loa-0123abcd"));
        let plan = crate::app::boot::boot(&station, &store, now).unwrap();
        for cut in &cut {
            fs::File::create(cut).unwrap().set_modified((now - SignedDuration::from_mins(1)).into()).unwrap();
        }
        let (_plan, plan) = watch::channel(Arc::new(plan));
        let chores = Chores { station, store, plan, rescan: Arc::default(), clock };
        chores.clean_leftovers();
        chores.clean_beside_schedule();
        assert!(cut.iter().all(|cut| !cut.exists()));
        let mut left: Vec<_> =
            fs::read_dir(incoming).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["4712-0", "part-0123"]);
    }

    #[test]
    fn the_night_is_the_stations_own() {
        let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        assert_eq!(nightly(&zone, "2026-11-22T00:00:00Z".parse().unwrap()), "0 30 18 * * *");
    }

    #[test]
    fn the_newest_copies_are_kept_but_for_those_of_a_wrong_clock() {
        let folder = tempfile::tempdir().unwrap();
        let days: Vec<_> = (1..=9).map(|day| format!("2026-11-0{day}.sqlite")).collect();
        let others = ["notes.txt", "before.sqlite", "2031-01-01.sqlite", "2026-11-04.sqlite.new"];
        for name in days.iter().map(String::as_str).chain(others) {
            fs::File::create(folder.path().join(name)).unwrap();
        }
        let today = "2026-11-09".parse().unwrap();
        let names: Vec<_> = dispensable(folder.path(), today, 7)
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        let expected =
            ["2026-11-04.sqlite.new", "2031-01-01.sqlite", "2026-11-01.sqlite", "2026-11-02.sqlite"];
        assert_eq!(names, expected);
    }
}
