//! Whether all is well, for machines that watch: a short answer, and numbers for Prometheus.

use std::fmt::Write as _;
use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, State as Of};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::status::findings;
use crate::asrun::ClockHealth;
use crate::engine::handle::{Handle, Status};
use crate::schedule::Output;
use crate::segment::State as Stand;
use crate::store::free_bytes;
use crate::timeline::{Layer, Window};
use crate::web::State;
use crate::web::person::{Person, See, peer};
use crate::web::problem::Problem;

/// Less than this free on the disk, in bytes, is not well: the log of months fits, and a day's recordings.
const LEAST_FREE: u64 = 200_000_000;
/// A planner that has not been through its work for so long hangs, or fails again and again: it looks every second, and may
/// wait for a disk.
const STUCK: Duration = Duration::from_secs(30);
/// How far ahead silence is told: somebody who looks once a day is told of every session before it.
pub(in crate::web) const SOON: SignedDuration = SignedDuration::from_hours(24);
/// Facts that an engine may hold back while the log is busy; more, and its disk hangs.
const MOST_UNLOGGED: usize = 8;

/// Whether all is well.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`, or `not-ok` with the reasons.
    status: &'static str,
    /// What is wrong: `engine-ended:<output>`, `engine-hangs:<output>`, `output-down:<output>`, `amplifier-fails:<output>`, `files-hang:<output>`, `log-behind:<output>`, `no-engine:<output>` (new in
    /// the schedule: the program must be started again), `clock-wrong`, `store-failed`, `log-failed`,
    /// `database-gone` (its file was removed or replaced: what is written may be lost when the program ends), `database-new` (it
    /// was gone at a start, and is made anew: until a copy is put back, or `data/log-head.lost` is removed), `withdrawal-unkept` (a recording is off
    /// the air, and after a start it would air again: the disk does not take its withdrawal), `act-unkept` (so of taking the air or giving it back: after a start an emergency that
    /// was called off would go on, and one that was just ordered would not), `plan-ended`,
    /// `planner-stuck` (the plan in force plays on, and no change comes into force), `disk-low`, `schedule-broken`, `files-broken`, `coming-silence` (within 24 hours something of the schedule
    /// will not air, or silence will), `unready` (what should be kept in memory for emergencies is not: it would sound from the disk). The last four do not make the answer 503: the schedule before it plays on, and so do
    /// all recordings but those whose files are gone or changed; and what is missing is for those to hand in who make the
    /// programme, which no start of the machine mends.
    wrong: Vec<String>,
}

/// Whether all is well: 200, or 503 with what is wrong. Asks for no token, and says no more than a watcher needs.
#[utoipa::path(get, path = "/health", tag = "station", security(()),
    responses((status = OK, body = Health), (status = SERVICE_UNAVAILABLE, body = Health)))]
pub(super) async fn health(Of(state): Of<State>) -> (StatusCode, Json<Health>) {
    let (well, wrong) = wrong(&state).await;
    let (code, status) =
        if well { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "not-ok") };
    (code, Json(Health { status, wrong }))
}

/// Whether what airs is as it should be, and all that is wrong, as codes.
pub(in crate::web) async fn wrong(state: &State) -> (bool, Vec<String>) {
    let mut wrong = of_the_air(state);
    wrong.extend(of_the_disk(state).await);
    let well = wrong.is_empty();
    wrong.extend(of_the_programme(state));
    (well, wrong)
}

/// All that is wrong, with what the disk said last: what may be looked at several times a second.
pub(super) fn at_hand(state: &State, of_the_disk: &[String]) -> Vec<String> {
    let mut wrong = of_the_air(state);
    wrong.extend_from_slice(of_the_disk);
    wrong.extend(of_the_programme(state));
    wrong
}

