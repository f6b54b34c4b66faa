//! Người dùng.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::date;

/// What the page is for.
pub const INTRO: &str = "Mỗi người một tên riêng, để nhật ký ghi đúng ai đã làm gì. Tài khoản đã ngừng vẫn được giữ tên trong nhật ký.";
/// Those who are.
pub const PRESENT: &str = "Đang dùng";
/// Those who were.
pub const LEFT: &str = "Đã ngừng";
/// Nobody has left.
pub const NOBODY_LEFT: &str = "Chưa có ai.";
/// What a person is.
pub const ROLES: &str = "Vai trò";
/// Adding somebody.
pub const ADD: &str = "Thêm người";
/// Adds them.
pub const ADD_NOW: &str = "Thêm và tạo liên kết";
/// What happens then.
pub const ADD_MEANS: &str = "Sau khi thêm, trang sẽ hiện một liên kết dùng một lần để người đó tự đặt mật khẩu. Không ai khác biết mật khẩu của họ.";
/// They have a password.
pub const HAS_PASSWORD: &str = "đã đặt mật khẩu";
/// They have none.
pub const NO_PASSWORD: &str = "chưa đặt mật khẩu";
/// It is the one who looks.
pub const YOU: &str = "chính bạn";
/// Changes a person's roles.
pub const CHANGE_ROLES: &str = "Lưu vai trò";
/// A new link.
pub const NEW_LINK: &str = "Tạo liên kết đặt mật khẩu";
/// A token for a program.
pub const NEW_TOKEN: &str = "Tạo mã truy cập cho phần mềm";
/// Ends tokens and logins.
pub const END_ALL: &str = "Thu hồi mọi mã và đăng xuất mọi máy";
/// Ends them, really.
pub const END_ALL_NOW: &str = "Vâng, thu hồi và đăng xuất";
/// A secret was made from this page before, and is not shown again.
pub const SHOWN_BEFORE: &str = "Đã tạo rồi và chỉ hiện một lần; lần tải lại này không tạo thêm. Nếu chưa kịp chép, hãy mở lại trang của người này và tạo cái mới.";
/// Lets a person go.
pub const REVOKE: &str = "Ngừng tài khoản";
/// Lets them go, really.
pub const REVOKE_NOW: &str = "Vâng, ngừng tài khoản";
/// The link's heading.
pub const LINK_TITLE: &str = "Liên kết đặt mật khẩu";
/// The token's heading.
pub const TOKEN_TITLE: &str = "Mã truy cập";
/// A token is shown once.
pub const TOKEN_ONCE: &str =
    "Mã này chỉ hiện một lần; máy không giữ lại. Hãy chép vào phần mềm cần dùng ngay bây giờ.";
/// Copies the link.
pub const COPY_LINK: &str = "Sao chép liên kết";
/// Copies the token.
pub const COPY_TOKEN: &str = "Sao chép mã";
/// It is copied.
pub const COPIED: &str = "Đã sao chép";
/// Hands it to another program, as to messages.
pub const SHARE: &str = "Gửi bằng ứng dụng khác";
/// Back to the people.
pub const BACK: &str = "Về danh sách người dùng";
/// What a person has done of late.
pub const ACTS: &str = "Thao tác gần đây";
/// Columns of the acts.
pub const ACT_COLUMNS: [&str; 5] = ["Lúc", "Ai", "Việc", "Đối tượng", "Từ đâu"];

/// The link has the address by which the machine calls itself.
pub const LINK_ONLY_HERE: &str = "Liên kết này mang địa chỉ riêng của máy phát, nên chỉ mở được trên chính máy này. Để người ấy mở bằng điện thoại hay máy khác, hãy vào loa bằng địa chỉ mà các máy khác dùng rồi tạo liên kết mới; nếu không, hãy để người ấy đặt mật khẩu ngay trên máy này.";

