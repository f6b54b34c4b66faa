//! The log of what aired, for programs and for spreadsheets.

#![expect(unused_qualifications, reason = "utoipa qualifies what it finds in `params`")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Of;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::asrun::Airing;
use crate::schedule::{OutputId, Schedule};
use crate::segment::ContentHash;
use crate::store::{AiringFilter, Bad, Cursor, Store, StoreError, Verdict};
use crate::text::http::Refusal;
use crate::text::outcome::{file_columns, file_line, outcome_now};
use crate::text::table::Table;
use crate::web::State;
use crate::web::input::{Asked, end, instant, local, parse_code};
use crate::web::person::{Person, ReadLog};
use crate::web::problem::Problem;

/// Airings of a page where nothing is asked for.
const PAGE: u32 = 500;
/// Airings of an answer, at most: half a year of a commune's week.
const MOST: u32 = 10_000;

/// Which airings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Planned from this instant, or this date, on.
    from: Option<String>,
    /// Planned before this instant, or until the end of this date.
    to: Option<String>,
    /// On this output.
    output: Option<String>,
    /// `on-air`, `aired`, `partly`, `not-aired` or `withdrawn`.
    outcome: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    /// How many, at most 10,000; 500 where it is not said, 10,000 for CSV.
    limit: Option<u32>,
    /// `json` or `csv`; otherwise as the `Accept` header says.
    format: Option<String>,
}

/// Some airings, by planned start.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Airings {
    /// What the log says of each.
    #[schema(value_type = Vec<Object>)]
    airings: Vec<serde_json::Value>,
    /// What to ask `after` for the next page; none where this is the last.
    #[schema(value_type = Option<String>)]
    next: Option<Cursor>,
}

/// The log of what aired. As CSV it has the columns of the paper log, and a `Link` to the next page where there is one.
#[utoipa::path(get, path = "/airings", tag = "log", params(Wanted),
    responses((status = OK, content((Airings = "application/json"), (String = "text/csv")),
        headers(("Link" = String, description = "As CSV, the next page, where there is one")))))]
pub(super) async fn airings(
    _: Person<ReadLog>,
    Of(state): Of<State>,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let schedule = Arc::clone(&state.plan().schedule);
    let zone = &schedule.time_zone;
    let csv = match wanted.format.as_deref() {
        Some("csv") => true,
        Some("json") => false,
        Some(_) => return Err(Problem::field("format")),
        None => headers
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.trim_start().starts_with("text/csv")),
    };
    let filter = AiringFilter {
        from: wanted.from.as_deref().map(|from| instant("from", from, zone)).transpose()?,
        to: wanted.to.as_deref().map(|to| end("to", to, zone)).transpose()?,
        output: wanted.output.as_deref().map(OutputId::new),
        outcome: wanted.outcome.as_deref().map(|code| parse_code("outcome", code)).transpose()?,
        after: wanted.after.as_deref().map(str::parse).transpose().map_err(|_| Problem::field("after"))?,
        limit: Some(wanted.limit.unwrap_or(if csv { MOST } else { PAGE }).clamp(1, MOST)),
    };
    if filter.from.zip(filter.to).is_some_and(|(from, to)| to <= from) {
        return Err(Refusal::EndsBeforeItBegins.into());
    }
    let now = state.clock.now();
    // Formatting thousands of lines takes a while too: it is done where the reading is.
    let answer = move |store: &Store| {
        let page = store.airings(&filter)?;
        Ok(if csv {
            as_csv(&page.airings, page.next.map(|next| following(&wanted, next)), &schedule, now)
        } else {
            let airings = page.airings.iter().filter_map(|airing| as_json(airing, &schedule, now)).collect();
            Json(Airings { airings, next: page.next }).into_response()
        })
    };
    Ok(state.store.run(answer).await?)
}

