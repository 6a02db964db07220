//! The signed head of a log: C2SP tlog-checkpoint (<https://c2sp.org/tlog-checkpoint>).
//!
//! ```text
//! origin
//! size in decimal
//! base64(root)
//! ```

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::digest::Sha256Digest;
use crate::note::{self, NoteError, Signer, Verifier};
use crate::tree;

/// How many leaves a log has, and their root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: a name that no other log has. Ours is also the name of its key.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The root over all of them.
    pub root: Sha256Digest,
}

/// What is wrong with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is no checkpoint.
    #[error("not a checkpoint: expected an origin, a size and a root, a line each")]
    Body,
    /// A checkpoint of another log.
    #[error("the checkpoint of another log")]
    Origin,
    /// The newer tree is not the older one with leaves added.
    #[error("the logs do not agree: leaves were changed or taken away")]
    Inconsistent,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root.as_bytes()))
    }

    /// The signed note.
    ///
    /// # Errors
    /// When the origin is empty or holds control characters.
    pub fn sign(&self, signer: &Signer) -> Result<String, CheckpointError> {
        Self::parse_body(&self.body())?;
        Ok(signer.sign(&self.body())?)
    }

    /// Reads a body. Lines after the root are extensions, and passed over.
    ///
    /// # Errors
    /// When it is no checkpoint.
    pub fn parse_body(body: &str) -> Result<Self, CheckpointError> {
        let mut lines = body.strip_suffix('\n').ok_or(CheckpointError::Body)?.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(CheckpointError::Body);
        let (origin, size, root) = (line()?, line()?, line()?);
        // One text for each number: no sign, no zeros in front.
        let number: u64 = size.parse().map_err(|_| CheckpointError::Body)?;
        let root = BASE64.decode(root).map_err(|_| CheckpointError::Body)?;
        let root = Sha256Digest::try_from(root.as_slice()).map_err(|_| CheckpointError::Body)?;
        if number.to_string() != size || lines.any(str::is_empty) {
            return Err(CheckpointError::Body);
        }
        Ok(Self { origin: origin.to_owned(), size: number, root })
    }

    /// The checkpoint in a note signed by the key, of the log that bears the key's name.
    ///
    /// # Errors
    /// When the signature, the text or the origin is wrong.
    pub fn open(note: &str, verifier: &Verifier) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse_body(note::open(note, verifier)?)?;
        if checkpoint.origin == verifier.name() { Ok(checkpoint) } else { Err(CheckpointError::Origin) }
    }

    /// Holds that `newer` only added leaves to this one.
    ///
    /// # Errors
    /// When it is another log, or the proof does not show it.
    pub fn is_followed_by(&self, newer: &Self, proof: &[Sha256Digest]) -> Result<(), CheckpointError> {
        if self.origin != newer.origin {
            return Err(CheckpointError::Origin);
        }
        let follows = tree::verify_consistency(self.size, &self.root, newer.size, &newer.root, proof);
        follows.then_some(()).ok_or(CheckpointError::Inconsistent)
    }
}
