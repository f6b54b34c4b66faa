//! Lịch phát: the week is looked at, changed, changed back, and printed.

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Weekday};
use loa::clock::{Clock as _, SystemClock};

use crate::PASSWORD;
use crate::driver::Driver;
use crate::rig::{Browser, Program};

/// The time where the station is.
fn vietnam() -> DateTime {
    let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
    zone.to_datetime(SystemClock::new().now())
}

/// The next date that is a day like others.
fn next_weekday() -> Date {
    let tomorrow = vietnam().date().checked_add(1.day()).unwrap();
    if tomorrow.weekday() == Weekday::Sunday { tomorrow.checked_add(1.day()).unwrap() } else { tomorrow }
}

impl Browser {
    /// The days of the week follow each other; those that are open have rows of their own, the others their columns.
    fn days_lie_in_columns(&self, open: usize) {
        let boxes = self.script(
            "return [...document.querySelectorAll('.week-columns, .week-columns > .day')].map((of) => [of.getBoundingClientRect(), of.matches('.day:has([open])')])
                .map(([box, open]) => [box.top, box.left, box.width, open])",
        );
        let boxes: Vec<(f64, f64, f64, bool)> = serde_json::from_value(boxes).unwrap();
        let (week, days) = boxes.split_first().unwrap();
        assert_eq!((days.len(), days.iter().filter(|day| day.3).count()), (7, open));
        assert!(days.is_sorted_by_key(|day| (day.0, day.1)), "{boxes:?}");
        for (place, (_, left, width, is_open)) in (0_u32..).zip(days) {
            let (column, share) = if *is_open { (0, 1.0) } else { (place, 7.0) };
            let at = week.1 + week.2 / 7.0 * f64::from(column);
            assert!(
                (left - at).abs() < 12.0 && (width - week.2 / share).abs() < 12.0,
                "{place} of {boxes:?}"
            );
        }
    }

    /// Sets what a person picks: a time, a date.
    fn pick(&self, name: &str, value: &str) {
        self.find(&format!("//*[@name='{name}']"));
        self.script(&format!("document.querySelector('[name={name}]').value = '{value}'"));
    }

    /// Chooses one of a list.
    fn choose(&self, name: &str, value: &str) {
        self.press_on(&format!("//select[@name='{name}']//option[@value='{value}']"));
    }
}

#[test]
fn a_clerk_changes_the_week_sees_what_it_does_and_takes_it_back() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    let before = program.schedule("week.toml");

    hoa.press("Lịch phát");
    hoa.says("Buổi phát dùng thử");
    hoa.look("lich-phat");
    hoa.press("Tuần sau");
    hoa.press("Buổi phát thanh sáng");
    hoa.find("//*[@open]//a[contains(@class, 'edit')]");
    hoa.look("lich-phat-mo");
    // At a desk a day that is open has a row of its own, in its place; the others keep their columns.
    hoa.press_on("(//section[contains(@class, 'day')])[4]//summary");
    hoa.look("lich-phat-mo-hai");
    hoa.days_lie_in_columns(2);
    hoa.press_on("(//section[contains(@class, 'day')])[4]//details[@open]/summary");
    hoa.days_lie_in_columns(1);
    // On a phone what takes a piece off the air stands beside what becomes of it, and under no other finger.
    let beside = hoa.script_on_phone(
        "const box = (row, of) => row.querySelector(of)?.getBoundingClientRect();
         return [...document.querySelectorAll('[open] .rundown tr')].filter((row) => row.querySelector('.withdraw')).map((row) => {
           const [withdraw, edit, result] = [box(row, '.withdraw'), box(row, '.edit'), box(row, 'td:last-child')];
           const apart = !edit || edit.right <= withdraw.left || edit.bottom <= withdraw.top;
           return withdraw.top >= result.top - 1 && withdraw.bottom <= result.bottom + 1 && apart;
         })",
    );
    let beside = beside.as_array().unwrap();
    assert!(beside.len() > 5 && beside.iter().all(|is_so| is_so == true), "{beside:?}");

    // The news are to be shorter: nothing moves, and if they are too long it is said.
    hoa.script("document.querySelector('[open] a.edit[href$=\"/ban-tin\"]').click()");
    hoa.says("Thời lượng dự kiến");
    hoa.look("lich-phat-muc");
    hoa.fill("minutes", "x");
    hoa.fill("minutes", "6");
    hoa.press("Xem trước thay đổi");
    hoa.says("Những gì sẽ thay đổi trong 7 ngày tới");
    hoa.look("lich-phat-xem-truoc-muc");
    hoa.press("Sửa tiếp");
    assert_eq!(hoa.script("return document.querySelector('[name=minutes]').value").as_str(), Some("6"));
    hoa.press("Thôi, không sửa");
    assert_eq!(program.schedule("week.toml"), before, "nobody saved");

    // One recording of many is named, where it is said that it is another one.
    hoa.go("/lich-phat/buoi/sang/muc-moi");
    let is_there = "return document.querySelector('[name=recording]').checkVisibility()";
    assert_eq!(hoa.script(is_there).as_bool(), Some(false));
    hoa.choose("play", "file:");
    hoa.fill("recording", "canh bao lu");
    hoa.look("lich-phat-muc-ban-ghi");
    hoa.press("Xem trước thay đổi");
    hoa.says("Cảnh báo lũ");
    hoa.press("Sửa tiếp");
    hoa.fill("recording", "a");
    hoa.press("Xem trước thay đổi");
    hoa.says("bản ghi mà tên có các chữ này");
    hoa.look("lich-phat-muc-nhieu-ban-ghi");

    // The session begins earlier, and that is seen as soon as it is saved.
    hoa.go("/lich-phat/buoi/sang");
    hoa.look("lich-phat-buoi");
    hoa.pick("from", "06:30:00");
    hoa.press("Xem trước thay đổi");
    hoa.says("Chưa lưu được");
    hoa.look("lich-phat-chua-duoc");
    hoa.pick("from", "05:25:00");
    hoa.press("Xem trước thay đổi");
    hoa.says("đổi giờ");
    hoa.look("lich-phat-xem-truoc");
    hoa.press("Lưu");
    hoa.says("Đã lưu");
    let text = String::from_utf8(program.schedule("week.toml")).unwrap();
    assert!(text.contains("from = 05:25:00"), "{text}");
    hoa.press("Tuần sau");
    hoa.says("05:25 – 06:01");
    assert!(!hoa.text().contains("05:30 – 06:01"));

    hoa.press("Lịch sử sửa lịch");
    hoa.says("sửa buổi phát: Buổi phát thanh sáng");
    hoa.look("lich-phat-lich-su");
    hoa.press_on("//a[@href='/lich-phat/lich-su/2'][.='Xem, hoàn tác']");
    hoa.look("lich-phat-hoan-tac");
    hoa.press("Hoàn tác lần sửa này");
    hoa.says("Đã hoàn tác");
    assert_eq!(program.schedule("week.toml"), before, "to the byte");
    hoa.go("/nguoi-dung");
    hoa.says("hoàn tác một lần sửa lịch");
}

