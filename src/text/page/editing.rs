//! The forms that change the schedule, what they would change, and what was changed.

use jiff::civil::Date;

use super::date;
use crate::timeline::Severity;

/// What the preview is.
const PREVIEW: &str = "Những gì sẽ thay đổi trong 7 ngày tới";
/// Shows it.
pub const SHOW: &str = "Xem trước thay đổi";
/// Saves.
pub const SAVE: &str = "Lưu";
/// Back to the form.
pub const GO_ON: &str = "Sửa tiếp";
/// Back, and nothing was changed.
pub const LEAVE: &str = "Thôi, không sửa";
/// Nothing is saved before one says so.
pub const NOT_YET: &str =
    "Chưa có gì được lưu: trang sau cho xem trước những gì sẽ thay đổi, rồi mới hỏi có lưu không.";
/// How sure one can be.
pub const CALM: &str = "Chưa lưu gì cả. Sau khi lưu vẫn hoàn tác được ở “Lịch sử sửa lịch”.";
/// The files are as they were.
pub const NOTHING: &str = "Không có gì được sửa, nên không có gì để lưu.";
/// And so does what is to be known.
pub const ALL_WELL: &str = "Không có thêm lưu ý nào.";
/// Somebody saved the same meanwhile.
pub const ALREADY: &str = "Lịch đã đúng như vậy rồi, không cần lưu nữa.";
/// Somebody was faster.
pub const CHANGED: &str = "Lịch vừa được sửa ở nơi khác trong lúc bạn đang làm. Chưa lưu gì cả. Dưới đây là những gì sẽ thay đổi so với lịch mới nhất; hãy xem lại rồi bấm Lưu lần nữa.";
/// What was filled in does not do.
pub const MEND: &str = "Chưa lưu được. Lịch đang dùng không thay đổi. Hãy sửa:";
/// To where something else has to be mended.
pub const MEND_THERE: &str = "Mở để sửa";
/// What would be new to know.
pub const APPEARED: &str = "Các lưu ý mới";
/// What would be settled.
pub const GONE: &str = "Các lưu ý sẽ hết";
/// The cues.
pub const CUES: &str = "Các mục thay đổi";
/// The lines of the files.
pub const LINES: &str = "Các dòng thay đổi trong tệp";
/// A block more.
pub const NEW_BLOCK: &str = "buổi mới";
/// A block less.
pub const GONE_BLOCK: &str = "bỏ cả buổi";
/// A cue more.
pub const ADDED: &str = "+ thêm";
/// A cue less.
pub const REMOVED: &str = "− bỏ";
/// A cue at another time.
pub const MOVED: &str = "↔ đổi giờ";
/// A cue with something else.
pub const OTHER: &str = "≠ đổi nội dung";
/// A cue that is only treated otherwise.
pub const TREATED: &str = "≠ đổi cách phát";
/// A session that is called otherwise, or goes on for longer or shorter.
pub const BLOCK_ITSELF: &str = "≠ buổi phát";
/// No cue of a block differs.
pub const NO_CUE: &str = "chỉ đổi tên hoặc giờ của buổi";
/// What stands where nothing will sound.
pub const SILENCE: &str = "im lặng";

/// A slot that fills.
pub const FILLS: &str = "lấp giờ";

/// A slot with what sounds in it; once, where that begins with the slot's own title.
pub fn titled(slot: &str, heard: &str) -> String {
    if heard.starts_with(slot) { heard.to_owned() } else { format!("{slot}: {heard}") }
}

/// What the preview is, where it also shows a day that is further away.
pub fn preview(also: Option<Date>) -> String {
    also.map_or_else(|| PREVIEW.to_owned(), |day| format!("{PREVIEW}, và {}", date::day(day)))
}

/// Something cannot be taken out.
pub fn cannot_remove(name: &str) -> String {
    format!("Chưa bỏ được “{name}”. Lịch đang dùng không thay đổi.")
}

/// Something cannot be moved.
pub fn cannot_move(name: &str) -> String {
    format!("Chưa chuyển được “{name}”. Lịch đang dùng không thay đổi.")
}

/// What airs stays the same.
pub fn same_air(also: Option<Date>) -> String {
    let also = also.map_or_else(String::new, |day| format!(" và {}", date::day(day)));
    format!(
        "Trong 7 ngày tới{also} không có gì khác đi: mọi mục vẫn phát đúng giờ và đúng nội dung như hiện nay."
    )
}

