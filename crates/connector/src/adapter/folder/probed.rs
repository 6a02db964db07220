//! A segment that was opened, and what its last change and the clocks of those beside it tell of its times.

use std::time::{Duration, SystemTime};

use domain::Timestamp;

use crate::cut::{self, Part};
use crate::media;

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

    /// When it began, if its last change was its end.
    pub(super) fn began(&self) -> Option<Timestamp> {
        let duration = self.facts.as_ref().ok()?.duration_us;
        Some(Timestamp::from_micros(self.last_change()?.as_micros() - duration))
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
