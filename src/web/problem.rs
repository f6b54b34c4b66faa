//! Refusals on the wire: RFC 9457 `application/problem+json`, with a stable code for programs and a sentence for people.

use std::error::Error;
use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Permission;
use crate::editing::EditingError;
use crate::engine::handle;
use crate::intake::IntakeError;
use crate::media::ingest;
use crate::schedule::edit::EditError;
use crate::store::StoreError;
use crate::text::http::{Refusal, Why};

/// A refusal on its way out.
#[derive(Debug)]
pub(super) struct Problem(pub(super) Refusal);

/// What goes along with the answer, for pages that say it to people.
#[derive(Debug, Clone)]
pub(super) struct Refused(pub(super) Arc<Refusal>);

/// The body of a refusal, RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemBody {
    /// `urn:loa:problem:` and the code.
    r#type: String,
    /// A few words, in Vietnamese.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened, what it means for the air, what to do; in Vietnamese.
    detail: String,
    /// What programs go by; never changes.
    #[schema(example = "not-permitted")]
    code: &'static str,
    /// What the person would have to be allowed to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "approve")]
    permission: Option<Permission>,
    /// The field that is wrong; of several the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What exactly cannot be read, in English, for who writes the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    /// What to quote to a technician: the log has it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
}

impl Problem {
    /// Something that should not happen: logged under a number, of which alone the client learns.
    pub(super) fn unexpected(failure: &(dyn Error + 'static)) -> Self {
        let mut bytes = [0; 4];
        // Without random bytes the number is not unique, and still found in the log.
        let number = match getrandom::fill(&mut bytes) {
            Ok(()) => format!("{:08x}", u32::from_be_bytes(bytes)),
            Err(_) => "0".to_owned(),
        };
        tracing::error!(number, error = failure, "a request failed");
        Self(Refusal::Unexpected { number })
    }

    /// A field of the request that has a value it cannot have.
    pub(super) fn field(name: &str) -> Self {
        Self(Refusal::BadField { field: name.to_owned() })
    }

    /// A word of a recording that is not taken, and why.
    pub(super) fn word(name: &str, why: Why) -> Self {
        Self(Refusal::BadWords(vec![(name.to_owned(), why)]))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(refusal) = self;
        let (status, code) = kind(&refusal);
        let mut body = ProblemBody {
            r#type: format!("urn:loa:problem:{code}"),
            title: refusal.title(),
            status: status.as_u16(),
            detail: refusal.detail(),
            code,
            permission: None,
            field: None,
            said: None,
            number: None,
        };
        if let Refusal::NotPermitted(permission) = &refusal {
            body.permission = Some(*permission);
        } else if let Refusal::BadField { field } = &refusal {
            body.field = Some(field.clone());
        } else if let Refusal::BadWords(words) = &refusal {
            body.field = words.first().map(|(field, _)| field.clone());
        } else if let Refusal::Malformed { said } = &refusal {
            body.said = Some(said.clone());
        } else if let Refusal::Unexpected { number } = &refusal {
            body.number = Some(number.clone());
        }
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"loa\""));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response.extensions_mut().insert(Refused(Arc::new(refusal)));
        response
    }
}

