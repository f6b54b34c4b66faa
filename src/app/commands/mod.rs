//! The commands beside the daemon: each asks a room and prints its answer.

mod clock;
mod copying;
mod keep;
mod log;
mod people;
mod plan;
mod recordings;
mod verdicts;

pub use clock::clock;
pub use keep::{Whose, backup, restore};
pub use log::{airings, verify};
pub use people::{devices, user};
pub use plan::{check, judge, plan_of, print_problems, timeline};
pub use recordings::{import, segment};

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::Serialize;

use super::cli::Shape;
use crate::asrun::Airing;
use crate::text::table::Table;
use crate::text::{console, outcome};

/// Prints a table for people or spreadsheets, or what it stands for as JSON.
pub(super) fn print<T: Serialize + ?Sized>(shape: Shape, table: &Table, data: &T) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let printed = match shape {
        Shape::Table if table.is_empty() => writeln!(out, "{}", console::NOTHING),
        Shape::Table => table.print(&mut out),
        Shape::Csv => table.csv(&mut out),
        Shape::Json => {
            serde_json::to_writer_pretty(&mut out, data).map_err(io::Error::from).and_then(|()| writeln!(out))
        }
    };
    as_far_as_it_is_read(printed)
}

/// Who reads only the beginning, as `head` does, has what they want: the exit code still says what was found.
fn as_far_as_it_is_read(printed: io::Result<()>) -> io::Result<()> {
    printed.or_else(|failure| if failure.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(failure) })
}

/// Prints the log, of which `table` has a line for each airing: on a screen the columns it has room for, and the output
/// where there are several; otherwise those of the paper.
pub fn print_log(shape: Shape, table: &Table, airings: &[Airing]) -> io::Result<()> {
    match shape {
        Shape::Table => print(shape, &on_screen(table, airings), airings),
        Shape::Csv | Shape::Json => print(shape, table, airings),
    }
}

fn on_screen(table: &Table, airings: &[Airing]) -> Table {
    let table = table.only(&outcome::ON_SCREEN);
    let outputs = || airings.iter().map(|airing| airing.item.output.as_str());
    if outputs().collect::<BTreeSet<_>>().len() > 1 {
        table.after_column(outcome::OUTPUT, outputs())
    } else {
        table
    }
}

/// Prints a line.
pub(super) fn say(line: &str) -> io::Result<()> {
    as_far_as_it_is_read(must_say(line))
}

/// Prints a line that somebody has to read.
pub(super) fn must_say(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::outcome::tests::airing;

    #[test]
    fn check_tells_a_file_that_cannot_be_read_from_one_that_is_gone() {
        let (folder, now): (_, jiff::Timestamp) =
            (tempfile::tempdir().unwrap(), plan::tests::NOW.parse().unwrap());
        let file = "nhac-hieu-sang.ogg";
        let (station, week) = plan::tests::station_with(&[(file, "")], folder.path(), now);
        std::fs::remove_file(station.audio().join(file)).unwrap();
        std::os::unix::fs::symlink(file, station.audio().join(file)).unwrap();
        let format = crate::app::cli::Format { format: Shape::Json };
        let days = crate::app::cli::Days { from: None, days: 7, format };
        let (_, bad) = plan_of(&station, week, &days, now).unwrap();
        let told = serde_json::to_value(&bad).unwrap();
        assert_eq!(
            (told[0]["code"].as_str(), told[0]["file"].as_str()),
            (Some("file-unreadable"), Some(file))
        );
        let said = crate::text::disk::file_unreadable(file, "bài", &now.to_zoned(jiff::tz::TimeZone::UTC));
        assert!(said.contains("sudo -u loa loa") && said.contains("sudo chown -R loa:audio"), "{said}");
    }

    #[test]
    fn airings_of_several_outputs_are_told_apart() {
        let one = airing();
        let mut other = one.clone();
        other.item.output = "loa-2".into();
        let print = |airings: &[Airing]| {
            let mut table = Table::new(outcome::LOG_COLUMNS);
            let zone = jiff::tz::TimeZone::UTC;
            airings.iter().for_each(|airing| table.row(outcome::log_line(1, "Sáng", airing, &zone)));
            let mut text = Vec::new();
            on_screen(&table, airings).print(&mut text).unwrap();
            String::from_utf8(text).unwrap()
        };
        assert!(print(&[one.clone(), one.clone()]).starts_with("Ngày"));
        let two = print(&[one, other]);
        assert!(two.starts_with("Đường ra") && two.contains("\nloa-2 "), "{two}");
    }
}
