//! Holds everything that is kept against everything that was recorded of it: event rows against the leaves of the
//! ledger, leaves against tiles, tiles against the signed checkpoint and against one that was kept elsewhere, files
//! against the hashes in their rows, and rows against their seals in the ledger. It changes nothing, and runs beside a server.

mod files;
mod rows;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::{HashMap, HashSet};
use std::fmt;

use proof::note::Verifier;
use proof::{Checkpoint, Sha256Digest};
use serde_json::{Map, Value};
use store::ledger::Head;

use crate::{App, Error, Kind, Result, ledger};

/// Something that is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What: the id of an event or of evidence, the path of a file.
    pub object: String,
    /// How it differs.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.problem)
    }
}

/// What was looked at, and what was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Every mismatch. Empty means that all is as it was recorded.
    pub findings: Vec<Finding>,
    /// Pictures of cameras that a crash left behind, or that were replaced just now. Harmless; they can be removed.
    pub leftovers: Vec<String>,
    /// Events, with and without a leaf.
    pub events: u64,
    /// Leaves of the tree.
    pub leaves: u64,
    /// Events whose personal part was erased on purpose.
    pub erased: u64,
    /// Rows that were held against their seals.
    pub rows: u64,
    /// Rows that are older than seals, so that nothing is known of them but what events say.
    pub unsealed: u64,
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The last checkpoint, to be kept elsewhere.
    pub checkpoint: Option<String>,
}

impl Report {
    fn add(&mut self, object: impl fmt::Display, problem: impl Into<String>) {
        self.findings.push(Finding { object: object.to_string(), problem: problem.into() });
    }
}

/// What is held against the ledger from outside.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// A checkpoint that was kept elsewhere, a signed note.
    pub checkpoint: Option<String>,
    /// The public key that was kept elsewhere, as a vkey. Without it the key of this installation is believed.
    pub vkey: Option<String>,
}

/// What events say of original files.
#[derive(Default)]
struct Recorded {
    /// Id of the evidence, or of the upload that brought it, to hash and size.
    originals: HashMap<String, Original>,
    /// Evidence that was purged on purpose.
    purged: HashSet<String>,
}

/// What an event says of a file: SHA-256 and size.
type Original = (String, Option<i64>);

fn original(data: &Map<String, Value>) -> Option<Original> {
    let sha256 = data.get("sha256")?.as_str()?.to_owned();
    Some((sha256, data.get("size_bytes").and_then(Value::as_i64)))
}

/// The kind of the event that says: a file became evidence.
pub const RECEIVED: &str = "evidence.receive";
/// The kind of the event that says: the bytes of a piece of evidence were removed on purpose.
pub const PURGED: &str = "evidence.purge";

/// Checks everything.
pub async fn run(app: &App, outside: &Outside) -> Result<Report> {
    let mut report = Report::default();
    let head = store::ledger::head(&mut app.read().await?).await?;
    let recorded = match &head {
        Some(head) => {
            let verifier = match &outside.vkey {
                Some(vkey) => vkey.trim().parse().map_err(|_| not_a_key())?,
                None => ledger::verifier(app).await?,
            };
            head_is_signed(&mut report, head, &verifier);
            let older =
                outside.checkpoint.as_deref().and_then(|note| kept_elsewhere(&mut report, note, &verifier, head));
            report.checkpoint = Some(head.checkpoint.clone());
            walk::tree(app, &mut report, head, older.as_ref()).await?
        }
        None => {
            if outside.checkpoint.is_some() {
                report.add("ledger", "it has no checkpoint, and there was one");
            }
            // the empty tree is signed before the first event has a place
            let numbered = store::check::numbered(&mut app.read().await?).await?;
            if numbered > 0 {
                report.add("ledger", format!("its row is gone, and {numbered} events have places in its tree"));
            }
            walk::tree(app, &mut report, &nothing(), None).await?
        }
    };
    files::evidence(app, &mut report, &recorded).await?;
    rows::compare(app, &mut report).await?;
    files::unknown(app, &mut report).await?;
    Ok(report)
}

fn not_a_key() -> Error {
    Error::new(Kind::Conflict, "not_a_key", "The key is not a vkey: name+hash+base64.")
}

fn nothing() -> Head {
    let root: Sha256Digest = proof::tree::root(&[]);
    Head { size: 0, root, checkpoint: String::new(), signed_at: domain::Timestamp::from_micros(0) }
}

fn head_is_signed(report: &mut Report, head: &Head, verifier: &Verifier) {
    match Checkpoint::open(&head.checkpoint, verifier) {
        Ok(signed) if (signed.size, signed.root) == (head.size, head.root) => {}
        Ok(_) => report.add("ledger", "its row and its signed checkpoint give different sizes or roots"),
        Err(error) => report.add("ledger", format!("its checkpoint: {error}")),
    }
}

/// The checkpoint that was kept elsewhere, if the tree is long enough to be held against it.
fn kept_elsewhere(report: &mut Report, note: &str, verifier: &Verifier, head: &Head) -> Option<Checkpoint> {
    match Checkpoint::open(note, verifier) {
        Ok(older) if older.size <= head.size => Some(older),
        Ok(older) => {
            report.add(
                "ledger",
                format!(
                    "it was cut short: the checkpoint kept elsewhere has {} leaves, this one has {}",
                    older.size, head.size
                ),
            );
            None
        }
        Err(error) => {
            report.add("ledger", format!("the checkpoint kept elsewhere: {error}"));
            None
        }
    }
}
