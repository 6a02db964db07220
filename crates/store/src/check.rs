//! Which files the rows know: for `check`, which holds each against its bytes.

use crate::{Columns as _, Result, Sql, Tx};

/// A file that a row names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// The id of the row.
    pub id: String,
    /// The upload that brought it.
    pub upload_id: Option<String>,
    /// What it is to the row: `original`, `playable`, `thumbnail`.
    pub what: &'static str,
    /// Its name in the store of bytes.
    pub name: String,
    /// The size that the row gives it.
    pub size_bytes: Option<i64>,
    /// The hash that the row gives it, hex.
    pub sha256: Option<String>,
    /// Whether the row says that it was purged.
    pub purged: bool,
}

/// One column with file names: table, column, what it is, size and hash columns (or NULL).
const EVIDENCE: [(&str, &str, &str, &str); 3] = [
    ("original", "blob", "size_bytes", "sha256"),
    ("playable", "playable_blob", "playable_bytes", "playable_sha256"),
    ("thumbnail", "thumbnail_blob", "thumbnail_bytes", "thumbnail_sha256"),
];

/// The files of up to `limit` pieces of evidence with ids after `after`, and the last of these ids.
pub async fn evidence_files(tx: &mut Tx, after: &str, limit: i64) -> Result<(Vec<KnownFile>, Option<String>)> {
    let sql = "SELECT id, upload_id, blob, size_bytes, sha256, playable_blob, playable_bytes, playable_sha256, thumbnail_blob, thumbnail_bytes, \
               thumbnail_sha256, purged_at FROM evidence WHERE id > ";
    let rows = Sql::new(sql).arg(after).add(" ORDER BY id LIMIT ").arg(limit).fetch_all(tx).await?;
    let mut files = Vec::new();
    let mut last = None;
    for row in rows {
        let id = row.text("id")?;
        for (what, name, size, sha256) in EVIDENCE {
            if let Some(name) = row.text_or_null(name)? {
                files.push(KnownFile {
                    id: id.clone(),
                    upload_id: row.text_or_null("upload_id")?,
                    what,
                    name,
                    size_bytes: row.int_or_null(size)?,
                    sha256: row.text_or_null(sha256)?,
                    purged: row.time_or_null("purged_at")?.is_some(),
                });
            }
        }
        last = Some(id);
    }
    Ok((files, last))
}

/// The pictures of cameras, whose rows give no size.
pub async fn camera_files(tx: &mut Tx) -> Result<Vec<KnownFile>> {
    let rows = Sql::new("SELECT id, thumbnail_blob, thumbnail_sha256 FROM cameras WHERE thumbnail_blob IS NOT NULL")
        .fetch_all(tx)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(KnownFile {
                id: row.text("id")?,
                upload_id: None,
                what: "thumbnail",
                name: row.text("thumbnail_blob")?,
                size_bytes: None,
                sha256: row.text_or_null("thumbnail_sha256")?,
                purged: false,
            })
        })
        .collect()
}

/// Whether any row names this file; uploads name theirs before there is evidence.
pub async fn is_known(tx: &mut Tx, name: &str) -> Result<bool> {
    let row = Sql::new("SELECT 1 AS known WHERE EXISTS (SELECT 1 FROM evidence WHERE blob = ")
        .arg(name)
        .add(" OR playable_blob = ")
        .arg(name)
        .add(" OR thumbnail_blob = ")
        .arg(name)
        .add(") OR EXISTS (SELECT 1 FROM cameras WHERE thumbnail_blob = ")
        .arg(name)
        .add(") OR EXISTS (SELECT 1 FROM uploads WHERE blob = ")
        .arg(name)
        .add(")")
        .fetch_optional(tx)
        .await?;
    Ok(row.is_some())
}

/// What gives objects their histories, for the events of these numbers: the event's number and the object's id.
pub async fn event_objects(tx: &mut Tx, from_seq: i64, to_seq: i64) -> Result<Vec<(i64, String)>> {
    let rows = Sql::new("SELECT seq, object_id FROM event_objects WHERE seq >= ")
        .arg(from_seq)
        .add(" AND seq <= ")
        .arg(to_seq)
        .add(" ORDER BY seq, object_id")
        .fetch_all(tx)
        .await?;
    rows.iter().map(|row| Ok((row.int("seq")?, row.text("object_id")?))).collect()
}

/// Of what seals and histories tell although there is no event that they could be of.
pub async fn of_no_event(tx: &mut Tx) -> Result<Vec<String>> {
    let sql = "SELECT object_id FROM seals s WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = s.seq) \
               UNION SELECT object_id FROM event_objects o WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = o.seq)";
    Sql::new(sql).fetch_all(tx).await?.iter().map(|row| row.text("object_id")).collect()
}

/// How many leaves have been given to events, under the last checkpoint or not yet.
pub async fn numbered(tx: &mut Tx) -> Result<u64> {
    let row = Sql::new("SELECT COALESCE(MAX(leaf_index) + 1, 0) AS numbered FROM events").fetch_one(tx).await?;
    Ok(u64::try_from(row.int("numbered")?).unwrap_or(0))
}
