//! A person says that the machine's clock is right: the same for programs and for the console's page.

use super::State;
use super::air::shown;
use super::person::{ConfirmClock, Person};
use super::problem::Problem;
use crate::asrun::ClockHealth;
use crate::store::Doubt;

/// Takes somebody's word for the time, as `loa clock confirm` does; gives what spoke against it, none where nothing did.
pub(super) async fn confirm(state: &State, person: &Person<ConfirmClock>) -> Result<Option<Doubt>, Problem> {
    let (now, by, origin) = (state.clock.now(), person.name().to_owned(), person.origin().to_owned());
    let taken = state.store.run(move |store| store.take_clock_at_word(now, &by, &origin)).await?;
    if taken.is_some() {
        tracing::info!(%now, by = person.name(), "clock.confirm");
        state.nudge();
        shown(state, |status| status.clock != ClockHealth::Wrong).await;
    }
    Ok(taken)
}
