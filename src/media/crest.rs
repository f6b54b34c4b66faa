//! The loudest point of a waveform, which lies between its samples (ITU-R BS.1770-5 annex 2): the waveform is estimated
//! at four points per sample.

/// Frames whose crests are found at once.
pub const BLOCK: usize = 32;
/// Frames the interpolation filter spans.
pub const TAPS: usize = 12;
/// Frames of the waveform that must be known after a point between two samples.
pub const AFTER: usize = TAPS / 2;

/// Finds crests.
#[derive(Debug)]
pub struct Crest {
    /// Interpolates at one, two and three quarters between two samples.
    filters: [[f32; TAPS]; 3],
    overshoot: f32,
}

impl Default for Crest {
    fn default() -> Self {
        Self::new()
    }
}

impl Crest {
    /// With its filters.
    pub fn new() -> Self {
        let filters = [filter(0.25), filter(0.5), filter(0.75)];
        let reach = |filter: &[f32; TAPS]| filter.iter().map(|tap| tap.abs()).sum::<f32>();
        Self { overshoot: filters.iter().map(reach).fold(1.0, f32::max), filters }
    }

    /// The most by which any filter can raise a peak.
    pub fn overshoot(&self) -> f32 {
        self.overshoot
    }

    /// For each frame of a block, and each of its `SAMPLES / BLOCK` channels, the crest around the two frames in the
    /// middle of the filter; the first filter begins with the first of the frames given. Tap by tap over the whole
    /// block, which the compiler turns into vectors: frame by frame took several times as long.
    pub fn of_block<const SAMPLES: usize>(&self, frames: &[f32]) -> [f32; SAMPLES] {
        let from = |tap: usize| frames.get(tap * (SAMPLES / BLOCK)..).unwrap_or_default();
        let mut crests = [0.0_f32; SAMPLES];
        for filter in &self.filters {
            let mut sums = [0.0_f32; SAMPLES];
            for (nth, tap) in filter.iter().enumerate() {
                sums.iter_mut().zip(from(nth)).for_each(|(sum, sample)| *sum += tap * sample);
            }
            crests.iter_mut().zip(sums).for_each(|(crest, sum)| *crest = crest.max(sum.abs()));
        }
        for middle in [AFTER - 1, AFTER] {
            crests.iter_mut().zip(from(middle)).for_each(|(crest, sample)| *crest = crest.max(sample.abs()));
        }
        crests
    }
}

/// The largest magnitude.
pub fn loudest(samples: &[f32]) -> f32 {
    // Eight lanes, because a single maximum would wait for itself.
    let mut lanes = [0.0_f32; 8];
    let parts = samples.chunks_exact(lanes.len());
    let rest = parts.remainder().iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    for part in parts {
        for (lane, sample) in lanes.iter_mut().zip(part) {
            *lane = lane.max(sample.abs());
        }
    }
    lanes.into_iter().fold(rest, f32::max)
}

/// A sinc under a raised cosine, that gives the waveform `at` (0 to 1) between its two middle taps.
fn filter(at: f64) -> [f32; TAPS] {
    use std::f64::consts::PI;
    let mut taps = [0.0; TAPS];
    for (nth, tap) in taps.iter_mut().enumerate() {
        let x = nth as f64 - (AFTER as f64 - 1.0) - at;
        *tap = (PI * x).sin() / (PI * x) * (0.5 + 0.5 * (PI * x / (AFTER as f64 + 0.5)).cos());
    }
    let sum: f64 = taps.iter().sum();
    #[expect(clippy::cast_possible_truncation, reason = "a filter's tap needs no more digits")]
    taps.map(|tap| (tap / sum) as f32)
}
