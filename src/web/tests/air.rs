//! Taking the air, and seeing what is on it.

use futures_util::StreamExt as _;

use super::air_pages::Tab;
use super::*;
use crate::engine::handle::InForce;
use crate::media::seal::{Seal, Seals};
use crate::segment::{FileTrouble, Genre, Segment};
use crate::sequencer::{Interrupt, Repeats};
use crate::timeline::fixture;
use crate::web::air::is_right;

pub(super) fn ordered(site: &Site) -> Arc<Interrupt> {
    let command = site.commands.try_recv().unwrap();
    let Command::Interrupt(interrupt) = command else { panic!("no interrupt but {command:?}") };
    interrupt
}

/// An interrupt as the engine shows it while it sounds.
pub(super) fn in_force(what: &Interrupt) -> InForce {
    let since: Timestamp = NOW.parse().unwrap();
    crate::sequencer::InForce { what, since, airing: 0, on_air: true, next: None }.into()
}

#[tokio::test]
async fn an_approved_recording_takes_the_air() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let order = json!({"segment": recording["id"], "layer": "live"});
    let answer = site.call("operator", "POST", "/api/v1/interrupts", order).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert_eq!(answer.json()["outputs"], json!(["loa-xa"]));
    let interrupt = ordered(&site);
    assert_eq!(
        (interrupt.layer, interrupt.by.as_str(), interrupt.repeats),
        (Layer::Live, "operator", Repeats::ONCE)
    );
    assert_eq!(interrupt.id.as_str(), answer.json()["id"]);
    assert_eq!(interrupt.segment.id.as_str(), recording["id"]);
    let expected = -18.0 - recording["loudness_lufs"].as_f64().unwrap();
    assert!((interrupt.gain_db - expected).abs() < 1e-6);
    let act = site.acts().pop().unwrap();
    assert_eq!((act.0.as_str(), act.1.as_str()), ("operator", "interrupt.live"));
    assert_eq!(act.2, format!("{} {}", interrupt.id, interrupt.segment.id));
}

#[tokio::test]
async fn what_is_ordered_is_logged_with_its_programmes_area_and_kind() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    let order = json!({"segment": recording["id"], "layer": "live"});
    let described = async |words: Value| {
        let answer = site.call("approver", "PATCH", &path, words).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        site.plan.send_replace(Arc::new(plan(&site.state.store, site.clock.now())));
        site.call("operator", "POST", "/api/v1/interrupts", order.clone()).await;
        let interrupt = ordered(&site);
        (interrupt.topic.as_deref().map(str::to_owned), interrupt.genre)
    };
    let kind = described(json!({"programme": "cam-tay-chi-viec"})).await;
    assert_eq!(kind, (Some("II.2".to_owned()), Some(Genre::Feature)));
    let kind = described(json!({"topic": "II.3", "genre": "correction"})).await;
    assert_eq!(kind, (Some("II.3".to_owned()), Some(Genre::Correction)));
}

/// Knows one seal.
#[derive(Debug)]
struct Sealed(Seal);

impl Seals for Sealed {
    fn seal(&self, _id: &SegmentId) -> Option<Seal> {
        Some(self.0.clone())
    }
}

#[test]
fn of_a_file_too_long_to_be_read_its_beginning_middle_end_and_length_are_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dài.wav");
    let write =
        |bytes: &[u8]| io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), bytes).unwrap();
    let bytes: Vec<u8> = (0..9_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    write(&bytes);
    let (hash, seal) = Seal::of(&mut std::fs::File::open(&path).unwrap()).unwrap();
    let segment = Segment { hash, ..fixture::segment("dai", "tin", 60) };
    let (seals, right) = (Sealed(seal), |seals: &Sealed| is_right(&path, &segment, seals).unwrap());
    assert!(right(&seals));
    for changed in [10, 4_500_000, 8_999_999] {
        let mut other = bytes.clone();
        other[changed] ^= 1;
        write(&other);
        assert!(!right(&seals), "{changed}");
    }
    write(&bytes[..8_500_000]);
    assert!(!right(&seals), "it is shorter");
    std::fs::remove_file(&path).unwrap();
    assert!(!right(&seals), "it is gone");
}

