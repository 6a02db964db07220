//! Connectors through the router, on both databases: keys, publications, leases and their fencing.

use std::time::{Duration, Instant};

use crate::support::{Reply, Site, arranged};
use domain::account::Role;
use domain::id::{CameraId, ConnectorId, OrganizationId};
use serde_json::{Value, json};
use store::testing::TestDatabase;
use store::{Columns as _, Sql, on_both};

/// A connector as its process sees the server.
pub(crate) struct Wire<'a> {
    site: &'a Site,
    pub(crate) id: ConnectorId,
    key: String,
}

impl<'a> Wire<'a> {
    pub(crate) async fn new(site: &'a Site, organization: &OrganizationId, name: &str) -> Self {
        let _ = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_test_writer().try_init();
        let file = app::connector::connection_file(&site.test.app, organization, name).await.unwrap();
        Self { site, id: file.connector_id, key: file.key }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        let authorization = format!("Bearer {}", self.key);
        let path = format!("/connector{path}");
        self.site.call(method, &path, None, Some(&body), &[("authorization", &authorization)]).await
    }

    /// The same of one of several that have its key.
    async fn call_as(&self, instance: &str, method: &str, path: &str, body: Value) -> Reply {
        let authorization = format!("Bearer {}", self.key);
        let headers = [("authorization", authorization.as_str()), (protocol::INSTANCE_HEADER, instance)];
        self.site.call(method, &format!("/connector{path}"), None, Some(&body), &headers).await
    }

    fn hello_body(restarted: bool) -> Value {
        json!({
            "versions": [1], "restarted": restarted, "software": {"name": "sightline-connector", "version": "0.1.0"},
            "adapter_kinds": ["folder"], "adapter": "folder", "clock": "2026-11-22T12:00:01Z",
        })
    }

    async fn hello(&self, restarted: bool) -> Reply {
        self.call("POST", "/hello", Self::hello_body(restarted)).await
    }

    pub(crate) async fn publish(&self, sequence: i64, base: Option<i64>, sources: Value) -> Reply {
        self.call("PUT", "/sources", json!({"sequence": sequence, "base": base, "sources": sources})).await
    }

    pub(crate) async fn lease(&self) -> Reply {
        self.call("POST", "/tasks/lease", json!({"wait_seconds": 0})).await
    }

    pub(crate) async fn about(&self, task: &Value, verb: &str, body: Value) -> Reply {
        let mut said = json!({"lease": task["lease"]});
        said.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        self.call("POST", &format!("/tasks/{}/{verb}", task["id"].as_str().unwrap()), said).await
    }

    /// Asks it what it has of a camera that it published.
    async fn ask_coverage(&self, device_id: &str) -> CameraId {
        let app = &self.site.test.app;
        let mut tx = app.begin().await.unwrap();
        let camera = store::camera::find_by_device(&mut tx, &self.id, device_id).await.unwrap().unwrap().id;
        let window = domain::Window {
            from: "2026-11-22T10:00:00Z".parse().unwrap(),
            to: "2026-11-22T11:00:00Z".parse().unwrap(),
        };
        app::connector_task::ask_coverage(&mut tx, &self.id, &camera, device_id, window).await.unwrap();
        tx.commit_housekeeping().await.unwrap();
        app.wakers().connector_tasks.notify_waiters();
        camera
    }
}

fn coverage() -> Value {
    json!({"result": {"kind": "coverage", "device_id": "1", "complete": true,
        "spans": [{"from": "2026-11-22T10:10:00Z", "to": "2026-11-22T12:00:00Z"}]}})
}

async fn rows(site: &Site, sql: &'static str, column: &'static str) -> Vec<String> {
    let mut tx = site.test.app.read().await.unwrap();
    let rows = Sql::new(sql).fetch_all(&mut tx).await.unwrap();
    rows.iter().map(|row| row.text_or_null(column).unwrap().unwrap_or_default()).collect()
}

async fn number(site: &Site, sql: &'static str) -> i64 {
    Sql::new(sql).fetch_one(&mut site.test.app.read().await.unwrap()).await.unwrap().int("n").unwrap()
}

