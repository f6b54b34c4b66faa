//! What is said of mistakes.

use jiff::civil::Weekday;

use super::*;
use crate::schedule;
use crate::schedule::problem::Place;

fn said(kind: Kind) -> String {
    let place = Place::default();
    problem(&Problem { kind, place, file: "schedule/week.toml".into(), line: 14, column: 8 })
}

#[test]
fn a_wrong_time_is_said_with_line_finding_and_remedy() {
    let kind = Kind::Invalid { key: "from".into(), found: "25:00:00".into(), expected: Expected::Time };
    assert_eq!(
        said(kind),
        "Dòng 14 trong `week.toml`: giờ \"25:00:00\" không hợp lệ ở `from`. Sửa thành giờ từ 00:00 đến 23:59, \
         đủ hai chữ số, không có dấu ngoặc kép, ví dụ 05:30:00."
    );
}

#[test]
fn curly_quotes_are_made_straight() {
    for (written, meant) in [("{ file = “t60.ogg” }", "t60.ogg"), ("{ file = ‘bai.ogg’ }", "bai.ogg")]
    {
        let week = format!("[[session]]\n[[session.slot]]\nplay = {written}\n");
        let sources = schedule::Sources { week: Some(week), ..schedule::Sources::default() };
        let problems = schedule::read(&sources).unwrap_err();
        let said: Vec<_> = problems.iter().map(problem).collect();
        let remedy = format!("Sửa thành \"{meant}\".");
        assert!(said.iter().any(|said| said.ends_with(&remedy)), "{said:?}");
    }
}

/// What is said of these days, or of this station.
fn said_of(station: &str, days: &str) -> Vec<String> {
    let example = |name: &str| -> String {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schedule");
        std::fs::read_to_string(folder.join(name)).unwrap()
    };
    let station = if station.is_empty() { example("station.toml") } else { station.to_owned() };
    let sources = schedule::Sources {
        station: Some(station),
        week: Some(example("week.toml")),
        days: Some(days.to_owned()),
    };
    let problems = schedule::read(&sources).unwrap_err();
    problems.iter().map(problem).collect()
}

#[test]
fn what_is_written_well_and_stands_wrongly_is_told_where_it_belongs() {
    let day = "[[day]]\ndate = 2026-12-01\ntitle = \"x\"\n";
    let session = "[[session]]\nid = \"z\"\n[[session.slot]]\nplay = { file = \"a.ogg\" }\n";
    let said = said_of("", &format!("{day}{session}"));
    assert_eq!(said.len(), 1);
    assert!(
        said[0]
            .contains("Dòng 4 trong `days.toml`: trong tệp này `[[session]]` phải viết là `[[day.session]]`"),
        "{said:?}"
    );
    let said = said_of("", &format!("date = 2027-02-01\n{day}"));
    assert_eq!(
        said,
        [
            "Dòng 1 trong `days.toml`: `date` phải đứng dưới một dòng `[[day]]`. Dời dòng này xuống dưới `[[day]]` của nó."
        ]
    );
    let both = day.replace("title", "every_year = \"1/12\"\ntitle");
    assert_eq!(
        said_of("", &both),
        ["Dòng 1 trong `days.toml`: `date`, `every_year` không đi cùng nhau được. Chỉ giữ lại một."]
    );
    let station = "name = \"x\"\ntime_zone = \"Asia/Ho_Chi_Minh\"\nrules.quiet = { from = 20:00:00, to = 05:30:00 }\n[[output]]\nid = \"loa-xa\"\n";
    let said = said_of(station, "");
    assert!(
        said[0].ends_with("không hợp lệ ở `quiet`. Đặt cả phần này trong dấu ngoặc vuông: [{ … }]."),
        "{said:?}"
    );
}

#[test]
fn a_character_that_nobody_sees_is_named_with_its_place() {
    let day = |date: &str| format!("[[day]]\n{date}\ntitle = \"x\u{a0}y\"\n");
    for (written, place) in [
        ("date\u{a0}=\u{a0}2026-12-01", "ngay sau `date` (mã U+00A0)"),
        ("\u{200b}date = 2026-12-01", "ở đầu dòng (mã U+200B)"),
        ("date = 2026-12-01\ndrop = [\"sang\u{200b}\"]", "ngay sau `drop = [\"sang` (mã U+200B)"),
    ] {
        let said = said_of("", &day(written));
        assert!(said.iter().any(|said| said.contains(place)), "{said:?}");
    }
    let said = said_of("", &day("date = 2026-13-01 # a\u{a0}b"));
    assert!(!said[0].contains("không nhìn thấy"), "a comment may hold what it likes: {said:?}");
}

#[test]
fn a_day_that_does_not_exist_is_not_told_how_to_be_written() {
    for (date, remedy) in [
        ("date = 2027-02-30", "Tháng 2 năm 2027 chỉ có 28 ngày. Sửa lại ngày."),
        ("date = 2027-13-01", "không có tháng 13. Sửa lại tháng."),
        ("every_year = \"31/04\"", "Tháng 4 chỉ có 30 ngày. Sửa lại ngày."),
        ("every_year = \"12/25\"", "không có tháng 25. Sửa lại tháng."),
        ("date = \"2026-12-31\"", "Sửa thành năm-tháng-ngày, không có dấu ngoặc kép, ví dụ 2026-10-10."),
    ] {
        let said = said_of("", &format!("[[day]]\n{date}\ntitle = \"x\"\n"));
        assert!(said[0].ends_with(remedy), "{said:?}");
    }
}

