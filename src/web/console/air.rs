//! Phát ngay, khẩn cấp: a person takes the air and gives it back.
//!
//! In two presses from the first page: a recording, and the confirmation, which says what it will do. Nothing on the way
//! needs a script, and what is kept in memory needs no disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State as Of;
use axum::response::{Html, Response};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::form::{Fields, Query, Sent};
use super::home::coming;
use super::in_force::{already, given_back, in_force};
use super::page::{Failure, key, page, to};
use super::recordings::withdraw_now;
use super::visitor::Visitor;
use crate::access::{Permission, permit};
use crate::engine::handle::{Handle, Status};
use crate::schedule::OutputId;
use crate::segment::Segment;
use crate::sequencer::{InterruptId, Repeats, resumes};
use crate::store::searchable;
use crate::text;
use crate::text::http::Refusal;
use crate::text::page::air as say;
pub(super) use crate::text::page::air::place;
use crate::text::page::home::file_broken;
use crate::text::page::{date, names};
use crate::timeline::plan::Plan;
use crate::timeline::{CueId, Layer};
use crate::web::State;
use crate::web::air::{self, Wish};
use crate::web::person::CallEmergency;
use crate::web::problem::Problem;

/// The page's address.
pub(super) const HERE: &str = "/phat-ngay";
/// The page that asks before the air is taken.
const CONFIRM: &str = "/phat-ngay/xac-nhan";
/// The field that says that the outputs of an address did not take what was ordered.
const REFUSED: &str = "refused";
/// The field that says that outputs could be chosen.
const CHOSEN: &str = "chosen";
/// The field that says that the page has told of an order for the same recording.
const AGAIN: &str = "again";
/// Recordings that are shown beside those kept ready.
const SHOWN: usize = 12;
/// What says in the page's address that something was stopped just now.
pub(super) const STOPPED: &str = "da-dung";
/// What tells that what was to be stopped was over.
pub(super) const OVER: &str = "da-het";
/// What tells a new confirmation that the one before was too old.
const OLD: &str = "old";
/// How long a confirmation is good for: what it says it will interrupt has to be true.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// What may be aired, and what is in force.
pub(super) async fn choose(
    // Who may take the air may also call an emergency.
    visitor: Visitor<CallEmergency>,
    Of(state): Of<State>,
    Query(asked): Query,
) -> Html<String> {
    let (plan, now) = (state.plan(), state.clock.now());
    let takes = permit(&visitor.person.user().roles, Permission::TakeTheAir);
    let (ready, others) = recordings(&plan, now, asked.one("search"));
    let content = html! {
        (not_taken(&asked, &plan))
        @if !asked.one(STOPPED).is_empty() {
            (stopped(&state, &plan, asked.one(STOPPED), now))
        }
        @if !asked.one(OVER).is_empty() { p.note.warn role="status" { (say::OVER) } }
        section #in-force data-live {
            (given_back(&state, &asked))
            (in_force(&state, &visitor))
        }
        section {
            h2 { (say::READY) }
            @if ready.is_empty() {
                p.note.warn { (say::NONE_READY) }
            } @else {
                (urgent(&state, &ready))
                p.quiet { (say::READY_MEANS) }
            }
        }
        section #stop data-live { (stoppable(&state, &visitor, now)) }
        section {
            h2 { (say::OTHERS) }
            form.search role="search" action=(HERE) {
                label { (say::SEARCH) input type="search" name="search" value=(asked.one("search")); }
                button { (say::SEARCH_NOW) }
            }
            @if others.is_empty() { p { (say::NONE_FOUND) } }
            ul.pieces { @for segment in others.iter().take(SHOWN) { li.card {
                (described(segment, &plan))
                div.actions {
                    @if takes { a.button.main href=(confirm_at(segment, Layer::Live)) { (say::LIVE) } }
                    a.button.bad href=(confirm_at(segment, Layer::Emergency)) { (say::EMERGENCY) }
                }
            } } }
            @if others.len() > SHOWN { p.quiet { (say::MORE) } }
        }
    };
    page(&state, &visitor, HERE, names::AIR, &content)
}

