//! Video requests through the router, on both databases: every rule, every bad input, every mail.

use std::time::Duration;

use crate::support::{Cookie, Reply, Site, arranged};
use domain::Caller;
use domain::account::Role;
use domain::id::{CameraId, ConnectorId, OrganizationId, RequestItemId};
use domain::request_item::{LinkAnswer, Reason, UnavailableCode};
use serde_json::{Value, json};
use store::testing::TestDatabase;
use store::{Sql, on_both};

/// A police force, a transit agency with a connector, a mall without one; people in each.
struct City {
    site: Site,
    transit: OrganizationId,
    mall: OrganizationId,
    camera: CameraId,
    shop: CameraId,
    hidden: CameraId,
    connector: ConnectorId,
    ana: Cookie,
    ben: Cookie,
    tess: Cookie,
    mo: Cookie,
    hope: Cookie,
    audit: Cookie,
    told: std::sync::Mutex<Vec<String>>,
}

async fn camera(
    site: &Site,
    of: &OrganizationId,
    name: &str,
    connector: Option<&ConnectorId>,
    published: bool,
) -> CameraId {
    let mut tx = site.test.app.begin().await.unwrap();
    let (id, now): (CameraId, _) = (tx.new_id(), tx.now().as_micros());
    Sql::new("INSERT INTO cameras (id, organization_id, name, name_key, description, tags, custom, origins, search_text, connector_id, device_id, retention_hours, published, created_at, updated_at, version) VALUES (")
        .args([id.as_str(), of.as_str(), name, &domain::text::fold(name), "", "[]", "{}", "{}", name])
        .add(", ")
        .args([connector.map(ConnectorId::as_str), connector.map(|_| name)])
        .add(", ")
        .args([168, i64::from(published), now, now, 1])
        .add(")")
        .execute(&mut tx)
        .await
        .unwrap();
    arranged(tx, &[id.as_str()]).await;
    id
}

async fn connector(site: &Site, of: &OrganizationId) -> ConnectorId {
    let mut tx = site.test.app.begin().await.unwrap();
    let (id, now): (ConnectorId, _) = (tx.new_id(), tx.now().as_micros());
    Sql::new("INSERT INTO connectors (id, organization_id, name, key_hash, source_sequence, last_seen_at, created_at, version) VALUES (")
        .args([id.as_str(), of.as_str(), "Recorder", "hash"])
        .add(", ")
        .args([0, now, now, 1])
        .add(")")
        .execute(&mut tx)
        .await
        .unwrap();
    arranged(tx, &[id.as_str()]).await;
    id
}

impl City {
    async fn new(database: TestDatabase) -> Self {
        Self::with(database, |_| {}).await
    }

    async fn with(database: TestDatabase, change: impl FnOnce(&mut app::Settings)) -> Self {
        let site = Site::with(database, change).await;
        let host = site.test.host.clone();
        let (transit, mall) = (site.test.organization("Metro Transit").await, site.test.organization("Bay Mall").await);
        for (name, of, roles) in [
            ("ana", &host, vec![(Role::Investigator, None)]),
            ("ben", &host, vec![(Role::Investigator, None), (Role::Approver, Some(&transit))]),
            ("tess", &transit, vec![(Role::Approver, Some(&transit))]),
            ("mo", &mall, vec![(Role::Approver, Some(&mall))]),
            ("hope", &host, vec![(Role::Approver, Some(&host))]),
            ("audit", &host, vec![(Role::Auditor, None)]),
        ] {
            site.test.account(name, of, &roles).await;
        }
        let connector = connector(&site, &transit).await;
        Self {
            camera: camera(&site, &transit, "Station Hall", Some(&connector), true).await,
            shop: camera(&site, &mall, "North Door", None, true).await,
            hidden: camera(&site, &mall, "Vault", None, false).await,
            ana: site.sign_in("ana").await,
            ben: site.sign_in("ben").await,
            tess: site.sign_in("tess").await,
            mo: site.sign_in("mo").await,
            hope: site.sign_in("hope").await,
            audit: site.sign_in("audit").await,
            told: std::sync::Mutex::default(),
            connector,
            transit,
            mall,
            site,
        }
    }

    fn item(&self, source: &CameraId) -> Value {
        json!({"source_id": source, "from": "2026-11-22T11:00:00Z", "to": "2026-11-22T11:02:00Z"})
    }

    fn request(&self, items: Value) -> Value {
        json!({"name": "Theft at the station", "category": "theft", "reason": "A bag was taken.", "items": items,
               "incident": {"number": "I-77", "from": "2026-11-22T11:00:00Z", "to": "2026-11-22T11:02:00Z", "address": "5th & Main",
                            "position": {"lat": 37.8, "lon": -122.4}}})
    }

    async fn submit(&self, items: Value) -> Value {
        let reply = self.site.post("/video-requests", Some(&self.ana), self.request(items)).await;
        assert_eq!(reply.status, 201, "{}", reply.json);
        assert_eq!(reply.headers["etag"], "\"1\"");
        reply.json
    }

    async fn find(&self, who: &Cookie, request: &Value) -> Reply {
        self.site.get(&format!("/video-requests/{}", request["id"].as_str().unwrap()), Some(who)).await
    }

