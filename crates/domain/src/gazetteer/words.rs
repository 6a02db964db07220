//! How names and what people type are compared.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// How unlike a name is to what was typed; less is better.
pub(super) type Likeness = u32;

#[derive(Debug)]
pub(super) struct Name {
    pub(super) text: String,
    words: Vec<String>,
}

/// What was typed.
#[derive(Debug, PartialEq)]
pub(super) enum Query {
    Nothing,
    Place(Vec<String>),
    Crossing(Vec<String>, Vec<String>),
}

const KINDS: [(&str, &str); 22] = [
    ("street", "st"),
    ("str", "st"),
    ("avenue", "ave"),
    ("av", "ave"),
    ("road", "rd"),
    ("boulevard", "blvd"),
    ("drive", "dr"),
    ("lane", "ln"),
    ("place", "pl"),
    ("court", "ct"),
    ("square", "sq"),
    ("highway", "hwy"),
    ("parkway", "pkwy"),
    ("terrace", "ter"),
    ("bridge", "brg"),
    ("alley", "aly"),
    ("way", "way"),
    ("north", "n"),
    ("south", "s"),
    ("east", "e"),
    ("west", "w"),
    ("saint", "st"),
];
const ORDINALS: [&str; 20] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];
/// Stands between two streets.
const JOINT: &str = "&";

fn is_kind(word: &str) -> bool {
    KINDS.iter().any(|(_, short)| *short == word)
}

/// Lower case, without accents and punctuation, each word in its shortest usual form.
fn words(text: &str) -> Vec<String> {
    let plain: String = text
        .nfd()
        .filter(|c| !is_combining_mark(*c) && !matches!(c, '\'' | '’' | '.'))
        .flat_map(char::to_lowercase)
        .map(|c| {
            if matches!(c, '&' | '/' | '@' | '+') {
                " & ".to_owned()
            } else if c.is_alphanumeric() {
                c.to_string()
            } else {
                " ".to_owned()
            }
        })
        .collect();
    plain.split_whitespace().map(short).collect()
}

fn short(word: &str) -> String {
    if let Some(n) = ORDINALS.iter().position(|ordinal| *ordinal == word) {
        return (n + 1).to_string();
    }
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && matches!(&word[digits.len()..], "st" | "nd" | "rd" | "th")
    {
        return digits.to_owned();
    }
    KINDS.iter().find(|(long, _)| *long == word).map_or(word, |(_, short)| short).to_owned()
}

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let mut sides = vec![Vec::new()];
        for word in words(text) {
            match word.as_str() {
                JOINT | "and" | "at" | "x" => sides.push(Vec::new()),
                "corner" | "of" | "the" => {}
                _ => sides.last_mut().expect("it starts with one").push(word),
            }
        }
        let mut sides = sides.into_iter();
        match (sides.next().unwrap_or_default(), sides.next()) {
            (one, None) if one.is_empty() => Self::Nothing,
            (one, None) => Self::Place(one),
            (one, Some(other)) if one.is_empty() && other.is_empty() => Self::Nothing,
            (one, Some(other)) => Self::Crossing(one, other),
        }
    }
}

impl Name {
    pub(super) fn new(text: String) -> Self {
        let words = words(&text).into_iter().filter(|word| word != JOINT).collect();
        Self { text, words }
    }

    /// How well what was typed fits; `None` when it does not. Every word must occur, in order; the
    /// last may be the beginning of one.
    pub(super) fn likeness(&self, typed: &[String]) -> Option<Likeness> {
        self.fits(typed).or_else(|| {
            // "Main Street" is understood where there is only a Main Avenue.
            let (last, rest) = typed.split_last()?;
            if rest.is_empty() || !is_kind(last) { None } else { Some(self.fits(rest)? + 8) }
        })
    }

    fn fits(&self, typed: &[String]) -> Option<Likeness> {
        let mut unused = self.words.iter();
        let mut likeness = 0;
        for (i, word) in typed.iter().enumerate() {
            let last = i + 1 == typed.len();
            likeness += loop {
                let candidate = unused.next()?;
                if candidate == word {
                    break 0;
                }
                if last && candidate.starts_with(word.as_str()) {
                    break 2;
                }
                likeness += if is_kind(candidate) { 1 } else { 4 };
            };
        }
        Some(likeness + unused.map(|word| if is_kind(word) { 0 } else { 1 }).sum::<u32>())
    }
}
