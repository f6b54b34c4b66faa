//! Files in, frames out: decoding, measuring and taking in recordings. Blocking, and without policy.

pub mod decode;
pub mod loudness;
pub mod playback;
pub mod resample;
pub mod source;

#[cfg(test)]
mod formats;
#[cfg(test)]
mod material;
