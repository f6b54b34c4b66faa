//! Lịch phát: who may change it, and what becomes of a change.

use std::fs;
use std::path::PathBuf;

use super::air_pages::Tab;
use super::*;
use crate::asrun::{Cause, Fact, NotAired};

/// A station whose schedule comes into force when a test says so.
fn site() -> Site {
    Site::with(Limits { in_force: Duration::ZERO, ..Limits::default() }, Bounds::default())
}

impl Site {
    fn week(&self) -> PathBuf {
        self.dir.path().join("schedule/week.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.week()).unwrap()
    }

    fn by_hand(&self, text: &str) {
        io::Write::write_all(&mut fs::File::create(self.week()).unwrap(), text.as_bytes()).unwrap();
    }

    /// The planner finds the files as they are.
    fn replan(&self) {
        let schedule = self.state.desk.sheet(self.clock.now()).unwrap().schedule;
        let plan = Plan::clone(&self.plan.borrow());
        self.plan.send_replace(Arc::new(Plan {
            schedule: Arc::new(schedule),
            timelines: Vec::new(),
            ..plan
        }));
    }

    fn days(&self) -> String {
        fs::read_to_string(self.dir.path().join("schedule/days.toml")).unwrap_or_default()
    }

    fn days_by_hand(&self, text: &str) {
        let path = self.dir.path().join("schedule/days.toml");
        io::Write::write_all(&mut fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
    }
}

/// What the form of the only slot says.
const SLOT: [(&str, &str); 5] = [
    ("play", "programme:cam-tay-chi-viec"),
    ("start", "follow"),
    ("day", "1"),
    ("minutes", "6"),
    ("late", "skip"),
];
const SLOT_PAGE: &str = "/lich-phat/buoi/sang/muc/chuyen-muc";

/// The state of the files that a page was made from.
fn seen(answer: &Answer) -> String {
    let page = answer.text();
    let after = page.split_once("name=\"seen\" value=\"").unwrap_or_else(|| panic!("{page}")).1;
    after.split('"').next().unwrap().to_owned()
}

fn saving<'a>(fields: &[(&'a str, &'a str)], seen: &'a str) -> Vec<(&'a str, &'a str)> {
    [fields, &[("seen", seen), ("step", "save")]].concat()
}

#[tokio::test]
async fn everybody_sees_the_week_and_few_change_it() {
    let site = site();
    for who in Role::ALL.map(Role::code) {
        let tab = Tab::of(&site, who);
        let page = tab.get("/lich-phat?tuan=2026-W48").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains("Tuần 48 (23/11 – 29/11/2026)"));
        let may = ["operator", "admin"].contains(&who);
        assert_eq!(page.text().contains("Thêm buổi phát"), may, "{who}");
        for path in [
            SLOT_PAGE,
            "/lich-phat/buoi/sang",
            "/lich-phat/buoi-moi",
            "/lich-phat/buoi/sang/bo",
            "/lich-phat/buoi/sang/muc-moi",
            "/lich-phat/ngay/2026-12-25",
        ] {
            let asked = tab.get(path).await;
            let sent = tab.post(path, &SLOT).await;
            for answer in [asked, sent] {
                assert_eq!(answer.status != StatusCode::FORBIDDEN, may, "{who} {path}: {}", answer.text());
            }
        }
    }
    assert_eq!(site.text(), WEEK);
}