on_both!(the_office_makes_sees_and_revokes_connectors, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let transit = site.test.organization("Transit").await;
    let mall = site.test.organization("Mall").await;
    site.test.account("otto", &transit, &[(Role::Operator, Some(&transit))]).await;
    site.test.account("mia", &mall, &[(Role::Operator, Some(&mall))]).await;
    site.test.account("ana", &site.test.host, &[(Role::Investigator, None)]).await;
    let (otto, mia, ana) = (site.sign_in("otto").await, site.sign_in("mia").await, site.sign_in("ana").await);

    let input = json!({"name": "Depot", "organization_id": transit});
    assert_eq!(site.post("/connectors", Some(&ana), input.clone()).await.status, 403);
    assert_eq!(site.post("/connectors", Some(&mia), input.clone()).await.status, 403);
    let empty = site.post("/connectors", Some(&otto), json!({"name": " ", "organization_id": transit})).await;
    assert_eq!((empty.status, empty.json["errors"][0]["pointer"].as_str()), (422, Some("/name")));
    let made = site.post("/connectors", Some(&otto), input.clone()).await;
    assert_eq!(made.status, 201, "{}", made.json);
    assert_eq!(site.post("/connectors", Some(&otto), input).await.status, 422, "the name is taken");
    let file: protocol::ConnectionFile = toml::from_str(made.json["connection_file"].as_str().unwrap()).unwrap();
    let (id, key) = (file.connector_id.clone(), file.key.clone());
    assert_eq!(made.json["connector"]["id"], id.as_str());
    assert_eq!(made.json["connector"]["online"], false);
    assert_eq!(made.json["connector"]["problem"]["text"], "It has never called.");
    assert!(!rows(&site, "SELECT key_hash FROM connectors", "key_hash").await.contains(&key), "only the hash is kept");

    let wire = Wire { site: &site, id: id.clone(), key };
    let hello = wire.hello(true).await;
    assert_eq!(hello.status, 200, "{}", hello.json);
    assert_eq!(hello.json["connector"]["name"], "Depot");
    assert_eq!(hello.json["sequence"], Value::Null);
    let path = format!("/connectors/{id}");
    let seen = site.get(&path, Some(&otto)).await;
    assert_eq!(
        (seen.json["online"].as_bool(), seen.json["version"].as_str()),
        (Some(true), Some("sightline-connector 0.1.0"))
    );
    assert_eq!(seen.json["clock_offset_ms"], 1_000);
    assert_eq!(seen.json["problem"], Value::Null);
    site.test.advance(Duration::from_secs(91));
    let silent = site.get(&path, Some(&otto)).await.json;
    assert_eq!(
        (&silent["online"], &silent["problem"]["text"]),
        (&json!(false), &json!("It is not heard of any more."))
    );
    assert_eq!(site.get(&path, Some(&mia)).await.status, 404);
    assert_eq!(site.get("/connectors", Some(&mia)).await.json["items"], json!([]));
    assert_eq!(site.get("/connectors", Some(&ana)).await.status, 403);
    assert_eq!(site.get(&format!("{path}/tasks"), Some(&mia)).await.status, 404);

    // versions that this server does not speak
    let strange = wire
        .call(
            "POST",
            "/hello",
            json!({"versions": [99], "restarted": true, "software": {"name": "x", "version": "1"},
        "adapter_kinds": [], "adapter": "x", "clock": "2026-11-22T12:00:00Z"}),
        )
        .await;
    assert_eq!((strange.status, strange.json["errors"][0]["pointer"].as_str()), (422, Some("/versions")));

    assert_eq!(site.call("DELETE", &path, Some(&mia), None, &[]).await.status, 404);
    assert_eq!(site.call("DELETE", &path, Some(&otto), None, &[]).await.status, 204);
    let refused = wire.hello(true).await;
    assert_eq!((refused.status, refused.code()), (401, "wrong_key"));
    assert_eq!(wire.lease().await.status, 401);
    assert!(!site.get(&path, Some(&otto)).await.json["revoked_at"].is_null());
    // a key of another server, and none
    let other = Wire { site: &site, id, key: "slc_AAAA".into() };
    assert_eq!(other.hello(true).await.status, 401);
    assert_eq!(site.post("/connector/hello", Some(&otto), json!({})).await.status, 401);
});

on_both!(a_new_connection_file_ends_the_earlier_one, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let first = Wire::new(&site, &site.test.host, "Depot").await;
    assert_eq!(first.hello(true).await.status, 200);
    let second = Wire::new(&site, &site.test.host, "Depot").await;
    assert_eq!(first.id, second.id);
    assert_eq!(first.hello(true).await.status, 401);
    assert_eq!(second.hello(true).await.status, 200);
});

on_both!(a_connection_file_is_for_one_machine, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    site.test.account("otto", &site.test.host, &[(Role::Operator, None)]).await;
    let otto = site.sign_in("otto").await;
    let path = format!("/connectors/{}", wire.id);
    let problem = async || site.get(&path, Some(&otto)).await.json["problem"]["text"].clone();
    let hello = async |instance: &str| wire.call_as(instance, "POST", "/hello", Wire::hello_body(true)).await;
    let publish = async |instance: &str, sequence: i64| {
        let sources = json!([{"device_id": instance, "name": "Gate"}]);
        wire.call_as(instance, "PUT", "/sources", json!({"sequence": sequence, "sources": sources})).await.status
    };
    assert_eq!((hello("first").await.status, publish("first", 1).await), (200, 200));
    let refused = hello("second").await;
    assert_eq!((refused.status, refused.code()), (409, protocol::USED_TWICE));
    assert_eq!(publish("second", 2).await, 409);
    assert_eq!(wire.call_as("second", "POST", "/tasks/lease", json!({"wait_seconds": 0})).await.status, 409);
    let there = "SELECT device_id FROM cameras WHERE vanished_at IS NULL";
    assert_eq!(rows(&site, there, "device_id").await, ["first"], "it has not vanished");
    assert!(problem().await.as_str().unwrap().starts_with("Its connection file is used on two machines."));
    // the first one may start again at any time, and a version that does not say which it is is heard as before
    assert_eq!(
        (hello("first").await.status, publish("first", 2).await, wire.hello(false).await.status),
        (200, 200, 200)
    );

    // the other one is heard when the first was silent for a while, and then it is the other way round
    site.test.advance(Duration::from_secs(59));
    assert_eq!(hello("second").await.status, 409);
    site.test.advance(Duration::from_secs(2));
    assert_eq!((hello("second").await.status, hello("first").await.status), (200, 409));
    // a while after that nothing is said of it any more
    for _ in 0..6 {
        site.test.advance(Duration::from_secs(51));
        assert_eq!(hello("second").await.status, 200);
    }
    assert_eq!(problem().await, Value::Null);
    let events = "SELECT COUNT(*) AS n FROM events WHERE kind = 'connector.used_twice'";
    assert_eq!(number(&site, events).await, 1);
});

