//! House rules the compiler does not know. Each names the file and the line that breaks it.
//!
//! The texts are searched as they stand, after comments and `#[cfg(test)]` items were blanked out; that is crude and
//! quick, and good enough for code that passed rustfmt.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot read the sources has failed, and a slip in the search shows at once"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Who may import whom. A new arrow is a reviewed line here.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("frames", &[]),
    ("segment", &[]),
    ("access", &[]),
    ("schedule", &["segment"]),
    ("timeline", &["schedule", "segment"]),
    ("asrun", &["frames", "timeline", "schedule", "segment"]),
    ("sequencer", &["frames", "timeline", "schedule", "segment", "asrun"]),
    ("media", &["frames", "segment"]),
    // `media`: how a WAV file begins.
    ("output", &["frames", "clock", "media"]),
    (
        "engine",
        &["frames", "clock", "output", "media", "sequencer", "timeline", "asrun", "schedule", "segment"],
    ),
    ("store", &["asrun", "access", "segment", "schedule", "timeline"]),
    // A recording's way in, the same for the command line and for HTTP.
    ("intake", &["media", "store", "segment", "clock", "text"]),
    // Days through the engine, the same for the command line and for the console.
    ("rehearsal", &["frames", "engine", "output", "clock", "sequencer", "timeline", "asrun", "schedule"]),
    // The schedule's files, changed and changed back: reads and writes them, and keeps what they were.
    ("editing", &["schedule", "segment", "store"]),
    // Says everything that rooms report, and what `media` found of a file.
    ("text", &["schedule", "timeline", "sequencer", "asrun", "access", "segment", "media", "store"]),
    (
        "web",
        &[
            "frames",
            "schedule",
            "timeline",
            "sequencer",
            "asrun",
            "access",
            "segment",
            "intake",
            "rehearsal",
            "editing",
            "store",
            "media",
            "engine",
            "clock",
            "text",
        ],
    ),
];

/// Wiring: may import every room.
const EXEMPT: &[&str] = &["main", "lib", "app"];

/// Values in, values out.
const PURE: &[&str] = &["frames", "segment", "schedule", "timeline", "sequencer", "asrun", "access"];

/// What a pure room would need for the world outside.
const IMPURE: &[&str] = &[
    "async fn",
    "async move",
    ".await",
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::env",
    "tracing",
    "tokio",
    "SystemClock",
];

/// Where a thread may be put to sleep, and what it waits for.
const MAY_SLEEP: &[(&str, &str)] = &[
    ("src/app/recorder.rs", "a disk that takes facts again"),
    ("src/engine/opener.rs", "a source that is ready for air"),
    ("src/media/convert.rs", "the end of ffmpeg, which offers nothing to wait on with a limit"),
    ("src/media/source.rs", "room in the ring ahead of the engine"),
    ("src/output/amplifier.rs", "the end of a switching command"),
    ("src/output/card.rs", "a device that may be about to run"),
    ("src/output/device.rs", "the end of an error storm"),
    ("src/output/feed.rs", "room in the ring ahead of the callback"),
    ("src/output/pace.rs", "real time, where no device keeps it"),
    ("src/output/pulse/player.rs", "a sound server that has only begun to play"),
];

/// Where Vietnamese letters are data and not sentences.
const MAY_HOLD_LETTERS: &[(&str, &str)] = &[
    ("src/schedule/value.rs", "units of time as people write them in the schedule"),
    (
        "src/store/segments.rs",
        "the one letter that Unicode does not take apart, for searching without accents",
    ),
];