    async fn on(&self, who: &Cookie, request: &Value, verb: &str, body: Value) -> Reply {
        self.site.post(&format!("/video-requests/{}/{verb}", request["id"].as_str().unwrap()), Some(who), body).await
    }

    async fn on_item(&self, who: &Cookie, request: &Value, index: usize, verb: &str, body: Value) -> Reply {
        let id = request["items"][index]["id"].as_str().unwrap();
        self.site.post(&format!("/request-items/{id}/{verb}"), Some(who), body).await
    }

    /// The mails since the last call, template and recipient, in the order of the alphabet.
    async fn new_mails(&self) -> Vec<String> {
        let mails = self.site.test.mails().await;
        let mut new: Vec<String> =
            mails.iter().map(|(template, to)| format!("{template} {}", to.split('@').next().unwrap())).collect();
        let mut told = self.told.lock().unwrap();
        for earlier in told.iter() {
            let at = new.iter().position(|mail| mail == earlier).unwrap();
            new.remove(at);
        }
        told.extend(new.iter().cloned());
        new.sort();
        new
    }

    async fn count(&self, table: &'static str) -> i64 {
        let mut tx = self.site.test.app.read().await.unwrap();
        let row = Sql::new("SELECT COUNT(*) AS n FROM ").add(table).fetch_one(&mut tx).await.unwrap();
        store::Columns::int(&row, "n").unwrap()
    }
}

fn item_id(request: &Value, index: usize) -> RequestItemId {
    request["items"][index]["id"].as_str().unwrap().parse().unwrap()
}

/// What a connector, a link or an upload does to an item, in a transaction of its own.
macro_rules! machine {
    ($city:expr, $function:ident, $($argument:expr),*) => {{
        let app = $city.site.test.app.clone();
        let mut tx = app.begin().await.unwrap();
        let result = app::request_item::$function(&app, &mut tx, $($argument),*).await;
        if let Ok(events) = &result {
            if events.is_empty() { tx.commit_housekeeping().await.unwrap() } else { tx.commit(events.clone()).await.unwrap() }
        }
        result.map(|_| ())
    }};
}

on_both!(a_request_lives_from_submission_to_release, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let request = city.submit(json!([city.item(&city.camera)])).await;
    assert_eq!((request["number"].as_str(), request["status"].as_str()), (Some("VR-2026-001"), Some("pending")));
    assert_eq!(request["overwrite_at"], "2026-11-29T11:00:00.000Z", "start plus 168 hours");
    assert_eq!(request["items"][0]["waiting_for"], "decision");
    assert_eq!(request["allowed_actions"], json!(["cancel", "comment"]));
    assert_eq!(request["items"][0]["allowed_actions"], json!(["cancel"]));
    assert_eq!(city.new_mails().await, ["request_submitted ben", "request_submitted tess"]);
    // The owner's approver sees it and approves.
    let seen = city.find(&city.tess, &request).await.json;
    assert_eq!(seen["items"][0]["allowed_actions"], json!(["approve", "deny", "ask", "unavailable", "hold"]));
    let approved = city.on_item(&city.tess, &request, 0, "approve", json!({"comment": "Good luck."})).await;
    assert_eq!(approved.status, 200, "{}", approved.json);
    assert_eq!(approved.json["status"], "processing");
    assert_eq!(approved.json["items"][0]["waiting_for"], "connector");
    assert_eq!(approved.json["case_id"], Value::Null, "the case is not the owner's to see");
    assert_eq!(city.new_mails().await, ["item_approved ana"]);
    let mine = city.find(&city.ana, &request).await.json;
    assert!(mine["case_id"].as_str().unwrap().starts_with("cas_"), "a case was made");
    assert_eq!(mine["items"][0]["decided_by"]["name"], "tess Example");
    assert_eq!(mine["thread"][0]["body"], "Good luck.");
    assert_eq!((city.count("connector_tasks").await, city.count("cases").await), (1, 1));
    // The connector does its work.
    let (by, id) = (Caller::connector(city.connector.clone(), city.transit.clone()), item_id(&request, 0));
    machine!(city, export_leased, &by, &id).unwrap();
    assert_eq!(city.find(&city.ana, &request).await.json["items"][0]["state"], "exporting");
    machine!(city, lease_lost, &id).unwrap();
    machine!(city, export_leased, &by, &id).unwrap();
    machine!(city, upload_started, &by, &id).unwrap();
    machine!(city, upload_started, &by, &id).unwrap();
    let uploading = city.find(&city.ana, &request).await.json;
    assert_eq!(uploading["items"][0]["progress"], json!({"bytes_done": 0, "bytes_total": null}));
    machine!(city, evidence_arrived, &by, &id).unwrap();
    let done = city.find(&city.ana, &request).await.json;
    assert_eq!((done["status"].as_str(), done["open"].as_bool()), (Some("completed"), Some(false)));
    assert_eq!(city.new_mails().await, ["footage_ready ana"]);
    // What comes twice changes nothing and mails nothing.
    assert_eq!(machine!(city, evidence_arrived, &by, &id).unwrap_err().code, "wrong_state");
    assert_eq!(city.new_mails().await, Vec::<String>::new());
});

