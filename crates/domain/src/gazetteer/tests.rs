use serde_json::json;

use super::*;

fn street(name: &str, points: &[[f64; 2]]) -> Value {
    let coordinates: Vec<_> = points.iter().map(|[x, y]| [-122.0 + x / 1000.0, 47.0 + y / 1000.0]).collect();
    json!({"type": "Feature", "properties": {"kind": "street", "name": name}, "geometry": {"type": "LineString", "coordinates": coordinates}})
}

fn town() -> Gazetteer {
    let mut features = vec![
        street("Main Avenue", &[[0.0, 2.0], [6.0, 2.0]]),
        street("Maple Avenue", &[[0.0, 4.0], [6.0, 4.0]]),
        street("Ferry Road", &[[0.0, 0.0], [6.0, 6.0]]),
        street("Müller Straße", &[[0.0, 5.0], [6.0, 5.0]]),
        // Ends in a T at Main, a metre short of it.
        street("Short Street", &[[3.5, 0.0], [3.5, 1.99]]),
        json!({"type": "Feature", "properties": {"NAME": "Founders Square"}, "geometry": {"type": "Polygon", "coordinates": [[[-122.0, 47.0], [-121.99, 47.0], [-121.99, 47.01], [-122.0, 47.01], [-122.0, 47.0]]]}}),
        json!({"type": "Feature", "properties": null, "geometry": null}),
    ];
    for (n, name) in ["1st Street", "2nd Street", "3rd Street", "5th Street", "11th Street"].into_iter().enumerate() {
        let x = n as f64 + 1.0;
        features.push(street(name, &[[x, 0.0], [x, 3.0], [x, 6.0]]));
    }
    Gazetteer::from_geojson(&json!({"type": "FeatureCollection", "features": features}))
}

fn first(text: &str) -> String {
    town().find(text, 5).first().map_or_else(|| "nothing".to_owned(), |place| place.name.clone())
}

#[test]
fn a_crossing_is_found_however_it_is_written() {
    for text in [
        "5th & Main",
        "5TH&MAIN",
        "5 and main",
        "fifth at main",
        "5th street / main avenue",
        "5th St. @ Main Ave",
        "5th & Mai",
        "5th & main street",
        "corner of 5th and Main",
    ] {
        assert_eq!(first(text), "5th Street & Main Avenue", "{text}");
    }
    assert_eq!(first("Main and 5th Street"), "Main Avenue & 5th Street");
    let place = town().find("5th & Main", 1).remove(0);
    assert!((place.position.lon - -121.996).abs() < 1e-9 && (place.position.lat - 47.002).abs() < 1e-9);
}

#[test]
fn the_beginning_of_a_name_is_enough() {
    let names: Vec<_> = town().find("5th & Ma", 5).into_iter().map(|p| p.name).collect();
    assert_eq!(names, ["5th Street & Main Avenue", "5th Street & Maple Avenue"]);
    assert_eq!(town().find("5th &", 9).len(), 4);
    assert_eq!(first("1 & main"), "1st Street & Main Avenue");
    assert_eq!(first("11 & main"), "11th Street & Main Avenue");
}

#[test]
fn streets_squares_and_accents() {
    assert_eq!(first("founders"), "Founders Square");
    assert_eq!(first("Square"), "Founders Square");
    assert_eq!(first("muller"), "Müller Straße");
    assert_eq!(first("main"), "Main Avenue");
    assert_eq!(first("ferry & maple"), "Ferry Road & Maple Avenue");
    assert_eq!(first("short & main"), "Short Street & Main Avenue");
}

#[test]
fn what_is_not_there_is_not_found() {
    for text in ["", " & ", "&&&", "7th & Main", "main & maple", "zzz", "short & maple"] {
        assert_eq!(first(text), "nothing", "{text}");
    }
    assert!(Gazetteer::from_geojson(&json!({"features": 3})).find("main", 5).is_empty());
}
