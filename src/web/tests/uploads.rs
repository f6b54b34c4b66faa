//! Resumable uploads: the tus protocol, with connections that break.

use std::path::PathBuf;

use futures_util::{StreamExt as _, stream};

use super::*;
use crate::store::{UPLOAD_LIFE, Upload};
use crate::web::uploads::OF_A_PERSON;

const PATCH: &str = "application/offset+octet-stream";

impl Site {
    async fn tus(&self, who: &str, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let request = self.request(who, method, path).header("tus-resumable", "1.0.0");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = self.send(request.body(body).unwrap()).await;
        assert_eq!(answer.headers["tus-resumable"], "1.0.0", "in every answer");
        answer
    }

    /// Announces a file; its address.
    async fn announce(&self, who: &str, bytes: usize, metadata: &str) -> String {
        let headers = [("upload-length", &*bytes.to_string()), ("upload-metadata", metadata)];
        let made = self.tus(who, "POST", "/api/v1/uploads", &headers, Body::empty()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        made.header(header::LOCATION).to_owned()
    }

    async fn append(&self, who: &str, path: &str, offset: u64, body: impl Into<Body>) -> Answer {
        let headers = [("upload-offset", &*offset.to_string()), ("content-type", PATCH)];
        self.tus(who, "PATCH", path, &headers, body.into()).await
    }

    async fn offset(&self, who: &str, path: &str) -> Option<u64> {
        let answer = self.tus(who, "HEAD", path, &[], Body::empty()).await;
        answer.headers.get("upload-offset").map(|offset| offset.to_str().unwrap().parse().unwrap())
    }

    /// Waits for the verdict.
    async fn verdict(&self, who: &str, path: &str) -> Value {
        // The first look begins the examination where nobody has; the second is after it.
        self.get(who, path).await;
        self.state.limits.resumable.at_rest(id_of(path)).await;
        let became = self.get(who, path).await.json();
        assert!(became["said"].is_string(), "{became}");
        became
    }

    /// A file that came whole, and that nobody has examined: the power was cut then.
    async fn left(&self, who: &str, bytes: &[u8]) -> String {
        let path = self.announce(who, bytes.len(), "").await;
        std::fs::OpenOptions::new()
            .append(true)
            .open(self.waiting(&path))
            .and_then(|mut file| io::Write::write_all(&mut file, bytes))
            .unwrap();
        path
    }

    /// Where the bytes of an upload wait.
    fn waiting(&self, path: &str) -> PathBuf {
        self.state.intake.waiting(id_of(path))
    }

    fn row(&self, path: &str) -> Upload {
        self.state.store.upload(id_of(path)).unwrap().unwrap()
    }

    /// The program starts anew: nothing was kept in memory.
    fn restart(&mut self) {
        self.state.limits = Arc::new(Limits::default());
        self.router = router(self.state.clone());
    }
}

fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// A body that never ends, and a word when it is waited for.
fn hanging(bytes: &[u8]) -> (Body, oneshot::Receiver<()>) {
    let (came, comes) = oneshot::channel();
    let rest = async move {
        came.send(()).unwrap();
        std::future::pending().await
    };
    let first = Ok::<_, io::Error>(Bytes::copy_from_slice(bytes));
    (Body::from_stream(stream::iter([first]).chain(stream::once(rest))), comes)
}

/// A body that ends in a lost connection.
fn cut(bytes: &[u8]) -> Body {
    let parts = [Ok(Bytes::copy_from_slice(bytes)), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
    Body::from_stream(stream::iter(parts))
}

#[tokio::test]
async fn an_upload_goes_on_after_a_cut_and_a_restart_and_becomes_a_recording() {
    let mut site = Site::new();
    let bytes = wav(440.0, 2.0);
    // "Bản tin/../đài.wav", "cam-tay-chi-viec", "2026-11-26"
    let metadata = "filename QuG6o24gdGluLy4uL8SRw6BpLndhdg==,programme Y2FtLXRheS1jaGktdmllYw==,week MjAyNi0xMS0yNg==,x eA==";
    let path = site.announce("uploader", bytes.len(), metadata).await;
    assert_eq!(site.offset("uploader", &path).await, Some(0));
    let answer = site.append("uploader", &path, 0, cut(&bytes[..20_000])).await;
    assert_eq!(answer.problem(), refused(408, "interrupted"));
    assert_eq!(site.offset("uploader", &path).await, Some(20_000), "what came before the cut is there");

    site.restart();
    assert_eq!(site.get("uploader", &path).await.json()["state"], "coming");
    assert_eq!(
        site.append("uploader", &path, 0, bytes[..9].to_vec()).await.problem(),
        refused(409, "wrong-offset")
    );
    let next = site.append("uploader", &path, 20_000, bytes[20_000..30_000].to_vec()).await;
    assert_eq!(
        (next.status, &next.headers["upload-offset"]),
        (StatusCode::NO_CONTENT, &"30000".parse().unwrap())
    );
    assert!(next.headers["upload-expires"].to_str().unwrap().ends_with(" GMT"));
    let last = site.append("uploader", &path, 30_000, bytes[30_000..].to_vec()).await;
    assert_eq!(last.status, StatusCode::NO_CONTENT);

    let became = site.verdict("uploader", &path).await;
    assert_eq!(became["state"], "new", "{became}");
    assert!(became["said"].as_str().unwrap().contains("“đài”"), "{became}");
    let segment = site
        .get("uploader", &format!("/api/v1/segments/{}", became["segment"].as_str().unwrap()))
        .await
        .json();
    assert_eq!(
        [&segment["file"], &segment["programme"], &segment["week"], &segment["added_by"]],
        ["đài.wav", "cam-tay-chi-viec", "2026-11-23", "uploader"]
    );
    assert_eq!((site.files(), site.acts().len()), (1, 1), "the parts are gone");
    assert_eq!(site.offset("uploader", &path).await, Some(bytes.len() as u64));
    assert_eq!(site.append("uploader", &path, bytes.len() as u64, "").await.problem().1, "wrong-offset");

    let again = site.announce("approver", bytes.len(), "").await;
    site.append("approver", &again, 0, bytes).await;
    assert_eq!(site.verdict("approver", &again).await["state"], "known");
    assert_eq!(site.files(), 1);
}

#[tokio::test]
async fn what_is_said_of_a_file_last_is_what_it_becomes() {
    let site = Site::new();
    let bytes = wav(440.0, 1.0);
    // "2026-11-26", then "2026-12-03" and a title.
    let path = site.announce("uploader", bytes.len(), "week MjAyNi0xMS0yNg==").await;
    site.append("uploader", &path, 0, cut(&bytes[..9_000])).await;
    let patch = async |metadata: &str| {
        let headers = [("upload-offset", "9000"), ("content-type", PATCH), ("upload-metadata", metadata)];
        site.tus("uploader", "PATCH", &path, &headers, bytes[9_000..].to_vec().into()).await
    };
    assert_eq!(patch("week MjAyNi0xMy0wMQ==").await.problem(), refused(422, "bad-field"));
    assert_eq!(site.offset("uploader", &path).await, Some(9_000));
    assert_eq!(patch("week MjAyNi0xMi0wMw==,title VGlu").await.status, StatusCode::NO_CONTENT);
    let became = site.verdict("uploader", &path).await;
    let segment = format!("/api/v1/segments/{}", became["segment"].as_str().unwrap());
    let segment = site.get("uploader", &segment).await.json();
    assert_eq!([&segment["title"], &segment["week"]], ["Tin", "2026-11-30"]);
}

#[tokio::test]
async fn a_programme_that_left_the_schedule_meanwhile_takes_no_other_word_along_and_that_is_said() {
    let site = Site::new();
    let bytes = wav(440.0, 1.0);
    // "Tin mới", "cam-tay-chi-viec", "Hoa", "2026-12-31"
    let metadata =
        "title VGluIG3hu5tp,programme Y2FtLXRheS1jaGktdmllYw==,author SG9h,valid_until MjAyNi0xMi0zMQ==";
    let path = site.announce("uploader", bytes.len(), metadata).await;
    let week = WEEK.replace("cam-tay-chi-viec", "khac");
    let plan = plan_of(STATION, &week, &site.state.store, site.clock.now());
    site.plan.send(Arc::new(plan)).unwrap();
    site.append("uploader", &path, 0, bytes).await;
    let became = site.verdict("uploader", &path).await;
    assert_eq!(became["state"], "new", "{became}");
    let said = became["said"].as_str().unwrap();
    assert!(said.contains("“Tin mới”") && said.contains("“Chuyên mục” bạn đã chọn không ghi được"), "{said}");
    let segment = format!("/api/v1/segments/{}", became["segment"].as_str().unwrap());
    let segment = site.get("uploader", &segment).await.json();
    assert_eq!(
        [&segment["title"], &segment["programme"], &segment["author"], &segment["valid_until"]],
        [&json!("Tin mới"), &Value::Null, &json!("Hoa"), &json!("2026-12-31")]
    );
}

#[tokio::test]
async fn what_was_whole_when_the_program_ended_is_examined_when_somebody_asks() {
    let site = Site::new();
    let bytes = wav(330.0, 1.0);
    let path = site.left("uploader", &bytes).await;
    assert_eq!(site.verdict("uploader", &path).await["state"], "new");
}

#[tokio::test]
async fn what_was_whole_when_the_power_was_cut_is_examined_though_nobody_asks() {
    let mut site = Site::new();
    let left = [site.left("uploader", &wav(330.0, 1.0)).await, site.left("approver", &wav(0.0, 1.0)).await];
    let unfinished = site.announce("uploader", 9_000, "").await;
    site.restart();
    take_up_uploads(&site.state).await.unwrap();
    let codes = left.iter().map(|path| site.row(path).verdict.map(|verdict| verdict.code()));
    assert_eq!(codes.collect::<Vec<_>>(), [Some("new"), Some("refused")]);
    assert_eq!(site.row(&unfinished).verdict, None);
    let acts = site.state.store.acts(Timestamp::MIN, Timestamp::MAX, 10).unwrap();
    assert_eq!(
        (acts.len(), &*acts[0].by, &*acts[0].what, &*acts[0].origin),
        (1, "uploader", "segment.add", "unknown")
    );
    assert_eq!(site.files(), 2, "the recording, and what is still coming");
}

#[tokio::test]
async fn a_fault_of_the_station_is_no_verdict_and_it_is_tried_again_after_a_pause() {
    let site = Site::new();
    // No name is free for the recording.
    let obstacles: Vec<_> = (1..=999)
        .map(|number| if number == 1 { "audio.wav".to_owned() } else { format!("audio-{number}.wav") })
        .map(|name| site.state.audio_dir.join(name))
        .collect();
    for obstacle in &obstacles {
        std::fs::File::create(obstacle).unwrap();
    }
    let bytes = wav(330.0, 1.0);
    let path = site.announce("uploader", bytes.len(), "").await;
    site.append("uploader", &path, 0, bytes.clone()).await;
    let became = site.verdict("uploader", &path).await;
    assert_eq!((&became["state"], &became["segment"]), (&json!("put-off"), &Value::Null), "{became}");
    assert!(became["said"].as_str().unwrap().contains("tự thử lại"), "{became}");
    assert_eq!((site.row(&path).verdict, std::fs::read(site.waiting(&path)).unwrap()), (None, bytes));

    for obstacle in &obstacles {
        std::fs::remove_file(obstacle).unwrap();
    }
    for seconds in [0, 59] {
        site.clock.advance(Duration::from_secs(seconds));
        take_up_uploads(&site.state).await.unwrap();
        assert_eq!(site.get("uploader", &path).await.json()["state"], "put-off", "after {seconds} s");
    }
    site.clock.advance(Duration::from_secs(1));
    take_up_uploads(&site.state).await.unwrap();
    assert_eq!(site.get("uploader", &path).await.json()["state"], "new");
    assert_eq!(site.files(), 1);
}

#[tokio::test]
async fn what_the_program_stops_over_is_examined_at_the_next_start() {
    let mut site = Site::new();
    let path = site.left("uploader", &wav(330.0, 1.0)).await;
    site.state.limits.resumable.stop();
    for _ in 0..5 {
        site.get("uploader", &path).await;
        site.state.limits.resumable.at_rest(id_of(&path)).await;
    }
    assert_eq!((site.row(&path).verdict, site.files()), (None, 1));
    site.restart();
    take_up_uploads(&site.state).await.unwrap();
    assert_eq!(site.get("uploader", &path).await.json()["state"], "new");
}

#[tokio::test]
async fn a_file_over_which_the_program_ended_three_times_is_let_be() {
    let site = Site::new();
    let path = site.left("uploader", &wav(330.0, 1.0)).await;
    for _ in 0..3 {
        site.state.store.try_upload(id_of(&path)).unwrap();
    }
    take_up_uploads(&site.state).await.unwrap();
    let became = site.get("uploader", &path).await.json();
    assert_eq!((&became["state"], site.files()), (&json!("refused"), 0), "{became}");
}

#[tokio::test]
async fn an_upload_whose_file_is_gone_is_said_to_be_lost() {
    let site = Site::new();
    let path = site.left("uploader", &wav(330.0, 1.0)).await;
    std::fs::remove_file(site.waiting(&path)).unwrap();
    let became = site.verdict("uploader", &path).await;
    assert_eq!(became["state"], "refused");
    assert!(became["said"].as_str().unwrap().contains("không còn trên máy"), "{became}");
}

#[tokio::test]
async fn what_cannot_air_gets_a_verdict_in_words_and_leaves_nothing() {
    let site = Site::new();
    for (bytes, word) in [(wav(0.0, 1.0), "im lặng"), (b"no sound at all".to_vec(), "không chứa âm thanh")]
    {
        let path = site.announce("uploader", bytes.len(), "").await;
        site.append("uploader", &path, 0, bytes).await;
        let became = site.verdict("uploader", &path).await;
        assert_eq!((&became["state"], &became["segment"]), (&json!("refused"), &Value::Null));
        assert!(became["said"].as_str().unwrap().contains(word), "{became}");
    }
    assert_eq!(site.files(), 0);
}

#[tokio::test]
async fn the_newest_request_has_the_upload_though_an_older_one_hangs() {
    let site = Site::new();
    let bytes = wav(440.0, 1.0);
    let path = site.announce("uploader", bytes.len(), "").await;
    let (hanging, comes) = hanging(&bytes[..8_000]);
    let (old, new) = tokio::join!(site.append("uploader", &path, 0, hanging), async {
        comes.await.unwrap();
        let offset = site.offset("uploader", &path).await.unwrap();
        site.append("uploader", &path, offset, bytes[usize::try_from(offset).unwrap()..].to_vec()).await
    });
    assert_eq!(old.problem().1, "interrupted");
    assert_eq!(new.status, StatusCode::NO_CONTENT, "{}", new.text());
    assert_eq!(site.verdict("uploader", &path).await["state"], "new");
}

#[tokio::test]
async fn a_dropped_request_ends_its_write_before_its_turn() {
    let site = Site::new();
    let bytes = wav(440.0, 1.0);
    let path = site.announce("uploader", bytes.len(), "").await;
    let (hanging, comes) = hanging(&bytes[..8_000]);
    tokio::select! {
        answer = site.append("uploader", &path, 0, hanging) => panic!("{}", answer.text()),
        came = comes => came.unwrap(),
    }
    assert!(site.state.limits.resumable.free_turn(id_of(&path)).is_none(), "it is still at work");
    assert_eq!(site.offset("uploader", &path).await, Some(8_000), "and lets go when somebody asks");
    let rest = site.append("uploader", &path, 8_000, bytes[8_000..].to_vec()).await;
    assert_eq!(rest.status, StatusCode::NO_CONTENT, "{}", rest.text());
    assert_eq!(site.verdict("uploader", &path).await["state"], "new");
}

#[tokio::test]
async fn uploads_keep_to_their_owner_their_size_and_their_time() {
    let site = Site::with(Limits::default(), Bounds { max_bytes: 50_000, ..Bounds::default() });
    let create = async |length: &str, metadata: &str| {
        let headers = [("upload-length", length), ("upload-metadata", metadata)];
        site.tus("uploader", "POST", "/api/v1/uploads", &headers, Body::empty()).await.problem()
    };
    assert_eq!(create("50001", "").await, refused(413, "too-large"));
    assert_eq!(create("0", "").await, refused(422, "recording-empty"));
    for length in ["", "-1", "1e3", "99999999999999999999999"] {
        assert_eq!(create(length, "").await, refused(422, "bad-field"), "{length:?}");
    }
    // The last is yesterday's date.
    for metadata in ["filename *", "week MjAyNi0xMy0wMQ==", "valid_until MjAyNi0xMS0yMg=="] {
        assert_eq!(create("9", metadata).await, refused(422, "bad-field"), "{metadata}");
    }
    let path = site.announce("uploader", 1_000, "").await;
    assert_eq!(site.append("uploader", &path, 0, vec![0; 1_001]).await.problem(), refused(413, "too-large"));
    let unannounced = Body::from_stream(stream::iter([Ok::<_, io::Error>(Bytes::from(vec![0; 1_001]))]));
    assert_eq!(site.append("uploader", &path, 0, unannounced).await.problem(), refused(413, "too-large"));
    assert_eq!(site.offset("uploader", &path).await, Some(0));

    // Somebody else's is not there, and neither is a path.
    assert_eq!(site.append("approver", &path, 0, vec![0; 9]).await.problem(), refused(404, "no-such-upload"));
    assert_eq!(site.offset("approver", &path).await, None);
    for other in ["..%2F..%2Fdata%2Floa.db", "..", "%00"] {
        let answer = site.append("uploader", &format!("/api/v1/uploads/{other}"), 0, vec![0; 9]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{other}");
    }

    let wrong = site.tus("uploader", "PATCH", &path, &[("upload-offset", "0")], Body::empty()).await;
    assert_eq!(wrong.problem(), refused(415, "wrong-type"));
    let old = site.request("uploader", "HEAD", &path).header("tus-resumable", "0.2.2");
    let old = site.send(old.body(Body::empty()).unwrap()).await;
    assert_eq!((old.status.as_u16(), &old.headers["tus-version"]), (412, &"1.0.0".parse().unwrap()));
    let can = site.tus("uploader", "OPTIONS", "/api/v1/uploads", &[], Body::empty()).await;
    assert_eq!((can.status.as_u16(), &can.headers["tus-max-size"]), (204, &"50000".parse().unwrap()));

    let second = site.announce("uploader", 50_000, "").await;
    let gone = site.tus("uploader", "DELETE", &second, &[], Body::empty()).await;
    assert_eq!((gone.status, site.offset("uploader", &second).await), (StatusCode::NO_CONTENT, None));
    site.announce("uploader", 49_000, "").await;
    assert_eq!(site.files(), 2);

    site.clock.advance((UPLOAD_LIFE + SignedDuration::from_secs(1)).unsigned_abs());
    assert_eq!(site.append("uploader", &path, 0, vec![0; 9]).await.problem(), refused(410, "upload-expired"));
    site.announce("uploader", 1_000, "").await;
    assert_eq!(site.append("uploader", &path, 0, vec![0; 9]).await.problem(), refused(404, "no-such-upload"));
}

#[tokio::test]
async fn what_was_only_announced_shuts_nobody_out_and_what_was_sent_leaves_room_for_others() {
    let site = Site::with(Limits::default(), Bounds { max_bytes: 50_000, ..Bounds::default() });
    let announce = async |who: &str| site.announce(who, 50_000, "").await;
    let mut announced = Vec::new();
    for _ in 0..OF_A_PERSON {
        announced.push(announce("uploader").await);
    }
    let create = async |who: &str| {
        let headers = [("upload-length", "50000")];
        site.tus(who, "POST", "/api/v1/uploads", &headers, Body::empty()).await.problem()
    };
    assert_eq!(create("uploader").await, refused(429, "too-many-unfinished"), "so many files");

    // Together no more than twice the largest file, with the whole of what is being sent now.
    let [first, second, third] = &announced[..3] else { panic!("three") };
    let part = || cut(&[0; 49_000]);
    assert_eq!(site.append("uploader", first, 0, part()).await.problem(), refused(408, "interrupted"));
    let (sent, comes) = hanging(&[0; 9]);
    tokio::select! {
        answer = site.append("uploader", second, 0, sent) => panic!("{}", answer.text()),
        third = async {
            comes.await.unwrap();
            site.append("uploader", third, 0, part()).await
        } => assert_eq!(third.problem(), refused(429, "too-many-unfinished")),
    }
    site.offset("uploader", second).await;
    site.append("uploader", third, 0, part()).await;
    assert_eq!(
        site.append("uploader", second, 9, part()).await.problem(),
        refused(429, "too-many-unfinished")
    );

    // And of all no more than four times, of which others are told otherwise.
    for _ in 0..2 {
        let path = announce("approver").await;
        assert_eq!(site.append("approver", &path, 0, part()).await.problem(), refused(408, "interrupted"));
    }
    assert_eq!(create("operator").await, refused(503, "too-many-unfinished-of-others"));
    site.tus("uploader", "DELETE", first, &[], Body::empty()).await;
    announce("operator").await;
}

#[tokio::test]
async fn nobody_has_all_places() {
    let site = Site::new();
    let bytes = wav(440.0, 1.0);
    let mut paths = Vec::new();
    for _ in 0..4 {
        paths.push(site.announce("uploader", bytes.len(), "").await);
    }
    let (bodies, come): (Vec<_>, Vec<_>) = (0..3).map(|_| hanging(&bytes[..9])).unzip();
    let hang = paths.iter().zip(bodies).map(|(path, body)| site.append("uploader", path, 0, body));
    let another = async {
        for comes in come {
            comes.await.unwrap();
        }
        let fourth = site.append("uploader", &paths[3], 0, bytes.clone()).await;
        assert_eq!(fourth.problem(), refused(503, "too-many-uploads"));
        let path = site.announce("approver", bytes.len(), "").await;
        let theirs = site.append("approver", &path, 0, bytes.clone()).await;
        assert_eq!(theirs.status, StatusCode::NO_CONTENT, "{}", theirs.text());
    };
    tokio::select! {
        _ = futures_util::future::join_all(hang) => panic!("nothing ends"),
        () = another => {}
    }
}

#[tokio::test]
async fn whoever_sends_too_slowly_gives_the_place_back_and_keeps_what_has_come() {
    let site = Site::new();
    let bytes = wav(440.0, 1.0);
    let path = site.announce("operator", bytes.len(), "").await;
    let clock = Arc::clone(&site.clock);
    let (first, rest) = (bytes[..9_000].to_vec(), bytes[9_000..].to_vec());
    let rest = stream::once(async move {
        clock.advance(Duration::from_secs(120));
        Ok(Bytes::from(rest))
    });
    let slow = Body::from_stream(stream::iter([Ok::<_, io::Error>(Bytes::from(first))]).chain(rest));
    assert_eq!(site.append("operator", &path, 0, slow).await.problem(), refused(408, "interrupted"));
    assert_eq!(site.offset("operator", &path).await, Some(9_000));
}
