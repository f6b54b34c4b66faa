//! What became of things: outcomes, causes, forms, ranks, states and kinds, and the paper log (nhật ký phát thanh).

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::asrun::{Airing, BrokenTake, Cause, ClockHealth, Decision, Outcome, OutcomeKind, Run};
use crate::schedule::Schedule;
use crate::segment::{Genre, State};
use crate::store::{Bad, Fault, Verdict};
use crate::timeline::{Form, INTERRUPT_SESSION, Layer};

/// The columns of the paper log, in order; the last, `Người trực`, is signed by hand.
pub const LOG_COLUMNS: [&str; 19] = [
    "STT",
    "Ngày",
    "Buổi",
    "Giờ theo lịch",
    "Giờ phát thực tế",
    "Giờ kết thúc",
    "Lệch (giây)",
    "Tên tin, bài, chương trình",
    "Thể loại",
    "Chủ đề",
    "Hình thức",
    "Nguồn tin",
    "Người biên soạn",
    "Người duyệt – ngày duyệt",
    "Khu vực phát",
    "Mức ưu tiên",
    "Kết quả",
    "Lý do, ghi chú",
    "Người trực",
];

/// The column that says what became of it.
const RESULT: usize = 16;

/// Head of the column that says on which output, where there are several.
pub const OUTPUT: &str = "Đường ra";

/// Those that a screen has room for: the date, the times, what became of it and why, and what it was.
pub const ON_SCREEN: [usize; 8] = [1, 3, 4, 5, 6, 16, 17, 7];

/// An airing as a line of the paper log. `number` counts the lines; `session` is the title of the airing's session.
pub fn log_line(number: usize, session: &str, airing: &Airing, time_zone: &TimeZone) -> [String; 19] {
    let item = &airing.item;
    let piece = item.segment.as_ref();
    let outcome = airing.outcome();
    let time = |at: Timestamp| super::page::date::second(at, time_zone);
    let date = |at: Timestamp| at.to_zoned(time_zone.clone()).strftime("%d/%m/%Y").to_string();
    let title = piece.map_or(&item.title, |piece| &piece.title);
    let approved = piece.and_then(|piece| piece.approval.as_ref());
    [
        number.to_string(),
        date(item.planned),
        session.to_owned(),
        time(item.planned),
        began(airing).map(time).unwrap_or_default(),
        airing.ended().map(time).unwrap_or_default(),
        airing.lateness().map(seconds).unwrap_or_default(),
        title.clone(),
        piece.and_then(|piece| piece.genre).map(genre).unwrap_or_default().to_owned(),
        item.topic.as_deref().unwrap_or_default().to_owned(),
        shape(airing).to_owned(),
        piece.and_then(|piece| piece.source.as_deref()).unwrap_or_default().to_owned(),
        piece.and_then(|piece| piece.author.as_deref()).unwrap_or_default().to_owned(),
        approved.map(|approval| format!("{} – {}", approval.by, date(approval.at))).unwrap_or_default(),
        item.zones.join(", "),
        layer(item.layer).to_owned(),
        outcome_name(&outcome).to_owned(),
        remark(airing, &outcome, time),
        String::new(),
    ]
}

/// The same for who looks at this instant.
pub fn log_line_now(
    number: usize,
    session: &str,
    airing: &Airing,
    time_zone: &TimeZone,
    now: Timestamp,
) -> [String; 19] {
    let mut line = log_line(number, session, airing, time_zone);
    if let Some(result) = line.get_mut(RESULT) {
        outcome_now(airing, now).clone_into(result);
    }
    line
}

/// The columns as files have them: where the station has several outputs, with the output after the others.
pub fn file_columns(schedule: Option<&Schedule>) -> Vec<&'static str> {
    LOG_COLUMNS.into_iter().chain(several(schedule).map(|_| OUTPUT)).collect()
}

/// An airing as a line of such a file, made at this instant.
pub fn file_line(
    number: usize,
    airing: &Airing,
    schedule: Option<&Schedule>,
    time_zone: &TimeZone,
    now: Timestamp,
) -> Vec<String> {
    let line = log_line_now(number, session(schedule, airing), airing, time_zone, now);
    let output = several(schedule).map(|_| airing.item.output.to_string());
    line.into_iter().chain(output).collect()
}

/// A schedule of a station with several outputs.
fn several(schedule: Option<&Schedule>) -> Option<&Schedule> {
    schedule.filter(|schedule| schedule.outputs.len() > 1)
}

