//! Nhật ký phát thanh.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::date;
use crate::store::ActKind;

/// The day before.
pub const BEFORE: &str = "← Ngày trước";
/// The day after.
pub const AFTER: &str = "Ngày sau →";
/// Today.
pub const TODAY: &str = "Hôm nay";
/// The day that is looked at.
pub const DAY: &str = "Ngày";
/// One output.
pub const OUTPUT: &str = "Đường ra";
/// One programme.
pub const PROGRAMME: &str = "Chuyên mục";
/// One outcome.
pub const OUTCOME: &str = "Kết quả";
/// All of them.
pub const ALL: &str = "tất cả";
/// What was not as planned.
pub const DEVIATED: &str = "Chỉ những mục khác với lịch";
/// A part of the words.
pub const TEXT: &str = "Tìm chữ (không cần dấu)";
/// Shows it.
pub const SHOW: &str = "Xem";
/// The same, where it is said what is looked for.
pub const WORDS: &str = "Chữ";
/// What can be done with the day; folded on a phone.
pub const TOOLS: &str = "Công cụ: lọc, in, tải về";

/// What a filter leaves.
pub fn in_force(parts: &[(&str, Option<String>)], deviated: bool) -> String {
    let said = parts
        .iter()
        .filter_map(|(name, value)| Some(format!("{} “{}”", name.to_lowercase(), value.as_ref()?)));
    let said: Vec<_> = said.chain(deviated.then(|| DEVIATED.to_lowercase())).collect();
    format!("Đang lọc: {}.", said.join(", "))
}

/// Shows less of the day.
pub const FILTER: &str = "Lọc";
/// Everything of the day.
pub const NO_FILTER: &str = "Bỏ lọc";
/// Nothing was planned or aired.
pub const EMPTY: &str = "Nhật ký không có mục nào trong ngày này.";
/// The filter leaves nothing.
pub const NONE_SUCH: &str = "Không có mục nào như vậy trong ngày này.";
/// What a row's columns are.
pub const COLUMNS: [&str; 6] =
    ["Giờ theo lịch", "Giờ phát thực tế", "Lệch (giây)", "Mục", "Kết quả, lý do", "Duyệt, ra lệnh"];
/// Who approved it.
pub const APPROVED: &str = "duyệt";
/// Who ordered it.
pub const ORDERED: &str = "ra lệnh";
/// When it really sounded, where there is no column for it.
pub const REALLY: &str = "thực tế";
/// To the printed sheet.
pub const PRINT: &str = "Bản in sổ nhật ký";
/// Prints it.
pub const PRINT_NOW: &str = "In trang này";
/// Back to the day.
pub const BACK: &str = "Về nhật ký ngày này";
/// What people did.
pub const ACTS: &str = "Nhật ký thao tác";
/// The page before them.
pub const OLDER_ACTS: &str = "Thao tác cũ hơn";
/// The first page of them.
pub const NEWEST_ACTS: &str = "Thao tác mới nhất";
/// There are none.
pub const NO_ACTS: &str = "Không có thao tác nào.";
/// Who did them.
pub const BY: &str = "Người làm";
/// What they are about.
pub const KIND: &str = "Loại việc";
/// What is shown where nobody asks for a kind.
pub const BUT_SIGN_INS: &str = "tất cả, trừ đăng nhập";

/// A kind of acts.
pub fn act_kind(kind: ActKind) -> &'static str {
    match kind {
        ActKind::Recordings => "bản ghi",
        ActKind::Air => "phát ngay, dừng phát",
        ActKind::Schedule => "lịch phát",
        ActKind::People => "người dùng",
        ActKind::SignIns => "đăng nhập",
    }
}

/// What was verified.
pub const WHOLE: &str = "toàn bộ nhật ký phát thanh";
/// What was undone, by its number.
pub fn revision(number: &str) -> String {
    format!("lần sửa lịch số {number}")
}
/// Back to what aired.
pub const TO_LOG: &str = "Về nhật ký phát thanh";
/// Taking the log home.
pub const EXPORT: &str = "Tải nhật ký về";
/// The first day of it.
pub const FROM: &str = "Từ ngày";
/// And the last.
pub const TO: &str = "Đến hết ngày";
/// As a workbook.
pub const XLSX: &str = "Tải tệp Excel (XLSX)";
/// As text.
pub const CSV: &str = "Tải tệp CSV";
/// They have what the filter leaves.
pub const EXPORT_FILTERED: &str =
    "Tệp chỉ có những mục đúng với bộ lọc đang dùng ở trên. Muốn tải tất cả, hãy bấm “Bỏ lọc” trước.";
