//! Recordings: the catalogue, their words, and their way to the air.

#![expect(unused_qualifications, reason = "utoipa qualifies what it finds in `params`")]

use axum::Json;
use axum::body::Body as Bytes;
use axum::extract::{Request, State as Of};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tower::ServiceExt as _;
use tower_http::services::ServeFile;
use unicode_normalization::UnicodeNormalization;
use utoipa::{IntoParams, ToSchema};

use crate::access::may_approve;
use crate::engine::handle::{Command, Refused};
use crate::segment::{ContentHash, Genre, ProgrammeId, Segment, SegmentId, State as Stand, Words, is_id};
use crate::store::{SegmentFilter, Step, Store, StoreError};
use crate::text::http::Refusal;
use crate::text::{outcome, verdict};
use crate::web::State;
use crate::web::input::{Asked, Body, Named, millis};
use crate::web::person::{Approve, HandIn, Needs, Person, See, Withdraw};
use crate::web::problem::{Problem, ProblemBody};

/// Longest text of a field, in letters.
const LONGEST_TEXT: usize = 300;
/// Segments of a page where nothing is asked for.
const PAGE: u32 = 100;

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
    /// What a person should know of it before approving; empty where there is nothing.
    remarks: Vec<String>,
}

impl From<Segment> for Recording {
    fn from(segment: Segment) -> Self {
        let duration_ms = millis(segment.duration());
        let Segment { id, hash, file, words, sound, state, approval, added, added_by } = segment;
        let (approved_by, approved) = approval.map(|approval| (approval.by, approval.at)).unzip();
        let finite = |level: f64| level.is_finite().then_some(level);
        Self {
            id,
            hash,
            file,
            title: words.title,
            programme: words.programme,
            topic: words.topic,
            genre: words.genre,
            author: words.author,
            source: words.source,
            valid_from: words.valid_from,
            valid_until: words.valid_until,
            week: words.week,
            state,
            state_text: outcome::state(state),
            approved_by,
            approved,
            added,
            added_by,
            duration_ms,
            cue_in_ms: millis(sound.cue_in),
            cue_out_ms: millis(sound.cue_out),
            channels: sound.channels,
            sample_rate: sound.sample_rate,
            loudness_lufs: finite(sound.loudness_lufs),
            true_peak_dbtp: finite(sound.true_peak_dbtp),
            skipped_packets: sound.skipped_packets,
            codec: sound.codec,
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

/// Changes one of a recording's words, as a field of a form or a key of JSON gives it; an empty text takes it away.
pub(super) fn set_word(state: &State, words: &mut Words, field: &str, text: &str) -> Result<(), Problem> {
    let text = text.nfc().collect::<String>().trim().to_owned();
    if text.chars().count() > LONGEST_TEXT || text.chars().any(char::is_control) {
        return Err(Problem::field(field));
    }
    let date = || {
        let parse = |text: &String| text.parse::<Date>().map_err(|_| Problem::field(field));
        Some(&text).filter(|text| !text.is_empty()).map(parse).transpose()
    };
    let given = Some(text.clone()).filter(|text| !text.is_empty());
    match field {
        "title" => words.title = text,
        "topic" => words.topic = given,
        "author" => words.author = given,
        "source" => words.source = given,
        "programme" => words.programme = given.map(|id| known_programme(state, &id)).transpose()?,
        "genre" => words.genre = given.map(|code| parse_code(field, &code)).transpose()?,
        "valid_from" => words.valid_from = date()?,
        "valid_until" => words.valid_until = date()?,
        // Any day of the week stands for the week.
        "week" => {
            words.week = date()?
                .map(|date| date.checked_sub(jiff::Span::new().days(date.weekday().to_monday_zero_offset())))
                .transpose()
                .map_err(|_| Problem::field(field))?;
        }
        _ => return Err(Problem::field(field)),
    }
    Ok(())
}

/// What only the words together can say.
pub(super) fn check_words(words: &Words) -> Result<(), Problem> {
    match (words.valid_from, words.valid_until) {
        (Some(from), Some(until)) if until < from => Err(Problem::field("valid_until")),
        _ => Ok(()),
    }
}

fn known_programme(state: &State, id: &str) -> Result<ProgrammeId, Problem> {
    let plan = state.plan();
    let id = ProgrammeId::new(id);
    let known = plan.schedule.programmes.contains_key(&id) || plan.schedule.pools.contains_key(&id);
    if known { Ok(id) } else { Err(Refusal::UnknownProgramme.into()) }
}

/// A value of an enum from its code.
pub(super) fn parse_code<T: serde::de::DeserializeOwned>(field: &str, code: &str) -> Result<T, Problem> {
    serde_json::from_value(code.into()).map_err(|_| Problem::field(field))
}

/// The id of an address, where it can be one.
fn segment_id(text: &str) -> Result<SegmentId, Problem> {
    if is_id(text) { Ok(SegmentId::new(text)) } else { Err(Refusal::NoSegment.into()) }
}

async fn existing(state: &State, id: SegmentId) -> Result<Segment, Problem> {
    let found = state.store.run(move |store| store.segment(&id)).await?;
    found.ok_or_else(|| Refusal::NoSegment.into())
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
    responses((status = OK, body = Recordings), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn list(
    _: Person<See>,
    Of(state): Of<State>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Recordings>, Problem> {
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, 10_000);
    let filter = SegmentFilter {
        text: wanted.text,
        state: wanted.state.map(|code| parse_code("state", &code)).transpose()?,
        programme: wanted.programme.map(ProgrammeId::new),
        after: wanted.after.map(SegmentId::new),
        limit: Some(limit),
    };
    let segments = state.store.run(move |store| store.segments(&filter)).await?;
    let full = u32::try_from(segments.len()).is_ok_and(|count| count == limit);
    let next = segments.last().filter(|_| full).map(|segment| segment.id.clone());
    Ok(Json(Recordings { segments: segments.into_iter().map(Recording::from).collect(), next }))
}

/// A recording.
#[utoipa::path(get, path = "/segments/{id}", tag = "segments", params(("id" = String, Path, description = "The recording")),
    responses((status = OK, body = Recording), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn one(
    _: Person<See>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<Json<Recording>, Problem> {
    Ok(Json(existing(&state, segment_id(&id)?).await?.into()))
}

/// Words to change; what is left out stays, what is null or empty is taken away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(transparent)]
pub(super) struct NewWords(
    /// Any of `title`, `programme`, `topic`, `genre`, `author`, `source`, `valid_from`, `valid_until`, `week`.
    std::collections::BTreeMap<String, Option<String>>,
);

/// Changes a recording's words. The approval of its bytes stays.
#[utoipa::path(patch, path = "/segments/{id}", tag = "segments", request_body = NewWords, params(("id" = String, Path, description = "The recording")),
    responses((status = OK, body = Recording), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn describe(
    person: Person<HandIn>,
    Of(state): Of<State>,
    Named(id): Named,
    Body(NewWords(changes)): Body<NewWords>,
) -> Result<Json<Recording>, Problem> {
    let id = segment_id(&id)?;
    let mut words = existing(&state, id.clone()).await?.words;
    for (field, text) in &changes {
        set_word(&state, &mut words, field, text.as_deref().unwrap_or_default())?;
    }
    if words.title.is_empty() {
        return Err(Problem::field("title"));
    }
    check_words(&words)?;
    let now = state.clock.now();
    let act = person.act("segment.describe", id.as_str(), now);
    let described = move |store: &Store| {
        let segment = store.describe_segment(&id, words, &act.by, now)?;
        store.act(act)?;
        Ok(segment)
    };
    let segment = state.store.run(described).await?;
    state.nudge();
    Ok(Json(segment.into()))
}

/// A recording's bytes, or a range of them.
#[utoipa::path(get, path = "/segments/{id}/audio", tag = "segments", params(("id" = String, Path, description = "The recording")),
    responses((status = OK, description = "The whole file", content_type = "audio/*"),
        (status = PARTIAL_CONTENT, description = "A range of it"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn audio(
    _: Person<See>,
    Of(state): Of<State>,
    Named(id): Named,
    request: Request,
) -> Result<Response, Problem> {
    let segment = existing(&state, segment_id(&id)?).await?;
    let path = state.audio_dir.join(&segment.file);
    if !tokio::fs::try_exists(&path).await.unwrap_or(false) {
        return Err(Refusal::FileGone.into());
    }
    let served = ServeFile::new(path).oneshot(request).await;
    Ok(served.map_or_else(|never| match never {}, |response| response.map(Bytes::new).into_response()))
}

/// The peaks of a recording's waveform: for each stretch of time the least and the largest sample, −128 to 127.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Peaks {
    /// Least and largest, in turn.
    #[schema(value_type = Vec<Vec<i32>>)]
    peaks: Vec<(i8, i8)>,
}

/// The shape of a recording, to be drawn.
#[utoipa::path(get, path = "/segments/{id}/waveform", tag = "segments", params(("id" = String, Path, description = "The recording")),
    responses((status = OK, body = Peaks), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")))]
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
    /// `added`, `submitted`, `approved`, `returned`, `withdrawn`, `described` or `renamed`.
    what: String,
    /// Why; for `described` the words as they then were; for `renamed` the name before.
    reason: Option<String>,
}

/// What was done with a recording, in order.
#[utoipa::path(get, path = "/segments/{id}/events", tag = "segments", params(("id" = String, Path, description = "The recording")),
    responses((status = OK, body = Vec<Event>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")))]
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

/// Takes a recording a step, and keeps who did it.
async fn step<N: Needs>(
    state: &State,
    person: &Person<N>,
    id: SegmentId,
    step: Step,
    what: &str,
) -> Result<Json<Recording>, Problem> {
    let now = state.clock.now();
    let act = person.act(what, id.as_str(), now);
    let stepped = move |store: &Store| {
        let segment = store.step_segment(&id, step, &act.by, now)?;
        store.act(act)?;
        Ok(segment)
    };
    let segment = state.store.run(stepped).await?;
    tracing::info!(segment.id = %segment.id, by = person.name(), "{what}");
    state.nudge();
    Ok(Json(segment.into()))
}

/// Asks for approval.
#[utoipa::path(post, path = "/segments/{id}/submit", tag = "segments", params(("id" = String, Path, description = "The recording")),
    responses((status = OK, body = Recording), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn submit(
    person: Person<HandIn>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<Json<Recording>, Problem> {
    step(&state, &person, segment_id(&id)?, Step::Submit, "segment.submit").await
}

/// What was listened to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Listened {
    /// The hash of the recording, as it was shown to who listened.
    hash: String,
}

/// Lets a recording on the air. Nobody approves what they handed in.
#[utoipa::path(post, path = "/segments/{id}/approve", tag = "segments", request_body = Listened, params(("id" = String, Path, description = "The recording")),
    responses((status = OK, body = Recording), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn approve(
    person: Person<Approve>,
    Of(state): Of<State>,
    Named(id): Named,
    Body(listened): Body<Listened>,
) -> Result<Json<Recording>, Problem> {
    let hash = listened.hash.parse().map_err(|_| Problem::field("hash"))?;
    let segment = existing(&state, segment_id(&id)?).await?;
    if !may_approve(&person.user().roles, person.name(), &segment.added_by, state.own_work) {
        return Err(Refusal::OwnWork.into());
    }
    step(&state, &person, segment.id, Step::Approve { hash }, "segment.approve").await
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// For the one who handed it in, and for the record.
    reason: String,
}

impl Why {
    fn checked(self) -> Result<String, Problem> {
        let reason = self.reason.nfc().collect::<String>().trim().to_owned();
        let fits = !reason.is_empty() && reason.chars().count() <= LONGEST_TEXT;
        if fits { Ok(reason) } else { Err(Problem::field("reason")) }
    }
}

/// Gives a recording back to who handed it in.
#[utoipa::path(post, path = "/segments/{id}/return", tag = "segments", request_body = Why, params(("id" = String, Path, description = "The recording")),
    responses((status = OK, body = Recording), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn give_back(
    person: Person<Approve>,
    Of(state): Of<State>,
    Named(id): Named,
    Body(why): Body<Why>,
) -> Result<Json<Recording>, Problem> {
    let reason = why.checked()?;
    step(&state, &person, segment_id(&id)?, Step::Return { reason }, "segment.return").await
}

/// Takes a recording off the air: at once, and from all that is to come.
#[utoipa::path(post, path = "/segments/{id}/withdraw", tag = "segments", request_body = Why, params(("id" = String, Path, description = "The recording")),
    responses((status = OK, body = Recording), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn withdraw(
    person: Person<Withdraw>,
    Of(state): Of<State>,
    Named(id): Named,
    Body(why): Body<Why>,
) -> Result<Json<Recording>, Problem> {
    let (id, reason) = (segment_id(&id)?, why.checked()?);
    let now = state.clock.now();
    let act = person.act("segment.withdraw", id.as_str(), now);
    // In one piece on another thread: a client who goes away meanwhile does not leave half of it done.
    let all = state.clone();
    let withdrawn = move |store: &Store| {
        let stepped = store.step_segment(&id, Step::Withdraw { reason }, &act.by, now);
        let segment = match stepped {
            Err(failure @ StoreError::NoSegment(_)) => return Err(failure),
            // Again: the engines are told once more, in case one was busy the first time.
            Err(StoreError::WrongState { .. }) => {
                store.segment(&id)?.ok_or(StoreError::NoSegment(id.clone()))
            }
            // A full disk must not keep wrong words on the air: the engines are told whatever the store says.
            other => other,
        };
        let told = tell_all(&all, &id);
        all.nudge();
        let segment = segment?;
        store.act(act)?;
        Ok((segment, told))
    };
    let (segment, told) = state.store.run(withdrawn).await?;
    tracing::info!(segment.id = %segment.id, by = person.name(), "segment.withdraw");
    told?;
    Ok(Json(segment.into()))
}

/// Tells every engine that a segment must not sound any more, also after one that would not listen.
fn tell_all(state: &State, id: &SegmentId) -> Result<(), Refused> {
    let told: Vec<_> =
        state.engines.iter().map(|engine| engine.send(Command::Withdraw(id.clone()))).collect();
    // An engine that has ended plays nothing.
    told.into_iter().find(|told| *told == Err(Refused::Busy)).unwrap_or(Ok(()))
}
