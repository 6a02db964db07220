//! Signing in and out; who I am.

use app::App;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use domain::Caller;
use domain::id::OrganizationId;
use domain::policy::Privilege;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::account::AccountView;
use crate::http::document::Routes;
use crate::http::extract::{Address, Json, Known, SESSION_COOKIE, session_cookie};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(sign_in, sign_out)).routes(routes!(find_me)).routes(routes!(change_my_password))
}

/// Credentials.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// E-mail address or user name.
    email: String,
    /// Password.
    password: String,
}

/// Who is signed in, what they may do, and what the page needs to know of the installation.
#[derive(Serialize, utoipa::ToSchema)]
struct Me {
    account: AccountView,
    privileges: Vec<HeldPrivilege>,
    installation: InstallationView,
}

/// A privilege, held for one organization or for all.
#[derive(Serialize, utoipa::ToSchema)]
struct HeldPrivilege {
    privilege: Privilege,
    /// Null: for all.
    organization_id: Option<OrganizationId>,
}

/// What the page needs to know of the installation.
#[derive(Serialize, utoipa::ToSchema)]
struct InstallationView {
    /// The host organization's name.
    name: String,
    /// Its time zone.
    time_zone: String,
    /// Its id.
    host_organization_id: OrganizationId,
    /// Whether mail is sent; otherwise it is kept for the administrator.
    mail_delivers: bool,
    /// The longest window that an item may ask for.
    longest_window_seconds: u64,
    /// Whether the agency brought a layer of streets.
    has_streets: bool,
}

async fn me(app: &App, caller: &Caller) -> Answer<Me> {
    let host = app::organization::host(app).await?;
    let account = caller
        .account
        .clone()
        .ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Sign in first."))?;
    let privileges = caller
        .privileges
        .iter()
        .map(|(privilege, of)| HeldPrivilege { privilege: *privilege, organization_id: of.clone() });
    Ok(Me {
        privileges: privileges.collect(),
        account: AccountView::of(caller, account),
        installation: InstallationView {
            name: host.name,
            time_zone: host.time_zone,
            host_organization_id: host.id,
            mail_delivers: app.settings().smtp.is_some(),
            longest_window_seconds: app.settings().longest_window.as_secs(),
            has_streets: app.settings().streets.is_some(),
        },
    })
}

fn cookie(value: &str, max_age_seconds: u64) -> [(header::HeaderName, HeaderValue); 1] {
    let cookie = format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={max_age_seconds}; Secure; HttpOnly; SameSite=Lax");
    [(header::SET_COOKIE, HeaderValue::from_str(&cookie).expect("secrets are made of plain characters"))]
}

/// Signs in.
#[utoipa::path(post, path = "/session", tag = "people", operation_id = "create_session", request_body = Credentials,
    responses((status = 200, body = Me), (status = "4XX", body = Problem)), security(()))]
async fn sign_in(
    State(app): State<App>,
    Address(address): Address,
    Json(credentials): Json<Credentials>,
) -> Answer<impl IntoResponse> {
    let (secret, account) = app::session::sign_in(&app, &credentials.email, &credentials.password, address).await?;
    let me = me(&app, &Caller::session(account, Vec::new())).await?;
    Ok((cookie(secret.reveal(), app.settings().session_absolute.as_secs()), axum::Json(me)))
}

/// Signs out.
#[utoipa::path(delete, path = "/session", tag = "people", operation_id = "delete_session", responses((status = 204), (status = "4XX", body = Problem)))]
async fn sign_out(State(app): State<App>, Known(caller): Known, headers: HeaderMap) -> Answer<impl IntoResponse> {
    if let Some(secret) = session_cookie(&headers) {
        app::session::sign_out(&app, &caller, secret).await?;
    }
    Ok((StatusCode::NO_CONTENT, cookie("", 0)))
}

/// Who is signed in.
#[utoipa::path(get, path = "/me", tag = "people", operation_id = "find_me", responses((status = 200, body = Me), (status = "4XX", body = Problem)))]
async fn find_me(State(app): State<App>, Known(caller): Known) -> Answer<axum::Json<Me>> {
    Ok(axum::Json(me(&app, &caller).await?))
}

/// A new password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The one that holds now.
    current: String,
    /// The new one, at least 12 characters.
    new: String,
}

/// Chooses a new password and ends all other sessions.
#[utoipa::path(post, path = "/me/password", tag = "people", operation_id = "change_my_password", request_body = PasswordChange,
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn change_my_password(
    State(app): State<App>,
    Known(caller): Known,
    Address(address): Address,
    headers: HeaderMap,
    Json(change): Json<PasswordChange>,
) -> Answer<StatusCode> {
    let session = session_cookie(&headers).map(app::secret::hash);
    let PasswordChange { current, new } = &change;
    app::account::change_password(&app, &caller, session.as_deref(), current, new, address).await?;
    Ok(StatusCode::NO_CONTENT)
}
