//! Who gets at footage, when, and for how long: the rules of custody that are easily lost between two features, through the
//! router, on both databases.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::time::Duration;

use app::evidence::{Arrival, Destination};
use axum::body::{Body, Bytes};
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Caller;
use domain::account::Role;
use domain::id::{EvidenceId, RequestItemId, UploadId};
use domain::request_item::Reason;
use domain::upload::Whole;
use futures::{StreamExt as _, TryStreamExt as _};
use proof::Sha256Digest;
use serde_json::{Value, json};
use store::on_both;
use store::testing::TestDatabase;
use support::{Cookie, Reply, Site, footage};

const DAY: Duration = Duration::from_secs(86_400);

/// A police force: ana asks, ben asks and decides, pia decides.
struct Force {
    site: Site,
    ana: Cookie,
    ben: Cookie,
    pia: Cookie,
}

impl Force {
    async fn new(database: TestDatabase) -> Self {
        Self::with(database, |_| {}).await
    }

    async fn with(database: TestDatabase, change: impl FnOnce(&mut app::Settings)) -> Self {
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
    async fn sign_in(&mut self) {
        self.ana = self.site.sign_in("ana").await;
        self.ben = self.site.sign_in("ben").await;
        self.pia = self.site.sign_in("pia").await;
    }

    async fn days_later(&mut self, days: u32) {
        self.site.test.advance(DAY * days);
        app::jobs::schedule(&self.site.test.app).await.unwrap();
        self.site.test.run_jobs().await;
        self.sign_in().await;
    }

    fn body(&self, item: Value) -> Value {
        json!({
            "name": "Theft of a bicycle", "items": [item],
            "incident": { "from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:05:00Z", "address": "5th & Main" },
        })
    }

    /// A request for a place, with one item; its ids.
    async fn request(&self, by: &Cookie, case: Option<&str>) -> (String, RequestItemId) {
        self.site.test.advance(Duration::from_millis(1));
        let mut body = self.body(json!({ "from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:02:00Z" }));
        body["case_id"] = json!(case);
        let made = self.site.post("/video-requests", Some(by), body).await;
        assert_eq!(made.status, 201, "{}", made.json);
        (text(&made.json["id"]), text(&made.json["items"][0]["id"]).parse().unwrap())
    }

    /// The same, approved by pia; the token of the link that was mailed.
    async fn approved(&self, by: &Cookie, review: bool) -> (String, RequestItemId, String) {
        let (request, item) = self.request(by, None).await;
        self.act(&item, "approve", &self.pia, json!({ "review_before_release": review }), 200).await;
        let mut tx = self.site.test.app.read().await.unwrap();
        let filter = store::mail::Filter { limit: 100, ..Default::default() };
        let mails = store::mail::list(&mut tx, &filter).await.unwrap();
        let mail = mails.into_iter().find(|mail| mail.template == "file_request").unwrap();
        let token = mail.text.split("/f/").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        (request, item, token)
    }

    async fn act(&self, item: &RequestItemId, verb: &str, by: &Cookie, body: Value, status: u16) -> Reply {
        let reply = self.site.post(&format!("/request-items/{item}/{verb}"), Some(by), body).await;
        assert_eq!(reply.status, status, "{verb}: {}", reply.json);
        reply
    }

    async fn item(&self, request: &str, by: &Cookie) -> Value {
        self.site.get(&format!("/video-requests/{request}"), Some(by)).await.json["items"][0].clone()
    }

    async fn case(&self, by: &Cookie) -> String {
        self.site.test.advance(Duration::from_millis(1));
        text(&self.site.post("/cases", Some(by), json!({ "name": "Harbor fire" })).await.json["id"])
    }

    async fn close(&self, case: &str, by: &Cookie) {
        assert_eq!(self.site.post(&format!("/cases/{case}/close"), Some(by), json!({})).await.status, 200);
    }

    /// Bytes that have arrived whole for an item, and were looked at.
    async fn arrive(&self, item: &RequestItemId, bytes: &[u8]) -> EvidenceId {
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
    async fn history(&self, id: &impl std::fmt::Display, by: &Cookie) -> Vec<String> {
        let found = self.site.get(&format!("/evidence/{id}/history?limit=500"), Some(by)).await;
        assert_eq!(found.status, 200, "{}", found.json);
        found.json["items"].as_array().unwrap().iter().rev().map(|entry| text(&entry["kind"])).collect()
    }

    async fn mails(&self, template: &str) -> usize {
        self.site.test.mails().await.into_iter().filter(|(sent, _)| sent == template).count()
    }

    /// The names of all bytes that are kept.
    async fn kept(&self) -> Vec<String> {
        let files: Vec<_> = self.site.test.app.blobs().list("").try_collect().await.unwrap();
        files.into_iter().map(|(name, _)| name).filter(|name| !name.starts_with("ledger/")).collect()
    }

    /// Rows, files and ledger agree.
    async fn check(&self) {
        while app::jobs::sequence_ledger::run(&self.site.test.app).await.unwrap() {}
        let report = app::check::run(&self.site.test.app, &app::check::Outside::default()).await.unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    }

    async fn tus(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header("tus-resumable", "1.0.0");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.site.send(request.body(body.into()).unwrap()).await
    }

    /// Announces an upload for something.
    async fn announce(&self, who: (&str, &str), purpose: (&str, &str), length: usize) -> Reply {
        let metadata = format!("filename {},{} {}", STANDARD.encode("clip.mp4"), purpose.0, STANDARD.encode(purpose.1));
        let length = length.to_string();
        let headers = [who, ("upload-length", length.as_str()), ("upload-metadata", metadata.as_str())];
        self.tus("POST", "/api/v1/uploads", &headers, Body::empty()).await
    }

    /// Sends a part of one.
    async fn send(&self, who: (&str, &str), path: &str, offset: usize, body: impl Into<Body>) -> Reply {
        let offset = offset.to_string();
        let kind = ("content-type", "application/offset+octet-stream");
        self.tus("PATCH", path, &[who, kind, ("upload-offset", offset.as_str())], body).await
    }

    /// Begins an upload of eleven bytes and sends five.
    async fn half(&self, who: (&str, &str), purpose: (&str, &str)) -> String {
        let made = self.announce(who, purpose, 11).await;
        assert_eq!(made.status, 201, "{}", made.json);
        let path = made.headers["location"].to_str().unwrap().to_owned();
        assert_eq!(self.send(who, &path, 0, "hello").await.status, 204);
        path
    }

    /// Sends a whole file.
    async fn whole(&self, who: (&str, &str), purpose: (&str, &str), bytes: &'static str) -> Reply {
        let made = self.announce(who, purpose, bytes.len()).await;
        if made.status != 201 {
            return made;
        }
        self.send(who, made.headers["location"].to_str().unwrap(), 0, bytes).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text instead of {value}")).to_owned()
}

fn cookie(cookie: &Cookie) -> (&'static str, &str) {
    ("cookie", cookie)
}

on_both!(who_asked_sees_nothing_before_its_release, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (request, item, _) = force.approved(&force.ben, true).await;
    let id = force.arrive(&item, b"footage").await;
    let unseen = async || {
        for part in ["", "/original", "/play", "/thumbnail", "/history"] {
            let path = format!("/evidence/{id}{part}");
            assert_eq!(force.site.get(&path, Some(&force.ben)).await.status, 404, "{part}");
        }
        assert_eq!(force.item(&request, &force.ben).await["evidence"], json!([]));
        assert_eq!(force.site.get(&format!("/evidence/{id}/original"), Some(&force.pia)).await.status, 200);
        assert_eq!(force.item(&request, &force.pia).await["evidence"][0]["id"], json!(id));
    };
    assert_eq!(force.item(&request, &force.pia).await["state"], "in_review");
    unseen().await;
    force.act(&item, "deny", &force.pia, json!({}), 200).await;
    unseen().await;
    // Of others' requests he is an approver like any other.
    let (_, item, _) = force.approved(&force.ana, true).await;
    let id = force.arrive(&item, b"other footage").await;
    assert_eq!(force.site.get(&format!("/evidence/{id}"), Some(&force.ben)).await.status, 200);
});

on_both!(who_asked_adds_nothing_by_hand, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (request, item, _) = force.approved(&force.ben, false).await;
    let purpose = ("request_item", item.as_str());
    let refused = force.announce(cookie(&force.ben), purpose, 5).await;
    assert_eq!((refused.status, refused.code()), (403, "forbidden"));
    force.act(&item, "file-request", &force.ben, json!({}), 403).await;
    assert_eq!(force.item(&request, &force.ben).await["state"], "approved");
    assert_eq!(force.whole(cookie(&force.pia), purpose, "hello").await.status, 204);
});

on_both!(unless_the_policy_says_so, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.requester_may_approve = true).await;
    let (request, item, _) = force.approved(&force.ben, true).await;
    assert_eq!(force.whole(cookie(&force.ben), ("request_item", item.as_str()), "hello").await.status, 204);
    force.site.test.run_jobs().await;
    let seen = force.item(&request, &force.ben).await;
    assert_eq!(seen["state"], "in_review");
    let id = text(&seen["evidence"][0]["id"]);
    assert_eq!(force.site.get(&format!("/evidence/{id}/original"), Some(&force.ben)).await.body, b"hello");
});

