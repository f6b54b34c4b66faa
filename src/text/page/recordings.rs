//! Bản ghi: the recordings, sending them in, one of them, and taking it off the air.

use jiff::civil::{Date, ISOWeekDate};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::date;
use crate::segment::{Sound, State};

/// To the page where files are sent.
pub const SEND: &str = "Nộp bản ghi";
/// The weeks at the top.
pub const WEEKS: &str = "Chuyên mục hằng tuần";
/// All of a week may air.
pub const WEEK_WHOLE: &str = "đủ bản ghi";
/// A programme has nothing for a week.
pub const NOT_YET: &str = "chưa có";
/// A search.
pub const SEARCH: &str = "Tìm";
/// What is searched.
pub const SEARCH_TEXT: &str = "Tìm theo tên, tác giả, nguồn (không cần dấu)";
/// A recording's state.
pub const STATE: &str = "Trạng thái";
/// A recording's programme.
pub const PROGRAMME: &str = "Chuyên mục";
/// Any of them.
pub const ANY: &str = "tất cả";
/// Nothing was found.
pub const NOTHING_FOUND: &str = "Không có bản ghi nào như vậy.";
/// A recording has no programme, and no slot plays its file.
pub const NO_PROGRAMME: &str = "Chưa chọn chuyên mục: bản ghi này sẽ không phát theo lịch, dù được duyệt. Hãy chọn chuyên mục; chỉ để trống nếu bản ghi dành cho “Phát ngay”.";
/// A recording of a programme that plays all it has, and has no last day.
pub const NO_LAST_DAY: &str = "Chưa có ngày hết hạn: nếu được duyệt, bản ghi này sẽ phát vào mọi buổi có chuyên mục này cho đến khi có người thu hồi. Nếu là thông báo có hạn, hãy điền “Phát đến hết ngày”.";
/// Those before.
pub const NEWER: &str = "Xem bản ghi mới hơn";
/// More of them.
pub const OLDER: &str = "Xem bản ghi cũ hơn";
/// The list.
pub const LIST: &str = "Danh sách bản ghi";
/// Takes a recording off the air.
pub const WITHDRAW: &str = "Thu hồi";
/// The title of what came without one.
pub const UNTITLED: &str = "Bản ghi không tên";
/// Back to the list.
pub const BACK: &str = "Về danh sách bản ghi";

/// How many were found.
pub fn found(count: usize) -> String {
    format!("{count} bản ghi")
}

/// Takes this recording off the air.
pub fn withdraw_of(title: &str) -> String {
    format!("Thu hồi “{title}”")
}

/// A week: `tuần 48 (23/11 – 29/11)`.
pub fn week(week: ISOWeekDate) -> String {
    let day = week.date();
    let monday = day.checked_sub(day.weekday().to_monday_zero_offset().days()).unwrap_or(day);
    let sunday = monday.checked_add(6.days()).unwrap_or(monday);
    format!("tuần {} ({} – {})", week.week(), monday.strftime("%d/%m"), sunday.strftime("%d/%m"))
}

/// How many programmes of a week have nothing.
pub fn missing(count: usize) -> String {
    format!("còn thiếu {count} bản ghi")
}

/// How many programmes of a week have only a draft.
pub fn drafts(count: usize) -> String {
    format!("{count} bản nháp chưa gửi duyệt")
}

/// How many programmes of a week have only something that waits for approval.
pub fn pending(count: usize) -> String {
    format!("{count} bản ghi chờ duyệt")
}

/// A programme has nothing for a week: `tuần 48 chưa có`.
pub fn not_yet_for(number: i8) -> String {
    format!("tuần {number} {NOT_YET}")
}

/// Sends something for a programme and a week.
pub fn send_for(programme: &str, number: i8) -> String {
    format!("Nộp bản ghi “{programme}” cho tuần {number}")
}

/// When something will air next.
pub fn airs_next(at: Timestamp, zone: &TimeZone) -> String {
    format!("lên loa lần tới vào {}", date::moment(at, zone))
}

