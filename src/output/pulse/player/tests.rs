//! A player against a server's end of its socket.

use std::io::{BufReader, Read as _, Write as _};
use std::thread::JoinHandle;

use pulseaudio::protocol::{Request, Underflow};

use super::*;
use crate::clock::ManualClock;
use crate::output::{CHANNELS, CHUNK_FRAMES};

const CHANNEL: u32 = 3;
const CHUNK_BYTES: u32 = bytes_of(CHUNK_FRAMES);
const SINK: Duration = Duration::from_millis(10);

fn chunk(sample: f32) -> [f32; CHUNK_FRAMES * CHANNELS] {
    [sample; CHUNK_FRAMES * CHANNELS]
}

/// The server's end: what it was sent, and what it plays.
struct Peer {
    socket: UnixStream,
    clock: Arc<ManualClock>,
    /// What came of a message that is not whole.
    heard: Vec<u8>,
    sound: Vec<u8>,
    /// Frames that it has played.
    played: u64,
}

/// A player for which the server wants so many chunks to begin with, and that server.
fn player(chunks: u32) -> (Player, Peer, Arc<Meter>) {
    player_of(HELD_BYTES + chunks * CHUNK_BYTES, chunks)
}

/// The same where the server asks for so many bytes.
fn player_of(requested_bytes: u32, chunks: u32) -> (Player, Peer, Arc<Meter>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_000).unwrap()));
    clock.advance(Duration::from_secs(100));
    let server = Server {
        connection: BufReader::new(ours),
        version: protocol::MAX_VERSION,
        questions: 7,
        message: Vec::with_capacity(64), // as after what was asked before
    };
    let begin = chunks * CHUNK_BYTES;
    let stream = CreatePlaybackStreamReply {
        channel: CHANNEL,
        requested_bytes,
        buffer_attr: protocol::stream::BufferAttr { pre_buffering: begin, ..Default::default() },
        ..Default::default()
    };
    let meter = Arc::new(Meter::new());
    let told = Arc::clone(&clock) as Arc<dyn Clock>;
    let player = Player::new(server, &stream, Arc::clone(&meter), told).unwrap();
    let peer = Peer { socket: theirs, clock, heard: Vec::new(), sound: Vec::new(), played: 0 };
    (player, peer, meter)
}

impl Peer {
    /// Takes in what was sent; the numbers of the questions in it.
    fn hear(&mut self) -> Vec<u32> {
        let end = self.socket.read_to_end(&mut self.heard);
        assert!(end.is_ok() || end.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock));
        let (heard, mut at, mut questions) = (std::mem::take(&mut self.heard), 0, Vec::new());
        // The last message may not have come whole: the socket took what it had room for.
        while let Some((mut payload, end)) = message(&heard, at).unwrap() {
            let about = protocol::read_descriptor(&mut &heard[at..]).unwrap();
            at = end;
            if about.channel == u32::MAX {
                let (number, asked) =
                    Command::read_tag_prefixed(&mut payload, protocol::MAX_VERSION).unwrap();
                assert!(matches!(asked, Command::GetPlaybackLatency(which) if which.channel == CHANNEL));
                questions.push(number);
            } else {
                assert_eq!(about.channel, CHANNEL);
                self.sound.extend_from_slice(payload);
            }
        }
        self.heard.extend_from_slice(&heard[at..]);
        questions
    }

    fn say(&mut self, command: &Command) {
        let mut message = Vec::new();
        protocol::encode_command_message(&mut message, u32::MAX, command, protocol::MAX_VERSION).unwrap();
        self.socket.write_all(&message).unwrap();
    }

    fn want(&mut self, chunks: u32) {
        self.say(&Command::Request(Request { channel: CHANNEL, length: chunks * CHUNK_BYTES }));
    }

    /// Answers a question: the sink holds 10 ms, and this is when the server looked.
    fn answer(&mut self, number: u32) {
        let latency = PlaybackLatency {
            sink_usec: SINK.as_micros().try_into().unwrap(),
            source_usec: 0,
            playing: true,
            local_time: SystemTime::UNIX_EPOCH,
            remote_time: self.clock.now().into(),
            write_offset: self.sound.len().try_into().unwrap(),
            read_offset: i64::try_from(self.played * u64::from(FRAME_BYTES)).unwrap(),
            underrun_for: 0,
            playing_for: 0,
        };
        let mut message = Vec::new();
        protocol::encode_reply_message(&mut message, number, &latency, protocol::MAX_VERSION).unwrap();
        self.socket.write_all(&message).unwrap();
    }

    /// Answers what was asked, and plays a chunk if it has one: time passes, and another is wanted.
    fn play(&mut self) {
        let questions = self.hear();
        if self.sound.len() as u64 >= (self.played + CHUNK_FRAMES as u64) * u64::from(FRAME_BYTES) {
            self.clock.advance(duration_of(CHUNK_FRAMES as u64));
            self.played += CHUNK_FRAMES as u64;
            self.want(1);
        }
        for number in questions {
            self.answer(number);
        }
    }
}

