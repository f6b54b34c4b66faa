//! A private sound server with a null sink, and a recorder that knows when each sample was due.
//!
//! The sink takes sound at the pace of `CLOCK_MONOTONIC`, as a card does, and hands it to its monitor. The recorder
//! stamps each read with the wall clock. The first of a block can only be late, never early; so the lower edge of the
//! arrivals over some seconds says when a sample was due, to about 0.1 ms.

use std::ffi::OsString;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use loa::clock::{Clock, SystemClock};

use super::measure::{RATE, Recording};

/// Names the folder of the private server in the environment of a test that has one.
const FOLDER: &str = "LOA_SOUND_RIG";
/// A test that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs the body of the test `name` with a sound server of its own. The server is found through the environment, which
/// a running process may not change; so the test runs itself again, alone, in a process with the right one. One such
/// process at a time: they would disturb each other's timing.
pub fn with_server(name: &str, body: impl FnOnce(&mut Server)) {
    let turn = std::fs::File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("sound.turn")).unwrap();
    if std::env::var_os(FOLDER).is_none() {
        turn.lock().unwrap();
    }
    beside_others(name, body);
}

/// The same for a test that may run beside others: it measures nothing to the millisecond, and works little.
pub fn beside_others(name: &str, body: impl FnOnce(&mut Server)) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let mut server = Server::start(PathBuf::from(folder));
        return body(&mut server);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut test = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .envs(environment(folder.path()))
        .env(FOLDER, folder.path())
        .spawn()
        .unwrap();
    let ended = wait_at_most(&mut test, LIMIT);
    if ended.is_none() {
        test.kill().unwrap();
    }
    // A test that was killed leaves its server behind.
    if let Ok(pid) = std::fs::read_to_string(folder.path().join("pid")) {
        run(Command::new("kill").args(["-9", pid.trim()]).stderr(Stdio::null()));
    }
    assert!(ended.expect("it hangs").success(), "{name} failed; see above");
}

/// What a program must have in its environment to play into the server of a folder.
pub fn environment(folder: &Path) -> Vec<(&'static str, OsString)> {
    let mut server = OsString::from("unix:");
    server.push(folder.join("native"));
    vec![
        ("PULSE_SERVER", server),
        ("ALSA_CONFIG_PATH", folder.join("alsa.conf").into()),
        ("HOME", folder.join("home").into()),
        ("XDG_RUNTIME_DIR", folder.join("run").into()),
        ("PULSE_RUNTIME_PATH", folder.join("run").into()),
        ("PULSE_STATE_PATH", folder.join("state").into()),
    ]
}

/// A sound server with one sink, `playout`, which is its default.
pub struct Server {
    folder: PathBuf,
    daemon: Option<Child>,
}

impl Server {
    /// Starts one that keeps all it has in `folder`.
    pub fn start(folder: PathBuf) -> Self {
        for part in ["run", "home", "state"] {
            std::fs::create_dir_all(folder.join(part)).unwrap();
        }
        run(Command::new("chmod").arg("700").arg(folder.join("run")));
        let native = folder.join("native");
        let native = native.display();
        write(
            &folder.join("pa.pa"),
            &format!(
                ".fail\nload-module module-native-protocol-unix socket={native} auth-anonymous=1\n\
                 load-module {SINK}\nset-default-sink playout\n"
            ),
        );
        write(
            &folder.join("alsa.conf"),
            &format!(
                "</usr/share/alsa/alsa.conf>\npcm.!default {{ type pulse server \"unix:{native}\" }}\n\
                 ctl.!default {{ type pulse server \"unix:{native}\" }}\n"
            ),
        );
        let mut server = Self { folder, daemon: None };
        server.restart();
        server
    }

