//! The pages of recordings: roles, forged forms, hostile titles, and each step of the way.

use super::air_pages::Tab;
use super::*;
use crate::asrun::fixture as facts;
use crate::segment::FileTrouble;

/// The recording is sent to the approvers as it is.
async fn submit(site: &Site, who: &str, id: &str) {
    let answer = site.call(who, "POST", &format!("/api/v1/segments/{id}/submit"), json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn a_recording_goes_its_way_through_the_pages() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let (id, hash) = (recording["id"].as_str().unwrap(), recording["hash"].as_str().unwrap());
    let (here, at) = (format!("/ban-ghi/{id}"), |what: &str| format!("/ban-ghi/{id}/{what}"));
    let words = [
        ("title", "Quét mã QR"),
        ("programme", "cam-tay-chi-viec"),
        ("week", "2026-11-23"),
        ("genre", "feature"),
        ("author", "Lan"),
        ("source", "UBND xã"),
        ("valid_until", "2026-12-31"),
        ("script", "Kính chào\r\nbà con"),
        ("then", "submit"),
    ];
    let draft = Tab::of(&site, "uploader").get(&here).await.text();
    // What asks for approval takes along what was typed.
    let (_, form) =
        draft.split_once(&format!("<form class=\"card\" method=\"post\" action=\"{here}\">")).unwrap();
    assert!(form.split_once("</form>").unwrap().0.contains("Lưu và gửi duyệt</button>"), "{draft}");
    assert_eq!(draft.to_lowercase().matches("gửi duyệt</button>").count(), 1, "{draft}");
    assert_eq!(Tab::of(&site, "uploader").post(&here, &words).await.status, StatusCode::SEE_OTHER);
    let kept = site.get("auditor", &format!("/api/v1/segments/{id}")).await.json();
    assert_eq!((&kept["script"], &kept["week"]), (&json!("Kính chào\nbà con"), &Value::Null));

    let queue = Tab::of(&site, "approver").get("/duyet").await.text();
    for said in [
        "Quét mã QR",
        "bà con",
        hash,
        "nếu được duyệt sẽ phát vào thứ Hai 30/11/2026, 05:30",
        // All that is approved, what its programme says included.
        "Thể loại: <strong>chuyên mục",
        "Chủ đề: <strong>II.2 – Kỹ năng số thiết yếu",
        "Người biên soạn (tác giả): <strong>Lan",
        "Nguồn tin: <strong>UBND xã",
        "Phát đến hết ngày: <strong>thứ Năm 31/12/2026",
    ] {
        assert!(queue.contains(said), "{said}: {queue}");
    }
    let back =
        Tab::of(&site, "approver").post(&at("tra-lai"), &[("reason", "nhỏ quá"), ("ve", "/duyet")]).await;
    assert_eq!(back.header(header::LOCATION), format!("/duyet?vua={id}"));
    assert!(Tab::of(&site, "uploader").get(&here).await.text().contains("“nhỏ quá”"));
    // The reason stands above, not only in the history, and waits on the first page of the one who can mend it.
    let said = "approver trả lại vào thứ Hai 23/11/2026, 08:00: “nhỏ quá”";
    let waits = "“Quét mã QR” bị approver trả lại";
    assert!(Tab::of(&site, "uploader").get(&here).await.text().contains(said));
    let home = Tab::of(&site, "uploader").get("/").await.text();
    assert!(home.contains(waits) && home.contains(&here), "{home}");
    assert!(!Tab::of(&site, "operator").get("/").await.text().contains(waits));
    submit(&site, "uploader", id).await;
    assert!(!Tab::of(&site, "uploader").get("/").await.text().contains(waits));
    let other = "0".repeat(64);
    let stale = Tab::of(&site, "approver").post(&at("duyet"), &[("hash", &other)]).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    assert_eq!(
        Tab::of(&site, "approver").post(&at("duyet"), &[("hash", hash)]).await.status,
        StatusCode::SEE_OTHER
    );
    assert!(
        Tab::of(&site, "uploader")
            .get(&here)
            .await
            .text()
            .contains("approver duyệt vào thứ Hai 23/11/2026, 08:00")
    );

    // Nobody chose a reason that stands in the log: to choose is to withdraw.
    let asked = Tab::of(&site, "operator").get(&at("thu-hoi")).await.text();
    assert!(asked.contains("name=\"reason\" value=\"Thông tin sai\">Thông tin sai</button>"), "{asked}");
    assert!(!asked.contains("checked") && !asked.contains("radio"), "{asked}");
    let reasons = [("reason", "Thông tin sai: nhầm số")];
    let (operator, done) = (Tab::of(&site, "operator"), "Đã thu hồi. Nếu đang phát thì loa đã ngừng");
    let withdrawn = operator.post(&at("thu-hoi"), &reasons).await;
    assert_eq!(withdrawn.status, StatusCode::SEE_OTHER);
    let page = operator.get(withdrawn.header(header::LOCATION)).await.text();
    assert!(page.contains(done) && page.contains("Về trang Hôm nay"), "{page}");
    assert!(!operator.get(&here).await.text().contains(done));
    assert!(matches!(site.commands.try_recv(), Ok(Command::Withdraw(_))));
    assert!(Tab::of(&site, "auditor").get(&here).await.text().contains("Thông tin sai: nhầm số"));
    assert!(
        Tab::of(&site, "uploader")
            .get("/ban-ghi?tim=quet%20MA&trang-thai=withdrawn")
            .await
            .text()
            .contains("Quét mã QR")
    );
    assert!(
        !Tab::of(&site, "uploader")
            .get("/ban-ghi?tim=quet&trang-thai=draft")
            .await
            .text()
            .contains("Quét mã QR")
    );
}

#[tokio::test]
async fn what_is_judged_twice_says_by_whom_and_when_it_was_the_first_time() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let (id, hash) = (recording["id"].as_str().unwrap(), recording["hash"].as_str().unwrap());
    let (here, at) = (format!("/ban-ghi/{id}"), |what: &str| format!("/ban-ghi/{id}/{what}"));
    let (first, second) = (Tab::of(&site, "approver"), Tab::of(&site, "second"));
    let give_back = async |tab: &Tab<'_>, reason: &str, page: &str| {
        tab.post(&at("tra-lai"), &[("reason", reason), ("ve", page)]).await
    };
    assert_eq!(give_back(&first, "rè", "").await.status, StatusCode::CONFLICT, "nobody asked for approval");
    submit(&site, "uploader", id).await;
    for (tab, reason) in [(&first, "nhỏ quá"), (&first, "nhỏ quá"), (&second, "rè")] {
        let back = give_back(tab, reason, "/duyet").await;
        assert_eq!(
            (back.status, back.header(header::LOCATION)),
            (StatusCode::SEE_OTHER, &*format!("/duyet?vua={id}"))
        );
        let said = "do approver trả lại vào thứ Hai 23/11/2026, 08:00, lý do “nhỏ quá”";
        assert!(tab.get(back.header(header::LOCATION)).await.text().contains(said));
    }
    assert_eq!(give_back(&second, "rè", "/ban-ghi").await.header(header::LOCATION), here);
    let events = site.state.store.segment_events(&id.into()).unwrap();
    assert_eq!(events.iter().filter(|event| event.what == "returned").count(), 1);

    submit(&site, "uploader", id).await;
    for tab in [&first, &second] {
        let back = tab.post(&at("duyet"), &[("hash", hash), ("ve", "/duyet")]).await;
        let page = tab.get(back.header(header::LOCATION)).await.text();
        assert!(page.contains("Đã duyệt “bài”: approver duyệt vào thứ Hai 23/11/2026, 08:00."), "{page}");
    }
    assert_eq!(give_back(&second, "rè", "/duyet").await.status, StatusCode::CONFLICT, "it is approved");
}

