//! Hôm nay.

use super::air::{in_force, ordered};
use super::air_pages::{Tab, hidden};
use super::*;
use crate::asrun::{Cause, Fact, NotAired, Note};
use crate::engine::handle::{InForce, Next, OnAir};
use crate::segment::FileTrouble;
use crate::sequencer::Repeats;

#[tokio::test]
async fn a_session_that_goes_on_past_midnight_is_in_the_rundown_of_both_days() {
    let site = Site::new();
    let station = STATION.replace("from = 20:00:00, to = 05:30:00", "from = 02:00:00, to = 05:00:00");
    let week = WEEK.replace("05:30:00", "23:00:00").replace("06:00:00", "01:00:00");
    let plan = plan_of(&station, &week, &site.state.store, site.clock.now());
    let cue = plan.timelines[0].cues().next().unwrap().clone();
    let (output, clock, at) = ("loa-xa".into(), ClockHealth::Synchronised, cue.at);
    let fact = NotAired { cue, output, cause: Cause::FileBroken, clock, at };
    site.state.store.record(&Fact::NotAired(fact)).unwrap();
    site.plan.send_replace(Arc::new(plan));
    let session = "<strong>Buổi sáng</strong> <span class=\"times\">23:00 – 01:00</span>";
    let today = async || Tab::of(&site, "auditor").get("/").await.text();
    for (hours, there) in [(0, true), (16, true), (1, true), (8, true), (24, false)] {
        site.clock.advance(Duration::from_secs(hours * 3600));
        let page = today().await;
        assert_eq!(page.contains(session), there, "after {hours} h more: {page}");
        assert_eq!(page.contains("tệp lỗi"), there, "with what became of it");
    }
}

/// A station, and its recording with this trouble.
async fn with_trouble(trouble: FileTrouble) -> (Site, Value) {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    site.plan.send_modify(|plan| {
        let plan = Arc::make_mut(plan);
        let troubles = [(recording["id"].as_str().unwrap().into(), trouble)];
        plan.catalog = Arc::new(plan.catalog.with_troubles(troubles.into()));
    });
    (site, recording)
}