async fn health(site: &Site) -> (u16, Value) {
    let answer = site.get("", "/api/v1/health").await;
    (answer.status.as_u16(), answer.json()["wrong"].clone())
}

#[tokio::test]
async fn an_order_is_answered_while_the_disk_hangs_and_its_act_is_kept() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let tab = Tab::of(&site, "auditor");
    let freed = hang(&site);
    let order = json!({"segment": recording["id"], "layer": "emergency"});
    let ordered_by = site.call("operator", "POST", "/api/v1/interrupts", order);
    let answer = tokio::time::timeout(Duration::from_secs(10), ordered_by).await.expect("it is answered");
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert_ne!(site.acts().pop().unwrap().1, "interrupt.emergency", "the disk still hangs");
    assert_eq!(health(&site).await, (503, json!(["act-unkept"])), "a start would not go on with it");
    let page = tab.get("/").await.text();
    assert!(page.contains("vừa được thực hiện trên loa, nhưng máy chưa ghi được"), "{page}");
    freed.send(()).unwrap();
    let kept = async {
        while site.acts().pop().unwrap().1 != "interrupt.emergency" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), kept).await.expect("the act is kept");
    let told = async { while health(&site).await != (200, json!([])) {} };
    tokio::time::timeout(Duration::from_secs(10), told).await.expect("and nothing is wrong any more");
}

#[tokio::test]
async fn an_emergency_repeats_as_the_decision_says_and_is_called_off() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let order = json!({"segment": recording["id"], "layer": "emergency", "repeats": {"at_most": 48}, "output": "loa-xa"});
    let answer = site.call("approver", "POST", "/api/v1/interrupts", order).await;
    let interrupt = ordered(&site);
    let (soon, then) = (SignedDuration::from_mins(5), SignedDuration::from_mins(30));
    assert_eq!(interrupt.repeats, Repeats { at_most: Some(48), soon, close: 2, then });

    let address = answer.header(header::LOCATION);
    // Before the engine shows it, the call goes through all the same.
    let early = site.call("approver", "DELETE", address, json!({})).await;
    assert_eq!(early.status, StatusCode::NO_CONTENT, "{}", early.text());
    assert!(matches!(site.commands.try_recv(), Ok(Command::CallOff(id)) if id == interrupt.id));
    assert_eq!(site.acts().pop().unwrap().1, "interrupt.call-off", "an act, whatever comes of it");
    let acts = site.acts().len();
    let never = site.call("approver", "DELETE", "/api/v1/interrupts/20261123T000000Z-00000000", json!({}));
    assert_eq!(never.await.problem(), refused(404, "no-such-interrupt"));
    assert!(matches!(site.commands.try_recv(), Ok(Command::CallOff(_))));
    assert_eq!(site.acts().len(), acts, "what was never ordered was not called off");
    site.status.as_ref().unwrap().send_modify(|status| status.interrupts.push(in_force(&interrupt)));
    assert_eq!(site.call("approver", "DELETE", address, json!({})).await.status, StatusCode::NO_CONTENT);
    assert!(matches!(site.commands.try_recv(), Ok(Command::CallOff(id)) if id == interrupt.id));
    assert_eq!(site.acts().pop().unwrap().1, "interrupt.call-off");
}

#[tokio::test]
async fn a_call_off_is_answered_as_done_while_the_disk_hangs_and_nobody_knows_whether_there_was_an_order() {
    let site = Site::new();
    let freed = hang(&site);
    let called_off =
        site.call("approver", "DELETE", "/api/v1/interrupts/20261123T010000Z-00000001", json!({}));
    assert_eq!(called_off.await.status, StatusCode::NO_CONTENT);
    assert!(matches!(site.commands.try_recv(), Ok(Command::CallOff(_))), "the engine was told");
    freed.send(()).unwrap();
}

