//! What the operations of the table are tried on: one of each noun, all made by people who are not in the table.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::account::{Account, Role};
use serde_json::{Value, json};

use crate::support::force::text;
use crate::support::{Cookie, Site};

/// The camera of the connector that has a task, as its recorder calls it.
const DEVICE: &str = "door-1";

/// The ids by the noun that stands before them in a path, and the secrets of programs and links.
pub(super) struct Things {
    pub(super) ids: BTreeMap<&'static str, String>,
    /// By what they are for.
    pub(super) uploads: BTreeMap<&'static str, String>,
    /// The lease of the task.
    lease: String,
    /// The token of a link that holds.
    pub(super) link: String,
    /// The secrets of the second table, in the order of its columns.
    pub(super) keys: Vec<String>,
}

impl Things {
    pub(super) async fn make(site: &Site) -> Self {
        let mut things = Self {
            ids: BTreeMap::new(),
            uploads: BTreeMap::new(),
            lease: String::new(),
            link: String::new(),
            keys: Vec::new(),
        };
        things.make_nouns(site).await;
        things.make_task(site).await;
        things.make_uploads(site).await;
        things.find_records(site).await;
        things
    }

    /// Makes something through the API, and keeps its id.
    async fn post(&mut self, site: &Site, noun: &'static str, path: &str, by: &Cookie, body: Value) -> Value {
        let made = site.post(path, Some(by), body).await;
        assert_eq!(made.status, 201, "{path}: {}", made.json);
        let id = ["/id", "/token/id", "/connector/id"].iter().find_map(|at| made.json.pointer(at));
        self.ids.insert(noun, text(id.unwrap_or(&Value::Null)));
        made.json
    }

    async fn make_nouns(&mut self, site: &Site) {
        let other = site.test.organization("Other").await;
        let owner = site.test.account("owner", &other, &[]).await;
        site.test.account("maker", &site.test.host, &[(Role::Administrator, None)]).await;
        let asker = site.test.account("asker", &site.test.host, &[(Role::Investigator, None)]).await;
        let (maker, asking) = (site.sign_in("maker").await, site.sign_in("asker").await);
        self.ids.insert("organizations", other.to_string());
        self.ids.insert("accounts", owner.id.to_string());
        let group = json!({"name": "Night shift", "organization_id": other});
        self.post(site, "groups", "/groups", &maker, group).await;
        self.post(site, "tokens", "/tokens", &maker, json!({"name": "script"})).await;
        self.another_camera(site).await;
        let window = json!({"from": "2026-11-22T11:00:00Z", "to": "2026-11-22T11:02:00Z"});
        let request = self.post(site, "video-requests", "/video-requests", &asking, request(window)).await;
        self.ids.insert("request-items", text(&request["items"][0]["id"]));
        self.post(site, "cases", "/cases", &asking, json!({"name": "Collision"})).await;
        self.ids.insert("evidence", evidence(site, &asker, &self.ids["cases"]).await);
    }

    /// Two connectors, and a task that the first has leased.
    async fn make_task(&mut self, site: &Site) {
        let maker = site.sign_in("maker").await;
        let elsewhere = site.test.organization("Elsewhere").await;
        for organization in [elsewhere.to_string(), self.ids["organizations"].clone()] {
            let recorder = json!({"name": "Recorder", "organization_id": organization});
            let made = self.post(site, "connectors", "/connectors", &maker, recorder).await;
            let file: protocol::ConnectionFile = toml::from_str(&text(&made["connection_file"])).unwrap();
            self.keys.push(file.key);
        }
        let publication = json!({"sequence": 1, "sources": [{"device_id": DEVICE, "name": "Door", "published": true}]});
        assert_eq!(self.by_connector(site, "PUT", "/connector/sources", publication).await["sequence"], 1);
        let connector = self.ids["connectors"].parse().unwrap();
        let mut tx = site.test.app.read().await.unwrap();
        let camera = store::camera::find_by_device(&mut tx, &connector, DEVICE).await.unwrap().unwrap().id;
        drop(tx);
        let window = json!({"source_id": camera, "from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:02:00Z"});
        let asker = site.sign_in("asker").await;
        let made = site.post("/video-requests", Some(&asker), request(window)).await.json;
        site.test.account("chief", &site.test.host, &[(Role::Approver, None)]).await;
        let approval = format!("/video-requests/{}/approve", text(&made["id"]));
        let approved = site.post(&approval, Some(&site.sign_in("chief").await), json!({})).await;
        assert_eq!(approved.status, 200, "{}", approved.json);
        let task = self.by_connector(site, "POST", "/connector/tasks/lease", json!({"wait_seconds": 0})).await;
        self.ids.insert("tasks", text(&task["id"]));
        self.ids.insert("sources", DEVICE.to_owned());
        self.lease = task["lease"].to_string();
    }