#[tokio::test]
async fn what_is_kept_in_memory_is_not_said_to_be_silent_where_its_file_is_gone() {
    let (site, recording) = with_trouble(FileTrouble::FileMissing).await;
    let id = recording["id"].as_str().unwrap();
    let (silent, sounds) = ("Bản ghi này không phát được", "vẫn phát ngay được từ bộ nhớ");
    let tab = Tab::of(&site, "uploader");
    for kept in [false, true] {
        if kept {
            let status = site.status.as_ref().unwrap();
            status.send_modify(|status| status.kept = Arc::new([id.into()].into()));
        }
        for path in ["/", &format!("/ban-ghi/{id}")] {
            let page = tab.get(path).await.text();
            assert!(page.contains("bị mất") && page.contains(recording["file"].as_str().unwrap()), "{page}");
            assert_eq!([silent, sounds].map(|said| page.contains(said)), [!kept, kept], "{path}: {page}");
        }
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_not_said_to_be_lost_and_a_technician_is_told_what_to_do() {
    let (site, recording) = with_trouble(FileTrouble::FileUnreadable).await;
    let id = recording["id"].as_str().unwrap();
    let tab = Tab::of(&site, "uploader");
    for kept in [false, true] {
        if kept {
            let status = site.status.as_ref().unwrap();
            status.send_modify(|status| status.kept = Arc::new([id.into()].into()));
        }
        for path in ["/", &format!("/ban-ghi/{id}")] {
            let page = tab.get(path).await.text();
            let said = page.contains("Máy không đọc được tệp của bản ghi") && page.contains("sudo chown");
            let lost = ["Tệp của bản ghi “bài” bị mất", "“bài.wav” từ bản sao lưu"];
            assert!(said && !lost.iter().any(|lost| page.contains(lost)), "{path}: {page}");
        }
    }
}

#[tokio::test]
async fn what_is_on_record_of_today_and_in_no_session_of_it_now_is_there_besides() {
    let site = Site::new();
    let (store, now) = (&site.state.store, site.clock.now());
    let days = WEEK.replace("[\"T2\"]", "[\"T2\", \"CN\"]");
    let morning = plan_of(STATION, &days, store, now - SignedDuration::from_hours(27));
    // Of yesterday's session and of today's.
    for cue in morning.timelines[0].cues().take(2) {
        let (output, clock, at) = ("loa-xa".into(), ClockHealth::Synchronised, cue.at);
        let fact = NotAired { cue: Arc::clone(cue), output, cause: Cause::FileBroken, clock, at };
        store.record(&Fact::NotAired(fact)).unwrap();
    }
    let gone = "Trong nhật ký, nay không còn trong lịch";
    let page = async |plan| {
        site.plan.send_replace(Arc::new(plan));
        Tab::of(&site, "auditor").get("/").await.text()
    };
    let there = page(plan_of(STATION, &days, store, now - SignedDuration::from_hours(8))).await;
    assert!(there.contains("tệp lỗi") && !there.contains(gone), "{there}");
    let moved =
        days.replace("id = \"sang\"", "id = \"chieu\"").replace("05:30", "17:00").replace("06:00", "17:30");
    for week in [moved, days.replace(", \"CN\"", "").replace("T2", "T5")] {
        let page = page(plan_of(STATION, &week, store, now)).await;
        assert!(page.contains(gone) && page.matches("tệp lỗi").count() == 1, "{page}");
        assert!(!page.contains("Hôm nay không có buổi phát nào"), "{page}");
    }
}

#[tokio::test]
async fn a_session_past_midnight_that_is_no_longer_in_the_schedule_is_there_besides_as_a_whole() {
    let site = Site::new();
    let station = STATION.replace("from = 20:00:00, to = 05:30:00", "from = 02:00:00, to = 05:00:00");
    let late = "[[session.slot]]\nid = \"sau\"\nstart = \"hard\"\nat = 00:10:00\nplay = { programme = \"cam-tay-chi-viec\" }\n";
    let week = format!("{}{late}", WEEK.replace("05:30:00", "23:00:00").replace("06:00:00", "01:00:00"));
    let plan = plan_of(&station, &week, &site.state.store, site.clock.now());
    for cue in plan.timelines[0].cues().take(2) {
        let (output, clock, at) = ("loa-xa".into(), ClockHealth::Synchronised, cue.at);
        let fact = NotAired { cue: Arc::clone(cue), output, cause: Cause::FileBroken, clock, at };
        site.state.store.record(&Fact::NotAired(fact)).unwrap();
    }
    site.clock.advance(Duration::from_secs(24 * 3_600));
    let gone = plan_of(&station, &week.replace("T2", "T5"), &site.state.store, site.clock.now());
    site.plan.send_replace(Arc::new(gone));
    let page = Tab::of(&site, "auditor").get("/").await.text();
    assert!(page.contains("Trong nhật ký, nay không còn trong lịch"), "{page}");
    assert_eq!(page.matches("tệp lỗi").count(), 2, "{page}");
    site.clock.advance(Duration::from_secs(24 * 3_600));
    let page = Tab::of(&site, "auditor").get("/").await.text();
    assert!(!page.contains("tệp lỗi"), "{page}");
}

#[tokio::test]
async fn during_an_interrupt_what_comes_next_is_what_will_be_heard_then() {
    let site = Site::new();
    let bytes = wav(440.0, 10.0);
    let parts = [Part::file("dài.wav", &bytes), Part::word("programme", "cam-tay-chi-viec")];
    let recording = site.hand_in("uploader", &parts).await.json();
    let id = recording["id"].as_str().unwrap();
    let path = format!("/api/v1/segments/{id}");
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    site.call("approver", "POST", &format!("{path}/approve"), json!({"hash": recording["hash"]})).await;
    // Ten seconds, and again a quarter of an hour later.
    let slots = "[[session.slot]]\nid = \"sau\"\ntitle = \"Phát lại\"\nstart = \"hard\"\nat = 05:45:00\nlate = \"whole-within 1 min\"\nplay = { programme = \"cam-tay-chi-viec\" }\n";
    let week = format!("{WEEK}{slots}");
    site.clock.step_to("2026-11-29T22:00:00Z".parse().unwrap());
    let plan = plan_of(STATION, &week, &site.state.store, site.clock.now());
    let cues: Vec<_> = plan.timelines[0].cues().take(2).map(Arc::clone).collect();
    site.plan.send_replace(Arc::new(plan));
    let next =
        |nth: usize| Next { cue: cues[nth].id.clone(), title: cues[nth].title.clone(), at: cues[nth].at };
    let seconds = SignedDuration::from_secs;
    let said = async |nth: usize, now: Timestamp, until: Option<Timestamp>| {
        site.clock.step_to(now);
        site.status.as_ref().unwrap().send_modify(|status| {
            status.next = Some(next(nth));
            status.layer = until.map_or(Layer::Silence, |_| Layer::Emergency);
            status.on_air = until.map(|until| OnAir {
                cue: "2026-11-30/!/x/0".parse().unwrap(),
                title: "Bão".to_owned(),
                segment: id.into(),
                segment_title: "Bão".to_owned(),
                since: now,
                until,
            });
        });
        let page = Tab::of(&site, "auditor").get("/").await.text();
        page.split_once("<p class=\"next\">").unwrap().1.split_once("</p>").unwrap().0.to_owned()
    };
    let (first, second) = (cues[0].at, cues[1].at);
    let joined = said(0, first + seconds(1), Some(first + seconds(4))).await;
    let expected = "Sau bản ghi này: <strong>Cầm tay chỉ việc</strong>, vào giữa chừng, khoảng 05:30:04 (";
    assert!(joined.starts_with(expected), "{joined}");
    let over = said(0, first + seconds(1), Some(second + seconds(20))).await;
    assert!(over.starts_with("Sau bản ghi này: <strong>Phát lại</strong>, khoảng 05:45:20"), "{over}");
    assert!(!over.contains("05:30"), "{over}");
    let free = said(0, first - seconds(60), Some(first - seconds(20))).await;
    assert!(
        free.starts_with("Sau bản ghi này: <strong>Cầm tay chỉ việc</strong>, khoảng 05:30:00"),
        "{free}"
    );
    let waits = |title: &str| InForce {
        id: title.into(),
        layer: Layer::Emergency,
        segment: id.into(),
        title: title.to_owned(),
        by: "an".to_owned(),
        since: first,
        airing: 1,
        repeats: Repeats::ONCE,
        on_air: false,
        next: Some(first),
    };
    site.status.as_ref().unwrap().send_modify(|status| status.interrupts = vec![waits("Lũ"), waits("Cháy")]);
    let ordered = said(0, first + seconds(1), Some(first + seconds(4))).await;
    assert!(ordered.starts_with("Sau bản ghi này: <strong>Lũ</strong>"), "the first comes first: {ordered}");
    // Between the repeats of one, and while it sounds: its repeat comes before what the schedule has.
    let repeats = InForce { next: Some(second - seconds(60)), ..waits("Bão") };
    site.status.as_ref().unwrap().send_modify(|status| status.interrupts = vec![repeats.clone()]);
    let between = said(1, first + seconds(60), None).await;
    assert!(between.starts_with("Tiếp theo: <strong>Bão</strong>, 05:44 ("), "{between}");
    let sounds = InForce { on_air: true, ..repeats.clone() };
    site.status.as_ref().unwrap().send_modify(|status| status.interrupts = vec![sounds]);
    let again = said(1, first + seconds(60), Some(first + seconds(64))).await;
    assert!(again.starts_with("Sau bản ghi này: <strong>Bão</strong>, khoảng 05:44:00"), "{again}");
    let later = InForce { next: Some(second + seconds(60)), ..repeats };
    site.status.as_ref().unwrap().send_modify(|status| status.interrupts = vec![later]);
    let before = said(1, first + seconds(60), None).await;
    assert!(before.starts_with("Tiếp theo: <strong>Phát lại</strong>"), "{before}");
    site.status.as_ref().unwrap().send_modify(|status| status.interrupts.clear());
    let late = said(0, first + seconds(1), None).await;
    assert_eq!(late, "Tiếp theo: <strong>Cầm tay chỉ việc</strong>, ngay khi phát được");
}

#[tokio::test]
async fn beside_an_emergency_on_the_air_one_gives_the_air_back_and_keeps_the_recording() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let order = json!({"segment": recording["id"], "layer": "emergency"});
    site.call("approver", "POST", "/api/v1/interrupts", order).await;
    let emergency = in_force(&ordered(&site));
    let home = async |who: &str| Tab::of(&site, who).get("/").await.text();
    let withdraw = format!("href=\"/ban-ghi/{}/thu-hoi\">Thu hồi", recording["id"].as_str().unwrap());
    let status = site.status.as_ref().unwrap();
    let on_air = OnAir {
        cue: "2026-11-23/!/x/0".parse().unwrap(),
        title: "Bão".to_owned(),
        segment: recording["id"].as_str().unwrap().into(),
        segment_title: "Bão".to_owned(),
        since: site.clock.now(),
        until: site.clock.now() + SignedDuration::from_secs(9),
    };
    status.send_modify(|status| status.on_air = Some(on_air));
    let page = home("operator").await;
    assert!(page.contains(&withdraw) && !page.contains("Trả lại sóng"), "{page}");
    status.send_modify(|status| {
        (status.layer, status.interrupts) = (Layer::Emergency, vec![emergency.clone()]);
    });
    let page = home("operator").await;
    assert!(!page.contains(&withdraw), "{page}");
    let (_, card) = page.split_once("data-output=\"loa-xa\"").unwrap();
    assert_eq!(hidden(card, "id"), emergency.id.as_str());
    assert!(
        card.contains("action=\"/phat-ngay/tra-song\"") && card.contains("Trả lại sóng</button>"),
        "{card}"
    );
    assert!(!home("uploader").await.contains("Trả lại sóng"));
}

#[tokio::test]
async fn a_clock_that_is_not_trusted_says_what_it_shows_and_what_the_log_has() {
    let site = Site::new();
    let lamps = async || {
        let page = Tab::of(&site, "operator").get("/").await.text();
        let (_, lamps) = page.split_once("id=\"lamps\"").unwrap();
        lamps.split_once("</section>").unwrap().0.to_owned()
    };
    let now = site.clock.now();
    site.state.store.note(now + SignedDuration::from_hours(24 * 365), Note::Stopped).unwrap();
    assert!(!lamps().await.contains("trong nhật ký"));
    site.status.as_ref().unwrap().send_modify(|status| status.clock = ClockHealth::Wrong);
    let page = Tab::of(&site, "operator").get("/").await.text();
    assert!(page.contains("nên chưa có mục nào phát theo lịch") && !page.contains("Tiếp theo"), "{page}");
    let said = lamps().await;
    assert!(said.contains("Giờ mới nhất trong nhật ký: thứ Ba 23/11/2027, "), "{said}");
    let to_confirm = "href=\"/gio-may\"";
    assert!(said.contains(to_confirm), "{said}");
    let (_, to_do) = Tab::of(&site, "admin")
        .get("/")
        .await
        .text()
        .split_once("id=\"to-do\"")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert!(to_do.contains("Giờ của máy chưa chắc đúng") && to_do.contains(to_confirm), "{to_do}");
    let page = Tab::of(&site, "approver").get("/").await.text();
    assert!(page.contains("Giờ của máy chưa chắc đúng") && !page.contains(to_confirm), "{page}");
}

#[tokio::test]
async fn where_the_next_session_will_be_silent_no_lamp_of_the_schedule_is_green() {
    let site = Site::new();
    let seen = async || {
        let page = Tab::of(&site, "auditor").get("/").await.text();
        let health = site.get("", "/api/v1/health").await;
        (page, health.status, health.json()["wrong"].clone())
    };
    let (green, red) = ("<li class=\" good\"><span class=\"name\">Lịch</span>", "href=\"#to-do\"");
    let (page, _, wrong) = seen().await;
    assert!(page.contains(green) && wrong == json!([]), "a week ahead is time enough: {page}");
    assert!(page.contains("không mục nào phát được: loa sẽ im lặng"), "{page}");
    site.clock.step_to("2026-11-29T22:00:00Z".parse().unwrap());
    site.status.as_ref().unwrap().send_modify(|status| status.at = site.clock.now());
    let (page, status, wrong) = seen().await;
    assert!(!page.contains(green) && page.contains(red), "{page}");
    assert_eq!((status, wrong), (StatusCode::OK, json!(["coming-silence"])), "the machine is well");
    let at = |what: &str| page.find(what).unwrap_or_else(|| panic!("no {what} in {page}"));
    assert!(
        at("Sắp có chỗ im lặng: 05:30 hôm nay, mục ") < at("id=\"air\""),
        "on a phone's first screen: {page}"
    );
    assert!(page.contains("<p class=\"quiet\">05:30 hôm nay"), "{page}");
    let recording = site.approved(440.0).await;
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    site.call("approver", "PATCH", &path, json!({"programme": "cam-tay-chi-viec"})).await;
    site.plan.send_replace(Arc::new(plan(&site.state.store, site.clock.now())));
    let (page, _, wrong) = seen().await;
    assert!(page.contains(green) && !page.contains(red) && wrong == json!([]), "{wrong} {page}");
    assert!(!page.contains("Sắp có chỗ im lặng"), "{page}");
    assert!(!page.contains("không mục nào phát được"), "{page}");
}

#[tokio::test]
async fn what_fails_soon_is_to_be_done_before_what_is_never_in_order() {
    let site = Site::new();
    for who in ["approver", "second"] {
        assert_eq!(
            site.call("admin", "DELETE", &format!("/api/v1/users/{who}"), json!(null)).await.status,
            204
        );
    }
    for (now, first, second) in [
        ("2026-11-27T22:00:00Z", "Chưa có người duyệt", "05:30 ngày 30/11"),
        ("2026-11-29T22:00:00Z", "05:30 hôm nay</p>", "Chưa có người duyệt"),
    ] {
        site.clock.step_to(now.parse().unwrap());
        let page = Tab::of(&site, "auditor").get("/").await.text();
        let at = |what: &str| page.find(what).unwrap_or_else(|| panic!("no {what} in {page}"));
        assert!(at(first) < at(second), "{page}");
    }
}

#[tokio::test]
async fn who_handed_in_what_another_withdrew_is_told_for_a_week() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let path = format!("/api/v1/segments/{}/withdraw", recording["id"].as_str().unwrap());
    site.call("approver", "POST", &path, json!({"reason": "Thông tin sai"})).await;
    let told = async |who: &str| {
        let page = Tab::of(&site, who).get("/").await.text();
        page.contains("bị approver thu hồi") && page.contains("“Thông tin sai”")
    };
    assert_eq!((told("uploader").await, told("approver").await), (true, false));
    site.clock.advance(Duration::from_secs(7 * 86_400));
    assert!(!told("uploader").await);
}

