//! A client for the web API of a video system. Whatever answers is not trusted: bodies are bounded, nothing is unpacked, redirects
//! are not followed, and no address, body or secret gets into an error (video systems repeat tokens in both).

use std::path::Path;
use std::time::{Duration, Instant};

use domain::Timestamp;
use protocol::ClockOffset;
use reqwest::header::{
    ACCEPT_RANGES, AUTHORIZATION, CONTENT_RANGE, DATE, ETAG, HeaderValue, IF_RANGE, RANGE, SET_COOKIE, WWW_AUTHENTICATE,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt;

use super::Trouble;
use crate::challenge::Identity;
use crate::clock;
use crate::config::WebConfig;
use crate::disk;

/// The longest answer that is read into memory.
pub const LONGEST_ANSWER: usize = 32 << 20;
/// The longest picture.
const LONGEST_PICTURE: usize = 8 << 20;
/// No camera records more in a second.
const BYTES_IN_A_SECOND: u64 = 8 << 20;
/// A download that brings less than this in four times the time that an answer may take is as good as none.
const LEAST: u64 = 64 << 10;
/// A download that was cut goes on this often without having come forward.
const CUTS: u32 = 4;

/// The web API of a video system.
#[derive(Clone)]
pub struct Web {
    http: reqwest::Client,
    base: Url,
    answer_within: Duration,
}

/// A list that comes in pages: together they are no longer than one answer may be, however many there are.
pub struct Pages {
    left: usize,
}

impl Default for Pages {
    fn default() -> Self {
        Self { left: LONGEST_ANSWER }
    }
}

impl Pages {
    /// Takes what a page has of so many bytes off what may still come.
    pub fn take(&mut self, bytes: usize) -> Result<(), WebError> {
        self.left = self.left.checked_sub(bytes).ok_or(WebError::TooLong(LONGEST_ANSWER))?;
        Ok(())
    }
}

/// How much a recording of some length may take.
pub fn longest(duration: Duration) -> u64 {
    (duration.as_secs() + 10).saturating_mul(BYTES_IN_A_SECOND)
}

/// The user name and the password of a configuration; the file is read anew, as it may have been changed.
pub fn credentials(config: &WebConfig) -> Result<Option<(String, String)>, WebError> {
    let Some(file) = &config.password_file else { return Ok(None) };
    let password =
        std::fs::read_to_string(file).map_err(|error| WebError::Password(format!("{} ({error})", file.display())))?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    Ok(Some((config.username.clone().unwrap_or_default(), password)))
}

/// Why a call did not give what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// 401 or 403: user name, password or token.
    #[error("it does not accept the user name and password of the configuration ({0})")]
    Refused(u16),
    /// 404 or 410.
    #[error("it does not know what was asked for (404)")]
    NotFound,
    /// Any other status that is no success.
    #[error("it answered {0}")]
    Status(u16),
    /// It wants to be asked elsewhere.
    #[error("it sends elsewhere ({0}), which is not followed: see the url of the configuration")]
    Redirect(u16),
    /// More than is taken.
    #[error("its answer is longer than {0} bytes")]
    TooLong(usize),
    /// It sends, and yet nothing comes.
    #[error("it sends less than {} KiB in {} seconds", LEAST >> 10, .0.as_secs())]
    Stalled(Duration),
    /// Not what was asked for.
    #[error("its answer is not understood: {0}")]
    Form(String),
    /// It broke off what it answered.
    #[error("no answer: {0}")]
    Silent(String),
    /// No answer at all.
    #[error("it cannot be reached: {0}")]
    Away(String),
    /// The configuration names a file with the password, which cannot be read.
    #[error(
        "The password file of the configuration cannot be read: {0}. Write the password into it, and let this program read it."
    )]
    Password(String),
    /// What it sent cannot be written.
    #[error("what it sent cannot be written: {0}")]
    Disk(String),
    /// There is no room on the disk for what it sends.
    #[error("there is no room on the disk for what it sends")]
    NoRoom,
}

