//! What a change would do to the next days, in words.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use maud::{Markup, html};

use super::day::{self, Doubt};
use super::difference::{Line, difference};
use crate::editing::{Draft, Wish};
use crate::schedule::{Schedule, Sources};
use crate::segment::Catalog;
use crate::store::{Store, StoreError};
use crate::text::finding::{Names, by_day, findings};
use crate::text::page::{calendar, date, editing as say};
use crate::timeline::change::{BlockChange, Changes, CueChange, changes, sounds_the_same};
use crate::timeline::plan::Plan;
use crate::timeline::{Block, Cue, Finding, FindingKind, Severity, Timeline, Window, compile};
use crate::web::console::rundown::sign;
use crate::web::input::start_of;

/// How far ahead people look.
const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A block that is on the air began no longer ago than this.
const BACK: SignedDuration = SignedDuration::from_hours(24);
/// Silence that people notice.
const NOTICED: SignedDuration = SignedDuration::from_mins(2);
/// Lines of the files that are shown.
const LINES: usize = 200;

/// What a change would do, for each output.
#[derive(Debug)]
pub(super) struct Effects {
    /// The day that is looked at besides.
    pub(super) also: Option<Date>,
    old: Schedule,
    new: Schedule,
    catalog: Arc<Catalog>,
    outputs: Vec<(Timeline, Timeline, Changes)>,
    /// What may not have been meant, in words.
    doubts: Vec<String>,
    /// What gives up its exact time for what is put before it, in words.
    displaced: Vec<String>,
}

/// The day that a wish is about, from today on.
pub(super) fn special(wish: &Wish, today: Date) -> Option<Date> {
    let Wish::Edit(edit) = wish else { return None };
    day::next(edit.day()?, today)
}

/// Compiles the next days both ways, and a special day that is further away.
pub(super) fn effects(
    store: &Store,
    plan: &Plan,
    draft: &Draft,
    wish: &Wish,
    now: Timestamp,
) -> Result<Effects, StoreError> {
    let old = draft.old.clone().unwrap_or_else(|| (*plan.schedule).clone());
    let zone = &draft.new.time_zone;
    let next = Window { from: now - BACK, to: now + AHEAD };
    // What of the day lies behind the next ones.
    let day = special(wish, zone.to_datetime(now).date()).and_then(|date| {
        let (from, to) = (start_of(date, zone)?, start_of(date.checked_add(1.day()).ok()?, zone)?);
        (to > next.to).then_some((date, Window { from: from.max(next.to), to }))
    });
    let mut outputs = Vec::new();
    for output in &draft.new.outputs {
        for window in [Some(next), day.map(|(_, window)| window)].into_iter().flatten() {
            let history = store.history(&output.id, window)?;
            let [before, after] = [&old, &draft.new]
                .map(|schedule| compile(schedule, &plan.catalog, &history, &output.id, window));
            let mut changes = changes(&before, &after, now);
            warn_of_silence(&mut changes);
            outputs.push((before, after, changes));
        }
    }
    let also = day.map(|(date, _)| date);
    let doubts = doubts(wish, &old, zone.to_datetime(now).date());
    let displaced = displaced(wish, &old);
    Ok(Effects {
        also,
        doubts,
        displaced,
        old,
        new: draft.new.clone(),
        catalog: Arc::clone(&plan.catalog),
        outputs,
    })
}

/// What may not have been meant with a special day that is made or changed.
fn doubts(wish: &Wish, old: &Schedule, today: Date) -> Vec<String> {
    let Wish::Edit(edit) = wish else { return Vec::new() };
    let date = edit.day().filter(|_| !edit.removes());
    let doubts = date.into_iter().flat_map(|date| Doubt::all(old, date, today));
    doubts.map(|doubt| doubt.said()).collect()
}

fn displaced(wish: &Wish, old: &Schedule) -> Vec<String> {
    let Wish::Edit(edit) = wish else { return Vec::new() };
    edit.displaced(old).map(|(_, slot)| say::displaced(&slot.title)).collect()
}

/// Silence that comes by a change, or grows by it, is more than a note: who moved an end may not have meant it.
fn warn_of_silence(changes: &mut Changes) {
    let silence = |finding: &Finding| {
        let FindingKind::EndsEarly { silence_ms } = finding.kind else { return SignedDuration::ZERO };
        SignedDuration::from_millis(silence_ms)
    };
    for new in &mut changes.appeared {
        let before = changes.gone.iter().filter(|old| old.block == new.block).map(silence).max();
        if silence(new) - before.unwrap_or_default() >= NOTICED {
            new.severity = new.severity.max(Severity::Warning);
        }
    }
}