on_both!(each_owner_sees_its_own_items_only, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let place = json!({"from": "2026-11-22T11:00:00Z", "to": "2026-11-22T11:02:00Z"});
    let request = city.submit(json!([city.item(&city.camera), city.item(&city.shop), place])).await;
    let mut mails = city.new_mails().await;
    mails.sort();
    assert_eq!(
        mails,
        ["request_submitted ben", "request_submitted hope", "request_submitted mo", "request_submitted tess"]
    );
    for (who, count) in
        [(&city.ana, 3), (&city.audit, 3), (&city.tess, 1), (&city.mo, 1), (&city.hope, 1), (&city.ben, 1)]
    {
        let reply = city.find(who, &request).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.json["items"].as_array().unwrap().len(), count);
        assert_eq!(reply.json["item_count"], count);
        let listed = city.site.get("/video-requests?count=true", Some(who)).await.json;
        assert_eq!(
            (listed["total"].as_i64(), listed["items"][0]["item_count"].as_u64()),
            (Some(1), Some(count as u64))
        );
    }
    // What is decided at one owner is not seen at another.
    let denied = city.on(&city.mo, &request, "deny", json!({"comment": "Not without a warrant."})).await;
    assert_eq!((denied.status, denied.json["status"].as_str()), (200, Some("denied")));
    assert_eq!(city.new_mails().await, ["item_denied ana"]);
    let tess = city.find(&city.tess, &request).await.json;
    assert_eq!((tess["status"].as_str(), tess["thread"].as_array().unwrap().len()), (Some("pending"), 0));
    assert_eq!(city.find(&city.ana, &request).await.json["thread"][0]["kind"], "decision");
    let list = |who, query: &'static str| {
        let (site, who): (&Site, &Cookie) = (&city.site, who);
        async move { site.get(&format!("/video-requests?{query}"), Some(who)).await.json["items"].as_array().unwrap().len() }
    };
    assert_eq!((list(&city.mo, "status=denied").await, list(&city.mo, "status=pending").await), (1, 0));
    assert_eq!((list(&city.tess, "status=denied").await, list(&city.tess, "status=pending,processing").await), (0, 1));
    assert_eq!((list(&city.mo, "open=true").await, list(&city.mo, "open=false").await), (0, 1));
    assert_eq!((list(&city.mo, "reviewable=true").await, list(&city.tess, "reviewable=true").await), (0, 1));
    assert_eq!(list(&city.ana, "reviewable=true").await, 0);
    // Another owner's item is not there, and neither is its message.
    assert_eq!(city.on_item(&city.tess, &request, 1, "approve", json!({})).await.status, 404);
    let comment = city.on(&city.tess, &request, "comments", json!({"body": "We look for it."})).await;
    assert_eq!(comment.json["thread"][0]["body"], "We look for it.");
    assert_eq!(city.find(&city.mo, &request).await.json["thread"].as_array().unwrap().len(), 1, "their own decision");
    city.on(&city.ana, &request, "comments", json!({"body": "Thank you all."})).await;
    assert_eq!(city.find(&city.mo, &request).await.json["thread"].as_array().unwrap().len(), 2);
});

on_both!(what_is_not_seen_is_not_there, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let request = city.submit(json!([city.item(&city.camera)])).await;
    let id = request["id"].as_str().unwrap();
    assert_eq!(city.find(&city.mo, &request).await.status, 404);
    for verb in ["approve", "deny", "cancel"] {
        assert_eq!(city.on(&city.mo, &request, verb, json!({})).await.status, 404);
        assert_eq!(city.on_item(&city.mo, &request, 0, verb, json!({})).await.status, 404);
    }
    assert_eq!(city.on(&city.mo, &request, "comments", json!({"body": "x"})).await.status, 404);
    assert_eq!(city.site.get(&format!("/video-requests/{id}"), None).await.status, 401);
    let listed = city.site.get("/video-requests?count=true", Some(&city.mo)).await.json;
    assert_eq!((listed["items"].as_array().unwrap().len(), listed["total"].as_i64()), (0, Some(0)));
    // Seen, but not theirs to do: 403.
    for (who, verb) in
        [(&city.ana, "approve"), (&city.audit, "approve"), (&city.tess, "cancel"), (&city.audit, "cancel")]
    {
        let reply = city.on_item(who, &request, 0, verb, json!({})).await;
        assert_eq!((reply.status, reply.code()), (403, "forbidden"), "{verb}");
        assert_eq!(city.on(who, &request, verb, json!({})).await.status, 403, "{verb}");
    }
    assert_eq!(city.on(&city.audit, &request, "comments", json!({"body": "x"})).await.status, 403);
    // Somebody without the privilege asks for nothing.
    let body = city.request(json!([city.item(&city.camera)]));
    assert_eq!(city.site.post("/video-requests", Some(&city.tess), body).await.status, 403);
    assert_eq!(city.find(&city.ana, &request).await.json["version"], 1);
});