/// Its last day is over.
pub fn expired(until: Date) -> String {
    format!(
        "Bản ghi đã hết hạn (phát đến hết {}) nên sẽ không lên loa, dù được duyệt. Nếu ghi nhầm ngày hay nhầm năm, hãy sửa “{}”.",
        date::day(until),
        one::VALID_UNTIL
    )
}

/// Who handed it in, and when.
pub fn handed_in(by: &str, at: Timestamp, zone: &TimeZone) -> String {
    format!("{by} nộp vào {}", date::moment(at, zone))
}

/// Why something has no place in the next days: parts of a sentence.
pub mod no_place {
    use super::{Date, ISOWeekDate, date, week};

    /// Of something that may air.
    pub fn said(why: &str) -> String {
        format!("Bản ghi này không có chỗ trong 7 ngày tới: {why}.")
    }

    /// Its programme is for when a person takes the air, and needs no session.
    pub const AT_HAND: &str = "dành cho “Phát ngay” hoặc “Khẩn cấp”, không cần có trong lịch";

    /// Its programme is in no session.
    pub fn no_slot(programme: &str) -> String {
        format!("không có buổi nào phát “{programme}”")
    }

    /// Its programme is on air on none of the days it is for.
    pub fn other_days(from: Option<Date>, until: Option<Date>) -> String {
        let from = from.map(|day| format!(" từ {}", date::day(day))).unwrap_or_default();
        let until = until.map(|day| format!(" đến hết {}", date::day(day))).unwrap_or_default();
        format!("bản ghi chỉ được phát{from}{until}, không trúng buổi nào có chuyên mục này")
    }

    /// It is for another week.
    pub fn other_week(of: ISOWeekDate) -> String {
        format!("bản ghi này dành cho {}", week(of))
    }

    /// A newer one has its place.
    pub fn newer(title: &str) -> String {
        format!("“{title}” mới hơn, nên được phát thay")
    }
}

/// Sending files in.
pub mod send {
    use super::{SignedDuration, date, one};
    use crate::text::http::Why;