/// What stands for the session of what a person ordered.
pub const OUT_OF_SCHEDULE: &str = "Ngoài lịch";

/// The title of an airing's session, as it was then. Of what was logged before titles were, the schedule's, or the id
/// where that does not have it any more.
pub fn session<'a>(schedule: Option<&'a Schedule>, airing: &'a Airing) -> &'a str {
    let id = &airing.item.cue.block.session;
    if id.as_str() == INTERRUPT_SESSION {
        return OUT_OF_SCHEDULE;
    }
    let of_today = || schedule.and_then(|schedule| schedule.session_title(id));
    airing.item.session_title.as_deref().or_else(of_today).unwrap_or(id.as_str())
}

/// When it began, as it is shown beside the plan: where the difference is none, it was when it was planned, and not the
/// second before because it lacked a few nanoseconds.
pub fn began(airing: &Airing) -> Option<Timestamp> {
    let is_as_planned = airing.lateness().is_some_and(|late| seconds(late) == seconds(SignedDuration::ZERO));
    airing.started().map(|started| if is_as_planned { airing.item.planned } else { started })
}

/// A length in seconds with a decimal comma, to the tenth: `−0,3`.
fn seconds(length: SignedDuration) -> String {
    let tenths = (length.as_millis() + 50 * length.as_millis().signum()) / 100;
    let sign = if tenths < 0 { "−" } else { "" };
    format!("{sign}{},{}", tenths.abs() / 10, tenths.abs() % 10)
}

/// The form; a piece that was heard before is a repeat, whatever the slot says.
fn shape(airing: &Airing) -> &'static str {
    match (airing.item.form, airing.run) {
        (Form::Own, Some(Run::Repeat)) => form(Form::Repeat),
        (planned, _) => form(planned),
    }
}

/// The cause, what was cut before, who ordered it, and what is to be known of the amplifier and the clock.
fn remark(airing: &Airing, outcome: &Outcome, time: impl Fn(Timestamp) -> String) -> String {
    let ordered = airing.item.ordered_by.as_ref().map(|by| format!("theo lệnh của {by}"));
    let clock = (airing.clock() == ClockHealth::Wrong).then(|| cause(Cause::ClockNotTrusted).to_owned());
    let why = first_why(airing, outcome).map(|why| decided(&why, airing.decision.as_ref()));
    let clock = clock.filter(|clock| why.as_ref() != Some(clock));
    let takes = takes(airing, outcome, time);
    let power = airing.unpowered().then(|| "không bật được tăng âm, loa có thể không có tiếng".to_owned());
    let also = [ordered, power, clock].into_iter().flatten();
    why.into_iter().chain(takes).chain(also).collect::<Vec<_>>().join("; ")
}

/// Why something became what it is, of each of its takes; without whose decision it was.
pub fn whys(airing: &Airing, zone: &TimeZone) -> Option<String> {
    let outcome = airing.outcome();
    let takes = takes(airing, &outcome, |at| super::page::date::second(at, zone));
    let whys: Vec<_> = first_why(airing, &outcome).into_iter().chain(takes).collect();
    (!whys.is_empty()).then(|| whys.join("; "))
}

/// Why something became what it is: where its beginning is what is missing, that is said with it.
fn first_why(airing: &Airing, outcome: &Outcome) -> Option<String> {
    let of_its_beginning = told(airing, outcome).filter(|take| !take.was_cut).and_then(|take| held_up(&take));
    of_its_beginning.or_else(|| why(outcome).map(str::to_owned))
}

/// The take that gives the outcome its cause.
fn told(airing: &Airing, outcome: &Outcome) -> Option<BrokenTake> {
    let mut takes = airing.broken_takes();
    takes.find(|take| !airing.has_whole_take() && Some(take.cause) == outcome.cause())
}

/// What the beginning of a take was like that something held up; of what was not heard, nothing.
fn held_up(take: &BrokenTake) -> Option<String> {
    let what = if take.joined { cause(Cause::JoinedLate) } else { LATE };
    take.held_by.filter(|_| take.heard).map(|why| format!("{what} vì {}", cause(why)))
}

/// What began late and at its beginning.
const LATE: &str = "phát trễ";

