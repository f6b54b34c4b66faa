//! Phát ngay, khẩn cấp: a person takes the air and gives it back.

use serde_json::{Value, json};

use crate::PASSWORD;
use crate::driver::{Driver, eventually};
use crate::rig::{Browser, Program};

/// From the press to the first frame, in milliseconds.
const AT_ONCE: i64 = 300;

/// What the log says of the interrupts, once all are over.
fn interrupts(program: &Program) -> Vec<Value> {
    let log: Value = serde_json::from_str(&program.run(&["airings", "--format", "json"])).unwrap();
    let all = log.as_array().unwrap().iter();
    all.filter(|airing| airing["cue"].as_str().unwrap().contains("/!/")).cloned().collect()
}

#[test]
fn the_flood_warning_is_on_the_air_in_two_presses_and_called_off_in_one() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    hoa.says("Đang phát");
    hoa.find("//progress");
    hoa.press("Khẩn cấp: Cảnh báo");
    hoa.says("đang phát sẽ bị ngắt ngay");
    hoa.says("nhắc lại hai lần cách nhau 5 phút, rồi cứ 30 phút một lần");
    hoa.look("phat-ngay-xac-nhan");
    // On a small phone the first line of what it will interrupt is in sight, and the button does not lie on it.
    let first_effect_is_seen = "scrollTo(0, 0);
        const line = document.createRange();
        line.selectNodeContents(document.querySelector('dl.confirm li'));
        const box = line.getClientRects()[0], there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return box.bottom <= innerHeight && there?.closest('li') !== null && there?.closest('dl.confirm') !== null";
    assert_eq!(hoa.script_on_phone(first_effect_is_seen), json!(true));
    // The second half of a double click on what leads here finds no button yet.
    let is_reached = "const button = document.querySelector('form.confirm button');
        button.style.animation = 'none'; button.offsetWidth; button.style.animation = '';
        const [early] = button.getAnimations(), box = button.getBoundingClientRect();
        const hit = () => document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === button;
        early.pause(); early.currentTime = 900; const before = hit(); early.finish();
        return [before, hit()]";
    assert_eq!(hoa.script(is_reached), json!([false, true]));
    hoa.script(
        "document.querySelector('form.confirm').addEventListener('submit', () => sessionStorage.setItem('at', Date.now()))",
    );
    hoa.press("PHÁT KHẨN CẤP NGAY");
    hoa.says("ĐANG PHÁT KHẨN CẤP");
    assert_eq!(hoa.path(), "/phat-ngay");
    hoa.look("phat-ngay-dang-phat");
    for page in ["/", "/nguoi-dung", "/phat-ngay/xac-nhan?segment=x"] {
        hoa.go(page);
        if page != "/phat-ngay/xac-nhan?segment=x" {
            hoa.find("//*[@role='alert'][contains(., 'ĐANG PHÁT KHẨN CẤP')][contains(., 'hoa ra lệnh')]");
            let stays = "const done = arguments[arguments.length - 1], alert = () => document.querySelector('#banner [role=alert]');
                const before = alert(), text = before.textContent;
                renew().then(() => done(alert() === before || alert().textContent !== text))";
            assert_eq!(hoa.later(stays), Value::Bool(true), "what is the same is not read aloud again");
        }
    }
    hoa.go("/");
    hoa.press("Xem và trả lại sóng");
    hoa.press("Trả lại sóng");
    eventually(
        || hoa.text(),
        || {
            (!hoa.text().contains("ĐANG PHÁT KHẨN CẤP") && hoa.text().contains("Đã trả lại sóng"))
                .then_some(())
        },
    );
    hoa.look("phat-ngay");

    let log = eventually(
        || "the log of it".to_owned(),
        || Some(interrupts(&program)).filter(|log| log.len() == 1 && log[0]["takes"][0]["end"].is_object()),
    );
    assert_eq!((&log[0]["ordered_by"], &log[0]["layer"]), (&"hoa".into(), &"emergency".into()));
    let started: jiff::Timestamp = log[0]["takes"][0]["end"]["started"].as_str().unwrap().parse().unwrap();
    let pressed: i64 = hoa.script("return Number(sessionStorage.getItem('at'))").as_i64().unwrap();
    let after = started.as_millisecond() - pressed;
    eprintln!("from the press to the first frame: {after} ms");
    assert!((0..AT_ONCE).contains(&after), "{after} ms from the press to the first frame");
    let log: Value = serde_json::from_str(&program.run(&["airings", "--format", "json"])).unwrap();
    assert!(
        log.as_array().unwrap().iter().any(|airing| airing["takes"][0]["end"]["cause"] == "emergency"),
        "the log says what was interrupted: {log}"
    );
}

#[test]
fn taking_the_air_and_giving_it_back_needs_no_script() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::without_scripts(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    hoa.press("Phát ngay");
    hoa.fill("search", "thoi tiet");
    hoa.press_on("//form[@role='search']//button");
    hoa.says("Thời tiết");
    assert!(!hoa.text().contains("Nông sản"), "a search finds what it asks for:\n{}", hoa.text());
    hoa.press_on("//ul[@class='pieces']//a[.='Phát ngay']");
    hoa.says("Một lần, dài");
    hoa.press("Đổi cách phát");
    hoa.press("Nhắc lại: hai lần");
    hoa.fill("minutes", "20");
    hoa.fill("most", "4");
    hoa.press("Xem lại với lựa chọn này");
    hoa.says("rồi cứ 20 phút một lần, nhiều nhất 4 lần");
    // It stands open since its page was: the disk is not asked any more.
    let file = std::fs::read_dir(program.audio()).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.to_string_lossy().contains("thoi-tiet")).unwrap();
    let aside = file.with_extension("aside");
    std::fs::rename(&file, &aside).unwrap();
    hoa.press("Phát ngay bây giờ");
    hoa.says("Đang phát ngay, ngoài lịch");
    std::fs::rename(&aside, &file).unwrap();
    hoa.says("lần tới");
    hoa.press("Trả lại sóng");
    hoa.says("Đã trả lại sóng");
    assert!(!hoa.text().contains("Đang phát ngay, ngoài lịch"), "{}", hoa.text());
    // What the schedule has on air can be stopped too.
    eventually(
        || hoa.text(),
        || {
            hoa.go("/phat-ngay");
            hoa.text().contains("Dừng mục đang phát").then_some(())
        },
    );
    hoa.press("Dừng mục đang phát");
    eventually(
        || "the log of what was stopped".to_owned(),
        || program.run(&["airings"]).contains("bị dừng giữa chừng").then_some(()),
    );
    let log = interrupts(&program);
    assert_eq!((log.len(), &log[0]["layer"]), (1, &"live".into()));
    let instant = |what: &Value| what.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let after = instant(&log[0]["takes"][0]["end"]["started"]) - instant(&log[0]["planned"]);
    eprintln!("from the order to the first frame: {after} ms");
    assert!((0..AT_ONCE).contains(&after), "{after} ms from the order to the first frame");
}
