//! Request items. Every query for a person is cut to what they see ([`SeesRequests`]).

use std::time::Duration;

use domain::evidence::PlayableState;
use domain::id::{AccountId, ConnectorId, EvidenceId, FileRequestId, RequestItemId, VideoRequestId};
use domain::policy::SeesRequests;
use domain::request_item::{Reason, RequestItem};
use domain::{Gap, Timestamp, Window};
use sqlx::any::AnyRow;

use crate::file_request::{Reply, reply};
use crate::video_request::push_items_seen;
use crate::{Columns as _, Result, Sql, Tx};

const COLUMNS: &str = "i.id, i.request_id, i.source_id, i.organization_id, i.channels, i.from_at, i.to_at, i.granted_from, i.granted_to, \
     i.state, i.reason_code, i.reason_detail, i.hold, i.held_until, i.review_before_release, i.level, i.decided_by, i.decided_at, i.bytes_done, \
     i.bytes_total, i.attempts, i.overwrite_at, i.deadline_at, i.version";

fn item(row: &AnyRow) -> Result<RequestItem> {
    let window = |from: &'static str, to: &'static str| -> Result<Option<Window>> {
        Ok(match (row.time_or_null(from)?, row.time_or_null(to)?) {
            (Some(from), Some(to)) => Some(Window { from, to }),
            _ => None,
        })
    };
    let reason = row.text_or_null("reason_code")?.map(|code| {
        let detail = row.text_or_null("reason_detail")?.unwrap_or_default();
        Ok::<_, crate::Error>(Reason { code, detail })
    });
    Ok(RequestItem {
        id: row.parsed("id")?,
        request_id: row.parsed("request_id")?,
        source_id: row.parsed_or_null("source_id")?,
        organization_id: row.parsed("organization_id")?,
        channels: row.json_or_null("channels")?,
        asked: window("from_at", "to_at")?.ok_or(crate::Error::Corrupt { column: "from_at" })?,
        granted: window("granted_from", "granted_to")?,
        state: row.parsed("state")?,
        reason: reason.transpose()?,
        hold: row.parsed("hold")?,
        held_until: row.time_or_null("held_until")?,
        review_before_release: row.flag("review_before_release")?,
        level: row.parsed_or_null("level")?,
        decided_by: row.parsed_or_null("decided_by")?,
        decided_at: row.time_or_null("decided_at")?,
        bytes_done: row.int_or_null("bytes_done")?.unwrap_or(0),
        bytes_total: row.int_or_null("bytes_total")?,
        attempts: row.int("attempts")?,
        overwrite_at: row.time_or_null("overwrite_at")?,
        deadline_at: row.time_or_null("deadline_at")?,
        version: row.int("version")?,
    })
}

/// Writes a new one, as the `ordinal`th of its request.
pub async fn insert(tx: &mut Tx, new: &RequestItem, ordinal: i64) -> Result<()> {
    tx.changed(&new.id);
    Sql::new(
        "INSERT INTO request_items (id, request_id, organization_id, state, hold, ordinal, from_at, to_at, review_before_release, \
         attempts, version, source_id, channels, overwrite_at, deadline_at) VALUES (",
    )
    .args([new.id.as_str(), new.request_id.as_str(), new.organization_id.as_str(), new.state.as_str(), new.hold.as_str()])
    .add(", ")
    .args([ordinal, new.asked.from.as_micros(), new.asked.to.as_micros(), i64::from(new.review_before_release), new.attempts, new.version])
    .add(", ")
    .args([new.source_id.as_ref().map(|id| id.as_str().to_owned()), new.channels.as_ref().map(|c| serde_json::json!(c).to_string())])
    .add(", ")
    .args([new.overwrite_at.map(Timestamp::as_micros), new.deadline_at.map(Timestamp::as_micros)])
    .add(")")
    .execute(tx)
    .await?;
    Ok(())
}

