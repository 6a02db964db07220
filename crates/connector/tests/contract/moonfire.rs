//! What answers like Moonfire NVR did; its answers are those of `fixtures/moonfire`, with other values. What is refused and how,
//! and how recordings are listed and viewed, are of its source (`server/src/web`).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use domain::{Timestamp, Window};
use serde_json::{Value, json};
use sightline_connector::adapter::Trouble;

use super::scenarios::{export, holds, later, noon, now, two_in_a_row};
use super::site::{self, Site};
use super::system::{PASSWORD, Served, System, USER, bench};
use super::world::{RATE, Recording, World, part, window};

pub(crate) struct Moonfire;

const FRAME: Duration = Duration::from_millis(1_000 / RATE as u64);
/// It was started for the second time.
const OPEN: i64 = 2;

type Query_ = Query<HashMap<String, String>>;

#[derive(Clone)]
struct Server {
    world: Arc<World>,
    logins: Arc<AtomicUsize>,
}

impl System for Moonfire {
    /// It takes a frame too much off the moment when the first one came.
    const PRECISION: Duration = FRAME;

    fn camera(id: &str) -> String {
        format!("01a204ea-cc25-7882-aead-{id:0>12}")
    }

    async fn serve(world: Arc<World>) -> Served {
        let server = Server { world: Arc::clone(&world), logins: Arc::default() };
        let routes = Router::new()
            .route("/api/login", routing::post(login))
            .route("/api/", routing::get(root))
            .route("/api/cameras/{camera}/{stream}/recordings", routing::get(recordings))
            .route("/api/cameras/{camera}/{stream}/view.mp4", routing::get(view))
            .with_state(server);
        let site = Site::start(routes, |asked| asked.contains("view.mp4"), world.ahead_us).await;
        let adapter = format!("kind = \"moonfire\"\nurl = \"{}\"", site.url);
        Served { adapter, site: Some(site), _keep: None, held: Arc::default() }
    }
}

