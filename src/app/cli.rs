//! The command line: what may be asked, as clap reads it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::{Date, DateTime};
use unicode_normalization::UnicodeNormalization as _;

use crate::access::Role;
use crate::output::{OutputError, OutputName};
use crate::text::arguments;

/// Unattended scheduling and playout for commune loudspeaker stations.
#[derive(Debug, Parser)]
#[command(name = "loa", version, about, max_term_width = 110)]
pub struct Cli {
    /// The station's folder, with schedule/, audio/ and data/.
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    pub station: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What may be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play the schedule, serve HTTP, keep the log; until told to stop.
    Serve(Serve),
    /// Start the example station so that something airs within a minute.
    Demo(Demo),
    /// Say every problem of the station: the schedule's mistakes, and what will not air in the days to come.
    Check(Days),
    /// Say what will sound, to the second, and what is wrong with it.
    Timeline(Days),
    /// Run days through the real engine on simulated time, as fast as it goes.
    Rehearse(Rehearse),
    /// Take in, list, approve or withdraw recordings.
    #[command(subcommand)]
    Segment(SegmentCommand),
    /// The log: what aired, and what did not, and why.
    Airings(Airings),
    /// Walk the log's chain of hashes and say whether anything was changed.
    Verify(Verify),
    /// List the sound outputs by the names that `device` in station.toml takes.
    Devices(Format),
    /// Make, list or revoke the tokens of people and scripts.
    #[command(subcommand)]
    User(UserCommand),
    /// Say that the machine's clock is right, where the log has later instants than it shows and no network can tell.
    #[command(subcommand)]
    Clock(ClockCommand),
    /// Copy the whole station into one new folder, while it plays.
    Backup {
        /// The folder to make.
        to: PathBuf,
    },
    /// Make a station out of a backup, or put a nightly copy of the database back, and prove that it is whole.
    Restore {
        /// The backup's folder, of which a new station is made; or a copy of the database, from `data/backup/`, which takes
        /// the place of the station's own.
        from: PathBuf,
        /// Also where the copy is of the database of another station, or of this one under another name.
        #[arg(long)]
        other_station: bool,
    },
}

/// How `serve` runs.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// The address to listen on; a port of 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8600", value_parser = listen)]
    pub listen: SocketAddr,
    /// Where the sound goes instead of the station's devices: `null` (nowhere, in real time) or `wav:PATH` (of several
    /// outputs, each has a file of its own: `PATH-ID`).
    #[arg(long, value_name = "null|wav:PATH", value_parser = output)]
    pub output: Option<OutputName>,
    /// A proxy on this machine stands in front: its X-Forwarded-For and X-Forwarded-Proto are believed.
    #[arg(long)]
    pub behind_proxy: bool,
}

/// How `demo` runs.
#[derive(Debug, Args)]
pub struct Demo {
    /// Where the example station is put: an empty folder, or that of an earlier demo.
    #[arg(long, alias = "to", default_value = "target/demo-station", value_name = "DIR")]
    pub station: PathBuf,
    /// Where its schedule/ and audio/ come from.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub from: PathBuf,
    /// How it is served.
    #[command(flatten)]
    pub serve: Serve,
}

/// A stretch of days, and how to print it.
#[derive(Debug, Args)]
pub struct Days {
    /// The first local date; today, where it is left out.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    pub from: Option<Date>,
    /// How many days.
    #[arg(long, default_value_t = 7, value_parser = days)]
    pub days: u16,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// How to print.
#[derive(Debug, Clone, Copy, Args)]
pub struct Format {
    /// For people, or for programs.
    #[arg(long, value_enum, default_value_t = Shape::Table)]
    pub format: Shape,
}

/// The shapes of printed answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// For people, in Vietnamese.
    Table,
    /// For spreadsheets: UTF-8 with a byte order mark.
    Csv,
    /// For programs.
    Json,
}

/// How `rehearse` runs.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// Which days.
    #[command(flatten)]
    pub days: Days,
    /// Keep what would sound in a WAV file; of several outputs, each has a file of its own: `PATH-ID`, as `nghe-thon-1.wav`.
    #[arg(long, value_name = "PATH")]
    pub wav: Option<PathBuf>,
}

/// What may be done with recordings.
#[derive(Debug, Subcommand)]
pub enum SegmentCommand {
    /// Take in recordings: decoded whole, measured, then moved into audio/.
    Add(Add),
    /// Take in the recordings that a list (segments.toml) names beside itself, with their words.
    Import {
        /// The list.
        list: PathBuf,
        /// Approve them too, in this name.
        #[arg(long, value_name = "WHO", value_parser = who)]
        approve_as: Option<String>,
    },
    /// List what there is.
    List(Format),
    /// Let a recording air.
    Approve(Verdict),
    /// Take a recording off the air for good; a running daemon stops it at once.
    Withdraw(Verdict),
}

