//! Chạy thử.

use jiff::SignedDuration;
use jiff::civil::Date;

use super::date;
use crate::asrun::Outcome;
use crate::text::outcome::outcome_name;

/// The page's title.
pub const TITLE: &str = "Chạy thử một ngày";
/// What it is.
pub const INTRO: &str = "Máy cho cả ngày ấy chạy qua đúng bộ phát thật trong vài giây: mở từng tệp, đọc hết, chỉnh âm lượng, nối các mục với nhau. Không có gì ra loa và không có gì được ghi vào nhật ký.";
/// Which day.
pub const DAY: &str = "Ngày";
/// Does it.
pub const GO: &str = "Chạy thử";
/// To it, for the next day.
pub const TOMORROW: &str = "Chạy thử ngày mai";
/// The table of its cues.
pub const EACH: &str = "Từng mục";
/// No session on that day.
pub const NOTHING: &str = "Ngày này không có buổi phát nào, nên không có gì để chạy thử.";

/// What comes of it, for a day.
pub fn heading(day: Date) -> String {
    format!("Kết quả chạy thử {}", date::day(day))
}

/// What would become of a cue.
pub fn outcome(outcome: &Outcome) -> &'static str {
    if *outcome == Outcome::Aired { "phát được" } else { outcome_name(outcome) }
}

/// All of it will sound as it is planned: the last piece of a fill may be faded out before its end.
pub fn well(cues: usize, sound: SignedDuration) -> String {
    format!("Cả {cues} mục phát đúng lịch, {} âm thanh.", date::wait(sound))
}

/// Some of it will not.
pub fn not_well(cues: usize, whole: usize) -> String {
    format!("{} trong {cues} mục không phát đúng lịch; lý do ghi ở từng mục dưới đây.", cues - whole)
}
