//! Evidence: finished bytes become a file of a case; who may sees it; each look is logged.

use bytes::Bytes;
use domain::case::Level;
use domain::evidence::{ClockPoint, Evidence, EvidenceAction, Look, PlayableState, Recorded};
use domain::id::{CaseId, EvidenceId, FileRequestId, RequestItemId, UploadId};
use domain::request_item::{GrantedLevel, State};
use domain::{Caller, Gap, policy};
use futures::stream::BoxStream;
use proof::Sha256Digest;
use serde::Deserialize as _;
use serde_json::{Value, json};
pub use store::evidence::Seen;
use store::history::Entry;
use store::{Event, Tx};

use crate::page::Page;
use crate::{App, Error, Kind, Result, did, jobs};

/// Where finished bytes go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Into a case, at once: added by hand, or by a link of the case.
    Case(CaseId),
    /// To a request item, which decides when readers of its case have it.
    Item(RequestItemId),
}

/// Bytes that are complete, hashed and on disk.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The upload by which they came. One upload becomes one file, however often it is finished.
    pub upload_id: UploadId,
    /// Where they go.
    pub destination: Destination,
    /// What their sender calls them.
    pub name: String,
    /// How many.
    pub size_bytes: u64,
    /// Of all of them.
    pub sha256: Sha256Digest,
    /// Their name in the store of bytes.
    pub blob: String,
    /// When they were recorded, where that is known.
    pub recorded: Option<Recorded>,
    /// How a connector made them.
    pub manifest: Option<Value>,
}

/// Makes finished bytes a file: the row, its event and the job that looks at it belong to one transaction. This is the one way by
/// which evidence comes to be. `by` is the id of the account, connector or file request that sent them. Answers the event to commit; none when the upload has become a file before.
pub async fn receive(tx: &mut Tx, by: Option<&str>, arrival: Arrival) -> Result<(Evidence, Option<Event>)> {
    if let Some(before) = store::evidence::find_by_upload(tx, &arrival.upload_id).await? {
        return Ok((before, None));
    }
    let evidence = row(tx, by, arrival).await?;
    store::evidence::insert(tx, &evidence).await?;
    jobs::ingest_evidence::push(tx, &evidence.id).await?;
    let mut event = Event::new(crate::check::RECEIVED, by.map(str::to_owned))
        .about("evidence", &evidence.id)
        .with("sha256", evidence.original.sha256.as_str())
        .with("size_bytes", evidence.original.size_bytes);
    event = about(event, &evidence);
    if let Some(recorded) = &evidence.recorded {
        let gaps: Vec<_> = recorded.gaps.iter().map(Gap::window).collect();
        event = event.with("recorded", json!({ "from": recorded.window.from, "to": recorded.window.to, "gaps": gaps }));
    }
    if let Some(source) = &evidence.source_id {
        event = event.with("source", source.as_str());
    }
    if let Some(manifest) = &evidence.manifest {
        // As it is kept, byte for byte.
        event = event.with("manifest_sha256", Sha256Digest::of(manifest.to_string().as_bytes()).to_string());
    }
    Ok((evidence, Some(event)))
}

/// Adds what else an event about a file is about, and what the file is called.
pub(crate) fn about(event: Event, evidence: &Evidence) -> Event {
    let mut event = event.personally("name", evidence.name.as_str());
    if let Some(id) = &evidence.case_id {
        event = event.about("case", id);
    }
    if let Some(id) = &evidence.request_id {
        event = event.about("video_request", id);
    }
    match &evidence.item_id {
        Some(id) => event.about("request_item", id),
        None => event,
    }
}

async fn row(tx: &mut Tx, by: Option<&str>, arrival: Arrival) -> Result<Evidence> {
    let (id, now) = (tx.new_id(), tx.now());
    let size_bytes = i64::try_from(arrival.size_bytes).map_err(Error::internal)?;
    let host = store::organization::host(tx).await?.ok_or_else(|| Error::internal("there is no host organization"))?;
    let mut evidence = Evidence {
        id,
        case_id: None,
        request_id: None,
        item_id: None,
        organization_id: host.id,
        source_id: None,
        upload_id: Some(arrival.upload_id),
        name: arrival.name,
        original: domain::evidence::Bytes { blob: arrival.blob, size_bytes, sha256: arrival.sha256.to_string() },
        media: None,
        recorded: arrival.recorded,
        manifest: arrival.manifest,
        release_level: GrantedLevel::Download,
        released_at: None,
        playable_state: PlayableState::Waiting,
        playable_error: None,
        playable: None,
        thumbnail: None,
        received_by: by.map(str::to_owned),
        created_at: now,
        purged_at: None,
        version: 1,
    };
    match arrival.destination {
        // Added by whoever may: there is nothing to decide.
        Destination::Case(case) => (evidence.case_id, evidence.released_at) = (Some(case), Some(now)),
        Destination::Item(item) => {
            let item = store::request_item::find(tx, &item).await?.ok_or_else(|| Error::not_found("request item"))?;
            evidence.organization_id = item.organization_id;
            evidence.source_id = item.source_id;
            evidence.request_id = Some(item.request_id);
            evidence.item_id = Some(item.id);
            evidence.release_level = item.level.unwrap_or(GrantedLevel::View);
        }
    }
    Ok(evidence)
}