/// Where an order was not taken that others took, and the way to order it there again.
fn not_taken(asked: &Fields, plan: &Plan) -> Markup {
    let Some(wish) = wish(asked).ok().filter(|_| !asked.one(REFUSED).is_empty()) else { return html! {} };
    let places: Vec<_> =
        wish.outputs.iter().map(|output| place(&plan.schedule, &OutputId::new(output.as_str()))).collect();
    html! {
        div.note.bad role="alert" {
            p { (say::not_taken(&places)) }
            p.actions { a.button.bad href=(at(CONFIRM, &wish, None)) { (say::ORDER_AGAIN) } }
        }
    }
}

/// Recordings that may air today: those that are kept in memory, and the others that a search finds, the newest first.
fn recordings<'a>(
    plan: &'a Plan,
    now: Timestamp,
    search: &str,
) -> (Vec<&'a Arc<Segment>>, Vec<&'a Arc<Segment>>) {
    let today = plan.schedule.time_zone.to_datetime(now).date();
    let programme =
        |segment: &Segment| segment.words.programme.as_ref().and_then(|id| plan.schedule.programmes.get(id));
    let may = plan.catalog.iter().filter(|segment| segment.may_air_on(today));
    let (ready, mut others): (Vec<_>, Vec<_>) =
        may.partition(|segment| programme(segment).is_some_and(|programme| programme.ready));
    // What is kept in memory sounds without its file.
    others.retain(|segment| plan.catalog.can_air_on(segment, today));
    let words = searchable(search);
    others.retain(|segment| {
        let title = programme(segment).map_or("", |programme| &programme.title);
        let author = segment.words.author.as_deref().unwrap_or_default();
        let text = searchable(&format!("{} {title} {author}", segment.words.title));
        words.split(' ').all(|word| text.contains(word))
    });
    others.sort_by_key(|segment| std::cmp::Reverse(segment.added));
    (ready, others)
}

/// The recordings kept ready, for the first page: each leads straight to its confirmation.
pub(super) fn urgent_now(state: &State, plan: &Plan, now: Timestamp) -> Markup {
    let (ready, _) = recordings(plan, now, "");
    html! {
        section.emergency {
            (urgent(state, &ready))
            p.actions { a.button.bad href=(HERE) { (say::EMERGENCY) ": " (say::TO_ALL) } }
        }
    }
}

/// Each as a button; what cannot sound with why, and with how it can.
fn urgent(state: &State, ready: &[&Arc<Segment>]) -> Markup {
    html! {
        ul.urgent { @for segment in ready { li {
            @if let Some(trouble) = air::trouble(state, segment) {
                p.note.bad {
                    strong { (file_broken(trouble, &segment.words.title)) (say::SO_SILENT) } " "
                    (say::mend_file(&segment.file))
                }
            } @else {
                a.button href=(confirm_at(segment, Layer::Emergency)) {
                    span { (say::EMERGENCY) ": " strong { (segment.words.title) } }
                    span.times { (date::length(segment.duration())) }
                }
            }
        } } }
    }
}

fn described(segment: &Segment, plan: &Plan) -> Markup {
    let programme = segment.words.programme.as_ref().and_then(|id| plan.schedule.programmes.get(id));
    html! {
        p.name { (segment.words.title) }
        p.quiet {
            (date::length(segment.duration()))
            @if let Some(programme) = programme { " · " (programme.title) }
            @if let Some(author) = &segment.words.author { " · " (author) }
        }
    }
}

/// Where a recording is confirmed, with what is usual for its rank: an emergency is repeated until somebody ends it.
fn confirm_at(segment: &Segment, layer: Layer) -> String {
    let repeat = if layer == Layer::Emergency { "until" } else { "once" };
    address(segment.id.as_str(), layer, &[("repeat", repeat)])
}

