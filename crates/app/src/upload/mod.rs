//! Uploads: files that arrive in parts, by tus, from connectors, staff and the holders of links.
//!
//! `create` announces one, `append` receives a part, and the last byte makes it whole: hashed, on the disk, moved to where it is
//! kept, and recorded, in this order and each step repeatable, so that a server that dies in between ends with one evidence and
//! not with none or two.

mod authorise;
pub mod checksum;
mod finish;
mod pipeline;
mod progress;
pub mod receive;
mod room;

use std::time::Duration;

use bytes::Bytes;
use domain::Caller;
use domain::caller::Means;
use domain::id::{RequestItemId, UploadId};
use domain::upload::{Purpose, Upload, UploadState, file_name};
use futures::Stream;
use store::{Event, Tx};

use crate::evidence::Destination;
use crate::{App, Error, Kind, Result, did};
use checksum::Checksum;
use receive::{Ended, Manner, Part, Refused};

pub use finish::{remove_abandoned, remove_orphaned};
pub use receive::Staging;

/// Open uploads for the same case, item, file request or task. More are a mistake or an attack.
const MOST_OPEN: i64 = 100;

/// A part of which nothing arrives for so long is over. What had arrived is kept.
const IDLE: Duration = Duration::from_secs(60);

/// The moment of giving up is moved at most this often, so that many small parts are not many writes.
const MOVED_EVERY: Duration = Duration::from_secs(3600);

/// The folder of unfinished uploads under the data directory.
pub fn staging(data: &std::path::Path, durable_parts: bool) -> Staging {
    Staging::new(data.join("uploads"), Manner { idle: IDLE, durable_parts })
}

/// An upload as its sender announces it.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// What it is for.
    pub purpose: Purpose,
    /// What the sender calls it.
    pub file_name: Option<String>,
    /// What the sender takes it for.
    pub file_type: Option<String>,
    /// `Upload-Metadata` as it came.
    pub metadata: String,
    /// How long it is.
    pub length_bytes: u64,
}

/// A part as its sender announces it.
#[derive(Debug, Clone, Default)]
pub struct NewPart {
    /// Where it begins.
    pub offset: u64,
    /// How long it is, where that was said beforehand.
    pub announced: Option<u64>,
    /// What the sender computed over it.
    pub checksum: Option<Checksum>,
    /// The lease that a connector holds now. It may be a later one than the upload began with: a connector that was restarted goes
    /// on with what it had sent.
    pub lease: Option<i64>,
}

/// Where an upload stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The upload.
    pub upload: Upload,
    /// Where it ends now.
    pub offset: u64,
}

/// Announces an upload.
pub async fn create(app: &App, caller: &Caller, new: NewUpload) -> Result<Standing> {
    if new.length_bytes > app.settings().largest_upload_bytes {
        let message = format!("Files may be at most {} bytes long.", app.settings().largest_upload_bytes);
        return Err(Error::new(Kind::TooLarge, "too_large", message));
    }
    let mut tx = app.begin().await?;
    // Whoever says at the same time that all is sent waits for this, or this for them.
    authorise::lock(&mut tx, &new.purpose).await?;
    let now = tx.now();
    let destination = authorise::send(app, &mut tx, caller, &new.purpose, now, None).await?;
    if store::upload::count_open(&mut tx, &new.purpose).await? >= MOST_OPEN {
        return Err(Error::new(
            Kind::Throttled(600),
            "too_many_uploads",
            "Too many uploads are open here. Finish or end some of them first.",
        ));
    }
    let upload = Upload {
        id: tx.new_id(),
        purpose: new.purpose,
        owner: owner(caller).ok_or_else(|| Error::not_found("upload"))?,
        file_name: file_name(new.file_name.as_deref()),
        file_type: new.file_type,
        metadata: new.metadata,
        length_bytes: new.length_bytes,
        state: UploadState::Open,
        whole: None,
        evidence_id: None,
        expires_at: tx.now().plus(app.settings().upload_lifetime),
        created_at: tx.now(),
    };
    store::upload::insert(&mut tx, &upload).await?;
    let mut event = did(caller, "upload.create")
        .about("upload", &upload.id)
        .with("size_bytes", upload.length_bytes)
        .personally("file_name", upload.file_name.as_str());
    let mut events = Vec::new();
    match &destination {
        Some(Destination::Item(item)) => {
            event = event.about("request_item", item);
            events = begun(app, &mut tx, caller, &upload, item).await?;
        }
        Some(Destination::Case(case)) => event = event.about("case", case),
        None => {}
    }
    events.push(event);
    tx.commit(events).await?;
    if upload.length_bytes == 0 {
        let mut hold = app.uploads().hold(&upload.id).await.map_err(Error::internal)?;
        finish::finish(app, &upload, &mut hold).await?;
    }
    Ok(Standing { upload, offset: 0 })
}

