//! The page that shows the log, and the files one takes home.

use super::air_pages::{Tab, hidden};
use super::log::{not_aired, site_with};
use super::*;
use crate::asrun::{Cause, Fact, NotAired, fixture as facts};
use crate::store::AiringFilter;
use crate::text::outcome::{file_columns, file_line};
use crate::text::table::Csv;
use crate::timeline::Cue;

#[tokio::test]
async fn a_day_is_shown_filtered_and_counted() {
    let site = site_with(&["Điểm tin", "Quét mã QR"]);
    let tab = Tab::of(&site, "auditor");
    let day = tab.get("/nhat-ky").await.text();
    for words in
        ["Thứ Hai 23/11/2026", "Theo lịch 2 mục", "không phát 2", "Điểm tin", "05:31:00", "chưa có bài nộp"]
    {
        assert!(day.contains(words), "{words} in {day}");
    }
    let (before, _) = day.split_once("id=\"log\"").unwrap();
    for tool in ["href=\"/nhat-ky/in?day=2026-11-23\"", "class=\"filter\"", "action=\"/nhat-ky/tai-ve\""] {
        assert!(before.contains(tool), "above the table, however long that is: {tool} in {before}");
    }
    assert!(
        day.contains("href=\"/nhat-ky?day=2026-11-22\"") && day.contains("href=\"/nhat-ky?day=2026-11-24\"")
    );
    for (query, first, second) in [
        ("text=diem+TIN", true, false),
        ("text=%3Cscript%3E", false, false),
        ("outcome=not-aired&deviated=1", true, true),
        ("outcome=aired", false, false),
        ("output=loa-2", false, false),
        ("programme=none", false, false),
        ("day=2026-11-24", false, false),
    ] {
        let page = tab.get(&format!("/nhat-ky?{query}")).await.text();
        let found =
            |title: &str| page.contains(&format!("{title}</td>")) || page.contains(&format!("{title}<small"));
        assert_eq!((found("Điểm tin"), found("Quét mã QR")), (first, second), "{query}: {page}");
        assert!(!page.contains("<script>"), "what was asked is no part of the page");
    }
    let sheet = tab.get("/nhat-ky/in?day=2026-11-23").await.text();
    for words in ["SỔ NHẬT KÝ PHÁT THANH", "Đài truyền thanh xã", "Người trực", "Quét mã QR", "Võ Kiện"]
    {
        assert!(sheet.contains(words), "{words} in {sheet}");
    }
    let file = tab.get("/nhat-ky/tai-ve?from=2026-11-23&to=2026-11-23&format=csv").await.text();
    for page in [day, sheet, file] {
        assert!(page.contains("Buổi phát dùng thử"), "the session as it was called then: {page}");
    }
    for path in ["/nhat-ky?day=x", "/nhat-ky/in?day=2026-02-30", "/nhat-ky?day=9999-12-31"] {
        assert_eq!(tab.get(path).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    let verified = tab.post("/nhat-ky/kiem-tra", &[]).await.text();
    assert!(verified.contains("Nhật ký nguyên vẹn: 2 dòng"), "{verified}");
    assert_eq!(site.acts().pop().unwrap().1, "log.verify");
}

#[tokio::test]
async fn what_aired_is_shown_though_the_plan_has_another_by_now() {
    let site = Site::new();
    let early: Timestamp = "2026-11-22T22:00:00Z".parse().unwrap();
    let planned = async |pitch: f32, title: &str| {
        let id = site.approved(pitch).await["id"].as_str().unwrap().to_owned();
        let words = json!({"title": title, "programme": "cam-tay-chi-viec"});
        site.call("second", "PATCH", &format!("/api/v1/segments/{id}"), words).await;
        let plan = plan(&site.state.store, early);
        let cue = plan.timelines[0].cues().next().unwrap().clone();
        site.plan.send_replace(Arc::new(plan));
        cue
    };
    let cue = planned(440.0, "Bài của sáng nay").await;
    let at = cue.at;
    let (output, clock) = ("loa-xa".into(), ClockHealth::Synchronised);
    let fact = NotAired { cue, output, cause: Cause::Withdrawn, clock, at };
    site.state.store.record(&Fact::NotAired(fact)).unwrap();
    site.clock.advance(Duration::from_secs(60));
    assert_eq!(planned(550.0, "Bài duyệt sau").await.segment().unwrap().words.title, "Bài duyệt sau");
    for page in ["/", "/lich-phat?tuan=2026-W48"] {
        let page = Tab::of(&site, "auditor").get(page).await.text();
        assert!(page.contains("Bài của sáng nay") && !page.contains("Bài duyệt sau"), "{page}");
    }
}

#[tokio::test]
async fn acts_are_told_in_the_words_of_then_and_no_codes() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let id = recording["id"].as_str().unwrap();
    let order = json!({"segment": id, "layer": "emergency"});
    let ordered = site.call("approver", "POST", "/api/v1/interrupts", order).await;
    site.call("approver", "DELETE", ordered.header(header::LOCATION), json!({})).await;
    let words = json!({"title": "Tên mới", "programme": "cam-tay-chi-viec"});
    site.call("approver", "PATCH", &format!("/api/v1/segments/{id}"), words).await;
    site.plan.send_replace(Arc::new(plan(&site.state.store, site.clock.now())));
    site.sounds("2026-11-23/sang/chuyen-muc/0");
    site.call("operator", "POST", "/api/v1/outputs/loa-xa/stop", json!({})).await;
    site.get("auditor", "/api/v1/airings/verify").await;
    let act = |what: &str, subject: &str, origin: &str| crate::store::Act {
        at: site.clock.now(),
        by: "admin".to_owned(),
        what: what.to_owned(),
        subject: subject.to_owned(),
        title: None,
        origin: origin.to_owned(),
    };
    for act in [
        act("user.add", "hoa", "command line"),
        act("schedule.undo", "10", "x"),
        act("schedule.session", "sang", "x"),
    ] {
        site.state.store.act(act).unwrap();
    }
    let page = Tab::of(&site, "auditor").get("/nhat-ky/thao-tac").await.text();
    let row = |what: &str, object: &str| {
        let row = format!("<td>{what}</td><td>{object}</td>");
        assert!(page.contains(&row), "{row} in {page}");
    };
    let then = recording["title"].as_str().unwrap();
    let linked = |title: &str| format!("<a href=\"/ban-ghi/{id}\">{title}</a>");
    for (what, object) in [
        ("duyệt bản ghi", linked(then)),
        ("phát khẩn cấp", linked(then)),
        ("trả lại sóng", then.to_owned()),
        ("sửa thông tin bản ghi", linked("Tên mới")),
        ("dừng mục đang phát", "Võ Kiện".to_owned()),
        ("kiểm tra nhật ký", "toàn bộ nhật ký phát thanh".to_owned()),
        ("hoàn tác một lần sửa lịch", "<a href=\"/lich-phat/lich-su/10\">lần sửa lịch số 10</a>".to_owned()),
        ("sửa buổi phát", "Buổi sáng".to_owned()),
    ] {
        row(what, &object);
    }
    assert!(page.contains("<td>dòng lệnh trên máy</td>") && page.contains(":00</td>"), "{page}");
}

#[tokio::test]
async fn the_log_says_who_withdrew_or_stopped_something_and_why() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let id = recording["id"].as_str().unwrap();
    let words = json!({"programme": "cam-tay-chi-viec"});
    site.call("approver", "PATCH", &format!("/api/v1/segments/{id}"), words).await;
    let order = json!({"segment": id, "layer": "emergency"});
    let ordered = site.call("approver", "POST", "/api/v1/interrupts", order).await;
    let address = ordered.header(header::LOCATION);
    site.call("approver", "DELETE", address, json!({})).await;
    site.sounds("2026-11-23/sang/chuyen-muc/0");
    site.call("operator", "POST", "/api/v1/outputs/loa-xa/stop", json!({})).await;
    let (now, clock) = (site.clock.now(), ClockHealth::Synchronised);
    let early: Timestamp = "2026-11-22T22:00:00Z".parse().unwrap();
    let cue_now = || plan(&site.state.store, early).timelines[0].cues().next().unwrap().clone();
    let not_aired = |cue: Arc<Cue>, cause, at| {
        let fact = NotAired { cue, output: "loa-xa".into(), cause, clock, at };
        site.state.store.record(&Fact::NotAired(fact)).unwrap();
    };
    let interrupt = address.rsplit('/').next().unwrap();
    let called = |id: String| Arc::new(Cue { id: id.parse().unwrap(), ..(*cue_now()).clone() });
    not_aired(called(format!("2026-11-23/!/{interrupt}/0")), Cause::StoppedByOperator, now);
    not_aired(called("2026-11-23/sang/muc/1".to_owned()), Cause::StoppedByOperator, now);
    let hours_later = now + SignedDuration::from_hours(2);
    not_aired(called("2026-11-23/sang/muc/2".to_owned()), Cause::StoppedByOperator, hours_later);
    not_aired(called("2026-11-23/sang/muc/3".to_owned()), Cause::Withdrawn, now);
    // From here it is withdrawn as from anywhere, by who may, and once.
    let link = format!("href=\"/ban-ghi/{id}/thu-hoi\"");
    let offered = async |who| Tab::of(&site, who).get("/nhat-ky").await.text().contains(&link);
    assert_eq!([offered("operator").await, offered("auditor").await], [true, false]);
    site.call(
        "approver",
        "POST",
        &format!("/api/v1/segments/{id}/withdraw"),
        json!({"reason": "Thông tin sai"}),
    )
    .await;
    // Later the plan has nothing in its place, and the log knows what it was.
    not_aired(cue_now(), Cause::Withdrawn, now);
    site.plan.send_replace(Arc::new(plan(&site.state.store, now)));
    assert!(!offered("operator").await);
    let tab = Tab::of(&site, "auditor");
    let csv = "/nhat-ky/tai-ve?from=2026-11-23&to=2026-11-23&format=csv";
    for page in ["/nhat-ky", "/nhat-ky/in?day=2026-11-23", csv] {
        let page = tab.get(page).await.text();
        let found = |words: &str| page.matches(words).count();
        assert_eq!(found("đã bị thu hồi (approver: Thông tin sai)"), 2, "{page}");
        assert_eq!(
            (found("hủy trước khi phát (approver)"), found("hủy trước khi phát (operator)")),
            (1, 1),
            "{page}"
        );
        assert_eq!(found("hủy trước khi phát"), 3, "of the last one nobody is known: {page}");
    }
    assert!(site.state.store.verify().unwrap().is_sound(), "what is found beside the log is no part of it");
}

