//! Any program that speaks a small protocol of JSON lines on its standard streams, so that an adapter can be written in any
//! language. The protocol's reference is `docs/guide/connectors/command.md`.
//!
//! A program either lists recordings and brings them as files, as an [`Archive`], or exports a window as one file. Both are cut
//! by [`crate::cut`]; nothing that the program claims about a file's frames is believed but the time of its first.

mod life;
pub mod message;
mod process;
mod program;
mod target;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Timestamp, Window};
use protocol::{ClockOffset, ProblemReport};
use serde_json::json;

use super::archive::{self, Archive, Bounds, Recording};
use super::{Adapter, Asked, Coverage, Discovery, Exported, Locks, Trouble, web};
use crate::clock;
use crate::config::CommandConfig;
use crate::cut::{self, Beside, Cut, Part};
use crate::growth::Fetched;
use crate::media;
use message::{Cameras, Covered, Done, Failure, Held, Outermost, Recordings, Shown, Whole};
use program::{Program, Refusal};
use target::Target;

/// The longest picture.
const LONGEST_PICTURE: u64 = 8 << 20;
/// What is still being recorded may last as long as this.
const LONGEST_OPEN: Duration = Duration::from_secs(7_200);
/// An export may hold so much more than its window.
const AROUND: Duration = Duration::from_secs(600);
/// Holes in an exported file up to this are none.
const TOLERANCE: Duration = Duration::from_millis(300);

/// A program that speaks for a video system.
pub struct External {
    config: CommandConfig,
    program: Program,
}

impl External {
    /// Checks the settings; the program is started when it is first asked.
    pub fn new(config: CommandConfig) -> anyhow::Result<Self> {
        anyhow::ensure!(!config.command.is_empty(), "the adapter's command names no program");
        Ok(Self { program: Program::new(config.clone()), config })
    }

    async fn can(&self, method: &str) -> Result<bool, Trouble> {
        Ok(self.program.hello().await?.can.contains(method))
    }

    /// Of a program that lists no recordings, a window is exported as one file.
    async fn exports(&self) -> Result<bool, Trouble> {
        let hello = self.program.hello().await?;
        Ok(hello.can.contains("export") && !hello.can.contains("recordings"))
    }

    async fn cameras(&self) -> Result<Cameras, Trouble> {
        let mut cameras: Cameras = self.program.ask("discover", json!({})).await?;
        for source in &mut cameras.sources {
            source.retention_hours = source.retention_hours.or(self.config.retention_hours);
        }
        Ok(cameras)
    }

    /// Has the program write the window into a file, and cuts it as any recording is cut.
    async fn export_whole(&self, asked: &Asked, into: &Path) -> Result<Exported, Trouble> {
        let Asked { device_id, window, now, .. } = asked;
        let target = Target::within(into, web::longest(window.duration() + AROUND))?;
        let params = json!({
            "device_id": device_id, "from": window.from, "to": window.to, "now": now, "into": target.path()
        });
        let whole: Whole = self.program.ask_for_file("export", params, Some(&target)).await?;
        let (begins, or_later) = whole.begins();
        let path = target.keep(&into.join("window.mp4")).await?;
        let facts = media::facts(&path).await?;
        let part = Part {
            name: "window".into(),
            begins,
            or_later,
            ends_later: or_later,
            ends: begins.plus(Duration::from_micros(facts.duration_us.unsigned_abs())),
            size: tokio::fs::metadata(&path).await.map_err(Trouble::again)?.len(),
            path,
            facts,
        };
        cut::cut(
            Cut {
                beside: Beside::default(),
                adapter: Self::KIND,
                device_id: device_id.clone(),
                window: *window,
                usable: vec![part],
                unreadable: Vec::new(),
                tolerance: TOLERANCE,
            },
            into,
        )
        .await
    }
}

#[async_trait]
impl Archive for External {
    const KIND: &'static str = "command";
    const LISTED_WITHIN: Duration = Duration::from_secs(30);

    async fn list(&self, device_id: &str, window: Window) -> Result<Vec<Recording>, Trouble> {
        let params = json!({"device_id": device_id, "from": window.from, "to": window.to});
        let listed: Recordings = self.program.ask("recordings", params).await?;
        Ok(listed.in_order())
    }

    async fn bounds(&self, device_id: &str) -> Result<Option<Bounds>, Trouble> {
        let found: Outermost = self.program.ask("bounds", json!({"device_id": device_id})).await?;
        Ok(found.bounds.map(|ends| Bounds { oldest: ends.oldest, newest: ends.newest }))
    }

