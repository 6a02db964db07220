//! The names of recordings: a path pattern with strftime fields and `{camera}`, read component by component so that
//! whole folders can be passed over. `{path}` is one or more folders, which together name the camera.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing between the slashes, or `.` or `..`.
    #[error("the pattern must be a path below the folder, without empty parts, '.' or '..'")]
    Path,
    /// A field that recordings cannot be named by.
    #[error("'%{0}' is not understood; known are %Y %y %m %d %H %M %S %j %f %3f %6f %s %z %%, {{camera}} and {{path}}")]
    Field(String),
    /// `{path}` among other things.
    #[error("{{path}} must stand alone between slashes, once, before the file's name, and without {{camera}}")]
    Folders,
    /// The time of a file would not be known.
    #[error("the pattern must give the time of a file: %s, or year, month and day (or %j) and hour")]
    NoTime,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(String),
    Camera,
    /// `{path}`: names of folders, as many as there are.
    Folders,
    /// `*`: anything within one part of the path.
    Any,
    Field(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Year,
    YearShort,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    DayOfYear,
    Fraction,
    Epoch,
    Offset,
}

/// What the parts of a path read so far have told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The text that stood for `{camera}`.
    pub(super) camera: Option<String>,
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: Option<i8>,
    minute: Option<i8>,
    second: Option<i8>,
    day_of_year: Option<i16>,
    micros: Option<i32>,
    epoch: Option<i64>,
    offset_seconds: Option<i32>,
}

/// A parsed pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    parts: Vec<Vec<Token>>,
    precision_ms: u64,
}

impl Pattern {
    /// Reads a pattern such as `{camera}/%Y-%m-%d/%H-%M-%S.mp4`.
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        for part in text.split('/') {
            if matches!(part, "" | "." | "..") || part.chars().any(char::is_control) {
                return Err(PatternError::Path);
            }
            parts.push(tokens(part)?);
        }
        let folders = |part: &Vec<Token>| part.contains(&Token::Folders);
        if let Some(at) = parts.iter().position(folders) {
            let others = parts.iter().flatten().filter(|token| matches!(token, Token::Folders | Token::Camera));
            if others.count() > 1 || parts[at].len() > 1 || at + 1 == parts.len() {
                return Err(PatternError::Folders);
            }
        }
        let has = |field: Field| parts.iter().flatten().any(|token| *token == Token::Field(field));
        let date = (has(Field::Year) || has(Field::YearShort))
            && (has(Field::DayOfYear) || has(Field::Month) && has(Field::Day))
            && has(Field::Hour);
        if !(date || has(Field::Epoch)) {
            return Err(PatternError::NoTime);
        }
        let precision_ms = match () {
            () if has(Field::Fraction) => 0,
            () if has(Field::Second) || has(Field::Epoch) => 1_000,
            () => 60_000,
        };
        Ok(Self { parts, precision_ms })
    }

    /// How much later than its name a file may begin, by what the name leaves open.
    pub(super) fn precision(&self) -> Duration {
        Duration::from_millis(self.precision_ms)
    }

    /// How many parts a path has.
    pub(super) fn depth(&self) -> usize {
        self.parts.len()
    }

    /// Reads a whole path; `None` if it does not fit.
    pub(super) fn read_path(&self, path: &str) -> Option<Facts> {
        let names: Vec<_> = path.split('/').collect();
        let more = names.len().checked_sub(self.depth())?;
        let mut facts = Facts::default();
        let mut names = names.into_iter();
        for depth in 0..self.depth() {
            for _ in 0..=if self.is_deep(depth) { more } else { 0 } {
                facts = self.read(depth, names.next()?, &facts)?;
            }
        }
        names.next().is_none().then_some(facts)
    }

    /// Whether any number of folders, but one at least, are read by this part of the pattern.
    pub(super) fn is_deep(&self, depth: usize) -> bool {
        self.parts.get(depth).is_some_and(|part| part.contains(&Token::Folders))
    }

    /// Reads one part of a path, on top of what the parts before it have told; `None` if it does not fit.
    pub(super) fn read(&self, depth: usize, name: &str, before: &Facts) -> Option<Facts> {
        fit(self.parts.get(depth)?, name, before)
    }
}

