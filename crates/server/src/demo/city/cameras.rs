//! Who watches what.

use domain::Position;

use super::super::footage::View;
use super::{bearing, plan, position};

/// Whom a camera belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The agency that runs the installation.
    Police,
    /// Buses and trains.
    Transit,
    /// A shopping centre.
    Mall,
}

impl Owner {
    /// Everyone.
    pub const ALL: [Self; 3] = [Self::Police, Self::Transit, Self::Mall];

    /// The name of the organization.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Police => "Port Ansel Police Department",
            Self::Transit => "Ansel Valley Transit",
            Self::Mall => "Harbor Mall",
        }
    }

    /// The domain of its people's addresses.
    pub const fn mail_domain(self) -> &'static str {
        match self {
            Self::Police => "police.portansel.example",
            Self::Transit => "transit.portansel.example",
            Self::Mall => "harbormall.example",
        }
    }
}

/// A camera and how it hangs.
#[derive(Clone, Debug)]
pub struct Mounted {
    /// Its id in the system that it belongs to.
    pub device: String,
    /// What people call it.
    pub name: String,
    /// Whom it belongs to.
    pub owner: Owner,
    /// Where it is.
    pub position: Position,
    /// The nearest crossing, or the house.
    pub address: String,
    /// Where it looks.
    pub bearing_deg: f64,
    /// How wide it sees.
    pub fov_deg: f64,
    /// How far it sees.
    pub range_m: f64,
    /// How high it hangs.
    pub height_m: f64,
    /// `fixed`, `panning` or `dome`.
    pub kind: &'static str,
    /// Words to find it by.
    pub tags: Vec<&'static str>,
    /// How long its recordings are kept.
    pub retention_hours: i64,
    /// Whether those who may search see it.
    pub published: bool,
    /// Its picture, if one of the demo's recorders really records it.
    pub recorded: Option<View>,
}

impl Mounted {
    /// What it looks at.
    pub fn view(&self) -> View {
        let outside = self.owner == Owner::Police
            || ["Stop", "Bridge", "stand", "parking", "door", "dock"].iter().any(|word| self.name.contains(word));
        if outside { View::Street } else { View::Concourse }
    }
}

/// A corner of a crossing: its name, and which way it lies from the middle.
const CORNERS: [(&str, [f64; 2]); 4] =
    [("NE", [1.0, 1.0]), ("SE", [1.0, -1.0]), ("SW", [-1.0, -1.0]), ("NW", [-1.0, 1.0])];
/// Corners whose cameras are really recorded: street, avenue, corner.
const RECORDED: [(usize, usize, usize); 4] = [(5, 1, 3), (6, 2, 1), (4, 0, 0), (7, 1, 2)];

/// Every camera of the city.
pub fn cameras() -> Vec<Mounted> {
    let mut all: Vec<Mounted> = RECORDED
        .iter()
        .map(|&(street, avenue, corner)| Mounted { recorded: Some(View::Street), ..at_corner(street, avenue, corner) })
        .collect();
    for street in 1..=12 {
        for avenue in 0..plan::AVENUE_COUNT {
            let closed = (9 == street && avenue == 4) || (avenue == 5 && street < 3) || (avenue == 7 && street > 10);
            let corner = (street * 5 + avenue * 3) % 4;
            if (street + 2 * avenue) % 3 == 0 && !closed && !RECORDED.contains(&(street, avenue, corner)) {
                let camera = at_corner(street, avenue, corner);
                // Not everything that hangs is shown to those who search.
                all.push(Mounted { published: (street, avenue) != (3, 3) && (street, avenue) != (10, 7), ..camera });
            }
        }
    }
    all.extend(transit());
    all.extend(mall());
    all
}

fn at_corner(street: usize, avenue: usize, corner: usize) -> Mounted {
    let (corner_name, [east, north]) = CORNERS[corner];
    let name = format!("{} & {}, {corner_name} corner", plan::ordinal(street), plan::avenue_name(avenue));
    // Along one of the two streets, across the crossing.
    let along = if (street + avenue).is_multiple_of(2) {
        if east > 0.0 { 270.0 } else { 90.0 }
    } else if north > 0.0 {
        180.0
    } else {
        0.0
    };
    let panning = (street * 7 + avenue).is_multiple_of(5);
    Mounted {
        device: format!("pd-{street:02}-{}-{}", plan::avenue_name(avenue).to_lowercase(), corner_name.to_lowercase()),
        name,
        owner: Owner::Police,
        position: position([plan::street(street) + 8.0 * east, plan::avenue(avenue) + 8.0 * north]),
        address: format!("{} Street & {} Avenue", plan::ordinal(street), plan::avenue_name(avenue)),
        bearing_deg: bearing(along),
        fov_deg: if panning { 60.0 } else { 75.0 },
        range_m: if panning { 120.0 } else { 70.0 },
        height_m: 6.5,
        kind: if panning { "panning" } else { "fixed" },
        tags: vec!["street", "traffic"],
        retention_hours: 2,
        published: true,
        recorded: None,
    }
}

