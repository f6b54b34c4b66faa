//! What is wrong with a command line, in people's words. The help is clap's own, and English.

use std::error::Error as _;
use std::io::{self, Write as _};

use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::cli::Cli;
use crate::text::arguments;

/// Exit code of wrong arguments, as clap has it.
const WRONG: u8 = 2;

/// The command line; or, once what there is to say instead is said, the exit code.
pub fn parse() -> Result<Cli, u8> {
    Cli::try_parse().map_err(|error| match refusal(&error) {
        Some(refusal) => {
            drop(writeln!(io::stderr().lock(), "{refusal}"));
            WRONG
        }
        None => {
            drop(error.print());
            u8::try_from(error.exit_code()).unwrap_or(WRONG)
        }
    })
}

/// What people are told of a mistake; none where it is the help that was asked for.
#[expect(clippy::wildcard_enum_match_arm, reason = "all else is help, or clap's own to say")]
fn refusal(error: &clap::Error) -> Option<String> {
    let all = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    };
    let one = |kind| all(kind).join(" ");
    let (argument, value) = (one(ContextKind::InvalidArg), one(ContextKind::InvalidValue));
    let wrong = match error.kind() {
        ErrorKind::UnknownArgument => arguments::unknown(&argument),
        ErrorKind::InvalidSubcommand => arguments::no_command(&one(ContextKind::InvalidSubcommand)),
        ErrorKind::MissingRequiredArgument => arguments::missing(&all(ContextKind::InvalidArg)),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation if value.is_empty() => {
            arguments::no_value(&argument)
        }
        ErrorKind::InvalidValue => {
            let why = arguments::choose(&all(ContextKind::ValidValue));
            arguments::bad_value(&value, &argument, &why)
        }
        ErrorKind::ValueValidation => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            arguments::bad_value(&value, &argument, &why)
        }
        ErrorKind::TooManyValues => arguments::takes_none(&argument, &value),
        // Nothing here excludes another thing but itself.
        ErrorKind::ArgumentConflict => arguments::twice(&argument),
        _ => return None,
    };
    let suggested =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let meant: Vec<_> = suggested.into_iter().flat_map(all).collect();
    let mut said = format!("{}: {wrong}", arguments::WRONG);
    if !meant.is_empty() {
        said += &format!(" {}", arguments::perhaps(&meant));
    }
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        said += &format!("\n\n{}", usage.to_string().replacen("Usage:", arguments::USAGE, 1));
    }
    Some(format!("{said}\n\n{}", arguments::MORE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_command_line_is_said_in_peoples_words() {
        for (line, said) in [
            ("chek", "không có lệnh `chek`. Có phải bạn muốn ghi `check`?"),
            ("check --form 2026-11-23", "lệnh này không có `--form`. Có phải bạn muốn ghi `--from`"),
            ("check --from", "`--from <YYYY-MM-DD>` còn thiếu giá trị."),
            ("check --from 23/11", "`--from <YYYY-MM-DD>` không nhận `23/11`: hãy ghi ngày như 2026-11-23."),
            ("check --days 0", "`--days <DAYS>` không nhận `0`: hãy ghi một số từ 1 đến 366."),
            ("check --days 1 --days 2", "`--days <DAYS>` chỉ được ghi một lần."),
            ("check --format xls", "`--format <FORMAT>` không nhận `xls`: hãy chọn table, csv, json."),
            ("check nay", "lệnh này không có `nay`.\n\nCách dùng: loa check"),
            ("airings --from nay", "`--from <FROM>` không nhận `nay`: hãy ghi ngày như 2026-11-23, hoặc"),
            ("serve --listen 8600", "không nhận `8600`: hãy ghi địa chỉ và cổng, như 127.0.0.1:8600."),
            ("serve --output xyz", "không nhận `xyz`: hãy ghi `null`, `wav:TỆP`, `default`, hoặc"),
            ("serve --output wav:", "không nhận `wav:`: hãy ghi `null`, `wav:TỆP`, `default`, hoặc"),
            ("demo --output alsa:null", "không nhận `alsa:null`: thiết bị này không giữ nhịp"),
            ("verify --rebuild=yes", "`--rebuild` không đi kèm giá trị như `yes`."),
            ("segment add", "còn thiếu `<FILES>...`."),
            ("segment approve a.mp3", "còn thiếu `--by <WHO>`."),
            ("segment approve a.mp3 --by=", "`--by <WHO>` còn thiếu giá trị."),
            ("user add lan --role chief", "không nhận `chief`: hãy chọn uploader, approver, operator,"),
            ("user link lan --at loa", "`--at <AT>` không nhận `loa`: địa chỉ phải bắt đầu bằng"),
        ] {
            let error = Cli::try_parse_from(["loa"].into_iter().chain(line.split(' '))).unwrap_err();
            let refusal = refusal(&error).unwrap_or_else(|| panic!("{line}: {error}"));
            assert!(refusal.starts_with("Lỗi: ") && refusal.contains(said), "{line}: {refusal}");
            assert_eq!(error.exit_code(), i32::from(WRONG));
        }
        for help in ["--help", "--version", "help", "segment"] {
            assert!(refusal(&Cli::try_parse_from(["loa", help]).unwrap_err()).is_none(), "{help}");
        }
    }
}
