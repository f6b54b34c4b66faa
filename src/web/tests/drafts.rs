//! What one sent and does not want any more: drafts, and files that never came whole.

use super::air_pages::Tab;
use super::*;

#[tokio::test]
async fn a_draft_of_ones_own_is_thrown_away_after_a_question_and_stays_on_record() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let id = recording["id"].as_str().unwrap();
    let (here, away) = (format!("/ban-ghi/{id}"), format!("/ban-ghi/{id}/bo"));
    let (tab, other) = (Tab::of(&site, "uploader"), Tab::of(&site, "operator"));
    assert!(tab.get("/").await.text().contains("1 bản nháp của bạn chưa gửi duyệt"));
    assert!(tab.get(&here).await.text().contains(&format!("href=\"{away}\">Bỏ bản nháp")));
    assert!(!other.get(&here).await.text().contains("Bỏ bản nháp"), "it is another's");
    assert_eq!(other.get(&away).await.status, StatusCode::SEE_OTHER);
    assert_eq!(other.post(&away, &[]).await.status, StatusCode::FORBIDDEN);
    let asked = tab.get(&away).await.text();
    assert!(asked.contains("Bỏ bản nháp “bài”?") && asked.contains("Vâng, bỏ bản nháp"), "{asked}");
    let state = async || site.get("auditor", &format!("/api/v1/segments/{id}")).await.json()["state"].clone();
    assert_eq!(state().await, "draft");
    for _ in 0..2 {
        let gone = tab.post(&away, &[]).await;
        assert_eq!(gone.status, StatusCode::SEE_OTHER);
        let page = tab.get(gone.header(header::LOCATION)).await.text();
        assert!(page.contains("Đã bỏ bản nháp. Bản ghi này không lên loa."), "{page}");
        assert!(page.contains("<strong>uploader</strong> bỏ bản nháp"), "{page}");
    }
    assert_eq!(state().await, "withdrawn");
    let act = ("uploader".to_owned(), "segment.discard".to_owned(), id.to_owned());
    assert_eq!(site.acts().iter().filter(|done| **done == act).count(), 1);
    assert!(!tab.get("/").await.text().contains("bản nháp của bạn"));
}

#[tokio::test]
async fn what_waits_for_approval_is_no_draft_to_throw_away() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let id = recording["id"].as_str().unwrap();
    site.call("uploader", "POST", &format!("/api/v1/segments/{id}/submit"), json!({})).await;
    let tab = Tab::of(&site, "uploader");
    assert!(!tab.get(&format!("/ban-ghi/{id}")).await.text().contains("Bỏ bản nháp"));
    assert_eq!(tab.post(&format!("/ban-ghi/{id}/bo"), &[]).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn what_was_thrown_away_is_handed_in_again_by_anybody_and_is_theirs_and_new() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let id = recording["id"].as_str().unwrap();
    let (here, path) = (format!("/ban-ghi/{id}"), format!("/api/v1/segments/{id}"));
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    site.call("approver", "POST", &format!("{path}/return"), json!({"reason": "nhỏ quá"})).await;
    let tab = Tab::of(&site, "uploader");
    assert!(tab.get(&here).await.text().contains("approver trả lại"));
    assert!(tab.get(&format!("{here}/bo")).await.text().contains("hãy nộp lại đúng tệp này"));
    tab.post(&format!("{here}/bo"), &[]).await;
    let page = tab.get(&here).await.text();
    assert!(page.contains("hãy nộp lại đúng tệp này") && !page.contains("Không bao giờ"), "{page}");

    let bytes = wav(440.0, 1.0);
    let parts = [Part::word("title", "Của Hoa"), Part::file("khác.wav", &bytes)];
    let again = site.hand_in("operator", &parts).await;
    assert_eq!(again.status, StatusCode::CREATED, "{}", again.text());
    let again = again.json();
    assert_eq!((&again["id"], &again["state"]), (&recording["id"], &json!("draft")));
    assert_eq!((&again["added_by"], &again["title"]), (&json!("operator"), &json!("Của Hoa")));
    let added = ("operator".to_owned(), "segment.add".to_owned(), id.to_owned());
    assert_eq!(site.acts().pop(), Some(added));
    let page = Tab::of(&site, "operator").get(&here).await.text();
    assert!(page.contains("Tên: “bài” → “Của Hoa”") && page.contains("nhỏ quá"), "the history stays: {page}");
    assert!(!page.contains("Hãy sửa rồi gửi duyệt lại"), "it was not given back to who has it now: {page}");
    assert_eq!(tab.post(&format!("{here}/bo"), &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.hand_in("uploader", &parts).await.status, StatusCode::OK, "it is there");
}

#[tokio::test]
async fn what_was_withdrawn_does_not_come_back_by_handing_it_in() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    site.call("operator", "POST", &format!("{path}/withdraw"), json!({"reason": "sai"})).await;
    let bytes = wav(440.0, 1.0);
    let again = site.hand_in("uploader", &[Part::file("bài.wav", &bytes)]).await;
    assert_eq!((again.status, &again.json()["state"]), (StatusCode::OK, &json!("withdrawn")));
}