/// Saves all that commands change, if nobody else did since it was read. [`crate::video_request::refresh`] follows.
pub async fn save(tx: &mut Tx, changed: &mut RequestItem) -> Result<()> {
    tx.changed(&changed.id);
    let (reason, now) = (changed.reason.as_ref(), tx.now().as_micros());
    Sql::new("UPDATE request_items SET version = version + 1, state = ")
        .arg(changed.state.as_str())
        .add(", hold = ")
        .arg(changed.hold.as_str())
        .add(", held_until = ")
        .arg(changed.held_until.map(Timestamp::as_micros))
        .add(", granted_from = ")
        .arg(changed.granted.map(|w| w.from.as_micros()))
        .add(", granted_to = ")
        .arg(changed.granted.map(|w| w.to.as_micros()))
        .add(", reason_code = ")
        .arg(reason.map(|r| r.code.clone()))
        .add(", reason_detail = ")
        .arg(reason.map(|r| r.detail.clone()))
        .add(", review_before_release = ")
        .arg(i64::from(changed.review_before_release))
        .add(", level = ")
        .arg(changed.level.map(|level| level.as_str()))
        .add(", decided_by = ")
        .arg(changed.decided_by.as_ref().map(|id| id.as_str().to_owned()))
        .add(", decided_at = ")
        .arg(changed.decided_at.map(Timestamp::as_micros))
        .add(", bytes_done = ")
        .arg(changed.bytes_done)
        .add(", bytes_total = ")
        .arg(changed.bytes_total)
        .add(", attempts = ")
        .arg(changed.attempts)
        .add(", deadline_at = ")
        // What has ended has no deadline: those that have are few, and found by their index.
        .arg(changed.deadline_at.filter(|_| changed.state.is_open()).map(Timestamp::as_micros))
        .add(", ended_at = CASE WHEN ")
        .arg(i64::from(changed.state.is_open()))
        .add(" = 1 THEN NULL ELSE COALESCE(ended_at, ")
        .arg(now)
        .add(") END WHERE id = ")
        .arg(changed.id.as_str())
        .add(" AND version = ")
        .arg(changed.version)
        .execute_versioned(tx)
        .await?;
    changed.version += 1;
    Ok(())
}

/// Notes how often a connector took it. No version: nobody decides by it.
pub async fn save_attempts(tx: &mut Tx, id: &RequestItemId, attempts: i64) -> Result<()> {
    let sql = Sql::new("UPDATE request_items SET attempts = ").arg(attempts).add(" WHERE id = ").arg(id.as_str());
    sql.execute(tx).await?;
    Ok(())
}

/// Notes how many bytes are here. No version: nobody decides by it.
pub async fn save_progress(tx: &mut Tx, id: &RequestItemId, bytes_done: i64, bytes_total: Option<i64>) -> Result<()> {
    Sql::new("UPDATE request_items SET bytes_done = ")
        .arg(bytes_done)
        .add(", bytes_total = ")
        .arg(bytes_total)
        .add(" WHERE id = ")
        .arg(id.as_str())
        .add(" AND state IN ('exporting', 'uploading')")
        .execute(tx)
        .await?;
    Ok(())
}

/// One item, for the server itself.
pub async fn find(tx: &mut Tx, id: &RequestItemId) -> Result<Option<RequestItem>> {
    let sql = Sql::new("SELECT ").add(COLUMNS).add(" FROM request_items i WHERE i.id = ").arg(id.as_str());
    sql.fetch_optional(tx).await?.as_ref().map(item).transpose()
}

/// The request of an item, if the item is seen.
pub async fn request_of(tx: &mut Tx, sees: &SeesRequests, id: &RequestItemId) -> Result<Option<VideoRequestId>> {
    let mut sql =
        Sql::new("SELECT i.request_id FROM request_items i JOIN video_requests r ON r.id = i.request_id WHERE i.id = ")
            .arg(id.as_str())
            .add(" AND (");
    push_items_seen(&mut sql, sees);
    sql.add(")").fetch_optional(tx).await?.map(|row| row.parsed("request_id")).transpose()
}