/// What only a disk can tell; one that hangs tells it late.
pub(super) async fn of_the_disk(state: &State) -> Vec<String> {
    let mut wrong = Vec::new();
    let place = state.store.run(|store| Ok((store.is_in_place(), store.is_made_anew()))).await;
    let (is_in_place, is_made_anew) = place.unwrap_or((true, false));
    if !is_in_place {
        wrong.push("database-gone".to_owned());
    }
    if is_made_anew {
        wrong.push("database-new".to_owned());
    }
    // The catalogue answers, or the log could not be written either.
    if state.store.run(|store| store.segment(&"-".into())).await.is_err() {
        wrong.push("store-failed".to_owned());
    }
    if disk_free(state).await.is_some_and(|free| free < LEAST_FREE) {
        wrong.push("disk-low".to_owned());
    }
    wrong
}

/// What a start of the machine may mend, as far as no disk has to be asked.
fn of_the_air(state: &State) -> Vec<String> {
    let mut wrong: Vec<String> =
        state.engines.iter().filter_map(|engine| troubles(engine, state.clock.now())).collect();
    if state.engines.iter().any(|engine| engine.status().clock == ClockHealth::Wrong) {
        wrong.push("clock-wrong".to_owned());
    }
    let (plan, now) = (state.plan(), state.clock.now());
    let played = |output: &Output| state.engines.iter().any(|engine| *engine.output() == output.id);
    let silent = plan.schedule.outputs.iter().filter(|output| !played(output));
    wrong.extend(silent.map(|output| format!("no-engine:{}", output.id)));
    if let Some(output) = state.store.log_waits(now) {
        let code = format!("log-behind:{output}");
        if !wrong.contains(&code) {
            wrong.push(code);
        }
    }
    if state.store.log_fails() {
        wrong.push("log-failed".to_owned());
    }
    if !state.limits.unkept.is_empty() {
        wrong.push("withdrawal-unkept".to_owned());
    }
    if !state.limits.late_acts.is_none() {
        wrong.push("act-unkept".to_owned());
    }
    if plan.timelines.iter().any(|timeline| timeline.window.to <= now) {
        wrong.push("plan-ended".to_owned());
    }
    if state.clock.elapsed().saturating_sub(*state.planner_turned.borrow()) > STUCK {
        wrong.push("planner-stuck".to_owned());
    }
    wrong
}

/// What those mend who make the programme.
fn of_the_programme(state: &State) -> Vec<String> {
    let (plan, now) = (state.plan(), state.clock.now());
    let mut wrong = Vec::new();
    if !plan.problems.is_empty() {
        wrong.push("schedule-broken".to_owned());
    }
    if !plan.catalog.troubles().is_empty() {
        wrong.push("files-broken".to_owned());
    }
    if plan.has_errors(Window { from: now, to: now.saturating_add(SOON).unwrap_or(Timestamp::MAX) }) {
        wrong.push("coming-silence".to_owned());
    }
    if !state.unready.borrow().is_empty() {
        wrong.push("unready".to_owned());
    }
    wrong
}

fn troubles(engine: &Handle, now: Timestamp) -> Option<String> {
    let output = engine.output();
    if !engine.runs() {
        Some(format!("engine-ended:{output}"))
    } else if !engine.turns(now) {
        Some(format!("engine-hangs:{output}"))
    } else if !engine.status().up {
        Some(format!("output-down:{output}"))
    } else if engine.status().amplifier_fails {
        Some(format!("amplifier-fails:{output}"))
    } else if engine.status().files_hang {
        Some(format!("files-hang:{output}"))
    } else if engine.status().unlogged > MOST_UNLOGGED {
        Some(format!("log-behind:{output}"))
    } else {
        None
    }
}

/// Bytes that are free for us where the store is.
async fn disk_free(state: &State) -> Option<u64> {
    let dir = state.store.dir().to_owned();
    // A disk that hangs would hang the question too.
    tokio::task::spawn_blocking(move || free_bytes(&dir)).await.ok()?
}

/// Who may read the numbers: the machine itself, which is where a collector runs, or whoever may see the station.
pub(super) struct Collector;

impl FromRequestParts<State> for Collector {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        // Behind a proxy everybody seems to come from the machine: what a proxy adds tells.
        let proxied =
            parts.headers.contains_key("x-forwarded-for") || parts.headers.contains_key(header::FORWARDED);
        if !proxied && peer(parts).is_some_and(|peer| peer.0.ip().is_loopback()) {
            return Ok(Self);
        }
        Person::<See>::from_request_parts(parts, state).await.map(|_| Self)
    }
}

