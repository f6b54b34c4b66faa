//! One recording of many, named in a form of the schedule: a few letters of its title are enough, without accents. Complete
//! without a script; browsers offer what there is as one types.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::fields::{self, file_name, scheduled_files};
use super::wrong::{Filled, Wrong};
use crate::schedule::{Play, Schedule};
use crate::segment::{Catalog, State as Stand};
use crate::store::searchable;
use crate::text::order::by_title;
use crate::text::page::editing::form as say;
use crate::web::console::form::Fields;

/// The choice by which the recording is named in a field of its own.
pub(super) const NAMED: &str = "file:";
/// That field.
pub(super) const FIELD: &str = "recording";
/// Recordings that a browser offers, at most; the newest ones.
const OFFERED: usize = 200;
/// Those among which one is chosen, where several have what was typed.
const SHOWN: usize = 50;

/// The field, and what browsers offer in it. It stands right behind the choice that asks for it.
pub(super) fn input(filled: &Filled<'_>, catalog: &Catalog) -> Markup {
    let mut newest: Vec<_> = approved(catalog).collect();
    newest.sort_by_key(|segment| std::cmp::Reverse(segment.added));
    let offered = newest.into_iter().take(OFFERED).map(|segment| file_name(&segment.file, catalog));
    html! {
        label.named { (say::RECORDING)
            input name=(FIELD) list="recordings" autocomplete="off" maxlength="300" placeholder=(say::RECORDING_EXAMPLE)
                value=(filled.one(FIELD)) aria-invalid=[filled.invalid(FIELD)];
            (filled.beside(FIELD))
        }
        datalist id="recordings" { @for title in offered { option value=(title) {} } }
    }
}

fn approved(catalog: &Catalog) -> impl Iterator<Item = &crate::segment::Segment> {
    catalog.iter().map(AsRef::as_ref).filter(|segment| segment.state == Stand::Approved)
}

/// What was chosen to be played, whichever way.
pub(super) fn chosen(filled: &Fields, schedule: &Schedule, catalog: &Catalog) -> Result<Play, Wrong> {
    let (choice, typed) = (filled.one("play"), filled.one(FIELD));
    match (choice, typed) {
        ("", "") => Err(Wrong::field("play", say::NO_PLAY)),
        (NAMED, "") => Err(Wrong::field(FIELD, say::NO_RECORDING)),
        ("" | NAMED, typed) => named(typed, schedule, catalog).map(Play::File),
        (choice, typed) => {
            let play = fields::play(choice).ok_or_else(|| Wrong::field("play", say::NO_PLAY))?;
            let is_one = |file: &str| matches!(&play, Play::File(name) if name == file);
            // One of those that have it was chosen among them; what is of no use is not dropped silently.
            if typed.is_empty() || matching(typed, schedule, catalog).iter().any(|(file, _)| is_one(file)) {
                Ok(play)
            } else {
                Err(Wrong::field(FIELD, say::RECORDING_UNUSED))
            }
        }
    }
}

/// The file of the recording that somebody named.
fn named(typed: &str, schedule: &Schedule, catalog: &Catalog) -> Result<String, Wrong> {
    let found = matching(typed, schedule, catalog);
    let exactly = |(file, title): &&(String, String)| file == typed || title == typed;
    match found.as_slice() {
        [] => Err(Wrong::field(FIELD, &say::no_recording_has(typed))),
        [(file, _)] => Ok(file.clone()),
        several => match several.iter().find(exactly) {
            Some((file, _)) => Ok(file.clone()),
            None => Err(Wrong::field(FIELD, &say::several_recordings(several.len()))),
        },
    }
}

/// The files in whose name or title all these words are, each with what it is called.
fn matching(typed: &str, schedule: &Schedule, catalog: &Catalog) -> Vec<(String, String)> {
    let words = searchable(typed);
    let all = scheduled_files(schedule).chain(approved(catalog).map(|segment| segment.file.clone()));
    let all: BTreeMap<_, _> = all
        .map(|file| {
            let title = file_name(&file, catalog);
            (file, title)
        })
        .collect();
    let has = |(_, title): &(String, String)| {
        let title = searchable(title);
        words.split(' ').all(|word| title.contains(word))
    };
    by_title(all.into_iter().filter(has), |(_, title)| title)
}

/// What is chosen among, where several recordings have what was typed: their heading, and each as a choice.
pub(super) fn among(
    filled: &Filled<'_>,
    schedule: &Schedule,
    catalog: &Catalog,
) -> Option<(String, Vec<(String, String)>)> {
    let typed = filled.one(FIELD);
    let found = if typed.is_empty() { Vec::new() } else { matching(typed, schedule, catalog) };
    let choice = |(file, title)| (fields::play_text(&Play::File(file)), title);
    (found.len() > 1)
        .then(|| (say::recordings_with(typed), found.into_iter().take(SHOWN).map(choice).collect()))
}
