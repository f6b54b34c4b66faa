//! `segment`: recordings in, and their way to the air.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{anyhow, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;

use super::verdicts::{against_approver, approve, let_air, withdraw};
use super::{print, say};
use crate::app::cli::{Add, Format, SegmentCommand, Shape};
use crate::app::exit::Exit;
use crate::app::serve::intake;
use crate::app::station::Station;
use crate::clock::Clock;
use crate::intake::{Had, Intake, IntakeError, Taken};
use crate::schedule::Schedule;
use crate::segment::{ProgrammeId, Segment, State, Words};
use crate::store::{SegmentFilter, Step, Store};
use crate::text::http::Why;
use crate::text::table::{Table, shortened};
use crate::text::{arguments, console, outcome, verdict};

/// Takes recordings in, lists them, lets them air, or takes them off.
/// Once `stop` is set, no more are taken in, and nothing is left of the one under way.
pub fn segment(
    station: &Station,
    clock: &Arc<dyn Clock>,
    command: &SegmentCommand,
    stop: &AtomicBool,
) -> anyhow::Result<Exit> {
    if let SegmentCommand::Add(Add { files, title: Some(_), .. }) = command
        && files.len() > 1
    {
        say(arguments::ONE_TITLE)?;
        return Ok(Exit::Failed);
    }
    let store = match command {
        // Where nothing could come in, no database is made.
        SegmentCommand::Add(add) if add.files.iter().all(|file| no_file(file).is_some()) => {
            for file in &add.files {
                refuse(file, &no_file(file).unwrap_or_default())?;
            }
            return Ok(Exit::Failed);
        }
        SegmentCommand::Add(_) => Store::open(&station.data())?,
        SegmentCommand::Import { list, .. } => {
            read_list(list)?;
            Store::open(&station.data())?
        }
        SegmentCommand::List(_) | SegmentCommand::Approve(_) | SegmentCommand::Withdraw(_) => {
            Store::open_existing(&station.data())?
        }
    };
    match command {
        SegmentCommand::Add(add) => self::add(&Door::new(station, &store, clock, stop), add),
        SegmentCommand::Import { list, approve_as } => {
            import(station, &store, clock, (list, approve_as.as_deref()), stop)
        }
        SegmentCommand::List(format) => list(&store, *format),
        SegmentCommand::Approve(verdict) => approve(station, &store, clock, verdict),
        SegmentCommand::Withdraw(verdict) => withdraw(&store, clock, verdict),
    }
}

fn add(door: &Door<'_>, add: &Add) -> anyhow::Result<Exit> {
    let mut exit = Exit::Fine;
    for file in &add.files {
        match door.take_in(file, &words(add), &add.by)? {
            Some((segment, true)) if segment.state == State::Withdrawn => {
                say(&console::known_withdrawn(&segment))?;
                exit = Exit::Failed;
            }
            Some((segment, true)) => say(&console::known(&segment))?,
            Some((segment, false)) => say(&console::taken_in(&segment))?,
            None if door.is_closed() => return Ok(Exit::Stopped),
            None => exit = Exit::Failed,
        }
    }
    Ok(exit)
}

/// The schedule as it is written, or as it was last in force.
pub(super) fn schedule_of(station: &Station) -> Option<Schedule> {
    station.known_schedule()
}

fn words(add: &Add) -> Words {
    Words {
        title: add.title.clone().unwrap_or_default(),
        programme: add.programme.as_deref().map(Into::into),
        topic: add.topic.as_deref().map(Into::into),
        genre: None,
        author: add.author.as_deref().map(Into::into),
        source: add.source.as_deref().map(Into::into),
        valid_from: add.valid_from,
        valid_until: add.valid_until,
        week: add.week,
    }
}

/// Where recordings come in.
struct Door<'a> {
    intake: Intake,
    store: &'a Store,
    clock: &'a Arc<dyn Clock>,
    /// None before a station's first one.
    schedule: Option<Schedule>,
    /// Whether what is said of recordings stands in a list, and not in the command.
    is_list: bool,
    stop: &'a AtomicBool,
}

