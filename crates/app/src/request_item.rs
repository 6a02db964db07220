//! What is done to request items, by people, links, connectors and the clock. [`Work`] is the shape of all of it: the items
//! are locked and checked, changed by pure commands, and what follows is queued in the same transaction.

mod hold;
mod machine;
mod work;

use domain::id::RequestItemId;
use domain::request_item::{Action, GrantedLevel, Refused, UnavailableCode, WrongState};
use domain::video_request::{self, MessageKind};
use domain::{Caller, Invalid, Timestamp, policy};
use store::Tx;

pub(crate) use hold::hold_by_policy;
pub use hold::{free, hold};
pub use machine::{
    abandoned, evidence_arrived, export_failed, export_leased, export_unavailable, hold_answered, lease_lost,
    link_answered, upload_started,
};
pub(crate) use machine::{expire_one, hold_run_out, link_ran_out};
pub(crate) use work::Work;

use crate::idempotency::Key;
use crate::notify::Message;
use crate::video_request::View;
use crate::{App, Error, Result};

/// On what terms something is approved.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Words for the requester.
    pub comment: Option<String>,
    /// A later start than was asked.
    pub from: Option<Timestamp>,
    /// An earlier end than was asked.
    pub to: Option<Timestamp>,
    /// The approver looks at what arrives first.
    pub review_before_release: bool,
    /// What the requester may do with it; `download` when nothing is said.
    pub level: Option<GrantedLevel>,
}

/// Locks the request of an item. Whoever does something to a request locks it first, and its tasks, links and uploads afterwards.
pub(crate) async fn lock(tx: &mut Tx, id: &RequestItemId) -> Result<()> {
    if let Some(request) = store::request_item::request_of(tx, &store::video_request::everything(), id).await? {
        store::video_request::lock(tx, &request).await?;
    }
    Ok(())
}

/// Approves an item and has its footage fetched.
pub async fn approve(app: &App, caller: &Caller, id: &RequestItemId, terms: Terms, key: Option<&Key>) -> Result<View> {
    let Some(work) = Work::once(app, caller, id, Action::Approve, key).await? else {
        return as_it_is(app, caller, id).await;
    };
    work.approve(&terms).await
}

/// Refuses an item, before it is fetched or after looking at it.
pub async fn deny(
    app: &App,
    caller: &Caller,
    id: &RequestItemId,
    comment: Option<String>,
    key: Option<&Key>,
) -> Result<View> {
    let Some(work) = Work::once(app, caller, id, Action::Deny, key).await? else {
        return as_it_is(app, caller, id).await;
    };
    work.deny(comment).await
}

/// Withdraws an item.
pub async fn cancel(
    app: &App,
    caller: &Caller,
    id: &RequestItemId,
    comment: Option<String>,
    key: Option<&Key>,
) -> Result<View> {
    let Some(work) = Work::once(app, caller, id, Action::Cancel, key).await? else {
        return as_it_is(app, caller, id).await;
    };
    work.cancel(comment).await
}

/// Asks the requester something before deciding.
pub async fn ask(app: &App, caller: &Caller, id: &RequestItemId, body: &str, key: Option<&Key>) -> Result<View> {
    let Some(mut work) = Work::once(app, caller, id, Action::Ask, key).await? else {
        return as_it_is(app, caller, id).await;
    };
    let body = required("/body", body)?;
    work.change(|shown, _| Ok(shown.item.ask()?))?;
    work.say(MessageKind::Question, Some(&body)).await?;
    work.tell_requester(Message::Question, Some(&body)).await?;
    work.finish("request_item.ask", Some(&body)).await
}

/// Answers what the approver asked.
pub async fn answer(app: &App, caller: &Caller, id: &RequestItemId, body: &str, key: Option<&Key>) -> Result<View> {
    let Some(mut work) = Work::once(app, caller, id, Action::Answer, key).await? else {
        return as_it_is(app, caller, id).await;
    };
    let body = required("/body", body)?;
    work.change(|shown, _| Ok(shown.item.answer()?))?;
    work.say(MessageKind::Answer, Some(&body)).await?;
    work.tell_approvers(Message::Answer, Some(&body)).await?;
    work.finish("request_item.answer", Some(&body)).await
}

