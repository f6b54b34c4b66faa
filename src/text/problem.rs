//! What is wrong with a schedule: where, what was found, what to write instead.

mod form;

use jiff::SignedDuration;
use jiff::civil::{Date, Time};

use super::page::date::weekday;
use crate::schedule::Weekdays;
use crate::schedule::problem::{Expected, Kind, Problem, Thing};
pub use form::{Form, problem_of_a_form};

/// What word processors make of quotation marks, and no file may have around a text.
const CURLY: [char; 7] = ['“', '”', '„', '‘', '’', '«', '»'];

/// A problem in one or two full sentences. That the schedule in force stays in force is for the caller to say, once.
pub fn problem(problem: &Problem) -> String {
    let file = problem.file.rsplit('/').next().unwrap_or(&problem.file);
    let said = sentence(&problem.kind, &Voice::File(file));
    if matches!(problem.kind, Kind::MissingFile | Kind::UnreadableFile { .. }) {
        return said;
    }
    format!("Dòng {} trong `{file}`: {said}", problem.line)
}

/// In whose words something is said.
#[derive(Debug, Clone, Copy)]
enum Voice<'a> {
    /// Of who edits the file of this name: keys and ids.
    File(&'a str),
    /// Of who fills in a form: fields and titles.
    Form(&'a Form<'a>, &'a Problem),
}

impl Voice<'_> {
    fn file(&self) -> &str {
        match self {
            Self::File(name) => name,
            Self::Form(_, problem) => &problem.file,
        }
    }

    /// What each of them has to do.
    fn either(&self, file: &str, form: &str) -> String {
        match self {
            Self::File(_) => file.to_owned(),
            Self::Form(..) => form.to_owned(),
        }
    }

    /// A word of the files, behind what it means.
    fn word(&self, word: &str) -> String {
        self.either(&format!(" (`{word}`)"), "")
    }

    /// A key: on a form the field for it.
    fn key(&self, key: &str) -> String {
        match self {
            Self::File(_) => format!("`{key}`"),
            Self::Form(_, problem) => format!("“{}”", form::field(key, &problem.place)),
        }
    }

    fn session(&self, id: &str) -> String {
        match self {
            Self::File(_) => format!("buổi \"{id}\""),
            Self::Form(form, problem) => form.session(id, problem.place.day),
        }
    }

    fn slot(&self, session: &str, slot: &str) -> String {
        match self {
            Self::File(_) => format!("\"{session}/{slot}\""),
            Self::Form(form, problem) => form.slot_of(session, slot, problem.place.day),
        }
    }

    /// The session that another one meets.
    fn met(&self, other: &str, on: Date) -> String {
        match self {
            Self::File(_) => format!("buổi \"{other}\""),
            Self::Form(form, problem) => form.met(problem, other, on),
        }
    }

    /// Where they meet: nobody needs to be told where there is only one.
    fn on_output(&self, output: &str) -> String {
        match self {
            Self::Form(form, _) if form.old.outputs.len() < 2 => String::new(),
            Self::File(_) | Self::Form(..) => format!(" trên đường ra \"{output}\""),
        }
    }

    fn date(&self, on: Date, yearly: bool) -> String {
        match self {
            // Which weekday it is differs from year to year, and decides what else is on.
            _ if yearly => format!("ngày {}/{} khi rơi vào {}", on.day(), on.month(), weekday(on.weekday())),
            Self::Form(..) if form::is_any(on) => weekday(on.weekday()).to_owned(),
            Self::File(_) | Self::Form(..) => format!("{} {}", weekday(on.weekday()), date(on)),
        }
    }
}

