//! A station in a folder of its own, and the program that plays it.

use std::f64::consts::TAU;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use loa::asrun::{Airing, Outcome};
use loa::clock::{Clock, SystemClock};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// What takes longer hangs.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A station in a temporary folder, where it is noon: no test meets midnight.
pub struct Station {
    pub folder: TempDir,
    pub zone: String,
    pub daemon: Option<Child>,
}

impl Station {
    pub fn new() -> Self {
        let hour = i32::from(now().to_zoned(TimeZone::UTC).hour());
        // POSIX has it the other way round: `Etc/GMT-7` is seven hours ahead.
        let ahead = 12 - hour;
        let zone = match ahead {
            0 => "Etc/GMT".to_owned(),
            1.. => format!("Etc/GMT-{ahead}"),
            _ => format!("Etc/GMT+{}", -ahead),
        };
        let station = Self { folder: tempfile::tempdir().unwrap(), zone, daemon: None };
        fs::create_dir(station.path().join("schedule")).unwrap();
        let station_toml = format!(
            "name = \"Đài thử\"\ntime_zone = \"{}\"\n[[output]]\nid = \"loa\"\nlead = \"1 s\"\ntail = \"1 s\"\n\
             [output.amplifier]\non = [\"/bin/sh\", \"-c\", \"echo on >> {log}\"]\n\
             off = [\"/bin/sh\", \"-c\", \"echo off >> {log}\"]\n",
            station.zone,
            log = station.amplifier_log().display(),
        );
        station.write("station.toml", &station_toml);
        station
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn amplifier_log(&self) -> PathBuf {
        self.path().join("amplifier.log")
    }

    /// What the amplifier was told, in order.
    pub fn amplifier(&self) -> Vec<String> {
        let told = fs::read_to_string(self.amplifier_log()).unwrap_or_default();
        told.lines().map(str::to_owned).collect()
    }

    pub fn write(&self, name: &str, text: &str) {
        write(&self.path().join("schedule").join(name), text);
    }

    /// Somebody who may do something over HTTP, at the address of the daemon that was started last.
    pub fn person(&self, name: &str, roles: &str) -> Person {
        let said = self.succeed(&["user", "add", name, "--role", roles]);
        let token = said.split_whitespace().last().unwrap();
        let listens = || {
            let log = self.log();
            let (_, address) = log.rsplit_once("listens on ")?;
            Some(address.split_whitespace().next()?.to_owned())
        };
        let address = eventually("it serves HTTP", listens);
        Person { authorization: format!("Bearer {token}"), base: format!("{address}/api/v1") }
    }

    /// The id of the recording in a file.
    pub fn segment(&self, file: &str) -> String {
        let all: serde_json::Value =
            serde_json::from_str(&self.succeed(&["segment", "list", "--format", "json"])).unwrap();
        let segment = all.as_array().unwrap().iter().find(|segment| segment["file"] == file).unwrap();
        segment["id"].as_str().unwrap().to_owned()
    }

    /// The station's time, some seconds from now, to the second.
    pub fn soon(&self, seconds: i64) -> Zoned {
        let at = Timestamp::from_second(now().as_second() + seconds + 1).unwrap();
        at.in_tz(&self.zone).unwrap()
    }

    /// A week with one session of two minutes, that begins then and plays these files.
    pub fn play(&self, from: &Zoned, files: &[&str]) {
        self.write("week.toml", &week(from, files));
    }

    /// Takes in tones of so many seconds, and approves them.
    pub fn record(&self, tones: &[(&str, u32, u32)]) {
        for (name, pitch, seconds) in tones {
            let file = self.path().join(name);
            tone(&file, *pitch, *seconds);
            self.succeed(&["segment", "add", file.to_str().unwrap()]);
            self.succeed(&["segment", "approve", name, "--by", "hoa"]);
        }
    }

    /// Runs a command beside the daemon.
    pub fn run(&self, arguments: &[&str]) -> Output {
        loa().arg("--station").arg(self.path()).args(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; what it prints.
    #[track_caller]
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {}\n{complaint}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the daemon.
    pub fn serve(&mut self) {
        self.serve_to("null");
    }

    pub fn serve_to(&mut self, output: &str) {
        self.serve_with(&["--output", output]);
    }

    pub fn serve_with(&mut self, options: &[&str]) {
        self.start(loa(), options);
    }

    /// Starts the daemon by another program, with its arguments.
    pub fn serve_under(&mut self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(program);
        command.args(arguments).arg(env!("CARGO_BIN_EXE_loa"));
        command.env("RUST_LOG", "info").stdin(Stdio::null());
        self.start(command, &["--output", "null"]);
    }

    fn start(&mut self, mut command: Command, options: &[&str]) {
        let log = File::options().create(true).append(true).open(self.path().join("daemon.log")).unwrap();
        let daemon = command
            .arg("--station")
            .arg(self.path())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(options)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.daemon = Some(daemon.unwrap());
    }

    /// Sends the daemon a signal.
    pub fn tell(&self, signal: Signal) {
        let daemon = self.daemon.as_ref().expect("it runs");
        kill(Pid::from_raw(daemon.id().cast_signed()), signal).unwrap();
    }

    /// Sends the daemon a signal that ends it.
    pub fn signal(&mut self, signal: Signal) -> ExitStatus {
        self.tell(signal);
        let mut daemon = self.daemon.take().expect("it runs");
        let status = eventually("the daemon ends", || daemon.try_wait().unwrap());
        assert!(!self.log().contains("panicked"), "{}", self.log());
        status
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path().join("daemon.log")).unwrap_or_default()
    }

    pub fn airings(&self) -> Vec<Airing> {
        serde_json::from_str(&self.succeed(&["airings", "--format", "json"])).unwrap()
    }

    pub fn airing(&self, slot: &str) -> Option<Airing> {
        self.airings().into_iter().find(|airing| airing.item.cue.slot.as_str() == slot)
    }

    /// Waits for an outcome of a slot.
    #[track_caller]
    pub fn wait_for(&self, slot: &str, outcome: Outcome) -> Airing {
        let waits = || self.airing(slot).filter(|airing| airing.outcome() == outcome);
        let Some(airing) = within(PATIENCE, waits) else {
            panic!("{slot} is not {outcome:?}: {:#?}\n{}", self.airing(slot), self.log())
        };
        airing
    }
}

/// Somebody who may do something over HTTP.
pub struct Person {
    authorization: String,
    base: String,
}

impl Person {
    /// Posts something; the answer.
    pub fn post(&self, path: &str, body: &serde_json::Value) -> serde_json::Value {
        let request = ureq::post(format!("{}{path}", self.base)).header("authorization", &self.authorization);
        request.send_json(body).unwrap().body_mut().read_json().unwrap()
    }

    /// Deletes something.
    pub fn delete(&self, path: &str) {
        let request =
            ureq::delete(format!("{}{path}", self.base)).header("authorization", &self.authorization);
        assert!(request.call().unwrap().status().is_success());
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            drop(daemon.kill());
            drop(daemon.wait());
        }
    }
}

pub fn loa() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loa"));
    command.env("RUST_LOG", "info").stdin(Stdio::null());
    command
}

