//! What differs between two texts, line by line, as few lines as can be.

/// Lines that stay shown before and after a change.
const AROUND: usize = 2;
/// Pairs of lines that are compared, at most: of longer texts that differ at both ends, all between is taken as changed.
const PAIRS: usize = 1_000_000;

/// A line of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// It is in both, near one that is not.
    Stays(&'a str),
    /// It is in the old one.
    Goes(&'a str),
    /// It is in the new one.
    Comes(&'a str),
    /// Here lines that stay are left out.
    Gap,
}

/// The lines that differ, with those around them; none of texts that are the same.
pub(super) fn difference<'a>(old: Option<&'a str>, new: Option<&'a str>) -> Vec<Line<'a>> {
    let lines = |text: Option<&'a str>| text.unwrap_or_default().lines().collect::<Vec<_>>();
    near_changes(&all_lines(&lines(old), &lines(new)))
}

/// All lines of both.
fn all_lines<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let before = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (before, old) = old.split_at_checked(before).unwrap_or_default();
    let (_, new) = new.split_at_checked(before.len()).unwrap_or_default();
    let after = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, after) = old.split_at_checked(old.len() - after).unwrap_or_default();
    let (new, _) = new.split_at_checked(new.len() - after.len()).unwrap_or_default();
    let stay = |lines: &[&'a str]| lines.iter().map(|line| Line::Stays(line)).collect::<Vec<_>>();
    [stay(before), between(old, new), stay(after)].concat()
}

/// The lines of two texts that begin and end differently.
fn between<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let common = if old.len().saturating_mul(new.len()) <= PAIRS { common(old, new) } else { Vec::new() };
    // How many lines these many of the last ones have in common.
    let of = |old: usize, new: usize| common.get(old).and_then(|row| row.get(new)).copied().unwrap_or(0);
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let mut lines = Vec::new();
    loop {
        let (left, come) = (old.len(), new.len());
        match (old.peek(), new.peek()) {
            (Some(one), Some(other)) if one == other => {
                new.next();
                lines.extend(old.next().map(|line| Line::Stays(line)));
            }
            (Some(_), Some(_)) if of(left, come.saturating_sub(1)) > of(left.saturating_sub(1), come) => {
                lines.extend(new.next().map(|line| Line::Comes(line)));
            }
            (Some(_), _) => lines.extend(old.next().map(|line| Line::Goes(line))),
            (None, Some(_)) => lines.extend(new.next().map(|line| Line::Comes(line))),
            (None, None) => return lines,
        }
    }
}

/// How many lines the ends of two texts have in common, in order: a row for so many of the old one's last lines, and in
/// it a number for so many of the new one's.
fn common(old: &[&str], new: &[&str]) -> Vec<Vec<u32>> {
    let mut row = vec![0; new.len() + 1];
    let mut rows = Vec::with_capacity(old.len() + 1);
    for line in old.iter().rev() {
        let mut next = Vec::with_capacity(row.len());
        let mut longest = 0;
        next.push(longest);
        for ((without_both, without_old), other) in row.iter().zip(row.iter().skip(1)).zip(new.iter().rev()) {
            longest = if line == other { without_both + 1 } else { longest.max(*without_old) };
            next.push(longest);
        }
        rows.push(std::mem::replace(&mut row, next));
    }
    rows.push(row);
    rows
}

/// The changes and what is around them; a gap between those that are apart.
fn near_changes<'a>(lines: &[Line<'a>]) -> Vec<Line<'a>> {
    let stays = |line: &Line<'_>| matches!(line, Line::Stays(_));
    let mut shown = Vec::new();
    let runs: Vec<&[Line<'a>]> = lines.chunk_by(|one, next| stays(one) == stays(next)).collect();
    let last = runs.len().saturating_sub(1);
    for (place, run) in runs.iter().enumerate() {
        let of_change = run.iter().any(|line| !stays(line));
        let (after, before) = (if place == 0 { 0 } else { AROUND }, if place == last { 0 } else { AROUND });
        if of_change || run.len() <= after + before {
            shown.extend_from_slice(run);
            continue;
        }
        shown.extend(run.iter().take(after));
        if place > 0 && place < last {
            shown.push(Line::Gap);
        }
        shown.extend(run.iter().skip(run.len() - before));
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Line::{Comes, Gap, Goes, Stays};
    use super::*;

    #[test]
    fn only_the_lines_that_differ_are_changes() {
        assert_eq!(
            difference(Some("a\nb\nc\nd\ne"), Some("a\nx\nc\nd\ny")),
            [Stays("a"), Goes("b"), Comes("x"), Stays("c"), Stays("d"), Goes("e"), Comes("y")]
        );
        assert_eq!(difference(Some("a\na"), Some("a\na\na")), [Stays("a"), Stays("a"), Comes("a")]);
        // What moves up goes where it was and comes where it is; the rest stays.
        assert_eq!(
            difference(Some("1\n2\n3"), Some("3\n1\n2")),
            [Comes("3"), Stays("1"), Stays("2"), Goes("3")]
        );
        assert_eq!(difference(None, Some("a")), [Comes("a")]);
        assert_eq!(difference(Some("a"), Some("a")), []);
    }

    #[test]
    fn what_is_far_from_a_change_is_left_out() {
        let (old, new) = ("0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\n1\n2\nx\n4\n5\n6\n7\n8\ny\n");
        let shown = [Stays("1"), Stays("2"), Goes("3"), Comes("x"), Stays("4"), Stays("5"), Gap, Stays("7")];
        let rest = [Stays("8"), Goes("9"), Comes("y")];
        assert_eq!(difference(Some(old), Some(new)), [&shown[..], &rest].concat());
    }

    fn texts() -> impl Strategy<Value = Vec<&'static str>> {
        proptest::collection::vec(prop::sample::select(vec!["a", "b", "c", ""]), 0..12)
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_from_it(old in texts(), new in texts()) {
            let lines = all_lines(&old, &new);
            let kept = |without: fn(&str) -> Line<'_>| -> Vec<&str> {
                let text = |line: &Line<'static>| match *line {
                    Stays(text) | Goes(text) | Comes(text) => (*line != without(text)).then_some(text),
                    Gap => None,
                };
                lines.iter().filter_map(text).collect()
            };
            prop_assert_eq!(kept(|text| Comes(text)), old);
            prop_assert_eq!(kept(|text| Goes(text)), new);
        }
    }

    #[test]
    fn very_long_texts_that_differ_all_over_are_changed_as_a_whole() {
        let text = |end: &str| (0..2_000).map(|line| format!("{line}{end}\n")).collect::<String>();
        let lines = difference(Some(&text("a")), Some(&text("b"))).len();
        assert_eq!(lines, 4_000);
    }
}
