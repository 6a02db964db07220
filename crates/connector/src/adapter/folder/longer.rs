//! Recordings that are so much longer than others of the same camera that those lie within them: five minutes each, say, and beside them
//! clips of what moved. One of them may reach into a window though it is not among the last that begin before it.

use std::sync::Arc;
use std::time::Duration;

use domain::{Timestamp, Window};

use super::probed::moment;
use super::scan::Found;
use super::{Parts, Recordings};

/// No recording is longer.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// So many are opened, where the last changes of files do not tell when they ended, as after a copy.
const OPENED_AT_MOST: usize = 200;
/// The disk's clock and that by which files are named may be so far apart.
const CLOCKS_APART: Duration = Duration::from_secs(60);

impl Recordings {
    /// Adds those of the `earlier` that reach into a window. Where they do not end with it and are still being written, it is open.
    pub(super) async fn add_longer(self: &Arc<Self>, earlier: &[Found], window: Window, parts: &mut Parts) {
        let longest = earlier.partition_point(|found| found.begins < window.from.minus(LONGEST));
        let earlier = earlier[longest..].to_vec();
        let look = move || {
            let reaching = earlier.into_iter().rev().filter(|found| may_reach(found, window.from));
            reaching.take(OPENED_AT_MOST).collect::<Vec<_>>()
        };
        let Ok(mut found) = tokio::task::spawn_blocking(look).await else { return };
        found.reverse();
        let probed = self.probe_all(&found).await;
        let mut longer = Vec::new();
        for (found, probed) in found.iter().zip(&probed) {
            let part = self.part(found, probed, None, None);
            let until = part.as_ref().map(|part| part.ends.plus(part.or_later));
            parts.open |=
                probed.as_ref().is_ok_and(|probed| probed.is_young()) && until.is_none_or(|at| at < window.to);
            longer.extend(part.filter(|_| until.is_some_and(|at| at > window.from)));
        }
        if !longer.is_empty() {
            parts.beside.before = None;
            parts.usable.splice(..0, longer);
        }
    }
}

/// No picture is newer than the last change of its file.
fn may_reach(found: &Found, from: Timestamp) -> bool {
    let changed = std::fs::metadata(&found.path).and_then(|meta| meta.modified()).ok();
    changed.and_then(moment).is_some_and(|at| at.plus(CLOCKS_APART) >= from)
}
