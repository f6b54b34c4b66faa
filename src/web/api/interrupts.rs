//! A person takes the air, gives it back, or stops what is on it.

use axum::Json;
use axum::extract::State as Of;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schedule::OutputId;
use crate::sequencer::{InterruptId, Repeats};
use crate::timeline::Layer;
use crate::web::State;
use crate::web::air::{self, Wish};
use crate::web::input::{Body, Named};
use crate::web::person::{CallEmergency, Person, See, TakeTheAir};
use crate::web::problem::Problem;

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
        let distance = |given: Option<u32>, usual: SignedDuration| {
            given.map_or(Some(usual), air::distance).ok_or_else(|| Problem::field("repeats"))
        };
        if self.at_most == Some(0) {
            return Err(Problem::field("repeats"));
        }
        Ok(Repeats {
            at_most: self.at_most,
            soon: distance(self.soon_min, air::SOON)?,
            close: self.close.unwrap_or(air::CLOSE),
            then: distance(self.then_min, air::THEN)?,
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
    /// Where it was to air too, and the engine did not take it.
    #[schema(value_type = Vec<String>)]
    refused: Vec<OutputId>,
    /// Where it airs and no sound can leave now: there each time waits ten minutes at most for the loudspeaker, and is
    /// logged as not aired after that.
    #[schema(value_type = Vec<String>)]
    down: Vec<OutputId>,
}

/// Takes the air with a recording.
#[utoipa::path(post, path = "/interrupts", tag = "air", request_body = Order,
    responses((status = ACCEPTED, body = Ordered)))]
pub(super) async fn interrupt(
    person: Person<See>,
    Of(state): Of<State>,
    Body(order): Body<Order>,
) -> Result<Response, Problem> {
    let layer = match order.layer {
        Rank::Live => Layer::Live,
        Rank::Emergency => Layer::Emergency,
    };
    person.must(air::permission(layer))?;
    let repeats = order.repeats.as_ref().map_or(Ok(Repeats::ONCE), Again::checked)?;
    let wish = Wish { segment: order.segment, layer, repeats, outputs: order.output.into_iter().collect() };
    let id = air::new_id(state.clock.now())?;
    let air::Ordered { outputs, refused, down } = air::order(&state, &person, &wish, id.clone()).await?;
    let address = format!("/api/v1/interrupts/{id}");
    let ordered = Ordered { id, outputs, refused, down };
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, address)], Json(ordered)).into_response())
}

/// Gives the air back: an interrupt ends, also its repeats. Of one that was ordered and has ended already, it is done.
#[utoipa::path(delete, path = "/interrupts/{id}", tag = "air", params(("id" = String, Path, description = "The interrupt")),
    responses((status = NO_CONTENT, description = "It ends")))]
pub(super) async fn call_off(
    // Whoever may call an emergency may also end one; a live one is less.
    person: Person<CallEmergency>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<StatusCode, Problem> {
    air::call_off(&state, &person, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops the cue that is on air; the timeline goes on with the next.
#[utoipa::path(post, path = "/outputs/{id}/stop", tag = "air", params(("id" = String, Path, description = "The output")),
    responses((status = ACCEPTED, description = "It stops")))]
pub(super) async fn stop(
    person: Person<TakeTheAir>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<StatusCode, Problem> {
    air::stop(&state, &person, &id, None).await?;
    Ok(StatusCode::ACCEPTED)
}
