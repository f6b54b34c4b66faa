//! Sound devices by stable name: which there are, and opening one with our own callback. Cards through rodio's cpal, the
//! sound server's sinks through a client of our own (`pulse.rs`).

use std::any::Any;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use nix::unistd::{AccessFlags, access};
use rodio::cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use rodio::cpal::{
    self, BufferSize, Device, DeviceId, HostId, OutputCallbackInfo, SampleFormat, StreamConfig,
    SupportedStreamConfigRange,
};
use serde::Serialize;

use super::OutputError;
use super::feed::{self, Feed, Line, Meter};
use super::pulse::{self, PulseError, Server};
use crate::clock::Clock;
use crate::frames::AIR_RATE;

/// Frames of one callback: 42.7 ms.
///
/// The device's latency is twice that. It does not matter to starts, which are placed ahead; an interrupt feels it. Less
/// costs processor time, and below 1 024 the sound of a busy machine has holes; more, and an emergency is late.
pub const PERIOD_FRAMES: u32 = 2_048;
/// Formats that are asked of a device, the best first.
const FORMATS: [SampleFormat; 3] = [SampleFormat::F32, SampleFormat::I32, SampleFormat::I16];
/// How long the sound server may take to set a stream up.
const BUILD_LIMIT: Duration = Duration::from_secs(2);
/// Errors of one stream from which on its thread is slowed down: a lost ALSA device reports 1.5 million a second, at
/// realtime priority, and would hold a processor until the supervisor has noticed.
const STORM: u64 = 50;
/// A pause of a stream's thread that is slowed down.
const SLOW: Duration = Duration::from_millis(5);

/// What a device is called: `default`, or host and device as in `alsa:plughw:CARD=0,DEV=0`, `pulseaudio:NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceName(Option<DeviceId>);

impl FromStr for DeviceName {
    type Err = OutputError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name == "default" {
            return Ok(Self(None));
        }
        let none = || OutputError::Name(name.to_owned());
        let id: DeviceId = name.parse().map_err(|_| none())?;
        if id.id().is_empty() {
            return Err(none());
        }
        if id.host() == HostId::Alsa && id.id() == "null" {
            return Err(OutputError::Timeless(name.to_owned()));
        }
        Ok(Self(Some(id)))
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("default"),
            Some(id) => id.fmt(f),
        }
    }
}

/// A device could not be opened, this time.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The sound system is not there.
    #[error("the sound system {0} does not answer")]
    Host(HostId, #[source] cpal::Error),
    /// The sound server is not there, or has no such sink.
    #[error("cannot play on device {0}")]
    Server(DeviceName, #[source] PulseError),
    /// It has no such device.
    #[error("there is no device {0}")]
    NotFound(DeviceName),
    /// The device does not say what it can do, often because another program holds it.
    #[error("device {0} does not say what it can do")]
    Formats(DeviceName, #[source] cpal::Error),
    /// The device takes nothing that we give.
    #[error(
        "device {0} does not take 48 kHz in one or two channels as 16 or 32 bits; its `plughw` form converts"
    )]
    Unsuited(DeviceName),
    /// The device did not take a stream.
    #[error("cannot play on device {0}")]
    Stream(DeviceName, #[source] cpal::Error),
    /// The sound system hangs.
    #[error("opening device {0} takes too long")]
    TimedOut(DeviceName),
    /// It hangs again and again.
    #[error(
        "{1} attempts to open or close device {0} hang; the next one is put off; if this lasts, restart the sound server or the machine"
    )]
    Hangs(DeviceName, usize),
    /// A thread could not be started.
    #[error("cannot start a thread for device {0}")]
    Thread(DeviceName, #[source] std::io::Error),
}

/// A device of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceInfo {
    /// Its stable name, to be written in the schedule.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether `default` means it at the moment.
    pub is_default: bool,
    /// The sample formats that it takes at 48 kHz, as `f32`, `i16`; empty if it cannot be used.
    pub formats: Vec<String>,
}

/// All output devices of all sound systems that answer. Takes seconds where one of them hangs.
pub fn devices() -> Vec<DeviceInfo> {
    let any = DeviceName(None);
    let default = if is_on_server(&any) {
        sink(&any).map(|(_, sink)| id_of(&sink.name)).ok()
    } else {
        card(&any).ok().and_then(|card| card.id().ok()).map(|id| id.to_string())
    };
    let is_default = |id: &str| default.as_deref() == Some(id);
    let sinks = Server::connect().and_then(|mut server| server.sinks()).unwrap_or_default();
    let sinks = sinks.into_iter().map(|sink| {
        let id = id_of(&sink.name);
        let formats = vec![SampleFormat::F32.to_string()];
        DeviceInfo { is_default: is_default(&id), id, name: sink.description, formats }
    });
    let cards = cpal::host_from_id(HostId::Alsa).and_then(|host| host.devices());
    let cards = cards.into_iter().flatten().filter_map(|card| {
        let id = card.id().ok().filter(|id| card.supports_output() && id.id() != "null")?.to_string();
        let formats =
            formats(&card).unwrap_or_default().iter().map(|(format, _)| format.to_string()).collect();
        Some(DeviceInfo { is_default: is_default(&id), id, name: card.to_string(), formats })
    });
    let mut found: Vec<_> = sinks.chain(cards).collect();
    // Those that work first; otherwise in the order of the sound systems.
    found.sort_by_key(|device| (!device.is_default, device.formats.is_empty()));
    found
}

