//! What the Configuration API tells of cameras.

use domain::Position;
use protocol::SourceDescription;
use serde::Deserialize;

use crate::adapter::web::{self, WebError};

#[derive(Deserialize)]
struct Listed {
    array: Vec<Camera>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Camera {
    id: String,
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    enabled: Option<bool>,
    /// A point as well-known text (OGC 06-103r4), longitude first.
    #[serde(default)]
    gis_point: Option<String>,
    /// Part of a circle, clockwise from north.
    #[serde(default)]
    coverage_direction: Option<f64>,
    /// Part of a circle.
    #[serde(default)]
    coverage_field_of_view: Option<f64>,
    /// Metres.
    #[serde(default)]
    coverage_depth: Option<f64>,
}

/// The cameras that an answer tells.
pub(super) fn read(answer: &[u8], retention_hours: Option<i64>) -> Result<Vec<SourceDescription>, WebError> {
    let listed: Listed = web::json(answer)?;
    let enabled = listed.array.into_iter().filter(|camera| camera.enabled != Some(false));
    Ok(enabled.map(|camera| described(camera, retention_hours)).collect())
}

fn described(camera: Camera, retention_hours: Option<i64>) -> SourceDescription {
    // what nobody has drawn on the map is 0
    let part = |told: Option<f64>| told.filter(|part| *part > 0.0 && *part <= 1.0).map(|part| part * 360.0);
    let fov_deg = part(camera.coverage_field_of_view);
    let range_m = camera.coverage_depth.filter(|depth| *depth > 0.0 && *depth <= 100_000.0);
    let direction = camera.coverage_direction.filter(|part| (0.0..=1.0).contains(part));
    let drawn = fov_deg.is_some() || range_m.is_some();
    SourceDescription {
        device_id: camera.id,
        name: camera.name,
        description: camera.description.filter(|text| !text.is_empty()),
        position: camera.gis_point.as_deref().and_then(position),
        bearing_deg: direction.filter(|_| drawn).map(|part| part * 360.0 % 360.0),
        fov_deg,
        range_m,
        retention_hours,
        ..SourceDescription::default()
    }
}

/// Such as `POINT (8.542 47.372)`; `POINT EMPTY` is none.
fn position(text: &str) -> Option<Position> {
    let inner = text.trim().strip_prefix("POINT")?.split_once('(')?.1.strip_suffix(')')?;
    let mut numbers = inner.split_whitespace().map(str::parse::<f64>);
    let (lon, lat) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Position::checked(lat, lon).filter(|_| (lat, lon) != (0.0, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions() {
        assert_eq!(position("POINT (8.542 47.372)"), Position::checked(47.372, 8.542));
        assert_eq!(position("POINT(-96.16593 41.27878)"), Position::checked(41.278_78, -96.165_93));
        assert_eq!(position("POINT Z (8.5 47.3 400)"), Position::checked(47.3, 8.5));
        for none in ["POINT EMPTY", "POINT (0 0)", "POINT (8.5)", "POINT (8.5 97)", "POINT (8.5 47.3", "LINE (1 2)", ""]
        {
            assert_eq!(position(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_drawn_on_the_map_tells_where_a_camera_looks() {
        let told = r#"{"array": [
            {"id": "a", "name": "Gate", "description": "", "enabled": true, "gisPoint": "POINT EMPTY",
             "coverageDirection": 0, "coverageDepth": 0, "coverageFieldOfView": 0},
            {"id": "b", "name": "Yard", "enabled": true, "gisPoint": "POINT (8.542 47.372)",
             "coverageDirection": 0.75, "coverageDepth": 12.5, "coverageFieldOfView": 0.25},
            {"id": "c", "name": "North", "coverageDirection": 0, "coverageDepth": -1, "coverageFieldOfView": 0.1},
            {"id": "d", "name": "Off", "enabled": false}]}"#;
        let cameras = read(told.as_bytes(), None).unwrap();
        let seen = |camera: &SourceDescription| (camera.bearing_deg, camera.fov_deg, camera.range_m);
        let seen: Vec<_> = cameras.iter().map(seen).collect();
        let north = (Some(0.0), Some(36.0), None);
        assert_eq!(seen, [(None, None, None), (Some(270.0), Some(90.0), Some(12.5)), north]);
        assert_eq!(cameras[0].description, None);
    }
}
