//! Cases.

use app::App;
use app::case::Wanted;
use app::file_request::NewLink;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::Timestamp;
use domain::case::Level;
use domain::id::{CaseId, FileRequestId};
use domain::policy;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::evidence::EvidenceView;
use super::file_request::{NewLinkView, ReplyView};
use super::history::HistoryEntry;
use super::{List, Paging};
use crate::http::document::Routes;
use crate::http::extract::{Creating, IfMatch, Json, Path, Query, Signed, etag};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_cases, create_case))
        .routes(routes!(find_case, change_case))
        .routes(routes!(close_case))
        .routes(routes!(reopen_case))
        .routes(routes!(list_case_evidence))
        .routes(routes!(list_case_history))
        .routes(routes!(list_case_file_requests, create_case_file_request))
}

/// What may be done with a case.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum CaseAction {
    Change,
    Add,
    FileRequest,
    Share,
    Close,
    Reopen,
}

/// A case, as the caller sees it.
#[derive(Serialize, utoipa::ToSchema)]
struct CaseView {
    id: CaseId,
    number: String,
    name: String,
    closed_at: Option<Timestamp>,
    created_at: Timestamp,
    /// What the caller may do in it.
    level: Level,
    evidence_count: i64,
    version: i64,
    allowed_actions: Vec<CaseAction>,
}

impl From<app::case::Seen> for CaseView {
    fn from(seen: app::case::Seen) -> Self {
        let may = |level| policy::in_case(seen.level, level).is_ok();
        let open = seen.case.closed_at.is_none();
        let actions = [
            (CaseAction::Change, may(Level::Edit)),
            (CaseAction::Add, may(Level::Edit) && open),
            (CaseAction::FileRequest, may(Level::Edit) && open),
            (CaseAction::Share, may(Level::Manage)),
            (CaseAction::Close, may(Level::Manage) && open),
            (CaseAction::Reopen, may(Level::Manage) && !open),
        ];
        Self {
            allowed_actions: actions.into_iter().filter(|(_, may)| *may).map(|(action, _)| action).collect(),
            id: seen.case.id,
            number: seen.case.number,
            name: seen.case.name,
            closed_at: seen.case.closed_at,
            created_at: seen.case.created_at,
            level: seen.level,
            evidence_count: seen.evidence_count,
            version: seen.case.version,
        }
    }
}

fn one(seen: app::case::Seen) -> impl IntoResponse {
    (etag(seen.case.version), axum::Json(CaseView::from(seen)))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CaseQuery {
    /// Words in number and name.
    q: Option<String>,
    /// Only closed ones, or only open ones.
    closed: Option<bool>,
    /// At most so many.
    limit: Option<i64>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
    /// Say how many there are.
    count: Option<bool>,
}

/// The cases that the caller may open, newest first.
#[utoipa::path(get, path = "/cases", tag = "cases", operation_id = "list_cases", params(CaseQuery),
    responses((status = 200, body = List<CaseView>), (status = "4XX", body = Problem)))]
async fn list_cases(
    State(app): State<App>,
    Signed(caller): Signed,
    Query(query): Query<CaseQuery>,
) -> Answer<axum::Json<List<CaseView>>> {
    let wanted = Wanted {
        q: query.q,
        closed: query.closed,
        limit: query.limit,
        cursor: query.cursor,
        count: query.count.unwrap_or(false),
    };
    let page = app::case::list(&app, &caller, wanted).await?;
    Ok(axum::Json(List::of(page, CaseView::from)))
}

/// A new case, or a new name.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct CaseInput {
    name: String,
}

/// Makes a case, which the caller manages. With an `Idempotency-Key`, sent again, it answers what it made the first time.
#[utoipa::path(post, path = "/cases", tag = "cases", operation_id = "create_case", request_body = CaseInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day.")),
    responses((status = 201, body = CaseView), (status = "4XX", body = Problem)))]
async fn create_case(
    State(app): State<App>,
    Signed(caller): Signed,
    Creating { input, key }: Creating<CaseInput>,
) -> Answer<impl IntoResponse> {
    let seen = app::case::create(&app, &caller, &input.name, key.as_ref()).await?;
    Ok((StatusCode::CREATED, one(seen)))
}

/// One case.
#[utoipa::path(get, path = "/cases/{id}", tag = "cases", operation_id = "find_case", params(("id" = CaseId, Path)),
    responses((status = 200, body = CaseView), (status = "4XX", body = Problem)))]
async fn find_case(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CaseId>,
) -> Answer<impl IntoResponse> {
    Ok(one(app::case::find(&app, &caller, &id).await?))
}

/// Renames a case.
#[utoipa::path(patch, path = "/cases/{id}", tag = "cases", operation_id = "change_case", params(("id" = CaseId, Path)), request_body = CaseInput,
    responses((status = 200, body = CaseView), (status = "4XX", body = Problem)))]
async fn change_case(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CaseId>,
    IfMatch(version): IfMatch,
    Json(input): Json<CaseInput>,
) -> Answer<impl IntoResponse> {
    Ok(one(app::case::rename(&app, &caller, &id, version, &input.name).await?))
}