/// Items whose deadline has passed and that it ends, the oldest deadline first: also exports whose connector does nothing but wait, for a
/// video system that is away, or for room.
pub async fn due(tx: &mut Tx, limit: i64) -> Result<Vec<RequestItemId>> {
    let now = tx.now().as_micros();
    let rows = Sql::new("SELECT id FROM request_items WHERE deadline_at <= ")
        .arg(now)
        .add(
            " AND (state IN ('pending', 'needs_information', 'approved', 'uploading') OR (state = 'exporting' AND EXISTS \
             (SELECT 1 FROM connector_tasks t WHERE t.item_id = request_items.id AND t.kind = 'export' AND t.state = 'leased' \
             AND t.phase LIKE 'waiting%'))) ORDER BY deadline_at LIMIT ",
        )
        .arg(limit)
        .fetch_all(tx)
        .await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

/// An item with the names and facts that a page shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The item.
    pub item: RequestItem,
    /// The owner's name.
    pub organization_name: String,
    /// The source's name; none for a place, or when the source was removed.
    pub source_name: Option<String>,
    /// Whether the source has a picture.
    pub has_thumbnail: bool,
    /// The connector that serves the source.
    pub connector: Option<Connector>,
    /// What the connector does about the export at the moment.
    pub phase: Option<String>,
    /// Why its export, or its hold, waits for the video system or for a key, if it does.
    pub waits_because: Option<String>,
    /// The name of who decided.
    pub decided_by_name: Option<String>,
}

/// The connector that serves a source.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Its id.
    pub id: ConnectorId,
    /// What the source is called in the video system.
    pub device_id: String,
    /// When it was last heard of.
    pub last_seen_at: Option<Timestamp>,
}

fn shown(row: &AnyRow) -> Result<Shown> {
    let connector = match (row.parsed_or_null("connector_id")?, row.text_or_null("device_id")?) {
        (Some(id), Some(device_id)) => {
            Some(Connector { id, device_id, last_seen_at: row.time_or_null("connector_seen_at")? })
        }
        _ => None,
    };
    Ok(Shown {
        item: item(row)?,
        organization_name: row.text("organization_name")?,
        source_name: row.text_or_null("source_name")?,
        has_thumbnail: row.text_or_null("thumbnail_blob")?.is_some(),
        connector,
        phase: row.text_or_null("phase")?,
        waits_because: row.text_or_null("waits_because")?,
        decided_by_name: row.text_or_null("decided_by_name")?,
    })
}

/// The items of a request that are seen, in the order in which they were asked.
pub async fn of_request(tx: &mut Tx, sees: &SeesRequests, request: &VideoRequestId) -> Result<Vec<Shown>> {
    let mut sql = Sql::new("SELECT ")
        .add(COLUMNS)
        .add(
            ", o.name AS organization_name, c.name AS source_name, c.thumbnail_blob, c.device_id, k.id AS connector_id, \
             k.last_seen_at AS connector_seen_at, d.name AS decided_by_name, \
             (SELECT MAX(t.phase) FROM connector_tasks t WHERE t.item_id = i.id AND t.kind = 'export' AND t.state IN ('waiting', 'leased')) AS phase, \
             (SELECT MAX(t.last_error) FROM connector_tasks t WHERE t.item_id = i.id AND t.kind IN ('export', 'hold') AND t.state = 'leased' \
             AND t.phase IN ('waiting_for_system', 'waiting_for_key')) AS waits_because \
             FROM request_items i JOIN video_requests r ON r.id = i.request_id JOIN organizations o ON o.id = i.organization_id \
             LEFT JOIN cameras c ON c.id = i.source_id LEFT JOIN connectors k ON k.id = c.connector_id AND k.revoked_at IS NULL \
             LEFT JOIN accounts d ON d.id = i.decided_by WHERE i.request_id = ",
        )
        .arg(request.as_str())
        .add(" AND (");
    push_items_seen(&mut sql, sees);
    sql.add(") ORDER BY i.ordinal").fetch_all(tx).await?.iter().map(shown).collect()
}

