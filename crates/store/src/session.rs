//! Sessions of people.

use domain::Timestamp;
use domain::id::AccountId;

use crate::{Columns as _, Result, Sql, Tx};

/// A session, as it is stored: by the hash of its token.
#[derive(Debug, Clone)]
pub struct Session {
    /// Whose.
    pub account_id: AccountId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
}

/// Begins one.
pub async fn insert(tx: &mut Tx, token_hash: &str, account: &AccountId) -> Result<()> {
    let now = tx.now().as_micros();
    Sql::new("INSERT INTO sessions (token_hash, account_id, created_at, last_seen_at) VALUES (")
        .args([token_hash, account.as_str()])
        .add(", ")
        .args([now, now])
        .add(")")
        .execute(tx)
        .await?;
    Ok(())
}

/// The session of a token.
pub async fn find(tx: &mut Tx, token_hash: &str) -> Result<Option<Session>> {
    let row = Sql::new("SELECT account_id, created_at, last_seen_at FROM sessions WHERE token_hash = ")
        .arg(token_hash)
        .fetch_optional(tx)
        .await?;
    row.map(|row| {
        Ok(Session {
            account_id: row.parsed("account_id")?,
            created_at: row.time("created_at")?,
            last_seen_at: row.time("last_seen_at")?,
        })
    })
    .transpose()
}

/// Notes that it was used.
pub async fn touch(tx: &mut Tx, token_hash: &str) -> Result<()> {
    let now = tx.now().as_micros();
    Sql::new("UPDATE sessions SET last_seen_at = ")
        .arg(now)
        .add(" WHERE token_hash = ")
        .arg(token_hash)
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends one.
pub async fn remove(tx: &mut Tx, token_hash: &str) -> Result<()> {
    Sql::new("DELETE FROM sessions WHERE token_hash = ").arg(token_hash).execute(tx).await?;
    Ok(())
}

/// Ends all of an account but one: after a new password, or when it is disabled.
pub async fn remove_others(tx: &mut Tx, account: &AccountId, keep: Option<&str>) -> Result<()> {
    Sql::new("DELETE FROM sessions WHERE account_id = ")
        .arg(account.as_str())
        .add(" AND token_hash <> ")
        .arg(keep.unwrap_or(""))
        .execute(tx)
        .await?;
    Ok(())
}

/// Removes what has run out.
pub async fn remove_expired(tx: &mut Tx, created_before: Timestamp, seen_before: Timestamp) -> Result<()> {
    Sql::new("DELETE FROM sessions WHERE created_at < ")
        .arg(created_before.as_micros())
        .add(" OR last_seen_at < ")
        .arg(seen_before.as_micros())
        .execute(tx)
        .await?;
    Ok(())
}
