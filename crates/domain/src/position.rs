//! A point on the earth.

use serde::{Deserialize, Serialize};

/// The mean radius of the earth.
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// WGS 84 degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Position {
    /// Latitude, north positive.
    #[schema(minimum = -90, maximum = 90)]
    pub lat: f64,
    /// Longitude, east positive.
    #[schema(minimum = -180, maximum = 180)]
    pub lon: f64,
}

impl Position {
    /// A position on the globe: latitude within ±90°, longitude within ±180°, neither of them NaN.
    pub fn checked(lat: f64, lon: f64) -> Option<Self> {
        ((-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon)).then_some(Self { lat, lon })
    }

    /// Metres to another position, along the sphere (haversine).
    pub fn distance_m(self, other: Self) -> f64 {
        let (lat, other_lat) = (self.lat.to_radians(), other.lat.to_radians());
        let (half_lat, half_lon) = ((other_lat - lat) / 2.0, (other.lon - self.lon).to_radians() / 2.0);
        let h = half_lat.sin().powi(2) + lat.cos() * other_lat.cos() * half_lon.sin().powi(2);
        2.0 * EARTH_RADIUS_M * h.sqrt().min(1.0).asin()
    }

    /// Whether it is a position on the globe.
    pub fn is_valid(self) -> bool {
        Self::checked(self.lat, self.lon).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_along_the_sphere() {
        let at = |lat, lon| Position { lat, lon };
        let degree = EARTH_RADIUS_M.to_radians();
        assert!((at(0.0, 0.0).distance_m(at(0.0, 1.0)) - degree).abs() < 0.01);
        assert!((at(0.0, 179.5).distance_m(at(0.0, -179.5)) - degree).abs() < 0.01, "across the date line");
        assert!((at(90.0, 0.0).distance_m(at(89.0, 77.0)) - degree).abs() < 0.01, "from the pole");
        assert!((at(60.0, 0.0).distance_m(at(60.0, 1.0)) - degree / 2.0).abs() < 10.0);
    }

    #[test]
    fn off_the_globe_is_refused() {
        assert!(Position::checked(90.0, -180.0).is_some());
        assert!(Position::checked(90.1, 0.0).is_none());
        assert!(Position::checked(0.0, 181.0).is_none());
        assert!(Position::checked(f64::NAN, 0.0).is_none());
    }
}
