//! Who may upload what for.

use domain::caller::Means;
use domain::id::{FileRequestId, RequestItemId, TaskId};
use domain::request_item::{self, Action};
use domain::upload::{Purpose, Upload};
use domain::{Caller, policy};
use store::Tx;

use crate::evidence::Destination;
use crate::{App, Error, Kind, Result};

/// Whether this caller may begin an upload for that, and where its bytes go; a connector's go to the item of its task, if any.
pub(super) async fn create(app: &App, tx: &mut Tx, caller: &Caller, purpose: &Purpose) -> Result<Option<Destination>> {
    match (purpose, &caller.means) {
        (Purpose::Case(id), Means::Session | Means::Token(_)) => {
            crate::case::require_may_add(tx, caller, id).await?;
            Ok(Some(Destination::Case(id.clone())))
        }
        (Purpose::Item(id), Means::Session | Means::Token(_)) => {
            by_hand(app, tx, caller, id).await?;
            Ok(Some(Destination::Item(id.clone())))
        }
        (Purpose::Link(id), Means::Link(held)) if id == held => link(tx, id).await.map(Some),
        (Purpose::Task { task, lease }, Means::Connector(_)) => {
            Ok(leased(tx, caller, task, *lease).await?.map(Destination::Item))
        }
        _ => Err(Error::new(Kind::Forbidden, "forbidden", "You cannot upload for that.")),
    }
}

/// Whether this caller may still send a part of it.
pub(super) async fn append(tx: &mut Tx, caller: &Caller, upload: &Upload, lease: Option<i64>) -> Result<()> {
    match &upload.purpose {
        Purpose::Task { task, lease: first } => leased(tx, caller, task, lease.unwrap_or(*first)).await.map(drop),
        Purpose::Link(id) => link(tx, id).await.map(drop),
        Purpose::Case(_) | Purpose::Item(_) => Ok(()),
    }
}

/// An item's footage, added by those who decide for the owner.
async fn by_hand(app: &App, tx: &mut Tx, caller: &Caller, id: &RequestItemId) -> Result<()> {
    let unseen = || Error::not_found("request item");
    let request = store::request_item::request_of(tx, &policy::sees_requests(caller), id).await?.ok_or_else(unseen)?;
    let item = store::request_item::find(tx, id).await?.ok_or_else(unseen)?;
    let requester = store::request_item::requester_of(tx, &request).await?;
    policy::add_file_to_item(caller, &item.organization_id, &requester, app.settings().requester_may_approve)?;
    if request_item::targets(item.state, Action::UploadStarted).is_empty() {
        return Err(Error::conflict("wrong_state", format!("The item takes no files: it is {}.", item.state)));
    }
    Ok(())
}

/// What a file request is about, if it still takes files.
async fn link(tx: &mut Tx, id: &FileRequestId) -> Result<Destination> {
    let link = store::file_request::find(tx, id).await?.ok_or_else(|| Error::not_found("file request"))?;
    link.require_unfinished(tx.now())?;
    Ok(crate::file_request::destination(&link))
}

/// The item of a task whose lease is held.
pub(super) async fn leased(tx: &mut Tx, caller: &Caller, task: &TaskId, lease: i64) -> Result<Option<RequestItemId>> {
    let Means::Connector(connector) = &caller.means else { return Err(lease_lost()) };
    store::upload::leased_item(tx, task, lease, connector).await?.ok_or_else(lease_lost)
}

fn lease_lost() -> Error {
    Error::conflict("lease_lost", "The lease of this task is lost. Drop the work.")
}
