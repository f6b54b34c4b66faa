//! What is not as it should be on the timeline: what, when, what will happen on air, what to do.

use std::fmt;
use std::mem::discriminant;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::page::air::place;
use super::page::date::{spoken as length, spoken_span as span};
use crate::schedule::{OutputId, Play, Schedule};
use crate::segment::{Catalog, ProgrammeId, SegmentId};
use crate::timeline::plan::Plan;
use crate::timeline::{Absence, BlockId, Finding, FindingKind, Severity, Timeline};

/// Times, or places, that are named one by one; of more, the first, the last and how many.
const NAMED: usize = 3;
/// What an output is called within a sentence.
const OUTPUT: &str = "đường ra";

/// What things are called: a finding knows their ids alone.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Pools.
    pub schedule: &'a Schedule,
    /// Recordings.
    pub catalog: &'a Catalog,
    /// Sessions and slots, and the local time.
    pub timeline: &'a Timeline,
}

impl<'a> Names<'a> {
    /// Those of a plan, for one of its timelines.
    pub fn of(plan: &'a Plan, timeline: &'a Timeline) -> Self {
        Self { schedule: &plan.schedule, catalog: &plan.catalog, timeline }
    }

    fn session(&self, id: &BlockId) -> &'a str {
        let block = self.timeline.blocks.iter().find(|block| block.id.session == id.session);
        block.map_or("", |block| &block.title)
    }

    fn segment(&self, id: &SegmentId) -> String {
        self.catalog.get(id).map_or_else(|| id.to_string(), |segment| segment.words.title.clone())
    }

    fn pool(&self, id: &ProgrammeId) -> String {
        self.schedule.pools.get(id).map_or_else(|| id.to_string(), |pool| pool.title.clone())
    }

    /// Where a finding is: `mục “Bản tin” của “Buổi phát thanh sáng”`; with the output, where there are several.
    fn place(&self, f: &Finding) -> String {
        let place = self.place_in_the_week(f);
        if self.schedule.outputs.len() > 1 {
            format!("{place} {}", self.on([&self.timeline.output]))
        } else {
            place
        }
    }

    /// Who hears it.
    fn on<'o>(&self, outputs: impl IntoIterator<Item = &'o OutputId>) -> String {
        let places: Vec<_> =
            outputs.into_iter().map(|output| format!("“{}”", place(self.schedule, output))).collect();
        format!("({OUTPUT} {})", places.join(", "))
    }

    fn place_in_the_week(&self, f: &Finding) -> String {
        let session = match self.session(&f.block) {
            "" => f.block.session.as_str(),
            title => title,
        };
        let Some(id) = &f.cue else { return format!("“{session}”") };
        let cue = self.timeline.cues().find(|cue| cue.id == *id);
        let slot = cue.map(|cue| cue.title.as_str()).filter(|title| !title.is_empty());
        format!("mục “{}” của “{session}”", slot.unwrap_or(id.slot.as_str()))
    }

    /// The file that a cue plays, where it plays that and no other: what is handed in gets a name of its own.
    fn file(&self, f: &Finding) -> Option<&'a str> {
        let slot = &f.cue.as_ref()?.slot;
        match self.schedule.plays_on(f.block.date, &f.block.session, slot)? {
            Play::File(name) => Some(name),
            Play::Programme(_) | Play::All(_) | Play::Pool(_) | Play::Repeat { .. } => None,
        }
    }

    fn when(&self, at: Timestamp) -> DateTime {
        self.timeline.time_zone.to_datetime(at)
    }
}

/// What is said of a finding, or of several that are alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Said<'f> {
    /// The first of them.
    pub first: &'f Finding,
    /// Where: `mục “Bản tin” của “Buổi phát thanh sáng”`.
    pub place: String,
    /// When, each time it comes.
    times: Vec<DateTime>,
    /// What it is, what will be heard, and what to do.
    pub sentence: String,
}