#[tokio::test]
async fn the_history_says_which_words_became_which() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let (here, tab) = (format!("/ban-ghi/{id}"), Tab::of(&site, "uploader"));
    let words = [("title", "Quét mã"), ("programme", "cam-tay-chi-viec"), ("script", "Kính chào")];
    tab.post(&here, &words).await;
    let again = [("title", "Quét mã"), ("valid_until", "2026-12-31"), ("script", "Kính thưa")];
    tab.post(&here, &again).await;
    let page = tab.get(&here).await.text();
    let (_, history) = page.split_once("class=\"history\"").unwrap();
    for said in [
        "Tên: “bài” → “Quét mã”",
        "Chuyên mục: để trống → “Cầm tay chỉ việc”",
        "Chuyên mục: “Cầm tay chỉ việc” → để trống",
        "Phát đến hết ngày: để trống → “thứ Năm 31/12/2026”",
        "<p class=\"script\">Kính chào</p><p><strong>Sau</strong>:</p><p class=\"script\">Kính thưa</p>",
    ] {
        assert!(history.contains(said), "{said}: {history}");
    }
    assert_eq!(history.matches("Tên: ").count(), 1, "what stays is not told: {history}");
    // Of stations that kept no words with what was handed in, the first change says no more than it knows.
    let data = rusqlite::Connection::open(site.dir.path().join("data/loa.db")).unwrap();
    data.execute("UPDATE segment_event SET reason = NULL WHERE what = 'added'", []).unwrap();
    let page = tab.get(&here).await.text();
    assert!(!page.contains("Tên: “") && page.contains("Phát đến hết ngày: để trống →"), "{page}");
}

