//! Groups of accounts.

use app::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::account::Group;
use domain::id::{AccountId, GroupId, OrganizationId};
use domain::{Caller, Timestamp, policy};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::List;
use crate::http::document::Routes;
use crate::http::extract::{Creating, IfMatch, Json, Path, Signed, etag};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_groups, create_group))
        .routes(routes!(find_group, change_group, remove_group))
        .routes(routes!(set_group_members))
}

/// What may be done with a group.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum GroupAction {
    Change,
    Remove,
}

/// A set of accounts of one organization.
#[derive(Serialize, utoipa::ToSchema)]
struct GroupView {
    id: GroupId,
    name: String,
    organization_id: OrganizationId,
    account_ids: Vec<AccountId>,
    created_at: Timestamp,
    version: i64,
    allowed_actions: Vec<GroupAction>,
}

impl GroupView {
    fn of(caller: &Caller, group: Group) -> Self {
        Self {
            allowed_actions: if policy::manage_group(caller, &group.organization_id).is_ok() {
                vec![GroupAction::Change, GroupAction::Remove]
            } else {
                vec![]
            },
            id: group.id,
            name: group.name,
            organization_id: group.organization_id,
            account_ids: group.members,
            created_at: group.created_at,
            version: group.version,
        }
    }
}

/// The groups that the caller manages or is in.
#[utoipa::path(get, path = "/groups", tag = "people", operation_id = "list_groups", responses((status = 200, body = List<GroupView>), (status = "4XX", body = Problem)))]
async fn list_groups(State(app): State<App>, Signed(caller): Signed) -> Answer<axum::Json<List<GroupView>>> {
    let found = app::group::list(&app, &caller).await?;
    let items = found.into_iter().map(|g| GroupView::of(&caller, g)).collect();
    Ok(axum::Json(List { items, next_cursor: None, total: None }))
}

/// A new group.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct GroupInput {
    name: String,
    organization_id: OrganizationId,
}

/// Makes a group.
#[utoipa::path(post, path = "/groups", tag = "people", operation_id = "create_group", request_body = GroupInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day.")),
    responses((status = 201, body = GroupView), (status = "4XX", body = Problem)))]
async fn create_group(
    State(app): State<App>,
    Signed(caller): Signed,
    Creating { input, key }: Creating<GroupInput>,
) -> Answer<impl IntoResponse> {
    let group = app::group::create(&app, &caller, &input.name, &input.organization_id, key.as_ref()).await?;
    Ok((StatusCode::CREATED, etag(group.version), axum::Json(GroupView::of(&caller, group))))
}

/// One group.
#[utoipa::path(get, path = "/groups/{id}", tag = "people", operation_id = "find_group", params(("id" = GroupId, Path)),
    responses((status = 200, body = GroupView), (status = "4XX", body = Problem)))]
async fn find_group(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<GroupId>,
) -> Answer<impl IntoResponse> {
    let group = app::group::find(&app, &caller, &id).await?;
    Ok((etag(group.version), axum::Json(GroupView::of(&caller, group))))
}

/// What to change.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct GroupPatch {
    name: String,
}

/// Renames a group.
#[utoipa::path(patch, path = "/groups/{id}", tag = "people", operation_id = "change_group", params(("id" = GroupId, Path)), request_body = GroupPatch,
    responses((status = 200, body = GroupView), (status = "4XX", body = Problem)))]
async fn change_group(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<GroupId>,
    IfMatch(version): IfMatch,
    Json(patch): Json<GroupPatch>,
) -> Answer<impl IntoResponse> {
    let group = app::group::rename(&app, &caller, &id, version, &patch.name).await?;
    Ok((etag(group.version), axum::Json(GroupView::of(&caller, group))))
}

/// Removes a group.
#[utoipa::path(delete, path = "/groups/{id}", tag = "people", operation_id = "remove_group", params(("id" = GroupId, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn remove_group(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<GroupId>,
    IfMatch(version): IfMatch,
) -> Answer<StatusCode> {
    app::group::remove(&app, &caller, &id, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is in it: all of them.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Members {
    account_ids: Vec<AccountId>,
}

/// Says who is in a group.
#[utoipa::path(put, path = "/groups/{id}/members", tag = "people", operation_id = "set_group_members", params(("id" = GroupId, Path)), request_body = Members,
    responses((status = 200, body = GroupView), (status = "4XX", body = Problem)))]
async fn set_group_members(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<GroupId>,
    IfMatch(version): IfMatch,
    Json(members): Json<Members>,
) -> Answer<impl IntoResponse> {
    let group = app::group::set_members(&app, &caller, &id, version, members.account_ids).await?;
    Ok((etag(group.version), axum::Json(GroupView::of(&caller, group))))
}
