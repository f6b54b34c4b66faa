//! The loudest point of a waveform, which lies between its samples (ITU-R BS.1770-5 annex 2): the waveform is estimated
//! at four points per sample.

/// Frames whose crests are found at once.
pub const BLOCK: usize = 32;
/// Frames the interpolation filter spans.
pub const TAPS: usize = 12;
/// Frames of the waveform that must be known after a point between two samples.
pub const AFTER: usize = TAPS / 2;

/// Samples that are worked on at once: two of the processor's vectors, whose sums stay in its registers.
const LANES: usize = 8;

/// Finds crests.
#[derive(Debug)]
pub struct Crest {
    /// From the outermost to the innermost.
    pairs: [Pair; AFTER],
    overshoot: f32,
}

/// Two taps at the same distance from the middle. The filter for the half is its own mirror image, and those for one
/// quarter and for three are each other's: with the sum and the difference of two samples, all three take three products.
#[derive(Debug, Clone, Copy)]
struct Pair {
    /// Of the sum, for the half.
    half: f32,
    /// Of the sum, for both quarters.
    even: f32,
    /// Of the difference: for one quarter so, for three with the other sign.
    odd: f32,
}

impl Default for Crest {
    fn default() -> Self {
        Self::new()
    }
}

impl Crest {
    /// With its filters, which interpolate at one, two and three quarters between two samples.
    pub fn new() -> Self {
        let (quarter, half) = (filter(0.25), filter(0.5));
        let reach = |filter: &[f32; TAPS]| filter.iter().map(|tap| tap.abs()).sum::<f32>();
        let mut pairs = [Pair { half: 0.0, even: 0.0, odd: 0.0 }; AFTER];
        let mirrored = quarter.iter().zip(quarter.iter().rev());
        for ((pair, half), (left, right)) in pairs.iter_mut().zip(half).zip(mirrored) {
            *pair = Pair { half, even: (left + right) / 2.0, odd: (left - right) / 2.0 };
        }
        Self { pairs, overshoot: reach(&quarter).max(reach(&half)).max(1.0) }
    }

    /// The most by which any filter can raise a peak.
    pub fn overshoot(&self) -> f32 {
        self.overshoot
    }

    /// For each frame of a block, and each of its `SAMPLES / BLOCK` channels, the crest around the two frames in the
    /// middle of the filter. The first filter begins with the first of the frames, the last one ends with the last of
    /// `BLOCK + TAPS - 1`: where one lacks frames, zero.
    pub fn of_block<const SAMPLES: usize>(&self, frames: &[f32]) -> [f32; SAMPLES] {
        let mut crests = [0.0_f32; SAMPLES];
        for (nth, lanes) in crests.as_chunks_mut().0.iter_mut().enumerate() {
            let frames = frames.get(nth * LANES..).unwrap_or_default();
            *lanes = self.of_lanes(frames, SAMPLES / BLOCK).unwrap_or_default();
        }
        crests
    }

    /// The crests of the first few samples of a block; none where frames are missing.
    fn of_lanes(&self, frames: &[f32], channels: usize) -> Option<[f32; LANES]> {
        let from = |tap: usize| frames.get(tap * channels..)?.first_chunk::<LANES>();
        let (mut halves, mut evens, mut odds) = ([0.0_f32; LANES], [0.0_f32; LANES], [0.0_f32; LANES]);
        for (tap, pair) in self.pairs.iter().enumerate() {
            let samples = from(tap)?.iter().zip(from(TAPS - 1 - tap)?);
            for (((half, even), odd), (left, right)) in
                halves.iter_mut().zip(&mut evens).zip(&mut odds).zip(samples)
            {
                let (sum, difference) = (left + right, left - right);
                *half += pair.half * sum;
                *even += pair.even * sum;
                *odd += pair.odd * difference;
            }
        }
        let mut crests = [0.0; LANES];
        let middle = from(AFTER - 1)?.iter().zip(from(AFTER)?);
        for ((((crest, half), even), odd), (left, right)) in
            crests.iter_mut().zip(halves).zip(evens).zip(odds).zip(middle)
        {
            // The louder of the two quarters is the one for which both parts have the same sign.
            *crest = louder(louder(half.abs(), even.abs() + odd.abs()), louder(left.abs(), right.abs()));
        }
        Some(crests)
    }
}

/// The largest magnitude.
pub fn loudest(samples: &[f32]) -> f32 {
    // Eight lanes, because a single maximum would wait for itself.
    let mut peaks = [0.0_f32; LANES];
    let (parts, rest) = samples.as_chunks::<LANES>();
    for part in parts {
        for (peak, sample) in peaks.iter_mut().zip(part) {
            *peak = louder(*peak, sample.abs());
        }
    }
    peaks.into_iter().chain(rest.iter().map(|sample| sample.abs())).fold(0.0, louder)
}

/// The larger of two magnitudes, in one instruction: `f32::max` takes several, to be right for what is no number.
fn louder(one: f32, other: f32) -> f32 {
    if one > other { one } else { other }
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