/// A session moves to hours that are over today.
pub fn over_today(title: &str, from: &str, to: &str) -> String {
    format!(
        "Sau khi lưu, hôm nay “{title}” sẽ không phát: giờ {from} – {to} đã qua. Nhật ký hôm nay sẽ ghi các mục của buổi là “không phát”. Muốn phát trong hôm nay thì chọn giờ muộn hơn."
    )
}

/// A session that is over today moves to hours that are over as well.
pub fn past_today(title: &str, from: &str, to: &str) -> String {
    format!(
        "Giờ mới {from} – {to} của “{title}” hôm nay đã qua: hôm nay buổi này không phát thêm, và nhật ký hôm nay sẽ ghi các mục theo giờ mới là “không phát”. Từ lần sau buổi phát theo giờ mới."
    )
}

/// How much would change.
pub fn summary(cues: usize, blocks: usize) -> String {
    match cues {
        0 => format!("Không có mục nào khác đi; chỉ tên hoặc giờ của {blocks} buổi phát thay đổi."),
        _ => format!("{cues} mục thay đổi, trong {blocks} buổi phát."),
    }
}

/// How many cues of a block.
pub fn in_block(cues: usize) -> String {
    if cues == 0 { NO_CUE.to_owned() } else { format!("{cues} mục") }
}

/// Other pieces of the same slot.
pub fn more(pieces: usize) -> String {
    format!("(và {pieces} bản ghi nữa của mục này)")
}

/// How bad a finding is, in front of it.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "✕ ",
        Severity::Warning => "! ",
        Severity::Note => "",
    }
}

/// What begins with its session follows what is put before it.
pub fn displaced(slot: &str) -> String {
    format!(
        "Mục “{slot}” đang bắt đầu buổi; từ nay mục mới bắt đầu buổi, đúng giờ ấy, và “{slot}” phát liền sau mục mới."
    )
}

/// The words of the forms.
pub mod form {
    /// What it is called.
    pub const TITLE: &str = "Tên";
    /// A title may be left out.
    pub const TITLE_RULE: &str = "Để trống thì lấy tên của chuyên mục, nhạc hoặc tệp.";
    /// What it plays.
    pub const PLAY: &str = "Phát gì";
    /// Nothing is chosen yet.
    pub const CHOOSE: &str = "– chọn –";
    /// The groups of what can be played.
    pub const PROGRAMME: &str = "Chuyên mục: bản ghi mới nhất còn hạn";
    /// All of a programme.
    pub const ALL: &str = "Chuyên mục: mọi bản ghi còn hạn, đủ giờ đến đâu phát đến đó";
    /// A pool.
    pub const POOL: &str = "Nhạc luân phiên";
    /// A repeat.
    pub const REPEAT: &str = "Phát lại mục đã phát trong ngày";
    /// A file.
    pub const FILE: &str = "Một bản ghi nhất định";
    /// One that is named in a field of its own.
    pub const NAMED: &str = "Một bản ghi khác: ghi tên ở ô dưới";
    /// That field.
    pub const RECORDING: &str = "Bản ghi khác: gõ vài chữ trong tên, không cần dấu";
    /// What may stand there.
    pub const RECORDING_EXAMPLE: &str = "ví dụ: canh bao lu";
    /// Nothing stands there.
    pub const NO_RECORDING: &str = "Hãy ghi vài chữ trong tên bản ghi.";
    /// Something stands there, and something else was chosen.
    pub const RECORDING_UNUSED: &str =
        "Ô này chỉ dùng khi chọn “Một bản ghi khác” ở ô ngay trên. Hãy chọn như vậy, hoặc để trống ô này.";

    /// No recording has it.
    pub fn no_recording_has(typed: &str) -> String {
        format!(
            "Không có bản ghi nào đã duyệt mà tên có “{typed}”. Hãy ghi ít chữ hơn, hoặc tìm ở trang Bản ghi."
        )
    }

    /// More than one have it.
    pub fn several_recordings(count: usize) -> String {
        format!(
            "Có {count} bản ghi mà tên có các chữ này. Hãy chọn một trong số đó ở đầu danh sách ngay trên, hoặc ghi thêm chữ."
        )
    }

    /// Those that have it.
    pub fn recordings_with(typed: &str) -> String {
        format!("Bản ghi có “{typed}”")
    }