on_both!(what_was_refused_is_purged_after_a_week, |database: TestDatabase| async move {
    let mut force = Force::new(database).await;
    let (request, item, _) = force.approved(&force.ana, true).await;
    let id = force.arrive(&item, &footage()).await;
    let (_, kept, _) = force.approved(&force.ana, false).await;
    let released = force.arrive(&kept, b"released").await;
    let (late_request, late, _) = force.approved(&force.ana, true).await;
    let looked_at = force.arrive(&late, b"looked at").await;
    let before = force.site.get(&format!("/evidence/{id}"), Some(&force.pia)).await.json;
    assert_eq!((&before["purged_at"], before["play_url"].is_string()), (&Value::Null, true));
    force.act(&item, "deny", &force.pia, json!({}), 200).await;
    assert_eq!(force.kept().await.len(), 5, "{:?}", force.kept().await);
    force.days_later(6).await;
    assert_eq!(force.kept().await.len(), 5, "a week has not passed");
    force.act(&late, "release", &force.pia, json!({}), 200).await;
    force.days_later(1).await;

    let path = format!("/evidence/{id}");
    let purged = force.site.get(&path, Some(&force.pia)).await;
    assert_eq!(purged.status, 200, "{}", purged.json);
    assert!(purged.json["purged_at"].is_string(), "{}", purged.json);
    assert_eq!((&purged.json["sha256"], &purged.json["size_bytes"]), (&before["sha256"], &before["size_bytes"]));
    for url in ["original_url", "play_url", "thumbnail_url"] {
        assert_eq!(purged.json[url], Value::Null, "{url}");
    }
    assert_eq!(purged.json["allowed_actions"], json!([]));
    for part in ["/original", "/play", "/thumbnail"] {
        let gone = force.site.get(&format!("{path}{part}"), Some(&force.pia)).await;
        assert_eq!((gone.status, gone.code()), (410, "purged"), "{part}");
        assert_eq!(force.site.get(&format!("{path}{part}"), Some(&force.ana)).await.status, 404, "{part}");
    }
    assert_eq!(force.history(&id, &force.pia).await.last().unwrap(), "evidence.purge");
    let shown = force.item(&request, &force.pia).await["evidence"][0].clone();
    assert_eq!((&shown["purged_at"], &shown["sha256"]), (&purged.json["purged_at"], &before["sha256"]));
    assert_eq!(force.item(&request, &force.ana).await["evidence"], json!([]));
    assert_eq!(force.kept().await.len(), 2, "{:?}", force.kept().await);
    for released in [released, looked_at] {
        let path = format!("/evidence/{released}/original");
        assert_eq!(force.site.get(&path, Some(&force.ana)).await.status, 200);
    }
    assert_eq!(force.item(&late_request, &force.ana).await["state"], "released");
    force.check().await;
    // Nothing is purged twice.
    force.days_later(1).await;
    let purges = force.history(&id, &force.pia).await.into_iter().filter(|kind| kind == "evidence.purge").count();
    assert_eq!(purges, 1);
    force.check().await;
});

