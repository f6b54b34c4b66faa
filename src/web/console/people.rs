//! Người dùng: who works with the station, what they may do, and how they get in.

use std::collections::BTreeSet;

use axum::extract::State as Of;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;

use super::acts;
use super::form::{Fields, Sent};
use super::page::{Failure, key, page, to};
use super::visitor::Visitor;
use crate::access::Role;
use crate::store::{Act, ActFilter, LINK_DAYS, Link, People, Secret, Store, StoreError, User};
use crate::text;
use crate::text::http::Refusal;
use crate::text::page::people as say;
use crate::text::page::{names, signin};
use crate::web::State;
use crate::web::input::{Asked, Named};
use crate::web::person::{ManageUsers, Person};
use crate::web::problem::Problem;
use crate::web::proxy::Scheme;

/// The page's address.
const HERE: &str = "/nguoi-dung";
/// Acts that are shown.
const ACTS: u32 = 50;
/// The act of ending an account.
const REVOKE: &str = "user.revoke";

/// When a person's page was made, in the forms that make a secret: sent again, they make no second one.
const MADE: &str = "trang";

/// What was done just now.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Done {
    /// Whose account was ended.
    #[serde(default)]
    vua: String,
}

/// What was done just now with one person.
#[derive(Debug, Default, Deserialize)]
pub(super) struct DoneWith {
    /// They have other roles.
    #[serde(rename = "da-luu")]
    kept: Option<String>,
    /// Their tokens and logins ended.
    #[serde(rename = "da-thu-hoi")]
    ended: Option<String>,
}

/// Everyone.
pub(super) async fn list(
    visitor: Visitor<ManageUsers>,
    Of(state): Of<State>,
    Asked(done): Asked<Done>,
) -> Result<Html<String>, Failure> {
    let note = has_left(&state, done.vua).await?;
    everyone(&state, &visitor, None, &note).await
}

/// That somebody has left: since when, and who ended their account, where that is on record.
async fn has_left(state: &State, name: String) -> Result<Markup, Failure> {
    let read = move |store: &Store| {
        let Some(at) = store.user(&name)?.and_then(|user| user.revoked) else {
            return Ok(None);
        };
        let after = at.checked_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX);
        let acts = store.acts(at, after, ACTS)?;
        let ended = acts.into_iter().find(|act| act.what == REVOKE && act.subject == name);
        Ok(Some((name, at, ended.map(|act| act.by))))
    };
    let zone = &state.plan().schedule.time_zone;
    Ok(match state.store.run(read).await? {
        Some((name, at, by)) => html! {
            p.note.good role="status" { (say::has_left(&name, at, by.as_deref(), zone)) }
        },
        None => html! {},
    })
}

/// Everyone; where a form to add somebody is not taken, with what was filled in, and why.
async fn everyone(
    state: &State,
    visitor: &Visitor<ManageUsers>,
    typed: Option<(&Fields, &Refusal)>,
    note: &Markup,
) -> Result<Html<String>, Failure> {
    let read = |store: &Store| Ok((store.users()?, store.with_password()?));
    let (users, with_password) = state.store.run(read).await?;
    let (present, left): (Vec<_>, Vec<_>) = users.into_iter().partition(|user| user.revoked.is_none());
    let content = html! {
        (note)
        p.lead { (say::INTRO) }
        section {
            h2 { (say::PRESENT) }
            ul.people { @for user in &present { li.card {
                a.name href={ (HERE) "/" (user.name) } { (user.name) }
                @if user.name == visitor.person.name() { " (" (say::YOU) ")" }
                p { (roles_of(user)) }
                p.quiet { (if with_password.contains(&user.name) { say::HAS_PASSWORD } else { say::NO_PASSWORD }) }
            } } }
        }
        (adding(visitor, typed))
        section {
            h2 { (say::LEFT) }
            @if left.is_empty() { p.quiet { (say::NOBODY_LEFT) } }
            ul { @for user in &left { li { (user.name) } } }
        }
        (newest_acts(state).await?)
    };
    Ok(page(state, visitor, HERE, names::PEOPLE, &content))
}

