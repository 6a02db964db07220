//! Bad input, one after the other, through the front door: each gets a problem document that says what is wrong, and changes nothing.
//! What a connector does with a pattern that matches nothing, and with a truncated segment, is in its own `tests/folder.rs`.

use std::time::Duration;

use crate::support::force::{Force, text};
use crate::support::{Cookie, Reply, Site};
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::account::Role;
use serde_json::{Value, json};
use store::testing::TestDatabase;
use store::{Columns as _, Sql, on_both};

/// Everything that somebody could have changed. Sessions and the times at which secrets were used are not among it.
const TABLES: &[&str] = &[
    "organizations",
    "accounts",
    "account_roles",
    "groups",
    "group_members",
    "tokens",
    "connectors",
    "cameras",
    "camera_coverage",
    "counters",
    "cases",
    "case_access",
    "video_requests",
    "request_items",
    "messages",
    "idempotency_keys",
    "evidence",
    "evidence_looks",
    "file_requests",
    "uploads",
    "connector_tasks",
    "jobs",
    "mails",
    "events",
    "event_objects",
];
/// Those of them whose rows count their changes.
const VERSIONED: &[&str] = &["accounts", "cameras", "cases", "video_requests", "file_requests"];

/// An investigator's request for an approver's camera, a link into a case, and an upload by that link of which half has arrived.
struct Desk {
    site: Site,
    ana: Cookie,
    tess: Cookie,
    camera: String,
    hidden: String,
    request: String,
    item: String,
    link: String,
    upload: String,
}

fn id(reply: &Reply) -> String {
    assert!(reply.status < 300, "{} {}", reply.status, reply.json);
    reply.json["id"].as_str().unwrap().to_owned()
}

fn asked(camera: &str) -> Value {
    let window = json!({"from": "2026-11-22T11:00:00Z", "to": "2026-11-22T11:02:00Z"});
    json!({"name": "Theft", "incident": window, "items": [{"source_id": camera, "from": window["from"], "to": window["to"]}]})
}

fn metadata() -> String {
    format!("filename {},file_request {}", STANDARD.encode("clip.mp4"), STANDARD.encode("self"))
}

