//! What people do with recordings, the same for the interface and for the console's pages: words, the steps to the air,
//! taking in what has come. The step off it has a file of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization as _;

use super::State;
use super::input::parse_code;
use super::person::{Approve, HandIn, Person};
use super::places::Place;
use super::problem::Problem;
use crate::access::{Permission, may_approve, permit};
use crate::intake::{Had, Taken};
use crate::media::library::look_at;
use crate::media::temporary::Temporary;
use crate::segment::{
    ContentHash, FileTrouble, LONGEST_TEXT, ProgrammeId, Segment, SegmentId, State as Stand, Words,
    check_text, check_topic, is_id, turns_text,
};
use crate::store::{Act, SegmentEvent, Step, Store, User, seen};
use crate::text::http::{Refusal, Why};

/// Longest script: half an hour, read slowly.
pub(super) const LONGEST_SCRIPT: usize = 20_000;
/// The field of the script, which is no word of the catalogue.
pub(super) const SCRIPT: &str = "script";

/// New words, and a new script, by the names of their fields; none and empty take one away.
pub(super) type Changes = BTreeMap<String, Option<String>>;

/// Changes one of a recording's words, as a field of a form or a key of JSON gives it; an empty text takes it away.
pub(super) fn set_word(state: &State, words: &mut Words, field: &str, text: &str) -> Result<(), Why> {
    let text = text.nfc().filter(|letter| !turns_text(*letter)).collect::<String>().trim().to_owned();
    check_text(&text)?;
    let date = || {
        let parse = |text: &String| text.parse::<Date>().map_err(|_| Why::NoDate);
        Some(&text).filter(|text| !text.is_empty()).map(parse).transpose()
    };
    let given = Some(text.clone()).filter(|text| !text.is_empty());
    match field {
        "title" => words.title = text,
        // One that was kept before it was asked what it is may stay.
        "topic" if given.as_deref() == words.topic.as_deref() => {}
        "topic" => {
            given.as_deref().map_or(Ok(()), check_topic)?;
            words.topic = given.map(Into::into);
        }
        "author" => words.author = given.map(Into::into),
        "source" => words.source = given.map(Into::into),
        "programme" => words.programme = given.map(|id| known_programme(state, &id)).transpose()?,
        "genre" => {
            let parse = |code: String| parse_code(field, &code).map_err(|_| Why::NoChoice);
            words.genre = given.map(parse).transpose()?;
        }
        "valid_from" => words.valid_from = date()?,
        "valid_until" => words.valid_until = date()?,
        // Any day of the week stands for the week.
        "week" => {
            words.week = date()?
                .map(|date| date.checked_sub(jiff::Span::new().days(date.weekday().to_monday_zero_offset())))
                .transpose()
                .map_err(|_| Why::NoDate)?;
        }
        _ => return Err(Why::NoSuchField),
    }
    Ok(())
}

/// What only the words together can say.
pub(super) fn check_words(words: &Words) -> Result<(), Problem> {
    words.check_days().map_err(|why| Problem::word("valid_until", why.into()))
}

fn known_programme(state: &State, id: &str) -> Result<ProgrammeId, Why> {
    let id = ProgrammeId::new(id);
    if state.plan().schedule.takes(&id) { Ok(id) } else { Err(Why::UnknownProgramme) }
}

/// The id of an address, where it can be one.
pub(super) fn segment_id(text: &str) -> Result<SegmentId, Problem> {
    if is_id(text) { Ok(SegmentId::new(text)) } else { Err(Refusal::NoSegment.into()) }
}

/// What tells apart the words that somebody has seen, where they say it. What is none of ours was never theirs to see.
pub(super) fn parse_seen(shown: Option<&str>) -> Result<Option<ContentHash>, Problem> {
    Ok(shown.map(str::parse).transpose().map_err(|_| Refusal::OtherWords)?)
}

/// The recording with an id.
pub(super) async fn existing(state: &State, id: SegmentId) -> Result<Segment, Problem> {
    let found = state.store.run(move |store| store.segment(&id)).await?;
    found.ok_or_else(|| Refusal::NoSegment.into())
}

/// Whether somebody may change a recording's words. Those of an approved one say for which programme and which days it
/// was approved: whoever changes them decides what airs.
pub(super) fn may_describe(state: &State, user: &User, segment: &Segment) -> bool {
    permit(&user.roles, Permission::HandIn)
        && (segment.state != Stand::Approved
            || may_approve(&user.roles, &user.name, &segment.added_by, state.own_work()))
}

