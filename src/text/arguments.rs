//! What is wrong with a command line.

use super::http::Why;
use crate::segment::TOPICS;

/// The word before what is wrong.
pub const WRONG: &str = "Lỗi";
/// How a command is written.
pub const USAGE: &str = "Cách dùng:";
/// Where more is to be read.
pub const MORE: &str = "Thêm `--help` vào lệnh để đọc hướng dẫn (tiếng Anh).";

/// What a date is to look like.
pub const DATE: &str = "hãy ghi ngày như 2026-11-23";
/// What a date, or a date and time, is to look like.
pub const MOMENT: &str = "hãy ghi ngày như 2026-11-23, hoặc ngày và giờ như 2026-11-23T05:30";
/// How many days may be asked for.
pub const DAYS: &str = "hãy ghi một số từ 1 đến 366";
/// What an address to listen on is to look like.
pub const LISTEN: &str = "hãy ghi địa chỉ và cổng, như 127.0.0.1:8600";
/// What an output is called.
pub const OUTPUT: &str = "hãy ghi `null`, `wav:TỆP`, `default`, hoặc một tên do lệnh `loa devices` kể ra";
/// An output that would not keep time.
pub const TIMELESS: &str = "thiết bị này không giữ nhịp thời gian; hãy ghi `null` nếu không cần tiếng";
/// What an address for a browser is to look like.
pub const ADDRESS: &str =
    "địa chỉ phải bắt đầu bằng `http://` hoặc `https://`, rồi đến tên máy và không có gì sau đó";
/// What a person's name is to be.
pub const NAME: &str = "tên người phải có chữ, viết trên một dòng";

/// Something that a command does not take.
pub fn unknown(argument: &str) -> String {
    format!("lệnh này không có `{argument}`.")
}

/// Something that is no command.
pub fn no_command(name: &str) -> String {
    format!("không có lệnh `{name}`.")
}

/// What was meant, by the looks of it.
pub fn perhaps(meant: &[String]) -> String {
    format!("Có phải bạn muốn ghi {}?", listed(meant))
}

/// Something without which a command can do nothing.
pub fn missing(arguments: &[String]) -> String {
    format!("còn thiếu {}.", listed(arguments))
}

/// An option that stands there alone.
pub fn no_value(argument: &str) -> String {
    format!("`{argument}` còn thiếu giá trị.")
}

/// An option that stands alone, and here does not.
pub fn takes_none(argument: &str, value: &str) -> String {
    format!("`{argument}` không đi kèm giá trị như `{value}`.")
}

/// A value that cannot be, and why.
pub fn bad_value(value: &str, argument: &str, why: &str) -> String {
    format!("`{argument}` không nhận `{value}`: {why}.")
}

/// What may be chosen.
pub fn choose(values: &[String]) -> String {
    format!("hãy chọn {}", values.join(", "))
}

/// An option that is there twice.
pub fn twice(argument: &str) -> String {
    format!("`{argument}` chỉ được ghi một lần.")
}

/// One title is given for several recordings.
pub const ONE_TITLE: &str = "`--title` chỉ dùng khi nộp một tệp, vì mỗi bản ghi có tên riêng. Chưa nhận gì. Hãy nộp từng tệp một, hoặc \
     bỏ `--title`, hoặc ghi các tên vào một danh sách rồi chạy `loa segment import`.";

/// A word that is given with a recording cannot be: by the name of its option, or of its key in a list.
pub fn bad_word(field: &str, why: Why, is_list: bool) -> String {
    let name =
        |field: &str| if is_list { field.to_owned() } else { format!("--{}", field.replace('_', "-")) };
    let said = match why {
        Why::NoChoice if field == "topic" => {
            format!("Không phải là một trong các giá trị để chọn. Hãy chọn {}.", TOPICS.join(", "))
        }
        Why::EndsBeforeItBegins => {
            format!(
                "Ngày này trước `{}`, nên không ngày nào phát được. Hãy đổi lại hai ngày.",
                name("valid_from")
            )
        }
        Why::NoChoice
        | Why::Missing
        | Why::TooLong(_)
        | Why::Unseen
        | Why::NoDate
        | Why::UnknownProgramme
        | Why::IsOver
        | Why::NoSuchField => why.said(),
    };
    format!("`{}`: {said}", name(field))
}

fn listed(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_word_is_called_as_it_was_written() {
        let said = bad_word("topic", Why::NoChoice, false);
        assert!(
            said.starts_with("`--topic`: ") && said.ends_with("Hãy chọn II.1, II.2, II.3, II.4, II.5, II.6."),
            "{said}"
        );
        let said = bad_word("valid_until", Why::EndsBeforeItBegins, false);
        assert!(said.starts_with("`--valid-until`: Ngày này trước `--valid-from`,"), "{said}");
        let said = bad_word("valid_until", Why::IsOver, true);
        assert!(said.starts_with("`valid_until`: Ngày này đã qua"), "{said}");
    }
}
