//! The job queue: rows written in the transaction that caused them, claimed in one statement.

use std::time::Duration;

use domain::Timestamp;
use domain::id::JobId;
use serde_json::Value;
use sqlx::any::AnyRow;

use crate::{Columns as _, Engine, Result, Sql, Tx};

/// A job, as a runner claims it and as an administrator sees it.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Which job: `verb_noun`.
    pub kind: String,
    /// What it needs.
    pub payload: Value,
    /// Given up, until somebody retries.
    pub dead: bool,
    /// When it is next due.
    pub run_at: Timestamp,
    /// How often it was begun.
    pub attempts: i64,
    /// Why it last failed.
    pub last_error: Option<String>,
    /// When it was queued.
    pub created_at: Timestamp,
}

fn job(row: &AnyRow) -> Result<Job> {
    Ok(Job {
        id: row.parsed("id")?,
        kind: row.text("kind")?,
        payload: row.json("payload")?,
        dead: row.text("state")? == "dead",
        run_at: row.time("run_at")?,
        attempts: row.int("attempts")?,
        last_error: row.text_or_null("last_error")?,
        created_at: row.time("created_at")?,
    })
}

/// Queues a job for `run_at`. While a job with the same `only_once` lives, a second one is not queued.
pub async fn push(
    tx: &mut Tx,
    kind: &'static str,
    payload: &Value,
    only_once: Option<&str>,
    run_at: Timestamp,
) -> Result<()> {
    let id: JobId = tx.new_id();
    let now = tx.now().as_micros();
    Sql::new(
        "INSERT INTO jobs (id, kind, payload, only_once, state, run_at, lease_until, attempts, created_at) VALUES (",
    )
    .args([id.as_str(), kind])
    .add(", ")
    .arg(payload.to_string())
    .add(", ")
    .arg(only_once)
    .add(", 'waiting', ")
    .args([run_at.as_micros(), 0, 0, now])
    .add(") ON CONFLICT (only_once) DO NOTHING")
    .execute(tx)
    .await?;
    Ok(())
}

/// Claims the job that has been due longest, for as long as `lease`.
pub async fn claim(tx: &mut Tx, lease: Duration) -> Result<Option<Job>> {
    let now = tx.now();
    let mut sql = Sql::new("UPDATE jobs SET attempts = attempts + 1, lease_until = ")
        .arg(now.plus(lease).as_micros())
        .add(" WHERE id = (SELECT id FROM jobs WHERE state = 'waiting' AND run_at <= ")
        .arg(now.as_micros())
        .add(" AND lease_until <= ")
        .arg(now.as_micros())
        .add(" ORDER BY run_at LIMIT 1");
    if tx.engine() == Engine::Postgres {
        sql.push(" FOR UPDATE SKIP LOCKED");
    }
    sql.push(") RETURNING id, kind, payload, state, run_at, attempts, last_error, created_at");
    sql.fetch_optional(tx).await?.as_ref().map(job).transpose()
}

/// Holds a claimed job for longer. False when another runner has it by now.
pub async fn extend(tx: &mut Tx, claimed: &Job, lease: Duration) -> Result<bool> {
    let until = tx.now().plus(lease).as_micros();
    let sql = Sql::new("UPDATE jobs SET lease_until = ").arg(until).add(" WHERE id = ").arg(claimed.id.as_str());
    Ok(sql.add(" AND attempts = ").arg(claimed.attempts).execute(tx).await? > 0)
}

/// Removes a job that is done; `attempts` says which claim it was, so that a late runner removes nothing.
pub async fn done(tx: &mut Tx, claimed: &Job) -> Result<bool> {
    let sql =
        Sql::new("DELETE FROM jobs WHERE id = ").arg(claimed.id.as_str()).add(" AND attempts = ").arg(claimed.attempts);
    Ok(sql.execute(tx).await? > 0)
}

/// Puts a job that failed back for a later try, or gives it up.
pub async fn failed(tx: &mut Tx, claimed: &Job, error: &str, again_at: Option<Timestamp>) -> Result<()> {
    Sql::new("UPDATE jobs SET lease_until = 0, last_error = ")
        .arg(error)
        .add(", state = ")
        .arg(if again_at.is_some() { "waiting" } else { "dead" })
        .add(", run_at = ")
        .arg(again_at.unwrap_or(tx.now()).as_micros())
        .add(" WHERE id = ")
        .arg(claimed.id.as_str())
        .add(" AND attempts = ")
        .arg(claimed.attempts)
        .execute(tx)
        .await?;
    Ok(())
}

/// The jobs in a state, newest first.
pub async fn list(tx: &mut Tx, dead: bool, limit: i64) -> Result<Vec<Job>> {
    let rows =
        Sql::new("SELECT id, kind, payload, state, run_at, attempts, last_error, created_at FROM jobs WHERE state = ")
            .arg(if dead { "dead" } else { "waiting" })
            .add(" ORDER BY created_at DESC, id DESC LIMIT ")
            .arg(limit)
            .fetch_all(tx)
            .await?;
    rows.iter().map(job).collect()
}

/// Gives a dead job a new life. False where there is no such dead job.
pub async fn revive(tx: &mut Tx, id: &JobId) -> Result<bool> {
    let sql = Sql::new("UPDATE jobs SET state = 'waiting', attempts = 0, lease_until = 0, run_at = ")
        .arg(tx.now().as_micros())
        .add(" WHERE state = 'dead' AND id = ")
        .arg(id.as_str());
    Ok(sql.execute(tx).await? > 0)
}

/// When the next job is due: how long a runner may sleep.
pub async fn next_due(tx: &mut Tx) -> Result<Option<Timestamp>> {
    let row = Sql::new("SELECT MIN(CASE WHEN lease_until > run_at THEN lease_until ELSE run_at END) AS due FROM jobs WHERE state = 'waiting'")
        .fetch_one(tx)
        .await?;
    row.time_or_null("due")
}