#[tokio::test]
async fn a_form_that_is_not_taken_comes_back_as_it_was_with_why_beside_each_field() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let (here, tab) = (format!("/ban-ghi/{id}"), Tab::of(&site, "uploader"));
    let page = tab.get(&here).await.text();
    assert!(
        page.contains("value=\"II.2\">II.2 – Kỹ năng số thiết yếu<"),
        "a topic in the plan's words: {page}"
    );
    let long = "x".repeat(301);
    let form = [
        ("title", "a\u{7}b"),
        ("programme", "none"),
        ("week", "2026-02-30"),
        ("topic", &long),
        ("genre", "opera"),
        ("author", "Lan"),
        ("valid_from", "2026-12-02"),
        ("valid_until", "2026-12-01"),
        ("script", "Kính\u{0}chào"),
    ];
    let answer = tab.post(&here, &form).await;
    let page = answer.text();
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    for (field, why) in [
        ("title", "Có ký tự không nhìn thấy được"),
        ("programme", "không có chuyên mục này"),
        ("week", "Không phải là một ngày"),
        ("topic", "Dài quá 300 ký tự"),
        ("genre", "Không phải là một trong các giá trị"),
        ("valid_until", "Ngày này trước “Phát từ ngày”"),
        ("script", "Có ký tự không nhìn thấy được"),
    ] {
        let (_, from) = page.split_once(&format!(" name=\"{field}\"")).unwrap();
        let (label, _) = from.split_once("</label>").unwrap();
        assert!(label.contains("aria-invalid=\"true\"") && label.contains(why), "{field}: {label}");
    }
    let other = tab.post(&here, &[("title", "Quét mã"), ("topic", "X.9")]).await.text();
    let (_, topic) = other.split_once(" name=\"topic\"").unwrap();
    let (topic, _) = topic.split_once("</label>").unwrap();
    assert!(
        topic.contains("aria-invalid=\"true\"") && topic.contains("Không phải là một trong các giá trị"),
        "{topic}"
    );
    assert!(page.contains("value=\"Lan\"") && page.matches("class=\"fault\"").count() == 7, "{page}");
    let (_, note) = page.split_once("<div class=\"note bad\" role=\"alert\">").unwrap();
    let (note, _) = note.split_once("</div>").unwrap();
    for said in ["Chưa lưu gì cả", "“Phát đến hết ngày”: Ngày này trước “Phát từ ngày”", "“Tên”: Có ký tự"]
    {
        assert!(note.contains(said), "{said} in {note}");
    }
    let empty = tab.post(&here, &[("title", " "), ("author", "Lan")]).await;
    assert!(empty.status == StatusCode::UNPROCESSABLE_ENTITY && empty.text().contains("không được để trống"));

    // And so do the forms in which one says why.
    submit(&site, "uploader", &id).await;
    let (approver, long) = (Tab::of(&site, "approver"), "dài ".repeat(100));
    for (what, field, typed, why) in [
        ("tra-lai", "reason", " ", "không được để trống"),
        ("tra-lai", "reason", &*long, "Dài quá 300"),
        ("thu-hoi", "reason", &*long, "Dài quá 300"),
    ] {
        let answer = approver.post(&format!("{here}/{what}"), &[(field, typed)]).await;
        let page = answer.text();
        assert!(answer.status == StatusCode::UNPROCESSABLE_ENTITY && page.contains(why), "{what}: {page}");
        assert!(page.contains(typed.trim()) && page.contains("<nav"), "{what}: {page}");
    }
    assert_eq!(site.get("auditor", &format!("/api/v1/segments/{id}")).await.json()["state"], "pending");
}

