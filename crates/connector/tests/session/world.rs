//! A running connector beside two recordings, and a server that only pretends: it loses leases, breaks connections and forgets.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::{Path as FilePath, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use futures::StreamExt;
use protocol::{ConnectionFile, SourceDescription};
use serde_json::{Value, json};
use sightline_connector::adapter;
use sightline_connector::client::Client;
use sightline_connector::config;
use sightline_connector::held::Holds;
use sightline_connector::recorder::Recorder;
use sightline_connector::{session, spool::Spool};
use tokio_util::sync::CancellationToken;

pub(crate) const KEY: &str = "slc_right";
pub(crate) const TASK: &str = "tsk_01h455vb4pex5vsknk084sn02q";
pub(crate) const ITEM: &str = "itm_01h455vb4pex5vsknk084sn02q";
pub(crate) const UPLOAD: &str = "upl_01h455vb4pex5vsknk084sn02q";

/// What the server was told, and how it misbehaves.
#[derive(Default)]
pub(crate) struct Server {
    pub(crate) key: String,
    pub(crate) tasks: VecDeque<Value>,
    pub(crate) calls: Vec<(String, Value)>,
    pub(crate) upload: Vec<u8>,
    pub(crate) upload_length: usize,
    pub(crate) upload_metadata: String,
    pub(crate) leases_of_patches: Vec<String>,
    pub(crate) offsets_of_patches: Vec<usize>,
    /// How many uploads were announced.
    pub(crate) created: usize,
    /// Each `PATCH` breaks off after so many bytes; the last entry is used up first.
    pub(crate) breaks: Vec<usize>,
    /// So many calls are answered 503.
    pub(crate) down: usize,
    /// After a break there is no answer any more, until the test says otherwise.
    pub(crate) gone_after_break: bool,
    /// From this call about a task on, the lease is lost.
    pub(crate) lost_from: Option<&'static str>,
    pub(crate) lost: bool,
    pub(crate) refuse_deltas: bool,
    pub(crate) thumbnails: HashMap<String, usize>,
    /// The connector is not set up to hold.
    pub(crate) cannot_hold: bool,
    /// What more is kept back.
    pub(crate) exclude: &'static str,
    /// The program that knows the recordings, as `[adapter]` describes it; a folder unless set.
    pub(crate) adapter: Option<String>,
    /// More lines of `[connector]`.
    pub(crate) connector: String,
    /// What the connector's configuration limits.
    pub(crate) limits: &'static str,
    /// Which cameras people see, be it as vanished.
    pub(crate) seen: BTreeSet<String>,
    /// Another one with the same connection file is heard.
    pub(crate) used_twice: bool,
    /// Who called, one for each call.
    pub(crate) instances: Vec<String>,
    /// The last publication that it says it has.
    pub(crate) sequence: Option<i64>,
    /// What its own clock says when it is greeted; the true time unless set.
    pub(crate) clock: Option<&'static str>,
}

pub(crate) type Shared = Arc<Mutex<Server>>;

