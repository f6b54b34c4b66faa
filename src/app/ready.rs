//! What must sound at once, decoded in memory: no disk stands between an emergency and the horns.
//!
//! Beside the planner: a file that hangs holds up what is kept, and no plan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::engine::handle::{Command, Handle};
use crate::media::playback::{OpenError, Opening};
use crate::media::source::MemorySource;
use crate::segment::{Segment, SegmentId};
use crate::timeline::plan::Plan;

/// Sound kept in memory; a minute of stereo takes 12 MB.
const KEPT_AT_MOST: SignedDuration = SignedDuration::from_secs(120);
/// When an engine that was busy is told again.
const AGAIN: Duration = Duration::from_secs(1);

/// Segments, decoded, at the level of their files.
type Kept = BTreeMap<SegmentId, MemorySource>;

/// Keeps what the plan in force has to be ready, and has the engines know, for as long as there is a plan.
pub async fn keep_ready(audio: PathBuf, mut plan: watch::Receiver<Arc<Plan>>, engines: Vec<Handle>) {
    let (mut kept, mut told) = (Kept::new(), true);
    loop {
        let wanted = wanted(&plan.borrow_and_update());
        let before = kept.len();
        kept.retain(|id, _| wanted.iter().any(|segment| segment.id == *id));
        if kept.len() < before || !told {
            told = tell(&engines, &kept);
        }
        for segment in wanted {
            if kept.contains_key(&segment.id) {
                continue;
            }
            let (audio, decoded) = (audio.clone(), Arc::clone(&segment));
            match tokio::task::spawn_blocking(move || decode(&decoded, &audio)).await {
                Ok(Ok(source)) => {
                    kept.insert(segment.id.clone(), source);
                    // One by one: what comes after it may hang.
                    told = tell(&engines, &kept);
                }
                Ok(Err(failure)) => {
                    error!(segment.id = %segment.id, error = &failure as &dyn std::error::Error, "cannot keep a segment ready");
                }
                Err(ended) => {
                    error!(segment.id = %segment.id, error = &ended as &dyn std::error::Error, "cannot keep a segment ready");
                }
            }
        }
        tokio::select! {
            changed = plan.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = tokio::time::sleep(AGAIN), if !told => {}
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

/// Tells every engine what is kept; whether all took it.
fn tell(engines: &[Handle], kept: &Kept) -> bool {
    info!(segments = kept.len(), "kept in memory for emergencies");
    let kept = Arc::new(kept.clone());
    let mut taken = true;
    for engine in engines {
        if let Err(refused) = engine.send(Command::Keep(Arc::clone(&kept))) {
            taken = false;
            error!(output.id = %engine.output(), error = &refused as &dyn std::error::Error, "the engine was not told what is kept ready");
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::mpsc::{Receiver, sync_channel};

    use jiff::Timestamp;

    use super::*;
    use crate::engine::handle::Status;
    use crate::media::seal::hash_of_path;
    use crate::segment::{Catalog, State};
    use crate::timeline::fixture;

    /// What the engine was told to keep, once it was.
    async fn told(commands: &Receiver<Command>) -> BTreeSet<SegmentId> {
        loop {
            if let Ok(Command::Keep(kept)) = commands.try_recv() {
                return kept.keys().cloned().collect();
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_is_to_be_ready_is_told_as_it_comes_and_what_cannot_be_read_holds_up_no_other() {
        let audio = Path::new(env!("CARGO_MANIFEST_DIR")).join("audio");
        let sound = |id: &str, file: &str, seconds| {
            let hash = hash_of_path(&audio.join("ban-tin.ogg")).unwrap();
            Segment { hash, file: file.into(), ..fixture::segment(id, "tin", seconds) }
        };
        let (gone, one) = (sound("gone", "khong-co.ogg", 1), sound("one", "ban-tin.ogg", 2));
        let other = sound("other", "ban-tin.ogg", 3);
        let ids = |segments: &[&Segment]| segments.iter().map(|segment| segment.id.clone()).collect();
        let plan_of = |segments: &[&Segment]| {
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
        };
        // Room for one command: the second is refused at first.
        let (sender, commands) = sync_channel(1);
        let (_status, status) = watch::channel(Status::at_first(&"loa".into(), Timestamp::UNIX_EPOCH));
        let (plans, plan) = watch::channel(plan_of(&[&gone, &one, &other]));
        let engine = Handle::new("loa".into(), sender, status);
        let keeping = tokio::spawn(keep_ready(audio.clone(), plan, vec![engine]));
        assert_eq!(told(&commands).await, ids(&[&one]));
        assert_eq!(told(&commands).await, ids(&[&one, &other]));
        plans.send_replace(plan_of(&[&Segment { state: State::Withdrawn, ..one }, &other]));
        assert_eq!(told(&commands).await, ids(&[&other]));
        drop(plans);
        keeping.await.unwrap();
    }
}
