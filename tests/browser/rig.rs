//! The real program with the example station on the air, and a browser that somebody holds in their hand.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::driver::{Driver, Element, Session, eventually};

/// A small phone and a desk, in CSS pixels.
const SIZES: [(&str, u32, u32); 2] = [("phone", 360, 740), ("desk", 1280, 900)];

/// The program, serving a station of its own.
pub struct Program {
    folder: tempfile::TempDir,
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    /// The path by which the first administrator comes in.
    pub first_link: String,
}

impl Program {
    /// Starts the example station, in which something is on the air within a minute.
    pub fn demo() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("program.log");
        let out = File::create(&log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_loa"))
            .args(["demo", "--listen", "127.0.0.1:0", "--output", "null", "--station"])
            .arg(folder.path().join("station"))
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        let link = eventually(
            || format!("the first link in:\n{}", fs::read_to_string(&log).unwrap_or_default()),
            || {
                let text = fs::read_to_string(&log).unwrap_or_default();
                // A word that stands at the end of the file may not be whole.
                text.split_inclusive('\n')
                    .find(|line| line.contains("/bat-dau/") && line.ends_with('\n'))
                    .map(str::to_owned)
            },
        );
        let (address, secret) = link.trim().split_once("/bat-dau/").unwrap();
        Self { folder, child, address: address.to_owned(), first_link: format!("/bat-dau/{secret}") }
    }

    /// Stops it as it stands, or lets it go on.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Ends it as a power cut does.
    pub fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, where it was.
    pub fn start_again(&mut self) {
        let log = File::options().append(true).open(self.folder.path().join("program.log")).unwrap();
        self.child = Command::new(env!("CARGO_BIN_EXE_loa"))
            .arg("--station")
            .arg(self.folder.path().join("station"))
            .args(["serve", "--output", "null", "--listen", self.address.strip_prefix("http://").unwrap()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
    }

    /// The bytes of a file of its schedule.
    pub fn schedule(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join("station/schedule").join(name)).unwrap()
    }

    /// Writes a file of its schedule, as somebody does by hand.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("station/schedule").join(name), text).unwrap();
    }

    /// Its recordings.
    pub fn audio(&self) -> PathBuf {
        self.folder.path().join("station/audio")
    }

    /// Runs a command beside it; what it prints.
    pub fn run(&self, arguments: &[&str]) -> String {
        let station = self.folder.path().join("station");
        let output = Command::new(env!("CARGO_BIN_EXE_loa"))
            .arg("--station")
            .arg(station)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _asked = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM);
        let _ended = self.child.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("program.log")).unwrap_or_default();
            eprintln!("the program said:\n{log}");
        }
    }
}

/// A browser of one person.
pub struct Browser {
    session: Session,
    station: String,
}

impl Browser {
    /// A new one, with nobody signed in.
    pub fn open(driver: &Driver, program: &Program) -> Self {
        Self { session: Session::open(driver, true), station: program.address.clone() }
    }

    /// One that reaches the program at another address than its own.
    pub fn at(driver: &Driver, address: &str) -> Self {
        Self { session: Session::open(driver, true), station: address.to_owned() }
    }

    /// One that runs no script: pages must do without.
    pub fn without_scripts(driver: &Driver, program: &Program) -> Self {
        Self { session: Session::open(driver, false), station: program.address.clone() }
    }

    /// Goes to a page of the station.
    pub fn go(&self, path: &str) {
        self.session.go(&format!("{}{path}", self.station));
    }

    /// Goes to a site of somebody else.
    pub fn go_elsewhere(&self, address: &str) {
        self.session.go(address);
    }

    /// Where it is: the path, with what is asked.
    pub fn path(&self) -> String {
        let address = self.session.address();
        address.strip_prefix(&self.station).unwrap_or(&address).to_owned()
    }

    /// Waits for something on the page.
    #[track_caller]
    pub fn find(&self, xpath: &str) -> Element {
        let missing = || format!("`{xpath}` on {}:\n{}", self.path(), self.text());
        eventually(missing, || self.session.find(xpath))
    }

    /// What the page says, as it is read.
    pub fn text(&self) -> String {
        self.session.script("return document.body.innerText").as_str().unwrap().to_owned()
    }

    /// Waits until the page says something.
    #[track_caller]
    pub fn says(&self, what: &str) {
        let missing = || format!("`{what}` on {}:\n{}", self.path(), self.text());
        eventually(missing, || self.text().contains(what).then_some(()));
    }

    /// Fills in the field of this name.
    #[track_caller]
    pub fn fill(&self, name: &str, text: &str) {
        let field = self.find(&format!("//*[@name='{name}'][not(@type='hidden')]"));
        self.session.clear(&field);
        self.session.send_keys(&field, text);
    }

