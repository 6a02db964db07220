//! A segment that was opened, and what its last change and the clocks of those beside it tell of its times.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use domain::Timestamp;
use futures::{StreamExt, stream};

use super::Recordings;
use super::scan::Found;
use crate::cut::{self, Part};
use crate::media::{self, MediaError};

/// A file that was changed so lately may still be written.
pub(super) const OPEN_FOR: Duration = Duration::from_secs(15);

/// What is known of a segment's file.
#[derive(Clone)]
pub(super) struct Probed {
    pub(super) size: u64,
    pub(super) written: Option<SystemTime>,
    pub(super) facts: Result<media::Facts, String>,
}

impl Probed {
    /// Whether it may still be written.
    pub(super) fn is_young(&self) -> bool {
        self.written.is_some_and(|at| at.elapsed().is_ok_and(|age| age < OPEN_FOR))
    }

    pub(super) fn last_change(&self) -> Option<Timestamp> {
        moment(self.written?)
    }

    /// The same, but for a change at a whole second: that was cut to it on the way, by a copy or by the file system.
    pub(super) fn exact_change(&self) -> Option<Timestamp> {
        self.last_change().filter(|at| at.as_micros().rem_euclid(1_000_000) != 0)
    }

    /// Whether it may hold a picture of that time: none is newer than its last change, to the second.
    pub(super) fn was_written_after(&self, at: Timestamp) -> bool {
        self.last_change().is_none_or(|change| at <= change.plus(Duration::from_secs(1)))
    }

    /// How long after a time its last picture may be: none is newer than its last change. `None` if that does not tell.
    pub(super) fn nothing_after(&self, at: Timestamp) -> Option<Duration> {
        self.exact_change().filter(|change| *change >= at).map(|change| change.since(at))
    }

    /// When it began, if its last change was its end.
    pub(super) fn began(&self) -> Option<Timestamp> {
        let duration = self.facts.as_ref().ok()?.duration_us;
        Some(Timestamp::from_micros(self.last_change()?.as_micros() - duration))
    }
}

impl Recordings {
    pub(super) async fn probe_all(self: &Arc<Self>, segments: &[Found]) -> Vec<std::io::Result<Probed>> {
        let paths: Vec<_> = segments.iter().map(|found| (Arc::clone(self), found.path.clone())).collect();
        let probing = stream::iter(paths).map(|(this, path)| async move { this.probe(&path).await });
        probing.buffered(4).collect().await
    }

    /// Opens a segment, unless it is as it was.
    pub(super) async fn probe(&self, path: &Path) -> std::io::Result<Probed> {
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
            Err(MediaError::NoRoom) => return Err(std::io::ErrorKind::StorageFull.into()),
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
}

/// When a file was changed, as the disk tells it.
pub(super) fn moment(at: SystemTime) -> Option<Timestamp> {
    jiff::Timestamp::try_from(at).ok().map(Timestamp::from)
}

/// Whether a recorder that began then had been silent before: only the first segment of a run is named late.
pub(super) fn first_since(before: Option<&Probed>, at: Timestamp) -> bool {
    before.and_then(Probed::last_change).is_none_or(|change| change < at)
}

/// How much of a segment's beginning is missing, by those before and after it.
pub(super) fn missing(segments: &[Option<Part>], at: usize) -> Duration {
    let of = |index: usize| segments.get(index)?.as_ref();
    let told = || Some(cut::missing(of(at.checked_sub(1)?)?, of(at)?, of(at + 1)?));
    told().unwrap_or_default()
}
