//! A person says that the machine's clock is right.

use axum::Json;
use axum::extract::State as Of;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::State;
use crate::web::clock;
use crate::web::person::{ConfirmClock, Person};
use crate::web::problem::Problem;

/// What became of somebody's word for the time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Confirmed {
    /// The newest instant on record, later than the machine's time, which spoke against it; left out where nothing did, and
    /// nothing was to be confirmed.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Timestamp>,
    /// How many pieces that the log said did not air may air again.
    reopened: usize,
}

/// Says that the machine's clock is right, where the log has later times: the sessions of the schedule air by it again.
#[utoipa::path(post, path = "/clock/confirm", tag = "station", responses((status = OK, body = Confirmed)))]
pub(super) async fn confirm(
    person: Person<ConfirmClock>,
    Of(state): Of<State>,
) -> Result<Json<Confirmed>, Problem> {
    let taken = clock::confirm(&state, &person).await?;
    let reopened = taken.as_ref().map_or(0, |doubt| doubt.reopens.len());
    Ok(Json(Confirmed { against: taken.map(|doubt| doubt.newest), reopened }))
}
