//! What is said of a change: before it is saved, just after, and when it is history.

use std::fs;

use super::air_pages::{Tab, hidden};
use super::*;

const SESSION: &str = "/lich-phat/buoi/sang";
/// The form of the only session, as it is.
const AS_IT_IS: [(&str, &str); 4] =
    [("title", "Buổi sáng"), ("from", "05:30:00"), ("to", "06:00:00"), ("day", "1")];

fn site() -> Site {
    Site::with(Limits { in_force: Duration::ZERO, ..Limits::default() }, Bounds::default())
}

fn with<'a>(fields: &[(&'a str, &'a str)], name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let others = fields.iter().filter(|(known, _)| *known != name);
    others.copied().chain([(name, value)]).collect()
}

/// Saves what a form shows; where it leads.
async fn save(tab: &Tab<'_>, path: &str, fields: &[(&str, &str)]) -> String {
    let shown = tab.post(path, fields).await.text();
    let (_, seen) = shown.split_once("name=\"seen\" value=\"").unwrap_or_else(|| panic!("{shown}"));
    let seen = seen.split('"').next().unwrap();
    let saved = tab.post(path, &[fields, &[("seen", seen), ("step", "save")]].concat()).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    saved.header(header::LOCATION).to_owned()
}

#[tokio::test]
async fn what_stays_as_it_is_is_said_in_words() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let same = tab.post(SESSION, &AS_IT_IS).await.text();
    assert!(same.contains("Không có gì được sửa") && !same.contains("value=\"save\""), "{same}");
    // Longer, and nothing in it moves.
    let longer = tab.post(SESSION, &with(&AS_IT_IS, "to", "06:10")).await.text();
    assert!(
        longer.contains("Không có mục nào khác đi; chỉ tên hoặc giờ của 1 buổi phát thay đổi."),
        "{longer}"
    );
    assert!(longer.contains("<s>Buổi sáng (05:30 – 06:00)</s> → Buổi sáng (05:30 – 06:10)"), "{longer}");
    assert!(!longer.contains("0 mục"), "{longer}");
    let later = tab.post(SESSION, &with(&AS_IT_IS, "valid_until", "2028-12-31")).await.text();
    assert!(
        later.contains("Trong 7 ngày tới không có gì khác đi") && later.contains("value=\"save\""),
        "{later}"
    );
    let title = [("title", "Ngày hội")];
    let day = tab.post("/lich-phat/ngay/2027-03-01", &title).await.text();
    assert!(day.contains("Trong 7 ngày tới và thứ Hai 01/03/2027 không có gì khác đi"), "{day}");
}

#[tokio::test]
async fn a_session_that_moves_to_hours_that_are_over_is_said_not_to_air_today() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let at = |from, to| with(&with(&AS_IT_IS, "from", from), "to", to);
    let over = "hôm nay “Buổi sáng” sẽ không phát: giờ 06:00 – 06:30 đã qua";
    // It is eight o'clock: what was over already is no news, but what the log will have of it.
    let logged = "Giờ mới 06:00 – 06:30 của “Buổi sáng” hôm nay đã qua: hôm nay buổi này không phát thêm, và nhật ký hôm nay sẽ ghi các mục theo giờ mới là “không phát”";
    let before = tab.post(SESSION, &at("06:00", "06:30")).await.text();
    assert!(before.contains("Các mục thay đổi") && !before.contains(over), "{before}");
    assert!(before.contains(logged), "{before}");
    let title = tab.post(SESSION, &with(&AS_IT_IS, "title", "Sớm")).await.text();
    assert!(!title.contains("hôm nay đã qua"), "the same hours: {title}");
    save(&tab, SESSION, &at("09:00", "09:30")).await;
    let shown = tab.post(SESSION, &at("06:00", "06:30")).await.text();
    assert!(shown.contains(over) && shown.contains("sẽ ghi các mục của buổi là “không phát”"), "{shown}");
    assert!(!shown.contains(logged) && !shown.contains("Không có thêm điều gì cần biết"), "{shown}");
    let later = tab.post(SESSION, &at("10:00", "10:30")).await.text();
    assert!(later.contains("đổi giờ") && !later.contains("sẽ không phát"), "{later}");
}

