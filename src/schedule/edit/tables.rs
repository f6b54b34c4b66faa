//! Tables of a file: how they are found, put in, taken out and changed, with their comments.

use toml_edit::{ArrayOfTables, DocumentMut, Item, RawString, Table, Value};

use super::EditError;

/// One of the tables `[[key]]`, by its place among them.
pub(super) type Step = (&'static str, usize);

/// The table at the end of a way.
pub(super) fn table<'a>(document: &'a mut DocumentMut, way: &[Step]) -> Result<&'a mut Table, EditError> {
    way.iter().try_fold(document.as_table_mut(), |of, (key, place)| {
        tables(of, key)?.get_mut(*place).ok_or(EditError::Unwritable)
    })
}

/// The tables `[[key]]`, made where there are none. A list of inline tables, `key = [{ … }]`, becomes such tables.
pub(super) fn tables<'a>(of: &'a mut Table, key: &str) -> Result<&'a mut ArrayOfTables, EditError> {
    let item = of.entry(key).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if !item.is_array_of_tables() {
        let inline = std::mem::take(item).into_array_of_tables();
        *item = Item::ArrayOfTables(inline.unwrap_or_default());
    }
    item.as_array_of_tables_mut().ok_or(EditError::Unwritable)
}

/// Takes a table out. A comment right above it goes with it; what an empty line sets apart stays in the file, before
/// whatever comes next.
pub(super) fn remove(document: &mut DocumentMut, way: &[Step]) -> Result<(), EditError> {
    let Some(((key, place), above)) = way.split_last() else { return Ok(()) };
    let list = tables(table(document, above)?, key)?;
    let prefix = list.get(*place).and_then(|table| table.decor().prefix()?.as_str()).unwrap_or_default();
    let Some(apart) = set_apart(prefix) else {
        list.remove(*place);
        return Ok(());
    };
    list.remove(*place);
    // The next one of its kind, or else the next of those that it stood in.
    let (mut rest, mut next) = (way, *place);
    while let Some(((key, _), above)) = rest.split_last() {
        if let Some(next) = tables(table(document, above)?, key)?.get_mut(next) {
            prepend(next, &apart);
            return Ok(());
        }
        rest = above;
        next = above.last().map_or(0, |(_, place)| place + 1);
    }
    let trailing = format!("{apart}{}", document.trailing().as_str().unwrap_or_default());
    document.set_trailing(trailing);
    Ok(())
}

/// What an empty line sets apart from what follows it.
fn set_apart(prefix: &str) -> Option<String> {
    let apart = prefix.get(..=prefix.rfind("\n\n")?)?;
    (!apart.trim().is_empty()).then(|| apart.to_owned())
}

fn prepend(table: &mut Table, comment: &str) {
    let own = table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or("\n");
    let both = format!("{comment}{own}");
    table.decor_mut().set_prefix(both);
}

/// Swaps two neighbours, each with its comments.
pub(super) fn swap(list: &mut ArrayOfTables, place: usize, neighbour: Option<usize>) {
    let Some(neighbour) = neighbour.filter(|neighbour| *neighbour < list.len()) else { return };
    let (first, second) = (place.min(neighbour), place.max(neighbour));
    let (Some(mut one), Some(mut other)) = (list.get(first).cloned(), list.get(second).cloned()) else {
        return;
    };
    // A table without a position is written where it stands in the list.
    one.set_position(None);
    other.set_position(None);
    list.replace(first, other);
    list.replace(second, one);
}

/// Sets a key. What stood there keeps its place, its spacing and the comments above it and behind it.
pub(super) fn put(table: &mut Table, key: &str, value: impl Into<Value>) {
    let mut value = value.into();
    match table.get_mut(key) {
        Some(item) => {
            if let Some(old) = item.as_value() {
                *value.decor_mut() = old.decor().clone();
            }
            *item = Item::Value(value);
        }
        None => drop(table.insert(key, Item::Value(value))),
    }
}

/// Takes a key out. As with a table, a comment right above it goes with it, and what an empty line sets apart stays.
pub(super) fn take_out(table: &mut Table, key: &str) {
    let prefix = table.key(key).and_then(|key| key.leaf_decor().prefix()?.as_str());
    let apart = prefix.and_then(set_apart);
    let others = table.iter().filter(|(_, item)| item.is_value()).map(|(other, _)| other.to_owned());
    let others: Vec<_> = others.collect();
    table.remove(key);
    let Some(apart) = apart else { return };
    let (before, after) = others.split_at(others.iter().position(|other| other == key).unwrap_or_default());
    let text = |raw: Option<&RawString>| raw.and_then(RawString::as_str).unwrap_or_default().to_owned();
    if let Some(mut next) = after.get(1).and_then(|next| table.key_mut(next)) {
        let own = text(next.leaf_decor().prefix());
        next.leaf_decor_mut().set_prefix(apart + &own);
    } else if let Some(last) = before.last().and_then(|last| table.get_mut(last)?.as_value_mut()) {
        let own = text(last.decor().suffix());
        last.decor_mut().set_suffix(format!("{own}\n{}", apart.trim_end_matches('\n')));
    }
}

/// Sets a key or takes it out, where its meaning is another than before.
pub(super) fn change<T: PartialEq>(
    table: &mut Table,
    key: &str,
    old: Option<&T>,
    new: &T,
    value: impl FnOnce(&T) -> Option<Value>,
) {
    if old == Some(new) {
        return;
    }
    match value(new) {
        Some(value) => put(table, key, value),
        None => take_out(table, key),
    }
}
