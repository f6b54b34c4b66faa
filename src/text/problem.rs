//! What is wrong with a schedule: where, what was found, what to write instead.

use jiff::SignedDuration;
use jiff::civil::{Date, Time};

use super::page::capital;
use super::page::date::weekday;
use crate::schedule::Weekdays;
use crate::schedule::problem::{Expected, Kind, Problem, Thing};

/// A problem in one or two full sentences. That the schedule in force stays in force is for the caller to say, once.
pub fn problem(problem: &Problem) -> String {
    let file = problem.file.rsplit('/').next().unwrap_or(&problem.file);
    let said = sentence(&problem.kind, file);
    if matches!(problem.kind, Kind::MissingFile | Kind::UnreadableFile { .. }) {
        return said;
    }
    format!("Dòng {} trong `{file}`: {said}", problem.line)
}

/// The same for who changed the schedule in a form, and never saw the file or its words.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind that says nothing of the file is said as it is there"
)]
pub fn problem_of_a_form(problem: &Problem) -> String {
    let said = match &problem.kind {
        Kind::MissingKey { key: "slot" } => {
            "buổi phát phải có ít nhất một mục. Muốn không phát gì, hãy bỏ cả buổi.".to_owned()
        }
        Kind::MissingKey { key: "session" } => {
            "lịch tuần phải có ít nhất một buổi phát. Muốn nghỉ vài ngày, hãy dùng “Ngày đặc biệt”."
                .to_owned()
        }
        Kind::FillWithoutPool => {
            "chỉ nhạc luân phiên mới lấp được khoảng trống. Chọn nhạc luân phiên, hoặc đổi cách bắt đầu."
                .to_owned()
        }
        Kind::AllWithoutLength => {
            "mục phát mọi bản ghi của một chuyên mục phải có giới hạn. Điền thời lượng dự kiến.".to_owned()
        }
        Kind::RepeatNotThatDay { session, slot, missing } => format!(
            "không phát lại được \"{session}/{slot}\" vào {}, vì ngày đó không có mục ấy. Bỏ chọn những ngày đó.",
            days(*missing)
        ),
        kind => sentence(kind, problem.file.rsplit('/').next().unwrap_or(&problem.file)),
    };
    capital(&said)
}

