//! Moonfire NVR 0.7, by its API (`ref/api.md` of <https://github.com/scottlamb/moonfire-nvr>), which its author calls internal: a
//! release may change it.
//!
//! It records a camera as runs of recordings of a minute, told to 1/90000 of a second, of up to three streams.

mod camera;
mod recording;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Timestamp, Window};
use protocol::{ClockOffset, SourceDescription, UnavailableReason};
use reqwest::header::{ACCEPT, COOKIE};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;

use super::archive::{self, Archive, Bounds, Recording};
use super::session::{Answer, Login, Session};
use super::web::{self, WebError};
use super::{Adapter, Asked, Coverage, Discovery, Exported, Trouble};
use crate::config::WebConfig;
use crate::growth::Fetched;
use crate::media;
use camera::{Camera, Root};
use recording::{Listed, Row, Ticks};

/// A Moonfire NVR server.
pub struct Moonfire(Session);

const LOGIN: Login = Login { path: &["api", "login"], user: "username", answer: Answer::Cookie };

/// The cameras that an answer of `/api/` tells.
pub fn read_cameras(answer: &[u8]) -> serde_json::Result<Vec<SourceDescription>> {
    let root: Root = serde_json::from_slice(answer)?;
    Ok(root.cameras.into_iter().map(|camera| camera.described(None)).collect())
}

/// What reaches into a window of the recordings that an answer of `/api/cameras/{uuid}/{stream}/recordings` tells.
pub fn read_recordings(answer: &[u8], window: Window) -> serde_json::Result<Vec<Recording>> {
    let listed: Listed = serde_json::from_slice(answer)?;
    Ok(recording::recordings("main", &recording::in_order(listed.recordings), window))
}

impl Moonfire {
    /// Checks the settings; nothing is asked yet.
    pub fn new(config: WebConfig) -> anyhow::Result<Self> {
        Session::new(config, LOGIN).map(Self)
    }

    async fn api<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, Trouble> {
        let request = |session: &str| with_session(self.0.web().request(Method::GET, path).query(query), session);
        Ok(self.0.json(request).await??)
    }

    async fn root(&self) -> Result<Root, Trouble> {
        self.api(&ROOT, &[]).await
    }

    async fn sources(&self) -> Result<Vec<SourceDescription>, Trouble> {
        let root = self.root().await?;
        if !root.permissions.view_video {
            return Err(Trouble::never(
                "The account may list the cameras of the video system, but not view their video.",
            ));
        }
        Ok(root.cameras.into_iter().map(|camera| camera.described(self.0.config().retention_hours)).collect())
    }

    async fn camera(&self, device_id: &str) -> Result<Option<Camera>, Trouble> {
        Ok(self.root().await?.cameras.into_iter().find(|camera| camera.uuid == device_id))
    }

    /// The recordings of a stream that touch a time, each by itself, in order.
    async fn rows(&self, camera: &Camera, stream: &str, from: Ticks, to: Option<Ticks>) -> Result<Vec<Row>, Trouble> {
        let (from, to) = (from.text(), to.map(Ticks::text));
        let mut query = vec![("startTime90k", from.as_str()), ("split90k", "0")];
        query.extend(to.as_deref().map(|to| ("endTime90k", to)));
        let listed: Listed = self.api(&["api", "cameras", &camera.uuid, stream, "recordings"], &query).await?;
        Ok(recording::in_order(listed.recordings))
    }

    /// The newest recording of each stream that has any.
    async fn newest(&self, camera: &Camera) -> Result<Vec<(&'static str, Row)>, Trouble> {
        let mut newest = Vec::new();
        for (name, stream) in camera.streams() {
            let from = stream.max_end_time_90k.map_or(Ticks::until(Timestamp::from_micros(0)), Ticks::before);
            newest.extend(self.rows(camera, name, from, None).await?.pop().map(|row| (name, row)));
        }
        Ok(newest)
    }

