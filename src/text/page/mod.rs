//! What the console's pages say.

pub mod air;
pub mod calendar;
pub mod clock;
pub mod date;
pub mod editing;
pub mod home;
pub mod log;
pub mod people;
pub mod recordings;
pub mod rehearsal;
pub mod signin;
pub mod unsent;

use crate::access::Role;

/// To the content, past the navigation, for who uses a keyboard.
pub const SKIP: &str = "Đến phần nội dung";
/// The list of pages.
pub const PAGES: &str = "Các trang";
/// Ends the login.
pub const SIGN_OUT: &str = "Đăng xuất";
/// An emergency has the air.
pub const EMERGENCY_ON_AIR: &str = "ĐANG PHÁT KHẨN CẤP";
/// A person has the air.
pub const LIVE_ON_AIR: &str = "Đang phát ngay, ngoài lịch";
/// The station does not answer, since a time that follows.
pub const LOST_SINCE: &str = "Mất liên lạc với máy phát từ";
/// What that means, and what to do.
pub const LOST_MEANS: &str = "Thông tin dưới đây đã cũ; loa có thể vẫn đang phát. Trang tự cập nhật khi có lại liên lạc. Hãy kiểm tra mạng, rồi xem máy phát còn chạy không.";
/// The login has ended while something was typed on the page, which is still there.
pub const ENDED: &str = "Phiên đăng nhập đã hết. Những gì bạn gõ vẫn còn trên trang này; hãy bấm nút như thường, máy sẽ hỏi đăng nhập lại. Các phần khác của trang không tự cập nhật nữa.";
/// The same where files were chosen or are being sent.
pub const ENDED_FILES: &str = "Phiên đăng nhập đã hết nên không gửi tiếp được. Tệp nào đã gửi hết thì máy vẫn nhận. Các tệp còn lại, hãy đăng nhập rồi chọn lại: máy gửi tiếp từ chỗ đang dở.";
/// To sign in, and come back.
pub const SIGN_IN_AGAIN: &str = "Đăng nhập lại";
/// To the page where an interrupt can be called off.
pub const TO_CALL_OFF: &str = "Xem và trả lại sóng";
/// To the page that an address belongs to.
pub const TO_ITS_PAGE: &str = "Mở trang đó";
/// Back to where somebody was when something was not done.
pub const TO_PAGE_BEFORE: &str = "Quay lại trang trước";
/// Back to the first page.
pub const TO_HOME: &str = "Về trang Hôm nay";
/// Leaves everything as it is.
pub const CANCEL: &str = "Thôi, quay lại";
/// There is no such page.
pub const NO_SUCH_PAGE: &str = "Không có trang này";

/// The pages' names.
pub mod names {
    /// What is on air, what comes, what is to be done.
    pub const HOME: &str = "Hôm nay";
    /// A person takes the air.
    pub const AIR: &str = "Phát ngay";
    /// The week.
    pub const CALENDAR: &str = "Lịch phát";
    /// What aired.
    pub const LOG: &str = "Nhật ký";
    /// The recordings.
    pub const RECORDINGS: &str = "Bản ghi";
    /// What waits for approval.
    pub const APPROVE: &str = "Duyệt";
    /// People.
    pub const PEOPLE: &str = "Người dùng";
    /// Signing in.
    pub const SIGN_IN: &str = "Đăng nhập";
}

/// A role.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Uploader => "Người biên soạn",
        Role::Approver => "Người duyệt",
        Role::Operator => "Người vận hành",
        Role::Auditor => "Người kiểm tra",
        Role::Admin => "Người quản trị",
    }
}

/// What somebody with a role may do.
pub fn role_means(role: Role) -> &'static str {
    match role {
        Role::Uploader => "nộp bản ghi và sửa thông tin bản ghi",
        Role::Approver => "duyệt, trả lại, nộp, thu hồi bản ghi; phát khẩn cấp; xem nhật ký",
        Role::Operator => {
            "phát ngay, phát khẩn cấp, dừng phát; sửa lịch; xác nhận giờ của máy; nộp, thu hồi bản ghi; xem nhật ký"
        }
        Role::Auditor => "xem nhật ký phát thanh và nhật ký thao tác",
        Role::Admin => {
            "quản lý người dùng, sửa lịch phát, xác nhận giờ của máy, xem mọi nhật ký; không duyệt bản ghi"
        }
    }
}

/// A text with a capital at its beginning, as a sentence has it.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
