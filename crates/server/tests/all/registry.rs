//! The registry through the router, on both databases.

use crate::support::{Cookie, Site};
use axum::body::Body;
use axum::http::Request;
use domain::account::Role;
use serde_json::{Value, json};
use store::on_both;
use store::testing::TestDatabase;

/// A site with a transit agency: its operator, the host's investigator, and a camera of the agency.
struct Town {
    site: Site,
    transit: domain::id::OrganizationId,
    operator: Cookie,
    investigator: Cookie,
}

async fn town(database: TestDatabase) -> Town {
    let site = Site::new(database).await;
    let transit = site.test.organization("Transit").await;
    site.test.account("otto", &transit, &[(Role::Operator, Some(&transit))]).await;
    site.test.account("ina", &site.test.host, &[(Role::Investigator, None)]).await;
    let (operator, investigator) = (site.sign_in("otto").await, site.sign_in("ina").await);
    Town { site, transit, operator, investigator }
}

impl Town {
    async fn camera(&self, name: &str, more: Value) -> Value {
        let mut input = json!({"organization_id": self.transit, "name": name, "published": true});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.site.post("/cameras", Some(&self.operator), input).await;
        assert_eq!(made.status, 201, "{}", made.json);
        assert_eq!(made.headers["etag"], "\"1\"");
        made.json
    }

