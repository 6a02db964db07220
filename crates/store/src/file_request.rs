//! Upload links.

use domain::Timestamp;
use domain::Window;
use domain::file_request::{Answer, FileRequest, For};
use domain::id::{CaseId, EvidenceId, FileRequestId, RequestItemId};
use sqlx::any::AnyRow;

use crate::{Columns as _, Engine, Error, Result, Sql, Tx};

const COLUMNS: &str = "f.id, f.item_id, f.case_id, f.name, f.description, f.answer, f.part_from, f.part_to, f.comment, f.created_by, f.expires_at, f.revoked_at, \
     f.finished_at, f.created_at, f.version";

fn file_request(row: &AnyRow) -> Result<FileRequest> {
    let purpose = match (row.parsed_or_null("item_id")?, row.parsed_or_null("case_id")?) {
        (Some(item), _) => For::Item(item),
        (None, Some(case)) => For::Case(case),
        (None, None) => return Err(Error::Corrupt { column: "item_id" }),
    };
    Ok(FileRequest {
        id: row.parsed("id")?,
        purpose,
        name: row.text("name")?,
        description: row.text_or_null("description")?,
        answer: row.parsed_or_null("answer")?,
        part: part(row)?,
        comment: row.text_or_null("comment")?,
        created_by: row.text_or_null("created_by")?,
        expires_at: row.time("expires_at")?,
        revoked_at: row.time_or_null("revoked_at")?,
        finished_at: row.time_or_null("finished_at")?,
        created_at: row.time("created_at")?,
        version: row.int("version")?,
    })
}

/// What the holder of a link answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Whether they have it.
    pub answer: Answer,
    /// Of a part: which.
    pub part: Option<Window>,
    /// What they added.
    pub comment: Option<String>,
}

/// What the link of a row was answered, if it was.
pub(crate) fn reply(row: &AnyRow) -> Result<Option<Reply>> {
    let answer = row.parsed_or_null("answer")?;
    answer.map(|answer| Ok(Reply { answer, part: part(row)?, comment: row.text_or_null("comment")? })).transpose()
}

fn part(row: &AnyRow) -> Result<Option<Window>> {
    let (from, to) = (row.time_or_null("part_from")?, row.time_or_null("part_to")?);
    Ok(from.zip(to).map(|(from, to)| Window { from, to }))
}

/// Writes a new one, by the hash of its token.
pub async fn insert(tx: &mut Tx, new: &FileRequest, token_hash: &str) -> Result<()> {
    tx.changed(&new.id);
    let (item, case) = match &new.purpose {
        For::Item(id) => (Some(id.to_string()), None),
        For::Case(id) => (None, Some(id.to_string())),
    };
    Sql::new("INSERT INTO file_requests (id, name, token_hash, item_id, case_id, description, created_by, expires_at, created_at, version) VALUES (")
        .args([new.id.as_str(), &new.name, token_hash])
        .add(", ")
        .args([item, case, new.description.clone(), new.created_by.clone()])
        .add(", ")
        .args([new.expires_at.as_micros(), new.created_at.as_micros(), new.version])
        .add(")")
        .execute(tx)
        .await?;
    Ok(())
}

/// Saves answer, end and revocation, if nobody else did since it was read.
pub async fn save(tx: &mut Tx, changed: &mut FileRequest) -> Result<()> {
    tx.changed(&changed.id);
    Sql::new("UPDATE file_requests SET version = version + 1, answer = ")
        .arg(changed.answer.map(|answer| answer.as_str()))
        .add(", part_from = ")
        .arg(changed.part.map(|part| part.from.as_micros()))
        .add(", part_to = ")
        .arg(changed.part.map(|part| part.to.as_micros()))
        .add(", comment = ")
        .arg(changed.comment.clone())
        .add(", revoked_at = ")
        .arg(changed.revoked_at.map(Timestamp::as_micros))
        .add(", finished_at = ")
        .arg(changed.finished_at.map(Timestamp::as_micros))
        .add(" WHERE id = ")
        .arg(changed.id.as_str())
        .add(" AND version = ")
        .arg(changed.version)
        .execute_versioned(tx)
        .await?;
    changed.version += 1;
    Ok(())
}

