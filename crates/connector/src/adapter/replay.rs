//! For systems that play what they have recorded over RTSP: what is missing and why, and what is tried again, decided once for
//! all of them.

use std::path::Path;
use std::time::Duration;

use domain::{Timestamp, Window};

use super::{Asked, Exported, Trouble};
use crate::cut::{self, Beside, Cut};
use crate::growth::Fetched;
use crate::rtsp::RtspError;
use crate::rtsp::replay::{self, Source};

/// Footage that broke off is asked for so often.
const TRIES: u32 = 4;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);
/// What is still being recorded is waited for until so long after the end of a window.
const PATIENCE: Duration = Duration::from_secs(900);
/// And what is not, for so long: a recorder writes what it has in memory.
const WRITTEN_WITHIN: Duration = Duration::from_secs(30);
/// Times are told for each picture: holes up to this are none.
const TOLERANCE: Duration = Duration::from_millis(300);

/// What a camera's recording reaches from and to, by the recorder's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// Its beginning and its end so far; none where there is nothing.
    pub bounds: Option<(Timestamp, Timestamp)>,
    /// More is being recorded now.
    pub goes_on: bool,
}

/// Plays a window, and cuts it out of what came.
pub async fn export(
    adapter: &'static str,
    source: &Source,
    recorded: Recorded,
    asked: &Asked,
    into: &Path,
    fetched: &Fetched,
) -> Result<Exported, Trouble> {
    let Asked { device_id, window, now, .. } = asked;
    let parts = record(source, *window, into, fetched).await?;
    let usable: Vec<_> = parts.into_iter().filter(|p| p.begins < window.to && p.ends > window.from).collect();
    let until = usable.iter().map(|part| part.ends).max();
    let more_may_come = until.is_none_or(|until| until.plus(TOLERANCE) < window.to);
    let patience = if recorded.goes_on { PATIENCE } else { WRITTEN_WITHIN };
    if more_may_come && *now < window.to.plus(patience) {
        return Err(Trouble::NotYet);
    }
    if usable.is_empty() {
        return Err(nothing_there(recorded, asked));
    }
    let (device_id, window) = (device_id.clone(), *window);
    let (beside, unreadable) = (Beside::default(), Vec::new());
    cut::cut(Cut { adapter, device_id, window, usable, beside, unreadable, tolerance: TOLERANCE }, into).await
}

/// Plays what there is of a window into files of a folder. A connection that broke is made anew.
pub async fn record(
    source: &Source,
    window: Window,
    into: &Path,
    fetched: &Fetched,
) -> Result<Vec<cut::Part>, Trouble> {
    let mut tries = 0;
    loop {
        tries += 1;
        match replay::record(source, window, into, fetched).await {
            Err(RtspError::Silent(why) | RtspError::Away(why)) if tries < TRIES => {
                tracing::info!(why, "footage broke off");
                tokio::time::sleep(BETWEEN_TRIES * tries).await;
            }
            done => return Ok(done?),
        }
    }
}

/// Why there is nothing of a window.
pub fn nothing_there(recorded: Recorded, asked: &Asked) -> Trouble {
    use protocol::UnavailableReason::NeverRecorded;
    match recorded.bounds {
        Some((_, ends)) if asked.window.from >= ends => {
            let detail = format!("The recording of this camera ends at {ends} by the recorder's clock.");
            Trouble::unavailable(NeverRecorded, detail)
        }
        Some((begins, ends)) => super::nothing_between(asked, begins, ends),
        None => super::nothing_at_all(asked),
    }
}
