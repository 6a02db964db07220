//! What a POST with an `Idempotency-Key` created, so that the same POST sent again creates nothing more.

use domain::id::AccountId;

use crate::{Columns as _, Result, Sql, Tx};

/// What this key of this account created in this operation: the hash of the body and the id of the object.
pub async fn find(tx: &mut Tx, account: &AccountId, operation: &str, key: &str) -> Result<Option<(String, String)>> {
    let row = Sql::new("SELECT body_hash, object_id FROM idempotency_keys WHERE account_id = ")
        .arg(account.as_str())
        .add(" AND operation = ")
        .arg(operation)
        .add(" AND name = ")
        .arg(key)
        .fetch_optional(tx)
        .await?;
    row.map(|row| Ok((row.text("body_hash")?, row.text("object_id")?))).transpose()
}

/// Notes what is created. [`crate::Error::Exists`] when another transaction was faster with the same key.
pub async fn insert(
    tx: &mut Tx,
    account: &AccountId,
    operation: &str,
    key: &str,
    body_hash: &str,
    object_id: &str,
) -> Result<()> {
    let now = tx.now().as_micros();
    Sql::new("INSERT INTO idempotency_keys (account_id, operation, name, body_hash, object_id, created_at) VALUES (")
        .args([account.as_str(), operation, key, body_hash, object_id])
        .add(", ")
        .arg(now)
        .add(")")
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets keys older than a time: a client that retries does so within a day.
pub async fn remove_before(tx: &mut Tx, time: domain::Timestamp) -> Result<()> {
    Sql::new("DELETE FROM idempotency_keys WHERE created_at < ").arg(time.as_micros()).execute(tx).await?;
    Ok(())
}