/// Says them.
pub(super) fn show(effects: &Effects, now: Timestamp) -> Markup {
    let all = || effects.outputs.iter().map(|(_, _, changes)| changes);
    let blocks: usize = all().map(|changes| changes.blocks.len()).sum();
    let cues: usize = all().flat_map(|changes| &changes.blocks).map(|block| by_slot(block).len()).sum();
    let said = |appeared: bool| -> Vec<(Severity, String)> {
        let of = effects.outputs.iter().flat_map(|(old, new, changes)| {
            let (found, timeline, schedule) = if appeared {
                (&changes.appeared, new, &effects.new)
            } else {
                (&changes.gone, old, &effects.old)
            };
            findings(found, &Names { schedule, catalog: &effects.catalog, timeline })
        });
        let mut all = by_day(of.collect());
        all.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
        all
    };
    let (mut appeared, gone) = (said(true), said(false));
    let doubts = over_today(effects, now).into_iter().chain(effects.doubts.iter().cloned());
    appeared.extend(doubts.map(|said| (Severity::Warning, said)));
    appeared.extend(past_today(effects, now).into_iter().map(|said| (Severity::Note, said)));
    let zone = &effects.new.time_zone;
    html! {
        @if blocks == 0 { p.note.good { (say::same_air(effects.also)) } } @else { p.note { (say::summary(cues, blocks)) } }
        @for said in &effects.displaced { p.note { (said) } }
        @if appeared.is_empty() {
            p.note.good { (say::ALL_WELL) }
        } @else {
            h3 { (say::APPEARED) }
            @for (severity, sentence) in appeared { p.note.(sign(severity)) { (say::severity(severity)) (sentence) } }
        }
        @if !gone.is_empty() {
            details.session { summary { (say::GONE) " (" (gone.len()) ")" } @for (_, sentence) in gone { p { "✓ " (sentence) } } }
        }
        @if blocks > 0 {
            h3 { (say::CUES) }
            @for (place, block) in all().flat_map(|changes| &changes.blocks).enumerate() { (block_change(block, zone, place == 0, now)) }
        }
    }
}

/// The sessions that do not air today as their new hours are over; not those whose old ones are over as well.
fn over_today(effects: &Effects, now: Timestamp) -> BTreeSet<String> {
    let zone = &effects.new.time_zone;
    let today = zone.to_datetime(now).date();
    let over = effects.outputs.iter().flat_map(|(old, new, _)| {
        new.blocks.iter().filter(move |block| block.id.date == today && block.end <= now).filter(
            move |block| {
                let of = |own: &&Block| own.id.date == today && own.id.session == block.id.session;
                old.blocks.iter().find(of).is_none_or(|old| old.end > now)
            },
        )
    });
    over.map(|block| {
        say::over_today(&block.title, &date::time(block.start, zone), &date::time(block.end, zone))
    })
    .collect()
}

/// The sessions whose old hours are over today, and their new ones as well: the log has these as not aired.
fn past_today(effects: &Effects, now: Timestamp) -> BTreeSet<String> {
    let zone = &effects.new.time_zone;
    let today = zone.to_datetime(now).date();
    let is_past = |block: &&Block| block.id.date == today && block.end <= now;
    let hours = |block: &Block| (block.start, block.end);
    let past = effects.outputs.iter().flat_map(|(old, new, _)| {
        new.blocks.iter().filter(is_past).filter(move |block| {
            let mut own = old
                .blocks
                .iter()
                .filter(|old| old.id.date == today && old.id.session == block.id.session)
                .peekable();
            own.peek().is_some() && own.all(|old| old.end <= now && hours(old) != hours(block))
        })
    });
    past.map(|block| {
        say::past_today(&block.title, &date::time(block.start, zone), &date::time(block.end, zone))
    })
    .collect()
}

/// The first change of each slot, and how many of its pieces change besides: all of a slot with music moves together.
fn by_slot(change: &BlockChange) -> Vec<(&CueChange, usize)> {
    let mut slots: Vec<(&CueChange, usize)> = Vec::new();
    for cue in &change.cues {
        match slots.iter_mut().find(|(first, _)| first.cue().id.slot == cue.cue().id.slot) {
            Some((_, more)) => *more += 1,
            None => slots.push((cue, 0)),
        }
    }
    slots
}

fn block_change(change: &BlockChange, zone: &TimeZone, open: bool, now: Timestamp) -> Markup {
    let Some(block) = change.new.as_ref().or(change.old.as_ref()) else { return html! {} };
    let whole = match (&change.old, &change.new) {
        (None, _) => Some(say::NEW_BLOCK),
        (_, None) => Some(say::GONE_BLOCK),
        _ => None,
    };
    let slots = by_slot(change);
    html! {
        details.session.change open[open] {
            summary {
                strong { (calendar::day(block.id.date)) " – " (block.title) } " "
                span.times { (date::time(block.start, zone)) " – " (date::time(block.end, zone)) } " "
                @if block.start < now { span.quiet { (calendar::ON_NOW) } " " }
                span.quiet { (whole.map_or_else(|| say::in_block(slots.len()), str::to_owned)) }
            }
            ul.changes {
                @if let (Some(old), Some(new)) = (&change.old, &change.new) { (block_itself(old, new, zone)) }
                @for (first, more) in slots { (cue_change(first, more, zone)) }
            }
        }
    }
}

