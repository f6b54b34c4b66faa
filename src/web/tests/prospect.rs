//! What an approver is told before they approve: what it pushes out, and why it may come to nothing.

use super::air_pages::Tab;
use super::*;
use crate::asrun::fixture as facts;

/// A recording with these words that waits for approval; its id.
async fn waiting(site: &Site, pitch: f32, words: Value) -> String {
    let id = site.recording(pitch).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/segments/{id}");
    let kept = site.call("uploader", "PATCH", &path, words).await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.text());
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    site.clock.advance(Duration::from_secs(60));
    id
}

/// The same, approved.
async fn approved(site: &Site, pitch: f32, words: Value) -> String {
    let id = waiting(site, pitch, words).await;
    approve(site, &id).await;
    id
}

async fn approve(site: &Site, id: &str) {
    let path = format!("/api/v1/segments/{id}");
    let hash = site.get("approver", &path).await.json()["hash"].clone();
    let approved = site.call("approver", "POST", &format!("{path}/approve"), json!({"hash": hash})).await;
    assert_eq!(approved.status, StatusCode::OK, "{}", approved.text());
}

fn in_force(site: &Site, week: &str) {
    site.plan.send_replace(Arc::new(plan_of(STATION, week, &site.state.store, site.clock.now())));
}

/// The same over the window that the planner has, with what is on record in it.
fn in_force_as_planned(site: &Site, week: &str) {
    let (store, now) = (&site.state.store, site.clock.now());
    let mut plan = plan_of(STATION, week, store, now);
    let hours = SignedDuration::from_hours;
    let (output, window) = ("loa-xa".into(), Window { from: now - hours(36), to: now + hours(8 * 24) });
    let history = store.history(&output, window).unwrap();
    plan.timelines = vec![Arc::new(compile(&plan.schedule, &plan.catalog, &history, &output, window))];
    site.plan.send_replace(Arc::new(plan));
}

/// Puts on record that the first cue of the plan in force was heard whole.
fn heard(site: &Site) {
    let cue = Arc::clone(site.plan.borrow().timelines[0].cues().next().unwrap());
    site.state.store.record(&facts::opened(&cue, 0, cue.at, 1)).unwrap();
    site.state.store.record(&facts::closed(&cue, 0, cue.at, 1, None)).unwrap();
}

/// Whether something is said of a recording on its card and on its page.
async fn said(site: &Site, id: &str, words: &str) -> (bool, bool) {
    let tab = Tab::of(site, "approver");
    let queue = tab.get("/duyet").await.text();
    let (_, card) = queue.split_once(&format!("href=\"/ban-ghi/{id}\"")).expect("a card");
    let card = card.split_once("</li>").unwrap().0;
    (card.contains(words), tab.get(&format!("/ban-ghi/{id}")).await.text().contains(words))
}

#[tokio::test]
async fn who_approves_is_told_which_approved_recording_loses_its_place() {
    let site = Site::new();
    let programme = |title: &str| json!({"title": title, "programme": "cam-tay-chi-viec"});
    approved(&site, 440.0, programme("Bài cũ")).await;
    let new = waiting(&site, 550.0, programme("Bài mới")).await;
    in_force(&site, WEEK);
    let once = "Duyệt bản ghi này thì “Bài cũ” không còn phát vào thứ Hai 30/11/2026, 05:30: bản ghi này được phát thay.";
    assert_eq!(said(&site, &new, once).await, (true, true));

    // Another that waits too takes nothing away as long as it only waits.
    let newest = waiting(&site, 660.0, programme("Bài mới nhất")).await;
    in_force(&site, &WEEK.replace("[\"T2\"]", "[\"T3\", \"T4\"]"));
    let twice = "“Bài cũ” không còn phát vào thứ Ba 24/11/2026, 05:30 và 1 lần nữa trong 7 ngày tới";
    for id in [&new, &newest] {
        assert_eq!(said(&site, id, twice).await, (true, true));
        assert_eq!(said(&site, id, "“Bài mới” không còn").await, (false, false));
    }

    // What is older, or for other days, takes no place.
    let tuesday =
        json!({"title": "Riêng hôm nay", "programme": "cam-tay-chi-viec", "valid_until": "2026-11-24"});
    let one_day = waiting(&site, 770.0, tuesday).await;
    in_force(&site, &WEEK.replace("[\"T2\"]", "[\"T3\", \"T4\"]"));
    let only = "“Bài cũ” không còn phát vào thứ Ba 24/11/2026, 05:30: ";
    assert_eq!(said(&site, &one_day, only).await, (true, true));
}

