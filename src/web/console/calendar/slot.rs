//! A slot: what it plays, when, for how long, and where it stands in its session.

use axum::extract::{Path, State as Of};
use axum::response::{Html, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::HERE;
use super::desk::{Change, SEEN, form_page, gone, preview, sheet, submit};
use super::fields::{self, Values};
use crate::editing::{Sheet, Wish};
use crate::schedule::edit::Edit;
use crate::schedule::{Play, Schedule, Session, Slot, Start};
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

/// A session of the week.
pub(super) fn session<'a>(schedule: &'a Schedule, id: &str) -> Result<&'a Session, Failure> {
    schedule.sessions.iter().find(|session| session.id.as_str() == id).ok_or_else(gone)
}

fn slot_of<'a>(session: &'a Session, id: &str) -> Result<&'a Slot, Failure> {
    session.slots.iter().find(|slot| slot.id.as_str() == id).ok_or_else(gone)
}

/// Whether a slot counts as music when nobody says so.
fn music_by_itself(schedule: &Schedule, play: &Play) -> bool {
    matches!(play, Play::Pool(id) if schedule.pools.get(id).is_some_and(|pool| pool.music))
}

fn values(slot: &Slot, session: &Session, schedule: &Schedule) -> Values {
    let (start, at) = match slot.start {
        Start::Hard(at) => ("hard", fields::time_text(at)),
        Start::Follow => ("follow", String::new()),
        Start::Fill => ("fill", String::new()),
    };
    let music = match slot.music {
        music if music == music_by_itself(schedule, &slot.play) => "",
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
    session: &Session,
    schedule: &Schedule,
) -> Result<Slot, Vec<String>> {
    let mut problems = Vec::new();
    let play = fields::play(filled.one("play"));
    if play.is_none() {
        problems.push(say::NO_PLAY.to_owned());
    }
    let start = match (filled.one("start"), fields::time(filled.one("at"))) {
        ("hard", Some(at)) => Some(Start::Hard(at)),
        ("hard", None) => {
            problems.push(say::NO_TIME.to_owned());
            None
        }
        ("fill", _) => Some(Start::Fill),
        _ => Some(Start::Follow),
    };
    let mut keep = |failed: String| problems.push(failed);
    let length = fields::length("", filled).map_err(&mut keep).ok();
    // All days of its session: then it follows when these change.
    let days = fields::days(filled).map_err(&mut keep).ok();
    let days = days.map(|days| match old {
        Some(old) if days == old.days.and(session.days) => old.days,
        _ => days,
    });
    let valid = fields::validity(filled).map_err(&mut keep).ok();
    let late = fields::late(filled).map_err(&mut keep).ok();
    let (Some(play), Some(start), Some(length), Some(days), Some(valid), Some(late)) =
        (play, start, length, days, valid, late)
    else {
        return Err(problems);
    };
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
        _ => music_by_itself(schedule, &play),
    };
    Ok(Slot { id, title, days, valid, start, play, length, late, music })
}

fn form(filled: &Fields, schedule: &Schedule, catalog: &Catalog) -> Markup {
    let start = filled.one("start");
    html! {
        (fields::play_select("play", say::PLAY, filled, schedule, catalog))
        (fields::length_inputs("", say::LENGTH, Some(say::LENGTH_RULE), filled))
        fieldset {
            legend { (say::START) }
            @for (word, label) in [("follow", say::FOLLOW), ("hard", say::HARD), ("fill", say::FILL)] {
                label.box { input type="radio" name="start" value=(word) checked[start == word || (start.is_empty() && word == "follow")]; (label) }
                @if word == "hard" { (fields::time_input("at", say::AT, filled)) }
            }
        }
        (fields::day_boxes(filled))
        label { (say::TITLE) input name="title" maxlength="200" value=(filled.one("title")); small { (say::TITLE_RULE) } }
        details.session {
            summary { (say::MORE) }
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
            (fields::validity_inputs(filled))
        }
    }
}

/// What it plays and how long stand in `subject` of the record.
fn change_of(session: &Session, slot: &Slot) -> Change {
    let back = format!("{HERE}/buoi/{}", session.id);
    Change {
        title: say::slot(&slot.title, &session.title),
        action: format!("{back}/muc/{}", slot.id),
        back,
        code: "schedule.slot",
        subject: format!("{}/{}", session.id, slot.id),
        aside: None,
    }
}

/// The form of a slot.
pub(super) async fn ask(
    visitor: Visitor<EditSchedule>,
    Of(state): Of<State>,
    Path((of, id)): Path<(String, String)>,
) -> Result<Html<String>, Failure> {
    let Sheet { seen, schedule } = sheet(&state).await?;
    let session = session(&schedule, &of)?;
    let slot = slot_of(session, &id)?;
    let mut filled = values(slot, session, &schedule);
    filled.push((SEEN, seen));
    let catalog = state.plan().catalog.clone();
    let change = change_of(session, slot);
    let aside = html! { p { a.button.bad href={ (change.action) "/bo" } { (say::REMOVE_SLOT) } } };
    let change = Change { aside: Some(aside), ..change };
    let draw = |filled: &Fields| form(filled, &schedule, &catalog);
    Ok(form_page(&state, &visitor, &change, &Fields::of(filled), &[], &draw))
}

