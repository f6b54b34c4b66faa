//! What the commands say to the technician at the machine.

use jiff::civil::Date;
use jiff::{SignedDuration, Zoned};

use super::disk::recording_unreadable;
use super::outcome::faults;
use crate::segment::{Approval, FileTrouble, Segment};
use crate::store::{StoreError, Verdict};

/// Head of the list of recordings.
pub const SEGMENT_COLUMNS: [&str; 7] =
    ["Mã", "Tệp", "Tên", "Chuyên mục", "Thời lượng", "Độ to (LUFS)", "Trạng thái"];
/// Head of the timeline.
pub const TIMELINE_COLUMNS: [&str; 5] = ["Giờ phát", "Thời lượng", "Mục", "Bản ghi", "Ghi chú"];
/// Head of the list of outputs.
pub const DEVICE_COLUMNS: [&str; 4] = ["Tên cho `device`", "Thiết bị", "Dùng được", "Mặc định"];
/// The machine has nothing that sounds.
pub const NO_CARD: &str = "Máy này không có cạc âm thanh hay máy chủ âm thanh nào dùng được: những tên `alsa:…` nếu có ở trên chỉ \
     là tên sẵn có của hệ thống, không có loa phía sau. Hãy cắm cạc (ví dụ cạc USB) hoặc cài trình điều khiển, rồi chạy lại lệnh này.";
/// Head of the list of people.
pub const USER_COLUMNS: [&str; 4] = ["Tên", "Vai trò", "Tạo lúc", "Thu hồi lúc"];
/// Head of what a walk through the log found.
pub const VERDICT_COLUMNS: [&str; 3] = ["Số dòng", "Mã kiểm tra cuối", "Chỗ sai"];
/// Mark of an output that can be used, and of the default one.
pub const YES: &str = "có";
/// What stands where no recording will sound.
pub const SILENCE: &str = "(im lặng)";

/// The schedule has no mistake and the days ahead no finding.
pub const ALL_WELL: &str = "Lịch phát không có lỗi; các ngày tới đủ bản ghi.";
/// Nothing to show.
pub const NOTHING: &str = "Không có dòng nào.";
/// The schedule in force stays in force.
pub const OLD_SCHEDULE_STAYS: &str = "Lịch đang dùng vẫn được phát; lịch mới có hiệu lực khi hết lỗi.";

/// None ever was.
pub const NO_SCHEDULE_YET: &str = "Chưa có lịch nào từng được dùng: đài im lặng cho đến khi lịch hết lỗi.";

/// How many mistakes the schedule has.
pub fn mistakes(count: usize) -> String {
    format!("Lịch phát có {count} lỗi:")
}

/// How many findings the days ahead have.
pub fn count_of_findings(count: usize) -> String {
    format!("Có {count} lưu ý về các ngày tới:")
}

/// The file of a recording that is to air is not there.
pub fn file_missing(file: &str, title: &str, first: &Zoned) -> String {
    format!(
        "Không có tệp `{file}` của bản ghi “{title}” trong thư mục `audio`. Bản ghi này sẽ không phát được, lần đầu lúc \
         {}. Chép lại đúng tệp đó từ bản sao lưu, hoặc nộp bản ghi khác và gửi duyệt.",
        first.strftime("%H:%M ngày %d/%m")
    )
}

/// The file of a recording that is to air has other bytes than were approved.
pub fn file_changed(file: &str, title: &str, first: &Zoned) -> String {
    format!(
        "Tệp `{file}` của bản ghi “{title}” đã khác với tệp được duyệt. Bản ghi này sẽ không phát được, lần đầu lúc {}. \
         Chép lại đúng tệp được duyệt từ bản sao lưu, hoặc nộp tệp mới và gửi duyệt.",
        first.strftime("%H:%M ngày %d/%m")
    )
}

/// A command of an amplifier is no program of this machine.
pub fn command_missing(output: &str, command: &str) -> String {
    format!(
        "Máy này không chạy được lệnh `{command}` để bật tắt tăng âm của đường ra “{output}”: đến giờ phát, loa có thể \
         không có tiếng. Kiểm tra lại lệnh trong `[output.amplifier]` và quyền chạy tệp đó."
    )
}

