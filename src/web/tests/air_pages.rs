//! The page from which a person takes the air.

use super::air::{in_force, ordered};
use super::*;
use crate::sequencer::Repeats;
use crate::web::person::key_of;

/// Somebody's browser: its cookie, and the key of its pages' forms.
pub(super) struct Tab<'a> {
    site: &'a Site,
    pub(super) cookie: String,
    pub(super) key: String,
}

impl<'a> Tab<'a> {
    pub(super) fn of(site: &'a Site, who: &str) -> Self {
        let secret = site.state.store.sign_in(who, site.clock.now()).unwrap().to_string();
        Self { site, key: key_of(&secret), cookie: format!("loa={secret}") }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::COOKIE, &self.cookie);
        self.site.send(request.body(Body::empty()).unwrap()).await
    }

    /// Sends a form of ours.
    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_as(&self.key, path, fields).await
    }

    pub(super) async fn post_as(&self, key: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("key", key).extend_pairs(fields);
        let request = Request::post(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.site.send(request.body(Body::from(form.finish())).unwrap()).await
    }
}

/// What a hidden field of a page holds.
pub(super) fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    page.split_once(&start).unwrap_or_else(|| panic!("no {name} in {page}")).1.split('"').next().unwrap()
}

#[tokio::test]
async fn a_confirmation_says_what_it_does_and_orders_once_however_often_it_is_pressed() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let id = recording["id"].as_str().unwrap();
    let tab = Tab::of(&site, "operator");
    let list = tab.get("/phat-ngay").await.text();
    let confirm = format!("/phat-ngay/xac-nhan?segment={id}&amp;rank=emergency&amp;repeat=until");
    assert!(list.contains(&confirm), "{list}");
    // Laid out on its own: the list of all recordings has columns, which leave a title two words a line on a phone.
    assert!(list.contains("<ul class=\"pieces\">") && !list.contains("class=\"recordings\""), "{list}");
    let page = tab.get(&confirm.replace("&amp;", "&")).await.text();
    for words in ["Loa đang im lặng", "Không mục nào trong lịch bị ảnh hưởng", "PHÁT KHẨN CẤP NGAY"]
    {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(page.contains("Võ Kiện") && !page.contains("(loa-xa)"), "by who hears it, and no code: {page}");
    let command = site.commands.try_recv();
    assert!(matches!(&command, Ok(Command::Poise(segment)) if segment.id.as_str() == id), "{command:?}");
    assert!(site.commands.try_recv().is_err(), "looking orders nothing");
    let fields = [("id", hidden(&page, "id")), ("segment", id), ("rank", "emergency"), ("repeat", "until")];
    for _ in 0..2 {
        let answer = tab.post("/phat-ngay", &fields).await;
        assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/phat-ngay"));
    }
    let (first, second) = (ordered(&site), ordered(&site));
    assert_eq!(first.id, second.id, "the sequencer takes two orders of one id for one");
    let minutes = SignedDuration::from_mins;
    let repeats = Repeats { at_most: None, soon: minutes(5), close: 2, then: minutes(30) };
    assert_eq!((first.layer, first.by.as_str(), first.repeats), (Layer::Emergency, "operator", repeats));
    let acts: Vec<_> = site.acts().into_iter().filter(|(by, ..)| by == "operator").collect();
    let all: Vec<_> = acts.iter().map(|act| act.1.as_str()).collect();
    assert_eq!(all, ["interrupt.emergency"], "pressed twice, it was ordered once");

    // Said on every page, with who and what, and a way to end it for those who may.
    site.status.as_ref().unwrap().send_modify(|status| status.interrupts.push(in_force(&first)));
    let home = tab.get("/").await.text();
    assert!(home.contains("ĐANG PHÁT KHẨN CẤP") && home.contains("operator ra lệnh lúc 08:00:00"), "{home}");
    assert!(home.contains("Xem và trả lại sóng"));
    let other = Tab::of(&site, "uploader").get("/").await.text();
    assert!(other.contains("ĐANG PHÁT KHẨN CẤP") && !other.contains("Xem và trả lại sóng"), "{other}");
    let answer = tab.post("/phat-ngay/tra-song", &[("id", first.id.as_str())]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(matches!(site.commands.try_recv(), Ok(Command::CallOff(id)) if id == first.id));
    let after = answer.header(header::LOCATION).to_owned();
    let said = async || {
        let page = tab.get(&after).await.text();
        page.split_once("id=\"in-force\" data-live>")
            .unwrap()
            .1
            .split_once("</section>")
            .unwrap()
            .0
            .to_owned()
    };
    // In the part that is kept up to date: who else ends the last order ends what is said of it.
    let part = said().await;
    assert!(
        part.contains("Đã trả lại sóng. Lệnh dưới đây vẫn còn hiệu lực."),
        "no engine shows the end yet: {part}"
    );

    // Back to the page of before, and pressed again: the engines would take it for the first press.
    site.status.as_ref().unwrap().send_modify(|status| status.interrupts.clear());
    let twice = tab.post("/phat-ngay/tra-song", &[("id", first.id.as_str())]).await;
    assert_eq!((twice.status, twice.header(header::LOCATION)), (StatusCode::SEE_OTHER, &*after));
    assert!(said().await.contains("Đã trả lại sóng. Loa phát tiếp theo lịch."));
    assert!(!tab.get("/phat-ngay").await.text().contains("Đã trả lại sóng"));
    assert!(matches!(site.commands.try_recv(), Ok(Command::CallOff(id)) if id == first.id));
    let again = tab.post("/phat-ngay", &fields).await;
    assert!(again.header(header::LOCATION).starts_with("/phat-ngay/xac-nhan?"), "{:?}", again.headers);
    assert!(site.commands.try_recv().is_err(), "it is asked for anew");
}

#[tokio::test]
async fn once_at_most_is_once() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let id = recording["id"].as_str().unwrap();
    let tab = Tab::of(&site, "operator");
    let page = async |most: &str| {
        let ask = format!("/phat-ngay/xac-nhan?segment={id}&rank=emergency&repeat=until&most={most}");
        tab.get(&ask).await.text()
    };
    let (once, twice) = (page("1").await, page("2").await);
    assert!(once.contains("Một lần, dài") && !once.contains("Mỗi lần nhắc lại"), "{once}");
    assert!(
        twice.contains("Mỗi lần nhắc lại") && twice.contains("<h1>Xác nhận phát khẩn cấp</h1>"),
        "{twice}"
    );
}

