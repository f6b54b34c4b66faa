//! What pages load: one style sheet and one script, inside the program. Their addresses bear a hash of their bytes, so
//! that a browser keeps them for ever and still has the new ones after an update.
//!
//! Both are written in parts, one for each page, and sent as one.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use super::page::Failure;
use crate::segment::ContentHash;
use crate::text::http::Refusal;

/// Something that pages load.
#[derive(Debug)]
pub(super) struct Asset {
    /// Its name in an address: `style.0123abcd.css`.
    pub(super) name: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, kind: &'static str, text: &'static str) -> Self {
        let hash = ContentHash(Sha256::digest(text).into()).to_string();
        let short: String = hash.chars().take(12).collect();
        Self { name: format!("{stem}.{short}.{extension}"), kind, text }
    }
}

/// How pages look. What is meant for paper comes last.
pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let text = concat!(
        include_str!("assets/style/base.css"),
        include_str!("assets/style/home.css"),
        include_str!("assets/style/people.css"),
        include_str!("assets/style/air.css"),
        include_str!("assets/style/calendar.css"),
        include_str!("assets/style/log.css"),
        include_str!("assets/style/recordings.css"),
        include_str!("assets/style/print.css"),
    );
    Asset::new("style", "css", "text/css; charset=utf-8", text)
});
/// What makes them live.
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let text = concat!(
        include_str!("assets/script/live.js"),
        include_str!("assets/script/answer.js"),
        include_str!("assets/script/log.js"),
        include_str!("assets/script/people.js"),
        include_str!("assets/script/upload.js"),
    );
    Asset::new("script", "js", "text/javascript; charset=utf-8", text)
});
/// The sign in a browser's tab.
pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("assets/icon.svg")));

/// Gives one of them.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Failure> {
    let asset = [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.name == name);
    let asset = asset.ok_or(Refusal::NoPage)?;
    let headers =
        [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.text).into_response())
}
