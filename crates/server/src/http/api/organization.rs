//! Organizations.

use app::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::account::Organization;
use domain::id::OrganizationId;
use domain::{Caller, Timestamp, policy};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::List;
use crate::http::document::Routes;
use crate::http::extract::{Creating, IfMatch, Json, Path, Signed, etag};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_organizations, create_organization))
        .routes(routes!(find_organization, change_organization))
}

/// What may be done with an organization.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum OrganizationAction {
    Change,
    SetHolds,
}

/// An owner of sources, or the host.
#[derive(Serialize, utoipa::ToSchema)]
struct OrganizationView {
    id: OrganizationId,
    name: String,
    /// IANA time zone.
    time_zone: String,
    is_host: bool,
    /// Its sources hold what is asked of them as soon as it is asked.
    holds_on_submission: bool,
    created_at: Timestamp,
    version: i64,
    allowed_actions: Vec<OrganizationAction>,
}

impl OrganizationView {
    fn of(caller: &Caller, organization: Organization) -> Self {
        Self {
            allowed_actions: [
                (policy::manage_organizations(caller), OrganizationAction::Change),
                (policy::set_holds(caller, &organization.id), OrganizationAction::SetHolds),
            ]
            .into_iter()
            .filter_map(|(allowed, action)| allowed.ok().map(|()| action))
            .collect(),
            id: organization.id,
            name: organization.name,
            time_zone: organization.time_zone,
            is_host: organization.is_host,
            holds_on_submission: organization.holds_on_submission,
            created_at: organization.created_at,
            version: organization.version,
        }
    }
}

/// All organizations, by name.
#[utoipa::path(get, path = "/organizations", tag = "people", operation_id = "list_organizations",
    responses((status = 200, body = List<OrganizationView>), (status = "4XX", body = Problem)))]
async fn list_organizations(
    State(app): State<App>,
    Signed(caller): Signed,
) -> Answer<axum::Json<List<OrganizationView>>> {
    let found = app::organization::list(&app).await?;
    let items = found.into_iter().map(|o| OrganizationView::of(&caller, o)).collect();
    Ok(axum::Json(List { items, next_cursor: None, total: None }))
}

/// A new organization.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OrganizationInput {
    name: String,
    time_zone: String,
}

/// Enters an organization.
#[utoipa::path(post, path = "/organizations", tag = "people", operation_id = "create_organization", request_body = OrganizationInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day.")),
    responses((status = 201, body = OrganizationView), (status = "4XX", body = Problem)))]
async fn create_organization(
    State(app): State<App>,
    Signed(caller): Signed,
    Creating { input, key }: Creating<OrganizationInput>,
) -> Answer<impl IntoResponse> {
    let organization = app::organization::create(&app, &caller, &input.name, &input.time_zone, key.as_ref()).await?;
    Ok((StatusCode::CREATED, etag(organization.version), axum::Json(OrganizationView::of(&caller, organization))))
}

/// One organization.
#[utoipa::path(get, path = "/organizations/{id}", tag = "people", operation_id = "find_organization", params(("id" = OrganizationId, Path)),
    responses((status = 200, body = OrganizationView), (status = "4XX", body = Problem)))]
async fn find_organization(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganizationId>,
) -> Answer<impl IntoResponse> {
    let organization = app::organization::find(&app, &id).await?;
    Ok((etag(organization.version), axum::Json(OrganizationView::of(&caller, organization))))
}

/// What to change.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OrganizationPatch {
    name: Option<String>,
    time_zone: Option<String>,
    /// Its sources hold what is asked of them as soon as it is asked, so that it is not overwritten before the decision.
    holds_on_submission: Option<bool>,
}

/// Changes an organization.
#[utoipa::path(patch, path = "/organizations/{id}", tag = "people", operation_id = "change_organization", params(("id" = OrganizationId, Path)),
    request_body = OrganizationPatch, responses((status = 200, body = OrganizationView), (status = "4XX", body = Problem)))]
async fn change_organization(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganizationId>,
    IfMatch(version): IfMatch,
    Json(patch): Json<OrganizationPatch>,
) -> Answer<impl IntoResponse> {
    let OrganizationPatch { name, time_zone, holds_on_submission } = patch;
    let patch = app::organization::Patch { name, time_zone, holds_on_submission };
    let organization = app::organization::change(&app, &caller, &id, version, patch).await?;
    Ok((etag(organization.version), axum::Json(OrganizationView::of(&caller, organization))))
}