/// A camera of an organization at a place of the grid, looking along the grid.
fn mounted(owner: Owner, n: usize, name: &str, at: [f64; 2], looks: f64, address: &str) -> Mounted {
    let (prefix, tag) = match owner {
        Owner::Police => ("pd", "street"),
        Owner::Transit => ("tr", "transit"),
        Owner::Mall => ("mall", "mall"),
    };
    Mounted {
        device: format!("{prefix}-{n:02}"),
        name: name.to_owned(),
        owner,
        position: position(at),
        address: address.to_owned(),
        bearing_deg: bearing(looks),
        fov_deg: 90.0,
        range_m: 40.0,
        height_m: 4.0,
        kind: if n.is_multiple_of(3) { "dome" } else { "fixed" },
        tags: vec![tag],
        retention_hours: if owner == Owner::Mall { 720 } else { 2 },
        published: true,
        recorded: None,
    }
}

fn transit() -> Vec<Mounted> {
    let (west, south) = (plan::street(1), plan::avenue(1));
    let station = "Central Station, 1st Street & Main Avenue";
    let mut all: Vec<Mounted> = [
        ("Central Station, main hall", [58.0, 40.0], 270.0),
        ("Central Station, platform 1", [30.0, 72.0], 90.0),
        ("Central Station, platform 2", [30.0, 80.0], 90.0),
        ("Central Station, ticket machines", [80.0, 34.0], 0.0),
        ("Central Station, taxi stand", [54.0, 12.0], 180.0),
        ("Central Station, bicycle garage", [92.0, 84.0], 225.0),
    ]
    .into_iter()
    .zip(1..)
    .map(|((name, [u, v], looks), n)| mounted(Owner::Transit, n, name, [west + u, south + v], looks, station))
    .collect();
    for camera in &mut all[..4] {
        camera.recorded = Some(View::Concourse);
    }
    for (n, street) in [2, 3, 4, 6, 8, 9, 10, 12].into_iter().enumerate() {
        let (avenue, looks) = if n % 2 == 0 { (1, 90.0) } else { (3, 270.0) };
        let at = [plan::street(street) + 16.0, plan::avenue(avenue) - 9.0];
        let (short, line) = (plan::ordinal(street), plan::avenue_name(avenue));
        all.push(mounted(
            Owner::Transit,
            7 + n,
            &format!("Stop {short} & {line}"),
            at,
            looks,
            &format!("{short} Street & {line} Avenue"),
        ));
    }
    for (n, street) in [4, 9].into_iter().enumerate() {
        let name = format!("{} Street Bridge", plan::ordinal(street));
        all.push(mounted(
            Owner::Transit,
            15 + n,
            &name,
            [plan::street(street) + 5.0, -200.0],
            180.0,
            &format!("{} Street & River Road", plan::ordinal(street)),
        ));
    }
    all
}

fn mall() -> Vec<Mounted> {
    let (west, south) = (plan::street(10), plan::avenue(0));
    [
        ("Mall, north door", [110.0, 84.0], 0.0),
        ("Mall, south door", [96.0, 12.0], 180.0),
        ("Mall, west door", [12.0, 48.0], 270.0),
        ("Mall, east door", [214.0, 60.0], 90.0),
        ("Mall, food court", [70.0, 52.0], 90.0),
        ("Mall, atrium", [110.0, 50.0], 270.0),
        ("Mall, jeweller", [130.0, 70.0], 180.0),
        ("Mall, parking level 1", [160.0, 30.0], 225.0),
        ("Mall, parking level 2", [160.0, 36.0], 45.0),
        ("Mall, loading dock", [190.0, 20.0], 180.0),
        ("Mall, cash office", [140.0, 44.0], 0.0),
        ("Mall, parking exit", [176.0, 14.0], 135.0),
    ]
    .into_iter()
    .zip(1..)
    .map(|((name, [u, v], looks), n)| Mounted {
        published: name != "Mall, cash office",
        ..mounted(Owner::Mall, n, name, [west + u, south + v], looks, "Harbor Mall, 11th Street & Main Avenue")
    })
    .collect()
}
