//! Cases, files, looks and upload links, through the router, on both databases.

use std::time::Duration;

use crate::support::{Cookie, Site, footage, footage_of};
use app::evidence::{Arrival, Destination};
use domain::account::Role;
use domain::evidence::Recorded;
use domain::id::{CaseId, EvidenceId, FileRequestId, RequestItemId, UploadId};
use domain::{Caller, Timestamp, Window};
use proof::Sha256Digest;
use serde_json::{Value, json};
use store::testing::TestDatabase;
use store::{Sql, on_both};

impl Site {
    /// Somebody of the host, signed in.
    async fn person(&self, name: &str, roles: &[Role]) -> Cookie {
        let roles: Vec<_> = roles.iter().map(|role| (*role, None)).collect();
        self.test.account(name, &self.test.host, &roles).await;
        self.sign_in(name).await
    }

    async fn id_of(&self, name: &str) -> String {
        self.test.account(name, &self.test.host, &[]).await.id.to_string()
    }

    /// What a program of theirs says in `Authorization`.
    async fn token(&self, by: &Cookie, scopes: Value) -> String {
        let made = self.post("/tokens", Some(by), json!({ "name": "script", "scopes": scopes })).await;
        assert_eq!(made.status, 201, "{}", made.json);
        format!("Bearer {}", made.json["secret"].as_str().unwrap())
    }

    async fn case(&self, by: &Cookie, name: &str) -> String {
        self.test.advance(Duration::from_millis(1));
        let made = self.post("/cases", Some(by), json!({ "name": name })).await;
        assert_eq!(made.status, 201, "{}", made.json);
        made.json["id"].as_str().unwrap().to_owned()
    }

    async fn share(&self, by: &Cookie, case: &str, entries: &[(&str, &str, Option<Timestamp>)]) -> u16 {
        let mut list = Vec::new();
        for (name, level, expires_at) in entries {
            list.push(json!({ "principal_id": self.id_of(name).await, "level": level, "expires_at": expires_at }));
        }
        let body = json!({ "entries": list });
        self.put(&format!("/cases/{case}"), "/access", Some(by), &body).await.status
    }

    /// Bytes that have arrived whole: what an upload ends with.
    async fn arrive(
        &self,
        caller: &Caller,
        destination: Destination,
        name: &str,
        bytes: &[u8],
    ) -> (UploadId, EvidenceId) {
        let app = &self.test.app;
        self.test.advance(Duration::from_millis(1));
        let upload: UploadId = app.begin().await.unwrap().new_id();
        let blob = app.blobs().put("evidence", bytes.to_vec()).await.unwrap();
        let evidence = self.receive_as(caller, &upload, destination, name, bytes, &blob).await;
        (upload, evidence)
    }

    async fn receive_as(
        &self,
        caller: &Caller,
        upload: &UploadId,
        destination: Destination,
        name: &str,
        bytes: &[u8],
        blob: &str,
    ) -> EvidenceId {
        let mut tx = self.test.app.begin().await.unwrap();
        let arrival = Arrival {
            upload_id: upload.clone(),
            destination,
            name: name.to_owned(),
            size_bytes: bytes.len() as u64,
            sha256: Sha256Digest::of(bytes),
            blob: blob.to_owned(),
            recorded: None,
            manifest: None,
        };
        let (evidence, event) = app::evidence::receive(&mut tx, caller.actor().as_deref(), arrival).await.unwrap();
        match event {
            Some(event) => tx.commit([event]).await.unwrap(),
            None => tx.commit_housekeeping().await.unwrap(),
        }
        evidence.id
    }

    async fn add_to_case(&self, case: &str, name: &str, bytes: &[u8]) -> String {
        let case: CaseId = case.parse().unwrap();
        let (_, id) = self.arrive(&Caller::server(), Destination::Case(case), name, bytes).await;
        self.test.run_jobs().await;
        id.to_string()
    }

    /// Kinds of the events about something, oldest first.
    async fn history(&self, path: &str, by: &Cookie) -> Vec<String> {
        let found = self.get(&format!("{path}/history?limit=500"), Some(by)).await;
        assert_eq!(found.status, 200, "{}", found.json);
        let kind = |entry: &Value| entry["kind"].as_str().unwrap().to_owned();
        found.json["items"].as_array().unwrap().iter().rev().map(kind).collect()
    }

    /// A request for a place, with one item; its ids.
    async fn request(&self, by: &Cookie) -> (String, RequestItemId) {
        self.test.advance(Duration::from_millis(1));
        let body = json!({
            "name": "Theft of a bicycle",
            "incident": { "from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:05:00Z", "address": "5th & Main" },
            "items": [{ "from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:02:00Z" }],
        });
        let made = self.post("/video-requests", Some(by), body).await;
        assert_eq!(made.status, 201, "{}", made.json);
        let item = made.json["items"][0]["id"].as_str().unwrap().parse().unwrap();
        (made.json["id"].as_str().unwrap().to_owned(), item)
    }

    async fn item(&self, request: &str, by: &Cookie) -> Value {
        self.get(&format!("/video-requests/{request}"), Some(by)).await.json["items"][0].clone()
    }

    async fn mails(&self, template: &str) -> usize {
        self.test.mails().await.into_iter().filter(|(sent, _)| sent == template).count()
    }

    /// The text of the newest mail of a kind.
    async fn newest_mail(&self, template: &str) -> String {
        let mut tx = self.test.app.read().await.unwrap();
        let mails =
            store::mail::list(&mut tx, &store::mail::Filter { limit: 100, ..Default::default() }).await.unwrap();
        mails.into_iter().find(|mail| mail.template == template).expect("such a mail was sent").text
    }

    /// The upload link that the newest mail holds.
    async fn mailed_token(&self) -> String {
        let text = self.newest_mail("file_request").await;
        let rest = text.split("/f/").nth(1).unwrap();
        rest.split_whitespace().next().unwrap().trim_end_matches(['.', ',']).to_owned()
    }

    /// A file that came by a link, with the row of its upload.
    async fn send_by_link(
        &self,
        link: &FileRequestId,
        destination: Destination,
        name: &str,
        bytes: &[u8],
    ) -> EvidenceId {
        let (upload, evidence) = self.arrive(&Caller::link(link.clone()), destination, name, bytes).await;
        let mut tx = self.test.app.begin().await.unwrap();
        Sql::new("INSERT INTO uploads (id, purpose, object_id, owner, file_name, metadata, state, length_bytes, expires_at, created_at) VALUES (")
            .args([upload.as_str(), "link", link.as_str(), link.as_str(), name, "", "finished"])
            .add(", ")
            .args([bytes.len() as i64, i64::MAX, tx.now().as_micros()])
            .add(")")
            .execute(&mut tx)
            .await
            .unwrap();
        tx.commit_housekeeping().await.unwrap();
        evidence
    }
}