#[tokio::test]
async fn that_something_was_saved_is_said_to_who_saved_it_and_then() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let said = async |tab: &Tab<'_>, path: &str| tab.get(path).await.text().contains("Đã lưu");
    let first = save(&tab, SESSION, &with(&AS_IT_IS, "to", "06:10")).await;
    assert!(said(&tab, &first).await);
    assert!(!said(&Tab::of(&site, "admin"), &first).await, "who was only given the address");
    for none in ["/lich-phat?luu=1", "/lich-phat?luu=99", "/lich-phat?luu=x", "/lich-phat"] {
        assert!(!said(&tab, none).await, "{none}");
    }
    let second = save(&tab, SESSION, &with(&AS_IT_IS, "to", "06:20")).await;
    assert!(said(&tab, &second).await && !said(&tab, &first).await, "only the last one is in force");
    site.clock.advance(Duration::from_secs(660));
    assert!(!said(&tab, &second).await, "opened again");
}

#[tokio::test]
async fn history_calls_what_is_gone_by_the_title_that_it_had() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let new = [("title", "Nhạc chờ"), ("play", "file:nhac.wav"), ("start", "follow"), ("day", "1")];
    save(&tab, &format!("{SESSION}/muc-moi"), &with(&new, "after", "chuyen-muc")).await;
    save(&tab, &format!("{SESSION}/muc/nhac-cho/bo"), &[]).await;
    let pages = ["/lich-phat/lich-su", "/lich-phat/lich-su/2", "/lich-phat/lich-su/3"];
    for page in pages {
        let page = tab.get(page).await.text();
        assert!(page.contains("Buổi sáng: Nhạc chờ"), "{page}");
        assert!(!page.contains("sang/nhac-cho"), "{page}");
    }
}

