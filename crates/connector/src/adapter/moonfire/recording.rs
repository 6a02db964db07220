//! Recordings of Moonfire, a minute each, and what their times mean.
//!
//! A *run* is what one connection to a camera gave. Its first recording begins when its first frame came, as far as the least
//! delayed of its frames tells: while it grows, that can only turn out to be earlier. Each other one begins where the one before
//! ends, by a length that is stretched by up to 1/2000 so that a run follows the recorder's clock; that stays as it is.
//!
//! Of the moment when a frame came, its own length is taken off besides those of the frames before it (`adj_wall_and_start` in
//! `server/db/writer.rs`; `design/time.md` says otherwise): a run seems to begin earlier than its first frame, by one frame.

use std::time::Duration;

use domain::{Timestamp, Window};
use serde::Deserialize;

use crate::adapter::archive::Recording;

/// A camera that is connected may first send what it held back, all at once: so much earlier than it seemed a run may begin.
pub(super) const UNSETTLED: Duration = Duration::from_secs(5);
/// No recording lasts longer (`MAX_RECORDING_WALL_DURATION`).
pub(super) const LONGEST: Duration = Duration::from_secs(300);

/// A time in 1/90000 s since 1970, leap seconds not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Ticks(i64);

impl TryFrom<i64> for Ticks {
    type Error = &'static str;

    fn try_from(ticks: i64) -> Result<Self, Self::Error> {
        let sensible = (0..9_000_000_000_000_000).contains(&ticks);
        if sensible { Ok(Self(ticks)) } else { Err("no time of a recording") }
    }
}

impl Ticks {
    /// The last one that is not after a time.
    pub(super) fn until(at: Timestamp) -> Self {
        let ticks = i128::from(at.as_micros().max(0)) * 9 / 100;
        Self(i64::try_from(ticks).unwrap_or(i64::MAX))
    }

    pub(super) fn at(self) -> Timestamp {
        Timestamp::from_micros((i128::from(self.0) * 100 / 9) as i64)
    }

    pub(super) fn before(self) -> Self {
        Self((self.0 - 1).max(0))
    }

    /// As the API takes it.
    pub(super) fn text(self) -> String {
        self.0.to_string()
    }
}

#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) recordings: Vec<Row>,
}

/// One recording, or several of a run that follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    start_id: u32,
    #[serde(default)]
    end_id: Option<u32>,
    run_start_id: u32,
    /// Rises each time that Moonfire starts: what was not committed when it broke down gives its ids to others.
    open_id: u32,
    start_time_90k: Ticks,
    end_time_90k: Ticks,
    video_samples: u32,
    #[serde(default)]
    growing: bool,
}

impl Row {
    pub(super) fn begins(&self) -> Timestamp {
        self.start_time_90k.at()
    }

    /// The parameter `s` of `view.mp4`.
    fn segments(&self) -> String {
        let to = self.end_id.map(|id| format!("-{id}")).unwrap_or_default();
        format!("{}{to}@{}", self.start_id, self.open_id)
    }

    /// The same of its last second.
    pub(super) fn last_second(&self) -> String {
        format!("{}.{}-", self.segments(), (self.long() - 90_000).max(0))
    }

    fn long(&self) -> i64 {
        (self.end_time_90k.0 - self.start_time_90k.0).max(0)
    }

    /// How long one of its frames lasts; the last one may have no length yet.
    fn frame(&self) -> Duration {
        let ticks = self.long() / i64::from(self.video_samples.saturating_sub(1).max(1));
        Ticks(ticks).at().since(Timestamp::from_micros(0))
    }

    /// Whether its beginning may still move: see above.
    fn unsettled(&self) -> bool {
        self.growing && self.end_id.is_none() && self.start_id == self.run_start_id
    }

    fn recording(&self, stream: &str) -> Recording {
        let earlier = if self.unsettled() { UNSETTLED } else { Duration::ZERO };
        Recording {
            name: format!("{stream}/{}", self.segments()),
            begins: self.begins().minus(earlier),
            or_later: earlier + self.frame(),
            ends: (!self.growing).then(|| self.end_time_90k.at()),
        }
    }
}

/// Whether it must grow on before it can be said when it begins.
pub(super) fn is_unsettled(recording: &Recording) -> bool {
    recording.ends.is_none() && recording.or_later >= UNSETTLED
}

/// What must be listed for a window.
pub(super) fn around(window: Window) -> (Ticks, Ticks) {
    (Ticks::until(window.from.minus(UNSETTLED)), Ticks::until(window.to.plus(UNSETTLED)))
}

/// In order, whatever was sent. The last frame of a run is given no length; where it is a recording by itself, it is none.
pub(super) fn in_order(mut rows: Vec<Row>) -> Vec<Row> {
    rows.retain(|row| row.growing || row.end_time_90k > row.start_time_90k);
    rows.sort_by_key(|row| (row.start_time_90k, row.start_id));
    rows
}

/// Those of a stream that reach into a window.
pub(super) fn recordings(stream: &str, rows: &[Row], window: Window) -> Vec<Recording> {
    let reaches = |r: &Recording| r.begins < window.to && r.ends.is_none_or(|ends| ends.plus(r.or_later) > window.from);
    rows.iter().map(|row| row.recording(stream)).filter(reaches).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_micros(40_000);

    fn row(start_id: u32, run_start_id: u32, growing: bool) -> Row {
        let (start_time_90k, end_time_90k) = (Ticks(161_584_178_604_599), Ticks(161_584_184_004_599));
        let (end_id, open_id, video_samples) = (None, 2, 1_501);
        Row { start_id, end_id, run_start_id, open_id, start_time_90k, end_time_90k, video_samples, growing }
    }

    #[test]
    fn ticks_are_eleven_microseconds_and_a_ninth() {
        let at = Ticks(161_584_178_604_599).at();
        assert_eq!(at.as_micros(), 1_795_379_762_273_322);
        assert_eq!(Ticks::until(at), Ticks(161_584_178_604_598), "a part of a tick is cut off");
        assert!(Ticks::try_from(-1).is_err() && Ticks::try_from(i64::MAX).is_err());
        assert_eq!(Ticks::until(Timestamp::from_micros(i64::MIN)), Ticks(0));
    }

    #[test]
    fn only_the_first_of_a_run_may_still_move() {
        let first = row(9, 9, true).recording("main");
        assert!(is_unsettled(&first));
        assert_eq!((first.begins.plus(UNSETTLED), first.or_later), (row(9, 9, true).begins(), UNSETTLED + FRAME));
        for settled in [row(10, 9, true), row(9, 9, false)] {
            let settled = settled.recording("main");
            assert!(!is_unsettled(&settled));
            assert_eq!((settled.begins, settled.or_later), (row(9, 9, true).begins(), FRAME));
        }
    }

    #[test]
    fn a_name_tells_stream_ids_and_start_of_moonfire() {
        let several = Row { end_id: Some(17), ..row(14, 9, true) };
        assert_eq!(several.recording("main").name, "main/14-17@2");
        assert_eq!(several.last_second(), "14-17@2.5310000-");
    }

    #[test]
    fn a_frame_of_no_length_is_no_recording() {
        let alone = Row { end_time_90k: row(9, 9, false).start_time_90k, ..row(9, 9, false) };
        assert!(in_order(vec![alone.clone()]).is_empty());
        assert_eq!(in_order(vec![Row { growing: true, ..alone }]).len(), 1);
    }
}
