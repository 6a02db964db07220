//! When a link runs out before its holder said "that was all", what they sent is taken for all; where nothing came whole, the item ends.
//! Where nobody sent anything, the item goes on waiting, and that is told.

use domain::file_request::{FileRequest, For};
use domain::id::FileRequestId;
use serde_json::json;
use store::Tx;
use store::job::Job;

use crate::{App, Error, Result};

/// Queues it for the end of the link, in the transaction that makes it.
pub(crate) async fn push(tx: &mut Tx, link: &FileRequest) -> Result<()> {
    let payload = json!({ "file_request_id": link.id });
    Ok(store::job::push(tx, "settle_file_request", &payload, Some(&format!("settle {}", link.id)), link.expires_at)
        .await?)
}

/// Runs it.
pub(crate) async fn run(app: &App, job: &Job) -> Result<()> {
    let id: FileRequestId = serde_json::from_value(job.payload["file_request_id"].clone()).map_err(Error::internal)?;
    let mut tx = app.begin().await?;
    let found = store::file_request::find(&mut tx, &id).await?;
    if let Some(For::Item(item)) = found.map(|link| link.purpose) {
        crate::request_item::lock(&mut tx, &item).await?;
    }
    store::file_request::lock(&mut tx, &id).await?;
    let found = store::file_request::find(&mut tx, &id).await?;
    let Some(mut link) = found.filter(|link| link.finished_at.is_none()) else { return Ok(()) };
    let events = crate::file_request::run_out(app, &mut tx, &mut link).await?;
    if events.is_empty() { Ok(tx.commit_housekeeping().await?) } else { Ok(tx.commit(events).await?) }
}