/// A machine does not have an output's device.
pub fn device_missing(output: &str, device: &str) -> String {
    format!(
        "Máy này không có thiết bị âm thanh `{device}` của đường ra “{output}”: đến giờ phát, loa sẽ không có tiếng. Xem cạc âm \
         thanh có bị rút ra không, rồi chép đúng tên do `loa devices` kể ra vào `device` trong `station.toml`."
    )
}

/// A recording was taken in.
pub fn taken_in(segment: &Segment) -> String {
    format!(
        "Đã nhận `{}` (mã {}), dài {}. Cần được duyệt trước khi phát.",
        segment.file,
        segment.id,
        length(segment.duration())
    )
}

/// Head of the column with the days on which recordings may air.
pub const VALIDITY: &str = "Thời hạn";

/// The days on which a recording may air; nothing where it may on any.
pub fn validity(from: Option<Date>, until: Option<Date>) -> String {
    let day = |date: Date| date.strftime("%d/%m/%Y").to_string();
    match (from, until) {
        (None, None) => String::new(),
        (Some(from), None) => format!("từ {}", day(from)),
        (None, Some(until)) => format!("đến {}", day(until)),
        (Some(from), Some(until)) => format!("{}–{}", day(from), day(until)),
    }
}

/// A recording was there already, and words were given with it that it has not.
pub fn words_stay(segment: &Segment, fields: &[&str]) -> String {
    let fields: Vec<_> =
        fields.iter().map(|field| format!("“{}”", super::page::recordings::one::field(field))).collect();
    format!(
        "`{}` (mã {}): thông tin của bản ghi này không thay đổi; những gì vừa ghi cho {} không được dùng. Muốn sửa, hãy mở \
         `/ban-ghi/{}` trên trang điều khiển, sửa rồi bấm “{}”.",
        segment.file,
        segment.id,
        fields.join(", "),
        segment.id,
        super::page::recordings::one::KEEP
    )
}

/// A recording was there already.
pub fn known(segment: &Segment) -> String {
    format!("`{}` (mã {}) đã có trong kho, không nhận lần nữa.", segment.file, segment.id)
}

/// A recording was there already, and somebody took it off the air.
pub fn known_withdrawn(segment: &Segment) -> String {
    format!("Không nhận `{}` (mã {}) lần nữa: {WITHDRAWN_FOR_GOOD}", segment.file, segment.id)
}

/// A list of recordings was taken in.
pub fn imported(fresh: usize, known: usize, (approver, refused): (Option<&str>, usize)) -> String {
    let but =
        if refused == 0 { String::new() } else { format!(", trừ {refused} bản ghi nêu ở trên") };
    let approved = approver.map_or_else(
        || "Bản ghi mới cần được duyệt trước khi phát.".to_owned(),
        |approver| format!("Các bản ghi chờ duyệt đã được duyệt, đứng tên {approver}{but}."),
    );
    format!("Đã nhận {fresh} bản ghi mới; {known} bản ghi đã có sẵn trong kho. {approved}")
}

/// A recording was not taken in.
pub fn refused(name: &str, why: &str) -> String {
    format!("Không nhận `{name}`: {why}")
}

/// There is no file of that name.
pub const NO_FILE: &str = "không có tệp này. Hãy kiểm tra lại tên và thư mục.";

/// It is the name of a folder, not of a file.
pub fn folder(name: &str) -> String {
    let name = name.trim_end_matches('/');
    format!("đây là một thư mục. Hãy ghi tên từng tệp, hoặc ghi `{name}/*` để nộp mọi tệp trong thư mục đó.")
}

/// A recording was not approved.
pub fn not_approved(segment: &Segment, why: &str) -> String {
    format!("Không duyệt `{}` (mã {}): {why}", segment.file, segment.id)
}