fn address(segment: &str, layer: Layer, more: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("segment", segment).append_pair("rank", code(layer)).extend_pairs(more);
    format!("{CONFIRM}?{}", query.finish())
}

pub(super) fn code(layer: Layer) -> &'static str {
    if layer == Layer::Emergency { "emergency" } else { "live" }
}

/// What sounds from the schedule, each with the ways to stop it, and to take it off the air for good, for who may.
fn stoppable(state: &State, visitor: &Visitor<CallEmergency>, now: Timestamp) -> Markup {
    let plan = state.plan();
    let may = |permission| permit(&visitor.person.user().roles, permission);
    if !may(Permission::TakeTheAir) && !may(Permission::Withdraw) {
        return html! {};
    }
    let sounding: Vec<_> = state
        .engines
        .iter()
        .map(Handle::status)
        .filter(|status| status.layer == Layer::Scheduled)
        .filter_map(|status| Some((status.output, status.on_air?)))
        .collect();
    html! {
        @if !sounding.is_empty() {
            h2 { (say::FROM_THE_SCHEDULE) }
            @for (output, cue) in &sounding {
                div.card {
                    p { (place(&plan.schedule, output)) ": " strong { (cue.segment_title) } }
                    @if may(Permission::TakeTheAir) {
                        form method="post" action={ (HERE) "/dung" } {
                            (key(visitor))
                            input type="hidden" name="output" value=(output);
                            input type="hidden" name="cue" value=(cue.cue);
                            button.bad { (say::STOP) }
                        }
                        p.quiet { (say::STOP_MEANS) " " (after_stop(state, &plan, output.as_str(), now)) }
                    }
                    @if may(Permission::Withdraw) { p { (withdraw_now(&cue.segment)) } }
                }
            }
        }
    }
}

/// What the loudspeakers of an output do once what sounds there is stopped.
fn after_stop(state: &State, plan: &Plan, output: &str, now: Timestamp) -> String {
    let next = engine(state, output).and_then(|engine| coming(&engine.status(), plan, now, false));
    let next = next.map(|next| (next.title, next.at.max(now)));
    say::after_stop(next.as_ref().map(|(title, at)| (&**title, *at)), now, &plan.schedule.time_zone)
}

/// Something was stopped. What comes then is told until it sounds: the page may be looked at again.
fn stopped(state: &State, plan: &Plan, output: &str, now: Timestamp) -> Markup {
    let goes_on = engine(state, output).is_some_and(|engine| engine.status().on_air.is_some());
    html! {
        p.note.good role="status" { (say::STOPPED) @if !goes_on { " " (after_stop(state, plan, output, now)) } }
    }
}

fn engine<'a>(state: &'a State, output: &str) -> Option<&'a Handle> {
    state.engines.iter().find(|engine| engine.output().as_str() == output)
}

/// What a form or an address asks for.
fn wish(fields: &Fields) -> Result<Wish, Refusal> {
    let wrong = |field: &str| Refusal::BadField { field: field.to_owned() };
    let layer = match fields.one("rank") {
        "live" => Layer::Live,
        "emergency" => Layer::Emergency,
        _ => return Err(wrong("rank")),
    };
    let given = |name: &str| Some(fields.one(name)).filter(|text| !text.is_empty());
    let repeats = match fields.one("repeat") {
        "once" => Repeats::ONCE,
        "until" => {
            let most = given("most").map(|text| text.parse().ok().filter(|most| *most > 0));
            let minutes =
                given("minutes").map_or(Some(air::THEN), |text| text.parse().ok().and_then(air::distance));
            let repeats = Repeats {
                at_most: most.map(|most| most.ok_or_else(|| wrong("most"))).transpose()?,
                soon: air::SOON,
                close: air::CLOSE,
                then: minutes.ok_or_else(|| wrong("minutes"))?,
            };
            // Once at most is once, however it is said.
            if repeats.at_most == Some(1) { Repeats::ONCE } else { repeats }
        }
        _ => return Err(wrong("repeat")),
    };
    let outputs: Vec<_> = fields.all("output").map(str::to_owned).collect();
    // Without one, an address means all; a person who was shown the boxes and left none ticked does not.
    if outputs.is_empty() && given(CHOSEN).is_some() {
        return Err(wrong(say::WHERE));
    }
    Ok(Wish { segment: fields.one("segment").to_owned(), layer, repeats, outputs })
}

