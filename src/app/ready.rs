//! What must sound at once, decoded in memory: no disk stands between an emergency and the horns.
//!
//! Beside the planner: a file that hangs holds up what is kept, and no plan.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::task::{self, JoinError, JoinSet};
use tracing::{error, info, warn};

use crate::engine::handle::{Command, Handle};
use crate::media::playback::{OpenError, Opening};
use crate::media::source::MemorySource;
use crate::segment::{Segment, SegmentId};
use crate::timeline::plan::Plan;

/// Sound kept in memory; a minute of stereo takes 12 MB.
const KEPT_AT_MOST: SignedDuration = SignedDuration::from_secs(120);

/// How long what does not work at once is waited for.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// When an engine that was busy is told again.
    tell_again: Duration,
    /// When what could not be decoded is tried again: a card that is put back is no change of the plan.
    decode_again: Duration,
    /// A file that takes longer to decode holds up no other.
    patience: Duration,
}

const PACE: Pace = Pace {
    tell_again: Duration::from_secs(1),
    decode_again: Duration::from_mins(1),
    patience: Duration::from_secs(10),
};

/// Segments, decoded, at the level of their files.
type Kept = BTreeMap<SegmentId, MemorySource>;

/// Keeps what the plan in force has to be ready, and has the engines know, for as long as there is a plan. `missing` has
/// what is not kept though it should be, from when that is known.
pub async fn keep_ready(
    audio: PathBuf,
    plan: watch::Receiver<Arc<Plan>>,
    engines: Vec<Handle>,
    missing: watch::Sender<Missing>,
) {
    Keeper::new(audio, engines, PACE).run(plan, missing).await;
}

/// What should be kept in memory and is not.
pub type Missing = BTreeSet<SegmentId>;

/// What is kept, and what is on its way there.
struct Keeper {
    audio: PathBuf,
    engines: Vec<Handle>,
    kept: Kept,
    /// Whether every engine has heard of what is kept.
    told: bool,
    decoding: JoinSet<Result<MemorySource, OpenError>>,
    /// Which segment a task decodes.
    begun: Vec<(task::Id, SegmentId)>,
    /// Of which it was told that they cannot be kept: once each.
    told_of: BTreeSet<SegmentId>,
    pace: Pace,
}

impl Keeper {
    fn new(audio: PathBuf, engines: Vec<Handle>, pace: Pace) -> Self {
        let (kept, decoding, begun, told_of) = (Kept::new(), JoinSet::new(), Vec::new(), BTreeSet::new());
        Self { audio, engines, kept, told: true, decoding, begun, told_of, pace }
    }

    async fn run(mut self, mut plan: watch::Receiver<Arc<Plan>>, missing: watch::Sender<Missing>) {
        loop {
            let wanted = wanted(&plan.borrow_and_update());
            self.forget_all_but(&wanted);
            for segment in &wanted {
                self.keep(segment).await;
            }
            if !self.told {
                self.tell();
            }
            let ids = wanted.iter().map(|segment| segment.id.clone());
            let unkept: Missing = ids.filter(|id| !self.kept.contains_key(id)).collect();
            let again = match (self.told, unkept.is_empty()) {
                (false, _) => Some(self.pace.tell_again),
                (true, false) => Some(self.pace.decode_again),
                (true, true) => None,
            };
            missing.send_replace(unkept);
            tokio::select! {
                changed = plan.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                Some(done) = self.decoding.join_next_with_id() => self.take(done),
                () = tokio::time::sleep(again.unwrap_or_default()), if again.is_some() => {}
            }
        }
    }

    fn forget_all_but(&mut self, wanted: &[Arc<Segment>]) {
        let before = self.kept.len();
        self.kept.retain(|id, _| wanted.iter().any(|segment| segment.id == *id));
        self.told &= self.kept.len() == before;
    }