    /// What to do.
    pub const INTRO: &str = "Chọn một hoặc nhiều tệp ghi âm trong điện thoại hay máy tính: M4A, MP3, WAV, FLAC, Ogg, AMR, cả video có tiếng. Máy tự chỉnh âm lượng và bỏ khoảng lặng ở hai đầu.";
    /// The files.
    pub const FILES: &str = "Tệp ghi âm";
    /// Where they may be dropped.
    pub const DROP: &str = "Kéo tệp vào đây, hoặc bấm để chọn";
    /// For which programme.
    pub const FOR: &str = "Cho chuyên mục";
    /// It is said later.
    pub const LATER: &str = "chọn sau";
    /// For which week.
    pub const WEEK: &str = "Cho tuần";
    /// It is not for a week.
    pub const NO_WEEK: &str = "không riêng tuần nào";
    /// Pools.
    pub const POOLS: &str = "Nhạc luân phiên";
    /// Programmes.
    pub const PROGRAMMES: &str = "Chuyên mục";
    /// Sends them.
    pub const NOW: &str = "Gửi lên";
    /// What became of files.
    pub const SENT: &str = "Các tệp bạn vừa gửi";
    /// A file that is not whole yet.
    pub const UNFINISHED: &str = "Chưa gửi xong. Chọn lại đúng tệp này để gửi tiếp phần còn lại.";
    /// A file that is being examined.
    pub const EXAMINING: &str = "Đã nhận đủ, đang kiểm tra…";
    /// A file that cannot be examined because the disk is full.
    pub const PUT_OFF_DISK_FULL: &str = "Đã nhận đủ tệp, nhưng ổ đĩa của máy phát đã đầy nên chưa kiểm tra được. Máy giữ tệp và sẽ tự thử lại, bạn không cần gửi lại. Hãy báo kỹ thuật viên xóa bớt tệp không dùng, rồi mở lại trang này để xem kết quả.";
    /// A file that cannot be examined for another fault of the station.
    pub const PUT_OFF: &str = "Đã nhận đủ tệp, nhưng máy chưa kiểm tra được. Máy giữ tệp và sẽ tự thử lại, bạn không cần gửi lại. Hãy mở lại trang này sau để xem kết quả; nếu đến mai vẫn chưa được, hãy báo kỹ thuật viên.";
    /// A file whose bytes are gone from the station.
    pub const BYTES_LOST: &str = "Phần đã gửi của tệp không còn trên máy. Hãy gửi lại tệp từ đầu.";
    /// Forgets a file that is not whole.
    pub const DROP_IT: &str = "Bỏ tệp này";
    /// To the page of the recording.
    pub const DESCRIBE: &str = "Điền thông tin và gửi duyệt";
    /// Where it stands by now, whatever was said when it came.
    pub const NOW_IS: &str = "Hiện nay:";
    /// To the page of the recording that was there already.
    pub const SEE: &str = "Xem bản ghi";
    /// A verdict.
    pub const TAKEN: &str = "đã nhận";
    /// A verdict.
    pub const KNOWN: &str = "đã có sẵn";
    /// A verdict.
    pub const REFUSED: &str = "không nhận";
    /// How many are still to be sent or examined, with the place of the number.
    pub const LEFT: &str = "còn {} tệp";
    /// What was ended, after its number.
    pub const STOPPED_COUNT: &str = "đã ngừng gửi";
    /// What the station examines later, after its number.
    pub const PUT_OFF_COUNT: &str = "đã nhận đủ, chờ kiểm tra";
    /// It waits for its turn.
    pub const WAITING: &str = "Đang chờ đến lượt";
    /// It is being sent.
    pub const SENDING: &str = "Đang gửi";
    /// The connection is lost.
    pub const LOST: &str = "Mất kết nối. Máy sẽ tự gửi tiếp khi có mạng; đừng đóng trang này.";
    /// The person is no longer signed in.
    pub const SIGNED_OUT: &str =
        "Phiên đăng nhập đã hết. Hãy tải lại trang, đăng nhập rồi chọn lại tệp để gửi tiếp.";
    /// A folder, or a file that is not as it was.
    pub const UNREADABLE: &str = "Không đọc được. Nếu là thư mục, hãy mở ra và kéo từng tệp; nếu là tệp vừa bị sửa, đổi tên hay xóa, hãy chọn lại.";
    /// Ends it.
    pub const STOP: &str = "Ngừng gửi";
    /// It was ended.
    pub const STOPPED: &str = "Đã ngừng gửi, máy không giữ lại gì.";

    /// What is said of a recording that was taken in.
    pub fn taken(title: &str, length: SignedDuration) -> String {
        format!("Bản nháp “{title}”, dài {}.", date::length(length))
    }

    /// A word that was chosen for a file, and that its draft does not have.
    pub fn left_out(field: &str, why: Why) -> String {
        format!("“{}” bạn đã chọn không ghi được vào bản nháp. {}", one::field(field), why.said())
    }

    /// What is said of bytes that were there already.
    pub fn known(title: &str, state: &str) -> String {
        format!("Đúng tệp này đã có trên máy: “{title}” ({state}). Không có gì thay đổi.")
    }

    /// What is said of bytes that were there once, and what was done.
    pub fn put_back(title: &str, state: &str, done: &str) -> String {
        format!("Đây là bản ghi đã có: “{title}” ({state}). {done} Thông tin và trạng thái giữ nguyên.")
    }
}

/// One recording.
pub mod one {
    use super::{Sound, State, TimeZone, Timestamp, date};
    use crate::store::Heard;
    use crate::text::verdict;

