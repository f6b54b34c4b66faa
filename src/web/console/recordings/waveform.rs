//! The shape of a recording, drawn from the peaks that were kept when it was taken in.

use jiff::SignedDuration;
use maud::{Markup, html};

use crate::segment::Sound;
use crate::text::page::recordings::one as say;

/// Units from the middle to full scale.
const HALF: i32 = 127;

/// The whole file as a picture; what lies between the cue-in and the cue-out is what airs, and is drawn stronger.
pub(super) fn waveform(peaks: &[u8], sound: &Sound) -> Markup {
    let signed = |byte: &u8| i32::from(i8::from_ne_bytes([*byte]));
    let columns =
        peaks.chunks_exact(2).filter_map(|pair| Some((signed(pair.first()?), signed(pair.last()?))));
    let mut shape = String::new();
    let mut count: i64 = 0;
    for (low, high) in columns {
        // At least a unit, so that silence is a line.
        let (top, height) = (HALF - high, (high - low).max(1));
        shape.push_str(&format!("M{count} {top}v{height}h1v-{height}z"));
        count += 1;
    }
    let at = |moment: SignedDuration| {
        let whole = sound.whole.as_millis().max(1);
        i64::try_from(moment.as_millis() * i128::from(count) / whole).unwrap_or(0).clamp(0, count)
    };
    let (from, to) = (at(sound.cue_in), at(sound.cue_out));
    html! {
        @if count > 0 {
            svg.waveform viewBox={ "0 0 " (count) " 255" } preserveAspectRatio="none" role="img" aria-label=(say::WAVEFORM) {
                rect.airs x=(from) y="0" width=(to - from) height="255" {}
                path d=(shape) {}
                rect.cut x="0" y="0" width=(from) height="255" {}
                rect.cut x=(to) y="0" width=(count - to) height="255" {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_airs_is_marked_where_it_lies_in_the_file() {
        let sound = Sound {
            whole: SignedDuration::from_secs(4),
            cue_in: SignedDuration::from_secs(1),
            cue_out: SignedDuration::from_secs(3),
            channels: 1,
            sample_rate: 16_000,
            loudness_lufs: -20.0,
            true_peak_dbtp: -3.0,
            skipped_packets: 0,
            codec: "wav".into(),
        };
        let drawn = waveform(&[0, 0, 0x81, 127, 0, 0, 0, 0], &sound).into_string();
        assert!(drawn.contains("M0 127v1h1v-1zM1 0v254h1v-254z"), "{drawn}");
        assert!(drawn.contains(r#"<rect class="airs" x="1" y="0" width="2""#), "{drawn}");
        assert_eq!(waveform(&[], &sound).into_string(), "");
    }
}
