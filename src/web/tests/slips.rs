//! What a hand does that its head did not mean, and what the pages make of it.

use super::air_pages::{Tab, hidden};
use super::*;

/// A recording that waits for approval; its id.
async fn waiting(site: &Site, pitch: f32) -> String {
    let id = site.recording(pitch).await["id"].as_str().unwrap().to_owned();
    site.call("uploader", "POST", &format!("/api/v1/segments/{id}/submit"), json!({})).await;
    id
}

impl Site {
    /// Puts special days into force.
    fn in_force_days(&self, text: &str) {
        let path = self.dir.path().join("schedule/days.toml");
        io::Write::write_all(&mut std::fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
        let schedule = self.state.desk.sheet(self.clock.now()).unwrap().schedule;
        let plan = Plan::clone(&self.plan.borrow());
        self.plan.send_replace(Arc::new(Plan { schedule: Arc::new(schedule), ..plan }));
    }
}

/// Where each of some texts stands in a page, one after the other.
#[track_caller]
fn in_this_order(page: &str, texts: &[&str]) {
    let mut from = 0;
    for text in texts {
        let rest = page.get(from..).unwrap();
        from +=
            rest.find(text).unwrap_or_else(|| panic!("no {text} after the others in {page}")) + text.len();
    }
}

#[tokio::test]
async fn the_second_half_of_a_double_click_approves_nothing() {
    let site = Site::new();
    let (first, _second) = (waiting(&site, 440.0).await, waiting(&site, 550.0).await);
    let tab = Tab::of(&site, "approver");
    let queue = tab.get("/duyet").await.text();
    assert!(queue.contains("<ol class=\"queue\">"), "who comes by the menu has pressed nothing yet: {queue}");
    let hash = site.get("approver", &format!("/api/v1/segments/{first}")).await.json()["hash"].clone();
    let fields = [("hash", hash.as_str().unwrap()), ("ve", "/duyet")];
    let approved = tab.post(&format!("/ban-ghi/{first}/duyet"), &fields).await;
    let next = tab.get(approved.header(header::LOCATION)).await.text();
    assert!(next.contains("Đã duyệt") && next.contains("<ol class=\"queue second-press\">"), "{next}");
}

#[tokio::test]
async fn the_enter_key_in_a_drafts_form_keeps_its_words_and_asks_for_nothing() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let page = Tab::of(&site, "uploader").get(&format!("/ban-ghi/{id}")).await.text();
    // A browser presses the first button of a form.
    let form = page.split_once("name=\"title\"").unwrap().1;
    in_this_order(form, &["<button>Lưu thông tin</button>", "name=\"then\" value=\"submit\""]);
}

#[tokio::test]
async fn what_is_done_with_a_recording_is_said_with_its_title_to_who_hears_the_page() {
    let site = Site::new();
    waiting(&site, 440.0).await;
    let queue = Tab::of(&site, "approver").get("/duyet").await.text();
    for label in ["Duyệt cho phát “bài”", "Trả lại “bài”", "Trả lại cho người nộp: “bài”", "Thu hồi “bài”"]
    {
        assert!(queue.contains(&format!("aria-label=\"{label}\"")), "no {label} in {queue}");
    }
}

#[tokio::test]
async fn a_field_is_called_by_its_label_where_it_is_said_to_be_wrong() {
    let site = Site::new();
    let id = waiting(&site, 440.0).await;
    let page =
        Tab::of(&site, "approver").post(&format!("/ban-ghi/{id}/tra-lai"), &[("reason", "")]).await.text();
    assert!(page.contains("“Cần sửa gì?”: ") && !page.contains("“Lý do”"), "{page}");
}

