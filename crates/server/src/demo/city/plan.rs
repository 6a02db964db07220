//! Streets, parks and the river.

use super::Point;

/// East of 6th Street, for 1st to 12th.
const STREETS: [f64; 12] = [-548.0, -441.0, -338.0, -212.0, -106.0, 0.0, 118.0, 224.0, 321.0, 441.0, 547.0, 668.0];
/// North of Main Avenue.
const AVENUES: [(&str, f64); 8] = [
    ("Front", -96.0),
    ("Main", 0.0),
    ("Oak", 104.0),
    ("Maple", 192.0),
    ("Union", 301.0),
    ("Cedar", 398.0),
    ("Park", 487.0),
    ("Summit", 602.0),
];
const WEST: f64 = -640.0;
const EAST: f64 = 760.0;

/// A street, or a part of one.
pub(super) struct Street {
    pub(super) name: String,
    pub(super) points: Vec<Point>,
}

/// A named area.
pub(super) struct Area {
    pub(super) name: &'static str,
    pub(super) outline: Vec<Point>,
}

/// Something that fills several blocks, so that streets stop at it: from street to street, from avenue
/// to avenue.
struct Closed {
    streets: [usize; 2],
    avenues: [usize; 2],
}

const HARBOR_PARK: Closed = Closed { streets: [8, 10], avenues: [3, 5] };
const MALL: Closed = Closed { streets: [10, 12], avenues: [0, 1] };
const SQUARE: Closed = Closed { streets: [5, 6], avenues: [1, 2] };

/// Where a numbered street (1 to 12) stands.
pub(super) fn street(number: usize) -> f64 {
    STREETS[number - 1]
}

/// Where an avenue (0 to 7, from the south) stands.
pub(super) fn avenue(index: usize) -> f64 {
    AVENUES[index].1
}

/// How many avenues there are.
pub(super) const AVENUE_COUNT: usize = AVENUES.len();

/// What an avenue is called for short.
pub(super) fn avenue_name(index: usize) -> &'static str {
    AVENUES[index].0
}

