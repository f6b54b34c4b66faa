//! A session, of the week or of a special day: its days and times, and the slots in it.

use axum::extract::State as Of;
use axum::response::{Html, Response};
use jiff::SignedDuration;
use jiff::civil::Date;
use maud::{Markup, html};

use super::day;
use super::desk::{Change, SEEN, caught_up, form_page, preview, sheet, submit};
use super::fields::{self, Values};
use super::place::{Address, Place, home, subject};
use super::recording;
use super::wrong::{Filled, Wrong};
use crate::editing::{Sheet, Wish};
use crate::schedule::edit::Edit;
use crate::schedule::{
    DayPlan, Late, PlanDate, Play, Schedule, Session, Slot, Start, Validity, Weekdays, day_name,
};
use crate::segment::Catalog;
use crate::text::page::air::place;
use crate::text::page::calendar::{self, plan_date};
use crate::text::page::date;
use crate::text::page::editing::{self, day as say_day, form as say};
use crate::web::State;
use crate::web::console::form::{Fields, Sent};
use crate::web::console::page::Failure;
use crate::web::console::visitor::Visitor;
use crate::web::input::Named;
use crate::web::person::EditSchedule;

/// What would go on past midnight for longer than half a day is a typing error.
const LONGEST_NIGHT: SignedDuration = SignedDuration::from_hours(12);

fn values(session: &Session) -> Values {
    let mut values = vec![
        ("title", session.title.clone()),
        ("from", fields::time_text(session.from)),
        ("to", fields::time_text(session.to)),
    ];
    values.extend(fields::day_values(session.days));
    values.extend(fields::validity_values(session.valid));
    values.extend(session.outputs.iter().map(|output| ("output", output.to_string())));
    values
}

