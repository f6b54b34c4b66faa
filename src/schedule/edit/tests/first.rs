//! What is put at the beginning of a session.

use super::*;

#[test]
fn what_is_put_at_the_beginning_of_a_session_begins_it_and_what_began_it_follows() {
    let written = |first: &str| {
        let text = format!(
            "[[session]]\nid = \"s\"\ndays = [\"T2\"]\nfrom = 05:30:00\nto = 06:00:00\n\
             [[session.slot]]\nid = \"hieu\"\nplay = {{ file = \"a.ogg\" }}\n{first}\
             [[session.slot]]\nid = \"chao\"\nplay = {{ file = \"b.ogg\" }}\nstart = \"hard\"\nat = 05:58:00\n"
        );
        Sources { week: Some(text), days: None, ..example() }
    };
    let from = time(5, 30, 0, 0);
    for first in ["", "start = \"hard\"\n", "start = \"hard\"\nat = 05:30:00\n"] {
        let sources = written(first);
        let old = read(&sources).unwrap();
        let hieu = slot(&old, "s", "hieu");
        assert_eq!(hieu.start, Start::Hard(from));
        let add = |start| Edit::AddSlot {
            session: "s".into(),
            after: None,
            slot: Slot { id: "moi".into(), title: "Mới".to_owned(), start, ..hieu.clone() },
        };
        for start in [Start::Follow, Start::Hard(from)] {
            assert_eq!(add(start).displaced(&old).map(|(place, _)| place).collect::<Vec<_>>(), [0]);
            let (_, new) = apply(&sources, &add(start)).unwrap();
            let starts: Vec<_> = find(&new, "s").slots.iter().map(|slot| slot.start).collect();
            let last = Start::Hard(time(5, 58, 0, 0));
            assert_eq!(starts, [Start::Hard(from), Start::Follow, last], "{first:?} {start:?}");
        }
        // A later time before what begins with the session is a mistake, as ever.
        let later = add(Start::Hard(time(5, 40, 0, 0)));
        assert_eq!(later.displaced(&old).count(), 0);
        assert_eq!(apply(&sources, &later).is_err(), !first.is_empty(), "{first:?}");
    }
    // One that keeps a later time of its own keeps it.
    let sources = written("start = \"hard\"\nat = 05:31:00\n");
    let hieu = slot(&read(&sources).unwrap(), "s", "hieu");
    let new = Slot { id: "moi".into(), start: Start::Follow, ..hieu.clone() };
    let (_, new) = apply(&sources, &Edit::AddSlot { session: "s".into(), after: None, slot: new }).unwrap();
    assert_eq!(slot(&new, "s", "hieu"), hieu);
}
