//! What the log says of what aired, by example.

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
    let expected = ["05:33:00", "đã phát", "trước đó phát dở lúc 05:32:00 (mất điện); đồng hồ chưa tin cậy"];
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
    let remark =
        |airing: &Airing| log_line(1, "", airing, &TimeZone::get("Asia/Ho_Chi_Minh").unwrap())[17].clone();
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
