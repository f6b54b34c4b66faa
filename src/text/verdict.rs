//! What ingest says of a recording, for the person who handed it in: what happened, and what to do.

use std::io::ErrorKind;

use jiff::SignedDuration;

use super::disk::GIVE_BACK;
use crate::media::ingest::Refusal;

/// Why a recording was not taken in.
pub fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Empty => "Tệp rỗng, không có dữ liệu. Hãy kiểm tra tệp gốc rồi gửi lại.".to_owned(),
        Refusal::NotAudio => {
            "Tệp không chứa âm thanh mà chương trình nhận ra được. Hãy gửi tệp ghi âm, ví dụ MP3, WAV, FLAC, M4A hoặc Ogg."
                .to_owned()
        }
        Refusal::Silent => {
            "Bản ghi im lặng từ đầu đến cuối. Hãy nghe lại tệp gốc, kiểm tra micrô và ghi âm lại nếu cần.".to_owned()
        }
        Refusal::TooShort { length: found, least } => format!(
            "Bản ghi chỉ dài {}, ngắn hơn mức tối thiểu {}. Hãy kiểm tra xem có gửi nhầm tệp không.",
            length(*found),
            length(*least)
        ),
        Refusal::TooLong { most } => format!(
            "Bản ghi dài hơn mức cho phép là {}. Hãy chia thành nhiều phần ngắn hơn rồi gửi từng phần.",
            length(*most)
        ),
        Refusal::TooLarge { bytes, most } => format!(
            "Tệp nặng {} MB, lớn hơn mức cho phép là {} MB. Hãy xuất lại dưới dạng MP3 rồi gửi lại.",
            bytes.div_ceil(1_000_000),
            most / 1_000_000
        ),
        Refusal::Truncated { declared, found } => truncated(*declared, *found),
        Refusal::UnsupportedCodec { name, ffmpeg_missing: true } => format!(
            "Định dạng {name} cần được chuyển đổi, nhưng máy này chưa cài ffmpeg. Hãy nhờ kỹ thuật viên cài gói ffmpeg, hoặc xuất bản ghi dưới dạng MP3 rồi gửi lại."
        ),
        Refusal::UnsupportedCodec { name, ffmpeg_missing: false } => format!(
            "Không chuyển đổi được tệp {name} này; có thể tệp bị hỏng. Hãy xuất lại bản ghi dưới dạng MP3 rồi gửi lại."
        ),
        Refusal::DecoderFailed => {
            "Tệp hỏng đến mức không đọc được âm thanh trong đó. Hãy xuất lại bản ghi từ bản gốc rồi gửi lại.".to_owned()
        }
        Refusal::DiskFull => {
            "Ổ đĩa của máy phát đã đầy nên chưa lưu được bản ghi. Hãy xóa bớt tệp không dùng rồi gửi lại.".to_owned()
        }
        Refusal::Cancelled => "Việc nhận tệp đã bị dừng, chưa có gì được lưu. Hãy gửi lại khi cần.".to_owned(),
        Refusal::Io { cause, .. }
            if matches!(cause.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) =>
        {
            format!(
                "Máy không có quyền đọc tệp này, hoặc không có quyền ghi vào thư mục “audio” của đài (hệ thống báo: {cause}). Tại \
                 máy, hãy chạy lệnh bằng tài khoản của đài, ví dụ `sudo -u loa loa …`, với tệp để ở nơi tài khoản ấy đọc được. Nếu \
                 vẫn vậy, hãy nhờ kỹ thuật viên trả lại quyền bằng {GIVE_BACK}."
            )
        }
        Refusal::Io { .. } => {
            "Máy không đọc hoặc ghi được tệp. Hãy thử gửi lại; nếu vẫn lỗi, hãy báo kỹ thuật viên kiểm tra ổ đĩa.".to_owned()
        }
    }
}

