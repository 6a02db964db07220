//! Who learns of what: by the stream of live updates, and until when; of connectors, of groups, of numbers. On both databases.

use std::time::Duration;

use crate::support::{Cookie, Reply, Site, arranged};
use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use domain::account::Role;
use domain::id::OrganizationId;
use futures::StreamExt as _;
use serde_json::{Value, json};
use store::testing::TestDatabase;
use store::{Sql, on_both};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// A stream that somebody reads.
struct Stream {
    body: BodyDataStream,
    text: String,
}

impl Stream {
    /// What it says of changes, until it says that this one changed, or it ends: then the last is none.
    async fn until(&mut self, site: &Site, last: &str) -> (Vec<String>, bool) {
        let mut told = Vec::new();
        for _ in 0..100 {
            app::jobs::sequence_ledger::run(&site.test.app).await.unwrap();
            while let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let data: Value = data.and_then(|data| serde_json::from_str(data).ok()).unwrap_or(Value::Null);
                let id = data["id"].as_str().unwrap_or("").to_owned();
                told.push(id);
                if told.last().is_some_and(|id| id == last) {
                    return (told, true);
                }
            }
            match tokio::time::timeout(Duration::from_millis(100), self.body.next()).await {
                Ok(Some(bytes)) => self.text.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap()),
                Ok(None) => return (told, false),
                Err(_) => {}
            }
        }
        panic!("{last} was not told, but {told:?}");
    }
}

/// A site with two organizations beside the host, and everybody's updates.
struct Town {
    site: Site,
    transit: OrganizationId,
    admin: Cookie,
    otto: Cookie,
    stop: CancellationToken,
}

impl Drop for Town {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn id(reply: &Reply, pointer: &str) -> String {
    assert!(reply.status < 300, "{} {}", reply.status, reply.json);
    reply.json.pointer(pointer).unwrap().as_str().unwrap().to_owned()
}

impl Town {
    async fn new(database: TestDatabase) -> Self {
        let site = Site::new(database).await;
        let (transit, mall) = (site.test.organization("Transit").await, site.test.organization("Mall").await);
        let host = site.test.host.clone();
        for (name, of, role, at) in [
            ("ada", &host, Role::Administrator, None),
            ("amy", &mall, Role::Administrator, Some(&mall)),
            ("otto", &transit, Role::Operator, Some(&transit)),
            ("olga", &mall, Role::Operator, Some(&mall)),
            ("gus", &host, Role::Guest, None),
            ("ina", &host, Role::Investigator, None),
        ] {
            site.test.account(name, of, &[(role, at)]).await;
        }
        let (admin, otto) = (site.sign_in("ada").await, site.sign_in("otto").await);
        let stop = CancellationToken::new();
        tokio::spawn(app::live::feed(site.test.app.clone(), stop.clone()));
        Self { site, transit, admin, otto, stop }
    }

    async fn camera(&self, name: &str, published: bool) -> String {
        let camera = json!({"organization_id": self.transit, "name": name, "published": published});
        id(&self.site.post("/cameras", Some(&self.otto), camera).await, "/id")
    }

    /// Somebody's updates, once they come.
    async fn watch(&self, header: &str, value: &str, own: &Cookie) -> Stream {
        let request = Request::get("/api/v1/events").header(header, value).body(Body::empty()).unwrap();
        let response = self.site.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let mut stream = Stream { body: response.into_body().into_data_stream(), text: String::new() };
        self.mark(own, &mut stream).await;
        // That they signed in may come after that.
        while let Ok(more) = tokio::time::timeout(Duration::from_millis(500), stream.body.next()).await {
            more.unwrap().unwrap();
        }
        stream.text.clear();
        stream
    }

    /// Something that the person themself learns of; what they were told until then.
    async fn mark(&self, own: &Cookie, stream: &mut Stream) -> (Vec<String>, bool) {
        let me = id(&self.site.get("/me", Some(own)).await, "/account/id");
        id(&self.site.post("/tokens", Some(own), json!({"name": "mark"})).await, "/token/id");
        stream.until(&self.site, &me).await
    }

