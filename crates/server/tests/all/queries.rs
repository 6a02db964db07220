//! Queries and bodies that do not fit: each answer names the parameter or the field.

use crate::support::{Reply, Site};
use domain::account::Role;
use serde_json::{Value, json};
use store::Engine;

/// Every GET of the document that takes parameters in its query, with ids in its path that are well formed.
fn queries() -> Vec<(String, Vec<String>)> {
    let document: Value = serde_json::from_str(&sightline_server::http::openapi()).unwrap();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(parameters) = methods["get"]["parameters"].as_array() else { continue };
        let query = parameters.iter().filter(|parameter| parameter["in"] == "query");
        let names: Vec<String> = query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect();
        if names.is_empty() {
            continue;
        }
        let prefix = match path.split('/').nth(3).unwrap() {
            "cameras" => "cam",
            "cases" => "cas",
            "connectors" => "con",
            "evidence" => "evd",
            _ => "none",
        };
        let path = path.strip_prefix("/api/v1").unwrap().replace("{id}", &format!("{prefix}_{}", "0".repeat(26)));
        found.push((path, names));
    }
    assert!(found.len() > 10, "{found:?}");
    found
}

fn pointer(reply: &Reply) -> &str {
    assert_eq!((reply.status, reply.code()), (422, "invalid"), "{}", reply.json);
    reply.json["errors"][0]["pointer"].as_str().unwrap()
}

async fn site() -> (Site, String) {
    let site = Site::new(store::testing::database(Engine::Sqlite).await).await;
    site.test.account("ada", &site.test.host, &[(Role::Administrator, None)]).await;
    let ada = site.sign_in("ada").await;
    (site, ada)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_parameter_is_silently_ignored() {
    let (site, ada) = site().await;
    for (path, names) in queries() {
        let reply = site.get(&format!("{path}?zzz=1"), Some(&ada)).await;
        assert_eq!(pointer(&reply), "/zzz", "{path}");
        if names.iter().any(|name| name == "limit") {
            let reply = site.get(&format!("{path}?limit=abc"), Some(&ada)).await;
            assert_eq!(pointer(&reply), "/limit", "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_are_searched_by_what_there_is() {
    let (site, ada) = site().await;
    for (query, wrong) in [
        ("kind=zzz", "/kind"),
        ("kind=camera,zzz", "/kind"),
        ("kind=", "/kind"),
        ("sees=1,1", "/sees"),
        ("within=", "/within"),
        ("foo=1", "/foo"),
        ("radius_m=x&near=1,1", "/radius_m"),
    ] {
        let reply = site.get(&format!("/sources?{query}"), Some(&ada)).await;
        assert_eq!(pointer(&reply), wrong, "{query}");
    }
    for query in ["kind=camera", "kind=vehicle", "kind=vehicle,participant"] {
        assert_eq!(site.get(&format!("/sources?{query}"), Some(&ada)).await.status, 200, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_the_wrong_type_is_named() {
    let (site, ada) = site().await;
    let window = json!({"from": "2026-11-22T11:00:00Z", "to": "yesterday"});
    let request = json!({"name": "Theft", "incident": window, "items": []});
    for (path, body, wrong) in [
        ("/cameras", json!({"name": "North door", "bearing_deg": "x"}), "/bearing_deg"),
        ("/cameras", json!({"name": "North door", "position": {"lat": "x", "lon": 1}}), "/position/lat"),
        ("/cameras", json!({"name": "North door", "tags": ["a", 1]}), "/tags/1"),
        ("/cameras", json!({"nmae": "North door"}), "/nmae"),
        ("/groups", json!({"name": "Night shift"}), "/organization_id"),
        ("/video-requests", request, "/incident/to"),
    ] {
        let reply = site.post(path, Some(&ada), body.clone()).await;
        assert_eq!(pointer(&reply), wrong, "{body}");
    }
}