    /// Decodes a segment unless it is kept, and waits for it, but no longer than for a file that does not answer: what
    /// comes after it must not wait.
    async fn keep(&mut self, segment: &Arc<Segment>) {
        if self.kept.contains_key(&segment.id) || self.is_decoding(&segment.id) {
            return;
        }
        let (audio, decoded) = (self.audio.clone(), Arc::clone(segment));
        let begun = self.decoding.spawn_blocking(move || decode(&decoded, &audio));
        self.begun.push((begun.id(), segment.id.clone()));
        if tokio::time::timeout(self.pace.patience, self.until_decoded(&segment.id)).await.is_err() {
            error!(segment.id = %segment.id, "the file of a segment to be kept ready does not answer");
        }
    }

    async fn until_decoded(&mut self, id: &SegmentId) {
        while self.is_decoding(id)
            && let Some(done) = self.decoding.join_next_with_id().await
        {
            self.take(done);
        }
    }

    fn is_decoding(&self, id: &SegmentId) -> bool {
        self.begun.iter().any(|(_, begun)| begun == id)
    }

    fn take(&mut self, done: Result<(task::Id, Result<MemorySource, OpenError>), JoinError>) {
        let (number, decoded) = match done {
            Ok((number, decoded)) => (number, decoded.map_err(Box::<dyn Error>::from)),
            Err(ended) => (ended.id(), Err(ended.into())),
        };
        let Some(at) = self.begun.iter().position(|(begun, _)| *begun == number) else { return };
        let (_, id) = self.begun.swap_remove(at);
        match decoded {
            Ok(source) => {
                self.told_of.remove(&id);
                self.kept.insert(id, source);
                self.tell();
            }
            Err(failure) if self.told_of.insert(id.clone()) => {
                error!(segment.id = %id, error = &*failure, "cannot keep a segment ready; it is tried again and again");
            }
            Err(_told) => {}
        }
    }

    /// Tells every engine what is kept.
    fn tell(&mut self) {
        info!(segments = self.kept.len(), "kept in memory for emergencies");
        let kept = Arc::new(self.kept.clone());
        self.told = true;
        for engine in &self.engines {
            if let Err(refused) = engine.send(Command::Keep(Arc::clone(&kept))) {
                self.told = false;
                error!(output.id = %engine.output(), error = &refused as &dyn Error, "the engine was not told what is kept ready");
            }
        }
    }
}

/// What a plan has to be ready, as far as memory is given for it.
fn wanted(plan: &Plan) -> Vec<Arc<Segment>> {
    let mut left = KEPT_AT_MOST;
    let mut wanted = Vec::new();
    for segment in plan.standing() {
        if segment.duration() > left {
            warn!(segment.id = %segment.id, "no memory is left to keep `{}` ready; it sounds from the disk", segment.words.title);
            continue;
        }
        left -= segment.duration();
        wanted.push(Arc::clone(segment));
    }
    wanted
}

