//! WebDriver (W3C), as far as these tests need it, and some commands of Chrome's own: a phone's screen, a picture of a
//! whole page, and what is dragged onto it from outside.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use loa::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

/// What takes longer hangs.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// The key under which the protocol hands elements around.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// ChromeDriver, which opens browsers.
pub struct Driver {
    child: Child,
    address: String,
}

impl Driver {
    pub fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Debian's chromium-driver is installed: scripts/test does that");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let started = lines.map_while(Result::ok).find(|line| line.contains("started successfully on port"));
        let port: u16 = started.unwrap().trim_end_matches('.').rsplit(' ').next().unwrap().parse().unwrap();
        Self { child, address: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _asked = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Something on a page.
#[derive(Debug, Clone)]
pub struct Element(String);

/// An open browser.
pub struct Session {
    agent: ureq::Agent,
    /// The address of its commands.
    address: String,
}

impl Session {
    pub fn open(driver: &Driver, scripts: bool) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        let agent: ureq::Agent = config.build().into();
        let mut options =
            json!({ "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
        if !scripts {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let mut session = Self { agent, address: format!("{}/session", driver.address) };
        let opened = session.post("", &wanted);
        session.address = format!("{}/{}", session.address, opened["sessionId"].as_str().unwrap());
        session
    }

    fn post(&self, command: &str, body: &Value) -> Value {
        self.try_post(command, body).unwrap_or_else(|said| panic!("{command} {body}: {said}"))
    }

    fn try_post(&self, command: &str, body: &Value) -> Result<Value, String> {
        let answer = self.agent.post(format!("{}{command}", self.address)).send_json(body);
        value(answer.unwrap())
    }

    fn get(&self, command: &str) -> Value {
        value(self.agent.get(format!("{}{command}", self.address)).call().unwrap()).unwrap()
    }

    pub fn go(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    pub fn address(&self) -> String {
        self.get("/url").as_str().unwrap().to_owned()
    }

    /// The first element of an XPath, if there is one now.
    pub fn find(&self, xpath: &str) -> Option<Element> {
        let found = self.try_post("/element", &json!({ "using": "xpath", "value": xpath })).ok()?;
        Some(Element(found[ELEMENT].as_str().unwrap().to_owned()))
    }

    /// Presses it; says why not, where the page has changed meanwhile.
    pub fn click(&self, Element(id): &Element) -> Result<(), String> {
        self.try_post(&format!("/element/{id}/click"), &json!({})).map(drop)
    }

    pub fn clear(&self, Element(id): &Element) {
        self.post(&format!("/element/{id}/clear"), &json!({}));
    }

    pub fn send_keys(&self, Element(id): &Element, text: &str) {
        self.post(&format!("/element/{id}/value"), &json!({ "text": text }));
    }

    pub fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// A script that gives its result to its last argument.
    pub fn later(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Shows pages as on a screen of this size.
    pub fn screen(&self, width: u32, height: u32, phone: bool) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.chrome("Emulation.setDeviceMetricsOverride", &size);
    }

    /// A PNG of the whole page.
    pub fn picture(&self) -> Vec<u8> {
        let taken = self.chrome("Page.captureScreenshot", &json!({ "captureBeyondViewport": true }));
        base64(taken["data"].as_str().unwrap())
    }

    /// Drags something over a point of the page as from another program, and drops it there.
    pub fn drop(&self, x: f64, y: f64, data: &Value, between: impl FnOnce()) {
        let drag = |kind: &str| {
            self.chrome("Input.dispatchDragEvent", &json!({ "type": kind, "x": x, "y": y, "data": data }));
        };
        drag("dragEnter");
        drag("dragOver");
        between();
        drag("drop");
    }

    /// A PDF of the page as it is printed on A4.
    pub fn print(&self) -> Vec<u8> {
        let page = json!({ "page": { "width": 21.0, "height": 29.7 } });
        base64(self.post("/print", &page).as_str().unwrap())
    }

    fn chrome(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _closed = self.agent.delete(&self.address).call();
    }
}

fn value(mut answer: ureq::http::Response<ureq::Body>) -> Result<Value, String> {
    let good = answer.status().is_success();
    let mut body: Value = answer.body_mut().with_config().limit(100_000_000).read_json().unwrap();
    let value = body["value"].take();
    if good { Ok(value) } else { Err(format!("{}: {}", value["error"], value["message"])) }
}

/// Decodes what the protocol wraps bytes in, RFC 4648.
fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').map(digit).collect();
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let bits =
            group.iter().chain(&[0; 4]).take(4).fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit));
        bytes.extend(bits.to_be_bytes().into_iter().skip(1).take(group.len() * 6 / 8));
    }
    bytes
}

/// Waits until there is something.
#[track_caller]
pub fn eventually<T>(what: impl Fn() -> String, mut there: impl FnMut() -> Option<T>) -> T {
    let clock = SystemClock::new();
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(clock.elapsed() < PATIENCE, "waited too long for {}", what());
        std::thread::sleep(Duration::from_millis(20));
    }
}