    /// How long.
    pub const LENGTH: &str = "Thời lượng dự kiến";
    /// What that means.
    pub const LENGTH_RULE: &str = "Bản ghi dài hơn vẫn được phát hết, các mục nối tiếp sẽ phát muộn hơn; máy sẽ báo trước điều đó. Để trống: không giới hạn.";
    /// Minutes.
    pub const MINUTES: &str = "phút";
    /// Seconds.
    pub const SECONDS: &str = "giây";
    /// How it starts.
    pub const START: &str = "Bắt đầu";
    /// After the one before.
    pub const FOLLOW: &str = "Nối tiếp ngay sau mục trước";
    /// On time.
    pub const HARD: &str = "Đúng giờ, cắt mục đang phát";
    /// The time.
    pub const AT: &str = "Giờ";
    /// Filling.
    pub const FILL: &str = "Lấp nhạc cho đến mục đúng giờ kế tiếp";
    /// Days.
    pub const DAYS: &str = "Vào các ngày";
    /// What is rarely needed.
    pub const MORE: &str = "Khi trễ, thời hạn, nhạc";
    /// What is rarely needed on a single day.
    pub const MORE_ONCE: &str = "Khi trễ, nhạc";
    /// What is rarely needed for a session.
    pub const MORE_SESSION: &str = "Chỉ trong một thời gian";
    /// When late.
    pub const LATE: &str = "Nếu trễ vì mất điện hoặc bị chen ngang";
    /// Join.
    pub const JOIN: &str = "phát từ chỗ lẽ ra đã đến";
    /// Skip.
    pub const SKIP: &str = "bỏ qua, không phát";
    /// Whole.
    pub const WHOLE: &str = "phát trọn, nếu trễ không quá:";
    /// Music.
    pub const MUSIC: &str = "Là nhạc (im lặng trong ngày không phát nhạc)";
    /// By itself.
    pub const MUSIC_AUTO: &str = "tự nhận ra";
    /// Yes.
    pub const YES: &str = "phải";
    /// No.
    pub const NO: &str = "không phải";
    /// From a date.
    pub const FROM_DATE: &str = "Từ ngày (để trống: không giới hạn)";
    /// To a date.
    pub const UNTIL_DATE: &str = "Đến hết ngày (để trống: không giới hạn)";
    /// Session from.
    pub const FROM: &str = "Từ";
    /// Session to.
    pub const TO: &str = "Đến";
    /// Outputs.
    pub const OUTPUTS: &str = "Đường ra";
    /// After which slot.
    pub const AFTER: &str = "Đặt sau mục";
    /// At the beginning.
    pub const FIRST: &str = "– đầu buổi –";
    /// The first slot of a new session.
    pub const FIRST_SLOT: &str = "Mục đầu tiên phát gì (thêm các mục khác sau)";
    /// Music does not end with its first piece.
    pub const FIRST_FILLS: &str =
        "Nếu là nhạc luân phiên: phát nối tiếp cho đến hết buổi (bỏ dấu chọn thì chỉ phát một bài)";
    /// How long that may be.
    pub const FIRST_LENGTH: &str = "Thời lượng dự kiến của mục đầu tiên";
    /// Slots of a session.
    pub const SLOTS: &str = "Các mục trong buổi";
    /// Adds a slot.
    pub const ADD_SLOT: &str = "Thêm mục";
    /// Earlier.
    pub const UP: &str = "↑ Lên";
    /// Later.
    pub const DOWN: &str = "↓ Xuống";
    /// Removes a slot.
    pub const REMOVE_SLOT: &str = "Bỏ mục này";
    /// Removes a session.
    pub const REMOVE_SESSION: &str = "Bỏ cả buổi này";
    /// To the week.
    pub const BACK: &str = "Về lịch phát";

