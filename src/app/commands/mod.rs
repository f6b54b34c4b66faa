//! The commands beside the daemon: each asks a room and prints its answer.

mod keep;
mod log;
mod people;
mod plan;
mod recordings;

pub use keep::{backup, restore};
pub use log::{airings, verify};
pub use people::{devices, user};
pub use plan::{check, plan_of, print_bad_files, print_problems, timeline};
pub use recordings::{import, segment};

use std::io::{self, Write};

use serde::Serialize;

use super::cli::Shape;
use crate::text::table::Table;
use crate::text::{console, outcome};

/// Prints a table for people or spreadsheets, or what it stands for as JSON.
pub(super) fn print<T: Serialize + ?Sized>(shape: Shape, table: &Table, data: &T) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match shape {
        Shape::Table if table.is_empty() => writeln!(out, "{}", console::NOTHING),
        Shape::Table => table.print(&mut out),
        Shape::Csv => table.csv(&mut out),
        Shape::Json => {
            serde_json::to_writer_pretty(&mut out, data)?;
            writeln!(out)
        }
    }
}

/// Prints the log: on a screen the columns it has room for, otherwise all.
pub fn print_log<T: Serialize + ?Sized>(shape: Shape, table: &Table, data: &T) -> io::Result<()> {
    match shape {
        Shape::Table => print(shape, &table.only(&outcome::ON_SCREEN), data),
        Shape::Csv | Shape::Json => print(shape, table, data),
    }
}

/// Prints a line.
pub(super) fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}