fn tokens(part: &str) -> Result<Vec<Token>, PatternError> {
    let mut out: Vec<Token> = Vec::new();
    let mut rest = part;
    while let Some(c) = rest.chars().next() {
        let (token, used) = if rest.starts_with("{camera}") {
            (Token::Camera, "{camera}".len())
        } else if rest.starts_with("{path}") {
            (Token::Folders, "{path}".len())
        } else if c == '*' {
            (Token::Any, 1)
        } else if c == '%' {
            field(&rest[1..]).map(|(token, used)| (token, used + 1))?
        } else {
            (Token::Literal(c.to_string()), c.len_utf8())
        };
        match (out.last_mut(), token) {
            (Some(Token::Literal(text)), Token::Literal(more)) => text.push_str(&more),
            (_, token) => out.push(token),
        }
        rest = &rest[used..];
    }
    Ok(out)
}

fn field(after: &str) -> Result<(Token, usize), PatternError> {
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let Some(letter) = after[digits..].chars().next() else {
        return Err(PatternError::Field(after.to_owned()));
    };
    let field = match letter {
        'f' => Field::Fraction,
        _ if digits > 0 => return Err(PatternError::Field(after[..digits + letter.len_utf8()].to_owned())),
        '%' => return Ok((Token::Literal("%".into()), 1)),
        'Y' => Field::Year,
        'y' => Field::YearShort,
        'm' => Field::Month,
        'd' => Field::Day,
        'H' => Field::Hour,
        'M' => Field::Minute,
        'S' => Field::Second,
        'j' => Field::DayOfYear,
        's' => Field::Epoch,
        'z' => Field::Offset,
        other => return Err(PatternError::Field(other.to_string())),
    };
    Ok((Token::Field(field), digits + 1))
}

/// Matches with backtracking: `{camera}` and `*` take as little as they can.
fn fit(tokens: &[Token], text: &str, facts: &Facts) -> Option<Facts> {
    let Some((token, later)) = tokens.split_first() else {
        return text.is_empty().then(|| facts.clone());
    };
    match token {
        Token::Literal(literal) => fit(later, text.strip_prefix(literal.as_str())?, facts),
        Token::Any => cuts(text, 0).find_map(|at| fit(later, &text[at..], facts)),
        Token::Camera => cuts(text, 1).find_map(|at| {
            let camera = &text[..at];
            if facts.camera.as_deref().is_some_and(|known| known != camera) {
                return None;
            }
            fit(later, &text[at..], &Facts { camera: Some(camera.to_owned()), ..facts.clone() })
        }),
        Token::Folders => {
            let before = facts.camera.as_ref().map_or(String::new(), |camera| format!("{camera}/"));
            Some(Facts { camera: Some(format!("{before}{text}")), ..facts.clone() })
        }
        Token::Field(field) => lengths(*field, text).find_map(|at| {
            let facts = facts.with(*field, &text[..at])?;
            fit(later, &text[at..], &facts)
        }),
    }
}

fn cuts(text: &str, least: usize) -> impl Iterator<Item = usize> + '_ {
    (least..=text.len()).filter(|at| text.is_char_boundary(*at))
}

fn lengths(field: Field, text: &str) -> impl Iterator<Item = usize> + use<> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let range = match field {
        Field::Year => 4..=4,
        Field::DayOfYear => 3..=3,
        Field::Fraction => 1..=9,
        Field::Epoch => 1..=18,
        Field::Offset => {
            let length = match text.as_bytes() {
                [b'Z', ..] => 1,
                [b'+' | b'-', h, hh, b':', m, mm, ..] if [h, hh, m, mm].iter().all(|b| b.is_ascii_digit()) => 6,
                [b'+' | b'-', hhmm @ ..] if hhmm.iter().take(4).filter(|b| b.is_ascii_digit()).count() == 4 => 5,
                _ => 0,
            };
            return (length..=length).rev().take(usize::from(length > 0)).collect::<Vec<_>>().into_iter();
        }
        _ => 2..=2,
    };
    range.rev().filter(|length| *length <= digits).collect::<Vec<_>>().into_iter()
}

fn set<T: PartialEq + Copy>(slot: &mut Option<T>, value: T) -> Option<()> {
    (slot.is_none() || *slot == Some(value)).then(|| *slot = Some(value))
}