    async fn told(&self, name: &str, happens: impl AsyncFnOnce() -> ()) -> Vec<String> {
        let cookie = self.site.sign_in(name).await;
        let mut stream = self.watch("cookie", &cookie, &cookie).await;
        happens().await;
        self.mark(&cookie, &mut stream).await.0
    }
}

on_both!(each_learns_of_what_they_see, |database: TestDatabase| async move {
    let town = Town::new(database).await;
    let hidden = town.camera("Vault", false).await;
    let shown = town.camera("Hall", true).await;
    let connector = json!({"organization_id": town.transit, "name": "Recorder"});
    let connector = id(&town.site.post("/connectors", Some(&town.otto), connector).await, "/connector/id");
    let tess = town.site.test.account("tess", &town.transit, &[(Role::Approver, Some(&town.transit))]).await.id;
    let happens = async || {
        for camera in [&hidden, &shown] {
            let version = town.site.get(&format!("/cameras/{camera}"), Some(&town.otto)).await.json["version"].clone();
            let change = json!({"description": version.to_string()});
            let path = format!("/cameras/{camera}");
            let tag = format!("\"{version}\"");
            let reply = town.site.call("PATCH", &path, Some(&town.otto), Some(&change), &[("if-match", &tag)]).await;
            assert_eq!(reply.status, 200, "{}", reply.json);
        }
        let account = town.site.get(&format!("/accounts/{tess}"), Some(&town.admin)).await;
        let tag = format!("\"{}\"", account.json["version"]);
        let change = json!({"name": "Tess"});
        let path = format!("/accounts/{tess}");
        let reply = town.site.call("PATCH", &path, Some(&town.admin), Some(&change), &[("if-match", &tag)]).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        let caller = domain::Caller::session(town.site.test.account("otto", &town.transit, &[]).await, Vec::new());
        let tx = town.site.test.app.begin().await.unwrap();
        tx.commit([app::did(&caller, "connector.rekey").about("connector", &connector)]).await.unwrap();
    };
    for (name, sees) in [
        ("otto", vec![&hidden, &shown, &connector]),
        // They hold their roles for the mall alone.
        ("olga", vec![]),
        ("amy", vec![]),
        ("gus", vec![&shown]),
        ("ina", vec![&shown]),
    ] {
        let told = town.told(name, happens).await;
        for (what, id) in [("hidden", &hidden), ("shown", &shown), ("connector", &connector)] {
            assert_eq!(told.contains(id), sees.contains(&id), "{name} and the {what} one: {told:?}");
        }
        assert!(!told.contains(&tess.to_string()), "{name} learns of tess");
    }
    assert!(town.told("ada", happens).await.contains(&tess.to_string()));
});

on_both!(a_stream_ends_with_its_session, |database: TestDatabase| async move {
    let town = Town::new(database).await;
    let ina = town.site.sign_in("ina").await;
    let mut stream = town.watch("cookie", &ina, &ina).await;
    assert_eq!(town.site.call("DELETE", "/session", Some(&ina), None, &[]).await.status, 204);
    let camera = town.camera("Hall", true).await;
    assert_eq!(stream.until(&town.site, &camera).await, (vec![], false));
});

on_both!(a_stream_ends_with_its_account, |database: TestDatabase| async move {
    let town = Town::new(database).await;
    let gus = town.site.sign_in("gus").await;
    let mut stream = town.watch("cookie", &gus, &gus).await;
    let me = town.site.get("/me", Some(&gus)).await.json["account"].clone();
    let (path, tag) = (format!("/accounts/{}", me["id"].as_str().unwrap()), format!("\"{}\"", me["version"]));
    let disabled = json!({"disabled": true});
    let reply = town.site.call("PATCH", &path, Some(&town.admin), Some(&disabled), &[("if-match", &tag)]).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let camera = town.camera("Hall", true).await;
    assert_eq!(stream.until(&town.site, &camera).await, (vec![], false));
});

on_both!(a_stream_ends_with_its_token, |database: TestDatabase| async move {
    let town = Town::new(database).await;
    let ina = town.site.sign_in("ina").await;
    let token = town.site.post("/tokens", Some(&ina), json!({"name": "watch"})).await;
    let bearer = format!("Bearer {}", token.json["secret"].as_str().unwrap());
    let mut stream = town.watch("authorization", &bearer, &ina).await;
    let path = format!("/tokens/{}", id(&token, "/token/id"));
    assert_eq!(town.site.call("DELETE", &path, Some(&ina), None, &[]).await.status, 204);
    let camera = town.camera("Hall", true).await;
    assert_eq!(stream.until(&town.site, &camera).await, (vec![], false));
});

on_both!(a_role_that_is_taken_away_shows_nothing_more, |database: TestDatabase| async move {
    let town = Town::new(database).await;
    let ina = town.site.sign_in("ina").await;
    let mut stream = town.watch("cookie", &ina, &ina).await;
    let me = town.site.get("/me", Some(&ina)).await.json["account"].clone();
    let (path, tag) = (format!("/accounts/{}", me["id"].as_str().unwrap()), format!("\"{}\"", me["version"]));
    let roles = json!({"roles": []});
    let reply = town.site.call("PATCH", &path, Some(&town.admin), Some(&roles), &[("if-match", &tag)]).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    assert!(town.mark(&ina, &mut stream).await.1);
    let camera = town.camera("Hall", true).await;
    assert!(town.mark(&ina, &mut stream).await.1);
    let (told, on) = town.mark(&ina, &mut stream).await;
    assert!(on && !told.contains(&camera), "{told:?}");
});

on_both!(a_connector_is_named_to_those_who_manage_it, |database: TestDatabase| async move {
    let town = Town::new(database).await;
    let camera = town.camera("Hall", true).await;
    let connector = json!({"organization_id": town.transit, "name": "Depot"});
    let connector = id(&town.site.post("/connectors", Some(&town.otto), connector).await, "/connector/id");
    let mut tx = town.site.test.app.begin().await.unwrap();
    let sql = Sql::new("UPDATE cameras SET connector_id = ").arg(connector.as_str());
    sql.add(" WHERE id = ").arg(camera.as_str()).execute(&mut tx).await.unwrap();
    let sql = Sql::new("UPDATE connectors SET last_seen_at = ").arg(town.site.test.app.now().as_micros());
    sql.execute(&mut tx).await.unwrap();
    arranged(tx, &[camera.as_str()]).await;
    for (name, named) in [("otto", true), ("ada", true), ("gus", false), ("ina", false)] {
        let who = town.site.sign_in(name).await;
        let list = town.site.get("/sources", Some(&who)).await.json["items"][0]["connector"].clone();
        let one = town.site.get(&format!("/cameras/{camera}"), Some(&who)).await.json["connector"].clone();
        for behind in [list, one] {
            assert_eq!(behind["online"], true, "{name}: {behind}");
            assert_eq!(behind["name"] == "Depot" && behind["id"] == connector.as_str(), named, "{name}: {behind}");
            assert_eq!(behind["last_seen_at"].is_string(), named, "{name}: {behind}");
        }
    }
});

on_both!(groups_are_seen_by_members_and_managers, |database: TestDatabase| async move {
    let town = Town::new(database).await;
    let ina = town.site.sign_in("ina").await;
    let me = id(&town.site.get("/me", Some(&ina)).await, "/account/id");
    let mut groups = Vec::new();
    for name in ["Day", "Night"] {
        let group = json!({"name": name, "organization_id": town.transit});
        groups.push(id(&town.site.post("/groups", Some(&town.admin), group).await, "/id"));
    }
    let (path, members) = (format!("/groups/{}", groups[0]), json!({"account_ids": [me]}));
    assert_eq!(town.site.put(&path, "/members", Some(&town.admin), &members).await.status, 200);
    for (name, sees) in [("ada", vec!["Day", "Night"]), ("ina", vec!["Day"]), ("amy", vec![]), ("gus", vec![])] {
        let who = town.site.sign_in(name).await;
        let list = town.site.get("/groups", Some(&who)).await;
        let found: Vec<&str> =
            list.json["items"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
        assert_eq!(found, sees, "{name}");
        for (group, title) in groups.iter().zip(["Day", "Night"]) {
            let one = town.site.get(&format!("/groups/{group}"), Some(&who)).await.status;
            assert_eq!(one, if sees.contains(&title) { 200 } else { 404 }, "{name} and {title}");
        }
    }
    let list = town.site.get("/groups", Some(&ina)).await;
    assert_eq!(list.json["items"][0]["account_ids"], json!([me]));
});

on_both!(numbers_are_shown_to_those_who_may_see_them, |database: TestDatabase| async move {
    let town = Town::new(database).await;
    let scrape = async |cookie: Option<&Cookie>| {
        let request = cookie.iter().fold(Request::get("/metrics"), |request, cookie| request.header("cookie", *cookie));
        town.site.send(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!((scrape(None).await.status, scrape(None).await.code()), (401, "unauthenticated"));
    let gus = town.site.sign_in("gus").await;
    assert_eq!(scrape(Some(&gus)).await.code(), "forbidden");
    // For the mall alone.
    let amy = town.site.sign_in("amy").await;
    assert_eq!(scrape(Some(&amy)).await.code(), "forbidden");
    let numbers = scrape(Some(&town.admin)).await;
    assert_eq!(numbers.status, 200);
    assert_eq!(numbers.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = String::from_utf8(numbers.body).unwrap();
    for line in [
        "# TYPE sightline_http_responses_total counter",
        "sightline_http_responses_total{status=\"2xx\"} ",
        "sightline_ledger_size ",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
});
