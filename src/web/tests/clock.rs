//! Giờ của máy.

use super::air_pages::{Tab, hidden};
use super::*;
use crate::asrun::{Cause, Fact, NotAired, Note};

/// A site whose log has times of a year to come, by which it gave up the next session's first piece.
fn ahead() -> Site {
    let site = Site::new();
    let (store, now) = (&site.state.store, site.clock.now());
    store.set_station((&*site.plan.borrow().schedule).into());
    let far = now + SignedDuration::from_hours(24 * 365);
    let cue = site.plan.borrow().timelines[0].cues().find(|cue| cue.at > now).unwrap().clone();
    let (output, clock) = ("loa-xa".into(), ClockHealth::Unconfirmed);
    let fact = NotAired { cue, output, cause: Cause::NotRunning, clock, at: far };
    store.record(&Fact::NotAired(fact)).unwrap();
    store.note(far, Note::Stopped).unwrap();
    site
}

fn confirmations(site: &Site) -> Vec<(String, String)> {
    let acts = site.acts().into_iter().filter(|(_, what, _)| what == "clock.confirm");
    acts.map(|(by, _, subject)| (by, subject)).collect()
}

#[tokio::test]
async fn a_clock_that_the_log_speaks_against_is_confirmed_on_a_page_that_says_what_that_does() {
    let site = ahead();
    let tab = Tab::of(&site, "operator");
    let page = tab.get("/gio-may").await.text();
    for words in [
        "thứ Hai 23/11/2026, 08:00:00",
        "thứ Ba 23/11/2027, 08:00:00",
        "đừng xác nhận",
        "1 mục chưa hết giờ mà nhật ký đã ghi “không phát” được mở lại",
        "05:30 · ",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    // The plan has no recording for it.
    assert!(site.plan.borrow().timelines[0].cues().all(|cue| cue.segment().is_none()));
    assert!(!page.contains("sẽ phát") && page.contains("mục nào phát được theo lịch"), "{page}");
    assert!(confirmations(&site).is_empty(), "looking confirms nothing");
    let shown = hidden(&page, "shown").to_owned();
    // Of a time that nobody looked at, nothing is known.
    site.clock.advance(Duration::from_secs(3_600));
    let old = tab.post("/gio-may/xac-nhan", &[("shown", &shown)]).await;
    assert_eq!((old.status, old.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/gio-may?cu=1"));
    let page = tab.get("/gio-may?cu=1").await.text();
    assert!(page.contains("Chưa xác nhận") && page.contains("23/11/2026, 09:00:00"), "{page}");
    let shown = hidden(&page, "shown").to_owned();
    site.clock.step_to(site.clock.now() - SignedDuration::from_secs(60));
    let back = tab.post("/gio-may/xac-nhan", &[("shown", &shown)]).await;
    assert_eq!(back.header(header::LOCATION), "/gio-may?cu=1");
    assert!(confirmations(&site).is_empty());

    let shown = hidden(&tab.get("/gio-may").await.text(), "shown").to_owned();
    for there in ["/gio-may?xong=1", "/gio-may"] {
        let done = tab.post("/gio-may/xac-nhan", &[("shown", &shown)]).await;
        assert_eq!((done.status, done.header(header::LOCATION)), (StatusCode::SEE_OTHER, there));
    }
    let page = tab.get("/gio-may?xong=1").await.text();
    assert!(page.contains("Đã ghi nhận giờ của máy là đúng. 1 mục chưa hết giờ được mở lại"), "{page}");
    assert!(!page.contains("không cần xác nhận") && !page.contains("/gio-may/xac-nhan"), "{page}");
    let page = tab.get("/gio-may").await.text();
    assert!(page.contains("không cần xác nhận") && !page.contains("/gio-may/xac-nhan"), "{page}");
    assert!(page.contains("operator đã xác nhận giờ của máy lúc 08:59 ngày 23/11/2026"), "{page}");
    let said = ("operator".to_owned(), "23/11/2027 08:00:00".to_owned());
    assert_eq!(confirmations(&site), [said], "pressed twice, it was said once");
    assert_eq!(site.state.store.newest_instant().unwrap(), Some(site.clock.now()));
}

#[tokio::test]
async fn whoever_may_not_confirm_the_clock_is_not_shown_how() {
    let site = ahead();
    for (who, may) in [("admin", true), ("approver", false), ("auditor", false), ("uploader", false)] {
        let tab = Tab::of(&site, who);
        assert_eq!(tab.get("/gio-may").await.status == StatusCode::OK, may, "{who}");
        let shown = site.clock.now().as_millisecond().to_string();
        let post = tab.post("/gio-may/xac-nhan", &[("shown", &shown)]).await;
        assert_eq!(post.status == StatusCode::SEE_OTHER, may, "{who}");
    }
}

#[tokio::test]
async fn a_program_confirms_the_clock_once() {
    let site = ahead();
    let confirm = async || site.call("admin", "POST", "/api/v1/clock/confirm", json!({})).await.json();
    assert_eq!(confirm().await, json!({"against": "2027-11-23T01:00:00Z", "reopened": 1}));
    assert_eq!(confirm().await, json!({"reopened": 0}));
    assert_eq!(confirmations(&site).len(), 1);
}