#[tokio::test]
async fn a_stretch_that_cannot_be_is_told_in_the_words_of_the_form() {
    let site = site_with(&["một"]);
    for (query, words) in [
        ("from=2026-11-30&to=2026-11-01", "“Từ ngày” sau “Đến hết ngày”"),
        ("from=2020-11-30&to=2026-11-01", "nhiều nhất một năm"),
        ("from=x&to=2026-11-01", "ô “Từ ngày”"),
        ("from=2026-11-01&to=x", "ô “Đến hết ngày”"),
    ] {
        let path = format!("/nhat-ky/tai-ve?{query}&format=csv");
        let answer = Tab::of(&site, "auditor").get(&path).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert!(answer.text().contains(words), "{query}: {}", answer.text());
    }
}

#[tokio::test]
async fn what_can_be_done_with_the_log_is_folded_and_says_what_filter_is_in_force() {
    let site = Site::new();
    let tab = Tab::of(&site, "auditor");
    let head = async |query: &str| {
        let page = tab.get(&format!("/nhat-ky?day=2026-11-23{query}")).await.text();
        let (before, after) = page.split_once("<details class=\"fold\"><summary>").unwrap();
        assert!(before.contains("<form class=\"days\"") && after.contains("class=\"filter\""), "{page}");
        after.split_once("</summary>").unwrap().0.to_owned()
    };
    assert_eq!(head("").await, "Công cụ: lọc, in, tải về");
    let said = head("&programme=cam-tay-chi-viec&outcome=not-aired&text=l%C5%A9&deviated=1").await;
    let words = "Đang lọc: chuyên mục “Cầm tay chỉ việc”, kết quả “không phát”, chữ “lũ”, chỉ những mục khác với lịch.";
    assert!(said.contains(words), "{said}");
}