/// Whether a device is a sink of the sound server, and not a card. `default` is the server's, where there is one: never
/// that of the other when the first is down, and a device that was named is never replaced by another.
fn is_on_server(name: &DeviceName) -> bool {
    match &name.0 {
        None => pulseaudio::socket_path_from_env().is_some(),
        Some(id) => id.host() == HostId::PulseAudio,
    }
}

/// The stable name of the sound server's sink.
fn id_of(sink: &str) -> String {
    DeviceId::new(HostId::PulseAudio, sink).to_string()
}

/// Finds a sink of the sound server.
fn sink(name: &DeviceName) -> Result<(Server, pulse::Sink), OpenError> {
    Server::connect()
        .and_then(|mut server| {
            let sink = server.sink(name.0.as_ref().map(DeviceId::id))?;
            Ok((server, sink))
        })
        .map_err(|source| OpenError::Server(name.clone(), source))
}

/// Finds a card, without opening it.
fn card(name: &DeviceName) -> Result<Device, OpenError> {
    if name.0.is_none() && !has_card() {
        return Err(OpenError::NotFound(name.clone()));
    }
    let host = cpal::host_from_id(HostId::Alsa).map_err(|source| OpenError::Host(HostId::Alsa, source))?;
    let found = match &name.0 {
        None => host.default_output_device(),
        Some(id) => host.device_by_id(id),
    };
    found.ok_or_else(|| OpenError::NotFound(name.clone()))
}

/// Whether ALSA may have something to play on: a card, or what somebody configured. To ask ALSA itself would make its
/// library complain on the terminal, some lines for each attempt.
pub fn has_card() -> bool {
    let plays = |name: &str| name.starts_with("pcm") && name.ends_with('p');
    let cards = std::fs::read_dir("/dev/snd").into_iter().flatten().flatten();
    let own = std::env::var_os("HOME").map(|home| Path::new(&home).join(".asoundrc"));
    cards.map(|entry| entry.file_name()).any(|name| name.to_str().is_some_and(plays))
        || std::env::var_os("ALSA_CONFIG_PATH").is_some()
        || Path::new("/etc/asound.conf").exists()
        || own.is_some_and(|file| file.exists())
}

/// Whether this machine has no device of a name, as far as this user can see: nothing is opened, and what does not answer
/// is not held against the name.
pub fn is_missing(name: &str) -> bool {
    let Ok(name) = name.parse::<DeviceName>() else { return false };
    let Some(id) = &name.0 else { return false };
    if is_on_server(&name) {
        let sinks = Server::connect().and_then(|mut server| server.sinks());
        return sinks.is_ok_and(|sinks| sinks.iter().all(|sink| sink.name != id.id()));
    }
    sees_cards() && (!has_card() || matches!(card(&name), Err(OpenError::NotFound(_))))
}

/// Whether this user may ask every card what it is: ALSA leaves out those that do not answer.
fn sees_cards() -> bool {
    let all = std::fs::read_dir("/dev/snd").into_iter().flatten().flatten();
    let mut controls = all.filter(|entry| entry.file_name().to_string_lossy().starts_with("controlC"));
    controls.all(|control| access(&control.path(), AccessFlags::R_OK | AccessFlags::W_OK).is_ok())
}