#[tokio::test]
async fn of_what_waits_and_would_not_air_it_is_said_why() {
    let site = Site::new();
    let weekly = WEEK.replace("topic = \"II.2\"", "topic = \"II.2\"\nweekly = true")
        + "[[programme]]\nid = \"bo\"\ntitle = \"Chuyên mục bỏ\"\n[[programme]]\nid = \"tin\"\ntitle = \"Tin\"\n"
        + "[[session]]\nid = \"chieu\"\ntitle = \"Chiều\"\ndays = [\"T5\"]\nfrom = 17:00:00\nto = 17:30:00\n"
        + "[[session.slot]]\nid = \"tin\"\nplay = { programme = \"tin\" }\n";
    in_force(&site, &weekly);
    approved(&site, 330.0, json!({"title": "Tin cũ", "programme": "tin"})).await;
    let late = waiting(&site, 350.0, json!({"title": "Tin muộn", "programme": "tin"})).await;
    approved(&site, 370.0, json!({"title": "Tin nóng", "programme": "tin"})).await;
    let words = |more: Value| {
        let mut words = json!({"title": "Bài", "programme": "tin"});
        words.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        words
    };
    let mut cases = vec![(late, "“Tin nóng” mới hơn, nên được phát thay")];
    for (pitch, more, why) in [
        (440.0, json!({"programme": "bo"}), "không có buổi nào phát “Chuyên mục bỏ”"),
        (
            460.0,
            json!({"valid_from": "2026-11-27", "valid_until": "2026-12-01"}),
            "bản ghi chỉ được phát từ thứ Sáu 27/11/2026 đến hết thứ Ba 01/12/2026, không trúng buổi nào",
        ),
        (
            480.0,
            json!({"valid_until": "2026-11-25"}),
            "bản ghi chỉ được phát đến hết thứ Tư 25/11/2026, không trúng",
        ),
        (
            500.0,
            json!({"programme": "cam-tay-chi-viec", "week": "2026-12-07"}),
            "bản ghi này dành cho tuần 50 (07/12 – 13/12)",
        ),
    ] {
        cases.push((waiting(&site, pitch, words(more)).await, why));
    }
    in_force(&site, &weekly);
    for (id, why) in &cases {
        let why = format!("dù được duyệt cũng chưa phát trong 7 ngày tới: {why}");
        assert_eq!(said(&site, id, &why).await, (true, true), "{why}");
    }
}

#[tokio::test]
async fn what_waits_may_air_in_the_rest_of_the_session_that_is_under_way() {
    let site = Site::new();
    let week = WEEK.replace("05:30:00\nto = 06:00:00", "07:30:00\nto = 09:00:00")
        + "start = \"hard\"\nat = 08:30:00\n[[session.slot]]\nid = \"cuoi\"\nplay = { programme = \"tin\" }\n"
        + "[[programme]]\nid = \"tin\"\ntitle = \"Tin\"\n";
    let id = waiting(&site, 440.0, json!({"title": "Bài", "programme": "cam-tay-chi-viec"})).await;
    in_force_as_planned(&site, &week);
    let today = "nếu được duyệt sẽ phát vào thứ Hai 23/11/2026, 08:30";
    assert_eq!(said(&site, &id, today).await, (true, true));
    approve(&site, &id).await;
    in_force_as_planned(&site, &week);
    let page = Tab::of(&site, "approver").get(&format!("/ban-ghi/{id}")).await.text();
    assert!(page.contains("lên loa lần tới vào thứ Hai 23/11/2026, 08:30"), "{page}");
}

