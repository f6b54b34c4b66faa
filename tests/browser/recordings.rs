//! Bản ghi and Duyệt: a piece's way from a phone with a weak connection to the air, and off it again.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use loa::clock::{Clock as _, SystemClock};
use serde_json::Value;

use crate::PASSWORD;
use crate::driver::{Driver, eventually};
use crate::rig::{Browser, Program};

/// A network between browser and program that can be cut.
struct Network {
    address: String,
    cut: Arc<AtomicBool>,
    /// Bytes that went towards the program.
    sent: Arc<AtomicU64>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Network {
    fn to(program: &Program) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let behind = program.address.strip_prefix("http://").unwrap().to_owned();
        let network = Self { address, cut: Arc::default(), sent: Arc::default(), open: Arc::default() };
        let (cut, sent, open) =
            (Arc::clone(&network.cut), Arc::clone(&network.sent), Arc::clone(&network.open));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if cut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(far) = TcpStream::connect(&behind) else { return };
                open.lock().unwrap().extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                let (near_too, far_too, sent) =
                    (near.try_clone().unwrap(), far.try_clone().unwrap(), Arc::clone(&sent));
                std::thread::spawn(move || carry(near, far, &sent));
                std::thread::spawn(move || carry(far_too, near_too, &AtomicU64::new(0)));
            }
        });
        network
    }

    /// Nothing goes through any more; what was under way is lost.
    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _gone = stream.shutdown(Shutdown::Both);
        }
    }

    fn restore(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }
}

/// Carries bytes from one end to the other.
fn carry(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
        count.fetch_add(length as u64, Ordering::SeqCst);
    }
    let _closed = to.shutdown(Shutdown::Both);
}

/// A tone as WAV.
fn wav(path: &Path, pitch: f32, seconds: u32, spec: hound::WavSpec) {
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a tone")]
    for frame in 0..seconds * spec.sample_rate {
        let angle =
            (frame % spec.sample_rate) as f32 / spec.sample_rate as f32 * pitch * std::f32::consts::TAU;
        for _ in 0..spec.channels {
            writer.write_sample((angle.sin() * 9_000.0) as i16).unwrap();
        }
    }
    writer.finalize().unwrap();
}

fn spec(channels: u16, sample_rate: u32) -> hound::WavSpec {
    hound::WavSpec { channels, sample_rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int }
}

/// Five files as they come from people: a name in NFD, one broken, one that is there already, 60 MB, and a phone's.
fn odd_files(folder: &Path) -> [PathBuf; 5] {
    let at = |name: &str| folder.join(name);
    let nfd = at("ba\u{309}n tin tua\u{302}\u{300}n.wav");
    wav(&nfd, 440.0, 3, spec(1, 16_000));
    let broken = at("cụt.wav");
    let bytes = fs::read(&nfd).unwrap();
    fs::File::create(&broken).unwrap().write_all(&bytes[..bytes.len() / 2]).unwrap();
    let known = at("đã có.ogg");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("audio/ban-tin.ogg"), &known).unwrap();
    let large = at("toạ đàm dài.wav");
    wav(&large, 330.0, 313, spec(2, 48_000));
    assert!(large.metadata().unwrap().len() > 60_000_000);
    let phone = at("Ghi âm 20-11 (sửa lần 2).m4a");
    let made = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=300:duration=4",
            "-c:a",
            "aac",
            "-b:a",
            "64k",
        ])
        .arg(&phone)
        .stdin(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    [nfd, broken, known, large, phone]
}

/// People beside the first administrator, each signed in at a browser of their own.
fn person(driver: &Driver, program: &Program, admin: &Browser, name: &str, role: &str) -> Browser {
    admin.press("Người dùng");
    admin.fill("name", name);
    admin.press(role);
    admin.press("Thêm và tạo liên kết");
    admin.find("//*[contains(@class, 'secret')]");
    let link = admin.script("return document.querySelector('.secret').textContent");
    let path = link.as_str().unwrap().strip_prefix(&program.address).unwrap().to_owned();
    let browser = Browser::open(driver, program);
    browser.set_password(&path, None, PASSWORD);
    browser
}

