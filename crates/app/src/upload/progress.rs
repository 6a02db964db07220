//! How far uploads are, for those who wait: in the item's row and live, once a second at most.

use std::time::Duration;

use domain::Caller;
use domain::upload::{Purpose, Upload, UploadState};
use store::Tx;

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

/// Notes the progress of a part while it arrives, which keeps its upload, and stops it when the lease behind it is lost, or its link revoked.
pub(super) fn watch(app: &App, caller: &Caller, upload: &Upload, lease: Option<i64>) -> Watch {
    let (app, caller, mut upload) = (app.clone(), caller.clone(), upload.clone());
    Watch(tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            match super::keep(&app, upload.clone()).await {
                Ok(kept) => upload = kept,
                Err(error) => tracing::warn!(%error, upload = %upload.id, "it could not be kept for longer"),
            }
            match note(&app, &caller, &upload, lease).await {
                Ok(()) => {}
                Err(Error { kind: Kind::Conflict, .. }) => return drop(app.uploads().hold(&upload.id).await),
                Err(error) => tracing::warn!(%error, upload = %upload.id, "progress was not noted"),
            }
        }
    }))
}

/// Notes in a row what is here once a file of a link, or added by hand, is whole: after the last of its bytes nobody notes it. Answers
/// what is to be told when that is kept.
pub(super) async fn settle(app: &App, tx: &mut Tx, upload: &Upload) -> Result<Option<ItemProgress>> {
    let item = match &upload.purpose {
        Purpose::Item(item) => Some(item.clone()),
        Purpose::Link(link) => store::upload::item_of_link(tx, link).await?,
        Purpose::Task { .. } | Purpose::Case(_) => None,
    };
    let Some(item_id) = item else { return Ok(None) };
    let (bytes_done, total) = together(app, tx, upload).await?;
    store::request_item::save_progress(tx, &item_id, bytes_done, Some(total)).await?;
    Ok(Some(ItemProgress { item_id, bytes_done, bytes_total: Some(total) }))
}

async fn note(app: &App, caller: &Caller, upload: &Upload, lease: Option<i64>) -> Result<()> {
    let mut tx = app.begin().await?;
    let item = match &upload.purpose {
        Purpose::Item(item) => Some(item.clone()),
        Purpose::Link(link) => {
            if store::file_request::find(&mut tx, link).await?.is_some_and(|link| link.revoked_at.is_some()) {
                return Err(Error::conflict("link_revoked", "The link was revoked."));
            }
            store::upload::item_of_link(&mut tx, link).await?
        }
        Purpose::Task { task, lease: first } => {
            authorise::leased(&mut tx, caller, task, lease.unwrap_or(*first)).await?
        }
        Purpose::Case(_) => None,
    };
    let Some(item_id) = item else { return Ok(()) };
    let (done, total) = together(app, &mut tx, upload).await?;
    store::request_item::save_progress(&mut tx, &item_id, done, Some(total)).await?;
    tx.commit_housekeeping().await?;
    app.progress().tell(ItemProgress { item_id, bytes_done: done, bytes_total: Some(total) });
    Ok(())
}

/// How many bytes are here and how many are to come of all files that are sent by the same link or added by hand, those that are whole
/// too. A connector sends one after the other: what it began earlier and left is no part of it.
pub(super) async fn together(app: &App, tx: &mut Tx, upload: &Upload) -> Result<(i64, i64)> {
    let uploads = match &upload.purpose {
        Purpose::Task { .. } => vec![upload.clone()],
        purpose => store::upload::list_for(tx, purpose).await?,
    };
    let here = |upload: &Upload| match (upload.state, &upload.whole) {
        (UploadState::Open, None) => app.uploads().progress(&upload.id).unwrap_or(0),
        _ => upload.length_bytes,
    };
    let sum = |of: &dyn Fn(&Upload) -> u64| i64::try_from(uploads.iter().map(of).sum::<u64>()).unwrap_or(i64::MAX);
    Ok((sum(&here), sum(&|upload| upload.length_bytes)))
}