on_both!(bad_input_changes_nothing, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let with = |path: &str, value: Value| {
        let mut body = city.request(json!([city.item(&city.camera)]));
        *body.pointer_mut(path).unwrap() = value;
        body
    };
    let (t, f) = ("/items/0/to", "/items/0/from");
    let mut future = with(f, json!("2026-11-22T12:01:00Z"));
    future["items"][0]["to"] = json!("2026-11-22T12:02:00Z");
    let mut placeless = with("/incident/address", Value::Null);
    placeless["incident"]["position"] = Value::Null;
    placeless["items"][0]["source_id"] = Value::Null;
    for (body, pointer) in [
        (with(t, json!("2026-11-22T10:59:00Z")), t),
        (with(t, json!("2026-11-22T11:00:00Z")), t),
        (with(t, json!("2026-11-22T13:00:01Z")), t),
        (with(t, json!("2026-11-22T12:16:00Z")), t),
        (future, f),
        (with("/name", json!(" ")), "/name"),
        (with("/name", json!("x".repeat(201))), "/name"),
        (with("/reason", json!("x".repeat(10_001))), "/reason"),
        (with("/items", json!([])), "/items"),
        (with("/items", json!(vec![city.item(&city.camera); 501])), "/items"),
        (with("/incident/to", json!("2026-11-22T10:00:00Z")), "/incident/to"),
        (with("/incident/from", json!("2026-11-22T13:00:00Z")), "/incident/to"),
        (with("/incident/position/lat", json!(91)), "/incident/position"),
        (placeless, "/items/0/source_id"),
    ] {
        let reply = city.site.post("/video-requests", Some(&city.ana), body).await;
        assert_eq!((reply.status, reply.code()), (422, "invalid"), "{pointer}: {}", reply.json);
        assert_eq!(reply.json["errors"][0]["pointer"], pointer, "{}", reply.json);
        assert_eq!(reply.headers["content-type"], "application/problem+json");
    }
    let unknown = CameraId::new(app::testing::start(), [9; 10]);
    for source in [&unknown, &city.hidden] {
        let reply = city.site.post("/video-requests", Some(&city.ana), with("/items/0/source_id", json!(source))).await;
        assert_eq!((reply.status, reply.code()), (404, "not_found"), "unknown and hidden look the same");
    }
    let case = with("/name", json!("x"));
    let mut case = case.as_object().unwrap().clone();
    case.insert("case_id".into(), json!("cas_01h455vb4pex5vsknk084sn02q"));
    assert_eq!(city.site.post("/video-requests", Some(&city.ana), Value::Object(case)).await.status, 404);
    let mut missing = with("/name", json!("x"));
    missing.as_object_mut().unwrap().remove("incident");
    for body in
        [missing, with(f, json!("yesterday")), with("/items/0/source_id", json!("veh_1")), json!([]), json!(null)]
    {
        let reply = city.site.post("/video-requests", Some(&city.ana), body).await;
        assert_eq!((reply.status, reply.headers["content-type"].to_str().unwrap()), (422, "application/problem+json"));
    }
    let big = with("/reason", json!("x".repeat(2 << 20)));
    assert_eq!(city.site.post("/video-requests", Some(&city.ana), big).await.status, 413);
    for query in
        ["status=nonsense", "sort=name", "limit=0", "limit=501", "cursor=nonsense", "from=yesterday", "open=perhaps"]
    {
        let reply = city.site.get(&format!("/video-requests?{query}"), Some(&city.ana)).await;
        assert_eq!(reply.status, 422, "{query}");
    }
    assert_eq!((city.count("video_requests").await, city.count("request_items").await), (0, 0));
    assert_eq!((city.count("counters").await, city.count("mails").await), (0, 0), "no number was used up");
});

on_both!(the_second_decision_is_a_conflict, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let request = city.submit(json!([city.item(&city.camera)])).await;
    for (from, to) in
        [("2026-11-22T10:59:59Z", "2026-11-22T11:02:00Z"), ("2026-11-22T11:01:30Z", "2026-11-22T11:01:00Z")]
    {
        let reply = city.on_item(&city.tess, &request, 0, "approve", json!({"from": from, "to": to})).await;
        assert_eq!((reply.status, reply.json["errors"][0]["pointer"].as_str()), (422, Some("/from")));
    }
    let body = json!({"from": "2026-11-22T11:00:30Z", "level": "view", "review_before_release": true});
    let approved = city.on_item(&city.tess, &request, 0, "approve", body).await.json;
    assert_eq!(
        approved["items"][0]["granted"],
        json!({"from": "2026-11-22T11:00:30.000Z", "to": "2026-11-22T11:02:00.000Z"})
    );
    assert_eq!(
        (approved["items"][0]["from"].as_str(), approved["items"][0]["level"].as_str()),
        (Some("2026-11-22T11:00:00.000Z"), Some("view"))
    );
    let before = city.count("mails").await;
    for (verb, body) in [("approve", json!({})), ("deny", json!({})), ("ask", json!({"body": "?"}))] {
        let reply = city.on_item(&city.tess, &request, 0, verb, body).await;
        assert_eq!((reply.status, reply.code()), (409, "wrong_state"), "{verb}");
    }
    assert_eq!(city.on(&city.tess, &request, "approve", json!({})).await.status, 409);
    assert_eq!(city.on(&city.tess, &request, "deny", json!({})).await.status, 409);
    assert_eq!(city.count("mails").await, before);
    // Two at once: one wins.
    let request = city.submit(json!([city.item(&city.camera)])).await;
    let (one, two) = tokio::join!(
        city.on_item(&city.tess, &request, 0, "approve", json!({})),
        city.on_item(&city.ben, &request, 0, "deny", json!({}))
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
});