#[tokio::test]
async fn a_special_day_that_is_over_is_asked_about_before_it_is_saved() {
    let site = Site::new();
    let tab = Tab::of(&site, "operator");
    let [over, ahead] = ["2026-02-06", "2027-02-06"].map(|date| format!("/lich-phat/ngay/{date}"));
    let asked = "Ngày này đã qua (06/02/2026), nên không còn gì để phát. Có phải bạn muốn ghi năm 2027?";
    let way = format!("href=\"{ahead}\"");
    let day = [("title", "Tết"), ("no_music", "yes")];
    let chosen = tab.get("/lich-phat/ngay?ngay=2026-02-06").await;
    assert_eq!(chosen.header(header::LOCATION), over);
    let form = tab.get(&over).await.text();
    assert!(form.contains(asked) && form.contains(&way), "{form}");
    let preview = tab.post(&over, &day).await.text();
    assert!(preview.contains(asked), "{preview}");
    let own = tab.get(&format!("{over}/buoi-moi")).await.text();
    assert!(own.contains(asked), "{own}");
    for page in
        [tab.get(&ahead).await, tab.post(&ahead, &day).await, tab.get("/lich-phat/ngay/2026-11-23").await]
    {
        assert!(!page.text().contains("đã qua ("), "{}", page.text());
    }
}

#[tokio::test]
async fn a_day_of_its_own_says_that_it_takes_the_place_of_the_yearly_one() {
    let site = Site::with(Limits { in_force: Duration::ZERO, ..Limits::default() }, Bounds::default());
    let tab = Tab::of(&site, "operator");
    let day = [("title", "Ngày hội"), ("no_music", "yes")];
    let save = async |path: &str| {
        let shown = tab.post(path, &day).await.text();
        let saving = [&day[..], &[("seen", hidden(&shown, "seen")), ("step", "save")]].concat();
        assert_eq!(tab.post(path, &saving).await.status, StatusCode::SEE_OTHER);
        shown
    };
    save("/lich-phat/ngay/--12-10").await;
    let said =
        "Ngày này đang theo lịch “Ngày hội” (10/12 hằng năm). Lịch riêng cho ngày này sẽ thay hẳn lịch ấy.";
    let path = "/lich-phat/ngay/2026-12-10";
    let form = tab.get(path).await.text();
    assert!(form.contains(said), "{form}");
    let preview = save(path).await;
    assert!(preview.contains(said), "{preview}");
    let again = tab.get(path).await.text();
    assert!(!again.contains("Ngày này đang theo lịch"), "it has its own by now: {again}");
    let elsewhere = tab.get("/lich-phat/ngay/2026-12-11").await.text();
    assert!(!elsewhere.contains("Ngày này đang theo lịch"), "{elsewhere}");
}

#[tokio::test]
async fn the_special_days_to_come_stand_in_the_order_in_which_they_come() {
    let site = Site::new();
    let days = ["\"25/12\"", "2027-02-06", "\"10/10\"", "\"30/11\"", "2026-11-23"];
    let text: String = days
        .map(|date| {
            let key = if date.starts_with('"') { "every_year" } else { "date" };
            format!("[[day]]\n{key} = {date}\ntitle = \"Ngày {}\"\nno_music = true\n", date.trim_matches('"'))
        })
        .concat();
    site.in_force_days(&text);
    let page = Tab::of(&site, "operator").get("/lich-phat/ngay").await.text();
    let titles = ["2026-11-23", "30/11", "25/12", "2027-02-06", "10/10"].map(|of| format!(" – Ngày {of}"));
    in_this_order(&page, &titles.each_ref().map(String::as_str));
}

/// What a day took out of the week, and its own repeat of something in the week.
fn mourning(date: &str) -> String {
    format!(
        "[[day]]\ndate = {date}\ntitle = \"Quốc tang\"\ndrop = [\"chieu\"]\n\
         replace = [{{ slot = [\"sang/chuyen-muc\"], play = {{ file = \"a.ogg\" }} }}]\n\
         [[day.session]]\nid = \"toi\"\ntitle = \"Tối\"\nfrom = 18:00:00\nto = 18:30:00\n\
         [[day.session.slot]]\nplay = {{ repeat = \"sang/chuyen-muc\" }}\n"
    )
}