/// What a numbered street is called for short.
pub(super) fn ordinal(number: usize) -> String {
    let ending = match number {
        1 => "st",
        2 => "nd",
        3 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn closed(number: usize, index: usize, vertical: bool) -> bool {
    [HARBOR_PARK, MALL].iter().any(|c| {
        let ([west, east], [south, north]) = (c.streets, c.avenues);
        if vertical {
            west < number && number < east && south <= index && index < north
        } else {
            south < index && index < north && west <= number && number < east
        }
    })
}

/// North edge of the river.
fn bank(u: f64) -> f64 {
    -236.0 + 26.0 * (u / 260.0).sin() + 9.0 * (u / 90.0).cos()
}

/// Where River Road runs.
pub(super) fn river_road(u: f64) -> f64 {
    bank(u) + 44.0
}

/// Every street, in parts where something stands in its way.
pub(super) fn streets() -> Vec<Street> {
    let mut all = Vec::new();
    for number in 1..=12 {
        let u = street(number);
        let mut part = match number {
            // Bridges.
            4 | 9 => vec![[u, -460.0], [u, river_road(u)]],
            _ => vec![[u, river_road(u)]],
        };
        for index in 0..AVENUE_COUNT {
            part.push([u, avenue(index)]);
            if closed(number, index, true) {
                finish(&mut all, format!("{} Street", ordinal(number)), &mut part);
            }
        }
        if number % 3 != 0 {
            part.push([u, avenue(AVENUE_COUNT - 1) + 70.0]);
        }
        finish(&mut all, format!("{} Street", ordinal(number)), &mut part);
    }
    for index in 0..AVENUE_COUNT {
        // Cedar begins at 3rd Street, Summit ends at 10th.
        let (first, last) = match avenue_name(index) {
            "Cedar" => (3, 12),
            "Summit" => (1, 10),
            _ => (1, 12),
        };
        let name = format!("{} Avenue", avenue_name(index));
        let mut part = if first == 1 { vec![[WEST, avenue(index) - 6.0]] } else { Vec::new() };
        for number in first..=last {
            part.push([street(number), avenue(index)]);
            if number < 12 && closed(number, index, false) {
                finish(&mut all, name.clone(), &mut part);
            }
        }
        if last == 12 {
            part.push([EAST, avenue(index) + 8.0]);
        }
        finish(&mut all, name, &mut part);
    }
    let along = |offset: f64| {
        (0..=28).map(|n| WEST + (EAST - WEST) * f64::from(n) / 28.0).map(|u| [u, bank(u) + offset]).collect()
    };
    all.push(Street { name: "River Road".to_owned(), points: along(44.0) });
    all.push(Street { name: "South Bank Drive".to_owned(), points: along(-172.0) });
    all.push(Street { name: "Ferry Road".to_owned(), points: diagonal().to_vec() });
    all
}

/// Ends a part of a street; the next begins behind what stands in the way.
fn finish(all: &mut Vec<Street>, name: String, part: &mut Vec<Point>) {
    if part.len() > 1 {
        all.push(Street { name, points: part.clone() });
    }
    part.clear();
}

/// Cuts across the grid.
pub(super) fn diagonal() -> [Point; 2] {
    [[-640.0, 96.0], [-66.0, 672.0]]
}

fn block(closed: &Closed) -> [Point; 4] {
    let [west, east] = closed.streets.map(street);
    let [south, north] = closed.avenues.map(avenue);
    let edge = 10.0;
    [[west + edge, south + edge], [east - edge, south + edge], [east - edge, north - edge], [west + edge, north - edge]]
}

/// Green areas.
pub(super) fn parks() -> Vec<Area> {
    let strip = (0..=28).map(|n| WEST + (EAST - WEST) * f64::from(n) / 28.0);
    let riverside = strip.clone().map(|u| [u, bank(u) + 34.0]).chain(strip.rev().map(|u| [u, bank(u)])).collect();
    vec![
        Area { name: "Harbor Park", outline: block(&HARBOR_PARK).to_vec() },
        Area { name: "Founders Square", outline: block(&SQUARE).to_vec() },
        Area { name: "Riverside Walk", outline: riverside },
    ]
}

/// The river and a pond.
pub(super) fn waters() -> Vec<Area> {
    let steps = (0..=40).map(|n| WEST - 260.0 + (EAST - WEST + 520.0) * f64::from(n) / 40.0);
    let river = steps
        .clone()
        .map(|u| [u, bank(u)])
        .chain(steps.rev().map(|u| [u, bank(u) - 118.0 - 14.0 * (u / 200.0).sin()]))
        .collect();
    let [centre_u, centre_v] =
        [f64::midpoint(street(8), street(10)) + 20.0, f64::midpoint(avenue(3), avenue(5)) - 14.0];
    let pond = (0..24)
        .map(|n| f64::from(n) * std::f64::consts::TAU / 24.0)
        .map(|a| {
            [centre_u + (46.0 + 7.0 * (3.0 * a).sin()) * a.cos(), centre_v + (28.0 + 4.0 * (2.0 * a).cos()) * a.sin()]
        })
        .collect();
    vec![Area { name: "Ansel River", outline: river }, Area { name: "Swan Pond", outline: pond }]
}

/// Whether a block between this street and the next, this avenue and the next is no ordinary one.
pub(super) fn is_special(number: usize, index: usize) -> bool {
    [HARBOR_PARK, MALL, SQUARE]
        .iter()
        .any(|c| (c.streets[0]..c.streets[1]).contains(&number) && (c.avenues[0]..c.avenues[1]).contains(&index))
}

/// The outline of the mall.
pub(super) fn mall() -> Vec<Point> {
    let [a, b, c, d] = block(&MALL);
    let inset = |p: Point, x: f64, y: f64| [p[0] + x, p[1] + y];
    vec![
        inset(a, 4.0, 4.0),
        inset(b, -52.0, 4.0),
        inset(b, -52.0, 22.0),
        inset(b, -4.0, 22.0),
        inset(c, -4.0, -4.0),
        inset(d, 4.0, -4.0),
    ]
}

/// Names to write on the map.
pub(super) fn labels() -> Vec<(&'static str, Point)> {
    vec![
        (super::NAME, [-160.0, 250.0]),
        ("Old Town", [-390.0, 50.0]),
        ("Northside", [180.0, 545.0]),
        ("Central Station", [f64::midpoint(street(1), street(2)), f64::midpoint(avenue(1), avenue(2))]),
        ("City Hall", [f64::midpoint(street(6), street(7)), f64::midpoint(avenue(1), avenue(2))]),
        ("Harbor Mall", [f64::midpoint(street(10), street(12)), f64::midpoint(avenue(0), avenue(1))]),
    ]
}