    /// The shape of its sound.
    pub const WAVEFORM: &str = "Hình âm thanh; phần tô đậm là phần được phát";
    /// Listening to what was handed in.
    pub const ORIGINAL: &str = "Nghe tệp gốc";
    /// Listening to what the loudspeakers get.
    pub const AS_ON_AIR: &str = "Nghe như trên loa (đã chỉnh âm lượng)";
    /// Its words.
    pub const WORDS: &str = "Thông tin";
    /// Its title.
    pub const TITLE: &str = "Tên";
    /// Its topic.
    pub const TOPIC: &str = "Chủ đề";
    /// Its genre.
    pub const GENRE: &str = "Thể loại";
    /// Who wrote it.
    pub const AUTHOR: &str = "Người biên soạn (tác giả)";
    /// Its source.
    pub const SOURCE: &str = "Nguồn tin";
    /// First date.
    pub const VALID_FROM: &str = "Phát từ ngày";
    /// Last date.
    pub const VALID_UNTIL: &str = "Phát đến hết ngày";
    /// Why they are only shown.
    pub const APPROVED_WORDS: &str = "Bản ghi đã được duyệt, nên thông tin chỉ người duyệt mới được sửa. Cần sửa thì hãy nhờ người duyệt, hoặc nộp một bản ghi mới.";
    /// Its script.
    pub const SCRIPT: &str = "Văn bản bài";
    /// What the script is for.
    pub const SCRIPT_MEANS: &str =
        "Chép nguyên văn bài đọc vào đây để người duyệt đọc nhanh. Máy không đọc văn bản này lên loa.";
    /// Nobody has written it down.
    pub const NO_SCRIPT: &str = "Chưa có văn bản bài.";
    /// Taken from the programme.
    pub const AS_PROGRAMME: &str = "– lấy theo chuyên mục ở trên –";
    /// Keeps the words, and asks for approval.
    pub const KEEP_AND_SUBMIT: &str = "Lưu và gửi duyệt";
    /// Keeps the words.
    pub const KEEP: &str = "Lưu thông tin";
    /// The words were kept.
    pub const KEPT: &str = "Đã lưu thông tin.";
    /// Other words were kept while these were typed, perhaps in another tab of the same person; then what keeping these would change.
    pub const OVERTAKEN: &str = "Trong lúc bạn sửa, thông tin khác của bản ghi này đã được lưu, từ máy khác hoặc cửa sổ khác. Những gì bạn gõ vẫn còn nguyên dưới đây nhưng chưa được lưu, lịch phát không bị ảnh hưởng. Nếu bạn lưu lúc này, thông tin đã lưu đó sẽ đổi như sau:";
    /// What was done.
    pub const HISTORY: &str = "Lịch sử";
    /// A change of the script.
    pub const SCRIPT_CHANGE: &str = "Văn bản bài trước và sau khi sửa";
    /// What stood before.
    pub const BEFORE: &str = "Trước";
    /// What stands since.
    pub const AFTER: &str = "Sau";
    /// Approves.
    pub const APPROVE: &str = "Duyệt cho phát";
    /// Returns.
    pub const RETURN: &str = "Trả lại";
    /// Returns, with the reason.
    pub const RETURN_NOW: &str = "Trả lại cho người nộp";
    /// Why it is returned.
    pub const RETURN_WHY: &str = "Cần sửa gì?";
    /// The file.
    pub const FILE: &str = "Tệp";

    /// Approves this one, for who does not see beside which title the button stands.
    pub fn approve_of(title: &str) -> String {
        format!("{APPROVE} “{title}”")
    }

    /// Opens what returns this one.
    pub fn return_of(title: &str) -> String {
        format!("{RETURN} “{title}”")
    }

    /// Returns this one.
    pub fn return_now_of(title: &str) -> String {
        format!("{RETURN_NOW}: “{title}”")
    }

    /// A field's name, from its code.
    pub fn field(code: &str) -> &str {
        match code {
            "title" => TITLE,
            "programme" => super::PROGRAMME,
            "week" => super::send::WEEK,
            "topic" => TOPIC,
            "genre" => GENRE,
            "author" => AUTHOR,
            "source" => SOURCE,
            "valid_from" => VALID_FROM,
            "valid_until" => VALID_UNTIL,
            "script" => SCRIPT,
            "reason" => RETURN_WHY,
            other => other,
        }
    }

