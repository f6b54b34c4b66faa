//! What came whole is examined in its sender's name and the verdict kept, also after a restart and when nobody asks.
//!
//! Only a verdict about the file itself is final. A fault of the station, as a full disk, leaves the file where it is:
//! its sender is told that it will be tried again, and it is, later and later.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::State;
use super::places::Place;
use super::problem::Problem;
use super::recordings::taken_in;
use super::uploads::length;
use crate::intake::{Had, Taken};
use crate::media::ingest;
use crate::segment::{SegmentId, Words};
use crate::store::{Act, StoreError, Upload, UploadVerdict};
use crate::text::http::Refusal;
use crate::text::page::recordings::send as say;
use crate::text::{outcome, verdict};

/// So long after a fault of the station it is tried again, each time twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// How often is looked for what is whole and has no verdict.
const LOOK: Duration = Duration::from_secs(60);
/// Starts of the program that may end while one and the same file is examined. Else a file that breaks the program
/// would break it at every start.
const MOST_TRIES: u32 = 3;

/// The examinations.
#[derive(Debug, Default)]
pub(super) struct Examinations {
    put_off: Mutex<BTreeMap<String, PutOff>>,
    stopping: AtomicBool,
}

/// A file that could not be examined for no fault of its own.
#[derive(Debug)]
struct PutOff {
    /// Not before, as `Clock::elapsed` counts.
    until: Duration,
    pause: Duration,
    said: &'static str,
}

impl Examinations {
    /// Gives up what is being examined; it is left for the next start.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<String, PutOff>) -> T) -> T {
        work(&mut self.put_off.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is said of a file whose next examination is not due yet.
    fn rests(&self, id: &str, now: Duration) -> Option<&'static str> {
        self.with(|all| all.get(id).filter(|one| now < one.until).map(|one| one.said))
    }

    fn put_off(&self, id: &str, now: Duration, fault: &Refusal) {
        let full = matches!(fault, Refusal::Recording(ingest::Refusal::DiskFull));
        let said = if full { say::PUT_OFF_DISK_FULL } else { say::PUT_OFF };
        let pause = self.with(|all| {
            let before = all.get(id).map(|one| one.pause);
            let pause = before.map_or(FIRST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE));
            all.insert(id.to_owned(), PutOff { until: now.saturating_add(pause), pause, said });
            pause
        });
        tracing::warn!(
            upload.id = id,
            pause_s = pause.as_secs(),
            "the examination of an upload is put off: {fault:?}"
        );
    }
}

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// So many bytes have come.
    Coming(u64),
    /// All have, and are being examined.
    Examined,
    /// All have, and the station could not examine them; with what is said of that.
    PutOff(&'static str),
    /// This became of it.
    Judged(UploadVerdict),
}

impl Stage {
    /// The recording that it became, or was already.
    pub(super) fn segment(&self) -> Option<&SegmentId> {
        match self {
            Self::Judged(verdict) => verdict.segment(),
            Self::Coming(_) | Self::Examined | Self::PutOff(_) => None,
        }
    }
}

/// How far an upload is, as far as can be seen. One without its file is examined too, which says that it is lost.
async fn seen(state: &State, upload: &Upload) -> Result<Stage, Problem> {
    if let Some(verdict) = &upload.verdict {
        return Ok(Stage::Judged(verdict.clone()));
    }
    match length(state, upload).await {
        Ok(there) if there < upload.bytes => return Ok(Stage::Coming(there)),
        Ok(_) | Err(Problem(Refusal::NoUpload)) => {}
        Err(fault) => return Err(fault),
    }
    let rests = state.limits.resumable.examinations.rests(&upload.id, state.clock.elapsed());
    Ok(rests.map_or(Stage::Examined, Stage::PutOff))
}

/// How far an upload is. What is whole and nobody examines is examined now.
pub(super) async fn stage(state: &State, upload: &Upload) -> Result<Stage, Problem> {
    let stage = seen(state, upload).await?;
    if stage == Stage::Examined
        && let Some(guard) = state.limits.resumable.free_turn(&upload.id)
        && let Some(place) = state.limits.uploads.take(&upload.person)
    {
        tokio::spawn(examine(state.clone(), upload.id.clone(), guard, place));
    }
    Ok(stage)
}

/// Examines everything that is whole, one after the other.
pub async fn take_up_uploads(state: &State) -> Result<(), StoreError> {
    let resumable = &state.limits.resumable;
    let waiting = state.store.run(crate::store::Store::unjudged_uploads).await?;
    resumable.examinations.with(|all| all.retain(|id, _| waiting.iter().any(|upload| upload.id == *id)));
    for upload in waiting {
        // Whoever takes files in goes first.
        let Some(place) = state.limits.uploads.wait().await else { break };
        if resumable.examinations.is_stopping() {
            break;
        }
        if matches!(seen(state, &upload).await, Ok(Stage::Examined))
            && let Some(guard) = resumable.free_turn(&upload.id)
        {
            examine(state.clone(), upload.id, guard, place).await;
        }
    }
    Ok(())
}

