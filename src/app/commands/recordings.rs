//! `segment`: recordings in, and their way to the air.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{print, say};
use crate::app::cli::{Add, Format, SegmentCommand, Verdict};
use crate::app::exit::Exit;
use crate::app::serve::intake;
use crate::app::station::Station;
use crate::clock::Clock;
use crate::intake::{Intake, IntakeError, Taken};
use crate::segment::{Segment, SegmentId, State, Words};
use crate::store::{SegmentFilter, Step, Store};
use crate::text::http::Refusal;
use crate::text::table::Table;
use crate::text::{console, outcome, verdict};

/// Takes recordings in, lists them, lets them air, or takes them off.
pub fn segment(station: &Station, clock: &Arc<dyn Clock>, command: &SegmentCommand) -> anyhow::Result<Exit> {
    let store = Store::open(&station.data())?;
    match command {
        SegmentCommand::Add(add) => {
            let intake = intake(station, &store, clock);
            let mut exit = Exit::Fine;
            for file in &add.files {
                match take_in(&intake, &store, clock, file, words(add), &add.by)? {
                    Some((segment, true)) => say(&console::known(&segment))?,
                    Some((segment, false)) => say(&console::taken_in(&segment))?,
                    None => exit = Exit::Failed,
                }
            }
            Ok(exit)
        }
        SegmentCommand::Import { list, approve_as } => {
            let intake = intake(station, &store, clock);
            import(&intake, &store, clock, list, approve_as.as_deref())
        }
        SegmentCommand::List(format) => list(&store, *format),
        SegmentCommand::Approve(verdict) => {
            let segment = find(&store, &verdict.segment)?;
            say(&console::approved(&approve(&store, clock, &segment, &verdict.by)?))?;
            Ok(Exit::Fine)
        }
        SegmentCommand::Withdraw(verdict) => {
            let Verdict { segment, by, reason } = verdict;
            let segment = find(&store, segment)?;
            let step = Step::Withdraw { reason: reason.clone().unwrap_or_default() };
            say(&console::withdrawn(&store.step_segment(&segment.id, step, by, clock.now())?))?;
            Ok(Exit::Fine)
        }
    }
}

fn words(add: &Add) -> Words {
    Words {
        title: add.title.clone().unwrap_or_default(),
        programme: add.programme.as_deref().map(Into::into),
        topic: add.topic.as_deref().map(Into::into),
        genre: None,
        author: add.author.as_deref().map(Into::into),
        source: add.source.as_deref().map(Into::into),
        valid_from: add.valid_from,
        valid_until: add.valid_until,
        week: add.week,
    }
}

/// Takes one recording in and hands it to the approver; whether it was there already. None where it was refused, which
/// is said here, as is what the approver should know of it.
fn take_in(
    intake: &Intake,
    store: &Store,
    clock: &Arc<dyn Clock>,
    file: &Path,
    words: Words,
    by: &str,
) -> anyhow::Result<Option<(Segment, bool)>> {
    match intake.take_in_copy(file, words, by) {
        Ok(Taken { segment, known: true, .. }) => Ok(Some((segment, true))),
        Ok(Taken { segment, known: false, converted_from }) => {
            let segment = store.step_segment(&segment.id, Step::Submit, by, clock.now())?;
            let damage = verdict::damage(segment.sound.skipped_packets);
            for remark in converted_from.map(verdict::converted).into_iter().chain(damage) {
                say(&format!("`{}`: {remark}", segment.file))?;
            }
            Ok(Some((segment, false)))
        }
        Err(IntakeError::Refused(refusal)) => {
            say(&console::refused(&file.display().to_string(), &verdict::refusal(&refusal)))?;
            Ok(None)
        }
        Err(IntakeError::Word { field, cause }) => {
            let why = Refusal::BadWords(vec![(field.to_owned(), cause.into())]).detail();
            say(&console::refused(&file.display().to_string(), &why))?;
            Ok(None)
        }
        Err(IntakeError::Store(failure)) => Err(failure.into()),
    }
}

/// A list of recordings with their words, in the folder of its files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    segment: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    file: String,
    #[serde(flatten)]
    words: Words,
}

/// Takes in what a list names; approves it too, where somebody answers for it.
pub fn import(
    intake: &Intake,
    store: &Store,
    clock: &Arc<dyn Clock>,
    list: &Path,
    approve_as: Option<&str>,
) -> anyhow::Result<Exit> {
    let text = fs::read_to_string(list).with_context(|| format!("cannot read `{}`", list.display()))?;
    let entries: List =
        toml::from_str(&text).with_context(|| format!("`{}` is not a list of recordings", list.display()))?;
    let folder = list.parent().unwrap_or(Path::new("."));
    let (mut fresh, mut known, mut exit) = (0, 0, Exit::Fine);
    for Entry { file, words } in entries.segment {
        let by = words.author.clone().unwrap_or_else(|| "import".into());
        let Some((segment, was_known)) = take_in(intake, store, clock, &folder.join(file), words, &by)?
        else {
            exit = Exit::Failed;
            continue;
        };
        *(if was_known { &mut known } else { &mut fresh }) += 1;
        // What somebody has withdrawn stays off the air.
        if let (State::Draft | State::Pending, Some(approver)) = (segment.state, approve_as) {
            approve(store, clock, &segment, approver)?;
        }
    }
    say(&console::imported(fresh, known, approve_as))?;
    Ok(exit)
}

fn approve(store: &Store, clock: &Arc<dyn Clock>, segment: &Segment, by: &str) -> anyhow::Result<Segment> {
    if segment.state == State::Draft {
        store.step_segment(&segment.id, Step::Submit, by, clock.now())?;
    }
    Ok(store.step_segment(&segment.id, Step::Approve { hash: segment.hash, seen: None }, by, clock.now())?)
}

/// A segment by its id or its file's name.
fn find(store: &Store, name: &str) -> anyhow::Result<Segment> {
    if let Some(segment) = store.segment(&SegmentId::from(name))? {
        return Ok(segment);
    }
    let catalog = store.catalog()?;
    match catalog.by_file(name) {
        Some(segment) => Ok(segment.as_ref().clone()),
        None => bail!("no recording is called `{name}`, by id or by file; `loa segment list` shows them"),
    }
}

fn list(store: &Store, format: Format) -> anyhow::Result<Exit> {
    let segments = store.segments(&SegmentFilter::default())?;
    let mut table = Table::new(console::SEGMENT_COLUMNS);
    for segment in &segments {
        table.row([
            segment.id.to_string(),
            segment.file.clone(),
            segment.words.title.clone(),
            segment.words.programme.as_ref().map(ToString::to_string).unwrap_or_default(),
            console::length(segment.duration()),
            format!("{:.1}", segment.sound.loudness_lufs),
            outcome::state(segment.state).to_owned(),
        ]);
    }
    print(format.format, &table, &segments)?;
    Ok(Exit::Fine)
}