on_both!(publications_are_taken_over_and_the_office_has_the_last_word, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    let one = json!({"device_id": "1", "name": "Gate", "position": {"lat": 47.37, "lon": 8.54}, "bearing_deg": 90.0, "tags": ["street", "night"]});
    let two = json!({"device_id": "2", "name": "Yard", "retention_hours": 48});
    let bad = json!({"device_id": "3", "name": "Moon", "position": {"lat": 99.0, "lon": 0.0}});
    let answer = wire.publish(1, None, json!([one, two, bad])).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert_eq!(answer.json["refused"][0]["device_id"], "3");
    let again = wire.publish(1, None, json!([one, two, bad])).await;
    assert_eq!(again.json, answer.json, "said again, because the answer was lost");
    let names = "SELECT name FROM cameras WHERE vanished_at IS NULL ORDER BY device_id";
    assert_eq!(rows(&site, names, "name").await, ["Gate", "Yard"]);
    assert_eq!(rows(&site, "SELECT tag FROM camera_tags ORDER BY tag", "tag").await, ["night", "street"]);
    assert_eq!(number(&site, "SELECT COUNT(*) AS n FROM cameras WHERE cell IS NOT NULL AND published = 1").await, 1);
    assert_eq!(wire.hello(false).await.json["sequence"], 1);

    // the office renames it
    let mut tx = site.test.app.begin().await.unwrap();
    let sql = Sql::new("UPDATE cameras SET name = 'North gate', origins = ")
        .arg(r#"{"name":"office","bearing_deg":"connector"}"#);
    let row = sql.add(" WHERE device_id = '1' RETURNING id").fetch_one(&mut tx).await.unwrap();
    arranged(tx, &[&store::Columns::text(&row, "id").unwrap()]).await;

    // a delta on top, then one that does not follow, then the first again because its answer was lost
    let delta = json!([{"device_id": "1", "name": "Gate", "bearing_deg": 95.0}]);
    assert_eq!(wire.publish(2, Some(1), delta.clone()).await.status, 200);
    assert_eq!(wire.publish(9, Some(7), delta.clone()).await.status, 409);
    assert_eq!(wire.publish(2, Some(1), delta).await.status, 200);
    assert_eq!(rows(&site, names, "name").await, ["North gate", "Yard"]);
    assert_eq!(number(&site, "SELECT CAST(bearing_deg AS BIGINT) AS n FROM cameras WHERE device_id = '1'").await, 95);

    // the whole set: what it does not name has vanished, and may come back
    let said = json!({"sequence": 3, "sources": [{"device_id": "2", "name": "Yard"}], "problem": {"text": "Half the disks are gone.", "what_to_do": "Replace them."}});
    assert_eq!(wire.call("PUT", "/sources", said).await.status, 200);
    assert_eq!(rows(&site, names, "name").await, ["Yard"]);
    assert_eq!(rows(&site, "SELECT problem FROM connectors", "problem").await.len(), 1);
    assert_eq!(wire.publish(4, Some(3), json!([{"device_id": "1", "name": "Gate"}])).await.status, 200);
    assert_eq!(rows(&site, names, "name").await, ["North gate", "Yard"]);
    assert_eq!(rows(&site, "SELECT problem FROM connectors", "problem").await, [""]);
    assert_eq!(number(&site, "SELECT COUNT(*) AS n FROM cameras").await, 2, "never deleted");

    // pictures
    let send = |device: &'static str, bytes: &'static [u8]| {
        let request = axum::http::Request::put(format!("/api/v1/connector/sources/{device}/thumbnail"));
        let request =
            request.header("authorization", format!("Bearer {}", wire.key)).body(axum::body::Body::from(bytes));
        site.send(request.unwrap())
    };
    assert_eq!(send("1", b"\xff\xd8\xff\xe0 a picture").await.status, 204);
    assert_eq!(send("1", b"\xff\xd8\xff\xe0 a later one").await.status, 204);
    assert_eq!(send("1", b"<svg>").await.status, 422);
    assert_eq!(send("nine", b"\xff\xd8\xff").await.status, 404);
    let blob =
        rows(&site, "SELECT thumbnail_blob FROM cameras WHERE device_id = '1'", "thumbnail_blob").await.remove(0);
    assert_eq!(site.test.app.blobs().get(&blob).await.unwrap().as_ref(), b"\xff\xd8\xff\xe0 a later one");
});

on_both!(a_camera_that_its_owner_takes_back_is_seen_by_nobody_else, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    let [gate, yard] = [json!({"device_id": "1", "name": "Gate"}), json!({"device_id": "2", "name": "Yard"})];
    wire.publish(1, None, json!([gate, yard])).await;
    let request = axum::http::Request::put("/api/v1/connector/sources/1/thumbnail")
        .header("authorization", format!("Bearer {}", wire.key))
        .body(axum::body::Body::from(b"\xff\xd8\xff\xe0 a picture".as_slice()));
    assert_eq!(site.send(request.unwrap()).await.status, 204);
    let picture = "SELECT thumbnail_blob FROM cameras WHERE device_id = '1' AND thumbnail_blob IS NOT NULL";
    let blob = rows(&site, picture, "thumbnail_blob").await.remove(0);
    let id = rows(&site, "SELECT id FROM cameras WHERE device_id = '1'", "id").await.remove(0);
    site.test.account("ana", &site.test.host, &[(Role::Investigator, None)]).await;
    let ana = site.sign_in("ana").await;
    let sees = async || site.get(&format!("/cameras/{id}"), Some(&ana)).await.status;
    assert_eq!(sees().await, 200);

    let taken_back = json!({"sequence": 2, "base": 1, "vanished": ["1"], "withdrawn": ["1", "never published"]});
    assert_eq!(wire.call("PUT", "/sources", taken_back).await.status, 200);
    assert_eq!(sees().await, 404);
    assert_eq!(rows(&site, picture, "thumbnail_blob").await, [""; 0]);
    assert!(site.test.app.blobs().get(&blob).await.is_err(), "its picture is gone");
    let there = "SELECT device_id FROM cameras WHERE vanished_at IS NULL AND published = 1";
    assert_eq!(rows(&site, there, "device_id").await, ["2"]);

    // with the whole set too, and back again; the server says which of those that it has were not named
    assert_eq!(wire.publish(3, Some(2), json!([gate])).await.json["missing"], Value::Null);
    assert_eq!(sees().await, 200);
    assert_eq!(wire.publish(3, None, json!([yard])).await.json["missing"], json!(["1"]), "said again");
    let whole = json!({"sequence": 4, "sources": [yard], "withdrawn": ["1"]});
    assert_eq!(wire.call("PUT", "/sources", whole).await.json["missing"], Value::Null);
    assert_eq!(sees().await, 404);
    assert_eq!(wire.publish(5, None, json!([yard])).await.json["missing"], Value::Null, "nobody sees it");
});

