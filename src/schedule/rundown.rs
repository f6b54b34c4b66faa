//! What is checked of the slots of one session, and of a session by the station's rules.

use jiff::SignedDuration;
use jiff::civil::Time;
use toml::Spanned;

use super::check::unknown_slot;
use super::file::{WrittenSession, WrittenSlot};
use super::problem::Kind;
use super::reader::File;
use super::value::StartWord;
use super::{Play, Rules, Session, Start, Weekdays};

/// Where a slot, or its replacement, stands among the sessions that can be meant.
pub(super) struct Context<'a> {
    pub(super) file: &'a File<'a>,
    /// The sessions that can be meant, those of the day plan first.
    pub(super) scope: &'a [&'a WrittenSession],
    pub(super) session: &'a WrittenSession,
    /// The place of the slot in the session, from 0.
    pub(super) place: usize,
    /// The days it is really on.
    pub(super) days: Weekdays,
}

/// A slot with its session and its place in it.
pub(super) fn find<'a>(
    scope: &[&'a WrittenSession],
    session: &str,
    slot: &str,
) -> Option<(&'a WrittenSession, usize, &'a WrittenSlot)> {
    let session = scope.iter().find(|candidate| candidate.id.get_ref() == session)?;
    let (place, slot) =
        session.slots.iter().enumerate().find(|(_, candidate)| candidate.id.get_ref() == slot)?;
    Some((session, place, slot))
}

/// How a slot starts; `None` if it does not say enough.
pub(super) fn starts(session: &WrittenSession, place: usize, slot: &WrittenSlot) -> Option<Start> {
    let session_start = session.from.as_ref().map(|from| *from.get_ref()).filter(|_| place == 0);
    match slot.start.as_ref().map(Spanned::get_ref) {
        Some(StartWord::Follow) => Some(Start::Follow),
        Some(StartWord::Fill) => Some(Start::Fill),
        None if place > 0 => Some(Start::Follow),
        None | Some(StartWord::Hard) => {
            slot.hard_at.as_ref().map(|at| *at.get_ref()).or(session_start).map(Start::Hard)
        }
    }
}

/// How a slot starts; what it leaves open, or says in vain, is reported.
pub(super) fn start(context: &Context<'_>, slot: &WrittenSlot) -> Option<Start> {
    let start = starts(context.session, context.place, slot);
    match (start, &slot.hard_at, &slot.start) {
        // A way of starting that cannot be read may be any.
        (Some(Start::Follow | Start::Fill), Some(at), word) if word.is_some() || !slot.says.start => {
            context.file.report(at.span().start, Kind::TimeWithoutHard);
        }
        // The first slot lacks a time only if its session does, which has been said.
        (None, _, Some(word)) if context.place > 0 && !slot.says.at => {
            context.file.report(word.span().start, Kind::HardWithoutTime);
        }
        _ => {}
    }
    start
}

/// What a way of starting and a content ask of each other.
pub(super) fn holds(file: &File<'_>, at: usize, start: Option<Start>, play: &Play, has_length: bool) {
    if start == Some(Start::Fill) && !matches!(play, Play::Pool(_)) {
        file.report(at, Kind::FillWithoutPool);
    }
    if matches!(play, Play::All(_)) && !has_length {
        file.report(at, Kind::AllWithoutLength);
    }
}

/// Hard starts lie in their session, and each after those before it on the same day.
pub(super) fn hard_starts(file: &File<'_>, written: &WrittenSession, session: &Session) {
    let into = |at: Time| since(session.from, at);
    let mut earlier: Vec<(Weekdays, Time)> = Vec::new();
    for (slot, written) in session.slots.iter().zip(&written.slots) {
        let Start::Hard(at) = slot.start else { continue };
        let place = written.hard_at.as_ref().map_or(written.at, |at| at.span().start);
        if into(at) >= session.length() {
            file.report(place, Kind::HardOutsideSession { at, from: session.from, to: session.to });
            continue;
        }
        let days = slot.days.and(session.days);
        let before =
            earlier.iter().find(|(other, before)| !other.and(days).is_empty() && into(at) <= into(*before));
        if let Some((_, before)) = before {
            file.report(place, Kind::HardNotIncreasing { at, before: *before });
        }
        earlier.push((days, at));
    }
}

/// A repeat needs something that airs before it, on each of its days.
pub(super) fn repeat(context: &Context<'_>, at: usize, session: &str, slot: &str) {
    let file = context.file;
    let Some((source, place, source_slot)) = find(context.scope, session, slot) else {
        unknown_slot(file, at, context.scope, session, slot);
        return;
    };
    let (own, named) = (context.session, || (session.to_owned(), slot.to_owned()));
    let earlier = if source.id.get_ref() == own.id.get_ref() {
        place < context.place
    } else {
        source
            .from
            .as_ref()
            .zip(own.from.as_ref())
            .is_none_or(|(source, own)| source.get_ref() < own.get_ref())
    };
    if !earlier {
        let (session, slot) = named();
        file.report(at, Kind::RepeatNotEarlier { session, slot });
    }
    let source_days =
        source_slot.days.as_ref().map_or(Weekdays::ALL, |days| *days.get_ref()).and(source.on_days());
    let missing = context.days.without(source_days);
    if own.days.is_some() && !missing.is_empty() {
        let (session, slot) = named();
        file.report(at, Kind::RepeatNotThatDay { session, slot, missing });
    }
}

/// What the station's rules say of one session.
pub(super) fn obeys(file: &File<'_>, written: &WrittenSession, session: &Session, rules: &Rules) {
    let at = written.id.span().start;
    let length = session.length();
    if let Some(longest) = rules.longest_session.filter(|longest| length > *longest) {
        file.report(at, Kind::SessionTooLong { length, longest });
    }
    for quiet in &rules.quiet {
        if quiet.contains(session.from) || since(session.from, quiet.from) < length {
            file.report(at, Kind::InQuietHours { from: quiet.from, to: quiet.to });
        }
    }
}

/// From one local time to the next moment at which it is another; nothing if they are the same.
pub(super) fn since(from: Time, to: Time) -> SignedDuration {
    match from.duration_until(to) {
        length if length.is_negative() => length + SignedDuration::from_hours(24),
        length => length,
    }
}