fn pointers(reply: &crate::support::Reply) -> Vec<&str> {
    reply.json["errors"]
        .as_array()
        .map(|all| all.iter().filter_map(|e| e["pointer"].as_str()).collect())
        .unwrap_or_default()
}

on_both!(cases_are_made_named_closed_and_reopened, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let boris = site.person("boris", &[Role::Approver]).await;
    assert_eq!(site.post("/cases", Some(&boris), json!({ "name": "x" })).await.status, 403);
    assert_eq!(pointers(&site.post("/cases", Some(&ana), json!({ "name": " " })).await), ["/name"]);
    let (first, second) = (site.case(&ana, "Harbor fire").await, site.case(&ana, "Café robbery").await);
    let list = site.get("/cases?count=true&limit=1", Some(&ana)).await.json;
    assert_eq!((&list["items"][0]["number"], &list["total"]), (&json!("C-2026-002"), &json!(2)));
    let next =
        site.get(&format!("/cases?limit=1&cursor={}", list["next_cursor"].as_str().unwrap()), Some(&ana)).await.json;
    assert_eq!((&next["items"][0]["number"], &next["next_cursor"]), (&json!("C-2026-001"), &Value::Null));
    let found = site.get("/cases?q=cafe", Some(&ana)).await.json;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);

    let key = [("idempotency-key", "once")];
    let again = json!({ "name": "Once" });
    let made = site.call("POST", "/cases", Some(&ana), Some(&again), &key).await;
    let repeated = site.call("POST", "/cases", Some(&ana), Some(&again), &key).await;
    assert_eq!((repeated.status, &repeated.json), (201, &made.json));
    let other = site.call("POST", "/cases", Some(&ana), Some(&json!({ "name": "Other" })), &key).await;
    assert_eq!(other.code(), "idempotency_key_reused");

    let path = format!("/cases/{first}");
    let one = site.get(&path, Some(&ana)).await;
    assert_eq!((one.headers["etag"].to_str().unwrap(), &one.json["level"]), ("\"1\"", &json!("manage")));
    let patch = json!({ "name": "Pier fire" });
    assert_eq!(site.call("PATCH", &path, Some(&ana), Some(&patch), &[]).await.status, 428);
    assert_eq!(site.call("PATCH", &path, Some(&ana), Some(&patch), &[("if-match", "\"7\"")]).await.status, 412);
    let renamed = site.call("PATCH", &path, Some(&ana), Some(&patch), &[("if-match", "\"1\"")]).await;
    assert_eq!(
        (renamed.status, &renamed.json["name"], &renamed.json["version"]),
        (200, &json!("Pier fire"), &json!(2))
    );
    assert_eq!(site.post(&format!("{path}/reopen"), Some(&ana), json!({})).await.code(), "wrong_state");
    let closed = site.post(&format!("{path}/close"), Some(&ana), json!({})).await;
    assert!(closed.json["closed_at"].is_string());
    assert_eq!(closed.json["allowed_actions"], json!(["change", "share", "reopen"]));
    assert_eq!(site.post(&format!("{path}/close"), Some(&ana), json!({})).await.status, 409);
    let link = json!({ "name": "Footage" });
    assert_eq!(site.post(&format!("{path}/file-requests"), Some(&ana), link).await.status, 409, "closed");
    let open = site.get("/cases?closed=false", Some(&ana)).await.json;
    let open: Vec<_> = open["items"].as_array().unwrap().iter().map(|case| case["id"].as_str().unwrap()).collect();
    assert!(open.contains(&second.as_str()) && !open.contains(&first.as_str()), "{open:?}");
    assert_eq!(site.post(&format!("{path}/reopen"), Some(&ana), json!({})).await.status, 200);
    assert_eq!(site.history(&path, &ana).await, ["case.create", "case.rename", "case.close", "case.reopen"]);
    for (method, part) in
        [("GET", ""), ("GET", "/access"), ("GET", "/evidence"), ("GET", "/history"), ("POST", "/close")]
    {
        let path = format!("{path}{part}");
        assert_eq!(site.call(method, &path, Some(&boris), None, &[]).await.status, 404, "{path}");
        assert_eq!(site.call(method, &path, None, None, &[]).await.status, 401, "{path}");
    }
    assert_eq!(site.get("/cases?count=true", Some(&boris)).await.json["total"], 0);
});

