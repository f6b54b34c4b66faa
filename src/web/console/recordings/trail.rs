//! What was done with a recording: who did what, when and why, and which words became which.

use std::sync::Arc;

use maud::{Markup, html};

use super::programme_title;
use crate::schedule::Schedule;
use crate::segment::Words;
use crate::store::SegmentEvent;
use crate::text::outcome;
use crate::text::page::date;
use crate::text::page::recordings::{self as say_all, one as say};

/// One of a recording's words, for people; none where there is none.
pub(super) fn value(words: &Words, field: &str, schedule: &Schedule) -> Option<String> {
    let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
    match field {
        "title" => Some(words.title.clone()),
        "programme" => words.programme.as_ref().map(|id| programme_title(schedule, id)),
        "week" => words.week.map(|day| say_all::week(day.iso_week_date())),
        "topic" => words.topic.as_deref().map(say::topic),
        "genre" => words.genre.map(|genre| outcome::genre(genre).to_owned()),
        "author" => text(&words.author),
        "source" => text(&words.source),
        "valid_from" => words.valid_from.map(date::day),
        "valid_until" => words.valid_until.map(date::day),
        _ => None,
    }
}

/// What changed from some words to others, a line for each field.
pub(super) fn changes(before: &Words, after: &Words, schedule: &Schedule) -> Vec<String> {
    let change = |field: &str| {
        let (old, new) = (value(before, field, schedule), value(after, field, schedule));
        (old != new).then(|| say::changed(say::field(field), old.as_deref(), new.as_deref()))
    };
    Words::FIELDS.into_iter().filter_map(change).collect()
}

/// An event, with what is told of it.
struct Told<'a> {
    event: &'a SegmentEvent,
    /// What became of the words.
    changes: Vec<String>,
    /// The script before, and after.
    script: Option<(&'a str, &'a str)>,
}

fn told<'a>(events: &'a [SegmentEvent], schedule: &Schedule) -> Vec<Told<'a>> {
    let (mut words, mut script): (Option<Words>, _) = (None, "");
    let tell = |event: &'a SegmentEvent| {
        let mut told = Told { event, changes: Vec::new(), script: None };
        let kept = event.reason.as_deref().unwrap_or_default();
        match event.what.as_str() {
            "added" | "described" => {
                let after: Option<Words> = serde_json::from_str(kept).ok();
                // What they were before the first change was not always kept.
                if let (Some(before), Some(after)) = (&words, &after) {
                    told.changes = changes(before, after, schedule);
                }
                words = after;
            }
            "scripted" => told.script = Some((std::mem::replace(&mut script, kept), kept)),
            _ => {}
        }
        told
    };
    events.iter().map(tell).collect()
}

/// What a script was, and what it became.
pub(super) fn script_change(before: &str, after: &str) -> Markup {
    html! {
        details {
            summary { (say::SCRIPT_CHANGE) }
            @for (when, script) in [(say::BEFORE, before), (say::AFTER, after)] {
                p { strong { (when) } ":" }
                @if script.is_empty() { p.quiet { (say::NO_SCRIPT) } } @else { p.script { (script) } }
            }
        }
    }
}

/// Who did what, when and why.
pub(super) fn trail(events: &[SegmentEvent], schedule: &Schedule) -> Markup {
    let reason = |event: &SegmentEvent| {
        let is_reason = matches!(event.what.as_str(), "returned" | "withdrawn" | "renamed" | "file-replaced");
        event.reason.clone().filter(|_| is_reason)
    };
    html! {
        section {
            h2 { (say::HISTORY) }
            ol.history { @for Told { event, changes, script } in told(events, schedule) { li {
                time { (date::moment(event.at, &schedule.time_zone)) } ": "
                strong { (event.by) } " " (say::event(&event.what))
                @if let Some(reason) = reason(event) { ": “" (reason) "”" }
                @if !changes.is_empty() { ul { @for change in changes { li { (change) } } } }
                @if let Some((before, after)) = script { (script_change(before, after)) }
            } } }
        }
    }
}
