//! A recording as the loudspeakers will get it: its own bytes and no others, levelled and limited, as WAV.
//!
//! Made as it is listened to: a thread of its own decodes a little ahead of the browser and ends when nobody takes
//! what it made. Ranges are answered too, because browsers on some phones play nothing without.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State as Of;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use jiff::SignedDuration;
use tokio::sync::mpsc::Sender;
use tokio_stream::wrappers::ReceiverStream;

use super::audio::no_such_range;
use super::segments::OfRecording;
use crate::engine::limiter::{LOOKAHEAD, Limiter};
use crate::frames::AIR_RATE;
use crate::media::playback::{OpenError, Opening};
use crate::media::resample::period_seconds;
use crate::media::seal::Seals as _;
use crate::media::source::{InlineSource, Read, Source as _};
use crate::media::wav::{self, FRAME_BYTES, HEADER_BYTES};
use crate::segment::Segment;
use crate::text::http::Refusal;
use crate::web::State;
use crate::web::input::{Named, Portion, portion};
use crate::web::person::{Person, See};
use crate::web::problem::Problem;
use crate::web::recordings::{existing, segment_id};

/// Samples of a frame: the air is stereo.
const CHANNELS: usize = 2;
/// Frames that are made in one go.
const CHUNK_FRAMES: usize = 1_024;
/// Chunks made ahead of who listens: a second or so.
const AHEAD: usize = 32;
/// A range is made from at least so long before it, so that it is what it is in the whole: the limiter forgets within a
/// second what came before (at most 41 932 frames of release, and its look ahead); a resampler has begun well before that.
const RUN_UP_SECONDS: u64 = 2;

/// A recording as the loudspeakers will get it, levelled and limited.
#[utoipa::path(get, path = "/segments/{id}/levelled", tag = "segments", params(OfRecording),
    responses((status = OK, description = "All of it", content_type = "audio/wav"),
        (status = PARTIAL_CONTENT, description = "A range of it")))]
pub(super) async fn levelled(
    _: Person<See>,
    Of(state): Of<State>,
    Named(id): Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let segment = existing(&state, segment_id(&id)?).await?;
    let opening = opening(&state, &segment);
    let frames = opening.frames();
    let whole = HEADER_BYTES + frames * FRAME_BYTES;
    // It has no tag and no date: a part of what a client says it has is a part of something else.
    let asked = headers.get(header::RANGE).filter(|_| !headers.contains_key(header::IF_RANGE));
    let (status, from, to) = match portion(asked, whole) {
        Portion::All => (StatusCode::OK, 0, whole),
        Portion::Part(from, to) => (StatusCode::PARTIAL_CONTENT, from, to),
        Portion::Beyond => return Ok(no_such_range(whole)),
    };
    let place =
        Arc::clone(&state.limits.listens).try_acquire_owned().map_err(|_| Refusal::TooManyListeners)?;
    // From the frame in which the range begins.
    let first = from.saturating_sub(HEADER_BYTES) / FRAME_BYTES;
    let (skip, run_up) = run_up(first, segment.sound.sample_rate);
    // The place goes along: who goes away meanwhile leaves the work behind.
    let store = state.store.clone();
    let open = move || {
        let seal = store.seal(&segment.id).map(Arc::new);
        (place, Opening { seal, skip, ..opening }.open())
    };
    let opened = tokio::task::spawn_blocking(open).await;
    let (place, opened) = opened.map_err(|failure| Problem::unexpected(&failure))?;
    let playback = opened.map_err(|failure| unopened(&failure))?;
    let (sender, chunks) = tokio::sync::mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let _place = place;
        pour(InlineSource::new(playback), run_up, &sender);
    });

    // What is given is cut to the range: the head, and the samples from the frame on.
    let head = if from < HEADER_BYTES {
        Bytes::copy_from_slice(&wav::header(frames * FRAME_BYTES)).slice(usize::try_from(from).unwrap_or(0)..)
    } else {
        Bytes::new()
    };
    let surplus = if from < HEADER_BYTES { 0 } else { (from - HEADER_BYTES) % FRAME_BYTES };
    let mut drop_first = usize::try_from(surplus).unwrap_or(0);
    let samples = ReceiverStream::new(chunks).map(move |mut chunk: Bytes| {
        let dropped = chunk.split_to(drop_first.min(chunk.len()));
        drop_first -= dropped.len();
        chunk
    });
    let mut left = to - from;
    let body = futures_util::stream::once(async { head }).chain(samples).map(move |mut chunk: Bytes| {
        chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left = left.saturating_sub(chunk.len() as u64);
        Ok::<_, std::io::Error>(chunk)
    });
    let mut said = HeaderMap::new();
    said.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("audio/wav"));
    said.insert(header::ACCEPT_RANGES, header::HeaderValue::from_static("bytes"));
    said.insert(header::CONTENT_LENGTH, header::HeaderValue::from(to - from));
    if status == StatusCode::PARTIAL_CONTENT {
        let bounds = format!("bytes {from}-{}/{whole}", to - 1);
        said.extend(header::HeaderValue::try_from(bounds).map(|bounds| (header::CONTENT_RANGE, bounds)));
    }
    Ok((status, said, Body::from_stream(body)).into_response())
}

