//! What MediaMTX recorded without a break, and what of it is asked for.
//!
//! It records a path as segments, each named by the time of its first sample to the microsecond. `/list` joins those that follow
//! each other in one stream into a run, and `/get` hands out any part of a run as one file, whose own clock is 0 at what was asked
//! for. Such a part is asked for from the beginning of a segment on: from within one the pictures since the key frame before come
//! first, without length and without a time of their own.

use std::ops::Range;
use std::time::Duration;

use domain::{Timestamp, Window};
use serde::Deserialize;

use crate::adapter::archive::Recording;

/// Where sound is recorded too, a segment may be named by a sound of up to a second before its first picture
/// (`maxBasetime` of its recorder).
pub(super) const SLACK: Duration = Duration::from_secs(2);
/// What came was taken as much later than it is dated, at the most. MediaMTX counts time on from when a picture came by the
/// camera's own clock, and puts that right only when it is five seconds behind (`internal/ntpestimator`). A second more is for
/// how far such a clock strays within a part.
pub(super) const BEHIND: Duration = Duration::from_secs(6);
/// A part comes in one piece and is not resumed: more than that is asked for in several.
const LONGEST: Duration = Duration::from_secs(7_200);
/// No run is longer: a century.
const CENTURY_SECONDS: f64 = 3.2e9;

/// A row of `/list`.
#[derive(Deserialize)]
pub(super) struct Entry {
    start: Timestamp,
    duration: f64,
}

/// Segments that follow each other in one stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// When each begins.
    segments: Vec<Timestamp>,
    /// When the last ends, or what has been written of it.
    pub(super) ends: Timestamp,
}

/// What is dated before that is of no window that begins then.
fn earliest(from: Timestamp) -> Timestamp {
    from.minus(SLACK + BEHIND)
}

/// Which of a path's segments may hold some of a window. The one before the window may have been recorded by a clock that
/// was set back since, and reach into it over the next.
pub(super) fn near(segments: &[Timestamp], window: Window) -> Range<usize> {
    let begun = segments.partition_point(|begins| *begins <= earliest(window.from));
    let until = segments.partition_point(|begins| *begins < window.to.plus(SLACK));
    begun.saturating_sub(2)..until
}

/// The runs that segments are, which are in order.
pub(super) fn runs(segments: &[Timestamp], mut entries: Vec<Entry>) -> Vec<Run> {
    entries.sort_by_key(|entry| entry.start);
    let next = entries.iter().skip(1).map(|entry| Some(entry.start)).chain([None]);
    let run = |(entry, next): (&Entry, Option<Timestamp>)| {
        let from = segments.partition_point(|begins| *begins <= entry.start);
        let to = next.map_or(segments.len(), |next| segments.partition_point(|begins| *begins < next));
        let follow = segments.get(from..to).unwrap_or_default();
        let long = Duration::try_from_secs_f64(entry.duration.clamp(0.0, CENTURY_SECONDS)).unwrap_or_default();
        Run { segments: [&[entry.start], follow].concat(), ends: entry.start.plus(long) }
    };
    entries.iter().zip(next).map(run).collect()
}

/// What of runs holds a window, in order.
pub(super) fn recordings(runs: &[Run], window: Window) -> Vec<Recording> {
    let mut recordings: Vec<_> = runs.iter().flat_map(|run| run.recordings(window)).collect();
    recordings.sort_by_key(|recording| recording.begins);
    recordings
}

impl Run {
    /// When the first begins.
    pub(super) fn begins(&self) -> Timestamp {
        self.segments[0]
    }

    /// The parts of it that hold a window, each from the beginning of a segment on.
    fn recordings(&self, window: Window) -> Vec<Recording> {
        let begun = self.segments.partition_point(|begins| *begins <= earliest(window.from));
        let until = self.ends.min(window.to.plus(SLACK));
        let mut parts: Vec<Timestamp> = Vec::new();
        for begins in self.segments.iter().skip(begun.saturating_sub(1)).filter(|begins| **begins < until) {
            if parts.last().is_none_or(|last| begins.since(*last) >= LONGEST) {
                parts.push(*begins);
            }
        }
        let ends = parts.iter().skip(1).copied().chain([until]);
        parts.iter().zip(ends).map(|(begins, ends)| recording(*begins, ends)).collect()
    }
}

fn recording(begins: Timestamp, ends: Timestamp) -> Recording {
    let name = format!("start={begins}&duration={}", seconds(ends.since(begins)));
    Recording { name, begins, or_later: BEHIND, ends: Some(ends) }
}

/// A length as the playback server takes it.
pub(super) fn seconds(long: Duration) -> String {
    format!("{}.{:06}", long.as_secs(), long.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn window(from: i64, to: i64) -> Window {
        Window { from: at(from), to: at(to) }
    }

    fn hourly(hours: i64) -> Vec<Timestamp> {
        (0..hours).map(|hour| at(hour * 3_600)).collect()
    }

    fn parts(run: &Run, window: Window) -> Vec<(i64, i64)> {
        let whole = |at: Timestamp| at.as_micros() / 1_000_000;
        run.recordings(window).iter().map(|r| (whole(r.begins), whole(r.ends.unwrap()))).collect()
    }

    #[test]
    fn an_entry_holds_the_segments_up_to_the_next() {
        let entries = serde_json::from_str(
            r#"[{"start":"1970-01-01T02:00:00+01:00","duration":7199.9,"url":"x"},
                {"start":"1970-01-01T00:00:00Z","duration":3599.5,"url":"x"}]"#,
        );
        let runs = runs(&hourly(3), entries.unwrap());
        assert_eq!(runs[0], Run { segments: vec![at(0)], ends: Timestamp::from_micros(3_599_500_000) });
        assert_eq!(runs[1].segments, [at(3_600), at(7_200)]);
    }

    #[test]
    fn a_part_begins_with_the_segment_that_holds_the_window() {
        let run = Run { segments: hourly(24), ends: at(24 * 3_600) };
        assert_eq!(parts(&run, window(4_000, 4_600)), [(3_600, 4_602)]);
        // the first pictures after a seam may be in the segment before it
        assert_eq!(parts(&run, window(3_607, 3_700)), [(0, 3_702)]);
        assert_eq!(parts(&run, window(3_608, 3_700)), [(3_600, 3_702)]);
        assert_eq!(parts(&run, window(86_000, 90_000)), [(82_800, 86_400)]);
    }

    #[test]
    fn what_is_long_is_asked_for_in_parts() {
        let run = Run { segments: hourly(24), ends: at(24 * 3_600) };
        assert_eq!(parts(&run, window(4_000, 13_000)), [(3_600, 10_800), (10_800, 13_002)]);
    }

    #[test]
    fn a_window_has_the_segments_around_it() {
        let segments = hourly(5);
        assert_eq!(near(&segments, window(7_300, 7_400)), 1..3);
        assert_eq!(near(&segments, window(-50, -10)), 0..0);
        assert_eq!(near(&segments, window(90_000, 90_010)), 3..5);
    }

    #[test]
    fn lengths_of_nonsense_are_none() {
        for duration in [-5.0, f64::NAN, f64::INFINITY] {
            let entry = Entry { start: at(0), duration };
            assert!(runs(&[at(0)], vec![entry])[0].ends.since(at(0)).as_secs_f64() <= CENTURY_SECONDS);
        }
    }
}