    /// What the connector with the task says.
    async fn by_connector(&self, site: &Site, method: &str, path: &str, body: Value) -> Value {
        let key = format!("Bearer {}", self.keys[1]);
        let said = site.call(method, path, None, Some(&body), &[("authorization", &key)]).await;
        assert_eq!(said.status, 200, "{path}: {}", said.json);
        said.json
    }

    /// Two links, and three uploads that have begun: by somebody for their case, by a link, by the connector for its task.
    async fn make_uploads(&mut self, site: &Site) {
        self.another_link(site).await;
        let far_link = std::mem::take(&mut self.link);
        self.another_link(site).await;
        self.keys.extend([far_link, self.link.clone()]);
        let asker = site.sign_in("asker").await;
        let case = begin(site, ("cookie", &asker), &self.metadata("case")).await;
        let link = begin(site, ("authorization", &bearer(&self.keys[3])), &self.metadata("link")).await;
        let task = begin(site, ("authorization", &bearer(&self.keys[1])), &self.metadata("task")).await;
        self.uploads = BTreeMap::from([("case", case), ("link", link), ("task", task)]);
    }

    /// `Upload-Metadata` of an upload for one of the things.
    pub(super) fn metadata(&self, kind: &str) -> String {
        let encode = |text: &str| STANDARD.encode(text);
        match kind {
            "case" => format!("case_id {}", encode(&self.ids["cases"])),
            "item" => format!("request_item {}", encode(&self.ids["request-items"])),
            "link" => format!("file_request {}", encode(&self.ids["file-requests"])),
            _ => format!("task_id {},lease {}", encode(&self.ids["tasks"]), encode(&self.lease)),
        }
    }

    /// What the server keeps of all that.
    async fn find_records(&mut self, site: &Site) {
        while app::jobs::sequence_ledger::run(&site.test.app).await.unwrap() {}
        site.test.account("reader", &site.test.host, &[(Role::Auditor, None)]).await;
        let (maker, reader) = (site.sign_in("maker").await, site.sign_in("reader").await);
        for (noun, path, by) in [
            ("events", "/ledger/events?kind=case.create", &reader),
            ("mails", "/mails", &maker),
            ("jobs", "/jobs?state=waiting", &maker),
        ] {
            let listed = site.get(path, Some(by)).await.json;
            self.ids.insert(noun, text(&listed["items"][0]["id"]));
        }
        self.ids.insert("tile", "0/000.p/1".to_owned());
    }

    /// Makes anew what the operation ends.
    pub(super) async fn renew(&mut self, site: &Site, operation: &str) {
        match operation {
            "remove_camera" => self.another_camera(site).await,
            "finish_link" => self.another_link(site).await,
            _ => {}
        }
    }

    async fn another_camera(&mut self, site: &Site) {
        let maker = site.sign_in("maker").await;
        let camera = json!({"name": "North door", "organization_id": self.ids["organizations"], "published": true});
        self.post(site, "cameras", "/cameras", &maker, camera).await;
    }

    async fn another_link(&mut self, site: &Site) {
        let asker = site.sign_in("asker").await;
        let (path, link) = (format!("/cases/{}/file-requests", self.ids["cases"]), json!({"name": "The door"}));
        let made = self.post(site, "file-requests", &path, &asker, link).await;
        self.link = text(&made["url"]).rsplit('/').next().unwrap().to_owned();
    }
}

pub(super) fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

fn request(item: Value) -> Value {
    let incident = json!({"from": item["from"], "to": item["to"], "address": "5th & Main"});
    json!({"name": "Collision", "reason": "Hit and run", "incident": incident, "items": [item]})
}

/// A file in the case.
async fn evidence(site: &Site, by: &Account, case: &str) -> String {
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

/// Begins an upload of five bytes; answers its id.
async fn begin(site: &Site, (header, secret): (&str, &str), metadata: &str) -> String {
    let announced = Request::post("/api/v1/uploads").header(header, secret).header("tus-resumable", "1.0.0");
    let announced = announced.header("upload-length", 5).header("upload-metadata", metadata);
    let made = site.send(announced.body(Body::empty()).unwrap()).await;
    assert_eq!(made.status, 201, "{metadata}: {}", made.json);
    made.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned()
}
