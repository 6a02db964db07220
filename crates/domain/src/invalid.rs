//! What is wrong with an input, field by field.

use serde::Serialize;

/// What may have so many characters is written on one line.
const LINE: usize = 300;

/// One field that cannot be accepted, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the field: `/items/0/from`.
    pub pointer: String,
    /// What was expected, as a sentence.
    pub message: String,
}

/// All that is wrong with an input. Rules collect into it and answer it when it is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invalid(pub Vec<FieldError>);

impl Invalid {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// One wrong field.
    pub fn field(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let mut invalid = Self::new();
        invalid.add(pointer, message);
        invalid
    }

    /// One more wrong field.
    pub fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.into(), message: message.into() });
    }

    /// Requires text of 1 to `most` characters, not counting blanks around it.
    pub fn require_text(&mut self, pointer: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.add(pointer, "This cannot be empty.");
        }
        self.check_text(pointer, text.trim(), most);
    }

    /// Requires text of at most so many characters.
    pub fn limit_text(&mut self, pointer: &str, text: Option<&str>, most: usize) {
        self.check_text(pointer, text.unwrap_or(""), most);
    }

    /// Text that fits on a line has no control characters; longer text may have line breaks and tabs. None has what turns round the text
    /// behind it (Unicode's overrides): of names and subjects that stand in a line with others, all of it.
    fn check_text(&mut self, pointer: &str, text: &str, most: usize) {
        let length = text.chars().count();
        if length > most {
            self.add(pointer, format!("This has {length} characters; at most {most} fit."));
        }
        let turns = |c: char| matches!(c, '\u{202d}' | '\u{202e}');
        let controls = |c: char| c.is_control() && (most <= LINE || !matches!(c, '\n' | '\r' | '\t'));
        if text.chars().any(|c| controls(c) || turns(c)) {
            self.add(pointer, "This has control characters in it.");
        }
    }

    /// `Ok` when nothing is wrong.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl std::fmt::Display for Invalid {
    /// For a log, or a person who sees no form: each field by its name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, FieldError { pointer, message }) in self.0.iter().enumerate() {
            let blank = if i == 0 { "" } else { " " };
            write!(f, "{blank}{}: {message}", pointer.trim_start_matches('/'))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_text_has_line_breaks_and_none_has_other_control_characters() {
        let wrong = |text: &str, most| {
            let mut invalid = Invalid::new();
            invalid.require_text("/text", text, most);
            invalid.limit_text("/text", Some(text), most);
            invalid.0.len()
        };
        assert_eq!(wrong("Two\nlines\tand more", 4_000), 0);
        assert_eq!(wrong("Two\nlines", 200), 2);
        for control in ['\0', '\u{1b}', '\u{7f}', '\u{85}', '\u{202d}', '\u{202e}'] {
            assert_eq!(wrong(&format!("a{control}b"), 4_000), 2);
            assert_eq!(wrong(&format!("a{control}b"), 200), 2);
        }
        assert_eq!(wrong("Größe 5 – 日本", 200), 0);
    }
}