on_both!(requester_and_approver_are_two_people, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let own =
        city.site.post("/video-requests", Some(&city.ben), city.request(json!([city.item(&city.camera)]))).await.json;
    assert_eq!(city.new_mails().await, ["request_submitted tess"], "not to the requester");
    assert_eq!(own["items"][0]["allowed_actions"], json!(["cancel"]));
    let reply = city.on_item(&city.ben, &own, 0, "approve", json!({})).await;
    assert_eq!((reply.status, reply.code()), (403, "forbidden"));
    assert_eq!(city.on(&city.ben, &own, "approve", json!({})).await.status, 403);
    assert_eq!(city.on(&city.tess, &own, "approve", json!({})).await.status, 200);
});

on_both!(an_owner_without_approvers_does_not_miss_a_request, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let (host, campus) = (&city.site.test.host, city.site.test.organization("Campus").await);
    city.site.test.account("chief", host, &[(Role::Approver, None)]).await;
    let gate = camera(&city.site, &campus, "Gate", None, true).await;
    let request = city.submit(json!([city.item(&gate)])).await;
    assert_eq!(city.new_mails().await, ["request_submitted chief"]);
    let chief = city.site.sign_in("chief").await;
    assert_eq!(city.on(&chief, &request, "approve", json!({})).await.status, 200);
});

on_both!(a_policy_may_let_them_be_one, |database: TestDatabase| async move {
    let city = City::with(database, |settings| settings.requester_may_approve = true).await;
    let own =
        city.site.post("/video-requests", Some(&city.ben), city.request(json!([city.item(&city.camera)]))).await.json;
    assert_eq!(city.on(&city.ben, &own, "approve", json!({})).await.status, 200);
});

on_both!(a_question_is_answered, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let request = city.submit(json!([city.item(&city.camera)])).await;
    city.new_mails().await;
    assert_eq!(city.on_item(&city.tess, &request, 0, "ask", json!({"body": " "})).await.status, 422);
    let asked = city.on_item(&city.tess, &request, 0, "ask", json!({"body": "Which platform?"})).await.json;
    assert_eq!(
        (asked["items"][0]["state"].as_str(), asked["status"].as_str()),
        (Some("needs_information"), Some("pending"))
    );
    assert_eq!(city.new_mails().await, ["item_question ana"]);
    assert_eq!(city.on_item(&city.tess, &request, 0, "approve", json!({})).await.status, 409);
    let mine = city.find(&city.ana, &request).await.json;
    assert_eq!(
        (mine["items"][0]["waiting_for"].as_str(), &mine["items"][0]["allowed_actions"]),
        (Some("answer"), &json!(["answer", "cancel"]))
    );
    city.site.test.advance(Duration::from_millis(1));
    let answered = city.on_item(&city.ana, &request, 0, "answer", json!({"body": "Platform 2."})).await.json;
    assert_eq!(answered["items"][0]["state"], "pending");
    let kinds: Vec<&str> = answered["thread"].as_array().unwrap().iter().map(|m| m["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["question", "answer"]);
    assert_eq!(city.new_mails().await, ["item_answer ben", "item_answer tess"]);
});

on_both!(without_a_connector_a_link_is_sent, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let request = city.submit(json!([city.item(&city.shop)])).await;
    city.new_mails().await;
    let approved = city.on(&city.mo, &request, "approve", json!({})).await.json;
    assert_eq!(approved["items"][0]["waiting_for"], "link");
    assert!(approved["items"][0]["file_request"]["id"].as_str().unwrap().starts_with("frq_"));
    assert_eq!(city.new_mails().await, ["file_request mo", "item_approved ana"]);
    let mut tx = city.site.test.app.read().await.unwrap();
    let mail = store::mail::list(&mut tx, &store::mail::Filter { limit: 10, ..Default::default() })
        .await
        .unwrap()
        .into_iter()
        .find(|m| m.template == "file_request")
        .unwrap();
    drop(tx);
    assert_eq!(
        mail.subject,
        format!("{}: footage to upload: {}", approved["number"].as_str().unwrap(), approved["name"].as_str().unwrap())
    );
    assert!(mail.text.contains("http://127.0.0.1:8080/f/"), "{}", mail.text);
    // Whoever has the link decides with the same verbs.
    let by = Caller::link(approved["items"][0]["file_request"]["id"].as_str().unwrap().parse().unwrap());
    machine!(city, link_answered, &by, &item_id(&request, 0), LinkAnswer::Have, None).unwrap();
    machine!(city, link_answered, &by, &item_id(&request, 0), LinkAnswer::Nothing, None).unwrap();
    let gone = city.find(&city.ana, &request).await.json;
    assert_eq!(
        (gone["status"].as_str(), gone["items"][0]["reason"]["code"].as_str()),
        (Some("video_unavailable"), Some("nothing_there"))
    );
    assert!(gone["items"][0]["file_request"]["revoked_at"].is_string());
    assert_eq!(city.new_mails().await, ["item_unavailable ana"]);
    let request = city.submit(json!([city.item(&city.shop)])).await;
    city.on(&city.mo, &request, "approve", json!({})).await;
    machine!(city, link_answered, &by, &item_id(&request, 0), LinkAnswer::No, None).unwrap();
    assert_eq!(city.find(&city.ana, &request).await.json["status"], "denied");
});