on_both!(access_is_by_level_by_group_and_for_a_time, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let (vera, dan, eve) =
        (site.person("vera", &[]).await, site.person("dan", &[]).await, site.person("eve", &[]).await);
    let case = site.case(&ana, "Harbor fire").await;
    let path = format!("/cases/{case}");
    let soon = site.test.app.now().plus(Duration::from_secs(3600));
    let entries = [("ana", "manage", None), ("vera", "view", Some(soon)), ("eve", "edit", None)];
    assert_eq!(site.share(&ana, &case, &entries).await, 200);
    let list = site.get(&format!("{path}/access"), Some(&vera)).await.json;
    assert_eq!((&list["entries"][0]["name"], list["entries"].as_array().unwrap().len()), (&json!("ana Example"), 3));
    assert_eq!(site.get(&path, Some(&vera)).await.json["allowed_actions"], json!([]));
    assert_eq!(site.get(&path, Some(&eve)).await.json["allowed_actions"], json!(["change", "add", "file_request"]));
    assert_eq!(site.share(&eve, &case, &entries).await, 403);
    assert_eq!(
        site.call("PATCH", &path, Some(&vera), Some(&json!({ "name": "x" })), &[("if-match", "\"2\"")]).await.status,
        403
    );
    assert_eq!(site.post(&format!("{path}/close"), Some(&eve), json!({})).await.status, 403);
    for (entries, pointer) in [
        (vec![("eve", "edit", None)], "/entries"),
        (vec![("ana", "manage", None), ("ana", "view", None)], "/entries/1/principal_id"),
        (
            vec![("ana", "manage", None), ("eve", "view", Some(soon.minus(Duration::from_secs(7200))))],
            "/entries/1/expires_at",
        ),
    ] {
        let mut list = Vec::new();
        for (name, level, expires_at) in entries {
            list.push(json!({ "principal_id": site.id_of(name).await, "level": level, "expires_at": expires_at }));
        }
        let refused = site.put(&path, "/access", Some(&ana), &json!({ "entries": list })).await;
        assert_eq!((refused.status, pointers(&refused)), (422, vec![pointer]));
    }
    // A group, and everybody in it from now on.
    let boss = site.person("boss", &[Role::Administrator]).await;
    let group =
        site.post("/groups", Some(&boss), json!({ "name": "Arson", "organization_id": site.test.host })).await.json;
    let group = group["id"].as_str().unwrap().to_owned();
    let ana_id = site.id_of("ana").await;
    let lines = json!({ "entries": [{ "principal_id": ana_id, "level": "manage" }, { "principal_id": group, "level": "download" }] });
    assert_eq!(site.put(&path, "/access", Some(&ana), &lines).await.status, 200);
    assert_eq!(site.get(&path, Some(&dan)).await.status, 404);
    let members = json!({ "account_ids": [site.id_of("dan").await] });
    assert_eq!(site.put(&format!("/groups/{group}"), "/members", Some(&boss), &members).await.status, 200);
    assert_eq!(site.get(&path, Some(&dan)).await.json["level"], "download");
    assert_eq!(site.get(&path, Some(&boss)).await.status, 404, "running the installation opens no case");
    let nobody = json!({ "entries": [{ "principal_id": ana_id, "level": "manage" }, { "principal_id": "acc_01h455vb4pex5vsknk084sn02q", "level": "view" }] });
    let refused = site.put(&path, "/access", Some(&ana), &nobody).await;
    assert_eq!(pointers(&refused), ["/entries/1/principal_id"]);
    // For a time.
    assert_eq!(site.share(&ana, &case, &[("ana", "manage", None), ("vera", "view", Some(soon))]).await, 200);
    assert_eq!(site.get(&path, Some(&vera)).await.status, 200);
    site.test.advance(Duration::from_secs(3600));
    assert_eq!(site.get(&path, Some(&vera)).await.status, 404);
    assert_eq!(site.get("/cases?count=true", Some(&vera)).await.json["total"], 0);
});

on_both!(whoever_manages_a_case_finds_whom_to_let_in, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let boss = site.person("boss", &[Role::Administrator]).await;
    site.person("eve", &[]).await;
    let group = json!({ "name": "Émile's squad", "organization_id": site.test.host });
    assert_eq!(site.post("/groups", Some(&boss), group).await.status, 201);
    let case = site.case(&ana, "Harbor fire").await;
    assert_eq!(site.share(&ana, &case, &[("ana", "manage", None), ("eve", "edit", None)]).await, 200);
    let path = format!("/cases/{case}/access/candidates");
    let names = |answer: &crate::support::Reply| -> Vec<String> {
        let items = answer.json["items"].as_array().unwrap().iter();
        items.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    let all = site.get(&path, Some(&ana)).await;
    assert_eq!(names(&all), ["Administrator", "ana Example", "boss Example", "Émile's squad", "eve Example"]);
    assert_eq!(names(&site.get(&format!("{path}?q=emile"), Some(&ana)).await), ["Émile's squad"]);
    // One who cannot sign in is nobody to let in.
    let id = site.id_of("eve").await;
    let version = format!("\"{}\"", site.get(&format!("/accounts/{id}"), Some(&boss)).await.json["version"]);
    let disabled = site
        .call(
            "PATCH",
            &format!("/accounts/{id}"),
            Some(&boss),
            Some(&json!({ "disabled": true })),
            &[("if-match", &version)],
        )
        .await;
    assert_eq!(disabled.status, 200, "{}", disabled.json);
    let rest = site.get(&format!("{path}?q=example"), Some(&ana)).await;
    assert_eq!(names(&rest), ["Administrator", "ana Example", "boss Example"]);
    // The list of people is for those who manage the case, and says nothing about cases that one does not see.
    let vera = site.person("vera", &[]).await;
    assert_eq!(site.share(&ana, &case, &[("ana", "manage", None), ("vera", "edit", None)]).await, 200);
    assert_eq!(site.get(&path, Some(&vera)).await.status, 403);
    assert_eq!(site.get(&path, Some(&boss)).await.status, 404);
});

on_both!(a_token_opens_cases_only_where_its_scopes_say_so, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let case = site.case(&ana, "Harbor fire").await;
    let file = site.add_to_case(&case, "clip.mp4", &footage()).await;
    let narrow = site.token(&ana, json!(["view_registry", "create_cases", "submit_requests"])).await;
    let opens = site.token(&ana, json!(["open_cases"])).await;
    let whole = site.token(&ana, json!(null)).await;
    for (token, seen, cases) in [(&narrow, 404, 0), (&opens, 200, 1), (&whole, 200, 1)] {
        let with = [("authorization", token.as_str())];
        for path in [
            format!("/cases/{case}"),
            format!("/cases/{case}/access"),
            format!("/cases/{case}/history"),
            format!("/cases/{case}/evidence"),
            format!("/evidence/{file}"),
            format!("/evidence/{file}/original"),
            format!("/evidence/{file}/play"),
            format!("/evidence/{file}/thumbnail"),
            format!("/evidence/{file}/history"),
        ] {
            assert_eq!(site.call("GET", &path, None, None, &with).await.status, seen, "{path}");
        }
        assert_eq!(site.call("GET", "/cases?count=true", None, None, &with).await.json["total"], cases);
        let body = json!({ "name": "Mine now" });
        let with = [with[0], ("if-match", "\"1\"")];
        let renamed = site.call("PATCH", &format!("/cases/{case}"), None, Some(&body), &with).await;
        assert_eq!(renamed.status == 404, seen == 404, "{}", renamed.json);
    }
});

