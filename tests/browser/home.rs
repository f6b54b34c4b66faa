//! Hôm nay: what is on air, as it happens.

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
