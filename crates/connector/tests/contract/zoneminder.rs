//! What answers like ZoneMinder 1.36.33 did; its answers are those of `fixtures/zoneminder`, with other values.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use domain::Timestamp;
use protocol::SourceDescription;
use serde_json::{Value, json};
use sightline_connector::adapter::Locks;
use sightline_connector::held::{Held, Holds, Kept, Lock};

use super::scenarios::{later, noon, two_in_a_row};
use super::site::{self, Site};
use super::system::{PASSWORD, Served, System, USER, bench};
use super::world::{Recording, World, jpeg, window};

pub(crate) struct ZoneMinder;

const TOKEN: &str = "eyJ0eXAi.token";

type Query_ = Query<HashMap<String, String>>;

#[derive(Clone)]
struct Server {
    world: Arc<World>,
    archived: Arc<Mutex<BTreeSet<i64>>>,
    notes: Arc<Mutex<HashMap<i64, String>>>,
}

impl System for ZoneMinder {
    const PRECISION: Duration = Duration::from_secs(1);
    const HOLDS: bool = true;

    async fn serve(world: Arc<World>) -> Served {
        let server = Server { world: Arc::clone(&world), archived: Arc::default(), notes: Arc::default() };
        let held = Arc::clone(&server.archived);
        let routes = Router::new()
            .route("/zm/api/host/login.json", routing::post(login))
            .route("/zm/api/host/getVersion.json", routing::get(|| async { Json(json!({"version": "1.36.33"})) }))
            .route("/zm/api/host/getTimeZone.json", routing::get(time_zone))
            .route("/zm/api/monitors.json", routing::get(monitors))
            .route("/zm/api/events/index/{*filters}", routing::get(events))
            .route("/zm/api/events/{id}", routing::put(archive))
            .route("/zm/cgi-bin/zms", routing::get(picture))
            .route("/zm/index.php", routing::get(video))
            .with_state(server);
        let footage = |asked: &str| asked.contains("view_video");
        let site = Site::start(routes, footage, world.ahead_us).await;
        let adapter = format!("kind = \"zoneminder\"\nurl = \"{}/zm\"", site.url);
        Served { adapter, site: Some(site), _keep: None, held }
    }
}

