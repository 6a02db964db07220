//! Evidence. Every query for a person is cut to what they see ([`SeesEvidence`]).

use domain::Timestamp;
use domain::Window;
use domain::case::Level;
use domain::evidence::{Bytes, Evidence, Look, Recorded};
use domain::id::{AccountId, CaseId, EvidenceId, OrganizationId, RequestItemId, UploadId};
use domain::policy::SeesEvidence;
use sqlx::any::AnyRow;

use crate::case::push_level;
use crate::file_request::{Reply, reply};
use crate::{Columns as _, Error, Result, Sql, Tx};

const COLUMNS: &str = "e.id, e.case_id, e.request_id, e.item_id, e.organization_id, e.source_id, e.upload_id, e.name, e.size_bytes, e.sha256, \
     e.blob, e.media, e.recorded_from, e.recorded_to, e.gaps, e.clock_offset_ms, e.manifest, e.release_level, e.released_at, e.playable_state, \
     e.playable_error, e.playable_blob, e.playable_bytes, e.playable_sha256, e.thumbnail_blob, e.thumbnail_bytes, e.thumbnail_sha256, \
     e.received_by, e.created_at, e.purged_at, e.version";

fn bytes(row: &AnyRow, blob: &'static str, size: &'static str, sha256: &'static str) -> Result<Option<Bytes>> {
    Ok(match (row.text_or_null(blob)?, row.int_or_null(size)?, row.text_or_null(sha256)?) {
        (Some(blob), Some(size_bytes), Some(sha256)) => Some(Bytes { blob, size_bytes, sha256 }),
        _ => None,
    })
}

fn evidence(row: &AnyRow) -> Result<Evidence> {
    let recorded = match (row.time_or_null("recorded_from")?, row.time_or_null("recorded_to")?) {
        (Some(from), Some(to)) => Some(Recorded {
            window: Window { from, to },
            gaps: row.json_or_null("gaps")?.unwrap_or_default(),
            clock_offset_ms: row.int_or_null("clock_offset_ms")?,
        }),
        _ => None,
    };
    Ok(Evidence {
        id: row.parsed("id")?,
        case_id: row.parsed_or_null("case_id")?,
        request_id: row.parsed_or_null("request_id")?,
        item_id: row.parsed_or_null("item_id")?,
        organization_id: row.parsed("organization_id")?,
        source_id: row.parsed_or_null("source_id")?,
        upload_id: row.parsed_or_null("upload_id")?,
        name: row.text("name")?,
        original: bytes(row, "blob", "size_bytes", "sha256")?.ok_or(Error::Corrupt { column: "blob" })?,
        media: row.json_or_null("media")?,
        recorded,
        manifest: row.json_or_null("manifest")?,
        release_level: row.parsed("release_level")?,
        released_at: row.time_or_null("released_at")?,
        playable_state: row.parsed("playable_state")?,
        playable_error: row.text_or_null("playable_error")?,
        playable: bytes(row, "playable_blob", "playable_bytes", "playable_sha256")?,
        thumbnail: bytes(row, "thumbnail_blob", "thumbnail_bytes", "thumbnail_sha256")?,
        received_by: row.text_or_null("received_by")?,
        created_at: row.time("created_at")?,
        purged_at: row.time_or_null("purged_at")?,
        version: row.int("version")?,
    })
}

/// Writes a new one, before anything was made of it.
pub async fn insert(tx: &mut Tx, new: &Evidence) -> Result<()> {
    tx.changed(&new.id);
    let text = |value: Option<&dyn ToString>| value.map(ToString::to_string);
    let recorded = new.recorded.as_ref();
    Sql::new(
        "INSERT INTO evidence (id, organization_id, name, sha256, blob, release_level, playable_state, case_id, request_id, item_id, source_id, \
         upload_id, received_by, gaps, manifest, size_bytes, created_at, version, released_at, recorded_from, recorded_to, clock_offset_ms) VALUES (",
    )
    .args([new.id.as_str(), new.organization_id.as_str(), &new.name, &new.original.sha256, &new.original.blob])
    .add(", ")
    .args([new.release_level.as_str(), new.playable_state.as_str()])
    .add(", ")
    .args([
        text(new.case_id.as_ref().map(|id| id as &dyn ToString)),
        text(new.request_id.as_ref().map(|id| id as &dyn ToString)),
        text(new.item_id.as_ref().map(|id| id as &dyn ToString)),
        text(new.source_id.as_ref().map(|id| id as &dyn ToString)),
        text(new.upload_id.as_ref().map(|id| id as &dyn ToString)),
        new.received_by.clone(),
        recorded.map(|r| serde_json::json!(r.gaps).to_string()),
        text(new.manifest.as_ref().map(|m| m as &dyn ToString)),
    ])
    .add(", ")
    .args([new.original.size_bytes, new.created_at.as_micros(), new.version])
    .add(", ")
    .args([
        new.released_at.map(Timestamp::as_micros),
        recorded.map(|r| r.window.from.as_micros()),
        recorded.map(|r| r.window.to.as_micros()),
        recorded.and_then(|r| r.clock_offset_ms),
    ])
    .add(")")
    .execute(tx)
    .await?;
    Ok(())
}

