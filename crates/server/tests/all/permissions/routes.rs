//! Whatever the router has at an address is in the table, or in `permissions.txt` with the reason why it asks nobody.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::Request;
use domain::account::Role;
use sightline_server::config::Config;
use store::Engine;
use tower::ServiceExt as _;

use super::{operations, part};
use crate::support::{Reply, Site};

/// The paths of all routes, but for axum's own one that stands for any other. The router tells them only where it is printed.
fn paths(site: &Site) -> BTreeSet<String> {
    let printed = format!("{:?}", sightline_server::http::routes(site.test.app.clone(), &Config::default()));
    let paths = printed.split('"').filter(|text| text.starts_with('/') && !text.contains("__private__axum_fallback"));
    paths.map(str::to_owned).collect()
}

/// An answer, but for the number that each problem has.
fn said(reply: &Reply) -> (u16, &str, &[u8]) {
    let body = if reply.code().is_empty() { reply.body.as_slice() } else { &[] };
    (reply.status, reply.code(), body)
}

/// An address that is at this path.
fn address(path: &str) -> String {
    let filled = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    filled.collect::<Vec<_>>().join("/")
}

/// The methods that are taken there, as whoever sends another one is told.
async fn methods(site: &Site, path: &str) -> BTreeSet<String> {
    let request = Request::builder().method("BREW").uri(address(path)).header("tus-resumable", "1.0.0");
    let answer = site.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 405, "{path}");
    let told = answer.headers().get("allow").unwrap_or_else(|| panic!("{path} does not say what it takes"));
    let mut methods: BTreeSet<_> = told.to_str().unwrap().split(',').map(str::to_owned).collect();
    // Comes with GET by itself.
    if methods.contains("GET") {
        methods.remove("HEAD");
    }
    methods
}

/// A star at the end of what the third part of the file says stands for whatever follows.
fn fits(open: &str, path: &str) -> bool {
    open.strip_suffix('*').map_or(path == open, |beginning| path.starts_with(beginning))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_in_the_table_or_asks_nobody() {
    let site = Site::new(store::testing::database(Engine::Sqlite).await).await;
    site.test.account("boss", &site.test.host, &[(Role::Administrator, None)]).await;
    let boss = site.sign_in("boss").await;
    let mut table = BTreeMap::<String, BTreeSet<String>>::new();
    for operation in operations() {
        table.entry(operation.path).or_default().insert(operation.method);
    }
    // With its reason.
    let open: Vec<_> =
        part("open").into_iter().map(|line| line.split_once(' ').expect("a path and a reason")).collect();
    let paths = paths(&site);
    assert!(paths.len() > table.len(), "the router is printed with its paths");
    for path in &paths {
        if !open.iter().any(|(open, _)| fits(open, path)) {
            let known = table.get(path).unwrap_or_else(|| panic!("{path} is not in permissions.txt"));
            assert_eq!(*known, methods(&site, path).await, "{path}: in the table, and in the router");
            continue;
        }
        assert!(!table.contains_key(path), "{path} is in the table and is open");
        let get = |cookie| Request::get(address(path)).header("cookie", cookie).body(Body::empty()).unwrap();
        let (nobody, somebody) = (site.send(get(String::new())).await, site.send(get(boss.clone())).await);
        assert_eq!(said(&nobody), said(&somebody), "{path}");
    }
    let gone: Vec<_> = table.keys().filter(|path| !paths.contains(*path)).collect();
    assert!(gone.is_empty(), "in the table, and not in the router: {gone:?}");
    for (open, reason) in open {
        assert!(paths.iter().any(|path| fits(open, path)), "{open} is not in the router");
        assert!(!reason.trim().is_empty(), "{open} has no reason");
    }
}
