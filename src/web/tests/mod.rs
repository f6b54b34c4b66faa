//! The real router over a real store, with engines that only listen.

mod acts;
mod air;
mod air_pages;
mod calendar;
mod calendar_forms;
mod calendar_saves;
mod clock;
mod connection;
mod console;
mod dates;
mod document;
mod drafts;
mod events;
mod home;
mod listening;
mod log;
mod log_pages;
mod pages;
mod people;
mod prospect;
mod proxy;
mod recordings;
mod rehearsal;
mod roles;
mod slips;
mod there_and_back;
mod unsent;
mod uploads;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::f32::consts::TAU;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::listener::Peer;
use super::*;
use crate::access::Role;
use crate::asrun::ClockHealth;
use crate::clock::ManualClock;
use crate::engine::handle::{Command, Handle, OnAir, Status};
use crate::media::ingest::{Ingest, Limits as Bounds};
use crate::schedule::{self, Sources};
use crate::segment::SegmentId;
use crate::store::Upload;
use crate::timeline::{History, Layer, Window, compile};

const STATION: &str = r#"
name = "Đài truyền thanh xã"
time_zone = "Asia/Ho_Chi_Minh"
[rules]
quiet = [{ from = 20:00:00, to = 05:30:00 }]
[[output]]
id = "loa-xa"
zones = ["Võ Kiện"]
"#;

const WEEK: &str = r#"
[[programme]]
id = "cam-tay-chi-viec"
title = "Cầm tay chỉ việc"
topic = "II.2"
genre = "feature"
[[session]]
id = "sang"
title = "Buổi sáng"
days = ["T2"]
from = 05:30:00
to = 06:00:00
[[session.slot]]
id = "chuyen-muc"
play = { programme = "cam-tay-chi-viec" }
"#;

/// 08:00 in Viet Nam on a Monday.
const NOW: &str = "2026-11-23T01:00:00Z";

/// A station with one output, and a person of each role named after it; `second` is another approver.
struct Site {
    state: State,
    router: Router,
    clock: Arc<ManualClock>,
    tokens: BTreeMap<String, String>,
    commands: Receiver<Command>,
    status: Option<watch::Sender<Status>>,
    plan: watch::Sender<Arc<Plan>>,
    nudges: Receiver<()>,
    turned: watch::Sender<Duration>,
    unready: watch::Sender<BTreeSet<SegmentId>>,
    dir: TempDir,
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Makes sure that it is a problem as RFC 9457 has it, and gives its code.
    fn problem(&self) -> (u16, String) {
        assert_eq!(self.header(header::CONTENT_TYPE), "application/problem+json", "{}", self.text());
        let body = self.json();
        let code = body["code"].as_str().unwrap();
        assert_eq!(body["type"], format!("urn:loa:problem:{code}"));
        assert_eq!(body["status"], self.status.as_u16());
        assert!(
            !body["title"].as_str().unwrap().is_empty() && body["detail"].as_str().unwrap().ends_with('.')
        );
        (self.status.as_u16(), code.to_owned())
    }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

impl Site {
    fn new() -> Self {
        Self::with(Limits::default(), Bounds::default())
    }

