//! Files that come in parts over a weak connection: what has come is kept, whatever happens to the connection, the
//! browser or this program, and goes on from there. The rules of the protocol are in `api::tus`.
//!
//! An upload is a row in the store and a file beside the recordings, whose length is how far it has come. Of several
//! requests for one upload the newest has it: an older one may hang on a connection that is long gone.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use futures_util::StreamExt as _;
use tokio::fs::{self, OpenOptions};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, watch};

use super::State;
use super::person::{HandIn, Person};
use super::problem::Problem;
use super::recordings::taken_in;
use crate::intake::Taken;
use crate::media::ingest;
use crate::segment::Words;
use crate::store::{Act, Upload, UploadVerdict};
use crate::text::http::Refusal;
use crate::text::page::recordings::send as say;
use crate::text::{outcome, verdict};

/// Files of one person that may be under way at once.
const OF_A_PERSON: usize = 50;
/// What one person's, and what all files under way may come to, as a multiple of the largest that is taken in.
const LARGEST_OF_A_PERSON: u64 = 2;
const LARGEST_OF_ALL: u64 = 4;

/// The uploads that are at work.
#[derive(Debug, Default)]
pub struct Uploads {
    turns: Mutex<BTreeMap<String, Arc<Turn>>>,
    /// The program stops: what is being examined is left for the next start.
    pub(super) stopping: AtomicBool,
}

/// Whose turn it is with an upload: the newest comer's, once the one before has let go.
#[derive(Debug, Default)]
struct Turn {
    newest: watch::Sender<u64>,
    at_work: Arc<tokio::sync::Mutex<()>>,
}

impl Uploads {
    fn turn(&self, id: &str) -> Arc<Turn> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1 || turn.at_work.try_lock().is_err());
        Arc::clone(turns.entry(id.to_owned()).or_default())
    }

    /// Waits until nobody is at work with an upload.
    #[cfg(test)]
    pub(super) async fn at_rest(&self, id: &str) {
        let turn = self.turn(id);
        drop(turn.at_work.lock().await);
    }
}

impl Turn {
    /// Has everybody before let go, and waits until they have.
    async fn take(&self) -> (OwnedMutexGuard<()>, watch::Receiver<u64>) {
        self.newest.send_modify(|number| *number += 1);
        let later = self.newest.subscribe();
        (Arc::clone(&self.at_work).lock_owned().await, later)
    }
}

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// So many bytes have come.
    Coming(u64),
    /// All have, and are being examined.
    Examined,
    /// This became of it.
    Judged(UploadVerdict),
}

/// A name that nobody can guess, and that is one on every file system.
pub(super) fn new_id() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|failure| Problem::unexpected(&failure))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Announces a file.
pub(super) async fn announce(
    state: &State,
    person: &Person<HandIn>,
    name: String,
    bytes: u64,
    metadata: String,
) -> Result<Upload, Problem> {
    let most = state.intake.max_bytes();
    if bytes == 0 {
        return Err(Refusal::Recording(ingest::Refusal::Empty).into());
    }
    if bytes > most {
        return Err(Refusal::TooLarge { most }.into());
    }
    let (id, now, whose) = (new_id()?, state.clock.now(), person.name().to_owned());
    let upload = Upload { id, person: whose.clone(), name, bytes, metadata, created: now, verdict: None };
    let fits = move |waiting: &[Upload]| {
        let of_person = || waiting.iter().filter(|upload| upload.person == whose);
        let sum = |bytes: u64, other: &Upload| bytes.saturating_add(other.bytes);
        of_person().count() < OF_A_PERSON
            && of_person().fold(bytes, sum) <= most.saturating_mul(LARGEST_OF_A_PERSON)
            && waiting.iter().fold(bytes, sum) <= most.saturating_mul(LARGEST_OF_ALL)
    };
    let (announced, intake) = (upload.clone(), Arc::clone(&state.intake));
    let added = move |store: &crate::store::Store| {
        store.forget_old_uploads(now)?;
        store.add_upload(announced, fits)
    };
    if !state.store.run(added).await? {
        return Err(Refusal::TooManyWaiting.into());
    }
    if let Err(cause) = make(&intake.waiting(&upload.id)).await {
        // What has no file would count against the person until it is forgotten.
        let id = upload.id.clone();
        state.store.run(move |store| store.forget_upload(&id)).await?;
        return Err(disk(cause));
    }
    Ok(upload)
}

