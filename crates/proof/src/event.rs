//! A leaf of the ledger: what happened, in public, with a commitment to what is personal.
//!
//! The leaf is the canonical JSON ([`canonical`]) of the public part. Names, reasons, addresses
//! and the like stand beside it, and the leaf holds only
//!
//! ```text
//! commitment = SHA-256("sightline personal 1\n" || salt || canonical JSON of the personal part)
//! ```
//!
//! with 32 random bytes of salt for each event. Without the salt nobody can try names against the
//! commitment; so whoever erases salt and personal part has erased the person, and the tree still
//! verifies. Another event of kind [`ERASED`] says that it was done on purpose.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::canonical::{self, Refused};
use crate::digest::{Hasher, Sha256Digest};
use crate::tree;

const DOMAIN: &[u8] = b"sightline personal 1\n";

/// The kind of the event that says: the personal part of another event was erased on purpose.
pub const ERASED: &str = "event.erase";
/// Under this name the object of an [`ERASED`] event says which event was erased.
pub const ERASED_OBJECT: &str = "event";
/// The longest leaf, in bytes: what tlog-tiles can hold.
pub const LONGEST_LEAF: usize = 65_535;

/// The public part of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicEvent {
    /// The id of the event.
    pub id: String,
    /// When, in microseconds UTC since 1970.
    pub at: i64,
    /// What happened: `noun.verb`.
    pub kind: String,
    /// The id of who did it; null for the system itself.
    pub actor: Option<String>,
    /// The ids of what it happened to, by role: `{"case": "cas_…", "evidence": "evd_…"}`.
    pub objects: BTreeMap<String, String>,
    /// Facts that name nobody: hashes, sizes, states.
    pub data: Map<String, Value>,
    /// The commitment to the personal part; null when there is none.
    pub commitment: Option<Sha256Digest>,
    /// The hash over the seals of the rows that changed with it ([`crate::seal`]); absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seals: Option<Sha256Digest>,
}

/// Why an event has no leaf.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// It has no canonical form.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its leaf would be too long.
    #[error("the public part of the event takes {0} bytes, more than {LONGEST_LEAF}")]
    TooLong(usize),
    /// The bytes are no leaf of ours.
    #[error("not a leaf in its canonical form")]
    NotALeaf,
}

impl PublicEvent {
    /// The bytes of the leaf.
    ///
    /// # Errors
    /// When the data hold floats or numbers beyond 2^53 − 1, or the leaf would be too long.
    pub fn leaf(&self) -> Result<Vec<u8>, EventError> {
        let value = serde_json::to_value(self).map_err(|_| EventError::NotALeaf)?;
        let leaf = canonical::to_bytes(&value)?;
        if leaf.len() > LONGEST_LEAF { Err(EventError::TooLong(leaf.len())) } else { Ok(leaf) }
    }

    /// The hash of the leaf in the tree.
    ///
    /// # Errors
    /// As [`Self::leaf`].
    pub fn leaf_hash(&self) -> Result<Sha256Digest, EventError> {
        Ok(tree::leaf_hash(&self.leaf()?))
    }

    /// Reads the bytes of a leaf.
    ///
    /// # Errors
    /// When they are not exactly what [`Self::leaf`] writes.
    pub fn from_leaf(leaf: &[u8]) -> Result<Self, EventError> {
        let event: Self = serde_json::from_slice(leaf).map_err(|_| EventError::NotALeaf)?;
        if event.leaf()? == leaf { Ok(event) } else { Err(EventError::NotALeaf) }
    }

    /// Which event this one says was erased on purpose.
    #[must_use]
    pub fn erases(&self) -> Option<&str> {
        if self.kind == ERASED { self.objects.get(ERASED_OBJECT).map(String::as_str) } else { None }
    }
}

/// The commitment to a personal part.
///
/// # Errors
/// When it holds floats or numbers beyond 2^53 − 1.
pub fn commit(salt: &[u8; 32], personal: &Value) -> Result<Sha256Digest, Refused> {
    let mut hasher = Hasher::new();
    hasher.update(DOMAIN);
    hasher.update(salt);
    hasher.update(&canonical::to_bytes(personal)?);
    Ok(hasher.finish())
}

