//! What a special day plays instead of the week's: a table of the file says it of one slot, or of several.

use toml_edit::{DocumentMut, Item, Table};

use super::EditError;
use super::spelling::{duration_text, play_value};
use super::tables::{Step, change, put, remove, table, tables};
use crate::schedule::Replacement;

/// Writes what is to be played instead. A table that says what it said stays as it is.
pub(super) fn write_replacements(
    document: &mut DocumentMut,
    day: &[Step],
    mut old: &[Replacement],
    new: &[Replacement],
) -> Result<(), EditError> {
    if old == new {
        return Ok(());
    }
    let list = tables(table(document, day)?, "replace")?;
    let (mut unsaid, mut gone): (Vec<_>, _) = (new.iter().collect(), Vec::new());
    for (place, table) in list.iter_mut().enumerate() {
        let (own, rest) = old.split_at_checked(slots(table)).ok_or(EditError::Unwritable)?;
        old = rest;
        match said(own, new).as_slice() {
            [] => gone.push(place),
            [to] if own.len() == 1 => {
                write(table, own.first(), to);
                unsaid.retain(|other| other != to);
            }
            some => {
                let mut stay = own.iter().map(|own| some.contains(&own));
                if let Some(names) = table.get_mut("slot").and_then(Item::as_array_mut) {
                    names.retain(|_| stay.next().unwrap_or(true));
                }
                unsaid.retain(|other| !some.contains(other));
            }
        }
    }
    for replacement in unsaid {
        list.push(replacement_table(replacement));
    }
    gone.iter().rev().try_for_each(|place| remove(document, &[day, &[("replace", *place)]].concat()))
}

/// A table of its own.
pub(super) fn replacement_table(replacement: &Replacement) -> Table {
    let mut table = Table::new();
    put(&mut table, "slot", format!("{}/{}", replacement.session, replacement.slot));
    write(&mut table, None, replacement);
    table
}

/// For how many slots a table speaks.
fn slots(table: &Table) -> usize {
    table.get("slot").and_then(Item::as_array).map_or(1, toml_edit::Array::len)
}

/// What a table is to say: of its only slot anything, of several what it said already.
fn said<'a>(own: &[Replacement], new: &'a [Replacement]) -> Vec<&'a Replacement> {
    let is_same = |to: &Replacement| match own {
        [one] => (&one.session, &one.slot) == (&to.session, &to.slot),
        several => several.contains(to),
    };
    new.iter().filter(|to| is_same(to)).collect()
}

fn write(table: &mut Table, old: Option<&Replacement>, new: &Replacement) {
    change(table, "title", Some(&old.and_then(|old| old.title.clone())), &new.title, |title| {
        title.as_deref().map(Into::into)
    });
    change(table, "play", old.map(|old| &old.play), &new.play, |play| Some(play_value(play)));
    change(table, "length", Some(&old.and_then(|old| old.length)), &new.length, |length| {
        length.map(|length| duration_text(length).into())
    });
}