#[tokio::test]
async fn what_is_ordered_for_an_output_that_is_down_is_said_to_wait_for_it_before_and_after() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let id = recording["id"].as_str().unwrap();
    let order = async || {
        let order = json!({"segment": id, "layer": "live"});
        site.call("operator", "POST", "/api/v1/interrupts", order).await.json()["down"].clone()
    };
    let tab = Tab::of(&site, "operator");
    let confirm = format!("/phat-ngay/xac-nhan?segment={id}&rank=emergency&repeat=once");
    let waits = "Mỗi lần phát chờ thiết bị nhiều nhất 10 phút, quá đó thì nhật ký ghi là không phát.";
    assert_eq!(order().await, json!([]));
    assert!(!tab.get(&confirm).await.text().contains(waits));
    let what = ordered(&site);
    let status = site.status.as_ref().unwrap();
    status.send_modify(|status| status.interrupts = vec![in_force(&what)]);
    assert!(!tab.get("/phat-ngay").await.text().contains(waits));

    status.send_modify(|status| status.up = false);
    assert_eq!(order().await, json!(["loa-xa"]));
    // Above all else, as whatever is to be known before the button is pressed; and what is interrupted comes next.
    let page = tab.get(&confirm).await.text();
    let places = [waits, "Sẽ ngắt và ảnh hưởng", "Số lần"].map(|said| page.find(said));
    assert!(places.is_sorted() && places[0].is_some(), "{places:?}: {page}");
    for page in ["/phat-ngay", "/ban-ghi"] {
        let page = tab.get(page).await.text();
        assert!(page.contains("KHÔNG có tiếng ở") && page.contains(waits), "{page}");
    }
}