on_both!(a_clock_that_a_connector_tells_is_not_set_on_the_page, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    site.test.account("otto", &site.test.host, &[(Role::Operator, None)]).await;
    let otto = site.sign_in("otto").await;
    let gate = json!([{"device_id": "1", "name": "Gate", "clock_offset": {"offset_ms": 1500, "uncertainty_ms": 20}}]);
    assert_eq!(wire.publish(1, None, gate).await.status, 200);
    let id = rows(&site, "SELECT id FROM cameras", "id").await.remove(0);
    let path = format!("/cameras/{id}");
    let camera = site.get(&path, Some(&otto)).await.json;
    assert_eq!((&camera["clock_offset_ms"], &camera["clock_by"]), (&json!(1500), &json!("connector")));
    let change = async |body: Value, version: &str| {
        site.call("PATCH", &path, Some(&otto), Some(&body), &[("if-match", version)]).await
    };
    for (field, value) in
        [("clock_offset_ms", json!(4000)), ("clock_offset_ms", Value::Null), ("clock_uncertainty_ms", json!(1))]
    {
        let refused = change(json!({"site": "North", field: value}), "\"1\"").await;
        let wrong = &refused.json["errors"][0];
        assert_eq!((refused.status, wrong["pointer"].as_str()), (422, Some(format!("/{field}").as_str())));
        assert!(wrong["message"].as_str().unwrap().contains("[[source]]"), "it says where to set it: {wrong}");
    }
    let same = change(json!({"site": "North", "clock_offset_ms": 1500}), "\"1\"").await;
    assert_eq!((same.status, &same.json["site"]), (200, &json!("North")));

    // An earlier version let people set it: that counts for nothing, and goes when the connector says what is so.
    let mut tx = site.test.app.begin().await.unwrap();
    let set = "UPDATE cameras SET clock_offset_ms = 4000, origins = '{\"clock_offset_ms\": \"office\"}'";
    store::Sql::new(set).execute(&mut tx).await.unwrap();
    tx.commit_housekeeping().await.unwrap();
    assert_eq!(site.get(&path, Some(&otto)).await.json["clock_offset_ms"], Value::Null);
    let later = json!([{"device_id": "1", "name": "Gate", "clock_offset": {"offset_ms": 1600}}]);
    assert_eq!(wire.publish(2, None, later).await.status, 200);
    let camera = site.get(&path, Some(&otto)).await.json;
    assert_eq!(
        (&camera["clock_offset_ms"], &camera["origins"]["clock_offset_ms"]),
        (&json!(1600), &json!("connector"))
    );
});

on_both!(five_thousand_sources_are_quick, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "City").await;
    let sources: Vec<Value> = (0..5_000)
        .map(|i| json!({"device_id": i.to_string(), "name": format!("Camera {i}"), "position": {"lat": 40.0 + f64::from(i) / 1e4, "lon": -74.0}}))
        .collect();
    let begun = Instant::now();
    assert_eq!(wire.publish(1, None, json!(sources)).await.status, 200);
    let first = begun.elapsed();
    let begun = Instant::now();
    assert_eq!(wire.publish(2, None, json!(sources)).await.status, 200);
    println!("5,000 sources: {first:?}, again: {:?}", begun.elapsed());
    assert!(first < Duration::from_secs(30), "{first:?}");
    assert_eq!(
        number(&site, "SELECT COUNT(*) AS n FROM cameras WHERE version = 1").await,
        5_000,
        "unchanged ones are not written"
    );
});

on_both!(whoever_slept_through_a_lease_changes_nothing, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    wire.publish(1, None, json!([{"device_id": "1", "name": "Gate"}])).await;
    assert_eq!(wire.lease().await.status, 204);
    let camera = wire.ask_coverage("1").await;
    let slept = wire.lease().await;
    assert_eq!(slept.status, 200, "{}", slept.json);
    assert_eq!((slept.json["kind"].as_str(), slept.json["lease"].as_i64()), (Some("coverage"), Some(1)));
    assert_eq!(wire.lease().await.status, 204, "nobody else gets it meanwhile");
    let slept = slept.json;

    // kept as long as it is extended
    for _ in 0..3 {
        site.test.advance(Duration::from_secs(20));
        assert_eq!(wire.about(&slept, "extend", json!({})).await.status, 200);
    }
    site.test.advance(Duration::from_secs(31));
    for (verb, body) in [
        ("extend", json!({})),
        ("progress", json!({"phase": "exporting", "bytes_done": 5})),
        ("complete", coverage()),
        ("fail", json!({"code": "error", "retryable": false, "detail": "late"})),
    ] {
        let late = wire.about(&slept, verb, body).await;
        assert_eq!((late.status, late.code()), (409, "lease_lost"), "{verb}");
    }
    let again = wire.lease().await.json;
    assert_eq!((again["id"].clone(), again["lease"].as_i64()), (slept["id"].clone(), Some(2)));
    for verb in ["complete", "extend"] {
        assert_eq!(wire.about(&slept, verb, coverage()).await.status, 409, "{verb} of the first holder");
    }
    assert_eq!(number(&site, "SELECT COUNT(*) AS n FROM camera_coverage").await, 0);

    // the present holder ends it, twice, and another connector cannot
    let other = Wire::new(&site, &site.test.host, "Other").await;
    assert_eq!(other.about(&again, "complete", coverage()).await.status, 404);
    assert_eq!(wire.about(&again, "complete", coverage()).await.status, 204);
    assert_eq!(wire.about(&again, "complete", coverage()).await.status, 204, "the answer was lost");
    assert_eq!(wire.about(&slept, "complete", coverage()).await.status, 409);
    let mut tx = site.test.app.read().await.unwrap();
    let known = Sql::new("SELECT spans, camera_id FROM camera_coverage").fetch_one(&mut tx).await.unwrap();
    assert_eq!(known.text("camera_id").unwrap(), camera.as_str());
    let spans: Value = known.json("spans").unwrap();
    assert_eq!(
        spans,
        json!([{"from": "2026-11-22T10:10:00.000Z", "to": "2026-11-22T11:00:00.000Z"}]),
        "cut to what was asked"
    );
});

