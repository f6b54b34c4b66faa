use std::io::Write as _;
use std::os::unix::fs::symlink;

use super::super::plan::tests::{NOW, station_with};
use super::*;
use crate::asrun::Note;
use crate::clock::{Clock, ManualClock};
use crate::store::{Act, Step};

#[test]
fn a_backup_names_what_it_lacks_and_what_may_not_air_need_not_be_in_it() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let now = NOW.parse().unwrap();
    let files = ["thoi-tiet.ogg", "ban-tin.ogg", "thong-bao-1.ogg"];
    let (station, _) = station_with(&files.map(|file| (file, "")), folder.path(), now);
    let store = Store::open(&station.data()).unwrap();
    let gone = store.catalog().unwrap().by_file(files[0]).unwrap().clone();
    fs::remove_file(station.audio().join(files[0])).unwrap();
    let round = |name: &str| {
        let (kept, new) = (other.path().join(name), other.path().join(format!("{name}-restored")));
        (backup(&station, &kept).unwrap(), restore(&kept, &new, Whose::Own).unwrap())
    };
    assert_eq!(round("approved"), (Exit::Problems, Exit::Failed));
    let catalog = store.catalog().unwrap();
    let said = lost(&station.audio(), &catalog, &[State::Approved]);
    assert!(said.len() == 1 && said[0].contains("Không có tệp `thoi-tiet.ogg`"), "{said:?}");

    let clock = ManualClock::new(now);
    store.step_segment(&gone.id, Step::Withdraw { reason: "cũ".to_owned() }, "minh", clock.now()).unwrap();
    assert_eq!(round("withdrawn"), (Exit::Fine, Exit::Fine));
}

#[test]
fn a_copy_of_the_night_takes_the_place_of_a_damaged_database() {
    let folder = tempfile::tempdir().unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    let (station, _) = station_with(&[("ban-tin.ogg", "")], folder.path(), now);
    let copy = station.data().join("backup/2026-11-23.sqlite");
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    let store = Store::open(&station.data()).unwrap();
    let act = Act {
        at: now,
        by: "lan".to_owned(),
        what: "interrupt.emergency".to_owned(),
        subject: "first tin".to_owned(),
        title: None,
        origin: "x".to_owned(),
    };
    store.act_of_order(act, Some("{}")).unwrap();
    store.backup(&copy).unwrap();
    store.note(now, Note::Stopped).unwrap();
    drop(store);
    File::create(station.data().join(DATABASE)).unwrap().write_all(&[7; 8_192]).unwrap();
    let wal = station.data().join("loa.db-wal");
    if wal.exists() {
        fs::remove_file(wal).unwrap();
    }
    let damaged = Store::open(&station.data()).unwrap_err().to_string();
    assert!(damaged.contains("loa restore COPY"), "{damaged}");

    let running = station.lock().unwrap();
    assert!(restore(&copy, station.root(), Whose::Own).is_err(), "while it runs");
    drop(running);
    assert_eq!(restore(&copy, station.root(), Whose::Own).unwrap(), Exit::Fine);
    let store = Store::open(&station.data()).unwrap();
    assert_eq!(store.catalog().unwrap().iter().count(), 1);
    assert_eq!(store.standing_orders(now).unwrap(), [], "it may have been called off since");
    assert!(!store.verify().unwrap().is_sound(), "what was lost stays known");
    drop(store);

    // Another log ran in its place before anybody came.
    let elsewhere = tempfile::tempdir().unwrap();
    drop(Store::open(elsewhere.path()).unwrap());
    fs::copy(elsewhere.path().join(DATABASE), station.data().join(DATABASE)).unwrap();
    let other = Store::open(&station.data()).unwrap();
    (0..3).for_each(|_| other.note(now, Note::Stopped).unwrap());
    drop(other);
    assert_eq!(restore(&copy, station.root(), Whose::Own).unwrap(), Exit::Fine);
    assert_eq!(Store::open(&station.data()).unwrap().catalog().unwrap().iter().count(), 1);
    let kept = |name: &str| station.data().join(name).exists();
    assert!(kept("loa.db.before-restore") && kept("loa.db.before-restore-2"), "each as it was");
}