/// Whether this machine has a sound server or a card.
pub fn has_sound() -> bool {
    let server = std::env::var_os("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("pulse/native"));
    std::env::var_os("PULSE_SERVER").is_some() || server.is_some_and(|socket| socket.exists()) || has_card()
}

/// Whether a device is there and could be opened, for all one can tell without sound.
pub(super) fn probe(name: &DeviceName) -> Result<(), OpenError> {
    if is_on_server(name) {
        return sink(name).map(drop);
    }
    card(name)?
        .supported_output_configs()
        .map(drop)
        .map_err(|source| OpenError::Formats(name.clone(), source))
}

/// What a device takes of what we give, the best first: sample formats with the number of audio channels.
fn formats(device: &Device) -> Result<Vec<(SampleFormat, u16)>, cpal::Error> {
    let ranges: Vec<SupportedStreamConfigRange> =
        device.supported_output_configs()?.filter(|range| range.contains_rate(AIR_RATE)).collect();
    let takes = |format, channels| {
        ranges.iter().any(|range| range.sample_format() == format && range.channels() == channels)
    };
    Ok(FORMATS
        .into_iter()
        .filter_map(|format| {
            [2, 1].into_iter().find(|channels| takes(format, *channels)).map(|n| (format, n))
        })
        .collect())
}

/// An opened device that plays what comes through a line.
pub(super) struct Opened {
    pub(super) stream: Stream,
    pub(super) line: Line,
    pub(super) realtime: bool,
}

/// What keeps a device playing. Dropped, it stops.
pub(super) type Stream = Box<dyn Any + Send>;

/// Opens a device and lets it run. May block for as long as the sound system likes.
pub(super) fn open(name: &DeviceName, clock: Arc<dyn Clock>, realtime: bool) -> Result<Opened, OpenError> {
    let (stream, line) = if is_on_server(name) { open_sink(name, clock)? } else { open_card(name, clock)? };
    Ok(Opened { stream, line, realtime })
}

fn open_sink(name: &DeviceName, clock: Arc<dyn Clock>) -> Result<(Stream, Line), OpenError> {
    let (server, sink) = sink(name)?;
    let meter = Arc::new(Meter::new());
    let stream = server.play(&sink, Arc::clone(&meter), clock);
    stream
        .map(|(stream, player)| {
            (Box::new(stream) as Stream, Line { way: Box::new(player), meter, device: id_of(&sink.name) })
        })
        .map_err(|source| OpenError::Server(name.clone(), source))
}

fn open_card(name: &DeviceName, clock: Arc<dyn Clock>) -> Result<(Stream, Line), OpenError> {
    let device = card(name)?;
    let takes = formats(&device).map_err(|source| OpenError::Formats(name.clone(), source))?;
    let Some(&(format, channels)) = takes.iter().max_by_key(|(_, channels)| *channels) else {
        return Err(OpenError::Unsuited(name.clone()));
    };
    let stable = device.id().map_or_else(|_| name.to_string(), |id| id.to_string());
    let (line, feed) = feed::line(stable, usize::from(channels), clock);
    let config =
        StreamConfig { channels, sample_rate: AIR_RATE, buffer_size: BufferSize::Fixed(PERIOD_FRAMES) };
    let meter = Arc::clone(&line.meter);
    let stream = if format == SampleFormat::I16 {
        build::<i16>(&device, config, feed, meter)
    } else if format == SampleFormat::I32 {
        build::<i32>(&device, config, feed, meter)
    } else {
        build::<f32>(&device, config, feed, meter)
    };
    let stream = stream.and_then(|stream| stream.play().map(|()| stream));
    stream
        .map(|stream| (Box::new(stream) as Stream, line))
        .map_err(|source| OpenError::Stream(name.clone(), source))
}

fn build<T: cpal::SizedSample + cpal::FromSample<f32> + Send + 'static>(
    device: &Device,
    config: StreamConfig,
    mut feed: Feed,
    meter: Arc<Meter>,
) -> Result<cpal::Stream, cpal::Error> {
    let given_up = Arc::clone(&meter);
    let play = move |buffer: &mut [T], info: &OutputCallbackInfo| {
        let at = info.timestamp();
        feed.fill(buffer, at.playback.saturating_duration_since(at.callback));
        // Given up, as one that asks without a pause may be: until it is closed it holds no processor.
        if given_up.has_ended() {
            std::thread::sleep(SLOW);
        }
    };
    let fail = move |error: cpal::Error| {
        if matches!(error.kind(), cpal::ErrorKind::DeviceNotAvailable | cpal::ErrorKind::StreamInvalidated) {
            meter.end();
        }
        if meter.error() > STORM {
            std::thread::sleep(SLOW);
        }
    };
    device.build_output_stream(config, play, fail, Some(BUILD_LIMIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_and_given_back_as_written() {
        for name in ["default", "alsa:plughw:CARD=0,DEV=0", "pulseaudio:playout"] {
            assert_eq!(name.parse::<DeviceName>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_card_that_is_not_there_is_missing_for_who_may_see_the_cards() {
        assert_eq!(is_missing("alsa:plughw:CARD=NoSuchCard,DEV=0"), sees_cards());
        for name in ["default", "null", "wav:/tmp/a.wav", "pulseaudio:"] {
            assert!(!is_missing(name), "{name}");
        }
    }

    #[test]
    fn a_device_that_keeps_no_time_is_refused() {
        assert!(matches!("alsa:null".parse::<DeviceName>(), Err(OutputError::Timeless(_))));
    }

    #[test]
    fn a_name_without_a_sound_system_is_refused() {
        for name in ["", "alsa:", "hw:0,0", "oss:/dev/dsp", "loa-xa"] {
            assert!(matches!(name.parse::<DeviceName>(), Err(OutputError::Name(_))), "{name}");
        }
    }
}