#[tokio::test]
async fn what_plays_one_file_and_lacks_it_leads_to_the_slot() {
    let site = Site::new();
    let slot = "[[session.slot]]\nid = \"hieu\"\ntitle = \"Nhạc hiệu\"\nplay = { file = \"hieu.ogg\" }\n";
    let week = format!("{WEEK}{slot}");
    let to_do = async |who: &str, days: Option<&str>| {
        let mut plan = plan_of(STATION, &week, &site.state.store, site.clock.now());
        let sources = Sources {
            station: Some(STATION.to_owned()),
            week: Some(week.clone()),
            days: days.map(str::to_owned),
        };
        plan.schedule = Arc::new(schedule::read(&sources).unwrap());
        site.plan.send_replace(Arc::new(plan));
        let page = Tab::of(&site, who).get("/").await.text();
        let (_, entry) =
            page.split_once("mục “Nhạc hiệu” của “Buổi sáng”".replacen('m', "M", 1).as_str()).unwrap();
        entry.split_once("</li>").unwrap().0.to_owned()
    };
    let said = to_do("operator", None).await;
    assert!(said.contains("Mục chỉ phát tệp “hieu.ogg”, mà trên máy chưa có tệp này"), "{said}");
    assert!(said.contains("href=\"/lich-phat/buoi/sang/muc/hieu\">Sửa mục"), "{said}");
    let uploader = to_do("uploader", None).await;
    assert!(!uploader.contains("Sửa mục") && uploader.contains("Nộp bản ghi"), "{uploader}");
    let days = "[[day]]\ndate = 2026-11-30\ntitle = \"Hội\"\n[[day.replace]]\nslot = [\"sang/hieu\"]\nplay = { file = \"hoi.ogg\" }\n";
    let replaced = to_do("operator", Some(days)).await;
    assert!(replaced.contains("tệp “hoi.ogg”"), "{replaced}");
    assert!(replaced.contains("href=\"/lich-phat/ngay/2026-11-30\">Sửa mục"), "{replaced}");
}

