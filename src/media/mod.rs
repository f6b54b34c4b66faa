//! Files in, frames out: decoding, measuring and taking in recordings. Blocking, and without policy.

mod convert;
pub mod crest;
pub mod decode;
pub mod ingest;
pub mod library;
pub mod loudness;
pub mod playback;
pub mod resample;
pub mod riff;
pub mod seal;
pub mod source;
pub mod temporary;
pub mod wav;
mod weighting;

#[cfg(test)]
mod formats;
#[cfg(test)]
mod material;