#[tokio::test]
async fn pages_and_forms_are_for_who_may() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let (id, hash) = (recording["id"].as_str().unwrap(), recording["hash"].as_str().unwrap());
    let at = |what: &str| format!("/ban-ghi/{id}/{what}");
    submit(&site, "uploader", id).await;
    for (who, path) in [("uploader", "/duyet"), ("auditor", "/ban-ghi/gui"), ("uploader", &*at("thu-hoi"))] {
        assert_eq!(Tab::of(&site, who).get(path).await.status, StatusCode::FORBIDDEN, "{who} {path}");
    }
    let described = Tab::of(&site, "auditor").post(&format!("/ban-ghi/{id}"), &[("title", "x")]).await;
    assert_eq!(described.status, StatusCode::FORBIDDEN);
    for (who, what) in [("uploader", "duyet"), ("operator", "duyet"), ("uploader", "thu-hoi")] {
        let answer = Tab::of(&site, who).post(&at(what), &[("hash", hash), ("reason", "x")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{who} {what}");
    }
    // A form of another site comes with the cookie, and without the key.
    let tab = Tab::of(&site, "approver");
    for key in ["", &*Tab::of(&site, "second").key] {
        let forged = tab.post_as(key, &at("duyet"), &[("hash", hash)]).await;
        assert!(forged.status == StatusCode::FORBIDDEN && forged.text().contains("Trang này đã cũ"));
    }
    let still = site.get("auditor", &format!("/api/v1/segments/{id}")).await.json();
    assert_eq!(still["state"], "pending");
    let stranger = site.send(Request::get("/duyet").body(Body::empty()).unwrap()).await;
    assert_eq!(stranger.header(header::LOCATION), "/dang-nhap?sau=%2Fduyet");
}

#[tokio::test]
async fn nobody_approves_what_they_sent_themselves() {
    let site = Site::new();
    let bytes = wav(440.0, 1.0);
    let own = site.hand_in("approver", &[Part::file("a.wav", &bytes)]).await.json();
    let (id, hash) = (own["id"].as_str().unwrap(), own["hash"].as_str().unwrap());
    submit(&site, "approver", id).await;
    let sentence = "Bạn không được tự duyệt bản ghi do chính mình nộp";
    let page = Tab::of(&site, "approver").get("/duyet").await.text();
    assert!(page.contains(sentence) && !page.contains("Duyệt cho phát"));
    let refused = Tab::of(&site, "approver").post(&format!("/ban-ghi/{id}/duyet"), &[("hash", hash)]).await;
    assert!(refused.status == StatusCode::FORBIDDEN && refused.text().contains(sentence));
    assert!(Tab::of(&site, "second").get("/duyet").await.text().contains("Duyệt cho phát"));
}

#[tokio::test]
async fn a_script_in_a_title_is_text() {
    let site = Site::new();
    let bytes = wav(440.0, 1.0);
    let title = "<script>alert(1)</script>\" onload=\"x";
    let made =
        site.hand_in("uploader", &[Part::file("a.wav", &bytes), Part::word("title", title)]).await.json();
    let id = made["id"].as_str().unwrap();
    submit(&site, "uploader", id).await;
    for path in ["/ban-ghi", "/duyet", &format!("/ban-ghi/{id}"), &format!("/ban-ghi/{id}/thu-hoi")] {
        let page = Tab::of(&site, "approver").get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(
            page.text().contains("&lt;script&gt;alert") && !page.text().contains("<script>alert"),
            "{path}"
        );
        assert!(!page.text().contains("\" onload=\"x"), "{path}");
    }
}

#[tokio::test]
async fn a_plain_form_takes_several_files_each_with_its_verdict() {
    let site = Site::new();
    let (one, two, silent) = (wav(440.0, 1.0), wav(550.0, 1.0), wav(0.0, 1.0));
    let tab = Tab::of(&site, "uploader");
    let send = async |key: &str| {
        let parts = [
            Part::word("key", key),
            Part::word("programme", "cam-tay-chi-viec"),
            Part::word("week", "2026-11-23"),
            Part::file("một.wav", &one),
            Part::file("hai.wav", &two),
            Part::file("../im.wav", &silent),
            Part::file("ba.wav", &one),
        ];
        let request = Request::post("/ban-ghi/gui")
            .header(header::COOKIE, &tab.cookie)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=xxx");
        site.send(request.body(Body::from(form(&parts))).unwrap()).await
    };
    assert_eq!(send("wrong").await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.files(), 0, "nothing is taken without the key");
    assert_eq!(send(&tab.key).await.header(header::LOCATION), "/ban-ghi/gui");
    let page = Tab::of(&site, "uploader").get("/ban-ghi/gui").await.text();
    for said in
        ["Bản nháp “một”", "Bản nháp “hai”", "im lặng", "Đúng tệp này đã có trên máy: “một” (bản nháp)"]
    {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert_eq!(site.files(), 2);
    assert!(site.state.store.catalog().unwrap().iter().all(|segment| segment.words.programme.is_some()));
    assert!(
        !Tab::of(&site, "approver").get("/ban-ghi/gui").await.text().contains("một.wav"),
        "each sees their own"
    );
}

#[tokio::test]
async fn what_is_heard_before_approving_is_what_the_loudspeakers_get() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let path = format!("/api/v1/segments/{}/levelled", recording["id"].as_str().unwrap());
    let whole = site.get("approver", &path).await;
    assert_eq!((whole.status, whole.header(header::CONTENT_TYPE)), (StatusCode::OK, "audio/wav"));
    assert_eq!(whole.body.len(), 44 + 48_000 * 4);
    let samples: Vec<_> =
        hound::WavReader::new(&*whole.body).unwrap().into_samples::<i16>().map(Result::unwrap).collect();
    let mut meter = ebur128::EbuR128::new(2, 48_000, ebur128::Mode::I).unwrap();
    meter.add_frames_i16(&samples).unwrap();
    let loudness = meter.loudness_global().unwrap();
    assert!((loudness + 18.0).abs() < 0.5, "levelled to the station's loudness: {loudness}");
    for (range, bounds, length) in
        [("bytes=0-1", "bytes 0-1/192044", 2), ("bytes=100001-", "bytes 100001-192043/192044", 92_043)]
    {
        let request = site.request("approver", "GET", &path).header(header::RANGE, range);
        let part = site.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((part.status, part.header(header::CONTENT_RANGE)), (StatusCode::PARTIAL_CONTENT, bounds));
        assert_eq!(part.body.len(), length);
    }
    // Other bytes than the catalogue's are not played at all.
    let file = site.state.audio_dir.join(recording["file"].as_str().unwrap());
    std::fs::File::create(file)
        .and_then(|mut file| io::Write::write_all(&mut file, &wav(99.0, 1.0)))
        .unwrap();
    assert_eq!(site.get("approver", &path).await.problem(), refused(409, "file-changed"));
}

/// So loud and uneven that the limiter works, and its gain is under way at every moment.
fn harsh(sample_rate: u32, seconds: u32) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for frame in 0..sample_rate * seconds {
        let is_burst = frame % (sample_rate / 3) < sample_rate / 200;
        let noise = i16::try_from(frame.wrapping_mul(2_654_435_761) >> 17).unwrap() - 16_384;
        writer.write_sample(if is_burst { noise * 2 } else { noise / 64 }).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn a_range_of_what_is_heard_is_those_bytes_of_the_whole() {
    let site = Site::new();
    for sample_rate in [44_100, 16_000] {
        let bytes = harsh(sample_rate, 6);
        let made = site.hand_in("uploader", &[Part::file("a.wav", &bytes)]).await.json();
        let path = format!("/api/v1/segments/{}/levelled", made["id"].as_str().unwrap());
        let whole = site.get("approver", &path).await.body;
        let mut meter = ebur128::EbuR128::new(2, 48_000, ebur128::Mode::TRUE_PEAK).unwrap();
        let samples = hound::WavReader::new(&*whole).unwrap().into_samples::<i16>().map(Result::unwrap);
        meter.add_frames_i16(&samples.collect::<Vec<_>>()).unwrap();
        assert!(meter.true_peak(0).unwrap() > 0.8, "the limiter works: {:?}", meter.true_peak(0));
        let end = whole.len();
        for (from, to) in
            [(43, 60), (47, 9_999), (5_001, 90_000), (576_044, 600_000), (900_003, end), (end - 9, end)]
        {
            let request = site.request("approver", "GET", &path);
            let request = request.header(header::RANGE, format!("bytes={from}-{}", to - 1));
            let part = site.send(request.body(Body::empty()).unwrap()).await.body;
            let other = part.iter().zip(&whole[from..to]).position(|(one, other)| one != other);
            assert_eq!((part.len(), other), (to - from, None), "{sample_rate} Hz, {from} to {to}");
        }
    }
}

#[tokio::test]
async fn when_a_recording_airs_is_said_of_what_can_and_of_what_waits_on_a_condition() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let (id, hash) = (recording["id"].as_str().unwrap(), &recording["hash"]);
    let path = format!("/api/v1/segments/{id}");
    let words = json!({"programme": "cam-tay-chi-viec", "week": "2026-11-30"});
    site.call("uploader", "PATCH", &path, words).await;
    let tab = Tab::of(&site, "auditor");
    let due = async |broken: bool| {
        let mut plan = plan(&site.state.store, site.clock.now());
        let troubles = broken.then(|| (id.into(), FileTrouble::FileMissing));
        plan.catalog = Arc::new(plan.catalog.with_troubles(troubles.into_iter().collect()));
        site.plan.send_replace(Arc::new(plan));
        let page = tab.get(&format!("/ban-ghi/{id}")).await.text();
        page.split_once("<p class=\"due\">").map(|(_, rest)| rest.split_once("</p>").unwrap().0.to_owned())
    };
    let said = |words: &str| Some(format!("{words} vào thứ Hai 30/11/2026, 05:30"));
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    assert_eq!(due(false).await, said("nếu được duyệt sẽ phát"));
    site.call("approver", "POST", &format!("{path}/approve"), json!({"hash": hash})).await;
    assert_eq!([due(false).await, due(true).await], [said("lên loa lần tới"), None]);

    // Where it is broken, what waits may stand in for it.
    let older = site.recording(300.0).await;
    let path = format!("/api/v1/segments/{}", older["id"].as_str().unwrap());
    site.call("uploader", "PATCH", &path, json!({"programme": "cam-tay-chi-viec", "week": "2026-11-23"}))
        .await;
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    for broken in [false, true] {
        due(broken).await;
        let queue = Tab::of(&site, "approver").get("/duyet").await.text();
        assert_eq!(queue.contains("nếu được duyệt sẽ phát vào thứ Hai 30/11/2026, 05:30"), broken, "{queue}");
    }
}

#[tokio::test]
async fn a_week_is_whole_once_all_of_it_may_air_and_drafts_are_on_the_list_of_who_made_them() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/segments/{id}");
    let words = json!({"programme": "cam-tay-chi-viec", "week": "2026-11-23"});
    let hash = site.call("uploader", "PATCH", &path, words).await.json()["hash"].clone();
    let week = WEEK.replace("title = \"Cầm tay chỉ việc\"", "title = \"Cầm tay chỉ việc\"\nweekly = true");
    let said = async || {
        let plan = plan_of(STATION, &week, &site.state.store, site.clock.now());
        site.plan.send_replace(Arc::new(plan));
        let page = Tab::of(&site, "uploader").get("/ban-ghi").await.text();
        let (_, of) = page.split_once("Tuần 48 (23/11 – 29/11)</strong>: ").unwrap();
        of.split_once("</summary>").unwrap().0.to_owned()
    };
    let to_do = async |who| {
        let home = Tab::of(&site, who).get("/").await.text();
        home.contains("1 bản nháp của bạn chưa gửi duyệt")
            && home.contains(&format!("/ban-ghi/{id}\">Mở bản nháp"))
    };
    assert_eq!(said().await, "<span class=\"waits\">1 bản nháp chưa gửi duyệt</span>");
    assert_eq!([to_do("uploader").await, to_do("operator").await], [true, false]);
    submit(&site, "uploader", &id).await;
    assert_eq!(said().await, "<span class=\"waits\">1 bản ghi chờ duyệt</span>");
    assert!(!to_do("uploader").await);
    site.call("approver", "POST", &format!("{path}/approve"), json!({"hash": hash})).await;
    assert_eq!(said().await, "<span class=\"whole\">đủ bản ghi</span>");
    site.call("approver", "POST", &format!("{path}/withdraw"), json!({"reason": "sai"})).await;
    assert_eq!(said().await, "<span class=\"lacks\">còn thiếu 1 bản ghi</span>");
}

