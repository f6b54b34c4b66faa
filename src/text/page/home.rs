//! Hôm nay.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::date::{self, moment};
use crate::segment::FileTrouble;
use crate::text::disk::GIVE_BACK;

/// What sounds.
pub const ON_AIR: &str = "Đang phát";
/// What sounded when the station was last heard of.
pub const WAS_ON_AIR: &str = "Đang phát khi mất liên lạc";
/// Nothing sounds.
pub const SILENT: &str = "Loa đang im lặng";
/// What comes.
pub const NEXT: &str = "Tiếp theo";
/// What comes when the interrupt on air is over, as far as it can be foreseen.
pub const AFTER_THIS: &str = "Sau bản ghi này";
/// It does not begin at its beginning.
pub const JOINED: &str = "vào giữa chừng";
/// Its time is over, and nothing that is known keeps it.
pub const AT_ONCE: &str = "ngay khi phát được";
/// What comes nobody knows.
pub const NOTHING_BY_THIS_CLOCK: &str = "Chưa biết giờ nào đúng, nên chưa có mục nào phát theo lịch.";
/// Nothing comes for a week.
pub const NOTHING_NEXT: &str = "Không có mục nào trong những ngày tới.";
/// Cues come, and none of them has anything to play.
pub const NOTHING_SOUNDS: &str = "Lịch có mục sắp đến, nhưng không mục nào phát được: loa sẽ im lặng.";
/// How loud it is.
pub const LEVEL: &str = "Mức âm thanh";
/// How far it is.
pub const PROGRESS: &str = "Đã phát";
/// The lamps.
pub const STATE: &str = "Tình trạng máy";
/// A lamp without a trouble.
pub const WELL: &str = "Tốt";
/// A lamp with one.
pub const TROUBLE: &str = "Có sự cố";
/// A lamp of a station that does not answer.
pub const NOT_KNOWN: &str = "Không rõ";
/// What must be done.
pub const TO_DO: &str = "Việc cần làm";
/// Nothing must be done.
pub const NOTHING_TO_DO: &str = "Không có việc gì. Lịch 7 ngày tới đã đủ bản ghi.";
/// Today's rundown.
pub const TODAY: &str = "Lịch hôm nay";
/// No session today.
pub const NO_SESSION: &str = "Hôm nay không có buổi phát nào.";
/// What a row's columns are.
pub const COLUMNS: [&str; 4] = ["Giờ", "Mục", "Thời lượng", "Kết quả"];
/// What sounded out of the schedule.
pub const OUT_OF_SCHEDULE: &str = "Ngoài lịch";
/// To the page where recordings are handed in.
pub const TO_HAND_IN: &str = "Nộp bản ghi";
/// To the page where a slot is changed.
pub const TO_SLOT: &str = "Sửa mục";
/// To the page where they are approved.
pub const TO_APPROVE: &str = "Mở trang duyệt";
/// To the page where the schedule is changed.
pub const TO_SCHEDULE: &str = "Mở lịch phát";
/// A cue that is still to come.
pub const TO_COME: &str = "sắp phát";
/// A cue that will be silent.
pub const WILL_BE_SILENT: &str = "sẽ im lặng";
/// A cue whose time is over and of which nothing is known yet.
pub const UNKNOWN: &str = "chưa rõ";

/// How long until what comes.
pub fn in_(wait: SignedDuration) -> String {
    format!("còn {}", date::wait(wait))
}

/// When about something comes: `khoảng 01:51:20`.
pub fn about(at: Timestamp, zone: &TimeZone) -> String {
    format!("khoảng {}", date::second(at, zone))
}

/// Nobody may approve.
pub const NOBODY_APPROVES: &str = "Chưa có người duyệt";
/// What that means.
pub const NOBODY_APPROVES_MEANS: &str = "Không ai duyệt được bản ghi mới, nên bản ghi mới không lên loa. Hãy giao vai trò người duyệt cho một người.";