/// The status and the stable code of a refusal.
pub(super) fn kind(refusal: &Refusal) -> (StatusCode, &'static str) {
    use StatusCode as S;
    match refusal {
        Refusal::NoToken => (S::UNAUTHORIZED, "no-token"),
        Refusal::WrongToken => (S::UNAUTHORIZED, "wrong-token"),
        Refusal::Forged => (S::FORBIDDEN, "forged"),
        Refusal::NotPermitted(_) => (S::FORBIDDEN, "not-permitted"),
        Refusal::OwnWork => (S::FORBIDDEN, "own-work"),
        Refusal::ApprovedWords => (S::FORBIDDEN, "approved-words"),
        Refusal::NoPage => (S::NOT_FOUND, "no-such-page"),
        Refusal::NoRoute => (S::NOT_FOUND, "no-such-address"),
        Refusal::WrongMethod => (S::METHOD_NOT_ALLOWED, "wrong-method"),
        Refusal::OnlyFromAPage => (S::METHOD_NOT_ALLOWED, "only-from-a-page"),
        Refusal::NoSegment => (S::NOT_FOUND, "no-such-segment"),
        Refusal::FileGone => (S::NOT_FOUND, "file-gone"),
        Refusal::FileUnreadable => (S::INTERNAL_SERVER_ERROR, "file-unreadable"),
        Refusal::FileChanged => (S::CONFLICT, "file-changed"),
        Refusal::NoSuchRange => (S::RANGE_NOT_SATISFIABLE, "no-such-range"),
        Refusal::NoInterrupt => (S::NOT_FOUND, "no-such-interrupt"),
        Refusal::NoOutput => (S::NOT_FOUND, "no-such-output"),
        Refusal::NoUser => (S::NOT_FOUND, "no-such-user"),
        Refusal::UserExists => (S::CONFLICT, "user-exists"),
        Refusal::BadUserName => (S::UNPROCESSABLE_ENTITY, "bad-user-name"),
        Refusal::NoRole => (S::UNPROCESSABLE_ENTITY, "no-role"),
        Refusal::LastAdmin => (S::CONFLICT, "last-admin"),
        Refusal::NotApproved(_) => (S::CONFLICT, "not-approved"),
        Refusal::NotValid => (S::CONFLICT, "not-valid-today"),
        Refusal::WrongState(_) => (S::CONFLICT, "wrong-state"),
        Refusal::OtherBytes => (S::CONFLICT, "other-bytes"),
        Refusal::OtherWords | Refusal::OtherWordsToApprove => (S::CONFLICT, "other-words"),
        Refusal::WithdrawalUnkept => (S::SERVICE_UNAVAILABLE, "withdrawal-unkept"),
        Refusal::QuietHours => (S::CONFLICT, "quiet-hours"),
        Refusal::HasTheAir => (S::CONFLICT, "interrupt-on-air"),
        Refusal::NotOnAir => (S::CONFLICT, "not-on-air"),
        Refusal::ScheduleBroken => (S::CONFLICT, "schedule-broken"),
        Refusal::NotInSchedule => (S::NOT_FOUND, "not-in-schedule"),
        Refusal::ScheduleByHand => (S::CONFLICT, "schedule-by-hand"),
        Refusal::ScheduleNotWritten => (S::INTERNAL_SERVER_ERROR, "schedule-not-written"),
        Refusal::Malformed { .. } => (S::BAD_REQUEST, "malformed"),
        Refusal::WrongType => (S::UNSUPPORTED_MEDIA_TYPE, "wrong-type"),
        Refusal::BadField { .. } => (S::UNPROCESSABLE_ENTITY, "bad-field"),
        Refusal::EndsBeforeItBegins => (S::UNPROCESSABLE_ENTITY, "ends-before-it-begins"),
        Refusal::MoreThanAYear => (S::UNPROCESSABLE_ENTITY, "more-than-a-year"),
        Refusal::BadWords(words) if matches!(words.first(), Some((_, Why::UnknownProgramme))) => {
            (S::UNPROCESSABLE_ENTITY, "unknown-programme")
        }
        Refusal::BadWords(_) => (S::UNPROCESSABLE_ENTITY, "bad-field"),
        Refusal::NoFile => (S::UNPROCESSABLE_ENTITY, "no-file"),
        Refusal::Interrupted => (S::REQUEST_TIMEOUT, "interrupted"),
        Refusal::TooLarge { .. } | Refusal::FormTooLarge => (S::PAYLOAD_TOO_LARGE, "too-large"),
        Refusal::Recording(verdict) => recording(verdict),
        Refusal::TooManyUploads => (S::SERVICE_UNAVAILABLE, "too-many-uploads"),
        Refusal::TooManyWaiting => (S::TOO_MANY_REQUESTS, "too-many-unfinished"),
        Refusal::OthersWaiting => (S::SERVICE_UNAVAILABLE, "too-many-unfinished-of-others"),
        Refusal::NoUpload => (S::NOT_FOUND, "no-such-upload"),
        Refusal::UploadExpired => (S::GONE, "upload-expired"),
        Refusal::WrongOffset => (S::CONFLICT, "wrong-offset"),
        Refusal::WrongTusVersion => (S::PRECONDITION_FAILED, "wrong-tus-version"),
        Refusal::TooManyListeners => (S::SERVICE_UNAVAILABLE, "too-many-listeners"),
        Refusal::Busy => (S::SERVICE_UNAVAILABLE, "busy"),
        Refusal::EngineBusy => (S::SERVICE_UNAVAILABLE, "engine-busy"),
        Refusal::EngineGone => (S::SERVICE_UNAVAILABLE, "engine-gone"),
        Refusal::TooSlow => (S::SERVICE_UNAVAILABLE, "too-slow"),
        Refusal::Unexpected { .. } => (S::INTERNAL_SERVER_ERROR, "unexpected"),
    }
}

