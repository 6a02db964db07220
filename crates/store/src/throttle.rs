//! The record of tries to guess a password, by key.

use domain::Timestamp;

use crate::{Columns as _, Result, Sql, Tx};

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// Failures in a row.
    pub failures: i64,
    /// The last of them, or of the tries that are under way.
    pub last_at: Timestamp,
    /// When a try under this key was last right.
    pub succeeded_at: Option<Timestamp>,
}

/// The tries under a key; whoever else asks for them waits until this transaction ends.
pub async fn lock(tx: &mut Tx, what: &str) -> Result<Tries> {
    let row = Sql::new("INSERT INTO sign_in_failures (what, failures, last_at) VALUES (")
        .arg(what)
        .add(", 0, ")
        .arg(tx.now().as_micros())
        .add(") ON CONFLICT (what) DO UPDATE SET what = excluded.what RETURNING failures, last_at, succeeded_at")
        .fetch_one(tx)
        .await?;
    Ok(Tries {
        failures: row.int("failures")?,
        last_at: row.time("last_at")?,
        succeeded_at: row.time_or_null("succeeded_at")?,
    })
}

/// Notes that there are so many failures, the last one now.
pub async fn set_failures(tx: &mut Tx, what: &str, failures: i64) -> Result<()> {
    let now = tx.now().as_micros();
    let sql = Sql::new("UPDATE sign_in_failures SET failures = ").arg(failures).add(", last_at = ").arg(now);
    sql.add(" WHERE what = ").arg(what).execute(tx).await?;
    Ok(())
}

/// Notes that a try was right: what failed before no longer counts.
pub async fn succeeded(tx: &mut Tx, what: &str) -> Result<()> {
    let now = tx.now().as_micros();
    let sql = Sql::new("UPDATE sign_in_failures SET failures = 0, succeeded_at = ").arg(now);
    sql.add(" WHERE what = ").arg(what).execute(tx).await?;
    Ok(())
}

/// Takes one failure back.
pub async fn take_back(tx: &mut Tx, what: &str) -> Result<()> {
    let sql = Sql::new("UPDATE sign_in_failures SET failures = failures - 1 WHERE failures > 0 AND what = ").arg(what);
    sql.execute(tx).await?;
    Ok(())
}

/// Removes keys under which nothing was tried lately and nothing was right for long.
pub async fn forget(tx: &mut Tx, tried_before: Timestamp, succeeded_before: Timestamp) -> Result<()> {
    Sql::new("DELETE FROM sign_in_failures WHERE last_at < ")
        .arg(tried_before.as_micros())
        .add(" AND (succeeded_at IS NULL OR succeeded_at < ")
        .arg(succeeded_before.as_micros())
        .add(")")
        .execute(tx)
        .await?;
    Ok(())
}
