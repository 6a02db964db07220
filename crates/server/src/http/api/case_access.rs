//! Who may do what with the files of a case, and who could be let in.

use app::App;
use app::case::Candidate;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::Timestamp;
use domain::case::{Access, Level, Principal};
use domain::id::CaseId;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use crate::http::document::Routes;
use crate::http::extract::{IfMatch, Json, Path, Query, Signed, etag};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(find_case_access, set_case_access)).routes(routes!(list_case_access_candidates))
}

/// A line of an access list.
#[derive(Serialize, utoipa::ToSchema)]
struct AccessView {
    principal_id: Principal,
    /// The person's or the group's name.
    name: Option<String>,
    level: Level,
    /// Until when; null: without end.
    expires_at: Option<Timestamp>,
}

/// Who may do what in a case.
#[derive(Serialize, utoipa::ToSchema)]
struct AccessListView {
    entries: Vec<AccessView>,
    /// Of the case; the one to send as `If-Match` with another list.
    version: i64,
}

impl From<app::case::AccessList> for AccessListView {
    fn from((list, version): app::case::AccessList) -> Self {
        let entry = |named: app::case::NamedAccess| AccessView {
            principal_id: named.access.principal,
            name: named.name,
            level: named.access.level,
            expires_at: named.access.expires_at,
        };
        Self { entries: list.into_iter().map(entry).collect(), version }
    }
}

/// Who may do what.
#[utoipa::path(get, path = "/cases/{id}/access", tag = "cases", operation_id = "find_case_access", params(("id" = CaseId, Path)),
    responses((status = 200, body = AccessListView), (status = "4XX", body = Problem)))]
async fn find_case_access(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CaseId>,
) -> Answer<impl IntoResponse> {
    let list = app::case::access(&app, &caller, &id).await?;
    Ok((etag(list.1), axum::Json(AccessListView::from(list))))
}

/// One person or group, and what they may do.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AccessInput {
    principal_id: Principal,
    level: Level,
    expires_at: Option<Timestamp>,
    /// Ignored: so that what was read can be sent back.
    #[serde(default, rename = "name")]
    _name: Option<String>,
}

/// The whole list.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AccessListInput {
    entries: Vec<AccessInput>,
}

/// Says who may do what: the whole list.
#[utoipa::path(put, path = "/cases/{id}/access", tag = "cases", operation_id = "set_case_access", params(("id" = CaseId, Path)),
    request_body = AccessListInput, responses((status = 200, body = AccessListView), (status = "4XX", body = Problem)))]
async fn set_case_access(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CaseId>,
    IfMatch(version): IfMatch,
    Json(input): Json<AccessListInput>,
) -> Answer<impl IntoResponse> {
    let entry = |e: AccessInput| Access { principal: e.principal_id, level: e.level, expires_at: e.expires_at };
    let entries: Vec<Access> = input.entries.into_iter().map(entry).collect();
    let list = app::case::set_access(&app, &caller, &id, version, &entries).await?;
    Ok((etag(list.1), axum::Json(AccessListView::from(list))))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CandidateQuery {
    /// Words that must all occur in name, address or organization.
    q: Option<String>,
}

/// Somebody who could be given access.
#[derive(Serialize, utoipa::ToSchema)]
struct CandidateView {
    principal_id: Principal,
    /// The person's or the group's name.
    name: String,
    organization: String,
}

/// At most twenty; more words find the rest.
#[derive(Serialize, utoipa::ToSchema)]
struct CandidateListView {
    items: Vec<CandidateView>,
}

/// Who could be given access: people and groups of one's own organization and of the host, for who manages the case.
#[utoipa::path(get, path = "/cases/{id}/access/candidates", tag = "cases", operation_id = "list_case_access_candidates",
    params(("id" = CaseId, Path), CandidateQuery),
    responses((status = 200, body = CandidateListView), (status = "4XX", body = Problem)))]
async fn list_case_access_candidates(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CaseId>,
    Query(query): Query<CandidateQuery>,
) -> Answer<axum::Json<CandidateListView>> {
    let found = app::case::candidates(&app, &caller, &id, query.q).await?;
    let view =
        |Candidate { principal, name, organization }| CandidateView { principal_id: principal, name, organization };
    Ok(axum::Json(CandidateListView { items: found.into_iter().map(view).collect() }))
}