/// Changes a recording's words, and its script: those that were [`seen`], where they are told. The approval of its bytes
/// stays, so that of an approved one only who may approve it changes them.
pub(super) async fn describe(
    state: &State,
    person: &Person<HandIn>,
    id: SegmentId,
    changes: Changes,
    shown: Option<ContentHash>,
) -> Result<Segment, Problem> {
    let act = person.act("segment.describe", id.as_str(), state.clock.now());
    let (all, user) = (state.clone(), person.user().clone());
    let change = move |segment: &Segment, script: &str| {
        if !may_describe(&all, &user, segment) {
            return Err(Problem::from(Refusal::ApprovedWords));
        }
        let (words, new) = changed(&all, segment.words.clone(), &changes)?;
        let is_so = words == segment.words && new.as_ref().is_none_or(|new| new == script);
        if is_so || shown.is_none_or(|shown| shown == seen(&segment.words, script)) {
            Ok((words, new))
        } else {
            Err(Refusal::OtherWords.into())
        }
    };
    let described = move |store: &Store| Ok(store.describe_segment(&id, act, change));
    let segment = state.store.run(described).await??;
    state.nudge();
    Ok(segment)
}

/// Words with changes, and the script where it changes; or everything that is wrong with them.
pub(super) fn changed(
    state: &State,
    mut words: Words,
    changes: &Changes,
) -> Result<(Words, Option<String>), Problem> {
    let (mut script, mut wrong) = (None, Vec::new());
    for (field, text) in changes {
        let text = text.as_deref().unwrap_or_default();
        let taken = if field == SCRIPT {
            checked_script(text).map(|text| script = Some(text))
        } else {
            set_word(state, &mut words, field, text)
        };
        wrong.extend(taken.err().map(|why| (field.clone(), why)));
    }
    let mut also = |field: &str, why, is_so: bool| {
        if is_so && wrong.iter().all(|(known, _)| known != field) {
            wrong.push((field.to_owned(), why));
        }
    };
    also("title", Why::Missing, words.title.is_empty());
    also("valid_until", Why::EndsBeforeItBegins, words.check_days().is_err());
    if wrong.is_empty() { Ok((words, script)) } else { Err(Refusal::BadWords(wrong).into()) }
}

/// A script as it is kept: lines, and nothing invisible.
fn checked_script(text: &str) -> Result<String, Why> {
    let text = text.replace("\r\n", "\n").nfc().collect::<String>().trim().to_owned();
    if text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\t')) {
        return Err(Why::Unseen);
    }
    if text.chars().count() > LONGEST_SCRIPT { Err(Why::TooLong(LONGEST_SCRIPT)) } else { Ok(text) }
}

/// Takes a recording a step, and keeps who did it.
async fn step<N>(
    state: &State,
    person: &Person<N>,
    id: SegmentId,
    step: Step,
    what: &str,
) -> Result<Segment, Problem> {
    let act = person.act(what, id.as_str(), state.clock.now());
    let segment = state.store.run(move |store| store.step_as(&id, step, act)).await?;
    tracing::info!(segment.id = %segment.id, by = person.name(), "{what}");
    state.nudge();
    Ok(segment)
}

/// Asks for approval. Of a recording that waits already, it is done: a button was pressed twice.
pub(super) async fn submit(
    state: &State,
    person: &Person<HandIn>,
    id: SegmentId,
) -> Result<Segment, Problem> {
    match step(state, person, id.clone(), Step::Submit, "segment.submit").await {
        Err(Problem(Refusal::WrongState(Stand::Pending))) => existing(state, id).await,
        stepped => stepped,
    }
}

/// Lets the bytes that were listened to on the air, with the words that were [`seen`], where those are told. Nobody
/// approves what they handed in, or a file that would not sound. Of the same bytes and words that are approved already, it
/// is done.
pub(super) async fn approve(
    state: &State,
    person: &Person<Approve>,
    id: SegmentId,
    hash: ContentHash,
    shown: Option<&str>,
) -> Result<Segment, Problem> {
    let segment = existing(state, id).await?;
    if !may_approve(&person.user().roles, person.name(), &segment.added_by, state.own_work()) {
        return Err(Refusal::OwnWork.into());
    }
    if segment.state == Stand::Pending {
        check_file(state, segment.clone()).await?;
    }
    let seen = parse_seen(shown).map_err(|_| Refusal::OtherWordsToApprove)?;
    match step(state, person, segment.id.clone(), Step::Approve { hash, seen }, "segment.approve").await {
        Err(Problem(Refusal::WrongState(Stand::Approved))) => existing(state, segment.id).await,
        stepped => stepped,
    }
}