/// The same as fields: what a form keeps, and an address.
fn said(wish: &Wish) -> Vec<(&'static str, String)> {
    let once = wish.repeats == Repeats::ONCE;
    let mut said = vec![
        ("segment", wish.segment.clone()),
        ("rank", code(wish.layer).to_owned()),
        ("repeat", if once { "once" } else { "until" }.to_owned()),
    ];
    if !once {
        said.push(("minutes", (wish.repeats.then.as_secs() / 60).to_string()));
        said.extend(wish.repeats.at_most.map(|most| ("most", most.to_string())));
    }
    said.extend(wish.outputs.iter().map(|output| ("output", output.clone())));
    said
}

/// Says what will happen, and asks.
pub(super) async fn ask(
    visitor: Visitor<CallEmergency>,
    Of(state): Of<State>,
    Query(asked): Query,
) -> Result<Html<String>, Failure> {
    let wish = wish(&asked)?;
    visitor.person.must(air::permission(wish.layer))?;
    let (segment, engines) = air::can_sound(&state, &wish).await?;
    let (plan, now) = (state.plan(), state.clock.now());
    let emergency = wish.layer == Layer::Emergency;
    let quiet = air::quiet(&plan, now);
    let forbidden = quiet.filter(|_| !emergency);
    if forbidden.is_none() {
        air::poise(&engines, &segment);
    }
    let already = already(&state, &wish);
    let comes = air::quiet(&plan, now + segment.duration()).filter(|_| !emergency && quiet.is_none());
    let content = html! {
        @if !asked.one(OLD).is_empty() { p.note.warn role="alert" { (say::TOO_OLD) } }
        @if let Some(one) = &already {
            p.note.warn {
                (say::already(&one.by, one.since, &plan.schedule.time_zone)) " "
                a href=(HERE) { (text::page::TO_CALL_OFF) }
            }
        }
        @match (quiet, emergency) {
            (Some(quiet), true) => p.note.warn { (say::in_spite(quiet)) },
            (Some(quiet), false) => p.note.bad { (say::forbidden(quiet)) },
            (None, _) => {},
        }
        @if let Some(quiet) = comes { p.note.warn { (say::cut_by(quiet)) } }
        (held_up(&engines, &plan, &wish))
        // What it interrupts first: on a small phone no more than the first lines stand above the button.
        dl.card.confirm {
            dt { (say::WHAT) } dd { strong { (segment.words.title) } }
            dt { (say::EFFECT) }
            dd {
                @for engine in engines.iter() {
                    @let effects = effects(&engine.status(), &plan, &wish, now, now + segment.duration());
                    p.where { (place(&plan.schedule, engine.output())) }
                    ul { @for effect in effects { li { (effect) } } }
                }
                @if wish.repeats != Repeats::ONCE { p { (say::EACH_TIME) } }
            }
            dt { (say::HOW_OFTEN) } dd { (say::pattern(&wish.repeats, segment.duration())) }
        }
        @if forbidden.is_none() {
            form.confirm.second-press method="post" action=(HERE) {
                (key(&visitor))
                input type="hidden" name="id" value=(air::new_id(now)?);
                @if already.is_some() { input type="hidden" name=(AGAIN) value="1"; }
                @for (name, value) in said(&wish) { input type="hidden" name=(name) value=(value); }
                button.take.(code(wish.layer)) {
                    (if emergency { say::EMERGENCY_NOW } else { say::LIVE_NOW })
                }
            }
        } @else {
            p { a.button.bad href=(confirm_at(&segment, Layer::Emergency)) { (say::AS_EMERGENCY) } }
        }
        p.actions { a.button href=(HERE) { (text::page::CANCEL) } }
        (choices(&state, &visitor, &wish))
    };
    Ok(page(&state, &visitor, HERE, say::confirm(wish.layer), &content))
}

