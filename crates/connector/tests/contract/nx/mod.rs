//! What answers like a server of Nx Witness, by the vendor's public sources (networkoptix/nx_open: `nx_vms_api` for what answers
//! hold, `nx_vms_common/src/transcoding` for files; networkoptix/nx_system_tests for calls) and API reference. No answer of a real
//! server is recorded.

mod media;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use domain::{Timestamp, Window};
use serde_json::{Value, json};

use super::scenarios::{export, holds, later, noon, now, two_in_a_row};
use super::site::Site;
use super::system::{PASSWORD, Served, System, USER, bench};
use super::world::{RATE, World, jpeg, times, window};
use media::Chunk;

pub(crate) struct Nx;

type Query_ = Query<HashMap<String, String>>;

const FRAME: Duration = Duration::from_millis(1_000 / RATE as u64);

/// How versions, and what was recorded, differ.
#[derive(Clone, Copy)]
struct Habits {
    /// A file says when it begins.
    files_tell: bool,
    /// The picture of a time says which one it is.
    pictures_tell: bool,
    /// What is recorded now has no length, and numbers are numbers, where it was -1 and text.
    new_numbers: bool,
    /// Breaks up to that are not listed.
    unlisted: Duration,
}

const NEW: Habits = Habits { files_tell: true, pictures_tell: true, new_numbers: true, unlisted: Duration::ZERO };

#[derive(Clone)]
struct Server {
    world: Arc<World>,
    chunks: Arc<Vec<Chunk>>,
    habits: Habits,
    logins: Arc<AtomicUsize>,
}

impl System for Nx {
    const PRECISION: Duration = Duration::ZERO;
    /// What it holds twice is somewhere in a clip.
    const OVERLAP_PRECISION: Duration = Duration::from_secs(2);

    fn camera(id: &str) -> String {
        format!("6ef014c7-b349-b51f-152f-{id:0>12}")
    }

    async fn serve(world: Arc<World>) -> Served {
        serve(world, NEW).await
    }
}

/// A version before that, whose files do not tell.
struct Older;

impl System for Older {
    const PRECISION: Duration = Duration::ZERO;

    fn camera(id: &str) -> String {
        Nx::camera(id)
    }

    async fn serve(world: Arc<World>) -> Served {
        serve(world, Habits { files_tell: false, new_numbers: false, ..NEW }).await
    }
}

/// One that tells nothing of when a file begins.
struct Silent;

impl System for Silent {
    const PRECISION: Duration = Duration::from_secs(10);

    fn camera(id: &str) -> String {
        Nx::camera(id)
    }

    async fn serve(world: Arc<World>) -> Served {
        serve(world, Habits { files_tell: false, pictures_tell: false, ..NEW }).await
    }
}

/// One whose list shows a break of ten seconds as none.
struct Coarse;

impl System for Coarse {
    const PRECISION: Duration = Duration::from_secs(10);

    fn camera(id: &str) -> String {
        Nx::camera(id)
    }

    async fn serve(world: Arc<World>) -> Served {
        serve(world, Habits { unlisted: Duration::from_secs(10), ..NEW }).await
    }
}

async fn serve(world: Arc<World>, habits: Habits) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let chunks = Arc::new(media::chunks(&world, folder.path()));
    let server = Server { world: Arc::clone(&world), chunks, habits, logins: Arc::default() };
    let routes = Router::new()
        .route("/rest/v2/devices", routing::get(devices))
        .route("/rest/v2/devices/{camera}/footage", routing::get(footage))
        .route("/rest/v2/devices/{camera}/image", routing::get(image))
        .route("/rest/v2/servers/this/info", routing::get(info))
        .route("/media/{file}", routing::get(stream))
        .layer(axum::middleware::from_fn_with_state(server.clone(), signed_in))
        .route("/rest/v2/login/sessions", routing::post(login))
        .with_state(server);
    let site = Site::start(routes, |asked| asked.contains("/media/"), world.ahead_us).await;
    let adapter = format!("kind = \"nx\"\nurl = \"{}\"", site.url);
    Served { adapter, site: Some(site), _keep: Some(folder), held: Arc::default() }
}

fn error(status: StatusCode, number: &str, id: &str) -> Response {
    (status, Json(json!({"error": number, "errorId": id, "errorString": id}))).into_response()
}

