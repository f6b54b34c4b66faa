//! An approved file as a stream of frames for the air: from the cue-in to the cue-out, levelled, at 48 kHz, to the frame.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::SignedDuration;
use tracing::warn;

use super::decode::{DecodeError, Decoder};
use super::resample::{ResampleError, Resampler};
use super::seal::{Seal, SealedFile};
use crate::frames::{self, AIR_RATE};
use crate::segment::{ContentHash, Segment};

/// What is to be opened, and how it shall sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The file.
    pub path: PathBuf,
    /// The hash of the bytes that were approved; no others sound.
    pub hash: ContentHash,
    /// The seal of those bytes, where it is known: then the file is read as it sounds, and not whole before.
    pub seal: Option<Arc<Seal>>,
    /// Where the sound begins in the file.
    pub cue_in: SignedDuration,
    /// Where it ends in the file.
    pub cue_out: SignedDuration,
    /// How much after the cue-in is left out, for a start that is joined late.
    pub skip: SignedDuration,
    /// Gain in dB.
    pub gain_db: f64,
}

/// Why a file cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such file.
    #[error("`{}` is gone", path.display())]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// Its bytes are not the approved ones.
    #[error("`{}` was changed after it was approved", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The hash of what is there now.
        found: ContentHash,
    },
    /// It is the approved file, and yet gives no sound.
    #[error("cannot decode `{}`", path.display())]
    Undecodable {
        /// The file.
        path: PathBuf,
        #[source]
        /// What the decoder says.
        cause: DecodeError,
    },
    /// Its sample rate cannot be brought to that of the air.
    #[error("cannot resample `{}`", path.display())]
    Unresamplable {
        /// The file.
        path: PathBuf,
        #[source]
        /// What the resampler says.
        cause: ResampleError,
    },
    /// The disk failed.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        #[source]
        /// What the system says.
        cause: io::Error,
    },
}

impl Opening {
    /// All of a segment whose file lies in a folder, at the level of that file.
    pub fn of(segment: &Segment, audio: &Path) -> Self {
        Self {
            path: audio.join(&segment.file),
            hash: segment.hash,
            seal: None,
            cue_in: segment.sound.cue_in,
            cue_out: segment.sound.cue_out,
            skip: SignedDuration::ZERO,
            gain_db: 0.0,
        }
    }

    /// Frames it will give: exactly the planned length, whatever the decoder finds.
    pub fn frames(&self) -> u64 {
        frames::count(self.cue_out - self.cue_in - self.skip, AIR_RATE)
    }

    /// Opens the file and finds the first frame. Takes as long as decoding it up to there, and where its seal is not known,
    /// or is not that of what is there, as long as reading it whole.
    pub fn open(&self) -> Result<Playback, OpenError> {
        let unreadable = |cause| OpenError::Unreadable { path: self.path.clone(), cause };
        let mut file = match File::open(&self.path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::Gone { path: self.path.clone() });
            }
            opened => opened.map_err(unreadable)?,
        };
        if let Some(seal) = &self.seal
            && seal.fits(&file).map_err(unreadable)?
            && let Ok(playback) = self.begin(&file, seal)
        {
            return Ok(playback);
        }
        let (found, seal) = Seal::of(&mut file).map_err(unreadable)?;
        if found != self.hash {
            return Err(OpenError::Changed { path: self.path.clone(), found });
        }
        self.begin(&file, &Arc::new(seal))
    }

    /// Finds the first frame in an open file. The handle that was looked at is the one that sounds, so that a file put in
    /// its place cannot; what is written into this one is not what was sealed.
    fn begin(&self, file: &File, seal: &Arc<Seal>) -> Result<Playback, OpenError> {
        let undecodable = |cause| OpenError::Undecodable { path: self.path.clone(), cause };
        let decoder = || {
            let file =
                file.try_clone().map_err(|cause| OpenError::Unreadable { path: self.path.clone(), cause })?;
            Decoder::open(SealedFile::new(file, Arc::clone(seal))).map_err(undecodable)
        };
        let mut found = decoder()?;
        let shape = found.shape();
        let first = frames::count(self.cue_in + self.skip, shape.sample_rate);
        let mut at = 0;
        if first > 0 {
            match found.seek_before(first) {
                Some(frame) => at = frame,
                // From the beginning, then: slower, and as exact.
                None => found = decoder()?,
            }
        }
        let resampler = Resampler::new(shape.sample_rate, shape.channels)
            .map_err(|cause| OpenError::Unresamplable { path: self.path.clone(), cause })?;
        let frames = self.frames();
        let mut playback = Playback {
            decoder: Some(found),
            resampler,
            channels: shape.channels,
            gain: linear(self.gain_db),
            frames,
            given: 0,
            real: Arc::new(AtomicU64::new(u64::MAX)),
            to_drop: first - at,
            resampled: Vec::new(),
            chunk: Vec::new(),
        };
        playback.find_first_frame().map_err(undecodable)?;
        Ok(playback)
    }
}