/// The item's footage is on its way, unless it has arrived already: then what an approver adds by hand joins it, and it stays where
/// it is.
async fn begun(app: &App, tx: &mut Tx, caller: &Caller, upload: &Upload, item: &RequestItemId) -> Result<Vec<Event>> {
    let by_hand = matches!(upload.purpose, Purpose::Item(_));
    if by_hand && store::request_item::find(tx, item).await?.is_some_and(|item| item.has_arrived()) {
        return Ok(Vec::new());
    }
    let events = crate::request_item::upload_started(app, tx, caller, item).await?;
    let (done, total) = progress::together(app, tx, upload).await?;
    store::request_item::save_progress(tx, item, done, Some(total)).await?;
    Ok(events)
}

/// Where an upload stands. Whoever still sends a part of it is made to stop: its sender would not ask otherwise. So of a connector's
/// only the holder of the lease may ask; one that was left behind would stop the one that goes on.
pub async fn find(app: &App, caller: &Caller, id: &UploadId, lease: Option<i64>) -> Result<Standing> {
    let upload = open_or_finished(app, caller, id).await?;
    require_lease(app, caller, &upload, lease).await?;
    if upload.state == UploadState::Finished {
        let offset = upload.length_bytes;
        return Ok(Standing { upload, offset });
    }
    let mut hold = app.uploads().hold(id).await.map_err(Error::internal)?;
    let upload = open_or_finished(app, caller, id).await?;
    let offset = if upload.state == UploadState::Finished { upload.length_bytes } else { hold.offset() };
    if upload.state == UploadState::Open && (upload.whole.is_some() || offset == upload.length_bytes) {
        finish::finish(app, &upload, &mut hold).await?;
        let offset = upload.length_bytes;
        return Ok(Standing { upload, offset });
    }
    Ok(Standing { upload, offset })
}

/// Receives a part. It goes on to its end, or to that of the connection, even where the request is dropped meanwhile.
pub async fn append<S, E>(app: &App, caller: &Caller, id: &UploadId, part: NewPart, body: S) -> Result<Standing>
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Send + 'static,
{
    let upload = open_or_finished(app, caller, id).await?;
    if upload.state == UploadState::Finished {
        return after_the_end(upload, &part);
    }
    authorise::send(app, &mut app.read().await?, caller, &upload.purpose, upload.created_at, part.lease).await?;
    let (app, caller) = (app.clone(), caller.clone());
    let task = tokio::spawn(async move { receive_part(&app, &caller, upload, part, body).await });
    task.await.map_err(Error::internal)?
}

/// Nothing more can be added to what is whole; adding nothing at its end is no mistake of its sender.
fn after_the_end(upload: Upload, part: &NewPart) -> Result<Standing> {
    let offset = upload.length_bytes;
    let adds_nothing = part.offset == offset && part.announced == Some(0) && part.checksum.is_none();
    if adds_nothing { Ok(Standing { upload, offset }) } else { Err(wrong_offset(offset)) }
}

async fn receive_part<S, E>(app: &App, caller: &Caller, upload: Upload, part: NewPart, body: S) -> Result<Standing>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
{
    let mut hold = app.uploads().hold(&upload.id).await.map_err(Error::internal)?;
    // Another request may have finished or ended it while this one waited.
    let upload = open_or_finished(app, caller, &upload.id).await?;
    if upload.state == UploadState::Finished || upload.whole.is_some() {
        return Err(wrong_offset(upload.length_bytes));
    }
    let begins = part.offset;
    let announced =
        Part { offset: part.offset, announced: part.announced, whole: upload.length_bytes, checksum: part.checksum };
    let watch = progress::watch(app, caller, &upload, part.lease);
    let received = hold.append(announced, body).await;
    drop(watch);
    let offset = hold.offset();
    let ended = received.map_err(refused)?.ended;
    // Who lost the lease or the right meanwhile, or whose link was revoked, is told so: what arrived is theirs no more to finish.
    authorise::send(app, &mut app.read().await?, caller, &upload.purpose, upload.created_at, part.lease).await?;
    if offset == upload.length_bytes && ended == Ended::Whole {
        finish::finish(app, &upload, &mut hold).await?;
        return Ok(Standing { upload, offset });
    }
    // Who sends nothing keeps nothing.
    let upload = if offset > begins { keep(app, upload).await? } else { upload };
    match ended {
        Ended::Whole => Ok(Standing { upload, offset }),
        Ended::Cut => Err(Error::new(
            Kind::Unavailable,
            "upload_cut",
            "The connection broke; what arrived is kept. Ask for the offset and go on.",
        )),
        Ended::Idle => Err(Error::new(
            Kind::Unavailable,
            "upload_idle",
            "Nothing arrived for a while; what arrived is kept. Ask for the offset and go on.",
        )),
        Ended::TakenOver => {
            Err(Error::conflict("upload_taken_over", "Another request took this upload over, or the lease is lost."))
        }
    }
}

