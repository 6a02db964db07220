//! Cameras: one by one.

use std::collections::BTreeMap;

use app::App;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::camera::{Camera, CameraType, Change, Origin};
use domain::id::CameraId;
use domain::{Caller, Invalid, Timestamp, Window, policy};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::source::SourceView;
use crate::http::document::Routes;
use crate::http::extract::{Body, Creating, IfMatch, Json, Path, Query, Signed, etag};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(create_camera))
        .routes(routes!(find_camera, change_camera, remove_camera))
        .routes(routes!(find_thumbnail, set_thumbnail))
        .routes(routes!(find_coverage))
}

/// What may be done with a camera.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum CameraAction {
    Change,
    Remove,
}

/// Everything that is known of a camera.
#[derive(Serialize, utoipa::ToSchema)]
struct CameraView {
    #[serde(flatten)]
    source: SourceView,
    description: Option<String>,
    site: Option<String>,
    device_id: Option<String>,
    r#type: Option<CameraType>,
    mounting_height_m: Option<f64>,
    tilt_deg: Option<f64>,
    /// Recorder clock minus true time, as far as that is known.
    clock_offset_ms: Option<i64>,
    clock_uncertainty_ms: Option<i64>,
    /// Who says how far its clock is off. Where that is the connector its exports go by it, and it is set in the connector's file only.
    clock_by: Origin,
    last_seen_at: Option<Timestamp>,
    make: Option<String>,
    model: Option<String>,
    custom: BTreeMap<String, String>,
    /// Who set each field.
    origins: BTreeMap<String, Origin>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: i64,
    allowed_actions: Vec<CameraAction>,
}

impl CameraView {
    fn of(caller: &Caller, camera: Camera, now: Timestamp) -> Self {
        let manages = policy::manage_camera(caller, &camera.organization_id).is_ok();
        let (clock_offset_ms, clock_uncertainty_ms) = camera.clock();
        Self {
            clock_by: camera.clock_by(),
            source: SourceView::of(caller, &camera, None, now),
            description: Some(camera.facts.description).filter(|text| !text.is_empty()),
            site: camera.facts.site,
            device_id: camera.device_id,
            r#type: camera.facts.r#type,
            mounting_height_m: camera.facts.mounting_height_m,
            tilt_deg: camera.facts.tilt_deg,
            clock_offset_ms,
            clock_uncertainty_ms,
            last_seen_at: camera.last_seen_at,
            make: camera.facts.make,
            model: camera.facts.model,
            custom: camera.facts.custom,
            origins: camera.origins,
            created_at: camera.created_at,
            updated_at: camera.updated_at,
            version: camera.version,
            allowed_actions: if manages { vec![CameraAction::Change, CameraAction::Remove] } else { vec![] },
        }
    }
}

/// Enters a camera; `organization_id` and `name` are needed.
#[utoipa::path(post, path = "/cameras", tag = "registry", operation_id = "create_camera", request_body = Change,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day.")),
    responses((status = 201, body = CameraView), (status = "4XX", body = Problem)))]
async fn create_camera(
    State(app): State<App>,
    Signed(caller): Signed,
    Creating { input, key }: Creating<Change>,
) -> Answer<impl IntoResponse> {
    let camera = app::camera::create(&app, &caller, input, key.as_ref()).await?;
    Ok((StatusCode::CREATED, etag(camera.version), axum::Json(CameraView::of(&caller, camera, app.now()))))
}

/// One camera.
#[utoipa::path(get, path = "/cameras/{id}", tag = "registry", operation_id = "find_camera", params(("id" = CameraId, Path)),
    responses((status = 200, body = CameraView), (status = "4XX", body = Problem)))]
async fn find_camera(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CameraId>,
) -> Answer<impl IntoResponse> {
    let camera = app::camera::find(&app, &caller, &id).await?;
    Ok((etag(camera.version), axum::Json(CameraView::of(&caller, camera, app.now()))))
}

