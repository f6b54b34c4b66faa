//! Phát ngay, khẩn cấp.

use std::iter;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::date;
use crate::schedule::{OutputId, QuietHours, Schedule};
use crate::sequencer::{Repeats, WAITS_FOR_OUTPUT};
use crate::timeline::Layer;

/// What is in force.
pub const IN_FORCE: &str = "Đang có hiệu lực";
/// Gives the air back.
pub const CALL_OFF: &str = "Trả lại sóng";
/// What that means.
pub const CALL_OFF_MEANS: &str =
    "Bấm “Trả lại sóng”: bản ghi này dừng ngay, không nhắc lại nữa, và loa phát tiếp theo lịch.";
/// The air was given back just now.
pub const CALLED_OFF: &str = "Đã trả lại sóng. Loa phát tiếp theo lịch.";
/// The same, where something else has it.
pub const CALLED_OFF_ONE: &str = "Đã trả lại sóng. Lệnh dưới đây vẫn còn hiệu lực.";
/// What sounded from the schedule was stopped just now.
pub const STOPPED: &str = "Đã dừng mục đang phát.";
/// It was over before it could be stopped, or stopped already.
pub const OVER: &str =
    "Mục đó đã hết hoặc đã được dừng từ trước, nên không có gì bị dừng thêm. Lịch vẫn đi tiếp.";
/// Ends all that is in force.
pub const CALL_OFF_ALL: &str = "Trả lại sóng tất cả";
/// Sounds at this moment.
pub const SOUNDS: &str = "đang phát";
/// Recordings kept in memory.
pub const READY: &str = "Khẩn cấp: bản ghi soạn sẵn";
/// What that means.
pub const READY_MEANS: &str =
    "Có sẵn trong máy: phát được cả khi đĩa hỏng. Bấm một bản ghi để xem rồi mới xác nhận; loa chưa phát.";
/// None is kept.
pub const NONE_READY: &str = "Đài chưa có bản ghi khẩn cấp nào được duyệt. Hãy nộp và duyệt bản ghi cho chuyên mục khẩn cấp, để khi cần thì có sẵn.";
/// What follows for one of them whose file is gone or changed.
pub const SO_SILENT: &str = ", nên chưa phát khẩn cấp được.";
/// All others.
pub const OTHERS: &str = "Bản ghi khác";
/// Searches them.
pub const SEARCH: &str = "Tìm theo tên, chuyên mục, tác giả (không cần dấu)";
/// Searches them now.
pub const SEARCH_NOW: &str = "Tìm";
/// None was found.
pub const NONE_FOUND: &str =
    "Không có bản ghi đã duyệt nào như vậy. Chỉ bản ghi đã duyệt và còn hiệu lực mới được lên loa.";
/// There are more than are shown.
pub const MORE: &str = "Còn nhiều bản ghi khác. Hãy gõ vài chữ của tên để tìm.";
/// What sounds from the schedule.
pub const FROM_THE_SCHEDULE: &str = "Đang phát theo lịch";
/// Stops it.
pub const STOP: &str = "Dừng mục đang phát";
/// What that means.
pub const STOP_MEANS: &str = "Mục này dừng ngay và không phát lại.";
/// What it will be heard as.
pub const WHAT: &str = "Bản ghi";
/// Where it will be heard.
pub const WHERE: &str = "Khu vực";
/// How often.
pub const HOW_OFTEN: &str = "Số lần";
/// What it does to what sounds.
pub const EFFECT: &str = "Sẽ ngắt và ảnh hưởng";
/// Nothing sounds there.
pub const NOTHING_SOUNDS: &str = "Loa đang im lặng, không có mục nào bị ngắt.";
/// Nothing of the schedule is touched.
pub const NOTHING_TOUCHED: &str = "Không mục nào trong lịch bị ảnh hưởng.";
/// What repeats do.
pub const EACH_TIME: &str =
    "Mỗi lần nhắc lại cũng ngắt mục đang phát lúc đó như vậy. Giữa các lần, loa phát theo lịch.";