    /// Fields have values that are not taken: each is named below, with why.
    pub const NOT_KEPT: &str = "Chưa lưu gì cả, lịch phát không bị ảnh hưởng. Hãy xem lại:";

    /// A field, and what is wrong with its value.
    pub fn wrong(field: &str, why: &str) -> String {
        format!("“{field}”: {why}")
    }

    /// What a field was, and what it became.
    pub fn changed(field: &str, old: Option<&str>, new: Option<&str>) -> String {
        let said =
            |value: Option<&str>| value.map_or_else(|| "để trống".to_owned(), |text| format!("“{text}”"));
        format!("{field}: {} → {}", said(old), said(new))
    }

    /// What it means for the air that it was thrown away, and how it comes back.
    pub const THROWN_AWAY: &str = "Bản nháp đã bỏ, không lên loa. Muốn dùng lại, hãy nộp lại đúng tệp này.";

    /// What its state means for the air, and what comes next.
    pub fn state_means(state: State) -> &'static str {
        match state {
            State::Draft => "Chưa lên loa. Điền thông tin rồi gửi duyệt.",
            State::Pending => "Chưa lên loa. Đang chờ người duyệt nghe và duyệt.",
            State::Approved => "Được phép lên loa.",
            State::Withdrawn => "Không bao giờ lên loa nữa. Muốn phát lại nội dung này, hãy nộp một tệp mới.",
        }
    }

    /// A content area of the plan, in the plan's words: `II.2 – Kỹ năng số thiết yếu`.
    pub fn topic(code: &str) -> String {
        let words = match code {
            "II.1" => "Chuyển đổi số",
            "II.2" => "Kỹ năng số thiết yếu",
            "II.3" => "Số hóa trong sản xuất, kinh doanh",
            "II.4" => "Khuyến khích học tập, làm chủ công nghệ",
            "II.5" => "Kết hợp các chương trình lớn với nhu cầu địa phương",
            "II.6" => "Ý nghĩa, lợi ích thiết thực của chuyển đổi số",
            other => return other.to_owned(),
        };
        format!("{code} – {words}")
    }

    /// How loud it is, and what is done about it; then what a person should know.
    pub fn levels(sound: &Sound, gain_db: f64) -> Vec<String> {
        let mut said = Vec::new();
        if sound.loudness_lufs.is_finite() {
            let loudness = decimal(sound.loudness_lufs);
            said.push(match gain_db {
                up if up >= 1.0 => {
                    format!(
                        "Âm lượng nhỏ, khi phát máy sẽ tăng lên cho vừa ({loudness} LUFS, tăng {} dB).",
                        decimal(up)
                    )
                }
                down if down <= -1.0 => {
                    format!(
                        "Âm lượng to, khi phát máy sẽ giảm xuống cho vừa ({loudness} LUFS, giảm {} dB).",
                        decimal(-down)
                    )
                }
                _ => format!("Âm lượng vừa ({loudness} LUFS)."),
            });
        }
        if sound.true_peak_dbtp >= 0.0 {
            said.push("Tiếng bị vỡ ở chỗ to nhất: micrô quá gần hoặc mức thu quá cao. Nên nghe kỹ; nếu rè, hãy thu lại.".to_owned());
        }
        if sound.loudness_lufs < -36.0 {
            said.push("Bản ghi rất nhỏ. Máy sẽ tăng lên, nhưng tiếng ồn nền cũng to theo. Nên thu lại gần micrô hơn.".to_owned());
        }
        said.extend(verdict::damage(sound.skipped_packets));
        said
    }

    /// A level with one digit after the comma, and a true minus.
    fn decimal(level: f64) -> String {
        format!("{level:.1}").replace('.', ",").replace('-', "−")
    }

    /// Something that was done, from its code.
    pub fn event(code: &str) -> &str {
        match code {
            "added" => "nộp",
            "submitted" => "gửi duyệt",
            "approved" => "duyệt",
            "returned" => "trả lại",
            "withdrawn" => "thu hồi",
            "discarded" => "bỏ bản nháp",
            "described" => "sửa thông tin",
            "scripted" => "sửa văn bản bài",
            "renamed" => "đổi tên tệp",
            "file-restored" => "đặt lại tệp bị mất",
            "file-replaced" => "đặt lại đúng tệp, giữ tệp lạ với tên",
            other => other,
        }
    }

    /// How often it was heard, and when.
    pub fn heard(Heard { times, first, last }: &Heard, zone: &TimeZone) -> String {
        let (first, last) = (date::moment(*first, zone), date::moment(*last, zone));
        if *times == 1 {
            format!("Đã lên loa 1 lần, vào {first}.")
        } else {
            format!("Đã lên loa {times} lần, lần đầu vào {first}, lần gần nhất vào {last}.")
        }
    }

    /// Who gave it back, when and why.
    pub fn returned(by: &str, at: Timestamp, zone: &TimeZone, reason: &str) -> String {
        format!(
            "{by} trả lại vào {}: “{reason}”. Hãy sửa rồi gửi duyệt lại; nếu phải thu lại thì nộp tệp mới.",
            date::moment(at, zone)
        )
    }

    /// Who approved it, and when.
    pub fn approved(by: &str, at: Timestamp, zone: &TimeZone) -> String {
        format!("{by} duyệt vào {}", date::moment(at, zone))
    }
}

