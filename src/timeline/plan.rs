//! The plan of a station at one moment: everything that is derived, in one value to hand around.

use std::sync::Arc;

use jiff::Timestamp;

use super::Timeline;
use crate::schedule::{OutputId, Problem, Schedule};
use crate::segment::Catalog;

/// The schedule in force, the catalogue, and what they come to.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The schedule in force: the last one without a problem.
    pub schedule: Arc<Schedule>,
    /// The segments.
    pub catalog: Arc<Catalog>,
    /// A timeline for each output, in the order of the schedule.
    pub timelines: Vec<Arc<Timeline>>,
    /// What is wrong with the files as they are now; empty when they are the schedule in force.
    pub problems: Arc<Vec<Problem>>,
    /// When this was put together.
    pub at: Timestamp,
}

impl Plan {
    /// The timeline of an output.
    pub fn timeline(&self, output: &OutputId) -> Option<&Arc<Timeline>> {
        self.timelines.iter().find(|timeline| timeline.output == *output)
    }
}