/// Why a withdrawn recording is not approved.
pub const WITHDRAWN_FOR_GOOD: &str = "bản ghi đã bị thu hồi nên không được phát nữa. Muốn phát nội dung này, hãy xuất lại \
     thành một tệp khác rồi nộp tệp đó.";

/// Why a draft that was thrown away is not approved.
pub const THROWN_AWAY: &str = "bản nháp này đã bị bỏ. Muốn dùng lại, hãy nộp lại đúng tệp đó.";

/// Why a recording is not approved whose file is not what was handed in.
pub fn cannot_air(segment: &Segment, trouble: FileTrouble) -> String {
    let mend = match trouble {
        FileTrouble::FileMissing | FileTrouble::FileChanged => {
            "Hãy chép lại đúng tệp đó vào thư mục `audio` rồi duyệt, hoặc nộp tệp mới."
        }
        FileTrouble::FileUnreadable => "Rồi hãy duyệt lại.",
    };
    format!("bản ghi này sẽ không phát được. {} {mend}", lost(segment, trouble))
}

/// Why somebody does not approve: they handed it in.
pub fn own_work(by: &str) -> String {
    format!(
        "{by} là người nộp bản ghi này nên không được tự duyệt. Hãy nhờ người khác duyệt; nếu đài chỉ có một người, ghi \
         `approve_own_work = true` vào phần `[rules]` của `station.toml`."
    )
}

/// Why somebody does not approve: it is not theirs to decide.
pub fn no_approver(by: &str) -> String {
    format!(
        "tài khoản {by} không có vai trò người duyệt. Hãy ghi tên người thật sự đã nghe và duyệt bản ghi."
    )
}

/// Why somebody does not approve: they are gone.
pub fn let_go(by: &str) -> String {
    format!("tài khoản {by} đã ngừng. Hãy ghi tên người thật sự đã nghe và duyệt bản ghi.")
}

/// A recording was not withdrawn.
pub fn not_withdrawn(segment: &Segment, why: &str) -> String {
    format!("Không thu hồi `{}` (mã {}): {why}", segment.file, segment.id)
}

/// Why somebody does not withdraw: it is not theirs to decide.
pub fn no_withdrawer(by: &str) -> String {
    format!(
        "tài khoản {by} không có quyền thu hồi bản ghi. Hãy ghi tên người thật sự quyết định thu hồi, là người duyệt hoặc \
         người vận hành."
    )
}

/// Why somebody does not withdraw: they are gone.
pub fn withdrawer_let_go(by: &str) -> String {
    format!("tài khoản {by} đã ngừng. Hãy ghi tên người thật sự quyết định thu hồi bản ghi.")
}

/// A recording was approved before.
pub fn approved_before(segment: &Segment, approval: &Approval) -> String {
    format!("`{}` (mã {}) đã được duyệt từ trước, đứng tên {}.", segment.file, segment.id, approval.by)
}

/// A recording was withdrawn before.
pub fn withdrawn_before(segment: &Segment) -> String {
    format!("`{}` (mã {}) đã bị thu hồi từ trước và không được phát.", segment.file, segment.id)
}

/// A recording was approved.
pub fn approved(segment: &Segment) -> String {
    format!("Đã duyệt `{}` (mã {}).", segment.file, segment.id)
}

/// A recording was withdrawn.
pub fn withdrawn(segment: &Segment) -> String {
    format!("Đã thu hồi `{}` (mã {}). Bản ghi này không được phát nữa.", segment.file, segment.id)
}

/// A token, shown once.
pub fn token(name: &str, token: &str) -> String {
    format!("Mã truy cập của {name} (chỉ hiện một lần, hãy cất giữ): {token}")
}

/// Somebody was removed.
pub fn revoked(name: &str) -> String {
    format!("Đã thu hồi quyền của {name}.")
}

/// The clock was taken at a person's word.
pub fn clock_confirmed(now: &Zoned, newest: &Zoned, reopened: usize) -> String {
    let again = match reopened {
        0 => String::new(),
        cues => format!(" {cues} mục chưa hết giờ mà nhật ký đã ghi “không phát” được mở lại."),
    };
    format!(
        "Đã ghi nhận giờ của máy là đúng: {}. Dòng nhật ký ghi lúc {} là do đồng hồ khi ấy chạy sai.{again} Từ bây giờ các \
         buổi phát theo lịch lên loa theo giờ này; nếu giờ này chưa đúng, hãy chỉnh lại ngay.",
        clock_time(now),
        clock_time(newest)
    )
}