/// What the engine would open.
fn opening(state: &State, segment: &Segment) -> Opening {
    let loudness = state.plan().schedule.loudness;
    let gain_db = segment.sound.gain_db(loudness.target_lufs, loudness.max_boost_db);
    Opening { gain_db, ..Opening::of(segment, &state.audio_dir) }
}

fn unopened(failure: &OpenError) -> Problem {
    match failure {
        OpenError::Gone { .. } => Refusal::FileGone.into(),
        OpenError::Changed { .. } => Refusal::FileChanged.into(),
        OpenError::Unreadable { .. } => Refusal::FileUnreadable.into(),
        OpenError::Undecodable { .. } | OpenError::Unresamplable { .. } => Problem::unexpected(failure),
    }
}

/// How much of a recording is left out before a range that begins with a frame, and how many frames then come before it.
fn run_up(first: u64, sample_rate: u32) -> (SignedDuration, usize) {
    let period = period_seconds(sample_rate);
    let seconds = (first / u64::from(AIR_RATE)).saturating_sub(RUN_UP_SECONDS) / period * period;
    let frames = first - seconds * u64::from(AIR_RATE);
    let skip = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    (skip, usize::try_from(frames).unwrap_or(usize::MAX))
}

/// Decodes, limits and hands on, until the end or until nobody listens. The first frames, the run-up, are kept back.
fn pour(mut source: InlineSource, run_up: usize, to: &Sender<Bytes>) {
    let mut limiter = Limiter::new();
    // The limiter gives what came a moment before: its first frames are none of the recording's.
    let mut early = (run_up + LOOKAHEAD) * CHANNELS;
    let mut give = |samples: &mut [f32]| {
        limiter.process(samples);
        let late = samples.get(early.min(samples.len())..).unwrap_or_default();
        early -= early.min(samples.len());
        to.blocking_send(late.iter().flat_map(|sample| pcm(*sample).to_le_bytes()).collect())
    };
    let mut samples = [0.0; CHUNK_FRAMES * CHANNELS];
    loop {
        let (frames, more) = match source.read(&mut samples) {
            Read::Frames(frames) | Read::Starved(frames) => (frames, true),
            Read::Ended(frames) => (frames, false),
        };
        if give(samples.get_mut(..frames * CHANNELS).unwrap_or_default()).is_err() {
            return;
        }
        if !more {
            break;
        }
    }
    // Who has gone misses no more than the end.
    let _heard = give(&mut vec![0.0; LOOKAHEAD * CHANNELS]);
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range just before")]
fn pcm(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16
}