impl Facts {
    fn with(&self, field: Field, text: &str) -> Option<Self> {
        let mut out = self.clone();
        let small = || text.parse::<i8>().ok();
        match field {
            Field::Year => set(&mut out.year, text.parse().ok()?)?,
            Field::YearShort => set(&mut out.year, 2000 + text.parse::<i16>().ok()?)?,
            Field::Month => set(&mut out.month, small()?)?,
            Field::Day => set(&mut out.day, small()?)?,
            Field::Hour => set(&mut out.hour, small()?)?,
            Field::Minute => set(&mut out.minute, small()?)?,
            Field::Second => set(&mut out.second, small()?)?,
            Field::DayOfYear => set(&mut out.day_of_year, text.parse().ok()?)?,
            Field::Fraction => set(&mut out.micros, format!("{text:0<6}")[..6].parse().ok()?)?,
            Field::Epoch => set(&mut out.epoch, text.parse().ok()?)?,
            Field::Offset => set(&mut out.offset_seconds, offset(text)?)?,
        }
        Some(out)
    }

    /// Whether the camera may lie further below what was read by `{path}` so far.
    pub(super) fn lead_to(&self, camera: &str) -> bool {
        let so_far = self.camera.as_deref().unwrap_or_default();
        camera.strip_prefix(so_far).is_some_and(|rest| rest.starts_with('/'))
    }

    fn date(&self) -> Option<Date> {
        let year = self.year?;
        match self.day_of_year {
            Some(day) => Date::new(year, 1, 1).ok()?.with().day_of_year(day).build().ok(),
            None => Date::new(year, self.month?, self.day?).ok(),
        }
    }

    /// When a file of that name begins. In an hour that the clock shows twice there are two such times: the first that is
    /// answered is what `written`, the file's last change, makes likely, the second the other one.
    pub(super) fn begins(
        &self,
        zone: &TimeZone,
        written: impl FnOnce() -> Option<Timestamp>,
    ) -> Option<(Timestamp, Option<Timestamp>)> {
        let once = |at| (at, None);
        let micros = self.micros.unwrap_or(0);
        if let Some(epoch) = self.epoch {
            // seconds, or milli- or microseconds by their size
            let total = match epoch {
                0..100_000_000_000 => epoch.checked_mul(1_000_000)?.checked_add(i64::from(micros))?,
                100_000_000_000..100_000_000_000_000 => epoch.checked_mul(1_000)?,
                _ => epoch,
            };
            return Timestamp::from_microsecond(total).ok().map(once);
        }
        let (minute, second) = (self.minute.unwrap_or(0), self.second.unwrap_or(0));
        let local = self.date()?.to_datetime(Time::new(self.hour?, minute, second, micros * 1_000).ok()?);
        if let Some(seconds) = self.offset_seconds {
            return jiff::tz::Offset::from_seconds(seconds).ok()?.to_timestamp(local).ok().map(once);
        }
        let ambiguous = zone.to_ambiguous_timestamp(local);
        match ambiguous.offset() {
            AmbiguousOffset::Fold { before, after } => {
                let (early, late) = (before.to_timestamp(local).ok()?, after.to_timestamp(local).ok()?);
                let is_late = written().is_some_and(|written| written > late);
                Some(if is_late { (late, Some(early)) } else { (early, Some(late)) })
            }
            _ => ambiguous.compatible().ok().map(once),
        }
    }
}