#[tokio::test]
async fn what_the_schedule_has_no_place_for_says_so_on_its_way_to_the_air() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let (id, file) = (recording["id"].as_str().unwrap(), recording["file"].as_str().unwrap());
    let path = format!("/api/v1/segments/{id}");
    let warned = async |who: &str, page: &str| {
        let page = Tab::of(&site, who).get(page).await.text();
        page.contains("Chưa chọn chuyên mục: bản ghi này sẽ không phát theo lịch")
    };
    let here = format!("/ban-ghi/{id}");
    assert!(warned("uploader", &here).await, "a draft");
    submit(&site, "uploader", id).await;
    assert!(warned("uploader", &here).await && warned("approver", "/duyet").await, "what waits");
    // Where a slot names its file, it airs.
    let named = WEEK.replace("{ programme = \"cam-tay-chi-viec\" }", &format!("{{ file = \"{file}\" }}"));
    let days = format!(
        "[[day]]\ndate = 2026-11-30\ntitle = \"a\"\n[[day.replace]]\nslot = \"sang/chuyen-muc\"\nplay = {{ file = \"{file}\" }}\n"
    );
    for (week, days) in [(&*named, None), (WEEK, Some(days))] {
        let sources = Sources { station: Some(STATION.to_owned()), week: Some(week.to_owned()), days };
        let schedule = Arc::new(schedule::read(&sources).unwrap());
        site.plan.send_modify(|plan| Arc::make_mut(plan).schedule = schedule);
        assert!(!warned("uploader", &here).await && !warned("approver", "/duyet").await);
    }
    site.plan.send_replace(Arc::new(plan(&site.state.store, site.clock.now())));
    assert!(warned("approver", "/duyet").await);
    site.call("uploader", "PATCH", &path, json!({"programme": "cam-tay-chi-viec"})).await;
    assert!(!warned("approver", "/duyet").await && !warned("uploader", &here).await);

    // A form that is not taken holds another programme than what is kept: nothing is said of that.
    site.call("uploader", "PATCH", &path, json!({"programme": null})).await;
    assert!(warned("uploader", &here).await);
    let form = [("title", ""), ("programme", "cam-tay-chi-viec")];
    let refused = Tab::of(&site, "uploader").post(&here, &form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.text().contains("Chưa chọn chuyên mục"), "{}", refused.text());
}

