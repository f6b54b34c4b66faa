//! What is not as it should be on the timeline: what, when, what will happen on air, what to do.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::timeline::{Absence, Finding, FindingKind, Severity};

/// A finding in full sentences, with local times of the station.
pub fn finding(f: &Finding, time_zone: &TimeZone) -> String {
    format!("Lúc {}, {}", local(f.at, time_zone), what(f))
}

/// Findings, each sentence once with all its times: what is missing all week is said once and not seven times.
pub fn findings(found: &[Finding], time_zone: &TimeZone) -> Vec<String> {
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for f in found {
        let (what, when) = (what(f), local(f.at, time_zone));
        match said.iter_mut().find(|(known, _)| *known == what) {
            Some((_, times)) => times.push(when),
            None => said.push((what, vec![when])),
        }
    }
    said.into_iter().map(|(what, times)| format!("Lúc {}, {what}", times.join("; "))).collect()
}

/// Where it is, and the sentence.
fn what(f: &Finding) -> String {
    let place = match &f.cue {
        Some(cue) => format!("mục “{}” của buổi phát “{}”", cue.slot, cue.block.session),
        None => format!("buổi phát “{}”", f.block.session),
    };
    format!("{place}: {}", sentence(f))
}

/// What it is, what will be heard, and what to do.
fn sentence(f: &Finding) -> String {
    match &f.kind {
        FindingKind::Absent { why } => absent(why).to_owned() + &named(why),
        FindingKind::OlderStandsIn { segment } => format!(
            "chưa có bản ghi của tuần này dùng được. Loa sẽ phát lại bản ghi cũ hơn ({segment}). Hãy nộp và duyệt bản \
             ghi của tuần này trước giờ phát."
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
                "Hãy thêm một mục lấp giờ (fill) hoặc bổ sung bản ghi."
            }
        ),
        FindingKind::PoolTooSmall { pool } => format!(
            "nhạc luân phiên “{pool}” có quá ít bản ghi dùng được. {} Hãy thêm và duyệt bài cho nhạc luân phiên này.",
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
        FindingKind::SkippedLocalTime { shift_ms } => format!(
            "giờ ghi trong lịch không có trong ngày này, vì đồng hồ được vặn tới. Loa sẽ phát muộn hơn {} theo giờ mới. \
             Nếu không muốn vậy, hãy đặt giờ khác cho ngày này.",
            length(*shift_ms)
        ),
        FindingKind::RepeatedLocalTime => "giờ ghi trong lịch đến hai lần trong ngày này, vì đồng hồ được vặn lùi. Loa \
             sẽ phát ở lần thứ nhất. Nếu không muốn vậy, hãy đặt giờ khác cho ngày này."
            .to_owned(),
        FindingKind::CutByNextSession { by } => format!(
            "buổi phát “{}” bắt đầu khi buổi này chưa hết giờ. Buổi này sẽ dừng tại đó. Hãy sửa giờ của một trong hai \
             buổi để chúng không chồng lên nhau.",
            by.session
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
            "chưa có bản ghi nào dùng được cho lần phát này. Mục này sẽ im lặng. Hãy nộp bản ghi và xin duyệt trước giờ \
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
            "bản ghi đã bị thu hồi. Mục này sẽ im lặng. Hãy nộp bản ghi khác và xin duyệt."
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
    }
}

/// The segment that would have aired, for people to find it.
fn named(why: &Absence) -> String {
    match why {
        Absence::NotApproved { segment } | Absence::NotValid { segment } | Absence::Withdrawn { segment } => {
            format!(" Mã bản ghi: {segment}.")
        }
        Absence::Missing
        | Absence::NoMusic
        | Absence::NoRoom
        | Absence::QuietHours
        | Absence::AgainstTheRules
        | Absence::NothingToRepeat => String::new(),
    }
}

fn local(at: Timestamp, time_zone: &TimeZone) -> String {
    time_zone.to_datetime(at).strftime("%d/%m %H:%M:%S").to_string()
}

/// A length as people say it, rounded to the second; what is shorter is one second.
fn length(ms: i64) -> String {
    let seconds = (ms.max(0).saturating_add(500) / 1000).max(1);
    match (seconds / 60, seconds % 60) {
        (0, s) => format!("{s} giây"),
        (m, 0) => format!("{m} phút"),
        (m, s) => format!("{m} phút {s} giây"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{BlockId, CueId};

    fn say(severity: Severity, slot: Option<&str>, kind: FindingKind) -> String {
        let block = BlockId { date: "2026-11-23".parse().unwrap(), session: "sang".into() };
        let cue = slot.map(|slot| CueId { block: block.clone(), slot: slot.into(), piece: 0 });
        let at = "2026-11-22T22:31:00Z".parse().unwrap();
        finding(&Finding { severity, block, cue, at, kind }, &TimeZone::get("Asia/Ho_Chi_Minh").unwrap())
    }

    #[test]
    fn a_finding_says_what_when_what_will_be_heard_and_what_to_do() {
        let why = Absence::NotApproved { segment: "0123456789abcdef".into() };
        assert_eq!(
            say(Severity::Error, Some("chuyen-muc"), FindingKind::Absent { why }),
            "Lúc 23/11 05:31:00, mục “chuyen-muc” của buổi phát “sang”: bản ghi chưa được duyệt. Mục này sẽ im lặng. \
             Hãy nhờ người duyệt nghe và duyệt trước giờ phát. Mã bản ghi: 0123456789abcdef."
        );
        assert_eq!(
            say(Severity::Error, None, FindingKind::Gap { silence_ms: 125_400 }),
            "Lúc 23/11 05:31:00, buổi phát “sang”: không có gì để phát trong 2 phút 5 giây. Loa sẽ im lặng cho đến mục \
             kế tiếp. Hãy thêm một mục lấp giờ (fill) hoặc bổ sung bản ghi."
        );
    }

    #[test]
    fn what_is_the_same_on_several_days_is_said_once() {
        let on = |date: &str, silence_ms| Finding {
            severity: Severity::Error,
            block: BlockId { date: date.parse().unwrap(), session: "sang".into() },
            cue: None,
            at: format!("{date}T05:31:00Z").parse().unwrap(),
            kind: FindingKind::Gap { silence_ms },
        };
        let found = [on("2026-11-23", 60_000), on("2026-11-24", 9_000), on("2026-11-25", 60_000)];
        let said = findings(&found, &TimeZone::UTC);
        assert_eq!(said.len(), 2);
        assert!(said[0].starts_with("Lúc 23/11 05:31:00; 25/11 05:31:00, buổi phát “sang”: "), "{}", said[0]);
    }

    #[test]
    fn a_day_without_music_asks_nothing_of_anyone() {
        let text = say(Severity::Note, None, FindingKind::Gap { silence_ms: 60_000 });
        assert!(text.ends_with("không cần làm gì.") && text.contains(" 1 phút."), "{text}");
    }
}