/// Migrations that have landed, with the SHA-256 of their bytes: stations have run them, so they never change.
const LANDED_MIGRATIONS: &[(&str, &str)] = &[
    ("0001_log.sql", "f1f68776c3f8799f275f2881cd325e9b894b6a7ee35e900b567b2a894f0cce4e"),
    ("0002_segments.sql", "94253be9001b1da492e5f2ee07c20629d9442ca19b07878e3370daaabb5f17db"),
    ("0003_people.sql", "10d129d8b3110c85821555c1f51f11f1cda12d9b7f5c36423f44c83ba52c7083"),
    ("0004_logins.sql", "08b040c11ff735d46678ae82b3ef63eb7491aef6a1c3a49942ffb4f7bb402bf4"),
    ("0005_revisions.sql", "7516d7d6bb61e04914ca660f7d6c30eb5ee257054e8e3dfde9611a311473fb04"),
    ("0006_scripts_and_uploads.sql", "e7dbacac25bf9c03a359a19f546bb578d7dd697f853c0737c4cdb2f0081aa4d7"),
    ("0007_examinations.sql", "cb0a0cd4c75f3d6978d0b13f95578611009a5ddaa898fd803522d66b2e0bffe3"),
    ("0008_names_in_acts.sql", "ef75bba2c4bbab5f546740843ae0a2aa4f95c3e1f7a52fb4fa3da38ce0aa847d"),
    ("0009_seals.sql", "f67dd0c82d462011ceab7c180a09cbe3e4e03b28ffd18d99a06f9ad46a988029"),
    ("0010_heard.sql", "f50fd4e32a8477af99eb8641d8299f7bb6adbaf9c076026daa2b6be83082a0d2"),
    ("0011_standing_orders.sql", "9283dbce9280bef3d2f9df99d8500334a088c9764167fb7fa1506213ea60ec68"),
    ("0012_sounding.sql", "6cfffadeb2369d54e916bbb4b3e35817c732fbba5918980bea3d17071bd9a0b9"),
    ("0013_order_of_orders.sql", "0369abad7c60c5aff15a0f6d0c51128046a5d1a5d7ee0466091264c914e18c73"),
];

const LONGEST_FILE_LINES: usize = 600;
const LARGEST_AUDIO_BYTES: u64 = 100_000;

#[test]
fn rooms_import_only_what_they_may() {
    let mut broken = Vec::new();
    for source in sources("src") {
        let room = source.room();
        if EXEMPT.contains(&room) {
            continue;
        }
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == room) else {
            broken.push(format!("{}: the room `{room}` has no line in MAY_IMPORT", source.name));
            continue;
        };
        for (line, target) in crate_paths(&source.code) {
            if target != room && !allowed.contains(&target.as_str()) {
                broken.push(format!("{}:{line}: `{room}` may not import `{target}`", source.name));
            }
        }
    }
    assert_tidy(&broken);
}

#[test]
fn every_row_here_is_about_something_that_is_there() {
    let sources = sources("src");
    let rooms: BTreeSet<_> = sources.iter().map(Source::room).collect();
    let imported = MAY_IMPORT.iter().flat_map(|(room, allowed)| allowed.iter().chain([room]));
    let gone = imported.chain(EXEMPT).chain(PURE).filter(|room| !rooms.contains(*room));
    let files = MAY_SLEEP.iter().chain(MAY_HOLD_LETTERS).map(|(file, _)| file);
    let lost = files.filter(|file| sources.iter().all(|source| source.name != **file));
    assert_tidy(&gone.chain(lost).map(|row| format!("there is no `{row}`")).collect::<Vec<_>>());
}

/// The console is served beside the interface, and goes the same ways; what lies on those knows no page.
#[test]
fn what_the_console_uses_does_not_use_the_console() {
    let beside = sources("src")
        .into_iter()
        .filter(|source| source.name.starts_with("src/web/") && !source.is_test())
        .filter(|source| !source.name.starts_with("src/web/console/"));
    let imports = ["use console::", "super::console", "web::console"];
    assert_tidy(&beside.flat_map(|source| source.places_of(&imports)).collect::<Vec<_>>());
}

#[test]
fn pure_rooms_touch_nothing_outside() {
    let pure = sources("src").into_iter().filter(|source| PURE.contains(&source.room()));
    assert_tidy(&pure.flat_map(|source| source.places_of(IMPURE)).collect::<Vec<_>>());
}

