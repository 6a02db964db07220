//! Jobs that were given up, for administrators.

use app::App;
use axum::extract::State;
use axum::http::StatusCode;
use domain::Timestamp;
use domain::id::JobId;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::List;
use crate::http::document::Routes;
use crate::http::extract::{Path, Query, Signed};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(list_jobs)).routes(routes!(retry_job))
}

/// Where a job stands.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum JobState {
    /// To be done, or done again.
    Waiting,
    /// Given up.
    Dead,
}

/// A job.
#[derive(Serialize, utoipa::ToSchema)]
struct JobView {
    id: JobId,
    kind: String,
    state: JobState,
    attempts: i64,
    last_error: Option<String>,
    run_at: Timestamp,
    created_at: Timestamp,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct JobQuery {
    /// Those in this state; the dead unless said otherwise.
    state: Option<JobState>,
}

/// Jobs, newest first, at most 500.
#[utoipa::path(get, path = "/jobs", tag = "operations", operation_id = "list_jobs", params(JobQuery),
    responses((status = 200, body = List<JobView>), (status = "4XX", body = Problem)))]
async fn list_jobs(
    State(app): State<App>,
    Signed(caller): Signed,
    Query(query): Query<JobQuery>,
) -> Answer<axum::Json<List<JobView>>> {
    let dead = !matches!(query.state, Some(JobState::Waiting));
    let found = app::jobs::list(&app, &caller, dead).await?;
    let items = found.into_iter().map(|job| JobView {
        id: job.id,
        kind: job.kind,
        state: if job.dead { JobState::Dead } else { JobState::Waiting },
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