impl From<WebError> for Trouble {
    fn from(error: WebError) -> Self {
        match error {
            WebError::NoRoom => Self::NoRoom,
            WebError::Password(_) => Self::again(error),
            WebError::Away(_) | WebError::Stalled(_) | WebError::Status(408 | 429 | 502..=504) => {
                Self::Away(format!("The video system: {error}."))
            }
            WebError::Status(500..=599) => Self::Failing(format!("The video system: {error}.")),
            other => Self::again(format!("The video system: {other}.")),
        }
    }
}

impl WebError {
    fn disk(error: std::io::Error) -> Self {
        if disk::is_full(&error) { Self::NoRoom } else { Self::Disk(error.to_string()) }
    }
}

impl From<reqwest::Error> for WebError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let away = error.is_connect() || error.is_timeout() || error.is_request();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner; // what happened stands at the end of the chain
        }
        if away { Self::Away(cause.to_string()) } else { Self::Silent(cause.to_string()) }
    }
}

impl Web {
    /// Prepares to ask; nothing is sent yet.
    pub fn new(config: &WebConfig) -> anyhow::Result<Self> {
        use anyhow::Context;
        let answer_within = Duration::from_secs(config.answer_seconds.max(1).into());
        let mut base: Url = config.url.parse().context("the adapter's url")?;
        anyhow::ensure!(
            matches!(base.scheme(), "http" | "https"),
            "the adapter's url must begin with http:// or https://"
        );
        anyhow::ensure!(base.password().is_none(), "no password in the adapter's url: use username and password_file");
        base.set_query(None);
        base.set_fragment(None);
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("sightline-connector/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(answer_within.min(Duration::from_secs(10)))
            .read_timeout(answer_within / 2)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        if let Some(file) = &config.ca_file {
            let pem = std::fs::read(file).with_context(|| format!("the adapter's ca_file {}", file.display()))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem).context("the adapter's ca_file")?;
            builder = builder.tls_certs_only(certificates);
        }
        Ok(Self { http: builder.build()?, base, answer_within })
    }

