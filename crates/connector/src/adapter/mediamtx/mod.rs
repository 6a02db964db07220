//! MediaMTX, by its control API and its playback server (<https://mediamtx.org/docs/usage/playback>).
//!
//! A path that is recorded is a camera. The control API tells which there are and when their segments begin; the playback server
//! tells how long these last, and hands them out.

mod run;
mod servers;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Timestamp, Window};
use protocol::{ClockOffset, ProblemReport, SourceDescription, UnavailableReason};

use super::archive::{self, Archive, Bounds, Recording};
use super::{Adapter, Asked, Coverage, Discovery, Exported, Trouble};
use crate::config::MediamtxConfig;
use crate::growth::Fetched;
use crate::media;
use servers::{Live, PageOf, Recorded, Servers};

/// Of the newest recording so much is fetched for a picture.
const END: Duration = Duration::from_secs(3);

/// A MediaMTX server.
pub struct MediaMtx(Servers);

impl MediaMtx {
    /// Checks the settings; nothing is asked yet.
    pub fn new(config: MediamtxConfig) -> anyhow::Result<Self> {
        Ok(Self(Servers::new(config)?))
    }
}

/// The cameras that an answer of `/v3/paths/list` tells.
pub fn read_paths(answer: &[u8]) -> serde_json::Result<Vec<SourceDescription>> {
    let listed: PageOf<Live> = serde_json::from_slice(answer)?;
    Ok(cameras(&listed.items, &[], None))
}

/// When the segments begin that an answer of `/v3/recordings/get` tells, in order.
pub fn read_segments(answer: &[u8]) -> serde_json::Result<Vec<Timestamp>> {
    serde_json::from_slice(answer).map(Recorded::begins)
}

/// What an answer of `/list` tells of a window, in order; `segments` as [`read_segments`] tells them.
pub fn read_list(answer: &[u8], segments: &[Timestamp], window: Window) -> serde_json::Result<Vec<Recording>> {
    let runs = run::runs(segments, serde_json::from_slice(answer)?);
    Ok(run::recordings(&runs, window))
}

/// The paths that have recordings, are configured by their name, or bring pictures now. Others are there because somebody asks
/// for them.
fn cameras(live: &[Live], recorded: &[Recorded], retention_hours: Option<i64>) -> Vec<SourceDescription> {
    let mut found: BTreeMap<&str, Option<bool>> = recorded.iter().map(|path| (path.name.as_str(), None)).collect();
    for path in live {
        if path.online() || path.name == path.conf_name || found.contains_key(path.name.as_str()) {
            found.insert(&path.name, Some(path.online()));
        }
    }
    let described = |(name, online): (&str, Option<bool>)| SourceDescription {
        device_id: name.to_owned(),
        name: name.to_owned(),
        online,
        retention_hours,
        ..SourceDescription::default()
    };
    found.into_iter().map(described).collect()
}

#[async_trait]
impl Archive for MediaMtx {
    const KIND: &'static str = "mediamtx";
    /// What is recorded is written each second, unless `recordPartDuration` says otherwise.
    const LISTED_WITHIN: Duration = Duration::from_secs(30);

    async fn list(&self, device_id: &str, window: Window) -> Result<Vec<Recording>, Trouble> {
        let segments = self.0.segments(device_id).await?;
        let runs = self.0.runs(device_id, &segments, run::near(&segments, window)).await?;
        Ok(run::recordings(&runs, window))
    }

    async fn bounds(&self, device_id: &str) -> Result<Option<Bounds>, Trouble> {
        let segments = self.0.segments(device_id).await?;
        let bounds = segments.first().zip(segments.last());
        Ok(bounds.map(|(oldest, newest)| Bounds { oldest: *oldest, newest: *newest }))
    }

    async fn fetch(&self, device_id: &str, recording: &Recording, into: &Path) -> Result<bool, Trouble> {
        let long = recording.ends.unwrap_or(recording.begins).since(recording.begins);
        // pictures of a segment may come after the sound that begins the next one
        self.0.part(device_id, recording.begins, long + run::SLACK, into).await
    }

    /// What was asked for is the time of its first picture, if that is the first to be decoded. If not, sound came first, or what
    /// came first has been deleted meanwhile: then the picture's place on the file's own clock tells.
    async fn begins(&self, recording: &Recording, file: &Path, _: Duration) -> Result<(Timestamp, Duration), Trouble> {
        let first = media::first_packet(file).await?;
        let later = if first.dts_us > 0 { first.pts_us } else { 0 };
        Ok((recording.begins.plus(Duration::from_micros(later.unsigned_abs())), recording.or_later))
    }

    /// Recordings that do not follow each other are two runs, with a hole between; what all times are behind by changes nothing.
    fn ends_later(&self, _: Duration) -> Duration {
        Duration::ZERO
    }
}

#[async_trait]
impl Adapter for MediaMtx {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    async fn discover(&self) -> Discovery {
        let (live, recorded) = match self.0.paths().await {
            Ok(told) => told,
            Err(trouble) => return Discovery::of(Err(trouble), WHAT_TO_DO),
        };
        let sources = cameras(&live, &recorded, self.0.config.retention_hours);
        let problem = self.0.hand_out(&recorded).await.err();
        let report = |trouble: Trouble| ProblemReport { text: trouble.to_string(), what_to_do: PLAYBACK.to_owned() };
        Discovery { sources, whole: true, problem: problem.map(report), ..Discovery::default() }
    }

    /// There is none of now; one of the newest recording.
    async fn snapshot(&self, device_id: &str) -> Result<Vec<u8>, Trouble> {
        let segments = self.0.segments(device_id).await?;
        let newest = segments.len().saturating_sub(1)..segments.len();
        let Some(run) = self.0.runs(device_id, &segments, newest).await?.pop() else {
            return Err(Trouble::unavailable(
                UnavailableReason::NeverRecorded,
                "There is no recording of this camera that can be read.",
            ));
        };
        let file = tempfile::NamedTempFile::new().map_err(Trouble::disk)?;
        self.0.part(device_id, run.ends.minus(END).max(run.begins()), END, file.path()).await?;
        let facts = media::facts(file.path()).await?;
        Ok(media::picture(file.path(), (facts.duration_us - 1_000_000).max(0)).await?)
    }

    async fn coverage(&self, asked: &Asked) -> Result<Coverage, Trouble> {
        archive::coverage(self, asked).await
    }

    async fn export(&self, asked: &Asked, into: &Path, fetched: &Fetched) -> Result<Exported, Trouble> {
        archive::export(self, asked, into, fetched).await
    }

    async fn clock(&self) -> Result<Option<ClockOffset>, Trouble> {
        self.0.clock().await
    }
}

/// What to do when it does not tell of its cameras.
const WHAT_TO_DO: &str = "See that MediaMTX runs with `api: true`, that the url of the configuration is that of its control API (port \
                     9997), and that the account has the permission `api` for the address of this machine.";

/// What to do when it tells of cameras and hands out nothing.
const PLAYBACK: &str = "See that MediaMTX runs with `playback: true`, that playback_url is the address of its playback server (port \
                     9996), and that the account has the permission `playback` for all paths.";