/// The next day with a bulletin, which is tomorrow unless that is a Sunday, and its week.
fn next_bulletin() -> (Date, String) {
    let today = SystemClock::new().now().to_zoned(TimeZone::get("Asia/Ho_Chi_Minh").unwrap()).date();
    let tomorrow = today.tomorrow().unwrap();
    let day = if tomorrow.weekday() == Weekday::Sunday { tomorrow.tomorrow().unwrap() } else { tomorrow };
    let week = day.iso_week_date();
    (day, format!("{:04}-W{:02}", week.year(), week.week()))
}

#[test]
fn a_piece_goes_from_a_weak_connection_to_the_air_and_off_it() {
    let (driver, program) = (Driver::start(), Program::demo());
    let admin = Browser::open(&driver, &program);
    admin.set_password(&program.first_link, Some("hoa"), PASSWORD);
    let minh = person(&driver, &program, &admin, "minh", "Người duyệt");
    drop(person(&driver, &program, &admin, "lan", "Người biên soạn"));

    // Lan is at the other end of a weak connection.
    let network = Network::to(&program);
    let lan = Browser::at(&driver, &network.address);
    lan.sign_in("lan", PASSWORD);
    lan.press("Bản ghi");
    lan.says("còn thiếu");
    // Next week has nothing yet: programme and week are chosen by where one presses.
    lan.script("document.querySelectorAll('.weeks details').forEach((week) => { week.open = true; })");
    lan.look("ban-ghi");
    lan.script(
        "[...document.querySelectorAll('.weeks li')].filter((li) => li.textContent.includes('Cầm tay')).pop()
            .querySelector('a.button').click()",
    );
    lan.find("//select[@name='programme']//option[@value='cam-tay-chi-viec']");
    let chosen = "return ['programme', 'week'].map((name) => document.querySelector(`select[name=${name}]`).value).join()";
    let chosen = lan.script(chosen);
    assert!(chosen.as_str().unwrap().starts_with("cam-tay-chi-viec,20"), "{chosen}");
    lan.says("Tệp ghi âm");
    let folder = tempfile::tempdir().unwrap();
    let files = odd_files(folder.path());
    let names: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
    lan.attach("file", &names.join("\n"));
    network.sent.store(0, Ordering::SeqCst);
    lan.press("Gửi lên");
    // In the middle of the large one.
    eventually(
        || format!("half of it: {} of 60 MB", network.sent.load(Ordering::SeqCst)),
        || (network.sent.load(Ordering::SeqCst) > 25_000_000).then_some(()),
    );
    network.cut();
    lan.says("Mất kết nối. Máy sẽ tự gửi tiếp khi có mạng");
    lan.look("gui-mat-mang");
    network.restore();
    // Cut again, and the page is lost with it: the same file, chosen once more, goes on where it was.
    eventually(
        || format!("more of it: {} of 60 MB", network.sent.load(Ordering::SeqCst)),
        || (network.sent.load(Ordering::SeqCst) > 40_000_000).then_some(()),
    );
    network.cut();
    lan.says("Mất kết nối");
    network.restore();
    lan.go("/ban-ghi/gui");
    lan.says("Chưa gửi xong. Chọn lại đúng tệp này để gửi tiếp phần còn lại");
    // Only what is weekly has a week to choose.
    let week_is_offered_for = |programme: &str| {
        lan.script(&format!(
            "document.querySelector('form.send select[name=programme]').value = '{programme}';
             return getComputedStyle(document.querySelector('label.week')).display !== 'none'"
        ))
    };
    assert_eq!(week_is_offered_for("cam-tay-chi-viec"), true);
    assert_eq!(week_is_offered_for("thong-bao"), false);
    // They are for another programme than was said first.
    lan.script("document.querySelector('form.send select[name=programme]').value = 'ban-tin'");
    lan.attach("file", &names[3..].join("\n"));
    lan.press("Gửi lên");
    for verdict in [
        "đã nhận: Bản nháp “bản tin tuần”",
        "không nhận: Tệp bị cụt",
        "đã có sẵn: Đúng tệp này đã có trên máy",
        "đã nhận: Bản nháp “toạ đàm dài”",
        "đã nhận: Bản nháp “Ghi âm 20-11 (sửa lần 2)”",
    ] {
        lan.says(verdict);
    }
    let sent = network.sent.load(Ordering::SeqCst);
    assert!(sent < 75_000_000, "what had come was not sent again: {sent}");
    lan.look("gui-ket-qua");

    let programme = "const link = [...document.querySelectorAll('.files li')].find((li) => li.textContent.includes('“toạ đàm dài”')).querySelector('a');
        return fetch(link.href).then((page) => page.text()).then((page) =>
            new DOMParser().parseFromString(page, 'text/html').querySelector('select[name=programme] option[selected]').value)";
    assert_eq!(lan.script(programme), "ban-tin", "what the form said last");

    // Words, and off to the approver.
    lan.script("[...document.querySelectorAll('.files li')].find((li) => li.textContent.includes('“bản tin tuần”')).querySelector('a').click()");
    lan.says("Tên");
    lan.fill("title", "Quét mã QR khi mua hàng");
    lan.script("document.querySelector('form.card select[name=programme]').value = 'ban-tin'");
    lan.fill("author", "Nguyễn Thị Lan");
    lan.fill("source", "Tổ công nghệ số cộng đồng");
    lan.fill("script", "Kính chào bà con. Hôm nay chúng ta cùng quét mã QR.");
    lan.press("Lưu thông tin");
    lan.says("Đã lưu thông tin");
    lan.press("Lưu và gửi duyệt");
    lan.says("chờ duyệt");
    lan.look("mot-ban-ghi");
    let page = lan.path();
    lan.go("/duyet");
    lan.says("Không có quyền");

    minh.press("Duyệt");
    minh.says("Quét mã QR khi mua hàng");
    let stays = "const places = () => ['.judge .main', '.judge summary', '.judge a.bad'].map((one) => {
            const place = document.querySelector(one).getBoundingClientRect();
            return `${place.left} ${place.top}`;
        }).join(), before = places(), details = document.querySelector('.judge details');
        details.open = true;
        const after = places();
        details.open = false;
        return before === after";
    assert_eq!(
        minh.script_on_phone(stays),
        Value::Bool(true),
        "the second of two taps hits what the first did"
    );
    minh.script("document.querySelectorAll('.queue details').forEach((part) => { part.open = true; })");
    minh.look("duyet");
    assert!(plays(&minh), "what the loudspeakers will get is heard in the page");
    minh.press("Duyệt cho phát");
    minh.says("Đã duyệt “Quét mã QR khi mua hàng”");
    // Tomorrow's bulletin, as the week shows it.
    let (day, week) = next_bulletin();
    let planned = || {
        minh.go(&format!("/lich-phat?tuan={week}"));
        // Of that day alone: today's session may have had it on the air before it was taken off.
        let shown = format!(
            "return document.querySelector('section[aria-labelledby=\"day-{day}\"]').textContent
                .includes('Quét mã QR khi mua hàng')"
        );
        minh.script(&shown) == Value::Bool(true)
    };
    eventually(|| "the piece in the week's rundowns".to_owned(), || planned().then_some(()));

    // Tomorrow through the engine itself.
    minh.go(&format!("/chay-thu?ngay={day}"));
    minh.press("Chạy thử");
    minh.find("//section[@id='result']//tr[contains(., 'Bản tin xã Diên Khánh')][contains(., 'phát được')]");
    minh.look("chay-thu");

    // And off again, in two presses.
    minh.go(&page);
    minh.press("Thu hồi");
    minh.look("thu-hoi");
    let within_reach = "const within = (button) => button.top >= 0 && button.bottom <= innerHeight && scrollY === 0;
        return [...document.querySelectorAll('button.danger')].map((button) => button.getBoundingClientRect()).every(within)";
    assert_eq!(minh.script_on_phone(within_reach), Value::Bool(true), "in sight before anything is scrolled");
    minh.press("Thông tin sai");
    minh.says("Đã thu hồi. Nếu đang phát thì loa đã ngừng");
    eventually(|| "a week without it".to_owned(), || (!planned()).then_some(()));
    lan.go(&page);
    lan.says("Thông tin sai");
}