/// The status and the stable code of a verdict on a recording.
fn recording(verdict: &ingest::Refusal) -> (StatusCode, &'static str) {
    use StatusCode as S;
    match verdict {
        ingest::Refusal::Empty => (S::UNPROCESSABLE_ENTITY, "recording-empty"),
        ingest::Refusal::NotAudio => (S::UNPROCESSABLE_ENTITY, "recording-not-audio"),
        ingest::Refusal::Silent => (S::UNPROCESSABLE_ENTITY, "recording-silent"),
        ingest::Refusal::TooShort { .. } => (S::UNPROCESSABLE_ENTITY, "recording-too-short"),
        ingest::Refusal::TooLong { .. } => (S::UNPROCESSABLE_ENTITY, "recording-too-long"),
        ingest::Refusal::TooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "too-large"),
        ingest::Refusal::Truncated { .. } => (S::UNPROCESSABLE_ENTITY, "recording-truncated"),
        ingest::Refusal::UnsupportedCodec { .. } => (S::UNPROCESSABLE_ENTITY, "recording-unsupported"),
        ingest::Refusal::DecoderFailed => (S::UNPROCESSABLE_ENTITY, "recording-broken"),
        ingest::Refusal::DiskFull => (S::INSUFFICIENT_STORAGE, "disk-full"),
        ingest::Refusal::Cancelled => (S::REQUEST_TIMEOUT, "interrupted"),
        ingest::Refusal::Io { .. } => (S::INTERNAL_SERVER_ERROR, "disk-failed"),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<StoreError> for Problem {
    fn from(failure: StoreError) -> Self {
        Refusal::of_store(&failure).map_or_else(|| Self::unexpected(&failure), Self)
    }
}

impl From<IntakeError> for Problem {
    fn from(failure: IntakeError) -> Self {
        match failure {
            IntakeError::Refused(refusal @ ingest::Refusal::Io { .. }) => {
                tracing::error!(error = &refusal as &dyn Error, "a recording could not be taken in");
                Self(Refusal::Recording(refusal))
            }
            IntakeError::Refused(refusal) => Self(Refusal::Recording(refusal)),
            IntakeError::Word { field, cause } => Self::word(field, cause.into()),
            IntakeError::Store(failure) => failure.into(),
        }
    }
}

impl From<EditingError> for Problem {
    fn from(failure: EditingError) -> Self {
        match failure {
            EditingError::Unreadable(_)
            | EditingError::Edit(EditError::Broken(_) | EditError::Refused(_)) => {
                Self(Refusal::ScheduleBroken)
            }
            EditingError::Edit(EditError::Unwritable) => Self(Refusal::ScheduleByHand),
            EditingError::Edit(EditError::Absent { .. }) | EditingError::NoRevision(_) => {
                Self(Refusal::NotInSchedule)
            }
            EditingError::Write { .. } => {
                tracing::error!(error = &failure as &dyn Error, "the schedule could not be written");
                Self(Refusal::ScheduleNotWritten)
            }
            EditingError::Store(failure) => failure.into(),
        }
    }
}

impl From<handle::Refused> for Problem {
    fn from(refused: handle::Refused) -> Self {
        match refused {
            handle::Refused::Busy => Self(Refusal::EngineBusy),
            handle::Refused::Gone => Self(Refusal::EngineGone),
        }
    }
}
