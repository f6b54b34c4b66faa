//! Files in, frames out: decoding, measuring and taking in recordings. Blocking, and without policy.

pub mod source;
