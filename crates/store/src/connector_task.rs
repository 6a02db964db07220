//! What connectors are asked to do: rows written in the transaction that caused them, leased by one statement with a number
//! that rises. Every change is made under that number, so that whoever lost it changes nothing.

use std::time::Duration;

use domain::Timestamp;
use domain::connector::{Task, TaskKind, TaskState};
use domain::id::{CameraId, ConnectorId, EvidenceId, RequestItemId, TaskId, UploadId};
use serde_json::Value;
use sqlx::any::AnyRow;

use crate::{Columns as _, Engine, Result, Sql, Tx};

const COLUMNS: &str = "id, connector_id, kind, item_id, camera_id, payload, state, lease, lease_until, run_at, attempts, phase, \
     bytes_done, bytes_total, last_error, created_at";

fn task(row: &AnyRow) -> Result<Task> {
    Ok(Task {
        id: row.parsed("id")?,
        connector_id: row.parsed("connector_id")?,
        kind: row.parsed("kind")?,
        item_id: row.parsed_or_null("item_id")?,
        camera_id: row.parsed_or_null("camera_id")?,
        payload: row.json("payload")?,
        state: row.parsed("state")?,
        lease: row.int("lease")?,
        lease_until: row.time("lease_until")?,
        run_at: row.time("run_at")?,
        attempts: row.int("attempts")?,
        phase: row.text_or_null("phase")?,
        bytes_done: row.int_or_null("bytes_done")?,
        bytes_total: row.int_or_null("bytes_total")?,
        last_error: row.text_or_null("last_error")?,
        created_at: row.time("created_at")?,
    })
}

/// A task to be asked.
#[derive(Debug)]
pub struct NewTask<'a> {
    /// Of whom.
    pub connector_id: &'a ConnectorId,
    /// What sort of task.
    pub kind: TaskKind,
    /// For which request item.
    pub item_id: Option<&'a RequestItemId>,
    /// About which camera.
    pub camera_id: Option<&'a CameraId>,
    /// What is wanted, as on the wire, `kind` included.
    pub payload: &'a Value,
}

/// Queues a task.
pub async fn push(tx: &mut Tx, new: &NewTask<'_>) -> Result<TaskId> {
    let id: TaskId = tx.new_id();
    let now = tx.now().as_micros();
    Sql::new("INSERT INTO connector_tasks (id, connector_id, kind, item_id, camera_id, payload, state, lease, lease_until, run_at, attempts, created_at) VALUES (")
        .args([id.as_str(), new.connector_id.as_str(), new.kind.as_str()])
        .add(", ")
        .args([new.item_id.map(RequestItemId::as_str), new.camera_id.map(CameraId::as_str)])
        .add(", ")
        .arg(new.payload.to_string())
        .add(", 'waiting', ")
        .args([0, 0, now, 0, now])
        .add(")")
        .execute(tx)
        .await?;
    Ok(id)
}

/// Whether there is something for the connector to take now.
pub async fn is_due(tx: &mut Tx, connector: &ConnectorId) -> Result<bool> {
    let now = tx.now().as_micros();
    let sql = Sql::new("SELECT id FROM connector_tasks WHERE connector_id = ")
        .arg(connector.as_str())
        .add(" AND ((state = 'waiting' AND run_at <= ")
        .arg(now)
        .add(") OR (state = 'leased' AND lease_until <= ")
        .arg(now)
        .add(")) LIMIT 1");
    Ok(sql.fetch_optional(tx).await?.is_some())
}

/// The task to be done next, and its item. Not locked: the item's request is locked first. What is quickly done or cannot wait comes
/// before exports, which take long; of each the one that has been due longest.
pub async fn first_due(
    tx: &mut Tx,
    connector: &ConnectorId,
    kinds: &[String],
) -> Result<Option<(TaskId, Option<RequestItemId>)>> {
    let now = tx.now().as_micros();
    let mut sql = Sql::new("SELECT id, item_id FROM connector_tasks WHERE state = 'waiting' AND run_at <= ")
        .arg(now)
        .add(" AND connector_id = ")
        .arg(connector.as_str());
    if !kinds.is_empty() {
        sql.push(" AND kind IN (").bind_all(kinds.iter().map(String::as_str)).push(")");
    }
    let row =
        sql.add(" ORDER BY CASE kind WHEN 'export' THEN 1 ELSE 0 END, run_at, id LIMIT 1").fetch_optional(tx).await?;
    row.map(|row| Ok((row.parsed("id")?, row.parsed_or_null("item_id")?))).transpose()
}

