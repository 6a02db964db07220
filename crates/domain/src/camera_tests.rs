use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn window(from: i64, to: i64) -> Window {
    Window::checked(at(from), at(to)).unwrap()
}

fn camera() -> Camera {
    let mut camera =
        Camera::new(CameraId::new(at(0), [1; 10]), OrganizationId::new(at(0), [2; 10]), "Transit".into(), at(0));
    camera.change(change(r#"{"name": "North door", "published": true}"#), at(0)).unwrap();
    camera
}

fn change(json: &str) -> Change {
    serde_json::from_str(json).unwrap()
}

#[test]
fn null_empties_and_what_is_left_out_stays() {
    let mut camera = camera();
    camera
        .change(change(r#"{"bearing_deg": 90, "address": "5th & Main", "tags": ["door", " Door "]}"#), at(1))
        .unwrap();
    assert_eq!(camera.facts.tags, ["door"]);
    let changed = camera.change(change(r#"{"bearing_deg": null, "tags": null}"#), at(2)).unwrap();
    assert_eq!(changed, ["bearing_deg", "tags"]);
    assert_eq!((camera.facts.bearing_deg, camera.facts.address.as_deref()), (None, Some("5th & Main")));
    assert_eq!(camera.updated_at, at(2));
}

#[test]
fn each_wrong_field_is_named_and_nothing_is_taken_over() {
    let mut camera = camera();
    let before = camera.clone();
    let wrong = r#"{"name": " ", "bearing_deg": 360, "fov_deg": 0, "tilt_deg": 91, "range_m": 0, "retention_hours": 0,
        "position": {"lat": 91, "lon": 0}, "clock_uncertainty_ms": -1, "mounting_height_m": 2000}"#;
    let Invalid(errors) = camera.change(change(wrong), at(1)).unwrap_err();
    let mut pointers: Vec<_> = errors.iter().map(|e| e.pointer.as_str()).collect();
    pointers.sort_unstable();
    let expected = [
        "/bearing_deg",
        "/clock_uncertainty_ms",
        "/fov_deg",
        "/mounting_height_m",
        "/name",
        "/position",
        "/range_m",
        "/retention_hours",
        "/tilt_deg",
    ];
    assert_eq!(pointers, expected);
    assert_eq!(camera, before);
    assert!(serde_json::from_str::<Change>(r#"{"colour": "red"}"#).is_err(), "an unknown field is refused");
}

#[test]
fn the_office_has_the_last_word() {
    let mut camera =
        Camera::new(CameraId::new(at(0), [1; 10]), OrganizationId::new(at(0), [2; 10]), "Transit".into(), at(0));
    camera.describe(change(r#"{"name": "cam-7", "bearing_deg": 10}"#), at(1)).unwrap();
    assert!(camera.published);
    camera.change(change(r#"{"name": "North door", "published": false}"#), at(2)).unwrap();
    let changed = camera.describe(change(r#"{"name": "cam-7b", "bearing_deg": 20}"#), at(3)).unwrap();
    assert_eq!(changed, ["bearing_deg"]);
    assert_eq!(camera.facts.name, "North door");
    assert!(!camera.published);
    assert_eq!(camera.origins["name"], Origin::Office);
    assert_eq!(camera.origins["bearing_deg"], Origin::Connector);
}

#[test]
fn the_clock_is_that_of_the_connector_where_there_is_one() {
    let mut camera = camera();
    camera.change(change(r#"{"clock_offset_ms": 4000, "clock_uncertainty_ms": 500}"#), at(1)).unwrap();
    assert_eq!((camera.clock_by(), camera.clock()), (Origin::Office, (Some(4_000), Some(500))));
    let id = ConnectorId::new(at(0), [3; 10]);
    let behind = Behind { id, name: "depot".into(), last_seen_at: None, revoked_at: None };
    camera.connector = Some(behind.clone());
    assert_eq!((camera.clock_by(), camera.clock()), (Origin::Connector, (None, None)), "it exports by its own");
    let Invalid(errors) = camera.change(change(r#"{"clock_offset_ms": 4000, "site": "x"}"#), at(2)).unwrap_err();
    assert_eq!(errors[0].pointer, "/clock_offset_ms");
    assert!(camera.change(change(r#"{"clock_offset_ms": null, "site": "x"}"#), at(2)).is_ok(), "as it is shown");
    let mut told = camera.clone();
    told.describe(change(r#"{"clock_offset_ms": 1500}"#), at(3)).unwrap();
    assert_eq!(told.clock(), (Some(1_500), None));
    assert!(told.change(change(r#"{"clock_offset_ms": null}"#), at(4)).is_err());
    told.connector = Some(Behind { revoked_at: Some(at(5)), ..behind });
    told.change(change(r#"{"clock_offset_ms": 90}"#), at(6)).unwrap();
    assert_eq!(told.clock().0, Some(90), "people say again where nothing calls any more");
}

#[test]
fn the_status_follows_the_connector() {
    let mut camera = camera();
    assert_eq!(camera.status(at(1_000)), Status::Unknown);
    let id = ConnectorId::new(at(0), [3; 10]);
    camera.connector = Some(Behind { id, name: "depot".into(), last_seen_at: Some(at(1_000)), revoked_at: None });
    assert_eq!(camera.status(at(1_090)), Status::Unknown);
    camera.online = Some(true);
    assert_eq!(camera.status(at(1_090)), Status::Online);
    assert_eq!(camera.status(at(1_091)), Status::Offline);
    camera.online = Some(false);
    assert_eq!(camera.status(at(1_000)), Status::Offline);
    camera.vanished_at = Some(at(999));
    assert_eq!(camera.status(at(1_000)), Status::Vanished);
}

#[test]
fn newer_answers_replace_older_ones_where_they_overlap() {
    let answer = |from, to, asked, spans: &[(i64, i64)], complete| CoverageAnswer {
        window: window(from, to),
        asked_at: at(asked),
        spans: spans.iter().map(|&(f, t)| window(f, t)).collect(),
        complete,
    };
    let asked = window(0, 100);
    assert_eq!(coverage(asked, vec![]), Coverage::default());
    let older = answer(0, 60, 1_000, &[(0, 60)], true);
    let known = coverage(asked, vec![older.clone()]);
    assert_eq!((known.spans, known.complete), (vec![window(0, 60)], false));
    let newer = answer(40, 120, 2_000, &[(50, 120)], true);
    let known = coverage(asked, vec![newer, older.clone()]);
    assert_eq!(known.spans, [window(0, 40), window(50, 100)]);
    assert_eq!(known.asked_at, Some(at(1_000)));
    assert!(known.complete);
    let partial = answer(40, 120, 2_000, &[(50, 120)], false);
    assert!(!coverage(asked, vec![partial, older]).complete);
}
