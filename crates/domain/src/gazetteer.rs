//! Finds a place by what people call it: "5th & Main", "main and 5th street", "Founders Square".
//!
//! Built from the streets layer that an agency brings, as GeoJSON; where two streets cross is
//! computed, so the layer need not say.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::Position;

mod words;

use words::{Likeness, Name, Query};

/// A place with a name.
#[derive(Clone, Debug, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct Place {
    /// As the layer writes it; a crossing is written `5th Street & Main Avenue`.
    pub name: String,
    /// Where it is; the middle of what has an extent.
    pub position: Position,
}

/// Named places and the crossings of named streets.
#[derive(Debug, Default)]
pub struct Gazetteer {
    names: Vec<Name>,
    /// The middle of each.
    middles: Vec<Position>,
    crossings: Vec<Crossing>,
}

#[derive(Debug)]
struct Crossing {
    streets: [usize; 2],
    position: Position,
}

/// Two crossings of the same streets that are nearer than this, in metres, are one: a street with two
/// carriageways crosses another twice.
const SAME_CROSSING_M: f64 = 60.0;
/// A street that ends so near to another, in metres, meets it.
const TOUCH_M: f64 = 3.0;
/// Side of the squares, in metres, into which streets are sorted, so that only neighbours are compared.
const SQUARE_M: f64 = 150.0;

impl Gazetteer {
    /// Reads a GeoJSON feature collection. Lines with a name are streets, whatever else has a name is
    /// a place; what cannot be read is left out.
    pub fn from_geojson(layer: &Value) -> Self {
        let mut streets: BTreeMap<String, Vec<Vec<Position>>> = BTreeMap::new();
        let mut places: Vec<Place> = Vec::new();
        for feature in layer["features"].as_array().into_iter().flatten() {
            let Some(name) = name(&feature["properties"]) else { continue };
            let coordinates = &feature["geometry"]["coordinates"];
            match feature["geometry"]["type"].as_str() {
                Some("LineString") => streets.entry(name).or_default().push(line(coordinates)),
                Some("MultiLineString") => {
                    streets.entry(name).or_default().extend(coordinates.as_array().into_iter().flatten().map(line));
                }
                Some("Point") => places.extend(position(coordinates).map(|position| Place { name, position })),
                Some("Polygon") => {
                    places.extend(middle(&line(&coordinates[0])).map(|position| Place { name, position }))
                }
                Some("MultiPolygon") => {
                    places.extend(middle(&line(&coordinates[0][0])).map(|position| Place { name, position }))
                }
                _ => {}
            }
        }
        Self::new(streets, places)
    }

    fn new(streets: BTreeMap<String, Vec<Vec<Position>>>, places: Vec<Place>) -> Self {
        let mut found = Self::default();
        let mut segments = Vec::new();
        let origin = streets.values().flatten().flatten().next().copied();
        let Some(plane) = origin.map(Plane::at).or_else(|| places.first().map(|p| Plane::at(p.position))) else {
            return found;
        };
        for (name, lines) in streets {
            let Some(middle) =
                lines.iter().max_by_key(|line| line.len()).and_then(|line| line.get(line.len() / 2).copied())
            else {
                continue;
            };
            let street = found.names.len();
            for line in &lines {
                let points: Vec<_> = line.iter().map(|&p| plane.project(p)).collect();
                segments.extend(points.windows(2).map(|pair| Segment { street, ends: [pair[0], pair[1]] }));
            }
            found.names.push(Name::new(name));
            found.middles.push(middle);
        }
        found.crossings = crossings(&segments, &plane);
        for place in places {
            found.names.push(Name::new(place.name));
            found.middles.push(place.position);
        }
        found
    }

    /// The places that a text may mean, the likeliest first. Upper and lower case, accents, `St` and
    /// `Street`, the order of two streets and the end of the last word do not matter.
    pub fn find(&self, text: &str, limit: usize) -> Vec<Place> {
        let mut found = match Query::parse(text) {
            Query::Nothing => Vec::new(),
            Query::Place(words) => (0..self.names.len())
                .filter_map(|n| {
                    let likeness = self.names[n].likeness(&words)?;
                    Some((likeness, Place { name: self.names[n].text.clone(), position: self.middles[n] }))
                })
                .collect(),
            Query::Crossing(one, other) => self.find_crossings(&one, &other),
        };
        found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.name.cmp(&b.1.name)));
        found.truncate(limit);
        found.into_iter().map(|(_, place)| place).collect()
    }

    fn find_crossings(&self, one: &[String], other: &[String]) -> Vec<(Likeness, Place)> {
        let likenesses = |words| self.names.iter().map(|name| name.likeness(words)).collect::<Vec<_>>();
        let (ones, others) = (likenesses(one), likenesses(other));
        self.crossings
            .iter()
            .filter_map(|crossing| {
                let [a, b] = crossing.streets;
                let straight = ones[a].zip(others[b]).map(|(x, y)| (x + y, a, b));
                let swapped = ones[b].zip(others[a]).map(|(x, y)| (x + y, b, a));
                let (likeness, first, second) = straight.into_iter().chain(swapped).min()?;
                let name = format!("{} & {}", self.names[first].text, self.names[second].text);
                Some((likeness, Place { name, position: crossing.position }))
            })
            .collect()
    }
}

fn name(properties: &Value) -> Option<String> {
    const KEYS: [&str; 5] = ["name", "full_name", "fullname", "street_name", "label"];
    let properties = properties.as_object()?;
    KEYS.iter().find_map(|key| {
        let (_, value) = properties.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?;
        let text = value.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    })
}