/// One arm for each kind, in the order of their declaration.
fn sentence(kind: &Kind, file: &str) -> String {
    match kind {
        Kind::MissingFile => format!("Không có tệp `{file}`. Hãy tạo tệp này trong thư mục `schedule`."),
        Kind::UnreadableFile { reason } => {
            format!("Không đọc được tệp `{file}` ({reason}). Kiểm tra ổ đĩa và quyền đọc tệp.")
        }
        Kind::NotUtf8 => {
            "tệp không được lưu bằng mã UTF-8, nên máy không đọc được chữ từ dòng này. Mở tệp bằng Notepad, \
             chọn Save as (Lưu thành), chọn UTF-8 ở ô Encoding (Mã hóa), rồi lưu đè lên tệp cũ."
                .to_owned()
        }
        Kind::Syntax { found, said } => format!(
            "không hiểu được cách viết `{found}`. Kiểm tra dấu ngoặc, dấu bằng, dấu phẩy ở dòng này và dòng \
             trước (máy báo: {said})."
        ),
        Kind::Unquoted { found } => {
            format!("chữ {found} phải nằm trong dấu ngoặc kép. Sửa thành \"{found}\".")
        }
        Kind::DuplicateKey { key } => {
            format!("`{key}` được ghi hai lần trong cùng một phần. Bỏ bớt một dòng.")
        }
        Kind::UnknownKey { key, nearest: Some(nearest) } => {
            format!("không có mục nào tên `{key}` ở đây. Có phải ý bạn là `{nearest}`?")
        }
        Kind::UnknownKey { key, nearest: None } => {
            format!("không có mục nào tên `{key}` ở đây. Bỏ dòng này, hoặc thêm dấu # ở đầu dòng.")
        }
        Kind::MissingKey { key } => format!("phần này còn thiếu `{key}`. {}", missing(key)),
        Kind::Invalid { key, found, expected } => {
            format!("{} {} không hợp lệ ở `{key}`. {}", noun(*expected), quoted(found), remedy(*expected))
        }
        Kind::ExactlyOne { of, found } => exactly_one(of, found),
        Kind::RelayNotSupported => {
            "bản này chưa tiếp sóng được đài khác (`relay`). Bỏ cả mục này khỏi buổi phát, \
             hoặc thêm dấu # ở đầu các dòng của mục."
                .to_owned()
        }
        Kind::Unknown { thing, id, nearest } => {
            let remedy = nearest.as_ref().map_or_else(
                || "Kiểm tra lại tên, hoặc khai báo thêm.".to_owned(),
                |nearest| format!("Có phải ý bạn là \"{nearest}\"?"),
            );
            format!("không có {} nào tên \"{id}\". {remedy}", thing_word(*thing))
        }
        Kind::OtherThing { id, is, expected } => format!(
            "\"{id}\" là {}, nhưng chỗ này cần {}. {}",
            thing_word(*is),
            thing_word(*expected),
            if *is == Thing::Pool {
                "Viết `pool` thay cho từ khóa này."
            } else {
                "Viết `programme` thay cho `pool`."
            }
        ),
        Kind::Duplicate { thing: Thing::DayPlan, first_line, .. } => {
            format!("ngày này đã có lịch riêng ở dòng {first_line}. Gộp hai lịch lại làm một.")
        }
        Kind::Duplicate { thing, id, first_line } => format!(
            "tên \"{id}\" của {} đã được dùng ở dòng {first_line}. Đặt một tên khác.",
            thing_word(*thing)
        ),
        Kind::DatesReversed { from, until } => format!(
            "ngày cuối {} đứng trước ngày đầu {}. Sửa để ngày cuối không sớm hơn ngày đầu.",
            date(*until),
            date(*from)
        ),
        Kind::NeverOn { session_days } => format!(
            "mục này không bao giờ được phát, vì buổi phát chỉ có vào {}. Chọn ngày trong những ngày đó.",
            days(*session_days)
        ),
        Kind::HardWithoutTime => {
            "mục phát đúng giờ (`hard`) còn thiếu giờ. Thêm giờ, ví dụ `at = 06:00:00`.".to_owned()
        }
        Kind::TimeWithoutHard => {
            "có giờ `at` nhưng mục này không phát đúng giờ. Thêm `start = \"hard\"`, hoặc bỏ `at`.".to_owned()
        }
        Kind::HardOutsideSession { at, from, to } => format!(
            "giờ {} nằm ngoài buổi phát. Sửa thành giờ từ {} đến trước {}.",
            time(*at),
            time(*from),
            time(*to)
        ),
        Kind::HardNotIncreasing { at, before } => format!(
            "giờ {} không muộn hơn giờ {} của một mục đứng trước. Xếp các mục đúng giờ theo thứ tự tăng dần.",
            time(*at),
            time(*before)
        ),
        Kind::FillWithoutPool => "chỉ nhạc luân phiên mới lấp được khoảng trống (`fill`). Viết \
             `play = { pool = \"…\" }`, hoặc đổi cách bắt đầu."
            .to_owned(),
        Kind::AllWithoutLength => {
            "mục phát mọi bản ghi (`all`) phải có giới hạn. Thêm độ dài, ví dụ `length = \"3 min\"`."
                .to_owned()
        }
        Kind::RepeatNotEarlier { session, slot } => format!(
            "không phát lại được \"{session}/{slot}\", vì mục ấy không phát trước mục này. Chọn một mục sớm hơn \
             trong ngày."
        ),
        Kind::RepeatNotThatDay { session, slot, missing } => format!(
            "không phát lại được \"{session}/{slot}\" vào {}, vì ngày đó không có mục ấy. Sửa `days` của mục này.",
            days(*missing)
        ),
        Kind::NotOnThatDate { session, slot, date: on } => {
            let name = slot.as_ref().map_or_else(|| session.clone(), |slot| format!("{session}/{slot}"));
            format!("ngày {} không có \"{name}\". Sửa lại ngày, hoặc bỏ thay đổi này.", date(*on))
        }
        Kind::ReplacedInDropped { session } => format!(
            "buổi \"{session}\" được bỏ trong ngày này, nên không đổi được mục nào của buổi đó. Bỏ thay đổi này, hoặc \
             để buổi đó được phát."
        ),
        Kind::Overlap { other, output, date: on } => format!(
            "buổi này trùng giờ với buổi \"{other}\" trên đường ra \"{output}\", chẳng hạn {} {}. Sửa giờ hoặc ngày \
             của một trong hai buổi.",
            weekday(on.weekday()),
            date(*on)
        ),
        Kind::SessionTooLong { length: found, longest } => format!(
            "buổi phát dài {}, trong khi quy chế chỉ cho {}. Rút ngắn buổi phát.",
            length(*found),
            length(*longest)
        ),
        Kind::TooManySessions { date: on, count, allowed } => format!(
            "{} {} có {count} buổi phát, trong khi quy chế chỉ cho {allowed}. Bỏ bớt buổi.",
            weekday(on.weekday()),
            date(*on)
        ),
        Kind::DaysNotAllowed { days: found, allowed } => format!(
            "quy chế không cho phát vào {}. Chỉ chọn trong {}.",
            days(*found),
            if allowed.is_empty() { "những ngày ghi ở `weekdays`".to_owned() } else { days(*allowed) }
        ),
        Kind::InQuietHours { from, to } => format!(
            "buổi phát lấn vào giờ yên lặng từ {} đến {}. Sửa giờ của buổi phát.",
            time(*from),
            time(*to)
        ),
    }
}

