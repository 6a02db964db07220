//! When a recording begins, which its name tells to the second or to the minute: what its file's last change adds to that.

use std::time::Duration;

use domain::Timestamp;

use super::Recordings;
use super::probed::{Probed, first_since};
use super::scan::Found;
use crate::adapter::archive::SEAM;

/// A recorder closes a segment at most so long after its last frame.
const BY_LAST_CHANGE: Duration = Duration::from_millis(300);
/// A name that is so much later than the first picture was given late: ffmpeg names its first segment after it has looked at the
/// stream for some seconds, and writes into it what came meanwhile.
const NAMED_LATE: Duration = Duration::from_secs(1);
/// No name is given later.
const NAMED_LATE_AT_MOST: Duration = Duration::from_secs(30);

impl Recordings {
    /// Holes up to this are none, besides what the precision of names leaves open.
    pub(super) fn tolerance(&self) -> Duration {
        let given = self.config.gap_tolerance_ms.and_then(|ms| u64::try_from(ms).ok());
        given.map_or(SEAM, Duration::from_millis)
    }

    pub(super) fn precision(&self) -> Duration {
        let given = self.config.name_precision_ms.and_then(|ms| u64::try_from(ms).ok());
        given.map_or_else(|| self.pattern.precision(), Duration::from_millis)
    }

    /// When a segment begins, and how much later it may. What its name leaves open its last change may tell.
    pub(super) fn begin(
        &self,
        found: &Found,
        probed: &Probed,
        before: Option<&Probed>,
        next: Option<&Found>,
    ) -> (Timestamp, Duration) {
        let precision = self.precision();
        if precision <= BY_LAST_CHANGE {
            return (found.begins, precision);
        }
        // before an outage a recorder may close its last file long after the last picture
        let on_time = next.is_none_or(|next| {
            let (early, late) = (next.begins.minus(BY_LAST_CHANGE), next.begins.plus(precision + BY_LAST_CHANGE));
            probed.last_change().is_some_and(|at| (early..=late).contains(&at))
        });
        let Some(at) = probed.began() else { return (found.begins, precision) };
        let exact = probed.exact_change().is_some();
        if exact && on_time && found.begins <= at && at < found.begins.plus(precision) {
            // the one before was closed right then, unless pictures are missing at the end of this one
            let opened = before
                .and_then(Probed::exact_change)
                .filter(|opened| found.begins <= opened.plus(BY_LAST_CHANGE) && *opened <= at.plus(BY_LAST_CHANGE));
            let from = opened.map_or(found.begins, |opened| opened.min(at).minus(BY_LAST_CHANGE).max(found.begins));
            return (from, at.since(from));
        }
        // no picture is newer than the last change: the name was given when the first ones had been waiting for some time
        let late = if exact { Duration::ZERO } else { Duration::from_secs(1) };
        let named_late = at.plus(NAMED_LATE + late) < found.begins && found.begins <= at.plus(NAMED_LATE_AT_MOST);
        if named_late && first_since(before, at) {
            return (at.minus(BY_LAST_CHANGE), BY_LAST_CHANGE + late);
        }
        (found.begins, precision)
    }
}
