//! The registry's queries, on both databases.
#![allow(clippy::unwrap_used, missing_docs)]

use domain::account::Organization;
use domain::camera::{Camera, Change, CoverageAnswer, Status};
use domain::id::{ConnectorId, OrganizationId};
use domain::policy::SeesSources;
use domain::{Position, Timestamp, Window};
use store::camera::{Filter, Key, Near, Sort};
use store::place::Bounds;
use store::testing::TestDatabase;
use store::{Error, Sql, Tx, on_both};

const ALL: SeesSources = SeesSources { published_of: None, all_of: None };

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

async fn organization(tx: &mut Tx, name: &str) -> OrganizationId {
    let id: OrganizationId = tx.new_id();
    let new = Organization {
        id: id.clone(),
        name: name.into(),
        time_zone: "UTC".into(),
        is_host: false,
        holds_on_submission: false,
        created_at: at(0),
        version: 1,
    };
    store::organization::insert(tx, &new).await.unwrap();
    id
}

async fn connector(tx: &mut Tx, of: &OrganizationId, last_seen: Option<i64>, revoked: Option<i64>) -> ConnectorId {
    let id: ConnectorId = tx.new_id();
    Sql::new("INSERT INTO connectors (id, organization_id, name, key_hash, source_sequence, last_seen_at, revoked_at, created_at, version) VALUES (")
        .args([id.as_str(), of.as_str(), "depot", id.as_str()])
        .add(", 0, ")
        .arg(last_seen.map(|s| s * 1_000_000))
        .add(", ")
        .arg(revoked.map(|s| s * 1_000_000))
        .add(", 0, 1)")
        .execute(tx)
        .await
        .unwrap();
    id
}

fn camera(tx: &Tx, of: &OrganizationId, json: &str) -> Camera {
    let mut camera = Camera::new(tx.new_id(), of.clone(), "Transit".into(), at(1));
    camera.change(serde_json::from_str::<Change>(json).unwrap(), at(1)).unwrap();
    camera
}

fn filter() -> Filter {
    Filter { limit: 100, ..Filter::default() }
}

async fn names(tx: &mut Tx, sees: &SeesSources, filter: &Filter) -> Vec<String> {
    store::camera::list(tx, sees, filter).await.unwrap().cameras.into_iter().map(|(c, _)| c.facts.name).collect()
}