/// Leases a task by one statement, if nobody else did. Its lease number is one more than the last.
pub async fn lease(tx: &mut Tx, id: &TaskId, lease: Duration) -> Result<Option<Task>> {
    let until = tx.now().plus(lease).as_micros();
    let sql = Sql::new("UPDATE connector_tasks SET state = 'leased', phase = NULL, bytes_done = NULL, bytes_total = NULL, lease = lease + 1, lease_until = ")
        .arg(until)
        .add(" WHERE state = 'waiting' AND id = ")
        .arg(id.as_str())
        .add(" RETURNING ")
        .add(COLUMNS);
    sql.fetch_optional(tx).await?.as_ref().map(task).transpose()
}

/// The item that a task is for.
pub async fn item_of(tx: &mut Tx, id: &TaskId) -> Result<Option<RequestItemId>> {
    let row = Sql::new("SELECT item_id FROM connector_tasks WHERE id = ").arg(id.as_str()).fetch_optional(tx).await?;
    row.map_or(Ok(None), |row| row.parsed_or_null("item_id"))
}

/// A task of this connector, locked until the transaction ends.
pub async fn lock(tx: &mut Tx, connector: &ConnectorId, id: &TaskId) -> Result<Option<Task>> {
    let mut sql = Sql::new("SELECT ").add(COLUMNS).add(" FROM connector_tasks WHERE id = ").arg(id.as_str());
    sql = sql.add(" AND connector_id = ").arg(connector.as_str());
    if tx.engine() == Engine::Postgres {
        sql.push(" FOR UPDATE");
    }
    sql.fetch_optional(tx).await?.as_ref().map(task).transpose()
}

/// Keeps a lease.
pub async fn extend(tx: &mut Tx, id: &TaskId, lease: Duration) -> Result<()> {
    let until = tx.now().plus(lease).as_micros();
    let sql = Sql::new("UPDATE connector_tasks SET lease_until = ").arg(until).add(" WHERE id = ").arg(id.as_str());
    sql.execute(tx).await?;
    Ok(())
}

