//! Milestone XProtect: its cameras and its evidence locks by the API Gateway of the management server, its footage by the Open
//! Network Bridge, which speaks ONVIF Profile G and replays over RTSP.
//!
//! A camera is called by the same id at both: the bridge's search takes "the camera GUID token".

pub mod bridge;
mod camera;
mod gateway;
mod lock;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::Window;
use protocol::{ClockOffset, ProblemReport, SourceDescription, UnavailableReason};

use super::replay::{self, Recorded};
use super::{Adapter, Asked, Coverage, Discovery, Exported, Locks, Trouble};
use crate::clock;
use crate::config::{MilestoneConfig, WebConfig};
use crate::growth::Fetched;
use crate::media;
use bridge::{Bridge, Seen};
use gateway::Gateway;

/// So long after a moment the bridge tells that it was recorded, at the latest.
const TOLD_WITHIN: Duration = Duration::from_secs(30);
/// Sequences that are no further apart follow each other.
const SEAM: Duration = Duration::from_millis(300);
/// So much of the newest recording is played for a picture.
const END: Duration = Duration::from_secs(3);

/// An XProtect system.
pub struct Milestone {
    gateway: Gateway,
    bridge: Bridge,
}

impl Milestone {
    /// Checks the settings; nothing is asked yet.
    pub fn new(MilestoneConfig { bridge_url, web }: MilestoneConfig) -> anyhow::Result<Self> {
        use anyhow::Context;
        let bridge = WebConfig { url: bridge_url, ..web.clone() };
        Ok(Self { gateway: Gateway::new(web)?, bridge: Bridge::new(bridge).context("bridge_url")? })
    }

    /// What is recorded of a window, or else what is nearest to it. How the bridge answers for a camera that is gone is not
    /// documented, so that the gateway is asked.
    async fn recorded(&self, asked: &Asked) -> Result<Seen, Trouble> {
        match self.bridge.recorded(&asked.device_id, asked.window, asked.now).await {
            Err(_) if !self.gateway.has(&asked.device_id).await? => Ok(Seen::default()),
            seen => seen,
        }
    }
}

fn reach(seen: &Seen) -> Recorded {
    Recorded { bounds: seen.bounds(), goes_on: seen.goes_on }
}

fn spans(seen: &Seen, window: Window) -> Vec<Window> {
    super::joined(seen.spans.clone(), SEAM, window)
}

/// The cameras that an answer of the Configuration API tells.
pub fn read_cameras(answer: &[u8]) -> Result<Vec<SourceDescription>, super::web::WebError> {
    camera::read(answer, None)
}

/// The id of the evidence lock that an answer tells to have been made.
pub fn read_lock(answer: &[u8]) -> Option<String> {
    lock::made(answer)
}

#[async_trait]
impl Adapter for Milestone {
    fn kind(&self) -> &'static str {
        "milestone"
    }

    async fn discover(&self) -> Discovery {
        let sources = match self.gateway.cameras().await {
            Ok(sources) => sources,
            Err(trouble) => return Discovery::of(Err(trouble), WHAT_TO_DO),
        };
        // that the gateway answers does not mean that the bridge does, or knows the account
        let asked = match sources.first() {
            Some(camera) => self.bridge.hands_out(&camera.device_id).await.err(),
            None => None,
        };
        let report = |trouble: Trouble| ProblemReport { text: trouble.to_string(), what_to_do: BRIDGE.to_owned() };
        Discovery { sources, whole: true, problem: asked.map(report), ..Discovery::default() }
    }

    /// There is none of now; one of the newest recording.
    async fn snapshot(&self, device_id: &str) -> Result<Vec<u8>, Trouble> {
        let none = || Trouble::unavailable(UnavailableReason::NeverRecorded, "There is no recording of this camera.");
        let seen = self.bridge.newest(device_id, clock::now()).await?;
        let (token, newest) = seen.token.zip(seen.spans.iter().max_by_key(|span| span.to)).ok_or_else(none)?;
        let end = Window { from: newest.to.minus(END).max(newest.from), to: newest.to };
        let folder = tempfile::tempdir().map_err(Trouble::again)?;
        let parts = replay::record(&self.bridge.source(&token).await?, end, folder.path(), &Fetched::default()).await?;
        let last = parts.iter().max_by_key(|part| part.ends).ok_or_else(none)?;
        let at_us = (last.facts.duration_us - 1_000_000).max(0);
        media::picture(&last.path, at_us).await.map_err(Trouble::again)
    }

    async fn coverage(&self, asked: &Asked) -> Result<Coverage, Trouble> {
        let seen = self.recorded(asked).await?;
        let more = seen.goes_on && seen.bounds().is_none_or(|(_, ends)| ends < asked.window.to);
        let complete = !more && asked.window.to.plus(TOLD_WITHIN) <= asked.now;
        Ok(Coverage { spans: spans(&seen, asked.window), complete })
    }

    async fn export(&self, asked: &Asked, into: &Path, fetched: &Fetched) -> Result<Exported, Trouble> {
        let seen = self.recorded(asked).await?;
        let recorded = reach(&seen);
        let Some(token) = seen.token else { return Err(replay::nothing_there(recorded, asked)) };
        replay::export(self.kind(), &self.bridge.source(&token).await?, recorded, asked, into, fetched).await
    }

    async fn clock(&self) -> Result<Option<ClockOffset>, Trouble> {
        self.gateway.clock().await
    }

    /// A lock of its own for each hold: what several of them cover is kept until the last is deleted.
    async fn hold(&self, asked: &Asked, _locks: &Locks<'_>) -> Result<Option<String>, Trouble> {
        let seen = self.recorded(asked).await?;
        if spans(&seen, asked.window).is_empty() {
            return Err(replay::nothing_there(reach(&seen), asked));
        }
        self.gateway.lock(&asked.device_id, asked.window).await
    }

    async fn holds_still(&self, name: &str) -> Result<Option<String>, Trouble> {
        Ok(self.gateway.has_lock(name).await?.then(|| name.to_owned()))
    }

    async fn free(&self, name: &str, others: &[String]) -> Result<(), Trouble> {
        if others.iter().any(|other| other == name) { Ok(()) } else { self.gateway.unlock(name).await }
    }
}

/// What to do when it does not tell of its cameras.
const WHAT_TO_DO: &str = "See that the url of the configuration is that of the management server with the API Gateway, and that the account is a \
                     basic user of XProtect whose role may see the cameras.";

/// What to do when it tells of cameras and hands out nothing.
const BRIDGE: &str = "See that the Open Network Bridge runs, that bridge_url is its address (port 580), and that the account is among the \
                     users of the bridge in the Management Client, with a role that may play recordings.";
