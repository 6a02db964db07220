//! Rows under seal. Whatever changes one of them says so to its transaction ([`Tx::changed`]), and the commit seals what the row
//! then says into the event that it writes ([`proof::seal`]). `check` holds each row against its newest seal. See ADR 11.

use std::collections::{BTreeMap, BTreeSet};

use proof::Sha256Digest;
use serde_json::{Map, Value};
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::{Column as _, Row as _, ValueRef as _};

use crate::{Columns as _, Engine, Error, Result, Sql, Tx};

/// Rows that belong to a row and are sealed with it.
struct Part {
    name: &'static str,
    /// The column that names the row they belong to.
    owner: &'static str,
    select: &'static str,
    order: &'static str,
}

/// A table whose rows are under seal.
struct Table {
    /// What its ids begin with.
    prefix: &'static str,
    name: &'static str,
    /// Columns outside the seal: what is computed from others, and what changes without an event. A column that is added later is
    /// sealed unless it is named here; NULL is left out, so that seals from before it still hold.
    outside: &'static [&'static str],
    part: Option<Part>,
}

impl Table {
    const fn of(prefix: &'static str, name: &'static str, outside: &'static [&'static str]) -> Self {
        Self { prefix, name, outside, part: None }
    }

    fn holds(&self, id: &str) -> bool {
        id.split_once('_').is_some_and(|(prefix, _)| prefix == self.prefix)
    }
}

static TABLES: [Table; 12] = [
    Table {
        part: Some(Part {
            name: "roles",
            owner: "account_id",
            select: "SELECT * FROM account_roles WHERE account_id IN (",
            order: ") ORDER BY account_id, role, organization_id",
        }),
        ..Table::of("acc", "accounts", &["last_seen_at", "search_text", "version"])
    },
    Table::of(
        "cam",
        "cameras",
        &[
            "cell",
            "last_seen_at",
            "name_key",
            "online",
            "search_text",
            "thumbnail_at",
            "thumbnail_blob",
            "thumbnail_sha256",
            "updated_at",
            "version",
        ],
    ),
    Table {
        part: Some(Part {
            name: "access",
            owner: "case_id",
            select: "SELECT * FROM case_access WHERE case_id IN (",
            order: ") ORDER BY case_id, principal_id",
        }),
        ..Table::of("cas", "cases", &["search_text", "version"])
    },
    Table::of(
        "con",
        "connectors",
        &[
            "adapter",
            "clock_offset_ms",
            "instance",
            "last_seen_at",
            "problem",
            "protocol_version",
            "software",
            "source_sequence",
            "used_twice_at",
            "version",
        ],
    ),
    Table::of("evd", "evidence", &["version"]),
    Table::of("frq", "file_requests", &["version"]),
    Table {
        part: Some(Part {
            name: "members",
            owner: "group_id",
            select: "SELECT * FROM group_members WHERE group_id IN (",
            order: ") ORDER BY group_id, account_id",
        }),
        ..Table::of("grp", "groups", &["version"])
    },
    Table::of("itm", "request_items", &["attempts", "bytes_done", "bytes_total", "version"]),
    Table::of("msg", "messages", &[]),
    Table::of("org", "organizations", &["name_key", "version"]),
    Table::of("req", "video_requests", &["search_text", "version"]),
    Table::of("tok", "tokens", &["last_used_at"]),
];

/// The seal of a row.
#[derive(Debug, Clone)]
pub struct Seal {
    /// The id of the row.
    pub object: String,
    /// Of the event that it belongs to.
    pub seq: i64,
    /// What the row said.
    pub seal: Sha256Digest,
    /// What it is salted with; gone once there is a newer seal of this row.
    pub salt: Option<Vec<u8>>,
}

impl Seal {
    fn holds(&self, row: &Value) -> bool {
        let salt = self.salt.as_deref().and_then(|salt| salt.try_into().ok());
        salt.is_some_and(|salt| proof::seal::of_row(salt, row).is_ok_and(|seal| seal == self.seal))
    }
}

