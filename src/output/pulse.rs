//! A client of PulseAudio, and of what stands in its place: which sinks there are, and one stream of sound.
//!
//! cpal's own client is not used. Each read of its socket clears a megabyte and each period wakes it seven times, 72 s of
//! processor time for an hour of sound; it dies of a signal, hangs for ever when it is closed after its sink was removed,
//! and leaves a thread and a connection behind whenever it was opened. This one has one thread that wakes once or twice
//! for a period: the server asks for sound; every other time it is asked when the next frame will leave; it is given
//! the sound.

use std::ffi::{CString, NulError};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pulseaudio::protocol::{
    self, AuthParams, AuthReply, ChannelMap, Command, CommandReply, CreatePlaybackStreamReply, Descriptor,
    DescriptorFlags, GetSinkInfo, LatencyParams, PlaybackLatency, PlaybackStreamParams, Prop, Props,
    ProtocolError, SampleFormat, SampleSpec, SetClientNameReply, SinkInfo, SinkInfoList, TagStructReader,
};

use super::device::PERIOD_FRAMES;
use super::feed::{Feed, Meter};
use super::{CHANNELS, SAMPLE_RATE, duration_of, frames_of};
use crate::clock::Clock;

/// How long the server may take to answer while a stream is set up.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of a sample as it is sent.
const SAMPLE_BYTES: u32 = 4;
/// Bytes of a frame.
const FRAME_BYTES: u32 = 2 * SAMPLE_BYTES;
const _: () =
    assert!(FRAME_BYTES as usize == CHANNELS * size_of::<f32>(), "a frame is as the mixer makes it");
/// Bytes of a period.
const PERIOD_BYTES: u32 = PERIOD_FRAMES * FRAME_BYTES;
/// An answer that took longer says nothing of the clock any more.
const STALE: Duration = Duration::from_millis(200);

