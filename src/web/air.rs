//! Taking the air and giving it back: one way for programs and for people's pages.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

use super::State;
use super::person::Person;
use super::problem::Problem;
use crate::access::Permission;
use crate::engine::handle::{Command, Handle, InForce, Status};
use crate::media::seal::{Seals, hash_of_path};
use crate::schedule::{OutputId, QuietHours};
use crate::segment::{FileTrouble, Segment, SegmentId, State as Stand, is_id};
use crate::sequencer::{Interrupt, InterruptId, Repeats, StandingOrder};
use crate::store::{Act, Store, StoreError};
use crate::text::http::Refusal;
use crate::timeline::plan::Plan;
use crate::timeline::{CueId, Layer};

/// What decision 03/2020/QĐ-TTg, article 29, asks for: so many repeats this close, and then one every half hour.
pub(super) const CLOSE: u16 = 2;
/// From start to start of these.
pub(super) const SOON: SignedDuration = SignedDuration::from_mins(5);
/// And of those after.
pub(super) const THEN: SignedDuration = SignedDuration::from_mins(30);
/// The longest distance between two repeats, in minutes: a day.
pub(super) const MOST_MINUTES: u32 = 24 * 60;

/// A distance between repeats; none where it is too short or too long.
pub(super) fn distance(minutes: u32) -> Option<SignedDuration> {
    (1..=MOST_MINUTES).contains(&minutes).then(|| SignedDuration::from_mins(minutes.into()))
}

/// How long a page waits to see what it asked of the engines; they show it within a few turns.
const TO_SHOW: Duration = Duration::from_secs(1);
/// The longest file that is read whole before it takes the air, in bytes: some minutes of MP3, and some hundredths of a second.
const READ_AT_MOST: u64 = 8_000_000;
/// How long a disk has to say whether a file is the right one; what it has not said by then counts as right.
const TO_LOOK: Duration = Duration::from_millis(100);
/// How often it is tried to keep an act: for more than an hour, in which somebody frees the disk.
const KEEP_TRIES: u32 = 400;
/// How long after a failure it is tried again; the store itself waits ten seconds for a lock.
const KEEP_AGAIN: Duration = Duration::from_secs(10);
/// Acts among which a calling-off is looked for: those of the minutes for which a confirmation is good.
const ACTS: u32 = 1_000;

/// What somebody wants to air now.
#[derive(Debug)]
pub(super) struct Wish {
    /// The id of a recording.
    pub(super) segment: String,
    /// `Live` or `Emergency`.
    pub(super) layer: Layer,
    /// How often.
    pub(super) repeats: Repeats,
    /// On these outputs; on all where none is named.
    pub(super) outputs: Vec<String>,
}

/// The permission to take the air with a layer.
pub(super) fn permission(layer: Layer) -> Permission {
    if layer == Layer::Emergency { Permission::CallEmergency } else { Permission::TakeTheAir }
}

/// The quiet hours that an instant lies in.
pub(super) fn quiet(plan: &Plan, at: Timestamp) -> Option<QuietHours> {
    let local = plan.schedule.time_zone.to_datetime(at).time();
    plan.schedule.rules.quiet.iter().copied().find(|quiet| quiet.contains(local))
}

/// What a wish means: a recording that may air today, and the engines it would air on.
async fn meant(state: &State, wish: &Wish) -> Result<(Arc<Segment>, Arc<[Handle]>), Problem> {
    let engines = engines(state, &wish.outputs)?;
    let segment = approved(state, &wish.segment).await?;
    let today = state.today();
    if segment.is_valid_on(today) { Ok((segment, engines)) } else { Err(Refusal::NotValid.into()) }
}

/// The same, where the recording can sound: it has a file, or an engine needs none.
pub(super) async fn can_sound(state: &State, wish: &Wish) -> Result<(Arc<Segment>, Arc<[Handle]>), Problem> {
    let (segment, engines) = meant(state, wish).await?;
    match broken(state, &engines, &segment).await {
        Some(refusal) => Err(refusal.into()),
        None => Ok((segment, engines)),
    }
}

