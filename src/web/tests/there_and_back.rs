//! Who withdraws a recording goes on where they were.

use std::cell::Cell;

use super::air_pages::{Tab, hidden};
use super::*;
use crate::engine::handle::Next;

/// What is asked before a recording is withdrawn, by who comes from a page.
async fn asked(site: &Site, tab: &Tab<'_>, id: &str, from: &str) -> String {
    let request = Request::get(format!("/ban-ghi/{id}/thu-hoi"))
        .header(header::COOKIE, &tab.cookie)
        .header(header::HOST, "loa.local")
        .header(header::REFERER, from);
    let answer = site.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{from}");
    answer.text()
}

/// The id of a recording that the plan has in its session.
async fn planned_piece(site: &Site, pitch: f32) -> String {
    let bytes = wav(pitch, 1.0);
    let parts = [Part::file("bài.wav", &bytes), Part::word("programme", "cam-tay-chi-viec")];
    let recording = site.hand_in("uploader", &parts).await.json();
    let id = recording["id"].as_str().unwrap();
    let path = format!("/api/v1/segments/{id}");
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    site.call("approver", "POST", &format!("{path}/approve"), json!({"hash": recording["hash"]})).await;
    site.plan.send_replace(Arc::new(plan(&site.state.store, site.clock.now())));
    id.to_owned()
}

