//! One stream of the sound server, spoken to from the engine's thread.
//!
//! The thread is woken once for a burst, for which the server asks, and once more for every fourth: then the server is
//! asked at once when the last one will have left, and answers. To be woken costs as much as mixing does. Nothing here
//! allocates once the stream runs, and nothing waits for long.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pulseaudio::protocol::{
    self, Command, CreatePlaybackStreamReply, Descriptor, DescriptorFlags, LatencyParams, PlaybackLatency,
    ProtocolError, TagStructReader,
};
use tracing::debug;

use super::{FRAME_BYTES, Server};
use crate::clock::Clock;
use crate::output::feed::{FrameClock, Meter, Stall, Way};
use crate::output::{AHEAD_FRAMES, BURST_FRAMES, CHUNK_FRAMES, Hole, duration_of, frames_during, frames_of};

/// Bytes for which the server asks at a time.
pub(super) const BURST_BYTES: u32 = bytes_of(BURST_FRAMES);
/// Frames that the server's sink takes at a time. With none of its own PulseAudio's null sink wakes 2,000 times a second, and
/// a card is run at its shortest.
const SINK_FRAMES: usize = CHUNK_FRAMES;
/// Bytes that are asked for as the whole way to the card. Of them PulseAudio gives the sink half of what is over after two
/// bursts (its rule for `adjust_latency`).
pub(super) const BUFFER_BYTES: u32 = bytes_of(2 * BURST_FRAMES + 2 * SINK_FRAMES);
/// Bytes of it that are never sent: they would lie ahead of an interrupt.
const HELD_BYTES: u32 = BUFFER_BYTES - bytes_of(AHEAD_FRAMES);
/// What else is sent with a full buffer: a header for each chunk, and a question.
const HEADERS: usize = 1_024;
/// The longest message of the server's that is to be understood. Those that concern a stream are much shorter.
const LONGEST: usize = 64 * 1_024;
/// Bursts from one question to the next: half a second. A card's clock drifts by some microseconds in it.
const QUESTION_EVERY: u8 = 4;
/// Answers on which the frame clock rests: four seconds of them, in which a card's clock does not drift by a tenth of a
/// millisecond.
const ANSWERS: usize = 8;
/// Between two questions while the frame clock is not sure of itself.
const HURRY: Duration = Duration::from_millis(20);
/// How long the server is waited for at a time, in milliseconds.
const LOOK: u8 = 200;
/// So many answers are waited for once the server speaks again after it was silent: by the second it has told whether it had
/// nothing to play meanwhile.
const AFTER_SILENCE: u8 = 2;
/// An answer that took longer says nothing of the clock any more.
const STALE: Duration = Duration::from_millis(300);

/// The engine's end of a stream.
#[derive(Debug)]
pub(in crate::output) struct Player {
    socket: UnixStream,
    version: u16,
    channel: u32,
    meter: Arc<Meter>,
    clock: Arc<dyn Clock>,
    frame_clock: FrameClock<ANSWERS>,
    /// Bytes that the server waits for and is to get.
    wanted: u32,
    /// Frames pushed so far.
    pushed: u64,
    /// The number of the next question.
    questions: u32,
    /// The question for the latency that was not answered yet.
    asked: Option<u32>,
    /// Bursts that were asked for since.
    bursts: u8,
    question: Vec<u8>,
    /// What is to be sent, of which the first bytes are.
    outgoing: Vec<u8>,
    sent: usize,
    /// What the server said, of which the first bytes are understood.
    incoming: Vec<u8>,
    /// The server had nothing to play, and how long that took is not known yet.
    dry: Option<Dry>,
    /// Answers to be waited for before anything is pushed: the server was silent, and what leaves when is not known.
    doubts: u8,
    /// It stood still: it was silent for longer than it ever is while it plays.
    stood_still: bool,
    /// Nothing was pushed for a while, because nothing was to sound.
    paused: bool,
}

/// The server had nothing to play.
#[derive(Debug, Clone, Copy)]
struct Dry {
    /// Where: more than one place if it was so twice, and nothing is known of the time between.
    hole: Hole,
    /// When the frame after it would have left, by the clock's `elapsed`.
    due: Duration,
}

impl Player {
    /// Takes a connection over on which a stream was made.
    pub(super) fn new(
        server: Server,
        stream: &CreatePlaybackStreamReply,
        meter: Arc<Meter>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let Server { connection, version, questions, message: question } = server;
        let mut incoming = Vec::with_capacity(LONGEST);
        incoming.extend_from_slice(connection.buffer());
        let socket = connection.into_inner();
        socket.set_nonblocking(true)?;
        // Without what it wants to begin with, the server would never play.
        let held = HELD_BYTES.min(stream.requested_bytes.saturating_sub(stream.buffer_attr.pre_buffering));
        Ok(Self {
            socket,
            version,
            channel: stream.channel,
            frame_clock: FrameClock::new(Arc::clone(&meter), Arc::clone(&clock)),
            meter,
            clock,
            wanted: stream.requested_bytes - held,
            pushed: 0,
            questions,
            asked: None,
            bursts: 0,
            question,
            outgoing: Vec::with_capacity(BUFFER_BYTES as usize + HEADERS),
            sent: 0,
            incoming,
            dry: None,
            doubts: 0,
            stood_still: false,
            paused: false,
        })
    }