on_both!(a_file_is_looked_at_played_and_fetched_by_level, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let (vera, eve) = (site.person("vera", &[]).await, site.person("eve", &[]).await);
    let case = site.case(&ana, "Harbor fire").await;
    assert_eq!(site.share(&ana, &case, &[("ana", "manage", None), ("vera", "view", None)]).await, 200);
    let clip = footage();
    let id = site.add_to_case(&case, "pier \"9\".mp4", &clip).await;
    let path = format!("/evidence/{id}");
    let file = site.get(&path, Some(&ana)).await.json;
    assert_eq!(
        (&file["sha256"], &file["size_bytes"]),
        (&json!(Sha256Digest::of(&clip).to_string()), &json!(clip.len()))
    );
    assert_eq!((&file["media"]["video_codec"], &file["media"]["duration_ms"]), (&json!("h264"), &json!(2000)));
    assert_eq!((&file["playable"]["state"], &file["level"]), (&json!("ready"), &json!("download")));
    assert_eq!(site.get(&format!("/cases/{case}/evidence"), Some(&vera)).await.json["items"][0]["id"], json!(id));
    assert_eq!(site.get(&format!("/cases/{case}"), Some(&vera)).await.json["evidence_count"], 1);

    // The original: exact, as a file, in ranges; not for those who may only view.
    let original = site.get(&format!("{path}/original"), Some(&ana)).await;
    assert_eq!((original.status, &original.body), (200, &clip));
    assert_eq!(original.headers["content-type"], "application/octet-stream");
    assert_eq!(
        original.headers["content-disposition"],
        "attachment; filename=\"pier _9_.mp4\"; filename*=UTF-8''pier%20%229%22.mp4"
    );
    let part = site.call("GET", &format!("{path}/original"), Some(&ana), None, &[("range", "bytes=10-19")]).await;
    assert_eq!((part.status, part.body.as_slice()), (206, &clip[10..20]));
    assert_eq!(part.headers["content-range"].to_str().unwrap(), format!("bytes 10-19/{}", clip.len()));
    let beyond = site.call("GET", &format!("{path}/original"), Some(&ana), None, &[("range", "bytes=99999999-")]).await;
    assert_eq!((beyond.status, beyond.code()), (416, "range_not_satisfiable"));
    let seen = site.get(&path, Some(&vera)).await.json;
    assert_eq!((&seen["level"], &seen["original_url"]), (&json!("view"), &Value::Null));
    assert_eq!(site.get(&format!("{path}/original"), Some(&vera)).await.status, 403);

    // The copy: many ranges are one look, a look goes on to the next after a while.
    for first in [0, 100, 200, 300] {
        let range = format!("bytes={first}-{}", first + 99);
        let part = site.call("GET", &format!("{path}/play"), Some(&vera), None, &[("range", &range)]).await;
        assert_eq!((part.status, part.body.len()), (206, 100));
        assert_eq!(part.headers["content-type"], "video/mp4");
    }
    let whole = site.get(&format!("{path}/play"), Some(&vera)).await;
    assert_eq!(whole.body[4..8], *b"ftyp");
    let tag = whole.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(
        site.call("GET", &format!("{path}/play"), Some(&vera), None, &[("if-none-match", &tag)]).await.status,
        304
    );
    let thumbnail = site.get(&format!("{path}/thumbnail"), Some(&vera)).await;
    assert_eq!((thumbnail.status, &thumbnail.body[..2]), (200, &[0xff, 0xd8][..]));
    let looks = |kinds: Vec<String>, kind: &str| kinds.into_iter().filter(|k| k == kind).count();
    assert_eq!(looks(site.history(&path, &ana).await, "evidence.play"), 1);
    assert_eq!(looks(site.history(&path, &ana).await, "evidence.download"), 1);
    site.test.advance(Duration::from_secs(301));
    assert_eq!(site.get(&format!("{path}/play"), Some(&vera)).await.status, 200);
    assert_eq!(looks(site.history(&path, &ana).await, "evidence.play"), 2);
    let history = site.get(&format!("{path}/history"), Some(&ana)).await.json;
    assert_eq!(history["items"][0]["actor"]["name"], "vera Example");
    assert!(site.history(&format!("/cases/{case}"), &ana).await.contains(&"evidence.preview".to_owned()));
    for part in ["", "/original", "/play", "/thumbnail", "/history"] {
        assert_eq!(site.get(&format!("{path}{part}"), Some(&eve)).await.status, 404, "{part}");
        assert_eq!(site.get(&format!("{path}{part}"), None).await.status, 401, "{part}");
    }
});

on_both!(what_cannot_be_played_is_kept_all_the_same, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let case = site.case(&ana, "Harbor fire").await;
    let id = site.add_to_case(&case, "notes.mp4", b"This is no video.").await;
    let file = site.get(&format!("/evidence/{id}"), Some(&ana)).await.json;
    assert_eq!(file["playable"]["state"], "failed");
    let reason = file["playable"]["error"].as_str().unwrap();
    assert!(reason.starts_with("No copy that plays could be made: ") && !reason.contains('/'), "{reason}");
    assert_eq!(
        (&file["play_url"], &file["thumbnail_url"], &file["allowed_actions"]),
        (&Value::Null, &Value::Null, &json!(["download"]))
    );
    assert_eq!(site.get(&format!("/evidence/{id}/play"), Some(&ana)).await.status, 404);
    assert_eq!(site.get(&format!("/evidence/{id}/original"), Some(&ana)).await.body, b"This is no video.");
});

on_both!(a_file_that_was_cut_short_says_how_much_of_it_plays, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let case = site.case(&ana, "Harbor fire").await;
    let whole = footage_of("-t 20 -movflags +faststart");
    let id = site.add_to_case(&case, "cut.mp4", &whole[..whole.len() / 2]).await;
    let media = &site.get(&format!("/evidence/{id}"), Some(&ana)).await.json["media"];
    let plays = media["duration_ms"].as_u64().unwrap();
    assert_eq!(media["claimed_ms"], 20_000);
    assert!((5_000..15_000).contains(&plays), "{media}");
    let id = site.add_to_case(&case, "whole.mp4", &whole).await;
    let media = &site.get(&format!("/evidence/{id}"), Some(&ana)).await.json["media"];
    assert_eq!((&media["duration_ms"], &media["claimed_ms"]), (&json!(20_000), &Value::Null));
});