#[tokio::test]
async fn what_may_not_air_is_not_ordered() {
    let site = Site::new();
    let draft = site.recording(300.0).await;
    let approved = site.approved(440.0).await;
    let order = |layer: &str| json!({"segment": approved["id"], "layer": layer});
    let cases = [
        ("operator", json!({"segment": draft["id"], "layer": "emergency"}), 409, "not-approved"),
        ("operator", json!({"segment": "none", "layer": "live"}), 404, "no-such-segment"),
        ("operator", json!({"segment": "../x", "layer": "live"}), 404, "no-such-segment"),
        ("operator", json!({"segment": approved["id"], "layer": "scheduled"}), 400, "malformed"),
        (
            "operator",
            json!({"segment": approved["id"], "layer": "live", "output": "none"}),
            404,
            "no-such-output",
        ),
        (
            "operator",
            json!({"segment": approved["id"], "layer": "live", "repeats": {"at_most": 0}}),
            422,
            "bad-field",
        ),
        (
            "operator",
            json!({"segment": approved["id"], "layer": "live", "repeats": {"at_most": 2, "soon_min": 0}}),
            422,
            "bad-field",
        ),
        ("approver", order("live"), 403, "not-permitted"),
        ("uploader", order("emergency"), 403, "not-permitted"),
    ];
    for (who, order, status, code) in cases {
        let answer = site.call(who, "POST", "/api/v1/interrupts", order.clone()).await;
        assert_eq!(answer.problem(), refused(status, code), "{order}");
    }
    let path = format!("/api/v1/segments/{}", approved["id"].as_str().unwrap());
    site.call("approver", "PATCH", &path, json!({"valid_until": "2026-11-22"})).await;
    site.plan.send_replace(Arc::new(plan(&site.state.store, site.clock.now())));
    let answer = site.call("operator", "POST", "/api/v1/interrupts", order("emergency")).await;
    assert_eq!(answer.problem(), refused(409, "not-valid-today"));
    assert!(site.commands.try_recv().is_err());
}

