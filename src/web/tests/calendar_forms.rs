//! What does not do in a form of the schedule is said there in its own words, and beside the field.

use std::fs;

use super::air_pages::Tab;
use super::*;
use crate::segment::Words;

const TWO_SESSIONS: &str = r#"
[[programme]]
id = "tin"
title = "Bản tin"
[[session]]
id = "sang"
title = "Buổi sáng"
days = ["T2-T6"]
from = 05:30:00
to = 06:00:00
[[session.slot]]
id = "tin-xa"
title = "Tin xã"
play = { programme = "tin" }
[[session.slot]]
id = "loi-chao"
title = "Lời chào"
start = "hard"
at = 05:59:00
play = { file = "b.ogg" }
[[session]]
id = "chieu"
title = "Buổi chiều"
days = ["T2-T6"]
from = 17:00:00
to = 17:30:00
[[session.slot]]
id = "nghe-lai"
title = "Nghe lại"
play = { repeat = "sang/tin-xa" }
"#;

/// A station with a morning, and an afternoon that repeats something of it.
fn site() -> Site {
    let site = Site::with(Limits { in_force: Duration::ZERO, ..Limits::default() }, Bounds::default());
    let path = site.dir.path().join("schedule/week.toml");
    io::Write::write_all(&mut fs::File::create(path).unwrap(), TWO_SESSIONS.as_bytes()).unwrap();
    site
}

const DAYS: [(&str, &str); 5] = [("day", "1"), ("day", "2"), ("day", "3"), ("day", "4"), ("day", "5")];

/// The page that comes back of a form that does not do.
async fn refused(tab: &Tab<'_>, path: &str, fields: &[(&str, &str)]) -> String {
    let answer = tab.post(path, &[fields, &DAYS].concat()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
    answer.text()
}

/// What is said beside a field.
fn beside<'a>(page: &'a str, field: &str) -> Vec<&'a str> {
    let Some((_, after)) = page.split_once(&format!("id=\"wrong-{field}\">")) else { return Vec::new() };
    let (said, _) = after.split_once("</span></span>").unwrap();
    said.split("<span>").skip(1).map(|said| said.trim_end_matches("</span>")).collect()
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_said_beside_it() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let slot = "/lich-phat/buoi/sang/muc/tin-xa";
    let outside = refused(&tab, slot, &[("play", "programme:tin"), ("start", "hard"), ("at", "07:00")]).await;
    let said = "Giờ 07:00 nằm ngoài buổi phát. Sửa thành giờ từ 05:30 đến trước 06:00.";
    assert_eq!(beside(&outside, "at"), [said]);
    assert!(outside.contains(&format!("<li><a href=\"#wrong-at\">{said}</a></li>")), "and above: {outside}");
    assert_eq!(outside.matches("aria-invalid=\"true\"").count(), 1, "{outside}");
    let fill = refused(&tab, slot, &[("play", "programme:tin"), ("start", "fill")]).await;
    assert_eq!(beside(&fill, "play").len(), 1, "{fill}");
    let all = refused(&tab, slot, &[("play", "all:tin"), ("start", "follow")]).await;
    assert_eq!(beside(&all, "minutes").len(), 1, "{all}");
    // What is folded away is not, where it has to be mended.
    let dates = [("valid_from", "2027-02-02"), ("valid_until", "2027-02-01")];
    let dates = refused(&tab, slot, &[&dates[..], &[("play", "programme:tin")]].concat()).await;
    assert!(beside(&dates, "valid_until").len() == 1 && dates.contains("<details class=\"session\" open>"));

    for minutes in ["", "0"] {
        let whole =
            [("play", "programme:tin"), ("start", "follow"), ("late", "whole"), ("late_minutes", minutes)];
        let whole = refused(&tab, slot, &whole).await;
        assert!(whole.contains("<option value=\"whole\" selected>"), "{whole}");
        let said = beside(&whole, "late_minutes");
        assert!(
            said.len() == 1 && said[0].starts_with("Hãy ghi mục này được trễ nhiều nhất bao lâu"),
            "{whole}"
        );
        assert!(whole.contains("<details class=\"session\" open>"), "{whole}");
    }

    let none = tab.post("/lich-phat/buoi-moi", &[("from", "07:00")]).await.text();
    for field in ["title", "to", "day", "play"] {
        assert_eq!(beside(&none, field).len(), 1, "{field} of {none}");
    }
    let first = [("title", "Trưa"), ("from", "11:00"), ("to", "11:10"), ("play", "all:tin")];
    let first = refused(&tab, "/lich-phat/buoi-moi", &first).await;
    assert_eq!(beside(&first, "minutes").len(), 1, "{first}");
    for page in [outside, fill, all, dates, none, first] {
        assert!(!page.contains('`'), "{page}");
    }
}

