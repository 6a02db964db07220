//! What answers like Milestone XProtect: an API Gateway and an Open Network Bridge. Built from documents only: the OpenAPI pages of
//! the gateway, Milestone's samples, and the bridge's administrator manual. Where they leave open how something is answered, it is
//! answered here in the way that gives more trouble. The bridge is the ONVIF simulator with a search of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Form, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use domain::{Timestamp, Window};
use protocol::UnavailableReason;
use serde_json::{Value, json};
use sightline_connector::adapter::onvif::xml::{Element, escaped};
use sightline_connector::adapter::{self, Trouble};

use super::onvif::{self, Server as Bridge};
use super::scenarios::{at, export, holds, later, noon, two_in_a_row};
use super::system::{PASSWORD, Served, System, USER, bench};
use super::world::{Recording, World, window};

/// What may be different of one XProtect and another.
pub(crate) trait Kind {
    /// What comes of it when an evidence lock is wanted.
    const LOCKS: Locks = Locks::Made;
    /// How long a token holds.
    const TOKEN_SECONDS: u64 = 3_600;
    /// Whether its bridge is where it should be.
    const BRIDGE: bool = true;
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locks {
    Made,
    /// It is made, and not told how it is called.
    Unnamed,
    Refused(StatusCode),
}

/// With evidence locks, for whoever has the right to them.
pub(crate) struct Corporate;
impl Kind for Corporate {}

/// Without evidence locks.
struct Expert;
impl Kind for Expert {
    const LOCKS: Locks = Locks::Refused(StatusCode::BAD_REQUEST);
}

/// Where the account has no right to them.
struct Unentitled;
impl Kind for Unentitled {
    const LOCKS: Locks = Locks::Refused(StatusCode::FORBIDDEN);
}

/// Which says little of what it made.
struct Taciturn;
impl Kind for Taciturn {
    const LOCKS: Locks = Locks::Unnamed;
}

/// Whose tokens hold for a second.
struct Hasty;
impl Kind for Hasty {
    const TOKEN_SECONDS: u64 = 1;
}

/// Without a bridge.
struct Unbridged;
impl Kind for Unbridged {
    const BRIDGE: bool = false;
}

pub(crate) struct Milestone<K>(std::marker::PhantomData<K>);

const CAMERA: &str = "a8a8b9dc-3995-49ed-9b00-";
const LOCK: &str = "cc4bb285-e62e-4da4-b411-";

/// Of an evidence lock, the camera and the window.
type Lock = (String, Window);

#[derive(Clone)]
struct Gateway {
    world: Arc<World>,
    kind: Locks,
    locks: Arc<Mutex<BTreeMap<String, Lock>>>,
    held: Arc<Mutex<BTreeSet<i64>>>,
    made: Arc<AtomicUsize>,
    /// When each token ends.
    tokens: Arc<Mutex<Vec<Instant>>>,
    token_seconds: u64,
}

impl<K: Kind> System for Milestone<K> {
    const PRECISION: Duration = Duration::ZERO;
    const HOLDS: bool = true;

    fn camera(id: &str) -> String {
        format!("{CAMERA}{id:0>12}")
    }

    async fn serve(world: Arc<World>) -> Served {
        let mut world = Arc::into_inner(world).unwrap();
        world.cameras.iter_mut().for_each(|(id, _)| *id = Self::camera(id));
        world.recordings.iter_mut().for_each(|recording| recording.camera = Self::camera(&recording.camera));
        let world = Arc::new(world);
        let held = Arc::default();
        let gateway = Gateway {
            world: Arc::clone(&world),
            kind: K::LOCKS,
            locks: Arc::default(),
            held: Arc::clone(&held),
            made: Arc::default(),
            tokens: Arc::default(),
            token_seconds: K::TOKEN_SECONDS,
        };
        let asked = axum::middleware::from_fn_with_state(gateway.clone(), signed_in);
        let rest = Router::new()
            .route("/cameras", routing::get(cameras))
            .route("/cameras/{id}", routing::get(camera))
            .route("/evidenceLocks", routing::post(lock))
            .route("/evidenceLocks/{id}", routing::get(lock_of).delete(unlock))
            .route("/sites", routing::get(|| async { Json(json!({"array": []})) }))
            .layer(asked);
        let routes = Router::new()
            .nest("/api/rest/v1", rest)
            .route("/API/IDP/connect/token", routing::post(token))
            .with_state(gateway);
        let site = onvif::serve(world, routes, Some(search)).await;
        let bridge = if K::BRIDGE { &site.url } else { "http://127.0.0.1:9" };
        let adapter = format!("kind = \"milestone\"\nurl = \"{}\"\nbridge_url = \"{bridge}\"", site.url);
        Served { adapter, site: Some(site), _keep: None, held }
    }
}

/// The first token is ended at once, so that every scenario sees it replaced.
async fn token(State(gateway): State<Gateway>, Form(form): Form<HashMap<String, String>>) -> Response {
    let right =
        [("grant_type", "password"), ("client_id", "GrantValidatorClient"), ("username", USER), ("password", PASSWORD)];
    if right.iter().any(|(name, value)| form.get(*name).map(String::as_str) != Some(value)) {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    }
    let mut tokens = gateway.tokens.lock().unwrap();
    tokens.push(Instant::now() + Duration::from_secs(gateway.token_seconds));
    let token = format!("token.{}", tokens.len());
    Json(json!({
        "access_token": token, "expires_in": gateway.token_seconds, "token_type": "Bearer", "scope": "managementserver"
    }))
    .into_response()
}

fn error(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"httpCode": status.as_u16().to_string(), "details": [{"errorText": text}]}))).into_response()
}

