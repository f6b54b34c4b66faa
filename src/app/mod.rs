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

use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;

use crate::clock::{Clock, SystemClock};
use crate::output::OutputError;
use crate::text::console;
use crate::text::disk::{Deed, cannot};
use crate::text::http::Refusal;
use cli::{Cli, Command, SegmentCommand, UserCommand};
use demo::DemoError;
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
    if let Some(said) = failure.downcast_ref().and_then(console::bad_database) {
        return anyhow!(said);
    }
    if let Some(OutputError::File { path, source }) = failure.downcast_ref() {
        return anyhow!(console::not_written(
            &path.display().to_string(),
            path.is_dir(),
            &source.to_string()
        ));
    }
    let of_demo = failure.downcast_ref().and_then(of_demo);
    match of_demo.or_else(|| failure.downcast_ref().map(of_station)) {
        Some(said) => anyhow!(said),
        None => failure,
    }
}

fn of_station(failure: &StationError) -> String {
    let named = |folder: &Path| folder.display().to_string();
    match failure {
        StationError::NoSchedule(folder) => console::no_station(&named(folder)),
        StationError::Unfinished(folder) => console::half_station(&named(folder)),
        StationError::Running(folder) => console::station_plays(&named(folder)),
        StationError::MakeFolder { path, cause } => cannot(Deed::Make, &named(path), cause),
        StationError::Lock { path, cause } => cannot(Deed::Lock, &named(path), cause),
    }
}

fn of_demo(failure: &DemoError) -> Option<String> {
    Some(match failure {
        DemoError::Write { path, cause } => cannot(Deed::Write, &path.display().to_string(), cause),
        DemoError::NoExample(from) => console::no_example(&from.display().to_string()),
        DemoError::Taken(folder) => console::demo_taken(&folder.display().to_string()),
        DemoError::Station(failure) => of_station(failure),
        DemoError::Calendar(_) => return None,
    })
}

