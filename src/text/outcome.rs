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
pub(crate) mod tests {
    use super::*;

    /// Half of a piece, a quarter of a second late.
    pub(crate) fn airing() -> Airing {
        serde_json::from_str(
            r#"{"cue":"2026-11-23/sang/chuyen-muc/0","output":"loa-xa","zones":["Võ Kiện","Phú Cốc"],
            "title":"Chuyên mục","programme":"cam-tay-chi-viec","topic":"II.2","form":"own","layer":"scheduled",
            "ordered_by":null,"planned":"2026-11-22T22:32:00Z","planned_end":"2026-11-22T22:32:10Z","gain_db":1.5,
            "segment":{"id":"0707070707070707","hash":"0707070707070707070707070707070707070707070707070707070707070707",
            "title":"Quét mã QR","genre":"feature","source":"Công an xã","author":"Lan",
            "approval":{"by":"minh","at":"2026-11-21T18:00:00Z"}},"run":null,"unheard":null,
            "takes":[{"take":0,"planned":"2026-11-22T22:32:00Z","skip":"PT0S","expected":480000,"sample_rate":48000,
            "device":"default","clock":"wrong","opened":"2026-11-22T22:31:59Z","end":{
            "started":"2026-11-22T22:32:00.260Z","ended":"2026-11-22T22:32:05Z","delivered":240000,"starved":0,
            "cause":"emergency","at":"2026-11-22T22:32:05Z"}}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_line_of_the_paper_log_is_in_local_time_and_says_why() {
        let time_zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let line = log_line(7, "Buổi sáng", &airing(), &time_zone);
        let expected = [
            "7",
            "23/11/2026",
            "Buổi sáng",
            "05:32:00",
            "05:32:00",
            "05:32:05",
            "0,3",
            "Quét mã QR",
            "chuyên mục",
            "II.2",
            "tự sản xuất",
            "Công an xã",
            "Lan",
            "minh – 22/11/2026",
            "Võ Kiện, Phú Cốc",
            "thông thường",
            "phát một phần",
            "bị bản tin khẩn cấp chen ngang; đồng hồ chưa tin cậy",
            "",
        ];
        assert_eq!(line, expected);
        let again = Airing { run: Some(Run::Repeat), ..airing() };
        assert_eq!(log_line(8, "", &again, &time_zone)[10], "phát lại");
    }

    #[test]
    fn what_began_as_planned_shows_the_planned_second() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let mut airing = airing();
        airing.item.planned = at("2026-11-22T22:43:03.5Z");
        let mut line = |started: &str| {
            airing.takes[0].end.as_mut().unwrap().started = Some(at(started));
            let line = log_line(1, "", &airing, &TimeZone::UTC);
            [3, 4, 6].map(|column| line[column].clone())
        };
        assert_eq!(line("2026-11-22T22:43:03.499999999Z"), ["22:43:04", "22:43:04", "0,0"]);
        assert_eq!(line("2026-11-22T22:43:03.449Z"), ["22:43:04", "22:43:03", "−0,1"]);
    }

    #[test]
    fn a_session_is_called_as_it_was_then() {
        let old = airing();
        assert_eq!(session(None, &old), "sang", "logged before titles were");
        let mut schedule = crate::timeline::fixture::schedule("UTC", Vec::new());
        schedule.sessions[0].title = "Buổi sáng".to_owned();
        assert_eq!(session(Some(&schedule), &old), "Buổi sáng");
        let mut new = airing();
        new.item.session_title = Some("Buổi phát dùng thử".into());
        assert_eq!(session(Some(&schedule), &new), "Buổi phát dùng thử");
        assert!(!serde_json::to_string(&old).unwrap().contains("session_title"), "old rows keep their bytes");
    }

    #[test]
    fn cuts_before_a_whole_take_are_in_the_remark() {
        let mut airing = airing();
        let mut whole = airing.takes[0].clone();
        let end = whole.end.as_mut().unwrap();
        (end.delivered, end.cause, end.started) = (480_000, None, "2026-11-22T22:33:00Z".parse().ok());
        airing.takes[0].end.as_mut().unwrap().cause = Some(Cause::PowerCut);
        airing.takes.push(whole);
        let line = log_line(1, "", &airing, &TimeZone::get("Asia/Ho_Chi_Minh").unwrap());
        let expected =
            ["05:33:00", "đã phát", "trước đó phát dở lúc 05:32:00 (mất điện); đồng hồ chưa tin cậy"];
        assert_eq!([&*line[4], &*line[16], &*line[17]], expected);
    }

    #[test]
    fn what_was_whole_and_late_says_what_held_it_up() {
        let mut airing = airing();
        let take = &mut airing.takes[0];
        (take.clock, take.held_by) = (ClockHealth::Synchronised, Some(Cause::Emergency));
        let end = take.end.as_mut().unwrap();
        (end.delivered, end.cause) = (480_000, None);
        let line = log_line(1, "", &airing, &TimeZone::UTC);
        let expected = ["đã phát", "phát trễ vì bị bản tin khẩn cấp chen ngang"];
        assert_eq!([&*line[16], &*line[17]], expected);
        let take = &mut airing.takes[0];
        take.held_by = None;
        take.end.as_mut().unwrap().held_by = Some(Cause::Starved);
        let line = log_line(1, "", &airing, &TimeZone::UTC);
        let expected = "phát trễ vì âm thanh bị ngắt quãng vì máy hoặc thiết bị âm thanh không kịp";
        assert_eq!([&*line[16], &*line[17]], ["đã phát", expected]);
    }

    #[test]
    fn of_several_takes_each_says_why_it_was_not_whole() {
        let mut airing = airing();
        airing.takes[0].clock = ClockHealth::Synchronised;
        let more = |airing: &mut Airing, at: &str, delivered: u64, cause| {
            let mut take = airing.takes[0].clone();
            (take.take, take.planned) = (9, at.parse().unwrap());
            let end = take.end.as_mut().unwrap();
            (end.delivered, end.cause) = (delivered, Some(cause));
            end.started = (delivered > 0).then_some(take.planned);
            airing.takes.push(take);
        };
        let remark = |airing: &Airing| {
            log_line(1, "", airing, &TimeZone::get("Asia/Ho_Chi_Minh").unwrap())[17].clone()
        };
        let first = "bị bản tin khẩn cấp chen ngang";
        more(&mut airing, "2026-11-22T22:33:00Z", 0, Cause::FileBroken);
        assert_eq!(airing.outcome(), Outcome::Partly(Cause::Emergency));
        let broken = "lần 2 lúc 05:33:00: tệp lỗi, không có tiếng";
        assert_eq!(remark(&airing), format!("{first}; {broken}"));
        for minute in [34, 35] {
            more(&mut airing, &format!("2026-11-22T22:{minute}:00Z"), 9, Cause::OutputDown);
        }
        assert_eq!(remark(&airing), format!("{first}; {broken}; lần 3–4 lúc 05:34:00: thiết bị hỏng"));

        // One that sounded up to its end says why it began in the middle.
        airing.takes.truncate(2);
        airing.takes[1].held_by = Some(Cause::NotRunning);
        let end = airing.takes[1].end.as_mut().unwrap();
        (end.delivered, end.cause) = (480_000, None);
        airing.takes[1].skip = SignedDuration::from_secs(3);
        let joined = "lần 2 từ 05:33:00, vào giữa chừng vì máy phát không hoạt động";
        assert_eq!(remark(&airing), format!("{first}; {joined}"));

        airing.takes.truncate(1);
        let unheard = |cause| {
            let at = airing.takes[0].opened;
            Airing {
                unheard: Some(crate::asrun::Unheard { cause, clock: ClockHealth::Synchronised, at }),
                ..airing.clone()
            }
        };
        assert_eq!(
            remark(&unheard(Cause::NotRunning)),
            format!("{first}; sau đó không phát nữa: máy phát không hoạt động")
        );
        assert_eq!(remark(&unheard(Cause::Emergency)), first);

        // What goes on has no outcome yet, and what was withdrawn says that first.
        more(&mut airing, "2026-11-22T22:33:00Z", 9, Cause::Withdrawn);
        assert_eq!(remark(&airing), format!("đã bị thu hồi; lần 1 lúc 05:32:00: {first}"));
        airing.takes[1].end = None;
        assert_eq!(remark(&airing), format!("lần 1 lúc 05:32:00: {first}"));
    }

    #[test]
    fn what_is_missing_at_the_beginning_says_why_also_where_the_end_is_missing_too() {
        let mut airing = airing();
        let take = &mut airing.takes[0];
        (take.clock, take.held_by) = (ClockHealth::Synchronised, Some(Cause::Emergency));
        take.skip = SignedDuration::from_secs(3);
        let remark = |airing: &Airing| {
            let line = log_line(1, "", airing, &TimeZone::UTC);
            let (outcome, zone) = (airing.outcome(), TimeZone::UTC);
            assert_eq!(whys(airing, &zone), Some(line[17].clone()), "{outcome:?}");
            line[17].clone()
        };
        let emergency = "bị bản tin khẩn cấp chen ngang";
        airing.takes[0].end.as_mut().unwrap().cause = Some(Cause::StoppedByOperator);
        assert_eq!(remark(&airing), format!("bị dừng giữa chừng; vào giữa chừng vì {emergency}"));
        airing.takes[0].skip = SignedDuration::ZERO;
        assert_eq!(remark(&airing), format!("bị dừng giữa chừng; phát trễ vì {emergency}"));

        // A take after it, and one before.
        let mut second = airing.takes[0].clone();
        second.skip = SignedDuration::from_secs(5);
        second.end.as_mut().unwrap().cause = Some(Cause::OutputDown);
        airing.takes.push(second);
        let first = format!("bị dừng giữa chừng; phát trễ vì {emergency}");
        let next = format!("lần 2 từ 22:32:00, vào giữa chừng vì {emergency}: thiết bị hỏng");
        assert_eq!(remark(&airing), format!("{first}; {next}"));

        // Up to its end; and not heard at all.
        airing.takes.truncate(1);
        let take = &mut airing.takes[0];
        (take.skip, take.held_by) = (SignedDuration::from_secs(5), Some(Cause::Starved));
        let end = take.end.as_mut().unwrap();
        (end.cause, take.expected) = (None, end.delivered);
        let starved = "âm thanh bị ngắt quãng vì máy hoặc thiết bị âm thanh không kịp";
        assert_eq!(remark(&airing), format!("vào giữa chừng vì {starved}"));
        airing.takes[0].end.as_mut().unwrap().starved = 9;
        assert_eq!(remark(&airing), format!("{starved}; vào giữa chừng vì {starved}"));
        let end = airing.takes[0].end.as_mut().unwrap();
        (end.delivered, end.cause) = (0, Some(Cause::NotOpened));
        assert_eq!(remark(&airing), "máy không mở được tệp");
    }

    #[test]
    fn that_the_amplifier_was_not_on_is_in_the_remark_and_old_rows_keep_their_bytes() {
        let mut airing = airing();
        assert!(!serde_json::to_string(&airing).unwrap().contains("unpowered"));
        airing.takes[0].end.as_mut().unwrap().unpowered = true;
        let kept: Airing = serde_json::from_str(&serde_json::to_string(&airing).unwrap()).unwrap();
        let remark = &log_line(1, "", &kept, &TimeZone::UTC)[17];
        assert!(remark.contains("không bật được tăng âm, loa có thể không có tiếng"), "{remark}");
    }

    #[test]
    fn taking_the_air_has_one_name() {
        let name = crate::text::page::names::AIR;
        assert_eq!(super::super::page::capital(layer(Layer::Live)), name);
        assert!(cause(Cause::Live).contains(name));
    }

    #[test]
    fn deviations_are_rounded_to_tenths_of_a_second() {
        let said = [0, 49, 50, -50, -260, 12_345].map(|millis| seconds(SignedDuration::from_millis(millis)));
        assert_eq!(said, ["0,0", "0,0", "0,1", "−0,1", "−0,3", "12,3"]);
    }
}