/// Why it will not sound at once: the device is lost, or what sounds has to be over first. With who would hear it, where
/// there are several.
fn held_up(engines: &[Handle], plan: &Plan, wish: &Wish) -> Markup {
    let mut notes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for engine in engines {
        let status = engine.status();
        let sounds = status.on_air.as_ref().filter(|_| status.layer >= wish.layer);
        let lost = (!status.up).then(say::no_sound);
        for note in lost.into_iter().chain(sounds.map(|air| say::waits(&air.segment_title))) {
            notes.entry(note).or_default().push(place(&plan.schedule, engine.output()));
        }
    }
    html! {
        @for (note, places) in notes {
            p.note.warn { @if engines.len() > 1 { strong { (places.join(", ")) ": " } } (note) }
        }
    }
}

/// What an interrupt from `now` until `free` does on an output.
fn effects(status: &Status, plan: &Plan, wish: &Wish, now: Timestamp, free: Timestamp) -> Vec<String> {
    let zone = &plan.schedule.time_zone;
    let mut effects = Vec::new();
    match &status.on_air {
        // Said above: it has to wait.
        Some(_) if status.layer >= wish.layer => {}
        Some(air) => effects.push(say::cuts(&air.segment_title)),
        None => effects.push(say::NOTHING_SOUNDS.to_owned()),
    }
    let touched = touched(status, plan, now, free);
    if touched.is_empty() {
        effects.push(say::NOTHING_TOUCHED.to_owned());
    }
    effects.extend(touched.into_iter().map(|(title, at, resumed)| say::becomes(&title, at, resumed, zone)));
    effects
}

/// The cues of the schedule that sound now or should before an instant, and how far into them they begin then.
fn touched(
    status: &Status,
    plan: &Plan,
    now: Timestamp,
    free: Timestamp,
) -> Vec<(String, Timestamp, Option<SignedDuration>)> {
    let Some(timeline) = plan.timeline(&status.output) else { return Vec::new() };
    let sounds = |cue: &CueId| status.on_air.as_ref().is_some_and(|air| air.cue == *cue);
    let blocks = timeline.blocks.iter().filter(|block| block.start < free && now < block.end);
    let cues = blocks.flat_map(|block| block.cues.iter().map(move |cue| (cue, block.end)));
    cues.filter(|(cue, _)| sounds(&cue.id) || (now < cue.at && cue.at < free))
        .filter_map(|(cue, limit)| {
            Some((cue.segment()?.words.title.clone(), cue.at, resumes(cue, free, limit)))
        })
        .collect()
}

/// Other ways to air it: shown in words again before anything happens.
fn choices(state: &State, visitor: &Visitor<CallEmergency>, wish: &Wish) -> Markup {
    let plan = state.plan();
    let takes = permit(&visitor.person.user().roles, Permission::TakeTheAir);
    let once = wish.repeats == Repeats::ONCE;
    let minutes = if once { air::THEN } else { wish.repeats.then }.as_secs() / 60;
    let chosen = |output: &OutputId| {
        wish.outputs.is_empty() || wish.outputs.iter().any(|wanted| wanted == output.as_str())
    };
    let radio = |name: &str, value: &str, on: bool, label: &str| {
        html! { label.box { input type="radio" name=(name) value=(value) checked[on]; span { (label) } } }
    };
    html! {
        details.card {
            summary { (say::CHANGE) }
            form action=(CONFIRM) {
                input type="hidden" name="segment" value=(wish.segment);
                fieldset {
                    legend { (say::RANK) }
                    @if takes { (radio("rank", "live", wish.layer == Layer::Live, say::LIVE)) }
                    (radio("rank", "emergency", wish.layer == Layer::Emergency, say::EMERGENCY))
                }
                @if state.engines.len() > 1 {
                    fieldset {
                        legend { (say::WHERE) }
                        input type="hidden" name=(CHOSEN) value="1";
                        @for engine in state.engines.iter() { label.box {
                            input type="checkbox" name="output" value=(engine.output()) checked[chosen(engine.output())];
                            span { (place(&plan.schedule, engine.output())) }
                        } }
                    }
                }
                fieldset {
                    legend { (say::HOW_OFTEN) }
                    (radio("repeat", "once", once, say::ONCE))
                    (radio("repeat", "until", !once, say::REPEATED))
                    label { (say::MINUTES)
                        input type="number" name="minutes" min="1" max=(air::MOST_MINUTES) value=(minutes) aria-describedby="minutes-rule";
                        small #minutes-rule { (say::MINUTES_RULE) }
                    }
                    label { (say::AT_MOST)
                        input type="number" name="most" min="1" max=(u16::MAX) value=[wish.repeats.at_most.filter(|_| !once)];
                    }
                }
                button { (say::LOOK_AGAIN) }
            }
        }
    }
}

