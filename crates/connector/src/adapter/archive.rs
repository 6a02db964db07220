//! For systems whose recordings can be listed and brought here as files: what is still being written, what is missing and why, and
//! what is tried again, decided once for all of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use domain::{Timestamp, Window};

use super::{Asked, Coverage, Exported, Trouble};
use crate::cut::{self, Beside, Cut, Part, Unreadable};
use crate::growth::Fetched;
use crate::media::{self, MediaError};
use crate::spool::FETCHED;

/// What still grows is waited for until so long after the end of a window.
const PATIENCE: Duration = Duration::from_secs(900);
/// A recording that came as something else is asked for so often.
const TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);
/// Between recordings that follow each other, and whose times are exact, a few frames may be missing.
pub const SEAM: Duration = Duration::from_millis(300);

/// A recording that the system lists. Times are by the recorder's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// What the system calls it; goes into the manifest.
    pub name: String,
    /// When its first frame was recorded.
    pub begins: Timestamp,
    /// So much later that may have been: where the system tells whole seconds, up to one.
    pub or_later: Duration,
    /// When its last frame ended; none while it is still being recorded.
    pub ends: Option<Timestamp>,
}

/// When a camera's oldest and its newest recording begin, by the recorder's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The oldest's beginning.
    pub oldest: Timestamp,
    /// The newest's beginning.
    pub newest: Timestamp,
}

/// Recordings that can be listed and fetched.
#[async_trait]
pub trait Archive: Send + Sync {
    /// As the configuration names the system.
    const KIND: &'static str;
    /// So long after a moment its recording is listed at the latest.
    const LISTED_WITHIN: Duration;

    /// The recordings that reach into a window, in order of time; those that nearly do may be among them.
    async fn list(&self, device_id: &str, window: Window) -> Result<Vec<Recording>, Trouble>;

    /// Where a camera's recordings begin and end; none if it has none.
    async fn bounds(&self, device_id: &str) -> Result<Option<Bounds>, Trouble>;

    /// Writes a recording into a file, and answers whether the system still had it.
    async fn fetch(&self, device_id: &str, recording: &Recording, into: &Path) -> Result<bool, Trouble>;

    /// When the first frame of a fetched recording was taken, and how much later that may have been: as it was listed, unless its
    /// file says more, or how long its video turned out to last.
    async fn begins(
        &self,
        recording: &Recording,
        _file: &Path,
        _lasts: Duration,
    ) -> Result<(Timestamp, Duration), Trouble> {
        Ok((recording.begins, recording.or_later))
    }

    /// How much later than it seems a recording may end, that begins so much later, for the one that follows it: as much, unless what
    /// all are off by is the same.
    fn ends_later(&self, or_later: Duration) -> Duration {
        or_later
    }
}

/// For which spans of the window there are recordings.
pub async fn coverage<A: Archive>(archive: &A, asked: &Asked) -> Result<Coverage, Trouble> {
    let listed = archive.list(&asked.device_id, asked.window).await?;
    let open = listed.iter().any(|recording| recording.ends.is_none());
    let span = |recording: &Recording| {
        (
            Window { from: recording.begins, to: recording.ends.unwrap_or(asked.now) },
            archive.ends_later(recording.or_later),
        )
    };
    let spans = listed.iter().map(span).filter(|(span, _)| span.from < span.to).collect();
    Ok(Coverage {
        spans: super::joined_unsure(spans, SEAM, asked.window),
        complete: !open && asked.window.to.plus(A::LISTED_WITHIN) <= asked.now,
    })
}

/// Fetches what reaches into the window, and cuts the window out of it.
pub async fn export<A: Archive>(
    archive: &A,
    asked: &Asked,
    into: &Path,
    fetched: &Fetched,
) -> Result<Exported, Trouble> {
    let Asked { device_id, window, now, .. } = asked;
    let listed = archive.list(device_id, *window).await?;
    let reaches =
        |r: &&Recording| r.begins < window.to && r.ends.is_none_or(|ends| ends.plus(r.or_later) > window.from);
    let listed: Vec<_> = listed.iter().filter(reaches).cloned().collect();
    let lasts = |recording: &Recording| recording.ends.unwrap_or(*now).since(recording.begins);
    let (mut brought, mut come, whole) = (Brought::default(), Duration::ZERO, listed.iter().map(lasts).sum());
    for recording in &listed {
        brought.take(archive, device_id, recording, into).await?;
        come += lasts(recording);
        fetched.is(come, whole);
    }
    let until = brought.usable.iter().map(|part| part.ends.plus(part.ends_later)).max();
    let more_may_come = until.is_none_or(|until| until.plus(SEAM) < window.to);
    let patience = if brought.open { PATIENCE } else { A::LISTED_WITHIN };
    if more_may_come && *now < window.to.plus(patience) {
        return Err(Trouble::NotYet);
    }
    let Brought { usable, unreadable, .. } = brought;
    if usable.is_empty() {
        return Err(match unreadable.first() {
            Some(bad) => Trouble::again(format!("{} cannot be read: {}.", bad.name, bad.why)),
            None => nothing_there(archive, asked).await?,
        });
    }
    let (adapter, device_id, window) = (A::KIND, device_id.clone(), *window);
    let beside = Beside::default();
    cut::cut(Cut { adapter, device_id, window, usable, beside, unreadable, tolerance: SEAM }, into).await
}