impl Desk {
    async fn new(database: TestDatabase) -> Self {
        let site = Site::new(database).await;
        let transit = site.test.organization("Metro Transit").await;
        site.test.account("ana", &site.test.host, &[(Role::Investigator, None)]).await;
        site.test.account("tess", &transit, &[(Role::Approver, Some(&transit))]).await;
        site.test.account("otto", &transit, &[(Role::Operator, Some(&transit))]).await;
        let (ana, tess, otto) = (site.sign_in("ana").await, site.sign_in("tess").await, site.sign_in("otto").await);
        let mut cameras = Vec::new();
        for (name, published) in [("Station Hall", true), ("Vault", false)] {
            let camera = json!({"organization_id": transit, "name": name, "published": published, "position": {"lat": 37.8, "lon": -122.4}});
            cameras.push(id(&site.post("/cameras", Some(&otto), camera).await));
        }
        let [camera, hidden] = <[String; 2]>::try_from(cameras).unwrap();
        let request = site.post("/video-requests", Some(&ana), asked(&camera)).await;
        let item = request.json["items"][0]["id"].as_str().unwrap().to_owned();
        let case = id(&site.post("/cases", Some(&ana), json!({"name": "Harbor fire"})).await);
        let made =
            site.post(&format!("/cases/{case}/file-requests"), Some(&ana), json!({"name": "Your footage"})).await;
        let link = made.json["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let mut desk =
            Self { request: id(&request), site, ana, tess, camera, hidden, item, link, upload: String::new() };
        let begun =
            desk.tus("POST", "/api/v1/uploads", &[("upload-length", "11"), ("upload-metadata", &metadata())], "").await;
        desk.upload = begun.headers["location"].to_str().unwrap().to_owned();
        assert_eq!(desk.part("0", "hello", &[]).await.status, 204);
        desk
    }

    async fn tus(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &'static str) -> Reply {
        let request = Request::builder().method(method).uri(path).header("tus-resumable", "1.0.0");
        let request = request.header("authorization", format!("Bearer {}", self.link));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.site.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn part(&self, offset: &str, body: &'static str, more: &[(&str, &str)]) -> Reply {
        let headers =
            [&[("upload-offset", offset), ("content-type", "application/offset+octet-stream")], more].concat();
        self.tus("PATCH", &self.upload, &headers, body).await
    }

    async fn submit(&self, change: impl FnOnce(&mut Value)) -> Reply {
        let mut request = asked(&self.camera);
        change(&mut request);
        self.site.post("/video-requests", Some(&self.ana), request).await
    }

    async fn submit_window(&self, from: &str, to: &str) -> Reply {
        self.submit(|request| {
            request["items"][0]["from"] = json!(from);
            request["items"][0]["to"] = json!(to);
        })
        .await
    }

    /// A number that changes with anything that somebody could have changed.
    async fn state(&self) -> Vec<(&'static str, i64)> {
        let mut tx = self.site.test.app.read().await.unwrap();
        let mut state = Vec::new();
        for table in TABLES {
            let row = Sql::new("SELECT COUNT(*) AS n FROM ").add(table).fetch_one(&mut tx).await.unwrap();
            state.push((*table, row.int("n").unwrap()));
        }
        for table in VERSIONED {
            let sql = Sql::new("SELECT CAST(SUM(version) AS BIGINT) AS n FROM ").add(table);
            state.push((*table, sql.fetch_one(&mut tx).await.unwrap().int("n").unwrap()));
        }
        drop(tx);
        let staged = self.site.test.app.uploads().list().unwrap();
        state.push(("files on the way", staged.len() as i64));
        state
    }
}

/// The answer's status and code; the rest of what a problem has to have, and that nothing has changed, is looked at here.
macro_rules! refused {
    ($desk:expr, $before:expr, $reply:expr, $status:expr, $code:expr) => {{
        let reply = $reply;
        let what = stringify!($reply);
        assert_eq!((reply.status, reply.code()), ($status, $code), "{what}: {}", reply.json);
        assert_eq!(reply.headers["content-type"], "application/problem+json", "{what}");
        assert_eq!(reply.json["status"], $status, "{what}");
        assert!(reply.json["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{what}: {}", reply.json);
        assert!(reply.json["request_id"].is_string(), "{what}");
        assert_eq!($desk.state().await, $before, "{what} changed something");
    }};
}

on_both!(requests, |database: TestDatabase| async move {
    let desk = Desk::new(database).await;
    let before = desk.state().await;
    let (eleven, two_past) = ("2026-11-22T11:00:00Z", "2026-11-22T11:02:00Z");
    refused!(desk, before, desk.submit_window(two_past, eleven).await, 422, "invalid");
    refused!(desk, before, desk.submit_window("2026-11-23T11:00:00Z", "2026-11-23T11:02:00Z").await, 422, "invalid");
    refused!(desk, before, desk.submit_window("2026-11-22T09:00:00Z", "2026-11-22T11:00:01Z").await, 422, "invalid");
    let unknown = "cam_01h455vb4pex5vsknk084sn02q";
    refused!(desk, before, desk.submit(|r| r["items"][0]["source_id"] = json!(unknown)).await, 404, "not_found");
    let hidden = json!(desk.hidden);
    refused!(desk, before, desk.submit(|r| r["items"][0]["source_id"] = hidden).await, 404, "not_found");
    refused!(desk, before, desk.submit(|r| drop(r.as_object_mut().unwrap().remove("name"))).await, 422, "invalid");
    refused!(desk, before, desk.submit(|r| r["reason"] = json!("x".repeat(2 << 20))).await, 413, "too_large");
});

on_both!(decisions, |database: TestDatabase| async move {
    let desk = Desk::new(database).await;
    let (path, empty) = (format!("/video-requests/{}", desk.request), json!({}));
    let denied = desk.site.post(&format!("{path}/deny"), Some(&desk.tess), json!({"comment": "Too long ago."})).await;
    assert_eq!(denied.status, 200, "{}", denied.json);
    let before = desk.state().await;
    for verb in ["approve", "deny"] {
        refused!(
            desk,
            before,
            desk.site.post(&format!("{path}/{verb}"), Some(&desk.tess), empty.clone()).await,
            409,
            "wrong_state"
        );
        let item = format!("/request-items/{}/{verb}", desk.item);
        refused!(desk, before, desk.site.post(&item, Some(&desk.tess), empty.clone()).await, 409, "wrong_state");
    }
});

on_both!(changes_of_what_has_changed, |database: TestDatabase| async move {
    let desk = Desk::new(database).await;
    let host = &desk.site.test.host;
    desk.site.test.account("boss", host, &[(Role::Administrator, None)]).await;
    let boss = desk.site.sign_in("boss").await;
    let case = format!("/cases/{}", id(&desk.site.post("/cases", Some(&desk.ana), json!({"name": "Pier"})).await));
    let group = json!({"name": "Arson", "organization_id": host});
    let group = format!("/groups/{}", id(&desk.site.post("/groups", Some(&boss), group).await));
    let camera = json!({"name": "Pier 7", "organization_id": host});
    let camera = format!("/cameras/{}", id(&desk.site.post("/cameras", Some(&boss), camera).await));
    let ana = desk.site.get("/me", Some(&desk.ana)).await.json["account"]["id"].clone();
    let access = json!({"entries": [{"principal_id": ana, "level": "manage"}]});
    let (name, named, members) = (json!({"name": "Mine"}), json!({"name": "Quay"}), json!({"account_ids": [ana]}));
    for (who, of) in [(&desk.ana, &case), (&boss, &group), (&boss, &camera)] {
        let change = desk.site.call("PATCH", of, Some(who), Some(&named), &[("if-match", "\"1\"")]).await;
        assert_eq!(change.status, 200, "{}", change.json);
    }
    let before = desk.state().await;
    for (method, path, who, body) in [
        ("PATCH", case.clone(), &desk.ana, Some(&name)),
        ("PUT", format!("{case}/access"), &desk.ana, Some(&access)),
        ("PATCH", group.clone(), &boss, Some(&name)),
        ("PUT", format!("{group}/members"), &boss, Some(&members)),
        ("DELETE", group.clone(), &boss, None),
        ("PATCH", camera.clone(), &boss, Some(&name)),
    ] {
        let stale = [("if-match", "\"1\"")];
        refused!(desk, before, desk.site.call(method, &path, Some(who), body, &stale).await, 412, "stale");
        refused!(desk, before, desk.site.call(method, &path, Some(who), body, &[]).await, 428, "if_match_missing");
        let any = [("if-match", "*")];
        refused!(desk, before, desk.site.call(method, &path, Some(who), body, &any).await, 428, "if_match_missing");
    }
    // With the version that is there now each of them is done.
    assert_eq!(desk.site.put(&case, "/access", Some(&desk.ana), &access).await.status, 200);
    assert_eq!(desk.site.put(&group, "/members", Some(&boss), &members).await.status, 200);
    let gone = desk.site.call("DELETE", &group, Some(&boss), None, &[("if-match", "\"3\"")]).await;
    assert_eq!(gone.status, 204, "{}", gone.json);
});

on_both!(uploads, |database: TestDatabase| async move {
    let desk = Desk::new(database).await;
    let before = desk.state().await;
    refused!(desk, before, desk.part("4", " world", &[]).await, 409, "wrong_offset");
    let wrong = [("upload-checksum", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=")];
    refused!(desk, before, desk.part("5", " world", &wrong).await, 460, "checksum_mismatch");
    refused!(desk, before, desk.part("5", " world and more", &[]).await, 413, "longer_than_announced");
    let huge = [("upload-length", "99999999999999999"), ("upload-metadata", &metadata())];
    refused!(desk, before, desk.tus("POST", "/api/v1/uploads", &huge, "").await, 413, "too_large");
    let offset = desk.tus("HEAD", &desk.upload, &[], "").await;
    assert_eq!(offset.headers["upload-offset"], "5", "what had arrived is there");
    assert_eq!(desk.part("5", " world", &[]).await.status, 204, "and goes on");
});

on_both!(secrets, |database: TestDatabase| async move {
    let desk = Desk::new(database).await;
    desk.site.test.advance(Duration::from_secs(15 * 86_400));
    let before = desk.state().await;
    refused!(desk, before, desk.site.get(&format!("/links/{}", desk.link), None).await, 410, "link_expired");
    refused!(desk, before, desk.part("5", " world", &[]).await, 410, "link_expired");
    // What another server issued, this one does not know.
    let elsewhere = "A".repeat(43);
    let bearer = async |path: &str, secret: String| {
        desk.site.call("GET", path, None, None, &[("authorization", &format!("Bearer {secret}"))]).await
    };
    refused!(desk, before, bearer("/me", format!("slt_{elsewhere}")).await, 401, "wrong_token");
    refused!(desk, before, desk.site.get(&format!("/links/frl_{elsewhere}"), None).await, 404, "link_unknown");
    let hello = [("authorization", format!("Bearer slc_{elsewhere}"))];
    let hello = hello.each_ref().map(|(name, value)| (*name, value.as_str()));
    refused!(
        desk,
        before,
        desk.site.call("POST", "/connector/hello", None, Some(&json!({})), &hello).await,
        401,
        "wrong_key"
    );
});

on_both!(a_camera_has_no_channels, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    force.site.test.account("boss", &force.site.test.host, &[(Role::Administrator, None)]).await;
    let boss = force.site.sign_in("boss").await;
    let camera = json!({ "name": "North door", "organization_id": force.site.test.host, "published": true });
    let camera = text(&force.site.post("/cameras", Some(&boss), camera).await.json["id"]);
    for (source, channels, status) in [
        (json!(camera), json!(["front"]), 422),
        (Value::Null, json!(["front"]), 422),
        (json!(camera), Value::Null, 201),
    ] {
        let item = json!({ "source_id": source, "channels": channels, "from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:02:00Z" });
        let reply = force.site.post("/video-requests", Some(&force.ana), force.body(item)).await;
        assert_eq!(reply.status, status, "{}", reply.json);
        if status == 422 {
            assert_eq!(reply.json["errors"][0]["pointer"], "/items/0/channels");
        }
    }
});

// PostgreSQL keeps no NUL, and nobody means one: the same answer on both databases, at every door.
on_both!(control_characters, |database: TestDatabase| async move {
    let desk = Desk::new(database).await;
    desk.site.test.account("ada", &desk.site.test.host, &[(Role::Administrator, None)]).await;
    desk.site.test.account("aud", &desk.site.test.host, &[(Role::Auditor, None)]).await;
    let (ada, aud) = (desk.site.sign_in("ada").await, desk.site.sign_in("aud").await);
    let (organization, nul) = (desk.site.test.host.to_string(), "a\0b");
    let before = desk.state().await;
    let owned = json!({"name": nul, "organization_id": organization});
    let account = json!({"email": "n@example.org", "name": nul, "organization_id": organization, "roles": []});
    for (path, who, body, pointer) in [
        ("/session", None, json!({"email": nul, "password": "x"}), "/email"),
        ("/cameras", Some(&ada), owned.clone(), "/name"),
        ("/connectors", Some(&ada), owned.clone(), "/name"),
        ("/groups", Some(&ada), owned, "/name"),
        ("/organizations", Some(&ada), json!({"name": nul, "time_zone": "UTC"}), "/name"),
        ("/accounts", Some(&ada), account, "/name"),
        ("/tokens", Some(&ada), json!({"name": nul}), "/name"),
        ("/cases", Some(&desk.ana), json!({"name": nul}), "/name"),
        ("/cases", Some(&desk.ana), json!({"name": "a\u{1b}[2Jb"}), "/name"),
        ("/groups", Some(&ada), json!({"name": "two\nlines", "organization_id": organization}), "/name"),
    ] {
        let reply = desk.site.post(path, who, body).await;
        assert_eq!(reply.json["errors"][0]["pointer"], pointer, "{path}: {}", reply.json);
        refused!(desk, before, reply, 422, "invalid");
    }
    refused!(desk, before, desk.submit(|r| r["incident"]["number"] = json!(nul)).await, 422, "invalid");
    let channels = json!(["front", nul]);
    refused!(desk, before, desk.submit(|r| r["items"][0]["channels"] = channels).await, 422, "invalid");
    for path in ["/sources?q=%00", "/sources?tag=%00", "/accounts?q=%00", "/video-requests?q=%00", "/cases?q=%00"] {
        refused!(desk, before, desk.site.get(path, Some(&ada)).await, 422, "invalid");
    }
    refused!(desk, before, desk.site.get("/mails?q=%00", Some(&ada)).await, 422, "invalid");
    for name in ["kind", "actor", "object"] {
        let reply = desk.site.get(&format!("/ledger/events?{name}=%00"), Some(&aud)).await;
        assert_eq!(reply.json["errors"][0]["pointer"], format!("/{name}"));
        refused!(desk, before, reply, 422, "invalid");
    }
    let named = URL_SAFE_NO_PAD.encode(json!({"Name": [nul, desk.camera]}).to_string());
    let account = URL_SAFE_NO_PAD.encode(json!([nul, "acc_00000000000000000000000000"]).to_string());
    for path in [format!("/sources?cursor={named}"), format!("/accounts?cursor={account}")] {
        refused!(desk, before, desk.site.get(&path, Some(&ada)).await, 422, "invalid");
    }
    refused!(desk, before, desk.site.get("/cameras/cam_%00", Some(&ada)).await, 404, "not_found");
});

on_both!(a_field_that_is_missing_is_named, |database: TestDatabase| async move {
    let desk = Desk::new(database).await;
    let before = desk.state().await;
    let reply = desk.site.post("/cases", Some(&desk.ana), json!({})).await;
    let error = &reply.json["errors"][0];
    assert_eq!(error["pointer"], "/name");
    assert_eq!(error["message"], "The body does not have the expected form: \"name\" is missing.", "{}", reply.json);
    refused!(desk, before, reply, 422, "invalid");
    let within = desk.submit(|request| drop(request["items"][0].as_object_mut().unwrap().remove("to"))).await;
    let error = &within.json["errors"][0];
    assert_eq!(error["pointer"], "/items/0/to");
    assert_eq!(error["message"], "The body does not have the expected form: \"to\" is missing.", "{}", within.json);
    refused!(desk, before, within, 422, "invalid");
});

on_both!(json_of_another_form_names_the_field, |database: TestDatabase| async move {
    let desk = Desk::new(database).await;
    let before = desk.state().await;
    let path = format!("/links/{}/answer", desk.link);
    for (body, pointer, words) in [
        (json!({"answer": null}), "/answer", "\"answer\" is null, expected string or map."),
        (json!({"answer": 5}), "/answer", "\"answer\" is integer `5`, expected string or map."),
        (json!({"answer": ["have"]}), "/answer", "\"answer\" is sequence, expected string or map."),
        (json!({"answer": "have", "comment": 5}), "/comment", "\"comment\" is integer `5`, expected a string"),
        (json!(null), "", "invalid type: null, expected struct AnswerInput"),
    ] {
        let reply = desk.site.post(&path, None, body).await;
        let error = &reply.json["errors"][0];
        assert_eq!(error["pointer"], pointer, "{}", reply.json);
        let told = error["message"].as_str().unwrap().strip_prefix("The body does not have the expected form: ");
        assert!(told.unwrap().starts_with(words), "{}", reply.json);
        refused!(desk, before, reply, 422, "invalid");
    }
    let header = [("content-type", "application/json")];
    let cut = desk.tus("POST", &format!("/api/v1{path}"), &header, "{\"answer\": ").await;
    refused!(desk, before, cut, 400, "not_json");
});

on_both!(numbers_at_the_end_of_their_range, |database: TestDatabase| async move {
    let desk = Desk::new(database).await;
    let otto = desk.site.sign_in("otto").await;
    let path = format!("/cameras/{}", desk.camera);
    let before = desk.state().await;
    for field in ["clock_offset_ms", "clock_uncertainty_ms", "retention_hours"] {
        for end in [i64::MIN, i64::MAX] {
            let change = json!({field: end});
            let reply = desk.site.call("PATCH", &path, Some(&otto), Some(&change), &[("if-match", "\"1\"")]).await;
            assert_eq!(reply.json["errors"][0]["pointer"], format!("/{field}"), "{}", reply.json);
            refused!(desk, before, reply, 422, "invalid");
        }
    }
});

on_both!(bodies_beyond_the_limit, |database: TestDatabase| async move {
    let desk = Desk::new(database).await;
    let otto = desk.site.sign_in("otto").await;
    let before = desk.state().await;
    // Above the limit of thumbnails, and above that of all bodies.
    for size in [600 << 10, 2 << 20] {
        let request = Request::builder().method("PUT").uri(format!("/api/v1/cameras/{}/thumbnail", desk.camera));
        let request = request.header("cookie", &otto).header("content-type", "image/jpeg");
        let reply = desk.site.send(request.body(Body::from(vec![0xff; size])).unwrap()).await;
        refused!(desk, before, reply, 413, "too_large");
    }
});
