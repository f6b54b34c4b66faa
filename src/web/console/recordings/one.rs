//! One recording: heard, described, and taken on its way.

use std::sync::Arc;

use axum::extract::State as Of;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::form::{Fields, Sent, in_words};
use super::super::page::{Failure, key, page, to};
use super::super::to_do::broken_means;
use super::super::visitor::Visitor;
use super::prospect::{Hindrance, Outlook, first_airings, hindrance, prospects, timelines};
use super::queue::{SEEN, judge, players};
use super::trail::{changes, script_change, trail, value};
use super::waveform::waveform;
use super::weeks::{coming, monday};
use super::{HERE, about, address, badge, has_no_weeks, last_day, placeless, programmes};
use crate::access::{Permission, permit};
use crate::segment::{ContentHash, Genre, LONGEST_TEXT, Segment, SegmentId, State as Stand, TOPICS, Words};
use crate::store::{Store, StoreError, seen, thrown_away};
use crate::text;
use crate::text::http::{Refusal, Why};
use crate::text::outcome;
use crate::text::page::home;
use crate::text::page::recordings::{self as say_all, one as say, send};
use crate::timeline::plan::Plan;
use crate::web::State;
use crate::web::input::{Asked, Named};
use crate::web::person::{HandIn, See};
use crate::web::problem::Problem;
use crate::web::recordings::{
    self, Changes, LONGEST_SCRIPT, SCRIPT, existing, parse_seen, returned, segment_id,
};

/// The genres with their codes.
const GENRES: [(&str, Genre); 10] = [
    ("news", Genre::News),
    ("bulletin", Genre::Bulletin),
    ("article", Genre::Article),
    ("reportage", Genre::Reportage),
    ("feature", Genre::Feature),
    ("commendation", Genre::Commendation),
    ("notice", Genre::Notice),
    ("correction", Genre::Correction),
    ("music", Genre::Music),
    ("ident", Genre::Ident),
];
/// The fields of the form.
fn form_fields() -> impl Iterator<Item = &'static str> {
    Words::FIELDS.into_iter().chain([SCRIPT])
}

/// What was done just now.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web::console) struct Done {
    /// The words were kept.
    #[serde(rename = "da-luu")]
    kept: Option<String>,
    /// It was withdrawn.
    #[serde(rename = "da-thu-hoi")]
    withdrawn: Option<String>,
    /// It was thrown away.
    #[serde(rename = "da-bo")]
    discarded: Option<String>,
}

/// The page.
pub(in crate::web::console) async fn one(
    visitor: Visitor<See>,
    Of(state): Of<State>,
    Named(id): Named,
    Asked(done): Asked<Done>,
) -> Result<Html<String>, Failure> {
    let segment = existing(&state, segment_id(&id)?).await?;
    let withdrawn = done.withdrawn.is_some() && segment.state == Stand::Withdrawn;
    let note = html! {
        @if done.kept.is_some() { p.note.good role="status" { (say::KEPT) } }
        @if done.discarded.is_some() && segment.state == Stand::Withdrawn {
            p.note.good role="status" { (say_all::discard::DONE) }
        }
        @if withdrawn {
            p.note.good role="status" { (say_all::withdraw::DONE) }
            p.actions { a.button href="/" { (text::page::TO_HOME) } }
        }
    };
    show(&state, &visitor, segment, None, note).await
}

/// What was typed into a form that is not taken, and why not.
#[derive(Clone, Copy)]
pub(super) struct Typed<'a> {
    pub(super) fields: &'a Fields,
    wrong: &'a [(String, Why)],
}