/// The first session is ended at once, so that every scenario sees it replaced.
async fn login(State(server): State<Server>, Json(body): Json<Value>) -> Response {
    if body != json!({"username": USER, "password": PASSWORD}) {
        return error(StatusCode::UNAUTHORIZED, "3", "unauthorized");
    }
    let token = format!("vms-{}", server.logins.fetch_add(1, Ordering::SeqCst) + 1);
    Json(json!({"username": USER, "token": token, "ageS": 0, "expiresInS": 2_592_000})).into_response()
}

async fn signed_in(State(server): State<Server>, request: Request, next: Next) -> Response {
    let told = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let holds = server.logins.load(Ordering::SeqCst) > 1 && told == Some("Bearer vms-2");
    if holds { next.run(request).await } else { error(StatusCode::UNAUTHORIZED, "3", "unauthorized") }
}

impl Server {
    /// An id is taken with and without braces.
    fn of(&self, camera: &str) -> impl Iterator<Item = &Chunk> {
        let camera = camera.trim_matches(['{', '}']).to_owned();
        self.chunks.iter().filter(move |chunk| Nx::camera(&chunk.camera) == camera)
    }

    fn knows(&self, camera: &str) -> bool {
        self.world.cameras().any(|(id, _)| Nx::camera(id) == camera)
    }

    fn number(&self, number: i64) -> Value {
        if self.habits.new_numbers { number.into() } else { number.to_string().into() }
    }

    /// `ServerTimePeriod`.
    fn row(&self, from: Timestamp, to: Option<Timestamp>) -> Value {
        let mut row = json!({"serverId": "{11111111-2222-3333-4444-555555555555}"});
        row["startTimeMs"] = self.number(from.as_micros() / 1_000);
        match to {
            Some(to) => row["durationMs"] = self.number((to.as_micros() - from.as_micros()) / 1_000),
            None if self.habits.new_numbers => {}
            None => row["durationMs"] = self.number(-1),
        }
        row
    }
}

/// An I/O module is among them.
async fn devices(State(server): State<Server>) -> Response {
    let row = |id: String, name: &str, kind: &str| json!({"id": format!("{{{id}}}"), "name": name, "deviceType": kind, "status": "Recording"});
    let cameras = server.world.cameras().map(|(id, name)| row(Nx::camera(id), name, "Camera"));
    Json(cameras.chain([row(Nx::camera("900"), "Door", "IOModule")]).collect::<Vec<_>>()).into_response()
}

/// `DeviceFootageRequest`: periods that touch the times, whole. What follows without a break is one.
async fn footage(State(server): State<Server>, Path(camera): Path<String>, Query(query): Query_) -> Response {
    if !server.knows(&camera) {
        return error(StatusCode::NOT_FOUND, "6", "notFound");
    }
    assert_eq!((query["periodType"].as_str(), query["detailLevelMs"].as_str()), ("recording", "1"));
    let number =
        |name: &str, without: i64| query.get(name).map_or(without, |text| text.parse::<i64>().unwrap() * 1_000);
    let (start, end) = (number("startTimeMs", 0), number("endTimeMs", i64::MAX));
    let mut periods: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
    for chunk in server.of(&camera) {
        match periods.last_mut() {
            Some((_, Some(to))) if chunk.from <= to.plus(server.habits.unlisted) => {
                let until = chunk.to.map(|other| other.max(*to));
                periods.last_mut().unwrap().1 = until;
            }
            _ => periods.push((chunk.from, chunk.to)),
        }
    }
    periods.retain(|(from, to)| from.as_micros() <= end && to.is_none_or(|to| to.as_micros() >= start));
    Json(periods.into_iter().map(|(from, to)| server.row(from, to)).collect::<Vec<_>>()).into_response()
}

/// A picture of now, or the key frame before a time.
async fn image(State(server): State<Server>, Path(camera): Path<String>, Query(query): Query_) -> Response {
    let mut answer = ([(header::CONTENT_TYPE, "image/jpeg")], jpeg()).into_response();
    let Some(at) = query.get("timestampUs") else { return answer };
    assert_eq!(
        (query["roundMethod"].as_str(), query["streamSelectionMode"].as_str()),
        ("iFrameBefore", "forcedPrimary")
    );
    let at = Timestamp::from_micros(at.parse().unwrap());
    let Some(shown) = media::key_frame(server.of(&camera), at) else { return StatusCode::NO_CONTENT.into_response() };
    if server.habits.pictures_tell {
        answer.headers_mut().insert("Frame-Timestamp", shown.as_micros().into());
    }
    answer
}

