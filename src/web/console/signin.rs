//! Signing in and out, and setting a password by a link.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};

use axum::extract::State as Of;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, Html, IntoResponse, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use tokio::sync::OwnedSemaphorePermit;

use super::form::{Fields, Query, Sent, Whence, whence};
use super::known::Mark;
use super::page::{Failure, plain, to};
use super::visitor::{AGAIN, Visitor, in_vain};
use crate::access::Role;
use crate::access::password::{self, Kept, LONGEST, SHORTEST};
use crate::access::throttle::Attempt;
use crate::segment::is_id;
use crate::store::{Act, Link, People, Secret, Store, StoreError};
use crate::text::http::Refusal;
use crate::text::page::{names, signin as say, unsent};
use crate::web::State;
use crate::web::drawer::{Drawer, Unsent};
use crate::web::input::Named;
use crate::web::person::{self, COOKIE, Person, See, key_of, login, network, origin};
use crate::web::problem::Problem;
use crate::web::proxy::Scheme;

/// What the first administrator of a station is: they run it, and add others.
const FIRST_ROLES: [Role; 2] = [Role::Admin, Role::Operator];

/// Only to a page of ours: `//elsewhere` and `/\elsewhere` are other sites, also with a tab that a browser leaves out.
pub(super) fn ours(address: &str) -> &str {
    let inside = address.starts_with('/')
        && !address.starts_with("//")
        && !address.contains(|letter: char| letter == '\\' || letter.is_control());
    if inside { address } else { "/" }
}

/// Where somebody is going who signs in, and whether a form of theirs waits.
#[derive(Debug, Default)]
struct Way {
    name: String,
    back: String,
    /// What they pressed there was not done.
    in_vain: bool,
    /// A form of this browser waits.
    keeps: bool,
}

impl Way {
    fn of(fields: &Fields, keeps: bool) -> Self {
        Self { name: fields.one("name").to_owned(), keeps, ..Self::back(fields) }
    }

    /// Where an address or a form leads back to.
    fn back(fields: &Fields) -> Self {
        let in_vain = !fields.one(AGAIN).is_empty();
        Self { back: ours(fields.one("sau")).to_owned(), in_vain, ..Self::default() }
    }

    /// Back, and it is said there what was not done.
    fn to(&self) -> Response {
        if self.in_vain { to(&in_vain(&self.back)) } else { to(&self.back) }
    }

    /// Asks for name and password.
    fn page(&self, wrong: Option<&str>) -> Html<String> {
        let content = html! {
            @if self.keeps { p.note.warn role="status" { (unsent::SIGN_IN) } }
            @else if self.in_vain { p.note.warn role="status" { (unsent::AGAIN) } }
            @if let Some(wrong) = wrong { p.note.bad role="alert" { (wrong) } }
            form.card method="post" action="/dang-nhap" {
                input type="hidden" name="sau" value=(self.back);
                @if self.in_vain { input type="hidden" name=(AGAIN) value="1"; }
                label { (say::NAME)
                    input name="name" value=(self.name) required autofocus autocomplete="username" autocapitalize="none" spellcheck="false";
                }
                label { (say::PASSWORD)
                    input name="password" type="password" required autocomplete="current-password";
                }
                button.main { (say::ENTER) }
            }
            p { (say::FORGOT) }
        };
        plain(names::SIGN_IN, &content)
    }
}

/// Asks for name and password.
pub(super) async fn ask(Query(asked): Query) -> Html<String> {
    Way::back(&asked).page(None)
}

