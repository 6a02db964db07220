//! What an owner learns of a request for sources of several owners: of their own items, from lists, filters and heads alike.

use crate::support::{Cookie, Site};
use domain::account::Role;
use serde_json::{Value, json};
use store::on_both;
use store::testing::TestDatabase;

/// One request for a camera of the transit agency, which keeps a week, and one of the mall, which keeps an hour or three.
struct Street {
    site: Site,
    request: String,
    ana: Cookie,
    tess: Cookie,
    mo: Cookie,
    audit: Cookie,
}

impl Street {
    async fn new(database: TestDatabase) -> Self {
        let site = Site::new(database).await;
        let (transit, mall) = (site.test.organization("Transit").await, site.test.organization("Mall").await);
        for (name, of, role, at) in [
            ("ana", &site.test.host, Role::Investigator, None),
            ("audit", &site.test.host, Role::Auditor, None),
            ("ada", &site.test.host, Role::Administrator, None),
            ("tess", &transit, Role::Approver, Some(&transit)),
            ("mo", &mall, Role::Approver, Some(&mall)),
        ] {
            site.test.account(name, of, &[(role, at)]).await;
        }
        let (ana, ada) = (site.sign_in("ana").await, site.sign_in("ada").await);
        let camera = async |name: &str, of: &domain::id::OrganizationId, retention_hours: i64| {
            let camera =
                json!({"organization_id": of, "name": name, "published": true, "retention_hours": retention_hours});
            let made = site.post("/cameras", Some(&ada), camera).await;
            made.json["id"].as_str().unwrap().to_owned()
        };
        let hall = camera("Station Hall", &transit, 168).await;
        let (door, safe) = (camera("Jeweller Café", &mall, 3).await, camera("Strongroom", &mall, 1).await);
        let submit = async |name: &str, sources: &[&str]| {
            let window = json!({"from": "2026-11-22T11:00:00Z", "to": "2026-11-22T11:02:00Z"});
            let item = |source: &&str| json!({"source_id": source, "from": window["from"], "to": window["to"]});
            let items: Vec<Value> = sources.iter().map(item).collect();
            let made = site
                .post("/video-requests", Some(&ana), json!({"name": name, "incident": window, "items": items}))
                .await;
            assert_eq!(made.status, 201, "{}", made.json);
            made.json["id"].as_str().unwrap().to_owned()
        };
        let request = submit("Theft", &[&hall, &safe]).await;
        submit("Collision", &[&hall]).await;
        submit("Fire", &[&door]).await;
        Self {
            request,
            tess: site.sign_in("tess").await,
            mo: site.sign_in("mo").await,
            audit: site.sign_in("audit").await,
            ana,
            site,
        }
    }

    async fn names(&self, who: &Cookie, query: &str) -> Vec<String> {
        let found = self.site.get(&format!("/video-requests?count=true&{query}"), Some(who)).await;
        assert_eq!(found.status, 200, "{}", found.json);
        let items = found.json["items"].as_array().unwrap();
        assert_eq!(found.json["total"], items.len());
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }
}

on_both!(a_source_finds_a_request_for_those_who_see_its_item, |database: TestDatabase| async move {
    let street = Street::new(database).await;
    for who in [&street.ana, &street.mo, &street.audit] {
        assert_eq!(street.names(who, "q=strongroom").await, ["Theft"]);
        assert_eq!(street.names(who, "q=theft%20STRONGROOM").await, ["Theft"]);
        assert_eq!(street.names(who, "q=cafe").await, ["Fire"]);
    }
    assert_eq!(street.names(&street.tess, "q=strongroom").await, Vec::<String>::new());
    assert_eq!(street.names(&street.tess, "q=station&sort=created_at").await, ["Theft", "Collision"]);
    assert_eq!(street.names(&street.tess, "q=theft").await, ["Theft"]);
    assert_eq!(street.names(&street.mo, "q=station").await, Vec::<String>::new());
});

on_both!(the_overwrite_time_is_of_the_items_that_are_seen, |database: TestDatabase| async move {
    let street = Street::new(database).await;
    let (within_the_hour, in_a_week) = ("2026-11-22T12:00:00.000Z", "2026-11-29T11:00:00.000Z");
    let path = format!("/video-requests/{}", street.request);
    for (who, at) in [
        (&street.ana, within_the_hour),
        (&street.mo, within_the_hour),
        (&street.audit, within_the_hour),
        (&street.tess, in_a_week),
    ] {
        let one = street.site.get(&path, Some(who)).await;
        assert_eq!(one.json["overwrite_at"], at, "{}", one.json);
        let list = street.site.get("/video-requests?q=theft", Some(who)).await;
        assert_eq!(list.json["items"][0]["overwrite_at"], at, "{}", list.json);
    }
    // For transit's approver both are overwritten at the same time, so their ids decide.
    assert_eq!(street.names(&street.tess, "sort=overwrite_at").await, ["Theft", "Collision"]);
    assert_eq!(street.names(&street.tess, "sort=-overwrite_at").await, ["Collision", "Theft"]);
    assert_eq!(street.names(&street.ana, "sort=overwrite_at").await, ["Theft", "Fire", "Collision"]);
    let mut pages = Vec::new();
    let mut cursor = String::new();
    for _ in 0..2 {
        let path = format!("/video-requests?sort=overwrite_at&limit=1{cursor}");
        let page = street.site.get(&path, Some(&street.tess)).await;
        pages.push(page.json["items"][0]["name"].clone());
        cursor = format!("&cursor={}", page.json["next_cursor"].as_str().unwrap_or_default());
    }
    assert_eq!(pages, ["Theft", "Collision"]);
});
