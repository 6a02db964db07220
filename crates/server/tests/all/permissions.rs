//! Who may do what: `permissions.txt` is written by hand and says, for every operation of the OpenAPI and every
//! sort of person, what they meet. It is compared with what the server does; an operation that is missing fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::support::{Cookie, Site};
use domain::account::Role;
use serde_json::{Value, json};
use store::Engine;

/// The columns of the table. `stranger` is signed in and holds no role, in an organization that has nothing to do with
/// anything; the others hold their role for all organizations, but are party to nothing that the operations touch. Those whose
/// names begin with `far` hold theirs for the stranger's organization alone.
const PEOPLE: [(&str, Option<Role>); 13] = [
    ("nobody", None),
    ("stranger", None),
    ("guest", Some(Role::Guest)),
    ("investigator", Some(Role::Investigator)),
    ("approver", Some(Role::Approver)),
    ("operator", Some(Role::Operator)),
    ("auditor", Some(Role::Auditor)),
    ("administrator", Some(Role::Administrator)),
    ("far-investigator", Some(Role::Investigator)),
    ("far-approver", Some(Role::Approver)),
    ("far-operator", Some(Role::Operator)),
    ("far-auditor", Some(Role::Auditor)),
    ("far-administrator", Some(Role::Administrator)),
];

/// An operation as the OpenAPI document names it.
struct Operation {
    id: String,
    method: String,
    path: String,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&sightline_server::http::openapi()).unwrap();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no operationId"));
            all.push(Operation {
                id: id.to_owned(),
                method: method.to_uppercase(),
                path: path.strip_prefix("/api/v1").unwrap().to_owned(),
            });
        }
    }
    // What removes comes last: the others need what it removes.
    all.sort_by(|a, b| (a.method == "DELETE", &a.id).cmp(&(b.method == "DELETE", &b.id)));
    all
}

/// An id of the noun that names nothing.
fn nothing(noun: &str) -> String {
    let prefix = match noun {
        "events" => "evt",
        "mails" => "mai",
        "jobs" => "job",
        "uploads" => "upl",
        "links" => return "link_of_another_server".to_owned(),
        "tasks" => "tsk",
        "sources" => return "door-1".to_owned(),
        other => panic!("the table needs one of {other}"),
    };
    format!("{prefix}_00000000000000000000000000")
}

/// A file in the case.
async fn evidence(site: &Site, by: &domain::account::Account, case: &str) -> String {
    let app = &site.test.app;
    let arrival = app::evidence::Arrival {
        upload_id: app.begin().await.unwrap().new_id(),
        destination: app::evidence::Destination::Case(case.parse().unwrap()),
        name: "door.mp4".to_owned(),
        size_bytes: 5,
        sha256: proof::Sha256Digest::of(b"bytes"),
        blob: app.blobs().put("evidence", "bytes").await.unwrap(),
        recorded: None,
        manifest: None,
    };
    let mut tx = app.begin().await.unwrap();
    let (evidence, event) = app::evidence::receive(&mut tx, Some(by.id.as_str()), arrival).await.unwrap();
    tx.commit(event).await.unwrap();
    evidence.id.to_string()
}

/// What the operations act on: one of each noun, all made by somebody who is not in the table.
struct Things {
    ids: BTreeMap<&'static str, String>,
}

