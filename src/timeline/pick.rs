//! Which segment of a programme or a pool is due on a date.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::civil::{Date, ISOWeekDate};
use jiff::tz::TimeZone;

use super::Absence;
use crate::schedule::{Programme, StandIn};
use crate::segment::{Catalog, ProgrammeId, Segment, State};

/// What a slot has to play.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Due {
    pub(super) segment: Arc<Segment>,
    /// This week's is missing, and this older one airs in its stead.
    pub(super) stands_in: bool,
}

/// The file of this name, if it may air.
pub(super) fn file(catalog: &Catalog, name: &str, date: Date) -> Result<Due, Absence> {
    let segment = catalog.by_file(name).ok_or(Absence::Missing)?;
    if catalog.can_air_on(segment, date) {
        Ok(Due { segment: Arc::clone(segment), stands_in: false })
    } else {
        Err(hindrance(catalog, [segment], date))
    }
}

/// The segment of a programme that is due on a date: the newest that may air; in a weekly programme this week's, and
/// failing that, where an older one may stand in, the latest one of the weeks before.
pub(super) fn due(
    catalog: &Catalog,
    programme: &Programme,
    time_zone: &TimeZone,
    date: Date,
) -> Result<Due, Absence> {
    let all = catalog.of_programme(&programme.id);
    let newest = |mut segments: Vec<&Arc<Segment>>| {
        segments.retain(|segment| catalog.can_air_on(segment, date));
        segments.last().map(|segment| Arc::clone(segment))
    };
    if !programme.weekly {
        return newest(all.iter().collect())
            .map(|segment| Due { segment, stands_in: false })
            .ok_or_else(|| hindrance(catalog, all, date));
    }
    let this_week = date.iso_week_date();
    let week_of = |segment: &Segment| key(week(segment, time_zone));
    let (of_week, others): (Vec<_>, Vec<_>) =
        all.iter().partition(|segment| week_of(segment) == key(this_week));
    let why = hindrance(catalog, of_week.iter().copied(), date);
    if let Some(segment) = newest(of_week) {
        return Ok(Due { segment, stands_in: false });
    }
    let mut older: Vec<_> = others.into_iter().filter(|segment| week_of(segment) < key(this_week)).collect();
    older.sort_by_cached_key(|segment| week_of(segment));
    match programme.stand_in {
        StandIn::Older => newest(older).map(|segment| Due { segment, stands_in: true }).ok_or(why),
        StandIn::Never => Err(why),
    }
}

/// All segments of a programme that may air on a date, the newest first: when not all of them fit, the village has
/// heard the old ones more often.
pub(super) fn all(
    catalog: &Catalog,
    programme: &ProgrammeId,
    date: Date,
) -> Result<Vec<Arc<Segment>>, Absence> {
    let all = catalog.of_programme(programme);
    let valid: Vec<_> =
        all.iter().rev().filter(|segment| catalog.can_air_on(segment, date)).cloned().collect();
    if valid.is_empty() { Err(hindrance(catalog, all, date)) } else { Ok(valid) }
}

/// The pieces of a pool in the order in which a day takes them, empty where none may air.
///
/// The order is that of the ids, which are hashes and so an even shuffle that a new piece disturbs in one place only.
/// Each day begins a golden section of the circle further than the day before: whatever the number of pieces a day takes,
/// its beginning is far from that of the days around it, and no day needs to know what another played.
pub(super) fn rotation(catalog: &Catalog, pool: &ProgrammeId, date: Date) -> VecDeque<Arc<Segment>> {
    let members = catalog.of_programme(pool);
    let mut members: VecDeque<_> = members
        .iter()
        .filter(|segment| catalog.can_air_on(segment, date) && segment.duration().is_positive())
        .cloned()
        .collect();
    members.make_contiguous().sort_by(|a, b| a.id.cmp(&b.id));
    let day = u64::try_from(date.duration_since(Date::MIN).as_hours() / 24).unwrap_or_default();
    let turn = day.wrapping_mul(GOLDEN) >> 32;
    let first = u64::try_from(members.len()).map_or(0, |count| (turn * count) >> 32);
    members.rotate_left(usize::try_from(first).unwrap_or_default());
    members
}

/// 2⁶⁴ divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Why nothing of a pool may air.
pub(super) fn why_empty(catalog: &Catalog, pool: &ProgrammeId, date: Date) -> Absence {
    hindrance(catalog, catalog.of_programme(pool), date)
}

/// Why none of these segments may air on a date, from the one that is nearest to it: one that waits for approval needs
/// one act of a person, as does one whose file is broken; one that is out of its dates a change of them; a withdrawn one
/// is gone for good.
pub(super) fn hindrance<'a>(
    catalog: &Catalog,
    segments: impl IntoIterator<Item = &'a Arc<Segment>>,
    date: Date,
) -> Absence {
    let mut nearest: Option<(u8, Absence)> = None;
    for found in segments {
        let segment = found.id.clone();
        let (distance, why) = match found.state {
            State::Withdrawn => (3, Absence::Withdrawn { segment }),
            State::Draft | State::Pending if found.is_valid_on(date) => (0, Absence::NotApproved { segment }),
            State::Draft | State::Pending => (2, Absence::NotValid { segment }),
            State::Approved if catalog.troubles().contains_key(&segment) && found.is_valid_on(date) => {
                (0, Absence::FileBroken { segment })
            }
            State::Approved => (1, Absence::NotValid { segment }),
        };
        // The later of equals: segments come oldest first, and people look at the newest.
        if nearest.as_ref().is_none_or(|(least, _)| distance <= *least) {
            nearest = Some((distance, why));
        }
    }
    nearest.map_or(Absence::Missing, |(_, why)| why)
}

/// The week a segment is meant for. Where it does not say, the week in which it could first air: of its first valid date
/// or of the day it was handed in, whichever is later.
pub fn week(segment: &Segment, time_zone: &TimeZone) -> ISOWeekDate {
    segment.week().unwrap_or_else(|| {
        let added = time_zone.to_datetime(segment.added).date();
        segment.words.valid_from.map_or(added, |from| from.max(added)).iso_week_date()
    })
}

/// What weeks are compared by: year and number.
fn key(week: ISOWeekDate) -> (i16, i8) {
    (week.year(), week.week())
}