#[test]
fn a_day_without_music_is_added_and_the_week_is_printed() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    // In next week: this one has the demonstration's own session, at any hour of the day.
    let date = next_weekday().checked_add(1.week()).unwrap();
    // Some stations are on at noon as well.
    let week = String::from_utf8(program.schedule("week.toml")).unwrap();
    let (_, afternoon) = week.split_once("[[session]]\nid = \"chieu\"").unwrap();
    let (afternoon, _) = afternoon.split_once("\n# ---").unwrap();
    // Not where the demonstration's own session is today.
    let hour = if (10..12).contains(&vietnam().hour()) { "= 13:" } else { "= 11:" };
    let noon = afternoon.replace("= 17:", hour).replace("chiều", "trưa");
    program.write("week.toml", &format!("{week}\n[[session]]\nid = \"trua\"{noon}"));
    hoa.press("Lịch phát");
    hoa.press("Ngày đặc biệt");
    hoa.look("ngay-dac-biet");
    hoa.pick("ngay", &date.to_string());
    hoa.press("Tiếp tục");
    hoa.fill("title", "Quốc tang <b>");
    hoa.press("Không phát nhạc cả ngày");
    hoa.look("ngay-dac-biet-mot");
    hoa.press("Xem trước thay đổi");
    hoa.says("im lặng");
    hoa.look("ngay-dac-biet-xem-truoc");
    hoa.press("Lưu");
    hoa.says("Đã lưu");
    let height =
        hoa.script_on_phone("return document.querySelector('.special a').getBoundingClientRect().height");
    assert!(height.as_f64().unwrap() >= 44.0, "a thumb's size, and not {height}");
    hoa.go(&format!("/lich-phat/in?tuan={}", date.strftime("%G-W%V")));
    hoa.says("Quốc tang <b>");
    hoa.says("LỊCH PHÁT THANH TUẦN");
    for part in ["SÁNG", "TRƯA", "CHIỀU"] {
        hoa.says(part);
    }
    hoa.find("//button[.='In trang này'][not(@hidden)]");
    assert!(!hoa.text().contains("Ctrl"), "a phone has no such key:\n{}", hoa.text());
    hoa.look("in-lich-tuan");
    assert_eq!(hoa.print("in-lich-tuan"), 1);
}