/// Takes the air, as it was confirmed.
pub(super) async fn take(
    Of(state): Of<State>,
    Sent { visitor, fields }: Sent<CallEmergency>,
) -> Result<Response, Failure> {
    let wish = wish(&fields)?;
    let id = fields.one("id");
    let made = air::made(id).ok_or_else(|| Refusal::BadField { field: "id".to_owned() })?;
    if state.clock.now().duration_since(made).abs() > FRESH {
        return ask_again(&wish, Some(OLD));
    }
    // Made with the page: a button that is pressed twice orders once. A page from before the air was given back asks
    // again, for the engines would take it for the same press.
    let id = InterruptId::new(id);
    if air::was_called_off(&state, &id, made).await {
        return ask_again(&wish, Some(OLD));
    }
    // Somebody else was faster: two orders would repeat the same recording, each until it is called off.
    if fields.one(AGAIN).is_empty() && already(&state, &wish).is_some_and(|one| one.id != id) {
        return ask_again(&wish, None);
    }
    let air::Ordered { outputs, refused, .. } =
        air::order(&state, &visitor.person, &wish, id.clone()).await?;
    air::shown(&state, |status| !outputs.contains(&status.output) || air::sounds(status, &id)).await;
    if refused.is_empty() {
        return Ok(to(HERE));
    }
    let there = Wish { outputs: refused.iter().map(ToString::to_string).collect(), ..wish };
    Ok(to(&at(HERE, &there, Some(REFUSED))))
}

/// To a new confirmation of the same wish: what the old page said may be so no more.
fn ask_again(wish: &Wish, why: Option<&str>) -> Result<Response, Failure> {
    Ok(to(&at(CONFIRM, wish, why)))
}

/// A page's address with a wish, and why it is asked for.
fn at(page: &str, wish: &Wish, why: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(said(wish)).extend_pairs(why.map(|why| (why, "1")));
    format!("{page}?{}", query.finish())
}

/// Stops what sounds from the schedule.
pub(super) async fn stop(
    Of(state): Of<State>,
    Sent { visitor, fields }: Sent<crate::web::person::TakeTheAir>,
) -> Result<Response, Failure> {
    // The one that the page showed: pressed twice, or late, it must not stop what came after.
    let cue: CueId = fields.one("cue").parse().map_err(|_| Refusal::BadField { field: "cue".to_owned() })?;
    let output = fields.one("output");
    match air::stop(&state, &visitor.person, output, Some(cue.clone())).await {
        Ok(()) => {
            let is_cue = |status: &Status| status.on_air.as_ref().is_some_and(|air| air.cue == cue);
            air::shown(&state, |status| status.output.as_str() != output || !is_cue(status)).await;
            Ok(to(&format!("{HERE}?{STOPPED}={output}")))
        }
        Err(Problem(Refusal::NotOnAir)) => Ok(to(&format!("{HERE}?{OVER}=1"))),
        Err(problem) => Err(problem.into()),
    }
}
