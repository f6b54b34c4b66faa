//! Lịch phát: the week, its print, and what was changed in it.

use jiff::civil::Date;

use super::date;
use crate::schedule::PlanDate;
use crate::timeline::Severity;

/// To the week before.
pub const BEFORE: &str = "← Tuần trước";
/// To the week that is.
pub const NOW: &str = "Tuần này";
/// To the week after.
pub const AFTER: &str = "Tuần sau →";
/// Ways around.
pub const WEEKS: &str = "Chọn tuần";
/// To the print.
pub const PRINT: &str = "In lịch tuần";
/// To the special days.
pub const DAYS: &str = "Ngày đặc biệt";
/// To what was changed.
pub const HISTORY: &str = "Lịch sử sửa lịch";
/// Adds a session.
pub const ADD_SESSION: &str = "Thêm buổi phát";
/// To today, in this week.
pub const TO_TODAY: &str = "Đến hôm nay";
/// The day is today.
pub const TODAY: &str = "hôm nay";
/// The block is on the air.
pub const ON_NOW: &str = "đang phát";
/// A day without a session.
pub const NO_SESSION: &str = "Không có buổi phát.";
/// What the log has of a day, and today's schedule has not.
pub const BESIDES: &str = "Trong nhật ký, nay không còn trong lịch";
/// Changes it.
pub const EDIT: &str = "Sửa";
/// Changes a session.
pub const EDIT_SESSION: &str = "Sửa buổi này";
/// A day without music.
pub const NO_MUSIC: &str = "không phát nhạc";
/// The files have mistakes.
pub const BROKEN: &str = "Tệp lịch đang có lỗi, có lẽ vì ai đó vừa sửa bằng tay. Lịch cũ vẫn được phát. Hãy sửa các lỗi sau trong tệp, hoặc hoàn tác một lần sửa trong “Lịch sử sửa lịch”:";
/// Something was saved.
pub const SAVED: &str = "Đã lưu. Lịch mới có hiệu lực ngay; buổi đang phát đổi từ mục kế tiếp.";
/// Takes it back.
pub const UNDO: &str = "Hoàn tác";
/// Something was undone.
pub const UNDONE: &str =
    "Đã hoàn tác. Lịch trước đó có hiệu lực lại ngay; buổi đang phát đổi từ mục kế tiếp.";
/// Takes that back.
pub const REDO: &str = "Bỏ lần hoàn tác này";

/// A week: `Tuần 48 (23/11 – 29/11/2026)`.
pub fn week(number: i8, monday: Date, sunday: Date) -> String {
    format!("Tuần {number} ({} – {})", monday.strftime("%d/%m"), sunday.strftime("%d/%m/%Y"))
}

/// A day at the head of its column.
pub fn day(of: Date) -> String {
    let weekday = date::weekday(of.weekday());
    let mut letters = weekday.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    format!("{} {}", first.chain(letters).collect::<String>(), of.strftime("%d/%m"))
}

/// The date of a special day: `thứ Hai 23/11/2026`, `10/10 hằng năm`.
pub fn plan_date(of: PlanDate) -> String {
    match of {
        PlanDate::Once(date) => date::day(date),
        PlanDate::Yearly { month, day } => format!("{day:02}/{month:02} hằng năm"),
    }
}

/// How many findings a block has.
pub fn count(severity: Severity, count: usize) -> String {
    match severity {
        Severity::Error => format!("✕ {count} chỗ sẽ im lặng hoặc sai"),
        Severity::Warning | Severity::Note => format!("! {count} lưu ý"),
    }
}

/// Changes a slot, for who does not see where the word stands.
pub fn edit_slot(title: &str) -> String {
    format!("Sửa mục “{title}”")
}

/// What the printed week says.
pub mod print {
    use super::Date;

    /// Goes back to the week.
    pub const BACK: &str = "Về lịch phát";
    /// Where somebody signs.
    pub const SIGNATURES: [&str; 2] = ["Người lập", "Lãnh đạo UBND xã"];
    /// How they sign.
    pub const SIGN: &str = "(ký, ghi rõ họ tên)";

    /// A part of the day, by the hour in which it begins.
    pub fn part(from: i8) -> &'static str {
        match from {
            ..11 => "SÁNG",
            11..14 => "TRƯA",
            14..18 => "CHIỀU",
            _ => "TỐI",
        }
    }

    /// The heading.
    pub fn heading(number: i8) -> String {
        format!("LỊCH PHÁT THANH TUẦN {number}")
    }

    /// From when to when.
    pub fn dates(monday: Date, sunday: Date) -> String {
        format!("(từ ngày {} đến ngày {})", monday.strftime("%d/%m"), sunday.strftime("%d/%m/%Y"))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn weeks_and_days_are_written_as_people_here_do() {
        assert_eq!(week(48, date(2026, 11, 23), date(2026, 11, 29)), "Tuần 48 (23/11 – 29/11/2026)");
        assert_eq!(day(date(2026, 11, 23)), "Thứ Hai 23/11");
        assert_eq!(plan_date(PlanDate::Yearly { month: 10, day: 2 }), "02/10 hằng năm");
    }
}