on_both!(what_arrives_for_an_item_is_released_once, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let pia = site.person("pia", &[Role::Approver]).await;
    let (request, item) = site.request(&ana).await;
    let approved = site.post(&format!("/request-items/{item}/approve"), Some(&pia), json!({ "level": "view" })).await;
    assert_eq!(approved.status, 200, "{}", approved.json);
    let case =
        site.get(&format!("/video-requests/{request}"), Some(&ana)).await.json["case_id"].as_str().unwrap().to_owned();
    let seen = site.get(&format!("/cases/{case}"), Some(&ana)).await.json;
    assert_eq!((&seen["name"], &seen["level"]), (&json!("Theft of a bicycle"), &json!("manage")));
    // Who decided sees all of the request, but may not open the case: nothing leads there.
    assert_eq!(site.get(&format!("/cases/{case}"), Some(&pia)).await.status, 404);
    assert_eq!(site.get(&format!("/video-requests/{request}"), Some(&pia)).await.json["case_id"], Value::Null);
    assert_eq!(site.get("/video-requests", Some(&pia)).await.json["items"][0]["case_id"], Value::Null);
    assert_eq!(site.get("/video-requests", Some(&ana)).await.json["items"][0]["case_id"], json!(case));
    let clip = footage();
    let (upload, id) = site.arrive(&Caller::server(), Destination::Item(item.clone()), "export.mp4", &clip).await;
    assert_eq!(site.get(&format!("/evidence/{id}"), Some(&ana)).await.status, 404, "nobody has looked at it");
    assert_eq!(site.get(&format!("/evidence/{id}"), Some(&pia)).await.status, 200, "the owner's approver has");
    // The same upload, finished again, is the same file; so is a job that was cut off and runs again.
    let again = site
        .receive_as(
            &Caller::server(),
            &upload,
            Destination::Item(item.clone()),
            "export.mp4",
            &clip,
            "evidence/00/other",
        )
        .await;
    assert_eq!(again, id);
    site.test.run_jobs().await;
    let mut tx = site.test.app.begin().await.unwrap();
    let payload = json!({ "evidence_id": id });
    store::job::push(&mut tx, "ingest_evidence", &payload, None, site.test.app.now()).await.unwrap();
    tx.commit_housekeeping().await.unwrap();
    site.test.run_jobs().await;
    assert_eq!(site.item(&request, &ana).await["state"], "released");
    assert_eq!(site.mails("footage_ready").await, 1);
    let file = site.get(&format!("/evidence/{id}"), Some(&ana)).await.json;
    assert_eq!((&file["case_id"], &file["level"], &file["original_url"]), (&json!(case), &json!("view"), &Value::Null));
    assert_eq!(site.get(&format!("/evidence/{id}/play"), Some(&ana)).await.status, 200);
    assert_eq!(site.get(&format!("/evidence/{id}/original"), Some(&ana)).await.status, 403);
    assert_eq!(site.get(&format!("/evidence/{id}"), Some(&pia)).await.status, 404, "released, it is the case's");
    let history = site.history(&format!("/cases/{case}"), &ana).await;
    assert_eq!(history.iter().filter(|kind| *kind == "evidence.process").count(), 1, "{history:?}");
    assert!(history.contains(&"request_item.arrive".to_owned()), "{history:?}");
});

on_both!(a_run_that_was_cut_off_leaves_nothing_behind, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let case = site.case(&ana, "Harbor fire").await;
    let destination = Destination::Case(case.parse().unwrap());
    let (_, id) = site.arrive(&Caller::server(), destination, "pier.mp4", &footage()).await;
    // As if a run had died while it put its copy into place, before it noted it.
    let app = &site.test.app;
    let mut tx = app.read().await.unwrap();
    let blob = store::evidence::find(&mut tx, &id).await.unwrap().unwrap().original.blob;
    drop(tx);
    let half = blob.replacen("evidence/", "playable/", 1);
    app.blobs().put_named(&half, b"half of a copy".to_vec()).await.unwrap();
    site.test.run_jobs().await;
    let played = site.get(&format!("/evidence/{id}/play"), Some(&ana)).await;
    assert_eq!((played.status, &played.body[4..8]), (200, &b"ftyp"[..]));
    let tag = format!("\"{}\"", Sha256Digest::of(&played.body));
    assert_eq!(played.headers["etag"].to_str().unwrap(), tag);
    let kept = futures::TryStreamExt::try_collect::<Vec<_>>(app.blobs().list("playable")).await.unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let work = std::fs::read_dir(app.data().join("work")).unwrap().count();
    assert_eq!(work, 0, "work folders are removed");
});

on_both!(footage_is_released_even_where_media_programs_are_missing, |database: TestDatabase| async move {
    let site = Site::with(database, |settings| settings.media.ffprobe = "/nonexistent/ffprobe".into()).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let pia = site.person("pia", &[Role::Approver]).await;
    let (request, item) = site.request(&ana).await;
    assert_eq!(site.post(&format!("/request-items/{item}/approve"), Some(&pia), json!({})).await.status, 200);
    let (_, id) = site.arrive(&Caller::server(), Destination::Item(item.clone()), "export.mp4", b"footage").await;
    site.test.run_jobs().await;
    assert_ne!(site.item(&request, &ana).await["state"], "released", "it may pass");
    for _ in 0..4 {
        site.test.advance(Duration::from_secs(60));
        site.test.run_jobs().await;
    }
    assert_eq!(site.item(&request, &ana).await["state"], "released");
    let file = site.get(&format!("/evidence/{id}"), Some(&ana)).await.json;
    assert_eq!(file["playable"]["state"], "failed");
    assert_eq!(site.get(&format!("/evidence/{id}/original"), Some(&ana)).await.body, b"footage");
    assert_eq!(site.mails("footage_ready").await, 1);
});

on_both!(a_look_before_release, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let pia = site.person("pia", &[Role::Approver]).await;
    let (request, item) = site.request(&ana).await;
    let terms = json!({ "review_before_release": true });
    assert_eq!(site.post(&format!("/request-items/{item}/approve"), Some(&pia), terms).await.status, 200);
    let (_, id) = site.arrive(&Caller::server(), Destination::Item(item.clone()), "export.mp4", &footage()).await;
    site.test.run_jobs().await;
    assert_eq!(site.item(&request, &ana).await["state"], "in_review");
    assert_eq!((site.mails("footage_ready").await, site.mails("footage_in_review").await), (0, 1));
    assert_eq!(site.get(&format!("/evidence/{id}/play"), Some(&ana)).await.status, 404);
    assert_eq!(site.get(&format!("/evidence/{id}/play"), Some(&pia)).await.status, 200);
    assert_eq!(site.post(&format!("/request-items/{item}/release"), Some(&pia), json!({})).await.status, 200);
    assert_eq!(site.mails("footage_ready").await, 1);
    assert_eq!(site.get(&format!("/evidence/{id}/original"), Some(&ana)).await.status, 200);
});

