//! Connectors.

use domain::Timestamp;
use domain::connector::{Connector, Problem};
use domain::id::{CameraId, ConnectorId, OrganizationId};
use sqlx::any::AnyRow;

use crate::{Columns as _, Result, Sql, Tx};

const SELECT: &str = "SELECT c.id, c.organization_id, o.name AS organization_name, c.name, c.adapter, c.software, c.protocol_version, \
     c.source_sequence, c.clock_offset_ms, c.problem, c.instance, c.used_twice_at, c.last_seen_at, c.revoked_at, c.created_at, c.version \
     FROM connectors c JOIN organizations o ON o.id = c.organization_id";

fn connector(row: &AnyRow) -> Result<Connector> {
    Ok(Connector {
        id: row.parsed("id")?,
        organization_id: row.parsed("organization_id")?,
        organization_name: row.text("organization_name")?,
        name: row.text("name")?,
        adapter: row.text_or_null("adapter")?,
        software: row.text_or_null("software")?,
        protocol_version: row.int_or_null("protocol_version")?,
        source_sequence: row.int("source_sequence")?,
        clock_offset_ms: row.int_or_null("clock_offset_ms")?,
        problem: row.json_or_null("problem")?,
        instance: row.text_or_null("instance")?,
        used_twice_at: row.time_or_null("used_twice_at")?,
        last_seen_at: row.time_or_null("last_seen_at")?,
        revoked_at: row.time_or_null("revoked_at")?,
        created_at: row.time("created_at")?,
        version: row.int("version")?,
    })
}

/// Writes a new one, by the hash of its key.
pub async fn insert(tx: &mut Tx, new: &Connector, key_hash: &str) -> Result<()> {
    tx.changed(&new.id);
    Sql::new(
        "INSERT INTO connectors (id, organization_id, name, key_hash, source_sequence, created_at, version) VALUES (",
    )
    .args([new.id.as_str(), new.organization_id.as_str(), &new.name, key_hash])
    .add(", ")
    .args([new.source_sequence, new.created_at.as_micros(), new.version])
    .add(")")
    .execute(tx)
    .await?;
    Ok(())
}

/// One connector.
pub async fn find(tx: &mut Tx, id: &ConnectorId) -> Result<Option<Connector>> {
    let sql = Sql::new(SELECT).add(" WHERE c.id = ").arg(id.as_str());
    sql.fetch_optional(tx).await?.as_ref().map(connector).transpose()
}

/// The connector of a key's hash, unless it was revoked.
pub async fn find_by_key(tx: &mut Tx, key_hash: &str) -> Result<Option<Connector>> {
    let sql = Sql::new(SELECT).add(" WHERE c.revoked_at IS NULL AND c.key_hash = ").arg(key_hash);
    sql.fetch_optional(tx).await?.as_ref().map(connector).transpose()
}

/// The connector of this name, unless it was revoked.
pub async fn find_by_name(tx: &mut Tx, organization: &OrganizationId, name: &str) -> Result<Option<Connector>> {
    let sql = Sql::new(SELECT).add(" WHERE c.revoked_at IS NULL AND c.organization_id = ").arg(organization.as_str());
    let sql = sql.add(" AND c.name = ").arg(name).add(" ORDER BY c.id LIMIT 1");
    sql.fetch_optional(tx).await?.as_ref().map(connector).transpose()
}

/// A connector, and how much there is of what belongs to it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The connector.
    pub connector: Connector,
    /// Cameras that it publishes and that have not vanished.
    pub source_count: i64,
    /// Tasks for it to take.
    pub waiting: i64,
    /// Tasks that it works on.
    pub running: i64,
}

/// Connectors of these organizations, or of all; by name. One, if an id is given.
pub async fn list(
    tx: &mut Tx,
    organizations: Option<&[OrganizationId]>,
    id: Option<&ConnectorId>,
) -> Result<Vec<Shown>> {
    let mut sql = Sql::new(
        "SELECT c.id, c.organization_id, o.name AS organization_name, c.name, c.adapter, c.software, c.protocol_version, \
         c.source_sequence, c.clock_offset_ms, c.problem, c.instance, c.used_twice_at, c.last_seen_at, c.revoked_at, c.created_at, c.version, \
         (SELECT COUNT(*) FROM cameras m WHERE m.connector_id = c.id AND m.vanished_at IS NULL) AS source_count, \
         (SELECT COUNT(*) FROM connector_tasks t WHERE t.connector_id = c.id AND t.state = 'waiting') AS waiting, \
         (SELECT COUNT(*) FROM connector_tasks t WHERE t.connector_id = c.id AND t.state = 'leased') AS running \
         FROM connectors c JOIN organizations o ON o.id = c.organization_id WHERE 1 = 1",
    );
    if let Some(organizations) = organizations {
        if organizations.is_empty() {
            return Ok(Vec::new());
        }
        sql.push(" AND c.organization_id IN (").bind_all(organizations.iter().map(OrganizationId::as_str)).push(")");
    }
    if let Some(id) = id {
        sql.push(" AND c.id = ").bind(id.as_str());
    }
    let rows = sql.add(" ORDER BY c.name, c.id LIMIT 1000").fetch_all(tx).await?;
    let shown = |row: &AnyRow| {
        Ok(Shown {
            connector: connector(row)?,
            source_count: row.int("source_count")?,
            waiting: row.int("waiting")?,
            running: row.int("running")?,
        })
    };
    rows.iter().map(shown).collect()
}