    /// Sends what was pushed, and waits until the server says something. When it asks for more, it is now and then asked in
    /// turn when its last frame will leave: its sink has just worked, and knows its latency best.
    fn exchange(&mut self) -> Result<(), ProtocolError> {
        if self.doubts > 0 || !self.frame_clock.is_sure() {
            self.ask()?;
            self.send()?;
            thread::sleep(HURRY);
            return self.listen();
        }
        self.send()?;
        if !self.wait_for_server()? {
            (self.doubts, self.stood_still) = (AFTER_SILENCE, true);
            return Ok(());
        }
        let wanted = self.wanted;
        self.listen()?;
        if self.wanted > wanted {
            self.bursts += 1;
        }
        if self.bursts >= QUESTION_EVERY {
            self.bursts = 0;
            self.ask()?;
            self.send()?;
            // Nothing is mixed meanwhile: on a busy machine that would keep the server from its answer.
            self.wait_for_server()?;
            self.listen()?;
        }
        Ok(())
    }

    /// Waits until the server has said something, or takes what it had no room for; whether it did.
    fn wait_for_server(&self) -> io::Result<bool> {
        let unsent = if self.outgoing.is_empty() { PollFlags::empty() } else { PollFlags::POLLOUT };
        let mut events = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN | unsent)];
        match poll(&mut events, PollTimeout::from(LOOK)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::EINTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks when the frame after all that the server has will leave, unless it owes an answer.
    fn ask(&mut self) -> Result<(), ProtocolError> {
        if self.asked.is_some() {
            return Ok(());
        }
        let which = LatencyParams { channel: self.channel, now: SystemTime::UNIX_EPOCH };
        self.question.clear();
        let command = Command::GetPlaybackLatency(which);
        protocol::encode_command_message(&mut self.question, self.questions, &command, self.version)?;
        self.outgoing.extend_from_slice(&self.question);
        self.asked = Some(self.questions);
        self.questions = self.questions.wrapping_add(1);
        Ok(())
    }

    /// Sends what the socket has room for.
    fn send(&mut self) -> Result<(), ProtocolError> {
        while let Some(left) = self.outgoing.get(self.sent..).filter(|left| !left.is_empty()) {
            match self.socket.write(left) {
                Ok(bytes) => self.sent += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.outgoing.clear();
        self.sent = 0;
        Ok(())
    }

    /// Reads and understands what the server has said.
    fn listen(&mut self) -> Result<(), ProtocolError> {
        let mut buffer = [0; 1_024];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(bytes) => {
                    self.incoming.extend_from_slice(buffer.get(..bytes).unwrap_or_default());
                    if bytes < buffer.len() {
                        break; // that was all
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.understand()
    }

    /// Understands the messages that came whole.
    fn understand(&mut self) -> Result<(), ProtocolError> {
        let mut incoming = std::mem::take(&mut self.incoming);
        let mut at = 0;
        while let Some((message, end)) = message(&incoming, at)? {
            self.hear(message)?;
            at = end;
        }
        incoming.drain(..at);
        self.incoming = incoming;
        Ok(())
    }

    /// A message of the server's. Of the hundred commands few concern a stream that plays.
    fn hear(&mut self, mut message: &[u8]) -> Result<(), ProtocolError> {
        match Command::read_tag_prefixed(&mut message, self.version)? {
            (_, Command::Request(request)) if request.channel == self.channel => {
                self.wanted = self.wanted.saturating_add(request.length);
                self.meter.call();
            }
            (number, Command::Reply) if self.asked == Some(number) => {
                self.asked = None;
                let latency = TagStructReader::new(&mut message, self.version).read()?;
                self.learn(&latency);
            }
            (_, Command::Underflow(which)) if which.channel == self.channel => {
                self.run_dry(frames(which.offset));
            }
            (_, Command::PlaybackStreamKilled(_)) => {
                return Err(io::Error::from(io::ErrorKind::NotConnected).into());
            }
            (_, Command::Error(error)) => return Err(ProtocolError::ServerError(error)),
            _ => {}
        }
        Ok(())
    }

    /// The server has played all that it had. When the next frame leaves is known no more, at once: else what starts now would
    /// be placed by a clock that lags. Where the hole is, is known; for how long, only when the clock is sure again.
    fn run_dry(&mut self, after: u64) {
        let after = after.clamp(self.meter.taken().min(self.pushed), self.pushed);
        // None where that is known not to have been a hole: before the first sound, and after a rest.
        let due = self.meter.leaves_at(after);
        // It was so before, and how long that took was to be seen: each hole is told by itself, as a piece may have begun in
        // between. Few answers are better than none.
        if let Some(before) = self.dry.take_if(|_| due.is_some()) {
            self.tell(before);
        }
        self.meter.reach(after);
        self.dry = match self.dry {
            Some(Dry { hole: Hole { from, to }, due }) => {
                let due = due + duration_of(after.saturating_sub(to));
                Some(Dry { hole: Hole { from, to: after.max(to) }, due })
            }
            None => due.map(|due| Dry { hole: Hole::after(after), due }),
        };
        self.frame_clock.restart();
    }

    /// Tells of a hole, now that the clock says when the frame after it leaves.
    fn tell(&self, Dry { hole, due }: Dry) {
        let leaves = self.meter.leaves_at(hole.to).unwrap_or(due);
        let stall = Stall { time: leaves.saturating_sub(due), hole };
        if self.stood_still {
            self.meter.stall(stall);
        } else {
            self.meter.starve(frames_during(stall.time), hole);
        }
        // Before the engine looks there may be another one.
        self.meter.leave_hole(leaves);
    }

    /// What the server knew when it was asked.
    fn learn(&mut self, latency: &PlaybackLatency) {
        self.doubts = self.doubts.saturating_sub(1);
        let lead = lead(latency, self.clock.now());
        let stall = self.frame_clock.read(frames(latency.write_offset), lead);
        let is_sure = self.frame_clock.is_sure();
        if let Some(dry) = self.dry.take_if(|_| is_sure) {
            self.tell(dry);
        } else if let (Some(stall), None) = (stall, self.dry) {
            self.meter.stall(stall);
        }
        // What comes after a hole has not left, for who asks, before it is known how long that was.
        if self.dry.is_none() {
            self.meter.reach(frames(latency.read_offset.min(latency.write_offset)));
            self.stood_still &= !is_sure;
        }
    }
}

impl Way for Player {
    fn push(&mut self, samples: &[f32]) -> bool {
        if std::mem::take(&mut self.paused) {
            // The server ran dry meanwhile, as it was to; when the next frames leave is to be learnt anew.
            self.frame_clock.restart();
            self.dry = None;
        }
        if self.doubts > 0 {
            return false;
        }
        let Ok(bytes) = u32::try_from(size_of_val(samples)) else { return false };
        let room = self.outgoing.capacity() - self.outgoing.len() >= bytes as usize + HEADERS / 2;
        if bytes > self.wanted || !room {
            return false;
        }
        self.wanted -= bytes;
        let mut header = [0; protocol::DESCRIPTOR_SIZE];
        let about =
            Descriptor { length: bytes, channel: self.channel, offset: 0, flags: DescriptorFlags::empty() };
        protocol::encode_descriptor(&mut header, &about);
        self.outgoing.extend_from_slice(&header);
        self.outgoing.extend_from_slice(bytemuck::cast_slice(samples));
        self.pushed += frames_of(samples);
        true
    }

    fn wait(&mut self) {
        if let Err(error) = self.exchange() {
            debug!(error = &error as &dyn std::error::Error, "the sound server's stream has ended");
            self.meter.end();
        }
    }

    fn queued(&self) -> u64 {
        self.pushed.saturating_sub(self.meter.taken())
    }

    fn pause(&mut self) {
        self.paused = true;
    }
}

/// Bytes of so many frames, as they are sent.
#[expect(clippy::cast_possible_truncation, reason = "a few thousand frames")]
const fn bytes_of(frames: usize) -> u32 {
    frames as u32 * FRAME_BYTES
}

/// Frames in so many bytes of the stream.
fn frames(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or(0) / u64::from(FRAME_BYTES)
}

/// The message that begins at a byte of what came, and the byte after it; none if it did not come whole.
fn message(incoming: &[u8], at: usize) -> Result<Option<(&[u8], usize)>, ProtocolError> {
    let left = incoming.get(at..).unwrap_or_default();
    let Some((mut header, rest)) = left.split_at_checked(protocol::DESCRIPTOR_SIZE) else { return Ok(None) };
    let length = protocol::read_descriptor(&mut header)?.length as usize;
    if length > LONGEST {
        return Err(ProtocolError::Invalid(format!("a message of {length} bytes")));
    }
    Ok(rest.get(..length).map(|message| (message, at + protocol::DESCRIPTOR_SIZE + length)))
}

/// How long after `now` the frame after all that the server had will leave: what lay in the stream's buffer and in the
/// sink's, when it looked. Zero, which says nothing, while nothing plays or where the answer is old.
fn lead(latency: &PlaybackLatency, now: Timestamp) -> Duration {
    let ago = Timestamp::try_from(latency.remote_time)
        .ok()
        .and_then(|looked| Duration::try_from(now.duration_since(looked)).ok())
        .unwrap_or_default();
    if !latency.playing || ago > STALE {
        return Duration::ZERO;
    }
    let queued = u64::try_from(latency.write_offset.saturating_sub(latency.read_offset)).unwrap_or(0);
    let frames = queued / u64::from(FRAME_BYTES);
    (Duration::from_micros(latency.sink_usec) + duration_of(frames)).saturating_sub(ago)
}

#[cfg(test)]
mod tests;