/// The session that was filled in, with the slots it has, which move with it; what no form says stays as it was.
fn read(
    filled: &Fields,
    old: Option<&Session>,
    schedule: &Schedule,
    day: Option<PlanDate>,
) -> Result<Session, Vec<Wrong>> {
    let mut problems = Vec::new();
    let title = filled.one("title").to_owned();
    if title.is_empty() {
        problems.push(Wrong::field("title", say::NO_TITLE));
    }
    let times = (fields::time(filled.one("from")), fields::time(filled.one("to")));
    match times {
        (Some(from), Some(to)) if to < from && to.duration_until(from) < LONGEST_NIGHT => {
            problems.push(Wrong::field("to", say::REVERSED));
        }
        (Some(_), Some(_)) => {}
        (from, _) => {
            problems.push(Wrong::field(if from.is_none() { "from" } else { "to" }, say::NO_TIMES));
        }
    }
    let mut keep = |failed: Wrong| problems.push(failed);
    let (days, valid) = match day {
        // A special day says itself when it is.
        Some(date) => (Some(date.weekdays()), Some(old.map(|old| old.valid).unwrap_or_default())),
        None => {
            (fields::days(filled).map_err(&mut keep).ok(), fields::validity(filled).map_err(&mut keep).ok())
        }
    };
    let outputs: std::collections::BTreeSet<_> = match &schedule.outputs[..] {
        // With a single one there is nothing to tick.
        [one] => [one.id.clone()].into(),
        all => all
            .iter()
            .filter(|output| filled.has("output", output.id.as_str()))
            .map(|output| output.id.clone())
            .collect(),
    };
    if outputs.is_empty() {
        keep(Wrong::field("output", say::NO_OUTPUT));
    }
    let ((Some(from), Some(to)), Some(days), Some(valid)) = (times, days, valid) else {
        return Err(problems);
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    // One with the id of a session of the week would take its place.
    let all = schedule.sessions.iter().chain(schedule.day_plans.iter().flat_map(|plan| &plan.sessions));
    let taken: Vec<_> = all.map(|session| session.id.as_str()).collect();
    let id = old.map_or_else(|| fields::new_id(&title, &taken).as_str().into(), |old| old.id.clone());
    let session = Session { id, title, days, valid, from, to, outputs, slots: Vec::new() };
    let slots = old.map(|old| old.slots_moved(&session)).unwrap_or_default();
    Ok(Session { slots, ..session })
}

fn form(filled: &Filled<'_>, schedule: &Schedule, day: Option<PlanDate>) -> Markup {
    html! {
        (fields::text_input("title", say::TITLE, true, filled))
        div.pair { (fields::time_input("from", say::FROM, filled)) (fields::time_input("to", say::TO, filled)) }
        @if day.is_none() { (fields::day_boxes(filled)) }
        @if schedule.outputs.len() > 1 {
            fieldset { legend { (say::OUTPUTS) }
                (filled.beside("output"))
                @for output in &schedule.outputs {
                    label.box { input type="checkbox" name="output" value=(output.id) checked[filled.has("output", output.id.as_str())]; (place(schedule, &output.id)) }
                }
            }
        }
        @if day.is_none() { details.session open[filled.any_wrong(&fields::VALIDITY)] { summary { (say::MORE_SESSION) } (fields::validity_inputs(filled)) } }
    }
}

fn change_of(place: &Place<'_>) -> Change {
    Change {
        title: say::session(&place.name()),
        action: place.address(),
        back: home(place.path.day),
        code: "schedule.session",
        subject: place.subject(),
        aside: None,
    }
}

/// The slots of a session in their order, each with the ways to change it.
fn slots(place: &Place<'_>) -> Markup {
    let (here, session) = (place.address(), place.session);
    let last = session.slots.len().saturating_sub(1);
    html! {
        section.slots {
            h2 { (say::SLOTS) }
            ol { @for (place, slot) in session.slots.iter().enumerate() { li.card {
                @let at = format!("{here}/muc/{}", slot.id);
                p { strong { (slot.title) } " " span.quiet { (described(slot, session)) } }
                div.actions {
                    a.button.main href=(at) aria-label=(calendar::edit_slot(&slot.title)) { (calendar::EDIT) }
                    @if place > 0 { a.button href={ (at) "/len" } { (say::UP) } }
                    @if place < last { a.button href={ (at) "/xuong" } { (say::DOWN) } }
                }
            } } }
            p { a.button href={ (here) "/muc-moi" } { (say::ADD_SLOT) } }
            p { a.button.bad href={ (here) "/bo" } { (say::REMOVE_SESSION) } }
        }
    }
}

/// When, on which days and for how long.
fn described(slot: &Slot, session: &Session) -> String {
    let start = match slot.start {
        Start::Hard(at) => fields::time_text(at),
        Start::Follow => String::new(),
        Start::Fill => editing::FILLS.to_owned(),
    };
    let days: Vec<_> = if slot.days.and(session.days) == session.days {
        Vec::new()
    } else {
        slot.days.iter().map(day_name).collect()
    };
    let length = slot.length.map(date::length).unwrap_or_default();
    [start, days.join(", "), length]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ")
}

/// A session with its form and its slots.
pub(super) async fn ask(
    visitor: Visitor<EditSchedule>,
    Of(state): Of<State>,
    Named(at): Named<Address>,
) -> Result<Html<String>, Failure> {
    let Sheet { seen, schedule } = sheet(&state).await?;
    let place = at.session(&schedule)?;
    let mut filled = values(place.session);
    filled.push((SEEN, seen));
    let draw = |filled: &Filled<'_>| form(filled, &schedule, place.path.day);
    let change = Change { aside: Some(slots(&place)), ..change_of(&place) };
    Ok(form_page(&state, &visitor, &change, &Fields::of(filled), &[], &draw))
}

/// What a session is to be.
pub(super) async fn change(
    Of(state): Of<State>,
    Named(at): Named<Address>,
    Sent { visitor, fields: filled }: Sent<EditSchedule>,
) -> Result<Response, Failure> {
    let now = sheet(&state).await?;
    let of = |schedule: &Schedule| Some(values(at.session(schedule).ok()?.session));
    let filled = caught_up(&state, filled, &now, of).await?;
    let schedule = now.schedule;
    let place = at.session(&schedule)?;
    let wish = read(&filled, Some(place.session), &schedule, place.path.day)
        .map(|to| Wish::Edit(Edit::Session { id: place.path.clone(), to }));
    let draw = |filled: &Filled<'_>| form(filled, &schedule, place.path.day);
    submit(&state, &visitor, &change_of(&place), &filled, wish, Some(&draw)).await
}

fn new_change(day: Option<PlanDate>, subject: String) -> Change {
    Change {
        title: day
            .map_or_else(|| calendar::ADD_SESSION.to_owned(), |date| say_day::new_session(&plan_date(date))),
        action: format!("{}/buoi-moi", home(day)),
        back: home(day),
        code: "schedule.session-add",
        subject,
        aside: None,
    }
}

/// The day that becomes a special one with the session.
fn new_day(schedule: &Schedule, day: Option<PlanDate>) -> Option<PlanDate> {
    day.filter(|_| schedule.sessions_of(day).is_none())
}

fn new_form(
    filled: &Filled<'_>,
    (schedule, catalog): (&Schedule, &Catalog),
    day: Option<PlanDate>,
    today: Date,
) -> Markup {
    html! {
        @if let Some(date) = day { (day::doubts(schedule, date, today)) }
        @if new_day(schedule, day).is_some() {
            (fields::text_input("day_title", say_day::TITLE, true, filled))
        }
        (form(filled, schedule, day))
        (fields::play_select("play", say::FIRST_SLOT, filled, schedule, catalog, day))
        label.box { input type="checkbox" name="fill" value="yes" checked[filled.has("fill", "yes")]; (say::FIRST_FILLS) }
        (fields::length_inputs("", say::FIRST_LENGTH, None, filled))
    }
}

/// The form of a new session.
pub(super) async fn ask_new(
    visitor: Visitor<EditSchedule>,
    Of(state): Of<State>,
    Named(at): Named<Address>,
) -> Result<Html<String>, Failure> {
    let day = at.day()?;
    let Sheet { seen, schedule } = sheet(&state).await?;
    let mut filled = fields::day_values(Weekdays::ALL);
    filled.push(("fill", "yes".to_owned()));
    filled.extend(schedule.outputs.iter().map(|output| ("output", output.id.to_string())));
    filled.push((SEEN, seen));
    let catalog = state.plan().catalog.clone();
    let today = state.today();
    let draw = |filled: &Filled<'_>| new_form(filled, (&schedule, &catalog), day, today);
    Ok(form_page(&state, &visitor, &new_change(day, String::new()), &Fields::of(filled), &[], &draw))
}

/// The new session that was filled in, with its first slot.
fn read_new(
    filled: &Fields,
    (schedule, catalog): (&Schedule, &Catalog),
    day: Option<PlanDate>,
) -> Result<Session, Vec<Wrong>> {
    let session = read(filled, None, schedule, day);
    let (play, length) = (recording::chosen(filled, schedule, catalog), fields::length("", filled));
    let nameless = new_day(schedule, day).is_some() && filled.one("day_title").is_empty();
    match (session, play, length) {
        (Ok(session), Ok(play), Ok(length)) if !nameless => {
            let first = Slot {
                id: fields::new_id(&fields::play_text(&play), &[]).as_str().into(),
                title: String::new(),
                days: session.days,
                valid: Validity::default(),
                start: match play {
                    Play::Pool(_) if filled.has("fill", "yes") => Start::Fill,
                    Play::File(_)
                    | Play::Programme(_)
                    | Play::All(_)
                    | Play::Pool(_)
                    | Play::Repeat { .. } => Start::Hard(session.from),
                },
                play,
                length,
                late: Late::Join,
                music: false,
            };
            Ok(Session { slots: vec![first], ..session })
        }
        (session, play, length) => {
            let mut problems = session.err().unwrap_or_default();
            problems.extend(nameless.then(|| Wrong::field("day_title", say_day::NO_TITLE)));
            problems.extend(play.err());
            problems.extend(length.err());
            Err(problems)
        }
    }
}

/// A session more, with one slot.
pub(super) async fn add(
    Of(state): Of<State>,
    Named(at): Named<Address>,
    Sent { visitor, fields: filled }: Sent<EditSchedule>,
) -> Result<Response, Failure> {
    let day = at.day()?;
    let Sheet { schedule, .. } = sheet(&state).await?;
    let catalog = state.plan().catalog.clone();
    let session = read_new(&filled, (&schedule, &catalog), day);
    let subject = session.as_ref().map(|session| subject(day, &session.id)).unwrap_or_default();
    let today = state.today();
    let draw = |filled: &Filled<'_>| new_form(filled, (&schedule, &catalog), day, today);
    let wish = session.map(|session| {
        Wish::Edit(match new_day(&schedule, day) {
            Some(date) => {
                let title = filled.one("day_title").to_owned();
                Edit::Day(DayPlan { title, sessions: vec![session], ..day::of(&schedule, date) })
            }
            None => Edit::AddSession { day, session },
        })
    });
    submit(&state, &visitor, &new_change(day, subject), &filled, wish, Some(&draw)).await
}

fn removal(place: &Place<'_>) -> (Change, Wish) {
    let at = place.address();
    let change = Change {
        title: match place.path.day {
            None => say::remove_session(&place.name()),
            Some(_) => say::remove_own(&place.name()),
        },
        action: format!("{at}/bo"),
        back: at,
        code: "schedule.session-remove",
        subject: place.subject(),
        aside: None,
    };
    (change, Wish::Edit(Edit::RemoveSession(place.path.clone())))
}

/// Shows what is lost with a session.
pub(super) async fn ask_remove(
    visitor: Visitor<EditSchedule>,
    Of(state): Of<State>,
    Named(at): Named<Address>,
) -> Result<Response, Failure> {
    let Sheet { schedule, .. } = sheet(&state).await?;
    let (change, wish) = removal(&at.session(&schedule)?);
    preview(&state, &visitor, &change, &Fields::of([]), wish, None).await
}

/// A session less.
pub(super) async fn remove(
    Of(state): Of<State>,
    Named(at): Named<Address>,
    Sent { visitor, fields: filled }: Sent<EditSchedule>,
) -> Result<Response, Failure> {
    let Sheet { schedule, .. } = sheet(&state).await?;
    let (change, wish) = removal(&at.session(&schedule)?);
    submit(&state, &visitor, &change, &filled, Ok(wish), None).await
}
