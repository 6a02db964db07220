//! API tokens.

use app::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::Timestamp;
use domain::account::Token;
use domain::id::TokenId;
use domain::policy::Privilege;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::List;
use crate::http::document::Routes;
use crate::http::extract::{Creating, Path, Signed};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(list_tokens, create_token)).routes(routes!(revoke_token))
}

/// A token, without its secret.
#[derive(Serialize, utoipa::ToSchema)]
struct TokenView {
    id: TokenId,
    name: String,
    /// The privileges it is cut to; none: all of the account's.
    scopes: Vec<Privilege>,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scopes: token.scopes,
            created_at: token.created_at,
            last_used_at: token.last_used_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
        }
    }
}

/// The caller's tokens.
#[utoipa::path(get, path = "/tokens", tag = "people", operation_id = "list_tokens", responses((status = 200, body = List<TokenView>), (status = "4XX", body = Problem)))]
async fn list_tokens(State(app): State<App>, Signed(caller): Signed) -> Answer<axum::Json<List<TokenView>>> {
    let items = app::token::list(&app, &caller).await?.into_iter().map(TokenView::from).collect();
    Ok(axum::Json(List { items, next_cursor: None, total: None }))
}

/// A new token.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenInput {
    /// What it is for.
    name: String,
    /// The privileges to cut it to, at least one; left out: all of the account's.
    scopes: Option<Vec<Privilege>>,
    expires_at: Option<Timestamp>,
}

/// The new token with its secret.
#[derive(Serialize, utoipa::ToSchema)]
struct CreatedToken {
    token: TokenView,
    /// Shown this once.
    secret: String,
}

/// Makes a token.
#[utoipa::path(post, path = "/tokens", tag = "people", operation_id = "create_token", request_body = TokenInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day.")),
    responses((status = 201, body = CreatedToken), (status = "4XX", body = Problem)))]
async fn create_token(
    State(app): State<App>,
    Signed(caller): Signed,
    Creating { input, key }: Creating<TokenInput>,
) -> Answer<impl IntoResponse> {
    let (token, secret) =
        app::token::create(&app, &caller, &input.name, input.scopes, input.expires_at, key.as_ref()).await?;
    Ok((StatusCode::CREATED, axum::Json(CreatedToken { token: token.into(), secret: secret.reveal().to_owned() })))
}

/// Revokes a token.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "people", operation_id = "revoke_token", params(("id" = TokenId, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn revoke_token(State(app): State<App>, Signed(caller): Signed, Path(id): Path<TokenId>) -> Answer<StatusCode> {
    app::token::revoke(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
