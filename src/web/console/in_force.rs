//! What a person has put on the air, on every page, and giving the air back.

use axum::extract::State as Of;
use axum::response::Response;
use maud::{Markup, html};

use super::air::{HERE, code, place};
use super::form::{Fields, Sent};
use super::page::{Failure, key, to};
use super::visitor::Visitor;
use crate::engine::handle::InForce;
use crate::schedule::OutputId;
use crate::sequencer::{InterruptId, Repeats};
use crate::text;
use crate::text::http::Refusal;
use crate::text::page::air as say;
use crate::timeline::Layer;
use crate::timeline::plan::Plan;
use crate::web::State;
use crate::web::air::{self, Wish};
use crate::web::person::CallEmergency;
use crate::web::problem::Problem;

/// What says in the page's address that the air was given back just now.
const GIVEN_BACK: &str = "da-tra-song";

/// That the air was given back just now, and whether something else is in force still.
pub(super) fn given_back(state: &State, asked: &Fields) -> Markup {
    let all_is_over = air::in_force(state).is_empty();
    html! {
        @if !asked.one(GIVEN_BACK).is_empty() {
            p.note.(if all_is_over { "good" } else { "warn" }) role="status" {
                (if all_is_over { say::CALLED_OFF } else { say::CALLED_OFF_ONE })
            }
        }
    }
}

/// What is in force, each with the way to end it.
pub(super) fn in_force(state: &State, visitor: &Visitor<CallEmergency>) -> Markup {
    let (plan, all) = (state.plan(), air::in_force(state));
    html! {
        @if !all.is_empty() {
            h2 { (say::IN_FORCE) }
            @for (one, outputs) in &all {
                div.card.in-force.(code(one.layer)) {
                    p { strong { (say::rank(one.layer)) ": " (one.title) } }
                    p { (state_of(one, outputs, &plan)) }
                    (silent(state, outputs, &plan))
                    (give_back(visitor, [&one.id], say::CALL_OFF))
                }
            }
            p.quiet { (say::CALL_OFF_MEANS) }
            @if all.len() > 1 {
                (give_back(visitor, all.iter().map(|(one, _)| &one.id), say::CALL_OFF_ALL))
            }
        }
    }
}

/// Ends some orders with one press.
pub(super) fn give_back<'a, N>(
    visitor: &Visitor<N>,
    orders: impl IntoIterator<Item = &'a InterruptId>,
    label: &str,
) -> Markup {
    html! {
        form.give-back method="post" action={ (HERE) "/tra-song" } {
            (key(visitor))
            @for id in orders { input type="hidden" name="id" value=(id); }
            button.main { (label) }
        }
    }
}

/// The order that has a recording on the air already, or waiting for it, where it is to be heard again.
pub(super) fn already(state: &State, wish: &Wish) -> Option<InForce> {
    let mut all = air::in_force(state).into_iter();
    let meant = |output: &OutputId| {
        wish.outputs.is_empty() || wish.outputs.iter().any(|wanted| wanted == output.as_str())
    };
    all.find(|(one, outputs)| one.segment.as_str() == wish.segment && outputs.iter().any(meant))
        .map(|(one, _)| one)
}

/// Where an interrupt is not heard, since no sound can leave there.
fn silent(state: &State, outputs: &[OutputId], plan: &Plan) -> Markup {
    let places: Vec<_> =
        air::down(state, outputs).iter().map(|output| place(&plan.schedule, output)).collect();
    html! { @if !places.is_empty() { p { strong { (say::waits_for_output(&places)) } } } }
}

/// Where an interrupt is heard, who ordered it, and when it comes again.
fn state_of(one: &InForce, outputs: &[OutputId], plan: &Plan) -> String {
    let zone = &plan.schedule.time_zone;
    let next = match (one.on_air, one.next) {
        (false, _) if one.airing == 1 => Some(say::COMES.to_owned()),
        (_, Some(next)) => Some(say::again(next, zone)),
        (_, None) => (one.repeats != Repeats::ONCE).then(|| say::LAST_TIME.to_owned()),
    };
    let places = outputs.iter().map(|output| place(&plan.schedule, output)).collect::<Vec<_>>().join(", ");
    let sounds = one.on_air.then(|| say::SOUNDS.to_owned());
    [Some(places), Some(say::ordered(&one.by, one.since, zone)), sounds, next]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}

/// Gives the air back that one order has, or several.
pub(super) async fn call_off(
    Of(state): Of<State>,
    Sent { visitor, fields }: Sent<CallEmergency>,
) -> Result<Response, Failure> {
    // At once: what one leaves in the record keeps no other on the air.
    let ended = fields.all("id").map(|id| air::call_off(&state, &visitor.person, id));
    for ended in futures_util::future::join_all(ended).await {
        match ended {
            // Pressed twice, or late: what they want is so.
            Ok(()) | Err(Problem(Refusal::NoInterrupt)) => {}
            Err(problem) => return Err(problem.into()),
        }
    }
    let ids: Vec<_> = fields.all("id").map(InterruptId::new).collect();
    air::shown(&state, |status| !ids.iter().any(|id| air::has(status, id))).await;
    Ok(to(&format!("{HERE}?{GIVEN_BACK}=1")))
}

/// Says on every page that a person has the air, until they give it back.
pub(super) fn banner(state: &State, may: bool) -> Markup {
    let plan = state.plan();
    html! {
        div #banner data-live {
            @for (one, outputs) in air::in_force(state) {
                @let emergency = one.layer == Layer::Emergency;
                div.banner.bad[emergency].warn[!emergency] role=(if emergency { "alert" } else { "status" }) {
                    p {
                        strong { (headline(&one)) ": " (one.title) } " "
                        span { (state_of(&one, &outputs, &plan)) }
                    }
                    (silent(state, &outputs, &plan))
                    @if may { a.button href=(HERE) { (text::page::TO_CALL_OFF) } }
                }
            }
        }
    }
}

fn headline(one: &InForce) -> &'static str {
    match (one.layer, one.on_air) {
        (Layer::Emergency, true) => text::page::EMERGENCY_ON_AIR,
        (Layer::Emergency, false) => say::EMERGENCY_WAITS,
        (_, true) => text::page::LIVE_ON_AIR,
        (_, false) => say::LIVE_WAITS,
    }
}
