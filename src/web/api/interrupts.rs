//! A person takes the air, gives it back, or stops what is on it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Of;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Permission;
use crate::engine::handle::{Command, Handle};
use crate::schedule::OutputId;
use crate::segment::{Segment, SegmentId, State as Stand, is_id};
use crate::sequencer::{Interrupt, InterruptId, Repeats};
use crate::store::Act;
use crate::text::http::Refusal;
use crate::timeline::Layer;
use crate::web::State;
use crate::web::input::{Body, Named};
use crate::web::person::{CallEmergency, Person, See, TakeTheAir};
use crate::web::problem::{Problem, ProblemBody};

/// The longest distance between two repeats, in minutes: a day.
const MOST_MINUTES: u32 = 24 * 60;

/// What a person wants to air now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// An approved recording.
    segment: String,
    /// Its rank.
    layer: Rank,
    /// How often; once where it is not said.
    repeats: Option<Again>,
    /// One output; all where it is not said.
    output: Option<String>,
}

/// The rank of an interrupt.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Rank {
    /// Above the timeline; silent in quiet hours.
    Live,
    /// Above everything.
    Emergency,
}

/// How often an interrupt sounds. What is left out is as decision 03/2020/QĐ-TTg, article 29, asks for: two repeats five
/// minutes apart, then one every half hour until it is called off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    /// How many times at most, the first included; until it is called off where it is not said.
    at_most: Option<u16>,
    /// Minutes from start to start of the first repeats.
    soon_min: Option<u32>,
    /// How many repeats are that close.
    close: Option<u16>,
    /// Minutes from start to start of those after.
    then_min: Option<u32>,
}

impl Again {
    fn checked(&self) -> Result<Repeats, Problem> {
        let minutes = |given: Option<u32>, usual: u32| {
            let minutes = given.unwrap_or(usual);
            let fits = (1..=MOST_MINUTES).contains(&minutes);
            if fits { Ok(SignedDuration::from_mins(minutes.into())) } else { Err(Problem::field("repeats")) }
        };
        if self.at_most == Some(0) {
            return Err(Problem::field("repeats"));
        }
        Ok(Repeats {
            at_most: self.at_most,
            soon: minutes(self.soon_min, 5)?,
            close: self.close.unwrap_or(2),
            then: minutes(self.then_min, 30)?,
        })
    }
}

/// An interrupt that was ordered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ordered {
    /// Its id: to call it off, and to find it in the log.
    #[schema(value_type = String)]
    id: InterruptId,
    /// Where it airs.
    #[schema(value_type = Vec<String>)]
    outputs: Vec<OutputId>,
}

/// Takes the air with a recording.
#[utoipa::path(post, path = "/interrupts", tag = "air", request_body = Order,
    responses((status = ACCEPTED, body = Ordered), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn interrupt(
    person: Person<See>,
    Of(state): Of<State>,
    Body(order): Body<Order>,
) -> Result<Response, Problem> {
    let (layer, permission) = match order.layer {
        Rank::Live => (Layer::Live, Permission::TakeTheAir),
        Rank::Emergency => (Layer::Emergency, Permission::CallEmergency),
    };
    person.must(permission)?;
    let repeats = order.repeats.as_ref().map_or(Ok(Repeats::ONCE), Again::checked)?;
    let engines = engines(&state, order.output.as_deref())?;
    let (plan, now) = (state.plan(), state.clock.now());
    let local = plan.schedule.time_zone.to_datetime(now);
    if layer == Layer::Live && plan.schedule.rules.quiet.iter().any(|quiet| quiet.contains(local.time())) {
        return Err(Refusal::QuietHours.into());
    }
    let segment = approved(&state, &order.segment).await?;
    if !segment.is_valid_on(local.date()) {
        return Err(Refusal::NotValid.into());
    }
    let loudness = plan.schedule.loudness;
    let gain_db = segment.sound.gain_db(loudness.target_lufs, loudness.max_boost_db);
    let id = new_id(&state)?;
    let by = person.name().to_owned();
    let interrupt = Arc::new(Interrupt { id: id.clone(), layer, segment, gain_db, by, repeats });
    let sent: Vec<_> = engines
        .iter()
        .map(|engine| (engine.output().clone(), engine.send(Command::Interrupt(Arc::clone(&interrupt)))))
        .collect();
    let outputs: Vec<_> =
        sent.iter().filter(|(_, sent)| sent.is_ok()).map(|(output, _)| output.clone()).collect();
    // On several outputs, one that is out of order must not keep the others silent.
    if outputs.is_empty() {
        sent.into_iter().try_for_each(|(_, sent)| sent)?;
    }
    let what = if layer == Layer::Emergency { "interrupt.emergency" } else { "interrupt.live" };
    tracing::info!(interrupt.id = %id, segment.id = %interrupt.segment.id, by = person.name(), "{what}");
    record(&state, person.act(what, format!("{id} {}", interrupt.segment.id), now)).await;
    let address = format!("/api/v1/interrupts/{id}");
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, address)], Json(Ordered { id, outputs })).into_response())
}

