//! A block's cues, with what became of each or will.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::recordings;
use crate::asrun::{Airing, Outcome};
use crate::schedule::Schedule;
use crate::segment::{Segment, SegmentId};
use crate::text::outcome::{outcome_name, outcome_now, whys};
use crate::text::page::air::place;
use crate::text::page::recordings::withdraw::done_with;
use crate::text::page::{calendar, date, home as say, rehearsal};
use crate::timeline::{Block, Cue, CueId, Finding, Severity};

/// What is said beside a rundown.
#[derive(Debug, Default)]
pub(super) struct Notes<'a> {
    /// What is not as it should be, in words.
    pub(super) findings: Vec<(&'a Finding, String)>,
    /// Where the session is changed, for whom may.
    pub(super) edit: Option<String>,
    /// Whether it is seen only when somebody asks.
    pub(super) closed: bool,
    /// Whether what is still to sound can be withdrawn from here.
    pub(super) withdraw: bool,
    /// What names the session in the address of its page, where it is closed and can be opened so.
    pub(super) place: Option<String>,
    /// Whether somebody comes back to it.
    pub(super) back: bool,
    /// What they withdrew there.
    pub(super) withdrawn: Option<String>,
}

impl Notes<'_> {
    /// What is said of a cue; of the block as a whole, for none.
    fn of(&self, cue: Option<&CueId>) -> Markup {
        html! {
            @for (finding, sentence) in self.findings.iter().filter(|(finding, _)| finding.cue.as_ref() == cue) {
                p.finding.(sign(finding.severity)) { (sentence) }
            }
        }
    }

    /// How many findings are as bad as this.
    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|(finding, _)| finding.severity == severity).count()
    }
}

/// What the address of a page has that opens a session.
pub(super) const OPENED: &str = "buoi";
/// Where that is on the page.
pub(super) const COME_BACK: &str = "buoi-dang-xem";

/// How a finding looks.
pub(super) fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note-only",
        Severity::Warning => "warn",
        Severity::Error => "bad",
    }
}

/// A session on a date. `airing` gives what the log says of a cue.
pub(super) fn session<'a>(
    block: &Block,
    zone: &TimeZone,
    airing: impl Fn(&CueId) -> Option<&'a Airing>,
    now: Timestamp,
    notes: &Notes<'_>,
) -> Markup {
    html! {
        details.session.bad[notes.count(Severity::Error) > 0].warn[notes.count(Severity::Warning) > 0]
            id=[notes.back.then_some(COME_BACK)]
            open[notes.back || (block.end > now && !notes.closed)] {
            summary {
                strong { (block.title) } " " span.times { (date::time(block.start, zone)) " – " (date::time(block.end, zone)) }
                @for severity in [Severity::Error, Severity::Warning] {
                    @if notes.count(severity) > 0 { " " span.count.(sign(severity)) { (calendar::count(severity, notes.count(severity))) } }
                }
            }
            @if let Some(address) = &notes.edit { p.ways { a.button href=(address) { (calendar::EDIT_SESSION) } } }
            // What stands above all sessions is out of sight from here.
            @if let Some(title) = &notes.withdrawn { p.note.good { (done_with(title)) } }
            (notes.of(None))
            table.rundown {
                (heads())
                tbody { @for cue in &block.cues {
                    @let shown = Shown::of(cue, airing(&cue.id), zone, now);
                    @let heard = shown.heard.filter(|heard| *heard != shown.title);
                    @let edit = notes.edit.as_ref().filter(|_| cue.id.piece == 0).map(|session| format!("{session}/muc/{}", cue.id.slot));
                    (row(shown.at, &html! {
                        (shown.title)
                        @if let Some(heard) = heard { br; span.heard { (heard) } }
                        @if let Some(address) = edit { " " a.edit href=(address) aria-label=(calendar::edit_slot(&cue.title)) { (calendar::EDIT) } }
                        @if let Some(segment) = cue.segment().filter(|segment| notes.withdraw && shown.is_to_sound(segment, now)) {
                            " " (recordings::withdraw_link(segment, notes.place.as_deref()))
                        }
                        (notes.of(Some(&cue.id)))
                    }, shown.heard.map(|_| (shown.end, shown.at)), zone, &shown.became))
                } }
            }
        }
    }
}

/// What aired besides; where there are several outputs, with who heard it.
pub(super) fn aired_besides<'a>(
    caption: &str,
    airings: impl IntoIterator<Item = &'a Airing>,
    schedule: &Schedule,
) -> Markup {
    airings_table(caption, airings, schedule, Became::of)
}