/// What a slot is to be.
pub(super) async fn change(
    Of(state): Of<State>,
    Path((of, id)): Path<(String, String)>,
    Sent { visitor, fields: filled }: Sent<EditSchedule>,
) -> Result<Response, Failure> {
    let Sheet { schedule, .. } = sheet(&state).await?;
    let session = session(&schedule, &of)?;
    let slot = slot_of(session, &id)?;
    let wish = read(&filled, Some(slot), session, &schedule)
        .map(|to| Wish::Edit(Edit::Slot { session: session.id.clone(), id: slot.id.clone(), to }));
    let catalog = state.plan().catalog.clone();
    let draw = |filled: &Fields| form(filled, &schedule, &catalog);
    submit(&state, &visitor, &change_of(session, slot), &filled, wish, Some(&draw)).await
}

fn new_change(session: &Session, subject: String) -> Change {
    let back = format!("{HERE}/buoi/{}", session.id);
    Change {
        title: say::new_slot(&session.title),
        action: format!("{back}/muc-moi"),
        back,
        code: "schedule.slot-add",
        subject,
        aside: None,
    }
}

fn new_form(filled: &Fields, session: &Session, schedule: &Schedule, catalog: &Catalog) -> Markup {
    html! {
        label { (say::AFTER)
            select name="after" {
                option value="" { (say::FIRST) }
                @for slot in &session.slots { option value=(slot.id) selected[filled.one("after") == slot.id.as_str()] { (slot.title) } }
            }
        }
        (form(filled, schedule, catalog))
    }
}

/// The form of a new slot.
pub(super) async fn ask_new(
    visitor: Visitor<EditSchedule>,
    Of(state): Of<State>,
    Named(of): Named,
    Asked(after): Asked<After>,
) -> Result<Html<String>, Failure> {
    let Sheet { seen, schedule } = sheet(&state).await?;
    let session = session(&schedule, &of)?;
    let last = || session.slots.last().map(|slot| slot.id.to_string()).unwrap_or_default();
    let mut filled = vec![(SEEN, seen), ("after", after.sau.unwrap_or_else(last))];
    filled.extend(fields::day_values(session.days));
    let catalog = state.plan().catalog.clone();
    let draw = |filled: &Fields| new_form(filled, session, &schedule, &catalog);
    Ok(form_page(&state, &visitor, &new_change(session, String::new()), &Fields::of(filled), &[], &draw))
}

/// A slot more.
pub(super) async fn add(
    Of(state): Of<State>,
    Named(of): Named,
    Sent { visitor, fields: filled }: Sent<EditSchedule>,
) -> Result<Response, Failure> {
    let Sheet { schedule, .. } = sheet(&state).await?;
    let session = session(&schedule, &of)?;
    let slot = read(&filled, None, session, &schedule);
    let subject = slot.as_ref().map(|slot| format!("{}/{}", session.id, slot.id)).unwrap_or_default();
    let after = Some(filled.one("after")).filter(|after| !after.is_empty()).map(Into::into);
    let wish = slot.map(|slot| Wish::Edit(Edit::AddSlot { session: session.id.clone(), after, slot }));
    let catalog = state.plan().catalog.clone();
    let draw = |filled: &Fields| new_form(filled, session, &schedule, &catalog);
    submit(&state, &visitor, &new_change(session, subject), &filled, wish, Some(&draw)).await
}

/// What can be done with a slot in one step: taken out, or moved.
fn step_of(session: &Session, slot: &Slot, step: &str) -> Result<(Change, Wish), Failure> {
    let (of, id) = (session.id.clone(), slot.id.clone());
    let mut change = change_of(session, slot);
    change.action = format!("{}/{step}", change.action);
    let edit = match step {
        "bo" => {
            change.title = say::remove_slot(&slot.title, &session.title);
            change.code = "schedule.slot-remove";
            Edit::RemoveSlot { session: of, id }
        }
        "len" | "xuong" => {
            let earlier = step == "len";
            change.title = say::move_slot(&slot.title, earlier);
            change.code = "schedule.slot-move";
            Edit::MoveSlot { session: of, id, earlier }
        }
        _ => return Err(Refusal::NoPage.into()),
    };
    Ok((change, Wish::Edit(edit)))
}

/// Shows what such a step would change.
pub(super) async fn ask_step(
    visitor: Visitor<EditSchedule>,
    Of(state): Of<State>,
    Path((of, id, step)): Path<(String, String, String)>,
) -> Result<Response, Failure> {
    let Sheet { schedule, .. } = sheet(&state).await?;
    let session = session(&schedule, &of)?;
    let (change, wish) = step_of(session, slot_of(session, &id)?, &step)?;
    preview(&state, &visitor, &change, &Fields::of([]), wish, None).await
}

/// Takes it.
pub(super) async fn step(
    Of(state): Of<State>,
    Path((of, id, step)): Path<(String, String, String)>,
    Sent { visitor, fields: filled }: Sent<EditSchedule>,
) -> Result<Response, Failure> {
    let Sheet { schedule, .. } = sheet(&state).await?;
    let session = session(&schedule, &of)?;
    let (change, wish) = step_of(session, slot_of(session, &id)?, &step)?;
    submit(&state, &visitor, &change, &filled, Ok(wish), None).await
}
