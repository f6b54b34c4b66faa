//! Nhật ký: what aired and what did not, and taking it home.

use crate::PASSWORD;
use crate::driver::{Driver, eventually};
use crate::rig::{Browser, Program};
use serde_json::Value;

#[test]
fn the_log_shows_what_was_interrupted_and_by_whom() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    hoa.find("//progress");
    hoa.press("Khẩn cấp: Cảnh báo");
    hoa.press("PHÁT KHẨN CẤP NGAY");
    hoa.says("ĐANG PHÁT KHẨN CẤP");
    hoa.press("Trả lại sóng");
    hoa.press("Nhật ký");
    // Without reloading, once the cue that was cut is over.
    hoa.says("bị bản tin khẩn cấp chen ngang");
    hoa.find("//tr[contains(@class, 'extra')][contains(., 'Cảnh báo lũ')][contains(., 'hoa')]");
    hoa.look("nhat-ky");
    let whole = "const badge = getComputedStyle(document.querySelector('.log .extra td:nth-child(4)'), '::before').whiteSpace,
            row = document.querySelector('.log tbody tr:not(.group)').getBoundingClientRect(),
            what = document.querySelector('.log tbody tr:not(.group) td:nth-child(4)').getBoundingClientRect();
        return [badge, what.width > 0.8 * row.width]";
    assert_eq!(
        hoa.script_on_phone(whole),
        serde_json::json!(["nowrap", true]),
        "what it was has room, and its badge is one word"
    );
    let fits = "document.querySelector('.log tr:not(.group) td:nth-child(4)').firstChild.textContent = 'x'.repeat(120);
        return document.querySelector('.log').scrollWidth <= innerWidth";
    assert_eq!(hoa.script_on_phone(fits), Value::Bool(true), "one long word leaves room for the outcome");
    hoa.go("/nhat-ky/thao-tac");
    hoa.look("thao-tac");
    let fits = "return document.querySelector('.acts').scrollWidth <= innerWidth";
    assert_eq!(hoa.script_on_phone(fits), Value::Bool(true), "nobody pushes the acts sideways");
    hoa.go("/nhat-ky");
    let room = "return document.querySelector('#log').getBoundingClientRect().top - document.querySelector('.days').getBoundingClientRect().bottom";
    let room = hoa.script_on_phone(room).as_f64().unwrap();
    assert!(room < 100.0, "the log stands {room} px below the day on a phone");
    hoa.press("Công cụ");
    hoa.press("Lọc");
    hoa.fill("text", "canh bao lu");
    hoa.press_on("//form[contains(@class, 'filter')]//button");
    hoa.find("//table[count(tbody/tr) = 1]//tr[contains(., 'Cảnh báo lũ')]");

    let file = |format: &str| {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             const [from, to] = ['from', 'to'].map((name) => document.querySelector(`[name=${{name}}]`).value);
             fetch(`/nhat-ky/tai-ve?from=${{from}}&to=${{to}}&format={format}`).then((answer) => answer.arrayBuffer())
               .then((bytes) => done([...new Uint8Array(bytes)]))"
        );
        let bytes: Vec<u8> = serde_json::from_value(hoa.later(&script)).unwrap();
        bytes
    };
    let csv = file("csv");
    assert!(csv.starts_with("\u{feff}STT;Ngày;Buổi;".as_bytes()));
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.contains("Ngoài lịch;") && csv.contains("theo lệnh của hoa"), "{csv}");
    let mut book = zip::ZipArchive::new(std::io::Cursor::new(file("xlsx"))).unwrap();
    assert!(book.by_name("xl/worksheets/sheet1.xml").is_ok());

    hoa.press("Công cụ");
    hoa.look("nhat-ky-cong-cu");
    hoa.press("Bản in sổ nhật ký");
    hoa.says("SỔ NHẬT KÝ PHÁT THANH");
    hoa.look("nhat-ky-in");
    let one_line = "const [time] = [...document.querySelectorAll('.logbook td')].filter((cell) => /^\\d\\d:\\d\\d:\\d\\d$/.test(cell.textContent));
        const text = document.createRange(); text.selectNodeContents(time); return text.getClientRects().length";
    assert_eq!(hoa.script(one_line).as_u64(), Some(1), "a time is not cut in two");
    assert_eq!(hoa.print("nhat-ky-in"), 1);
    // A day of fourteen pieces with long words.
    hoa.script(
        "const body = document.querySelector('.logbook tbody'), rows = [...body.rows];
         while (body.rows.length < 13) body.append(rows[body.rows.length % rows.length].cloneNode(true));
         for (const row of body.rows) {
           row.cells[1].textContent = 'Buổi phát thanh sáng thứ Hai đến thứ Bảy';
           row.cells[6].textContent = 'Chuyển đổi số là gì? – chuyện gần gũi quanh ta, số đầu tiên';
           row.cells[11].textContent = 'bị bản tin khẩn cấp chen ngang; theo lệnh của hoa';
         }",
    );
    assert_eq!(hoa.print("nhat-ky-in-dai"), 2);
    hoa.press("Về nhật ký ngày này");
    hoa.press("Kiểm tra nhật ký có nguyên vẹn không");
    hoa.says("Nhật ký nguyên vẹn");

    let plain = Browser::without_scripts(&driver, &program);
    plain.sign_in("hoa", PASSWORD);
    plain.press("Nhật ký");
    eventually(|| plain.text(), || plain.text().contains("ngoài lịch 1").then_some(()));
    plain.press("Ngày trước");
    plain.says("Nhật ký không có mục nào trong ngày này");
}