#[tokio::test]
async fn a_change_is_shown_then_saved_then_undone() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let form = tab.get(SLOT_PAGE).await;
    assert!(form.text().contains("Cầm tay chỉ việc"));
    let shown = tab.post(SLOT_PAGE, &SLOT).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text());
    assert!(shown.text().contains("Những gì sẽ thay đổi trong 7 ngày tới"));
    assert_eq!(
        (site.text().as_str(), site.nudges.try_recv().is_err()),
        (WEEK, true),
        "showing changes nothing"
    );

    let seen_by_then = seen(&shown);
    let saved = tab.post(SLOT_PAGE, &saving(&SLOT, &seen_by_then)).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    assert!(saved.header(header::LOCATION).ends_with("&luu=2"));
    assert!(site.nudges.try_recv().is_ok(), "the planner is told");
    // Pressed twice, or sent again from the page of before: it is saved, and says so.
    let again = tab.post(SLOT_PAGE, &saving(&SLOT, &seen_by_then)).await;
    assert_eq!(again.header(header::LOCATION), saved.header(header::LOCATION), "{}", again.text());
    let other = Tab::of(&site, "admin").post(SLOT_PAGE, &saving(&SLOT, &seen_by_then)).await.text();
    assert!(other.contains("Lịch đã đúng như vậy rồi") && !other.contains("Chưa lưu gì cả"), "{other}");
    let changed = site.text();
    assert!(changed.contains("length = \"6 min\"") && changed.contains("late = \"skip\""), "{changed}");
    assert_eq!(
        site.acts().last().unwrap(),
        &("operator".into(), "schedule.slot".into(), "sang/chuyen-muc".into())
    );

    let undo = tab.get("/lich-phat/lich-su/2").await;
    assert!(
        undo.text().contains("Hoàn tác lần sửa này") && undo.text().contains("length = &quot;6 min&quot;")
    );
    let seen_by_then = seen(&undo);
    let undone = tab.post("/lich-phat/lich-su/2", &saving(&[], &seen_by_then)).await;
    assert_eq!(undone.status, StatusCode::SEE_OTHER);
    assert_eq!(site.text(), WEEK);
    let history = Tab::of(&site, "auditor").get("/lich-phat/lich-su").await.text();
    assert!(
        history.contains("aria-label=\"Xem, hoàn tác lần sửa lịch số 2\">Xem, hoàn tác</a>"),
        "{history}"
    );
    assert!(history.contains("hoàn tác một lần sửa lịch") && history.contains("operator"), "{history}");
    for none in ["1", "99", "x", "-1"] {
        assert_eq!(
            tab.get(&format!("/lich-phat/lich-su/{none}")).await.status,
            StatusCode::NOT_FOUND,
            "{none}"
        );
    }
}

#[tokio::test]
async fn what_somebody_else_changed_meanwhile_is_shown_before_it_is_written_over() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let old = seen(&tab.post(SLOT_PAGE, &SLOT).await);
    let by_hand = WEEK.replace("to = 06:00:00", "to = 06:10:00");
    site.by_hand(&by_hand);
    let shown = tab.post(SLOT_PAGE, &saving(&SLOT, &old)).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.text().contains("vừa được sửa ở nơi khác"));
    assert_eq!(site.text(), by_hand, "nothing was written");
    let new = seen(&shown);
    let saved = tab.post(SLOT_PAGE, &saving(&SLOT, &new)).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    assert!(site.text().contains("06:10:00") && site.text().contains("6 min"), "both are there");
    let history = tab.get("/lich-phat/lich-su").await.text();
    assert_eq!(history.matches("class=\"card\"").count(), 2, "{history}");

    site.by_hand("[[session");
    for path in [SLOT_PAGE, "/lich-phat/buoi-moi"] {
        let broken = tab.get(path).await;
        assert_eq!(broken.status, StatusCode::CONFLICT);
        assert!(broken.text().contains("Lịch cũ vẫn được phát"));
    }
    let undo = tab.get("/lich-phat/lich-su/2").await;
    let last = seen(&undo);
    assert_eq!(tab.post("/lich-phat/lich-su/2", &saving(&[], &last)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.text(), by_hand, "out of a broken file by undoing");
}