    /// Starts the daemon, which must not be running.
    pub fn restart(&mut self) {
        let log = std::fs::File::create(self.folder.join("pa.log")).unwrap();
        let daemon = Command::new("pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes"])
            .args(["--use-pid-file=no", "--high-priority=no", "--realtime=no", "-F"])
            .arg(self.folder.join("pa.pa"))
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .envs(environment(&self.folder))
            .stderr(log.try_clone().unwrap())
            .stdout(log)
            .spawn()
            .unwrap_or_else(missing);
        let pid = daemon.id().to_string();
        write(&self.folder.join("pid"), &pid);
        self.daemon = Some(daemon);
        wait_until("the sound server answers", || self.pactl(&["info"]).is_some());
        // Started with it, PulseAudio would give the priority back. Where it is not permitted, the rig is less exact.
        run(Command::new("chrt").args(["-a", "-f", "-p", "5", &pid]).stderr(Stdio::null()));
    }

    /// Ends the daemon as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().unwrap();
            daemon.wait().unwrap();
            // Only a daemon that ends by itself removes its socket.
            drop(std::fs::remove_file(self.folder.join("native")));
        }
    }

    /// Has the daemon stand still, as one does that waits for its card.
    pub fn stand_still(&self, time: Duration) {
        let pid = self.daemon.as_ref().unwrap().id().to_string();
        run(Command::new("kill").args(["-STOP", &pid]));
        thread::sleep(time);
        run(Command::new("kill").args(["-CONT", &pid]));
    }

    /// Pulls the card.
    pub fn remove_sink(&self) {
        let modules = self.pactl(&["list", "short", "modules"]).unwrap();
        let module = modules.lines().find(|line| line.contains("sink_name=playout")).unwrap();
        assert!(self.pactl(&["unload-module", module.split_whitespace().next().unwrap()]).is_some());
    }

    /// A second card, which is not the default.
    pub fn add_another_sink(&self) {
        let another = ["load-module", "module-null-sink", "sink_name=another"];
        assert!(self.pactl(&another).is_some());
    }

    /// Plugs it in again.
    pub fn add_sink(&self) {
        let arguments: Vec<&str> = std::iter::once("load-module").chain(SINK.split(' ')).collect();
        assert!(self.pactl(&arguments).is_some());
        assert!(self.pactl(&["set-default-sink", "playout"]).is_some());
    }

    /// What `pactl` says; nothing if it fails.
    pub fn pactl(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("pactl")
            .args(arguments)
            .envs(environment(&self.folder))
            .output()
            .unwrap_or_else(missing);
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// Records what the sink plays, from now.
    pub fn record(&self) -> Recorder {
        let mut parec = Command::new("parec")
            .args(["--raw", "-d", "playout.monitor", "--format=float32le", "--rate=48000", "--channels=2"])
            .args(["--latency-msec=2", "--process-time-msec=2"])
            .envs(environment(&self.folder))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(missing);
        let pid = parec.id().to_string();
        run(Command::new("chrt").args(["-a", "-f", "-p", "5", &pid]).stderr(Stdio::null()));
        let mut pipe = parec.stdout.take().unwrap();
        let reader = thread::spawn(move || {
            loa::output::priority::raise_priority();
            read_all(&mut pipe)
        });
        let recorder = Recorder { parec, reader: Some(reader) };
        wait_until("the recorder records", || {
            self.pactl(&["list", "short", "source-outputs"]).is_some_and(|list| !list.trim().is_empty())
        });
        recorder
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

const SINK: &str = "module-null-sink sink_name=playout format=float32le rate=48000 channels=2";

/// Records until it is finished.
pub struct Recorder {
    parec: Child,
    reader: Option<JoinHandle<Recording>>,
}

impl Recorder {
    /// Ends it; what it heard.
    pub fn finish(mut self) -> Recording {
        // What was just played is on its way.
        thread::sleep(Duration::from_millis(300));
        self.parec.kill().unwrap();
        self.reader.take().unwrap().join().unwrap()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.parec.kill());
        drop(self.parec.wait());
    }
}

/// Reads interleaved stereo floats to the end, keeping the left ones and when each read came.
fn read_all(pipe: &mut impl Read) -> Recording {
    const FRAME: usize = 8;
    let clock = SystemClock::new();
    let mut recording = Recording::default();
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1_024];
    while let Ok(count @ 1..) = pipe.read(&mut buffer) {
        recording.arrived(clock.now());
        bytes.extend_from_slice(&buffer[..count]);
        let whole = bytes.len() / FRAME * FRAME;
        let left = bytes[..whole].chunks_exact(FRAME).map(|f| f32::from_le_bytes([f[0], f[1], f[2], f[3]]));
        recording.samples.extend(left);
        bytes.drain(..whole);
    }
    recording
}

/// Waits until something is so; at most 10 s.
pub fn wait_until(what: &str, so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if so() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("not within 10 s: {what}");
}

/// How long `duration` is in frames.
pub fn frames(duration: Duration) -> usize {
    usize::try_from(duration.as_nanos() * u128::from(RATE) / 1_000_000_000).unwrap()
}

/// From `early` to `late`, in milliseconds; negative if they are the other way round.
pub fn milliseconds(early: Timestamp, late: Timestamp) -> f64 {
    late.duration_since(early).as_secs_f64() * 1e3
}

fn wait_at_most(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let clock = SystemClock::new();
    while clock.elapsed() < limit {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(20));
    }
    None
}

pub fn run(command: &mut Command) {
    // Helpers that may not be permitted: whether they were shows in what is measured.
    drop(command.stdout(Stdio::null()).status());
}

pub fn write(path: &Path, text: &str) {
    std::io::Write::write_all(&mut std::fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
}

#[expect(clippy::needless_pass_by_value, reason = "what `unwrap_or_else` gives")]
fn missing<T>(error: std::io::Error) -> T {
    if error.kind() == ErrorKind::NotFound {
        panic!("no sound server to test with: apt-get install pulseaudio pulseaudio-utils");
    }
    panic!("cannot start the sound server: {error}");
}
