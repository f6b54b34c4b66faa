//! Special days: by date, without music, without a session, with another content, with sessions of their own.

use axum::extract::State as Of;
use axum::response::{Html, IntoResponse as _, Response};
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use super::HERE;
use super::desk::{Change, SEEN, caught_up, form_page, gone, preview, sheet, submit};
use super::fields::{self, Values};
use super::place::{address, home, named, session_address};
use super::recording;
use super::wrong::{Filled, Wrong};
use crate::access::{Permission, permit};
use crate::editing::{Sheet, Wish};
use crate::schedule::edit::Edit;
use crate::schedule::{DayPlan, PlanDate, Replacement, Schedule, Session, SessionId};
use crate::segment::Catalog;
use crate::text::page::calendar::{self, plan_date};
use crate::text::page::editing::{day as say, form};
use crate::web::State;
use crate::web::console::form::{Fields, Sent};
use crate::web::console::page::{Failure, page, to};
use crate::web::console::visitor::Visitor;
use crate::web::input::{Asked, Named};
use crate::web::person::{EditSchedule, See};

/// The day that somebody wants to make special.
#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    ngay: Option<String>,
    nam: Option<String>,
}

/// The special days, and a way to add one.
pub(super) async fn list(
    visitor: Visitor<See>,
    Of(state): Of<State>,
    Asked(chosen): Asked<Chosen>,
) -> Result<Response, Failure> {
    if let Some(date) = chosen.ngay.and_then(|date| date.parse::<Date>().ok()) {
        let date = match chosen.nam {
            Some(_) => PlanDate::Yearly { month: date.month(), day: date.day() },
            None => PlanDate::Once(date),
        };
        return Ok(to(&home(Some(date))));
    }
    let plan = state.plan();
    let today = plan.schedule.time_zone.to_datetime(state.clock.now()).date();
    let past = |plan: &&DayPlan| matches!(plan.date, PlanDate::Once(date) if date < today);
    let (past, mut to_come): (Vec<_>, Vec<_>) = plan.schedule.day_plans.iter().partition(past);
    to_come.sort_by_key(|plan| next(plan.date, today));
    let may_edit = permit(&visitor.person.user().roles, Permission::EditSchedule);
    let list = |days: &[&DayPlan]| {
        html! { ul.special-days { @for day in days { li.card {
            p { strong { (plan_date(day.date)) } " – " (day.title) @if day.no_music { " (" (calendar::NO_MUSIC) ")" } }
            @if may_edit { a.button href=(home(Some(day.date))) aria-label=(calendar::edit_slot(&day.title)) { (calendar::EDIT) } }
        } } } }
    };
    let content = html! {
        p.lead { (say::INTRO) }
        h2 { (say::TO_COME) }
        @if to_come.is_empty() { p.quiet { (say::NONE) } } @else { (list(&to_come)) }
        @if may_edit {
            form.card method="get" action={ (HERE) "/ngay" } {
                h2 { (say::ADD) }
                label { (say::DATE) input type="date" name="ngay" required; }
                label.box { input type="checkbox" name="nam" value="1"; (say::YEARLY) }
                button.main { (say::NEXT) }
            }
        }
        @if !past.is_empty() { details.session { summary { (say::PAST) } (list(&past)) } }
        p { a href=(HERE) { (form::BACK) } }
    };
    Ok(page(&state, &visitor, HERE, calendar::DAYS, &content).into_response())
}

/// The plan of a day as it is, or of one that is like others yet.
pub(super) fn of(schedule: &Schedule, date: PlanDate) -> DayPlan {
    let known = schedule.day_plans.iter().find(|plan| plan.date == date).cloned();
    known.unwrap_or_else(|| DayPlan {
        date,
        title: String::new(),
        no_music: false,
        drop: [].into(),
        replace: Vec::new(),
        sessions: Vec::new(),
    })
}

/// The date itself, or of one that comes every year the next from today on.
pub(super) fn next(date: PlanDate, today: Date) -> Option<Date> {
    match date {
        PlanDate::Once(date) => Some(date),
        // The 29th of February comes within eight years.
        PlanDate::Yearly { month, day } => {
            let years = today.year()..=today.year().saturating_add(8);
            years.filter_map(|year| Date::new(year, month, day).ok()).find(|date| *date >= today)
        }
    }
}

/// What who makes a day special may not have meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It is over; when there is such a day again.
    Over(Date, Option<Date>),
    /// It has the plan of every year so far, by its title and date, and will have nothing of it.
    InsteadOf(String, PlanDate),
}

impl Doubt {
    pub(super) fn all(schedule: &Schedule, date: PlanDate, today: Date) -> Vec<Self> {
        let PlanDate::Once(day) = date else { return Vec::new() };
        let again = next(PlanDate::Yearly { month: day.month(), day: day.day() }, today);
        let over = (day < today).then_some(Self::Over(day, again));
        let so_far = schedule.day_plan(day).filter(|plan| plan.date != date);
        over.into_iter().chain(so_far.map(|plan| Self::InsteadOf(plan.title.clone(), plan.date))).collect()
    }