    /// Writes what the parameter `s` tells of a stream into a file, and answers whether there still is such.
    async fn view(
        &self,
        device_id: &str,
        stream: &str,
        segments: &str,
        into: &Path,
        long: Duration,
    ) -> Result<bool, Trouble> {
        let session = self.0.current().await?;
        let path = ["api", "cameras", device_id, stream, "view.mp4"];
        let ask = || with_session(self.0.web().request(Method::GET, &path).query(&[("s", segments)]), &session);
        match self.0.web().download(ask, into, web::longest(long)).await {
            Ok(_) => Ok(true),
            Err(WebError::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// `/api/`: the slash is part of it.
const ROOT: [&str; 2] = ["api", ""];

fn with_session(request: RequestBuilder, session: &str) -> RequestBuilder {
    let request = request.header(ACCEPT, "application/json");
    if session.is_empty() { request } else { request.header(COOKIE, format!("s={session}")) }
}

#[async_trait]
impl Archive for Moonfire {
    const KIND: &'static str = "moonfire";
    /// What grows is listed with its second frame; but a camera that is just connected may first send what it held back.
    const LISTED_WITHIN: Duration = Duration::from_secs(30);

    /// Those of the main stream; of another one, where the main stream has nothing of the window.
    async fn list(&self, device_id: &str, window: Window) -> Result<Vec<Recording>, Trouble> {
        let Some(camera) = self.camera(device_id).await? else { return Ok(Vec::new()) };
        let (from, to) = recording::around(window);
        for (stream, _) in camera.streams() {
            let rows = self.rows(&camera, stream, from, Some(to)).await?;
            let recordings = recording::recordings(stream, &rows, window);
            if !recordings.is_empty() {
                return Ok(recordings);
            }
        }
        Ok(Vec::new())
    }

    async fn bounds(&self, device_id: &str) -> Result<Option<Bounds>, Trouble> {
        let Some(camera) = self.camera(device_id).await? else { return Ok(None) };
        let newest: Vec<_> = self.newest(&camera).await?.iter().map(|(_, row)| row.begins()).collect();
        let committed = camera.streams().filter_map(|(_, stream)| Some(stream.min_start_time_90k?.at()));
        let oldest = committed.chain(newest.iter().copied()).min();
        Ok(oldest.zip(newest.into_iter().max()).map(|(oldest, newest)| Bounds { oldest, newest }))
    }

    async fn fetch(&self, device_id: &str, recording: &Recording, into: &Path) -> Result<bool, Trouble> {
        if recording::is_unsettled(recording) {
            return Err(Trouble::NotYet); // it is whole within two minutes
        }
        let (stream, segments) = recording.name.split_once('/').unwrap_or_default();
        let long = recording.ends.map_or(recording::LONGEST, |ends| ends.since(recording.begins));
        self.view(device_id, stream, segments, into, long).await
    }
}

#[async_trait]
impl Adapter for Moonfire {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    async fn discover(&self) -> Discovery {
        Discovery::of(self.sources().await, WHAT_TO_DO)
    }

    /// It makes no pictures: the last second of the newest recording is fetched, from the key frame before.
    async fn snapshot(&self, device_id: &str) -> Result<Vec<u8>, Trouble> {
        let none = || Trouble::unavailable(UnavailableReason::NeverRecorded, "There is no recording of this camera.");
        let camera = self.camera(device_id).await?.ok_or_else(none)?;
        let newest = self.newest(&camera).await?.into_iter().max_by_key(|(_, row)| row.begins());
        let (stream, row) = newest.ok_or_else(none)?;
        let file = tempfile::Builder::new().suffix(".mp4").tempfile().map_err(Trouble::disk)?;
        if !self.view(device_id, stream, &row.last_second(), file.path(), recording::LONGEST).await? {
            return Err(none());
        }
        Ok(media::picture(file.path(), 0).await?)
    }

    async fn coverage(&self, asked: &Asked) -> Result<Coverage, Trouble> {
        archive::coverage(self, asked).await
    }

    async fn export(&self, asked: &Asked, into: &Path, fetched: &Fetched) -> Result<Exported, Trouble> {
        archive::export(self, asked, into, fetched).await
    }

    async fn clock(&self) -> Result<Option<ClockOffset>, Trouble> {
        let request = with_session(self.0.web().request(Method::GET, &ROOT), &self.0.current().await?);
        Ok(self.0.web().clock(request).await?)
    }
}

/// What to do when it does not tell of its cameras.
const WHAT_TO_DO: &str = "See that Moonfire NVR runs, that the url of the configuration opens its page, and that the account has the \
                     permission to view video (moonfire-nvr config, Users), which counts from the next login on.";
