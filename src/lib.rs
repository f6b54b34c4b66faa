//! `loa`: unattended scheduling and playout for commune loudspeaker stations.

pub mod access;
pub mod asrun;
pub mod clock;
pub mod engine;
pub mod media;
pub mod output;
pub mod schedule;
pub mod segment;
pub mod sequencer;
pub mod store;
pub mod text;
pub mod timeline;
