//! One decision about several items of a request: one transaction, one mail.

use domain::Caller;
use domain::id::{RequestItemId, VideoRequestId};
use domain::request_item::Action;

use super::{View, find};
use crate::idempotency::Key;
use crate::request_item::{Terms, Work};
use crate::{App, Result};

/// Approves, as they were asked, all pending items that the caller decides about, or those that are named. One mail tells of them.
pub async fn approve(
    app: &App,
    caller: &Caller,
    id: &VideoRequestId,
    named: &[RequestItemId],
    terms: Terms,
    key: Option<&Key>,
) -> Result<View> {
    let Some(work) = Work::on_request(app, caller, id, Action::Approve, named, key).await? else {
        return find(app, caller, id).await;
    };
    work.approve(&terms).await
}

/// Denies all pending items that the caller decides about, or those that are named. One mail tells of them.
pub async fn deny(
    app: &App,
    caller: &Caller,
    id: &VideoRequestId,
    named: &[RequestItemId],
    comment: Option<String>,
    key: Option<&Key>,
) -> Result<View> {
    let Some(work) = Work::on_request(app, caller, id, Action::Deny, named, key).await? else {
        return find(app, caller, id).await;
    };
    work.deny(comment).await
}

/// Withdraws everything that can still be withdrawn.
pub async fn cancel(
    app: &App,
    caller: &Caller,
    id: &VideoRequestId,
    comment: Option<String>,
    key: Option<&Key>,
) -> Result<View> {
    let Some(work) = Work::on_request(app, caller, id, Action::Cancel, &[], key).await? else {
        return find(app, caller, id).await;
    };
    work.cancel(comment).await
}