/// Changes a camera: a field that is left out stays, null empties it.
#[utoipa::path(patch, path = "/cameras/{id}", tag = "registry", operation_id = "change_camera", params(("id" = CameraId, Path)),
    request_body = Change, responses((status = 200, body = CameraView), (status = "4XX", body = Problem)))]
async fn change_camera(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CameraId>,
    IfMatch(version): IfMatch,
    Json(change): Json<Change>,
) -> Answer<impl IntoResponse> {
    let camera = app::camera::change(&app, &caller, &id, version, change).await?;
    Ok((etag(camera.version), axum::Json(CameraView::of(&caller, camera, app.now()))))
}

/// Removes a camera that no request names.
#[utoipa::path(delete, path = "/cameras/{id}", tag = "registry", operation_id = "remove_camera", params(("id" = CameraId, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn remove_camera(State(app): State<App>, Signed(caller): Signed, Path(id): Path<CameraId>) -> Answer<StatusCode> {
    app::camera::remove(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A camera's picture.
#[utoipa::path(get, path = "/cameras/{id}/thumbnail", tag = "registry", operation_id = "find_camera_thumbnail", params(("id" = CameraId, Path)),
    responses((status = 200, content_type = "image/jpeg"), (status = 304), (status = "4XX", body = Problem)))]
async fn find_thumbnail(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CameraId>,
    headers: HeaderMap,
) -> Answer<Response> {
    let (jpeg, version) = app::camera::thumbnail(&app, &caller, &id).await?;
    let tag = format!("\"{version}\"");
    // The address names the version; only this person's browser keeps it, for a day.
    let cached = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "private, max-age=86400".to_owned())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|asked| asked.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, cached).into_response());
    }
    Ok((cached, [(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response())
}

/// Sets a camera's picture: a JPEG of at most 512 KiB.
#[utoipa::path(put, path = "/cameras/{id}/thumbnail", tag = "registry", operation_id = "set_camera_thumbnail", params(("id" = CameraId, Path)),
    request_body(content_type = "image/jpeg"), responses((status = 200, body = CameraView), (status = "4XX", body = Problem)))]
async fn set_thumbnail(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CameraId>,
    Body(jpeg): Body,
) -> Answer<impl IntoResponse> {
    let camera = app::camera::set_thumbnail(&app, &caller, &id, jpeg).await?;
    Ok((etag(camera.version), axum::Json(CameraView::of(&caller, camera, app.now()))))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CoverageQuery {
    /// Start of the window.
    from: Timestamp,
    /// End of the window.
    to: Timestamp,
    /// Ask the connector first, and wait a little for its answer.
    refresh: Option<bool>,
}

/// What is known of recordings.
#[derive(Serialize, utoipa::ToSchema)]
struct CoverageView {
    /// Where there are recordings.
    spans: Vec<Window>,
    /// How old the oldest answer is that this rests on; null when nobody was asked.
    asked_at: Option<Timestamp>,
    /// Whether the whole window was answered.
    complete: bool,
}

/// What is known of a camera's recordings in a window.
#[utoipa::path(get, path = "/cameras/{id}/coverage", tag = "registry", operation_id = "find_coverage",
    params(("id" = CameraId, Path), CoverageQuery), responses((status = 200, body = CoverageView), (status = "4XX", body = Problem)))]
async fn find_coverage(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<CameraId>,
    Query(query): Query<CoverageQuery>,
) -> Answer<axum::Json<CoverageView>> {
    let reversed = || app::Error::from(Invalid::field("/to", "The window must end after it begins."));
    let window = Window::checked(query.from, query.to).ok_or_else(reversed)?;
    let known = match query.refresh {
        Some(true) => app::connector_task::refresh_coverage(&app, &caller, &id, window).await?,
        _ => app::camera::coverage(&app, &caller, &id, window).await?,
    };
    Ok(axum::Json(CoverageView { spans: known.spans, asked_at: known.asked_at, complete: known.complete }))
}
