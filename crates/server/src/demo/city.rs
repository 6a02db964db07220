//! A city of our own making: always the same, anywhere but on a real map.
//!
//! Twelve numbered streets cross eight avenues, not quite evenly and not quite northward; a road
//! follows the river, another cuts across. What an agency would bring as its streets layer comes out
//! as GeoJSON, and cameras stand at its corners.

mod buildings;
mod cameras;
mod plan;

use domain::Position;
use serde_json::{Value, json};

pub use cameras::{Mounted, Owner, cameras};

/// The name of the city.
pub const NAME: &str = "Port Ansel";
/// Its time zone.
pub const TIME_ZONE: &str = "America/Los_Angeles";

const CENTRE: Position = Position { lat: 47.4800, lon: -122.0200 };
/// How far the grid is turned, in degrees against the clock.
const TURNED_DEG: f64 = 9.0;

/// Metres along the grid, east and north of the corner of 6th Street and Main Avenue.
type Point = [f64; 2];

/// Where a point of the grid is on the earth.
fn position([u, v]: Point) -> Position {
    let (sin, cos) = TURNED_DEG.to_radians().sin_cos();
    let (east, north) = (u * cos - v * sin, u * sin + v * cos);
    let round = |degrees: f64| (degrees * 1e7).round() / 1e7;
    Position {
        lat: round(CENTRE.lat + north / 111_132.0),
        lon: round(CENTRE.lon + east / (111_320.0 * CENTRE.lat.to_radians().cos())),
    }
}

/// A bearing along the grid as a bearing on the earth.
fn bearing(degrees: f64) -> f64 {
    (degrees - TURNED_DEG).rem_euclid(360.0)
}

/// The streets layer that the city's agency brings.
pub fn streets_layer() -> Value {
    let mut features = Vec::new();
    for park in plan::parks() {
        features.push(area("park", Some(park.name), &park.outline));
    }
    for water in plan::waters() {
        features.push(area("water", Some(water.name), &water.outline));
    }
    for (name, outline) in buildings::buildings() {
        features.push(area("building", name, &outline));
    }
    for street in plan::streets() {
        let coordinates: Vec<_> = street.points.iter().map(|&p| lon_lat(p)).collect();
        features.push(feature(
            "street",
            Some(street.name.as_str()),
            &json!({"type": "LineString", "coordinates": coordinates}),
        ));
    }
    for (name, at) in plan::labels() {
        features.push(feature("label", Some(name), &json!({"type": "Point", "coordinates": lon_lat(at)})));
    }
    json!({"type": "FeatureCollection", "name": NAME, "features": features})
}

fn lon_lat(point: Point) -> [f64; 2] {
    let Position { lat, lon } = position(point);
    [lon, lat]
}

fn area(kind: &str, name: Option<&str>, outline: &[Point]) -> Value {
    let ring: Vec<_> = outline.iter().chain(outline.first()).map(|&p| lon_lat(p)).collect();
    feature(kind, name, &json!({"type": "Polygon", "coordinates": [ring]}))
}

fn feature(kind: &str, name: Option<&str>, geometry: &Value) -> Value {
    json!({"type": "Feature", "properties": {"kind": kind, "name": name}, "geometry": geometry})
}

#[cfg(test)]
mod tests;
