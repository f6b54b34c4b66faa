//! Signing in, and setting a password.

use std::time::Duration;

use jiff::SignedDuration;

use super::date::wait;
use crate::access::password::{LONGEST, SHORTEST, Weak};

/// The person's name at the station.
pub const NAME: &str = "Tên đăng nhập";
/// The password.
pub const PASSWORD: &str = "Mật khẩu";
/// The password, once more.
pub const AGAIN: &str = "Nhập lại mật khẩu";
/// Signs in.
pub const ENTER: &str = "Đăng nhập";
/// For who has none, or forgot it.
pub const FORGOT: &str =
    "Chưa có mật khẩu hoặc quên mật khẩu? Hãy xin người quản trị của đài một liên kết đặt mật khẩu.";
/// Name or password is wrong; which is not said.
pub const WRONG: &str = "Tên đăng nhập hoặc mật khẩu không đúng. Hãy thử lại.";
/// The first administrator of a station.
pub const FIRST_TITLE: &str = "Người quản trị đầu tiên";
/// What that is.
pub const FIRST_INTRO: &str = "Đài này chưa có người quản trị. Hãy đặt tên và mật khẩu cho người quản trị; người này thêm những người khác và giao vai trò. Liên kết này chỉ dùng được một lần.";
/// Setting a password.
pub const SET_TITLE: &str = "Đặt mật khẩu";
/// Which names can be.
pub const NAME_RULE: &str =
    "Chữ cái không dấu, chữ số và các dấu - _ . ; ví dụ: lan, minh.hoa. Tên này sẽ đứng trong nhật ký.";
/// Keeps it.
pub const KEEP: &str = "Lưu mật khẩu và đăng nhập";
/// The two passwords differ.
pub const DIFFERENT: &str = "Hai lần nhập mật khẩu không giống nhau. Hãy nhập lại.";
/// The link is none any more.
pub const LINK_GONE_TITLE: &str = "Liên kết không còn dùng được";
/// What to do about it.
pub const LINK_GONE: &str = "Liên kết này đã được dùng, đã hết hạn hoặc đã bị thay bằng liên kết mới. Hãy xin người quản trị một liên kết mới. Lịch phát không bị ảnh hưởng.";

/// Which passwords can be.
pub fn password_rule() -> String {
    format!(
        "Ít nhất {SHORTEST} ký tự, không chứa tên đăng nhập và không chỉ lặp vài ký tự. Một câu ngắn dễ nhớ là tốt nhất."
    )
}

/// For whom a first password is set.
pub fn first_password(name: &str) -> String {
    format!("Đặt mật khẩu cho {name}. Liên kết này chỉ dùng được một lần.")
}

/// For whom a password is set in place of another.
pub fn new_password(name: &str) -> String {
    format!(
        "Đặt mật khẩu mới cho {name}. Mọi máy đang đăng nhập bằng mật khẩu cũ sẽ bị đăng xuất. Liên kết này chỉ dùng được một lần."
    )
}

/// Why a password is not taken.
pub fn weak(weak: Weak) -> String {
    match weak {
        Weak::Short => format!("Mật khẩu cần ít nhất {SHORTEST} ký tự. Hãy chọn mật khẩu dài hơn."),
        Weak::Long => format!("Mật khẩu dài nhất {LONGEST} ký tự. Hãy chọn mật khẩu ngắn hơn."),
        Weak::Guessable => {
            "Mật khẩu này quá dễ đoán: có chứa tên đăng nhập hoặc chỉ lặp vài ký tự. Hãy chọn mật khẩu khác."
                .to_owned()
        }
    }
}

/// Too many wrong guesses.
pub fn too_many(left: Duration) -> String {
    let left = SignedDuration::try_from(left).unwrap_or(SignedDuration::MAX) + SignedDuration::from_secs(1);
    format!("Đã nhập sai nhiều lần. Hãy đợi {} rồi thử lại.", wait(left))
}

/// Where the first administrator comes in; printed on the console of the machine.
pub fn first_link(address: &str) -> String {
    format!(
        "Trang điều khiển chưa có người quản trị. Mở liên kết này trong trình duyệt để tạo người quản trị đầu tiên (dùng một lần):\n  {address}"
    )
}

/// Where a person sets their password.
pub fn link(name: &str, address: &str, days: i64) -> String {
    format!("Liên kết đặt mật khẩu cho {name} (dùng một lần, hết hạn sau {days} ngày):\n  {address}")
}
