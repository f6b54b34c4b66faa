//! What is said of every change that a form can ask for and cannot have.

use jiff::civil::{date, time as clock};

use super::*;
use crate::schedule::edit::{EditError, apply};
use crate::schedule::{DayPlan, Replacement, Sources, Start, Validity, read};

const STATION: &str = r#"name = "Đài"
time_zone = "Asia/Ho_Chi_Minh"
[rules]
quiet = [{ from = 20:00:00, to = 05:30:00 }]
longest_session = "60 min"
sessions_per_day = 2
weekdays = ["T2-T7"]
[[output]]
id = "loa-xa"
"#;
const WEEK: &str = r#"[[programme]]
id = "tin"
title = "Tin"
[[pool]]
id = "nhac"
title = "Nhạc"
[[session]]
id = "sang"
title = "Buổi phát thanh sáng"
days = ["T2-T7"]
from = 05:30:00
to = 06:30:00
[[session.slot]]
id = "nhac-hieu"
title = "Nhạc hiệu"
start = "hard"
play = { file = "a.ogg" }
[[session.slot]]
id = "ban-tin"
title = "Bản tin xã"
play = { programme = "tin" }
[[session.slot]]
id = "loi-chao"
title = "Lời chào"
start = "hard"
at = 06:29:00
play = { file = "b.ogg" }
[[session]]
id = "chieu"
title = "Buổi phát thanh chiều"
days = ["T2-T6"]
from = 17:00:00
to = 17:30:00
[[session.slot]]
id = "nghe-lai"
title = "Nghe lại bản tin"
play = { repeat = "sang/ban-tin" }
"#;
const DAYS: &str = r#"[[day]]
date = 2027-02-08
title = "Hội làng"
drop = ["chieu"]
[[day.session]]
id = "chuc"
title = "Chúc mừng"
from = 17:00:00
to = 17:10:00
slot = [{ id = "loi", title = "Lời chúc", play = { programme = "tin" } }]
[[day.replace]]
slot = "sang/loi-chao"
play = { file = "c.ogg" }
"#;

fn sources() -> Sources {
    Sources { station: Some(STATION.into()), week: Some(WEEK.into()), days: Some(DAYS.into()) }
}

/// What is said of a change that cannot be: of the form itself, and of something else.
fn said(edit: impl FnOnce(&Schedule) -> Edit) -> Vec<(bool, String)> {
    let old = read(&sources()).unwrap();
    let edit = edit(&old);
    let Err(EditError::Refused(problems)) = apply(&sources(), &old, &edit, jiff::Timestamp::MIN) else {
        panic!("{edit:?} can be")
    };
    let form = Form { old: &old, edit: &edit };
    let said: Vec<_> =
        problems.iter().map(|found| (form.is_own(found), problem_of_a_form(found, &form))).collect();
    for (_, sentence) in &said {
        let mut words = sentence.split(|letter: char| !letter.is_alphanumeric() && letter != '-');
        let is_of_files = words.any(|word| ["sang", "chieu", "ban-tin", "hard", "play"].contains(&word));
        assert!(!is_of_files && !sentence.contains(['`', '"']), "{sentence}");
        assert!(sentence.starts_with(|first: char| first.is_uppercase() || first == '“'), "{sentence}");
    }
    said
}

#[track_caller]
fn says(edit: impl FnOnce(&Schedule) -> Edit, expected: &[(bool, &str)]) {
    let said = said(edit);
    let said: Vec<_> = said.iter().map(|(own, sentence)| (*own, sentence.as_str())).collect();
    assert_eq!(said, expected);
}

fn session(id: &str, change: impl FnOnce(&mut Session)) -> impl FnOnce(&Schedule) -> Edit {
    move |old| {
        let mut to = old.sessions.iter().find(|session| session.id.as_str() == id).unwrap().clone();
        change(&mut to);
        Edit::Session { id: id.into(), to }
    }
}