/// Makes sure that a recording's file is the one that was handed in, byte for byte.
async fn check_file(state: &State, segment: Segment) -> Result<(), Problem> {
    let place = Arc::clone(&state.limits.looks).acquire_owned().await.map_err(|_| Refusal::Busy)?;
    let audio = Arc::clone(&state.audio_dir);
    let look = move || {
        // The place goes along: a request that was given up goes on hashing.
        let _place = place;
        look_at(&audio, &segment, None)
    };
    let looked = tokio::task::spawn_blocking(look).await;
    match looked.map_err(|failure| Problem::unexpected(&failure))? {
        (_, None) => Ok(()),
        (_, Some(FileTrouble::FileMissing)) => Err(Refusal::FileGone.into()),
        (_, Some(FileTrouble::FileUnreadable)) => Err(Refusal::FileUnreadable.into()),
        (_, Some(FileTrouble::FileChanged)) => Err(Refusal::FileChanged.into()),
    }
}

/// Gives a recording back to who handed it in. Of one that was given back and not sent again, it is done, with the reason
/// that was given then.
pub(super) async fn give_back(
    state: &State,
    person: &Person<Approve>,
    id: SegmentId,
    reason: &str,
) -> Result<Segment, Problem> {
    let reason = checked_reason(reason)?;
    match step(state, person, id.clone(), Step::Return { reason }, "segment.return").await {
        Err(Problem(Refusal::WrongState(Stand::Draft))) => {
            let read = move |store: &Store| Ok((store.segment(&id)?, store.segment_events(&id)?));
            let (segment, events) = state.store.run(read).await?;
            returned(&events).and(segment).ok_or_else(|| Refusal::WrongState(Stand::Draft).into())
        }
        stepped => stepped,
    }
}

/// How a recording was given back, if it was not sent again since.
pub(super) fn returned(events: &[SegmentEvent]) -> Option<&SegmentEvent> {
    let step = |event: &&SegmentEvent| matches!(event.what.as_str(), "added" | "submitted" | "returned");
    events.iter().rev().find(step).filter(|event| event.what == "returned")
}

/// Why something is done, for the one who handed it in, and for the record.
pub(super) fn checked_reason(reason: &str) -> Result<String, Problem> {
    let reason = reason.nfc().collect::<String>().trim().to_owned();
    if reason.is_empty() {
        return Err(Problem::word("reason", Why::Missing));
    }
    let fits = reason.chars().count() <= LONGEST_TEXT;
    if fits { Ok(reason) } else { Err(Problem::word("reason", Why::TooLong(LONGEST_TEXT))) }
}

/// Whether somebody may throw a recording away: it is theirs, and nobody approved it.
pub(super) fn may_discard(user: &User, segment: &Segment) -> bool {
    segment.state == Stand::Draft
        && *segment.added_by == *user.name
        && permit(&user.roles, Permission::HandIn)
}

/// Throws away a draft of somebody's own. Of one that was thrown away, it is done.
pub(super) async fn discard(
    state: &State,
    person: &Person<HandIn>,
    id: SegmentId,
) -> Result<Segment, Problem> {
    let segment = existing(state, id).await?;
    if *segment.added_by != *person.name() {
        return Err(Refusal::NotPermitted(Permission::Withdraw).into());
    }
    match step(state, person, segment.id.clone(), Step::Discard, "segment.discard").await {
        Err(Problem(Refusal::WrongState(Stand::Withdrawn))) => existing(state, segment.id).await,
        stepped => stepped,
    }
}

/// Takes a file in that has come, with an upload's place for as long as that is at work. Given up when who waits for it
/// goes.
pub(super) async fn take_in(
    state: &State,
    person: &Person<HandIn>,
    (file, name): (Temporary, String),
    words: Words,
    place: Place,
) -> Result<Taken, Problem> {
    let cancel = Arc::new(AtomicBool::new(false));
    let _gives_up = GivesUp(Arc::clone(&cancel));
    let (all, act) = (state.clone(), person.act("segment.add", "", state.clock.now()));
    let work = move || {
        let _place = place;
        taken_in(&all, (file, &name), words, act, &cancel)
    };
    tokio::task::spawn_blocking(work).await.map_err(|failure| Problem::unexpected(&failure))?
}

/// Takes a file in, and notes who handed it in. Blocks for as long as decoding takes.
pub(super) fn taken_in(
    state: &State,
    (file, name): (Temporary, &str),
    words: Words,
    act: Act,
    cancel: &AtomicBool,
) -> Result<Taken, Problem> {
    let by = act.by.clone();
    let taken = state.intake.take_in(file, name, words, (&by, state.today(), Some(act)), cancel)?;
    if taken.had == Had::Nothing {
        tracing::info!(segment.id = %taken.segment.id, by, "segment.add");
    }
    state.nudge();
    Ok(taken)
}

/// Sets a flag when the request is given up, so that work for it ends.
struct GivesUp(Arc<AtomicBool>);

impl Drop for GivesUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