/// The link of a token's hash. In a writing transaction it stays as it is until the end.
pub async fn find_by_hash(tx: &mut Tx, token_hash: &str) -> Result<Option<FileRequest>> {
    let sql = Sql::new("SELECT ").add(COLUMNS).add(" FROM file_requests f WHERE f.token_hash = ").arg(token_hash);
    sql.fetch_optional(tx).await?.as_ref().map(file_request).transpose()
}

/// One link, for the server itself.
pub async fn find(tx: &mut Tx, id: &FileRequestId) -> Result<Option<FileRequest>> {
    let sql = Sql::new("SELECT ").add(COLUMNS).add(" FROM file_requests f WHERE f.id = ").arg(id.as_str());
    sql.fetch_optional(tx).await?.as_ref().map(file_request).transpose()
}

/// Holds a link until the end of the transaction, so that an arriving file and "finished" wait for each other.
pub async fn lock(tx: &mut Tx, id: &FileRequestId) -> Result<()> {
    if tx.engine() == Engine::Postgres {
        Sql::new("SELECT id FROM file_requests WHERE id = ")
            .arg(id.as_str())
            .add(" FOR UPDATE")
            .fetch_optional(tx)
            .await?;
    }
    Ok(())
}

/// The links of an item by which files may still come: neither finished nor revoked nor run out.
pub async fn open_of_item(tx: &mut Tx, item: &RequestItemId) -> Result<Vec<FileRequest>> {
    let now = tx.now().as_micros();
    let sql = Sql::new("SELECT ")
        .add(COLUMNS)
        .add(" FROM file_requests f WHERE f.finished_at IS NULL AND f.revoked_at IS NULL AND f.item_id = ");
    sql.arg(item.as_str()).add(" AND f.expires_at > ").arg(now).fetch_all(tx).await?.iter().map(file_request).collect()
}

/// Whether a file is still on its way by a link.
pub async fn is_sending(tx: &mut Tx, id: &FileRequestId) -> Result<bool> {
    let now = tx.now().as_micros();
    let sql = Sql::new("SELECT 1 AS one FROM uploads WHERE state = 'open' AND purpose = 'link' AND object_id = ")
        .arg(id.as_str())
        .add(" AND (blob IS NOT NULL OR expires_at > ")
        .arg(now)
        .add(") LIMIT 1");
    Ok(sql.fetch_optional(tx).await?.is_some())
}

/// A link of a case, as those who work on it see it.
#[derive(Debug, Clone)]
pub struct OfCase {
    /// The link.
    pub link: FileRequest,
    /// The name of who made it.
    pub created_by_name: Option<String>,
    /// How many files came by it.
    pub evidence_count: i64,
    /// How many are still on their way.
    pub coming_count: i64,
}

/// The links of a case, newest first.
pub async fn of_case(tx: &mut Tx, case: &CaseId) -> Result<Vec<OfCase>> {
    let sql = Sql::new("SELECT ").add(COLUMNS).add(
        ", a.name AS created_by_name, (SELECT COUNT(*) FROM uploads u JOIN evidence e ON e.upload_id = u.id \
         WHERE u.purpose = 'link' AND u.object_id = f.id) AS evidence_count, \
         (SELECT COUNT(*) FROM uploads u WHERE u.purpose = 'link' AND u.state = 'open' AND u.object_id = f.id) AS coming_count \
         FROM file_requests f LEFT JOIN accounts a ON a.id = f.created_by WHERE f.case_id = ",
    );
    let of_case = |row: &AnyRow| {
        Ok(OfCase {
            link: file_request(row)?,
            created_by_name: row.text_or_null("created_by_name")?,
            evidence_count: row.int("evidence_count")?,
            coming_count: row.int("coming_count")?,
        })
    };
    let sql = sql.arg(case.as_str()).add(" ORDER BY f.created_at DESC, f.id DESC");
    sql.fetch_all(tx).await?.iter().map(of_case).collect()
}

