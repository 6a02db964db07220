//! The web server of a video system in the suite, which can be told to misbehave.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// How a video system misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It answers with a status and an error that repeats the address, as ZoneMinder does.
    Status(u16),
    /// It sends elsewhere.
    Redirect,
    /// It answers 200 with a page for people.
    Html,
    /// It answers 200 with nothing.
    Empty,
    /// It answers 200 with bytes of nothing.
    Nonsense,
    /// It answers 200 and never ends.
    Endless,
    /// It answers 200 with two megabytes of headers.
    Headers,
    /// It breaks off in the middle.
    Cut,
    /// It never answers.
    Silent,
}

/// Which requests are misanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Every,
    /// Those for footage.
    Footage,
}

/// A web server that is stopped when dropped.
pub(crate) struct Site {
    /// Where it is; without a slash at its end.
    pub(crate) url: String,
    faults: Arc<Faults>,
    task: tokio::task::JoinHandle<()>,
    elsewhere: tokio::task::JoinHandle<()>,
}

/// How it misbehaves now; servers beside the web server ask too.
pub(crate) struct Faults {
    fault: Mutex<Option<(Fault, Which, usize)>>,
    footage: fn(&str) -> bool,
    /// Where nobody should follow to.
    pub(crate) elsewhere_url: String,
    elsewhere_calls: AtomicUsize,
    ahead_us: i64,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
        self.elsewhere.abort();
    }
}

impl Site {
    /// Serves a system; `footage` knows by path and query what asks for footage, `ahead_us` is how far its clock is ahead.
    pub(crate) async fn start(routes: Router, footage: fn(&str) -> bool, ahead_us: i64) -> Self {
        let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let faults = Arc::new(Faults {
            fault: Mutex::new(None),
            footage,
            elsewhere_url: format!("http://{}/", other.local_addr().unwrap()),
            elsewhere_calls: AtomicUsize::new(0),
            ahead_us,
        });
        let counted = Arc::clone(&faults);
        let nowhere = Router::new().fallback(move || {
            counted.elsewhere_calls.fetch_add(1, Ordering::SeqCst);
            async { "caught" }
        });
        let elsewhere = tokio::spawn(async move { drop(axum::serve(other, nowhere).await) });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = routes.layer(axum::middleware::from_fn_with_state(Arc::clone(&faults), misbehave));
        let task = tokio::spawn(async move { drop(axum::serve(listener, routes).await) });
        Self { url, faults, task, elsewhere }
    }

    /// Misbehaves so many times.
    pub(crate) fn break_down(&self, fault: Fault, which: Which, times: usize) {
        *self.faults.fault.lock().unwrap() = Some((fault, which, times));
    }

    /// For a server beside it that misbehaves with it.
    pub(crate) fn faults(&self) -> Arc<Faults> {
        Arc::clone(&self.faults)
    }

    /// How often somebody followed to where it sent.
    pub(crate) fn followed(&self) -> usize {
        self.faults.elsewhere_calls.load(Ordering::SeqCst)
    }
}

impl Faults {
    fn due(&self, request: &Request) -> Option<Fault> {
        let asked = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        self.due_for((self.footage)(&asked))
    }

    /// What to do wrong with a request, which may be one for footage.
    pub(crate) fn due_for(&self, footage: bool) -> Option<Fault> {
        let mut armed = self.fault.lock().unwrap();
        let (fault, which, times) = (*armed)?;
        if which == Which::Footage && !footage || times == 0 {
            return None;
        }
        *armed = Some((fault, which, times - 1));
        Some(fault)
    }
}

async fn misbehave(State(faults): State<Arc<Faults>>, request: Request, next: Next) -> Response {
    let fault = faults.due(&request);
    let asked = request.uri().to_string();
    let mut answer = match fault {
        None => next.run(request).await,
        Some(Fault::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, format!("{{\"success\":false,\"message\":\"broken\",\"url\":\"{asked}\"}}")).into_response()
        }
        Some(Fault::Redirect) => {
            let location = format!("{}{}", faults.elsewhere_url, asked.trim_start_matches('/'));
            (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
        }
        Some(Fault::Html) => axum::response::Html("<html><body>Sign in</body></html>").into_response(),
        Some(Fault::Empty) => StatusCode::OK.into_response(),
        Some(Fault::Nonsense) => vec![0xa5_u8; 4_096].into_response(),
        Some(Fault::Endless) => {
            let zeros = bytes::Bytes::from(vec![b' '; 1 << 20]);
            let zeros = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(zeros.clone()));
            Response::new(Body::from_stream(zeros))
        }
        Some(Fault::Headers) => {
            let mut answer = StatusCode::OK.into_response();
            for n in 0..2_000 {
                let name = HeaderName::try_from(format!("x-{n}")).unwrap();
                answer.headers_mut().insert(name, HeaderValue::try_from("x".repeat(1_000)).unwrap());
            }
            answer
        }
        Some(Fault::Cut) => cut(next.run(request).await).await,
        Some(Fault::Silent) => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            StatusCode::OK.into_response()
        }
    };
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_micros(faults.ahead_us);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap();
    answer.headers_mut().insert(header::DATE, HeaderValue::from_str(&date).unwrap());
    answer
}

/// Half of the answer, and then the connection breaks.
async fn cut(answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    let whole = axum::body::to_bytes(body, 1 << 30).await.unwrap();
    let half = whole.slice(..whole.len() / 2);
    let body = futures::stream::unfold(Some(half), |half| async {
        match half {
            Some(half) => Some((Ok(half), None)),
            None => {
                // the half must be on its way before the connection breaks
                tokio::time::sleep(Duration::from_millis(50)).await;
                Some((Err(std::io::Error::other("cut")), None))
            }
        }
    });
    Response::from_parts(parts, Body::from_stream(body))
}

/// A video, or the rest of it from where the request begins.
pub(crate) fn video(bytes: Vec<u8>, headers: &HeaderMap) -> Response {
    let plain = [(header::CONTENT_TYPE, "video/mp4"), (header::ACCEPT_RANGES, "bytes")];
    let from =
        headers.get(header::RANGE).and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.strip_suffix('-'));
    match from.and_then(|from| from.parse::<usize>().ok()) {
        None => (plain, bytes).into_response(),
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            (StatusCode::PARTIAL_CONTENT, plain, [(header::CONTENT_RANGE, range)], bytes[from..].to_vec())
                .into_response()
        }
    }
}