async fn info(State(server): State<Server>) -> Response {
    let ms = jiff::Timestamp::now().as_millisecond() + server.world.ahead_us / 1_000;
    Json(json!({"synchronizedTimeMs": server.number(ms)})).into_response()
}

async fn stream(State(server): State<Server>, Path(file): Path<String>, Query(query): Query_) -> Response {
    let at = |name: &str| Timestamp::from_micros(query[name].parse::<i64>().unwrap() * 1_000);
    assert_eq!(query["stream"], "0");
    let chunks = server.of(file.strip_suffix(".mp4").unwrap());
    match media::file(chunks, at("pos"), at("endPos"), server.habits.files_tell) {
        Some(bytes) => ([(header::CONTENT_TYPE, "video/mp4")], bytes).into_response(),
        None => error(StatusCode::NOT_FOUND, "6", "notFound"),
    }
}

/// In the middle of what goes on, and of what is long past.
async fn a_window_that_begins_between_key_frames<S: System>() {
    let bench = bench::<S>(two_in_a_row(), PASSWORD, "").await;
    let asked = Window { from: noon().plus(Duration::from_millis(15_300)), to: later(noon(), 27) };
    let exported = export::<S>(&bench, "1", asked).await.unwrap();
    holds::<S>(&exported, asked, &[]);
    assert_eq!(exported.manifest.gaps, []);
    let unsure = S::PRECISION.as_millis() as i64;
    assert_eq!(exported.manifest.uncertainty_ms, Some(unsure).filter(|ms| *ms > 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_file_tells_when_it_begins() {
    a_window_that_begins_between_key_frames::<Nx>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_picture_tells_when_it_begins() {
    a_window_that_begins_between_key_frames::<Older>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_tells_when_it_begins() {
    a_window_that_begins_between_key_frames::<Silent>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_in_parts_is_one() {
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.record("1", noon(), 640);
    let bench = bench::<Older>(world, PASSWORD, "").await;
    let asked = Window { from: noon().plus(Duration::from_millis(5_700)), to: later(noon(), 628) };
    let exported = export::<Older>(&bench, "1", asked).await.unwrap();
    holds::<Older>(&exported, asked, &[]);
    let manifest = exported.manifest;
    assert_eq!((manifest.segments.len(), manifest.gaps, manifest.uncertainty_ms), (2, Vec::new(), None));
}

/// The server says when it recorded what it still records, also where the list does so in the way of old.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_recorded_on_is_whole_where_it_is_past() {
    let begun = later(now(), -300);
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.record_on("1", begun, 20);
    let bench = bench::<Older>(world, PASSWORD, "").await;
    let asked = window(later(begun, 2), 10);
    holds::<Older>(&export::<Older>(&bench, "1", asked).await.unwrap(), asked, &[]);
    let past = bench.recorder.coverage(&Nx::camera("1"), window(later(begun, 2), 100)).await.unwrap();
    assert!(past.complete);
    let present = bench.recorder.coverage(&Nx::camera("1"), window(later(begun, 200), 95)).await.unwrap();
    assert!(!present.complete);
}

/// A break that the server closes in a file without a word is somewhere in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_break_that_is_closed_is_told_as_unsure() {
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.record("1", noon(), 20).record("1", later(noon(), 28), 20);
    let bench = bench::<Coarse>(world, PASSWORD, "").await;
    let asked = window(later(noon(), 12), 30);
    let exported = export::<Coarse>(&bench, "1", asked).await.unwrap();
    let shown = times(&exported.path);
    let wanted = (120..420).filter(|tick| !(200..280).contains(tick)).map(|tick| noon().plus(FRAME * tick));
    for tick in wanted {
        assert!(shown.contains(&tick), "{tick} is missing");
    }
    let unsure = exported.manifest.uncertainty_ms.unwrap();
    assert!((8_000..=8_200).contains(&unsure), "{unsure}");
}