/// One arm for each kind, in the order of their declaration.
fn sentence(kind: &Kind, to: &Voice<'_>) -> String {
    let file = to.file();
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
        Kind::Syntax { found, said } if is_of_a_backslash(said) => format!(
            "dấu \\ trong dấu ngoặc kép ở `{found}` có nghĩa riêng nên không đứng một mình được. Viết / thay cho \\, hoặc viết hai \
             lần: \\\\."
        ),
        Kind::Syntax { found, .. } | Kind::Unquoted { found } | Kind::Invalid { found, .. }
            if let Some((sign, meant)) = long_minus(found)
                && matches!(to, Voice::File(_)) =>
        {
            format!(
                "dấu {sign} (mã U+{:04X}) ở `{found}` không phải dấu trừ của bàn phím, thường dính theo khi chép từ Word hoặc trang \
                 web. Gõ lại thành {meant}.",
                u32::from(sign)
            )
        }
        Kind::Syntax { found, said } => format!(
            "không hiểu được cách viết `{found}`. Kiểm tra dấu ngoặc, dấu bằng, dấu phẩy ở dòng này và dòng \
             trước (máy báo: {said})."
        ),
        Kind::Invisible { character, after } => {
            let at =
                if after.is_empty() { "ở đầu dòng".to_owned() } else { format!("ngay sau `{after}`") };
            format!(
                "có một ký tự không nhìn thấy được {at} (mã U+{:04X}), thường dính theo khi chép từ Zalo, Word hoặc trang \
                 web. Xóa cả dòng rồi gõ lại bằng tay.",
                u32::from(*character)
            )
        }
        Kind::Unquoted { found } => {
            let bare = found.trim_matches(CURLY);
            let straight = if bare == found { "" } else { " thẳng" };
            format!("chữ {found} phải nằm trong dấu ngoặc kép{straight}. Sửa thành \"{bare}\".")
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
        Kind::Misplaced { key, heading } if heading.contains(&format!(".{key}]")) => format!(
            "trong tệp này `[[{key}]]` phải viết là `{heading}`, và đứng dưới `[[day]]` của ngày đó. Sửa tên phần này, và \
             cả những phần con của nó."
        ),
        Kind::Misplaced { key, heading } => {
            format!(
                "`{key}` phải đứng dưới một dòng `{heading}`. Dời dòng này xuống dưới `{heading}` của nó."
            )
        }
        Kind::MissingKey { key } => match to {
            Voice::File(_) => format!("phần này còn thiếu `{key}`. {}", missing(key)),
            Voice::Form(..) => form::missing(key, &to.key(key)),
        },
        Kind::Invalid { key, found, expected } => match to {
            Voice::File(_) => {
                let remedy = no_such_day(found, *expected)
                    .or_else(|| has_a_tab(found, *expected))
                    .unwrap_or_else(|| remedy_for(key, *expected).to_owned());
                format!("{} {} không hợp lệ ở `{key}`. {remedy}", noun(*expected), quoted(found))
            }
            Voice::Form(..) => form::invalid(&to.key(key), *expected),
        },
        Kind::ExactlyOne { of, found } => exactly_one(of, found),
        Kind::RelayNotSupported => {
            "bản này chưa tiếp sóng được đài khác (`relay`). Bỏ cả mục này khỏi buổi phát, \
             hoặc thêm dấu # ở đầu các dòng của mục."
                .to_owned()
        }
        Kind::Unknown { thing, id, nearest } => match to {
            Voice::File(_) => {
                let remedy = nearest.as_ref().map_or_else(
                    || "Kiểm tra lại tên, hoặc khai báo thêm.".to_owned(),
                    |nearest| format!("Có phải ý bạn là \"{nearest}\"?"),
                );
                match thing {
                    Thing::Slot => format!("trong buổi không có mục nào tên \"{id}\". {remedy}"),
                    Thing::Programme | Thing::Pool | Thing::Output | Thing::Session | Thing::DayPlan => {
                        format!("không có {} nào tên \"{id}\". {remedy}", thing_word(*thing))
                    }
                }
            }
            Voice::Form(..) => gone(thing_word(*thing)),
        },
        Kind::OtherThing { id, is, expected } => match to {
            Voice::File(_) => format!(
                "\"{id}\" là {}, nhưng chỗ này cần {}. {}",
                thing_word(*is),
                thing_word(*expected),
                if *is == Thing::Pool {
                    "Viết `pool` thay cho từ khóa này."
                } else {
                    "Viết `programme` thay cho `pool`."
                }
            ),
            Voice::Form(..) => gone(thing_word(*expected)),
        },
        Kind::Duplicate { thing, id, first_line } => match (to, thing) {
            (Voice::Form(..), _) => format!(
                "lịch vừa có thêm một {} như thế này. Mở lại trang, xem rồi làm lại.",
                thing_word(*thing)
            ),
            (Voice::File(_), Thing::DayPlan) => {
                format!("ngày này đã có lịch riêng ở dòng {first_line}. Gộp hai lịch lại làm một.")
            }
            (Voice::File(_), _) => format!(
                "tên \"{id}\" của {} đã được dùng ở dòng {first_line}. Đặt một tên khác.",
                thing_word(*thing)
            ),
        },
        Kind::DatesReversed { from, until } => format!(
            "ngày cuối {} đứng trước ngày đầu {}. Sửa để ngày cuối không sớm hơn ngày đầu.",
            date(*until),
            date(*from)
        ),
        Kind::NeverOn { session_days } => format!(
            "mục này không bao giờ được phát, vì buổi phát chỉ có vào {}. Chọn ngày trong những ngày đó.",
            days(*session_days)
        ),
        Kind::HardWithoutTime => format!(
            "mục phát đúng giờ{} còn thiếu giờ. {}.",
            to.word("hard"),
            to.either(
                "Thêm giờ, ví dụ `at = 06:00:00`",
                "Sửa mục này: ghi giờ, hoặc cho mục nối tiếp ngay sau mục trước"
            )
        ),
        Kind::TimeWithoutHard => format!(
            "có giờ {} nhưng mục này không phát đúng giờ. {}.",
            to.key("at"),
            to.either(
                "Thêm `start = \"hard\"`, hoặc bỏ `at`",
                "Sửa mục này: chọn phát đúng giờ, hoặc bỏ giờ"
            )
        ),
        Kind::HardOutsideSession { at, from, to: end } => format!(
            "giờ {} nằm ngoài buổi phát. Sửa thành giờ từ {} đến trước {}.",
            time(*at),
            time(*from),
            time(*end)
        ),
        Kind::HardNotIncreasing { at, before } => format!(
            "giờ {} không muộn hơn giờ {} của một mục đứng trước. Xếp các mục đúng giờ theo thứ tự tăng dần.",
            time(*at),
            time(*before)
        ),
        Kind::FillWithoutPool => format!(
            "chỉ nhạc luân phiên mới lấp được khoảng trống{}. {}, hoặc đổi cách bắt đầu.",
            to.word("fill"),
            to.either("Viết `play = { pool = \"…\" }`", "Chọn nhạc luân phiên")
        ),
        Kind::AllWithoutLength => format!(
            "mục phát mọi bản ghi{} phải có giới hạn. {}.",
            to.either(" (`all`)", " của một chuyên mục"),
            to.either("Thêm độ dài, ví dụ `length = \"3 min\"`", "Điền thời lượng dự kiến")
        ),
        Kind::RepeatNotEarlier { session, slot } => format!(
            "không phát lại được {}, vì mục ấy không phát trước mục này. Chọn một mục sớm hơn trong ngày.",
            to.slot(session, slot)
        ),
        Kind::RepeatNotThatDay { session, slot, missing } => format!(
            "không phát lại được {} vào {}, vì ngày đó không có mục ấy. {}.",
            to.slot(session, slot),
            days(*missing),
            to.either("Sửa `days` của mục này", "Bỏ chọn những ngày đó")
        ),
        Kind::NotOnThatDate { session, slot, date: on } => {
            let name = match (to, slot) {
                (_, Some(slot)) => to.slot(session, slot),
                (Voice::File(_), None) => format!("\"{session}\""),
                (Voice::Form(..), None) => to.session(session),
            };
            let remedy =
                to.either("Sửa lại ngày, hoặc bỏ thay đổi này", "Bỏ thay đổi này khỏi ngày đặc biệt");
            format!("ngày {} không có {name}. {remedy}.", date(*on))
        }
        Kind::ReplacedInDropped { session } => format!(
            "{} được bỏ trong ngày này, nên không đổi được mục nào của buổi đó. Bỏ thay đổi này, hoặc để buổi đó \
             được phát.",
            to.session(session)
        ),
        Kind::Overlap { other, output, date: on, yearly } => format!(
            "buổi này trùng giờ với {}{}, chẳng hạn {}. Sửa giờ hoặc ngày của một trong hai buổi.",
            to.met(other, *on),
            to.on_output(output),
            to.date(*on, *yearly)
        ),
        Kind::SessionTooLong { length: found, longest } => format!(
            "buổi phát dài {}, trong khi quy chế chỉ cho {}. Rút ngắn buổi phát.",
            length(*found),
            length(*longest)
        ),
        Kind::TooManySessions { date: on, yearly, count, allowed } => format!(
            "{} có {count} buổi phát, trong khi quy chế chỉ cho {allowed}. Bỏ bớt buổi.",
            to.date(*on, *yearly)
        ),
        Kind::DaysNotAllowed { days: found, allowed } => format!(
            "quy chế không cho phát vào {}. Chỉ chọn trong {}.",
            days(*found),
            if allowed.is_empty() {
                to.either("những ngày ghi ở `weekdays`", "những ngày mà quy chế cho phép")
            } else {
                days(*allowed)
            }
        ),
        Kind::InQuietHours { from, to: end } => format!(
            "buổi phát lấn vào giờ yên lặng từ {} đến {}. Sửa giờ của buổi phát.",
            time(*from),
            time(*end)
        ),
    }
}

