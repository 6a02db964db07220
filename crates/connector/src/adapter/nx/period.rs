//! What Nx recorded without a break, and what of it is asked for.
//!
//! It tells of periods in milliseconds since 1970; one that it still records has no end. `/media` hands out any time as one file,
//! from the key frame at or before its beginning on. A break of five seconds or more within that is closed, and nothing in the file
//! says so (`TimestampCorrector` of its source): each period is asked for by itself.

use std::time::Duration;

use domain::{Timestamp, Window};
use serde::Deserialize;

use crate::adapter::archive::Recording;

/// Cameras send a key frame at least that often.
const KEY_FRAMES: Duration = Duration::from_secs(10);
/// A file that seems to begin so long before what was asked for tells another time.
const NEAR: Duration = Duration::from_secs(60);
/// So much after a window is asked for: where it is not known when a clip begins, its end is as unsure.
const AFTER: Duration = Duration::from_secs(11);
/// A clip comes in one piece and is not resumed: longer ones are asked for in parts.
const LONGEST: Duration = Duration::from_secs(600);
/// What was recorded is handed out so much later.
const WRITTEN_WITHIN: Duration = Duration::from_secs(30);
/// A clip that is shorter by that holds a break that was closed; shorter breaks are left.
const CLOSED: Duration = Duration::from_secs(4);
/// A clip that is longer by that holds a time twice.
const REPEATED: Duration = Duration::from_secs(1);
/// The end of time, in milliseconds since 1970.
const END_MS: i64 = 100_000_000_000_000;

/// Milliseconds, also as text: some versions write numbers of 64 bits so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct Milliseconds(i64);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(i64),
    Text(String),
}

impl TryFrom<Written> for Milliseconds {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let number = match written {
            Written::Number(number) => Some(number),
            Written::Text(text) => text.parse().ok(),
        };
        number.filter(|ms| (-1..END_MS).contains(ms)).map(Self).ok_or("no milliseconds")
    }
}

impl Milliseconds {
    pub(super) fn at(self) -> Timestamp {
        Timestamp::from_micros(self.0 * 1_000)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    start_time_ms: Milliseconds,
    #[serde(default)]
    duration_ms: Option<Milliseconds>,
}

/// A time that was recorded without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "Row")]
pub(super) struct Period {
    pub(super) begins: Timestamp,
    /// None while it is still being recorded.
    ends: Option<Timestamp>,
}

impl From<Row> for Period {
    fn from(Row { start_time_ms, duration_ms }: Row) -> Self {
        let ends = duration_ms.filter(|long| long.0 >= 0).map(|long| Milliseconds(start_time_ms.0 + long.0).at());
        Self { begins: start_time_ms.at(), ends }
    }
}

impl Period {
    pub(super) fn is_open(&self) -> bool {
        self.ends.is_none()
    }
}

/// In order, whatever was sent. What several servers, or two disks, hold of the same time is one.
pub(super) fn in_order(mut periods: Vec<Period>) -> Vec<Period> {
    periods.sort_by_key(|period| period.begins);
    let mut out: Vec<Period> = Vec::new();
    for period in periods {
        match out.last_mut() {
            Some(last) if last.ends.is_none_or(|ends| period.begins <= ends) => {
                last.ends = last.ends.zip(period.ends).map(|(one, other)| one.max(other));
            }
            _ => out.push(period),
        }
    }
    out
}

/// What must be listed for a window.
pub(super) fn around(window: Window) -> [(&'static str, String); 2] {
    [("startTimeMs", milliseconds(window.from)), ("endTimeMs", milliseconds(window.to.plus(AFTER)))]
}

/// The clips of periods that hold a window, in order. What is still being recorded is not whole where `now`, the server's time, is
/// not known.
pub(super) fn clips(camera: &str, periods: &[Period], window: Window, now: Option<Timestamp>) -> Vec<Recording> {
    periods.iter().flat_map(|period| period.clips(camera, window, now)).collect()
}

impl Period {
    fn clips(&self, camera: &str, window: Window, now: Option<Timestamp>) -> Vec<Recording> {
        let asked = Window { from: window.from, to: window.to.plus(AFTER) };
        let whole = Window { from: self.begins, to: self.ends.unwrap_or(asked.to) };
        let Some(Window { from, to }) = whole.intersect(asked) else { return Vec::new() };
        let written = !self.is_open() || now.is_some_and(|now| to.plus(WRITTEN_WITHIN) <= now);
        let mut clips = Vec::new();
        let mut begins = from;
        while begins < to {
            let ends = begins.plus(LONGEST).min(to);
            clips.push(self.clip(camera, Window { from: begins, to: ends }, written));
            begins = ends;
        }
        clips
    }

    fn clip(&self, camera: &str, Window { from, to }: Window, written: bool) -> Recording {
        let begins = from.minus(KEY_FRAMES).max(self.begins);
        Recording {
            name: format!("{camera}.mp4?pos={}&endPos={}", milliseconds(from), milliseconds(to)),
            begins,
            or_later: from.since(begins),
            ends: written.then_some(to),
        }
    }
}

/// A time as the API takes it.
pub(super) fn milliseconds(at: Timestamp) -> String {
    at.as_micros().div_euclid(1_000).clamp(0, END_MS).to_string()
}

/// What is asked for, as the name of a clip says it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request<'a> {
    pub(super) camera: &'a str,
    pub(super) pos: &'a str,
    pub(super) end_pos: &'a str,
}

pub(super) fn request(clip: &Recording) -> Request<'_> {
    let (camera, times) = clip.name.split_once(".mp4?pos=").unwrap_or_default();
    let (pos, end_pos) = times.split_once("&endPos=").unwrap_or_default();
    Request { camera, pos, end_pos }
}

