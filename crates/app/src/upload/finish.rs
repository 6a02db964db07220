//! The end of an upload: whole, ended, or abandoned.

use domain::Caller;
use domain::id::UploadId;
use domain::upload::{Purpose, Upload, UploadState, Whole};
use store::{Event, Tx};

use super::receive::Hold;
use super::{authorise, progress};
use crate::evidence::{self, Arrival};
use crate::{App, Error, Kind, Result, did, file_request};

/// Records an upload whose every byte is there. Each step may be repeated: a server that died between two of them goes on when
/// somebody asks for the upload, or with [`remove_abandoned`].
pub(super) async fn finish(app: &App, upload: &Upload, hold: &mut Hold) -> Result<()> {
    let whole = match &upload.whole {
        Some(whole) => whole.clone(),
        None => {
            let sealed = hold.seal().await.map_err(Error::internal)?;
            let whole = Whole { sha256: sealed.sha256, blob: app.blobs().new_name("evidence") };
            let mut tx = app.begin().await?;
            store::upload::sealed(&mut tx, &upload.id, &whole).await?;
            tx.commit_housekeeping().await?;
            whole
        }
    };
    app.blobs().adopt(hold.path(), &whole.blob).await?;
    let recorded = record(app, &upload.id).await?;
    hold.remove().await.map_err(Error::internal)?;
    recorded
}

/// In one transaction: the upload is finished, and has become evidence. A connector's becomes evidence when it completes its task,
/// for only then is it known what the export was made from. The inner error says why it becomes nothing: whoever sent it may not
/// add it any more. Then it is ended.
async fn record(app: &App, id: &UploadId) -> Result<Result<()>> {
    let mut tx = app.begin().await?;
    let Some(upload) = store::upload::find_any(&mut tx, id).await? else { return Ok(Ok(())) };
    authorise::lock(&mut tx, &upload.purpose).await?;
    let Some(upload) = store::upload::lock(&mut tx, id).await? else { return Ok(Ok(())) };
    let (UploadState::Open, Some(whole)) = (upload.state, &upload.whole) else { return Ok(Ok(())) };
    let destination = match authorise::record(app, &mut tx, &upload).await {
        Ok(destination) => destination,
        Err(fault) if fault.kind == Kind::Internal => return Err(fault),
        Err(refused) => {
            store::upload::terminate(&mut tx, id).await?;
            let mut events = vec![Event::new("upload.refuse", None).about("upload", id).with("code", refused.code)];
            events.extend(ended(app, &mut tx, &upload, None).await?);
            tx.commit(events).await?;
            app.blobs().remove(&whole.blob).await?;
            return Ok(Err(refused));
        }
    };
    let mut event = Event::new("upload.finish", Some(upload.owner.clone()))
        .about("upload", id)
        .with("size_bytes", upload.length_bytes)
        .with("sha256", whole.sha256.to_string());
    let mut events = Vec::new();
    let mut became = None;
    if let Some(destination) = destination {
        let arrival = Arrival {
            upload_id: upload.id.clone(),
            destination,
            name: upload.file_name.clone(),
            size_bytes: upload.length_bytes,
            sha256: whole.sha256,
            blob: whole.blob.clone(),
            recorded: None,
            manifest: None,
        };
        let (evidence, received) = evidence::receive(&mut tx, Some(&upload.owner), arrival).await?;
        events.extend(received);
        event = event.about("evidence", &evidence.id);
        became = Some(evidence.id);
    }
    store::upload::finished(&mut tx, id, became.as_ref()).await?;
    let here = progress::settle(app, &mut tx, &upload).await?;
    events.push(event);
    if let Purpose::Link(link) = &upload.purpose {
        events.extend(file_request::upload_ended(app, &mut tx, link).await?);
    }
    tx.commit(events).await?;
    if let Some(here) = here {
        app.progress().tell(here);
    }
    Ok(Ok(()))
}