#[test]
fn what_is_dropped_on_the_page_is_taken_in_and_what_is_no_file_does_no_harm() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    hoa.go("/ban-ghi/gui");
    hoa.find("//*[contains(@class, 'drop')]");
    let rows = |browser: &Browser| browser.script("return document.querySelectorAll('#files li').length");
    let lit = |browser: &Browser| browser.script("return document.querySelector('.drop').matches('.over')");

    // A text, and an address: nobody is led away, and nothing is sent.
    let nowhere: &[&Path] = &[];
    for (place, text) in
        [(".drop", "Kính chào bà con"), (".drop", "http://127.0.0.1:9/"), ("h1", "http://127.0.0.1:9/")]
    {
        hoa.drop_on(place, nowhere, text, || assert_eq!(lit(&hoa), Value::Bool(false), "{text}"));
        assert_eq!((hoa.path().as_str(), rows(&hoa)), ("/ban-ghi/gui", 0.into()), "{text}");
    }

    // A folder and two files at once: it is told, and they are taken in.
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (inner, one, other, beside) =
        (at("Tháng 11"), at("ghi âm một.wav"), at("ghi âm hai.wav"), at("ghi âm ba.wav"));
    fs::create_dir(&inner).unwrap();
    for (path, pitch) in [(&one, 310.0), (&other, 470.0), (&beside, 530.0), (&inner.join("trong.wav"), 590.0)]
    {
        wav(path, pitch, 3, spec(1, 16_000));
    }
    hoa.drop_on(".drop", &[&inner, &one, &other], "", || {
        assert_eq!(lit(&hoa), Value::Bool(true));
        hoa.look("gui-keo-tha");
    });
    assert_eq!(lit(&hoa), Value::Bool(false));
    hoa.says("không nhận: Không đọc được");
    hoa.says("đã nhận: Bản nháp “ghi âm một”");
    hoa.says("đã nhận: Bản nháp “ghi âm hai”");
    assert_eq!(rows(&hoa), 3);
    // A little beside the place is meant as well.
    hoa.drop_on("h1", &[&beside], "", || {});
    hoa.says("đã nhận: Bản nháp “ghi âm ba”");
    // Taken away between choosing and sending: no connection is to blame.
    let away = at("đã xóa.wav");
    wav(&away, 610.0, 1, spec(1, 16_000));
    hoa.attach("file", away.to_str().unwrap());
    fs::remove_file(&away).unwrap();
    hoa.press("Gửi lên");
    hoa.find("//ul[@id='files']/li[contains(., 'đã xóa.wav')][contains(., 'không nhận: Không đọc được')]");
    hoa.look("gui-tha-xong");
    assert_eq!(hoa.path(), "/ban-ghi/gui");
    // At a desk the week that is chosen is read whole.
    let week_is_read = || {
        let width =
            hoa.script("return document.querySelector('select[name=week]').getBoundingClientRect().width");
        assert!(width.as_f64().unwrap() > 200.0, "{width} pixels on {}", hoa.path());
    };
    week_is_read();
    hoa.go("/ban-ghi");
    for title in ["ghi âm một", "ghi âm hai", "ghi âm ba"] {
        hoa.says(title);
    }
    hoa.press("ghi âm một");
    hoa.says("Văn bản bài");
    week_is_read();
}