/// Saves what was made of it, if nobody else did since it was read.
pub async fn save_derivatives(tx: &mut Tx, changed: &mut Evidence) -> Result<()> {
    tx.changed(&changed.id);
    let (playable, thumbnail) = (changed.playable.as_ref(), changed.thumbnail.as_ref());
    let media = changed.media.as_ref().and_then(|media| serde_json::to_string(media).ok());
    Sql::new("UPDATE evidence SET version = version + 1, media = ")
        .arg(media)
        .add(", playable_state = ")
        .arg(changed.playable_state.as_str())
        .add(", playable_error = ")
        .arg(changed.playable_error.clone())
        .add(", playable_blob = ")
        .arg(playable.map(|b| b.blob.clone()))
        .add(", playable_bytes = ")
        .arg(playable.map(|b| b.size_bytes))
        .add(", playable_sha256 = ")
        .arg(playable.map(|b| b.sha256.clone()))
        .add(", thumbnail_blob = ")
        .arg(thumbnail.map(|b| b.blob.clone()))
        .add(", thumbnail_bytes = ")
        .arg(thumbnail.map(|b| b.size_bytes))
        .add(", thumbnail_sha256 = ")
        .arg(thumbnail.map(|b| b.sha256.clone()))
        .add(" WHERE id = ")
        .arg(changed.id.as_str())
        .add(" AND version = ")
        .arg(changed.version)
        .execute_versioned(tx)
        .await?;
    changed.version += 1;
    Ok(())
}

/// One file, for the server itself.
pub async fn find(tx: &mut Tx, id: &EvidenceId) -> Result<Option<Evidence>> {
    let sql = Sql::new("SELECT ").add(COLUMNS).add(" FROM evidence e WHERE e.id = ").arg(id.as_str());
    sql.fetch_optional(tx).await?.as_ref().map(evidence).transpose()
}

/// What an upload became.
pub async fn find_by_upload(tx: &mut Tx, upload: &UploadId) -> Result<Option<Evidence>> {
    let sql = Sql::new("SELECT ").add(COLUMNS).add(" FROM evidence e WHERE e.upload_id = ").arg(upload.as_str());
    sql.fetch_optional(tx).await?.as_ref().map(evidence).transpose()
}

/// All files of a request item, oldest first.
pub async fn of_item(tx: &mut Tx, item: &RequestItemId) -> Result<Vec<Evidence>> {
    let sql = Sql::new("SELECT ").add(COLUMNS).add(" FROM evidence e WHERE e.item_id = ").arg(item.as_str());
    sql.add(" ORDER BY e.created_at, e.id").fetch_all(tx).await?.iter().map(evidence).collect()
}

/// A file that was refused, or whose item ended otherwise without its release, at `before` or earlier, and whose bytes are still kept:
/// this one, or the one that is due longest.
pub async fn refused(tx: &mut Tx, before: Timestamp, this: Option<&EvidenceId>) -> Result<Option<Evidence>> {
    let mut sql = Sql::new("SELECT ")
        .add(COLUMNS)
        .add(
            " FROM evidence e JOIN request_items i ON i.id = e.item_id WHERE e.released_at IS NULL AND e.purged_at IS NULL \
             AND i.state IN ('unavailable', 'failed', 'denied', 'canceled', 'expired') AND i.ended_at <= ",
        )
        .arg(before.as_micros());
    if let Some(this) = this {
        sql = sql.add(" AND e.id = ").arg(this.as_str());
    }
    sql.add(" ORDER BY i.ended_at, e.id LIMIT 1").fetch_optional(tx).await?.as_ref().map(evidence).transpose()
}

/// Notes that its bytes go. Their names stay, so that their removal can be repeated and be checked.
pub async fn purge(tx: &mut Tx, changed: &mut Evidence) -> Result<()> {
    tx.changed(&changed.id);
    let now = tx.now();
    Sql::new("UPDATE evidence SET version = version + 1, purged_at = ")
        .arg(now.as_micros())
        .add(" WHERE released_at IS NULL AND id = ")
        .arg(changed.id.as_str())
        .add(" AND version = ")
        .arg(changed.version)
        .execute_versioned(tx)
        .await?;
    changed.version += 1;
    changed.purged_at = Some(now);
    Ok(())
}

/// A file, as somebody sees it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The file.
    pub evidence: Evidence,
    /// What they may do with it.
    pub level: Level,
    /// The source's name.
    pub source_name: Option<String>,
    /// How far the registry says that the source's clock is off, in milliseconds.
    pub source_clock_offset_ms: Option<i64>,
    /// What the holder said of the upload link by which it came.
    pub reply: Option<Reply>,
    /// The leaf that says that it arrived; none in the first second.
    pub leaf_index: Option<i64>,
}