/// Has what is whole examined, for as long as it is awaited: what a restart left at once, what was put off when its time
/// has come.
pub(super) async fn look_after_uploads(state: State) -> Infallible {
    loop {
        if let Err(failure) = take_up_uploads(&state).await {
            tracing::warn!(
                error = &failure as &dyn std::error::Error,
                "the uploads could not be looked through"
            );
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Examines a file that is whole, on a thread that may block, and keeps the verdict for whoever asks.
pub(super) async fn examine(state: State, id: String, guard: OwnedMutexGuard<()>, place: Place) {
    let (all, subject) = (state.clone(), id.clone());
    let work = tokio::task::spawn_blocking(move || {
        let (_guard, _place) = (guard, place);
        let examinations = &all.limits.resumable.examinations;
        match judge(&all, &subject) {
            Ok(()) => drop(examinations.with(|put_off| put_off.remove(&subject))),
            Err(Problem(fault)) => {
                if let Err(failure) = all.store.survived(&subject) {
                    tracing::warn!(
                        error = &failure as &dyn std::error::Error,
                        "an examination could not be put off"
                    );
                }
                if !examinations.is_stopping() {
                    examinations.put_off(&subject, all.clock.elapsed(), &fault);
                }
            }
        }
    });
    if let Err(ended) = work.await {
        let Problem(fault) = Problem::unexpected(&ended);
        state.limits.resumable.examinations.put_off(&id, state.clock.elapsed(), &fault);
    }
}

/// Examines a file and keeps the verdict on it; whatever else happens is the station's fault.
fn judge(state: &State, id: &str) -> Result<(), Problem> {
    // Somebody may have been faster between the look at the row and the turn.
    let Some(upload) = state.store.upload(id)?.filter(|upload| upload.verdict.is_none()) else {
        return Ok(());
    };
    let survived_before = state.limits.resumable.examinations.with(|all| all.contains_key(id));
    let verdict = if !std::fs::exists(state.intake.waiting(id)).map_err(super::uploads::disk)? {
        UploadVerdict::Refused(say::BYTES_LOST.to_owned())
    } else if !survived_before && state.store.try_upload(id)? > MOST_TRIES {
        tracing::error!(upload.id = id, "the program ended {MOST_TRIES} times while it examined an upload");
        verdict_of(Err(Refusal::Recording(ingest::Refusal::DecoderFailed).into()))?
    } else {
        take(state, &upload)?
    };
    state.store.judge_upload(id, verdict)?;
    state.intake.discard(id);
    Ok(())
}

/// Takes a file in. A word that was good when it was chosen, as a programme that has gone from the schedule since, is left
/// out and that is said: better no word than no recording.
fn take(state: &State, upload: &Upload) -> Result<UploadVerdict, Problem> {
    let mut words = Words::default();
    let (_, left_out) = super::api::tus::words(state, &upload.metadata, &mut words).unwrap_or_default();
    let act = Act {
        at: state.clock.now(),
        by: upload.person.clone(),
        what: "segment.add".to_owned(),
        subject: String::new(),
        title: None,
        origin: upload.origin.clone(),
    };
    let file = (state.intake.arrived(&upload.id), &*upload.name);
    let stopping = &state.limits.resumable.examinations.stopping;
    let verdict = verdict_of(taken_in(state, file, words, act, stopping))?;
    let UploadVerdict::New(id, first) = verdict else { return Ok(verdict) };
    let left_out = left_out.iter().map(|(field, why)| say::left_out(field, *why));
    let said: Vec<_> = [first].into_iter().chain(left_out).collect();
    Ok(UploadVerdict::New(id, said.join(" ")))
}

/// What is said to the person of a file that was taken in, or cannot air; not that the station failed.
pub(super) fn verdict_of(taken: Result<Taken, Problem>) -> Result<UploadVerdict, Problem> {
    match taken {
        Ok(Taken { segment, had: Had::All, .. }) => {
            let said = say::known(&segment.words.title, outcome::state(segment.state));
            Ok(UploadVerdict::Known(segment.id, said))
        }
        Ok(Taken { segment, had: Had::Words { kept_as }, .. }) => {
            let done = verdict::put_back(kept_as.as_deref());
            let said = say::put_back(&segment.words.title, outcome::state(segment.state), &done);
            Ok(UploadVerdict::Known(segment.id, said))
        }
        Ok(Taken { segment, had: Had::Nothing, converted_from }) => {
            let first = say::taken(&segment.words.title, segment.duration());
            let remarks =
                [converted_from.map(verdict::converted), verdict::damage(segment.sound.skipped_packets)];
            let said: Vec<_> = [first].into_iter().chain(remarks.into_iter().flatten()).collect();
            Ok(UploadVerdict::New(segment.id, said.join(" ")))
        }
        Err(Problem(Refusal::Recording(refusal))) if refusal.is_of_the_file() => {
            Ok(UploadVerdict::Refused(verdict::refusal(&refusal)))
        }
        Err(fault) => Err(fault),
    }
}