#[tokio::test]
async fn back_to_files_with_mistakes_there_is_no_way_and_the_lines_are_told() {
    let site = site();
    let broken = WEEK.replace("from = 05:30:00", "from = 25:00:00");
    for week in [WEEK, &broken, WEEK] {
        let files = Sources { station: Some(STATION.to_owned()), week: Some(week.to_owned()), days: None };
        site.state.store.keep_found(&files, site.clock.now()).unwrap();
    }
    let undo = Tab::of(&site, "operator").get("/lich-phat/lich-su/3").await;
    assert_eq!(undo.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = undo.text();
    assert!(page.contains("Không hoàn tác được lần này, vì lịch trước đó có lỗi:"), "{page}");
    assert!(page.contains("Dòng 11 trong `week.toml`: giờ"), "{page}");
}

#[tokio::test]
async fn programmes_are_offered_in_the_order_of_their_titles() {
    let site = site();
    let more = [("a", "Ứng xử"), ("b", "Đọc truyện"), ("c", "Dân vận"), ("d", "Âm nhạc"), ("e", "An toàn")];
    let more =
        more.map(|(id, title)| format!("[[programme]]\nid = \"{id}\"\ntitle = \"{title}\"\n")).concat();
    let path = site.dir.path().join("schedule/week.toml");
    io::Write::write_all(&mut fs::File::create(path).unwrap(), format!("{more}{WEEK}").as_bytes()).unwrap();
    let form = Tab::of(&site, "operator").get(&format!("{SESSION}/muc-moi")).await.text();
    let places =
        ["e", "d", "cam-tay-chi-viec", "c", "b", "a"].map(|id| form.find(&format!("\"programme:{id}\"")));
    assert!(!places.contains(&None), "{form}");
    assert!(places.is_sorted(), "{places:?} in {form}");
}

#[tokio::test]
async fn a_day_without_music_is_told_in_a_line_for_what_is_alike_and_not_slot_by_slot() {
    let site = site();
    let slots: String = (0..6)
        .map(|nth| {
            format!(
                "[[session.slot]]\nid = \"nhac-{nth}\"\ntitle = \"Bài {nth}\"\nstart = \"hard\"\nat = 05:3{nth}:00\nplay = {{ pool = \"ca-khuc\" }}\nlength = \"1 min\"\n"
            )
        })
        .collect();
    let pool = "[[pool]]\nid = \"ca-khuc\"\ntitle = \"Ca khúc\"\n";
    let head = WEEK.split("[[session.slot]]").next().unwrap();
    let week = format!("{pool}{head}{slots}");
    fs::File::create(site.dir.path().join("schedule/week.toml"))
        .and_then(|mut file| io::Write::write_all(&mut file, week.as_bytes()))
        .unwrap();
    let tab = Tab::of(&site, "operator");
    let day = [("title", "Quốc tang"), ("no_music", "yes")];
    let shown = tab.post("/lich-phat/ngay/2026-11-30", &day).await.text();
    let notes: Vec<_> =
        shown.split("<p class=\"note").filter(|note| note.contains("ngày này không phát nhạc")).collect();
    let [note] = notes.as_slice() else { panic!("{notes:#?}") };
    assert!(note.contains("lúc 05:30 và 5 chỗ nữa đến"), "{note}");
}

#[tokio::test]
async fn who_saves_second_undoes_nothing_that_they_did_not_touch() {
    let site = site();
    let (one, other) = (Tab::of(&site, "operator"), Tab::of(&site, "admin"));
    let slot = &format!("{SESSION}/muc/chuyen-muc");
    let seen = async |path: &str| {
        let page = other.get(path).await.text();
        hidden(&page, "seen").to_owned()
    };
    // What each form shows, what somebody else saves meanwhile, and what is changed on the form that is old by then.
    let forms = [
        (SESSION, AS_IT_IS.to_vec(), ("title", "Buổi sớm"), ("to", "06:20:00"), "title = \"Buổi sớm\""),
        (
            slot,
            vec![
                ("title", "Cầm tay chỉ việc"),
                ("play", "programme:cam-tay-chi-viec"),
                ("start", "follow"),
                ("day", "1"),
                ("late", "join"),
            ],
            ("minutes", "5"),
            ("title", "Việc hay"),
            "length = \"5 min\"",
        ),
    ];
    for (path, shown, theirs, mine, kept) in forms {
        let old = seen(path).await;
        save(&one, path, &with(&shown, theirs.0, theirs.1)).await;
        let late = [&with(&shown, mine.0, mine.1)[..], &[("seen", old.as_str()), ("step", "save")]].concat();
        let told = other.post(path, &late).await.text();
        assert!(told.contains("Lịch vừa được sửa ở nơi khác"), "{told}");
        assert!(!told.contains(&format!("<del>− {kept}")), "{told}");
        assert_eq!(hidden(&told, theirs.0), theirs.1);
        assert_eq!(hidden(&told, mine.0), mine.1);
        let fresh = hidden(&told, "seen").to_owned();
        let again = with(&with(&shown, theirs.0, theirs.1), mine.0, mine.1);
        let saved = other.post(path, &[&again[..], &[("seen", &fresh), ("step", "save")]].concat()).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
        let week = fs::read_to_string(site.dir.path().join("schedule/week.toml")).unwrap();
        assert!(week.contains(kept), "{week}");
    }
}

#[tokio::test]
async fn history_calls_what_was_renamed_as_it_was_called_then_and_names_what_was_undone() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    save(&tab, SESSION, &with(&AS_IT_IS, "title", "Buổi sớm")).await;
    save(&tab, SESSION, &with(&AS_IT_IS, "title", "Buổi mai")).await;
    let history = async || tab.get("/lich-phat/lich-su").await.text();
    let page = history().await;
    for said in ["sửa buổi phát</strong>: Buổi sớm", "sửa buổi phát</strong>: Buổi mai"] {
        assert_eq!(page.matches(said).count(), 1, "{said} in {page}");
    }
    let there = save(&tab, "/lich-phat/lich-su/3", &[]).await;
    let page = tab.get(&there).await.text();
    assert!(page.contains("Đã hoàn tác.") && !page.contains("Đã lưu."), "{page}");
    let page = history().await;
    assert!(
        page.contains("hoàn tác một lần sửa lịch</strong>: lần sửa số 3 (sửa buổi phát: Buổi mai)"),
        "{page}"
    );
}
