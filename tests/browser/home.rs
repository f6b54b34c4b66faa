//! Hôm nay: what is on air, as it happens.

use jiff::SignedDuration;
use loa::asrun::Note;
use loa::clock::{Clock as _, SystemClock};
use loa::store::Store;
use nix::sys::signal::Signal;

use crate::PASSWORD;
use crate::driver::{self, Driver};
use crate::rig::{Browser, Program};

#[test]
fn what_is_on_air_shows_as_it_happens() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    hoa.says("đang phát");
    hoa.look("hom-nay");
    let level =
        "const meter = document.querySelector('[data-level]'); return meter && meter.value > -60 || null";
    driver::eventually(
        || "a level".to_owned(),
        || Some(hoa.script(level)).filter(|seen| seen.as_bool() == Some(true)),
    );
    // As on a phone, where who opens a session leaves the focus there.
    hoa.script("document.querySelector('[data-live] details > summary').focus()");
    // Without reloading: the next cue becomes the one on air, and the one before has aired.
    hoa.says("đã phát");
    let focused = "return document.activeElement.matches('[data-live] details > summary')";
    assert_eq!(hoa.script(focused).as_bool(), Some(true), "the focus is where it was");
    assert!(hoa.text().contains("Đang phát"));
    for lamp in ["Âm thanh ra loa", "Đồng hồ"] {
        hoa.find(&format!("//li[contains(@class, 'good')][span='{lamp}'][strong='Tốt']"));
    }
    assert!(program.run(&["airings"]).contains("đã phát"));
}

#[test]
fn a_page_says_that_it_is_old_while_the_station_does_not_answer_and_recovers_by_itself() {
    let (driver, mut program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    let well = |browser: &Browser| {
        browser.find("//li[contains(@class, 'good')][span='Âm thanh ra loa'][strong='Tốt']");
        assert!(!browser.text().contains("Mất liên lạc"), "{}", browser.text());
    };
    let lost = |browser: &Browser| {
        browser.says("Mất liên lạc với máy phát từ ");
        assert!(!browser.text().contains("Tốt"), "no lamp is green:\n{}", browser.text());
        browser.find("//li[span='Đĩa'][strong='Không rõ']");
    };
    hoa.find("//progress");
    well(&hoa);
    // The page is not loaded again: what is put there stays.
    hoa.script("window.same = true");
    // It hangs: connections stay open, and nothing comes.
    program.signal(Signal::SIGSTOP);
    lost(&hoa);
    hoa.look("mat-lien-lac");
    program.signal(Signal::SIGCONT);
    hoa.find("//p[@id='lost'][@hidden]");
    well(&hoa);
    // It is gone, as after a power cut, and comes back.
    program.end();
    lost(&hoa);
    program.start_again();
    hoa.find("//p[@id='lost'][@hidden]");
    well(&hoa);
    assert_eq!(hoa.script("return window.same").as_bool(), Some(true));
    // It tells as before what happens.
    let moves =
        "const bar = document.querySelector('[data-level]'); return bar && bar.value > bar.min || null";
    driver::eventually(|| hoa.text(), || hoa.script(moves).as_bool());
}

#[test]
fn what_a_table_is_called_takes_a_line_on_a_phone_and_none_below_what_says_the_same() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    let heights = hoa.script_on_phone(
        "const table = '<table class=\"rundown\"><caption>Ngoài lịch, như phát khẩn</caption><tbody><tr><td>a</table>';
         document.querySelector('main').insertAdjacentHTML('beforeend', `${table}<details class=\"session\" open><summary>A</summary>${table}</details>`);
         return [...document.querySelectorAll('main caption')].slice(-2).map((of) => of.getBoundingClientRect().height)",
    );
    let heights: [f64; 2] = serde_json::from_value(heights).unwrap();
    assert!(heights[0] > 10.0 && heights[0] < 60.0 && heights[1] <= 1.0, "{heights:?}");
}

