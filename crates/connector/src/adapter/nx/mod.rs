//! Nx Witness, and what is sold as DW Spectrum and Wisenet WAVE, which are the same server: by its REST API v2 and its streaming
//! over HTTP (`/media`). Built from the vendor's client (<https://github.com/networkoptix/nx_open>), the tests that the vendor
//! runs against its server (<https://github.com/networkoptix/nx_system_tests>), and its API reference.

mod device;
mod period;

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
use crate::clock;
use crate::config::WebConfig;
use crate::growth::Fetched;
use crate::media;
use device::Device;
use period::{Milliseconds, Period};

/// A server of Nx.
pub struct Nx(Session);

const LOGIN: Login = Login { path: &["rest", "v2", "login", "sessions"], user: "username", answer: Answer::Token };

/// The stream with the high resolution.
const PRIMARY: &str = "0";

/// When the picture of an answer was recorded, in microseconds since 1970.
const FRAME_TIMESTAMP: &str = "Frame-Timestamp";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    synchronized_time_ms: Milliseconds,
}

/// What newer versions write into the comment of a clip (`QnAviArchiveMetadata`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    start_time_ms: Milliseconds,
}

/// The cameras that an answer of `/rest/v2/devices` tells.
pub fn read_devices(answer: &[u8]) -> serde_json::Result<Vec<SourceDescription>> {
    serde_json::from_slice(answer).map(|devices| cameras(devices, None))
}

/// What holds a window of what an answer of `/rest/v2/devices/{id}/footage` tells, in order.
pub fn read_footage(answer: &[u8], window: Window, now: Timestamp) -> serde_json::Result<Vec<Recording>> {
    let periods = period::in_order(serde_json::from_slice(answer)?);
    Ok(period::clips("camera", &periods, window, Some(now)))
}

/// When a clip began, by its comment; none if that does not say.
pub fn read_comment(comment: &str) -> Option<Timestamp> {
    serde_json::from_str(comment).ok().map(|Comment { start_time_ms }| start_time_ms.at())
}

fn cameras(devices: Vec<Device>, retention_hours: Option<i64>) -> Vec<SourceDescription> {
    devices.into_iter().filter(Device::has_picture).map(|device| device.described(retention_hours)).collect()
}

impl Nx {
    /// Checks the settings; nothing is asked yet.
    pub fn new(config: WebConfig) -> anyhow::Result<Self> {
        Session::new(config, LOGIN).map(Self)
    }

