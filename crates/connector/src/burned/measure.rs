//! What a clock in a picture is worth: from what it shows to how far it is off.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;
use jiff::civil::DateTime;
use protocol::ClockOffset;

use super::Face;
use crate::adapter::Trouble;
use crate::media::MediaError;

/// A clock that shows seconds leaves so much open.
const PRECISION_MS: i64 = 1_000;
/// So old a picture may be that is said to be of now: it is taken, encoded, and may wait in the recorder for who asks for it.
const AGE_MS: i64 = 1_000;
/// Two pictures are asked for so long apart: by more than what a clock that goes can be misjudged, so that one that stands is seen.
pub(super) const APART: Duration = Duration::from_secs(7);
/// In so many ways the same must be read.
const WAYS_THAT_AGREE: usize = 3;
/// No clock is believed to be further off: the server takes no more.
const FURTHEST_MS: i64 = 366 * 24 * 3_600_000;
/// So much is repeated of what stands in a picture, in characters.
const QUOTED: usize = 40;

/// Why a clock was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// There is no picture.
    #[error("there is no picture: {}", .0.to_string().trim_end_matches('.'))]
    Picture(Trouble),
    /// The box cannot be cut out of it.
    #[error("the picture cannot be used: {0}")]
    Media(MediaError),
    /// The text cannot be read.
    #[error("{}", without_reader(.0))]
    Reader(MediaError),
    /// What stands in the box is no such clock.
    #[error("{}", no_time(.0))]
    NoTime(String),
    /// It does not move.
    #[error("it shows {0} in two pictures that were asked for {seconds} seconds apart", seconds = APART.as_secs())]
    Stands(String),
    /// It does not go as time does.
    #[error("it shows {0}, and {seconds} seconds later {1}", seconds = APART.as_secs())]
    Unsteady(String, String),
    /// It shows a time that is out of reach.
    #[error("it shows {0}, which is more than a year off")]
    TooFar(String),
}

fn without_reader(error: &MediaError) -> String {
    match error {
        MediaError::Missing { .. } | MediaError::NotConfined { .. } => "the program tesseract is missing".into(),
        other => format!("tesseract does not read it: {other}"),
    }
}

fn no_time(read: &str) -> String {
    if read.is_empty() {
        "nothing that could be one is read there".into()
    } else {
        format!("\"{read}\" is read there, which is no time of this format")
    }
}

impl Unread {
    /// What somebody beside the recorder can do about it.
    pub fn what_to_do(&self) -> &'static str {
        match self {
            Self::Picture(_) => "See that the source of [burned_in_clock] is there and shows a picture.",
            Self::Media(MediaError::Refused(_)) => "See that the box of [burned_in_clock] lies within the picture.",
            Self::Media(_) => "See that ffmpeg runs on the connector's machine, and that there is room on its disk.",
            Self::Reader(_) => "Install it below /usr, with what it knows of English: apt install tesseract-ocr.",
            Self::NoTime(_) | Self::TooFar(_) => {
                "See that box, format and time_zone of [burned_in_clock] are those of the picture; \
                 `sightline-connector check` says what is read there."
            }
            Self::Stands(_) | Self::Unsteady(..) => {
                "See that the video system shows pictures of now, and that the box holds the whole clock and nothing else."
            }
        }
    }
}

/// What stands in a picture, short and plain.
fn quoted(text: &str) -> String {
    let plain = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { ' ' };
    text.trim().chars().take(QUOTED).map(plain).collect()
}

/// The time that a clock shows, of what was read of it in several ways. One way may be mistaken; where many differ none is believed.
pub(super) fn vote(face: &Face, texts: &[String]) -> Result<(DateTime, String), Unread> {
    let mut votes = BTreeMap::<DateTime, (usize, &str)>::new();
    for text in texts {
        if let Some(shown) = face.read(text) {
            votes.entry(shown).or_insert((0, text)).0 += 1;
        }
    }
    let all: usize = votes.values().map(|(ways, _)| ways).sum();
    let most = votes.into_iter().max_by_key(|(_, (ways, _))| *ways);
    match most {
        Some((shown, (ways, text))) if ways >= WAYS_THAT_AGREE && all - ways <= ways / 3 => Ok((shown, quoted(text))),
        _ => {
            let longest = texts.iter().max_by_key(|text| text.len());
            Err(Unread::NoTime(longest.map(|text| quoted(text)).unwrap_or_default()))
        }
    }
}

/// What a picture showed, and between which moments of our own clock it was asked for, in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) text: String,
    pub(super) shown_ms: i64,
    pub(super) sent_ms: i64,
    pub(super) came_ms: i64,
}

impl Reading {
    fn round_trip_ms(&self) -> i64 {
        (self.came_ms - self.sent_ms).max(0)
    }

    /// Somewhere within the second that it shows, and somewhere between asking and seeing.
    pub(super) fn offset_ms(&self) -> i64 {
        self.shown_ms + PRECISION_MS / 2 - (self.sent_ms + self.came_ms) / 2
    }