impl Typed<'_> {
    /// Whether it is the form of the words.
    fn is_of_words(&self) -> bool {
        self.fields.pairs().any(|(name, _)| name == "title")
    }

    /// Why a field's value is not taken.
    pub(super) fn why(&self, field: &str) -> Option<Why> {
        self.wrong.iter().find(|(name, _)| name == field).map(|(_, why)| *why)
    }

    /// The note above: the fields as they stand in their form, each with what is wrong.
    fn note(&self) -> Markup {
        let faults =
            form_fields().chain(["reason"]).filter_map(|field| Some((say::field(field), self.why(field)?)));
        html! {
            div.note.bad role="alert" {
                p { (say::NOT_KEPT) }
                ul { @for (field, why) in faults { li { (say::wrong(field, &why.said())) } } }
            }
        }
    }
}

/// What is said at a field whose value is not taken.
pub(super) fn fault(field: &str, why: Option<Why>) -> Markup {
    html! { @if let Some(why) = why { small.fault id=(fault_id(field)) { (why.said()) } } }
}

/// By what a field and what is said at it are tied together, for who cannot see that they stand beside each other.
pub(super) fn fault_id(field: &str) -> String {
    format!("wrong-{field}")
}

/// The page again, with what was typed into one of its forms, and why that is not taken.
pub(super) async fn turned_down<N>(
    state: &State,
    visitor: &Visitor<N>,
    id: SegmentId,
    (fields, wrong): (&Fields, &[(String, Why)]),
) -> Result<Response, Failure> {
    let typed = Typed { fields, wrong };
    let segment = existing(state, id).await?;
    let shown = show(state, visitor, segment, Some(typed), typed.note()).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
}

/// The page, where a form was wrong with what was typed into it.
async fn show<N>(
    state: &State,
    visitor: &Visitor<N>,
    segment: Segment,
    typed: Option<Typed<'_>>,
    note: Markup,
) -> Result<Html<String>, Failure> {
    let (plan, now, id) = (state.plan(), state.clock.now(), segment.id.clone());
    let of = (segment.clone(), Arc::clone(&plan));
    let read = move |store: &Store| {
        let peaks = store.peaks(&id)?.unwrap_or_default();
        let airs = airs_when(&of.0, store, &of.1, now)?;
        Ok::<_, StoreError>((peaks, store.script(&id)?, store.segment_events(&id)?, store.heard(&id)?, airs))
    };
    let (peaks, script, events, heard, airs) = state.store.run(read).await?;
    let zone = &plan.schedule.time_zone;
    let loudness = plan.schedule.loudness;
    let gain_db = segment.sound.gain_db(loudness.target_lufs, loudness.max_boost_db);
    let roles = &visitor.person.user().roles;
    let may = |permission| permit(roles, permission);
    let content = html! {
        (note)
        p { (badge(segment.state)) " "
            @if thrown_away(&segment, &events) { (say::THROWN_AWAY) } @else { (say::state_means(segment.state)) }
        }
        @if let Some(event) = returned(&events).filter(|_| segment.state == Stand::Draft) {
            p.note.warn { (say::returned(&event.by, event.at, zone, event.reason.as_deref().unwrap_or_default())) }
        }
        @if let Some(trouble) = plan.catalog.troubles().get(&segment.id) {
            p.note.bad { (home::file_broken(*trouble, &segment.words.title)) ". " (broken_means(state, &segment, *trouble)) }
        }
        @if let Some(heard) = &heard { p { (say::heard(heard, zone)) } }
        (airs)
        // They judge what is kept: beside words that are not, they would speak against what the form holds.
        @if !typed.is_some_and(|typed| typed.is_of_words()) {
            (placeless(&segment, &plan.schedule))
            (last_day(&segment, &plan.schedule, now))
        }
        (about(&segment, &plan.schedule, zone))
        @if let Some(approval) = &segment.approval { p { (say::approved(&approval.by, approval.at, zone)) } }
        div.recording {
            div {
                (waveform(&peaks, &segment.sound))
                (players(&segment))
                @for sentence in say::levels(&segment.sound, gain_db) { p.quiet { (sentence) } }
                div.actions {
                    @if segment.state == Stand::Pending && may(Permission::Approve) {
                        (judge(state, visitor, (&segment, &script), typed, HERE))
                    } @else if recordings::may_discard(visitor.person.user(), &segment) {
                        a.button.bad href={ (address(&segment.id)) "/bo" } { (say_all::discard::TO) }
                    } @else if segment.state != Stand::Withdrawn && may(Permission::Withdraw) {
                        a.button.bad href={ (address(&segment.id)) "/thu-hoi" } { (say_all::WITHDRAW) }
                    }
                }
            }
            @if recordings::may_describe(state, visitor.person.user(), &segment) {
                @let filled = Filled { segment: &segment, script: &script, typed: typed.filter(Typed::is_of_words) };
                (form(visitor, &plan, &segment, &filled, now))
            } @else {
                div {
                    (words(&plan, &segment, &script))
                    @if may(Permission::HandIn) { p.quiet { (say::APPROVED_WORDS) } }
                }
            }
        }
        (trail(&events, &plan.schedule))
        p { a href=(HERE) { (say_all::BACK) } }
    };
    Ok(page(state, visitor, HERE, &segment.words.title, &content))
}