/// What the sound server did not do.
#[derive(Debug, thiserror::Error)]
pub enum PulseError {
    /// There is none.
    #[error("no sound server runs for this user")]
    Absent,
    /// It does not take the connection.
    #[error("cannot connect to the sound server")]
    Connect(#[source] io::Error),
    /// A name that no sink can have.
    #[error("a sink's name has no zero byte")]
    Name(#[source] NulError),
    /// It did not do what was asked.
    #[error("the sound server did not {0}")]
    Refused(&'static str, #[source] ProtocolError),
    /// A thread could not be started.
    #[error("cannot start the thread that plays")]
    Thread(#[source] io::Error),
}

/// A sink of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sink {
    /// Its number while the server runs.
    index: u32,
    /// Its stable name.
    pub(super) name: String,
    /// What people call it.
    pub(super) description: String,
}

impl From<SinkInfo> for Sink {
    fn from(info: SinkInfo) -> Self {
        let name = info.name.to_string_lossy().into_owned();
        let description =
            info.description.map_or_else(|| name.clone(), |text| text.to_string_lossy().into_owned());
        Self { index: info.index, name, description }
    }
}

/// A connection to the server. Dropped, it is closed.
#[derive(Debug)]
pub(super) struct Server {
    connection: BufReader<Socket>,
    version: u16,
    questions: u32,
    message: Vec<u8>,
}

impl Server {
    /// Connects to the server that the environment names.
    pub(super) fn connect() -> Result<Self, PulseError> {
        let path = pulseaudio::socket_path_from_env().ok_or(PulseError::Absent)?;
        let stream = UnixStream::connect(path).map_err(PulseError::Connect)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(PulseError::Connect)?;
        let cookie = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok());
        let mut server = Self {
            connection: BufReader::new(Socket {
                stream,
                patience: PATIENCE.try_into().unwrap_or(PollTimeout::MAX),
            }),
            version: protocol::MAX_VERSION,
            questions: 0,
            message: Vec::new(),
        };
        let auth = AuthParams {
            version: protocol::MAX_VERSION,
            supports_shm: false,
            supports_memfd: false,
            cookie: cookie.unwrap_or_default(),
        };
        let known: AuthReply = server.ask("let us in", &Command::Auth(auth))?;
        server.version = server.version.min(known.version);
        let mut about = Props::new();
        about.set(Prop::ApplicationName, c"loa");
        let _named: SetClientNameReply = server.ask("take our name", &Command::SetClientName(about))?;
        Ok(server)
    }

    /// All sinks.
    pub(super) fn sinks(&mut self) -> Result<Vec<Sink>, PulseError> {
        let sinks: SinkInfoList = self.ask("list its sinks", &Command::GetSinkInfoList)?;
        Ok(sinks.into_iter().map(Sink::from).collect())
    }

    /// A sink by its stable name; without one, the server's default.
    pub(super) fn sink(&mut self, name: Option<&str>) -> Result<Sink, PulseError> {
        let name =
            name.map_or(Ok(protocol::DEFAULT_SINK.to_owned()), CString::new).map_err(PulseError::Name)?;
        let which = GetSinkInfo { index: None, name: Some(name) };
        self.ask("find the sink", &Command::GetSinkInfo(which)).map(|info: SinkInfo| info.into())
    }

    /// Plays what a feed gives on a sink, until the stream is dropped or the server ends it; the meter then tells that.
    pub(super) fn play(
        mut self,
        sink: &Sink,
        feed: Feed,
        meter: Arc<Meter>,
        clock: Arc<dyn Clock>,
    ) -> Result<Stream, PulseError> {
        let params = PlaybackStreamParams {
            sample_spec: SampleSpec {
                format: SampleFormat::Float32Le,
                channels: 2,
                sample_rate: SAMPLE_RATE,
            },
            channel_map: ChannelMap::stereo(),
            sink_index: Some(sink.index),
            // The whole way to the card is two periods, of which the server asks for one at a time.
            buffer_attr: protocol::stream::BufferAttr {
                max_length: 2 * PERIOD_BYTES,
                target_length: 2 * PERIOD_BYTES,
                minimum_request_length: PERIOD_BYTES,
                ..Default::default()
            },
            flags: protocol::stream::StreamFlags { adjust_latency: true, ..Default::default() },
            ..Default::default()
        };
        let made: CreatePlaybackStreamReply =
            self.ask("make a stream", &Command::CreatePlaybackStream(params))?;
        let socket = self.connection.get_mut();
        // From now on the server asks, in its own time; that it has gone silent is the supervisor's to notice.
        socket.patience = PollTimeout::NONE;
        let stream = Stream { socket: socket.stream.try_clone().map_err(PulseError::Connect)? };
        let mut player = Player {
            server: self,
            channel: made.channel,
            wanted: made.requested_bytes,
            question: None,
            feed,
            clock,
            samples: vec![0.0; PERIOD_FRAMES as usize * CHANNELS],
        };
        thread::Builder::new()
            .name("pulse".to_owned())
            .spawn(move || {
                let ended = player.run();
                meter.end();
                tracing::debug!(error = ?ended, "the sound server's stream has ended");
            })
            .map_err(PulseError::Thread)?;
        Ok(stream)
    }

    /// Asks, and waits for the answer. Only before there is a stream: then the server begins to speak by itself.
    fn ask<R: CommandReply>(&mut self, what: &'static str, question: &Command) -> Result<R, PulseError> {
        self.send(question)
            .and_then(|_| protocol::read_reply_message(&mut self.connection, self.version))
            .map(|(_, reply)| reply)
            .map_err(|cause| PulseError::Refused(what, cause))
    }

    /// Sends a command; the number that its answer will have.
    fn send(&mut self, command: &Command) -> Result<u32, ProtocolError> {
        let number = self.questions;
        self.questions = number.wrapping_add(1);
        self.message.clear();
        protocol::encode_command_message(&mut self.message, number, command, self.version)?;
        self.connection.get_mut().stream.write_all(&self.message)?;
        Ok(number)
    }
}

/// Waits until there is something to read before it reads. A reader that sleeps in the read itself is also woken
/// whenever the server takes what was sent to it: twice as often, for nothing.
#[derive(Debug)]
struct Socket {
    stream: UnixStream,
    patience: PollTimeout,
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match poll(&mut [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)], self.patience)? {
            0 => Err(io::ErrorKind::TimedOut.into()),
            _ => self.stream.read(buffer),
        }
    }
}

/// A stream that plays. Dropped, it ends, at once and whatever the server does.
#[derive(Debug)]
pub(super) struct Stream {
    socket: UnixStream,
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Fails only where the server has closed it already.
        drop(self.socket.shutdown(Shutdown::Both));
    }
}

/// The thread that plays. Once it runs it allocates nothing, and waits for nobody but the server.
struct Player {
    server: Server,
    channel: u32,
    /// Bytes that the server waits for.
    wanted: u32,
    /// The question for the latency that was not answered yet.
    question: Option<u32>,
    feed: Feed,
    clock: Arc<dyn Clock>,
    samples: Vec<f32>,
}

impl Player {
    /// Until the connection or the stream is closed.
    fn run(&mut self) -> Result<(), ProtocolError> {
        self.give(Duration::ZERO)?;
        loop {
            match self.hear()? {
                Heard::Wanted if self.question.is_some() => {}
                Heard::Wanted if !self.feed.wants_a_reading() => self.give(Duration::ZERO)?,
                Heard::Wanted => {
                    let which = LatencyParams { channel: self.channel, now: SystemTime::UNIX_EPOCH };
                    self.question = Some(self.server.send(&Command::GetPlaybackLatency(which))?);
                }
                Heard::Latency(lead) => {
                    self.question = None;
                    self.give(lead)?;
                }
                Heard::Nothing => {}
                Heard::Killed => return Ok(()),
            }
        }
    }

