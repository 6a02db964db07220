//! Who may upload what for.

use domain::caller::Means;
use domain::id::{CaseId, RequestItemId};
use domain::request_item::{self, Action};
use domain::upload::{Purpose, Upload};
use domain::{Caller, policy};
use store::{Event, Tx};

use crate::{App, Error, Kind, Result, secret};

/// What an upload is about in the end.
#[derive(Debug, Default)]
pub(super) struct Target {
    pub(super) item_id: Option<RequestItemId>,
    pub(super) case_id: Option<CaseId>,
}

impl Target {
    /// Names it in an event.
    pub(super) fn about(&self, mut event: Event) -> Event {
        if let Some(item) = &self.item_id {
            event = event.about("request_item", item);
        }
        if let Some(case) = &self.case_id {
            event = event.about("case", case);
        }
        event
    }
}

/// Whether this caller may begin an upload for that, and what it is about.
pub(super) async fn create(tx: &mut Tx, caller: &Caller, purpose: &Purpose) -> Result<Target> {
    match (purpose, &caller.means) {
        (Purpose::Case(id), Means::Session | Means::Token(_)) => {
            let principals = caller.principals();
            let (level, closed) =
                store::upload::case_level(tx, id, &principals).await?.ok_or_else(|| Error::not_found("case"))?;
            policy::add_file_to_case(level)?;
            if closed {
                return Err(Error::conflict("case_closed", "The case is closed."));
            }
            Ok(Target { case_id: Some(id.clone()), item_id: None })
        }
        (Purpose::Item(id), Means::Session | Means::Token(_)) => {
            let nobody = || Error::not_found("request item");
            let (owner, state) = store::upload::item(tx, id).await?.ok_or_else(nobody)?;
            policy::add_file_to_item(caller, &owner).map_err(|_| nobody())?;
            if request_item::targets(state, Action::UploadStarted).is_empty() {
                return Err(Error::conflict("wrong_state", "The item takes no files in this state."));
            }
            Ok(Target { item_id: Some(id.clone()), case_id: None })
        }
        (Purpose::Link(id), Means::Link(held)) if id == held => link(tx, id).await,
        (Purpose::Task { task, lease }, Means::Connector(connector)) => {
            let item_id = store::upload::leased_item(tx, task, *lease, connector).await?.ok_or_else(lease_lost)?;
            Ok(Target { item_id, case_id: None })
        }
        _ => Err(Error::new(Kind::Forbidden, "forbidden", "You cannot upload for that.")),
    }
}

/// Whether this caller may still send a part of it.
pub(super) async fn append(tx: &mut Tx, caller: &Caller, upload: &Upload, lease: Option<i64>) -> Result<()> {
    match (&upload.purpose, &caller.means) {
        (Purpose::Task { task, lease: first }, Means::Connector(connector)) => {
            let held = store::upload::leased_item(tx, task, lease.unwrap_or(*first), connector).await?;
            held.map(drop).ok_or_else(lease_lost)
        }
        (Purpose::Link(id), _) => link(tx, id).await.map(drop),
        _ => Ok(()),
    }
}

/// What a file request is about, if it still takes files.
async fn link(tx: &mut Tx, id: &domain::id::FileRequestId) -> Result<Target> {
    let now = tx.now();
    let link = store::upload::link(tx, id)
        .await?
        .ok_or_else(|| Error::new(Kind::NotFound, "link_unknown", "There is no such link."))?;
    if link.revoked {
        return Err(Error::new(Kind::Gone, "link_revoked", "This link was withdrawn."));
    }
    if link.expires_at <= now {
        return Err(Error::new(Kind::Gone, "link_expired", "This link has run out."));
    }
    if link.finished {
        return Err(Error::conflict("link_finished", "This link was answered already."));
    }
    Ok(Target { item_id: link.item_id, case_id: link.case_id })
}

fn lease_lost() -> Error {
    Error::conflict("lease_lost", "The lease of this task is lost. Drop the work.")
}

/// Who presents a secret that is no account's: the holder of a link, or a connector.
pub async fn caller(app: &App, presented: &str) -> Result<Caller> {
    let (mut tx, hash) = (app.read().await?, secret::hash(presented));
    if let Some(found) = store::upload::link_by_hash(&mut tx, &hash).await? {
        return Ok(Caller::link(found.id));
    }
    match store::upload::connector_by_hash(&mut tx, &hash).await? {
        Some((id, organization)) => Ok(Caller::connector(id, organization)),
        None => Err(Error::new(
            Kind::Unauthenticated,
            "wrong_token",
            "This token is not valid here, has run out, or was revoked.",
        )),
    }
}