#[test]
fn who_sends_many_files_from_a_phone_sees_the_first_of_them_and_a_line_for_all() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    hoa.script_on_phone("return 0");
    hoa.go("/ban-ghi/gui");
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..3_u8)
        .map(|number| {
            let path = folder.path().join(format!("bài {number}.wav"));
            wav(&path, 310.0 + 40.0 * f32::from(number), 2, spec(1, 16_000));
            path.to_str().unwrap().to_owned()
        })
        .collect();
    let broken = folder.path().join("cụt.wav");
    fs::File::create(&broken).unwrap();
    // Where the page stands is what counts: it is pushed down so far that what comes below is out of sight.
    hoa.script("document.querySelector('.lead').style.height = '150vh'");
    hoa.attach("file", &format!("{}\n{}", paths.join("\n"), broken.display()));
    let sum = hoa.script(
        "document.querySelector('form[data-upload]').requestSubmit();
         return document.getElementById('sum').textContent",
    );
    assert_eq!(sum, "Còn 4 tệp");
    let in_sight = hoa.script(
        "const box = document.querySelector('#files li').getBoundingClientRect();
         return box.top >= 0 && box.bottom <= innerHeight",
    );
    assert_eq!(in_sight, Value::Bool(true));
    hoa.find("//p[@id='sum'][@aria-live='polite'][.='3 đã nhận, 1 không nhận']");
    // What comes later counts on.
    hoa.attach("file", &paths[0]);
    hoa.press("Gửi lên");
    hoa.find("//p[@id='sum'][.='3 đã nhận, 1 đã có sẵn, 1 không nhận']");
    hoa.look("gui-nhieu-tep");
}

