//! The program `loa`: arguments, logging, exit code. Everything else is in the library.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use loa::app::cli::Cli;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr();
    match loa::app::run(&cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            tracing::error!("{failure:#}");
            loa::app::exit::Exit::Failed.into()
        }
    }
}

/// `RUST_LOG` chooses what is logged; `LOA_LOG=json` writes a line of JSON for each event.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,tokio_cron_scheduler=warn"));
    let format = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var_os("LOA_LOG").is_some_and(|format| format == "json") {
        format.json().init();
    } else {
        format.with_ansi(std::io::stderr().is_terminal()).with_target(false).init();
    }
}
