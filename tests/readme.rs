//! Both READMEs say what is so: their schedules are schedules, their commands are commands, and their lists are whole.

#![expect(clippy::unwrap_used, reason = "a test may give up")]

use clap::{CommandFactory, Parser};
use loa::access::{Permission, Role, permit};
use loa::app::cli::Cli;
use loa::schedule::{self, Sources};

const READMES: [(&str, &str); 2] =
    [("README.md", include_str!("../README.md")), ("README.vi.md", include_str!("../README.vi.md"))];

/// The fenced blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

/// The blocks for one of a schedule's files, which each of them names in its first line.
fn file(text: &str, name: &str) -> Option<String> {
    let head = format!("# schedule/{name}\n");
    let blocks: Vec<_> = blocks(text, "toml").into_iter().filter(|block| block.starts_with(&head)).collect();
    (!blocks.is_empty()).then(|| blocks.concat())
}

/// The commands of `loa` in blocks for the shell, as their arguments.
fn commands(text: &str) -> Vec<Vec<String>> {
    let text = blocks(text, "sh").concat().replace("\\\n", " ");
    text.lines().map(words).filter_map(after_loa).collect()
}

/// The words of a line up to a pipe, a redirection or a remark.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, ' ') => words.push(std::mem::take(&mut word)),
            // The number of a file, right before its redirection, is no word.
            (None, '>') => {
                word.clear();
                break;
            }
            (None, '|' | '#' | ';') => break,
            _ => word.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn after_loa(words: Vec<String>) -> Option<Vec<String>> {
    let as_somebody = matches!(words.as_slice(), [sudo, user, ..] if sudo == "sudo" && user == "-u");
    let line: Vec<_> = words.into_iter().skip(if as_somebody { 3 } else { 0 }).collect();
    let program = line.first()?.rsplit('/').next()?;
    (program == "loa").then_some(line)
}

#[test]
fn every_schedule_shown_is_a_schedule() {
    for (readme, text) in READMES {
        let [station, week, days] = ["station.toml", "week.toml", "days.toml"].map(|name| file(text, name));
        assert!(station.is_some() && week.is_some() && days.is_some(), "{readme}");
        let schedule = schedule::read(&Sources { station, week, days });
        assert!(schedule.is_ok(), "{readme}: {:#?}", schedule.unwrap_err());
        let shown = blocks(text, "toml").len();
        assert_eq!(shown, 3, "{readme}: a block of TOML that no file's name begins is not checked");
    }
}

#[test]
fn every_command_shown_is_a_command() {
    for (readme, text) in READMES {
        let commands = commands(text);
        assert!(commands.len() >= 20, "{readme}: {commands:?}");
        for command in commands {
            let parsed = Cli::try_parse_from(&command);
            assert!(parsed.is_ok(), "{readme}: {}\n{}", command.join(" "), parsed.unwrap_err());
        }
    }
}

#[test]
fn every_command_there_is_is_shown() {
    for (readme, text) in READMES {
        for command in Cli::command().get_subcommands() {
            assert!(
                text.contains(&format!("loa {}", command.get_name())),
                "{readme}: {}",
                command.get_name()
            );
        }
    }
}

#[test]
fn every_key_of_the_schedules_is_explained() {
    for (readme, text) in READMES {
        for block in blocks(text, "toml") {
            let table: toml::Table = block.parse().unwrap();
            let mut keys = std::collections::BTreeSet::new();
            collect(&toml::Value::Table(table), &mut keys);
            for key in keys {
                let explained = text.lines().any(|line| line.starts_with('|') && names(line, &key));
                assert!(explained, "{readme}: `{key}`");
            }
        }
    }
}

/// The keys that have values, of a table and those in it.
fn collect(value: &toml::Value, keys: &mut std::collections::BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                if !matches!(value, toml::Value::Table(_)) || key == "play" {
                    keys.insert(key.clone());
                }
                collect(value, keys);
            }
        }
        toml::Value::Array(items) => items.iter().for_each(|item| collect(item, keys)),
        toml::Value::String(_)
        | toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => {}
    }
}

/// Whether a line has a key as a word of its own.
fn names(line: &str, key: &str) -> bool {
    line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).any(|word| word == key)
}

/// What somebody may do, as the tables of roles have it.
const MAY: [(Permission, [&str; 2]); 10] = [
    (Permission::HandIn, ["hand in", "nộp"]),
    (Permission::Approve, ["approve", "duyệt"]),
    (Permission::Withdraw, ["withdraw", "thu hồi"]),
    (Permission::TakeTheAir, ["take the air", "phát ngay"]),
    (Permission::CallEmergency, ["call an emergency", "phát khẩn cấp"]),
    (Permission::EditSchedule, ["change the schedule", "sửa lịch"]),
    (Permission::ConfirmClock, ["confirm the clock", "xác nhận giờ"]),
    (Permission::ReadLog, ["read the log", "xem nhật ký"]),
    (Permission::ReadActs, ["the record", "nhật ký thao tác"]),
    (Permission::ManageUsers, ["make and revoke people", "thêm, bớt người dùng"]),
];

#[test]
fn the_roles_may_what_is_said_of_them_and_nothing_else() {
    for (language, (name, text)) in READMES.iter().enumerate() {
        let (_, table) = text.split_once("| --- | --- |\n| `uploader`").unwrap();
        let table = format!("| `uploader`{}", table.split_once("\n\n").unwrap().0);
        for role in Role::ALL {
            let row = table.lines().find(|row| row.starts_with(&format!("| `{}`", role.code()))).unwrap();
            let said = row.split('|').nth(2).unwrap();
            for (permission, words) in MAY {
                let may = permit(&[role].into(), permission);
                assert_eq!(said.contains(words[language]), may, "{name}: {permission:?} in {row}");
            }
        }
    }
}

#[test]
fn both_have_the_same_schedules_and_commands() {
    let [english, vietnamese] = READMES.map(|(_, text)| (blocks(text, "toml"), commands(text)));
    assert_eq!(english, vietnamese);
}