/// Asks for name and password where something was sent too late, which is kept.
pub(super) fn late(state: &State, unsent: Unsent, parts: &Parts) -> Result<Response, Failure> {
    let back = unsent.from.clone();
    let cookie = drawer(state).put(unsent, parts, state.clock.elapsed())?;
    // Should it be gone when they have signed in, they are told so where they were.
    let page = Way { back, in_vain: true, keeps: true, ..Way::default() }.page(None);
    // Like the page to sign in on, whose form it has: it says to nobody where it was.
    let headers =
        [(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")), (header::SET_COOKIE, cookie)];
    Ok((StatusCode::UNAUTHORIZED, headers, page).into_response())
}

fn drawer(state: &State) -> MutexGuard<'_, Drawer> {
    state.limits.unsent.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Signs a browser in.
pub(super) async fn enter(Of(state): Of<State>, parts: Parts, fields: Fields) -> Result<Response, Failure> {
    from_here(&parts.headers)?;
    let way = Way::of(&fields, drawer(&state).has(&parts, state.clock.elapsed()));
    let name = way.name.clone();
    let (address, network) = (origin(&parts), network(&parts));
    // What cannot be a name is one for all, so that nobody fills the memory with them.
    let known_as = if is_id(&name) { name.to_lowercase() } else { String::new() };
    // One after the other: whoever sends a hundred guesses at once waits like one who sends them in turn.
    let place = hashing(&state).await;
    let typed = name.clone();
    let find = move |store: &Store| {
        let meant = store.meant_by(&typed)?;
        let kept = meant.as_deref().map(|name| store.password(name)).transpose()?;
        Ok(meant.zip(kept.flatten()))
    };
    let account = state.store.run(find).await?;
    let mark = account.as_ref().map(|(name, kept)| Mark::of(name, kept));
    let known = mark.as_ref().is_some_and(|mark| mark.is_shown(&parts));
    let attempt = Attempt { name: &known_as, address: &address, network: &network, known };
    let elapsed = state.clock.elapsed();
    let guesses = || state.limits.guesses.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = guesses().wait(attempt, elapsed);
    if let Some(left) = wait {
        let page = way.page(Some(&say::too_many(left)));
        let seconds = HeaderValue::from(left.as_secs() + 1);
        return Ok((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds)], page).into_response());
    }
    let (meant, kept) = account.unzip();
    let password = fields.exactly("password").to_owned();
    // A name that nobody has takes as long as a wrong password, so that names cannot be found out.
    let (place, right) = hashed(place, move || kept.unwrap_or_else(Kept::none).is(&password)).await?;
    let Some((meant, mark)) = meant.zip(mark).filter(|_| right) else {
        guesses().failed(attempt, elapsed);
        tracing::warn!(origin = address, "a sign-in failed");
        return Ok((StatusCode::UNAUTHORIZED, way.page(Some(say::WRONG))).into_response());
    };
    drop(place);
    guesses().succeeded(attempt);
    let act = own_act(&meant, address, "sign-in", state.clock.now());
    let signed_in = move |people: &People<'_>| sign_in_by(people, &act);
    let secret = state.store.run(|store| store.with_people("sign in", signed_in)).await?;
    let unsent = drawer(&state).take(&parts, state.clock.elapsed());
    let next = match unsent {
        Some(unsent) => unsent.ask(&state, &just_signed_in(&state, &secret, &parts).await?).into_response(),
        None => way.to(),
    };
    Ok(with_login(&secret, &mark, Scheme::of(&parts), next))
}

/// Whoever signed in just now.
async fn just_signed_in(state: &State, secret: &Secret, parts: &Parts) -> Result<Visitor<See>, Problem> {
    let login = secret.to_string();
    let key = key_of(&login);
    let user = person::signed_in(state, login).await?.ok_or(Refusal::NoUser)?;
    Ok(Visitor { person: Person::of(user, parts)?, key, pressed_in_vain: false, withdrawn: None })
}

/// The one place at which a hash of a password is computed: each takes memory, and the air has the first right to the
/// processor.
async fn hashing(state: &State) -> Option<OwnedSemaphorePermit> {
    Arc::clone(&state.limits.hashes).acquire_owned().await.ok()
}