on_both!(what_nobody_waits_for_is_purged_too, |database: TestDatabase| async move {
    let mut force = Force::with(database, |settings| settings.refused_lifetime = DAY).await;
    let (_, canceled, token) = force.approved(&force.ana, false).await;
    let link = format!("Bearer {token}");
    let sent = force.whole(("authorization", &link), ("file_request", "self"), "hello").await;
    assert_eq!(sent.status, 204, "{}", sent.json);
    force.site.test.run_jobs().await;
    force.act(&canceled, "cancel", &force.ana, json!({}), 200).await;
    // A failed item may be tried again; what had come by then goes all the same, and is no part of what comes next.
    let (request, failed, token) = force.approved(&force.ana, false).await;
    let link = format!("Bearer {token}");
    assert_eq!(force.whole(("authorization", &link), ("file_request", "self"), "part").await.status, 204);
    force.site.test.run_jobs().await;
    let app = &force.site.test.app;
    let mut tx = app.begin().await.unwrap();
    let reason = Reason { code: "export_failed".into(), detail: "The recorder burned.".into() };
    let failed_events =
        app::request_item::export_failed(app, &mut tx, &Caller::server(), &failed, reason).await.unwrap();
    tx.commit(failed_events).await.unwrap();
    assert_eq!(force.kept().await.len(), 2);
    force.days_later(1).await;
    assert_eq!(force.kept().await.len(), 0, "{:?}", force.kept().await);
    force.act(&failed, "retry", &force.ana, json!({}), 200).await;
    let id = force.arrive(&failed, b"the whole").await;
    let item = force.item(&request, &force.ana).await;
    assert_eq!(item["state"], "released");
    assert_eq!((item["evidence"].as_array().unwrap().len(), &item["evidence"][0]["id"]), (1, &json!(id)));
    assert_eq!(force.item(&request, &force.pia).await["evidence"].as_array().unwrap().len(), 2);
    force.check().await;
});