/// Taking a recording off the air.
pub mod withdraw {
    /// What happens, in short.
    pub const AT_ONCE: &str = "Loa ngừng ngay, không phát lại được nữa.";
    /// What happens besides.
    pub const MEANS: &str =
        "Bản ghi bị bỏ khỏi mọi buổi phát sắp tới. Tên, lý do và giờ thu hồi được ghi vào nhật ký.";
    /// Why: each reason is a button.
    pub const WHY: &str = "Bấm lý do để thu hồi";
    /// Reasons that are common.
    pub const REASONS: [&str; 4] =
        ["Thông tin sai", "Không còn đúng thời điểm", "Lỗi âm thanh", "Theo chỉ đạo của lãnh đạo"];
    /// A reason that is not among them.
    pub const OTHER: &str = "Lý do khác";
    /// Does it for that.
    pub const NOW: &str = "Thu hồi vì lý do này";
    /// It was done just now.
    pub const DONE: &str = "Đã thu hồi. Nếu đang phát thì loa đã ngừng; bản ghi này không lên loa nữa.";
    /// The same, where the page is not its own.
    pub fn done_with(title: &str) -> String {
        format!("Đã thu hồi “{title}”. Nếu đang phát thì loa đã ngừng; bản ghi này không lên loa nữa.")
    }
    /// It was withdrawn before.
    pub const ALREADY: &str = "Bản ghi này đã được thu hồi và không phát nữa.";

    /// The page's heading.
    pub fn title(of: &str) -> String {
        format!("Thu hồi “{of}”?")
    }
}

/// Throwing a draft away.
pub mod discard {
    /// To where it is asked.
    pub const TO: &str = "Bỏ bản nháp";
    /// What happens.
    pub const MEANS: &str = "Bản nháp này bị bỏ: không lên loa và không gửi duyệt được nữa. Lịch phát không bị ảnh hưởng. Khi cần dùng lại, hãy nộp lại đúng tệp này và điền lại thông tin.";
    /// Does it.
    pub const NOW: &str = "Vâng, bỏ bản nháp";
    /// It was done just now.
    pub const DONE: &str = "Đã bỏ bản nháp. Bản ghi này không lên loa.";

    /// The page's heading.
    pub fn title(of: &str) -> String {
        format!("Bỏ bản nháp “{of}”?")
    }
}

