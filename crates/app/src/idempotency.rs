//! A POST that is sent twice with the same `Idempotency-Key` creates one thing.
//!
//! Every action that creates asks [`once`] in its transaction. Sent again, the POST answers what it created. What is shown only once,
//! the secret of a token, a link's address, is kept nowhere and cannot be answered again: there [`refuse_again`] says that it was
//! made, and its id, so that the caller can remove it and make another.

use std::fmt::Display;
use std::str::FromStr;

use domain::Caller;
use domain::id::Id;
use proof::Sha256Digest;
use store::Tx;

use crate::{Error, Kind, Result};

/// The key of a POST, and what it asked.
#[derive(Debug, Clone)]
pub struct Key {
    name: String,
    asked_hash: String,
}

impl Key {
    /// A key as it came in the header, and what came with it: where it was sent, and what.
    pub fn new(name: &str, path: &str, body: &str) -> Result<Self> {
        if name.is_empty() || name.len() > 255 || !name.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            let message = "Idempotency-Key has 1 to 255 characters of printable ASCII.";
            return Err(Error::new(Kind::Invalid(domain::Invalid::new()), "invalid_idempotency_key", message));
        }
        let asked = format!("{path}\n{body}");
        Ok(Self { name: name.to_owned(), asked_hash: Sha256Digest::of(asked.as_bytes()).to_string() })
    }
}

/// What an earlier POST with this key of the caller's created; else notes that this one creates `id`, or will be about it. The same
/// key with another body is refused. Without a key there is nothing to note.
pub(crate) async fn once<T>(
    tx: &mut Tx,
    caller: &Caller,
    operation: &'static str,
    key: Option<&Key>,
    id: &T,
) -> Result<Option<T>>
where
    T: Id + FromStr<Err: Display>,
{
    let (Some(key), Some(account)) = (key, caller.account_id()) else { return Ok(None) };
    if let Some((hash, made)) = store::idempotency::find(tx, account, operation, &key.name).await? {
        if hash != key.asked_hash {
            return Err(reused());
        }
        return made.parse().map(Some).map_err(|error| Error::internal(format!("{made}: {error}")));
    }
    match store::idempotency::insert(tx, account, operation, &key.name, &key.asked_hash, id.as_str()).await {
        Err(store::Error::Exists) => {
            let message = "The same POST is being worked on. Send it again in a moment to learn what it created.";
            Err(Error::conflict("idempotency_key_in_use", message))
        }
        other => Ok(other.map(|()| None)?),
    }
}

/// The same for what is shown once: a POST that is sent again is refused.
pub(crate) async fn refuse_again<T>(
    tx: &mut Tx,
    caller: &Caller,
    operation: &'static str,
    key: Option<&Key>,
    id: &T,
) -> Result<()>
where
    T: Id + FromStr<Err: Display>,
{
    match once(tx, caller, operation, key, id).await? {
        Some(made) => Err(already_made(&made)),
        None => Ok(()),
    }
}

/// It is there, and its secret is not told again.
pub(crate) fn already_made(made: &impl Id) -> Error {
    let message = "The same POST made this already; its secret was shown then, and is kept nowhere. \
                   If that answer was lost, remove what it made and make another with a new key.";
    Error::new(Kind::AlreadyMade(made.as_str().to_owned()), "already_made", message)
}

fn reused() -> Error {
    Error::conflict(
        "idempotency_key_reused",
        "This Idempotency-Key was already used with another body. Nothing was changed.",
    )
}