/// An emergency was in force when the machine stopped, and does not go on.
pub fn let_go(title: Option<&str>) -> String {
    let what = title.map_or_else(String::new, |title| format!(" “{title}”"));
    format!("Lệnh khẩn cấp{what} không còn được phát")
}

/// Why, and what to do.
pub fn let_go_means(by: &str, since: &str) -> String {
    format!(
        "{by} ra lệnh {since}. Sau đó máy phát ngừng quá lâu, hoặc đường ra của lệnh không còn trong lịch, nên lệnh không được \
         phát tiếp. Nếu vẫn cần, hãy ra lệnh lại."
    )
}

/// The schedule's files have mistakes.
pub const SCHEDULE_BROKEN: &str = "Tệp lịch phát có lỗi";
/// What that means, and what to do.
pub const SCHEDULE_BROKEN_MEANS: &str = "Lịch trước đó vẫn được phát, và chưa sửa được lịch ở đây. Hãy mở trang Lịch phát để xem từng lỗi, rồi sửa tệp, hoặc hoàn tác một lần sửa trong Lịch sử sửa lịch.";

/// Recordings that wait for approval.
pub fn pending(count: usize) -> String {
    format!("{count} bản ghi đang chờ duyệt")
}

/// What that means.
pub const PENDING_MEANS: &str = "Chưa được duyệt thì không lên loa.";

/// Drafts of the one who looks, which nobody was asked to approve.
pub fn drafts(count: usize) -> String {
    format!("{count} bản nháp của bạn chưa gửi duyệt")
}

/// What that means.
pub const DRAFTS_MEAN: &str = "Chưa gửi duyệt thì người duyệt không thấy, nên không lên loa.";
/// To where they are sent from.
pub const TO_DRAFTS: &str = "Mở bản nháp";

/// A recording was given back to the one who looks.
pub fn returned(title: &str, by: &str) -> String {
    format!("“{title}” bị {by} trả lại")
}

/// A recording of the one who looks was withdrawn by another.
pub fn withdrawn(title: &str, by: &str) -> String {
    format!("“{title}” bị {by} thu hồi")
}

/// What that means.
pub const WITHDRAWN_MEANS: &str =
    "Bản ghi này không lên loa nữa. Nếu vẫn cần phát nội dung đó, hãy nộp một tệp mới đã sửa.";

/// What fails first of what comes within a day: `05:00 hôm nay: mục “Bản tin” của “Buổi sáng” (và 2 chỗ nữa trong 24 giờ tới)`.
pub fn coming_silence(when: &str, place: &str, more: usize) -> String {
    let more =
        if more == 0 { String::new() } else { format!(" (và {more} chỗ nữa trong 24 giờ tới)") };
    format!("Sắp có chỗ im lặng: {when}, {place}{more}")
}

/// The file of a recording that is to air is not what was approved.
pub fn file_broken(trouble: FileTrouble, title: &str) -> String {
    match trouble {
        FileTrouble::FileMissing => format!("Tệp của bản ghi “{title}” bị mất"),
        FileTrouble::FileUnreadable => format!("Máy không đọc được tệp của bản ghi “{title}”"),
        FileTrouble::FileChanged => format!("Tệp của bản ghi “{title}” đã khác với tệp được duyệt"),
    }
}

/// What that means, and what to do.
pub fn file_broken_means(trouble: FileTrouble, file: &str) -> String {
    if trouble == FileTrouble::FileUnreadable {
        return format!(
            "Bản ghi này không phát được, dù tệp “{file}” vẫn ở trong thư mục “audio”: sai quyền, hoặc đĩa lỗi. Nếu không có bản \
             ghi khác phát thay, mục của nó sẽ im lặng. Hãy nhờ kỹ thuật viên trả lại quyền cho tài khoản của đài bằng \
             {GIVE_BACK}, rồi kiểm tra ổ đĩa."
        );
    }
    format!(
        "Bản ghi này không phát được. Nếu không có bản ghi khác phát thay, mục của nó sẽ im lặng. Hãy nộp lại đúng tệp đã \
         nộp, hoặc chép “{file}” từ bản sao lưu vào thư mục “audio”; nếu không còn, hãy nộp bản ghi khác và gửi duyệt."
    )
}