on_both!(a_camera_comes_back_as_it_was, |test: TestDatabase| async move {
    let mut tx = test.db.begin(at(5)).await.unwrap();
    let of = organization(&mut tx, "Transit").await;
    let everything = r#"{"name": "Café door", "description": "above", "site": "Depot", "position": {"lat": 47.1, "lon": -8.5}, "address": "5th",
        "mounting_height_m": 3.5, "bearing_deg": 120, "fov_deg": 90, "tilt_deg": -10, "range_m": 40, "type": "dome", "tags": ["Door", "North"],
        "retention_hours": 168, "clock_offset_ms": -1500, "clock_uncertainty_ms": 20, "make": "Axis", "model": "P1", "custom": {"pole": "7"},
        "published": true}"#;
    let new = camera(&tx, &of, everything);
    store::camera::insert(&mut tx, &new).await.unwrap();
    assert_eq!(store::camera::find(&mut tx, &ALL, &new.id).await.unwrap().unwrap(), new);
    let mut changed = new.clone();
    changed.change(serde_json::from_str(r#"{"tags": ["south"], "position": null}"#).unwrap(), at(6)).unwrap();
    store::camera::save(&mut tx, &changed).await.unwrap();
    assert!(matches!(store::camera::save(&mut tx, &changed).await, Err(Error::Stale)));
    let tagged = |tag: &str| Filter { tag: Some(tag.into()), ..filter() };
    assert_eq!(names(&mut tx, &ALL, &tagged("DOOR")).await, Vec::<String>::new());
    assert_eq!(names(&mut tx, &ALL, &tagged("South")).await, ["Café door"]);
    for q in ["cafe", "CAFÉ dépot", "axis p1", new.id.as_str()] {
        assert_eq!(names(&mut tx, &ALL, &Filter { q: Some(q.into()), ..filter() }).await, ["Café door"], "{q}");
    }
    for q in ["cafe window", "100%", "_", "x' OR 1=1 --"] {
        assert!(names(&mut tx, &ALL, &Filter { q: Some(q.into()), ..filter() }).await.is_empty(), "{q}");
    }
});

on_both!(what_is_not_seen_is_not_listed_counted_or_found, |test: TestDatabase| async move {
    let mut tx = test.db.begin(at(5)).await.unwrap();
    let (mall, transit) = (organization(&mut tx, "Mall").await, organization(&mut tx, "Transit").await);
    let mut hidden = None;
    for (of, name) in [(&mall, "mall"), (&transit, "transit")] {
        let open = camera(
            &tx,
            of,
            &format!(r#"{{"name": "{name} open", "published": true, "position": {{"lat": 1, "lon": 1}}}}"#),
        );
        let secret = camera(&tx, of, &format!(r#"{{"name": "{name} hidden", "position": {{"lat": 1, "lon": 1}}}}"#));
        store::camera::insert(&mut tx, &open).await.unwrap();
        store::camera::insert(&mut tx, &secret).await.unwrap();
        hidden = Some(secret);
    }
    let hidden = hidden.unwrap();
    let only = |id: &OrganizationId| Some(vec![id.clone()]);
    let near = Some(Near { position: Position { lat: 1.0, lon: 1.0 }, radius_m: Some(10.0) });
    for (sees, expected) in [
        (SeesSources { published_of: None, all_of: Some(vec![]) }, vec!["mall open", "transit open"]),
        (SeesSources { published_of: Some(vec![]), all_of: Some(vec![]) }, vec![]),
        (SeesSources { published_of: only(&mall), all_of: Some(vec![]) }, vec!["mall open"]),
        (
            SeesSources { published_of: only(&mall), all_of: only(&transit) },
            vec!["mall open", "transit hidden", "transit open"],
        ),
        (ALL, vec!["mall hidden", "mall open", "transit hidden", "transit open"]),
    ] {
        for near in [None, near] {
            let found = store::camera::list(&mut tx, &sees, &Filter { near, count: true, ..filter() }).await.unwrap();
            assert_eq!(found.total, Some(expected.len() as i64), "{sees:?}");
            let names: Vec<_> = found.cameras.into_iter().map(|(c, _)| c.facts.name).collect();
            assert_eq!(names, expected, "{sees:?}");
        }
        let found = store::camera::find(&mut tx, &sees, &hidden.id).await.unwrap();
        assert_eq!(found.is_some(), expected.contains(&"transit hidden"), "{sees:?}");
    }
});

on_both!(statuses_are_those_of_the_rule, |test: TestDatabase| async move {
    let now = at(100_000);
    let mut tx = test.db.begin(now).await.unwrap();
    let of = organization(&mut tx, "Transit").await;
    let mut behind = vec![None];
    for (seen, revoked) in [(None, None), (Some(99_999), None), (Some(1), None), (Some(99_999), Some(50))] {
        behind.push(Some(connector(&mut tx, &of, seen, revoked).await));
    }
    let mut number = 0;
    for connector in &behind {
        for online in [None, Some(true), Some(false)] {
            for vanished in [None, Some(at(7))] {
                number += 1;
                let mut new = camera(&tx, &of, &format!(r#"{{"name": "{number}"}}"#));
                new.connector = connector.clone().map(|id| domain::camera::Behind {
                    id,
                    name: "depot".into(),
                    last_seen_at: None,
                    revoked_at: None,
                });
                new.device_id = Some(number.to_string());
                (new.online, new.vanished_at) = (online, vanished);
                store::camera::insert(&mut tx, &new).await.unwrap();
            }
        }
    }
    let mut seen = 0;
    for status in Status::ALL {
        let found = store::camera::list(&mut tx, &ALL, &Filter { statuses: vec![*status], ..filter() }).await.unwrap();
        assert!(found.cameras.iter().all(|(c, _)| c.status(now) == *status), "{status}");
        assert!(!found.cameras.is_empty());
        seen += found.cameras.len();
    }
    assert_eq!(seen, number);
});

on_both!(the_nearest_come_first_page_by_page, |test: TestDatabase| async move {
    let mut tx = test.db.begin(at(5)).await.unwrap();
    let of = organization(&mut tx, "Transit").await;
    let center = Position { lat: 0.0, lon: 179.999 };
    let mut expected = Vec::new();
    for i in 0..40_i64 {
        // A line over the date line, 111 m apart, in a scattered order of entry.
        let step = (i * 17) % 40;
        let lon = 179.999 + step as f64 * 0.001;
        let lon = if lon > 180.0 { lon - 360.0 } else { lon };
        let new = camera(&tx, &of, &format!(r#"{{"name": "{step:02}", "position": {{"lat": 0, "lon": {lon}}}}}"#));
        store::camera::insert(&mut tx, &new).await.unwrap();
        expected.push(format!("{i:02}"));
    }
    let nowhere = camera(&tx, &of, r#"{"name": "nowhere"}"#);
    store::camera::insert(&mut tx, &nowhere).await.unwrap();
    for radius_m in [None, Some(2_000.0)] {
        let wanted: Vec<_> = if radius_m.is_some() { expected[..18].to_vec() } else { expected.clone() };
        let (mut got, mut after) = (Vec::new(), None);
        loop {
            let search = Filter {
                near: Some(Near { position: center, radius_m }),
                sort: Sort::Distance,
                limit: 7,
                after: after.take(),
                ..filter()
            };
            let found = store::camera::list(&mut tx, &ALL, &search).await.unwrap();
            let Some((last, metres)) = found.cameras.last() else { break };
            after = Some(Key::Distance(metres.unwrap(), last.id.clone()));
            got.extend(found.cameras.into_iter().map(|(c, _)| c.facts.name));
        }
        assert_eq!(got, wanted, "{radius_m:?}");
    }
    let over_the_line = Bounds { west: 179.9985, south: -1.0, east: -179.9985, north: 1.0 };
    assert_eq!(names(&mut tx, &ALL, &Filter { bounds: Some(over_the_line), ..filter() }).await, ["00", "01", "02"]);
});

on_both!(a_camera_that_requests_name_stays, |test: TestDatabase| async move {
    let mut tx = test.db.begin(at(5)).await.unwrap();
    let of = organization(&mut tx, "Transit").await;
    let new = camera(&tx, &of, r#"{"name": "door", "tags": ["a"]}"#);
    store::camera::insert(&mut tx, &new).await.unwrap();
    let answer = |from, to, asked| CoverageAnswer {
        window: Window::checked(at(from), at(to)).unwrap(),
        asked_at: at(asked),
        spans: vec![Window::checked(at(from), at(to)).unwrap()],
        complete: true,
    };
    store::camera::insert_coverage(&mut tx, &new.id, &answer(0, 10, 1)).await.unwrap();
    store::camera::insert_coverage(&mut tx, &new.id, &answer(0, 20, 2)).await.unwrap();
    store::camera::insert_coverage(&mut tx, &new.id, &answer(15, 30, 3)).await.unwrap();
    let window = Window::checked(at(5), at(40)).unwrap();
    assert_eq!(store::camera::coverage(&mut tx, &new.id, window).await.unwrap(), [answer(0, 20, 2), answer(15, 30, 3)]);
    request(&mut tx, &of, &new).await;
    assert!(matches!(store::camera::remove(&mut tx, &new).await, Err(Error::Referred)));
    Sql::new("DELETE FROM request_items").execute(&mut tx).await.unwrap();
    store::camera::remove(&mut tx, &new).await.unwrap();
    assert!(store::camera::find(&mut tx, &ALL, &new.id).await.unwrap().is_none());
});

/// A request that names the camera.
async fn request(tx: &mut Tx, of: &OrganizationId, camera: &Camera) {
    let account = "INSERT INTO accounts (id, email, user_name, name, search_text, must_change_password, created_at, version, organization_id) \
         VALUES ('acc_1', 'a@b', 'a', 'A', 'a', 0, 0, 1, ";
    Sql::new(account).arg(of.as_str()).add(")").execute(tx).await.unwrap();
    let request = "INSERT INTO video_requests (id, number, name, requester_id, incident_from, incident_to, status, open, search_text, created_at, \
         version, organization_id) VALUES ('req_1', '1', 'r', 'acc_1', 0, 1, 'pending', 1, 'r', 0, 1, ";
    Sql::new(request).arg(of.as_str()).add(")").execute(tx).await.unwrap();
    let item = "INSERT INTO request_items (id, request_id, ordinal, from_at, to_at, state, hold, review_before_release, attempts, version, \
         organization_id, source_id) VALUES ('itm_1', 'req_1', 0, 0, 1, 'pending', 'none', 0, 0, 1, ";
    Sql::new(item).args([of.as_str(), camera.id.as_str()]).add(")").execute(tx).await.unwrap();
}
