//! A clock that was ahead and is right now: what it settled before its time is open again.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use rusqlite::OptionalExtension as _;

use super::acts::Act;
use super::airings::airing_from_json;
use super::error::Doing;
use super::journal::instant;
use super::{Store, StoreError};
use crate::asrun::{Airing, ClockHealth, Entry, Item, Note};
use crate::timeline::Layer;

/// What was planned so long ago airs no more, whatever its late rule.
const LONGEST_CUE: SignedDuration = SignedDuration::from_hours(24);

/// The act of who gives their word for the clock.
const CONFIRM: &str = "clock.confirm";
/// How that act has the newest time on record.
const NEWEST: &str = "%d/%m/%Y %H:%M:%S";

/// What speaks against a clock that nothing but a person can vouch for.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    /// The newest instant on record, later than what the clock shows.
    pub newest: Timestamp,
    /// What the log says did not air, and is open again once the clock is confirmed; by when it is planned.
    pub reopens: Vec<Airing>,
    /// How much of what is still to come sounded already, and will not again.
    pub heard: usize,
}

impl Store {
    /// What on record speaks against a clock that shows `now`; none where nothing does.
    pub fn doubt(&self, now: Timestamp) -> Result<Option<Doubt>, StoreError> {
        let Some(newest) = self.newest_instant()?.filter(|newest| speaks_against(now, *newest)) else {
            return Ok(None);
        };
        let ahead = self.ahead(now)?.into_iter().filter(|airing| airing.item.layer == Layer::Scheduled);
        let (reopens, rest): (Vec<_>, Vec<_>) = ahead.partition(|airing| airing.is_refuted(now));
        let will_not_again = |airing: &&Airing| !airing.takes.is_empty() && airing.is_settled(now);
        let heard = rest.iter().filter(|airing| airing.item.planned > now).filter(will_not_again).count();
        Ok(Some(Doubt { newest, reopens, heard }))
    }

    /// Takes a person's word that a clock which shows `now` is right, and keeps that with them; gives what spoke against
    /// it. Where nothing does, nothing is done. `origin` is from where they say so.
    pub fn take_clock_at_word(
        &self,
        now: Timestamp,
        by: &str,
        origin: &str,
    ) -> Result<Option<Doubt>, StoreError> {
        let Some(doubt) = self.doubt(now)? else { return Ok(None) };
        let newest = doubt.newest.to_zoned(self.station().time_zone.clone());
        let act = Act {
            at: now,
            by: by.to_owned(),
            what: CONFIRM.to_owned(),
            subject: newest.strftime(NEWEST).to_string(),
            title: None,
            origin: origin.to_owned(),
        };
        self.reopen(now, by, &doubt.reopens, Some(act))?;
        Ok(Some(doubt))
    }

    /// Who last gave their word for the clock, and when, where that was against times that are later than `now`.
    pub fn clock_vouched_for(&self, now: Timestamp) -> Result<Option<(String, Timestamp)>, StoreError> {
        let last: Option<(String, i64, String)> = self.read(|connection| {
            connection
                .prepare_cached("SELECT by, at_ms, subject FROM act WHERE what = ?1 ORDER BY id DESC LIMIT 1")
                .and_then(|mut statement| statement.query_row([CONFIRM], |row| row.try_into()).optional())
                .doing("find who confirmed the clock")
        })?;
        let Some((by, at_ms, newest)) = last else { return Ok(None) };
        // Of a later version, or another zone: nothing is said of what cannot be read.
        let newest = DateTime::strptime(NEWEST, newest)
            .and_then(|newest| newest.to_zoned(self.station().time_zone.clone()))
            .is_ok_and(|newest| newest.timestamp() > now);
        Ok(newest.then_some((by, instant(at_ms)?)))
    }

    /// Notes that the clock is right, as `by` says: a time server, or a person. What was logged under a later date was the
    /// mistake: what it settled before its time is open again. How many cues that is.
    pub fn confirm_clock(&self, at: Timestamp, by: &str) -> Result<usize, StoreError> {
        let refuted: Vec<_> = self.ahead(at)?.into_iter().filter(|airing| airing.is_refuted(at)).collect();
        self.reopen(at, by, &refuted, None)?;
        Ok(refuted.len())
    }

    fn reopen(
        &self,
        at: Timestamp,
        by: &str,
        refuted: &[Airing],
        act: Option<Act>,
    ) -> Result<(), StoreError> {
        let reopened = refuted.iter().map(|airing| {
            let Item { cue, output, .. } = &airing.item;
            Entry::Reopened { cue: cue.clone(), output: output.clone(), at }
        });
        let note = Entry::Note { at, note: Note::ClockConfirmed { by: by.to_owned() } };
        self.append_with(std::iter::once(note).chain(reopened).collect(), act)
    }

    /// The airings of what is planned for after `now`, or may still be on then.
    fn ahead(&self, now: Timestamp) -> Result<Vec<Airing>, StoreError> {
        self.read(|connection| {
            let bodies = connection
                .prepare_cached("SELECT body FROM airing WHERE planned_ms > ?1 ORDER BY planned_ms, id")
                .and_then(|mut statement| {
                    statement
                        .query_map([(now - LONGEST_CUE).as_millisecond()], |row| row.get::<_, String>(0))?
                        .collect::<rusqlite::Result<Vec<_>>>()
                })
                .doing("read the airings of days to come")?;
            bodies.iter().map(|body| airing_from_json(body)).collect()
        })
    }
}

/// Whether the newest instant on record speaks against a clock that no time server stands for.
fn speaks_against(now: Timestamp, newest: Timestamp) -> bool {
    ClockHealth::judge(false, now, Some(newest)) == ClockHealth::Wrong
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EXPECTED, air, at, closed, cue, not_aired, opened, store};
    use crate::asrun::{Cause, Fact, NotAired, Outcome};

    #[test]
    fn of_what_sounded_ahead_of_its_time_only_what_will_not_sound_again_is_told() {
        let (store, _dir) = store();
        air(&store, &cue(20, 1));
        let cut = cue(30, 1);
        store.record(&opened(&cut, 0)).unwrap();
        store.record(&closed(&cut, 0, EXPECTED / 2, Some(Cause::ProgramStopped))).unwrap();
        let doubt = store.doubt(at(600)).unwrap().unwrap();
        assert_eq!((doubt.reopens.len(), doubt.heard), (0, 1));
    }

    #[test]
    fn a_clock_that_is_confirmed_opens_again_what_was_settled_ahead_of_it() {
        let (store, _dir) = store();
        let (output, cues) = ("loa-xa".into(), [1, 20, 30].map(|number| cue(number, 1)));
        for cue in &cues {
            let Fact::NotAired(missed) = not_aired(cue, Cause::NotRunning) else { unreachable!() };
            store.record_missed(&output, vec![NotAired { at: at(86_400), ..missed }]).unwrap();
        }
        assert_eq!(store.confirm_clock(at(1_200), "ntp").unwrap(), 2);
        let settled = store.settled(&output, at(0), at(1_200)).unwrap();
        assert_eq!(settled.into_iter().collect::<Vec<_>>(), [cues[0].id.clone()]);
        assert_eq!(store.confirm_clock(at(1_200), "ntp").unwrap(), 0, "once");
        air(&store, &cues[1]);
        let airing = store.airing(&output, &cues[1].id).unwrap().unwrap();
        assert_eq!((airing.outcome(), airing.unheard), (Outcome::Aired, None));
        assert_eq!(store.verify().unwrap().first_bad, None, "the journal says the same");
    }
}