async fn signed_in(State(gateway): State<Gateway>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let told = headers.get(header::AUTHORIZATION).and_then(|told| told.to_str().ok()?.strip_prefix("Bearer token."));
    let number = told.and_then(|number| number.parse::<usize>().ok()).filter(|number| *number > 1);
    let until = number.and_then(|number| gateway.tokens.lock().unwrap().get(number - 1).copied());
    match until {
        None => error(StatusCode::UNAUTHORIZED, "the token has ended"),
        // which nobody should have let it come to
        Some(until) if until < Instant::now() => error(StatusCode::INTERNAL_SERVER_ERROR, "the token is long over"),
        Some(_) => next.run(request).await,
    }
}

/// An answer of XProtect 2025 R1, as its user shows it, with other values.
fn described((id, name): &(String, String)) -> Value {
    json!({
        "displayName": name, "enabled": true, "id": id, "name": name, "channel": 0, "description": "",
        "createdDate": "0001-01-01T00:00:00.0000000", "lastModified": "2025-10-27T15:03:52.8070000Z",
        "gisPoint": "POINT EMPTY", "shortName": "", "icon": 0, "coverageDirection": 0, "coverageDepth": 0,
        "coverageFieldOfView": 0, "recordingEnabled": true,
        "recordingStorage": {"type": "storages", "id": "0605d1b6-16bb-4adf-a32c-ef0a1991f951"},
        "relations": {"self": {"type": "cameras", "id": id}}
    })
}

async fn cameras(State(gateway): State<Gateway>) -> Json<Value> {
    Json(json!({"array": gateway.world.cameras().map(described).collect::<Vec<_>>()}))
}

async fn camera(State(gateway): State<Gateway>, Path(id): Path<String>) -> Response {
    match gateway.world.cameras().find(|camera| camera.0 == id) {
        Some(camera) => Json(json!({"data": described(camera)})).into_response(),
        None => error(StatusCode::NOT_FOUND, "Unknown resource"),
    }
}

impl Gateway {
    /// What is kept is what locks reach into.
    fn keep(&self, locks: &BTreeMap<String, Lock>) {
        let of = |(camera, window): &Lock| self.world.of(camera, *window).map(|r| r.number).collect::<Vec<_>>();
        *self.held.lock().unwrap() = locks.values().flat_map(of).collect();
    }
}

async fn lock(State(gateway): State<Gateway>, Json(wanted): Json<Value>) -> Response {
    if let Locks::Refused(status) = gateway.kind {
        return error(status, "Unknown request");
    }
    let time = |name: &str| wanted[name].as_str().unwrap().parse::<Timestamp>().unwrap();
    let window = Window { from: time("startTime"), to: time("endTime") };
    assert!(window.from <= time("tagTime") && time("tagTime") <= window.to);
    assert_eq!(wanted["retentionOption"], json!({"retentionType": "Indefinite", "retentionUnits": -1}));
    let [path] = wanted["devicePaths"].as_array().unwrap().as_slice() else { panic!("{wanted}") };
    assert_eq!(path["type"], "cameras");
    let mut locks = gateway.locks.lock().unwrap();
    let id = format!("{LOCK}{:012}", gateway.made.fetch_add(1, Ordering::SeqCst));
    locks.insert(id.clone(), (path["id"].as_str().unwrap().to_owned(), window));
    gateway.keep(&locks);
    if gateway.kind == Locks::Unnamed {
        return StatusCode::CREATED.into_response();
    }
    let mut made = wanted.clone();
    made["id"] = id.clone().into();
    made["relations"] = json!({"self": {"type": "evidenceLocks", "id": id}});
    (StatusCode::CREATED, Json(json!({"data": made}))).into_response()
}