/// Tries a failed item again.
pub async fn retry(app: &App, caller: &Caller, id: &RequestItemId) -> Result<View> {
    let mut work = Work::on_item(app, caller, id, Action::Retry).await?;
    crate::case::hold_open_for(&mut work.tx, &work.on.request).await?;
    let deadline = work.tx.now().plus(app.settings().deadline);
    work.change(|shown, _| Ok(shown.item.retry(Some(deadline))?))?;
    let links = work.fulfil().await?;
    work.finish_with("request_item.retry", None, links).await
}

/// Lets the requester have what was looked at.
pub async fn release(app: &App, caller: &Caller, id: &RequestItemId) -> Result<View> {
    let mut work = Work::on_item(app, caller, id, Action::Release).await?;
    work.change(|shown, _| Ok(shown.item.release()?))?;
    work.after_end().await?;
    work.finish("request_item.release", None).await
}

/// The owner says that there is nothing.
pub async fn unavailable(
    app: &App,
    caller: &Caller,
    id: &RequestItemId,
    comment: Option<String>,
    key: Option<&Key>,
) -> Result<View> {
    let Some(mut work) = Work::once(app, caller, id, Action::Unavailable, key).await? else {
        return as_it_is(app, caller, id).await;
    };
    let comment = optional(comment)?;
    let by = caller.account_id().cloned();
    work.change(|shown, now| {
        let detail = domain::request_item::NOTHING_THERE;
        Ok(shown.item.unavailable(UnavailableCode::NothingThere, detail, by.clone(), now)?)
    })?;
    work.say(MessageKind::Decision, comment.as_deref()).await?;
    work.after_end_with(comment.as_deref()).await?;
    work.finish("request_item.unavailable", comment.as_deref()).await
}

/// The request of an item, of which nothing is changed.
async fn as_it_is(app: &App, caller: &Caller, id: &RequestItemId) -> Result<View> {
    let request = store::request_item::request_of(&mut app.read().await?, &policy::sees_requests(caller), id).await?;
    crate::video_request::find(app, caller, &request.ok_or_else(|| Error::not_found("request item"))?).await
}

/// Whether the caller sees an item at all: for live updates.
pub async fn is_seen(app: &App, caller: &Caller, id: &str) -> Result<bool> {
    let Ok(id) = id.parse::<RequestItemId>() else { return Ok(false) };
    let sees = policy::sees_requests(caller);
    Ok(store::request_item::request_of(&mut app.read().await?, &sees, &id).await?.is_some())
}

fn wrong_state(wrong: WrongState) -> Error {
    let done = match wrong.action {
        Action::Approve => "approved",
        Action::Deny => "denied",
        Action::Ask => "asked about",
        Action::Answer => "answered",
        Action::Cancel => "canceled",
        Action::Retry => "retried",
        Action::Release => "released",
        Action::Hold => "held",
        Action::Free => "freed",
        _ => "changed in this way",
    };
    let state = wrong.state.as_str().replace('_', " ");
    Error::conflict(
        "wrong_state",
        format!("The item is {state} and cannot be {done} any more. Load it again to see what happened."),
    )
}

fn refused(refused: Refused) -> Error {
    match refused {
        Refused::WrongState(wrong) => wrong_state(wrong),
        Refused::OutsideWindow(window) => {
            let message = format!("The window must lie inside {} to {} and not be reversed.", window.from, window.to);
            Invalid::field("/from", message).into()
        }
    }
}

fn required(pointer: &str, text: &str) -> Result<String> {
    let mut invalid = Invalid::new();
    invalid.require_text(pointer, text, video_request::LONG_TEXT);
    invalid.into_result()?;
    Ok(text.trim().to_owned())
}

fn optional(comment: Option<String>) -> Result<Option<String>> {
    match comment {
        Some(comment) if !comment.trim().is_empty() => required("/comment", &comment).map(Some),
        _ => Ok(None),
    }
}