    /// A request to a path below the url, given by its segments: whatever they hold, they stay segments.
    pub fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        self.http.request(method, url)
    }

    /// A request to where an answer points. Whatever it says, the host stays that of the configuration; so does the port, unless
    /// it is said of this host.
    pub fn request_at(&self, method: Method, told: &str) -> Result<RequestBuilder, WebError> {
        let told: Url = told.parse().map_err(|_| WebError::Form("an address that is none".into()))?;
        let mut url = self.base.clone();
        url.set_path(told.path());
        url.set_query(told.query());
        if told.scheme() == url.scheme() && told.host() == url.host() {
            let _ = url.set_port(told.port());
        }
        Ok(self.http.request(method, url))
    }

    /// The address of a path, for those that carry it themselves.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Sends, and reads a JSON answer.
    pub async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, WebError> {
        json(&self.bytes(request, LONGEST_ANSWER).await?)
    }

    /// The same of a page of a list.
    pub async fn page<T: DeserializeOwned>(&self, request: RequestBuilder, pages: &mut Pages) -> Result<T, WebError> {
        let body = self.bytes(request, pages.left).await?;
        pages.take(body.len())?;
        json(&body)
    }

    /// Sends, and reads a JPEG.
    pub async fn picture(&self, request: RequestBuilder) -> Result<Vec<u8>, WebError> {
        jpeg(self.bytes(request, LONGEST_PICTURE).await?)
    }

    /// The same, as whoever an identity is.
    pub async fn picture_as(&self, identity: &mut Identity, request: RequestBuilder) -> Result<Vec<u8>, WebError> {
        let (status, body) = self.bytes_as(identity, request, LONGEST_PICTURE).await?;
        succeeded(status)?;
        jpeg(body)
    }

    /// Sends, and reads a header of the answer, if it has that.
    pub async fn header(&self, request: RequestBuilder, name: &str) -> Result<Option<String>, WebError> {
        let answer = tokio::time::timeout(self.answer_within, request.send());
        let answer = success(answer.await.map_err(too_slow)??)?;
        Ok(answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned))
    }

    /// Sends, and reads the value of the first cookie that is set: the token of a login.
    pub async fn cookie(&self, request: RequestBuilder) -> Result<String, WebError> {
        let answer = tokio::time::timeout(self.answer_within, request.send());
        let answer = success(answer.await.map_err(too_slow)??)?;
        let cookie = answer.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        let value = cookie.and_then(|cookie| cookie.split(';').next()?.split_once('=')).map(|(_, value)| value.trim());
        let none = || WebError::Form("no cookie".into());
        value.filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(none)
    }

    /// Sends, and reads the answer into memory.
    pub async fn bytes(&self, request: RequestBuilder, longest: usize) -> Result<Vec<u8>, WebError> {
        let work = async { read(success(request.send().await?)?, longest).await };
        tokio::time::timeout(self.answer_within, work).await.map_err(too_slow)?
    }

    /// Sends as whoever an identity is, and reads the answer into memory, whatever its status.
    pub async fn bytes_as(
        &self,
        identity: &mut Identity,
        request: RequestBuilder,
        longest: usize,
    ) -> Result<(StatusCode, Vec<u8>), WebError> {
        let work = async {
            let request = request.build()?;
            let (method, mut uri) = (request.method().to_string(), request.url().path().to_owned());
            uri.extend(request.url().query().map(|query| format!("?{query}")));
            loop {
                let mut again = request.try_clone().ok_or_else(|| WebError::Form("it cannot be asked twice".into()))?;
                if let Some(answer) = identity.answer(&method, &uri).and_then(|answer| answer.parse().ok()) {
                    again.headers_mut().insert(AUTHORIZATION, answer);
                }
                let answer = self.http.execute(again).await?;
                let status = answer.status();
                let told = answer.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|told| told.to_str().ok());
                if status != StatusCode::UNAUTHORIZED || !identity.challenged(told) {
                    return Ok((status, read(answer, longest).await?));
                }
            }
        };
        tokio::time::timeout(self.answer_within, work).await.map_err(too_slow)?
    }

    /// How far the system's clock is off, by the `Date` of its answers, which tells whole seconds (RFC 9110, 6.6.1). None if it
    /// sends none.
    pub async fn clock(&self, request: RequestBuilder) -> Result<Option<ClockOffset>, WebError> {
        let sent = clock::now_ms();
        let answer = tokio::time::timeout(self.answer_within, request.send());
        let answer = answer.await.map_err(too_slow)??;
        let came = clock::now_ms();
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        let Some(date) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else { return Ok(None) };
        // somewhere within the second that it names, and somewhere between asking and hearing
        let told = date.timestamp().as_millisecond() + 500;
        let offset_ms = told - (sent + came) / 2;
        let uncertainty_ms = Some(500 + (came - sent) / 2);
        Ok(Some(ClockOffset { offset_ms, uncertainty_ms, measured_at: Some(Timestamp::from_micros(came * 1_000)) }))
    }

    /// Writes an answer into a file, and answers its size. Where the system knows ranges, a download that was cut goes on where
    /// it was; where not, it begins anew. `request` is made again for each try.
    pub async fn download(
        &self,
        request: impl Fn() -> RequestBuilder,
        into: &Path,
        longest: u64,
    ) -> Result<u64, WebError> {
        let mut file = tokio::fs::File::create(into).await.map_err(WebError::disk)?;
        let (mut size, mut version, mut cuts) = (0_u64, None::<HeaderValue>, 0);
        loop {
            let before = size;
            let mut floor = Floor::of(self.answer_within * 4, size);
            match part(request(), &mut file, &mut size, &mut version, (longest, &mut floor)).await {
                Ok(()) => break,
                Err(WebError::Silent(why) | WebError::Away(why)) if cuts < CUTS => {
                    tracing::info!(bytes = size, why, "a download was cut");
                    cuts = if size > before { 1 } else { cuts + 1 };
                    tokio::time::sleep(Duration::from_millis(300 << cuts)).await;
                }
                Err(error) => return Err(error),
            }
        }
        file.flush().await.map_err(WebError::disk)?;
        Ok(size)
    }
}