fn done(cli: &Cli) -> anyhow::Result<Exit> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let now = clock.now();
    let station = || Station::open(&cli.station);
    let found = || Station::find(&cli.station);
    match &cli.command {
        Command::Serve(options) => serve::serve(&station()?, options),
        Command::Demo(options) => demo::demo(options, &clock),
        Command::Check(days) => commands::check(&found()?, days, now),
        Command::Timeline(days) => commands::timeline(&found()?, days, now),
        Command::Rehearse(options) => rehearse::rehearse(&found()?, options, now),
        Command::Segment(command) => {
            let takes_in = matches!(command, SegmentCommand::Add(_) | SegmentCommand::Import { .. });
            let stop = if takes_in { signals::told()?.flag } else { Arc::default() };
            let station = if takes_in { station()? } else { found()? };
            commands::segment(&station, &clock, command, &stop)
        }
        Command::Airings(which) => commands::airings(&found()?, which),
        Command::Verify(wish) => commands::verify(&found()?, *wish),
        Command::Devices(format) => commands::devices(*format),
        Command::User(command) => {
            let station = if matches!(command, UserCommand::Add { .. }) { station()? } else { found()? };
            commands::user(&station, &clock, command)
        }
        Command::Clock(command) => commands::clock(&found()?, now, command),
        Command::Backup { to } => commands::backup(&found()?, to),
        Command::Restore { from, other_station } => {
            let whose = if *other_station { commands::Whose::Anybodys } else { commands::Whose::Own };
            commands::restore(from, &cli.station, whose)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;

    use clap::Parser as _;

    use super::*;
    use crate::store::{DATABASE, Store, StoreError};

    fn station_in(folder: &Path) -> Station {
        let station = Station::new_in(folder).unwrap();
        std::fs::create_dir(station.schedule()).unwrap();
        for name in ["station.toml", "week.toml"] {
            let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("schedule").join(name);
            std::fs::copy(example, station.schedule().join(name)).unwrap();
        }
        station
    }

    #[test]
    fn a_command_that_can_do_nothing_says_so_in_peoples_words_and_makes_no_database() {
        let folder = tempfile::tempdir().unwrap();
        let station = station_in(folder.path());
        for (line, said) in [
            ("user revoke lan", "Chưa có cơ sở dữ liệu"),
            ("user link lan", "Chưa có cơ sở dữ liệu"),
            ("user list", "Chưa có cơ sở dữ liệu"),
            ("airings", "Chưa có cơ sở dữ liệu"),
            ("segment list", "Chưa có cơ sở dữ liệu"),
            ("user add a/b --role operator", "Tên người dùng chỉ gồm"),
            ("rehearse --days 1 --wav /", "`/` là một thư mục"),
            ("rehearse --days 1 --wav /no/such/a.wav", "Không ghi được tệp `/no/such/a.wav`"),
        ] {
            let folder = station.root().to_str().unwrap();
            let words = ["loa", "--station", folder].into_iter().chain(line.split(' '));
            let failure = run(&Cli::try_parse_from(words).unwrap()).expect_err(line);
            assert!(format!("{failure:#}").contains(said), "{line}: {failure:#}");
            assert!(!station.data().join(DATABASE).exists(), "{line}");
        }
    }

    #[test]
    fn of_a_database_that_cannot_be_used_it_is_said_in_peoples_words_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let station = station_in(folder.path());
        drop(Store::open(&station.data()).unwrap());
        let database = station.data().join(DATABASE);
        let whole = std::fs::read(&database).unwrap();
        let write = |file: &Path, bytes: &[u8]| File::create(file).unwrap().write_all(bytes).unwrap();
        let newer = [&whole[..60], &[0, 0, 3, 231], &whole[64..]].concat();
        let expect = |said: &[&str]| {
            for line in ["user list", "segment list", "check --days 1"] {
                let folder = station.root().to_str().unwrap();
                let words = ["loa", "--station", folder].into_iter().chain(line.split(' '));
                let failure = run(&Cli::try_parse_from(words).unwrap()).expect_err(line);
                let text = format!("{failure:#}");
                assert!(said.iter().all(|said| text.contains(said)), "{line}: {text}");
            }
        };
        write(&database, "no database at all".repeat(100).as_bytes());
        expect(&["đã hỏng", "loa restore"]);
        write(&database, &newer);
        expect(&["bản loa mới hơn", "999"]);
        std::fs::remove_file(&database).unwrap();
        write(&station.data().join(format!("{DATABASE}.before-restore")), &whole);
        let failure = Store::open(&station.data()).unwrap_err();
        let lost = format!("{:#}", in_words(failure.into()));
        assert!(lost.contains("đã mất") && lost.contains("loa restore"), "{lost}");
    }

    #[test]
    fn who_only_looks_makes_nothing_in_the_folder_of_a_station() {
        let folder = tempfile::tempdir().unwrap();
        let station = station_in(folder.path());
        std::fs::remove_dir(station.audio()).unwrap();
        std::fs::remove_dir(station.data()).unwrap();
        for line in [
            "check --days 1",
            "timeline --days 1",
            "rehearse --days 1",
            "airings",
            "verify",
            "segment list",
            "user list",
        ] {
            let words =
                ["loa", "--station", folder.path().to_str().unwrap()].into_iter().chain(line.split(' '));
            drop(run(&Cli::try_parse_from(words).unwrap()));
            assert!(!station.audio().exists() && !station.data().exists(), "{line}");
        }
    }

    #[test]
    fn what_a_folder_or_a_disk_refuses_is_said_in_peoples_words_with_what_to_do() {
        let path = || Path::new("/var/lib/loa/data/lock").to_owned();
        let in_demo = |failure: DemoError| in_words(failure.into()).to_string();
        let lock = |kind: std::io::ErrorKind| StationError::Lock { path: path(), cause: kind.into() };
        let refused = std::io::ErrorKind::PermissionDenied;
        let make = StationError::MakeFolder { path: path(), cause: refused.into() };
        for (said, expected) in [
            (in_words(lock(refused).into()).to_string(), ["Không khóa được", "sudo -u loa loa"]),
            (in_words(make.into()).to_string(), ["Không tạo được thư mục", "sudo chown -R loa:audio"]),
            (in_demo(lock(std::io::ErrorKind::StorageFull).into()), ["Không khóa được", "Đĩa đã đầy"]),
            (
                in_demo(DemoError::Write { path: path(), cause: refused.into() }),
                ["Không ghi được", "sudo -u loa"],
            ),
            (in_demo(DemoError::NoExample(".".into())), ["`.` không có đài mẫu", "--from"]),
            (in_demo(DemoError::Taken(path())), ["không phải đài mẫu", "--station"]),
        ] {
            assert!(expected.iter().all(|part| said.contains(part)), "{said}");
        }
    }

    #[test]
    fn what_keeps_the_database_from_being_written_is_said_in_peoples_words() {
        for (code, said) in [
            (rusqlite::ffi::SQLITE_FULL, "Đĩa đã đầy"),
            (rusqlite::ffi::SQLITE_BUSY, "đang bị chương trình khác giữ"),
            (rusqlite::ffi::SQLITE_CANTOPEN, "không có quyền"),
        ] {
            let cause = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            let failure = StoreError::Query { operation: "write", cause };
            assert!(in_words(failure.into()).to_string().contains(said), "{said}");
        }
    }
}