on_both!(each_reason_for_no_recording_is_told, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let by = Caller::connector(city.connector.clone(), city.transit.clone());
    for code in [UnavailableCode::NeverRecorded, UnavailableCode::Overwritten, UnavailableCode::Gap] {
        let request = city.submit(json!([city.item(&city.camera)])).await;
        city.on(&city.tess, &request, "approve", json!({})).await;
        machine!(city, export_leased, &by, &item_id(&request, 0)).unwrap();
        city.new_mails().await;
        machine!(city, export_unavailable, &by, &item_id(&request, 0), code, "The recorder says so.").unwrap();
        let ended = city.find(&city.ana, &request).await.json;
        assert_eq!(ended["status"], "video_unavailable");
        assert_eq!(ended["items"][0]["reason"], json!({"code": code.as_str(), "detail": "The recorder says so."}));
        assert_eq!(city.new_mails().await, ["item_unavailable ana"]);
    }
    let request = city.submit(json!([city.item(&city.camera)])).await;
    let said =
        city.on_item(&city.tess, &request, 0, "unavailable", json!({"comment": "That camera was broken."})).await.json;
    assert_eq!(
        (said["items"][0]["state"].as_str(), said["items"][0]["reason"]["code"].as_str()),
        (Some("unavailable"), Some("nothing_there"))
    );
});

on_both!(no_recording_after_the_first_byte_is_a_failure, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let by = Caller::connector(city.connector.clone(), city.transit.clone());
    let request = city.submit(json!([city.item(&city.camera)])).await;
    city.on(&city.tess, &request, "approve", json!({})).await;
    machine!(city, export_leased, &by, &item_id(&request, 0)).unwrap();
    machine!(city, upload_started, &by, &item_id(&request, 0)).unwrap();
    machine!(city, export_unavailable, &by, &item_id(&request, 0), UnavailableCode::Overwritten, "Gone.").unwrap();
    let failed = city.find(&city.ana, &request).await.json;
    assert_eq!((&failed["status"], &failed["items"][0]["reason"]["code"]), (&json!("failed"), &json!("overwritten")));
});

on_both!(what_failed_is_retried, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let by = Caller::connector(city.connector.clone(), city.transit.clone());
    let request = city.submit(json!([city.item(&city.camera)])).await;
    city.on(&city.tess, &request, "approve", json!({})).await;
    machine!(city, export_leased, &by, &item_id(&request, 0)).unwrap();
    city.new_mails().await;
    let reason = Reason { code: "disk".into(), detail: "The recorder's disk failed.".into() };
    machine!(city, export_failed, &by, &item_id(&request, 0), reason).unwrap();
    let failed = city.find(&city.ana, &request).await.json;
    assert_eq!((failed["status"].as_str(), failed["open"].as_bool()), (Some("failed"), Some(false)));
    assert_eq!(failed["items"][0]["allowed_actions"], json!(["cancel", "retry"]));
    assert_eq!(city.new_mails().await, ["item_failed ana", "item_failed ben", "item_failed tess"]);
    let again = city
        .site
        .call("POST", &format!("/request-items/{}/retry", item_id(&request, 0)), Some(&city.ana), None, &[])
        .await;
    assert_eq!((again.status, again.json["items"][0]["state"].as_str()), (200, Some("approved")), "{}", again.json);
    assert_eq!(again.json["items"][0]["reason"], Value::Null);
    assert_eq!(city.count("connector_tasks").await, 2);
});

on_both!(what_arrived_is_looked_at_first, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let by = Caller::connector(city.connector.clone(), city.transit.clone());
    for verb in ["release", "deny"] {
        let request = city.submit(json!([city.item(&city.camera)])).await;
        city.on_item(&city.tess, &request, 0, "approve", json!({"review_before_release": true})).await;
        machine!(city, export_leased, &by, &item_id(&request, 0)).unwrap();
        machine!(city, upload_started, &by, &item_id(&request, 0)).unwrap();
        city.new_mails().await;
        machine!(city, evidence_arrived, &by, &item_id(&request, 0)).unwrap();
        assert_eq!(city.new_mails().await, ["footage_in_review ben", "footage_in_review tess"]);
        assert_eq!(city.find(&city.ana, &request).await.json["items"][0]["state"], "in_review");
        assert_eq!(city.on_item(&city.ana, &request, 0, "cancel", json!({})).await.status, 409);
        let body = if verb == "deny" { json!({}) } else { Value::Null };
        let decided = city.on_item(&city.tess, &request, 0, verb, body).await;
        assert_eq!(decided.status, 200, "{}", decided.json);
        let told = if verb == "deny" { "item_denied ana" } else { "footage_ready ana" };
        assert_eq!(city.new_mails().await, [told]);
    }
});

