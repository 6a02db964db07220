//! Lists that come in pages, of systems that always have one more.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Json, Router, routing};
use serde_json::json;
use sightline_connector::adapter::{self, Trouble};
use sightline_connector::config;
use sightline_connector::growth::Fetched;
use sightline_connector::recorder::Recorder;

use super::scenarios::noon;
use super::world::window;

/// No list is longer, however many pages it has.
const LONGEST: usize = 32 << 20;

/// So many bytes were sent.
type Sent = Arc<AtomicUsize>;

/// A recorder whose web server counts what it sends.
async fn recorder(adapter: &str, routes: Router<Sent>) -> (Recorder, Sent) {
    let sent = Sent::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = routes.with_state(Arc::clone(&sent));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let folder = tempfile::tempdir().unwrap();
    let config = config::parse(&format!("[adapter]\n{}\n", adapter.replace("URL", &url)), folder.path()).unwrap();
    (Recorder::new(adapter::open(&config).unwrap(), &config), sent)
}

fn counted(sent: &Sent, body: String) -> String {
    sent.fetch_add(body.len(), Ordering::SeqCst);
    body
}

fn ends_in_time(sent: &Sent, page: usize) {
    let sent = sent.load(Ordering::SeqCst);
    assert!((LONGEST - page..LONGEST + 2 * page).contains(&sent), "{sent} bytes were taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zoneminder_that_always_has_more_events() {
    const PAGE: usize = 100 * 10_000;
    let events = |State(sent): State<Sent>, Query(query): Query<HashMap<String, String>>| async move {
        let first = query["page"].parse::<usize>().unwrap() * 100;
        let event = |id: usize| {
            json!({"Event": {
                "Id": id, "StartDateTime": "2026-01-10 12:00:05", "EndDateTime": "x".repeat(10_000), "Length": "1.00"
            }})
        };
        counted(&sent, json!({"events": (first..first + 100).map(event).collect::<Vec<_>>()}).to_string())
    };
    let routes = Router::new()
        .route("/api/host/getTimeZone.json", routing::get(|| async { Json(json!({"tz": "UTC"})) }))
        .route(
            "/api/monitors.json",
            routing::get(|| async { Json(json!({"monitors": [{"Monitor": {"Id": 1, "Name": "yard"}}]})) }),
        )
        .route("/api/events/index/{*filters}", routing::get(events));
    let (recorder, sent) = recorder("kind = 'zoneminder'\nurl = 'URL'", routes).await;
    let into = tempfile::tempdir().unwrap();
    let fetched = Fetched::default();
    let exporting = recorder.export("1", window(noon(), 10), into.path(), &fetched);
    let done = tokio::time::timeout(Duration::from_secs(60), exporting).await.unwrap();
    assert!(matches!(done.unwrap_err(), Trouble::Broken { retryable: true, detail } if detail.contains("longer than")));
    ends_in_time(&sent, PAGE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mediamtx_that_always_has_more_paths() {
    const PAGE: usize = 1_000_000;
    let paths = |State(sent): State<Sent>| async move {
        let name = "x".repeat(PAGE);
        counted(&sent, json!({"pageCount": 1_000_000, "itemCount": 9, "items": [{"name": name, "confName": "all", "ready": true}]}).to_string())
    };
    let routes = Router::new().route("/v3/paths/list", routing::get(paths));
    let (recorder, sent) = recorder("kind = 'mediamtx'\nurl = 'URL'\nplayback_url = 'URL'", routes).await;
    let found = tokio::time::timeout(Duration::from_secs(60), recorder.discover()).await.unwrap();
    assert!(found.problem.unwrap().text.contains("longer than"));
    ends_in_time(&sent, PAGE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn onvif_whose_search_always_finds_more() {
    const PAGE: usize = 1_000_000;
    let answer = |State(sent): State<Sent>, asked: String| async move {
        let body = if asked.contains("<GetServices") {
            let service = |name: &str| {
                format!(
                    "<Service><Namespace>http://www.onvif.org/ver10/{name}/wsdl</Namespace><XAddr>http://device/onvif/{name}</XAddr></Service>"
                )
            };
            ["media", "search", "replay", "recording"].map(service).concat()
        } else if asked.contains("<GetSystemDateAndTime") {
            let now = jiff::Timestamp::now().strftime(
                "<SystemDateAndTime><UTCDateTime><Time><Hour>%-H</Hour><Minute>%-M</Minute><Second>%-S</Second></Time>\
                 <Date><Year>%Y</Year><Month>%-m</Month><Day>%-d</Day></Date></UTCDateTime></SystemDateAndTime>",
            );
            now.to_string()
        } else if asked.contains("SearchResults") {
            let token = "x".repeat(PAGE);
            counted(
                &sent,
                format!(
                    "<ResultList><SearchState>Searching</SearchState><RecordingInformation><RecordingToken>{token}\
                     </RecordingToken></RecordingInformation></ResultList>"
                ),
            )
        } else {
            "<SearchToken>t</SearchToken>".to_owned()
        };
        let envelope = format!("<Envelope><Body><Answer>{body}</Answer></Body></Envelope>");
        ([(header::CONTENT_TYPE, "application/soap+xml")], envelope).into_response()
    };
    let routes = Router::new().fallback(answer);
    let (recorder, sent) = recorder("kind = 'onvif'\nurl = 'URL'", routes).await;
    let found = tokio::time::timeout(Duration::from_secs(60), recorder.discover()).await.unwrap();
    assert!(found.problem.unwrap().text.contains("longer than"));
    ends_in_time(&sent, PAGE);
}