on_both!(what_was_purged_does_not_come_back_unnoticed, |database: TestDatabase| async move {
    let mut force = Force::new(database).await;
    let (_, item, _) = force.approved(&force.ana, true).await;
    let id = force.arrive(&item, b"footage").await;
    let blob = force.kept().await.pop().unwrap();
    force.act(&item, "deny", &force.pia, json!({}), 200).await;
    force.days_later(8).await;
    force.check().await;
    // Somebody restores an old copy of the files: what was purged must not come back unnoticed.
    force.site.test.app.blobs().put_named(&blob, b"footage".to_vec()).await.unwrap();
    let report = app::check::run(&force.site.test.app, &app::check::Outside::default()).await.unwrap();
    let found: Vec<_> = report.findings.iter().map(|finding| finding.object.clone()).collect();
    assert_eq!(found, [id.to_string()]);
});

on_both!(a_closed_case_takes_nothing_more_by_its_links, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let case = force.case(&force.ana).await;
    let made = force.site.post(&format!("/cases/{case}/file-requests"), Some(&force.ana), json!({ "name": "x" })).await;
    let link = format!("Bearer {}", text(&made.json["url"]).rsplit('/').next().unwrap());
    let holder = ("authorization", link.as_str());
    let path = force.half(holder, ("file_request", "self")).await;
    force.close(&case, &force.ana).await;
    let begun = force.send(holder, &path, 5, " world").await;
    assert_eq!((begun.status, begun.code()), (409, "case_closed"));
    let new = force.announce(holder, ("file_request", "self"), 5).await;
    assert_eq!((new.status, new.code()), (409, "case_closed"));
    assert_eq!(force.site.post(&format!("/cases/{case}/reopen"), Some(&force.ana), json!({})).await.status, 200);
    assert_eq!(force.send(holder, &path, 5, " world").await.status, 204);
    assert_eq!(force.site.get(&format!("/cases/{case}"), Some(&force.ana)).await.json["evidence_count"], 1);
});