/// To other choices.
pub const CHANGE: &str = "Đổi cách phát";
/// Shows what these choices come to.
pub const LOOK_AGAIN: &str = "Xem lại với lựa chọn này";
/// The rank.
pub const RANK: &str = "Mức";
/// Once.
pub const ONCE: &str = "Một lần";
/// Repeated.
pub const REPEATED: &str = "Nhắc lại: hai lần cách nhau 5 phút, rồi đều đặn";
/// Minutes between those repeats.
pub const MINUTES: &str = "Sau lần thứ ba, cứ mấy phút một lần";
/// From when on they count.
pub const MINUTES_RULE: &str = "Ba lần đầu luôn cách nhau 5 phút. Số phút này chỉ tính từ lần thứ tư: phát nhiều nhất 2 hoặc 3 lần thì không dùng đến.";
/// At most so often.
pub const AT_MOST: &str = "Nhiều nhất mấy lần (để trống: đến khi trả lại sóng)";
/// Live.
pub const LIVE: &str = "Phát ngay";
/// Emergency.
pub const EMERGENCY: &str = "Khẩn cấp";
/// Takes the air, live.
pub const LIVE_NOW: &str = "Phát ngay bây giờ";
/// Takes the air with an emergency.
pub const EMERGENCY_NOW: &str = "PHÁT KHẨN CẤP NGAY";
/// To the emergency, where quiet hours forbid the other.
pub const AS_EMERGENCY: &str = "Chuyển sang phát khẩn cấp";
/// The confirmation had stood for too long.
pub const TOO_OLD: &str =
    "Trang xác nhận trước đã để quá lâu nên chưa phát gì. Hãy xem lại những điều dưới đây rồi bấm lần nữa.";
/// To a confirmation of the same for where it was not taken.
pub const ORDER_AGAIN: &str = "Ra lệnh lại cho riêng nơi đó";
/// To the page from others.
pub const TO_ALL: &str = "Bản ghi khác…";

/// What is heard once something was stopped: the title of what sounds next, and when.
pub fn after_stop(next: Option<(&str, Timestamp)>, now: Timestamp, zone: &TimeZone) -> String {
    let Some((title, at)) = next else {
        return "Sau đó lịch không còn mục nào phát được: loa im lặng.".to_owned();
    };
    let day = |at: Timestamp| zone.to_datetime(at).date();
    let at_what = if day(at) == day(now) { date::second(at, zone) } else { date::exactly(at, zone) };
    if at.duration_since(now) < SignedDuration::from_secs(1) {
        format!("Lịch đi tiếp ngay với mục sau: “{title}”.")
    } else {
        format!("Loa im lặng cho đến mục sau: “{title}”, {at_what}.")
    }
}

/// How a recording sounds again whose file is gone or changed.
pub fn mend_file(file: &str) -> String {
    format!(
        "Hãy chép lại đúng tệp “{file}” vào thư mục “audio” từ bản sao lưu, hoặc nộp bản ghi khác và gửi duyệt."
    )
}

/// What is asked before the air is taken.
pub fn confirm(layer: Layer) -> &'static str {
    if layer == Layer::Emergency { "Xác nhận phát khẩn cấp" } else { "Xác nhận phát ngay" }
}

/// The name of a rank.
pub fn rank(layer: Layer) -> &'static str {
    if layer == Layer::Emergency { EMERGENCY } else { LIVE }
}

/// An output by who hears it: `Toàn xã`; by its id where nobody is named.
pub fn output(id: &OutputId, zones: &[String]) -> String {
    if zones.is_empty() { id.to_string() } else { zones.join(", ") }
}

/// An output of the schedule by who hears it.
pub fn place(schedule: &Schedule, id: &OutputId) -> String {
    let outputs = &schedule.outputs;
    let zones = outputs.iter().find(|known| known.id == *id).map_or(&[][..], |known| &known.zones);
    let alike = outputs.iter().filter(|other| !zones.is_empty() && other.zones == zones).count();
    if alike > 1 { one_of_several(id, zones) } else { output(id, zones) }
}

