//! Facts, segments and people for the tests of this room.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::Store;
use crate::asrun::{Cause, Closed, Fact, NotAired, Opened};
use crate::clock::ClockHealth;
use crate::schedule::Late;
use crate::segment::{Approval, ContentHash, Genre, Segment, Sound, State, Words};
use crate::timeline::{Absence, Content, Cue, Form, Join, Layer};

/// A store in a folder that goes with it.
pub(super) fn store() -> (Store, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Store::open(dir.path()).unwrap(), dir)
}

/// 05:30 in Viet Nam on a Monday, and so many seconds.
pub(super) fn at(seconds: i64) -> Timestamp {
    "2026-11-22T22:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

/// The `n`th segment; bytes, words and length differ.
pub(super) fn segment(n: u32) -> Segment {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    let hash = ContentHash(bytes);
    Segment {
        id: hash.segment_id(),
        hash,
        file: format!("cầm tay chỉ việc {n}.mp3"),
        words: Words {
            title: format!("Quét mã QR đúng cách, bài {n}"),
            programme: Some("cam-tay-chi-viec".into()),
            topic: Some("II.2".into()),
            genre: Some(Genre::Feature),
            author: Some("Nguyễn Thị Lan".into()),
            source: Some("Tổ công nghệ số cộng đồng".into()),
            valid_from: Some("2026-11-01".parse().unwrap()),
            valid_until: None,
            week: Some("2026-11-23".parse().unwrap()),
        },
        sound: Sound {
            whole: SignedDuration::from_millis(10_500),
            cue_in: SignedDuration::from_millis(250),
            cue_out: SignedDuration::from_millis(10_250),
            channels: 1,
            sample_rate: 44_100,
            loudness_lufs: -19.25,
            true_peak_dbtp: f64::NEG_INFINITY,
            skipped_packets: 2,
            codec: "mp3".to_owned(),
        },
        state: State::Draft,
        approval: None,
        added: at(i64::from(n)),
        added_by: "lan".to_owned(),
    }
}

/// The cue with a number: 10 s of a segment, a minute after the one before.
pub(super) fn cue(number: u16, piece: u32) -> Arc<Cue> {
    let mut segment = segment(piece);
    segment.state = State::Approved;
    segment.approval = Some(Approval { by: "minh".to_owned(), at: at(-3_600) });
    let start = at(i64::from(number) * 60);
    Arc::new(Cue {
        id: format!("2026-11-23/sang/muc/{number}").parse().unwrap(),
        title: "Cầm tay chỉ việc".to_owned(),
        programme: segment.words.programme.clone(),
        topic: segment.words.topic.clone(),
        start: Join::Hard,
        at: start,
        end: start + SignedDuration::from_secs(10),
        fade: SignedDuration::ZERO,
        late: Late::Join,
        form: Form::Own,
        layer: Layer::Scheduled,
        ordered_by: None,
        content: Content::Segment(Arc::new(segment)),
        gain_db: 1.0 / 3.0,
    })
}

/// A cue with nothing to sound.
pub(super) fn empty_cue(number: u16) -> Arc<Cue> {
    let cue = cue(number, 0);
    Arc::new(Cue { content: Content::Nothing(Absence::Missing), end: cue.at, ..Cue::clone(&cue) })
}

pub(super) const EXPECTED: u64 = 480_000;

pub(super) fn opened(cue: &Arc<Cue>, take: u16) -> Fact {
    Fact::Opened(Opened {
        cue: Arc::clone(cue),
        output: "loa-xa".into(),
        take,
        planned: cue.at,
        skip: SignedDuration::ZERO,
        expected: EXPECTED,
        sample_rate: 48_000,
        device: "alsa:hw:CARD=Device,DEV=0".to_owned(),
        clock: ClockHealth::Synchronised,
        at: cue.at - SignedDuration::from_secs(1) + SignedDuration::from_millis(i64::from(take)),
    })
}

pub(super) fn closed(cue: &Arc<Cue>, take: u16, delivered: u64, cause: Option<Cause>) -> Fact {
    let started = cue.at + SignedDuration::from_micros(120);
    Fact::Closed(Closed {
        cue: cue.id.clone(),
        output: "loa-xa".into(),
        take,
        started: (delivered > 0).then_some(started),
        ended: (delivered > 0).then_some(started + SignedDuration::from_secs(10)),
        delivered,
        starved: 0,
        cause,
        at: started + SignedDuration::from_secs(10),
    })
}

pub(super) fn not_aired(cue: &Arc<Cue>, cause: Cause) -> Fact {
    Fact::NotAired(NotAired {
        cue: Arc::clone(cue),
        output: "loa-xa".into(),
        cause,
        clock: ClockHealth::Unconfirmed,
        at: cue.end,
    })
}

/// Airs a cue as planned.
pub(super) fn air(store: &Store, cue: &Arc<Cue>) {
    store.record(&opened(cue, 0)).unwrap();
    store.record(&closed(cue, 0, EXPECTED, None)).unwrap();
}
