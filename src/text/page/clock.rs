//! Giờ của máy: what a person confirms where the log has later times.

/// The page.
pub const TITLE: &str = "Giờ của máy";
/// Why it is asked for.
pub const WHY: &str = "Nhật ký có dòng ghi ở giờ muộn hơn giờ của máy, nên máy không biết giờ nào đúng. Trong lúc chưa biết, các buổi phát theo lịch không lên loa.";
/// What the machine's clock shows.
pub const MACHINE: &str = "Giờ của máy lúc mở trang này";
/// The log's newest time.
pub const NEWEST: &str = "Giờ mới nhất trong nhật ký";
/// How to know.
pub const COMPARE: &str = "Hãy so giờ của máy với điện thoại hoặc đồng hồ khác: cả ngày, tháng và năm.";
/// What to do where the machine's is wrong.
pub const NOT_IF_WRONG: &str =
    "Nếu giờ của máy sai thì đừng xác nhận. Hãy nối mạng để máy tự lấy giờ, hoặc chỉnh lại giờ trên máy.";
/// Over what confirming does.
pub const MEANS: &str = "Nếu giờ của máy đúng và được xác nhận";
/// The schedule airs.
pub const BY_THIS_TIME: &str = "Các buổi phát theo lịch lại lên loa theo giờ của máy, từ ngay lúc này: buổi nào đang trong giờ phát thì phát tiếp từ chỗ lẽ ra đang phát.";
/// Nothing is removed, and it is known who did it.
pub const KEPT: &str = "Nhật ký không mất dòng nào. Việc xác nhận được ghi lại với tên người xác nhận.";
/// Does it.
pub const CONFIRM: &str = "Giờ của máy đúng, xác nhận";
/// The page stood too long, or the clock was set.
pub const LOOK_AGAIN: &str =
    "Chưa xác nhận: trang đã mở quá lâu, hoặc giờ của máy vừa được chỉnh. Hãy xem lại giờ dưới đây.";

/// What the log says did not air, and may; the schedule may have no time or no recording for some.
pub fn reopens(count: usize) -> String {
    match count {
        0 => "Nhật ký không ghi “không phát” cho mục nào còn ở phía trước, nên không có mục nào phải mở lại."
            .to_owned(),
        count => format!(
            "{count} mục chưa hết giờ mà nhật ký đã ghi “không phát” được mở lại; mục nào phát được theo lịch thì vẫn phát:"
        ),
    }
}

/// So many more.
pub fn others(count: usize) -> String {
    format!("và {count} mục khác")
}

/// What sounded already, of what is still to come.
pub fn heard(count: usize) -> String {
    format!("{count} mục còn ở phía trước đã lên loa khi đồng hồ chạy sai, nên không phát lại.")
}

/// It was done.
pub fn confirmed(reopened: usize) -> String {
    let again = match reopened {
        0 => String::new(),
        count => {
            format!(" {count} mục chưa hết giờ được mở lại; mục nào phát được theo lịch thì vẫn phát.")
        }
    };
    format!("Đã ghi nhận giờ của máy là đúng.{again} Các buổi phát theo lịch lên loa theo giờ này.")
}
