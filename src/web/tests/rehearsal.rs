//! A day rehearsed from the console.

use std::io::Write as _;

use super::*;

const NEXT_MONDAY: &str = "2026-11-30";

#[tokio::test]
async fn a_day_is_rehearsed_through_the_engine_and_leaves_no_trace() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let id = recording["id"].as_str().unwrap();
    let words = json!({"programme": "cam-tay-chi-viec"});
    site.call("approver", "PATCH", &format!("/api/v1/segments/{id}"), words).await;
    site.plan.send_replace(Arc::new(plan(&site.state.store, site.clock.now())));
    let cookie = site.cookie("operator").await;
    let key = site.key(&cookie).await;
    let rehearse = async |day| {
        let fields = [("key", key.as_str()), ("ngay", day)];
        site.post("/chay-thu", &[("cookie", &cookie)], &fields).await
    };

    let well = rehearse(NEXT_MONDAY).await;
    assert_eq!(well.status, StatusCode::OK, "{}", well.text());
    assert!(well.text().contains("Cả 1 mục phát đúng lịch, 1 giây âm thanh."), "{}", well.text());
    let title = recording["title"].as_str().unwrap();
    assert!(well.text().contains(&format!("<span class=\"heard\">{title}</span>")), "{}", well.text());
    assert!(well.text().contains("phát được</span>") && !well.text().contains("đã phát"), "{}", well.text());
    assert!(site.state.store.airings(&Default::default()).unwrap().airings.is_empty(), "nothing is logged");

    let sunday = rehearse("2026-11-29").await;
    assert!(sunday.text().contains("không có buổi phát nào"), "{}", sunday.text());
    assert_eq!(rehearse("ngày mai").await.status, StatusCode::UNPROCESSABLE_ENTITY);

    // What the plan cannot know: the bytes are not the approved ones any more.
    let file = site.state.audio_dir.join(recording["file"].as_str().unwrap());
    std::fs::File::create(&file).unwrap().write_all(&wav(880.0, 1.0)).unwrap();
    let broken = rehearse(NEXT_MONDAY).await;
    assert!(broken.text().contains("1 trong 1 mục không phát đúng lịch"), "{}", broken.text());
    assert!(broken.text().contains("tệp lỗi"), "{}", broken.text());

    let place = site.state.limits.rehearsals.try_acquire().unwrap();
    assert_eq!(rehearse(NEXT_MONDAY).await.status, StatusCode::SERVICE_UNAVAILABLE, "one at a time");
    drop(place);
}

#[tokio::test]
async fn what_is_planned_for_one_instant_is_listed_in_the_order_of_the_plan() {
    let site = Site::new();
    let silent = "[[session.slot]]\nid = \"z-hieu\"\ntitle = \"Nhạc hiệu\"\nplay = { file = \"hieu.ogg\" }\n";
    let week = WEEK.replacen("[[session.slot]]", &format!("{silent}[[session.slot]]"), 1);
    site.plan.send_replace(Arc::new(plan_of(STATION, &week, &site.state.store, site.clock.now())));
    let cookie = site.cookie("operator").await;
    let key = site.key(&cookie).await;
    let fields = [("key", key.as_str()), ("ngay", NEXT_MONDAY)];
    let page = site.post("/chay-thu", &[("cookie", &cookie)], &fields).await.text();
    let place = |title: &str| page.find(&format!("<td>{title}")).unwrap();
    assert!(place("Nhạc hiệu") < place("Cầm tay chỉ việc"), "{page}");
}
