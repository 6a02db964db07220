//! HTTP: routes, what wraps them, and nothing that decides.

pub(crate) mod api;
pub(crate) mod bytes;
mod connector;
mod document;
pub(crate) mod extract;
pub(crate) mod guest;
mod metrics;
mod page;
pub(crate) mod problem;
mod tus;
mod wrap;

use app::App;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tower::util::MapRequest;
use utoipa::OpenApi as _;

use crate::config::Config;
use document::Routes;

/// What all handlers share.
#[derive(Clone)]
pub struct Shared {
    /// The product.
    pub app: App,
    /// Take the client's address from `X-Forwarded-For`.
    pub behind_proxy: bool,
}

impl axum::extract::FromRef<Shared> for App {
    fn from_ref(shared: &Shared) -> Self {
        shared.app.clone()
    }
}

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Sightline",
    description = "Camera registry, video requests and evidence. The page, the connector and every script use nothing else.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Document;

fn api() -> Routes {
    let routes = api::routes().merge(tus::routes()).merge(guest::routes()).merge(connector::routes());
    routes.under("/api/v1", Document::openapi())
}

/// The OpenAPI document as JSON text.
pub fn openapi() -> String {
    let (_, document) = api().split();
    document.to_pretty_json().expect("the document is plain data")
}

/// Everything that the server answers.
pub fn router(app: App, config: &Config) -> Router {
    Router::new().fallback_service(MapRequest::new(routes(app, config), tus::honour_override))
}

/// What it answers at which path.
pub fn routes(app: App, config: &Config) -> Router {
    let shared = Shared { app, behind_proxy: config.server.behind_proxy };
    let (routes, _) = api().split();
    let document: &'static str = openapi().leak();
    let routes = routes
        .route("/api/v1/openapi.json", get(move || async move { ([("content-type", "application/json")], document) }))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::show))
        .route("/api/{*rest}", axum::routing::any(problem::no_such_route))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .merge(page::routes());
    wrap::wrap(routes).with_state(shared)
}

/// Whether the server can do its work: the database answers.
async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.db().ping().await {
        Ok(()) => (StatusCode::OK, "ready"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer"),
    }
}