#[tokio::test]
async fn files_hold_what_the_filter_leaves() {
    let site = site_with(&["Điểm tin", "Quét mã QR"]);
    let tab = Tab::of(&site, "auditor");
    let page = tab.get("/nhat-ky?text=diem+tin&deviated=1").await.text();
    let form = page.split_once("action=\"/nhat-ky/tai-ve\"").unwrap().1;
    assert_eq!((hidden(form, "text"), hidden(form, "deviated")), ("diem tin", "1"));
    assert!(
        form.contains("bộ lọc đang dùng") && !tab.get("/nhat-ky").await.text().contains("bộ lọc đang dùng")
    );
    let file =
        async |query: &str| tab.get(&format!("/nhat-ky/tai-ve?from=2026-11-01&to=2026-11-30{query}")).await;
    let csv = file("&format=csv&text=diem+tin&deviated=1").await.text();
    assert!(csv.contains("Điểm tin") && !csv.contains("Quét mã QR"), "{csv}");
    assert_eq!(
        file("&format=csv&outcome=aired").await.text().trim_end().lines().count(),
        1,
        "only the heads"
    );
    let (some, all) = (file("&format=xlsx&text=diem+tin").await, file("&format=xlsx").await);
    assert!(some.status == StatusCode::OK && some.body.len() < all.body.len());
}