    /// Chooses files, one path a line.
    #[track_caller]
    pub fn attach(&self, name: &str, paths: &str) {
        self.session.send_keys(&self.find(&format!("//input[@type='file'][@name='{name}']")), paths);
    }

    /// Drops something from another program onto what a selector finds: files by their paths, or else a text.
    #[track_caller]
    pub fn drop_on(&self, selector: &str, dropped: &[&Path], text: &str, between: impl FnOnce()) {
        let place = self.session.script(&format!(
            "const part = document.querySelector('{selector}');
             part.scrollIntoView({{ block: 'center' }});
             const box = part.getBoundingClientRect();
             return [box.x + box.width / 2, box.y + box.height / 2]"
        ));
        let items: Vec<_> = ["text/plain", "text/uri-list"]
            .map(|kind| json!({ "mimeType": kind, "data": text }))
            .into_iter()
            .filter(|_| dropped.is_empty())
            .collect();
        // It is copied, not moved.
        let data = json!({ "items": items, "files": dropped, "dragOperationsMask": 1 });
        self.session.drop(place[0].as_f64().unwrap(), place[1].as_f64().unwrap(), &data, between);
    }

    /// Ticks the box, or presses the button or link, that reads so.
    #[track_caller]
    pub fn press(&self, label: &str) {
        let what = format!(
            "//*[self::button or self::a or self::label or self::summary][contains(normalize-space(), '{label}')]"
        );
        self.press_on(&what);
    }

    /// Presses what an XPath finds.
    #[track_caller]
    pub fn press_on(&self, what: &str) {
        let missing = || format!("`{what}` on {}:\n{}", self.path(), self.text());
        // A live part may be put in anew between the finding and the pressing.
        eventually(missing, || self.session.find(what).and_then(|found| self.session.click(&found).ok()));
    }

    /// Somebody's first sign-in, or one with a new password.
    #[track_caller]
    pub fn set_password(&self, link: &str, name: Option<&str>, password: &str) {
        self.go(link);
        if let Some(name) = name {
            self.fill("name", name);
        }
        self.fill("password", password);
        self.fill("again", password);
        self.press("Lưu mật khẩu và đăng nhập");
        self.find("//nav");
    }

    #[track_caller]
    pub fn sign_in(&self, name: &str, password: &str) {
        self.go("/dang-nhap");
        self.fill("name", name);
        self.fill("password", password);
        self.press("Đăng nhập");
    }

    pub fn script(&self, script: &str) -> serde_json::Value {
        self.session.script(script)
    }

    /// A script that gives its result to its last argument.
    pub fn later(&self, script: &str) -> serde_json::Value {
        self.session.later(script)
    }

    /// What a script gives on a phone.
    pub fn script_on_phone(&self, script: &str) -> serde_json::Value {
        let [(_, width, height), _] = SIZES;
        self.session.screen(width, height, true);
        self.session.script(script)
    }

    /// Looks at the page at both sizes: keeps the pictures, finds nothing that runs out at the side, and nothing
    /// serious that axe-core would find.
    #[track_caller]
    pub fn look(&self, name: &str) {
        for (size, width, height) in SIZES {
            self.session.screen(width, height, size == "phone");
            let wide = self.session.script("return document.documentElement.scrollWidth").as_u64().unwrap();
            fs::write(pictures().join(format!("{name}-{size}.png")), self.session.picture()).unwrap();
            assert!(wide <= u64::from(width), "{name} is {wide} pixels wide on a {size} of {width}");
            self.is_accessible(&format!("{name}, {size}"));
        }
    }

    /// Keeps the page as it is printed on A4, and gives how many sheets it takes.
    #[track_caller]
    pub fn print(&self, name: &str) -> usize {
        let sheets = self.session.print();
        fs::write(pictures().join(format!("{name}.pdf")), &sheets).unwrap();
        let one = b"/Type /Page\n";
        sheets.windows(one.len()).filter(|text| *text == one).count()
    }

    #[track_caller]
    fn is_accessible(&self, name: &str) {
        let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/axe/axe.min.js");
        let axe = fs::read_to_string(axe).expect("axe-core is there: scripts/test fetches it");
        self.session.script(&axe);
        let found = self.session.later(
            "const done = arguments[arguments.length - 1];
             axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations
                .filter((violation) => ['serious', 'critical'].includes(violation.impact))
                .map((violation) => violation.id + ': ' + violation.nodes.map((node) => node.html).join(' | '))
             ), (failure) => done([String(failure)]))",
        );
        assert_eq!(found, json!([]), "axe-core on {name}");
    }
}

/// Where the pictures are kept.
fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
    fs::create_dir_all(&folder).unwrap();
    folder
}
