//! The program `loa`: arguments, logging, exit code. Everything else is in the library.

use std::process::ExitCode;

use loa::app::arguments;
use loa::app::cli::Command;
use loa::app::exit::Exit;
use loa::app::heap;
use loa::app::lines::Lines;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = match arguments::parse() {
        Ok(cli) => cli,
        Err(code) => return code.into(),
    };
    let Ok(lines) = Lines::new(std::io::stderr()) else { return Exit::Failed.into() };
    log_to(&lines, &cli.command);
    if matches!(cli.command, Command::Serve(_) | Command::Demo(_))
        && let Err(error) = heap::set()
    {
        tracing::warn!(%error, "the heap's settings stay as they are: the program will take more memory");
    }
    let exit = loa::app::run(&cli).unwrap_or_else(|failure| {
        tracing::error!("{failure:#}");
        Exit::Failed
    });
    lines.finish();
    exit.into()
}

/// `RUST_LOG` chooses what is logged; `LOA_LOG=json` writes a line of JSON for each event. A rehearsal plays days in
/// seconds: what its engine says of each piece would bury what it found.
fn log_to(lines: &Lines, command: &Command) {
    let lines = lines.clone();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        let is_rehearsal = matches!(command, Command::Rehearse(_));
        EnvFilter::new(if is_rehearsal { "warn" } else { "info,tokio_cron_scheduler=warn" })
    });
    let format = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || lines.clone());
    if std::env::var_os("LOA_LOG").is_some_and(|format| format == "json") {
        format.json().init();
    } else {
        format.with_target(false).init();
    }
}
