//! Uploads. How far one has come is the length of its staged file, not a column.

use domain::Timestamp;
use domain::id::{ConnectorId, EvidenceId, FileRequestId, RequestItemId, TaskId, UploadId};
use domain::upload::{Purpose, Upload, UploadState, Whole};
use sqlx::any::AnyRow;

use crate::{Columns as _, Engine, Error, Result, Sql, Tx};

const SELECT: &str = "SELECT id, purpose, object_id, lease, owner, file_name, file_type, metadata, length_bytes, state, sha256, blob, \
     evidence_id, expires_at, created_at FROM uploads";

fn upload(row: &AnyRow) -> Result<Upload> {
    let purpose = match row.text("purpose")?.as_str() {
        "case" => Purpose::Case(row.parsed("object_id")?),
        "item" => Purpose::Item(row.parsed("object_id")?),
        "link" => Purpose::Link(row.parsed("object_id")?),
        "task" => Purpose::Task { task: row.parsed("object_id")?, lease: row.int("lease")? },
        _ => return Err(Error::Corrupt { column: "purpose" }),
    };
    let whole = match (row.parsed_or_null("sha256")?, row.text_or_null("blob")?) {
        (Some(sha256), Some(blob)) => Some(Whole { sha256, blob }),
        _ => None,
    };
    Ok(Upload {
        id: row.parsed("id")?,
        purpose,
        owner: row.text("owner")?,
        file_name: row.text("file_name")?,
        file_type: row.text_or_null("file_type")?,
        metadata: row.text("metadata")?,
        length_bytes: u64::try_from(row.int("length_bytes")?).map_err(|_| Error::Corrupt { column: "length_bytes" })?,
        state: row.parsed("state")?,
        whole,
        evidence_id: row.parsed_or_null("evidence_id")?,
        expires_at: row.time("expires_at")?,
        created_at: row.time("created_at")?,
    })
}

fn columns(purpose: &Purpose) -> (&'static str, &str, Option<i64>) {
    match purpose {
        Purpose::Case(id) => ("case", id.as_str(), None),
        Purpose::Item(id) => ("item", id.as_str(), None),
        Purpose::Link(id) => ("link", id.as_str(), None),
        Purpose::Task { task, lease } => ("task", task.as_str(), Some(*lease)),
    }
}

/// Writes a new one.
pub async fn insert(tx: &mut Tx, new: &Upload) -> Result<()> {
    let (purpose, object, lease) = columns(&new.purpose);
    let length = i64::try_from(new.length_bytes).map_err(|_| Error::Corrupt { column: "length_bytes" })?;
    Sql::new(
        "INSERT INTO uploads (id, purpose, object_id, owner, file_name, metadata, state, file_type, lease, length_bytes, expires_at, created_at) VALUES (",
    )
    .args([new.id.as_str(), purpose, object, &new.owner, &new.file_name, &new.metadata, new.state.as_str()])
    .add(", ")
    .arg(new.file_type.as_deref())
    .add(", ")
    .arg(lease)
    .add(", ")
    .args([length, new.expires_at.as_micros(), new.created_at.as_micros()])
    .add(")")
    .execute(tx)
    .await?;
    Ok(())
}

/// The upload of this owner. Somebody else's does not exist for them.
pub async fn find(tx: &mut Tx, owner: &str, id: &UploadId) -> Result<Option<Upload>> {
    let sql = Sql::new(SELECT).add(" WHERE id = ").arg(id.as_str()).add(" AND owner = ").arg(owner);
    sql.fetch_optional(tx).await?.as_ref().map(upload).transpose()
}

/// The upload, whosever it is; for the server's own work.
pub async fn find_any(tx: &mut Tx, id: &UploadId) -> Result<Option<Upload>> {
    let sql = Sql::new(SELECT).add(" WHERE id = ").arg(id.as_str());
    sql.fetch_optional(tx).await?.as_ref().map(upload).transpose()
}

/// The upload, locked until the transaction ends; for the server's own work.
pub async fn lock(tx: &mut Tx, id: &UploadId) -> Result<Option<Upload>> {
    let mut sql = Sql::new(SELECT).add(" WHERE id = ").arg(id.as_str());
    if tx.engine() == Engine::Postgres {
        sql.push(" FOR UPDATE");
    }
    sql.fetch_optional(tx).await?.as_ref().map(upload).transpose()
}

/// How many open uploads there are for the same case, item, file request or task.
pub async fn count_open(tx: &mut Tx, purpose: &Purpose) -> Result<i64> {
    let sql =
        Sql::new("SELECT COUNT(*) AS n FROM uploads WHERE state = 'open' AND object_id = ").arg(columns(purpose).1);
    sql.fetch_one(tx).await?.int("n")
}

/// All uploads for the same case, item, file request or task, oldest first.
pub async fn list_for(tx: &mut Tx, purpose: &Purpose) -> Result<Vec<Upload>> {
    let sql = Sql::new(SELECT)
        .add(" WHERE object_id = ")
        .arg(columns(purpose).1)
        .add(" AND state <> 'terminated' ORDER BY created_at, id");
    sql.fetch_all(tx).await?.iter().map(upload).collect()
}

/// Whether a file may still come for an item otherwise than by its open links: one that is added by hand, one that was begun by a link that
/// has run out since, one that is whole and only waits to be recorded, a connector's.
pub async fn still_coming(tx: &mut Tx, item: &RequestItemId) -> Result<bool> {
    if is_coming_by_links(tx, item).await? {
        return Ok(true);
    }
    let sql = Sql::new("SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM uploads WHERE state = 'open' AND purpose = 'item' AND object_id = ")
        .arg(item.as_str())
        .add(") OR EXISTS (SELECT 1 FROM connector_tasks WHERE state IN ('waiting', 'leased') AND kind = 'export' AND item_id = ")
        .arg(item.as_str())
        .add(")");
    Ok(sql.fetch_optional(tx).await?.is_some())
}

