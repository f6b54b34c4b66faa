//! What can only be seen on dates: sessions that meet on one output, and too many of them on a day.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, ToSpan};

use super::problem::{ANY_MONDAY, Kind};
use super::reader::File;
use super::{PlanDate, Schedule, Session, Weekdays};

/// From one midnight to the next.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// After so many years every date has been on every weekday.
const CALENDAR_REPEATS: std::ops::Range<i16> = 2024..2052;

/// Checks a schedule; `places` says where the sessions stand, first those of the week and then those of the plans.
pub(super) fn check(schedule: &Schedule, places: &[(&File<'_>, usize)]) {
    allowed_days(schedule, places);
    let of_plans = schedule.day_plans.iter().flat_map(|plan| &plan.sessions);
    let sessions: Vec<&Session> = schedule.sessions.iter().chain(of_plans).collect();
    let on = |date: Date| -> Vec<usize> {
        let index = |session: &Session| sessions.iter().position(|other| std::ptr::eq(*other, session));
        schedule.sessions_on(date).filter_map(index).collect()
    };
    let span = |index: usize, later: SignedDuration| {
        let session = *sessions.get(index)?;
        let start = Time::midnight().duration_until(session.from) + later;
        Some(Span { index, session, start, end: start + session.length() })
    };
    let (mut met, mut crowded) = (BTreeSet::new(), BTreeSet::new());
    for (date, yearly) in dates(schedule) {
        let today = on(date);
        let tomorrow = date.tomorrow().map(on).unwrap_or_default();
        let spans = today.iter().filter_map(|index| span(*index, SignedDuration::ZERO));
        let spans = spans.chain(tomorrow.iter().filter_map(|index| span(*index, DAY)));
        let mut spans: Vec<_> = spans.collect();
        spans.sort_by_key(|span| (span.start, span.index));
        for (nth, one) in spans.iter().enumerate() {
            for other in spans.iter().skip(nth + 1).take_while(|other| other.start < one.end) {
                // Told where the later one in the file stands: it was probably added last.
                let (first, last) = if one.index < other.index { (one, other) } else { (other, one) };
                if let Some(output) = one.session.outputs.intersection(&other.session.outputs).next()
                    && met.insert((first.index, last.index))
                    && let Some((file, at)) = places.get(last.index)
                {
                    let (other, output) = (first.session.id.to_string(), output.to_string());
                    // Where both are tomorrow's, that is the day on which they meet.
                    let date = if one.start < DAY { date } else { date.saturating_add(1.days()) };
                    file.report(*at, Kind::Overlap { other, output, date, yearly });
                }
            }
        }
        // What the people under one output's loudspeakers hear is counted, as on air.
        for output in schedule.outputs.iter().filter(|_| schedule.rules.sessions_per_day.is_some()) {
            let hears = |index: &&usize| {
                sessions.get(**index).is_some_and(|session| session.outputs.contains(&output.id))
            };
            let heard: Vec<usize> = today.iter().filter(hears).copied().collect();
            if let Some(last) = heard.last()
                && let Some(allowed) = schedule.rules.sessions_per_day
                && usize::try_from(allowed).is_ok_and(|allowed| heard.len() > allowed)
                && crowded.insert(*last)
                && let Some((file, at)) = places.get(*last)
            {
                file.report(*at, Kind::TooManySessions { date, yearly, count: heard.len(), allowed });
            }
        }
    }
}

/// A session on the days of two dates, from the first midnight.
struct Span<'a> {
    index: usize,
    session: &'a Session,
    start: SignedDuration,
    end: SignedDuration,
}

/// No session is on a weekday without sessions; a plan for every year is on any, and is left to its date.
fn allowed_days(schedule: &Schedule, places: &[(&File<'_>, usize)]) {
    let of_week = schedule.sessions.iter().map(|session| session.days);
    let of_plans = schedule.day_plans.iter().flat_map(|plan| {
        let days = match plan.date {
            PlanDate::Once(date) => Weekdays::NONE.with(date.weekday()),
            PlanDate::Yearly { .. } => Weekdays::NONE,
        };
        plan.sessions.iter().map(move |_| days)
    });
    let allowed = schedule.rules.weekdays;
    for (days, (file, at)) in of_week.chain(of_plans).zip(places) {
        let days = days.without(allowed);
        if !days.is_empty() {
            file.report(*at, Kind::DaysNotAllowed { days, allowed });
        }
    }
}

/// Dates on which everything that can meet does meet: whenever several sessions are valid together, then also in the
/// first week of it or, where it had no beginning, in the last. Those of any week come first: what is so in every week is
/// told of no other. Those of plans for every year come last, and are marked: a year is tried only because the day has to
/// be in one.
fn dates(schedule: &Schedule) -> impl Iterator<Item = (Date, bool)> {
    let week = |first: Date| (0..9).filter_map(move |days| first.checked_add(days.days()).ok());
    let (mut dates, mut yearly): (BTreeSet<Date>, BTreeSet<Date>) = Default::default();
    for session in &schedule.sessions {
        dates.extend(session.valid.from.into_iter().flat_map(|from| week(from.saturating_sub(1.days()))));
        dates.extend(session.valid.until.into_iter().flat_map(|until| week(until.saturating_sub(8.days()))));
    }
    for plan in &schedule.day_plans {
        let with_the_eve = |day: Date| [day.saturating_sub(1.days()), day];
        match plan.date {
            PlanDate::Once(date) => dates.extend(with_the_eve(date)),
            PlanDate::Yearly { month, day } => {
                let days = CALENDAR_REPEATS.filter_map(|year| Date::new(year, month, day).ok());
                yearly.extend(days.flat_map(with_the_eve));
            }
        }
    }
    let dates = week(ANY_MONDAY).chain(dates).map(|date| (date, false));
    dates.chain(yearly.into_iter().map(|date| (date, true)))
}
