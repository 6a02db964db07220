//! A police force in a test: people who ask and who decide, what they do to items and cases, and files on their way.

use std::time::Duration;

use app::evidence::{Arrival, Destination};
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::account::Role;
use domain::id::{EvidenceId, RequestItemId};
use futures::TryStreamExt as _;
use proof::Sha256Digest;
use serde_json::{Value, json};
use store::testing::TestDatabase;

use super::{Cookie, Reply, Site};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// A police force: ana asks, ben asks and decides, pia decides.
pub(crate) struct Force {
    pub site: Site,
    pub ana: Cookie,
    pub ben: Cookie,
    pub pia: Cookie,
}

impl Force {
    pub(crate) async fn new(database: TestDatabase) -> Self {
        Self::with(database, |_| {}).await
    }

    pub(crate) async fn with(database: TestDatabase, change: impl FnOnce(&mut app::Settings)) -> Self {
        let site = Site::with(database, change).await;
        for (name, roles) in [
            ("ana", vec![(Role::Investigator, None)]),
            ("ben", vec![(Role::Investigator, None), (Role::Approver, None)]),
            ("pia", vec![(Role::Approver, None)]),
        ] {
            site.test.account(name, &site.test.host, &roles).await;
        }
        let mut force = Self { site, ana: String::new(), ben: String::new(), pia: String::new() };
        force.sign_in().await;
        force
    }

    /// Sessions end; people come back.
    pub(crate) async fn sign_in(&mut self) {
        self.ana = self.site.sign_in("ana").await;
        self.ben = self.site.sign_in("ben").await;
        self.pia = self.site.sign_in("pia").await;
    }

    pub(crate) async fn days_later(&mut self, days: u32) {
        self.site.test.advance(DAY * days);
        app::jobs::schedule(&self.site.test.app).await.unwrap();
        self.site.test.run_jobs().await;
        self.sign_in().await;
    }

    pub(crate) fn body(&self, item: Value) -> Value {
        json!({
            "name": "Theft of a bicycle", "items": [item],
            "incident": { "from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:05:00Z", "address": "5th & Main" },
        })
    }

    /// A request for a place, with one item; its ids.
    pub(crate) async fn request(&self, by: &Cookie, case: Option<&str>) -> (String, RequestItemId) {
        self.site.test.advance(Duration::from_millis(1));
        let mut body = self.body(json!({ "from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:02:00Z" }));
        body["case_id"] = json!(case);
        let made = self.site.post("/video-requests", Some(by), body).await;
        assert_eq!(made.status, 201, "{}", made.json);
        (text(&made.json["id"]), text(&made.json["items"][0]["id"]).parse().unwrap())
    }

    /// The same, approved by pia; the token of the link that was mailed.
    pub(crate) async fn approved(&self, by: &Cookie, review: bool) -> (String, RequestItemId, String) {
        let (request, item) = self.request(by, None).await;
        self.act(&item, "approve", &self.pia, json!({ "review_before_release": review }), 200).await;
        let mut tx = self.site.test.app.read().await.unwrap();
        let filter = store::mail::Filter { limit: 100, ..Default::default() };
        let mails = store::mail::list(&mut tx, &filter).await.unwrap();
        let mail = mails.into_iter().find(|mail| mail.template == "file_request").unwrap();
        let token = mail.text.split("/f/").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        (request, item, token)
    }

    pub(crate) async fn act(&self, item: &RequestItemId, verb: &str, by: &Cookie, body: Value, status: u16) -> Reply {
        let reply = self.site.post(&format!("/request-items/{item}/{verb}"), Some(by), body).await;
        assert_eq!(reply.status, status, "{verb}: {}", reply.json);
        reply
    }

    pub(crate) async fn item(&self, request: &str, by: &Cookie) -> Value {
        self.site.get(&format!("/video-requests/{request}"), Some(by)).await.json["items"][0].clone()
    }

    pub(crate) async fn case(&self, by: &Cookie) -> String {
        self.site.test.advance(Duration::from_millis(1));
        text(&self.site.post("/cases", Some(by), json!({ "name": "Harbor fire" })).await.json["id"])
    }

    /// Who manages a case lets one other do so much in it; nobody else, where that is nothing.
    pub(crate) async fn let_in(&self, case: &str, manager: (&str, &Cookie), other: &str, level: Option<&str>) {
        let id_of = async |name: &str| self.site.test.account(name, &self.site.test.host, &[]).await.id.to_string();
        let mut entries = vec![json!({ "principal_id": id_of(manager.0).await, "level": "manage" })];
        if let Some(level) = level {
            entries.push(json!({ "principal_id": id_of(other).await, "level": level }));
        }
        let (path, body) = (format!("/cases/{case}"), json!({ "entries": entries }));
        assert_eq!(self.site.put(&path, "/access", Some(manager.1), &body).await.status, 200);
    }