on_both!(who_lost_access_cannot_finish_what_they_began, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let case = force.case(&force.ana).await;
    let id_of = async |name: &str| force.site.test.account(name, &force.site.test.host, &[]).await.id.to_string();
    let (ana, ben) = (id_of("ana").await, id_of("ben").await);
    let share = async |level: Option<&str>| {
        let mut entries = vec![json!({ "principal_id": ana, "level": "manage" })];
        entries.extend(level.map(|level| json!({ "principal_id": ben, "level": level })));
        let path = format!("/cases/{case}/access");
        let body = json!({ "entries": entries });
        assert_eq!(force.site.call("PUT", &path, Some(&force.ana), Some(&body), &[]).await.status, 200);
    };
    share(Some("edit")).await;
    let path = force.half(cookie(&force.ben), ("case_id", &case)).await;
    share(Some("view")).await;
    assert_eq!(force.send(cookie(&force.ben), &path, 5, " world").await.status, 403);
    share(None).await;
    assert_eq!(force.send(cookie(&force.ben), &path, 5, " world").await.status, 404);
    share(Some("edit")).await;
    // It is taken away while the last part arrives.
    let (last, rest) = futures::channel::oneshot::channel::<Bytes>();
    let body = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b" wor"))])
        .chain(futures::stream::once(async move { Ok(rest.await.unwrap()) }));
    let upload: UploadId = path.rsplit('/').next().unwrap().parse().unwrap();
    let (sent, ()) = futures::join!(force.send(cookie(&force.ben), &path, 5, Body::from_stream(body)), async {
        while force.site.test.app.uploads().progress(&upload) != Some(9) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        share(None).await;
        last.send(Bytes::from_static(b"ld")).unwrap();
    });
    assert_eq!(sent.status, 404);
    assert_eq!(force.site.get(&format!("/cases/{case}"), Some(&force.ana)).await.json["evidence_count"], 0);
    // Asking where it stands does not record it either: it is over, and nothing of it stays.
    let asked = force.tus("HEAD", &path, &[cookie(&force.ben)], Body::empty()).await;
    assert_eq!(asked.status, 404);
    assert_eq!(force.tus("HEAD", &path, &[cookie(&force.ben)], Body::empty()).await.status, 410);
    assert_eq!(force.site.get(&format!("/cases/{case}"), Some(&force.ana)).await.json["evidence_count"], 0);
    assert!(force.kept().await.is_empty() && force.site.test.app.uploads().list().unwrap().is_empty());
});

on_both!(a_canceled_item_takes_no_file_by_hand, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (_, item, _) = force.approved(&force.ana, false).await;
    let path = force.half(cookie(&force.pia), ("request_item", item.as_str())).await;
    force.act(&item, "cancel", &force.ana, json!({}), 200).await;
    let refused = force.send(cookie(&force.pia), &path, 5, " world").await;
    assert_eq!((refused.status, refused.code()), (409, "wrong_state"));
    // Neither does it where the server died after the last byte: the end is recorded later, or not.
    let app = &force.site.test.app;
    let id: UploadId = path.rsplit('/').next().unwrap().parse().unwrap();
    let whole = Whole { sha256: Sha256Digest::of(b"hello world"), blob: app.blobs().new_name("evidence") };
    app.blobs().put_named(&whole.blob, b"hello world".to_vec()).await.unwrap();
    let mut tx = app.begin().await.unwrap();
    store::upload::sealed(&mut tx, &id, &whole).await.unwrap();
    tx.commit_housekeeping().await.unwrap();
    for _ in 0..2 {
        app::upload::remove_abandoned(app).await.unwrap();
        assert!(store::evidence::of_item(&mut app.read().await.unwrap(), &item).await.unwrap().is_empty());
        assert!(force.kept().await.is_empty() && app.uploads().list().unwrap().is_empty());
    }
    force.check().await;
});

