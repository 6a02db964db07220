//! Jobs that were given up, for administrators.

use app::App;
use axum::extract::State;
use axum::http::StatusCode;
use domain::Timestamp;
use domain::id::JobId;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::List;
use crate::http::Shared;
use crate::http::extract::{Path, Query, Signed};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list_jobs)).routes(routes!(retry_job))
}

/// A job.
#[derive(Serialize, utoipa::ToSchema)]
struct JobView {
    id: JobId,
    kind: String,
    /// `waiting` or `dead`.
    state: &'static str,
    attempts: i64,
    last_error: Option<String>,
    run_at: Timestamp,
    created_at: Timestamp,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct JobQuery {
    /// `dead` (unless said otherwise) or `waiting`.
    state: Option<String>,
}

/// Jobs, newest first, at most 500.
#[utoipa::path(get, path = "/jobs", tag = "operations", operation_id = "list_jobs", params(JobQuery),
    responses((status = 200, body = List<JobView>), (status = "4XX", body = Problem)))]
async fn list_jobs(
    State(app): State<App>,
    Signed(caller): Signed,
    Query(query): Query<JobQuery>,
) -> Answer<axum::Json<List<JobView>>> {
    let found = app::jobs::list(&app, &caller, query.state.as_deref()).await?;
    let items = found.into_iter().map(|job| JobView {
        id: job.id,
        kind: job.kind,
        state: if job.dead { "dead" } else { "waiting" },
        attempts: job.attempts,
        last_error: job.last_error,
        run_at: job.run_at,
        created_at: job.created_at,
    });
    Ok(axum::Json(List { items: items.collect(), next_cursor: None, total: None }))
}

/// Tries a job again that was given up.
#[utoipa::path(post, path = "/jobs/{id}/retry", tag = "operations", operation_id = "retry_job", params(("id" = JobId, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn retry_job(State(app): State<App>, Signed(caller): Signed, Path(id): Path<JobId>) -> Answer<StatusCode> {
    app::jobs::retry(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
