//! Thu hồi, the same for the interface and for the console's pages: off the air at once, whatever the disk does; and kept
//! as done, however long that takes.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::State;
use super::person::{Person, Withdraw};
use super::problem::Problem;
use super::recordings::checked_reason;
use crate::engine::handle::{Command, Refused};
use crate::segment::{Segment, SegmentId};
use crate::store::{Act, Step, Store, StoreError};
use crate::text::http::Refusal;

/// Recordings that are off the air, and of which the disk does not say so yet: after a start they would air again.
#[derive(Debug, Default)]
pub(super) struct Unkept(Mutex<BTreeSet<SegmentId>>);

impl Unkept {
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(super) fn has(&self, id: &SegmentId) -> bool {
        self.lock().contains(id)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<SegmentId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a recording off the air: at once, and from all that is to come.
pub(super) async fn withdraw(
    state: &State,
    person: &Person<Withdraw>,
    id: SegmentId,
    reason: &str,
) -> Result<Segment, Problem> {
    let reason = checked_reason(reason)?;
    let act = person.act("segment.withdraw", id.as_str(), state.clock.now());
    // Before the disk: one that is locked or hangs must not keep wrong words on the air. Only what the plan does not know
    // yet waits for the store to say whether there is such a recording.
    let heard = state.plan().catalog.get(&id).is_some() && tell_all(state, &id).is_ok();
    let (answer, answered) = oneshot::channel();
    let withdrawal = Withdrawal { state: state.clone(), id, reason, act };
    if state.limits.unkept.has(&withdrawal.id) {
        return Err(withdrawal.unkept(heard));
    }
    // On its own: a client who goes away meanwhile does not leave half of it done.
    tokio::spawn(withdrawal.keep(heard, answer));
    answered.await.unwrap_or_else(|ended| Err(Problem::unexpected(&ended)))
}

struct Withdrawal {
    state: State,
    id: SegmentId,
    reason: String,
    act: Act,
}

impl Withdrawal {
    /// Keeps it, and answers: what came of it, or, where that takes long, that it is not kept yet. As long as the program
    /// runs it is tried again.
    async fn keep(self, heard: bool, answer: oneshot::Sender<Result<Segment, Problem>>) {
        let limits = &self.state.limits;
        let mut kept = Box::pin(self.kept(heard));
        // Who asked may have gone: it is done all the same.
        let answer = |said| drop(answer.send(said));
        if let Ok(kept) = tokio::time::timeout(limits.kept, &mut kept).await {
            return answer(kept);
        }
        tracing::error!(segment.id = %self.id, "a recording is off the air, and its withdrawal is not kept yet: after a start it would air");
        limits.unkept.lock().insert(self.id.clone());
        answer(Err(self.unkept(heard)));
        if let Err(Problem(refusal)) = kept.await {
            tracing::warn!(segment.id = %self.id, ?refusal, "a withdrawal was kept late, and not without fault");
        }
        limits.unkept.lock().remove(&self.id);
    }

    /// Until the store has it, or there is no such recording.
    async fn kept(&self, heard: bool) -> Result<Segment, Problem> {
        loop {
            let (id, reason, act) = (self.id.clone(), self.reason.clone(), self.act.clone());
            let step = move |store: &Store| match store.step_as(&id, Step::Withdraw { reason }, act.clone()) {
                // Again: the engines are told once more, in case one was busy the first time.
                Err(StoreError::WrongState { .. }) => {
                    store.act(act)?;
                    store.segment(&id)?.ok_or(StoreError::NoSegment(id))
                }
                stepped => stepped,
            };
            let stepped = self.state.store.run(step).await;
            if let Err(failure @ (StoreError::NoSegment(_) | StoreError::Stopped)) = stepped {
                return Err(failure.into());
            }
            // A full disk must not keep wrong words on the air: the engines are told whatever the store says.
            let told = if heard { Ok(()) } else { tell_all(&self.state, &self.id) };
            match stepped {
                Ok(segment) => {
                    self.state.nudge();
                    tracing::info!(segment.id = %segment.id, by = self.act.by, "segment.withdraw");
                    return told.map(|()| segment).map_err(Problem::from);
                }
                Err(failure) => {
                    tracing::warn!(segment.id = %self.id, error = &failure as &dyn std::error::Error, "a withdrawal is not kept yet");
                    tokio::time::sleep(self.state.limits.keep_again).await;
                }
            }
        }
    }

    /// What is said of one that the engines obey and the disk does not know.
    fn unkept(&self, heard: bool) -> Problem {
        let told = if heard { Ok(()) } else { tell_all(&self.state, &self.id) };
        told.err().map_or(Refusal::WithdrawalUnkept.into(), Problem::from)
    }
}

/// Tells every engine that a segment must not sound any more, also after one that would not listen.
fn tell_all(state: &State, id: &SegmentId) -> Result<(), Refused> {
    let told: Vec<_> =
        state.engines.iter().map(|engine| engine.send(Command::Withdraw(id.clone()))).collect();
    // An engine that has ended plays nothing.
    told.into_iter().find(|told| *told == Err(Refused::Busy)).unwrap_or(Ok(()))
}
