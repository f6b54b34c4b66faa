//! Reads TOML tables key by key, and goes on after every problem, so that a person is told all of them at once.
//!
//! serde would stop at the first: therefore the parsed document is walked here.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Error};

use super::problem::{Expected, Kind, Place, Problem};
use super::value::Value;

/// Quotations longer than this say nothing more.
const LONGEST_QUOTATION: usize = 60;

/// One file: its text, and what is wrong with it so far.
#[derive(Debug)]
pub(super) struct File<'a> {
    name: &'static str,
    text: &'a str,
    /// The offset at which each line begins.
    lines: Vec<usize>,
    /// Each with the offset at which it is.
    problems: RefCell<Vec<(usize, Problem)>>,
}

impl<'a> File<'a> {
    pub(super) fn new(name: &'static str, text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name, text, lines, problems: RefCell::default() }
    }

    /// Parses the text and reads it. What the parser could not make sense of as a whole is not read: whatever would
    /// be found there would only be a consequence.
    pub(super) fn read<T>(&self, read: impl FnOnce(Fields<'_>) -> T) -> Option<T> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        let (values, structure): (Vec<_>, Vec<_>) = errors.iter().partition(|error| is_of_one_value(error));
        let result = structure
            .is_empty()
            .then(|| read(Fields { file: self, table: table.get_ref(), span: 0..0, seen: Vec::new() }));
        for error in structure.iter().chain(&values) {
            let at = error.span().map_or(0, |span| span.start);
            let line = self.line(at);
            // One slip makes several errors; and a date that is none was already found to be none by its reader.
            if !self.problems.borrow().iter().any(|(_, problem)| problem.line == line) {
                self.report(at, self.syntax(error));
            }
        }
        result
    }

    fn syntax(&self, error: &Error) -> Kind {
        let span = error.span().unwrap_or(0..0);
        match error.message() {
            "duplicate key" => Kind::DuplicateKey { key: self.quote(&span) },
            said if said.starts_with(UNQUOTED) => Kind::Unquoted { found: self.quote(&span) },
            said => {
                let start = self.lines.get(self.line(span.start) - 1).copied().unwrap_or(0);
                Kind::Syntax { found: self.quote(&(start..self.text.len())), said: said.to_owned() }
            }
        }
    }

    /// Writes a problem down.
    pub(super) fn report(&self, at: usize, kind: Kind) {
        let line = self.line(at);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let (at, kind) = if is_of_what_is_written(&kind) {
            self.invisible(start).unwrap_or((at, kind))
        } else {
            (at, kind)
        };
        let column = self.text.get(start..at).map_or(0, |before| before.chars().count()) + 1;
        let problem = Problem { kind, place: Place::default(), file: self.name.to_owned(), line, column };
        self.problems.borrow_mut().push((at, problem));
    }

    /// A character in the line that begins there which nobody sees: it may make all of what is wrong in it.
    fn invisible(&self, start: usize) -> Option<(usize, Kind)> {
        let line = self.text.get(start..)?.lines().next()?;
        let written = line.split_once('#').map_or(line, |(written, _)| written);
        let is_mark = |at| start + at == 0; // what some editors begin a file with, and the parser knows
        let unseen = |(at, character): &(usize, char)| is_invisible(*character) && !is_mark(*at);
        let (at, character) = written.char_indices().find(unseen)?;
        let after = written.get(..at)?.trim().to_owned();
        Some((start + at, Kind::Invisible { character, after }))
    }

    /// The line of an offset, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at).max(1)
    }

    /// The problems, in the order of the lines, each in the innermost of the parts of the schedule that stand there.
    pub(super) fn into_problems(self, parts: &[(Range<usize>, Place)]) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|(_, problem)| (problem.line, problem.column));
        let place = |at| {
            let there = parts.iter().filter(|(part, _)| part.contains(&at));
            there.max_by_key(|(part, _)| part.start).map(|(_, place)| place.clone())
        };
        problems
            .into_iter()
            .map(|(at, problem)| Problem { place: place(at).unwrap_or_default(), ..problem })
            .collect()
    }

    /// From where to where a table goes: one under a heading up to whatever comes behind it.
    fn extent(&self, table: Range<usize>) -> Range<usize> {
        if self.text.get(table.clone()).is_some_and(|text| text.starts_with('{')) {
            return table;
        }
        table.start..usize::MAX
    }

    /// What stands there, on one line and not too long.
    fn quote(&self, span: &Range<usize>) -> String {
        let text = self.text.get(span.clone()).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default().trim();
        let mut quotation: String = line.chars().take(LONGEST_QUOTATION).collect();
        if quotation.len() < line.len() {
            quotation.push('…');
        }
        quotation
    }
}

const UNQUOTED: &str = "string values must be quoted";

/// Whether the document around an error is as it was meant.
fn is_of_one_value(error: &Error) -> bool {
    let said = error.message();
    ["duplicate key", "invalid time", "invalid date", UNQUOTED].iter().any(|known| said.starts_with(known))
}

/// Whether a problem is of what stands in its line, and not of what that means.
fn is_of_what_is_written(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Syntax { .. }
            | Kind::Unquoted { .. }
            | Kind::UnknownKey { .. }
            | Kind::Invalid { .. }
            | Kind::Unknown { .. }
    )
}