#[tokio::test]
async fn two_outputs_are_told_apart_by_who_hears_them_and_what_both_lack_is_said_once() {
    let site = Site::new();
    let station = format!("{STATION}[[output]]\nid = \"loa-thon\"\nzones = [\"Thôn Đông\"]\n");
    let show = |week: &str| {
        let mut plan = plan_of(&station, week, &site.state.store, site.clock.now());
        let window = plan.timelines[0].window;
        let catalog = Arc::clone(&plan.catalog);
        let of =
            |output: &str| compile(&plan.schedule, &catalog, &History::default(), &output.into(), window);
        plan.timelines = ["loa-xa", "loa-thon"].map(|output| Arc::new(of(output))).into();
        site.plan.send_replace(Arc::new(plan));
    };
    let get = async |path: &str| Tab::of(&site, "operator").get(path).await.text();
    let entry = "Mục “Cầm tay chỉ việc” của “Buổi sáng”";
    show(WEEK);
    let home = get("/").await;
    assert!(home.matches(entry).count() == 1 && !home.contains("đường ra"), "{home}");
    show(&WEEK.replace("to = 06:00:00", "to = 06:00:00\noutputs = [\"loa-thon\"]"));
    assert!(get("/").await.contains(&format!("{entry} (đường ra “Thôn Đông”)")));

    show(WEEK);
    site.clock.step_to("2026-11-29T22:00:00Z".parse().unwrap());
    let today = get("/").await;
    let (_, today) = today.split_once("id=\"today\"").unwrap();
    let print = get("/lich-phat/in?tuan=2026-W49").await;
    for page in [today, &get("/lich-phat").await, &print] {
        for place in ["Võ Kiện", "Thôn Đông"] {
            assert_eq!(page.matches(&format!(">{place}</p>")).count(), 1, "{place} in {page}");
        }
        assert!(!page.contains("loa-thon"), "{page}");
    }
    for (name, text) in [("station.toml", station.as_str()), ("week.toml", WEEK)] {
        std::fs::File::create(site.dir.path().join("schedule").join(name))
            .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
            .unwrap();
    }
    let form = get("/lich-phat/buoi/sang").await;
    assert!(form.contains("value=\"loa-thon\" checked>Thôn Đông"), "{form}");
}