#[test]
fn what_came_of_a_press_has_the_focus_and_of_two_players_one_sounds() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    let focus = |what: &str| hoa.find(&format!("//*[{what}]"));
    let is_in_focus = |css: &str| {
        let script = format!("return document.activeElement.matches('{css}')");
        eventually(
            || {
                format!(
                    "{css} has the focus, and not {}",
                    hoa.script("return document.activeElement.outerHTML")
                )
            },
            || hoa.script(&script).as_bool().filter(|is| *is),
        );
    };
    hoa.go("/dang-nhap");
    is_in_focus("[name=name]");
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    // A field that has to be mended.
    hoa.go("/lich-phat/ngay/--12-25");
    focus("@name='title'");
    hoa.script("document.querySelector('form.card').noValidate = true");
    hoa.press("Xem trước thay đổi");
    hoa.says("Hãy ghi vì sao");
    is_in_focus("[name=title][aria-invalid]");
    // What was done.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bài.wav");
    wav(&path, 310.0, 2, spec(1, 16_000));
    hoa.go("/ban-ghi/gui");
    hoa.attach("file", path.to_str().unwrap());
    hoa.press("Gửi lên");
    hoa.press("Điền thông tin và gửi duyệt");
    hoa.press("Lưu thông tin");
    is_in_focus("p.note.good");
    let paused = hoa.script(
        "const [first, second] = document.querySelectorAll('audio'), paused = [];
         for (const audio of [first, second]) audio.pause = () => paused.push(audio === first ? 1 : 2);
         second.dispatchEvent(new Event('play'));
         return paused",
    );
    assert_eq!(paused, serde_json::json!([1]));
}

#[test]
fn what_the_station_cannot_examine_now_is_kept_and_holds_up_no_other() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    hoa.go("/ban-ghi/gui");
    // No name is free for the first.
    for number in 1..=999 {
        let name = if number == 1 { "tin.wav".to_owned() } else { format!("tin-{number}.wav") };
        fs::File::create(program.audio().join(name)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("tin.wav"), folder.path().join("nhạc.wav"));
    wav(&one, 310.0, 3, spec(1, 16_000));
    wav(&other, 470.0, 3, spec(1, 16_000));
    hoa.attach("file", &format!("{}\n{}", one.display(), other.display()));
    hoa.press("Gửi lên");
    hoa.find("//ul[@id='files']/li[contains(., 'tin.wav')][contains(., 'sẽ tự thử lại')][not(.//button)][not(.//*[contains(@class, 'verdict')])]");
    hoa.says("đã nhận: Bản nháp “nhạc”");
    hoa.look("gui-hoan-lai");
    hoa.go("/ban-ghi/gui");
    hoa.find("//li[contains(., 'tin.wav')][contains(., 'sẽ tự thử lại')]");
    hoa.look("gui-hoan-lai-sau");
}