#[tokio::test]
async fn what_has_no_file_is_not_ordered_unless_it_is_kept_in_memory() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    let words = json!({"programme": "cam-tay-chi-viec"});
    assert_eq!(site.call("uploader", "PATCH", &path, words).await.status, StatusCode::OK);
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    let hash = json!({"hash": recording["hash"]});
    site.call("approver", "POST", &format!("{path}/approve"), hash).await;
    let file = site.state.audio_dir.join(recording["file"].as_str().unwrap());
    let order = || async {
        let order = json!({"segment": recording["id"], "layer": "emergency"});
        site.call("operator", "POST", "/api/v1/interrupts", order).await
    };
    let confirm = format!(
        "/phat-ngay/xac-nhan?segment={}&rank=emergency&repeat=once",
        recording["id"].as_str().unwrap()
    );
    let tab = Tab::of(&site, "operator");

    // What is to be kept in memory may have found no place there.
    let known = |trouble: Option<FileTrouble>| {
        let mut plan = plan(&site.state.store, site.clock.now());
        Arc::make_mut(&mut plan.schedule).programmes.get_mut(&"cam-tay-chi-viec".into()).unwrap().ready =
            true;
        let troubles = trouble.map(|trouble| (recording["id"].as_str().unwrap().into(), trouble));
        plan.catalog = Arc::new(plan.catalog.with_troubles(troubles.into_iter().collect()));
        site.plan.send_replace(Arc::new(plan));
    };
    known(None);
    let page = tab.get(&confirm).await.text();
    let id = air_pages::hidden(&page, "id");
    known(Some(FileTrouble::FileChanged));
    assert_eq!(order().await.problem(), refused(404, "file-gone"), "it is known to be another");
    known(Some(FileTrouble::FileUnreadable));
    assert_eq!(order().await.problem(), refused(500, "file-unreadable"), "it is known to have wrong rights");
    let page = tab.get("/phat-ngay").await.text();
    assert!(
        page.contains("Máy không đọc được tệp của bản ghi “bài”, nên chưa phát khẩn cấp được."),
        "{page}"
    );
    known(None);
    let right = std::fs::read(&file).unwrap();
    io::Write::write_all(&mut std::fs::File::create(&file).unwrap(), &right[..right.len() / 2]).unwrap();
    assert_eq!(order().await.problem(), refused(404, "file-gone"), "it is another, and nobody knew");
    std::fs::remove_file(&file).unwrap();
    for trouble in [None, Some(FileTrouble::FileMissing)] {
        known(trouble);
        assert_eq!(order().await.problem(), refused(404, "file-gone"), "{trouble:?}");
        let page = tab.get(&confirm).await;
        assert!(page.text().contains("tệp âm thanh không còn trên máy"), "{}", page.text());
    }
    let button = confirm.replace('&', "&amp;").replace("once", "until");
    for path in ["/phat-ngay", "/"] {
        let list = tab.get(path).await.text();
        let why = "Tệp của bản ghi “bài” bị mất, nên chưa phát khẩn cấp được.";
        assert!(list.contains(why) && !list.contains(&button), "{path}: {list}");
    }
    let segment = recording["id"].as_str().unwrap();
    let fields = [("id", id), ("segment", segment), ("rank", "emergency"), ("repeat", "once")];
    let status = site.status.as_ref().unwrap();
    assert!(matches!(site.commands.try_recv(), Ok(Command::Poise(_))));
    assert_eq!(tab.post("/phat-ngay", &fields).await.status, StatusCode::NOT_FOUND);
    assert!(site.commands.try_recv().is_err(), "nothing of this reached the engine");
    // What stood open when the page asked needs no file any more; nor does what is on the air, pressed again.
    status.send_modify(|status| status.poised = Some(segment.into()));
    assert_eq!(tab.post("/phat-ngay", &fields).await.status, StatusCode::SEE_OTHER);
    let interrupt = ordered(&site);
    assert_eq!(interrupt.id.as_str(), id);
    status.send_modify(|status| {
        status.poised = None;
        status.interrupts.push(in_force(&interrupt));
    });
    assert_eq!(tab.post("/phat-ngay", &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(ordered(&site).id, interrupt.id);
    status.send_modify(|status| status.interrupts.clear());
    assert_eq!(order().await.problem(), refused(404, "file-gone"));

    status.send_modify(|status| status.kept = Arc::new([segment.into()].into()));
    let list = tab.get("/phat-ngay").await.text();
    assert!(list.contains(&button) && !list.contains("chưa phát khẩn cấp được"), "{list}");
    assert_eq!(tab.get(&confirm).await.status, StatusCode::OK);
    assert!(matches!(site.commands.try_recv(), Ok(Command::Poise(_))));
    assert_eq!(order().await.status, StatusCode::ACCEPTED);
    assert_eq!(ordered(&site).segment.id.as_str(), recording["id"]);
}

#[tokio::test]
async fn quiet_hours_hold_for_all_but_an_emergency() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    site.clock.step_to("2026-11-23T20:15:00Z".parse().unwrap());
    let order = |layer: &str| json!({"segment": recording["id"], "layer": layer});
    let live = site.call("operator", "POST", "/api/v1/interrupts", order("live")).await;
    assert_eq!(live.problem(), refused(409, "quiet-hours"));
    assert!(site.commands.try_recv().is_err());
    let emergency = site.call("operator", "POST", "/api/v1/interrupts", order("emergency")).await;
    assert_eq!(emergency.status, StatusCode::ACCEPTED);
    assert_eq!(ordered(&site).layer, Layer::Emergency);
}