/// A link for a person.
pub fn link_for(name: &str, days: i64) -> String {
    format!(
        "Hãy gửi liên kết này cho {name}. Liên kết dùng được một lần và hết hạn sau {days} ngày. Trang này chỉ hiện một lần."
    )
}

/// Back to a person's page.
pub fn to_person(name: &str) -> String {
    format!("Mở trang của {name}")
}

/// They have these roles now.
pub fn roles_kept(name: &str, roles: &str) -> String {
    format!("Đã lưu vai trò của {name}: {roles}.")
}

/// Whether to end somebody's tokens and logins.
pub fn end_all_question(name: &str) -> String {
    format!(
        "Thu hồi mọi mã truy cập của {name} và đăng xuất mọi máy đang dùng tên này? Phần mềm dùng mã cũ sẽ không làm việc được nữa; {name} đăng nhập lại bằng mật khẩu như thường. Lịch phát không thay đổi."
    )
}

/// Their tokens and logins ended.
pub fn all_ended(name: &str) -> String {
    format!("Đã thu hồi mọi mã truy cập của {name} và đăng xuất mọi máy.")
}

/// Whether to let somebody go.
pub fn revoke_question(name: &str) -> String {
    format!(
        "Ngừng tài khoản của {name}? Mật khẩu, mã truy cập và mọi máy đang đăng nhập của người này hết hiệu lực ngay. Tên vẫn được giữ trong nhật ký và không dùng lại được. Lịch phát không thay đổi."
    )
}

/// Somebody has left: when, and who ended their account.
pub fn has_left(name: &str, at: Timestamp, by: Option<&str>, zone: &TimeZone) -> String {
    let at = date::moment(at, zone);
    match by {
        Some(by) => format!("Tài khoản {name} đã ngừng vào {at}, do {by} thực hiện."),
        None => format!("Tài khoản {name} đã ngừng vào {at}."),
    }
}

/// From where something was done.
pub fn origin(origin: &str) -> &str {
    match origin {
        "command line" => "dòng lệnh trên máy",
        "unknown" => "không rõ",
        address => address,
    }
}

/// What was done, from its code.
pub fn act(code: &str) -> &str {
    match code {
        "segment.add" => "nộp bản ghi",
        "segment.describe" => "sửa thông tin bản ghi",
        "segment.submit" => "gửi duyệt bản ghi",
        "segment.approve" => "duyệt bản ghi",
        "segment.return" => "trả lại bản ghi",
        "segment.withdraw" => "thu hồi bản ghi",
        "segment.discard" => "bỏ bản nháp",
        "interrupt.live" => "phát ngay",
        "interrupt.emergency" => "phát khẩn cấp",
        "interrupt.call-off" => "trả lại sóng",
        "output.stop" => "dừng mục đang phát",
        "schedule.session" => "sửa buổi phát",
        "schedule.session-add" => "thêm buổi phát",
        "schedule.session-remove" => "bỏ buổi phát",
        "schedule.slot" => "sửa mục trong buổi",
        "schedule.slot-add" => "thêm mục vào buổi",
        "schedule.slot-remove" => "bỏ mục khỏi buổi",
        "schedule.slot-move" => "đổi thứ tự mục trong buổi",
        "schedule.day" => "sửa lịch ngày đặc biệt",
        "schedule.day-remove" => "bỏ lịch ngày đặc biệt",
        "schedule.undo" => "hoàn tác một lần sửa lịch",
        "schedule.by-hand" => "sửa tệp bằng tay",
        "user.add" => "thêm người dùng",
        "user.roles" => "đổi vai trò",
        "user.link" => "tạo liên kết đặt mật khẩu",
        "user.password" => "đặt mật khẩu",
        "user.token" => "tạo mã truy cập",
        "user.end-all" => "thu hồi mã và đăng xuất",
        "user.revoke" => "ngừng tài khoản",
        "sign-in" => "đăng nhập",
        "clock.confirm" => "xác nhận giờ của máy",
        "log.verify" => "kiểm tra nhật ký",
        other => other,
    }
}