/// Nothing speaks against the clock: nothing ever did, or somebody gave their word for it, and when.
pub fn clock_not_in_doubt(now: &Zoned, vouched: Option<(&str, &Zoned)>) -> String {
    let why = vouched.map_or_else(
        || "Nhật ký không có gì trái với giờ này, nên giờ này không cần xác nhận".to_owned(),
        |(by, at)| {
            format!(
                "{by} đã xác nhận giờ của máy lúc {}, nên giờ này không cần xác nhận lại; những dòng nhật ký ghi ở giờ muộn \
                 hơn là do đồng hồ khi ấy chạy sai",
                clock_time(at)
            )
        },
    );
    format!("Giờ của máy là {}. {why}. Các buổi phát theo lịch vẫn lên loa.", clock_time(now))
}

/// An instant, as the commands write it.
pub fn clock_time(at: &Zoned) -> String {
    at.strftime("%H:%M ngày %d/%m/%Y").to_string()
}

/// Whether the log is as it was written.
pub fn log(verdict: &Verdict) -> String {
    let Verdict { rows, head, .. } = verdict;
    if verdict.is_sound() {
        return format!("Nhật ký nguyên vẹn: {rows} dòng, mã kiểm tra cuối {head}.");
    }
    let what = faults(verdict);
    if verdict.only_airings_differ() {
        return format!(
            "Nhật ký gốc nguyên vẹn ({rows} dòng, mã kiểm tra cuối {head}), nhưng bảng tra cứu lập từ nó đã bị sửa: {what}. \
             Sổ in ra và báo cáo lấy từ bảng này nên có thể sai. Hãy báo người có trách nhiệm; rồi dừng chương trình và chạy \
             `loa verify --rebuild` để lập lại bảng từ nhật ký gốc."
        );
    }
    format!(
        "NHẬT KÝ ĐÃ BỊ THAY ĐỔI: {what}. Giữ nguyên máy, báo người có trách nhiệm và đối chiếu với bản sao lưu."
    )
}

/// The airings were made from the log again.
pub const AIRINGS_MADE_AGAIN: &str = "Đã lập lại bảng tra cứu từ nhật ký gốc.";

/// Where the demo can be seen.
pub fn demo(first: &str, station: &str) -> String {
    format!(
        "Đài dùng thử ở {station}. Buổi phát đầu tiên bắt đầu lúc {first}.\n\
         Xem nhật ký (ở cửa sổ khác):  target/release/loa airings --station {station}\n\
         Dừng: Ctrl+C"
    )
}

/// The demo has no sound card.
pub const DEMO_WITHOUT_SOUND: &str = "Máy này không có đường ra âm thanh: chạy với `--output null`, không nghe thấy gì nhưng giờ phát và nhật ký là thật.";

/// What a rehearsal came to.
pub fn rehearsed(cues: usize, aired: usize, sound: SignedDuration) -> String {
    format!("Đã chạy thử: {cues} mục, {aired} mục phát đúng lịch, {} âm thanh.", length(sound))
}

/// A backup is whole.
pub fn backed_up(to: &str) -> String {
    format!("Đã sao lưu đài vào `{to}`.")
}

/// A recording whose file is not what was taken in.
pub fn lost(segment: &Segment, trouble: FileTrouble) -> String {
    let (file, title) = (&segment.file, &segment.words.title);
    match trouble {
        FileTrouble::FileMissing => format!("Không có tệp `{file}` của bản ghi “{title}”."),
        FileTrouble::FileUnreadable => recording_unreadable(file, title),
        FileTrouble::FileChanged => {
            format!("Tệp `{file}` của bản ghi “{title}” đã khác với tệp được nộp.")
        }
    }
}

