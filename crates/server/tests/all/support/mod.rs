//! The router in a test: a site with a fake clock, and somebody's browser.

pub(crate) mod clock_reader;
pub(crate) mod document;
pub(crate) mod force;
pub(crate) mod installation;
pub(crate) mod network;
pub(crate) mod relay;
pub(crate) mod slow_ffmpeg;
#[path = "../../../../connector/tests/contract/small_disk.rs"]
pub(crate) mod small_disk;
pub(crate) mod storage;
pub(crate) mod story;
pub(crate) mod wire;
#[path = "../../../../connector/tests/zoneminder/mod.rs"]
pub(crate) mod zoneminder;

use app::testing::{PASSWORD, TestApp};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::{Value, json};
use sightline_server::config::Config;
use store::testing::TestDatabase;
use tower::ServiceExt as _;

/// A site of its own for one test.
pub(crate) struct Site {
    pub test: TestApp,
    pub router: Router,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Null where the body is no JSON.
    pub json: Value,
}

impl Reply {
    /// The problem's code; empty where there is none.
    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or("")
    }
}

/// Two seconds of test pictures.
pub(crate) fn footage() -> Vec<u8> {
    footage_of("-t 2")
}

/// Test pictures as ffmpeg is told to write them.
pub(crate) fn footage_of(arguments: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    let args =
        "-v error -nostdin -y -f lavfi -i testsrc2=s=320x240:r=10 -pix_fmt yuv420p -c:v libx264 -preset ultrafast";
    let made =
        std::process::Command::new("ffmpeg").args(args.split(' ')).args(arguments.split(' ')).arg(&path).status();
    assert!(made.expect("ffmpeg is installed (scripts/need test)").success());
    std::fs::read(path).unwrap()
}

/// Commits what a test arranged by SQL: these rows are sealed as they are now.
pub(crate) async fn arranged(mut tx: store::Tx, ids: &[&str]) {
    ids.iter().for_each(|id| tx.changed(id));
    tx.commit([store::Event::new("test.arrange", None)]).await.unwrap();
}

/// The cookie of somebody who is signed in.
pub(crate) type Cookie = String;

impl Site {
    pub(crate) async fn new(database: TestDatabase) -> Self {
        Self::with(database, |_| {}).await
    }

    /// With settings of the test's.
    pub(crate) async fn with(database: TestDatabase, change: impl FnOnce(&mut app::Settings)) -> Self {
        let test = app::testing::app_with(database, change).await;
        let mut config = Config::default();
        config.server.behind_proxy = true;
        let router = sightline_server::http::router(test.app.clone(), &config);
        Self { test, router }
    }

    /// Sends any request under /api/v1.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        cookie: Option<&Cookie>,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    /// Sends a request as it is. The answer has to be as the API document says.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let reply = Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
            body,
        };
        document::check(&method, &path, &reply);
        reply
    }

    pub(crate) async fn get(&self, path: &str, cookie: Option<&Cookie>) -> Reply {
        self.call("GET", path, cookie, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, cookie: Option<&Cookie>, body: Value) -> Reply {
        self.call("POST", path, cookie, Some(&body), &[]).await
    }

    /// Replaces a part of something by a PUT, in its newest version as far as they see it.
    pub(crate) async fn put(&self, of: &str, part: &str, cookie: Option<&Cookie>, body: &Value) -> Reply {
        let read = self.get(of, cookie).await;
        let etag = read.headers.get("etag").map_or("\"1\"", |etag| etag.to_str().unwrap());
        self.call("PUT", &format!("{of}{part}"), cookie, Some(body), &[("if-match", etag)]).await
    }

    /// Signs in an account that the test made with the usual password.
    pub(crate) async fn sign_in(&self, name: &str) -> Cookie {
        self.sign_in_with(&format!("{name}@example.org"), PASSWORD).await
    }

    pub(crate) async fn sign_in_with(&self, email: &str, password: &str) -> Cookie {
        let reply = self.post("/session", None, json!({"email": email, "password": password})).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        let cookie = reply.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("Secure; HttpOnly; SameSite=Lax"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }
}