/// The same where another one is heard by the same people: `Toàn xã (loa-xa)`.
pub fn one_of_several(id: &OutputId, zones: &[String]) -> String {
    format!("{} ({id})", output(id, zones))
}

/// The output has lost its device.
pub fn no_sound() -> String {
    format!(
        "Đường ra này đang mất thiết bị: loa sẽ KHÔNG có tiếng cho đến khi máy nhận lại thiết bị. {} Hãy kiểm tra dây và thiết bị âm thanh.",
        waits_so_long()
    )
}

/// What was ordered waits for outputs that have lost their device.
pub fn waits_for_output(places: &[String]) -> String {
    format!(
        "KHÔNG có tiếng ở {}: đường ra đang mất thiết bị. {} Hãy kiểm tra dây và thiết bị âm thanh, hoặc báo cho dân bằng cách khác.",
        places.join(", "),
        waits_so_long()
    )
}

fn waits_so_long() -> String {
    format!(
        "Mỗi lần phát chờ thiết bị nhiều nhất {} phút, quá đó thì nhật ký ghi là không phát.",
        WAITS_FOR_OUTPUT.as_mins()
    )
}

/// Where an engine did not take what was ordered, while others did.
pub fn not_taken(places: &[String]) -> String {
    format!(
        "Bộ phát không nhận lệnh ở {}: bản ghi không lên loa ở đó, còn các nơi khác vẫn phát. Hãy ra lệnh lại cho riêng nơi đó; nếu vẫn không được, hãy báo kỹ thuật viên khởi động lại chương trình.",
        places.join(", ")
    )
}

/// How often something sounds, and how long it is.
pub fn pattern(repeats: &Repeats, length: SignedDuration) -> String {
    let length = date::length(length);
    if repeats.at_most == Some(1) {
        return format!("Một lần, dài {length}.");
    }
    if let Some(most) = repeats.at_most.filter(|most| *most <= repeats.close + 1) {
        let after = (1..most).map(|nth| format!("sau {}", date::wait(repeats.soon * i32::from(nth))));
        let mut times: Vec<_> = iter::once("ngay bây giờ".to_owned()).chain(after).collect();
        let last = times.pop().unwrap_or_default();
        return format!("Phát tất cả {most} lần, mỗi lần dài {length}: {} và {last}.", times.join(", "));
    }
    let close = if repeats.close == 2 { "hai".to_owned() } else { repeats.close.to_string() };
    let end = repeats.at_most.map_or_else(
        || "cho đến khi có người bấm “Trả lại sóng”".to_owned(),
        |most| format!("nhiều nhất {most} lần, hoặc đến khi có người bấm “Trả lại sóng”"),
    );
    format!(
        "Phát lần đầu ngay bây giờ (dài {length}), nhắc lại {close} lần cách nhau {}, rồi cứ {} một lần, {end}.",
        date::wait(repeats.soon),
        date::wait(repeats.then)
    )
}

/// What is on air is cut.
pub fn cuts(title: &str) -> String {
    format!("“{title}” đang phát sẽ bị ngắt ngay.")
}

/// Something of this rank or a higher one is on air: it has to wait.
pub fn waits(title: &str) -> String {
    format!(
        "“{title}” đang phát theo một lệnh khác, ở mức bằng hoặc cao hơn: bản ghi này phải chờ bản ghi đó xong."
    )
}

/// What becomes of a cue of the schedule: none where it does not sound any more, otherwise how far into it.
pub fn becomes(title: &str, at: Timestamp, resumed: Option<SignedDuration>, zone: &TimeZone) -> String {
    let cue = format!("“{title}” ({})", date::second(at, zone));
    match resumed {
        None => format!("{cue} sẽ không phát nữa."),
        Some(SignedDuration::ZERO) => format!("{cue} sẽ phát từ đầu khi có lại sóng."),
        Some(_) => format!("{cue} sẽ phát tiếp từ chỗ lẽ ra đã đến."),
    }
}

