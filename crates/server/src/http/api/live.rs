//! Live updates: one stream of server-sent events per browser.

use std::convert::Infallible;
use std::time::Duration;

use app::App;
use app::live::{Change, ItemProgress};
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use futures::Stream;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval, interval_at};
use utoipa_axum::routes;

use crate::http::document::Routes;
use crate::http::extract::{Credential, Signed};
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(watch_events))
}

/// How often a quiet stream says that it is there, and asks whether it still may be.
const BEAT: Duration = Duration::from_secs(15);

/// What changed, as it changes: `changed` names kind and id, `progress` an item's bytes, `missed` asks to load everything again.
/// The stream ends with the session or the token that opened it.
#[utoipa::path(get, path = "/events", tag = "operations", operation_id = "watch_events",
    responses((status = 200, content_type = "text/event-stream", body = String), (status = "4XX", body = Problem)))]
async fn watch_events(
    State(app): State<App>,
    Signed(_caller): Signed,
    credential: Credential,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let (changes, progress) = (app.changes().listen(), app.progress().listen());
    let watch = Watch { app, credential, changes, progress, beat: interval_at(Instant::now() + BEAT, BEAT) };
    Sse::new(futures::stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok(event), watch))
    }))
}

/// Somebody who looks on.
struct Watch {
    app: App,
    credential: Credential,
    changes: Receiver<Change>,
    progress: Receiver<ItemProgress>,
    beat: Interval,
}

/// What there is to tell, before it is known to whom.
enum News {
    Changed(Change),
    Progress(ItemProgress),
    Missed,
    Nothing,
}

impl Watch {
    /// The next event for this caller; none when there is no such caller any more. Who they are, and what they hold, is asked anew
    /// before anything is told: an hour after they looked in the first time their session may be gone, or a role.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let news = tokio::select! {
                changed = self.changes.recv() => News::of(changed, News::Changed)?,
                progress = self.progress.recv() => News::of(progress, News::Progress)?,
                _ = self.beat.tick() => News::Nothing,
                () = self.app.changes().over() => return None,
            };
            let caller = self.credential.holder(&self.app).await.ok()?;
            let about = match &news {
                News::Changed(change) => Some(change.id.as_str()),
                News::Progress(progress) => Some(progress.item_id.as_str()),
                News::Missed | News::Nothing => None,
            };
            match about {
                Some(id) if !app::live::sees(&self.app, &caller, id).await => {}
                _ => return Some(news.into()),
            }
        }
    }
}

impl News {
    /// None when the server stops.
    fn of<T>(received: Result<T, RecvError>, news: impl FnOnce(T) -> Self) -> Option<Self> {
        match received {
            Ok(told) => Some(news(told)),
            Err(RecvError::Lagged(_)) => Some(Self::Missed),
            Err(RecvError::Closed) => None,
        }
    }
}

impl From<News> for Event {
    fn from(news: News) -> Self {
        let named = |name, data: serde_json::Value| Self::default().event(name).data(data.to_string());
        match news {
            News::Changed(Change { kind, id }) => named("changed", json!({"kind": kind, "id": id})),
            News::Progress(p) => {
                let bytes = json!({"item_id": p.item_id, "bytes_done": p.bytes_done, "bytes_total": p.bytes_total});
                named("progress", bytes)
            }
            News::Missed => named("missed", json!({})),
            News::Nothing => Self::default().comment(""),
        }
    }
}
