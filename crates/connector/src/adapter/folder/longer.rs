//! Recordings that are so much longer than others of the same camera that those lie within them: five minutes each, say, and beside them
//! clips of what moved. One of them may reach into a window though it is not among the last that begin before it.

use std::sync::Arc;
use std::time::Duration;

use domain::{Timestamp, Window};

use super::Recordings;
use super::probed::moment;
use super::scan::Found;
use super::window::{Parts, is_under_way};

/// No recording is longer.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// So many are opened, where the last changes of files do not tell when they ended, as after a copy.
const OPENED_AT_MOST: usize = 200;
/// The disk's clock and that by which files are named may be so far apart.
const CLOCKS_APART: Duration = Duration::from_secs(60);

impl Recordings {
    /// Adds those of the first `earlier` recordings of a camera that reach into a window. Where they do not end with it and are still
    /// being written, it is open.
    pub(super) async fn add_longer(
        self: &Arc<Self>,
        camera: &[Found],
        earlier: usize,
        window: Window,
        parts: &mut Parts,
    ) {
        let Some(found) = reaching(&camera[..earlier], window.from).await else { return };
        let probed = self.probe_all(&found).await;
        let mut longer = Vec::new();
        for (found, probed) in found.iter().zip(&probed) {
            let Ok(file) = probed else { continue };
            let Some(part) = self.part(found, probed, None, None) else {
                parts.open |= file.is_young();
                continue;
            };
            let until = part.ends.plus(part.or_later);
            let next = camera.partition_point(|other| other.begins <= found.begins);
            parts.open |= is_under_way(&part, file, camera.get(next)) && until < window.to;
            longer.extend((until > window.from).then_some(part));
        }
        if !longer.is_empty() {
            parts.beside.before = None;
            parts.usable.splice(..0, longer);
        }
    }
}

/// Those that may, in order; `None` if it cannot be told.
async fn reaching(earlier: &[Found], from: Timestamp) -> Option<Vec<Found>> {
    let longest = earlier.partition_point(|found| found.begins < from.minus(LONGEST));
    let earlier = earlier[longest..].to_vec();
    let look = move || {
        let reaching = earlier.into_iter().rev().filter(|found| may_reach(found, from));
        reaching.take(OPENED_AT_MOST).collect::<Vec<_>>()
    };
    let mut found = tokio::task::spawn_blocking(look).await.ok()?;
    found.reverse();
    Some(found)
}

/// No picture is newer than the last change of its file.
fn may_reach(found: &Found, from: Timestamp) -> bool {
    let changed = std::fs::metadata(&found.path).and_then(|meta| meta.modified()).ok();
    changed.and_then(moment).is_some_and(|at| at.plus(CLOCKS_APART) >= from)
}