fn hours(quiet: QuietHours) -> String {
    format!("{} đến {}", quiet.from.strftime("%H:%M"), quiet.to.strftime("%H:%M"))
}

/// Quiet hours forbid it.
pub fn forbidden(quiet: QuietHours) -> String {
    format!(
        "Bây giờ là giờ yên lặng (từ {}): không được phát ngay. Loa vẫn im lặng. Hãy chờ hết giờ yên lặng, hoặc phát khẩn cấp nếu thật sự cần.",
        hours(quiet)
    )
}

/// It sounds in quiet hours.
pub fn in_spite(quiet: QuietHours) -> String {
    format!(
        "Bây giờ là giờ yên lặng (từ {}). Phát khẩn cấp thì loa VẪN PHÁT, mọi người sẽ nghe thấy.",
        hours(quiet)
    )
}

/// Quiet hours come before it is over.
pub fn cut_by(quiet: QuietHours) -> String {
    format!("Giờ yên lặng (từ {}) đến trước khi phát xong: bản ghi này sẽ bị cắt lúc đó.", hours(quiet))
}

/// Who ordered an interrupt, and when: `hoa, từ 02:31:07`.
pub fn ordered(by: &str, since: Timestamp, zone: &TimeZone) -> String {
    format!("{by} ra lệnh lúc {}", date::second(since, zone))
}

/// The same recording is in force already, by another order.
pub fn already(by: &str, since: Timestamp, zone: &TimeZone) -> String {
    format!(
        "Bản ghi này đang có hiệu lực rồi: {}. Nếu vẫn phát, sẽ có hai lệnh cùng nhắc lại, và phải trả lại sóng cả hai.",
        ordered(by, since, zone)
    )
}

/// When it sounds next.
pub fn again(next: Timestamp, zone: &TimeZone) -> String {
    format!("lần tới lúc {}", date::second(next, zone))
}

/// An emergency is in force and does not sound at the moment.
pub const EMERGENCY_WAITS: &str = "KHẨN CẤP ĐANG CÓ HIỆU LỰC";
/// The same of a live one.
pub const LIVE_WAITS: &str = "Phát ngay đang có hiệu lực";
/// It waits for its first airing.
pub const COMES: &str = "sắp phát";
/// It sounds no more after this.
pub const LAST_TIME: &str = "lần cuối";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_said_as_the_decision_has_it() {
        let minutes = SignedDuration::from_mins;
        let until = Repeats { at_most: None, soon: minutes(5), close: 2, then: minutes(30) };
        let said = pattern(&until, SignedDuration::from_secs(35));
        assert_eq!(
            said,
            "Phát lần đầu ngay bây giờ (dài 0:35), nhắc lại hai lần cách nhau 5 phút, rồi cứ 30 phút một lần, cho đến khi có người bấm “Trả lại sóng”."
        );
        let most = pattern(&Repeats { at_most: Some(6), ..until }, SignedDuration::from_secs(35));
        assert!(most.contains("nhiều nhất 6 lần"), "{most}");
        // So few that they are over before the distance grows: each is named, and nothing is said of what never comes.
        let few = |most| pattern(&Repeats { at_most: Some(most), ..until }, SignedDuration::from_secs(35));
        assert_eq!(few(2), "Phát tất cả 2 lần, mỗi lần dài 0:35: ngay bây giờ và sau 5 phút.");
        assert_eq!(few(3), "Phát tất cả 3 lần, mỗi lần dài 0:35: ngay bây giờ, sau 5 phút và sau 10 phút.");
        assert!(few(4).contains("rồi cứ 30 phút một lần, nhiều nhất 4 lần"), "{}", few(4));
        assert_eq!(few(1), "Một lần, dài 0:35.");
        assert_eq!(pattern(&Repeats::ONCE, SignedDuration::from_secs(35)), "Một lần, dài 0:35.");
    }
}