/// Computes a hash; gives the place back with it.
async fn hashed<P: Send + 'static, T: Send + 'static>(
    place: P,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<(P, T), Problem> {
    // The place goes along: a request that was given up goes on hashing.
    let work = tokio::task::spawn_blocking(move || {
        let done = work();
        (place, done)
    });
    work.await.map_err(|failure| Problem::unexpected(&failure))
}

/// What somebody does with their own login.
fn own_act(name: &str, origin: String, what: &str, at: Timestamp) -> Act {
    let (by, subject) = (name.to_owned(), name.to_owned());
    Act { at, by, what: what.to_owned(), subject, title: None, origin }
}

/// Signs in who does something by which they do, and keeps that.
fn sign_in_by(people: &People<'_>, act: &Act) -> Result<Secret, StoreError> {
    people.act(act)?;
    people.sign_in(&act.by, act.at)
}

/// Signs a browser out.
pub(super) async fn leave(
    Of(state): Of<State>,
    parts: Parts,
    sent: Result<Sent<See>, Response>,
) -> Result<Response, Failure> {
    match (sent, login(&parts)) {
        (Ok(_), Some(login)) => state.store.run(move |store| store.sign_out(&login)).await?,
        // Whoever is not signed in is out already.
        (Err(turned), _) if turned.status() != StatusCode::SEE_OTHER => return Ok(turned),
        _ => {}
    }
    let gone = HeaderValue::from_static("loa=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    Ok(([(header::SET_COOKIE, gone)], to("/dang-nhap")).into_response())
}

fn with_login(secret: &Secret, mark: &Mark, scheme: Scheme, next: Response) -> Response {
    let secure = scheme.cookie_mark();
    let cookie = format!("{COOKIE}={secret}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax{secure}");
    let cookies = [(header::SET_COOKIE, cookie), (header::SET_COOKIE, mark.cookie(scheme))];
    (AppendHeaders(cookies), next).into_response()
}

/// Before there is a login there is no key: browsers say from where a form comes.
fn from_here(headers: &HeaderMap) -> Result<(), Problem> {
    if whence(headers) == Whence::Elsewhere { Err(Refusal::Forged.into()) } else { Ok(()) }
}

/// Asks for a new password, under a link.
pub(super) async fn ask_new(Of(state): Of<State>, Named(link): Named) -> Result<Response, Failure> {
    Ok(match find(&state, &link).await? {
        Some(opened) => set_page(&opened, "", None).into_response(),
        None => link_gone(),
    })
}

/// What a link opens: for whom, and what is said to them.
struct Opened {
    whose: Link,
    intro: String,
}

async fn find(state: &State, link: &str) -> Result<Option<Opened>, StoreError> {
    let (link, now) = (link.to_owned(), state.clock.now());
    let opened = move |store: &Store| {
        let Some(whose) = store.link(&link, now)? else { return Ok(None) };
        let intro = match &whose {
            Link::First => say::FIRST_INTRO.to_owned(),
            Link::For(name) if store.password(name)?.is_none() => say::first_password(name),
            Link::For(name) => say::new_password(name),
        };
        Ok(Some(Opened { whose, intro }))
    };
    state.store.run(opened).await
}

fn link_gone() -> Response {
    let content = html! { p.note.bad role="alert" { (say::LINK_GONE) } };
    (StatusCode::GONE, plain(say::LINK_GONE_TITLE, &content)).into_response()
}

fn set_page(Opened { whose, intro }: &Opened, name: &str, wrong: Option<&str>) -> Html<String> {
    let title = match whose {
        Link::First => say::FIRST_TITLE,
        Link::For(_) => say::SET_TITLE,
    };
    let content = html! {
        p { (intro) }
        @if let Some(wrong) = wrong { p.note.bad role="alert" { (wrong) } }
        form.card method="post" {
            @match whose {
                Link::First => label { (say::NAME)
                    input name="name" value=(name) required autofocus maxlength="64" pattern="[A-Za-z0-9_\\-][A-Za-z0-9._\\-]*"
                        autocomplete="username" autocapitalize="none" spellcheck="false" aria-describedby="name-rule";
                    small #name-rule { (say::NAME_RULE) }
                },
                Link::For(name) => input type="hidden" name="name" value=(name) autocomplete="username";,
            }
            (new_password("password", say::PASSWORD, true))
            (new_password("again", say::AGAIN, false))
            button.main { (say::KEEP) }
        }
    };
    plain(title, &content)
}

fn new_password(name: &str, label: &str, ruled: bool) -> Markup {
    html! {
        label { (label)
            input name=(name) type="password" required minlength=(SHORTEST) maxlength=(LONGEST)
                autocomplete="new-password" aria-describedby=[ruled.then_some("password-rule")];
            @if ruled { small #password-rule { (say::password_rule()) } }
        }
    }
}

/// Sets a password by a link, and signs the browser in.
pub(super) async fn set(
    Of(state): Of<State>,
    Named(link): Named,
    parts: Parts,
    fields: Fields,
) -> Result<Response, Failure> {
    from_here(&parts.headers)?;
    let Some(opened) = find(&state, &link).await? else { return Ok(link_gone()) };
    let name = match &opened.whose {
        Link::First => fields.one("name").to_owned(),
        Link::For(name) => name.clone(),
    };
    let password = fields.exactly("password");
    let wrong = if let Err(weak) = password::check(password, &name) {
        Some(say::weak(weak))
    } else {
        (password != fields.exactly("again")).then(|| say::DIFFERENT.to_owned())
    };
    if let Some(wrong) = wrong {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, set_page(&opened, &name, Some(&wrong))).into_response());
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|failure| Problem::unexpected(&failure))?;
    let password = password.to_owned();
    let (_, kept) = hashed(hashing(&state).await, move || Kept::new(&password, salt)).await?;
    let kept = kept.ok_or(Refusal::Busy)?;
    let mark = Mark::of(&name, &kept);
    let at = state.clock.now();
    let act = own_act(&name, origin(&parts), "user.password", at);
    let (whose, known) = (opened.whose.clone(), name.clone());
    let set = move |people: &People<'_>| {
        let set = match whose {
            Link::First => people.add_first(&link, &known, &BTreeSet::from(FIRST_ROLES), kept, at),
            Link::For(_) => people.set_password(&link, kept, at),
        };
        if set? { sign_in_by(people, &act).map(Some) } else { Ok(None) }
    };
    match state.store.run(|store| store.with_people("set a password", set)).await.map_err(Problem::from) {
        Ok(Some(secret)) => Ok(with_login(&secret, &mark, Scheme::of(&parts), to("/"))),
        // The hash takes a while: somebody was faster, or an administrator made a new link.
        Ok(None) => Ok(link_gone()),
        Err(Problem(why @ (Refusal::BadUserName | Refusal::UserExists))) => {
            let wrong = why.detail();
            Ok((StatusCode::UNPROCESSABLE_ENTITY, set_page(&opened, &name, Some(&wrong))).into_response())
        }
        Err(failure) => Err(failure.into()),
    }
}
