//! symphonia behind one type and one error: a file handle in, blocks of mono or stereo samples out.
//!
//! The decoders' own gapless trimming stays off: it trusts a guessed length, and so cut 4 s from an MP3 with a variable
//! bit rate and no header, and half of two MP3 files put one after the other. Only the encoder's delay is cut here, at
//! the front, where it is written down; the padding at the end is left to the cue-out that ingest measures.

use std::fmt;
use std::io;
use std::sync::LazyLock;

use symphonia::core::audio::{Channels, GenericAudioBufferRef, Position};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_OPUS};
use symphonia::core::codecs::audio::{AudioCodecId, AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, SeekMode, SeekTo, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::{MetadataOptions, MetadataRevision, StandardTag};
use symphonia::core::units::Timestamp;

/// Bad packets in a row after which the rest of a file is given up: a reader that cannot find its place again may
/// otherwise turn for ever.
const MAX_BAD_READS: u32 = 64;

/// Decoded before a place that was sought, so that a decoder which builds upon what came before is as it would be: an
/// MP3 frame reaches back over at most nine others, a quarter of a second.
const RUN_UP_SECONDS: u64 = 2;

/// Highest sample rate taken: beyond it a header is damaged, or no recording.
const MAX_SAMPLE_RATE: u32 = 384_000;

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
    codecs
});

/// Why a file gives no sound.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No known container, or none with sound in it.
    #[error("no audio found in the file")]
    NotAudio,
    /// The container is known, its codec is not.
    #[error("no decoder for `{codec}`")]
    UnsupportedCodec {
        /// The codec's name, or its number where it has none.
        codec: String,
    },
    /// Everything looked right, and not one packet could be decoded.
    #[error("not one packet of the file could be decoded")]
    NothingDecoded {
        /// Frames the container promised, when it did: a promise without sound is a file cut off.
        declared: Option<u64>,
    },
    /// The disk failed.
    #[error("cannot read the file")]
    Read(#[source] io::Error),
}

/// Samples as decoded: interleaved, in the file's own sample rate.
#[derive(Debug, Default, Clone)]
pub struct Block {
    /// Interleaved samples, `frames × channels`.
    pub samples: Vec<f32>,
    /// 1 or 2; more are mixed down.
    pub channels: usize,
}

/// Sample rate and channels of what a decoder gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Frames per second.
    pub sample_rate: u32,
    /// Channels in the file.
    pub channels_in_file: u16,
    /// Channels given: 1 or 2.
    pub channels: usize,
}

/// What a file says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// The title.
    pub title: Option<String>,
    /// Who made it.
    pub artist: Option<String>,
}

/// Decodes one file from its beginning.
pub struct Decoder {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: Track,
    codec: AudioCodecId,
    shape: Shape,
    /// Holds the first block until it is asked for: the shape of a stream is only sure once something is decoded.
    block: Block,
    first_is_waiting: bool,
    scratch: Vec<f32>,
    /// Frames of encoder delay still to drop.
    to_trim: usize,
    /// Frames decoded, delay included.
    decoded: u64,
    /// The time stamp of the last packet decoded.
    at: i64,
    skipped: u32,
    truncated: bool,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("codec", &self.codec_name())
            .field("shape", &self.shape)
            .field("decoded", &self.decoded)
            .field("skipped", &self.skipped)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// Finds out what a file is, and decodes as far as its first block. The handle is read from where it stands.
    pub fn open(file: impl MediaSource + 'static) -> Result<Self, DecodeError> {
        let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
        // No hint from the file's name: the content decides, since an `.mp3` is often something else.
        let format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(not_readable)?;
        let (track, decoder) = choose_track(format.as_ref())?;
        let codec = decoder.codec_params().codec;
        // The Opus decoder cuts its pre-skip itself, whatever it is told.
        let delay = if codec == CODEC_ID_OPUS { 0 } else { track.delay.unwrap_or(0) };
        let mut opened = Self {
            format,
            decoder,
            track,
            codec,
            shape: Shape { sample_rate: 0, channels_in_file: 0, channels: 0 },
            block: Block::default(),
            first_is_waiting: false,
            scratch: Vec::new(),
            to_trim: usize::try_from(delay).unwrap_or(0),
            decoded: 0,
            at: 0,
            skipped: 0,
            truncated: false,
        };
        if opened.decode_block()? {
            opened.first_is_waiting = true;
            Ok(opened)
        } else {
            Err(DecodeError::NothingDecoded { declared: opened.declared_frames() })
        }
    }

