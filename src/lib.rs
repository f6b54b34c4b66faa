//! `loa` (Vietnamese for *loudspeaker*): unattended scheduling and playout for a commune's loudspeaker station.
//!
//! One daemon holds the week's programme, plays the right recording through the sound output at the set second, takes
//! new recordings from staff over HTTP, and keeps a log of what really aired.
//!
//! # The decision everything hangs on
//!
//! Schedule to timeline is a pure function; *what now* is a pure state machine for each output; and while an output runs,
//! its own frames are the engine's clock (while it rests, the clock is). So a week of sound is rehearsed in seconds, and a power cut is an ordinary case.
//!
//! ```text
//! schedule/*.toml ─► schedule::read ─► Schedule ─┐
//!                        └─► Problems (last good kept)
//! audio/ ─► media::ingest ─► store ─► Catalog ───┼─► timeline::compile ─► Timeline
//! what aired ─► store ─► History ────────────────┘         │ Command::Load
//!                                                          ▼
//! a person ─► web ─► access::permit ─► Command ─► ┌─ engine, a thread for each output ─────┐
//!                                                 │ now  = output.next_frame_at()          │
//! preroll threads: open, check the hash, decode   │ todo = sequencer.step(now, events)     │
//! ahead ─► Source ──────────────────────────────► │ mixer.render(chunk)                    │
//!                                                 │ output.write(chunk)   ← sets the pace  │
//!                                                 └──┬───────────────────┬─────────────────┘
//!                               Status (the newest) ◄┘                   │ Facts (bounded)
//!                               for web and people                       ▼
//!                                                        store: journal, hash-chained ─► airings
//! ```
//!
//! # The rooms
//!
//! | room | what it is for | what it does not know |
//! | --- | --- | --- |
//! | [`frames`] | frames to time, and back | anything else |
//! | [`segment`] | one audio item: words, measures, state | files |
//! | [`schedule`] | what should air: TOML to checked data | that time passes |
//! | [`timeline`] | when exactly: absolute instants | the present |
//! | [`sequencer`] | what now: a state machine for each output | sound, files, the clock |
//! | [`asrun`] | what aired: facts and outcomes | where they are kept |
//! | [`access`] | who may do what | how they prove who they are |
//! | [`clock`] | the time of day | what it is used for |
//! | [`media`] | files in, frames out | when they sound |
//! | [`output`] | frames to a card, and when they leave it | what they say |
//! | [`engine`] | the loop of one output | the store, the web |
//! | [`intake`] | a recording's way into the catalogue | who asks, and by which way |
//! | [`rehearsal`] | days through the engine, in seconds | what time it is |
//! | [`store`] | SQLite: journal, catalogue, people | sound |
//! | [`editing`] | the schedule's files, changed from the console, and changed back | who may |
//! | [`web`] | HTTP, and what it takes in and gives out | how sound leaves, and when |
//! | [`text`] | every Vietnamese sentence | what happens next |
//! | [`app`] | wires them; reload, housekeeping, commands | – |
//!
//! The first seven are pure: values in, values out; no clock, file, thread or lock. `tests/tidy.rs` holds the table of
//! who may import whom.
//!
//! # What always holds
//!
//! 1. Nothing sounds in quiet hours but an emergency; before the first timeline is loaded everything is quiet.
//! 2. Only approved bytes sound: each piece of a file is hashed as it is read for the air.
//! 3. Every cue of the plan has exactly one outcome, whatever restarts, interrupts and clock steps come between.
//! 4. A take goes to the disk two seconds before its first frame, or, where nobody could know, at its order; and again
//!    after its last. Sound waits for no disk: what it could not take in time stays in line. Nothing written is ever changed.
//! 5. A lower layer never silences a higher one, and an emergency in force outlives the program.
//! 6. On the air, the audio path (`Source::read`, mixer, `Way::push`, callback) never allocates, locks, logs, touches a file
//!    or panics. (A rehearsal decodes as it reads.)
//!
//! # Deliberately absent
//!
//! A global configuration object, a message bus, mutable state shared between rooms (but for flags, and what the log says
//! of the station), integers for priorities, seconds in floats, rodio's own player and decoder (they decode inside the audio
//! callback and forget when it was), and cron for starts: tokio-cron-scheduler runs the housekeeping only.
//!
//! # Words
//!
//! Programme (chuyên mục), Segment (bản ghi), Session (buổi phát), Slot (mục trong buổi), Day plan (lịch ngày đặc
//! biệt); on the calendar a session becomes a Block, a slot a Cue; a cue's Airing (nhật ký phát thanh) has an Outcome
//! and a Cause. A *frame* is one sample for each audio channel, a *chunk* the frames of one turn of the loop. *Zone*
//! is a place with loudspeakers; time zones are `time_zone`.

pub mod access;
pub mod app;
pub mod asrun;
pub mod clock;
pub mod editing;
pub mod engine;
pub mod frames;
pub mod intake;
pub mod media;
pub mod output;
pub mod rehearsal;
pub mod schedule;
pub mod segment;
pub mod sequencer;
pub mod store;
pub mod text;
pub mod timeline;
pub mod web;