/// What that means, and what to do, where it is kept in memory.
pub fn kept_without_file(trouble: FileTrouble, file: &str) -> String {
    if trouble == FileTrouble::FileUnreadable {
        return format!(
            "Bản ghi này vẫn phát ngay được từ bộ nhớ, nhưng chỉ cho đến khi chương trình khởi động lại. Trước lúc đó, hãy nhờ kỹ \
             thuật viên trả lại quyền đọc tệp “{file}” cho tài khoản của đài bằng {GIVE_BACK}, rồi kiểm tra ổ đĩa."
        );
    }
    format!(
        "Bản ghi này vẫn phát ngay được từ bộ nhớ, nhưng chỉ cho đến khi chương trình khởi động lại. Trước lúc đó, hãy chép \
         lại đúng tệp “{file}” vào thư mục “audio” từ bản sao lưu, hoặc nộp bản ghi khác và gửi duyệt."
    )
}

/// To the page where it is mended.
pub const TO_MEND: &str = "Mở bản ghi";

/// The lamps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lamp {
    /// Whether sound leaves.
    Sound,
    /// Whether the clock is right.
    Clock,
    /// Whether the disk takes what is written.
    Disk,
    /// Whether the schedule is in order.
    Schedule,
}

impl Lamp {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sound, Self::Clock, Self::Disk, Self::Schedule];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sound => "Âm thanh ra loa",
            Self::Clock => "Đồng hồ",
            Self::Disk => "Đĩa",
            Self::Schedule => "Lịch",
        }
    }
}

/// What a clock that is not trusted shows, and what the log has.
pub fn clock_against_log(now: Timestamp, newest: Timestamp, zone: &TimeZone) -> String {
    format!("Giờ của máy: {}. Giờ mới nhất trong nhật ký: {}.", moment(now, zone), moment(newest, zone))
}

/// Nobody knows the time.
pub const CLOCK_IN_DOUBT: &str = "Giờ của máy chưa chắc đúng";
/// What that means, and who mends it.
pub const CLOCK_IN_DOUBT_MEANS: &str = "Các buổi phát theo lịch không lên loa cho đến khi giờ được chỉnh lại, hoặc được người vận hành hay người quản trị xác nhận.";
/// To where the clock is confirmed.
pub const TO_CLOCK: &str = "Xem và xác nhận giờ";