    pub(super) fn said(&self) -> String {
        match self {
            Self::Over(day, again) => say::is_over(*day, *again),
            Self::InsteadOf(title, date) => say::instead_of(title, &plan_date(*date)),
        }
    }
}

/// The same above a form, with the way to the day that may have been meant.
pub(super) fn doubts(schedule: &Schedule, date: PlanDate, today: Date) -> Markup {
    html! {
        @for doubt in Doubt::all(schedule, date, today) {
            p.note.warn {
                (doubt.said())
                @if let Doubt::Over(_, Some(again)) = doubt { " " a href=(home(Some(PlanDate::Once(again)))) { (say::rather(again)) } }
            }
        }
    }
}

fn values(plan: &DayPlan) -> Values {
    let mut values = vec![("title", plan.title.clone())];
    values.extend(plan.no_music.then(|| ("no_music", "yes".to_owned())));
    values.extend(plan.drop.iter().map(|session| ("drop", session.to_string())));
    values.extend(plan.replace.iter().map(|other| ("keep", path_of(other))));
    values
}

fn path_of(other: &Replacement) -> String {
    format!("{}/{}", other.session, other.slot)
}

/// The day that was filled in; its own sessions stay.
fn read(
    filled: &Fields,
    old: &DayPlan,
    (schedule, catalog): (&Schedule, &Catalog),
) -> Result<DayPlan, Vec<Wrong>> {
    let mut problems = Vec::new();
    let title = filled.one("title").to_owned();
    if title.is_empty() {
        problems.push(Wrong::field("title", say::NO_TITLE));
    }
    let new = match fields::path(filled.one("slot")) {
        None => {
            let filled_in = ["play", recording::FIELD, "replace_title", "minutes", "seconds"];
            if filled_in.iter().any(|field| !filled.one(field).is_empty()) {
                problems.push(Wrong::field("slot", say::NO_REPLACED));
            }
            None
        }
        Some((session, slot)) => {
            let play =
                recording::chosen(filled, schedule, catalog).map_err(|failed| problems.push(failed)).ok();
            let length = fields::length("", filled);
            let length = length.map_err(|failed| problems.push(failed)).ok();
            let title =
                Some(filled.one("replace_title")).filter(|title| !title.is_empty()).map(str::to_owned);
            play.zip(length).map(|(play, length)| Replacement { session, slot, title, play, length })
        }
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let same = |other: &Replacement| new.as_ref().is_some_and(|new| path_of(new) == path_of(other));
    let kept =
        old.replace.iter().filter(|other| filled.has("keep", &path_of(other)) && !same(other)).cloned();
    Ok(DayPlan {
        title,
        no_music: filled.has("no_music", "yes"),
        drop: filled.all("drop").map(Into::into).collect(),
        replace: kept.chain(new.clone()).collect(),
        ..old.clone()
    })
}

fn fill_in(
    filled: &Filled<'_>,
    plan: &DayPlan,
    (schedule, catalog): (&Schedule, &Catalog),
    today: Date,
) -> Markup {
    let day = Some(plan.date);
    let slots: Vec<_> = fields::slots(fields::of_week(schedule, day), day).collect();
    let title = |path: &str| {
        fields::slots(plan.sessions.iter().chain(&schedule.sessions), None)
            .find(|(known, _)| known == path)
            .map_or_else(|| path.to_owned(), |(_, text)| text)
    };
    let could_be = |id: &SessionId| fields::of_week(schedule, day).any(|session| session.id == *id);
    let dropped = |session: &&Session| plan.drop.contains(&session.id) || could_be(&session.id);
    let dropped: Vec<_> = schedule.sessions.iter().filter(dropped).collect();
    html! {
        (doubts(schedule, plan.date, today))
        (fields::text_input("title", say::TITLE, true, filled))
        label.box { input type="checkbox" name="no_music" value="yes" checked[filled.has("no_music", "yes")]; (say::NO_MUSIC) }
        @if !dropped.is_empty() {
            fieldset aria-describedby=[filled.described("drop")] { legend { (say::DROP) }
                (filled.beside("drop"))
                @for session in dropped {
                    label.box { input type="checkbox" name="drop" value=(session.id) checked[filled.has("drop", session.id.as_str())];
                        (session.title) " (" (fields::time_text(session.from)) ")" }
                }
            }
        }
        @if !plan.replace.is_empty() {
            fieldset { legend { (say::REPLACED) }
                @for other in &plan.replace {
                    @let path = path_of(other);
                    label.box { input type="checkbox" name="keep" value=(path) checked[filled.has("keep", &path)];
                        span { (title(&path)) " → " (other.title.clone().unwrap_or_else(|| fields::play_name(&other.play, schedule, catalog))) } }
                }
            }
        }
        @if !slots.is_empty() {
            fieldset.inner { legend { (say::REPLACE) }
                label { (say::SLOT)
                    select name="slot" aria-invalid=[filled.invalid("slot")] aria-describedby=[filled.described("slot")] {
                        option value="" { (say::NO_SLOT) }
                        @for (path, text) in slots { option value=(path) selected[filled.one("slot") == path] { (text) } }
                    }
                    (filled.beside("slot"))
                }
                (fields::play_select("play", say::REPLACE_PLAY, filled, schedule, catalog, day))
                (fields::text_input("replace_title", say::REPLACE_TITLE, false, filled))
                (fields::length_inputs("", form::LENGTH, None, filled))
            }
        }
    }
}

/// Its own sessions, each with the way to change it, and how the day becomes one like others.
fn own(plan: &DayPlan, known: bool) -> Markup {
    let here = home(Some(plan.date));
    html! {
        section.slots {
            h2 { (say::OWN_SESSIONS) }
            @if plan.sessions.is_empty() { p.quiet { (say::NO_OWN_SESSIONS) } }
            ul { @for own in &plan.sessions { li.card {
                p { strong { (own.title) } " " span.quiet { (fields::time_text(own.from)) " – " (fields::time_text(own.to)) } }
                div.actions {
                    a.button.main href=(session_address(Some(plan.date), &own.id)) aria-label=(form::session(&own.title)) { (calendar::EDIT) }
                }
            } } }
            p { a.button href={ (here) "/buoi-moi" } { (say::ADD_SESSION) } }
            @if known { p { a.button.bad href={ (here) "/bo" } { (say::REMOVE) } } }
        }
    }
}

fn change_of(plan: &DayPlan) -> Change {
    Change {
        title: say::of(&plan_date(plan.date)),
        action: home(Some(plan.date)),
        back: format!("{HERE}/ngay"),
        code: "schedule.day",
        subject: address(plan.date),
        aside: None,
    }
}

/// The form of a day.
pub(super) async fn ask(
    visitor: Visitor<EditSchedule>,
    Of(state): Of<State>,
    Named(date): Named,
) -> Result<Html<String>, Failure> {
    let date = named(&date)?;
    let Sheet { seen, schedule } = sheet(&state).await?;
    let plan = of(&schedule, date);
    let known = schedule.day_plans.contains(&plan);
    let mut filled = values(&plan);
    filled.push((SEEN, seen));
    let catalog = state.plan().catalog.clone();
    let change = change_of(&plan);
    let change = Change { aside: Some(own(&plan, known)), ..change };
    let today = state.today();
    let draw = |filled: &Filled<'_>| fill_in(filled, &plan, (&schedule, &catalog), today);
    Ok(form_page(&state, &visitor, &change, &Fields::of(filled), &[], &draw))
}

/// What a day is to be.
pub(super) async fn change(
    Of(state): Of<State>,
    Named(date): Named,
    Sent { visitor, fields: filled }: Sent<EditSchedule>,
) -> Result<Response, Failure> {
    let date = named(&date)?;
    let now = sheet(&state).await?;
    let filled = caught_up(&state, filled, &now, |schedule| Some(values(&of(schedule, date)))).await?;
    let schedule = now.schedule;
    let plan = of(&schedule, date);
    let catalog = state.plan().catalog.clone();
    let wish = read(&filled, &plan, (&schedule, &catalog)).map(|plan| Wish::Edit(Edit::Day(plan)));
    let today = state.today();
    let draw = |filled: &Filled<'_>| fill_in(filled, &plan, (&schedule, &catalog), today);
    submit(&state, &visitor, &change_of(&plan), &filled, wish, Some(&draw)).await
}

fn removal(schedule: &Schedule, date: &str) -> Result<(Change, Wish), Failure> {
    let date = named(date)?;
    if schedule.day_plans.iter().all(|plan| plan.date != date) {
        return Err(gone());
    }
    let at = home(Some(date));
    let change = Change {
        title: say::remove(&plan_date(date)),
        action: format!("{at}/bo"),
        back: at,
        code: "schedule.day-remove",
        subject: address(date),
        aside: None,
    };
    Ok((change, Wish::Edit(Edit::RemoveDay(date))))
}

/// Shows what changes when a day is like others again.
pub(super) async fn ask_remove(
    visitor: Visitor<EditSchedule>,
    Of(state): Of<State>,
    Named(date): Named,
) -> Result<Response, Failure> {
    let Sheet { schedule, .. } = sheet(&state).await?;
    let (change, wish) = removal(&schedule, &date)?;
    preview(&state, &visitor, &change, &Fields::of([]), wish, None).await
}

/// Makes it so.
pub(super) async fn remove(
    Of(state): Of<State>,
    Named(date): Named,
    Sent { visitor, fields: filled }: Sent<EditSchedule>,
) -> Result<Response, Failure> {
    let Sheet { schedule, .. } = sheet(&state).await?;
    let (change, wish) = removal(&schedule, &date)?;
    submit(&state, &visitor, &change, &filled, Ok(wish), None).await
}