fn recorded(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/moonfire/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// When it says that something was which was at a time: one frame earlier.
fn ticks(at: Timestamp) -> i64 {
    at.minus(FRAME).as_micros() * 9 / 100
}

/// An error is plain text.
fn error(status: StatusCode, text: &'static str) -> Response {
    (status, text).into_response()
}

/// The first session is ended at once, so that every scenario sees it replaced.
async fn login(State(server): State<Server>, Json(body): Json<Value>) -> Response {
    if body != json!({"username": USER, "password": PASSWORD}) {
        return error(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED");
    }
    let count = server.logins.fetch_add(1, Ordering::SeqCst) + 1;
    let cookie = format!("s=token/{count}; HttpOnly; SameSite=Lax; Max-Age=2147483648; Path=/");
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}

impl Server {
    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        let told = headers.get(header::COOKIE).and_then(|value| value.to_str().ok());
        let holds = self.logins.load(Ordering::SeqCst) > 1 && told == Some("s=token/2");
        (!holds).then(|| error(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"))
    }

    /// The recordings of a stream: the first camera's are of its main stream, the second's of its other one.
    fn of(&self, camera: &str, stream: &str) -> Vec<&Recording> {
        let all = self.world.recordings.iter();
        all.filter(|r| Moonfire::camera(&r.camera) == camera && (stream == "sub") == (r.camera == "2")).collect()
    }

    fn knows(&self, camera: &str) -> bool {
        self.world.cameras().any(|(id, _)| Moonfire::camera(id) == camera)
    }
}

async fn root(State(server): State<Server>, headers: HeaderMap) -> Response {
    if let Some(refusal) = server.refusal(&headers) {
        return refusal;
    }
    let mut answer = recorded("api");
    let like = answer["cameras"][0].clone();
    let row = |(id, name): &(String, String)| {
        let mut row = like.clone();
        row["uuid"] = Moonfire::camera(id).into();
        row["shortName"] = name.as_str().into();
        row["streams"] =
            ["main", "sub"].into_iter().map(|stream| (stream.to_owned(), told(&server, id, stream))).collect();
        row
    };
    answer["cameras"] = server.world.cameras().map(row).collect();
    answer["timeZoneName"] = server.world.zone.into();
    Json(answer).into_response()
}

/// What is said of a stream: of what grows nothing.
fn told(server: &Server, id: &str, stream: &str) -> Value {
    let mut told = recorded("api")["cameras"][0]["streams"]["main"].clone();
    told.as_object_mut().unwrap().remove("days");
    let committed = server.of(&Moonfire::camera(id), stream);
    told["minStartTime90k"] = committed.iter().filter(|r| r.to.is_some()).map(|r| ticks(r.from)).min().into();
    told["maxEndTime90k"] = committed.iter().filter_map(|r| r.to).map(ticks).max().into();
    told
}

/// One row for each recording, as `split90k=0` has it. Those that follow each other are of one run.
async fn recordings(
    State(server): State<Server>,
    Path((camera, stream)): Path<(String, String)>,
    Query(query): Query_,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = server.refusal(&headers) {
        return refusal;
    }
    if !server.knows(&camera) {
        return error(StatusCode::NOT_FOUND, "NOT_FOUND: no such camera");
    }
    assert_eq!(query["split90k"], "0");
    let number = |key: &str| query.get(key).map(|text| text.parse::<i64>().unwrap());
    let (start, end) = (number("startTime90k").unwrap_or(i64::MIN), number("endTime90k").unwrap_or(i64::MAX));
    let mut answer = recorded("recordings");
    let like = answer["recordings"][0].clone();
    let mut run = (None, 0);
    let mut rows = Vec::new();
    for recording in server.of(&camera, &stream) {
        if run.0 != Some(recording.from) {
            run.1 = recording.number;
        }
        run.0 = recording.to;
        let (from, to) = (ticks(recording.from), ticks(recording.end(now())));
        if from < end && to > start {
            rows.push(row(&like, recording, run.1));
        }
    }
    answer["recordings"] = rows.into_iter().rev().collect(); // their order is said to be any
    Json(answer).into_response()
}

fn row(like: &Value, recording: &Recording, run: i64) -> Value {
    let mut row = like.clone();
    row["startTime90k"] = ticks(recording.from).into();
    row["endTime90k"] = ticks(recording.end(now())).into();
    row["videoSamples"] = (recording.end(now()).since(recording.from).as_secs() * RATE as u64).into();
    row["startId"] = recording.number.into();
    row["runStartId"] = run.into();
    row["openId"] = OPEN.into();
    let fields = row.as_object_mut().unwrap();
    fields.remove("endId");
    fields.insert("firstUncommitted".into(), recording.number.into());
    if recording.to.is_some() {
        fields.remove("firstUncommitted");
        fields.remove("growing");
    }
    row
}

/// `s=1@2` is a whole recording, `s=1@2.90000-` one from its second second on.
async fn view(
    State(server): State<Server>,
    Path((camera, stream)): Path<(String, String)>,
    Query(query): Query_,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = server.refusal(&headers) {
        return refusal;
    }
    let (ids, from) = query["s"].split_once('.').unwrap_or((&query["s"], ""));
    let wanted = |r: &&Recording| ids == format!("{}@{OPEN}", r.number);
    let Some(recording) = server.of(&camera, &stream).into_iter().find(wanted) else {
        return error(StatusCode::NOT_FOUND, "NOT_FOUND: no such recording");
    };
    let bytes = match from.strip_suffix('-') {
        None => std::fs::read(&recording.file).unwrap(),
        Some(from) => {
            let from = recording.from.plus(Duration::from_micros(from.parse::<u64>().unwrap() * 100 / 9));
            part(recording, from, recording.end(from.plus(Duration::from_secs(1))), &[])
        }
    };
    ([(header::ETAG, "\"3f2a\"")], site::video(bytes, &headers)).into_response()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_the_other_stream_has_is_taken_from_there() {
    let bench = bench::<Moonfire>(two_in_a_row(), PASSWORD, "").await;
    let asked = window(later(noon(), 1), 3);
    let exported = export::<Moonfire>(&bench, "2", asked).await.unwrap();
    holds::<Moonfire>(&exported, asked, &[]);
    assert_eq!(exported.manifest.segments[0].name, "sub/3@2");
}

/// A key frame that seems to be the first of a window was taken a frame later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_that_it_takes_too_much_off_loses_none() {
    let bench = bench::<Moonfire>(two_in_a_row(), PASSWORD, "").await;
    let asked = window(later(noon(), 6).minus(FRAME), 3);
    let exported = export::<Moonfire>(&bench, "1", asked).await.unwrap();
    holds::<Moonfire>(&exported, asked, &[]);
    assert_eq!(exported.manifest.uncertainty_ms, Some(100));
}

/// The first recording of a run may turn out to begin earlier for as long as it grows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beginning_that_may_still_move_is_waited_for() {
    let begun = later(now(), -40);
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.record("1", later(begun, -30), 20).record_on("1", begun, 20);
    let bench = bench::<Moonfire>(world, PASSWORD, "").await;
    let before = Window { from: later(begun, -25), to: later(begun, -15) };
    holds::<Moonfire>(&export::<Moonfire>(&bench, "1", before).await.unwrap(), before, &[]);
    for asked in [window(later(begun, 2), 10), window(later(begun, -12), 10)] {
        assert_eq!(export::<Moonfire>(&bench, "1", asked).await.unwrap_err(), Trouble::NotYet);
    }
}
