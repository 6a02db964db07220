//! A connector introduces itself and publishes its cameras.

use app::App;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use protocol::{Hello, HelloAnswer, Sources, SourcesAnswer};
use utoipa_axum::routes;

use super::Calling;
use crate::http::document::Routes;
use crate::http::extract::{Body, Json, Path};
use crate::http::problem::{Answer, Problem};

/// A whole set of a hundred thousand sources.
const LARGEST_PUBLICATION_BYTES: usize = 64 << 20;

pub(super) fn routes() -> Routes {
    let publication = Routes::new()
        .routes(routes!(publish_sources))
        .with(|routes| routes.layer(DefaultBodyLimit::max(LARGEST_PUBLICATION_BYTES)));
    Routes::new().routes(routes!(greet_connector)).routes(routes!(publish_thumbnail)).merge(publication)
}

/// Says hello: versions, adapters, clock.
#[utoipa::path(post, path = "/connector/hello", tag = "connector", operation_id = "greet_connector", request_body = Hello,
    responses((status = 200, body = HelloAnswer), (status = "4XX", body = Problem)))]
async fn greet_connector(
    State(app): State<App>,
    Calling(caller): Calling,
    Json(said): Json<Hello>,
) -> Answer<axum::Json<HelloAnswer>> {
    Ok(axum::Json(app::connector::hello(&app, &caller, &said).await?))
}

/// Publishes the whole set of sources, or what changed. 409: send the whole set.
#[utoipa::path(put, path = "/connector/sources", tag = "connector", operation_id = "publish_sources", request_body = Sources,
    responses((status = 200, body = SourcesAnswer), (status = "4XX", body = Problem)))]
async fn publish_sources(
    State(app): State<App>,
    Calling(caller): Calling,
    Json(said): Json<Sources>,
) -> Answer<axum::Json<SourcesAnswer>> {
    Ok(axum::Json(app::connector::publish(&app, &caller, &said).await?))
}

/// Sends a picture of a source.
#[utoipa::path(put, path = "/connector/sources/{device_id}/thumbnail", tag = "connector", operation_id = "publish_thumbnail",
    params(("device_id" = String, Path)), request_body(content = Vec<u8>, content_type = "image/jpeg"),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn publish_thumbnail(
    State(app): State<App>,
    Calling(caller): Calling,
    Path(device_id): Path<String>,
    Body(jpeg): Body,
) -> Answer<StatusCode> {
    app::connector::set_thumbnail(&app, &caller, &device_id, jpeg).await?;
    Ok(StatusCode::NO_CONTENT)
}
