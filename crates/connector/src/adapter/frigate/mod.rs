//! Frigate 0.18, by its API (<https://docs.frigate.video/integrations/api/frigate-http-api>).
//!
//! It records a camera as short segments, each of which is listed when it is whole, and hands out clips that it joins from them.

mod segment;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Timestamp, Window};
use protocol::{ClockOffset, SourceDescription};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::archive::{self, Archive, Bounds, Recording};
use super::web::{self, Web, WebError};
use super::{Adapter, Asked, Coverage, Discovery, Exported, Trouble};
use crate::config::WebConfig;
use segment::Segment;

/// A Frigate server.
pub struct Frigate {
    web: Web,
    config: WebConfig,
    /// Of the last login; empty where no account is configured.
    token: Mutex<Option<String>>,
}

#[derive(Deserialize)]
struct Settings {
    cameras: BTreeMap<String, Camera>,
}

#[derive(Deserialize)]
struct Camera {
    #[serde(default)]
    friendly_name: Option<String>,
    #[serde(default)]
    enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Day {
    day: String,
    hours: Vec<Hour>,
}

#[derive(Deserialize)]
struct Hour {
    hour: String,
}

impl Frigate {
    /// Checks the settings; nothing is asked yet.
    pub fn new(config: WebConfig) -> anyhow::Result<Self> {
        Ok(Self { web: Web::new(&config)?, config, token: Mutex::default() })
    }

    /// The token of the last login, or of a new one.
    async fn token(&self) -> Result<String, Trouble> {
        let mut token = self.token.lock().await;
        if let Some(token) = &*token {
            return Ok(token.clone());
        }
        let fresh = match web::credentials(&self.config)? {
            None => String::new(),
            Some((user, password)) => {
                let request = self.web.request(Method::POST, &["api", "login"]);
                let body = serde_json::json!({"user": user, "password": password});
                self.web.cookie(request.json(&body)).await?
            }
        };
        Ok(token.insert(fresh).clone())
    }

    async fn get(&self, path: &[&str]) -> Result<RequestBuilder, Trouble> {
        let path: Vec<_> = std::iter::once("api").chain(path.iter().copied()).collect();
        Ok(with_token(self.web.request(Method::GET, &path), &self.token().await?))
    }

    /// Asks the API. A token that has run out is replaced, once.
    async fn api<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Result<T, WebError>, Trouble> {
        let answer = self.web.json(self.get(path).await?.query(query)).await;
        if !matches!(answer, Err(WebError::Refused(401))) {
            return Ok(answer);
        }
        *self.token.lock().await = None;
        Ok(self.web.json(self.get(path).await?.query(query)).await)
    }

    async fn cameras(&self) -> Result<Vec<SourceDescription>, Trouble> {
        let settings: Settings = self.api(&["config"], &[]).await??;
        let described = |(id, camera): (String, Camera)| SourceDescription {
            name: camera.friendly_name.filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone()),
            online: camera.enabled.filter(|enabled| !enabled),
            retention_hours: self.config.retention_hours,
            device_id: id,
            ..SourceDescription::default()
        };
        Ok(settings.cameras.into_iter().map(described).collect())
    }

    /// The segments of a camera that touch a window, in order of their names; none of a camera that is not there.
    async fn segments(&self, camera: &str, window: Window) -> Result<Vec<Segment>, Trouble> {
        let (after, before) = (segment::seconds(window.from), segment::seconds(window.to));
        let query = [("after", after.as_str()), ("before", before.as_str())];
        match self.api(&[camera, "recordings"], &query).await? {
            Err(WebError::NotFound) => Ok(Vec::new()),
            answer => Ok(segment::in_order(answer?)),
        }
    }

    /// The hours in which a camera recorded anything, the oldest first.
    async fn hours(&self, camera: &str) -> Result<Vec<Timestamp>, Trouble> {
        let days: Vec<Day> = match self.api(&[camera, "recordings", "summary"], &[("timezone", "utc")]).await? {
            Err(WebError::NotFound) => return Ok(Vec::new()),
            answer => answer?,
        };
        let hours = days.iter().flat_map(|Day { day, hours }| hours.iter().map(move |Hour { hour }| (day, hour)));
        let mut hours: Vec<_> = hours.filter_map(|(day, hour)| format!("{day}T{hour}:00:00Z").parse().ok()).collect();
        hours.sort_unstable();
        Ok(hours)
    }

    async fn within_hour(&self, camera: &str, hour: Timestamp) -> Result<Vec<Segment>, Trouble> {
        self.segments(camera, Window { from: hour, to: hour.plus(Duration::from_secs(3_600)) }).await
    }
}

/// A token is a cookie of the page, and a bearer's for programs.
fn with_token(request: RequestBuilder, token: &str) -> RequestBuilder {
    if token.is_empty() { request } else { request.bearer_auth(token) }
}

#[async_trait]
impl Archive for Frigate {
    const KIND: &'static str = "frigate";
    /// A segment is closed after ten seconds or more, at a key frame, and waits until the detectors have seen it.
    const LISTED_WITHIN: Duration = Duration::from_secs(90);

    async fn list(&self, device_id: &str, window: Window) -> Result<Vec<Recording>, Trouble> {
        let segments = self.segments(device_id, segment::around(window)).await?;
        Ok(segment::recordings(&segments, window))
    }

    async fn bounds(&self, device_id: &str) -> Result<Option<Bounds>, Trouble> {
        let hours = self.hours(device_id).await?;
        let (Some(oldest), Some(newest)) = (hours.first(), hours.last()) else { return Ok(None) };
        let oldest = self.within_hour(device_id, *oldest).await?.first().map(Segment::begins);
        let newest = self.within_hour(device_id, *newest).await?.last().map(Segment::begins);
        Ok(oldest.zip(newest).map(|(oldest, newest)| Bounds { oldest, newest }))
    }

    async fn fetch(&self, device_id: &str, recording: &Recording, into: &Path) -> Result<bool, Trouble> {
        let token = self.token().await?;
        let path: Vec<_> =
            ["api", device_id].into_iter().chain(recording.name.split('/')).chain(["clip.mp4"]).collect();
        let ask = || with_token(self.web.request(Method::GET, &path), &token);
        let long = recording.ends.unwrap_or(recording.begins).since(recording.begins);
        match self.web.download(ask, into, web::longest(long)).await {
            Ok(_) => Ok(true),
            // "No recordings found for the specified time range" is a 400
            Err(WebError::NotFound | WebError::Status(400)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[async_trait]
impl Adapter for Frigate {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    async fn discover(&self) -> Discovery {
        Discovery::of(self.cameras().await, WHAT_TO_DO)
    }

    async fn snapshot(&self, device_id: &str) -> Result<Vec<u8>, Trouble> {
        Ok(self.web.picture(self.get(&[device_id, "latest.jpg"]).await?).await?)
    }

    async fn coverage(&self, asked: &Asked) -> Result<Coverage, Trouble> {
        archive::coverage(self, asked).await
    }

    async fn export(&self, asked: &Asked, into: &Path) -> Result<Exported, Trouble> {
        archive::export(self, asked, into).await
    }

    async fn clock(&self) -> Result<Option<ClockOffset>, Trouble> {
        Ok(self.web.clock(self.web.request(Method::GET, &["api", "version"])).await?)
    }
}

/// What to do when it does not tell of its cameras.
const WHAT_TO_DO: &str = "See that Frigate runs, that the url of the configuration opens its page (port 8971), and that the account \
                     may see the cameras (Settings, Users: the role viewer is enough).";