    /// No days.
    pub const NO_DAYS: &str = "Hãy chọn ít nhất một ngày trong tuần.";
    /// No play.
    pub const NO_PLAY: &str = "Hãy chọn phát gì.";
    /// No start.
    pub const NO_TIME: &str = "Mục phát đúng giờ cần có giờ, ví dụ 05:30:00.";
    /// A time, and a start that has none.
    pub const TIME_UNUSED: &str = "Giờ chỉ dùng khi chọn “Đúng giờ”. Hãy chọn “Đúng giờ”, hoặc xóa giờ này.";
    /// Not a length.
    pub const BAD_LENGTH: &str =
        "Thời lượng phải là số phút và số giây, ví dụ 6 phút 30 giây, và không quá 24 giờ.";
    /// Whole, and nobody says how late at most.
    pub const NO_WITHIN: &str = "Hãy ghi mục này được trễ nhiều nhất bao lâu mà vẫn phát trọn, ví dụ 10 phút; hoặc chọn cách khác khi trễ.";
    /// Not a date.
    pub const BAD_DATE: &str = "Ngày chưa đúng. Hãy ghi như ví dụ này: 25/12/2026.";
    /// No title.
    pub const NO_TITLE: &str = "Hãy đặt tên.";
    /// No times.
    pub const NO_TIMES: &str = "Hãy ghi giờ bắt đầu và giờ kết thúc, ví dụ 05:30:00.";
    /// It would last over midnight and most of a day.
    pub const REVERSED: &str = "Giờ kết thúc phải sau giờ bắt đầu.";
    /// No outputs.
    pub const NO_OUTPUT: &str = "Hãy chọn ít nhất một đường ra.";

    /// What is repeated, by its session's and its own title.
    pub fn repeat_of(name: &str) -> String {
        format!("phát lại {name}")
    }

    /// The heading of a slot's form.
    pub fn slot(title: &str, session: &str) -> String {
        format!("Sửa mục “{title}” – {session}")
    }

    /// The heading of a new slot's.
    pub fn new_slot(session: &str) -> String {
        format!("Thêm mục – {session}")
    }

    /// The heading of a removal.
    pub fn remove_slot(title: &str, session: &str) -> String {
        format!("Bỏ mục “{title}” – {session}")
    }

    /// The heading of a move.
    pub fn move_slot(title: &str, earlier: bool) -> String {
        if earlier {
            format!("Chuyển mục “{title}” lên trước")
        } else {
            format!("Chuyển mục “{title}” ra sau")
        }
    }

    /// The heading of a session's form.
    pub fn session(title: &str) -> String {
        format!("Sửa “{title}”")
    }

    /// The heading of a session's removal.
    pub fn remove_session(title: &str) -> String {
        format!("Bỏ “{title}” khỏi mọi tuần")
    }

    /// The heading of a special day's session's removal.
    pub fn remove_own(title: &str) -> String {
        format!("Bỏ “{title}”")
    }
}

/// Special days.
pub mod day {
    use super::{Date, date};

    /// What they are.
    pub const INTRO: &str = "Ngày ghi ở đây được phát khác với lịch tuần: không phát nhạc, bỏ buổi, thay nội dung, hoặc thêm buổi riêng. Các ngày khác không đổi.";
    /// Those to come.
    pub const TO_COME: &str = "Sắp tới và hằng năm";
    /// Those that were.
    pub const PAST: &str = "Đã qua";
    /// There are none.
    pub const NONE: &str = "Chưa có ngày đặc biệt nào.";
    /// Adds one.
    pub const ADD: &str = "Thêm ngày đặc biệt";
    /// Its date.
    pub const DATE: &str = "Ngày";
    /// Every year.
    pub const YEARLY: &str = "Hằng năm, vào đúng ngày và tháng này";
    /// Goes on to the form.
    pub const NEXT: &str = "Tiếp tục";
    /// Why it is special.
    pub const TITLE: &str = "Vì sao là ngày đặc biệt";
    /// No music.
    pub const NO_MUSIC: &str = "Không phát nhạc cả ngày, chẳng hạn quốc tang";
    /// Sessions that are left out.
    pub const DROP: &str = "Không phát các buổi này trong ngày";
    /// Contents that are others.
    pub const REPLACED: &str = "Nội dung được thay (bỏ dấu chọn thì mục phát như thường lệ)";
    /// One more.
    pub const REPLACE: &str = "Thay nội dung một mục";
    /// Which.
    pub const SLOT: &str = "Mục";
    /// None.
    pub const NO_SLOT: &str = "– không thay –";
    /// Its title then.
    pub const REPLACE_TITLE: &str = "Tên trong ngày đó (để trống: giữ tên cũ)";
    /// What it plays then.
    pub const REPLACE_PLAY: &str = "Phát gì trong ngày đó";
    /// Its title has to be there.
    pub const NO_TITLE: &str = "Hãy ghi vì sao là ngày đặc biệt.";
    /// Sessions of its own.
    pub const OWN_SESSIONS: &str = "Buổi phát riêng của ngày này";
    /// It has none.
    pub const NO_OWN_SESSIONS: &str = "Chưa có. Buổi thêm ở đây chỉ phát trong ngày này.";
    /// Adds one.
    pub const ADD_SESSION: &str = "Thêm buổi phát riêng";

