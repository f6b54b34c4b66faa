//! What was typed into a form whose login had ended meanwhile.

use axum::http::header::{LOCATION, SET_COOKIE};
use serde_json::json;

use super::air_pages::{Tab, hidden};
use super::*;
use crate::access::password::Kept;
use crate::store::Link;

const PASSWORD: &str = "mưa thuận gió hoà";

/// The hidden fields of a page's form that is sent to an address, as a browser sends them.
fn hidden_fields(page: &str, action: &str) -> Vec<(String, String)> {
    let (_, form) = page.split_once(&format!("action=\"{action}\">")).unwrap_or_else(|| panic!("{page}"));
    let (form, _) = form.split_once("</form>").unwrap();
    let plain = |text: &str| {
        let text = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
        text.replace("&amp;", "&")
    };
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    let pair = |input: &str| {
        let (name, rest) = input.split_once("\" value=\"").unwrap();
        (plain(name), plain(rest.split_once('"').unwrap().0))
    };
    inputs.map(pair).collect()
}

impl Site {
    /// Ends all logins of a person, who has a new password then.
    fn new_password(&self, name: &str) {
        let (kept, now) = (Kept::new(PASSWORD, [7; 16]).unwrap(), self.clock.now());
        let link = self.state.store.new_link(Link::For(name.to_owned()), now).unwrap().to_string();
        assert!(self.state.store.set_password(&link, kept, now).unwrap());
    }

    /// Signs in from a browser that has a cookie; the answer, and the cookie of the login.
    async fn go_on(&self, kept: &str, name: &str, password: &str) -> (Answer, String) {
        let fields = [("name", name), ("password", password)];
        let answer = self.post("/dang-nhap", &[("cookie", kept)], &fields).await;
        let cookie = answer.headers.get(SET_COOKIE).map_or("", |value| value.to_str().unwrap());
        let cookie = cookie.split(';').next().unwrap().to_owned();
        (answer, cookie)
    }
}

#[tokio::test]
async fn what_was_typed_goes_along_through_signing_in_and_is_sent_when_the_person_says_so() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let (here, old) = (format!("/ban-ghi/{id}"), Tab::of(&site, "uploader"));
    let script = format!("Kính \"chào\" <b>bà con</b> & {}", "ễ ".repeat(9_900));
    site.new_password("uploader");
    let fields = [("title", "Quét mã QR"), ("author", ""), ("script", &script), ("then", "submit")];
    let late = old.post(&here, &fields).await;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED);
    assert!(late.text().contains("Những gì bạn vừa gõ vẫn còn"), "{}", late.text());
    assert!(!late.text().contains("Quét mã QR"), "what is kept does not travel");
    let kept = late.header(SET_COOKIE);
    assert!(kept.contains("HttpOnly") && kept.contains("SameSite=Strict"), "{kept}");
    let kept = kept.split(';').next().unwrap();
    let (wrong, _) = site.go_on(kept, "uploader", "không phải thế").await;
    assert!(wrong.status == StatusCode::UNAUTHORIZED && wrong.text().contains("vẫn còn"), "{}", wrong.text());
    for another in ["", "loa-gui=", &format!("loa-gui={}", "0".repeat(64))] {
        let (elsewhere, _) = site.go_on(another, "auditor", PASSWORD).await;
        assert!(!elsewhere.text().contains("vẫn còn"), "{another}");
    }
    let (shown, cookie) = site.go_on(kept, "uploader", PASSWORD).await;
    let (again, _) = site.go_on(kept, "uploader", PASSWORD).await;
    assert_eq!(again.header(LOCATION), "/", "once");
    let page = shown.text();
    for said in [
        "<dd class=\"script\">Quét mã QR</dd>",
        "Lưu thông tin bản ghi và gửi duyệt",
        "<nav",
        "Gửi lại",
        "<dd>uploader</dd>",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let stands = async || site.get("auditor", &format!("/api/v1/segments/{id}")).await.json();
    assert_eq!(stands().await["state"], "draft", "nothing is sent before somebody says so");
    let fields = hidden_fields(&page, &here);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_ne!(hidden(&page, "key"), old.key);
    let sent = site.post(&here, &[("cookie", &cookie)], &fields).await;
    assert_eq!((sent.status, sent.header(LOCATION)), (StatusCode::SEE_OTHER, here.as_str()));
    let kept = stands().await;
    assert_eq!((&kept["title"], &kept["state"]), (&json!("Quét mã QR"), &json!("pending")));
    assert_eq!(kept["script"].as_str().unwrap().chars().count(), script.trim().chars().count());
}

