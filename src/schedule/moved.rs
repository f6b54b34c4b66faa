//! A session that moves to other hours, and what in it moves along.

use jiff::SignedDuration;

use super::rundown::since;
use super::{Session, Slot, Start};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const HALF_A_DAY: SignedDuration = SignedDuration::from_hours(12);

impl Session {
    /// Its slots as they are when it moves to the hours of `to`: their exact times move along with its beginning. They
    /// stay where it only grows or shrinks, and where not all of them would lie within those hours.
    pub fn slots_moved(&self, to: &Self) -> Vec<Slot> {
        let later = since(self.from, to.from);
        let later = if later > HALF_A_DAY { later - DAY } else { later };
        let end_later = later + to.length() - self.length();
        // Where not both ends move, and the same way, what is exact is so for a reason of its own.
        if later.signum() * end_later.signum() <= 0 {
            return self.slots.clone();
        }
        let moved = |slot: &Slot| {
            let start = match slot.start {
                Start::Hard(at) => Start::Hard(at.wrapping_add(later)),
                start @ (Start::Follow | Start::Fill) => start,
            };
            Slot { start, ..slot.clone() }
        };
        let fits = |slot: &Slot| !matches!(slot.start, Start::Hard(at) if since(to.from, at) >= to.length());
        let slots: Vec<_> = self.slots.iter().map(moved).collect();
        if slots.iter().all(fits) { slots } else { self.slots.clone() }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::Time;

    use super::*;
    use crate::schedule::{Sources, read};

    /// When the exact slot of a session begins after it was moved; a session is its hours, and that time.
    fn after(session: [&str; 3], to: [&str; 2]) -> String {
        let [from, until, at] = session;
        let station =
            "name = \"A\"\ntime_zone = \"Asia/Ho_Chi_Minh\"\n[[output]]\nid = \"a\"\nzones = [\"b\"]\n";
        let week = format!(
            "[[session]]\nid = \"s\"\ntitle = \"S\"\ndays = [\"T2\"]\nfrom = {from}:00\nto = {until}:00\n\
             [[session.slot]]\nid = \"a\"\nstart = \"hard\"\nplay = {{ file = \"a.ogg\" }}\n\
             [[session.slot]]\nid = \"b\"\nstart = \"hard\"\nat = {at}:00\nplay = {{ file = \"b.ogg\" }}\n"
        );
        let read =
            read(&Sources { station: Some(station.to_owned()), week: Some(week), days: None }).unwrap();
        let old = &read.sessions[0];
        let time = |text: &str| text.parse::<Time>().unwrap();
        let new = Session { from: time(to[0]), to: time(to[1]), ..old.clone() };
        let slots = old.slots_moved(&new);
        let Start::Hard(at) = slots[1].start else { panic!("not hard") };
        at.strftime("%H:%M").to_string()
    }

    #[test]
    fn exact_times_move_with_a_session_that_moves_as_a_whole() {
        const MORNING: [&str; 3] = ["05:30", "06:01", "06:00"];
        const NIGHT: [&str; 3] = ["22:00", "23:30", "23:00"];
        for (session, to, at) in [
            (MORNING, ["05:45", "06:16"], "06:15"),
            (MORNING, ["05:00", "05:31"], "05:30"),
            (MORNING, ["17:00", "17:40"], "17:30"),
            (MORNING, ["18:00", "18:31"], "18:30"),
            (NIGHT, ["23:30", "01:00"], "00:30"),
            // It grows or shrinks.
            (MORNING, ["05:00", "06:01"], "06:00"),
            (MORNING, ["05:00", "06:30"], "06:00"),
            (MORNING, ["05:30", "07:00"], "06:00"),
            (NIGHT, ["21:00", "00:30"], "23:00"),
            // It would not lie within the new hours.
            (MORNING, ["07:00", "07:20"], "06:00"),
        ] {
            assert_eq!(after(session, to), at, "{session:?} to {to:?}");
        }
    }
}