#[test]
fn what_is_no_backup_is_told_from_one_that_is_damaged() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (station, _) = station_with(&[("ban-tin.ogg", "")], folder.path(), NOW.parse().unwrap());
    let new = other.path().join("new");
    let write = |name: &str, bytes: &[u8]| {
        let path = other.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(&path).unwrap().write_all(bytes).unwrap();
        path
    };
    let half = other.path().join("half");
    backup(&station, &half).unwrap();
    let mut damaged = fs::read(half.join("data").join(DATABASE)).unwrap();
    damaged[8_000..].fill(7);
    write("half/data/loa.db", &damaged);
    let sound = write("sounds/a.m4a", b"\0\0\0\x20ftypM4A ");
    for (from, to, said) in [
        (Path::new("/no/such"), new.as_path(), "Không có `/no/such`"),
        (sound.as_path(), station.root(), "không phải bản sao lưu của loa"),
        (sound.parent().unwrap(), new.as_path(), "không phải bản sao lưu của loa"),
        (&write("2026-11-23.sqlite", &damaged), station.root(), "Hãy chọn một bản sao lưu khác"),
        (&half, new.as_path(), "Hãy chọn một bản sao lưu khác"),
    ] {
        let refused = restore(from, to, Whose::Own).unwrap_err().to_string();
        assert!(refused.contains(said), "{}: {refused}", from.display());
        assert_eq!(new.exists(), from == half, "{}", from.display());
    }
    assert!(!other.path().join("sounds/data").exists(), "nothing is made in what is no backup");
    assert!(!station.data().join("loa.db.before-restore").exists(), "nothing was touched");
    assert_eq!(Store::open(&station.data()).unwrap().catalog().unwrap().iter().count(), 1);
}

#[test]
fn a_copy_of_another_stations_database_is_put_in_place_only_where_that_is_said() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let now: Timestamp = NOW.parse().unwrap();
    let [theirs, ours] = folders.each_ref().map(|folder| {
        let (station, _) = station_with(&[("ban-tin.ogg", "")], folder.path(), now);
        station
    });
    let rename = |station: &Station, name: &str| {
        let file = station.schedule().join("station.toml");
        let text = fs::read_to_string(&file).unwrap();
        let text = text.replace(&name_in(&text).unwrap(), name);
        File::create(&file).unwrap().write_all(text.as_bytes()).unwrap();
    };
    rename(&theirs, "Đài xã bên");
    let copy_of = |station: &Station, by: i64| {
        let store = Store::open(&station.data()).unwrap();
        store.note(now + jiff::SignedDuration::from_secs(by), Note::Stopped).unwrap();
        store.keep_found(&texts(&station.schedule()).unwrap(), now).unwrap();
        let copy = station.data().join(format!("copy-{by}.sqlite"));
        store.backup(&copy).unwrap();
        copy
    };
    let (foreign, own) = (copy_of(&theirs, 1), copy_of(&ours, 2));
    let before = fs::read(ours.data().join(DATABASE)).unwrap();
    assert_eq!(restore(&foreign, ours.root(), Whose::Own).unwrap(), Exit::Failed);
    assert_eq!(fs::read(ours.data().join(DATABASE)).unwrap(), before, "nothing was touched");
    let (said, here) = of_another(&foreign, &ours).unwrap();
    let message = console::of_another_station(&said, &here, "/var/lib/loa");
    assert!(message.contains("“Đài xã bên”") && message.contains(&format!("“{here}”")), "{message}");

    rename(&ours, "Đài xã đã đổi tên");
    assert_eq!(restore(&own, ours.root(), Whose::Own).unwrap(), Exit::Fine, "its log began alike");
    assert_eq!(restore(&foreign, ours.root(), Whose::Anybodys).unwrap(), Exit::Fine);
}

