//! The ledger's side of events: which rows have a place in the tree, what the last checkpoint says, and
//! who may extend the tree just now.

use domain::Timestamp;
use domain::id::EventId;
use proof::Sha256Digest;
use proof::event::{ERASED, ERASED_OBJECT, PublicEvent};
use serde_json::Value;
use sqlx::any::AnyRow;

use crate::{Columns as _, Error, Event, Result, Sql, Tx};

/// What the last checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Leaves under it.
    pub size: u64,
    /// The root over them.
    pub root: Sha256Digest,
    /// The signed note.
    pub checkpoint: String,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// The last checkpoint; `None` before the first.
pub async fn head(tx: &mut Tx) -> Result<Option<Head>> {
    let row = Sql::new("SELECT size, root, checkpoint, signed_at FROM ledger").fetch_optional(tx).await?;
    row.as_ref().map(read_head).transpose()
}

fn read_head(row: &AnyRow) -> Result<Head> {
    let size = u64::try_from(row.int("size")?).map_err(|_| Error::Corrupt { column: "size" })?;
    Ok(Head { size, root: row.parsed("root")?, checkpoint: row.text("checkpoint")?, signed_at: row.time("signed_at")? })
}

/// Writes the checkpoint of the empty tree, unless there is one already.
pub async fn begin(tx: &mut Tx, root: &Sha256Digest, checkpoint: &str) -> Result<()> {
    Sql::new("INSERT INTO ledger (one, size, root, checkpoint, signed_at, lease_until) VALUES (1, 0, ")
        .args([root.to_string().as_str(), checkpoint])
        .add(", ")
        .args([tx.now().as_micros(), 0])
        .add(") ON CONFLICT (one) DO NOTHING")
        .execute(tx)
        .await?;
    Ok(())
}

/// Whether the tree lacks events.
pub async fn lags(tx: &mut Tx) -> Result<bool> {
    let sql = "SELECT 1 AS lags FROM ledger WHERE EXISTS (SELECT 1 FROM events WHERE leaf_index IS NULL) \
               OR EXISTS (SELECT 1 FROM events WHERE leaf_index >= ledger.size)";
    Ok(Sql::new(sql).fetch_optional(tx).await?.is_some())
}

/// Takes the right to extend the tree until a moment, and answers the head to start from; `None` while another
/// server has it. The moment is also what [`save`] must name, so that a server that was too slow saves nothing.
pub async fn lease(tx: &mut Tx, until: Timestamp) -> Result<Option<Head>> {
    let row = Sql::new("UPDATE ledger SET lease_until = ")
        .arg(until.as_micros())
        .add(" WHERE lease_until <= ")
        .arg(tx.now().as_micros())
        .add(" RETURNING size, root, checkpoint, signed_at")
        .fetch_optional(tx)
        .await?;
    row.as_ref().map(read_head).transpose()
}

/// Gives up to `most` rows without a place in the tree the next places, in the order of insertion. Call it under
/// a [`lease`] taken in the same transaction, whose row lock makes others wait. [`Error::Corrupt`] when the places beyond a tree of
/// `size` leaves are not one after the other: then somebody else gave some, and nothing is built on them.
pub async fn number(tx: &mut Tx, size: u64, most: i64) -> Result<u64> {
    let size = place(size)?;
    let sql = Sql::new("SELECT COUNT(*) AS given, COALESCE(MAX(leaf_index) + 1, ").arg(size);
    let row = sql.add(") AS next FROM events WHERE leaf_index >= ").arg(size).fetch_one(tx).await?;
    let next = row.int("next")?;
    if next - size != row.int("given")? {
        return Err(Error::Corrupt { column: "leaf_index" });
    }
    Sql::new("UPDATE events SET leaf_index = numbered.leaf FROM (SELECT seq, ROW_NUMBER() OVER (ORDER BY seq) - 1 + ")
        .arg(next)
        .add(" AS leaf FROM (SELECT seq FROM events WHERE leaf_index IS NULL ORDER BY seq LIMIT ")
        .arg(most)
        .add(") AS waiting")
        .add(") AS numbered WHERE events.seq = numbered.seq")
        .execute(tx)
        .await
}

