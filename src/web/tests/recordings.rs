//! Recordings over HTTP: in, described, approved, heard, withdrawn.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::air_pages::{Tab, hidden};
use super::*;

#[tokio::test]
async fn a_recording_comes_in_as_a_draft_whatever_the_order_of_the_form() {
    let site = Site::new();
    let bytes = wav(440.0, 1.0);
    let words = [
        Part::word("title", "  Quét mã QR  "),
        Part::word("programme", "cam-tay-chi-viec"),
        Part::file("ghi âm.wav", &bytes),
        Part::word("genre", "feature"),
        Part::word("week", "2026-11-26"),
        Part::word("author", ""),
    ];
    let answer = site.hand_in("uploader", &words).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let recording = answer.json();
    assert_eq!(
        answer.header(header::LOCATION),
        format!("/api/v1/segments/{}", recording["id"].as_str().unwrap())
    );
    let expected = json!({"title": "Quét mã QR", "programme": "cam-tay-chi-viec", "genre": "feature", "week": "2026-11-23",
        "author": null, "state": "draft", "added_by": "uploader", "duration_ms": 1000, "sample_rate": 16000, "remarks": []});
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&recording[field], value, "{field}");
    }
    assert_eq!(site.get("auditor", answer.header(header::LOCATION)).await.json(), recording);
    assert_eq!(
        site.acts(),
        [("uploader".into(), "segment.add".into(), recording["id"].as_str().unwrap().into())]
    );
    assert!(site.nudges.try_recv().is_ok());
    assert_eq!(site.files(), 1);
}

#[tokio::test]
async fn a_name_that_comes_decomposed_becomes_a_title_as_people_type_it() {
    let site = Site::new();
    let bytes = wav(440.0, 1.0);
    let made = site.hand_in("uploader", &[Part::file("ba\u{309}n tin.wav", &bytes)]).await.json();
    assert_eq!((&made["title"], &made["file"]), (&json!("bản tin"), &json!("bản tin.wav")));
}

#[tokio::test]
async fn the_same_bytes_again_are_the_same_recording() {
    let site = Site::new();
    let first = site.recording(440.0).await;
    let bytes = wav(440.0, 1.0);
    let again =
        site.hand_in("approver", &[Part::file("khác.wav", &bytes), Part::word("title", "Khác")]).await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, first));
    assert_eq!((site.files(), site.acts().len()), (1, 1));
}

#[tokio::test]
async fn the_right_bytes_again_put_back_a_file_that_was_changed_and_it_is_said() {
    let site = Site::new();
    let first = site.recording(440.0).await;
    let (bytes, strange) = (wav(440.0, 1.0), wav(99.0, 1.0));
    let file = site.state.audio_dir.join("bài.wav");
    let change = || {
        std::fs::File::create(&file).and_then(|mut file| io::Write::write_all(&mut file, &strange)).unwrap();
    };
    change();
    let again = site.hand_in("approver", &[Part::file("khác.wav", &bytes)]).await;
    assert_eq!((again.status, &again.json()["file"]), (StatusCode::OK, &first["file"]));
    let remark = again.json()["remarks"][0].as_str().unwrap().to_owned();
    assert!(remark.contains("“bài-2.wav”") && remark.contains("đặt lại đúng tệp"), "{remark}");
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
    assert_eq!(std::fs::read(site.state.audio_dir.join("bài-2.wav")).unwrap(), strange);

    change();
    let tab = Tab::of(&site, "approver");
    let sent = Request::post("/ban-ghi/gui")
        .header(header::COOKIE, &tab.cookie)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=xxx")
        .body(Body::from(form(&[Part::word("key", &tab.key), Part::file("khác.wav", &bytes)])));
    assert_eq!(site.send(sent.unwrap()).await.status, StatusCode::SEE_OTHER);
    let page = tab.get("/ban-ghi/gui").await.text();
    assert!(page.contains("“bài-3.wav”") && page.contains("giữ nguyên"), "{page}");
    let page = tab.get(&format!("/ban-ghi/{}", first["id"].as_str().unwrap())).await.text();
    assert!(page.contains("giữ tệp lạ với tên: “bài-2.wav”"), "{page}");
}