fn missing(key: &str) -> String {
    let example = match key {
        "output" => "Khai báo ít nhất một đường ra bằng `[[output]]`.",
        "session" => "Khai báo ít nhất một buổi phát bằng `[[session]]`.",
        "slot" => "Khai báo ít nhất một mục của buổi bằng `[[session.slot]]`.",
        "play" => "Ghi mục này phát gì, ví dụ `play = { programme = \"ban-tin\" }`.",
        "days" => "Ghi các ngày trong tuần, ví dụ `days = [\"T2-T7\"]`.",
        "from" => "Ghi giờ bắt đầu, ví dụ `from = 05:30:00`.",
        "to" => "Ghi giờ kết thúc, ví dụ `to = 06:30:00`.",
        "time_zone" => "Ghi múi giờ, ở Việt Nam là `time_zone = \"Asia/Ho_Chi_Minh\"`.",
        "on" | "off" => "Tăng âm cần cả lệnh bật (`on`) và lệnh tắt (`off`).",
        _ => return format!("Thêm một dòng `{key} = …`."),
    };
    example.to_owned()
}

fn exactly_one(of: &[&str], found: &[&str]) -> String {
    let list = |keys: &[&str]| keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    if found.is_empty() {
        format!("phần này phải có một trong các từ {}. Ghi thêm một từ.", list(of))
    } else {
        format!("{} không đi cùng nhau được. Chỉ giữ lại một.", list(found))
    }
}