/// Why a recording cannot sound: its file was found gone, unreadable or changed, or is so now, and none of the engines has it in
/// memory or open. One that has is enough: the others must not keep it silent.
async fn broken(state: &State, engines: &[Handle], segment: &Segment) -> Option<Refusal> {
    if needs_no_file(engines, segment) {
        return None;
    }
    match state.plan().catalog.troubles().get(&segment.id) {
        Some(FileTrouble::FileUnreadable) => return Some(Refusal::FileUnreadable),
        Some(FileTrouble::FileMissing | FileTrouble::FileChanged) => return Some(Refusal::FileGone),
        None => {}
    }
    let (file, segment, store) = (state.audio_dir.join(&segment.file), segment.clone(), state.store.clone());
    let is_wrong = soon(move || is_right(&file, &segment, &store)).await == Some(false);
    is_wrong.then_some(Refusal::FileGone)
}

/// Whether a file is there and is the approved one: what is in no session is otherwise looked at in the night only. One that
/// is too long to be read while somebody waits is judged by parts of it.
pub(super) fn is_right(file: &Path, segment: &Segment, seals: &dyn Seals) -> io::Result<bool> {
    let mut opened = match File::open(file) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    if opened.metadata()?.len() <= READ_AT_MOST {
        return Ok(hash_of_path(file)? == segment.hash);
    }
    seals.seal(&segment.id).map_or(Ok(true), |seal| seal.is_on(&mut opened))
}

/// What was found wrong with a recording's file, so that it cannot sound; without a look at the disk, which may hang.
pub(super) fn trouble(state: &State, segment: &Segment) -> Option<FileTrouble> {
    let found = state.plan().catalog.troubles().get(&segment.id).copied();
    found.filter(|_| !needs_no_file(&state.engines, segment))
}

fn needs_no_file(engines: &[Handle], segment: &Segment) -> bool {
    engines.iter().any(|engine| engine.status().needs_no_file(&segment.id))
}

/// Whether an engine keeps a recording in memory.
pub(super) fn is_kept(state: &State, segment: &SegmentId) -> bool {
    state.engines.iter().any(|engine| engine.status().kept.contains(segment))
}

/// What a look at the disk says; none where the disk fails to say so soon: it does not hold up who takes the air.
async fn soon(look: impl FnOnce() -> io::Result<bool> + Send + 'static) -> Option<bool> {
    tokio::time::timeout(TO_LOOK, tokio::task::spawn_blocking(look)).await.ok()?.ok()?.ok()
}

/// Has a recording opened that somebody is about to air: when they do, it needs no disk.
pub(super) fn poise(engines: &[Handle], segment: &Arc<Segment>) {
    for engine in engines {
        if let Err(refused) = engine.send(Command::Poise(Arc::clone(segment))) {
            tracing::warn!(output.id = %engine.output(), error = &refused as &dyn std::error::Error, "it is not opened ahead");
        }
    }
}

