//! The adapter for a folder of time-stamped segments, as plain recorders write them.

mod begin;
mod longer;
mod pattern;
mod probed;
mod scan;
mod window;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::{Timestamp, Window};
use jiff::tz::TimeZone;
use protocol::{ProblemReport, SourceDescription, UnavailableReason};

use super::{Adapter, Asked, Coverage, Discovery, Exported, Trouble};
use crate::config::FolderConfig;
use crate::cut::{self, Cut, Part};
use crate::growth::Fetched;
use crate::media;
use pattern::Pattern;
pub use pattern::PatternError;
use probed::{Probed, moment};
use scan::{Found, Rule, Scan};
use window::Parts;

const KIND: &str = "folder";
/// So long after its end a window's segment must have shown up.
const SETTLE: Duration = Duration::from_secs(3);
/// From so many segments on, coverage believes the distance between two names instead of opening each file.
const PROBE_AT_MOST: usize = 200;
/// A file whose last change is so near a time that its name means began then: less than half of an hour that comes twice.
const NEAR_US: u64 = 1_000_000 * 25 * 60;

/// A folder of time-stamped segments.
pub struct Folder(Arc<Recordings>);

struct Recordings {
    config: FolderConfig,
    pattern: Pattern,
    zone: TimeZone,
    only_camera: String,
    declared: Vec<String>,
    probed: Mutex<HashMap<PathBuf, Probed>>,
}

impl Folder {
    /// Checks the settings; the folder itself may come later.
    ///
    /// `declared` are the cameras that the operator's file names: they are there even if none of their recordings is.
    pub fn new(config: FolderConfig, declared: Vec<String>) -> anyhow::Result<Self> {
        use anyhow::Context;
        let pattern = Pattern::parse(&config.pattern).with_context(|| format!("pattern '{}'", config.pattern))?;
        let zone = TimeZone::get(&config.time_zone)
            .with_context(|| format!("time_zone '{}' is none of the IANA names", config.time_zone))?;
        let only_camera = config
            .camera
            .clone()
            .or_else(|| config.path.file_name().map(|name| name.to_string_lossy().into_owned()))
            .unwrap_or_else(|| "camera".into());
        Ok(Self(Arc::new(Recordings { config, pattern, zone, only_camera, declared, probed: Mutex::default() })))
    }
}

/// Which camera a path below the folder names, if the pattern has one, and when the file begins; `None` if the path does not fit.
/// In an hour that the clock shows twice it is the first.
pub fn read_name(
    pattern: &str,
    zone: &TimeZone,
    path: &str,
) -> Result<Option<(Option<String>, Timestamp)>, PatternError> {
    let facts = Pattern::parse(pattern)?.read_path(path);
    Ok(facts.and_then(|facts| {
        let (begins, _) = facts.begins(zone, || None)?;
        Some((facts.camera, begins.into()))
    }))
}

#[async_trait]
impl Adapter for Folder {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn discover(&self) -> Discovery {
        self.0.discover().await
    }

    async fn snapshot(&self, device_id: &str) -> Result<Vec<u8>, Trouble> {
        self.0.snapshot(device_id).await
    }

    async fn coverage(&self, asked: &Asked) -> Result<Coverage, Trouble> {
        self.0.coverage(asked).await
    }

    async fn export(&self, asked: &Asked, into: &Path, _: &Fetched) -> Result<Exported, Trouble> {
        let cut = self.0.look(asked).await?;
        cut::cut(cut, into).await
    }
}

impl Recordings {
    async fn scan(self: &Arc<Self>, camera: Option<&str>) -> Result<Scan, Trouble> {
        let (this, camera) = (Arc::clone(self), camera.map(str::to_owned));
        let looked = tokio::task::spawn_blocking(move || {
            let root = std::fs::canonicalize(&this.config.path)?;
            let mut scan = scan::scan(&Rule {
                root: &root,
                pattern: &this.pattern,
                zone: &this.zone,
                only_camera: &this.only_camera,
                camera: camera.as_deref(),
            })?;
            if let Some(camera) = &camera {
                scan.found.retain(|found| found.device_id == *camera);
            }
            Ok::<_, std::io::Error>(scan)
        });
        let mut scan = looked
            .await
            .map_err(Trouble::again)?
            .map_err(|error| Trouble::Away(format!("The recordings' folder cannot be read: {error}.")))?;
        self.tell_apart(&mut scan).await;
        Ok(scan)
    }

