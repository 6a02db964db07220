//! The one error of actions. Its kind becomes a status code in one place of the server.

use domain::Invalid;
use domain::policy::Forbidden;

/// What every action answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The input cannot be accepted; the fields say why. Nothing was changed.
    Invalid(Invalid),
    /// Nobody is signed in, or the credentials are wrong.
    Unauthenticated,
    /// Seen, but not theirs to do.
    Forbidden,
    /// Not there, or not for them to see.
    NotFound,
    /// The state of things does not allow it now.
    Conflict,
    /// An earlier try made the thing with this id, whose secret is shown only once.
    AlreadyMade(String),
    /// Changed by somebody else since it was read (`If-Match`).
    Stale,
    /// A precondition such as `If-Match` is missing.
    PreconditionRequired,
    /// It was there, and is gone for good: an expired or revoked link, an ended upload.
    Gone,
    /// More bytes than are accepted.
    TooLarge,
    /// Too many tries; again after so many seconds.
    Throttled(u64),
    /// Something needed is not available right now; the same may work later.
    Unavailable,
    /// Our fault. The cause is logged; the caller learns the request's id.
    Internal,
}

/// Why an action failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The sort.
    pub kind: Kind,
    /// A stable name for programs: `wrong_credentials`.
    pub code: &'static str,
    /// A sentence for people: what happened and what to do.
    pub message: String,
    /// The cause, for the log alone.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error without a cause.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), source: None }
    }

    /// There is no such thing, as far as the caller may know: `not_found("camera")`.
    pub fn not_found(noun: &str) -> Self {
        Self::new(Kind::NotFound, "not_found", format!("There is no such {noun}, or it is not visible to you."))
    }

    /// The state of things does not allow it.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, code, message)
    }

    /// What happened, for those who run the installation: where it was our fault, its causes.
    pub fn for_administrators(&self) -> String {
        let mut words = Vec::new();
        let mut cause = self.source.as_deref().map(|source| source as &dyn std::error::Error);
        while let Some(inner) = cause {
            words.push(inner.to_string());
            cause = inner.source();
        }
        if words.is_empty() { self.message.clone() } else { words.join(": ") }
    }

    /// Our fault, with its cause.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            kind: Kind::Internal,
            code: "internal",
            message:
                "Something failed on the server; nothing was changed. Try again, and report the request id if it stays."
                    .to_owned(),
            source: Some(source.into()),
        }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        let message = match invalid.0.as_slice() {
            [one] => one.message.clone(),
            many => format!("{} fields cannot be accepted.", many.len()),
        };
        Self::new(Kind::Invalid(invalid), "invalid", message)
    }
}

impl From<Forbidden> for Error {
    fn from(forbidden: Forbidden) -> Self {
        Self::new(Kind::Forbidden, "forbidden", forbidden.0)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Exists => Self::conflict("exists", "That exists already."),
            store::Error::Referred => {
                Self::conflict("referred", "Something else refers to this, or what this refers to is gone.")
            }
            store::Error::Stale => Self::new(
                Kind::Stale,
                "stale",
                "This was changed by somebody else in the meantime. Load it again and repeat your change.",
            ),
            store::Error::Unstorable => {
                Invalid::field("", "Something in this has control characters in it, which cannot be kept.").into()
            }
            other => Self::internal(other),
        }
    }
}