#[tokio::test]
async fn a_recording_tells_how_often_it_was_heard_and_when() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let id = recording["id"].as_str().unwrap();
    let words = json!({"programme": "cam-tay-chi-viec"});
    site.call("approver", "PATCH", &format!("/api/v1/segments/{id}"), words).await;
    let heard = async || {
        let page = Tab::of(&site, "uploader").get(&format!("/ban-ghi/{id}")).await.text();
        let (_, rest) = page.split_once("<p>Đã lên loa ")?;
        Some(rest.split_once("</p>").unwrap().0.to_owned())
    };
    assert_eq!(heard().await, None);
    let said = [
        "1 lần, vào thứ Hai 30/11/2026, 05:30.",
        "2 lần, lần đầu vào thứ Hai 30/11/2026, 05:30, lần gần nhất vào thứ Hai 07/12/2026, 05:30.",
    ];
    for (days, said) in [0, 7].into_iter().zip(said) {
        let plan = plan(&site.state.store, site.clock.now() + SignedDuration::from_hours(24 * days));
        let cue = Arc::clone(plan.timelines[0].cues().next().unwrap());
        let at = cue.at;
        site.state.store.record(&facts::opened(&cue, 0, at, 1)).unwrap();
        site.state.store.record(&facts::closed(&cue, 0, at, 1, None)).unwrap();
        assert_eq!(heard().await.as_deref(), Some(said));
    }
}

#[tokio::test]
async fn what_has_expired_says_so_to_who_keeps_it_and_to_who_may_approve_it() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let page = format!("/ban-ghi/{}", recording["id"].as_str().unwrap());
    let (uploader, approver) = (Tab::of(&site, "uploader"), Tab::of(&site, "approver"));
    let keep = async |until: &str| {
        let fields = [("title", "Thông báo"), ("valid_until", until)];
        assert_eq!(uploader.post(&page, &fields).await.status, StatusCode::SEE_OTHER);
        uploader.get(&page).await.text()
    };
    let said = "Bản ghi đã hết hạn (phát đến hết Chủ nhật 22/11/2026) nên sẽ không lên loa";
    let last_day = keep("2026-11-23").await;
    assert!(!last_day.contains("đã hết hạn"), "{last_day}");
    let over = keep("2026-11-22").await;
    assert!(over.contains(said) && over.contains("<p class=\"note warn\">Bản ghi đã hết hạn"), "{over}");
    uploader.post(&page, &[("title", "Thông báo"), ("valid_until", "2026-11-22"), ("then", "submit")]).await;
    for shown in [uploader.get(&page).await, approver.get("/duyet").await] {
        assert!(shown.text().contains(said), "{}", shown.text());
    }
}
