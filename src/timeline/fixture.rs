//! Small stations for tests.

use jiff::civil::{Time, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::schedule::{
    Late, Loudness, Output, OutputId, Play, Pool, Programme, Rules, Schedule, Session, Slot, SlotId, StandIn,
    Start, Validity, Weekdays,
};
use crate::segment::{ContentHash, Genre, ProgrammeId, Segment, SegmentId, Sound, State, Words};
use crate::timeline::{Begun, Content, Cue};

/// The output of [`schedule`].
pub(crate) fn output() -> OutputId {
    "loa-xa".into()
}

/// An instant, from its RFC 3339 text.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A station with one output, one daily session `sang` from 05:00 to 06:00 with these slots, the pool `nhac` of music, the
/// programme `tin`, and the weekly programmes `tuan` (older ones stand in) and `tuan-moi` (never).
pub(crate) fn schedule(time_zone: &str, slots: Vec<Slot>) -> Schedule {
    let programme = |id: &str, weekly, stand_in| {
        let id = ProgrammeId::from(id);
        let title = id.to_string();
        (
            id.clone(),
            Programme {
                id,
                title,
                topic: Some("II.1".to_owned()),
                genre: Some(Genre::Bulletin),
                owner: None,
                weekly,
                stand_in,
                ready: false,
            },
        )
    };
    Schedule {
        name: "Đài truyền thanh xã".to_owned(),
        time_zone: TimeZone::get(time_zone).unwrap(),
        loudness: Loudness::default(),
        rules: Rules::default(),
        outputs: vec![Output {
            id: output(),
            device: "default".to_owned(),
            lead: SignedDuration::from_secs(20),
            tail: SignedDuration::from_secs(10),
            amplifier: None,
            zones: vec!["Thôn 1".to_owned()],
        }],
        programmes: [
            programme("tin", false, StandIn::Never),
            programme("tuan", true, StandIn::Older),
            programme("tuan-moi", true, StandIn::Never),
        ]
        .into(),
        pools: [("nhac".into(), Pool { id: "nhac".into(), title: "Ca khúc".to_owned(), music: true })].into(),
        sessions: vec![session("sang", time(5, 0, 0, 0), time(6, 0, 0, 0), slots)],
        day_plans: Vec::new(),
    }
}

/// A session of every day on [`output`].
pub(crate) fn session(id: &str, from: Time, to: Time, slots: Vec<Slot>) -> Session {
    Session {
        id: id.into(),
        title: id.to_owned(),
        days: Weekdays::ALL,
        valid: Validity::default(),
        from,
        to,
        outputs: [output()].into(),
        slots,
    }
}

/// A slot of every day that is joined when late.
pub(crate) fn slot(id: &str, start: Start, play: Play) -> Slot {
    Slot {
        id: id.into(),
        title: id.to_owned(),
        days: Weekdays::ALL,
        valid: Validity::default(),
        start,
        play,
        length: None,
        late: Late::Join,
        music: false,
    }
}

/// What a slot plays: `file:a.mp3`, `programme:tin`, `all:tin`, `pool:nhac`, `repeat:sang/tin`.
pub(crate) fn play(text: &str) -> Play {
    match text.split_once(':').unwrap() {
        ("file", name) => Play::File(name.to_owned()),
        ("programme", id) => Play::Programme(id.into()),
        ("all", id) => Play::All(id.into()),
        ("pool", id) => Play::Pool(id.into()),
        ("repeat", path) => {
            let (session, slot) = path.split_once('/').unwrap();
            Play::Repeat { session: session.into(), slot: SlotId::from(slot) }
        }
        _ => unreachable!("no such play: {text}"),
    }
}

/// An approved segment of a programme with the file `<name>.mp3`, this many seconds long, handed in on 2026-11-01 at noon
/// UTC. Its hash is made from its name.
pub(crate) fn segment(name: &str, programme: &str, seconds: i64) -> Segment {
    let mut hash = [0; 32];
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    for (place, byte) in hash.iter_mut().enumerate() {
        for b in name.bytes().chain([u8::try_from(place).unwrap()]) {
            state = (state ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        }
        *byte = state.to_be_bytes()[3];
    }
    let hash = ContentHash(hash);
    let whole = SignedDuration::from_secs(seconds);
    Segment {
        id: hash.segment_id(),
        hash,
        file: format!("{name}.mp3"),
        words: Words { title: name.to_owned(), programme: Some(programme.into()), ..Words::default() },
        sound: Sound {
            whole,
            cue_in: SignedDuration::ZERO,
            cue_out: whole,
            channels: 1,
            sample_rate: 48_000,
            loudness_lufs: -20.0,
            true_peak_dbtp: -3.0,
            skipped_packets: 0,
            codec: "mp3".into(),
        },
        state: State::Approved,
        approval: None,
        added: at("2026-11-01T12:00:00Z"),
        added_by: "lan".into(),
    }
}

/// The id of [`segment`] with this name.
pub(crate) fn segment_id(name: &str) -> SegmentId {
    segment(name, "", 1).id
}

/// What the log holds of a cue that went as planned.
pub(crate) fn begun(cue: &Cue) -> Begun {
    let (segment, nothing) = match &cue.content {
        Content::Segment(segment) => (Some(segment.id.clone()), None),
        Content::Nothing(why) => (None, Some(why.clone())),
    };
    let (piece, heard) = (cue.id.piece, segment.is_some());
    Begun { piece, heard, segment, nothing, at: cue.at, end: cue.end, broke_off: false, sounds: false }
}