fn offset(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    Some(sign * (hours.parse::<i32>().ok()? * 3_600 + minutes.parse::<i32>().ok()? * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str, path: &str) -> Option<Facts> {
        Pattern::parse(pattern).unwrap().read_path(path)
    }

    fn begins(pattern: &str, path: &str, zone: &str) -> Option<String> {
        let zone = TimeZone::get(zone).unwrap();
        read(pattern, path)?.begins(&zone, || None).map(|(at, _)| at.to_string())
    }

    #[test]
    fn writers_of_the_field_are_understood() {
        let utc = "UTC";
        for (pattern, path, time) in [
            ("%Y-%m-%d_%H-%M-%S.mp4", "2026-11-22_20-08-59.mp4", "2026-11-22T20:08:59Z"),
            ("{camera}/%Y-%m-%d_%H-%M-%S-%f.mp4", "a b/2026-11-22_20-08-59-250000.mp4", "2026-11-22T20:08:59.25Z"),
            ("%Y-%m-%d/%H/{camera}/%M.%S.mp4", "2026-11-22/20/yard/08.59.mp4", "2026-11-22T20:08:59Z"),
            ("{camera}/%Y-%m-%d/%H-%M-%S.mp4", "Camera1/2026-11-22/20-08-59.mp4", "2026-11-22T20:08:59Z"),
            ("{camera}.%Y%m%d_%H%M%S.mp4", "a.b_c.20261122_200859.mp4", "2026-11-22T20:08:59Z"),
            ("{camera}-%s.ts", "gate-7-1795378139.ts", "2026-11-22T20:08:59Z"),
            ("%Y%j%H%M.mkv", "20263262008.mkv", "2026-11-22T20:08:00Z"),
            ("%Y%m%dT%H%M%S%z.mkv", "20261122T200859+0100.mkv", "2026-11-22T19:08:59Z"),
            ("{path}/%Y-%m-%d_%H-%M-%S-%f%z.mp4", "gate/2026-11-22_20-08-59-250000Z.mp4", "2026-11-22T20:08:59.25Z"),
            ("{path}/%H/%Y%m%d.ts", "north/gate/20/20261122.ts", "2026-11-22T20:00:00Z"),
            ("{path}/%s-%f.ts", "gate/1795378139-250000.ts", "2026-11-22T20:08:59.25Z"),
            ("*/{camera}_%Y%m%d%H%M%S.mp4", "x/front_door_20261122200859.mp4", "2026-11-22T20:08:59Z"),
        ] {
            assert_eq!(begins(pattern, path, utc).as_deref(), Some(time), "{pattern} on {path}");
        }
        assert_eq!(read("{camera}.%Y%m%d_%H.mp4", "a.b_c.20261122_20.mp4").unwrap().camera.unwrap(), "a.b_c");
        assert_eq!(begins("%Y-%m-%d_%H.mp4", "2026-13-22_20.mp4", utc), None, "no such month");
        assert_eq!(begins("%Y-%m-%d_%H.mp4", "2026-11-22_24.mp4", utc), None, "no such hour");
        assert!(read("{camera}/{camera}_%s.mp4", "a/b_1795378139.mp4").is_none(), "two names for one camera");
    }

    #[test]
    fn summer_time_is_reckoned_with() {
        let (pattern, zone) = ("%Y-%m-%d_%H-%M.mp4", "Europe/Zurich");
        assert_eq!(begins(pattern, "2026-07-01_12-00.mp4", zone).unwrap(), "2026-07-01T10:00:00Z");
        assert_eq!(begins(pattern, "2026-12-01_12-00.mp4", zone).unwrap(), "2026-12-01T11:00:00Z");
        // 02:30 is shown twice on 25 October; the file's last change tells which it was
        let facts = read(pattern, "2026-10-25_02-30.mp4").unwrap();
        let zone = TimeZone::get(zone).unwrap();
        let at = |written: &str| facts.begins(&zone, || written.parse().ok()).unwrap().0.to_string();
        assert_eq!(at("2026-10-25T00:40:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(at("2026-10-25T01:40:00Z"), "2026-10-25T01:30:00Z");
        // 02:30 is never shown on 29 March: taken as an hour later
        let facts = read(pattern, "2026-03-29_02-30.mp4").unwrap();
        assert_eq!(facts.begins(&zone, || None).unwrap().0.to_string(), "2026-03-29T01:30:00Z");
    }

    #[test]
    fn patterns_that_cannot_work_say_why() {
        assert_eq!(Pattern::parse("../%s.mp4").unwrap_err(), PatternError::Path);
        assert_eq!(Pattern::parse("/%s.mp4").unwrap_err(), PatternError::Path);
        assert_eq!(Pattern::parse("{camera}.mp4").unwrap_err(), PatternError::NoTime);
        assert_eq!(Pattern::parse("%Y%m%d%H%Q.mp4").unwrap_err(), PatternError::Field("Q".into()));
        for text in
            ["{path}", "{path}-%s.mp4", "a{path}/%s.mp4", "{path}/{camera}/%s.mp4", "{path}/{path}/%s.mp4", "%s/{path}"]
        {
            assert_eq!(Pattern::parse(text).unwrap_err(), PatternError::Folders, "{text}");
        }
        assert_eq!(Pattern::parse("%s%").unwrap_err(), PatternError::Field(String::new()));
    }

    #[test]
    fn odd_names_do_no_harm() {
        for name in ["..", "", "é", "+é:aé", "+2é:00", "2026", "\u{202e}", "%Y", "9999999999999999999999"] {
            assert_eq!(begins("{camera}-%Y%m%d%H.mp4", name, "UTC"), None);
            assert_eq!(begins("%Y%m%d%H%z", &format!("2026112220{name}"), "UTC"), None);
            assert_eq!(begins("%s", name, "UTC").filter(|_| name.len() > 20), None);
        }
    }
}
