//! Footage that is kept at the owner's side until the decision, asked by an approver or by the owner's policy.

use domain::Caller;
use domain::id::RequestItemId;
use domain::request_item::Action;
use store::Tx;
use store::request_item::Shown;

use super::work::{Work, have_held};
use crate::video_request::View;
use crate::{App, Error, Result};

/// Has the owner's side keep the footage until the decision.
pub async fn hold(app: &App, caller: &Caller, id: &RequestItemId) -> Result<View> {
    let mut work = Work::on_item(app, caller, id, Action::Hold).await?;
    if work.on.items.iter().any(|shown| shown.connector.is_none()) {
        return Err(Error::conflict(
            "no_connector",
            "No connector stands beside this source: nothing there can hold it.",
        ));
    }
    work.change(|shown, _| Ok(shown.item.hold()?))?;
    work.on.have_held(app, &mut work.tx).await?;
    work.finish("request_item.hold", None).await
}

/// Lets go of what is held, before the decision.
pub async fn free(app: &App, caller: &Caller, id: &RequestItemId) -> Result<View> {
    let mut work = Work::on_item(app, caller, id, Action::Free).await?;
    work.change(|shown, _| Ok(shown.item.free()?))?;
    work.finish("request_item.free", None).await
}

/// Where the owner wants it, the footage is kept from now on: it may be overwritten before anybody decides.
pub(crate) async fn hold_by_policy(app: &App, tx: &mut Tx, shown: &mut [Shown]) -> Result<bool> {
    let mut held = false;
    for shown in shown.iter_mut().filter(|shown| shown.connector.is_some()) {
        let owner = store::organization::find(tx, &shown.item.organization_id).await?;
        if owner.is_some_and(|owner| owner.holds_on_submission) && shown.item.hold().is_ok() {
            store::request_item::save(tx, &mut shown.item).await?;
            have_held(app, tx, shown).await?;
            held = true;
        }
    }
    Ok(held)
}
