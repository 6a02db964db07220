//! What answers like MediaMTX, by the rules of its source (bluenviron/mediamtx at 3e09466: `internal/playback/*.go`,
//! `internal/recordstore/segment.go`, `internal/api/api_{paths,recordings}.go`); its answers are those of its tests, with other
//! values. Its two servers are two paths of one.

mod fmp4;
mod playback;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use base64::Engine;
use domain::Timestamp;
use serde_json::{Value, json};

use super::site::Site;
use super::system::{PASSWORD, Served, System, USER};
use super::world::World;
use fmp4::{Muxer, SCALE, Track};

pub(crate) struct MediaMtx;

type Query_ = Query<HashMap<String, String>>;

/// A file of it. Its `recordPath` has `%f` and `%z`.
struct Segment {
    path: String,
    start: Timestamp,
    /// None where the file cannot be read.
    track: Option<Track>,
    /// Whether it is closed, and its head says how long it is: in milliseconds.
    closed: bool,
    /// What follows without a break is of the same stream, counts on, and knows how much of it came before, in ticks.
    stream: i64,
    number: i64,
    before: i64,
}

/// What happens with a MediaMTX.
#[derive(Clone, Copy, Default)]
struct Habits {
    /// The number of the recording whose file is empty, as after a power cut.
    damaged: Option<i64>,
    /// How much earlier everything is dated than it came, as where the camera's clock is slow.
    behind: Duration,
    /// So long before its first picture a segment begins with sound, which is not in the simulator's files.
    sound: Duration,
}

struct Server {
    world: Arc<World>,
    segments: Vec<Segment>,
}

impl System for MediaMtx {
    const PRECISION: Duration = Duration::ZERO;

    const BEHIND: Duration = Duration::from_secs(6);

    async fn serve(world: Arc<World>) -> Served {
        serve(world, Habits::default()).await
    }
}

async fn serve(world: Arc<World>, habits: Habits) -> Served {
    let segments = segments(&world, habits);
    let server = Arc::new(Server { world: Arc::clone(&world), segments });
    let playback = Router::new().route("/list", routing::get(list)).route("/get", routing::get(get));
    let routes = Router::new()
        .route("/v3/paths/list", routing::get(paths))
        .route("/v3/recordings/list", routing::get(recorded))
        .route("/v3/recordings/get/{*name}", routing::get(recordings))
        .nest("/playback", playback)
        .with_state(server)
        .layer(axum::middleware::from_fn(signed_in));
    let site = Site::start(routes, |asked| asked.contains("/get?"), world.ahead_us).await;
    let adapter = format!("kind = \"mediamtx\"\nurl = \"{0}\"\nplayback_url = \"{0}/playback\"", site.url);
    Served { adapter, site: Some(site), _keep: None, held: Arc::default() }
}

fn segments(world: &World, habits: Habits) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    // of each camera, when its last segment ended
    let mut last: HashMap<&str, (Timestamp, usize)> = HashMap::new();
    for recording in &world.recordings {
        let before = last.get(recording.camera.as_str()).filter(|(ended, _)| *ended == recording.from);
        let before = before.map(|(_, index)| &out[*index]);
        let pictures = |segment: &Segment| segment.track.as_ref().map_or(0, Track::pictures);
        let segment = Segment {
            path: recording.camera.clone(),
            start: recording.from.minus(habits.behind + habits.sound),
            track: Some(Track::of(&recording.file, habits.sound)),
            closed: recording.to.is_some(),
            stream: before.map_or(recording.number, |before| before.stream),
            number: before.map_or(0, |before| before.number + 1),
            before: before.map_or(0, |before| before.before + pictures(before)),
        };
        if let Some(to) = recording.to {
            last.insert(&recording.camera, (to, out.len()));
        }
        out.push(segment);
    }
    if let Some(damaged) = habits.damaged.and_then(|number| out.get_mut(number as usize - 1)) {
        damaged.track = None;
    }
    out
}

fn error(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"status": "error", "error": text}))).into_response()
}

/// Who brings nothing is asked for it; who brings the wrong is not.
async fn signed_in(request: Request, next: Next) -> Response {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let told = request.headers().get(header::AUTHORIZATION).map(|told| told.to_str().unwrap().to_owned());
    let refused = || error(StatusCode::UNAUTHORIZED, "authentication error");
    match told {
        None => ([(header::WWW_AUTHENTICATE, "Basic realm=\"mediamtx\"")], refused()).into_response(),
        Some(told) if told == format!("Basic {pair}") => next.run(request).await,
        Some(_) => refused(),
    }
}

/// A time as Go writes it, in the zone of the machine.
fn told(server: &Server, at: Timestamp) -> String {
    let at = at.to_jiff().unwrap().in_tz(server.world.zone).unwrap();
    let zone = if at.offset().is_zero() { "Z".to_owned() } else { at.strftime("%:z").to_string() };
    format!("{}{zone}", at.strftime("%Y-%m-%dT%H:%M:%S%.f"))
}

/// `paginate`.
fn page(items: Vec<Value>, query: &HashMap<String, String>) -> Response {
    let asked = |name: &str, else_: usize| query.get(name).map_or(else_, |text| text.parse().unwrap());
    let (long, page) = (asked("itemsPerPage", 100), asked("page", 0));
    let (count, pages) = (items.len(), items.len().div_ceil(long));
    let items: Vec<_> = items.into_iter().skip(long * page).take(long).collect();
    Json(json!({"itemCount": count, "pageCount": pages, "items": items})).into_response()
}