/// The samples of a sound as they are sent.
fn bytes(sound: &[f32]) -> Vec<u8> {
    sound.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// So many chunks of sound, each as soon as it is taken.
fn play(player: &mut Player, peer: &mut Peer, chunks: u32) {
    for _ in 0..chunks {
        while !player.push(&chunk(0.5)) {
            player.wait();
            peer.play();
        }
    }
}

#[test]
fn what_is_wanted_goes_out_whole_with_a_question_and_the_answer_sets_the_clock() {
    let (mut player, mut peer, meter) = player(2);
    assert!(player.push(&chunk(0.25)) && player.push(&chunk(-0.5)));
    assert!(!player.push(&chunk(0.75)), "more than is wanted is not taken");
    assert_eq!((player.queued(), meter.leaves_at(2_048)), (2_048, None));
    player.wait();
    let questions = peer.hear();
    assert!(peer.sound == [bytes(&chunk(0.25)), bytes(&chunk(-0.5))].concat());
    assert_eq!(questions, [7]);
    peer.played = 512;
    peer.answer(7);
    peer.want(1);
    // What the server said 4 ms ago is no less true.
    let looked = peer.clock.elapsed();
    peer.clock.advance(Duration::from_millis(4));
    player.wait();
    assert_eq!((meter.taken(), player.queued()), (512, 1_536));
    assert_eq!(meter.leaves_at(2_048), Some(looked + SINK + duration_of(1_536)));
    assert!(player.push(&chunk(0.75)), "the next one that is wanted");
}

#[test]
fn what_is_held_back_never_keeps_the_server_from_beginning() {
    for (asked, held) in
        [(10 * CHUNK_BYTES, 0), (11 * CHUNK_BYTES, CHUNK_BYTES), (99 * CHUNK_BYTES, HELD_BYTES)]
    {
        let (player, ..) = player_of(asked, 10);
        assert_eq!(player.wanted, asked - held);
    }
}

#[test]
fn what_comes_in_pieces_is_understood_once_it_is_whole() {
    let (mut player, mut peer, _) = player(0);
    let mut message = Vec::new();
    let request = Command::Request(Request { channel: CHANNEL, length: CHUNK_BYTES });
    protocol::encode_command_message(&mut message, u32::MAX, &request, protocol::MAX_VERSION).unwrap();
    let last = message.split_off(message.len() - 3);
    for (piece, taken) in [(&message[..9], false), (&message[9..], false), (&last[..], true)] {
        peer.socket.write_all(piece).unwrap();
        player.wait();
        assert_eq!(player.push(&chunk(0.0)), taken);
    }
}

#[test]
fn the_servers_end_is_told() {
    let (mut player, peer, meter) = player(1);
    player.wait();
    assert!(!meter.has_ended());
    drop(peer);
    player.wait();
    assert!(meter.has_ended());
    let (mut player, mut peer, meter) = self::player(1);
    peer.say(&Command::PlaybackStreamKilled(CHANNEL));
    player.wait();
    assert!(meter.has_ended(), "its sink was removed");
}

#[test]
fn silence_is_laid_to_whom_it_belongs() {
    for ran_dry in [true, false] {
        let (mut player, mut peer, meter) = player(2);
        play(&mut player, &mut peer, 40);
        assert_eq!((meter.starved(), meter.stalled()), (0, Duration::ZERO));
        let played = peer.played;
        if ran_dry {
            let offset = i64::try_from(played * u64::from(FRAME_BYTES)).unwrap();
            peer.say(&Command::Underflow(Underflow { channel: CHANNEL, offset }));
        }
        peer.clock.advance(Duration::from_millis(100));
        play(&mut player, &mut peer, 40);
        let stalled = frames_during(meter.stalled()); // a reading is exact to a microsecond
        let expected = (4_800, if ran_dry { 0 } else { 4_800 });
        assert_eq!((meter.starved(), stalled), expected, "once, and in full");
        let Hole { from, to } = meter.hole();
        assert!((from..=to).contains(&played), "{from}..={to} after {played}");
        assert!(to - from <= if ran_dry { 0 } else { 4 * CHUNK_FRAMES as u64 });
    }
}

/// The server runs dry where it is, for so long.
fn run_dry(peer: &mut Peer, time: Duration) -> u64 {
    let offset = i64::try_from(peer.played * u64::from(FRAME_BYTES)).unwrap();
    peer.say(&Command::Underflow(Underflow { channel: CHANNEL, offset }));
    peer.clock.advance(time);
    peer.played
}

#[test]
fn of_two_holes_close_together_each_has_its_place_and_its_length() {
    for (between, apart) in [(3, true), (0, false)] {
        let (mut player, mut peer, meter) = player(2);
        play(&mut player, &mut peer, 40);
        let before = run_dry(&mut peer, Duration::from_millis(100));
        if !apart {
            peer.played += 512; // that was all it had, and nobody asked it meanwhile
        }
        play(&mut player, &mut peer, between);
        assert_eq!(meter.starved(), 0, "its length is not known");
        let after = run_dry(&mut peer, Duration::from_millis(200));
        player.wait();
        if apart {
            assert!(before < after);
            assert_eq!((meter.starved(), meter.hole()), (4_800, Hole::after(before)));
            let due = meter.hole_leaves().unwrap() + duration_of(after - before);
            assert_eq!(meter.leaves_at(after), None);
            play(&mut player, &mut peer, 40);
            assert_eq!((meter.starved(), meter.hole()), (14_400, Hole::after(after)));
            let leaves = meter.hole_leaves().unwrap();
            // A reading is exact to a microsecond.
            assert!(leaves.abs_diff(due + Duration::from_millis(200)) < Duration::from_micros(2));
        } else {
            play(&mut player, &mut peer, 40);
            let all = Hole { from: before, to: after };
            assert_eq!((meter.starved(), meter.hole()), (14_400 - 512, all));
        }
    }
}

#[test]
fn a_clock_that_lags_tells_no_time_and_what_comes_after_a_hole_has_not_left_before_its_length_is_known() {
    let (mut player, mut peer, meter) = player(2);
    play(&mut player, &mut peer, 40);
    assert!(meter.leaves_at(player.pushed).is_some());
    // Until all that it had is played the server says nothing more, and then for a second.
    peer.hear();
    let all = u64::try_from(peer.sound.len()).unwrap() / u64::from(FRAME_BYTES);
    peer.clock.advance(duration_of(all - peer.played) + Duration::from_secs(1));
    peer.played = all;
    let offset = i64::try_from(peer.sound.len()).unwrap();
    peer.say(&Command::Underflow(Underflow { channel: CHANNEL, offset }));
    peer.want(2);
    player.wait();
    assert_eq!((meter.leaves_at(player.pushed), player.queued()), (None, player.pushed - all));
    while meter.starved() == 0 {
        assert_eq!(meter.taken(), all);
        play(&mut player, &mut peer, 1);
    }
    assert_eq!((meter.starved(), meter.hole()), (48_000, Hole::after(all)));
    play(&mut player, &mut peer, 2);
    assert!(meter.taken() > all);
}

#[test]
fn after_a_silence_of_the_servers_nothing_is_pushed_before_it_has_answered() {
    let (mut player, mut peer, meter) = player(2);
    while !player.frame_clock.is_sure() {
        while !player.push(&chunk(0.5)) {
            player.wait();
            peer.play();
        }
    }
    while player.doubts == 0 {
        while player.push(&chunk(0.5)) {}
        player.wait(); // in vain, once all was heard that it had said
    }
    peer.want(4);
    player.wait();
    assert!(player.wanted >= 4 * CHUNK_BYTES);
    let mut answers = 0;
    while !player.push(&chunk(0.5)) {
        for number in peer.hear() {
            peer.answer(number);
            answers += 1;
        }
        player.wait();
    }
    assert!(answers >= AFTER_SILENCE && !meter.has_ended());
}

#[test]
fn nothing_is_allocated_while_it_plays() {
    let (mut player, mut peer, meter) = player(10);
    let chunks = 100;
    let server: JoinHandle<Peer> = thread::spawn(move || {
        while peer.sound.len() < chunks * CHUNK_BYTES as usize {
            peer.play();
            thread::yield_now();
        }
        peer // A server that goes would end the stream.
    });
    let counted = allocation_counter::measure(|| {
        for _ in 0..chunks {
            while !player.push(&chunk(0.5)) && !meter.has_ended() {
                player.wait();
            }
        }
        player.wait();
    });
    let _server = server.join().unwrap();
    assert_eq!(counted.count_total, 0);
    assert!(!meter.has_ended() && meter.taken() > 0);
}

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
fn the_next_frame_leaves_after_what_is_queued_less_the_time_since_the_server_looked() {
    let looked = Timestamp::from_second(1_000).unwrap();
    assert_eq!(lead(&latency(true), looked), Duration::from_millis(1_020));
    assert_eq!(lead(&latency(true), looked + Duration::from_millis(110)), Duration::from_millis(910));
}

#[test]
fn an_answer_that_says_nothing_gives_no_reading() {
    let looked = Timestamp::from_second(1_000).unwrap();
    assert_eq!(lead(&latency(false), looked), Duration::ZERO, "nothing plays");
    assert_eq!(lead(&latency(true), looked + Duration::from_secs(1)), Duration::ZERO, "too old");
    let stepped_back = looked - Duration::from_secs(60);
    assert_eq!(lead(&latency(true), stepped_back), Duration::from_millis(1_020));
}
