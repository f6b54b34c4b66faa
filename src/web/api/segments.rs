//! Recordings: the catalogue, their words, and their way to the air.

#![expect(unused_qualifications, reason = "utoipa qualifies what it finds in `params`")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Of;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::segment::{ContentHash, Genre, ProgrammeId, Segment, SegmentId, State as Stand};
use crate::store::{SegmentFilter, SegmentPage, Store, seen};
use crate::text::http::Refusal;
use crate::text::{outcome, verdict};
use crate::web::State;
use crate::web::input::{Asked, Body, Named, millis, parse_code};
use crate::web::person::{Approve, HandIn, Person, See, Withdraw};
use crate::web::problem::Problem;
use crate::web::recordings::{self, Changes, existing, parse_seen, segment_id};
use crate::web::withdrawing;

/// Segments of a page where nothing is asked for.
const PAGE: u32 = 100;

/// Which recording.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document: handlers read it as `Named`")]
pub(super) struct OfRecording {
    /// The recording.
    id: String,
}

/// A recording.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Recording {
    /// The first 16 digits of its hash.
    #[schema(value_type = String, example = "9f86d081884c7d65")]
    id: SegmentId,
    /// SHA-256 of its bytes: what an approval is for.
    #[schema(value_type = String)]
    hash: ContentHash,
    /// Its file's name inside `audio/`.
    file: String,
    /// The title that goes into the log.
    title: String,
    /// The programme or pool it was handed in for.
    #[schema(value_type = Option<String>)]
    programme: Option<ProgrammeId>,
    /// The content area, `II.1` to `II.6`.
    topic: Option<String>,
    /// `news`, `bulletin`, `article`, `reportage`, `feature`, `commendation`, `notice`, `correction`, `music` or `ident`.
    #[schema(value_type = Option<String>)]
    genre: Option<Genre>,
    /// Who wrote it.
    author: Option<String>,
    /// The source of information.
    source: Option<String>,
    /// The first date on which it may air.
    #[schema(value_type = Option<String>, format = Date)]
    valid_from: Option<Date>,
    /// The last date on which it may air.
    #[schema(value_type = Option<String>, format = Date)]
    valid_until: Option<Date>,
    /// The Monday of the week it is meant for.
    #[schema(value_type = Option<String>, format = Date)]
    week: Option<Date>,
    /// `draft`, `pending`, `approved` or `withdrawn`.
    #[schema(value_type = String)]
    state: Stand,
    /// The state, for people.
    state_text: &'static str,
    /// Who approved it.
    approved_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    approved: Option<Timestamp>,
    /// When it was taken in.
    #[schema(value_type = String, format = DateTime)]
    added: Timestamp,
    /// Who handed it in.
    added_by: String,
    /// How long it sounds, in milliseconds: from `cue_in_ms` to `cue_out_ms`.
    duration_ms: i64,
    /// Where the sound begins in the file.
    cue_in_ms: i64,
    /// Where it ends.
    cue_out_ms: i64,
    /// Audio channels.
    channels: u16,
    /// Frames per second.
    sample_rate: u32,
    /// Integrated loudness, EBU R128.
    loudness_lufs: Option<f64>,
    /// True peak, ITU-R BS.1770.
    true_peak_dbtp: Option<f64>,
    /// Packets that are damaged.
    skipped_packets: u32,
    /// The codec.
    codec: String,
    /// What is read in it, where that was written down; only of a recording that was asked for by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<String>,
    /// Tells apart the words and scripts that a recording has had: what `approve` and `PATCH` take as `seen`; only of a
    /// recording that was asked for by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
    /// What a person should know of it before approving; empty where there is nothing.
    remarks: Vec<String>,
}

impl From<Segment> for Recording {
    fn from(segment: Segment) -> Self {
        let duration_ms = millis(segment.duration());
        let Segment { id, hash, file, words, sound, state, approval, added, added_by } = segment;
        let (approved_by, approved) = approval.map(|approval| (approval.by.to_string(), approval.at)).unzip();
        let text = |text: Option<Arc<str>>| text.map(|text| text.to_string());
        let finite = |level: f64| level.is_finite().then_some(level);
        Self {
            id,
            hash,
            file,
            title: words.title,
            programme: words.programme,
            topic: text(words.topic),
            genre: words.genre,
            author: text(words.author),
            source: text(words.source),
            valid_from: words.valid_from,
            valid_until: words.valid_until,
            week: words.week,
            state,
            state_text: outcome::state(state),
            approved_by,
            approved,
            added,
            added_by: added_by.to_string(),
            duration_ms,
            cue_in_ms: millis(sound.cue_in),
            cue_out_ms: millis(sound.cue_out),
            channels: sound.channels,
            sample_rate: sound.sample_rate,
            loudness_lufs: finite(sound.loudness_lufs),
            true_peak_dbtp: finite(sound.true_peak_dbtp),
            skipped_packets: sound.skipped_packets,
            codec: sound.codec.to_string(),
            script: None,
            seen: None,
            remarks: verdict::damage(sound.skipped_packets).into_iter().collect(),
        }
    }
}