on_both!(several_items_are_decided_together_with_one_mail, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let camera = city.item(&city.camera);
    let request = city.submit(json!([camera, camera, camera, camera, city.item(&city.shop)])).await;
    city.new_mails().await;
    let ids: Vec<_> = (0..5).map(|n| item_id(&request, n).to_string()).collect();
    let states = async || -> Vec<String> {
        let now = city.find(&city.ana, &request).await.json;
        now["items"].as_array().unwrap().iter().map(|item| item["state"].as_str().unwrap().to_owned()).collect()
    };
    // All that are named, or none of them.
    for (named, status) in [(&ids[4], 404), (&"itm_01h455vb4pex5vsknk084sn02q".to_owned(), 404)] {
        let reply = city.on(&city.tess, &request, "approve", json!({"item_ids": [ids[0], named]})).await;
        assert_eq!(reply.status, status, "{}", reply.json);
    }
    assert_eq!((states().await, city.new_mails().await), (vec!["pending".to_owned(); 5], Vec::new()));

    let terms =
        json!({"item_ids": [ids[0], ids[1]], "level": "view", "review_before_release": true, "comment": "Both."});
    let approved = city.on(&city.tess, &request, "approve", terms).await;
    assert_eq!(approved.status, 200, "{}", approved.json);
    assert_eq!(
        (&approved.json["items"][1]["level"], &approved.json["items"][1]["review_before_release"]),
        (&json!("view"), &json!(true))
    );
    assert_eq!(city.new_mails().await, ["item_approved ana"], "one mail names both");
    let again = city.on(&city.tess, &request, "deny", json!({"item_ids": [ids[2], ids[0]]})).await;
    assert_eq!((again.status, again.code()), (409, "wrong_state"));
    assert_eq!(city.on(&city.tess, &request, "deny", json!({"item_ids": [ids[2], ids[3]]})).await.status, 200);
    assert_eq!(states().await, ["approved", "approved", "denied", "denied", "pending"]);
    assert_eq!(city.new_mails().await, ["item_denied ana"]);
});

on_both!(canceling_ends_what_was_waiting, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let request = city.submit(json!([city.item(&city.camera), city.item(&city.shop)])).await;
    city.on(&city.tess, &request, "approve", json!({})).await;
    let canceled = city.on(&city.ana, &request, "cancel", json!({"comment": "Solved."})).await;
    assert_eq!((canceled.status, canceled.json["status"].as_str()), (200, Some("canceled")));
    let mut tx = city.site.test.app.read().await.unwrap();
    let row = Sql::new("SELECT state, lease FROM connector_tasks").fetch_one(&mut tx).await.unwrap();
    assert_eq!(
        (store::Columns::text(&row, "state").unwrap().as_str(), store::Columns::int(&row, "lease").unwrap()),
        ("canceled", 1)
    );
    drop(tx);
    let by = Caller::connector(city.connector.clone(), city.transit.clone());
    assert_eq!(machine!(city, export_leased, &by, &item_id(&request, 0)).unwrap_err().code, "wrong_state");
    assert_eq!(city.on(&city.ana, &request, "cancel", json!({})).await.status, 409);
});

on_both!(the_deadline_ends_what_waits, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let request = city.submit(json!([city.item(&city.camera), city.item(&city.shop)])).await;
    city.on(&city.tess, &request, "approve", json!({})).await;
    app::jobs::schedule(&city.site.test.app).await.unwrap();
    city.new_mails().await;
    city.site.test.advance(Duration::from_secs(29 * 24 * 3600));
    city.site.test.run_jobs().await;
    assert_eq!(city.new_mails().await, Vec::<String>::new());
    let ana = city.site.sign_in("ana").await;
    let waiting = city.find(&ana, &request).await.json;
    assert_eq!(waiting["items"][0]["waiting_for"], "connector_offline");
    assert_eq!(waiting["items"][0]["waiting_since"], "2026-11-22T12:00:00.000Z");
    city.site.test.advance(Duration::from_secs(2 * 24 * 3600));
    city.site.test.run_jobs().await;
    let ana = city.site.sign_in("ana").await;
    let ended = city.find(&ana, &request).await.json;
    assert_eq!((ended["status"].as_str(), ended["items"][1]["state"].as_str()), (Some("expired"), Some("expired")));
    assert_eq!(city.new_mails().await, ["item_expired ana", "item_expired ana"]);
});

on_both!(the_same_post_creates_one_request, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let body = city.request(json!([city.item(&city.camera)]));
    let key = [("idempotency-key", "abc-1")];
    let post = |who, body| city.site.call("POST", "/video-requests", Some(who), Some(body), &key);
    let (first, second) = (post(&city.ana, &body).await, post(&city.ana, &body).await);
    assert_eq!((first.status, second.status, &first.json["id"]), (201, 201, &second.json["id"]));
    let mut other = body.clone();
    other["name"] = json!("Another");
    let reused = post(&city.ana, &other).await;
    assert_eq!((reused.status, reused.code()), (409, "idempotency_key_reused"));
    assert_ne!(post(&city.ben, &body).await.json["id"], first.json["id"], "a key is one person's");
    assert_eq!(city.count("video_requests").await, 2);
    let numbers: Vec<Value> = city.site.get("/video-requests?sort=created_at", Some(&city.audit)).await.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["number"].clone())
        .collect();
    assert_eq!(numbers.len(), 2);
    assert!(numbers.contains(&json!("VR-2026-001")) && numbers.contains(&json!("VR-2026-002")), "{numbers:?}");
});