/// Nothing is added to the case from now on.
#[utoipa::path(post, path = "/cases/{id}/close", tag = "cases", operation_id = "close_case", params(("id" = CaseId, Path)),
    responses((status = 200, body = CaseView), (status = "4XX", body = Problem)))]
async fn close_case(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CaseId>,
) -> Answer<impl IntoResponse> {
    Ok(one(app::case::close(&app, &caller, &id).await?))
}

/// Files may be added again.
#[utoipa::path(post, path = "/cases/{id}/reopen", tag = "cases", operation_id = "reopen_case", params(("id" = CaseId, Path)),
    responses((status = 200, body = CaseView), (status = "4XX", body = Problem)))]
async fn reopen_case(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CaseId>,
) -> Answer<impl IntoResponse> {
    Ok(one(app::case::reopen(&app, &caller, &id).await?))
}

/// The files of a case, oldest first.
#[utoipa::path(get, path = "/cases/{id}/evidence", tag = "evidence", operation_id = "list_case_evidence", params(("id" = CaseId, Path), Paging),
    responses((status = 200, body = List<EvidenceView>), (status = "4XX", body = Problem)))]
async fn list_case_evidence(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CaseId>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<List<EvidenceView>>> {
    let page = app::evidence::list(&app, &caller, &id, paging.limit, paging.cursor.as_deref()).await?;
    Ok(axum::Json(List::of(page, EvidenceView::from)))
}

/// What happened in a case, newest first.
#[utoipa::path(get, path = "/cases/{id}/history", tag = "cases", operation_id = "list_case_history", params(("id" = CaseId, Path), Paging),
    responses((status = 200, body = List<HistoryEntry>), (status = "4XX", body = Problem)))]
async fn list_case_history(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CaseId>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<List<HistoryEntry>>> {
    let page = app::case::history(&app, &caller, &id, paging.limit, paging.cursor.as_deref()).await?;
    Ok(axum::Json(List::of(page, HistoryEntry::from)))
}

/// What a link asks for.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct LinkInput {
    /// In a line.
    name: String,
    /// In more words.
    description: Option<String>,
    /// Two weeks from now, unless the administrator or you say otherwise.
    expires_at: Option<Timestamp>,
}

/// An upload link of a case. Its address was shown once, when it was made.
#[derive(Serialize, utoipa::ToSchema)]
struct CaseLinkView {
    id: FileRequestId,
    name: String,
    /// Who made it.
    created_by: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
    /// When its holder said that all is sent.
    finished_at: Option<Timestamp>,
    /// What its holder said.
    reply: Option<ReplyView>,
    /// How many files came by it.
    evidence_count: i64,
    /// Whether files can still come by it.
    open: bool,
    /// Whether a file is on its way by it, which goes on also where its time is over.
    sending: bool,
    /// What its holder reads out on the telephone to be sure that both speak of the same link.
    code: String,
}

/// The upload links of a case, newest first.
#[utoipa::path(get, path = "/cases/{id}/file-requests", tag = "cases", operation_id = "list_case_file_requests", params(("id" = CaseId, Path)),
    responses((status = 200, body = List<CaseLinkView>), (status = "4XX", body = Problem)))]
async fn list_case_file_requests(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CaseId>,
) -> Answer<axum::Json<List<CaseLinkView>>> {
    let now = app.now();
    let view = |found: app::file_request::OfCase| CaseLinkView {
        open: found.link.require_unfinished(now).is_ok(),
        sending: found.coming_count > 0 && found.link.revoked_at.is_none(),
        code: found.link.code(),
        id: found.link.id,
        name: found.link.name,
        created_by: found.created_by_name,
        created_at: found.link.created_at,
        expires_at: found.link.expires_at,
        revoked_at: found.link.revoked_at,
        finished_at: found.link.finished_at,
        reply: found.link.answer.map(|answer| ReplyView { answer, part: found.link.part, comment: found.link.comment }),
        evidence_count: found.evidence_count,
    };
    let items = app::file_request::of_case(&app, &caller, &id).await?.into_iter().map(view).collect();
    Ok(axum::Json(List { items, next_cursor: None, total: None }))
}

/// Makes a link by which anybody can add files to a case.
#[utoipa::path(post, path = "/cases/{id}/file-requests", tag = "cases", operation_id = "create_case_file_request", params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day."), ("id" = CaseId, Path)),
    request_body = LinkInput, responses((status = 201, body = NewLinkView), (status = "4XX", body = Problem)))]
async fn create_case_file_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CaseId>,
    Creating { input, key }: Creating<LinkInput>,
) -> Answer<impl IntoResponse> {
    let new = NewLink { name: input.name, description: input.description, expires_at: input.expires_at };
    let made = app::file_request::create_for_case(&app, &caller, &id, new, key.as_ref()).await?;
    Ok((StatusCode::CREATED, axum::Json(NewLinkView::of(made)?)))
}
