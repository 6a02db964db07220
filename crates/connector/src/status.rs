//! What the connector is doing, for whoever stands beside the machine: a page and the same as JSON, on a loopback address alone.
//! Nothing can be changed by it, and no secret is in it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::{Json, Router, routing};
use domain::id::TaskId;
use domain::{Timestamp, Window};
use protocol::{Phase, ProblemReport, TaskPayload};
use serde::Serialize;

use crate::adapter;
use crate::client::CallError;
use crate::clock;
use crate::session::Shared;

/// How far a task is.
pub type Told = Mutex<Stage>;

/// What is done about a task, how many bytes of how many are done, and why it waits where the phase does not say so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Stage {
    pub phase: Phase,
    pub done: u64,
    pub total: Option<u64>,
    pub note: Option<String>,
}

impl Stage {
    /// A phase that needs no words.
    pub fn new(phase: Phase, done: u64, total: Option<u64>) -> Self {
        Self { phase, done, total, note: None }
    }
}

/// What was seen last.
#[derive(Debug, Default)]
pub struct Status {
    seen: Mutex<Seen>,
    tasks: Mutex<BTreeMap<TaskId, (About, Arc<Told>)>>,
}

#[derive(Debug, Default, Clone)]
struct Seen {
    heard: Option<Timestamp>,
    trouble: Option<String>,
    cameras: Option<usize>,
    problem: Option<ProblemReport>,
    unpublished: Option<ProblemReport>,
}

/// What a task is about.
#[derive(Debug, Clone, Serialize)]
pub struct About {
    kind: &'static str,
    device_id: Option<String>,
    window: Option<Window>,
}

impl About {
    /// What is asked for.
    pub fn of(payload: &TaskPayload) -> Self {
        let (device_id, window) = payload.about();
        Self { kind: payload.kind(), device_id: device_id.map(str::to_owned), window }
    }
}

impl Status {
    /// The server answered.
    pub fn heard(&self) {
        let mut seen = self.seen.lock().expect("no panic while held");
        (seen.heard, seen.trouble) = (Some(clock::own()), None);
    }

    /// The server did not.
    pub fn troubled(&self, why: &impl ToString) {
        self.seen.lock().expect("no panic while held").trouble = Some(why.to_string());
    }

    /// What is wrong beside the recorder, if anything.
    pub fn discovered(&self, problem: Option<ProblemReport>) {
        self.seen.lock().expect("no panic while held").problem = problem;
    }

    /// The server has taken over so many cameras.
    pub fn published(&self, cameras: usize) {
        let mut seen = self.seen.lock().expect("no panic while held");
        (seen.cameras, seen.unpublished) = (Some(cameras), None);
    }

    /// It did not take over any; that it was not heard is told elsewhere.
    pub fn unpublished(&self, error: &CallError) {
        let text = format!("The cameras could not be published: {error}.");
        let what_to_do = "It is tried again by itself.".to_owned();
        let report = (!error.may_repeat()).then_some(ProblemReport { text, what_to_do });
        self.seen.lock().expect("no panic while held").unpublished = report;
    }

    /// A task is worked on until what is answered is dropped.
    pub fn works_on(&self, id: &TaskId, about: About, told: Arc<Told>) -> Working<'_> {
        self.tasks.lock().expect("no panic while held").insert(id.clone(), (about, told));
        Working { status: self, id: id.clone() }
    }
}

/// See [`Status::works_on`].
#[derive(Debug)]
pub struct Working<'a> {
    status: &'a Status,
    id: TaskId,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.status.tasks.lock().expect("no panic while held").remove(&self.id);
    }
}

/// All of it at one moment.
#[derive(Serialize)]
struct Now {
    version: &'static str,
    server: String,
    last_heard: Option<Timestamp>,
    trouble: Option<String>,
    adapter: &'static str,
    cameras: Option<usize>,
    problem: Option<ProblemReport>,
    tasks: Vec<Task>,
    held: usize,
}