async fn lock_of(State(gateway): State<Gateway>, Path(id): Path<String>) -> Response {
    let there = gateway.locks.lock().unwrap().contains_key(&id);
    if there { Json(json!({"data": {"id": id}})).into_response() } else { error(StatusCode::BAD_REQUEST, "no such") }
}

async fn unlock(State(gateway): State<Gateway>, Path(id): Path<String>) -> Response {
    let mut locks = gateway.locks.lock().unwrap();
    if locks.remove(&id).is_none() {
        return error(StatusCode::BAD_REQUEST, "no such");
    }
    gateway.keep(&locks);
    StatusCode::OK.into_response()
}

/// The bridge's own: a search around a moment, a summary, and no search for events.
fn search(bridge: &Bridge, asked: &Element) -> Option<Response> {
    let answer = match asked.name.as_str() {
        "FindRecordings" => match sequences(bridge, asked) {
            Some(found) => bridge.search(found),
            None => return Some(onvif::fault("env:Sender", "ter:InvalidArgVal")),
        },
        "GetRecordingSummary" => summary(bridge),
        "FindEvents" | "GetRecordingJobs" | "GetProfiles" => {
            return Some(onvif::fault("env:Receiver", "ter:ActionNotSupported"));
        }
        _ => return None,
    };
    Some(onvif::answered("search_service", &asked.name, &answer))
}

fn summary(bridge: &Bridge) -> String {
    let all = &bridge.world.recordings;
    let from = all.iter().map(|recording| recording.from).min();
    let until = all.iter().map(|recording| recording.end(bridge.now())).max();
    let time =
        |name: &str, at: Option<Timestamp>| at.map(|at| format!("<tt:{name}>{at}</tt:{name}>")).unwrap_or_default();
    format!(
        "<Summary>{}{}<tt:NumberRecordings>{}</tt:NumberRecordings></Summary>",
        time("DataFrom", from),
        time("DataUntil", until),
        all.len()
    )
}

/// `boolean(//Track[TrackType = "Video"]),2016-12-06T08:07:43Z,99999999,20,99999999,20`: the moment, then for before and after it how many
/// milliseconds away and how many. Of a camera that it does not know it says nothing.
fn sequences(bridge: &Bridge, asked: &Element) -> Option<String> {
    let camera = asked.text(&["Scope", "IncludedSources", "Token"]).unwrap();
    bridge.world.cameras().find(|(id, _)| id == camera)?;
    let filter = asked.text(&["Scope", "RecordingInformationFilter"]).unwrap();
    let parts: Vec<_> = filter.strip_prefix("boolean(//Track[TrackType = \"Video\"]),").unwrap().split(',').collect();
    let [moment, back, before, forth, after] = parts[..] else { panic!("{filter}") };
    let moment = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%SZ", moment).unwrap().to_datetime().unwrap();
    let moment = Timestamp::from(moment.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp());
    let span = |text: &str| Duration::from_millis(text.parse::<i32>().unwrap().unsigned_abs().into());
    let (earliest, latest) = (moment.minus(span(back)), moment.plus(span(forth)));
    let (before, after): (usize, usize) = (before.parse().unwrap(), after.parse().unwrap());
    let all = joined(&bridge.world.recordings, camera, bridge.now());
    let (begun, later): (Vec<Window>, Vec<_>) = all.into_iter().partition(|sequence| sequence.from <= moment);
    let begun = begun.iter().rev().filter(|sequence| sequence.to >= earliest).take(before);
    let found: Vec<_> = begun.chain(later.iter().filter(|sequence| sequence.from <= latest).take(after)).collect();
    if found.is_empty() {
        return Some(String::new());
    }
    let track = |sequence: &&Window| {
        format!(
            "<tt:Track><tt:TrackToken>v</tt:TrackToken><tt:TrackType>Video</tt:TrackType><tt:Description/>\
             <tt:DataFrom>{}</tt:DataFrom><tt:DataTo>{}</tt:DataTo></tt:Track>",
            sequence.from, sequence.to
        )
    };
    let tracks: String = found.iter().map(track).collect();
    Some(format!(
        "<tt:RecordingInformation><tt:RecordingToken>{0}</tt:RecordingToken><tt:Source><tt:SourceId>{0}</tt:SourceId></tt:Source>{tracks}\
         <tt:RecordingStatus>Unknown</tt:RecordingStatus></tt:RecordingInformation>",
        escaped(camera)
    ))
}