/// When it airs next, or would once it is approved; or why not.
fn airs_when(segment: &Segment, store: &Store, plan: &Plan, now: Timestamp) -> Result<Markup, StoreError> {
    let zone = &plan.schedule.time_zone;
    Ok(match segment.state {
        Stand::Pending => {
            let outlook = Outlook::read(store, plan, now)?;
            html! {
                @if let Some(prospect) = prospects(&outlook, [segment]).get(&segment.id) { (prospect.said(zone)) }
            }
        }
        Stand::Approved => {
            let outlook = Outlook::read(store, plan, now)?;
            let timelines = timelines(&outlook, |_| false);
            let next = first_airings(&timelines).get(&segment.id).copied();
            html! {
                @if let Some(at) = next { p.due { (say_all::airs_next(at, zone)) } }
                @else { @match hindrance(segment, &outlook, &timelines) {
                    Some(Hindrance::AtHand) => p.due { (say_all::no_place::AT_HAND) },
                    Some(why) => p.note.warn { (say_all::no_place::said(&why.said())) },
                    None => {}
                } }
            }
        }
        Stand::Draft | Stand::Withdrawn => html! {},
    })
}

/// What stands in the fields: what was typed, otherwise what is kept.
struct Filled<'a> {
    segment: &'a Segment,
    script: &'a str,
    typed: Option<Typed<'a>>,
}

impl Filled<'_> {
    fn why(&self, field: &str) -> Option<Why> {
        self.typed.as_ref().and_then(|typed| typed.why(field))
    }

    /// Whether the value is not taken, for who cannot see what stands beside it.
    fn invalid(&self, field: &str) -> Option<&'static str> {
        self.why(field).map(|_| "true")
    }

    /// Where it is said why.
    fn described(&self, field: &str) -> Option<String> {
        self.why(field).map(|_| fault_id(field))
    }

    /// What tells apart the words and scripts that the form shows, or showed when it was filled in.
    fn seen(&self) -> ContentHash {
        let typed = self.typed.and_then(|typed| typed.fields.one(SEEN).parse().ok());
        typed.unwrap_or_else(|| seen(&self.segment.words, self.script))
    }

    fn of(&self, field: &str) -> String {
        let words = &self.segment.words;
        let date = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        let text = |text: &Option<Arc<str>>| text.as_deref().unwrap_or_default().to_owned();
        if let Some(typed) = self.typed {
            return typed.fields.one(field).to_owned();
        }
        match field {
            "title" => words.title.clone(),
            "programme" => words.programme.as_ref().map(ToString::to_string).unwrap_or_default(),
            "week" => date(words.week),
            "topic" => text(&words.topic),
            "genre" => {
                GENRES.iter().find(|(_, genre)| Some(*genre) == words.genre).map_or("", |g| g.0).to_owned()
            }
            "author" => text(&words.author),
            "source" => text(&words.source),
            "valid_from" => date(words.valid_from),
            "valid_until" => date(words.valid_until),
            _ => self.script.to_owned(),
        }
    }
}

