//! A client of PulseAudio, and of what stands in its place: which sinks there are, and one stream of sound.
//!
//! cpal's own client is not used. Each read of its socket clears a megabyte and each period wakes it seven times, 72 s of
//! processor time for an hour of sound; it dies of a signal, hangs for ever when it is closed after its sink was removed,
//! and leaves a thread and a connection behind whenever it was opened. This one has no thread at all: the engine's own
//! speaks to the server ([`Player`]).

mod player;

use std::ffi::{CString, NulError};
use std::io::{self, BufReader, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pulseaudio::protocol::{
    self, AuthParams, AuthReply, ChannelMap, Command, CommandReply, CreatePlaybackStreamReply, GetSinkInfo,
    PlaybackStreamParams, Prop, Props, ProtocolError, SampleFormat, SampleSpec, SetClientNameReply, SinkInfo,
    SinkInfoList,
};
use socket2::{Domain, SockAddr, Socket, Type};

use super::CHANNELS;
use super::feed::Meter;
use crate::clock::Clock;
use crate::frames::AIR_RATE;
use player::{BUFFER_BYTES, BURST_BYTES, Player};

/// How long the server may take to answer while a stream is set up.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of what a client shows to be let in.
const COOKIE_BYTES: usize = 256;
/// Bytes of a frame as it is sent.
const FRAME_BYTES: u32 = 2 * 4;
const _: () =
    assert!(FRAME_BYTES as usize == CHANNELS * size_of::<f32>(), "a frame is as the mixer makes it");

/// Samples as this machine has them: they are sent as they are.
const NATIVE: SampleFormat =
    if cfg!(target_endian = "big") { SampleFormat::Float32Be } else { SampleFormat::Float32Le };

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
    connection: BufReader<UnixStream>,
    version: u16,
    questions: u32,
    message: Vec<u8>,
}

impl Server {
    /// Connects to the server that the environment names.
    pub(super) fn connect() -> Result<Self, PulseError> {
        let path = pulseaudio::socket_path_from_env().ok_or(PulseError::Absent)?;
        let stream = connect(&path, PATIENCE).map_err(PulseError::Connect)?;
        let cookie = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok());
        // A server that asks for none still wants to read one.
        let cookie =
            cookie.filter(|cookie| cookie.len() == COOKIE_BYTES).unwrap_or_else(|| vec![0; COOKIE_BYTES]);
        let mut server = Self {
            connection: BufReader::new(stream),
            version: protocol::MAX_VERSION,
            questions: 0,
            message: Vec::new(),
        };
        let auth =
            AuthParams { version: protocol::MAX_VERSION, supports_shm: false, supports_memfd: false, cookie };
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
        let found: SinkInfo = self.ask("find the sink", &Command::GetSinkInfo(which))?;
        Ok(found.into())
    }

    /// Makes a stream that plays on a sink until it is dropped or the server ends it; the meter then tells that.
    pub(super) fn play(
        mut self,
        sink: &Sink,
        meter: Arc<Meter>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Stream, Player), PulseError> {
        let params = PlaybackStreamParams {
            sample_spec: SampleSpec { format: NATIVE, channels: 2, sample_rate: AIR_RATE },
            channel_map: ChannelMap::stereo(),
            sink_index: Some(sink.index),
            // Of the whole way to the card the server asks for a burst at a time, and its sink takes a chunk.
            buffer_attr: protocol::stream::BufferAttr {
                max_length: BUFFER_BYTES,
                target_length: BUFFER_BYTES,
                minimum_request_length: BURST_BYTES,
                ..Default::default()
            },
            // Else the streams of a sink that is removed, and those of the default when that becomes another, go to another
            // sink and stay there: the log would name one on which nothing sounded.
            flags: protocol::stream::StreamFlags {
                adjust_latency: true,
                no_move: true,
                ..Default::default()
            },
            ..Default::default()
        };
        let made: CreatePlaybackStreamReply =
            self.ask("make a stream", &Command::CreatePlaybackStream(params))?;
        let socket = self.connection.get_ref().try_clone().map_err(PulseError::Connect)?;
        let player = Player::new(self, &made, meter, clock).map_err(PulseError::Connect)?;
        Ok((Stream { socket }, player))
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
        self.connection.get_mut().write_all(&self.message)?;
        Ok(number)
    }
}

/// Connects to a server that may have stopped taking connections; neither that nor an answer takes longer than `patience`.
fn connect(path: &Path, patience: Duration) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Before it is connected: that waits for as long as a write may.
    socket.set_write_timeout(Some(patience))?;
    socket.set_read_timeout(Some(patience))?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(socket.into())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_takes_no_connection_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("native");
        let server = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        server.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        server.listen(1).unwrap();
        let connections: io::Result<Vec<_>> =
            (0..9).map(|_| connect(&path, Duration::from_millis(10))).collect();
        assert_eq!(connections.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