/// Plans anew once a recording is withdrawn, as the planner does, after a while.
async fn plans_without(site: &Site, id: &str) {
    let id: SegmentId = id.into();
    while site.state.store.segment(&id).unwrap().unwrap().state != crate::segment::State::Withdrawn {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    site.plan.send_replace(Arc::new(plan(&site.state.store, site.clock.now())));
}

#[tokio::test]
async fn who_withdraws_a_recording_goes_on_where_they_were_and_is_told_there() {
    let site = Site::new();
    let tab = Tab::of(&site, "approver");
    let pages = [
        ("/", "/"),
        ("/nhat-ky?day=2026-11-23&text=di%E1%BB%83m", "/nhat-ky?day=2026-11-23&text=di%E1%BB%83m"),
        ("/phat-ngay", "/phat-ngay"),
        ("/ban-ghi?tim=b%C3%A0i&da-thu-hoi=x", "/ban-ghi?tim=b%C3%A0i"),
        ("/duyet?vua=0707070707070707", "/duyet"),
        ("/lich-phat?tuan=2026-W48&da-luu=1", "/lich-phat?tuan=2026-W48"),
    ];
    let mut pitch = 400.0;
    for (from, back) in pages {
        pitch += 20.0;
        let id = site.approved(pitch).await["id"].as_str().unwrap().to_owned();
        let page = asked(&site, &tab, &id, &format!("http://loa.local{from}")).await;
        let kept = hidden(&page, "ve").replace("&amp;", "&");
        assert_eq!(kept, back);
        assert!(
            page.contains(&format!("href=\"{}\">", back.replace('&', "&amp;"))),
            "and so does who cancels: {page}"
        );
        let there = format!("/ban-ghi/{id}/thu-hoi");
        let refused = tab.post(&there, &[("reason", ""), ("ve", &kept)]).await.text();
        assert_eq!(hidden(&refused, "ve").replace("&amp;", "&"), back);
        let is_planned = Cell::new(false);
        let withdraw = async {
            let done = tab.post(&there, &[("reason", "sai"), ("ve", &kept)]).await;
            assert!(is_planned.get(), "the page would still offer to withdraw it");
            done
        };
        let planner = async {
            plans_without(&site, &id).await;
            is_planned.set(true);
        };
        let (done, ()) = tokio::join!(withdraw, planner);
        let mark = if back.contains('?') { '&' } else { '?' };
        assert_eq!(done.header(header::LOCATION), format!("{back}{mark}da-thu-hoi={id}"));
        let page = tab.get(done.header(header::LOCATION)).await.text();
        assert!(page.contains("Đã thu hồi “bài”. Nếu đang phát thì loa đã ngừng"), "{from}: {page}");
        assert!(!tab.get(back).await.text().contains("Đã thu hồi “bài”."), "{from}");
    }
    // What is not so is not said, whoever made the address.
    let on_air = site.approved(880.0).await["id"].as_str().unwrap().to_owned();
    for mark in [&*on_air, "x", "%3Cscript%3E", ""] {
        let page = tab.get(&format!("/nhat-ky?da-thu-hoi={mark}")).await;
        assert!(page.status == StatusCode::OK && !page.text().contains("Đã thu hồi"), "{mark}");
    }
}

#[tokio::test]
async fn it_is_gone_back_to_pages_of_the_station_and_to_no_others() {
    let site = Site::new();
    let tab = Tab::of(&site, "approver");
    let id = site.approved(440.0).await["id"].as_str().unwrap().to_owned();
    let (own, there) = (format!("/ban-ghi/{id}"), format!("/ban-ghi/{id}/thu-hoi"));
    for from in [
        "http://elsewhere.example/nhat-ky",
        "http://loa.local/nguoi-dung",
        "http://loa.local//elsewhere.example",
        "http://loa.local/dang-nhap?sau=%2Fnhat-ky",
        &format!("http://loa.local{own}"),
        &format!("http://loa.local{there}"),
        "",
    ] {
        let page = asked(&site, &tab, &id, from).await;
        assert!(
            !page.contains("name=\"ve\"") && page.contains(&format!("href=\"{own}\">")),
            "{from}: {page}"
        );
    }
    for from in [
        "//elsewhere.example",
        "https://elsewhere.example/",
        "/\\elsewhere",
        "/dang-xuat",
        "/nhat-ky/kiem-tra",
        // That is for who may see it.
        "/nguoi-dung",
        "",
    ] {
        let done = tab.post(&there, &[("reason", "sai"), ("ve", from)]).await;
        assert_eq!(done.header(header::LOCATION), format!("{own}?da-thu-hoi=1"), "{from}");
    }
}

#[tokio::test]
async fn what_was_withdrawn_is_not_said_to_be_on_the_air_or_next() {
    let site = Site::new();
    let tab = Tab::of(&site, "approver");
    let status = site.status.as_ref().unwrap();
    for (pitch, is_next) in [(440.0, false), (460.0, true)] {
        let id = &*planned_piece(&site, pitch).await;
        let cue =
            site.plan.borrow().timelines[0].cues().find(|cue| cue.segment().is_some()).cloned().unwrap();
        assert_eq!(cue.segment().unwrap().id.as_str(), id);
        if is_next {
            let next = Next { cue: cue.id.clone(), title: cue.title.clone(), at: cue.at };
            status.send_modify(|status| status.next = Some(next));
        } else {
            site.sounds(&cue.id.to_string());
            status.send_modify(|status| status.on_air.as_mut().unwrap().segment = id.into());
        }
        let is_shown = Cell::new(false);
        let withdraw = async {
            let (there, fields) =
                (format!("/ban-ghi/{id}/thu-hoi"), [("reason", "sai"), ("ve", "/phat-ngay")]);
            let done = tab.post(&there, &fields).await;
            assert!(is_shown.get(), "the page would say that it sounds, or comes next");
            done
        };
        let engine = async {
            plans_without(&site, id).await;
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            is_shown.set(true);
            status.send_modify(|status| (status.on_air, status.next) = (None, None));
        };
        let (done, ()) = tokio::join!(withdraw, engine);
        assert_eq!(done.header(header::LOCATION), format!("/phat-ngay?da-thu-hoi={id}"));
    }
}

#[tokio::test]
async fn who_withdraws_from_the_calendar_comes_back_to_the_session_that_they_had_open() {
    let site = Site::new();
    let tab = Tab::of(&site, "approver");
    let id = planned_piece(&site, 440.0).await;
    let week = "/lich-phat?tuan=2026-W49";
    let page = tab.get(week).await.text();
    let asks = format!("/ban-ghi/{id}/thu-hoi?buoi=2026-11-30%2Fsang%2Floa-xa");
    assert!(page.contains(&asks) && !page.contains("buoi-dang-xem"), "{page}");
    let request = Request::get(&asks)
        .header(header::COOKIE, &tab.cookie)
        .header(header::HOST, "loa.local")
        .header(header::REFERER, format!("http://loa.local{week}&buoi=x"));
    let page = site.send(request.body(Body::empty()).unwrap()).await.text();
    let back = "/lich-phat?tuan=2026-W49&amp;buoi=2026-11-30%2Fsang%2Floa-xa#buoi-dang-xem";
    assert!(page.contains(&format!("href=\"{back}\">Thôi")), "{page}");
    let (from, session) = (hidden(&page, "ve").to_owned(), hidden(&page, "buoi").to_owned());
    let opened = "<details class=\"session\" id=\"buoi-dang-xem\" open>";
    let page = tab.get(&back.replace("&amp;", "&")).await.text();
    assert!(page.contains(opened) && page.matches(" open>").count() == 1, "{page}");
    let (there, fields) =
        (format!("/ban-ghi/{id}/thu-hoi"), [("reason", "sai"), ("ve", &*from), ("buoi", &*session)]);
    let (done, ()) = tokio::join!(tab.post(&there, &fields), plans_without(&site, &id));
    let back = done.header(header::LOCATION);
    assert_eq!(back, format!("{week}&da-thu-hoi={id}&buoi=2026-11-30%2Fsang%2Floa-xa#buoi-dang-xem"));
    let page = tab.get(back).await.text();
    let (_, session) = page.split_once("id=\"buoi-dang-xem\"").unwrap();
    assert!(session.contains("Đã thu hồi “bài”"), "it is said where they look: {page}");
}
