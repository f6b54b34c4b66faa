//! Người dùng: how people come in, and go.

use crate::PASSWORD;
use crate::driver::{Driver, eventually};
use crate::rig::{Browser, Program};

#[test]
fn the_first_administrator_comes_in_once_and_others_after_them() {
    let (driver, program) = (Driver::start(), Program::demo());
    let admin = Browser::open(&driver, &program);
    admin.go("/");
    assert_eq!(admin.path(), "/dang-nhap?sau=%2F", "nobody sees anything before");
    admin.look("dang-nhap");
    admin.go(&program.first_link);
    admin.look("bat-dau");
    admin.fill("name", "hoa");
    admin.fill("password", "hoa");
    admin.fill("again", "hoa");
    admin.script("document.querySelector('form').noValidate = true");
    admin.press("Lưu mật khẩu và đăng nhập");
    admin.says("Mật khẩu cần ít nhất 10 ký tự");
    admin.set_password(&program.first_link, Some("hoa"), PASSWORD);
    admin.says("Hôm nay");

    let late = Browser::without_scripts(&driver, &program);
    late.go(&program.first_link);
    late.says("Liên kết này đã được dùng");

    admin.press("Người dùng");
    admin.fill("name", "lan");
    admin.press("Người biên soạn");
    admin.press("Thêm và tạo liên kết");
    admin.find("//*[contains(@class, 'secret')]");
    admin.look("lien-ket");
    admin.press("Sao chép liên kết");
    admin.says("Đã sao chép");
    assert!(!admin.text().contains("Gửi bằng ứng dụng khác"), "no button that this browser has nothing for");
    let link = admin.script("return document.querySelector('.secret').textContent");
    let link = link.as_str().unwrap().strip_prefix(&program.address).unwrap().to_owned();
    late.set_password(&link, None, PASSWORD);
    late.says("Hôm nay");
    assert!(!late.text().contains("Người dùng"), "an uploader has no such page");
    late.go("/nguoi-dung");
    late.says("Không có quyền");
    late.press("Về trang Hôm nay");

    admin.press("Về danh sách người dùng");
    admin.look("nguoi-dung");
    admin.press("lan");
    admin.press("Ngừng tài khoản");
    admin.look("thoi-viec");
    admin.press("Vâng, ngừng tài khoản");
    admin.says("Đã ngừng");
    late.go("/");
    late.says("Tên đăng nhập");
    late.sign_in("lan", PASSWORD);
    late.says("Tên đăng nhập hoặc mật khẩu không đúng");

    admin.go("/nguoi-dung/hoa/thoi-viec");
    admin.press("Vâng, ngừng tài khoản");
    admin.says("Đây là người quản trị cuối cùng");
    admin.look("loi");
    admin.go("/");
    admin.press("Đăng xuất");
    // Leaving before the station has answered would take the press back.
    admin.says("Tên đăng nhập");
    admin.go("/");
    admin.says("Tên đăng nhập");
}

#[test]
fn what_was_typed_when_the_login_ended_is_sent_after_signing_in_again() {
    let (driver, program) = (Driver::start(), Program::demo());
    let typing = Browser::without_scripts(&driver, &program);
    typing.set_password(&program.first_link, Some("hoa"), PASSWORD);
    typing.go("/nguoi-dung");
    typing.fill("name", "lan");
    typing.press("Người biên soạn");
    let other = Browser::open(&driver, &program);
    let link = program.run(&["user", "link", "hoa", "--at", &program.address]);
    let (_, link) = link.trim().rsplit_once("/bat-dau/").unwrap();
    other.set_password(&format!("/bat-dau/{link}"), None, PASSWORD);
    typing.press("Thêm và tạo liên kết");
    typing.says("Những gì bạn vừa gõ vẫn còn");
    typing.fill("name", "hoa");
    typing.fill("password", PASSWORD);
    typing.press("Đăng nhập");
    typing.says("Gửi lại những gì đã gõ?");
    typing.says("Người biên soạn");
    typing.press("Gửi lại");
    typing.says("Hãy gửi liên kết này cho lan");

    // Signed in anew in another tab: the browser says that the form is ours.
    other.go("/nguoi-dung");
    other.fill("name", "minh");
    other.press("Người duyệt");
    other.script(&format!(
        "return fetch('/dang-nhap', {{ method: 'POST', body: new URLSearchParams({{ name: 'hoa', password: '{PASSWORD}' }}) }})
             .then((answer) => answer.status)"
    ));
    other.press("Thêm và tạo liên kết");
    other.says("Gửi lại những gì đã gõ?");
    other.look("gui-lai");
    other.press("Gửi lại");
    other.says("Hãy gửi liên kết này cho minh");
}

#[test]
fn what_was_typed_stays_on_the_page_when_the_login_ends_and_is_offered_after_signing_in() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    // As in a second tab.
    let sign_out = "return fetch('/dang-xuat', { method: 'POST', body: new URLSearchParams({ key: document.querySelector('[name=key]').value }) })
        .then((answer) => answer.status)";
    hoa.go("/nguoi-dung");
    hoa.fill("name", "lan");
    hoa.press("Người biên soạn");
    hoa.script(sign_out);
    hoa.says("Những gì bạn gõ vẫn còn trên trang này");
    hoa.look("het-phien-dang-go");
    assert_eq!(hoa.path(), "/nguoi-dung");
    assert_eq!(hoa.script("return document.querySelector('main [name=name]').value"), "lan");
    hoa.press("Thêm và tạo liên kết");
    hoa.says("Những gì bạn vừa gõ vẫn còn");
    hoa.fill("name", "hoa");
    hoa.fill("password", "nắng mưa bất chợt");
    hoa.press("Đăng nhập");
    hoa.says("Tên đăng nhập hoặc mật khẩu không đúng");
    // What is new is read first.
    let is_read = "return document.activeElement.matches('[role=alert]')";
    eventually(|| "the focus on what is new".to_owned(), || hoa.script(is_read).as_bool().filter(|is| *is));
    hoa.fill("name", "hoa");
    hoa.fill("password", PASSWORD);
    hoa.press("Đăng nhập");
    hoa.says("Gửi lại những gì đã gõ?");
    hoa.press("Gửi lại");
    hoa.says("Hãy gửi liên kết này cho lan");

    // A file that was chosen, too.
    hoa.go("/ban-ghi/gui");
    hoa.attach("file", concat!(env!("CARGO_MANIFEST_DIR"), "/audio/ban-tin.ogg"));
    hoa.script(sign_out);
    hoa.says("Các tệp còn lại, hãy đăng nhập rồi chọn lại");
    assert_eq!(hoa.script("return document.querySelector('[type=file]').files.length"), 1);
    hoa.press("Đăng nhập lại");
    hoa.says("Đăng nhập");
    assert!(hoa.path().starts_with("/dang-nhap"), "{}", hoa.path());

    // Where there is nothing to lose, it is asked for at once.
    hoa.sign_in("hoa", PASSWORD);
    hoa.find("//nav");
    hoa.go("/ban-ghi/gui");
    hoa.script(sign_out);
    hoa.find("//input[@name='password']");
}