    /// The next block of one frame or more, `None` at the end.
    pub fn next_block(&mut self) -> Result<Option<&Block>, DecodeError> {
        let there_is_one = std::mem::take(&mut self.first_is_waiting) || self.decode_block()?;
        Ok(there_is_one.then_some(&self.block))
    }

    /// Goes forward to some place before a frame, where the format tells exactly what place that is, and gives the frame
    /// with which the next block begins. `None` when the format cannot: the decoder is then of no more use.
    pub fn seek_before(&mut self, frame: u64) -> Option<u64> {
        let rate = self.shape.sample_rate;
        let target = frame.saturating_sub(RUN_UP_SECONDS * u64::from(rate));
        let counts_frames =
            self.track.time_base.is_some_and(|base| base.numer.get() == 1 && base.denom.get() == rate);
        if target == 0 || !counts_frames || !matches!(self.format_name(), "mp3" | "wave" | "flac") {
            return Some(0);
        }
        let ts = Timestamp::new(i64::try_from(target).ok()?);
        self.format.seek(SeekMode::Accurate, SeekTo::Timestamp { ts, track_id: self.track.id }).ok()?;
        self.decoder.reset();
        self.to_trim = 0;
        self.first_is_waiting = self.decode_block().ok()?;
        u64::try_from(self.at).ok().filter(|&at| self.first_is_waiting && at <= frame)
    }

    /// Sample rate and channels; they hold for the whole file.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Packets that could not be decoded, so far.
    pub fn skipped_packets(&self) -> u32 {
        self.skipped
    }

    /// Whether the file ended in the middle of something.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Frames the file says it has, without delay and padding. Exact in some formats, a guess in others: see
    /// [`Decoder::declares_reliably`].
    pub fn declared_frames(&self) -> Option<u64> {
        self.track.num_frames
    }

    /// Whether the declared length comes from a header that counts: not so for an MP3 without a LAME tag or an ADTS
    /// stream, where it is guessed from the bit rate; nor for a WAV written to a pipe, which claims the maximum.
    pub fn declares_reliably(&self) -> bool {
        let name = self.format.format_info().short_name;
        match name {
            "mp1" | "mp2" | "mp3" => self.track.delay.is_some(),
            "wave" => self.declared_frames().is_some_and(|frames| frames < u64::from(u32::MAX / 8)),
            "aac" | "adts" => false,
            _ => true,
        }
    }