    async fn fetch(&self, device_id: &str, recording: &Recording, into: &Path) -> Result<bool, Trouble> {
        let Recording { name, begins, ends, .. } = recording;
        let long = ends.map_or(LONGEST_OPEN, |ends| ends.since(*begins));
        let target = Target::within(into.parent().unwrap_or(into), web::longest(long))?;
        let params = json!({"device_id": device_id, "name": name, "into": target.path()});
        match self.program.ask_for_file("fetch", params, Some(&target)).await {
            Ok(Done {}) => target.keep(into).await.map(|_| true),
            Err(Refusal::Failed(Failure::Gone)) => Ok(false),
            Err(refusal) => Err(refusal.into()),
        }
    }
}

#[async_trait]
impl Adapter for External {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    async fn discover(&self) -> Discovery {
        match self.cameras().await {
            Ok(Cameras { sources, whole, problem }) => {
                let problem = problem.map(|told| ProblemReport {
                    text: message::sentence(&told.text),
                    what_to_do: message::sentence(&told.what_to_do),
                });
                Discovery { sources, whole, problem, ..Discovery::default() }
            }
            Err(trouble) => {
                Discovery { problem: Some(problem(&trouble)), away: trouble.is_away(), ..Discovery::default() }
            }
        }
    }

    async fn snapshot(&self, device_id: &str) -> Result<Vec<u8>, Trouble> {
        if !self.can("snapshot").await? {
            return Err(Trouble::never("The adapter's program shows no pictures."));
        }
        let folder = tempfile::tempdir().map_err(Trouble::again)?;
        let target = Target::within(folder.path(), LONGEST_PICTURE)?;
        let params = json!({"device_id": device_id, "into": target.path()});
        let Done {} = self.program.ask_for_file("snapshot", params, Some(&target)).await?;
        let picture = target.read().await?;
        if picture.starts_with(b"\xff\xd8\xff") {
            Ok(picture)
        } else {
            Err(Trouble::again("What the adapter's program wrote is no JPEG."))
        }
    }

    async fn coverage(&self, asked: &Asked) -> Result<Coverage, Trouble> {
        if !self.exports().await? {
            return archive::coverage(self, asked).await;
        }
        let Asked { device_id, window, now, .. } = asked;
        let params = json!({"device_id": device_id, "from": window.from, "to": window.to, "now": now});
        let Covered { spans, complete } = self.program.ask("coverage", params).await?;
        let spans = spans.into_iter().filter(|span| span.from < span.to).collect();
        Ok(Coverage { spans: super::joined(spans, TOLERANCE, *window), complete })
    }

    async fn export(&self, asked: &Asked, into: &Path, fetched: &Fetched) -> Result<Exported, Trouble> {
        if self.exports().await? {
            self.export_whole(asked, into).await
        } else {
            archive::export(self, asked, into, fetched).await
        }
    }

    async fn clock(&self) -> Result<Option<ClockOffset>, Trouble> {
        if !self.can("clock").await? {
            return Ok(None);
        }
        let sent = clock::now_ms();
        let Shown { now, precision_ms } = self.program.ask("clock", json!({})).await?;
        let came = clock::now_ms();
        // somewhere within what was cut off, and somewhere between asking and hearing
        let half = i64::from(precision_ms / 2);
        let offset_ms = now.as_millis() + half - (sent + came) / 2;
        let uncertainty_ms = Some(half + (came - sent) / 2 + 1);
        Ok(Some(ClockOffset { offset_ms, uncertainty_ms, measured_at: Some(Timestamp::from_micros(came * 1_000)) }))
    }

    async fn hold(&self, asked: &Asked, _locks: &Locks<'_>) -> Result<Option<String>, Trouble> {
        if !self.can("hold").await? {
            return Ok(None);
        }
        let Asked { device_id, window, .. } = asked;
        let params = json!({"device_id": device_id, "from": window.from, "to": window.to});
        let Held { name } = self.program.ask("hold", params).await?;
        Ok(Some(name))
    }

    async fn free(&self, name: &str, _others: &[String]) -> Result<(), Trouble> {
        let Done {} = self.program.ask("free", json!({"name": name})).await?;
        Ok(())
    }
}

fn problem(trouble: &Trouble) -> ProblemReport {
    ProblemReport {
        text: trouble.to_string(),
        what_to_do:
            "See what the adapter's program says in the connector's log, and that the command of the configuration \
                     starts it."
                .into(),
    }
}
