//! How far uploads are, for those who wait: in the item's row and live, once a second at most.

use std::time::Duration;

use domain::Caller;
use domain::upload::{Purpose, Upload};

use super::authorise;
use crate::live::ItemProgress;
use crate::{App, Error, Kind, Result};

const EVERY: Duration = Duration::from_secs(1);

/// Ends with the part that it watches.
pub(super) struct Watch(tokio::task::JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Notes the progress of a part while it arrives, and stops it when the lease behind it is lost.
pub(super) fn watch(app: &App, caller: &Caller, upload: &Upload, lease: Option<i64>) -> Watch {
    let (app, caller, upload) = (app.clone(), caller.clone(), upload.clone());
    Watch(tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            match note(&app, &caller, &upload, lease).await {
                Ok(()) => {}
                Err(Error { kind: Kind::Conflict, .. }) => return drop(app.uploads().hold(&upload.id).await),
                Err(error) => tracing::warn!(%error, upload = %upload.id, "progress was not noted"),
            }
        }
    }))
}

async fn note(app: &App, caller: &Caller, upload: &Upload, lease: Option<i64>) -> Result<()> {
    let mut tx = app.begin().await?;
    let item = match &upload.purpose {
        Purpose::Item(item) => Some(item.clone()),
        Purpose::Link(link) => store::upload::item_of_link(&mut tx, link).await?,
        Purpose::Task { task, lease: first } => {
            authorise::leased(&mut tx, caller, task, lease.unwrap_or(*first)).await?
        }
        Purpose::Case(_) => None,
    };
    let Some(item_id) = item else { return Ok(()) };
    let bytes = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let done = bytes(app.uploads().progress(&upload.id).unwrap_or(0));
    let total = Some(bytes(upload.length_bytes));
    store::request_item::save_progress(&mut tx, &item_id, done, total).await?;
    tx.commit_housekeeping().await?;
    app.progress().tell(ItemProgress { item_id, bytes_done: done, bytes_total: total });
    Ok(())
}