/// What the two are.
pub const EXPORT_MEANS: &str = "Tệp Excel có ngày, giờ, thời lượng đúng kiểu để lọc và tính. Tệp CSV mở được bằng Excel và mọi phần mềm bảng tính. Mỗi lần tải được nhiều nhất một năm.";
/// Whether the log is whole.
pub const VERIFY: &str = "Kiểm tra nhật ký có nguyên vẹn không";
/// What that is.
pub const VERIFY_MEANS: &str = "Máy đọc lại toàn bộ nhật ký và so mã nối tiếp của từng dòng: nếu có ai sửa, xóa hay chèn dòng nào, máy sẽ thấy và báo. Việc này có thể mất một phút; loa vẫn phát bình thường.";
/// Its answer's heading.
pub const VERIFIED: &str = "Kiểm tra nhật ký";
/// The sheet's heading.
pub const SHEET: &str = "SỔ NHẬT KÝ PHÁT THANH";
/// Who was there, by hand.
pub const ON_DUTY: &str = "Người trực";
/// Who answers for it, by hand.
pub const IN_CHARGE: &str = "Phụ trách đài";
/// How to sign.
pub const SIGN: &str = "(ký, ghi rõ họ tên)";

/// Columns of the paper log that a sheet has room for, by their places among all.
pub const ON_PAPER: [usize; 13] = [0, 2, 3, 4, 5, 6, 7, 10, 13, 14, 16, 17, 18];

/// A day in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// What the log has of the schedule.
    pub planned: usize,
    /// Aired whole.
    pub aired: usize,
    /// Aired in part.
    pub partly: usize,
    /// Withdrawn from the air.
    pub withdrawn: usize,
    /// Not aired.
    pub not_aired: usize,
    /// On the air.
    pub on_air: usize,
    /// Ordered by people, out of the schedule.
    pub ordered: usize,
    /// Still to come.
    pub to_come: usize,
    /// How long was heard.
    pub heard: SignedDuration,
}

/// A day in one line.
pub fn summary(count: &Count) -> String {
    let mut parts = vec![
        format!("Theo lịch {} mục", count.planned + count.to_come),
        format!("đã phát {}", count.aired),
        format!("phát một phần {}", count.partly),
        format!("không phát {}", count.not_aired),
    ];
    for (number, what) in
        [(count.withdrawn, "thu hồi"), (count.on_air, "đang phát"), (count.to_come, "còn chờ")]
    {
        if number > 0 {
            parts.push(format!("{what} {number}"));
        }
    }
    if count.ordered > 0 {
        parts.push(format!("ngoài lịch {}", count.ordered));
    }
    format!("{}. Thời lượng đã phát: {}.", parts.join(" · "), date::length(count.heard))
}

/// The same, of what a filter leaves.
pub fn summary_filtered(count: &Count) -> String {
    format!("Chỉ tính các mục đúng bộ lọc, không phải cả ngày: {}", summary(count))
}

/// Day and station on the sheet.
pub fn sheet_day(day: Date) -> String {
    let day = date::day(day);
    let mut letters = day.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// When a sheet was printed.
pub fn printed(at: Timestamp, zone: &jiff::tz::TimeZone) -> String {
    format!("In từ máy lúc {}", date::moment(at, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_said_in_one_line() {
        let count = Count {
            planned: 10,
            aired: 7,
            partly: 1,
            withdrawn: 1,
            not_aired: 1,
            ordered: 1,
            heard: SignedDuration::from_secs(3_725),
            ..Count::default()
        };
        assert_eq!(
            summary(&count),
            "Theo lịch 10 mục · đã phát 7 · phát một phần 1 · không phát 1 · thu hồi 1 · ngoài lịch 1. Thời lượng đã phát: 1:02:05."
        );
        let today = Count { planned: 1, on_air: 1, to_come: 4, ..Count::default() };
        assert!(summary(&today).starts_with("Theo lịch 5 mục ·"));
        assert_eq!(sheet_day(jiff::civil::date(2026, 11, 22)), "Chủ nhật 22/11/2026");
    }
}
