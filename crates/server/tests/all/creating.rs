//! A POST that creates, sent again with the same `Idempotency-Key`, creates nothing more. The operations are those of the document.

use std::collections::BTreeMap;

use crate::support::{Cookie, Reply, Site};
use domain::account::Role;
use serde_json::{Value, json};
use store::testing::TestDatabase;
use store::{Columns as _, Sql, on_both};

/// Uploads have a protocol of their own: what was announced twice and got no bytes runs out by itself.
const OTHERWISE: &[&str] = &["create_upload"];

/// What is done once to what was asked, with words that are told once.
const DECIDING: &[&str] = &["approve_", "deny_", "ask_", "answer_", "cancel_", "unavailable_"];

/// Every POST that answers 201, or takes the key: operation and path.
fn creating() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&sightline_server::http::openapi()).unwrap();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let post = &methods["post"];
        let takes_key =
            post["parameters"].as_array().is_some_and(|all| all.iter().any(|p| p["name"] == "Idempotency-Key"));
        let id = post["operationId"].as_str().unwrap_or_default().to_owned();
        let creates = post["responses"].get("201").is_some() && !OTHERWISE.contains(&id.as_str());
        assert!(takes_key || !creates, "{id} creates, and does not say that it takes an Idempotency-Key");
        if takes_key {
            found.push((id, path.strip_prefix("/api/v1").unwrap().to_owned()));
        }
    }
    found
}

/// Who creates it, where, and from what.
struct Attempt {
    who: Cookie,
    path: String,
    body: Value,
    /// Where what is created lies.
    table: &'static str,
    /// Whether it is shown once, so that it is not answered again.
    secret: bool,
}

struct Office {
    site: Site,
    ada: Cookie,
    ana: Cookie,
    hope: Cookie,
    case: String,
    request: String,
    item: String,
}

impl Office {
    async fn new(database: TestDatabase) -> Self {
        let site = Site::new(database).await;
        let host = site.test.host.clone();
        site.test.account("ada", &host, &[(Role::Administrator, None)]).await;
        site.test.account("ana", &host, &[(Role::Investigator, None)]).await;
        site.test.account("hope", &host, &[(Role::Approver, Some(&host))]).await;
        let (ada, ana, hope) = (site.sign_in("ada").await, site.sign_in("ana").await, site.sign_in("hope").await);
        let case = site.post("/cases", Some(&ana), json!({"name": "Pier"})).await;
        let request = site.post("/video-requests", Some(&ana), request("Theft")).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let item = text(&request.json["items"][0]["id"]);
        let path = format!("/request-items/{item}/approve");
        assert_eq!(site.post(&path, Some(&hope), json!({})).await.status, 200);
        Self { case: text(&case.json["id"]), request: text(&request.json["id"]), item, site, ada, ana, hope }
    }

    /// A request that nobody decided about, and its item.
    async fn undecided(&self) -> (String, String) {
        let asked = self.site.post("/video-requests", Some(&self.ana), request("Vandalism")).await.json;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&asked["id"]), text(&asked["items"][0]["id"]))
    }

    async fn attempt(&self, operation: &str, path: &str) -> Attempt {
        let host = self.site.test.host.to_string();
        let account = |password: Value| json!({"email": "new@example.org", "name": "New", "organization_id": host, "roles": [], "password": password});
        let (who, body, table, secret) = match operation {
            "create_camera" => (&self.ada, json!({"name": "Door", "organization_id": host}), "cameras", false),
            "create_group" => (&self.ada, json!({"name": "Night", "organization_id": host}), "groups", false),
            "create_organization" => (&self.ada, json!({"name": "Mall", "time_zone": "UTC"}), "organizations", false),
            "create_account" => (&self.ada, account(json!("a long password")), "accounts", false),
            "create_connector" => (&self.ada, json!({"name": "Rec", "organization_id": host}), "connectors", true),
            "create_token" => (&self.ada, json!({"name": "script"}), "tokens", true),
            "create_case" => (&self.ana, json!({"name": "Fire"}), "cases", false),
            "create_case_file_request" => (&self.ana, json!({"name": "Footage"}), "file_requests", true),
            "create_item_file_request" => (&self.hope, json!({}), "file_requests", true),
            "create_video_request" => (&self.ana, request("Collision"), "video_requests", false),
            "comment_on_video_request" => (&self.ana, json!({"body": "Any news?"}), "messages", false),
            "ask_request_item" => (&self.hope, json!({"body": "Which door?"}), "messages", false),
            "answer_request_item" => (&self.ana, json!({"body": "The back door."}), "messages", false),
            "cancel_request_item" | "cancel_video_request" => {
                (&self.ana, json!({"comment": "Solved."}), "messages", false)
            }
            "approve_request_item"
            | "approve_video_request"
            | "deny_request_item"
            | "deny_video_request"
            | "unavailable_request_item" => (&self.hope, json!({"comment": "As agreed."}), "messages", false),
            other => panic!("{other} creates: say here how"),
        };
        let (request, item) = if DECIDING.iter().any(|verb| operation.starts_with(verb)) {
            self.undecided().await
        } else {
            (self.request.clone(), self.item.clone())
        };
        if operation == "answer_request_item" {
            let asked =
                self.site.post(&format!("/request-items/{item}/ask"), Some(&self.hope), json!({"body": "?"})).await;
            assert_eq!(asked.status, 200, "{}", asked.json);
        }
        let id = if path.starts_with("/cases") {
            &self.case
        } else if path.starts_with("/request-items") {
            &item
        } else {
            &request
        };
        Attempt { who: who.clone(), path: path.replace("{id}", id), body, table, secret }
    }

    async fn post(&self, attempt: &Attempt, body: &Value, key: &str) -> Reply {
        let key = [("idempotency-key", key)];
        self.site.call("POST", &attempt.path, Some(&attempt.who), Some(body), &key).await
    }

    async fn count(&self, table: &'static str) -> i64 {
        let mut tx = self.site.test.app.read().await.unwrap();
        let sql = Sql::new("SELECT COUNT(*) AS n FROM ").add(table);
        sql.fetch_one(&mut tx).await.unwrap().int("n").unwrap()
    }
}