/// Takes the air, on one output at least.
pub(super) async fn order<N>(
    state: &State,
    person: &Person<N>,
    wish: &Wish,
    id: InterruptId,
) -> Result<Ordered, Problem> {
    person.must(permission(wish.layer))?;
    let (plan, now) = (state.plan(), state.clock.now());
    if wish.layer == Layer::Live && quiet(&plan, now).is_some() {
        return Err(Refusal::QuietHours.into());
    }
    // Pressed twice, what stood open is on the air.
    let known = state.engines.iter().any(|engine| has(&engine.status(), &id));
    let (segment, engines) = if known { meant(state, wish).await? } else { can_sound(state, wish).await? };
    let Wish { layer, repeats, .. } = *wish;
    let interrupt =
        Arc::new(Interrupt::new(id, layer, segment, person.name().to_owned(), repeats, &plan.schedule));
    let what = if layer == Layer::Emergency { "interrupt.emergency" } else { "interrupt.live" };
    let (id, segment) = (&interrupt.id, &interrupt.segment.id);
    let (mut ordered, mut refusal) = (Ordered::default(), None);
    for engine in engines.iter() {
        let output = engine.output();
        match engine.send(Command::Interrupt(Arc::clone(&interrupt))) {
            Ok(()) => ordered.outputs.push(output.clone()),
            Err(refused) => {
                let error = &refused as &dyn std::error::Error;
                tracing::error!(output.id = %output, interrupt.id = %id, error, "{output} did not take an {what}");
                ordered.refused.push(output.clone());
                refusal.get_or_insert(refused);
            }
        }
    }
    ordered.down = down(state, &ordered.outputs);
    // On several outputs, one that is out of order must not keep the others silent.
    if let Some(refused) = refusal.filter(|_| ordered.outputs.is_empty()) {
        return Err(refused.into());
    }
    if !known {
        tracing::info!(interrupt.id = %id, segment.id = %segment, by = person.name(), "{what}");
    }
    // Also where an engine knows it: the first press may not be kept yet. It is one order, and one act.
    let act = person.act(what, format!("{id} {segment}"), now);
    let standing = standing(&interrupt, &ordered.outputs, now);
    record(state, act, move |store, act| store.act_of_order(act, standing.as_deref())).await;
    Ok(ordered)
}

/// What is kept of an emergency, to go on after a restart. It sounds by now: what is not kept is told to the technician.
fn standing(interrupt: &Interrupt, outputs: &[OutputId], since: Timestamp) -> Option<String> {
    let order = StandingOrder {
        id: interrupt.id.clone(),
        segment: interrupt.segment.id.clone(),
        by: interrupt.by.clone(),
        repeats: interrupt.repeats,
        outputs: outputs.to_vec(),
        since,
    };
    let is_emergency = interrupt.layer == Layer::Emergency;
    let kept = is_emergency.then(|| serde_json::to_string(&order))?;
    kept.inspect_err(|failure| tracing::error!(interrupt.id = %order.id, error = failure as &dyn std::error::Error, "an emergency is not kept for a restart"))
        .ok()
}

/// Where an interrupt was ordered.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    /// There it was.
    pub(super) outputs: Vec<OutputId>,
    /// There the engine did not take it.
    pub(super) refused: Vec<OutputId>,
    /// There it was, and waits for a loudspeaker.
    pub(super) down: Vec<OutputId>,
}

/// Those of some outputs that no sound can leave now.
pub(super) fn down(state: &State, outputs: &[OutputId]) -> Vec<OutputId> {
    let is_down = |status: &Status| !status.up && outputs.contains(&status.output);
    state.engines.iter().map(Handle::status).filter(is_down).map(|status| status.output).collect()
}

/// Gives the air back: an interrupt ends, also its repeats. Of one that was ordered, it is done, also where no engine shows
/// it: not yet, or not any more.
pub(super) async fn call_off<N>(state: &State, person: &Person<N>, id: &str) -> Result<(), Problem> {
    if !is_id(id) {
        return Err(Refusal::NoInterrupt.into());
    }
    let id = InterruptId::new(id);
    let known = state.engines.iter().any(|engine| has(&engine.status(), &id));
    // Also where none knows of it: it may have been ordered a moment ago.
    let sent: Vec<_> = state.engines.iter().map(|engine| engine.send(Command::CallOff(id.clone()))).collect();
    tracing::info!(interrupt.id = %id, by = person.name(), "interrupt.call-off");
    let act = person.act("interrupt.call-off", id.as_str(), state.clock.now());
    // Where the disk does not say in time, it may have been ordered; and the engines were told.
    let ordered =
        record(state, act, move |store, act| store.act_of_call_off(act, known)).await.unwrap_or(true);
    sent.into_iter().collect::<Result<(), _>>()?;
    if ordered { Ok(()) } else { Err(Refusal::NoInterrupt.into()) }
}

