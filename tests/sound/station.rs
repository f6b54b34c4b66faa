//! A station in a folder of its own, and the real program that plays it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use loa::asrun::Airing;
use loa::clock::{Clock, SystemClock};

use super::measure::RATE;
use super::rig::{run, wait_until, write};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_loa");
/// How long after it was written a schedule begins: time for a program to start in, on a busy machine.
pub const AHEAD: SignedDuration = SignedDuration::from_secs(4);

/// A station's folder, with the program that plays it once it is started.
pub struct Station {
    folder: tempfile::TempDir,
    /// Hours ahead of UTC: it is noon, whenever the test runs, so that no session meets midnight.
    noon: i8,
    program: Option<Child>,
}

/// A slot of the session.
pub struct Slot {
    pub id: String,
    /// For a hard start: when.
    pub at: Option<Timestamp>,
    /// As in `week.toml`: `start = "fill"` or nothing.
    pub start: &'static str,
    /// As in `week.toml`.
    pub play: String,
}

impl Slot {
    pub fn hard(id: impl Into<String>, at: Timestamp, file: &str) -> Self {
        Self { id: id.into(), at: Some(at), start: "start = \"hard\"", play: file_of(file) }
    }

    pub fn follow(id: impl Into<String>, file: &str) -> Self {
        Self { id: id.into(), at: None, start: "", play: file_of(file) }
    }

    pub fn fill(id: impl Into<String>, pool: &str) -> Self {
        let play = format!("{{ pool = \"{pool}\" }}");
        Self { id: id.into(), at: None, start: "start = \"fill\"", play }
    }
}

fn file_of(name: &str) -> String {
    format!("{{ file = \"{name}\" }}")
}

impl Station {
    /// One that plays on the rig's sink.
    pub fn new() -> Self {
        Self::on("pulseaudio:playout")
    }

    /// One without recordings, that plays on a device.
    pub fn on(device: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for part in ["schedule", "audio", "incoming"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
        }
        let hour = SystemClock::new().now().to_zoned(TimeZone::UTC).hour();
        let station = Self { folder, noon: 12 - hour, program: None };
        // The sign of these names is the other way round.
        let zone = format!("Etc/GMT{:+}", -station.noon);
        write(
            &station.path("schedule/station.toml"),
            &format!(
                "name = \"Đài thử\"\ntime_zone = \"{zone}\"\n\
                 [[output]]\nid = \"loa\"\ndevice = \"{device}\"\n"
            ),
        );
        station
    }

    pub fn path(&self, part: &str) -> PathBuf {
        self.folder.path().join(part)
    }

    /// Makes a recording of mono samples: a WAV file, or by its ending what `ffmpeg` makes of one. Takes it in and
    /// approves it.
    pub fn record(&self, name: &str, programme: Option<&str>, samples: impl IntoIterator<Item = f32>) {
        let file = self.path("incoming").join(name);
        let wav = file.with_extension("wav");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(&wav, spec).unwrap();
        for sample in samples {
            writer.write_sample((sample * 32_767.0).round() as i16).unwrap();
        }
        writer.finalize().unwrap();
        if wav != file {
            let mut ffmpeg = Command::new("ffmpeg");
            ffmpeg.args(["-v", "error", "-y", "-i"]).arg(&wav).args(["-b:a", "128k"]);
            if name.ends_with("mp3") || name.ends_with("m4a") {
                ffmpeg.args(["-ar", "44100"]);
            }
            ffmpeg.arg(&file);
            assert!(ffmpeg.status().unwrap().success(), "ffmpeg makes {name}");
        }
        let programme = programme.map(|id| format!("programme = \"{id}\"\n")).unwrap_or_default();
        let list = self.path("incoming/list.toml");
        write(&list, &format!("[[segment]]\nfile = \"{name}\"\ntitle = \"{name}\"\n{programme}"));
        let list = list.display().to_string();
        self.command(&["segment", "import", &list, "--approve-as", "test"]);
    }

    /// Writes the week: one session of these slots, the first of which is hard, until `end`. Further programmes and
    /// pools are given as they are written.
    pub fn week(&self, more: &str, slots: &[Slot], end: Timestamp) {
        let from = slots[0].at.expect("the first slot is hard");
        let mut week = format!(
            "{more}[[session]]\nid = \"s\"\ntitle = \"Thử\"\ndays = [\"T2-T7\", \"CN\"]\nfrom = {}\nto = {}\n",
            self.local(from),
            self.local(end),
        );
        for Slot { id, at, start, play } in slots {
            let at = at.map(|at| format!("at = {}\n", self.local(at))).unwrap_or_default();
            let late = "late = \"join\"";
            write!(week, "[[session.slot]]\nid = \"{id}\"\n{start}\n{at}play = {play}\n{late}\n").unwrap();
        }
        // As an editor should: never half there.
        let aside = self.path("schedule/week.new");
        write(&aside, &week);
        std::fs::rename(aside, self.path("schedule/week.toml")).unwrap();
    }

