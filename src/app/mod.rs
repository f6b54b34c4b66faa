//! The wiring: which knows every room, and which no room knows.
//!
//! [`serve`] starts store, recorder, engines, planner, housekeeping and web in that order, and stops them in reverse. The
//! other commands are thin: they call the same functions and print what these give.

pub mod arguments;
pub mod boot;
pub mod cli;
pub mod commands;
pub mod demo;
pub mod exit;
pub mod heap;
pub mod housekeeping;
pub mod lines;
pub mod planner;
pub mod ready;
pub mod recorder;
pub mod rehearse;
pub mod rescan;
pub mod serve;
pub mod signals;
pub mod standing;
pub mod station;
pub mod supervise;
pub mod watch_log;

use std::sync::Arc;

use anyhow::anyhow;

use crate::clock::{Clock, SystemClock};
use crate::text::console;
use crate::text::http::Refusal;
use cli::{Cli, Command, SegmentCommand};
use exit::Exit;
use station::{Station, StationError};

/// Does what the command line asks.
pub fn run(cli: &Cli) -> anyhow::Result<Exit> {
    done(cli).map_err(in_words)
}

/// What is a person's to mend, in their words; all else as it was.
fn in_words(failure: anyhow::Error) -> anyhow::Error {
    if let Some(refusal) = failure.downcast_ref().and_then(Refusal::of_store) {
        return anyhow!(refusal.detail());
    }
    match failure.downcast_ref() {
        Some(StationError::NoSchedule(folder)) => anyhow!(console::no_station(&folder.display().to_string())),
        Some(StationError::Unfinished(folder)) => {
            anyhow!(console::half_station(&folder.display().to_string()))
        }
        Some(StationError::Running(folder)) => anyhow!(console::station_plays(&folder.display().to_string())),
        Some(StationError::MakeFolder { .. } | StationError::Lock { .. }) | None => failure,
    }
}

fn done(cli: &Cli) -> anyhow::Result<Exit> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let now = clock.now();
    let station = || Station::open(&cli.station);
    match &cli.command {
        Command::Serve(options) => serve::serve(&station()?, options),
        Command::Demo(options) => demo::demo(options, &clock),
        Command::Check(days) => commands::check(&station()?, days, now),
        Command::Timeline(days) => commands::timeline(&station()?, days, now),
        Command::Rehearse(options) => rehearse::rehearse(&station()?, options, now),
        Command::Segment(command) => {
            let takes_in = matches!(command, SegmentCommand::Add(_) | SegmentCommand::Import { .. });
            let stop = if takes_in { signals::flag()? } else { Arc::default() };
            commands::segment(&station()?, &clock, command, &stop)
        }
        Command::Airings(which) => commands::airings(&station()?, which),
        Command::Verify(wish) => commands::verify(&station()?, *wish),
        Command::Devices(format) => commands::devices(*format),
        Command::User(command) => commands::user(&station()?, &clock, command),
        Command::Clock(command) => commands::clock(&station()?, now, command),
        Command::Backup { to } => commands::backup(&station()?, to),
        Command::Restore { from, other_station } => {
            let whose = if *other_station { commands::Whose::Anybodys } else { commands::Whose::Own };
            commands::restore(from, &cli.station, whose)
        }
    }
}
