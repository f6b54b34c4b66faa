//! What will sound, and what is wrong with it.

#![expect(unused_qualifications, reason = "utoipa qualifies what it finds in `params`")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Of;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::schedule::OutputId;
use crate::segment::{ProgrammeId, SegmentId};
use crate::store::{Store, StoreError};
use crate::text::finding::{self, Names};
use crate::text::http::Refusal;
use crate::timeline::plan::Plan;
use crate::timeline::{Absence, Block, Content, Cue, CueId, Finding, Form, Join, Timeline, Window, compile};
use crate::web::State;
use crate::web::input::{Asked, instant, local, millis, start_of};
use crate::web::person::{Person, See};
use crate::web::problem::Problem;

/// The longest stretch that is shown at once, in days.
const MOST_DAYS: i64 = 31;
/// How far back repeats may reach: what is older than a fortnight is no repeat that people expect.
const LOOK_BACK_DAYS: i64 = 14;

/// Which stretch of the timeline.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The first date or instant; today where it is not said.
    from: Option<String>,
    /// How many days, 1 to 31; 1 where it is not said.
    days: Option<i64>,
    /// One output; all where it is not said.
    output: Option<String>,
}

/// What will sound, for each output.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Timelines {
    /// The station's time zone.
    time_zone: String,
    /// One for each output.
    outputs: Vec<Line>,
}

/// What will sound on an output.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Line {
    /// The output.
    #[schema(value_type = String)]
    output: OutputId,
    /// The blocks, by their start.
    blocks: Vec<BlockView>,
    /// What is not as it should be, with what will happen.
    #[schema(value_type = Vec<Object>)]
    findings: Vec<serde_json::Value>,
}

/// A session on a date.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BlockView {
    /// `2026-11-23/sang`.
    id: String,
    /// The session's title.
    title: String,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// The same, by the station's clocks.
    start_local: String,
    /// When it must be silent.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// The same, by the station's clocks.
    end_local: String,
    /// What it is made of.
    cues: Vec<CueView>,
}

/// A slot on a date.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CueView {
    /// `2026-11-23/sang/chuyen-muc/0`.
    #[schema(value_type = String)]
    id: CueId,
    /// The slot's title.
    title: String,
    /// The programme.
    #[schema(value_type = Option<String>)]
    programme: Option<ProgrammeId>,
    /// The content area.
    topic: Option<String>,
    /// `hard` or `follow`.
    #[schema(value_type = String)]
    start: Join,
    /// When its first frame is due.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The same, by the station's clocks.
    at_local: String,
    /// When it is over.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// How long it is planned to sound.
    duration_ms: i64,
    /// How long the fade at its end is; 0 where it ends by itself.
    fade_ms: i64,
    /// `own` or `repeat`.
    #[schema(value_type = String)]
    form: Form,
    /// What sounds.
    #[schema(value_type = Option<String>)]
    segment: Option<SegmentId>,
    /// Its title.
    segment_title: Option<String>,
    /// Why nothing will sound.
    #[schema(value_type = Option<Object>)]
    absence: Option<Absence>,
    /// What brings it to the station's loudness.
    gain_db: f64,
}

/// What will sound between two instants.
#[utoipa::path(get, path = "/timeline", tag = "station", params(Wanted),
    responses((status = OK, body = Timelines)))]
pub(super) async fn timeline(
    _: Person<See>,
    Of(state): Of<State>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Timelines>, Problem> {
    let plan = state.plan();
    let zone = plan.schedule.time_zone.clone();
    let from = match &wanted.from {
        Some(from) => instant("from", from, &zone)?,
        None => {
            start_of(zone.to_datetime(state.clock.now()).date(), &zone).unwrap_or_else(|| state.clock.now())
        }
    };
    let days = wanted.days.unwrap_or(1);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem::field("days"));
    }
    let to = from.to_zoned(zone.clone()).checked_add(days.days()).map_err(|_| Problem::field("days"))?;
    let window = Window { from, to: to.timestamp() };
    let outputs: Vec<OutputId> = plan.schedule.outputs.iter().map(|output| output.id.clone()).collect();
    let outputs: Vec<OutputId> = match wanted.output {
        Some(one) => vec![outputs.into_iter().find(|id| id.as_str() == one).ok_or(Refusal::NoOutput)?],
        None => outputs,
    };
    let time_zone = zone.iana_name().unwrap_or_default().to_owned();
    let lines = move |store: &Store| {
        outputs
            .iter()
            .map(|output| Ok(line(&*covering(store, &plan, output, window)?, &plan, window)))
            .collect()
    };
    Ok(Json(Timelines { time_zone, outputs: state.store.run(lines).await? }))
}

/// The timeline that holds a window: the one the engine goes by, or one compiled for the question.
pub(in crate::web) fn covering(
    store: &Store,
    plan: &Plan,
    output: &OutputId,
    window: Window,
) -> Result<Arc<Timeline>, StoreError> {
    let holds =
        |timeline: &&Arc<Timeline>| timeline.window.from <= window.from && window.to <= timeline.window.to;
    if let Some(timeline) = plan.timeline(output).filter(holds) {
        return Ok(Arc::clone(timeline));
    }
    let back = jiff::SignedDuration::from_hours(24 * LOOK_BACK_DAYS);
    let since = window.from.saturating_sub(back).unwrap_or(window.from);
    let history = store.history(output, Window { from: since, to: window.to })?;
    Ok(Arc::new(compile(&plan.schedule, &plan.catalog, &history, output, window)))
}

fn line(timeline: &Timeline, plan: &Plan, window: Window) -> Line {
    let names = Names::of(plan, timeline);
    let blocks = timeline.blocks.iter().filter(|block| window.contains(block.start));
    let findings = timeline.findings.iter().filter(|finding| window.contains(finding.at));
    Line {
        output: timeline.output.clone(),
        blocks: blocks.map(|block| block_view(block, timeline)).collect(),
        findings: findings.filter_map(|finding| finding_view(finding, &names)).collect(),
    }
}

/// A finding as data, with its sentence.
fn finding_view(finding: &Finding, names: &Names<'_>) -> Option<serde_json::Value> {
    let mut value = serde_json::to_value(finding).ok()?;
    let text = finding::finding(finding, names).to_string();
    value.as_object_mut()?.insert("text".to_owned(), text.into());
    Some(value)
}

fn block_view(block: &Block, timeline: &Timeline) -> BlockView {
    BlockView {
        id: block.id.to_string(),
        title: block.title.clone(),
        start: block.start,
        start_local: local(block.start, &timeline.time_zone),
        end: block.end,
        end_local: local(block.end, &timeline.time_zone),
        cues: block.cues.iter().map(|cue| cue_view(cue, timeline)).collect(),
    }
}

fn cue_view(cue: &Cue, timeline: &Timeline) -> CueView {
    CueView {
        id: cue.id.clone(),
        title: cue.title.clone(),
        programme: cue.programme.clone(),
        topic: cue.topic.as_deref().map(str::to_owned),
        start: cue.start,
        at: cue.at,
        at_local: local(cue.at, &timeline.time_zone),
        end: cue.end,
        duration_ms: millis(cue.duration()),
        fade_ms: millis(cue.fade),
        form: cue.form,
        segment: cue.segment().map(|segment| segment.id.clone()),
        segment_title: cue.segment().map(|segment| segment.words.title.clone()),
        absence: match &cue.content {
            Content::Segment(_) => None,
            Content::Nothing(absence) => Some(absence.clone()),
        },
        gain_db: cue.gain_db,
    }
}