/// What became of the takes of which the outcome does not say it: before a whole one, of each; else of all but the one that
/// gives it its cause; and why it did not go on.
fn takes(airing: &Airing, outcome: &Outcome, time: impl Fn(Timestamp) -> String) -> Vec<String> {
    let mut takes: Vec<_> = airing.broken_takes().collect();
    if airing.has_whole_take() {
        let (heard, mute): (Vec<_>, Vec<_>) = takes.into_iter().partition(|take| take.heard);
        let each = [("trước đó phát dở lúc", heard), ("trước đó không có tiếng lúc", mute)];
        let said = |take: &BrokenTake| format!("{} ({})", time(take.began), cause(take.cause));
        let each = each.into_iter().filter(|(_, takes)| !takes.is_empty());
        let late = airing.held_up_by().map(|why| format!("{LATE} vì {}", cause(why)));
        let broken = each
            .map(|(what, takes)| format!("{what} {}", takes.iter().map(said).collect::<Vec<_>>().join(", ")));
        return late.into_iter().chain(broken).collect();
    }
    let told = told(airing, outcome);
    takes.retain(|take| Some(take.number) != told.map(|told| told.number));
    // A device that comes and goes gives a cue many takes.
    let kind = |take: &BrokenTake| (take.cause, take.heard, take.was_cut, take.joined, take.held_by);
    let alike = |one: &BrokenTake, next: &BrokenTake| kind(one) == kind(next);
    let said = |alike: &[BrokenTake]| {
        let (first, last) = alike.first().zip(alike.last())?;
        let to = if last.number == first.number { String::new() } else { format!("–{}", last.number) };
        let (number, began) = (first.number, time(first.began));
        let mute = if first.heard { "" } else { ", không có tiếng" };
        Some(match held_up(first) {
            Some(why) if first.was_cut => {
                format!("lần {number}{to} từ {began}, {why}: {}", cause(first.cause))
            }
            Some(why) => format!("lần {number}{to} từ {began}, {why}"),
            None => format!("lần {number}{to} lúc {began}: {}{mute}", cause(first.cause)),
        })
    };
    let beginning = told.filter(|told| told.was_cut).and_then(|told| held_up(&told));
    let mut all: Vec<_> = beginning.into_iter().chain(takes.chunk_by(alike).filter_map(said)).collect();
    let unheard = airing.unheard.as_ref().map(|unheard| unheard.cause);
    let unheard = unheard.filter(|cause| !airing.takes.is_empty() && Some(*cause) != outcome.cause());
    all.extend(unheard.map(|why| format!("sau đó không phát nữa: {}", cause(why))));
    all
}

/// A cause, and whose decision it was: `đã bị thu hồi (minh: Thông tin sai)`.
fn decided(cause: &str, decision: Option<&Decision>) -> String {
    match decision {
        None => cause.to_owned(),
        Some(Decision { by, reason: None }) => format!("{cause} ({by})"),
        Some(Decision { by, reason: Some(reason) }) => format!("{cause} ({by}: {reason})"),
    }
}

/// A take is opened, and nothing sounds yet.
const ABOUT_TO_BEGIN: &str = "sắp phát";

/// What became of a cue, for who looks at this instant.
pub fn outcome_now(airing: &Airing, now: Timestamp) -> &'static str {
    if airing.is_about_to_begin(now) { ABOUT_TO_BEGIN } else { outcome_name(&airing.outcome()) }
}

/// What became of a cue.
pub fn outcome_name(outcome: &Outcome) -> &'static str {
    outcome_kind(outcome.kind())
}

/// A kind of outcome.
pub fn outcome_kind(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::OnAir => "đang phát",
        OutcomeKind::Aired => "đã phát",
        OutcomeKind::Partly => "phát một phần",
        OutcomeKind::NotAired => "không phát",
        OutcomeKind::Withdrawn => "thu hồi",
    }
}

/// Why something became what it is; what was stopped before it began was called off.
pub fn why(outcome: &Outcome) -> Option<&'static str> {
    if *outcome == Outcome::NotAired(Cause::StoppedByOperator) {
        return Some("hủy trước khi phát");
    }
    outcome.cause().map(cause)
}