/// The words, to be changed.
fn form<N>(
    visitor: &Visitor<N>,
    plan: &Plan,
    segment: &Segment,
    filled: &Filled<'_>,
    now: Timestamp,
) -> Markup {
    let schedule = &plan.schedule;
    let week = filled.of("week");
    let mut weeks: Vec<_> = coming(now, schedule, 4).into_iter().map(monday).collect();
    weeks.extend(week.parse::<Date>().ok().filter(|week| !weeks.contains(week)));
    weeks.sort();
    let kept_topic = filled.of("topic");
    let text = |field: &'static str, label: &str| {
        html! { label { (label)
            input name=(field) value=(filled.of(field)) required[field == "title"] maxlength=(LONGEST_TEXT) autocomplete="off" aria-invalid=[filled.invalid(field)] aria-describedby=[filled.described(field)];
            (fault(field, filled.why(field)))
        } }
    };
    let date = |field: &'static str, label: &str| {
        html! { label { (label)
            input type="date" name=(field) value=(filled.of(field)) aria-invalid=[filled.invalid(field)] aria-describedby=[filled.described(field)];
            (in_words(&filled.of(field)))
            (fault(field, filled.why(field)))
        } }
    };
    html! {
        form.card method="post" action=(address(&segment.id)) {
            h2 { (say::WORDS) }
            (key(visitor))
            input type="hidden" name=(SEEN) value=(filled.seen());
            (text("title", say::TITLE))
            label { (say_all::PROGRAMME) select name="programme" aria-invalid=[filled.invalid("programme")] aria-describedby=[filled.described("programme")] {
                option value="" { (send::LATER) }
                (programmes(schedule, &filled.of("programme"), |_| None))
            } (fault("programme", filled.why("programme"))) }
            label.week { (send::WEEK) select name="week" aria-invalid=[filled.invalid("week")] aria-describedby=[filled.described("week")] {
                option value="" { (send::NO_WEEK) }
                @for day in weeks { option value=(day) selected[day.to_string() == week] { (say_all::week(day.iso_week_date())) } }
            } (fault("week", filled.why("week"))) }
            div.pair {
                label { (say::TOPIC) select name="topic" aria-invalid=[filled.invalid("topic")] aria-describedby=[filled.described("topic")] {
                    option value="" { (say::AS_PROGRAMME) }
                    @if !kept_topic.is_empty() && !TOPICS.contains(&&*kept_topic) { option value=(kept_topic) selected { (kept_topic) } }
                    @for topic in TOPICS { option value=(topic) selected[topic == kept_topic] { (say::topic(topic)) } }
                } (fault("topic", filled.why("topic"))) }
                label { (say::GENRE) select name="genre" aria-invalid=[filled.invalid("genre")] aria-describedby=[filled.described("genre")] {
                    option value="" { (say::AS_PROGRAMME) }
                    @for (code, genre) in GENRES { option value=(code) selected[code == filled.of("genre")] { (outcome::genre(genre)) } }
                } (fault("genre", filled.why("genre"))) }
            }
            (text("author", say::AUTHOR))
            (text("source", say::SOURCE))
            div.pair {
                (date("valid_from", say::VALID_FROM))
                (date("valid_until", say::VALID_UNTIL))
            }
            label { (say::SCRIPT)
                textarea name="script" rows="8" maxlength=(LONGEST_SCRIPT) aria-describedby={ "script-means" @if let Some(why) = filled.described("script") { " " (why) } } aria-invalid=[filled.invalid("script")] { (filled.of("script")) }
                (fault("script", filled.why("script")))
                small #script-means { (say::SCRIPT_MEANS) }
            }
            div.actions {
                @if segment.state == Stand::Draft {
                    // The first button is the one that the enter key presses in a field: it asks nobody for anything.
                    button { (say::KEEP) }
                    button.main name="then" value="submit" { (say::KEEP_AND_SUBMIT) }
                } @else {
                    button.main { (say::KEEP) }
                }
            }
        }
    }
}