/// Whether the first player of the page plays.
fn plays(browser: &Browser) -> bool {
    let heard = browser.later(
        "const done = arguments[arguments.length - 1], audio = document.querySelector('audio');
         audio.muted = true;
         audio.ontimeupdate = () => { if (audio.currentTime > 0) done(audio.duration); };
         audio.onerror = () => done(null);
         audio.play().catch(() => done(null));",
    );
    heard.as_f64().is_some_and(|seconds| seconds > 1.0)
}

#[test]
fn what_is_withdrawn_while_it_sounds_stops_within_a_second() {
    let (driver, program) = (Driver::start(), Program::demo());
    let admin = Browser::open(&driver, &program);
    admin.set_password(&program.first_link, Some("hoa"), PASSWORD);
    let minh = person(&driver, &program, &admin, "minh", "Người duyệt");
    let on_air = |browser: &Browser| {
        let asked = "const done = arguments[arguments.length - 1];
            fetch('/api/v1/status').then((answer) => answer.json()).then(done)";
        browser.later(asked)["outputs"][0]["on_air"].clone()
    };
    eventually(
        || "something on the air".to_owned(),
        || Some(on_air(&minh)).filter(|air| air["segment"].is_string()),
    );
    minh.go("/");
    minh.look("hom-nay-duyet");
    minh.press("Thu hồi");
    let path = minh.path();
    let id =
        path.strip_prefix("/ban-ghi/").and_then(|rest| rest.strip_suffix("/thu-hoi")).unwrap().to_owned();
    let back = minh.script("return document.querySelector('main form [name=ve]').value");
    assert_eq!(back.as_str(), Some("/"), "the browser says where the link was pressed");
    // Timed in the page, from the press to the engine's own word.
    let silent_after = minh.later(
        "const done = arguments[arguments.length - 1], form = document.querySelector('main form'), began = performance.now();
         const look = () => fetch('/api/v1/status').then((answer) => answer.json()).then((status) => {
           const air = status.outputs[0].on_air;
           if (air && air.segment === '__ID__') setTimeout(look, 20); else done(performance.now() - began);
         });
         fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form, form.querySelector('button'))), redirect: 'manual' }).then(look);"
            .replace("__ID__", &id)
            .as_str(),
    );
    let milliseconds = silent_after.as_f64().unwrap();
    assert!(milliseconds < 1_000.0, "{milliseconds} ms");
    assert_ne!(on_air(&minh)["segment"], id.as_str());
}

#[test]
fn a_name_without_a_space_is_no_wider_than_a_phone() {
    let (driver, program) = (Driver::start(), Program::demo());
    let hoa = Browser::open(&driver, &program);
    hoa.set_password(&program.first_link, Some("hoa"), PASSWORD);
    let name = "Thong_bao_tiem_phong_dai_cho_meo_dot_2_nam_2026_ban_cuoi_cung_da_sua_theo_y_kien_lanh_dao";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("{name}.wav"));
    wav(&file, 440.0, 3, spec(1, 16_000));
    let run = |arguments: &[&str]| program.run(arguments);
    run(&["segment", "add", "--programme", "thong-bao", &file.to_string_lossy()]);
    run(&["segment", "approve", "--by", "demo", &format!("{name}.wav")]);
    for (page, picture) in
        [("/", "ten-dai-hom-nay"), ("/lich-phat", "ten-dai-lich"), ("/ban-ghi", "ten-dai-ban-ghi")]
    {
        eventually(
            || format!("the name on {page}:\n{}", hoa.text()),
            || {
                hoa.go(page);
                let open = "const named = [...document.querySelectorAll('details')].find((of) => of.textContent.includes('Thong_bao'));
                    if (named) named.open = true";
                hoa.script(open);
                hoa.text().contains(name).then_some(())
            },
        );
        hoa.look(picture);
    }
    hoa.press(name);
    hoa.find("//h1[contains(., 'Thong_bao')]");
    hoa.look("ten-dai-mot-ban-ghi");
}