impl Said<'_> {
    /// When: `05:31 ngày 23/11; 05:31 ngày 24/11`.
    pub fn when(&self) -> String {
        let times = self.times.iter().map(|at| at.strftime("%H:%M ngày %d/%m").to_string());
        listed(&times.collect::<Vec<_>>(), "lần")
    }

    /// When, as somebody says it on a date: `05:31 hôm nay; 05:31 ngày mai`.
    pub fn when_said_on(&self, today: Date) -> String {
        let times = self.times.iter().map(|at| said_on(*at, today));
        listed(&times.collect::<Vec<_>>(), "lần")
    }

    /// When it comes first, as somebody says it on a date.
    pub fn first_said_on(&self, today: Date) -> String {
        self.times.first().map(|at| said_on(*at, today)).unwrap_or_default()
    }

    /// The one day it comes on, where it is one.
    fn day(&self) -> Option<Date> {
        let day = self.times.first()?.date();
        self.times.iter().all(|at| at.date() == day).then_some(day)
    }

    /// Where it is, and at what times of the day.
    fn place_and_times(&self) -> String {
        let times: Vec<_> = self.times.iter().map(|at| at.strftime("%H:%M").to_string()).collect();
        format!("{} lúc {}", self.place, times.join(", "))
    }

    /// Whether one line can say this and another: the same comes on the same day in two places. Lengths may differ.
    fn is_alike(&self, other: &Self) -> bool {
        let (one, two) = (&self.first, &other.first);
        let same = match (length_of(&one.kind), length_of(&two.kind)) {
            (Some(_), Some(_)) => discriminant(&one.kind) == discriminant(&two.kind),
            _ => self.sentence == other.sentence,
        };
        same && one.severity == two.severity && self.day().is_some() && self.day() == other.day()
    }
}

/// A time, as somebody says it on a date: `05:31 hôm nay`, `05:31 ngày mai`, `05:31 ngày 23/11`.
fn said_on(at: DateTime, today: Date) -> String {
    let is_tomorrow = today.tomorrow().is_ok_and(|tomorrow| at.date() == tomorrow);
    let form = match at.date() {
        day if day == today => "%H:%M hôm nay",
        _ if is_tomorrow => "%H:%M ngày mai",
        _ => "%H:%M ngày %d/%m",
    };
    at.strftime(form).to_string()
}

/// A few things one by one; of many, the first, the last and how many.
fn listed(things: &[String], counted: &str) -> String {
    match things {
        [first, .., last] if things.len() > NAMED => {
            format!("{first} và {} {counted} nữa đến {last}", things.len() - 1)
        }
        things => things.join("; "),
    }
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lúc {}, {}: {}", self.when(), self.place, self.sentence)
    }
}

/// A finding in full sentences, with local times of the station.
pub fn finding<'f>(first: &'f Finding, names: &Names<'_>) -> Said<'f> {
    Said {
        first,
        place: names.place(first),
        times: vec![names.when(first.at)],
        sentence: sentence(first, names),
    }
}