    pub(crate) async fn close(&self, case: &str, by: &Cookie) {
        assert_eq!(self.site.post(&format!("/cases/{case}/close"), Some(by), json!({})).await.status, 200);
    }

    /// Bytes that have arrived whole for an item, and were looked at.
    pub(crate) async fn arrive(&self, item: &RequestItemId, bytes: &[u8]) -> EvidenceId {
        let app = &self.site.test.app;
        self.site.test.advance(Duration::from_millis(1));
        let arrival = Arrival {
            upload_id: app.begin().await.unwrap().new_id(),
            destination: Destination::Item(item.clone()),
            name: "export.mp4".to_owned(),
            size_bytes: bytes.len() as u64,
            sha256: Sha256Digest::of(bytes),
            blob: app.blobs().put("evidence", bytes.to_vec()).await.unwrap(),
            recorded: None,
            manifest: None,
        };
        let mut tx = app.begin().await.unwrap();
        let (evidence, event) = app::evidence::receive(&mut tx, None, arrival).await.unwrap();
        tx.commit(event).await.unwrap();
        self.site.test.run_jobs().await;
        evidence.id
    }

    /// Kinds of the events about a file, oldest first.
    pub(crate) async fn history(&self, id: &impl std::fmt::Display, by: &Cookie) -> Vec<String> {
        let found = self.site.get(&format!("/evidence/{id}/history?limit=500"), Some(by)).await;
        assert_eq!(found.status, 200, "{}", found.json);
        found.json["items"].as_array().unwrap().iter().rev().map(|entry| text(&entry["kind"])).collect()
    }

    pub(crate) async fn mails(&self, template: &str) -> usize {
        self.site.test.mails().await.into_iter().filter(|(sent, _)| sent == template).count()
    }

    /// The names of all bytes that are kept.
    pub(crate) async fn kept(&self) -> Vec<String> {
        let files: Vec<_> = self.site.test.app.blobs().list("").try_collect().await.unwrap();
        files.into_iter().map(|(name, _)| name).filter(|name| !name.starts_with("ledger/")).collect()
    }

    /// Rows, files and ledger agree.
    pub(crate) async fn check(&self) {
        while app::jobs::sequence_ledger::run(&self.site.test.app).await.unwrap() {}
        let report = app::check::run(&self.site.test.app, &app::check::Outside::default()).await.unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    }

    pub(crate) async fn tus(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header("tus-resumable", "1.0.0");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.site.send(request.body(body.into()).unwrap()).await
    }

    /// Announces an upload for something.
    pub(crate) async fn announce(&self, who: (&str, &str), purpose: (&str, &str), length: usize) -> Reply {
        let metadata = format!("filename {},{} {}", STANDARD.encode("clip.mp4"), purpose.0, STANDARD.encode(purpose.1));
        let length = length.to_string();
        let headers = [who, ("upload-length", length.as_str()), ("upload-metadata", metadata.as_str())];
        self.tus("POST", "/api/v1/uploads", &headers, Body::empty()).await
    }

    /// Sends a part of one.
    pub(crate) async fn send(&self, who: (&str, &str), path: &str, offset: usize, body: impl Into<Body>) -> Reply {
        let offset = offset.to_string();
        let kind = ("content-type", "application/offset+octet-stream");
        self.tus("PATCH", path, &[who, kind, ("upload-offset", offset.as_str())], body).await
    }

    /// Begins an upload of eleven bytes and sends five.
    pub(crate) async fn half(&self, who: (&str, &str), purpose: (&str, &str)) -> String {
        let made = self.announce(who, purpose, 11).await;
        assert_eq!(made.status, 201, "{}", made.json);
        let path = made.headers["location"].to_str().unwrap().to_owned();
        assert_eq!(self.send(who, &path, 0, "hello").await.status, 204);
        path
    }

    /// Revokes the upload link of a request's item.
    pub(crate) async fn revoke(&self, request: &str) {
        let id = text(&self.item(request, &self.pia).await["file_request"]["id"]);
        let path = format!("/file-requests/{id}");
        assert_eq!(self.site.call("DELETE", &path, Some(&self.pia), None, &[]).await.status, 204);
    }

    /// Sends a whole file.
    pub(crate) async fn whole(&self, who: (&str, &str), purpose: (&str, &str), bytes: &'static str) -> Reply {
        let made = self.announce(who, purpose, bytes.len()).await;
        if made.status != 201 {
            return made;
        }
        self.send(who, made.headers["location"].to_str().unwrap(), 0, bytes).await
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text instead of {value}")).to_owned()
}

pub(crate) fn cookie(cookie: &Cookie) -> (&'static str, &str) {
    ("cookie", cookie)
}