fn seen(row: &AnyRow) -> Result<Seen> {
    let evidence = evidence(row)?;
    let in_case = row.int_or_null("level")?.and_then(Level::of_rank);
    let level = match (evidence.released_at, in_case) {
        (Some(_), Some(in_case)) => evidence.level(in_case),
        // Not released: only those who decide about it find it here, and it is their organization's own.
        _ => Level::Download,
    };
    Ok(Seen {
        evidence,
        level,
        source_name: row.text_or_null("source_name")?,
        reply: reply(row)?,
        source_clock_offset_ms: row.int_or_null("source_clock_offset_ms")?,
        leaf_index: row.int_or_null("leaf_index")?,
    })
}

fn select_seen(sees: &SeesEvidence, now: Timestamp) -> Sql {
    let mut sql = Sql::new("SELECT ").add(COLUMNS).add(
        ", s.name AS source_name, s.clock_offset_ms AS source_clock_offset_ms, f.answer, f.part_from, f.part_to, f.comment, (SELECT MAX(v.leaf_index) FROM event_objects o JOIN events v ON v.seq = o.seq WHERE o.object_id = e.id \
         AND v.kind = 'evidence.receive') AS leaf_index, ",
    );
    push_level(&mut sql, &sees.cases, now, "e.case_id");
    sql.push(" AS level FROM evidence e LEFT JOIN cameras s ON s.id = e.source_id LEFT JOIN file_requests f ON f.id = e.received_by WHERE (");
    if sees.cases.all {
        return sql.add("1 = 1)");
    }
    sql.push("(e.released_at IS NOT NULL AND EXISTS (SELECT 1 ");
    crate::case::push_access(&mut sql, &sees.cases, now);
    sql.push(" AND a.case_id = e.case_id))");
    push_unreleased(&mut sql, sees);
    sql.add(")")
}

/// Appends what has arrived but is not released: ` OR …`.
fn push_unreleased(sql: &mut Sql, sees: &SeesEvidence) {
    if sees.unreleased_of.as_ref().is_some_and(Vec::is_empty) {
        return;
    }
    sql.push(" OR (e.released_at IS NULL");
    if let Some(organizations) = &sees.unreleased_of {
        sql.push(" AND e.organization_id IN (");
        sql.bind_all(organizations.iter().map(OrganizationId::as_str)).push(")");
    }
    if let Some(requester) = &sees.unless_asked_by {
        sql.push(" AND NOT EXISTS (SELECT 1 FROM video_requests r WHERE r.id = e.request_id AND r.requester_id = ");
        sql.bind(requester.as_str()).push(")");
    }
    sql.push(")");
}

/// One file, if it is seen.
pub async fn find_seen(tx: &mut Tx, sees: &SeesEvidence, id: &EvidenceId) -> Result<Option<Seen>> {
    let sql = select_seen(sees, tx.now()).add(" AND e.id = ").arg(id.as_str());
    sql.fetch_optional(tx).await?.as_ref().map(seen).transpose()
}

/// The files of a case that are seen, oldest first.
pub async fn of_case(
    tx: &mut Tx,
    sees: &SeesEvidence,
    case: &CaseId,
    after: Option<&(i64, EvidenceId)>,
    limit: i64,
) -> Result<Vec<Seen>> {
    let mut sql = select_seen(sees, tx.now()).add(" AND e.case_id = ").arg(case.as_str());
    if let Some((at, id)) = after {
        sql = sql.add(" AND (e.created_at, e.id) > (").arg(*at).add(", ").arg(id.as_str()).add(")");
    }
    let rows = sql.add(" ORDER BY e.created_at, e.id LIMIT ").arg(limit).fetch_all(tx).await?;
    rows.iter().map(seen).collect()
}

/// Whether a look of this person has to be logged: none was, within the time that one lasts. Notes it if so.
pub async fn note_look(tx: &mut Tx, id: &EvidenceId, viewer: &AccountId, look: Look) -> Result<bool> {
    let now = tx.now();
    let sql = Sql::new("INSERT INTO evidence_looks (evidence_id, viewer_id, what, logged_at) VALUES (")
        .args([id.as_str(), viewer.as_str(), look.as_str()])
        .add(", ")
        .arg(now.as_micros())
        .add(") ON CONFLICT (evidence_id, viewer_id, what) DO UPDATE SET logged_at = excluded.logged_at WHERE evidence_looks.logged_at <= ")
        .arg(now.minus(look.lasts()).as_micros());
    Ok(sql.execute(tx).await? > 0)
}

/// Whether a look of this person was logged within the time that one lasts.
pub async fn is_noted(tx: &mut Tx, id: &EvidenceId, viewer: &AccountId, look: Look) -> Result<bool> {
    let since = tx.now().minus(look.lasts());
    let sql = Sql::new("SELECT 1 AS one FROM evidence_looks WHERE evidence_id = ")
        .arg(id.as_str())
        .add(" AND viewer_id = ")
        .arg(viewer.as_str())
        .add(" AND what = ")
        .arg(look.as_str())
        .add(" AND logged_at > ")
        .arg(since.as_micros());
    Ok(sql.fetch_optional(tx).await?.is_some())
}
