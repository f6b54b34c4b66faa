//! Whether the recordings that are to air are still there, byte for byte.
//!
//! A file can go or rot behind the program's back. What is found in time leaves the plan, so that an older recording
//! stands in where one may, and people are told while there is time to bring it back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{Notify, watch};
use tracing::{error, info};

use crate::clock::Clock;
use crate::media::library::{Seen, look_at};
use crate::segment::{FileTrouble, Segment, SegmentId, State, Troubles};
use crate::timeline::plan::Plan;

/// How often the files are looked at; one that has not changed costs a question to the file system.
const EVERY: Duration = Duration::from_secs(15);

/// Looks for as long as there is a plan: at once, after each change of the plan, and four times a minute.
///
/// At each `whole`, which comes every night, all recordings that may air are read; and at once each of the `suspects`, which
/// were found broken on their way to the air.
pub async fn keep_looking(
    audio: PathBuf,
    mut plan: watch::Receiver<Arc<Plan>>,
    whole: Arc<Notify>,
    mut suspects: Receiver<SegmentId>,
    found: watch::Sender<Arc<Troubles>>,
    clock: Arc<dyn Clock>,
) {
    let mut rescan = Rescan::default();
    let mut all = false;
    loop {
        let (current, audio, now) = (plan.borrow_and_update().clone(), audio.clone(), clock.now());
        let look = move || {
            if all {
                rescan.read_all(&audio, &current);
            }
            rescan.look(&audio, &current, now);
            rescan
        };
        rescan = match tokio::task::spawn_blocking(look).await {
            Ok(rescan) => rescan,
            Err(ended) => {
                error!(error = &ended as &dyn std::error::Error, "the recordings could not be looked at");
                Rescan::default()
            }
        };
        found.send_if_modified(|before| rescan.tell(before));
        all = false;
        tokio::select! {
            () = whole.notified() => all = true,
            Some(suspect) = suspects.recv() => rescan.doubt(suspect),
            changed = plan.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// What is known of the files.
#[derive(Debug, Default)]
struct Rescan {
    /// The files as they were when they were read.
    seen: BTreeMap<SegmentId, Seen>,
    troubles: Troubles,
    /// Found broken by who was to air it, and not read since.
    doubted: Option<SegmentId>,
}

impl Rescan {
    /// A recording is to be read whole at the next look, whatever its file looks like.
    fn doubt(&mut self, segment: SegmentId) {
        self.seen.remove(&segment);
        self.doubted = Some(segment);
    }

    /// Looks at what airs in the time of the plan, what is to be ready at once, what was broken before, and what may be.
    fn look(&mut self, audio: &Path, plan: &Plan, now: Timestamp) {
        let broken = self.troubles.keys().chain(&self.doubted).filter_map(|id| plan.catalog.get(id));
        let still = broken.filter(|segment| segment.state == State::Approved);
        let airing = plan.airing(now);
        let wanted: BTreeMap<&SegmentId, &Segment> = (airing.iter().map(|(segment, _)| segment))
            .chain(plan.standing())
            .chain(still)
            .map(|segment| (&segment.id, segment.as_ref()))
            .collect();
        let before = std::mem::take(self);
        for (id, segment) in wanted {
            self.take(look_at(audio, segment, before.seen.get(id).copied()), id);
        }
    }

    /// Reads all that may air: a file whose size and time are the same may still have rotted.
    fn read_all(&mut self, audio: &Path, plan: &Plan) {
        *self = Self::default();
        for segment in plan.catalog.iter().filter(|segment| segment.state == State::Approved) {
            self.take(look_at(audio, segment, None), &segment.id);
        }
        info!(files = self.seen.len(), broken = self.troubles.len(), "read all recordings that may air");
    }

    fn take(&mut self, (file, trouble): (Option<Seen>, Option<FileTrouble>), id: &SegmentId) {
        self.seen.extend(file.map(|file| (id.clone(), file)));
        self.troubles.extend(trouble.map(|trouble| (id.clone(), trouble)));
    }

    /// Says what has changed since it was last told; whether anything has.
    fn tell(&self, told: &mut Arc<Troubles>) -> bool {
        for (id, trouble) in self.troubles.iter().filter(|(id, trouble)| told.get(*id) != Some(*trouble)) {
            error!(segment.id = %id, ?trouble, "the file of an approved segment is not what was approved");
        }
        for id in told.keys().filter(|id| !self.troubles.contains_key(*id)) {
            info!(segment.id = %id, "the file of a segment is as it was approved again, or is not wanted any more");
        }
        let news = **told != self.troubles;
        if news {
            *told = Arc::new(self.troubles.clone());
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::media::seal::hash_of_path;
    use crate::schedule::Start;
    use crate::segment::Catalog;
    use crate::timeline::{History, Window, compile, fixture};

    /// A folder with one file, and a station that plays it every day.
    struct Bench {
        audio: TempDir,
        plan: Plan,
        rescan: Rescan,
    }

    impl Bench {
        fn new() -> Self {
            let audio = tempfile::tempdir().unwrap();
            put(&audio, "tin.mp3", "approved");
            let hash = hash_of_path(&audio.path().join("tin.mp3")).unwrap();
            let segment = Segment {
                id: hash.segment_id(),
                hash,
                file: "tin.mp3".into(),
                ..fixture::segment("tin", "tin", 60)
            };
            Self { audio, plan: plan([segment].into_iter().collect()), rescan: Rescan::default() }
        }

        /// Looks, and has the plan go by what was found; whether the planner was told anything.
        fn look(&mut self) -> bool {
            let mut told = Arc::new(self.plan.catalog.troubles().clone());
            self.rescan.look(self.audio.path(), &self.plan, fixture::at(MONDAY));
            let news = self.rescan.tell(&mut told);
            self.plan = plan(self.plan.catalog.with_troubles((*told).clone()));
            news
        }

        fn troubles(&self) -> Vec<FileTrouble> {
            self.plan.catalog.troubles().values().copied().collect()
        }
    }

    fn plan(catalog: Catalog) -> Plan {
        let slot = fixture::slot("tin", Start::Follow, fixture::play("programme:tin"));
        let schedule = fixture::schedule("Asia/Ho_Chi_Minh", vec![slot]);
        let window = Window { from: fixture::at(MONDAY), to: fixture::at("2026-11-25T17:00:00Z") };
        let timeline = compile(&schedule, &catalog, &History::default(), &fixture::output(), window);
        Plan {
            schedule: Arc::new(schedule),
            catalog: Arc::new(catalog),
            timelines: vec![Arc::new(timeline)],
            problems: Arc::default(),
            at: window.from,
        }
    }

    fn put(audio: &TempDir, name: &str, text: &str) {
        use std::io::Write as _;
        fs::File::create(audio.path().join(name)).unwrap().write_all(text.as_bytes()).unwrap();
    }

    const MONDAY: &str = "2026-11-22T20:00:00Z";

    #[test]
    fn what_is_broken_is_told_once_and_stays_so_until_it_is_brought_back() {
        let mut bench = Bench::new();
        assert!(!bench.look());
        fs::remove_file(bench.audio.path().join("tin.mp3")).unwrap();
        assert!(bench.look());
        assert_eq!(bench.troubles(), [FileTrouble::FileMissing]);
        assert!(!bench.look(), "though no plan has it any more");
        put(&bench.audio, "tin.mp3", "something else");
        assert!(bench.look());
        assert_eq!(bench.troubles(), [FileTrouble::FileChanged]);
        put(&bench.audio, "tin.mp3", "approved");
        assert!(bench.look());
        assert_eq!(bench.troubles(), []);
    }

    /// Puts other bytes into the file, which looks as before.
    fn rot(audio: &TempDir) {
        let path = audio.path().join("tin.mp3");
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        put(audio, "tin.mp3", "approveD");
        fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
    }

    #[test]
    fn what_rots_under_an_unchanged_stamp_is_found_when_all_is_read() {
        let mut bench = Bench::new();
        bench.look();
        rot(&bench.audio);
        assert!(!bench.look(), "it looks as before");
        bench.rescan.read_all(bench.audio.path(), &bench.plan);
        assert!(bench.look());
        assert_eq!(bench.troubles(), [FileTrouble::FileChanged]);
    }

    #[test]
    fn what_was_found_broken_on_the_air_is_read_at_once_and_once() {
        let mut bench = Bench::new();
        bench.look();
        let tin = bench.plan.catalog.iter().next().unwrap().id.clone();
        bench.rescan.doubt(tin.clone());
        assert!(!bench.look(), "the file is as approved");
        rot(&bench.audio);
        assert!(!bench.look(), "it looks as before");
        bench.rescan.doubt(tin);
        assert!(bench.look());
        assert_eq!(bench.troubles(), [FileTrouble::FileChanged]);
        assert!(!bench.look(), "and stays so");
    }

    #[test]
    fn what_no_plan_names_is_read_with_all_and_then_kept_in_sight() {
        let mut bench = Bench::new();
        let unplanned = Segment { file: "xa.mp3".into(), ..fixture::segment("xa", "music", 60) };
        let draft = Segment { state: State::Draft, ..fixture::segment("nhap", "music", 60) };
        let known = bench.plan.catalog.iter().map(|segment| (**segment).clone());
        bench.plan = plan(known.chain([unplanned, draft]).collect());
        assert!(!bench.look());
        bench.rescan.read_all(bench.audio.path(), &bench.plan);
        assert!(bench.look());
        assert_eq!(bench.troubles(), [FileTrouble::FileMissing], "of a draft nothing is to air");
        assert!(!bench.look());
        assert_eq!(bench.troubles(), [FileTrouble::FileMissing]);
    }
}