on_both!(a_restarted_connector_gets_its_work_back_at_once, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    wire.publish(1, None, json!([{"device_id": "1", "name": "Gate"}])).await;
    wire.ask_coverage("1").await;
    let before = wire.lease().await.json;
    wire.hello(false).await;
    assert_eq!(wire.about(&before, "extend", json!({})).await.status, 200, "a new connection is no new process");
    wire.hello(true).await;
    assert_eq!(wire.about(&before, "extend", json!({})).await.status, 409);
    let after = wire.lease().await.json;
    assert_eq!((after["id"].clone(), after["lease"].as_i64()), (before["id"].clone(), Some(2)));
    // the server's own return of what was lost
    site.test.advance(Duration::from_secs(31));
    app::connector_task::return_lost(&site.test.app).await.unwrap();
    assert_eq!(rows(&site, "SELECT state FROM connector_tasks", "state").await, ["waiting"]);
});

on_both!(tries_are_used_up, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("otto", &site.test.host, &[(Role::Operator, None)]).await;
    let otto = site.sign_in("otto").await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    wire.publish(1, None, json!([{"device_id": "1", "name": "Gate"}])).await;
    wire.ask_coverage("1").await;
    let failed = json!({"code": "error", "retryable": true, "detail": "The disk is busy."});
    for attempt in 1..=domain::connector::TRIES {
        let task = wire.lease().await;
        assert_eq!(task.status, 200, "try {attempt}");
        assert_eq!(wire.about(&task.json, "fail", failed.clone()).await.status, 204);
        assert_eq!(
            wire.about(&task.json, "fail", failed.clone()).await.status,
            if attempt == domain::connector::TRIES { 204 } else { 409 }
        );
        assert_eq!(wire.lease().await.status, 204, "not at once");
        site.test.advance(Duration::from_secs(60));
    }
    let tasks = site.get(&format!("/connectors/{}/tasks", wire.id), Some(&otto)).await;
    let task = &tasks.json["items"][0];
    assert_eq!((task["state"].as_str(), task["attempts"].as_i64()), (Some("failed"), Some(5)));
    assert_eq!(task["last_error"], "The disk is busy.");
});

on_both!(a_waiting_connector_is_woken, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    wire.publish(1, None, json!([{"device_id": "1", "name": "Gate"}])).await;
    let begun = Instant::now();
    let (task, _) = tokio::join!(wire.call("POST", "/tasks/lease", json!({"wait_seconds": 20})), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        wire.ask_coverage("1").await
    });
    assert_eq!(task.status, 200);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(wire.call("POST", "/tasks/lease", json!({"wait_seconds": 1})).await.status, 204);
});

/// A request for an hour of camera 1, approved: answers the item's id.
async fn approved(site: &Site) -> String {
    approved_as(site, json!({})).await
}

async fn approved_as(site: &Site, decision: Value) -> String {
    site.test.account("ana", &site.test.host, &[(Role::Investigator, None)]).await;
    site.test.account("app", &site.test.host, &[(Role::Approver, Some(&site.test.host))]).await;
    let (ana, approver) = (site.sign_in("ana").await, site.sign_in("app").await);
    let camera = rows(site, "SELECT id FROM cameras", "id").await.remove(0);
    let window = json!({"from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:02:00Z"});
    let asked = json!({"name": "Theft", "incident": window,
        "items": [{"source_id": camera, "from": window["from"], "to": window["to"]}]});
    let made = site.post("/video-requests", Some(&ana), asked).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let item = made.json["items"][0]["id"].as_str().unwrap().to_owned();
    let decided = site.post(&format!("/request-items/{item}/approve"), Some(&approver), decision).await;
    assert_eq!(decided.status, 200, "{}", decided.json);
    item
}

async fn state(site: &Site) -> String {
    rows(site, "SELECT state FROM request_items", "state").await.remove(0)
}

impl Wire<'_> {
    /// Uploads bytes for a task; answers the upload's id, or the problem.
    async fn upload(&self, task: &Value, bytes: &[u8]) -> Result<String, Reply> {
        self.send(task, bytes.len(), bytes).await
    }

    /// The same of the first bytes of so many.
    async fn send(&self, task: &Value, length: usize, bytes: &[u8]) -> Result<String, Reply> {
        use base64::Engine as _;
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let lease = task["lease"].to_string();
        let metadata = format!(
            "filename {},task_id {},lease {}",
            encode("gate.mp4"),
            encode(task["id"].as_str().unwrap()),
            encode(&lease)
        );
        let request = |method: &str, path: &str| {
            let request = axum::http::Request::builder().method(method).uri(path).header("tus-resumable", "1.0.0");
            request.header("authorization", format!("Bearer {}", self.key)).header("sightline-lease", &lease)
        };
        let create =
            request("POST", "/api/v1/uploads").header("upload-length", length).header("upload-metadata", metadata);
        let created = self.site.send(create.body(axum::body::Body::empty()).unwrap()).await;
        if created.status != 201 {
            return Err(created);
        }
        let place = created.headers["location"].to_str().unwrap().to_owned();
        let part = request("PATCH", &place)
            .header("upload-offset", 0)
            .header("content-type", "application/offset+octet-stream");
        let sent = self.site.send(part.body(axum::body::Body::from(bytes.to_vec())).unwrap()).await;
        if sent.status != 204 {
            return Err(sent);
        }
        Ok(place.rsplit('/').next().unwrap().to_owned())
    }
}

