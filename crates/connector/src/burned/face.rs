//! What a clock in a picture looks like: where it stands, how it writes the time, and in which zone.

use std::collections::BTreeSet;

use jiff::civil::{self, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// The smallest and the largest side of a box, in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 8..=8_192;
/// A box is at most so many times as wide as it is high: a line of text.
const LONGEST_LINE: u32 = 60;
/// The longest format, in bytes.
const LONGEST_FORMAT: usize = 64;

const DIGITS: &str = "0123456789";
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What the configuration says of the clock that is burned into pictures.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "FaceText")]
pub struct Face {
    /// The camera whose pictures show it.
    pub source: String,
    /// Where it stands in them.
    pub place: Place,
    format: String,
    zone: TimeZone,
}

/// A rectangle of a picture, in pixels from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From the left.
    pub x: u32,
    /// From above.
    pub y: u32,
    /// How wide, 8 to 8192.
    pub width: u32,
    /// How high, 8 to 8192.
    pub height: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaceText {
    source: String,
    r#box: [u32; 4],
    format: String,
    time_zone: String,
}

impl TryFrom<FaceText> for Face {
    type Error = String;

    fn try_from(FaceText { source, r#box, format, time_zone }: FaceText) -> Result<Self, String> {
        let [x, y, width, height] = r#box;
        if !SIDES.contains(&width) || !SIDES.contains(&height) || x > *SIDES.end() || y > *SIDES.end() {
            return Err(format!(
                "the box {:?} is none: x, y, width and height in pixels, at least 8 wide and 8 high",
                r#box
            ));
        }
        if width / height > LONGEST_LINE {
            return Err(format!("the box {:?} is no line of text: it is too wide for its height", r#box));
        }
        let zone = TimeZone::get(&time_zone).map_err(|_| format!("{time_zone:?} is no time zone"))?;
        check(&format).map_err(|why| format!("the format {format:?} cannot be read from a picture: {why}"))?;
        Ok(Self { source, place: Place { x, y, width, height }, format, zone })
    }
}

/// The letter of each field of a format, `-`, `_`, digits and the like before it left out.
fn fields(format: &str) -> Result<Vec<char>, String> {
    let (mut found, mut rest) = (Vec::new(), format.chars());
    while let Some(next) = rest.next() {
        if next == '%' {
            let letter = rest.find(|c| !c.is_ascii_digit() && !['-', '_', '^', '#'].contains(c));
            found.push(letter.ok_or("it ends in the middle of a field")?);
        }
    }
    Ok(found)
}

/// Whether a format tells a whole date and time to the second, in fields that a picture can show.
fn check(format: &str) -> Result<(), String> {
    if format.len() > LONGEST_FORMAT || !format.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        return Err(format!("only plain letters, digits and signs can be, at most {LONGEST_FORMAT}"));
    }
    let fields = fields(format)?;
    if let Some(other) = fields.iter().find(|field| !"YymdeBbhAaFDHkIlMSpPTR%".contains(**field)) {
        return Err(format!("the field %{other} is not known here"));
    }
    let has = |any: &str| fields.iter().any(|field| any.contains(*field));
    let half_a_day = has("Il") && has("pP");
    for (there, what) in [
        (has("YyFD"), "the year (%Y)"),
        (has("mBbhFD"), "the month (%m)"),
        (has("deFD"), "the day (%d)"),
        (has("HkTR") || half_a_day, "the hour (%H, or %I with %p)"),
        (has("MTR"), "the minute (%M)"),
        (has("ST"), "the second (%S)"),
    ] {
        if !there {
            return Err(format!("it lacks {what}"));
        }
    }
    let example = civil::date(2026, 11, 27).at(20, 48, 36, 0);
    let written = strtime::format(format, example).map_err(|error| error.to_string())?;
    match DateTime::strptime(format, &written) {
        Ok(again) if again == example => Ok(()),
        Ok(_) => Err("what it writes is read as another time".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Two texts are the same clock if they differ in nothing but spaces and capitals.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
}

impl Face {
    /// The characters of which such a clock is made, without spaces.
    pub fn characters(&self) -> String {
        let mut made_of = BTreeSet::new();
        let mut rest = self.format.chars();
        while let Some(next) = rest.next() {
            if next != '%' {
                made_of.insert(next);
                continue;
            }
            match rest.find(|c| c.is_ascii_alphabetic() || *c == '%') {
                Some('A' | 'a') => made_of.extend(WEEKDAYS.concat().chars()),
                Some('B' | 'b' | 'h') => made_of.extend(MONTHS.concat().chars()),
                Some('p' | 'P') => made_of.extend("AMPamp".chars()),
                Some('F') => made_of.extend("-".chars().chain(DIGITS.chars())),
                Some('D') => made_of.extend("/".chars().chain(DIGITS.chars())),
                Some('T' | 'R') => made_of.extend(":".chars().chain(DIGITS.chars())),
                Some('%') => drop(made_of.insert('%')),
                _ => made_of.extend(DIGITS.chars()),
            }
        }
        if self.format.contains('^') || self.format.contains('#') {
            let both =
                made_of.iter().flat_map(|c| [c.to_ascii_uppercase(), c.to_ascii_lowercase()]).collect::<Vec<_>>();
            made_of.extend(both);
        }
        made_of.into_iter().filter(|c| !c.is_whitespace()).collect()
    }

    /// The time that a text shows, if it is written exactly as such a clock writes that time, but for spaces: a digit that was lost
    /// is no time.
    pub fn read(&self, text: &str) -> Option<DateTime> {
        let text = text.trim();
        let exact = |format: &str, text: &str| {
            let shown = DateTime::strptime(format, text).ok()?;
            let written = strtime::format(format, shown).ok()?;
            (plain(&written) == plain(text)).then_some(shown)
        };
        let without = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        exact(&self.format, text).or_else(|| exact(&without(&self.format), &without(text)))
    }

    /// The moment of a time shown, in milliseconds since 1970. Of an hour that happens twice, or never, it is the one that is nearest
    /// to when it is expected.
    pub fn moment(&self, shown: DateTime, expected_ms: i64) -> Option<i64> {
        let either = self.zone.to_ambiguous_timestamp(shown);
        let moments = [either.earlier(), either.later()].into_iter().filter_map(Result::ok);
        moments.map(|at| at.as_millisecond()).min_by_key(|at| at.abs_diff(expected_ms))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn face(format: &str, zone: &str) -> Result<Face, toml::de::Error> {
        toml::from_str(&format!("source = 'front'\nbox = [4, 4, 260, 32]\nformat = '{format}'\ntime_zone = '{zone}'"))
    }

    fn zurich(format: &str) -> Face {
        face(format, "Europe/Zurich").unwrap()
    }

    #[test]
    fn what_cannot_be_read_is_refused_in_words() {
        for (format, why) in [
            ("%Y-%m-%d %H:%M", "it lacks the second"),
            ("%H:%M:%S", "it lacks the year"),
            ("%Y-%m-%d %I:%M:%S", "it lacks the hour"),
            ("%F %T %Z", "the field %Z is not known"),
            ("%F %T.%f", "the field %f is not known"),
            ("%F %T %", "ends in the middle"),
            ("%Y年%m月%d日 %T", "plain letters"),
        ] {
            let said = face(format, "UTC").unwrap_err().to_string();
            assert!(said.contains(why), "{format}: {said}");
        }
        assert!(face("%F %T", "Mars/Phobos").unwrap_err().to_string().contains("no time zone"));
        for place in ["[0, 0, 4, 32]", "[0, 0, 260, 0]", "[0, 0, 8000, 8]", "[-1, 0, 260, 32]", "[0, 0, 260]"] {
            let text = format!("source = 'a'\nbox = {place}\nformat = '%F %T'\ntime_zone = 'UTC'");
            assert!(toml::from_str::<Face>(&text).is_err(), "{place}");
        }
    }

    #[test]
    fn a_clock_is_made_of_what_its_format_writes() {
        assert_eq!(zurich("%Y-%m-%d %H:%M:%S").characters(), "-0123456789:");
        assert_eq!(zurich("%d/%m/%Y %I:%M:%S %p").characters(), "/0123456789:AMPamp");
        assert!("FriSun".chars().all(|c| zurich("%F %a %T").characters().contains(c)));
    }

    #[test]
    fn only_a_whole_time_is_one() {
        let time = civil::date(2026, 11, 27).at(10, 48, 36, 0);
        for (format, text) in [
            ("%Y-%m-%d %H:%M:%S", "2026-11-27 10:48:36\n"),
            ("%Y-%m-%d %H:%M:%S", "2026-11-2710:48: 36"),
            ("%m-%d-%Y %a %H:%M:%S", "11-27-2026 Fri 10:48:36"),
            ("%d/%m/%Y %I:%M:%S %p", "27/11/2026 10:48:36 am"),
            ("%d %b %Y %-H:%M:%S", "27 NOV 2026 10:48:36"),
            ("CAM1 %y%m%d %T", "CAM1 261127 10:48:36"),
        ] {
            assert_eq!(zurich(format).read(text), Some(time), "{text}");
        }
        for text in [
            "",
            "2026-1-27 10:48:36",
            "2026-11-27 10:48:3",
            "2026-11-27 10:48:361",
            "2026-11-27 10:48:76",
            "2026-11-31 10:48:36",
            "2026-11-27",
        ] {
            assert_eq!(zurich("%Y-%m-%d %H:%M:%S").read(text), None, "{text}");
        }
        // a day of the week that is not that of the date was misread
        assert_eq!(zurich("%F %a %T").read("2026-11-27 Sat 10:48:36"), None);
    }

    #[test]
    fn an_hour_that_happens_twice_is_the_one_that_is_nearest() {
        let ms = |at: &str| at.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let (face, shown) = (zurich("%F %T"), civil::date(2026, 10, 25).at(2, 30, 0, 0));
        let (first, second) = (ms("2026-10-25T00:30:00Z"), ms("2026-10-25T01:30:00Z"));
        assert_eq!(face.moment(shown, first + 67_000), Some(first));
        assert_eq!(face.moment(shown, second - 67_000), Some(second));
        // a clock that did not go forward in spring shows an hour that there is not
        let never = civil::date(2026, 3, 29).at(2, 30, 0, 0);
        assert_eq!(face.moment(never, ms("2026-03-29T01:29:00Z")), Some(ms("2026-03-29T01:30:00Z")));
    }

    proptest! {
        #[test]
        fn whatever_was_read_is_a_time_or_none(text in "\\PC{0,40}", format in "[%YmdHMS0-9:. -]{0,40}") {
            let _ = zurich("%Y-%m-%d %H:%M:%S").read(&text);
            if let Ok(face) = face(&format, "Europe/Zurich") {
                let _ = (face.characters(), face.read(&text).and_then(|shown| face.moment(shown, 0)));
            }
        }
    }
}