fn request(name: &str) -> Value {
    let window = json!({"from": "2026-11-22T11:00:00Z", "to": "2026-11-22T11:02:00Z"});
    let incident = json!({"from": window["from"], "to": window["to"], "address": "5th & Main"});
    json!({"name": name, "incident": incident, "items": [window]})
}

/// The id of what an answer is about, wherever it stands.
fn made(json: &Value) -> Value {
    let places = ["/id", "/account/id", "/token/id", "/connector/id"];
    places.iter().find_map(|place| json.pointer(place)).unwrap_or_else(|| panic!("{json}")).clone()
}

on_both!(what_is_sent_again_creates_nothing_more, |database: TestDatabase| async move {
    let office = Office::new(database).await;
    let operations = creating();
    assert!(operations.len() >= 20, "{operations:?}");
    for (operation, path) in operations {
        let attempt = office.attempt(&operation, &path).await;
        let before = office.count(attempt.table).await;
        let first = office.post(&attempt, &attempt.body, &operation).await;
        assert!(matches!(first.status, 200 | 201), "{operation}: {}", first.json);
        let again = office.post(&attempt, &attempt.body, &operation).await;
        if attempt.secret {
            assert_eq!((again.status, again.code()), (409, "already_made"), "{operation}: {}", again.json);
            assert_eq!(again.json["made"], made(&first.json), "{operation}");
        } else {
            assert_eq!(again.status, first.status, "{operation}: {}", again.json);
            assert_eq!(made(&again.json), made(&first.json), "{operation}");
        }
        assert_eq!(office.count(attempt.table).await, before + 1, "{operation}");
        let mut other = attempt.body.clone();
        let field = ["body", "comment"].into_iter().find(|field| other[*field].is_string()).unwrap_or("name");
        if operation == "create_item_file_request" {
            other["expires_at"] = json!("2026-11-30T00:00:00Z");
        } else {
            other[field] = json!("Another");
        }
        let reused = office.post(&attempt, &other, &operation).await;
        assert_eq!((reused.status, reused.code()), (409, "idempotency_key_reused"), "{operation}: {}", reused.json);
        assert_eq!(office.count(attempt.table).await, before + 1, "{operation}");
    }
});

on_both!(a_key_is_for_one_place, |database: TestDatabase| async move {
    let office = Office::new(database).await;
    let pier = office.attempt("create_case_file_request", "/cases/{id}/file-requests").await;
    assert_eq!(office.post(&pier, &pier.body, "once").await.status, 201);
    let other = office.site.post("/cases", Some(&office.ana), json!({"name": "Harbor"})).await;
    let path = format!("/cases/{}/file-requests", other.json["id"].as_str().unwrap());
    let harbor = Attempt { path, ..pier };
    assert_eq!(office.post(&harbor, &harbor.body, "once").await.code(), "idempotency_key_reused");
});

on_both!(secrets_are_kept_nowhere, |database: TestDatabase| async move {
    let office = Office::new(database).await;
    let account = office.attempt("create_account", "/accounts").await;
    // A password is no part of what is compared, for its hash would be kept.
    assert_eq!(office.post(&account, &account.body, "known").await.status, 201);
    let mut changed = account.body.clone();
    changed["password"] = json!("another long password");
    assert_eq!(office.post(&account, &changed, "known").await.status, 201);
    let mut once = account.body.clone();
    once["email"] = json!("other@example.org");
    once["password"] = Value::Null;
    let first = office.post(&account, &once, "once").await;
    assert!(first.json["one_time_password"].is_string());
    let again = office.post(&account, &once, "once").await;
    assert_eq!((again.status, again.code(), &again.json["made"]), (409, "already_made", &first.json["account"]["id"]));
    let shown: BTreeMap<&str, &Value> = BTreeMap::from([("one_time_password", &first.json["one_time_password"])]);
    let mut tx = office.site.test.app.read().await.unwrap();
    let rows = Sql::new("SELECT name, body_hash, object_id FROM idempotency_keys").fetch_all(&mut tx).await.unwrap();
    for row in &rows {
        for column in ["name", "body_hash", "object_id"] {
            let text = row.text(column).unwrap();
            assert!(shown.values().all(|secret| !text.contains(secret.as_str().unwrap())), "{text}");
        }
    }
});