    /// The first whole second that leaves a program time to start.
    pub fn soon(&self) -> Timestamp {
        Timestamp::from_second((SystemClock::new().now() + AHEAD).as_second() + 1).unwrap()
    }

    fn local(&self, at: Timestamp) -> String {
        at.to_zoned(Offset::from_hours(self.noon).unwrap().to_time_zone()).strftime("%H:%M:%S").to_string()
    }

    /// Runs a command of the program, and gives what it says.
    pub fn command(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } =
            Command::new(PROGRAM).arg("--station").arg(self.folder.path()).args(arguments).output().unwrap();
        assert!(status.success(), "loa {arguments:?}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    }

    /// Starts the program; what it logs goes on in the same file.
    pub fn serve(&mut self) {
        self.serve_with(&[]);
    }

    /// Starts the program with something else in its environment.
    pub fn serve_with(&mut self, environment: &[(&str, &str)]) {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let program = Command::new(PROGRAM)
            .arg("--station")
            .arg(self.folder.path())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .envs(environment.iter().copied())
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.program = Some(program);
        wait_until("the engine runs", || self.log().contains("the engine runs"));
    }

    /// The power goes.
    pub fn kill(&mut self) {
        let mut program = self.program.take().expect("it runs");
        program.kill().unwrap();
        program.wait().unwrap();
    }

    /// Ends it as the system does.
    pub fn stop(&mut self) {
        let mut program = self.program.take().expect("it runs");
        run(Command::new("kill").arg(program.id().to_string()));
        assert!(program.wait().unwrap().success(), "{}", self.log());
    }

    /// A person with a token, and the address at which it is good for something.
    pub fn person(&self, roles: &str) -> Person {
        let said = self.command(&["user", "add", "test", "--role", roles]);
        let token = said.split_whitespace().last().unwrap().to_owned();
        let log = self.log();
        let (_, address) = log.rsplit_once("listens on ").expect("it serves HTTP");
        Person { token, base: format!("{}/api/v1", address.split_whitespace().next().unwrap()) }
    }

    /// The id of the recording in a file.
    pub fn segment(&self, file: &str) -> String {
        let list: serde_json::Value =
            serde_json::from_str(&self.command(&["segment", "list", "--format", "json"])).unwrap();
        let segment = list.as_array().unwrap().iter().find(|segment| segment["file"] == file).unwrap();
        segment["id"].as_str().unwrap().to_owned()
    }

    /// The number of the program's process.
    pub fn pid(&self) -> u32 {
        self.program.as_ref().expect("it runs").id()
    }

    /// What the program has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// When the program logged something, each time.
    pub fn logged(&self, what: &str) -> Vec<Timestamp> {
        let log = self.log();
        let lines = log.lines().filter(|line| line.contains(what));
        lines.map(|line| line.split_whitespace().next().unwrap().parse().unwrap()).collect()
    }

    /// The as-run log.
    pub fn airings(&self) -> Vec<Airing> {
        serde_json::from_str(&self.command(&["airings", "--format", "json"])).unwrap()
    }

    /// The airing of a slot's only piece.
    pub fn airing(&self, slot: &str) -> Airing {
        let mut all = self.airings();
        all.retain(|airing| airing.item.cue.slot.as_str() == slot);
        assert_eq!(all.len(), 1, "{slot}: {all:#?}");
        all.remove(0)
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        if let Some(mut program) = self.program.take() {
            drop(program.kill());
            drop(program.wait());
        }
        if std::thread::panicking() {
            println!("--- the program's log ---\n{}", self.log());
        }
    }
}

/// Somebody who may do something over HTTP.
pub struct Person {
    token: String,
    base: String,
}

impl Person {
    /// Posts an order, and says when it was sent.
    pub fn post(&self, path: &str, body: &serde_json::Value) -> Timestamp {
        let sent = SystemClock::new().now();
        let authorization = format!("Bearer {}", self.token);
        let answer = ureq::post(format!("{}{path}", self.base))
            .header("authorization", &authorization)
            .send_json(body)
            .unwrap();
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        sent
    }
}

/// Waits until an instant.
pub fn sleep_until(at: Timestamp) {
    let left = at.duration_since(SystemClock::new().now());
    std::thread::sleep(left.try_into().unwrap_or_default());
}