/// What a finding means, where it stands beside what it is about.
pub fn beside(f: &Finding, names: &Names<'_>) -> String {
    let said = sentence(f, names);
    let mut letters = said.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Findings, each sentence once with all its times: what is missing all week is said once and not seven times.
pub fn findings<'f>(found: impl IntoIterator<Item = &'f Finding>, names: &Names<'_>) -> Vec<Said<'f>> {
    let mut said: Vec<Said<'_>> = Vec::new();
    for new in found.into_iter().map(|found| finding(found, names)) {
        let alike = |known: &&mut Said<'_>| (&known.place, &known.sentence) == (&new.place, &new.sentence);
        match said.iter_mut().find(alike) {
            Some(known) => known.times.extend(new.times),
            None => said.push(new),
        }
    }
    said
}

/// The findings of a plan: what is alike on several outputs is said once, with who hears it; or only that, where all do.
pub fn of_plan(plan: &Plan, matters: impl Fn(&Finding) -> bool) -> Vec<Said<'_>> {
    let mut all: Vec<(Said<'_>, String, Vec<&OutputId>)> = Vec::new();
    for timeline in &plan.timelines {
        let names = Names::of(plan, timeline);
        for new in findings(timeline.findings.iter().filter(|finding| matters(finding)), &names) {
            let place = names.place_in_the_week(new.first);
            let alike = |(known, there, _): &&mut (Said<'_>, String, _)| {
                *there == place && known.sentence == new.sentence && known.times == new.times
            };
            match all.iter_mut().find(alike) {
                Some((known, there, outputs)) => {
                    outputs.push(&timeline.output);
                    let is_everywhere = outputs.len() == plan.schedule.outputs.len();
                    let on = if is_everywhere { String::new() } else { names.on(outputs.iter().copied()) };
                    known.place = format!("{there} {on}").trim_end().to_owned();
                }
                None => all.push((new, place, vec![&timeline.output])),
            }
        }
    }
    all.into_iter().map(|(said, _, _)| said).collect()
}

/// What was said, where nothing is done about each: what is alike on one day is one line with all its places, so that a
/// day without music is not told slot by slot.
pub fn by_day(said: Vec<Said<'_>>) -> Vec<(Severity, String)> {
    let mut lines: Vec<Vec<Said<'_>>> = Vec::new();
    for new in said {
        match lines.iter_mut().find(|line| line.first().is_some_and(|first| first.is_alike(&new))) {
            Some(line) => line.push(new),
            None => lines.push(vec![new]),
        }
    }
    lines.iter().filter_map(|line| Some((line.first()?.first.severity, line_of(line)?))).collect()
}

/// One line for what is alike.
fn line_of(line: &[Said<'_>]) -> Option<String> {
    let (first, more) = line.split_first()?;
    let Some(day) = first.day().filter(|_| !more.is_empty()) else { return Some(first.to_string()) };
    let places: Vec<_> = line.iter().map(Said::place_and_times).collect();
    let mut sentence = first.sentence.replace("Mục này", "Các mục này").replace("Buổi này", "Các buổi này");
    let lengths = || line.iter().filter_map(|said| length_of(&said.first.kind));
    if let (Some(of_first), Some(least), Some(most)) =
        (length_of(&first.first.kind), lengths().min(), lengths().max())
    {
        sentence = sentence.replacen(&length(of_first), &span(least, most), 1);
    }
    Some(format!("Ngày {}, {}: {sentence}", day.strftime("%d/%m"), listed(&places, "chỗ")))
}

/// The length that a sentence names.
fn length_of(kind: &FindingKind) -> Option<i64> {
    if let FindingKind::LongerThanPlanned { over_ms: length }
    | FindingKind::CutShort { lost_ms: length }
    | FindingKind::Gap { silence_ms: length }
    | FindingKind::EndsEarly { silence_ms: length } = kind
    {
        Some(*length)
    } else {
        None
    }
}

/// What it is, what will be heard, and what to do.
fn sentence(f: &Finding, names: &Names<'_>) -> String {
    match &f.kind {
        FindingKind::Absent { why } => {
            let of_file = names.file(f).and_then(|file| absent_file(why, file));
            of_file.unwrap_or_else(|| absent(why).to_owned()) + &named(why, names)
        }
        FindingKind::OlderStandsIn { segment } => format!(
            "chưa có bản ghi của tuần này dùng được. Loa sẽ phát lại bản ghi cũ “{}”. Hãy nộp và duyệt bản ghi \
             của tuần này trước giờ phát.",
            names.segment(segment)
        ),
        FindingKind::LongerThanPlanned { over_ms } => format!(
            "bản ghi dài hơn thời lượng dự kiến {}. Các mục nối tiếp sẽ phát muộn hơn. Nếu không muốn vậy, hãy rút gọn \
             bản ghi hoặc sửa thời lượng trong lịch.",
            length(*over_ms)
        ),
        FindingKind::CutShort { lost_ms } => format!(
            "không đủ thời gian cho cả bản ghi. Tiếng sẽ nhỏ dần rồi tắt, {} cuối không được phát. Hãy rút gọn các \
             mục trước đó hoặc dời mục đúng giờ kế tiếp.",
            length(*lost_ms)
        ),
        FindingKind::Gap { silence_ms } => format!(
            "không có gì để phát trong {}. Loa sẽ im lặng cho đến mục kế tiếp. {}",
            length(*silence_ms),
            if f.severity == Severity::Note {
                "Đây là ngày không phát nhạc, nên không cần làm gì."
            } else {
                "Hãy thêm một mục lấp giờ hoặc bổ sung bản ghi."
            }
        ),
        FindingKind::EndsEarly { silence_ms } => format!(
            "các mục của buổi này hết sớm hơn giờ kết thúc {}. Loa sẽ im lặng từ lúc đó. Nếu không muốn vậy, hãy thêm mục, \
             thêm một mục lấp giờ hoặc sửa giờ kết thúc của buổi.",
            length(*silence_ms)
        ),
        FindingKind::PoolTooSmall { pool } => format!(
            "nhạc luân phiên “{}” có quá ít bản ghi dùng được. {} Hãy thêm và duyệt bài cho nhạc luân phiên này.",
            names.pool(pool),
            if f.severity == Severity::Error {
                "Mục này sẽ không có gì để phát."
            } else {
                "Có bản ghi sẽ được phát hơn một lần trong cùng một mục."
            }
        ),
        FindingKind::LeftOut { pieces } => format!(
            "không đủ thời gian cho mọi bản ghi. {pieces} bản ghi sẽ không được phát lần này; các bản ghi mới nhất \
             được ưu tiên. Hãy tăng thời lượng của mục hoặc thu hồi các bản ghi không còn cần."
        ),
        FindingKind::SkippedLocalTime { shift_ms: None } => "giờ ghi trong lịch không có trong ngày này, vì đồng hồ được \
             vặn tới, và dời muộn hơn thì không còn chỗ. Mục này sẽ không được phát. Hãy đặt giờ khác cho ngày này."
            .to_owned(),
        FindingKind::SkippedLocalTime { shift_ms: Some(shift_ms) } => format!(
            "giờ ghi trong lịch không có trong ngày này, vì đồng hồ được vặn tới. Giờ ấy được dời muộn hơn {}, theo giờ mới. \
             Nếu không muốn vậy, hãy đặt giờ khác cho ngày này.",
            length(*shift_ms)
        ),
        FindingKind::RepeatedLocalTime => "giờ ghi trong lịch đến hai lần trong ngày này, vì đồng hồ được vặn lùi. Loa \
             sẽ phát ở lần thứ nhất. Nếu không muốn vậy, hãy đặt giờ khác cho ngày này."
            .to_owned(),
        FindingKind::CutByNextSession { by } => format!(
            "“{}” bắt đầu khi buổi này chưa hết giờ. Buổi này sẽ dừng tại đó. Hãy sửa giờ của một trong hai buổi để \
             chúng không chồng lên nhau.",
            names.session(by)
        ),
        FindingKind::SessionTooLong => "buổi phát dài hơn mức quy chế cho phép. Loa sẽ dừng tại đó, phần còn lại của \
             buổi không được phát. Hãy rút ngắn buổi phát, hoặc sửa quy chế trong station.toml nếu mức này đã thay đổi."
            .to_owned(),
        FindingKind::TooManySessions => "ngày này đã có đủ số buổi phát mà quy chế cho phép. Cả buổi này sẽ im lặng. \
             Hãy bỏ bớt một buổi, hoặc sửa quy chế trong station.toml nếu mức này đã thay đổi."
            .to_owned(),
        FindingKind::WeekdayNotAllowed => "quy chế không cho phát vào thứ này trong tuần. Cả buổi này sẽ im lặng. Hãy \
             chuyển buổi phát sang ngày khác, hoặc sửa quy chế trong station.toml nếu ngày phát đã thay đổi."
            .to_owned(),
        FindingKind::InQuietHours => "mục nằm trong giờ yên lặng. Mục này sẽ không được phát. Hãy dời mục ra ngoài giờ \
             yên lặng."
            .to_owned(),
    }
}

fn absent(why: &Absence) -> &'static str {
    match why {
        Absence::Missing => {
            "chưa có bản ghi nào dùng được cho lần phát này. Mục này sẽ im lặng. Hãy nộp bản ghi và gửi duyệt trước giờ \
             phát."
        }
        Absence::NotApproved { .. } => {
            "bản ghi chưa được duyệt. Mục này sẽ im lặng. Hãy nhờ người duyệt nghe và duyệt trước giờ phát."
        }
        Absence::NotValid { .. } => {
            "bản ghi đã hết hạn hoặc chưa đến hạn phát trong ngày này. Mục này sẽ im lặng. Hãy sửa thời hạn của bản ghi \
             hoặc nộp bản ghi khác."
        }
        Absence::Withdrawn { .. } => {
            "bản ghi đã bị thu hồi. Mục này sẽ im lặng. Hãy nộp bản ghi khác và gửi duyệt."
        }
        Absence::FileBroken { .. } => {
            "tệp của bản ghi bị mất, không đọc được hoặc đã khác với tệp được duyệt. Mục này sẽ im lặng. Hãy chép lại đúng \
             tệp đó từ bản sao lưu (hoặc trả lại quyền đọc), hoặc nộp bản ghi khác và gửi duyệt."
        }
        Absence::NoMusic => {
            "ngày này không phát nhạc. Mục này sẽ im lặng, theo lịch ngày đặc biệt; không cần làm gì."
        }
        Absence::NoRoom => {
            "không còn thời gian trước mục đúng giờ kế tiếp hoặc trước khi hết buổi. Mục này sẽ không được phát. Hãy rút \
             gọn các mục trước đó hoặc kéo dài buổi phát."
        }
        Absence::QuietHours => {
            "mục nằm trong giờ yên lặng. Mục này sẽ không được phát. Hãy dời mục ra ngoài giờ yên lặng."
        }
        Absence::AgainstTheRules => {
            "quy chế không cho phép buổi phát này. Mục này sẽ không được phát. Hãy sửa lịch cho đúng quy chế."
        }
        Absence::NothingToRepeat => {
            "mục cần phát lại cũng không có gì để phát. Mục này sẽ im lặng. Hãy bổ sung bản ghi cho mục gốc."
        }
        Absence::NoOrigin => {
            "mục cần phát lại không có trong lịch của ngày này. Mục này sẽ im lặng. Nếu không muốn vậy, hãy cho mục này phát \
             nội dung khác trong lịch ngày đặc biệt."
        }
        Absence::TurnOver => "đã qua giờ phát mà chưa có gì để phát. Mục này đã im lặng; không cần làm gì.",
    }
}

/// Why there is nothing where a slot plays one file: no other that is handed in is played there before the slot is changed.
fn absent_file(why: &Absence, file: &str) -> Option<String> {
    let (what, mend) = match why {
        Absence::Missing => (
            "trên máy chưa có tệp này",
            "Hãy sửa mục và chọn một bản ghi đã duyệt, hoặc nộp tệp mang đúng tên đó và gửi duyệt trước giờ phát.",
        ),
        Absence::NotValid { .. } => (
            "bản ghi đó đã hết hạn hoặc chưa đến hạn phát trong ngày này",
            "Hãy sửa thời hạn của bản ghi, hoặc sửa mục và chọn bản ghi khác đã duyệt.",
        ),
        Absence::Withdrawn { .. } => (
            "bản ghi đó đã bị thu hồi",
            "Hãy sửa mục và chọn bản ghi khác đã duyệt; nếu chưa có, hãy nộp và gửi duyệt trước.",
        ),
        Absence::FileBroken { .. } => (
            "tệp đó bị mất, không đọc được hoặc đã khác với tệp được duyệt",
            "Hãy chép lại đúng tệp đó từ bản sao lưu (hoặc trả lại quyền đọc), hoặc sửa mục và chọn bản ghi khác đã duyệt.",
        ),
        Absence::NotApproved { .. }
        | Absence::NoMusic
        | Absence::NoRoom
        | Absence::QuietHours
        | Absence::AgainstTheRules
        | Absence::NothingToRepeat
        | Absence::NoOrigin
        | Absence::TurnOver => return None,
    };
    Some(format!("mục chỉ phát tệp “{file}”, mà {what}. Mục này sẽ im lặng. {mend}"))
}

/// The segment that would have aired, for people to find it.
fn named(why: &Absence, names: &Names<'_>) -> String {
    match why {
        Absence::NotApproved { segment }
        | Absence::NotValid { segment }
        | Absence::Withdrawn { segment }
        | Absence::FileBroken { segment } => {
            format!(" Bản ghi: “{}”.", names.segment(segment))
        }
        Absence::Missing
        | Absence::NoMusic
        | Absence::NoRoom
        | Absence::QuietHours
        | Absence::AgainstTheRules
        | Absence::NothingToRepeat
        | Absence::NoOrigin
        | Absence::TurnOver => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Output, Start};
    use crate::timeline::fixture::{at, output, play, schedule, segment, segment_id, slot};
    use crate::timeline::{CueId, History, Window, compile};

    /// Says a finding of a station with the session “sang”, whose one slot is called “Chuyên mục”.
    fn say(severity: Severity, of_slot: bool, kind: FindingKind) -> String {
        let mut feature = slot("chuyen-muc", Start::Follow, play("programme:tin"));
        feature.title = "Chuyên mục".to_owned();
        let schedule = schedule("Asia/Ho_Chi_Minh", vec![feature]);
        let catalog: Catalog = [segment("lua-dao", "tin", 60)].into_iter().collect();
        let window = Window { from: at("2026-11-22T17:00:00Z"), to: at("2026-11-23T17:00:00Z") };
        let timeline = compile(&schedule, &catalog, &History::default(), &output(), window);
        let block = BlockId::new("2026-11-23".parse().unwrap(), "sang");
        let cue = of_slot.then(|| CueId { block: block.clone(), slot: "chuyen-muc".into(), piece: 0 });
        let names = Names { schedule: &schedule, catalog: &catalog, timeline: &timeline };
        finding(&Finding { severity, block, cue, at: at("2026-11-22T22:31:00Z"), kind }, &names).to_string()
    }

    #[test]
    fn a_finding_says_what_when_what_will_be_heard_and_what_to_do() {
        let why = Absence::NotApproved { segment: "0123456789abcdef".into() };
        assert_eq!(
            say(Severity::Error, true, FindingKind::Absent { why }),
            "Lúc 05:31 ngày 23/11, mục “Chuyên mục” của “sang”: bản ghi chưa được duyệt. Mục này sẽ im lặng. Hãy nhờ \
             người duyệt nghe và duyệt trước giờ phát. Bản ghi: “0123456789abcdef”."
        );
        assert_eq!(
            say(Severity::Error, false, FindingKind::Gap { silence_ms: 125_400 }),
            "Lúc 05:31 ngày 23/11, “sang”: không có gì để phát trong 2 phút 5 giây. Loa sẽ im lặng cho đến mục kế tiếp. \
             Hãy thêm một mục lấp giờ hoặc bổ sung bản ghi."
        );
    }

    #[test]
    fn things_are_called_by_their_titles() {
        let older = FindingKind::OlderStandsIn { segment: segment_id("lua-dao") };
        assert!(say(Severity::Warning, true, older).contains("bản ghi cũ “lua-dao”."));
        let small = FindingKind::PoolTooSmall { pool: "nhac".into() };
        assert!(say(Severity::Warning, true, small).contains("nhạc luân phiên “Ca khúc” có quá ít"));
    }

    #[test]
    fn what_is_the_same_on_several_days_is_said_once() {
        let schedule = schedule("UTC", Vec::new());
        let (catalog, window) = (Catalog::default(), Window { from: Timestamp::MIN, to: Timestamp::MIN });
        let timeline = compile(&schedule, &catalog, &History::default(), &output(), window);
        let names = Names { schedule: &schedule, catalog: &catalog, timeline: &timeline };
        let on = |date: &str, silence_ms| Finding {
            severity: Severity::Error,
            block: BlockId::new(date.parse().unwrap(), "sang"),
            cue: None,
            at: format!("{date}T05:31:00Z").parse().unwrap(),
            kind: FindingKind::Gap { silence_ms },
        };
        let mut found = vec![on("2026-11-23", 60_000), on("2026-11-24", 9_000), on("2026-11-25", 60_000)];
        let said = findings(&found, &names);
        assert_eq!(said.len(), 2);
        assert!(
            said[0].to_string().starts_with("Lúc 05:31 ngày 23/11; 05:31 ngày 25/11, “sang”: "),
            "{}",
            said[0]
        );
        found.extend([on("2026-11-26", 60_000), on("2026-11-27", 60_000)]);
        let many = findings(&found, &names)[0].to_string();
        assert!(
            many.starts_with("Lúc 05:31 ngày 23/11 và 3 lần nữa đến 05:31 ngày 27/11, “sang”: "),
            "{many}"
        );
    }

    #[test]
    fn what_is_alike_on_one_day_is_one_line_with_its_places() {
        let mut slots = ["một", "hai", "ba", "bốn"].map(|id| slot(id, Start::Follow, play("pool:nhac")));
        slots.iter_mut().for_each(|slot| slot.title = slot.id.to_string());
        let schedule = schedule("UTC", slots.into());
        let window = Window { from: at("2026-11-23T00:00:00Z"), to: at("2026-11-24T00:00:00Z") };
        let catalog = Catalog::default();
        let timeline = compile(&schedule, &catalog, &History::default(), &output(), window);
        let names = Names { schedule: &schedule, catalog: &catalog, timeline: &timeline };
        let on = |date: &str, minute: i8, slot: &str, kind: FindingKind| {
            let block = BlockId::new(date.parse().unwrap(), "sang");
            let cue = Some(CueId { block: block.clone(), slot: slot.into(), piece: 0 });
            let at = format!("{date}T05:{minute}:00Z").parse().unwrap();
            Finding { severity: Severity::Note, block, cue, at, kind }
        };
        let (today, tomorrow) = ("2026-11-23", "2026-11-24");
        let silent = || FindingKind::Absent { why: Absence::NoMusic };
        let gap = |minutes: i64| FindingKind::Gap { silence_ms: minutes * 60_000 };
        let mut found = vec![
            on(today, 30, "một", silent()),
            on(today, 30, "một", gap(9)),
            on(today, 40, "hai", silent()),
            on(today, 45, "hai", silent()),
            on(today, 40, "hai", gap(4)),
            on(tomorrow, 40, "hai", gap(5)),
        ];
        let lines = |found: &[Finding]| -> Vec<String> {
            by_day(findings(found, &names)).into_iter().map(|(_, line)| line).collect()
        };
        assert_eq!(
            lines(&found),
            [
                "Ngày 23/11, mục “một” của “sang” lúc 05:30; mục “hai” của “sang” lúc 05:40, 05:45: ngày này không phát nhạc. \
                 Các mục này sẽ im lặng, theo lịch ngày đặc biệt; không cần làm gì.",
                "Ngày 23/11, mục “một” của “sang” lúc 05:30; mục “hai” của “sang” lúc 05:40: không có gì để phát trong \
                 4 phút đến 9 phút. Loa sẽ im lặng cho đến mục kế tiếp. Đây là ngày không phát nhạc, nên không cần làm gì.",
                "Lúc 05:40 ngày 24/11, mục “hai” của “sang”: không có gì để phát trong 5 phút. Loa sẽ im lặng cho đến mục \
                 kế tiếp. Đây là ngày không phát nhạc, nên không cần làm gì.",
            ]
        );
        found.extend([on(today, 50, "ba", silent()), on(today, 55, "bốn", silent())]);
        let many = &lines(&found)[0];
        assert!(
            many.starts_with(
                "Ngày 23/11, mục “một” của “sang” lúc 05:30 và 3 chỗ nữa đến mục “bốn” của “sang” lúc 05:55: "
            ),
            "{many}"
        );
    }

    #[test]
    fn of_several_outputs_a_finding_names_its_own() {
        let mut schedule = schedule("UTC", Vec::new());
        let second = Output { id: "loa-thon".into(), ..schedule.outputs[0].clone() };
        schedule.outputs.push(second);
        let (catalog, window) = (Catalog::default(), Window { from: Timestamp::MIN, to: Timestamp::MIN });
        let timeline = compile(&schedule, &catalog, &History::default(), &"loa-thon".into(), window);
        let names = Names { schedule: &schedule, catalog: &catalog, timeline: &timeline };
        let gap = Finding {
            severity: Severity::Error,
            block: BlockId::new("2026-11-23".parse().unwrap(), "sang"),
            cue: None,
            at: at("2026-11-23T05:31:00Z"),
            kind: FindingKind::Gap { silence_ms: 60_000 },
        };
        let said = finding(&gap, &names).to_string();
        assert!(
            said.starts_with("Lúc 05:31 ngày 23/11, “sang” (đường ra “Thôn 1 (loa-thon)”): không có gì"),
            "{said}"
        );
    }

    #[test]
    fn a_day_without_music_asks_nothing_of_anyone() {
        let text = say(Severity::Note, false, FindingKind::Gap { silence_ms: 60_000 });
        assert!(text.ends_with("không cần làm gì.") && text.contains(" 1 phút."), "{text}");
    }
}