/// The files of an item that are here. What an earlier try brought may have been purged.
async fn files_of(tx: &mut Tx, item: &RequestItemId) -> Result<Vec<Evidence>> {
    let mut files = store::evidence::of_item(tx, item).await?;
    files.retain(|file| file.purged_at.is_none());
    Ok(files)
}

/// Whether everything that is coming for an item is here and was looked at: then it can be released.
async fn item_is_complete(tx: &mut Tx, item: &RequestItemId) -> Result<bool> {
    let files = files_of(tx, item).await?;
    let looked_at = !files.is_empty() && files.iter().all(|file| file.playable_state != PlayableState::Waiting);
    if !looked_at {
        return Ok(false);
    }
    // Somebody who sends by a link may send more, until they say that this was all, or by another that took its place; and what they had
    // begun when it ran out still comes.
    let came_by_link =
        |file: &Evidence| file.received_by.as_deref().is_some_and(|by| by.parse::<FileRequestId>().is_ok());
    if files.iter().any(came_by_link) && !store::file_request::open_of_item(tx, item).await?.is_empty() {
        return Ok(false);
    }
    Ok(!store::upload::is_coming_by_links(tx, item).await?)
}

/// Moves an item on when everything that is coming for it is here: it is released, or waits for review. What comes after the release
/// joins it. An item that ended otherwise stays as it is, and its files stay with the owner's approvers.
pub(crate) async fn item_arrived(app: &App, tx: &mut Tx, id: &RequestItemId) -> Result<Vec<Event>> {
    if !item_is_complete(tx, id).await? {
        return Ok(Vec::new());
    }
    let item = store::request_item::find(tx, id).await?.ok_or_else(|| Error::internal("the item vanished"))?;
    match item.state {
        State::Approved | State::Exporting | State::Uploading => {
            crate::request_item::evidence_arrived(app, tx, &Caller::server(), id).await
        }
        State::Released => {
            let everything = store::video_request::everything();
            let head = store::video_request::find(tx, &everything, &item.request_id).await?;
            store::request_item::release_evidence(tx, &item, head.and_then(|head| head.request.case_id).as_ref())
                .await?;
            Ok(Vec::new())
        }
        _ => Ok(Vec::new()),
    }
}

/// The same when a way by which files came has ended. An item for which nothing came whole, and nothing is coming, is given up: nobody
/// would move it on before its deadline. The item's request is locked.
pub(crate) async fn item_settled(app: &App, tx: &mut Tx, id: &RequestItemId) -> Result<Vec<Event>> {
    let item = store::request_item::find(tx, id).await?.ok_or_else(|| Error::internal("the item vanished"))?;
    let came = !files_of(tx, id).await?.is_empty();
    let coming =
        !store::file_request::open_of_item(tx, id).await?.is_empty() || store::upload::still_coming(tx, id).await?;
    if item.state == State::Uploading && !came && !coming {
        return crate::request_item::abandoned(app, tx, id).await;
    }
    item_arrived(app, tx, id).await
}

/// One file, if the caller sees it.
pub async fn find(app: &App, caller: &Caller, id: &EvidenceId) -> Result<Seen> {
    visible(app, &mut app.read().await?, caller, id).await
}

/// Whether the caller may know of a file.
pub(crate) async fn is_seen(app: &App, caller: &Caller, id: &str) -> Result<bool> {
    let Ok(id) = id.parse() else { return Ok(false) };
    Ok(store::evidence::find_seen(&mut app.read().await?, &sees(app, caller), &id).await?.is_some())
}

fn sees(app: &App, caller: &Caller) -> policy::SeesEvidence {
    policy::sees_evidence(caller, app.settings().requester_may_approve)
}

async fn visible(app: &App, tx: &mut Tx, caller: &Caller, id: &EvidenceId) -> Result<Seen> {
    store::evidence::find_seen(tx, &sees(app, caller), id).await?.ok_or_else(|| Error::not_found("file"))
}