/// What somebody chose is not in the schedule any more.
fn gone(thing: &str) -> String {
    format!("{thing} đã chọn không còn trong lịch. Mở lại trang và chọn cái khác.")
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
        Expected::Device => "tên thiết bị",
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
        | Expected::TablesInBrackets
        | Expected::OtherThanStart => "giá trị",
    }
}

/// What to write under a key: some have a form of their own.
fn remedy_for(key: &str, expected: Expected) -> &'static str {
    match (key, expected) {
        ("quiet", Expected::Tables) => "Sửa thành [{ from = 20:00:00, to = 05:30:00 }].",
        _ => remedy(expected),
    }
}

/// What to say of a text with a sign in it that looks like a space.
fn has_a_tab(found: &str, expected: Expected) -> Option<String> {
    let is_text = matches!(
        expected,
        Expected::Text | Expected::Texts | Expected::FileName | Expected::Device | Expected::Command
    );
    let sign = if found.contains('\t') || found.contains("\\t") {
        "ký tự tab (phím Tab)"
    } else if found.contains(char::is_control) {
        "ký tự điều khiển, không nhìn thấy được"
    } else {
        return None;
    };
    is_text.then(|| format!("Trong đó có {sign}. Xóa đi rồi gõ dấu cách."))
}

/// Whether the parser says that something is wrong behind a backslash.
fn is_of_a_backslash(said: &str) -> bool {
    ["unicode value", "escape"].iter().any(|word| said.contains(word))
}