#[tokio::test]
async fn the_list_of_files_says_where_each_stands_and_forgets_what_never_came_whole() {
    let site = Site::new();
    let tab = Tab::of(&site, "uploader");
    let bytes = wav(440.0, 1.0);
    let send = async || {
        let parts = [Part::word("key", &tab.key), Part::file("một.wav", &bytes)];
        let request = Request::post("/ban-ghi/gui")
            .header(header::COOKIE, &tab.cookie)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=xxx");
        site.send(request.body(Body::from(form(&parts))).unwrap()).await;
    };
    send().await;
    let list = async || tab.get("/ban-ghi/gui").await.text();
    let page = list().await;
    assert!(page.contains("Điền thông tin và gửi duyệt</a>"), "{page}");
    let (_, id) = page.split_once("href=\"/ban-ghi/").unwrap();
    let id = id.split('"').next().unwrap();
    site.call("uploader", "POST", &format!("/api/v1/segments/{id}/submit"), json!({})).await;
    let page = list().await;
    // What was said when it came stays, and where it stands now is said to be of now.
    assert!(page.contains("Bản nháp “một”") && !page.contains("Điền thông tin và gửi duyệt</a>"), "{page}");
    assert_eq!(page.matches("Hiện nay: <span class=\"state pending\">").count(), 1, "{page}");
    send().await;
    site.call("approver", "POST", &format!("/api/v1/segments/{id}/return"), json!({"reason": "Sai"})).await;
    let page = list().await;
    assert!(page.contains("“một” (chờ duyệt). Không có gì thay đổi."), "{page}");
    assert_eq!(page.matches("Hiện nay: <span class=\"state draft\">").count(), 1, "{page}");

    let request = site.request("uploader", "POST", "/api/v1/uploads");
    let request = request.header("tus-resumable", "1.0.0").header("upload-length", "9");
    let made = site.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let upload = made.header(header::LOCATION).rsplit('/').next().unwrap().to_owned();
    let drop = format!("/ban-ghi/gui/{upload}/bo");
    assert!(list().await.contains(&format!("action=\"{drop}\"")));
    assert_eq!(Tab::of(&site, "operator").post(&drop, &[]).await.status, StatusCode::SEE_OTHER);
    assert!(list().await.contains(&upload), "nobody else forgets it");
    for _ in 0..2 {
        assert_eq!(tab.post(&drop, &[]).await.header(header::LOCATION), "/ban-ghi/gui");
    }
    assert!(!list().await.contains(&upload));
}

#[tokio::test]
async fn a_file_without_a_name_has_a_title_and_no_title_turns_its_letters() {
    let site = Site::new();
    let (one, other) = (wav(440.0, 1.0), wav(550.0, 1.0));
    let unnamed = site.hand_in("uploader", &[Part::file(".htaccess", &one)]).await.json();
    assert_eq!(unnamed["title"], "Bản ghi không tên");
    let title = "bản\u{202e} tin";
    let turned = site.hand_in("uploader", &[Part::word("title", title), Part::file("a.wav", &other)]).await;
    assert_eq!(turned.json()["title"], "bản tin");
}

#[tokio::test]
async fn of_what_would_air_for_ever_that_is_said_until_it_has_a_last_day() {
    let site = Site::new();
    let bytes = wav(440.0, 2.0);
    let parts = [Part::file("mất điện.wav", &bytes), Part::word("programme", "cam-tay-chi-viec")];
    let recording = site.hand_in("uploader", &parts).await.json();
    let id = recording["id"].as_str().unwrap();
    let api = format!("/api/v1/segments/{id}");
    let is_said = async |play: &str| {
        let week = WEEK.replace("play = { programme =", &format!("length = \"5 min\"\nplay = {{ {play} ="));
        site.plan.send_replace(Arc::new(plan_of(STATION, &week, &site.state.store, site.clock.now())));
        let page = Tab::of(&site, "uploader").get(&format!("/ban-ghi/{id}")).await.text();
        page.contains("Chưa có ngày hết hạn")
    };
    assert_eq!((is_said("programme").await, is_said("all").await), (false, true));
    site.call("uploader", "POST", &format!("{api}/submit"), json!(null)).await;
    assert!(Tab::of(&site, "approver").get("/duyet").await.text().contains("Chưa có ngày hết hạn"));
    site.call("uploader", "PATCH", &api, json!({"valid_until": "2026-12-02"})).await;
    assert!(!is_said("all").await);
}

#[tokio::test]
async fn a_recording_whose_act_cannot_be_kept_is_not_entered() {
    let site = Site::new();
    let raw = rusqlite::Connection::open(site.dir.path().join("data/loa.db")).unwrap();
    raw.execute_batch("CREATE TRIGGER full BEFORE INSERT ON act BEGIN SELECT RAISE(ABORT, 'full'); END")
        .unwrap();
    let hand_in = async || site.hand_in("uploader", &[Part::file("tin.wav", &wav(440.0, 1.0))]).await;
    assert!(hand_in().await.status.is_server_error());
    assert_eq!((site.state.store.catalog().unwrap().iter().count(), site.files()), (0, 0));
    raw.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(hand_in().await.status, StatusCode::CREATED);
    assert_eq!(site.acts().len(), 1);
}
