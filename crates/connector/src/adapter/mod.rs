//! What the connector needs from a video system. So far there is one; the interface comes with the second.

pub mod folder;

use domain::Window;
use protocol::{Manifest, UnavailableReason};

/// Why an adapter cannot do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// There is no footage.
    #[error("{detail}")]
    Unavailable {
        /// Why there is none.
        reason: UnavailableReason,
        /// In a sentence.
        detail: String,
    },
    /// Something broke.
    #[error("{detail}")]
    Broken {
        /// Whether it may go better later.
        retryable: bool,
        /// In a sentence.
        detail: String,
    },
}

impl Trouble {
    fn again(detail: impl ToString) -> Self {
        Self::Broken { retryable: true, detail: detail.to_string() }
    }

    fn never(detail: impl ToString) -> Self {
        Self::Broken { retryable: false, detail: detail.to_string() }
    }
}

/// Which spans have recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// In order, within what was asked.
    pub spans: Vec<Window>,
    /// Whether nothing of it is still being recorded.
    pub complete: bool,
}

/// An exported file. The facts about the file itself are added while it is sent.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Where it lies.
    pub path: std::path::PathBuf,
    /// Its manifest, but for hash and size.
    pub manifest: Manifest,
}