#[tokio::test]
async fn what_does_not_do_comes_back_as_it_was_filled_in() {
    let site = site();
    let tab = Tab::of(&site, "admin");
    let title = ("title", "Tin \"<script>alert(1)</script>");
    let no_days = tab.post(SLOT_PAGE, &[("play", "programme:cam-tay-chi-viec"), title]).await;
    assert_eq!(no_days.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = no_days.text();
    assert!(
        page.contains("Hãy chọn ít nhất một ngày") && page.contains("Tin &quot;&lt;script&gt;"),
        "{page}"
    );
    assert!(!page.contains("<script>alert"));
    let session = [("title", "Sáng"), ("from", "05:00"), ("to", "06:00"), ("day", "1")];
    let quiet = tab.post("/lich-phat/buoi/sang", &session).await;
    assert_eq!(quiet.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(quiet.text().contains("giờ yên lặng") && quiet.text().contains("05:00"), "{}", quiet.text());
    let reversed = [("title", "Sáng"), ("from", "06:30"), ("to", "06:00"), ("day", "1")];
    assert!(tab.post("/lich-phat/buoi/sang", &reversed).await.text().contains("phải sau giờ bắt đầu"));
    let unknown = [("play", "programme:../../etc"), ("start", "follow"), ("day", "1")];
    assert!(tab.post(SLOT_PAGE, &unknown).await.text().contains("Hãy chọn phát gì"));
    assert_eq!(site.text(), WEEK);
    for gone in [
        "/lich-phat/buoi/toi",
        "/lich-phat/buoi/sang/muc/x",
        "/lich-phat/buoi/..%2F..",
        "/lich-phat/ngay/x/bo",
    ] {
        assert_eq!(tab.get(gone).await.status, StatusCode::NOT_FOUND, "{gone}");
    }
}

#[tokio::test]
async fn a_form_that_is_not_ours_changes_nothing() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let good = seen(&tab.post(SLOT_PAGE, &SLOT).await);
    let other = Tab::of(&site, "admin");
    for key in ["", "0", &other.key] {
        let forged = tab.post_as(key, SLOT_PAGE, &saving(&SLOT, &good)).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN, "{key}");
    }
    assert_eq!(site.text(), WEEK);
}

#[tokio::test]
async fn a_special_day_is_added_and_taken_out_again() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let chosen = tab.get("/lich-phat/ngay?ngay=2026-10-10&nam=1").await;
    assert_eq!(chosen.header(header::LOCATION), "/lich-phat/ngay/--10-10");
    let path = "/lich-phat/ngay/2026-11-30";
    let day = [
        ("title", "Quốc tang"),
        ("no_music", "yes"),
        ("slot", "sang/chuyen-muc"),
        ("play", "file:tang.wav"),
        ("replace_title", "Tin buồn"),
    ];
    let shown = tab.post(path, &day).await;
    assert!(shown.text().contains("Tin buồn"), "{}", shown.text());
    let now = seen(&shown);
    assert_eq!(tab.post(path, &saving(&day, &now)).await.status, StatusCode::SEE_OTHER);
    let days = site.dir.path().join("schedule/days.toml");
    let text = fs::read_to_string(&days).unwrap();
    assert!(text.contains("date = 2026-11-30") && text.contains("no_music = true"), "{text}");
    assert!(text.contains("file = \"tang.wav\""), "{text}");
    let form = tab.get(path).await.text();
    assert!(form.contains("Bỏ lịch ngày đặc biệt này") && form.contains("Tin buồn"));
    let away = format!("{path}/bo");
    let shown = tab.get(&away).await;
    let now = seen(&shown);
    assert_eq!(tab.post(&away, &saving(&[], &now)).await.status, StatusCode::SEE_OTHER);
    assert!(!fs::read_to_string(&days).unwrap().contains("2026-11-30"));
}

#[tokio::test]
async fn what_a_special_day_changes_is_shown_also_when_it_is_far() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let day = [("title", "Nghỉ"), ("drop", "sang")];
    let far = tab.post("/lich-phat/ngay/2027-03-01", &day).await.text();
    assert!(far.contains("trong 7 ngày tới, và thứ Hai 01/03/2027") && far.contains("bỏ cả buổi"), "{far}");
    let yearly = tab.post("/lich-phat/ngay/--03-01", &day).await.text();
    assert!(yearly.contains("và thứ Hai 01/03/2027") && yearly.contains("bỏ cả buổi"), "{yearly}");
    let near = tab.post("/lich-phat/ngay/2026-11-30", &day).await.text();
    assert_eq!(near.matches("bỏ cả buổi").count(), 1, "the week ends on that day at eight: {near}");
    let within =
        tab.post("/lich-phat/ngay/2026-11-27", &[("title", "Tang"), ("no_music", "yes")]).await.text();
    assert!(within.contains("7 ngày tới</h2>"), "{within}");
}

/// Shows what a form would change, then saves it: what was shown.
async fn save(tab: &Tab<'_>, path: &str, fields: &[(&str, &str)]) -> (Answer, Answer) {
    let shown = tab.post(path, fields).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text());
    let now = seen(&shown);
    let saved = tab.post(path, &saving(fields, &now)).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    (shown, saved)
}

/// A Monday, on which the week has its session.
const DAY: &str = "/lich-phat/ngay/2026-11-30";
const OWN: [(&str, &str); 5] = [
    ("day_title", "Hội làng"),
    ("title", "Chúc Tết"),
    ("from", "07:00"),
    ("to", "07:10"),
    ("play", "programme:cam-tay-chi-viec"),
];

