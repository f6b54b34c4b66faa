//! A recording's bytes as they were handed in: all, or a range of them as RFC 9110 has it.

use std::io;
use std::path::Path;

use axum::body::Body;
use axum::extract::{Request, State as Of};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt as _;
use tower_http::services::ServeFile;

use super::segments::OfRecording;
use crate::text::http::Refusal;
use crate::web::State;
use crate::web::input::{Named, Portion, portion};
use crate::web::person::{Person, See};
use crate::web::problem::Problem;
use crate::web::recordings::{existing, segment_id};

/// A recording's bytes, or a range of them.
#[utoipa::path(get, path = "/segments/{id}/audio", tag = "segments", params(OfRecording),
    responses((status = OK, description = "The whole file", content_type = "audio/*"),
        (status = PARTIAL_CONTENT, description = "A range of it")))]
pub(super) async fn audio(
    _: Person<See>,
    Of(state): Of<State>,
    Named(id): Named,
    method: Method,
    mut headers: HeaderMap,
) -> Result<Response, Problem> {
    let segment = existing(&state, segment_id(&id)?).await?;
    let path = state.audio_dir.join(&segment.file);
    let whole = match length(&path).await {
        Ok(whole) => whole,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Err(Refusal::FileGone.into()),
        Err(_) => return Err(Refusal::FileUnreadable.into()),
    };
    let range = match portion(headers.get(header::RANGE), whole) {
        Portion::All => None,
        Portion::Part(from, to) => Some(format!("bytes={from}-{}", to - 1)),
        Portion::Beyond => Some(format!("bytes={whole}-")),
    };
    headers.remove(header::RANGE);
    headers.extend(range.and_then(|range| Some((header::RANGE, range.try_into().ok()?))));
    let mut served = serve(&path, &method, &headers).await;
    if headers.get(header::IF_RANGE).is_some_and(|has| !is_of(has, &served)) {
        headers.remove(header::RANGE);
        served = serve(&path, &method, &headers).await;
    }
    let is_beyond = served.status() == StatusCode::RANGE_NOT_SATISFIABLE;
    Ok(if is_beyond { no_such_range(whole) } else { served })
}

/// How long a file is that can be read.
async fn length(path: &Path) -> io::Result<u64> {
    Ok(tokio::fs::File::open(path).await?.metadata().await?.len())
}

/// What is said to who asks for nothing of so many bytes.
pub(super) fn no_such_range(whole: u64) -> Response {
    let mut refused = Problem::from(Refusal::NoSuchRange).into_response();
    let all = HeaderValue::try_from(format!("bytes */{whole}"));
    refused.headers_mut().extend(all.map(|all| (header::CONTENT_RANGE, all)));
    refused
}

async fn serve(path: &Path, method: &Method, headers: &HeaderMap) -> Response {
    let mut request = Request::new(Body::empty());
    (*request.method_mut(), *request.headers_mut()) = (method.clone(), headers.clone());
    let served = ServeFile::new(path).oneshot(request).await;
    served.map_or_else(|never| match never {}, |response| response.map(Body::new).into_response())
}

/// Whether what a client has a part of is what is served: else it gets all.
fn is_of(has: &HeaderValue, served: &Response) -> bool {
    [header::ETAG, header::LAST_MODIFIED].iter().any(|what| served.headers().get(what) == Some(has))
}