#[tokio::test]
async fn an_emergency_that_does_not_go_on_is_to_be_ordered_again() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let order = json!({"segment": recording["id"], "layer": "emergency"});
    site.call("operator", "POST", "/api/v1/interrupts", order).await;
    let [(id, _)] = &site.state.store.standing_orders(site.clock.now()).unwrap()[..] else {
        panic!("it stands")
    };
    let said = async |who: &str| Tab::of(&site, who).get("/").await.text();
    let title = "Lệnh khẩn cấp “bài” không còn được phát";
    assert!(!said("operator").await.contains(title));
    site.state.store.let_go_of_order(id, site.clock.now()).unwrap();
    let page = said("operator").await;
    let (_, entry) = page.split_once(title).expect("it is said");
    let entry = entry.split_once("</li>").unwrap().0;
    assert!(entry.contains("operator ra lệnh") && entry.contains("href=\"/phat-ngay\">Phát ngay"), "{entry}");
    site.clock.step_to(site.clock.now() + SignedDuration::from_hours(25));
    assert!(!said("operator").await.contains(title));
}

#[tokio::test]
async fn a_broken_schedule_is_the_first_thing_to_do_with_the_ways_to_mend_it() {
    let site = Site::new();
    let ways = |page: &str| {
        ["href=\"/lich-phat\">Mở lịch phát</a>", "href=\"/lich-phat/lich-su\">Lịch sử sửa lịch</a>"]
            .map(|way| page.contains(way))
    };
    let parts = async |who: &str| {
        let page = Tab::of(&site, who).get("/").await.text();
        let (lamps, to_do) = page.split_once("id=\"lamps\"").unwrap().1.split_once("id=\"to-do\"").unwrap();
        (lamps.to_owned(), to_do.split_once("</section>").unwrap().0.to_owned())
    };
    let (lamps, to_do) = parts("operator").await;
    assert!(!ways(&lamps)[0] && !to_do.contains("Tệp lịch phát có lỗi"), "{lamps}{to_do}");
    std::fs::File::create(site.dir.path().join("schedule/week.toml"))
        .and_then(|mut file| io::Write::write_all(&mut file, b"x ="))
        .unwrap();
    let sources = Sources { station: Some("name = 1".to_owned()), week: None, days: None };
    let problems = Arc::new(schedule::read(&sources).unwrap_err());
    site.plan.send_modify(|plan| Arc::make_mut(plan).problems = problems);
    let (lamps, to_do) = parts("operator").await;
    assert_eq!(ways(&lamps), [true, false], "{lamps}");
    let (_, first) = to_do.split_once("<ol class=\"to-do\"><li class=\"bad\"><strong>").unwrap();
    assert!(first.starts_with("Tệp lịch phát có lỗi") && ways(first) == [true, true], "{first}");
    let (_, to_do) = parts("uploader").await;
    assert_eq!(ways(&to_do), [true, false], "{to_do}");
    // Who tries to change it is shown the same ways.
    let form = [("title", "Buổi sáng"), ("from", "05:30:00"), ("to", "06:00:00"), ("day", "1")];
    let refused = Tab::of(&site, "operator").post("/lich-phat/buoi/sang", &form).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(ways(&refused.text()), [true, true], "{}", refused.text());
}

#[tokio::test]
async fn what_comes_today_is_said_without_a_date() {
    let site = Site::new();
    for (hours, said) in [(1, "</strong>, 09:00 ("), (24, "</strong>, thứ Ba 24/11/2026, 08:00 (")] {
        let at = site.clock.now() + SignedDuration::from_hours(hours);
        let cue = "2026-11-23/sang/chuyen-muc/0".parse().unwrap();
        let next = Next { cue, title: "Tin xã".into(), at };
        site.status.as_ref().unwrap().send_modify(|status| status.next = Some(next));
        let page = Tab::of(&site, "auditor").get("/").await.text();
        assert!(page.contains(&format!("Tin xã{said}")), "{page}");
    }
}
