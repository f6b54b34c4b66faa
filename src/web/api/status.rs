//! How the station is at the moment.

use axum::Json;
use axum::extract::State as Of;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::text;
use crate::timeline::Severity;
use crate::web::State;
use crate::web::input::local;
use crate::web::person::{Person, See};

/// The station at the moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Now {
    /// The station's name.
    station: String,
    /// When this was so.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The same, by the station's clocks.
    at_local: String,
    /// What each engine does: what sounds, what is next, interrupts in force, level, device, clock.
    #[schema(value_type = Vec<Object>)]
    outputs: Vec<serde_json::Value>,
    /// The plan in force.
    plan: PlanView,
}

/// The plan in force.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlanView {
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What is wrong with the schedule's files as they are now; while there is something, the schedule before them stays in
    /// force.
    #[schema(value_type = Vec<Object>)]
    problems: Vec<serde_json::Value>,
    /// Findings on what is to come, by how bad they are.
    findings: Findings,
}

/// Findings, counted.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Findings {
    /// Something will not air.
    pub(super) errors: u64,
    /// What airs differs from the plan, as provided for.
    pub(super) warnings: u64,
    /// Worth knowing.
    pub(super) notes: u64,
}

/// Counts what the plan found of what is still to come.
pub(super) fn findings(state: &State) -> Findings {
    let (plan, now) = (state.plan(), state.clock.now());
    let mut count = Findings::default();
    for finding in
        plan.timelines.iter().flat_map(|timeline| &timeline.findings).filter(|finding| finding.at >= now)
    {
        match finding.severity {
            Severity::Error => count.errors += 1,
            Severity::Warning => count.warnings += 1,
            Severity::Note => count.notes += 1,
        }
    }
    count
}

/// What every engine does, with words.
pub(super) fn outputs(state: &State) -> Vec<serde_json::Value> {
    let one = |engine: &crate::engine::handle::Handle| {
        let status = engine.status();
        let layer = text::outcome::layer(status.layer);
        let running = engine.runs();
        let mut value = serde_json::to_value(status).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("layer_text".to_owned(), layer.into());
            fields.insert("running".to_owned(), running.into());
        }
        value
    };
    state.engines.iter().map(one).collect()
}

/// How the station is at the moment.
#[utoipa::path(get, path = "/status", tag = "station",
    responses((status = OK, body = Now)))]
pub(super) async fn status(_: Person<See>, Of(state): Of<State>) -> Json<Now> {
    let (plan, at) = (state.plan(), state.clock.now());
    Json(Now {
        station: plan.schedule.name.clone(),
        at,
        at_local: local(at, &plan.schedule.time_zone),
        outputs: outputs(&state),
        plan: PlanView {
            at: plan.at,
            problems: plan
                .problems
                .iter()
                .filter_map(|problem| {
                    let mut value = serde_json::to_value(problem).ok()?;
                    value.as_object_mut()?.insert("text".to_owned(), text::problem::problem(problem).into());
                    Some(value)
                })
                .collect(),
            findings: findings(&state),
        },
    })
}
