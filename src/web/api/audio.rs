//! A recording's bytes as they were handed in: all, or a range of them as RFC 9110 has it.

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
use crate::web::input::Named;
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
    if !tokio::fs::try_exists(&path).await.unwrap_or(false) {
        return Err(Refusal::FileGone.into());
    }
    if !headers.get(header::RANGE).is_some_and(is_range) {
        headers.remove(header::RANGE);
    }
    let mut served = serve(&path, &method, &headers).await;
    if headers.get(header::IF_RANGE).is_some_and(|has| !is_of(has, &served)) {
        headers.remove(header::RANGE);
        served = serve(&path, &method, &headers).await;
    }
    if served.status() != StatusCode::RANGE_NOT_SATISFIABLE {
        return Ok(served);
    }
    let mut refused = Problem::from(Refusal::NoSuchRange).into_response();
    let whole = served.headers_mut().remove(header::CONTENT_RANGE);
    refused.headers_mut().extend(whole.map(|whole| (header::CONTENT_RANGE, whole)));
    Ok(refused)
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

/// Whether this asks for one range of bytes. Several are not served, and of what is none nothing is said: all is sent.
fn is_range(value: &HeaderValue) -> bool {
    let bounds = value.to_str().ok().and_then(|text| text.strip_prefix("bytes=")?.split_once('-'));
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    bounds.is_some_and(|(first, last)| {
        let reversed =
            matches!((first.parse::<u64>(), last.parse::<u64>()), (Ok(first), Ok(last)) if last < first);
        number(first) && number(last) && !(first.is_empty() && last.is_empty()) && !reversed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_one_and_anything_else_none() {
        let asks = |text: &'static str| is_range(&HeaderValue::from_static(text));
        for range in ["bytes=0-", "bytes=0-0", "bytes=5-9", "bytes=-1", "bytes=99999999999999999999-"] {
            assert!(asks(range), "{range}");
        }
        for none in ["", "items=1-2", "bytes", "bytes=", "bytes=-", "bytes=a-", "bytes=2-1", "bytes=0-1,4-5"]
        {
            assert!(!asks(none), "{none}");
        }
    }
}