impl Recording {
    /// With something more that a person should know.
    pub(super) fn remark(mut self, remark: String) -> Self {
        self.remarks.push(remark);
        self
    }

    /// Its address.
    pub(super) fn address(&self) -> String {
        format!("/api/v1/segments/{}", self.id)
    }
}

/// Which recordings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Words in title, author, source, topic, programme or file name, with or without accents.
    text: Option<String>,
    /// `draft`, `pending`, `approved` or `withdrawn`.
    state: Option<String>,
    /// A programme or pool.
    programme: Option<String>,
    /// The last id of the page before.
    after: Option<String>,
    /// How many; 100 where it is not said, 10,000 at most.
    limit: Option<u32>,
}

/// Some recordings, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Recordings {
    segments: Vec<Recording>,
    /// What to ask `after` for the next page; none where this is the last.
    #[schema(value_type = Option<String>)]
    next: Option<SegmentId>,
}

/// Recordings, newest first.
#[utoipa::path(get, path = "/segments", tag = "segments", params(Wanted),
    responses((status = OK, body = Recordings)))]
pub(super) async fn list(
    _: Person<See>,
    Of(state): Of<State>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Recordings>, Problem> {
    let filter = SegmentFilter {
        text: wanted.text,
        state: wanted.state.map(|code| parse_code("state", &code)).transpose()?,
        programme: wanted.programme.map(ProgrammeId::new),
        after: wanted.after.map(SegmentId::new),
        limit: Some(wanted.limit.unwrap_or(PAGE)),
    };
    let find = move |store: &Store| {
        let after = filter.after.as_ref();
        let is_known = after.map_or(Ok(true), |after| store.segment(after).map(|known| known.is_some()))?;
        Ok((is_known, store.segment_page(&filter)?))
    };
    let (is_known, SegmentPage { segments, next }) = state.store.run(find).await?;
    if !is_known {
        return Err(Problem::field("after"));
    }
    Ok(Json(Recordings { segments: segments.into_iter().map(Recording::from).collect(), next }))
}

/// A recording.
#[utoipa::path(get, path = "/segments/{id}", tag = "segments", params(OfRecording),
    responses((status = OK, body = Recording)))]
pub(super) async fn one(
    _: Person<See>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<Json<Recording>, Problem> {
    let segment = existing(&state, segment_id(&id)?).await?;
    Ok(Json(whole(&state, segment).await?))
}

/// A recording with what is read in it.
pub(super) async fn whole(state: &State, segment: Segment) -> Result<Recording, Problem> {
    let id = segment.id.clone();
    let script = state.store.run(move |store| store.script(&id)).await?;
    let seen = Some(seen(&segment.words, &script).to_string());
    Ok(Recording { script: Some(script).filter(|script| !script.is_empty()), seen, ..segment.into() })
}

/// Words to change; what is left out stays, what is null or empty is taken away.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewWords {
    /// What the recording had as `seen` when its words and its script were shown to who changes them: where they were
    /// changed since, nothing is (`other-words`). Left out, whatever they are.
    seen: Option<String>,
    /// Any of `title`, `programme`, `topic`, `genre`, `author`, `source`, `valid_from`, `valid_until`, `week`, `script`.
    #[serde(flatten)]
    words: Changes,
}

/// Changes a recording's words, or its script. The approval of its bytes stays; once it is approved, only who may approve
/// it changes them (`approved-words`). Where they are so already, it is done, whatever was seen.
#[utoipa::path(patch, path = "/segments/{id}", tag = "segments", request_body = NewWords, params(OfRecording),
    responses((status = OK, body = Recording)))]
pub(super) async fn describe(
    person: Person<HandIn>,
    Of(state): Of<State>,
    Named(id): Named,
    Body(NewWords { seen, words }): Body<NewWords>,
) -> Result<Json<Recording>, Problem> {
    let segment =
        recordings::describe(&state, &person, segment_id(&id)?, words, parse_seen(seen.as_deref())?).await?;
    Ok(Json(whole(&state, segment).await?))
}

/// The peaks of a recording's waveform: for each stretch of time the least and the largest sample, −128 to 127.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Peaks {
    /// Least and largest, in turn.
    #[schema(value_type = Vec<Vec<i32>>)]
    peaks: Vec<(i8, i8)>,
}

/// The shape of a recording, to be drawn.
#[utoipa::path(get, path = "/segments/{id}/waveform", tag = "segments", params(OfRecording),
    responses((status = OK, body = Peaks)))]
