//! Recordings coming in: streamed to a temporary file, examined, entered as drafts.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::{Field, Multipart, MultipartRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State as Of};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::io::AsyncWriteExt as _;
use utoipa::ToSchema;

use super::segments::{Recording, whole};
use crate::intake::Had;
use crate::media::temporary::Temporary;
use crate::segment::Words;
use crate::text::http::Refusal;
use crate::text::verdict;
use crate::web::State;
use crate::web::person::{HandIn, Person};
use crate::web::places::Pace;
use crate::web::problem::Problem;
use crate::web::recordings::{check_words, set_word, take_in};
use crate::web::uploads::{Room, disk};

/// Longest text beside the file, in bytes.
const TEXT_BYTES: usize = 4096;
/// Parts of a form: the file and each word once, with room for a browser's extras.
const PARTS: usize = 16;

/// A recording with its words, as a form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "for the document: the form is read as it streams")]
pub(super) struct Form {
    /// The recording's bytes.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// Its title; otherwise the one in the file, or the file's name.
    title: Option<String>,
    /// The programme or pool it is for.
    programme: Option<String>,
    /// The content area, `II.1` to `II.6`.
    topic: Option<String>,
    /// Its kind.
    genre: Option<String>,
    /// Who wrote it.
    author: Option<String>,
    /// The source of information.
    source: Option<String>,
    /// The first date on which it may air.
    valid_from: Option<String>,
    /// The last.
    valid_until: Option<String>,
    /// A date of the week it is meant for.
    week: Option<String>,
}

/// What has come of an upload.
struct Incoming {
    words: Words,
    file: Option<(Temporary, String)>,
}

/// Hands in a recording, as a draft. The same bytes again are the recording that is there already; a draft that was thrown
/// away is a new one, of who hands it in now.
#[utoipa::path(post, path = "/segments", tag = "segments",
    request_body(content = Form, content_type = "multipart/form-data"),
    responses(
        (status = CREATED, body = Recording, description = "New", headers(("Location" = String, description = "Its address"))),
        (status = OK, body = Recording, description = "It was there already")))]
pub(super) async fn upload(
    person: Person<HandIn>,
    Of(state): Of<State>,
    mut request: Request,
) -> Result<Response, Problem> {
    let place = state.limits.uploads.take(person.name()).ok_or(Refusal::TooManyUploads)?;
    // The size is counted as it comes, against the station's own limit.
    DefaultBodyLimit::disable().apply(&mut request);
    let form = Multipart::from_request(request, &state)
        .await
        .map_err(|_: MultipartRejection| Problem::from(Refusal::WrongType))?;
    let Incoming { words, file } = receive(&state, form).await?;
    let taken = take_in(&state, &person, file.ok_or(Refusal::NoFile)?, words, place).await?;
    let recording = whole(&state, taken.segment).await?;
    let recording =
        taken.converted_from.map(verdict::converted).into_iter().fold(recording, Recording::remark);
    let (status, recording) = match taken.had {
        Had::Nothing => (StatusCode::CREATED, recording),
        Had::All => (StatusCode::OK, recording),
        Had::Words { kept_as } => (StatusCode::OK, recording.remark(verdict::put_back(kept_as.as_deref()))),
    };
    Ok((status, [(header::LOCATION, recording.address())], Json(recording)).into_response())
}

/// Reads the parts, in whatever order they come.
async fn receive(state: &State, mut form: Multipart) -> Result<Incoming, Problem> {
    let mut incoming = Incoming { words: Words::default(), file: None };
    for _ in 0..PARTS {
        let Some(part) = part(state, &mut form).await? else {
            check_words(&incoming.words)?;
            return Ok(incoming);
        };
        let field = part.name().unwrap_or_default().to_owned();
        if field == "file" {
            if incoming.file.is_some() {
                return Err(Problem::field("file"));
            }
            let name = part.file_name().unwrap_or_default().to_owned();
            let (file, _) = keep(state, part).await?;
            incoming.file = Some((file, name));
        } else {
            let text = text(state, part, &field).await?;
            set_word(state, &mut incoming.words, &field, &text).map_err(|why| Problem::word(&field, why))?;
        }
    }
    Err(Refusal::Malformed { said: "too many parts".to_owned() }.into())
}

/// The next part of a form; none at its end.
pub(in crate::web) async fn part<'a>(
    state: &State,
    form: &'a mut Multipart,
) -> Result<Option<Field<'a>>, Problem> {
    let part = tokio::time::timeout(state.limits.stall, form.next_field()).await;
    part.map_err(|_| Refusal::Interrupted)?.map_err(|failure| broken(&failure))
}

/// The next bytes of a part; none at its end.
async fn chunk(state: &State, part: &mut Field<'_>, pace: &mut Pace) -> Result<Option<Bytes>, Problem> {
    let chunk = tokio::time::timeout(state.limits.stall, part.chunk()).await;
    let chunk = chunk.map_err(|_| Refusal::Interrupted)?.map_err(|failure| broken(&failure))?;
    let keeps_up = pace.keeps_up(chunk.as_ref().map_or(0, Bytes::len), state.clock.elapsed());
    if keeps_up || chunk.is_none() { Ok(chunk) } else { Err(Refusal::Interrupted.into()) }
}

/// Streams a part into a temporary file, counting; gives how many bytes it has.
pub(in crate::web) async fn keep(state: &State, mut part: Field<'_>) -> Result<(Temporary, u64), Problem> {
    let intake = Arc::clone(&state.intake);
    let most = intake.max_bytes();
    let created = tokio::task::spawn_blocking(move || intake.incoming()).await;
    let (temporary, file) = created.map_err(|failure| Problem::unexpected(&failure))?.map_err(disk)?;
    let mut file = tokio::fs::File::from_std(file);
    let (mut size, mut pace, mut room) = (0_u64, Pace::from(state.clock.elapsed()), Room::of(state));
    while let Some(bytes) = chunk(state, &mut part, &mut pace).await? {
        size = size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if size > most {
            return Err(Refusal::TooLarge { most }.into());
        }
        room.must_hold(bytes.len()).await?;
        file.write_all(&bytes).await.map_err(disk)?;
    }
    // Writes go on in the background until then.
    file.flush().await.map_err(disk)?;
    Ok((temporary, size))
}

/// A short text.
pub(in crate::web) async fn text(state: &State, mut part: Field<'_>, field: &str) -> Result<String, Problem> {
    let (mut text, mut pace) = (Vec::new(), Pace::from(state.clock.elapsed()));
    while let Some(bytes) = chunk(state, &mut part, &mut pace).await? {
        text.extend_from_slice(&bytes);
        if text.len() > TEXT_BYTES {
            return Err(Problem::field(field));
        }
    }
    String::from_utf8(text).map_err(|_| Problem::field(field))
}

/// A form that cannot be read: cut off, or never one.
fn broken(failure: &axum::extract::multipart::MultipartError) -> Problem {
    match failure.status() {
        StatusCode::BAD_REQUEST => Refusal::Malformed { said: failure.body_text() }.into(),
        _ => Refusal::Interrupted.into(),
    }
}
