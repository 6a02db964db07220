//! The lines of the protocol; `docs/guide/connectors/command.md` is its reference.

use std::collections::BTreeSet;

use domain::{Timestamp, Window};
use protocol::{ProblemReport, SourceDescription, UnavailableReason};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use crate::adapter::Trouble;
use crate::adapter::archive::Recording;

/// The version of the protocol.
pub const PROTOCOL: u32 = 1;
/// So much of a sentence of the program is passed on, in characters.
const LONGEST_DETAIL: usize = 300;
/// A recording may begin at most so much later than said, in milliseconds.
const LATEST_MS: u64 = 3_600_000;

/// What is asked.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a, P> {
    pub(super) id: u64,
    pub(super) method: &'a str,
    pub(super) params: P,
}

/// A line of the program, so far as it must be known to whom it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A request was done; what came of it is read by whoever asked.
    Result(u64),
    /// It was not.
    Failed(u64, Failure),
    /// It is being worked on.
    Progress(u64),
}

/// Why a program did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Failure {
    /// Some of the window is still being recorded.
    NotYet,
    /// There is no footage.
    Unavailable {
        /// Why there is none.
        reason: UnavailableReason,
        /// In a sentence.
        #[serde(default)]
        detail: String,
    },
    /// What was to be fetched is no longer there.
    Gone,
    /// The video system cannot be reached: it is waited for.
    Away {
        /// In a sentence.
        #[serde(default)]
        detail: String,
    },
    /// Something broke.
    Broken {
        /// Whether it may go better later.
        #[serde(default = "yes")]
        retryable: bool,
        /// In a sentence.
        #[serde(default)]
        detail: String,
    },
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

fn yes() -> bool {
    true
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotYet => Self::NotYet,
            Failure::Unavailable { reason, detail } => Self::Unavailable { reason, detail: sentence(&detail) },
            Failure::Gone => Self::again("The video system no longer has what was asked for."),
            Failure::Away { detail } => Self::Away(sentence(&detail)),
            Failure::Broken { retryable, detail } => Self::Broken { retryable, detail: sentence(&detail) },
            Failure::Unknown => Self::again("The adapter's program failed in a way that is not known here."),
        }
    }
}

/// What a program says in words, short and on one line.
pub(super) fn sentence(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().take(LONGEST_DETAIL).map(plain).collect();
    if text.trim().is_empty() { "The adapter's program does not say why.".into() } else { text }
}

/// Reads a line of the program. The error says what is wrong with it, and repeats nothing of it.
pub fn read(line: &[u8]) -> Result<Message, &'static str> {
    #[derive(Deserialize)]
    struct Line {
        id: u64,
        result: Option<IgnoredAny>,
        error: Option<Failure>,
        progress: Option<IgnoredAny>,
    }
    let line: Line = serde_json::from_slice(line).map_err(|_| "it wrote a line that is no message")?;
    match (line.result, line.error, line.progress) {
        (Some(_), None, None) => Ok(Message::Result(line.id)),
        (None, Some(failure), None) => Ok(Message::Failed(line.id, failure)),
        (None, None, Some(_)) => Ok(Message::Progress(line.id)),
        _ => Err("it wrote a message that is not one of result, error and progress"),
    }
}

/// What came of a request, out of the line that tells it.
pub fn result<T: DeserializeOwned>(line: &[u8]) -> Result<T, Trouble> {
    #[derive(Deserialize)]
    struct Line<T> {
        result: T,
    }
    serde_json::from_slice::<Line<T>>(line)
        .map(|line| line.result)
        .map_err(|_| Trouble::again("The adapter's program gave a result of another form than was asked for."))
}

/// What a program says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hello {
    /// The version of the protocol that it speaks.
    pub protocol: u32,
    /// The methods that it knows.
    #[serde(default)]
    pub can: BTreeSet<String>,
    /// How many requests it works on at once.
    #[serde(default = "one")]
    pub parallel: usize,
}

fn one() -> usize {
    1
}

/// What `discover` gives.
#[derive(Debug, Deserialize)]
pub struct Cameras {
    /// The cameras.
    pub sources: Vec<SourceDescription>,
    /// Whether these are all.
    #[serde(default = "yes")]
    pub whole: bool,
    /// What is wrong, if anything.
    #[serde(default)]
    pub problem: Option<ProblemReport>,
}

/// What `recordings` gives.
#[derive(Debug, Deserialize)]
pub struct Recordings {
    recordings: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    begins: Timestamp,
    #[serde(default)]
    or_later_ms: u64,
    #[serde(default)]
    ends: Option<Timestamp>,
}

impl Recordings {
    /// Those that can be, in order of time.
    pub fn in_order(self) -> Vec<Recording> {
        let possible = |listed: &Listed| listed.ends.is_none_or(|ends| listed.begins < ends);
        let recording = |listed: Listed| Recording {
            name: listed.name,
            begins: listed.begins,
            or_later: later(listed.or_later_ms),
            ends: listed.ends,
        };
        let mut out: Vec<_> = self.recordings.into_iter().filter(possible).map(recording).collect();
        out.sort_by_key(|recording| recording.begins);
        out
    }
}

fn later(ms: u64) -> std::time::Duration {
    std::time::Duration::from_millis(ms.min(LATEST_MS))
}

/// What `bounds` gives: null for a camera without recordings. It has to be said: from silence nothing follows.
#[derive(Debug, Deserialize)]
pub(super) struct Outermost {
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) bounds: Option<Ends>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Ends {
    pub(super) oldest: Timestamp,
    pub(super) newest: Timestamp,
}

/// What `coverage` gives.
#[derive(Debug, Deserialize)]
pub(super) struct Covered {
    pub(super) spans: Vec<Window>,
    pub(super) complete: bool,
}

/// What `export` gives.
#[derive(Debug, Deserialize)]
pub(super) struct Whole {
    begins: Timestamp,
    #[serde(default)]
    or_later_ms: u64,
}

impl Whole {
    /// When the first frame of the file was recorded, and how much later that may have been.
    pub(super) fn begins(&self) -> (Timestamp, std::time::Duration) {
        (self.begins, later(self.or_later_ms))
    }
}

/// What `clock` gives: what the recorder's clock shows, cut to so many milliseconds.
#[derive(Debug, Deserialize)]
pub(super) struct Shown {
    pub(super) now: Timestamp,
    #[serde(default)]
    pub(super) precision_ms: u32,
}

/// What `hold` gives.
#[derive(Debug, Deserialize)]
pub(super) struct Held {
    pub(super) name: String,
}

/// What `fetch`, `snapshot` and `free` give.
#[derive(Debug, Deserialize)]
pub(super) struct Done {}

/// The next line without its end, or as much of it as may be; none at the end. What is left without an end is no line.
pub(super) async fn line(from: &mut (impl AsyncBufRead + Unpin), longest: usize) -> std::io::Result<Option<Cut>> {
    let mut line = Vec::new();
    loop {
        let part = from.fill_buf().await?;
        if part.is_empty() {
            return Ok(None);
        }
        let end = part.iter().position(|byte| *byte == b'\n');
        let room = longest - line.len();
        let taken = end.unwrap_or(part.len()).min(room);
        line.extend_from_slice(&part[..taken]);
        if end == Some(taken) {
            from.consume(taken + 1);
            return Ok(Some(Cut { line, whole: true }));
        }
        from.consume(taken);
        if line.len() == longest {
            return Ok(Some(Cut { line, whole: false }));
        }
    }
}

/// A line, or the beginning of one that is too long.
pub(super) struct Cut {
    pub(super) line: Vec<u8>,
    pub(super) whole: bool,
}
