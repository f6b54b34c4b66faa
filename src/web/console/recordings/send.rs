//! Sending files in: a plain form, several files at once. The script in `assets/script/upload.js` sends the same files
//! in parts instead, and goes on where a lost connection stopped it.

use std::collections::BTreeMap;

use axum::extract::multipart::MultipartRejection;
use axum::extract::{
    DefaultBodyLimit, FromRequest as _, FromRequestParts as _, Multipart, Request, State as Of,
};
use axum::response::{Html, IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::form::{KEY_FIELD, Sent};
use super::super::page::{Failure, key, page, to};
use super::super::visitor::Visitor;
use super::weeks::{coming, monday, remark};
use super::{HERE, address, badge, has_no_weeks, programmes};
use crate::access::password::same;
use crate::segment::{ProgrammeId, SegmentId, State as Stand, Words};
use crate::store::{Store, StoreError, Upload, UploadVerdict};
use crate::text::http::Refusal;
use crate::text::page::recordings::{self as say_all, send as say};
use crate::web::State;
use crate::web::api::upload::{keep, part, text};
use crate::web::examining::{Stage, stage, verdict_of};
use crate::web::input::{Asked, Named};
use crate::web::person::HandIn;
use crate::web::problem::Problem;
use crate::web::recordings::{set_word, take_in};
use crate::web::uploads::{self, new_id};

/// What browsers offer to choose from.
const KINDS: &str = "audio/*,video/*,.amr,.3gp,.opus,.flac";
/// Verdicts that are shown.
const SHOWN: usize = 30;
/// Weeks that can be chosen.
const WEEKS: i64 = 4;

/// For what something is sent in.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web::console) struct For {
    #[serde(default, rename = "chuyen-muc")]
    programme: String,
    #[serde(default, rename = "tuan")]
    week: String,
}

/// The form, and what became of the files before.
pub(in crate::web::console) async fn ask(
    visitor: Visitor<HandIn>,
    Of(state): Of<State>,
    Asked(chosen): Asked<For>,
) -> Result<Html<String>, Failure> {
    let (plan, now) = (state.plan(), state.clock.now());
    let schedule = &plan.schedule;
    let weeks = coming(now, schedule, WEEKS);
    let lacking = |id: &_| {
        let programme = schedule.programmes.get(id)?;
        weeks.iter().take(1).find_map(|week| remark(&plan, programme, *week))
    };
    let content = html! {
        p.lead { (say::INTRO) }
        form.card.send method="post" action="/ban-ghi/gui" enctype="multipart/form-data" data-upload
            data-waiting=(say::WAITING) data-sending=(say::SENDING) data-lost=(say::LOST) data-examining=(say::EXAMINING)
            data-signed-out=(say::SIGNED_OUT) data-stop=(say::STOP) data-stopped=(say::STOPPED) data-unreadable=(say::UNREADABLE)
            data-new=(say::TAKEN) data-known=(say::KNOWN) data-refused=(say::REFUSED)
            data-left=(say::LEFT) data-stopped-count=(say::STOPPED_COUNT) data-put-off-count=(say::PUT_OFF_COUNT)
            data-describe=(say::DESCRIBE) data-see=(say::SEE) {
            (key(&visitor))
            label { (say::FOR) select name="programme" {
                option value="" { (say::LATER) }
                (programmes(schedule, &chosen.programme, lacking))
            } }
            label.week { (say::WEEK) select name="week" {
                option value="" { (say::NO_WEEK) }
                @for week in &weeks {
                    @let day = monday(*week).to_string();
                    option value=(day) selected[day == chosen.week] { (say_all::week(*week)) }
                }
            } }
            label.drop { span { (say::FILES) } span.hint { (say::DROP) }
                input type="file" name="file" multiple required accept=(KINDS);
            }
            button.main { (say::NOW) }
        }
        p.sum #sum aria-live="polite" {}
        ul.files #files {}
        (sent(&state, &visitor).await?)
        p { a href=(HERE) { (say_all::BACK) } }
    };
    Ok(page(&state, &visitor, HERE, say_all::SEND, &content))
}

/// What became of what this person sent of late.
async fn sent(state: &State, visitor: &Visitor<HandIn>) -> Result<Markup, Failure> {
    let whose = visitor.person.name().to_owned();
    let uploads = state.store.run(move |store| store.uploads_of(&whose)).await?;
    let mut rows = Vec::new();
    for upload in uploads.into_iter().take(SHOWN) {
        // Whoever reloads the page after a restart has what was left whole examined.
        let stage = stage(state, &upload).await.unwrap_or(Stage::Coming(0));
        rows.push((upload, stage));
    }
    let ids: Vec<_> = rows.iter().filter_map(|(_, stage)| stage.segment().cloned()).collect();
    let read = move |store: &Store| {
        let stands = ids.into_iter().map(|id| Ok(store.segment(&id)?.map(|segment| (id, segment.state))));
        stands.filter_map(Result::transpose).collect::<Result<BTreeMap<_, _>, StoreError>>()
    };
    let stands = state.store.run(read).await?;
    Ok(html! {
        @if !rows.is_empty() {
            section {
                h2 { (say::SENT) }
                ul.files { @for (upload, stage) in &rows { li.card data-address={ "/api/v1/uploads/" (upload.id) } { (row(visitor, upload, stage, &stands)) } } }
            }
        }
    })
}