impl Server {
    pub(crate) fn called(&self, what: &str) -> Vec<Value> {
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
        let instance = request.headers().get(protocol::INSTANCE_HEADER);
        server.instances.extend(instance.and_then(|v| v.to_str().ok()).map(str::to_owned));
        if server.used_twice {
            let body = json!({"code": protocol::USED_TWICE, "detail": "Another one uses this file."});
            return (StatusCode::CONFLICT, Json(body)).into_response();
        }
        if server.down > 0 {
            server.down -= 1;
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    }
    next.run(request).await
}

async fn hello(State(server): State<Shared>, Json(body): Json<Value>) -> Json<Value> {
    let mut server = server.lock().unwrap();
    server.calls.push(("hello".into(), body));
    let clock = server.clock.map_or_else(|| jiff::Timestamp::now().to_string(), str::to_owned);
    Json(json!({
        "version": 1, "connector": {"id": "con_01h455vb4pex5vsknk084sn02q", "name": "Depot"},
        "clock": clock, "heartbeat_seconds": 30, "longest_wait_seconds": 1,
        "thumbnail_seconds": 3600, "sequence": server.sequence,
    }))
}

async fn sources(State(server): State<Shared>, Json(body): Json<Value>) -> Response {
    let mut server = server.lock().unwrap();
    let sequence = body["sequence"].clone();
    let refuse = server.refuse_deltas && !body["base"].is_null();
    let told: protocol::Sources = serde_json::from_value(body.clone()).unwrap();
    server.calls.push(("sources".into(), body));
    if refuse || told.base.is_some_and(|base| Some(base) != server.sequence) {
        return conflict("sequence");
    }
    server.sequence = Some(told.sequence);
    let named: BTreeSet<_> = told.sources.iter().map(|source| source.device_id.clone()).collect();
    server.seen.retain(|id| !told.withdrawn.contains(id));
    let missing: Vec<_> = server.seen.difference(&named).filter(|_| told.base.is_none()).cloned().collect();
    server.seen.extend(named);
    let wrong = |source: &SourceDescription| {
        source.validate().err().map(|why| json!({"device_id": source.device_id, "message": why.to_string()}))
    };
    let refused: Vec<_> = told.sources.iter().filter_map(wrong).collect();
    Json(json!({"sequence": sequence, "refused": refused, "missing": missing})).into_response()
}

async fn thumbnail(State(server): State<Shared>, Path(id): Path<String>, body: bytes::Bytes) -> StatusCode {
    server.lock().unwrap().thumbnails.insert(id, body.len());
    StatusCode::NO_CONTENT
}

async fn lease(State(server): State<Shared>, Json(body): Json<Value>) -> Response {
    let kinds: Vec<String> = serde_json::from_value(body["kinds"].clone()).unwrap();
    server.lock().unwrap().calls.push(("lease".into(), body));
    let fits = |task: &Value| kinds.is_empty() || kinds.iter().any(|kind| task["kind"] == **kind);
    let next = {
        let mut server = server.lock().unwrap();
        let at = server.tasks.iter().position(fits);
        at.and_then(|at| server.tasks.remove(at))
    };
    if let Some(task) = next {
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

pub(crate) struct Running {
    pub(crate) server: Shared,
    pub(crate) url: String,
    pub(crate) stop: CancellationToken,
    pub(crate) task: tokio::task::JoinHandle<()>,
    pub(crate) recordings: tempfile::TempDir,
    pub(crate) state: tempfile::TempDir,
}

impl Running {
    /// Two segments of ten seconds, and a connector that serves them.
    pub(crate) async fn start(set: impl FnOnce(&mut Server)) -> Self {
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

        let (stop, task) = connector(&url, recordings.path(), state.path(), &server.lock().unwrap());
        Self { server, url, stop, task, recordings, state }
    }

    /// Ends the connector where it stands, and starts another one with its state. What the server should do meanwhile is set.
    pub(crate) async fn restart(mut self, set: impl FnOnce(&mut Server)) -> Self {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
        set(&mut self.server.lock().unwrap());
        let started = connector(&self.url, self.recordings.path(), self.state.path(), &self.server.lock().unwrap());
        (self.stop, self.task) = started;
        self
    }

    /// What waits on the connector's disk.
    pub(crate) fn spooled(&self) -> Vec<PathBuf> {
        files(&self.state.path().join("spool"))
    }

    /// What is held on the connector's disk.
    pub(crate) fn held(&self) -> Vec<PathBuf> {
        files(&self.state.path().join("held"))
    }

    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Server) -> bool) {
        for _ in 0..600 {
            if holds(&self.server.lock().unwrap()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what} did not come about: {:?}", self.server.lock().unwrap().calls);
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// A connector that serves these recordings.
fn connector(
    url: &str,
    recordings: &FilePath,
    state: &FilePath,
    set: &Server,
) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let key_file = state.join("hold.key");
    let hold = if set.cannot_hold { String::new() } else { format!("[hold]\nkey_file = {key_file:?}\n") };
    let (more, limits, exclude) = (&set.connector, set.limits, set.exclude);
    let folder = format!(
        "kind = 'folder'\npath = {recordings:?}\npattern = '{{camera}}/%Y-%m-%d_%H-%M-%S.mp4'\nname_precision_ms = 0"
    );
    let adapter = set.adapter.as_ref().unwrap_or(&folder);
    let text = format!(
        "[adapter]\n{adapter}\n[publish]\nexclude = ['secret'{exclude}]\n[connector]\ndiscover_seconds = 1\ntasks = 2\n{more}\n{hold}{limits}"
    );
    let config = config::parse(&text, state).unwrap();
    let recorder = Recorder::new(adapter::open(&config).unwrap(), &config);
    let connector_id = "con_01h455vb4pex5vsknk084sn02q".parse().unwrap();
    let connection =
        ConnectionFile { url: url.to_owned(), connector_id, key: KEY.into(), versions: vec![1], ca_pem: None };
    let client = Client::new(&connection).unwrap();
    let spool = Spool::open(state).unwrap();
    let key = config.hold.as_ref().map(|hold| hold.key_file.clone());
    let holds = Holds::open(state, key.as_deref()).unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(session::run(client, recorder, (spool, holds), config, stop.clone()));
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

pub(crate) fn task(lease: i64, more: Value) -> Value {
    let mut task = json!({"id": TASK, "lease": lease, "lease_seconds": 1});
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    task
}

pub(crate) fn export(lease: i64) -> Value {
    task(
        lease,
        json!({
            "kind": "export", "item_id": ITEM, "device_id": "yard",
            "from": "2026-01-10T10:00:05Z", "to": "2026-01-10T10:00:15Z",
        }),
    )
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    sightline_connector::hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref())
}

/// Types `sightline-connector check` with this configuration, and this path to programs if any; answers whether all is well, and what
/// it says.
pub(crate) async fn check(url: &str, config: &str, path: Option<&FilePath>) -> (bool, String) {
    check_in(url, config, path, &[]).await
}

/// The same with more arguments.
pub(crate) async fn check_in(url: &str, config: &str, path: Option<&FilePath>, more: &[&str]) -> (bool, String) {
    let path = path.map(|path| ("PATH", path.as_os_str()));
    check_with(url, config, path, more).await
}

/// The same with a variable of the environment.
pub(crate) async fn check_with(
    url: &str,
    config: &str,
    variable: Option<(&str, &std::ffi::OsStr)>,
    more: &[&str],
) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let (connection, file) = (folder.path().join("connection.toml"), folder.path().join("connector.toml"));
    let connector_id = "con_01h455vb4pex5vsknk084sn02q".parse().unwrap();
    let told = ConnectionFile { url: url.into(), connector_id, key: KEY.into(), versions: vec![1], ca_pem: None };
    std::fs::write(&connection, told.to_toml()).unwrap();
    std::fs::write(&file, config).unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_sightline-connector"));
    command.envs(variable);
    let out = command
        .arg("check")
        .arg("--connection")
        .arg(connection)
        .arg("--config")
        .arg(file)
        .args(more)
        .output()
        .await
        .unwrap();
    (out.status.success(), String::from_utf8(out.stdout).unwrap())
}