fn decode(segment: &Segment, audio: &Path) -> Result<MemorySource, OpenError> {
    Opening::of(segment, audio).open().map(MemorySource::decode)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::mpsc::{Receiver, sync_channel};

    use jiff::Timestamp;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;
    use crate::engine::handle::Status;
    use crate::media::seal::hash_of_path;
    use crate::segment::{Catalog, State};
    use crate::timeline::fixture;

    const SOON: Pace = Pace {
        tell_again: Duration::from_millis(20),
        decode_again: Duration::from_millis(200),
        patience: Duration::from_millis(500),
    };

    /// A station with sound, and what keeps some of it ready.
    struct Keeping {
        folder: tempfile::TempDir,
        plans: watch::Sender<Arc<Plan>>,
        missing: watch::Receiver<Missing>,
        commands: Receiver<Command>,
        _status: watch::Sender<Status>,
    }

    impl Keeping {
        /// Room for one command: the second is refused at first.
        fn of(segments: &[&Segment], folder: tempfile::TempDir) -> Self {
            let (sender, commands) = sync_channel(1);
            let (status, statuses) = watch::channel(Status::at_first(&"loa".into(), Timestamp::UNIX_EPOCH));
            let (plans, plan) = watch::channel(plan_of(segments));
            let (missing, is_missing) = watch::channel(Missing::new());
            let engine = Handle::new("loa".into(), sender, statuses);
            let keeper = Keeper::new(folder.path().to_owned(), vec![engine], SOON);
            tokio::spawn(keeper.run(plan, missing));
            Self { folder, plans, missing: is_missing, commands, _status: status }
        }

        /// What the engine was told to keep, once it was.
        async fn told(&self) -> BTreeSet<SegmentId> {
            loop {
                if let Ok(Command::Keep(kept)) = self.commands.try_recv() {
                    return kept.keys().cloned().collect();
                }
                task::yield_now().await;
            }
        }
    }

    fn plan_of(segments: &[&Segment]) -> Arc<Plan> {
        let mut schedule = fixture::schedule("UTC", Vec::new());
        schedule.programmes.get_mut(&"tin".into()).unwrap().ready = true;
        let catalog: Catalog = segments.iter().copied().cloned().collect();
        Arc::new(Plan {
            schedule: Arc::new(schedule),
            catalog: Arc::new(catalog),
            timelines: Vec::new(),
            problems: Arc::default(),
            at: Timestamp::UNIX_EPOCH,
        })
    }

    fn bulletin() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("audio/ban-tin.ogg")
    }

    fn folder_with_sound() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(bulletin(), folder.path().join("ban-tin.ogg")).unwrap();
        folder
    }

    fn segment(id: &str, file: &str, seconds: i64) -> Segment {
        let hash = hash_of_path(&bulletin()).unwrap();
        Segment { hash, file: file.into(), ..fixture::segment(id, "tin", seconds) }
    }

    fn ids(segments: &[&Segment]) -> BTreeSet<SegmentId> {
        segments.iter().map(|segment| segment.id.clone()).collect()
    }

    #[tokio::test]
    async fn what_is_to_be_ready_is_told_as_it_comes_and_what_cannot_be_read_holds_up_no_other() {
        let (gone, one) = (segment("gone", "khong-co.ogg", 1), segment("one", "ban-tin.ogg", 2));
        let other = segment("other", "ban-tin.ogg", 3);
        let mut keeping = Keeping::of(&[&gone, &one, &other], folder_with_sound());
        assert_eq!(keeping.told().await, ids(&[&one]));
        assert_eq!(keeping.told().await, ids(&[&one, &other]));
        keeping.missing.changed().await.unwrap();
        assert_eq!(*keeping.missing.borrow(), ids(&[&gone]));
        keeping.plans.send_replace(plan_of(&[&Segment { state: State::Withdrawn, ..one }, &other]));
        assert_eq!(keeping.told().await, ids(&[&other]));
        keeping.missing.wait_for(BTreeSet::is_empty).await.unwrap();
    }

    #[tokio::test]
    async fn a_file_that_does_not_answer_holds_up_no_other_and_is_kept_once_it_does() {
        let (hangs, one) = (segment("hangs", "treo.ogg", 1), segment("one", "ban-tin.ogg", 2));
        let folder = folder_with_sound();
        let (file, pipe) = (folder.path().join("treo.ogg"), folder.path().join("pipe"));
        // To open it for reading takes until somebody writes to it.
        mkfifo(&file, Mode::S_IRWXU).unwrap();
        fs::hard_link(&file, &pipe).unwrap();
        let mut keeping = Keeping::of(&[&hangs, &one], folder);
        assert_eq!(keeping.told().await, ids(&[&one]));
        keeping.missing.changed().await.unwrap();
        assert_eq!(*keeping.missing.borrow(), ids(&[&hangs]));
        fs::remove_file(&file).unwrap();
        fs::copy(bulletin(), &file).unwrap();
        drop(fs::OpenOptions::new().write(true).open(&pipe).unwrap());
        assert_eq!(keeping.told().await, ids(&[&hangs, &one]));
        keeping.missing.wait_for(BTreeSet::is_empty).await.unwrap();
    }

    #[tokio::test]
    async fn a_file_that_is_put_back_is_kept_without_a_new_plan() {
        let gone = segment("gone", "ban-tin.ogg", 1);
        let mut keeping = Keeping::of(&[&gone], tempfile::tempdir().unwrap());
        keeping.missing.changed().await.unwrap();
        assert_eq!(*keeping.missing.borrow(), ids(&[&gone]));
        fs::copy(bulletin(), keeping.folder.path().join("ban-tin.ogg")).unwrap();
        assert_eq!(keeping.told().await, ids(&[&gone]));
    }
}
