//! Người dùng: what is asked before it is done, said after it was done, and made only once.

use super::air_pages::{Tab, hidden};
use super::console::PASSWORD;
use super::*;
use crate::store::Link;

const UPLOADER: &str = "/nguoi-dung/uploader";

#[tokio::test]
async fn a_page_sent_again_makes_no_second_secret() {
    let site = Site::new();
    let tab = Tab::of(&site, "admin");
    for (what, act) in [("ma", "user.token"), ("lien-ket", "user.link")] {
        let path = format!("{UPLOADER}/{what}");
        let page = tab.get(UPLOADER).await.text();
        let made = hidden(&page, "trang");
        site.clock.advance(Duration::from_secs(5));
        let first = tab.post(&path, &[("trang", made)]).await.text();
        assert!(first.contains("card secret"), "{first}");
        let again = tab.post(&path, &[("trang", made)]).await.text();
        assert!(
            !again.contains("card secret") && again.contains("lần tải lại này không tạo thêm"),
            "{again}"
        );
        assert!(again.contains("Mở trang của uploader"), "{again}");
        let count = || site.acts().iter().filter(|(_, what, _)| what == act).count();
        assert_eq!(count(), 1);
        // A fresh page makes another.
        site.clock.advance(Duration::from_secs(5));
        let page = tab.get(UPLOADER).await.text();
        assert!(tab.post(&path, &[("trang", hidden(&page, "trang"))]).await.text().contains("card secret"));
        assert_eq!(count(), 2);
    }
}

#[tokio::test]
async fn what_was_done_with_a_person_is_said_and_all_their_ways_in_end_after_a_question() {
    let site = Site::new();
    let tab = Tab::of(&site, "admin");
    let saved = tab.post(&format!("{UPLOADER}/vai-tro"), &[("role", "uploader"), ("role", "auditor")]).await;
    let page = tab.get(saved.header(header::LOCATION)).await.text();
    assert!(page.contains("Đã lưu vai trò của uploader: Người biên soạn, Người kiểm tra."), "{page}");
    assert!(!tab.get(UPLOADER).await.text().contains("Đã lưu"));

    let end = format!("{UPLOADER}/thu-hoi");
    let page = tab.get(UPLOADER).await.text();
    assert!(
        page.contains(&format!("href=\"{end}\"")) && !page.contains(&format!("action=\"{end}\"")),
        "{page}"
    );
    let asked = tab.get(&end).await.text();
    assert!(asked.contains("đăng xuất mọi máy đang dùng tên này?"), "{asked}");
    let theirs = Tab::of(&site, "uploader");
    assert_eq!(theirs.get("/").await.status, StatusCode::OK);
    let ended = tab.post(&end, &[]).await;
    assert_eq!(theirs.get("/").await.status, StatusCode::SEE_OTHER, "signed out");
    let page = tab.get(ended.header(header::LOCATION)).await.text();
    assert!(page.contains("Đã thu hồi mọi mã truy cập của uploader và đăng xuất mọi máy."), "{page}");
}

#[tokio::test]
async fn a_first_password_replaces_none() {
    let site = Site::new();
    let link = || site.state.store.new_link(Link::For("uploader".into()), site.clock.now()).unwrap();
    let set = format!("/bat-dau/{}", link());
    let page = site.get("", &set).await.text();
    assert!(page.contains("Đặt mật khẩu cho uploader.") && !page.contains("mật khẩu cũ"), "{page}");
    let password = "mưa thuận gió hoà";
    let form = [("password", password), ("again", password)];
    assert_eq!(site.post(&set, &[], &form).await.status, StatusCode::SEE_OTHER);
    let page = site.get("", &format!("/bat-dau/{}", link())).await.text();
    assert!(page.contains("mật khẩu cũ sẽ bị đăng xuất"), "{page}");
}

#[tokio::test]
async fn people_who_may_not_manage_others_do_not_keep_the_first_administrator_out() {
    let site = Site::new();
    site.state.store.revoke_user("admin", site.clock.now()).unwrap();
    let now = site.clock.now();
    let link = site.state.store.with_people("make a link", move |people| people.first_link(now)).unwrap();
    let set = format!("/bat-dau/{}", link.unwrap());
    assert!(site.get("", &set).await.text().contains("Đài này chưa có người quản trị."));
    let come = async |name| {
        site.post(&set, &[], &[("name", name), ("password", PASSWORD), ("again", PASSWORD)]).await
    };
    let taken = come("Uploader").await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(taken.text().contains("Tên này đã có người dùng"), "{}", taken.text());
    assert_eq!(come("hoa").await.status, StatusCode::SEE_OTHER);
    assert_eq!(come("minh").await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_form_that_is_too_long_is_no_file_that_is_too_large() {
    let site = Site::new();
    let long = "dài ".repeat(40_000);
    let answer = Tab::of(&site, "admin").post("/nguoi-dung", &[("name", &*long)]).await;
    let page = answer.text();
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{page}");
    assert!(
        page.contains("Nội dung quá dài") && page.contains("rút ngắn") && !page.contains("MP3"),
        "{page}"
    );
}

/// All that is kept of people, but for what they did.
fn kept_of_people(data: &rusqlite::Connection) -> String {
    let rows = |table: &&str| {
        let mut all = data.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = all.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|column| row.get::<_, rusqlite::types::Value>(column)).collect()
        };
        all.query_map([], row).unwrap().map(Result::unwrap).collect::<Vec<Vec<_>>>()
    };
    format!("{:#?}", ["person", "token", "password", "login", "link"].each_ref().map(rows))
}

#[tokio::test]
async fn nothing_is_done_with_people_of_which_no_act_can_be_kept() {
    let site = Site::new();
    site.password("admin");
    let tab = Tab::of(&site, "admin");
    let link = |whose: &str| site.state.store.new_link(Link::For(whose.into()), site.clock.now()).unwrap();
    let set = format!("/bat-dau/{}", link("auditor"));
    let data = rusqlite::Connection::open(site.dir.path().join("data/loa.db")).unwrap();
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON act BEGIN SELECT RAISE(ABORT, 'full'); END";
    data.execute(refuse, []).unwrap();
    let before = kept_of_people(&data);
    let new = json!({"name": "hoa", "roles": ["operator"]});
    let password = [("password", PASSWORD), ("again", PASSWORD)];
    let answers = [
        site.call("admin", "POST", "/api/v1/users", new).await,
        site.call("admin", "POST", "/api/v1/users/uploader/tokens", json!({})).await,
        site.call("admin", "DELETE", "/api/v1/users/uploader", json!({})).await,
        tab.post("/nguoi-dung", &[("name", "hoa"), ("role", "operator")]).await,
        tab.post("/nguoi-dung/uploader/vai-tro", &[("role", "operator")]).await,
        tab.post("/nguoi-dung/uploader/lien-ket", &[]).await,
        tab.post("/nguoi-dung/uploader/ma", &[]).await,
        tab.post("/nguoi-dung/uploader/thu-hoi", &[]).await,
        tab.post("/nguoi-dung/uploader/thoi-viec", &[]).await,
        site.post(&set, &[], &password).await,
        site.sign_in("admin", PASSWORD).await,
    ];
    for (nth, answer) in answers.iter().enumerate() {
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{nth}: {}", answer.text());
    }
    assert_eq!(kept_of_people(&data), before);
    data.execute("DROP TRIGGER full", []).unwrap();
    assert_eq!(site.post(&set, &[], &password).await.status, StatusCode::SEE_OTHER, "the link still opens");
}
