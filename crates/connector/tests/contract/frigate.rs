//! What answers like Frigate 0.18; its answers are those of `fixtures/frigate`, with other values. The answer to a login, and how
//! a clip is put together, are of its source (`frigate/api/{auth,media}.py`).

use std::collections::HashMap;
use std::path::{Path as FilePath, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use domain::Timestamp;
use serde_json::{Value, json};

use super::site::Site;
use super::system::{PASSWORD, Served, System, USER};
use super::world::{World, jpeg};

pub(crate) struct Frigate;

type Query_ = Query<HashMap<String, String>>;

/// A row of its database: times in seconds, and the file.
struct Segment {
    camera: String,
    start: f64,
    end: f64,
    file: PathBuf,
}

#[derive(Clone)]
struct Server {
    world: Arc<World>,
    segments: Arc<Vec<Segment>>,
    logins: Arc<AtomicUsize>,
}

impl System for Frigate {
    const PRECISION: Duration = Duration::from_secs(1);
    /// It enters an overlapping segment at the key frame before a whole second, and does not say which one that is: unsure by
    /// the second of its name, the two that overlap, and what the encoder held back.
    const OVERLAP_PRECISION: Duration = Duration::from_millis(3_500);

    async fn serve(world: Arc<World>) -> Served {
        let folder = tempfile::tempdir().unwrap();
        let segments = Arc::new(segments(&world, folder.path()));
        let server = Server { world: Arc::clone(&world), segments, logins: Arc::default() };
        let routes = Router::new()
            .route("/api/login", routing::post(login))
            .route("/api/version", routing::get(|| async { "0.18.0" }))
            .route("/api/config", routing::get(config))
            .route("/api/{camera}/latest.jpg", routing::get(picture))
            .route("/api/{camera}/recordings", routing::get(recordings))
            .route("/api/{camera}/recordings/summary", routing::get(summary))
            .route("/api/{camera}/start/{start}/end/{end}/clip.mp4", routing::get(clip))
            .with_state(server);
        let site = Site::start(routes, |asked| asked.contains("clip.mp4"), world.ahead_us).await;
        let adapter = format!("kind = \"frigate\"\nurl = \"{}\"", site.url);
        Served { adapter, site: Some(site), _keep: Some(folder), held: Arc::default() }
    }
}

/// Ten seconds each, named by the second in which they begin; what is still being recorded is none yet.
fn segments(world: &World, folder: &FilePath) -> Vec<Segment> {
    let mut out = Vec::new();
    for recording in &world.recordings {
        let pattern = folder.join(format!("{}-%03d.mp4", recording.number));
        let list = folder.join(format!("{}.csv", recording.number));
        let done = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&recording.file)
            .args(["-c", "copy", "-f", "segment", "-segment_time", "10", "-reset_timestamps", "1", "-segment_list"])
            .args([&list, &pattern])
            .status();
        assert!(done.unwrap().success());
        for row in std::fs::read_to_string(&list).unwrap().lines() {
            let [name, from, to] = row.split(',').collect::<Vec<_>>()[..] else { panic!("{row}") };
            let (from, to): (f64, f64) = (from.parse().unwrap(), to.parse().unwrap());
            let start = (recording.from.as_micros() as f64 / 1e6 + from).floor();
            out.push(Segment {
                camera: recording.camera.clone(),
                start,
                end: start + (to - from),
                file: folder.join(name),
            });
        }
    }
    out
}

fn recorded(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/frigate/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The first token runs out at once, so that every scenario sees it renewed.
async fn login(State(server): State<Server>, Json(body): Json<Value>) -> Response {
    if body != json!({"user": USER, "password": PASSWORD}) {
        return (StatusCode::UNAUTHORIZED, Json(json!({"message": "Login failed"}))).into_response();
    }
    let token = format!("eyJhbGci.token-{}", server.logins.fetch_add(1, Ordering::SeqCst) + 1);
    ([(header::SET_COOKIE, format!("frigate_token={token}; HttpOnly; Path=/; SameSite=lax"))], "").into_response()
}

impl Server {
    /// Its gate, which stands before all else; an error is a page of nginx.
    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        let told = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let page = || axum::response::Html("<html><head><title>401 Authorization Required</title></head></html>");
        let holds = self.logins.load(Ordering::SeqCst) > 1 && told == Some("Bearer eyJhbGci.token-2");
        (!holds).then(|| (StatusCode::UNAUTHORIZED, page()).into_response())
    }

    fn of<'a>(&'a self, camera: &'a str) -> impl Iterator<Item = &'a Segment> {
        self.segments.iter().filter(move |segment| segment.camera == camera)
    }
}

