//! Resumable uploads, the tus protocol 1.0.0 with creation, termination and expiration (<https://tus.io/protocols/resumable-upload>).
//! What becomes of a file that came is asked for at the same address.

use axum::Json;
use axum::body::Body as Bytes;
use axum::extract::{FromRequestParts, Request, State as Of};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::segment::{SegmentId, Words};
use crate::store::Upload;
use crate::text::http::{Refusal, Why};
use crate::web::State;
use crate::web::examining::{Stage, stage};
use crate::web::input::Named;
use crate::web::person::{HandIn, Person};
use crate::web::problem::Problem;
use crate::web::recordings::set_word;
use crate::web::uploads;

/// The protocol's version.
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
/// Longest metadata, in bytes: the words of a recording in base64.
const METADATA_BYTES: usize = 8 * 1024;

/// What all answers say.
pub(super) async fn versioned(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert("tus-version", VERSION);
    }
    response.headers_mut().insert(RESUMABLE, VERSION);
    response
}

/// A request that speaks the version that we do.
#[derive(Debug)]
pub(super) struct Tus;

impl FromRequestParts<State> for Tus {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        let ours = parts.headers.get(RESUMABLE) == Some(&VERSION);
        if ours { Ok(Self) } else { Err(Refusal::WrongTusVersion.into()) }
    }
}

/// What the server can.
#[utoipa::path(options, path = "/uploads", tag = "uploads",
    responses((status = NO_CONTENT, description = "Tus-Version, Tus-Extension and Tus-Max-Size")))]
pub(super) async fn abilities(_: Person<HandIn>, Of(state): Of<State>) -> Response {
    let most = state.intake.max_bytes().to_string();
    let headers = [
        ("tus-version", "1.0.0"),
        ("tus-extension", "creation,termination,expiration"),
        ("tus-max-size", most.as_str()),
    ];
    (StatusCode::NO_CONTENT, headers.map(|(name, value)| (name, value.to_owned()))).into_response()
}

/// Announces a file (tus creation). `Upload-Metadata` may bear `filename` and any word of a recording.
#[utoipa::path(post, path = "/uploads", tag = "uploads",
    params(("Tus-Resumable" = String, Header), ("Upload-Length" = u64, Header), ("Upload-Metadata" = Option<String>, Header)),
    responses((status = CREATED, description = "To be sent to", headers(("Location" = String), ("Upload-Expires" = String)))))]
pub(super) async fn create(
    person: Person<HandIn>,
    _: Tus,
    Of(state): Of<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let bytes = number(&headers, &LENGTH)?;
    let (metadata, name) = said(&state, &headers)?.unwrap_or_default();
    let upload = uploads::announce(&state, &person, name, bytes, metadata).await?;
    let location = format!("/api/v1/uploads/{}", upload.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location), (EXPIRES, expires(&upload))]).into_response())
}

/// What a request says of a file, and the name in it, where it says anything.
fn said(state: &State, headers: &HeaderMap) -> Result<Option<(String, String)>, Problem> {
    let Some(value) = headers.get(METADATA) else { return Ok(None) };
    let metadata = value.to_str().ok().filter(|metadata| metadata.len() <= METADATA_BYTES);
    let metadata = metadata.ok_or_else(|| Problem::field("Upload-Metadata"))?;
    let (name, left_out) = words(state, metadata, &mut Words::default())?;
    if left_out.is_empty() {
        Ok(Some((metadata.to_owned(), name)))
    } else {
        Err(Refusal::BadWords(left_out).into())
    }
}

/// From where a file is to be sent on.
#[utoipa::path(head, path = "/uploads/{id}", tag = "uploads", params(("id" = String, Path), ("Tus-Resumable" = String, Header)),
    responses((status = OK, description = "It is there", headers(("Upload-Offset" = u64), ("Upload-Length" = u64),
            ("Upload-Expires" = String), ("Upload-Metadata" = String, description = "As it was announced, where it was"))),
        (status = "4XX", description = "It is not"), (status = "5XX", description = "It cannot be seen now")))]
pub(super) async fn offset(
    person: Person<HandIn>,
    _: Tus,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<Response, Problem> {
    let upload = uploads::find(&state, &person, &id).await?;
    let offset = uploads::offset(&state, &upload).await?;
    let mut headers = HeaderMap::from_iter([
        (OFFSET, HeaderValue::from(offset)),
        (LENGTH, HeaderValue::from(upload.bytes)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]);
    let texts = [(EXPIRES, expires(&upload)), (METADATA, upload.metadata)];
    headers.extend(
        texts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .filter_map(|(name, text)| Some((name, HeaderValue::try_from(text).ok()?))),
    );
    Ok((StatusCode::OK, headers).into_response())
}

/// The next bytes of a file. `Upload-Metadata` may say something else of it than before, which tus does not know.
#[utoipa::path(patch, path = "/uploads/{id}", tag = "uploads",
    params(("id" = String, Path), ("Tus-Resumable" = String, Header), ("Upload-Offset" = u64, Header),
        ("Upload-Metadata" = Option<String>, Header)),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = NO_CONTENT, description = "Kept", headers(("Upload-Offset" = u64), ("Upload-Expires" = String)))))]
