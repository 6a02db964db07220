//! Live updates: one stream of server-sent events per browser.

use std::convert::Infallible;
use std::time::Duration;

use app::App;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use utoipa_axum::routes;

use crate::http::document::Routes;
use crate::http::extract::Signed;
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(watch_events))
}

/// What changed, as it changes: `changed` names kind and id, `progress` an item's bytes, `missed` asks to load everything again.
#[utoipa::path(get, path = "/events", tag = "operations", operation_id = "watch_events",
    responses((status = 200, content_type = "text/event-stream", body = String), (status = "4XX", body = Problem)))]
async fn watch_events(
    State(app): State<App>,
    Signed(caller): Signed,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let (changes, progress) = (app.changes().listen(), app.progress().listen());
    let stream = futures::stream::unfold(
        (app, caller, changes, progress),
        |(app, caller, mut changes, mut progress)| async move {
            let event = loop {
                tokio::select! {
                    changed = changes.recv() => match changed {
                        Ok(change) if app::live::sees(&app, &caller, &change.id).await => break Event::default().event("changed").data(json!({"kind": change.kind, "id": change.id}).to_string()),
                        Ok(_) => {}
                        Err(RecvError::Lagged(_)) => break Event::default().event("missed").data("{}"),
                        Err(RecvError::Closed) => return None,
                    },
                    told = progress.recv() => match told {
                        Ok(p) if app::live::sees(&app, &caller, p.item_id.as_str()).await => {
                            break Event::default().event("progress").data(json!({"item_id": p.item_id, "bytes_done": p.bytes_done, "bytes_total": p.bytes_total}).to_string());
                        }
                        Ok(_) | Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return None,
                    },
                }
            };
            Some((Ok(event), (app, caller, changes, progress)))
        },
    );
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