impl Things {
    async fn make(site: &Site) -> Self {
        let other = site.test.organization("Other").await;
        let owner = site.test.account("owner", &other, &[]).await;
        site.test.account("maker", &site.test.host, &[(Role::Administrator, None)]).await;
        let maker = site.sign_in("maker").await;
        let asker = site.test.account("asker", &site.test.host, &[(Role::Investigator, None)]).await;
        let asker_cookie = site.sign_in("asker").await;
        let mut ids = BTreeMap::new();
        ids.insert("organizations", other.to_string());
        ids.insert("accounts", owner.id.to_string());
        let mut make = async |noun: &'static str, path: &str, by: &Cookie, body: Value, id: &str| {
            let made = site.post(path, Some(by), body).await;
            assert_eq!(made.status, 201, "{path}: {}", made.json);
            ids.insert(
                noun,
                made.json.pointer(id).unwrap_or_else(|| panic!("{path}: {}", made.json)).as_str().unwrap().to_owned(),
            );
            made.json
        };
        make("groups", "/groups", &maker, json!({"name": "Night shift", "organization_id": other}), "/id").await;
        make("tokens", "/tokens", &maker, json!({"name": "script"}), "/token/id").await;
        make(
            "cameras",
            "/cameras",
            &maker,
            json!({"name": "North door", "organization_id": other, "published": true}),
            "/id",
        )
        .await;
        make(
            "connectors",
            "/connectors",
            &maker,
            json!({"name": "Recorder", "organization_id": other}),
            "/connector/id",
        )
        .await;
        let window = json!({"from": "2026-11-22T11:00:00Z", "to": "2026-11-22T11:02:00Z"});
        let incident = json!({"from": window["from"], "to": window["to"], "address": "5th & Main"});
        let request = json!({"name": "Collision", "reason": "Hit and run", "incident": incident, "items": [window]});
        let request = make("video-requests", "/video-requests", &asker_cookie, request, "/id").await;
        let case = make("cases", "/cases", &asker_cookie, json!({"name": "Collision"}), "/id").await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let link = json!({"name": "Footage of the door", "expires_at": "2026-11-30T00:00:00Z"});
        make("file-requests", &format!("/cases/{case}/file-requests"), &asker_cookie, link, "/id").await;
        ids.insert("request-items", request["items"][0]["id"].as_str().unwrap().to_owned());
        ids.insert("evidence", evidence(site, &asker, &case).await);
        Self { ids }
    }

    /// A camera that nobody has removed yet.
    async fn another_camera(&mut self, site: &Site) {
        let maker = site.sign_in("maker").await;
        let camera = json!({"name": "South door", "organization_id": self.ids["organizations"], "published": true});
        let made = site.post("/cameras", Some(&maker), camera).await;
        self.ids.insert("cameras", made.json["id"].as_str().unwrap().to_owned());
    }

    /// What an operation cannot do without in its query.
    fn query(operation: &str) -> &'static str {
        match operation {
            "find_coverage" => "?from=2026-11-22T11:00:00Z&to=2026-11-22T11:02:00Z",
            "prove_event" => "?event=evt_00000000000000000000000000",
            _ => "",
        }
    }

    /// The path with an id in it: the noun before `{id}` says which.
    fn fill(&self, path: &str) -> String {
        let mut filled = String::new();
        let mut noun = "";
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let text = match part.starts_with('{') {
                true => self.ids.get(noun).cloned().unwrap_or_else(|| nothing(noun)),
                false => part.to_owned(),
            };
            write!(filled, "/{text}").unwrap();
            noun = part;
        }
        filled
    }

    /// A body that would be accepted, or comes as far as the rules of the noun.
    fn body(&self, operation: &str) -> Option<Value> {
        let id = |noun: &str| self.ids[noun].clone();
        Some(match operation {
            "create_session" => json!({"email": "nobody@example.org", "password": "x"}),
            "change_my_password" => json!({"current": "x", "new": "y"}),
            "create_account" => {
                json!({"email": "n@example.org", "name": "", "organization_id": id("organizations"), "roles": []})
            }
            "create_organization" => json!({"name": "", "time_zone": "UTC"}),
            "create_group" => json!({"name": "", "organization_id": id("organizations")}),
            "change_group" => json!({"name": ""}),
            "set_group_members" => json!({"account_ids": ["acc_00000000000000000000000000"]}),
            "create_token" => json!({"name": ""}),
            "create_camera" => json!({"name": "", "organization_id": id("organizations")}),
            "create_connector" => json!({"name": "", "organization_id": id("organizations")}),
            "create_case" => json!({"name": ""}),
            "change_case" => json!({"name": ""}),
            "set_case_access" => {
                json!({"entries": [{"principal_id": "acc_00000000000000000000000000", "level": "view"}]})
            }
            "create_case_file_request" => json!({"name": "", "expires_at": "2026-11-30T00:00:00Z"}),
            "create_video_request" => {
                json!({"name": "", "incident": {"from": "2026-11-22T11:00:00Z", "to": "2026-11-22T11:02:00Z"}, "items": []})
            }
            "comment_on_video_request" | "ask_request_item" | "answer_request_item" => json!({"body": ""}),
            "answer_link" => json!({"answer": "no"}),
            _ => json!({}),
        })
    }
}

/// What somebody meets: the refusal, or `yes` for anything that the rules of the noun decide.
fn met(status: u16) -> String {
    match status {
        401 | 403 | 404 => status.to_string(),
        500.. => format!("fault {status}"),
        _ => "yes".to_owned(),
    }
}

async fn row(site: &Site, things: &mut Things, operation: &Operation, cookies: &[Option<Cookie>]) -> String {
    let mut row = format!("{:<28}", operation.id);
    for (person, cookie) in cookies.iter().enumerate() {
        if operation.id == "remove_camera" {
            things.another_camera(site).await;
        }
        // An address of their own each: one's failures are not held against another.
        let address = format!("192.0.2.{person}");
        let body =
            matches!(operation.method.as_str(), "POST" | "PATCH" | "PUT").then(|| things.body(&operation.id)).flatten();
        let status = if operation.id == "watch_events" {
            site.status(
                &operation.method,
                &format!("{}{}", things.fill(&operation.path), Things::query(&operation.id)),
                cookie.as_ref(),
            )
            .await
        } else {
            let reply = site
                .call(
                    &operation.method,
                    &format!("{}{}", things.fill(&operation.path), Things::query(&operation.id)),
                    cookie.as_ref(),
                    body.as_ref(),
                    &[("if-match", "\"1\""), ("tus-resumable", "1.0.0"), ("x-forwarded-for", &address)],
                )
                .await;
            reply.status
        };
        write!(row, " {:<6}", met(status)).unwrap();
    }
    row.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_is_what_the_server_does() {
    let expected = include_str!("permissions.txt");
    let expected: Vec<&str> =
        expected.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).collect();
    let site = Site::new(store::testing::database(Engine::Sqlite).await).await;
    let mut things = Things::make(&site).await;
    let far = site.test.organization("Far").await;
    let mut found = Vec::new();
    for operation in operations() {
        // Fresh sessions for each operation: one of them signs out.
        let mut cookies = Vec::new();
        for (name, role) in PEOPLE {
            let scope = name.starts_with("far-").then_some(&far);
            let organization = if name == "stranger" || scope.is_some() { &far } else { &site.test.host };
            site.test.account(name, organization, role.map(|r| (r, scope)).as_slice()).await;
            cookies.push(if name == "nobody" { None } else { Some(site.sign_in(name).await) });
        }
        found.push(row(&site, &mut things, &operation, &cookies).await);
    }
    let missing: Vec<_> = found.iter().filter(|row| !expected.contains(&row.as_str())).collect();
    let extra: Vec<_> = expected.iter().filter(|row| !found.iter().any(|f| f == *row)).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "permissions.txt says, but is not so:\n{}\n\nis so, but is not in permissions.txt:\n{}",
        extra.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    );
}