pub(super) async fn waveform(
    _: Person<See>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<Json<Peaks>, Problem> {
    let id = segment_id(&id)?;
    let bytes = state.store.run(move |store| store.peaks(&id)).await?.ok_or(Refusal::NoSegment)?;
    let signed = |byte: &u8| i8::from_ne_bytes([*byte]);
    let pairs = bytes.chunks_exact(2).filter_map(|pair| Some((signed(pair.first()?), signed(pair.last()?))));
    Ok(Json(Peaks { peaks: pairs.collect() }))
}

/// Something that was done with a recording.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Event {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// By whom.
    by: String,
    /// `added` (again where it was discarded before), `submitted`, `approved`, `returned`, `withdrawn`, `discarded`,
    /// `described`, `scripted`, `file-restored`, `file-replaced` or, from before, `renamed`.
    what: String,
    /// Why; for `added` and `described` the words as they then were; for `scripted` the script; for `file-replaced` what
    /// the file that stood in the place of the right one is called now; for `renamed` the name before.
    reason: Option<String>,
}

/// What was done with a recording, in order.
#[utoipa::path(get, path = "/segments/{id}/events", tag = "segments", params(OfRecording),
    responses((status = OK, body = Vec<Event>)))]
pub(super) async fn events(
    _: Person<See>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<Json<Vec<Event>>, Problem> {
    let id = existing(&state, segment_id(&id)?).await?.id;
    let events = state.store.run(move |store| store.segment_events(&id)).await?;
    let event = |event: crate::store::SegmentEvent| Event {
        at: event.at,
        by: event.by,
        what: event.what,
        reason: event.reason,
    };
    Ok(Json(events.into_iter().map(event).collect()))
}

/// Asks for approval. Of a recording that waits already, that is the answer.
#[utoipa::path(post, path = "/segments/{id}/submit", tag = "segments", params(OfRecording),
    responses((status = OK, body = Recording)))]
pub(super) async fn submit(
    person: Person<HandIn>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<Json<Recording>, Problem> {
    let segment = recordings::submit(&state, &person, segment_id(&id)?).await?;
    Ok(Json(whole(&state, segment).await?))
}

/// What was listened to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Listened {
    /// The hash of the recording, as it was shown to who listened.
    hash: String,
    /// What the recording had as `seen` when its words and its script were shown to who listened: where they were changed
    /// since, it is not approved (`other-words`). Left out, only the bytes are looked at.
    seen: Option<String>,
}

/// Lets a recording on the air. Nobody approves what they handed in. Approved already with the same bytes and words, it
/// is answered as if it were done now, and the first approval stays.
#[utoipa::path(post, path = "/segments/{id}/approve", tag = "segments", request_body = Listened, params(OfRecording),
    responses((status = OK, body = Recording)))]
pub(super) async fn approve(
    person: Person<Approve>,
    Of(state): Of<State>,
    Named(id): Named,
    Body(listened): Body<Listened>,
) -> Result<Json<Recording>, Problem> {
    let hash = listened.hash.parse().map_err(|_| Problem::field("hash"))?;
    let seen = listened.seen.as_deref();
    let segment = recordings::approve(&state, &person, segment_id(&id)?, hash, seen).await?;
    Ok(Json(whole(&state, segment).await?))
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// For the one who handed it in, and for the record.
    reason: String,
}

/// Gives a recording back to who handed it in. Given back already and not submitted again, it is answered as if it were
/// done now, and the first reason stays.
#[utoipa::path(post, path = "/segments/{id}/return", tag = "segments", request_body = Why, params(OfRecording),
    responses((status = OK, body = Recording)))]
pub(super) async fn give_back(
    person: Person<Approve>,
    Of(state): Of<State>,
    Named(id): Named,
    Body(why): Body<Why>,
) -> Result<Json<Recording>, Problem> {
    let segment = recordings::give_back(&state, &person, segment_id(&id)?, &why.reason).await?;
    Ok(Json(whole(&state, segment).await?))
}

/// Takes a recording off the air: at once, and from all that is to come. Where the disk does not take that in time the
/// answer is 503, `withdrawal-unkept`: it is off the air, and what is still to be kept is tried again.
#[utoipa::path(post, path = "/segments/{id}/withdraw", tag = "segments", request_body = Why, params(OfRecording),
    responses((status = OK, body = Recording)))]
pub(super) async fn withdraw(
    person: Person<Withdraw>,
    Of(state): Of<State>,
    Named(id): Named,
    Body(why): Body<Why>,
) -> Result<Json<Recording>, Problem> {
    Ok(Json(withdrawing::withdraw(&state, &person, segment_id(&id)?, &why.reason).await?.into()))
}
