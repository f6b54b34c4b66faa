//! A slot: what it plays, when, for how long, and where it stands in its session.

use axum::extract::State as Of;
use axum::response::{Html, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::desk::{Change, SEEN, caught_up, form_page, preview, sheet, submit};
use super::fields::{self, Values};
use super::place::{Address, Place};
use super::recording;
use super::wrong::{Filled, Wrong};
use crate::editing::{Sheet, Wish};
use crate::schedule::edit::Edit;
use crate::schedule::{PlanDate, Play, Schedule, Session, Slot, Start, Validity};
use crate::segment::Catalog;
use crate::text::http::Refusal;
use crate::text::page::editing::form as say;
use crate::web::State;
use crate::web::console::form::{Fields, Sent};
use crate::web::console::page::Failure;
use crate::web::console::visitor::Visitor;
use crate::web::input::{Asked, Named};
use crate::web::person::EditSchedule;

/// After which slot a new one comes.
#[derive(Debug, Deserialize)]
pub(super) struct After {
    sau: Option<String>,
}

/// Whether it is for a single date: then there are no days to choose.
fn is_once(day: Option<PlanDate>) -> bool {
    matches!(day, Some(PlanDate::Once(_)))
}

fn values(slot: &Slot, session: &Session, schedule: &Schedule) -> Values {
    let (start, at) = match slot.start {
        Start::Hard(at) => ("hard", fields::time_text(at)),
        Start::Follow => ("follow", String::new()),
        Start::Fill => ("fill", String::new()),
    };
    let music = match slot.music {
        music if music == schedule.is_music(&slot.play) => "",
        true => "yes",
        false => "no",
    };
    let mut values = vec![
        ("title", slot.title.clone()),
        ("play", fields::play_text(&slot.play)),
        ("start", start.to_owned()),
        ("at", at),
        ("music", music.to_owned()),
    ];
    values.extend(fields::length_values("minutes", "seconds", slot.length));
    values.extend(fields::day_values(slot.days.and(session.days)));
    values.extend(fields::late_values(slot.late));
    values.extend(fields::validity_values(slot.valid));
    values
}

/// The slot that was filled in; what no form says stays as it was.
fn read(
    filled: &Fields,
    old: Option<&Slot>,
    place: &Place<'_>,
    (schedule, catalog): (&Schedule, &Catalog),
) -> Result<Slot, Vec<Wrong>> {
    let session = place.session;
    let mut problems = Vec::new();
    let play = recording::chosen(filled, schedule, catalog).map_err(|failed| problems.push(failed)).ok();
    let start = match (filled.one("start"), fields::time(filled.one("at"))) {
        ("hard", Some(at)) => Some(Start::Hard(at)),
        ("hard", None) => {
            problems.push(Wrong::field("at", say::NO_TIME));
            None
        }
        ("fill", _) => Some(Start::Fill),
        _ => Some(Start::Follow),
    };
    // Where another start was chosen, what the form showed goes with the old one; what was typed is not dropped silently.
    let shown = old.and_then(|old| if let Start::Hard(at) = old.start { Some(at) } else { None });
    let typed = filled.one("at");
    let is_unused = !matches!(start, None | Some(Start::Hard(_)));
    if is_unused && !typed.is_empty() && (shown.is_none() || fields::time(typed) != shown) {
        problems.push(Wrong::field("at", say::TIME_UNUSED));
    }
    let mut keep = |failed: Wrong| problems.push(failed);
    let length = fields::length("", filled).map_err(&mut keep).ok();
    let (days, valid) = if is_once(place.path.day) {
        let kept = old.map_or((session.days, Validity::default()), |old| (old.days, old.valid));
        (Some(kept.0), Some(kept.1))
    } else {
        let days = fields::days(filled).map_err(&mut keep).ok();
        // All days of its session: then it follows when these change.
        let days = days.map(|days| match old {
            Some(old) if days == old.days.and(session.days) => old.days,
            _ => days,
        });
        (days, fields::validity(filled).map_err(&mut keep).ok())
    };
    let late = fields::late(filled).map_err(&mut keep).ok();
    let (Some(play), Some(start), Some(length), Some(days), Some(valid), Some(late)) =
        (play, start, length, days, valid, late)
    else {
        return Err(problems);
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let title = filled.one("title").to_owned();
    let taken: Vec<_> = session.slots.iter().map(|slot| slot.id.as_str()).collect();
    let id = old.map_or_else(
        || {
            let name = if title.is_empty() { fields::play_text(&play) } else { title.clone() };
            fields::new_id(&name, &taken).as_str().into()
        },
        |old| old.id.clone(),
    );
    let music = match filled.one("music") {
        "yes" => true,
        "no" => false,
        _ => schedule.is_music(&play),
    };
    Ok(Slot { id, title, days, valid, start, play, length, late, music })
}

fn form(filled: &Filled<'_>, schedule: &Schedule, catalog: &Catalog, day: Option<PlanDate>) -> Markup {
    let start = filled.one("start");
    html! {
        (fields::play_select("play", say::PLAY, filled, schedule, catalog, day))
        (fields::length_inputs("", say::LENGTH, Some(say::LENGTH_RULE), filled))
        fieldset {
            legend { (say::START) }
            @for (word, label) in [("follow", say::FOLLOW), ("hard", say::HARD), ("fill", say::FILL)] {
                label.box { input type="radio" name="start" value=(word) checked[start == word || (start.is_empty() && word == "follow")]; (label) }
                @if word == "hard" { (fields::time_input("at", say::AT, filled)) }
            }
        }
        @if !is_once(day) { (fields::day_boxes(filled)) }
        label { (say::TITLE)
            input name="title" maxlength="200" value=(filled.one("title")) aria-invalid=[filled.invalid("title")] aria-describedby=[filled.described("title")];
            (filled.beside("title"))
            small { (say::TITLE_RULE) }
        }
        details.session open[filled.any_wrong(&fields::VALIDITY) || filled.any_wrong(&["late_minutes"])] {
            summary { (if is_once(day) { say::MORE_ONCE } else { say::MORE }) }
            label { (say::LATE)
                select name="late" {
                    @for (word, label) in [("join", say::JOIN), ("skip", say::SKIP), ("whole", say::WHOLE)] {
                        option value=(word) selected[filled.one("late") == word] { (label) }
                    }
                }
            }
            (fields::length_inputs("late_", say::WHOLE, None, filled))
            label { (say::MUSIC)
                select name="music" {
                    @for (word, label) in [("", say::MUSIC_AUTO), ("yes", say::YES), ("no", say::NO)] {
                        option value=(word) selected[filled.one("music") == word] { (label) }
                    }
                }
            }
            @if !is_once(day) { (fields::validity_inputs(filled)) }
        }
    }
}

fn change_of(place: &Place<'_>, slot: &Slot) -> Change {
    let back = place.address();
    Change {
        title: say::slot(&slot.title, &place.name()),
        action: format!("{back}/muc/{}", slot.id),
        back,
        code: "schedule.slot",
        subject: format!("{}/{}", place.subject(), slot.id),
        aside: None,
    }
}

/// The form of a slot.
pub(super) async fn ask(
    visitor: Visitor<EditSchedule>,
    Of(state): Of<State>,
    Named(at): Named<Address>,
) -> Result<Html<String>, Failure> {
    let Sheet { seen, schedule } = sheet(&state).await?;
    let (place, slot) = at.slot(&schedule)?;
    let mut filled = values(slot, place.session, &schedule);
    filled.push((SEEN, seen));
    let catalog = state.plan().catalog.clone();
    let change = change_of(&place, slot);
    let aside = html! { p { a.button.bad href={ (change.action) "/bo" } { (say::REMOVE_SLOT) } } };
    let change = Change { aside: Some(aside), ..change };
    let draw = |filled: &Filled<'_>| form(filled, &schedule, &catalog, place.path.day);
    Ok(form_page(&state, &visitor, &change, &Fields::of(filled), &[], &draw))
}

/// What a slot is to be.
pub(super) async fn change(
    Of(state): Of<State>,
    Named(at): Named<Address>,
    Sent { visitor, fields: filled }: Sent<EditSchedule>,
) -> Result<Response, Failure> {
    let now = sheet(&state).await?;
    let of = |schedule: &Schedule| {
        let (place, slot) = at.slot(schedule).ok()?;
        Some(values(slot, place.session, schedule))
    };
    let filled = caught_up(&state, filled, &now, of).await?;
    let schedule = now.schedule;
    let (place, slot) = at.slot(&schedule)?;
    let catalog = state.plan().catalog.clone();
    let wish = read(&filled, Some(slot), &place, (&schedule, &catalog))
        .map(|to| Wish::Edit(Edit::Slot { session: place.path.clone(), id: slot.id.clone(), to }));
    let draw = |filled: &Filled<'_>| form(filled, &schedule, &catalog, place.path.day);
    submit(&state, &visitor, &change_of(&place, slot), &filled, wish, Some(&draw)).await
}

fn new_change(place: &Place<'_>, subject: String) -> Change {
    let back = place.address();
    Change {
        title: say::new_slot(&place.name()),
        action: format!("{back}/muc-moi"),
        back,
        code: "schedule.slot-add",
        subject,
        aside: None,
    }
}

fn new_form(filled: &Filled<'_>, place: &Place<'_>, schedule: &Schedule, catalog: &Catalog) -> Markup {
    html! {
        label { (say::AFTER)
            select name="after" {
                option value="" { (say::FIRST) }
                @for slot in &place.session.slots { option value=(slot.id) selected[filled.one("after") == slot.id.as_str()] { (slot.title) } }
            }
        }
        (form(filled, schedule, catalog, place.path.day))
    }
}

/// After which slot a new one probably comes: the last that is no fixed file, with which sessions are opened and closed.
fn before_the_closing(session: &Session) -> String {
    let fixed = |slot: &&Slot| matches!(slot.play, Play::File(_));
    let slots = &session.slots;
    let last = slots.iter().rev().find(|slot| !fixed(slot)).or_else(|| slots.last());
    last.map(|slot| slot.id.to_string()).unwrap_or_default()
}

/// The form of a new slot.
pub(super) async fn ask_new(
    visitor: Visitor<EditSchedule>,
    Of(state): Of<State>,
    Named(at): Named<Address>,
    Asked(after): Asked<After>,
) -> Result<Html<String>, Failure> {
    let Sheet { seen, schedule } = sheet(&state).await?;
    let place = at.session(&schedule)?;
    let mut filled =
        vec![(SEEN, seen), ("after", after.sau.unwrap_or_else(|| before_the_closing(place.session)))];
    filled.extend(fields::day_values(place.session.days));
    let catalog = state.plan().catalog.clone();
    let draw = |filled: &Filled<'_>| new_form(filled, &place, &schedule, &catalog);
    let change = new_change(&place, String::new());
    Ok(form_page(&state, &visitor, &change, &Fields::of(filled), &[], &draw))
}

/// A slot more.
pub(super) async fn add(
    Of(state): Of<State>,
    Named(at): Named<Address>,
    Sent { visitor, fields: filled }: Sent<EditSchedule>,
) -> Result<Response, Failure> {
    let Sheet { schedule, .. } = sheet(&state).await?;
    let place = at.session(&schedule)?;
    let catalog = state.plan().catalog.clone();
    let slot = read(&filled, None, &place, (&schedule, &catalog));
    let subject = slot.as_ref().map(|slot| format!("{}/{}", place.subject(), slot.id)).unwrap_or_default();
    let after = Some(filled.one("after")).filter(|after| !after.is_empty()).map(Into::into);
    let wish = slot.map(|slot| Wish::Edit(Edit::AddSlot { session: place.path.clone(), after, slot }));
    let draw = |filled: &Filled<'_>| new_form(filled, &place, &schedule, &catalog);
    submit(&state, &visitor, &new_change(&place, subject), &filled, wish, Some(&draw)).await
}

/// What can be done with a slot in one step: taken out, or moved.
fn step_of(at: &Address, schedule: &Schedule) -> Result<(Change, Wish), Failure> {
    let (place, slot) = at.slot(schedule)?;
    let mut change = change_of(&place, slot);
    change.action = format!("{}/{}", change.action, at.step);
    let (session, id) = (place.path.clone(), slot.id.clone());
    let edit = match at.step.as_str() {
        "bo" => {
            change.title = say::remove_slot(&slot.title, &place.name());
            change.code = "schedule.slot-remove";
            Edit::RemoveSlot { session, id }
        }
        "len" | "xuong" => {
            let earlier = at.step == "len";
            change.title = say::move_slot(&slot.title, earlier);
            change.code = "schedule.slot-move";
            Edit::MoveSlot { session, id, earlier }
        }
        _ => return Err(Refusal::NoPage.into()),
    };
    Ok((change, Wish::Edit(edit)))
}

/// Shows what such a step would change.
pub(super) async fn ask_step(
    visitor: Visitor<EditSchedule>,
    Of(state): Of<State>,
    Named(at): Named<Address>,
) -> Result<Response, Failure> {
    let Sheet { schedule, .. } = sheet(&state).await?;
    let (change, wish) = step_of(&at, &schedule)?;
    preview(&state, &visitor, &change, &Fields::of([]), wish, None).await
}

/// Takes it.
pub(super) async fn step(
    Of(state): Of<State>,
    Named(at): Named<Address>,
    Sent { visitor, fields: filled }: Sent<EditSchedule>,
) -> Result<Response, Failure> {
    let Sheet { schedule, .. } = sheet(&state).await?;
    let (change, wish) = step_of(&at, &schedule)?;
    submit(&state, &visitor, &change, &filled, Ok(wish), None).await
}
