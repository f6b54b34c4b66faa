//! The wiring: which knows every room, and which no room knows.
//!
//! [`serve`] starts store, recorder, engines, planner, housekeeping and web in that order, and stops them in reverse. The
//! other commands are thin: they call the same functions and print what these give.

pub mod boot;
pub mod cli;
pub mod demo;
pub mod exit;
pub mod housekeeping;
pub mod planner;
pub mod recorder;
pub mod station;
pub mod supervise;