/// Each camera of the world is configured by its name; somebody asks for one that is not there.
async fn paths(State(server): State<Arc<Server>>, Query(query): Query_) -> Response {
    let row = |name: &str, conf_name: &str, there: bool| {
        json!({"name": name, "confName": conf_name, "ready": there, "readyTime": null, "available": there,
            "availableTime": null, "online": there, "onlineTime": null, "source": null, "tracks": [], "tracks2": [],
            "readers": [], "inboundBytes": 0, "outboundBytes": 0, "inboundFramesInError": 0})
    };
    let cameras = server.world.cameras().map(|(id, _)| row(id, id, true));
    page(cameras.chain([row("nowhere", "all_others", false)]).collect(), &query)
}

fn recordings_of(server: &Server, path: &str) -> Value {
    let starts = server.of(path).into_iter().map(|segment| json!({"start": told(server, segment.start)}));
    json!({"name": path, "segments": starts.collect::<Vec<_>>()})
}

async fn recorded(State(server): State<Arc<Server>>, Query(query): Query_) -> Response {
    let names: BTreeSet<&str> = server.segments.iter().map(|segment| segment.path.as_str()).collect();
    let configured = |name: &&str| server.world.cameras().any(|(id, _)| id == name);
    page(names.into_iter().filter(configured).map(|name| recordings_of(&server, name)).collect(), &query)
}

async fn recordings(State(server): State<Arc<Server>>, Path(name): Path<String>) -> Response {
    if !server.world.cameras().any(|(id, _)| *id == name) {
        return error(StatusCode::BAD_REQUEST, &format!("path '{name}' is not configured"));
    }
    Json(recordings_of(&server, &name)).into_response()
}

/// `segmentFMP4CanBeConcatenated`: the next of the same stream.
fn goes_on(before: &Segment, next: &Segment) -> bool {
    before.stream == next.stream && before.number + 1 == next.number
}

impl Server {
    fn of(&self, path: &str) -> Vec<&Segment> {
        let mut own: Vec<_> = self.segments.iter().filter(|segment| segment.path == path).collect();
        own.sort_by_key(|segment| segment.start);
        own
    }

    /// `FindSegments`.
    fn find(&self, path: &str, start: Option<Timestamp>, end: Option<Timestamp>) -> Vec<&Segment> {
        let mut found = self.of(path);
        found.retain(|segment| end.is_none_or(|end| segment.start <= end));
        let begun = start.map_or(0, |start| found.partition_point(|segment| segment.start <= start));
        found.split_off(begun.saturating_sub(1))
    }
}

impl Segment {
    /// In microseconds: of a closed one by its head.
    fn long_us(&self) -> Option<i64> {
        let long = self.track.as_ref()?.duration() * 1_000_000 / SCALE;
        Some(if self.closed { long / 1_000 * 1_000 } else { long })
    }
}

fn later_us(at: Timestamp, us: i64) -> Timestamp {
    Timestamp::from_micros(at.as_micros() + us)
}

const NONE: &str = "no recording segments found";

async fn list(State(server): State<Arc<Server>>, Query(query): Query_) -> Response {
    let [start, end] = ["start", "end"].map(|name| query.get(name).map(|text| text.parse::<Timestamp>().unwrap()));
    let found = server.find(&query["path"], start, end);
    // start and end of each run
    let mut entries: Vec<(Timestamp, Timestamp)> = Vec::new();
    let mut before: Option<&Segment> = None;
    for segment in found {
        let Some(long) = segment.long_us() else { return error(StatusCode::INTERNAL_SERVER_ERROR, "EOF") };
        let ends = later_us(segment.start, long);
        match (entries.last_mut(), before) {
            (Some(last), Some(before)) if goes_on(before, segment) => last.1 = ends,
            _ => entries.push((segment.start, ends)),
        }
        before = Some(segment);
    }
    if let (Some(start), Some(first)) = (start, entries.first_mut()) {
        if first.1 < start {
            entries.remove(0);
        } else {
            first.0 = first.0.max(start);
        }
    }
    if let (Some(end), Some(last)) = (end, entries.last_mut()) {
        last.1 = last.1.min(end);
    }
    if entries.is_empty() {
        return error(StatusCode::NOT_FOUND, NONE);
    }
    let row = |(start, end): &(Timestamp, Timestamp)| {
        let long = end.since(*start).as_secs_f64();
        let url = format!("http://192.0.2.7:9996/get?duration={long}&path={}", query["path"]);
        json!({"start": told(&server, *start), "duration": long, "url": url})
    };
    Json(entries.iter().map(row).collect::<Vec<_>>()).into_response()
}

async fn get(State(server): State<Arc<Server>>, Query(query): Query_) -> Response {
    assert_eq!(query["format"], "fmp4");
    let start: Timestamp = query["start"].parse().unwrap();
    let duration: f64 = query["duration"].parse().unwrap();
    let (mut muxer, until) = (Muxer::default(), (duration * SCALE as f64) as i64);
    let found = server.find(&query["path"], Some(start), Some(start.plus(Duration::from_secs_f64(duration))));
    let Some(first) = found.first() else { return error(StatusCode::NOT_FOUND, NONE) };
    let begins = (first.start.as_micros() - start.as_micros()) * SCALE / 1_000_000;
    let mut before: Option<&Segment> = None;
    for segment in &found {
        let Some(track) = &segment.track else { break };
        if before.is_some_and(|before| !goes_on(before, segment)) {
            break;
        }
        muxer.take(track, begins + segment.before - first.before, until);
        before = Some(segment);
    }
    if before.is_none() {
        return error(StatusCode::BAD_REQUEST, "EOF");
    }
    let plain = [(header::ACCEPT_RANGES, "none"), (header::CONTENT_TYPE, "video/mp4")];
    muxer.file().map_or_else(|| error(StatusCode::NOT_FOUND, NONE), |file| (plain, file).into_response())
}