on_both!(numbers_neither_collide_nor_skip, |database: TestDatabase| async move {
    let city = std::sync::Arc::new(City::new(database).await);
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..12 {
        let city = city.clone();
        tasks.spawn(async move {
            if i % 3 == 0 {
                city.site
                    .post("/video-requests", Some(&city.ana), city.request(json!([city.item(&city.hidden)])))
                    .await;
            }
            city.submit(json!([city.item(&city.camera)])).await["number"].as_str().unwrap().to_owned()
        });
    }
    let mut numbers = tasks.join_all().await;
    numbers.sort();
    let expected: Vec<String> = (1..=12).map(|n| format!("VR-2026-{n:03}")).collect();
    assert_eq!(numbers, expected);
});

on_both!(lists_are_searched_sorted_and_paged, |database: TestDatabase| async move {
    let city = City::new(database).await;
    let mut ids = Vec::new();
    for i in 0..5i64 {
        let mut body = city.request(json!([city.item(if i % 2 == 0 { &city.camera } else { &city.shop })]));
        body["name"] = json!(format!("Request {i}"));
        if i < 3 {
            body["needed_by"] = json!(format!("2026-11-2{}T00:00:00Z", 9 - i));
        }
        let reply = city.site.post("/video-requests", Some(&city.ana), body).await;
        assert_eq!(reply.status, 201, "{}", reply.json);
        ids.push(reply.json["id"].as_str().unwrap().to_owned());
        city.site.test.advance(Duration::from_secs(60));
    }
    let (site, ana) = (&city.site, &city.ana);
    let ids_of = |query: String| async move {
        let reply = site.get(&format!("/video-requests?{query}"), Some(ana)).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.json);
        reply.json["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["name"].as_str().unwrap()[8..].to_owned())
            .collect::<String>()
    };
    assert_eq!(ids_of(String::new()).await, "43210");
    assert_eq!(ids_of("sort=created_at".into()).await, "01234");
    assert_eq!(ids_of("sort=needed_by".into()).await, "21034", "those without come last");
    assert_eq!(ids_of("sort=-needed_by".into()).await, "01243", "those without come last");
    assert_eq!(ids_of("q=THEFT+vr-2026-004".into()).await, "3");
    assert_eq!(ids_of("q=north+door".into()).await, "31", "by the name of a source");
    assert_eq!(ids_of("q=i-77&mine=true&status=pending".into()).await, "43210");
    assert_eq!(ids_of("q=100%25".into()).await, "");
    assert_eq!(ids_of(format!("source_id={}", city.camera)).await, "420");
    assert_eq!(ids_of(format!("organization_id={}", city.mall)).await, "31");
    assert_eq!(ids_of("from=2026-11-22T12:01:00Z&to=2026-11-22T12:03:00Z".into()).await, "21");
    for sort in ["-created_at", "created_at", "needed_by", "-needed_by", "overwrite_at", "-overwrite_at"] {
        let whole = ids_of(format!("sort={sort}")).await;
        let (mut paged, mut cursor) = (String::new(), String::new());
        loop {
            let reply = site
                .get(&format!("/video-requests?sort={sort}&limit=2&count=true{cursor}"), Some(&city.ana))
                .await
                .json;
            assert_eq!(reply["total"], 5);
            paged.extend(reply["items"].as_array().unwrap().iter().map(|r| &r["name"].as_str().unwrap()[8..]));
            match reply["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(paged, whole, "{sort}");
    }
    let csv = site.call("GET", "/video-requests?limit=2", Some(&city.ana), None, &[("accept", "text/csv")]).await;
    let text = String::from_utf8(csv.body).unwrap();
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.lines().nth(1).unwrap().contains(&ids[4]), "{text}");
    assert!(csv.headers.contains_key("sightline-next-cursor"));
});

on_both!(the_status_in_sql_is_the_status_in_the_rules, |database: TestDatabase| async move {
    use domain::request_item::State;
    use domain::video_request::Status;
    let city = City::new(database).await;
    let request = city.submit(json!([city.item(&city.camera), city.item(&city.camera), city.item(&city.shop)])).await;
    for one in State::ALL {
        for two in State::ALL {
            let mut tx = city.site.test.app.begin().await.unwrap();
            for (index, state) in [(0, one), (1, two)] {
                Sql::new("UPDATE request_items SET state = ")
                    .arg(state.as_str())
                    .add(" WHERE id = ")
                    .arg(item_id(&request, index).as_str())
                    .execute(&mut tx)
                    .await
                    .unwrap();
            }
            store::video_request::refresh(&mut tx, &request["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
            arranged(tx, &[item_id(&request, 0).as_str(), item_id(&request, 1).as_str()]).await;
            let expected = Status::of([*one, *two]).unwrap();
            let found = city.site.get(&format!("/video-requests?status={expected}"), Some(&city.tess)).await.json;
            assert_eq!(found["items"][0]["status"], expected.as_str(), "{one} {two}");
        }
    }
});