/// Replaces the checkpoint and gives the lease back. False when the lease was lost in the meantime.
pub async fn save(tx: &mut Tx, lease: Timestamp, from: u64, head: &Head) -> Result<bool> {
    let saved = Sql::new("UPDATE ledger SET lease_until = 0, size = ")
        .arg(place(head.size)?)
        .add(", root = ")
        .arg(head.root.to_string())
        .add(", checkpoint = ")
        .arg(head.checkpoint.as_str())
        .add(", signed_at = ")
        .arg(head.signed_at.as_micros())
        .add(" WHERE lease_until = ")
        .arg(lease.as_micros())
        .add(" AND size = ")
        .arg(place(from)?)
        .execute(tx)
        .await?;
    Ok(saved > 0)
}

fn place(index: u64) -> Result<i64> {
    i64::try_from(index).map_err(|_| Error::Corrupt { column: "leaf_index" })
}

/// An event as it lies in its row. Nothing is parsed before [`Row::public`], so that a row that somebody spoiled
/// can still be named.
#[derive(Debug, Clone)]
pub struct Row {
    /// Order of insertion.
    pub seq: i64,
    /// The event's id.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// `noun.verb`.
    pub kind: String,
    /// Who did it.
    pub actor: Option<String>,
    /// JSON.
    pub objects: String,
    /// JSON, public.
    pub data: String,
    /// JSON, personal.
    pub personal: Option<String>,
    /// What the commitment is salted with.
    pub salt: Option<Vec<u8>>,
    /// Hex.
    pub commitment: Option<String>,
    /// The hash over the seals of what changed with it, hex.
    pub seals: Option<String>,
    /// When its personal part was erased.
    pub erased_at: Option<Timestamp>,
    /// Its place in the tree.
    pub leaf_index: Option<i64>,
}

const COLUMNS: &str =
    "seq, events.id, at, kind, actor, objects, data, personal, salt, commitment, seals, erased_at, leaf_index";

fn row(row: &AnyRow) -> Result<Row> {
    Ok(Row {
        seq: row.int("seq")?,
        id: row.text("id")?,
        at: row.time("at")?,
        kind: row.text("kind")?,
        actor: row.text_or_null("actor")?,
        objects: row.text("objects")?,
        data: row.text("data")?,
        personal: row.text_or_null("personal")?,
        salt: row.bytes_or_null("salt")?,
        commitment: row.text_or_null("commitment")?,
        seals: row.text_or_null("seals")?,
        erased_at: row.time_or_null("erased_at")?,
        leaf_index: row.int_or_null("leaf_index")?,
    })
}

impl Row {
    /// What the leaf is made of.
    pub fn public(&self) -> Result<PublicEvent> {
        let corrupt = |column| move |_| Error::Corrupt { column };
        let digest = |hex: &Option<String>, column| {
            hex.as_deref().map(str::parse).transpose().map_err(|_| Error::Corrupt { column })
        };
        Ok(PublicEvent {
            id: self.id.clone(),
            at: self.at.as_micros(),
            kind: self.kind.clone(),
            actor: self.actor.clone(),
            objects: serde_json::from_str(&self.objects).map_err(corrupt("objects"))?,
            data: serde_json::from_str(&self.data).map_err(corrupt("data"))?,
            commitment: digest(&self.commitment, "commitment")?,
            seals: digest(&self.seals, "seals")?,
        })
    }

    /// The personal part, where it is there.
    pub fn personal(&self) -> Result<Option<Value>> {
        let parsed = self.personal.as_deref().map(serde_json::from_str).transpose();
        parsed.map_err(|_| Error::Corrupt { column: "personal" })
    }
}

/// The rows with places from `from` on and before `to`, in their order.
pub async fn leaves(tx: &mut Tx, from: u64, to: u64) -> Result<Vec<Row>> {
    let rows = Sql::new("SELECT ")
        .add(COLUMNS)
        .add(" FROM events WHERE leaf_index >= ")
        .arg(place(from)?)
        .add(" AND leaf_index < ")
        .arg(place(to)?)
        .add(" ORDER BY leaf_index")
        .fetch_all(tx)
        .await?;
    rows.iter().map(row).collect()
}

/// Up to `limit` rows that lie outside a tree of `size` leaves, after the one inserted as `after`.
pub async fn outside(tx: &mut Tx, size: u64, after: i64, limit: i64) -> Result<Vec<Row>> {
    let rows = Sql::new("SELECT ")
        .add(COLUMNS)
        .add(" FROM events WHERE (leaf_index IS NULL OR leaf_index < 0 OR leaf_index >= ")
        .arg(place(size)?)
        .add(") AND seq > ")
        .arg(after)
        .add(" ORDER BY seq LIMIT ")
        .arg(limit)
        .fetch_all(tx)
        .await?;
    rows.iter().map(row).collect()
}

