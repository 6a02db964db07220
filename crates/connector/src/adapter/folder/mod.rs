//! The adapter for a folder of time-stamped segments, as plain recorders write them.

mod export;
mod pattern;
mod scan;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use domain::{Timestamp, Window};
use futures::{StreamExt, stream};
use jiff::tz::TimeZone;
use protocol::{ProblemReport, SourceDescription, UnavailableReason};

use super::{Coverage, Exported, Trouble};
use crate::config::{FolderConfig, SourceConfig};
use crate::media::{self, MediaError};
use pattern::Pattern;
use scan::{Found, Rule, Scan};

/// A file that was changed so lately may still be written.
const OPEN_FOR: Duration = Duration::from_secs(15);
/// So long after its end a window's segment must have shown up.
const SETTLE: Duration = Duration::from_secs(3);
/// From so many segments on, coverage believes the distance between two names instead of opening each file.
const PROBE_AT_MOST: usize = 200;

/// A folder of time-stamped segments.
pub struct Folder {
    config: FolderConfig,
    pattern: Pattern,
    zone: TimeZone,
    only_camera: String,
    sources: HashMap<String, SourceConfig>,
    probed: Mutex<HashMap<PathBuf, Probed>>,
}

#[derive(Clone)]
struct Probed {
    size: u64,
    written: Option<SystemTime>,
    facts: Result<media::Facts, String>,
}

/// A segment whose file was opened. Times are true times.
#[derive(Debug, Clone)]
struct Part {
    name: String,
    path: PathBuf,
    begins: Timestamp,
    ends: Timestamp,
    size: u64,
    facts: media::Facts,
}

/// A segment that cannot be read, up to where the next one begins.
#[derive(Debug, Clone)]
struct Unreadable {
    name: String,
    begins: Timestamp,
    why: String,
}

/// What is there of a window.
#[derive(Debug, Default)]
struct Parts {
    usable: Vec<Part>,
    unreadable: Vec<Unreadable>,
    /// A segment of the window may still be written.
    open: bool,
}

/// What can be done about a window now.
pub enum Look {
    /// It, or its last segment, is still being recorded.
    Wait,
    /// It can be exported.
    Ready(Plan),
}

/// The segments of a window.
pub struct Plan {
    device_id: String,
    window: Window,
    parts: Parts,
}