#[tokio::test]
async fn an_engine_that_is_full_or_gone_says_so_at_once() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    while site.state.engines[0].send(Command::StopCue(None)).is_ok() {}
    let order = json!({"segment": recording["id"], "layer": "emergency"});
    let answer = site.call("operator", "POST", "/api/v1/interrupts", order.clone()).await;
    assert_eq!(answer.problem(), refused(503, "engine-busy"));
    let Site { router, tokens, commands, .. } = &site;
    let (router, token) = (router.clone(), tokens["operator"].clone());
    while commands.try_recv().is_ok() {}
    let stop = site.call("operator", "POST", "/api/v1/outputs/loa-xa/stop", json!({})).await;
    assert_eq!(stop.problem(), refused(409, "not-on-air"));
    assert!(
        site.commands.try_recv().is_err() && site.acts().iter().all(|(_, what, _)| what != "output.stop")
    );
    site.sounds("2026-11-23/sang/chuyen-muc/0");
    assert_eq!(
        site.call("operator", "POST", "/api/v1/outputs/loa-xa/stop", json!({})).await.status,
        StatusCode::ACCEPTED
    );
    let Ok(Command::StopCue(Some(cue))) = site.commands.try_recv() else { panic!("nothing is stopped") };
    assert_eq!(cue.to_string(), "2026-11-23/sang/chuyen-muc/0", "what came after it goes on");
    assert_eq!(
        site.call("operator", "POST", "/api/v1/outputs/none/stop", json!({})).await.problem(),
        refused(404, "no-such-output")
    );
    site.status.as_ref().unwrap().send_modify(|status| status.layer = Layer::Emergency);
    let answer = site.call("operator", "POST", "/api/v1/outputs/loa-xa/stop", json!({})).await;
    assert_eq!(answer.problem(), refused(409, "interrupt-on-air"));
    assert!(site.commands.try_recv().is_err(), "it is called off, not stopped");
    site.status.as_ref().unwrap().send_modify(|status| status.layer = Layer::Scheduled);
    // The engine's end of the queue goes with the rest.
    let Site { commands, state, dir, .. } = site;
    drop(commands);
    let request =
        Request::post("/api/v1/outputs/loa-xa/stop").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop((state, dir));
}

#[tokio::test]
async fn events_show_the_status_at_once_and_then_four_times_a_second_at_most() {
    let limits = Limits { heartbeat: Duration::from_millis(400), ..Limits::default() };
    let site = Site::with(limits, Bounds::default());
    let request = site.request("auditor", "GET", "/api/v1/events").body(Body::empty()).unwrap();
    let response = site.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut events = response.into_body().into_data_stream();
    let mut next = async || String::from_utf8(events.next().await.unwrap().unwrap().to_vec()).unwrap();
    let first = next().await;
    assert!(
        first.starts_with("event: status\ndata: [") && first.contains("\"layer\":\"silence\""),
        "{first}"
    );

    let status = site.status.as_ref().unwrap();
    let begun = tokio::time::Instant::now();
    for starved in 1..=5 {
        for change in 0..3 {
            status.send_modify(|status| status.starved = starved * 10 + change);
        }
        let event = next().await;
        assert!(
            event.contains(&format!("\"starved\":{}", starved * 10 + 2)),
            "only the newest is shown: {event}"
        );
    }
    assert!(begun.elapsed().as_millis() >= 5 * 250, "{:?}", begun.elapsed());
    assert!(next().await.starts_with(':'), "a comment keeps the connection");
}

#[tokio::test]
async fn events_end_soon_after_the_token_or_the_login_of_who_listens() {
    let (look_again, heartbeat) = (Duration::from_millis(20), Duration::from_millis(200));
    let site = Site::with(Limits { look_again, heartbeat, ..Limits::default() }, Bounds::default());
    let listen = async |request: axum::http::request::Builder| {
        let response = site.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let mut events = response.into_body().into_data_stream();
        assert!(events.next().await.unwrap().unwrap().starts_with(b"event: status"));
        assert!(events.next().await.unwrap().unwrap().starts_with(b":"), "it goes on");
        events
    };
    let with_cookie = |secret: &dyn std::fmt::Display| {
        Request::get("/api/v1/events").header(header::COOKIE, format!("loa={secret}"))
    };
    let (store, now) = (&site.state.store, site.clock.now());
    let [out, late] = [(); 2].map(|()| store.sign_in("operator", now).unwrap());
    let token = listen(site.request("auditor", "GET", "/api/v1/events")).await;
    let signed_out = listen(with_cookie(&out)).await;
    let too_old = listen(with_cookie(&late)).await;
    let ends = async |mut events: axum::body::BodyDataStream, why: &str| {
        // What was on its way may still come.
        let rest = async { while events.next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(10), rest).await.expect(why);
    };
    store.revoke_user("auditor", now).unwrap();
    ends(token, "they left").await;
    store.sign_out(&out.to_string()).unwrap();
    ends(signed_out, "they signed out").await;
    site.clock.advance(Duration::from_secs(31 * 86_400));
    ends(too_old, "the login is too old").await;
}