    /// In an hour that the clock shows twice a name means two times. A file began where its length before its last change is. Where that
    /// is neither, as after a copy, it may have been at either.
    async fn tell_apart(&self, scan: &mut Scan) {
        if scan.found.iter().all(|found| found.or_begins.is_none()) {
            return;
        }
        let mut twins = Vec::new();
        for found in &mut scan.found {
            let Some(other) = found.or_begins else { continue };
            let Ok(probed) = self.probe(&found.path).await else { continue };
            let told = probed.began().and_then(|began| {
                let near = |at: &Timestamp| at.as_micros().abs_diff(began.as_micros()) < NEAR_US;
                [found.begins, other].into_iter().find(near)
            });
            match told {
                Some(begins) => (found.begins, found.or_begins) = (begins, None),
                None => twins.push(Found { begins: other, or_begins: Some(found.begins), ..found.clone() }),
            }
        }
        scan.found.append(&mut twins);
        scan.sort();
    }

    /// The cameras, and what is wrong with the folder.
    async fn discover(self: &Arc<Self>) -> Discovery {
        let (scan, mut problem) = match self.scan(None).await {
            Ok(scan) => (scan, None),
            Err(trouble) => {
                let what_to_do =
                    format!("See that the folder {} is there and may be read.", self.config.path.display());
                (Scan::default(), Some(ProblemReport { text: trouble.to_string(), what_to_do }))
            }
        };
        let whole = problem.is_none();
        if scan.found.is_empty() && problem.is_none() {
            problem = Some(self.nothing_matches(&scan));
        }
        let is_found = |id: &&String| scan.found.iter().any(|found| found.device_id == **id);
        let declared: BTreeSet<_> = self.declared.iter().filter(|id| !is_found(id)).cloned().collect();
        let mut sources: Vec<_> = declared.iter().map(|id| self.described(id)).collect();
        for camera in scan.found.chunk_by(|a, b| a.device_id == b.device_id) {
            let newest = &camera[camera.len() - 1];
            let written = tokio::fs::metadata(&newest.path).await.and_then(|meta| meta.modified()).ok();
            sources.push(SourceDescription {
                last_seen_at: written.and_then(moment),
                online: written.map(|at| at.elapsed().is_ok_and(|age| age < Duration::from_secs(300))),
                ..self.described(&newest.device_id)
            });
        }
        Discovery { sources, whole, problem, away: !whole, declared }
    }

    fn described(&self, device_id: &str) -> SourceDescription {
        SourceDescription {
            device_id: device_id.to_owned(),
            name: device_id.to_owned(),
            retention_hours: self.config.retention_hours,
            ..SourceDescription::default()
        }
    }

    fn nothing_matches(&self, scan: &Scan) -> ProblemReport {
        let what_to_do = match &scan.stranger {
            Some(name) => format!("Compare the pattern with a name that is there: '{name}'."),
            None if scan.links_out > 0 => {
                "Links that lead out of the folder are not followed; name the real folder.".into()
            }
            None => "See that the recorder writes there.".into(),
        };
        ProblemReport {
            text: format!(
                "No file below {} matches the pattern '{}'.",
                self.config.path.display(),
                self.config.pattern
            ),
            what_to_do,
        }
    }

    /// The segments of a window, as soon as all of them are written.
    async fn look(self: &Arc<Self>, asked: &Asked) -> Result<Cut, Trouble> {
        let Asked { device_id, window, now, .. } = asked;
        let camera = self.scan(Some(device_id)).await?.found;
        let parts = self.parts(&camera, *window, *now).await?;
        let patience = Duration::from_secs(self.config.wait_for_recording_seconds.into());
        if *now < window.to.plus(SETTLE) || parts.open && *now < window.to.plus(patience) {
            return Err(Trouble::NotYet);
        }
        if parts.usable.is_empty() {
            let kept_since = asked.kept_since.or_else(|| super::kept_since(self.config.retention_hours, *now));
            return Err(nothing_there(&Asked { kept_since, ..asked.clone() }, &camera, &parts));
        }
        Ok(Cut {
            adapter: KIND,
            device_id: device_id.clone(),
            window: *window,
            usable: parts.usable,
            beside: parts.beside,
            unreadable: parts.unreadable,
            tolerance: self.tolerance(),
        })
    }