/// Whether a file is still on its way for an item by its links.
pub async fn is_coming_by_links(tx: &mut Tx, item: &RequestItemId) -> Result<bool> {
    let sql = Sql::new(
        "SELECT 1 AS one FROM uploads u JOIN file_requests f ON f.id = u.object_id WHERE u.state = 'open' AND u.purpose = 'link' \
              AND (u.blob IS NOT NULL OR f.revoked_at IS NULL) AND f.item_id = ",
    );
    Ok(sql.arg(item.as_str()).add(" LIMIT 1").fetch_optional(tx).await?.is_some())
}

/// Notes that every byte is there, what they hash to, and where they will be kept.
pub async fn sealed(tx: &mut Tx, id: &UploadId, whole: &Whole) -> Result<()> {
    Sql::new("UPDATE uploads SET sha256 = ")
        .arg(whole.sha256.to_string())
        .add(", blob = ")
        .arg(whole.blob.as_str())
        .add(" WHERE state = 'open' AND blob IS NULL AND id = ")
        .arg(id.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Notes that it is over, and what became of it. A connector's upload becomes something when its task is completed.
pub async fn finished(tx: &mut Tx, id: &UploadId, evidence: Option<&EvidenceId>) -> Result<()> {
    let now = tx.now().as_micros();
    Sql::new("UPDATE uploads SET state = 'finished', finished_at = ")
        .arg(now)
        .add(", evidence_id = ")
        .arg(evidence.map(|id| id.as_str().to_owned()))
        .add(" WHERE state = 'open' AND id = ")
        .arg(id.as_str())
        .execute_versioned(tx)
        .await
}

/// Ends it. False where it had ended already.
pub async fn terminate(tx: &mut Tx, id: &UploadId) -> Result<bool> {
    Ok(Sql::new("UPDATE uploads SET state = 'terminated' WHERE state <> 'terminated' AND id = ")
        .arg(id.as_str())
        .execute(tx)
        .await?
        > 0)
}

/// Moves the moment at which it is given up.
pub async fn keep_until(tx: &mut Tx, id: &UploadId, at: Timestamp) -> Result<()> {
    let sql = Sql::new("UPDATE uploads SET expires_at = ")
        .arg(at.as_micros())
        .add(" WHERE state = 'open' AND id = ")
        .arg(id.as_str());
    sql.execute(tx).await?;
    Ok(())
}

/// Uploads that were begun for tasks that have ended since, and became nothing.
pub async fn orphaned(tx: &mut Tx, limit: i64) -> Result<Vec<Upload>> {
    let sql = Sql::new(SELECT)
        .add(" WHERE state IN ('open', 'finished') AND purpose = 'task' AND evidence_id IS NULL AND EXISTS \
              (SELECT 1 FROM connector_tasks t WHERE t.id = uploads.object_id AND t.state IN ('done', 'unavailable', 'failed', 'canceled'))")
        .add(" ORDER BY created_at LIMIT ")
        .arg(limit);
    sql.fetch_all(tx).await?.iter().map(upload).collect()
}

/// Open uploads whose time has come, and those whose end was never recorded.
pub async fn overdue(tx: &mut Tx, limit: i64) -> Result<Vec<Upload>> {
    let now = tx.now().as_micros();
    let sql = Sql::new(SELECT)
        .add(" WHERE state = 'open' AND (expires_at <= ")
        .arg(now)
        .add(" OR blob IS NOT NULL) ORDER BY expires_at LIMIT ")
        .arg(limit);
    sql.fetch_all(tx).await?.iter().map(upload).collect()
}

/// Uploads of connectors that were finished before `before` and never became anything: their task was lost or failed.
pub async fn left_over(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<Upload>> {
    let sql = Sql::new(SELECT)
        .add(" WHERE state = 'finished' AND purpose = 'task' AND evidence_id IS NULL AND finished_at <= ")
        .arg(before.as_micros())
        .add(" ORDER BY finished_at LIMIT ")
        .arg(limit);
    sql.fetch_all(tx).await?.iter().map(upload).collect()
}

/// Whether an upload is still open: the file of any other may go.
pub async fn is_open(tx: &mut Tx, id: &UploadId) -> Result<bool> {
    let row = Sql::new("SELECT state FROM uploads WHERE id = ").arg(id.as_str()).fetch_optional(tx).await?;
    Ok(match row {
        Some(row) => row.parsed::<UploadState>("state")? == UploadState::Open,
        None => false,
    })
}

/// A connector's task of this lease, if it is still held: the item it is about, where there is one.
pub async fn leased_item(
    tx: &mut Tx,
    task: &TaskId,
    lease: i64,
    connector: &ConnectorId,
) -> Result<Option<Option<RequestItemId>>> {
    let now = tx.now().as_micros();
    let row = Sql::new("SELECT item_id FROM connector_tasks WHERE state = 'leased' AND lease_until > ")
        .arg(now)
        .add(" AND id = ")
        .arg(task.as_str())
        .add(" AND connector_id = ")
        .arg(connector.as_str())
        .add(" AND lease = ")
        .arg(lease)
        .fetch_optional(tx)
        .await?;
    row.map(|row| row.parsed_or_null("item_id")).transpose()
}

/// The item that a file request is about, where there is one.
pub async fn item_of_link(tx: &mut Tx, id: &FileRequestId) -> Result<Option<RequestItemId>> {
    let row = Sql::new("SELECT item_id FROM file_requests WHERE id = ").arg(id.as_str()).fetch_optional(tx).await?;
    Ok(row.map(|row| row.parsed_or_null("item_id")).transpose()?.flatten())
}
