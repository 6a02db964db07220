//! Tasks of connectors. Each call carries the lease number; 409 means that it is lost.

use std::time::Duration;

use app::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::id::TaskId;
use protocol::{Complete, Extend, Extended, Fail, LeaseRequest, Progress, Task};
use utoipa_axum::routes;

use super::Calling;
use crate::http::document::Routes;
use crate::http::extract::{Json, Path};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(lease_task))
        .routes(routes!(extend_task))
        .routes(routes!(progress_task))
        .routes(routes!(complete_task))
        .routes(routes!(fail_task))
}

/// Waits for a task and leases it; 204 when there was none in time.
#[utoipa::path(post, path = "/connector/tasks/lease", tag = "connector", operation_id = "lease_task", request_body = LeaseRequest,
    responses((status = 200, body = Task), (status = 204), (status = "4XX", body = Problem)))]
async fn lease_task(
    State(app): State<App>,
    Calling(caller): Calling,
    Json(said): Json<LeaseRequest>,
) -> Answer<Response> {
    if let Some(held) = &said.held {
        app::connector_task::holds(&app, &caller, held).await?;
    }
    let wait = Duration::from_secs(said.wait_seconds.into());
    Ok(match app::connector_task::lease(&app, &caller, &said.kinds, wait).await? {
        Some(task) => axum::Json(task).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Keeps a lease.
#[utoipa::path(post, path = "/connector/tasks/{id}/extend", tag = "connector", operation_id = "extend_task", params(("id" = TaskId, Path)),
    request_body = Extend, responses((status = 200, body = Extended), (status = "4XX", body = Problem)))]
async fn extend_task(
    State(app): State<App>,
    Calling(caller): Calling,
    Path(id): Path<TaskId>,
    Json(said): Json<Extend>,
) -> Answer<axum::Json<Extended>> {
    let lease = app::connector_task::extend(&app, &caller, &id, said.lease).await?;
    Ok(axum::Json(Extended { lease_seconds: u32::try_from(lease.as_secs()).unwrap_or(u32::MAX) }))
}

/// Tells how far a task is.
#[utoipa::path(post, path = "/connector/tasks/{id}/progress", tag = "connector", operation_id = "progress_task", params(("id" = TaskId, Path)),
    request_body = Progress, responses((status = 204), (status = "4XX", body = Problem)))]
async fn progress_task(
    State(app): State<App>,
    Calling(caller): Calling,
    Path(id): Path<TaskId>,
    Json(said): Json<Progress>,
) -> Answer<StatusCode> {
    app::connector_task::progress(&app, &caller, &id, &said).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a task well.
#[utoipa::path(post, path = "/connector/tasks/{id}/complete", tag = "connector", operation_id = "complete_task", params(("id" = TaskId, Path)),
    request_body = Complete, responses((status = 204), (status = "4XX", body = Problem)))]
async fn complete_task(
    State(app): State<App>,
    Calling(caller): Calling,
    Path(id): Path<TaskId>,
    Json(said): Json<Complete>,
) -> Answer<StatusCode> {
    app::connector_task::complete(&app, &caller, &id, said).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a try of a task without success.
#[utoipa::path(post, path = "/connector/tasks/{id}/fail", tag = "connector", operation_id = "fail_task", params(("id" = TaskId, Path)),
    request_body = Fail, responses((status = 204), (status = "4XX", body = Problem)))]
async fn fail_task(
    State(app): State<App>,
    Calling(caller): Calling,
    Path(id): Path<TaskId>,
    Json(said): Json<Fail>,
) -> Answer<StatusCode> {
    app::connector_task::fail(&app, &caller, &id, said).await?;
    Ok(StatusCode::NO_CONTENT)
}