#[tokio::test]
async fn a_session_that_meets_another_says_so_on_its_own_form_and_leads_there() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    // Of the two the files have the problem at the later one, whichever was changed.
    for (id, times, met) in [
        ("sang", [("from", "16:50"), ("to", "17:20")], "“Buổi chiều” (T2–T6, 17:00 – 17:30)"),
        ("chieu", [("from", "05:40"), ("to", "06:10")], "“Buổi sáng” (T2–T6, 05:30 – 06:00)"),
    ] {
        let form = [&times[..], &[("title", "Buổi")]].concat();
        let page = refused(&tab, &format!("/lich-phat/buoi/{id}"), &form).await;
        let said = beside(&page, "from");
        assert!(said.len() == 1 && said[0].starts_with(&format!("Buổi này trùng giờ với {met}")), "{said:?}");
    }
    let page =
        refused(&tab, "/lich-phat/buoi/sang", &[("title", "S"), ("from", "05:30"), ("to", "05:45")]).await;
    assert!(page.contains("Mục “Lời chào” của “Buổi sáng”: giờ 05:59 nằm ngoài buổi phát"), "{page}");
    assert!(page.contains("<a href=\"/lich-phat/buoi/sang/muc/loi-chao\">Mở để sửa</a>"), "{page}");
}

#[tokio::test]
async fn a_session_moves_with_what_has_an_exact_time_in_it() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let move_to = async |from, to| {
        let form = [&[("title", "Buổi sáng"), ("from", from), ("to", to)], &DAYS[..]].concat();
        tab.post("/lich-phat/buoi/sang", &form).await
    };
    for (from, to, at) in [("06:30", "07:00", "06:59:00"), ("05:40", "06:20", "06:09:00")] {
        let shown = move_to(from, to).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.text());
        let cue = format!("<s><time>05:59:00</time> (0:00)</s> → <time>{at}</time>");
        let line = format!("<ins>+ at = {at}\n</ins>");
        for said in [cue, line] {
            assert!(shown.text().contains(&said), "{said} in {}", shown.text());
        }
        // What lies between lines that change is no change.
        let page = shown.text();
        let (_, lines) = page.split_once("<pre class=\"lines\"").unwrap();
        let (lines, _) = lines.split_once("</pre>").unwrap();
        assert_eq!([lines.matches("<del>").count(), lines.matches("<ins>").count()], [3, 3], "{lines}");
        assert!(lines.contains("⋯") && !lines.contains("Tin xã"), "{lines}");
    }
    // What is exact stays where the session only grows.
    let longer = move_to("05:40", "06:00").await.text();
    assert!(longer.contains("+ from = 05:40:00") && !longer.contains("+ at = "), "{longer}");
    // Too short for it: the time is named that its own page shows.
    let short =
        refused(&tab, "/lich-phat/buoi/sang", &[("title", "S"), ("from", "07:00"), ("to", "07:10")]).await;
    assert!(short.contains("Mục “Lời chào” của “Buổi sáng”: giờ 05:59 nằm ngoài buổi phát"), "{short}");
}

#[tokio::test]
async fn what_is_repeated_elsewhere_cannot_go_and_the_page_says_why() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    for (path, heading, what) in [
        ("/lich-phat/buoi/sang/bo", "Chưa bỏ được “Buổi sáng”", "mục “Tin xã” của buổi này"),
        ("/lich-phat/buoi/sang/muc/tin-xa/bo", "Chưa bỏ được “Buổi sáng: Tin xã”", "mục này"),
    ] {
        let page = tab.get(path).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        let page = page.text();
        let why = format!("Mục “Nghe lại” của “Buổi chiều” đang phát lại {what}. Trước hết hãy cho mục ấy");
        assert!(page.contains(heading) && page.contains(&why), "{page}");
        assert!(page.contains("<a href=\"/lich-phat/buoi/chieu/muc/nghe-lai\">Mở để sửa</a>"), "{page}");
    }
}