/// What `segment add` takes.
#[derive(Debug, Args)]
pub struct Add {
    /// The recordings.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The title; the file's own, or its name, where it is left out.
    #[arg(long)]
    pub title: Option<String>,
    /// The programme or pool.
    #[arg(long)]
    pub programme: Option<String>,
    /// The plan's content area, II.1 to II.6.
    #[arg(long)]
    pub topic: Option<String>,
    /// Who wrote it.
    #[arg(long)]
    pub author: Option<String>,
    /// The source of information.
    #[arg(long)]
    pub source: Option<String>,
    /// The first date on which it may air.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    pub valid_from: Option<Date>,
    /// The last date on which it may air.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    pub valid_until: Option<Date>,
    /// A date in the ISO week it is for.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    pub week: Option<Date>,
    /// Who hands it in.
    #[arg(long, default_value = "console", value_name = "WHO", value_parser = who)]
    pub by: String,
}

/// A decision about a recording.
#[derive(Debug, Args)]
pub struct Verdict {
    /// The recording's id, or its file's name.
    pub segment: String,
    /// Who decides.
    #[arg(long, value_name = "WHO", value_parser = who)]
    pub by: String,
    /// Why.
    #[arg(long)]
    pub reason: Option<String>,
}

/// Which airings.
#[derive(Debug, Args)]
pub struct Airings {
    /// From this local date, or date and time.
    #[arg(long, value_parser = moment)]
    pub from: Option<DateTime>,
    /// Up to this local date (included), or date and time.
    #[arg(long, value_parser = moment)]
    pub to: Option<DateTime>,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// Whether the log is as it was written.
#[derive(Debug, Clone, Copy, Args)]
pub struct Verify {
    /// Where the log is whole and only the table of airings made from it is not what it says, make that again; not while
    /// `loa serve` is at work.
    #[arg(long)]
    pub rebuild: bool,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// An address that a browser opens, without what `/bat-dau` is to stand after.
fn address(text: &str) -> Result<String, &'static str> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let host = host.map_or("", |host| host.trim_end_matches('/'));
    if host.is_empty() || host.contains([' ', '/', '?', '#']) {
        return Err(arguments::ADDRESS);
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// What may be said of the clock.
#[derive(Debug, Subcommand)]
pub enum ClockCommand {
    /// It is right now: what was logged under a later date was the mistake. What is still to come airs.
    Confirm {
        /// Who says so.
        #[arg(long, value_name = "WHO", value_parser = who)]
        by: String,
    },
}

/// What may be done with people.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a person or a script known and print its token, once.
    Add {
        /// Its name.
        name: String,
        /// What it may do.
        #[arg(long, required = true, value_delimiter = ',', value_parser = role)]
        role: Vec<Role>,
    },
    /// List them.
    List(Format),
    /// Print a link by which a person sets their password for the console, once, within seven days.
    Link {
        /// Whose.
        name: String,
        /// Where the console is reached.
        #[arg(long, default_value = "http://127.0.0.1:8600", value_parser = address)]
        at: String,
    },
    /// Let a person go: their tokens, password and logins end.
    Revoke {
        /// Whom.
        name: String,
    },
}

fn moment(text: &str) -> Result<DateTime, &'static str> {
    let midnight = |_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0));
    text.parse::<DateTime>().or_else(midnight).map_err(|_| arguments::MOMENT)
}

fn date(text: &str) -> Result<Date, &'static str> {
    text.parse().map_err(|_| arguments::DATE)
}

fn days(text: &str) -> Result<u16, &'static str> {
    text.parse().ok().filter(|days| (1..=366).contains(days)).ok_or(arguments::DAYS)
}

fn listen(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| arguments::LISTEN)
}

fn output(text: &str) -> Result<OutputName, &'static str> {
    text.parse().map_err(|failure| match failure {
        OutputError::Timeless(_) => arguments::TIMELESS,
        OutputError::Name(_) | OutputError::File { .. } | OutputError::Thread(_) => arguments::OUTPUT,
    })
}

/// A person's name, as people read it in the log.
fn who(text: &str) -> Result<String, &'static str> {
    let name = text.nfc().collect::<String>().trim().to_owned();
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(arguments::NAME);
    }
    Ok(name)
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| arguments::choose(&Role::ALL.map(|role| role.code().to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_a_browser_opens() {
        for (text, taken) in [
            ("http://192.168.1.10:8600", "http://192.168.1.10:8600"),
            ("https://loa.xa.vn/", "https://loa.xa.vn"),
        ] {
            assert_eq!(address(text).as_deref(), Ok(taken));
        }
        for text in ["foo", "ftp://loa", "http://", "http:///", "https://loa.xa.vn/loa", "http://a b"] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
