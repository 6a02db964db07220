//! One decision about several items of a request: one transaction, one mail.

use domain::Caller;
use domain::id::{RequestItemId, VideoRequestId};
use domain::request_item::Action;

use super::View;
use crate::request_item::{Terms, Work};
use crate::{App, Result};

/// Approves, as they were asked, all pending items that the caller decides about, or those that are named. One mail tells of them.
pub async fn approve(
    app: &App,
    caller: &Caller,
    id: &VideoRequestId,
    named: &[RequestItemId],
    terms: Terms,
) -> Result<View> {
    Work::on_request(app, caller, id, Action::Approve, named).await?.approve(&terms).await
}

/// Denies all pending items that the caller decides about, or those that are named. One mail tells of them.
pub async fn deny(
    app: &App,
    caller: &Caller,
    id: &VideoRequestId,
    named: &[RequestItemId],
    comment: Option<String>,
) -> Result<View> {
    Work::on_request(app, caller, id, Action::Deny, named).await?.deny(comment).await
}

/// Withdraws everything that can still be withdrawn.
pub async fn cancel(app: &App, caller: &Caller, id: &VideoRequestId, comment: Option<String>) -> Result<View> {
    Work::on_request(app, caller, id, Action::Cancel, &[]).await?.cancel(comment).await
}