/// Gives the air back: an interrupt ends, also its repeats.
#[utoipa::path(delete, path = "/interrupts/{id}", tag = "air", params(("id" = String, Path, description = "The interrupt")),
    responses((status = NO_CONTENT, description = "It ends"), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn call_off(
    // Whoever may call an emergency may also end one; a live one is less.
    person: Person<CallEmergency>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<StatusCode, Problem> {
    if !is_id(&id) {
        return Err(Refusal::NoInterrupt.into());
    }
    let id = InterruptId::new(id);
    let known = state.engines.iter().any(|engine| engine.status().interrupts.iter().any(|one| one.id == id));
    // Also where none knows of it: it may have been ordered a moment ago.
    let sent: Vec<_> = state.engines.iter().map(|engine| engine.send(Command::CallOff(id.clone()))).collect();
    if !known {
        return Err(Refusal::NoInterrupt.into());
    }
    sent.into_iter().collect::<Result<(), _>>()?;
    tracing::info!(interrupt.id = %id, by = person.name(), "interrupt.call-off");
    record(&state, person.act("interrupt.call-off", id.as_str(), state.clock.now())).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops the cue that is on air; the timeline goes on with the next.
#[utoipa::path(post, path = "/outputs/{id}/stop", tag = "air", params(("id" = String, Path, description = "The output")),
    responses((status = ACCEPTED, description = "It stops"), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn stop(
    person: Person<TakeTheAir>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<StatusCode, Problem> {
    for engine in engines(&state, Some(&id))? {
        engine.send(Command::StopCue)?;
    }
    tracing::info!(output.id = id, by = person.name(), "output.stop");
    record(&state, person.act("output.stop", id, state.clock.now())).await;
    Ok(StatusCode::ACCEPTED)
}

/// The engine of an output, or all.
fn engines(state: &State, output: Option<&str>) -> Result<Vec<Handle>, Problem> {
    let wanted = |engine: &&Handle| output.is_none_or(|output| engine.output().as_str() == output);
    let engines: Vec<_> = state.engines.iter().filter(wanted).cloned().collect();
    if engines.is_empty() { Err(Refusal::NoOutput.into()) } else { Ok(engines) }
}

/// The recording, if it may air: from the plan, which is at hand, or just approved and not in the plan yet.
async fn approved(state: &State, id: &str) -> Result<Arc<Segment>, Problem> {
    if !is_id(id) {
        return Err(Refusal::NoSegment.into());
    }
    let id = SegmentId::new(id);
    let plan = state.plan();
    if let Some(segment) = plan.catalog.get(&id).filter(|segment| segment.state == Stand::Approved) {
        return Ok(Arc::clone(segment));
    }
    let segment = state.store.run(move |store| store.segment(&id)).await?.ok_or(Refusal::NoSegment)?;
    match segment.state {
        Stand::Approved => Ok(Arc::new(segment)),
        other @ (Stand::Draft | Stand::Pending | Stand::Withdrawn) => Err(Refusal::NotApproved(other).into()),
    }
}

/// An id that was never used: the second and a random number.
fn new_id(state: &State) -> Result<InterruptId, Problem> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|failure| Problem::unexpected(&failure))?;
    let now = state.clock.now().strftime("%Y%m%dT%H%M%SZ");
    Ok(InterruptId::new(format!("{now}-{:08x}", u32::from_be_bytes(bytes))))
}

/// Keeps an act after it was done: the air does not wait for the disk, and is not taken back for it.
async fn record(state: &State, act: Act) {
    if let Err(failure) = state.store.run(move |store| store.act(act)).await {
        tracing::error!(error = &failure as &dyn std::error::Error, "an act on the air could not be kept");
    }
}
