//! How a WAV file of the air begins: 48 kHz, stereo, 16 bits.

use crate::frames::AIR_RATE;

/// Bytes before the first sample.
pub const HEADER_BYTES: u64 = 44;
/// Bytes of a frame.
pub const FRAME_BYTES: u64 = 2 * 2;

/// The canonical header for so many bytes of sound; sizes above 4 GB stay at the largest that can be written.
pub fn header(bytes: u64) -> [u8; 44] {
    let size = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let parts: [&[u8]; 13] = [
        b"RIFF",
        &size(bytes.saturating_add(HEADER_BYTES - 8)),
        b"WAVE",
        b"fmt ",
        &size(16),
        &1_u16.to_le_bytes(), // PCM
        &2_u16.to_le_bytes(), // audio channels
        &AIR_RATE.to_le_bytes(),
        &size(u64::from(AIR_RATE) * FRAME_BYTES),
        &4_u16.to_le_bytes(),  // bytes of a frame
        &16_u16.to_le_bytes(), // bits of a sample
        b"data",
        &size(bytes),
    ];
    let mut header = [0; 44];
    for (to, from) in header.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    header
}
