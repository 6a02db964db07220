//! Devices with ONVIF Profile G: cameras with a card, and recorders (<https://www.onvif.org/profiles/specifications/>).
//!
//! A camera is a recording of the device: what it has kept of one source. Each picture of a replay tells its time, so that
//! nothing of an export's times is guessed.

mod cameras;
pub(super) mod recordings;
pub(super) mod soap;
pub mod xml;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::Window;
use protocol::ClockOffset;

use super::replay::{self, Recorded};
use super::{Adapter, Asked, Coverage, Discovery, Exported, Trouble};
use crate::config::WebConfig;
use crate::growth::Fetched;
use soap::Device;

/// So long after a moment a device tells that it was recorded, at the latest.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

/// A device.
pub struct Onvif(Device);

/// Reads whatever a device answers as each call would: what it is, where it stands, what time it is, what was found. Answers the
/// spans of a window that it has of the first recording found, and the fault that it tells, if any.
pub fn read(answer: &[u8], window: Window) -> Option<Result<Vec<Window>, Trouble>> {
    let told = match soap::told(answer, 200)? {
        Ok(told) => told,
        Err(fault) => return Some(Err(fault)),
    };
    cameras::read(&told);
    soap::second(&told);
    Some(Ok(recordings::read(&told, window)))
}

impl Onvif {
    /// Checks the settings; nothing is asked yet.
    pub fn new(config: WebConfig) -> anyhow::Result<Self> {
        Ok(Self(Device::new(config)?))
    }
}

#[async_trait]
impl Adapter for Onvif {
    fn kind(&self) -> &'static str {
        "onvif"
    }

    async fn discover(&self) -> Discovery {
        Discovery::of(self.0.cameras().await, WHAT_TO_DO)
    }

    async fn snapshot(&self, device_id: &str) -> Result<Vec<u8>, Trouble> {
        self.0.picture(device_id).await
    }

    async fn coverage(&self, asked: &Asked) -> Result<Coverage, Trouble> {
        let Some(recording) = self.0.recording(&asked.device_id).await? else {
            return Ok(Coverage { spans: Vec::new(), complete: true });
        };
        let spans = self.0.spans(&recording, asked.window).await?;
        let more = recording.goes_on && recording.latest.is_none_or(|latest| latest < asked.window.to);
        let spans = super::joined(spans, Duration::from_millis(300), asked.window);
        Ok(Coverage { spans, complete: !more && asked.window.to.plus(TOLD_WITHIN) <= asked.now })
    }

    async fn export(&self, asked: &Asked, into: &Path, fetched: &Fetched) -> Result<Exported, Trouble> {
        let nothing = Recorded { bounds: None, goes_on: false };
        let Some(recording) = self.0.recording(&asked.device_id).await? else {
            return Err(replay::nothing_there(nothing, asked));
        };
        let recorded = Recorded { bounds: recording.earliest.zip(recording.latest), goes_on: recording.goes_on };
        if recorded.bounds.is_none() && !recorded.goes_on {
            return Err(replay::nothing_there(recorded, asked));
        }
        replay::export(self.kind(), &self.0.source(&recording.token).await?, recorded, asked, into, fetched).await
    }

    async fn clock(&self) -> Result<Option<ClockOffset>, Trouble> {
        self.0.clock().await.map(Some)
    }
}

/// What to do when it does not tell of its cameras.
const WHAT_TO_DO: &str = "See that the url of the configuration is the device's address, that ONVIF is switched on in it, that the account is \
                     one of its ONVIF users with the right to see recordings, and that it records (ONVIF Profile G).";
