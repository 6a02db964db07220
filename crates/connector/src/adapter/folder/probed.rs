//! A segment that was opened, and what its last change and the clocks of those beside it tell of its times.

use std::time::{Duration, SystemTime};

use domain::Timestamp;

use crate::cut::{self, Part};
use crate::media;

/// What is known of a segment's file.
#[derive(Clone)]
pub(super) struct Probed {
    pub(super) size: u64,
    pub(super) written: Option<SystemTime>,
    pub(super) facts: Result<media::Facts, String>,
}

impl Probed {
    /// Whether it may hold a picture of that time: none is newer than its last change, to the second.
    pub(super) fn was_written_after(&self, at: Timestamp) -> bool {
        let written = self.written.and_then(|at| jiff::Timestamp::try_from(at).ok());
        written.is_none_or(|written| at <= Timestamp::from(written).plus(Duration::from_secs(1)))
    }

    /// When it began, if its last change was its end.
    pub(super) fn began(&self) -> Option<Timestamp> {
        let duration = self.facts.as_ref().ok()?.duration_us;
        let written = jiff::Timestamp::try_from(self.written?).ok()?;
        Some(Timestamp::from_micros(written.as_microsecond() - duration))
    }
}

/// Whether a recorder that began then had been silent before: only the first segment of a run is named late.
pub(super) fn first_since(before: Option<&Probed>, at: Timestamp) -> bool {
    let written = before.and_then(|before| jiff::Timestamp::try_from(before.written?).ok());
    written.is_none_or(|written| Timestamp::from(written) < at)
}

/// How much of a segment's beginning is missing, by those before and after it.
pub(super) fn missing(segments: &[Option<Part>], at: usize) -> Duration {
    let of = |index: usize| segments.get(index)?.as_ref();
    let told = || Some(cut::missing(of(at.checked_sub(1)?)?, of(at)?, of(at + 1)?));
    told().unwrap_or_default()
}