/// What comes along from chats, word processors and web pages: spaces that are none for TOML, and marks without a width.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{a0}' | '\u{ad}' | '\u{2007}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202f}' | '\u{2060}' | '\u{feff}'
    )
}

/// A table, while its keys are being read.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    file: &'a File<'a>,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    seen: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Where the table begins.
    pub(super) fn at(&self) -> usize {
        self.span.start
    }

    /// What the table takes of its file.
    pub(super) fn extent(&self) -> Range<usize> {
        self.file.extent(self.span.clone())
    }

    /// The file it is in.
    pub(super) fn file(&self) -> &'a File<'a> {
        self.file
    }

    /// Whether a key is there, whatever its value.
    pub(super) fn has(&mut self, key: &'static str) -> bool {
        self.raw(key).is_some()
    }

    /// Where the value of a key stands.
    pub(super) fn place(&mut self, key: &'static str) -> Option<usize> {
        self.raw(key).map(|value| value.span().start)
    }

    /// The value of a key, if it is there and in order.
    pub(super) fn take<T: Value>(&mut self, key: &'static str) -> Option<Spanned<T>> {
        let value = self.raw(key)?;
        let read = T::read(value.get_ref());
        if read.is_none() {
            // Of a list of days, those that are none.
            let days = value.get_ref().as_array().filter(|_| T::EXPECTED == Expected::Days);
            let wrong =
                days.into_iter().flat_map(|days| days.iter()).filter(|day| T::read(day.get_ref()).is_none());
            let wrong: Vec<_> = wrong.collect();
            for value in if wrong.is_empty() { vec![value] } else { wrong } {
                self.invalid(key, value, T::EXPECTED);
            }
        }
        read.map(|read| Spanned::new(value.span(), read))
    }

    /// The value of a key that has to be there.
    pub(super) fn need<T: Value>(&mut self, key: &'static str) -> Option<Spanned<T>> {
        if !self.has(key) {
            self.file.report(self.at(), Kind::MissingKey { key });
        }
        self.take(key)
    }

    /// The table under a key.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Fields<'a>> {
        let value = self.raw(key)?;
        let table = self.open(value);
        if table.is_none() {
            self.invalid(key, value, Expected::Table);
        }
        table
    }

    /// The tables under a key, `[[key]]`; without the key, none.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Fields<'a>> {
        let Some(value) = self.raw(key) else { return Vec::new() };
        let items: Option<&DeArray<'a>> = value.get_ref().as_array();
        let tables: Option<Vec<_>> =
            items.and_then(|items| items.iter().map(|item| self.open(item)).collect());
        tables.unwrap_or_else(|| {
            let is_one = self.file.text.get(value.span()).is_some_and(|text| text.starts_with('{'));
            self.invalid(key, value, if is_one { Expected::TablesInBrackets } else { Expected::Tables });
            Vec::new()
        })
    }

    /// Speaks of keys that belong under a heading of this file.
    pub(super) fn misplaced(&mut self, keys: &[&'static str], heading: &'static str) {
        for key in keys {
            self.raw(key);
            if let Some((written, _)) = self.table.get_key_value(*key) {
                self.file.report(written.span().start, Kind::Misplaced { key, heading });
            }
        }
    }

    /// Speaks of every key that nobody asked for.
    pub(super) fn finish(self) {
        for key in self.table.keys() {
            if !self.seen.contains(&key.get_ref().as_ref()) {
                let nearest = nearest(key.get_ref(), self.seen.iter().copied());
                let key_text = key.get_ref().to_string();
                self.file.report(key.span().start, Kind::UnknownKey { key: key_text, nearest });
            }
        }
    }

    fn raw(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        if !self.seen.contains(&key) {
            self.seen.push(key);
        }
        self.table.get(key)
    }

    fn open(&self, value: &'a Spanned<DeValue<'a>>) -> Option<Fields<'a>> {
        let table = value.get_ref().as_table()?;
        Some(Fields { file: self.file, table, span: value.span(), seen: Vec::new() })
    }

    fn invalid(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: Expected) {
        let found = self.file.quote(&value.span());
        self.file.report(value.span().start, Kind::Invalid { key: key.to_owned(), found, expected });
    }
}

/// The candidate that looks most like a text, if one does: at most a third of it is otherwise.
pub(super) fn nearest<S: AsRef<str>>(text: &str, candidates: impl Iterator<Item = S>) -> Option<S> {
    let allowed = (text.chars().count() / 3).max(1);
    candidates
        .map(|candidate| (distance(text, candidate.as_ref(), allowed), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance; `usize::MAX` where the lengths alone say that it is more than `allowed`.
fn distance(a: &str, b: &str, allowed: usize) -> usize {
    let b: Vec<char> = b.chars().take(65).collect();
    if a.chars().take(65).count().abs_diff(b.len()) > allowed {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().take(65).enumerate() {
        let mut next = vec![i + 1];
        for ((b, diagonal), above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or(i);
            next.push((diagonal + usize::from(a != *b)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}
