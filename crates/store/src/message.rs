//! The thread of a request.

use domain::id::{AccountId, MessageId, OrganizationId, RequestItemId, VideoRequestId};
use domain::policy::SeesRequests;
use domain::{Timestamp, video_request};
use sqlx::any::AnyRow;

use crate::video_request::push_items_seen;
use crate::{Columns as _, Result, Sql, Tx};

/// An entry of a thread.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// What it is.
    pub kind: video_request::MessageKind,
    /// About which item, if about one.
    pub item_id: Option<RequestItemId>,
    /// Who wrote it.
    pub author: Option<(AccountId, String)>,
    /// The words.
    pub body: String,
    /// When.
    pub created_at: Timestamp,
}

/// Writes an entry.
pub async fn insert(
    tx: &mut Tx,
    request: &VideoRequestId,
    item: Option<&RequestItemId>,
    kind: video_request::MessageKind,
    author: Option<&AccountId>,
    body: &str,
) -> Result<MessageId> {
    let (id, now): (MessageId, _) = (tx.new_id(), tx.now().as_micros());
    tx.changed(&id);
    Sql::new("INSERT INTO messages (id, request_id, kind, body, item_id, author_id, created_at) VALUES (")
        .args([id.as_str(), request.as_str(), kind.as_str(), body])
        .add(", ")
        .args([item.map(RequestItemId::as_str), author.map(AccountId::as_str)])
        .add(", ")
        .arg(now)
        .add(")")
        .execute(tx)
        .await?;
    Ok(id)
}

/// The entries that are seen, oldest first. Who stands for an owner sees what is about that owner's items, what the requester wrote to
/// all, and what people of the owner wrote.
pub async fn of_request(tx: &mut Tx, sees: &SeesRequests, request: &VideoRequestId) -> Result<Vec<Message>> {
    let mut sql = Sql::new(
        "SELECT m.id, m.kind, m.item_id, m.author_id, m.body, m.created_at, a.name AS author_name FROM messages m \
         JOIN video_requests r ON r.id = m.request_id LEFT JOIN request_items i ON i.id = m.item_id \
         LEFT JOIN accounts a ON a.id = m.author_id WHERE m.request_id = ",
    )
    .arg(request.as_str())
    .add(" AND (");
    push_items_seen(&mut sql, sees);
    if !sees.all && !sees.owned_by.is_empty() {
        sql.push(" OR (m.item_id IS NULL AND (m.author_id = r.requester_id OR a.organization_id IN (")
            .bind_all(sees.owned_by.iter().map(OrganizationId::as_str))
            .push(")))");
    }
    let message = |row: &AnyRow| {
        let author = row.parsed_or_null("author_id")?.map(|id| Ok::<_, crate::Error>((id, row.text("author_name")?)));
        Ok(Message {
            id: row.parsed("id")?,
            kind: row.parsed("kind")?,
            item_id: row.parsed_or_null("item_id")?,
            author: author.transpose()?,
            body: row.text("body")?,
            created_at: row.time("created_at")?,
        })
    };
    sql.add(") ORDER BY m.created_at, m.id").fetch_all(tx).await?.iter().map(message).collect()
}
