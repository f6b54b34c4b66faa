//! The sound in a WAV file: as an output that keeps real time, and as what a rehearsal leaves behind.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rodio::cpal::FromSample;
use tracing::{info, warn};

use super::pace::Pace;
use super::{CHANNELS, Lost, Output, OutputError, frames_of};
use crate::clock::Clock;
use crate::frames::AIR_RATE;
use crate::media::wav::{FRAME_BYTES, HEADER_BYTES, header};

/// The header is brought up to date this often, so that a killed program leaves a file that plays.
const HEADER_EVERY_BYTES: u64 = 2 * AIR_RATE as u64 * FRAME_BYTES;

/// A WAV file, 48 kHz, 16 bits, stereo, that is whole at every moment but for the last two seconds.
#[derive(Debug)]
pub struct WavFile {
    path: PathBuf,
    file: File,
    /// Bytes of sound in the file.
    bytes: u64,
    /// Bytes of sound that the header speaks of.
    announced: u64,
    buffer: Vec<u8>,
}

impl WavFile {
    /// Makes an empty one, in the place of any that is there.
    pub fn create(path: &Path) -> Result<Self, OutputError> {
        let failed = |source| OutputError::File { path: path.to_owned(), source };
        let file = File::create(path).map_err(failed)?;
        file.write_all_at(&header(0), 0).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, bytes: 0, announced: 0, buffer: Vec::new() })
    }

    /// Appends interleaved samples. After an error nothing is half there: the next ones go to the same place.
    pub fn append(&mut self, samples: &[f32]) -> std::io::Result<()> {
        self.buffer.clear();
        self.buffer.extend(samples.iter().flat_map(|sample| i16::from_sample_(*sample).to_le_bytes()));
        self.file.write_all_at(&self.buffer, HEADER_BYTES + self.bytes)?;
        self.bytes += u64::try_from(self.buffer.len()).unwrap_or(0);
        if self.bytes - self.announced >= HEADER_EVERY_BYTES {
            self.announce()?;
        }
        Ok(())
    }

    fn announce(&mut self) -> std::io::Result<()> {
        self.file.write_all_at(&header(self.bytes), 0)?;
        self.announced = self.bytes;
        Ok(())
    }
}

impl Drop for WavFile {
    fn drop(&mut self) {
        if let Err(error) = self.announce() {
            warn!(path = %self.path.display(), %error, "the WAV file's header is not up to date");
        }
    }
}

/// Takes frames in real time and keeps them in a file. Time in which it rests is left out.
#[derive(Debug)]
pub struct Wav {
    pace: Pace,
    file: WavFile,
    delivered: u64,
    failing: bool,
}

impl Wav {
    /// An output that keeps `clock`'s time and writes to `path`.
    pub fn create(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OutputError> {
        let file = WavFile::create(path)?;
        Ok(Self { pace: Pace::new(clock), file, delivered: 0, failing: false })
    }
}

impl Output for Wav {
    fn write(&mut self, samples: &[f32]) -> Result<(), Lost> {
        let written = self.file.append(samples);
        self.pace.keep(frames_of(samples));
        let failing = written.is_err();
        if failing != self.failing {
            let path = self.file.path.display();
            match &written {
                Err(error) => warn!(%path, %error, "cannot write the sound"),
                Ok(()) => info!(%path, "the sound is written again"),
            }
            self.failing = failing;
        }
        written.map_err(|_| Lost)?;
        self.delivered += frames_of(samples);
        Ok(())
    }

    fn next_frame_at(&mut self) -> Timestamp {
        self.pace.next_frame_at()
    }

    fn delivered(&self) -> u64 {
        self.delivered
    }

    fn rest(&mut self, _until: Timestamp) {
        self.pace.restart();
    }

    fn device(&self) -> String {
        format!("wav:{}", self.file.path.display())
    }

    fn is_up(&self) -> bool {
        !self.failing
    }
}

const _: () = assert!(CHANNELS == 2, "the header says stereo");

#[cfg(test)]
mod tests {
    use super::*;

    fn frames_in(path: &Path) -> u32 {
        hound::WavReader::open(path).unwrap().duration()
    }

    #[test]
    fn a_file_whose_program_was_killed_plays_up_to_the_last_two_seconds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let mut file = WavFile::create(&path).unwrap();
        assert_eq!(frames_in(&path), 0);
        for _ in 0..250 {
            file.append(&[0.25; 1_920]).unwrap();
        }
        // Never closed, as after a kill: 5 s were written, the header speaks of 4.
        let so_far = folder.path().join("so-far.wav");
        std::fs::copy(&path, &so_far).unwrap();
        assert_eq!(frames_in(&so_far), 4 * 48_000);
        drop(file);
        assert_eq!(frames_in(&path), 240_000);
    }

    #[test]
    fn samples_are_kept_to_16_bits_and_clipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        WavFile::create(&path).unwrap().append(&[0.0, 0.5, -1.0, 3.0]).unwrap();
        let samples: Vec<i16> =
            hound::WavReader::open(&path).unwrap().into_samples().map(Result::unwrap).collect();
        assert_eq!(samples, [0, 16_384, i16::MIN, i16::MAX]);
    }

    #[test]
    fn sizes_that_do_not_fit_the_header_stay_at_the_largest() {
        assert_eq!(header(u64::MAX).get(40..44), Some([255; 4].as_slice()));
    }
}