fn row(
    visitor: &Visitor<HandIn>,
    upload: &Upload,
    stage: &Stage,
    stands: &BTreeMap<SegmentId, Stand>,
) -> Markup {
    html! {
        p.name { (upload.name) }
        @match stage {
            Stage::Coming(there) => {
                progress max=(upload.bytes) value=(there) aria-label=(upload.name) {}
                p.warn { (say::UNFINISHED) }
                form method="post" action={ (HERE) "/gui/" (upload.id) "/bo" } { (key(visitor)) button { (say::DROP_IT) } }
            }
            Stage::Examined => p { (say::EXAMINING) },
            Stage::PutOff(said) => p.warn { (said) },
            Stage::Judged(verdict) => {
                @let (class, word) = match verdict {
                    UploadVerdict::New(..) => ("good", say::TAKEN),
                    UploadVerdict::Known(..) => ("known", say::KNOWN),
                    UploadVerdict::Refused(_) => ("bad", say::REFUSED),
                };
                p { span.verdict.(class) { (word) } ": " (verdict.said()) }
                @if let Some(id) = verdict.segment() {
                    // Of what was there already the verdict names the state of then.
                    @let is_new = matches!(verdict, UploadVerdict::New(..));
                    @let stand = stands.get(id).filter(|stand| !is_new || **stand != Stand::Draft);
                    p {
                        @if let Some(stand) = stand { (say::NOW_IS) " " (badge(*stand)) " · " }
                        a href=(address(id)) { @if is_new && stand.is_none() { (say::DESCRIBE) } @else { (say::SEE) } }
                    }
                }
            }
        }
    }
}

/// Forgets a file that is not whole, and what came of it; of one that is gone already, it is done.
pub(in crate::web::console) async fn drop_upload(
    Of(state): Of<State>,
    Named(id): Named,
    Sent { visitor, .. }: Sent<HandIn>,
) -> Result<Response, Failure> {
    match uploads::find(&state, &visitor.person, &id).await {
        Ok(upload) => uploads::terminate(&state, &upload).await?,
        Err(Problem(Refusal::NoUpload)) => {}
        Err(problem) => return Err(problem.into()),
    }
    Ok(to("/ban-ghi/gui"))
}

/// Takes the files of a form in, each for itself: one that is refused keeps none from its turn.
pub(in crate::web::console) async fn send(
    Of(state): Of<State>,
    request: Request,
) -> Result<Response, Response> {
    let (mut parts, body) = request.into_parts();
    let visitor = Visitor::<HandIn>::from_request_parts(&mut parts, &state)
        .await
        .map_err(axum::response::IntoResponse::into_response)?;
    let mut request = Request::from_parts(parts, body);
    DefaultBodyLimit::disable().apply(&mut request);
    let failed = |failure: Failure| failure.into_response();
    let form = Multipart::from_request(request, &state)
        .await
        .map_err(|_: MultipartRejection| failed(Refusal::WrongType.into()))?;
    receive(&state, &visitor, form).await.map_err(failed)?;
    Ok(to("/ban-ghi/gui"))
}

async fn receive(state: &State, visitor: &Visitor<HandIn>, mut form: Multipart) -> Result<(), Failure> {
    let (mut words, mut ours) = (Words::default(), false);
    while let Some(part) = part(state, &mut form).await? {
        let field = part.name().unwrap_or_default().to_owned();
        match field.as_str() {
            KEY_FIELD => {
                let shown = text(state, part, &field).await?;
                ours = same(shown.as_bytes(), visitor.key.as_bytes());
            }
            // The key stands first in our own form: without it nothing is taken.
            _ if !ours => return Err(Refusal::Forged.into()),
            "file" => {
                let name = part.file_name().unwrap_or_default().to_owned();
                let place =
                    state.limits.uploads.take(visitor.person.name()).ok_or(Refusal::TooManyUploads)?;
                let (file, bytes) = keep(state, part).await?;
                if name.is_empty() && bytes == 0 {
                    return Err(Refusal::NoFile.into());
                }
                let mut words = words.clone();
                let chosen = words.programme.as_ref().map_or("", ProgrammeId::as_str);
                if has_no_weeks(&state.plan().schedule, chosen) {
                    words.week = None;
                }
                let taken = take_in(state, &visitor.person, (file, name.clone()), words, place).await;
                // Of a form nothing is kept: whatever went wrong, the file is to be sent again.
                let verdict =
                    verdict_of(taken).unwrap_or_else(|Problem(fault)| UploadVerdict::Refused(fault.detail()));
                note(state, visitor, name, bytes, verdict).await?;
            }
            _ => {
                let text = text(state, part, &field).await?;
                set_word(state, &mut words, &field, &text).map_err(|why| Problem::word(&field, why))?;
            }
        }
    }
    Ok(())
}

/// Keeps a verdict, for the page that is shown next.
async fn note(
    state: &State,
    visitor: &Visitor<HandIn>,
    name: String,
    bytes: u64,
    verdict: UploadVerdict,
) -> Result<(), Problem> {
    let upload = Upload {
        id: new_id()?,
        person: visitor.person.name().to_owned(),
        origin: visitor.person.origin().to_owned(),
        name,
        bytes,
        metadata: String::new(),
        created: state.clock.now(),
        verdict: Some(verdict),
    };
    state.store.run(move |store| store.add_upload(upload, |_| true)).await?;
    Ok(())
}
