//! Files that come in parts over a weak connection: what has come is kept, whatever happens to the connection, the
//! browser or this program, and goes on from there. The rules of the protocol are in `api::tus`.
//!
//! An upload is a row in the store and a file beside the recordings, whose length is how far it has come. Of several
//! requests for one upload the newest has it: an older one may hang on a connection that is long gone.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use futures_util::StreamExt as _;
use tokio::fs::{self, OpenOptions};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{OwnedMutexGuard, watch};

use super::State;
use super::examining::{Examinations, examine};
use super::person::{HandIn, Person};
use super::places::Pace;
use super::problem::Problem;
use crate::intake::Intake;
use crate::media::ingest;
use crate::store::{Store, Upload};
use crate::text::http::Refusal;

/// Files of one person that may be under way at once.
pub(super) const OF_A_PERSON: usize = 50;
/// What of one person's, and what of all files under way may lie on the disk, as a multiple of the largest that is taken
/// in. What was only announced takes nothing from anybody.
const LARGEST_OF_A_PERSON: u64 = 2;
const LARGEST_OF_ALL: u64 = 4;

/// The uploads that are at work.
#[derive(Debug, Default)]
pub struct Uploads {
    turns: Mutex<BTreeMap<String, Arc<Turn>>>,
    pub(super) examinations: Examinations,
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

    /// The turn with an upload with which nobody is at work.
    pub(super) fn free_turn(&self, id: &str) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.turn(id).at_work).try_lock_owned().ok()
    }

    /// Whether somebody is at work with an upload.
    fn is_at_work(&self, id: &str) -> bool {
        let turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.get(id).is_some_and(|turn| turn.at_work.try_lock().is_err())
    }

    /// What is being examined is given up; it is left for the next start.
    pub fn stop(&self) {
        self.examinations.stop();
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
    let (person, origin) = (whose.clone(), person.origin().to_owned());
    let upload = Upload { id, person, origin, name, bytes, metadata, created: now, verdict: None };
    state.store.run(move |store| store.forget_old_uploads(now)).await?;
    must_fit(state, &upload).await?;
    let fits = move |waiting: &[Upload]| {
        waiting.iter().filter(|upload| upload.person == whose).count() < OF_A_PERSON
    };
    let announced = upload.clone();
    let added = move |store: &Store| store.add_upload(announced, fits);
    // An upload without a file would be one whose file was lost.
    make(&state.intake.waiting(&upload.id)).await.map_err(disk)?;
    let added = state.store.run(added).await;
    if !matches!(added, Ok(true)) {
        discard(state, &upload.id).await;
    }
    if added? { Ok(upload) } else { Err(Refusal::TooManyWaiting.into()) }
}

/// Makes sure that the whole of an upload has room beside what lies on the disk of the others, or will when what is being
/// sent now has come.
async fn must_fit(state: &State, upload: &Upload) -> Result<(), Problem> {
    let (mut theirs, mut all) = (upload.bytes, upload.bytes);
    for other in state.store.run(Store::unjudged_uploads).await? {
        if other.id == upload.id {
            continue;
        }
        let bytes = if state.limits.resumable.is_at_work(&other.id) {
            other.bytes
        } else {
            match length(state, &other).await {
                Err(Problem(Refusal::NoUpload)) => 0,
                length => length?,
            }
        };
        all = all.saturating_add(bytes);
        if other.person == upload.person {
            theirs = theirs.saturating_add(bytes);
        }
    }
    let most = |largest| state.intake.max_bytes().saturating_mul(largest);
    if theirs > most(LARGEST_OF_A_PERSON) {
        return Err(Refusal::TooManyWaiting.into());
    }
    if all > most(LARGEST_OF_ALL) { Err(Refusal::OthersWaiting.into()) } else { Ok(()) }
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
pub(super) async fn length(state: &State, upload: &Upload) -> Result<u64, Problem> {
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
pub(super) async fn append(state: State, upload: Upload, offset: u64, body: Body) -> Result<u64, Problem> {
    if upload.verdict.is_some() {
        return Err(Refusal::WrongOffset.into());
    }
    let turn = state.limits.resumable.turn(&upload.id);
    let turn = turn.take().await;
    // Apart from the request: one that is dropped in the middle of a write ends it before its turn does.
    let write = tokio::spawn(async move { write(&state, &upload, offset, body, turn).await });
    write.await.map_err(|failure| Problem::unexpected(&failure))?
}

/// Writes what comes, until all of it is there, the connection is lost, or somebody later takes the turn.
async fn write(
    state: &State,
    upload: &Upload,
    offset: u64,
    body: Body,
    (guard, mut later): (OwnedMutexGuard<()>, watch::Receiver<u64>),
) -> Result<u64, Problem> {
    let place = state.limits.uploads.take(&upload.person).ok_or(Refusal::TooManyUploads)?;
    if length(state, upload).await? != offset {
        return Err(Refusal::WrongOffset.into());
    }
    must_fit(state, upload).await?;
    let mut file =
        OpenOptions::new().append(true).open(state.intake.waiting(&upload.id)).await.map_err(disk)?;
    let (mut body, mut at, mut end) = (body.into_data_stream(), offset, Ok(()));
    let (mut pace, mut room) = (Pace::from(state.clock.elapsed()), Room::of(state));
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
            Ok(chunk) if !pace.keeps_up(chunk.len(), state.clock.elapsed()) => Err(Refusal::Interrupted),
            other => other,
        };
        match chunk {
            Ok(chunk) => {
                room.must_hold(chunk.len()).await?;
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
    if at == upload.bytes && at > offset {
        tokio::spawn(examine(state.clone(), upload.id.clone(), guard, place));
    }
    Ok(at)
}

/// Forgets an upload and its bytes.
pub(super) async fn terminate(state: &State, upload: &Upload) -> Result<(), Problem> {
    let turn = state.limits.resumable.turn(&upload.id);
    let _turn = turn.take().await;
    let id = upload.id.clone();
    state.store.run(move |store| store.forget_upload(&id)).await?;
    discard(state, &upload.id).await;
    Ok(())
}

/// Removes the bytes of an upload that is over.
async fn discard(state: &State, id: &str) {
    let (intake, id) = (Arc::clone(&state.intake), id.to_owned());
    drop(tokio::task::spawn_blocking(move || intake.discard(&id)).await);
}

/// Looks again and again, while bytes come, whether the disk has room for them beside the log.
pub(super) struct Room {
    intake: Arc<Intake>,
    unseen: usize,
}

impl Room {
    /// Bytes between two looks.
    const EVERY: usize = 1 << 20;

    pub(super) fn of(state: &State) -> Self {
        Self { intake: Arc::clone(&state.intake), unseen: Self::EVERY }
    }

    /// Before so many bytes are written.
    pub(super) async fn must_hold(&mut self, bytes: usize) -> Result<(), Problem> {
        self.unseen = self.unseen.saturating_add(bytes);
        if self.unseen < Self::EVERY {
            return Ok(());
        }
        self.unseen = 0;
        let intake = Arc::clone(&self.intake);
        let looked = tokio::task::spawn_blocking(move || intake.must_have_room(Self::EVERY as u64)).await;
        looked.map_err(|failure| Problem::unexpected(&failure))?.map_err(disk)
    }
}

/// What is said of bytes that come and cannot be written.
pub(super) fn disk(cause: io::Error) -> Problem {
    let refusal = ingest::Refusal::of_disk("write the upload", cause);
    tracing::error!(error = &refusal as &dyn std::error::Error, "an upload could not be written");
    Refusal::Recording(refusal).into()
}