#[tokio::test]
async fn a_day_calls_what_it_plays_instead_by_its_title_and_a_new_slot_comes_before_the_closing() {
    let site = site();
    let days = "[[day]]\ndate = 2026-12-01\ntitle = \"Hội làng\"\n[[day.replace]]\nslot = [\"sang/tin-xa\"]\nplay = { programme = \"tin\" }\n";
    let path = site.dir.path().join("schedule/days.toml");
    io::Write::write_all(&mut fs::File::create(path).unwrap(), days.as_bytes()).unwrap();
    let tab = Tab::of(&site, "operator");
    let page = tab.get("/lich-phat/ngay/2026-12-01").await.text();
    assert!(page.contains("→ Bản tin</span>") && !page.contains("→ programme:tin"), "{page}");
    let form = tab.get("/lich-phat/buoi/sang/muc-moi").await.text();
    assert!(form.contains("value=\"tin-xa\" selected>"), "{form}");
}

#[tokio::test]
async fn a_preview_tells_everything_that_is_new_and_is_there_on_the_way_back() {
    let site = site();
    let replan = || {
        let plan = plan_of(STATION, TWO_SESSIONS, &site.state.store, site.clock.now());
        site.plan.send_replace(Arc::new(plan));
    };
    replan();
    let bytes = wav(440.0, 1.0);
    let parts = [Part::file("b.wav", &bytes), Part::word("programme", "tin")];
    let recording = site.hand_in("uploader", &parts).await.json();
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    site.call("approver", "POST", &format!("{path}/approve"), json!({"hash": recording["hash"]})).await;
    replan();
    let new = [
        ("title", "Buổi trưa"),
        ("from", "11:00"),
        ("to", "11:10"),
        ("output", "loa-xa"),
        ("play", "programme:tin"),
        ("step", "preview"),
    ];
    let shown = Tab::of(&site, "operator").post("/lich-phat/buoi-moi", &[&new[..], &DAYS].concat()).await;
    let page = shown.text();
    assert_eq!(shown.status, StatusCode::OK, "{page}");
    assert!(page.contains("Các lưu ý mới"), "{page}");
    let (before, _) = page.split_once("hết sớm hơn giờ kết thúc").unwrap();
    assert!(
        before.rsplit_once("<p").unwrap().1.starts_with(" class=\"note warn\">! "),
        "new silence: {page}"
    );
    assert!(!page.contains("Không có thêm lưu ý nào"), "{page}");
    assert_eq!(shown.header(header::CACHE_CONTROL), "private, no-cache");
}

#[tokio::test]
async fn what_was_filled_in_and_would_be_dropped_is_asked_about() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let time = [("play", "programme:tin"), ("start", "follow"), ("at", "05:45")];
    for form in ["/lich-phat/buoi/sang/muc-moi", "/lich-phat/buoi/sang/muc/tin-xa"] {
        let page = refused(&tab, form, &time).await;
        assert!(beside(&page, "at")[0].starts_with("Giờ chỉ dùng khi chọn “Đúng giờ”"), "{page}");
    }
    // What the form showed goes with the start that is changed; a new time is asked about there too.
    let closing = "/lich-phat/buoi/sang/muc/loi-chao";
    let follows = |at| [&[("play", "file:b.ogg"), ("start", "follow"), ("at", at)], &DAYS[..]].concat();
    assert_eq!(tab.post(closing, &follows("05:59:00")).await.status, StatusCode::OK);
    assert_eq!(beside(&refused(&tab, closing, &follows("05:58")).await, "at").len(), 1);

    let day = "/lich-phat/ngay/2026-12-01";
    for filled in [("play", "programme:tin"), ("replace_title", "Hội"), ("minutes", "5")] {
        let page = refused(&tab, day, &[("title", "Hội làng"), ("slot", ""), filled]).await;
        assert!(beside(&page, "slot")[0].starts_with("Hãy chọn mục cần thay."), "{page}");
    }
    let plain =
        tab.post(day, &[("title", "Hội làng"), ("no_music", "yes"), ("slot", ""), ("play", "")]).await;
    assert_eq!(plain.status, StatusCode::OK, "{}", plain.text());
}