/// Makes an empty file, and its folder where that is missing.
async fn make(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).await?;
    }
    OpenOptions::new().write(true).create_new(true).open(path).await.map(drop)
}

/// A person's upload; nobody else's is there for them.
pub(super) async fn find(state: &State, person: &Person<HandIn>, id: &str) -> Result<Upload, Problem> {
    let wanted = id.to_owned();
    let found = state.store.run(move |store| store.upload(&wanted)).await?;
    let upload = found.filter(|upload| upload.person == person.name()).ok_or(Refusal::NoUpload)?;
    if upload.expires() < state.clock.now() { Err(Refusal::UploadExpired.into()) } else { Ok(upload) }
}

/// How many bytes have come, as the file knows it.
async fn length(state: &State, upload: &Upload) -> Result<u64, Problem> {
    match fs::metadata(state.intake.waiting(&upload.id)).await {
        Ok(file) => Ok(file.len()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Err(Refusal::NoUpload.into()),
        Err(cause) => Err(disk(cause)),
    }
}

/// From where an upload goes on. Whoever was still writing stops, so that this holds.
pub(super) async fn offset(state: &State, upload: &Upload) -> Result<u64, Problem> {
    if upload.verdict.is_some() || length(state, upload).await? == upload.bytes {
        return Ok(upload.bytes);
    }
    let turn = state.limits.resumable.turn(&upload.id);
    let _turn = turn.take().await;
    length(state, upload).await
}

/// Adds the bytes that follow at an offset; how many there are then. What came before a cut is kept. The last byte has
/// the whole file examined, without anybody having to wait for that.
pub(super) async fn append(
    state: &State,
    person: &Person<HandIn>,
    upload: &Upload,
    offset: u64,
    body: Body,
) -> Result<u64, Problem> {
    if upload.verdict.is_some() {
        return Err(Refusal::WrongOffset.into());
    }
    let turn = state.limits.resumable.turn(&upload.id);
    let (guard, mut later) = turn.take().await;
    let place = Arc::clone(&state.limits.uploads).try_acquire_owned().map_err(|_| Refusal::TooManyUploads)?;
    if length(state, upload).await? != offset {
        return Err(Refusal::WrongOffset.into());
    }
    let mut file =
        OpenOptions::new().append(true).open(state.intake.waiting(&upload.id)).await.map_err(disk)?;
    let (mut body, mut at, mut end) = (body.into_data_stream(), offset, Ok(()));
    loop {
        let chunk = tokio::select! {
            _ = later.changed() => Err(Refusal::Interrupted),
            chunk = tokio::time::timeout(state.limits.stall, body.next()) => match chunk {
                Ok(None) => break,
                Ok(Some(Ok(chunk))) => Ok(chunk),
                Ok(Some(Err(_))) | Err(_) => Err(Refusal::Interrupted),
            },
        };
        let chunk = match chunk {
            Ok(chunk) if at.saturating_add(chunk.len() as u64) > upload.bytes => {
                Err(Refusal::TooLarge { most: upload.bytes })
            }
            other => other,
        };
        match chunk {
            Ok(chunk) => {
                file.write_all(&chunk).await.map_err(disk)?;
                at += chunk.len() as u64;
            }
            Err(refusal) => {
                end = Err(refusal);
                break;
            }
        }
    }
    // What is said to be there is on the disk, also after a power cut.
    file.flush().await.map_err(disk)?;
    file.sync_data().await.map_err(disk)?;
    end?;
    // A request that was given up may have had bytes on their way to the disk: then the file is longer.
    if file.metadata().await.map_err(disk)?.len() != at {
        return Err(Refusal::WrongOffset.into());
    }
    if at == upload.bytes {
        examine(state, person, upload, guard, place);
    }
    Ok(at)
}

/// What has become of an upload. One that is whole and that nobody examines, as after a restart, is examined now.
pub(super) async fn stage(state: &State, person: &Person<HandIn>, upload: &Upload) -> Result<Stage, Problem> {
    if let Some(verdict) = &upload.verdict {
        return Ok(Stage::Judged(verdict.clone()));
    }
    let there = match length(state, upload).await {
        // Judged at this very moment.
        Err(Problem(Refusal::NoUpload)) => return Ok(Stage::Examined),
        there => there?,
    };
    if there < upload.bytes {
        return Ok(Stage::Coming(there));
    }
    let turn = state.limits.resumable.turn(&upload.id);
    if let Ok(guard) = Arc::clone(&turn.at_work).try_lock_owned()
        && let Ok(place) = Arc::clone(&state.limits.uploads).try_acquire_owned()
    {
        examine(state, person, upload, guard, place);
    }
    Ok(Stage::Examined)
}

/// Forgets an upload and its bytes.
pub(super) async fn terminate(state: &State, upload: &Upload) -> Result<(), Problem> {
    let turn = state.limits.resumable.turn(&upload.id);
    let _turn = turn.take().await;
    let id = upload.id.clone();
    state.store.run(move |store| store.forget_upload(&id)).await?;
    discard(state, &upload.id);
    Ok(())
}

/// Examines a file that is whole, and keeps the verdict for whoever asks.
fn examine(
    state: &State,
    person: &Person<HandIn>,
    upload: &Upload,
    guard: OwnedMutexGuard<()>,
    place: OwnedSemaphorePermit,
) {
    let (all, upload) = (state.clone(), upload.clone());
    let act = person.act("segment.add", "", state.clock.now());
    tokio::task::spawn_blocking(move || {
        let (_guard, _place) = (guard, place);
        // Somebody may have been faster between the look at the row and the turn.
        let judged = all.store.upload(&upload.id).map(|found| found.is_none_or(|now| now.verdict.is_some()));
        if matches!(judged, Ok(true)) {
            return;
        }
        let taken = take(&all, &upload, act);
        if all.limits.resumable.stopping.load(Ordering::Relaxed) && taken.is_err() {
            return;
        }
        match all.store.judge_upload(&upload.id, verdict_of(taken)) {
            Ok(()) => discard(&all, &upload.id),
            Err(failure) => {
                tracing::error!(error = &failure as &dyn std::error::Error, "a verdict could not be kept");
            }
        }
    });
}

fn take(state: &State, upload: &Upload, act: Act) -> Result<Taken, Problem> {
    let mut words = Words::default();
    // A programme may have gone from the schedule since it was chosen: better no word than no recording.
    let _checked = super::api::tus::words(state, &upload.metadata, &mut words);
    let file = state.intake.arrived(&upload.id)?;
    taken_in(state, (file, &upload.name), words, act, &state.limits.resumable.stopping)
}

/// What is said to the person of a file that was taken in, or was not.
pub(super) fn verdict_of(taken: Result<Taken, Problem>) -> UploadVerdict {
    match taken {
        Ok(Taken { segment, known: true, .. }) => {
            let said = say::known(&segment.words.title, outcome::state(segment.state));
            UploadVerdict::Known(segment.id, said)
        }
        Ok(Taken { segment, known: false, converted_from }) => {
            let first = say::taken(&segment.words.title, segment.duration());
            let remarks =
                [converted_from.map(verdict::converted), verdict::damage(segment.sound.skipped_packets)];
            let said: Vec<_> = [first].into_iter().chain(remarks.into_iter().flatten()).collect();
            UploadVerdict::New(segment.id, said.join(" "))
        }
        Err(Problem(refusal)) => UploadVerdict::Refused(refusal.detail()),
    }
}

/// Removes the bytes of an upload that is over; what cannot be removed goes in a night to come.
fn discard(state: &State, id: &str) {
    drop(std::fs::remove_file(state.intake.waiting(id)));
}

fn disk(cause: io::Error) -> Problem {
    let refusal = ingest::Refusal::of_disk("write the upload", cause);
    tracing::error!(error = &refusal as &dyn std::error::Error, "an upload could not be written");
    Refusal::Recording(refusal).into()
}
