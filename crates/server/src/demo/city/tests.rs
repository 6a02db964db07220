use std::collections::HashSet;

use domain::gazetteer::Gazetteer;

use super::*;

fn metres(a: Position, b: Position) -> f64 {
    ((a.lat - b.lat) * 111_132.0).hypot((a.lon - b.lon) * 111_320.0 * a.lat.to_radians().cos())
}

#[test]
fn the_layer_is_the_same_each_time_and_of_a_believable_size() {
    let layer = streets_layer();
    assert_eq!(layer, streets_layer());
    let count =
        |kind: &str| layer["features"].as_array().unwrap().iter().filter(|f| f["properties"]["kind"] == kind).count();
    assert!((400..1500).contains(&count("building")), "{} buildings", count("building"));
    assert!(count("street") > 22 && count("park") == 3 && count("water") == 2 && count("label") == 6);
    assert!(layer.to_string().len() < 1_000_000);
}

#[test]
fn every_corner_is_found_by_its_name_beside_its_camera() {
    let gazetteer = Gazetteer::from_geojson(&streets_layer());
    assert_eq!(gazetteer.find("5th & Main", 1)[0].name, "5th Street & Main Avenue");
    for name in
        ["Founders Square", "Harbor Mall", "Central Station", "Ansel River", "4th & River Road", "Ferry & Maple"]
    {
        assert!(!gazetteer.find(name, 1).is_empty(), "{name}");
    }
    for camera in cameras().iter().filter(|c| c.owner == Owner::Police) {
        let place = gazetteer.find(&camera.address, 1).pop().unwrap_or_else(|| panic!("{} is nowhere", camera.address));
        assert!(metres(place.position, camera.position) < 15.0, "{}", camera.name);
    }
}

#[test]
fn streets_stop_where_something_stands() {
    let gazetteer = Gazetteer::from_geojson(&streets_layer());
    assert!(gazetteer.find("9th & Union", 1).is_empty());
    assert_eq!(gazetteer.find("11th & Main", 1).len(), 1);
}

#[test]
fn cameras_are_many_and_different() {
    let cameras = cameras();
    assert!(cameras.len() >= 60, "{}", cameras.len());
    let distinct = |of: fn(&Mounted) -> &str| cameras.iter().map(of).collect::<HashSet<_>>().len();
    assert_eq!(distinct(|c| &c.device), cameras.len());
    assert_eq!(distinct(|c| &c.name), cameras.len());
    for owner in Owner::ALL {
        let own = cameras.iter().filter(|c| c.owner == owner);
        let recorded = own.clone().filter(|c| c.recorded.is_some()).count();
        assert_eq!(recorded, if owner == Owner::Mall { 0 } else { 4 });
        assert!(own.count() >= 12);
    }
    assert!(cameras.iter().any(|c| !c.published));
    assert!(cameras.iter().all(|c| c.published || c.recorded.is_none()));
    assert!(cameras.iter().any(|c| c.name == "5th & Main, NW corner" && c.recorded.is_some()));
    assert!(cameras.iter().all(|c| c.position.is_valid() && (0.0..360.0).contains(&c.bearing_deg)));
}