    /// Short name of the container (`wave`, `mp3`, `ogg`, …).
    pub fn format_name(&self) -> &'static str {
        self.format.format_info().short_name
    }

    /// Frames of padding at the end that an encoder added, where the counts agree with what was decoded to the end:
    /// within one MP3 frame. A file joined from two, or cut, declares something else, and keeps all it has.
    pub fn padding(&self) -> u64 {
        const ONE_MP3_FRAME: u64 = 1152;
        let (delay, padding) = (self.track.delay.unwrap_or(0).into(), self.track.padding.unwrap_or(0).into());
        match self.track.num_frames {
            Some(frames) if self.codec != CODEC_ID_OPUS => {
                let expected = frames.saturating_add(delay).saturating_add(padding);
                if self.decoded.abs_diff(expected) <= ONE_MP3_FRAME { padding } else { 0 }
            }
            Some(_) | None => 0,
        }
    }

    /// Name of the codec, for people.
    pub fn codec_name(&self) -> &'static str {
        self.decoder.codec_info().short_name
    }

    /// Whether this is AAC that may be HE-AAC: half of its band, and for version 2 its stereo, lie in an extension that
    /// this decoder leaves out without a word, giving 24 kHz or less.
    pub fn may_lack_its_upper_band(&self) -> bool {
        self.codec == CODEC_ID_AAC && self.shape.sample_rate <= 24_000
    }

    /// Title and artist, where the file has them; of a WAV file nothing is known here.
    pub fn tags(&mut self) -> Tags {
        let mut tags = Tags::default();
        if let Some(revision) = self.format.metadata().skip_to_latest() {
            read_tags(revision, &mut tags);
        }
        tags
    }

    /// Decodes until there is a block with a frame in it; `false` at the end.
    fn decode_block(&mut self) -> Result<bool, DecodeError> {
        let mut bad_reads = 0;
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return Ok(false),
                Err(SymphoniaError::ResetRequired) => {
                    // A second stream chained to the first, as in an Ogg file joined from two.
                    let (track, decoder) = choose_track(self.format.as_ref())?;
                    self.track.id = track.id;
                    self.decoder = decoder;
                    continue;
                }
                Err(SymphoniaError::IoError(cause)) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                    self.truncated = true;
                    return Ok(false);
                }
                Err(SymphoniaError::IoError(cause)) => return Err(DecodeError::Read(cause)),
                Err(_) => {
                    self.skip();
                    bad_reads += 1;
                    if bad_reads > MAX_BAD_READS {
                        self.truncated = true;
                        return Ok(false);
                    }
                    continue;
                }
            };
            if packet.track_id != self.track.id {
                continue;
            }
            match self.decoder.decode(&packet) {
                Ok(buffer) => {
                    if !take(&buffer, &mut self.shape, &mut self.block, &mut self.scratch) {
                        self.skip();
                        continue;
                    }
                }
                Err(SymphoniaError::ResetRequired) => {
                    self.decoder.reset();
                    continue;
                }
                // Any other error is this packet's alone: a damaged AAC packet is reported as "unsupported", and giving
                // up there lost half an hour's programme for one bad sector.
                Err(_) => {
                    self.skip();
                    continue;
                }
            }
            self.at = packet.pts.get();
            if self.trim() {
                return Ok(true);
            }
        }
    }

    fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    /// Drops the encoder's delay from the block; whether something is left.
    fn trim(&mut self) -> bool {
        let channels = self.block.channels;
        let frames = self.block.samples.len() / channels.max(1);
        self.decoded += frames as u64;
        let cut = self.to_trim.min(frames);
        self.to_trim -= cut;
        self.block.samples.drain(..cut * channels);
        !self.block.samples.is_empty()
    }
}

/// Takes over a decoded buffer, mixed down to stereo where it has more channels; `false` when it does not fit what came
/// before it.
fn take(
    buffer: &GenericAudioBufferRef<'_>,
    shape: &mut Shape,
    block: &mut Block,
    scratch: &mut Vec<f32>,
) -> bool {
    let spec = buffer.spec();
    let (rate, count) = (spec.rate(), spec.channels().count());
    if count == 0 || rate == 0 || rate > MAX_SAMPLE_RATE {
        return false;
    }
    if shape.sample_rate == 0 {
        *shape = Shape {
            sample_rate: rate,
            channels_in_file: u16::try_from(count).unwrap_or(u16::MAX),
            channels: count.min(2),
        };
    } else if shape.sample_rate != rate {
        return false;
    }
    block.channels = shape.channels;
    match (count, shape.channels) {
        (1, 1) | (2, 2) => buffer.copy_to_vec_interleaved(&mut block.samples),
        (_, given) => {
            buffer.copy_to_vec_interleaved(scratch);
            let gains = stereo_gains(spec.channels());
            block.samples.clear();
            for frame in scratch.chunks_exact(count) {
                let (left, right) =
                    frame.iter().zip(&gains).fold((0.0, 0.0), |(left, right), (sample, gain)| {
                        (left + sample * gain.0, right + sample * gain.1)
                    });
                if given == 1 {
                    block.samples.push((left + right) / 2.0);
                } else {
                    block.samples.extend([left, right]);
                }
            }
        }
    }
    // What is not a number would poison every filter after it.
    for sample in &mut block.samples {
        *sample = if sample.is_finite() { *sample } else { 0.0 };
    }
    true
}