/// The backup is made, and lacks files that the station lacks too.
pub fn lost_before_backup(lost: &[String]) -> String {
    format!(
        "Đài không có, hoặc không đọc được, tệp đúng của {} bản ghi đã duyệt, nên bản sao lưu này thiếu chúng và các bản ghi ấy \
         không phát được:\n\
         {}\nGiữ lại các bản sao lưu cũ. Chép đúng những tệp đó từ bản sao lưu cũ vào thư mục `audio` của đài, hoặc thu hồi \
         bản ghi, rồi sao lưu lại.",
        lost.len(),
        listed(lost)
    )
}

/// A station that was restored, or whose database was put back, lacks files.
pub fn lost_in_station(to: &str, lost: &[String]) -> String {
    format!(
        "Đài ở `{to}` không có, hoặc không đọc được, tệp đúng của {} bản ghi đã duyệt hoặc đang chờ duyệt; các bản \
         ghi ấy sẽ không phát được:\n{}\nChép đúng những tệp đó từ nơi khác vào thư mục `audio` của đài ấy, hoặc thu hồi bản \
         ghi, rồi chạy `loa check --station {to}`.",
        lost.len(),
        listed(lost)
    )
}

fn listed(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n")
}

/// A copy of the database is another station's.
pub fn of_another_station(theirs: &str, ours: &str, station: &str) -> String {
    format!(
        "Chưa đặt lại gì: bản sao này là cơ sở dữ liệu của “{theirs}”, còn đài ở `{station}` là “{ours}”. Đặt vào đây thì bản \
         ghi, người dùng và nhật ký của “{ours}” không còn được dùng nữa. Hãy xem lại đường dẫn của bản sao. Nếu đài vừa đổi \
         tên, hoặc đúng là muốn dùng dữ liệu của “{theirs}”, hãy chạy lại lệnh này với `--other-station`."
    )
}

/// A copy of the database was put back.
pub const PUT_BACK: &str = "Đã đặt lại cơ sở dữ liệu. Những gì xảy ra sau khi bản sao được tạo không còn nữa (bản ghi nộp, duyệt \
     hay thu hồi sau đó, người dùng, và nhật ký); lần chạy tới ghi điều này vào nhật ký. Xem lại các bản ghi trước khi cho đài \
     chạy.\nCơ sở dữ liệu cũ được giữ trong `data`, tên bắt đầu bằng `loa.db.before-restore`.";

/// A stretch of the log is asked for that ends before it begins.
pub const DATES_SWAPPED: &str =
    "`--from` sau `--to` nên không dòng nào của nhật ký nằm giữa. Hãy đổi chỗ hai ngày.";

/// What a copy that was put back holds.
pub fn put_back(files: usize, rows: i64) -> String {
    format!("{files} bản ghi có đúng tệp, nhật ký {rows} dòng.")
}

/// No recording has this id, and none this file.
pub fn no_recording(name: &str) -> String {
    format!(
        "Không có bản ghi nào mang mã hay tên tệp `{name}`. Chưa có gì thay đổi. Hãy xem lại trong `loa segment list`."
    )
}

/// There is no station in a folder.
pub fn no_station(folder: &str) -> String {
    format!(
        "`{folder}` không phải thư mục của đài: trong đó không có `schedule/station.toml`. Hãy chỉ đúng thư mục bằng \
         `--station`, hoặc chạy thử đài mẫu bằng `loa demo`."
    )
}

/// There is no database yet, or no longer.
fn no_database(file: &str) -> String {
    format!(
        "Chưa có cơ sở dữ liệu `{file}`, nên lệnh này chưa làm gì. Tệp ấy giữ bản ghi, người dùng và nhật ký; nó được tạo khi \
         chạy `loa serve`, nộp bản ghi hoặc thêm người dùng lần đầu. Nếu đài đã từng phát thì tệp đã bị xóa hay dời đi: hãy \
         đặt lại bản sao mới nhất trong `data/backup` bằng `loa restore`."
    )
}