#[tokio::test]
async fn nobody_elses_form_is_kept_and_nothing_that_takes_the_air() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let (here, old) = (format!("/ban-ghi/{id}"), Tab::of(&site, "approver"));
    site.new_password("approver");
    let host = ("host", "loa.example");
    let cookie = ("cookie", old.cookie.as_str());
    let key = ("key", old.key.as_str());
    let title = ("title", "Khác");
    let other = "0".repeat(64);
    for (path, headers, fields, page) in [
        // Other sites send no cookie, or do not know the key; or the browser says where it comes from.
        (&*here, &[host][..], &[title, key][..], &*here),
        (&here, &[host, cookie], &[title, ("key", &other)], &here),
        (&here, &[host, ("origin", "http://evil.example")], &[title], &here),
        (&here, &[host, ("sec-fetch-site", "cross-site"), ("origin", "http://loa.example")], &[title], &here),
        // Nothing was typed.
        (
            &format!("{here}/duyet"),
            &[host, cookie],
            &[key, ("hash", &other), ("seen", &other), ("ve", "/duyet")],
            &here,
        ),
        ("/nguoi-dung/uploader/lien-ket", &[host, cookie], &[key], "/nguoi-dung/uploader"),
        // What takes the air is confirmed anew.
        ("/phat-ngay/dung", &[host, cookie], &[key, ("output", "loa-xa")], "/phat-ngay"),
        ("/phat-ngay", &[host, cookie], &[key, ("segment", &id), ("rank", "emergency")], "/"),
        ("/phat-ngay", &[host, cookie, ("referer", "http://loa.example//evil.example/")], &[key], "/"),
    ] {
        let turned = site.post(path, headers, fields).await;
        assert_eq!(
            turned.header(LOCATION),
            format!("/dang-nhap?sau={}&lai=1", page.replace('/', "%2F")),
            "{path} {headers:?}: {}",
            turned.text()
        );
    }
    let before = [host, cookie, ("referer", "http://loa.example/phat-ngay?search=x")];
    let turned = site.post("/phat-ngay/dung", &before, &[key]).await;
    assert_eq!(turned.header(LOCATION), "/dang-nhap?sau=%2Fphat-ngay%3Fsearch%3Dx&lai=1");
    assert!(site.get("", turned.header(LOCATION)).await.text().contains("việc bạn vừa bấm chưa được làm"));
    assert_eq!(site.post("/dang-xuat", &[cookie], &[key]).await.header(LOCATION), "/dang-nhap");
    // A page to sign in on that was made up leads nowhere else.
    for elsewhere in
        ["//evil.example/ban-ghi", "https://evil.example", "/phat-ngay", "/ban-ghi-khac", "/nhat-ky/kiem-tra"]
    {
        let fields = [
            ("name", "approver"),
            ("password", PASSWORD),
            ("gui-toi", elsewhere),
            ("giu.title", "x"),
            ("sau", "/duyet"),
        ];
        assert_eq!(site.post("/dang-nhap", &[], &fields).await.header(LOCATION), "/duyet", "{elsewhere}");
    }
}

#[tokio::test]
async fn what_was_pressed_too_late_is_not_done_and_said_so_on_the_page_it_was_pressed_on() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let (id, hash) = (recording["id"].as_str().unwrap(), recording["hash"].as_str().unwrap());
    site.call("uploader", "POST", &format!("/api/v1/segments/{id}/submit"), json!({})).await;
    let old = Tab::of(&site, "approver");
    site.new_password("approver");
    let own = [("host", "loa.example"), ("cookie", &*old.cookie)];
    let said = "Việc bạn bấm trước khi đăng nhập lại chưa được làm";
    for (page, after) in [("/duyet", "/duyet?chua-lam=1"), ("/ban-ghi?tim=a", "/ban-ghi?tim=a&chua-lam=1")] {
        // Pressed once more on the page that says it, it leads to the same.
        for page in [page, after] {
            let referer = format!("http://loa.example{page}");
            let headers = [&own[..], &[("referer", &referer)]].concat();
            let fields = [("key", &*old.key), ("hash", hash), ("ve", "/duyet")];
            let turned = site.post(&format!("/ban-ghi/{id}/duyet"), &headers, &fields).await;
            let door = site.get("", turned.header(LOCATION)).await.text();
            assert!(door.contains("việc bạn vừa bấm chưa được làm"), "{door}");
            let fields = [("name", "approver"), ("lai", hidden(&door, "lai")), ("sau", hidden(&door, "sau"))];
            // Who mistypes the password is told the same after it.
            let wrong =
                site.post("/dang-nhap", &[], &[&fields[..], &[("password", "?")]].concat()).await.text();
            assert_eq!((hidden(&wrong, "lai"), hidden(&wrong, "sau")), (fields[1].1, fields[2].1), "{wrong}");
            let signed_in =
                site.post("/dang-nhap", &[], &[&fields[..], &[("password", PASSWORD)]].concat()).await;
            assert_eq!(signed_in.header(LOCATION), after);
        }
        assert!(Tab::of(&site, "approver").get(after).await.text().contains(said), "{after}");
        assert!(!Tab::of(&site, "approver").get(page).await.text().contains(said), "{page}");
    }
    let segment = site.state.store.segment(&id.into()).unwrap().unwrap();
    assert_eq!(segment.state, crate::segment::State::Pending, "nothing is done unseen");
}