fn truncated(declared: Option<SignedDuration>, found: SignedDuration) -> String {
    let advice = "Có thể việc sao chép hoặc gửi bị ngắt giữa chừng. Hãy gửi lại tệp gốc.";
    match declared {
        Some(declared) if declared > found => {
            format!("Tệp bị cụt: chỉ có {} trên tổng {}. {advice}", length(found), length(declared))
        }
        Some(_) | None if found.is_zero() => format!("Tệp bị cụt, không còn phần âm thanh nào. {advice}"),
        Some(_) | None => format!("Tệp bị cụt sau {}. {advice}", length(found)),
    }
}

/// What a person should know of a recording that was taken in although it is damaged; nothing, where it is not.
pub fn damage(skipped_packets: u32) -> Option<String> {
    (skipped_packets > 0).then(|| {
        format!(
            "Tệp bị hỏng ở {skipped_packets} chỗ, những chỗ đó sẽ bị bỏ qua. Hãy nghe lại trước khi duyệt."
        )
    })
}

/// What a person should know of a recording that was converted.
pub fn converted(from: &str) -> String {
    format!("Tệp {from} đã được chuyển sang FLAC; bản đã chuyển là bản được duyệt và phát.")
}

/// A recording's file was put back: it was gone, or another stood in its place, which is kept.
pub fn put_back(kept_as: Option<&str>) -> String {
    match kept_as {
        None => "Tệp của bản ghi đã mất khỏi thư mục “audio”; máy vừa đặt lại đúng tệp đó.".to_owned(),
        Some(kept_as) => format!(
            "Trong thư mục “audio”, tệp của bản ghi đã bị thay bằng một tệp khác, hoặc không đọc được; máy vừa đặt lại đúng tệp của bản ghi và \
             giữ tệp kia với tên “{kept_as}”. Tệp kia không lên loa; nếu cần phát, hãy nộp tệp đó."
        ),
    }
}

/// A length for people: `1 giờ 2 phút 3 giây`, and tenths of a second below ten seconds.
fn length(length: SignedDuration) -> String {
    let seconds = length.as_secs();
    if seconds < 10 {
        let tenths = length.as_millis() / 100;
        return match tenths % 10 {
            0 => format!("{} giây", tenths / 10),
            rest => format!("{},{rest} giây", tenths / 10),
        };
    }
    let parts = [(seconds / 3600, "giờ"), (seconds / 60 % 60, "phút"), (seconds % 60, "giây")];
    let parts: Vec<_> =
        parts.iter().filter(|part| part.0 > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_as_people_say_them() {
        for (milliseconds, said) in [
            (0, "0 giây"),
            (500, "0,5 giây"),
            (2_000, "2 giây"),
            (75_400, "1 phút 15 giây"),
            (7_200_000, "2 giờ"),
            (3_661_000, "1 giờ 1 phút 1 giây"),
        ] {
            assert_eq!(length(SignedDuration::from_millis(milliseconds)), said);
        }
    }

    #[test]
    fn a_refusal_says_what_happened_and_what_to_do() {
        let cut = Refusal::Truncated {
            declared: Some(SignedDuration::from_secs(60)),
            found: SignedDuration::from_secs(31),
        };
        assert_eq!(
            refusal(&cut),
            "Tệp bị cụt: chỉ có 31 giây trên tổng 1 phút. Có thể việc sao chép hoặc gửi bị ngắt giữa chừng. Hãy gửi lại tệp gốc."
        );
        for kind in [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem] {
            let said = refusal(&Refusal::of_disk("copy the recording", kind.into()));
            assert!(said.contains("sudo -u loa") && said.contains("sudo chown -R loa:audio"), "{said}");
        }
        let foreign = Refusal::UnsupportedCodec { name: "AMR".into(), ffmpeg_missing: true };
        assert!(refusal(&foreign).contains("AMR") && refusal(&foreign).contains("cài gói ffmpeg"));
    }
}