impl Folder {
    /// Checks the settings; the folder itself may come later.
    pub fn new(config: FolderConfig, sources: &[SourceConfig]) -> anyhow::Result<Self> {
        use anyhow::Context;
        let pattern = Pattern::parse(&config.pattern).with_context(|| format!("pattern '{}'", config.pattern))?;
        let zone = TimeZone::get(&config.time_zone)
            .with_context(|| format!("time_zone '{}' is none of the IANA names", config.time_zone))?;
        let only_camera = config
            .camera
            .clone()
            .or_else(|| config.path.file_name().map(|name| name.to_string_lossy().into_owned()))
            .unwrap_or_else(|| "camera".into());
        let sources = sources.iter().map(|source| (source.id.clone(), source.clone())).collect();
        Ok(Self { config, pattern, zone, only_camera, sources, probed: Mutex::default() })
    }

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
        looked
            .await
            .map_err(Trouble::again)?
            .map_err(|error| Trouble::again(format!("The recordings' folder cannot be read: {error}.")))
    }

    /// The cameras, and what is wrong with the folder.
    pub async fn discover(self: &Arc<Self>) -> (Vec<SourceDescription>, Option<ProblemReport>) {
        let mut sources: BTreeMap<String, SourceDescription> = self
            .sources
            .keys()
            .map(|id| (id.clone(), SourceDescription { device_id: id.clone(), name: id.clone(), ..Default::default() }))
            .collect();
        let (scan, mut problem) = match self.scan(None).await {
            Ok(scan) => (scan, None),
            Err(trouble) => {
                let what_to_do =
                    format!("See that the folder {} is there and may be read.", self.config.path.display());
                (Scan::default(), Some(ProblemReport { text: trouble.to_string(), what_to_do }))
            }
        };
        if scan.found.is_empty() && problem.is_none() {
            problem = Some(self.nothing_matches(&scan));
        }
        for camera in scan.found.chunk_by(|a, b| a.device_id == b.device_id) {
            let newest = &camera[camera.len() - 1];
            let written = tokio::fs::metadata(&newest.path).await.and_then(|meta| meta.modified()).ok();
            let source = sources.entry(newest.device_id.clone()).or_insert_with(|| SourceDescription {
                device_id: newest.device_id.clone(),
                name: newest.device_id.clone(),
                ..SourceDescription::default()
            });
            source.last_seen_at = written.and_then(|at| jiff::Timestamp::try_from(at).ok()).map(Timestamp::from);
            source.online = written.map(|at| at.elapsed().is_ok_and(|age| age < Duration::from_secs(300)));
        }
        let mut sources: Vec<_> = sources.into_values().collect();
        for source in &mut sources {
            source.retention_hours = self.config.retention_hours;
            if let Some(set) = self.sources.get(&source.device_id) {
                set.apply(source);
            }
        }
        (sources, problem)
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

    fn offset_us(&self, device_id: &str) -> i64 {
        self.sources.get(device_id).and_then(|source| source.clock_offset_ms).unwrap_or(0) * 1_000
    }

    fn tolerance(&self) -> Duration {
        let default = if self.pattern.has_fraction { 300 } else { 1_100 };
        Duration::from_millis(self.config.gap_tolerance_ms.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(default))
    }

    async fn probe(&self, path: &Path) -> std::io::Result<Probed> {
        let meta = tokio::fs::metadata(path).await?;
        let (size, written) = (meta.len(), meta.modified().ok());
        if let Some(known) = self.probed.lock().expect("no panic while held").get(path)
            && known.size == size
            && known.written == written
        {
            return Ok(known.clone());
        }
        let facts = match media::facts(path).await {
            Ok(facts) => Ok(facts),
            Err(MediaError::Refused(why)) => Err(why),
            Err(other) => return Err(std::io::Error::other(other)),
        };
        let probed = Probed { size, written, facts };
        let mut cache = self.probed.lock().expect("no panic while held");
        if cache.len() > 100_000 {
            cache.clear();
        }
        cache.insert(path.to_owned(), probed.clone());
        Ok(probed)
    }

    /// The segments of a window, and whether more may come.
    async fn parts(self: &Arc<Self>, camera: &[Found], offset_us: i64, window: Window) -> Result<Parts, Trouble> {
        let true_time = |found: &Found| Timestamp::from_micros(found.begins.as_micros() - offset_us);
        // the last that begins before the window may reach into it, and so may the one before where two overlap
        let first = camera.partition_point(|found| true_time(found) <= window.from).saturating_sub(2);
        let end = camera.partition_point(|found| true_time(found) < window.to);
        let candidates = &camera[first.min(end)..end];
        let paths: Vec<_> = candidates.iter().map(|found| (Arc::clone(self), found.path.clone())).collect();
        let probing = stream::iter(paths).map(|(this, path)| async move { this.probe(&path).await });
        let probed: Vec<_> = probing.buffered(4).collect().await;
        let mut parts = Parts::default();
        for (found, probed) in candidates.iter().zip(probed) {
            let newest = camera.last().is_some_and(|last| last.path == found.path);
            let probed = match probed {
                Ok(probed) => probed,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue, // overwritten meanwhile
                Err(error) => return Err(Trouble::again(error)),
            };
            let young = probed.written.is_some_and(|at| at.elapsed().is_ok_and(|age| age < OPEN_FOR));
            let begins = true_time(found);
            match probed.facts {
                Ok(facts) => {
                    let ends = begins.plus(Duration::from_micros(facts.duration_us.unsigned_abs()));
                    parts.open |= young && newest && ends < window.to;
                    if ends > window.from {
                        let (name, path) = (found.name.clone(), found.path.clone());
                        parts.usable.push(Part { name, path, begins, ends, size: probed.size, facts });
                    }
                }
                Err(why) => {
                    parts.open |= young;
                    let next = camera.partition_point(|other| other.begins <= found.begins);
                    if camera.get(next).is_some_and(|next| true_time(next) <= window.from) {
                        continue; // whatever it held was before the window
                    }
                    parts.unreadable.push(Unreadable { name: found.name.clone(), begins, why });
                }
            }
        }
        Ok(parts)
    }

    /// What can be done about a window now.
    pub async fn look(self: &Arc<Self>, device_id: &str, window: Window) -> Result<Look, Trouble> {
        let now = Timestamp::from(jiff::Timestamp::now());
        let offset_us = self.offset_us(device_id);
        let camera = self.scan(Some(device_id)).await?.found;
        let parts = self.parts(&camera, offset_us, window).await?;
        let patience = Duration::from_secs(self.config.wait_for_recording_seconds.into());
        if now < window.to.plus(SETTLE) || parts.open && now < window.to.plus(patience) {
            return Ok(Look::Wait);
        }
        if parts.usable.is_empty() {
            return Err(self.nothing_there(device_id, &camera, &parts, window, now));
        }
        Ok(Look::Ready(Plan { device_id: device_id.to_owned(), window, parts }))
    }

    fn nothing_there(
        &self,
        device_id: &str,
        camera: &[Found],
        parts: &Parts,
        window: Window,
        now: Timestamp,
    ) -> Trouble {
        let offset_us = self.offset_us(device_id);
        let at = |found: &Found| Timestamp::from_micros(found.begins.as_micros() - offset_us);
        let retention = self.sources.get(device_id).and_then(|source| source.retention_hours);
        let retention = retention.or(self.config.retention_hours).and_then(|hours| u64::try_from(hours).ok());
        let kept_since = retention.map(|hours| now.minus(Duration::from_secs(hours.saturating_mul(3_600))));
        let (reason, detail) = match (camera.first(), camera.last()) {
            _ if parts.unreadable.iter().any(|bad| bad.begins < window.to) => {
                let names: Vec<_> = parts.unreadable.iter().map(|bad| format!("{} ({})", bad.name, bad.why)).collect();
                (UnavailableReason::Gap, format!("The recording of that time cannot be read: {}.", names.join(", ")))
            }
            (Some(oldest), _) if window.to <= at(oldest) => {
                let detail = format!("The oldest recording of this camera begins at {}.", at(oldest));
                let was_kept = kept_since.is_some_and(|since| window.to > since);
                (if was_kept { UnavailableReason::NeverRecorded } else { UnavailableReason::Overwritten }, detail)
            }
            (_, Some(newest)) if window.from >= at(newest) => {
                let detail = format!("The newest recording of this camera, begun at {}, ends before.", at(newest));
                (UnavailableReason::NeverRecorded, detail)
            }
            (Some(_), Some(_)) => {
                (UnavailableReason::Gap, "There are recordings before and after that time, none of it.".to_owned())
            }
            _ if kept_since.is_some_and(|since| window.to <= since) => (
                UnavailableReason::Overwritten,
                format!("Recordings are kept for {} hours.", retention.unwrap_or_default()),
            ),
            _ => (UnavailableReason::NeverRecorded, "There is no recording of this camera.".to_owned()),
        };
        Trouble::Unavailable { reason, detail }
    }

    /// For which spans there are recordings.
    pub async fn coverage(self: &Arc<Self>, device_id: &str, window: Window) -> Result<Coverage, Trouble> {
        let now = Timestamp::from(jiff::Timestamp::now());
        let offset_us = self.offset_us(device_id);
        let camera = self.scan(Some(device_id)).await?.found;
        let inside = camera.iter().filter(|found| {
            let begins = found.begins.as_micros() - offset_us;
            window.from.as_micros() <= begins && begins < window.to.as_micros()
        });
        let (mut spans, open) = if inside.count() <= PROBE_AT_MOST {
            let parts = self.parts(&camera, offset_us, window).await?;
            (parts.usable.iter().map(|part| Window { from: part.begins, to: part.ends }).collect(), parts.open)
        } else {
            self.estimate(&camera, offset_us, window).await?
        };
        spans = merge(spans, self.tolerance());
        Ok(Coverage {
            spans: spans.into_iter().filter_map(|span| span.intersect(window)).collect(),
            complete: !open && window.to <= now,
        })
    }

    /// Believes that a segment lasts until the next one where that is the usual distance, and opens the others.
    async fn estimate(
        self: &Arc<Self>,
        camera: &[Found],
        offset_us: i64,
        window: Window,
    ) -> Result<(Vec<Window>, bool), Trouble> {
        let at = |found: &Found| Timestamp::from_micros(found.begins.as_micros() - offset_us);
        let first = camera.partition_point(|found| at(found) <= window.from).saturating_sub(1);
        let end = camera.partition_point(|found| at(found) < window.to);
        let mut usual: Vec<_> =
            camera[first..end].windows(2).map(|pair| pair[1].begins.since(pair[0].begins)).collect();
        usual.sort_unstable();
        let usual = usual.get(usual.len() / 2).copied().unwrap_or_default() + self.tolerance();
        let (mut spans, mut open) = (Vec::new(), false);
        for index in first..end {
            let found = &camera[index];
            match camera.get(index + 1) {
                Some(next) if next.begins.since(found.begins) <= usual => {
                    spans.push(Window { from: at(found), to: at(next) });
                }
                _ => {
                    let alone = &camera[index..=index];
                    let part = self.parts(alone, offset_us, Window { from: at(found), ..window }).await?;
                    open |= part.open && index + 1 == camera.len();
                    spans.extend(part.usable.iter().map(|part| Window { from: part.begins, to: part.ends }));
                }
            }
        }
        Ok((spans, open))
    }

    /// The newest picture of a camera, as JPEG.
    pub async fn thumbnail(self: &Arc<Self>, device_id: &str) -> Result<Vec<u8>, Trouble> {
        let camera = self.scan(Some(device_id)).await?.found;
        for found in camera.iter().rev().take(3) {
            let Ok(Probed { facts: Ok(facts), .. }) = self.probe(&found.path).await else { continue };
            let out = tempfile::Builder::new().suffix(".jpg").tempfile().map_err(Trouble::again)?;
            let at = format!("{:.3}", (facts.duration_us - 1_000_000).max(0) as f64 / 1e6);
            let (from, to) = (media::file_url(&found.path), media::file_url(out.path()));
            let arguments = [
                "-ss",
                &at,
                "-i",
                &from,
                "-map",
                "0:v:0",
                "-frames:v",
                "1",
                "-vf",
                "scale='min(640,iw)':-2",
                "-q:v",
                "5",
                "-f",
                "image2",
                "-update",
                "1",
                &to,
            ];
            if media::ffmpeg(&arguments, Duration::from_secs(30)).await.is_ok() {
                let picture = tokio::fs::read(out.path()).await.map_err(Trouble::again)?;
                if !picture.is_empty() {
                    return Ok(picture);
                }
            }
        }
        Err(Trouble::Unavailable {
            reason: UnavailableReason::NeverRecorded,
            detail: "There is no recording of this camera that can be read.".into(),
        })
    }

    /// Writes the window into a file of the folder `into`.
    pub async fn export(self: &Arc<Self>, plan: Plan, into: &Path) -> Result<Exported, Trouble> {
        export::export(self, plan, into).await
    }
}

/// Joins spans that touch, or nearly so.
fn merge(mut spans: Vec<Window>, tolerance: Duration) -> Vec<Window> {
    spans.sort_by_key(|span| (span.from, span.to));
    let mut out: Vec<Window> = Vec::new();
    for span in spans {
        match out.last_mut() {
            Some(last) if span.from <= last.to.plus(tolerance) => last.to = last.to.max(span.to),
            _ => out.push(span),
        }
    }
    out
}
