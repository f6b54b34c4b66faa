//! What was typed into a form whose login had ended meanwhile.

use super::{log, recordings, signin};
use crate::text::page::editing::form;

/// The page's heading.
pub const TITLE: &str = "Gửi lại những gì đã gõ?";
/// What happened, and what to do.
pub const NOT_YET: &str = "Lúc bạn gửi thì phiên đăng nhập trước đã hết, nên chưa có gì thay đổi, lịch phát không bị ảnh hưởng. Hãy xem lại những gì đã gõ trên máy này rồi bấm “Gửi lại”.";
/// Sends it.
pub const SEND: &str = "Gửi lại";
/// In whose name it is sent.
pub const IN_THE_NAME_OF: &str = "Gửi với tên";
/// The recording that it is about.
pub const RECORDING: &str = "Bản ghi";
/// The person that it is about.
pub const PERSON: &str = "Người dùng";
/// Leaves it.
pub const LEAVE: &str = "Thôi, bỏ những gì đã gõ";
/// Above name and password, where a form is kept.
pub const SIGN_IN: &str = "Phiên đăng nhập đã hết, nên những gì vừa gửi chưa được lưu, lịch phát không bị ảnh hưởng. Những gì bạn vừa gõ vẫn còn: hãy đăng nhập, rồi bấm “Gửi lại”.";
/// Above name and password, where nothing was typed.
pub const AGAIN: &str = "Phiên đăng nhập đã hết, nên việc bạn vừa bấm chưa được làm, lịch phát không bị ảnh hưởng. Hãy đăng nhập rồi làm lại; nếu đang gửi tệp thì chọn lại tệp.";

/// On the page on which something was pressed too late, after signing in again.
pub const IN_VAIN: &str = "Việc bạn bấm trước khi đăng nhập lại chưa được làm, lịch phát không bị ảnh hưởng. Hãy xem lại trang này; nếu vẫn cần thì bấm lại.";

/// What will be done, from the address and the button.
pub fn what(address: &str, then: &str) -> &'static str {
    match address.rsplit('/').next().unwrap_or_default() {
        _ if is_of_the_calendar(address) => "Mở lại biểu mẫu của lịch phát với những gì đã gõ; chưa lưu gì.",
        "nguoi-dung" => "Thêm người dùng.",
        "vai-tro" => "Lưu vai trò.",
        "tra-lai" => "Trả lại bản ghi cho người nộp.",
        "thu-hoi" => "Thu hồi bản ghi.",
        _ if then == "submit" => "Lưu thông tin bản ghi và gửi duyệt.",
        _ => "Lưu thông tin bản ghi.",
    }
}

fn is_of_the_calendar(address: &str) -> bool {
    address.starts_with("/lich-phat")
}

/// What a field of the form at an address is called; none where it is only a code.
pub fn label(address: &str, field: &str) -> Option<&'static str> {
    Some(match field {
        "title" | "replace_title" => form::TITLE,
        "programme" => recordings::PROGRAMME,
        "week" => recordings::send::WEEK,
        "topic" => recordings::one::TOPIC,
        "genre" => recordings::one::GENRE,
        "author" => recordings::one::AUTHOR,
        "source" => recordings::one::SOURCE,
        "valid_from" if is_of_the_calendar(address) => log::FROM,
        "valid_until" if is_of_the_calendar(address) => log::TO,
        "valid_from" => recordings::one::VALID_FROM,
        "valid_until" => recordings::one::VALID_UNTIL,
        "script" => recordings::one::SCRIPT,
        "reason" => "Lý do",
        "name" => signin::NAME,
        "role" => super::people::ROLES,
        "from" => form::FROM,
        "to" => form::TO,
        "at" => form::AT,
        "recording" => form::RECORDING,
        _ => return None,
    })
}
