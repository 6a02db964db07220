//! A running connector against a server that only pretends: it loses leases, breaks connections and forgets.
#![allow(clippy::unwrap_used)]

use std::collections::{HashMap, VecDeque};
use std::path::{Path as FilePath, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use base64::Engine;
use futures::StreamExt;
use protocol::ConnectionFile;
use serde_json::{Value, json};
use sightline_connector::adapter;
use sightline_connector::client::Client;
use sightline_connector::config::Config;
use sightline_connector::recorder::Recorder;
use sightline_connector::{session, spool::Spool};
use tokio_util::sync::CancellationToken;

const KEY: &str = "slc_right";
const TASK: &str = "tsk_01h455vb4pex5vsknk084sn02q";
const ITEM: &str = "itm_01h455vb4pex5vsknk084sn02q";
const UPLOAD: &str = "upl_01h455vb4pex5vsknk084sn02q";

/// What the server was told, and how it misbehaves.
#[derive(Default)]
struct Server {
    key: String,
    tasks: VecDeque<Value>,
    calls: Vec<(String, Value)>,
    upload: Vec<u8>,
    upload_length: usize,
    upload_metadata: String,
    leases_of_patches: Vec<String>,
    offsets_of_patches: Vec<usize>,
    /// How many uploads were announced.
    created: usize,
    /// Each `PATCH` breaks off after so many bytes; the last entry is used up first.
    breaks: Vec<usize>,
    /// So many calls are answered 503.
    down: usize,
    /// After a break there is no answer any more, until the test says otherwise.
    gone_after_break: bool,
    /// From this call about a task on, the lease is lost.
    lost_from: Option<&'static str>,
    lost: bool,
    refuse_deltas: bool,
    thumbnails: HashMap<String, usize>,
}

type Shared = Arc<Mutex<Server>>;

impl Server {
    fn called(&self, what: &str) -> Vec<Value> {
        self.calls.iter().filter(|(name, _)| name == what).map(|(_, body)| body.clone()).collect()
    }
}

fn conflict(code: &str) -> Response {
    (StatusCode::CONFLICT, Json(json!({"code": code, "detail": "Something else holds now."}))).into_response()
}

async fn gate(State(server): State<Shared>, request: Request, next: axum::middleware::Next) -> Response {
    {
        let mut server = server.lock().unwrap();
        let given = request.headers().get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
        if given != format!("Bearer {}", server.key) {
            server.calls.push(("refused".into(), Value::Null));
            return (StatusCode::UNAUTHORIZED, Json(json!({"detail": "wrong key"}))).into_response();
        }
        if server.down > 0 {
            server.down -= 1;
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    }
    next.run(request).await
}

async fn hello(State(server): State<Shared>, Json(body): Json<Value>) -> Json<Value> {
    server.lock().unwrap().calls.push(("hello".into(), body));
    Json(json!({
        "version": 1, "connector": {"id": "con_01h455vb4pex5vsknk084sn02q", "name": "Depot"},
        "clock": jiff::Timestamp::now().to_string(), "heartbeat_seconds": 30, "longest_wait_seconds": 1,
        "thumbnail_seconds": 3600, "sequence": null,
    }))
}

async fn sources(State(server): State<Shared>, Json(body): Json<Value>) -> Response {
    let mut server = server.lock().unwrap();
    let sequence = body["sequence"].clone();
    let refuse = server.refuse_deltas && !body["base"].is_null();
    server.calls.push(("sources".into(), body));
    if refuse { conflict("sequence") } else { Json(json!({"sequence": sequence, "refused": []})).into_response() }
}

async fn thumbnail(State(server): State<Shared>, Path(id): Path<String>, body: bytes::Bytes) -> StatusCode {
    server.lock().unwrap().thumbnails.insert(id, body.len());
    StatusCode::NO_CONTENT
}

async fn lease(State(server): State<Shared>) -> Response {
    if let Some(task) = server.lock().unwrap().tasks.pop_front() {
        return Json(task).into_response();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    StatusCode::NO_CONTENT.into_response()
}

async fn about(
    State(server): State<Shared>,
    Path((_, verb)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Response {
    let mut server = server.lock().unwrap();
    server.lost |= server.lost_from == Some(verb.as_str());
    server.calls.push((verb.clone(), body));
    match verb.as_str() {
        _ if server.lost => conflict("lease_lost"),
        "extend" => Json(json!({"lease_seconds": 1})).into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn create(State(server): State<Shared>, headers: HeaderMap) -> Response {
    let mut server = server.lock().unwrap();
    server.upload.clear();
    server.created += 1;
    server.upload_length = headers["upload-length"].to_str().unwrap().parse().unwrap();
    server.upload_metadata = headers["upload-metadata"].to_str().unwrap().to_owned();
    (StatusCode::CREATED, [("location", format!("/api/v1/uploads/{UPLOAD}"))]).into_response()
}

async fn upload(State(server): State<Shared>, method: Method, headers: HeaderMap, body: Body) -> Response {
    let offset = |server: &Server| [("upload-offset", server.upload.len().to_string())];
    if method == Method::HEAD {
        return (StatusCode::OK, offset(&server.lock().unwrap())).into_response();
    }
    let stop = {
        let mut server = server.lock().unwrap();
        let lease = headers["sightline-lease"].to_str().unwrap().to_owned();
        server.leases_of_patches.push(lease);
        if server.lost {
            return conflict("lease_lost");
        }
        let at: usize = headers["upload-offset"].to_str().unwrap().parse().unwrap();
        if at != server.upload.len() {
            return (StatusCode::CONFLICT, offset(&server)).into_response();
        }
        server.offsets_of_patches.push(at);
        server.breaks.pop()
    };
    let mut arrived = 0;
    let mut parts = body.into_data_stream();
    while let Some(Ok(part)) = parts.next().await {
        arrived += part.len();
        let mut server = server.lock().unwrap();
        server.upload.extend_from_slice(&part);
        if stop.is_some_and(|stop| arrived >= stop) {
            // a server that dies forgets what was not yet on its disk
            let keep = server.upload.len() - part.len() / 2;
            server.upload.truncate(keep);
            if server.gone_after_break {
                server.down = usize::MAX;
            }
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    }
    (StatusCode::NO_CONTENT, offset(&server.lock().unwrap())).into_response()
}

struct Running {
    server: Shared,
    url: String,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    recordings: tempfile::TempDir,
    state: tempfile::TempDir,
}

impl Running {
    /// Two segments of ten seconds, and a connector that serves them.
    async fn start(set: impl FnOnce(&mut Server)) -> Self {
        let (recordings, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(recordings.path().join("yard")).unwrap();
        for second in ["00", "10"] {
            let path = recordings.path().join(format!("yard/2026-01-10_10-00-{second}.mp4"));
            let mut command = Command::new("ffmpeg");
            command.args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10", "-t", "10", "-g", "10"]);
            command.args(["-c:v", "libx264", "-preset", "ultrafast", "-qp", "10", "-pix_fmt", "yuv420p"]).arg(&path);
            assert!(command.status().unwrap().success());
            let file = std::fs::File::options().append(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(600)).unwrap();
        }
        let server = Shared::default();
        server.lock().unwrap().key = KEY.into();
        set(&mut server.lock().unwrap());
        let routes = Router::new()
            .route("/api/v1/connector/hello", routing::post(hello))
            .route("/api/v1/connector/sources", routing::put(sources))
            .route("/api/v1/connector/sources/{id}/thumbnail", routing::put(thumbnail))
            .route("/api/v1/connector/tasks/lease", routing::post(lease))
            .route("/api/v1/connector/tasks/{id}/{verb}", routing::post(about))
            .route("/api/v1/uploads", routing::post(create))
            .route("/api/v1/uploads/{id}", routing::any(upload))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&server), gate))
            .with_state(Arc::clone(&server));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });

        let (stop, task) = connector(&url, recordings.path(), state.path());
        Self { server, url, stop, task, recordings, state }
    }

    /// Ends the connector where it stands, and starts another one with its state. What the server should do meanwhile is set.
    async fn restart(mut self, set: impl FnOnce(&mut Server)) -> Self {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
        set(&mut self.server.lock().unwrap());
        (self.stop, self.task) = connector(&self.url, self.recordings.path(), self.state.path());
        self
    }

    /// What waits on the connector's disk.
    fn spooled(&self) -> Vec<PathBuf> {
        files(&self.state.path().join("spool"))
    }

    async fn until(&self, what: &str, holds: impl Fn(&Server) -> bool) {
        for _ in 0..600 {
            if holds(&self.server.lock().unwrap()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what} did not come about: {:?}", self.server.lock().unwrap().calls);
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// A connector that serves these recordings.
fn connector(url: &str, recordings: &FilePath, state: &FilePath) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let config: Config = toml::from_str(&format!(
        "[adapter]\nkind = 'folder'\npath = {recordings:?}\npattern = '{{camera}}/%Y-%m-%d_%H-%M-%S.mp4'\nname_precision_ms = 0\n\
         [publish]\nexclude = ['secret']\n[connector]\ndiscover_seconds = 1\ntasks = 2\n"
    ))
    .unwrap();
    let recorder = Recorder::new(adapter::open(&config).unwrap(), &config);
    let connector_id = "con_01h455vb4pex5vsknk084sn02q".parse().unwrap();
    let connection =
        ConnectionFile { url: url.to_owned(), connector_id, key: KEY.into(), versions: vec![1], ca_pem: None };
    let client = Client::new(&connection).unwrap();
    let spool = Spool::open(state).unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(session::run(client, recorder, spool, config, stop.clone()));
    (stop, task)
}

/// Every file under a folder.
fn files(folder: &FilePath) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

fn task(lease: i64, more: Value) -> Value {
    let mut task = json!({"id": TASK, "lease": lease, "lease_seconds": 1});
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    task
}

fn export(lease: i64) -> Value {
    task(
        lease,
        json!({
            "kind": "export", "item_id": ITEM, "device_id": "yard",
            "from": "2026-01-10T10:00:05Z", "to": "2026-01-10T10:00:15Z",
        }),
    )
}

fn sha256(bytes: &[u8]) -> String {
    sightline_connector::hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref())
}

#[tokio::test]
async fn it_publishes_exports_uploads_and_completes() {
    let running = Running::start(|server| server.tasks.push_back(export(7))).await;
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    running.until("a thumbnail", |server| server.thumbnails.get("yard").is_some_and(|size| *size > 500)).await;
    let server = Arc::clone(&running.server);
    running.stop().await;
    let server = server.lock().unwrap();
    let published = &server.called("sources")[0];
    assert_eq!(published["base"], Value::Null);
    assert_eq!(published["sources"][0]["device_id"], "yard");
    let complete = &server.called("complete")[0];
    assert_eq!(complete["lease"], 7);
    let result = &complete["result"];
    assert_eq!(result["upload_id"], UPLOAD);
    assert_eq!(result["sha256"], sha256(&server.upload));
    assert_eq!(result["size_bytes"], server.upload_length);
    assert_eq!(result["manifest"]["export"]["sha256"], result["sha256"]);
    assert_eq!(result["manifest"]["first_frame"], "2026-01-10T10:00:05.000Z");
    assert_eq!(server.leases_of_patches, ["7"]);
    let metadata = &server.upload_metadata;
    for (name, value) in [("task_id", TASK), ("lease", "7"), ("filename", "yard_2026-01-10T10-00-05Z_10s.mp4")] {
        let encoded = base64::engine::general_purpose::STANDARD.encode(value);
        assert!(metadata.contains(&format!("{name} {encoded}")), "{metadata}");
    }
}

#[tokio::test]
async fn an_upload_goes_on_where_a_dying_server_left_it() {
    let running = Running::start(|server| {
        server.tasks.push_back(export(1));
        server.breaks = vec![60_000, 1, 90_000];
    })
    .await;
    running.until("the upload", |server| !server.upload.is_empty()).await;
    running.server.lock().unwrap().down = 4;
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    {
        let server = running.server.lock().unwrap();
        assert!(server.leases_of_patches.len() >= 4, "{:?}", server.leases_of_patches);
        assert_eq!(server.upload.len(), server.upload_length);
        assert_eq!(server.called("complete")[0]["result"]["sha256"], sha256(&server.upload));
        assert_eq!(server.called("complete").len(), 1);
    }
    running.stop().await;
}

/// A connector whose upload broke off in the middle, and whose server does not answer any more.
async fn half_sent() -> Running {
    let running = Running::start(|server| {
        server.tasks.push_back(export(1));
        (server.breaks, server.gone_after_break) = (vec![60_000], true);
    })
    .await;
    running.until("half an upload", |server| server.down > 0).await;
    running
}

fn back_again(lease: i64) -> impl FnOnce(&mut Server) {
    move |server| {
        server.down = 0;
        server.tasks.push_back(export(lease));
    }
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart_of_the_connector() {
    let running = half_sent().await;
    let export = running.spooled().into_iter().find(|file| file.extension().is_some_and(|ext| ext == "mp4")).unwrap();
    let on_disk = std::fs::read(export).unwrap();
    // what was exported needs the recorder no more
    std::fs::remove_dir_all(running.recordings.path().join("yard")).unwrap();
    let running = running.restart(back_again(2)).await;
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    {
        let server = running.server.lock().unwrap();
        assert_eq!(server.created, 1, "the same upload goes on");
        assert_eq!(server.leases_of_patches, ["1", "2"]);
        assert!(server.offsets_of_patches[1] > 0, "{:?}", server.offsets_of_patches);
        assert!(server.upload == on_disk, "every byte once");
        let complete = &server.called("complete")[0];
        assert_eq!((&complete["lease"], &complete["result"]["upload_id"]), (&json!(2), &json!(UPLOAD)));
        assert_eq!(complete["result"]["sha256"], sha256(&on_disk));
        assert_eq!(complete["result"]["manifest"]["first_frame"], "2026-01-10T10:00:05.000Z");
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(running.spooled(), Vec::<PathBuf>::new(), "what was completed goes");
    running.stop().await;
}

#[tokio::test]
async fn what_is_told_after_a_restart_is_the_hash_of_what_lies_on_the_disk() {
    let running = half_sent().await;
    let export = running.spooled().into_iter().find(|file| file.extension().is_some_and(|ext| ext == "mp4")).unwrap();
    let mut bytes = std::fs::read(&export).unwrap();
    bytes[1_000] ^= 1; // a part that had been sent
    std::fs::write(export, &bytes).unwrap();
    let running = running.restart(back_again(2)).await;
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    {
        let server = running.server.lock().unwrap();
        let told = server.called("complete")[0]["result"]["sha256"].clone();
        assert_eq!(told, sha256(&bytes));
        assert_ne!(told, sha256(&server.upload), "so that the server finds it");
    }
    running.stop().await;
}

#[tokio::test]
async fn what_does_not_fit_after_a_restart_is_made_anew() {
    let running = half_sent().await;
    let mut other = export(2);
    other["to"] = json!("2026-01-10T10:00:12Z");
    let running = running
        .restart(|server| {
            server.down = 0;
            server.tasks.push_back(other);
        })
        .await;
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    {
        let server = running.server.lock().unwrap();
        assert_eq!((server.created, server.offsets_of_patches.as_slice()), (2, [0, 0].as_slice()));
        assert_eq!(server.called("complete")[0]["result"]["sha256"], sha256(&server.upload));
    }
    running.stop().await;
}

#[tokio::test]
async fn a_lost_lease_leaves_the_export_to_the_next_one() {
    let running = half_sent().await;
    {
        let mut server = running.server.lock().unwrap();
        (server.down, server.lost) = (0, true);
    }
    running.until("the loss", |server| !server.called("extend").is_empty()).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    {
        let mut server = running.server.lock().unwrap();
        assert!(server.called("complete").is_empty());
        server.lost = false;
        server.tasks.push_back(export(2));
    }
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    assert_eq!(running.server.lock().unwrap().created, 1, "the same upload goes on");
    running.stop().await;
}

#[tokio::test]
async fn a_lost_lease_stops_the_work_and_nothing_more_is_said() {
    for lost_from in ["extend", "progress", "complete"] {
        let running = Running::start(|server| {
            server.tasks.push_back(export(3));
            server.lost_from = Some(lost_from);
            server.breaks = if lost_from == "extend" { vec![20_000; 50] } else { Vec::new() };
        })
        .await;
        running.until("the loss", |server| server.lost).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = running.server.lock().unwrap().calls.iter().filter(|(name, _)| name != "sources").count();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        {
            let server = running.server.lock().unwrap();
            let after = server.calls.iter().filter(|(name, _)| name != "sources").count();
            assert_eq!(before, after, "{lost_from}: {:?}", server.calls);
            assert_eq!(server.called("fail"), Vec::<Value>::new());
        }
        // and the next task is done
        {
            let mut server = running.server.lock().unwrap();
            (server.lost, server.lost_from) = (false, None);
            server.breaks.clear();
            server.tasks.push_back(export(4));
        }
        running
            .until("the next try", |server| server.called("complete").iter().any(|complete| complete["lease"] == 4))
            .await;
        running.stop().await;
    }
}

#[tokio::test]
async fn other_tasks_are_answered_too() {
    let window = json!({"from": "2026-01-10T09:00:00Z", "to": "2026-01-10T11:00:00Z"});
    let with = |more: Value| {
        let mut task = task(1, more);
        task.as_object_mut().unwrap().extend(window.as_object().unwrap().clone());
        task
    };
    let running = Running::start(|server| {
        server.tasks.extend([
            with(json!({"kind": "coverage", "device_id": "yard"})),
            with(json!({"kind": "export", "item_id": ITEM, "device_id": "gate"})),
            with(json!({"kind": "export", "item_id": ITEM, "device_id": "secret"})),
            with(json!({"kind": "hold", "item_id": ITEM, "device_id": "yard"})),
            with(json!({"kind": "stream_live", "colour": "blue"})),
            with(json!({"kind": "discover"})),
        ]);
    })
    .await;
    running.until("six answers", |server| server.called("complete").len() + server.called("fail").len() >= 6).await;
    let server = Arc::clone(&running.server);
    running.stop().await;
    let server = server.lock().unwrap();
    let mut failed: Vec<_> =
        server.called("fail").iter().map(|fail| fail["code"].as_str().unwrap().to_owned()).collect();
    failed.sort();
    assert_eq!(failed, ["error", "unavailable", "unsupported", "unsupported"]);
    let spans = server.called("complete").iter().find(|done| done["result"]["kind"] == "coverage").unwrap().clone();
    assert_eq!(
        spans["result"]["spans"],
        json!([{"from": "2026-01-10T10:00:00.000Z", "to": "2026-01-10T10:00:20.000Z"}])
    );
}

#[tokio::test]
async fn a_refused_delta_is_sent_as_the_whole_and_a_wrong_key_changes_nothing() {
    let running = Running::start(|server| server.refuse_deltas = true).await;
    running.until("the first set", |server| !server.called("sources").is_empty()).await;
    let folder = running.recordings.path();
    std::fs::create_dir(folder.join("gate")).unwrap();
    std::fs::copy(folder.join("yard/2026-01-10_10-00-00.mp4"), folder.join("gate/2026-01-10_10-00-00.mp4")).unwrap();
    running
        .until("the whole again", |server| {
            server
                .called("sources")
                .iter()
                .any(|set| set["base"].is_null() && set["sources"].as_array().unwrap().len() == 2)
        })
        .await;
    assert!(running.server.lock().unwrap().called("sources").iter().any(|set| !set["base"].is_null()), "a delta first");
    running.stop().await;

    let running = Running::start(|server| {
        server.key = "slc_of_another_server".into();
        server.tasks.push_back(export(1));
    })
    .await;
    running.until("three tries", |server| server.called("refused").len() >= 3).await;
    assert!(running.server.lock().unwrap().calls.iter().all(|(name, _)| name == "refused"));
    running.server.lock().unwrap().key = KEY.into(); // mended
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    running.stop().await;
}