    async fn names(&self, who: &Cookie, query: &str) -> Vec<String> {
        let found = self.site.get(&format!("/sources?{query}"), Some(who)).await;
        assert_eq!(found.status, 200, "{query}: {}", found.json);
        found.json["items"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect()
    }
}

on_both!(a_camera_is_entered_found_changed_and_removed, |database: TestDatabase| async move {
    let town = town(database).await;
    let camera = town
        .camera(
            "North door",
            json!({"position": {"lat": 34.05, "lon": -118.25}, "tags": ["door"], "retention_hours": 72}),
        )
        .await;
    let path = format!("/cameras/{}", camera["id"].as_str().unwrap());
    assert_eq!(camera["status"], "unknown");
    assert_eq!(camera["description"], Value::Null);
    assert_eq!(camera["origins"]["name"], "office");
    assert_eq!(camera["allowed_actions"], json!(["change", "remove"]));

    let near = town.site.get("/sources?near=34.0509,-118.25&radius_m=150&count=true", Some(&town.investigator)).await;
    assert_eq!((near.json["total"].as_i64(), near.json["items"][0]["distance_m"].as_f64()), (Some(1), Some(100.1)));
    assert_eq!(near.json["items"][0]["organization"]["name"], "Transit");
    assert_eq!(town.names(&town.investigator, "near=34.0509,-118.25&radius_m=100").await, Vec::<String>::new());
    assert_eq!(
        town.names(&town.investigator, "bbox=-118.3,34,-118.2,34.1&q=NORTH&tag=door&status=unknown&kind=camera").await,
        ["North door"]
    );
    assert_eq!(town.names(&town.investigator, "kind=vehicle").await, Vec::<String>::new());

    let change = json!({"retention_hours": null, "bearing_deg": 90});
    let no_version = town.site.call("PATCH", &path, Some(&town.operator), Some(&change), &[]).await;
    assert_eq!(no_version.status, 428);
    let changed = town.site.call("PATCH", &path, Some(&town.operator), Some(&change), &[("if-match", "\"1\"")]).await;
    assert_eq!(
        (changed.status, &changed.json["retention_hours"], changed.json["version"].as_i64()),
        (200, &Value::Null, Some(2))
    );
    let stale = town.site.call("PATCH", &path, Some(&town.operator), Some(&change), &[("if-match", "\"1\"")]).await;
    assert_eq!((stale.status, stale.code()), (412, "stale"));
    let not_theirs =
        town.site.call("PATCH", &path, Some(&town.investigator), Some(&change), &[("if-match", "\"2\"")]).await;
    assert_eq!(not_theirs.status, 403);

    let hide = json!({"published": false});
    assert_eq!(
        town.site.call("PATCH", &path, Some(&town.operator), Some(&hide), &[("if-match", "\"2\"")]).await.status,
        200
    );
    assert_eq!(town.site.get(&path, Some(&town.investigator)).await.status, 404);
    assert_eq!(town.names(&town.investigator, "q=north").await, Vec::<String>::new());
    assert_eq!(town.names(&town.operator, "q=north").await, ["North door"]);
    assert_eq!(town.site.call("DELETE", &path, Some(&town.investigator), None, &[]).await.status, 404);
    assert_eq!(town.site.call("DELETE", &path, Some(&town.operator), None, &[]).await.status, 204);
    assert_eq!(town.site.get(&path, Some(&town.operator)).await.status, 404);
});

on_both!(bad_input_says_which_field_and_changes_nothing, |database: TestDatabase| async move {
    let town = town(database).await;
    let wrong =
        json!({"organization_id": town.transit, "name": " ", "bearing_deg": 400, "position": {"lat": 91, "lon": 0}});
    let refused = town.site.post("/cameras", Some(&town.operator), wrong).await;
    let mut pointers: Vec<_> =
        refused.json["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!((refused.status, pointers), (422, vec!["/bearing_deg", "/name", "/position"]));
    for (body, status) in [
        (json!({"name": "door"}), 422),
        (json!({"organization_id": town.site.test.host, "name": "door"}), 403),
        (json!({"organization_id": town.transit, "name": "door", "colour": "red"}), 422),
        (json!({"organization_id": town.transit, "name": 7}), 422),
    ] {
        assert_eq!(town.site.post("/cameras", Some(&town.operator), body.clone()).await.status, status, "{body}");
    }
    assert_eq!(town.names(&town.operator, "").await, Vec::<String>::new());
    for (query, pointer) in [
        ("bbox=1,2,3", "/bbox"),
        ("bbox=0,2,0,1", "/bbox"),
        ("near=91,0", "/near"),
        ("near=NaN,0", "/near"),
        ("radius_m=10", "/near"),
        ("near=1,1&radius_m=-1", "/radius_m"),
        ("near=1,1&radius_m=NaN", "/radius_m"),
        ("sort=size", "/sort"),
        ("sort=distance", "/sort"),
        ("status=asleep", "/status"),
        ("limit=0", "/limit"),
        ("limit=501", "/limit"),
        ("cursor=x", "/cursor"),
    ] {
        let refused = town.site.get(&format!("/sources?{query}"), Some(&town.investigator)).await;
        assert_eq!(
            (refused.status, refused.json["errors"][0]["pointer"].as_str()),
            (422, Some(pointer)),
            "{query}: {}",
            refused.json
        );
    }
    assert_eq!(town.site.get("/sources", None).await.status, 401);
    assert_eq!(town.site.get("/cameras/cam_x", Some(&town.operator)).await.status, 404);
});

on_both!(pages_follow_each_other_without_a_gap, |database: TestDatabase| async move {
    let town = town(database).await;
    for i in 0..7 {
        town.camera(&format!("Door {i}"), json!({"position": {"lat": 0, "lon": f64::from(i) / 1000.0}})).await;
    }
    for order in ["sort=name", "near=0,0&sort=distance", "near=0,0&sort=name&radius_m=2000"] {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = town.site.get(&format!("/sources?{order}&limit=3{cursor}"), Some(&town.investigator)).await;
            names.extend(page.json["items"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()));
            let Some(next) = page.json["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(names, (0..7).map(|i| format!("Door {i}")).collect::<Vec<_>>(), "{order}");
    }
});

on_both!(a_thumbnail_is_a_jpeg_and_is_kept, |database: TestDatabase| async move {
    let town = town(database).await;
    let camera = town.camera("North door", json!({})).await;
    assert_eq!(camera["thumbnail_url"], Value::Null);
    let path = format!("/cameras/{}/thumbnail", camera["id"].as_str().unwrap());
    assert_eq!(town.site.get(&path, Some(&town.investigator)).await.status, 404);
    let put = |who: &Cookie, bytes: Vec<u8>| {
        let request = Request::builder()
            .method("PUT")
            .uri(format!("/api/v1{path}"))
            .header("cookie", who)
            .header("content-type", "image/jpeg");
        town.site.send(request.body(Body::from(bytes)).unwrap())
    };
    let jpeg = |last: u8| vec![0xff, 0xd8, 0xff, 0xe0, last];
    assert_eq!(put(&town.operator, b"GIF89a".to_vec()).await.status, 422);
    let mut large = jpeg(0);
    large.resize(600 << 10, 0);
    assert_eq!(put(&town.operator, large).await.status, 413);
    assert_eq!(put(&town.investigator, jpeg(1)).await.status, 403);
    for last in [1, 2] {
        let set = put(&town.operator, jpeg(last)).await;
        assert_eq!(set.status, 200, "{}", set.json);
        let got = town
            .site
            .send(
                Request::get(set.json["thumbnail_url"].as_str().unwrap())
                    .header("cookie", &town.investigator)
                    .body(Body::empty())
                    .unwrap(),
            )
            .await;
        assert_eq!((got.body, got.headers["content-type"].to_str().unwrap()), (jpeg(last), "image/jpeg"));
        let again = town
            .site
            .call(
                "GET",
                &path,
                Some(&town.investigator),
                None,
                &[("if-none-match", got.headers["etag"].to_str().unwrap())],
            )
            .await;
        assert_eq!(again.status, 304);
    }
    let kept: Vec<_> = futures::StreamExt::collect(town.site.test.app.blobs().list("picture")).await;
    assert_eq!(kept.len(), 1, "the first one is gone");
});

on_both!(coverage_says_when_nobody_was_asked, |database: TestDatabase| async move {
    let town = town(database).await;
    let camera = town.camera("door", json!({})).await;
    let path = format!("/cameras/{}/coverage", camera["id"].as_str().unwrap());
    let known = town
        .site
        .get(&format!("{path}?from=2026-11-22T10:00:00Z&to=2026-11-22T11:00:00Z"), Some(&town.investigator))
        .await;
    assert_eq!(known.json, json!({"spans": [], "asked_at": null, "complete": false}));
    let reversed = town
        .site
        .get(&format!("{path}?from=2026-11-22T10:00:00Z&to=2026-11-22T09:00:00Z"), Some(&town.investigator))
        .await;
    assert_eq!(reversed.status, 422);
});