impl<'a> Door<'a> {
    /// Opens it; it is closed once `stop` is set.
    fn new(station: &Station, store: &'a Store, clock: &'a Arc<dyn Clock>, stop: &'a AtomicBool) -> Self {
        let (intake, schedule) = (intake(station, store, clock), schedule_of(station));
        Self { intake, store, clock, schedule, is_list: false, stop }
    }

    fn is_closed(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Takes one recording in and hands it to the approver; whether it was there already. None where it was refused,
    /// which is said here, as is what the approver should know of it.
    fn take_in(&self, file: &Path, words: &Words, by: &str) -> anyhow::Result<Option<(Segment, bool)>> {
        let refuse = |why: &str| refuse(file, why);
        let bad_word = |field: &str, why| arguments::bad_word(field, why, self.is_list);
        if let Some(why) = no_file(file) {
            refuse(&why)?;
            return Ok(None);
        }
        if words.programme.as_ref().is_some_and(|programme| !self.knows(programme)) {
            refuse(&bad_word("programme", Why::UnknownProgramme))?;
            return Ok(None);
        }
        match self.intake.take_in_copy(file, words.clone(), (by, self.today()), self.stop) {
            Ok(Taken { segment, had: had @ (Had::All | Had::Words { .. }), .. }) => {
                if let Had::Words { kept_as } = had {
                    say(&format!("`{}`: {}", segment.file, verdict::put_back(kept_as.as_deref())))?;
                }
                let not_taken = others(words, &segment.words);
                if !not_taken.is_empty() {
                    say(&console::words_stay(&segment, &not_taken))?;
                }
                Ok(Some((segment, true)))
            }
            Ok(Taken { segment, had: Had::Nothing, converted_from }) => {
                let segment = self.store.step_segment(&segment.id, Step::Submit, by, self.clock.now())?;
                let damage = verdict::damage(segment.sound.skipped_packets);
                for remark in converted_from.map(verdict::converted).into_iter().chain(damage) {
                    // Under the name by which people know it: what is kept may have another ending.
                    say(&remark_on(file, &remark))?;
                }
                Ok(Some((segment, false)))
            }
            Err(IntakeError::Refused(refusal)) => {
                refuse(&verdict::refusal(&refusal))?;
                Ok(None)
            }
            Err(IntakeError::Word { field, cause }) => {
                refuse(&bad_word(field, cause.into()))?;
                Ok(None)
            }
            Err(IntakeError::Store(failure)) => Err(failure.into()),
        }
    }

    fn today(&self) -> Date {
        let zone = self.schedule.as_ref().map_or(TimeZone::UTC, |schedule| schedule.time_zone.clone());
        zone.to_datetime(self.clock.now()).date()
    }

    fn knows(&self, programme: &ProgrammeId) -> bool {
        self.schedule.as_ref().is_none_or(|schedule| schedule.takes(programme))
    }
}

fn remark_on(file: &Path, remark: &str) -> String {
    format!("`{}`: {remark}", file.file_name().unwrap_or_default().to_string_lossy())
}

fn refuse(file: &Path, why: &str) -> io::Result<()> {
    say(&console::refused(&file.display().to_string(), why))
}

/// Why a name cannot be that of a recording: there is no file of it.
fn no_file(name: &Path) -> Option<String> {
    if name.is_dir() {
        return Some(console::folder(&name.display().to_string()));
    }
    (!fs::exists(name).unwrap_or(true)).then(|| console::NO_FILE.to_owned())
}

/// The fields in which words were given that are others than a recording has.
fn others(given: &Words, kept: &Words) -> Vec<&'static str> {
    fn is_other<T: PartialEq>(given: &Option<T>, kept: &Option<T>) -> bool {
        given.is_some() && given != kept
    }
    let title = given.title.trim();
    let each = [
        ("title", !title.is_empty() && !title.nfc().eq(kept.title.nfc())),
        ("programme", is_other(&given.programme, &kept.programme)),
        (
            "week",
            given.week.is_some_and(|week| Some(week.iso_week_date()) != kept.week.map(Date::iso_week_date)),
        ),
        ("topic", is_other(&given.topic, &kept.topic)),
        ("genre", is_other(&given.genre, &kept.genre)),
        ("author", is_other(&given.author, &kept.author)),
        ("source", is_other(&given.source, &kept.source)),
        ("valid_from", is_other(&given.valid_from, &kept.valid_from)),
        ("valid_until", is_other(&given.valid_until, &kept.valid_until)),
    ];
    each.into_iter().filter(|(_, is_other)| *is_other).map(|(field, _)| field).collect()
}