/// What differs of a block besides its cues.
fn block_itself(old: &Block, new: &Block, zone: &TimeZone) -> Markup {
    let said = |block: &Block| {
        let (from, to) = (date::time(block.start, zone), date::time(block.end, zone));
        format!("{} ({from} – {to})", block.title)
    };
    let (old, new) = (said(old), said(new));
    html! {
        @if old != new { li.warn { strong { (say::BLOCK_ITSELF) } " " s { (old) } " → " (new) } }
    }
}

fn cue_change(change: &CueChange, more: usize, zone: &TimeZone) -> Markup {
    let (class, word) = match change {
        CueChange::Added(_) => ("good", say::ADDED),
        CueChange::Removed(_) => ("bad", say::REMOVED),
        CueChange::Changed { old, new } => {
            let moved = (old.at, old.end) != (new.at, new.end);
            let other = !sounds_the_same(&old.content, &new.content) || old.title != new.title;
            (
                "warn",
                if other {
                    say::OTHER
                } else if moved {
                    say::MOVED
                } else {
                    say::TREATED
                },
            )
        }
    };
    html! {
        li.(class) {
            strong { (word) } " "
            @match change {
                CueChange::Added(cue) | CueChange::Removed(cue) => {
                    (at(cue, zone)) " " (say::titled(&cue.title, heard(cue)))
                }
                CueChange::Changed { old, new } => {
                    @if (old.at, old.end) != (new.at, new.end) { s { (at(old, zone)) } " → " }
                    (at(new, zone)) " "
                    @let other = !sounds_the_same(&old.content, &new.content);
                    @if !other || ![old, new].iter().any(|cue| heard(cue).starts_with(&new.title)) { (new.title) @if other { ": " } }
                    @if other { s { (heard(old)) } " → " (heard(new)) }
                }
            }
            @if more > 0 { " " span.quiet { (say::more(more)) } }
        }
    }
}

fn at(cue: &Cue, zone: &TimeZone) -> Markup {
    html! { time { (date::second(cue.at, zone)) } " (" (date::length(cue.duration())) ")" }
}

fn heard(cue: &Cue) -> &str {
    cue.segment().map_or(say::SILENCE, |segment| &segment.words.title)
}

/// The lines that differ, as they stand in the files.
pub(super) fn lines(before: &Sources, after: &Sources) -> Markup {
    let pairs = [(&before.station, &after.station), (&before.week, &after.week), (&before.days, &after.days)];
    let files = pairs.map(|(old, new)| difference(old.as_deref(), new.as_deref()));
    let changed: Vec<_> = files.into_iter().filter(|lines| !lines.is_empty()).collect();
    let all = changed.join(&Line::Gap);
    html! {
        pre.lines tabindex="0" {
            @for line in all.iter().take(LINES) {
                @match line {
                    Line::Comes(line) => ins { "+ " (line) "\n" },
                    Line::Goes(line) => del { "− " (line) "\n" },
                    Line::Stays(line) => { "  " (line) "\n" },
                    Line::Gap => "⋯\n",
                }
            }
            @if all.len() > LINES { "…" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::PlanDate;
    use crate::schedule::edit::Edit;
    use crate::timeline::BlockId;

    #[test]
    fn the_day_a_change_is_about_is_the_next_one_of_its_kind() {
        let day = |month, day| {
            let wish = Wish::Edit(Edit::RemoveDay(PlanDate::Yearly { month, day }));
            special(&wish, Date::constant(2026, 11, 25)).unwrap().to_string()
        };
        assert_eq!(
            [day(12, 25), day(11, 25), day(10, 10), day(2, 29)],
            ["2026-12-25", "2026-11-25", "2027-10-10", "2028-02-29"]
        );
        assert_eq!(special(&Wish::Undo(1), Date::constant(2026, 11, 25)), None);
    }

    #[test]
    fn silence_that_comes_or_grows_is_warned_of_and_silence_that_shrinks_is_not() {
        let early = |minutes| Finding {
            severity: Severity::Note,
            block: BlockId::new(Date::constant(2026, 11, 25), "sang"),
            cue: None,
            at: Timestamp::UNIX_EPOCH,
            kind: FindingKind::EndsEarly { silence_ms: minutes * 60_000 },
        };
        let severity = |before: Option<i64>, after| {
            let gone = before.map(early).into_iter().collect();
            let mut changes = Changes { appeared: vec![early(after)], gone, ..Changes::default() };
            warn_of_silence(&mut changes);
            changes.appeared.first().unwrap().severity
        };
        assert_eq!([severity(None, 45), severity(Some(5), 45)], [Severity::Warning; 2]);
        assert_eq!([severity(Some(45), 5), severity(Some(45), 46)], [Severity::Note; 2]);
    }
}
