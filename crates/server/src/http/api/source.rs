//! The registry, searched.

use app::App;
use app::camera::{Bounds, Listed, Near, Search, Sort};
use axum::extract::State;
use domain::camera::{Behind, Camera, Status};
use domain::id::{CameraId, ConnectorId, OrganizationId};
use domain::{Caller, Invalid, Position, Timestamp, policy};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::{List, Named};
use crate::http::document::Routes;
use crate::http::extract::{Query, Signed};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(list_sources))
}

/// What sort of source.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SourceKind {
    /// It stays where it is.
    Camera,
}

/// Whatever footage can be asked from.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct SourceView {
    id: CameraId,
    kind: SourceKind,
    name: String,
    organization: Named,
    position: Option<Position>,
    address: Option<String>,
    bearing_deg: Option<f64>,
    fov_deg: Option<f64>,
    range_m: Option<f64>,
    retention_hours: Option<i64>,
    status: Status,
    published: bool,
    tags: Vec<String>,
    thumbnail_url: Option<String>,
    /// Metres from `near`, where that was given.
    distance_m: Option<f64>,
    connector: Option<BehindView>,
}

/// The connector that a source hangs on. Which one it is, those who may see it learn.
#[derive(Serialize, utoipa::ToSchema)]
struct BehindView {
    id: Option<ConnectorId>,
    name: Option<String>,
    online: bool,
    last_seen_at: Option<Timestamp>,
}

impl BehindView {
    fn of(caller: &Caller, owner: &OrganizationId, behind: &Behind, now: Timestamp) -> Self {
        let seen = Some(behind).filter(|_| policy::sees_connector(caller, owner));
        Self {
            id: seen.map(|behind| behind.id.clone()),
            name: seen.map(|behind| behind.name.clone()),
            online: behind.online(now),
            last_seen_at: seen.and_then(|behind| behind.last_seen_at),
        }
    }
}

/// Where a camera's picture is; the address changes with the picture.
pub(crate) fn thumbnail_url(camera: &Camera) -> Option<String> {
    let picture = camera.thumbnail.as_ref()?;
    Some(format!("/api/v1/cameras/{}/thumbnail?v={}", camera.id, picture.at.as_micros()))
}

impl SourceView {
    pub(super) fn of(caller: &Caller, camera: &Camera, distance_m: Option<f64>, now: Timestamp) -> Self {
        let facts = &camera.facts;
        Self {
            id: camera.id.clone(),
            kind: SourceKind::Camera,
            name: facts.name.clone(),
            organization: Named::new(&camera.organization_id, camera.organization_name.as_str()),
            position: facts.position,
            address: facts.address.clone(),
            bearing_deg: facts.bearing_deg,
            fov_deg: facts.fov_deg,
            range_m: facts.range_m,
            retention_hours: facts.retention_hours,
            status: camera.status(now),
            published: camera.published,
            tags: facts.tags.clone(),
            thumbnail_url: thumbnail_url(camera),
            distance_m: distance_m.map(|metres| (metres * 10.0).round() / 10.0),
            connector: camera
                .connector
                .as_ref()
                .map(|behind| BehindView::of(caller, &camera.organization_id, behind, now)),
        }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SourceQuery {
    /// `camera`, `vehicle` or `participant`; several with commas.
    kind: Option<String>,
    /// Words that must all occur, or an id.
    q: Option<String>,
    /// Of this owner only.
    organization_id: Option<OrganizationId>,
    /// With this tag.
    tag: Option<String>,
    /// `online`, `offline`, `unknown`, `vanished`; several with commas.
    status: Option<String>,
    /// `west,south,east,north` in degrees; across the date line where west is greater than east.
    bbox: Option<String>,
    /// `lat,lon`, from where distances are measured.
    near: Option<String>,
    /// At most so many metres from `near`.
    radius_m: Option<f64>,
    /// `name` or `distance`; by distance where `near` is given.
    sort: Option<String>,
    /// At most so many.
    limit: Option<i64>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
    /// Whether to count all.
    count: Option<bool>,
}

fn numbers<const N: usize>(text: &str) -> Option<[f64; N]> {
    let parsed: Vec<f64> = text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    parsed.try_into().ok()
}

fn bounds(text: &str) -> Option<Bounds> {
    let [west, south, east, north] = numbers(text)?;
    let on_globe = Position::checked(south, west).is_some() && Position::checked(north, east).is_some();
    (on_globe && south <= north).then_some(Bounds { west, south, east, north })
}

/// What may be searched for. So far there are cameras.
const KINDS: &[&str] = &["camera", "vehicle", "participant"];

fn search(query: &SourceQuery) -> Result<Search, Invalid> {
    let mut invalid = Invalid::new();
    let mut search = Search {
        q: query.q.clone(),
        organization_id: query.organization_id.clone(),
        tag: query.tag.clone(),
        count: query.count.unwrap_or(false),
        ..Search::default()
    };
    for kind in query.kind.iter().flat_map(|kinds| kinds.split(',')) {
        if !KINDS.contains(&kind.trim()) {
            invalid.add("/kind", "Expected camera, vehicle or participant; several with commas.");
        }
    }
    for status in query.status.iter().flat_map(|s| s.split(',')) {
        match status.trim().parse() {
            Ok(status) => search.statuses.push(status),
            Err(_) => invalid.add("/status", "Expected online, offline, unknown or vanished; several with commas."),
        }
    }
    if let Some(bbox) = &query.bbox {
        search.bounds = bounds(bbox);
        if search.bounds.is_none() {
            invalid.add("/bbox", "Expected west,south,east,north in degrees, south not above north.");
        }
    }
    if let Some(near) = &query.near {
        let position = numbers(near).and_then(|[lat, lon]| Position::checked(lat, lon));
        search.near = position.map(|position| Near { position, radius_m: query.radius_m });
        if search.near.is_none() {
            invalid.add("/near", "Expected lat,lon in degrees.");
        }
    }
    if query.radius_m.is_some_and(|metres| !(metres > 0.0 && metres <= 100_000.0)) {
        invalid.add("/radius_m", "Expected metres, more than 0 and at most 100000.");
    }
    if query.radius_m.is_some() && query.near.is_none() {
        invalid.add("/near", "A radius needs a place to measure from: near=lat,lon.");
    }
    search.sort = match query.sort.as_deref() {
        Some("name") => Sort::Name,
        Some("distance") => Sort::Distance,
        None if query.near.is_some() => Sort::Distance,
        None => Sort::Name,
        Some(_) => {
            invalid.add("/sort", "Expected name or distance.");
            Sort::Name
        }
    };
    invalid.into_result()?;
    Ok(search)
}

/// Searches the registry, as far as the caller sees it.
#[utoipa::path(get, path = "/sources", tag = "registry", operation_id = "list_sources", params(SourceQuery),
    responses((status = 200, body = List<SourceView>), (status = "4XX", body = Problem)))]
async fn list_sources(
    State(app): State<App>,
    Signed(caller): Signed,
    Query(query): Query<SourceQuery>,
) -> Answer<axum::Json<List<SourceView>>> {
    let search = search(&query).map_err(app::Error::from)?;
    if query.kind.as_deref().is_some_and(|kinds| !kinds.split(',').any(|kind| kind.trim() == "camera")) {
        return Ok(axum::Json(List { items: Vec::new(), next_cursor: None, total: search.count.then_some(0) }));
    }
    let page = app::camera::list(&app, &caller, search, query.limit, query.cursor.as_deref()).await?;
    let now = app.now();
    Ok(axum::Json(List::of(page, |Listed { camera, distance_m }| SourceView::of(&caller, &camera, distance_m, now))))
}