/// What a connector says of itself.
#[derive(Debug)]
pub struct Greeting<'a> {
    /// The adapter that it uses.
    pub adapter: &'a str,
    /// Program and version.
    pub software: &'a str,
    /// The version of the protocol that was agreed.
    pub protocol_version: i64,
    /// Its clock minus ours.
    pub clock_offset_ms: i64,
}

/// Notes what a connector says of itself.
pub async fn greeted(tx: &mut Tx, id: &ConnectorId, said: &Greeting<'_>) -> Result<()> {
    let now = tx.now().as_micros();
    Sql::new("UPDATE connectors SET adapter = ")
        .arg(said.adapter)
        .add(", software = ")
        .arg(said.software)
        .add(", protocol_version = ")
        .arg(said.protocol_version)
        .add(", clock_offset_ms = ")
        .arg(said.clock_offset_ms)
        .add(", last_seen_at = ")
        .arg(now)
        .add(" WHERE id = ")
        .arg(id.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Notes that it called, and which instance of it that was, if it says so.
pub async fn seen(tx: &mut Tx, id: &ConnectorId, instance: Option<&str>) -> Result<()> {
    let now = tx.now().as_micros();
    let sql = Sql::new("UPDATE connectors SET last_seen_at = ").arg(now);
    let sql = sql.add(", instance = COALESCE(").arg(instance).add(", instance) WHERE id = ").arg(id.as_str());
    sql.execute(tx).await?;
    Ok(())
}

/// Notes that another instance called beside the one that is heard.
pub async fn used_twice(tx: &mut Tx, id: &ConnectorId) -> Result<()> {
    let now = tx.now().as_micros();
    let sql = Sql::new("UPDATE connectors SET used_twice_at = ").arg(now).add(" WHERE id = ").arg(id.as_str());
    sql.execute(tx).await?;
    Ok(())
}

/// Notes a publication, and what is wrong, if anything. False if another one came first.
pub async fn published(
    tx: &mut Tx,
    id: &ConnectorId,
    before: i64,
    sequence: i64,
    problem: Option<&Problem>,
) -> Result<bool> {
    let problem = problem.map(|problem| serde_json::json!(problem).to_string());
    let touched = Sql::new("UPDATE connectors SET version = version + 1, source_sequence = ")
        .arg(sequence)
        .add(", problem = ")
        .arg(problem)
        .add(" WHERE id = ")
        .arg(id.as_str())
        .add(" AND source_sequence = ")
        .arg(before)
        .execute(tx)
        .await?;
    Ok(touched > 0)
}

/// Gives it a new key; the earlier one is worth nothing from then on.
pub async fn rekey(tx: &mut Tx, id: &ConnectorId, key_hash: &str) -> Result<()> {
    tx.changed(id);
    Sql::new("UPDATE connectors SET version = version + 1, instance = NULL, used_twice_at = NULL, key_hash = ")
        .arg(key_hash)
        .add(" WHERE id = ")
        .arg(id.as_str())
        .execute_versioned(tx)
        .await
}

/// Revokes its key for good. False if that was done before.
pub async fn revoke(tx: &mut Tx, id: &ConnectorId, at: Timestamp) -> Result<bool> {
    let touched = Sql::new("UPDATE connectors SET version = version + 1, revoked_at = ")
        .arg(at.as_micros())
        .add(" WHERE revoked_at IS NULL AND id = ")
        .arg(id.as_str())
        .execute(tx)
        .await?;
    if touched > 0 {
        tx.changed(id);
    }
    Ok(touched > 0)
}

/// Notes what a connector says of a camera now and then: whether it delivers, and until when it recorded. No new version: nobody
/// decides by it.
pub async fn saw(tx: &mut Tx, camera: &CameraId, online: Option<bool>, last_seen_at: Option<Timestamp>) -> Result<()> {
    Sql::new("UPDATE cameras SET online = ")
        .arg(online.map(i64::from))
        .add(", last_seen_at = ")
        .arg(last_seen_at.map(Timestamp::as_micros))
        .add(" WHERE id = ")
        .arg(camera.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Gives a camera a picture; answers the blob that it had. `None` if there is no such camera.
pub async fn set_thumbnail(
    tx: &mut Tx,
    connector: &ConnectorId,
    device_id: &str,
    blob: &str,
    sha256: &str,
) -> Result<Option<Option<String>>> {
    let row = Sql::new("SELECT id, thumbnail_blob FROM cameras WHERE connector_id = ")
        .arg(connector.as_str())
        .add(" AND device_id = ")
        .arg(device_id)
        .fetch_optional(tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (id, before): (CameraId, _) = (row.parsed("id")?, row.text_or_null("thumbnail_blob")?);
    let now = tx.now().as_micros();
    Sql::new("UPDATE cameras SET thumbnail_blob = ")
        .arg(blob)
        .add(", thumbnail_sha256 = ")
        .arg(sha256)
        .add(", thumbnail_at = ")
        .arg(now)
        .add(" WHERE id = ")
        .arg(id.as_str())
        .execute(tx)
        .await?;
    Ok(Some(before))
}