    /// The heading of a new session's form.
    pub fn new_session(date: &str) -> String {
        format!("Thêm buổi phát riêng: {date}")
    }

    /// It is a day like others again.
    pub const REMOVE: &str = "Bỏ lịch ngày đặc biệt này";
    /// Back to the list.
    pub const BACK: &str = "Về các ngày đặc biệt";
    /// What plays in its stead has to be there.
    pub const NO_PLAY: &str = "Hãy chọn mục được thay sẽ phát gì.";
    /// What is to be replaced has to be there.
    pub const NO_REPLACED: &str =
        "Hãy chọn mục cần thay. Nếu không thay mục nào, hãy để trống các ô dưới đây.";

    /// The day is over; the next one of its date may have been meant.
    pub fn is_over(day: Date, again: Option<Date>) -> String {
        let asked =
            again.map_or_else(String::new, |day| format!(" Có phải bạn muốn ghi năm {}?", day.year()));
        format!("Ngày này đã qua ({}), nên không còn gì để phát.{asked}", day.strftime("%d/%m/%Y"))
    }

    /// To the form of the day that may have been meant.
    pub fn rather(day: Date) -> String {
        format!("Ghi cho {}", date::day(day))
    }

    /// The day has the plan of every year so far.
    pub fn instead_of(title: &str, date: &str) -> String {
        format!("Ngày này đang theo lịch “{title}” ({date}). Lịch riêng cho ngày này sẽ thay hẳn lịch ấy.")
    }

    /// The heading of a day's form.
    pub fn of(date: &str) -> String {
        format!("Ngày đặc biệt: {date}")
    }

    /// The heading of its removal.
    pub fn remove(date: &str) -> String {
        format!("Bỏ lịch riêng của {date}")
    }
}

/// What was changed.
pub mod history {
    /// What the page is.
    pub const INTRO: &str =
        "Mỗi lần sửa lịch được giữ lại ở đây: ai, lúc nào, sửa gì. Mọi lần đều hoàn tác được.";
    /// Nothing was.
    pub const NONE: &str = "Chưa có lần sửa nào được lưu qua trang này.";
    /// Nobody knows who changed a file by hand.
    pub const UNKNOWN: &str = "không rõ ai, sửa thẳng trong tệp";
    /// Shows one.
    pub const OPEN: &str = "Xem, hoàn tác";
    /// The first one.
    pub const FIRST: &str = "bản đầu tiên được giữ";
    /// What it changed.
    pub const LINES: &str = "Lần sửa này đã đổi các dòng sau";
    /// Undoing also undoes those.
    pub const LATER: &str = "Hoàn tác lần này cũng bỏ các lần sửa sau đó:";
    /// Back to the list.
    pub const BACK: &str = "Về lịch sử sửa lịch";
    /// Shows this one, for who does not see beside which it stands.
    pub fn open(id: i64) -> String {
        format!("{OPEN} lần sửa lịch số {id}")
    }
    /// How undoing is called.
    pub const UNDO: &str = "Hoàn tác lần sửa này";
    /// It cannot be.
    pub const CANNOT: &str = "Không hoàn tác được lần này, vì lịch trước đó có lỗi:";
    /// The heading.
    pub fn title(id: i64) -> String {
        format!("Lần sửa số {id}")
    }

    /// An undone revision, with what it was.
    pub fn undone(id: i64, what: &str, about: &str) -> String {
        if about.is_empty() {
            format!("lần sửa số {id} ({what})")
        } else {
            format!("lần sửa số {id} ({what}: {about})")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sounds_in_a_slot_is_said_once_where_it_begins_with_the_slots_title() {
        assert_eq!(titled("Sức khỏe", "Sức khỏe: sổ sức khỏe điện tử"), "Sức khỏe: sổ sức khỏe điện tử");
        assert_eq!(titled("Sức khỏe", "Sức khỏe"), "Sức khỏe");
        assert_eq!(titled("Sức khỏe", SILENCE), "Sức khỏe: im lặng");
    }
}
