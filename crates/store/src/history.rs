//! Histories: the events about one thing.

use domain::Timestamp;
use serde_json::{Map, Value};
use sqlx::any::AnyRow;

use crate::{Columns as _, Result, Sql, Tx};

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its place in the order of all events.
    pub seq: i64,
    /// The id of the event.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// What: `noun.verb`.
    pub kind: String,
    /// The id of who did it; none: the server itself.
    pub actor: Option<String>,
    /// The name of who did it, where it has one.
    pub actor_name: Option<String>,
    /// What was said publicly and, unless it was erased, personally.
    pub detail: Map<String, Value>,
}

/// The events about an object, newest first.
pub async fn of(tx: &mut Tx, object: &str, before: Option<i64>, limit: i64) -> Result<Vec<Entry>> {
    let mut sql = Sql::new(
        "SELECT v.seq, v.id, v.at, v.kind, v.actor, v.data, v.personal, COALESCE(p.name, k.name, f.name) AS actor_name FROM event_objects o \
         JOIN events v ON v.seq = o.seq LEFT JOIN tokens t ON t.id = v.actor LEFT JOIN accounts p ON p.id = COALESCE(t.account_id, v.actor) \
         LEFT JOIN connectors k ON k.id = v.actor LEFT JOIN file_requests f ON f.id = v.actor WHERE o.object_id = ",
    )
    .arg(object);
    if let Some(before) = before {
        sql = sql.add(" AND o.seq < ").arg(before);
    }
    let rows = sql.add(" ORDER BY o.seq DESC LIMIT ").arg(limit).fetch_all(tx).await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &AnyRow) -> Result<Entry> {
    let mut detail: Map<String, Value> = row.json("data")?;
    detail.extend(row.json_or_null::<Map<String, Value>>("personal")?.unwrap_or_default());
    Ok(Entry {
        seq: row.int("seq")?,
        id: row.text("id")?,
        at: row.time("at")?,
        kind: row.text("kind")?,
        actor: row.text_or_null("actor")?,
        actor_name: row.text_or_null("actor_name")?,
        detail,
    })
}