    /// The server's next message.
    fn hear(&mut self) -> Result<Heard, ProtocolError> {
        let (connection, version) = (&mut self.server.connection, self.server.version);
        let length = protocol::read_descriptor(connection)?.length;
        let mut message = connection.take(length.into());
        // Of the other hundred commands none concerns a stream that plays.
        let heard = match Command::read_tag_prefixed(&mut message, version)? {
            (_, Command::Request(request)) if request.channel == self.channel => {
                self.wanted = self.wanted.saturating_add(request.length);
                Heard::Wanted
            }
            (number, Command::Reply) if self.question == Some(number) => {
                let latency = TagStructReader::new(&mut message, version).read()?;
                Heard::Latency(lead(&latency, self.clock.now()))
            }
            (_, Command::PlaybackStreamKilled(_)) => Heard::Killed,
            (_, Command::Error(error)) => return Err(ProtocolError::ServerError(error)),
            _ => Heard::Nothing,
        };
        while message.limit() > 0 {
            let left = message.fill_buf()?.len();
            if left == 0 {
                break;
            }
            message.consume(left);
        }
        Ok(heard)
    }

    /// Gives the server what it waits for; the first frame leaves in `lead`, or who knows when if that is zero.
    fn give(&mut self, lead: Duration) -> Result<(), ProtocolError> {
        let mut lead = lead;
        while self.wanted > 0 {
            let bytes = self.wanted.min(PERIOD_BYTES);
            self.wanted -= bytes;
            let Some(samples) = self.samples.get_mut(..(bytes / SAMPLE_BYTES) as usize) else {
                return Ok(());
            };
            self.feed.fill(samples, lead);
            let message = &mut self.server.message;
            message.clear();
            let descriptor = Descriptor {
                length: bytes,
                channel: self.channel,
                offset: 0,
                flags: DescriptorFlags::empty(),
            };
            protocol::write_descriptor(message, &descriptor)?;
            message.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
            self.server.connection.get_mut().stream.write_all(message)?;
            if !lead.is_zero() {
                lead += duration_of(frames_of(samples));
            }
        }
        Ok(())
    }
}

/// What the server says.
enum Heard {
    /// It waits for sound.
    Wanted,
    /// The next frame leaves in so long.
    Latency(Duration),
    /// There is no stream any more.
    Killed,
    /// Nothing that matters.
    Nothing,
}

/// How long after `now` the next frame sent will leave: what lies in the stream's buffer and in the sink's, when the
/// server looked. Zero, which says nothing, while nothing plays or where the answer was long on its way.
fn lead(latency: &PlaybackLatency, now: Timestamp) -> Duration {
    let on_the_way = Timestamp::try_from(latency.remote_time)
        .ok()
        .and_then(|looked| Duration::try_from(now.duration_since(looked)).ok())
        .unwrap_or_default();
    if !latency.playing || on_the_way > STALE {
        return Duration::ZERO;
    }
    let queued = u64::try_from(latency.write_offset.saturating_sub(latency.read_offset)).unwrap_or(0);
    let frames = queued / u64::from(FRAME_BYTES);
    (Duration::from_micros(latency.sink_usec) + duration_of(frames)).saturating_sub(on_the_way)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency(playing: bool) -> PlaybackLatency {
        PlaybackLatency {
            sink_usec: 20_000,
            source_usec: 0,
            playing,
            local_time: SystemTime::UNIX_EPOCH,
            remote_time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000),
            write_offset: 48_000 * 8,
            read_offset: 0,
            underrun_for: 0,
            playing_for: 0,
        }
    }

    #[test]
    fn the_next_frame_leaves_after_what_is_queued_less_the_time_of_the_answer() {
        let looked = Timestamp::from_second(1_000).unwrap();
        assert_eq!(lead(&latency(true), looked), Duration::from_millis(1_020));
        assert_eq!(lead(&latency(true), looked + Duration::from_millis(3)), Duration::from_millis(1_017));
    }

    #[test]
    fn an_answer_that_says_nothing_gives_no_reading() {
        let looked = Timestamp::from_second(1_000).unwrap();
        assert_eq!(lead(&latency(false), looked), Duration::ZERO, "nothing plays");
        assert_eq!(lead(&latency(true), looked + Duration::from_secs(1)), Duration::ZERO, "too old");
        let stepped_back = looked - Duration::from_secs(60);
        assert_eq!(lead(&latency(true), stepped_back), Duration::from_millis(1_020));
    }
}