/// Duyệt.
pub mod approve {
    use super::{TimeZone, Timestamp, date};
    use crate::store::SegmentEvent;

    /// What the page is for.
    pub const INTRO: &str = "Nghe, đọc văn bản bài, rồi duyệt hoặc trả lại. Chưa duyệt thì không lên loa. Bản ghi sẽ phát sớm nhất đứng đầu.";
    /// Nothing waits.
    pub const NOTHING: &str = "Không có bản ghi nào đang chờ duyệt.";
    /// It is not in the next days.
    pub const NOT_SOON: &str = "chưa có trong lịch 7 ngày tới";

    /// Of very many that wait it was not looked up; the recording's own page says it.
    pub const NOT_LOOKED_UP: &str = "mở bản ghi này để xem khi nào phát";

    /// When it will air first, once approved.
    pub fn would_air(at: &str) -> String {
        format!("nếu được duyệt sẽ phát vào {at}")
    }

    /// When it will air first, if of what waits it alone is approved.
    pub fn would_air_alone(at: &str) -> String {
        format!(
            "nếu chỉ duyệt bản ghi này: sẽ phát vào {at}. Nếu duyệt cả các bản ghi khác đang chờ, một bản khác phát thay"
        )
    }

    /// It would not air in the next days.
    pub fn would_not_air(why: &str) -> String {
        format!("dù được duyệt cũng chưa phát trong 7 ngày tới: {why}")
    }

    /// What loses its place to it: when it would have aired first, and how often besides.
    pub fn pushes_out(title: &str, at: &str, more: usize) -> String {
        let more =
            if more == 0 { String::new() } else { format!(" và {more} lần nữa trong 7 ngày tới") };
        format!("Duyệt bản ghi này thì “{title}” không còn phát vào {at}{more}: bản ghi này được phát thay.")
    }

    /// It is approved: by whom, and when.
    pub fn approved(title: &str, by: &str, at: Timestamp, zone: &TimeZone) -> String {
        format!("Đã duyệt “{title}”: {}.", super::one::approved(by, at, zone))
    }

    /// It is returned: by whom, when and why.
    pub fn returned(title: &str, event: &SegmentEvent, zone: &TimeZone) -> String {
        let SegmentEvent { by, at, reason, .. } = event;
        let (at, reason) = (date::moment(*at, zone), reason.as_deref().unwrap_or_default());
        format!("Đã trả lại “{title}” cho người nộp: do {by} trả lại vào {at}, lý do “{reason}”.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_named_by_number_and_days() {
        let monday: Date = "2026-11-23".parse().unwrap();
        assert_eq!(week(monday.iso_week_date()), "tuần 48 (23/11 – 29/11)");
    }

    #[test]
    fn levels_say_what_will_be_done_and_what_is_wrong() {
        let sound = |loudness_lufs, true_peak_dbtp| Sound {
            whole: SignedDuration::from_secs(9),
            cue_in: SignedDuration::ZERO,
            cue_out: SignedDuration::from_secs(9),
            channels: 1,
            sample_rate: 16_000,
            loudness_lufs,
            true_peak_dbtp,
            skipped_packets: 0,
            codec: "aac".into(),
        };
        assert_eq!(
            one::levels(&sound(-23.04, -3.0), 5.0),
            ["Âm lượng nhỏ, khi phát máy sẽ tăng lên cho vừa (−23,0 LUFS, tăng 5,0 dB)."]
        );
        assert_eq!(one::levels(&sound(-18.9, 0.3), 0.9)[0], "Âm lượng vừa (−18,9 LUFS).");
        assert!(one::levels(&sound(-12.0, -3.0), -6.0)[0].contains("to, khi phát máy sẽ giảm"));
        assert!(one::levels(&sound(-18.2, 0.3), 0.2)[1].contains("vỡ"));
        assert!(one::levels(&sound(-40.0, -20.0), 20.0)[1].contains("rất nhỏ"));
    }
}