#[tokio::test]
async fn what_is_put_at_the_beginning_of_a_session_is_said_to_begin_it() {
    let site = site();
    let path = site.dir.path().join("schedule/week.toml");
    let exact = TWO_SESSIONS.replace(
        "play = { programme = \"tin\" }\n[[session.slot]]\nid = \"loi",
        "start = \"hard\"\nat = 05:30:00\nplay = { programme = \"tin\" }\n[[session.slot]]\nid = \"loi",
    );
    assert_ne!(exact, TWO_SESSIONS);
    io::Write::write_all(&mut fs::File::create(path).unwrap(), exact.as_bytes()).unwrap();
    let new = [("after", ""), ("play", "file:c.ogg"), ("start", "follow"), ("title", "Nhạc hiệu")];
    let tab = Tab::of(&site, "operator");
    let answer = tab.post("/lich-phat/buoi/sang/muc-moi", &[&new[..], &DAYS].concat()).await;
    let page = answer.text();
    assert_eq!(answer.status, StatusCode::OK, "{page}");
    assert!(
        page.contains("từ nay mục mới bắt đầu buổi, đúng giờ ấy, và “Tin xã” phát liền sau mục mới."),
        "{page}"
    );
}

#[tokio::test]
async fn one_recording_of_many_is_found_by_a_few_letters_without_accents() {
    let site = site();
    let named = ["Cảnh báo lũ", "Cảnh báo bão", "Dạy nghề: nuôi ong", "Tiếng trống hội"];
    let many = (0..60).map(|number| format!("Bài hát số {number}"));
    let catalog: crate::segment::Catalog = named
        .map(str::to_owned)
        .into_iter()
        .chain(many)
        .enumerate()
        .map(|(number, title)| {
            let segment = crate::timeline::fixture::segment(&format!("f{number}"), "tin", 60);
            crate::segment::Segment { words: Words { title, ..segment.words.clone() }, ..segment }
        })
        .collect();
    site.plan.send_modify(|plan| Arc::make_mut(plan).catalog = Arc::new(catalog));
    let tab = Tab::of(&site, "operator");
    let form = tab.get("/lich-phat/buoi/sang/muc-moi").await.text();
    let choices = form.split_once("<select name=\"play\"").unwrap().1.split_once("</select>").unwrap().0;
    assert_eq!(
        choices.matches("file:").count(),
        2,
        "that it is another, and the one the schedule plays: {choices}"
    );
    assert!(form.contains("<option value=\"Cảnh báo lũ (f0.mp3)\">"), "browsers offer them: {form}");

    let post = async |play: &str, recording: &str| {
        let fields = [("after", "tin-xa"), ("play", play), ("recording", recording), ("start", "follow")];
        let answer = tab.post("/lich-phat/buoi/sang/muc-moi", &[&fields[..], &DAYS].concat()).await;
        (answer.status, answer.text())
    };
    for (play, recording, file) in [
        ("file:", "canh bao lu", "f0.mp3"),
        ("", "ONG nuoi", "f2.mp3"),
        ("file:", "Cảnh báo bão (f1.mp3)", "f1.mp3"),
        // Exactly that, though others have it too.
        ("file:", "Bài hát số 5 (f9.mp3)", "f9.mp3"),
        ("file:f1.mp3", "canh bao", "f1.mp3"),
        ("file:f3.mp3", "", "f3.mp3"),
    ] {
        let (status, page) = post(play, recording).await;
        let said = format!("file = &quot;{file}&quot;");
        assert!(status == StatusCode::OK && page.contains(&said), "{play} {recording}: {page}");
    }
    let (status, page) = post("file:", "canh bao").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(beside(&page, "recording")[0].starts_with("Có 2 bản ghi mà tên có các chữ này."), "{page}");
    let first = page.split_once("<optgroup").unwrap().1.split_once("</optgroup>").unwrap().0;
    assert!(
        first.contains("Bản ghi có “canh bao”") && first.contains("<option value=\"file:f1.mp3\">"),
        "{page}"
    );
    for (play, recording, said) in [
        ("file:", "", "Hãy ghi vài chữ"),
        ("file:", "khong co", "Không có bản ghi nào đã duyệt mà tên có “khong co”"),
        ("programme:tin", "canh bao lu", "Ô này chỉ dùng khi chọn “Một bản ghi khác”"),
        ("file:f3.mp3", "canh bao", "Ô này chỉ dùng khi"),
    ] {
        let (status, page) = post(play, recording).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{play} {recording}");
        assert!(beside(&page, "recording")[0].starts_with(said), "{said} in {page}");
    }
    let (_, page) = post("", "").await;
    assert_eq!((beside(&page, "play").len(), beside(&page, "recording").len()), (1, 0), "{page}");
}
