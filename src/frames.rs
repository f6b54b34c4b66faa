//! Frames and time: a *frame* is one sample for each audio channel, and a rate says how many last a second.

use jiff::SignedDuration;

/// The rate of all that airs, in Hz: of mixers, outputs, and what is decoded for them.
pub const AIR_RATE: u32 = 48_000;

const SECOND: i128 = 1_000_000_000;

/// How long so many frames last, without the fraction of a nanosecond; the longest duration for more than fits.
pub fn duration(frames: u64, rate: u32) -> SignedDuration {
    let nanoseconds = i128::from(frames) * SECOND / i128::from(rate.max(1));
    i64::try_from(nanoseconds).map_or(SignedDuration::MAX, SignedDuration::from_nanos)
}

/// How many frames a length of time has, to the nearest; none in a negative one. Of what [`duration`] gives, it is the
/// same frames again.
pub fn count(length: SignedDuration, rate: u32) -> u64 {
    let frames = (length.as_nanos().max(0) * i128::from(rate) + SECOND / 2) / SECOND;
    u64::try_from(frames).unwrap_or(u64::MAX)
}

/// How many frames of what airs last as long as `frames` of another rate, to the nearest.
pub fn on_air(frames: u64, rate: u32) -> u64 {
    let rate = u128::from(rate.max(1));
    u64::try_from((u128::from(frames) * u128::from(AIR_RATE) + rate / 2) / rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_second_has_as_many_frames_as_its_rate_says() {
        assert_eq!(duration(44_100, 44_100), SignedDuration::from_secs(1));
        assert_eq!(count(SignedDuration::from_millis(-5), AIR_RATE), 0);
        assert_eq!(count(SignedDuration::from_nanos(10_417), AIR_RATE), 1, "half a frame and a bit");
        assert_eq!(count(SignedDuration::from_nanos(10_416), AIR_RATE), 0);
        assert_eq!(on_air(44_100, 44_100), 48_000);
        assert_eq!(duration(u64::MAX, 0), SignedDuration::MAX, "a rate of none is one");
    }

    proptest! {
        #[test]
        fn frames_that_become_time_become_the_same_frames(frames in 0_u64..1 << 40, rate in 1_u32..400_000) {
            prop_assert_eq!(count(duration(frames, rate), rate), frames);
        }
    }
}