    fn clock(&self) -> ClockOffset {
        ClockOffset {
            offset_ms: self.offset_ms(),
            uncertainty_ms: Some(PRECISION_MS / 2 + self.round_trip_ms() / 2 + AGE_MS),
            measured_at: Some(Timestamp::from_micros(self.came_ms.saturating_mul(1_000))),
        }
    }
}

/// What two pictures say together: nothing, unless the clock went as much as ours did meanwhile.
pub(super) fn confirmed(first: &Reading, second: &Reading) -> Result<ClockOffset, Unread> {
    // what seconds leave open, what one picture can be older than the other, and what each took to come
    let open = PRECISION_MS + AGE_MS + (first.round_trip_ms() + second.round_trip_ms()) / 2;
    if second.shown_ms == first.shown_ms {
        return Err(Unread::Stands(second.text.clone()));
    }
    if (second.offset_ms() - first.offset_ms()).abs() > open {
        return Err(Unread::Unsteady(first.text.clone(), second.text.clone()));
    }
    if second.offset_ms().abs() > FURTHEST_MS {
        return Err(Unread::TooFar(second.text.clone()));
    }
    // that of which less is open
    let better = if first.round_trip_ms() < second.round_trip_ms() { first } else { second };
    Ok(ClockOffset { measured_at: second.clock().measured_at, ..better.clock() })
}

/// Whether two measurements can both be right.
pub fn agree(one: &ClockOffset, other: &ClockOffset) -> bool {
    let open = one.uncertainty_ms.unwrap_or(0).saturating_add(other.uncertainty_ms.unwrap_or(0));
    i64::try_from(one.offset_ms.abs_diff(other.offset_ms)).is_ok_and(|apart| apart <= open)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture that was asked for so many milliseconds after the first, took so long to come, and showed a second.
    fn reading(sent_ms: i64, took_ms: i64, shown_ms: i64) -> Reading {
        Reading { text: format!("t{shown_ms}"), shown_ms, sent_ms, came_ms: sent_ms + took_ms }
    }

    #[test]
    fn an_offset_is_from_the_middle_of_asking_to_the_middle_of_the_second() {
        let (first, second) = (reading(100_000, 400, 167_000), reading(107_400, 200, 174_000));
        let clock = confirmed(&first, &second).unwrap();
        // 174.5 shown, 107.5 by our clock
        assert_eq!((clock.offset_ms, clock.uncertainty_ms), (67_000, Some(500 + 100 + 1_000)));
        assert_eq!(clock.measured_at, Some(Timestamp::from_micros(107_600_000)));
        // of two it is the picture that came sooner
        let slow = reading(107_400, 3_000, 175_000);
        assert_eq!(confirmed(&first, &slow).unwrap().uncertainty_ms, Some(500 + 200 + 1_000));
        let behind = confirmed(&reading(100_000, 0, 40_000), &reading(107_000, 0, 47_000)).unwrap();
        assert_eq!(behind.offset_ms, -59_500);
    }

    #[test]
    fn a_clock_that_does_not_go_as_ours_is_not_believed() {
        let first = reading(100_000, 0, 160_000);
        for shown in [165_000, 167_000, 169_000] {
            assert!(confirmed(&first, &reading(107_000, 0, shown)).is_ok(), "{shown}");
        }
        assert!(
            matches!(confirmed(&first, &reading(107_000, 0, 160_000)), Err(Unread::Stands(text)) if text == "t160000")
        );
        for shown in [100_000, 159_000, 161_000, 164_000, 170_000, 227_000] {
            assert!(matches!(confirmed(&first, &reading(107_000, 0, shown)), Err(Unread::Unsteady(..))), "{shown}");
        }
        // however long pictures take, one that stands is never taken for one that goes
        for took in [0, 1_000, 10_000, 60_000] {
            let (first, second) = (reading(0, took, 160_000), reading(took + 7_000, took, 161_000));
            assert!(confirmed(&first, &second).is_err(), "{took}");
        }
        let year = 400 * 86_400_000;
        assert!(matches!(confirmed(&reading(0, 0, year), &reading(7_000, 0, year + 7_000)), Err(Unread::TooFar(_))));
    }

    #[test]
    fn one_way_of_reading_may_be_mistaken_but_not_many() {
        let face: Face = toml::from_str("source='a'\nbox=[0,0,99,9]\nformat='%T %F'\ntime_zone='UTC'").unwrap();
        let read = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
            vote(&face, &texts).map(|(_, text)| text).map_err(|why| why.to_string())
        };
        let (right, wrong) = ("10:48:36 2026-11-27", "10:46:36 2026-11-27");
        assert_eq!(read(&[right, "", right, right, "garbage", wrong]), Ok(right.to_owned()));
        assert!(read(&[right, right, wrong]).is_err() && read(&[right, right, right, wrong, wrong]).is_err());
        assert_eq!(read(&["", ""]), Err("nothing that could be one is read there".into()));
        let wild = format!("10:48 \u{1b}[31m\u{202e}{}", "9".repeat(500));
        let told = read(&[&wild]).unwrap_err();
        assert!(told.len() < 100 && told.is_ascii() && !told.contains('\u{1b}'), "{told}");
    }
}
