//! The interface for programs, `/api/v1`, and the document that describes it.

pub(super) mod airings;
mod audio;
mod clock;
mod events;
pub(super) mod health;
mod interrupts;
mod levelled;
mod segments;
mod status;
pub(super) mod timeline;
pub(super) mod tus;
pub(super) mod upload;
pub(super) mod users;

use axum::Json;
use axum::middleware::from_fn;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{self, Content, PathItem, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::ProblemBody;
use super::{State, in_time};

/// What the document says before the addresses.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "loa",
        description = "Scheduling and playout of a commune's loudspeaker station. Every refusal is an \
            `application/problem+json` (RFC 9457) with a stable `code`."
    ),
    components(schemas(ProblemBody)),
    modifiers(&Token),
    security(("token" = []))
)]
struct Description;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// Adds to every address that it may refuse and fail, where it does not say so itself.
fn refuse(document: &mut openapi::OpenApi) {
    let problem = |description: &str| {
        let body = Content::new(Some(Ref::from_schema_name("ProblemBody")));
        ResponseBuilder::new().description(description).content("application/problem+json", body).build()
    };
    for item in document.paths.paths.values_mut() {
        let PathItem { get, put, post, delete, options, head, patch, .. } = item;
        for operation in [get, put, post, delete, options, head, patch].into_iter().flatten() {
            let said = &mut operation.responses.responses;
            for (status, why) in
                [("4XX", "Refused"), ("5XX", "The station is busy, or something of it fails")]
            {
                said.entry(status.to_owned()).or_insert_with(|| problem(why).into());
            }
        }
    }
}

/// The addresses, with their description.
pub(super) fn router() -> OpenApiRouter<State> {
    // `routes!` takes handlers of one address each.
    let quick = OpenApiRouter::new()
        .routes(routes!(segments::list))
        .routes(routes!(segments::one, segments::describe))
        .routes(routes!(audio::audio))
        .routes(routes!(levelled::levelled))
        .routes(routes!(segments::waveform))
        .routes(routes!(segments::events))
        .routes(routes!(segments::submit))
        .routes(routes!(segments::approve))
        .routes(routes!(segments::give_back))
        .routes(routes!(segments::withdraw))
        .routes(routes!(timeline::timeline))
        .routes(routes!(status::status))
        .routes(routes!(airings::airings))
        .routes(routes!(interrupts::interrupt))
        .routes(routes!(interrupts::call_off))
        .routes(routes!(interrupts::stop))
        .routes(routes!(clock::confirm))
        .routes(routes!(events::events))
        .routes(routes!(health::health))
        .routes(routes!(users::list, users::add))
        .routes(routes!(users::revoke))
        .routes(routes!(users::token))
        .routes(routes!(users::acts))
        .routes(routes!(document))
        .route_layer(from_fn(in_time));
    let resumable = OpenApiRouter::new()
        .routes(routes!(tus::abilities, tus::create))
        .routes(routes!(tus::became, tus::offset, tus::append, tus::terminate))
        .route_layer(from_fn(tus::versioned));
    let slow = OpenApiRouter::new().routes(routes!(upload::upload)).routes(routes!(airings::verify));
    let mut router = OpenApiRouter::with_openapi(Description::openapi())
        .nest("/api/v1", quick.merge(slow).merge(resumable))
        .routes(routes!(health::metrics));
    refuse(router.get_openapi_mut());
    router
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "station", security(()),
    responses((status = OK, description = "OpenAPI 3.1", content_type = "application/json")))]
async fn document() -> Json<openapi::OpenApi> {
    Json(router().into_openapi())
}