fn too_slow(_: tokio::time::error::Elapsed) -> WebError {
    WebError::Away("it took too long".into())
}

/// Reads a JSON answer.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, WebError> {
    serde_json::from_slice(body).map_err(|error| WebError::Form(format!("no such JSON at line {}", error.line())))
}

fn jpeg(body: Vec<u8>) -> Result<Vec<u8>, WebError> {
    if body.starts_with(b"\xff\xd8\xff") { Ok(body) } else { Err(WebError::Form("no JPEG".into())) }
}

async fn read(mut answer: Response, longest: usize) -> Result<Vec<u8>, WebError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > longest {
            return Err(WebError::TooLong(longest));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// One try of a download: goes on at `size` if that is still the same file.
async fn part(
    request: RequestBuilder,
    file: &mut tokio::fs::File,
    size: &mut u64,
    version: &mut Option<HeaderValue>,
    (longest, floor): (u64, &mut Floor),
) -> Result<(), WebError> {
    use tokio::io::AsyncSeekExt;
    let resumed = *size > 0 && version.is_some();
    let request = match version {
        Some(version) if resumed => {
            let request = request.header(RANGE, format!("bytes={size}-"));
            if version.is_empty() { request } else { request.header(IF_RANGE, version.clone()) }
        }
        _ => request,
    };
    let mut answer = success(request.send().await?)?;
    let goes_on = answer.status() == StatusCode::PARTIAL_CONTENT && resumed && starts_at(&answer) == Some(*size);
    if !goes_on {
        if answer.status() == StatusCode::PARTIAL_CONTENT {
            *version = None;
            return Err(WebError::Silent("it answered with another range".into()));
        }
        file.set_len(0).await.map_err(WebError::disk)?;
        file.rewind().await.map_err(WebError::disk)?;
        *size = 0;
        floor.from = 0;
        let ranges = answer.headers().get(ACCEPT_RANGES).is_some_and(|unit| unit == "bytes");
        *version = ranges.then(|| answer.headers().get(ETAG).cloned().unwrap_or_else(|| HeaderValue::from_static("")));
    }
    while let Some(chunk) = answer.chunk().await? {
        if *size + chunk.len() as u64 > longest {
            return Err(WebError::TooLong(usize::try_from(longest).unwrap_or(usize::MAX)));
        }
        disk::room_for(file, chunk.len() as u64).map_err(WebError::disk)?;
        file.write_all(&chunk).await.map_err(WebError::disk)?;
        *size += chunk.len() as u64;
        floor.check(*size)?;
    }
    Ok(())
}

/// How much a download had brought, and since when more is waited for: whoever sends a byte now and then holds nobody up for good.
struct Floor {
    within: Duration,
    since: Instant,
    from: u64,
}

impl Floor {
    fn of(within: Duration, from: u64) -> Self {
        Self { within, since: Instant::now(), from }
    }

    fn check(&mut self, size: u64) -> Result<(), WebError> {
        if self.since.elapsed() < self.within {
            return Ok(());
        }
        if size < self.from.saturating_add(LEAST) {
            return Err(WebError::Stalled(self.within));
        }
        *self = Self::of(self.within, size);
        Ok(())
    }
}

fn starts_at(answer: &Response) -> Option<u64> {
    let range = answer.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

fn success(answer: Response) -> Result<Response, WebError> {
    succeeded(answer.status()).map(|()| answer)
}

/// What a status means.
pub fn succeeded(status: StatusCode) -> Result<(), WebError> {
    match status {
        _ if status.is_success() => Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(WebError::Refused(status.as_u16())),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(WebError::NotFound),
        _ if status.is_redirection() => Err(WebError::Redirect(status.as_u16())),
        _ => Err(WebError::Status(status.as_u16())),
    }
}