#[test]
fn a_special_day_gets_a_session_of_its_own_and_is_as_before_when_undone() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    let (before, date) = (program.schedule("days.toml"), next_weekday());
    hoa.press("Lịch phát");
    hoa.press("Ngày đặc biệt");
    hoa.pick("ngay", &date.to_string());
    hoa.press("Tiếp tục");
    hoa.look("ngay-rieng-chua-co");
    hoa.press("Thêm buổi phát riêng");
    hoa.fill("day_title", "Hội làng");
    hoa.fill("title", "Chúc mừng hội làng");
    hoa.pick("from", "11:00:00");
    hoa.pick("to", "11:10:00");
    hoa.choose("play", "programme:ban-tin");
    hoa.look("ngay-rieng-buoi-moi");
    hoa.press("Xem trước thay đổi");
    hoa.says("buổi mới");
    hoa.look("ngay-rieng-xem-truoc");
    hoa.press("Lưu");
    hoa.says("Đã lưu");

    // From the date's rundown to its session, and a piece of music more in it.
    let open = |browser: &Browser| {
        browser
            .press_on(&format!("//section[@aria-labelledby='day-{date}']//summary[contains(., 'hội làng')]"));
    };
    open(&hoa);
    hoa.look("ngay-rieng-trong-tuan");
    hoa.press_on("//*[@open]//a[contains(., 'Sửa buổi này')]");
    hoa.says("Sửa “Chúc mừng hội làng (");
    hoa.look("ngay-rieng-buoi");
    hoa.press("Thêm mục");
    hoa.choose("play", "pool:ca-khuc");
    hoa.press("Lấp nhạc cho đến mục đúng giờ kế tiếp");
    hoa.fill("title", "Ca khúc mừng hội");
    hoa.look("ngay-rieng-muc");
    hoa.press("Xem trước thay đổi");
    hoa.says("+ thêm");
    hoa.look("ngay-rieng-muc-xem-truoc");
    hoa.press("Lưu");
    hoa.says("Đã lưu");
    open(&hoa);
    hoa.says("Ca khúc mừng hội");
    hoa.go(&format!("/lich-phat/ngay/{date}"));
    hoa.says("11:00:00 – 11:10:00");
    hoa.look("ngay-rieng");

    // Both steps are taken back, and nothing is left of them.
    for revision in [3, 2] {
        hoa.go("/lich-phat/lich-su");
        hoa.press_on(&format!("//a[@href='/lich-phat/lich-su/{revision}'][.='Xem, hoàn tác']"));
        hoa.press("Hoàn tác lần sửa này");
        hoa.says("Đã hoàn tác");
    }
    assert_eq!(program.schedule("days.toml"), before, "to the byte");
    hoa.go(&format!("/lich-phat?tuan={}", date.strftime("%G-W%V")));
    assert!(!hoa.text().contains("hội làng"), "{}", hoa.text());
}

#[test]
fn the_schedule_is_changed_without_a_script() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::without_scripts(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    hoa.press("Lịch phát");
    hoa.press("Tuần sau");
    hoa.press("Buổi phát thanh sáng");
    hoa.press("Sửa buổi này");
    hoa.says("Các mục trong buổi");
    hoa.go("/lich-phat/buoi/sang/muc/thoi-tiet/len");
    hoa.says("Chuyển mục");
    hoa.press("Lưu");
    hoa.says("Đã lưu");
    let text = String::from_utf8(program.schedule("week.toml")).unwrap();
    let at = |id: &str| text.find(&format!("id = \"{id}\"\nplay")).unwrap_or_else(|| panic!("no {id}"));
    assert!(at("thoi-tiet") > 0, "its comments and keys are still there");
    hoa.go("/lich-phat/buoi/sang/muc-moi");
    hoa.script("document.querySelector('[name=play]').value = 'file:nhac-cat.ogg'");
    hoa.fill("title", "Nhạc cắt");
    hoa.press("Xem trước thay đổi");
    hoa.says("+ thêm");
    hoa.press("Lưu");
    hoa.says("Đã lưu");
    assert!(String::from_utf8(program.schedule("week.toml")).unwrap().contains("id = \"nhac-cat\""));
    // Back is the preview, and not the browser's own page about a form that it would have to send again.
    hoa.script("history.back()");
    hoa.says("+ thêm");
    hoa.go("/lich-phat");

    // A special day with a session of its own.
    let date = next_weekday();
    hoa.press("Ngày đặc biệt");
    hoa.pick("ngay", &date.to_string());
    hoa.press("Tiếp tục");
    hoa.press("Thêm buổi phát riêng");
    hoa.fill("day_title", "Hội làng");
    hoa.fill("title", "Chúc mừng hội làng");
    hoa.pick("from", "11:00:00");
    hoa.pick("to", "11:10:00");
    hoa.choose("play", "programme:ban-tin");
    hoa.press("Xem trước thay đổi");
    hoa.says("buổi mới");
    hoa.press("Lưu");
    hoa.says("Đã lưu");
    hoa.says("Chúc mừng hội làng");
    hoa.go(&format!("/lich-phat/ngay/{date}/buoi/chuc-mung-hoi-lang/bo"));
    hoa.press("Lưu");
    hoa.says("Đã lưu");
    assert!(!hoa.text().contains("Chúc mừng"), "{}", hoa.text());
}
