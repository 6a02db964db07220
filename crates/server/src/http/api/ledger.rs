//! The ledger, for auditors and their programs.

use app::App;
use app::ledger::{Filter, Seen};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use domain::Timestamp;
use domain::id::EventId;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::List;
use crate::http::document::Routes;
use crate::http::extract::{Path, Query, Signed};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(get_checkpoint))
        .routes(routes!(list_events))
        .routes(routes!(prove_event))
        .routes(routes!(erase_event))
        // Paths of C2SP tlog-tiles have any number of parts, which OpenAPI cannot say.
        .with(|routes| routes.route("/ledger/tile/{*path}", get(get_tile)))
}

/// The last checkpoint: a C2SP signed note.
#[utoipa::path(get, path = "/ledger/checkpoint", tag = "ledger", operation_id = "get_checkpoint",
    responses((status = 200, body = String, content_type = "text/plain"), (status = "4XX", body = Problem)))]
async fn get_checkpoint(State(app): State<App>, caller: Option<Signed>) -> Answer<String> {
    Ok(app::ledger::checkpoint(&app, caller.as_ref().map(|Signed(caller)| caller)).await?)
}

async fn get_tile(
    State(app): State<App>,
    caller: Option<Signed>,
    Path(path): Path<String>,
) -> Answer<impl IntoResponse> {
    let caller = caller.as_ref().map(|Signed(caller)| caller);
    let bytes = app::ledger::tile(&app, caller, &format!("tile/{path}")).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct EventQuery {
    /// Of this kind, such as `video_request.submit`.
    kind: Option<String>,
    /// By this account, token, connector or link.
    actor: Option<String>,
    /// About the thing with this id.
    object: Option<String>,
    /// Not before.
    from: Option<Timestamp>,
    /// Before.
    to: Option<Timestamp>,
    /// At most so many, 50 unless said, at most 500.
    limit: Option<i64>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// Who did something.
#[derive(Serialize, utoipa::ToSchema)]
struct ActorView {
    /// Id of an account, token, connector or link.
    id: String,
    /// The name, where it has one.
    name: Option<String>,
}

/// An event.
#[derive(Serialize, utoipa::ToSchema)]
struct EventView {
    #[schema(value_type = EventId)]
    id: String,
    at: Timestamp,
    /// `noun.verb`.
    kind: String,
    /// Null: the server itself.
    actor: Option<ActorView>,
    /// What it is about: noun to id.
    #[schema(value_type = Object)]
    objects: serde_json::Value,
    /// What the leaf holds beside: states, sizes, hashes.
    #[schema(value_type = Object)]
    data: serde_json::Value,
    /// What stands beside the leaf; null when nothing does, or when it was erased.
    #[schema(value_type = Option<Object>)]
    personal: serde_json::Value,
    /// When the personal part was erased.
    erased_at: Option<Timestamp>,
    /// Its place in the ledger; null for the last second or so.
    leaf_index: Option<i64>,
}

impl EventView {
    fn of(seen: Seen) -> Self {
        let Seen { row, actor_name } = seen;
        // A row that somebody spoiled is shown as the text that it holds.
        let json = |text: String| serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
        Self {
            id: row.id,
            at: row.at,
            kind: row.kind,
            actor: row.actor.map(|id| ActorView { id, name: actor_name }),
            objects: json(row.objects),
            data: json(row.data),
            personal: row.personal.map_or(serde_json::Value::Null, json),
            erased_at: row.erased_at,
            leaf_index: row.leaf_index,
        }
    }
}

/// All events, newest first.
#[utoipa::path(get, path = "/ledger/events", tag = "ledger", operation_id = "list_events", params(EventQuery),
    responses((status = 200, body = List<EventView>), (status = "4XX", body = Problem)))]
async fn list_events(
    State(app): State<App>,
    Signed(caller): Signed,
    Query(query): Query<EventQuery>,
) -> Answer<axum::Json<List<EventView>>> {
    let EventQuery { kind, actor, object, from, to, limit, cursor } = query;
    let filter = Filter { kind, actor, object, from, to };
    let page = app::ledger::list(&app, &caller, &filter, cursor.as_deref(), limit).await?;
    Ok(axum::Json(List::of(page, EventView::of)))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ProofQuery {
    /// The event.
    event: EventId,
}

/// Shows that an event is in the ledger.
#[derive(Serialize, utoipa::ToSchema)]
struct ProofView {
    /// The leaf, byte for byte.
    leaf: String,
    /// Its place.
    leaf_index: u64,
    /// The hashes beside the path from the leaf to the root (RFC 6962), hex.
    hashes: Vec<String>,
    /// The signed checkpoint, with size and root.
    checkpoint: String,
    /// The public key that it verifies with.
    vkey: String,
}

/// Proves that an event is in the ledger.
#[utoipa::path(get, path = "/ledger/proof", tag = "ledger", operation_id = "prove_event", params(ProofQuery),
    responses((status = 200, body = ProofView), (status = "4XX", body = Problem)))]
async fn prove_event(
    State(app): State<App>,
    Signed(caller): Signed,
    Query(query): Query<ProofQuery>,
) -> Answer<axum::Json<ProofView>> {
    let proof = app::ledger::prove(&app, &caller, &query.event).await?;
    Ok(axum::Json(ProofView {
        leaf: proof.leaf,
        leaf_index: proof.leaf_index,
        hashes: proof.hashes.iter().map(ToString::to_string).collect(),
        checkpoint: proof.checkpoint,
        vkey: proof.vkey,
    }))
}

/// Erases what an event says of persons. The event itself, and the ledger, stay as they are; another event says that this was done.
#[utoipa::path(post, path = "/ledger/events/{id}/erase", tag = "ledger", operation_id = "erase_event", params(("id" = EventId, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn erase_event(State(app): State<App>, Signed(caller): Signed, Path(id): Path<EventId>) -> Answer<StatusCode> {
    app::ledger::erase_personal(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