#[test]
fn vietnamese_is_written_in_text_alone() {
    let mut broken = Vec::new();
    for source in sources("src")
        .into_iter()
        .filter(|source| source.room() != "text" && !source.is_test() && !source.is_in(MAY_HOLD_LETTERS))
    {
        for (number, line) in numbered(&source.code) {
            if let Some(letter) = line.chars().find(|letter| is_vietnamese(*letter)) {
                broken.push(format!("{}:{number}: `{letter}` belongs in src/text", source.name));
            }
        }
    }
    assert_tidy(&broken);
}

#[test]
fn words_are_spelled_one_way() {
    // `xóa`, `hóa`, `tùy`, as the older rule and most keyboards have it; `quý` is another sound.
    const NEWER: &str = "oà oá oả oã oạ oè oé oẻ oẽ oẹ uỳ uý uỷ uỹ uỵ";
    let mut broken = Vec::new();
    for source in sources("src").into_iter().filter(|source| source.room() == "text") {
        for (number, line) in (1..).zip(source.text.lines()) {
            let words = line.split(|letter: char| !letter.is_alphabetic());
            let newer = |word: &&str| {
                NEWER.split(' ').any(|end| word.to_lowercase().ends_with(end))
                    && !word.to_lowercase().starts_with("qu")
            };
            broken.extend(words.filter(newer).map(|word| format!("{}:{number}: `{word}`", source.name)));
        }
    }
    assert_tidy(&broken);
}

#[test]
fn landed_migrations_never_change() {
    let mut broken = Vec::new();
    let folder = root().join("src/store/migrations");
    let present: BTreeSet<String> = files(&folder).iter().map(|path| relative(path, &folder)).collect();
    for name in &present {
        let found: String = Sha256::digest(std::fs::read(folder.join(name)).unwrap())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        match LANDED_MIGRATIONS.iter().find(|(landed, _)| landed == name) {
            None => broken.push(format!("{name}: has no line in LANDED_MIGRATIONS: {found}")),
            Some((_, hash)) if *hash != found => broken.push(format!("{name}: landed, and was changed")),
            Some(_) => {}
        }
    }
    for (name, _) in LANDED_MIGRATIONS.iter().filter(|(name, _)| !present.contains(*name)) {
        broken.push(format!("{name}: landed, and is gone"));
    }
    assert_tidy(&broken);
}

#[test]
fn no_source_file_is_too_long() {
    let broken: Vec<_> = sources("src")
        .into_iter()
        .chain(sources("tests"))
        .map(|source| (source.text.lines().count(), source.name))
        .filter(|(lines, _)| *lines > LONGEST_FILE_LINES)
        .map(|(lines, name)| format!("{name}: {lines} lines, at most {LONGEST_FILE_LINES}"))
        .collect();
    assert_tidy(&broken);
}

/// Cargo builds nothing that no `mod` names, and says nothing of it: a file of tests was once left out so.
#[test]
fn no_source_file_is_left_out() {
    let all: Vec<_> = sources("src").into_iter().chain(sources("tests")).collect();
    let named: BTreeSet<&str> = all
        .iter()
        .flat_map(|source| source.text.lines())
        .filter_map(|line| line.strip_suffix(';')?.split_once("mod ").map(|(_, name)| name))
        .collect();
    let roots = |name: &str| {
        matches!(name, "src/lib.rs" | "src/main.rs")
            || (name.starts_with("tests/") && name.matches('/').count() == 1)
    };
    let broken: Vec<_> = all
        .iter()
        .map(|source| source.name.as_str())
        .filter(|name| !roots(name) && !name.ends_with("/main.rs"))
        .filter(|name| {
            let path = name.trim_end_matches("/mod.rs").trim_end_matches(".rs");
            !named.contains(path.rsplit('/').next().unwrap_or(path))
        })
        .map(|name| format!("{name}: no `mod` names it"))
        .collect();
    assert_tidy(&broken);
}