/// Who asks, for what: as the holder of a link reads it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The person.
    pub requester: String,
    /// Where the person works.
    pub organization: String,
    /// The camera.
    pub source: Option<String>,
    /// When.
    pub window: Option<Window>,
    /// The time zone of whoever is asked, or of who asks.
    pub time_zone: String,
}

/// Who asks, for what.
pub async fn asked(tx: &mut Tx, link: &FileRequest) -> Result<Asked> {
    let sql = match &link.purpose {
        For::Item(id) => Sql::new(
            "SELECT p.name AS requester, o.name AS organization, s.name AS source, w.time_zone, COALESCE(i.granted_from, i.from_at) AS from_at, \
             COALESCE(i.granted_to, i.to_at) AS to_at FROM request_items i JOIN video_requests r ON r.id = i.request_id \
             JOIN accounts p ON p.id = r.requester_id JOIN organizations o ON o.id = r.organization_id \
             JOIN organizations w ON w.id = i.organization_id LEFT JOIN cameras s ON s.id = i.source_id WHERE i.id = ",
        )
        .arg(id.as_str()),
        For::Case(id) => Sql::new(
            "SELECT p.name AS requester, o.name AS organization, CAST(NULL AS TEXT) AS source, o.time_zone, CAST(NULL AS BIGINT) AS from_at, \
             CAST(NULL AS BIGINT) AS to_at FROM cases c JOIN accounts p ON p.id = COALESCE(",
        )
        .arg(link.created_by.clone())
        .add(", c.created_by) JOIN organizations o ON o.id = p.organization_id WHERE c.id = ")
        .arg(id.as_str()),
    };
    let row = sql.fetch_one(tx).await?;
    let window = match (row.time_or_null("from_at")?, row.time_or_null("to_at")?) {
        (Some(from), Some(to)) => Some(Window { from, to }),
        _ => None,
    };
    Ok(Asked {
        requester: row.text("requester")?,
        organization: row.text("organization")?,
        source: row.text_or_null("source")?,
        window,
        time_zone: row.text("time_zone")?,
    })
}

/// What an item's link is called: the source, or the request where only a place was asked.
pub async fn title_of_item(tx: &mut Tx, item: &RequestItemId) -> Result<String> {
    Sql::new(
        "SELECT COALESCE(s.name, r.name) AS title FROM request_items i JOIN video_requests r ON r.id = i.request_id \
         LEFT JOIN cameras s ON s.id = i.source_id WHERE i.id = ",
    )
    .arg(item.as_str())
    .fetch_one(tx)
    .await?
    .text("title")
}

/// A file that was sent, or is being sent, by a link.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its upload.
    pub upload_id: String,
    /// What its sender calls it.
    pub name: String,
    /// Its size.
    pub size_bytes: i64,
    /// Of the whole, once it is here.
    pub sha256: Option<String>,
    /// What it became.
    pub evidence_id: Option<EvidenceId>,
}

/// The files of a link, oldest first, but for those that were given up. What has arrived was not, whoever ends its upload.
pub async fn sent(tx: &mut Tx, id: &FileRequestId) -> Result<Vec<Sent>> {
    let rows = Sql::new(
        "SELECT u.id, u.file_name, u.length_bytes, e.sha256, e.id AS evidence_id FROM uploads u LEFT JOIN evidence e ON e.upload_id = u.id \
         WHERE u.purpose = 'link' AND (u.state <> 'terminated' OR e.id IS NOT NULL) AND u.object_id = ",
    )
    .arg(id.as_str())
    .add(" ORDER BY u.created_at, u.id")
    .fetch_all(tx)
    .await?;
    let sent = |row: &AnyRow| {
        Ok(Sent {
            upload_id: row.text("id")?,
            name: row.text("file_name")?,
            size_bytes: row.int("length_bytes")?,
            sha256: row.text_or_null("sha256")?,
            evidence_id: row.parsed_or_null("evidence_id")?,
        })
    };
    rows.iter().map(sent).collect()
}