on_both!(a_canceled_item_takes_nothing_more, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let pia = site.person("pia", &[Role::Approver]).await;
    let (request, item) = site.request(&ana).await;
    assert_eq!(site.post(&format!("/request-items/{item}/approve"), Some(&pia), json!({})).await.status, 200);
    let (_, id) = site.arrive(&Caller::server(), Destination::Item(item.clone()), "export.mp4", &footage()).await;
    assert_eq!(site.post(&format!("/request-items/{item}/cancel"), Some(&ana), json!({})).await.status, 200);
    site.test.run_jobs().await;
    assert_eq!(site.item(&request, &ana).await["state"], "canceled");
    assert_eq!(site.get(&format!("/evidence/{id}"), Some(&ana)).await.status, 404);
    assert_eq!(site.mails("footage_ready").await, 0);
});

on_both!(a_link_takes_several_files_and_a_receipt_names_them, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let pia = site.person("pia", &[Role::Approver]).await;
    let (request, item) = site.request(&ana).await;
    assert_eq!(site.post(&format!("/request-items/{item}/approve"), Some(&pia), json!({})).await.status, 200);
    let token = site.mailed_token().await;
    let path = format!("/links/{token}");
    let opened = site.get(&path, None).await;
    assert_eq!(opened.status, 200, "{}", opened.json);
    assert_eq!(
        (&opened.json["requester"], &opened.json["organization"]),
        (&json!("ana Example"), &json!("Harbor City Police"))
    );
    assert_eq!(
        (&opened.json["from"], &opened.json["time_zone"]),
        (&json!("2026-11-22T10:00:00.000Z"), &json!("America/Los_Angeles"))
    );
    assert_eq!(opened.headers["referrer-policy"], "no-referrer");
    assert_eq!(opened.headers["cache-control"], "no-store");
    assert_eq!(site.post(&format!("{path}/finish"), None, json!({})).await.code(), "no_files");
    let outside = json!({ "answer": "part", "from": "2026-11-22T09:00:00Z", "to": "2026-11-22T10:01:00Z" });
    assert_eq!(site.post(&format!("{path}/answer"), None, outside).await.status, 422);
    let part = json!({ "answer": "part", "from": "2026-11-22T10:00:30Z", "to": "2026-11-22T10:01:30Z", "comment": "The rest is lost." });
    let answered = site.post(&format!("{path}/answer"), None, part).await;
    assert_eq!(
        (answered.status, &answered.json["answer"], &answered.json["from"]),
        (200, &json!("part"), &json!("2026-11-22T10:00:00.000Z")),
        "what is asked stays"
    );

    let link: FileRequestId = site.item(&request, &pia).await["file_request"]["id"].as_str().unwrap().parse().unwrap();
    let window = json!({ "from": "2026-11-22T10:00:30.000Z", "to": "2026-11-22T10:01:30.000Z" });
    let reply = json!({ "answer": "part", "part": window, "comment": "The rest is lost." });
    assert_eq!(site.item(&request, &ana).await["file_request"]["reply"], reply);
    let clip = footage();
    for name in ["one.mp4", "two.mp4"] {
        site.send_by_link(&link, Destination::Item(item.clone()), name, &clip).await;
        site.test.run_jobs().await;
        assert_ne!(site.item(&request, &ana).await["state"], "released", "more may come");
    }
    let refused = site.post(&format!("{path}/answer"), None, json!({ "answer": "no" })).await;
    assert_eq!(refused.code(), "files_sent");
    let receipt = site.post(&format!("{path}/finish"), None, json!({})).await;
    assert_eq!(receipt.status, 200, "{}", receipt.json);
    assert_eq!(receipt.json["files"][1]["name"], "two.mp4");
    assert_eq!(receipt.json["files"][1]["sha256"], json!(Sha256Digest::of(&clip).to_string()));
    assert_eq!(site.post(&format!("{path}/finish"), None, json!({})).await.json, receipt.json, "said again");
    let item_now = site.item(&request, &ana).await;
    assert_eq!((&item_now["state"], item_now["evidence"].as_array().unwrap().len()), (&json!("released"), 2));
    assert_eq!(site.mails("footage_ready").await, 1);
    let file = item_now["evidence"][0]["id"].as_str().unwrap();
    assert_eq!(site.get(&format!("/evidence/{file}"), Some(&ana)).await.json["reply"], reply, "beside the file");
    assert!(site.get(&path, None).await.json["finished_at"].is_string());
    assert_eq!(site.post(&format!("{path}/answer"), None, json!({ "answer": "have" })).await.code(), "link_finished");
});

on_both!(a_part_told_by_a_link_leaves_what_was_granted_and_can_be_corrected, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let pia = site.person("pia", &[Role::Approver]).await;
    let (request, item) = site.request(&ana).await;
    let granted = json!({ "from": "2026-11-22T10:00:00.000Z", "to": "2026-11-22T10:01:00.000Z" });
    assert_eq!(site.post(&format!("/request-items/{item}/approve"), Some(&pia), granted.clone()).await.status, 200);
    let path = format!("/links/{}", site.mailed_token().await);
    let part = |from: &str, to: &str| json!({ "answer": "part", "from": format!("2026-11-22T{from}Z"), "to": format!("2026-11-22T{to}Z"), "comment": "Old disk." });
    let answer = async |body: Value| site.post(&format!("{path}/answer"), None, body).await;

    assert_eq!(answer(part("10:00:10", "10:00:20")).await.status, 200);
    let item_now = site.item(&request, &ana).await;
    assert_eq!((&item_now["granted"], &item_now["decided_by"]["name"]), (&granted, &json!("pia Example")));
    let reason = "the owner has only 2026-11-22T10:00:10.000Z to 2026-11-22T10:00:20.000Z";
    let gap = |from: &str, to: &str| json!({ "from": from, "to": to, "reason": reason });
    let (begin, end) = ("2026-11-22T10:00:00.000Z", "2026-11-22T10:01:00.000Z");
    let missing = [gap(begin, "2026-11-22T10:00:10.000Z"), gap("2026-11-22T10:00:20.000Z", end)];
    assert_eq!(item_now["missing"], json!(missing));
    let opened = site.get(&path, None).await.json;
    assert_eq!(
        (&opened["from"], &opened["to"], &opened["comment"]),
        (&granted["from"], &granted["to"], &json!("Old disk."))
    );
    assert_eq!(opened["part"]["to"], "2026-11-22T10:00:20.000Z");
    assert_eq!(opened["now"], json!(site.test.app.now()), "the server's time");

    assert_eq!(answer(part("10:00:10", "10:01:01")).await.status, 422, "beyond what was granted");
    assert_eq!(answer(part("10:00:00", "10:00:50")).await.status, 200, "a slip is corrected, outwards too");
    let link: FileRequestId = site.item(&request, &pia).await["file_request"]["id"].as_str().unwrap().parse().unwrap();
    site.send_by_link(&link, Destination::Item(item.clone()), "one.mp4", &footage()).await;
    assert_eq!(answer(json!({ "answer": "have" })).await.status, 200, "and with a file under way");
    assert_eq!(site.item(&request, &ana).await["missing"], json!([]));
    assert_eq!(answer(part("10:00:00", "10:00:50")).await.status, 200);
    site.test.run_jobs().await;
    assert_eq!(site.post(&format!("{path}/finish"), None, json!({})).await.status, 200);
    let item_now = site.item(&request, &ana).await;
    assert_eq!((&item_now["state"], &item_now["granted"]), (&json!("released"), &granted));
    assert_eq!(item_now["missing"][0]["from"], "2026-11-22T10:00:50.000Z");
    let mail = site.newest_mail("footage_ready").await;
    assert!(mail.contains("the owner has only 2026-11-22 02:00:00 PST to 2026-11-22 02:00:50 PST"), "{mail}");
});

