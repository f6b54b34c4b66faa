//! Stretches of the log as files: a workbook, which is made whole on the disk, and CSV, which is sent as it is read.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State as Of;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;

use super::form::{Fields, Query};
use super::log::{Wanted, asked_day, between};
use super::page::Failure;
use super::visitor::Visitor;
use crate::schedule::{OutputId, Schedule};
use crate::store::{AiringFilter, Store, StoreError};
use crate::text::http::Refusal;
use crate::text::outcome::{file_columns, file_line};
use crate::text::table::Csv;
use crate::text::workbook::{Book, BookError};
use crate::web::State;
use crate::web::person::ReadLog;
use crate::web::problem::Problem;

/// Days of a file, at most.
const MOST_DAYS: i32 = 366;
/// Bytes that are sent in one piece.
const PIECE: usize = 64 * 1024;
/// Pieces that wait for a slow connection; then the reading waits.
const AHEAD: usize = 2;

/// A stretch of the log as a file.
pub(super) async fn export(
    _: Visitor<ReadLog>,
    Of(state): Of<State>,
    Query(asked): Query,
) -> Result<Response, Failure> {
    let wrong = |field: &str| Refusal::BadField { field: field.to_owned() };
    let schedule = Arc::clone(&state.plan().schedule);
    let (from, to) = (asked_day(&state, &asked, "from")?, asked_day(&state, &asked, "to")?);
    let days = from.until(to).map_err(|_| wrong("to"))?.get_days();
    if days < 0 {
        return Err(Refusal::EndsBeforeItBegins.into());
    }
    if days >= MOST_DAYS {
        return Err(Refusal::MoreThanAYear.into());
    }
    let mut filter = between(from, to, &schedule.time_zone)?;
    filter.output = Some(asked.one("output")).filter(|output| !output.is_empty()).map(OutputId::new);
    let (is_text, extension, kind) = match asked.one("format") {
        "csv" => (true, "csv", "text/csv; charset=utf-8; header=present"),
        "xlsx" => (false, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        _ => return Err(wrong("format").into()),
    };
    // One at a time, as with every walk through the log, also when the one who asked for it has gone.
    let place = Arc::clone(&state.limits.walks).try_acquire_owned().map_err(|_| Refusal::Busy)?;
    let now = state.clock.now();
    let body = if is_text {
        sent(state.store.clone(), (filter, asked), (schedule, now), place).await?
    } else {
        let written = state.store.run(move |store| {
            let _place = place;
            Ok(xlsx(store, filter, &asked, (&schedule, now)))
        });
        Body::from(written.await??)
    };
    let name = format!("attachment; filename=\"nhat-ky-phat-thanh-{from}-{to}.{extension}\"");
    Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)], body).into_response())
}

impl From<BookError> for Problem {
    fn from(failure: BookError) -> Self {
        Self::unexpected(&failure)
    }
}

fn xlsx(
    store: &Store,
    filter: AiringFilter,
    asked: &Fields,
    (schedule, now): (&Schedule, Timestamp),
) -> Result<Vec<u8>, Problem> {
    let wanted = Wanted::of(asked);
    let mut book = Book::new(schedule, now)?;
    store.each_airing(filter, |airing| {
        if wanted.has(&airing) {
            book.airing(schedule, &airing)?;
        }
        Ok::<_, Problem>(())
    })?;
    Ok(book.finish()?)
}

/// The log as text, sent while it is read: a year of it takes no more memory than a day. What fails before the first
/// piece is an answer of its own; what fails later breaks the file off, so that nobody takes it for whole.
async fn sent(
    store: Store,
    (filter, asked): (AiringFilter, Fields),
    (schedule, now): (Arc<Schedule>, Timestamp),
    place: OwnedSemaphorePermit,
) -> Result<Body, Problem> {
    let (sender, pieces) = channel(AHEAD);
    let work = tokio::task::spawn_blocking(move || {
        let _place = place;
        csv(&store, (filter, &Wanted::of(&asked)), (&schedule, now), Outgoing(sender))
    });
    let work = async { work.await.map_err(|failure| Problem::unexpected(&failure)).flatten() };
    let mut pieces = ReceiverStream::new(pieces);
    let Some(first) = pieces.next().await else {
        work.await?;
        return Ok(Body::empty());
    };
    let end = stream::once(work).filter_map(async |ended| {
        ended.err().map(|_| Err(io::Error::other("the log could not be read to its end")))
    });
    Ok(Body::from_stream(stream::once(async { first }).chain(pieces).map(Ok).chain(end)))
}

fn csv(
    store: &Store,
    (filter, wanted): (AiringFilter, &Wanted<'_>),
    (schedule, now): (&Schedule, Timestamp),
    to: Outgoing,
) -> Result<(), Problem> {
    let write = || {
        let mut csv = Csv::for_excel(file_columns(Some(schedule)), BufWriter::with_capacity(PIECE, to))
            .map_err(unread)?;
        let mut number = 0;
        let read = store.each_airing(filter, |airing| {
            if !wanted.has(&airing) {
                return Ok(());
            }
            number += 1;
            csv.row(file_line(number, &airing, Some(schedule), &schedule.time_zone, now)).map_err(unread)
        });
        let mut rest = csv.into_inner();
        if read.is_ok() {
            return rest.flush().map_err(unread);
        }
        // What is not sent yet stays unsent.
        drop(rest.into_parts());
        read
    };
    match write() {
        Ok(()) | Err(Unsent::Unread) => Ok(()),
        Err(Unsent::Store(failure)) => Err(failure.into()),
    }
}

/// Why a text has no end.
enum Unsent {
    Store(StoreError),
    /// Nobody reads it any more.
    Unread,
}

impl From<StoreError> for Unsent {
    fn from(failure: StoreError) -> Self {
        Self::Store(failure)
    }
}

/// All that can go wrong with [`Outgoing`].
fn unread(_: io::Error) -> Unsent {
    Unsent::Unread
}

/// A text on its way, piece by piece.
struct Outgoing(Sender<Bytes>);

impl Write for Outgoing {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Bytes::copy_from_slice(piece));
        sent.map(|()| piece.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
