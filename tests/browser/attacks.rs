//! What others try: a script in a title, a form on another site, the address of another role.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;

use crate::PASSWORD;
use crate::driver::Driver;
use crate::rig::{Browser, Program};

/// A title that would run if any page took it for more than text.
const TITLE: &str = "<script>window.caught=1</script><img src=x onerror='window.caught=1'>\"><b>";
/// The pages that name recordings.
const PAGES: [&str; 8] = [
    "/",
    "/lich-phat",
    "/lich-phat/in",
    "/ban-ghi",
    "/duyet",
    "/phat-ngay?search=script",
    "/nhat-ky",
    "/nguoi-dung",
];

/// A site of somebody else, whose every page sends a form to an address of ours as soon as it is opened.
fn forgery(target: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let page = format!(
        "<form method=post action='{target}'><input name=key value=0><button>Trúng thưởng</button></form>
         <script>document.forms[0].submit()</script>"
    );
    std::thread::spawn(move || {
        for mut visitor in listener.incoming().map_while(Result::ok) {
            let _request = visitor.read(&mut [0; 4096]);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n",
                page.len()
            );
            let _sent = visitor.write_all((head + &page).as_bytes());
        }
    });
    address
}

/// Two seconds that are in no other recording.
fn tone(path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for frame in 0..16_000_i16 {
        writer.write_sample(frame % 20 * 800 - 8_000).unwrap();
    }
    writer.finalize().unwrap();
}

#[test]
fn a_title_is_text_a_foreign_form_is_refused_and_a_role_ends_where_it_ends() {
    let (driver, program) = (Driver::start(), Program::demo());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("\"><svg onload=window.caught=1>.wav");
    tone(&file);
    let added =
        ["segment", "add", file.to_str().unwrap(), "--programme", "ban-tin", "--title", TITLE, "--by", "an"];
    program.run(&added);
    let list: Value = serde_json::from_str(&program.run(&["segment", "list", "--format", "json"])).unwrap();
    let ours = list.as_array().unwrap().iter().find(|segment| segment["words"]["title"] == TITLE).unwrap();
    program.run(&["segment", "approve", ours["file"].as_str().unwrap(), "--by", "minh"]);
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);

    hoa.press("Người dùng");
    hoa.fill("name", "lan");
    for role in ["Người biên soạn", "Người duyệt"] {
        hoa.press(role);
    }
    hoa.press("Thêm và tạo liên kết");
    hoa.find("//*[contains(@class, 'secret')]");
    let link = hoa.script("return document.querySelector('.secret').textContent");
    let link = link.as_str().unwrap().strip_prefix(&program.address).unwrap().to_owned();
    for path in PAGES {
        hoa.go(path);
        hoa.find("//main");
        assert!(hoa.script("return window.caught ?? null").is_null(), "{path} ran a title");
    }
    hoa.go("/ban-ghi");
    hoa.says("<script>window.caught=1</script>");

    // Another site in the same browser: the cookie goes along, and is not enough.
    hoa.go_elsewhere(&forgery(&format!("{}/nguoi-dung/lan/thoi-viec", program.address)));
    hoa.says("Chưa có gì thay đổi");
    assert!(program.run(&["user", "list"]).contains("lan"));

    let lan = Browser::open(&driver, &program);
    lan.set_password(&link, None, PASSWORD);
    for path in ["/nguoi-dung", "/nguoi-dung/hoa", "/lich-phat/buoi/sang", "/lich-phat/buoi-moi"] {
        lan.go(path);
        lan.says("Không có quyền");
    }
}
