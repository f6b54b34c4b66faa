//! The week on one sheet of A4, to hang up: what is planned, a column for each day.

use axum::extract::State as Of;
use axum::response::Html;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{HERE, Held, Wanted, asked};
use crate::text::page::air::place;
use crate::text::page::calendar::{self, print as say};
use crate::text::page::date;
use crate::text::page::log::PRINT_NOW;
use crate::timeline::{Absence, Block, Content, Timeline};
use crate::web::State;
use crate::web::console::page::{Failure, page};
use crate::web::console::visitor::Visitor;
use crate::web::input::Asked;
use crate::web::person::See;

/// The page.
pub(super) async fn print(
    visitor: Visitor<See>,
    Of(state): Of<State>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Html<String>, Failure> {
    let (week, _) = asked(&state, wanted.tuan.as_deref());
    let held = Held::of(&state, week).await?;
    let (schedule, zone) = (&held.plan.schedule, &held.plan.schedule.time_zone);
    let content = html! {
        p.paper-station { (schedule.name) }
        p.dates { (say::dates(week.monday, week.sunday())) }
        div.actions {
            button.main hidden data-print { (PRINT_NOW) }
            a.button href=(week.address()) { (say::BACK) }
        }
        div.wide tabindex="0" role="region" aria-label=(say::heading(week.number())) {
            table.sheet {
                thead { tr { @for date in week.days() { th scope="col" {
                    (calendar::day(date))
                    @if let Some(special) = schedule.day_plan(date) { br; span.special { (special.title) } }
                } } } }
                @for part in PARTS.into_iter().filter(|part| week.days().any(|date| part.of(&held, date).next().is_some())) {
                    tbody {
                        tr { th colspan="7" scope="rowgroup" { (say::part(part.from)) } }
                        tr { @for date in week.days() { td {
                            @for (timeline, block) in part.of(&held, date) {
                                @if schedule.outputs.len() > 1 { p.output { (place(schedule, &timeline.output)) } }
                                (cell(block, zone))
                            }
                        } } }
                    }
                }
            }
        }
        div.signatures { @for who in say::SIGNATURES { div { strong { (who) } br; em { (say::SIGN) } } } }
    };
    Ok(page(&state, &visitor, HERE, &say::heading(week.number()), &content))
}

/// A part of the day, by the hours in which its sessions begin.
#[derive(Debug, Clone, Copy)]
struct Part {
    from: i8,
    to: i8,
}

/// Morning, noon, afternoon, evening.
const PARTS: [Part; 4] = [
    Part { from: 0, to: 11 },
    Part { from: 11, to: 14 },
    Part { from: 14, to: 18 },
    Part { from: 18, to: 24 },
];

impl Part {
    /// The blocks of a date that begin in it.
    fn of(self, held: &Held, date: Date) -> impl Iterator<Item = (&Timeline, &Block)> {
        let zone = &held.plan.schedule.time_zone;
        let hour = |block: &Block| zone.to_datetime(block.start).hour();
        held.on(date).into_iter().filter(move |(_, block)| (self.from..self.to).contains(&hour(block)))
    }
}

/// What a session plays on a day: a slot once, however many pieces it has.
fn cell(block: &Block, zone: &TimeZone) -> Markup {
    let cues = block.cues.iter().filter(|cue| cue.id.piece == 0);
    let cues = cues.filter(|cue| !matches!(cue.content, Content::Nothing(Absence::NoMusic)));
    html! {
        p.times { (block.title) br; (date::time(block.start, zone)) " – " (date::time(block.end, zone)) }
        ul { @for cue in cues { li { time { (date::time(cue.at, zone)) } " " (cue.title) } } }
    }
}
