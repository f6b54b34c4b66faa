//! The console's doors: who comes in, what a form must bear, and where nobody is sent.

use axum::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, LOCATION, REFERRER_POLICY, SET_COOKIE,
};

use super::air::{in_force, ordered};
use super::*;
use crate::access::password::Kept;
use crate::access::throttle::Attempt;
use crate::store::{LINK_DAYS, Link};

pub(super) const PASSWORD: &str = "mưa thuận gió hoà";
const FORM: &str = "application/x-www-form-urlencoded";

impl Site {
    /// Gives a person their password.
    pub(super) fn password(&self, name: &str) {
        let (kept, now) = (Kept::new(PASSWORD, [7; 16]).unwrap(), self.clock.now());
        let link = self.state.store.new_link(Link::For(name.to_owned()), now).unwrap();
        assert!(self.state.store.set_password(&link.to_string(), kept, now).unwrap());
    }

    pub(super) async fn post(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        let mut request = self.request("", "POST", path).header(CONTENT_TYPE, FORM);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub(super) async fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.post("/dang-nhap", &[], &[("name", name), ("password", password), ("sau", "/nguoi-dung")]).await
    }

    /// The cookie of somebody who signed in.
    pub(super) async fn cookie(&self, name: &str) -> String {
        self.password(name);
        let answer = self.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        answer.header(SET_COOKIE).split_once(';').unwrap().0.to_owned()
    }