#[tokio::test]
async fn files_of_a_station_with_several_outputs_say_which() {
    let site = site_with(&["Điểm tin"]);
    let tab = Tab::of(&site, "auditor");
    let paths = ["/nhat-ky/tai-ve?from=2026-11-01&to=2026-11-30&format=csv", "/api/v1/airings?format=csv"];
    for (head, line) in [("Người trực", ""), ("Đường ra", "loa-xa")] {
        for path in paths {
            let file = tab.get(path).await.text();
            let ends = file.lines().take(2).map(|line| line.rsplit([';', ',']).next().unwrap());
            assert_eq!(ends.collect::<Vec<_>>(), [head, line], "{path}: {file}");
        }
        let station = format!("{STATION}[[output]]\nid = \"loa-thon\"\n");
        let plan = plan_of(&station, WEEK, &site.state.store, site.clock.now());
        site.plan.send_replace(Arc::new(plan));
    }
}

#[tokio::test]
async fn with_several_outputs_each_row_says_where_and_a_session_has_one_heading() {
    let site = site_with(&["Điểm tin", "Quét mã QR"]);
    for (minute, title) in [(0, "Điểm tin"), (1, "Quét mã QR")] {
        not_aired(&site, ("loa-thon", &format!("2026-11-23/sang/muc/{minute}")), title, minute);
    }
    // Ordered for one of them, in the middle of the session.
    not_aired(&site, ("loa-thon", "2026-11-23/!/20261122T223000Z-00000001/0"), "Cảnh báo lũ", 0);
    let rows = async || {
        let page = Tab::of(&site, "auditor").get("/nhat-ky").await.text();
        let (_, table) = page.split_once("<tbody>").unwrap();
        let (table, _) = table.split_once("</tbody>").unwrap();
        let rows = table.split("<tr").skip(1).map(|row| {
            let known = ["Buổi phát dùng thử", "Điểm tin", "Quét mã QR", "Cảnh báo lũ"];
            let what = known.into_iter().find(|known| row.contains(known)).unwrap_or(row).to_owned();
            let places = ["<small>Võ Kiện</small>", "<small>Thôn Đông</small>"];
            (what, places.iter().position(|place| row.contains(place)))
        });
        rows.collect::<Vec<_>>()
    };
    assert!(rows().await.iter().all(|(_, place)| place.is_none()), "of one output nothing is said");
    let station = format!("{STATION}[[output]]\nid = \"loa-thon\"\nzones = [\"Thôn Đông\"]\n");
    site.plan.send_replace(Arc::new(plan_of(&station, WEEK, &site.state.store, site.clock.now())));
    let row = |what: &str, place: Option<usize>| (what.to_owned(), place);
    let shown = [
        row("Buổi phát dùng thử", None),
        row("Điểm tin", Some(0)),
        row("Điểm tin", Some(1)),
        row("Cảnh báo lũ", Some(1)),
        row("Quét mã QR", Some(0)),
        row("Quét mã QR", Some(1)),
    ];
    assert_eq!(rows().await, shown);
    // Another session that goes on at the same time.
    not_aired(&site, ("loa-thon", "2026-11-23/khac/muc/0"), "Tin thôn", 0);
    assert_eq!(rows().await.iter().filter(|(what, _)| what == "Buổi phát dùng thử").count(), 2);
}