/// What has arrived for an item.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// For which item.
    pub item_id: RequestItemId,
    /// The evidence.
    pub id: EvidenceId,
    /// The file's name.
    pub name: String,
    /// Its size.
    pub size_bytes: i64,
    /// Parts of the window that it does not hold, as far as the recorder told.
    pub gaps: Vec<Gap>,
    /// Of the original, hex.
    pub sha256: String,
    /// Whether there is a copy that browsers play.
    pub playable_state: PlayableState,
    /// When the requester could have it; none while only the owner's approvers see it.
    pub released_at: Option<Timestamp>,
    /// When it was purged.
    pub purged_at: Option<Timestamp>,
}

/// What has arrived for the items of a request, oldest first.
pub async fn arrived(tx: &mut Tx, request: &VideoRequestId) -> Result<Vec<Arrived>> {
    let rows = Sql::new(
        "SELECT item_id, id, name, size_bytes, gaps, sha256, playable_state, released_at, purged_at FROM evidence WHERE item_id IN \
         (SELECT id FROM request_items WHERE request_id = ",
    )
    .arg(request.as_str())
    .add(") ORDER BY created_at, id")
    .fetch_all(tx)
    .await?;
    let arrived = |row: &AnyRow| {
        Ok(Arrived {
            item_id: row.parsed("item_id")?,
            id: row.parsed("id")?,
            name: row.text("name")?,
            size_bytes: row.int("size_bytes")?,
            gaps: row.json_or_null("gaps")?.unwrap_or_default(),
            sha256: row.text("sha256")?,
            playable_state: row.parsed("playable_state")?,
            released_at: row.time_or_null("released_at")?,
            purged_at: row.time_or_null("purged_at")?,
        })
    };
    rows.iter().map(arrived).collect()
}

/// Lets readers of the case have what arrived for an item.
pub async fn release_evidence(tx: &mut Tx, item: &RequestItem, case: Option<&domain::id::CaseId>) -> Result<()> {
    let now = tx.now().as_micros();
    let released = Sql::new("UPDATE evidence SET version = version + 1, released_at = ")
        .arg(now)
        .add(", release_level = ")
        .arg(item.level.map_or("view", |level| level.as_str()))
        .add(", case_id = COALESCE(case_id, ")
        .arg(case.map(|id| id.as_str().to_owned()))
        .add(") WHERE released_at IS NULL AND purged_at IS NULL AND item_id = ")
        .arg(item.id.as_str())
        .add(" RETURNING id")
        .fetch_all(tx)
        .await?;
    for row in released {
        tx.changed(row.text("id")?);
    }
    Ok(())
}

/// The upload link of an item, as its page shows it.
#[derive(Debug, Clone)]
pub struct Link {
    /// For which item.
    pub item_id: RequestItemId,
    /// The file request.
    pub id: FileRequestId,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When its holder said that all is sent.
    pub finished_at: Option<Timestamp>,
    /// What it was answered, or the one before that it replaced.
    pub reply: Option<Reply>,
}

impl Link {
    /// Whether its holder can still answer.
    pub fn is_out(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.finished_at.is_none() && self.expires_at > now
    }

    /// The part that its holder has, where they said that it is no more.
    pub fn part(&self) -> Option<Window> {
        self.reply.as_ref().and_then(|reply| reply.part)
    }
}

/// The newest link of each item of a request that has one.
pub async fn links(tx: &mut Tx, request: &VideoRequestId) -> Result<Vec<Link>> {
    let rows = Sql::new(
        "SELECT f.item_id, f.id, f.expires_at, f.revoked_at, f.finished_at, f.answer, f.part_from, f.part_to, f.comment FROM file_requests f JOIN request_items i ON i.id = f.item_id \
         WHERE i.request_id = ",
    )
    .arg(request.as_str())
    .add(" ORDER BY f.id DESC")
    .fetch_all(tx)
    .await?;
    let mut links: Vec<Link> = Vec::new();
    for row in &rows {
        let item_id: RequestItemId = row.parsed("item_id")?;
        let reply = reply(row)?;
        match links.iter_mut().find(|link| link.item_id == item_id) {
            Some(newest) => newest.reply = newest.reply.take().or(reply),
            None => links.push(Link {
                item_id,
                id: row.parsed("id")?,
                expires_at: row.time("expires_at")?,
                revoked_at: row.time_or_null("revoked_at")?,
                finished_at: row.time_or_null("finished_at")?,
                reply,
            }),
        }
    }
    Ok(links)
}