fn position(coordinates: &Value) -> Option<Position> {
    Position::checked(coordinates[1].as_f64()?, coordinates[0].as_f64()?)
}

fn line(coordinates: &Value) -> Vec<Position> {
    coordinates.as_array().into_iter().flatten().filter_map(position).collect()
}

/// The middle of the box around a ring.
fn middle(ring: &[Position]) -> Option<Position> {
    let (south, north) = ends(ring.iter().map(|p| p.lat))?;
    let (west, east) = ends(ring.iter().map(|p| p.lon))?;
    Position::checked(f64::midpoint(south, north), f64::midpoint(west, east))
}

fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, v| Some(ends.map_or((v, v), |(low, high): (f64, f64)| (low.min(v), high.max(v)))))
}

type Point = [f64; 2];

/// Metres east and north of a place in the middle of it all; good for a city.
struct Plane {
    origin: Position,
    metres_per_degree: Point,
}

impl Plane {
    fn at(origin: Position) -> Self {
        Self { origin, metres_per_degree: [111_320.0 * origin.lat.to_radians().cos().max(0.01), 111_132.0] }
    }

    fn project(&self, p: Position) -> Point {
        [(p.lon - self.origin.lon) * self.metres_per_degree[0], (p.lat - self.origin.lat) * self.metres_per_degree[1]]
    }

    fn position(&self, [x, y]: Point) -> Option<Position> {
        Position::checked(
            self.origin.lat + y / self.metres_per_degree[1],
            self.origin.lon + x / self.metres_per_degree[0],
        )
    }
}

#[derive(Clone, Copy)]
struct Segment {
    street: usize,
    ends: [Point; 2],
}

impl Segment {
    /// The squares that the segment passes, and a few beside them.
    fn squares(&self) -> Vec<[i64; 2]> {
        let [[x0, y0], [x1, y1]] = self.ends;
        let steps = ((x1 - x0).hypot(y1 - y0) / (SQUARE_M / 2.0)).ceil().clamp(1.0, 10_000.0) as usize;
        let mut squares = Vec::new();
        for step in 0..=steps {
            let t = step as f64 / steps as f64;
            let (x, y) = (x0 + t * (x1 - x0), y0 + t * (y1 - y0));
            for margin in [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]] {
                let side = |v: f64, m: f64| ((v + m * SQUARE_M / 4.0) / SQUARE_M).floor() as i64;
                squares.push([side(x, margin[0]), side(y, margin[1])]);
            }
        }
        squares.sort_unstable();
        squares.dedup();
        squares
    }

    /// Where two segments cross or touch.
    fn meets(&self, other: &Self) -> Option<Point> {
        let ([a, b], [c, d]) = (self.ends, other.ends);
        let (r, s) = ([b[0] - a[0], b[1] - a[1]], [d[0] - c[0], d[1] - c[1]]);
        let across = r[0] * s[1] - r[1] * s[0];
        if across.abs() > 1e-9 {
            let t = ((c[0] - a[0]) * s[1] - (c[1] - a[1]) * s[0]) / across;
            let u = ((c[0] - a[0]) * r[1] - (c[1] - a[1]) * r[0]) / across;
            if (0.0..=1.0).contains(&t) && (0.0..=1.0).contains(&u) {
                return Some([a[0] + t * r[0], a[1] + t * r[1]]);
            }
        }
        self.ends
            .into_iter()
            .find(|&end| other.distance(end) <= TOUCH_M)
            .or_else(|| other.ends.into_iter().find(|&end| self.distance(end) <= TOUCH_M))
    }

    fn distance(&self, [x, y]: Point) -> f64 {
        let [[x0, y0], [x1, y1]] = self.ends;
        let (dx, dy) = (x1 - x0, y1 - y0);
        let length = dx * dx + dy * dy;
        let t = if length > 0.0 { (((x - x0) * dx + (y - y0) * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
        (x - x0 - t * dx).hypot(y - y0 - t * dy)
    }
}

fn crossings(segments: &[Segment], plane: &Plane) -> Vec<Crossing> {
    let mut squares: HashMap<[i64; 2], Vec<usize>> = HashMap::new();
    for (n, segment) in segments.iter().enumerate() {
        segment.squares().into_iter().for_each(|square| squares.entry(square).or_default().push(n));
    }
    let mut pairs: Vec<(usize, usize)> = squares
        .into_values()
        .flat_map(|near| {
            let pairs: Vec<_> =
                near.iter().enumerate().flat_map(|(i, &a)| near[i + 1..].iter().map(move |&b| (a, b))).collect();
            pairs
        })
        .filter(|&(a, b)| segments[a].street != segments[b].street)
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut found: BTreeMap<[usize; 2], Vec<Point>> = BTreeMap::new();
    for (a, b) in pairs {
        let Some(point) = segments[a].meets(&segments[b]) else { continue };
        let mut streets = [segments[a].street, segments[b].street];
        streets.sort_unstable();
        let points = found.entry(streets).or_default();
        if points.iter().all(|p| (p[0] - point[0]).hypot(p[1] - point[1]) > SAME_CROSSING_M) {
            points.push(point);
        }
    }
    found
        .into_iter()
        .flat_map(|(streets, points)| points.into_iter().map(move |point| (streets, point)))
        .filter_map(|(streets, point)| Some(Crossing { streets, position: plane.position(point)? }))
        .collect()
}

#[cfg(test)]
mod tests;