/// A list of recordings with their words, in the folder of its files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    segment: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    file: String,
    #[serde(flatten)]
    words: Words,
}

/// Reads a list, or says in words why that is none.
fn read_list(list: &Path) -> anyhow::Result<List> {
    let name = list.display().to_string();
    if list.is_dir() {
        bail!("{}", console::list_is_folder(&name));
    }
    match fs::read_to_string(list) {
        Ok(text) => toml::from_str(&text)
            .map_err(|cause: toml::de::Error| anyhow!(console::no_list(&name, Some(cause.message())))),
        Err(cause) if cause.kind() == ErrorKind::NotFound => bail!("{}", console::nothing_there(&name)),
        // Bytes that are no text.
        Err(cause) if cause.kind() == ErrorKind::InvalidData => bail!("{}", console::no_list(&name, None)),
        Err(cause) => bail!("{}", console::unreadable(&name, &cause.to_string())),
    }
}

/// Takes in what a list names; approves it too, where somebody answers for it.
pub fn import(
    station: &Station,
    store: &Store,
    clock: &Arc<dyn Clock>,
    (list, approve_as): (&Path, Option<&str>),
    stop: &AtomicBool,
) -> anyhow::Result<Exit> {
    let entries = read_list(list)?;
    let door = Door { is_list: true, ..Door::new(station, store, clock, stop) };
    let folder = list.parent().unwrap_or(Path::new("."));
    let (mut fresh, mut known, mut not_approved, mut exit) = (0, 0, 0, Exit::Fine);
    for Entry { file, words } in entries.segment {
        let by = words.author.clone().unwrap_or_else(|| "import".into());
        let Some((segment, was_known)) = door.take_in(&folder.join(file), &words, &by)? else {
            if door.is_closed() {
                exit = Exit::Stopped;
                break;
            }
            exit = Exit::Failed;
            continue;
        };
        *(if was_known { &mut known } else { &mut fresh }) += 1;
        match (segment.state, approve_as) {
            // What somebody has withdrawn stays off the air.
            (State::Withdrawn, _) => say(&console::known_withdrawn(&segment))?,
            (State::Draft | State::Pending, Some(approver)) => {
                if let Some(why) = against_approver(station, store, &segment, approver)? {
                    say(&console::not_approved(&segment, &why))?;
                    not_approved += 1;
                    exit = Exit::Failed;
                } else {
                    let_air(store, clock, &segment, approver)?;
                }
            }
            (State::Draft | State::Pending, None) | (State::Approved, _) => {}
        }
    }
    say(&console::imported(fresh, known, (approve_as, not_approved)))?;
    Ok(exit)
}

fn list(store: &Store, format: Format) -> anyhow::Result<Exit> {
    let segments = store.segments(&SegmentFilter::default())?;
    print(format.format, &table_of(&segments, format.format), &segments)?;
    Ok(Exit::Fine)
}