fn slot(of: &str, id: &str, change: impl FnOnce(&mut Slot)) -> impl FnOnce(&Schedule) -> Edit {
    move |old| {
        let session = old.sessions.iter().find(|session| session.id.as_str() == of).unwrap();
        let mut to = session.slots.iter().find(|slot| slot.id.as_str() == id).unwrap().clone();
        change(&mut to);
        Edit::Slot { session: of.into(), id: id.into(), to }
    }
}

fn day(change: impl FnOnce(&mut DayPlan)) -> impl FnOnce(&Schedule) -> Edit {
    move |old| {
        let mut plan = old.day_plans[0].clone();
        change(&mut plan);
        Edit::Day(plan)
    }
}

fn replace(slot: &str, play: Play) -> Replacement {
    Replacement { session: "sang".into(), slot: slot.into(), title: None, play, length: None }
}

/// How a slot is changed, and what is said of it.
type Case = (fn(&mut Slot), &'static str);

#[test]
fn a_slots_form_is_told_in_its_own_words() {
    let of = |change: fn(&mut Slot)| slot("sang", "ban-tin", change);
    let cases: [Case; 9] = [
        (
            |slot| slot.start = Start::Fill,
            "Chỉ nhạc luân phiên mới lấp được khoảng trống. Chọn nhạc luân phiên, hoặc đổi cách bắt đầu.",
        ),
        (
            |slot| slot.play = Play::All("tin".into()),
            "Mục phát mọi bản ghi của một chuyên mục phải có giới hạn. Điền thời lượng dự kiến.",
        ),
        (
            |slot| slot.start = Start::Hard(clock(7, 0, 0, 0)),
            "Giờ 07:00 nằm ngoài buổi phát. Sửa thành giờ từ 05:30 đến trước 06:30.",
        ),
        (
            |slot| slot.start = Start::Hard(clock(5, 30, 0, 0)),
            "Giờ 05:30 không muộn hơn giờ 05:30 của một mục đứng trước. Xếp các mục đúng giờ theo thứ tự tăng dần.",
        ),
        (
            |slot| slot.days = Weekdays::NONE.with(Weekday::Sunday),
            "Mục này không bao giờ được phát, vì buổi phát chỉ có vào thứ Hai, thứ Ba, thứ Tư, thứ Năm, thứ Sáu, thứ Bảy. Chọn ngày trong những ngày đó.",
        ),
        (
            |slot| slot.play = Play::Programme("nhac".into()),
            "Chuyên mục đã chọn không còn trong lịch. Mở lại trang và chọn cái khác.",
        ),
        (
            |slot| slot.play = Play::Pool("x".into()),
            "Nhạc luân phiên đã chọn không còn trong lịch. Mở lại trang và chọn cái khác.",
        ),
        (
            |slot| slot.title = "Tin\tx".into(),
            "Ô “Tên” có ký tự lạ, chẳng hạn dấu Tab. Gõ lại thành một dòng chữ bình thường.",
        ),
        (
            |slot| slot.valid = Validity { from: Some(date(2027, 3, 2)), until: Some(date(2027, 3, 1)) },
            "Ngày cuối 1/3/2027 đứng trước ngày đầu 2/3/2027. Sửa để ngày cuối không sớm hơn ngày đầu.",
        ),
    ];
    for (change, sentence) in cases {
        let said = said(of(change));
        assert_eq!(said[0], (true, sentence.to_owned()), "{said:?}");
    }
    let again = |of: &'static str| {
        move |slot: &mut Slot| slot.play = Play::Repeat { session: "chieu".into(), slot: of.into() }
    };
    says(
        slot("sang", "loi-chao", again("nghe-lai")),
        &[
            (
                true,
                "Không phát lại được mục “Nghe lại bản tin” của “Buổi phát thanh chiều”, vì mục ấy không phát trước mục này. Chọn một mục sớm hơn trong ngày.",
            ),
            (
                true,
                "Không phát lại được mục “Nghe lại bản tin” của “Buổi phát thanh chiều” vào thứ Bảy, vì ngày đó không có mục ấy. Bỏ chọn những ngày đó.",
            ),
        ],
    );
    says(
        slot("sang", "loi-chao", again("x")),
        &[(true, "Mục trong buổi đã chọn không còn trong lịch. Mở lại trang và chọn cái khác.")],
    );
}

