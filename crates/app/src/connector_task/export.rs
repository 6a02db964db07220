//! What the end of an export, or of a hold, means for the request item that it is for. Tasks without an item mean nothing to any.

use domain::connector::{Task, TaskKind};
use domain::evidence::Recorded;
use domain::id::{RequestItemId, UploadId};
use domain::request_item::{Hold, Reason, UnavailableCode};
use domain::{Caller, Timestamp, Window};
use protocol::Manifest;
use store::{Event, Tx};

use crate::evidence::{Arrival, Destination};
use crate::{App, Error, Result, did, request_item};

fn of_export(task: &Task) -> Option<&RequestItemId> {
    task.item_id.as_ref().filter(|_| task.kind == TaskKind::Export)
}

/// Something else happened to the item first: there is nothing to say any more.
fn unless_moved_on(events: Result<Vec<Event>>) -> Result<Vec<Event>> {
    match events {
        Err(error) if error.code == "wrong_state" => Ok(Vec::new()),
        other => other,
    }
}

/// Locks the request of a task's item, before the task itself is.
pub(super) async fn lock(tx: &mut Tx, item: Option<&RequestItemId>) -> Result<()> {
    match item {
        Some(item) => request_item::lock(tx, item).await,
        None => Ok(()),
    }
}

/// The export was leased. Fails with `wrong_state` when nobody wants it any more.
pub(super) async fn leased(app: &App, tx: &mut Tx, caller: &Caller, task: &Task) -> Result<Vec<Event>> {
    match of_export(task) {
        Some(item) => request_item::export_leased(app, tx, caller, item).await,
        None => Ok(Vec::new()),
    }
}

/// The lease was lost, or the try failed and there will be another.
pub(super) async fn given_back(app: &App, tx: &mut Tx, task: &Task) -> Result<Vec<Event>> {
    match of_export(task) {
        Some(item) => unless_moved_on(request_item::lease_lost(app, tx, item).await),
        None => Ok(Vec::new()),
    }
}

/// There is no recording.
pub(super) async fn unavailable(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    task: &Task,
    code: UnavailableCode,
    detail: &str,
) -> Result<Vec<Event>> {
    match of_export(task) {
        Some(item) => unless_moved_on(request_item::export_unavailable(app, tx, caller, item, code, detail).await),
        None => Ok(Vec::new()),
    }
}

/// The tries are used up.
pub(super) async fn failed(app: &App, tx: &mut Tx, caller: &Caller, task: &Task, reason: Reason) -> Result<Vec<Event>> {
    match of_export(task) {
        Some(item) => unless_moved_on(request_item::export_failed(app, tx, caller, item, reason).await),
        None => Ok(Vec::new()),
    }
}

/// The connector holds, or cannot.
pub(super) async fn hold_ended(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    task: &Task,
    hold: Hold,
    until: Option<Timestamp>,
) -> Result<Vec<Event>> {
    match task.item_id.as_ref().filter(|_| task.kind == TaskKind::Hold) {
        Some(item) => request_item::hold_answered(app, tx, caller, item, hold, until).await,
        None => Ok(Vec::new()),
    }
}

/// What a connector says that it exported and uploaded.
pub(super) struct Exported<'a> {
    pub(super) upload_id: &'a UploadId,
    pub(super) sha256: &'a str,
    pub(super) size_bytes: i64,
    pub(super) manifest: &'a Manifest,
}

/// The upload becomes evidence, if it is what the connector says that it sent.
pub(super) async fn exported(tx: &mut Tx, caller: &Caller, task: &Task, said: Exported<'_>) -> Result<Vec<Event>> {
    let item = of_export(task).ok_or_else(|| Error::conflict("not_an_export", "This task asked for no export."))?;
    let owner = caller.actor().unwrap_or_default();
    let upload = store::connector_task::finished_upload(tx, said.upload_id, &owner, &task.id).await?;
    let upload = upload
        .ok_or_else(|| Error::conflict("upload_unfinished", "The upload is not complete, or is for another task."))?;
    if upload.sha256 != said.sha256 || upload.size_bytes != said.size_bytes {
        let message = format!(
            "What arrived has {} bytes and SHA-256 {}; the connector sent {} bytes and {}.",
            upload.size_bytes, upload.sha256, said.size_bytes, said.sha256
        );
        return Err(Error::conflict("hash_differs", message));
    }
    let manifest = said.manifest;
    let arrival = Arrival {
        upload_id: said.upload_id.clone(),
        destination: Destination::Item(item.clone()),
        name: upload.file_name,
        size_bytes: u64::try_from(upload.size_bytes).unwrap_or_default(),
        sha256: upload.sha256.parse().map_err(|_| Error::internal("the upload's hash is not one"))?,
        blob: upload.blob,
        recorded: Some(Recorded {
            window: Window { from: manifest.first_frame, to: manifest.last_frame },
            gaps: manifest.gaps.clone(),
            clock_offset_ms: manifest.clock_offset.map(|offset| offset.offset_ms),
        }),
        manifest: Some(serde_json::json!(manifest)),
    };
    let (evidence, event) = crate::evidence::receive(tx, Some(&owner), arrival).await?;
    store::connector_task::upload_became(tx, said.upload_id, &evidence.id).await?;
    let done = did(caller, "connector_task.complete").about("task", &task.id).about("request_item", item);
    let done = done.about("evidence", &evidence.id).with("sha256", said.sha256).with("size_bytes", said.size_bytes);
    Ok(event.into_iter().chain([done]).collect())
}