#[tokio::test]
async fn the_status_says_what_sounds() {
    let site = Site::new();
    site.sounds("2026-11-23/sang/chuyen-muc/0");
    let status = site.get("uploader", "/api/v1/status").await.json();
    assert_eq!(
        (&status["at_local"], &status["station"]),
        (&json!("2026-11-23T08:00:00.000+07:00"), &json!("Đài truyền thanh xã"))
    );
    let output = &status["outputs"][0];
    assert_eq!(
        (&output["on_air"]["segment_title"], &output["layer_text"]),
        (&json!("Quét mã QR"), &json!("thông thường"))
    );
    assert_eq!((&output["running"], &status["plan"]["problems"]), (&json!(true), &json!([])));
}

#[tokio::test]
async fn a_broken_schedule_is_told_in_words() {
    let site = Site::new();
    let sources = Sources { station: Some("name = 1".to_owned()), week: None, days: None };
    let problems = schedule::read(&sources).unwrap_err();
    let broken = Plan { problems: Arc::new(problems), ..(**site.plan.borrow()).clone() };
    site.plan.send_replace(Arc::new(broken));
    let status = site.get("uploader", "/api/v1/status").await.json();
    assert!(status["plan"]["problems"][0]["text"].as_str().unwrap().contains("station.toml"));
    let health = site.get("", "/api/v1/health").await;
    assert_eq!(
        (health.status, health.json()["wrong"][0].clone()),
        (StatusCode::OK, json!("schedule-broken"))
    );
}

#[tokio::test]
async fn the_timeline_shows_what_will_sound_and_what_will_not() {
    let site = Site::new();
    let empty = site.get("uploader", "/api/v1/timeline?from=2026-11-30").await.json();
    let line = &empty["outputs"][0];
    assert_eq!((&empty["time_zone"], &line["output"]), (&json!("Asia/Ho_Chi_Minh"), &json!("loa-xa")));
    assert_eq!(line["blocks"][0]["start_local"], "2026-11-30T05:30:00.000+07:00");
    assert_eq!(line["blocks"][0]["cues"][0]["absence"]["why"], "missing");
    let finding = &line["findings"][0];
    assert_eq!((&finding["code"], &finding["severity"]), (&json!("absent"), &json!("error")));
    assert!(finding["text"].as_str().unwrap().contains("30/11"), "{finding}");

    let recording = site.approved(440.0).await;
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    site.call("approver", "PATCH", &path, json!({"programme": "cam-tay-chi-viec"})).await;
    site.plan.send_replace(Arc::new(plan(&site.state.store, site.clock.now())));
    // Within the plan's window, and beyond it.
    for monday in ["2026-11-30", "2027-02-01"] {
        let full = site
            .get("uploader", &format!("/api/v1/timeline?from={monday}&days=7&output=loa-xa"))
            .await
            .json();
        let cue = &full["outputs"][0]["blocks"][0]["cues"][0];
        assert_eq!(cue["id"], format!("{monday}/sang/chuyen-muc/0"));
        assert_eq!((&cue["segment"], &cue["duration_ms"]), (&recording["id"], &json!(1000)));
        assert_eq!(full["outputs"][0]["blocks"].as_array().unwrap().len(), 1);
    }
    for (query, status, code) in [
        ("output=none", 404, "no-such-output"),
        ("days=0", 422, "bad-field"),
        ("days=400", 422, "bad-field"),
        ("from=soon", 422, "bad-field"),
        ("from=9999-12-31&days=31", 422, "bad-field"),
    ] {
        assert_eq!(
            site.get("uploader", &format!("/api/v1/timeline?{query}")).await.problem(),
            refused(status, code),
            "{query}"
        );
    }
}

