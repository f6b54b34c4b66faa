//! Recordings for tests, made on the spot: a burst of tone in silence, in every format that a commune hands in.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "made samples and small counts")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the burst begins and ends in a file, in seconds.
pub(crate) const BURST: std::ops::Range<f64> = 2.0..4.0;
/// Length of a file, in seconds.
pub(crate) const WHOLE: f64 = 6.0;

/// A WAV file with a burst of a 997 Hz tone at −12 dBFS (peak) from 2 s to 4 s of its 6 s.
pub(crate) fn burst_wav(dir: &Path, sample_rate: u32, channels: u16) -> PathBuf {
    let path = dir.join(format!("burst-{sample_rate}-{channels}.wav"));
    let samples = (0..(WHOLE * f64::from(sample_rate)) as u32).map(|n| {
        let at = f64::from(n) / f64::from(sample_rate);
        if BURST.contains(&at) { 0.25 * (std::f64::consts::TAU * 997.0 * at).cos() as f32 } else { 0.0 }
    });
    wav(&path, sample_rate, channels, samples);
    path
}

/// A WAV file of 32-bit floats, the same in each channel.
pub(crate) fn wav(path: &Path, sample_rate: u32, channels: u16, samples: impl Iterator<Item = f32>) {
    let spec = hound::WavSpec {
        channels,
        sample_rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for sample in samples {
        for _ in 0..channels {
            writer.write_sample(sample).unwrap();
        }
    }
    writer.finalize().unwrap();
}

/// Converts with ffmpeg: `options` stand before the output's name.
pub(crate) fn ffmpeg(input: &Path, options: &str, output: &Path) {
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-i"])
        .arg(input)
        .args(options.split_whitespace())
        .arg(output)
        .output()
        .unwrap();
    assert!(done.status.success(), "ffmpeg {options}: {}", String::from_utf8_lossy(&done.stderr));
}