/// A number with a sign before it that looks like a minus: the sign, and the number as it is written.
fn long_minus(found: &str) -> Option<(char, String)> {
    let value = found.rsplit('=').next()?.trim();
    let sign = value.chars().next().filter(|sign| matches!(sign, '−' | '–' | '—'))?;
    let number = value.strip_prefix(sign)?.trim();
    number.starts_with(|digit: char| digit.is_ascii_digit()).then(|| (sign, format!("-{number}")))
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
        Expected::Device => {
            "Sửa thành \"default\", hoặc chép đúng một tên do lệnh `loa devices` kể ra, ví dụ \
             \"alsa:plughw:CARD=Device,DEV=0\"."
        }
        Expected::Command => {
            "Sửa thành danh sách gồm lệnh và tham số, ví dụ [\"/usr/local/bin/tang-am\", \"bat\"]."
        }
        Expected::Table => "Sửa thành một phần riêng, ví dụ { file = \"nhac-cat.ogg\" }.",
        Expected::Tables => "Mỗi phần loại này mở đầu bằng tên trong hai lớp ngoặc vuông, ví dụ [[session]].",
        Expected::TablesInBrackets => "Đặt cả phần này trong dấu ngoặc vuông: [{ … }].",
        Expected::OtherThanStart => "Giờ kết thúc trùng giờ bắt đầu. Sửa để hai giờ khác nhau.",
    }
}

/// What to say of a date that is written as dates are, and is none.
fn no_such_day(found: &str, expected: Expected) -> Option<String> {
    let numbers = |separator| -> Option<Vec<i16>> {
        found.trim_matches(['"', '\'']).split(separator).map(|number| number.trim().parse().ok()).collect()
    };
    let (year, month, day) = match (expected, numbers('-').as_deref(), numbers('/').as_deref()) {
        (Expected::Date, Some([year, month, day]), _) => (Some(*year), *month, *day),
        // Any leap year, as it may be one.
        (Expected::DayAndMonth, _, Some([day, month])) => (None, *month, *day),
        _ => return None,
    };
    let first = i8::try_from(month).ok().and_then(|month| Date::new(year.unwrap_or(2024), month, 1).ok());
    let Some(first) = first else {
        return Some(format!("Một năm chỉ có tháng 1 đến tháng 12, không có tháng {month}. Sửa lại tháng."));
    };
    let of = year.map_or_else(String::new, |year| format!(" năm {year}"));
    let days = first.days_in_month();
    (day > i16::from(days)).then(|| format!("Tháng {month}{of} chỉ có {days} ngày. Sửa lại ngày."))
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

/// In quotation marks, unless it has them already, or is a list.
fn quoted(found: &str) -> String {
    if found.starts_with(['"', '\'', '[', '{']) { found.to_owned() } else { format!("\"{found}\"") }
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
mod tests;