#[tokio::test]
async fn health_says_what_is_wrong() {
    let mut site = Site::new();
    assert_eq!(health(&site).await, (200, json!([])));
    site.status.as_ref().unwrap().send_modify(|status| status.up = false);
    assert_eq!(health(&site).await, (503, json!(["output-down:loa-xa"])));
    site.status
        .as_ref()
        .unwrap()
        .send_modify(|status| (status.up, status.clock) = (true, ClockHealth::Wrong));
    assert_eq!(health(&site).await, (503, json!(["clock-wrong"])));
    let change = |site: &Site, clock, unlogged| {
        let status = site.status.as_ref().unwrap();
        status.send_modify(|status| (status.clock, status.unlogged) = (clock, unlogged));
    };
    change(&site, ClockHealth::Synchronised, 9);
    assert_eq!(health(&site).await, (503, json!(["log-behind:loa-xa"])));
    change(&site, ClockHealth::Synchronised, 0);
    let (file, aside) = (site.state.store.file(), site.state.store.dir().join("aside"));
    std::fs::rename(&file, &aside).unwrap();
    assert_eq!(health(&site).await, (503, json!(["database-gone"])));
    let page = Tab::of(&site, "auditor").get("/").await.text();
    assert!(page.contains("Tệp dữ liệu của đài"), "{page}");
    std::fs::rename(&aside, &file).unwrap();
    assert_eq!(health(&site).await, (200, json!([])));
    let lost = site.state.store.dir().join("log-head.lost");
    drop(std::fs::File::create(&lost).unwrap());
    assert_eq!(health(&site).await, (503, json!(["database-new"])));
    let page = Tab::of(&site, "auditor").get("/").await.text();
    assert!(page.contains("máy tạo một tệp trống"), "{page}");
    std::fs::remove_file(&lost).unwrap();
    site.unready.send_replace(BTreeSet::from(["lu".into()]));
    assert_eq!(health(&site).await, (200, json!(["unready"])));
    let page = Tab::of(&site, "auditor").get("/").await.text();
    assert!(page.contains("chưa đọc được vào bộ nhớ"), "{page}");
    site.unready.send_replace(BTreeSet::new());
    site.clock.advance(Duration::from_secs(60));
    assert_eq!(health(&site).await, (503, json!(["engine-hangs:loa-xa", "planner-stuck"])));
    let page = Tab::of(&site, "auditor").get("/").await.text();
    assert!(page.contains("Máy không lập được lịch chạy mới"), "{page}");
    site.turned.send_replace(site.clock.elapsed());
    assert_eq!(health(&site).await, (503, json!(["engine-hangs:loa-xa"])));
    let mut more = schedule::Schedule::clone(&site.plan.borrow().schedule);
    more.outputs.push(schedule::Output { id: "loa-2".into(), ..more.outputs[0].clone() });
    let before = site.plan.borrow().clone();
    site.plan.send_replace(Arc::new(Plan { schedule: Arc::new(more), ..Plan::clone(&before) }));
    assert_eq!(health(&site).await, (503, json!(["engine-hangs:loa-xa", "no-engine:loa-2"])));
    site.plan.send_replace(before);
    change(&site, ClockHealth::Wrong, 0);
    site.status = None;
    site.clock.step_to("2027-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(health(&site).await, (503, json!(["engine-ended:loa-xa", "clock-wrong", "plan-ended"])));
}

#[tokio::test]
async fn numbers_are_for_the_machine_itself_or_for_a_token() {
    let site = Site::new();
    site.approved(440.0).await;
    let text = site.get("auditor", "/metrics").await.text();
    for line in [
        "loa_output_up{output=\"loa-xa\"} 1",
        "loa_on_air{output=\"loa-xa\"} 0",
        "loa_peak_dbfs{output=\"loa-xa\"} -120",
        "loa_starved_frames_total{output=\"loa-xa\"} 0",
        "loa_segments{state=\"approved\"} 1",
        "loa_plan_findings{severity=\"error\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    let from = async |address: &str, forwarded: bool| {
        let mut request = Request::get("/metrics").body(Body::empty()).unwrap();
        request.extensions_mut().insert(axum::extract::ConnectInfo(Peer(address.parse().unwrap())));
        if forwarded {
            request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("203.0.113.9"));
        }
        site.send(request).await.status
    };
    assert_eq!(from("127.0.0.1:9", false).await, StatusCode::OK);
    assert_eq!(from("[::1]:9", false).await, StatusCode::OK);
    assert_eq!(from("127.0.0.1:9", true).await, StatusCode::UNAUTHORIZED);
    assert_eq!(from("192.168.1.7:9", false).await, StatusCode::UNAUTHORIZED);
}