/// What each channel gives to left and right: ITU-R BS.775-4 annex 4 (centre and surrounds at −3 dB, no LFE), scaled
/// so that full scale in every channel does not exceed full scale in the mix.
fn stereo_gains(channels: &Channels) -> Vec<(f32, f32)> {
    const MINUS_3_DB: f32 = std::f32::consts::FRAC_1_SQRT_2;
    let count = channels.count();
    let mut gains: Vec<(f32, f32)> = match channels {
        _ if count == 1 => vec![(1.0, 1.0)],
        Channels::Positioned(positions) => {
            positions.iter().map(|position| position_gains(position, MINUS_3_DB)).collect()
        }
        // Channels without a place: by turns left and right.
        Channels::Discrete(_) | Channels::Ambisonic(_) | Channels::Custom(_) | Channels::None | _ => {
            (0..count).map(|channel| if channel % 2 == 0 { (1.0, 0.0) } else { (0.0, 1.0) }).collect()
        }
    };
    gains.resize(count, (0.0, 0.0));
    let left: f32 = gains.iter().map(|gain| gain.0).sum();
    let right: f32 = gains.iter().map(|gain| gain.1).sum();
    let scale = left.max(right).max(1.0);
    gains.iter().map(|gain| (gain.0 / scale, gain.1 / scale)).collect()
}

fn position_gains(position: Position, surround: f32) -> (f32, f32) {
    let left = Position::FRONT_LEFT | Position::FRONT_LEFT_CENTER | Position::FRONT_LEFT_WIDE;
    let right = Position::FRONT_RIGHT | Position::FRONT_RIGHT_CENTER | Position::FRONT_RIGHT_WIDE;
    let left_behind =
        Position::REAR_LEFT | Position::SIDE_LEFT | Position::TOP_FRONT_LEFT | Position::TOP_REAR_LEFT;
    let right_behind =
        Position::REAR_RIGHT | Position::SIDE_RIGHT | Position::TOP_FRONT_RIGHT | Position::TOP_REAR_RIGHT;
    if left.contains(position) {
        (1.0, 0.0)
    } else if right.contains(position) {
        (0.0, 1.0)
    } else if left_behind.contains(position) {
        (surround, 0.0)
    } else if right_behind.contains(position) {
        (0.0, surround)
    } else if (Position::LFE1 | Position::LFE2).contains(position) {
        (0.0, 0.0)
    } else {
        (surround, surround)
    }
}

/// The track to play, with its decoder.
fn choose_track(format: &dyn FormatReader) -> Result<(Track, Box<dyn AudioDecoder>), DecodeError> {
    let track = format.default_track(TrackType::Audio).ok_or(DecodeError::NotAudio)?;
    let Some(CodecParameters::Audio(parameters)) = &track.codec_params else {
        return Err(DecodeError::NotAudio);
    };
    let decoder = CODECS
        .make_audio_decoder(parameters, &AudioDecoderOptions::default().gapless(false))
        .map_err(|_| DecodeError::UnsupportedCodec { codec: parameters.codec.to_string() })?;
    Ok((track.clone(), decoder))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "whatever else it says, it found no audio")]
fn not_readable(cause: SymphoniaError) -> DecodeError {
    match cause {
        SymphoniaError::IoError(cause) if cause.kind() != io::ErrorKind::UnexpectedEof => {
            DecodeError::Read(cause)
        }
        _ => DecodeError::NotAudio,
    }
}

fn read_tags(revision: &MetadataRevision, tags: &mut Tags) {
    let of_tracks = revision.per_track.iter().flat_map(|track| &track.metadata.tags);
    for tag in revision.media.tags.iter().chain(of_tracks) {
        match &tag.std {
            Some(StandardTag::TrackTitle(title)) if tags.title.is_none() => tags.title = tidy(title),
            Some(StandardTag::Artist(artist)) if tags.artist.is_none() => tags.artist = tidy(artist),
            _ => {}
        }
    }
}

/// A tag as a line of text, if anything is left of it.
pub(super) fn tidy(text: &str) -> Option<String> {
    use unicode_normalization::UnicodeNormalization;
    let line: String = text.nfc().filter(|letter| !letter.is_control()).take(200).collect();
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}