/// Ends an upload and frees what it held, unless that is evidence by now. What is ended by nobody was given up: an item that waited for
/// it waits no longer. Nor does one wait for a link whose time is over, when the last that was sent by it has ended.
pub(super) async fn terminate(app: &App, mut hold: Hold, upload: &Upload, by: Option<&Caller>) -> Result<()> {
    let mut tx = app.begin().await?;
    authorise::lock(&mut tx, &upload.purpose).await?;
    let Some(upload) = store::upload::lock(&mut tx, &upload.id).await? else { return Ok(()) };
    if store::upload::terminate(&mut tx, &upload.id).await? {
        let event = by.map_or_else(|| Event::new("upload.expire", None), |caller| did(caller, "upload.terminate"));
        let mut events = vec![event.about("upload", &upload.id)];
        events.extend(ended(app, &mut tx, &upload, by).await?);
        tx.commit(events).await?;
    }
    if upload.evidence_id.is_none()
        && let Some(whole) = &upload.whole
    {
        app.blobs().remove(&whole.blob).await?;
    }
    hold.remove().await.map_err(Error::internal)
}

/// What follows where an upload ended without having become anything.
async fn ended(app: &App, tx: &mut Tx, upload: &Upload, by: Option<&Caller>) -> Result<Vec<Event>> {
    match (&upload.purpose, by) {
        (Purpose::Item(item), None) => evidence::item_settled(app, tx, item).await,
        (Purpose::Link(link), _) => file_request::upload_ended(app, tx, link).await,
        _ => Ok(Vec::new()),
    }
}

/// Ends uploads that were given up, goes on with those whose end was never recorded, and removes what nobody needs: exports whose
/// task never said what they are, and files that no open upload has.
pub async fn remove_abandoned(app: &App) -> Result<()> {
    remove_orphaned(app).await?;
    let overdue = store::upload::overdue(&mut app.read().await?, 100).await?;
    for upload in overdue {
        let mut hold = app.uploads().hold(&upload.id).await.map_err(Error::internal)?;
        // It may have moved on while the lock was waited for.
        let Some(upload) = store::upload::lock(&mut app.begin().await?, &upload.id).await? else { continue };
        if upload.state != UploadState::Open {
            continue;
        }
        if upload.whole.is_some() {
            match finish(app, &upload, &mut hold).await {
                Err(fault) if fault.kind == Kind::Internal => return Err(fault),
                Err(refused) => tracing::info!(upload = %upload.id, "an upload was not recorded: {refused}"),
                Ok(()) => {}
            }
        } else if !upload.is_open(app.now()) {
            terminate(app, hold, &upload, None).await?;
        }
    }
    let before = app.now().minus(app.settings().upload_lifetime);
    let left_over = store::upload::left_over(&mut app.read().await?, before, 100).await?;
    for upload in left_over {
        let hold = app.uploads().hold(&upload.id).await.map_err(Error::internal)?;
        terminate(app, hold, &upload, None).await?;
    }
    remove_unheard_of(app).await
}

/// Ends what was sent for tasks that have ended and is not what they ended with: a connector that began anew left it behind, or
/// nobody wants the footage any more. A task that has ended never begins again, so nobody misses the bytes.
pub async fn remove_orphaned(app: &App) -> Result<()> {
    let orphaned = store::upload::orphaned(&mut app.read().await?, 100).await?;
    for upload in orphaned {
        let hold = app.uploads().hold(&upload.id).await.map_err(Error::internal)?;
        terminate(app, hold, &upload, None).await?;
    }
    Ok(())
}

async fn remove_unheard_of(app: &App) -> Result<()> {
    for id in app.uploads().list().map_err(Error::internal)? {
        if !store::upload::is_open(&mut app.read().await?, &id).await? {
            app.uploads().hold(&id).await.map_err(Error::internal)?.remove().await.map_err(Error::internal)?;
        }
    }
    Ok(())
}