#[tokio::test]
async fn a_days_own_session_is_made_changed_and_taken_out_in_the_console() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let day = tab.get(DAY).await.text();
    assert!(day.contains(&format!("{DAY}/buoi-moi")) && !day.contains(&format!("{DAY}/bo")), "{day}");
    let form = tab.get(&format!("{DAY}/buoi-moi")).await.text();
    assert!(form.contains("Vì sao là ngày đặc biệt") && !form.contains("name=\"valid_from\""), "{form}");
    assert!(!form.contains("name=\"day\""), "a day has no days: {form}");

    // The day becomes a special one with its session.
    let (shown, saved) = save(&tab, &format!("{DAY}/buoi-moi"), &OWN).await;
    assert!(shown.text().contains("buổi mới") && shown.text().contains("Chúc Tết"), "{}", shown.text());
    assert_eq!(saved.header(header::LOCATION), "/lich-phat?tuan=2026-W49&luu=2", "where it is to be seen");
    let act = ("operator".into(), "schedule.session-add".into(), "2026-11-30/chuc-tet".into());
    assert_eq!(site.acts().last().unwrap(), &act);
    let text = site.days();
    assert!(text.contains("title = \"Hội làng\"") && text.contains("[[day.session.slot]]"), "{text}");
    assert!(!text.contains("days =") && text.contains("from = 07:00:00"), "{text}");

    // Its page, its session's, its slot's.
    let day = tab.get(DAY).await.text();
    let own = format!("{DAY}/buoi/chuc-tet");
    assert!(day.contains(&own) && day.contains("07:00:00 – 07:10:00") && day.contains(&format!("{DAY}/bo")));
    let form = tab.get(&own).await.text();
    assert!(form.contains("Sửa “Chúc Tết (thứ Hai 30/11/2026)”") && !form.contains("name=\"day\""), "{form}");
    let to = [("title", "Chúc Tết"), ("from", "07:00"), ("to", "07:15")];
    save(&tab, &own, &to).await;
    let new = [
        ("after", "programme-cam-tay-chi-viec"),
        ("play", "file:nhac.wav"),
        ("start", "follow"),
        ("title", "Nhạc"),
    ];
    save(&tab, &format!("{own}/muc-moi"), &new).await;
    assert!(
        site.days().contains("to = 07:15:00") && site.days().contains("id = \"nhac\""),
        "{}",
        site.days()
    );
    let form = tab.get(&format!("{own}/muc/nhac")).await.text();
    assert!(!form.contains("name=\"day\"") && !form.contains("name=\"valid_from\""), "{form}");
    let longer =
        [("play", "file:nhac.wav"), ("start", "hard"), ("at", "07:05"), ("title", "Nhạc"), ("late", "skip")];
    save(&tab, &format!("{own}/muc/nhac"), &longer).await;
    assert!(site.days().contains("at = 07:05:00"), "{}", site.days());

    // What the week has on that day can be repeated.
    let repeat = [("play", "repeat:sang/chuyen-muc"), ("start", "follow")];
    save(&tab, &format!("{own}/muc-moi"), &[&repeat[..], &[("after", "nhac")]].concat()).await;
    let up = tab.get(&format!("{own}/muc/repeat-sang-chuyen-muc/len")).await;
    assert_eq!(up.status, StatusCode::OK, "{}", up.text());
    save(&tab, &format!("{own}/muc/repeat-sang-chuyen-muc/len"), &[]).await;
    let at = |id: &str| site.days().find(&format!("id = \"{id}\"")).unwrap_or_else(|| panic!("no {id}"));
    assert!(at("repeat-sang-chuyen-muc") < at("nhac"));
    save(&tab, &format!("{own}/muc/nhac/bo"), &[]).await;
    assert!(!site.days().contains("nhac.wav"));

    // The record calls all by their names, also what is gone; what is undone is the day as it was.
    site.replan();
    let acts = site.state.store.acts(Timestamp::MIN, Timestamp::MAX, 10).unwrap();
    let called = |what: &str| acts.iter().find(|act| act.what == what).unwrap().title.clone().unwrap();
    assert_eq!(called("schedule.slot-remove"), "Chúc Tết (thứ Hai 30/11/2026): Nhạc");
    assert_eq!(called("schedule.session-add"), "Chúc Tết (thứ Hai 30/11/2026)");
    let week = tab.get("/lich-phat?tuan=2026-W49").await.text();
    assert!(week.contains(&format!("href=\"{own}\"")) && week.contains(&format!("{own}/muc/")), "{week}");
    assert!(week.contains("href=\"/lich-phat/buoi/sang\""), "the week's own is the week's: {week}");
    let history = tab.get("/lich-phat/lich-su").await.text();
    for said in [
        "<strong>thêm buổi phát</strong>: Chúc Tết (thứ Hai 30/11/2026)",
        "<strong>thêm mục vào buổi</strong>: Chúc Tết (thứ Hai 30/11/2026): Nhạc",
    ] {
        assert!(history.contains(said), "{said} in {history}");
    }
    let gone = save(&tab, &format!("{own}/bo"), &[]).await.0.text();
    assert!(gone.contains("Bỏ “Chúc Tết (thứ Hai 30/11/2026)”") && gone.contains("bỏ cả buổi"), "{gone}");
    assert!(!site.days().contains("chuc-tet") && site.days().contains("Hội làng"));
    save(&tab, "/lich-phat/lich-su/2", &[]).await;
    assert_eq!(site.days(), "", "as before it was special");
    assert_eq!(site.text(), WEEK, "the week was never touched");
}