pub(super) async fn append(
    person: Person<HandIn>,
    _: Tus,
    Of(state): Of<State>,
    Named(id): Named,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/offset+octet-stream") {
        return Err(Refusal::WrongType.into());
    }
    let offset = number(headers, &OFFSET)?;
    let announced = number(headers, &header::CONTENT_LENGTH).unwrap_or(0);
    let upload = uploads::find(&state, &person, &id).await?;
    if offset.saturating_add(announced) > upload.bytes {
        return Err(Refusal::TooLarge { most: upload.bytes }.into());
    }
    if let Some((metadata, _)) = said(&state, headers)?
        && metadata != upload.metadata
    {
        state.store.run(move |store| store.describe_upload(&id, metadata)).await?;
    }
    let body: Bytes = request.into_body();
    let expires = expires(&upload);
    let offset = uploads::append(state, upload, offset, body).await?;
    let headers = [(OFFSET, offset.to_string()), (EXPIRES, expires)];
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// Gives a file up (tus termination). A recording that was made from it stays.
#[utoipa::path(delete, path = "/uploads/{id}", tag = "uploads", params(("id" = String, Path), ("Tus-Resumable" = String, Header)),
    responses((status = NO_CONTENT, description = "Nothing of it is left")))]
pub(super) async fn terminate(
    person: Person<HandIn>,
    _: Tus,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<StatusCode, Problem> {
    let upload = uploads::find(&state, &person, &id).await?;
    uploads::terminate(&state, &upload).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What has become of a file.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Became {
    /// `coming`, `examined` while it is, `put-off` while the station cannot, then `new`, `known` or `refused`.
    state: &'static str,
    /// How many bytes have come.
    offset: u64,
    /// How many there will be.
    length: u64,
    /// The recording, where it is one.
    #[schema(value_type = Option<String>)]
    segment: Option<SegmentId>,
    /// What is to be said of it, in Vietnamese.
    said: Option<String>,
}

/// What has become of a file; not of the tus protocol.
#[utoipa::path(get, path = "/uploads/{id}", tag = "uploads", params(("id" = String, Path)),
    responses((status = OK, body = Became)))]
pub(super) async fn became(
    person: Person<HandIn>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<Json<Became>, Problem> {
    let upload = uploads::find(&state, &person, &id).await?;
    let length = upload.bytes;
    Ok(Json(match stage(&state, &upload).await? {
        Stage::Coming(offset) => Became { state: "coming", offset, length, segment: None, said: None },
        Stage::Examined => Became { state: "examined", offset: length, length, segment: None, said: None },
        Stage::PutOff(said) => {
            Became { state: "put-off", offset: length, length, segment: None, said: Some(said.to_owned()) }
        }
        Stage::Judged(verdict) => Became {
            state: verdict.code(),
            offset: length,
            length,
            segment: verdict.segment().cloned(),
            said: Some(verdict.said().to_owned()),
        },
    }))
}

/// A number in a header; none is as wrong as another text.
fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, Problem> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    let digits = value.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|text| text.parse().ok()).ok_or_else(|| Problem::field(name.as_str()))
}

/// Until when an upload may be gone on with, as HTTP writes dates.
fn expires(upload: &Upload) -> String {
    upload.expires().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Reads the words from `Upload-Metadata`, whose other keys are the client's own; gives the file's name, which is only ever
/// part of a name that we make, and the words that are not taken.
pub(in crate::web) fn words(
    state: &State,
    metadata: &str,
    words: &mut Words,
) -> Result<(String, Vec<(String, Why)>), Problem> {
    let wrong = || Problem::field("Upload-Metadata");
    let (mut name, mut left_out) = (String::new(), Vec::new());
    for pair in metadata.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = String::from_utf8(base64(value.trim()).ok_or_else(wrong)?).map_err(|_| wrong())?;
        if key == "filename" {
            name = value;
        } else if Words::FIELDS.contains(&key) {
            left_out.extend(set_word(state, words, key, &value).err().map(|why| (key.to_owned(), why)));
        }
    }
    if let Err(why) = words.check_days_from(state.today()) {
        words.valid_until = None;
        left_out.push(("valid_until".to_owned(), why.into()));
    }
    Ok((name, left_out))
}

/// Decodes base64, RFC 4648, with or without its padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.trim_end_matches('=').bytes().map(digit).collect::<Option<_>>()?;
    let mut bytes = Vec::with_capacity(digits.len());
    for group in digits.chunks(4) {
        if group.len() == 1 {
            return None;
        }
        let bits =
            group.iter().chain(&[0; 4]).take(4).fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit));
        bytes.extend(bits.to_be_bytes().into_iter().skip(1).take(group.len() - 1));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_and_without_padding_and_nonsense_is_not() {
        for (text, bytes) in
            [("", &b""[..]), ("bG9h", b"loa"), ("bG8=", b"lo"), ("bG8", b"lo"), ("bA==", b"l")]
        {
            assert_eq!(base64(text).as_deref(), Some(bytes), "{text}");
        }
        assert_eq!([base64("b"), base64("bG9*"), base64("bG 9")], [None, None, None]);
    }
}