on_both!(nothing_is_granted_into_a_closed_case, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let case = force.case(&force.ana).await;
    let (request, item) = force.request(&force.ana, Some(&case)).await;
    let (running, exported) = force.request(&force.ana, Some(&case)).await;
    force.act(&exported, "approve", &force.pia, json!({}), 200).await;
    force.close(&case, &force.ana).await;
    for path in [format!("/request-items/{item}/approve"), format!("/video-requests/{request}/approve")] {
        let refused = force.site.post(&path, Some(&force.pia), json!({})).await;
        assert_eq!((refused.status, refused.code()), (409, "case_closed"), "{path}");
        assert!(text(&refused.json["detail"]).contains("reopen"), "{}", refused.json);
    }
    assert_eq!(force.item(&request, &force.pia).await["state"], "pending");
    // What was granted before the case was closed still arrives.
    force.arrive(&exported, b"footage").await;
    assert_eq!(force.item(&running, &force.ana).await["state"], "released");
    assert_eq!(force.site.post(&format!("/cases/{case}/reopen"), Some(&force.ana), json!({})).await.status, 200);
    force.act(&item, "approve", &force.pia, json!({}), 200).await;
});

on_both!(each_download_is_in_the_ledger, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (_, item, _) = force.approved(&force.ana, false).await;
    let id = force.arrive(&item, b"forty-two bytes of something that was seen").await;
    let path = format!("/evidence/{id}/original");
    let tag = format!("\"{}\"", Sha256Digest::of(b"forty-two bytes of something that was seen"));
    let mut expected = 0;
    for (headers, logged) in [
        (vec![], 1),
        (vec![], 1),
        (vec![("range", "bytes=0-")], 1),
        (vec![("range", "bytes=0-9")], 1),
        (vec![("range", "bytes=10-19")], 0),
        (vec![("range", "bytes=-5")], 0),
        (vec![("range", "bytes=-999")], 1),
        (vec![("range", "bytes=20-"), ("if-range", tag.as_str())], 0),
        // Each of these is answered with the whole.
        (vec![("range", "bytes=20-"), ("if-range", "\"other\"")], 1),
        (vec![("range", "bytes=20-25,0-19")], 1),
        (vec![("range", "nonsense")], 1),
    ] {
        let reply = force.site.call("GET", &path, Some(&force.ana), None, &headers).await;
        assert!(matches!(reply.status, 200 | 206), "{headers:?}: {}", reply.status);
        expected += logged;
        let downloads = force.history(&id, &force.ana).await.into_iter().filter(|kind| kind == "evidence.download");
        assert_eq!(downloads.count(), expected, "{headers:?}");
    }
});

on_both!(an_abandoned_link_ends_its_item, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.link_lifetime = Duration::from_secs(3600)).await;
    let holder = |token: &str| format!("Bearer {token}");
    let ends = async |revoke: bool| {
        let (request, item, token) = force.approved(&force.ana, false).await;
        force.half(("authorization", &holder(&token)), ("file_request", "self")).await;
        assert_eq!(force.item(&request, &force.ana).await["state"], "uploading");
        let told = force.mails("item_expired").await;
        if revoke {
            let link = text(&force.item(&request, &force.pia).await["file_request"]["id"]);
            let path = format!("/file-requests/{link}");
            assert_eq!(force.site.call("DELETE", &path, Some(&force.pia), None, &[]).await.status, 204);
        } else {
            force.site.test.advance(Duration::from_secs(3600));
            force.site.test.run_jobs().await;
        }
        let ended = force.item(&request, &force.ana).await;
        assert_eq!((&ended["state"], &ended["reason"]["code"]), (&json!("expired"), &json!("link_abandoned")));
        assert_eq!(force.mails("item_expired").await, told + 1, "{item}");
    };
    ends(false).await;
    ends(true).await;
    // Another link takes the place of the first: nothing is abandoned.
    let (request, item, token) = force.approved(&force.ana, false).await;
    force.half(("authorization", &holder(&token)), ("file_request", "self")).await;
    let made = force.act(&item, "file-request", &force.pia, json!({}), 201).await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "uploading");
    let second = text(&made.json["url"]).rsplit('/').next().unwrap().to_owned();
    // A whole file and a half one: what is whole is taken for all.
    let second = holder(&second);
    assert_eq!(force.whole(("authorization", &second), ("file_request", "self"), "hello").await.status, 204);
    force.half(("authorization", &second), ("file_request", "self")).await;
    force.site.test.advance(Duration::from_secs(3600));
    force.site.test.run_jobs().await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "released");
    // What somebody adds by hand meanwhile is waited for, and no longer than it is kept.
    let (request, item, token) = force.approved(&force.ana, false).await;
    force.half(("authorization", &holder(&token)), ("file_request", "self")).await;
    force.half(cookie(&force.pia), ("request_item", item.as_str())).await;
    force.site.test.advance(Duration::from_secs(3600));
    force.site.test.run_jobs().await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "uploading");
    force.site.test.advance(3 * DAY);
    app::upload::remove_abandoned(&force.site.test.app).await.unwrap();
    let ana = force.site.sign_in("ana").await;
    assert_eq!(force.item(&request, &ana).await["state"], "expired");
});