/// What follows without a hole is one sequence.
fn joined(recordings: &[Recording], camera: &str, now: Timestamp) -> Vec<Window> {
    let mut out: Vec<Window> = Vec::new();
    for recording in recordings.iter().filter(|recording| recording.camera == camera) {
        let end = recording.end(now);
        match out.last_mut().filter(|last| last.to >= recording.from) {
            Some(last) => last.to = end,
            None => out.push(Window { from: recording.from, to: end }),
        }
    }
    out
}

async fn hold<K: Kind>() -> Result<Option<String>, Trouble> {
    let bench = bench::<Milestone<K>>(two_in_a_row(), PASSWORD, "").await;
    bench.recorder.hold(&Milestone::<K>::camera("1"), window(later(noon(), 12), 5), &adapter::Locks::besides(&[])).await
}

/// What this XProtect has not, or the account has no right to, is held as an export.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_evidence_locks_nothing_is_locked() {
    assert_eq!(hold::<Expert>().await, Ok(None));
    assert_eq!(hold::<Unentitled>().await, Ok(None));
}

/// Each further try would make another that nobody deletes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evidence_lock_without_a_name_is_not_made_again() {
    let trouble = hold::<Taciturn>().await.unwrap_err();
    assert!(matches!(trouble, Trouble::Broken { retryable: false, .. }), "{trouble:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_by_the_same_name_stays() {
    let bench = bench::<Milestone<Corporate>>(two_in_a_row(), PASSWORD, "").await;
    let camera = Milestone::<Corporate>::camera("1");
    let name = bench
        .recorder
        .hold(&camera, window(later(noon(), 12), 5), &adapter::Locks::besides(&[]))
        .await
        .unwrap()
        .unwrap();
    bench.recorder.free(&name, std::slice::from_ref(&name)).await.unwrap();
    assert_eq!(*bench.served.held.lock().unwrap(), [1].into());
    // Somebody in the office may let go of it: a look tells.
    assert_eq!(bench.recorder.holds_still(&name).await, Ok(Some(name.clone())));
    bench.recorder.free(&name, &[]).await.unwrap();
    assert_eq!(bench.recorder.holds_still(&name).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_replaced_before_it_ends() {
    let bench = bench::<Milestone<Hasty>>(two_in_a_row(), PASSWORD, "").await;
    for _ in 0..2 {
        assert_eq!(bench.recorder.discover().await.problem, None);
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
}

/// That the gateway tells of cameras does not mean that footage is handed out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridge_that_is_not_there() {
    let found = bench::<Milestone<Unbridged>>(two_in_a_row(), PASSWORD, "").await.recorder.discover().await;
    assert!(found.whole && found.sources.len() == 2);
    assert!(found.problem.unwrap().what_to_do.contains("Open Network Bridge"));
}

/// Sequences by the thousand are asked for page by page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sequences() {
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.record("1", noon(), 1);
    let first = world.recordings[0].clone();
    let next = |number: i64| Recording {
        number,
        from: later(noon(), 2 * number),
        to: Some(later(noon(), 2 * number + 1)),
        ..first.clone()
    };
    world.recordings.extend((1..2_500).map(next));
    let bench = bench::<Milestone<Corporate>>(world, PASSWORD, "").await;
    let camera = Milestone::<Corporate>::camera("1");
    let covered = bench.recorder.coverage(&camera, window(noon(), 5_000)).await.unwrap();
    assert_eq!((covered.spans.len(), covered.complete), (2_500, true));
}

/// What lies further away than one search looks is found, so that a gap is told from what was overwritten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_far_away() {
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.record("1", noon(), 20).record("1", at("2026-06-01T12:00:00Z"), 20);
    let bench = bench::<Milestone<Corporate>>(world, PASSWORD, "").await;
    for month in ["02", "05"] {
        let between = window(at(&format!("2026-{month}-20T12:00:00Z")), 10);
        let trouble = export::<Milestone<Corporate>>(&bench, "1", between).await.unwrap_err();
        assert!(matches!(trouble, Trouble::Unavailable { reason: UnavailableReason::Gap, .. }), "{trouble}");
    }
    let asked = window(at("2026-06-01T12:00:05Z"), 10);
    holds::<Milestone<Corporate>>(&export::<Milestone<Corporate>>(&bench, "1", asked).await.unwrap(), asked, &[]);
}