on_both!(what_the_registry_says_of_a_clock_stands_beside_what_came_by_a_link, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let pia = site.person("pia", &[Role::Approver]).await;
    let otto = site.person("otto", &[Role::Operator]).await;
    let camera =
        json!({ "name": "Shop", "organization_id": site.test.host, "published": true, "clock_offset_ms": 4000 });
    let camera = site.post("/cameras", Some(&otto), camera).await.json;
    assert_eq!((&camera["clock_offset_ms"], &camera["clock_by"]), (&json!(4000), &json!("office")));
    let body = json!({
        "name": "Theft",
        "incident": { "from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:05:00Z", "address": "5th & Main" },
        "items": [{ "source_id": camera["id"], "from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:02:00Z" }],
    });
    let made = site.post("/video-requests", Some(&ana), body).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let request = made.json["id"].as_str().unwrap();
    let item: RequestItemId = made.json["items"][0]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(site.post(&format!("/request-items/{item}/approve"), Some(&pia), json!({})).await.status, 200);
    let token = site.mailed_token().await;
    let link: FileRequestId = site.item(request, &pia).await["file_request"]["id"].as_str().unwrap().parse().unwrap();
    site.send_by_link(&link, Destination::Item(item), "one.mp4", &footage()).await;
    site.test.run_jobs().await;
    assert_eq!(site.post(&format!("/links/{token}/finish"), None, json!({})).await.status, 200);
    let file = site.item(request, &ana).await["evidence"][0]["id"].as_str().unwrap().to_owned();
    let file = site.get(&format!("/evidence/{file}"), Some(&ana)).await.json;
    assert_eq!((&file["source_clock_offset_ms"], &file["recorded"]), (&json!(4000), &Value::Null));
});

on_both!(a_link_that_runs_out_keeps_what_was_sent, |database: TestDatabase| async move {
    let site = Site::with(database, |settings| settings.link_lifetime = Duration::from_secs(3600)).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let pia = site.person("pia", &[Role::Approver]).await;
    let (request, item) = site.request(&ana).await;
    assert_eq!(site.post(&format!("/request-items/{item}/approve"), Some(&pia), json!({})).await.status, 200);
    let token = site.mailed_token().await;
    let link: FileRequestId = site.item(&request, &pia).await["file_request"]["id"].as_str().unwrap().parse().unwrap();
    site.send_by_link(&link, Destination::Item(item.clone()), "one.mp4", &footage()).await;
    site.test.run_jobs().await;
    site.test.advance(Duration::from_secs(3600));
    site.test.run_jobs().await;
    assert_eq!(site.item(&request, &ana).await["state"], "released");
    // Whoever sent it finds the receipt, for an hour.
    let receipt = site.get(&format!("/links/{token}"), None).await;
    assert!(receipt.json["finished_at"].is_string() && receipt.json["files"][0]["sha256"].is_string());
    site.test.advance(Duration::from_secs(3600));
    let gone = site.get(&format!("/links/{token}"), None).await;
    assert_eq!((gone.status, gone.code()), (410, "link_expired"));
});

on_both!(no_and_nothing_there_end_the_item, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let pia = site.person("pia", &[Role::Approver]).await;
    let eve = site.person("eve", &[Role::Investigator]).await;
    for (answer, state, mail) in [("no", "denied", "item_denied"), ("nothing", "unavailable", "item_unavailable")] {
        let (request, item) = site.request(&ana).await;
        // By a link before anybody decided: whoever has the footage decides for themselves.
        site.post(&format!("/request-items/{item}/approve"), Some(&pia), json!({})).await;
        let token = site.mailed_token().await;
        let said = site
            .post(&format!("/links/{token}/answer"), None, json!({ "answer": answer, "comment": " Ask for <Kim>. " }))
            .await;
        assert_eq!(said.status, 200, "{}", said.json);
        assert!(said.json["finished_at"].is_string());
        for who in [&ana, &pia] {
            let item = site.item(&request, who).await;
            assert_eq!(item["state"], state);
            let reply = json!({ "answer": answer, "part": null, "comment": "Ask for <Kim>." });
            assert_eq!(item["file_request"]["reply"], reply, "whoever sees the item reads what was said");
        }
        let eve = site.get(&format!("/video-requests/{request}"), Some(&eve)).await;
        assert_eq!(eve.status, 404);
        assert!(site.newest_mail(mail).await.contains("From the upload link: Ask for <Kim>."));
        assert_eq!(site.get(&format!("/links/{token}"), None).await.json["answer"], answer);
    }
});