#[tokio::test]
async fn where_one_of_several_outputs_took_nothing_the_page_and_the_answer_say_so() {
    let mut site = Site::new();
    let recording = site.approved(440.0).await;
    let id = recording["id"].as_str().unwrap();
    // The engine of the second has ended.
    let (sender, commands) = sync_channel(8);
    drop(commands);
    let (_status, statuses) = watch::channel(Status { output: "loa-thon".into(), ..idle(site.clock.now()) });
    let second = Handle::new("loa-thon".into(), sender, statuses);
    site.state.engines = site.state.engines.iter().cloned().chain([second]).collect();
    site.router = router(site.state.clone());
    let order = json!({"segment": id, "layer": "live"});
    let answer = site.call("operator", "POST", "/api/v1/interrupts", order).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let ordered = answer.json();
    assert_eq!((&ordered["outputs"], &ordered["refused"]), (&json!(["loa-xa"]), &json!(["loa-thon"])));

    let tab = Tab::of(&site, "operator");
    let page = tab.get(&format!("/phat-ngay/xac-nhan?segment={id}&rank=emergency&repeat=once")).await.text();
    let fields = [("id", hidden(&page, "id")), ("segment", id), ("rank", "emergency"), ("repeat", "once")];
    let answer = tab.post("/phat-ngay", &fields).await;
    let next = answer.header(header::LOCATION);
    let page = tab.get(next).await.text();
    let there = format!("segment={id}&amp;rank=emergency&amp;repeat=once&amp;output=loa-thon");
    assert!(page.contains("không nhận lệnh ở loa-thon: bản ghi không lên loa ở đó"), "{next}: {page}");
    assert!(page.contains(&format!("href=\"/phat-ngay/xac-nhan?{there}\"")), "{page}");
}

#[tokio::test]
async fn without_a_place_nothing_is_ordered_for_all_of_them() {
    let mut site = Site::new();
    let recording = site.approved(440.0).await;
    let (sender, _commands) = sync_channel(8);
    let (_status, statuses) = watch::channel(idle(site.clock.now()));
    let second = Handle::new("loa-thon".into(), sender, statuses);
    site.state.engines = site.state.engines.iter().cloned().chain([second]).collect();
    site.router = router(site.state.clone());
    let tab = Tab::of(&site, "operator");
    let confirm =
        format!("/phat-ngay/xac-nhan?segment={}&rank=live&repeat=once", recording["id"].as_str().unwrap());
    let page = tab.get(&confirm).await.text();
    let shown = format!("&{}={}", "chosen", hidden(&page, "chosen"));
    assert_eq!(tab.get(&format!("{confirm}{shown}&output=loa-xa")).await.status, StatusCode::OK);
    let none = tab.get(&format!("{confirm}{shown}")).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(none.text().contains("Khu vực"), "{}", none.text());
}