#[test]
fn no_test_is_left_out_or_expected_to_panic() {
    // Put together here, so that this file does not hold them itself.
    let forbidden = ["ignore", "should_panic"].map(|word| format!("#[{word}"));
    let broken: Vec<_> = sources("src")
        .into_iter()
        .chain(sources("tests"))
        .flat_map(|source| {
            numbered(&without_comments(&source.text))
                .filter(|(_, line)| forbidden.iter().any(|word| line.trim_start().starts_with(word)))
                .map(|(number, line)| format!("{}:{number}: `{}`", source.name, line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_tidy(&broken);
}

#[test]
fn threads_sleep_only_where_they_keep_time() {
    let awake = sources("src").into_iter().filter(|source| !source.is_in(MAY_SLEEP));
    assert_tidy(&awake.flat_map(|source| source.places_of(&["thread::sleep"])).collect::<Vec<_>>());
}

#[test]
fn recordings_are_small_and_have_their_words() {
    let folder = root().join("audio");
    let words = std::fs::read_to_string(folder.join("segments.toml")).unwrap();
    let words: toml::Table = words.parse().unwrap();
    let told: BTreeSet<&str> = words["segment"]
        .as_array()
        .unwrap()
        .iter()
        .map(|segment| segment["file"].as_str().unwrap())
        .collect();
    let mut broken = Vec::new();
    let mut present = BTreeSet::new();
    for path in files(&folder) {
        let name = relative(&path, &folder);
        let bytes = path.metadata().unwrap().len();
        if bytes > LARGEST_AUDIO_BYTES {
            broken.push(format!("audio/{name}: {bytes} bytes, at most {LARGEST_AUDIO_BYTES}"));
        }
        if name != "segments.toml" {
            present.insert(name);
        }
    }
    for name in present.iter().filter(|name| !told.contains(name.as_str())) {
        broken.push(format!("audio/{name}: has no words in audio/segments.toml"));
    }
    for name in told.iter().filter(|name| !present.contains(**name)) {
        broken.push(format!("audio/segments.toml: there is no `{name}`"));
    }
    assert_tidy(&broken);
}

/// The searching itself: what the rules above stand on.
#[test]
fn the_search_sees_imports_and_passes_over_tests_and_comments() {
    let text = "\
use crate::alpha::One;
use crate::{beta::{Two, Three}, gamma, delta as d};
// crate::comment
fn f() { let url = \"http://x\"; crate::epsilon::go(\"{ not a brace\", '{'); }
#[cfg(test)]
mod tests {
    use crate::hidden::Zero;
}
pub(crate) use crate::zeta;
#[cfg(test)]
use crate::also_hidden;
pub(in crate::eta) struct X;
";
    let found: Vec<_> = crate_paths(&without_tests(&without_comments(text)));
    let names: Vec<_> = found.iter().map(|(line, name)| (*line, name.as_str())).collect();
    assert_eq!(
        names,
        [(1, "alpha"), (2, "beta"), (2, "gamma"), (2, "delta"), (4, "epsilon"), (9, "zeta"), (12, "eta")]
    );
    let declares = "#[cfg(test)]\npub(crate) mod fixture;\nmod real;\n#[cfg(test)]\nmod tests {\n}\n";
    let room = Source { name: "src/store/mod.rs".into(), text: declares.into(), code: String::new() };
    assert_eq!(test_modules(&room), ["src/store/fixture.rs"]);
    assert!(is_vietnamese('ơ') && is_vietnamese('ễ') && is_vietnamese('Đ') && is_vietnamese('á'));
    assert!(!is_vietnamese('–') && !is_vietnamese('e') && !is_vietnamese('×') && !is_vietnamese('µ'));
}

/// A Rust file of the project.
struct Source {
    /// Its path from the root, with `/`.
    name: String,
    /// As it stands.
    text: String,
    /// Without comments and tests, line for line.
    code: String,
}

impl Source {
    /// The room it belongs to: the first part of its path in `src`.
    fn room(&self) -> &str {
        let inside = self.name.strip_prefix("src/").unwrap();
        inside.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// Whether the whole file is tests, declared `#[cfg(test)] mod tests` one file up.
    fn is_test(&self) -> bool {
        self.name.ends_with("/tests.rs") || self.name.contains("/tests/")
    }

    /// Whether a table of exceptions names it.
    fn is_in(&self, exceptions: &[(&str, &str)]) -> bool {
        exceptions.iter().any(|(name, _)| *name == self.name)
    }

    /// Where the code holds one of the words.
    fn places_of(&self, words: &[&str]) -> Vec<String> {
        numbered(&self.code)
            .flat_map(|(number, line)| {
                let found = words.iter().filter(move |word| line.contains(**word));
                found.map(move |word| format!("{}:{number}: `{word}`", self.name))
            })
            .collect()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder, sorted; none where the folder is not there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/")
}

/// The Rust files below a folder of the project; at least one. A file that is a `#[cfg(test)] mod name;` of another
/// has no code.
fn sources(folder: &str) -> Vec<Source> {
    let mut found: Vec<_> = files(&root().join(folder))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = without_tests(&without_comments(&text));
            Source { name: relative(&path, root()), text, code }
        })
        .collect();
    assert!(!found.is_empty(), "no Rust file below {folder}");
    let tests: BTreeSet<String> = found.iter().flat_map(test_modules).collect();
    for source in found.iter_mut().filter(|source| tests.contains(&source.name)) {
        source.code.clear();
    }
    found
}

/// The files of the `#[cfg(test)] mod name;` of a file.
fn test_modules(source: &Source) -> Vec<String> {
    let stem = source.name.trim_end_matches(".rs");
    let folder = stem.strip_suffix("/mod").or_else(|| stem.strip_suffix("/lib")).unwrap_or(stem);
    let lines: Vec<&str> = source.text.lines().collect();
    let named = lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]").filter_map(|pair| {
        let (_, name) = pair[1].strip_suffix(';')?.rsplit_once("mod ")?;
        Some(format!("{folder}/{name}.rs"))
    });
    named.collect()
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

fn assert_tidy(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// Cuts `//` comments off; one inside a string, as in `http://`, has no blank before it and stays.
fn without_comments(text: &str) -> String {
    let code = text.lines().map(|line| {
        let comment = line.match_indices("//").map(|(at, _)| at).find(|at| {
            let before = &line[..*at];
            before.trim().is_empty() || (before.ends_with(' ') && before.matches('"').count() % 2 == 0)
        });
        &line[..comment.unwrap_or(line.len())]
    });
    code.collect::<Vec<_>>().join("\n")
}

/// Blanks every item under `#[cfg(test)]`: up to the line that closes it at the attribute's own indentation, or up to
/// its `;`.
fn without_tests(code: &str) -> String {
    let mut lines = code.lines();
    let mut kept = Vec::new();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push(line);
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        kept.push("");
        for line in lines.by_ref() {
            kept.push("");
            let closes = line.strip_prefix(indent).is_some_and(|rest| rest.starts_with('}'));
            let is_attribute = line.trim_start().starts_with('#');
            let is_short = line.strip_prefix(indent).is_some_and(|rest| !rest.starts_with(' '))
                && (line.ends_with(';') || line.ends_with('}'));
            if closes || (is_short && !is_attribute) {
                break;
            }
        }
    }
    kept.join("\n")
}

/// The first name of every path that begins with `crate::`, also of each in `crate::{…}`, with its line.
fn crate_paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, start) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|sign| sign.is_alphanumeric() || sign == '_' || sign == ':' || sign == '$') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + start.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            found.push((line, first_name(rest)));
            continue;
        };
        let mut depth = 0_usize;
        let mut begin = 0;
        for (index, sign) in list.char_indices() {
            match sign {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    let name = first_name(list[begin..index].trim_start());
                    if !name.is_empty() {
                        found.push((line, name));
                    }
                    begin = index + 1;
                    if sign == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    found
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect()
}

/// Letters that Vietnamese has and English has not, precomposed or as combining marks.
fn is_vietnamese(letter: char) -> bool {
    matches!(letter, '\u{c0}'..='\u{ff}' | '\u{102}'..='\u{1b0}' | '\u{300}'..='\u{323}' | '\u{1ea0}'..='\u{1ef9}')
        && letter != '×'
        && letter != '÷'
}