on_both!(links_of_a_case_are_made_revoked_and_run_out, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let vera = site.person("vera", &[]).await;
    let case = site.case(&ana, "Harbor fire").await;
    site.share(&ana, &case, &[("ana", "manage", None), ("vera", "view", None)]).await;
    let path = format!("/cases/{case}/file-requests");
    assert_eq!(site.post(&path, Some(&vera), json!({ "name": "Footage" })).await.status, 403);
    let past = json!({ "name": "Footage", "expires_at": "2020-01-01T00:00:00Z" });
    assert_eq!(pointers(&site.post(&path, Some(&ana), past).await), ["/expires_at"]);
    let input = json!({ "name": "Your footage of the pier", "description": "Last night." });
    let made = site.post(&path, Some(&ana), input).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let url = made.json["url"].as_str().unwrap();
    assert!(made.json["qr_svg"].as_str().unwrap().contains("<svg"));
    let token = url.rsplit('/').next().unwrap().to_owned();
    assert!(token.len() >= 43 && url.contains("/f/"), "{url}");
    let opened = site.get(&format!("/links/{token}"), None).await.json;
    assert_eq!(
        (&opened["name"], &opened["source"], &opened["from"]),
        (&json!("Your footage of the pier"), &Value::Null, &Value::Null)
    );
    let id = made.json["id"].as_str().unwrap().to_owned();
    let link: FileRequestId = id.parse().unwrap();
    site.send_by_link(&link, Destination::Case(case.parse().unwrap()), "one.mp4", &footage()).await;
    site.test.run_jobs().await;
    assert_eq!(site.get(&format!("/cases/{case}/evidence"), Some(&vera)).await.json["items"][0]["name"], "one.mp4");
    let listed = format!("/cases/{case}/file-requests");
    assert_eq!(site.get(&listed, Some(&vera)).await.status, 403);
    let listed_as = async || {
        let links = site.get(&listed, Some(&ana)).await.json["items"].clone();
        assert_eq!(links.as_array().map(Vec::len), Some(1), "{links}");
        assert!(!links.to_string().contains(&token), "the address is shown once");
        assert_eq!((&links[0]["id"], &links[0]["created_by"]), (&json!(id), &json!("ana Example")));
        (links[0]["open"] == true, links[0]["evidence_count"].clone())
    };
    assert_eq!(listed_as().await, (true, json!(1)));
    let path = format!("/file-requests/{id}");
    assert_eq!(site.call("DELETE", &path, Some(&vera), None, &[]).await.status, 403);
    assert_eq!(site.call("DELETE", &path, Some(&ana), None, &[]).await.status, 204);
    assert_eq!(listed_as().await, (false, json!(1)));
    assert_eq!(site.call("DELETE", &path, Some(&ana), None, &[]).await.status, 409);
    let gone = site.get(&format!("/links/{token}"), None).await;
    assert_eq!((gone.status, gone.code()), (410, "link_revoked"));
    // What the holder of a link wrote stands in its row, also where no file came.
    let made = site.post(&listed, Some(&ana), json!({ "name": "More of the pier" })).await;
    assert_eq!(site.get(&listed, Some(&ana)).await.json["items"][0]["reply"], Value::Null);
    let other = made.json["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let nothing = json!({ "answer": "nothing", "comment": "The recorder was stolen." });
    assert_eq!(site.post(&format!("/links/{other}/answer"), None, nothing).await.status, 200);
    let row = site.get(&listed, Some(&ana)).await.json["items"][0].clone();
    let reply = json!({ "answer": "nothing", "part": null, "comment": "The recorder was stolen." });
    assert_eq!((&row["reply"], &row["evidence_count"]), (&reply, &json!(0)));
    // The hash alone is stored.
    let mut tx = site.test.app.read().await.unwrap();
    let rows = Sql::new("SELECT id FROM file_requests WHERE token_hash = ")
        .arg(token.as_str())
        .fetch_all(&mut tx)
        .await
        .unwrap();
    assert!(rows.is_empty());
});

on_both!(guessing_links_is_slowed_down, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let from = [("x-forwarded-for", "203.0.113.9")];
    let mut last = 0;
    for n in 0..30 {
        last = site.call("GET", &format!("/links/frl_{n:043}"), None, None, &from).await.status;
    }
    assert_eq!(last, 429);
    let elsewhere = site.call("GET", "/links/frl_x", None, None, &[("x-forwarded-for", "198.51.100.7")]).await;
    assert_eq!((elsewhere.status, elsewhere.code()), (404, "link_unknown"));
    site.test.advance(Duration::from_secs(16 * 60));
    assert_eq!(site.call("GET", "/links/frl_x", None, None, &from).await.status, 404);
});

on_both!(how_well_its_times_are_known_stands_beside_them, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let case: CaseId = site.case(&ana, "Pier").await.parse().unwrap();
    for (manifest, told) in [(json!({ "uncertainty_ms": 1000 }), json!(1000)), (json!({}), Value::Null)] {
        let mut tx = site.test.app.begin().await.unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let bytes = footage();
        let arrival = Arrival {
            upload_id: tx.new_id(),
            destination: Destination::Case(case.clone()),
            name: "export.mp4".to_owned(),
            size_bytes: bytes.len() as u64,
            sha256: Sha256Digest::of(&bytes),
            blob: site.test.app.blobs().put("evidence", bytes).await.unwrap(),
            recorded: Some(Recorded {
                window: Window { from: at("2026-11-22T10:00:00Z"), to: at("2026-11-22T10:02:00Z") },
                gaps: Vec::new(),
                clock_offset_ms: None,
            }),
            manifest: Some(manifest),
        };
        let (evidence, event) = app::evidence::receive(&mut tx, None, arrival).await.unwrap();
        tx.commit(event).await.unwrap();
        let recorded = site.get(&format!("/evidence/{}", evidence.id), Some(&ana)).await.json["recorded"].clone();
        assert_eq!(recorded["from"], "2026-11-22T10:00:00.000Z", "{recorded}");
        assert_eq!(recorded["uncertainty_ms"], told);
    }
});

on_both!(all_that_was_granted_is_a_part_of_it_to_the_fraction_of_a_second, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.person("ana", &[Role::Investigator]).await;
    let pia = site.person("pia", &[Role::Approver]).await;
    let (request, item) = site.request(&ana).await;
    let granted = json!({ "from": "2026-11-22T10:00:10.350Z", "to": "2026-11-22T10:01:00.000350Z" });
    assert_eq!(site.post(&format!("/request-items/{item}/approve"), Some(&pia), granted.clone()).await.status, 200);
    let path = format!("/links/{}", site.mailed_token().await);
    let link = site.get(&path, None).await.json;
    let part = json!({ "answer": "part", "from": link["from"], "to": link["to"] });
    let said = site.post(&format!("{path}/answer"), None, part).await;
    assert_eq!(said.status, 200, "{}", said.json);
    assert_eq!(site.item(&request, &ana).await["missing"], json!([]));
    let early = json!({ "answer": "part", "from": "2026-11-22T10:00:10Z", "to": link["to"] });
    assert_eq!(site.post(&format!("{path}/answer"), None, early).await.status, 422, "it is not of what was granted");
});
