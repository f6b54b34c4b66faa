//! What requests bring, read at the door: bodies, addresses and questions, refused as problems.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::de::DeserializeOwned;

use super::State;
use super::problem::Problem;
use crate::text::http::Refusal;

/// A JSON body.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<State> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let axum::Json(body) = axum::Json::from_request(request, state).await.map_err(
            |rejection: JsonRejection| match rejection.status() {
                StatusCode::UNSUPPORTED_MEDIA_TYPE => Refusal::WrongType,
                StatusCode::PAYLOAD_TOO_LARGE => Refusal::FormTooLarge,
                _ => Refusal::Malformed { said: rejection.body_text() },
            },
        )?;
        Ok(Self(body))
    }
}

/// The questions of an address, after its `?`.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<State> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let Query(asked) = Query::from_request_parts(parts, state)
            .await
            .map_err(|rejection: QueryRejection| Refusal::Malformed { said: rejection.body_text() })?;
        Ok(Self(asked))
    }
}

/// The variable parts of an address. What cannot be an id names nothing.
#[derive(Debug)]
pub(super) struct Named<T = String>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<State> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let Path(name) = Path::from_request_parts(parts, state)
            .await
            .map_err(|_: PathRejection| Problem::from(Refusal::NoRoute))?;
        Ok(Self(name))
    }
}

/// How much of something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Portion {
    /// All of it: no range is asked for, several are, or what nobody can read.
    All,
    /// From this byte on and before that one.
    Part(u64, u64),
    /// Nothing that it has.
    Beyond,
}

/// What `Range` asks for of so many bytes, as RFC 9110 has it.
pub(super) fn portion(range: Option<&HeaderValue>, whole: u64) -> Portion {
    // A number that is too large for us is larger than every file.
    let number = |text: &str| {
        let is_one = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_one.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let bounds = range.and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-'));
    let Some((first, last)) = bounds else { return Portion::All };
    let (from, to) = match (number(first), number(last)) {
        (None, Some(last)) if first.is_empty() => (whole.saturating_sub(last), whole),
        (Some(first), None) if last.is_empty() => (first, whole),
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(whole)),
        _ => return Portion::All,
    };
    if from < to { Portion::Part(from, to) } else { Portion::Beyond }
}

/// An instant of a question: an instant, or a date of the station, which is its first moment.
pub(super) fn instant(field: &str, text: &str, zone: &TimeZone) -> Result<Timestamp, Problem> {
    match (text.parse::<Timestamp>(), text.parse::<Date>()) {
        (Ok(instant), _) => Ok(instant),
        (Err(_), Ok(date)) => start_of(date, zone).ok_or_else(|| Problem::field(field)),
        (Err(_), Err(_)) => Err(Problem::field(field)),
    }
}

/// The end of a stretch: an instant, or a date of the station, which is included.
pub(super) fn end(field: &str, text: &str, zone: &TimeZone) -> Result<Timestamp, Problem> {
    match (text.parse::<Timestamp>(), text.parse::<Date>()) {
        (Ok(instant), _) => Ok(instant),
        (Err(_), Ok(date)) => {
            let next = date.checked_add(1.day()).ok().and_then(|next| start_of(next, zone));
            next.ok_or_else(|| Problem::field(field))
        }
        (Err(_), Err(_)) => Err(Problem::field(field)),
    }
}

/// A value of an enum from its code.
pub(super) fn parse_code<T: DeserializeOwned>(field: &str, code: &str) -> Result<T, Problem> {
    serde_json::from_value(code.into()).map_err(|_| Problem::field(field))
}

/// The first moment of a date.
pub(super) fn start_of(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_zoned(date.at(0, 0, 0, 0)).ok().map(|midnight| midnight.timestamp())
}

/// An instant as the station's clocks show it: `2026-11-23T05:30:00.000+07:00`.
pub(super) fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// Whole milliseconds.
pub(super) fn millis(length: SignedDuration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_browsers_write_them_and_anything_else_is_all() {
        let asked = |text| portion(Some(&HeaderValue::from_static(text)), 1000);
        for (range, from, to) in [
            ("bytes=0-", 0, 1000),
            ("bytes=0-0", 0, 1),
            ("bytes=44-", 44, 1000),
            ("bytes=-10", 990, 1000),
            ("bytes=-5000", 0, 1000),
            ("bytes=900-5000", 900, 1000),
            ("bytes=900-99999999999999999999", 900, 1000),
        ] {
            assert_eq!(asked(range), Portion::Part(from, to), "{range}");
        }
        for beyond in ["bytes=1000-", "bytes=99999999999999999999-", "bytes=1000-2000", "bytes=-0"] {
            assert_eq!(asked(beyond), Portion::Beyond, "{beyond}");
        }
        for none in [
            "",
            "items=0-1",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=0-1,3-4",
            "bytes=+1-2",
        ] {
            assert_eq!(asked(none), Portion::All, "{none}");
        }
        assert_eq!((portion(None, 1000), portion(None, 0)), (Portion::All, Portion::All));
    }

    #[test]
    fn a_date_stands_for_the_stations_whole_day() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let (from, to) =
            (instant("from", "2026-11-23", &zone).unwrap(), end("to", "2026-11-23", &zone).unwrap());
        assert_eq!(
            (from.to_string(), to.to_string()),
            ("2026-11-22T17:00:00Z".into(), "2026-11-23T17:00:00Z".into())
        );
        assert_eq!(
            instant("from", "2026-11-22T22:30:00Z", &zone).unwrap().to_string(),
            "2026-11-22T22:30:00Z"
        );
        assert_eq!(local(from, &zone), "2026-11-23T00:00:00.000+07:00");
        for wrong in ["", "yesterday", "2026-02-30", "05:30"] {
            assert!(instant("from", wrong, &zone).is_err(), "{wrong}");
        }
    }
}