#[tokio::test]
async fn what_cannot_air_is_refused_and_leaves_nothing() {
    let site = Site::with(Limits::default(), Bounds { max_bytes: 60_000, ..Bounds::default() });
    let (sound, long) = (wav(440.0, 1.0), wav(440.0, 2.0));
    let (silence, too_long) = (wav(0.0, 1.0), "x".repeat(301));
    let cases: [(&[Part<'_>], u16, &str); 16] = [
        (&[Part::file("a.wav", &long)], 413, "too-large"),
        (&[Part::file("a.wav", b"")], 422, "recording-empty"),
        (&[Part::file("a.mp3", b"not a sound at all")], 422, "recording-not-audio"),
        (&[Part::file("a.wav", &silence)], 422, "recording-silent"),
        (&[Part::file("a.wav", &sound[..20_000])], 422, "recording-truncated"),
        (&[Part::word("title", "x")], 422, "no-file"),
        (&[], 422, "no-file"),
        (&[Part::file("a.wav", &sound), Part::file("b.wav", &sound)], 422, "bad-field"),
        (&[Part::file("a.wav", &sound), Part::word("genre", "opera")], 422, "bad-field"),
        (&[Part::file("a.wav", &sound), Part::word("colour", "red")], 422, "bad-field"),
        (&[Part::file("a.wav", &sound), Part::word("topic", "II.7")], 422, "bad-field"),
        (&[Part::file("a.wav", &sound), Part::word("title", &too_long)], 422, "bad-field"),
        (&[Part::file("a.wav", &sound), Part::word("valid_from", "2026-13-01")], 422, "bad-field"),
        (
            &[
                Part::file("a.wav", &sound),
                Part::word("valid_from", "2026-12-01"),
                Part::word("valid_until", "2026-11-01"),
            ],
            422,
            "bad-field",
        ),
        (&[Part::file("a.wav", &sound), Part::word("valid_until", "2026-11-22")], 422, "bad-field"),
        (&[Part::file("a.wav", &sound), Part::word("programme", "none")], 422, "unknown-programme"),
    ];
    for (number, (parts, status, code)) in cases.into_iter().enumerate() {
        assert_eq!(site.hand_in("uploader", parts).await.problem(), refused(status, code), "case {number}");
        assert_eq!(site.files(), 0, "case {number}");
    }
    assert!(site.acts().is_empty() && site.state.store.catalog().unwrap().iter().next().is_none());
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let site = Site::new();
    for (kind, body, status, code) in [
        ("application/json", "{}", 415, "wrong-type"),
        ("multipart/form-data", "--xxx--", 415, "wrong-type"),
        ("multipart/form-data; boundary=xxx", "nothing of the kind", 400, "malformed"),
        (
            "multipart/form-data; boundary=xxx",
            "--xxx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF",
            400,
            "malformed",
        ),
    ] {
        let request = site.request("uploader", "POST", "/api/v1/segments").header(header::CONTENT_TYPE, kind);
        assert_eq!(
            site.send(request.body(Body::from(body)).unwrap()).await.problem(),
            refused(status, code),
            "{kind}"
        );
    }
    assert_eq!(site.files(), 0);
}

#[tokio::test]
async fn a_name_leads_nowhere_else() {
    let site = Site::new();
    let names = [
        "../../etc/passwd.wav",
        "/etc/cron.d/x.wav",
        "..\\\\..\\\\boot.wav",
        "a%00b.wav",
        ".wav",
        "đ ơ ' ; rm -rf.wav",
    ];
    for (pitch, name) in (3_u16..).zip(names) {
        let bytes = wav(f32::from(pitch) * 100.0, 1.0);
        let answer = site.hand_in("uploader", &[Part::file(name, &bytes)]).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{name}: {}", answer.text());
        let file = answer.json()["file"].as_str().unwrap().to_owned();
        assert!(!file.contains(['/', '\\', '\0']) && !file.starts_with('.'), "{name} became {file}");
        assert!(site.state.audio_dir.join(&file).is_file());
    }
    assert_eq!(site.files(), names.len());
    let outside: Vec<_> =
        std::fs::read_dir(site.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(outside.len(), 3, "{outside:?}");
}

#[tokio::test]
async fn who_goes_away_in_the_middle_leaves_nothing_behind() {
    let site = Site::new();
    let whole = form(&[Part::file("a.wav", &wav(440.0, 3.0))]);
    let upload = tokio::spawn(site.router.clone().oneshot(unfinished(&site, &whole[..20_000])));
    let arrival = async {
        while site.files() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), arrival).await.unwrap();
    upload.abort();
    assert!(upload.await.unwrap_err().is_cancelled());
    assert_eq!(site.files(), 0);
    assert_eq!(site.state.limits.uploads.free(), 4);
}

/// An upload that begins so, and then neither goes on nor ends.
fn unfinished(site: &Site, begun: &[u8]) -> Request<Body> {
    let begun = Bytes::copy_from_slice(begun);
    let body = stream::once(async move { Ok::<_, io::Error>(begun) }).chain(stream::pending());
    let request = site.request("uploader", "POST", "/api/v1/segments");
    let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=xxx");
    request.body(Body::from_stream(body)).unwrap()
}

#[tokio::test]
async fn an_upload_that_stalls_is_given_up() {
    let limits = Limits { stall: Duration::from_millis(50), ..Limits::default() };
    let site = Site::with(limits, Bounds::default());
    let whole = form(&[Part::file("a.wav", &wav(440.0, 3.0))]);
    for begun in [10, 20_000] {
        let answer = site.send(unfinished(&site, &whole[..begun])).await;
        assert_eq!(answer.problem(), refused(408, "interrupted"));
    }
    assert_eq!(site.files(), 0);
}

#[tokio::test]
async fn an_upload_that_comes_too_slowly_is_given_up() {
    let site = Site::new();
    let whole = form(&[Part::file("a.wav", &wav(440.0, 1.0))]);
    let (first, rest) = (whole[..9_000].to_vec(), whole[9_000..].to_vec());
    let clock = Arc::clone(&site.clock);
    let rest = stream::once(async move {
        // So that the form's reader does not have it before it is asked for.
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(120));
        Ok(Bytes::from(rest))
    });
    let body = Body::from_stream(stream::iter([Ok::<_, io::Error>(Bytes::from(first))]).chain(rest));
    let request = site.request("uploader", "POST", "/api/v1/segments");
    let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=xxx");
    assert_eq!(site.send(request.body(body).unwrap()).await.problem(), refused(408, "interrupted"));
    assert_eq!(site.files(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_people_hand_in_at_once() {
    let site = Site::with(Limits::with_uploads(21), Bounds::default());
    let uploads = (0..20_u16).map(|number| {
        // Every pitch comes twice.
        let bytes = wav(300.0 + f32::from(number / 2) * 50.0, 1.0);
        let request = site.request("uploader", "POST", "/api/v1/segments");
        let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=xxx");
        let body = Body::from(form(&[Part::file("cùng tên.wav", &bytes)]));
        tokio::spawn(site.router.clone().oneshot(request.body(body).unwrap()))
    });
    let mut counts = BTreeMap::new();
    for upload in uploads.collect::<Vec<_>>() {
        *counts.entry(upload.await.unwrap().unwrap().status().as_u16()).or_insert(0) += 1;
    }
    assert_eq!(counts, BTreeMap::from([(200, 10), (201, 10)]));
    assert_eq!((site.files(), site.state.store.catalog().unwrap().iter().count()), (10, 10));
}

#[tokio::test]
async fn one_upload_too_many_is_asked_to_come_again() {
    let site = Site::with(Limits::with_uploads(0), Bounds::default());
    let answer = site.hand_in("uploader", &[Part::word("title", "x")]).await;
    assert_eq!(answer.problem(), refused(503, "too-many-uploads"));
    assert_eq!(answer.header(header::RETRY_AFTER), "5");
}

#[tokio::test]
async fn a_file_is_hashed_for_an_approval_only_where_there_is_a_place_for_that() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    site.state.limits.looks.close();
    let hash = json!({"hash": recording["hash"]});
    let answer = site.call("approver", "POST", &format!("{path}/approve"), hash).await;
    assert_eq!(answer.problem(), refused(503, "busy"));
}

#[tokio::test]
async fn a_recording_goes_its_way_to_the_air_and_off_it() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    let go = async |who: &str, step: &str, body: Value| {
        site.call(who, "POST", &format!("{path}/{step}"), body).await
    };
    let hash = json!({"hash": recording["hash"]});

    assert_eq!(go("approver", "approve", hash.clone()).await.problem(), refused(409, "wrong-state"));
    assert_eq!(go("uploader", "submit", json!({})).await.json()["state"], "pending");
    assert_eq!(
        go("approver", "approve", json!({"hash": "00".repeat(32)})).await.problem(),
        refused(409, "other-bytes")
    );
    assert_eq!(go("approver", "approve", json!({"hash": "0"})).await.problem(), refused(422, "bad-field"));
    assert_eq!(go("approver", "return", json!({"reason": "  "})).await.problem(), refused(422, "bad-field"));
    assert_eq!(go("approver", "return", json!({"reason": "nhỏ quá"})).await.json()["state"], "draft");
    go("uploader", "submit", json!({})).await;
    let approved = go("approver", "approve", hash).await.json();
    assert_eq!((&approved["state"], &approved["approved_by"]), (&json!("approved"), &json!("approver")));
    assert!(site.commands.try_recv().is_err(), "approval is no command");

    let withdrawn = go("operator", "withdraw", json!({"reason": "tin sai"})).await.json();
    assert_eq!((&withdrawn["state"], &withdrawn["approved_by"]), (&json!("withdrawn"), &Value::Null));
    let told = |command: Command| matches!(command, Command::Withdraw(id) if id.as_str() == recording["id"]);
    assert!(told(site.commands.try_recv().unwrap()));
    // Again: the engine is told once more.
    assert_eq!(go("operator", "withdraw", json!({"reason": "tin sai"})).await.status, StatusCode::OK);
    assert!(told(site.commands.try_recv().unwrap()));

    let events = site.get("auditor", &format!("{path}/events")).await.json();
    let what: Vec<_> =
        events.as_array().unwrap().iter().map(|event| event["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["added", "submitted", "returned", "submitted", "approved", "withdrawn"]);
    assert_eq!(events[5]["reason"], "tin sai");
    let acts: Vec<_> = site.acts().into_iter().map(|(by, what, _)| format!("{by} {what}")).collect();
    assert_eq!(acts[..3], ["uploader segment.add", "uploader segment.submit", "approver segment.return"]);
    assert_eq!(acts[5], "operator segment.withdraw");
}

#[tokio::test]
async fn a_withdrawal_that_an_engine_did_not_hear_is_not_called_done() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    while site.state.engines[0].send(Command::StopCue(None)).is_ok() {}
    let path = format!("/api/v1/segments/{id}/withdraw");
    let answer = site.call("approver", "POST", &path, json!({"reason": "sai"})).await;
    assert_eq!(answer.problem(), refused(503, "engine-busy"));
    assert_eq!(site.get("approver", &format!("/api/v1/segments/{id}")).await.json()["state"], "withdrawn");
}

#[tokio::test]
async fn a_withdrawal_is_heard_while_the_disk_hangs() {
    let site = Site::new();
    let id = site.approved(440.0).await["id"].as_str().unwrap().to_owned();
    let freed = hang(&site);
    let path = format!("/api/v1/segments/{id}/withdraw");
    let withdrawal = site.call("approver", "POST", &path, json!({"reason": "sai"}));
    let mut withdrawal = std::pin::pin!(withdrawal);
    let told = tokio::select! {
        told = first_command(&site) => told,
        answer = &mut withdrawal => panic!("{}", answer.text()),
    };
    assert!(matches!(told, Command::Withdraw(told) if told.as_str() == id));
    freed.send(()).unwrap();
    assert_eq!(withdrawal.await.json()["state"], "withdrawn");
    assert!(site.commands.try_recv().is_err(), "it was heard the first time");
}

#[tokio::test]
async fn a_withdrawal_that_the_disk_does_not_take_is_told_and_kept_once_it_does() {
    let short = Duration::from_millis(50);
    let limits = Limits { kept: short, keep_again: short, ..Limits::default() };
    let site = Site::with(limits, Bounds::default());
    let id = site.approved(440.0).await["id"].as_str().unwrap().to_owned();
    let acts = site.acts().len();
    let raw = rusqlite::Connection::open(site.state.store.file()).unwrap();
    raw.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON segment_event BEGIN SELECT RAISE(FAIL, 'full'); END",
    )
    .unwrap();
    let health = async || site.get("", "/api/v1/health").await.json()["wrong"].clone();
    let path = format!("/api/v1/segments/{id}/withdraw");
    // Once, and again because it was not done.
    for _ in 0..2 {
        let answer = site.call("approver", "POST", &path, json!({"reason": "sai"})).await;
        assert_eq!(answer.problem(), refused(503, "withdrawal-unkept"));
        let told = site.commands.try_recv().unwrap();
        assert!(matches!(told, Command::Withdraw(told) if told.as_str() == id));
        assert_eq!(health().await, json!(["withdrawal-unkept"]));
    }
    let page = Tab::of(&site, "auditor").get("/").await.text();
    assert!(page.contains("chưa ghi được việc thu hồi"), "{page}");
    let order = json!({"segment": id, "layer": "emergency"});
    let ordered = site.call("operator", "POST", "/api/v1/interrupts", order).await;
    assert_eq!(ordered.problem(), refused(409, "not-approved"));

    raw.execute_batch("DROP TRIGGER full").unwrap();
    let kept = async { while health().await != json!([]) {} };
    tokio::time::timeout(Duration::from_secs(20), kept).await.expect("it is kept");
    assert_eq!(site.get("approver", &format!("/api/v1/segments/{id}")).await.json()["state"], "withdrawn");
    let acts = site.acts().split_off(acts);
    assert_eq!(acts, [("approver".to_owned(), "segment.withdraw".to_owned(), id)], "once");
}

#[tokio::test]
async fn nobody_approves_their_own_recording() {
    let site = Site::new();
    let bytes = wav(440.0, 1.0);
    let recording = site.hand_in("approver", &[Part::file("a.wav", &bytes)]).await.json();
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    site.call("approver", "POST", &format!("{path}/submit"), json!({})).await;
    let approve = format!("{path}/approve");
    let hash = json!({"hash": recording["hash"]});
    assert_eq!(
        site.call("approver", "POST", &approve, hash.clone()).await.problem(),
        refused(403, "own-work")
    );
    // Saved, and in force: the program does not have to begin anew for it.
    let mut plan = Plan::clone(&site.plan.borrow());
    Arc::make_mut(&mut plan.schedule).rules.approve_own_work = true;
    site.plan.send_replace(Arc::new(plan));
    assert_eq!(site.call("approver", "POST", &approve, hash).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_would_not_sound_is_not_approved() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    let approve = async || {
        let hash = json!({"hash": recording["hash"]});
        site.call("approver", "POST", &format!("{path}/approve"), hash).await
    };
    let file = site.state.audio_dir.join("bài.wav");
    std::fs::File::create(&file).unwrap();
    assert_eq!(approve().await.problem(), refused(409, "file-changed"));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(approve().await.problem(), refused(404, "file-gone"));
    // Nobody can read it, not even who may read everything.
    std::os::unix::fs::symlink("bài.wav", &file).unwrap();
    assert_eq!(approve().await.problem(), refused(500, "file-unreadable"));
    for way in ["audio", "levelled"] {
        let served = site.get("approver", &format!("{path}/{way}")).await;
        assert_eq!(served.problem(), refused(500, "file-unreadable"), "{way}");
    }
    site.hand_in("uploader", &[Part::file("bài.wav", &wav(440.0, 1.0))]).await;
    assert_eq!(approve().await.json()["state"], "approved");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(approve().await.status, StatusCode::OK, "it was before");
}

#[tokio::test]
async fn words_are_changed_one_by_one() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/segments/{id}");
    let set = async |body: Value| site.call("uploader", "PATCH", &path, body).await;
    // "e" and an acute accent, apart, as some phones write it.
    let changed =
        set(json!({"title": "Be\u{301} khỏe", "topic": "II.2", "valid_until": "2026-12-31"})).await.json();
    assert_eq!((&changed["title"], &changed["topic"]), (&json!("B\u{e9} khỏe"), &json!("II.2")));
    let changed = set(json!({"topic": null})).await.json();
    assert_eq!((&changed["topic"], &changed["valid_until"]), (&Value::Null, &json!("2026-12-31")));
    for body in [
        json!({"title": ""}),
        json!({"state": "approved"}),
        json!({"title": "x".repeat(400)}),
        json!({"title": "a\u{7}b"}),
        json!({"topic": "II.7"}),
        json!({"author": "x".repeat(301)}),
        json!({"valid_from": "2027-01-01"}),
    ] {
        assert_eq!(set(body.clone()).await.problem(), refused(422, "bad-field"), "{body}");
    }
    assert_eq!(site.get("uploader", &path).await.json(), changed);
    assert_eq!(
        site.call("uploader", "PATCH", "/api/v1/segments/none", json!({})).await.problem(),
        refused(404, "no-such-segment")
    );
}

#[tokio::test]
async fn the_words_of_an_approved_recording_are_the_approvers() {
    let site = Site::new();
    let id = site.approved(440.0).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/segments/{id}");
    for who in ["uploader", "operator"] {
        for body in [json!({"title": "Bản tin"}), json!({"script": "khác"})] {
            let answer = site.call(who, "PATCH", &path, body).await;
            assert_eq!(answer.problem(), refused(403, "approved-words"), "{who}");
        }
        let tab = Tab::of(&site, who);
        let page = tab.get(&format!("/ban-ghi/{id}")).await.text();
        assert!(page.contains("chỉ người duyệt mới được sửa") && !page.contains("name=\"title\""), "{page}");
        let sent = tab.post(&format!("/ban-ghi/{id}"), &[("title", "Bản tin")]).await;
        assert!(sent.status == StatusCode::FORBIDDEN && sent.text().contains("nộp một bản ghi mới"));
    }
    assert!(Tab::of(&site, "second").get(&format!("/ban-ghi/{id}")).await.text().contains("name=\"title\""));
    assert_eq!(site.call("second", "PATCH", &path, json!({"title": "Mới"})).await.json()["title"], "Mới");
}

#[tokio::test]
async fn what_was_written_anew_after_the_approver_looked_is_not_approved() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let (id, hash) = (recording["id"].as_str().unwrap(), recording["hash"].as_str().unwrap());
    let path = format!("/api/v1/segments/{id}");
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    let tab = Tab::of(&site, "approver");
    for page in ["/duyet".to_owned(), format!("/ban-ghi/{id}")] {
        for change in [json!({"programme": "cam-tay-chi-viec"}), json!({"script": page})] {
            site.call("uploader", "PATCH", &path, json!({"programme": null, "script": null})).await;
            let shown = tab.get(&page).await.text();
            site.call("uploader", "PATCH", &path, change.clone()).await;
            let form = [("hash", hash), ("seen", hidden(&shown, "seen"))];
            let answer = tab.post(&format!("/ban-ghi/{id}/duyet"), &form).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{page} {change}");
            assert!(answer.text().contains("đã được sửa sau khi bạn mở trang này"), "{}", answer.text());
        }
    }
    let shown = tab.get("/duyet").await.text();
    let form = [("hash", hash), ("seen", hidden(&shown, "seen"))];
    assert_eq!(tab.post(&format!("/ban-ghi/{id}/duyet"), &form).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_interface_tells_the_words_that_were_seen_and_may_ask_for_them() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    let approve = async |seen: &Value| {
        let body = json!({"hash": recording["hash"], "seen": seen});
        site.call("approver", "POST", &format!("{path}/approve"), body).await
    };
    let before = site.get("approver", &path).await.json()["seen"].clone();
    assert_eq!(before.as_str().unwrap().len(), 64);
    site.call("uploader", "PATCH", &path, json!({"script": "khác"})).await;
    assert_eq!(approve(&before).await.problem(), refused(409, "other-words"));
    let after = site.get("approver", &path).await.json()["seen"].clone();
    assert_eq!(approve(&after).await.json()["state"], "approved");
    let list = site.get("approver", "/api/v1/segments").await.json();
    assert!(list["segments"][0].get("seen").is_none(), "it takes a script to know");
}

#[tokio::test]
async fn a_button_that_is_pressed_twice_does_once_and_is_calm() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let (id, hash) = (recording["id"].as_str().unwrap(), recording["hash"].as_str().unwrap());
    let at = |what: &str| format!("/ban-ghi/{id}/{what}");
    let (uploader, approver) = (Tab::of(&site, "uploader"), Tab::of(&site, "approver"));
    let (here, keep) = (format!("/ban-ghi/{id}"), [("title", "bài"), ("then", "submit")]);
    for _ in 0..2 {
        assert_eq!(uploader.post(&here, &keep).await.status, StatusCode::SEE_OTHER);
    }
    let form = [("hash", hash), ("ve", "/duyet")];
    for tab in [&approver, &approver, &Tab::of(&site, "second")] {
        let done = tab.post(&at("duyet"), &form).await;
        assert_eq!(done.header(header::LOCATION), format!("/duyet?vua={id}"), "{}", done.text());
    }
    let acts: Vec<_> = site.acts().into_iter().map(|(by, what, _)| format!("{by} {what}")).collect();
    let acts: Vec<_> = acts.iter().filter(|act| !act.ends_with("describe")).collect();
    assert_eq!(acts, ["uploader segment.add", "uploader segment.submit", "approver segment.approve"]);
    // What was not approved is not done.
    let other = "0".repeat(64);
    for form in [vec![("hash", &*other)], vec![("hash", hash), ("seen", &*other)]] {
        assert_eq!(approver.post(&at("duyet"), &form).await.status, StatusCode::CONFLICT);
    }
    Tab::of(&site, "operator").post(&at("thu-hoi"), &[("reason", "sai")]).await;
    assert_eq!(approver.post(&at("duyet"), &form).await.status, StatusCode::CONFLICT);
    assert_eq!(uploader.post(&here, &keep).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn the_catalogue_is_searched_without_accents_and_by_pages() {
    let site = Site::new();
    for (pitch, title) in [(300.0, "Phòng chống bão"), (400.0, "Đường quê"), (500.0, "Quét mã QR")]
    {
        site.clock.advance(Duration::from_secs(1));
        let bytes = wav(pitch, 1.0);
        site.hand_in("uploader", &[Part::file("a.wav", &bytes), Part::word("title", title)]).await;
    }
    let titles = async |query: &str| {
        let page = site.get("auditor", &format!("/api/v1/segments?{query}")).await.json();
        let titles: Vec<_> = page["segments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["title"].as_str().unwrap().to_owned())
            .collect();
        (titles, page["next"].clone())
    };
    assert_eq!(titles("text=duong").await.0, ["Đường quê"]);
    assert_eq!(titles("text=B%C3%83O").await.0, ["Phòng chống bão"]);
    assert_eq!(titles("state=approved").await.0, [""; 0]);
    let (first, next) = titles("limit=2").await;
    assert_eq!(first, ["Quét mã QR", "Đường quê"]);
    let (second, end) = titles(&format!("limit=2&after={}", next.as_str().unwrap())).await;
    assert_eq!((second, end), (vec!["Phòng chống bão".to_owned()], Value::Null));
    assert_eq!(
        titles("limit=3").await,
        (vec!["Quét mã QR".into(), "Đường quê".into(), "Phòng chống bão".into()], Value::Null)
    );
    assert_eq!(
        site.get("auditor", "/api/v1/segments?after=nonsense").await.problem(),
        refused(422, "bad-field")
    );
    assert_eq!(site.get("auditor", "/api/v1/segments?state=lost").await.problem(), refused(422, "bad-field"));
}
