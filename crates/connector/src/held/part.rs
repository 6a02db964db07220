//! A part of what is held, for whoever is granted less than was asked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{Timestamp, Window};
use protocol::{Manifest, Segment};

use crate::adapter::{Exported, Trouble};
use crate::cut::{self, Beside, Cut, Part};
use crate::media;

/// Cuts a granted window out of the export of the asked one.
pub(super) async fn cut_out(path: PathBuf, whole: Manifest, window: Window, into: &Path) -> Result<Exported, Trouble> {
    let facts = media::facts(&path).await?;
    let size = tokio::fs::metadata(&path).await.map_err(Trouble::again)?.len();
    let uncertain_ms = whole.uncertainty_ms.unwrap_or(0).unsigned_abs();
    let part = Part {
        name: whole.export.container.clone(),
        path,
        begins: whole.first_frame,
        or_later: Duration::from_millis(uncertain_ms),
        ends_later: Duration::from_millis(uncertain_ms),
        ends: whole.first_frame.plus(Duration::from_micros(facts.duration_us.unsigned_abs())),
        size,
        facts,
    };
    let out = into.join("part");
    tokio::fs::create_dir_all(&out).await.map_err(Trouble::disk)?;
    let clock = Clock::of(&whole);
    let cut = Cut {
        beside: Beside::default(),
        adapter: "held",
        device_id: whole.device_id.clone(),
        window: clock.shows(window),
        usable: vec![part],
        unreadable: Vec::new(),
        tolerance: Duration::from_millis(300 + uncertain_ms), // what the whole export's gaps say counts
    };
    let Exported { path, manifest } = cut::cut(cut, &out).await?;
    Ok(Exported { path, manifest: told(manifest, whole, &clock, window) })
}

/// The manifest of the part: of what was cut by the export's clock, and of what is known of the recordings.
fn told(cut: Manifest, whole: Manifest, clock: &Clock, window: Window) -> Manifest {
    let mut gaps = whole.gaps;
    gaps.retain(|gap| gap.from < window.to && gap.to > window.from);
    for gap in &mut gaps {
        (gap.from, gap.to) = (gap.from.max(window.from), gap.to.min(window.to));
    }
    let skipped_us = cut.first_frame.as_micros() - whole.first_frame.as_micros();
    let mut segments = whole.segments;
    segments.retain(|segment| segment.from < window.to && segment.to > window.from);
    for segment in &mut segments {
        segment.at_us = (segment.at_us - skipped_us).max(0);
    }
    Manifest {
        asked: window,
        first_frame: clock.recorded(cut.first_frame),
        last_frame: clock.recorded(cut.last_frame),
        segments,
        gaps,
        adapter: whole.adapter,
        clock_offset: whole.clock_offset,
        sound_left_out: whole.sound_left_out,
        ..cut
    }
}

/// What a clock would show that was started with the first frame of an export. Where recordings overlap the export holds both, and from
/// there on the clock is ahead of the times at which its pictures were recorded.
struct Clock {
    first: Timestamp,
    segments: Vec<Segment>,
}

impl Clock {
    fn of(whole: &Manifest) -> Self {
        Self { first: whole.first_frame, segments: whole.segments.clone() }
    }

    fn ahead_us(&self, segment: &Segment) -> i64 {
        segment.at_us - (segment.from.as_micros() - self.first.as_micros()).max(0)
    }

    /// What it shows from the beginning of a window to its end. Of several recordings that hold the beginning the last will do, and of
    /// those that hold the end the first.
    fn shows(&self, window: Window) -> Window {
        let begin = self.segments.iter().rposition(|segment| segment.from <= window.from).unwrap_or(0);
        let here_on = self.segments.get(begin..).unwrap_or_default();
        let end = here_on.iter().find(|segment| segment.to >= window.to).or(here_on.last());
        let shown = |at: Timestamp, segment: Option<&Segment>| {
            Timestamp::from_micros(at.as_micros() + segment.map_or(0, |segment| self.ahead_us(segment)))
        };
        Window { from: shown(window.from, here_on.first()), to: shown(window.to, end) }
    }

    /// When the picture was recorded at which it shows a time.
    fn recorded(&self, shown: Timestamp) -> Timestamp {
        let at_us = shown.as_micros() - self.first.as_micros();
        // the segments' places are exact, the clock's times are of whole milliseconds
        let segment = self.segments.iter().rfind(|segment| segment.at_us <= at_us + 1_000);
        Timestamp::from_micros(shown.as_micros() - segment.map_or(0, |segment| self.ahead_us(segment)))
    }
}
