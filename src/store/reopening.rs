//! A clock that was ahead and is right now: what it settled before its time is open again.

use jiff::{SignedDuration, Timestamp};

use super::airings::airing_from_json;
use super::error::Doing;
use super::{Store, StoreError};
use crate::asrun::{Airing, Entry, Item, Note};

/// What was planned so long ago airs no more, whatever its late rule.
const LONGEST_CUE: SignedDuration = SignedDuration::from_hours(24);

impl Store {
    /// Notes that the clock is right, as `by` says: a time server, or a person. What was logged under a later date was the
    /// mistake: what it settled before its time is open again. How many cues that is.
    pub fn confirm_clock(&self, at: Timestamp, by: &str) -> Result<usize, StoreError> {
        let refuted = self.refuted(at)?;
        let count = refuted.len();
        let reopened = refuted.into_iter().map(|airing| {
            let Item { cue, output, .. } = airing.item;
            Entry::Reopened { cue, output, at }
        });
        let note = Entry::Note { at, note: Note::ClockConfirmed { by: by.to_owned() } };
        self.append(std::iter::once(note).chain(reopened).collect())?;
        Ok(count)
    }

    /// The airings that a clock which is right at `now` [refutes](Airing::is_refuted).
    fn refuted(&self, now: Timestamp) -> Result<Vec<Airing>, StoreError> {
        self.read(|connection| {
            let bodies = connection
                .prepare_cached("SELECT body FROM airing WHERE planned_ms > ?1 ORDER BY planned_ms, id")
                .and_then(|mut statement| {
                    statement
                        .query_map([(now - LONGEST_CUE).as_millisecond()], |row| row.get::<_, String>(0))?
                        .collect::<rusqlite::Result<Vec<_>>>()
                })
                .doing("read the airings of days to come")?;
            let airings = bodies.iter().map(|body| airing_from_json(body));
            airings.filter(|airing| airing.as_ref().map_or(true, |airing| airing.is_refuted(now))).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{air, at, cue, not_aired, store};
    use crate::asrun::{Cause, Fact, NotAired, Outcome};

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