fn recorded(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/zoneminder/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

async fn login(Form(form): Form<HashMap<String, String>>) -> Response {
    if form.get("user").map(String::as_str) != Some(USER) || form.get("pass").map(String::as_str) != Some(PASSWORD) {
        return refused("/zm/api/host/login.json");
    }
    let mut answer = recorded("login");
    answer["access_token"] = TOKEN.into();
    Json(answer).into_response()
}

/// An error repeats the address, with the token that is in it.
fn refused(address: &str) -> Response {
    let mut answer = recorded("error-401");
    answer["data"]["url"] = format!("{address}?token=BAD").into();
    (StatusCode::UNAUTHORIZED, Json(answer)).into_response()
}

fn signed_in(query: &HashMap<String, String>) -> bool {
    query.get("token").map(String::as_str) == Some(TOKEN)
}

async fn time_zone(State(server): State<Server>, Query(query): Query_) -> Response {
    if !signed_in(&query) {
        return refused("/zm/api/host/getTimeZone.json");
    }
    Json(json!({"tz": server.world.zone})).into_response()
}

async fn monitors(State(server): State<Server>, Query(query): Query_) -> Response {
    if !signed_in(&query) {
        return refused("/zm/api/monitors.json");
    }
    let mut answer = recorded("monitors");
    let like = answer["monitors"][0].clone();
    let row = |(id, name): &(String, String)| {
        let mut row = like.clone();
        row["Monitor"]["Id"] = id.parse::<i64>().unwrap().into();
        row["Monitor"]["Name"] = name.as_str().into();
        row
    };
    answer["monitors"] = server.world.cameras().map(row).collect();
    Json(answer).into_response()
}

/// `MonitorId:1/StartDateTime <=:2026-11-22 20:00:00.json`, sorted and paged.
async fn events(State(server): State<Server>, Path(filters): Path<String>, Query(query): Query_) -> Response {
    if !signed_in(&query) {
        return refused("/zm/api/events/index/");
    }
    let zone = jiff::tz::TimeZone::get(server.world.zone).unwrap();
    let local = |at: Timestamp| zone.to_datetime(at.to_jiff().unwrap()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let filters = filters.strip_suffix(".json").unwrap();
    let mut found: Vec<&Recording> = server.world.recordings.iter().collect();
    for filter in filters.split('/') {
        match filter.split_once(':').unwrap() {
            ("MonitorId", id) => found.retain(|r| r.camera == id),
            ("Id", id) => found.retain(|r| r.number.to_string() == id),
            ("StartDateTime <=", until) => found.retain(|r| local(r.from).as_str() <= until),
            other => panic!("{other:?}"),
        }
    }
    found.sort_by_key(|r| local(r.from));
    if query.get("direction").is_some_and(|direction| direction == "desc") {
        found.reverse();
    }
    let number = |name, usual| query.get(name).map_or(usual, |number| number.parse().unwrap());
    let (limit, page): (usize, usize) = (number("limit", 100), number("page", 1));
    let mut answer = recorded("events");
    let like = answer["events"][0].clone();
    let (archived, notes) = (server.archived.lock().unwrap().clone(), server.notes.lock().unwrap().clone());
    let row = |r: &&Recording| {
        let mut row = like.clone();
        let long = r.end(Timestamp::from(jiff::Timestamp::now())).since(r.from);
        row["Event"]["Id"] = r.number.into();
        row["Event"]["MonitorId"] = r.camera.parse::<i64>().unwrap().into();
        row["Event"]["StartDateTime"] = local(r.from).into();
        row["Event"]["EndDateTime"] = r.to.map(local).into();
        row["Event"]["Length"] = format!("{:.2}", long.as_secs_f64()).into();
        row["Event"]["Notes"] = notes.get(&r.number).map_or("", String::as_str).into();
        row["Event"]["Archived"] = i64::from(archived.contains(&r.number)).into();
        row
    };
    answer["events"] = found.iter().skip(limit * (page - 1)).take(limit).map(row).collect();
    Json(answer).into_response()
}

async fn archive(
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(query): Query_,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    if !signed_in(&query) {
        return refused("/zm/api/events/");
    }
    let id: i64 = id.strip_suffix(".json").unwrap().parse().unwrap();
    server.notes.lock().unwrap().insert(id, form["Event[Notes]"].clone());
    let mut archived = server.archived.lock().unwrap();
    match form["Event[Archived]"].as_str() {
        "1" => archived.insert(id),
        _ => archived.remove(&id),
    };
    Json(json!({"message": "Saved"})).into_response()
}

async fn picture(Query(query): Query_) -> Response {
    if !signed_in(&query) {
        return refused("/zm/cgi-bin/zms");
    }
    ([(header::CONTENT_TYPE, "image/jpeg")], jpeg()).into_response()
}

/// An event that there is not is a video of no bytes.
async fn video(State(server): State<Server>, Query(query): Query_, headers: HeaderMap) -> Response {
    if !signed_in(&query) {
        return refused("/zm/index.php");
    }
    let id: i64 = query["eid"].parse().unwrap();
    let found = server.world.recordings.iter().find(|r| r.number == id);
    let bytes = found.map(|r| std::fs::read(&r.file).unwrap()).unwrap_or_default();
    site::video(bytes, &headers)
}

/// The connector was killed after ZoneMinder had archived the events, and before it was noted that it had.
#[tokio::test]
async fn a_hold_that_was_interrupted_is_lifted_whole() {
    let bench = bench::<ZoneMinder>(two_in_a_row(), PASSWORD, "").await;
    let state = tempfile::tempdir().unwrap();
    let source = SourceDescription { device_id: "1".into(), ..SourceDescription::default() };
    let held = Held {
        item_id: "itm_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
        source,
        window: window(later(noon(), -5), 30),
        until: later(noon(), 86_400),
        kept: Kept::Lock { name: String::new(), begun: true, lost: false },
    };
    let holds = Holds::open(state.path(), None).unwrap();
    let begin = |name: &str| {
        holds.note(&Held { kept: Kept::Lock { name: name.into(), begun: true, lost: false }, ..held.clone() })
    };
    let locks = Locks { begin: &begin, ..Locks::besides(&[]) };
    bench.recorder.hold("1", held.window, &locks).await.unwrap();
    assert_eq!(*bench.served.held.lock().unwrap(), [1, 2].into());

    let holds = Holds::open(state.path(), None).unwrap();
    assert_eq!(holds.lock(&bench.recorder, &held).await.unwrap(), Lock::Set);
    assert!(matches!(holds.find(&held.item_id).unwrap().kept, Kept::Lock { begun: false, .. }));
    holds.let_go(&bench.recorder, &held.item_id).await.unwrap();
    assert!(bench.served.held.lock().unwrap().is_empty());
}