#[test]
fn a_sessions_form_names_what_else_its_change_would_break() {
    says(
        session("sang", |to| (to.from, to.to) = (clock(16, 30, 0, 0), clock(17, 15, 0, 0))),
        &[
            (
                false,
                "Mục “Lời chào” của “Buổi phát thanh sáng”: giờ 06:29 nằm ngoài buổi phát. Sửa thành giờ từ 16:30 đến trước 17:15.",
            ),
            // The files have it at the session that comes later in them.
            (
                true,
                "Buổi này trùng giờ với “Buổi phát thanh chiều” (T2–T6, 17:00 – 17:30), chẳng hạn thứ Hai. Sửa giờ hoặc ngày của một trong hai buổi.",
            ),
            (
                true,
                "Buổi này trùng giờ với “Chúc mừng” (thứ Hai 08/02/2027, 17:00 – 17:10), chẳng hạn thứ Hai 8/2/2027. Sửa giờ hoặc ngày của một trong hai buổi.",
            ),
        ],
    );
    says(
        session("chieu", |to| (to.from, to.to) = (clock(6, 0, 0, 0), clock(6, 50, 0, 0))),
        &[(
            true,
            "Buổi này trùng giờ với “Buổi phát thanh sáng” (T2–T7, 05:30 – 06:30), chẳng hạn thứ Hai. Sửa giờ hoặc ngày của một trong hai buổi.",
        )],
    );
    says(
        session("chieu", |to| to.days = [Weekday::Tuesday, Weekday::Sunday].into_iter().collect()),
        &[
            (
                true,
                "Quy chế không cho phát vào Chủ nhật. Chỉ chọn trong thứ Hai, thứ Ba, thứ Tư, thứ Năm, thứ Sáu, thứ Bảy.",
            ),
            (
                false,
                "Mục “Nghe lại bản tin” của “Buổi phát thanh chiều”: không phát lại được mục “Bản tin xã” của “Buổi phát thanh sáng” vào Chủ nhật, vì ngày đó không có mục ấy. Bỏ chọn những ngày đó.",
            ),
            (
                false,
                "Ngày đặc biệt “Hội làng” (thứ Hai 08/02/2027): ngày 8/2/2027 không có “Buổi phát thanh chiều”. Bỏ thay đổi này khỏi ngày đặc biệt.",
            ),
        ],
    );
    says(
        session("chieu", |to| to.to = clock(20, 30, 0, 0)),
        &[
            (true, "Buổi phát dài 3 giờ 30 phút, trong khi quy chế chỉ cho 1 giờ. Rút ngắn buổi phát."),
            (true, "Buổi phát lấn vào giờ yên lặng từ 20:00 đến 05:30. Sửa giờ của buổi phát."),
        ],
    );
    says(
        session("chieu", |to| to.to = to.from),
        &[(true, "Giờ kết thúc trùng giờ bắt đầu. Sửa để hai giờ khác nhau.")],
    );
    let third = |old: &Schedule| {
        let (from, slot) = (clock(11, 0, 0, 0), &old.sessions[1].slots[0]);
        let play = Play::All("tin".into());
        let session = Session {
            id: "trua".into(),
            from,
            to: clock(11, 9, 0, 0),
            slots: vec![Slot { start: Start::Hard(from), play, ..slot.clone() }],
            days: Weekdays::NONE.with(Weekday::Tuesday),
            ..old.sessions[1].clone()
        };
        Edit::AddSession { day: None, session }
    };
    says(
        third,
        &[
            (true, "Thứ Ba có 3 buổi phát, trong khi quy chế chỉ cho 2. Bỏ bớt buổi."),
            (true, "Mục phát mọi bản ghi của một chuyên mục phải có giới hạn. Điền thời lượng dự kiến."),
        ],
    );
}