/// The frames of one opened file. Blocking: it decodes as it is asked.
#[derive(Debug)]
pub struct Playback {
    /// `None` once the file is at its end; silence makes up what is missing then.
    decoder: Option<Decoder>,
    resampler: Resampler,
    channels: usize,
    gain: f32,
    frames: u64,
    given: u64,
    /// How many of them the file had; the most there are until its end is known.
    real: Arc<AtomicU64>,
    /// Frames of the file before the first one wanted.
    to_drop: u64,
    resampled: Vec<f32>,
    chunk: Vec<f32>,
}

impl Playback {
    /// Frames it gives in all.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Channels of its frames: one or two, as in the file.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// How many of the frames are the file's own, once its end was met; what comes after them is silence.
    pub(super) fn real(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.real)
    }

    /// The next frames at 48 kHz, interleaved (`frames × channels`); `None` when all were given.
    pub fn next_chunk(&mut self) -> Option<&[f32]> {
        let left = self.frames - self.given;
        if left == 0 {
            return None;
        }
        while self.resampled.is_empty() {
            if !self.decode() {
                // The file is shorter than planned: the plan's time is kept, and the log will know.
                self.real.fetch_min(self.given, Ordering::Release);
                let frames = usize::try_from(left.min(AIR_RATE.into())).unwrap_or(0);
                self.resampled.resize(frames * self.channels, 0.0);
            }
        }
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).saturating_mul(self.channels);
        self.resampled.truncate(wanted);
        self.chunk.clear();
        std::mem::swap(&mut self.chunk, &mut self.resampled);
        self.chunk.iter_mut().for_each(|sample| *sample *= self.gain);
        self.given += (self.chunk.len() / self.channels) as u64;
        Some(&self.chunk)
    }

    /// Decodes and resamples one block; `false` when there is no more.
    fn decode(&mut self) -> bool {
        let Some(decoder) = &mut self.decoder else { return false };
        match decoder.next_block() {
            Ok(Some(block)) => {
                let frames = block.samples.len() / self.channels;
                let dropped = usize::try_from(self.to_drop).unwrap_or(usize::MAX).min(frames);
                self.to_drop -= dropped as u64;
                let kept = block.samples.get(dropped * self.channels..).unwrap_or(&[]);
                self.resampler.push(kept, &mut self.resampled);
            }
            end => {
                // A disk that fails in the middle is an end, too, and so is a file that somebody wrote into.
                if let Err(failure) = end {
                    warn!(error = &failure as &dyn std::error::Error, "a recording ends before its end");
                }
                self.resampler.finish(&mut self.resampled);
                self.decoder = None;
            }
        }
        true
    }

    /// Decodes up to the block with the first frame wanted, so that what comes is quick.
    fn find_first_frame(&mut self) -> Result<(), DecodeError> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        // The frames kept of the block in which the first one lies go into the resampler at once.
        while self.to_drop > 0 {
            let Some(block) = decoder.next_block()? else { break };
            let frames = block.samples.len() / self.channels;
            let dropped = usize::try_from(self.to_drop).unwrap_or(usize::MAX).min(frames);
            self.to_drop -= dropped as u64;
            if let Some(kept) = block.samples.get(dropped * self.channels..)
                && !kept.is_empty()
            {
                self.resampler.push(kept, &mut self.resampled);
            }
        }
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a gain needs no more digits than the samples have")]
fn linear(gain_db: f64) -> f32 {
    10_f64.powf(gain_db / 20.0) as f32
}
