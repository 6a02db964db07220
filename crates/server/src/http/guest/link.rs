//! Upload links, as their holders see them: without an account, by the token alone. It stands in the address, which is why the log names
//! routes and not addresses, and why no answer tells another site where it came from.

use app::App;
use app::file_request::{Opened, Said};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use domain::file_request::Answer as Verb;
use domain::{Invalid, Timestamp, Window};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use crate::http::document::Routes;
use crate::http::extract::{Address, Json, Path};
use crate::http::problem::{Answer, Problem};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(open_link)).routes(routes!(answer_link)).routes(routes!(finish_link))
}

/// A file that was sent by the link, or is on its way.
#[derive(Serialize, utoipa::ToSchema)]
struct SentView {
    upload_id: String,
    name: String,
    size_bytes: i64,
    /// Once it is here.
    sha256: Option<String>,
    finished: bool,
}

/// What is asked, by whom, and what was sent so far.
#[derive(Serialize, utoipa::ToSchema)]
struct LinkView {
    name: String,
    description: Option<String>,
    requester: String,
    organization: String,
    source: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// IANA time zone in which to show times.
    time_zone: String,
    expires_at: Timestamp,
    finished_at: Option<Timestamp>,
    answer: Option<Verb>,
    /// Of a part: which, within what is asked.
    part: Option<Window>,
    /// What its holder wrote.
    comment: Option<String>,
    /// The time of the server: what the holder's clock shows may be wrong.
    now: Timestamp,
    files: Vec<SentView>,
    /// What people read to each other on the telephone to be sure that they speak of the same link. It opens nothing.
    code: String,
}

impl LinkView {
    fn of(opened: Opened, now: Timestamp) -> Self {
        let (link, asked) = (opened.link, opened.asked);
        let sent = |file: app::file_request::Sent| SentView {
            upload_id: file.upload_id,
            name: file.name,
            size_bytes: file.size_bytes,
            finished: file.evidence_id.is_some(),
            sha256: file.sha256,
        };
        Self {
            code: link.code(),
            name: link.name,
            description: link.description,
            requester: asked.requester,
            organization: asked.organization,
            source: asked.source,
            from: asked.window.map(|window| window.from),
            to: asked.window.map(|window| window.to),
            time_zone: asked.time_zone,
            expires_at: link.expires_at,
            finished_at: link.finished_at,
            answer: link.answer,
            part: link.part,
            comment: link.comment,
            now,
            files: opened.sent.into_iter().map(sent).collect(),
        }
    }
}

/// Kept nowhere on the way: the address is a secret.
fn unstored<T: Serialize>(body: T) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store"), (header::REFERRER_POLICY, "no-referrer")], axum::Json(body))
}

/// What is asked. Opening a link changes nothing.
#[utoipa::path(get, path = "/links/{token}", tag = "guests", operation_id = "open_link", params(("token" = String, Path)), security(()),
    responses((status = 200, body = LinkView), (status = "4XX", body = Problem)))]
async fn open_link(
    State(app): State<App>,
    Address(address): Address,
    Path(token): Path<String>,
) -> Answer<impl IntoResponse> {
    let opened = app::file_request::open(&app, &token, address).await?;
    Ok(unstored(LinkView::of(opened, app.now())))
}

/// What the holder says.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AnswerInput {
    answer: Verb,
    /// Of a part: its start.
    from: Option<Timestamp>,
    /// Of a part: its end.
    to: Option<Timestamp>,
    comment: Option<String>,
}

/// Answers: I have it, a part of it, nothing, or no.
#[utoipa::path(post, path = "/links/{token}/answer", tag = "guests", operation_id = "answer_link", params(("token" = String, Path)), security(()),
    request_body = AnswerInput, responses((status = 200, body = LinkView), (status = "4XX", body = Problem)))]
async fn answer_link(
    State(app): State<App>,
    Address(address): Address,
    Path(token): Path<String>,
    Json(input): Json<AnswerInput>,
) -> Answer<impl IntoResponse> {
    let part = match (input.from, input.to) {
        (Some(from), Some(to)) => match Window::checked(from, to) {
            Some(window) => Some(window),
            None => return Err(app::Error::from(Invalid::field("/to", "The end has to come after the start.")).into()),
        },
        (None, None) => None,
        _ => return Err(app::Error::from(Invalid::field("/to", "Give both a start and an end, or neither.")).into()),
    };
    let said = Said { answer: input.answer, part, comment: input.comment };
    let opened = app::file_request::answer(&app, &token, address, said).await?;
    Ok(unstored(LinkView::of(opened, app.now())))
}

/// A file of a receipt.
#[derive(Serialize, utoipa::ToSchema)]
struct ReceivedView {
    name: String,
    size_bytes: i64,
    sha256: String,
}

/// What arrived, for the holder to keep.
#[derive(Serialize, utoipa::ToSchema)]
struct ReceiptView {
    files: Vec<ReceivedView>,
    received_at: Timestamp,
}

/// Says that all is sent. Said again, it answers the same receipt.
#[utoipa::path(post, path = "/links/{token}/finish", tag = "guests", operation_id = "finish_link", params(("token" = String, Path)), security(()),
    responses((status = 200, body = ReceiptView), (status = "4XX", body = Problem)))]
async fn finish_link(
    State(app): State<App>,
    Address(address): Address,
    Path(token): Path<String>,
) -> Answer<impl IntoResponse> {
    let receipt = app::file_request::finish(&app, &token, address).await?;
    let file = |file: app::file_request::Sent| ReceivedView {
        name: file.name,
        size_bytes: file.size_bytes,
        sha256: file.sha256.unwrap_or_default(),
    };
    Ok(unstored(ReceiptView { files: receipt.files.into_iter().map(file).collect(), received_at: receipt.received_at }))
}