fn exported(upload: &str, bytes: &[u8], sha256: &str) -> Value {
    json!({"result": {"kind": "exported", "upload_id": upload, "sha256": sha256, "size_bytes": bytes.len(), "manifest": {
        "version": 1, "software": "test", "adapter": "folder", "device_id": "1",
        "asked": {"from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:02:00Z"}, "segments": [],
        "gaps": [
            {"from": "2026-11-22T10:01:00Z", "to": "2026-11-22T10:01:10Z", "reason": "10-01.mp4 cannot be read: a part of it is damaged"},
            {"from": "2026-11-22T10:01:20Z", "to": "2026-11-22T10:01:30Z"},
            {"from": "2026-11-22T10:01:40Z", "to": "2026-11-22T10:01:50Z", "reason": "10-01.mp4 cannot be read: a part of it is damaged"}],
        "first_frame": "2026-11-22T09:59:59Z", "last_frame": "2026-11-22T10:02:00Z",
        "export": {"sha256": sha256, "size_bytes": bytes.len(), "container": "mp4"}}}})
}

fn sha256(bytes: &[u8]) -> String {
    proof::Sha256Digest::of(bytes).to_string()
}

on_both!(an_export_becomes_one_evidence, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    wire.publish(1, None, json!([{"device_id": "1", "name": "Gate", "online": true}])).await;
    approved(&site).await;
    assert_eq!(state(&site).await, "approved");
    let task = wire.lease().await.json;
    assert_eq!((task["kind"].as_str(), task["device_id"].as_str()), (Some("export"), Some("1")), "{task}");
    assert_eq!(state(&site).await, "exporting");
    let waits = wire.about(&task, "progress", json!({"phase": "waiting_for_recording", "bytes_done": 0})).await;
    assert_eq!(waits.status, 204);
    let ana = site.sign_in("ana").await;
    let request = rows(&site, "SELECT id FROM video_requests", "id").await.remove(0);
    let item = async || site.get(&format!("/video-requests/{request}"), Some(&ana)).await.json["items"][0].clone();
    let why = "The video system: it answered 503.";
    let away =
        wire.about(&task, "progress", json!({"phase": "waiting_for_system", "bytes_done": 0, "note": why})).await;
    let waits = item().await;
    assert_eq!((away.status, &waits["waiting_for"], &waits["waiting_because"]), (204, &json!("system"), &json!(why)));
    let hours = wire.about(&task, "progress", json!({"phase": "waiting_for_hours", "bytes_done": 0})).await;
    let waits = item().await;
    assert_eq!((hours.status, &waits["waiting_for"], &waits["waiting_because"]), (204, &json!("hours"), &Value::Null));

    // it falls asleep while it uploads; another process takes over and the item is exported once more
    let bytes = b"not really a film".as_slice();
    let slept = wire.upload(&task, bytes).await.unwrap();
    assert_eq!(state(&site).await, "uploading");
    site.test.advance(Duration::from_secs(31));
    let again = wire.lease().await.json;
    assert_eq!((again["id"].clone(), again["lease"].as_i64()), (task["id"].clone(), Some(2)));
    let late = wire.upload(&task, bytes).await.unwrap_err();
    assert_eq!((late.status, late.code()), (409, "lease_lost"));
    assert_eq!(wire.about(&task, "complete", exported(&slept, bytes, &sha256(bytes))).await.status, 409);

    // what arrived is not what was sent: tried again, nothing kept
    let upload = wire.upload(&again, bytes).await.unwrap();
    let differs = wire.about(&again, "complete", exported(&upload, bytes, &sha256(b"another"))).await;
    assert_eq!((differs.status, differs.code()), (409, "hash_differs"), "{}", differs.json);
    assert_eq!(number(&site, "SELECT COUNT(*) AS n FROM evidence").await, 0);
    site.test.advance(Duration::from_secs(10));
    let third = wire.lease().await.json;
    assert_eq!(third["lease"], 3);

    // an upload that is not there
    let missing = "upl_01h455vb4pex5vsknk084sn02q";
    let upload = wire.upload(&third, bytes).await.unwrap();
    let done = exported(&upload, bytes, &sha256(bytes));
    assert_eq!(wire.about(&third, "complete", done.clone()).await.status, 204);
    assert_eq!(wire.about(&third, "complete", done).await.status, 204, "said twice");
    assert_eq!(wire.about(&third, "complete", exported(missing, bytes, "")).await.status, 204, "ended is ended");
    assert_eq!(number(&site, "SELECT COUNT(*) AS n FROM evidence").await, 1);
    let mut tx = site.test.app.read().await.unwrap();
    let row = Sql::new("SELECT sha256, recorded_from, gaps, manifest FROM evidence").fetch_one(&mut tx).await.unwrap();
    assert_eq!(row.text("sha256").unwrap(), sha256(bytes));
    assert_eq!(row.time("recorded_from").unwrap().to_string(), "2026-11-22T09:59:59.000Z");
    assert!(row.text("manifest").unwrap().contains("first_frame"));
    assert_eq!(wire.lease().await.status, 204, "nothing is left to do");

    // what the tries before had sent goes soon, with its bytes
    assert_eq!(number(&site, "SELECT COUNT(*) AS n FROM uploads WHERE state = 'finished'").await, 3);
    let blobs = rows(&site, "SELECT blob FROM uploads WHERE evidence_id IS NULL", "blob").await;
    app::upload::remove_orphaned(&site.test.app).await.unwrap();
    assert_eq!(number(&site, "SELECT COUNT(*) AS n FROM uploads WHERE state = 'finished'").await, 1);
    for blob in blobs {
        assert_eq!(site.test.app.blobs().size(&blob).await.unwrap(), None);
    }
});