#[tokio::test]
async fn a_kept_form_that_is_gone_or_left_leads_to_the_page_it_was_on() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let (here, old) = (format!("/ban-ghi/{id}"), Tab::of(&site, "uploader"));
    site.new_password("uploader");
    let send = async || old.post(&here, &[("title", "Quét mã QR")]).await;
    let late = send().await;
    let (shown, _) =
        site.go_on(late.header(SET_COOKIE).split(';').next().unwrap(), "uploader", PASSWORD).await;
    let leave = format!("<a class=\"button\" href=\"{here}\">Thôi, bỏ những gì đã gõ</a>");
    assert!(shown.text().contains(&leave), "{}", shown.text());
    let door = send().await.text();
    let fields = [("name", "uploader"), ("password", PASSWORD), ("lai", "1"), ("sau", hidden(&door, "sau"))];
    assert_eq!(hidden(&door, "lai"), "1");
    let gone = site.post("/dang-nhap", &[], &fields).await;
    assert_eq!(gone.header(LOCATION), format!("{here}?chua-lam=1"));
}

#[tokio::test]
async fn a_form_from_before_signing_in_anew_is_asked_about_where_the_browser_says_that_it_is_ours() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let (here, old, new) = (format!("/ban-ghi/{id}"), Tab::of(&site, "uploader"), Tab::of(&site, "uploader"));
    let send = async |header: (&str, &str)| {
        let headers = [("host", "loa.example"), ("cookie", &new.cookie), header];
        site.post(&here, &headers, &[("key", &old.key), ("title", "Quét mã QR")]).await
    };
    for ours in [("origin", "http://loa.example"), ("sec-fetch-site", "same-origin")] {
        let asked = send(ours).await;
        let page = asked.text();
        assert!(asked.status == StatusCode::FORBIDDEN && page.contains("Quét mã QR"), "{page}");
        assert_eq!(hidden(page.split_once("id=\"content\"").unwrap().1, "key"), new.key);
    }
    for not_ours in [("origin", "null"), ("origin", "http://evil.example"), ("sec-fetch-site", "same-site")] {
        let refused = send(not_ours).await;
        assert!(
            refused.status == StatusCode::FORBIDDEN && !refused.text().contains("Quét mã QR"),
            "{not_ours:?}"
        );
    }
}

#[tokio::test]
async fn a_change_of_the_schedule_is_looked_at_again_before_it_is_saved() {
    let site = Site::new();
    let old = Tab::of(&site, "operator");
    let (here, new) = ("/lich-phat/buoi/sang", Tab::of(&site, "operator"));
    let headers = [("host", "loa.example"), ("cookie", &*new.cookie), ("origin", "http://loa.example")];
    let fields =
        [("title", "Buổi sớm"), ("from", "05:30:00"), ("to", "06:00:00"), ("day", "1"), ("step", "save")];
    let fields: Vec<_> = fields.into_iter().chain([("key", &*old.key)]).collect();
    let page = site.post(here, &headers, &fields).await.text();
    assert!(page.contains("Mở lại biểu mẫu") && page.contains("Buổi sớm"), "{page}");
    let again = hidden_fields(&page, here);
    let again: Vec<_> = again.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let form = new.post(here, &again[1..]).await;
    assert!(
        form.status == StatusCode::OK && form.text().contains("name=\"title\" required"),
        "{}",
        form.text()
    );
    assert!(form.text().contains("value=\"Buổi sớm\""), "{}", form.text());
    assert!(site.acts().is_empty(), "nothing is saved");
}

#[test]
fn the_days_of_a_recording_are_called_as_its_form_calls_them() {
    use crate::text::page::unsent::label;
    let called = |address| ["valid_from", "valid_until"].map(|field| label(address, field).unwrap());
    assert_eq!(called("/ban-ghi/0707070707070707"), ["Phát từ ngày", "Phát đến hết ngày"]);
    assert_eq!(called("/lich-phat/buoi/sang"), ["Từ ngày", "Đến hết ngày"]);
}