/// Ends an upload. What it had become stays: evidence is not removed by whoever sent it.
pub async fn terminate(app: &App, caller: &Caller, id: &UploadId, lease: Option<i64>) -> Result<()> {
    let upload = open_or_finished(app, caller, id).await?;
    require_lease(app, caller, &upload, lease).await?;
    let hold = app.uploads().hold(id).await.map_err(Error::internal)?;
    finish::terminate(app, hold, &upload, Some(caller)).await
}

/// What is still being sent for a task is in the hands of whoever holds its lease now, whichever lease it began with.
async fn require_lease(app: &App, caller: &Caller, upload: &Upload, lease: Option<i64>) -> Result<()> {
    if let (Purpose::Task { task, lease: first }, UploadState::Open) = (&upload.purpose, upload.state) {
        authorise::leased(&mut app.read().await?, caller, task, lease.unwrap_or(*first)).await?;
    }
    Ok(())
}

/// The upload, if it is this caller's and not over.
async fn open_or_finished(app: &App, caller: &Caller, id: &UploadId) -> Result<Upload> {
    let mut tx = app.read().await?;
    let nobody = || Error::not_found("upload");
    let owner = owner(caller).ok_or_else(nobody)?;
    let upload = store::upload::find(&mut tx, &owner, id).await?.ok_or_else(nobody)?;
    if upload.state == UploadState::Finished || upload.is_open(tx.now()) {
        return Ok(upload);
    }
    Err(Error::new(Kind::Gone, "upload_gone", "This upload was ended or has run out. Start a new one."))
}

/// Moves the moment of giving up, now that something arrived: for a link no further than an upload is kept that was begun at its end.
async fn keep(app: &App, mut upload: Upload) -> Result<Upload> {
    let lifetime = app.settings().upload_lifetime;
    let mut at = app.now().plus(lifetime);
    if at.since(upload.expires_at) < MOVED_EVERY {
        return Ok(upload);
    }
    if let Purpose::Link(id) = &upload.purpose
        && let Some(link) = store::file_request::find(&mut app.read().await?, id).await?
    {
        at = at.min(link.expires_at.plus(lifetime));
    }
    if at > upload.expires_at {
        let mut tx = app.begin().await?;
        store::upload::keep_until(&mut tx, &upload.id, at).await?;
        tx.commit_housekeeping().await?;
        upload.expires_at = at;
    }
    Ok(upload)
}

/// Whose upload it is: an account's by whatever means, a connector's, a link's.
fn owner(caller: &Caller) -> Option<String> {
    match &caller.means {
        Means::Session | Means::Token(_) => caller.account_id().map(ToString::to_string),
        Means::Connector(id) => Some(id.to_string()),
        Means::Link(id) => Some(id.to_string()),
        Means::Server => None,
    }
}

fn wrong_offset(end: u64) -> Error {
    Error::conflict("wrong_offset", format!("The upload ends at {end}; a part must begin there."))
}

fn refused(refused: Refused) -> Error {
    match refused {
        Refused::Offset(end) => wrong_offset(end),
        Refused::TooLong => Error::new(
            Kind::TooLarge,
            "longer_than_announced",
            "The part reaches beyond Upload-Length; nothing of it was kept.",
        ),
        Refused::Checksum => Error::conflict(
            "checksum_mismatch",
            "The bytes do not match Upload-Checksum; nothing of them was kept. Send them again.",
        ),
        Refused::Disk(e) if matches!(e.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) => {
            Error {
                source: Some(e.into()),
                ..Error::new(
                    Kind::Unavailable,
                    "disk_full",
                    "The server's disk is full. What arrived is kept; try again later.",
                )
            }
        }
        Refused::Disk(e) => Error::internal(e),
    }
}