/// What a wrong value was meant to be.
fn noun(expected: Expected) -> &'static str {
    match expected {
        Expected::Time => "giờ",
        Expected::Date | Expected::DayAndMonth => "ngày",
        Expected::Days => "ngày trong tuần",
        Expected::Length | Expected::Wait => "độ dài",
        Expected::Id | Expected::SlotPath => "tên",
        Expected::FileName => "tên tệp",
        Expected::TimeZone => "múi giờ",
        Expected::Topic => "chủ đề",
        Expected::Genre => "thể loại",
        Expected::Text
        | Expected::Texts
        | Expected::YesOrNo
        | Expected::Count
        | Expected::Lufs
        | Expected::Boost
        | Expected::Start
        | Expected::Late
        | Expected::StandIn
        | Expected::Command
        | Expected::Table
        | Expected::Tables
        | Expected::OtherThanStart => "giá trị",
    }
}

fn remedy(expected: Expected) -> &'static str {
    match expected {
        Expected::Text => "Sửa thành một dòng chữ trong dấu ngoặc kép.",
        Expected::Id => {
            "Chỉ dùng chữ cái không dấu, chữ số, `-`, `_` và `.`, dài nhất 64 ký tự, ví dụ \"ban-tin\"."
        }
        Expected::Texts => "Sửa thành danh sách, ví dụ [\"loa-xa\"].",
        Expected::YesOrNo => "Sửa thành true (có) hoặc false (không), không có dấu ngoặc kép.",
        Expected::Count => "Sửa thành số từ 1 đến 24.",
        Expected::Lufs => "Sửa thành số từ -36 đến -9 (LUFS), thường là -18.",
        Expected::Boost => "Sửa thành số từ 0 đến 40 (dB).",
        Expected::Time => {
            "Sửa thành giờ từ 00:00 đến 23:59, đủ hai chữ số, không có dấu ngoặc kép, ví dụ 05:30:00."
        }
        Expected::Date => "Sửa thành năm-tháng-ngày, không có dấu ngoặc kép, ví dụ 2026-10-10.",
        Expected::DayAndMonth => "Sửa thành ngày/tháng trong dấu ngoặc kép, ví dụ \"10/10\".",
        Expected::Length => {
            "Sửa thành độ dài hơn 0 và không quá 24 giờ, ví dụ \"90 s\", \"5 min\" hoặc \"1 h\"."
        }
        Expected::Wait => "Sửa thành độ dài từ 0 đến 1 giờ, ví dụ \"20 s\" hoặc \"1 min\".",
        Expected::Days => "Sửa thành danh sách ngày, ví dụ [\"T2\", \"CN\"] hoặc [\"T2-T7\"].",
        Expected::TimeZone => "Ở Việt Nam, sửa thành \"Asia/Ho_Chi_Minh\".",
        Expected::Topic => "Sửa thành một trong sáu chủ đề \"II.1\" đến \"II.6\".",
        Expected::Genre => {
            "Sửa thành một trong các từ \"news\", \"bulletin\", \"article\", \"reportage\", \"feature\", \
             \"commendation\", \"notice\", \"correction\", \"music\", \"ident\"."
        }
        Expected::Start => "Sửa thành \"hard\" (đúng giờ), \"follow\" (nối tiếp) hoặc \"fill\" (lấp giờ).",
        Expected::Late => "Sửa thành \"join\", \"skip\" hoặc \"whole-within 10 min\".",
        Expected::StandIn => "Sửa thành \"older\" (phát bài cũ) hoặc \"never\" (bỏ trống).",
        Expected::FileName => "Chỉ ghi tên của tệp nằm ngay trong thư mục `audio`, không có dấu / hay \\.",
        Expected::SlotPath => "Sửa thành \"buổi/mục\", ví dụ \"sang/ban-tin\".",
        Expected::Command => {
            "Sửa thành danh sách gồm lệnh và tham số, ví dụ [\"/usr/local/bin/tang-am\", \"bat\"]."
        }
        Expected::Table => "Sửa thành một phần riêng, ví dụ { file = \"nhac-cat.ogg\" }.",
        Expected::Tables => "Mỗi phần loại này mở đầu bằng tên trong hai lớp ngoặc vuông, ví dụ [[session]].",
        Expected::OtherThanStart => "Giờ kết thúc trùng giờ bắt đầu. Sửa để hai giờ khác nhau.",
    }
}

