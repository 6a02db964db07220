//! How far uploads are, for those who wait: in the item's row and live, once a second at most.

use std::time::Duration;

use domain::id::{RequestItemId, TaskId};
use domain::upload::{Purpose, Upload};
use store::Tx;

use crate::live::ItemProgress;
use crate::{App, Result};

const EVERY: Duration = Duration::from_secs(1);

/// Ends with the part that it watches.
pub(super) struct Watch(tokio::task::JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Notes the progress of a part while it arrives, and stops it when the lease behind it is lost.
pub(super) fn watch(app: &App, upload: &Upload, lease: Option<i64>) -> Watch {
    let (app, upload) = (app.clone(), upload.clone());
    Watch(tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            match note(&app, &upload, lease).await {
                Ok(true) => {}
                Ok(false) => return drop(app.uploads().hold(&upload.id).await),
                Err(error) => tracing::warn!(%error, upload = %upload.id, "progress was not noted"),
            }
        }
    }))
}

/// False when the upload's lease is lost.
async fn note(app: &App, upload: &Upload, lease: Option<i64>) -> Result<bool> {
    let mut tx = app.begin().await?;
    let item = match &upload.purpose {
        Purpose::Item(item) => Some(item.clone()),
        Purpose::Link(link) => store::upload::link(&mut tx, link).await?.and_then(|link| link.item_id),
        Purpose::Case(_) => None,
        Purpose::Task { task, lease: first } => match held(&mut tx, upload, task, lease.unwrap_or(*first)).await? {
            Some(item) => item,
            None => return Ok(false),
        },
    };
    let Some(item_id) = item else { return Ok(true) };
    let done = app.uploads().progress(&upload.id).unwrap_or(0);
    store::upload::item_progress(&mut tx, &item_id, done, upload.length_bytes).await?;
    tx.commit_housekeeping().await?;
    let bytes = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    app.progress().tell(ItemProgress {
        item_id,
        bytes_done: bytes(done),
        bytes_total: Some(bytes(upload.length_bytes)),
    });
    Ok(true)
}

async fn held(tx: &mut Tx, upload: &Upload, task: &TaskId, lease: i64) -> Result<Option<Option<RequestItemId>>> {
    match upload.owner.parse() {
        Ok(connector) => Ok(store::upload::leased_item(tx, task, lease, &connector).await?),
        Err(_) => Ok(None),
    }
}