/// When a clip began to be asked for.
fn asked(clip: &Recording) -> Timestamp {
    clip.begins.plus(clip.or_later)
}

/// Whether a clip can begin then.
pub(super) fn can_begin(clip: &Recording, at: Timestamp) -> bool {
    asked(clip).minus(NEAR) <= at && clip.ends.is_none_or(|ends| at <= ends)
}

/// When the key frame was recorded that a clip begins with, by what was told of it in microseconds.
pub(super) fn key_frame(clip: &Recording, told: &str) -> Option<Timestamp> {
    let at = Timestamp::from_micros(told.parse().ok()?);
    let near = can_begin(clip, at) && at < asked(clip).plus(Duration::from_millis(1));
    near.then_some(at)
}

/// When the first picture of a clip that lasts so long was recorded, and how much later that may have been, for any of its
/// pictures: the breaks that it does not show, and what it shows twice, are somewhere.
pub(super) fn placed(
    clip: &Recording,
    begins: Timestamp,
    or_later: Duration,
    lasts: Duration,
) -> (Timestamp, Duration) {
    let Some(ends) = clip.ends else { return (begins, or_later) };
    let shortest = ends.since(begins.plus(or_later).min(ends));
    let longest = ends.since(begins.min(ends));
    if lasts + CLOSED <= shortest {
        return (begins, or_later + (shortest - lasts));
    }
    let twice = lasts.saturating_sub(longest);
    if twice >= REPEATED { (begins.minus(twice), or_later + twice) } else { (begins, or_later) }
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

    fn periods(text: &str) -> Vec<Period> {
        in_order(serde_json::from_str(text).unwrap())
    }

    fn names(clips: &[Recording]) -> Vec<&str> {
        clips.iter().map(|clip| clip.name.as_str()).collect()
    }

    #[test]
    fn numbers_may_be_text_and_what_has_no_length_or_minus_one_goes_on() {
        let told = periods(
            r#"[{"startTimeMs":"90000","durationMs":"-1"},{"serverId":"{a}","startTimeMs":1000,"durationMs":"9000"}]"#,
        );
        assert_eq!(told[0], Period { begins: at(1), ends: Some(at(10)) });
        assert_eq!(told[1], Period { begins: at(90), ends: None });
        assert!(periods(r#"[{"startTimeMs":90000}]"#)[0].is_open());
    }

    #[test]
    fn what_two_servers_hold_is_one() {
        let told = periods(
            r#"[{"startTimeMs":5000,"durationMs":10000},{"startTimeMs":0,"durationMs":10000},
                {"startTimeMs":15001,"durationMs":1000},{"startTimeMs":0,"durationMs":2000}]"#,
        );
        assert_eq!(told.len(), 2);
        assert_eq!(told[0], Period { begins: at(0), ends: Some(at(15)) });
    }

    #[test]
    fn each_period_is_asked_for_by_itself() {
        let told = periods(r#"[{"startTimeMs":0,"durationMs":100000},{"startTimeMs":130000,"durationMs":5000}]"#);
        let clips = clips("c", &told, window(50, 200), None);
        assert_eq!(names(&clips), ["c.mp4?pos=50000&endPos=100000", "c.mp4?pos=130000&endPos=135000"]);
        assert_eq!((clips[0].begins, clips[0].or_later), (at(40), KEY_FRAMES));
        // the first picture of a period is a key frame
        assert_eq!((clips[1].begins, clips[1].or_later), (at(130), Duration::ZERO));
        assert_eq!(request(&clips[1]), Request { camera: "c", pos: "130000", end_pos: "135000" });
    }

    #[test]
    fn what_is_long_is_asked_for_in_parts() {
        let told = periods(r#"[{"startTimeMs":0,"durationMs":9000000}]"#);
        let clips = clips("c", &told, window(5, 1_000), None);
        assert_eq!(names(&clips), ["c.mp4?pos=5000&endPos=605000", "c.mp4?pos=605000&endPos=1011000"]);
        // a key frame cannot be older than the period
        assert_eq!((clips[0].begins, clips[0].or_later), (at(0), Duration::from_secs(5)));
    }

    #[test]
    fn of_what_is_still_recorded_the_past_is_whole() {
        let told = periods(r#"[{"startTimeMs":0}]"#);
        let whole = |now| clips("c", &told, window(100, 200), Some(at(now)))[0].ends;
        assert_eq!((whole(241), whole(240)), (Some(at(211)), None));
    }

    #[test]
    fn a_key_frame_is_believed_where_it_can_be() {
        let told = periods(r#"[{"startTimeMs":0,"durationMs":900000}]"#);
        let clip = &clips("c", &told, window(100, 200), None)[0];
        assert_eq!(key_frame(clip, "98000000"), Some(at(98)));
        for nonsense in ["100001000", "39000000", "-1", "9999999999999999999", "", "x"] {
            assert_eq!(key_frame(clip, nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_clip_of_another_length_is_said_to_be_unsure() {
        let told = periods(r#"[{"startTimeMs":0,"durationMs":900000}]"#);
        let clip = &clips("c", &told, window(100, 189), None)[0];
        let seconds = Duration::from_secs;
        let placed = |lasts| placed(clip, at(98), Duration::ZERO, seconds(lasts));
        assert_eq!(placed(102), (at(98), Duration::ZERO));
        assert_eq!(placed(99), (at(98), Duration::ZERO), "a camera that sends few pictures");
        assert_eq!(placed(92), (at(98), seconds(10)));
        assert_eq!(placed(105), (at(95), seconds(3)));
        // where the key frame is not known, its distance is no break
        assert_eq!(super::placed(clip, at(90), KEY_FRAMES, seconds(101)), (at(90), KEY_FRAMES));
    }

    #[test]
    fn times_of_nonsense_are_refused() {
        for text in
            [r#"{"startTimeMs":-5}"#, r#"{"startTimeMs":1e300}"#, r#"{"startTimeMs":"9223372036854775807"}"#, "{}"]
        {
            assert!(serde_json::from_str::<Period>(text).is_err(), "{text}");
        }
        assert_eq!(milliseconds(Timestamp::from_micros(i64::MIN)), "0");
    }
}