#[tokio::test]
async fn what_people_did_is_shown_to_the_auditor_page_by_page() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let (id, title) = (recording["id"].as_str().unwrap(), recording["title"].as_str().unwrap());
    let here = "/nhat-ky/thao-tac";
    for who in ["uploader", "approver", "operator"] {
        assert_eq!(Tab::of(&site, who).get(here).await.status, StatusCode::FORBIDDEN, "{who}");
    }
    let tab = Tab::of(&site, "auditor");
    assert!(tab.get("/nhat-ky").await.text().contains(here));
    assert!(!Tab::of(&site, "approver").get("/nhat-ky").await.text().contains(here));
    let page = tab.get(here).await.text();
    let link = format!("<a href=\"/ban-ghi/{id}\">{title}</a>");
    assert!(page.contains("duyệt bản ghi") && page.contains(&link), "{page}");
    // Many of them, in one millisecond: each is on one page.
    for number in 0..250 {
        let (by, origin) = ("admin".to_owned(), "x".to_owned());
        let subject = format!("n{number}n");
        let act = crate::store::Act {
            at: site.clock.now(),
            by,
            what: "user.add".to_owned(),
            subject,
            title: None,
            origin,
        };
        site.state.store.act(act).unwrap();
    }
    let (mut next, mut all) = (here.to_owned(), String::new());
    for _ in 0..3 {
        let page = tab.get(&next).await.text();
        let older = page.split("href=\"").filter_map(|rest| rest.split('"').next());
        next = older
            .filter(|to| to.starts_with("/nhat-ky/thao-tac?"))
            .last()
            .unwrap_or_default()
            .replace("&amp;", "&");
        all.push_str(&page);
    }
    assert_eq!(next, "", "the third is the last");
    assert!((0..250).all(|number| all.matches(&format!("<td>n{number}n</td>")).count() == 1));
    assert!(all.contains(&link));
    for query in ["truoc=x", "truoc=2026-11-23T01:00:00Z"] {
        assert_eq!(
            tab.get(&format!("{here}?{query}")).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_log_is_for_those_who_may_read_it() {
    let site = site_with(&["một"]);
    let uploader = Tab::of(&site, "uploader");
    for path in ["/nhat-ky", "/nhat-ky/in", "/nhat-ky/tai-ve?format=csv"] {
        assert_eq!(uploader.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(uploader.post("/nhat-ky/kiem-tra", &[]).await.status, StatusCode::FORBIDDEN);
    let auditor = Tab::of(&site, "auditor");
    let forged = auditor.post_as(&uploader.key, "/nhat-ky/kiem-tra", &[]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert!(!uploader.get("/").await.text().contains("Nhật ký"));
}

/// Asks for the whole log as text, and reads nothing of the answer yet.
async fn asked_for_text(site: &Site, tab: &Tab<'_>) -> Body {
    let request = site.request("", "GET", "/nhat-ky/tai-ve?from=2026-11-01&to=2026-11-30&format=csv");
    let request = request.header(header::COOKIE, &tab.cookie).body(Body::empty()).unwrap();
    let answer = site.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.into_body()
}

#[tokio::test]
async fn text_is_sent_while_the_log_is_read_and_breaks_off_where_the_log_does() {
    let titles: Vec<_> = (1..=900).map(|number| format!("{number} {}", "bài ".repeat(100))).collect();
    let site = site_with(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    let tab = Tab::of(&site, "auditor");
    let being_read = || site.state.limits.walks.available_permits() == 0;

    let body = asked_for_text(&site, &tab).await;
    assert!(being_read(), "it was read to its end before anything was sent");
    let sent = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    assert!(!being_read());
    let airings = site.state.store.airings(&AiringFilter::default()).unwrap().airings;
    let schedule = Arc::clone(&site.state.plan().schedule);
    let mut whole = Csv::for_excel(file_columns(Some(&schedule)), Vec::new()).unwrap();
    for (number, airing) in (1..).zip(&airings) {
        whole.row(file_line(number, airing, Some(&schedule), &schedule.time_zone, site.clock.now())).unwrap();
    }
    assert_eq!(airings.len(), 900);
    assert!(sent == whole.into_inner(), "{}", String::from_utf8_lossy(&sent));

    // Who goes away leaves nothing behind.
    drop(asked_for_text(&site, &tab).await);
    let walks = Arc::clone(&site.state.limits.walks);
    drop(tokio::time::timeout(Duration::from_secs(20), walks.acquire()).await.unwrap());

    let body = asked_for_text(&site, &tab).await;
    let raw = rusqlite::Connection::open(site.state.store.file()).unwrap();
    raw.execute_batch("ALTER TABLE airing RENAME TO lost").unwrap();
    axum::body::to_bytes(body, usize::MAX).await.unwrap_err();
    let nothing = tab.get("/nhat-ky/tai-ve?from=2026-11-01&to=2026-11-30&format=csv").await;
    assert_eq!(nothing.status, StatusCode::INTERNAL_SERVER_ERROR, "nothing was sent, so it is told as ever");
}

#[tokio::test]
async fn files_of_the_log_open_in_a_spreadsheet_and_hold_no_formula() {
    let site = site_with(&["=HYPERLINK(\"http://x\")", "Tin \"nóng\"\nhai dòng; ba"]);
    let tab = Tab::of(&site, "auditor");
    let csv = tab.get("/nhat-ky/tai-ve?from=2026-11-01&to=2026-11-30&format=csv").await;
    assert_eq!(csv.header(header::CONTENT_TYPE), "text/csv; charset=utf-8; header=present");
    let name = "attachment; filename=\"nhat-ky-phat-thanh-2026-11-01-2026-11-30.csv\"";
    assert_eq!(csv.header(header::CONTENT_DISPOSITION), name);
    assert!(csv.body.starts_with(b"\xef\xbb\xbfSTT;Ng\xc3\xa0y;"), "{}", csv.text());
    let text = csv.text();
    assert!(text.contains(";\"'=HYPERLINK(\"\"http://x\"\")\";"), "{text}");
    assert!(text.contains(";\"Tin \"\"nóng\"\"\nhai dòng; ba\";"), "{text}");
    let xlsx = tab.get("/nhat-ky/tai-ve?from=2026-11-23&to=2026-11-23&format=xlsx").await;
    assert_eq!(xlsx.status, StatusCode::OK);
    let mut book = zip::ZipArchive::new(io::Cursor::new(&xlsx.body[..])).unwrap();
    let sheet = io::read_to_string(book.by_name("xl/worksheets/sheet1.xml").unwrap()).unwrap();
    assert!(sheet.contains("r=\"A3\"") && !sheet.contains("r=\"A4\"") && !sheet.contains("<f>"), "{sheet}");
    for query in [
        "from=2026-11-23&to=2026-11-22&format=csv",
        "from=2025-11-01&to=2026-11-30&format=csv",
        "from=x&format=csv",
        "format=pdf",
        "",
    ] {
        let answer = tab.get(&format!("/nhat-ky/tai-ve?{query}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
    }
    let _place = site.state.limits.walks.try_acquire().unwrap();
    let busy = tab.get("/nhat-ky/tai-ve?format=csv").await;
    assert_eq!(busy.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_waits_for_its_first_frame_is_not_said_to_be_on_the_air() {
    let site = Site::new();
    site.clock.step_to("2026-11-29T22:00:00Z".parse().unwrap());
    let plan = plan(&site.state.store, site.clock.now());
    let cue = Arc::clone(plan.timelines[0].cues().next().unwrap());
    site.plan.send_replace(Arc::new(plan));
    // It is opened so long before its first frame.
    let at = cue.at;
    site.clock.step_to(at - SignedDuration::from_secs(2));
    site.state.store.record(&facts::opened(&cue, 0, at, 1)).unwrap();
    let tab = Tab::of(&site, "auditor");
    for path in ["/nhat-ky", "/nhat-ky/in", "/"] {
        let page = tab.get(path).await.text();
        let page = page.split_once("<table").unwrap().1;
        assert!(page.contains("sắp phát") && !page.contains("đang phát"), "{path}: {page}");
    }
    let page = tab.get("/nhat-ky").await.text();
    assert!(page.contains("Theo lịch 1 mục") && page.contains("còn chờ 1"), "{page}");
    for path in ["", "?format=csv"] {
        let answer = site.get("auditor", &format!("/api/v1/airings{path}")).await.text();
        assert!(answer.contains("sắp phát") && !answer.contains("đang phát"), "{answer}");
    }
    site.clock.step_to(at);
    for path in ["/nhat-ky", "/nhat-ky/in", "/"] {
        let page = tab.get(path).await.text();
        let page = page.split_once("<table").unwrap().1;
        assert!(page.contains("đang phát") && !page.contains("sắp phát"), "{path}: {page}");
    }
    let page = tab.get("/nhat-ky").await.text();
    assert!(page.contains("Theo lịch 1 mục") && page.contains("đang phát 1"), "{page}");
}

#[tokio::test]
async fn acts_are_found_by_who_did_them_and_by_what_they_are_about_and_sign_ins_are_asked_for() {
    let site = Site::new();
    let acts = [
        ("segment.add", "uploader"),
        ("interrupt.live", "operator"),
        ("output.stop", "operator"),
        ("schedule.slot", "operator"),
        ("user.add", "admin"),
        ("sign-in", "admin"),
        ("clock.confirm", "admin"),
    ];
    for (number, (what, by)) in (0_i64..).zip(acts) {
        let act = crate::store::Act {
            at: site.clock.now() - SignedDuration::from_secs(number),
            by: by.to_owned(),
            what: what.to_owned(),
            subject: format!("s{number}s"),
            title: Some(format!("việc {number}")),
            origin: "x".to_owned(),
        };
        site.state.store.act(act).unwrap();
    }
    let tab = Tab::of(&site, "auditor");
    let shown = async |query: &str| {
        let page = tab.get(&format!("/nhat-ky/thao-tac{query}")).await.text();
        let table = page.split_once("<tbody>").map_or("", |(_, table)| table);
        (0..acts.len())
            .filter(|number| {
                table.contains(&format!("việc {number}")) || table.contains(&format!("s{number}s"))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(shown("").await, [0, 1, 2, 3, 4, 6]);
    assert_eq!(shown("?loai=all").await, [0, 1, 2, 3, 4, 5, 6]);
    for (kind, found) in
        [("recordings", &[0][..]), ("air", &[1, 2]), ("schedule", &[3]), ("people", &[4]), ("sign-ins", &[5])]
    {
        assert_eq!(shown(&format!("?loai={kind}")).await, found, "{kind}");
    }
    assert_eq!(shown("?ai=operator").await, [1, 2, 3]);
    assert_eq!(shown("?ai=admin&loai=sign-ins").await, [5]);
    assert_eq!(shown("?ai=nobody").await, [0; 0]);
    // The next page is of the same.
    for number in 0..101_i64 {
        let (at, by) = (site.clock.now() - SignedDuration::from_hours(number), "operator".to_owned());
        let (what, subject, origin) = ("schedule.day".to_owned(), format!("x{number}x"), "x".to_owned());
        site.state.store.act(crate::store::Act { at, by, what, subject, title: None, origin }).unwrap();
    }
    let page = tab.get("/nhat-ky/thao-tac?ai=operator&loai=schedule").await.text();
    assert!(page.contains("href=\"/nhat-ky/thao-tac?ai=operator&amp;loai=schedule&amp;truoc="), "{page}");
    assert!(page.contains("<option value=\"schedule\" selected>"), "{page}");
}

#[tokio::test]
async fn today_tells_of_each_take_why_it_was_not_whole() {
    let site = Site::new();
    site.clock.step_to("2026-11-29T22:00:00Z".parse().unwrap());
    let plan = plan(&site.state.store, site.clock.now());
    let cue = Arc::clone(plan.timelines[0].cues().next().unwrap());
    site.plan.send_replace(Arc::new(plan));
    for (number, cause) in [(0, Cause::Emergency), (1, Cause::StoppedByOperator)] {
        let planned = cue.at + SignedDuration::from_mins(i64::from(number));
        site.state.store.record(&facts::opened(&cue, number, planned, 10)).unwrap();
        site.state.store.record(&facts::closed(&cue, number, planned, 5, Some(cause))).unwrap();
    }
    site.clock.step_to(cue.at + SignedDuration::from_mins(3));
    let page = Tab::of(&site, "auditor").get("/").await.text();
    let why = "bị bản tin khẩn cấp chen ngang; lần 2 lúc 05:31:00: bị dừng giữa chừng";
    assert!(page.contains(why), "{page}");
}
