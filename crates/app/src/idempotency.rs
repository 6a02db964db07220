//! A POST that is sent twice with the same `Idempotency-Key` creates one thing.

use domain::id::AccountId;
use proof::Sha256Digest;
use store::Tx;

use crate::{Error, Kind, Result};

/// The key of a POST and what its body was.
#[derive(Debug, Clone)]
pub struct Key {
    name: String,
    body_hash: String,
}

impl Key {
    /// A key as it came in the header, and the body that came with it.
    pub fn new(name: &str, body: &[u8]) -> Result<Self> {
        if name.is_empty() || name.len() > 255 || !name.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            let message = "Idempotency-Key has 1 to 255 characters of printable ASCII.";
            return Err(Error::new(Kind::Invalid(domain::Invalid::new()), "invalid_idempotency_key", message));
        }
        Ok(Self { name: name.to_owned(), body_hash: Sha256Digest::of(body).to_string() })
    }
}

/// What an earlier POST with this key created, if there was one. The same key with another body is refused.
pub(crate) async fn earlier(tx: &mut Tx, account: &AccountId, operation: &str, key: &Key) -> Result<Option<String>> {
    match store::idempotency::find(tx, account, operation, &key.name).await? {
        None => Ok(None),
        Some((hash, object)) if hash == key.body_hash => Ok(Some(object)),
        Some(_) => Err(reused()),
    }
}

fn reused() -> Error {
    Error::conflict(
        "idempotency_key_reused",
        "This Idempotency-Key was already used with another body. Nothing was changed.",
    )
}

/// Notes what this POST creates.
pub(crate) async fn note(tx: &mut Tx, account: &AccountId, operation: &str, key: &Key, object: &str) -> Result<()> {
    match store::idempotency::insert(tx, account, operation, &key.name, &key.body_hash, object).await {
        Err(store::Error::Exists) => {
            let message = "The same POST is being worked on. Send it again in a moment to learn what it created.";
            Err(Error::conflict("idempotency_key_in_use", message))
        }
        other => Ok(other?),
    }
}
