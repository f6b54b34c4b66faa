//! `clock`: a person's word that the time is right.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::people::ORIGIN;
use super::say;
use crate::app::cli::ClockCommand;
use crate::app::exit::Exit;
use crate::app::station::Station;
use crate::store::{Store, StoreError};
use crate::text::console;

/// Takes a person's word for the time, where the log speaks against it.
pub fn clock(station: &Station, now: Timestamp, command: &ClockCommand) -> anyhow::Result<Exit> {
    let ClockCommand::Confirm { by } = command;
    let store = Store::open_existing(&station.data())?;
    // A broken schedule does not keep the time from being right.
    let schedule = station.known_schedule();
    let zone = schedule.as_ref().map_or(TimeZone::UTC, |schedule| schedule.time_zone.clone());
    if let Some(schedule) = &schedule {
        store.set_station(schedule.into());
    }
    say(&confirm(&store, now, by, &zone)?)?;
    Ok(Exit::Fine)
}

fn confirm(store: &Store, now: Timestamp, by: &str, zone: &TimeZone) -> Result<String, StoreError> {
    let local = |at: Timestamp| at.to_zoned(zone.clone());
    let taken = store.take_clock_at_word(now, by, ORIGIN)?;
    if let Some(doubt) = taken {
        return Ok(console::clock_confirmed(&local(now), &local(doubt.newest), doubt.reopens.len()));
    }
    let vouched = store.clock_vouched_for(now)?;
    let vouched = vouched.as_ref().map(|(by, at)| (&**by, local(*at)));
    Ok(console::clock_not_in_doubt(&local(now), vouched.as_ref().map(|(by, at)| (*by, at))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asrun::Note;

    #[test]
    fn a_clock_that_the_log_speaks_against_is_taken_at_a_persons_word_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let (now, ahead) = (at("2026-11-30T02:00:00Z"), at("2027-11-30T02:00:00Z"));
        let confirmed = || confirm(&store, now, "minh", &zone).unwrap();
        assert!(confirmed().contains("không cần xác nhận"), "nothing is on record yet");
        assert!(!confirmed().contains("muộn hơn"), "nobody has confirmed anything");
        store.note(ahead, Note::Stopped).unwrap();
        let said = confirmed();
        assert!(said.contains("09:00 ngày 30/11/2026") && said.contains("09:00 ngày 30/11/2027"), "{said}");
        assert_eq!(store.newest_instant().unwrap(), Some(now));
        let again = confirmed();
        assert!(
            again.contains("minh đã xác nhận giờ của máy lúc 09:00 ngày 30/11/2026")
                && again.contains("muộn hơn"),
            "{again}"
        );
        let acts = store.acts(now, ahead, 9).unwrap();
        assert_eq!(
            acts.iter().map(|act| (&*act.by, &*act.what)).collect::<Vec<_>>(),
            [("minh", "clock.confirm")]
        );
    }
}