#[tokio::test]
async fn what_waits_is_not_said_to_air_where_what_aired_is_repeated() {
    let site = Site::new();
    let week = WEEK.to_owned()
        + "[[session]]\nid = \"chieu\"\ntitle = \"Chiều\"\ndays = [\"T2\"]\nfrom = 17:00:00\nto = 17:30:00\n"
        + "[[session.slot]]\nid = \"lai\"\nplay = { repeat = \"sang/chuyen-muc\" }\n";
    let programme = |title: &str| json!({"title": title, "programme": "cam-tay-chi-viec"});
    approved(&site, 440.0, programme("Bài cũ")).await;
    in_force_as_planned(&site, &week);
    heard(&site);
    let new = waiting(&site, 550.0, programme("Bài mới")).await;
    in_force_as_planned(&site, &week);
    assert_eq!(said(&site, &new, "23/11/2026, 17:00").await, (false, false));
    let in_a_week = "nếu được duyệt sẽ phát vào thứ Hai 30/11/2026, 05:30";
    assert_eq!(said(&site, &new, in_a_week).await, (true, true));
    approve(&site, &new).await;
    in_force_as_planned(&site, &week);
    let page = Tab::of(&site, "approver").get(&format!("/ban-ghi/{new}")).await.text();
    assert!(page.contains("lên loa lần tới vào thứ Hai 30/11/2026, 05:30"), "{page}");
}

#[tokio::test]
async fn what_would_win_is_not_said_to_lose_where_others_put_it_off_by_seconds() {
    let site = Site::new();
    let week = WEEK.replace(
        "[[session.slot]]",
        "[[session.slot]]\nid = \"tin\"\nplay = { programme = \"tin\" }\n[[session.slot]]",
    ) + "[[programme]]\nid = \"tin\"\ntitle = \"Tin\"\n";
    in_force(&site, &week);
    waiting(&site, 330.0, json!({"title": "Tin", "programme": "tin"})).await;
    let programme = |title: &str| json!({"title": title, "programme": "cam-tay-chi-viec"});
    let old = waiting(&site, 440.0, programme("Bài cũ")).await;
    let new = waiting(&site, 550.0, programme("Bài mới")).await;
    in_force(&site, &week);
    let loses = "Nếu duyệt cả các bản ghi khác đang chờ, một bản khác phát thay";
    assert_eq!(said(&site, &new, loses).await, (false, false));
    assert_eq!(said(&site, &new, "nếu được duyệt sẽ phát vào thứ Hai 30/11").await, (true, true));
    assert_eq!(said(&site, &old, loses).await, (true, true));
}

#[tokio::test]
async fn the_page_of_a_recording_knows_at_once_when_it_airs() {
    let site = Site::new();
    let id = waiting(&site, 440.0, json!({"title": "Bài", "programme": "cam-tay-chi-viec"})).await;
    assert_eq!(said(&site, &id, "nếu được duyệt sẽ phát vào thứ Hai 30/11").await, (true, true));
    approve(&site, &id).await;
    let page = Tab::of(&site, "approver").get(&format!("/ban-ghi/{id}")).await.text();
    assert!(page.contains("lên loa lần tới vào thứ Hai 30/11/2026, 05:30"), "{page}");
}

#[tokio::test]
async fn what_is_kept_ready_for_emergencies_is_not_warned_of_for_want_of_a_session() {
    let site = Site::new();
    let week = WEEK.to_owned() + "[[programme]]\nid = \"lu\"\ntitle = \"Báo lũ\"\nready = true\n";
    in_force(&site, &week);
    let id = waiting(&site, 440.0, json!({"title": "Lũ về", "programme": "lu"})).await;
    in_force(&site, &week);
    let (warned, told) = ("không có buổi nào", "dành cho “Phát ngay” hoặc “Khẩn cấp”");
    assert_eq!(said(&site, &id, warned).await, (false, false));
    assert_eq!(said(&site, &id, told).await, (true, true));
    approve(&site, &id).await;
    in_force(&site, &week);
    let page = Tab::of(&site, "approver").get(&format!("/ban-ghi/{id}")).await.text();
    assert!(page.contains(told) && !page.contains("không có chỗ"), "{page}");
}