/// Ends the work about an item that connectors have not ended. Their next call about it is answered 409.
pub async fn cancel_tasks(tx: &mut Tx, item: &RequestItemId) -> Result<()> {
    let now = tx.now().as_micros();
    Sql::new("UPDATE connector_tasks SET state = 'canceled', lease = lease + 1, ended_at = ")
        .arg(now)
        .add(" WHERE state IN ('waiting', 'leased') AND kind IN ('export', 'hold') AND item_id = ")
        .arg(item.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Takes back what a connector was asked about a hold and has not begun: something else is wanted now.
pub async fn cancel_hold_tasks(tx: &mut Tx, item: &RequestItemId) -> Result<()> {
    let now = tx.now().as_micros();
    Sql::new("UPDATE connector_tasks SET state = 'canceled', lease = lease + 1, ended_at = ")
        .arg(now)
        .add(" WHERE state IN ('waiting', 'leased') AND kind IN ('hold', 'free') AND item_id = ")
        .arg(item.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// An item whose hold has run out by its own term.
pub async fn hold_run_out(tx: &mut Tx) -> Result<Option<RequestItemId>> {
    let now = tx.now().as_micros();
    let sql = Sql::new("SELECT id FROM request_items WHERE hold = 'held' AND held_until <= ").arg(now).add(" LIMIT 1");
    sql.fetch_optional(tx).await?.map(|row| row.parsed("id")).transpose()
}

/// A hold that was confirmed so lately may be missing from what its connector said meanwhile.
const JUST_HELD: Duration = Duration::from_secs(120);

/// Items that a connector is believed to hold, but for those that it has only just said to.
pub async fn held_by(tx: &mut Tx, connector: &ConnectorId) -> Result<Vec<RequestItemId>> {
    let before = tx.now().minus(JUST_HELD).as_micros();
    let rows = Sql::new(
        "SELECT i.id FROM request_items i JOIN cameras c ON c.id = i.source_id WHERE i.hold = 'held' AND c.connector_id = ",
    )
    .arg(connector.as_str())
    .add(" AND NOT EXISTS (SELECT 1 FROM connector_tasks t WHERE t.item_id = i.id AND t.kind = 'hold' AND t.ended_at > ")
    .arg(before)
    .add(") ORDER BY i.id")
    .fetch_all(tx)
    .await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

/// Revokes the links of an item that still hold, be it only for what is on its way by them.
pub async fn revoke_links(tx: &mut Tx, item: &RequestItemId) -> Result<()> {
    let now = tx.now().as_micros();
    let revoked = Sql::new("UPDATE file_requests SET version = version + 1, revoked_at = ")
        .arg(now)
        .add(" WHERE revoked_at IS NULL AND finished_at IS NULL AND (expires_at > ")
        .arg(now)
        .add(" OR EXISTS (SELECT 1 FROM uploads u WHERE u.state = 'open' AND u.purpose = 'link' AND u.object_id = file_requests.id)) AND item_id = ")
        .arg(item.as_str())
        .add(" RETURNING id")
        .fetch_all(tx)
        .await?;
    for row in revoked {
        tx.changed(row.text("id")?);
    }
    Ok(())
}

/// The requester of a request, for mail.
pub async fn requester_of(tx: &mut Tx, request: &VideoRequestId) -> Result<AccountId> {
    Sql::new("SELECT requester_id FROM video_requests WHERE id = ")
        .arg(request.as_str())
        .fetch_one(tx)
        .await?
        .parsed("requester_id")
}