/// What rows say, by id; null where there is none. With `lock` they stay as they are until the end of the transaction.
async fn rows(tx: &mut Tx, ids: &[String], lock: bool) -> Result<BTreeMap<String, Value>> {
    let mut found: BTreeMap<String, Value> = ids.iter().map(|id| (id.clone(), Value::Null)).collect();
    for table in &TABLES {
        let here: Vec<&str> = ids.iter().map(String::as_str).filter(|id| table.holds(id)).collect();
        for some in here.chunks(500) {
            read_rows(tx, table, some, lock, &mut found).await?;
        }
    }
    Ok(found)
}

async fn read_rows(
    tx: &mut Tx,
    table: &Table,
    ids: &[&str],
    lock: bool,
    found: &mut BTreeMap<String, Value>,
) -> Result<()> {
    let mut sql = Sql::new("SELECT * FROM ").add(table.name).add(" WHERE id IN (").args(ids.iter().copied());
    sql.push(") ORDER BY id");
    // Two that change parts of one row seal it one after the other, so that the later seal has both.
    if lock && tx.engine() == Engine::Postgres {
        sql.push(" FOR UPDATE");
    }
    for row in sql.fetch_all(tx).await? {
        found.insert(row.text("id")?, Value::Object(said(&row, table.outside)?));
    }
    let Some(part) = &table.part else { return Ok(()) };
    for row in Sql::new(part.select).args(ids.iter().copied()).add(part.order).fetch_all(tx).await? {
        // Parts of a row that is not there hang in the air; they are found with the row.
        let owner = found.entry(row.text(part.owner)?).or_insert(Value::Null);
        if owner.is_null() {
            *owner = Value::Object(Map::new());
        }
        if let Some(parts) = owner.as_object_mut().map(|row| row.entry(part.name).or_insert(Value::Array(Vec::new())))
            && let Some(parts) = parts.as_array_mut()
        {
            parts.push(Value::Object(said(&row, &[])?));
        }
    }
    Ok(())
}

/// What a row says: every column but those outside the seal and NULLs, all as text.
fn said(row: &AnyRow, outside: &[&str]) -> Result<Map<String, Value>> {
    let mut said = Map::new();
    for column in row.columns() {
        let (index, name) = (column.ordinal(), column.name());
        let value = row.try_get_raw(index)?;
        if outside.contains(&name) || value.is_null() {
            continue;
        }
        let text = match value.type_info().kind() {
            AnyTypeInfoKind::Real | AnyTypeInfoKind::Double => row.try_get::<f64, _>(index)?.to_string(),
            AnyTypeInfoKind::SmallInt | AnyTypeInfoKind::Integer | AnyTypeInfoKind::BigInt => {
                row.try_get::<i64, _>(index)?.to_string()
            }
            AnyTypeInfoKind::Text => row.try_get(index)?,
            AnyTypeInfoKind::Null | AnyTypeInfoKind::Bool | AnyTypeInfoKind::Blob => {
                return Err(Error::Corrupt { column: "under seal" });
            }
        };
        said.insert(name.to_owned(), Value::String(text));
    }
    Ok(said)
}

/// The seals of what changed, and the hash over them; `None` where nothing under seal did.
pub(crate) async fn of(tx: &mut Tx, changed: &BTreeSet<String>) -> Result<Option<(Vec<Seal>, Sha256Digest)>> {
    if changed.is_empty() {
        return Ok(None);
    }
    let ids: Vec<String> = changed.iter().cloned().collect();
    let mut seals = Vec::with_capacity(ids.len());
    for (object, row) in rows(tx, &ids, true).await? {
        let salt: [u8; 32] = tx.random();
        let seal = proof::seal::of_row(&salt, &row).map_err(|_| Error::Corrupt { column: "under seal" })?;
        seals.push(Seal { object, seq: 0, seal, salt: Some(salt.to_vec()) });
    }
    let list = list(&seals);
    Ok(Some((seals, list)))
}

/// The hash over seals that are sorted by id.
pub fn list(seals: &[Seal]) -> Sha256Digest {
    proof::seal::list(seals.iter().map(|seal| (seal.object.as_str(), &seal.seal)))
}