/// What would air, as a rehearsal has it.
pub(super) fn rehearsed(caption: &str, airings: &[Airing], schedule: &Schedule) -> Markup {
    airings_table(caption, airings, schedule, Became::in_rehearsal)
}

fn airings_table<'a>(
    caption: &str,
    airings: impl IntoIterator<Item = &'a Airing>,
    schedule: &Schedule,
    became: impl Fn(&Airing, &TimeZone) -> Became,
) -> Markup {
    html! {
        table.rundown {
            caption { (caption) }
            (heads())
            tbody { @for airing in airings {
                @let heard = airing.item.segment.as_ref().map(|piece| &piece.title);
                (row(airing.item.planned, &html! {
                    (airing.item.title)
                    @if let Some(heard) = heard.filter(|heard| **heard != airing.item.title) { br; span.heard { (heard) } }
                    @if schedule.outputs.len() > 1 { br; span.output { (place(schedule, &airing.item.output)) } }
                }, airing.ended().zip(airing.started()), &schedule.time_zone, &became(airing, &schedule.time_zone)))
            } }
        }
    }
}

fn heads() -> Markup {
    html! { thead { tr { @for head in say::COLUMNS { th scope="col" { (head) } } } } }
}

fn row(
    at: Timestamp,
    what: &Markup,
    length: Option<(Timestamp, Timestamp)>,
    zone: &TimeZone,
    became: &Became,
) -> Markup {
    html! {
        tr.(became.class) {
            td { time { (date::second(at, zone)) } }
            td { (what) }
            td { @if let Some((end, start)) = length { (date::length(end.duration_since(start))) } }
            td { span.result.(became.class) { (became.word) } @if let Some(why) = &became.why { br; span.why { (why) } } }
        }
    }
}

/// How an outcome looks.
pub(super) fn class(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::OnAir => "now",
        Outcome::Aired => "good",
        Outcome::Partly(_) => "warn",
        Outcome::NotAired(_) | Outcome::Withdrawn => "bad",
    }
}

/// A cue as it is shown: as the log has it where it has it. The plan is made anew with what came later, also for what is
/// past: a piece that was approved afterwards has not aired.
struct Shown<'a> {
    at: Timestamp,
    end: Timestamp,
    title: &'a str,
    /// The title of what sounds.
    heard: Option<&'a str>,
    /// Which piece that is, where the log says so.
    piece: Option<&'a SegmentId>,
    became: Became,
}

impl<'a> Shown<'a> {
    fn of(cue: &'a Cue, airing: Option<&'a Airing>, zone: &TimeZone, now: Timestamp) -> Self {
        match airing {
            Some(airing) => {
                let (item, piece) = (&airing.item, airing.item.segment.as_ref());
                Self {
                    at: item.planned,
                    end: item.planned_end,
                    title: &item.title,
                    heard: piece.map(|piece| piece.title.as_str()),
                    piece: piece.map(|piece| &piece.id),
                    became: Became { word: outcome_now(airing, now), ..Became::of(airing, zone) },
                }
            }
            None => Self {
                at: cue.at,
                end: cue.end,
                title: &cue.title,
                heard: cue.segment().map(|segment| segment.words.title.as_str()),
                piece: cue.segment().map(|segment| &segment.id),
                became: Became::expected(cue, now),
            },
        }
    }

    /// Whether a segment sounds here now, or will.
    fn is_to_sound(&self, segment: &Segment, now: Timestamp) -> bool {
        self.end > now && self.piece == Some(&segment.id)
    }
}

/// What became of a cue, or will.
struct Became {
    class: &'static str,
    word: &'static str,
    why: Option<String>,
}

impl Became {
    /// What the log says.
    fn of(airing: &Airing, zone: &TimeZone) -> Self {
        let outcome = airing.outcome();
        Self { class: class(&outcome), word: outcome_name(&outcome), why: whys(airing, zone) }
    }

    /// What a rehearsal says, which sounds nowhere.
    fn in_rehearsal(airing: &Airing, zone: &TimeZone) -> Self {
        Self { word: rehearsal::outcome(&airing.outcome()), ..Self::of(airing, zone) }
    }

    /// What will, of a cue of which the log knows nothing yet.
    fn expected(cue: &Cue, now: Timestamp) -> Self {
        let silent = cue.segment().is_none();
        match (cue.given_up_at() <= now, silent) {
            (true, _) => Self { class: "past", word: say::UNKNOWN, why: None },
            (false, true) => Self { class: "bad", word: say::WILL_BE_SILENT, why: None },
            (false, false) => Self { class: "to-come", word: say::TO_COME, why: None },
        }
    }
}