/// Why it was not the plan, as the paper log says it.
pub fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::PowerCut => "mất điện",
        Cause::NotRunning => "máy phát không hoạt động",
        Cause::OutputDown => "thiết bị hỏng",
        Cause::FileBroken => "tệp lỗi",
        Cause::NotOpened => "máy không mở được tệp",
        Cause::NotApproved => "chưa được duyệt",
        Cause::NothingHandedIn => "chưa có bài nộp",
        Cause::NotValid => "ngoài thời hạn hiệu lực",
        Cause::Withdrawn => "đã bị thu hồi",
        Cause::AgainstTheRules => "ngoài giờ cho phép",
        Cause::Emergency => "bị bản tin khẩn cấp chen ngang",
        Cause::Live => "bị lệnh Phát ngay chen ngang",
        Cause::ClockNotTrusted => "đồng hồ chưa tin cậy",
        Cause::StoppedByOperator => "bị dừng giữa chừng",
        Cause::TooLate => "đã quá giờ phát",
        Cause::PlannedCut => "cắt theo lịch",
        Cause::CutByNext => "bị mục đúng giờ tiếp theo cắt",
        Cause::NoRoom => "không còn thời gian trong buổi",
        Cause::NoMusic => "ngày không phát nhạc",
        Cause::NoOrigin => "mục gốc không có trong ngày",
        Cause::ScheduleChanged => "lịch đã thay đổi",
        Cause::ProgramStopped => "chương trình phát được tắt",
        Cause::JoinedLate => "vào giữa chừng",
        Cause::Starved => "âm thanh bị ngắt quãng vì máy hoặc thiết bị âm thanh không kịp",
    }
}

/// Where the words come from (hình thức).
pub fn form(form: Form) -> &'static str {
    match form {
        Form::Own => "tự sản xuất",
        Form::Repeat => "phát lại",
    }
}

/// Whether it was new to the listeners.
pub fn run(run: Run) -> &'static str {
    match run {
        Run::First => "phát lần đầu",
        Run::Repeat => "phát lại",
    }
}

/// The rank (mức ưu tiên).
pub fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Silence => "im lặng",
        Layer::Scheduled => "thông thường",
        Layer::Live => "phát ngay",
        Layer::Emergency => "khẩn cấp",
    }
}

/// Where a segment stands on its way to the air.
pub fn state(state: State) -> &'static str {
    match state {
        State::Draft => "bản nháp",
        State::Pending => "chờ duyệt",
        State::Approved => "đã duyệt",
        State::Withdrawn => "đã thu hồi",
    }
}

/// The kind of a text (thể loại).
pub fn genre(genre: Genre) -> &'static str {
    match genre {
        Genre::News => "tin",
        Genre::Bulletin => "bản tin",
        Genre::Article => "bài",
        Genre::Reportage => "phóng sự",
        Genre::Feature => "chuyên mục",
        Genre::Commendation => "gương điển hình",
        Genre::Notice => "thông báo",
        Genre::Correction => "đính chính",
        Genre::Music => "ca nhạc",
        Genre::Ident => "nhạc hiệu, lời xướng",
    }
}

/// What is known of the clock.
pub fn clock(health: ClockHealth) -> &'static str {
    match health {
        ClockHealth::Synchronised => "đã đồng bộ",
        ClockHealth::Unconfirmed => "chưa đối chiếu",
        ClockHealth::Wrong => "sai giờ",
    }
}

/// Everything that is wrong with the log.
pub fn faults(verdict: &Verdict) -> String {
    verdict.faults().map(fault).collect::<Vec<_>>().join("; ")
}

/// What is wrong with the log.
fn fault(bad: &Bad) -> String {
    let row = bad.seq.map(|seq| format!("dòng {seq}")).unwrap_or_default();
    // Of a cut that the program noted itself, the instant is known; its note stands where it wrote on.
    let noted_in_the_log = bad.at.is_some();
    match &bad.fault {
        Fault::Changed => format!("{row} không còn như lúc ghi"),
        Fault::NotAfterTheOneBefore => format!("{row} không nối tiếp dòng trước nó"),
        Fault::Missing => format!("thiếu các dòng trước {row}"),
        Fault::Shortened { noted } if noted_in_the_log => {
            format!("đã bị cắt từ {row}, khi có ít nhất {noted} dòng; từ đó chương trình ghi tiếp")
        }
        Fault::Shortened { noted } => format!("mất các dòng cuối, từ {row}: đã từng có ít nhất {noted} dòng"),
        Fault::OtherEnd => format!("{row} không phải dòng đã được ghi nhận; nhật ký đã bị làm lại"),
        Fault::EndNotNoted if noted_in_the_log => format!(
            "trước {row}, tệp ghi nhận dòng cuối (`data/log-head`) đã bị mất; không biết có mất dòng nào không"
        ),
        Fault::EndNotNoted => "mất tệp ghi nhận dòng cuối (`data/log-head`)".to_owned(),
        Fault::AiringDiffers { cue, .. } => format!("bảng tra cứu của mục {cue} không khớp với nhật ký"),
    }
}

#[cfg(test)]
pub(crate) mod tests;