#[tokio::test]
async fn a_special_day_that_is_over_keeps_nobody_from_changing_the_week() {
    let afternoon = "[[session]]\nid = \"chieu\"\ntitle = \"Buổi chiều\"\ndays = [\"T2\", \"T3\"]\nfrom = 17:00:00\n\
                     to = 17:30:00\n[[session.slot]]\nplay = { programme = \"cam-tay-chi-viec\" }\n";
    // Both Mondays; the clock shows the 23rd of November.
    for (date, expected) in [("2026-11-16", StatusCode::OK), ("2026-11-30", StatusCode::UNPROCESSABLE_ENTITY)]
    {
        let site = Site::with(Limits { in_force: Duration::ZERO, ..Limits::default() }, Bounds::default());
        let week = site.dir.path().join("schedule/week.toml");
        let text = [WEEK, afternoon].concat();
        io::Write::write_all(&mut std::fs::File::create(week).unwrap(), text.as_bytes()).unwrap();
        site.in_force_days(&mourning(date));
        let tab = Tab::of(&site, "operator");
        let hours = [("title", "Buổi chiều"), ("from", "17:00"), ("to", "17:30")];
        let tuesdays = [&hours[..], &[("day", "2")]].concat();
        let over = [("title", "Buổi chiều"), ("from", "18:10"), ("to", "18:40"), ("day", "1")];
        for (path, fields) in [
            ("/lich-phat/buoi/chieu", &tuesdays[..]),
            ("/lich-phat/buoi/sang/bo", &[]),
            ("/lich-phat/buoi/chieu/bo", &[]),
        ] {
            let shown = tab.post(path, fields).await;
            assert_eq!(shown.status, expected, "{date}, {path}: {}", shown.text());
        }
        // On that Monday it is dropped, and meets nothing.
        assert_eq!(tab.post("/lich-phat/buoi/chieu", &over).await.status, StatusCode::OK, "{date}");
        if expected == StatusCode::OK {
            let shown = tab.post("/lich-phat/buoi/sang/bo", &[]).await.text();
            let save = [("seen", hidden(&shown, "seen")), ("step", "save")];
            let saved = tab.post("/lich-phat/buoi/sang/bo", &save).await;
            assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
            // The day is there still, with what it was, and can be taken out.
            assert_eq!(tab.get(&format!("/lich-phat/ngay/{date}")).await.status, StatusCode::OK);
            assert_eq!(tab.post(&format!("/lich-phat/ngay/{date}/bo"), &[]).await.status, StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn the_way_to_change_a_session_stands_above_what_it_plays() {
    let site = Site::new();
    let page = Tab::of(&site, "operator").get("/lich-phat?tuan=2026-W49").await.text();
    let (_, opened) = page.split_once("<details class=\"session").unwrap();
    in_this_order(opened, &["</summary>", "Sửa buổi này", "<table class=\"rundown\">"]);
}

#[tokio::test]
async fn the_list_of_recordings_says_how_many_were_found_and_leads_back_to_newer_ones() {
    let site = Site::new();
    for number in 0..45_u8 {
        site.clock.step_to(site.clock.now() + SignedDuration::from_secs(1));
        let bytes = wav(300.0 + 10.0 * f32::from(number), 0.6);
        let name = format!("{} {number:02}.wav", if number < 44 { "bài" } else { "nhạc" });
        site.hand_in("uploader", &[Part::file(&name, &bytes)]).await;
    }
    let tab = Tab::of(&site, "auditor");
    // To where a link of these words leads.
    let way = |page: &str, words: &str| {
        let (before, _) = page.split_once(&format!("\">{words}</a>"))?;
        Some(before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&"))
    };
    let (older, newer) = ("Xem bản ghi cũ hơn", "Xem bản ghi mới hơn");
    let first = tab.get("/ban-ghi?tim=bai").await.text();
    assert!(
        first.contains("44 bản ghi") && first.contains(">bài 43<") && way(&first, newer).is_none(),
        "{first}"
    );
    let second = tab.get(&way(&first, older).unwrap()).await.text();
    assert!(second.contains("44 bản ghi") && second.contains(">bài 23<"), "{second}");
    let third = tab.get(&way(&second, older).unwrap()).await.text();
    assert!(
        third.contains(">bài 00<") && !third.contains(">bài 04<") && way(&third, older).is_none(),
        "{third}"
    );
    let back = tab.get(&way(&third, newer).unwrap()).await.text();
    assert!(back.contains(">bài 23<") && back.contains(">bài 04<"), "{back}");
    assert_eq!(way(&back, newer).unwrap(), "/ban-ghi?tim=bai");
    let none = tab.get("/ban-ghi?tim=khong-co").await.text();
    assert!(!none.contains("0 bản ghi"), "{none}");
    assert!(tab.get("/ban-ghi").await.text().contains("45 bản ghi"));
}

#[tokio::test]
async fn the_second_of_a_session_changes_places_with_the_first_that_starts_hard() {
    let slots = "start = \"hard\"\nplay = { file = \"a.ogg\" }\n[[session.slot]]\nid = \"hai\"\nplay";
    for (text, gone) in [
        (WEEK.replace("play", slots), "start"),
        (WEEK.replace("play", &slots.replace("\"hard\"", "\"hard\"\nat = 05:30:00")), "at ="),
    ] {
        let site = Site::with(Limits { in_force: Duration::ZERO, ..Limits::default() }, Bounds::default());
        let path = site.dir.path().join("schedule/week.toml");
        io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), text.as_bytes()).unwrap();
        let tab = Tab::of(&site, "operator");
        for step in ["hai/len", "chuyen-muc/len", "chuyen-muc/xuong"] {
            let step = format!("/lich-phat/buoi/sang/muc/{step}");
            let shown = tab.get(&step).await;
            assert_eq!(shown.status, StatusCode::OK, "{step}: {}", shown.text());
            let save = [("seen", hidden(&shown.text(), "seen").to_owned()), ("step", "save".to_owned())];
            let saved = tab.post(&step, &save.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
            assert_eq!(saved.status, StatusCode::SEE_OTHER, "{step}: {}", saved.text());
        }
        let text = std::fs::read_to_string(&path).unwrap();
        in_this_order(&text, &["id = \"hai\"", "id = \"chuyen-muc\""]);
        assert!(!text.contains(gone), "who is second follows: {text}");
    }
}

#[tokio::test]
async fn a_new_session_of_music_goes_on_to_its_end_unless_one_piece_is_wanted() {
    let site = Site::with(Limits { in_force: Duration::ZERO, ..Limits::default() }, Bounds::default());
    let path = site.dir.path().join("schedule/week.toml");
    let pool = format!("[[pool]]\nid = \"nhac\"\ntitle = \"Nhạc\"\n{WEEK}");
    io::Write::write_all(&mut std::fs::File::create(path).unwrap(), pool.as_bytes()).unwrap();
    let tab = Tab::of(&site, "operator");
    for (date, box_of, fills) in [("2026-12-03", Some(("fill", "yes")), true), ("2026-12-04", None, false)] {
        let page = format!("/lich-phat/ngay/{date}/buoi-moi");
        let form = tab.get(&page).await.text();
        assert!(form.contains("name=\"fill\" value=\"yes\" checked"), "{form}");
        let fields = [
            ("day_title", "Hội"),
            ("title", "Nhạc hội"),
            ("from", "07:00"),
            ("to", "07:30"),
            ("play", "pool:nhac"),
        ];
        let fields = fields.into_iter().chain(box_of).collect::<Vec<_>>();
        let shown = tab.post(&page, &fields).await.text();
        let save = [&fields[..], &[("seen", hidden(&shown, "seen")), ("step", "save")]].concat();
        assert_eq!(tab.post(&page, &save).await.status, StatusCode::SEE_OTHER);
        let days = std::fs::read_to_string(site.dir.path().join("schedule/days.toml")).unwrap();
        let (_, day) = days.split_once(date).unwrap();
        assert_eq!(day.contains("start = \"fill\""), fills, "{day}");
    }
}

#[tokio::test]
async fn what_a_newer_recording_has_pushed_out_of_the_schedule_says_so_on_its_page() {
    let site = Site::new();
    let approved = async |pitch: f32, title: &str, until: &str| {
        let id = site.approved(pitch).await["id"].as_str().unwrap().to_owned();
        let words = json!({"title": title, "programme": "cam-tay-chi-viec", "valid_until": until});
        let kept = site.call("approver", "PATCH", &format!("/api/v1/segments/{id}"), words).await;
        assert_eq!(kept.status, StatusCode::OK, "{}", kept.text());
        site.plan.send_replace(Arc::new(plan(&site.state.store, site.clock.now())));
        site.clock.advance(Duration::from_secs(1));
        id
    };
    let tab = Tab::of(&site, "uploader");
    let said = async |id: &str| {
        let page = tab.get(&format!("/ban-ghi/{id}")).await.text();
        (page.contains("lên loa lần tới"), page.contains("không có chỗ trong 7 ngày tới: “Bài mới” mới hơn"))
    };
    let (old, over) =
        (approved(440.0, "Bài cũ", "2026-12-31").await, approved(550.0, "Đã hết hạn", "2026-11-24").await);
    assert_eq!(said(&old).await, (true, false));
    let new = approved(660.0, "Bài mới", "2026-12-31").await;
    // What has no day left would not air without the newer one either.
    for (id, expected) in [(&old, (false, true)), (&new, (true, false)), (&over, (false, false))] {
        assert_eq!(said(id).await, expected, "{id}");
    }
}

#[tokio::test]
async fn a_week_is_kept_only_for_a_programme_that_has_weeks() {
    let site = Site::new();
    let weekly = WEEK.replace("topic = \"II.2\"", "topic = \"II.2\"\nweekly = true")
        + "[[programme]]\nid = \"thong-bao\"\ntitle = \"Thông báo\"\n";
    site.plan.send_replace(Arc::new(plan_of(STATION, &weekly, &site.state.store, site.clock.now())));
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let tab = Tab::of(&site, "uploader");
    for (programme, week) in [
        ("cam-tay-chi-viec", "2026-11-23"),
        ("thong-bao", ""),
        ("cam-tay-chi-viec", "2026-11-23"),
        ("", "2026-11-23"),
    ] {
        // The field stays in the form where the page hides it.
        let form = [("title", "Bài"), ("programme", programme), ("week", "2026-11-23")];
        assert_eq!(tab.post(&format!("/ban-ghi/{id}"), &form).await.status, StatusCode::SEE_OTHER);
        let kept = site.state.store.segment(&id.as_str().into()).unwrap().unwrap().words.week;
        assert_eq!(kept.map(|week| week.to_string()).unwrap_or_default(), week, "{programme}");
    }
    let bytes = wav(550.0, 1.0);
    let parts = [
        Part::word("key", &tab.key),
        Part::word("programme", "thong-bao"),
        Part::word("week", "2026-11-23"),
        Part::file("hai.wav", &bytes),
    ];
    let request = Request::post("/ban-ghi/gui")
        .header(header::COOKIE, &tab.cookie)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=xxx");
    assert_eq!(
        site.send(request.body(Body::from(form(&parts))).unwrap()).await.status,
        StatusCode::SEE_OTHER
    );
    let catalog = site.state.store.catalog().unwrap();
    let sent = catalog.iter().find(|segment| segment.words.title == "hai").unwrap();
    assert_eq!(sent.words.week, None);
}

#[tokio::test]
async fn of_several_that_wait_for_one_place_each_is_said_when_it_would_air_alone() {
    let site = Site::new();
    let mut ids = Vec::new();
    for pitch in [440.0, 550.0, 660.0] {
        let bytes = wav(pitch, 1.0);
        let parts = [Part::file("bài.wav", &bytes), Part::word("programme", "cam-tay-chi-viec")];
        let id = site.hand_in("uploader", &parts).await.json()["id"].as_str().unwrap().to_owned();
        site.call("uploader", "POST", &format!("/api/v1/segments/{id}/submit"), json!({})).await;
        site.clock.advance(Duration::from_secs(60));
        ids.push(id);
    }
    let placeless = waiting(&site, 770.0).await;
    site.plan.send_replace(Arc::new(plan(&site.state.store, site.clock.now())));
    let tab = Tab::of(&site, "approver");
    let (with_all, alone) =
        ("nếu được duyệt sẽ phát vào thứ Hai 30/11", "nếu chỉ duyệt bản ghi này: sẽ phát vào thứ Hai 30/11");
    let queue = tab.get("/duyet").await.text();
    assert_eq!((queue.matches(with_all).count(), queue.matches(alone).count()), (1, 2), "{queue}");
    assert_eq!(queue.matches("chưa có trong lịch").count(), 1, "what belongs nowhere: {queue}");
    let mut said = Vec::new();
    for id in ids.iter().chain([&placeless]) {
        let page = tab.get(&format!("/ban-ghi/{id}")).await.text();
        said.push([with_all, alone, "chưa có trong lịch"].map(|words| page.contains(words)));
    }
    said.sort_unstable();
    assert_eq!(
        said,
        [[false, false, true], [false, true, false], [false, true, false], [true, false, false]]
    );
}

#[tokio::test]
async fn what_others_that_wait_put_off_is_said_to_air_when_it_would_alone() {
    let site = Site::new();
    for (pitch, until) in [(440.0, "2026-12-31"), (550.0, "2026-11-24")] {
        let bytes = wav(pitch, 1.0);
        let programme = Part::word("programme", "cam-tay-chi-viec");
        let parts = [Part::file("bài.wav", &bytes), programme, Part::word("valid_until", until)];
        let id = site.hand_in("uploader", &parts).await.json()["id"].as_str().unwrap().to_owned();
        site.call("uploader", "POST", &format!("/api/v1/segments/{id}/submit"), json!({})).await;
        site.clock.advance(Duration::from_secs(60));
    }
    let daily = WEEK.replace("[\"T2\"]", "[\"T3\", \"T4\"]");
    site.plan.send_replace(Arc::new(plan_of(STATION, &daily, &site.state.store, site.clock.now())));
    let queue = Tab::of(&site, "approver").get("/duyet").await.text();
    // With both, the newer one has Tuesday and the older one Wednesday.
    for said in
        ["nếu được duyệt sẽ phát vào thứ Ba 24/11", "nếu chỉ duyệt bản ghi này: sẽ phát vào thứ Ba 24/11"]
    {
        assert_eq!(queue.matches(said).count(), 1, "{said}: {queue}");
    }
}

/// Every field of a page that is not taken has beside it, and tied to it, why.
#[track_caller]
fn each_fault_is_tied_to_its_field(page: &str, faults: usize) {
    let tags: Vec<_> = page.split('<').filter(|tag| tag.contains("aria-invalid=\"true\"")).collect();
    assert_eq!(tags.len(), faults, "{page}");
    for tag in tags {
        let described = tag.split_once("aria-describedby=\"").unwrap_or_else(|| panic!("{tag}")).1;
        for id in described.split('"').next().unwrap().split(' ') {
            assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id} of {tag} in {page}");
        }
        assert!(described.contains("wrong-"), "{tag}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_tied_to_it_for_who_does_not_see_it() {
    let site = Site::new();
    let draft = format!("/ban-ghi/{}", site.recording(440.0).await["id"].as_str().unwrap());
    let asked = format!("/ban-ghi/{}", waiting(&site, 550.0).await);
    let words = [
        ("title", ""),
        ("programme", "khac"),
        ("week", "x"),
        ("topic", "X.9"),
        ("genre", "x"),
        ("valid_until", "x"),
        ("script", "a\u{0}"),
    ];
    for (who, path, fields, faults) in [
        ("uploader", draft, &words[..], 7),
        ("approver", format!("{asked}/tra-lai"), &[("reason", "")], 1),
        ("approver", format!("{asked}/thu-hoi"), &[("reason", "")], 1),
        ("admin", "/nguoi-dung".to_owned(), &[("name", "a b"), ("role", "uploader")], 1),
        (
            "operator",
            "/lich-phat/buoi/sang".to_owned(),
            &[("title", ""), ("from", "x"), ("to", "06:00"), ("day", "1")],
            2,
        ),
    ] {
        let answer = Tab::of(&site, who).post(&path, fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", answer.text());
        each_fault_is_tied_to_its_field(&answer.text(), faults);
    }
}

#[tokio::test]
async fn from_which_airing_on_the_minutes_count_is_said_at_their_field() {
    let site = Site::new();
    let id = site.approved(440.0).await["id"].as_str().unwrap().to_owned();
    let ask = format!("/phat-ngay/xac-nhan?segment={id}&rank=emergency&repeat=until&minutes=1&most=2");
    let page = Tab::of(&site, "operator").get(&ask).await.text();
    assert!(
        page.contains("name=\"minutes\"") && page.contains("aria-describedby=\"minutes-rule\""),
        "{page}"
    );
    let rule = page.split_once("id=\"minutes-rule\">").unwrap().1.split('<').next().unwrap();
    assert!(rule.contains("chỉ tính từ lần thứ tư"), "{rule}");
}

#[tokio::test]
async fn who_is_overtaken_is_told_of_what_they_did_and_of_nothing_else() {
    let site = Site::new();
    let id = waiting(&site, 440.0).await;
    let path = format!("/api/v1/segments/{id}");
    let tab = Tab::of(&site, "approver");
    let hash = site.get("approver", &path).await.json()["hash"].as_str().unwrap().to_owned();
    let shown = tab.get("/duyet").await.text();
    site.call("uploader", "PATCH", &path, json!({"script": "khác"})).await;
    let seen = hidden(&shown, "seen");
    for seen in [seen, "none"] {
        let page = tab.post(&format!("/ban-ghi/{id}/duyet"), &[("hash", &hash), ("seen", seen)]).await.text();
        assert!(page.contains("chưa được duyệt") && !page.contains("bạn sửa"), "{page}");
    }
    let change = json!({"seen": seen, "title": "Mới"});
    let told = site.call("uploader", "PATCH", &path, change).await.json()["detail"].to_string();
    assert!(told.contains("Những gì bạn sửa chưa được lưu") && !told.contains("duyệt"), "{told}");
}

#[tokio::test]
async fn what_takes_a_recording_off_for_good_comes_after_what_changes_its_slot() {
    let site = Site::new();
    let bytes = wav(440.0, 1.0);
    let parts = [Part::file("bài.wav", &bytes), Part::word("programme", "cam-tay-chi-viec")];
    let recording = site.hand_in("uploader", &parts).await.json();
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    site.call("approver", "POST", &format!("{path}/approve"), json!({"hash": recording["hash"]})).await;
    site.plan.send_replace(Arc::new(plan(&site.state.store, site.clock.now())));
    let page = Tab::of(&site, "operator").get("/lich-phat?tuan=2026-W49").await.text();
    in_this_order(&page, &["class=\"edit\"", "class=\"withdraw\""]);
}