/// Notes how far it is, and why it waits if that was said; what it waited for before is forgotten.
pub async fn progress(
    tx: &mut Tx,
    id: &TaskId,
    phase: &str,
    (done, total): (i64, Option<i64>),
    note: Option<&str>,
) -> Result<()> {
    Sql::new("UPDATE connector_tasks SET phase = ")
        .arg(phase)
        .add(", bytes_done = ")
        .arg(done)
        .add(", bytes_total = ")
        .arg(total)
        .add(", last_error = COALESCE(")
        .arg(note)
        .add(
            ", CASE WHEN phase IN ('waiting_for_system', 'waiting_for_key') THEN NULL ELSE last_error END) WHERE id = ",
        )
        .arg(id.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends a task. The lease number stays, so that its holder may say the same again.
pub async fn end(
    tx: &mut Tx,
    id: &TaskId,
    state: TaskState,
    result: Option<&Value>,
    error: Option<&str>,
) -> Result<()> {
    let now = tx.now().as_micros();
    Sql::new("UPDATE connector_tasks SET state = ")
        .arg(state.as_str())
        .add(", result = ")
        .arg(result.map(Value::to_string))
        .add(", last_error = ")
        .arg(error)
        .add(", ended_at = ")
        .arg(now)
        .add(" WHERE id = ")
        .arg(id.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Counts a failed try.
pub async fn tried(tx: &mut Tx, id: &TaskId, attempts: i64) -> Result<()> {
    let sql = Sql::new("UPDATE connector_tasks SET attempts = ").arg(attempts).add(" WHERE id = ").arg(id.as_str());
    sql.execute(tx).await?;
    Ok(())
}

/// Gives a task back, to be taken again from `run_at` on.
pub async fn give_back(tx: &mut Tx, id: &TaskId, attempts: i64, run_at: Timestamp, error: Option<&str>) -> Result<()> {
    Sql::new("UPDATE connector_tasks SET state = 'waiting', phase = NULL, lease_until = 0, attempts = ")
        .arg(attempts)
        .add(", run_at = ")
        .arg(run_at.as_micros())
        .add(", last_error = COALESCE(")
        .arg(error)
        .add(", last_error) WHERE state = 'leased' AND id = ")
        .arg(id.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Leased tasks and their items: those of one connector, or those whose lease has run out, at most a hundred. Not locked.
pub async fn leased(tx: &mut Tx, of: Option<&ConnectorId>) -> Result<Vec<(TaskId, Option<RequestItemId>)>> {
    let now = tx.now().as_micros();
    let mut sql = Sql::new("SELECT id, item_id FROM connector_tasks WHERE state = 'leased' AND ");
    match of {
        Some(connector) => sql.push("connector_id = ").bind(connector.as_str()),
        None => sql.push("lease_until <= ").bind(now),
    };
    let rows = sql.add(" ORDER BY id LIMIT 100").fetch_all(tx).await?;
    rows.iter().map(|row| Ok((row.parsed("id")?, row.parsed_or_null("item_id")?))).collect()
}

/// A task that is leased, locked until the transaction ends.
pub async fn lock_leased(tx: &mut Tx, id: &TaskId) -> Result<Option<Task>> {
    let mut sql =
        Sql::new("SELECT ").add(COLUMNS).add(" FROM connector_tasks WHERE state = 'leased' AND id = ").arg(id.as_str());
    if tx.engine() == Engine::Postgres {
        sql.push(" FOR UPDATE");
    }
    sql.fetch_optional(tx).await?.as_ref().map(task).transpose()
}

/// The connector's tasks, newest first.
pub async fn list(tx: &mut Tx, connector: &ConnectorId, before: Option<&str>, limit: i64) -> Result<Vec<Task>> {
    let mut sql =
        Sql::new("SELECT ").add(COLUMNS).add(" FROM connector_tasks WHERE connector_id = ").arg(connector.as_str());
    if let Some(before) = before {
        sql.push(" AND id < ").bind(before);
    }
    sql.add(" ORDER BY id DESC LIMIT ").arg(limit).fetch_all(tx).await?.iter().map(task).collect()
}

/// Whether a coverage question about the camera is on its way.
pub async fn is_coverage_asked(tx: &mut Tx, camera: &CameraId) -> Result<bool> {
    let sql = Sql::new(
        "SELECT id FROM connector_tasks WHERE kind = 'coverage' AND state IN ('waiting', 'leased') AND camera_id = ",
    );
    Ok(sql.arg(camera.as_str()).add(" LIMIT 1").fetch_optional(tx).await?.is_some())
}

/// A finished upload, as far as the task that it was for goes.
#[derive(Debug)]
pub struct FinishedUpload {
    /// What its sender calls it.
    pub file_name: String,
    /// How long it is.
    pub size_bytes: i64,
    /// Of all of it.
    pub sha256: String,
    /// Where it is kept.
    pub blob: String,
}

/// The upload that a connector made for a task, if it is finished.
pub async fn finished_upload(tx: &mut Tx, id: &UploadId, owner: &str, task: &TaskId) -> Result<Option<FinishedUpload>> {
    let row = Sql::new("SELECT file_name, length_bytes, sha256, blob FROM uploads WHERE state = 'finished' AND purpose = 'task' AND id = ")
        .arg(id.as_str())
        .add(" AND owner = ")
        .arg(owner)
        .add(" AND object_id = ")
        .arg(task.as_str())
        .fetch_optional(tx)
        .await?;
    row.map(|row| {
        Ok(FinishedUpload {
            file_name: row.text("file_name")?,
            size_bytes: row.int("length_bytes")?,
            sha256: row.text("sha256")?,
            blob: row.text("blob")?,
        })
    })
    .transpose()
}

/// Notes what a finished upload became.
pub async fn upload_became(tx: &mut Tx, id: &UploadId, evidence: &EvidenceId) -> Result<()> {
    let sql = Sql::new("UPDATE uploads SET evidence_id = ").arg(evidence.as_str()).add(" WHERE id = ").arg(id.as_str());
    sql.execute_versioned(tx).await
}
