//! `rehearse`: days through the real engine, printed as the log that they would give.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::cli::{Rehearse, Shape};
use super::commands::{self, say};
use super::exit::Exit;
use super::station::Station;
use crate::asrun::{Airing, Outcome};
use crate::frames::{self, AIR_RATE};
use crate::output::OutputName;
use crate::output::wav::WavFile;
use crate::rehearsal;
use crate::schedule::OutputId;
use crate::text::table::Table;
use crate::text::{console, outcome};
use crate::timeline::Timeline;

/// Rehearses what the station's files say, and prints the log that this would give. Nothing is stored.
pub fn rehearse(station: &Station, options: &Rehearse, now: Timestamp) -> anyhow::Result<Exit> {
    let schedule = match station.read_schedule(now) {
        Ok(schedule) => schedule,
        Err(problems) => {
            commands::print_problems(station, &problems)?;
            return Ok(Exit::Problems);
        }
    };
    let (plan, files) = commands::plan_of(station, schedule, &options.days, now)?;
    let mut airings = Vec::new();
    for timeline in &plan.timelines {
        let wav = options.wav.as_deref().map(|path| file_of(path, &timeline.output, plan.timelines.len()));
        let wav = wav.as_deref().map(WavFile::create).transpose()?;
        airings.extend(rehearsal::rehearse(&station.audio(), &plan.schedule, timeline, wav)?);
    }
    let aired = report(&airings, &plan.timelines, options.days.format.format)?;
    // What is not in the plan cannot fail to air: that the plan lacks it is a finding.
    let planned = commands::judge(&plan, &options.days, &files)?;
    Ok(if aired == Exit::Fine { planned } else { aired })
}

/// Where the sound of one of so many outputs goes: each has a file of its own, as with `serve`.
fn file_of(path: &Path, output: &OutputId, outputs: usize) -> PathBuf {
    match OutputName::Wav(path.to_owned()).of_one(output.as_str()) {
        // In place of a folder no file can be written, and beside it none is meant.
        OutputName::Wav(own) if outputs > 1 && !path.is_dir() => own,
        OutputName::Wav(_) | OutputName::Null | OutputName::Device(_) => path.to_owned(),
    }
}

fn report(airings: &[Airing], timelines: &[Arc<Timeline>], shape: Shape) -> anyhow::Result<Exit> {
    let mut table = Table::new(outcome::LOG_COLUMNS);
    for (number, airing) in (1..).zip(airings) {
        let timeline = timelines.iter().find(|timeline| timeline.output == airing.item.output);
        let block = timeline
            .and_then(|timeline| timeline.blocks.iter().find(|block| block.id == airing.item.cue.block));
        let zone = timeline.map_or(TimeZone::UTC, |timeline| timeline.time_zone.clone());
        table.row(outcome::log_line(number, block.map_or("", |block| &block.title), airing, &zone));
    }
    commands::print_log(shape, &table, airings)?;
    let aired = airings.iter().filter(|airing| airing.outcome() == Outcome::Aired).count();
    if shape == Shape::Table {
        let frames: u64 = airings.iter().map(Airing::delivered).sum();
        say(&console::rehearsed(airings.len(), aired, frames::duration(frames, AIR_RATE)))?;
    }
    Ok(if aired == airings.len() { Exit::Fine } else { Exit::Problems })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use clap::Parser as _;

    use super::super::cli::Cli;
    use super::super::run;
    use super::*;

    #[test]
    fn of_several_outputs_each_has_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let loa = |words: &[&str]| {
            let folder = folder.path().to_str().unwrap();
            let words = [&["loa", "--station", folder][..], words].concat();
            run(&Cli::try_parse_from(words).unwrap()).unwrap()
        };
        let schedule = folder.path().join("schedule");
        fs::create_dir(&schedule).unwrap();
        for (name, text) in [("station.toml", STATION), ("week.toml", WEEK)] {
            fs::File::create(schedule.join(name)).unwrap().write_all(text.as_bytes()).unwrap();
        }
        let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("audio/ban-tin.ogg");
        loa(&["segment", "add", recording.to_str().unwrap()]);
        loa(&["segment", "approve", "ban-tin.ogg", "--by", "minh"]);
        let wav = folder.path().join("nghe.wav");
        loa(&["rehearse", "--from", "2099-01-05", "--days", "1", "--wav", wav.to_str().unwrap()]);
        let size = |name: &str| fs::metadata(folder.path().join(name)).map_or(0, |file| file.len());
        let [one, other] = [size("nghe-thon-1.wav"), size("nghe-thon-2.wav")];
        assert!(one > 100_000 && other > 0 && other < 100_000, "the bulletin and nothing: {one}, {other}");
        assert!(!wav.exists());
    }

    const STATION: &str = r#"
name = "Station"
time_zone = "Asia/Ho_Chi_Minh"

[[output]]
id = "thon-1"

[[output]]
id = "thon-2"
"#;

    const WEEK: &str = r#"
[[session]]
id = "sang"
title = "Morning"
days = ["T2-T7", "CN"]
from = 05:00:00
to = 05:10:00
outputs = ["thon-1"]

[[session.slot]]
id = "tin"
title = "Bulletin"
start = "hard"
play = { file = "ban-tin.ogg" }
"#;
}