/// The files of a case, oldest first.
pub async fn list(
    app: &App,
    caller: &Caller,
    case: &CaseId,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Seen>> {
    let (limit, after) = (crate::page::limit(limit)?, crate::page::key::<(i64, EvidenceId)>(cursor)?);
    let mut tx = app.read().await?;
    crate::case::visible(&mut tx, caller, case).await?;
    let found = store::evidence::of_case(&mut tx, &sees(app, caller), case, after.as_ref(), limit + 1).await?;
    Ok(Page::cut(found, limit, |seen| (seen.evidence.created_at.as_micros(), seen.evidence.id.clone())))
}

/// What happened to a file, newest first.
pub async fn history(
    app: &App,
    caller: &Caller,
    id: &EvidenceId,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Entry>> {
    let (limit, before) = (crate::page::limit(limit)?, crate::page::key(cursor)?);
    let mut tx = app.read().await?;
    visible(app, &mut tx, caller, id).await?;
    let found = store::history::of(&mut tx, id.as_str(), before, limit + 1).await?;
    Ok(Page::cut(found, limit, |entry| entry.seq))
}

/// Bytes that somebody may look at. The look is in the ledger already.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What to call the file.
    pub name: String,
    /// Its bytes.
    pub bytes: domain::evidence::Bytes,
}

/// Opens a file's original, playable copy or thumbnail. The look is logged before the first byte leaves: once for all requests of
/// the same person within the time that a look lasts ([`Look::lasts`]), but each time where the request `begins` one, whenever the
/// last was.
pub async fn open(
    app: &App,
    caller: &Caller,
    id: &EvidenceId,
    look: Look,
    begins: impl FnOnce(&domain::evidence::Bytes) -> bool,
) -> Result<Opened> {
    let mut tx = app.read().await?;
    let seen = visible(app, &mut tx, caller, id).await?;
    policy::in_case(seen.level, look.needs())?;
    let evidence = seen.evidence;
    if evidence.purged_at.is_some() {
        let message =
            "This file was refused and then purged. Its size, its hash and its history are kept, its bytes are not.";
        return Err(Error::new(Kind::Gone, "purged", message));
    }
    let bytes = match look {
        Look::Original => Some(evidence.original.clone()),
        Look::Play => evidence.playable.clone(),
        Look::Thumbnail => evidence.thumbnail.clone(),
    };
    let bytes = bytes.ok_or_else(|| Error::not_found("copy of this file"))?;
    let viewer = caller.account_id().ok_or_else(|| Error::not_found("file"))?;
    let begins = begins(&bytes);
    if begins || !store::evidence::is_noted(&mut tx, id, viewer, look).await? {
        drop(tx);
        let mut tx = app.begin().await?;
        if store::evidence::note_look(&mut tx, id, viewer, look).await? || begins {
            let event = did(caller, look.event()).about("evidence", id).with("sha256", bytes.sha256.as_str());
            tx.commit([about(event, &evidence)]).await?;
        }
    }
    Ok(Opened { name: evidence.name, bytes })
}

/// The bytes of what was opened, or a part of them.
pub async fn stream(
    app: &App,
    opened: &Opened,
    range: Option<std::ops::Range<u64>>,
) -> Result<BoxStream<'static, std::io::Result<Bytes>>> {
    use futures::StreamExt as _;
    let parts = app.blobs().stream(&opened.bytes.blob, range).await?;
    Ok(parts.map(|part| part.map_err(std::io::Error::other)).boxed())
}

/// When what stands at each place of a file was recorded, where that is known: of an export as its manifest tells.
pub fn clock(evidence: &Evidence) -> Vec<ClockPoint> {
    let Some(recorded) = &evidence.recorded else { return Vec::new() };
    let manifest = evidence.manifest.as_ref().and_then(|manifest| protocol::Manifest::deserialize(manifest).ok());
    let segments = manifest.iter().flat_map(|manifest| &manifest.segments);
    let first_ms = evidence.media.as_ref().map_or(0, |media| media.first_picture_ms);
    let first_us = i64::try_from(first_ms).unwrap_or(0).saturating_mul(1_000);
    let segments = segments.map(|segment| (segment.at_us, segment.from));
    domain::evidence::clock((first_us, recorded.window.from), segments)
}

/// So much later than told a file may have been recorded, where its manifest says so.
pub fn uncertainty_ms(evidence: &Evidence) -> Option<i64> {
    evidence.manifest.as_ref()?.get("uncertainty_ms")?.as_i64()
}

/// What the caller may do with a file, for its view.
pub fn allowed_actions(seen: &Seen) -> Vec<EvidenceAction> {
    let mut actions = Vec::new();
    if seen.evidence.purged_at.is_some() {
        return actions;
    }
    if seen.evidence.playable.is_some() {
        actions.push(EvidenceAction::Play);
    }
    if seen.level >= Level::Download {
        actions.push(EvidenceAction::Download);
    }
    actions
}