#[test]
fn the_focus_stays_with_its_own_link_and_goes_to_no_others_when_that_is_gone() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    // What the station has next is what the test says; what has the focus then, by its words and its address.
    let after = |fresh: &str| {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             const part = '<div id=\"to-do\" data-live>{fresh}</div>';
             window.fetch = async () => new Response(part);
             const look = () => {{
               const focus = document.activeElement;
               done([focus.textContent, focus.getAttribute('href'), focus.value ?? null]);
             }};
             const go = () => (renewing ? setTimeout(go, 20) : renew().then(look));
             go()"
        );
        hoa.later(&script)
    };
    let link = |id: u32| format!("<p><a href=\"/ban-ghi/{id}/thu-hoi\">Thu hồi</a></p>");
    let form = |id: u32| {
        format!(
            "<form action=\"/x\"><input type=\"hidden\" name=\"id\" value=\"{id}\"><button name=\"then\" value=\"{id}\">Bỏ</button></form>"
        )
    };
    let head = "<h2>Việc</h2>";
    after(&format!("{head}{}{}{}", link(1), link(2), link(3)));
    hoa.script("document.querySelector('#to-do [href*=\"/2/\"]').focus()");
    let gone_before = after(&format!("{head}{}{}", link(2), link(3)));
    assert_eq!(gone_before[1], "/ban-ghi/2/thu-hoi", "{gone_before}");
    let gone = after(&format!("{head}{}{}", link(3), link(4)));
    assert_eq!((&gone[0], &gone[1]), (&"Việc".into(), &serde_json::Value::Null), "{gone}");
    let still = after(&format!("{head}{}", link(3)));
    assert_eq!(still[0], "Việc", "{still}");
    // Of a form it is what it sends that tells it from others.
    after(&format!("{head}{}{}", form(1), form(2)));
    hoa.script("document.querySelectorAll('#to-do button')[1].focus()");
    assert_eq!(after(&format!("{head}{}{}", form(2), form(3)))[2], "2");
    assert_eq!(after(&format!("{head}{}{}", form(3), form(4)))[0], "Việc");
    // A session that was opened stays open where it stands now, and no other is.
    let session =
        |name: &str| format!("<details><summary><strong>{name}</strong></summary>{}</details>", link(7));
    after(&format!("{head}{}{}", session("Sáng"), session("Chiều")));
    hoa.script(
        "const chieu = document.querySelectorAll('#to-do details')[1];
         chieu.open = true; chieu.querySelector('summary').focus()",
    );
    assert_eq!(after(&format!("{head}{}{}", session("Chiều"), session("Tối")))[0], "Chiều");
    let open = hoa.script("return [...document.querySelectorAll('#to-do details')].map((of) => of.open)");
    assert_eq!(open, serde_json::json!([true, false]));
    hoa.script("document.querySelector('#to-do details[open] a').focus()");
    let within = after(&format!("{head}<details open><summary><strong>Chiều</strong></summary></details>"));
    assert_eq!(within[0], "Chiều", "what the link stood in: {within}");
    // What is wrong with the station is shown when it is heard of, whatever is on air.
    let shown = hoa.later(
        "const done = arguments[arguments.length - 1], there = () => document.getElementById('to-do').textContent;
         window.fetch = async () => new Response('<div id=\"to-do\" data-live>Sự cố</div>');
         const look = (times) => there() === 'Sự cố' || times === 0 ? done(there()) : setTimeout(look, 20, times - 1);
         const go = () => {
           if (renewing) return setTimeout(go, 20);
           events.dispatchEvent(new MessageEvent('health', { data: '[]' }));
           look(100);
         };
         go()",
    );
    assert_eq!(shown, "Sự cố");
}

#[test]
fn who_runs_the_station_says_that_the_clock_is_right_and_the_lamp_is_green_again() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    hoa.find("//li[contains(@class, 'good')][span='Đồng hồ'][strong='Tốt']");
    // As if it had been a year ahead.
    let store = Store::open_existing(&program.audio().with_file_name("data")).unwrap();
    store.note(SystemClock::new().now() + SignedDuration::from_hours(24 * 365), Note::Stopped).unwrap();
    drop(store);
    hoa.says("Giờ của máy chưa chắc đúng");
    hoa.look("hom-nay-gio-may");
    hoa.press("Xem và xác nhận giờ");
    hoa.says("Nếu giờ của máy đúng và được xác nhận");
    hoa.look("gio-may");
    let plain = Browser::without_scripts(&driver, &program);
    plain.sign_in("hoa", PASSWORD);
    plain.press("Xem và xác nhận giờ");
    plain.press("Giờ của máy đúng, xác nhận");
    plain.says("Đã ghi nhận giờ của máy là đúng");
    plain.press("Về trang Hôm nay");
    plain.find("//li[contains(@class, 'good')][span='Đồng hồ'][strong='Tốt']");
    // Who had the page open too is told that it is done.
    hoa.press("Giờ của máy đúng, xác nhận");
    hoa.says("không cần xác nhận");
    hoa.look("gio-may-xong");
    hoa.go("/nguoi-dung");
    hoa.says("xác nhận giờ của máy");
}