/// The events whose places are none that the ledger gives: it gives a tree of `size` leaves the next ones, one after the other.
pub async fn misplaced(tx: &mut Tx, size: u64) -> Result<Vec<String>> {
    let size = place(size)?;
    let sql = Sql::new("SELECT id, leaf_index FROM events WHERE leaf_index < 0 OR leaf_index >= ").arg(size);
    let (mut next, mut misplaced) = (size, Vec::new());
    for row in sql.add(" ORDER BY leaf_index").fetch_all(tx).await? {
        if row.int("leaf_index")? == next {
            next += 1;
        } else {
            misplaced.push(row.text("id")?);
        }
    }
    Ok(misplaced)
}

/// The event of this number.
pub async fn at(tx: &mut Tx, seq: i64) -> Result<Option<Row>> {
    let found = Sql::new("SELECT ").add(COLUMNS).add(" FROM events WHERE seq = ").arg(seq).fetch_optional(tx).await?;
    found.as_ref().map(row).transpose()
}

/// One event.
pub async fn find(tx: &mut Tx, id: &EventId) -> Result<Option<Row>> {
    let found =
        Sql::new("SELECT ").add(COLUMNS).add(" FROM events WHERE id = ").arg(id.as_str()).fetch_optional(tx).await?;
    found.as_ref().map(row).transpose()
}

/// Which events to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
    /// About this object.
    pub object: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

/// Events, newest first, inserted before `before`; each with the name of who did it, where it has one. Whoever may
/// read the ledger reads all of it, so nothing is cut to the caller here.
pub async fn list(tx: &mut Tx, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Vec<(Row, Option<String>)>> {
    let mut sql = Sql::new("SELECT ").add(COLUMNS).add(
        ", COALESCE(accounts.name, connectors.name) AS actor_name FROM events LEFT JOIN accounts ON accounts.id = events.actor \
         LEFT JOIN connectors ON connectors.id = events.actor WHERE seq < ",
    );
    sql.bind(before.unwrap_or(i64::MAX));
    if let Some(kind) = &filter.kind {
        sql.push(" AND kind = ").bind(kind.as_str());
    }
    if let Some(actor) = &filter.actor {
        sql.push(" AND actor = ").bind(actor.as_str());
    }
    if let Some(object) = &filter.object {
        sql.push(" AND seq IN (SELECT seq FROM event_objects WHERE object_id = ").bind(object.as_str());
        sql.push(")");
    }
    if let Some(from) = filter.from {
        sql.push(" AND at >= ").bind(from.as_micros());
    }
    if let Some(to) = filter.to {
        sql.push(" AND at < ").bind(to.as_micros());
    }
    sql.push(" ORDER BY seq DESC LIMIT ").bind(limit);
    let rows = sql.fetch_all(tx).await?;
    rows.iter().map(|found| Ok((row(found)?, found.text_or_null("actor_name")?))).collect()
}

/// Erases the personal part of an event and its salt, and answers the event that must be committed with it: the
/// tombstone. `None` where there is no such event, or nothing personal in it (any more).
pub async fn erase(tx: &mut Tx, id: &EventId, actor: Option<String>) -> Result<Option<Event>> {
    if !forget(tx, id.as_str()).await? {
        return Ok(None);
    }
    Ok(Some(Event::new(ERASED, actor).about(ERASED_OBJECT, id)))
}

async fn forget(tx: &mut Tx, id: &str) -> Result<bool> {
    let erased = Sql::new("UPDATE events SET personal = NULL, salt = NULL, erased_at = ")
        .arg(tx.now().as_micros())
        .add(" WHERE personal IS NOT NULL AND id = ")
        .arg(id)
        .execute(tx)
        .await?;
    Ok(erased > 0)
}

/// Erases again what tombstones say was erased: after a backup was restored. Answers how many there were.
pub async fn replay_tombstones(tx: &mut Tx) -> Result<u64> {
    let rows = Sql::new("SELECT objects FROM events WHERE kind = ").arg(ERASED).fetch_all(tx).await?;
    let mut count = 0;
    for row in rows {
        let objects: serde_json::Map<String, Value> = row.json("objects")?;
        if let Some(id) = objects.get(ERASED_OBJECT).and_then(Value::as_str) {
            count += u64::from(forget(tx, id).await?);
        }
    }
    Ok(count)
}
