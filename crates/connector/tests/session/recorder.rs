//! A small ZoneMinder with one camera and one event, which may be off, be starting or refuse.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Form, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use serde_json::{Value, json};

/// What it is like.
#[derive(Default)]
pub(crate) struct Recorder {
    /// All calls are answered so.
    pub(crate) answers: Option<u16>,
    /// Whoever asks for the video is answered so.
    pub(crate) video_answers: Option<u16>,
    /// It has no camera.
    pub(crate) empty: bool,
    /// Its one event, if it has one.
    pub(crate) event: Event,
    /// What it hands out.
    pub(crate) video: PathBuf,
    /// It hands that out a byte at a time.
    pub(crate) trickles: bool,
    /// The calls that were made.
    pub(crate) calls: Vec<String>,
}

/// An event, as the API tells it.
pub(crate) struct Event {
    pub(crate) there: bool,
    pub(crate) archived: bool,
    pub(crate) notes: String,
    /// Whether the account may change it.
    pub(crate) fixed: bool,
    /// The name of its video; empty where it was kept as pictures.
    pub(crate) file: String,
}

impl Default for Event {
    fn default() -> Self {
        Self { there: true, archived: false, notes: String::new(), fixed: false, file: "1-video.mp4".into() }
    }
}

pub(crate) type Shared = Arc<Mutex<Recorder>>;

/// An address at which nobody answers yet.
pub(crate) fn address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap()
}

/// The `[adapter]` that asks it.
pub(crate) fn adapter(at: SocketAddr) -> String {
    format!("kind = 'zoneminder'\nurl = 'http://{at}/'\nanswer_seconds = 2")
}

/// It is switched on, with this video of twenty seconds from 2026-01-10T10:00:00Z on.
pub(crate) async fn switched_on(at: SocketAddr, video: PathBuf) -> Shared {
    let recorder = Shared::new(Mutex::new(Recorder { video, ..Recorder::default() }));
    let routes = Router::new()
        .route("/api/monitors.json", routing::get(monitors))
        .route("/api/host/getTimeZone.json", routing::get(async || Json(json!({"tz": "UTC"}))))
        .route("/api/host/getVersion.json", routing::get(async || Json(json!({}))))
        .route("/api/events/{id}", routing::get(one).put(change))
        .route("/api/events/index/{*which}", routing::get(events))
        .route("/index.php", routing::get(video_of))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&recorder), gate))
        .with_state(Arc::clone(&recorder));
    let listener = tokio::net::TcpListener::bind(at).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    recorder
}

async fn gate(State(recorder): State<Shared>, request: Request, next: axum::middleware::Next) -> Response {
    let answers = {
        let mut recorder = recorder.lock().unwrap();
        recorder.calls.push(format!("{} {}", request.method(), request.uri().path()));
        recorder.answers
    };
    match answers {
        Some(status) => StatusCode::from_u16(status).unwrap().into_response(),
        None => next.run(request).await,
    }
}

async fn monitors(State(recorder): State<Shared>) -> Json<Value> {
    let recorder = recorder.lock().unwrap();
    let writer = if recorder.event.file.is_empty() { 0 } else { 2 };
    let yard = json!({"Monitor": {"Id": "yard", "Name": "Yard", "VideoWriter": writer}});
    let listed = if recorder.empty { Vec::new() } else { vec![yard] };
    Json(json!({"monitors": listed}))
}

fn told(event: &Event) -> Value {
    json!({"Event": {
        "Id": "1", "StartDateTime": "2026-01-10 10:00:00", "EndDateTime": "2026-01-10 10:00:20", "Length": "20.00",
        "Archived": if event.archived { "1" } else { "0" }, "Notes": event.notes, "DefaultVideo": event.file,
    }})
}

async fn events(State(recorder): State<Shared>) -> Json<Value> {
    let recorder = recorder.lock().unwrap();
    let there = recorder.event.there && !recorder.empty;
    Json(json!({"events": there.then(|| told(&recorder.event)).into_iter().collect::<Vec<_>>()}))
}

async fn one(State(recorder): State<Shared>, Path(_): Path<String>) -> Response {
    let recorder = recorder.lock().unwrap();
    match recorder.event.there {
        true => Json(json!({"event": told(&recorder.event)})).into_response(),
        false => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn change(State(recorder): State<Shared>, Form(form): Form<Vec<(String, String)>>) -> StatusCode {
    let event = &mut recorder.lock().unwrap().event;
    if event.fixed {
        return StatusCode::UNAUTHORIZED;
    }
    for (field, value) in form {
        match field.as_str() {
            "Event[Archived]" => event.archived = value == "1",
            "Event[Notes]" => event.notes = value,
            other => panic!("{other}"),
        }
    }
    StatusCode::OK
}

async fn video_of(State(recorder): State<Shared>) -> Response {
    let (path, trickles, answers) = {
        let recorder = recorder.lock().unwrap();
        (recorder.video.clone(), recorder.trickles, recorder.video_answers)
    };
    if let Some(status) = answers {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let video = std::fs::read(path).unwrap();
    if !trickles {
        return video.into_response();
    }
    let byte = async |mut left: std::vec::IntoIter<u8>| {
        tokio::time::sleep(Duration::from_millis(200)).await;
        Some((Ok::<_, std::io::Error>(vec![left.next()?]), left))
    };
    axum::body::Body::from_stream(futures::stream::unfold(video.into_iter(), byte)).into_response()
}
