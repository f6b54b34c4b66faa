//! People: who they are, what they may do, and what they did.

#![expect(unused_qualifications, reason = "utoipa qualifies what it finds in `params`")]

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State as Of;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::Role;
use crate::store::{Act, People, Store, User};
use crate::text::http::Refusal;
use crate::web::State;
use crate::web::input::{Asked, Body, Named, end, instant, parse_code};
use crate::web::person::{ManageUsers, Person, ReadActs};
use crate::web::problem::Problem;

/// Longest label of a token, in letters.
const LONGEST_LABEL: usize = 64;

/// Somebody who works with the station.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UserView {
    /// Their name, unique for ever.
    name: String,
    /// What they are: `uploader`, `approver`, `operator`, `auditor`, `admin`.
    #[schema(value_type = Vec<String>)]
    roles: BTreeSet<Role>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// Until when; none for those who still are.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked: Option<Timestamp>,
}

impl From<User> for UserView {
    fn from(User { name, roles, created, revoked }: User) -> Self {
        Self { name, roles, created, revoked }
    }
}

/// Everyone, also those who left.
#[utoipa::path(get, path = "/users", tag = "users",
    responses((status = OK, body = Vec<UserView>)))]
pub(super) async fn list(
    _: Person<ManageUsers>,
    Of(state): Of<State>,
) -> Result<Json<Vec<UserView>>, Problem> {
    let users = state.store.run(Store::users).await?;
    Ok(Json(users.into_iter().map(UserView::from).collect()))
}

/// Somebody new.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    /// 1 to 64 of `a-z A-Z 0-9 - _ .`.
    name: String,
    /// At least one role.
    roles: Vec<String>,
    /// What their first token is for, as `phone`.
    label: Option<String>,
}

/// Somebody, with a token that is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Welcome {
    /// They.
    user: UserView,
    /// For `Authorization: Bearer …`. Only its hash is kept.
    token: String,
}

/// Adds a person, with a first token.
#[utoipa::path(post, path = "/users", tag = "users", request_body = NewUser,
    responses((status = CREATED, body = Welcome)))]
pub(super) async fn add(
    person: Person<ManageUsers>,
    Of(state): Of<State>,
    Body(new): Body<NewUser>,
) -> Result<Response, Problem> {
    let roles: Result<BTreeSet<Role>, _> = new.roles.iter().map(|role| parse_code("roles", role)).collect();
    let roles = roles?;
    if roles.is_empty() {
        return Err(Refusal::NoRole.into());
    }
    let (name, label, now) = (new.name, checked_label(new.label)?, state.clock.now());
    let act = person.act("user.add", name.clone(), now);
    let added = move |people: &People<'_>| {
        let user = people.add_user(&name, &roles, now)?;
        let token = people.new_token(&name, &label, now)?;
        people.act(&act)?;
        Ok((user, token))
    };
    let (user, token) = state.store.run(|store| store.with_people("add a user", added)).await?;
    let body = Json(Welcome { user: user.into(), token: token.to_string() });
    Ok((StatusCode::CREATED, body).into_response())
}

/// What a token is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// As `phone`.
    label: Option<String>,
}

fn checked_label(label: Option<String>) -> Result<String, Problem> {
    let label = label.unwrap_or_default();
    let fits = label.chars().count() <= LONGEST_LABEL && !label.chars().any(char::is_control);
    if fits { Ok(label) } else { Err(Problem::field("label")) }
}

/// A token that is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Token {
    /// For `Authorization: Bearer …`. Only its hash is kept.
    token: String,
}

/// Makes one more token for a person.
#[utoipa::path(post, path = "/users/{name}/tokens", tag = "users", request_body = NewToken,
    params(("name" = String, Path, description = "The person")),
    responses((status = CREATED, body = Token)))]
pub(super) async fn token(
    person: Person<ManageUsers>,
    Of(state): Of<State>,
    Named(name): Named,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<Token>), Problem> {
    let (label, now) = (checked_label(new.label)?, state.clock.now());
    let act = person.act("user.token", name.clone(), now);
    let made = move |people: &People<'_>| {
        let token = people.new_token(&name, &label, now)?;
        people.act(&act)?;
        Ok(token)
    };
    let token = state.store.run(|store| store.with_people("make a token", made)).await?.to_string();
    Ok((StatusCode::CREATED, Json(Token { token })))
}

/// A person leaves: their tokens end, their name stays in the log.
#[utoipa::path(delete, path = "/users/{name}", tag = "users", params(("name" = String, Path, description = "The person")),
    responses((status = NO_CONTENT, description = "They have left")))]
pub(super) async fn revoke(
    person: Person<ManageUsers>,
    Of(state): Of<State>,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    let act = person.act("user.revoke", name.clone(), state.clock.now());
    state.store.run(move |store| store.let_go(&name, act)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which acts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// From this instant, or this date, on.
    from: Option<String>,
    /// Before this instant, or until the end of this date.
    to: Option<String>,
    /// How many, at most 10,000; 500 where it is not said.
    limit: Option<u32>,
}

/// Something a person did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who.
    by: String,
    /// What: `segment.approve`, `interrupt.emergency`, `user.add` …
    what: String,
    /// With what.
    subject: String,
    /// What people called that then, where it has another name.
    title: Option<String>,
    /// From where: an address, or `command line`.
    origin: String,
}

/// What people did, newest first.
#[utoipa::path(get, path = "/acts", tag = "users", params(Wanted),
    responses((status = OK, body = Vec<ActView>)))]
pub(super) async fn acts(
    _: Person<ReadActs>,
    Of(state): Of<State>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Vec<ActView>>, Problem> {
    let zone = state.plan().schedule.time_zone.clone();
    let from = wanted.from.as_deref().map_or(Ok(Timestamp::MIN), |from| instant("from", from, &zone))?;
    let to = wanted.to.as_deref().map_or(Ok(Timestamp::MAX), |to| end("to", to, &zone))?;
    let limit = wanted.limit.unwrap_or(500);
    let acts = state.store.run(move |store| store.acts(from, to, limit)).await?;
    let view =
        |Act { at, by, what, subject, title, origin }: Act| ActView { at, by, what, subject, title, origin };
    Ok(Json(acts.into_iter().map(view).collect()))
}
