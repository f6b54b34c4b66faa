//! Thu hồi: off the air, in two presses from wherever a recording is named.

use axum::extract::State as Of;
use axum::response::{Html, Response};
use maud::html;

use super::super::form::Sent;
use super::super::page::{Failure, key, page, to};
use super::super::visitor::Visitor;
use super::{HERE, about, address, badge};
use crate::segment::State as Stand;
use crate::text;
use crate::text::page::recordings::withdraw as say;
use crate::web::State;
use crate::web::input::Named;
use crate::web::person::Withdraw;
use crate::web::recordings::{self, LONGEST_TEXT, existing, segment_id};

/// Letters left for a person's own words beside the common reason.
const MORE: usize = LONGEST_TEXT - 60;

/// Asks why, with the commonest reason chosen: the second press does it.
pub(in crate::web::console) async fn ask(
    visitor: Visitor<Withdraw>,
    Of(state): Of<State>,
    Named(id): Named,
) -> Result<Html<String>, Failure> {
    let segment = existing(&state, segment_id(&id)?).await?;
    let schedule = &state.plan().schedule;
    let content = html! {
        (badge(segment.state))
        (about(&segment, schedule, &schedule.time_zone))
        @if segment.state == Stand::Withdrawn {
            p.note { (say::ALREADY) }
        } @else {
            p { (say::MEANS) }
            form.card method="post" {
                (key(&visitor))
                fieldset {
                    legend { (say::WHY) }
                    @for (nth, reason) in say::REASONS.iter().enumerate() {
                        label.box { input type="radio" name="reason" value=(reason) checked[nth == 0]; span { (reason) } }
                    }
                }
                label { (say::MORE) input name="more" maxlength=(MORE) autocomplete="off"; }
                div.actions {
                    button.danger { (say::NOW) }
                    a.button href=(address(&segment.id)) { (text::page::CANCEL) }
                }
            }
        }
    };
    Ok(page(&state, &visitor, HERE, &say::title(&segment.words.title), &content))
}

/// Does it.
pub(in crate::web::console) async fn withdraw(
    Of(state): Of<State>,
    Named(id): Named,
    Sent { visitor, fields }: Sent<Withdraw>,
) -> Result<Response, Failure> {
    let (reason, more) = (fields.one("reason"), fields.one("more"));
    let reason = if more.is_empty() { reason.to_owned() } else { format!("{reason}: {more}") };
    let segment = recordings::withdraw(&state, &visitor.person, segment_id(&id)?, &reason).await?;
    Ok(to(&address(&segment.id)))
}