/// What was fetched.
#[derive(Default)]
struct Brought {
    usable: Vec<Part>,
    unreadable: Vec<Unreadable>,
    /// Some of it is still being recorded.
    open: bool,
}

impl Brought {
    async fn take<A: Archive>(
        &mut self,
        archive: &A,
        device_id: &str,
        recording: &Recording,
        into: &Path,
    ) -> Result<(), Trouble> {
        let open = recording.ends.is_none();
        self.open |= open;
        let path = match bring(archive, device_id, recording, into).await? {
            Arrival::File(path) => path,
            Arrival::Gone => return Ok(()),
            Arrival::Unreadable(_) if open => return Ok(()), // nothing of it is written yet
            Arrival::Unreadable(why) => {
                self.unreadable.push(Unreadable { name: recording.name.clone(), begins: recording.begins, why });
                return Ok(());
            }
        };
        let facts = media::facts(&path).await?;
        let size = tokio::fs::metadata(&path).await.map_err(Trouble::again)?.len();
        let lasts = Duration::from_micros(facts.duration_us.unsigned_abs());
        let (begins, or_later) = archive.begins(recording, &path, lasts).await?;
        let (name, ends, ends_later) = (recording.name.clone(), begins.plus(lasts), archive.ends_later(or_later));
        self.usable.push(Part { name, path, begins, or_later, ends, ends_later, size, facts });
        Ok(())
    }
}

enum Arrival {
    File(PathBuf),
    Gone,
    Unreadable(String),
}

/// A whole recording that an earlier try brought is not fetched again, whether that try ended well, failed, or was killed.
async fn bring<A: Archive>(
    archive: &A,
    device_id: &str,
    recording: &Recording,
    into: &Path,
) -> Result<Arrival, Trouble> {
    let path = into.join(file_name(recording));
    if recording.ends.is_some() && tokio::fs::try_exists(&path).await.unwrap_or(false) {
        return Ok(Arrival::File(path));
    }
    let coming = path.with_extension("coming");
    let mut why = String::new();
    for again in 0..TRIES {
        if again > 0 {
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        if !archive.fetch(device_id, recording, &coming).await? {
            return Ok(Arrival::Gone);
        }
        match readable(&coming).await? {
            Ok(()) => {
                // what has this name is believed to be whole, also after a loss of power
                let written = tokio::fs::File::open(&coming).await.map_err(Trouble::again)?;
                written.sync_data().await.map_err(Trouble::disk)?;
                tokio::fs::rename(&coming, &path).await.map_err(Trouble::again)?;
                return Ok(Arrival::File(path));
            }
            Err(reason) => why = reason,
        }
    }
    Ok(Arrival::Unreadable(why))
}

/// Whether a file that was sent is a recording; a system may send an empty file, or an error, and call it a video.
async fn readable(path: &Path) -> Result<Result<(), String>, Trouble> {
    if tokio::fs::metadata(path).await.map_err(Trouble::again)?.len() == 0 {
        return Ok(Err("the video system sent an empty file".into()));
    }
    match media::facts(path).await {
        Ok(_) => Ok(Ok(())),
        Err(MediaError::Refused(why)) => Ok(Err(why)),
        Err(other) => Err(other.into()),
    }
}

/// A name of ours: the system's may be anything. What still grew when it was fetched is another file than what is whole.
fn file_name(recording: &Recording) -> String {
    let whole = format!("{} {:?}", recording.name, recording.ends);
    let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, whole.as_bytes());
    format!("{FETCHED}{}.mp4", &crate::hex(sum.as_ref())[..24])
}

/// Why there is nothing of a window.
pub async fn nothing_there<A: Archive>(archive: &A, asked: &Asked) -> Result<Trouble, Trouble> {
    Ok(match archive.bounds(&asked.device_id).await? {
        Some(Bounds { oldest, newest }) => super::nothing_between(asked, oldest, newest),
        None => super::nothing_at_all(asked),
    })
}