    /// For which spans there are recordings.
    async fn coverage(self: &Arc<Self>, asked: &Asked) -> Result<Coverage, Trouble> {
        let window = asked.window;
        let camera = self.scan(Some(&asked.device_id)).await?.found;
        let inside = camera.iter().filter(|found| window.from <= found.begins && found.begins < window.to);
        let (spans, open) = if inside.count() <= PROBE_AT_MOST {
            let parts = self.parts(&camera, window, asked.now).await?;
            (parts.usable.iter().map(span).collect(), parts.open)
        } else {
            self.estimate(&camera, window, asked.now).await?
        };
        Ok(Coverage {
            spans: super::joined_unsure(spans, self.tolerance(), window),
            complete: !open && window.to <= asked.now,
        })
    }

    /// Believes that a segment lasts until the next one where that is the usual distance, and opens the others.
    async fn estimate(
        self: &Arc<Self>,
        camera: &[Found],
        window: Window,
        now: Timestamp,
    ) -> Result<(Vec<(Window, Duration)>, bool), Trouble> {
        let first = camera.partition_point(|found| found.begins <= window.from).saturating_sub(1);
        let end = camera.partition_point(|found| found.begins < window.to);
        let mut usual: Vec<_> =
            camera[first..end].windows(2).map(|pair| pair[1].begins.since(pair[0].begins)).collect();
        usual.sort_unstable();
        let usual = usual.get(usual.len() / 2).copied().unwrap_or_default() + self.precision() + self.tolerance();
        let (mut spans, mut open) = (Vec::new(), false);
        for index in first..end {
            let found = &camera[index];
            match camera.get(index + 1) {
                Some(next) if next.begins.since(found.begins) <= usual => {
                    spans.push((Window { from: found.begins, to: next.begins }, Duration::ZERO));
                }
                _ => {
                    let alone = &camera[index..=index];
                    let part = self.parts(alone, Window { from: found.begins, ..window }, now).await?;
                    open |= part.open && index + 1 == camera.len();
                    spans.extend(part.usable.iter().map(span));
                }
            }
        }
        Ok((spans, open))
    }

    /// The newest picture of a camera, as JPEG.
    async fn snapshot(self: &Arc<Self>, device_id: &str) -> Result<Vec<u8>, Trouble> {
        let camera = self.scan(Some(device_id)).await?.found;
        for found in camera.iter().rev().take(3) {
            let Ok(Probed { facts: Ok(facts), .. }) = self.probe(&found.path).await else { continue };
            let last_second = (facts.duration_us - 1_000_000).max(0);
            if let Ok(picture) = media::picture(&found.path, last_second).await {
                return Ok(picture);
            }
        }
        Err(Trouble::Unavailable {
            reason: UnavailableReason::NeverRecorded,
            detail: "There is no recording of this camera that can be read.".into(),
        })
    }
}

/// What a segment covers, and how much later its end may be.
fn span(part: &Part) -> (Window, Duration) {
    (Window { from: part.begins, to: part.ends }, part.ends_later)
}

/// Why there is no footage of a window.
fn nothing_there(asked: &Asked, camera: &[Found], parts: &Parts) -> Trouble {
    if parts.unreadable.iter().any(|bad| bad.begins < asked.window.to) {
        let names: Vec<_> = parts.unreadable.iter().map(|bad| format!("{} ({})", bad.name, bad.why)).collect();
        let detail = format!("The recording of that time cannot be read: {}.", names.join(", "));
        return Trouble::unavailable(UnavailableReason::Gap, detail);
    }
    match (camera.first(), camera.last()) {
        (Some(oldest), Some(newest)) => super::nothing_between(asked, oldest.begins, newest.begins),
        _ => super::nothing_at_all(asked),
    }
}