    fn get(&self, path: &[&str], token: &str) -> RequestBuilder {
        let request = self.0.web().request(Method::GET, path);
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    async fn api<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<Result<T, WebError>, Trouble> {
        let path: Vec<_> = ["rest", "v2"].into_iter().chain(path.iter().copied()).collect();
        self.0.json(|token| self.get(&path, token).query(query)).await
    }

    async fn sources(&self) -> Result<Vec<SourceDescription>, Trouble> {
        let devices = self.api(&["devices"], &[("_with", device::FIELDS.to_owned())]).await??;
        Ok(cameras(devices, self.0.config().retention_hours))
    }

    /// What was recorded of a camera, in order; nothing of one that is not there.
    async fn periods(&self, camera: &str, bounds: &[(&str, String)]) -> Result<Vec<Period>, Trouble> {
        let all = [("periodType", "recording".to_owned()), ("detailLevelMs", "1".to_owned())];
        match self.api(&["devices", camera, "footage"], &[&all, bounds].concat()).await? {
            Err(WebError::NotFound) => Ok(Vec::new()),
            answer => Ok(period::in_order(answer?)),
        }
    }

    /// The time by which it records.
    async fn now(&self) -> Result<Timestamp, Trouble> {
        let info: Info = self.api(&["servers", "this", "info"], &[]).await??;
        Ok(info.synchronized_time_ms.at())
    }

    async fn image(&self, camera: &str, query: &[(&str, &str)]) -> Result<RequestBuilder, Trouble> {
        let token = self.0.current().await?;
        Ok(self.get(&["rest", "v2", "devices", camera, "image"], &token).query(query))
    }

    /// The key frame that a clip begins with, by the picture that the server makes of it; none if it does not tell.
    async fn key_frame(&self, clip: &Recording) -> Result<Option<Timestamp>, Trouble> {
        let asked = period::request(clip);
        let at = format!("{}000", asked.pos);
        let query = [("timestampUs", &*at), ("roundMethod", "iFrameBefore"), ("streamSelectionMode", "forcedPrimary")];
        let request = self.image(asked.camera, &query).await?;
        match self.0.web().header(request, FRAME_TIMESTAMP).await {
            Ok(told) => Ok(told.and_then(|told| period::key_frame(clip, &told))),
            Err(WebError::NotFound | WebError::Status(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[async_trait]
impl Archive for Nx {
    const KIND: &'static str = "nx";
    /// What a camera sends on motion is listed with its first pictures, from before the motion.
    const LISTED_WITHIN: Duration = Duration::from_secs(60);

    async fn list(&self, device_id: &str, window: Window) -> Result<Vec<Recording>, Trouble> {
        let periods = self.periods(device_id, &period::around(window)).await?;
        let open = periods.iter().any(Period::is_open);
        let now = if open { Some(self.now().await?) } else { None };
        Ok(period::clips(device_id, &periods, window, now))
    }

    async fn bounds(&self, device_id: &str) -> Result<Option<Bounds>, Trouble> {
        let periods = self.periods(device_id, &[]).await?;
        let bounds = periods.first().zip(periods.last());
        Ok(bounds.map(|(oldest, newest)| Bounds { oldest: oldest.begins, newest: newest.begins }))
    }

    async fn fetch(&self, _: &str, clip: &Recording, into: &Path) -> Result<bool, Trouble> {
        let token = self.0.current().await?;
        let asked = period::request(clip);
        let file = format!("{}.mp4", asked.camera);
        let query = [("pos", asked.pos), ("endPos", asked.end_pos), ("stream", PRIMARY)];
        let ask = || self.get(&["media", &file], &token).query(&query);
        let long = clip.ends.unwrap_or(clip.begins).since(clip.begins);
        match self.0.web().download(ask, into, web::longest(long)).await {
            Ok(_) => Ok(true),
            Err(WebError::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// By the file itself, if it says so; by its key frame, if the server tells when that was; or within what is known of it.
    async fn begins(&self, clip: &Recording, file: &Path, lasts: Duration) -> Result<(Timestamp, Duration), Trouble> {
        let comment = media::tag(file, "comment").await.map_err(Trouble::again)?;
        let mut exact = comment.and_then(|comment| read_comment(&comment)).filter(|at| period::can_begin(clip, *at));
        if exact.is_none() && !clip.or_later.is_zero() {
            exact = self.key_frame(clip).await?;
        }
        let (begins, or_later) = exact.map_or((clip.begins, clip.or_later), |at| (at, Duration::ZERO));
        Ok(period::placed(clip, begins, or_later, lasts))
    }

    /// Clips that do not follow each other are two periods, with a hole between.
    fn ends_later(&self, _: Duration) -> Duration {
        Duration::ZERO
    }
}

#[async_trait]
impl Adapter for Nx {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    async fn discover(&self) -> Discovery {
        Discovery::of(self.sources().await, WHAT_TO_DO)
    }

    async fn snapshot(&self, device_id: &str) -> Result<Vec<u8>, Trouble> {
        let request = self.image(device_id, &[]).await?;
        Ok(self.0.web().picture(request).await?)
    }

    async fn coverage(&self, asked: &Asked) -> Result<Coverage, Trouble> {
        archive::coverage(self, asked).await
    }

    async fn export(&self, asked: &Asked, into: &Path, fetched: &Fetched) -> Result<Exported, Trouble> {
        archive::export(self, asked, into, fetched).await
    }

    async fn clock(&self) -> Result<Option<ClockOffset>, Trouble> {
        self.0.current().await?;
        let sent = clock::now_ms();
        let told = self.now().await?.as_micros() / 1_000;
        let came = clock::now_ms();
        Ok(Some(ClockOffset {
            offset_ms: told - (sent + came) / 2,
            uncertainty_ms: Some((came - sent) / 2 + 1),
            measured_at: Some(Timestamp::from_micros(came * 1_000)),
        }))
    }
}

/// What to do when it does not tell of its cameras.
const WHAT_TO_DO: &str = "See that the server runs, that the url of the configuration is its own (https, port 7001), that its \
                     certificate names it and is of an authority that is known here (ca_file), and that the account may view the \
                     cameras and their archive.";