#[tokio::test]
async fn only_who_may_takes_the_air_and_only_from_a_page_of_ours() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let id = recording["id"].as_str().unwrap();
    let fields =
        |rank| [("id", "20261123T010000Z-00000001"), ("segment", id), ("rank", rank), ("repeat", "once")];
    for who in ["uploader", "auditor", "admin"] {
        let tab = Tab::of(&site, who);
        assert_eq!(tab.get("/phat-ngay").await.status, StatusCode::FORBIDDEN, "{who}");
        for path in ["/phat-ngay", "/phat-ngay/tra-song", "/phat-ngay/dung"] {
            assert_eq!(
                tab.post(path, &fields("emergency")).await.status,
                StatusCode::FORBIDDEN,
                "{who} {path}"
            );
        }
        assert!(!tab.get("/").await.text().contains("Khẩn cấp"), "{who}");
    }
    let approver = Tab::of(&site, "approver");
    assert_eq!(approver.post("/phat-ngay", &fields("live")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(approver.post("/phat-ngay/dung", &[("output", "loa-xa")]).await.status, StatusCode::FORBIDDEN);
    let live = approver.get(&format!("/phat-ngay/xac-nhan?segment={id}&rank=live&repeat=once")).await;
    assert_eq!(live.status, StatusCode::FORBIDDEN);
    let operator = Tab::of(&site, "operator");
    for (tab, key) in [(&operator, approver.key.as_str()), (&operator, "")] {
        assert_eq!(tab.post_as(key, "/phat-ngay", &fields("live")).await.status, StatusCode::FORBIDDEN);
    }
    assert!(site.commands.try_recv().is_err(), "nothing of this reached the engine");
    let cue = [("output", "loa-xa"), ("cue", "2026-11-23/sang/chuyen-muc/0")];
    site.sounds("2026-11-23/sang/ban-tin/0");
    let over = operator.post("/phat-ngay/dung", &cue).await;
    let page = operator.get(over.header(header::LOCATION)).await.text();
    assert!(page.contains("Mục đó đã hết") && !page.contains("Đã dừng mục đang phát"), "{page}");
    assert!(
        site.commands.try_recv().is_err() && site.acts().iter().all(|(_, what, _)| what != "output.stop")
    );
    site.sounds("2026-11-23/sang/chuyen-muc/0");
    // Who may only withdraw it finds no more than that.
    for (tab, ways) in [(&operator, [true, true]), (&approver, [false, true])] {
        let page = tab.get("/phat-ngay").await.text();
        let found = ["action=\"/phat-ngay/dung\"", "href=\"/ban-ghi/0707070707070707/thu-hoi\""];
        assert_eq!(found.map(|way| page.contains(way)), ways, "{page}");
    }
    // The engine shows a while later that it stopped it; the page comes after that.
    let is_shown = std::cell::Cell::new(false);
    let engine = async {
        let command = first_command(&site).await;
        while site.acts().iter().all(|(_, what, _)| what != "output.stop") {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        is_shown.set(true);
        site.status.as_ref().unwrap().send_modify(|status| status.on_air = None);
        command
    };
    let stop = async {
        let stopped = operator.post("/phat-ngay/dung", &cue).await;
        assert!(is_shown.get(), "the page would say that it sounds still");
        stopped
    };
    let (stopped, command) = tokio::join!(stop, engine);
    assert_eq!(stopped.status, StatusCode::SEE_OTHER);
    assert!(matches!(command, Command::StopCue(Some(_))), "{command:?}");
    let page = operator.get(stopped.header(header::LOCATION)).await.text();
    assert!(page.contains("Đã dừng mục đang phát") && !page.contains("Đang phát theo lịch"), "{page}");
    site.sounds("2026-11-23/sang/chuyen-muc/0");
    // The next one keeps its time: until then there is silence, and it is said until when.
    let at = site.clock.now() + SignedDuration::from_secs(72);
    let next = crate::engine::handle::Next {
        cue: "2026-11-23/sang/tin/0".parse().unwrap(),
        title: "Tin xã".into(),
        at,
    };
    site.status.as_ref().unwrap().send_modify(|status| status.next = Some(next));
    let silence = "Loa im lặng cho đến mục sau: “Tin xã”, 08:01:12.";
    let page = operator.get("/phat-ngay").await.text();
    assert!(page.contains(silence), "{page}");
    let there = stopped.header(header::LOCATION);
    let told = async || {
        let page = operator.get(there).await.text();
        let (_, note) = page.split_once("Đã dừng mục đang phát").unwrap();
        note.split_once("</p>").unwrap().0.contains(silence)
    };
    assert!(!told().await, "the next one sounds");
    site.status.as_ref().unwrap().send_modify(|status| status.on_air = None);
    assert!(told().await);
}

#[tokio::test]
async fn quiet_hours_and_what_is_wrong_are_said_before_anything_sounds() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let id = recording["id"].as_str().unwrap();
    site.clock.step_to("2026-11-23T19:30:00Z".parse().unwrap());
    let tab = Tab::of(&site, "operator");
    let confirm = |rank| format!("/phat-ngay/xac-nhan?segment={id}&rank={rank}&repeat=once");
    let live = tab.get(&confirm("live")).await.text();
    assert!(
        live.contains("giờ yên lặng (từ 20:00 đến 05:30)") && !live.contains("Phát ngay bây giờ"),
        "{live}"
    );
    assert!(site.commands.try_recv().is_err(), "what may not air is not opened");
    let emergency = tab.get(&confirm("emergency")).await.text();
    assert!(matches!(site.commands.try_recv(), Ok(Command::Poise(_))));
    assert!(emergency.contains("VẪN PHÁT") && emergency.contains("PHÁT KHẨN CẤP NGAY"), "{emergency}");
    let now = "20261123T193000Z-00000001";
    let fields = |name: &'static str, value: &'static str| {
        let mut fields = vec![("id", now), ("segment", id), ("rank", "emergency"), ("repeat", "until")];
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        fields
    };
    for (name, value, status) in [
        ("rank", "live", 409),
        ("rank", "scheduled", 422),
        ("id", "../x", 422),
        ("id", "", 422),
        ("segment", "../x", 404),
        ("segment", "", 404),
        ("output", "none", 404),
        ("repeat", "sometimes", 422),
        ("minutes", "0", 422),
        ("minutes", "x", 422),
        ("most", "0", 422),
        ("most", "70000", 422),
    ] {
        let answer = tab.post("/phat-ngay", &fields(name, value)).await;
        assert_eq!(answer.status.as_u16(), status, "{name}={value}: {}", answer.text());
    }
    assert!(site.commands.try_recv().is_err());
    // A page that was left open is looked at again.
    let old = tab.post("/phat-ngay", &fields("id", "20261123T191900Z-00000001")).await;
    assert_eq!(old.status, StatusCode::SEE_OTHER);
    let again = tab.get(old.header(header::LOCATION)).await.text();
    assert!(again.contains("để quá lâu nên chưa phát gì"), "{again}");
    assert!(matches!(site.commands.try_recv(), Ok(Command::Poise(_))));
    assert!(site.commands.try_recv().is_err());
    assert_eq!(tab.post("/phat-ngay", &fields("minutes", "20")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(ordered(&site).repeats.then, SignedDuration::from_mins(20));
}

#[tokio::test]
async fn who_orders_what_is_in_force_already_is_told_so_and_all_of_it_ends_with_one_press() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let id = recording["id"].as_str().unwrap();
    let order = async |who: &str, again: bool| {
        let tab = Tab::of(&site, who);
        let confirm = format!("/phat-ngay/xac-nhan?segment={id}&rank=emergency&repeat=until");
        let page = tab.get(&confirm).await.text();
        site.commands.try_iter().for_each(drop);
        let mut fields =
            vec![("id", hidden(&page, "id")), ("segment", id), ("rank", "emergency"), ("repeat", "until")];
        if again {
            fields.push(("again", hidden(&page, "again")));
        }
        let answer = tab.post("/phat-ngay", &fields).await;
        (page, answer.header(header::LOCATION).to_owned())
    };
    let status = site.status.as_ref().unwrap();
    let (page, _) = order("operator", false).await;
    let first = ordered(&site);
    assert!(!page.contains("đang có hiệu lực rồi"), "{page}");
    status.send_modify(|status| status.interrupts.push(in_force(&first)));
    // Who had the page open since before is asked again, and orders nothing unawares.
    let (page, location) = order("approver", false).await;
    assert!(page.contains("đang có hiệu lực rồi: operator ra lệnh lúc 08:00:00"), "{page}");
    assert!(location.starts_with("/phat-ngay/xac-nhan?") && !location.contains("old"), "{location}");
    assert!(site.commands.try_recv().is_err());
    // Who insists, may.
    assert_eq!(order("approver", true).await.1, "/phat-ngay");
    let second = ordered(&site);

    let tab = Tab::of(&site, "approver");
    assert!(
        !tab.get("/phat-ngay").await.text().contains("Trả lại sóng tất cả"),
        "one needs no more than its own"
    );
    status.send_modify(|status| status.interrupts.push(in_force(&second)));
    let page = tab.get("/phat-ngay").await.text();
    let (before, _) = page.split_once("Trả lại sóng tất cả").unwrap();
    let (_, form) = before.rsplit_once("<form").unwrap();
    for order in [&first, &second] {
        assert!(form.contains(&format!("name=\"id\" value=\"{}\"", order.id)), "{form}");
    }
    tab.post("/phat-ngay/tra-song", &[("id", first.id.as_str()), ("id", second.id.as_str())]).await;
    for order in [first, second] {
        assert!(matches!(site.commands.try_recv(), Ok(Command::CallOff(id)) if id == order.id));
    }
}