/// The form to add somebody.
fn adding(visitor: &Visitor<ManageUsers>, typed: Option<(&Fields, &Refusal)>) -> Markup {
    let name = typed.map(|(fields, _)| fields.one("name"));
    let (of_roles, of_name): (Vec<_>, Vec<_>) =
        typed.iter().map(|(_, why)| *why).partition(|why| matches!(why, Refusal::NoRole));
    html! {
        section {
            h2 { (say::ADD) }
            form.card method="post" action=(HERE) {
                (key(visitor))
                label { (signin::NAME)
                    input name="name" value=[name] required maxlength="64" pattern="[A-Za-z0-9_\\-][A-Za-z0-9._\\-]*" autocapitalize="none"
                        spellcheck="false" autocomplete="off" aria-describedby=(if of_name.is_empty() { "name-rule" } else { "wrong-name name-rule" }) aria-invalid=[of_name.first().map(|_| "true")];
                    @for why in of_name { small.fault #wrong-name { (why.detail()) } }
                    small #name-rule { (signin::NAME_RULE) }
                }
                (role_boxes(&typed.map(|(fields, _)| known_roles(fields)).unwrap_or_default(), of_roles.first().map(|_| "wrong-role")))
                @for why in of_roles { small.fault #wrong-role { (why.detail()) } }
                p.quiet { (say::ADD_MEANS) }
                button.main { (say::ADD_NOW) }
            }
        }
    }
}

fn roles_of(user: &User) -> String {
    user.roles.iter().map(|role| text::page::role(*role)).collect::<Vec<_>>().join(", ")
}

fn role_boxes(ticked: &BTreeSet<Role>, described: Option<&str>) -> Markup {
    html! {
        fieldset aria-describedby=[described] {
            legend { (say::ROLES) }
            @for role in Role::ALL {
                label.box {
                    input type="checkbox" name="role" value=(role.code()) checked[ticked.contains(&role)];
                    span { strong { (text::page::role(role)) } " – " (text::page::role_means(role)) }
                }
            }
        }
    }
}

async fn newest_acts(state: &State) -> Result<Markup, Failure> {
    let acts = state.store.run(|store| store.act_page(&ActFilter::default(), None, ACTS)).await?.acts;
    Ok(html! {
        section {
            h2 { (say::ACTS) }
            (acts::table(&acts, &state.plan()))
            p { a href=(acts::HERE) { (text::page::log::OLDER_ACTS) } }
        }
    })
}

/// Those of the ticked roles that there are.
fn known_roles(fields: &Fields) -> BTreeSet<Role> {
    fields.all("role").filter_map(|role| role.parse().ok()).collect()
}

/// The roles that were ticked: at least one.
fn ticked(fields: &Fields) -> Result<BTreeSet<Role>, Refusal> {
    let roles: Result<BTreeSet<Role>, _> = fields.all("role").map(str::parse).collect();
    roles.ok().filter(|roles| !roles.is_empty()).ok_or(Refusal::NoRole)
}

/// Adds a person, and shows the link by which they set their password.
pub(super) async fn add(
    Of(state): Of<State>,
    scheme: Scheme,
    headers: HeaderMap,
    Sent { visitor, fields }: Sent<ManageUsers>,
) -> Result<Response, Failure> {
    match added(&state, &visitor, &fields).await {
        Ok((name, secret)) => {
            let address = address(scheme, &headers, &secret.to_string());
            Ok(link_page(&state, &visitor, &name, &address).into_response())
        }
        Err(Problem(why @ (Refusal::NoRole | Refusal::BadUserName | Refusal::UserExists))) => {
            let note = html! { p.note.bad role="alert" { (why.detail()) } };
            let shown = everyone(&state, &visitor, Some((&fields, &why)), &note).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Adds a person; their name, and what opens the page on which they set their password.
async fn added(
    state: &State,
    visitor: &Visitor<ManageUsers>,
    fields: &Fields,
) -> Result<(String, Secret), Problem> {
    let (name, roles, now) = (fields.one("name").to_owned(), ticked(fields)?, state.clock.now());
    let act = visitor.person.act("user.add", name.clone(), now);
    let added = {
        let name = name.clone();
        move |people: &People<'_>| {
            people.add_user(&name, &roles, now)?;
            people.act(&act)?;
            people.new_link(Link::For(name), now)
        }
    };
    let secret = state.store.run(|store| store.with_people("add a user", added)).await?;
    Ok((name, secret))
}

/// The link as it is reached from where the page was.
fn address(scheme: Scheme, headers: &HeaderMap, secret: &str) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!("{}://{host}/bat-dau/{secret}", scheme.name())
}

/// Whether an address is that of the machine itself, at which no other one finds it.
fn is_only_here(address: &str) -> bool {
    let host = address.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.starts_with("127.") || name == "[::1]"
}

fn link_page(state: &State, visitor: &Visitor<ManageUsers>, name: &str, address: &str) -> Html<String> {
    let content = html! {
        p { (say::link_for(name, LINK_DAYS)) }
        p.card.secret { (address) }
        @if is_only_here(address) { p.note.warn { (say::LINK_ONLY_HERE) } }
        div.actions {
            button.main type="button" hidden data-copy=(say::COPIED) { (say::COPY_LINK) }
            button type="button" hidden data-share { (say::SHARE) }
            a.button href=(HERE) { (say::BACK) }
        }
    };
    page(state, visitor, HERE, say::LINK_TITLE, &content)
}

/// One person.
pub(super) async fn one(
    visitor: Visitor<ManageUsers>,
    Of(state): Of<State>,
    Named(name): Named,
    Asked(done): Asked<DoneWith>,
) -> Result<Response, Failure> {
    if let Some(name) = spelt(&state, &name).await? {
        return Ok(to(&format!("{HERE}/{name}")));
    }
    let user = present(&state, &name).await?;
    let note = html! {
        @if done.kept.is_some() { p.note.good role="status" { (say::roles_kept(&user.name, &roles_of(&user))) } }
        @if done.ended.is_some() { p.note.good role="status" { (say::all_ended(&user.name)) } }
    };
    Ok(person(&state, &visitor, &user, &note).into_response())
}

/// How the name of somebody is spelt who has it in other case; none where it is right, or nobody's.
async fn spelt(state: &State, typed: &str) -> Result<Option<String>, Failure> {
    let typed = typed.to_owned();
    let read =
        move |store: &Store| if store.user(&typed)?.is_some() { Ok(None) } else { store.meant_by(&typed) };
    Ok(state.store.run(read).await?)
}

/// A person's page, with what was done or not taken.
fn person(state: &State, visitor: &Visitor<ManageUsers>, user: &User, note: &Markup) -> Html<String> {
    let at = |what: &str| format!("{HERE}/{}/{what}", user.name);
    let now = state.clock.now().as_millisecond();
    let content = html! {
        (note)
        form.card method="post" action=(at("vai-tro")) {
            (key(visitor))
            (role_boxes(&user.roles, None))
            button.main { (say::CHANGE_ROLES) }
        }
        div.actions {
            @for (what, title) in [("lien-ket", say::NEW_LINK), ("ma", say::NEW_TOKEN)] {
                form method="post" action=(at(what)) {
                    (key(visitor))
                    input type="hidden" name=(MADE) value=(now);
                    button { (title) }
                }
            }
            a.button href=(at("thu-hoi")) { (say::END_ALL) }
            a.button.bad href=(at("thoi-viec")) { (say::REVOKE) }
        }
        p { a href=(HERE) { (say::BACK) } }
    };
    page(state, visitor, HERE, &user.name, &content)
}

/// Somebody who has not left.
async fn present(state: &State, name: &str) -> Result<User, Failure> {
    let user = known(state, name).await?;
    if user.revoked.is_none() { Ok(user) } else { Err(Refusal::NoUser.into()) }
}

/// Somebody who is, or was.
async fn known(state: &State, name: &str) -> Result<User, Failure> {
    let wanted = name.to_owned();
    let user = state.store.run(move |store| store.user(&wanted)).await?;
    Ok(user.ok_or(Refusal::NoUser)?)
}

/// Gives a person other roles.
pub(super) async fn roles(
    Of(state): Of<State>,
    Named(name): Named,
    Sent { visitor, fields }: Sent<ManageUsers>,
) -> Result<Response, Failure> {
    let roles = match ticked(&fields) {
        Ok(roles) => roles,
        Err(why) => {
            let user = User { roles: known_roles(&fields), ..present(&state, &name).await? };
            let note = html! { p.note.bad role="alert" { (why.detail()) } };
            let shown = person(&state, &visitor, &user, &note);
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response());
        }
    };
    let act = act(&visitor.person, &state, "user.roles", &name);
    let back = format!("{HERE}/{name}?da-luu=1");
    state.store.run(move |store| store.set_roles(&name, &roles, act)).await?;
    Ok(to(&back))
}

fn act(person: &Person<ManageUsers>, state: &State, what: &str, name: &str) -> Act {
    person.act(what, name, state.clock.now())
}

/// Makes a link by which a person sets a new password.
pub(super) async fn link(
    Of(state): Of<State>,
    Named(name): Named,
    scheme: Scheme,
    headers: HeaderMap,
    Sent { visitor, fields }: Sent<ManageUsers>,
) -> Result<Html<String>, Failure> {
    let act = act(&visitor.person, &state, "user.link", &name);
    let whose = name.clone();
    let make = move |people: &People<'_>, at| people.new_link(Link::For(whose), at);
    match once(&state, &fields, act, make).await? {
        Some(secret) => {
            Ok(link_page(&state, &visitor, &name, &address(scheme, &headers, &secret.to_string())))
        }
        None => Ok(shown_before(&state, &visitor, &name, say::LINK_TITLE)),
    }
}

/// Makes a secret, and keeps the act; none where the same page made one before: its form was sent again.
async fn once(
    state: &State,
    fields: &Fields,
    act: Act,
    make: impl FnOnce(&People<'_>, Timestamp) -> Result<Secret, StoreError> + Send + 'static,
) -> Result<Option<Secret>, StoreError> {
    let page = fields.one(MADE).parse().ok().and_then(|made| Timestamp::from_millisecond(made).ok());
    let made = move |people: &People<'_>| {
        let since = page.map(|page| people.acts_since(page, ACTS)).transpose()?.unwrap_or_default();
        let same = |done: &Act| (&done.by, &done.what, &done.subject) == (&act.by, &act.what, &act.subject);
        if since.iter().any(same) {
            return Ok(None);
        }
        let secret = make(people, act.at)?;
        people.act(&act)?;
        Ok(Some(secret))
    };
    state.store.run(|store| store.with_people("make a secret", made)).await
}

/// That a secret was made and shown: it is not shown again.
fn shown_before(state: &State, visitor: &Visitor<ManageUsers>, name: &str, title: &str) -> Html<String> {
    let content = html! {
        p.note.warn role="status" { (say::SHOWN_BEFORE) }
        p { a.button href={ (HERE) "/" (name) } { (say::to_person(name)) } }
    };
    page(state, visitor, HERE, title, &content)
}

/// Makes a token for a program that works in a person's name.
pub(super) async fn token(
    Of(state): Of<State>,
    Named(name): Named,
    Sent { visitor, fields }: Sent<ManageUsers>,
) -> Result<Html<String>, Failure> {
    let act = act(&visitor.person, &state, "user.token", &name);
    let whose = name.clone();
    let make = move |people: &People<'_>, at| people.new_token(&whose, "console", at);
    let Some(token) = once(&state, &fields, act, make).await? else {
        return Ok(shown_before(&state, &visitor, &name, say::TOKEN_TITLE));
    };
    let content = html! {
        p { (say::TOKEN_ONCE) }
        p.card.secret { (token) }
        div.actions {
            button.main type="button" hidden data-copy=(say::COPIED) { (say::COPY_TOKEN) }
            a.button href=(HERE) { (say::BACK) }
        }
    };
    Ok(page(&state, &visitor, HERE, say::TOKEN_TITLE, &content))
}

/// Asks whether a person's tokens and logins shall end.
pub(super) async fn ask_end_all(
    visitor: Visitor<ManageUsers>,
    Of(state): Of<State>,
    Named(name): Named,
) -> Result<Response, Failure> {
    if let Some(name) = spelt(&state, &name).await? {
        return Ok(to(&format!("{HERE}/{name}/thu-hoi")));
    }
    let user = present(&state, &name).await?;
    let content = html! {
        p.note.warn { (say::end_all_question(&user.name)) }
        form.actions.second-press method="post" {
            (key(&visitor))
            button.bad { (say::END_ALL_NOW) }
            a.button href={ (HERE) "/" (user.name) } { (text::page::CANCEL) }
        }
    };
    Ok(page(&state, &visitor, HERE, say::END_ALL, &content).into_response())
}

/// Ends a person's tokens, and signs all their browsers out: a phone was lost.
pub(super) async fn end_all(
    Of(state): Of<State>,
    Named(name): Named,
    Sent { visitor, .. }: Sent<ManageUsers>,
) -> Result<Response, Failure> {
    let act = act(&visitor.person, &state, "user.end-all", &name);
    let back = format!("{HERE}/{name}?da-thu-hoi=1");
    let ended = move |people: &People<'_>| {
        people.revoke_tokens(&name, act.at)?;
        people.sign_out_everywhere(&name)?;
        people.act(&act)
    };
    state.store.run(|store| store.with_people("end the tokens and logins of a user", ended)).await?;
    Ok(to(&back))
}

/// Everyone, with a note that somebody has left.
fn who_left(name: &str) -> String {
    let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("{HERE}?vua={name}")
}

/// Asks whether a person shall go; of one who has gone, it is said.
pub(super) async fn ask_revoke(
    visitor: Visitor<ManageUsers>,
    Of(state): Of<State>,
    Named(name): Named,
) -> Result<Response, Failure> {
    if let Some(name) = spelt(&state, &name).await? {
        return Ok(to(&format!("{HERE}/{name}/thoi-viec")));
    }
    let user = known(&state, &name).await?;
    if user.revoked.is_some() {
        return Ok(to(&who_left(&user.name)));
    }
    let content = html! {
        p.note.warn { (say::revoke_question(&user.name)) }
        form.actions.second-press method="post" {
            (key(&visitor))
            button.bad { (say::REVOKE_NOW) }
            a.button href={ (HERE) "/" (user.name) } { (text::page::CANCEL) }
        }
    };
    Ok(page(&state, &visitor, HERE, say::REVOKE, &content).into_response())
}

/// Lets a person go.
pub(super) async fn revoke(
    Of(state): Of<State>,
    Named(name): Named,
    Sent { visitor, .. }: Sent<ManageUsers>,
) -> Result<Response, Failure> {
    let act = act(&visitor.person, &state, REVOKE, &name);
    let address = who_left(&name);
    let ended = move |store: &Store| match store.let_go(&name, act) {
        // A button was pressed twice, or somebody else was quicker.
        Err(StoreError::NoUser(_)) if store.user(&name)?.is_some() => Ok(()),
        ended => ended,
    };
    state.store.run(ended).await?;
    Ok(to(&address))
}
