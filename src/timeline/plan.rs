//! The plan of a station at one moment: everything that is derived, in one value to hand around.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Severity, Timeline, Window};
use crate::schedule::{OutputId, Problem, Schedule};
use crate::segment::{Catalog, Segment, SegmentId, State};

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

    /// Whether something will not air in a window, or silence will.
    pub fn has_errors(&self, window: Window) -> bool {
        let mut findings = self.timelines.iter().flat_map(|timeline| &timeline.findings);
        findings.any(|finding| finding.severity == Severity::Error && window.contains(finding.at))
    }

    /// The segments that air from a moment on, each with when it does first; the first to air first.
    pub fn airing(&self, from: Timestamp) -> Vec<(Arc<Segment>, Timestamp)> {
        let mut first: BTreeMap<&SegmentId, (&Arc<Segment>, Timestamp)> = BTreeMap::new();
        let cues = self.timelines.iter().flat_map(|timeline| timeline.cues()).filter(|cue| cue.end > from);
        for (segment, at) in cues.filter_map(|cue| Some((cue.segment()?, cue.at))) {
            let known = first.entry(&segment.id).or_insert((segment, at));
            known.1 = known.1.min(at);
        }
        let mut airing: Vec<_> = first.into_values().map(|(segment, at)| (Arc::clone(segment), at)).collect();
        airing.sort_by_key(|(_, at)| *at);
        airing
    }

    /// The segments that must be ready to sound at once, in the order of their right to be kept in memory. The shortest
    /// come first: a long piece that is approved later does not push the standing warnings out.
    pub fn standing(&self) -> Vec<&Arc<Segment>> {
        let programmes = self.schedule.programmes.values().filter(|programme| programme.ready);
        let segments = programmes.flat_map(|programme| self.catalog.of_programme(&programme.id));
        let mut standing: Vec<_> = segments.filter(|segment| segment.state == State::Approved).collect();
        standing.sort_by_key(|segment| segment.duration());
        standing
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::timeline::fixture::{at, schedule, segment};

    #[test]
    fn the_short_warnings_are_kept_before_a_long_piece_that_came_later() {
        let mut schedule = schedule("UTC", Vec::new());
        schedule.programmes.get_mut(&"tin".into()).unwrap().ready = true;
        let warning = segment("flood", "tin", 30);
        let later =
            Segment { added: warning.added + SignedDuration::from_hours(1), ..segment("long", "tin", 110) };
        let plan = Plan {
            schedule: Arc::new(schedule),
            catalog: Arc::new([later, warning, segment("x", "tuan", 9)].into_iter().collect()),
            timelines: Vec::new(),
            problems: Arc::default(),
            at: at("2026-11-23T00:00:00Z"),
        };
        let standing: Vec<_> = plan.standing().iter().map(|kept| kept.duration().as_secs()).collect();
        assert_eq!(standing, [30, 110]);
    }
}