#[tokio::test]
async fn what_does_not_do_on_a_special_day_is_said_and_not_written() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let new = format!("{DAY}/buoi-moi");
    let refused = async |path: &str, fields: &[(&str, &str)], said: &str| {
        let answer = tab.post(path, fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
        assert!(answer.text().contains(said), "{said} in {}", answer.text());
    };
    refused(&new, &OWN[1..], "Hãy ghi vì sao là ngày đặc biệt").await;
    refused(&new, &OWN[..4], "Hãy chọn phát gì").await;
    let with = |name: &'static str, value: &'static str| -> Vec<_> {
        OWN.iter().map(|field| if field.0 == name { (name, value) } else { *field }).collect()
    };
    refused(&new, &with("from", "05:00"), "giờ yên lặng").await;
    refused(&new, &with("to", "06:59"), "phải sau giờ bắt đầu").await;
    refused(&new, &with("from", "05:45"), "trùng giờ với “Buổi sáng” (T2, 05:30 – 06:00)").await;
    assert_eq!(site.days(), "");

    // Titles that the week or the day has already make other ids: nothing takes the place of anything.
    let sang = with("title", "Sáng");
    save(&tab, &new, &sang).await;
    let again: Vec<_> = sang
        .iter()
        .map(|field| match field.0 {
            "from" => ("from", "08:00"),
            "to" => ("to", "08:10"),
            _ => *field,
        })
        .collect();
    save(&tab, &new, &again).await;
    let text = site.days();
    assert!(text.contains("id = \"sang-2\"") && text.contains("id = \"sang-3\""), "{text}");

    let own = format!("{DAY}/buoi/sang-2");
    let outside =
        [("play", "file:a.wav"), ("start", "hard"), ("at", "07:30"), ("after", "programme-cam-tay-chi-viec")];
    refused(
        &format!("{own}/muc-moi"),
        &outside,
        "Giờ 07:30 nằm ngoài buổi phát. Sửa thành giờ từ 07:00 đến trước 07:10",
    )
    .await;
    refused(
        &own,
        &[("title", "Sáng"), ("from", "08:05"), ("to", "08:20")],
        "trùng giờ với “Sáng” (thứ Hai 30/11/2026, 08:00 – 08:10)",
    )
    .await;
    let only = format!("{own}/muc/programme-cam-tay-chi-viec/bo");
    let last = tab.get(&only).await;
    assert_eq!(last.status, StatusCode::UNPROCESSABLE_ENTITY, "a session without slots: {}", last.text());
    assert!(last.text().contains("Buổi phát phải có ít nhất một mục"), "{}", last.text());
    assert_eq!(site.days(), text);

    // Somebody else was faster.
    let to = [("title", "Sáng sớm"), ("from", "07:00"), ("to", "07:20")];
    let shown = tab.post(&own, &to).await;
    let old = seen(&shown);
    let by_hand = format!("# Xem lại.\n{text}");
    site.days_by_hand(&by_hand);
    let shown = tab.post(&own, &saving(&to, &old)).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.text().contains("vừa được sửa ở nơi khác"), "{}", shown.text());
    assert_eq!(site.days(), by_hand);
    let now = seen(&shown);
    assert_eq!(tab.post(&own, &saving(&to, &now)).await.status, StatusCode::SEE_OTHER);
    assert!(site.days().starts_with("# Xem lại.") && site.days().contains("07:20:00"), "{}", site.days());
    site.days_by_hand("");
    assert_eq!(tab.post(&own, &to).await.status, StatusCode::NOT_FOUND, "the day is gone");

    for gone in [
        "/lich-phat/ngay/2026-11-30/buoi/sang",
        "/lich-phat/ngay/x/buoi-moi",
        "/lich-phat/ngay/2026-02-30/buoi/sang-2",
        "/lich-phat/ngay/2026-12-01/buoi/sang-2/muc-moi",
    ] {
        assert_eq!(tab.get(gone).await.status, StatusCode::NOT_FOUND, "{gone}");
    }
    for who in ["uploader", "approver", "auditor"] {
        let other = Tab::of(&site, who);
        for answer in [other.get(&new).await, other.post(&new, &OWN).await, other.post(&own, &to).await] {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{who}");
        }
    }
}