#[test]
fn what_broke_off_is_begun_anew_and_what_is_somebody_elses_is_left_alone() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (station, _) = station_with(&[("thoi-tiet.ogg", "")], folder.path(), NOW.parse().unwrap());
    let (kept, new) = (other.path().join("loa-2026.11"), other.path().join("new"));
    for theirs in ["loa-2026.part", "loa-2026.11.part"] {
        fs::create_dir(other.path().join(theirs)).unwrap();
        File::create(other.path().join(theirs).join("letter.odt")).unwrap();
    }
    backup(&station, &kept).unwrap_err();
    let inside = backup(&station, &station.data().join("usb")).unwrap_err().to_string();
    assert!(inside.contains("nằm ngay trong thư mục của đài"), "{inside}");
    backup(&station, &other.path().join("not-mounted/usb")).unwrap_err();
    fs::rename(other.path().join("loa-2026.11.part"), other.path().join("letters")).unwrap();

    let leave_half = |folder: &Path| {
        begin(folder).unwrap();
        fs::create_dir(folder.join("schedule")).unwrap();
        File::create(folder.join("schedule/station.toml")).unwrap();
    };
    let half = other.path().join("loa-2026.11.part");
    leave_half(&half);
    let another = begin(&half).unwrap();
    let refused = backup(&station, &kept).unwrap_err().to_string();
    assert!(refused.contains("Một lệnh khác đang ghi"), "{refused}");
    drop(another);
    assert_eq!(backup(&station, &kept).unwrap(), Exit::Fine);
    leave_half(&new);
    assert!(matches!(Station::open(&new), Err(StationError::Unfinished(_))));
    assert_eq!(restore(&kept, &new, Whose::Own).unwrap(), Exit::Fine);
    Station::open(&new).unwrap();
    restore(&kept, &new, Whose::Own).unwrap_err();

    let left = ["letters", "loa-2026.11", "loa-2026.part", "new"].map(|name| other.path().join(name));
    let mut found: Vec<_> = fs::read_dir(&other).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert_eq!(found, left);
    assert!(left[0].join("letter.odt").exists() && left[2].join("letter.odt").exists());
}

/// A station with a recording, and a folder beside it.
fn bench() -> (tempfile::TempDir, tempfile::TempDir, Station) {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (station, _) = station_with(&[("ban-tin.ogg", "")], folder.path(), NOW.parse().unwrap());
    (folder, other, station)
}

#[test]
fn what_is_linked_to_is_in_the_backup_and_in_the_station_made_of_it() {
    let (_folder, other, station) = bench();
    for file in [station.schedule().join("week.toml"), station.audio().join("ban-tin.ogg")] {
        let elsewhere = other.path().join(file.file_name().unwrap());
        fs::rename(&file, &elsewhere).unwrap();
        symlink(elsewhere, &file).unwrap();
    }
    let (kept, new) = (other.path().join("kept"), other.path().join("new"));
    assert_eq!(backup(&station, &kept).unwrap(), Exit::Fine);
    assert_eq!(restore(&kept, &new, Whose::Own).unwrap(), Exit::Fine);
    for file in ["schedule/week.toml", "audio/ban-tin.ogg"] {
        for copy in [&kept, &new] {
            assert!(fs::symlink_metadata(copy.join(file)).unwrap().is_file(), "{}", copy.display());
            assert_eq!(fs::read(copy.join(file)).unwrap(), fs::read(station.root().join(file)).unwrap());
        }
    }
}

