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

use super::archive::{self, Archive, Bounds, Recording};
use super::session::{Answer, Login, Session};
use super::web::{self, WebError};
use super::{Adapter, Asked, Coverage, Discovery, Exported, Trouble};
use crate::config::WebConfig;
use crate::growth::Fetched;
use segment::Segment;

/// A Frigate server.
pub struct Frigate(Session);

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

const LOGIN: Login = Login { path: &["api", "login"], user: "user", answer: Answer::Cookie };

/// The cameras that an answer of `/api/config` tells.
pub fn read_cameras(answer: &[u8]) -> serde_json::Result<Vec<SourceDescription>> {
    serde_json::from_slice(answer).map(|settings| cameras(settings, None))
}

/// The clips that hold a window, out of the segments that an answer of `/api/{camera}/recordings` tells.
pub fn read_clips(answer: &[u8], window: Window) -> serde_json::Result<Vec<Recording>> {
    Ok(segment::recordings(&segment::in_order(serde_json::from_slice(answer)?), window))
}

/// The hours that an answer of `/api/{camera}/recordings/summary` tells, in order.
pub fn read_hours(answer: &[u8]) -> serde_json::Result<Vec<Timestamp>> {
    serde_json::from_slice(answer).map(|days: Vec<Day>| in_order(&days))
}

fn cameras(settings: Settings, retention_hours: Option<i64>) -> Vec<SourceDescription> {
    let described = |(id, camera): (String, Camera)| SourceDescription {
        name: camera.friendly_name.filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone()),
        online: camera.enabled.filter(|enabled| !enabled),
        retention_hours,
        device_id: id,
        ..SourceDescription::default()
    };
    settings.cameras.into_iter().map(described).collect()
}

fn in_order(days: &[Day]) -> Vec<Timestamp> {
    let hours = days.iter().flat_map(|Day { day, hours }| hours.iter().map(move |Hour { hour }| (day, hour)));
    let mut hours: Vec<_> = hours.filter_map(|(day, hour)| format!("{day}T{hour}:00:00Z").parse().ok()).collect();
    hours.sort_unstable();
    hours
}

impl Frigate {
    /// Checks the settings; nothing is asked yet.
    pub fn new(config: WebConfig) -> anyhow::Result<Self> {
        Session::new(config, LOGIN).map(Self)
    }

    fn get(&self, path: &[&str], token: &str) -> RequestBuilder {
        let path: Vec<_> = std::iter::once("api").chain(path.iter().copied()).collect();
        with_token(self.0.web().request(Method::GET, &path), token)
    }

    async fn api<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Result<T, WebError>, Trouble> {
        self.0.json(|token| self.get(path, token).query(query)).await
    }

    async fn cameras(&self) -> Result<Vec<SourceDescription>, Trouble> {
        Ok(cameras(self.api(&["config"], &[]).await??, self.0.config().retention_hours))
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
        Ok(in_order(&days))
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
        let token = self.0.current().await?;
        let path: Vec<_> = [device_id].into_iter().chain(recording.name.split('/')).chain(["clip.mp4"]).collect();
        let ask = || self.get(&path, &token);
        let long = recording.ends.unwrap_or(recording.begins).since(recording.begins);
        match self.0.web().download(ask, into, web::longest(long)).await {
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
        let request = self.get(&[device_id, "latest.jpg"], &self.0.current().await?);
        Ok(self.0.web().picture(request).await?)
    }

    async fn coverage(&self, asked: &Asked) -> Result<Coverage, Trouble> {
        archive::coverage(self, asked).await
    }

    async fn export(&self, asked: &Asked, into: &Path, fetched: &Fetched) -> Result<Exported, Trouble> {
        archive::export(self, asked, into, fetched).await
    }

    async fn clock(&self) -> Result<Option<ClockOffset>, Trouble> {
        Ok(self.0.web().clock(self.0.web().request(Method::GET, &["api", "version"])).await?)
    }
}

/// What to do when it does not tell of its cameras.
const WHAT_TO_DO: &str = "See that Frigate runs, that the url of the configuration opens its page (port 8971), and that the account \
                     may see the cameras (Settings, Users: the role viewer is enough).";