#[tokio::test]
async fn a_yearly_days_own_slots_may_be_for_some_days_of_the_week() {
    let site = site();
    let tab = Tab::of(&site, "operator");
    let day = "/lich-phat/ngay/--03-01";
    let (shown, saved) = save(&tab, &format!("{day}/buoi-moi"), &OWN).await;
    assert!(shown.text().contains("và thứ Hai 01/03/2027") && shown.text().contains("buổi mới"));
    assert!(saved.header(header::LOCATION).starts_with("/lich-phat?tuan=2027-W09"), "the next of its kind");
    assert!(site.days().contains("every_year = \"1/3\""), "{}", site.days());
    let slot = format!("{day}/buoi/chuc-tet/muc-moi");
    // The week's own is there on Mondays only: whoever repeats it says so.
    let repeat =
        [("play", "repeat:sang/chuyen-muc"), ("start", "follow"), ("after", "programme-cam-tay-chi-viec")];
    let all = ["1", "2", "3", "4", "5", "6", "7"].map(|day| ("day", day));
    let refused = tab.post(&slot, &[&repeat[..], &all].concat()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("Bỏ chọn những ngày đó") && refused.text().contains("name=\"day\""));
    save(&tab, &slot, &[&repeat[..], &all[..1]].concat()).await;
    assert!(site.days().contains("days = [\"T2\"]"), "{}", site.days());
}

#[tokio::test]
async fn any_week_is_shown_and_a_past_one_with_what_the_log_says() {
    let site = site();
    let tab = Tab::of(&site, "uploader");
    for odd in ["2026-W53", "2030-W01", "1999-W01", "x", "2026-W99", "9000-W01", "%3Cb%3E"] {
        assert_eq!(tab.get(&format!("/lich-phat?tuan={odd}")).await.status, StatusCode::OK, "{odd}");
    }
    let plan = Arc::clone(&site.plan.borrow());
    let (from, to) = ("2026-11-15T17:00:00Z".parse().unwrap(), "2026-11-22T17:00:00Z".parse().unwrap());
    let window = Window { from, to };
    let past = compile(&plan.schedule, &plan.catalog, &History::default(), &"loa-xa".into(), window);
    let cue = Arc::clone(past.cues().next().unwrap());
    let fact = NotAired {
        output: "loa-xa".into(),
        cause: Cause::NotRunning,
        clock: ClockHealth::Synchronised,
        at: cue.at,
        cue,
    };
    site.state.store.record(&Fact::NotAired(fact)).unwrap();
    let page = tab.get("/lich-phat?tuan=2026-W47").await.text();
    assert!(page.contains("không phát") && page.contains("05:30:00"), "{page}");
    // What is in the schedule now was not necessarily then: only what is on record is there.
    assert_eq!(page.matches("Không có buổi phát.").count(), 6, "{page}");
    let sheet = tab.get("/lich-phat/in?tuan=2026-W47").await.text();
    assert!(sheet.contains("LỊCH PHÁT THANH TUẦN 47") && sheet.contains("Buổi sáng"), "{sheet}");
}