on_both!(each_gap_is_told_with_its_reason, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    wire.publish(1, None, json!([{"device_id": "1", "name": "Gate", "online": true}])).await;
    let item = approved(&site).await;
    let task = wire.lease().await.json;
    let bytes = b"not really a film".as_slice();
    let upload = wire.upload(&task, bytes).await.unwrap();
    assert_eq!(wire.about(&task, "complete", exported(&upload, bytes, &sha256(bytes))).await.status, 204);
    site.test.run_jobs().await;
    let evidence = rows(&site, "SELECT id FROM evidence", "id").await.remove(0);

    let ana = site.sign_in("ana").await;
    let reason = json!("10-01.mp4 cannot be read: a part of it is damaged");
    let reasons = |gaps: &Value| gaps.as_array().unwrap().iter().map(|gap| gap["reason"].clone()).collect::<Vec<_>>();
    let file = site.get(&format!("/evidence/{evidence}"), Some(&ana)).await.json;
    assert_eq!(reasons(&file["recorded"]["gaps"]), [reason.clone(), Value::Null, reason.clone()], "{file}");
    let clock = json!([{"at_ms": 0, "from": "2026-11-22T09:59:59.000Z"}]);
    assert_eq!(file["recorded"]["clock"], clock, "no recordings are told, {file}");
    let request = rows(&site, "SELECT request_id FROM request_items", "request_id").await.remove(0);
    let request = site.get(&format!("/video-requests/{request}"), Some(&ana)).await.json;
    assert_eq!(request["items"][0]["id"], item);
    assert_eq!(reasons(&request["items"][0]["evidence"][0]["gaps"]), [reason.clone(), Value::Null, reason]);

    let ready = "SELECT body_text, body_html FROM mails WHERE template = 'footage_ready'";
    for body in ["body_text", "body_html"] {
        let mail = rows(&site, ready, body).await.remove(0);
        let told: Vec<&str> = mail.lines().filter(|line| line.contains("Missing")).collect();
        assert_eq!(told.len(), 2, "{mail}");
        let (damaged, nothing) = (told[0], told[1]);
        assert!(damaged.contains("02:01:10 PST, 2026-11-22 02:01:40 PST to"), "both windows of one reason: {damaged}");
        assert!(damaged.contains(" (10-01.mp4 cannot be read: a part of it is damaged)"), "{damaged}");
        assert!(nothing.contains("02:01:20 PST") && nothing.contains("(the recorder has no footage)"), "{nothing}");
    }
});

on_both!(recordings_that_overlap_put_the_clock_back, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    wire.publish(1, None, json!([{"device_id": "1", "name": "Gate", "online": true}])).await;
    approved_as(&site, json!({"level": "view"})).await;
    let task = wire.lease().await.json;
    let bytes = b"not really a film".as_slice();
    let upload = wire.upload(&task, bytes).await.unwrap();
    let segment = |name: &str, from: &str, to: &str, at_us: i64| json!({"name": name, "from": from, "to": to, "at_us": at_us, "size_bytes": 1, "sha256": ""});
    // entered a second after its beginning; the second begins two seconds before it ends, the third goes on from that
    let segments = [
        segment("a.mp4", "2026-11-22T09:59:58Z", "2026-11-22T10:01:00Z", 0),
        segment("b.mp4", "2026-11-22T10:00:58Z", "2026-11-22T10:01:30Z", 61_000_000),
        segment("c.mp4", "2026-11-22T10:01:30Z", "2026-11-22T10:02:00Z", 93_000_000),
    ];
    let mut done = exported(&upload, bytes, &sha256(bytes));
    done["result"]["manifest"]["segments"] = json!(segments);
    assert_eq!(wire.about(&task, "complete", done).await.status, 204);
    site.test.run_jobs().await;
    let evidence = rows(&site, "SELECT id FROM evidence", "id").await.remove(0);
    let file = site.get(&format!("/evidence/{evidence}"), Some(&site.sign_in("ana").await)).await.json;
    assert_eq!((&file["level"], &file["original_url"]), (&json!("view"), &Value::Null), "{file}");
    let clock = [("2026-11-22T09:59:59.000Z", 0), ("2026-11-22T10:00:58.000Z", 61_000)];
    let told = |later_ms| json!(clock.map(|(from, at_ms)| json!({"at_ms": at_ms + later_ms, "from": from})));
    assert_eq!(file["recorded"]["clock"], told(0), "{file}");

    // where sound begins before the first picture, the player's time is that of the sound
    let mut tx = site.test.app.begin().await.unwrap();
    let sql = Sql::new("UPDATE evidence SET media = ").arg(r#"{"first_picture_ms":400}"#);
    sql.add(" WHERE id = ").arg(evidence.as_str()).execute(&mut tx).await.unwrap();
    arranged(tx, &[&evidence]).await;
    let file = site.get(&format!("/evidence/{evidence}"), Some(&site.sign_in("ana").await)).await.json;
    assert_eq!(file["recorded"]["clock"], told(400), "{file}");
});