/// The lamp and the sentence of a trouble, from its code in `/api/v1/health`: what it means for the air, and what to do.
/// `place` says who hears an output.
pub fn trouble(code: &str, place: impl Fn(&str) -> String) -> (Lamp, String) {
    let (kind, output) = code.split_once(':').unwrap_or((code, ""));
    let say = |lamp, sentence: &str| (lamp, sentence.replace("{}", &format!("“{}”", place(output))));
    match kind {
        "output-down" => say(
            Lamp::Sound,
            "Đường ra {} mất thiết bị: loa không có tiếng. Máy đang tự tìm lại. Hãy kiểm tra dây và thiết bị âm thanh.",
        ),
        "amplifier-fails" => say(
            Lamp::Sound,
            "Lệnh bật tắt tăng âm của đường ra {} không chạy được, hoặc chạy mãi không xong: loa có thể không có tiếng, hoặc tăng âm còn bật. Máy đang tự thử lại. Hãy kiểm tra nguồn điện của tăng âm, rồi báo kỹ thuật viên kiểm tra lệnh `[output.amplifier]`.",
        ),
        "files-hang" => say(
            Lamp::Disk,
            "Có tệp bản ghi không mở được vì đĩa không trả lời (đường ra {}): bản ghi đó không lên loa, các bản ghi khác vẫn phát nếu đĩa còn đọc được. Hãy báo kỹ thuật viên kiểm tra đĩa chứa thư mục `audio`.",
        ),
        "engine-ended" => say(
            Lamp::Sound,
            "Bộ phát của đường ra {} đã dừng: loa không có tiếng. Hãy báo kỹ thuật viên khởi động lại chương trình.",
        ),
        "engine-hangs" => say(
            Lamp::Sound,
            "Bộ phát của đường ra {} không trả lời: loa có thể không có tiếng. Hãy báo kỹ thuật viên khởi động lại chương trình.",
        ),
        "no-engine" => say(
            Lamp::Sound,
            "Đường ra {} mới có trong lịch và chưa hoạt động: loa chưa có tiếng. Hãy báo kỹ thuật viên khởi động lại chương trình.",
        ),
        "clock-wrong" => say(
            Lamp::Clock,
            "Giờ của máy sớm hơn giờ đã ghi trong nhật ký, nên không biết giờ nào đúng và các buổi phát theo lịch không lên loa. Nếu máy chạy sai giờ, hãy nối mạng hoặc chỉnh lại giờ. Nếu giờ của máy đang đúng, người vận hành hoặc người quản trị cần xác nhận giờ đó.",
        ),
        "disk-low" => say(
            Lamp::Disk,
            "Đĩa sắp đầy. Các buổi phát vẫn tiếp tục, nhưng có thể không ghi được nhật ký. Hãy xóa bớt tệp không cần trên máy.",
        ),
        "files-broken" => say(
            Lamp::Disk,
            "Có bản ghi bị mất tệp, tệp không đọc được hoặc tệp đã khác với tệp được duyệt, nên không phát được. Các bản ghi khác vẫn phát. Hãy xem “Việc cần làm”.",
        ),
        "unready" => say(
            Lamp::Disk,
            "Có bản ghi cần sẵn sàng cho việc khẩn cấp mà chưa đọc được vào bộ nhớ: khi phát khẩn cấp, bản ghi đó phải đọc từ đĩa, và nếu đĩa hỏng thì không lên loa. Máy đang tự thử lại. Hãy xem “Việc cần làm” có nêu bản ghi nào không, và báo kỹ thuật viên kiểm tra đĩa chứa thư mục `audio`.",
        ),
        "log-behind" => say(
            Lamp::Disk,
            "Đĩa ghi quá chậm: nhật ký của đường ra {} đang chờ ghi. Loa vẫn phát. Hãy báo kỹ thuật viên kiểm tra đĩa.",
        ),
        "database-gone" => say(
            Lamp::Disk,
            "Tệp dữ liệu của đài (`data/loa.db`) đã bị xóa hoặc bị thay trong lúc chương trình đang chạy. Loa vẫn phát, nhưng nhật ký và những gì làm từ lúc này có thể mất khi chương trình dừng; nếu chương trình được dừng đúng cách thì máy chép lại vào tệp `rescued-….sqlite` trong `data/backup`. Đừng tắt máy; hãy báo kỹ thuật viên ngay.",
        ),
        "database-new" => say(
            Lamp::Disk,
            "Lúc chương trình khởi động, tệp dữ liệu của đài (`data/loa.db`) đã mất, nên máy tạo một tệp trống: không còn bản ghi nào được duyệt để phát, cũng không còn người dùng và nhật ký cũ. Hãy báo kỹ thuật viên đặt lại bản chép trong `data/backup` bằng lệnh `loa restore`. Nếu đúng là muốn bắt đầu lại từ đầu, kỹ thuật viên xóa tệp `data/log-head.lost`.",
        ),
        "withdrawal-unkept" => say(
            Lamp::Disk,
            "Có bản ghi vừa bị thu hồi: loa đã ngừng phát, nhưng máy chưa ghi được việc thu hồi vào cơ sở dữ liệu và đang tự thử lại. Nếu máy khởi động lại trước khi ghi xong, bản ghi đó có thể lại được phát. Đừng tắt máy; hãy báo kỹ thuật viên kiểm tra đĩa.",
        ),
        "act-unkept" => say(
            Lamp::Disk,
            "Có lệnh phát ngay, phát khẩn cấp hoặc trả lại sóng vừa được thực hiện trên loa, nhưng máy chưa ghi được vào cơ sở dữ liệu và đang tự thử lại. Nếu máy khởi động lại trước khi ghi xong, bản tin khẩn cấp đã trả lại sóng có thể lại phát, và bản tin khẩn cấp vừa ra lệnh có thể không phát tiếp. Đừng tắt máy; hãy báo kỹ thuật viên kiểm tra đĩa.",
        ),
        "log-failed" => say(
            Lamp::Disk,
            "Không ghi được nhật ký phát thanh. Loa vẫn phát. Hãy kiểm tra đĩa còn chỗ trống không và báo kỹ thuật viên.",
        ),
        "store-failed" => say(
            Lamp::Disk,
            "Không đọc được dữ liệu của đài. Loa phát tiếp phần đã chuẩn bị. Hãy báo kỹ thuật viên kiểm tra đĩa ngay.",
        ),
        "plan-ended" => say(
            Lamp::Schedule,
            "Lịch chạy đã hết và chưa lập được lịch mới: loa sẽ im lặng. Hãy báo kỹ thuật viên.",
        ),
        "planner-stuck" => say(
            Lamp::Schedule,
            "Máy không lập được lịch chạy mới. Loa vẫn phát theo lịch chạy đang có, nhưng những gì vừa sửa trong lịch hoặc vừa duyệt chưa có hiệu lực, và lịch đang có chỉ đủ cho khoảng một tuần. Hãy báo kỹ thuật viên kiểm tra đĩa rồi khởi động lại chương trình.",
        ),
        "schedule-broken" => say(
            Lamp::Schedule,
            "Tệp lịch phát có lỗi. Lịch trước đó vẫn được phát. Hãy mở trang Lịch phát để xem lỗi, rồi sửa tệp hoặc hoàn tác một lần sửa.",
        ),
        "coming-silence" => say(
            Lamp::Schedule,
            "Trong 24 giờ tới có mục sẽ không lên loa, hoặc loa sẽ im lặng giữa buổi. Hãy xem “Việc cần làm” và làm trước giờ phát.",
        ),
        _ => (Lamp::Sound, format!("Máy báo sự cố “{code}”. Hãy báo kỹ thuật viên.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_names_its_output_and_lights_its_lamp() {
        let place = |output: &str| if output == "loa-xa" { "Toàn xã".to_owned() } else { String::new() };
        let (lamp, sentence) = trouble("output-down:loa-xa", place);
        assert_eq!(lamp, Lamp::Sound);
        assert!(sentence.starts_with("Đường ra “Toàn xã” mất thiết bị"), "{sentence}");
        let (lamp, sentence) = trouble("amplifier-fails:loa-xa", place);
        assert_eq!(lamp, Lamp::Sound);
        assert!(sentence.contains("tăng âm của đường ra “Toàn xã”"), "{sentence}");
        assert_eq!(trouble("clock-wrong", place).0, Lamp::Clock);
        assert_eq!(trouble("files-hang:loa-xa", place).0, Lamp::Disk);
        let (_, gone) = trouble("database-gone", place);
        assert!(gone.contains("có thể mất") && gone.contains("`data/backup`"), "{gone}");
        assert_eq!(trouble("unready", place).0, Lamp::Disk);
        assert!(trouble("something-new", place).1.contains("something-new"), "none is kept from people");
    }
}