pub fn now() -> Timestamp {
    SystemClock::new().now()
}

/// A week whose session of two minutes begins then, on every day, and plays these files, each in a slot of its name.
pub fn week(from: &Zoned, files: &[&str]) -> String {
    let to = from + SignedDuration::from_secs(120);
    let mut text = format!(
        "[[session]]\nid = \"nay\"\ndays = [\"T2-CN\"]\nfrom = {}\nto = {}\n",
        from.strftime("%H:%M:%S"),
        to.strftime("%H:%M:%S")
    );
    for (nth, file) in files.iter().enumerate() {
        let start = if nth == 0 { "hard" } else { "follow" };
        let id = file.trim_end_matches(".wav");
        text += &format!(
            "[[session.slot]]\nid = \"{id}\"\nstart = \"{start}\"\nplay = {{ file = \"{file}\" }}\nlate = \"join\"\n"
        );
    }
    text
}

pub fn tone(path: &Path, pitch: u32, seconds: u32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for frame in 0..48_000 * seconds {
        let phase = f64::from(pitch) * f64::from(frame) / 48_000.0;
        writer.write_sample(((TAU * phase).cos() * 8_192.0).round() as i16).unwrap();
    }
    writer.finalize().unwrap();
}

pub fn write(path: &Path, text: &str) {
    let aside = path.with_extension("aside");
    File::create(&aside).unwrap().write_all(text.as_bytes()).unwrap();
    fs::rename(aside, path).unwrap();
}

/// Waits until something is there; at most so long.
pub fn within<T>(limit: Duration, mut there: impl FnMut() -> Option<T>) -> Option<T> {
    let clock = SystemClock::new();
    loop {
        if let Some(it) = there() {
            return Some(it);
        }
        if clock.elapsed() > limit {
            return None;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until something is there.
#[track_caller]
pub fn eventually<T>(what: &str, there: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, there).unwrap_or_else(|| panic!("not within {PATIENCE:?}: {what}"))
}
