//! What is wrong with an input, field by field.

use serde::Serialize;

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
        let length = text.trim().chars().count();
        if length == 0 {
            self.add(pointer, "This cannot be empty.");
        } else if length > most {
            self.add(pointer, format!("This has {length} characters; at most {most} fit."));
        }
    }

    /// Requires text of at most so many characters.
    pub fn limit_text(&mut self, pointer: &str, text: Option<&str>, most: usize) {
        let length = text.map_or(0, |t| t.chars().count());
        if length > most {
            self.add(pointer, format!("This has {length} characters; at most {most} fit."));
        }
    }

    /// `Ok` when nothing is wrong.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}