/// Stops the cue that is on air on an output, if it is the one that was meant; its timeline goes on with the next.
pub(super) async fn stop<N>(
    state: &State,
    person: &Person<N>,
    output: &str,
    cue: Option<CueId>,
) -> Result<(), Problem> {
    for engine in engines(state, &[output.to_owned()])?.iter() {
        let status = engine.status();
        if status.layer > Layer::Scheduled {
            return Err(Refusal::HasTheAir.into());
        }
        // What comes after it by the time the engine hears of this goes on.
        let sounding = status.on_air.map(|sounding| sounding.cue);
        let meant = sounding.filter(|sounding| cue.as_ref().is_none_or(|cue| cue == sounding));
        engine.send(Command::StopCue(Some(meant.ok_or(Refusal::NotOnAir)?)))?;
    }
    tracing::info!(output.id = output, by = person.name(), "output.stop");
    record(state, person.act("output.stop", output, state.clock.now()), Store::act).await;
    Ok(())
}

/// The interrupts in force, each with the outputs it has; the highest first.
pub(super) fn in_force(state: &State) -> Vec<(InForce, Vec<OutputId>)> {
    let mut all: Vec<(InForce, Vec<OutputId>)> = Vec::new();
    for status in state.engines.iter().map(Handle::status) {
        for one in status.interrupts {
            match all.iter_mut().find(|(known, _)| known.id == one.id) {
                Some((known, outputs)) => {
                    outputs.push(status.output.clone());
                    // Where the outputs are not together, the one that sounds is what people hear.
                    if one.on_air && !known.on_air {
                        *known = one;
                    }
                }
                None => all.push((one, vec![status.output.clone()])),
            }
        }
    }
    all.sort_by_key(|(one, _)| std::cmp::Reverse((one.layer, one.on_air)));
    all
}

/// Whether an interrupt is on the air of an output.
pub(super) fn sounds(status: &Status, id: &InterruptId) -> bool {
    status.interrupts.iter().any(|one| one.id == *id && one.on_air)
}

/// Whether an output has an interrupt, on the air or waiting for it.
pub(super) fn has(status: &Status, id: &InterruptId) -> bool {
    status.interrupts.iter().any(|one| one.id == *id)
}

/// Whether somebody gave the air back that this interrupt, made then, had taken. Where the disk does not say, nobody did:
/// the air does not wait for it.
pub(super) async fn was_called_off(state: &State, id: &InterruptId, made: Timestamp) -> bool {
    let acts = state.store.run(move |store| store.acts(made, Timestamp::MAX, ACTS)).await;
    let this = |act: &Act| act.what == "interrupt.call-off" && act.subject == id.as_str();
    acts.is_ok_and(|acts| acts.iter().any(this))
}

/// Waits a moment until the engines show something, so that the page after a command shows it too.
pub(super) async fn shown(state: &State, mut there: impl FnMut(&Status) -> bool) {
    let all = async {
        for engine in state.engines.iter() {
            // An engine that has ended shows nothing any more.
            let _seen = engine.watch().wait_for(&mut there).await.map(drop);
        }
    };
    let _in_time = tokio::time::timeout(TO_SHOW, all).await;
}

/// An id that was never used: the second and a random number.
pub(super) fn new_id(now: Timestamp) -> Result<InterruptId, Problem> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|failure| Problem::unexpected(&failure))?;
    let number = u32::from_be_bytes(bytes);
    Ok(InterruptId::new(format!("{}-{number:08x}", now.strftime(ID_TIME))))
}

/// When an id was made; none for what is no id of ours.
pub(super) fn made(id: &str) -> Option<Timestamp> {
    let (at, number) = id.split_once('-')?;
    let at = jiff::civil::DateTime::strptime(ID_TIME, at).ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    (is_id(id) && u32::from_str_radix(number, 16).is_ok()).then(|| at.timestamp())
}

/// How an id begins.
const ID_TIME: &str = "%Y%m%dT%H%M%SZ";

