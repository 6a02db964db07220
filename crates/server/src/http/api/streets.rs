//! The streets layer, and places by their names.

use app::App;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::gazetteer::Place;
use serde::Deserialize;
use utoipa_axum::routes;

use super::List;
use crate::http::document::Routes;
use crate::http::extract::{Query, Signed};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(find_streets)).routes(routes!(list_places))
}

/// The layer that the agency brought: GeoJSON whose features have a `kind` (street, building, park, water, label) and a `name`.
#[utoipa::path(get, path = "/map/streets.geojson", tag = "registry", operation_id = "find_streets",
    responses((status = 200, content_type = "application/geo+json", body = Object), (status = 304, description = "It is still the same."), (status = "4XX", body = Problem)))]
async fn find_streets(State(app): State<App>, Signed(_caller): Signed, headers: HeaderMap) -> Answer<Response> {
    let streets = app::streets::layer(&app).await?;
    let tag = format!("\"{}\"", streets.sha256);
    let kept = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    Ok((kept, [(header::CONTENT_TYPE, "application/geo+json")], streets.text.to_string()).into_response())
}

/// What to look for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PlaceQuery {
    /// Such as `5th & Main`, or the beginning of a name.
    q: String,
}

/// So many places are offered.
const OFFERED: usize = 10;

/// Places and crossings of streets by their names, the likeliest first; none when the agency brought no layer.
#[utoipa::path(get, path = "/places", tag = "registry", operation_id = "list_places", params(PlaceQuery),
    responses((status = 200, body = List<Place>), (status = "4XX", body = Problem)))]
async fn list_places(
    State(app): State<App>,
    Signed(_caller): Signed,
    Query(query): Query<PlaceQuery>,
) -> Answer<axum::Json<List<Place>>> {
    let items = app::streets::find_places(&app, &query.q, OFFERED).await?;
    Ok(axum::Json(List { items, next_cursor: None, total: None }))
}