/// What to do about the station's database, where it cannot be used and a person can mend that.
pub fn bad_database(failure: &StoreError) -> Option<String> {
    if failure.is_for_want_of_room() {
        return Some(
            "Đĩa đã đầy, nên không ghi được vào cơ sở dữ liệu. Hãy xóa bớt tệp không cần trên đĩa chứa thư mục của đài (đừng xóa \
             gì trong `data` và `audio`), rồi chạy lại lệnh này."
                .to_owned(),
        );
    }
    if failure.is_for_a_lock() {
        return Some(
            "Cơ sở dữ liệu đang bị chương trình khác giữ, chờ mãi không được. Hãy đợi một lát rồi chạy lại lệnh này; nếu vẫn vậy \
             thì tắt chương trình nào đang mở tệp `loa.db`."
                .to_owned(),
        );
    }
    if failure.is_for_want_of_rights() {
        return Some(
            "Không đọc hoặc không ghi được cơ sở dữ liệu: tài khoản đang chạy lệnh này không có quyền, hoặc đĩa chỉ cho đọc. Hãy chạy \
             lệnh bằng tài khoản của đài, ví dụ `sudo -u loa loa …`; nếu vẫn vậy thì kiểm tra đĩa chứa thư mục của đài."
                .to_owned(),
        );
    }
    match failure {
        StoreError::Damaged { file, what } => Some(format!(
            "Cơ sở dữ liệu `{}` đã hỏng (chi tiết: {what}). Hãy dừng loa, rồi đặt lại bản sao mới nhất trong `data/backup`: \
             `loa restore BẢN-SAO --station THƯ-MỤC-ĐÀI`.",
            file.display()
        )),
        StoreError::Lost { file, kept } => Some(format!(
            "Cơ sở dữ liệu `{}` đã mất, mà còn bản giữ lại trước một lần khôi phục: `{}`. Máy không tự tạo tệp trống. Hãy đặt lại \
             bản sao mới nhất trong `data/backup`, hoặc bản giữ lại ấy: `loa restore BẢN-SAO --station THƯ-MỤC-ĐÀI`.",
            file.display(),
            kept.display()
        )),
        StoreError::Newer { file, found, known } => Some(format!(
            "Cơ sở dữ liệu `{}` do bản loa mới hơn tạo ra (phiên bản dữ liệu {found}, bản này chỉ đọc đến {known}). Chưa có gì \
             thay đổi. Hãy dùng bản loa mới.",
            file.display()
        )),
        StoreError::Absent { file } => Some(no_database(&file.display().to_string())),
        StoreError::File { .. }
        | StoreError::Open { .. }
        | StoreError::Migrate { .. }
        | StoreError::Query { .. }
        | StoreError::Value { .. }
        | StoreError::Stopped
        | StoreError::Busy
        | StoreError::Random(_)
        | StoreError::NoSegment(_)
        | StoreError::WrongState { .. }
        | StoreError::OtherBytes(_)
        | StoreError::OtherWords(_)
        | StoreError::FileTaken(_)
        | StoreError::NoUser(_)
        | StoreError::UserExists(_)
        | StoreError::LastAdmin(_)
        | StoreError::BadUserName(_) => None,
    }
}

/// There is nothing of that name.
pub fn nothing_there(name: &str) -> String {
    format!("Không có `{name}`, nên chưa làm gì. Hãy kiểm tra lại tên và thư mục.")
}

/// A file cannot be read; why, as the system says it.
pub fn unreadable(name: &str, why: &str) -> String {
    format!(
        "Không đọc được `{name}`, nên chưa làm gì. Hãy kiểm tra quyền đọc và ổ đĩa (hệ thống báo: {why})."
    )
}

/// A file for sound cannot be made; why, as the system says it.
pub fn not_written(name: &str, is_folder: bool, why: &str) -> String {
    if is_folder {
        return format!(
            "`{name}` là một thư mục. Hãy ghi tên của tệp WAV sẽ được tạo, ví dụ `nghe-thu.wav`."
        );
    }
    format!(
        "Không ghi được tệp `{name}`. Hãy kiểm tra thư mục có sẵn chưa, quyền ghi và chỗ trống (hệ thống báo: {why})."
    )
}