#[derive(Serialize)]
struct Task {
    id: TaskId,
    #[serde(flatten)]
    about: About,
    phase: Phase,
    bytes_done: u64,
    bytes_total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

fn now(shared: &Shared) -> Now {
    let Seen { heard, trouble, cameras, problem, unpublished } =
        shared.status.seen.lock().expect("no panic while held").clone();
    let tasks = shared.status.tasks.lock().expect("no panic while held").clone();
    let task = |(id, (about, told)): (TaskId, (About, Arc<Told>))| {
        let Stage { phase, done, total, note } = told.lock().expect("no panic while held").clone();
        Task { id, about, phase, bytes_done: done, bytes_total: total, note }
    };
    Now {
        version: env!("CARGO_PKG_VERSION"),
        server: shared.client.server().to_owned(),
        last_heard: heard,
        trouble,
        adapter: shared.recorder.kind(),
        cameras,
        problem: adapter::both(problem, unpublished),
        tasks: tasks.into_iter().map(task).collect(),
        held: shared.holds.items().len(),
    }
}

/// Serves it until it is dropped. An address that cannot be had is told, and costs nothing else.
pub async fn serve(shared: Arc<Shared>) {
    let Some(address) = shared.config.connector.status else { return };
    let routes = Router::new()
        .route("/", routing::get(async |State(shared): State<Arc<Shared>>| Html(page(&now(&shared)))))
        .route("/status.json", routing::get(async |State(shared): State<Arc<Shared>>| Json(now(&shared))))
        .layer(middleware::from_fn(move |request, next| from_here(address, request, next)))
        .with_state(shared);
    match tokio::net::TcpListener::bind(address).await {
        Ok(listener) => {
            tracing::info!(%address, "status page");
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::warn!(%error, "the status page ended");
            }
        }
        Err(error) => tracing::warn!(%address, %error, "there is no status page"),
    }
}

/// A page of somewhere else may have its name lead here: what is asked for by another name is not answered.
async fn from_here(address: SocketAddr, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if host != address.to_string() && host != format!("localhost:{}", address.port()) {
        return (StatusCode::MISDIRECTED_REQUEST, "This page is only for this machine.\n").into_response();
    }
    let mut answer = next.run(request).await;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    for (name, value) in [(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")] {
        answer.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    answer
}

const HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
    <meta http-equiv=refresh content=5><title>Sightline connector</title><style>:root{color-scheme:light dark}\
    body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
    dt{font-weight:600;margin-top:.75rem}dd{margin:0}.bad{color:light-dark(#a11,#f88)}</style><h1>Sightline connector</h1><dl>";

fn page(now: &Now) -> String {
    let mut page = HEAD.to_owned();
    let mut row = |what: &str, class: &str, text: &str| {
        let _ = write!(page, "<dt>{what}<dd class='{class}'>{}", escaped(text));
    };
    row("Server", "", &now.server);
    match (&now.trouble, now.last_heard) {
        (Some(trouble), heard) => {
            let last = heard.map_or("never heard of".to_owned(), |at| format!("last heard of {}", shown(at)));
            row("Connection", "bad", &format!("{trouble} ({last})"));
        }
        (None, Some(at)) => row("Connection", "", &format!("last heard of {}", shown(at))),
        (None, None) => row("Connection", "", "not yet"),
    }
    row("Video system", "", now.adapter);
    row("Cameras published", "", &now.cameras.map_or("none yet".to_owned(), |cameras| cameras.to_string()));
    if let Some(problem) = &now.problem {
        row("Problem", "bad", &format!("{} {}", problem.text, problem.what_to_do));
    }
    for task in &now.tasks {
        row("Task", "", &task.in_words());
    }
    if now.tasks.is_empty() {
        row("Tasks", "", "none");
    }
    row("Held", "", &now.held.to_string());
    row("Version", "", now.version);
    page + "</dl></html>\n"
}

impl Task {
    fn in_words(&self) -> String {
        let About { kind, device_id, window } = &self.about;
        let mut words = (*kind).to_owned();
        if let Some(device_id) = device_id {
            let _ = write!(words, " of {device_id}");
        }
        if let Some(Window { from, to }) = window {
            let _ = write!(words, ", {} to {}", shown(*from), shown(*to));
        }
        let _ = write!(words, ": {}", self.phase.as_str().replace('_', " "));
        if let Some(note) = &self.note {
            let _ = write!(words, ". {note}");
        }
        if self.bytes_done > 0 {
            let _ = write!(words, ", {}", megabytes(self.bytes_done));
        }
        if let Some(total) = self.bytes_total {
            let guessed = if self.phase == Phase::Exporting { "about " } else { "" };
            let _ = write!(words, " of {guessed}{}", megabytes(total));
        }
        words
    }
}

/// In the time zone of this machine.
fn shown(at: Timestamp) -> String {
    let zoned = at.to_jiff().map(|at| at.to_zoned(jiff::tz::TimeZone::system()));
    zoned.map_or_else(|| at.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%S %Z").to_string())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