    async fn page(&self, cookie: &str, path: &str) -> Answer {
        let request = self.request("", "GET", path).header(COOKIE, cookie);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// The key that the forms of somebody's pages bear.
    pub(super) async fn key(&self, cookie: &str) -> String {
        let page = self.page(cookie, "/").await.text();
        let (_, rest) = page.split_once("name=\"key\" value=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }
}

#[tokio::test]
async fn whoever_is_not_signed_in_gets_to_the_door_and_back() {
    let site = Site::new();
    let turned = site.get("", "/nguoi-dung?x=1").await;
    assert_eq!(turned.header(LOCATION), "/dang-nhap?sau=%2Fnguoi-dung%3Fx%3D1");
    site.password("admin");
    let entered = site.sign_in("admin", PASSWORD).await;
    assert_eq!((entered.status, entered.header(LOCATION)), (StatusCode::SEE_OTHER, "/nguoi-dung"));
    let cookie = entered.header(SET_COOKIE);
    for bound in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(bound), "{cookie}");
    }
    for elsewhere in
        ["//evil.example/", "/\t/evil.example", "https://evil.example", "/\\evil.example", "nguoi-dung"]
    {
        let fields = [("name", "admin"), ("password", PASSWORD), ("sau", elsewhere)];
        let answer = site.post("/dang-nhap", &[], &fields).await;
        assert_eq!(answer.header(LOCATION), "/", "{elsewhere}");
    }
}

#[tokio::test]
async fn a_form_that_is_not_ours_changes_nothing() {
    let site = Site::new();
    let cookie = site.cookie("admin").await;
    let path = "/nguoi-dung/uploader/thoi-viec";
    let cookies = [("cookie", cookie.as_str())];
    for key in ["", "0", &"0".repeat(64)] {
        let answer = site.post(path, &cookies, &[("key", key)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{key}");
        assert!(
            answer.text().contains("Chưa có gì thay đổi, lịch phát không bị ảnh hưởng."),
            "{}",
            answer.text()
        );
    }
    // The key of one login is worth nothing with another.
    let other = site.cookie("approver").await;
    let answer = site.post(path, &cookies, &[("key", &site.key(&other).await)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(site.state.store.user("uploader").unwrap().unwrap().revoked.is_none());
    let answer = site.post(path, &cookies, &[("key", &site.key(&cookie).await)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(site.state.store.user("uploader").unwrap().unwrap().revoked.is_some());
    assert_eq!(site.acts().last().unwrap(), &("admin".into(), "user.revoke".into(), "uploader".into()));
    // Before there is a login, the browser says whose page it was.
    let fields = [("name", "admin"), ("password", PASSWORD)];
    for from in [("sec-fetch-site", "cross-site"), ("origin", "http://evil.example")] {
        let answer = site.post("/dang-nhap", &[from, ("host", "loa.local")], &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{from:?}");
    }
}

#[tokio::test]
async fn a_login_reads_the_interface_and_changes_it_only_with_the_pages_key() {
    let site = Site::new();
    let cookie = site.cookie("operator").await;
    assert_eq!(site.page(&cookie, "/api/v1/status").await.status, StatusCode::OK);
    site.sounds("2026-11-23/sang/chuyen-muc/0");
    let stop = |key: Option<String>| {
        let request = site.request("", "POST", "/api/v1/outputs/loa-xa/stop").header(COOKIE, &cookie);
        let request = match key {
            Some(key) => request.header("x-loa-key", key),
            None => request,
        };
        site.send(request.body(Body::empty()).unwrap())
    };
    assert_eq!(stop(None).await.problem(), refused(403, "forged"));
    assert_eq!(stop(Some("0".repeat(64))).await.problem(), refused(403, "forged"));
    assert_eq!(stop(Some(site.key(&cookie).await)).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn guesses_at_once_wait_like_guesses_in_turn() {
    let site = Site::new();
    site.password("admin");
    let guesses = (0..12).map(|_| site.sign_in("admin", "wrong all the time"));
    let answers = futures_util::future::join_all(guesses).await;
    let guessed = answers.iter().filter(|answer| answer.status == StatusCode::UNAUTHORIZED).count();
    let waits = answers.iter().filter(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS).count();
    assert_eq!((guessed, waits), (5, 7));
    assert_eq!(site.sign_in("admin", PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
    site.clock.advance(Duration::from_secs(6));
    assert_eq!(site.sign_in("admin", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn whoever_mistypes_slows_nobody_else() {
    let site = Site::new();
    site.password("admin");
    site.password("uploader");
    for _ in 0..6 {
        site.sign_in("admin", "wrong all the time").await;
    }
    assert_eq!(site.sign_in("Admin", PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(site.sign_in("uploader", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn whoever_guesses_at_a_name_does_not_hold_up_a_browser_that_knows_it() {
    let site = Site::new();
    site.password("admin");
    let signed_in = site.sign_in("Admin", PASSWORD).await;
    let cookies = signed_in.headers.get_all(SET_COOKIE).iter();
    let mark = cookies.map(|cookie| cookie.to_str().unwrap()).find(|cookie| cookie.starts_with("loa-quen-"));
    let mark = mark.unwrap().split(';').next().unwrap();
    for number in 0..30 {
        let address = number.to_string();
        let attempt = Attempt { name: "admin", address: &address, network: &address, known: false };
        site.state.limits.guesses.lock().unwrap().failed(attempt, site.clock.elapsed());
    }
    let sign_in = async |cookie: &str| {
        let fields = [("name", "admin"), ("password", PASSWORD)];
        site.post("/dang-nhap", &[("cookie", cookie)], &fields).await.status
    };
    assert_eq!(sign_in("loa-quen-admin=0").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(sign_in(mark).await, StatusCode::SEE_OTHER);
    let (kept, now) = (Kept::new(PASSWORD, [8; 16]).unwrap(), site.clock.now());
    let link = site.state.store.new_link(Link::For("admin".to_owned()), now).unwrap();
    assert!(site.state.store.set_password(&link.to_string(), kept, now).unwrap());
    assert_eq!(sign_in(mark).await, StatusCode::TOO_MANY_REQUESTS, "a new password ends it");
}

#[tokio::test]
async fn a_name_is_typed_in_whatever_case_and_kept_in_its_own() {
    let site = Site::new();
    let cookie = site.cookie("admin").await;
    let key = site.key(&cookie).await;
    let add = async |name: &str| {
        let fields = [("key", key.as_str()), ("name", name), ("role", "uploader")];
        site.post("/nguoi-dung", &[("cookie", &cookie)], &fields).await
    };
    assert_eq!(add("Minh.Hoa").await.status, StatusCode::OK);
    let again = add("minh.hoa").await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.text().contains("chữ hoa và chữ thường được coi là một"), "{}", again.text());
    site.password("Minh.Hoa");
    assert_eq!(site.sign_in("MINH.hoa", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.acts().last().unwrap(), &("Minh.Hoa".into(), "sign-in".into(), "Minh.Hoa".into()));
}

#[tokio::test]
async fn a_name_in_other_case_in_an_address_leads_to_whose_it_is() {
    let site = Site::new();
    let cookie = site.cookie("admin").await;
    for (typed, right) in [
        ("/nguoi-dung/UPLOADER", "/nguoi-dung/uploader"),
        ("/nguoi-dung/Uploader/thoi-viec", "/nguoi-dung/uploader/thoi-viec"),
    ] {
        let answer = site.page(&cookie, typed).await;
        assert_eq!((answer.status, answer.header(LOCATION)), (StatusCode::SEE_OTHER, right));
        assert_eq!(site.page(&cookie, right).await.status, StatusCode::OK);
    }
    for nobody in ["/nguoi-dung/up", "/nguoi-dung/Nobody/thoi-viec"] {
        assert_eq!(site.page(&cookie, nobody).await.status, StatusCode::NOT_FOUND, "{nobody}");
    }
}

#[tokio::test]
async fn a_person_who_cannot_be_added_stands_in_the_form_as_they_were_filled_in() {
    let site = Site::new();
    let cookie = site.cookie("admin").await;
    let key = site.key(&cookie).await;
    let send = async |path: &str, fields: &[(&str, &str)]| {
        let fields: Vec<_> = [("key", key.as_str())].into_iter().chain(fields.iter().copied()).collect();
        let answer = site.post(path, &[("cookie", &cookie)], &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
        answer.text()
    };
    let ticked = "value=\"auditor\" checked";
    for name in ["uploader", "bà lan"] {
        let page = send("/nguoi-dung", &[("name", name), ("role", "auditor")]).await;
        let (_, field) = page.split_once(&format!("value=\"{name}\"")).unwrap();
        let (label, _) = field.split_once("</label>").unwrap();
        assert!(label.contains("class=\"fault\"") && page.contains(ticked), "{page}");
    }
    let page = send("/nguoi-dung", &[("name", "lan")]).await;
    assert!(page.contains("value=\"lan\"") && page.contains("ít nhất một vai trò"), "{page}");
    let page = send("/nguoi-dung/uploader/vai-tro", &[]).await;
    assert!(page.contains("ít nhất một vai trò") && page.contains("/nguoi-dung/uploader/vai-tro"), "{page}");
}

#[tokio::test]
async fn an_account_that_is_ended_twice_has_ended() {
    let site = Site::new();
    let (cookie, path) = (site.cookie("admin").await, "/nguoi-dung/uploader/thoi-viec");
    let key = site.key(&cookie).await;
    let end = async |path: &str| site.post(path, &[("cookie", &cookie)], &[("key", &key)]).await;
    let after = "/nguoi-dung?vua=uploader";
    let said = "Tài khoản uploader đã ngừng vào thứ Hai 23/11/2026, 08:00, do admin thực hiện.";
    for _ in 0..2 {
        let ended = end(path).await;
        assert_eq!((ended.status, ended.header(LOCATION)), (StatusCode::SEE_OTHER, after));
        assert!(site.page(&cookie, after).await.text().contains(said));
        site.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(site.page(&cookie, path).await.header(LOCATION), after, "nothing is asked any more");
    assert_eq!(site.acts().iter().filter(|(_, what, _)| what == "user.revoke").count(), 1);
    assert_eq!(end("/nguoi-dung/nobody/thoi-viec").await.status, StatusCode::NOT_FOUND);
    for nobody in ["/nguoi-dung?vua=nobody", "/nguoi-dung?vua=admin", "/nguoi-dung"] {
        assert!(!site.page(&cookie, nobody).await.text().contains("đã ngừng vào"), "{nobody}");
    }
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_look_the_same() {
    let site = Site::new();
    site.password("admin");
    let [name, password] = [site.sign_in("nobody", PASSWORD).await, site.sign_in("admin", "wrong").await];
    assert_eq!(name.text().replace("nobody", "admin"), password.text());
}

#[tokio::test]
async fn a_page_of_another_role_says_so_and_shows_nothing() {
    let site = Site::new();
    let cookie = site.cookie("uploader").await;
    let key = site.key(&cookie).await;
    for path in ["/nguoi-dung", "/nguoi-dung/admin", "/nguoi-dung/admin/thoi-viec"] {
        let answer = site.page(&cookie, path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(
            answer.text().contains("Chưa có gì thay đổi, lịch phát không bị ảnh hưởng."),
            "{}",
            answer.text()
        );
    }
    let roles = [("key", key.as_str()), ("role", "admin")];
    let answer = site.post("/nguoi-dung/uploader/vai-tro", &[("cookie", &cookie)], &roles).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(site.state.store.user("uploader").unwrap().unwrap().roles, [Role::Uploader].into());
}

#[tokio::test]
async fn an_address_that_only_takes_forms_says_so_on_a_page() {
    let site = Site::new();
    let cookie = site.cookie("admin").await;
    for (path, page) in [
        ("/nguoi-dung/admin/lien-ket", "href=\"/nguoi-dung/admin\""),
        ("/nhat-ky/kiem-tra", "href=\"/nhat-ky\""),
        ("/dang-xuat", "href=\"/\""),
    ] {
        let answer = site.page(&cookie, path).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert!(answer.text().contains("<html") && answer.text().contains(page), "{path}: {}", answer.text());
    }
    let program = site.get("admin", "/api/v1/interrupts").await;
    assert_eq!(program.problem(), refused(405, "wrong-method"));
}

#[tokio::test]
async fn whatever_was_refused_whoever_is_signed_in_keeps_the_way_around_and_knows_what_has_the_air() {
    let site = Site::new();
    let cookie = site.cookie("uploader").await;
    let headers = [("cookie", cookie.as_str())];
    let key = site.key(&cookie).await;
    let long = "x".repeat(600_000);
    let order = json!({"segment": site.approved(440.0).await["id"], "layer": "emergency"});
    site.call("approver", "POST", "/api/v1/interrupts", order).await;
    let emergency = in_force(&ordered(&site));
    site.status.as_ref().unwrap().send_modify(|status| status.interrupts = vec![emergency]);
    let refused = |answer: &Answer, expected: u16, framed: bool| {
        let (status, page) = (answer.status.as_u16(), answer.text());
        assert_eq!(status, expected, "{page}");
        assert_eq!(answer.header(CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(page.contains("<nav") && page.contains("ĐANG PHÁT KHẨN CẤP"), framed, "{status}: {page}");
        assert!(page.contains("role=\"alert\"") && page.contains("href=\"/\""), "{status}: {page}");
        for of_programs in ["openapi", "JSON", "phương thức"] {
            assert!(!page.contains(of_programs), "{status}: {page}");
        }
    };
    for (path, status) in [
        ("/nguoi-dung", 403),
        ("/khong-co", 404),
        ("/ban-ghi/%FF%00", 404),
        ("/ban-ghi/0123456789abcdef", 404),
        ("/dang-xuat", 405),
        ("/ban-ghi?tim=a&tim=b", 400),
    ] {
        refused(&site.page(&cookie, path).await, status, true);
    }
    let reply = site.post("/nguoi-dung", &headers, &[("key", &key), ("name", "x")]).await;
    refused(&reply, 403, true);
    let reply = site.post("/ban-ghi/0123456789abcdef/tra-lai", &headers, &[("reason", &long)]).await;
    refused(&reply, 403, true);
    let reply = site.post("/ban-ghi/0123456789abcdef", &headers, &[("key", &key), ("x", &long)]).await;
    refused(&reply, 413, true);
    let odd = site.request("", "POST", "/ban-ghi/0123456789abcdef").header("cookie", &cookie);
    refused(&site.send(odd.body(Body::from("{}")).unwrap()).await, 415, true);
    refused(&site.page("loa=none", "/khong-co").await, 404, false);
}

#[tokio::test]
async fn what_was_not_done_leads_back_to_where_somebody_was() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let cookie = site.cookie("approver").await;
    let (host, from) = (("host", "loa.example"), "http://loa.example/duyet?vua=x");
    let key = site.key(&cookie).await;
    let approve = async |headers: &[(&str, &str)]| {
        let headers = [&[("cookie", cookie.as_str()), host], headers].concat();
        let fields = [("key", &*key), ("reason", "rè")];
        let refused = site.post(&format!("/ban-ghi/{id}/tra-lai"), &headers, &fields).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
        refused.text()
    };
    let leads = |page: &str, to: &str| {
        page.contains(&format!("<a class=\"button main\" href=\"{to}\">Quay lại trang trước</a>"))
    };
    for (headers, page) in [
        (&[("referer", from)][..], "/duyet?vua=x"),
        // Where the browser does not say it, or says another site.
        (&[], &format!("/ban-ghi/{id}")),
        (&[("referer", "http://evil.example/duyet")], &format!("/ban-ghi/{id}")),
    ] {
        let refused = approve(headers).await;
        assert!(leads(&refused, page), "{page}: {refused}");
    }
    let look = async |path: &str, from: &str| {
        let request = site.request("", "GET", path).header(COOKIE, &cookie);
        let request = request.header("host", "loa.example").header("referer", from);
        site.send(request.body(Body::empty()).unwrap()).await.text()
    };
    let path = format!("/phat-ngay/xac-nhan?segment={id}&rank=emergency&repeat=once");
    let confirm = look(&path, from).await;
    assert!(leads(&confirm, "/duyet?vua=x"), "{confirm}");
    let again = look(&path, &format!("http://loa.example{path}")).await;
    assert!(!again.contains("Quay lại trang trước"), "a page does not lead to itself: {again}");
}

#[tokio::test]
async fn a_login_ends_with_its_person() {
    let site = Site::new();
    let cookie = site.cookie("uploader").await;
    assert_eq!(site.page(&cookie, "/").await.status, StatusCode::OK);
    site.state.store.revoke_user("uploader", site.clock.now()).unwrap();
    assert_eq!(site.page(&cookie, "/").await.header(LOCATION), "/dang-nhap?sau=%2F");
}

#[tokio::test]
async fn a_link_works_once_and_for_a_week() {
    let site = Site::new();
    let link = site.state.store.new_link(Link::For("uploader".into()), site.clock.now()).unwrap();
    let path = format!("/bat-dau/{link}");
    let set = async |password| site.post(&path, &[], &[("password", password), ("again", password)]).await;
    assert!(site.get("", &path).await.text().contains("không chứa tên đăng nhập"), "before one is refused");
    let own_name = set("uploader-2026").await;
    assert!(own_name.status == StatusCode::UNPROCESSABLE_ENTITY && own_name.text().contains("quá dễ đoán"));
    assert_eq!(set("short").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(set(PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(set(PASSWORD).await.status, StatusCode::GONE);
    assert_eq!(site.sign_in("uploader", PASSWORD).await.status, StatusCode::SEE_OTHER);
    let late = site.state.store.new_link(Link::For("approver".into()), site.clock.now()).unwrap();
    site.clock.advance(Duration::from_secs(u64::try_from(LINK_DAYS).unwrap() * 86_400));
    assert_eq!(site.get("", &format!("/bat-dau/{late}")).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere_and_run_nothing_written_into_them() {
    let site = Site::new();
    let cookie = site.cookie("admin").await;
    for path in ["/", "/nguoi-dung", "/khong-co", "/dang-nhap"] {
        let page = site.page(&cookie, path).await;
        let policy = page.header(CONTENT_SECURITY_POLICY);
        let from = if path == "/dang-nhap" { "no-referrer" } else { "same-origin" };
        assert_eq!(page.header(REFERRER_POLICY), from, "{path}");
        let text = page.text();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        for never in [" style=", " onclick=", "<style", "<script>", "http://", "https://"] {
            assert!(!text.contains(never), "{path} has `{never}`");
        }
    }
}

#[tokio::test]
async fn a_station_where_nobody_approves_is_told_so() {
    let site = Site::new();
    let cookie = site.cookie("admin").await;
    let missing = "Chưa có người duyệt";
    assert!(!site.page(&cookie, "/").await.text().contains(missing));
    for approver in ["approver", "second"] {
        site.state.store.revoke_user(approver, site.clock.now()).unwrap();
    }
    assert!(site.page(&cookie, "/").await.text().contains(missing));
}