/// An airing with what follows from its facts.
fn as_json(airing: &Airing, schedule: &Schedule, now: Timestamp) -> Option<serde_json::Value> {
    let outcome = airing.outcome();
    let mut value = serde_json::to_value(airing).ok()?;
    let fields = value.as_object_mut()?;
    fields.insert("outcome".to_owned(), outcome.kind().code().into());
    fields.insert("outcome_text".to_owned(), outcome_now(airing, now).into());
    fields.insert("cause".to_owned(), serde_json::to_value(outcome.cause()).ok()?);
    fields.insert("planned_local".to_owned(), local(airing.item.planned, &schedule.time_zone).into());
    let started = airing.started().map(|started| local(started, &schedule.time_zone));
    fields.insert("started_local".to_owned(), started.into());
    fields.insert("delivered".to_owned(), airing.delivered().into());
    fields.insert("expected".to_owned(), airing.expected().into());
    Some(value)
}

/// The address of the lines after a place: the same question, from there on.
fn following(wanted: &Wanted, place: Cursor) -> String {
    let Wanted { from, to, output, outcome, limit, after: _, format: _ } = wanted;
    let limit = limit.map(|limit| limit.to_string());
    let asked = [("from", from), ("to", to), ("output", output), ("outcome", outcome), ("limit", &limit)];
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("format", "csv");
    query.extend_pairs(asked.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
    format!("/api/v1/airings?{}", query.append_pair("after", &place.to_string()).finish())
}

fn as_csv(airings: &[Airing], next: Option<String>, schedule: &Schedule, now: Timestamp) -> Response {
    let mut table = Table::new(file_columns(Some(schedule)));
    for (number, airing) in (1..).zip(airings) {
        table.row(file_line(number, airing, Some(schedule), &schedule.time_zone, now));
    }
    let mut bytes = Vec::new();
    if let Err(failure) = table.csv(&mut bytes) {
        return Problem::unexpected(&failure).into_response();
    }
    let named = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"nhat-ky-phat-thanh.csv\""),
    ];
    let link = next.map(|next| [(header::LINK, format!("<{next}>; rel=\"next\""))]);
    (named, link.map(axum::response::AppendHeaders), bytes).into_response()
}

/// What a walk through the log found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Walk {
    /// Whether the log is what was written.
    sound: bool,
    /// How many rows it has.
    rows: i64,
    /// The newest row's hash: what the printed report bears.
    #[schema(value_type = String)]
    head: ContentHash,
    /// The first thing that is wrong; none where all is as it was written.
    #[schema(value_type = Option<Wrong>)]
    first_bad: Option<Bad>,
    /// Cuts that the log itself tells of, from when the program began again after them: they stay.
    #[schema(value_type = Vec<Wrong>)]
    cuts: Vec<Bad>,
}

/// Something wrong with the log.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "for the document: it is written as the store has it")]
pub(super) struct Wrong {
    /// The row; for what is missing, the first missing one; none where only the airings are wrong.
    seq: Option<i64>,
    /// The instant the row claims, where it is there.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// `changed`, `not-after-the-one-before`, `missing`, `shortened`, `other-end`, `end-not-noted` or `airing-differs`.
    fault: String,
    /// How many rows there were at least; for `shortened`.
    #[schema(required = false)]
    noted: Option<i64>,
    /// The output; for `airing-differs`.
    #[schema(required = false)]
    output: Option<String>,
    /// The cue; for `airing-differs`.
    #[schema(required = false)]
    cue: Option<String>,
}

/// Walks through the whole log and checks that nothing of it was changed. Takes a minute for a million airings.
#[utoipa::path(get, path = "/airings/verify", tag = "log",
    responses((status = OK, body = Walk)))]
pub(super) async fn verify(person: Person<ReadLog>, Of(state): Of<State>) -> Result<Json<Walk>, Problem> {
    let verdict = walk(&state, &person).await?;
    let sound = verdict.is_sound();
    let Verdict { rows, first_bad, cuts, head } = verdict;
    Ok(Json(Walk { sound, rows, head, first_bad, cuts }))
}

/// Walks through the whole log, for a person.
pub(in crate::web) async fn walk(state: &State, person: &Person<ReadLog>) -> Result<Verdict, Problem> {
    let place = Arc::clone(&state.limits.walks).try_acquire_owned().map_err(|_| Refusal::Busy)?;
    let act = person.act("log.verify", "journal", state.clock.now());
    let walk = move |store: &Store| -> Result<_, StoreError> {
        // One walk at a time, also when the one who asked for it has gone.
        let _place = place;
        store.act(act)?;
        store.verify()
    };
    Ok(state.store.run(walk).await?)
}
