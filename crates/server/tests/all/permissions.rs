//! Who may do what: `permissions.txt` is written by hand and says, for every operation that the server has and every
//! sort of person, what they meet. It is compared with what the server does; an operation that is missing fails.

mod attempt;
mod routes;
mod things;

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::Request;
use domain::account::Role;
use serde_json::Value;
use store::Engine;
use things::{Things, bearer};
use tower::ServiceExt as _;

use crate::support::Site;

/// The columns of the first table. `stranger` is signed in and holds no role, in an organization that has nothing to do
/// with anything; the others hold their role for all organizations, but are party to nothing that the operations touch.
/// Those whose names begin with `far` hold theirs for the stranger's organization alone.
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

/// What the document does not speak of and yet asks people who they are.
const BESIDE_THE_DOCUMENT: [[&str; 3]; 2] =
    [["get_tile", "GET", "/api/v1/ledger/tile/{*path}"], ["read_metrics", "GET", "/metrics"]];

/// An operation as the OpenAPI document names it.
struct Operation {
    id: String,
    method: String,
    path: String,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&sightline_server::http::openapi()).unwrap();
    let beside = BESIDE_THE_DOCUMENT.map(|named| named.map(str::to_owned));
    let mut all: Vec<_> = beside.map(|[id, method, path]| Operation { id, method, path }).into();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no operationId"));
            all.push(Operation { id: id.to_owned(), method: method.to_uppercase(), path: path.clone() });
        }
    }
    // What removes comes last: the others need what it removes.
    all.sort_by(|a, b| (a.method == "DELETE", &a.id).cmp(&(b.method == "DELETE", &b.id)));
    all
}

/// The lines of a part of `permissions.txt`.
fn part(name: &str) -> Vec<&'static str> {
    let lines = include_str!("permissions.txt").lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let heading = format!("[{name}]");
    lines.skip_while(|line| **line != heading).skip(1).take_while(|line| !line.starts_with('[')).collect()
}

fn compare(expected: &[&str], found: &[String]) {
    let missing: Vec<_> = found.iter().map(String::as_str).filter(|row| !expected.contains(row)).collect();
    let extra: Vec<_> = expected.iter().copied().filter(|row| !found.iter().any(|f| f == row)).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "permissions.txt says, but is not so:\n{}\n\nis so, but is not in permissions.txt:\n{}",
        extra.join("\n"),
        missing.join("\n")
    );
}

/// How somebody shows who they are: a header.
type Proof = Option<(&'static str, String)>;

/// What somebody meets: the refusal, or `yes` for anything that the rules of the noun decide.
async fn met(site: &Site, things: &Things, operation: &Operation, kind: &str, proof: &Proof, address: &str) -> String {
    let mut request = Request::builder().method(operation.method.as_str()).uri(things.address(operation, kind));
    for (name, value) in things.headers(&operation.id, kind) {
        request = request.header(name, value);
    }
    if let Some((name, value)) = proof {
        request = request.header(*name, value);
    }
    let request = request.header("x-forwarded-for", address).body(Body::from(things.body(operation))).unwrap();
    let status = match operation.id.as_str() {
        // Its answer does not end.
        "watch_events" => site.router.clone().oneshot(request).await.unwrap().status().as_u16(),
        _ => site.send(request).await.status,
    };
    match status {
        401 | 403 | 404 => status.to_string(),
        500.. => format!("fault {status}"),
        _ => "yes".to_owned(),
    }
}

/// The row's name, and what each of these meets.
async fn row(
    site: &Site,
    things: &mut Things,
    operation: &Operation,
    kind: &str,
    proofs: &[Proof],
) -> (String, Vec<String>) {
    let mut answers = Vec::new();
    for (n, proof) in proofs.iter().enumerate() {
        things.renew(site, &operation.id).await;
        // An address of their own each: one's failures are not held against another.
        answers.push(met(site, things, operation, kind, proof, &format!("192.0.2.{n}")).await);
    }
    let name = if kind.is_empty() { operation.id.clone() } else { format!("{}/{kind}", operation.id) };
    (name, answers)
}

fn line((name, answers): &(String, Vec<String>), width: usize) -> String {
    let mut line = format!("{name:<28}");
    for answer in answers {
        write!(line, " {answer:<width$}").unwrap();
    }
    line.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_people_is_what_the_server_does() {
    let site = Site::new(store::testing::database(Engine::Sqlite).await).await;
    let mut things = Things::make(&site).await;
    let far = site.test.organization("Far").await;
    let mut found = Vec::new();
    for operation in operations() {
        // Fresh sessions for each operation: one of them signs out.
        let mut proofs = Vec::new();
        for (name, role) in PEOPLE {
            let scope = name.starts_with("far-").then_some(&far);
            let organization = if name == "stranger" || scope.is_some() { &far } else { &site.test.host };
            site.test.account(name, organization, role.map(|r| (r, scope)).as_slice()).await;
            proofs.push(if name == "nobody" { None } else { Some(("cookie", site.sign_in(name).await)) });
        }
        for kind in Things::kinds(&operation.id) {
            found.push(line(&row(&site, &mut things, &operation, kind, &proofs).await, 6));
        }
    }
    compare(&part("people"), &found);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_keys_is_what_the_server_does() {
    let site = Site::new(store::testing::database(Engine::Sqlite).await).await;
    let mut things = Things::make(&site).await;
    let proofs: Vec<Proof> = things.keys.iter().map(|key| Some(("authorization", bearer(key)))).collect();
    let mut found = Vec::new();
    for operation in operations() {
        for kind in Things::kinds(&operation.id) {
            let row = row(&site, &mut things, &operation, kind, &proofs).await;
            if row.1.iter().any(|answer| answer != "401") {
                found.push(line(&row, 13));
            }
        }
    }
    compare(&part("keys"), &found);
}