/// What stands beside a leaf, held against its commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personal {
    /// The event never had a personal part.
    None,
    /// It is there, and it is what was committed to.
    Kept,
    /// It is gone, with its salt. On purpose only if an [`ERASED`] event says so.
    Erased,
    /// It is not what was committed to, or only half of it is there.
    Tampered,
}

/// Holds what stands beside a leaf against its commitment.
#[must_use]
pub fn verify_personal(commitment: Option<&Sha256Digest>, salt: Option<&[u8]>, personal: Option<&Value>) -> Personal {
    match (commitment, salt, personal) {
        (None, None, None) => Personal::None,
        (Some(_), None, None) => Personal::Erased,
        (Some(commitment), Some(salt), Some(personal)) => {
            let made = <&[u8; 32]>::try_from(salt).ok().and_then(|salt| commit(salt, personal).ok());
            if made.as_ref() == Some(commitment) { Personal::Kept } else { Personal::Tampered }
        }
        _ => Personal::Tampered,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> PublicEvent {
        serde_json::from_value(json!({
            "id": "evt_1", "at": 1_700_000_000_000_000_i64, "kind": "evidence.receive", "actor": null,
            "objects": {"evidence": "evd_1", "case": "cas_1"},
            "data": {"size_bytes": 3, "sha256": "ba78"}, "commitment": null,
        }))
        .unwrap()
    }

    #[test]
    fn the_leaf_is_canonical_and_reads_back() {
        let leaf = event().leaf().unwrap();
        assert_eq!(
            String::from_utf8(leaf.clone()).unwrap(),
            r#"{"actor":null,"at":1700000000000000,"commitment":null,"data":{"sha256":"ba78","size_bytes":3},"id":"evt_1","kind":"evidence.receive","objects":{"case":"cas_1","evidence":"evd_1"}}"#
        );
        assert_eq!(PublicEvent::from_leaf(&leaf).unwrap(), event());
        let sealed = PublicEvent { seals: Some(Sha256Digest::of(b"")), ..event() };
        assert_eq!(PublicEvent::from_leaf(&sealed.leaf().unwrap()).unwrap(), sealed);
        let mut spaced = leaf.clone();
        spaced.insert(1, b' ');
        assert_eq!(PublicEvent::from_leaf(&spaced), Err(EventError::NotALeaf));
    }

    #[test]
    fn a_leaf_that_no_bundle_holds_is_refused() {
        let mut event = event();
        event.data.insert("text".into(), "x".repeat(LONGEST_LEAF).into());
        assert!(matches!(event.leaf(), Err(EventError::TooLong(_))));
        event.data.insert("text".into(), json!(0.5));
        assert!(matches!(event.leaf(), Err(EventError::Refused(_))));
    }

    #[test]
    fn kept_erased_tampered() {
        let (salt, personal) = ([7; 32], json!({"reason": "burglary", "actor_name": "A. Smith"}));
        let commitment = commit(&salt, &personal).unwrap();
        let c = Some(&commitment);
        assert_eq!(verify_personal(None, None, None), Personal::None);
        assert_eq!(verify_personal(c, Some(&salt), Some(&personal)), Personal::Kept);
        assert_eq!(verify_personal(c, None, None), Personal::Erased);
        assert_eq!(verify_personal(c, Some(&salt), None), Personal::Tampered);
        assert_eq!(verify_personal(c, Some(&[8; 32]), Some(&personal)), Personal::Tampered);
        assert_eq!(verify_personal(c, Some(&salt[1..]), Some(&personal)), Personal::Tampered);
        assert_eq!(verify_personal(c, Some(&salt), Some(&json!({"reason": "x"}))), Personal::Tampered);
        assert_eq!(verify_personal(None, Some(&salt), Some(&personal)), Personal::Tampered);
    }
}