    fn with(limits: Limits, bounds: Bounds) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let audio_dir = dir.path().join("audio");
        std::fs::create_dir(&audio_dir).unwrap();
        let store = Store::open(&dir.path().join("data")).unwrap();
        let now: Timestamp = NOW.parse().unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let mut tokens = BTreeMap::new();
        let people =
            Role::ALL.map(|role| (role.code(), role)).into_iter().chain([("second", Role::Approver)]);
        for (name, role) in people {
            store.add_user(name, &BTreeSet::from([role]), now).unwrap();
            tokens.insert(name.to_owned(), store.new_token(name, "test", now).unwrap().to_string());
        }
        let (sender, commands) = sync_channel(8);
        let (status, statuses) = watch::channel(idle(now));
        let (plan, plans) = watch::channel(Arc::new(plan(&store, now)));
        let (replan, nudges) = sync_channel(1);
        let (turned, turns) = watch::channel(clock.elapsed());
        let (unready, unready_now) = watch::channel(BTreeSet::new());
        let ingest = Ingest { audio_dir: audio_dir.clone(), limits: bounds, ffmpeg: None };
        let folder = dir.path().join("schedule");
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in [("station.toml", STATION), ("week.toml", WEEK)] {
            io::Write::write_all(&mut std::fs::File::create(folder.join(name)).unwrap(), text.as_bytes())
                .unwrap();
        }
        let state = State {
            desk: Arc::new(Desk::new(folder, store.clone())),
            intake: Arc::new(Intake::new(ingest, store.clone(), Arc::clone(&clock) as Arc<dyn Clock>)),
            store,
            audio_dir: audio_dir.into(),
            engines: Arc::new([Handle::new("loa-xa".into(), sender, statuses)]),
            plan: plans,
            replan,
            planner_turned: turns,
            unready: unready_now,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            limits: Arc::new(limits),
            proxy: Proxy::None,
        };
        let router = router(state.clone());
        Self {
            state,
            router,
            clock,
            tokens,
            commands,
            status: Some(status),
            plan,
            nudges,
            turned,
            unready,
            dir,
        }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    fn request(&self, who: &str, method: &str, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        match self.tokens.get(who) {
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(self.request(who, "GET", path).body(Body::empty()).unwrap()).await
    }

    async fn call(&self, who: &str, method: &str, path: &str, body: Value) -> Answer {
        let request = self.request(who, method, path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn hand_in(&self, who: &str, parts: &[Part<'_>]) -> Answer {
        let request = self.request(who, "POST", "/api/v1/segments");
        let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=xxx");
        self.send(request.body(Body::from(form(parts))).unwrap()).await
    }

    /// A recording of its own pitch, handed in by the uploader.
    async fn recording(&self, pitch: f32) -> Value {
        let bytes = wav(pitch, 1.0);
        let answer = self.hand_in("uploader", &[Part::file("bài.wav", &bytes)]).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()
    }

    /// The same, approved, and in the plan.
    async fn approved(&self, pitch: f32) -> Value {
        let recording = self.recording(pitch).await;
        let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
        self.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
        let approved = self
            .call("approver", "POST", &format!("{path}/approve"), json!({"hash": recording["hash"]}))
            .await;
        assert_eq!(approved.status, StatusCode::OK, "{}", approved.text());
        self.plan.send_replace(Arc::new(plan(&self.state.store, self.clock.now())));
        approved.json()
    }

    /// Has the engine show that a cue of the schedule sounds.
    fn sounds(&self, cue: &str) {
        let now = self.clock.now();
        self.status.as_ref().unwrap().send_modify(|status| {
            status.layer = Layer::Scheduled;
            status.on_air = Some(OnAir {
                cue: cue.parse().unwrap(),
                title: "Cầm tay chỉ việc".to_owned(),
                segment: "0707070707070707".into(),
                segment_title: "Quét mã QR".to_owned(),
                since: now,
                until: now,
            });
        });
    }

    /// What people did, in order, without the times.
    fn acts(&self) -> Vec<(String, String, String)> {
        let mut acts = self.state.store.acts(Timestamp::MIN, Timestamp::MAX, 100).unwrap();
        acts.reverse();
        acts.into_iter().map(|act| (act.by, act.what, act.subject)).collect()
    }

    /// Files in `audio/`, and those that are still coming.
    fn files(&self) -> usize {
        let count = |dir: &Path| {
            std::fs::read_dir(dir)
                .map_or(0, |dir| dir.filter(|entry| entry.as_ref().unwrap().path().is_file()).count())
        };
        count(&self.state.audio_dir) + count(&self.state.audio_dir.join(".incoming"))
    }
}

fn plan(store: &Store, now: Timestamp) -> Plan {
    plan_of(STATION, WEEK, store, now)
}

fn plan_of(station: &str, week: &str, store: &Store, now: Timestamp) -> Plan {
    let sources = Sources { station: Some(station.to_owned()), week: Some(week.to_owned()), days: None };
    let schedule = schedule::read(&sources).unwrap();
    let catalog = store.catalog().unwrap();
    let window = Window { from: now, to: now + SignedDuration::from_hours(24 * 8) };
    let timeline = compile(&schedule, &catalog, &History::default(), &"loa-xa".into(), window);
    Plan {
        schedule: Arc::new(schedule),
        catalog,
        timelines: vec![Arc::new(timeline)],
        problems: Arc::default(),
        at: now,
    }
}

fn idle(at: Timestamp) -> Status {
    Status {
        output: "loa-xa".into(),
        at,
        layer: Layer::Silence,
        on_air: None,
        next: None,
        interrupts: Vec::new(),
        peak_dbfs: -120.0,
        device: "null".to_owned(),
        up: true,
        amplifier: false,
        amplifier_fails: false,
        files_hang: false,
        clock: ClockHealth::Synchronised,
        starved: 0,
        unlogged: 0,
        kept: Arc::default(),
        poised: None,
    }
}

/// Has the store's writer hang until something is sent, as where another program locks the database.
fn hang(site: &Site) -> SyncSender<()> {
    let ((free, freed), (begin, begun)) = (sync_channel(1), sync_channel(1));
    let store = site.state.store.clone();
    let upload = Upload {
        id: "hang".to_owned(),
        person: "nobody".to_owned(),
        origin: "192.0.2.7".to_owned(),
        name: "x.ogg".to_owned(),
        bytes: 1,
        metadata: String::new(),
        created: site.clock.now(),
        verdict: None,
    };
    let hangs = move |_: &[Upload]| {
        begin.send(()).unwrap();
        freed.recv().is_err()
    };
    std::thread::spawn(move || store.add_upload(upload, hangs));
    begun.recv().unwrap();
    free
}

/// What the engine is told first, within ten seconds.
async fn first_command(site: &Site) -> Command {
    let first = async {
        loop {
            match site.commands.try_recv() {
                Ok(command) => return command,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), first).await.expect("the engine was told nothing")
}

/// A part of a form.
struct Part<'a> {
    name: &'a str,
    file: Option<&'a str>,
    bytes: &'a [u8],
}

impl<'a> Part<'a> {
    fn file(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name: "file", file: Some(name), bytes }
    }

    fn word(name: &'a str, text: &'a str) -> Self {
        Self { name, file: None, bytes: text.as_bytes() }
    }
}

fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        let file = part.file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.extend(
            format!("--xxx\r\nContent-Disposition: form-data; name=\"{}\"{file}\r\n\r\n", part.name).bytes(),
        );
        body.extend(part.bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--xxx--\r\n");
    body
}

/// A tone, 16 kHz mono.
fn wav(pitch: f32, seconds: f32) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a short tone"
    )]
    for frame in 0..(seconds * 16_000.0) as u32 {
        writer.write_sample(((frame as f32 / 16_000.0 * pitch * TAU).sin() * 8_000.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}