on_both!(what_was_half_sent_for_a_canceled_item_goes, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    wire.publish(1, None, json!([{"device_id": "1", "name": "Gate", "online": true}])).await;
    let item = approved(&site).await;
    let task = wire.lease().await.json;
    wire.send(&task, 100, b"half of it").await.unwrap();
    let staged = || site.test.app.uploads().list().unwrap().len();
    app::upload::remove_orphaned(&site.test.app).await.unwrap();
    assert_eq!(staged(), 1, "the task is still at work");
    let ana = site.sign_in("ana").await;
    let canceled = site.post(&format!("/request-items/{item}/cancel"), Some(&ana), json!({})).await;
    assert_eq!(canceled.status, 200, "{}", canceled.json);
    app::upload::remove_orphaned(&site.test.app).await.unwrap();
    assert_eq!(staged(), 0);
    assert_eq!(rows(&site, "SELECT state FROM uploads", "state").await, ["terminated"]);
});

on_both!(each_reason_for_nothing_is_said, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    wire.publish(1, None, json!([{"device_id": "1", "name": "Gate"}])).await;
    for reason in ["never_recorded", "overwritten", "gap"] {
        approved(&site).await;
        let task = wire.lease().await.json;
        let said = json!({"code": "unavailable", "reason": reason, "detail": "There is no recording of it."});
        assert_eq!(wire.about(&task, "fail", said.clone()).await.status, 204);
        assert_eq!(wire.about(&task, "fail", said).await.status, 204, "said twice");
    }
    let mut reasons =
        rows(&site, "SELECT reason_code FROM request_items WHERE state = 'unavailable'", "reason_code").await;
    reasons.sort();
    assert_eq!(reasons, ["gap", "never_recorded", "overwritten"]);
    // It is an answer, and no failure of the connector's.
    assert_eq!(rows(&site, "SELECT state FROM connector_tasks", "state").await, ["unavailable"; 3]);
    let told = site.test.mails().await.into_iter().filter(|(template, _)| template.contains("unavailable")).count();
    assert_eq!(told, 3);
});

on_both!(an_export_that_never_works_fails_and_a_canceled_one_is_dropped, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    wire.publish(1, None, json!([{"device_id": "1", "name": "Gate"}])).await;
    approved(&site).await;
    for _ in 0..domain::connector::TRIES {
        let task = wire.lease().await.json;
        assert_eq!(state(&site).await, "exporting");
        wire.about(&task, "fail", json!({"code": "error", "retryable": true, "detail": "The disk is busy."})).await;
        site.test.advance(Duration::from_secs(60));
    }
    assert_eq!(state(&site).await, "failed");
    assert_eq!(rows(&site, "SELECT reason_code FROM request_items", "reason_code").await, ["export_failed"]);

    let item = approved(&site).await;
    let task = wire.lease().await.json;
    let ana = site.sign_in("ana").await;
    let canceled = site.post(&format!("/request-items/{item}/cancel"), Some(&ana), json!({})).await;
    assert_eq!(canceled.status, 200, "{}", canceled.json);
    assert_eq!(wire.about(&task, "extend", json!({})).await.status, 409);
    assert_eq!(wire.lease().await.status, 204);
});

on_both!(a_system_that_stays_away_is_waited_for_until_the_deadline, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    wire.publish(1, None, json!([{"device_id": "1", "name": "Gate"}])).await;
    approved(&site).await;
    app::jobs::schedule(&site.test.app).await.unwrap();
    // Another connector may take it over meanwhile; whoever has it says that it waits.
    let waiting = async |days: u64| {
        site.test.advance(Duration::from_secs(days * 24 * 3600));
        app::connector_task::return_lost(&site.test.app).await.unwrap();
        let task = wire.lease().await.json;
        let away = json!({"phase": "waiting_for_system", "bytes_done": 0, "note": "The video system: no route to it."});
        assert_eq!(wire.about(&task, "progress", away).await.status, 204);
        site.test.run_jobs().await;
        task
    };
    waiting(29).await;
    assert_eq!(state(&site).await, "exporting");
    let task = waiting(2).await;
    assert_eq!(state(&site).await, "expired");
    assert_eq!(wire.about(&task, "extend", json!({})).await.status, 409, "nobody goes on with it");
    assert_eq!(rows(&site, "SELECT reason_code FROM request_items", "reason_code").await, ["system_away"]);
});

on_both!(coverage_is_asked_for, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let wire = Wire::new(&site, &site.test.host, "Depot").await;
    wire.hello(true).await;
    wire.publish(1, None, json!([{"device_id": "1", "name": "Gate"}])).await;
    site.test.account("ana", &site.test.host, &[(Role::Investigator, None)]).await;
    let ana = site.sign_in("ana").await;
    let camera = rows(&site, "SELECT id FROM cameras", "id").await.remove(0);
    let path = format!("/cameras/{camera}/coverage?from=2026-11-22T10:00:00Z&to=2026-11-22T11:00:00Z");
    let unknown = site.get(&path, Some(&ana)).await;
    assert_eq!((unknown.json["spans"].clone(), unknown.json["asked_at"].clone()), (json!([]), Value::Null));
    let refresh = format!("{path}&refresh=true");
    let (asked, ()) = tokio::join!(site.get(&refresh, Some(&ana)), async {
        let task = wire.call("POST", "/tasks/lease", json!({"wait_seconds": 20})).await.json;
        assert_eq!((task["kind"].as_str(), task["device_id"].as_str()), (Some("coverage"), Some("1")));
        assert_eq!(wire.about(&task, "complete", coverage()).await.status, 204);
    });
    assert_eq!(asked.status, 200, "{}", asked.json);
    assert_eq!(asked.json["spans"], json!([{"from": "2026-11-22T10:10:00.000Z", "to": "2026-11-22T11:00:00.000Z"}]));
    assert_eq!(asked.json["complete"], true);
    // a connector that is away is not waited for
    site.test.advance(Duration::from_secs(120));
    let begun = Instant::now();
    assert_eq!(site.get(&refresh, Some(&ana)).await.json["spans"], asked.json["spans"]);
    assert!(begun.elapsed() < Duration::from_secs(3));
});
