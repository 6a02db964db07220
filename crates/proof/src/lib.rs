//! Hashes, Merkle log, checkpoints: no I/O, no clock, no randomness, auditable alone.
//!
//! | module | what it holds | source |
//! | --- | --- | --- |
//! | [`digest`] | SHA-256, streaming | FIPS 180-4 |
//! | [`tree`] | leaf and node hashes, roots, inclusion and consistency proofs | RFC 6962 and RFC 9162 section 2 |
//! | [`tile`] | the tree as files of 256 hashes, and bundles of 256 entries | C2SP tlog-tiles |
//! | [`note`] | text signed with Ed25519 by named keys | C2SP signed-note |
//! | [`checkpoint`] | the signed head of a log | C2SP tlog-checkpoint |
//! | [`canonical`] | one byte form for each JSON value | RFC 8785, without floats |
//! | [`event`] | a leaf of the ledger, and the commitment to its personal part | ours, see `docs/design/ledger.md` |
//! | [`seal`] | what rows said when an event changed them | ours, see `docs/design/ledger.md` |
//!
//! Salts and keys are handed in; whatever is read or written, the caller reads or writes.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod canonical;
pub mod checkpoint;
pub mod digest;
pub mod event;
pub mod note;
pub mod seal;
pub mod tile;
pub mod tree;

pub use checkpoint::Checkpoint;
pub use digest::{Hasher, Sha256Digest};