on_both!(several_files_are_added_by_hand, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (request, item, _) = force.approved(&force.ana, true).await;
    let purpose = ("request_item", item.as_str());
    for (n, bytes) in ["one", "two"].into_iter().enumerate() {
        let sent = force.whole(cookie(&force.pia), purpose, bytes).await;
        assert_eq!(sent.status, 204, "{}", sent.json);
        force.site.test.run_jobs().await;
        assert_eq!(force.item(&request, &force.ana).await["state"], "in_review");
        assert_eq!(force.item(&request, &force.pia).await["evidence"].as_array().unwrap().len(), n + 1);
    }
    force.act(&item, "release", &force.pia, json!({}), 200).await;
    assert_eq!(force.whole(cookie(&force.pia), purpose, "three").await.status, 204);
    force.site.test.run_jobs().await;
    let released = force.item(&request, &force.ana).await;
    assert_eq!((&released["state"], released["evidence"].as_array().unwrap().len()), (&json!("released"), 3));
    // Into a closed case nothing is added, nor to what ended without footage.
    let case = text(&force.site.get(&format!("/video-requests/{request}"), Some(&force.ana)).await.json["case_id"]);
    force.close(&case, &force.ana).await;
    assert_eq!(force.whole(cookie(&force.pia), purpose, "four").await.code(), "case_closed");
    let (_, denied) = force.request(&force.ana, None).await;
    force.act(&denied, "deny", &force.pia, json!({}), 200).await;
    let refused = force.whole(cookie(&force.pia), ("request_item", denied.as_str()), "five").await;
    assert_eq!((refused.status, refused.code()), (409, "wrong_state"));
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

#[test]
fn a_connection_file_says_where_the_server_is() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], public_url: Option<&str>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sightline"));
        command.args(["connection-file", "Depot", "--data"]).arg(folder.path().join("data")).args(arguments);
        if let Some(public_url) = public_url {
            command.env("SIGHTLINE_SERVER__PUBLIC_URL", public_url);
        }
        command.output().unwrap()
    };
    let url = |output: &std::process::Output| {
        let file: toml::Table = String::from_utf8_lossy(&output.stdout).parse().unwrap();
        file["url"].as_str().unwrap().to_owned()
    };
    // The installation has to exist.
    let mut serve = std::process::Command::new(env!("CARGO_BIN_EXE_sightline"));
    serve
        .args(["account", "add", "a@example.org", "--role", "administrator", "--data"])
        .arg(folder.path().join("data"));
    assert!(serve.output().unwrap().status.success());
    let given = run(&["--url", "https://video.example.org:8443/"], Some("https://configured.example.org"));
    assert_eq!(url(&given), "https://video.example.org:8443", "{given:?}");
    assert_eq!(url(&run(&[], Some("https://configured.example.org/"))), "https://configured.example.org");
    let guessed = run(&[], None);
    assert_eq!(url(&guessed), "http://127.0.0.1:8080");
    let said = String::from_utf8_lossy(&guessed.stderr).into_owned();
    assert!(said.contains("--url") && said.contains("public_url"), "{said}");
    let wrong = run(&["--url", "video.example.org"], None);
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("https://"), "{wrong:?}");
}
