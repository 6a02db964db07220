//! Where things are: S2 leaf cells in a BIGINT column. A region is covered by a few ranges of cells,
//! which an index finds on both databases; an exact test follows.

use domain::position::{EARTH_RADIUS_M, Position};
use s2::cap::Cap;
use s2::cellid::CellID;
use s2::latlng::LatLng;
use s2::point::Point;
use s2::rect::Rect;
use s2::region::RegionCoverer;
use s2::s1::{Angle, Rad};

use crate::Sql;

/// The part of the earth between two meridians and two parallels. West of the date line and east of it at once where
/// `west > east`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Western edge, degrees.
    pub west: f64,
    /// Southern edge.
    pub south: f64,
    /// Eastern edge.
    pub east: f64,
    /// Northern edge.
    pub north: f64,
}

impl Bounds {
    /// Whether a position lies in it, edges included.
    pub fn contains(&self, position: Position) -> bool {
        let Position { lat, lon } = position;
        let between = if self.west <= self.east {
            self.west <= lon && lon <= self.east
        } else {
            lon >= self.west || lon <= self.east
        };
        between && self.south <= lat && lat <= self.north
    }
}

/// The leaf cell of a position, such that the order of cells is the order of the numbers.
pub fn cell(position: Position) -> i64 {
    key(CellID::from(LatLng::from_degrees(position.lat, position.lon)))
}

fn key(id: CellID) -> i64 {
    (id.0 ^ (1 << 63)).cast_signed()
}

/// More cells fit a region better and make more ranges to look through.
const MOST_CELLS: usize = 16;

fn ranges(region: &(impl s2::region::Region + 'static)) -> Vec<(i64, i64)> {
    let coverer = RegionCoverer { min_level: 0, max_level: 30, level_mod: 1, max_cells: MOST_CELLS };
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for id in &coverer.covering(region).0 {
        let (first, last) = (key(id.range_min()), key(id.range_max()));
        match ranges.last_mut().filter(|(_, end)| end.saturating_add(2) >= first) {
            Some((_, end)) => *end = last,
            None => ranges.push((first, last)),
        }
    }
    ranges
}

/// Ranges of cells that hold everything within a radius, and some more.
pub(crate) fn around(center: Position, radius_m: f64) -> Vec<(i64, i64)> {
    let point = Point::from(LatLng::from_degrees(center.lat, center.lon));
    // A thousandth more, so that rounding cannot lose the rim.
    let angle = Angle::from(Rad((radius_m / EARTH_RADIUS_M * 1.001).min(std::f64::consts::PI)));
    ranges(&Cap::from_center_angle(&point, &angle))
}

/// Ranges of cells that hold everything within the bounds, and some more.
pub(crate) fn within(bounds: Bounds) -> Vec<(i64, i64)> {
    ranges(&Rect::from_degrees(bounds.south, bounds.west, bounds.north, bounds.east))
}

/// Appends `(column BETWEEN … OR …)`.
pub(crate) fn push_ranges(sql: &mut Sql, column: &'static str, ranges: &[(i64, i64)]) {
    sql.push("(1 = 0");
    for (first, last) in ranges {
        sql.push(" OR ").push(column).push(" BETWEEN ").bind(*first).push(" AND ").bind(*last);
    }
    sql.push(")");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lon: f64) -> Position {
        Position { lat, lon }
    }

    fn found(ranges: &[(i64, i64)], position: Position) -> bool {
        let cell = cell(position);
        ranges.iter().any(|(first, last)| (*first..=*last).contains(&cell))
    }

    #[test]
    fn cells_are_the_published_ones() {
        // s2cell of Google's own library: token 47a1cbd595522b39 and 89c2584543b8c5ad at level 30.
        let id = CellID::from(LatLng::from_degrees(49.703_498_679, 11.770_681_595));
        assert_eq!(id.to_token(), "47a1cbd595522b39");
        assert_eq!(cell(at(49.703_498_679, 11.770_681_595)), (0x47a1_cbd5_9552_2b39_u64 ^ (1 << 63)).cast_signed());
    }

    proptest! {
        #[test]
        fn nothing_in_the_radius_is_lost(lat in -90.0..90.0f64, lon in -180.0..180.0f64, bearing in 0.0..360.0f64, radius in 1.0..200_000.0f64, part in 0.0..1.0f64) {
            let center = at(lat, lon);
            // A point at the bearing and a part of the radius.
            let (angle, bearing) = (radius * part / EARTH_RADIUS_M, bearing.to_radians());
            let there_lat = (lat.to_radians().sin() * angle.cos() + lat.to_radians().cos() * angle.sin() * bearing.cos()).asin();
            let east = bearing.sin() * angle.sin() * lat.to_radians().cos();
            let there_lon = lon.to_radians() + east.atan2(angle.cos() - lat.to_radians().sin() * there_lat.sin());
            let there = at(there_lat.to_degrees(), (there_lon.to_degrees() + 540.0).rem_euclid(360.0) - 180.0);
            prop_assume!(center.distance_m(there) <= radius);
            prop_assert!(found(&around(center, radius), there));
        }

        #[test]
        fn nothing_in_the_box_is_lost(west in -180.0..180.0f64, width in 0.0..90.0f64, south in -89.0..80.0f64, height in 0.0..9.0f64, x in 0.0..=1.0f64, y in 0.0..=1.0f64) {
            let wrap = |lon: f64| if lon > 180.0 { lon - 360.0 } else { lon };
            let bounds = Bounds { west, south, east: wrap(west + width), north: south + height };
            let there = at(south + y * height, wrap(west + x * width));
            prop_assume!(bounds.contains(there));
            prop_assert!(found(&within(bounds), there));
        }
    }

    #[test]
    fn a_covering_is_small() {
        let ranges = around(at(47.37, 8.54), 2_000.0);
        assert!(ranges.len() <= MOST_CELLS && !ranges.is_empty());
        assert!(!found(&ranges, at(47.5, 8.54)), "14 km away");
        assert_eq!(around(at(0.0, 0.0), 30_000_000.0).iter().filter(|_| true).count(), 1, "the whole earth");
    }
}