/// With the days on which they may air, where any of them says so. One long title makes no line of a screen wider than that.
fn table_of(segments: &[Segment], shape: Shape) -> Table {
    let title = |title: &str| match shape {
        Shape::Table => shortened(title),
        Shape::Csv | Shape::Json => title.to_owned(),
    };
    let valid: Vec<_> =
        segments.iter().map(|segment| (segment.words.valid_from, segment.words.valid_until)).collect();
    let is_limited = valid.iter().any(|(from, until)| from.is_some() || until.is_some());
    let mut table =
        Table::new(console::SEGMENT_COLUMNS.into_iter().chain(is_limited.then_some(console::VALIDITY)));
    for (segment, (from, until)) in segments.iter().zip(valid) {
        let row = [
            segment.id.to_string(),
            segment.file.clone(),
            title(&segment.words.title),
            segment.words.programme.as_ref().map(ToString::to_string).unwrap_or_default(),
            console::length(segment.duration()),
            format!("{:.1}", segment.sound.loudness_lufs),
            outcome::state(segment.state).to_owned(),
        ];
        table.row(row.into_iter().chain(is_limited.then(|| console::validity(from, until))));
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs::File;
    use std::io::Write as _;

    use clap::Parser as _;
    use jiff::SignedDuration;

    use super::super::people::ORIGIN;
    use super::super::plan::tests::NOW;
    use super::*;
    use crate::access::Role;
    use crate::app::cli::{Cli, Command};
    use crate::clock::ManualClock;

    const FILE: &str = "thoi-tiet.ogg";

    #[test]
    fn what_was_converted_is_named_as_it_was_given() {
        let said = remark_on(Path::new("/media/usb/ban-tin.avi"), &verdict::converted("AVI"));
        assert!(said.starts_with("`ban-tin.avi`: Tệp AVI đã được chuyển"), "{said}");
    }

    /// Does what a line of `loa segment …` asks; its exit code, that of wrong arguments included.
    fn code_of(station: &Station, line: &[&str]) -> i32 {
        match Cli::try_parse_from([&["loa", "segment"], line].concat()) {
            Ok(Cli { command: Command::Segment(command), .. }) => {
                let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(NOW.parse().unwrap()));
                let stop = AtomicBool::new(false);
                i32::from(segment(station, &clock, &command, &stop).unwrap() != Exit::Fine)
            }
            Ok(other) => panic!("{other:?}"),
            Err(wrong) => wrong.exit_code(),
        }
    }

    fn example_in(folder: &Path) -> Station {
        crate::app::demo::set_up(Path::new(env!("CARGO_MANIFEST_DIR")), folder).unwrap().0
    }

    fn example(file: &str) -> String {
        format!("{}/audio/{file}", env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn what_could_never_air_is_not_taken_in() {
        let folder = tempfile::tempdir().unwrap();
        let station = example_in(folder.path());
        let store = Store::open(&station.data()).unwrap();
        let file = example(FILE);
        let crossed = ["--valid-from", "2026-12-05", "--valid-until", "2026-12-01"];
        let cases: [(&[&str], i32); 7] = [
            (&["--programme", "ban-tn"], 1),
            (&crossed, 1),
            (&["--valid-until", "2026-11-01"], 1),
            (&["--topic", "II.9"], 1),
            (&["--by", " "], 2),
            (&["--programme", "ban-tin", "--topic", "II.1", "--by", "lan"], 0),
            (&["--title", "Khác", "--valid-until", "2026-11-01"], 0),
        ];
        assert_eq!(code_of(&station, &["add", "/nope.ogg"]), 1);
        for (words, code) in cases {
            assert_eq!(code_of(&station, &[&["add", &file], words].concat()), code, "{words:?}");
            assert_eq!(store.catalog().unwrap().iter().count(), usize::from(code == 0), "{words:?}");
        }
        let kept = store.catalog().unwrap().by_file(FILE).unwrap().words.clone();
        assert_eq!((kept.valid_until, kept.title == "Khác"), (None, false), "what was there stays as it was");

        let list = folder.path().join("list.toml");
        let entry = |programme| {
            format!("[[segment]]\nfile = \"ban-tin.ogg\"\ntitle = \"Tin\"\nprogramme = \"{programme}\"\n")
        };
        fs::copy(example("ban-tin.ogg"), folder.path().join("ban-tin.ogg")).unwrap();
        for (programme, code, known) in [("ban-tn", 1, 1), ("ban-tin", 0, 2)] {
            File::create(&list).unwrap().write_all(entry(programme).as_bytes()).unwrap();
            let import = ["import", list.to_str().unwrap(), "--approve-as", "minh"];
            assert_eq!((code_of(&station, &import), store.catalog().unwrap().iter().count()), (code, known));
        }
    }

    #[test]
    fn several_recordings_do_not_get_one_title() {
        let folder = tempfile::tempdir().unwrap();
        let station = example_in(folder.path());
        let files = [example(FILE), example("ban-tin.ogg")];
        assert_eq!(code_of(&station, &["add", &files[0], &files[1], "--title", "Tin"]), 1);
        assert!(!station.data().join(crate::store::DATABASE).exists());
        assert_eq!(code_of(&station, &["add", &files[0], &files[1]]), 0);
    }

    #[test]
    fn what_is_no_list_and_no_file_is_told_and_makes_no_database() {
        let folder = tempfile::tempdir().unwrap();
        let station = example_in(folder.path());
        let (letter, picture) = (station.schedule().join("station.toml"), folder.path().join("a.jpg"));
        File::create(&picture).unwrap().write_all(&[0xff; 9]).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        for (list, said) in [
            (Path::new("/no/such"), "Không có `/no/such`"),
            (folder.path(), "là một thư mục"),
            (&letter, "không phải danh sách bản ghi"),
            (&picture, "không phải danh sách bản ghi"),
        ] {
            let command = SegmentCommand::Import { list: list.to_owned(), approve_as: None };
            let refused = segment(&station, &clock, &command, &AtomicBool::new(false)).unwrap_err();
            assert!(format!("{refused:#}").contains(said), "{refused:#}");
        }
        assert_eq!(code_of(&station, &["add", "/no/such.mp3", "/"]), 1);
        assert!(!station.data().join(crate::store::DATABASE).exists());
    }

    #[test]
    fn a_folder_is_told_from_a_file_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(no_file(&folder.path().join("none")).as_deref(), Some(console::NO_FILE));
        let said = no_file(&folder.path().join("")).unwrap();
        assert!(said.contains(&format!("`{}/*`", folder.path().display())), "{said}");
        assert_eq!(no_file(Path::new(&example(FILE))), None);
    }

    #[test]
    fn words_that_were_not_taken_are_named() {
        let kept = Words { title: "Tin".to_owned(), topic: Some("II.1".into()), ..Words::default() };
        assert_eq!(others(&Words::default(), &kept), [""; 0], "nothing was said");
        assert_eq!(others(&Words { title: " Tin".to_owned(), ..Words::default() }, &kept), [""; 0]);
        let given = Words { title: "Bản tin".to_owned(), topic: Some("II.2".into()), ..kept.clone() };
        let given = Words { valid_until: "2026-12-01".parse().ok(), ..given };
        assert_eq!(others(&given, &kept), ["title", "topic", "valid_until"]);
    }

    #[test]
    fn the_list_shows_the_days_of_those_that_have_any() {
        let mut segments: Vec<_> =
            (1..4).map(|n| crate::timeline::fixture::segment(&format!("s{n}"), "tin", 60)).collect();
        let shown = |segments: &[Segment]| {
            let mut text = Vec::new();
            table_of(segments, Shape::Table).print(&mut text).unwrap();
            String::from_utf8(text).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(shown(&segments)[0].ends_with("Trạng thái"));
        let date = |day| Some(jiff::civil::date(2026, 12, day));
        (segments[0].words.valid_from, segments[0].words.valid_until) = (date(1), date(5));
        segments[1].words.valid_until = date(31);
        segments[2].words.title = "Bản tin ".repeat(20);
        let whole = table_of(&segments, Shape::Csv);
        let mut text = Vec::new();
        whole.csv(&mut text).unwrap();
        assert!(String::from_utf8(text).unwrap().contains(&segments[2].words.title));
        assert!(shown(&segments).iter().all(|line| line.chars().count() < 160));
        let lines = shown(&segments);
        for (line, end) in
            lines.iter().zip(["Thời hạn", "01/12/2026–05/12/2026", "đến 31/12/2026", "đã duyệt"])
        {
            assert!(line.ends_with(end), "{line}");
        }
    }

    #[test]
    fn a_recording_is_approved_once_by_who_may_while_its_file_is_right() {
        let folder = tempfile::tempdir().unwrap();
        let now = NOW.parse().unwrap();
        let station = example_in(folder.path());
        let store = Store::open(&station.data()).unwrap();
        for (name, role) in [("an", Role::Uploader), ("hoa", Role::Approver), ("minh", Role::Approver)] {
            store.add_user(name, &BTreeSet::from([role]), now).unwrap();
        }
        store.revoke_user("hoa", now).unwrap();
        let approver = || {
            let approval = store.catalog().unwrap().by_file(FILE).unwrap().approval.clone();
            approval.map(|approval| approval.by.to_string())
        };
        let approve = |by| code_of(&station, &["approve", FILE, "--by", by]);
        assert_eq!(code_of(&station, &["add", &example(FILE), "--by", "lan"]), 0);

        let kept = station.audio().join(FILE);
        File::create(&kept).unwrap().write_all(b"other").unwrap();
        assert_eq!(approve("minh"), 1, "the file is another");
        fs::remove_file(&kept).unwrap();
        assert_eq!(approve("minh"), 1, "the file is gone");
        fs::copy(example(FILE), &kept).unwrap();
        for by in ["lan", "Lan", " LAN ", "an", "An", "hoa", "HOA"] {
            assert_eq!((approve(by), approver()), (1, None), "{by}");
        }
        assert_eq!((approve("minh"), approver()), (0, Some("minh".to_owned())));
        assert_eq!((approve("ky-thuat"), approver()), (0, Some("minh".to_owned())), "it was before");

        for by in ["an", "An", "hoa"] {
            assert_eq!(code_of(&station, &["withdraw", FILE, "--by", by]), 1, "{by} may not");
            assert!(approver().is_some(), "{by}");
        }
        for _ in 0..2 {
            assert_eq!(code_of(&station, &["withdraw", FILE, "--by", "lan"]), 0);
        }
        assert_eq!(approve("minh"), 1, "for good");
        assert_eq!(code_of(&station, &["add", &example(FILE), "--by", "lan"]), 1, "nor by the same file");
        let acts = store.acts(now, now + SignedDuration::from_secs(1), 9).unwrap();
        let acts: Vec<_> = acts.iter().rev().map(|act| (&*act.by, &*act.what, &*act.origin)).collect();
        assert_eq!(acts, [("minh", "segment.approve", ORIGIN), ("lan", "segment.withdraw", ORIGIN)]);
    }

    #[test]
    fn a_list_is_approved_by_whom_its_recordings_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let station = example_in(folder.path());
        let store = Store::open(&station.data()).unwrap();
        store.add_user("an", &BTreeSet::from([Role::Auditor]), NOW.parse().unwrap()).unwrap();
        fs::copy(example(FILE), folder.path().join(FILE)).unwrap();
        let list = folder.path().join("list.toml");
        let entry = format!("[[segment]]\nfile = \"{FILE}\"\ntitle = \"Tin\"\nauthor = \"Lan\"\n");
        File::create(&list).unwrap().write_all(entry.as_bytes()).unwrap();
        for (by, code) in [("lan", 1), ("An", 1), ("minh", 0)] {
            assert_eq!(
                code_of(&station, &["import", list.to_str().unwrap(), "--approve-as", by]),
                code,
                "{by}"
            );
            let state = store.catalog().unwrap().by_file(FILE).unwrap().state;
            assert_eq!(state == State::Approved, code == 0, "{by}");
        }
    }

    #[test]
    fn a_person_alone_approves_their_own_work_where_the_rules_let_them() {
        let folder = tempfile::tempdir().unwrap();
        let station = example_in(folder.path());
        assert_eq!(code_of(&station, &["add", &example(FILE), "--by", "lan"]), 0);
        assert_eq!(code_of(&station, &["approve", FILE, "--by", "lan"]), 1);
        let mut rules = File::options().append(true).open(station.schedule().join("station.toml")).unwrap();
        rules.write_all(b"\n[rules]\napprove_own_work = true\n").unwrap();
        assert_eq!(code_of(&station, &["approve", FILE, "--by", "lan"]), 0);
    }
}
