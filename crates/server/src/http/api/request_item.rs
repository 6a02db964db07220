//! What is done to single items of a request. Each answers the whole request as it is seen now.

use app::App;
use app::request_item::Terms;
use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use domain::id::RequestItemId;
use domain::request_item::GrantedLevel;
use serde::Deserialize;
use utoipa_axum::routes;

use super::video_request::{BodyInput, CommentInput, VideoRequestView, answer};
use crate::http::document::Routes;
use crate::http::extract::{Creating, Path, Signed};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(approve_request_item))
        .routes(routes!(deny_request_item))
        .routes(routes!(ask_request_item))
        .routes(routes!(answer_request_item))
        .routes(routes!(cancel_request_item))
        .routes(routes!(retry_request_item))
        .routes(routes!(release_request_item))
        .routes(routes!(unavailable_request_item))
        .routes(routes!(hold_request_item))
        .routes(routes!(free_request_item))
}

/// On what terms an item is approved.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ApprovalInput {
    #[serde(default)]
    comment: Option<String>,
    /// A later start than was asked.
    #[serde(default)]
    from: Option<Timestamp>,
    /// An earlier end than was asked.
    #[serde(default)]
    to: Option<Timestamp>,
    /// You look at what arrives before the requester gets it.
    #[serde(default)]
    review_before_release: bool,
    /// What the requester may do with it; `download` unless said.
    #[serde(default)]
    level: Option<GrantedLevel>,
}

/// Approves an item, whole or narrowed, and has its footage fetched.
#[utoipa::path(post, path = "/request-items/{id}/approve", tag = "requests", operation_id = "approve_request_item", params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day."), ("id" = RequestItemId, Path)),
    request_body = ApprovalInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn approve_request_item(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<RequestItemId>,
    Creating { input, key }: Creating<ApprovalInput>,
) -> Answer<Response> {
    let ApprovalInput { comment, from, to, review_before_release, level } = input;
    let terms = Terms { comment, from, to, review_before_release, level };
    Ok(answer(app::request_item::approve(&app, &caller, &id, terms, key.as_ref()).await?))
}

/// Denies an item, before it is fetched or after looking at what came.
#[utoipa::path(post, path = "/request-items/{id}/deny", tag = "requests", operation_id = "deny_request_item", params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day."), ("id" = RequestItemId, Path)),
    request_body = CommentInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn deny_request_item(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<RequestItemId>,
    Creating { input, key }: Creating<CommentInput>,
) -> Answer<Response> {
    Ok(answer(app::request_item::deny(&app, &caller, &id, input.comment, key.as_ref()).await?))
}

/// Asks the requester something before deciding.
#[utoipa::path(post, path = "/request-items/{id}/ask", tag = "requests", operation_id = "ask_request_item", params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day."), ("id" = RequestItemId, Path)),
    request_body = BodyInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn ask_request_item(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<RequestItemId>,
    Creating { input, key }: Creating<BodyInput>,
) -> Answer<Response> {
    Ok(answer(app::request_item::ask(&app, &caller, &id, &input.body, key.as_ref()).await?))
}

/// Answers the approver's question.
#[utoipa::path(post, path = "/request-items/{id}/answer", tag = "requests", operation_id = "answer_request_item", params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day."), ("id" = RequestItemId, Path)),
    request_body = BodyInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn answer_request_item(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<RequestItemId>,
    Creating { input, key }: Creating<BodyInput>,
) -> Answer<Response> {
    Ok(answer(app::request_item::answer(&app, &caller, &id, &input.body, key.as_ref()).await?))
}

/// Withdraws an item.
#[utoipa::path(post, path = "/request-items/{id}/cancel", tag = "requests", operation_id = "cancel_request_item", params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day."), ("id" = RequestItemId, Path)),
    request_body = CommentInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn cancel_request_item(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<RequestItemId>,
    Creating { input, key }: Creating<CommentInput>,
) -> Answer<Response> {
    Ok(answer(app::request_item::cancel(&app, &caller, &id, input.comment, key.as_ref()).await?))
}

/// Says that there is no such footage.
#[utoipa::path(post, path = "/request-items/{id}/unavailable", tag = "requests", operation_id = "unavailable_request_item", params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day."), ("id" = RequestItemId, Path)),
    request_body = CommentInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn unavailable_request_item(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<RequestItemId>,
    Creating { input, key }: Creating<CommentInput>,
) -> Answer<Response> {
    Ok(answer(app::request_item::unavailable(&app, &caller, &id, input.comment, key.as_ref()).await?))
}

/// Tries a failed item again.
#[utoipa::path(post, path = "/request-items/{id}/retry", tag = "requests", operation_id = "retry_request_item", params(("id" = RequestItemId, Path)),
    responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn retry_request_item(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<RequestItemId>,
) -> Answer<Response> {
    Ok(answer(app::request_item::retry(&app, &caller, &id).await?))
}

/// Lets the requester have what was looked at.
#[utoipa::path(post, path = "/request-items/{id}/release", tag = "requests", operation_id = "release_request_item", params(("id" = RequestItemId, Path)),
    responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn release_request_item(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<RequestItemId>,
) -> Answer<Response> {
    Ok(answer(app::request_item::release(&app, &caller, &id).await?))
}

/// Has the owner's side keep the footage from being overwritten until the decision.
#[utoipa::path(post, path = "/request-items/{id}/hold", tag = "requests", operation_id = "hold_request_item", params(("id" = RequestItemId, Path)),
    responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn hold_request_item(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<RequestItemId>,
) -> Answer<Response> {
    Ok(answer(app::request_item::hold(&app, &caller, &id).await?))
}

/// Lets go of what is held, before the decision.
#[utoipa::path(post, path = "/request-items/{id}/free", tag = "requests", operation_id = "free_request_item", params(("id" = RequestItemId, Path)),
    responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn free_request_item(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<RequestItemId>,
) -> Answer<Response> {
    Ok(answer(app::request_item::free(&app, &caller, &id).await?))
}