fn thing_word(thing: Thing) -> &'static str {
    match thing {
        Thing::Programme => "chuyên mục",
        Thing::Pool => "nhạc luân phiên",
        Thing::Output => "đường ra",
        Thing::Session => "buổi phát",
        Thing::Slot => "mục trong buổi",
        Thing::DayPlan => "lịch ngày đặc biệt",
    }
}

/// In quotation marks, unless it has them already.
fn quoted(found: &str) -> String {
    if found.starts_with(['"', '\'']) { found.to_owned() } else { format!("\"{found}\"") }
}

fn time(time: Time) -> String {
    match time.second() {
        0 => format!("{:02}:{:02}", time.hour(), time.minute()),
        second => format!("{:02}:{:02}:{second:02}", time.hour(), time.minute()),
    }
}

fn date(date: Date) -> String {
    format!("{}/{}/{}", date.day(), date.month(), date.year())
}

fn length(length: SignedDuration) -> String {
    let seconds = length.as_secs();
    let parts = [(seconds / 3600, "giờ"), (seconds / 60 % 60, "phút"), (seconds % 60, "giây")];
    let said: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if said.is_empty() { "0 giây".to_owned() } else { said.join(" ") }
}

fn days(days: Weekdays) -> String {
    days.iter().map(weekday).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use jiff::civil::Weekday;

    use super::*;

    fn said(kind: Kind) -> String {
        problem(&Problem { kind, file: "schedule/week.toml".into(), line: 14, column: 8 })
    }

    #[test]
    fn a_wrong_time_is_said_with_line_finding_and_remedy() {
        let kind = Kind::Invalid { key: "from".into(), found: "25:00:00".into(), expected: Expected::Time };
        assert_eq!(
            said(kind),
            "Dòng 14 trong `week.toml`: giờ \"25:00:00\" không hợp lệ ở `from`. Sửa thành giờ từ 00:00 đến 23:59, \
             đủ hai chữ số, không có dấu ngoặc kép, ví dụ 05:30:00."
        );
    }

    #[test]
    fn who_fills_in_a_form_is_not_told_of_the_files_words() {
        let (session, slot, missing) = ("sang".into(), "tin".into(), Weekdays::NONE.with(Weekday::Sunday));
        for kind in [
            Kind::MissingKey { key: "slot" },
            Kind::MissingKey { key: "session" },
            Kind::FillWithoutPool,
            Kind::AllWithoutLength,
            Kind::RepeatNotThatDay { session, slot, missing },
        ] {
            let problem = Problem { kind, file: "schedule/week.toml".into(), line: 14, column: 8 };
            let said = problem_of_a_form(&problem);
            assert!(!said.contains('`') && said.starts_with(char::is_uppercase), "{said}");
        }
    }

    #[test]
    fn a_quoted_value_is_not_quoted_twice() {
        let kind = Kind::Invalid { key: "topic".into(), found: "\"II.7\"".into(), expected: Expected::Topic };
        assert!(said(kind).contains("chủ đề \"II.7\" không hợp lệ"));
    }

    #[test]
    fn lengths_and_days_are_said_as_people_say_them() {
        let kind = Kind::SessionTooLong {
            length: SignedDuration::from_mins(75),
            longest: SignedDuration::from_secs(3600),
        };
        assert!(said(kind).contains("dài 1 giờ 15 phút, trong khi quy chế chỉ cho 1 giờ"));
        let kind = Kind::RepeatNotThatDay {
            session: "sang".into(),
            slot: "bai".into(),
            missing: Weekdays::NONE.with(Weekday::Sunday).with(Weekday::Monday),
        };
        assert!(said(kind).contains("vào thứ Hai, Chủ nhật, vì"));
    }
}
