//! Signs of life of the outputs, which are no part of the journal; and what a power cut left open, by the last of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::airings::airing_from_json;
use super::error::Doing as _;
use super::journal::{has_passed, instant};
use super::{Store, StoreError};
use crate::asrun::{Airing, Closed, Entry, Heartbeat, OpenTake, Sounding, recover};
use crate::schedule::OutputId;

impl Store {
    /// After a power cut: closes what it left open, as cut at the last heartbeat. Gives what it closed.
    pub fn recover(&self, now: Timestamp) -> Result<Vec<Closed>, StoreError> {
        let closed = recover(&self.open_takes()?, now);
        self.append(closed.iter().map(Entry::recovered).collect())?;
        Ok(closed)
    }

    /// The takes that are open, with the last sign of life of their outputs.
    pub fn open_takes(&self) -> Result<Vec<OpenTake>, StoreError> {
        self.read(|connection| {
            let heartbeats = heartbeats(connection)?;
            let mut statement = connection
                .prepare_cached("SELECT body FROM airing WHERE outcome = 'on-air' ORDER BY id")
                .doing("find open takes")?;
            let bodies = statement
                .query_map([], |row| row.get::<_, String>(0))
                .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
                .doing("find open takes")?;
            let mut open = Vec::new();
            for body in bodies {
                let Airing { item, takes, .. } = airing_from_json(&body)?;
                open.extend(takes.into_iter().filter(|take| take.end.is_none()).map(|take| OpenTake {
                    cue: item.cue.clone(),
                    output: item.output.clone(),
                    take: take.take,
                    planned: take.planned,
                    expected: take.expected,
                    sample_rate: take.sample_rate,
                    opened: take.opened,
                    heartbeat: heartbeats.get(&item.output).cloned(),
                }));
            }
            Ok(open)
        })
    }

    /// The last sign of life of each output that ever gave one.
    pub fn heartbeats(&self) -> Result<BTreeMap<OutputId, Timestamp>, StoreError> {
        let heartbeats = self.read(heartbeats)?;
        Ok(heartbeats.into_iter().map(|(output, heartbeat)| (output, heartbeat.at)).collect())
    }

    /// Keeps a heartbeat: the newest of its output.
    pub(super) fn heartbeat(
        &self,
        at: Timestamp,
        output: OutputId,
        sounding: &[Sounding],
    ) -> Result<(), StoreError> {
        // Nothing of it fails; and a power cut is dated without it as well.
        let sounding = serde_json::to_string(sounding).ok();
        self.write("note a heartbeat", move |transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO heartbeat (output, at_ms, sounding) VALUES (?1, ?2, ?3)
                     ON CONFLICT (output) DO UPDATE SET at_ms = ?2, sounding = ?3",
                )
                .and_then(|mut statement| {
                    statement.execute(params![output.as_str(), at.as_millisecond(), sounding])
                })
                .doing("note a heartbeat")?;
            has_passed(transaction, at.as_millisecond())
        })
    }
}

fn heartbeats(connection: &Connection) -> Result<BTreeMap<OutputId, Heartbeat>, StoreError> {
    let rows = connection
        .prepare_cached("SELECT output, at_ms, sounding FROM heartbeat")
        .and_then(|mut statement| {
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<rusqlite::Result<Vec<_>>>()
        })
        .doing("read the heartbeats")?;
    let heartbeat = |(output, at_ms, sounding): (String, i64, Option<String>)| {
        // What cannot be read must keep no station silent: the time says about the same.
        let sounding = sounding.and_then(|sounding| serde_json::from_str(&sounding).ok());
        Ok((OutputId::new(output), Heartbeat { at: instant(at_ms)?, sounding }))
    };
    rows.into_iter().map(heartbeat).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, cue, opened, store};
    use super::*;
    use crate::asrun::{Cause, Fact, Outcome};

    #[test]
    fn a_power_cut_closes_what_was_on_air_at_the_last_heartbeat() {
        let (store, dir) = store();
        let cue = cue(1, 1);
        store.record(&opened(&cue, 0)).unwrap();
        store.record(&Fact::Heartbeat { at: at(64), output: "loa-xa".into(), sounding: Vec::new() }).unwrap();
        // As a program did that did not tell more.
        let raw = Connection::open(store.file()).unwrap();
        raw.execute("UPDATE heartbeat SET sounding = NULL", []).unwrap();
        drop((store, raw));

        let store = Store::open(dir.path()).unwrap();
        let recovered = store.recover(at(600)).unwrap();
        assert_eq!((recovered.len(), recovered[0].delivered), (1, 4 * 48_000));
        assert_eq!(recovered[0].ended, Some(at(64)));
        let airing = store.airing(&"loa-xa".into(), &cue.id).unwrap().unwrap();
        assert_eq!(airing.outcome(), Outcome::Partly(Cause::PowerCut));
        assert_eq!(store.recover(at(601)).unwrap(), [], "once is enough");
        assert!(
            !store.settled(&"loa-xa".into(), at(0), at(65)).unwrap().contains(&cue.id),
            "it may join again"
        );
        assert!(
            store.settled(&"loa-xa".into(), at(0), at(70)).unwrap().contains(&cue.id),
            "its time is over"
        );
    }

    #[test]
    fn a_power_cut_leaves_of_a_take_what_the_last_heartbeat_told_of_it() {
        let (store, dir) = store();
        let cue = cue(1, 1);
        let fact = opened(&cue, 0);
        store.record(&fact).unwrap();
        let Fact::Opened { take, .. } = fact else { unreachable!("a take is opened") };
        let told = Sounding {
            cue: cue.id.clone(),
            take: 0,
            opened: take.opened,
            started: at(62),
            delivered: 24_000,
            starved: 48_000,
            unpowered: false,
            held_by: None,
        };
        let output: OutputId = "loa-xa".into();
        store.record(&Fact::Heartbeat { at: at(64), output: output.clone(), sounding: vec![told] }).unwrap();
        let rows = store.verify().unwrap().rows;
        drop(store);

        let store = Store::open(dir.path()).unwrap();
        assert_eq!((rows, store.heartbeats().unwrap()[&output]), (1, at(64)), "it is not in the journal");
        let cut = store.recover(at(600)).unwrap().remove(0);
        assert_eq!((cut.started, cut.delivered, cut.starved), (Some(at(62)), 24_000, 48_000));
    }
}