#[test]
fn a_quoted_value_is_not_quoted_twice() {
    let kind = Kind::Invalid { key: "topic".into(), found: "\"II.7\"".into(), expected: Expected::Topic };
    assert!(said(kind).contains("chủ đề \"II.7\" không hợp lệ"));
}

#[test]
fn a_day_of_every_year_is_said_without_a_year() {
    let many = |yearly| {
        said(Kind::TooManySessions { date: Date::constant(2024, 9, 2), yearly, count: 3, allowed: 2 })
    };
    assert!(
        many(true).ends_with(
            "ngày 2/9 khi rơi vào thứ Hai có 3 buổi phát, trong khi quy chế chỉ cho 2. Bỏ bớt buổi."
        )
    );
    assert!(many(false).contains("thứ Hai 2/9/2024 có 3 buổi"));
}

#[test]
fn lengths_and_days_are_said_as_people_say_them() {
    let kind = Kind::SessionTooLong {
        length: SignedDuration::from_mins(75),
        longest: SignedDuration::from_secs(3600),
    };
    assert!(said(kind).contains("dài 1 giờ 15 phút, trong khi quy chế chỉ cho 1 giờ"));
    let kind = Kind::RepeatNotThatDay {
        session: "sang".into(),
        slot: "bai".into(),
        missing: Weekdays::NONE.with(Weekday::Sunday).with(Weekday::Monday),
    };
    assert!(said(kind).contains("vào thứ Hai, Chủ nhật, vì"));
}

/// What is said of a week with one session, of this slot and of what else its second slot has.
fn said_of_week(days: &str, slot: &str) -> Vec<String> {
    let station = "name = \"x\"\ntime_zone = \"Asia/Ho_Chi_Minh\"\n[[output]]\nid = \"loa-xa\"\n";
    let week = format!(
        "[[programme]]\nid = \"tin\"\ntitle = \"Tin\"\n[[session]]\nid = \"sang\"\ndays = {days}\nfrom = 05:30:00\nto = \
         06:30:00\n[[session.slot]]\nid = \"dau\"\nplay = {{ file = \"a.ogg\" }}\n[[session.slot]]\n{slot}\n"
    );
    let sources = schedule::Sources {
        station: Some(station.to_owned()),
        week: Some(week),
        ..schedule::Sources::default()
    };
    schedule::read(&sources).err().into_iter().flatten().map(|found| problem(&found)).collect()
}

#[test]
fn what_cannot_be_read_is_not_missing_too() {
    for slot in [
        "play = { all = \"tin\" }\nlength = \"3 phut\"",
        "start = \"hard\"\nat = \"06:00\"\nplay = { programme = \"tin\" }",
        "start = \"hrad\"\nat = 06:00:00\nplay = { programme = \"tin\" }",
        "play = { programme = \"bản tin\" }",
    ] {
        let said = said_of_week("[\"T2\"]", slot);
        assert!(said.len() == 1 && said[0].contains("không hợp lệ"), "{slot}: {said:?}");
    }
    let said = said_of_week("[\"T2\"]", "play = { all = \"tin\" }");
    assert!(said.len() == 1 && said[0].contains("phải có giới hạn"), "{said:?}");
}

#[test]
fn a_wrong_day_is_named_and_quoted_once() {
    let play = "play = { programme = \"tin\" }";
    for (days, found) in [
        ("[\"T2\", \"T8\"]", "ngày trong tuần \"T8\" không hợp lệ ở `days`. Sửa"),
        ("[]", "ngày trong tuần [] không hợp lệ"),
        ("\"T8\"", "ngày trong tuần \"T8\" không hợp lệ"),
    ] {
        let said = said_of_week(days, play);
        assert!(said.len() == 1 && said[0].contains(found), "{said:?}");
    }
}

#[test]
fn no_name_is_offered_that_could_be_none() {
    let said = said_of_week("[\"T2\"]", "play = { repeat = \"sang/x\" }");
    assert!(said[0].contains("trong buổi không có mục nào tên \"x\""), "{said:?}");
    let (id, play) = ("id = \"bản tin\"\n", "play = { repeat = \"sang/ban-tin\" }");
    let said = said_of_week("[\"T2\"]", &format!("{id}{play}"));
    assert!(said.len() == 2 && said.iter().all(|said| !said.contains("Có phải")), "{said:?}");
}

#[test]
fn accents_behind_their_letters_make_no_other_length() {
    let slot = "play = { all = \"tin\" }\nlength = \"2 phu\u{301}t\"";
    assert_eq!(said_of_week("[\"T2\"]", slot), [""; 0]);
}

#[test]
fn signs_that_look_like_others_are_named() {
    let station = |more: &str| {
        let head = "name = \"Bản\ttin xã\"\ntime_zone = \"Asia/Ho_Chi_Minh\"\n[[output]]\nid = \"loa-xa\"\n";
        said_of(&format!("{head}{more}"), "")
    };
    assert!(station("")[0].ends_with("Trong đó có ký tự tab (phím Tab). Xóa đi rồi gõ dấu cách."));
    for (more, said) in [
        ("[loudness]\ntarget_lufs = −36", "dấu − (mã U+2212)"),
        ("[loudness]\ntarget_lufs = –36.5", "Gõ lại thành -36.5."),
        ("[rules]\nquiet = \"20:00-05:30\"", "Sửa thành [{ from = 20:00:00, to = 05:30:00 }]."),
        ("device = \"wav:C:\\Users\\a.wav\"", "Viết / thay cho \\, hoặc viết hai lần: \\\\."),
        ("device = \"wav:C:\\am\\a.wav\"", "Viết / thay cho \\"),
    ] {
        let all = station(more);
        assert!(all.iter().any(|one| one.contains(said)), "{more}: {all:?}");
    }
}
