//! Templates of the numbers that people use for requests and cases, such as `VR-{YYYY}-{####}`.
//!
//! A counter runs per [`NumberTemplate::scope`]: the values of the date fields that the template names. It is raised in
//! the transaction that uses the number, so that no number is skipped. That no two are equal follows from what
//! [`NumberTemplate::parse`] insists on: a counter, and a separator between any two fields whose width varies.

use std::fmt::Write as _;

use jiff::civil::Date;

/// What stands for one part of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Year,
    ShortYear,
    Month {
        padded: bool,
    },
    Day {
        padded: bool,
    },
    /// The running number, padded with zeros to this width.
    Counter {
        width: usize,
    },
    FirstName,
    LastName,
    UserName,
}

impl Part {
    fn is_date(&self) -> bool {
        matches!(self, Self::Year | Self::ShortYear | Self::Month { .. } | Self::Day { .. })
    }

    /// Whether the number of characters that it gives can differ.
    fn varies(&self) -> bool {
        matches!(
            self,
            Self::Month { padded: false }
                | Self::Day { padded: false }
                | Self::Counter { .. }
                | Self::FirstName
                | Self::LastName
                | Self::UserName
        )
    }
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Empty or too long.
    #[error("must have 1 to {MAX_LENGTH} characters")]
    Length,
    /// A brace without its partner.
    #[error("the brace at character {0} has no partner")]
    Brace(usize),
    /// Not a field.
    #[error(
        "{{{0}}} is none of {{YYYY}} {{YY}} {{MM}} {{M}} {{DD}} {{D}} {{###}} {{N}} {{FIRSTNAME}} {{LASTNAME}} {{USERNAME}}"
    )]
    UnknownField(String),
    /// Without a running number two requests would get the same one.
    #[error("needs a running number, {{###}} or {{N}}")]
    NoCounter,
    /// Two numbers could come out the same.
    #[error("put a separator such as - between fields whose length varies")]
    Ambiguous,
    /// A control character.
    #[error("must not contain control characters")]
    Control,
}

/// The longest template, in characters.
pub const MAX_LENGTH: usize = 100;

/// Whose names a number may bear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names<'a> {
    /// Full name, as people write it: the first word is the first name, the last word the last.
    pub name: &'a str,
    /// The short name for signing in.
    pub user_name: &'a str,
}

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberTemplate {
    parts: Vec<Part>,
}

impl std::str::FromStr for NumberTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        Self::parse(text)
    }
}

impl NumberTemplate {
    /// Reads a template and makes sure that its numbers cannot collide.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.trim().is_empty() || text.chars().count() > MAX_LENGTH {
            return Err(TemplateError::Length);
        }
        if text.chars().any(char::is_control) {
            return Err(TemplateError::Control);
        }
        let parts = split(text)?;
        if !parts.iter().any(|part| matches!(part, Part::Counter { .. })) {
            return Err(TemplateError::NoCounter);
        }
        // Names and numbers render as letters and digits only, so what lies between separators can be told apart again,
        // and within one stretch a single field of varying width is what the fixed ones leave over.
        let mut varying = false;
        for part in &parts {
            match part {
                Part::Literal(text) if text.chars().any(|c| !c.is_alphanumeric()) => varying = false,
                part if part.varies() && std::mem::replace(&mut varying, true) => return Err(TemplateError::Ambiguous),
                _ => {}
            }
        }
        Ok(Self { parts })
    }

    /// The name of the counter that numbers of this day take: the values of the date fields that the template names, so
    /// that the count starts again with the year, month or day that it shows.
    pub fn scope(&self, date: Date) -> String {
        let fields: Vec<String> = self
            .parts
            .iter()
            .filter(|part| part.is_date())
            .map(|part| render_part(part, date, 0, Names::default()))
            .collect();
        fields.join("-")
    }

    /// The number for this day in the installation's time zone, this count within its scope, and these names.
    pub fn render(&self, date: Date, counter: u64, names: Names<'_>) -> String {
        self.parts.iter().map(|part| render_part(part, date, counter, names)).collect()
    }
}