/// A folder stands where a list of recordings is to be.
pub fn list_is_folder(name: &str) -> String {
    let name = name.trim_end_matches('/');
    format!("`{name}/` là một thư mục. Hãy chỉ đúng tệp danh sách, ví dụ `{name}/segments.toml`.")
}

/// A file is no list of recordings; why, as the reader of such files says it.
pub fn no_list(name: &str, why: Option<&str>) -> String {
    let why = why.map_or_else(String::new, |why| format!(" (chi tiết: {why})"));
    format!(
        "`{name}` không phải danh sách bản ghi{why}, nên chưa nhận gì. Mỗi bản ghi trong danh sách là một phần `[[segment]]` có \
         `file = \"…\"` và `title = \"…\"`; hãy xem mẫu ở `audio/segments.toml` của đài mẫu."
    )
}

/// What is to be restored is no backup.
pub fn no_backup(from: &str) -> String {
    format!(
        "`{from}` không phải bản sao lưu của loa, nên chưa khôi phục gì. Bản sao lưu là thư mục do `loa backup` tạo ra, trong có \
         `schedule/station.toml`, `audio` và `data/loa.db`; còn bản sao cơ sở dữ liệu hằng đêm là tệp `.sqlite` nằm trong \
         `data/backup` của đài. Hãy xem lại đường dẫn."
    )
}

/// A copy of a database, or that in a backup, is damaged.
pub fn bad_copy(copy: &str) -> String {
    format!(
        "Cơ sở dữ liệu `{copy}` trong bản sao lưu đã hỏng, hoặc không phải của loa, nên không khôi phục được từ đó. Hãy chọn một \
         bản sao lưu khác."
    )
}

/// The example station is not where it was looked for.
pub fn no_example(from: &str) -> String {
    format!(
        "`{from}` không có đài mẫu (thư mục `schedule` và `audio`), nên chưa làm gì. Hãy chạy lệnh này trong thư mục mã nguồn của \
         loa, hoặc chỉ thư mục ấy bằng `--from`."
    )
}

/// The example station is not put among other things.
pub fn demo_taken(folder: &str) -> String {
    format!(
        "`{folder}` đã có thứ khác mà không phải đài mẫu, nên chưa đụng gì vào đó. Hãy chỉ một thư mục trống, hoặc chưa có, bằng \
         `--station`."
    )
}

/// There is only a part of one.
pub fn half_station(folder: &str) -> String {
    format!(
        "`{folder}` mới có một phần của đài: lần sao lưu hay khôi phục vào đó bị ngắt. Hãy chạy lại lệnh ấy."
    )
}

/// Another program plays it.
pub fn station_plays(folder: &str) -> String {
    format!("Đài trong `{folder}` đang được một chương trình khác phát. Hãy dừng `loa serve` ấy trước.")
}

/// A backup's folder is there already.
pub fn backup_is_there(to: &str) -> String {
    format!("`{to}` đã có sẵn, nên chưa sao lưu gì. Lệnh này tự tạo thư mục; hãy đặt một tên mới.")
}

/// A backup would go into the station that it copies.
pub fn backup_in_station(to: &str) -> String {
    format!(
        "`{to}` nằm ngay trong thư mục của đài, nên chưa sao lưu gì: bản sao sẽ mất cùng với đài. Hãy chọn nơi khác, tốt \
         nhất là một ổ USB."
    )
}

/// Another command is making the same backup, or restoring into the same folder.
pub fn others_write(folder: &str) -> String {
    format!("Một lệnh khác đang ghi vào `{folder}`, nên lệnh này chưa làm gì. Hãy đợi lệnh ấy xong.")
}

/// The folder to restore into holds a station.
pub fn station_is_there(to: &str) -> String {
    format!("`{to}` đã có một đài, nên chưa khôi phục gì. Hãy chọn một thư mục trống bằng `--station`.")
}

/// A length as minutes and seconds.
pub fn length(length: SignedDuration) -> String {
    let seconds = (length.as_millis() + 500) / 1000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