/// Numbers for Prometheus. From the machine itself without a token, from elsewhere with one.
#[utoipa::path(get, path = "/metrics", tag = "station",
    responses((status = OK, content_type = "text/plain")))]
pub(super) async fn metrics(_: Collector, Of(state): Of<State>) -> Response {
    let mut text = Numbers::default();
    engines(&state, &mut text);
    let counts = findings(&state);
    let severities = [("error", counts.errors), ("warning", counts.warnings), ("note", counts.notes)];
    text.family("loa_plan_findings", "gauge", "What the plan found of what is still to come.");
    for (severity, count) in severities {
        text.sample("loa_plan_findings", &[("severity", severity)], count);
    }
    let plan = state.plan();
    text.family(
        "loa_schedule_problems",
        "gauge",
        "Mistakes in the schedule's files; with any, the one before is in force.",
    );
    text.sample("loa_schedule_problems", &[], plan.problems.len());
    text.family("loa_segments", "gauge", "Recordings, by state.");
    for (code, stand) in [
        ("draft", Stand::Draft),
        ("pending", Stand::Pending),
        ("approved", Stand::Approved),
        ("withdrawn", Stand::Withdrawn),
    ] {
        let count = plan.catalog.iter().filter(|segment| segment.state == stand).count();
        text.sample("loa_segments", &[("state", code)], count);
    }
    if let Some(free) = disk_free(&state).await {
        text.family("loa_disk_free_bytes", "gauge", "Free where the log is kept.");
        text.sample("loa_disk_free_bytes", &[], free);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text.0).into_response()
}

type Reading = fn(&Handle, &Status) -> f64;

fn engines(state: &State, text: &mut Numbers) {
    let readings: [(&str, &str, &str, Reading); 8] = [
        ("loa_engine_running", "gauge", "Whether the output's engine runs.", |engine, _| {
            one_if(engine.runs())
        }),
        ("loa_output_up", "gauge", "Whether sound can leave.", |_, status| one_if(status.up)),
        ("loa_on_air", "gauge", "Whether something sounds.", |_, status| one_if(status.on_air.is_some())),
        ("loa_emergency", "gauge", "Whether an emergency has the air.", |_, status| {
            one_if(status.layer == Layer::Emergency)
        }),
        ("loa_amplifier_on", "gauge", "Whether the amplifier is on.", |_, status| one_if(status.amplifier)),
        ("loa_peak_dbfs", "gauge", "The loudest sample of the last turns.", |_, status| {
            f64::from(status.peak_dbfs)
        }),
        ("loa_clock_wrong", "gauge", "Whether the clock cannot be right.", |_, status| {
            one_if(status.clock == ClockHealth::Wrong)
        }),
        (
            "loa_clock_synchronised",
            "gauge",
            "Whether the machine says its clock is synchronised.",
            |_, status| one_if(status.clock == ClockHealth::Synchronised),
        ),
    ];
    for (name, kind, help, reading) in readings {
        text.family(name, kind, help);
        for engine in state.engines.iter() {
            let output = engine.output().as_str();
            text.sample(name, &[("output", output)], reading(engine, &engine.status()));
        }
    }
    text.family("loa_facts_unlogged", "gauge", "Facts that the log has not taken yet.");
    for engine in state.engines.iter() {
        text.sample("loa_facts_unlogged", &[("output", engine.output().as_str())], engine.status().unlogged);
    }
    let starved = "loa_starved_frames_total";
    text.family(starved, "counter", "Frames of silence that stood in for sound.");
    for engine in state.engines.iter() {
        text.sample(starved, &[("output", engine.output().as_str())], engine.status().starved);
    }
}

fn one_if(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// Prometheus' text format, 0.0.4.
#[derive(Debug, Default)]
struct Numbers(String);

impl Numbers {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// The labels' values are ids and codes, which need no escaping.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        match labels.as_slice() {
            [] => self.line(format_args!("{name} {value}")),
            labels => self.line(format_args!("{name}{{{}}} {value}", labels.join(","))),
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _written = writeln!(self.0, "{line}");
    }
}
