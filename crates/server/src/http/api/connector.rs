//! Connectors, for those who manage them.

use app::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::connector::{Problem as ConnectorProblem, Task, TaskKind, TaskState};
use domain::id::{ConnectorId, OrganizationId, RequestItemId, TaskId};
use domain::{Caller, Timestamp, Window, policy};
use protocol::{Phase, TaskPayload};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::{List, Named, Paging};
use crate::http::document::Routes;
use crate::http::extract::{Creating, Path, Query, Signed, etag};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_connectors, create_connector))
        .routes(routes!(get_connector, revoke_connector))
        .routes(routes!(list_connector_tasks))
}

/// What may be done with a connector.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum ConnectorAction {
    Revoke,
}

/// A process beside a video system.
#[derive(Serialize, utoipa::ToSchema)]
struct ConnectorView {
    id: ConnectorId,
    name: String,
    /// Whose cameras it publishes.
    organization: Named,
    /// The adapter that it uses; null before it first called.
    adapter: Option<String>,
    /// Program and version.
    version: Option<String>,
    /// Whether it called lately.
    online: bool,
    last_seen_at: Option<Timestamp>,
    source_count: i64,
    queue: Queue,
    /// What is wrong: that it is not heard of, or what it says of its recorder.
    problem: Option<ConnectorProblem>,
    /// Its machine's clock minus the server's.
    clock_offset_ms: Option<i64>,
    revoked_at: Option<Timestamp>,
    created_at: Timestamp,
    allowed_actions: Vec<ConnectorAction>,
}

/// Tasks of a connector.
#[derive(Serialize, utoipa::ToSchema)]
struct Queue {
    /// For it to take.
    waiting: i64,
    /// That it works on.
    running: i64,
}

fn view(app: &App, caller: &Caller, shown: app::connector::Shown) -> ConnectorView {
    let (connector, now) = (shown.connector, app.now());
    let may = connector.revoked_at.is_none() && policy::manage_connector(caller, &connector.organization_id).is_ok();
    ConnectorView {
        problem: connector.trouble(now),
        online: connector.is_online(now),
        organization: Named::new(&connector.organization_id, connector.organization_name),
        id: connector.id,
        name: connector.name,
        adapter: connector.adapter,
        version: connector.software,
        last_seen_at: connector.last_seen_at,
        source_count: shown.source_count,
        queue: Queue { waiting: shown.waiting, running: shown.running },
        clock_offset_ms: connector.clock_offset_ms,
        revoked_at: connector.revoked_at,
        created_at: connector.created_at,
        allowed_actions: if may { vec![ConnectorAction::Revoke] } else { Vec::new() },
    }
}

/// The connectors that the caller manages.
#[utoipa::path(get, path = "/connectors", tag = "connectors", operation_id = "list_connectors",
    responses((status = 200, body = List<ConnectorView>), (status = "4XX", body = Problem)))]
async fn list_connectors(State(app): State<App>, Signed(caller): Signed) -> Answer<axum::Json<List<ConnectorView>>> {
    let found = app::connector::list(&app, &caller).await?;
    let items = found.into_iter().map(|shown| view(&app, &caller, shown)).collect();
    Ok(axum::Json(List { items, next_cursor: None, total: None }))
}

/// A new connector.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ConnectorInput {
    /// What to call it.
    name: String,
    /// Whose cameras it publishes.
    organization_id: OrganizationId,
}

/// The new connector and its file.
#[derive(Serialize, utoipa::ToSchema)]
struct CreatedConnector {
    connector: ConnectorView,
    /// TOML, to be saved beside the recorder. Shown this once: it holds the key.
    connection_file: String,
}

/// Makes a connector.
#[utoipa::path(post, path = "/connectors", tag = "connectors", operation_id = "create_connector", request_body = ConnectorInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day.")),
    responses((status = 201, body = CreatedConnector), (status = "4XX", body = Problem)))]
async fn create_connector(
    State(app): State<App>,
    Signed(caller): Signed,
    Creating { input, key }: Creating<ConnectorInput>,
) -> Answer<impl IntoResponse> {
    let (shown, file) =
        app::connector::create(&app, &caller, &input.organization_id, &input.name, key.as_ref()).await?;
    let connector = view(&app, &caller, shown);
    Ok((StatusCode::CREATED, axum::Json(CreatedConnector { connector, connection_file: file.to_toml() })))
}

/// One connector.
#[utoipa::path(get, path = "/connectors/{id}", tag = "connectors", operation_id = "find_connector", params(("id" = ConnectorId, Path)),
    responses((status = 200, body = ConnectorView), (status = "4XX", body = Problem)))]
async fn get_connector(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<ConnectorId>,
) -> Answer<impl IntoResponse> {
    let shown = app::connector::find(&app, &caller, &id).await?;
    Ok((etag(shown.connector.version), axum::Json(view(&app, &caller, shown))))
}

/// Revokes a connector's key.
#[utoipa::path(delete, path = "/connectors/{id}", tag = "connectors", operation_id = "revoke_connector", params(("id" = ConnectorId, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn revoke_connector(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<ConnectorId>,
) -> Answer<StatusCode> {
    app::connector::revoke(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Something that a connector was asked to do.
#[derive(Serialize, utoipa::ToSchema)]
struct ConnectorTaskView {
    id: TaskId,
    kind: TaskKind,
    state: TaskState,
    item_id: Option<RequestItemId>,
    /// What the video system calls the source that it is about.
    device_id: Option<String>,
    /// Which window of it.
    window: Option<Window>,
    /// Tries that failed.
    attempts: i64,
    progress: Option<TaskProgress>,
    /// Why the last try failed, or there is no recording.
    last_error: Option<String>,
    created_at: Timestamp,
}

/// How far a task is.
#[derive(Serialize, utoipa::ToSchema)]
struct TaskProgress {
    /// What the connector does.
    phase: Phase,
    bytes_done: i64,
    bytes_total: Option<i64>,
}

impl From<Task> for ConnectorTaskView {
    fn from(task: Task) -> Self {
        let (bytes_done, bytes_total) = (task.bytes_done.unwrap_or(0), task.bytes_total);
        let payload = serde_json::from_value(task.payload).unwrap_or(TaskPayload::Unknown);
        let (device_id, window) = payload.about();
        Self {
            id: task.id,
            kind: task.kind,
            state: task.state,
            item_id: task.item_id,
            device_id: device_id.map(str::to_owned),
            window,
            attempts: task.attempts,
            progress: task.phase.map(|phase| TaskProgress { phase: Phase::named(&phase), bytes_done, bytes_total }),
            last_error: task.last_error,
            created_at: task.created_at,
        }
    }
}

/// What a connector was asked to do, newest first.
#[utoipa::path(get, path = "/connectors/{id}/tasks", tag = "connectors", operation_id = "list_connector_tasks",
    params(("id" = ConnectorId, Path), Paging), responses((status = 200, body = List<ConnectorTaskView>), (status = "4XX", body = Problem)))]
async fn list_connector_tasks(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<ConnectorId>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<List<ConnectorTaskView>>> {
    let page = app::connector_task::list(&app, &caller, &id, paging.limit, paging.cursor.as_deref()).await?;
    Ok(axum::Json(List::of(page, ConnectorTaskView::from)))
}
