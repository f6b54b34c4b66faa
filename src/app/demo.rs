//! The example station, set up so that something airs within a minute of its start, whatever the hour.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, ToSpan, Unit, Zoned};

use super::cli::Demo;
use super::commands;
use super::exit::Exit;
use super::serve::serve_locked;
use super::signals;
use super::station::{Station, StationError, read};
use crate::clock::Clock;
use crate::output::{OutputName, device};
use crate::schedule::Schedule;
use crate::store::Store;
use crate::text::console;

/// From the start of the demo to its first sound: time to read where to look.
const UNTIL_FIRST_SOUND: SignedDuration = SignedDuration::from_secs(15);

/// In whose name the example's recordings are approved.
const APPROVER: &str = "demo";

/// Why the example station could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A file could not be copied or written.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The example is not where it was looked for.
    #[error("`{0}` has no example station; run this in the project's folder, or name it with --from")]
    NoExample(PathBuf),
    /// There is something in the folder that the demo did not put there.
    #[error(
        "`{0}` is not empty and no example station: nothing in it was touched; name an empty folder with --station"
    )]
    Taken(PathBuf),
    /// The folder cannot be a station, or one is on in it.
    #[error(transparent)]
    Station(#[from] StationError),
    /// The local time could not be computed.
    #[error("cannot place the demo session on the calendar")]
    Calendar(#[source] jiff::Error),
}

/// Sets the example station up, says where to look, and serves it.
pub fn demo(options: &Demo, clock: &Arc<dyn Clock>) -> anyhow::Result<Exit> {
    let (station, lock, week) = set_up(&options.from, &options.station)?;
    let told = signals::told()?;
    {
        let store = Store::open(&station.data())?;
        let list = options.from.join("audio/segments.toml");
        let taken_in = commands::import(&station, &store, clock, (&list, Some(APPROVER)), &told.flag)?;
        if taken_in == Exit::Stopped {
            return Ok(taken_in);
        }
    }
    let first = put_on_the_calendar(&station, &week, clock.now())?;
    let mut served = options.serve.clone();
    if served.output.is_none() && !device::has_sound() {
        commands::say(console::DEMO_WITHOUT_SOUND)?;
        served.output = Some(OutputName::Null);
    }
    let time = first.strftime("%H:%M:%S").to_string();
    commands::say(&console::demo(&time, &options.station.display().to_string()))?;
    serve_locked(&station, &lock, &served, Some(told.word))
}

/// Puts the example's week into `to`, and gives it, with the lock of the station there.
///
/// The station's rules are left out, for a demo at night should sound too, and so is the amplifier's lead: in the folder
/// of another station, or under a daemon, nothing is written.
pub fn set_up(from: &Path, to: &Path) -> Result<(Station, File, Schedule), DemoError> {
    let example = from.join("schedule");
    let week = read(&example, Timestamp::MAX).map_err(|_| DemoError::NoExample(from.to_owned()))?;
    if !is_free(to) {
        return Err(DemoError::Taken(to.to_owned()));
    }
    let station = Station::new_in(to)?;
    let lock = station.lock()?;
    let schedule = station.schedule();
    fs::create_dir_all(&schedule).map_err(|cause| DemoError::Write { path: schedule.clone(), cause })?;
    for name in ["station.toml", "week.toml"] {
        let target = schedule.join(name);
        let written = match name {
            "station.toml" => write_aside(&target, STATION),
            _ => fs::copy(example.join(name), &target).map(|_| ()),
        };
        written.map_err(|cause| DemoError::Write { path: target, cause })?;
    }
    Ok((station, lock, week))
}

/// Whether a folder is not there yet, or empty, or has the example station of an earlier demo: no other station has its
/// `station.toml` to the letter.
fn is_free(folder: &Path) -> bool {
    if let Ok(text) = fs::read_to_string(folder.join("schedule/station.toml")) {
        // Earlier demos had no zones, which are its last line.
        let earlier = STATION.trim_end().rsplit_once('\n').map(|(before, _)| before);
        return text == STATION || Some(text.trim_end()) == earlier;
    }
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(failure) => failure.kind() == io::ErrorKind::NotFound,
    }
}