fn split(text: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut chars = text.chars().enumerate();
    while let Some((at, c)) = chars.next() {
        match c {
            '{' => {
                let mut field = String::new();
                loop {
                    match chars.next() {
                        Some((_, '}')) => break,
                        Some((_, '{')) | None => return Err(TemplateError::Brace(at + 1)),
                        Some((_, c)) => field.push(c),
                    }
                }
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(field_part(field)?);
            }
            '}' => return Err(TemplateError::Brace(at + 1)),
            c => literal.push(c),
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

fn field_part(field: String) -> Result<Part, TemplateError> {
    Ok(match field.as_str() {
        "YYYY" => Part::Year,
        "YY" => Part::ShortYear,
        "MM" => Part::Month { padded: true },
        "M" => Part::Month { padded: false },
        "DD" => Part::Day { padded: true },
        "D" => Part::Day { padded: false },
        "N" => Part::Counter { width: 1 },
        "FIRSTNAME" => Part::FirstName,
        "LASTNAME" => Part::LastName,
        "USERNAME" => Part::UserName,
        hashes if !hashes.is_empty() && hashes.len() <= 18 && hashes.bytes().all(|b| b == b'#') => {
            Part::Counter { width: hashes.len() }
        }
        _ => return Err(TemplateError::UnknownField(field)),
    })
}

fn render_part(part: &Part, date: Date, counter: u64, names: Names<'_>) -> String {
    let mut out = String::new();
    let plain = |text: Option<&str>| text.unwrap_or("").chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let written = match part {
        Part::Literal(text) => write!(out, "{text}"),
        Part::Year => write!(out, "{:04}", date.year()),
        Part::ShortYear => write!(out, "{:02}", date.year().rem_euclid(100)),
        Part::Month { padded: true } => write!(out, "{:02}", date.month()),
        Part::Month { padded: false } => write!(out, "{}", date.month()),
        Part::Day { padded: true } => write!(out, "{:02}", date.day()),
        Part::Day { padded: false } => write!(out, "{}", date.day()),
        Part::Counter { width } => write!(out, "{counter:0width$}"),
        Part::FirstName => write!(out, "{}", plain(names.name.split_whitespace().next())),
        Part::LastName => write!(out, "{}", plain(names.name.split_whitespace().next_back())),
        Part::UserName => write!(out, "{}", plain(Some(names.user_name))),
    };
    debug_assert!(written.is_ok(), "writing to a String does not fail");
    out
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use jiff::ToSpan as _;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const NAMES: Names<'static> = Names { name: "Ana María de la O'Neil", user_name: "a.oneil7" };

    fn render(template: &str, counter: u64) -> String {
        NumberTemplate::parse(template).unwrap().render(date(2026, 3, 7), counter, NAMES)
    }

    #[test]
    fn every_field_renders() {
        assert_eq!(render("VR-{YYYY}-{####}", 12), "VR-2026-0012");
        assert_eq!(render("{YY}{MM}{DD}/{N}", 12), "260307/12");
        assert_eq!(render("{M}.{D}.{###}", 1234), "3.7.1234");
        assert_eq!(render("{FIRSTNAME} {LASTNAME} {USERNAME} {N} Zürich", 1), "Ana ONeil aoneil7 1 Zürich");
    }

    #[test]
    fn what_is_no_template() {
        let error = |text: &str| NumberTemplate::parse(text).unwrap_err();
        assert_eq!(error(""), TemplateError::Length);
        assert_eq!(error(&"x".repeat(101)), TemplateError::Length);
        assert_eq!(error("{N"), TemplateError::Brace(1));
        assert_eq!(error("a}{N}"), TemplateError::Brace(2));
        assert_eq!(error("{{N}}"), TemplateError::Brace(1));
        assert_eq!(error("{yyyy}-{N}"), TemplateError::UnknownField("yyyy".into()));
        assert_eq!(error("{}-{N}"), TemplateError::UnknownField(String::new()));
        assert_eq!(error("{YYYY}"), TemplateError::NoCounter);
        assert_eq!(error("{N}{M}"), TemplateError::Ambiguous);
        assert_eq!(error("{M}x{D}-{N}"), TemplateError::Ambiguous);
        assert_eq!(error("{LASTNAME}{N}"), TemplateError::Ambiguous);
        assert_eq!(error("{N}\n"), TemplateError::Control);
    }

    #[test]
    fn the_count_starts_again_with_what_the_template_names() {
        let scope = |template: &str, y, m, d| NumberTemplate::parse(template).unwrap().scope(date(y, m, d));
        assert_eq!(scope("{N}", 2026, 1, 1), scope("{N}", 2030, 5, 5));
        assert_ne!(scope("{YYYY}-{N}", 2026, 12, 31), scope("{YYYY}-{N}", 2027, 1, 1));
        assert_eq!(scope("{YYYY}-{N}", 2026, 1, 1), scope("{YYYY}-{N}", 2026, 12, 31));
        assert_ne!(scope("{YY}{MM}-{N}", 2026, 1, 1), scope("{YY}{MM}-{N}", 2026, 2, 1));
        // A month without a year goes on where the same month of the year before stopped.
        assert_eq!(scope("{MM}-{N}", 2026, 1, 1), scope("{MM}-{N}", 2027, 1, 1));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,120}") {
            let _ = NumberTemplate::parse(&text);
        }

        #[test]
        fn numbers_never_collide_or_skip(
            fields in prop::collection::vec(
                prop::sample::select(vec![
                    "{YYYY}", "{YY}", "{MM}", "{M}", "{DD}", "{D}", "{###}", "{N}", "{FIRSTNAME}", "{LASTNAME}", "{USERNAME}",
                    "-", "/", "x", "1", " ",
                ]),
                1..9,
            ),
            asks in prop::collection::vec((0..400i64, prop::sample::select(vec!["Ana 1", "1 Bo", "A-1 B", "11", ""])), 1..200),
        ) {
            let Ok(template) = NumberTemplate::parse(&fields.concat()) else { return Ok(()) };
            let mut counters: HashMap<String, u64> = HashMap::new();
            let mut seen = HashSet::new();
            for (day, name) in asks {
                let day = date(2026, 11, 1).checked_add(day.days()).unwrap();
                let counter = counters.entry(template.scope(day)).or_default();
                *counter += 1;
                let number = template.render(day, *counter, Names { name, user_name: name });
                prop_assert!(seen.insert(number.clone()), "{} came twice", number);
            }
        }
    }
}
