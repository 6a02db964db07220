//! Who may upload what for.

use domain::caller::Means;
use domain::file_request::{FileRequest, For};
use domain::id::{FileRequestId, RequestItemId, TaskId};
use domain::request_item::{RequestItem, State};
use domain::upload::{Purpose, Upload};
use domain::{Caller, Timestamp, policy};
use store::Tx;

use crate::evidence::Destination;
use crate::{App, Error, Kind, Result};

/// Whether this caller may send a file for that now, and where its bytes go; a connector's go to the item of its task, if any. Asked
/// before the first byte and with each part: a case may be closed meanwhile, an item canceled, a right taken away. What a link's holder
/// had `begun` in time may be sent to its end.
pub(super) async fn send(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    purpose: &Purpose,
    begun: Timestamp,
    lease: Option<i64>,
) -> Result<Option<Destination>> {
    match (purpose, &caller.means) {
        (Purpose::Case(id), Means::Session | Means::Token(_)) => {
            crate::case::require_may_add(tx, caller, id).await?;
            Ok(Some(Destination::Case(id.clone())))
        }
        (Purpose::Item(id), Means::Session | Means::Token(_)) => {
            by_hand(app, tx, caller, id).await?;
            Ok(Some(Destination::Item(id.clone())))
        }
        (Purpose::Link(id), Means::Link(held)) if id == held => {
            let link = link(tx, id).await?;
            link.require_going_on(begun)?;
            takes_files(tx, &link).await.map(Some)
        }
        (Purpose::Task { task, lease: first }, Means::Connector(_)) => {
            Ok(leased(tx, caller, task, lease.unwrap_or(*first)).await?.map(Destination::Item))
        }
        _ => Err(Error::new(Kind::Forbidden, "forbidden", "You cannot upload for that.")),
    }
}

/// The same of whoever began an upload, when its end is recorded: under the lock of what it goes to ([`lock`]), so that nothing
/// changes between the answer and the record. A connector's goes nowhere yet.
pub(super) async fn record(app: &App, tx: &mut Tx, upload: &Upload) -> Result<Option<Destination>> {
    match &upload.purpose {
        Purpose::Task { .. } => Ok(None),
        // Every byte had arrived while the link held: what became of it since takes nothing back.
        Purpose::Link(id) => {
            let link = link(tx, id).await?;
            takes_files(tx, &link).await.map(Some)
        }
        Purpose::Case(_) | Purpose::Item(_) => {
            let sender = sender(tx, &upload.owner).await?;
            send(app, tx, &sender, &upload.purpose, upload.created_at, None).await
        }
    }
}

/// Holds what decides about an upload until the end of the transaction: a request before its case, both before a link.
pub(super) async fn lock(tx: &mut Tx, purpose: &Purpose) -> Result<()> {
    match purpose {
        Purpose::Task { .. } => Ok(()),
        Purpose::Case(id) => Ok(store::case::lock(tx, id).await?),
        Purpose::Item(id) => {
            crate::request_item::lock(tx, id).await?;
            Ok(store::case::lock_of_item(tx, id).await?)
        }
        Purpose::Link(id) => {
            match store::file_request::find(tx, id).await?.map(|link| link.purpose) {
                Some(For::Case(case)) => store::case::lock(tx, &case).await?,
                Some(For::Item(item)) => crate::request_item::lock(tx, &item).await?,
                None => {}
            }
            Ok(store::file_request::lock(tx, id).await?)
        }
    }
}

/// Whoever owns an upload, with the rights that they have now.
async fn sender(tx: &mut Tx, owner: &str) -> Result<Caller> {
    let nobody = || Error::new(Kind::Forbidden, "forbidden", "The account that sent this cannot sign in any more.");
    let id = owner.parse().map_err(|_| nobody())?;
    let account = store::account::find(tx, &id).await?.filter(|account| account.disabled_at.is_none());
    let groups = store::group::of_account(tx, &id).await?;
    Ok(Caller::session(account.ok_or_else(nobody)?, groups))
}

/// An item's footage, added by those who decide for the owner.
async fn by_hand(app: &App, tx: &mut Tx, caller: &Caller, id: &RequestItemId) -> Result<()> {
    let unseen = || Error::not_found("request item");
    let request = store::request_item::request_of(tx, &policy::sees_requests(caller), id).await?.ok_or_else(unseen)?;
    let item = store::request_item::find(tx, id).await?.ok_or_else(unseen)?;
    let requester = store::request_item::requester_of(tx, &request).await?;
    policy::add_file_to_item(caller, &item.organization_id, &requester, app.settings().requester_may_approve)?;
    require_takes_files(tx, &item).await
}

/// What is under way arrives even where the case was closed. What was released is no longer under way.
async fn require_takes_files(tx: &mut Tx, item: &RequestItem) -> Result<()> {
    if !item.takes_files() {
        let state = item.state.as_str().replace('_', " ");
        return Err(Error::conflict("wrong_state", format!("The item takes no files: it is {state}.")));
    }
    if item.state == State::Released {
        let everything = store::video_request::everything();
        let head = store::video_request::find(tx, &everything, &item.request_id).await?;
        crate::case::require_open_for(tx, &head.ok_or_else(|| Error::not_found("video request"))?.request).await?;
    }
    Ok(())
}

async fn link(tx: &mut Tx, id: &FileRequestId) -> Result<FileRequest> {
    store::file_request::find(tx, id).await?.ok_or_else(|| Error::not_found("file request"))
}

/// What a file request is about, if that takes files.
async fn takes_files(tx: &mut Tx, link: &FileRequest) -> Result<Destination> {
    let taken = match &link.purpose {
        For::Case(case) if store::case::is_closed(tx, case).await? => Err(Error::conflict("case_closed", "")),
        For::Case(_) => Ok(()),
        For::Item(item) => match store::request_item::find(tx, item).await? {
            Some(item) => require_takes_files(tx, &item).await,
            None => Ok(()),
        },
    };
    taken.map_err(|refused| match refused.code {
        "case_closed" => {
            let message = "What this was for is closed and takes no more files. Ask whoever sent you the link.";
            Error::conflict("case_closed", message)
        }
        _ => refused,
    })?;
    Ok(crate::file_request::destination(link))
}

/// The item of a task whose lease is held.
pub(super) async fn leased(tx: &mut Tx, caller: &Caller, task: &TaskId, lease: i64) -> Result<Option<RequestItemId>> {
    let Means::Connector(connector) = &caller.means else { return Err(lease_lost()) };
    store::upload::leased_item(tx, task, lease, connector).await?.ok_or_else(lease_lost)
}

fn lease_lost() -> Error {
    Error::conflict("lease_lost", "The lease of this task is lost. Drop the work.")
}
