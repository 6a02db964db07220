//! Segments of Frigate, and the clips that are asked for.
//!
//! A segment is named by the second in which its first frame came, and ends its own length after that name: by up to a second
//! too early. A clip is joined from whole segments, but for the first and the last: Frigate enters the first at the whole second
//! below the start that is asked for, and leaves the last at the one below the end. So a clip that is asked for from within the
//! first second of a segment until its last one's end holds just these, whole, and begins where the first of them does.

use std::time::Duration;

use domain::{Timestamp, Window};
use serde::Deserialize;

use crate::adapter::archive::Recording;

/// Names tell whole seconds.
const PRECISION_US: i64 = 1_000_000;
/// Within the first second of a segment, and after the end of the one before it, which may seem to end within that second.
const ENTRY_US: i64 = 999_000;
/// A clip comes in one piece and is not resumed: longer ones are asked for in parts.
const LONGEST_US: i64 = 600_000_000;
/// A clip's beginning is unsure by up to two seconds, and its first segment is entered before a window by as much.
const AROUND: Duration = Duration::from_secs(4);
/// Where the segment before a clip ends counts too.
const BEFORE: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Times {
    start_time: f64,
    end_time: f64,
}

/// A segment; times in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Times")]
pub(super) struct Segment {
    start_us: i64,
    end_us: i64,
}

impl TryFrom<Times> for Segment {
    type Error = &'static str;

    fn try_from(Times { start_time, end_time }: Times) -> Result<Self, Self::Error> {
        let sensible = (0.0..1e11).contains(&start_time) && (0.0..1e11).contains(&end_time) && start_time < end_time;
        let segment = Self { start_us: (start_time * 1e6).round() as i64, end_us: (end_time * 1e6).round() as i64 };
        if sensible { Ok(segment) } else { Err("no times of a segment") }
    }
}

impl Segment {
    fn long_us(&self) -> i64 {
        self.end_us - self.start_us
    }

    pub(super) fn begins(&self) -> Timestamp {
        Timestamp::from_micros(self.start_us)
    }
}

/// A time as the API takes it.
pub(super) fn seconds(at: Timestamp) -> String {
    let us = at.as_micros().max(0);
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// In order, whatever was sent.
pub(super) fn in_order(mut segments: Vec<Segment>) -> Vec<Segment> {
    segments.sort_by_key(|segment| (segment.start_us, segment.end_us));
    segments
}

/// What must be listed for a window.
pub(super) fn around(window: Window) -> Window {
    Window { from: window.from.minus(BEFORE), to: window.to.plus(AROUND) }
}

/// Segments that follow each other.
struct Run {
    segments: Vec<Segment>,
    /// When the one before seems to have ended.
    before_us: i64,
}

impl Run {
    fn long_us(&self) -> i64 {
        self.segments.iter().map(Segment::long_us).sum()
    }

    /// Whether a segment can begin just where this run ends: its name is the second of that.
    fn goes_on(&self, next: &Segment) -> bool {
        let apart = next.start_us - self.segments[0].start_us - self.long_us();
        apart.abs() < PRECISION_US && self.long_us() + next.long_us() <= LONGEST_US
    }

    /// The clip that holds the run. Each of its segments says when the first frame came, to the second; nothing is made of one
    /// that contradicts another, as frames are also late: the earliest is believed for the beginning, the latest for `or_later`.
    fn recording(&self) -> Recording {
        let (first, last) = (self.segments[0], self.segments[self.segments.len() - 1]);
        let entry = ENTRY_US.min(first.long_us() / 2).max(self.before_us - first.start_us + 1_000);
        let mut gone = 0;
        let said = self.segments.iter().map(|segment| {
            let begins = segment.start_us - gone;
            gone += segment.long_us();
            begins
        });
        let (earliest, latest) = said.fold((i64::MAX, i64::MIN), |(low, high), us| (low.min(us), high.max(us)));
        // a clock that was set back: Frigate enters at the key frame before that second
        let entered = entry / PRECISION_US * PRECISION_US;
        let begins = Timestamp::from_micros(earliest);
        let at = |us| seconds(Timestamp::from_micros(us));
        Recording {
            name: format!("start/{}/end/{}", at(first.start_us + entry), at(last.end_us + 1)),
            begins,
            or_later: Duration::from_micros((latest - earliest + PRECISION_US + entered).unsigned_abs()),
            ends: Some(begins.plus(Duration::from_micros(self.long_us().unsigned_abs()))),
        }
    }
}

/// The clips that hold a window, out of the segments around it.
pub(super) fn recordings(segments: &[Segment], window: Window) -> Vec<Recording> {
    let (from_us, to_us) = (window.from.minus(AROUND).as_micros(), window.to.plus(AROUND).as_micros());
    let mut runs: Vec<Run> = Vec::new();
    let mut before_us = i64::MIN / 2;
    for segment in segments {
        let ended = before_us;
        before_us = before_us.max(segment.end_us);
        if segment.end_us <= from_us || segment.start_us >= to_us {
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.goes_on(segment) => run.segments.push(*segment),
            _ => runs.push(Run { segments: vec![*segment], before_us: ended }),
        }
    }
    runs.iter().map(Run::recording).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(times: &[(f64, f64)]) -> Vec<Segment> {
        times.iter().map(|&(start_time, end_time)| Segment::try_from(Times { start_time, end_time }).unwrap()).collect()
    }

    fn clips(times: &[(f64, f64)]) -> Vec<Recording> {
        let window = Window { from: Timestamp::from_micros(0), to: Timestamp::from_micros(2_000_000_000_000_000) };
        recordings(&segments(times), window)
    }

    #[test]
    fn neighbours_are_one_clip_that_begins_within_the_first_second() {
        let [clip] = &clips(&[(100.0, 110.4), (110.0, 120.4), (120.0, 130.4)])[..] else { panic!() };
        assert_eq!(clip.name, "start/100.999000/end/130.400001");
        assert_eq!(clip.begins, Timestamp::from_micros(99_200_000));
        assert_eq!(clip.or_later, Duration::from_millis(1_800));
    }

    #[test]
    fn a_hole_and_ten_minutes_part_clips() {
        assert_eq!(clips(&[(100.0, 110.0), (111.0, 121.0)]).len(), 2);
        let day: Vec<_> = (0..360).map(|n| (f64::from(n) * 10.0, f64::from(n) * 10.0 + 10.003)).collect();
        let clips = clips(&day);
        assert_eq!(clips.len(), 7);
        assert!(clips.iter().all(|clip| clip.ends.unwrap().since(clip.begins) <= Duration::from_secs(600)));
    }

    #[test]
    fn a_clock_that_was_set_back_is_said_to_be_unsure() {
        let [_, second] = &clips(&[(100.0, 110.0), (107.0, 117.0)])[..] else { panic!() };
        assert_eq!(second.name, "start/110.001000/end/117.000001");
        assert_eq!((second.begins, second.or_later), (Timestamp::from_micros(107_000_000), Duration::from_secs(4)));
    }

    #[test]
    fn nonsense_is_no_segment() {
        for text in [
            r#"{"start_time":5,"end_time":4}"#,
            r#"{"start_time":-1,"end_time":4}"#,
            r#"{"start_time":1,"end_time":1e300}"#,
        ] {
            assert!(serde_json::from_str::<Segment>(text).is_err());
        }
    }
}