#[test]
fn a_special_days_form_is_told_in_its_own_words() {
    says(
        day(|plan| {
            plan.drop.insert("sang".into());
            plan.replace.push(replace("ban-tin", Play::All("tin".into())));
        }),
        &[
            (
                true,
                "“Buổi phát thanh sáng” được bỏ trong ngày này, nên không đổi được mục nào của buổi đó. Bỏ thay đổi này, hoặc để buổi đó được phát.",
            ),
            (true, "Mục phát mọi bản ghi của một chuyên mục phải có giới hạn. Điền thời lượng dự kiến."),
            (
                true,
                "“Buổi phát thanh sáng” được bỏ trong ngày này, nên không đổi được mục nào của buổi đó. Bỏ thay đổi này, hoặc để buổi đó được phát.",
            ),
        ],
    );
    says(
        day(|plan| plan.drop.clear()),
        &[
            (
                false,
                "“Chúc mừng”: buổi này trùng giờ với “Buổi phát thanh chiều” (T2–T6, 17:00 – 17:30), chẳng hạn thứ Hai 8/2/2027. Sửa giờ hoặc ngày của một trong hai buổi.",
            ),
            (false, "Thứ Hai 8/2/2027 có 3 buổi phát, trong khi quy chế chỉ cho 2. Bỏ bớt buổi."),
        ],
    );
    let new = |old: &Schedule| {
        let (plan, from) = (&old.day_plans[0], clock(6, 0, 0, 0));
        let slot = Slot { start: Start::Hard(from), ..plan.sessions[0].slots[0].clone() };
        let own = Session { id: "moi".into(), from, to: clock(6, 5, 0, 0), ..plan.sessions[0].clone() };
        let sessions = vec![Session { slots: vec![slot], ..own }];
        let date = PlanDate::Once(date(2027, 2, 9));
        Edit::Day(DayPlan { date, drop: [].into(), replace: Vec::new(), sessions, ..plan.clone() })
    };
    says(
        new,
        &[
            (
                true,
                "Buổi này trùng giờ với “Buổi phát thanh sáng” (T2–T7, 05:30 – 06:30), chẳng hạn thứ Ba 9/2/2027. Sửa giờ hoặc ngày của một trong hai buổi.",
            ),
            (true, "Thứ Ba 9/2/2027 có 3 buổi phát, trong khi quy chế chỉ cho 2. Bỏ bớt buổi."),
        ],
    );
}

#[test]
fn what_holds_on_to_something_is_named_when_it_is_to_go() {
    says(
        |_| Edit::RemoveSession("sang".into()),
        &[
            (
                false,
                "Mục “Nghe lại bản tin” của “Buổi phát thanh chiều” đang phát lại mục “Bản tin xã” của buổi này. Trước hết hãy cho mục ấy phát nội dung khác, hoặc bỏ mục ấy.",
            ),
            (
                false,
                "Ngày đặc biệt “Hội làng” (thứ Hai 08/02/2027) đang thay nội dung mục “Lời chào” của buổi này. Trước hết hãy bỏ dấu chọn chỗ thay ấy ở ngày đặc biệt này.",
            ),
        ],
    );
    let remove = |of: &'static str, id: &'static str| {
        move |_: &Schedule| Edit::RemoveSlot { session: of.into(), id: id.into() }
    };
    says(
        remove("sang", "ban-tin"),
        &[(
            false,
            "Mục “Nghe lại bản tin” của “Buổi phát thanh chiều” đang phát lại mục này. Trước hết hãy cho mục ấy phát nội dung khác, hoặc bỏ mục ấy.",
        )],
    );
    says(
        remove("sang", "loi-chao"),
        &[(
            false,
            "Ngày đặc biệt “Hội làng” (thứ Hai 08/02/2027) đang thay nội dung mục này. Trước hết hãy bỏ dấu chọn chỗ thay ấy ở ngày đặc biệt này.",
        )],
    );
    says(
        |_| Edit::RemoveSession("chieu".into()),
        &[(
            false,
            "Ngày đặc biệt “Hội làng” (thứ Hai 08/02/2027) đang chọn không phát buổi này. Trước hết hãy bỏ dấu chọn buổi này ở ngày đặc biệt ấy.",
        )],
    );
    says(
        remove("chieu", "nghe-lai"),
        &[(false, "Buổi phát phải có ít nhất một mục. Muốn không phát gì, hãy bỏ cả buổi.")],
    );
}