/// Puts a session that begins in a few seconds on the calendar; says when.
fn put_on_the_calendar(station: &Station, week: &Schedule, now: Timestamp) -> Result<Zoned, DemoError> {
    let local = now.to_zoned(week.time_zone.clone());
    let first = local.checked_add(UNTIL_FIRST_SOUND).and_then(|local| local.round(Unit::Second));
    let first = first.map_err(DemoError::Calendar)?;
    let target = station.schedule().join("days.toml");
    write_aside(&target, &day(&first, week)?).map_err(|cause| DemoError::Write { path: target, cause })?;
    Ok(first)
}

fn write_aside(target: &Path, text: &str) -> io::Result<()> {
    let aside = target.with_extension("new");
    io::Write::write_all(&mut File::create(&aside)?, text.as_bytes())?;
    fs::rename(aside, target)
}

/// The demo's station: no rules, the default device.
const STATION: &str = include_str!("demo/station.toml");

/// The demo's day: the week's sessions make room for one that begins at `first`.
fn day(first: &Zoned, week: &Schedule) -> Result<String, DemoError> {
    let end = first.checked_add(20.minutes()).map_err(DemoError::Calendar)?;
    let sessions = week.sessions.iter().filter(|session| session.is_on(first.date()));
    let drop: Vec<_> = sessions.map(|session| format!("\"{}\"", session.id)).collect();
    Ok(include_str!("demo/days.toml")
        .replace("@DATE@", &first.date().to_string())
        .replace("@DROP@", &drop.join(", "))
        .replace("@FROM@", &first.time().to_string())
        .replace("@TO@", &end.time().to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::Parser as _;

    use super::super::cli::{Cli, Command};
    use super::*;

    fn example() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    /// The files under a folder, with their texts.
    fn all(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let found = entries.map(|path| match path.is_dir() {
            true => all(&path),
            false => BTreeMap::from([(path.clone(), fs::read(&path).unwrap())]),
        });
        found.flatten().collect()
    }

    #[test]
    fn the_example_is_never_put_over_a_station() {
        let folder = tempfile::tempdir().unwrap();
        let schedule = folder.path().join("schedule");
        fs::create_dir(&schedule).unwrap();
        for name in ["station.toml", "week.toml"] {
            fs::copy(example().join("schedule").join(name), schedule.join(name)).unwrap();
        }
        let before = all(folder.path());
        assert!(matches!(set_up(example(), folder.path()), Err(DemoError::Taken(_))));
        assert_eq!(all(folder.path()), before);

        fs::remove_dir_all(schedule).unwrap();
        write_aside(&folder.path().join("letter.odt"), "Kính gửi").unwrap();
        assert!(matches!(set_up(example(), folder.path()), Err(DemoError::Taken(_))), "no station either");
    }

    #[test]
    fn the_example_is_set_up_anew_where_it_was_but_not_under_a_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("new");
        let (station, lock, _) = set_up(example(), &to).unwrap();
        let week = station.schedule().join("week.toml");
        write_aside(&week, "# edited").unwrap();
        let refused = set_up(example(), &to);
        assert!(matches!(refused, Err(DemoError::Station(StationError::Running(_)))), "{refused:?}");
        assert_eq!(fs::read_to_string(&week).unwrap(), "# edited");
        drop(lock);
        set_up(example(), &to).unwrap();
        assert_ne!(fs::read_to_string(&week).unwrap(), "# edited");
    }

    #[test]
    fn the_demo_takes_its_folder_as_every_command_does() {
        let folder_of = |line: &str| {
            let Command::Demo(demo) = Cli::parse_from(line.split(' ')).command else { panic!("{line}") };
            demo.station
        };
        assert_eq!(folder_of("loa demo"), Path::new("target/demo-station"));
        for line in ["loa --station here demo", "loa demo --station here", "loa demo --to here"] {
            assert_eq!(folder_of(line), Path::new("here"), "{line}");
        }
    }
}