async fn config(State(server): State<Server>, headers: HeaderMap) -> Response {
    if let Some(refusal) = server.refusal(&headers) {
        return refusal;
    }
    let mut answer = recorded("config-excerpt");
    let like = answer["cameras"]["cam1"].clone();
    let row = |(id, name): &(String, String)| {
        let mut row = like.clone();
        row["name"] = id.as_str().into();
        row["friendly_name"] = name.as_str().into();
        (id.clone(), row)
    };
    answer["cameras"] = Value::Object(server.world.cameras().map(row).collect());
    Json(answer).into_response()
}

async fn picture(State(server): State<Server>, headers: HeaderMap) -> Response {
    server.refusal(&headers).unwrap_or_else(|| ([(header::CONTENT_TYPE, "image/jpeg")], jpeg()).into_response())
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"success": false, "message": "Camera not found"}))).into_response()
}

async fn recordings(
    State(server): State<Server>,
    Path(camera): Path<String>,
    Query(query): Query_,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = server.refusal(&headers) {
        return refusal;
    }
    if !server.world.cameras().any(|(id, _)| *id == camera) {
        return not_found();
    }
    let (after, before): (f64, f64) = (query["after"].parse().unwrap(), query["before"].parse().unwrap());
    let like = recorded("recordings")[0].clone();
    let row = |segment: &Segment| {
        let mut row = like.clone();
        row["id"] = format!("{:.1}-2ttjxi", segment.start).into();
        row["start_time"] = segment.start.into();
        row["end_time"] = segment.end.into();
        row["duration"] = (segment.end - segment.start).into();
        row
    };
    let found = server.of(&camera).filter(|segment| segment.end >= after && segment.start <= before);
    Json(found.map(row).collect::<Vec<_>>()).into_response()
}

/// The days with their hours, the newest first.
async fn summary(State(server): State<Server>, Path(camera): Path<String>, headers: HeaderMap) -> Response {
    if let Some(refusal) = server.refusal(&headers) {
        return refusal;
    }
    if !server.world.cameras().any(|(id, _)| *id == camera) {
        return not_found();
    }
    let like = recorded("recordings-summary")[0].clone();
    let mut days: Vec<Value> = Vec::new();
    for segment in server.of(&camera).collect::<Vec<_>>().into_iter().rev() {
        let at = Timestamp::from_micros((segment.start * 1e6) as i64).to_jiff().unwrap();
        let (day, hour) = (at.strftime("%Y-%m-%d").to_string(), at.strftime("%H").to_string());
        if days.last().is_none_or(|last| last["day"] != day) {
            days.push(json!({"day": day, "events": 0, "hours": []}));
        }
        let hours = days.last_mut().unwrap()["hours"].as_array_mut().unwrap();
        if hours.last().is_none_or(|last| last["hour"] != hour) {
            let mut row = like["hours"][0].clone();
            row["hour"] = hour.into();
            hours.push(row);
        }
    }
    Json(days).into_response()
}

/// Joins what touches the range, entering the first and leaving the last at whole seconds, as `recording_clip` does.
async fn clip(
    State(server): State<Server>,
    Path((camera, start, end)): Path<(String, f64, f64)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = server.refusal(&headers) {
        return refusal;
    }
    let between = |at: f64| start <= at && at <= end;
    let mut list = String::new();
    for segment in server.of(&camera) {
        if !(between(segment.start) || between(segment.end) || start > segment.start && end < segment.end) {
            continue;
        }
        list += &format!("file '{}'\n", segment.file.display());
        if segment.start < start {
            list += &format!("inpoint {}\n", (start - segment.start) as i64);
        }
        if segment.end > end {
            list += &format!("outpoint {}\n", (end - segment.start) as i64);
        }
    }
    if list.is_empty() {
        return (StatusCode::BAD_REQUEST, Json(recorded("clip-none-400"))).into_response();
    }
    let playlist = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(playlist.path(), list).unwrap();
    let joined = Command::new("ffmpeg")
        .args(["-v", "error", "-protocol_whitelist", "pipe,file", "-f", "concat", "-safe", "0", "-i"])
        .arg(playlist.path())
        .args(["-c", "copy", "-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "pipe:"])
        .output()
        .unwrap();
    ([(header::CONTENT_TYPE, "video/mp4")], joined.stdout).into_response()
}