#[test]
fn a_schedule_that_is_broken_or_lacks_a_file_is_told_by_the_backup_and_by_what_is_made_of_it() {
    let (_folder, other, station) = bench();
    let week = station.schedule().join("week.toml");
    let whole = fs::read(&week).unwrap();
    let mut nth = 0;
    let mut round = || {
        nth += 1;
        let (kept, new) = (other.path().join(format!("kept-{nth}")), other.path().join(format!("new-{nth}")));
        (backup(&station, &kept).unwrap(), restore(&kept, &new, Whose::Own).unwrap())
    };
    assert_eq!(round(), (Exit::Fine, Exit::Fine));
    File::create(&week).unwrap().write_all(b"[[session").unwrap();
    assert_eq!(round(), (Exit::Problems, Exit::Problems), "it is no TOML");
    fs::remove_file(&week).unwrap();
    assert_eq!(round(), (Exit::Problems, Exit::Problems), "it is gone");
    File::create(&week).unwrap().write_all(&whole).unwrap();
    symlink(other.path().join("not-mounted.toml"), station.schedule().join("days.toml")).unwrap();
    assert_eq!(round().0, Exit::Problems, "what it leads to is gone");
}

#[test]
fn a_recording_that_cannot_be_read_does_not_keep_the_rest_from_the_backup() {
    let (_folder, other, station) = bench();
    let file = station.audio().join("ban-tin.ogg");
    fs::remove_file(&file).unwrap();
    // Nobody can read it, not even who may read everything.
    symlink(&file, &file).unwrap();
    assert_eq!(backup(&station, &other.path().join("kept")).unwrap(), Exit::Problems);
    let catalog = Store::open(&station.data()).unwrap().catalog().unwrap();
    let said = lost(&station.audio(), &catalog, &[State::Approved]);
    assert!(said.len() == 1 && said[0].contains("Không đọc được tệp `ban-tin.ogg`"), "{said:?}");
    assert!(said[0].contains("sudo -u loa loa") && said[0].contains("sudo chown -R loa:audio"), "{said:?}");
    let segment = catalog.by_file("ban-tin.ogg").unwrap();
    let refused = console::cannot_air(segment, FileTrouble::FileUnreadable);
    assert!(refused.contains("sudo chown") && !refused.contains("chép lại"), "{refused}");
}

#[test]
fn a_station_is_made_in_no_folder_that_holds_other_things() {
    let (_folder, other, station) = bench();
    let (kept, taken) = (other.path().join("kept"), other.path().join("taken"));
    backup(&station, &kept).unwrap();
    fs::create_dir(&taken).unwrap();
    File::create(taken.join("letter.odt")).unwrap();
    let refused = restore(&kept, &taken, Whose::Own).unwrap_err().to_string();
    let name = taken.display().to_string();
    assert!(refused.contains(&name) && refused.contains("đã có tệp hay thư mục khác"), "{refused}");
    assert_eq!(fs::read_dir(&taken).unwrap().count(), 1, "nothing is made there");
    fs::rename(taken.join("letter.odt"), taken.join(".profile")).unwrap();
    assert_eq!(restore(&kept, &taken, Whose::Own).unwrap(), Exit::Fine, "a home is empty with its settings");
    assert!(keep::restored("/var/lib/loa-moi", 1, 2).contains("vào `/var/lib/loa-moi`"));
}

#[test]
fn what_a_backup_cannot_find_or_write_is_said_in_peoples_words() {
    let (_folder, other, station) = bench();
    let said = |to: &Path| backup(&station, to).unwrap_err().to_string();
    let absent = said(&other.path().join("usb-khong/loa"));
    assert!(absent.contains("Không tìm được") && absent.contains("Hãy gắn ổ USB"), "{absent}");
    assert!(absent.contains("hệ thống báo"), "{absent}");
    fs::create_dir(other.path().join("a.part")).unwrap();
    assert!(said(&other.path().join("a")).contains("không phải do một lần sao lưu dở dang"));
    assert!(said(&other.path().join("..")).contains("đã có sẵn"));
    let file = other.path().join("file");
    File::create(&file).unwrap();
    let refused = begin(&file.join("new")).unwrap_err().to_string();
    assert!(refused.contains("Không tạo được thư mục"), "{refused}");
    let full = StoreError::File {
        operation: "write",
        path: file.join("loa.db"),
        cause: io::ErrorKind::StorageFull.into(),
    };
    let full = not_backed_up(full, &file).to_string();
    assert!(full.contains("Đĩa đã đầy") && full.contains(&file.display().to_string()), "{full}");
}