/// The words, to be read.
fn words(plan: &Plan, segment: &Segment, script: &str) -> Markup {
    const SHOWN: [&str; 7] = ["programme", "topic", "genre", "author", "source", "valid_from", "valid_until"];
    let row = |field: &&'static str| (say::field(field), value(&segment.words, field, &plan.schedule));
    let rows = SHOWN.iter().map(row).chain([(say::FILE, Some(segment.file.clone()))]);
    html! {
        div.card {
            h2 { (say::WORDS) }
            dl { @for (name, value) in rows { @if let Some(value) = value { dt { (name) } dd { (value) } } } }
            h2 { (say::SCRIPT) }
            @if script.is_empty() { p.quiet { (say::NO_SCRIPT) } } @else { p.script { (script) } }
        }
    }
}

/// Keeps the words, and asks for approval where that was pressed; what is wrong with them is said above the form, which stays as it was filled in.
pub(in crate::web::console) async fn describe(
    Of(state): Of<State>,
    Named(id): Named,
    Sent { visitor, fields }: Sent<HandIn>,
) -> Result<Response, Failure> {
    let id = segment_id(&id)?;
    let hides_week = has_no_weeks(&state.plan().schedule, fields.one("programme"));
    let typed = |field| Some(fields.one(field).to_owned()).filter(|_| !(hides_week && field == "week"));
    let changes: Changes = form_fields().map(|field| (field.to_owned(), typed(field))).collect();
    let shown = parse_seen(Some(fields.one(SEEN)).filter(|shown| !shown.is_empty()))?;
    match recordings::describe(&state, &visitor.person, id.clone(), changes.clone(), shown).await {
        Ok(segment) if fields.one("then") == "submit" => {
            let segment = recordings::submit(&state, &visitor.person, segment.id).await?;
            Ok(to(&address(&segment.id)))
        }
        Ok(segment) => Ok(to(&format!("{}?da-luu=1", address(&segment.id)))),
        Err(Problem(Refusal::BadWords(wrong))) => turned_down(&state, &visitor, id, (&fields, &wrong)).await,
        Err(Problem(Refusal::OtherWords)) => overtaken(&state, &visitor, id, (&fields, &changes)).await,
        Err(problem) => Err(problem.into()),
    }
}

/// The page again, where somebody else kept other words since it was shown: with what was typed, and what keeping that
/// would change of theirs.
async fn overtaken(
    state: &State,
    visitor: &Visitor<HandIn>,
    id: SegmentId,
    (fields, typed): (&Fields, &Changes),
) -> Result<Response, Failure> {
    let read = move |store: &Store| Ok((store.segment(&id)?, store.script(&id)?));
    let (segment, script) = state.store.run(read).await?;
    let segment = segment.ok_or(Refusal::NoSegment)?;
    let (words, new) = recordings::changed(state, segment.words.clone(), typed)?;
    let note = html! {
        div.note.warn role="alert" {
            p { (say::OVERTAKEN) }
            ul {
                @for change in changes(&segment.words, &words, &state.plan().schedule) { li { (change) } }
                @if let Some(new) = new.filter(|new| *new != script) { li { (script_change(&script, &new)) } }
            }
        }
    };
    // What they see now is what is kept now.
    let fields = Fields::of(
        fields.pairs().filter(|(name, _)| *name != SEEN).map(|(name, value)| (name, value.to_owned())),
    );
    let typed = Typed { fields: &fields, wrong: &[] };
    let shown = show(state, visitor, segment, Some(typed), note).await?;
    Ok((StatusCode::CONFLICT, shown).into_response())
}
