//! Accounts and roles.

use app::App;
use app::account::{AccountChange, NewAccount};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::account::{Account, Grant, Role};
use domain::id::{AccountId, OrganizationId};
use domain::policy::{self, Privilege};
use domain::{Caller, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::{List, Named, RoleGrant};
use crate::http::document::Routes;
use crate::http::extract::{Creating, IfMatch, Json, Path, Query, Signed, etag};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_accounts, create_account))
        .routes(routes!(find_account, change_account))
        .routes(routes!(list_roles))
}

/// What may be done with an account.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum AccountAction {
    Change,
}

/// A person who signs in.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct AccountView {
    id: AccountId,
    email: String,
    user_name: String,
    name: String,
    organization: Named,
    roles: Vec<RoleGrant>,
    disabled: bool,
    must_change_password: bool,
    last_seen_at: Option<Timestamp>,
    created_at: Timestamp,
    version: i64,
    allowed_actions: Vec<AccountAction>,
}

impl AccountView {
    pub(super) fn of(caller: &Caller, account: Account) -> Self {
        let may_change = policy::manage_account(caller, &account.organization_id, &account.grants).is_ok();
        Self {
            allowed_actions: if may_change { vec![AccountAction::Change] } else { vec![] },
            organization: Named::new(&account.organization_id, account.organization_name),
            roles: account
                .grants
                .into_iter()
                .map(|g| RoleGrant { role: g.role, organization_id: g.organization_id })
                .collect(),
            id: account.id,
            email: account.email,
            user_name: account.user_name,
            name: account.name,
            disabled: account.disabled_at.is_some(),
            must_change_password: account.must_change_password,
            last_seen_at: account.last_seen_at,
            created_at: account.created_at,
            version: account.version,
        }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AccountQuery {
    /// Words in name, address, user name or organization.
    q: Option<String>,
    /// Of this organization only.
    organization_id: Option<OrganizationId>,
    /// At most so many.
    limit: Option<i64>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// The accounts that the caller manages.
#[utoipa::path(get, path = "/accounts", tag = "people", operation_id = "list_accounts", params(AccountQuery),
    responses((status = 200, body = List<AccountView>), (status = "4XX", body = Problem)))]
async fn list_accounts(
    State(app): State<App>,
    Signed(caller): Signed,
    Query(query): Query<AccountQuery>,
) -> Answer<axum::Json<List<AccountView>>> {
    let page =
        app::account::list(&app, &caller, query.q, query.organization_id, query.limit, query.cursor.as_deref()).await?;
    Ok(axum::Json(List::of(page, |account| AccountView::of(&caller, account))))
}

/// A new account.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountInput {
    email: String,
    /// The address when none is given.
    user_name: Option<String>,
    name: String,
    organization_id: OrganizationId,
    roles: Vec<RoleGrant>,
    /// Without one a one-time password is made and answered.
    password: Option<String>,
}

fn grants(roles: Vec<RoleGrant>) -> Vec<Grant> {
    roles.into_iter().map(|g| Grant { role: g.role, organization_id: g.organization_id }).collect()
}

/// The new account, with its one-time password if one was made.
#[derive(Serialize, utoipa::ToSchema)]
struct CreatedAccount {
    account: AccountView,
    /// Shown this once.
    one_time_password: Option<String>,
}

/// Makes an account.
#[utoipa::path(post, path = "/accounts", tag = "people", operation_id = "create_account", request_body = AccountInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day.")),
    responses((status = 201, body = CreatedAccount), (status = "4XX", body = Problem)))]
async fn create_account(
    State(app): State<App>,
    Signed(caller): Signed,
    Creating { input, key }: Creating<AccountInput>,
) -> Answer<impl IntoResponse> {
    let new = NewAccount {
        email: input.email,
        user_name: input.user_name,
        name: input.name,
        organization_id: input.organization_id,
        grants: grants(input.roles),
        password: input.password,
    };
    let (account, one_time) = app::account::create(&app, &caller, new, key.as_ref()).await?;
    let one_time_password = one_time.map(|secret| secret.reveal().to_owned());
    Ok((
        StatusCode::CREATED,
        axum::Json(CreatedAccount { account: AccountView::of(&caller, account), one_time_password }),
    ))
}

/// One account.
#[utoipa::path(get, path = "/accounts/{id}", tag = "people", operation_id = "find_account", params(("id" = AccountId, Path)),
    responses((status = 200, body = AccountView), (status = "4XX", body = Problem)))]
async fn find_account(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<AccountId>,
) -> Answer<impl IntoResponse> {
    let account = app::account::find(&app, &caller, &id).await?;
    Ok((etag(account.version), axum::Json(AccountView::of(&caller, account))))
}

/// What to change.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountPatch {
    name: Option<String>,
    user_name: Option<String>,
    roles: Option<Vec<RoleGrant>>,
    disabled: Option<bool>,
}

/// Changes an account.
#[utoipa::path(patch, path = "/accounts/{id}", tag = "people", operation_id = "change_account", params(("id" = AccountId, Path)),
    request_body = AccountPatch, responses((status = 200, body = AccountView), (status = "4XX", body = Problem)))]
async fn change_account(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<AccountId>,
    IfMatch(version): IfMatch,
    Json(patch): Json<AccountPatch>,
) -> Answer<impl IntoResponse> {
    let change = AccountChange {
        name: patch.name,
        user_name: patch.user_name,
        grants: patch.roles.map(grants),
        disabled: patch.disabled,
    };
    let account = app::account::change(&app, &caller, &id, version, change).await?;
    Ok((etag(account.version), axum::Json(AccountView::of(&caller, account))))
}

/// A role and what it gives.
#[derive(Serialize, utoipa::ToSchema)]
struct RoleView {
    role: Role,
    name: &'static str,
    privileges: &'static [Privilege],
}

/// The roles that there are.
#[utoipa::path(get, path = "/roles", tag = "people", operation_id = "list_roles", responses((status = 200, body = List<RoleView>), (status = "4XX", body = Problem)))]
async fn list_roles(_signed: Signed) -> axum::Json<List<RoleView>> {
    let items = Role::ALL
        .iter()
        .map(|role| RoleView { role: *role, name: role.title(), privileges: role.privileges() })
        .collect();
    axum::Json(List { items, next_cursor: None, total: None })
}