/// The engines of some outputs, or all.
fn engines(state: &State, outputs: &[String]) -> Result<Arc<[Handle]>, Problem> {
    let of =
        |output: &String| state.engines.iter().find(|engine| engine.output().as_str() == output).cloned();
    if outputs.is_empty() {
        Ok(Arc::clone(&state.engines))
    } else {
        Ok(outputs.iter().map(of).collect::<Option<_>>().ok_or(Refusal::NoOutput)?)
    }
}

/// The recording, if it may air: from the plan, which is at hand, or just approved and not in the plan yet.
async fn approved(state: &State, id: &str) -> Result<Arc<Segment>, Problem> {
    if !is_id(id) {
        return Err(Refusal::NoSegment.into());
    }
    let id = SegmentId::new(id);
    if state.limits.unkept.has(&id) {
        return Err(Refusal::NotApproved(Stand::Withdrawn).into());
    }
    let plan = state.plan();
    if let Some(segment) = plan.catalog.get(&id).filter(|segment| segment.state == Stand::Approved) {
        return Ok(Arc::clone(segment));
    }
    let segment = state.store.run(move |store| store.segment(&id)).await?.ok_or(Refusal::NoSegment)?;
    match segment.state {
        Stand::Approved => Ok(Arc::new(segment)),
        other @ (Stand::Draft | Stand::Pending | Stand::Withdrawn) => Err(Refusal::NotApproved(other).into()),
    }
}

/// How many acts on the air are done and not kept yet: a start would know nothing of them.
#[derive(Debug, Default)]
pub(super) struct LateActs(AtomicUsize);

impl LateActs {
    pub(super) fn is_none(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}

/// Keeps an act after it was done: the air does not wait for the disk, and is not taken back for it. Nor does the person:
/// who sees no answer presses again. What is not kept in a moment is kept in the background; health says so.
async fn record<T: Send + 'static>(state: &State, act: Act, how: impl Keep<T>) -> Option<T> {
    let (store, limits) = (state.store.clone(), Arc::clone(&state.limits));
    let (answer, answered) = oneshot::channel();
    // On its own: a client who goes away meanwhile does not leave it undone.
    tokio::spawn(async move {
        let mut keeping = Box::pin(keep(store, act, how));
        if let Ok(kept) = tokio::time::timeout(TO_SHOW, &mut keeping).await {
            return drop(answer.send(kept));
        }
        limits.late_acts.0.fetch_add(1, Ordering::AcqRel);
        drop(answer);
        // What could never be kept stays told.
        if keeping.await.is_some() {
            limits.late_acts.0.fetch_sub(1, Ordering::AcqRel);
        }
    });
    answered.await.ok()?
}

/// A way to keep an act.
trait Keep<T>: Fn(&Store, Act) -> Result<T, StoreError> + Clone + Send + 'static {}
impl<T, F: Fn(&Store, Act) -> Result<T, StoreError> + Clone + Send + 'static> Keep<T> for F {}

/// Keeps an act, however often that takes.
async fn keep<T: Send + 'static>(store: Store, act: Act, how: impl Keep<T>) -> Option<T> {
    for tries in 1..=KEEP_TRIES {
        let (this, how) = (act.clone(), how.clone());
        let failure = match store.run(move |store| how(store, this)).await {
            Ok(kept) => return Some(kept),
            Err(failure) => failure,
        };
        if tries == KEEP_TRIES {
            tracing::error!(
                error = &failure as &dyn std::error::Error,
                ?act,
                "an act on the air could not be kept"
            );
        } else {
            tracing::warn!(
                error = &failure as &dyn std::error::Error,
                tries,
                "an act on the air is not kept yet"
            );
            tokio::time::sleep(KEEP_AGAIN).await;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_that_hangs_or_fails_holds_up_nobody_who_takes_the_air() {
        let (free, hangs) = std::sync::mpsc::sync_channel::<()>(0);
        assert_eq!(soon(move || Ok(hangs.recv().is_ok())).await, None);
        drop(free);
        assert_eq!(soon(|| Err(io::ErrorKind::PermissionDenied.into())).await, None);
        assert_eq!((soon(|| Ok(true)).await, soon(|| Ok(false)).await), (Some(true), Some(false)));
    }
}
