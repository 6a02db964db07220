//! A point on the earth.

use serde::{Deserialize, Serialize};

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

    /// Whether it is a position on the globe.
    pub fn is_valid(self) -> bool {
        Self::checked(self.lat, self.lon).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_the_globe_is_refused() {
        assert!(Position::checked(90.0, -180.0).is_some());
        assert!(Position::checked(90.1, 0.0).is_none());
        assert!(Position::checked(0.0, 181.0).is_none());
        assert!(Position::checked(f64::NAN, 0.0).is_none());
    }
}