/// Writes the seals of an event. What rows said before cannot be tried against older seals any more.
pub(crate) async fn insert(tx: &mut Tx, seq: i64, seals: Vec<Seal>) -> Result<()> {
    for some in seals.chunks(500) {
        let ids = some.iter().map(|seal| seal.object.as_str());
        let sql = Sql::new("UPDATE seals SET salt = NULL WHERE salt IS NOT NULL AND object_id IN (").args(ids);
        sql.add(")").execute(tx).await?;
        let mut sql = Sql::new("INSERT INTO seals (object_id, seq, seal, salt) VALUES ");
        for (n, seal) in some.iter().enumerate() {
            sql.push(if n == 0 { "(" } else { ", (" }).bind(seal.object.as_str()).push(", ").bind(seq).push(", ");
            sql.bind(seal.seal.to_string()).push(", ").bind(seal.salt.clone()).push(")");
        }
        sql.execute(tx).await?;
    }
    Ok(())
}

fn seal(row: &AnyRow) -> Result<Seal> {
    Ok(Seal {
        object: row.text("object_id")?,
        seq: row.int("seq")?,
        seal: row.parsed("seal")?,
        salt: row.bytes_or_null("salt")?,
    })
}

/// The seals of the events of these numbers, by event and id.
pub async fn of_events(tx: &mut Tx, from_seq: i64, to_seq: i64) -> Result<Vec<Seal>> {
    let sql = Sql::new("SELECT object_id, seq, seal, salt FROM seals WHERE seq >= ").arg(from_seq).add(" AND seq <= ");
    let rows = sql.arg(to_seq).add(" ORDER BY seq").fetch_all(tx).await?;
    let mut seals = rows.iter().map(seal).collect::<Result<Vec<_>>>()?;
    // Databases sort text each in their own way.
    seals.sort_by(|a, b| (a.seq, &a.object).cmp(&(b.seq, &b.object)));
    Ok(seals)
}

/// Of up to `limit` sealed rows with ids after one: how many there were, the last of them, and those that are not as they were sealed.
#[derive(Debug, Default)]
pub struct Compared {
    /// How many rows were looked at.
    pub rows: u64,
    /// The last of them; none when there are no more.
    pub last: Option<String>,
    /// Those that are not as they were sealed: the seal, and whether there is a row at all.
    pub broken: Vec<(Seal, bool)>,
}

/// Holds rows against their newest seals. A transaction that reads sees both as of one moment.
pub async fn compare(tx: &mut Tx, after: &str, limit: i64) -> Result<Compared> {
    let sql = Sql::new(
        "SELECT s.object_id, s.seq, s.seal, s.salt FROM seals s JOIN (SELECT object_id, MAX(seq) AS seq FROM seals WHERE object_id > ",
    )
    .arg(after)
    .add(" GROUP BY object_id ORDER BY object_id LIMIT ")
    .arg(limit)
    .add(") newest ON newest.object_id = s.object_id AND newest.seq = s.seq ORDER BY s.object_id");
    let seals = sql.fetch_all(tx).await?.iter().map(seal).collect::<Result<Vec<_>>>()?;
    let ids: Vec<String> = seals.iter().map(|seal| seal.object.clone()).collect();
    let rows = rows(tx, &ids, false).await?;
    let mut compared = Compared { rows: seals.len() as u64, last: ids.last().cloned(), broken: Vec::new() };
    for seal in seals {
        let row = rows.get(&seal.object).unwrap_or(&Value::Null);
        if !seal.holds(row) {
            compared.broken.push((seal, !row.is_null()));
        }
    }
    Ok(compared)
}

/// Rows that no event sealed, and whether any event is about them: then they are older than seals. A row under the id of another
/// table's is none of them, whatever is told of that one.
pub async fn without(tx: &mut Tx) -> Result<Vec<(String, bool)>> {
    let mut found = Vec::new();
    for table in &TABLES {
        let sql =
            Sql::new("SELECT t.id, (SELECT COUNT(*) FROM event_objects o WHERE o.object_id = t.id) AS events FROM ")
                .add(table.name)
                .add(" t WHERE NOT EXISTS (SELECT 1 FROM seals s WHERE s.object_id = t.id) OR SUBSTR(t.id, 1, 4) <> ")
                .arg(format!("{}_", table.prefix));
        for row in sql.add(" ORDER BY t.id").fetch_all(tx).await? {
            let (id, events) = (row.text("id")?, row.int("events")?);
            found.push((id.clone(), events > 0 && table.holds(&id)));
        }
    }
    Ok(found)
}
