//! Removes what was refused, or came for an item that ended otherwise without its release, once it was kept for long enough. Its row
//! and its hash stay, and an event says that it was done.
//!
//! The event and the job that removes the bytes are one transaction: a server that dies in between removes them later, and `check`
//! knows at any moment whether they are to be here.

use domain::Caller;
use domain::evidence::Evidence;
use domain::id::EvidenceId;
use serde_json::json;
use store::job::Job;

use super::ingest_evidence;
use crate::check::PURGED;
use crate::{App, Error, Result, did, evidence};

/// The job that removes the bytes of one file.
pub(super) const REMOVE: &str = "remove_purged_bytes";

/// Purges all that is due.
pub(super) async fn run(app: &App) -> Result<()> {
    while purge_one(app).await? {}
    Ok(())
}

async fn purge_one(app: &App) -> Result<bool> {
    let mut tx = app.begin().await?;
    let before = tx.now().minus(app.settings().refused_lifetime);
    let Some(due) = store::evidence::refused(&mut tx, before, None).await? else { return Ok(false) };
    if let Some(item) = &due.item_id {
        crate::request_item::lock(&mut tx, item).await?;
    }
    // Whoever tried the item again meanwhile was waited for.
    let Some(mut file) = store::evidence::refused(&mut tx, before, Some(&due.id)).await? else { return Ok(true) };
    store::evidence::purge(&mut tx, &mut file).await?;
    super::push(&mut tx, REMOVE, &json!({ "evidence_id": file.id }), None).await?;
    let event = did(&Caller::server(), PURGED).about("evidence", &file.id);
    let event = event.with("sha256", file.original.sha256.as_str()).with("size_bytes", file.original.size_bytes);
    tx.commit([evidence::about(event, &file)]).await?;
    Ok(true)
}

/// Removes the bytes of a purged file: the original and all that was made of it. What is gone already is no matter.
pub(super) async fn remove_bytes(app: &App, job: &Job) -> Result<()> {
    let id: EvidenceId = serde_json::from_value(job.payload["evidence_id"].clone()).map_err(Error::internal)?;
    let found = store::evidence::find(&mut app.read().await?, &id).await?;
    let Some(file) = found.filter(|file| file.purged_at.is_some()) else { return Ok(()) };
    for name in names(&file) {
        app.blobs().remove(&name).await?;
    }
    Ok(())
}

/// The original last: while it is here, what is missing is not the end of it. Copies have names even where no row took note of them.
fn names(file: &Evidence) -> [String; 3] {
    let original = &file.original.blob;
    let made = |kind| ingest_evidence::name(kind, original);
    [made("thumbnail"), made("playable"), original.clone()]
}
