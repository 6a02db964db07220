//! The calls of the protocol.

use std::time::{Duration, Instant};

use domain::id::TaskId;
use protocol::{
    Complete, ConnectionFile, Extend, Extended, Fail, Hello, HelloAnswer, INSTANCE_HEADER, LeaseRequest, Progress,
    Sources, SourcesAnswer, Task, USED_TWICE,
};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock;

/// For so long an answer is waited for, from the beginning of the call.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Why a call did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// 409 with the code `lease_lost`: the task is somebody else's now, or nobody's.
    #[error("{0}")]
    LeaseLost(String),
    /// 409 with the code `used_twice`: another one with the same connection file is heard.
    #[error("{0}")]
    UsedTwice(String),
    /// Any other 409: a publication that does not follow the last one, an offset that is another.
    #[error("{0}")]
    Conflict(String),
    /// 401: the key is of another server, or was revoked.
    #[error("the server does not accept the key of the connection file: {0}")]
    Key(String),
    /// The server understood, and refuses; saying it again will not help.
    #[error("the server refused: {0}")]
    Refused(String),
    /// 507: the server's disk is full.
    #[error("{0}")]
    NoRoom(String),
    /// No answer, or one that may be better next time.
    #[error("{0}")]
    Later(String),
}

impl CallError {
    /// Whether the call may be sent again as it was.
    pub fn may_repeat(&self) -> bool {
        matches!(self, Self::Later(_) | Self::NoRoom(_))
    }
}

impl From<reqwest::Error> for CallError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            text = format!("{text}: {inner}"); // what happened stands at the end of the chain
            cause = inner.source();
        }
        Self::Later(text)
    }
}

/// Dials the server of a connection file.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: reqwest::Url,
    key: String,
    instance: Option<String>,
}

impl Client {
    /// Where the server is.
    pub fn server(&self) -> &str {
        self.base.as_str()
    }

    /// Prepares to dial; nothing is sent yet.
    pub fn new(connection: &ConnectionFile) -> anyhow::Result<Self> {
        use anyhow::Context;
        let base: reqwest::Url = connection.url.parse().context("the connection file's url")?;
        anyhow::ensure!(
            matches!(base.scheme(), "https" | "http"),
            "the connection file's url must begin with https://"
        );
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("sightline-connector/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none());
        let loopback = base.host_str().is_some_and(|host| {
            host == "localhost"
                || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        });
        if loopback {
            builder = builder.no_proxy();
        }
        if let Some(pem) = &connection.ca_pem {
            let certificates =
                reqwest::Certificate::from_pem_bundle(pem.as_bytes()).context("the connection file's ca_pem")?;
            builder = builder.tls_certs_only(certificates);
        }
        Ok(Self { http: builder.build()?, base, key: connection.key.clone(), instance: None })
    }

    /// Says with each call which one it is of those who may have the connection file.
    pub fn known_as(self, instance: &str) -> Self {
        Self { instance: Some(instance.to_owned()), ..self }
    }

    /// A request to a path, or to an absolute address of the same server, with the key.
    pub fn request(&self, method: Method, path: &str) -> Result<reqwest::RequestBuilder, CallError> {
        let url = self.base.join(path).map_err(|e| CallError::Refused(e.to_string()))?;
        if url.origin() != self.base.origin() {
            return Err(CallError::Refused(format!("an address of another server: {url}")));
        }
        let request = self.http.request(method, url).bearer_auth(&self.key);
        Ok(match &self.instance {
            Some(instance) => request.header(INSTANCE_HEADER, instance),
            None => request,
        })
    }

    async fn call<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Option<A>, CallError> {
        let answer = self.request(method, path)?.json(body).send().await?;
        let answer = check(answer).await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        Ok(Some(answer.json().await?))
    }

    async fn answered<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, CallError> {
        self.call(method, path, body).await?.ok_or_else(|| CallError::Later("an empty answer".into()))
    }

    /// Introduces the connector. The answer tells the time, which counts from then on.
    pub async fn hello(&self, hello: &Hello) -> Result<HelloAnswer, CallError> {
        let asked = Instant::now();
        let answer: HelloAnswer = self.answered(Method::POST, "/api/v1/connector/hello", hello).await?;
        clock::heard(answer.clock, asked);
        Ok(answer)
    }

    /// Publishes sources.
    pub async fn sources(&self, sources: &Sources) -> Result<SourcesAnswer, CallError> {
        self.answered(Method::PUT, "/api/v1/connector/sources", sources).await
    }

    /// Publishes a picture.
    pub async fn thumbnail(&self, device_id: &str, jpeg: Vec<u8>) -> Result<(), CallError> {
        let mut url = self.base.join("/api/v1/connector/sources").map_err(|e| CallError::Refused(e.to_string()))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(device_id).push("thumbnail");
        }
        let request = self.request(Method::PUT, url.as_str())?;
        check(request.header("content-type", "image/jpeg").body(jpeg).send().await?).await.map(drop)
    }

    /// Waits for a task.
    pub async fn lease(&self, request: &LeaseRequest) -> Result<Option<Task>, CallError> {
        self.call(Method::POST, "/api/v1/connector/tasks/lease", request).await
    }

    async fn about<A: DeserializeOwned>(
        &self,
        task: &TaskId,
        verb: &str,
        body: &impl Serialize,
    ) -> Result<Option<A>, CallError> {
        self.call(Method::POST, &format!("/api/v1/connector/tasks/{task}/{verb}"), body).await
    }

    /// Tells how far a task is.
    pub async fn progress(&self, task: &TaskId, progress: &Progress) -> Result<(), CallError> {
        self.about::<serde_json::Value>(task, "progress", progress).await.map(drop)
    }

    /// Keeps a lease.
    pub async fn extend(&self, task: &TaskId, lease: i64) -> Result<Option<Extended>, CallError> {
        self.about(task, "extend", &Extend { lease }).await
    }

    /// Ends a task well.
    pub async fn complete(&self, task: &TaskId, complete: &Complete) -> Result<(), CallError> {
        self.about::<serde_json::Value>(task, "complete", complete).await.map(drop)
    }

    /// Ends a task otherwise.
    pub async fn fail(&self, task: &TaskId, fail: &Fail) -> Result<(), CallError> {
        self.about::<serde_json::Value>(task, "fail", fail).await.map(drop)
    }
}

/// Sorts an answer by what to do about it.
pub async fn check(answer: reqwest::Response) -> Result<reqwest::Response, CallError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let problem: serde_json::Value = answer.json().await.unwrap_or_default();
    let said = problem["detail"].as_str().or(problem["title"].as_str());
    let detail = said.map_or_else(|| status.to_string(), |said| format!("{said} ({status})"));
    Err(match status {
        StatusCode::CONFLICT if problem["code"] == "lease_lost" => CallError::LeaseLost(detail),
        StatusCode::CONFLICT if problem["code"] == USED_TWICE => CallError::UsedTwice(detail),
        StatusCode::CONFLICT => CallError::Conflict(detail),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => CallError::Key(detail),
        StatusCode::INSUFFICIENT_STORAGE => CallError::NoRoom(detail),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::LOCKED => CallError::Later(detail),
        _ if status.is_client_error() || status.is_redirection() => CallError::Refused(detail),
        _ => CallError::Later(detail),
    })
}
